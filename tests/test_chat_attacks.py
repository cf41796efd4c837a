"""Published attacks on pages of Gradio, replayed on the running chat: each is refused, and gains nothing.

What is listed here is the whole attack, as it comes over the wire; what the guard does with a head is tested beside it
(`test_chat_guard`). Nothing is gained: no answer holds the secret, no file changes, and no other address is reached.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from urllib.parse import unquote, urlsplit

import pytest
from benchmarks.visitor import Doors

from browsing import serving
from caller import Caller
from collection import FILES

pytestmark = pytest.mark.server

SECRET = "the word is xyzzy"
JOIN = "/gradio_api/queue/join"
UPLOAD = "/gradio_api/upload"
FORM = "multipart/form-data; boundary=b"


def named(path: str, **more: object) -> dict[str, object]:
    """What Gradio takes for a file that was uploaded."""
    return {"path": path, "orig_name": "x.txt", "meta": {"_type": "gradio.FileData"}} | more


#: Prints which of the methods and paths that it is given Gradio itself has no route for.
HAS = """
import json, sys
import gradio as gr
from starlette.routing import Match
with gr.Blocks(analytics_enabled=False) as blocks:
    gr.Textbox()
routes = gr.routes.App.create_app(blocks).router.routes
def has(method, path):
    scope = {"type": "http", "method": method, "path": path, "headers": [], "root_path": ""}
    return any(route.matches(scope)[0] is Match.FULL for route in routes)
print(json.dumps([each for each in json.loads(sys.stdin.read()) if not has(*each)]))
"""


def part(name: str, content: str = "x") -> str:
    """A form with one file."""
    head = f'Content-Disposition: form-data; name="files"; filename="{name}"\r\nContent-Type: text/html'
    return f"--b\r\n{head}\r\n\r\n{content}\r\n--b--\r\n"


@dataclass(frozen=True)
class Attack:
    """One request. ``{secret}``, ``{page}`` and ``{inside}`` stand for a file, this server, and another one here.

    `gone` says why Gradio has no such route any more, or not as it is set up here.
    """

    of: str
    target: str
    method: str = "GET"
    body: object = None
    heads: Mapping[str, str] = field(default_factory=dict)
    gone: str = ""

    def __str__(self) -> str:
        return f"{self.of}: {self.method} {self.target}"[:90]


def call(of: str, data: object, number: object) -> Attack:
    """An attack by what is sent to a function of the page."""
    return Attack(of, JOIN, "POST", {"fn_index": number, "session_hash": "abc", "data": data})


ASK, ADD, REBUILD = "<ask>", "<add>", "<rebuild>"
EVENTS = {ASK: ("question", "submit"), ADD: ("upload", "upload"), REBUILD: ("rebuild", "click")}

ATTACKS = [
    # files of the machine
    Attack("CVE-2023-51449, CVE-2024-1561", "/gradio_api/file={secret}"),
    Attack("CVE-2023-51449, before 5.0", "/file={secret}", gone="moved to /gradio_api in 5.0"),
    Attack("CVE-2023-51449, upwards", "/gradio_api/file=../../../../../../../../../..{secret}"),
    Attack("CVE-2021-43831, CVE-2023-34239", "/gradio_api/file/{secret}"),
    Attack("CVE-2024-34510, share of Windows", "/gradio_api/file=%5C%5Cevil.example%5Cshare%5Cx"),
    Attack("CVE-2024-12217, stream of NTFS", "/gradio_api/file={secret}::$DATA"),
    Attack("CVE-2025-23042, in capitals", "/gradio_api/file={SECRET}"),
    Attack("CVE-2026-28414, absolute path", "/static/{secret}"),
    Attack("CVE-2026-28414, drive of Windows", "/gradio_api/file=C:/Windows/win.ini"),
    Attack("CVE-2024-4253, built files", "/assets/..%2f..%2f..%2froutes.py"),
    Attack("CVE-2024-4253, twice encoded", "/assets/%252e%252e%252froutes.py"),
    Attack("CVE-2024-47166, custom component", "/gradio_api/custom_component/x/client/%2e%2e/routes.py"),
    Attack("CVE-2024-1561, component_server", "/gradio_api/component_server", "POST", {
        "component_id": 1, "fn_name": "move_resource_to_block_cache", "data": "{secret}", "session_hash": "abc"}),
    call("CVE-2024-1728, CVE-2024-51751, File", [[named("{secret}")], ""], ADD),
    call("CVE-2024-51751, said to be from here", [[named("{secret}", url="{page}x", is_stream=True)], ""], ADD),
    call("CVE-2024-51751, without what says it is a file", [[{"path": "{secret}"}], ""], ADD),
    call("CVE-2024-4941, where a text is expected", [named("{secret}"), None, None, "", ""], ASK),
    call("CVE-2024-4941, deep in another", [{"a": [{"b": named("{secret}")}]}, None, None, "", ""], ASK),
    call("CVE-2024-47868, choice of a filter", ["x", named("{secret}"), None, "", ""], ASK),
    # other servers
    Attack("CVE-2024-2206, CVE-2026-28416, proxy", "/gradio_api/proxy={inside}"),
    Attack("CVE-2023-34239, GHSA-vwgg-rgg9-xx9q, file by address", "/gradio_api/file={inside}"),
    call("CVE-2024-4325, CVE-2024-48052, file by address", [[named("{inside}x.txt")], ""], ADD),
    call("CVE-2024-4325, CVE-2024-47167, text by address", [named("{inside}x.txt"), None, None, "", ""], ASK),
    call("CVE-2024-4325, another machine", [[named("http://169.254.169.254/latest/x.txt")], ""], ADD),
    call("CVE-2024-4325, a name to look up", [[named("https://evil.example/x.txt")], ""], ADD),
    # away from here
    Attack("CVE-2024-8021, gradio#13593, redirect", "/gradio_api/file=https://evil.example/"),
    Attack("CVE-2024-4940, redirect", "//evil.example/%2e%2e", gone="redirected by the server of files"),
    Attack("CVE-2026-28415, gradio#13608", "////evil.example", gone="redirected to a path without the slash"),
    Attack("CVE-2026-28415, login", "/login/huggingface?_target_url=////evil.example", gone="with OAuth only"),
    Attack("CVE-2026-27167, token of the owner", "/login/callback?code=x", gone="with OAuth only"),
    Attack("gradio#13687, logout", "/logout?all_session=1&next=//evil.example", gone="with a login of Gradio only"),
    # from other sites
    Attack("CVE-2024-1727, upload of another site", UPLOAD, "POST", part("x.txt"), {
        "Origin": "http://evil.example", "Content-Type": FORM}),
    Attack("CVE-2024-1727, upload without an origin", UPLOAD, "POST", part("x.txt"), {
        "Origin": "", "Content-Type": FORM}),
    Attack("CVE-2024-47084, question of another site", JOIN, "POST", {
        "fn_index": REBUILD, "session_hash": "abc", "data": [""]}, {"Origin": "http://evil.example"}),
    Attack("CVE-2024-47165, origin of a sandbox", JOIN, "POST", {
        "fn_index": REBUILD, "session_hash": "abc", "data": [""]}, {"Origin": "null"}),
    Attack("CVE-2025-5320, another name of this machine", JOIN, "POST", {
        "fn_index": REBUILD, "session_hash": "abc", "data": [""]}, {"Origin": "http://localhost.evil.example"}),
    Attack("CVE-2025-5320, another port of this machine", "/config", heads={"Origin": "http://127.0.0.1:1"}),
    Attack("rebinding of a name", "/", heads={"Host": "evil.example"}),
    Attack("rebinding of a name, reading", "/config", heads={"Host": "evil.example:7860", "Origin": "http://evil.example:7860"}),
    Attack("picture in another site", "/config", heads={"Sec-Fetch-Site": "cross-site"}),
    # what the page does not use
    Attack("open API, call", "/gradio_api/call/add", "POST", {"data": [[named("{secret}")]]}),
    Attack("open API, call in its second form", "/gradio_api/call/v2/add", "POST", {"files": [named("{secret}")]}),
    Attack("open API, run", "/gradio_api/run/build_anew", "POST", {"data": [], "session_hash": "abc"}),
    Attack("open API, api", "/gradio_api/api/build_anew", "POST", {"data": []}),
    Attack("open API, description", "/gradio_api/openapi.json"),
    Attack("open API, pages of FastAPI", "/docs", gone="of FastAPI"),
    Attack("open API, description of FastAPI", "/openapi.json", gone="of FastAPI"),
    Attack("tools for models", "/gradio_api/mcp/sse", gone="with mcp_server only"),
    Attack("deep link that is made", "/gradio_api/deep_link?session_hash=abc"),
    Attack("deep link, CVE-2024-47164", "/config?deep_link=..%2f..%2f{secret}", heads={"Sec-Fetch-Site": "same-site"}),
    Attack("monitoring", "/monitoring"),
    Attack("monitoring, key", "/monitoring/summary"),
    Attack("history of runs", "/gradio_api/runs"),
    Attack("history of runs, records", "/gradio_api/run-history/records", gone="with run_history only"),
    Attack("code written by a model", "/gradio_api/vibe-edit", "POST", {"prompt": "x"}),
    Attack("code read", "/gradio_api/vibe-code"),
    Attack("code replaced", "/gradio_api/vibe-code", "POST", {"code": "import os"}),
    Attack("reloading", "/gradio_api/dev/reload"),
    Attack("recording", "/gradio_api/process_recording", "POST", part("x.mp4"), {"Content-Type": FORM}),
    Attack("stream", "/gradio_api/stream/abc", "POST", {"data": []}),
    Attack("CVE-2025-48889, flagging", "/gradio_api/run/flag", "POST", {"data": ["{secret}"]}),
    Attack("login, guessed", "/login", "POST", "username=admin&password=admin", {
        "Content-Type": "application/x-www-form-urlencoded"}),
    Attack("token", "/gradio_api/token"),
    Attack("web socket of 3.x", "/queue/join", heads={"Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "eHh4eHh4eHh4eHh4eHh4eA=="}, gone="replaced in 4.0"),
    # around the list of routes
    Attack("path, dots", "/gradio_api/queue/../file={secret}", gone="a way to another route"),
    Attack("path, encoded dots", "/gradio_api/heartbeat/%2e%2e/file={secret}", gone="a way to another route"),
    Attack("path, encoded letters", "/%67radio_api/file={secret}"),
    Attack("path, two slashes", "//gradio_api//file={secret}", gone="a way to another route"),
    Attack("path, an address before it", "http://evil.example/gradio_api/file={secret}", gone="a way to another route"),
    # more than there is room for
    Attack("upload of a terabyte", UPLOAD, "POST", "", {"Content-Length": str(1 << 40), "Content-Type": FORM}),
    Attack("question of a gigabyte", JOIN, "POST", "", {"Content-Length": str(1 << 30)}),
    Attack("length below zero", JOIN, "POST", "", {"Content-Length": "-1"}),
    Attack("nested without end", JOIN, "POST", "[" * 500_000),
    Attack("prototype", JOIN, "POST", {
        "__proto__": {"fn_index": REBUILD}, "constructor": {"prototype": {"path": "{secret}"}}}),
]  # fmt: skip


@dataclass
class Target:
    """The running page, and what must stay as it is."""

    url: str
    folder: Path
    inside: str
    visits: list[bytes]
    doors: Doors

    @property
    def secret(self) -> Path:
        return self.folder / "secret.txt"

    @property
    def temporary(self) -> Path:
        """Where uploads lie."""
        return next((self.folder / "tmp").glob("rag-geo-chat-*"))

    def fill(self, text: str) -> str:
        """Put the names of files and servers into the text of an attack."""
        names = {
            "secret": str(self.secret),
            "SECRET": str(self.secret).upper(),
            "page": self.url,
            "inside": self.inside,
        }
        for name, value in names.items():
            text = text.replace("{" + name + "}", value)
        for name, event in EVENTS.items():
            text = text.replace(f'"{name}"', str(self.doors.number(*event)))
        return text

    def files(self) -> dict[str, int]:
        """Every file there is, with its size; locks of the index are none."""
        found = (each for each in self.folder.rglob("*") if each.is_file() and each.suffix != ".lock")
        return {str(each): each.stat().st_size for each in found}

    def send(self, attack: Attack) -> tuple[int, dict[str, str], bytes]:
        """Send a request as it is written down."""
        host = urlsplit(self.url).netloc
        body = attack.body if isinstance(attack.body, str) else json.dumps(attack.body) if attack.body else ""
        data = self.fill(body).encode()
        heads = {"Host": host, "Origin": f"http://{host}", "Content-Type": "application/json"}
        heads |= {"Content-Length": str(len(data))} | dict(attack.heads)
        connection = http.client.HTTPConnection(host, timeout=120)
        connection.putrequest(attack.method, self.fill(attack.target), skip_host=True, skip_accept_encoding=True)
        for name, value in heads.items():
            if value:
                connection.putheader(name, value)
        connection.endheaders()
        connection.send(data)
        answer = connection.getresponse()
        # A stream that is opened by an attack would not end.
        came = answer.read() if answer.length is not None else answer.read1()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, came

    def untouched(self, before: dict[str, int], *answers: bytes) -> None:
        """Nothing was disclosed, changed or reached; what is reached is one of the files as well."""
        visits = self.visits.copy()
        self.visits.clear()
        assert not [each for each in answers if SECRET.encode() in each or b"root:" in each]
        assert self.files() == before
        assert visits == []


@pytest.fixture(scope="module")
def target(tmp_path_factory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("attacked")
    (folder / "reached.txt").touch()
    (folder / "tmp").mkdir()
    visits: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening, pytest.MonkeyPatch.context() as patch:

        def visit() -> None:
            while True:
                try:
                    visitor, _ = listening.accept()
                except OSError:
                    return
                with visitor:
                    visits.append(visitor.recv(1000))
                    visitor.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n" + SECRET.encode())

        threading.Thread(target=visit, daemon=True).start()
        patch.setenv("TMPDIR", str(folder / "tmp"))
        with serving(folder) as url:
            inside = f"http://127.0.0.1:{listening.getsockname()[1]}/"
            doors = Doors(json.loads(Caller(url).fetch("config")))
            found = Target(url, folder, inside, visits, doors)
            found.secret.write_text(SECRET)
            yield found


def test_there_are_enough_of_them():
    assert len({attack.of for attack in ATTACKS}) == len(ATTACKS) >= 25


def test_each_aims_at_a_route_that_gradio_has_unless_it_is_said_why_not():
    aimed = [[attack.method, unquote(urlsplit(attack.target).path)] for attack in ATTACKS if not attack.gone]
    command = [sys.executable, "-W", "ignore", "-c", HAS]
    found = subprocess.run(command, input=json.dumps(aimed), capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == []


def test_every_attack_on_an_event_has_as_many_values_as_the_event_takes(target):
    """With fewer it would be refused for its form, and say nothing."""
    bodies = [json.dumps(attack.body) for attack in ATTACKS if isinstance(attack.body, dict)]
    aimed = [json.loads(target.fill(body)) for body in bodies]
    numbers = {target.doors.number(*event) for event in EVENTS.values()}
    here = [one for one in aimed if one.get("fn_index") in numbers and "data" in one]
    counts = [(len(one["data"]), target.doors.inputs(one["fn_index"])) for one in here]
    assert len(counts) > 5
    assert [given for given, _ in counts] == [taken for _, taken in counts]


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_it_is_refused_and_gains_nothing(target, attack):
    before = target.files()
    status, heads, body = target.send(attack)
    assert 400 <= status < 500
    assert "location" not in heads
    assert not [name for name in heads if name.startswith("access-control")]
    target.untouched(before, body, json.dumps(heads).encode())


# --- what is let in, and gains nothing ------------------------------------------------------------------------------


def upload(target: Target, name: str, content: str = "x") -> Path:
    """Upload a file; where it lies."""
    status, _, body = target.send(Attack("upload", UPLOAD, "POST", part(name, content), {"Content-Type": FORM}))
    assert status == 200
    return Path(json.loads(body)[0])


@pytest.mark.parametrize(
    "name",
    ["../../secret.txt", "/../../../secret.txt", "..\\..\\secret.txt", "C:\\secret.txt", "{secret}", "x/../../../x.txt",
     "secret.txt::$DATA", "CON.txt", "a\tb.txt", "%2e%2e%2fsecret.txt", ".txt", "x" * 300 + ".txt"],
)  # fmt: skip
def test_an_upload_lies_among_the_uploads_whatever_it_is_called_cve_2024_0964(target, name):
    before = target.files()
    lies = upload(target, target.fill(name), "overwritten")
    assert lies.is_relative_to(target.temporary)
    assert lies.parent.parent == target.temporary
    assert lies.read_text() == "overwritten"
    lies.unlink()
    target.untouched(before)
    assert target.secret.read_text() == SECRET


@pytest.mark.parametrize("name", ["x.html", "x.svg", "x.xhtml", "x.js", "state.json"])
def test_what_was_uploaded_is_served_to_nobody_cve_2024_47872(target, name):
    lies = upload(target, name, "<script>alert(1)</script>")
    before = target.files()
    within = f"{lies.parent.name}/{lies.name}"
    for path in (
        f"/gradio_api/file={lies}", f"/file={lies}", f"/gradio_api/file/{lies}", f"/gradio_api/file={within}",
        f"/static/{lies}", f"/assets/{lies}", f"/gradio_api/stream/{within}", f"/?deep_link=../{lies.parent.name}",
        f"/config?deep_link={lies.parent.name}",
    ):  # fmt: skip
        status, _, body = target.send(Attack("read back", path))
        assert b"alert(1)" not in body
        assert status == (404 if "deep_link" not in path else 200)
    target.untouched(before)
    lies.unlink()


@pytest.mark.parametrize("head", ["X-Forwarded-Host", "X-Gradio-Server", "Forwarded", "X-Forwarded-Prefix"])
def test_no_header_puts_another_address_into_the_page(target, head):
    for path in ("/", "/config"):
        value = "http://evil.example/" if head == "X-Gradio-Server" else "evil.example"
        status, _, body = target.send(Attack("poisoned", path, heads={head: value}))
        assert status == 200
        assert b"evil.example" not in body


@pytest.mark.parametrize("number", [-1, 999, 1 << 70, "leave", None, [0], 1.5])
def test_no_function_is_called_that_the_page_does_not_show(target, number):
    before = target.files()
    status, _, body = target.send(call("unexposed", [], number))
    assert status >= 400
    target.untouched(before, body)


@pytest.mark.parametrize(
    "order",
    [
        {"do": "source", "file": "../secret.txt", "paragraph": "1"},
        {"do": "source", "file": "%2e%2e%2fsecret.txt", "paragraph": "1"},
        {"do": "source", "file": "{secret}", "paragraph": "1"},
        {"do": "source", "file": "bridge.md/../../secret.txt", "paragraph": "1"},
        {"do": "source", "file": "museum.txt", "paragraph": "1", "turn": "99"},
        {"do": "source", "file": "museum.txt", "paragraph": "99999999999999999999"},
        {"do": "remove", "file": "../secret.txt"},
        {"do": "remove", "file": "{secret}"},
        {"do": "remove", "file": "bridge.md/../../secret.txt"},
        {"do": "restore", "file": "../secret.txt"},
        {"do": "receipt", "turn": "1"},
        {"do": "__class__"},
        {"do": {"$ne": None}},
        {"__proto__": {"do": "remove"}, "file": "museum.txt"},
        [],
        "x" * 30_000,
    ],
    ids=str,
)
def test_an_order_names_documents_and_nothing_else(target, order):
    before = target.files()
    caller = Caller(target.url)
    caller.does("order", "change", target.fill(json.dumps(order)))
    with caller.listens() as stream:
        told = next(each for each in caller.messages(stream) if each["msg"] == "process_completed")
    assert "error" in json.loads(told["output"]["data"][1])
    target.untouched(before, json.dumps(told).encode())


def test_nobody_reads_the_answer_of_another(target):
    mine, other = Caller(target.url), Caller(target.url)
    assert "1932" in mine.answer("When did the Calder Bridge open?")
    other.does("order", "change", json.dumps({"do": "copy", "turn": "1"}))
    with other.listens() as stream:
        told = next(each for each in other.messages(stream) if each["msg"] == "process_completed")
    assert "1932" not in json.dumps(told["output"]["data"])


# --- what would keep it busy ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heads", "body"),
    [
        ({"Content-Type": FORM}, part("x.txt").replace("--b--", "--b" + "-" * 900_000)),
        ({"Content-Type": "multipart/form-data; boundary=" + "b" * 20_000}, part("x.txt")),
        ({"Content-Type": FORM}, '--b\r\nContent-Disposition: form-data; name="files"; filename="' + "x" * 900_000),
        ({"Content-Type": FORM}, "--b\r\n" + "X: y\r\n" * 100_000),
        ({"Content-Type": FORM}, "".join(part(f"{number}.txt")[:-7] for number in range(1001)) + "--b--\r\n"),
        ({"Content-Type": FORM}, part("x.txt").replace('name="files"; ', "")),
        ({"Content-Type": FORM}, "-" * 900_000),
        ({"Content-Type": "multipart/form-data"}, part("x.txt")),
        ({"Content-Type": "application/json"}, "{}"),
    ],
    ids=["end", "boundary", "name", "heads", "files", "unnamed", "dashes", "none", "json"],
)
def test_a_form_that_is_none_is_refused_and_leaves_nothing_cve_2024_8966(target, heads, body):
    before = target.files()
    status, _, said = target.send(Attack("form", UPLOAD, "POST", body, heads))
    assert status in (200, 400, 413, 422)
    for each in json.loads(said) if status == 200 else ():
        Path(each).unlink(missing_ok=True)
    target.untouched(before)
    assert "1932" in Caller(target.url).answer("When did the Calder Bridge open?")


def test_a_file_that_is_too_large_is_refused_and_leaves_nothing(target):
    before = target.files()
    status, _, _ = target.send(Attack("large", UPLOAD, "POST", part("x.txt", "x" * (51 << 20)), {"Content-Type": FORM}))
    assert status == 413
    target.untouched(before)


def test_of_more_files_than_are_taken_each_is_accounted_for_and_none_stays(target):
    before = target.files()
    form = "".join(part(f"{number}.txt", " ")[:-7] for number in range(110)) + "--b--\r\n"
    _, _, body = target.send(Attack("many", UPLOAD, "POST", form, {"Content-Type": FORM}))
    lying = json.loads(body)
    caller = Caller(target.url)
    caller.does("upload", "upload", [named(each, orig_name=Path(each).name) for each in lying], "")
    with caller.listens() as stream:
        told = json.dumps([each for each in caller.messages(stream) if str(each["msg"]).startswith("process_")])
    assert len(lying) == 110
    assert "109.txt" in told
    assert not [each for each in lying if Path(each).exists()]
    # What Gradio leaves of every file that is added, empty, is cleared away with the next upload.
    upload(target, "x.txt").unlink()
    for _ in range(100):
        if not list(target.temporary.glob("tmp*")):
            break
        sleep(0.1)
    (target.folder / "documents" / "added").rmdir()  # it is made before anything is looked at
    target.untouched(before)


def test_an_upload_that_breaks_off_leaves_nothing(target):
    before = target.files()
    at = urlsplit(target.url)
    with socket.create_connection((at.hostname, at.port)) as sent:
        head = f"POST {UPLOAD} HTTP/1.1\r\nHost: {at.netloc}\r\nOrigin: http://{at.netloc}\r\nContent-Type: {FORM}\r\n"
        sent.sendall((head + "Content-Length: 1000000\r\n\r\n" + part("x.txt")[:-7] + "x" * 500_000).encode())
        sleep(0.5)
    for _ in range(100):
        if target.files() == before:
            break
        sleep(0.1)
    target.untouched(before)


def test_many_ranges_of_a_file_are_no_work_cve_2025_62727(target):
    page = target.send(Attack("page", "/"))[2].decode()
    module = page.partition('src="')[2].partition('"')[0]
    ranges = "bytes=" + ",".join(f"{number}-{number}" for number in range(0, 6000, 2))
    status, _, body = target.send(Attack("ranges", f"/{module}", heads={"Range": ranges[:30_000]}))
    assert status in (200, 206, 400, 413, 416)
    assert len(body) < 1 << 24


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Content-Length: 4\r\nContent-Length: 5",
        "Transfer-Encoding: chunked, identity",
        "Content-Length: +4",
        "Host: evil.example\r\nContent-Length: 4",
        "X: " + "y" * 100_000,
    ],
    ids=["both", "two lengths", "codings", "signed", "two hosts", "long"],
)
def test_a_request_that_can_be_read_in_two_ways_is_not_read(target, head):
    before = target.files()
    at = urlsplit(target.url)
    with socket.create_connection((at.hostname, at.port), timeout=120) as sent:
        start = f"POST {JOIN} HTTP/1.1\r\nHost: {at.netloc}\r\nOrigin: http://{at.netloc}\r\n{head}\r\n\r\n"
        sent.sendall(start.encode() + b"{}\r\nGET /config HTTP/1.1\r\nHost: x\r\n\r\n")
        came = sent.recv(1 << 16)
    assert came.split(b" ")[1][:1] == b"4"
    assert b"components" not in came
    target.untouched(before, came)


def test_after_all_that_questions_are_answered(target):
    assert "1932" in Caller(target.url).answer("When did the Calder Bridge open?")
    assert {each.name for each in (target.folder / "documents").iterdir()} == set(FILES)
    assert target.secret.read_text() == SECRET

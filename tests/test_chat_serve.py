import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rag_geo.chat import serve
from rag_geo.chat.collection import MOST_MEGABYTES
from rag_geo.chat.serve import Address, gradio_environment, listen, read_password, rules, url_of
from rag_geo.errors import ResourceError, UsageError

pytestmark = pytest.mark.server

SERVER = Path(__file__).parent / "chat_server.py"


def test_port_0_takes_a_free_one_and_the_url_names_it():
    with listen(Address(port=0)) as opened:
        port = opened.getsockname()[1]
        assert port
        assert url_of(opened) == f"http://127.0.0.1:{port}/"


def test_a_port_in_use_is_said_with_what_helps():
    with listen(Address(port=0)) as opened:
        port = opened.getsockname()[1]
        with pytest.raises(ResourceError, match=f"port {port} is in use") as refused:
            listen(Address(port=port))
        assert "--port 0" in refused.value.hint
        assert refused.value.exit_code == 6


@pytest.mark.parametrize("host", ["no.such.host.invalid", "999.1.1.1", "", "a b", "203.0.113.1"])
def test_an_address_that_is_none_of_this_machine_is_said_to_be_none(host):
    if host == "":
        pytest.skip("the empty name stands for all addresses")
    with pytest.raises(ResourceError, match=host):
        listen(Address(host=host, port=0))


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no IPv6 here")
def test_an_address_of_ipv6_is_served_from():
    try:
        opened = listen(Address(host="::1", port=0))
    except ResourceError:
        pytest.skip("there is no IPv6 here")
    with opened:
        assert url_of(opened).startswith("http://[::1]:")
        assert not rules(Address(host="::1"), "::1").password


def test_others_are_let_in_with_a_password_only():
    with pytest.raises(UsageError, match="no password") as refused:
        rules(Address(host="0.0.0.0"), "0.0.0.0")
    assert "--password-file" in refused.value.hint
    let_in = rules(Address(host="0.0.0.0", password="correct horse", names=("Box.lan",)), "0.0.0.0")
    assert let_in.password
    assert let_in.knows("192.168.1.7:7860")
    assert let_in.knows("box.lan:7860")
    assert not rules(Address(), "127.0.0.1").knows("192.168.1.7:7860")


def test_the_url_of_all_addresses_is_that_of_this_machine():
    with listen(Address(host="0.0.0.0", port=0)) as opened:
        assert url_of(opened).startswith("http://127.0.0.1:")


def test_the_password_is_the_first_line_of_its_file(tmp_path):
    file = tmp_path / "password"
    file.write_text("  correct horse \nand more\n")
    assert read_password(file) == "correct horse"


@pytest.mark.parametrize("content", [b"", b"short\n", b"\n\ncorrect horse", b"\xff\xfe\xfa" * 9])
def test_a_password_that_is_none_is_refused(tmp_path, content):
    file = tmp_path / "password"
    file.write_bytes(content)
    with pytest.raises(UsageError):
        read_password(file)


def test_a_password_file_that_is_not_there_is_said_to_be_missing(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        read_password(tmp_path / "none")


def test_what_the_environment_says_to_gradio_is_cleared_and_put_back(monkeypatch):
    said = {
        "GRADIO_SHARE": "True",
        "GRADIO_ALLOWED_PATHS": "/",
        "GRADIO_VIBE_MODE": "0",
        "SPACE_ID": "a/b",
        "SYSTEM": "spaces",
        "GRADIO_ANALYTICS_ENABLED": "True",
        "OAUTH_CLIENT_ID": "x",
    }
    kept = {"SYSTEMROOT": "x", "SYSTEMD_PAGER": "x", "SPACESHIP": "x"}
    environment = os.environ  # noqa: TID251
    for name, value in (said | kept).items():
        monkeypatch.setenv(name, value)
    with gradio_environment() as folder:
        left = {name for name in environment if serve._CLEARED.fullmatch(name)}
        ours = ("ANALYTICS_ENABLED", "ANALYTICS_MAX_EVENTS", "ANALYTICS_CACHE_FREQUENCY")
        assert left == {f"GRADIO_{name}" for name in (*ours, "TEMP_DIR", "HEARTBEAT_INTERVAL")}
        assert environment["GRADIO_ANALYTICS_ENABLED"] == "False"
        assert kept.items() <= environment.items()
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "upload").write_text("x")
    assert not folder.exists()
    assert said.items() <= environment.items()
    assert "GRADIO_TEMP_DIR" not in environment


# --- the running page -------------------------------------------------------------------------------------------


#: What whoever starts the page may have in the environment, each of which would open Gradio.
OPENING = [
    "GRADIO_SHARE=True", "GRADIO_ALLOWED_PATHS=/", "GRADIO_SERVER_NAME=0.0.0.0", "GRADIO_ROOT_PATH=https://evil.example",
    "GRADIO_VIBE_MODE=0", "GRADIO_ANALYTICS_ENABLED=True", "GRADIO_MCP_SERVER=True", "GRADIO_SSR_MODE=True",
    "GRADIO_RUN_HISTORY=True", "GRADIO_FLAGGING_MODE=auto", "GRADIO_DEBUG=1", "GRADIO_PROFILING=1",
    "GRADIO_DEFAULT_CONCURRENCY_LIMIT=1", "GRADIO_WATCH_DIRS=/", "GRADIO_LOCAL_DEV_MODE=1", "SPACE_ID=a/b",
    "SYSTEM=spaces", "OAUTH_CLIENT_ID=x",
]  # fmt: skip


def start(folder: Path, load_s: float = 0.0) -> tuple[subprocess.Popen[str], str]:
    (folder / "tmp").mkdir()
    opening = ["env", f"TMPDIR={folder / 'tmp'}", *OPENING]
    process = subprocess.Popen(
        [*opening, sys.executable, str(SERVER), str(folder), str(load_s)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return process, process.stdout.readline().strip()


def fetch(url: str, **headers: str) -> tuple[int, dict[str, str], str]:
    request = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, {}, error.read().decode()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_page_is_there_before_anything_is_loaded_and_a_signal_ends_it_in_order(tmp_path, number, code):
    process, url = start(tmp_path, 300)
    with process:
        try:
            status, heads, page = fetch(url)
            assert status == 200
            assert "the model is being loaded" in page
            assert "default-src 'none'" in heads["content-security-policy"]
            process.send_signal(number)
            assert process.wait(60) == code
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the page lies, which notes what it looks up or connects to elsewhere."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "reached.txt").touch()
    return folder


@pytest.fixture(scope="module")
def page(folder):
    """A page that is ready: its URL."""
    process, url = start(folder)
    with process:
        try:
            for line in process.stderr:
                if line.startswith("ready"):
                    break
            yield url
            process.terminate()
            assert process.wait(60) == 143
            assert (folder / "reached.txt").read_text() == ""
            assert not list((folder / "tmp").glob("rag-geo-chat-*"))
        finally:
            process.kill()


def test_the_settings_of_the_running_page_are_the_closed_ones(page):
    status, _, text = fetch(f"{page}config")
    config = json.loads(text)
    assert status == 200
    closed = {
        "root": page.rstrip("/"),
        "dev_mode": False,
        "vibe_mode": False,
        "analytics_enabled": False,
        "run_history": False,
        "mcp_server": False,
        "pwa": False,
        "show_error": False,
        "space_id": None,
        "is_colab": False,
        "username": None,
        "api_prefix": "/gradio_api",
        "footer_links": [],
        "max_file_size": MOST_MEGABYTES * 1024**2,
        "enable_queue": True,
        "connect_heartbeat": True,
        "stylesheets": [],
        "css": "",
        "js": "",
        "head": "",
    }
    assert {name: config[name] for name in closed} == closed
    assert [name for name, *_ in config["pages"]] == [""]
    for each in config["dependencies"]:
        assert each["api_visibility"] == "private" or "unload" in str(each["targets"])
        assert each["queue"]
        assert not each["js"]
    assert json.loads(fetch(f"{page}gradio_api/info")[2]) == {"named_endpoints": {}, "unnamed_endpoints": {}}
    assert "Calder" not in text
    assert "bridge.md" not in text


#: Prints the settings that a page has and does not tell.
SETTINGS = """
import json
from rag_geo.chat.room import House
from rag_geo.chat.serve import gradio_app, gradio_environment
with gradio_environment() as folder:
    outer, _, uploads = gradio_app(House(lambda say: None))
    import gradio
    inner = next(each.app for each in outer.routes if isinstance(getattr(each, "app", None), gradio.routes.App))
    names = ("api_open", "share", "share_url", "show_error", "allowed_paths", "blocked_paths", "enable_monitoring",
        "auth", "analytics_enabled", "delete_cache", "max_file_size", "root_path", "has_launched", "vibe_mode",
        "dev_mode")
    said = {name: getattr(inner.get_blocks(), name) for name in names}
    queue = inner.get_blocks()._queue
    said |= {"queue": [queue.max_size, queue.default_concurrency_limit], "uploads": uploads == folder}
    said["strict_cors"] = [each.kwargs["strict_cors"] for each in inner.user_middleware if "strict_cors" in each.kwargs]
    print(json.dumps(said))
"""


def test_what_the_page_does_not_tell_of_its_settings_is_closed_as_well():
    made = subprocess.run(
        ["env", *OPENING, sys.executable, "-W", "ignore", "-c", SETTINGS], capture_output=True, text=True, check=True
    )
    assert json.loads(made.stdout.splitlines()[-1]) == {
        "api_open": False,
        "share": False,
        "share_url": None,
        "show_error": False,
        "allowed_paths": [],
        "blocked_paths": [],
        "enable_monitoring": False,
        "auth": None,
        "analytics_enabled": False,
        "delete_cache": [3600, 3600],
        "max_file_size": MOST_MEGABYTES * 1024**2,
        "root_path": "",
        "has_launched": True,
        "vibe_mode": False,
        "dev_mode": False,
        "queue": [64, None],
        "uploads": True,
        "strict_cors": [True],
    }


def test_uploads_lie_in_a_folder_of_nobody_else_and_the_page_on_no_other_address(page, folder):
    (uploads,) = (folder / "tmp").glob("rag-geo-chat-*")
    assert uploads.stat().st_mode & 0o777 == 0o700
    at = urlsplit(page)
    assert at.hostname == "127.0.0.1"
    with pytest.raises(OSError, match=r"refused|assign|time"):
        socket.create_connection(("127.0.0.2", at.port), timeout=60)


@pytest.mark.parametrize(
    "path",
    [
        "gradio_api/file=/etc/passwd",
        "gradio_api/file=http://127.0.0.1:1/",
        "gradio_api/run/ask",
        "gradio_api/openapi.json",
        "monitoring",
        "gradio_api/runs",
        "gradio_api/mcp/sse",
        "login",
        "gradio_api/vibe-code",
        "static/img/logo.svg",
        "gradio_api/deep_link?session_hash=x",
        "assets/..%2f..%2f..%2froutes.py",
        "gradio_api/file=corpus/bridge.md",
    ],
)
def test_the_running_page_serves_nothing_else(page, path):
    assert fetch(page + path)[0] == 404


def test_another_name_or_site_reaches_nothing_of_the_running_page(page):
    assert fetch(page, Host="evil.example")[0] == 421
    assert fetch(f"{page}config", Sec_Fetch_Site="cross-site")[0] == 403
    assert fetch(f"{page}config", Origin="http://evil.example")[0] == 403


def test_a_browser_is_told_to_load_from_this_page_alone(page):
    _, heads, text = fetch(page)
    assert "unsafe-inline" not in heads["content-security-policy"]
    assert "unsafe-eval" not in heads["content-security-policy"]
    assert "https://" not in text.partition("window.gradio_config")[0] + text.rpartition("</script>")[2]
    assert not [name for name in heads if name.startswith("access-control")]


def test_a_page_that_nobody_interrupts_stays(page):
    time.sleep(0.2)
    assert fetch(page)[0] == 200

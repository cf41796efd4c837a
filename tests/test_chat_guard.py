import asyncio
import base64

import pytest

from rag_geo.chat.guard import (
    FAILURES_S,
    HEADERS,
    MOST_ADDRESSES,
    MOST_BYTES,
    MOST_FAILURES,
    MOST_UPLOADED_BYTES,
    UPLOAD,
    Failures,
    Guard,
    Rules,
    digest,
    policy,
    refusal,
)

LOCAL = Rules()
HOST = "127.0.0.1:7860"
ORIGIN = f"http://{HOST}"
SECRET = "correct horse"


def basic(password: str, user: str = "me") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def status(method: str = "GET", path: str = "/", rules: Rules = LOCAL, **headers: str) -> int:
    named = {"host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}
    refused = refusal(method, path, named, rules)
    return refused.status if refused else 200


@pytest.mark.parametrize("host", [HOST, "localhost:7860", "LOCALHOST:1", "[::1]:7860", "127.0.0.1"])
def test_the_page_is_served_under_the_names_of_this_machine(host):
    assert status(host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:7860",
        "127.0.0.1.evil.example",
        "localhost.evil.example:7860",
        "192.168.1.2:7860",
        "127.0.0.1:7860@evil.example",
        "localhost:7860, evil.example",
        "127.0.0.1/",
        "[::2]:7860",
        "0.0.0.0:7860",
    ],
)
def test_any_other_name_is_refused_so_that_no_site_can_rebind_its_own_to_this_machine(host):
    assert status(host=host) == 421


def test_a_page_for_others_goes_by_its_addresses_and_the_names_it_was_given():
    rules = Rules(frozenset({"box.lan"}), any_address=True)
    assert [
        status(host=host, rules=rules) for host in ("192.168.1.2:7860", "[fe80::1]:7860", "box.lan", "BOX.LAN:1")
    ] == [200] * 4
    assert status(host="evil.example", rules=rules) == 421


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=http://169.254.169.254/",
        "/file=/etc/passwd",
        "/gradio_api/file/x",
        "/gradio_api/proxy=https://evil.example",
        "/gradio_api/run/predict",
        "/gradio_api/api/predict",
        "/gradio_api/call/ask",
        "/gradio_api/component_server",
        "/gradio_api/openapi.json",
        "/gradio_api/mcp/sse",
        "/monitoring",
        "/monitoring/summary",
        "/gradio_api/runs",
        "/gradio_api/run-history/records",
        "/gradio_api/vibe-edit",
        "/gradio_api/deep_link",
        "/login",
        "/logout",
        "/login_check",
        "/gradio_api/token",
        "/gradio_api/app_id",
        "/gradio_api/dev/reload",
        "/svelte/x.js",
        "/static/../../etc/passwd",
        "/static/js/iframeResizer.contentWindow.min.js",
        "/assets/../index.html",
        "/assets/%2e%2e/index.html",
        "/assets/x/y.js",
        "/gradio_api/custom_component/1/client/component/index.js",
        "/docs",
        "/gradio_api/process_recording",
        "/gradio_api/stream/x",
        "/manifest.json",
        "/robots.txt",
        "/pwa_icon",
        "//evil.example",
        "////evil.example",
        "/gradio_api/heartbeat/../x",
        "/chat/../page.py",
        "/chat/page.js/x",
        "/gradio_api/queue/status",
        "/config/",
        "/%2f%2fevil.example",
        "/gradio_api/profiling/traces",
        "/gradio_api/startup-events/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_is_served_but_what_the_page_needs(method, path):
    assert status(method, path, origin=ORIGIN) == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/"),
        ("POST", "/"),
        ("OPTIONS", "/gradio_api/queue/join"),
        ("GET", "/gradio_api/upload"),
        ("PUT", UPLOAD),
    ],
)
def test_what_is_served_is_served_in_one_way(method, path):
    assert status(method, path, origin=ORIGIN) == 405


@pytest.mark.parametrize("path", ["/gradio_api/queue/join", UPLOAD, "/gradio_api/cancel"])
@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "", "http://127.0.0.1:8080", "http://localhost:7860", "file://", f"ftp://{HOST}"],
)
def test_another_site_can_change_nothing(path, origin):
    assert status("POST", path, origin=origin) == 403


def test_what_changes_something_says_where_it_comes_from():
    assert status("POST", UPLOAD) == 403
    assert status("POST", UPLOAD, origin=ORIGIN) == 200
    assert status("POST", UPLOAD, origin=f"https://{HOST}") == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_can_read_nothing_but_may_link_to_the_page(site):
    assert status(path="/config", sec_fetch_site=site) == 403
    assert status(path="/gradio_api/queue/data", sec_fetch_site=site, sec_fetch_mode="navigate") == 403
    assert status(path="/", sec_fetch_site=site, sec_fetch_mode="navigate", sec_fetch_dest="iframe") == 403
    assert status(path="/", sec_fetch_site=site, sec_fetch_mode="navigate", sec_fetch_dest="document") == 200


def test_what_is_too_long_is_refused_before_it_is_read():
    assert status("POST", "/gradio_api/queue/join", origin=ORIGIN, content_length=str(MOST_BYTES)) == 200
    assert status("POST", "/gradio_api/queue/join", origin=ORIGIN, content_length=str(MOST_BYTES + 1)) == 413
    assert status("POST", UPLOAD, origin=ORIGIN, content_length=str(MOST_BYTES + 1)) == 200
    assert status("POST", UPLOAD, origin=ORIGIN, content_length=str(MOST_UPLOADED_BYTES + 1)) == 413


@pytest.mark.parametrize("length", ["-1", "1e3", "", "10, 10", "٣", "9" * 5000])
def test_a_length_that_is_none_is_refused(length):
    assert status("POST", UPLOAD, origin=ORIGIN, content_length=length) == 400


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Basic",
        "Basic !!!",
        basic(""),
        basic("correct hors"),
        basic("correct horse "),
        "Bearer correct horse",
        SECRET,
        "Basic " + base64.b64encode(SECRET.encode()).decode(),
    ],
)
def test_without_the_password_nothing_is_there(given):
    rules = Rules(password=SECRET)
    assert status(path="/", rules=rules, authorization=given) == 401
    assert status(path="/nothing", rules=rules, authorization=given) == 401


def test_the_password_lets_in_whatever_the_user_name():
    rules = Rules(password=SECRET)
    assert status(rules=rules, authorization=basic(SECRET)) == 200
    assert status(rules=rules, authorization=basic(SECRET, "")) == 200


def test_the_policy_allows_no_other_address_no_inline_style_and_only_the_named_inline_scripts():
    said = dict(part.split(" ", 1) for part in policy(scripts=["let a;"]).split("; "))
    assert said.pop("default-src") == "'none'"
    assert said["script-src"] == f"'self' '{digest('let a;')}'"
    assert not [
        text
        for text in said.values()
        if "unsafe-inline" in text or "unsafe-eval" in text or "http" in text or "*" in text
    ]
    assert said["frame-ancestors"] == said["base-uri"] == said["form-action"] == "'none'"


# --- as an application ------------------------------------------------------------------------------------------


async def answer(scope, receive, send):
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    headers = [
        (b"Access-Control-Allow-Origin", b"*"),
        (b"server", b"x"),
        (b"X-Frame-Options", b"ALLOWALL"),
        (b"etag", b"1"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": str(size).encode()})


def call(guard, *chunks, method="GET", path="/", client="192.168.1.7", **headers):
    said = {"host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in said.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": raw, "client": (client, 50000)}
    coming = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    coming.append({"type": "http.request", "body": b"", "more_body": False})
    sent = []

    async def receive():
        return coming.pop(0)

    async def send(message):
        sent.append(message)

    asyncio.run(guard(scope, receive, send))
    heads = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], heads, b"".join(message.get("body", b"") for message in sent)


def test_every_answer_says_what_a_browser_may_do_with_it():
    for path in ("/", "/nothing"):
        _, heads, _ = call(Guard(answer, LOCAL), path=path)
        assert HEADERS.items() <= heads.items()
        assert heads["content-security-policy"] == policy()
        assert not [name for name in heads if name.startswith("access-control") or name == "server"]


def test_what_a_header_says_of_another_address_is_not_passed_on():
    said = []

    async def inner(scope, _receive, _send):
        said.extend(name for name, _ in scope["headers"])

    raw = [
        (b"host", HOST.encode()),
        (b"X-Forwarded-Host", b"evil.example"),
        (b"x-gradio-server", b"http://evil.example"),
    ]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": raw}
    asyncio.run(Guard(inner, LOCAL)(scope, None, None))
    assert said == [b"host"]


def test_the_type_of_a_body_is_a_short_text():
    form = "multipart/form-data; boundary="
    assert status("POST", UPLOAD, origin=ORIGIN, content_type=form + "-" * 70) == 200
    assert status("POST", UPLOAD, origin=ORIGIN, content_type=form + "-" * 20_000) == 400


def test_a_body_longer_than_announced_is_cut_off():
    guard = Guard(answer, LOCAL)
    chunk = bytes(MOST_BYTES // 2)
    post = {"method": "POST", "path": "/gradio_api/queue/join", "origin": ORIGIN}
    assert call(guard, chunk, chunk, **post)[::2] == (200, str(MOST_BYTES).encode())
    assert call(guard, chunk, chunk, b"x", **post, content_length="10")[0] == 413


def test_a_header_sent_twice_counts_for_what_both_say():
    raw = [(b"host", HOST.encode()), (b"Host", b"evil.example")]
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": raw}
    asyncio.run(Guard(answer, LOCAL)(scope, None, send))
    assert sent[0]["status"] == 421


def test_guessing_passwords_is_slowed_down_and_then_forgiven():
    now = [0.0]
    guard = Guard(answer, Rules(password=SECRET), clock=lambda: now[0])
    for _ in range(MOST_FAILURES):
        assert call(guard, authorization=basic("wrong"))[0] == 401
    code, heads, _ = call(guard, authorization=basic(SECRET))
    assert (code, heads["retry-after"]) == (429, "60")
    now[0] = FAILURES_S + 1
    assert call(guard, authorization=basic(SECRET))[0] == 200


@pytest.mark.parametrize(
    ("guessing", "same", "other"),
    [
        ("192.168.1.7", "192.168.1.7", "192.168.1.8"),
        ("2001:db8:1:2::7", "2001:db8:1:2:ffff::1", "2001:db8:1:3::7"),
        ("::ffff:192.168.1.7", "::ffff:192.168.1.7", "::ffff:192.168.1.8"),
        ("fe80::1%eth0", "fe80::2%eth0", "127.0.0.1"),
    ],
)
def test_whoever_guesses_passwords_does_not_lock_out_anybody_else(guessing, same, other):
    guard = Guard(answer, Rules(password=SECRET))
    for _ in range(MOST_FAILURES):
        call(guard, client=guessing, authorization=basic("wrong"))
    assert call(guard, client=same, authorization=basic(SECRET))[0] == 429
    assert call(guard, client=other, authorization=basic(SECRET))[0] == 200


def test_however_many_guess_only_so_many_addresses_are_kept_in_mind():
    failures = Failures(lambda: 0.0)
    for number in range(2 * MOST_ADDRESSES):
        failures.note(f"10.0.{number // 256}.{number % 256}")
    assert len(failures._of) == MOST_ADDRESSES


def test_opening_the_page_without_a_password_is_no_guess():
    guard = Guard(answer, Rules(password=SECRET))
    codes = {call(guard)[0] for _ in range(MOST_FAILURES + 1)}
    assert codes == {401}
    assert "basic" in call(guard)[1]["www-authenticate"].lower()


def test_there_are_no_web_sockets():
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(Guard(answer, LOCAL)({"type": "websocket", "path": "/", "headers": []}, None, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]

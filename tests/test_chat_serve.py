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

import pytest

from rag_geo.chat import serve
from rag_geo.chat.serve import Address, gradio_environment, listen, read_password, rules, url_of
from rag_geo.errors import ResourceError, UsageError

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
    environment = os.environ  # noqa: TID251
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    with gradio_environment() as folder:
        left = {name for name in environment if name.startswith(serve._CLEARED)}
        ours = ("ANALYTICS_ENABLED", "ANALYTICS_MAX_EVENTS", "ANALYTICS_CACHE_FREQUENCY")
        assert left == {f"GRADIO_{name}" for name in (*ours, "TEMP_DIR", "HEARTBEAT_INTERVAL")}
        assert environment["GRADIO_ANALYTICS_ENABLED"] == "False"
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "upload").write_text("x")
    assert not folder.exists()
    assert said.items() <= environment.items()
    assert "GRADIO_TEMP_DIR" not in environment


# --- the running page -------------------------------------------------------------------------------------------


def start(folder: Path, load_s: float = 0.0) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        ["env", "GRADIO_SHARE=True", "GRADIO_ALLOWED_PATHS=/", sys.executable, str(SERVER), str(folder), str(load_s)],
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
def page(tmp_path_factory):
    """A page that is ready: its URL."""
    process, url = start(tmp_path_factory.mktemp("page"))
    with process:
        try:
            for line in process.stderr:
                if line.startswith("ready"):
                    break
            yield url
            process.terminate()
            assert process.wait(60) == 143
        finally:
            process.kill()


def test_the_settings_of_the_running_page_are_the_closed_ones(page):
    status, _, text = fetch(f"{page}config")
    config = json.loads(text)
    assert status == 200
    closed = {
        "dev_mode": False,
        "analytics_enabled": False,
        "show_api": False,
        "api_prefix": "/gradio_api",
        "is_space": False,
        "footer_links": [],
        "fill_width": True,
        "max_file_size": 50 * 1024**2,
        "pwa": False,
        "mcp_server": False,
        "vibe_mode": False,
        "run_history": False,
        "auth_required": None,
        "space_id": None,
        "css": "",
        "js": "",
        "head": "",
    }
    assert {name: config[name] for name in closed if name in config} == {
        name: value for name, value in closed.items() if name in config
    }
    assert {"analytics_enabled", "dev_mode", "footer_links", "max_file_size"} <= config.keys()
    for each in config["dependencies"]:
        assert each["api_visibility"] == "private" or "unload" in str(each["targets"])
        assert not each["js"]


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

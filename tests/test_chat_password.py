"""The password of the page, in a real browser and on the wire."""

import base64
import sys
import time
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from browsing import IN_BROWSER, OPENED, WAIT_MS, Tab
from caller import Caller
from chat_process import chat, until_ready
from collection import make_index
from rag_geo.chat.guard import MOST_FAILURES

pytestmark = IN_BROWSER

PASSWORD = "correct horse, and a grüner Stapler"
RIGHT = {"username": "", "password": PASSWORD}
WRONG = {"username": "me", "password": "correct horse"}


@pytest.fixture(scope="module")
def locked(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("locked")
    make_index(made)
    (made / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    return made


@pytest.fixture
def address(locked):
    """A page with a password that all addresses of this machine serve, fresh for each test: failures are counted."""
    with chat(locked, "--host", "0.0.0.0", "--password-file", str(locked / "password")) as (process, url):
        assert "HTTP is not encrypted" in until_ready(process)
        yield url


def shown(browser, url: str, **options) -> tuple[int, str]:
    """What a browser gets that has no password, or this one: the code, and the text of the page."""
    from playwright.sync_api import Error

    page = browser.new_context(**options).new_page()
    page.set_default_timeout(WAIT_MS)
    try:
        answer = page.goto(url)
        return answer.status, page.locator("body").inner_text()
    except Error as error:
        if "ERR_INVALID_AUTH_CREDENTIALS" not in error.message:
            raise
        return 401, ""  # without a window there is nobody to be asked
    finally:
        page.context.close()


def code_of(url: str, path: str = "", password: str = "", source: str = "127.0.0.1") -> tuple[int, HTTPMessage]:
    """The code and the headers that an answer has."""
    at = urlsplit(url)
    connection = HTTPConnection(at.hostname, at.port, timeout=60, source_address=(source, 0))
    coded = base64.b64encode(f":{password}".encode()).decode()
    connection.request("GET", f"/{path}", headers={"Authorization": f"Basic {coded}"} if password else {})
    answer = connection.getresponse()
    connection.close()
    return answer.status, answer.headers


def test_the_page_asks_for_the_password_and_shows_nothing_without_it(address, browser):
    for options in ({}, {"http_credentials": WRONG}, {"http_credentials": RIGHT | {"password": ""}}):
        code, text = shown(browser, address, **options)
        assert code == 401
        assert text.strip() in ("", "The password, please; any user name will do.")
    for path in ("config", "gradio_api/info", "assets/x.js", "chat/page.js", "theme.css"):
        code, heads = code_of(address, path)
        assert code == 401
        assert "basic" in heads["www-authenticate"].lower()


def test_with_the_password_a_question_is_answered_and_the_browser_keeps_nothing_of_it(address, browser):
    tab = Tab(browser, address, http_credentials=RIGHT)
    cookies: list[str] = []
    tab.page.on("response", lambda answer: cookies.extend(filter(None, [answer.headers.get("set-cookie")])))
    tab.ask(OPENED)
    tab.state("verified")
    assert "1932" in tab.text("#now")
    kept = tab.page.evaluate("() => JSON.stringify({...localStorage, ...sessionStorage}) + document.cookie")
    assert PASSWORD not in kept
    assert PASSWORD not in tab.page.content()
    assert tab.context.cookies() == []
    assert cookies == []
    tab.close()
    # Whoever comes after it was closed is asked again.
    assert shown(browser, address)[0] == 401


def test_whoever_tries_passwords_is_not_listened_to_for_a_while(address, browser):
    codes = [shown(browser, address, http_credentials=WRONG)[0] for _ in range(3)]
    assert codes == [401] * 3
    guesses = [code_of(address, password="wrong password")[0] for _ in range(MOST_FAILURES)]
    assert guesses[0] == 401
    assert guesses[-1] == 429
    code, text = shown(browser, address, http_credentials=RIGHT)
    assert (code, text.strip()) == (429, "Too many wrong passwords.")


@pytest.mark.skipif(sys.platform != "linux", reason="this machine has one loopback address")
def test_guessing_does_not_disturb_who_is_in(address, browser):
    """From another address of this machine: the whole of 127.0.0.0/8 is it."""
    tab = Tab(browser, address, http_credentials=RIGHT)
    guesses = [code_of(address, "", "wrong password", "127.0.0.9")[0] for _ in range(MOST_FAILURES + 1)]
    assert guesses == [401] * MOST_FAILURES + [429]
    tab.ask(OPENED)
    tab.state("verified")
    tab.close()


def test_the_password_is_not_said_anywhere(locked):
    with chat(locked, "--password-file", str(locked / "password")) as (process, url):
        until_ready(process)
        caller = Caller(url, PASSWORD)
        assert "1932" in caller.answer(OPENED)
        command = Path(f"/proc/{process.pid}/cmdline")
        if command.exists():
            assert PASSWORD.encode() not in command.read_bytes()
        time.sleep(0.2)
        process.terminate()
        assert process.wait(60) == 143
        assert PASSWORD not in url + process.stderr.read() + process.stdout.read()

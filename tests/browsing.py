"""What the tests in a browser share: the chat as a process of its own, Chromium, and a tab that is watched."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from benchmarks.browser import CHROMIUM, MISSING

SERVER = Path(__file__).parent / "chat_server.py"
WAIT_MS = 60_000
OPENED = "When did the Calder Bridge open?"

#: Of every module of tests in a browser: `pytestmark = IN_BROWSER`.
IN_BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING),
]

#: What Gradio's own upload says of itself, and what its client says when a page is left while it is being read.
QUIRKS = ("warning: Method not implemented.", "error: signal is aborted", "error: AbortError")
#: Says what the browser refuses the page, and where in the page's own scripts that was.
REPORT = """document.addEventListener("securitypolicyviolation", (event) => console.warn(
    "refused", event.effectiveDirective, event.sourceFile, event.lineNumber, event.columnNumber, event.sample))"""


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[str]:
    """Run the scripted chat over a folder; gives the URL once it can be asked. It must end as it was told to."""
    process = subprocess.Popen(
        [sys.executable, str(SERVER), str(folder), *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            address = process.stdout.readline().strip()
            for line in process.stderr:
                if line.startswith("ready"):
                    break
            assert process.poll() is None
            yield address
            process.terminate()
            assert process.wait(60) == 143
        finally:
            process.kill()


class Tab:
    """A page that can be asked, with all that it requested and complained about."""

    def __init__(self, browser, url: str, **options: object) -> None:
        self.url = url
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.requested: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.answered: list[str] = []
        self.page.on("response", lambda response: self.answered.append(response.url))
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.add_init_script(REPORT)
        self.answer = self.page.goto(url)
        self.box = self.page.locator("#question textarea, #question input").first
        ready(self.page)

    def ask(self, question: str) -> None:
        self.box.fill(question)
        self.box.press("Enter")

    def state(self, name: str):
        """Wait for the state of the latest answer."""
        found = self.page.locator(f"#now [data-state='{name}']").first
        found.wait_for()
        return found

    def done(self) -> None:
        """Wait for the end of the latest answer."""
        self.page.locator("#now .rg-actions button:enabled").first.wait_for()

    def text(self, selector: str) -> str:
        return re.sub(r"\s+", " ", self.page.locator(selector).first.inner_text()).strip()

    def close(self) -> None:
        """Close it. It asked nobody but its server for anything, and complained about nothing."""
        self.context.close()
        assert [each for each in self.requested if not each.startswith((self.url, "data:", "blob:"))] == []
        said = (each for each in self.said if not each.startswith(QUIRKS))
        complaints = [each for each in said if each.startswith(("error", "warning"))]
        assert not complaints, "\n".join(complaints)


def ready(page) -> None:
    """Wait until the page can be asked."""
    page.wait_for_function("() => document.querySelector('#question textarea, #question input')?.disabled === false")

"""Pictures of the chat in every state, from the real page: ``python docs/screenshots.py [FOLDER]``.

Takes a copy of ``corpus/``, the default model and Chromium, and writes one picture a state into FOLDER
(``build/screenshots`` by default). The README shows three of them, kept in ``docs``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.browser import CHROMIUM, MISSING, browser  # noqa: E402 - it is run as a script

TWO_PARTS = "How many people live in Bishkek, and who is the president of Uzbekistan?"
PARTLY = "What does Ruehl call the port of Vladivostok, and how many people live in that city?"
UNKNOWN = "How many nuclear warheads does Russia have?"
ONE = "How many people live in Bishkek?"
NEW = """# Notes on the ferry of Lake Khanka

The ferry across Lake Khanka ran from 1931 until 1958 and carried 40 people.
"""
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 780}
WAIT_MS = 180_000


@contextmanager
def chat(folder: Path) -> Iterator[str]:
    """Run the chat over a copy of the corpus, with its example questions; gives the URL once it can be asked."""
    shutil.copytree(ROOT / "corpus", folder / "corpus")
    program = [sys.executable, "-m", "rag_geo"]
    index = str(folder / "index")
    subprocess.run([*program, "index", str(folder / "corpus"), "--index", index, "--examples"], check=True, cwd=folder)
    command = [*program, "chat", "--port", "0", "--index", index]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


class Album:
    """A folder of pictures of pages."""

    def __init__(self, browser: Browser, url: str, folder: Path) -> None:
        self._browser = browser
        self._url = url
        self._folder = folder

    def page(self, **options: Any) -> Page:  # noqa: ANN401 - of the browser
        """Open a page that can be asked."""
        page = self._browser.new_context(**{"viewport": WIDE, **options}).new_page()
        page.set_default_timeout(WAIT_MS)
        page.goto(self._url)
        page.wait_for_function(
            "() => document.querySelector('#question textarea, #question input')?.disabled === false"
        )
        return page

    def take(self, page: Page, name: str) -> None:
        """Take a picture of what is in the window once it has come to rest."""
        page.wait_for_timeout(400)
        page.screenshot(path=self._folder / f"{name}.png")
        click.echo(name, err=True)


def ask(page: Page, question: str, until: str = "#now .rg-actions button:enabled") -> None:
    """Ask, and wait until there is what is looked for: the end of the answer, if nothing else."""
    box = page.locator("#question textarea, #question input").first
    box.fill(question)
    box.press("Enter")
    page.locator("#now h2", has_text=question).wait_for()
    page.locator(until).first.wait_for()


def reading(album: Album) -> None:
    """One question on its way: nothing, evidence, the first sentence, all of it, its source."""
    page = album.page()
    album.take(page, "empty")
    ask(page, TWO_PARTS, "#now .rg-evidence")
    album.take(page, "evidence")
    page.locator("#now [data-state='working'] .rg-sentence").first.wait_for()
    album.take(page, "streaming")
    page.locator("#now .rg-actions button:enabled").first.wait_for()
    album.take(page, "verified")
    page.locator("#now .rg-mark").first.click()
    page.locator("#source #quote").wait_for()
    album.take(page, "source")
    page.keyboard.press("Escape")
    ask(page, PARTLY)
    if page.locator("#now .rg-withheld summary").count():
        page.locator("#now .rg-withheld summary").click()
    album.take(page, "partly")
    ask(page, UNKNOWN)
    album.take(page, "not-found")


def waiting(album: Album) -> None:
    """Two people at once, and a file that is added."""
    first, second = album.page(), album.page()
    ask(first, TWO_PARTS, "#now [data-state='working']")
    ask(second, ONE, "#now .rg-status:has-text('next question')")
    album.take(second, "queue")
    second.locator("#now .rg-actions button:enabled").first.wait_for()
    page = album.page()
    page.get_by_role("tab", name="Documents").click()
    with tempfile.TemporaryDirectory() as name:
        new = Path(name) / "khanka.md"
        new.write_text(NEW, encoding="utf-8")
        page.locator("#upload input[type=file]").set_input_files(new)
        page.locator("#indexing .rg-indexed").wait_for()
    album.take(page, "upload")


def screens(album: Album) -> None:
    """A dark room and a phone."""
    for name, options in (("dark", {}), ("phone", {"viewport": PHONE, "device_scale_factor": 2})):
        page = album.page(color_scheme="dark" if name == "dark" else "light", **options)
        ask(page, ONE)
        if name == "dark":
            page.locator("#now .rg-mark").first.click()
            page.locator("#source #quote").wait_for()
        album.take(page, name)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(path_type=Path), default=ROOT / "build" / "screenshots")
def main(folder: Path) -> None:
    """Take the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    if CHROMIUM is None:
        raise click.ClickException(MISSING)
    with (
        tempfile.TemporaryDirectory(prefix="rag-geo-pictures-") as name,
        chat(Path(name)) as url,
        browser() as started,
    ):
        album = Album(started, url, folder)
        reading(album)
        waiting(album)
        screens(album)


if __name__ == "__main__":
    main()

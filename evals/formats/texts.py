"""Plain text in several encodings, Markdown, saved pages, notebooks, JSON, and archives of them."""

from __future__ import annotations

import gzip
import json
import textwrap
import zipfile
from collections.abc import Sequence
from html import escape
from typing import Any

from opendocument import Page, convert, flat_text
from pdfs import as_html, block_html
from sources import FILES, Block, Source, Truth, about, load, paragraphs


def make() -> None:
    """Make every file that is text inside."""
    for each in (plain, markdown, pages, notebook, objects, archives):
        each()


def as_text(source: Source, width: int = 0) -> str:
    """Paragraphs between blank lines, wrapped at `width` (0: a paragraph on one line)."""
    return "\n\n".join(_lines(block, width) for block in source.blocks) + "\n"


def _lines(block: Block, width: int) -> str:
    if block.kind == "list":
        return "\n".join(f"{'  ' * (i.depth - 1)}{f'{i.number}.' if i.number else '-'} {i.text}" for i in block.items)
    if block.kind == "table":
        return "\n".join("\t".join(row) for row in block.rows)
    text = block.words
    return textwrap.fill(text, width, break_on_hyphens=True) if width else text


def plain() -> None:
    """Encodings and ways to break lines."""
    jobs = (
        ("faehre.txt", "faehre", "cp1252", 72, "\r\n", ("code page 1252", "wrapped lines", "CR LF")),
        ("orchard.txt", "orchard", "utf-8", 0, "\n", ("a paragraph on one line",)),
        ("shuyuan.txt", "shuyuan", "utf-16", 0, "\n", ("UTF-16", "Chinese")),
        ("vokzal.txt", "vokzal", "cp1251", 66, "\r\n", ("code page 1251", "wrapped lines")),
        ("biir.txt", "biir", "utf-8-sig", 0, "\n", ("byte order mark", "Arabic")),
    )
    for file, name, encoding, width, end, traps in jobs:
        source = load(name).without_notes()
        (FILES / file).write_bytes(as_text(source, width).replace("\n", end).encode(encoding))
        # A first line is known to be a heading by its capitals, which Chinese and Arabic do not have.
        title = "?" if source.language in ("zh", "ar") else source.title
        Truth("by hand", traps).add(paragraphs(source.blocks), title=title, author="?", date="?").save(file)


def as_markdown(source: Source) -> str:
    """Markdown with emphasis, a rule, a link and a comment."""
    return "\n\n".join(_marked(block) for block in source.blocks) + "\n"


def _marked(block: Block) -> str:
    if block.kind == "heading":
        return f"{'#' * block.level} {block.text}"
    if block.kind == "list":
        return "\n".join(f"{'    ' * (i.depth - 1)}{f'{i.number}.' if i.number else '*'} {i.text}" for i in block.items)
    if block.kind == "table":
        head, *rows = ("| " + " | ".join(row) + " |" for row in block.rows)
        return "\n".join([head, "|" + "---|" * len(block.rows[0]), *rows])
    first, second, *rest = block.words.split(" ")
    return textwrap.fill(" ".join([first, f"**{second}**", *rest]), 88, break_on_hyphens=False)


def markdown() -> None:
    """With front matter, and with a title that is underlined."""
    source = load("harbour").without_notes()
    front = f"---\ntitle: {source.title}\nauthor: {source.author}\ndate: {source.date}\n---\n\n"
    hidden = "<!-- The figures of 1915 are still missing. -->\n\n"
    text = as_markdown(source).replace("## Trade", hidden + "## Trade")
    (FILES / "harbour.md").write_text(front + text, encoding="utf-8")
    found = [
        *paragraphs(source.blocks),
        {"text": "The figures of 1915 are still missing.", "kind": "text", "debris": True},
    ]
    Truth("by hand", ("front matter", "comment", "wrapped lines", "nested list")).add(found, **about(source)).save(
        "harbour.md"
    )
    source = load("mill")
    text = as_markdown(source).replace("# Visiting Corran Mill\n", "Visiting Corran Mill\n====================\n", 1)
    code = "open 10:00 wednesday\nclose 16:00 wednesday"
    (FILES / "mill.md").write_text(f"{text}\n```\n{code}\n```\n", encoding="utf-8")
    found = [*paragraphs(source.blocks), {"text": code, "kind": "code"}]
    Truth("by hand", ("underlined title", "code", "numbered list")).add(
        found, title=source.title, author="?", date="?"
    ).save("mill.md")


_MENU = ("Home", "News", "Harbour", "Sport", "Weather")


def _saved_page(source: Source) -> tuple[str, list[str]]:
    """A page as a browser saves it: the text among navigation, an advertisement, a notice and a foot."""
    debris = ["Skip to content", *_MENU, "We use cookies to make this site better for you. Accept all",
              "Read also: Ten cafés with a view of the sea", "Share this article",
              "Advertisement: Boots for every puddle",
              "Copyright 2019 Tarnbeck Observer. All rights reserved."]  # fmt: skip
    menu = "".join(f'<li><a href="/{name.lower()}">{name}</a></li>' for name in _MENU)
    middle = len(source.blocks) // 2
    first, second = ("\n".join(map(block_html, part)) for part in (source.blocks[:middle], source.blocks[middle:]))
    page = f"""<!DOCTYPE html>
<!-- saved from url=(0042)https://observer.example/harbour/wall.html -->
<html lang="en"><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">
<title>{escape(source.title)} | Tarnbeck Observer</title>
<meta property="og:title" content="{escape(source.title)}"><meta name="author" content="{escape(source.author)}">
<meta property="article:published_time" content="{source.date}T08:00:00Z">
<style>.ad {{ float: right }}</style><script>window.track = "nothing to read here";</script></head>
<body><a class="skip" href="#main">Skip to content</a>
<header><nav><ul>{menu}</ul></nav></header>
<div class="cookie-banner" role="dialog"><p>We use cookies to make this site better for you.
<button>Accept all</button></p></div>
<main id="main"><article>{first}
<aside><p>Read also: <a href="/cafes">Ten cafés with a view of the sea</a></p></aside>
<div class="share"><span>Share this article</span></div>
{second}</article></main>
<div class="ad"><p>Advertisement: Boots for every puddle</p></div>
<footer><p>Copyright 2019 Tarnbeck Observer. All rights reserved.</p></footer></body></html>
"""
    return page, debris


def pages() -> None:
    """Plain pages, a saved page, a page in an old code page, and what LibreOffice writes as HTML."""
    for file, name, encoding, traps in (
        ("mill.html", "mill", "utf-8", ("nested list", "table")),
        ("biir.html", "biir", "utf-8", ("Arabic",)),
        ("vokzal.html", "vokzal", "windows-1251", ("code page named in the page", "Cyrillic")),
    ):
        source = load(name)
        page = as_html(source).replace('charset="utf-8"', f'charset="{encoding}"')
        (FILES / file).write_bytes(page.encode(encoding))
        Truth("by hand", traps).add(paragraphs(source.blocks), **about(source)).save(file)
    source = load("harbour").without_notes()
    page, debris = _saved_page(source)
    (FILES / "observer.html").write_text(page, encoding="utf-8")
    found = [*paragraphs(source.blocks), *({"text": line, "kind": "text", "debris": True} for line in debris)]
    Truth("by hand", ("navigation, advertisement, cookies", "script and style", "comment")).add(
        found, **about(source)
    ).save("observer.html")
    source = load("bylaws").without_notes()
    convert(flat_text(source, Page()), "fodt", "html", FILES / "bylaws.html")
    Truth("LibreOffice Writer", ("markup of an office",)).add(paragraphs(source.blocks), **about(source)).save(
        "bylaws.html"
    )


def notebook() -> None:
    """Cells of text and code, with an output."""
    code = 'import numpy as np\n\nlevels = np.array([3.1, 3.4, 2.9])\nprint("mean level", levels.mean())'
    cells: list[tuple[str, str]] = [
        ("markdown", "# Tides at the outer wall\n\nThe gauge at the outer wall was read three times a day in the "
         "spring of 2018. This notebook looks for the days on which the water stood above the parapet."),
        ("code", code),
        ("markdown", "The mean level was 3.13 metres.\n\n* highest: 3.4 metres on 2 March\n"
         "* lowest: 2.9 metres on 9 April"),
        ("markdown", "## What follows from it\n\nA parapet of 1.3 metres would have kept the water out on every day "
         "but one."),
    ]  # fmt: skip
    made: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for number, (kind, text) in enumerate(cells, start=1):
        cell: dict[str, Any] = {"cell_type": kind, "id": f"c{number}", "metadata": {},
                                "source": text.splitlines(keepends=True)}  # fmt: skip
        if kind == "code":
            output = {"output_type": "stream", "name": "stdout", "text": ["mean level 3.1333333333333333\n"]}
            cell.update(execution_count=1, outputs=[output])
            found.append({"text": text, "kind": "code", "place": f"cell {number}"})
            found.append({"text": "mean level 3.1333333333333333", "kind": "code", "optional": True})
        else:
            for part in text.split("\n\n"):
                level = len(part) - len(part.lstrip("#"))
                shape = "heading" if level else "list" if part.startswith("*") else "text"
                line = part.lstrip("# ") if level else part.replace("* ", "")
                found.append({"text": line, "kind": shape, "place": f"cell {number}"})
        made.append(cell)
    content = {"cells": made, "metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5}
    (FILES / "tides.ipynb").write_text(json.dumps(content, indent=1), encoding="utf-8")
    Truth("by hand", ("text and code", "output")).add(found, title="Tides at the outer wall", author="", date="").save(
        "tides.ipynb"
    )


_ENTRIES: Sequence[dict[str, Any]] = (
    {"id": 101, "title": "The clock on the north tower", "year": 1981, "open": True,
     "body": "The clock has been four minutes slow since it was mended by Egor Lunin, and the town has never asked him "
             "to put it right."},
    {"id": 102, "title": "The stove in the pilots' office", "year": 1903, "open": False,
     "body": "The stove was taken from the wreck of a steamer. It burns driftwood, coal and, on cold Sundays, the "
             "minutes of old meetings.", "tags": ["pilots", "harbour"]},
    {"id": 103, "title": "A pear without a name", "year": 1889, "open": True,
     "body": "One tree at Cold Ash bears a pear that no book describes. Cuttings were sent to three gardens in 2014, "
             "where they are known by a number."},
)  # fmt: skip


def objects() -> None:
    """A list of objects, and lines of them: long texts are paragraphs, the rest may stand by them."""
    found: list[dict[str, Any]] = []
    for entry in _ENTRIES:
        rest = " ".join(f"{name} {value}" for name, value in entry.items() if name != "body").replace("'", " ")
        found.append({"text": f"{rest} body", "kind": "text", "optional": True})
        found.append({"text": entry["body"], "kind": "text"})
    wrapped = {"collection": "Things of Tarnbeck", "entries": list(_ENTRIES)}
    (FILES / "things.json").write_text(json.dumps(wrapped, ensure_ascii=False, indent=2), encoding="utf-8")
    lines = "".join(json.dumps(entry, ensure_ascii=True) + "\n" for entry in _ENTRIES)
    (FILES / "things.jsonl").write_text(lines, encoding="utf-8")
    more = {"text": "collection Things of Tarnbeck entries", "kind": "text", "optional": True}
    Truth("Python's json", ("nested objects",)).add([more, *found], title="?", author="", date="").save("things.json")
    Truth("Python's json", ("an object a line",)).add(found, title="?", author="", date="").save("things.jsonl")


def archives() -> None:
    """A compressed text, and folders in an archive with a name in a code page and a file that is no document."""
    source = load("mill")
    (FILES / "mill.txt.gz").write_bytes(gzip.compress(as_text(source, 70).encode(), mtime=0))
    Truth("Python's gzip", ("compressed text",)).add(
        paragraphs(source.blocks), title=source.title, author="?", date="?"
    ).save("mill.txt.gz")
    truth = Truth("Python's zipfile", ("folders", "several formats", "a picture"))
    with zipfile.ZipFile(FILES / "papers.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for inner, name in (
            ("ferry/faehre.html", "faehre"),
            ("garden/le jardin.txt", "jardin"),
            ("orchard.md", "orchard"),
        ):
            source = load(name)
            made = {"html": as_html, "txt": as_text, "md": as_markdown}[inner.rpartition(".")[2]](source)
            archive.writestr(zipfile.ZipInfo(inner, (2022, 1, 1, 0, 0, 0)), made)
            truth.add(paragraphs(source.blocks), file=inner, title=source.title, author="?", date="?")
        picture = b"\x89PNG\r\n\x1a\n" + bytes(range(64))
        archive.writestr(zipfile.ZipInfo("garden/plan.png", (2022, 1, 1, 0, 0, 0)), picture)
    truth.skipped.append({"file": "garden/plan.png", "reason": ""})
    truth.save("papers.zip")

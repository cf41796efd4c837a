"""The texts of the collection as blocks, and the truth about a file that was made of them.

A source is a text file: fields, and blocks between blank lines. A block begins with `# ` (a heading, as
deep as there are marks), `* ` or `1. ` (a list; `** ` is an item below the one before), `| ` (a row of a table), or it
is a paragraph on one line. `[^…]` is a footnote.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FILES = HERE / "files"
TRUTH = HERE / "truth"

_NOTE = re.compile(r"\[\^([^\]]*)\]")
_HEADING = re.compile(r"(#+) (.*)")
_ITEM = re.compile(r"(\*+|\d+\.) (.*)")


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list: `depth` from 1, `number` 0 where it has a bullet."""

    text: str
    depth: int = 1
    number: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph: `text` has a footnote's mark as U+FFFC; `notes` are their texts in order."""

    kind: str
    text: str = ""
    level: int = 0
    items: tuple[Item, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The text of the truth."""
        if self.kind == "list":
            return "\n".join(item.text for item in self.items)
        if self.kind == "table":
            return "\n".join(" | ".join(row) for row in self.rows)
        return self.text.replace("\ufffc", "")


@dataclass(frozen=True, slots=True)
class Source:
    """A text with what is said about it."""

    title: str
    author: str
    date: str
    language: str
    blocks: tuple[Block, ...]

    def without_notes(self) -> Source:
        """The same without footnotes, for makers that have none."""
        blocks = (Block(b.kind, b.text.replace("\ufffc", ""), b.level, b.items, b.rows) for b in self.blocks)
        return Source(self.title, self.author, self.date, self.language, tuple(blocks))


def load(name: str) -> Source:
    """Read `source/<name>.txt`."""
    head, _, body = (HERE / "source" / f"{name}.txt").read_text(encoding="utf-8").partition("\n\n")
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    blocks = tuple(_block(part) for part in re.split(r"\n\n+", body.strip()))
    return Source(fields["title"], fields["author"], fields["date"], fields["language"], blocks)


def _block(part: str) -> Block:
    if found := _HEADING.fullmatch(part):
        return Block("heading", found[2], level=len(found[1]))
    lines = part.split("\n")
    if part.startswith("| "):
        return Block("table", rows=tuple(tuple(cell.strip() for cell in line.strip("| ").split("|")) for line in lines))
    if _ITEM.match(part):
        return Block("list", items=tuple(_item(line) for line in lines))
    return Block("text", _NOTE.sub("\ufffc", part), notes=tuple(_NOTE.findall(part)))


def _item(line: str) -> Item:
    mark, text = _ITEM.fullmatch(line).groups()  # type: ignore[union-attr]
    return Item(text, 1, int(mark[:-1])) if mark[0].isdigit() else Item(text, len(mark))


@dataclass(slots=True)
class Truth:
    """What is in a file: documents (one, but for archives and mailboxes) and what cannot be read."""

    maker: str
    traps: Sequence[str] = ()
    documents: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[dict[str, str]] = field(default_factory=list)

    def add(self, paragraphs: Sequence[dict[str, Any]], *, file: str = "", **about: str) -> Truth:
        """Add a document; `about` are title, author and date as far as the file states them."""
        self.documents.append({"file": file, **about, "paragraphs": list(paragraphs)})
        return self

    def save(self, name: str) -> None:
        """Write `truth/<name>.json`."""
        TRUTH.mkdir(exist_ok=True)
        content = {
            "maker": self.maker, "traps": list(self.traps), "documents": self.documents, "skipped": self.skipped,
        }  # fmt: skip
        text = json.dumps(content, ensure_ascii=False, indent=1)
        (TRUTH / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def paragraphs(blocks: Sequence[Block], notes: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The truth of `blocks`; a footnote may stand anywhere, the marks of notes and items may be read or not."""
    found: list[dict[str, Any]] = []
    number = 0
    for block in blocks:
        found.append({"text": block.words, "kind": block.kind})
        for note in block.notes:
            number += 1
            found.append({"text": note, "kind": "text", "floating": True})
            found.append({"text": f"{number} {number}", "kind": "text", "optional": True})
        if block.kind == "list" and block.items[0].number:
            marks = " ".join(str(item.number) for item in block.items)
            found.append({"text": marks, "kind": "text", "optional": True})
    found.extend({"text": note, "kind": "text", "floating": True} for note in notes)
    return found


def about(source: Source, *without: str) -> dict[str, str]:
    """Title, author and date of `source`, but for those that the file does not state."""
    return {name: getattr(source, name) for name in ("title", "author", "date") if name not in without}


def squeeze(text: str) -> str:
    """Letters and digits only, for finding a text on a page."""
    return re.sub(r"[\W_]+", "", text.replace("\u00ad", "")).casefold()


Debris = Callable[[int, int, str], Sequence[str]]
"""From page number, number of pages, and the page's text (squeezed) to the lines of debris on it."""


def paged(found: list[dict[str, Any]], pages: Sequence[str], debris: Debris) -> list[dict[str, Any]]:
    """`found` with the page on which each begins, and the debris of each page at its end.

    `pages` are the texts as the maker of the file (or a program that is neither of the readers measured) gives them:
    they serve only to look the known text up.
    """
    squeezed = [squeeze(page) for page in pages]
    at = len(pages) - 1
    for index in range(len(found) - 1, -1, -1):  # from the end: a short heading stands before what follows it
        one = found[index]
        if one.get("optional"):
            continue
        follower = found[index + 1]["text"] if index + 1 < len(found) else ""
        here = _page(one["text"], follower, squeezed, len(pages) - 1 if one.get("floating") else at)
        one["place"] = f"p. {here + 1}"
        if not one.get("floating"):
            at = here
    return [*found, *_debris(squeezed, debris)]


def _page(text: str, follower: str, pages: Sequence[str], last: int) -> int:
    """The last page up to `last` on which `text` begins, with what follows it if it is short."""
    start = squeeze(text)[:24]
    for wanted in (squeeze(text + follower)[:24], start, start[:10]):
        for page in range(last, -1, -1):
            if wanted in pages[page]:
                return page
    if len(pages) == 1:  # letters in another order: Arabic
        return 0
    raise ValueError(text)


def _debris(squeezed: Sequence[str], debris: Debris) -> Iterator[dict[str, Any]]:
    for number, text in enumerate(squeezed, start=1):
        for line in debris(number, len(squeezed), text):
            yield {"text": line, "kind": "text", "debris": True, "place": f"p. {number}"}

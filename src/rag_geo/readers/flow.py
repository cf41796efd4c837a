"""The flow of a word processor's document: its own paragraphs and tables, and how they become blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rag_geo.readers.layout import Draft
from rag_geo.records import BlockKind

LONG_ITEM = 400
"""A list item of more characters is a paragraph of its own: contracts number every one of theirs."""

_MARK = re.compile(r"\(?(?:\d{1,3}|[a-z])[.)]")


@dataclass(slots=True)
class Line:
    """One paragraph of the file; `level` is the depth of a heading (from 1) or of a list item (from 0).

    `label` is what the program writes in front of it by itself ("2.1", "a)"), "" for a bullet or none.
    """

    text: str
    kind: BlockKind = "text"
    level: int = 0
    rule: str | None = None
    place: str = ""
    label: str = ""


@dataclass(slots=True)
class Ready:
    """A block of a part in another format, as its own reader wrote it."""

    text: str
    kind: BlockKind = "text"
    level: int = 0
    place: str = ""


@dataclass(slots=True)
class Grid:
    """A table: rows of cells, each with paragraphs and tables of its own."""

    rows: list[list[list[Line | Ready | Grid]]] = field(default_factory=list)


Story = list[Line | Ready | Grid]
"""Paragraphs and tables in reading order."""


def pour(story: Story, draft: Draft) -> None:
    """Add a story to `draft`.

    Neighbouring list items, and lines of code, are one block; a paragraph without text parts them. A table is a block,
    a row a line; one in the cell of another comes after it. A table that only lays out the page (a single column, or
    headings with their text in its cells) is read as if it were not there.
    """
    waiting: Story = list(reversed(story))
    run: list[Line] = []
    while waiting:
        part = waiting.pop()
        if isinstance(part, Line):
            if not (run and _continues(part, run[-1])):
                _add(run, draft)
                run = []
            run.append(part)
            continue
        _add(run, draft)
        run = []
        if isinstance(part, Ready):
            draft.add(part.text, part.kind, level=part.level, place=part.place)
        elif _lays_out(part):
            waiting.extend(inner for row in reversed(part.rows) for cell in reversed(row) for inner in reversed(cell))
        else:
            waiting.extend(reversed(_add_table(part, draft)))
    _add(run, draft)


def placed(story: Story, place: str) -> Story:
    """`story` with every paragraph, also those in its tables, at `place`."""
    waiting = list(story)
    while waiting:
        part = waiting.pop()
        if isinstance(part, Line | Ready):
            part.place = place
        else:
            waiting.extend(inner for row in part.rows for cell in row for inner in cell)
    return story


def _continues(line: Line, before: Line) -> bool:
    if line.kind not in ("list", "code") or line.kind != before.kind or line.rule != before.rule:
        return False
    return line.kind == "code" or max(len(line.text), len(before.text)) <= LONG_ITEM


def _add(run: list[Line], draft: Draft) -> None:
    if not run:
        return
    first = next((line for line in run if line.text.strip()), run[0])
    if first.kind == "list":
        lines = [_item(line, alone=len(run) == 1) for line in run if line.text.strip()]
    else:
        lines = [f"{line.label} {line.text}" if line.label and line.text.strip() else line.text for line in run]
    long_item = first.kind == "list" and len(run) == 1 and len(first.text) > LONG_ITEM
    kind = "text" if long_item else first.kind
    level = min(max(first.level, 1), 6) if kind == "heading" else 0
    draft.add("\n".join(lines), kind, level=level, rule=first.rule, place=first.place)


def _item(line: Line, *, alone: bool) -> str:
    text = " ".join(line.text.split("\n")).strip()
    if alone and len(text) > LONG_ITEM:
        return f"{line.label} {text}" if line.label else text
    # What is no usual mark of an item gets one, for sentences to be told apart by it.
    mark = line.label if _MARK.fullmatch(line.label) else f"- {line.label}".strip()
    return f"{'  ' * min(line.level, 10)}{mark} {text}"


def _lays_out(grid: Grid) -> bool:
    if all(len(row) <= 1 for row in grid.rows):
        return True
    cells = (cell for row in grid.rows for cell in row)
    return any(
        len(cell) > 1 and any(isinstance(part, Line) and part.kind == "heading" and part.text for part in cell)
        for cell in cells
    )


def _add_table(grid: Grid, draft: Draft) -> Story:
    """Add a table of data; returns the tables in its cells."""
    inner: Story = []
    rows: list[str] = []
    place = ""
    for row in grid.rows:
        cells: list[str] = []
        for cell in row:
            lines = [part for part in cell if isinstance(part, Line)]
            inner.extend(part for part in cell if not isinstance(part, Line))
            place = place or next((line.place for line in lines if line.place), "")
            cells.append(" ".join(" ".join(f"{line.label} {line.text}".split()) for line in lines if line.text).strip())
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            rows.append(" | ".join(cells).strip())
    draft.add("\n".join(rows), "table", place=place)
    return inner

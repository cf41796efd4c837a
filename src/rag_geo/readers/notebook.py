"""Read a Jupyter notebook: its text as Markdown, its code, and the beginning of what the code wrote."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rag_geo.readers.blocks import UnreadableError
from rag_geo.readers.decoding import decode
from rag_geo.readers.layout import Draft, Layout
from rag_geo.readers.lines import markdown_blocks, markdown_comments
from rag_geo.readers.metadata import Metadata, as_text, from_fields, read_front_matter
from rag_geo.readers.objects import parse
from rag_geo.settings import ReadingSettings

LONGEST_OUTPUT = 2_000
"""Characters that are read of one output; a log of thousands of lines says nothing that is asked for."""

_PICTURE = re.compile(r"!\[([^\[\]]{0,1000})\]\(data:[^()]*\)")
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# What stands for a picture or an object where there is nothing to read: "<Figure size 640x480 with 1 Axes>".
_STAND_IN = re.compile(r"<[^<>\n]*>|\[<[^\n]*>\]")
_TEXTS = ("text/plain", "text", "text/markdown", "text/latex", "latex")
_PAGES = ("text/html", "html")


def read(data: bytes, name: str, settings: ReadingSettings) -> Layout:
    """The layout of a notebook of format 3 or 4; raises UnreadableError for what is none."""
    decoded = decode(data)
    if decoded is None:
        raise UnreadableError("looks binary")
    try:
        notebook = parse(decoded.text)
    except json.JSONDecodeError as error:
        raise UnreadableError(f"damaged: not valid JSON in line {error.lineno}") from error
    except RecursionError as error:
        raise UnreadableError("nested too deeply") from error
    if not isinstance(notebook, Mapping):
        raise UnreadableError("damaged: not a notebook")
    reader = _Reader()
    for number, cell in enumerate(_cells(notebook), start=1):
        reader.add(cell, f"cell {number}")
    about = _about(notebook.get("metadata"), reader.front)
    return reader.draft.layout(
        about, reader.removed, warnings=(*decoded.warnings, *reader.warnings), encoding=decoded.encoding
    )


def _cells(notebook: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """The cells in their order; in format 3 they are in worksheets."""
    sheets = notebook.get("worksheets")
    holders = sheets if isinstance(sheets, list) else [notebook]
    for holder in holders:
        cells = holder.get("cells") if isinstance(holder, Mapping) else None
        for cell in cells if isinstance(cells, list) else []:
            if isinstance(cell, Mapping):
                yield cell


def _about(metadata: object, front: Metadata) -> Metadata:
    """Title, authors, date and language, those of a block of YAML at the top before those of the notebook."""
    known = metadata if isinstance(metadata, Mapping) else {}
    authors = known.get("authors") or known.get("author")
    people = authors if isinstance(authors, list) else [authors]
    names = [as_text(one.get("name") if isinstance(one, Mapping) else one) for one in people]
    own = from_fields(
        {
            "title": as_text(known.get("title")),
            "author": ", ".join(filter(None, names)),
            "date": as_text(known.get("date")),
        }
    )
    kernel = known.get("kernelspec")
    language = as_text(kernel.get("language") or kernel.get("name")) if isinstance(kernel, Mapping) else ""
    return Metadata(
        title=front.title or own.title,
        author=front.author or own.author,
        date=front.date or own.date,
        rest=(*front.rest, *((("programming language", language),) if language else ())),
    )


@dataclass(slots=True)
class _Reader:
    """Adds cells to a draft; `front` is what a block of YAML in the first cell says."""

    draft: Draft = field(default_factory=Draft)
    removed: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
    front: Metadata = field(default_factory=Metadata)

    def add(self, cell: Mapping[str, object], place: str) -> None:
        """Add one cell with its outputs."""
        kind = cell.get("cell_type")
        source = _text(cell.get("source")) or _text(cell.get("input"))
        if kind == "code":
            self.draft.add(source, "code", place=place)
            outputs = cell.get("outputs")
            for output in outputs if isinstance(outputs, list) else []:
                if isinstance(output, Mapping):
                    self._add_output(output, place)
            return
        if not self.draft.blocks:
            source = self._without_front_matter(source)
        if kind == "heading":
            level = str(cell.get("level"))
            depth = int(level) if level in tuple("123456") else 1
            self.draft.add(" ".join(source.split()), "heading", level=depth, place=place)
        elif kind == "markdown":
            self._add_markdown(source, place)
        else:
            self.draft.add(source, "code", place=place)

    def _without_front_matter(self, source: str) -> str:
        front = read_front_matter(source)
        if front.span.end:
            self.front = front.metadata
            self.removed["front matter"] += 1
        self.warnings.extend(front.warnings)
        return source[front.span.end :]

    def _add_markdown(self, source: str, place: str) -> None:
        source, pictures = _PICTURE.subn(r"\1", source)
        self.removed["picture"] += pictures
        comments, warnings = markdown_comments(source)
        self.removed["comment"] += len(comments)
        self.warnings.extend(f"{place}: {warning}" for warning in warnings)
        for comment in reversed(comments):
            source = source[: comment.start] + source[comment.end :]
        for block in markdown_blocks(source):
            text = block.name if block.kind == "heading" and block.name else source[block.start : block.end]
            self.draft.add(text, block.kind, level=block.level, place=place)

    def _add_output(self, output: Mapping[str, object], place: str) -> None:
        """Add what an output says in words; pictures and the way of an error through the program are counted."""
        if output.get("output_type") in ("error", "pyerr"):
            self.removed["traceback"] += bool(output.get("traceback"))
            self._add_code(f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}", place)
            return
        data = output.get("data")
        forms = data if isinstance(data, Mapping) else output
        pictured = any(name.startswith("image/") or name in ("png", "jpeg", "svg") for name in forms)
        self.removed["picture"] += pictured
        text = next((text for name in _TEXTS if (text := _text(forms.get(name)).strip())), "")
        if text and not _STAND_IN.fullmatch(text):
            self._add_code(text, place)
            return
        page = next((text for name in _PAGES if (text := _text(forms.get(name)).strip())), "")
        if page and not pictured:
            from rag_geo.readers.html import page_layout

            self._add_code(page_layout(page).text, place)

    def _add_code(self, text: str, place: str) -> None:
        lines = _COLOUR.sub("", text).replace("\r\n", "\n").split("\n")
        # A progress bar writes over itself: only what it wrote last is seen.
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
        if len(text) > LONGEST_OUTPUT:
            self.removed["end of a long output"] += 1
            text = text[:LONGEST_OUTPUT]
        self.draft.add(text, "code", place=place)


def _text(value: object) -> str:
    """A text, which notebooks also write as a list of its lines."""
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""

"""What a reader of a file format finds, and how that becomes a document: the seam between the formats and the rest."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from rag_geo.readers.blocks import MAX_PARAGRAPHS, Block, UnreadableError, number_blocks
from rag_geo.readers.metadata import Metadata, clean
from rag_geo.readers.plain import title_from_name
from rag_geo.records import BlockKind, Document, Format
from rag_geo.text.folding import blank, find_hidden
from rag_geo.text.languages import language_of

_BLANK_LINES = re.compile(r"\n(?:[ \t\r\f\v]*\n)+")
_BETWEEN = "\n\n"
# Zero bytes, and halves of characters as JSON and office files can write them: neither can be saved as text.
_NO_CHARACTERS = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Layout:
    """The text of a file, its blocks in reading order, and what the file says about itself.

    The spans of `blocks` are in `text`. `date` is ISO 8601 as far as it is known. `removed` counts by name what was
    left out ("comment", "hidden sheet"); `textless` are places without text ("p. 3"); `encoding` is "" where the format
    says it.
    """

    text: str
    blocks: tuple[Block, ...]
    title: str = ""
    author: str = ""
    date: str = ""
    metadata: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str, int], ...] = ()
    warnings: tuple[str, ...] = ()
    textless: tuple[str, ...] = ()
    encoding: str = ""


@dataclass(slots=True)
class Draft:
    """The text and blocks of a layout while they are found; blocks are joined by a blank line."""

    pieces: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    length: int = 0

    def add(
        self, text: str, kind: BlockKind = "text", *, level: int = 0, rule: str | None = None, place: str = ""
    ) -> None:
        """Add a block; blank lines within it become line breaks, and one without a visible character is none.

        `level` is the depth of a heading, 1 to 6; `rule` marks debris known by its place ("pdf:header"). Raises
        UnreadableError when the file has too many blocks.
        """
        text = _BLANK_LINES.sub("\n", _NO_CHARACTERS.sub("\ufffd", text)).strip()
        if not text:
            return
        if len(self.blocks) == MAX_PARAGRAPHS:
            raise UnreadableError(f"more than {MAX_PARAGRAPHS:,} paragraphs: not a document")
        start = self.length + (len(_BETWEEN) if self.blocks else 0)
        name = " ".join(text.split()) if kind == "heading" else ""
        if self.blocks:
            self.pieces.append(_BETWEEN)
        self.pieces.append(text)
        self.length = start + len(text)
        self.blocks.append(Block(start, self.length, kind, level, rule, name, place))

    @property
    def text(self) -> str:
        """All of it so far."""
        return "".join(self.pieces)

    def layout(
        self,
        stated: Metadata,
        removed: Counter[str],
        *,
        warnings: tuple[str, ...] = (),
        textless: tuple[str, ...] = (),
        encoding: str = "",
    ) -> Layout:
        """The layout of a file that has no more than this, with what it states about itself; see `Layout`."""
        return Layout(
            self.text,
            tuple(self.blocks),
            title=stated.title,
            author=stated.author,
            date=stated.date,
            metadata=stated.rest,
            removed=tuple(sorted((+removed).items())),
            warnings=warnings,
            textless=textless,
            encoding=encoding,
        )


def document_of(file: str, sha256: str, kind: Format, layout: Layout) -> Document:
    """The document of a layout: hidden characters found, debris marked, paragraphs numbered, sentences found."""
    hidden, removed = find_hidden(layout.text)
    language = language_of(blank(layout.text, hidden))
    return Document(
        file=file,
        sha256=sha256,
        text=layout.text,
        format=kind,
        encoding=layout.encoding,
        paragraphs=number_blocks(file, layout.text, layout.blocks, hidden, language=language),
        title=clean(layout.title) or _first_heading(layout) or title_from_name(file),
        author=clean(layout.author),
        date=layout.date,
        metadata=layout.metadata,
        hidden=hidden,
        removed=tuple(sorted((Counter(dict(layout.removed)) + Counter(removed)).items())),
        warnings=layout.warnings,
        textless=layout.textless,
        language=language,
    )


def _first_heading(layout: Layout) -> str:
    return next((clean(block.name) for block in layout.blocks if block.kind == "heading" and not block.rule), "")

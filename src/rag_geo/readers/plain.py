"""Read plain text and Markdown: `Document.text` is the decoded file, character for character."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePosixPath

from rag_geo.readers.blocks import UnreadableError, number_blocks
from rag_geo.readers.bylines import find_author
from rag_geo.readers.decoding import Decoded
from rag_geo.readers.lines import markdown_blocks, markdown_comments, text_blocks
from rag_geo.readers.metadata import clean, iso_date, read_front_matter
from rag_geo.records import Document, Format, Paragraph, Span
from rag_geo.text.folding import blank, find_hidden, merge_spans
from rag_geo.text.languages import language_of

MAX_HIDDEN_RUNS = 200_000
"""A text with more stretches of invisible characters than this is not read."""

_DATE_PREFIX = re.compile(r"\s{0,20}date (\d{4}-\d{2}-\d{2})\s{1,20}(?=\S)")


def read_plain(file: str, sha256: str, decoded: Decoded, kind: Format) -> Document:
    """The document in a text or Markdown file; raises UnreadableError when it is not one."""
    text = decoded.text
    front = read_front_matter(text)
    warnings = [*decoded.warnings, *front.warnings]
    hidden, removed = find_hidden(text)
    spans = [*hidden]
    date = front.metadata.date
    if front.span.end:
        spans.append(front.span)
        removed = {"front matter": 1, **removed}
    elif kind == "text" and (prefix := _DATE_PREFIX.match(text)) and iso_date(prefix[1]):
        # Some scrapers put the date in front of the first sentence; there it would be read as part of it.
        spans.append(Span(0, prefix.end()))
        removed = {"date in front of the text": 1, **removed}
        date = iso_date(prefix[1])
    if kind == "markdown":
        comments, trouble = markdown_comments(text, front.span.end)
        spans.extend(comments)
        warnings.extend(trouble)
        if comments:
            removed = {**removed, "comment": len(comments)}
    if len(spans) > MAX_HIDDEN_RUNS:
        raise UnreadableError(f"holds {len(spans):,} stretches of invisible characters: not a document")
    merged = merge_spans(spans)
    shown = blank(text, merged)
    blocks = markdown_blocks(shown) if kind == "markdown" else text_blocks(shown)
    language = language_of(shown)
    paragraphs = number_blocks(file, text, blocks, merged, find_headings=kind == "text", language=language)
    names = {(block.start, block.end): block.name for block in blocks}
    return Document(
        file=file,
        sha256=sha256,
        text=text,
        format=kind,
        encoding=decoded.encoding,
        paragraphs=paragraphs,
        title=front.metadata.title or _first_heading(text, paragraphs, names) or title_from_name(file),
        author=front.metadata.author if front.span.end else find_author(text, paragraphs, merged, kind),
        date=date,
        metadata=front.metadata.rest,
        hidden=merged,
        removed=tuple(sorted(Counter(removed).items())),
        warnings=tuple(warnings),
        language=language,
    )


def title_from_name(file: str) -> str:
    """The file name without its ending: the title of a document that has no other."""
    return clean(PurePosixPath(file).stem)


def own_title(document: Document) -> str:
    """The title of a document, "" when it is only the name of its file."""
    return "" if document.title == title_from_name(document.file) else document.title


def _first_heading(text: str, paragraphs: tuple[Paragraph, ...], names: dict[tuple[int, int], str]) -> str:
    for paragraph in paragraphs:
        if paragraph.kind == "heading" and not paragraph.debris:
            span = (paragraph.start, paragraph.end)
            name = clean(names.get(span) or text[slice(*span)])
            if name:
                return name
    return ""

"""Documents as JSON, in three parts: what is known of one, its text, and its paragraphs.

The name of the file is in none of them, nor a title that was taken from it: the same content under another name has the
same JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from rag_geo.readers.plain import own_title, title_from_name
from rag_geo.records import Document, Paragraph, Span

_PARTS = frozenset(("file", "text", "paragraphs"))
_DETAILS = tuple(each.name for each in fields(Document) if each.name not in _PARTS)


def details_of(document: Document) -> dict[str, Any]:
    """Everything but name, text and paragraphs."""
    return {name: getattr(document, name) for name in _DETAILS} | {"title": own_title(document)}


def paragraphs_of(document: Document) -> list[list[Any]]:
    """The paragraphs, an array each."""
    return [
        [p.start, p.end, p.kind, p.heading, p.debris, [at for span in p.sentences for at in span], p.place]
        for p in document.paragraphs
    ]


def document_from(file: str, details: Mapping[str, Any], text: str, paragraphs: Sequence[Sequence[Any]]) -> Document:
    """The document with the name `file`; the contrary of `details_of` and `paragraphs_of`."""
    known = dict(details)
    known["metadata"] = tuple((key, value) for key, value in details["metadata"])
    known["hidden"] = tuple(Span(*span) for span in details["hidden"])
    known["removed"] = tuple((name, count) for name, count in details["removed"])
    known["warnings"] = tuple(details["warnings"])
    known["textless"] = tuple(details["textless"])
    known["title"] = details["title"] or title_from_name(file)
    found = tuple(
        Paragraph(file, number, start, end, kind, heading, debris, tuple(map(Span, at[::2], at[1::2])), place)
        for number, (start, end, kind, heading, debris, at, place) in enumerate(paragraphs, start=1)
    )
    return Document(file=file, text=text, paragraphs=found, **known)


def line(value: object) -> bytes:
    """One value as a line of JSON.

    In ASCII: names of files may hold bytes that are no UTF-8, which JSON escapes and UTF-8 cannot.
    """
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"

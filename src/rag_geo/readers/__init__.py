"""One reader per format: from the bytes of a file to a document with exact character offsets."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath

from rag_geo.readers.blocks import UnreadableError
from rag_geo.readers.decoding import declared_encoding, decode
from rag_geo.records import Document, Format, Skipped

FORMATS: dict[str, Format] = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
}
"""Format by the ending of the file name, in small letters."""

__all__ = ["FORMATS", "format_of", "read_document"]


def format_of(file: str) -> Format | None:
    """The format that the name of `file` says, or None when there is no reader for it."""
    return FORMATS.get(PurePosixPath(file).suffix.lower())


def read_document(file: str, data: bytes, *, sha256: str = "") -> Document | Skipped:
    """The document in the bytes of `file` (a path relative to the folder, with "/"), or why it cannot be read.

    Never raises for anything in `data`. `sha256` is computed when it is not given.
    """
    kind = format_of(file)
    if kind is None:
        return Skipped(file, f"no reader for {PurePosixPath(file).suffix or 'files without an ending'}")
    if not data:
        return Skipped(file, "empty")
    decoded = decode(data, declared=declared_encoding(data) if kind == "html" else "")
    if decoded is None:
        return Skipped(file, "looks binary")
    sha256 = sha256 or hashlib.sha256(data).hexdigest()
    try:
        if kind == "html":
            from rag_geo.readers.html import read_html

            document = read_html(file, sha256, decoded)
        else:
            from rag_geo.readers.plain import read_plain

            document = read_plain(file, sha256, decoded, kind)
    except UnreadableError as error:
        return Skipped(file, str(error))
    return document if document.paragraphs else Skipped(file, "empty: nothing in it can be seen")

"""One reader per format: from the bytes of a file to documents with exact character offsets.

`rag_geo.readers.recognise` tells the format by the content. A reader is a module with a function
``read(data, name, settings) -> Layout``; `rag_geo.readers.layout` makes the document of it. Plain text and Markdown
have their own way, as their document is the file character for character. Archives and mailboxes hold several
documents: `rag_geo.readers.containers` takes them apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import cast

from rag_geo.readers.blocks import UnreadableError
from rag_geo.readers.decoding import decode
from rag_geo.readers.layout import Layout, document_of
from rag_geo.readers.recognise import Container, Unknown, recognise
from rag_geo.records import Document, Format, Skipped
from rag_geo.settings import ReadingSettings

__all__ = ["MODULES", "read_document", "read_file"]

MODULES: dict[Format, str] = {
    "html": "html",
    "pdf": "pdf",
    "docx": "docx",
    "odt": "odt",
    "rtf": "rtf",
    "pptx": "slides",
    "odp": "slides",
    "xlsx": "sheets",
    "ods": "sheets",
    "csv": "delimited",
    "epub": "epub",
    "email": "message",
    "json": "objects",
    "jsonl": "objects",
    "notebook": "notebook",
}
"""The module of each format that has a layout; text and Markdown are read by `rag_geo.readers.plain`."""

_Reader = Callable[[bytes, str, ReadingSettings], Layout]
_DEFAULTS = ReadingSettings()


def read_file(
    file: str, data: bytes, settings: ReadingSettings = _DEFAULTS, *, sha256: str = ""
) -> tuple[Document | Skipped, ...]:
    """Every document in the bytes of `file`, and what cannot be read, with why.

    `file` is a path relative to the folder, with "/". A file that is one document gives one result of its own name; an
    archive, a mailbox or a message with attachments gives one for each member, below its name ("2019.zip/report.pdf").
    Never raises for anything in `data`. `sha256` is that of `data`, computed when it is not given.
    """
    found = recognise(file, data)
    if not isinstance(found, Container):
        return (_read(file, data, found, settings, sha256),)
    return tuple(_members(file, data, found, settings))


def read_document(
    file: str, data: bytes, settings: ReadingSettings = _DEFAULTS, *, sha256: str = ""
) -> Document | Skipped:
    """The one document in the bytes of `file`, or why it cannot be read: the first one, if there are several."""
    results = read_file(file, data, settings, sha256=sha256)
    return next((one for one in results if isinstance(one, Document)), results[0])


def _members(file: str, data: bytes, kind: Container, settings: ReadingSettings) -> Iterator[Document | Skipped]:
    from rag_geo.readers.containers import leaves

    for found in leaves(file, data, kind):
        yield found if isinstance(found, Skipped) else _read(found.file, found.data, found.kind, settings)


def _read(
    file: str, data: bytes, kind: Format | Unknown, settings: ReadingSettings, sha256: str = ""
) -> Document | Skipped:
    if isinstance(kind, Unknown):
        return Skipped(file, kind.reason)
    sha256 = sha256 or hashlib.sha256(data).hexdigest()
    try:
        document = _document(file, data, kind, settings, sha256)
    except UnreadableError as error:
        return Skipped(file, str(error))
    if document.paragraphs:
        return document
    if document.textless:
        pages = f"{len(document.textless)} pages" if len(document.textless) > 1 else "1 page"
        hint = "".join(f"; {warning}" for warning in document.warnings)
        return Skipped(file, f"scanned: {pages} without text ({document.textless[0]} and on){hint}")
    return Skipped(file, "empty: nothing in it can be seen")


def _document(file: str, data: bytes, kind: Format, settings: ReadingSettings, sha256: str) -> Document:
    if kind in ("text", "markdown"):
        from rag_geo.readers.plain import read_plain

        decoded = decode(data)
        if decoded is None:
            raise UnreadableError("looks binary")
        return read_plain(file, sha256, decoded, kind)
    read = cast(_Reader, import_module(f"rag_geo.readers.{MODULES[kind]}").read)
    return document_of(file, sha256, kind, read(data, file, settings))

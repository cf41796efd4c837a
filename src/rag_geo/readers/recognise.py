"""What a file is, by its content; the name only decides between kinds of text that look alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from rag_geo.readers.decoding import looks_binary
from rag_geo.records import Format


@dataclass(frozen=True, slots=True)
class Unknown:
    """A file that no reader can read, and why, in words for the user."""

    reason: str


@dataclass(frozen=True, slots=True)
class Container:
    """A file that holds others: `name` is what to call it; one inside another is opened only if it `opens_inside`."""

    name: str
    opens_inside: bool = False


ZIP = Container("a ZIP archive")
GZIP = Container("a gzip file", opens_inside=True)
MAILBOX = Container("a mailbox", opens_inside=True)
MESSAGE = Container("an e-mail", opens_inside=True)

_TEXTS: dict[str, Format] = {
    ".md": "markdown", ".markdown": "markdown", ".html": "html", ".htm": "html", ".xhtml": "html",
}  # fmt: skip


def recognise(file: str, data: bytes) -> Format | Container | Unknown:
    """Give the format of `data`; `file` is its name."""
    if not data:
        return Unknown("empty")
    if looks_binary(data):
        return Unknown("looks binary")
    return _TEXTS.get(PurePosixPath(file).suffix.lower(), "text")

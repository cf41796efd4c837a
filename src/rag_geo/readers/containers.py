"""Files that hold others: ZIP archives, gzip, mailboxes and messages with attachments, taken apart in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rag_geo.readers.recognise import Container
from rag_geo.records import Format, Skipped
from rag_geo.settings import ReadingSettings


@dataclass(frozen=True, slots=True)
class Member:
    """One file in another: `file` is its path below the outer one; with `kind` it is that, whatever it looks like."""

    file: str
    data: bytes
    kind: Format | None = None


def open_container(file: str, data: bytes, kind: Container, settings: ReadingSettings) -> Iterator[Member | Skipped]:
    """Every member of `file`, in order; what cannot or must not be taken out is skipped with the reason."""
    raise NotImplementedError

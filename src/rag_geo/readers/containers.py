"""Files that hold others: ZIP archives, gzip, mailboxes and messages with attachments, taken apart in memory.

Nothing is written to the disk, and the name of a member is never a path: it only names the document. What all of it
unpacks to is counted together, however it is nested, and an archive in an archive is not opened.
"""

from __future__ import annotations

import gzip
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import PurePosixPath

from rag_geo.readers.archives import (
    FAR_MORE,
    MAX_BYTES,
    MAX_MEMBER_BYTES,
    MAX_RATIO,
    RATIO_FROM_BYTES,
    Archive,
    open_archive,
    too_large,
    unfolds,
)
from rag_geo.readers.blocks import UnreadableError
from rag_geo.readers.message import attachments, is_deleted
from rag_geo.readers.recognise import GZIP, MAILBOX, MESSAGE, ZIP, Container, Unknown, recognise
from rag_geo.records import Format, Skipped

MAX_DEPTH = 5
"""Files in files in files: what lies deeper is not opened."""

MAX_MEMBERS = 100_000
"""Members of one file, whatever it is; an archive has a lower bound of its own."""

_CHUNK = 1 << 18
_MESSAGE_STARTS = re.compile(rb"(?:\A|\n\r?\n)From [^\r\n]{0,300}\d\d:\d\d[^\r\n]{0,100}\r?\n(?=[!-9;-~]+:|>From )")
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Member:
    """One file in another.

    `file` is its path below the outer one, `name` what it is called where the name decides what it is; with `kind` it
    is that, whatever it looks like.
    """

    file: str
    data: bytes
    kind: Format | Container | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A file that is no container, below the one that was opened."""

    file: str
    data: bytes
    kind: Format | Unknown


@dataclass(slots=True)
class Unpacked:
    """What was unpacked so far from one file of `size` bytes on the disk, in bytes and in members.

    `within` counts the bytes that the documents in it unpack to in their turn.
    """

    size: int
    bytes: int = 0
    members: int = 0
    within: int = 0


def leaves(file: str, data: bytes, kind: Container) -> Iterator[Leaf | Skipped]:
    """Everything in `file` that holds no other file, in order; what is not taken out is skipped with the reason."""
    unpacked = Unpacked(len(data))
    opened = [_Opened(file, kind, open_container(file, data, kind, unpacked))]
    while opened:
        inner = opened[-1]
        member = next(inner.members, None)
        if member is None:
            opened.pop()
            if not inner.any:
                yield Skipped(inner.file, f"empty: {inner.kind.name} without files")
            continue
        inner.any = True
        unpacked.members += 1
        if unpacked.members > MAX_MEMBERS:
            yield Skipped(file, f"holds more than {MAX_MEMBERS:,} files: the rest is not read")
            return
        if isinstance(member, Skipped):
            yield member
            continue
        found = member.kind or recognise(member.name or member.file, member.data)
        if not isinstance(found, Container):
            unpacked.within += _unpacks_to(member.data)
            too_much = unpacked.within > MAX_BYTES and unfolds(unpacked.within, unpacked.size)
            yield Skipped(member.file, FAR_MORE) if too_much else Leaf(member.file, member.data, found)
        elif reason := _why_closed(found, [one.kind for one in opened]):
            yield Skipped(member.file, reason)
        else:
            opened.append(_Opened(member.file, found, open_container(member.file, member.data, found, unpacked)))


def open_container(file: str, data: bytes, kind: Container, unpacked: Unpacked) -> Iterator[Member | Skipped]:
    """The members of `file`, in order, one at a time; `unpacked` counts the bytes they unpack to and bounds them."""
    openers: dict[Container, Callable[[str, bytes, Unpacked], Iterator[Member | Skipped]]] = {
        ZIP: _zip, GZIP: _gzip, MAILBOX: _mailbox, MESSAGE: _message,
    }  # fmt: skip
    return openers[kind](file, data, unpacked)


@dataclass(slots=True)
class _Opened:
    file: str
    kind: Container
    members: Iterator[Member | Skipped]
    any: bool = field(default=False)


def _why_closed(kind: Container, around: list[Container]) -> str:
    if kind.once and kind in around:
        return f"{kind.name} inside another: take it out to have it read"
    return f"{kind.name}, {MAX_DEPTH} files deep: take it out to have it read" if len(around) >= MAX_DEPTH else ""


def _unpacks_to(data: bytes) -> int:
    """What the directory of a document says that it unpacks to, 0 for one that is no archive."""
    try:
        return sum(info.file_size for info in open_archive(data).source.infolist()) if data.startswith(b"PK") else 0
    except UnreadableError:
        return 0


def _zip(file: str, data: bytes, unpacked: Unpacked) -> Iterator[Member | Skipped]:
    try:
        archive = open_archive(data)
        infos = archive.source.infolist()
        _refuse_bomb(infos, unpacked)
    except UnreadableError as error:
        yield Skipped(file, str(error))
        return
    archive.packed = unpacked.size
    taken = Names()
    for info in infos:
        name = member_name(info)
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.endswith("/") or not parts or _is_passed_over(parts):
            continue
        inside = f"{file}/{taken.add('/'.join(part for part in parts if part != '..') or 'unnamed')}"
        found = "its name leads out of the archive" if ".." in parts else _unpack(archive, info, unpacked)
        yield Skipped(inside, found or "empty") if isinstance(found, str) or not found else Member(inside, found)


def _refuse_bomb(infos: Sequence[zipfile.ZipInfo], unpacked: Unpacked) -> None:
    """Raise UnreadableError, before any is unpacked, when files are too large, each of many or all those that are not.

    One that is too large among others is named when its turn comes.
    """
    reasons = [too_large(info.file_size, info.compress_size) for info in infos]
    if len(infos) > 1 and all(reasons):
        raise UnreadableError(reasons[0])
    rest = sum(info.file_size for info, reason in zip(infos, reasons, strict=True) if not reason)
    if unfolds(unpacked.bytes + rest, unpacked.size):
        raise UnreadableError(FAR_MORE)


def _unpack(archive: Archive, info: zipfile.ZipInfo, unpacked: Unpacked) -> bytes | str:
    """The bytes of a member, or why it is not unpacked."""
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a symbolic link"
    archive.unpacked = unpacked.bytes
    try:
        return archive.unpack(info)
    except UnreadableError as error:
        return str(error).replace(f"{info.filename} in it ", "")
    finally:
        unpacked.bytes = archive.unpacked


def member_name(info: zipfile.ZipInfo) -> str:
    """The name of a member as its maker meant it, "/" between its parts, without a character that cannot be shown.

    Without the mark of UTF-8 a name counts as one in code page 437, but many programs write UTF-8 all the same.
    """
    name = info.filename
    if not info.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = info.filename
    return printable(re.sub(r"^[A-Za-z]:(?=[\\/])", "", name).replace("\\", "/"))


def printable(name: str) -> str:
    """`name` with a mark in place of each control, direction or other character that cannot be shown."""
    return "".join(character if character.isprintable() else "\ufffd" for character in name)


def _is_passed_over(parts: list[str]) -> bool:
    """As in a folder: hidden files and what desktops leave behind."""
    return any(part.startswith(".") and part != ".." for part in parts) or parts[0] == "__MACOSX"


class Names:
    """The names given so far; a second file of one name gets a number, as when it is unpacked beside the first."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}

    def add(self, name: str) -> str:
        """`name`, or with " (2)", " (3)" … before its ending when it is taken."""
        free = name
        while free in self._next:
            self._next[name] += 1
            path = PurePosixPath(name)
            free = str(path.with_name(f"{path.stem} ({self._next[name]}){path.suffix}"))
        self._next[free] = 1
        return free


def _gzip(file: str, data: bytes, unpacked: Unpacked) -> Iterator[Member | Skipped]:
    """A packed file keeps its name, as nothing else is in it; without ".gz" the name says what kind of text it is."""
    honest, left = max(RATIO_FROM_BYTES, MAX_RATIO * len(data)), MAX_BYTES - unpacked.bytes
    limit = min(MAX_MEMBER_BYTES, left, honest)
    try:
        # Measured first: a bomb is never in memory.
        inner = _unzipped(data) if _unzips_within(data, limit) else None
    except (OSError, EOFError, zlib.error):
        yield Skipped(file, "damaged: it cannot be unpacked")
        return
    if inner is None:
        yield Skipped(file, FAR_MORE if limit == honest else f"unpacks to more than {limit >> 20} MB")
    elif not inner:
        yield Skipped(file, "empty")
    else:
        unpacked.bytes += len(inner)
        yield Member(file, inner, name=re.sub(r"\.t?gz$", "", file, flags=re.IGNORECASE))


def _unzips_within(data: bytes, limit: int) -> bool:
    size = 0
    with gzip.GzipFile(fileobj=BytesIO(data)) as stream:
        while size <= limit and (piece := stream.read(_CHUNK)):
            size += len(piece)
    return size <= limit


def _unzipped(data: bytes) -> bytes:
    with gzip.GzipFile(fileobj=BytesIO(data)) as stream:
        return stream.read()


def _mailbox(file: str, data: bytes, unpacked: Unpacked) -> Iterator[Member | Skipped]:
    number = 0
    start = -1
    for found in _MESSAGE_STARTS.finditer(data):
        if start >= 0:
            number += 1
            yield _from_mailbox(f"{file}/{number}", data[start : found.start() + 1])
        start = found.end()
    if start >= 0:
        yield _from_mailbox(f"{file}/{number + 1}", data[start:])


def _from_mailbox(file: str, data: bytes) -> Member | Skipped:
    """One message; mail programs keep deleted ones in the file, with a mark, until it is tidied up."""
    if is_deleted(data):
        return Skipped(file, "deleted in the mail program")
    return Member(file, _QUOTED_FROM.sub(rb"\1", data), MESSAGE)


def _message(file: str, data: bytes, unpacked: Unpacked) -> Iterator[Member | Skipped]:
    yield Member(file, data, "email")
    taken = Names()
    try:
        found = attachments(data)
    except UnreadableError:  # which is what is said of the message itself, too
        return
    for name, content, kind in found:
        inside = f"{file}/{taken.add(printable(name).replace('/', '_').lstrip('.') or 'attachment')}"
        yield Member(inside, content, kind) if content else Skipped(inside, "empty")

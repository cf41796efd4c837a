"""ZIP archives from strangers: opened in memory, each member read within limits, XML parsed without entities.

Office documents, books and workbooks are ZIP archives. `open_archive` checks what the directory says, and
`Archive.read` what the member really holds: a member whose size is a lie is found out while it is read. Nothing is
written to disk and no member name is ever a path.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from struct import error as StructError
from typing import TYPE_CHECKING

from rag_geo.readers.blocks import UnreadableError

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_MEMBERS = 10_000
"""Members of one archive."""

MAX_MEMBER_BYTES = 64 << 20
"""Bytes of one member when unpacked."""

MAX_BYTES = 256 << 20
"""Bytes that are unpacked from one archive."""

MAX_RATIO = 100
"""Unpacked to packed bytes, for members of more than `RATIO_FROM_BYTES` and for all of an archive together."""

RATIO_FROM_BYTES = 8 << 20
"""Below it a ratio says nothing: an honest document that says the same three thousand times packs to a hundredth."""

FAR_MORE = f"unpacks to more than {MAX_RATIO} times its size"

_CHUNK = 1 << 18
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_HEADER_BYTES = 30
# All that zipfile is known to raise for bytes that are no archive, or a broken one.
BROKEN = (zipfile.BadZipFile, zlib.error, StructError, EOFError, OSError, ValueError, LookupError, RuntimeError)
# Encodings in which the bytes of "<!ENTITY" are those characters, so that looking for them finds every one.
_ASCII_BASED = re.compile(rb"utf-?8|us-ascii|iso-8859-\d{1,2}|windows-\d{3,4}", re.IGNORECASE)
_DECLARED = re.compile(rb"<\?xml\b[^>]{0,200}?\bencoding\s*=\s*[\"']([^\"']{1,40})[\"']")
_DECLARATION = re.compile(r"<\?xml\b[^>]*\?>")
_FORBIDDEN = re.compile(rb"<!ENTITY|<!DOCTYPE[^>\[]*\[")


@dataclass(slots=True)
class Archive:
    """The members of a ZIP archive by name: case, the direction of slashes and a leading one make no difference.

    `unpacked` counts the bytes that were read from it, which `MAX_BYTES` bounds, and `MAX_RATIO` by the `packed` bytes
    of the file. `overlapping` has where the members begin whose bytes belong to another member, too.
    """

    source: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo]
    packed: int
    overlapping: frozenset[int]
    unpacked: int = field(default=0)

    def __contains__(self, name: str) -> bool:
        return _key(name) in self.members

    def names(self) -> tuple[str, ...]:
        """Every member that is no folder, as the archive writes it, in its order."""
        return tuple(info.filename for info in self.members.values() if not _is_folder(info))

    def read(self, name: str) -> bytes:
        """The bytes of a member; raises UnreadableError when it is missing, damaged, locked or too large."""
        info = self.members.get(_key(name))
        if info is None:
            raise UnreadableError(f"damaged: {name} is missing in it")
        return self.unpack(info)

    def unpack(self, info: zipfile.ZipInfo) -> bytes:
        """The bytes of one of several members of the same name; raises UnreadableError as `read` does."""
        pieces: list[bytes] = []
        self._unpack(info, pieces)
        return b"".join(pieces)

    def xml(self, name: str) -> _Element:
        """The root of an XML member; raises UnreadableError as `read` and `parse_xml` do."""
        return parse_xml(self.read(name), name)

    def check(self, names: Iterable[str] | None = None) -> None:
        """Unpack members (all of them if not given) without keeping them, before a library may.

        Raises UnreadableError as `read` does. What is checked does not count in `unpacked`.
        """
        before = self.unpacked
        for name in self.names() if names is None else names:
            info = self.members.get(_key(name))
            if info is not None:
                self._unpack(info, None)
        self.unpacked = before

    def _unpack(self, info: zipfile.ZipInfo, pieces: list[bytes] | None) -> None:
        if info.flag_bits & _ENCRYPTED:
            raise UnreadableError("needs a password")
        if info.header_offset in self.overlapping:
            raise UnreadableError(f"damaged: {info.filename} in it lies over another file")
        if info.compress_type not in _METHODS:
            raise UnreadableError("packed in a way that is not read: pack it again as an ordinary ZIP")
        self._check_size(info.file_size, info)
        size = 0
        try:
            # In pieces: told to read all of it, zipfile unpacks more than the directory says, whatever its size.
            with self.source.open(info) as member:
                while piece := member.read(_CHUNK):
                    size += len(piece)
                    self._check_size(size, info)
                    if pieces is not None:
                        pieces.append(piece)
        except BROKEN as error:
            raise UnreadableError(f"damaged: {info.filename} in it cannot be unpacked") from error
        finally:
            # What turns out to be damaged only at its end was unpacked all the same.
            self.unpacked += size

    def _check_size(self, size: int, info: zipfile.ZipInfo) -> None:
        if reason := too_large(size, info.compress_size):
            raise UnreadableError(f"{info.filename} in it {reason}")
        if self.unpacked + size > MAX_BYTES:
            raise UnreadableError(f"unpacks to more than {MAX_BYTES >> 20} MB")
        if unfolds(self.unpacked + size, self.packed):
            raise UnreadableError(FAR_MORE)


def open_archive(data: bytes) -> Archive:
    """The archive in `data`; raises UnreadableError when it is damaged, has too many members or all are locked.

    Sizes are checked when a member is read; call `Archive.check` before handing `data` to a library.
    """
    try:
        source = zipfile.ZipFile(BytesIO(data))
    except BROKEN as error:
        raise UnreadableError("damaged: its table of contents cannot be read") from error
    infos = source.infolist()
    if len(infos) > MAX_MEMBERS:
        raise UnreadableError(f"has more than {MAX_MEMBERS:,} files in it")
    locked = sum(info.flag_bits & _ENCRYPTED for info in infos)
    if locked and locked == sum(not _is_folder(info) for info in infos):
        raise UnreadableError("needs a password")
    return Archive(source, {_key(info.filename): info for info in infos}, len(data), _overlapping(infos))


def _overlapping(infos: Sequence[zipfile.ZipInfo]) -> frozenset[int]:
    """Where those members begin whose bytes belong to another member, too: so a small file holds any amount."""
    found: set[int] = set()
    end, at = -1, 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            found |= {at, info.header_offset}
        # The header here may be longer than the directory says, never shorter.
        reached = info.header_offset + _HEADER_BYTES + info.compress_size
        if reached > end:
            end, at = reached, info.header_offset
    return frozenset(found)


def too_large(size: int, packed: int) -> str:
    """Why a member of `size` bytes, packed into `packed`, is not unpacked, or ""."""
    if size > MAX_MEMBER_BYTES:
        return f"unpacks to more than {MAX_MEMBER_BYTES >> 20} MB"
    return FAR_MORE if unfolds(size, packed) else ""


def unfolds(size: int, packed: int) -> bool:
    """Whether `size` bytes are far more than what `packed` bytes honestly hold."""
    return size > RATIO_FROM_BYTES and size > MAX_RATIO * max(1, packed)


def parse_xml(data: bytes, name: str) -> _Element:
    """The root of an XML file called `name`, without comments and processing instructions.

    Raises UnreadableError for what is not well-formed and for files that define entities: nothing is ever expanded,
    fetched or looked up. A document type without definitions, as old office programs write it, is let pass.
    """
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(harmless_xml(data, name), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableError(f"damaged: {name} in it is not well-formed") from error


def harmless_xml(data: bytes, name: str) -> bytes:
    """The bytes of an XML file called `name` for a parser that reads them as they come, certain to define no entities.

    Raises UnreadableError when it does, or when it is in an encoding in which that cannot be told.
    """
    data = _ascii_based(data, name)
    if _FORBIDDEN.search(data):
        raise UnreadableError(f"{name} in it defines entities, which is not safe to read")
    return data


def _ascii_based(data: bytes, name: str) -> bytes:
    """`data` as it is or, from UTF-16, as UTF-8."""
    marked = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    if marked or b"\x00" in data[:4]:
        unmarked = "utf-16-be" if data[:1] == b"\x00" else "utf-16-le"
        try:
            text = data.decode("utf-16" if marked else unmarked)
        except UnicodeDecodeError as error:
            raise UnreadableError(f"damaged: {name} in it is no text") from error
        return _DECLARATION.sub("", text, count=1).encode("utf-8", "replace")
    declared = _DECLARED.search(data, 0, 300)
    if declared and not _ASCII_BASED.fullmatch(declared[1]):
        raise UnreadableError(f"damaged: {name} in it is in no known encoding")
    return data


def _is_folder(info: zipfile.ZipInfo) -> bool:
    # Not `is_dir`, which raises for a member without a name.
    return info.filename.endswith("/")


def _key(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()

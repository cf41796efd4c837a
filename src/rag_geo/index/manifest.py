"""What says whether the files of an index are whole and fit the program that opens them.

An index is a folder with one small file, ``CURRENT``, one folder for each generation, and one for each segment::

    CURRENT                 gen-000042 <SHA-256 of its MANIFEST.json> <first 16 digits of the SHA-256 of the two>
    gen-000042/MANIFEST.json   which segments, and the two files beside it
    gen-000042/sources.jsonl   a file of the folder a line: its SHA-256, and the documents in it by segment and number
    gen-000042/skipped.jsonl   a file that was not opened a line, and why
    gen-000042.examples.json  questions that this generation answers, made later (`rag_geo.chat.examples`)
    segments/seg-<hash>/...    documents and all that is searched of them (`rag_geo.index.segments`)
    PENDING.jsonl           segments that were written for a generation that is not whole yet (`rag_geo.index.pending`)
    left-out.txt            files that are left out from now on (`rag_geo.index.left_out`)

No generation and no segment changes once it is there; generations share segments. So every byte of what is searched is
under a hash: that of a file in ``SEGMENT.json``, whose own hash is the name of the segment, which stands in the
manifest, whose hash stands in ``CURRENT``, which has a hash of itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from rag_geo.errors import IndexDamagedError, IndexMismatchError, IndexMissingError
from rag_geo.index.segments import FILES, HEAD, FileEntry, Making, SegmentHead, segment_name
from rag_geo.readers.as_json import line
from rag_geo.records import Skipped
from rag_geo.settings import WindowSettings

FORMAT = 2
"""Version of the files on disk: raised whenever an older program could not read them, or would read them wrongly."""

CURRENT = "CURRENT"
MANIFEST = "MANIFEST.json"
SOURCES = "sources.jsonl"
SKIPPED = "skipped.jsonl"
SEGMENTS = "segments"
EXAMPLES = ".examples.json"
"""What the name of a generation ends with in that of the file of its example questions; swept with it."""

_GENERATION = re.compile(r"gen-([0-9]{6,})")


@dataclass(frozen=True, slots=True)
class Stored:
    """A document of a source: its name, its SHA-256, and where its content is: number `row` of a segment."""

    name: str
    sha256: str
    segment: str
    row: int


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the folder and what came of it: documents (several for an archive), and what in it was not read."""

    file: str
    sha256: str
    documents: tuple[Stored, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    def to_json(self) -> list[Any]:
        """As an array."""
        documents = [[one.name, one.sha256, one.segment, one.row] for one in self.documents]
        return [self.file, self.sha256, documents, [[one.file, one.reason] for one in self.skipped]]

    @classmethod
    def from_json(cls, value: list[Any]) -> Source:
        """The contrary of `to_json`."""
        file, sha256, documents, skipped = value
        return cls(file, sha256, tuple(Stored(*one) for one in documents), tuple(Skipped(*one) for one in skipped))


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation holds and how it was made.

    `folder` is the absolute path of the documents; `built` the time of building (ISO 8601, UTC). `segments` are the
    names of its segments, in order. `documents` counts names, `contents` the documents that are stored: copies are
    stored once.
    """

    generation: str
    built: str
    folder: str
    making: Making
    documents: int
    contents: int
    paragraphs: int
    windows: int
    skipped: int
    segments: tuple[str, ...]
    files: tuple[tuple[str, FileEntry], ...]
    format: int = FORMAT

    @property
    def embedder(self) -> str:
        """Name and fingerprint of the embedder."""
        return self.making.embedder

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return self.making.dimension

    def to_bytes(self) -> bytes:
        """The manifest as JSON, for people to read as well."""
        fields = asdict(self)
        fields["files"] = {name: entry._asdict() for name, entry in self.files}
        return (json.dumps(fields, indent=1, sort_keys=True) + "\n").encode("ascii")

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Manifest:
        """The manifest in what ``json.loads`` gives of it."""
        making = dict(fields["making"])
        making["windows"] = WindowSettings(**making["windows"])
        files = tuple((name, FileEntry(**entry)) for name, entry in fields["files"].items())
        rest = {name: value for name, value in fields.items() if name not in ("making", "files", "segments")}
        return cls(making=Making(**making), files=files, segments=tuple(fields["segments"]), **rest)


def source_lines(sources: Iterable[Source]) -> bytes:
    """The file ``sources.jsonl``."""
    return b"".join(line(source.to_json()) for source in sources)


def skipped_lines(skipped: Iterable[Skipped]) -> bytes:
    """The file ``skipped.jsonl``."""
    return b"".join(line([one.file, one.reason]) for one in skipped)


def sources_from(data: bytes) -> tuple[Source, ...]:
    """The contrary of `source_lines`."""
    return tuple(Source.from_json(json.loads(each)) for each in data.splitlines())


def skipped_from(data: bytes) -> tuple[Skipped, ...]:
    """The contrary of `skipped_lines`."""
    return tuple(Skipped(*json.loads(each)) for each in data.splitlines())


def rebuild_hint(path: Path) -> str:
    """The command that makes an index anew."""
    return f"rag-geo index DIR --index {quote(str(path))} --rebuild"


def generation_number(name: str) -> int | None:
    """The number in the name of a generation, or None for any other name."""
    match = _GENERATION.fullmatch(name)
    return int(match[1]) if match else None


def current_bytes(generation: str, manifest: bytes) -> bytes:
    """The content of ``CURRENT`` for a generation with this manifest."""
    named = f"{generation} {hashlib.sha256(manifest).hexdigest()}"
    return f"{named} {_check(named)}\n".encode("ascii")


def current_generation(path: Path) -> str:
    """The generation that ``CURRENT`` names, without checking it, or ""."""
    try:
        return (path / CURRENT).read_text("ascii", "replace").split(" ")[0]
    except OSError:
        return ""


def read_manifest(path: Path) -> Manifest:
    """The manifest of the current generation of the index at `path`, checked.

    Raises IndexMissingError, IndexDamagedError, IndexMismatchError for another format, and FileNotFoundError when the
    generation went away while it was looked at (a writer may remove it then: read again).
    """
    fields = _read_fields(path)
    found = fields["format"]
    if found != FORMAT:
        raise IndexMismatchError(
            f"index {str(path)!r} has format {found}, this program reads format {FORMAT}",
            hint="use a newer rag-geo for it, or another --index" if found > FORMAT else rebuild_hint(path),
        )
    return Manifest.from_json(fields)


def folder_of_older(path: Path) -> str:
    """The folder of an index whose format is older than this program's, "" for any other: it can be made anew.

    Raises what `read_manifest` raises, but for the format.
    """
    fields = _read_fields(path)
    return str(fields.get("folder", "")) if fields["format"] < FORMAT else ""


def read_generation(path: Path, manifest: Manifest, name: str) -> bytes:
    """One file of the generation, if it is what the manifest says; else raises IndexDamagedError naming it."""
    return _verified(path, f"{manifest.generation}/{name}", dict(manifest.files)[name])


def read_head(path: Path, segment: str) -> SegmentHead:
    """What ``SEGMENT.json`` of a segment says, if it is the one that the segment is named after.

    Raises IndexDamagedError, and FileNotFoundError when it is not there.
    """
    data = _read_or_damaged(path, path / SEGMENTS / segment / HEAD)
    if segment_name(data) != segment:
        raise damaged(path, f"{SEGMENTS}/{segment}/{HEAD}", "its SHA-256 is not the one in the name of the segment")
    return SegmentHead.from_bytes(data)


def read_segment(path: Path, segment: str, head: SegmentHead, names: Iterable[str] = FILES) -> dict[str, bytes]:
    """Files of a segment by name, each as its head says; else raises what `read_head` raises."""
    entries = dict(head.files)
    return {name: _verified(path, f"{SEGMENTS}/{segment}/{name}", entries[name]) for name in names}


def damaged(path: Path, name: str, why: str) -> IndexDamagedError:
    """The error for one damaged file of an index."""
    again = f"rag-geo rebuild --index {quote(str(path))} mends it from its own texts"
    return IndexDamagedError(
        f"index {str(path)!r} is damaged: {name}: {why}", hint=f"{again}; {rebuild_hint(path)} reads the files again"
    )


def _read_fields(path: Path) -> dict[str, Any]:
    generation, sha256 = _read_current(path)
    data = _read_or_damaged(path, path / generation / MANIFEST)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise damaged(path, f"{generation}/{MANIFEST}", "its SHA-256 is not the one in CURRENT")
    fields: dict[str, Any] = json.loads(data)
    return fields


def _verified(path: Path, shown: str, entry: FileEntry) -> bytes:
    data = _read_or_damaged(path, path / shown)
    if len(data) != entry.size:
        raise damaged(path, shown, f"{len(data)} bytes, expected {entry.size}")
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise damaged(path, shown, "its SHA-256 is not the one that was noted")
    return data


def _read_current(path: Path) -> tuple[str, str]:
    try:
        data = (path / CURRENT).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _missing(path) from error
    except OSError as error:
        raise damaged(path, CURRENT, f"cannot be read: {error.strerror}") from error
    match = re.fullmatch(rb"((gen-[0-9]{6,}) ([0-9a-f]{64})) ([0-9a-f]{16})\n", data)
    if match is None or match[4].decode() != _check(match[1].decode()):
        raise damaged(path, CURRENT, "not as it was written")
    return match[2].decode(), match[3].decode()


def _missing(path: Path) -> IndexMissingError:
    """The error for a folder without ``CURRENT``: it may be lost, or the first generation was never finished."""
    where, make = f"there is no index at {str(path)!r}", f"rag-geo index DIR --index {quote(str(path))}"
    if not any(path.glob("gen-*")):
        return IndexMissingError(where, hint=make)
    return IndexMissingError(
        f"{where}: the file {CURRENT} is missing",
        hint=f"rag-geo rebuild --index {quote(str(path))} makes it anew from its own texts; {make} reads the files",
    )


def _read_or_damaged(path: Path, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise damaged(path, file.relative_to(path).as_posix(), f"cannot be read: {error}") from error


def _check(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]

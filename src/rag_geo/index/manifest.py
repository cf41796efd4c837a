"""What says whether the files of a generation are whole and fit the program that opens them.

An index is a folder with one small file, ``CURRENT``, and one folder for each generation::

    CURRENT                 gen-000042 <SHA-256 of its MANIFEST.json> <first 16 digits of the SHA-256 of the two>
    gen-000042/MANIFEST.json
    gen-000042/...          never changed after CURRENT names it
    gen-000042.examples.json  questions that this generation answers, made later (`rag_geo.chat.examples`)
    left-out.txt            files that are left out from now on (`rag_geo.index.left_out`)

So every byte of an index is under a hash: that of a file in the manifest, that of the manifest in ``CURRENT``, and
that of ``CURRENT`` in itself. The last two are no part of what is searched.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from rag_geo.errors import IndexDamagedError, IndexMismatchError, IndexMissingError
from rag_geo.settings import WindowSettings

FORMAT = 1
"""Version of the files on disk: raised whenever an older program could not read them, or would read them wrongly."""

CURRENT = "CURRENT"
MANIFEST = "MANIFEST.json"
EXAMPLES = ".examples.json"
"""What the name of a generation ends with in that of the file of its example questions; swept with it."""

_GENERATION = re.compile(r"gen-([0-9]{6,})")


class FileEntry(NamedTuple):
    """Bytes and SHA-256 of one file of a generation."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation holds and how it was made.

    `folder` is the absolute path of the documents; `built` the time of building (ISO 8601, UTC). `reading` names the
    version of the readers, `lexical` that of the word matching: another version means reading or counting again.
    """

    generation: str
    built: str
    folder: str
    embedder: str
    dimension: int
    windows_settings: WindowSettings
    reading: int
    lexical: int
    documents: int
    paragraphs: int
    windows: int
    skipped: int
    files: tuple[tuple[str, FileEntry], ...]
    format: int = FORMAT

    def to_bytes(self) -> bytes:
        """The manifest as JSON, for people to read as well."""
        fields = asdict(self)
        fields["files"] = {name: entry._asdict() for name, entry in self.files}
        return (json.dumps(fields, indent=1, sort_keys=True) + "\n").encode("ascii")


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


def read_manifest(path: Path) -> Manifest:
    """The manifest of the current generation of the index at `path`, checked.

    Raises IndexMissingError, IndexDamagedError, IndexMismatchError for another format, and FileNotFoundError when the
    generation went away while it was looked at (a writer may remove it then: read again).
    """
    generation, sha256 = _read_current(path)
    data = _read_or_damaged(path / generation / MANIFEST)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise damaged(path, f"{generation}/{MANIFEST}", "its SHA-256 is not the one in CURRENT")
    fields: dict[str, Any] = json.loads(data)
    found = fields["format"]
    if found != FORMAT:
        raise IndexMismatchError(
            f"index {str(path)!r} has format {found}, this program reads format {FORMAT}",
            hint="use a newer rag-geo for it, or another --index" if found > FORMAT else rebuild_hint(path),
        )
    fields["windows_settings"] = WindowSettings(**fields["windows_settings"])
    fields["files"] = tuple((name, FileEntry(**entry)) for name, entry in fields["files"].items())
    return Manifest(**fields)


def read_verified(path: Path, manifest: Manifest, name: str) -> bytes:
    """One file of the generation, if it is what the manifest says; else raises IndexDamagedError naming it."""
    entry = dict(manifest.files)[name]
    data = _read_or_damaged(path / manifest.generation / name)
    shown = f"{manifest.generation}/{name}"
    if len(data) != entry.size:
        raise damaged(path, shown, f"{len(data)} bytes, expected {entry.size}")
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise damaged(path, shown, "its SHA-256 is not the one in the manifest")
    return data


def damaged(path: Path, name: str, why: str) -> IndexDamagedError:
    """The error for one damaged file of an index."""
    return IndexDamagedError(f"index {str(path)!r} is damaged: {name}: {why}", hint=rebuild_hint(path))


def _read_current(path: Path) -> tuple[str, str]:
    try:
        data = (path / CURRENT).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise IndexMissingError(
            f"there is no index at {str(path)!r}", hint=f"rag-geo index DIR --index {quote(str(path))}"
        ) from error
    except OSError as error:
        raise damaged(path, CURRENT, f"cannot be read: {error.strerror}") from error
    match = re.fullmatch(rb"((gen-[0-9]{6,}) ([0-9a-f]{64})) ([0-9a-f]{16})\n", data)
    if match is None or match[4].decode() != _check(match[1].decode()):
        raise damaged(path, CURRENT, "not as it was written")
    return match[2].decode(), match[3].decode()


def _read_or_damaged(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise damaged(file.parent.parent, f"{file.parent.name}/{file.name}", f"cannot be read: {error}") from error


def _check(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]

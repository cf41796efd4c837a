"""Walk a folder of documents: what is there, what changed, and what was skipped and why.

Looking (`scan`), loading bytes (`load_bytes`) and making a document of them (`rag_geo.readers.read_document`) are
apart, so that an index update hashes everything but reads only what changed. One bad file never stops the others.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rag_geo.errors import CorpusError
from rag_geo.readers.process import ReaderFailedError, ReaderProcess
from rag_geo.records import Document, Skipped
from rag_geo.settings import ReadingSettings

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".ragignore"
"""Name of the file at the top of the folder whose patterns, written as in .gitignore, are left out without a word."""

CHANGES = "changes while it is read"
"""Why a file is skipped that was another one each time it was looked at."""

EMPTY = "empty"
"""Why a file of no bytes is skipped; nothing is lost with it."""

_MEGABYTE = 1_000_000
_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be read: `file` is relative to the folder with "/", `size` in bytes as it was seen.

    A name that is not valid UTF-8 holds surrogate escapes, as `os.fsdecode` makes them.
    """

    file: str
    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """The bytes of a file and their SHA-256 in hexadecimal."""

    file: str
    data: bytes
    sha256: str


class Scan(NamedTuple):
    """What a folder holds, each in the order of the names' bytes."""

    candidates: tuple[Candidate, ...]
    skipped: tuple[Skipped, ...]


def scan(folder: Path, settings: ReadingSettings | None = None, *, may_be_empty: bool = False) -> Scan:
    """Find every document below `folder`, opening none.

    Hidden files and folders (".git") and what `.ragignore` names are passed over silently; links out of the folder,
    links to folders, pipes, devices, empty and too large files are listed with the reason. Raises CorpusError when
    `folder` is missing, is no folder, cannot be read, or (unless it `may_be_empty`) holds no document.
    """
    settings = settings or ReadingSettings()
    root = _root(folder)
    ignored = _ignored(root)
    candidates: list[Candidate] = []
    skipped: list[Skipped] = []
    for file, path, trouble in _walk(root, ignored):
        found = Skipped(file, trouble) if trouble else _look(file, path, root, settings)
        if isinstance(found, Candidate):
            candidates.append(found)
        else:
            skipped.append(found)
    result = Scan(tuple(sorted(candidates, key=_by_name)), tuple(sorted(skipped, key=_by_name)))
    if not result.candidates and not may_be_empty:
        raise CorpusError(
            f"folder {str(folder)!r} holds no documents{_why_none(result.skipped)}",
            hint="put documents into it, or give another folder",
        )
    return result


def passes_over(folder: Path, file: str) -> bool:
    """Whether `scan` would say nothing of `file` (relative to `folder`, with "/"): hidden, or named by `.ragignore`.

    Raises CorpusError for a folder or a `.ragignore` that cannot be used.
    """
    ignored = _ignored(_root(folder))
    parts = file.split("/")
    below = ("/".join(parts[:end]) + "/" * (end < len(parts)) for end in range(1, len(parts) + 1))
    hidden = any(part.startswith(".") for part in parts)
    return hidden or (ignored is not None and any(ignored.match_file(each) for each in below))


def load_bytes(candidate: Candidate, settings: ReadingSettings | None = None) -> Loaded | Skipped:
    """The bytes of one file and their hash; a file that changes while it is read is read once more, then skipped."""
    settings = settings or ReadingSettings()
    for _ in range(2):
        try:
            data = _read_whole(candidate.path, settings.max_file_mb * _MEGABYTE)
        except OSError as error:
            return Skipped(candidate.file, f"cannot be read: {error.strerror or error}")
        if data is None:
            continue
        if len(data) > settings.max_file_mb * _MEGABYTE:
            return Skipped(candidate.file, _too_large(len(data), settings))
        return Loaded(candidate.file, data, hashlib.sha256(data).hexdigest())
    return Skipped(candidate.file, CHANGES)


def read_candidate(candidate: Candidate, settings: ReadingSettings | None = None) -> tuple[Document | Skipped, ...]:
    """Load one file and read every document in it, in a process of its own."""
    settings = settings or ReadingSettings()
    loaded = load_bytes(candidate, settings)
    if isinstance(loaded, Skipped):
        return (loaded,)
    try:
        with ReaderProcess(settings) as reader:
            return reader.read(loaded.file, loaded.data, loaded.sha256)
    except ReaderFailedError as error:
        return (Skipped(loaded.file, str(error)),)


def _root(folder: Path) -> Path:
    try:
        root = folder.expanduser().resolve(strict=True)
    except FileNotFoundError as error:
        raise CorpusError(
            f"there is no folder {str(folder)!r}", hint="give the folder that holds the documents"
        ) from error
    except (OSError, RuntimeError) as error:
        raise CorpusError(f"folder {str(folder)!r} cannot be opened: {error}", hint="check the path") from error
    if not root.is_dir():
        raise CorpusError(f"{str(folder)!r} is a file, not a folder", hint="give the folder that holds the documents")
    try:
        os.scandir(root).close()
    except OSError as error:
        raise CorpusError(
            f"folder {str(folder)!r} cannot be read: {error.strerror}", hint="check the permissions of the folder"
        ) from error
    return root


def _ignored(root: Path) -> GitIgnoreSpec | None:
    from pathspec import GitIgnoreSpec

    path = root / IGNORE_FILE
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
        return GitIgnoreSpec.from_lines(lines) if lines else None
    except (OSError, ValueError) as error:
        raise CorpusError(f"{str(path)!r} cannot be used: {error}", hint="mend or remove the file") from error


def _walk(root: Path, ignored: GitIgnoreSpec | None) -> Iterator[tuple[str, Path, str]]:
    """Every entry but real folders, as (file, path, trouble); `trouble` is set for folders that cannot be read."""
    waiting = [("", root)]
    while waiting:
        prefix, folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        except OSError as error:
            yield prefix.rstrip("/"), folder, f"cannot be read: {error.strerror or error}"
            continue
        for name, is_folder in found:
            file = prefix + name
            if name.startswith(".") or (ignored and ignored.match_file(f"{file}/" if is_folder else file)):
                continue
            if is_folder:
                waiting.append((f"{file}/", folder / name))
            else:
                yield file, folder / name, ""


def _look(file: str, path: Path, root: Path, settings: ReadingSettings) -> Candidate | Skipped:
    try:
        if path.is_symlink():
            trouble = _link_trouble(path, root)
            if trouble:
                return Skipped(file, trouble)
        seen = path.stat()
    except OSError as error:
        return Skipped(file, f"cannot be read: {error.strerror or error}")
    kind = next((name for test, name in _KINDS if test(seen.st_mode)), "")
    if kind:
        return Skipped(file, f"{kind}, not a file")
    if seen.st_size == 0:
        return Skipped(file, EMPTY)
    if seen.st_size > settings.max_file_mb * _MEGABYTE:
        return Skipped(file, _too_large(seen.st_size, settings))
    return Candidate(file, path, seen.st_size)


def _link_trouble(path: Path, root: Path) -> str:
    """Why a symbolic link is not followed, or ""."""
    try:
        target = path.resolve(strict=True)
    except FileNotFoundError:
        return "a symbolic link to nothing"
    except (OSError, RuntimeError):
        return "a symbolic link that leads back to itself"
    if not target.is_relative_to(root):
        return "a symbolic link out of the folder"
    return "a symbolic link to a folder" if target.is_dir() else ""


def _too_large(size: int, settings: ReadingSettings) -> str:
    return f"{size / _MEGABYTE:.1f} MB, over the limit of {settings.max_file_mb} MB (setting reading.max_file_mb)"


def _read_whole(path: Path, limit: int) -> bytes | None:
    """All bytes, or one more than `limit`; None when the file changed meanwhile. A pipe in its place never blocks."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, "rb") as stream:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise OSError(None, "no longer an ordinary file")
        data = stream.read(limit + 1)
        after = os.fstat(descriptor)
    unchanged = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    return data if unchanged and len(data) == min(after.st_size, limit + 1) else None


def _by_name(found: Candidate | Skipped) -> bytes:
    return os.fsencode(found.file)


def _why_none(skipped: tuple[Skipped, ...]) -> str:
    if not skipped:
        return ""
    first = skipped[0]
    others = f", and {len(skipped) - 1} more skipped" if len(skipped) > 1 else ""
    return f" that can be read ({first.file!r}: {first.reason}{others})"

"""Hashing, atomic writing, and the memory of hashes that have been checked."""

from __future__ import annotations

import glob
import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BLOCK = 4 << 20
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long step is: bytes of `total_bytes` (0: not known), and what is being done, for the user."""

    done_bytes: int
    total_bytes: int
    what: str


Report = Callable[[Progress], None]


def ignore_progress(progress: Progress) -> None:
    """Take a progress report and show nothing."""


def size_of(path: Path) -> int:
    """Size in bytes; 0 when there is no such file."""
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0


def sha256_of(path: Path, *, report: Report = ignore_progress) -> str:
    """SHA-256 of the whole file, lower-case hex. Raises OSError."""
    digest, buffer, done = hashlib.sha256(), memoryview(bytearray(BLOCK)), 0
    total = path.stat().st_size
    with path.open("rb", buffering=0) as stream:
        while count := stream.readinto(buffer):
            digest.update(buffer[:count])
            done += count
            report(Progress(done, total, f"checking {path.name}"))
    return digest.hexdigest()


def publish(part: Path, target: Path) -> None:
    """Rename `part` to `target` so that a crash leaves the old or the new state. Raises OSError."""
    with part.open("rb+") as stream:
        os.fsync(stream.fileno())
    part.replace(target)
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def write_atomically(path: Path, text: str, *, durable: bool = True) -> None:
    """Replace the content of `path` by `text` (UTF-8), whole or not at all.

    Unless `durable`, a power cut soon after may leave it empty. Raises OSError.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        if durable:
            publish(Path(name), path)
        else:
            Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


class HashMemory:
    """SHA-256 sums that were computed before, kept in one JSON file and valid while the file's stat is the same.

    The key is the real path; size, modification time, change time and inode must all agree, so touching, editing or
    replacing the file makes it be hashed again. Whoever can write this file could replace the program as well: it saves
    time, it is no defence. It is never needed: when it cannot be read or written, files are hashed each time.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def sha256(self, path: Path, *, fresh: bool = False, report: Report = ignore_progress) -> str:
        """SHA-256 of the file, from memory if it has not been touched since (never with `fresh`). Raises OSError."""
        path = Path(os.path.realpath(path))
        before = _fingerprint(path)
        if not fresh and (known := self.recall(path)):
            return known
        found = sha256_of(path, report=report)
        if _fingerprint(path) == before:
            self._store(path, _entry(before, found))
        return found

    def remember(self, path: Path, sha256: str) -> None:
        """Note the SHA-256 of a file that was hashed under another name and has just been renamed. Raises OSError."""
        path = Path(os.path.realpath(path))
        self._store(path, _entry(_fingerprint(path), sha256))

    def recall(self, path: Path) -> str | None:
        """Return the remembered SHA-256 if the file is there and untouched, else None. Nothing is hashed."""
        path = Path(os.path.realpath(path))
        entry = self._entries().get(str(path))
        if not isinstance(entry, dict) or not isinstance(entry.get("sha256"), str):
            return None
        try:
            return entry["sha256"] if _entry(_fingerprint(path), entry["sha256"]) == entry else None
        except OSError:
            return None

    def _entries(self) -> dict[str, Any]:
        if self.path is None:
            return {}
        try:
            entries = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            log.debug("hash memory not read: %s", error)
            return {}
        return entries if isinstance(entries, dict) else {}

    def _store(self, path: Path, entry: dict[str, Any]) -> None:
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Left by a kill; should another process be writing one just now, it hashes its file once more another time.
            for unfinished in self.path.parent.glob(f".{glob.escape(self.path.name)}.*.part"):
                unfinished.unlink(missing_ok=True)
            text = json.dumps({**self._entries(), str(path): entry}, indent=1, sort_keys=True)
            write_atomically(self.path, text, durable=False)
        except OSError as error:
            log.debug("hash memory not written: %s", error)


def _entry(fingerprint: Mapping[str, int], sha256: str) -> dict[str, Any]:
    """What is stored of a file; `check` tells one that is damaged: a good model would be refused for it."""
    fields = {**fingerprint, "sha256": sha256}
    return {**fields, "check": hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]}


def _fingerprint(path: Path) -> dict[str, int]:
    stat = path.stat()
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "ctime_ns": stat.st_ctime_ns, "inode": stat.st_ino}

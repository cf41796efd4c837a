"""What a writer has done of a generation that is not whole yet, so that the next one goes on after a kill.

``PENDING.jsonl`` gets a line for each segment as soon as it is on the disk: the segment, and the files of the folder
that are done with it. A line ends with a part of its own hash; what a kill left of a line is passed over.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rag_geo.index.disk import Disk
from rag_geo.index.manifest import Source

PENDING = "PENDING.jsonl"


class Pending(NamedTuple):
    """A segment that is on the disk, and the sources that are done with it."""

    segment: str
    sources: tuple[Source, ...]


def note_pending(index_dir: Path, disk: Disk, done: Pending) -> None:
    """Add a line; durable when it returns. What is there and cannot be read gives way."""
    text = json.dumps([done.segment, [source.to_json() for source in done.sources]], separators=(",", ":"))
    path, data = index_dir / PENDING, f"{text}\t{_check(text)}\n".encode("ascii")
    try:
        disk.append(path, data)
    except (IsADirectoryError, PermissionError):
        disk.remove(path)
        disk.append(path, data)


def read_pending(index_dir: Path) -> Sequence[Pending]:
    """Every line that is whole; none when there is no file that can be read."""
    try:
        lines = (index_dir / PENDING).read_bytes().split(b"\n")
    except OSError:
        return ()
    found = []
    for each in lines:
        text, _, check = each.decode("ascii", "replace").rpartition("\t")
        if not text or check != _check(text):
            continue
        segment, sources = json.loads(text)
        found.append(Pending(segment, tuple(Source.from_json(source) for source in sources)))
    return found


def _check(text: str) -> str:
    return hashlib.sha256(text.encode("ascii", "replace")).hexdigest()[:16]

"""Indexes on small disks: ``python tests/full_disk.py ROOT WHAT SIZE...`` in a mount namespace of its own.

For each size (bytes) a disk is made at ROOT/disk, with the index of ROOT on it, which is then updated or made anew
from its own texts, or with none, when WHAT is "first". A line of JSON says what became of it, and what with more room.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from rag_geo import cli
from rag_geo.errors import IndexMissingError
from rag_geo.index import Index
from rag_geo.session import Edges
from rag_geo.testing import HashEmbedder


@contextmanager
def disk(place: Path, size: int) -> Iterator[Path]:
    """An empty disk of so many bytes."""
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def command(*arguments: str) -> tuple[int, str]:
    """The exit code of a command, and what it says of errors."""
    with CliRunner().isolation() as (_out, err, _both):
        code = cli.run(arguments, Edges({}, load_embedder=lambda _: HashEmbedder()))
        return code, err.getvalue().decode()


def texts(path: Path) -> dict[str, str] | None:
    """What the index gives."""
    try:
        index = Index.open(path, HashEmbedder())
    except IndexMissingError:
        return None
    return {entry.file: index.document(entry.file).text for entry in index.documents}


def outcome(root: Path, what: str, size: int) -> dict[str, Any]:
    with disk(root / "disk", size) as place:
        path = place / "index"
        if what != "first":
            shutil.copytree(root / "index", path)
        before = texts(path)
        arguments = ["rebuild"] if what == "rebuild" else ["index", str(root / "documents")]
        code, said = command(*arguments, "--index", str(path))
        after = texts(path)
        left = sorted(each.name for each in path.rglob("*") if each.name.startswith(("building-", "CURRENT.")))
        # With room again it comes to its end.
        subprocess.run(["mount", "-o", "remount,size=64m", str(place)], check=True)
        again = command(*arguments, "--index", str(path))[0]
        return {
            "size": size, "code": code, "said": said, "same": after == before, "there": after is not None,
            "left": left, "again": again, "end": texts(path),
        }  # fmt: skip


if __name__ == "__main__":
    where = Path(sys.argv[1])
    for each in sys.argv[3:]:
        print(json.dumps(outcome(where, sys.argv[2], int(each))), flush=True)  # noqa: T201

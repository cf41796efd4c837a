"""Which of the prompts' states that were read once and kept on disk (`rag_geo.llm`) are still worth their place."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

MOST = 8
"""States that are kept; each is some 15 to 40 MB."""

SPARED = 4
"""The states used last are kept whatever their age: a run needs four, one for each kind of prompt."""

MAX_AGE_S = 30 * 24 * 3600
"""A state of other prompts, of another model or of another library version is not used again, and goes after this."""


def sweep_states(folder: Path, now: float) -> tuple[Path, ...]:
    """Remove the states in `folder` that nobody has used for long, and all but those used last; gives what it removed.

    A state was used when it was last read or written, as far as the file system notes reading (Linux does to the day).
    `now` is in seconds since 1970. What cannot be removed stays; nothing is raised: a state only saves time.
    """
    used = sorted(((_used(path), path) for path in folder.glob("*.state")), reverse=True)
    gone = [path for at, (time, path) in enumerate(used) if at >= MOST or (at >= SPARED and now - time > MAX_AGE_S)]
    # What a process left behind that died while it wrote.
    gone += [path for path in folder.glob("*.part*") if now - _used(path) > MAX_AGE_S]
    return tuple(path for path in gone if _removed(path))


def _used(path: Path) -> float:
    with suppress(OSError):
        known = path.stat()
        return max(known.st_atime, known.st_mtime)
    return 0.0


def _removed(path: Path) -> bool:
    with suppress(OSError):
        path.unlink()
        return True
    return False

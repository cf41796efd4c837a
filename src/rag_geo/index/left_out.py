"""Files that stay on the disk but are left out of the index: a list of paths beside the generations.

``left-out.txt`` has a path a line, relative to the indexed folder with "/"; lines that begin with ``#`` are comments. A
path that could not stand so (line breaks, spaces at its ends, bytes that are no UTF-8, a ``#`` or ``"`` at its
beginning) is written as a JSON string. The list may be edited by hand; it holds from the next update on, and outlives
a rebuild.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from rag_geo.errors import ResourceError, UsageError
from rag_geo.models.files import write_atomically

NAME = "left-out.txt"
REASON = "left out on your wish (rag-geo leave-out --undo takes it back)"
"""Why a file on the list is not in the index."""

_HEAD = "# Files that are left out of the index: rag-geo leave-out FILE, and --undo FILE to take one back.\n"


def read_left_out(index_dir: Path) -> tuple[str, ...]:
    """The files on the list, in order; none when there is no list.

    Raises UsageError for a list that is no UTF-8 text or has a line that is no path, ResourceError when it cannot be
    read: a file that was taken out must not come back for it.
    """
    path = index_dir / NAME
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except UnicodeDecodeError as error:
        raise UsageError(f"{str(path)!r} is no text in UTF-8", hint="mend or remove the file") from error
    except OSError as error:
        raise ResourceError(f"{str(path)!r} cannot be read: {error.strerror}", hint="check its permissions") from error
    found = (_file(line, number, path) for number, line in enumerate(lines, 1) if line.strip() and line[0] != "#")
    return tuple(dict.fromkeys(found))


def change_left_out(index_dir: Path, *, more: Iterable[str] = (), fewer: Iterable[str] = ()) -> tuple[str, ...]:
    """Put files on the list and take others off it; gives the list as it is then.

    Raises what `read_left_out` raises, ResourceError when it cannot be written, and UsageError for a file of `fewer`
    that is not on it; the list is as it was then.
    """
    from filelock import FileLock

    path = index_dir / NAME
    try:
        index_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(index_dir / f"{NAME}.lock"):
            now = read_left_out(index_dir)
            away = frozenset(fewer)
            unknown = sorted(away.difference(now))
            if unknown:
                raise UsageError(f"{unknown[0]!r} is not left out", hint="rag-geo leave-out lists what is")
            then = tuple(dict.fromkeys(file for file in (*now, *more) if file not in away))
            if then != now:
                write_atomically(path, _HEAD + "".join(f"{_line(file)}\n" for file in then))
            return then
    except OSError as error:
        raise ResourceError(
            f"{str(path)!r} cannot be written: {error.strerror or error}", hint="free space, or check the folder"
        ) from error


def _line(file: str) -> str:
    plain = file.isprintable() and file == file.strip() and file[0] not in '#"'
    return file if plain else json.dumps(file)


def _file(line: str, number: int, path: Path) -> str:
    line = line.removesuffix("\r")
    try:
        file = json.loads(line) if line.startswith('"') else line
    except ValueError as error:
        raise UsageError(f"{str(path)!r} line {number} is no path", hint="mend or remove the line") from error
    return str(file)

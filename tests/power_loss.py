"""What a power cut may leave of a folder: the changes that a program makes are recorded, and states built from them.

A file system promises little. What was written to a file may be lost, or be there in part, until the file is synced;
a name that was made, changed or removed may be the old or the new one until its folder is synced, whatever became of
other names. Only a rename is one step. `recorded` notes what a program asks of the operating system, however it asks;
`Wreck` is the folder at one moment of it, and `Wreck.states` are what may be found there when the power is back.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rag_geo.index.disk import Disk

Tree = dict[str, Any]
"""A folder: by name the content of a file, or another folder."""


@dataclass(frozen=True)
class Step:
    """One change: `what` is "folder", "file", "content", "sync", "rename" or "gone"; paths are below the root."""

    what: str
    path: str
    new: str = ""
    content: bytes = b""


@dataclass
class Log:
    """The folder as it was, all of it on the disk, and every step since."""

    root: Path
    before: Tree
    steps: list[Step] = field(default_factory=list)
    written: dict[str, bytes] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.steps)

    def path(self, path: Any, folder: int | None = None) -> str | None:
        """The path below the root, None for one that is elsewhere."""
        if isinstance(path, int):
            path = os.readlink(f"/proc/self/fd/{path}")
        elif folder is not None:
            path = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), path)
        path = os.path.abspath(os.fspath(path))
        if path == str(self.root):
            return "."
        return os.path.relpath(path, self.root) if path.startswith(f"{self.root}{os.sep}") else None

    def look(self) -> None:
        """Note what was written to files since the last look."""
        for name, known in list(self.written.items()):
            found = (self.root / name).read_bytes()
            if found != known:
                self.written[name] = found
                self.steps.append(Step("content", name, content=found))

    def note(self, step: Step) -> None:
        """Add a step that was done, before which was looked."""
        self.steps.append(step)
        if step.what == "gone":
            self.written.pop(step.path, None)
        if step.what == "rename":
            for name in [name for name in self.written if f"{name}/".startswith(f"{step.path}/")]:
                self.written[step.new + name[len(step.path) :]] = self.written.pop(name)


@contextmanager
def recorded(root: Path) -> Iterator[Log]:
    """Note every change below `root` that this process makes through `os`, which is all that Python offers for it."""
    log = Log(root, tree_of(root))
    found = _Calls(log)
    calls = {name: getattr(found, name) for name in ("open", "fsync", "mkdir", "replace", "unlink", "rmdir")}
    with patch.multiple(os, **calls, rename=found.replace, remove=found.unlink):
        yield log
        log.look()


class _Calls:
    """The functions of `os` that change a folder, as they are and noted down."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._open, self._mkdir, self._replace = os.open, os.mkdir, os.replace
        self._unlink, self._rmdir = os.unlink, os.rmdir

    def open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        name = self._log.path(path, dir_fd)
        if name is None or not flags & (os.O_WRONLY | os.O_RDWR):
            return self._open(path, flags, mode, dir_fd=dir_fd)
        self._log.look()
        file = self._log.root / name
        before = file.read_bytes() if file.exists() else None
        opened = self._open(path, flags, mode, dir_fd=dir_fd)
        if before is None:
            self._log.note(Step("file", name))
        self._log.written[name] = before or b""
        self._log.look()
        return opened

    def fsync(self, descriptor: int) -> None:
        """Only noted: the power does not really go."""
        self._log.look()
        name = self._log.path(descriptor)
        if name is not None:
            self._log.note(Step("sync", name))

    def mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        self._log.look()
        self._mkdir(path, mode, dir_fd=dir_fd)
        if (name := self._log.path(path, dir_fd)) is not None:
            self._log.note(Step("folder", name))

    def replace(self, old: Any, new: Any, **_: Any) -> None:
        self._log.look()
        self._replace(old, new)
        if (name := self._log.path(old)) is not None:
            self._log.note(Step("rename", name, self._log.path(new) or ""))

    def unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._gone(self._unlink, path, dir_fd)

    def rmdir(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._gone(self._rmdir, path, dir_fd)

    def _gone(self, call: Any, path: Any, folder: int | None) -> None:
        name = self._log.path(path, folder)
        self._log.look()
        call(path, dir_fd=folder)
        if name is not None:
            self._log.note(Step("gone", name))


def tree_of(folder: Path) -> Tree:
    return {
        path.name: tree_of(path) if path.is_dir() else path.read_bytes()
        for path in sorted(folder.iterdir())
        if not path.is_symlink()
    }


def lay_out(tree: Tree, folder: Path) -> None:
    """Make a folder of a tree."""
    folder.mkdir()
    for name, content in tree.items():
        if isinstance(content, dict):
            lay_out(content, folder / name)
        else:
            (folder / name).write_bytes(content)


class _File:
    def __init__(self, content: bytes = b"") -> None:
        self.safe = content
        self.later: list[bytes] = []

    @property
    def now(self) -> bytes:
        return self.later[-1] if self.later else self.safe


class _Folder:
    def __init__(self, tree: Tree | None = None) -> None:
        self.safe: dict[str, _File | _Folder] = {
            name: _Folder(content) if isinstance(content, dict) else _File(content)
            for name, content in (tree or {}).items()
        }
        self.now = dict(self.safe)
        self.later: list[dict[str, _File | _Folder | None]] = []

    def change(self, names: dict[str, _File | _Folder | None]) -> None:
        self.later.append(names)
        _apply(self.now, names)


class Wreck:
    """The folder after some of the steps, and what of it is not on the disk."""

    def __init__(self, before: Tree, steps: Sequence[Step]) -> None:
        self._root = _Folder(before)
        for step in steps:
            self._do(step)
        self._folders = [node for node in self._all(self._root) if isinstance(node, _Folder)]
        self._names = [(folder, n) for folder in self._folders for n in range(len(folder.later))]
        self._files = [node for node in self._all(self._root) if isinstance(node, _File) and node.later]

    def states(self, rng: random.Random, some: int) -> Iterator[Tree]:
        """What may be left: all, nothing, all but one change, one change alone, one file torn, and `some` at random."""
        everything = range(len(self._names))
        yield self._left(set(everything), {})
        yield self._left(set(), self._written())
        for one in everything:
            yield self._left({one}, self._written())
            yield self._left(set(everything) - {one}, self._written())
        for file in self._files:
            for torn in _torn(file, rng):
                yield self._left(set(), self._written() | {file: torn})
        for _ in range(some):
            share = rng.random()
            lost = {one for one in everything if rng.random() < share}
            yield self._left(
                lost, {file: rng.choice([file.safe, *file.later, *_torn(file, rng)]) for file in self._files}
            )

    def _written(self) -> dict[_File, bytes]:
        return {file: file.now for file in self._files}

    def _left(self, lost: set[int], contents: dict[_File, bytes]) -> Tree:
        """The tree without the changes of names numbered in `lost`; files not in `contents` have what was synced."""
        numbers = {(id(folder), n): number for number, (folder, n) in enumerate(self._names)}

        def left(folder: _Folder) -> Tree:
            names = dict(folder.safe)
            for n, change in enumerate(folder.later):
                if numbers[id(folder), n] not in lost:
                    _apply(names, change)
            return {
                name: left(node) if isinstance(node, _Folder) else contents.get(node, node.safe)
                for name, node in sorted(names.items())
            }

        return left(self._root)

    def _do(self, step: Step) -> None:
        above, name = self._above(step.path)
        if step.what == "sync":
            node = above.now[name] if name else above
            if isinstance(node, _Folder):
                node.safe = dict(node.now)
            else:
                node.safe = node.now
            node.later.clear()
        elif step.what == "content":
            above.now[name].later.append(step.content)
        elif step.what == "rename":
            there, new = self._above(step.new)
            assert there is above, "a rename from one folder to another is two changes"
            above.change({name: None, new: above.now[name]})
        else:
            above.change({name: {"folder": _Folder, "file": _File}.get(step.what, lambda: None)()})

    def _above(self, path: str) -> tuple[_Folder, str]:
        *above, name = [""] if path == "." else path.split("/")
        node = self._root
        for each in above:
            node = node.now[each]
        return node, name

    def _all(self, folder: _Folder) -> Iterator[_File | _Folder]:
        """Everything that may be in the folder, also what was removed and may come back, each once."""
        seen: dict[int, _File | _Folder] = {}
        waiting: list[_File | _Folder] = [folder]
        while waiting:
            node = waiting.pop(0)
            if id(node) in seen:
                continue
            seen[id(node)] = node
            if isinstance(node, _Folder):
                waiting += [each for names in (node.safe, *node.later) for each in names.values() if each is not None]
        return iter(seen.values())


def _apply(names: dict[str, Any], change: dict[str, Any]) -> None:
    for name, node in change.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


def _torn(file: _File, rng: random.Random) -> Iterator[bytes]:
    """What may stand in a file that was not synced: a beginning, zeros from somewhere on, old and new in turns."""
    now = file.now
    if not now:
        return
    at = rng.randrange(len(now))
    yield now[:at]
    yield now[:at] + bytes(len(now) - at)
    yield bytes(at) + now[at:]
    before = file.safe.ljust(len(now), b"\0")
    block = max(1, len(now) // rng.randint(2, 9))
    pieces = range(0, len(now), block)
    yield b"".join((now if rng.random() < 0.5 else before)[n : n + block] for n in pieces)[: len(now)]


class Killed(BaseException):
    """The process is gone."""


class Dying(Disk):
    """Does `left` operations of a kind, and then none any more, as when the process is killed before the next one."""

    def __init__(self, left: int, kind: str) -> None:
        self.left = left
        self.kind = kind

    def _live(self, kind: str) -> None:
        self.left -= kind == self.kind
        if self.left < 0:
            raise Killed

    def make_folder(self, path: Path) -> None:
        self._live("make_folder")
        super().make_folder(path)

    def write(self, path: Path, data: bytes) -> None:
        self._live("write")
        super().write(path, data)

    def append(self, path: Path, data: bytes) -> None:
        self._live("append")
        super().append(path, data)

    def sync_folder(self, path: Path) -> None:
        self._live("sync_folder")
        super().sync_folder(path)

    def rename(self, old: Path, new: Path) -> None:
        self._live("rename")
        super().rename(old, new)

    def remove(self, path: Path) -> None:
        self._live("remove")
        super().remove(path)

"""Tripwires in every process of Python started with `environment`: who loads, makes or starts what is foreign.

Each tells, through a named pipe, what came over it: a pickle, code that is not of an installed module nor made while
one is imported, another program, a connection, the cache of `diskcache`. A pipe, because a process that reads documents
may write nothing else.
"""

from __future__ import annotations

import json
import os
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

PIPE = "TRIPWIRES"
READER = "rag_geo.readers.process"
#: Where installed code lies; this file's folder is there for the tests' own programs.
INSTALLED = tuple({sys.base_prefix, sys.prefix, *sysconfig.get_paths().values(), str(Path(__file__).parents[1])})
#: Modules that compile annotations, and literals without running them.
OF_LANGUAGE = frozenset({"typing", "inspect", "ast"})
STARTS = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn"})
REACHES = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg"})


def environment(folder: Path, pipe: Path) -> dict[str, str]:
    """What a process needs in its environment to have the tripwires; `folder` is made, and holds what sets them up."""
    folder.mkdir()
    code = "import airgap_tripwires\nairgap_tripwires.set_up()\n"
    (folder / "sitecustomize.py").write_text(code, encoding="utf-8")
    return {"PYTHONPATH": os.pathsep.join((str(folder), str(Path(__file__).parent))), PIPE: str(pipe)}


@contextmanager
def listening(pipe: Path) -> Iterator[list[bytes]]:
    """What is written into a named pipe from now on, all of it at the end."""
    os.mkfifo(pipe)
    read = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    kept_open = os.open(pipe, os.O_WRONLY)
    os.set_blocking(read, True)
    said: list[bytes] = []

    def listen() -> None:
        while part := os.read(read, 1 << 16):
            said.append(part)

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield said
    finally:
        os.close(kept_open)
        thread.join()
        os.close(read)


def set_up() -> None:
    """Set them up in this process, before anything else is imported."""
    pipe = os.open(os.environ[PIPE], os.O_WRONLY)  # noqa: TID251

    def tell(kind: str, what: object, by: str = "") -> None:
        told = {"process": os.getpid(), "kind": kind, "what": str(what)[:200], "by": by}
        os.write(pipe, (json.dumps(told) + "\n").encode())

    tell("started", " ".join(sys.orig_argv))
    sys.addaudithook(lambda event, given: _look(event, given, tell))
    _watch_pickles(tell)
    if READER not in sys.orig_argv:
        _watch_caches(tell)


def _look(event: str, given: tuple[object, ...], tell: Callable[..., None]) -> None:
    if event in ("compile", "exec"):
        frames = list(_frames(sys._getframe(1).f_back))
        # Without a caller it is what the interpreter was started for.
        if frames and not _is_ours(event, given, frames):
            tell(event, given, " < ".join(map(_name, frames[:5])))
    elif event == "pickle.find_class":
        tell("pickle", given)
    elif event in STARTS:
        tell("starts", given)
    elif event in REACHES:
        tell("reaches", given[1:] if event == "socket.connect" else given)


def _is_ours(event: str, given: tuple[object, ...], frames: list[FrameType]) -> bool:
    return _is_installed(event, given) or _is_importing(frames) or _name(frames[0]) in OF_LANGUAGE


def _is_installed(event: str, given: tuple[object, ...]) -> bool:
    """Whether code comes from a file of what is installed."""
    file = given[1] if event == "compile" else getattr(given[0], "co_filename", "")
    file = os.fsdecode(file) if isinstance(file, str | bytes) else ""
    return file.startswith(INSTALLED) and os.path.isfile(file)


def _is_importing(frames: list[FrameType]) -> bool:
    return any(_name(frame) in ("importlib._bootstrap", "_frozen_importlib") for frame in frames)


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _name(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__"))


def _watch_pickles(tell: Callable[..., None]) -> None:
    """A pickle that names no class raises no event: whoever opens one is told of."""
    import pickle

    def noted(name: str) -> Callable[..., object]:
        original = getattr(pickle, name)

        def load(*given: object, **options: object) -> object:
            tell("pickle", name)
            return original(*given, **options)

        return load

    class Unpickler(pickle.Unpickler):
        def __init__(self, *given: object, **options: object) -> None:
            tell("pickle", "Unpickler")
            super().__init__(*given, **options)

    for name in ("load", "loads", "_load", "_loads"):
        setattr(pickle, name, noted(name))
    pickle.Unpickler = Unpickler


def _watch_caches(tell: Callable[..., None]) -> None:
    import diskcache

    def refuse(*_: object, **__: object) -> None:
        tell("diskcache", "Cache")
        raise RuntimeError("a cache of diskcache was made")

    diskcache.Cache.__init__ = refuse


def heard(said: str) -> list[Mapping[str, object]]:
    """What came through the pipe."""
    return [json.loads(line) for line in said.splitlines()]

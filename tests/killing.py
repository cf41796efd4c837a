"""Kill a process at a system call or at a moment, and see what is left: how, for the tests of it.

``strace`` kills: it is attached to a writer that waits for it, counts the calls of one kind that the writer makes, and
has it killed before the one that was asked for.
"""

from __future__ import annotations

import base64
import os
import pickle
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from killing_writers import BEGUN, COMMITTED, ENDED

CHANGING = (
    "write", "pwrite64", "writev", "pwritev", "pwritev2", "copy_file_range", "sendfile", "fallocate",
    "rename", "renameat", "renameat2", "fsync", "fdatasync", "sync_file_range", "truncate", "ftruncate",
    "unlink", "unlinkat", "rmdir", "mkdir", "mkdirat", "link", "linkat", "symlink", "symlinkat",
    "open", "creat", "openat", "close", "chmod", "fchmod", "fchmodat", "utimensat", "mknod", "mknodat",
)  # fmt: skip
"""System calls that change files or what is safe of them, and the closing of what was opened to be changed."""

_CALL = re.compile(r"(?:(?P<thread>\d+) +)?(?P<name>\w+)\((?P<rest>.*)")


class Point(NamedTuple):
    """Before the `number`-th call of `call` that a writer's first thread makes; `what` shows it."""

    call: str
    number: int
    what: str


class Writer:
    """One writer: it waits until it is told to `go`, and everything that it says is heard."""

    def __init__(self, process: subprocess.Popen[bytes], pid: int) -> None:
        self._process = process
        self._ended = False
        self.pid = pid
        self._handle = os.pidfd_open(pid)  # a number may be given to another process, this is for no other
        self.lines: list[str] = []
        self.result: Any = None
        self.committed = False

    def go(self) -> None:
        """Let it begin; it has read that it may when this returns, or the next writer would."""
        _tell(self._process, b"go")
        assert self.hear() == BEGUN, self.lines

    def hear(self) -> str:
        """The next line that it says, "" when it has ended."""
        assert self._process.stdout is not None
        while not self._ended:
            line = self._process.stdout.readline().decode("utf-8", "replace")
            assert line, "the process that forks the writers is gone"
            text = line.removesuffix("\n")
            if text.startswith(ENDED):
                self._ended = True
                self.code = int(text.removeprefix(ENDED))
                os.close(self._handle)
                break
            if line.startswith(COMMITTED):
                self.committed = True
                if value := text.removeprefix(COMMITTED):
                    self.result = pickle.loads(base64.b64decode(value))
            if text:
                self.lines.append(text)
                return text
        return ""

    def kill(self) -> None:
        """Kill it, unless it has ended."""
        if not self._ended:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def end(self) -> int:
        """Hear it to its end, and give its exit code; the number of a signal that killed it, below 0."""
        while self.hear():
            pass
        return self.code


class Writers:
    """Makes writers, one at a time, out of a process that has loaded everything (`killing_writers`)."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def start(self, what: str, **given: object) -> Writer:
        """A writer that waits for `go`."""
        _tell(self._process, base64.b64encode(pickle.dumps((what, given))))
        assert self._process.stdout is not None
        return Writer(self._process, int(self._process.stdout.readline()))

    def run(self, what: str, **given: object) -> Any:
        """What comes of a writer that nobody kills."""
        writer = self.start(what, **given)
        writer.go()
        assert writer.end() == 0, "\n".join(writer.lines)
        return writer.result

    def points(self, root: Path, what: str, *, everybody: bool = False, **given: object) -> list[Point]:
        """Every call with which a writer changes a file below `root`, in order.

        Only its first thread is looked at; with `everybody` also its others and their processes, which takes long, and
        AssertionError is raised when one of them changes a file there.
        """
        log = root.with_name(f"{root.name}.calls")
        writer = self.start(what, **given)
        calls = ",".join(f"?{each}" for each in CHANGING)
        with _traced(writer, log, "-y", "-s", "0", "-e", f"trace={calls}", *["-f"] * everybody):
            writer.go()
            assert writer.end() == 0, "\n".join(writer.lines)
        return list(_points(log.read_text("utf-8", "replace").splitlines(), writer.pid, root))

    def kill(self, point: Point, root: Path, what: str, **given: object) -> None:
        """Have a writer killed at a point; raises AssertionError when that is not how it ended."""
        log = root.with_name(f"{root.name}.calls")
        writer = self.start(what, **given)
        # Without --seccomp-bpf: with it no such kill ever came.
        inject = f"inject={point.call}:signal=SIGKILL:when={point.number}"
        with _traced(writer, log, "-y", "-s", "0", "-e", f"trace={point.call}", "-e", inject):
            writer.go()
            code = writer.end()
        assert code == -signal.SIGKILL, f"not killed at {point}, but ended with {code}: {writer.lines}"
        *_, last, dead = log.read_text("utf-8", "replace").splitlines()
        assert "killed by SIGKILL" in dead, f"killed at {point}, but not by strace"
        assert str(root) in last, f"killed elsewhere than {point}: {last}"


@contextmanager
def writers(folder: Path) -> Iterator[Writers]:
    """A process that makes writers, as long as the context lasts."""
    # A measurement of coverage would write files of its own, and take longer than what is measured.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}  # noqa: TID251
    env["NO_PROXY"] = "127.0.0.1,localhost"
    code = Path(__file__).with_name("killing_writers.py")
    process = subprocess.Popen(
        [sys.executable, str(code), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=env,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        said = b""
        while (line := process.stdout.readline()) != f"{ENDED}\n".encode():
            assert line, said.decode("utf-8", "replace")
            said += line
        yield Writers(process)
    finally:
        process.stdin.close()
        process.kill()
        process.wait()
        process.stdout.close()


def hindrance() -> str:
    """Why no process can be killed at a system call here, "" where it can."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as traced:
        try:
            with _strace(traced.pid, "-e", "trace=none"):
                traced.kill()
        except (FileNotFoundError, AssertionError) as error:
            traced.kill()
            return f"strace cannot trace here: {error}"
    return ""


@contextmanager
def _traced(writer: Writer, log: Path, *options: str) -> Iterator[None]:
    with _strace(writer.pid, "-o", str(log), *options):
        try:
            yield
        finally:
            writer.kill()


@contextmanager
def _strace(pid: int, *options: str) -> Iterator[None]:
    """Have ``strace`` attached to a process, which ends within the context."""
    with subprocess.Popen(["strace", "-p", str(pid), *options], stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        said = strace.stderr.readline()
        assert said.rstrip().endswith("attached"), said + strace.stderr.read()
        yield


def _points(lines: list[str], first_thread: int, root: Path) -> Iterator[Point]:
    counts: Counter[str] = Counter()
    opened: set[str] = set()
    for line in lines:
        if (match := _CALL.fullmatch(line)) is None:
            continue  # the end of a call, or of a process
        call, rest = match["name"], match["rest"]
        mine = match["thread"] in (None, str(first_thread))
        if mine:
            counts[call] += 1
        if str(root) not in rest or not _changes(call, rest, opened):
            continue
        assert mine, f"another thread or process changes a file: {line}"
        yield Point(call, counts[call], f"{call} {rest}".replace(str(root), root.name))


def _changes(call: str, rest: str, opened: set[str]) -> bool:
    """Whether a call changes something; `opened` are files that were opened to be changed."""
    if call in ("open", "openat", "creat"):
        changes = call == "creat" or re.search(r"\bO_(CREAT|TRUNC|WRONLY|RDWR|APPEND)\b", rest) is not None
        if changes and (path := re.search(r'"([^"]+)"', rest)):
            opened.add(path[1])
        return changes
    if call == "close":
        path = re.match(r"\d+<([^>]+)>", rest)
        return path is not None and path[1] in opened
    return True


def _tell(process: subprocess.Popen[bytes], line: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(line + b"\n")
    process.stdin.flush()

"""Run a command as a user would, and measure it from outside: time, time to a line, memory."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """One finished process: seconds to its end and to the awaited line of standard error, and its peak memory.

    `line_s` is NaN when the line did not come. `peak_mb` is the largest resident set (10^6 bytes), pages of mapped
    files such as a model included.
    """

    seconds: float
    line_s: float
    peak_mb: float
    output: str


class CommandFailedError(Exception):
    """A command that is to be measured failed; the message says what it said."""


def run(command: Sequence[str], line: str = "", *, ok: Sequence[int] = ()) -> Run:
    """Run a command to its end; `line` is a part of the line of standard error whose time is wanted.

    The peak is the child's own only while this process is smaller: the kernel hands the peak of the parent down.
    Raises `CommandFailedError` when its exit code is neither 0 nor one of `ok`.
    """
    start = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        output: list[bytes] = []
        reader = threading.Thread(target=lambda stream: output.append(stream.read()), args=(child.stdout,))
        reader.start()
        line_s, said = float("nan"), []
        for each in child.stderr:
            if line and line_s != line_s and line.encode() in each:
                line_s = time.perf_counter() - start
            said.append(each)
        reader.join()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode and child.returncode not in ok:
        tail = b"".join(said[-5:]).decode("utf-8", "replace").strip()
        raise CommandFailedError(f"{' '.join(command)!r} ended with exit code {child.returncode}: {tail}")
    return Run(seconds, line_s, usage.ru_maxrss * 1024 / 1e6, b"".join(output).decode("utf-8", "replace"))

"""A command line program as a process: signals to exit codes, and an end that neither hangs nor complains."""

from __future__ import annotations

import io
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn, TextIO

from rag_geo.errors import ResourceError

INTERRUPTED = 130
CLOSED_PIPE = 141
TERMINATED = 143

GRACE_S = 1.5
"""After Ctrl-C or SIGTERM the process ends itself when native code has not let Python react by then."""


_patience = [0.0]
"""Seconds after a signal in which the program ends itself in order (see `allow`)."""


def allow(seconds: float) -> None:
    """Have the process wait so long after Ctrl-C or SIGTERM, for an end in order; a second one ends it at once."""
    _patience[0] = seconds


class Terminated(BaseException):
    """SIGTERM came; not an Exception, so that nothing on the way takes it for a failure."""


def run_process(run: Callable[[], int], *, grace_s: float = GRACE_S) -> NoReturn:
    """Call `run` and end the process with the exit code it gives.

    Ctrl-C is exit code 130, SIGTERM 143, a reader of standard output that went away 141. All three are quiet. Any
    other exception is left to the interpreter: a traceback, exit code 1. What cannot be written to standard error is
    dropped.
    """
    _watch_signals(grace_s)
    _open_missing()
    sys.stdout, sys.stderr = _through(sys.stdout, _Results), _through(sys.stderr, _Notes)
    try:
        code = run()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Terminated:
        code = TERMINATED
    _leave(code)


def _open_missing() -> None:
    """Have an output that the process was started without go nowhere; its number is then not given to another file."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, os.O_WRONLY)
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115 - for good


class _Results(io.BufferedWriter):
    """Standard output; a disk that is full is the user's to mend.

    Its methods raise `BrokenPipeError`, and `ResourceError` for any other failure.
    """

    def write(self, data: Any, /) -> int:  # noqa: ANN401 - any buffer
        """See `io.BufferedWriter.write`."""
        try:
            return super().write(data)
        except OSError as error:
            raise _failure(error) from error

    def flush(self) -> None:
        """See `io.BufferedWriter.flush`."""
        try:
            super().flush()
        except OSError as error:
            raise _failure(error) from error


def _failure(error: OSError) -> Exception:
    if isinstance(error, BrokenPipeError):
        return error
    what = f"standard output cannot be written: {error.strerror}"
    return ResourceError(what, hint="free space, or write to another place")


class _Notes(io.BufferedWriter):
    """Standard error; that its disk is full or its reader gone stops no work: what cannot be written is dropped."""

    def write(self, data: Any, /) -> int:  # noqa: ANN401 - any buffer
        """See `io.BufferedWriter.write`."""
        with suppress(OSError):
            return super().write(data)
        return len(data)

    def flush(self) -> None:
        """See `io.BufferedWriter.flush`."""
        with suppress(OSError):
            super().flush()


def _through(stream: TextIO, kind: type[io.BufferedWriter]) -> TextIO:
    """Give the same stream, written by another kind of writer."""
    # Not another kind of file below it: an interrupt in a method of ours would have the bytes written once more.
    writer = kind(io.FileIO(stream.fileno(), "w", closefd=False))
    lines = writer.isatty() or kind is _Notes
    return io.TextIOWrapper(writer, encoding=stream.encoding, errors="backslashreplace", line_buffering=lines)


def _terminate(_number: int, _frame: object) -> NoReturn:
    raise Terminated


def _watch_signals(grace_s: float) -> None:
    """Make SIGTERM an orderly end, and watch over both signals from a thread.

    Python runs its signal handlers between byte codes of the main thread, which may be deep in native code; the
    wake-up descriptor is written at once, whatever the main thread does.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.signal(signal.SIGTERM, _terminate)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)

    def watch() -> None:
        with reader, writer:
            while (number := reader.recv(1)[0]) not in (signal.SIGINT, signal.SIGTERM):
                pass
            if _patience[0] > grace_s:
                reader.settimeout(_patience[0])
                with suppress(TimeoutError):
                    number = (reader.recv(1) or bytes([number]))[0]
            else:
                time.sleep(grace_s)
            os._exit(128 + number)

    threading.Thread(target=watch, daemon=True, name="signals").start()


def _leave(code: int) -> NoReturn:
    """End the process. After an interrupt, threads that still load or compute are not waited for."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = CLOSED_PIPE
    except ResourceError as error:
        code = code or error.exit_code
    if code in (CLOSED_PIPE, ResourceError.exit_code):
        # The interpreter flushes once more when it ends, and would complain: give it somewhere to write to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if code in (INTERRUPTED, TERMINATED):
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)

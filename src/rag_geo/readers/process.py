"""Readers in a process of their own: a file that kills its reader, or never ends, costs one file and nothing else.

The process is started by ``python -P -m rag_geo.readers.process SETTINGS``, gives up what reading does not need
(`rag_geo.readers.confinement`) and says in a line of JSON what of that it could not. Then it is asked through its
standard input: a line of JSON (name, hash, number of bytes), then the bytes. It answers with a line of JSON for each
result.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict
from threading import Timer
from types import TracebackType
from typing import IO, Any, Self

from rag_geo.readers import read_file
from rag_geo.readers.as_json import details_of, document_from, line, paragraphs_of
from rag_geo.readers.confinement import allow_processor_time, confine
from rag_geo.records import Document, Skipped
from rag_geo.settings import ReadingSettings

MEMORY_BYTES = 4 << 30
"""Address space of a reader."""

PROCESSOR_S, PROCESSOR_S_PER_MB = 20.0, 10.0
"""How long the processor may work for one file, and how much longer for each megabyte of it: the densest good files,
PDFs of nothing but text, take up to 8 s a megabyte on a core of 2023."""

OCR_TIMES = 10
"""How much longer a file may take when its pages are read as pictures, a second or two each."""

TIMEOUT_S = 120.0
"""How long a small file may take by the clock."""

LINE_BYTES = 1 << 30
"""The longest answer that is taken from a reader."""

Results = tuple[Document | Skipped, ...]


class ReaderFailedError(Exception):
    """A reader did not get to its end with a file; the message is the reason for the user. Another try may do."""


class ReaderProcess:
    """One process that reads files, started when the first is read and started again when one has killed it.

    A small file may take `timeout_s`. Not for several threads at once.
    """

    def __init__(self, settings: ReadingSettings | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self._settings = settings or ReadingSettings()
        # -P, so that no file of the working directory is taken for a module.
        self._command = [sys.executable, "-P", "-m", __name__, json.dumps(asdict(self._settings))]
        self._timeout_s = timeout_s
        self._unconfined: tuple[str, ...] | None = None
        self._said_hello = False
        self._errors: IO[bytes] | None = None
        self._ended = False
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, file: str, data: bytes, sha256: str = "") -> Results:
        """What `rag_geo.readers.read_file` gives; raises ReaderFailedError when the process dies or takes too long."""
        if self._ended:
            raise ReaderFailedError("not read: interrupted")
        process = self._process = self._process or self._start()
        assert process.stdin is not None
        late: list[bool] = []

        def end() -> None:
            late.append(True)
            process.kill()

        seconds = allowed_s(self._timeout_s, 2 * len(data), self._settings)
        timer = Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            with suppress(BrokenPipeError):
                process.stdin.write(line([file, sha256, len(data)]) + data)
                process.stdin.flush()
            found = self._answer(process, file)
        finally:
            timer.cancel()
        if found is None:
            why = f"takes longer than {seconds:.0f} s to read" if late else self._why_dead()
            self.close()
            raise ReaderFailedError(why)
        return found

    def unconfined(self) -> tuple[str, ...]:
        """In words, what keeps readers from harm on other systems and not on this one; raises as `read`."""
        if self._unconfined is None:
            self.read("empty.txt", b"")
        assert self._unconfined is not None
        return self._unconfined

    def end(self) -> None:
        """Kill the process for good, also from another thread: what is being read is skipped, as all after it."""
        self._ended = True
        if (process := self._process) is not None:
            process.kill()

    def close(self) -> None:
        """End the process; the next file starts another one."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        if self._errors is not None:
            self._errors.close()
        self._process = self._errors = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> subprocess.Popen[bytes]:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._said_hello = False
        # A session of its own: Ctrl-C is for the program, which ends its readers itself.
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
        )

    def _answer(self, process: subprocess.Popen[bytes], file: str) -> Results | None:
        """The results for one file, or None when the process is gone or says what no reader says."""
        assert process.stdout is not None
        try:
            if not self._said_hello:
                self._unconfined = tuple(_value(process.stdout))
                self._said_hello = True
            return _results(process.stdout, file)
        except (ValueError, TypeError, LookupError, AttributeError):
            process.kill()
            return None

    def _why_dead(self) -> str:
        assert self._process is not None
        assert self._errors is not None
        code = self._process.wait()
        if code == -signal.SIGXCPU:
            return "takes too long to read, more of the processor than any good file of its size"
        if code == -signal.SIGABRT:
            return f"the reader gave up; it may need more than {MEMORY_BYTES >> 30} GB of memory"
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
        return f"the reader failed: {said or f'it ended with {code}'}"


def allowed_s(least: float, size: int, settings: ReadingSettings) -> float:
    """Seconds that a file of `size` bytes may take, if one of no size may take `least`."""
    return (least + PROCESSOR_S_PER_MB * size / 1e6) * (OCR_TIMES if settings.ocr else 1)


def _results(stream: IO[bytes], file: str) -> Results:
    """The results for one file; raises what reading something else as such raises.

    Only a reader that a file has taken over answers something else: it is not to bring down who asks, nor to speak for
    other files.
    """
    results: list[Document | Skipped] = []
    for _ in range(_value(stream)):
        name, *rest = _value(stream)
        if name != file and not name.startswith(f"{file}/"):
            raise ValueError("a result for another file")
        results.append(Skipped(name, str(rest[0])) if len(rest) == 1 else document_from(name, *rest))
    return tuple(results)


def _value(stream: IO[bytes]) -> Any:  # noqa: ANN401 - what a line of JSON holds
    text = stream.readline(LINE_BYTES)
    if not text.endswith(b"\n"):
        raise ValueError("the stream has ended")
    return json.loads(text)


def main(settings: str, given: IO[bytes], out: IO[bytes]) -> None:
    """Read files until there are no more."""
    chosen = ReadingSettings(**json.loads(settings))
    sys.excepthook = _end
    out.write(line(confine(MEMORY_BYTES)))
    out.flush()
    while head := given.readline():
        file, sha256, size = json.loads(head)
        data = given.read(size)
        allow_processor_time(allowed_s(PROCESSOR_S, size, chosen))
        try:
            results = read_file(file, data, chosen, sha256=sha256)
        except MemoryError:
            results = (Skipped(file, f"needs more than {MEMORY_BYTES >> 30} GB of memory to read"),)
        out.write(line(len(results)))
        for one in results:
            out.write(_line(one))
        out.flush()


def _end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say what was raised and go at once: what others have registered for the end may want to write, and would talk."""
    sys.__excepthook__(kind, error, trace)
    sys.stderr.flush()
    os._exit(1)


def _line(result: Document | Skipped) -> bytes:
    values: list[Any] = [result.file]
    if isinstance(result, Skipped):
        values.append(result.reason)
    else:
        values += [details_of(result), result.text, paragraphs_of(result)]
    return line(values)


if __name__ == "__main__":
    main(sys.argv[1], sys.stdin.buffer, sys.stdout.buffer)

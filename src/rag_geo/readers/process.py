"""Readers in a process of their own: a file that kills its reader, or never ends, costs one file and nothing else.

The process is started by ``python -P -m rag_geo.readers.process SETTINGS`` and is asked through its standard input: a
line of JSON (name, hash, number of bytes), then the bytes. It answers with a line of JSON for each result.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict
from threading import Timer
from typing import IO, Any, Self

from rag_geo.readers import read_file
from rag_geo.readers.as_json import details_of, document_from, line, paragraphs_of
from rag_geo.records import Document, Skipped
from rag_geo.settings import ReadingSettings

TIMEOUT_S = 120.0
"""How long one file may take; the largest that are allowed by default take a tenth of it."""

MEMORY_BYTES = 4 << 30
"""Address space of a reader."""

Results = tuple[Document | Skipped, ...]


class ReaderFailedError(Exception):
    """A reader did not get to its end with a file; the message is the reason for the user. Another try may do."""


class ReaderProcess:
    """One process that reads files, started when the first is read and started again when one has killed it.

    Not for several threads at once.
    """

    def __init__(self, settings: ReadingSettings | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        # -P, so that no file of the working directory is taken for a module.
        self._command = [sys.executable, "-P", "-m", __name__, json.dumps(asdict(settings or ReadingSettings()))]
        self._timeout_s = timeout_s
        self._errors: IO[bytes] | None = None
        self._ended = False
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, file: str, data: bytes, sha256: str = "") -> Results:
        """What `rag_geo.readers.read_file` gives; raises ReaderFailedError when the process dies or takes too long."""
        if self._ended:
            raise ReaderFailedError("not read: interrupted")
        process = self._process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        late: list[bool] = []

        def end() -> None:
            late.append(True)
            process.kill()

        timer = Timer(self._timeout_s, end)
        timer.daemon = True
        timer.start()
        try:
            with suppress(BrokenPipeError):
                process.stdin.write(line([file, sha256, len(data)]) + data)
                process.stdin.flush()
            found = _answer(process.stdout, file)
        finally:
            timer.cancel()
        if found is None:
            why = f"takes longer than {self._timeout_s:.0f} s to read" if late else self._why_dead()
            self.close()
            raise ReaderFailedError(why)
        return found

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
        # A session of its own: Ctrl-C is for the program, which ends its readers itself.
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
        )

    def _why_dead(self) -> str:
        assert self._process is not None
        assert self._errors is not None
        code = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
        return f"the reader failed: {said or f'it ended with {code}'}"


def _answer(stream: IO[bytes], file: str) -> Results | None:
    """The results for one file, or None when the process is gone."""
    head = stream.readline()
    if not head.endswith(b"\n"):
        return None
    results: list[Document | Skipped] = []
    for _ in range(json.loads(head)):
        text = stream.readline()
        if not text.endswith(b"\n"):
            return None
        name, *rest = json.loads(text)
        results.append(Skipped(name, rest[0]) if len(rest) == 1 else document_from(name, *rest))
    return tuple(results)


def main(settings: str, given: IO[bytes], out: IO[bytes]) -> None:
    """Read files until there are no more."""
    limit_memory(MEMORY_BYTES)
    chosen = ReadingSettings(**json.loads(settings))
    while head := given.readline():
        file, sha256, size = json.loads(head)
        data = given.read(size)
        try:
            results = read_file(file, data, chosen, sha256=sha256)
        except MemoryError:
            results = (Skipped(file, f"needs more than {MEMORY_BYTES >> 30} GB of memory to read"),)
        out.write(line(len(results)))
        for one in results:
            out.write(_line(one))
        out.flush()


def limit_memory(most: int) -> None:
    """Bound the address space of this process, where the system can."""
    try:
        import resource
    except ImportError:
        return
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _line(result: Document | Skipped) -> bytes:
    values: list[Any] = [result.file]
    if isinstance(result, Skipped):
        values.append(result.reason)
    else:
        values += [details_of(result), result.text, paragraphs_of(result)]
    return line(values)


if __name__ == "__main__":
    main(sys.argv[1], sys.stdin.buffer, sys.stdout.buffer)

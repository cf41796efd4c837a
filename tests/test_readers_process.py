"""Readers in a process of their own: what kills or holds up a reader costs one file."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from rag_geo.readers import process, read_file
from rag_geo.readers.process import ReaderFailedError, ReaderProcess
from rag_geo.records import Document, Skipped
from rag_geo.settings import ReadingSettings

TEXT = b"The mill was built in 1794.\n\nIt ground barley.\n"


@pytest.fixture
def reader():
    with ReaderProcess() as made:
        yield made


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("mill.md", TEXT),
        (os.fsdecode(b"n\xffme.txt"), TEXT),
        ("page.html", b"<title>Mill</title><p>It ground <b>barley</b>.<nav><p>Home</p></nav>"),
        ("a.json", json.dumps([{"title": "Mill", "body": "It ground barley until the flood came."}]).encode()),
        ("empty.txt", b""),
        ("a.bin", bytes(range(256)) * 9),
    ],
)
def test_it_gives_what_reading_here_gives(reader, name, data):
    assert reader.read(name, data) == read_file(name, data)


def test_it_reads_one_file_after_the_other_in_the_same_process(reader):
    reader.read("a.md", TEXT)
    first = reader._process.pid
    (document,) = reader.read("b.md", TEXT)
    assert isinstance(document, Document)
    assert reader._process.pid == first


def test_settings_reach_the_reader():
    data = json.dumps([{"name": "Mill", "body": "It ground barley until the flood came."}]).encode()
    with ReaderProcess(ReadingSettings(json_fields="name")) as reader:
        (document,) = reader.read("a.json", data)
    assert "barley" not in document.text


def test_a_reader_that_is_killed_costs_its_file_and_the_next_is_read(reader):
    reader.read("a.md", TEXT)
    os.kill(reader._process.pid, signal.SIGKILL)
    with pytest.raises(ReaderFailedError, match="ended with -9"):
        reader.read("b.md", TEXT)
    assert isinstance(reader.read("c.md", TEXT)[0], Document)


def test_a_reader_that_does_not_come_to_an_end_is_ended():
    with ReaderProcess(timeout_s=0.5) as reader:
        reader._process = reader._start()
        os.kill(reader._process.pid, signal.SIGSTOP)
        with pytest.raises(ReaderFailedError, match="takes longer than 1 s"):
            reader.read("b.md", TEXT)


def test_a_reader_that_is_ended_from_another_thread_reads_nothing_more(reader):
    reader.read("a.md", TEXT)
    os.kill(reader._process.pid, signal.SIGSTOP)
    threading.Timer(0.2, reader.end).start()
    started = time.monotonic()
    for name in ("b.md", "c.md"):
        with pytest.raises(ReaderFailedError):
            reader.read(name, TEXT)
    assert time.monotonic() - started < process.TIMEOUT_S / 2


def test_the_last_words_of_a_reader_that_fails_are_told(reader):
    reader._command = [sys.executable, "-c", "raise SystemError('out of paper')"]
    with pytest.raises(ReaderFailedError, match="the reader failed: SystemError: out of paper"):
        reader.read("a.md", TEXT)


def test_what_needs_too_much_memory_is_skipped_and_the_next_is_read():
    code = (
        "import sys; from rag_geo.readers import process as p; p.MEMORY_BYTES = 1 << 29\n"
        "p.main('{}', sys.stdin.buffer, sys.stdout.buffer)"
    )
    with ReaderProcess() as reader:
        reader._command = [sys.executable, "-P", "-c", code]
        (big,) = reader.read("big.txt", b"word " * 60_000_000)
        assert big == Skipped("big.txt", "needs more than 0 GB of memory to read")
        assert isinstance(reader.read("a.md", TEXT)[0], Document)


def test_the_process_answers_on_its_output_and_ends_with_its_input():
    given = process.line(["a.md", "", len(TEXT)]) + TEXT + process.line(["e", "", 0])
    command = [sys.executable, "-P", "-m", "rag_geo.readers.process", "{}"]
    # In an empty environment: a measurement of coverage would want to write its file at the end.
    kept = subprocess.run(command, input=given, capture_output=True, check=True, env={})
    counts = [json.loads(each) for each in kept.stdout.splitlines()]
    assert counts[0] == []  # nothing that keeps it from harm is missing here
    assert counts[1] == 1
    assert counts[2][0] == "a.md"
    assert counts[3:] == [1, ["e", "empty"]]
    assert kept.stderr == b""

"""Questions are asked while the index is written, by one writer, by two, and by one that is killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from beacons import BEACONS, SENTENCE, lay_out
from rag_geo.index import Index, update_index
from rag_geo.index.manifest import generation_number
from rag_geo.testing import HashEmbedder

pytestmark = pytest.mark.crash

PROGRAM = [sys.executable, str(Path(__file__).parent / "beacons.py")]
ENVIRONMENT = os.environ  # noqa: TID251
READERS = 4


@pytest.fixture
def documents(tmp_path) -> Path:
    lay_out(tmp_path / "documents", 1)
    return tmp_path / "documents"


@pytest.fixture
def path(documents, tmp_path) -> Path:
    update_index(documents, tmp_path / "index", HashEmbedder(dimension=512))
    return tmp_path / "index"


def started(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=dict(ENVIRONMENT) | environment,
    )  # fmt: skip


class Progress:
    """What readers and writers told so far; `wait` until it is enough."""

    def __init__(self, least_s: float) -> None:
        self.answers: list[list[str]] = [[] for _ in range(READERS)]
        self.codes: list[int] = []
        self.kills = 0
        self.said = ""
        self._end = time.monotonic() + least_s
        self._told = threading.Condition()
        self._enough = False

    def tell(self, where: list[Any], what: Any) -> None:
        with self._told:
            where.append(what)
            self._told.notify_all()

    def wait(self) -> None:
        """Until each reader has met some generations, and the time is over."""
        with self._told:
            while not (
                len(self.codes) > 8
                and all(lines and cited(lines[0])[0] + 1 < cited(lines[-1])[0] for lines in self.answers)
                and time.monotonic() > self._end
            ):
                self._told.wait()
            self._enough = True

    @property
    def enough(self) -> bool:
        return self._enough

    def read(self, number: int, reader: subprocess.Popen[str]) -> None:
        for line in reader.stdout:
            self.tell(self.answers[number], line)

    def write(self, documents: Path, path: Path) -> None:
        """Write until it is enough; some changes after it began, the writer is killed, and another one goes on."""
        rng = random.Random(6)
        while not self._enough:
            with started("write", documents, path) as writer:
                for _ in range(rng.randint(2, 9)):
                    if not self._enough and (line := writer.stdout.readline()):
                        self.tell(self.codes, int(line))
                # At any moment of the next change, or of the one after it.
                threading.Event().wait(rng.random() * 0.3)
                writer.kill()
                self.said += writer.communicate()[1]
                self.kills += 1


def cited(line: str) -> tuple[int, set[int], set[str]]:
    """Of an answer the number of the generation, the codes that it cites, and the files."""
    generation, quotes = json.loads(line)
    codes = {int(found[2]) for _, quote in quotes for found in SENTENCE.finditer(quote)}
    return generation_number(generation), codes, {file for file, _ in quotes}


@pytest.mark.timeout(2000)
def test_every_answer_cites_one_generation_while_a_writer_publishes_and_is_killed(documents, path, rounds, counted):
    progress = Progress(rounds(0, 600))
    readers = [started("read", path) for _ in range(READERS)]
    threads = [threading.Thread(target=progress.write, args=(documents, path))]
    threads += [threading.Thread(target=progress.read, args=each) for each in enumerate(readers)]
    for each in threads:
        each.start()
    progress.wait()
    for each in readers:
        each.stdin.close()
    for each in threads:
        each.join()
    for each in readers:
        with each:
            assert each.stderr.read() == ""
        assert each.returncode == 0
    assert progress.said == ""
    several = 0
    for lines in progress.answers:
        before = (0, 0)
        for line in lines:
            generation, codes, files = cited(line)
            assert len(codes) == 1, line
            # Nor does what is newer go away again.
            assert (generation, *codes) >= before, line
            before = (generation, *codes)
            several += len(files) > 1
    answers = sum(map(len, progress.answers))
    assert several > answers // 2, "an answer from one file alone cannot show that two generations were mixed"
    lay_out(documents, 1)  # the last writer may have been killed while it wrote documents
    update_index(documents, path, HashEmbedder(dimension=512))
    index = Index.open(path)
    assert {index.document(f"{name}.md").text for name in BEACONS} == {
        (documents / f"{name}.md").read_text() for name in BEACONS
    }
    counted("answers while a writer publishes", answers)
    counted("generations published meanwhile", len(progress.codes))
    counted("writers killed meanwhile", progress.kills)


def second_writer(documents: Path, path: Path, **environment: str) -> tuple[int, str, int]:
    """Index while another does: the exit code, what is said, and the process number of the other."""
    lay_out(documents, 2)
    command = ("cli", "index", documents, "--index", path)
    with started(*command, HOLD="1", **environment) as first:
        assert "embedding" in first.stdout.readline()
        with started(*command, **environment) as second:
            _, said = second.communicate()
        first.communicate("go on\n")
        return second.returncode, said, first.pid


def test_a_second_writer_is_refused_with_the_number_of_the_first(documents, path):
    code, said, pid = second_writer(documents, path)
    assert code == 4
    assert f"is being written by process {pid}" in said
    assert "hint: wait until it is done" in said
    assert "code 2" in Index.open(path).document("north.md").text


def test_without_the_lock_two_writers_are_not_kept_apart(documents, path):
    """The control."""
    code, _, _ = second_writer(documents, path, UNLOCKED="1")
    assert code != 4


def test_the_lock_of_a_writer_that_was_killed_is_free(documents, path):
    lay_out(documents, 2)
    command = ("cli", "index", documents, "--index", path)
    with started(*command, HOLD="1") as first:
        assert "embedding" in first.stdout.readline()
        first.kill()
    assert first.returncode == -signal.SIGKILL
    assert (path / "WRITER").read_text() == f"{first.pid}\n"
    with started(*command) as second:
        second.communicate()
    assert second.returncode == 0
    assert "code 2" in Index.open(path).document("north.md").text

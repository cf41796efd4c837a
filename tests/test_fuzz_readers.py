"""Damaged files by the thousand, in every format, read as the product reads them: nothing hangs, dies or is raised.

`make fuzz` reads 1,000 of each and more, `make test` 100. A failure names the file by its number: `python -c "from
mutations import mutant; open('x.pdf', 'wb').write(mutant('pdf', 7).data)"` in this folder makes it again.
"""

from __future__ import annotations

import re
import resource
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mutations import PARSERS, Mutant, mutant, seeds
from rag_geo.readers import MODULES, process, read_file
from rag_geo.readers.process import ReaderFailedError, ReaderProcess
from rag_geo.records import Document, Paragraph, Skipped, Span

PARTS = 4
HANGS_S = 30.0
GOOD = ("good.md", b"# The mill\n\nIt ground barley until 1794.\n")
_KILLED = re.compile(r"the reader (?:failed: it ended with -?\d+|gave up; .+)|takes too long to read, .+")
_OUT_OF_MEMORY = re.compile(r"more than \d+ GB of memory|MemoryError")
# What a program says to its makers, and not to the one who uses it.
_NOT_IN_WORDS = re.compile(
    r"Traceback|\b[A-Z]\w*(?:Error|Exception|Warning)\b|<[a-z]|0x[0-9a-f]{6}|^\W*$|[\x00-\x1f\x7f]"
)


@dataclass
class Judged:
    """What came of the files of one run: how many there were, and of each that is not as it should be, why."""

    files: int = 0
    documents: int = 0
    refused: int = 0
    killed: int = 0
    wrong: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[int, str] = (0, "")


@pytest.fixture(scope="module")
def reader():
    """One process for all the files of a module, as for all those of a folder."""
    with ReaderProcess(timeout_s=HANGS_S) as made:
        yield made


def judge(reader: ReaderProcess, mutants: list[Mutant]) -> Judged:
    """Read each, and after each that has cost the reader its life a good one; and one at the end."""
    judged = Judged()
    for each in mutants:
        judged.files += 1
        started = time.monotonic()
        try:
            results = reader.read(each.name, each.data)
        except ReaderFailedError as error:
            if _KILLED.fullmatch(str(error)):
                judged.killed += 1
            else:
                judged.wrong.append(f"{each.recipe}: {error}")
            _read_good(reader, judged, each)
            continue
        judged.slowest = max(judged.slowest, (time.monotonic() - started, each.recipe))
        judged.largest = max(judged.largest, (peak_bytes(reader), each.recipe))
        judged.documents += sum(isinstance(one, Document) for one in results)
        judged.refused += sum(isinstance(one, Skipped) for one in results)
        judged.wrong += [f"{each.recipe}: {why}" for one in results for why in troubles(each.name, one)]
        if not results:
            judged.wrong.append(f"{each.recipe}: nothing is said of it")
    _read_good(reader, judged, mutants[-1])
    return judged


def _read_good(reader: ReaderProcess, judged: Judged, after: Mutant) -> None:
    try:
        found = reader.read(*GOOD)
    except ReaderFailedError as error:
        judged.wrong.append(f"a good file is not read after {after.recipe}: {error}")
        return
    if found != read_file(*GOOD):
        judged.wrong.append(f"a good file is not read as ever after {after.recipe}")


def peak_bytes(reader: ReaderProcess) -> int:
    """The most memory that the process has had, 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{reader._process.pid}/status").read_text()
    except OSError:
        return 0
    return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) << 10


def troubles(name: str, result: Document | Skipped) -> list[str]:
    """What is wrong with a result, in words."""
    if result.file != name and not result.file.startswith(f"{name}/"):
        return [f"it is called {result.file!r}"]
    if isinstance(result, Skipped):
        named = result.reason.replace(name, "")
        if _OUT_OF_MEMORY.search(named):
            return [result.reason]
        return [f"no reason in words: {result.reason!r}"] if _NOT_IN_WORDS.search(named) or len(named) > 400 else []
    found = misplaced(result)
    if not fit(result.hidden, 0, len(result.text)):
        found.append(f"hidden is {result.hidden}")
    if any(count < 1 or not why for why, count in result.removed):
        found.append(f"removed is {result.removed}")
    said = (result.title, result.author, result.date, repr(result.metadata), *result.warnings)
    try:
        "".join((result.text, *said, *(each.heading + each.place for each in result.paragraphs))).encode()
    except UnicodeEncodeError as error:
        found.append(f"cannot be saved: {error}")
    return found


def misplaced(document: Document) -> list[str]:
    """The paragraphs and sentences that are not where they must be."""
    found = [] if document.paragraphs else ["a document without a paragraph"]
    end = 0
    for number, paragraph in enumerate(document.paragraphs, start=1):
        if paragraph.number != number or not end <= paragraph.start < paragraph.end <= len(document.text):
            found.append(f"paragraph {number} at {paragraph.start} to {paragraph.end} of {len(document.text)}")
        elif not document.text[paragraph.start : paragraph.end].strip():
            found.append(f"paragraph {number} is blank")
        if not fit(paragraph.sentences, paragraph.start, paragraph.end):
            found.append(f"the sentences of paragraph {number} are {paragraph.sentences}")
        end = paragraph.end
    return found


def fit(spans: tuple[Span, ...], start: int, end: int) -> bool:
    """Whether spans are in order, without overlap, none of them empty, and within what they are spans of."""
    for span in spans:
        if not start <= span.start < span.end <= end:
            return False
        start = span.end
    return True


def test_there_are_mutants_for_every_reader():
    formats = {one.format for parser in PARSERS for seed in seeds(parser) for one in read_file(f"x.{parser}", seed)
               if isinstance(one, Document)}  # fmt: skip
    assert formats == {*MODULES, "text", "markdown"}


def test_a_mutant_is_known_by_its_number():
    assert all(mutant(parser, 3) == mutant(parser, 3) for parser in PARSERS)
    assert len({mutant("docx", number).data for number in range(40)}) > 35


@pytest.mark.fuzz
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("parser", PARSERS)
def test_a_damaged_file_is_read_or_refused_in_words(reader, parser, part, rounds, counted, measured):
    each = rounds(100, 1000) // PARTS
    # Only those of this part are made while it runs: the parent is to stay small, too.
    small = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    judged = Judged()
    for start in range(part * each, (part + 1) * each, 25):
        batch = [mutant(parser, number) for number in range(start, min(start + 25, (part + 1) * each))]
        one = judge(reader, batch)
        for name in ("files", "documents", "refused", "killed"):
            setattr(judged, name, getattr(judged, name) + getattr(one, name))
        judged.wrong += one.wrong
        judged.slowest, judged.largest = max(judged.slowest, one.slowest), max(judged.largest, one.largest)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - small
    counted(f"mutated files, {parser}", judged.files)
    counted("mutated files, readers killed", judged.killed)
    measured("slowest mutated file, ms", round(judged.slowest[0] * 1000))
    measured("largest memory of a reader, MB", judged.largest[0] >> 20)
    measured("memory that the parent gained, MB", grown >> 10)
    assert judged.files == each
    assert not judged.wrong, f"{len(judged.wrong)} of {each}:\n" + "\n".join(judged.wrong[:10])
    assert judged.slowest[0] < HANGS_S
    assert judged.largest[0] < process.MEMORY_BYTES
    assert judged.documents, "all are refused at the door: nothing behind it is tested"


# --- the judge sees what it is to see -------------------------------------------------------------------------------

BREAKING = """
import ctypes, signal, sys
from rag_geo.readers import process

def broken(file, data, *rest, **named):
    if b"die" in data:
        ctypes.string_at(0)
    if b"wait" in data:
        signal.pause()
    if b"raise" in data:
        raise KeyError("rId7")
    return read(file, data, *rest, **named)

read, process.read_file = process.read_file, broken
process.main("{}", sys.stdin.buffer, sys.stdout.buffer)
"""


@pytest.fixture
def breaking():
    """A reader with a fault: some words in a file kill it, hold it up, or are raised."""
    with ReaderProcess(timeout_s=HANGS_S) as made:
        made._command = [sys.executable, "-P", "-c", BREAKING]
        yield made


def named(word: str) -> list[Mutant]:
    return [Mutant("a.md", b"before", "one"), Mutant("x.md", word.encode(), "two"), Mutant("b.md", b"after", "three")]


def test_a_reader_that_dies_of_a_file_costs_that_file_and_no_other(breaking):
    judged = judge(breaking, named("die"))
    assert (judged.files, judged.documents, judged.killed, judged.wrong) == (3, 2, 1, [])


def test_what_a_reader_raises_is_told_as_a_fault(breaking):
    judged = judge(breaking, named("raise"))
    assert judged.wrong == ["two: the reader failed: KeyError: 'rId7'"]
    assert judged.documents == 2


def test_a_reader_that_hangs_is_told_as_a_fault(breaking):
    breaking.read(*GOOD)
    breaking._timeout_s = 0.5
    judged = judge(breaking, named("wait")[:2])
    assert judged.wrong[0].startswith("two: takes longer than")


@pytest.mark.parametrize(
    "wrong",
    [
        Skipped("x.md", ""),
        Skipped("x.md", "the reader failed: ValueError: 7"),
        Skipped("x.md", "\x1b[2J"),
        Skipped("x.md", "needs more than 4 GB of memory to read"),
        Skipped("y.md", "empty"),
        Document("x.md", "", "words", "text", "utf-8", (Paragraph("x.md", 1, 0, 6),)),
        Document("x.md", "", "words", "text", "utf-8", (Paragraph("x.md", 2, 0, 5),)),
        Document("x.md", "", "words", "text", "utf-8", (Paragraph("x.md", 1, 0, 3), Paragraph("x.md", 2, 2, 5))),
        Document("x.md", "", "words", "text", "utf-8", (Paragraph("x.md", 1, 0, 3, sentences=(Span(0, 4),)),)),
        Document("x.md", "", "word\ud800", "text", "utf-8", (Paragraph("x.md", 1, 0, 5),)),
        Document("x.md", "", "words", "text", "utf-8", ()),
    ],
)
def test_what_is_wrong_with_a_result_is_seen(wrong):
    assert troubles("x.md", wrong)

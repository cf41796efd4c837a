"""The power goes at any moment of a change of the index: what is on the disk opens, as it was or as it shall be."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from power_loss import Dying, Killed, Log, Tree, Wreck, lay_out, recorded
from rag_geo.errors import IndexDamagedError, IndexMissingError
from rag_geo.index import Index, purge, rebuild_index, update_index
from rag_geo.testing import HashEmbedder

pytestmark = pytest.mark.crash

MILL = "The mill at Orsett was built in 1794. It ground barley until the flood.\n"
PIER = "The pier of Tarn is 310 metres long.\n\nA tram runs on it in summer.\n"
KILN = "The kiln in Dunmow fired its last tiles in 1931.\n"
INDEX = Path("index", "default")

State = tuple[object, ...]
DAMAGED = ("damaged",)


def state(path: Path) -> State:
    """What a reader sees of an index: every document with its windows and vectors, and what was skipped."""
    try:
        index = Index.open(path, HashEmbedder())
    except IndexMissingError:
        return ()
    except IndexDamagedError:
        return DAMAGED
    documents = tuple((entry, index.document(entry.file)) for entry in index.documents)
    words = [index.lexical.documents.of([word])[list(index.contents)].tolist() for word in ("mill", "pier", "built")]
    return documents, words, index.vectors(0, len(index.rows.window_start)).tobytes(), index.skipped


@dataclass
class Story:
    """What is done to an index in `root`, and the states it goes through; `acknowledged` has (step, number of state).

    `log` begins where the power may go; `finish` brings the index to the last state from whatever is left.
    """

    root: Path
    documents: Path
    log: Log
    states: list[State]
    finish: Callable[[Path], object]
    acknowledged: list[tuple[int, int]] = field(default_factory=list)

    def then(self, act: Callable[[Path], object]) -> Story:
        """Do something to the end: from here on its outcome must be there."""
        act(self.root / INDEX)
        self.log.look()
        if (now := state(self.root / INDEX)) != self.states[-1]:
            self.states.append(now)
        self.acknowledged.append((len(self.log), len(self.states) - 1))
        return self

    def allowed(self, steps: int) -> list[State]:
        """The states that may be found when the power goes after so many steps."""
        least = max((number for at, number in self.acknowledged if at <= steps), default=0)
        return self.states[least:]


def update(documents: Path, **options: object) -> Callable[[Path], object]:
    return lambda path: update_index(documents, path, HashEmbedder(), **options)


def mend(path: Path) -> object:
    return rebuild_index(path, HashEmbedder())


def write(documents: Path, **texts: str) -> None:
    documents.mkdir(exist_ok=True)
    (documents / "empty.md").write_text("")  # so that there is something in the list of what was not opened
    for name, text in texts.items():
        (documents / f"{name}.md").write_text(text)


def change(documents: Path) -> None:
    """One file is another, one is new, one is gone."""
    write(documents, mill=MILL + "\nIt was sold for 300 pounds.\n", kiln=KILN)
    (documents / "pier.md").unlink()


@contextmanager
def story_of(root: Path, *earlier: Callable[[Path], object]) -> Iterator[Story]:
    """A story over an index of two documents to which `earlier` was done, or over none."""
    root.mkdir(parents=True)
    documents = root.parent / "documents"
    write(documents, mill=MILL, pier=PIER)
    for act in earlier:
        act(root / INDEX)
    with recorded(root) as log:
        yield Story(root, documents, log, [state(root / INDEX)], update(documents))


def first_index(root: Path) -> Story:
    with story_of(root) as story:
        return story.then(story.finish)


def changed_documents(root: Path) -> Story:
    with story_of(root, update(root.parent / "documents")) as story:
        change(story.documents)
        return story.then(story.finish)


def two_changes_and_purge(root: Path) -> Story:
    with story_of(root, update(root.parent / "documents")) as story:
        change(story.documents)
        story.then(story.finish)
        write(story.documents, kiln=KILN + "\nIt is a shed now.\n")
        return story.then(story.finish).then(purge)


def removed_document(root: Path) -> Story:
    with story_of(root, update(root.parent / "documents")) as story:
        (story.documents / "pier.md").unlink()
        return story.then(story.finish)


def spoil_vectors(path: Path) -> None:
    for file in path.glob("segments/*/vectors.faiss"):
        file.write_bytes(b"spoilt")


def read_anew(root: Path) -> Story:
    with story_of(root, update(root.parent / "documents"), spoil_vectors) as story:
        story.finish = update(story.documents, rebuild=True)
        return story.then(story.finish)


def mended(root: Path) -> Story:
    with story_of(root, update(root.parent / "documents"), spoil_vectors) as story:
        story.finish = mend
        return story.then(mend)


def update_again(story: Story, path: Path) -> None:
    story.finish(path)


def purged(_: Story, path: Path) -> None:
    purge(path)


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """The power goes in what was recorded alone."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


STORIES = [first_index, changed_documents, two_changes_and_purge, removed_document, read_anew, mended]


def what_may_be_left(
    story: Story, rng: random.Random, some: int, *, without: int | None = None
) -> Iterator[tuple[int, Tree]]:
    """After each step, the last first, the states that may be found then, if one step had not been done.

    Each once for as long as the same is acknowledged.
    """
    seen: set[tuple[int, str]] = set()
    steps = [step for number, step in enumerate(story.log.steps) if number != without]
    for done in range(len(steps), -1, -1):
        at = done if without is None or done < without else done + 1
        for tree in Wreck(story.log.before, steps[:done]).states(rng, some):
            key = len(story.allowed(at)), _key(tree)
            if key not in seen:
                seen.add(key)
                yield at, tree


def _key(tree: Tree) -> str:
    """What tells states apart; who wrote last and the lock do not count."""
    own = tree.get("index", {}).get("default", {})
    return repr({name: content for name, content in own.items() if name not in ("LOCK", "WRITER")} or tree)


def wrong(tree: Tree, story: Story, steps: int, place: Path, *, finish: bool = False) -> str:
    """What is wrong with a tree that was found after so many steps, "" for nothing; `finish` ends the story as well."""
    lay_out(tree, place)
    try:
        found = state(place / INDEX)
        if found not in story.allowed(steps):
            return "damaged" if found == DAMAGED else "lost or mixed"
        if finish:
            story.finish(place / INDEX)
            return "" if state(place / INDEX) == story.states[-1] else "not ended"
        return ""
    finally:
        shutil.rmtree(place)


@pytest.mark.timeout(5000)
@pytest.mark.parametrize("tell", STORIES, ids=lambda tell: tell.__name__)
def test_after_a_power_cut_the_index_opens_and_what_was_acknowledged_is_there(tell, tmp_path, rounds, counted):
    story = tell(tmp_path / "story")
    rng = random.Random(tell.__name__)
    everything = list(what_may_be_left(story, rng, rounds(1, 12)))
    chosen = rng.sample(everything, min(len(everything), rounds(24, 5000)))
    for number, (steps, tree) in enumerate(chosen):
        end = number % rounds(6, 4) == 0
        assert wrong(tree, story, steps, tmp_path / "left", finish=end) == "", (story.log.steps[:steps][-3:], tree)
    counted("states after a power cut", len(chosen))


@pytest.mark.timeout(5000)
@pytest.mark.parametrize("after", [update_again, purged], ids=lambda after: after.__name__)
def test_what_is_acknowledged_after_a_kill_survives_a_power_cut(after, tmp_path, rounds, counted):
    """What a killed writer left in memory is seen by the next one, and may be on no disk."""
    states = 0
    for kind in rounds(("sync_folder",), ("sync_folder", "rename", "write", "append", "remove", "make_folder")):
        for left in range(100):
            root = tmp_path / f"{kind}-{left}" / "story"
            root.parent.mkdir()
            with story_of(root, update(root.parent / "documents")) as story:
                change(story.documents)
                try:
                    update(story.documents, disk=Dying(left, kind))(root / INDEX)
                    break
                except Killed:
                    story.states.append(state(root / INDEX))
                    story.then(lambda path: after(story, path))
            steps = len(story.log)
            for tree in Wreck(story.log.before, story.log.steps).states(random.Random(left), rounds(0, 4)):
                assert wrong(tree, story, steps, tmp_path / "left") == "", (kind, left, tree)
                states += 1
        assert left, kind  # there was something to be killed at
    counted("states after a power cut", states)


@pytest.mark.parametrize("tell", [first_index, changed_documents], ids=lambda tell: tell.__name__)
def test_without_any_one_of_the_syncs_that_protect_it_the_index_is_lost_or_mixed(tell, tmp_path):
    """The control of all of this: each sync is taken out in turn."""
    story = tell(tmp_path / "story")
    needless = []
    for at in [number for number, step in enumerate(story.log.steps) if step.what == "sync"]:
        left = what_may_be_left(story, random.Random(at), 0, without=at)
        if not any(wrong(tree, story, steps, tmp_path / "left") for steps, tree in left):
            needless.append(story.log.steps[at].path)
    # These two are no part of what is acknowledged: who writes, and what a writer that is killed need not do again.
    assert needless == ["index/default/WRITER", "index/default/PENDING.jsonl"]

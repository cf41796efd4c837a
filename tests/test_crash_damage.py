"""Every file of an index is damaged in every way: it is found, the file is named, and the index can be made whole."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from power_loss import Dying, Killed
from rag_geo import cli
from rag_geo.chat import examples
from rag_geo.errors import IndexDamagedError, IndexMissingError, ResourceError, UsageError
from rag_geo.index import Index, change_left_out, manifest, rebuild_index, update_index
from rag_geo.index.salvage import LOST, OLDER
from rag_geo.retrieval import embed_query, search
from rag_geo.session import Edges
from rag_geo.testing import HashEmbedder

pytestmark = pytest.mark.crash

TEXTS = {
    "mill.md": "---\nauthor: Ann Lee\n---\n\nThe mill at Orsett was built in 1794.\n\nIt ground barley.\n",
    "pier.txt": "The pier of Tarn is 310 metres long.\n\nA tram runs on it in summer.\n",
    "kiln.md": "# Tiles\n\nThe kiln in Dunmow fired its last tiles in 1931. It is a shed now.\n",
    "secret.md": "Nobody may read this.\n",
}
QUESTIONS = ("When was the mill built?", "How long is the pier?", "tiles of Dunmow in 1931")
OF_A_SEGMENT = (*manifest.FILES, manifest.HEAD)
BESIDES = ("PENDING.jsonl", "left-out.txt", "gen-000002.examples.json", "WRITER", "LOCK")
PAGE = 4096

Found = tuple[object, ...]


@dataclass(frozen=True)
class Shelf:
    """An index of two generations, with everything beside it that there may be; `found` is what it gives."""

    path: Path
    documents: Path
    found: Found

    def copy(self, target: Path) -> Path:
        shutil.rmtree(target, ignore_errors=True)
        return shutil.copytree(self.path, target)

    def files(self, kind: str) -> list[str]:
        """The files that searching needs ("needed"), and those of the earlier and of the unfinished generation."""
        index = Index.open(self.path)
        everything = sorted(each.relative_to(self.path).as_posix() for each in self.path.rglob("*") if each.is_file())
        needed = ("CURRENT", f"{index.generation}/", *(f"segments/{name}/" for name in index.manifest.segments))
        found = {"needed": [name for name in everything if name.startswith(needed)], "besides": list(BESIDES)}
        return found.get(kind) or [name for name in everything if name not in (*found["needed"], *BESIDES)]


def found(path: Path) -> Found:
    """Every document, and what is found for some questions."""
    index = Index.open(path, HashEmbedder())
    hits = [search(index, question, embed_query(HashEmbedder(), question)) for question in QUESTIONS]
    return [index.document(entry.file) for entry in index.documents], hits, index.skipped


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Shelf:
    root = tmp_path_factory.mktemp("shelf")
    documents, path = root / "documents", root / "index"
    documents.mkdir()
    for name, text in TEXTS.items():
        (documents / name).write_text(text)
    (documents / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    update_index(documents, path, HashEmbedder())
    (documents / "kiln.md").write_text(f"{TEXTS['kiln.md']}\nIts chimney was taken down.\n")
    change_left_out(path, more=["secret.md"])
    update_index(documents, path, HashEmbedder())
    before = (documents / "pier.txt").read_text()
    (documents / "pier.txt").write_text("The pier of Tarn burnt down.\n")
    with suppress(Killed):
        update_index(documents, path, HashEmbedder(), disk=Dying(4, "sync_folder"))
    (documents / "pier.txt").write_text(before)
    index = Index.open(path)
    examples._write(index, examples.Kept(examples._made_for(index), "scripted", "p", QUESTIONS[:2], QUESTIONS))
    return Shelf(path, documents, found(path))


def damages(file: Path, others: Sequence[Path], rng: random.Random) -> Iterator[tuple[str, Callable[[], object]]]:
    """Each way to damage a file, in which its bytes are others than before."""
    whole = file.read_bytes()

    def put(content: bytes) -> Callable[[], object]:
        return lambda: file.write_bytes(content)

    for _ in range(50 if whole else 0):
        at = rng.randrange(len(whole))
        yield f"cut at {at}", put(whole[:at])
    for _ in range(200 if whole else 0):
        at, bit = int(len(whole) * rng.random() ** 3), rng.randrange(8)
        yield f"bit {bit} of byte {at}", put(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
    for _ in range(50 if whole else 0):
        at = rng.randrange(len(whole))
        zeroed = whole[:at] + bytes(len(whole[at : at + PAGE])) + whole[at + PAGE :]
        if zeroed != whole:
            yield f"zeros from {at}", put(zeroed)
    for each in others:
        if each.read_bytes() != whole:
            yield f"the bytes of {each}", put(each.read_bytes())
    yield "gone", file.unlink
    yield "more at the end", put(whole + b"junk")
    yield "unreadable", lambda: (file.unlink(), file.mkdir())


def some_damages(path: Path, name: str, most: int) -> list[tuple[str, Callable[[], object]]]:
    """So many ways; if they are many, with the last three and the bytes of all other files among them."""
    rng = random.Random(name.partition("/")[2] or name)
    file = path / name
    others = [each for each in sorted(path.rglob(file.name)) if each != file and each.is_file()]
    others += [path / "gen-000001" / "sources.jsonl"] * (file.name == "skipped.jsonl")
    everything = list(damages(file, others, rng))
    if most < 12:
        return rng.sample(everything, min(most, len(everything)))
    always = min(len(everything), 3 + len(others))
    return rng.sample(everything[:-always], min(len(everything) - always, max(0, most - always))) + everything[-always:]


def mended(shelf: Shelf, path: Path, what: str) -> None:
    """Do what the hint of the error says; then the index is as it was before the damage."""
    report = rebuild_index(path, HashEmbedder())
    lost = [one for one in report.skipped if one.reason in (LOST, OLDER)]
    if found(path) == shelf.found:
        return
    # What could not be mended from the index itself was said, and is read again.
    assert lost, what
    update_index(shelf.documents, path, HashEmbedder())
    assert found(path) == shelf.found, what


@pytest.mark.timeout(5000)
@pytest.mark.parametrize("part", range(4))
def test_damage_of_what_is_searched_is_found_and_named_and_can_be_mended(shelf, tmp_path, rounds, counted, part):
    number = 0
    for name in shelf.files("needed")[part::4]:
        ways = some_damages(shelf.path, name, rounds(6, 120))
        for way in range(len(ways)):
            path = shelf.copy(tmp_path / "index")
            what, harm = some_damages(path, name, rounds(6, 120))[way]
            harm()
            with pytest.raises((IndexDamagedError, IndexMissingError)) as caught:
                found(path)
            assert Path(name).name in caught.value.message, (name, what)
            assert "rag-geo rebuild" in caught.value.hint, (name, what)
            if path.joinpath("CURRENT").exists():
                with pytest.raises(IndexDamagedError, match=Path(name).name):
                    update_index(shelf.documents, path, HashEmbedder())
            mended(shelf, path, f"{name}: {what}")
            number += 1
    counted("damages found, named and repaired", number)


@pytest.mark.timeout(5000)
@pytest.mark.parametrize("kind", ["earlier", "besides"])
def test_damage_of_what_is_not_searched_harms_nothing(shelf, tmp_path, rounds, counted, kind):
    number = 0
    for name in shelf.files(kind):
        for way in range(len(some_damages(shelf.path, name, rounds(1, 12)))):
            path = shelf.copy(tmp_path / "index")
            what, harm = some_damages(path, name, rounds(1, 12))[way]
            harm()
            assert found(path) == shelf.found, (name, what)
            number += 1
            if name == "left-out.txt":
                continue
            update_index(shelf.documents, path, HashEmbedder())
            rebuild_index(path, HashEmbedder())
            assert found(path) == shelf.found, (name, what)
    counted("damages of files that are not searched, without harm", number)


def test_a_damaged_list_of_what_is_left_out_is_named_or_holds_as_it_stands(shelf, tmp_path, rounds):
    """It is a text for people to edit, without a hash: a file that is not on it any more is told as added."""
    for way in range(len(some_damages(shelf.path, "left-out.txt", rounds(4, 60)))):
        path = shelf.copy(tmp_path / "index")
        some_damages(path, "left-out.txt", rounds(4, 60))[way][1]()
        said = ""
        try:
            report = update_index(shelf.documents, path, HashEmbedder())
        except (UsageError, ResourceError) as error:
            said = error.message
        if said:
            assert "left-out.txt" in said
        else:
            assert ("secret.md" in report.added) == ("secret.md" in Index.open(path).numbers)


def test_a_damaged_file_of_examples_is_none(shelf, tmp_path, rounds):
    for way in range(len(some_damages(shelf.path, "gen-000002.examples.json", rounds(11, 300)))):
        path = shelf.copy(tmp_path / "index")
        what, harm = some_damages(path, "gen-000002.examples.json", rounds(11, 300))[way]
        file = path / "gen-000002.examples.json"
        whole = file.read_text()
        harm()
        if not file.is_file() or file.read_bytes().strip() != whole.encode().strip():
            assert tuple(examples.examples(Index.open(path))) == (), what


@pytest.mark.parametrize("what", ["gone", "unreadable"])
def test_the_command_line_names_the_damage_and_its_hint_mends_it(shelf, tmp_path, what):
    def run(*arguments: str) -> tuple[int, str, str]:
        edges = Edges({}, load_embedder=lambda _settings: HashEmbedder())
        with CliRunner().isolation() as (out, err, _both):
            code = cli.run([*arguments, "--index", str(path)], edges)
            return code, out.getvalue().decode(), err.getvalue().decode()

    path = shelf.copy(tmp_path / "index")
    expected = run("search", QUESTIONS[0], "--json")[1]
    for name in shelf.files("needed"):
        path = shelf.copy(tmp_path / "index")
        next(harm for way, harm in damages(path / name, (), random.Random(0)) if way == what)()
        code, out, err = run("search", QUESTIONS[0], "--json")
        assert (code, out) == (4, "")
        assert Path(name).name in err
        assert f"rag-geo rebuild --index {path}" in err
        code, out, _ = run("rebuild", "--json")
        assert code in (0, 3)
        if code == 3:
            assert "rag-geo index reads" in out
            assert run("index", str(shelf.documents))[0] == 3
        assert run("search", QUESTIONS[0], "--json")[:2] == (0, expected), name


def test_without_the_hashes_damage_gives_wrong_answers_and_says_nothing(shelf, tmp_path, monkeypatch):
    """The control of all of this."""
    monkeypatch.setattr(manifest, "_verified", lambda path, shown, _: (path / shown).read_bytes())
    silent = 0
    for name in (each for each in shelf.files("needed") if each.endswith("texts.jsonl")):
        for way in range(12):
            path = shelf.copy(tmp_path / "index")
            what, harm = some_damages(path, name, 12)[way]
            if what.startswith("bit"):
                harm()
                with suppress(Exception):  # what the libraries say to it
                    silent += found(path) != shelf.found
    assert silent

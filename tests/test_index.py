import errno
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from rag_geo.errors import (
    CorpusError,
    IndexDamagedError,
    IndexLockedError,
    IndexMismatchError,
    IndexMissingError,
    ResourceError,
)
from rag_geo.index import Index, purge, update_index
from rag_geo.index.disk import Disk
from rag_geo.index.manifest import MANIFEST, SOURCES, current_bytes
from rag_geo.index.segments import FILES
from rag_geo.records import Document
from rag_geo.settings import ReadingSettings, Settings, WindowSettings
from rag_geo.testing import HashEmbedder

IN_GENERATION = (SOURCES, MANIFEST)
GAS = (
    "---\ntitle: Gas\nauthor: Ann Lee\ndate: 2021-06-20\n---\n\n# Prices\n\n"
    "Russia sold gas. It was cheap.\n\nNobody bought it.\n"
)
OIL = "Chinese firms bought oil in May. They paid in yuan.\n\nThe <!-- hidden --> price fell.\n"


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "documents"
    (made / "sub").mkdir(parents=True)
    (made / "gas.md").write_text(GAS)
    (made / "sub" / "oil.md").write_text(OIL)
    (made / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    return made


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "index" / "default"


def build(folder, path, embedder=None, **options):
    return update_index(folder, path, embedder or HashEmbedder(), **options)


def state(path: Path) -> tuple:
    """What a reader sees: every document, its windows with their vectors, and what was skipped."""
    try:
        index = Index.open(path, HashEmbedder())
    except IndexMissingError:
        return ()
    documents = tuple((entry, index.document(entry.file), windows_of(index, entry.file)) for entry in index.documents)
    scores = [index.lexical.documents.of([word])[list(index.contents)].tolist() for word in ("russia", "price", "oil")]
    return documents, scores, index.skipped


def windows_of(index: Index, file: str) -> tuple:
    content = index.contents[index.numbers[file]]
    first, last = index.content_paragraphs[content : content + 2]
    spans = [index.window_spans(row) for row in range(first, last)]
    return spans, index.vectors(*map(int, index.paragraph_windows[[first, last]])).tobytes()


def segments_of(path: Path) -> list[Path]:
    """The files of the segments of the current generation."""
    return [
        file for name in Index.open(path).manifest.segments for file in sorted((path / "segments" / name).iterdir())
    ]


def names(path: Path) -> set[str]:
    return {entry.name for entry in path.iterdir()}


# What an index holds


def test_an_index_gives_back_the_documents_as_they_were_read(folder, path):
    report = build(folder, path)
    assert (report.documents, report.added, report.unchanged) == (2, ("gas.md", "sub/oil.md"), 0)
    assert [(one.file, "PNG" in one.reason) for one in report.skipped] == [("picture.png", True)]
    index = Index.open(path, HashEmbedder())
    assert index.generation == report.generation == "gen-000001"
    assert index.manifest.folder == str(folder)
    assert index.skipped == report.skipped
    gas, oil = (index.document(file) for file in ("gas.md", "sub/oil.md"))
    assert (gas.title, gas.author, gas.date, gas.text) == ("Gas", "Ann Lee", "2021-06-20", GAS)
    assert oil.text == OIL
    assert oil.hidden
    for document in (gas, oil):
        assert isinstance(document, Document)
        for paragraph in document.paragraphs:
            assert all(paragraph.start <= start < end <= paragraph.end for start, end in paragraph.sentences)


def test_every_window_lies_in_its_paragraph_and_has_its_vector(folder, path):
    embedder = HashEmbedder()
    report = build(folder, path, embedder)
    index = Index.open(path)
    assert report.windows == len(index.rows.window_start) == len(embedder.texts)
    np.testing.assert_allclose(index.vectors(0, report.windows), HashEmbedder().embed(embedder.texts), atol=1e-6)
    for row in range(report.paragraphs):
        paragraph = index.paragraph(row)
        assert all(paragraph.start <= span.start < span.end <= paragraph.end for span in index.window_spans(row))
        assert [s.text for s in index.sentences(row)]


def test_what_nobody_sees_is_not_embedded(folder, path):
    embedder = HashEmbedder()
    build(folder, path, embedder)
    assert any("price fell" in text for text in embedder.texts)
    assert not any("hidden" in text for text in embedder.texts)
    assert "hidden" not in Index.open(path).lexical.vocabulary


def test_the_same_folder_gives_the_same_bytes(folder, path, tmp_path):
    build(folder, path)
    build(folder, tmp_path / "other")
    for file in [*segments_of(path), path / "gen-000001" / "sources.jsonl", path / "gen-000001" / "skipped.jsonl"]:
        assert file.read_bytes() == (tmp_path / "other" / file.relative_to(path)).read_bytes()


def test_a_document_without_text_to_search_is_kept(folder, path):
    (folder / "only-heading.md").write_text("# Nothing below\n")
    build(folder, path)
    assert "only-heading.md" in Index.open(path).numbers


def test_a_folder_with_nothing_to_search_gives_an_empty_index(tmp_path, path):
    (tmp_path / "few").mkdir()
    (tmp_path / "few" / "heading.md").write_text("# Alone\n")
    assert build(tmp_path / "few", path).windows == 0
    assert Index.open(path, HashEmbedder()).vectors(0, 0).shape == (0, 64)


def test_a_file_name_that_is_no_text_comes_back(folder, path):
    name = os.fsdecode(b"n\xffme \n\xf0\x9f\x98\x80.md")
    (folder / name).write_text("Some words are here.\n")
    build(folder, path)
    assert Index.open(path).document(name).text == "Some words are here.\n"


def test_progress_names_its_stages(folder, path):
    seen = []
    build(folder, path, progress=lambda *step: seen.append(step))
    assert list(dict.fromkeys(stage for stage, _, _ in seen)) == ["looking", "embedding", "writing"]
    assert all(0 <= done <= total for _, done, total in seen)


def test_an_index_inside_its_folder_does_not_index_itself(folder):
    inside = folder / "index"
    assert build(folder, inside).documents == 2
    (inside / "notes.md").write_text("Not a document.\n")
    report = build(folder, inside)
    assert not report.published
    assert report.documents == 2


# Updates


def test_an_update_without_changes_publishes_nothing(folder, path):
    build(folder, path)
    embedder = HashEmbedder()
    report = build(folder, path, embedder)
    assert not report.published
    assert (report.generation, report.unchanged, report.windows_embedded) == ("gen-000001", 2, 0)
    assert embedder.texts == []
    assert names(path) == {"CURRENT", "LOCK", "WRITER", "segments", "gen-000001"}


def test_an_update_embeds_only_new_windows_and_says_what_changed(folder, path):
    build(folder, path)
    (folder / "gas.md").write_text(GAS.replace("Nobody bought it.", "Everybody wanted it."))
    (folder / "new.txt").write_text("Russia sold gas. It was cheap.\n")
    (folder / "sub" / "oil.md").unlink()
    embedder = HashEmbedder()
    report = build(folder, path, embedder)
    assert (report.added, report.changed, report.removed, report.unchanged) == (
        ("new.txt",), ("gas.md",), ("sub/oil.md",), 0)  # fmt: skip
    assert embedder.texts == ["Gas › Prices\nEverybody wanted it.", "Russia sold gas. It was cheap."]
    assert report.windows_embedded == 2
    assert report.published


def test_an_update_gives_what_building_anew_gives(folder, path, tmp_path):
    build(folder, path)
    (folder / "gas.md").write_text(GAS + "\nOne more paragraph. It has two sentences.\n")
    (folder / "another.html").write_text("<title>Coal</title><p>Coal was dear. Nobody burnt it.</p>")
    build(folder, path)
    build(folder, tmp_path / "anew")
    assert state(path) == state(tmp_path / "anew")


def test_the_same_text_twice_is_embedded_once(folder, path):
    (folder / "copy.md").write_text(GAS)
    (folder / "longer.md").write_text(GAS + "\nOne more paragraph.\n")
    embedder = HashEmbedder()
    report = build(folder, path, embedder)
    assert len(embedder.texts) == len(set(embedder.texts)) == report.windows_embedded < report.windows


def test_other_window_settings_make_other_windows(folder, path):
    build(folder, path)
    single = Settings(windows=WindowSettings(sentences=1))
    report = build(folder, path, settings=single)
    assert report.published
    assert report.unchanged == 2
    assert Index.open(path).manifest.making.windows == single.windows
    assert not build(folder, path, settings=single).published


def test_a_file_over_the_limit_is_skipped_with_the_setting_to_raise(folder, path):
    (folder / "huge.txt").write_bytes(b"word " * 300_000)
    report = build(folder, path, settings=Settings(reading=ReadingSettings(max_file_mb=1)))
    assert [one.reason for one in report.skipped if one.file == "huge.txt" and "max_file_mb" in one.reason]


def test_files_that_cannot_be_read_are_listed_and_the_others_indexed(folder, path):
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 20)
    (folder / "empty.md").write_text("")
    report = build(folder, path)
    assert {one.file for one in report.skipped} == {"binary.txt", "empty.md", "picture.png"}
    assert report.documents == 2


def test_one_generation_before_is_kept_and_older_ones_go(folder, path):
    for number in range(4):
        (folder / "gas.md").write_text(GAS + f"\nChange {number}.\n")
        build(folder, path)
    assert names(path) == {"CURRENT", "LOCK", "WRITER", "segments", "gen-000003", "gen-000004"}


def test_an_open_index_does_not_change_when_a_new_one_is_published(folder, path):
    build(folder, path)
    with Index.open(path) as index:
        for number in range(3):
            (folder / "gas.md").write_text(f"Other text {number}.\n")
            build(folder, path)
        assert index.document("gas.md").text == GAS
        assert len(index.vectors(0, 1)) == 1
        assert index.generation == "gen-000001"


def test_rebuilding_looks_at_nothing_old(folder, path):
    build(folder, path)
    next(path.glob("segments/*/vectors.faiss")).write_bytes(b"junk")
    embedder = HashEmbedder("other")
    report = build(folder, path, embedder, rebuild=True)
    assert report.windows_embedded == report.windows
    assert Index.open(path, embedder).generation == "gen-000002"


def test_a_missing_folder_leaves_the_index_alone(folder, path):
    build(folder, path)
    before = state(path)
    with pytest.raises(CorpusError):
        build(folder / "nowhere", path)
    assert state(path) == before


# What is refused


def test_an_index_of_another_folder_is_refused_with_both_named_and_rebuilt_when_asked(folder, path, tmp_path):
    build(folder, path)
    before = state(path)
    other = tmp_path / "my other"
    other.mkdir()
    (other / "gas.md").write_text(OIL)
    with pytest.raises(IndexMismatchError) as caught:
        build(other, path)
    assert repr(str(folder)) in caught.value.message
    assert repr(str(other)) in caught.value.message
    assert f"rag-geo index '{other}' --index OTHER" in caught.value.hint
    assert "--rebuild" in caught.value.hint
    assert state(path) == before
    assert build(other, path, rebuild=True).documents == 1
    assert Index.open(path).manifest.folder == str(other)


def test_a_folder_that_was_moved_keeps_its_index_and_one_that_replaces_it_does_not(folder, path, tmp_path):
    build(folder, path)
    moved = folder.rename(tmp_path / "moved")
    report = build(moved, path)
    assert (report.published, report.unchanged, report.windows_embedded) == (True, 2, 0)
    assert Index.open(path).manifest.folder == str(moved)
    shutil.rmtree(moved)
    folder.mkdir()
    (folder / "another.md").write_text(OIL)
    with pytest.raises(IndexMismatchError, match="holds the folder"):
        build(folder, path)


def test_a_command_in_a_hint_can_be_pasted_whatever_the_name_of_the_index(folder, tmp_path):
    path = tmp_path / "it's; my index"
    with pytest.raises(IndexMissingError) as caught:
        Index.open(path)
    assert shlex.split(caught.value.hint) == ["rag-geo", "index", "DIR", "--index", str(path)]
    build(folder, path)
    with pytest.raises(IndexMismatchError) as caught:
        Index.open(path, HashEmbedder("other"))
    assert shlex.split(caught.value.hint) == ["rag-geo", "index", "DIR", "--index", str(path), "--rebuild"]


def test_no_index_is_said_with_the_command_that_makes_one(path):
    with pytest.raises(IndexMissingError, match="no index") as caught:
        Index.open(path)
    assert caught.value.hint.startswith("rag-geo index DIR")


def test_an_index_of_another_embedder_is_refused_by_name(folder, path):
    build(folder, path, HashEmbedder("one"))
    with pytest.raises(IndexMismatchError, match=r"'one@64'.*you asked for 'two@64'") as caught:
        Index.open(path, HashEmbedder("two"))
    assert "--rebuild" in caught.value.hint
    with pytest.raises(IndexMismatchError):
        build(folder, path, HashEmbedder("two"))
    with pytest.raises(IndexMismatchError):
        Index.open(path, HashEmbedder("one", dimension=32))
    assert Index.open(path, HashEmbedder("one")).generation == "gen-000001"


def give_format(path: Path, version: int) -> None:
    manifest = path / "gen-000001" / "MANIFEST.json"
    fields = {"format": version, "folder": json.loads(manifest.read_text())["folder"], "unknown": 1}
    data = json.dumps(fields).encode()
    manifest.write_bytes(data)
    (path / "CURRENT").write_bytes(current_bytes("gen-000001", data))


@pytest.mark.parametrize(("version", "hint"), [(3, "newer rag-geo"), (1, "--rebuild")])
def test_another_format_is_refused_untouched(folder, path, tmp_path, version, hint):
    build(folder, path)
    give_format(path, version)
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.md").write_text(OIL)
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file() and file.name != "WRITER"}
    for action in (lambda: Index.open(path), lambda: build(other, path)):
        with pytest.raises(IndexMismatchError, match=f"has format {version}") as caught:
            action()
        assert hint in caught.value.hint
    assert before == {file: file.read_bytes() for file in path.rglob("*") if file.is_file() and file.name != "WRITER"}


def test_an_index_that_an_earlier_program_made_of_the_same_folder_is_made_anew(folder, path):
    build(folder, path)
    give_format(path, 1)
    assert build(folder, path).windows_embedded > 0
    assert Index.open(path).generation == "gen-000002"
    build(folder, path)
    purge(path)
    assert "gen-000001" not in names(path)


def index_files(path: Path) -> list[Path]:
    return [path / "CURRENT", *sorted((path / "gen-000001").iterdir()), *segments_of(path)]


@pytest.mark.parametrize("harm", ["flip", "truncate", "append", "empty"])
def test_one_byte_of_damage_in_any_file_is_noticed_and_the_file_named(folder, path, harm):
    build(folder, path)
    (folder / "empty.md").write_text("")  # so that there is something in the list of what was not opened
    build(folder, path)
    files = [file for file in index_files(path) if file.parent.name != "gen-000001"]
    files += (path / "gen-000002").iterdir()
    assert len(files) == 12
    for file in files:
        whole = file.read_bytes()
        for at in {0, len(whole) // 3, len(whole) // 2, len(whole) - 1}:
            changed = bytearray(whole)
            changed[at] ^= 1
            file.write_bytes(
                {"flip": bytes(changed), "truncate": whole[:at], "append": whole + b"\n", "empty": b""}[harm]
            )
            with pytest.raises(IndexDamagedError, match=file.name) as caught:
                Index.open(path)
            assert "--rebuild" in caught.value.hint
        file.write_bytes(whole)
    Index.open(path)


def test_every_single_bit_of_current_counts(folder, path):
    build(folder, path)
    whole = (path / "CURRENT").read_bytes()
    for at in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[at] ^= 1 << bit
            (path / "CURRENT").write_bytes(changed)
            with pytest.raises(IndexDamagedError, match="CURRENT"):
                Index.open(path)


def test_a_missing_or_unreadable_file_is_named(folder, path):
    build(folder, path)
    for file in index_files(path)[1:]:
        moved = file.rename(path / "aside")
        with pytest.raises(IndexDamagedError, match=rf"{file.name}.*missing"):
            Index.open(path)
        file.mkdir()
        with pytest.raises(IndexDamagedError, match=rf"{file.name}.*cannot be read"):
            Index.open(path)
        file.rmdir()
        moved.rename(file)
    (path / "CURRENT").unlink()
    (path / "CURRENT").mkdir()
    with pytest.raises(IndexDamagedError, match="CURRENT"):
        Index.open(path)


def test_files_of_two_generations_are_not_mixed(folder, path):
    build(folder, path)
    (folder / "gas.md").write_text(GAS.replace("Russia", "Norway"))
    build(folder, path)
    new = Index.open(path).manifest.segments
    old = [each.name for each in (path / "segments").iterdir() if each.name not in new]
    pairs = [(path / "segments" / old[0] / name, path / "segments" / new[0] / name) for name in FILES]
    for other, file in [*pairs, *((path / "gen-000001" / name, path / "gen-000002" / name) for name in IN_GENERATION)]:
        whole = file.read_bytes()
        if whole == other.read_bytes():
            continue
        shutil.copy(other, file)
        with pytest.raises(IndexDamagedError, match=file.name):
            Index.open(path)
        file.write_bytes(whole)


# One writer


def test_a_second_writer_is_refused_with_the_pid_of_the_first(folder, path):
    path.mkdir(parents=True)
    (path / "WRITER").write_text("4711\n")
    with FileLock(path / "LOCK"), pytest.raises(IndexLockedError, match="process 4711"):
        build(folder, path)
    (path / "WRITER").write_text("not a number")
    with FileLock(path / "LOCK"), pytest.raises(IndexLockedError, match="another process"):
        build(folder, path)


def test_an_index_with_words_counted_otherwise_is_updated_before_it_is_searched(folder, path):
    build(folder, path)
    manifest = path / "gen-000001" / "MANIFEST.json"
    fields = json.loads(manifest.read_text())
    data = json.dumps({**fields, "making": {**fields["making"], "lexical": 0}}).encode()
    manifest.write_bytes(data)
    (path / "CURRENT").write_bytes(current_bytes("gen-000001", data))
    with pytest.raises(IndexMismatchError, match="counts words"):
        Index.open(path)
    embedder = HashEmbedder()
    assert build(folder, path, embedder).published
    assert embedder.texts == []
    assert Index.open(path, embedder).lexical.vocabulary


def test_the_lock_of_a_dead_process_does_not_hold(folder, path):
    path.mkdir(parents=True)
    code = f"import os, signal, filelock; filelock.FileLock({str(path / 'LOCK')!r}).acquire(); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert build(folder, path).published


# Crashes and failures


class Killed(BaseException):
    """The process is gone."""


class Counting(Disk):
    """Counts the operations; before number `stop` it fails, and if `dead` every later one too, as after a kill."""

    def __init__(self, stop=None, error=Killed, dead=True):
        self.stop, self.error, self.dead, self.count = stop, error, dead, 0

    def _step(self):
        self.count += 1
        if self.count == self.stop or (self.dead and self.stop and self.count > self.stop):
            raise self.error if isinstance(self.error, type) else type(self.error)(*self.error.args)


def _wrap(name):
    def operation(self, *args):
        self._step()
        getattr(Disk, name)(self, *args)

    return operation


for _name in ("make_folder", "write", "append", "sync_folder", "rename", "remove"):
    setattr(Counting, _name, _wrap(_name))


class Torn(Counting):
    """As a kill in the middle of a write: half of the file is there."""

    def write(self, path, data):
        if self.count + 1 == self.stop:
            path.write_bytes(data[: len(data) // 2])
        Counting.write(self, path, data)


@pytest.fixture
def changed(folder, path, tmp_path):
    """An index that is to be updated: its old state, its new one, and the operations of the update."""
    build(folder, path)
    old = state(path)
    (folder / "gas.md").write_text(GAS + "\nOne more thing.\n")
    (folder / "sub" / "oil.md").unlink()
    build(folder, tmp_path / "reference")
    counting = Counting()
    shutil.copytree(path, tmp_path / "counted")
    build(folder, tmp_path / "counted", disk=counting)
    return old, state(tmp_path / "reference"), counting.count


@pytest.mark.parametrize("kind", [Counting, Torn])
def test_a_kill_at_any_operation_leaves_the_old_or_the_new_index(folder, path, tmp_path, changed, kind):
    old, new, operations = changed
    assert operations > 15
    seen = []
    for stop in range(1, operations + 1):
        copy = tmp_path / f"copy-{stop}"
        shutil.copytree(path, copy)
        with pytest.raises(Killed):
            build(folder, copy, disk=kind(stop))
        seen.append(state(copy))
        assert seen[-1] in (old, new), f"operation {stop}"
        build(folder, copy)
        assert state(copy) == new
        assert {name for name in names(copy) if name.startswith(("building", "CURRENT."))} == set()
    assert seen == sorted(seen, key=lambda one: one == new)
    assert old in seen
    assert new in seen


def test_a_kill_at_any_operation_of_the_first_build_leaves_none_or_all(folder, path, tmp_path):
    build(folder, path)
    new = state(path)
    for stop in range(1, 30):
        copy = tmp_path / f"copy-{stop}"
        try:
            build(folder, copy, disk=Counting(stop))
        except Killed:
            assert state(copy) in ((), new)
        build(folder, copy)
        assert state(copy) == new


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_failing_disk_is_said_and_leaves_nothing_half_done(folder, path, tmp_path, changed, code):
    old, new, operations = changed
    before = names(path)
    for stop in range(1, operations + 1):
        copy = tmp_path / f"copy-{stop}"
        shutil.copytree(path, copy)
        trouble = None
        try:
            build(folder, copy, disk=Counting(stop, OSError(code, os.strerror(code)), dead=False))
        except ResourceError as error:
            trouble = error
        # What fails when all is published already, clearing away, is no trouble.
        if trouble is None:
            assert state(copy) == new
        else:
            assert ("full" in trouble.message) == (code == errno.ENOSPC)
            assert trouble.hint
            assert (state(copy), names(copy)) == (old, before) or state(copy) == new


def test_an_interruption_while_embedding_leaves_the_old_index_and_nothing_else(folder, path):
    build(folder, path)
    old, before = state(path), names(path)
    (folder / "gas.md").write_text(GAS + "\nOne more thing.\n")

    class Interrupted(HashEmbedder):
        def embed(self, texts, progress=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(folder, path, Interrupted())
    assert (state(path), names(path)) == (old, before)
    assert build(folder, path).published


def test_an_interruption_while_writing_leaves_the_old_index_and_what_was_embedded_for_the_next_time(folder, path):
    build(folder, path)
    old, before = state(path), names(path)
    (folder / "gas.md").write_text(GAS + "\nOne more thing.\n")

    def interrupt(stage, done, total):
        if (stage, done) == ("writing", 1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(folder, path, progress=interrupt)
    assert (state(path), names(path)) == (old, before | {"PENDING.jsonl"})
    embedder = HashEmbedder()
    build(folder, path, embedder)
    assert embedder.texts == []
    assert "PENDING.jsonl" not in names(path)


CHILD = """
import os, signal, sys
from pathlib import Path
from rag_geo.index import update_index
from rag_geo.index.disk import Disk
from rag_geo.testing import HashEmbedder

class Killing(Disk):
    def __init__(self, left):
        self.left = left

    def sync_folder(self, path):
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        super().sync_folder(path)

for stop, path in enumerate(sys.argv[2:], 1):
    if not (child := os.fork()):
        update_index(Path(sys.argv[1]), Path(path), HashEmbedder(), disk=Killing(stop))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_killed_process_leaves_the_old_or_the_new_index(folder, path, tmp_path, changed):
    old, new, _ = changed
    copies = [shutil.copytree(path, tmp_path / f"copy-{stop}") for stop in range(1, 6)]
    # One process loads the libraries and forks; each fork is killed for good, at another point.
    arguments = [sys.executable, "-c", CHILD, str(folder), *map(str, copies)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(-signal.SIGKILL)] * 5
    assert [state(copy) for copy in copies] == [old, old, old, old, new]
    for copy in copies:
        build(folder, copy)
        assert state(copy) == new


FULL = """
import resource, signal, sys
from pathlib import Path
from rag_geo.errors import ResourceError
from rag_geo.index import update_index
from rag_geo.testing import HashEmbedder

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, resource.RLIM_INFINITY))
try:
    update_index(Path(sys.argv[1]), Path(sys.argv[2]), HashEmbedder())
except ResourceError as error:
    # What runs at exit (a measurement of coverage) has to write its own file.
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    sys.exit(error.exit_code)
"""


def test_a_real_limit_on_the_size_of_files_is_a_full_disk(folder, path):
    build(folder, path)
    old, before = state(path), names(path)
    (folder / "gas.md").write_text(GAS + "\nOne more thing.\n" * 50)
    run = subprocess.run([sys.executable, "-c", FULL, str(folder), str(path)], check=False)
    assert run.returncode == ResourceError.exit_code
    assert (state(path), names(path)) == (old, before)


def test_an_index_path_that_is_a_file_is_said(folder, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ResourceError, match="cannot be written"):
        build(folder, tmp_path / "file")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_index_can_be_searched_and_not_written(folder, path):
    build(folder, path)
    path.chmod(0o500)
    try:
        assert Index.open(path).generation == "gen-000001"
        (folder / "gas.md").write_text("Other.\n")
        with pytest.raises(ResourceError):
            build(folder, path)
    finally:
        path.chmod(0o700)


def test_nothing_on_disk_can_carry_code(folder, path):
    build(folder, path)
    for file in [*segments_of(path), *(path / "gen-000001").iterdir()]:
        assert file.suffix in {".jsonl", ".json", ".npz", ".faiss"}
    seen = []
    active = True
    sys.addaudithook(lambda event, _: seen.append(event) if active and event == "pickle.find_class" else None)
    index = Index.open(path)
    assert index.lexical.vocabulary
    assert index.vectors(0, 1).size
    active = False
    assert seen == []


def test_readers_see_a_whole_index_while_a_writer_publishes(folder, path):
    """An index that goes away between reading CURRENT and the files is read again from the new CURRENT."""
    build(folder, path)

    class Racing(type(path)):
        def read_bytes(self):
            data = super().read_bytes()
            if self.name == "CURRENT" and self.parent.name == "default" and not raced:
                raced.append(1)
                for number in range(2):
                    (folder / "gas.md").write_text(f"Other text {number}.\n")
                    build(folder, Path(self.parent))
            return data

    raced = []
    index = Index.open(Racing(path))
    assert raced
    assert index.generation == "gen-000003"


def test_settings_that_do_not_touch_the_index_do_not_rebuild_it(folder, path):
    build(folder, path)
    assert not build(folder, path, settings=replace(Settings(), model="other")).published

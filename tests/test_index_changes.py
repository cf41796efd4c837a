"""Collections that change: what is read, embedded and kept when files come, go, and get other names."""

import json
import shutil
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest

from rag_geo.corpus import Candidate
from rag_geo.errors import IndexDamagedError
from rag_geo.index import Index, build, compaction, damages, ingest, purge, rebuild_index, update_index
from rag_geo.index.manifest import Source, Stored
from rag_geo.retrieval import embed_query, search
from rag_geo.settings import Settings, WindowSettings
from rag_geo.testing import HashEmbedder

MILL = "The mill at Orsett was built in 1794. It ground barley until the flood."
PIER = "The pier of Tarn is 310 metres long. A tram runs on it in summer."
KILN = "The kiln in Dunmow fired its last tiles in 1931."


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "documents"
    made.mkdir()
    for name, text in (("mill.md", MILL), ("pier.md", PIER), ("kiln.txt", KILN)):
        (made / name).write_text(f"{text}\n")
    return made


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "index"


def update(folder, path, **options):
    """The report of an update, and the texts that were embedded for it."""
    embedder = HashEmbedder()
    return update_index(folder, path, embedder, **options), embedder.texts


def found(path, query):
    embedder = HashEmbedder()
    return search(Index.open(path, embedder), query, embed_query(embedder, query))[0]


def stored_bytes(path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file())


# Names


def test_a_renamed_file_is_neither_read_nor_embedded(folder, path):
    update(folder, path)
    (folder / "deep").mkdir()
    (folder / "mill.md").rename(folder / "deep" / "old-mill.md")
    report, embedded = update(folder, path)
    assert (report.read, embedded) == (0, [])
    assert (report.added, report.removed) == (("deep/old-mill.md",), ("mill.md",))
    assert found(path, "When was the mill built?").file == "deep/old-mill.md"
    assert Index.open(path).document("deep/old-mill.md").title == "old-mill"


def test_a_file_with_another_ending_is_read_again_and_may_be_something_else(folder, path):
    update(folder, path)
    (folder / "mill.md").rename(folder / "mill.txt")
    report, _ = update(folder, path)
    assert report.read == 1
    assert Index.open(path).document("mill.txt").format == "text"


def test_the_same_content_twice_is_stored_once_and_found_under_both_names(folder, path):
    shutil.copy(folder / "mill.md", folder / "copy.md")
    report, embedded = update(folder, path)
    assert (report.documents, report.read, len(embedded)) == (4, 3, 3)
    hit = found(path, "When was the mill at Orsett built?")
    assert (hit.file, hit.also) == ("copy.md", ("mill.md",))
    index = Index.open(path)
    assert index.copies("mill.md") == ("copy.md",)
    assert index.document("mill.md").text == index.document("copy.md").text
    assert {sentence.file for sentence in hit.sentences} == {"copy.md"}


def test_a_copy_that_comes_later_costs_nothing_and_one_that_goes_leaves_the_other(folder, path):
    update(folder, path)
    shutil.copy(folder / "mill.md", folder / "copy.md")
    report, embedded = update(folder, path)
    assert (report.read, embedded, report.documents) == (0, [], 4)
    (folder / "mill.md").unlink()
    update(folder, path)
    assert found(path, "When was the mill at Orsett built?").also == ()
    assert found(path, "When was the mill at Orsett built?").file == "copy.md"


def test_words_of_the_name_find_a_document_that_has_no_title(folder, path):
    (folder / "quarterly-report.txt").write_text("Sales rose a little, as everybody had thought they would.\n")
    update(folder, path)
    assert found(path, "quarterly report").file == "quarterly-report.txt"


# Files in files


def test_the_documents_of_an_archive_are_found_below_it(folder, path):
    with zipfile.ZipFile(folder / "2019.zip", "w") as archive:
        archive.writestr("reports/ferry.md", "The ferry to Lunt carries forty cars.\n")
        archive.writestr("pictures/a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    report, _ = update(folder, path)
    assert "2019.zip/reports/ferry.md" in report.added
    assert [one.file for one in report.skipped] == ["2019.zip/pictures/a.png"]
    hit = found(path, "How many cars does the ferry carry?")
    assert hit.file == "2019.zip/reports/ferry.md"
    index = Index.open(path)
    assert index.documents[index.numbers[hit.file]].source == "2019.zip"
    assert not update(folder, path)[0].published


def test_a_file_is_named_before_its_copy_in_an_archive(folder, path):
    with zipfile.ZipFile(folder / "2019.zip", "w") as archive:
        archive.write(folder / "mill.md", "mill.md")
    update(folder, path)
    hit = found(path, "When was the mill at Orsett built?")
    assert (hit.file, hit.also) == ("mill.md", ("2019.zip/mill.md",))


def test_one_changed_file_in_an_archive_is_the_only_one_that_is_embedded(folder, path):
    def pack(ferry):
        with zipfile.ZipFile(folder / "2019.zip", "w") as archive:
            archive.writestr("ferry.md", ferry)
            archive.writestr("lock.md", "The lock at Wray holds nine feet of water.\n")

    pack("The ferry to Lunt carries forty cars.\n")
    update(folder, path)
    pack("The ferry to Lunt carries fifty cars.\n")
    assert update(folder, path)[1] == ["The ferry to Lunt carries fifty cars."]


# What goes is gone


def test_a_deleted_document_leaves_no_byte_of_its_text_in_what_is_current_and_purge_removes_the_rest(folder, path):
    update(folder, path)
    (folder / "mill.md").unlink()
    update(folder, path)
    manifest = Index.open(path).manifest
    current = [path / manifest.generation, *(path / "segments" / name for name in manifest.segments)]
    assert not any(b"Orsett" in file.read_bytes() for part in current for file in part.iterdir())
    assert b"Orsett" in stored_bytes(path)
    assert purge(path) > 0
    assert b"Orsett" not in stored_bytes(path)
    assert found(path, "the pier of Tarn").file == "pier.md"


def test_what_is_left_of_a_segment_is_as_it_was(folder, path):
    update(folder, path)
    before = Index.open(path)
    (folder / "kiln.txt").unlink()
    update(folder, path)
    after = Index.open(path)
    for file in ("mill.md", "pier.md"):
        assert after.document(file) == before.document(file)
    assert "dunmow" not in after.lexical.vocabulary


def test_segments_that_are_many_and_small_are_put_together(folder, path, monkeypatch):
    monkeypatch.setattr(compaction, "MOST_SMALL", 2)
    for number in range(6):
        (folder / f"more-{number}.md").write_text(f"Boat number {number} left harbour {number} at dawn.\n")
        update(folder, path)
        assert len(Index.open(path).manifest.segments) <= 2 + 1
    update(folder, path / "anew")
    for query in ("Boat number 4", "the mill at Orsett", "the tram in summer"):
        one, other = found(path, query), found(path / "anew", query)
        assert (one.file, one.score, one.similarity) == (other.file, other.score, other.similarity)


# Interruptions


class Interrupted(HashEmbedder):
    """Is interrupted when it has embedded so many batches."""

    def __init__(self, batches):
        super().__init__()
        self.left = batches

    def embed(self, texts, progress=None):
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return super().embed(texts, progress)


def test_an_update_that_was_interrupted_goes_on_after_its_last_batch(folder, path, monkeypatch):
    monkeypatch.setattr(ingest, "BATCH_WINDOWS", 1)
    for number in range(5):
        (folder / f"more-{number}.md").write_text(f"Boat number {number} left harbour {number} at dawn.\n")
    first = Interrupted(4)
    with pytest.raises(KeyboardInterrupt):
        update_index(folder, path, first)
    report, embedded = update(folder, path)
    assert (len(first.texts), len(embedded), report.windows) == (4, 4, 8)
    assert not set(first.texts) & set(embedded)
    assert (path / "PENDING.jsonl").exists() is False
    update(folder, path.with_name("anew"))
    assert json.dumps(Index.open(path).languages) == json.dumps(Index.open(path.with_name("anew")).languages)
    assert found(path, "Boat number 3").file == "more-3.md"


def test_what_was_noted_of_an_interrupted_update_is_used_only_as_far_as_it_is_whole(folder, path, monkeypatch):
    monkeypatch.setattr(ingest, "BATCH_WINDOWS", 1)
    with pytest.raises(KeyboardInterrupt):
        update_index(folder, path, Interrupted(2))
    pending = path / "PENDING.jsonl"
    pending.write_bytes(pending.read_bytes()[:-20])
    assert len(update(folder, path)[1]) == 2
    purge(path)
    assert len(list((path / "segments").iterdir())) == len(Index.open(path).manifest.segments)


def test_a_segment_that_was_damaged_after_an_interruption_is_made_again(folder, path, monkeypatch):
    monkeypatch.setattr(ingest, "BATCH_WINDOWS", 1)
    with pytest.raises(KeyboardInterrupt):
        update_index(folder, path, Interrupted(2))
    for file in path.glob("segments/*/texts.jsonl"):
        file.write_bytes(b"junk")
    assert len(update(folder, path)[1]) == 3
    assert damages(path) == ()


# Making it again from what is stored


def test_an_index_is_rebuilt_without_the_original_files(folder, path):
    update(folder, path)
    before = Index.open(path)
    shutil.rmtree(folder)
    embedder = HashEmbedder()
    report = rebuild_index(path, embedder)
    after = Index.open(path, embedder)
    assert report.published
    assert embedder.texts == []
    assert [after.document(one.file) for one in after.documents] == [
        before.document(one.file) for one in before.documents
    ]


def test_a_rebuild_embeds_with_another_embedder_without_reading_files(folder, path):
    update(folder, path)
    shutil.rmtree(folder)
    other = HashEmbedder("other", dimension=32)
    report = rebuild_index(path, other)
    assert (report.read, report.windows_embedded) == (0, report.windows)
    assert Index.open(path, other).manifest.dimension == 32


@pytest.mark.parametrize(
    "name", ["windows.npz", "vectors.faiss", "terms.json", "postings.npz", "MANIFEST.json", "CURRENT", "SEGMENT.json"]
)
def test_a_damaged_file_is_named_and_a_rebuild_mends_it_where_the_texts_are_whole(folder, path, name):
    update(folder, path)
    before = Index.open(path)
    update(folder, path, rebuild=True)  # a generation before, for the case that the manifest is gone
    for file in path.rglob(name):
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
        if name == "MANIFEST.json":
            break
    with pytest.raises(IndexDamagedError, match=name):
        Index.open(path)
    assert [name in each.message for each in damages(path)] == [True]
    if name == "SEGMENT.json":
        assert {one.file for one in rebuild_index(path, HashEmbedder()).skipped} == {"kiln.txt", "mill.md", "pier.md"}
        assert update(folder, path)[0].documents == 3
    else:
        rebuild_index(path, HashEmbedder())
    assert damages(path) == ()
    after = Index.open(path)
    assert [after.document(one.file) for one in after.documents] == [
        before.document(one.file) for one in before.documents
    ]


def test_texts_that_are_damaged_are_lost_by_name_and_read_again_with_the_next_update(folder, path):
    update(folder, path)
    next(path.glob("segments/*/texts.jsonl")).write_bytes(b"junk")
    report = rebuild_index(path, HashEmbedder())
    assert {one.file for one in report.skipped} == {"kiln.txt", "mill.md", "pier.md"}
    assert all("rag-geo index" in one.reason for one in report.skipped)
    again, _ = update(folder, path)
    assert (again.documents, again.skipped) == (3, ())


def test_a_damaged_index_is_not_built_on_but_refused_by_file_with_what_mends_it(folder, path):
    update(folder, path)
    next(path.glob("segments/*/texts.jsonl")).write_bytes(b"junk")
    (folder / "new.md").write_text("Something new.\n")
    with pytest.raises(IndexDamagedError, match=r"texts\.jsonl") as caught:
        update(folder, path)
    assert "rag-geo rebuild" in caught.value.hint
    rebuild_index(path, HashEmbedder())
    assert update(folder, path)[0].documents == 4


def test_what_cannot_be_read_takes_nothing_over_from_another_file_that_could_not():
    """After damage an archive has no hash until it is read again; nor has a file that cannot be opened."""
    old = [Source("2019.zip", "", (Stored("2019.zip/ferry.md", "a", "seg-1", 0),))]
    candidate = Candidate("2020.zip", Path("2020.zip"), 9)
    known, new = build._parted([(candidate, "")], old, old)
    assert known == []
    assert new.read == [candidate]


def test_a_copy_of_a_file_that_changed_after_it_was_hashed_is_not_taken_for_it():
    made = Source("a.md", "new", (Stored("a.md", "new", "seg-1", 0),))
    assert build._copy(made, "b.md", "new").documents[0].name == "b.md"
    other = build._copy(made, "b.md", "old")
    assert (other.documents, other.sha256) == ((), "")
    assert "changes" in other.skipped[0].reason


# How a file is read


def test_a_setting_of_the_windows_cuts_the_stored_texts_anew_and_reads_no_file(folder, path):
    update(folder, path)
    report, embedded = update(folder, path, settings=Settings(windows=WindowSettings(sentences=1)))
    assert report.read == 0
    assert "It ground barley until the flood." in embedded


def test_time_is_told_by_stage(folder, path):
    report, _ = update(folder, path)
    assert set(report.spent) == {"embedding", "writing", "waiting"}
    assert 0 < sum(report.spent.values()) <= report.seconds


def test_progress_never_goes_back_within_a_stage(folder, path, monkeypatch):
    monkeypatch.setattr(ingest, "BATCH_WINDOWS", 1)
    steps = []
    update(folder, path, progress=lambda *step: steps.append(step))
    embedding = [done for stage, done, _ in steps if stage == "embedding"]
    assert all(earlier <= later for earlier, later in pairwise(embedding))
    assert steps[-1][1] == steps[-1][2]

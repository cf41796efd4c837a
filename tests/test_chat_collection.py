"""The documents of the page: adding, removing, leaving out, and indexing in the background."""

from __future__ import annotations

import errno
import io
import os
import threading
import unicodedata
import zipfile

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.chat.collection import ADDED, MOST_FILES, Collection, clean_name
from rag_geo.corpus import passes_over
from rag_geo.errors import CorpusError, IndexLockedError, ResourceError, UsageError
from rag_geo.index import LEFT_OUT, Index, read_left_out, update_index
from rag_geo.index.disk import Disk
from rag_geo.settings import ReadingSettings, Settings
from rag_geo.testing import HashEmbedder

GAS = "Russia sold gas.\n\nNobody bought it.\n"
OIL = "Chinese firms bought oil in May.\n"
PATIENCE_S = 120


class Shelf:
    """A collection with its folder, and what it told."""

    def __init__(self, root, disk=None, embedder=None, **settings):
        self.folder, self.path, self.uploads = root / "documents", root / "index", root / "uploads"
        if not self.folder.exists():
            self.folder.mkdir()
            self.uploads.mkdir()
            (self.folder / "gas.md").write_text(GAS)
            (self.folder / "oil.md").write_text(OIL)
            update_index(self.folder, self.path, HashEmbedder())
        self.renewed = []
        self.collection = Collection(
            Index.open(self.path),
            embedder or HashEmbedder(),
            Settings(index=self.path, **settings),
            renew=self.renewed.append,
            disk=disk,
        )

    def upload(self, name, content, number=0):
        path = self.uploads / f"upload-{number}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return name, path

    def add(self, *files):
        found = self.collection.add([self.upload(*file, number) for number, file in enumerate(files)])
        self.settle()
        return found

    def settle(self):
        assert self.collection.wait(PATIENCE_S)
        return self.collection.progress()

    def files(self):
        return [entry.file for entry in self.collection.documents()]

    def on_disk(self):
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def shelf(tmp_path):
    shelf = Shelf(tmp_path)
    yield shelf
    shelf.collection.close(PATIENCE_S)


def packed(**files: str | bytes) -> bytes:
    """A ZIP archive of these files; "__" in a name stands for the dot."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return target.getvalue()


# What is shown


def test_the_documents_are_those_of_the_index_with_their_paragraphs(shelf):
    assert shelf.files() == ["gas.md", "oil.md"]
    assert shelf.collection.counts() == {"gas.md": 2, "oil.md": 1}
    assert shelf.collection.skipped() == ()
    assert shelf.collection.progress() is None
    assert shelf.collection.index.generation == "gen-000001"


# Adding


def test_an_added_file_is_in_the_folder_and_in_the_next_generation(shelf):
    old = shelf.collection.index
    added, refused = shelf.add(("notes.txt", "The new pier is short.\n"))
    assert (added[0].given, added[0].file, added[0].restored, refused) == ("notes.txt", f"{ADDED}/notes.txt", False, ())
    assert shelf.files() == [f"{ADDED}/notes.txt", "gas.md", "oil.md"]
    assert (shelf.folder / ADDED / "notes.txt").read_text() == "The new pier is short.\n"
    assert [index.generation for index in shelf.renewed] == ["gen-000002"]
    assert shelf.collection.index is shelf.renewed[0]
    assert old.document("gas.md").text == GAS
    progress = shelf.collection.progress()
    assert (progress.stage, progress.ended, progress.error) == ("done", True, None)
    assert progress.report.added == (f"{ADDED}/notes.txt",)


def test_a_file_of_the_same_content_is_said_to_be_there_under_whatever_name(shelf):
    assert shelf.add(("other.md", GAS)).refused[0].reason == "is there already: gas.md"
    shelf.add(("notes.txt", "The new pier.\n"))
    again = shelf.add(("notes.txt", "The new pier.\n"), ("more.txt", "More.\n"), ("same.txt", "More.\n"))
    assert [(one.file, one.reason) for one in again.refused] == [
        ("notes.txt", f"is there already: {ADDED}/notes.txt"),
        ("same.txt", f"is there already: {ADDED}/more.txt"),
    ]
    assert [one.file for one in again.added] == [f"{ADDED}/more.txt"]
    assert len(shelf.on_disk()) == 4


def test_a_file_that_is_gone_from_the_folder_may_be_added_again(shelf):
    (shelf.folder / "gas.md").unlink()
    assert shelf.add(("gas.md", GAS)).added[0].file == f"{ADDED}/gas.md"
    assert shelf.files() == [f"{ADDED}/gas.md", "oil.md"]


def test_other_content_of_the_same_name_gets_a_new_name(shelf):
    found = shelf.add(("notes.txt", "One.\n"), ("notes.txt", "Two.\n"), ("NOTES.TXT", "Three.\n"))
    names = [f"{ADDED}/{name}" for name in ("notes.txt", "notes-2.txt", "NOTES-3.TXT")]
    assert [one.file for one in found.added] == names
    assert [(shelf.folder / one.file).read_text() for one in found.added] == ["One.\n", "Two.\n", "Three.\n"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("tool.exe", b"MZ" + bytes(100), "a program for Windows"),
        ("notes.txt", b"\x7fELF" + bytes(500), "a program for Linux"),
        ("notes.txt", bytes(range(256)) * 8, "looks binary"),
        ("notes.md", b"", "empty"),
        ("blank.md", b" \n\n ", "empty: nothing in it can be seen"),
        ("large.txt", b"a " * 600_000, "1.2 MB, over the limit of 1 MB for a file"),
    ],
)
def test_what_no_reader_reads_is_refused_with_the_reason_and_leaves_nothing(tmp_path, name, content, reason):
    shelf = Shelf(tmp_path, reading=ReadingSettings(max_file_mb=1))
    (refused,) = shelf.add((name, content)).refused
    assert refused.file == name
    assert refused.reason.startswith(reason)
    assert shelf.on_disk() == ["gas.md", "oil.md"]
    assert shelf.collection.progress() is None


def test_a_larger_setting_does_not_raise_the_limit_of_the_page(tmp_path):
    shelf = Shelf(tmp_path, reading=ReadingSettings(max_file_mb=500))
    path = shelf.uploads / "sparse"
    with path.open("wb") as file:
        file.truncate(50_000_001)
    (refused,) = shelf.collection.add([("sparse.txt", path)]).refused
    assert refused.reason == "50.0 MB, over the limit of 50 MB for a file"


def test_no_more_than_some_files_are_taken_at_a_time(shelf):
    found = shelf.add(*((f"{number}.txt", f"Note {number}.\n") for number in range(MOST_FILES + 2)))
    assert len(found.added) == MOST_FILES
    assert [one.file for one in found.refused] == ["100.txt", "101.txt"]
    assert {one.reason for one in found.refused} == {"more than 100 files at a time"}


def test_an_upload_that_is_gone_or_no_file_is_refused(shelf):
    os.mkfifo(shelf.uploads / "pipe")
    found = shelf.collection.add([("a.txt", shelf.uploads / "nothing"), ("b.txt", shelf.uploads / "pipe")])
    assert [one.reason.split(":")[0] for one in found.refused] == ["cannot be read"] * 2
    assert found.added == ()


def test_a_file_that_ragignore_names_would_never_be_indexed_and_is_refused(shelf):
    (shelf.folder / ".ragignore").write_text("secret*\n")
    (refused,) = shelf.add(("secret.txt", "Hush.\n")).refused
    assert "ragignore" in refused.reason
    (shelf.folder / ".ragignore").write_text(f"{ADDED}/\n")
    assert shelf.add(("open.txt", "Hush.\n")).added == ()


@pytest.mark.parametrize("make", ["touch", "symlink_to_outside"])
def test_a_sub_folder_that_is_none_is_said(shelf, make, tmp_path):
    target = shelf.folder / ADDED
    target.touch() if make == "touch" else target.symlink_to(tmp_path)
    with pytest.raises(ResourceError, match="is no folder"):
        shelf.add(("a.txt", "A.\n"))
    assert not (tmp_path / "a.txt").exists()


def test_a_folder_that_is_gone_is_not_made_anew(shelf):
    shelf.folder.rename(shelf.folder.with_name("moved"))
    with pytest.raises(CorpusError, match="is gone"):
        shelf.add(("a.txt", "A.\n"))
    shelf.collection.update()
    assert isinstance(shelf.settle().error, CorpusError)
    assert shelf.files() == ["gas.md", "oil.md"]
    assert not shelf.folder.exists()


class Full(Disk):
    """A disk that is full from the time the operation `at` is about to touch a file called as `name` is."""

    def __init__(self, at, name, number=errno.ENOSPC):
        self.at, self.name, self.number = at, name, number

    def _check(self, at, path):
        if at == self.at and self.name in path.name:
            raise OSError(self.number, os.strerror(self.number))

    def write(self, path, data):
        if self.at == "write" and self.name in path.name:
            super().write(path, data[:1])
        self._check("write", path)
        super().write(path, data)

    def rename(self, old, new):
        self._check("rename", new)
        super().rename(old, new)

    def sync_folder(self, path):
        self._check("sync_folder", path)
        super().sync_folder(path)

    def remove(self, path):
        self._check("remove", path)
        super().remove(path)


@pytest.mark.parametrize(("at", "name"), [("write", "bad.txt"), ("rename", "bad.txt"), ("sync_folder", ADDED)])
def test_a_write_error_is_said_and_leaves_nothing_half_written(tmp_path, at, name):
    shelf = Shelf(tmp_path, disk=Full(at, name))
    (refused,) = shelf.add(("bad.txt", "A longer text.\n")).refused
    assert refused.reason == "cannot be written: the disk is full"
    assert shelf.on_disk() == ["gas.md", "oil.md"]


def test_one_write_error_does_not_keep_the_others_out(tmp_path):
    shelf = Shelf(tmp_path, disk=Full("write", "bad.txt", errno.EIO))
    found = shelf.add(("bad.txt", "Bad.\n"), ("good.txt", "Good.\n"))
    assert [one.reason for one in found.refused] == [f"cannot be written: {os.strerror(errno.EIO)}"]
    assert shelf.files() == [f"{ADDED}/good.txt", "gas.md", "oil.md"]


def test_what_a_killed_program_left_half_written_is_cleared_away_and_never_indexed(shelf):
    (shelf.folder / ADDED).mkdir()
    part = shelf.folder / ADDED / ".notes.txt.rag-geo-part"
    part.write_text("Half")
    shelf.add(("notes.txt", "Whole.\n"))
    assert not part.exists()
    assert shelf.files() == [f"{ADDED}/notes.txt", "gas.md", "oil.md"]


# Names


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("notes.md", "notes.md"),
        ("Früh im Jahr.MD", "Früh im Jahr.MD"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\temp\\notes.txt", "notes.txt"),
        ("..\\..\\x.md", "x.md"),
        ("/", "document"),
        ("", "document"),
        (".hidden.md", "hidden.md"),
        ("...md", "md"),
        ("-rf.md", "rf.md"),
        ("a\nb\x00\x1b[2J.md", "a b[2J.md"),
        ("rtl\u202edm.txt", "rtldm.txt"),
        ("con.txt", "_con.txt"),
        ("LPT1.backup.md", "_LPT1.backup.md"),
        ("what?<is>:this|.md", "what-is-this-.md"),
        ("trailing.md. . ", "trailing.md"),
        ("?.md", "document.md"),
        ("e\u0301.md", "\u00e9.md"),
        ("bad\udcff.md", "bad.md"),
        ("x" * 101 + " . y" + "z" * 90, "x" * 101 + ". y" + "z" * 15),
        ("x" * 300 + ".markdown", "x" * 111 + ".markdown"),
        ("ä" * 100 + ".md", "ä" * 58 + ".md"),
    ],
)
def test_a_name_is_cleaned(given, cleaned):
    assert clean_name(given) == cleaned


@given(st.text(max_size=300), st.sampled_from(["", ".md", ".txt", ".md "]))
def test_a_clean_name_is_one_safe_part_and_stays_as_it_is(text, suffix):
    name = clean_name(text + suffix)
    assert 0 < len(name.encode()) <= 130
    assert not set('/\\<>:"|?*') & set(name)
    assert name[0] not in " .-"
    assert name[-1] not in " ."
    assert all(unicodedata.category(each)[0] != "C" for each in name)
    assert clean_name(name) == name
    if suffix == ".md":
        assert os.path.splitext(name)[1] in (".md", "")


# Removing


def test_a_file_that_was_added_here_is_deleted_when_it_is_removed(shelf):
    shelf.add(("notes.txt", "Short.\n"))
    shelf.collection.remove(f"{ADDED}/notes.txt")
    assert shelf.settle().report.removed == (f"{ADDED}/notes.txt",)
    assert shelf.on_disk() == ["gas.md", "oil.md"]
    assert read_left_out(shelf.path) == ()
    assert shelf.files() == ["gas.md", "oil.md"]


def test_a_file_of_the_users_own_is_left_where_it_is_and_out_of_the_index_from_then_on(shelf):
    shelf.collection.remove("gas.md")
    shelf.settle()
    assert shelf.on_disk() == ["gas.md", "oil.md"]
    assert shelf.files() == ["oil.md"]
    assert [(one.file, one.reason) for one in shelf.collection.skipped()] == [("gas.md", LEFT_OUT)]
    shelf.collection.rebuild()
    shelf.settle()
    assert shelf.files() == ["oil.md"]
    shelf.collection.restore("gas.md")
    shelf.settle()
    assert shelf.files() == ["gas.md", "oil.md"]
    with pytest.raises(UsageError, match="not left out"):
        shelf.collection.restore("gas.md")


def test_adding_what_was_left_out_takes_it_back_without_a_copy(shelf):
    shelf.collection.remove("gas.md")
    shelf.settle()
    (added,) = shelf.add(("whatever.md", GAS)).added
    assert (added.file, added.restored) == ("gas.md", True)
    assert shelf.files() == ["gas.md", "oil.md"]
    assert shelf.on_disk() == ["gas.md", "oil.md"]


def test_an_added_file_that_was_edited_since_is_not_deleted(shelf):
    shelf.add(("notes.txt", "Short.\n"))
    (shelf.folder / ADDED / "notes.txt").write_text("Edited by hand.\n")
    shelf.collection.remove(f"{ADDED}/notes.txt")
    shelf.settle()
    assert f"{ADDED}/notes.txt" in shelf.on_disk()
    assert read_left_out(shelf.path) == (f"{ADDED}/notes.txt",)
    assert shelf.files() == ["gas.md", "oil.md"]


def test_a_file_of_the_users_own_in_a_folder_of_that_name_is_not_deleted(shelf):
    (shelf.folder / ADDED).mkdir()
    (shelf.folder / ADDED / "own.md").write_text("My own.\n")
    shelf.collection.update()
    shelf.settle()
    shelf.collection.remove(f"{ADDED}/own.md")
    shelf.settle()
    assert f"{ADDED}/own.md" in shelf.on_disk()


def test_removing_what_is_gone_already_only_updates_the_index(shelf):
    (shelf.folder / "gas.md").unlink()
    shelf.collection.remove("gas.md")
    shelf.settle()
    assert shelf.files() == ["oil.md"]
    assert read_left_out(shelf.path) == ()


@pytest.mark.parametrize("file", ["gass.md", "../uploads/upload-0", "/etc/passwd", ""])
def test_only_what_is_in_the_collection_can_be_removed(shelf, file):
    with pytest.raises(UsageError, match="in the collection"):
        shelf.collection.remove(file)
    assert shelf.collection.progress() is None


def test_the_last_document_cannot_be_removed(shelf):
    shelf.collection.remove("gas.md")
    with pytest.raises(UsageError, match="last document"):
        shelf.collection.remove("oil.md")
    shelf.settle()
    assert shelf.files() == ["oil.md"]


def test_a_file_that_cannot_be_deleted_is_said(tmp_path):
    Shelf(tmp_path).add(("notes.txt", "Short.\n"))
    shelf = Shelf(tmp_path, disk=Full("remove", "notes.txt", errno.EACCES))
    with pytest.raises(ResourceError, match="cannot be deleted"):
        shelf.collection.remove(f"{ADDED}/notes.txt")
    assert f"{ADDED}/notes.txt" in shelf.on_disk()


# Indexing in the background


class Slow(HashEmbedder):
    """An embedder that waits at a gate when an index is built."""

    def __init__(self):
        super().__init__()
        self.began, self.gate, self.runs = threading.Event(), threading.Event(), 0

    def embed(self, texts, progress=None):
        if progress:
            self.runs += 1
            self.began.set()
            assert self.gate.wait(PATIENCE_S)
        return super().embed(texts, progress)


def test_requests_while_one_runs_are_done_once_afterwards(tmp_path):
    slow = Slow()
    shelf = Shelf(tmp_path, embedder=slow)
    (shelf.folder / "new.md").write_text("One.\n")
    shelf.collection.update()
    assert slow.began.wait(PATIENCE_S)
    assert shelf.files() == ["gas.md", "oil.md"]  # answers go on from these
    assert not shelf.collection.wait(0.01)
    assert not shelf.collection.progress().ended
    (shelf.folder / "newer.md").write_text("Two.\n")
    for _ in range(5):
        shelf.collection.update()
    slow.gate.set()
    shelf.settle()
    assert slow.runs == 2
    assert [index.generation for index in shelf.renewed] == ["gen-000002", "gen-000003"]
    assert shelf.files() == ["gas.md", "new.md", "newer.md", "oil.md"]


def test_what_was_added_while_others_are_indexed_is_not_said_to_be_done_before_it_is(tmp_path):
    slow = Slow()
    shelf = Shelf(tmp_path, embedder=slow)
    shelf.collection.add([shelf.upload("one.txt", "One.\n", 1)])
    assert slow.began.wait(PATIENCE_S)
    shelf.collection.add([shelf.upload("two.txt", "Two.\n", 2)])
    slow.gate.set()
    while not (progress := shelf.collection.progress()).ended:
        pass
    assert f"{ADDED}/two.txt" in shelf.files()
    assert progress.report.added == (f"{ADDED}/two.txt",)


class Breaking(Slow):
    """An embedder that breaks in a way that nobody foresaw."""

    def embed(self, texts, progress=None):
        super().embed(texts, progress)
        raise MemoryError


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_breaks_the_indexing_is_said_and_the_next_run_begins_anew(tmp_path):
    shelf = Shelf(tmp_path, embedder=(broken := Breaking()))
    broken.gate.set()
    shelf.add(("one.txt", "One.\n"))
    assert "MemoryError" in str(shelf.settle().error)
    shelf.collection.update()
    assert "MemoryError" in str(shelf.settle().error)
    assert broken.runs == 2


class Held(Disk):
    """A disk that keeps whoever writes a document waiting."""

    def __init__(self):
        self.began, self.gate = threading.Event(), threading.Event()

    def write(self, path, data):
        self.began.set()
        assert self.gate.wait(PATIENCE_S)
        super().write(path, data)


@pytest.mark.parametrize("change", ["add", "remove", "restore"])
def test_who_changes_something_while_files_are_added_is_told_so_and_not_kept_waiting(tmp_path, change):
    shelf = Shelf(tmp_path, disk=(disk := Held()))
    first = threading.Thread(target=shelf.collection.add, args=([shelf.upload("one.txt", "One.\n")],))
    first.start()
    try:
        assert disk.began.wait(PATIENCE_S)
        with pytest.raises(UsageError, match="files are being added") as refused:
            getattr(shelf.collection, change)([] if change == "add" else "gas.md")
        assert "try again" in refused.value.hint
    finally:
        disk.gate.set()
        first.join(PATIENCE_S)
    shelf.settle()
    assert shelf.files() == [f"{ADDED}/one.txt", "gas.md", "oil.md"]


def test_a_rebuild_reads_everything_anew_and_an_update_without_changes_renews_nothing(shelf):
    shelf.collection.update()
    assert not shelf.settle().report.published
    assert shelf.renewed == []
    shelf.collection.rebuild()
    assert shelf.settle().report.windows_embedded == 3
    assert len(shelf.renewed) == 1


def test_a_generation_that_somebody_else_published_is_taken_over(shelf):
    (shelf.folder / "new.md").write_text("One.\n")
    update_index(shelf.folder, shelf.path, HashEmbedder())
    shelf.collection.update()
    assert not shelf.settle().report.published
    assert [index.generation for index in shelf.renewed] == ["gen-000002"]
    assert "new.md" in shelf.files()


def test_another_writer_is_an_error_with_a_hint_and_the_old_index_stays(shelf):
    (shelf.folder / "new.md").write_text("One.\n")
    with FileLock(shelf.path / "LOCK"):
        shelf.collection.update()
        progress = shelf.settle()
    assert isinstance(progress.error, IndexLockedError)
    assert progress.error.hint
    assert (progress.stage, progress.ended, progress.report) == ("failed", True, None)
    assert shelf.files() == ["gas.md", "oil.md"]
    shelf.collection.update()
    assert shelf.settle().error is None
    assert "new.md" in shelf.files()


def test_a_full_disk_is_an_error_with_a_hint_and_the_old_index_stays(tmp_path):
    shelf = Shelf(tmp_path, disk=Full("write", "vectors.faiss"))
    (shelf.folder / "new.md").write_text("One.\n")
    shelf.collection.update()
    error = shelf.settle().error
    assert isinstance(error, ResourceError)
    assert "the disk is full" in error.message
    assert "free space" in error.hint
    assert Index.open(shelf.path).generation == "gen-000001"
    assert shelf.renewed == []


def test_closing_ends_the_indexing_and_leaves_the_old_index(tmp_path):
    slow = Slow()
    shelf = Shelf(tmp_path, embedder=slow)
    (shelf.folder / "new.md").write_text("One.\n")
    shelf.collection.update()
    assert slow.began.wait(PATIENCE_S)
    closing = threading.Thread(target=shelf.collection.close, args=(PATIENCE_S,))
    closing.start()
    while not shelf.collection.closed:
        closing.join(0.01)
    slow.gate.set()
    closing.join(PATIENCE_S)
    assert shelf.collection.progress() is None
    shelf.collection.update()
    assert shelf.collection.wait(0)
    assert Index.open(shelf.path).generation == "gen-000001"
    assert not [path for path in shelf.path.iterdir() if path.name.startswith("building")]


class Broken(HashEmbedder):
    """An embedder with a fault that is nobody's but its own."""

    def embed(self, texts, progress=None):
        if progress:
            raise ZeroDivisionError("broken")
        return super().embed(texts, progress)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_the_program_is_said_and_the_next_run_is_possible(tmp_path):
    shelf = Shelf(tmp_path, embedder=Broken())
    (shelf.folder / "new.md").write_text("One.\n")
    shelf.collection.update()
    error = shelf.settle().error
    assert "ZeroDivisionError" in error.message
    (shelf.folder / "new.md").unlink()
    shelf.collection.update()
    assert shelf.settle().error is None


def test_several_pages_add_at_the_same_time_and_nothing_is_lost(shelf):
    files = [shelf.upload("notes.txt", f"Note {number}.\n", number) for number in range(12)]
    threads = [threading.Thread(target=shelf.collection.add, args=([file],)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    shelf.settle()
    texts = {shelf.collection.index.document(file).text for file in shelf.files() if file.startswith(ADDED)}
    assert texts == {f"Note {number}.\n" for number in range(12)}


# What is passed over


@pytest.mark.parametrize(
    ("file", "passed"),
    [
        ("a.md", False),
        (".a.md", True),
        ("x/.y/a.md", True),
        ("secret/a.md", True),
        ("b/secret/a.md", True),
        ("x.log", True),
    ],
)
def test_what_a_scan_says_nothing_of(tmp_path, file, passed):
    (tmp_path / ".ragignore").write_text("secret/\n*.log\n")
    assert passes_over(tmp_path, file) is passed


# Files that hold others

NEWS = "The bridge was closed.\n"
NOISE = bytes(range(256)) * 8
ARCHIVE = packed(news__md=NEWS, wine__md="Wine got dear.\n", blob=NOISE)


def test_an_archive_comes_in_with_its_documents_and_what_is_skipped_of_it_has_its_reason(shelf):
    (one,), refused = shelf.add(("2019.zip", ARCHIVE))
    assert (one.file, one.holds, one.documents, refused) == ("added/2019.zip", True, 2, ())
    assert [each.file for each in one.skipped] == ["2019.zip/blob"]
    assert one.skipped[0].reason
    inside = ["added/2019.zip/news.md", "added/2019.zip/wine.md"]
    assert shelf.files() == [*inside, "gas.md", "oil.md"]
    assert {each.source for each in shelf.collection.documents()} == {"added/2019.zip", "gas.md", "oil.md"}


def test_an_archive_with_nothing_to_read_is_refused_with_the_reason(shelf):
    added, (refused,) = shelf.add(("2019.zip", packed(blob=NOISE, blub=NOISE)))
    assert added == ()
    assert refused.reason.startswith("nothing in it can be read: 2019.zip/blob: ")
    assert refused.reason.endswith(", and 1 more")
    assert shelf.on_disk() == ["gas.md", "oil.md"]


def test_an_archive_that_is_there_already_is_not_taken_again(shelf):
    (shelf.folder / "old.zip").write_bytes(ARCHIVE)
    shelf.collection.update()
    shelf.settle()
    assert shelf.add(("2019.zip", ARCHIVE)).refused[0].reason == "is there already: old.zip"


def test_a_document_in_an_archive_is_removed_with_all_that_are_in_it(shelf):
    shelf.add(("2019.zip", ARCHIVE))
    shelf.collection.remove("added/2019.zip/news.md")
    shelf.settle()
    assert shelf.files() == shelf.on_disk() == ["gas.md", "oil.md"]
    (shelf.folder / "old.zip").write_bytes(ARCHIVE)
    shelf.collection.update()
    shelf.settle()
    shelf.collection.remove("old.zip")
    shelf.settle()
    assert shelf.files() == ["gas.md", "oil.md"]
    assert "old.zip" in shelf.on_disk()
    assert read_left_out(shelf.path) == ("old.zip",)
    shelf.collection.restore("old.zip")
    shelf.settle()
    assert len(shelf.files()) == 4


def test_the_last_archive_cannot_be_removed(shelf):
    shelf.add(("2019.zip", ARCHIVE))
    for file in ("gas.md", "oil.md"):
        shelf.collection.remove(file)
        shelf.settle()
    with pytest.raises(UsageError, match="is the last document"):
        shelf.collection.remove("added/2019.zip/wine.md")

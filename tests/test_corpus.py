import hashlib
import os
import socket
import zipfile

import pytest

from rag_geo.corpus import Candidate, Loaded, load_bytes, read_candidate, scan
from rag_geo.errors import CorpusError
from rag_geo.records import Document, Skipped
from rag_geo.settings import ReadingSettings


def put(folder, **files):
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")


def reasons(scanned):
    return {skipped.file: skipped.reason for skipped in scanned.skipped}


def test_documents_are_found_in_a_fixed_order_with_relative_names(tmp_path):
    (tmp_path / "sub" / "deeper").mkdir(parents=True)
    put(tmp_path, b__md="B.", a__txt="A.", Z__html="<p>Z.")
    put(tmp_path / "sub" / "deeper", c__txt="C.")
    found = scan(tmp_path)
    assert [candidate.file for candidate in found.candidates] == ["Z.html", "a.txt", "b.md", "sub/deeper/c.txt"]
    assert found == scan(tmp_path)
    assert found.candidates[1].size == 2


def test_loading_gives_bytes_and_hash_and_reading_a_document(tmp_path):
    put(tmp_path, a__txt="Text here.")
    (candidate,) = scan(tmp_path).candidates
    loaded = load_bytes(candidate)
    assert isinstance(loaded, Loaded)
    assert loaded.data == b"Text here."
    (document,) = read_candidate(candidate)
    assert isinstance(document, Document)
    assert document.sha256 == loaded.sha256 == hashlib.sha256(b"Text here.").hexdigest()


def test_a_missing_folder_a_file_and_an_unusable_name_are_corpus_errors(tmp_path):
    put(tmp_path, a__txt="A.")
    for path, words in ((tmp_path / "none", "there is no folder"), (tmp_path / "a.txt", "is a file, not a folder")):
        with pytest.raises(CorpusError, match=words) as caught:
            scan(path)
        assert caught.value.hint
    with pytest.raises(CorpusError, match="cannot be opened"):
        scan(tmp_path / ("x" * 300))


def test_a_folder_without_files_that_can_be_read_is_a_corpus_error_that_names_one(tmp_path):
    with pytest.raises(CorpusError, match="holds no documents") as caught:
        scan(tmp_path)
    assert caught.value.hint
    put(tmp_path, a__pdf="", b__pdf="")
    with pytest.raises(CorpusError, match=r"'a\.pdf': empty, and 1 more skipped"):
        scan(tmp_path)


def test_every_file_is_a_candidate_but_empty_and_too_large_ones_which_are_listed(tmp_path):
    put(tmp_path, good__txt="Good.", a__pdf="x", Makefile="x", empty__txt="")
    with open(tmp_path / "huge.txt", "wb") as stream:
        stream.truncate(3_000_000)
    found = scan(tmp_path, ReadingSettings(max_file_mb=2))
    assert [candidate.file for candidate in found.candidates] == ["Makefile", "a.pdf", "good.txt"]
    assert reasons(found) == {
        "empty.txt": "empty",
        "huge.txt": "3.0 MB, over the limit of 2 MB (setting reading.max_file_mb)",
    }


def test_a_file_that_holds_others_is_one_candidate_and_several_documents(tmp_path):
    with zipfile.ZipFile(tmp_path / "old.zip", "w") as archive:
        archive.writestr("a.txt", "One.")
        archive.writestr("b/c.txt", "Two.")
    (candidate,) = scan(tmp_path).candidates
    assert [one.file for one in read_candidate(candidate)] == ["old.zip/a.txt", "old.zip/b/c.txt"]


def test_a_file_that_grew_over_the_limit_is_skipped_when_it_is_loaded(tmp_path):
    put(tmp_path, a__txt="x" * 10)
    with open(tmp_path / "a.txt", "ab") as stream:
        stream.truncate(1_500_000)
    skipped = load_bytes(Candidate("a.txt", tmp_path / "a.txt", 10), ReadingSettings(max_file_mb=1))
    assert isinstance(skipped, Skipped)
    assert "over the limit of 1 MB" in skipped.reason


def test_hidden_and_ignored_files_are_passed_over_silently(tmp_path):
    for folder in (".git", "drafts", "notes"):
        (tmp_path / folder).mkdir()
        put(tmp_path / folder, a__md="A.")
    put(tmp_path, README__md="R.", keep__md="K.", __hidden__md="H.", __ragignore="# not these\nREADME.md\ndrafts/\n")
    found = scan(tmp_path)
    assert [candidate.file for candidate in found.candidates] == ["keep.md", "notes/a.md"]
    assert found.skipped == ()


def test_an_ignore_file_that_cannot_be_used_is_a_corpus_error(tmp_path):
    put(tmp_path, a__md="A.", __ragignore="a\n!\n")
    with pytest.raises(CorpusError, match="ragignore"):
        scan(tmp_path)


def test_links_are_followed_to_files_inside_the_folder_only(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    put(inside, a__md="A.")
    put(outside, secret__md="S.")
    (inside / "again.md").symlink_to("a.md")
    (inside / "secret.md").symlink_to(outside / "secret.md")
    (inside / "loop").symlink_to(inside)
    (inside / "self.md").symlink_to("self.md")
    (inside / "gone.md").symlink_to("nowhere.md")
    found = scan(inside)
    assert [candidate.file for candidate in found.candidates] == ["a.md", "again.md"]
    assert reasons(found) == {
        "secret.md": "a symbolic link out of the folder",
        "loop": "a symbolic link to a folder",
        "self.md": "a symbolic link that leads back to itself",
        "gone.md": "a symbolic link to nothing",
    }


def test_pipes_and_sockets_are_skipped_without_opening_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path, a__md="A.")
    os.mkfifo("pipe.md")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.md")
        found = scan(tmp_path)
    assert reasons(found) == {"pipe.md": "a named pipe, not a file", "socket.md": "a socket, not a file"}


def test_a_pipe_that_took_the_place_of_a_file_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "a.md")
    skipped = load_bytes(Candidate("a.md", tmp_path / "a.md", 2))
    assert skipped == Skipped("a.md", "cannot be read: no longer an ordinary file")


def test_a_file_that_vanished_or_is_a_folder_is_skipped_with_the_reason_of_the_system(tmp_path):
    (tmp_path / "x.txt").mkdir()
    gone = Skipped("a.md", "cannot be read: No such file or directory")
    assert read_candidate(Candidate("a.md", tmp_path / "a.md", 2)) == (gone,)
    skipped = load_bytes(Candidate("x.txt", tmp_path / "x.txt", 2))
    assert isinstance(skipped, Skipped)
    assert "cannot be read" in skipped.reason


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_files_and_folders_are_skipped(tmp_path):
    (tmp_path / "locked").mkdir()
    put(tmp_path, a__md="A.", b__md="B.")
    (tmp_path / "b.md").chmod(0)
    (tmp_path / "locked").chmod(0)
    found = scan(tmp_path)
    assert "Permission denied" in reasons(found)["locked"]
    assert "Permission denied" in load_bytes(found.candidates[1]).reason
    (tmp_path / "locked").chmod(0o700)


def test_a_file_that_changes_while_it_is_read_is_tried_twice_and_skipped():
    # A file of /proc has size 0 and yet gives bytes: what a file looks like that grows while it is read.
    path = "/proc/self/status"
    if not os.path.exists(path):
        pytest.skip("needs /proc")
    assert load_bytes(Candidate("a.md", path, 1)) == Skipped("a.md", "changes while it is read")


@pytest.mark.parametrize("name", ["new\nline.md", "quo\"te's.md", "em😀ji.md", "<img onerror=x>.md", b"no\xfftutf8.md"])
def test_any_file_name_can_be_read_and_leads_back_to_the_file(tmp_path, name):
    raw = os.fsencode(name) if isinstance(name, str) else name
    with open(os.path.join(os.fsencode(tmp_path), raw), "wb") as stream:
        stream.write(b"It is here.")
    (candidate,) = scan(tmp_path).candidates
    assert os.fsencode(candidate.file) == raw
    (document,) = read_candidate(candidate)
    assert isinstance(document, Document)
    assert document.file == candidate.file
    assert document.title

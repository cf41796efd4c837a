"""The disk is full or fails, for real or by the operating system's word: the old index stays, and it is said."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from full_disk import texts
from rag_geo.errors import ResourceError
from rag_geo.index import rebuild_index, update_index
from rag_geo.index.disk import Disk
from rag_geo.testing import HashEmbedder

pytestmark = pytest.mark.crash

PROGRAM = Path(__file__).parent / "full_disk.py"
WORDS = ("mill", "pier", "kiln", "tram", "barley", "flood", "tile", "shed", "harbour", "ferry", "coal", "stone", "roof")


def text(seed: int, paragraphs: int) -> str:
    rng = random.Random(seed)
    lines = [f"The {rng.choice(WORDS)} {n} of {' '.join(rng.choices(WORDS, k=12))}." for n in range(paragraphs)]
    return "\n\n".join(lines) + "\n"


@pytest.fixture
def root(tmp_path) -> Path:
    """Documents, and an index of what they were before most of them changed."""
    documents = tmp_path / "documents"
    documents.mkdir()
    # In two steps, so that the texts lie in two places, and to make the index anew takes as much again.
    for number in range(6):
        (documents / f"{number}.md").write_text(text(number, 60))
        if number in (2, 5):
            update_index(documents, tmp_path / "index", HashEmbedder())
    for number in range(1, 6):
        (documents / f"{number}.md").write_text(text(number + 100, 60))
    return tmp_path


def in_a_namespace() -> list[str]:
    """What gives a command mounts of its own; the test is skipped where nothing does."""
    if shutil.which("unshare") is None or shutil.which("mount") is None:
        pytest.skip("unshare and mount are missing: no disk can be made small")
    for flags in (["--mount"], ["--map-root-user", "--mount"]):
        if subprocess.run(["unshare", *flags, "true"], capture_output=True, check=False).returncode == 0:
            return ["unshare", *flags]
    pytest.skip("no mount namespace is allowed here: no disk can be made small")


def bytes_on_disk(folder: Path) -> int:
    """What a folder takes on a disk of pages."""
    return sum(4096 if path.is_dir() else -(-path.stat().st_size // 4096) * 4096 for path in folder.rglob("*"))


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("what", ["first", "update", "rebuild"])
def test_on_a_disk_of_any_size_the_index_is_as_it_was_or_as_it_shall_be(root, what, rounds, counted):
    command = in_a_namespace()
    sizes, least = rounds(6, 64), 0.05 if what == "first" else 1.0
    taken = bytes_on_disk(root / "index")
    wanted = [int(taken * (least + (2.2 - least) * n / (sizes - 1))) for n in range(sizes)]
    done = subprocess.run(
        [*command, sys.executable, str(PROGRAM), str(root), what, *map(str, wanted)],
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == sizes
    old = None if what == "first" else texts(root / "index")
    new = old if what == "rebuild" else {file.name: file.read_text() for file in (root / "documents").iterdir()}
    for each in found:
        assert each["code"] in (0, 6), each
        if each["code"] == 6:
            assert "the disk is full; what it held before is as it was" in each["said"]
            assert "hint: free space" in each["said"]
            assert (each["same"], each["left"]) == (True, []), each
        assert (each["again"], each["end"]) == (0, new), each
    assert {each["code"] for each in found} == {0, 6}
    counted("disks of different sizes", sizes)


class Failing(Disk):
    """Fails with one error from operation `first` on, or there only; `done` counts."""

    def __init__(self, code: int, first: int, *, for_good: bool) -> None:
        self.code, self.first, self.for_good, self.done = code, first, for_good, 0

    def __getattribute__(self, name: str) -> object:
        found = super().__getattribute__(name)
        if name not in ("make_folder", "write", "append", "sync_folder", "rename", "remove"):
            return found
        self.done += 1
        if self.done == self.first or (self.for_good and self.done > self.first):
            raise OSError(self.code, os.strerror(self.code))
        return found


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("code", [errno.EROFS, errno.EMFILE], ids=errno.errorcode.get)
@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
def test_whatever_the_system_refuses_at_any_operation_it_is_said_and_the_index_stays(
    root, tmp_path, code, for_good, rounds, counted
):
    old = texts(root / "index")
    points = refused = 0
    hints: list[str] = []
    for first in range(1, 100, rounds(9, 1)):
        path = shutil.copytree(root / "index", tmp_path / "copy")
        disk = Failing(code, first, for_good=for_good)
        try:
            update_index(root / "documents", path, HashEmbedder(), disk=disk)
        except ResourceError as error:
            refused += 1
            hints.append(error.hint)
            # The very last sync fails when all is done: then the new one may be there.
            same = path.joinpath("CURRENT").read_bytes() == root.joinpath("index/CURRENT").read_bytes()
            assert not same or texts(path) == old
        points += 1
        update_index(root / "documents", path, HashEmbedder())
        assert texts(path) == {file.name: file.read_text() for file in (root / "documents").iterdir()}
        shutil.rmtree(path)
        if disk.done < first:
            break
    assert refused > 1
    assert all(hints)
    counted("errors of the system", points)


PROGRAM_WITHOUT_FILES = """
import resource, sys
from pathlib import Path
from rag_geo.errors import RagGeoError
from rag_geo.index import update_index
from rag_geo.testing import HashEmbedder

class Late(HashEmbedder):
    def embed(self, texts, progress=None):
        # From here on no file can be opened.
        resource.setrlimit(resource.RLIMIT_NOFILE, (LEFT, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        return super().embed(texts, progress)

import os
LEFT = len(os.listdir("/proc/self/fd")) + int(sys.argv[3])
try:
    update_index(Path(sys.argv[1]), Path(sys.argv[2]), Late())
except RagGeoError as error:
    sys.exit(error.exit_code)
finally:
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
"""


@pytest.mark.parametrize("left", range(0, 12, 3))
def test_a_process_that_may_open_no_more_files_removes_none_that_is_needed(root, left, tmp_path):
    """What an update clears away when it fails, it must have been able to look through."""
    old = texts(root / "index")
    run = [sys.executable, "-c", PROGRAM_WITHOUT_FILES, str(root / "documents"), str(root / "index"), str(left)]
    done = subprocess.run(run, check=False, capture_output=True, text=True)
    assert done.returncode in (0, 6), done.stderr
    assert (texts(root / "index") == old) == (done.returncode == 6)
    update_index(root / "documents", root / "index", HashEmbedder())


def test_segments_are_not_cleared_away_when_it_cannot_be_read_which_are_needed(root, tmp_path, monkeypatch):
    old = texts(root / "index")
    real = Path.read_bytes
    failing = Failing(errno.EIO, 8, for_good=True)

    def read_bytes(self: Path) -> bytes:
        if failing.done >= failing.first and self.name == "MANIFEST.json":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(self)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    with pytest.raises(ResourceError):
        update_index(root / "documents", root / "index", HashEmbedder(), disk=failing)
    monkeypatch.undo()
    assert texts(root / "index") == old
    rebuild_index(root / "index", HashEmbedder())
    assert texts(root / "index") == old

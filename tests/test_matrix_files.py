"""Bad files, one row of the matrix each: what is wrong with it is said, the rest is indexed, and old data is kept.

Every file comes to an index that holds good ones already, through the real command line and the real reader processes;
what is said, and the exit code, are written out.
"""

from __future__ import annotations

import ctypes
import glob
import gzip
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

import hostile_files as hostile
from office import R, W, relations, zipped
from rag_geo import cli
from rag_geo.chat import markup, views
from rag_geo.corpus import Candidate, load_bytes
from rag_geo.readers.process import ReaderProcess
from rag_geo.records import Document, Skipped
from rag_geo.session import Edges
from rag_geo.testing import HashEmbedder

MILL = "The mill on the Norham was built in 1794.\n"
BRIDGE = "# Calder Bridge\n\nThe Calder Bridge opened in 1932.\n"
QUESTION = "When was the mill on the Norham built?"
MARKER = "The lighthouse keeper counted eleven gulls."
KEPT = "indexed: 0 added, 0 changed, 0 removed, 2 unchanged; now 2 documents, 2 paragraphs, 2 windows, 0 embedded\n"

# What a terminal obeys, or what reorders or hides what is read.
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


class Said(NamedTuple):
    """What a command said: its exit code, and standard output without the time and the number of the generation."""

    code: int
    out: str
    raw: str
    err: str


Run = Callable[..., Said]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place with good files in a folder, and their index; both are kept for the next test as well."""
    place = tmp_path_factory.mktemp("files")
    (place / "docs").mkdir()
    (place / "docs" / "mill.txt").write_text(MILL, encoding="utf-8")
    (place / "docs" / "bridge.md").write_text(BRIDGE, encoding="utf-8")
    with CliRunner().isolation(), chdir(place):
        assert cli.run(["index", "docs"], Edges({}, load_embedder=lambda _settings: HashEmbedder())) == 0
    shutil.copytree(place, place.with_name("as it was"))
    return place


@pytest.fixture
def run(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(prepared)
    monkeypatch.setenv("COLUMNS", "100")

    def invoke(*arguments: str, embedder: HashEmbedder | None = None) -> Said:
        edges = Edges({}, load_embedder=lambda _settings: embedder or HashEmbedder())
        with CliRunner().isolation() as (out, err, _both):
            code = cli.run(arguments, edges)
            raw = out.getvalue().decode()
        return Said(code, unwrapped(raw), raw, err.getvalue().decode())

    return invoke


@pytest.fixture
def docs(prepared: Path) -> Path:
    """A folder of good files that is indexed; after the test they are found as before."""
    for each in prepared.iterdir():
        shutil.rmtree(each)
    shutil.copytree(prepared.with_name("as it was"), prepared, dirs_exist_ok=True)
    return prepared / "docs"


@pytest.fixture(autouse=True)
def good_files_are_found(docs: Path, run: Run) -> Iterator[None]:
    before = found_in(run, "mill.txt", QUESTION)
    assert before == [("mill.txt", 1, 0, len(MILL) - 1, MILL.strip())]
    yield
    assert found_in(run, "mill.txt", QUESTION) == before


def unwrapped(out: str) -> str:
    """The lines as they were before they were wrapped."""
    out = re.sub(r"\A((?:indexed|nothing to do): [^(]+?)\s+in\s+[\d.]+\s+s\s+\(gen-\d+\)\n", r"\1\n", out)
    head, _, rest = out.partition(" embedded\n")
    head = " ".join(head.split()) + " embedded\n" if rest or out.endswith(" embedded\n") else head
    return head + re.sub(r"\n    +", " ", re.sub(r"(?m)(?<=^left out of )(.*)\n  ", r"\1 ", rest))


def added(files: int, paragraphs: int, windows: int, embedded: int | None = None) -> str:
    """The first line after an update that found `files` more documents; copies are counted once."""
    return (
        f"indexed: {files} added, 0 changed, 0 removed, 2 unchanged; now {files + 2} documents, "
        f"{paragraphs + 2} paragraphs, {windows + 2} windows, {windows if embedded is None else embedded} embedded\n"
    )


def skipped(*lines: str) -> str:
    count = "1 file was" if len(lines) == 1 else f"{len(lines)} files were"
    return f"{count} skipped:\n" + "".join(f"  {line}\n" for line in lines)


def found_in(run: Run, file: str, question: str) -> list[tuple[str, int, int, int, str]]:
    """Which paragraphs of a file are found, with their numbers, their places and what they say."""
    hits = json.loads(run("search", question, "--file", file, "--json").raw)["hits"]
    return [(hit["file"], hit["paragraph"], hit["window"]["start"], hit["window"]["end"], shown(hit)) for hit in hits]


def shown(hit: dict[str, Any]) -> str:
    return " ".join(sentence["text"] for sentence in hit["sentences"])


def text_of(run: Run, file: str) -> str:
    """Everything that the index holds of a file, by its paragraphs."""
    table = json.loads(run("info", "--file", file, "--json").raw)
    return " | ".join(paragraph["first_words"] for paragraph in table["paragraphs"])


@contextmanager
def watched(*events: str) -> Iterator[list[str]]:
    """What this process opens, or connects to, by the names of audit events."""
    seen: list[str] = []
    _WATCHES.append((events, seen))
    try:
        yield seen
    finally:
        _WATCHES.remove((events, seen))


_WATCHES: list[tuple[tuple[str, ...], list[str]]] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    for events, seen in _WATCHES:
        if event in events:
            seen.append(os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes) else repr(arguments))


sys.addaudithook(_audit)


# 1 to 6: what is in a text --------------------------------------------------------------------------------------


def test_01_an_empty_file_is_skipped_in_words_and_is_no_failure(run, docs):
    (docs / "empty.txt").write_bytes(b"")
    said = run("index", "docs")
    assert (said.code, said.out) == (0, KEPT + skipped("empty.txt: empty"))


def test_01_a_file_in_which_nothing_can_be_seen_is_a_failure(run, docs):
    """It is not empty: somebody may have thought that there is something in it."""
    (docs / "blank.txt").write_text(" \n\u200b\n\t", encoding="utf-8")
    said = run("index", "docs")
    assert (said.code, said.out) == (3, KEPT + skipped("blank.txt: empty: nothing in it can be seen"))


def test_02_binary_files_named_txt_are_told_by_their_content(run, docs):
    (docs / "program.txt").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(200))
    (docs / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    (docs / "noise.txt").write_bytes(bytes(range(256)) * 40)
    said = run("index", "docs")
    assert (said.code, said.out) == (
        3,
        KEPT + skipped("noise.txt: looks binary", "picture.txt: a PNG picture", "program.txt: a program for Linux"),
    )


def test_03_bytes_that_are_no_utf_8_are_counted_and_the_file_is_indexed(run, docs):
    text = "Die Mühle über dem Fluß läuft, größer als früher. ".encode() + b"\xff \xfe end.\n"
    (docs / "notes.txt").write_bytes(text)
    said = run("index", "docs")
    assert (said.code, said.out) == (
        0,
        added(1, 1, 1) + "1 file was read with a warning:\n  notes.txt: 2 places that are not valid UTF-8 shown as �\n",
    )
    assert "2 places that are not valid UTF-8 shown as �" in run("info", "--file", "notes.txt").raw


def test_03_an_older_encoding_is_a_guess_and_is_said_to_be_one(run, docs):
    (docs / "notes.txt").write_bytes("The café on the quay closed in 1998.\n".encode("cp1252"))
    said = run("index", "docs")
    assert (said.code, said.out) == (
        0,
        added(1, 1, 1) + "1 file was read with a warning:\n  notes.txt: not UTF-8; read as cp1252, which is a guess\n",
    )
    assert text_of(run, "notes.txt") == "The café on the quay closed in 1998."


def test_04_the_wide_encodings_are_read_to_the_letter(run, docs):
    encodings = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
    for encoding in encodings:
        mark = "\ufeff" if encoding in ("utf-32-le", "utf-32-be") else ""
        (docs / f"{encoding}.txt").write_bytes((mark + MARKER + "\n").encode(encoding))
    said = run("index", "docs")
    assert (said.code, said.out) == (0, added(6, 5, 5, embedded=1))
    for encoding in encodings:
        (found,) = found_in(run, f"{encoding}.txt", MARKER)
        assert found[1:] == (1, 0, len(MARKER), MARKER)


def test_05_a_byte_order_mark_is_no_part_of_the_text(run, docs):
    (docs / "notes.txt").write_bytes(b"\xef\xbb\xbf" + MARKER.encode())
    said = run("index", "docs")
    assert (said.code, said.out) == (0, added(1, 1, 1))
    assert found_in(run, "notes.txt", MARKER) == [("notes.txt", 1, 0, len(MARKER), MARKER)]


def test_06_control_characters_are_left_out_counted_and_never_reach_the_terminal(run, docs):
    (docs / "notes.txt").write_text("The light\x00house \x1b[31mkeeper\x1b[0m counted\x07 eleven gulls.\n", "utf-8")
    said = run("index", "docs")
    assert (said.code, said.out) == (
        0,
        added(1, 1, 1) + "left out of what was read: control character 4 (of each file: rag-geo info --file FILE)\n",
    )
    for command in (["search", MARKER], ["info"], ["info", "--file", "notes.txt"], ["search", MARKER, "--json"]):
        assert not UNSAFE.search(run(*command).raw)


# 7 and 8: what is too large -------------------------------------------------------------------------------------


def test_07_a_line_of_two_hundred_megabytes_is_refused_by_its_size_and_the_setting_is_named(run, docs):
    with open(docs / "line.txt", "wb") as stream:
        for _ in range(200):
            stream.write(b"a word and another one, and no end to it ".ljust(50) * 20_000)
    with watched("open") as opened:
        said = run("index", "docs")
    assert (said.code, said.out) == (
        3, KEPT + skipped("line.txt: 200.0 MB, over the limit of 50 MB (setting reading.max_file_mb)"),
    )  # fmt: skip
    assert str(docs / "line.txt") not in opened


LONG_LINE = """
import resource, sys
import numpy as np
from rag_geo import cli
from rag_geo.session import Edges

class Quick:
    id, dimension, max_tokens = "quick@8", 8, 256

    def count_tokens(self, text):
        return text.count(" ") + 3

    def embed(self, texts, progress=None):
        return np.full((len(texts), 8), 8 ** -0.5, np.float32)

def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

def index(folder):
    return cli.run(["index", folder, "--index", f"of-{folder}"], Edges({}, load_embedder=lambda _: Quick()))

index("docs")
before = most()
code = index("long")
print(code, most() - before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
"""


def test_07_one_long_line_below_the_limit_is_indexed_and_takes_memory_by_its_size(docs):
    """A tenth of what is allowed, so that it is quick; some of what it takes does not grow with the file."""
    (docs.parent / "long").mkdir()
    line = b"a word and another one, and no end to it ".ljust(50) * 100_000
    (docs.parent / "long" / "line.txt").write_bytes(line + MARKER.encode())
    done = subprocess.run([sys.executable, "-c", LONG_LINE], capture_output=True, text=True, check=True)
    code, parent, child = map(int, done.stderr.splitlines()[-1].split())
    assert code == 0
    assert parent >> 10 <= 80
    assert child >> 10 <= 128


def test_08_five_gigabytes_with_nothing_in_them_are_refused_before_they_are_opened(run, docs):
    with open(docs / "sparse.txt", "wb") as stream:
        stream.truncate(5_000_000_000)
    with watched("open") as opened:
        said = run("index", "docs")
    assert (said.code, said.out) == (
        3, KEPT + skipped("sparse.txt: 5000.0 MB, over the limit of 50 MB (setting reading.max_file_mb)"),
    )  # fmt: skip
    assert str(docs / "mill.txt") in opened
    assert str(docs / "sparse.txt") not in opened


# 9 to 12: what is no file, or does not stay one -----------------------------------------------------------------


def test_09_links_that_lead_out_back_or_nowhere_are_listed_and_not_followed(run, docs, tmp_path):
    (tmp_path / "secret.txt").write_text("The canary sings.", encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.txt").write_text("The canary sings.", encoding="utf-8")
    (docs / "out.txt").symlink_to(tmp_path / "secret.txt")
    (docs / "passwd").symlink_to("/etc/passwd")
    (docs / "folder").symlink_to(tmp_path / "elsewhere")
    (docs / "itself").symlink_to("itself")
    (docs / "there").symlink_to("back")
    (docs / "back").symlink_to("there")
    (docs / "loop").symlink_to(docs)
    (docs / "gone").symlink_to("nowhere")
    with watched("open") as opened:
        said = run("index", "docs")
    assert (said.code, said.out) == (
        3,
        KEPT
        + skipped(
            "back: a symbolic link that leads back to itself",
            "folder: a symbolic link out of the folder",
            "gone: a symbolic link to nothing",
            "itself: a symbolic link that leads back to itself",
            "loop: a symbolic link to a folder",
            "out.txt: a symbolic link out of the folder",
            "passwd: a symbolic link out of the folder",
            "there: a symbolic link that leads back to itself",
        ),
    )
    assert not [path for path in opened if path in ("/etc/passwd", str(docs / "passwd"), str(docs / "out.txt"))]
    assert "canary" not in run("search", "Does the canary sing?").raw


def test_10_pipes_sockets_and_devices_are_never_opened(run, docs, monkeypatch):
    os.mkfifo(docs / "pipe.txt")
    reasons = ["pipe.txt: a named pipe, not a file", "socket.txt: a socket, not a file"]
    if os.geteuid() == 0:
        os.mknod(docs / "zero.txt", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
        reasons.append("zero.txt: a device, not a file")
    monkeypatch.chdir(docs)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.txt")
        monkeypatch.chdir(docs.parent)
        with watched("open", "socket.connect") as opened:
            said = run("index", "docs")
    assert (said.code, said.out) == (3, KEPT + skipped(*reasons))
    assert str(docs / "mill.txt") in opened
    assert not [path for path in opened if path.endswith(("pipe.txt", "socket.txt", "zero.txt"))]


def test_10_a_pipe_that_takes_the_place_of_a_file_does_not_hold_up_the_rest(run, docs):
    """The folder was looked through, and then the file gave way to a pipe that nobody writes to."""
    late = docs / "z.txt"
    late.write_text(MARKER, encoding="utf-8")

    def give_way() -> None:
        late.unlink()
        os.mkfifo(late)

    said = run("index", "docs", embedder=Meddling(docs, give_way))
    assert (said.code, said.out) == (
        3, added(20, 20, 20) + skipped("z.txt: cannot be read: no longer an ordinary file")
    )  # fmt: skip


class Meddling(HashEmbedder):
    """At the first text it is shown, something happens to the folder: the files ahead are read, the last ones not."""

    def __init__(self, docs: Path, act: Callable[[], None]) -> None:
        super().__init__()
        for number in range(20):
            # Long enough that its words are counted.
            text = f"Note number {number} is about the harbour{' and its boats' * 30}."
            (docs / f"n{number:02}.txt").write_text(text, encoding="utf-8")
        self._act: Callable[[], None] | None = act

    def count_tokens(self, text: str) -> int:
        act, self._act = self._act, None
        if act:
            act()
        return super().count_tokens(text)


COMMAND = """
import sys
from rag_geo import cli
from rag_geo.session import Edges
from rag_geo.testing import HashEmbedder
sys.exit(cli.run(sys.argv[1:], Edges({}, load_embedder=lambda _: HashEmbedder())))
"""


def without_the_powers_of_root() -> None:
    """From the next program on, permissions hold for root, too."""
    for right_to_read in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, right_to_read, 0, 0, 0)  # PR_CAPBSET_DROP


def test_11_what_may_not_be_read_is_skipped_with_the_reason_of_the_system(docs):
    (docs / "locked.txt").write_text(MARKER, encoding="utf-8")
    (docs / "locked.txt").chmod(0)
    (docs / "room").mkdir()
    (docs / "room" / "inside.txt").write_text(MARKER, encoding="utf-8")
    (docs / "room").chmod(0)
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "index", "docs"],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=without_the_powers_of_root if os.geteuid() == 0 else None,
    )
    (docs / "room").chmod(0o755)
    assert (done.returncode, unwrapped(done.stdout)) == (
        3, KEPT + skipped("locked.txt: cannot be read: Permission denied", "room: cannot be read: Permission denied"),
    ), done.stderr  # fmt: skip


def test_12_a_file_that_vanishes_after_it_was_seen_is_skipped(run, docs):
    late = docs / "z.txt"
    late.write_text(MARKER, encoding="utf-8")
    said = run("index", "docs", embedder=Meddling(docs, late.unlink))
    assert (said.code, said.out) == (
        3, added(20, 20, 20) + skipped("z.txt: cannot be read: No such file or directory")
    )  # fmt: skip
    again = run("index", "docs")
    assert (again.code, again.out.splitlines()[0]) == (
        0,
        "indexed: 0 added, 0 changed, 0 removed, 22 unchanged; now 22 documents, 22 paragraphs, 22 windows, 0 embedded",
    )


def test_12_a_file_that_changes_after_it_was_seen_is_indexed_as_it_is_then(run, docs):
    late = docs / "z.txt"
    late.write_text("The old text of the file.", encoding="utf-8")
    said = run("index", "docs", embedder=Meddling(docs, lambda: late.write_text(MARKER, encoding="utf-8") and None))
    assert (said.code, said.out) == (0, added(21, 21, 21))
    assert found_in(run, "z.txt", MARKER) == [("z.txt", 1, 0, len(MARKER), MARKER)]
    again = run("index", "docs")
    assert (again.code, again.out.startswith("nothing to do: ")) == (0, True)


def test_12_a_file_that_is_another_one_each_time_is_read_twice_and_skipped(run, docs):
    """A file of the system gives other bytes than its size says, as one does that is written to while it is read."""
    path = Path("/proc/self/status")
    if not path.exists():
        pytest.skip("needs /proc")
    with watched("open") as opened:
        assert load_bytes(Candidate("a.md", path, 1)) == Skipped("a.md", "changes while it is read")
    assert opened.count(str(path)) == 2


# 13 to 16: PDF --------------------------------------------------------------------------------------------------


def test_13_a_pdf_with_a_password_says_that_it_needs_one(run, docs):
    (docs / "locked.pdf").write_bytes(hostile.pdf_with_a_password())
    said = run("index", "docs")
    assert (said.code, said.out) == (3, KEPT + skipped("locked.pdf: needs a password"))


def test_14_a_pdf_of_pictures_says_how_many_pages_have_no_text(run, docs):
    (docs / "scan.pdf").write_bytes(hostile.pdf_of_a_picture(3))
    said = run("index", "docs")
    reason = (
        "scan.pdf: scanned: 3 pages without text (p. 1 and on); pages without text can be read: set reading.ocr, "
        'and pip install "rag-geo[ocr]"'
    )
    assert (said.code, said.out) == (3, KEPT + skipped(reason))


GOOD_PDF = hostile.pdf_pages(MARKER)


def test_15_a_pdf_that_is_garbage_is_damaged(run, docs):
    (docs / "garbage.pdf").write_bytes(b"%PDF-1.7\n" + bytes(range(256)) * 20)
    (docs / "cut.pdf").write_bytes(GOOD_PDF[:60])
    (docs / "circle.pdf").write_bytes(hostile.pdf_of_references_in_a_circle())
    said = run("index", "docs")
    why = "damaged: not a PDF that can be opened"
    assert (said.code, said.out) == (
        3, KEPT + skipped(f"circle.pdf: {why}", f"cut.pdf: {why}", f"garbage.pdf: {why}")
    )  # fmt: skip


def test_15_a_pdf_with_loops_is_read_as_far_as_its_pages_go(run, docs):
    (docs / "lost.pdf").write_bytes(GOOD_PDF[: GOOD_PDF.rindex(b"startxref")] + b"startxref\n9\n%%EOF\n")
    (docs / "outline.pdf").write_bytes(hostile.pdf_with_a_cyclic_outline(MARKER))
    (docs / "tables.pdf").write_bytes(hostile.pdf_with_an_xref_loop(MARKER))
    said = run("index", "docs")
    assert (said.code, said.out.startswith("indexed: 3 added, ")) == (0, True)
    assert "skipped" not in said.out
    for file in ("lost.pdf", "outline.pdf", "tables.pdf"):
        assert MARKER in run("search", MARKER, "--file", file).raw


def test_16_of_a_hundred_thousand_pages_the_first_are_read_and_that_is_said(run, docs):
    (docs / "pages.pdf").write_bytes(hostile.pdf_pages(MARKER, 99_999))
    said = run("index", "docs")
    assert (said.code, said.out) == (
        0,
        added(1, 1, 1) + "1 file was read with a warning:\n"
        "  pages.pdf: only the first 10,000 of 100,000 pages are read: split the file\n",
    )


def test_16_a_pdf_that_unfolds_in_memory_costs_itself_at_most(run, docs):
    """The page beside it is kept, and so is everything else."""
    (docs / "bomb.pdf").write_bytes(hostile.pdf_bomb(MARKER, 64, times=2))
    said = run("index", "docs")
    assert said.code == 0
    assert MARKER in run("search", MARKER, "--file", "bomb.pdf").raw


# 17 to 20: archives, and what is built on them ------------------------------------------------------------------

EPUB_CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
EPUB_PACKAGE = (
    '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata/><manifest>'
    '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/></spine>'
    "</package>"
)
XHTML = '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>HERE</p></body></html>'
TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


def epub(page: str, **more: str | bytes) -> bytes:
    members = {"mimetype": "application/epub+zip", "META-INF/container.xml": EPUB_CONTAINER, "book.opf": EPUB_PACKAGE}
    return zipped({**members, "a.xhtml": page, **more})


def docx(document: str, **more: str | bytes) -> bytes:
    main = relations(("officeDocument", "word/document.xml"))
    return zipped({"[Content_Types].xml": TYPES, "_rels/.rels": main, "word/document.xml": document, **more})


def words_of_word(text: str) -> str:
    return f'<w:document xmlns:w="{W}"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>'


def odt(content: str) -> bytes:
    return zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


def xlsx(sheet: str) -> bytes:
    book = (
        f'<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="{R}">'
        '<sheets><sheet name="One" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    members = {"[Content_Types].xml": TYPES, "_rels/.rels": relations(("officeDocument", "xl/workbook.xml"))}
    named = relations(("worksheet", "worksheets/sheet1.xml"))
    return zipped(
        {**members, "xl/workbook.xml": book, "xl/_rels/workbook.xml.rels": named, "xl/worksheets/sheet1.xml": sheet}
    )


ODT = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:text><text:p>HERE</text:p>'
    "</office:text></office:body></office:document-content>"
)
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">'
    '<c r="A1" t="inlineStr"><is><t>HERE</t></is></c></row></sheetData></worksheet>'
)
WORD = words_of_word("HERE")
GOOD = {
    "docx": docx(words_of_word(MARKER)),
    "odt": odt(ODT.replace("HERE", MARKER)),
    "epub": epub(XHTML.replace("HERE", MARKER)),
    "xlsx": xlsx(SHEET.replace("HERE", MARKER)),
    "zip": zipped({"a.txt": MARKER}),
    "txt.gz": gzip.compress(MARKER.encode()),
}


def test_17_the_good_ones_of_these_formats_are_read(run, docs):
    """What the damaged ones below are made of."""
    for kind, data in GOOD.items():
        (docs / f"a.{kind}").write_bytes(data)
    said = run("index", "docs")
    assert (said.code, said.out) == (0, added(6, 5, 5, embedded=2))


def test_17_documents_that_are_cut_off_are_damaged(run, docs):
    for kind, data in GOOD.items():
        (docs / f"a.{kind}").write_bytes(data[:-30])
        (docs / f"b.{kind}").write_bytes(bytes(range(256)) * 20)
    said = run("index", "docs")
    cut = "damaged: its table of contents cannot be read"
    assert (said.code, said.out) == (
        3,
        KEPT
        + skipped(
            f"a.docx: {cut}",
            f"a.epub: {cut}",
            f"a.odt: {cut}",
            "a.txt.gz: damaged: it cannot be unpacked",
            f"a.xlsx: {cut}",
            f"a.zip: {cut}",
            *(f"b.{kind}: looks binary" for kind in sorted(GOOD)),
        ),
    )


NAMES = [f"{number}.txt" for number in range(250)]
FAR_MORE = "unpacks to more than 100 times its size"
TOO_LARGE = "unpacks to more than 64 MB"


BOMBS = {
    "quoting.zip": (lambda: hostile.quoting_zip(NAMES[:50], hostile.blank(21)), "zip", FAR_MORE),
    "small quoting.zip": (lambda: hostile.quoting_zip(NAMES[:50], hostile.blank(7)), "zip", FAR_MORE),
    "same.zip": (lambda: hostile.shared_zip(NAMES, hostile.blank(7)), "zip", FAR_MORE),
    "many.zip": (lambda: zipped({name: hostile.blank(7) for name in NAMES[:40]}), "zip", FAR_MORE),
    "large.zip": (lambda: zipped(dict.fromkeys(NAMES[:2], bytes(70 << 20))), "zip", TOO_LARGE),
    "a.docx": (lambda: docx(words_of_word("x" * (70 << 20))), "docx", f"word/document.xml in it {TOO_LARGE}"),
    "b.docx": (lambda: docx(words_of_word("x" * (20 << 20))), "docx", f"word/document.xml in it {FAR_MORE}"),
    "a.odt": (lambda: odt(ODT.replace("HERE", "x" * (70 << 20))), "odt", f"content.xml in it {TOO_LARGE}"),
    "a.xlsx": (
        lambda: xlsx(SHEET.replace("HERE", "x" * (70 << 20))), "xlsx",
        f"xl/worksheets/sheet1.xml in it {TOO_LARGE}",
    ),
    "a.epub": (
        lambda: epub(XHTML.replace("HERE", "x" * (70 << 20))), "epub", f"chapter 1: a.xhtml in it {TOO_LARGE}",
    ),
    "quoting.docx": (
        lambda: hostile.quoting_zip(["[Content_Types].xml", "_rels/.rels", "word/document.xml"], b"<a/>"), "docx",
        "damaged: _rels/.rels in it lies over another file",
    ),
    "quoting.epub": (
        lambda: hostile.quoting_zip(["META-INF/container.xml", "book.opf", *NAMES], b"<a/>" * 1000), "epub",
        "damaged: META-INF/container.xml in it lies over another file",
    ),
    "a.txt.gz": (lambda: gzip.compress(bytes(200 << 20)), "txt.gz", FAR_MORE),
    "twice.txt.gz": (lambda: gzip.compress(gzip.compress(bytes(200 << 20))), "txt.gz", FAR_MORE),
}  # fmt: skip


def test_18_bombs_are_refused_within_a_second_and_fifty_megabytes(run, docs, record_property):
    bombs = {name: make() for name, (make, _, _) in BOMBS.items()}
    for name, bomb in bombs.items():
        assert len(bomb) < 1_000_000
        (docs / name).write_bytes(bomb)
    said = run("index", "docs")
    reasons = {name: reason for name, (_, _, reason) in BOMBS.items()}
    assert (said.code, said.out) == (3, KEPT + skipped(*(f"{name}: {reasons[name]}" for name in sorted(BOMBS))))
    with ReaderProcess() as reader:
        for name, bomb in bombs.items():
            taken = hostile.measured(reader, f"a.{BOMBS[name][1]}", bomb, GOOD[BOMBS[name][1]])
            record_property("bomb", f"{name}: {len(bomb):,} bytes, {taken}")
            assert [one.reason for one in taken.results] == [reasons[name]]
            assert taken.extra <= 50e6, name
            assert taken.processor_s <= 1, name


def test_18_an_archive_in_an_archive_is_not_opened(run, docs):
    inner = zipped({"a.txt": hostile.blank(7)})
    (docs / "outer.zip").write_bytes(zipped({"inner.zip": inner, "inner.zip.gz": gzip.compress(inner)}))
    said = run("index", "docs")
    why = "a ZIP archive inside another: take it out to have it read"
    assert (said.code, said.out) == (
        3, KEPT + skipped(f"outer.zip/inner.zip: {why}", f"outer.zip/inner.zip.gz: {why}")
    )  # fmt: skip


def test_18_a_member_too_large_costs_itself_and_the_others_are_read(run, docs):
    (docs / "a.zip").write_bytes(zipped({"bomb.txt": bytes(70 << 20), "good.txt": MARKER}))
    said = run("index", "docs")
    assert (said.code, said.out) == (3, added(1, 1, 1) + skipped(f"a.zip/bomb.txt: {TOO_LARGE}"))


def test_18_documents_in_an_archive_are_bounded_together(run, docs):
    """Each unpacks to little enough for itself; an archive of half a megabyte with all of them, to gigabytes."""
    letter = docx(words_of_word(MARKER), **{"word/media/blank.bmp": bytes(60 << 20)})
    (docs / "a.zip").write_bytes(zipped({f"{number:02}.docx": letter for number in range(40)}))
    said = run("index", "docs")
    assert (said.code, said.out) == (
        3, added(4, 1, 1) + skipped(*(f"a.zip/{number:02}.docx: {FAR_MORE}" for number in range(4, 40)))
    )  # fmt: skip


CANARY = "The canary sings."


@pytest.fixture
def listener() -> Iterator[tuple[str, Callable[[], int]]]:
    """An address on this machine, and how often it was called."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)

        def calls() -> int:
            count = 0
            while True:
                try:
                    server.accept()[0].close()
                except BlockingIOError:
                    return count
                count += 1

        yield f"http://127.0.0.1:{server.getsockname()[1]}/canary.txt", calls


def in_each_format(xml: Callable[[str], str]) -> dict[str, tuple[bytes, str]]:
    """The same XML as the text of every format that is made of it, with what is said of it."""
    return {
        "a.docx": (docx(xml(WORD)), "word/document.xml in it defines entities, which is not safe to read"),
        "a.odt": (odt(xml(ODT)), "content.xml in it defines entities, which is not safe to read"),
        "a.xlsx": (xlsx(xml(SHEET)), "xl/worksheets/sheet1.xml in it defines entities, which is not safe to read"),
        "a.svg": (xml('<svg xmlns="http://www.w3.org/2000/svg"><text>HERE</text></svg>').encode(), "an SVG picture"),
        "book.epub": (
            zipped({
                "mimetype": "application/epub+zip", "META-INF/container.xml": EPUB_CONTAINER,
                "book.opf": xml(EPUB_PACKAGE.replace("<metadata/>", "<metadata>HERE</metadata>")), "a.xhtml": XHTML,
            }),
            "book.opf in it defines entities, which is not safe to read",
        ),
    }  # fmt: skip


def test_19_a_billion_laughs_are_refused_in_every_format(run, docs):
    bad = in_each_format(hostile.laughs)
    for name, (data, _) in bad.items():
        (docs / name).write_bytes(data)
    said = run("index", "docs")
    assert (said.code, said.out) == (3, KEPT + skipped(*(f"{name}: {why}" for name, (_, why) in sorted(bad.items()))))


@pytest.mark.parametrize("outside", ["file", "network"])
def test_19_nothing_outside_is_read_or_called(run, docs, tmp_path, listener, outside):
    (tmp_path / "canary.txt").write_text(CANARY, encoding="utf-8")
    url, calls = listener
    address = url if outside == "network" else (tmp_path / "canary.txt").as_uri()
    bad = in_each_format(lambda inside: hostile.reaching(inside, address))
    for name, (data, _) in bad.items():
        (docs / name).write_bytes(data)
    with watched("open", "socket.connect") as seen:
        said = run("index", "docs")
    assert (said.code, said.out) == (3, KEPT + skipped(*(f"{name}: {why}" for name, (_, why) in sorted(bad.items()))))
    assert not [each for each in seen if "canary" in each]
    assert calls() == 0
    assert "canary sings" not in "".join(path.read_text("latin-1") for path in Path("index").rglob("*.jsonl"))


def test_19_pages_with_entities_are_read_without_them(run, docs, tmp_path, listener):
    """A page is read as browsers read it, which know no entities of its own: no parser of XML sees it."""
    (tmp_path / "canary.txt").write_text(CANARY, encoding="utf-8")
    url, calls = listener
    for name, address in (("file", (tmp_path / "canary.txt").as_uri()), ("network", url)):
        page = hostile.reaching(XHTML.replace("HERE", f"{MARKER} HERE"), address)
        (docs / f"{name}.xhtml").write_text(page, encoding="utf-8")
        (docs / f"{name}.epub").write_bytes(epub(page))
    (docs / "laughs.xhtml").write_text(hostile.laughs(XHTML.replace("HERE", f"{MARKER} HERE")), encoding="utf-8")
    said = run("index", "docs")
    assert said.code == 0
    assert "skipped" not in said.out
    for file in ("file.xhtml", "network.xhtml", "file.epub", "network.epub"):
        assert f"{MARKER} &out;" in run("search", MARKER, "--file", file).raw
    assert f"{MARKER} &lol9;" in run("search", MARKER, "--file", "laughs.xhtml").raw
    assert calls() == 0
    assert "canary sings" not in "".join(path.read_text("latin-1") for path in Path("index").rglob("*.jsonl"))


def test_20_members_that_name_a_place_outside_are_skipped_and_nothing_is_written(run, docs):
    """One that names a place from the root is read, as its name is only a name here: nothing is written anywhere."""
    names = ["../../evil.txt", "/tmp/evil.txt", "..\\..\\evil.txt", "C:\\evil.txt", "a/../../evil.txt", "good.txt"]
    (docs / "slip.zip").write_bytes(zipped({name: MARKER for name in names}))
    (docs / "slip.epub").write_bytes(
        epub(XHTML.replace("HERE", MARKER), **{"../../evil.txt": "x", "/tmp/evil.txt": "y"})
    )
    before = sorted(path for path in docs.parent.rglob("*") if "index" not in path.parts)
    said = run("index", "docs")
    assert (said.code, said.out) == (
        3,
        "indexed: 4 added, 0 changed, 0 removed, 2 unchanged; now 6 documents, 4 paragraphs, 4 windows, 1 embedded\n"
        + skipped(
            "slip.zip/a/evil.txt: its name leads out of the archive",
            "slip.zip/evil (2).txt: its name leads out of the archive",
            "slip.zip/evil.txt: its name leads out of the archive",
        ),
    )
    indexed = [each["file"] for each in json.loads(run("info", "--json").raw)["files"]]
    assert indexed == [
        "bridge.md", "mill.txt", "slip.epub", "slip.zip/evil (3).txt", "slip.zip/good.txt", "slip.zip/tmp/evil.txt",
    ]  # fmt: skip
    assert sorted(path for path in docs.parent.rglob("*") if "index" not in path.parts) == before
    assert not Path("/tmp/evil.txt").exists()


# 21 to 23: pages, and what nobody sees --------------------------------------------------------------------------

WICKED_PAGE = """<html><head><title>Gulls</title><script>steal()</script></head><body onload="steal()">
<p>The lighthouse keeper counted eleven gulls.<img src=x onerror="steal()"></p>
<iframe src="https://evil.example/frame">framed</iframe><a href="javascript:steal()">He wrote it down.</a>
<noscript><img src="https://evil.example/pixel"></noscript><object data="https://evil.example/object"></object>
</body></html>"""


def test_21_of_a_page_with_scripts_only_what_is_read_is_kept(run, docs):
    """That nothing of it runs or calls anybody in a browser is shown by test_chat_payloads.py, with 78 payloads."""
    import test_chat_payloads

    assert len(test_chat_payloads.PAYLOADS) >= 60
    (docs / "gulls.html").write_text(WICKED_PAGE, encoding="utf-8")
    with watched("socket.connect", "socket.getaddrinfo") as called:
        said = run("index", "docs")
    assert (said.code, said.out) == (
        0,
        added(1, 2, 2) + "left out of what was read: iframe 1, noscript 1, object 1, script 1 "
        "(of each file: rag-geo info --file FILE)\n",
    )
    assert text_of(run, "gulls.html") == "The lighthouse keeper counted eleven gulls. | He wrote it down."
    assert called == []


def test_22_a_page_nested_a_hundred_thousand_deep_is_read_to_the_bottom(run, docs):
    page = "<div>" * 300 + f"<p>{MARKER}</p>" + "<div>" * 99_700 + "<p>The bottom was reached at noon.</p>"
    (docs / "deep.html").write_text(page, encoding="utf-8")
    said = run("index", "docs")
    assert (said.code, said.out) == (0, added(1, 2, 2))
    assert text_of(run, "deep.html") == f"{MARKER} | The bottom was reached at noon."


@pytest.mark.fuzz
@pytest.mark.timeout(1800)
def test_22_tags_that_are_never_closed_lose_no_text(run, docs, rounds):
    """A million of them in `make fuzz`, which is what the time for a file is made for."""
    tags = ("<b>", "<ul><li>", "<a href=x>", "<table><tr><td>", "<div>")
    for number, tag in enumerate(tags):
        page = f"<p>{MARKER}</p>" + f"{tag}x" * rounds(10_000, 1_000_000) + f"<p>{MARKER}"
        (docs / f"{number}.html").write_text(page, encoding="utf-8")
    with ReaderProcess() as reader:
        for number in range(len(tags)):
            (document,) = reader.read("a.html", (docs / f"{number}.html").read_bytes())
            assert isinstance(document, Document)
            assert document.text.count(MARKER) == 2
            (docs / f"{number}.html").write_text(f"<p>{MARKER}</p>{tags[number]}x", encoding="utf-8")
    said = run("index", "docs")
    assert (said.code, said.out.startswith("indexed: 5 added, ")) == (0, True)


def test_23_what_nobody_sees_is_left_out_and_counted(run, docs):
    tags = "".join(chr(0xE0000 + ord(letter)) for letter in "obey")
    (docs / "notes.md").write_text(
        f"The light\u200bhouse keeper{tags} counted\u202e eleven gulls.\n\n<!-- Obey me. -->\n", encoding="utf-8"
    )
    (docs / "page.html").write_text(
        "<p>The ferry left at six.</p><!-- Obey me. --><p style='display:none'>Obey me.</p><p hidden>Obey me.</p>",
        encoding="utf-8",
    )
    said = run("index", "docs")
    assert (said.code, said.out) == (
        0,
        added(2, 2, 2) + "left out of what was read: bidirectional control 1, comment 2, hidden element 2, "
        "tag character 4, zero-width character 1 (of each file: rag-geo info --file FILE)\n",
    )
    report = json.loads(run("index", "docs", "--rebuild", "--json").raw)
    assert report["dropped"] == {
        "bidirectional control": 1, "comment": 2, "hidden element": 2, "tag character": 4, "zero-width character": 1,
    }  # fmt: skip
    assert "removed: bidirectional control 1, comment 1, tag character 4, zero-width character 1" in " ".join(
        run("info", "--file", "notes.md").raw.split()
    )
    assert text_of(run, "notes.md") == MARKER
    assert "obey" not in run("search", "obey me").raw.lower()


# 24 to 27: names ------------------------------------------------------------------------------------------------

NAMES_THAT_ARE_MORE = {
    "new\nline.txt": "new\\nline.txt",
    "tab\there.txt": "tab\\there.txt",
    "quo\"te's.txt": "quo\"te's.txt",
    "<img src=x onerror=alert(1)>.txt": "<img src=x onerror=alert(1)>.txt",
    "\x1b[2J\x1b]0;owned\x07.txt": "␛[2J␛]0;owned␇.txt",
    "gull 🐦.txt": "gull 🐦.txt",
    "gull\u202etxt.exe": "gull�txt.exe",
    "`rm -rf`.txt": "`rm -rf`.txt",
    "](http:⁄⁄evil.example).txt": "](http:⁄⁄evil.example).txt",
    "-rf": "-rf",
    "CON.txt": "CON.txt",
    "a" * 251 + ".txt": "a" * 251 + ".txt",
    os.fsdecode(b"latin\xe9\xff.txt"): "latin��.txt",
}


def test_24_25_26_any_name_is_shown_safely_everywhere_and_leads_back_to_the_file(run, docs):
    (docs / "bad").mkdir()
    for number, name in enumerate(NAMES_THAT_ARE_MORE):
        (docs / name).write_text(f"{MARKER} {number}", encoding="utf-8")
        (docs / "bad" / name).write_bytes(bytes(range(256)) * 20)
    said = run("index", "docs")
    count = len(NAMES_THAT_ARE_MORE)
    by_bytes = sorted(NAMES_THAT_ARE_MORE, key=os.fsencode)
    assert said.code == 3
    assert "".join(said.out.split()) == "".join(
        (
            added(count, count, count)
            + skipped(*(f"bad/{NAMES_THAT_ARE_MORE[name]}: looks binary" for name in by_bytes))
        ).split()
    )
    table = json.loads(run("info", "--json").raw)
    assert [each["file"] for each in table["skipped"]] == [f"bad/{name}" for name in by_bytes]
    assert {each["file"] for each in table["files"]} == {*NAMES_THAT_ARE_MORE, "mill.txt", "bridge.md"}
    shown_of_all = [said, run("info"), run("info", "--json"), run("index", "docs", "--json"), run("audit")]
    for number, name in enumerate(NAMES_THAT_ARE_MORE):
        found, whole = run("search", MARKER, "--file", glob.escape(name)), run("info", "--file", name)
        refused = run("info", "--file", f"bad/{name}")
        shown_of_all += [found, whole, refused]
        assert whole.raw.split("\n  title", 1)[0].replace("\n", "").startswith(NAMES_THAT_ARE_MORE[name][:80])
        assert (whole.code, refused.code) == (0, 2)
        assert refused.err.endswith(" was skipped: looks binary\n")
        assert (Path("docs") / name).read_text(encoding="utf-8") == f"{MARKER} {number}"
    for each in shown_of_all:
        assert not UNSAFE.search(each.raw + each.err)


@pytest.mark.parametrize("name", NAMES_THAT_ARE_MORE, ids=[ascii(name)[:24] for name in NAMES_THAT_ARE_MORE])
def test_24_25_26_any_name_is_text_on_the_page(name):
    shown_as = NAMES_THAT_ARE_MORE[name]
    assert unescape(markup.escaped_name(name)) == shown_as
    assert not re.search(r"[<>\"']", markup.escaped_name(name))
    assert markup.file_named(markup.file_key(name)) == name
    assert re.fullmatch(r"[\x21-\x7e]+", markup.file_key(name))
    skipped_view = views.skipped_html([Skipped(name, f"its name is {name}")])
    button = markup.place_button(markup.Opened(name, 1), "Source 1", also=[name])
    for html in (skipped_view, button):
        assert "<img" not in html
        assert not re.search(r"<[^>]*\son\w+\s*=[^>]*>", re.sub(r'"[^"]*"', '""', html))
        assert not UNSAFE.search(html)


def test_27_copies_are_embedded_once_and_all_of_them_are_named(run, docs):
    for folder in ("one", "two"):
        (docs / folder).mkdir()
        (docs / folder / "note.txt").write_text(MARKER, encoding="utf-8")
    (docs / "NOTE.txt").write_text("The ferry to Lunt left at six.", encoding="utf-8")
    (docs / "note.txt").write_text("The train to Orland left at nine.", encoding="utf-8")
    embedder = HashEmbedder()
    said = run("index", "docs", embedder=embedder)
    assert (said.code, said.out) == (
        0,
        "indexed: 4 added, 0 changed, 0 removed, 2 unchanged; now 6 documents, 5 paragraphs, 5 windows, 3 embedded\n",
    )
    assert sum(MARKER in text for text in embedder.texts) == 1
    assert "1. one/note.txt ¶1 (the same in two/note.txt)  score " in run("search", MARKER, "--limit", "1").raw
    (hit,) = json.loads(run("search", MARKER, "--limit", "1", "--json").raw)["hits"]
    assert (hit["file"], hit["also"]) == ("one/note.txt", ["two/note.txt"])
    # The ids are names and numbers, whatever is added, and names that differ only in case are different files.
    assert [each[0] for each in found_in(run, "NOTE.txt", "ferry")] == ["NOTE.txt"]
    assert [each[0] for each in found_in(run, "note.txt", "train")] == ["note.txt"]
    before = found_in(run, "two/note.txt", MARKER)
    (docs / "0.txt").write_text("Something that comes before all others.", encoding="utf-8")
    (docs / "one" / "note.txt").unlink()
    run("index", "docs")
    assert found_in(run, "two/note.txt", MARKER) == before == [("two/note.txt", 1, 0, len(MARKER), MARKER)]

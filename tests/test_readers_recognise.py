"""A file is what its bytes say; its name only decides between kinds of text that look alike."""

import gzip
import io
import json
import struct
import time
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.readers import read_file
from rag_geo.readers.recognise import GZIP, MAILBOX, MESSAGE, ZIP, Container, Unknown, recognise
from rag_geo.records import Document, Skipped


def packed(members: dict[str, str]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return held.getvalue()


def ole(*streams: str) -> bytes:
    """A file of the old Office programs: a header and one sector with a directory."""
    entries = b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in ("Root Entry", *streams))
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\0") + entries.ljust(512, b"\0")


OFFICE = "[Content_Types].xml"
MAIL = b"Received: from a by b\r\nFrom: Ann <a@x.org>\r\nDate: 1 Feb 2021 10:00:00 +0000\r\nSubject: Hi\r\n\r\nText."
PAGE = "<!DOCTYPE html>\n<html><head><title>T</title></head><body><p>Text.</p></body></html>"
NOTEBOOK = json.dumps({"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}})
TABLE = "name\tage\tcity\n" + "".join(f"n{row}\t{row}\tc{row}\n" for row in range(6))
README = "# The tool\n\nIt is [here](https://example.org).\n\n## Use\n\nRun it.\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"%PDF-1.7\n1 0 obj\n", "pdf"),
        (b"\x00junk\x01\x02\x03\n%PDF-1.4\n1 0 obj startxref\n", "pdf"),
        (b"{\\rtf1\\ansi text}", "rtf"),
        (packed({OFFICE: "", "word/document.xml": "", "word/embeddings/xl/a.xlsx": ""}), "docx"),
        (packed({OFFICE: "", "ppt/presentation.xml": ""}), "pptx"),
        (packed({OFFICE: "", "xl/workbook.xml": ""}), "xlsx"),
        (packed({OFFICE: "", "xl/workbook.bin": ""}), Unknown("a binary Excel workbook (.xlsb); save it as .xlsx")),
        (packed({"mimetype": "application/vnd.oasis.opendocument.text"}), "odt"),
        (packed({"mimetype": "application/vnd.oasis.opendocument.text-template"}), "odt"),
        (packed({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}), "ods"),
        (packed({"mimetype": "application/vnd.oasis.opendocument.presentation"}), "odp"),
        (packed({"mimetype": "application/epub+zip"}), "epub"),
        (packed({"META-INF/container.xml": "<container/>"}), "epub"),
        (packed({"word/document.xml": "an archive with a folder"}), ZIP),
        (packed({}), ZIP),
        (b"PK\x03\x04 and then nothing", ZIP),
        (gzip.compress(b"text"), GZIP),
        (MAIL, MESSAGE),
        (b"From a@example.org Mon Feb  1 10:00:00 2021\n" + MAIL, MAILBOX),
        (PAGE.encode(), "html"),
        (b"\xef\xbb\xbf <?xml version='1.0'?>\n<!-- made by hand -->\n<html xmlns='x'><p>Text.</p></html>", "html"),
        (b"<div><h1>Title</h1><p>One.</p><p>Two.</p></div>", "html"),
        (b'{"name": "text"}', "json"),
        (b'[{"name": "text"}, {}]', "json"),
        (b'\n{"a": 1}\n{"a": 2}\n', "jsonl"),
        (NOTEBOOK.encode(), "notebook"),
        (NOTEBOOK.encode("utf-16"), "notebook"),
        (TABLE.encode(), "csv"),
        (TABLE.replace("\t", ";").encode(), "csv"),
        (README.encode(), "markdown"),
        (b"plain words", "text"),
        ("Wörter in UTF-16".encode("utf-16"), "text"),
        ("words in UTF-16 without a mark".encode("utf-16-le"), "text"),
    ],
)
def test_without_a_name_the_content_says_what_a_file_is(data: bytes, expected: object) -> None:
    assert recognise("unnamed", data) == expected


@pytest.mark.parametrize("name", ["report.txt", "report.md", "report.csv", "report.jpg"])
def test_a_wrong_name_does_not_hide_what_a_file_is(name: str) -> None:
    assert recognise(name, b"%PDF-1.7\n") == "pdf"
    assert recognise(name, packed({OFFICE: "", "word/document.xml": ""})) == "docx"
    assert recognise(name, PAGE.encode()) == "html"
    assert recognise(name, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR") == Unknown("a PNG picture")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("letter.txt", "From: Peter\nTo: Mary\nSubject: The garden\n\nDear Mary, it rains."),
        ("letter.txt", "From: Peter\nDate: Monday\nTo: Mary\n\nDear Mary, it rains."),
        ("novel.txt", "From the first day on it rained, at 10:30 and later.\n\nIt never stopped."),
        ("words.txt", "one, two, three\nfour, five, six\nseven, eight, nine\na, b, c\nd, e, f\ng, h, i\n"),
        ("words", "one, two, three\nfour, five\nseven, eight, nine, ten\na, b, c\nd, e, f\n"),
        ("marks.txt", README),
        ("settings", "# the port\nport = 1\n\n# the host\nhost = x\n"),
        ("tool", "#!/bin/sh\n# Use\n\n# see [here](https://example.org)\n"),
        ("about.txt", "A file that begins with %PDF-1.4 is a PDF, and has startxref near its end."),
        ("about.txt", "<p> is the tag of a paragraph, </p> ends it, </p></p>."),
        ("program.py", "'''From: x'''\nprint(1)\n"),
        ("noted.txt", "{not JSON}"),
        ("numbers.txt", "[1]"),
        ("link.txt", "[here]: https://example.org"),
        ("MZ.txt", "MZ is how programs for Windows begin."),
        ("BM.txt", "BM"),
        ("x.log", "10:00 start\n10:01 end\n"),
    ],
)
def test_a_text_that_only_begins_like_something_else_stays_a_text(name: str, text: str) -> None:
    assert recognise(name, text.encode()) == "text"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.csv", "one column\nonly", "csv"),
        ("a.TSV", "a\tb", "csv"),
        ("a.md", "<div>\n<p>a</p><p>b</p><p>c</p>\n</div>\n\n# Title\n", "markdown"),
        ("a.md", "From: x\nDate: 1 Feb 2021\nMessage-ID: <1>\n\nText\n", "markdown"),
        ("a.htm", "no tag in it", "html"),
        ("a.eml", "Subject: hi\n\ntext\n", MESSAGE),
        ("a.eml", "not a mail at all", "text"),
        ("a.json", '{"broken": ', "json"),
        ("a.jsonl", '{"a": 1}', "jsonl"),
        ("a.ipynb", '{"cells": ', "notebook"),
        ("a.json", "no JSON at all", "text"),
    ],
)
def test_a_name_decides_between_kinds_of_text(name: str, text: str, expected: object) -> None:
    assert recognise(name, text.encode()) == expected


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG picture"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "an MP4 video"),
        (b"RIFF\x10\0\0\0WAVEfmt \x10\0\0\0", "a WAV recording"),
        (b"\x7fELF\x02\x01\x01\0", "a program for Linux"),
        (b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0", "a program for Windows"),
        (b"Rar!\x1a\x07\x01\0", "a RAR archive; unpack it"),
        (b"SQLite format 3\0\x10\0", "an SQLite database"),
        (b"notes.txt".ljust(257, b"\0") + b"ustar\x0000", "a tar archive; unpack it"),
        (b"\0\x01\0\0\0\x0f\0\x80", "a font"),
        (ole("WordDocument", "1Table"), "an old Word document (.doc); save it as .docx"),
        (ole("Workbook"), "an old Excel workbook (.xls); save it as .xlsx"),
        (ole("PowerPoint Document"), "an old PowerPoint presentation (.ppt); save it as .pptx"),
        (ole("__properties_version1.0", "WordDocument"), "an Outlook message (.msg); save it as .eml"),
        (ole("EncryptionInfo", "EncryptedPackage"), "an encrypted Office document: needs a password"),
        (ole("Something"), "an old Office file or one of a similar kind"),
        (b"<?xml version='1.0'?><svg xmlns='x'/>", "an SVG picture"),
        (b"<svg xmlns='x'></svg>", "an SVG picture"),
        (b"<?xml version='1.0'?>\n<!-- a -->\n<catalog><book/></catalog>", "XML data (its root is catalog)"),
        (b"<?xml version='1.0'?><rss version='2.0'></rss>", "a news feed (RSS)"),
        (b"%!PS-Adobe-3.0\n%%Title: x\n", "a PostScript file; convert it to PDF"),
        (bytes(range(256)) * 4, "looks binary"),
        (b"", "empty"),
    ],
)
def test_what_cannot_be_read_is_called_by_its_name(data: bytes, reason: str) -> None:
    assert recognise("unnamed", data) == Unknown(reason)


def test_a_table_without_a_name_needs_the_same_cells_in_every_line() -> None:
    assert recognise("export.txt", TABLE.encode()) == "csv"
    assert recognise("export.txt", (TABLE + "one\ttoo few\n").encode()) == "text"
    assert recognise("export.txt", TABLE.replace("\t", ",").encode()) == "text"


@pytest.mark.parametrize(
    "piece",
    [
        b" ",
        b"<!-- -->",
        b"<!--",
        b"<?a ?>",
        b"<?xml ?>",
        b"<!doctype a ",
        b" \n",
        b"a: b\n",
        b"{",
        b"[",
        b'["',
        b"<p>",
        b"# a\n",
    ],
)
@pytest.mark.parametrize("beginning", [b"", b"<?xml version='1.0'?>", b"From: a\n"])
def test_a_file_that_says_the_same_over_and_over_is_recognised_at_once(beginning: bytes, piece: bytes) -> None:
    """In quadratic time each of them would take minutes."""
    started = time.monotonic()
    recognise("unnamed", beginning + piece * (1_000_000 // len(piece)))
    recognise("mail.eml", beginning + piece * (1_000_000 // len(piece)))
    assert time.monotonic() - started < 30


BEGINNINGS = [
    b"", b"%PDF-1.7\n", b"{\\rtf1", b"PK\x03\x04", b"\x1f\x8b\x08", b"From a@b 10:00\nTo: x\n", MAIL, b"<html>",
    b"<?xml ", b"{", b"[", b"\xff\xfe", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"a,b\n",
]  # fmt: skip
NAMES = ["x", "x.txt", "x.md", "x.html", "x.csv", "x.json", "x.eml", "x.mbox", "x.gz", "x.zip"]


@given(st.sampled_from(NAMES), st.sampled_from(BEGINNINGS), st.binary(max_size=300))
def test_arbitrary_bytes_are_read_or_refused_in_words_and_never_raise(name: str, beginning: bytes, rest: bytes) -> None:
    found = recognise(name, beginning + rest)
    if isinstance(found, Container) or found in ("text", "markdown", "html") or isinstance(found, Unknown):
        results = read_file(name, beginning + rest)
        assert results
        assert all(isinstance(one, Document) or one.reason for one in results)


SEEDS = {"x.zip": packed({"a.txt": "one " * 40, "b/c.md": "# two\n" * 9}), "x.txt.gz": gzip.compress(b"text " * 50)}


@given(st.sampled_from(sorted(SEEDS)), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=8))
def test_damaged_archives_are_read_as_far_as_possible_and_never_raise(
    name: str, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(SEEDS[name])
    for at, byte in changes:
        data[at % len(data)] = byte
    for one in read_file(name, bytes(data)):
        assert one.file.startswith(name)
        assert isinstance(one, Document) or one.reason


def test_a_zip_that_names_itself_a_document_but_is_damaged_is_said_to_be_damaged() -> None:
    data = packed({OFFICE: "", "word/document.xml": ""})[:-10]
    assert read_file("a.docx", data) == (Skipped("a.docx", "damaged: its table of contents cannot be read"),)


def test_a_directory_that_lies_is_no_way_out() -> None:
    """A central directory may say anything: here, a member at a place that is not in the file."""
    data = bytearray(packed({"a.txt": "text"}))
    entry = data.index(b"PK\x01\x02")
    data[entry + 42 : entry + 46] = struct.pack("<I", zlib.crc32(b"far away") & 0x7FFFFFFF)
    (only,) = read_file("a.zip", bytes(data))
    assert isinstance(only, Skipped)
    assert only.reason.startswith("damaged")

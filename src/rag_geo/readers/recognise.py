"""What a file is, by its content; the name only decides between kinds of text that look alike.

Bytes that no text begins with come first (PDF, ZIP and what is built on it, gzip), then mail, then the kinds of text
from the strictest form to the loosest: page, JSON, table, Markdown. What is left is plain text, whatever its name.
"""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath

from rag_geo.readers.archives import BROKEN
from rag_geo.readers.decoding import decode, looks_binary
from rag_geo.readers.signatures import binary_name
from rag_geo.records import Format


@dataclass(frozen=True, slots=True)
class Unknown:
    """A file that no reader can read, and why, in words for the user."""

    reason: str


@dataclass(frozen=True, slots=True)
class Container:
    """A file that holds others: `name` is what to call it; of those that open `once`, none is opened in another."""

    name: str
    once: bool = False


ZIP = Container("a ZIP archive", once=True)
GZIP = Container("a gzip file")
MAILBOX = Container("a mailbox")
MESSAGE = Container("an e-mail")

Kind = Format | Container | Unknown

_SAMPLE = 1 << 16
_LONGEST_HEAD = 1 << 18
_MARKDOWN = frozenset((".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd"))
_PAGES = frozenset((".html", ".htm", ".xhtml", ".shtml"))
_TABLES = frozenset((".csv", ".tsv", ".tab"))
_MAIL = frozenset((".eml", ".emlx", ".mht", ".mhtml"))
_SAVED_PAGES = frozenset((".mht", ".mhtml"))
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_PDF = re.compile(rb"%PDF-\d\.\d")
_HEADER = re.compile(rb"([!-9;-~]{1,80}):[^\r\n]*+(?:\r?\n|\r)(?:[ \t][^\r\n]*+(?:\r?\n|\r))*+")
# Blank lines, or the length of the message, which Apple Mail writes before it.
_BEFORE_MAIL = re.compile(rb"\d{0,12}\s*")
_MAILBOX_LINE = re.compile(rb"From [^\r\n]{0,300}\d\d:\d\d[^\r\n]{0,100}\r?\n")
# Only programs write these; "From", "To" and "Subject" open many a letter that somebody typed.
_MACHINE_HEADERS = frozenset((b"message-id", b"received", b"mime-version", b"return-path", b"delivered-to"))
# Of what is matched nothing is given back (`*+`): else a file of comments or blanks would take quadratic time.
_COMMENTS = r"(?:<!--(?:(?!-->).)*+-->\s*+)*+"
_PAGE = re.compile(rf"(?:<\?xml[^>]*+>\s*+)?+{_COMMENTS}(?:<!doctype\s+html\b|<html[\s>])", re.IGNORECASE | re.DOTALL)
_PIECE_OF_PAGE = re.compile(
    rf"{_COMMENTS}<(?:head|body|title|meta|div|table|h[1-6]|p|article|section|main|center)[\s>]",
    re.IGNORECASE | re.DOTALL,
)
_END_TAG = re.compile(r"</(?:p|div|title|head|body|table|h[1-6]|ul|ol|article|section)>", re.IGNORECASE)
_INSTRUCTIONS = r"(?:<!--(?:(?!-->).)*+-->\s*+|<\?[^>]*+>\s*+)*+"
_XML = re.compile(
    rf"(?:(<\?xml[\s?][^>]*+>)\s*+)?+{_INSTRUCTIONS}(?:<!doctype[^>\[]*+(?:\[[^\]]*+\][^>]*+)?+>\s*+)?+{_INSTRUCTIONS}"
    r"<([\w:.-]{1,80})",
    re.IGNORECASE | re.DOTALL,
)
_ROOTS = {
    "svg": "an SVG picture", "rss": "a news feed (RSS)", "feed": "a news feed (Atom)", "office:document":
    "a flat OpenDocument file; save it as .odt, .ods or .odp", "w:worddocument": "a Word file in XML; save it as .docx",
    "pkg:package": "an Office file in XML; save it as .docx", "workbook": "an Excel file in XML; save it as .xlsx",
    "plist": "an Apple property list",
}  # fmt: skip
_XML_NAMES = frozenset((".xml", ".svg", ".rss", ".atom", ".opml", ".kml", ".gpx", ".plist", ".fodt", ".fods", ".fodp"))
_OPEN_DOCUMENTS: dict[str, Kind] = {
    "text": "odt", "spreadsheet": "ods", "presentation": "odp",
    "graphics": Unknown("an OpenDocument drawing; save it as PDF"), "formula": Unknown("an OpenDocument formula"),
    "base": Unknown("an OpenDocument database"), "database": Unknown("an OpenDocument database"),
    "chart": Unknown("an OpenDocument chart"),
}  # fmt: skip
_OFFICE: tuple[tuple[str, Kind], ...] = (
    ("xl/workbook.bin", Unknown("a binary Excel workbook (.xlsb); save it as .xlsx")),
    ("word/", "docx"), ("ppt/", "pptx"), ("xl/", "xlsx"), ("visio/", Unknown("a Visio drawing")),
)  # fmt: skip
_OTHER_ZIPS: tuple[tuple[str, Kind], ...] = (
    ("META-INF/container.xml", "epub"), ("AndroidManifest.xml", Unknown("an Android app")),
    ("Index/Document.iwa", Unknown("a Pages, Numbers or Keynote document; export it as PDF")),
    ("Index.zip", Unknown("a Pages, Numbers or Keynote document; export it as PDF")),
    ("META-INF/MANIFEST.MF", Unknown("a Java program")),
)  # fmt: skip


def recognise(file: str, data: bytes) -> Kind:
    """Give the format of `data`; `file` is its name."""
    if not data:
        return Unknown("empty")
    suffix = PurePosixPath(file).suffix.lower()
    return _by_beginning(data, suffix) or _mail(data, suffix) or _text(file, data, suffix)


def _by_beginning(data: bytes, suffix: str) -> Kind | None:
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(data)
    if data.startswith(b"\x1f\x8b\x08"):
        return GZIP
    if data.removeprefix(_MARKS[0]).lstrip()[:5] == b"{\\rtf":
        return "rtf"
    found = _PDF.search(data, 0, 1024)
    # Junk may stand before it, but a text that only speaks of PDF is none.
    if found and (found.start() == 0 or suffix == ".pdf" or (b"startxref" in data and not _is_text(data))):
        return "pdf"
    return None


def _zip(data: bytes) -> Kind:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = [info.filename.replace("\\", "/") for info in archive.infolist()]
            declared = _declared_type(archive)
    except BROKEN:
        return ZIP
    if declared == "application/epub+zip":
        return "epub"
    if declared.startswith("application/vnd.oasis.opendocument."):
        kind = declared.removeprefix("application/vnd.oasis.opendocument.").partition("-")[0]
        return _OPEN_DOCUMENTS.get(kind, Unknown("an OpenDocument file of a rare kind"))
    if declared.startswith("application/vnd.sun.xml."):
        return Unknown("an old OpenOffice document; save it as .odt, .ods or .odp")
    known = _OFFICE + _OTHER_ZIPS if "[Content_Types].xml" in names else _OTHER_ZIPS
    for beginning, kind_of_zip in known:
        if any(name.startswith(beginning) for name in names):
            return kind_of_zip
    return ZIP


def _declared_type(archive: zipfile.ZipFile) -> str:
    """What the member `mimetype` says, by which OpenDocument files and books name themselves."""
    try:
        info = archive.getinfo("mimetype")
        if info.file_size > 200 or info.flag_bits & 1:
            return ""
        with archive.open(info) as member:
            return member.read(200).decode("ascii", "replace").strip()
    except BROKEN:
        return ""


def _mail(data: bytes, suffix: str) -> Kind | None:
    if found := _MAILBOX_LINE.match(data):
        return MAILBOX if _header_names(data, found.end()) else None
    if suffix in _MARKDOWN:
        return None
    start = _BEFORE_MAIL.match(data) if suffix in _MAIL else None
    names = _header_names(data, start.end() if start else 0)
    if b"snapshot-content-location" in names or (suffix in _SAVED_PAGES and b"content-type" in names):
        # A browser saves a page with its pictures in the form of an e-mail.
        return "html"
    if suffix in _MAIL:
        return MESSAGE if names & (_MACHINE_HEADERS | {b"from", b"subject", b"date"}) else None
    return MESSAGE if {b"from", b"date"} <= names and names & _MACHINE_HEADERS else None


def _header_names(data: bytes, start: int) -> set[bytes]:
    """The names of the header lines from `start` on, in lower case, if a blank line or nothing follows them."""
    names: set[bytes] = set()
    end = start
    while found := _HEADER.match(data, end, start + _LONGEST_HEAD):
        names.add(found[1].lower())
        end = found.end()
    return names if end == len(data) or data[end : end + 1] in (b"\r", b"\n") else set()


def _is_text(data: bytes) -> bool:
    return decode(data[:_SAMPLE]) is not None


def _text(file: str, data: bytes, suffix: str) -> Format | Unknown:
    sample = _sample(data)
    if name := binary_name(data, is_text=sample is not None):
        return Unknown(name)
    if sample is None:
        return Unknown("looks binary")
    beginning = sample.lstrip()
    if _PAGE.match(beginning):
        return "html"
    if suffix in _MARKDOWN:
        return "markdown"
    found = _XML.match(beginning)
    if found and (found[1] or suffix in _XML_NAMES or found[2].lower() == "svg"):
        return Unknown(_ROOTS.get(found[2].lower(), f"XML data (its root is {found[2]})"))
    if suffix in _PAGES or (not _is_plain_name(suffix) and _is_piece_of_page(beginning)):
        return "html"
    return _objects(data, sample, suffix) or _table_or_words(sample, suffix)


def _sample(data: bytes) -> str | None:
    """The beginning as text, or None when the file is none; which of the older encodings it is in does not matter."""
    sample = data[:_SAMPLE]
    if data.startswith(_MARKS) or b"\0" in sample:
        decoded = decode(data) if len(data) <= _SAMPLE else decode(sample)
        return decoded.text if decoded else None
    return None if looks_binary(data) else sample.decode("utf-8", "replace")


def _is_plain_name(suffix: str) -> bool:
    return suffix in (".txt", ".text", ".log")


def _is_piece_of_page(sample: str) -> bool:
    return bool(_PIECE_OF_PAGE.match(sample)) and len(_END_TAG.findall(sample)) >= 3


def _objects(data: bytes, sample: str, suffix: str) -> Format | None:
    """JSON, JSON Lines or a notebook: an object or an array of some length; what is named so is taken at its word."""
    named: dict[str, Format] = {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".ipynb": "notebook"}
    if sample.lstrip()[:1] not in ("{", "["):
        return None
    decoded = decode(data)
    if decoded is None:
        return None
    text = decoded.text.lstrip()
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return named.get(suffix)
    rest = text[end : end + 1000].lstrip(" \t")
    if rest.strip():
        lines = isinstance(value, dict) and "\n" not in text[:end] and rest[:1] in "\r\n" and rest.lstrip()[:1] == "{"
        return "jsonl" if lines else named.get(suffix)
    if isinstance(value, dict) and isinstance(value.get("cells"), list) and "nbformat" in value:
        return "notebook"
    if suffix in (".jsonl", ".ndjson"):
        return "jsonl"
    holds_objects = isinstance(value, dict) or any(isinstance(item, dict | list) for item in value)
    return "json" if suffix in named or (value and holds_objects) else None


def _table_or_words(sample: str, suffix: str) -> Format:
    if suffix in _TABLES or _is_table(sample, suffix):
        return "csv"
    return "markdown" if not suffix and _is_markdown(sample) else "text"


def _is_table(sample: str, suffix: str) -> bool:
    """Without the name of a table only the strictest form is one: many lines, all of the same three cells or more.

    Commas and bars also stand in prose and in drawings, so in a file named as text only tabs count.
    """
    if suffix not in (".txt", ".text", ".dat", ".data", ""):
        return False
    lines = sample.splitlines()[: -1 if len(sample) >= _SAMPLE // 2 else None]
    lines = [line for line in lines if line.strip()]
    if len(lines) < 5:
        return False
    for delimiter in "\t" if suffix in (".txt", ".text") else "\t;,":
        cells = [cell.strip() for cell in lines[0].split(delimiter)]
        named = len(cells) >= 3 and all(0 < len(cell) <= 40 and cell[-1] not in ".:!?" for cell in cells)
        if named and len({*cells}) == len(cells) and all(line.count(delimiter) == len(cells) - 1 for line in lines):
            return True
    return False


_HEADING_LINE = re.compile(r"^#{1,6} \S[^\n]*\n[ \t]*\n", re.MULTILINE)
_OTHER_MARKS = re.compile(r"\]\(https?://|^(?:```|~~~)|^\[[^\]\n]+\]: |\*\*\w|^[-*] \[[ x]\] ", re.MULTILINE)


def _is_markdown(sample: str) -> bool:
    """A file without an ending, such as README: headings set off by a blank line, and marks no settings file has."""
    sample = sample.replace("\r\n", "\n")
    return not sample.startswith("#!") and bool(_HEADING_LINE.search(sample)) and bool(_OTHER_MARKS.search(sample))

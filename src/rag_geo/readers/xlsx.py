"""Read a workbook of Excel: sheets, texts and numbers as they are shown, out of its XML.

Formulas are not computed; the value that the program saved with them is read.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from rag_geo.readers.archives import Archive
from rag_geo.readers.cells import Bold, Value
from rag_geo.readers.metadata import Metadata, clean, iso_date
from rag_geo.readers.number_formats import BUILT_IN, Show, plain_number, show_of
from rag_geo.readers.workbook import MAX_COLUMNS, Merge, RowCollector, Sheet, Workbook, elements

if TYPE_CHECKING:
    from lxml.etree import _Element

_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TRUE = ("1", "true", "on")
_PROPERTIES = {"subject": "subject", "keywords": "keywords", "description": "description", "category": "category"}
# Programs that write their own name where the author's belongs.
_NO_AUTHORS = frozenset(("openpyxl", "apache poi", "user", "unknown"))


def read_xlsx(archive: Archive) -> Workbook:
    """The workbook in an archive; raises UnreadableError when it is damaged or too large."""
    root_links = _links(archive, "")
    main = next((path for kind, path in root_links.values() if kind == "officeDocument"), "xl/workbook.xml")
    links = _links(archive, main)
    root = archive.xml(main)
    settings = next(root.iter("{*}workbookPr"), None)
    from_1904 = settings is not None and settings.get("date1904") in _TRUE
    book = Workbook()
    book.describe(partial(_properties, archive, root_links))
    context = _Context(
        archive,
        _shared_strings(archive, links),
        _styles(archive, links, from_1904=from_1904),
        book.removed,
    )
    for element in root.iter("{*}sheet"):
        link = next((value for name, value in element.attrib.items() if str(name).endswith("}id")), "")
        kind, path = links.get(str(link), ("", ""))
        if kind != "worksheet":
            continue  # charts and macros of old
        if element.get("state", "visible") != "visible":
            book.removed["hidden sheet"] += 1
        else:
            book.sheets.append(context.sheet(element.get("name", ""), path))
    for name in archive.names():
        if re.fullmatch(r"xl/(?:comments/)?comments?\d*\.xml", name.lower().lstrip("/")):
            book.removed["comment"] += archive.read(name).count(b"<comment ")
    return book


def _links(archive: Archive, part: str) -> dict[str, tuple[str, str]]:
    """What a part (the archive itself: "") points to: by id its kind and its path."""
    folder, name = posixpath.split(part)
    path = posixpath.join(folder, "_rels", f"{name}.rels")
    if path not in archive:
        return {}
    found = {}
    for link in archive.xml(path).iter("{*}Relationship"):
        target = link.get("Target", "")
        where = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        if link.get("TargetMode") != "External":
            found[link.get("Id", "")] = (link.get("Type", "").rpartition("/")[2], where)
    return found


def _part(links: Mapping[str, tuple[str, str]], kind: str, archive: Archive) -> str:
    return next((path for found, path in links.values() if found == kind and path in archive), "")


def _properties(archive: Archive, links: Mapping[str, tuple[str, str]]) -> Metadata:
    path = _part(links, "core-properties", archive)
    if not path:
        return Metadata()
    found: dict[str, str] = {}
    for element in archive.xml(path):
        name = str(element.tag).rpartition("}")[2]
        found.setdefault(name, clean("".join(element.itertext())))
    author = found.get("creator", "")
    return Metadata(
        title=found.get("title", ""),
        author="" if author.lower() in _NO_AUTHORS else author,
        date=iso_date(found.get("created", "") or found.get("modified", "")),
        rest=tuple((name, found[key]) for key, name in _PROPERTIES.items() if found.get(key)),
    )


def _shared_strings(archive: Archive, links: Mapping[str, tuple[str, str]]) -> list[str]:
    path = _part(links, "sharedStrings", archive)
    if not path:
        return []
    return [_rich_text(item) for item in elements(archive.read(path), path, ["{*}si"])]


def _rich_text(item: _Element) -> str:
    """The text of all runs, without how it is pronounced."""
    pieces = []
    for element in item.iter("{*}t"):
        parent = element.getparent()
        if element.text and parent is not None and not str(parent.tag).endswith("}rPh"):
            pieces.append(element.text)
    text = "".join(pieces)
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


@dataclass(frozen=True, slots=True)
class _Style:
    show: Show = plain_number
    bold: bool = False


_PLAIN = _Style()


def _styles(archive: Archive, links: Mapping[str, tuple[str, str]], *, from_1904: bool) -> dict[str, _Style]:
    """The styles of cells, by the number that cells call them by."""
    path = _part(links, "styles", archive)
    if not path:
        return {}
    root = archive.xml(path)
    codes = dict(BUILT_IN)
    for element in root.iter("{*}numFmt"):
        codes[_integer(element.get("numFmtId"))] = element.get("formatCode", "")
    fonts = next(root.iter("{*}fonts"), None)
    bold = [_is_bold(font) for font in fonts] if fonts is not None else []
    shows: dict[str, Show] = {}
    found = []
    for element in next(root.iter("{*}cellXfs"), ()):
        code = codes.get(_integer(element.get("numFmtId")), "")
        if code not in shows:
            shows[code] = show_of(code, from_1904=from_1904) if code else plain_number
        font = _integer(element.get("fontId"))
        found.append(_Style(shows[code], font < len(bold) and bold[font]))
    return {str(at): style for at, style in enumerate(found)}


def _is_bold(font: _Element) -> bool:
    mark = font.find("{*}b")
    return mark is not None and mark.get("val", "1") in _TRUE


@dataclass(slots=True)
class _Context:
    """What cells refer to."""

    archive: Archive
    strings: list[str]
    styles: dict[str, _Style]
    removed: Counter[str]
    columns: dict[str, int] = field(default_factory=dict)

    def sheet(self, name: str, path: str) -> Sheet:
        """The sheet in the part `path`."""
        data = self.archive.read(path)
        rows = RowCollector(Sheet(name))
        # Rows that a filter or an outline folds away are data like any other; others are hidden on purpose.
        filtered = b"filterColumn" in data
        hidden: set[int] = set()
        number = 0
        for element in elements(data, path, ["{*}row", "{*}mergeCell", "{*}col"]):
            tag = str(element.tag)
            if tag.endswith("}col"):
                hidden.update(_hidden_columns(element))
            elif tag.endswith("}mergeCell"):
                rows.merges.extend(_merges(element.get("ref", "")))
            else:
                number = max(_integer(element.get("r")), number + 1)
                if not filtered and _is_hidden(element):
                    rows.leave_out()
                    self.removed["hidden row"] += len(element) > 0
                    continue
                cells = dict(self._cells(element))
                if hidden:
                    cells = {column: text for column, text in cells.items() if column not in hidden}
                rows.add(number, cells)
        self.removed["hidden column"] += len(hidden)
        rows.merge()
        return rows.sheet

    def _cells(self, row: _Element) -> Iterator[tuple[int, str]]:
        namespace = str(row.tag)[: -len("row")]
        value_tag, inline_tag = namespace + "v", namespace + "is"
        column = -1
        for cell in row:
            reference = cell.get("r")
            column = self._column(reference) if reference else column + 1
            for child in cell:
                text = ""
                style = self.styles.get(cell.get("s", "0"), _PLAIN)
                if child.tag == value_tag:
                    text = self._text(cell.get("t", "n"), child.text or "", style)
                elif child.tag == inline_tag:
                    text = _rich_text(child)
                if text and not text.isspace() and 0 <= column < MAX_COLUMNS:
                    yield column, Bold(text) if style.bold and not isinstance(text, Value) else text

    def _column(self, reference: str) -> int:
        letters = reference.rstrip("0123456789")
        column = self.columns.get(letters)
        if column is None:
            column = self.columns[letters] = _column(letters)
        return column

    def _text(self, kind: str, raw: str, style: _Style) -> str:
        """What the cell shows of its saved value."""
        if kind == "n":
            try:
                return Value(style.show(float(raw)))
            except ValueError:
                return raw
        if kind == "s":
            at = _integer(raw)
            return self.strings[at] if at < len(self.strings) else ""
        if kind == "e":
            self.removed["error value"] += 1
            return ""
        if kind == "b":
            return Value("TRUE" if raw.strip() in _TRUE else "FALSE")
        if kind == "d":
            return Value(raw.replace("T00:00:00", "").replace("T", " ").strip())
        return raw


def _integer(text: str | None) -> int:
    """A number in an attribute, 0 for what is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


def _column(reference: str | None) -> int:
    """Column from 0 of a reference such as "C5", −1 for what is none."""
    column = 0
    for character in reference or "":
        if not "A" <= character.upper() <= "Z" or column > MAX_COLUMNS:
            break
        column = column * 26 + ord(character.upper()) - 64
    return column - 1


def _hidden_columns(element: _Element) -> range:
    if element.get("hidden") not in _TRUE or _integer(element.get("outlineLevel")):
        return range(0)
    first, last = _integer(element.get("min")), _integer(element.get("max"))
    # "All columns from here on" is how a sheet ends, not something hidden.
    return range(first - 1, last) if 0 < first <= last < MAX_COLUMNS else range(0)


def _is_hidden(row: _Element) -> bool:
    return row.get("hidden") in _TRUE and not _integer(row.get("outlineLevel"))


def _merges(reference: str) -> Iterator[Merge]:
    found = _REFERENCE.findall(reference)
    if len(found) == 2:
        (left, top), (right, bottom) = found
        yield Merge(int(top), _column(left), int(bottom), _column(right))

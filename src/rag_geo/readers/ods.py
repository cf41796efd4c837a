"""Read a workbook of LibreOffice: sheets, texts and numbers as they are shown, out of its XML."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from rag_geo.readers.archives import Archive
from rag_geo.readers.blocks import MAX_PARAGRAPHS, UnreadableError
from rag_geo.readers.cells import Bold, Value
from rag_geo.readers.metadata import Metadata, clean, iso_date
from rag_geo.readers.number_formats import duration, plain_number
from rag_geo.readers.workbook import MAX_COLUMNS, Merge, RowCollector, Sheet, Workbook, elements

if TYPE_CHECKING:
    from lxml.etree import _Element

_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_FORMAT = "{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}"
_ERROR = re.compile(r"#(?:DIV/0!|N/?A|NAME\?|NULL!|NUM!|REF!|VALUE!)|Err:\d{3}")
_NUMBER = re.compile("\\d(?:[\\d.,'’ \u00a0\u202f]*\\d)?")
_APART = "'’ \u00a0\u202f"
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(:\d{2})?(?:[.,]\d+)?)?")
_DURATION = re.compile(r"-?P(?:(\d{1,6})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:[.,]\d+)?S)?)?")


def read_ods(archive: Archive) -> Workbook:
    """The workbook in an archive; raises UnreadableError when it is damaged, locked or too large."""
    manifest = "META-INF/manifest.xml"
    if manifest in archive and b"encryption-data" in archive.read(manifest):
        raise UnreadableError("needs a password")
    book = Workbook()
    book.describe(partial(_properties, archive))
    reader = _Reader(book)
    tags = ["{*}table-row", "{*}style"]
    for element in elements(archive.read("content.xml"), "content.xml", tags, starts=["{*}table", "{*}table-column"]):
        reader.see(element)
    reader.close()
    return book


def _properties(archive: Archive) -> Metadata:
    if "meta.xml" not in archive:
        return Metadata()
    found: dict[str, list[str]] = {}
    for element in archive.xml("meta.xml").iter():
        name = str(element.tag).rpartition("}")[2]
        if element.text and element.text.strip():
            found.setdefault(name, []).append(clean(element.text))

    def first(*names: str) -> str:
        return next((found[name][0] for name in names if name in found), "")

    rest = {
        "subject": first("subject"),
        "keywords": ", ".join(found.get("keyword", ())),
        "description": first("description"),
    }
    return Metadata(
        title=first("title"),
        author=first("initial-creator", "creator"),
        date=iso_date(first("creation-date", "date")),
        rest=tuple((name, value) for name, value in rest.items() if value),
    )


@dataclass(slots=True)
class _Reader:
    """Takes the elements of a workbook in their order."""

    book: Workbook
    bold: set[str] = field(default_factory=set)
    unseen: set[str] = field(default_factory=set)
    rows: RowCollector | None = None
    number: int = 0
    column: int = 0
    hidden: set[int] = field(default_factory=set)

    @property
    def removed(self) -> Counter[str]:
        return self.book.removed

    def see(self, element: _Element) -> None:
        """Take a style, the beginning of a sheet, a column or a row."""
        if element.tag == _TABLE + "table":
            self._open(element)
        elif element.tag == _TABLE + "table-column":
            self._columns(element)
        elif element.tag == _TABLE + "table-row" and self.rows is not None:
            self._row(element, self.rows)
        elif element.tag == _STYLE + "style":
            self._style(element)

    def close(self) -> None:
        """Finish the sheet that is open."""
        if self.rows is not None:
            self.rows.merge()
            self.removed["hidden column"] += len(self.hidden)
        self.rows = None

    def _style(self, element: _Element) -> None:
        name = element.get(_STYLE + "name", "")
        for child in element:
            if child.get(_FORMAT + "font-weight") in ("bold", "600", "700", "800", "900"):
                self.bold.add(name)
            if child.get(_TABLE + "display") == "false":
                self.unseen.add(name)

    def _open(self, element: _Element) -> None:
        parent = element.getparent()
        self.close()
        if parent is None or parent.tag != _OFFICE + "spreadsheet":
            return  # the saved copy of a link, or a table in a cell
        if element.get(_TABLE + "style-name", "") in self.unseen:
            self.removed["hidden sheet"] += 1
            return
        sheet = Sheet(element.get(_TABLE + "name", ""))
        self.book.sheets.append(sheet)
        self.rows, self.number, self.column, self.hidden = RowCollector(sheet), 0, 0, set()

    def _columns(self, element: _Element) -> None:
        count = _times(element, "columns")
        if element.get(_TABLE + "visibility") == "collapse" and self.column + count < MAX_COLUMNS:
            parent = element.getparent()
            if parent is None or parent.tag != _TABLE + "table-column-group":
                self.hidden.update(range(self.column, self.column + count))
        self.column += count

    def _row(self, element: _Element, rows: RowCollector) -> None:
        times = _times(element, "rows")
        first = self.number + 1
        self.number += times
        parent = element.getparent()
        folded = parent is not None and parent.tag == _TABLE + "table-row-group"
        if element.get(_TABLE + "visibility") == "collapse" and not folded:
            rows.leave_out(times)
            self.removed["hidden row"] += times if times < MAX_PARAGRAPHS else 0
            return
        cells = dict(self._cells(element, rows, first))
        if not cells:
            return
        rows.expect(times, times * len(cells))
        for number in range(first, first + times):
            rows.add(number, dict(cells))

    def _cells(self, element: _Element, rows: RowCollector, number: int) -> Iterator[tuple[int, str]]:
        column = 0
        for cell in element:
            times = _times(cell, "columns")
            if cell.tag == _TABLE + "table-cell" and len(cell):
                text = self._text(cell)
                right = column + _spanned(cell, "columns") - 1
                bottom = number + _spanned(cell, "rows") - 1
                if right > column or bottom > number:
                    rows.merges.append(Merge(number, column, bottom, right))
                if text and not text.isspace():
                    for at in range(column, min(column + times, MAX_COLUMNS)):
                        if at not in self.hidden:
                            yield at, text
            column += times

    def _text(self, cell: _Element) -> str:
        paragraphs = [child for child in cell if child.tag == _TEXT + "p"]
        self.removed["comment"] += sum(child.tag == _OFFICE + "annotation" for child in cell)
        shown = "\n".join(_paragraph(paragraph) for paragraph in paragraphs)
        kind = cell.get(_OFFICE + "value-type", "")
        if kind in ("string", "") or not shown.strip():
            if _ERROR.fullmatch(shown):
                self.removed["error value"] += 1
                return ""
            return Bold(shown) if cell.get(_TABLE + "style-name", "") in self.bold else shown
        return Value(_value(kind, cell, shown.strip()))


def _value(kind: str, cell: _Element, shown: str) -> str:
    if kind == "boolean":
        return "TRUE" if cell.get(_OFFICE + "boolean-value") == "true" else "FALSE"
    if kind == "date":
        found = _DATE.fullmatch(cell.get(_OFFICE + "date-value", ""))
        if not found:
            return shown
        known = iso_date(shown)
        if known and len(known) < len(found[1]) and found[1].startswith(known):
            return known  # "Jan 2021" says no day
        seconds = found[3] if found[3] and found[3] != ":00" else ""
        clock = f" {found[2]}{seconds}" if found[2] and (found[2] != "00:00" or seconds) else ""
        return found[1] + clock
    if kind == "time":
        return shown if re.search(r"\d:\d\d", shown) else _time(cell.get(_OFFICE + "time-value", ""), shown)
    try:
        return _shown_number(float(cell.get(_OFFICE + "value", "")), shown)
    except ValueError:
        return shown


def _time(text: str, shown: str) -> str:
    found = _DURATION.fullmatch(text)
    if not found:
        return shown
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return duration(days + hours / 24 + minutes / 1440 + seconds / 86_400)


def _shown_number(value: float, shown: str) -> str:
    """The number as it is shown, with English separators: "12.345,60 €" for 12345.6 becomes "12,345.60 €".

    Which separator is the decimal one is seen by the value; what does not fit it is shown plainly.
    """
    found = _NUMBER.search(shown)
    if not found:
        return shown if any(character.isalpha() for character in shown) else plain_number(value)
    target = abs(value) * (100 if "%" in shown else 1)
    for decimal, group in ((".", ","), (",", ".")):
        digits = found[0].translate(dict.fromkeys(map(ord, group + _APART)))
        whole, _, fraction = digits.partition(decimal)
        if not whole.isdigit() or (fraction and not fraction.isdigit()) or len(digits) > 40:
            continue
        number = Decimal(f"{whole}.{fraction}" if fraction else whole)
        if abs(float(number) - target) <= 0.500001 * 10 ** -len(fraction) and (target < 1 or number):
            grouped = len(digits) < len(found[0])
            plain = format(number, ",f" if grouped else "f")
            return shown[: found.start()] + plain + shown[found.end() :]
    return plain_number(value)


def _paragraph(paragraph: _Element) -> str:
    """The text of a paragraph in a cell, its spaces and line breaks written out."""
    pieces: list[str] = []
    for element in paragraph.iter():
        if element.tag in (_TEXT + "s", _TEXT + "tab"):
            pieces.append(" ")
        elif element.tag == _TEXT + "line-break":
            pieces.append("\n")
        pieces.append(element.text or "")
        if element is not paragraph:
            pieces.append(element.tail or "")
    return "".join(pieces)


def _times(element: _Element, what: str) -> int:
    return _count(element.get(f"{_TABLE}number-{what}-repeated"))


def _spanned(element: _Element, what: str) -> int:
    return _count(element.get(f"{_TABLE}number-{what}-spanned"))


def _count(text: str | None) -> int:
    return max(1, int(text)) if text and text.isascii() and text.isdigit() and len(text) < 8 else 1

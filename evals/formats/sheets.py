"""Spreadsheets and delimited files: a row is a paragraph; names of sheets and of columns may or may not stand by it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from opendocument import convert
from sources import FILES, Truth

_BUDGET: tuple[tuple[Any, ...], ...] = (
    ("Purpose", "Office", "Granted", "Spent", "Share", "Decided on"),
    ("Dredging of the inner basin", "Harbour", 84_000, 79_350.5, 0.945, date(2020, 3, 12)),
    ("New stairs for the town library", "Buildings", 21_500, 21_500, 1, date(2020, 3, 12)),
    ("Trees along Kiln Lane", "Parks", 6_200, 4_880, 0.787, date(2020, 4, 2)),
    ("Night bus to Marrow", "Traffic", 38_750, 40_115.25, 1.035, date(2020, 5, 28)),
    ("Repair of the flood gate, first stage", "Harbour", 112_000, 0, 0, date(2020, 9, 17)),
)
_STAFF: tuple[tuple[Any, ...], ...] = (
    ("Office", "Head", "Posts", "Vacant"),
    ("Harbour", "Ines Holloway", 23, 2),
    ("Parks", "Marion Teague", 14, 0),
    ("Traffic", "Peter Ashdown", 9, 1),
)
_FORMER = ("Markets", "Nobody since 2016", 0, 0)
_DRAFT: tuple[tuple[Any, ...], ...] = (("Secret draft", "Sum"), ("Sale of the old customs house", 1_900_000))


def make() -> None:
    """Make workbooks and delimited files."""
    for each in (by_xlsxwriter, by_calc, delimited):
        each()


def _said(value: Any, form: str = "") -> str:  # noqa: ANN401  whatever a cell may hold
    if isinstance(value, date):
        return value.isoformat()
    if form == "share":
        return f"{value * 100:.1f}%"
    if form == "money":
        return f"{value:,.2f}"
    return str(value)


def _rows(
    table: Sequence[Sequence[Any]], place: str, first: int = 1, forms: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The truth of a table whose names stand in row `first`."""
    head = {"text": " | ".join(map(str, table[0])), "kind": "table", "optional": True, "repeated": True}
    forms = forms or [""] * len(table[0])
    rows = [
        {
            "text": " | ".join(_said(value, form) for value, form in zip(row, forms, strict=True)),
            "raw": " | ".join(_said(value) for value in row),
            "kind": "table",
            "place": place.format(number),
        }
        for number, row in enumerate(table[1:], start=first + 1)
    ]
    return [head, *rows]


_FORMS = ("", "", "money", "money", "share", "")
_NOTE = "All sums are in crowns. The night bus was dearer because the fuel was."


def by_xlsxwriter() -> None:
    """A workbook with a title over merged cells, formats, a note, a second table, and a hidden sheet."""
    from xlsxwriter import Workbook

    made = Workbook(FILES / "budget.xlsx")
    made.set_properties({"title": "Budget of Tarnbeck 2020", "author": "Office of Finance",
                         "created": datetime(2021, 1, 11)})  # fmt: skip
    bold, money = made.add_format({"bold": True}), made.add_format({"num_format": "#,##0.00"})
    share, day = made.add_format({"num_format": "0.0%"}), made.add_format({"num_format": "yyyy-mm-dd"})
    formats = (None, None, money, money, share, day)
    sheet = made.add_worksheet("Budget")
    sheet.merge_range("A1:F1", "Budget of the town of Tarnbeck for the year 2020", bold)
    for number, row in enumerate(_BUDGET):
        for column, value in enumerate(row):
            sheet.write(2 + number, column, value, bold if not number else formats[column])
    sheet.write(9, 0, _NOTE)
    staff = made.add_worksheet("Staff")
    for number, row in enumerate(_STAFF):
        staff.write_row(number, 0, row, bold if not number else None)
    staff.write_row(len(_STAFF), 0, _FORMER)
    staff.set_row(len(_STAFF), None, None, {"hidden": True})
    hidden = made.add_worksheet("Draft")
    for number, row in enumerate(_DRAFT):
        hidden.write_row(number, 0, row)
    hidden.hide()
    made.close()
    found = _book()
    stated = {"title": "Budget of Tarnbeck 2020", "author": "Office of Finance", "date": "2021-01-11"}
    Truth("XlsxWriter", ("merged cells", "dates, shares, sums", "hidden sheet and row", "note below the table")).add(
        found, **stated
    ).save("budget.xlsx")


def _book() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"text": "Budget", "kind": "heading", "optional": True}]
    title = "Budget of the town of Tarnbeck for the year 2020"
    found.append({"text": title, "kind": "heading", "place": "sheet Budget, row 1"})
    found += _rows(_BUDGET, "sheet Budget, row {}", 3, _FORMS)
    found.append({"text": _NOTE, "kind": "text", "place": "sheet Budget, row 10"})
    found.append({"text": "Staff", "kind": "heading", "optional": True})
    found += _rows(_STAFF, "sheet Staff, row {}")
    # A hidden row may well be one that a filter hides for the moment: it may be read or not.
    found.append({"text": " | ".join(map(str, _FORMER)), "kind": "table", "optional": True})
    found += [{"text": " | ".join(map(str, row)), "kind": "table", "debris": True} for row in _DRAFT]
    return found


def by_calc() -> None:
    """What LibreOffice makes of that workbook, and of a delimited file."""
    stated = {"title": "Budget of Tarnbeck 2020", "author": "Office of Finance", "date": "2021-01-11"}
    content = (FILES / "budget.xlsx").read_bytes()
    for file, to in (("budget.ods", "ods"), ("budget-calc.xlsx", "xlsx:Calc MS Excel 2007 XML")):
        convert(content, "xlsx", to, FILES / file)
        truth = Truth("LibreOffice Calc", ("merged cells", "dates, shares, sums", "hidden sheet"))
        truth.add(_book(), **stated).save(file)
    convert(_delimited(_TANKS, ","), "csv", "ods", FILES / "tanks.ods")
    head, *rows = _rows(_TANKS, "sheet made, row {}")
    Truth("LibreOffice Calc", ("one sheet",)).add([head, *rows], title="?", author="?", date="?").save("tanks.ods")


_TANKS: tuple[tuple[Any, ...], ...] = (
    ("Tank", "Litres", "Filled from", "State in spring"),
    ("North gate", 4000, "roof of the hall", "sound"),
    ("Pear row", 2500, "brook", "leaks at the lower seam"),
    ("Hen house", 1200, "roof, brook", 'to be replaced ("soon")'),
    ("Eastern edge", 4000, "brook", "sound"),
)
_BOOTE: tuple[tuple[Any, ...], ...] = (
    ("Name", "Länge", "Eigner", "Bemerkung"),
    ("Möwe", "7,40", "Jörg Brünning", "liegt seit März auf dem Trockenen"),
    ("Süderhever", "11,20", "Fährgenossenschaft", "Rumpf neu gestrichen;\nMotor ausgebaut"),
    ("Grete", "5,85", "Möhring & Söhne", "verkauft für 3.200 €"),
)


def _delimited(table: Sequence[Sequence[Any]], mark: str) -> str:
    made = io.StringIO()
    csv.writer(made, delimiter=mark, lineterminator="\r\n").writerows(table)
    return made.getvalue()


def delimited() -> None:
    """Commas with quotes, semicolons in a code page with a line end in a field, tabs."""
    jobs = (
        ("tanks.csv", _delimited(_TANKS, ",").encode(), _rows(_TANKS, "row {}"), ("quotes and commas in fields",)),
        (
            "boote.csv",
            _delimited(_BOOTE, ";").encode("cp1252"),
            [],
            ("semicolons", "code page 1252", "line in a field"),
        ),
        ("staff.tsv", _delimited(_STAFF, "\t").encode("utf-8-sig"), _rows(_STAFF, "row {}"), ("byte order mark",)),
    )
    for file, content, found, traps in jobs:
        (FILES / file).write_bytes(content)
        if not found:
            # A field of two lines is one row; the row behind it is the fourth line of a spreadsheet.
            found = _rows(_BOOTE, "row {}")
            for one in found:
                one["text"] = one["text"].replace("\n", " ")
        Truth("Python's csv", traps).add(found, title="?", author="", date="").save(file)

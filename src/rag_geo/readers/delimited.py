"""Read CSV, TSV and their relatives: the delimiter found by form, each row as a paragraph with its column names."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from io import StringIO

from rag_geo.readers.blocks import MAX_PARAGRAPHS, UnreadableError
from rag_geo.readers.cells import MAX_CELLS, Row, Value
from rag_geo.readers.decoding import decode
from rag_geo.readers.layout import Draft, Layout
from rag_geo.readers.plain import title_from_name
from rag_geo.readers.rows import add_tables
from rag_geo.settings import ReadingSettings

DELIMITERS = "\t;|,"
"""What may separate the fields of a row; of those that fit a file as well, the first: a comma is often in a text."""

_SAMPLE_CHARACTERS = 1 << 16
_SAMPLE_ROWS = 100
_STRAY_QUOTES = 20
_END = ["\ue000end\ue000"]
_SEPARATOR_LINE = re.compile(r"sep=([;,|:#^~!&/\t])(?:\r\n|\r|\n|$)", re.IGNORECASE)
_AMOUNT = r"(?:\d{1,3}(?:([.,'’ \u00a0\u202f])\d{3})+|\d+)?(?:[.,]?\d+)?(?:[eE][+-]?\d{1,3})?"
_UNIT = r"(?:[ \u00a0]?(?:%|[$€£¥]|[A-Z]{3}))?"
_NUMBER = re.compile(rf"(?=.?.?.?.?.?\d)[$€£¥]?[ ]?\(?[+\-−]?[$€£¥]?{_AMOUNT}{_UNIT}\)?")
_DAY = r"(?:\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[ ]?[AaPp]\.?[Mm]\.?|[ ]?[+-]\d{2}:?\d{2})?"
_MOMENT = re.compile(rf"{_DAY}(?:[T ]{_CLOCK})?|{_CLOCK}")
_TRUTH = re.compile(r"true|false", re.IGNORECASE)
_ERROR = re.compile(r"#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!)")


def read(data: bytes, name: str, settings: ReadingSettings) -> Layout:
    """The layout of a delimited file; raises UnreadableError for what is no text or too large.

    A row has the number that a spreadsheet gives it: empty lines count, line ends inside quotes do not.
    """
    decoded = decode(data)
    if decoded is None:
        raise UnreadableError("looks binary")
    warnings = list(decoded.warnings)
    removed: Counter[str] = Counter()
    rows = _rows(decoded.text, warnings, removed)
    draft = Draft()
    title = add_tables(draft, rows, "row {}".format)
    return Layout(
        draft.text,
        tuple(draft.blocks),
        title=title or title_from_name(name),
        removed=tuple(sorted(removed.items())),
        warnings=tuple(warnings),
        encoding=decoded.encoding,
    )


def find_delimiter(text: str) -> str:
    """The character that separates the fields of the rows at the beginning of `text`, or "" when none does.

    It is the one that cuts most rows into the same number of fields.
    """
    sample = text[:_SAMPLE_CHARACTERS]
    if len(text) > len(sample):
        sample = sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1] or sample
    best, best_share = "", 0.0
    for delimiter in DELIMITERS:
        if delimiter not in sample:
            continue
        widths: Counter[int] = Counter()
        for cells in _records(sample, delimiter, [], limit=_SAMPLE_ROWS):
            if any(cells):
                widths[len(cells)] += 1
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        share = round(count / max(1, widths.total()), 2) if width > 1 else 0.0
        if share > best_share:
            best, best_share = delimiter, share
    return best or (" " if _is_spaced(sample) else "")


def _is_spaced(sample: str) -> bool:
    """Whether spaces separate numbers; what has words below its first row is a text."""
    first, *rest = [cells for cells in _records(sample, " ", [], limit=_SAMPLE_ROWS) if any(cells)] or [[]]
    if len(rest) < 2 or any(len(cells) != len(first) for cells in rest) or len(first) < 2:
        return False
    fields = [field for cells in rest for field in cells]
    return sum(is_value(field) for field in fields) * 5 >= 4 * len(fields)


def _rows(text: str, warnings: list[str], removed: Counter[str]) -> list[Row]:
    declared = _SEPARATOR_LINE.match(text)
    delimiter = declared[1] if declared else find_delimiter(text)
    rows: list[Row] = []
    gap = False
    cells = width = 0
    for number, fields in enumerate(_records(text, delimiter, warnings), start=1):
        if declared and number == 1:
            continue
        filled = dict(_filled(fields, removed))
        if not filled:
            # A blank line between rows of the same width is air; a row of empty fields is one of a sheet.
            gap, width = True, 0 if fields else width
            continue
        cells += len(filled)
        if cells > MAX_CELLS or len(rows) == MAX_PARAGRAPHS:
            raise UnreadableError(f"has more than {MAX_PARAGRAPHS:,} rows or {MAX_CELLS:,} cells: not a document")
        rows.append(Row(number, filled, after_gap=gap and bool(rows) and len(fields) != width))
        gap, width = False, len(fields)
    return rows


def _filled(fields: Sequence[str], removed: Counter[str]) -> Iterator[tuple[int, str]]:
    for column, field in enumerate(fields):
        text = field.strip()
        if not text:
            continue
        if text[0] == "#" and _ERROR.fullmatch(text):
            removed["error value"] += 1
        else:
            yield column, Value(text) if is_value(text) else text


def is_value(text: str) -> bool:
    """Whether a field is a number, a date, a time or a truth value."""
    if len(text) > 40:
        return False
    return bool(_NUMBER.fullmatch(text) or _MOMENT.fullmatch(text) or _TRUTH.fullmatch(text))


def _records(text: str, delimiter: str, warnings: list[str], *, limit: int | None = None) -> Iterator[list[str]]:
    """The fields of each row. A quote that is opened and never closed is a character like any other."""
    # The limit of the csv module is one for the whole process, and lower than what a cell may hold.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    lines = list(StringIO(text, newline=""))
    escape = "\\" if '\\"' in text and '""' not in text else None
    at = number = stray = 0
    while at < len(lines):
        reader = csv.reader(
            _with_end(lines, at),
            delimiter=delimiter or "\x1f",
            escapechar=escape,
            doublequote=escape is None,
            skipinitialspace=delimiter == " ",
            quoting=csv.QUOTE_MINIMAL if stray < _STRAY_QUOTES else csv.QUOTE_NONE,
        )
        begin = at
        try:
            for fields in reader:
                behind = begin + reader.line_num
                if behind > len(lines):
                    if fields == _END:
                        return
                    break  # the end of the file is inside a field
                yield fields
                at = behind
                number += 1
                if number == limit:
                    return
        except csv.Error as error:
            raise UnreadableError(f"damaged: row {number + 1} cannot be read ({error})") from error
        stray += 1
        warnings.append(f"row {number + 1}: a quotation mark is opened and never closed; read as it stands")
        yield lines[at].rstrip("\r\n").split(delimiter) if delimiter else [lines[at].rstrip("\r\n")]
        number += 1
        at += 1


def _with_end(lines: Sequence[str], start: int) -> Iterator[str]:
    for at in range(start, len(lines)):
        yield lines[at]
    yield _END[0]

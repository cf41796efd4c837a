"""What the columns of a table are called, seen by form: names are texts above values.

The first row names the columns if it is in bold, stands above values, or is a row of short texts that differ from each
other and do not come again below. Years and dates in order are names, too. Names may stand in up to three rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag_geo.readers.cells import Bold, Row, Value

LONGEST_NAME = 300
"""Characters; a longer text is no name of a column."""

SENTENCE_END = re.compile(r"[.!?。！？]['\"”’»)\]]*$")
"""Where a sentence ends and a name does not."""

_SAMPLE = 200
_LONG = 60
_HEADER_DEPTH = 3
_YEAR = re.compile(r"[12]\d{3}(?:-\d\d){0,2}")
_ADDRESS = re.compile(r"\S@\S+\.\S|://|^www\.")


@dataclass(frozen=True, slots=True)
class Table:
    """The names of the columns of a table and which of them hold values."""

    names: Mapping[int, str]
    typed: Mapping[int, bool]


def _typed(rows: Sequence[Row]) -> dict[int, bool]:
    """For each column that is filled, whether most of it are values."""
    filled: dict[int, int] = {}
    values: dict[int, int] = {}
    for row in rows[:_SAMPLE]:
        for column, text in row.cells.items():
            filled[column] = filled.get(column, 0) + 1
            if isinstance(text, Value):
                values[column] = values.get(column, 0) + 1
    return {column: values.get(column, 0) * 5 >= 3 * count for column, count in filled.items()}


def continued(rows: Sequence[Row], before: Table | None) -> Table | None:
    """The table above, if these rows go on with it behind an empty row."""
    if before is None or not rows:
        return None
    typed = _typed(rows)
    if len(typed) < 2 or any(column not in before.names for column in typed) or _all(rows[0], Bold):
        return None
    # A text in the first row above values, or values where the other table has texts: another table.
    first = rows[0].cells
    if any(before.typed.get(column, False) != isinstance(text, Value) for column, text in first.items()):
        return None
    return before if all(before.typed.get(column, False) == kind for column, kind in typed.items()) else None


def find_names(rows: Sequence[Row]) -> tuple[Table | None, int]:
    """The table of `rows` and how many of them are its header, or no table and 0."""
    if len(rows) < 2:
        return None, 0
    depth = _header_depth(rows)
    if not depth:
        return None, 0
    return Table(_names(rows[:depth], rows[depth:]), _typed(rows[depth:])), depth


def _header_depth(rows: Sequence[Row]) -> int:
    """Rows of names: several where the lower one fills what is empty or merged above it, and values follow."""
    typed = _typed(rows[1:])
    if not _may_be_names(rows[0], rows[1:], typed):
        return 0
    depth = 1
    while depth < _HEADER_DEPTH and depth + 1 < len(rows):
        below = rows[depth]
        if not _refines(rows[depth - 1], below):
            break
        if not _may_be_names(below, rows[depth + 1 :], _typed(rows[depth + 1 :]), values_only=True):
            break
        depth += 1
    if depth == 1 and not _are_names(rows[0], rows[1:], typed):
        return 0
    return depth


def _refines(above: Row, below: Row) -> bool:
    """Whether the row below names what the row above leaves open: columns that are empty there or merged."""
    return any(column not in above.cells for column in below.cells) and len(above.cells) <= len(below.cells)


def _may_be_names(row: Row, body: Sequence[Row], typed: Mapping[int, bool], *, values_only: bool = False) -> bool:
    """Texts that are short enough, or years and dates in order; with `values_only` at least one column has values."""
    if any(len(text) > LONGEST_NAME for text in row.cells.values()):
        return False
    years = {column: text for column, text in row.cells.items() if isinstance(text, Value)}
    if years and not _are_years(years, body, typed):
        return False
    return not values_only or any(typed.values())


def _are_years(found: Mapping[int, str], body: Sequence[Row], typed: Mapping[int, bool]) -> bool:
    """Values that name columns: years, months or days in order, above values of which most are none."""
    columns, years = sorted(found), [found[column] for column in sorted(found)]
    if len(years) < 2 or not all(_YEAR.fullmatch(text) for text in years):
        return False
    rising = all(left < right for left, right in pairwise(years))
    falling = all(left > right for left, right in pairwise(years))
    if not (rising or falling) or not all(typed.get(column, True) for column in columns):
        return False
    below = [row.cells.get(column, "") for row in body[:_SAMPLE] for column in columns]
    return sum(bool(_YEAR.fullmatch(text)) for text in below) * 2 < len(below)


def _are_names(row: Row, body: Sequence[Row], typed: Mapping[int, bool]) -> bool:
    """Whether the first row names the columns of the rows below."""
    if _all(row, Bold) and not _all(body[0], Bold):
        return True
    cells = row.cells
    if any(isinstance(text, Value) for text in cells.values()):
        return True  # years: nothing else is let in
    if len(typed) == 1 and len(cells) == 1:
        return any(typed.values()) and len(body) > 1
    if len(cells) * 2 < len(typed):
        return False
    if any(typed.get(column, False) for column in cells):
        return not _is_labelled(row, body)
    return _look_like_names(row, body, typed)


def _look_like_names(row: Row, body: Sequence[Row], typed: Mapping[int, bool]) -> bool:
    """Texts above texts: names are short, differ from each other and do not come again below."""
    texts = list(row.cells.values())
    if len(texts) < 2 or len(texts) < len(typed) or len(set(texts)) < len(texts) or _is_labelled(row, body):
        return False
    if any(len(text) > _LONG or _ADDRESS.search(text) or SENTENCE_END.search(text) for text in texts):
        return False
    return not any(below.cells.get(column) == text for below in body[:_SAMPLE] for column, text in row.cells.items())


def _is_labelled(row: Row, body: Sequence[Row]) -> bool:
    """A form: in two columns, labels that end in a colon or are bold before what is not."""
    rows = [row, *body[:_SAMPLE]]
    columns = {column for one in rows for column in one.cells}
    if len(columns) != 2:
        return False
    first = min(columns)
    labels = [one.cells[first] for one in rows if first in one.cells]
    if all(label.rstrip().endswith(":") for label in labels):
        return True
    values = [text for one in rows for column, text in one.cells.items() if column != first]
    return all(isinstance(label, Bold) for label in labels) and not any(isinstance(text, Bold) for text in values)


def is_form(rows: Sequence[Row]) -> bool:
    """Rows of two columns without names: a short text that labels what stands beside it."""
    columns = sorted({column for row in rows for column in row.cells})
    if len(columns) != 2:
        return False
    labels = [row.cells.get(columns[0], "") for row in rows]
    if not all(label and len(label) <= _LONG and not isinstance(label, Value) for label in labels):
        return False
    return len(set(labels)) == len(labels) and (len(rows) > 1 or isinstance(rows[0].cells.get(columns[1]), Value))


def _all(row: Row, kind: type[str]) -> bool:
    return all(isinstance(text, kind) for text in row.cells.values())


def _names(header: Sequence[Row], body: Sequence[Row]) -> dict[int, str]:
    """The name of each column, those of several rows joined ("2020 Q1")."""
    columns = sorted({column for row in [*header, *body[:_SAMPLE]] for column in row.cells})
    pieces: dict[int, list[str]] = {column: [] for column in columns}
    merged = any(row.widths for row in header)
    for depth, row in enumerate(header):
        group, until = "", -1
        for column in columns:
            text = row.cells.get(column, "")
            if text:
                group, until = text, column + row.widths.get(column, 0) - 1
            elif column <= until or (group and not merged and _open_below(header[depth + 1 :], column)):
                text = group
            if text and text not in pieces[column]:
                pieces[column].append(text)
    return {column: _name(" ".join(found)) for column, found in pieces.items()}


def _open_below(rows: Sequence[Row], column: int) -> bool:
    return any(column in row.cells for row in rows)


def _name(text: str) -> str:
    return " ".join(text.split()).rstrip(" :;")

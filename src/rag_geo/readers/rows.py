"""Tables of a spreadsheet or a delimited file: where they begin, what their columns are called, a row as a paragraph.

A row is told with its column names, "Country: Norway; Area (km²): 385,207", so that it can be found and cited by
itself. Where a table begins and whether it has names is decided by form: empty rows and columns separate tables, and
names are texts above values.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

from rag_geo.readers.blocks import MAX_PARAGRAPHS, UnreadableError
from rag_geo.readers.layout import Draft

MAX_CELLS = 5_000_000
"""A file with more filled cells than this is data for a database; it is not read."""

MAX_TEXT = 64 << 20
"""Characters of all rows of a file; one long name over a million rows would fill the memory."""

_SAMPLE = 200
_LONGEST_NAME = 300
_LONG = 60
_NOTE = 40
_HEADER_DEPTH = 3
_YEAR = re.compile(r"[12]\d{3}(?:-\d\d){0,2}")
_ADDRESS = re.compile(r"\S@\S+\.\S|://|^www\.")
_SENTENCE = re.compile(r"[.!?。！？]['\"”’»)\]]*$")


class Value(str):
    """The text of a number, a date or a truth value: what a column is not called."""

    __slots__ = ()


class Bold(str):
    """A text in bold: a name or a title, most likely."""

    __slots__ = ()


@dataclass(slots=True)
class Row:
    """One row: its number as the program shows it, and the text of each filled cell by its column from 0.

    `after_gap` says that an empty row stands before it; `widths` has the columns of cells merged over several.
    """

    number: int
    cells: dict[int, str]
    after_gap: bool = False
    widths: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows that belong together: a table with what is written above and below it, or only lines."""

    rows: list[Row]
    columns: list[int]


@dataclass(frozen=True, slots=True)
class _Table:
    """The names of the columns of a table and which of them hold values."""

    names: Mapping[int, str]
    typed: Mapping[int, bool]


@cache
def column_letters(column: int) -> str:
    """What a spreadsheet calls the column (from 0): A to Z, then AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def add_tables(draft: Draft, rows: Sequence[Row], place: Callable[[int], str]) -> str:
    """Add a sheet to `draft`, each row of a table as a paragraph, and give its first title line ("" without one).

    `rows` are in order and hold at least one cell each; `place` says where the row of a number is. Raises
    UnreadableError when there is more than a document can hold.
    """
    if len(rows) > MAX_PARAGRAPHS:
        raise UnreadableError(f"has more than {MAX_PARAGRAPHS:,} rows: not a document")
    parts = [part for band in _bands(rows) for part in _side_by_side(band)]
    title = ""
    before: _Table | None = None
    for at, part in enumerate(parts):
        writer = _Writer(draft, place)
        if len(part.columns) == 1 and len(part.rows) == 1:
            writer.line(part.rows[0], opens=at + 1 < len(parts) and len(parts[at + 1].columns) > 1)
            before = None
        else:
            before = writer.part(part, before)
        title = title or writer.title
    return title


def _bands(rows: Sequence[Row]) -> Iterator[list[Row]]:
    band: list[Row] = []
    for row in rows:
        if row.after_gap and band:
            yield band
            band = []
        band.append(row)
    if band:
        yield band


def _side_by_side(band: list[Row]) -> Iterator[_Part]:
    """The tables of a band that an empty column separates.

    One without texts of its own in its first column goes on with the labels of the table to its left: there the empty
    column is only air.
    """
    columns = sorted({column for row in band for column in row.cells})
    groups = [[columns[0]]]
    for left, right in pairwise(columns):
        if right == left + 1:
            groups[-1].append(right)
        else:
            groups.append([right])
    labelled = _with_labels(band, {group[0] for group in groups[1:] if len(group) > 1})
    joined = [groups[0]]
    for group in groups[1:]:
        if group[0] in labelled:
            joined.append(group)
        else:
            joined[-1] = joined[-1] + group
    if len(joined) == 1:
        yield _Part(band, columns)
        return
    part_of = {column: at for at, group in enumerate(joined) for column in group}
    parts: list[list[Row]] = [[] for _ in joined]
    for row in band:
        pieces: dict[int, dict[int, str]] = {}
        for column, text in row.cells.items():
            pieces.setdefault(part_of[column], {})[column] = text
        for at, cells in pieces.items():
            parts[at].append(Row(row.number, cells, row.after_gap, row.widths))
    yield from map(_Part, parts, joined)


def _with_labels(band: Sequence[Row], columns: Collection[int]) -> set[int]:
    """Those of `columns` of which most cells below the first are texts."""
    filled: Counter[int] = Counter()
    texts: Counter[int] = Counter()
    for row in band:
        for column in row.cells.keys() & columns if columns else ():
            texts[column] += filled[column] > 0 and not isinstance(row.cells[column], Value)
            filled[column] += 1
    return {column for column in columns if texts[column] * 2 > filled[column] - 1}


class _Writer:
    """Adds the parts of a sheet to a draft; `title` is the first title line."""

    def __init__(self, draft: Draft, place: Callable[[int], str]) -> None:
        self.draft = draft
        self.place = place
        self.title = ""

    def line(self, row: Row, *, opens: bool) -> None:
        """Add a cell that stands alone; with `opens` a table follows it."""
        text = next(iter(row.cells.values()))
        titled = not isinstance(text, Value) and len(text) <= 100 and not _SENTENCE.search(text)
        if titled and (opens or isinstance(text, Bold)):
            self._heading(row, 2)
        else:
            self._add(row, _cell(text), table=isinstance(text, Value))

    def part(self, part: _Part, before: _Table | None) -> _Table | None:
        """Add the titles, rows and notes of a part; gives its table if it has names, for a part that goes on."""
        first, last = _titles(part), _notes(part)
        titles, rows, notes = part.rows[:first], part.rows[first:last], part.rows[last:]
        for row in titles:
            self.line(row, opens=True)
        table = _continued(rows, before) if not titles else None
        depth = 0
        if table is None:
            table, depth = _find_names(rows)
        body = rows[depth:]
        label = table is None and _is_form(body)
        for row in body:
            if _is_section(row, part.columns):
                self._heading(row, 3)
            else:
                self._add(row, _form_text(row) if label else _row_text(row, table, len(body)))
        for row in notes:
            self.line(row, opens=False)
        return table

    def _heading(self, row: Row, level: int) -> None:
        text = " ".join(next(iter(row.cells.values())).split())
        self.title = self.title or text
        self.draft.add(text, "heading", level=level, place=self.place(row.number))

    def _add(self, row: Row, text: str, *, table: bool = True) -> None:
        self.draft.add(text, "table" if table else "text", place=self.place(row.number))
        if self.draft.length > MAX_TEXT:
            raise UnreadableError(f"its tables hold more than {MAX_TEXT >> 20} million characters: not a document")


def _cell(text: str) -> str:
    """One line of text; a long text in several lines keeps them, because its sentences may end with them."""
    if len(text) <= _LONGEST_NAME or ("\n" not in text and "\r" not in text):
        return " ".join(text.split())
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if not line.isspace() and line)


def _row_text(row: Row, table: _Table | None, rows: int) -> str:
    cells = sorted(row.cells.items())
    if table is not None:
        named = ((table.names.get(column, ""), _cell(text)) for column, text in cells)
        return "; ".join(f"{name}: {text}" if name else text for name, text in named)
    if len(cells) == 1 or rows == 1:
        return " | ".join(_cell(text) for _, text in cells)
    return "; ".join(f"{column_letters(column)}: {_cell(text)}" for column, text in cells)


def _form_text(row: Row) -> str:
    label, *rest = (_cell(text) for _, text in sorted(row.cells.items()))
    return f"{label.rstrip(' :')}: {rest[0]}" if rest else label


def _titles(part: _Part) -> int:
    """How many rows at the top are lines of text above the table, not a part of it."""
    if len(part.columns) == 1:
        return 0
    for at, row in enumerate(part.rows):
        if len(row.cells) > 1 or not _spans_part(row, part.columns):
            return at
    return 0


def _notes(part: _Part) -> int:
    """Where the lines of text below the table begin."""
    if len(part.columns) == 1:
        return len(part.rows)
    at = len(part.rows)
    while at > 0:
        row = part.rows[at - 1]
        text = next(iter(row.cells.values()))
        if len(row.cells) > 1 or not _spans_part(row, part.columns) or (len(text) <= _NOTE and not row.widths):
            break
        at -= 1
    return at if any(len(row.cells) > 1 for row in part.rows[:at]) else len(part.rows)


def _spans_part(row: Row, columns: Sequence[int]) -> bool:
    column, text = next(iter(row.cells.items()))
    if isinstance(text, Value):
        return False
    return column == columns[0] or 1 < row.widths.get(column, 1) >= len(columns) / 2


def _is_section(row: Row, columns: Sequence[int]) -> bool:
    """A text merged over the table: what the rows below it have in common."""
    if len(row.cells) != 1 or len(columns) < 2:
        return False
    column, text = next(iter(row.cells.items()))
    return not isinstance(text, Value) and len(text) <= 100 and row.widths.get(column, 1) * 2 > len(columns)


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


def _continued(rows: Sequence[Row], before: _Table | None) -> _Table | None:
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


def _find_names(rows: Sequence[Row]) -> tuple[_Table | None, int]:
    """The table of `rows` and how many of them are its header, or no table and 0."""
    if len(rows) < 2:
        return None, 0
    depth = _header_depth(rows)
    if not depth:
        return None, 0
    return _Table(_names(rows[:depth], rows[depth:]), _typed(rows[depth:])), depth


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
    if any(len(text) > _LONGEST_NAME for text in row.cells.values()):
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
    if any(len(text) > _LONG or _ADDRESS.search(text) or _SENTENCE.search(text) for text in texts):
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


def _is_form(rows: Sequence[Row]) -> bool:
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

"""Tables of a spreadsheet or a delimited file: where they begin, what their columns are called, a row as a paragraph.

A row is told with its column names, "Country: Norway; Area (km²): 385,207", so that it can be found and cited by
itself. Where a table begins and whether it has names is decided by form: empty rows and columns separate tables, and
names are texts above values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag_geo.readers.blocks import MAX_PARAGRAPHS, UnreadableError
from rag_geo.readers.cells import Bold, Row, Value, column_letters
from rag_geo.readers.headers import LONGEST_NAME, SENTENCE_END, Table, continued, find_names, is_form
from rag_geo.readers.layout import Draft

MAX_TEXT = 64 << 20
"""Characters of all rows of a file; one long name over a million rows would fill the memory."""

_SAMPLE = 200
_NOTE = 40


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows that belong together: a table with what is written above and below it, or only lines."""

    rows: list[Row]
    columns: list[int]


def add_tables(draft: Draft, rows: Sequence[Row], place: Callable[[int], str]) -> str:
    """Add a sheet to `draft`, each row of a table as a paragraph, and give its first title line ("" without one).

    `rows` are in order and hold at least one cell each; `place` says where the row of a number is. Raises
    UnreadableError when there is more than a document can hold.
    """
    if len(rows) > MAX_PARAGRAPHS:
        raise UnreadableError(f"has more than {MAX_PARAGRAPHS:,} rows: not a document")
    parts = [part for band in _bands(rows) for part in _side_by_side(band)]
    title = ""
    before: Table | None = None
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
        titled = not isinstance(text, Value) and len(text) <= 100 and not SENTENCE_END.search(text)
        if titled and (opens or isinstance(text, Bold)):
            self._heading(row, 2)
        else:
            self._add(row, _cell(text), table=isinstance(text, Value))

    def part(self, part: _Part, before: Table | None) -> Table | None:
        """Add the titles, rows and notes of a part; gives its table if it has names, for a part that goes on."""
        first, last = _titles(part), _notes(part)
        titles, rows, notes = part.rows[:first], part.rows[first:last], part.rows[last:]
        for row in titles:
            self.line(row, opens=True)
        table = continued(rows, before) if not titles else None
        depth = 0
        if table is None:
            table, depth = find_names(rows)
        body = rows[depth:]
        label = table is None and is_form(body)
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
    if len(text) <= LONGEST_NAME or ("\n" not in text and "\r" not in text):
        return " ".join(text.split())
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if not line.isspace() and line)


def _row_text(row: Row, table: Table | None, rows: int) -> str:
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

"""Filled cells as every reader of tables gives them: their text, and whether it is a value or set in bold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

MAX_CELLS = 5_000_000
"""A file with more filled cells than this is data for a database; it is not read."""


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


@cache
def column_letters(column: int) -> str:
    """What a spreadsheet calls the column (from 0): A to Z, then AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters

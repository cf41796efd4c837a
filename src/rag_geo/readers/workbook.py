"""What the readers of XLSX and ODS have in common: sheets as filled cells by row, and merged cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from rag_geo.readers.archives import harmless_xml
from rag_geo.readers.blocks import MAX_PARAGRAPHS, UnreadableError
from rag_geo.readers.cells import MAX_CELLS, Row
from rag_geo.readers.metadata import Metadata

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_COLUMNS = 16_384
"""Columns of a sheet in the programs that make them; what claims to be further right is not there."""


class Merge(NamedTuple):
    """Cells shown as one: numbers of the first and last row, and columns from 0, all included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(slots=True)
class Sheet:
    """A sheet that can be seen: its rows with at least one filled cell, in order."""

    name: str
    rows: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class Workbook:
    """The sheets that can be seen, what the file says about itself, what was left out by name, and what went wrong."""

    sheets: list[Sheet] = field(default_factory=list)
    properties: Metadata = field(default_factory=Metadata)
    removed: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)

    def describe(self, read: Callable[[], Metadata]) -> None:
        """Take the properties that `read` gives; a file without sound ones is read all the same."""
        try:
            self.properties = read()
        except UnreadableError as error:
            self.warnings.append(f"title and author are not known ({error})")


@dataclass(slots=True)
class RowCollector:
    """Takes the rows of one sheet as they are read and knows which have an empty row before them."""

    sheet: Sheet
    merges: list[Merge] = field(default_factory=list)
    last: int = 0
    left_out: int = 0
    cells: int = 0

    def add(self, number: int, cells: dict[int, str]) -> None:
        """Add a row, empty ones too if the file has them; raises UnreadableError for too many."""
        if not cells:
            return
        self.expect(1, len(cells))
        self.cells += len(cells)
        gap = number - self.last - self.left_out > 1
        self.sheet.rows.append(Row(number, cells, after_gap=gap and bool(self.sheet.rows)))
        self.last, self.left_out = number, 0

    def expect(self, rows: int, cells: int) -> None:
        """Raise UnreadableError if that many more rows and cells are too many."""
        if self.cells + cells > MAX_CELLS or len(self.sheet.rows) + rows > MAX_PARAGRAPHS:
            raise UnreadableError(
                f"sheet {self.sheet.name} has more than {MAX_PARAGRAPHS:,} rows or {MAX_CELLS:,} cells: not a document"
            )

    def leave_out(self, rows: int = 1) -> None:
        """Note rows that nobody sees: they are no gap between those around them."""
        self.left_out += rows

    def merge(self) -> None:
        """Give every row what a cell merged over several rows says, and the width of those merged over columns."""
        by_number = {row.number: row for row in self.sheet.rows}
        steps = 0
        for merge in self.merges:
            first = by_number.get(merge.top)
            text = first.cells.get(merge.left) if first else None
            if first is None or text is None:
                continue
            if merge.right > merge.left:
                first.widths = {**first.widths, merge.left: merge.right - merge.left + 1}
            for number in range(merge.top + 1, min(merge.bottom, self.last) + 1):
                steps += 1
                if steps > MAX_CELLS:
                    raise UnreadableError(f"sheet {self.sheet.name} has more than {MAX_CELLS:,} merged cells")
                below = by_number.get(number)
                if below is not None and merge.left not in below.cells:
                    below.cells[merge.left] = text


def elements(data: bytes, name: str, tags: Sequence[str], *, starts: Sequence[str] = ()) -> Iterator[_Element]:
    """The elements of an XML file with one of `tags`, each as it ends and then forgotten; of `starts` as they begin.

    `name` is what to call the file. Raises UnreadableError when it is not well-formed or not safe.
    """
    from lxml import etree

    source = BytesIO(harmless_xml(data, name))
    ends = frozenset(tag.removeprefix("{*}") for tag in tags)
    try:
        for event, element in etree.iterparse(
            source,
            events=("start", "end") if starts else ("end",),
            tag=(*tags, *starts),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=True,
            remove_comments=True,
            remove_pis=True,
        ):
            ended = str(element.tag).rpartition("}")[2] in ends
            if ended == (event == "end"):
                yield element
            if ended and event == "end":
                element.clear(keep_tail=False)
                parent = element.getparent()
                while parent is not None and element.getprevious() is not None:
                    del parent[0]
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableError(f"damaged: {name} in it is not well-formed") from error

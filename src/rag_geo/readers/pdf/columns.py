"""The reading order of a page: fragments become regions, from top to bottom, columns from left to right.

A page is cut from above into bands. A band with a gutter, a strip between fragments that stays free over several lines,
is either columns, which are read one after the other and cut again, or a table, which is read row by row. A heading
across both columns closes the gutter and begins a new band.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise, takewhile
from statistics import median
from typing import NamedTuple

from rag_geo.readers.pdf.pages import Fragment, Page

_GUTTER = 0.9
"""The least width of a gutter in font sizes."""

_NEXT_LINES = 3
_FEW = 40
_DEEPEST = 8
# pdfium leaves brackets, and stops after numbers, as they are seen in text from right to left.
_TURNED_OPENING = re.compile(r"(?<!\S)\)(?=[\w٪\"«])")
_TURNED_CLOSING = re.compile(r"(?<=[\w٪\"»])\((?=[\s.,،؛:]|$)")
_MOVED_STOP = re.compile(r"(?<!\d)([.،,؛])(\d+)(?!\S)")
_LABEL = re.compile(
    r"[•●▪‣◦○■□–—*·➢✓➤-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivxlc]{1,6})[.)]?|\[\d{1,3}\]|\d{1,2}(?:\.\d{1,2}){1,4}\.?"
)


class _Range(NamedTuple):
    """What is not free between `left` and `right`, by letters of `size` or more."""

    left: float
    right: float
    size: float


@dataclass(slots=True)
class Line:
    """Fragments that stand on one line, in the order in which they are read."""

    fragments: list[Fragment]
    left: float
    right: float
    baseline: float
    size: float
    text: str
    bold: bool
    mono: bool

    @property
    def top(self) -> float:
        """Where a capital letter begins, about."""
        return self.baseline - 0.75 * self.size

    @property
    def bottom(self) -> float:
        """Where a descender ends, about."""
        return self.baseline + 0.25 * self.size


@dataclass(slots=True)
class Region:
    """Lines that are read one after the other, or a table: its `rows` of cells, each with its lines."""

    lines: list[Line]
    rows: list[list[str]] = field(default_factory=list)
    left: float = 0
    right: float = 0


def regions(page: Page) -> list[Region]:
    """The regions of a page in reading order."""
    found: list[Region] = []
    stack: list[tuple[list[Fragment], int]] = [(page.fragments, 0)]
    while stack:
        fragments, depth = stack.pop()
        parts: list[tuple[list[Fragment], int]] = []
        bands = _with_tops(_bands(fragments)) if depth < _DEEPEST else [fragments]
        if len(bands) > 1:
            parts = [(band, depth + 1) for band in bands]
        else:
            region, columns = _read_band(fragments, page.rules, depth)
            if region and not (found and _continue(found[-1], region)):
                found.append(region)
            parts = [(column, depth + 1) for column in columns]
        stack.extend(reversed(parts))
    return found


def _continue(above: Region, region: Region) -> bool:
    """Add the lines of a region to the one above when they stand below its lines."""
    if above.rows or region.rows:
        return False
    last, first = above.lines[-1], region.lines[0]
    beside = -0.5 * first.size < first.left - last.right < 3 * first.size
    if beside and abs(first.baseline - last.baseline) < 0.3 * first.size:
        above.lines[-1:] = [_line(last.fragments + first.fragments)]
        above.lines += region.lines[1:]
    elif first.baseline < last.baseline + 0.3 * first.size or region.left > above.right or region.right < above.left:
        return False
    else:
        above.lines += region.lines
    above.left, above.right = min(above.left, region.left), max(above.right, region.right)
    return True


def lines_of(fragments: Sequence[Fragment]) -> list[Line]:
    """The lines of a region from top to bottom: fragments that overlap for more than half their height are one."""
    rows: list[list[Fragment]] = []
    anchors: list[Fragment] = []
    for fragment in sorted(fragments, key=lambda one: (one.baseline, one.left)):
        for at in range(len(rows) - 1, max(-1, len(rows) - 4), -1):
            anchor = anchors[at]
            shared = min(anchor.bottom, fragment.bottom) - max(anchor.top, fragment.top)
            if shared > 0.5 * min(anchor.size, fragment.size) and _beside(rows[at], fragment):
                rows[at].append(fragment)
                if fragment.size > 1.1 * anchor.size:
                    anchors[at] = fragment
                break
        else:
            rows.append([fragment])
            anchors.append(fragment)
    return [_line(row) for row in rows]


def _beside(row: Sequence[Fragment], fragment: Fragment) -> bool:
    """Whether the fragment stands beside those of the row, not on them; many on one line are not compared."""
    slack = 0.5 * fragment.size
    return all(one.right <= fragment.left + slack or fragment.right <= one.left + slack for one in row[-200:])


def _line(row: list[Fragment]) -> Line:
    weights: dict[float, int] = {}
    for one in row:
        weights[one.size] = weights.get(one.size, 0) + len(one.text)
    rtl = sum(len(one.text) for one in row if one.rtl) * 2 > sum(len(one.text) for one in row)
    backwards = rtl != row[0].mirrored
    row.sort(key=lambda one: one.left, reverse=backwards)
    size = max(weights, key=lambda key: (weights[key], key))
    base = next(one.baseline for one in row if one.size == size)
    pieces: list[str] = []
    before: Fragment | None = None
    for one in row:
        if before is not None:
            gap = before.left - one.right if backwards else one.left - before.right
            pieces.append(" " if gap > 0.12 * size else "")
        pieces.append(one.text)
        before = one
    text = "".join(pieces)
    if rtl:
        text = _TURNED_CLOSING.sub(")", _TURNED_OPENING.sub("(", _MOVED_STOP.sub(r"\2\1", text)))
    letters = sum(len(one.text) - one.text.count(" ") for one in row)
    return Line(
        fragments=row,
        left=min(one.left for one in row),
        right=max(one.right for one in row),
        baseline=base,
        size=size,
        text=text,
        bold=sum(one.bold for one in row) * 10 >= letters * 9,
        mono=sum(one.mono for one in row) * 10 >= letters * 9,
    )


def _bands(fragments: list[Fragment]) -> list[list[Fragment]]:
    """Cut from above: a band ends where a fragment closes its last gutter, and where lines begin to stand abreast."""
    order = sorted(fragments, key=lambda one: (one.top, one.left))
    abreast = _abreast(order)
    bands: list[list[Fragment]] = []
    cover: list[_Range] = []
    single = True
    lowest = 0.0
    for at, fragment in enumerate(order):
        wider = _covered(cover, fragment)
        beside = abreast[id(fragment)]
        if not bands:
            opens = True
        elif len(cover) > 1:
            opens = len(wider) == 1 or (
                not beside and _apart(bands[-1], fragment, lowest) and _is_left(wider, fragment, _reach(order, at))
            )
        else:
            opens = single and beside and fragment.top > lowest - 0.3 * fragment.size
        if opens:
            row = _take_row(bands[-1], fragment) if bands else []
            bands.append(row)
            wider = [_Range(fragment.left, fragment.right, fragment.size)]
            for one in row:
                wider = _covered(wider, one)
            single, lowest = not row, 0.0
        bands[-1].append(fragment)
        cover = wider
        single = single and not beside
        lowest = max(lowest, fragment.bottom)
    return bands


def _with_tops(bands: list[list[Fragment]]) -> list[list[Fragment]]:
    """Give lines that stand above columns to the right-hand one that goes on right below, at the same left edge."""
    kept: list[list[Fragment]] = []
    for band in reversed(bands):
        if kept and len(band) <= _FEW and _goes_on(band, kept[-1]):
            kept[-1] = band + kept[-1]
        else:
            kept.append(band)
    return kept[::-1]


def _goes_on(band: Sequence[Fragment], below: Sequence[Fragment]) -> bool:
    size = band[-1].size
    left, bottom = min(one.left for one in band), max(one.bottom for one in band)
    if not -size < min(one.top for one in below) - bottom < 0.6 * size:
        return False
    columns = _split(below)
    first = max(one.right for one in columns[0])
    edges = [min(one.left for one in column) for column in columns[1:]]
    return left > first and any(abs(left - edge) < 0.2 * size for edge in edges)


def _take_row(band: list[Fragment], fragment: Fragment) -> list[Fragment]:
    """Take from the end of a band what stands on the same line as the fragment that closes its gutter: a bullet."""
    at = len(band)
    while at > 1 and abs(band[at - 1].baseline - fragment.baseline) < 0.3 * fragment.size:
        at -= 1
    row = band[at:]
    del band[at:]
    return row


def _reach(order: Sequence[Fragment], at: int) -> float:
    """How far to the right the next few lines reach: below a short column, those beside it go on at their width."""
    lowest = order[at].bottom + _NEXT_LINES * order[at].size
    near = takewhile(lambda one: one.top < lowest, islice(order, at, at + 100))
    return max(one.right for one in near)


def _is_left(cover: Sequence[_Range], fragment: Fragment, reach: float) -> bool:
    """Whether what follows reaches beyond the column that the fragment stands in: that column is not just the last."""
    return any(one.left <= fragment.left <= one.right < reach - fragment.size for one in cover)


def _apart(band: Sequence[Fragment], fragment: Fragment, lowest: float) -> bool:
    """A line below columns that stands for itself: with room above, and a heading or far to the left of the rest."""
    room = fragment.top - lowest
    if room < 0.6 * fragment.size:
        return False
    usual = median(one.size for one in band[-40:])
    return fragment.size > 1.08 * usual or (fragment.bold > band[-1].bold == 0) or room > 1.6 * usual


def _covered(cover: Sequence[_Range], fragment: Fragment) -> list[_Range]:
    """The ranges that are not free once the fragment is added; narrow gaps count as covered.

    What is narrow goes by the smaller letters: a heading beside a column does not make its gutter narrower.
    """
    left, right, size = fragment.left, fragment.right, fragment.size
    apart: list[_Range] = []
    for one in cover:
        slack = _GUTTER * min(one.size, fragment.size)
        if one.right + slack < left or right + slack < one.left:
            apart.append(one)
        else:
            left, right, size = min(left, one.left), max(right, one.right), min(size, one.size)
    apart.append(_Range(left, right, size))
    return sorted(apart)


def _abreast(order: Sequence[Fragment]) -> dict[int, bool]:
    """For each fragment whether another one stands on its left or right with a gutter between."""
    found = {id(one): False for one in order}
    active: list[Fragment] = []
    for fragment in order:
        active = [one for one in active if one.bottom > fragment.top][-60:]
        for one in active:
            shared = min(one.bottom, fragment.bottom) - max(one.top, fragment.top)
            gap = max(fragment.left - one.right, one.left - fragment.right)
            size = min(one.size, fragment.size)
            if shared > 0.3 * size and gap > _GUTTER * size:
                found[id(one)] = found[id(fragment)] = True
        active.append(fragment)
    return found


def _read_band(
    fragments: list[Fragment], rules: Sequence[tuple[float, float, float]], depth: int
) -> tuple[Region | None, list[list[Fragment]]]:
    """A band as a region, or its columns, to be cut again."""
    columns = _split(fragments) if depth < _DEEPEST else [fragments]
    if len(columns) > 1:
        crossing = _crossing(rules, columns)
        if len(crossing) >= 3 and _is_ruled(columns, crossing):
            above, inside, below = _around(fragments, crossing)
            if not above and not below:
                return _ruled(fragments, columns, crossing), []
            return None, [part for part in (above, inside, below) if part]
        parts = _join_labels(columns) if not _is_typed(fragments) else [fragments]
        if len(parts) > 1 and _are_columns(parts):
            return None, parts
        if len(parts) > 1:
            table = _aligned(fragments, parts)
            if table:
                return table, []
    lines = lines_of(fragments)
    return Region(lines, [], min(one.left for one in lines), max(one.right for one in lines)) if lines else None, []


def _is_typed(fragments: Sequence[Fragment]) -> bool:
    letters = sum(len(one.text) - one.text.count(" ") for one in fragments)
    return sum(one.mono for one in fragments) * 10 >= letters * 9


def _split(fragments: Sequence[Fragment]) -> list[list[Fragment]]:
    cover: list[_Range] = []
    for fragment in fragments:
        cover = _covered(cover, fragment)
    columns: list[list[Fragment]] = [[] for _ in cover]
    for fragment in fragments:
        at = next(n for n, one in enumerate(cover) if one.left <= fragment.left <= one.right)
        columns[at].append(fragment)
    return columns


def _join_labels(columns: list[list[Fragment]]) -> list[list[Fragment]]:
    """Columns, where one that has only bullets, numbers or labels belongs to the text on its right."""
    joined: list[list[Fragment]] = []
    pending: list[Fragment] = []
    for at, column in enumerate(columns):
        if at + 1 < len(columns) and all(_LABEL.fullmatch(one.text.strip()) for one in column):
            pending += column
            continue
        joined.append(pending + column)
        pending = []
    return joined


def _are_columns(columns: Sequence[Sequence[Fragment]]) -> bool:
    """Whether they hold running text: several lines each, of several words that mostly fill the width."""
    for column in columns:
        lines = lines_of(column)
        words = sorted(len(line.text.split()) for line in lines)
        if len(lines) < 3 or (words[len(words) // 2] < 3 and sum(words) < 4 * len(lines)):
            return False
        width = max(line.right for line in lines) - min(line.left for line in lines)
        full = sum(line.right - line.left > 0.7 * width for line in lines)
        if full * 5 < len(lines) * 2 and len(columns) > 2:
            return False
    return True


def _crossing(rules: Sequence[tuple[float, float, float]], columns: Sequence[Sequence[Fragment]]) -> list[float]:
    """The heights of the rules that run across the first gutter, or end in it from both sides, around the columns."""
    top = min(one.top for column in columns for one in column)
    bottom = max(one.bottom for column in columns for one in column)
    edges = [(min(one.left for one in column), max(one.right for one in column)) for column in columns]
    heights: list[float] = []
    near = [rule for rule in rules if top - 12 < rule[2] < bottom + 12]
    for _, _, height in sorted(near, key=lambda rule: rule[2]):
        if heights and height - heights[-1] < 3:
            continue
        level = [(left, right) for left, right, y in near if abs(y - height) < 3]
        if sum(any(left < b and right > a for left, right in level) for a, b in edges) >= 2:
            heights.append(height)
    return heights


def _is_ruled(columns: Sequence[Sequence[Fragment]], heights: Sequence[float]) -> bool:
    """Whether the rules are those of a table: with few lines between one and the next."""
    lines = [one.baseline for one in columns[0] if heights[0] < one.baseline < heights[-1]]
    lines += [one.baseline for one in columns[-1] if heights[0] < one.baseline < heights[-1]]
    return len(lines) <= 12 * len(heights) if not _are_columns(columns) else len(lines) <= 5 * len(heights)


def _around(
    fragments: Sequence[Fragment], heights: Sequence[float]
) -> tuple[list[Fragment], list[Fragment], list[Fragment]]:
    parts: tuple[list[Fragment], list[Fragment], list[Fragment]] = ([], [], [])
    for one in fragments:
        middle = one.baseline - 0.25 * one.size
        parts[(middle > heights[0]) + (middle > heights[-1])].append(one)
    return parts


def _ruled(fragments: Sequence[Fragment], columns: Sequence[Sequence[Fragment]], heights: Sequence[float]) -> Region:
    """A table with rules between its rows."""
    place = {id(one): at for at, column in enumerate(columns) for one in column}
    rows: list[list[list[Fragment]]] = [[[] for _ in columns] for _ in range(len(heights) + 1)]
    for fragment in fragments:
        middle = fragment.baseline - 0.25 * fragment.size
        row = sum(height < middle for height in heights)
        rows[row][place[id(fragment)]].append(fragment)
    parted: list[list[str]] = []
    for cells in rows:
        inner = [len(lines_of(cell)) for cell in cells if cell]
        if len(inner) > 1 and min(inner) > 2:
            # Rules only below the head and at the end: the lines are the rows.
            parted += _rows([one for cell in cells for one in cell], columns)
        else:
            parted.append([_cell(cell) for cell in cells])
    return _table(fragments, parted)


def _aligned(fragments: Sequence[Fragment], columns: Sequence[Sequence[Fragment]]) -> Region | None:
    """A table without rules: a row begins where the first column, or most columns, have a line; or None."""
    lines = [line for line in lines_of(fragments) if len(line.fragments) > 1]
    if len(lines) < 2 or (len(lines) == 2 and min(_gap(line) for line in lines) < 2):
        return None
    return _table(fragments, _rows(fragments, columns))


def _rows(fragments: Sequence[Fragment], columns: Sequence[Sequence[Fragment]]) -> list[list[str]]:
    """The rows of a table without rules: parted by room, or else where the first or most columns have a line."""
    place = {id(one): at for at, column in enumerate(columns) for one in column}
    lines = lines_of(fragments)
    steps = [below.baseline - above.baseline for above, below in pairwise(lines)]
    wide = 1.2 * min(steps, default=0)
    parted = sum(step > wide for step in steps) >= max(2, len(lines) / 12) and any(step <= wide for step in steps)
    rows: list[list[list[Fragment]]] = []
    for line, step in zip(lines, [0.0, *steps], strict=True):
        cells = {place[id(one)] for one in line.fragments}
        begins = step > wide or len(cells) == len(columns) if parted else 0 in cells or len(cells) * 2 > len(columns)
        if begins or not rows:
            rows.append([[] for _ in columns])
        for one in line.fragments:
            rows[-1][place[id(one)]].append(one)
    return [[_cell(cell) for cell in row] for row in rows]


def _gap(line: Line) -> float:
    """The widest gap of a line in font sizes."""
    gaps = [after.left - before.right for before, after in pairwise(line.fragments)]
    return max(gaps, default=0.0) / line.size


def _cell(fragments: Sequence[Fragment]) -> str:
    return "\n".join(line.text for line in lines_of(fragments))


def _table(fragments: Sequence[Fragment], rows: list[list[str]]) -> Region:
    lines = lines_of(fragments)
    return Region(
        lines,
        [row for row in rows if any(row)],
        min(one.left for one in lines),
        max(one.right for one in lines),
    )

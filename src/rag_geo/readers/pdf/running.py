"""Running headers, footers and page numbers: lines at the edge of a page that come back on others, digits aside."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from rag_geo.readers.pdf.columns import Line, lines_of
from rag_geo.readers.pdf.pages import Page

_EDGE_LINES = 3
_ZONE = 0.2
"""The part of the page height, above and below, in which running lines stand."""

_SAME_HEIGHT = 3.0
_MANY_HEADINGS = 2_000
_DIGITS = re.compile(r"\d+")
_ROMAN = re.compile(r"m{0,3}(?:cm|cd|d?c{0,3})(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})", re.IGNORECASE)
_PAGE_NUMBER = re.compile(
    r"[-–—|\[(·.\s]*(?:(?:page|p|seite|s|página|pág|pagina|стр|страница|pg)(?![^\W\d_])\.?\s*)?(\d{1,4}|[ivxlcIVXLC]{1,7})"
    r"(?:\s*(?:of|/|von|de|из|\|)\s*\d{1,4})?[-–—|\])·.\s]*",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Running:
    """The running lines of a page and the rule that marks each: those above the text and those below it."""

    above: list[tuple[Line, str]] = field(default_factory=list)
    below: list[tuple[Line, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Edge:
    """A line near the upper (`side` 0) or lower edge: `depth` counts lines from the edge, `gap` is towards the text."""

    page: int
    side: int
    depth: int
    line: Line
    folded: str
    gap: float
    large: bool = False
    marked: bool = False


def take_running_lines(pages: Sequence[Page]) -> list[Running]:
    """Take the running lines out of the fragments of each page."""
    edges = [_edges(at, page) for at, page in enumerate(pages)]
    every = [edge for found in edges for edge in found]
    _mark_repeated(every)
    _mark_numbered(every, len(pages))
    _mark_levels(every)
    _mark_titles(edges, pages)
    return [_take(page, found) for page, found in zip(pages, edges, strict=True)]


def page_number(text: str) -> int | None:
    """The number when `text` is nothing but a page number, in digits or Roman ("- 12 -", "Page 3 of 9", "iv")."""
    found = _PAGE_NUMBER.fullmatch(text)
    if not found:
        return None
    if found[1].isdecimal():
        return int(found[1])
    return _roman(found[1].lower()) if _ROMAN.fullmatch(found[1]) else None


def _roman(text: str) -> int:
    values = [{"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}[letter] for letter in text]
    return sum(-one if one < max(values[at:]) else one for at, one in enumerate(values))


def _edges(at: int, page: Page) -> list[_Edge]:
    if not page.fragments:
        return []
    high, low = page.height * _ZONE, page.height * (1 - _ZONE)
    outer = [one for one in page.fragments if one.baseline < high or one.baseline > low]
    lines = lines_of(outer)
    above = [line for line in lines if line.baseline < high]
    below = [line for line in reversed(lines) if line.baseline > low]
    inside = [one.baseline for one in page.fragments if high <= one.baseline <= low]
    usual = median(one.size for one in page.fragments)
    found: list[_Edge] = []
    for side, near in enumerate((above, below)):
        for depth, line in enumerate(near[:_EDGE_LINES]):
            rest = [one.baseline for one in near[depth + 1 : depth + 2]] or inside
            gap = min((abs(baseline - line.baseline) for baseline in rest), default=page.height)
            folded = _DIGITS.sub("0", line.text.casefold()).strip()
            found.append(_Edge(at, side, depth, line, folded, gap, line.size > 1.15 * usual))
    return found


def _mark_repeated(edges: Sequence[_Edge]) -> None:
    """Words that stand at the same height on two pages near each other, or on three."""
    groups: dict[tuple[int, str], list[_Edge]] = defaultdict(list)
    for edge in edges:
        if sum(letter.isalpha() for letter in edge.folded) >= 3:
            groups[edge.side, edge.folded].append(edge)
    for group in groups.values():
        group.sort(key=lambda edge: (edge.line.baseline, edge.page))
        start = 0
        for at in range(1, len(group) + 1):
            if at < len(group) and group[at].line.baseline - group[at - 1].line.baseline <= _SAME_HEIGHT:
                continue
            level = group[start:at]
            numbers = sorted({edge.page for edge in level})
            close = len(numbers) >= 2 and min(b - a for a, b in pairwise(numbers)) <= 2
            if len(numbers) >= 3 or close:
                for edge in level:
                    edge.marked = edge.marked or len(numbers) >= 4 or edge.gap > 1.35 * edge.line.size
            start = at


def _mark_numbered(edges: Sequence[_Edge], pages: int) -> None:
    """Lines that are a page number, or begin or end with one that counts with the pages."""
    offsets: Counter[tuple[int, int]] = Counter()
    alone: Counter[tuple[int, int]] = Counter()
    numbers: list[tuple[_Edge, int | None, list[int]]] = []
    for edge in edges:
        only = page_number(edge.line.text)
        words = edge.line.text.split()
        ends = {int(word) for word in (words[0], words[-1]) if word.isdecimal() and len(word) < 5} if words else set()
        numbers.append((edge, only, sorted(ends)))
        if only is not None:
            alone[edge.side, only - edge.page] += 1
        for number in ends:
            offsets[edge.side, number - edge.page] += 1
    for edge, only, outer in numbers:
        if only is not None:
            counted = alone[edge.side, only - edge.page] >= 2
            lone = edge.depth == 0 and edge.gap > 1.3 * edge.line.size and _at_the_edge(edge)
            edge.marked = edge.marked or counted or (lone and pages < 3)
        elif any(offsets[edge.side, number - edge.page] >= max(3, pages // 4) for number in outer):
            edge.marked = edge.marked or (edge.gap > 1.35 * edge.line.size and not edge.large)


def _at_the_edge(edge: _Edge) -> bool:
    return edge.side == 1 or edge.line.baseline < 80


def _mark_levels(edges: Sequence[_Edge]) -> None:
    """A level at which most pages have a running line holds one on the other pages too (titles of chapters)."""
    levels: dict[tuple[int, int], list[_Edge]] = defaultdict(list)
    for edge in edges:
        if edge.depth == 0:
            levels[edge.side, round(edge.line.baseline / _SAME_HEIGHT)].append(edge)
    for level in levels.values():
        marked = [edge for edge in level if edge.marked]
        if len(marked) >= 3 and len(marked) * 2 > len(level):
            sizes = {round(edge.line.size) for edge in marked}
            for edge in level:
                fits = edge.gap > 1.35 * edge.line.size and round(edge.line.size) in sizes and not edge.large
                edge.marked = edge.marked or fits


def _mark_titles(edges: Sequence[Sequence[_Edge]], pages: Sequence[Page]) -> None:
    """Small lines above the text that repeat a heading of the document: the title of the chapter."""
    sizes = [one.size for page in pages for one in page.fragments]
    usual = median(sizes) if sizes else 0.0
    large = [one for page in pages for one in page.fragments if one.size > (0.97 if one.bold else 1.08) * usual]
    headings = _letters("".join(one.text for one in large[:_MANY_HEADINGS]))
    for found in edges:
        above = [edge for edge in found if edge.side == 0]
        for last in range(len(above), 0, -1):
            lines = above[:last]
            text = _letters("".join(edge.folded for edge in lines))
            small = all(edge.line.size < 0.95 * usual for edge in lines)
            if small and len(text) >= 4 and text in headings and lines[-1].gap > 1.35 * lines[-1].line.size:
                for edge in lines:
                    edge.marked = True
                break


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalpha())


def _take(page: Page, edges: Sequence[_Edge]) -> Running:
    running = Running()
    taken: set[int] = set()
    for side, lines in ((0, running.above), (1, running.below)):
        marked = [edge for edge in edges if edge.side == side and edge.marked]
        for edge in marked:
            if id(edge.line.fragments[0]) in taken:
                continue
            name = "page number" if page_number(edge.line.text) is not None else ("header", "footer")[side]
            lines.append((edge.line, f"pdf:{name}"))
            taken.update(id(one) for one in edge.line.fragments)
    running.below.reverse()
    if taken:
        page.fragments = [one for one in page.fragments if id(one) not in taken]
    return running

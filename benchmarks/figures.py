"""What a benchmark says: medians with their spread, ratios against a reference, bars, and the table of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Spread:
    """A number measured `n` times: the middle of the measurements, and those below and above which 5 % lie."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Bar:
    """What is to be reached: the `value` of a row or its `ratio` at most, or at least, `limit`."""

    of: Literal["value", "ratio"]
    sign: Literal["<=", ">="]
    limit: float

    def holds(self, figure: float) -> bool:
        """Whether `figure` reaches the bar; what is not a number does not."""
        return figure <= self.limit if self.sign == "<=" else figure >= self.limit


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table, in `unit`: what was measured, and the reference that it is held against.

    `ratio` is ours over the reference: the median over the pairs that were measured one after the other.
    """

    group: str
    what: str
    unit: str
    ours: Spread
    reference: str
    theirs: Spread
    ratio: Spread
    bars: tuple[Bar, ...] = ()
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether every bar is reached; None when there is none."""
        figures = {"value": self.ours.value, "ratio": self.ratio.value}
        return all(bar.holds(figures[bar.of]) for bar in self.bars) if self.bars else None


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure without a reference: what was measured, in `unit`, `n` times, and what is to be reached."""

    what: str
    value: float
    unit: str = ""
    n: int = 1
    bar: Bar | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bar is reached; None when there is none."""
        return self.bar.holds(self.value) if self.bar else None


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie, linear between neighbours (Hyndman and Fan, type 7)."""
    if not values or not 0 <= share <= 1:
        raise ValueError(f"no quantile {share!r} of {len(values)} values")
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    # Not the weighted sum of both: that of two equal numbers may be another one.
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def spread(values: Sequence[float], middle: float = 0.5) -> Spread:
    """The median (or another quantile, `middle`) with its spread. Raises ValueError when there are none."""
    return Spread(quantile(values, middle), quantile(values, 0.05), quantile(values, 0.95), len(values))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Ours over the reference, pair by pair. Raises ValueError for unequal lengths and for a reference of nothing."""
    if any(not reference > 0 for reference in theirs):
        raise ValueError("a reference must be more than nothing")
    return [own / reference for own, reference in zip(ours, theirs, strict=True)]


def row(
    group: str,
    what: str,
    unit: str,
    ours: Sequence[float],
    reference: str,
    theirs: Sequence[float],
    *,
    bars: Iterable[Bar] = (),
    note: str = "",
    middle: float = 0.5,
) -> Row:
    """The line for measurements taken in pairs; with `middle`, another quantile of both than the median.

    The ratio of another quantile is that of the two quantiles: pairs have no meaning there.
    """
    own, other = spread(ours, middle), spread(theirs, middle)
    paired = spread(ratios(ours, theirs) if middle == 0.5 else ratios([own.value], [other.value]))
    return Row(group, what, unit, own, reference, other, paired, tuple(bars), note)


def interleaved(
    pairs: int, ours: Callable[[int], float], theirs: Callable[[int], float]
) -> tuple[list[float], list[float]]:
    """Call both by turns, `pairs` times, with the number of the pair, so that a noisy machine hits both alike."""
    own, other = [], []
    for number in range(pairs):
        own.append(ours(number))
        other.append(theirs(number))
    return own, other


def spaced(items: Sequence[Item], count: int) -> list[Item]:
    """`count` items (all, if there are fewer) at equal distances: a sample that is the same every time."""
    count = min(count, len(items))
    return [items[(2 * i + 1) * len(items) // (2 * count)] for i in range(count)]


def prompt_tokens(read: int, written: int, *, written_is_read: bool) -> int:
    """Tokens of prompts alone, when each written token may have been counted as read as well (it is, to go on)."""
    return read - written if written_is_read else read


def markdown(rows: Iterable[Row]) -> str:
    """The table."""
    return _table(("what", "ours", "reference", "its figure", "n", "ratio", "bar", "met"), map(_cells, rows))


def measures_markdown(measures: Iterable[Measure]) -> str:
    """The table of figures that have no reference."""
    return _table(("what", "figure", "n", "bar", "met"), map(_measure_cells, measures))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    rule = ["-" * width for width in widths]
    return "".join(f"| {' | '.join(line)} |\n" for line in (padded[0], rule, *padded[1:]))


def as_object(each: Row) -> dict[str, Any]:
    """A row for JSON: with all digits, times in its unit."""
    return {
        "group": each.group,
        "what": each.what,
        "unit": each.unit,
        "ours": _spread_object(each.ours),
        "reference": each.reference,
        "theirs": _spread_object(each.theirs),
        "ratio": _spread_object(each.ratio),
        "bars": [{"of": bar.of, "sign": bar.sign, "limit": bar.limit} for bar in each.bars],
        "met": each.met,
        "note": each.note,
    }


def _cells(each: Row) -> tuple[str, ...]:
    return (
        f"{each.group}: {each.what}",
        f"{figure(each.ours.value)} {each.unit}{_range(each.ours)}",
        each.reference,
        f"{figure(each.theirs.value)} {each.unit}{_range(each.theirs)}",
        str(each.ours.n),
        f"{each.ratio.value:.2f}{_range(each.ratio, '.2f')}",
        ", ".join(f"{bar.sign} {bar.limit:g}{_of(bar, each.unit)}" for bar in each.bars),
        {True: "yes", False: "NO", None: ""}[each.met],
    )


def _measure_cells(each: Measure) -> tuple[str, ...]:
    number = str(int(each.value)) if float(each.value).is_integer() else figure(each.value)
    bar = f"{each.bar.sign} {each.bar.limit:g} {each.unit}".rstrip() if each.bar else ""
    met = {True: "yes", False: "NO", None: ""}[each.met]
    return each.what, f"{number} {each.unit}".rstrip(), str(each.n), bar, met


def measure_object(each: Measure) -> dict[str, Any]:
    """A measure for JSON; a figure that is none is null."""
    value = each.value if math.isfinite(each.value) else None
    limit = each.bar.limit if each.bar else None
    return {
        "what": each.what,
        "value": value,
        "unit": each.unit,
        "n": each.n,
        "bar": limit,
        "met": each.met,
        "note": each.note,
    }


def _of(bar: Bar, unit: str) -> str:
    return " x" if bar.of == "ratio" else f" {unit}"


def _range(found: Spread, digits: str = "") -> str:
    if found.n == 1:
        return ""
    low, high = (format(end, digits) if digits else figure(end) for end in (found.low, found.high))
    return f" ({low}-{high})"


def figure(number: float) -> str:
    """Three significant digits, and no exponent: 0.00123, 12.3, 1234."""
    if not number or not math.isfinite(number):
        return "0" if not number else str(number)
    return f"{number:.{max(0, 2 - math.floor(math.log10(abs(number))))}f}"


def _spread_object(found: Spread) -> Mapping[str, float]:
    return {"value": found.value, "p5": found.low, "p95": found.high, "n": found.n}

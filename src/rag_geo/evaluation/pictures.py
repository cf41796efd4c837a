"""The pictures of a report, drawn as SVG: plain elements with classes, whose colours the page's style sheet gives.

All text goes through an XML writer, so nothing that is drawn can become markup.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from rag_geo.evaluation.chance import Interval
from rag_geo.evaluation.metrics import Reliability, RiskCoverage

_WIDTH, _HEIGHT = 520, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 16, 30, 44
#: The start of a risk-coverage curve is the luck of a few answers: the axis is not stretched for it.
_STEADY = 0.1

Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Frame:
    """The area of a picture that data is drawn in: values to pixels by `x` and `y`."""

    root: ElementTree.Element
    x: Scale
    y: Scale
    left: float
    right: float
    top: float
    bottom: float


def risk_coverage_picture(curve: RiskCoverage, shipped: tuple[float, float] | None = None) -> str:
    """Draw the share of wrong answers against the share of questions answered; `shipped` is where the program stands.

    The curve ends where there is no sentence left to show.
    """
    points = [point for point in curve.points if point.threshold > 0]
    steady = [point.risk for point in points if point.coverage >= _STEADY] or [point.risk for point in points]
    highest = min(1.0, max([0.08, *steady, shipped[1] if shipped else 0.0]) * 1.1)
    frame = _frame("Risk-coverage curve", (0, 1), (0, highest), "questions answered", "wrong of the answered", _percent)
    for risk, coverage in curve.coverage_at.items():
        if risk <= highest:
            _add(frame.root, "line", "limit", x1=frame.left, x2=frame.x(coverage), y1=frame.y(risk), y2=frame.y(risk))
            if coverage:
                _add(frame.root, "circle", "limit-dot", cx=frame.x(coverage), cy=frame.y(risk), r=3)
    corners = [(point.coverage, min(point.risk, highest)) for point in points]
    if corners:
        first, last = frame.x(corners[0][0]), frame.x(corners[-1][0])
        outline = _path((frame.x(x), frame.y(y)) for x, y in corners)
        _add(
            frame.root, "path", "area", d=f"{outline} L{last:.1f} {frame.bottom:.1f} L{first:.1f} {frame.bottom:.1f} Z"
        )
        _add(frame.root, "path", "curve", d=outline)
    if shipped:
        dot = _add(frame.root, "circle", "shipped", cx=frame.x(shipped[0]), cy=frame.y(min(shipped[1], highest)), r=6)
        _title(dot, f"as it ships: {_percent(shipped[0])} answered, {_percent(shipped[1])} of them wrong")
        side = "end" if shipped[0] > 0.5 else "start"
        at = frame.x(shipped[0]) + (-11 if side == "end" else 11)
        _text(frame.root, "as it ships", at, frame.y(min(shipped[1], highest)) - 9, "label strong", side)
    return _written(frame.root)


def reliability_picture(found: Reliability) -> str:
    """Draw the share of right answers against the probability given, with 95 % intervals, and how many there are."""
    frame = _frame("Reliability diagram", (0, 1), (0, 1), "probability given", "share right", _percent)
    ends = {"x1": frame.x(0), "y1": frame.y(0), "x2": frame.x(1), "y2": frame.y(1)}
    _add(frame.root, "line", "diagonal", **ends)
    most = max(each.n for each in found.bins)
    for each in found.bins:
        # The share of answers in the bin, as a bar along the foot of the picture: the highest takes a fifth of it.
        height = 0.2 * each.n / most * (frame.bottom - frame.top)
        place = frame.x(min(int(each.confidence * 10), 9) / 10)
        width = frame.x(0.1) - frame.x(0) - 2
        bar = _add(frame.root, "path", "bar faint", d=_bar(place + 1, frame.bottom - height, width, height))
        _title(bar, f"{each.n} answers")
    for each in found.bins:
        at = frame.x(each.confidence)
        ends = {"y1": frame.y(each.interval.low), "y2": frame.y(each.interval.high)}
        _add(frame.root, "line", "whisker", x1=at, x2=at, **ends)
        dot = _add(frame.root, "circle", "dot", cx=at, cy=frame.y(each.right), r=4 + 3 * math.sqrt(each.n / most))
        _title(dot, f"{each.n} answers: {_percent(each.confidence)} given, {_percent(each.right)} right")
    return _written(frame.root)


def distribution_picture(values: Sequence[float], name: str, write: Callable[[float], str]) -> str:
    """Draw how often each value comes, with the middle value and the one that nine of ten stay below.

    Values beyond the 99th of a hundred are counted in the last bar.
    """
    ordered = sorted(values)
    middle, tenth, far = (quantile(ordered, share) for share in (0.5, 0.9, 0.99))
    whole = all(value == int(value) for value in ordered)
    step = _nice_step(max(far, 1e-3) / 18, whole=whole)
    count = max(1, math.floor(far / step) + 1)
    bars = [0] * count
    for value in ordered:
        bars[min(int(value / step), count - 1)] += 1
    frame = _frame(name, (0, count * step), (0, max(bars) * 1.28), name, "questions", write, whole=True)
    for number, height in enumerate(bars):
        if height:
            left, right = frame.x(number * step) + 1, frame.x((number + 1) * step) - 1
            top = frame.y(height)
            bar = _add(frame.root, "path", "bar", d=_bar(left, top, right - left, frame.bottom - top))
            more = " or more" if number == count - 1 and ordered[-1] > count * step else ""
            _title(bar, f"{height} from {write(number * step)}{more or f' to {write((number + 1) * step)}'}")
    for value, words, row in ((middle, "half below", 0), (tenth, "nine of ten below", 1)):
        at = frame.x(min(value, count * step))
        _add(frame.root, "line", "quantile", x1=at, x2=at, y1=frame.top, y2=frame.bottom)
        side, shift = ("end", -5) if at > (frame.left + frame.right) / 2 else ("start", 5)
        _text(frame.root, f"{words} {write(value)}", at + shift, frame.top + 8 + 16 * row, "label strong", side)
    return _written(frame.root)


def interval_picture(value: float, interval: Interval, level: str) -> str:
    """Draw a share with its interval on a line from 0 to 1, small enough for a cell of a table."""
    width, height, edge = 150, 18, 5
    root = _root(width, height, f"{_percent(value)}, 95 % from {_percent(interval.low)} to {_percent(interval.high)}")

    def x(share: float) -> float:
        return edge + min(max(share, 0.0), 1.0) * (width - 2 * edge)

    _add(root, "line", "track", x1=x(0), x2=x(1), y1=height / 2, y2=height / 2)
    _add(root, "line", f"span {level}", x1=x(interval.low), x2=x(interval.high), y1=height / 2, y2=height / 2)
    _add(root, "circle", f"point {level}", cx=x(value), cy=height / 2, r=4.5)
    return _written(root)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Give the value that this share of the ordered values does not exceed, between two of them by proportion."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


# --- parts ------------------------------------------------------------------------------------------------------


def _frame(
    name: str,
    across: tuple[float, float],
    up: tuple[float, float],
    x_title: str,
    y_title: str,
    write: Callable[[float], str],
    *,
    whole: bool = False,
) -> Frame:
    root = _root(_WIDTH, _HEIGHT, name)
    left, right, top, bottom = _LEFT, _WIDTH - _RIGHT, _TOP, _HEIGHT - _BOTTOM

    def x(value: float) -> float:
        return left + (value - across[0]) / (across[1] - across[0]) * (right - left)

    def y(value: float) -> float:
        return bottom - (value - up[0]) / (up[1] - up[0]) * (bottom - top)

    for value in _ticks(*up, whole=whole):
        _add(root, "line", "grid", x1=left, x2=right, y1=y(value), y2=y(value))
        _text(root, f"{value:g}" if whole else write(value), left - 8, y(value) + 4, "label", "end")
    for value in _ticks(*across):
        _text(root, write(value), x(value), bottom + 18, "label", "middle")
    _add(root, "line", "axis", x1=left, x2=right, y1=bottom, y2=bottom)
    _text(root, x_title, (left + right) / 2, _HEIGHT - 6, "label axis-title", "middle")
    _text(root, y_title, left - 44, 12, "label axis-title", "start")
    return Frame(root, x, y, left, right, top, bottom)


def _ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    step = _nice_step((high - low) / 5, whole=whole)
    return [round(number * step, 10) for number in range(math.ceil(low / step), math.floor(high / step + 1e-9) + 1)]


def _nice_step(rough: float, *, whole: bool = False) -> float:
    power = 10 ** math.floor(math.log10(rough))
    factors = (1, 2, 5, 10) if whole else (1, 2, 2.5, 5, 10)
    step = next(factor * power for factor in factors if factor * power >= rough * (1 - 1e-9))
    return max(1.0, step) if whole else float(step)


def _bar(left: float, top: float, width: float, height: float) -> str:
    """A bar that stands on its foot, its upper corners rounded."""
    round_by = min(3.0, width / 2, height)
    return (
        f"M{left:.1f} {top + height:.1f} v{-(height - round_by):.1f} q0 {-round_by:.1f} {round_by:.1f} {-round_by:.1f} "
        f"h{width - 2 * round_by:.1f} q{round_by:.1f} 0 {round_by:.1f} {round_by:.1f} v{height - round_by:.1f} Z"
    )


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _root(width: float, height: float, name: str) -> ElementTree.Element:
    attributes = {"viewBox": f"0 0 {width:g} {height:g}", "width": f"{width:g}", "height": f"{height:g}"}
    return ElementTree.Element("svg", attributes | {"role": "img", "aria-label": name})


def _add(parent: ElementTree.Element, tag: str, name: str, **attributes: float | str) -> ElementTree.Element:
    written = {key: value if isinstance(value, str) else f"{value:.1f}" for key, value in attributes.items()}
    return ElementTree.SubElement(parent, tag, {"class": name, **written})


def _text(parent: ElementTree.Element, text: str, x: float, y: float, name: str, anchor: str) -> None:
    element = _add(parent, "text", name, x=x, y=y)
    element.set("text-anchor", anchor)
    element.text = text


def _title(parent: ElementTree.Element, text: str) -> None:
    ElementTree.SubElement(parent, "title").text = text


def _written(root: ElementTree.Element) -> str:
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)

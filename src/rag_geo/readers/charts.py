"""Charts and diagrams in office files: a chart as the table that it draws, a diagram as the list of its nodes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rag_geo.readers.flow import Grid, Line, Story
from rag_geo.readers.ooxml import CHART, DIAGRAM, A, outermost

if TYPE_CHECKING:
    from lxml.etree import _Element

_TEXT = f"{A}t"
_MOST_POINTS = 1_000
_MOST_SERIES = 100


def chart_story(root: _Element | None) -> Story:
    """The title of a chart and a table with a row for each category and a column for each series.

    A chart of more than 1,000 points has only its title and the names of its series: it is measurements, not text.
    """
    if root is None:
        return []
    story: Story = [
        Line(title) for title in (_written(element) for element in outermost(root, f"{CHART}title")) if title
    ]
    series = [element for _, element in zip(range(_MOST_SERIES), outermost(root, f"{CHART}ser"), strict=False)]
    names = [_name(element.find(f"{CHART}tx")) for element in series]
    columns = [_points(_either(element, "val", "yVal")) for element in series]
    categories = next((found for one in series if (found := _points(_either(one, "cat", "xVal")))), {})
    places = sorted({place for column in (categories, *columns) for place in column})
    if len(places) * max(1, len(series)) > _MOST_POINTS:
        places = []
    rows = [["", *names]]
    rows.extend([categories.get(place, ""), *(column.get(place, "") for column in columns)] for place in places)
    story.append(Grid([[[Line(text)] for text in row] for row in rows]))
    return story


def diagram_story(root: _Element | None) -> Story:
    """The texts of the nodes of a diagram (SmartArt), in their order, as a list."""
    points = () if root is None else outermost(root, f"{DIAGRAM}pt")
    nodes = (point for point in points if point.get("type", "node") in ("node", "asst"))
    paragraphs = (_written(paragraph) for node in nodes for paragraph in outermost(node, f"{A}p"))
    return [Line(text, "list") for text in paragraphs if text]


def _either(series: _Element, first: str, second: str) -> _Element | None:
    found = series.find(f"{CHART}{first}")
    return series.find(f"{CHART}{second}") if found is None else found


def _written(element: _Element) -> str:
    return " ".join("".join(text.text or "" for text in element.iter(_TEXT)).split())


def _name(element: _Element | None) -> str:
    if element is None:
        return ""
    return " ".join(value.text or "" for value in element.iter(f"{CHART}v")).strip() or _written(element)


def _points(element: _Element | None) -> dict[int, str]:
    """The values by their place; of categories with several levels the innermost, which comes first."""
    found: dict[int, str] = {}
    for point in () if element is None else element.iter(f"{CHART}pt"):
        place = point.get("idx", "")
        if place.isascii() and place.isdigit() and len(place) < 8:
            found.setdefault(int(place), _number(point.findtext(f"{CHART}v", "")))
    return found


def _number(text: str) -> str:
    """A number without the digits that only the machine has: "19.199999999999999" is 19.2."""
    try:
        value = float(text)
    except ValueError:
        return text
    return f"{value:.12g}" if math.isfinite(value) and "." in text else text

"""Read a presentation: slide by slide, its title as a heading, its boxes in order, then the speaker's notes.

A box of text is one paragraph, its lines the items of a list. Hidden slides and shapes are left out and counted; what
stands at the foot of every slide comes last, once, as debris.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag_geo.readers.blocks import UnreadableError
from rag_geo.readers.charts import chart_story, diagram_story
from rag_geo.readers.flow import Grid, Line, Story, placed, pour
from rag_geo.readers.layout import Draft, Layout
from rag_geo.readers.metadata import Metadata
from rag_geo.readers.odf import DRAW, OFFICE, PRESENTATION, Styles, Walker, open_odf, properties
from rag_geo.readers.ooxml import (
    CHART,
    DIAGRAM,
    MC,
    A,
    Package,
    R,
    chosen,
    core_properties,
    on,
    open_package,
    outermost,
)
from rag_geo.settings import ReadingSettings

if TYPE_CHECKING:
    from lxml.etree import _Element

_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_TITLES = ("title", "ctrTitle")
_FEET = {"ftr": "footer", "dt": "date", "hdr": "header"}
_PLACES = (f"{_P}spPr/{A}xfrm", f"{_P}grpSpPr/{A}xfrm", f"{_P}xfrm")
_SMALLEST = 200
"""Hundredths of a point: smaller letters are read by nobody."""

_BULLETS = (f"{A}buChar", f"{A}buAutoNum", f"{A}buBlip")


def read(data: bytes, name: str, settings: ReadingSettings) -> Layout:
    """The layout of a presentation of PowerPoint or OpenDocument; raises UnreadableError for one that is damaged."""
    deck = _Deck()
    stated = _read_odp(data, deck) if _is_odf(data) else _read_pptx(data, deck)
    for rule, text in deck.feet:
        deck.draft.add(text, rule=rule)
    return deck.draft.layout(stated, deck.removed, textless=tuple(deck.textless))


@dataclass(slots=True)
class _Deck:
    """The presentation while it is read; `feet` are the texts at the foot of slides, with their rule, in order."""

    draft: Draft = field(default_factory=Draft)
    removed: Counter[str] = field(default_factory=Counter)
    textless: list[str] = field(default_factory=list)
    feet: dict[tuple[str, str], None] = field(default_factory=dict)
    size: tuple[int, int] = (0, 0)

    def add_slide(self, number: int, title: str, boxes: Iterator[Story] | list[Story], notes: Story) -> bool:
        """Add a slide; returns whether it has any text of its own."""
        place = f"slide {number}"
        before = len(self.draft.blocks)
        self.draft.add(title, "heading", level=1, place=place)
        for box in boxes:
            pour(placed(_grouped(box), place), self.draft)
        found = len(self.draft.blocks) > before
        pour(placed(notes, f"{place}, notes"), self.draft)
        return found


def _grouped(box: Story) -> Story:
    """The lines of a box as one list, with bullets or without in the file: they are read as items."""
    lines = [part for part in box if isinstance(part, Line) and part.kind in ("text", "list")]
    several = sum(bool(line.text.strip()) for line in lines) > 1
    for line in lines:
        if line.text.strip():
            line.kind = "list" if several else "text"
    return box


def _is_odf(data: bytes) -> bool:
    if not data.startswith(b"PK"):
        return True
    from rag_geo.readers.archives import open_archive

    return "content.xml" in open_archive(data)


# PowerPoint


def _read_pptx(data: bytes, deck: _Deck) -> Metadata:
    package = open_package(data, "ppt/presentation.xml")
    root = package.part(package.main)
    relations = package.relations(package.main)
    size = None if root is None else root.find(f"{_P}sldSz")
    deck.size = (0, 0) if size is None else (_whole(size.get("cx")), _whole(size.get("cy")))
    listed = [] if root is None else root.iter(f"{_P}sldId")
    for number, entry in enumerate(listed, start=1):
        relation = relations.get(entry.get(f"{R}id", ""))
        slide = package.once(relation.target) if relation else None
        if relation is None or slide is None:
            continue
        if not on(slide, "show"):
            deck.removed["hidden slide"] += 1
            continue
        _Slide(package, relation.target, slide, deck).add(number)
    return core_properties(package.archive)


class _Slide:
    """One slide of PowerPoint with its notes."""

    def __init__(self, package: Package, name: str, root: _Element, deck: _Deck) -> None:
        self.package = package
        self.name = name
        self.root = root
        self.deck = deck
        self.relations = package.relations(name)

    def add(self, number: int) -> None:
        """Add it to the deck."""
        titles: list[str] = []
        boxes: list[Story] = []
        pictured = False
        for shape in _shapes(self.root, self.deck.removed):
            if self._is_outside(shape):
                self.deck.removed["text outside the slide"] += next(shape.iter(f"{A}t"), None) is not None
                continue
            self.deck.removed["tiny text"] += _without_tiny(shape)
            kind = _placeholder(shape)
            pictured = pictured or shape.tag == f"{_P}pic"
            if kind in _TITLES:
                titles.append(" ".join(line.text for line in _lines(shape, bullets=False)))
            elif kind in _FEET:
                text = "\n".join(line.text for line in _lines(shape, bullets=False))
                self.deck.feet[f"pptx:{_FEET[kind]}", text] = None
            elif kind != "sldNum":
                boxes.append(self._box(shape, kind))
        title = " ".join(" ".join(titles).split())
        found = self.deck.add_slide(number, title, boxes, self._notes())
        if pictured and not found:
            self.deck.textless.append(f"slide {number}")
        for relation in self.relations.values():
            root = self.package.once(relation.target) if relation.kind == "comments" else None
            self.deck.removed["comment"] += 0 if root is None else sum(1 for _ in root.iter("{*}cm"))

    def _is_outside(self, shape: _Element) -> bool:
        """Whether a shape, or the group that it is in, lies beside the slide, and nothing moves it in."""
        wide, high = self.deck.size
        parent = shape.getparent()
        while parent is not None and parent.tag == f"{_P}grpSp":
            shape, parent = parent, parent.getparent()
        place = next((one for tag in _PLACES if (one := shape.find(tag)) is not None), None)
        if not wide or not high or place is None or len(place) < 2:
            return False
        corner, extent = place.find(f"{A}off"), place.find(f"{A}ext")
        if corner is None or extent is None or place.get("rot", "0") != "0":
            return False
        x, y = _whole(corner.get("x")), _whole(corner.get("y"))
        inside = x < wide and y < high and x + _whole(extent.get("cx")) > 0 and y + _whole(extent.get("cy")) > 0
        return not inside and next(self.root.iter(f"{_P}animMotion"), None) is None

    def _box(self, shape: _Element, placeholder: str) -> Story:
        if shape.tag != f"{_P}graphicFrame":
            return [*_lines(shape, bullets=placeholder in ("body", "obj"))]
        table = next(shape.iter(f"{A}tbl"), None)
        if table is not None:
            return [_grid(table)]
        chart = self._related_by(shape, f"{CHART}chart", f"{R}id")
        if chart is not None:
            return chart_story(chart)
        return diagram_story(self._related_by(shape, f"{DIAGRAM}relIds", f"{R}dm"))

    def _related_by(self, shape: _Element, tag: str, attribute: str) -> _Element | None:
        """The part that an element in the shape names."""
        element = next(shape.iter(tag), None)
        relation = None if element is None else self.relations.get(element.get(attribute, ""))
        return self.package.once(relation.target) if relation else None

    def _notes(self) -> Story:
        named = next((one.target for one in self.relations.values() if one.kind == "notesSlide"), "")
        root = self.package.once(named) if named else None
        if root is None:
            return []
        shapes = (shape for shape in _shapes(root, Counter()) if _placeholder(shape) == "body")
        return [line for shape in shapes for line in _lines(shape, bullets=False)]


def _shapes(root: _Element, removed: Counter[str]) -> Iterator[_Element]:
    """The shapes of a slide in their order, those in groups too; hidden ones are counted."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        tag = element.tag
        properties = element[0].find(f"{_P}cNvPr") if len(element) else None
        if properties is not None and (properties.get("hidden") or "0") in ("1", "true"):
            removed["hidden shape"] += next(element.iter(f"{A}t"), None) is not None
        elif tag in (f"{_P}sp", f"{_P}graphicFrame", f"{_P}pic", f"{_P}cxnSp"):
            yield element
        elif tag not in (f"{MC}Choice", f"{MC}Fallback") or chosen(element):
            waiting.extend(reversed(element))


def _without_tiny(shape: _Element) -> int:
    """Empty the runs whose letters are smaller than two points; gives how many there were."""
    found = 0
    for letters in shape.iter(f"{A}rPr"):
        size = letters.get("sz")
        if size is not None and 0 < _whole(size) < _SMALLEST:
            text = letters.getparent().find(f"{A}t")
            if text is not None and (text.text or "").strip():
                text.text = ""
                found += 1
    return found


def _whole(number: str | None) -> int:
    return int(number) if number and re.fullmatch(r"-?\d{1,15}", number) else 0


def _placeholder(shape: _Element) -> str:
    """What the layout calls the place of a shape; "obj" for one that takes anything, "" for a box of its own."""
    found = shape[0].find(f"{_P}nvPr/{_P}ph") if len(shape) else None
    return "" if found is None else (found.get("type") or "obj")


def _lines(shape: _Element, *, bullets: bool) -> list[Line]:
    """The paragraphs of a shape; with `bullets` they have one where nothing else is said."""
    return [_line(paragraph, bullets) for paragraph in outermost(shape, f"{A}p")]


def _line(paragraph: _Element, bullets: bool) -> Line:
    pieces: list[str] = []
    for element in paragraph.iter(f"{A}t", f"{A}br", _MATH):
        pieces.append("\n" if element.tag == f"{A}br" else (element.text or "").replace("\v", "\n"))
    properties = paragraph.find(f"{A}pPr")
    level = "0"
    if properties is not None:
        level = properties.get("lvl", "0")
        if properties.find(f"{A}buNone") is not None:
            bullets = False
        elif any(properties.find(tag) is not None for tag in _BULLETS):
            bullets = True
    depth = int(level) if level in "012345678" and level else 0
    return Line("".join(pieces).strip(), "list" if bullets else "text", depth if bullets else 0)


def _grid(table: _Element) -> Grid:
    rows = outermost(table, f"{A}tr")
    return Grid([[[*_lines(cell, bullets=False)] for cell in outermost(row, f"{A}tc")] for row in rows])


# OpenDocument


def _read_odp(data: bytes, deck: _Deck) -> Metadata:
    parts = open_odf(data)
    body = next(parts.content.iter(f"{OFFICE}presentation"), None)
    if body is None:
        raise UnreadableError("damaged: no presentation is in it")
    styles = Styles(parts.content, parts.styles)
    walker = Walker(styles)
    for element in body.iter(f"{PRESENTATION}footer-decl"):
        deck.feet["odp:footer", element.text or ""] = None
    for number, page in enumerate(body.iter(f"{DRAW}page"), start=1):
        if not styles.of("drawing-page", page.get(f"{DRAW}style-name")).visible:
            deck.removed["hidden slide"] += 1
            continue
        _add_page(walker, number, page, deck)
    deck.removed.update(walker.removed)
    return properties(parts.meta)


def _add_page(walker: Walker, number: int, page: _Element, deck: _Deck) -> None:
    titles: list[str] = []
    boxes: list[Story] = []
    for shape in page:
        if shape.tag == f"{PRESENTATION}notes":
            continue
        story = walker.walk(shape)
        if shape.get(f"{PRESENTATION}class") == "title":
            titles.extend(part.text for part in story if isinstance(part, Line))
        else:
            boxes.append(story)
    notes: Story = []
    for shape in page.iterfind(f"{PRESENTATION}notes/{DRAW}frame"):
        if shape.get(f"{PRESENTATION}class") == "notes":
            notes.extend(walker.walk(shape))
    title = " ".join(" ".join(titles).split())
    found = deck.add_slide(number, title, boxes, notes)
    if not found and next(page.iterfind(f"{DRAW}frame/{DRAW}image"), None) is not None:
        deck.textless.append(f"slide {number}")

"""The numbers that word processors write in front of list items and headings by themselves: "2.1", "(b)", "iv."."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_VAL = f"{_W}val"
_PLACE = re.compile(r"%([1-9])")
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_LARGEST = 3_999
_DEEPEST = 9


def written(number: int, form: str) -> str:
    """`number` as "decimal", "decimalZero", or "lower" or "upper" with "Letter" or "Roman"; else in digits."""
    if form.endswith("Roman") and 0 < number <= _LARGEST:
        text = _roman(number)
    elif form.endswith("Letter") and 0 < number <= _LARGEST:
        # After z comes aa, then bb.
        text = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
    else:
        return f"{number:02}" if form == "decimalZero" else str(number)
    return text.upper() if form.startswith("upper") else text


def _roman(number: int) -> str:
    pieces: list[str] = []
    for value, letters in _ROMAN:
        pieces.append(letters * (number // value))
        number %= value
    return "".join(pieces)


@dataclass(frozen=True, slots=True)
class _Level:
    """How a level is numbered: `text` has "%1" for the number of the first level; "" where it has a bullet."""

    start: int = 1
    form: str = "decimal"
    text: str = ""
    digits_only: bool = False


@dataclass(slots=True)
class _List:
    """One list: its levels and the numbers reached."""

    levels: dict[int, _Level]
    reached: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Numbering:
    """The lists of a Word document while its paragraphs are passed in order."""

    lists: dict[int, _List] = field(default_factory=dict)
    restarts: dict[tuple[int, int], int] = field(default_factory=dict)

    def label(self, list_id: int, level: int) -> str:
        """What stands in front of the next paragraph at `level` (from 0) of a list, "" for a bullet or nothing."""
        one = self.lists.get(list_id)
        level = min(level, _DEEPEST - 1)
        if one is None or level not in one.levels:
            return ""
        restart = self.restarts.pop((list_id, level), None)
        if restart is not None:
            one.reached[level] = restart - 1
        one.reached[level] = one.reached.get(level, one.levels[level].start - 1) + 1
        for deeper in [other for other in one.reached if other > level]:
            del one.reached[deeper]
        definition = one.levels[level]

        def number(found: re.Match[str]) -> str:
            place = int(found[1]) - 1
            other = one.levels.get(place, _Level())
            return written(one.reached.get(place, other.start), "decimal" if definition.digits_only else other.form)

        return _PLACE.sub(number, definition.text).strip()


def read_numbering(root: _Element | None) -> Numbering:
    """The lists that the part ``numbering.xml`` defines."""
    if root is None:
        return Numbering()
    abstract = {
        element.get(f"{_W}abstractNumId", ""): _List(_levels(element)) for element in root.iter(f"{_W}abstractNum")
    }
    numbering = Numbering()
    for element in root.iter(f"{_W}num"):
        list_id = _number(element.get(f"{_W}numId"))
        base = abstract.get(_value(element.find(f"{_W}abstractNumId")))
        if list_id is None or base is None:
            continue
        overrides = list(element.iter(f"{_W}lvlOverride"))
        own = {level: found for override in overrides for level, found in _levels(override).items()}
        # Lists with the same definition go on counting where the other stopped.
        numbering.lists[list_id] = _List({**base.levels, **own}, base.reached)
        for override in overrides:
            level = _number(override.get(f"{_W}ilvl"))
            start = _number(_value(override.find(f"{_W}startOverride")))
            if level is not None and start is not None:
                numbering.restarts[list_id, level] = start
    return numbering


def _levels(element: _Element) -> dict[int, _Level]:
    found: dict[int, _Level] = {}
    for level in element.iter(f"{_W}lvl"):
        place = _number(level.get(f"{_W}ilvl"))
        if place is None or place >= _DEEPEST:
            continue
        start = _number(_value(level.find(f"{_W}start")))
        form = _value(level.find(f"{_W}numFmt")) or "decimal"
        text = "" if form in ("bullet", "none") else _value(level.find(f"{_W}lvlText"))
        digits_only = level.find(f"{_W}isLgl") is not None
        found[place] = _Level(1 if start is None else start, form, text, digits_only)
    return found


def _value(element: _Element | None) -> str:
    return "" if element is None else (element.get(_VAL) or "")


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


_ODF = "{urn:oasis:names:tc:opendocument:xmlns"
_TEXT = f"{_ODF}:text:1.0}}"
_STYLE = f"{_ODF}:style:1.0}}"
_ODF_FORMS = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman", "1": "decimal"}
_ID = "{http://www.w3.org/XML/1998/namespace}id"
OUTLINE = ""
"""The name under which `OdfNumbering` has the numbers of headings."""


@dataclass(frozen=True, slots=True)
class _OdfLevel:
    """How a level is numbered: `shown` is how many levels, from its own upwards, the number shows."""

    form: str
    before: str = ""
    after: str = ""
    shown: int = 1
    start: int = 1


@dataclass(slots=True)
class OdfList:
    """A list of an OpenDocument file while its items are passed in order; inner lists go on with `reached`."""

    style: str
    reached: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class OdfNumbering:
    """The list styles of an OpenDocument file, and the lists that others may continue."""

    styles: dict[str, dict[int, _OdfLevel]] = field(default_factory=dict)
    last: dict[str, OdfList] = field(default_factory=dict)

    def begin(self, element: _Element, outer: OdfList | None) -> OdfList:
        """The list that an element begins: the one around it, one that it continues, or a new one."""
        style = element.get(f"{_TEXT}style-name") or (outer.style if outer else "-")
        if outer is not None:
            return OdfList(style, outer.reached)
        continued = element.get(f"{_TEXT}continue-list", "")
        if not continued and element.get(f"{_TEXT}continue-numbering") == "true":
            continued = style
        one = OdfList(style, self.last[continued].reached if continued in self.last else {})
        self.last[style] = self.last[element.get(_ID, "-")] = one
        return one

    def label(self, one: OdfList, level: int, start: str | None) -> str:
        """What stands in front of the next item of a list at `level` (from 1), "" for a bullet or nothing."""
        levels = self.styles.get(one.style, {})
        own = levels.get(level)
        wanted = _number(start)
        first = own.start if own else 1
        one.reached[level] = wanted if wanted is not None else one.reached.get(level, first - 1) + 1
        for deeper in [other for other in one.reached if other > level]:
            del one.reached[deeper]
        if own is None or not own.form:
            return ""
        shown = (
            written(one.reached.get(place, levels[place].start), levels[place].form)
            for place in range(max(1, level - own.shown + 1), level + 1)
            if place in levels and levels[place].form
        )
        return f"{own.before}{'.'.join(shown)}{own.after}".strip()


def read_odf_numbering(roots: Iterable[_Element | None]) -> OdfNumbering:
    """The list styles that the parts of an OpenDocument file define."""
    found = OdfNumbering()
    for root in roots:
        for element in () if root is None else root.iter(f"{_TEXT}list-style", f"{_TEXT}outline-style"):
            name = OUTLINE if element.tag == f"{_TEXT}outline-style" else element.get(f"{_STYLE}name", "")
            found.styles.setdefault(name, _odf_levels(element))
    return found


def _odf_levels(element: _Element) -> dict[int, _OdfLevel]:
    found: dict[int, _OdfLevel] = {}
    for child in element.iter(f"{_TEXT}list-level-style-number", f"{_TEXT}outline-level-style"):
        level = _number(child.get(f"{_TEXT}level"))
        if level is not None and 0 < level <= _DEEPEST + 1:
            found[level] = _OdfLevel(
                _ODF_FORMS.get(child.get(f"{_STYLE}num-format", ""), ""),
                child.get(f"{_STYLE}num-prefix", ""),
                child.get(f"{_STYLE}num-suffix", ""),
                min(_number(child.get(f"{_TEXT}display-levels")) or 1, _DEEPEST + 1),
                _number(child.get(f"{_TEXT}start-value")) or 1,
            )
    return found

"""What the styles of a web page hide from whoever looks at it: text of the page's colour, of no size, or off the page.

No browser is rebuilt here. The `style` of an element counts, and of style sheets in the page the rules for a tag, an id
or classes (``p.note``); every other rule (``.open > p``, inside ``@media``, ``:hover``) may only show: what it may
change is taken to be seen. The same holds for a background that is not known: a picture, a shade, what is laid over it,
or what a style sheet outside the page may say. So nothing is left out that a reader of the page may see.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

HIDDEN, TINY, OUTSIDE = "hidden element", "tiny text", "text outside the page"
COLOURED = "text in the colour of its background"
"""By what name it is counted."""

SMALLEST = 8 / 3
"""Letters that are smaller (pixels: 2 points) are not read by anyone."""

_FAR = 999
"""Pixels that lead off the page."""

_CLOSE = 5
"""Two colours with no more between them, of 255 in red, green and blue, are one."""

_MOST_RULES = 200
"""Rules for one class, id or tag; a page with more is not written by hand, and the rest are taken to show."""

_USUAL = 16.0

_Colour = tuple[int, int, int]
_Declared = dict[str, str]


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_COMMENT_START, _COMMENT_END = "/*", "*/"
_QUOTED = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
_SIMPLE = re.compile(r"(?:[a-z][a-z0-9-]*|\*)?(?:[.#][\w-]+)*", re.IGNORECASE)
_PART = re.compile(r"[.#]?[\w-]+")
_LAST_COMPOUND = re.compile(r"[^\s>+~]+\Z")
_NO_STATE = re.compile(r"::?[\w-]+(?:\([^()]*\))?|\[[^\]]*\]")
_EVERYWHERE = re.compile(r"\s*@media\s+(?:only\s+)?(?:all|screen)\s*", re.IGNORECASE)
_LENGTH = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))(px|pt|em|rem|ex|ch|%|cm|mm|in|pc|vw|vh)?", re.IGNORECASE)
_FONT_SIZE = re.compile(r"(?:^|\s)(\.?\d[\d.]*(?:px|pt|em|rem|%|cm|mm|in|pc)?)(?:\s*/\s*\S+)?\s+\S", re.IGNORECASE)
_FUNCTION = re.compile(r"(rgba?|hsla?)\(([^()]*)\)", re.IGNORECASE)
_NUMBER = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))(%?)")
_WORD = re.compile(r"#[0-9a-f]{3,8}|[a-z]+", re.IGNORECASE)
_NO_ROOM = re.compile(r"\+?(?:0*\.)?0+(?:\.0*)?(?:px|pt|em|rem|%)?|[01]px", re.IGNORECASE)
_CLIPPED = re.compile(r"rect\(\s*([01])(?:px)?[\s,]+([01])(?:px)?[\s,]+([01])(?:px)?[\s,]+([01])(?:px)?\s*\)")
_CUT_AWAY = re.compile(r"inset\(\s*(?:50|[6-9]\d|100)%\s*\)|circle\(\s*0(?:px|%)?\s*(?:\)|at)")
_SCALED_AWAY = re.compile(r"scale(?:3d|x|y)?\(\s*0(?:\.0+)?\s*[,)]")
_MOVED_AWAY = re.compile(r"translate(?:3d|x|y)?\(\s*(?:0\w*\s*,\s*)?-\d{4,}px")

# Pixels in a unit; of "em" and "%" where the letters are of the usual size.
_PIXELS = {
    "": 1.0, "px": 1.0, "pt": 4 / 3, "em": _USUAL, "rem": _USUAL, "ex": 8.0, "ch": 8.0, "%": 0.16, "cm": 37.8,
    "mm": 3.78, "in": 96.0, "pc": 16.0, "vw": 10.0, "vh": 8.0,
}  # fmt: skip
_NAMED = {
    "white": 0xFFFFFF, "black": 0x000000, "red": 0xFF0000, "lime": 0x00FF00, "blue": 0x0000FF, "yellow": 0xFFFF00,
    "aqua": 0x00FFFF, "cyan": 0x00FFFF, "fuchsia": 0xFF00FF, "magenta": 0xFF00FF, "silver": 0xC0C0C0,
    "gray": 0x808080, "grey": 0x808080, "maroon": 0x800000, "olive": 0x808000, "green": 0x008000, "teal": 0x008080,
    "navy": 0x000080, "purple": 0x800080, "orange": 0xFFA500, "snow": 0xFFFAFA, "ivory": 0xFFFFF0,
    "ghostwhite": 0xF8F8FF, "floralwhite": 0xFFFAF0, "mintcream": 0xF5FFFA, "azure": 0xF0FFFF, "whitesmoke": 0xF5F5F5,
    "aliceblue": 0xF0F8FF, "seashell": 0xFFF5EE, "honeydew": 0xF0FFF0, "lightgray": 0xD3D3D3, "lightgrey": 0xD3D3D3,
    "gainsboro": 0xDCDCDC, "beige": 0xF5F5DC, "lightyellow": 0xFFFFE0, "darkgray": 0xA9A9A9, "darkgrey": 0xA9A9A9,
}  # fmt: skip
_AS_BEFORE = frozenset(("inherit", "unset", "revert", ""))
_UNPAINTED = frozenset(("none", "transparent", "initial", "unset", "revert", ""))
_CONSIDERED = _names(
    """
    display visibility opacity color background background-color background-image font font-size position left top
    right bottom text-indent clip clip-path height max-height min-height flex flex-grow overflow overflow-y transform
    margin margin-left margin-top padding padding-top padding-bottom animation animation-name -webkit-animation
    transition text-shadow background-clip -webkit-background-clip -webkit-text-fill-color -webkit-text-stroke
    mix-blend-mode filter
    """
)
# What a short property says too.
_PARTS = (("background", "background-color"), ("background", "background-image"), ("font", "font-size"))
# What makes letters be seen in another way than by their colour.
_OTHERWISE_SEEN = (
    "text-shadow", "background-clip", "-webkit-background-clip", "-webkit-text-fill-color", "-webkit-text-stroke",
    "mix-blend-mode", "filter",
)  # fmt: skip
# Where these are, what is behind an element is not what it stands in.
_LAID_OVER = ("position", "transform", "margin", "margin-left", "margin-top")
_MOVING = ("animation", "animation-name", "-webkit-animation", "transition")
# What gives an element room whose height is nothing.
_ROOM = ("padding", "padding-top", "padding-bottom", "min-height", "flex", "flex-grow")
# Elements that have the height that they are given, and lines that begin where they are told to.
_BLOCKS = _names(
    """
    div p ul ol li dl dt dd section article aside header footer nav main figure figcaption blockquote pre form center
    h1 h2 h3 h4 h5 h6 address details fieldset
    """
)
OF_LOOKS = frozenset(("style", "bgcolor", "background", "color", "text"))
"""Attributes that say how an element looks."""

_PICTURES = "img, picture, video, canvas, svg, object, embed, iframe, [bgcolor], [background], [style*=background i]"


@dataclass(frozen=True, slots=True)
class _Looks:
    """How text looks at a place: None is a colour that is not known, `clear` are letters that are not painted."""

    colour: _Colour | None = (0, 0, 0)
    clear: bool = False
    ground: _Colour | None = (255, 255, 255)
    size: float = _USUAL

    @property
    def unseen(self) -> str:
        """By what name text here is counted as unseen, "" when it is seen."""
        if self.size < SMALLEST:
            return TINY
        if self.clear:
            return HIDDEN
        near = (
            self.colour
            and self.ground
            and all(abs(one - other) <= _CLOSE for one, other in zip(self.colour, self.ground, strict=True))
        )
        return COLOURED if near else ""


@dataclass(slots=True)
class _Rules:
    """The style sheets of a page; `may` are the last parts of selectors that are not asked whether they hold."""

    exact: dict[str, list[tuple[frozenset[str], tuple[int, int], _Declared]]] = field(default_factory=dict)
    may: dict[str, list[tuple[frozenset[str], _Declared]]] = field(default_factory=dict)
    order: int = 0

    def add(self, css: str) -> None:
        """Take one style sheet."""
        for sure, selectors, declared in _rules_in(css):
            for selector in selectors.replace(":root", "html").split(","):
                self._add(selector.strip(), declared, sure=sure)

    def _add(self, selector: str, declared: _Declared, *, sure: bool) -> None:
        self.order += 1
        if sure and selector and _SIMPLE.fullmatch(selector):
            parts = frozenset(_PART.findall(selector.lower()))
            weight = 100 * selector.count("#") + 10 * selector.count(".") + (selector[0] not in ".#*")
            exact = self.exact.setdefault(_key(parts), [])
            if len(exact) < _MOST_RULES:
                exact.append((parts, (weight, self.order), declared))
            return
        if "::" in selector or re.search(r":(?:before|after|first-l)", selector):
            return
        last = _LAST_COMPOUND.search(_NO_STATE.sub("", selector))
        # A comma in brackets has cut it: it may be about anything.
        whole = last is not None and selector.count("(") == selector.count(")")
        parts = frozenset(_PART.findall(last[0].lower())) if last is not None and whole else frozenset()
        may = self.may.setdefault(_key(parts), [])
        if len(may) < _MOST_RULES:
            may.append((parts, declared))

    def of(self, tag: str, identifier: str, classes: str) -> tuple[_Declared, _Declared]:
        """What holds for an element, and what other rules may say of it that is something else."""
        parts = {tag, *(f".{name}" for name in classes.lower().split())}
        if identifier:
            parts.add(f"#{identifier.lower()}")
        found: list[tuple[tuple[int, int], _Declared]] = []
        perhaps: list[_Declared] = []
        for key in (*parts, "*"):
            found += [(rank, declared) for needed, rank, declared in self.exact.get(key, ()) if needed <= parts]
            perhaps += [declared for needed, declared in self.may.get(key, ()) if needed <= parts]
        holds: _Declared = {}
        for _, declared in sorted(found, key=lambda one: one[0]):
            holds = _over(holds, declared)
        may = {name: value for one in perhaps for name, value in one.items() if holds.get(name) != value}
        return holds, may


def _key(parts: frozenset[str]) -> str:
    """The rarest part of a selector, by which rules are looked up: an id, else a class, else a tag."""
    return min(parts, key=lambda part: ({"#": 0, ".": 1}.get(part[0], 2), part), default="*")


def _over(below: _Declared, above: _Declared) -> _Declared:
    """Both, what `above` says before what `below` says."""
    if not below or not above:
        return above or below
    found = {**below, **above}
    for short, long in _PARTS:
        if short in above and long not in above:
            found.pop(long, None)
    return found


class Sight:
    """Tells, in one walk over a page, which of its elements and texts are not seen."""

    def __init__(self, tree: LexborHTMLParser, *, quirks: bool) -> None:
        sheets, self.outside = _sheets(tree)
        self.rules: _Rules | None = None
        if sheets:
            self.rules = _Rules()
            for sheet in sheets:
                self.rules.add(sheet)
        self.quirks = quirks
        self.tree = tree
        self.painted: bool | None = self.outside or any("background" in sheet for sheet in sheets) or None
        looks = _Looks(None, ground=None) if self.outside else _Looks()
        self.stack = [(0, looks)]
        self.unseen = ""
        self.inside = 0
        # Nothing has been said so far: an element without attributes `OF_LOOKS` need not be asked about.
        self.quiet = self.rules is None
        self.by_style: dict[str, _Declared] = {}
        self.by_rules: dict[tuple[str, str, str], tuple[_Declared, _Declared]] = {}
        # By the number of the looks above: to compare looks for every element would take its time.
        self.looks = {looks: looks}
        self.by_place: dict[tuple[str, str | None, str | None, int], str | _Looks] = {}

    def enter(self, node: LexborNode, tag: str, attributes: Mapping[str, str | None]) -> str:
        """Go into an element; gives the name under which it is left out with all that is in it, "" when it is seen."""
        before = self.stack[-1][1]
        if not OF_LOOKS.isdisjoint(attributes):
            found = self._found(tag, attributes, before)
        else:
            place = tag, attributes.get("id"), attributes.get("class"), id(before)
            known = self.by_place.get(place)
            found = self.by_place[place] = self._found(tag, attributes, before) if known is None else known
        if isinstance(found, str):
            return found
        if found is not before:
            self.inside = node.mem_id
            self.stack.append((self.inside, found))
            self.unseen = found.unseen
            self.quiet = False
        return ""

    def leave(self) -> None:
        """Come out of the element `inside`."""
        self.stack.pop()
        self.inside, looks = self.stack[-1]
        self.unseen = looks.unseen
        self.quiet = self.rules is None and len(self.stack) == 1

    def _found(self, tag: str, attributes: Mapping[str, str | None], before: _Looks) -> str | _Looks:
        """How text in an element looks, or by what name the element is left out."""
        holds, may = self._declared(tag, attributes)
        # Old pages, which say no type, begin anew in a table.
        anew = self.quirks and tag == "table"
        named = self.outside and ("class" in attributes or "id" in attributes)
        if not (holds or may or anew or named):
            return before
        root = tag in ("html", "body")
        hidden = "" if root else _hides(tag, holds, may)
        if hidden:
            return hidden
        if named:
            # What a style sheet outside the page says of it is not known.
            before = replace(before, colour=None, clear=False, ground=None, size=max(before.size, _USUAL))
        looks = self._looks(before, holds, may)
        if (root and looks.size < SMALLEST) or (anew and "font-size" not in holds):
            looks = replace(looks, size=_USUAL)
        return self.looks.setdefault(looks, looks)

    def _declared(self, tag: str, attributes: Mapping[str, str | None]) -> tuple[_Declared, _Declared]:
        """What is said of an element by its attributes and by rules, and what may be said of it beside."""
        holds: _Declared = {}
        may: _Declared = {}
        if self.rules is not None:
            key = tag, attributes.get("id") or "", attributes.get("class") or ""
            known = self.by_rules.get(key)
            if known is None:
                known = self.by_rules[key] = self.rules.of(*key)
            holds, may = known
        own: _Declared = {}
        if (len(self.stack) > 1 and tag in _OWN_LOOKS) or not OF_LOOKS.isdisjoint(attributes):
            holds = _over(_declared_in_attributes(tag, attributes), holds)
            style = attributes.get("style")
            if style:
                known_style = self.by_style.get(style)
                own = self.by_style[style] = _declarations(style) if known_style is None else known_style
        if not own:
            return holds, may
        return _over(holds, own), {name: value for name, value in may.items() if name not in own}

    def _looks(self, before: _Looks, holds: _Declared, may: _Declared) -> _Looks:
        size = _size(before.size, holds)
        if "font-size" in may or "font" in may:
            size = max(size, _USUAL)
        colour, clear = before.colour, before.clear
        if "color" in may or any(name in holds or name in may for name in _OTHERWISE_SEEN):
            colour, clear = None, False
        elif holds.get("color", "inherit").lower() not in _AS_BEFORE:
            colour, clear = _colour(holds["color"])
        ground = _ground(before.ground, holds, may)
        if ground is not None and _is_laid_over(holds, may) and not _paints(holds) and self._is_painted():
            ground = None
        return _Looks(colour, clear, ground, size)

    def _is_painted(self) -> bool:
        """Whether anything in the page is painted that something else may be laid over."""
        if self.painted is None:
            self.painted = self.tree.css_first(_PICTURES) is not None
        return self.painted


_OWN_LOOKS = {
    "a": {"color": "blue"}, "mark": {"background": "yellow", "color": "black"},
    **{tag: {"background": "var()", "color": "var()"} for tag in ("button", "select", "option", "dialog")},
}  # fmt: skip
"""What browsers say of elements by themselves."""


def _declared_in_attributes(tag: str, attributes: Mapping[str, str | None]) -> _Declared:
    """What elements say of their looks in the manner of old: ``<font color="white">``, ``<td bgcolor="#000">``."""
    found = dict(_OWN_LOOKS.get(tag, ()))
    colour = attributes.get("color" if tag == "font" else "text") if tag in ("font", "body") else None
    if colour:
        found["color"] = _old(colour)
    ground = attributes.get("bgcolor")
    if ground:
        found["background-color"] = _old(ground)
    if attributes.get("background"):
        found["background"] = "url()"
    return found


def _old(colour: str) -> str:
    return f"#{colour}" if re.fullmatch("[0-9a-fA-F]{6}", colour) else colour


def _sheets(tree: LexborHTMLParser) -> tuple[list[str], bool]:
    """The style sheets in the page, and whether it names others outside it."""
    found = []
    outside = False
    for node in tree.css("style, link"):
        attributes = node.attributes
        if node.tag == "link":
            outside = outside or "stylesheet" in (attributes.get("rel") or "").lower()
            continue
        above = node.parent
        while above is not None and above.tag in ("div", "p", "span", "td", "section", "center"):
            above = above.parent
        wanted = (attributes.get("media") or "all").strip().lower()
        if (above is not None and above.tag in ("noscript", "svg", "template")) or wanted not in ("all", "screen"):
            continue
        css = node.text(deep=True) or ""
        outside = outside or "@import" in css
        found.append(css)
    return found, outside


def _rules_in(css: str) -> Iterator[tuple[bool, str, _Declared]]:
    """Whether a rule always holds, its selectors and what it declares of interest, in one pass."""
    css = _QUOTED.sub('""', _without_comments(css))
    above: list[str] = []
    for chunk in css.split("}"):
        parts = chunk.split("{")
        if len(parts) == 1:
            if above:
                above.pop()
            continue
        above += (part.rpartition(";")[2] for part in parts[:-2])
        selectors = parts[-2].rpartition(";")[2].strip()
        declared = _declarations(parts[-1])
        if declared and not selectors.startswith("@") and not any("keyframes" in one for one in above[:4]):
            yield all(_EVERYWHERE.fullmatch(one) for one in above[:4]), selectors, declared


def _without_comments(css: str) -> str:
    pieces = []
    at = 0
    while (start := css.find(_COMMENT_START, at)) >= 0:
        pieces.append(css[at:start])
        end = css.find(_COMMENT_END, start + 2)
        if end < 0:
            return "".join(pieces)
        at = end + 2
    return "".join([*pieces, css[at:]]).replace("<!--", "").replace("-->", "")


def _declarations(style: str) -> _Declared:
    """What a style says of the properties that may hide something."""
    found: _Declared = {}
    for one in (_without_comments(style) if _COMMENT_START in style else style).split(";"):
        name, colon, value = one.partition(":")
        name = name.strip().lower()
        if colon and name in _CONSIDERED:
            value = value.strip().lower()
            found[name] = value.removesuffix("important").rstrip("! ") if value.endswith("important") else value
            for short, long in _PARTS if name in ("background", "font") else ():
                if short == name:
                    found.pop(long, None)
    return found


def _hides(tag: str, holds: _Declared, may: _Declared) -> str:
    """By what name an element is counted that is not seen with all that is in it, "" when it is seen."""
    if may:
        said, holds = {**holds, **may}, {name: value for name, value in holds.items() if name not in may}
    else:
        said = holds
    if holds.get("display") == "none" or holds.get("visibility") in ("hidden", "collapse"):
        return HIDDEN
    loose = holds.get("position") in ("absolute", "fixed")
    if (loose and _CLIPPED.match(holds.get("clip", ""))) or _CUT_AWAY.match(holds.get("clip-path", "")):
        return HIDDEN
    block = loose or tag in _BLOCKS or holds.get("display", "inline") not in ("inline", "contents")
    placed = ("left", "top", "margin-left", "text-indent") if loose else ("text-indent",) if block else ()
    if any(_pixels(holds[name]) <= -_FAR for name in placed if name in holds):
        return OUTSIDE
    # What begins clear, small or elsewhere and moves is there to come in.
    return "" if any(name in said for name in _MOVING) else _hides_at_rest(holds, said, block=block)


def _hides_at_rest(holds: _Declared, said: _Declared, *, block: bool) -> str:
    moved = holds.get("transform", "")
    if _is_zero(holds.get("opacity", "1")) or (moved and _SCALED_AWAY.search(moved)):
        return HIDDEN
    if moved and _MOVED_AWAY.search(moved):
        return OUTSIDE
    cut = block and any(holds.get(name, "").startswith(("hidden", "clip")) for name in ("overflow", "overflow-y"))
    if cut and not any(name in said and re.search("[1-9a-z]", said[name]) for name in _ROOM):
        return HIDDEN if any(_NO_ROOM.fullmatch(holds.get(name, "")) for name in ("height", "max-height")) else ""
    return ""


def _is_zero(value: str) -> bool:
    found = _NUMBER.fullmatch(value)
    return found is not None and float(found[1]) < (2 if found[2] else 0.02)


def _pixels(length: str) -> float:
    found = _LENGTH.fullmatch(length.strip())
    return float(found[1]) * _PIXELS[(found[2] or "").lower()] if found else 0.0


def _size(before: float, holds: Mapping[str, str]) -> float:
    """The size of letters in pixels; what is not understood is the usual one."""
    said = holds.get("font-size")
    if said is None:
        said = holds.get("font")
        if said is None:
            return before
        found = _FONT_SIZE.search(said)
        said = found[1] if found else "medium"
    if said in _AS_BEFORE:
        return before
    length = _LENGTH.fullmatch(said)
    if length is None:
        return _USUAL
    unit = (length[2] or "").lower()
    value = float(length[1])
    if unit in ("em", "%"):
        return before * value * (0.01 if unit == "%" else 1)
    # A number without a unit is an error, and the size stays; zero needs none.
    return value * _PIXELS[unit] if unit or not value else before


def _ground(before: _Colour | None, holds: _Declared, may: _Declared) -> _Colour | None:
    """The colour behind an element that stands on `before`; None when it is not known."""
    if any(name.startswith("background") for name in may) or holds.get("background-image", "none") != "none":
        return None
    short = holds.get("background", "")
    if "(" in short and not _FUNCTION.search(short):
        return None
    said = holds.get("background-color", short)
    if said in _UNPAINTED:
        return before
    colour, clear = _colour(said)
    return before if clear else colour


def _paints(holds: _Declared) -> bool:
    return holds.get("background-color", holds.get("background", "")) not in _UNPAINTED


def _is_laid_over(holds: _Declared, may: _Declared) -> bool:
    """Whether an element may lie over others than it stands in."""
    for name in _LAID_OVER:
        value = may.get(name) or holds.get(name)
        if value and ("-" in value if name.startswith("margin") else value not in ("static", "none")):
            return True
    return False


def _colour(text: str) -> tuple[_Colour | None, bool]:
    """The colour that a value names, None when it is not known, and whether it is clear as glass."""
    if "url(" in text or "gradient" in text or "var(" in text:
        return None, False
    function = _FUNCTION.search(text)
    if function:
        return _of_function(function[1].lower(), _NUMBER.findall(function[2]))
    for word in _WORD.findall(text):
        if word == "transparent":
            return None, True
        if word.startswith("#"):
            return _of_hex(word[1:])
        if word in _NAMED:
            number = _NAMED[word]
            return (number >> 16, number >> 8 & 255, number & 255), False
    return None, False


def _of_hex(digits: str) -> tuple[_Colour | None, bool]:
    if len(digits) in (3, 4):
        digits = "".join(digit * 2 for digit in digits)
    if len(digits) not in (6, 8):
        return None, False
    red, green, blue, *rest = (int(digits[at : at + 2], 16) for at in range(0, len(digits), 2))
    return _behind_glass((red, green, blue), rest[0] / 255 if rest else 1.0)


def _of_function(name: str, numbers: Sequence[tuple[str, str]]) -> tuple[_Colour | None, bool]:
    if len(numbers) not in (3, 4):
        return None, False
    shares = [float(number) / (100 if percent else 1) for number, percent in numbers]
    alpha = shares[3] if len(shares) == 4 else 1.0
    if name.startswith("hsl"):
        rgb = colorsys.hls_to_rgb(shares[0] / 360 % 1, min(max(shares[2], 0), 1), min(max(shares[1], 0), 1))
        red, green, blue = (round(255 * part) for part in rgb)
    else:
        red, green, blue = (
            round(min(max(share * (255 if percent else 1), 0), 255))
            for share, (_, percent) in zip(shares[:3], numbers, strict=False)
        )
    return _behind_glass((red, green, blue), alpha)


def _behind_glass(colour: _Colour, alpha: float) -> tuple[_Colour | None, bool]:
    """A colour that is seen through is not known."""
    return (None, True) if alpha < 0.02 else (colour if alpha > 0.98 else None, False)

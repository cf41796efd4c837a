"""The text of a PDF page as fragments: pieces of a line with their place, size and weight, as pdfium draws them.

Coordinates are points from the upper left corner of the page as it is read: of a page whose text runs upwards they are
turned, so that every fragment of `Page.fragments` runs from left to right. `Fragment.top` and `bottom` come from the
font size, not from the outlines, so that lines of one size have one height.
"""

from __future__ import annotations

import ctypes
import math
import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pypdfium2

_Handle = Any  # a pointer or structure of pdfium, which comes without types
_Object = tuple[_Handle, int, tuple[float, float, float, float]]
_ASCENT, _DESCENT = 0.75, 0.25
_SPLIT_GAP = 0.9
"""Text of one line with a gap of more than this many font sizes is two fragments: columns, cells, labels."""

_SPACES = frozenset((*range(0x21), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000))
_HYPHENS = {0x02: "-", 0xFFFE: "-"}  # what pdfium gives for the hyphen at the end of a line
_SOFT_HYPHEN = 0xAD
_LAST_PLAIN = 0x58F
_LEFT_OUT = frozenset((0, 0xFEFF, 0x200B, 0x200C, 0x200D, 0x2060, 0xFFFF))
_BULLETS = dict.fromkeys((0xF0B7, 0xF0A7, 0xF0D8, 0xF076, 0xF0A8, 0xF06E, 0xF02D, 0xE00C, 0xE00A), "•")
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_BOLD = re.compile(r"bold|black|heavy|demi|semib|^(?:[A-Z]{6}\+)?(?:CMBX|CMSSBX|SFBX|SFSX|LMBX)", re.IGNORECASE)
_MONO = re.compile(r"mono|courier|typewriter|consol|menlo|(?:CM|SF|EC|LM)TT|Inconsolata|nimbusmon", re.IGNORECASE)
_THIN = 2.5
"""A page object that is thinner is a rule, not an area (points)."""

_LEGIBLE, _SMALL_PAGE = 2.0, 200.0
"""Letters smaller than this (points) are read by nobody, unless the page itself is small."""

_MOST_SHAPES = 5_000
"""A page with more shapes than this is a drawing: its rules part no rows, and where it is painted is not asked."""


@dataclass(slots=True)
class Fragment:
    """A piece of a line: `size` is the font size in points, `bold` and `mono` count letters.

    `rtl` tells whether it is written from right to left, `mirrored` that its place is counted from the right edge, as
    on a page of which most is.
    """

    left: float
    right: float
    baseline: float
    size: float
    text: str
    bold: int = 0
    mono: int = 0
    rtl: bool = False
    mirrored: bool = False

    @property
    def top(self) -> float:
        """Where a capital letter begins, about."""
        return self.baseline - _ASCENT * self.size

    @property
    def bottom(self) -> float:
        """Where a descender ends, about."""
        return self.baseline + _DESCENT * self.size


@dataclass(slots=True)
class Page:
    """One page: its number from 1, what is on it, and the horizontal rules (left, right, y) where they were asked for.

    `slanted` are the fragments that run another way than most of the page; `pictured` tells that a picture covers more
    than half of it.
    """

    number: int
    width: float
    height: float
    fragments: list[Fragment] = field(default_factory=list)
    slanted: list[Fragment] = field(default_factory=list)
    rules: list[tuple[float, float, float]] = field(default_factory=list)
    removed: Counter[str] = field(default_factory=Counter)
    pictured: bool = False


@dataclass(frozen=True, slots=True)
class _Style:
    """What the characters of one text object have in common; `turn` is 0 to 3 quarters, or 4 for any other angle."""

    size: float
    bold: bool
    mono: bool
    turn: int
    baseline: float
    white: bool
    unpainted: bool = False


@dataclass(slots=True)
class _Run:
    """A fragment while its characters are found: characters with their extent and whether a space is before them."""

    style: _Style
    left: float
    right: float
    rtl: bool = False
    glyphs: list[tuple[str, float, float, bool]] = field(default_factory=list)
    styles: list[tuple[int, _Style]] = field(default_factory=list)

    def add(self, style: _Style, character: str, extent: tuple[float, float], spaced: bool, rtl: bool) -> bool:
        """Add a character with its style; tells whether it is raised, as a number of a footnote is."""
        if not self.styles or self.styles[-1][1] is not style:
            self.styles.append((len(self.glyphs), style))
        own = self.style
        raised = style.baseline < own.baseline - 0.15 * own.size and style.size < 0.85 * own.size
        self.glyphs.append((character.translate(_SUPERSCRIPT) if raised else character, *extent, spaced))
        self.left, self.right = min(self.left, extent[0]), max(self.right, extent[1])
        self.rtl = self.rtl or rtl
        return raised

    def fragment(self) -> Fragment:
        """The run as a fragment, once it is complete."""
        if self.rtl:
            _turn_ligatures(self.glyphs)
        letters = "".join(f" {character}" if spaced else character for character, _, _, spaced in self.glyphs)
        if _SPACED_OUT.search(letters):
            letters = _close_up(self)
        bold = mono = 0
        sizes: Counter[float] = Counter()
        ends = [start for start, _ in self.styles[1:]]
        for (start, style), end in zip(self.styles, [*ends, len(self.glyphs)], strict=True):
            sizes[style.size] += end - start
            bold += (end - start) * style.bold
            mono += (end - start) * style.mono
        size = max(sizes, key=lambda key: sizes[key])
        return Fragment(self.left, self.right, self.style.baseline, size, letters, bold, mono, self.rtl)


class PageReader:
    """Reads the pages of one document; pdfium allows one thread at a time, the caller sees to that."""

    def __init__(self, document: pypdfium2.PdfDocument) -> None:
        import pypdfium2.raw as raw

        self._raw: _Handle = raw
        self._document = document

    def read(self, index: int) -> Page:
        """The page with this index, from 0; one that cannot be loaded has no fragments."""
        raw = self._raw
        page = raw.FPDF_LoadPage(self._document.raw, index)
        if not page:
            return Page(index + 1, 0, 0)
        try:
            box = raw.FS_RECTF()
            raw.FPDF_GetPageBoundingBox(page, box)
            text = raw.FPDFText_LoadPage(page)
            if not text:
                return Page(index + 1, 0, 0)
            try:
                return _PageText(raw, page, text, box).page(index + 1)
            finally:
                raw.FPDFText_ClosePage(text)
        finally:
            raw.FPDF_ClosePage(page)


class _PageText:
    def __init__(self, raw: _Handle, page: _Handle, text: _Handle, box: _Handle) -> None:
        self._raw, self._page, self._text = raw, page, text
        self._box = (box.left, box.bottom, box.right, box.top)
        self._fonts: dict[int, tuple[bool, bool]] = {}
        self._parts = [ctypes.c_uint() for _ in range(4)]

    def page(self, number: int) -> Page:
        runs = _justified(self._runs())
        removed: Counter[str] = Counter()
        kept = _placed_marks([run for run in runs if self._is_shown(run, removed)])
        turns = Counter[int]()
        for run in kept:
            turns[run.style.turn] += len(run.glyphs)
        main = turns.most_common(1)[0][0] if turns else 0
        left, bottom, right, top = self._box
        wide, high = right - left, top - bottom
        if main in (1, 3):
            wide, high = high, wide
        found = Page(number, wide, high, removed=removed)
        for run in kept:
            (found.fragments if run.style.turn == main != 4 else found.slanted).append(run.fragment())
        objects = self._objects_once() if found.fragments else []
        if main == 0:
            found.rules = self._rules(objects)
        image = self._raw.FPDF_PAGEOBJ_IMAGE
        found.pictured = any(
            kind == image and (x1 - x0) * (y1 - y0) * 2 > wide * high for _, kind, (x0, y0, x1, y1) in objects
        )
        _mirror(found)
        return found

    def _runs(self) -> list[_Run]:
        """Every character, in the order in which they are drawn, as runs without a gap."""
        raw, text = self._raw, self._text
        unicode_at, object_at = raw.FPDFText_GetUnicode, raw.FPDFText_GetTextObject
        box_of = raw.FPDFText_GetLooseCharBox
        box = raw.FS_RECTF()
        by_reference = ctypes.byref(box)
        origin = self._box[0]
        runs: list[_Run] = []
        spaced = plain = False
        known, style = 0, _Style(0, False, False, 0, 0, False)
        run, least, most = _Run(style, 0, 0), 0.0, 0.0
        for at in range(raw.FPDFText_CountChars(text)):
            code = unicode_at(text, at)
            if code in _SPACES and code not in _HYPHENS:
                spaced = True
                continue
            drawn = object_at(text, at)
            if code in _LEFT_OUT or not drawn or not box_of(text, at, by_reference):
                continue
            address = ctypes.addressof(drawn.contents)
            if plain and address == known and 0x20 < code < _LAST_PLAIN and code != _SOFT_HYPHEN:
                # The next letter of the same object on an upright page: most of them, and all that takes time.
                near, far = box.left - origin, box.right - origin
                if least < near - run.right < most:
                    run.glyphs.append((chr(code), near, far, spaced))
                    run.right = far
                    spaced = False
                    continue
            if address != known:
                known, style = address, self._style(at, drawn)
            near, far = self._along(style.turn, box)
            if code == _SOFT_HYPHEN and far - near < 0.05 * style.size:
                continue
            character = _HYPHENS.get(code) or _BULLETS.get(code) or chr(code)
            rtl = code > _LAST_PLAIN and unicodedata.bidirectional(character) in ("R", "AL")
            if not runs or not _continues(runs[-1], style, near, far, rtl):
                runs.append(_Run(style, near, far))
                spaced = False
            run = runs[-1]
            raised = run.add(style, character, (near, far), spaced, rtl)
            plain = style.turn == 0 and not raised and not run.rtl
            least, most = -0.2 * style.size, _SPLIT_GAP * style.size
            spaced = False
        return runs

    def _style(self, at: int, drawn: _Handle) -> _Style:
        raw, text = self._raw, self._text
        matrix = raw.FS_MATRIX()
        raw.FPDFText_GetMatrix(text, at, matrix)
        x, y = ctypes.c_double(), ctypes.c_double()
        raw.FPDFText_GetCharOrigin(text, at, x, y)
        size = raw.FPDFText_GetFontSize(text, at) * (math.hypot(matrix.c, matrix.d) or 1.0)
        angle = math.degrees(math.atan2(matrix.b, matrix.a)) % 360
        turn = round(angle / 90) % 4 if abs(angle - 90 * round(angle / 90)) < 8 else 4
        bold, mono = self._font(at, drawn)
        down = self._down(turn, x.value, y.value)
        unpainted = raw.FPDFTextObj_GetTextRenderMode(drawn) == raw.FPDF_TEXTRENDERMODE_INVISIBLE
        return _Style(min(max(size, 0.5), 500.0), bold, mono, turn, down, self._white(at), unpainted)

    def _font(self, at: int, drawn: _Handle) -> tuple[bool, bool]:
        raw = self._raw
        font = raw.FPDFTextObj_GetFont(drawn)
        key = ctypes.addressof(font.contents) if font else 0
        if key not in self._fonts:
            name = ctypes.create_string_buffer(256)
            flags = ctypes.c_int()
            raw.FPDFText_GetFontInfo(self._text, at, name, 256, flags)
            known = name.value.decode("utf-8", "replace")
            bold = bool(_BOLD.search(known)) or bool(flags.value & 1 << 18)
            self._fonts[key] = bold, bool(_MONO.search(known)) or bool(flags.value & 1)
        return self._fonts[key]

    def _white(self, at: int) -> bool:
        red, green, blue, alpha = self._parts
        if not self._raw.FPDFText_GetFillColor(self._text, at, red, green, blue, alpha):
            return False
        return bool(red.value >= 250 and green.value >= 250 and blue.value >= 250)

    def _along(self, turn: int, box: _Handle) -> tuple[float, float]:
        left, bottom, right, top = self._box
        if turn == 1:
            return box.bottom - bottom, box.top - bottom
        if turn == 2:
            return right - box.right, right - box.left
        if turn == 3:
            return top - box.top, top - box.bottom
        return box.left - left, box.right - left

    def _down(self, turn: int, x: float, y: float) -> float:
        left, bottom, right, top = self._box
        downwards: tuple[float, ...] = (top - y, x - left, y - bottom, right - x)
        return downwards[turn % 4]

    def _is_shown(self, run: _Run, removed: Counter[str]) -> bool:
        left, bottom, right, top = self._box
        wide, high = (right - left, top - bottom) if run.style.turn % 2 == 0 else (top - bottom, right - left)
        middle = run.style.baseline - run.style.size / 4
        inside = run.right > 0 and run.left < wide and 0 < middle < high
        if not inside and run.style.turn != 4:
            removed["text outside the page"] += 1
            return False
        if run.style.white and run.style.turn != 4 and not self._on_colour(run):
            removed["white text"] += 1
            return False
        if run.style.unpainted and not self._on_picture(run):
            removed["invisible text"] += 1
            return False
        if run.style.size < _LEGIBLE and min(wide, high) > _SMALL_PAGE and _is_tiny(run):
            removed["tiny text"] += 1
            return False
        return True

    def _on_picture(self, run: _Run) -> bool:
        """Whether letters that are not painted are those of a picture: what was recognised on a scanned page."""
        raw, (left, bottom, right, top) = self._raw, self._box
        kinds = (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_FORM)
        boxes = [bounds for _, kind, bounds in self._objects_once() if kind in kinds]
        covered = sum((min(x1, right) - max(x0, left)) * (min(y1, top) - max(y0, bottom)) for x0, y0, x1, y1 in boxes)
        if len(boxes) > _MOST_SHAPES or covered * 2 > (right - left) * (top - bottom):
            return True
        x, y = (run.left + run.right) / 2 + left, top - run.style.baseline + run.style.size / 4
        return any(x0 <= x <= x1 and y0 <= y <= y1 for x0, y0, x1, y1 in boxes) if run.style.turn == 0 else bool(boxes)

    def _on_colour(self, run: _Run) -> bool:
        """Whether something that is not white is painted where the text stands, as far as boxes tell."""
        if run.style.turn or len(self._painted()) > _MOST_SHAPES:
            return True
        x, y = (run.left + run.right) / 2 + self._box[0], self._box[3] - run.style.baseline + run.style.size / 4
        return any(left <= x <= right and bottom <= y <= top for left, bottom, right, top in self._painted())

    _areas: list[tuple[float, float, float, float]] | None = None

    def _painted(self) -> list[tuple[float, float, float, float]]:
        if self._areas is None:
            raw = self._raw
            self._areas = []
            parts = [ctypes.c_uint() for _ in range(4)]
            for thing, kind, bounds in self._objects_once():
                if kind == raw.FPDF_PAGEOBJ_TEXT:
                    continue
                filled = kind == raw.FPDF_PAGEOBJ_PATH and raw.FPDFPageObj_GetFillColor(thing, *parts)
                if not (filled and all(part.value >= 250 for part in parts[:3])):
                    self._areas.append(bounds)
        return self._areas

    _known: list[_Object] | None = None

    def _objects_once(self) -> list[_Object]:
        if self._known is None:
            self._known = self._objects()
        return self._known

    def _objects(self) -> list[_Object]:
        raw = self._raw
        found = []
        edges = [ctypes.c_float() for _ in range(4)]
        for at in range(raw.FPDFPage_CountObjects(self._page)):
            thing = raw.FPDFPage_GetObject(self._page, at)
            kind = raw.FPDFPageObj_GetType(thing)
            if kind == raw.FPDF_PAGEOBJ_TEXT or not raw.FPDFPageObj_GetBounds(thing, *edges):
                continue
            left, bottom, right, top = (edge.value for edge in edges)
            found.append((thing, kind, (left, bottom, right, top)))
        return found

    def _rules(self, objects: list[_Object]) -> list[tuple[float, float, float]]:
        """Horizontal rules and the upper and lower edges of boxes: (left, right, y)."""
        raw = self._raw
        left, _, _, top = self._box
        found: list[tuple[float, float, float]] = []
        for _, kind, (x0, y0, x1, y1) in objects:
            if kind != raw.FPDF_PAGEOBJ_PATH or x1 - x0 < 8:
                continue
            found.append((x0 - left, x1 - left, top - y1))
            if y1 - y0 > _THIN:
                found.append((x0 - left, x1 - left, top - y0))
        return found if len(found) <= _MOST_SHAPES else []


def _is_tiny(run: _Run) -> bool:
    """Whether the letters are as small as their size says: fonts of pictures may count it in units of their own."""
    return sum(glyph[2] - glyph[1] for glyph in run.glyphs) < _LEGIBLE * len(run.glyphs)


def _mirror(page: Page) -> None:
    """Count from the right edge where most of a page is written from right to left: the first column is there."""
    if sum(len(one.text) for one in page.fragments if one.rtl) * 2 <= sum(len(one.text) for one in page.fragments):
        return
    for one in page.fragments:
        one.left, one.right, one.mirrored = page.width - one.right, page.width - one.left, True
    page.rules = [(page.width - right, page.width - left, y) for left, right, y in page.rules]


def _placed_marks(runs: list[_Run]) -> list[_Run]:
    """Put vowel marks that are drawn on their own after the letter that they stand over."""
    loose = [run for run in runs if all(unicodedata.combining(glyph[0][0]) for glyph in run.glyphs)]
    if not loose:
        return runs
    lines: dict[int, list[_Run]] = defaultdict(list)
    marks = {id(run) for run in loose}
    kept = [run for run in runs if id(run) not in marks]
    for run in kept:
        lines[round(run.style.baseline)].append(run)
    for mark in loose:
        level = round(mark.style.baseline)
        middle = (mark.left + mark.right) / 2
        # A mark is drawn up to half a letter above the line of its letter.
        near = [run for at in range(level - 1, level + round(mark.style.size / 2) + 1) for run in lines[at]]
        nearest = min(near, key=lambda run: max(run.left - middle, middle - run.right, 0.0), default=None)
        if nearest is not None:
            away = [abs((left + right) / 2 - middle) for _, left, right, _ in nearest.glyphs]
            at = away.index(min(away)) + 1
            nearest.glyphs[at:at] = [(character, middle, middle, False) for character, _, _, _ in mark.glyphs]
    return kept


def _turn_ligatures(glyphs: list[tuple[str, float, float, bool]]) -> None:
    """Letters of one ligature have one box; pdfium gives those of a line from right to left in the wrong order."""
    start = 0
    for at in range(1, len(glyphs) + 1):
        if at < len(glyphs) and glyphs[at][1:3] == glyphs[start][1:3]:
            continue
        if at - start > 1:
            turned = [glyph[:3] for glyph in reversed(glyphs[start:at])]
            glyphs[start:at] = [(*glyph, glyphs[start + n][3]) for n, glyph in enumerate(turned)]
        start = at


def _continues(run: _Run, style: _Style, near: float, far: float, rtl: bool) -> bool:
    own = run.style
    if style.turn != own.turn or style.white != own.white:
        return False
    if style.turn == 4:
        return style == own
    if rtl or run.rtl:
        gap = max(near - run.right, run.left - far)
        back = 0.0
    else:
        gap, back = near - run.right, run.right - near
        if run.glyphs and run.glyphs[-1][1:3] == (near, far):
            back = 0.0  # the letters of a ligature share its box
    size = max(own.size, style.size)
    if gap > _SPLIT_GAP * size or back > 0.6 * size:
        return False
    shift = abs(style.baseline - own.baseline)
    if shift <= 0.12 * size:
        return True
    return shift <= 0.6 * own.size and style.size < 0.85 * own.size and gap < 0.4 * own.size


def _justified(runs: list[_Run]) -> list[_Run]:
    """Join the words of a line that was spread over the column: three or more with one and the same gap between."""
    found: list[_Run] = []
    at = 0
    while at < len(runs):
        end = at + 1
        gap = 0.0
        while end < len(runs) and _is_word_gap(runs[end - 1], runs[end], gap):
            gap = runs[end].left - runs[end - 1].right
            end += 1
        group = runs[at:end]
        letters = sum(glyph[0].isalpha() for run in group for glyph in run.glyphs)
        if len(group) < 3 or letters < 3 * len(group):
            # The last one may begin another row with gaps of its own.
            at = max(at + 1, end - 1)
            found += group[: len(group) - (end - at)]
            continue
        first = group[0]
        for run in group[1:]:
            character, left, right, _ = run.glyphs[0]
            first.styles += [(start + len(first.glyphs), style) for start, style in run.styles]
            first.glyphs += [(character, left, right, True), *run.glyphs[1:]]
            first.right = run.right
        found.append(first)
        at = end
    return found


def _is_word_gap(before: _Run, after: _Run, gap: float) -> bool:
    size = before.style.size
    if abs(before.style.baseline - after.style.baseline) > 0.1 * size or before.style.turn != after.style.turn:
        return False
    if after.rtl or before.rtl or any(glyph[3] for glyph in after.glyphs[1:]):
        return False
    wide = after.left - before.right
    return 0 < wide < 2 * size and (not gap or abs(wide - gap) < 0.12 * gap)


_SPACED_OUT = re.compile(r"(?<!\S)(?:[^\W\d_] ){3,}[^\W\d_](?!\S)")


def _close_up(run: _Run) -> str:
    """The text of a run with letter spacing: a space is only where the gap is much wider than between most letters."""
    gaps = [after[1] - before[2] for before, after in zip(run.glyphs, run.glyphs[1:], strict=False)]
    usual = sorted(gaps)[len(gaps) // 2]
    words = [run.glyphs[0][0]]
    for gap, (character, _, _, spaced) in zip(gaps, run.glyphs[1:], strict=True):
        words.append(f" {character}" if spaced and gap > usual + max(0.12 * run.style.size, 0.5 * usual) else character)
    return "".join(words)

"""Read a Word document: its paragraphs, lists and tables in reading order, then its notes, then what is on each page.

The XML is walked once, never by recursion. What a reader of the page does not see is left out and counted: deleted and
hidden text, comments, placeholders; so are field codes. Headers and footers come last, each once, as debris: Word
counts its paragraphs without them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rag_geo.readers.charts import chart_story, diagram_story
from rag_geo.readers.chunks import chunk_story
from rag_geo.readers.flow import Grid, Line, Story, placed, pour
from rag_geo.readers.layout import Draft, Layout
from rag_geo.readers.numbering import read_numbering
from rag_geo.readers.ooxml import CHART, DIAGRAM, MC, Package, R, chosen, core_properties, on, open_package
from rag_geo.readers.symbols import symbol
from rag_geo.records import BlockKind
from rag_geo.settings import ReadingSettings

if TYPE_CHECKING:
    from lxml.etree import _Element

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_VAL = f"{W}val"
_WHITE = re.compile(r"[\r\n\t]")
_HEADING_STYLE = re.compile(r"(?:heading|überschrift|titre|título|titolo|kop|заголовок|标题|標題) ?(\d)", re.IGNORECASE)
_HEADING_ID = re.compile(r"(?:heading|berschrift|titre|ttulo|titolo|kop)(\d)", re.IGNORECASE)
_TITLE_STYLES = frozenset(("title", "titel", "titre", "título", "titolo"))
_CONTENTS = re.compile(r"(?:toc|contents|index) ?(?:\d|heading)|table of (?:figures|authorities)", re.IGNORECASE)
_CODE = re.compile(r"source ?code|html ?preformatted|preformatted ?text|code(?: ?block)?|plain ?code", re.IGNORECASE)
_DEEPER_LIST = re.compile(r"^List (?:Bullet|Number) ([2-9])$", re.IGNORECASE)
_LONGEST_HEADING = 300
_VANISH, _COLOUR, _SIZE, _SHADE, _HIGHLIGHT = (W + name for name in ("vanish", "color", "sz", "shd", "highlight"))
_RUN_LOOKS, _RUN_STYLE = f"{W}rPr", f"{W}rStyle"
_FILLED = "{http://schemas.microsoft.com/office/word/2010/wordml}textFill"
_BEHIND = re.compile(rb"behindDoc=\"(?:1|true)\"|<w:background |z-index: ?-")
_PAPER = "FFFFFF"
_SMALLEST = 4
"""Half points: smaller letters are read by nobody."""


def read(data: bytes, name: str, settings: ReadingSettings) -> Layout:
    """The layout of a Word document; raises UnreadableError when it is damaged or locked."""
    package = open_package(data, "word/document.xml")
    walker = _Walker(package)
    root = package.part(package.main)
    draft = Draft()
    if root is not None:
        walker.page = 1 if next(root.iter(f"{W}lastRenderedPageBreak"), None) is not None else 0
        pour(walker.walk(root), draft)
    walker.page = 0
    _add_notes(package, walker, draft)
    _add_margins(package, root, walker, draft)
    _count_comments(package, walker.removed)
    stated = core_properties(package.archive)
    warnings = (f"parts in other formats in it that are not read: {walker.chunks}",) if walker.chunks else ()
    return draft.layout(stated, walker.removed, warnings=warnings)


@dataclass(frozen=True, slots=True)
class _Look:
    """How letters look; None is what was not said, `shaded` that another colour than white may be behind them."""

    hidden: bool = False
    white: bool | None = None
    tiny: bool | None = None
    shaded: bool = False

    @property
    def unseen(self) -> str:
        """By what name text is counted that nobody sees, "" for what is seen."""
        if self.hidden:
            return "hidden text"
        if self.tiny:
            return "tiny text"
        return "white text" if self.white and not self.shaded else ""


_PLAIN = _Look()


@dataclass(frozen=True, slots=True)
class _Style:
    """A style as far as it matters here; `outline` is None where it says nothing, `listed` a list and a level in it."""

    name: str = ""
    outline: int | None = None
    listed: tuple[int, int] | None = None
    look: _Look = _PLAIN


@dataclass(frozen=True, slots=True)
class _Styles:
    by_id: dict[str, _Style] = field(default_factory=dict)
    default: _Style = _Style()

    def of(self, identifier: str | None) -> _Style:
        if identifier is None:
            return self.default
        # A style that the file does not define is known by its identifier, which most programs make of the name.
        return self.by_id.get(identifier) or _Style(identifier, _outline_of_name(identifier, identifier))


def _read_styles(root: _Element | None) -> _Styles:
    if root is None:
        return _Styles()
    elements = {element.get(f"{W}styleId", ""): element for element in root.iter(f"{W}style")}
    resolved: dict[str, _Style] = {}
    for identifier in elements:
        chain: list[str] = []
        at = identifier
        while at in elements and at not in resolved and at not in chain:
            chain.append(at)
            at = _value(elements[at].find(f"{W}basedOn"))
        style = resolved.get(at, _Style())
        for below in reversed(chain):
            style = resolved[below] = _derived(elements[below], below, style)
    default = next(
        (
            resolved[identifier]
            for identifier, element in elements.items()
            if element.get(f"{W}type") == "paragraph" and on(element, f"{W}default") and element.get(f"{W}default")
        ),
        _Style(),
    )
    return _Styles(resolved, default)


def _derived(element: _Element, identifier: str, base: _Style) -> _Style:
    name = _value(element.find(f"{W}name")) or identifier
    outline = _number(element.find(f"{W}pPr/{W}outlineLvl"))
    named = _outline_of_name(name, identifier)
    return _Style(
        name,
        outline if outline is not None else named if named is not None else base.outline,
        _listed(element.find(f"{W}pPr/{W}numPr"), base.listed),
        _look_of_style(element, base.look),
    )


def _joint(paragraph: _Look, letters: _Look) -> _Look:
    """The look of a paragraph's letters in a style of their own."""
    if letters is _PLAIN:
        return paragraph
    return _Look(
        paragraph.hidden or letters.hidden,
        paragraph.white if letters.white is None else letters.white,
        paragraph.tiny if letters.tiny is None else letters.tiny,
        paragraph.shaded or letters.shaded,
    )


def _outline_of_name(name: str, identifier: str) -> int | None:
    found = _HEADING_STYLE.fullmatch(name) or _HEADING_ID.fullmatch(identifier)
    if found:
        return int(found[1]) - 1
    return 0 if name.lower() in _TITLE_STYLES else None


def _listed(properties: _Element | None, inherited: tuple[int, int] | None) -> tuple[int, int] | None:
    """The list of a paragraph and its level in it, or None when it is in none."""
    if properties is None:
        return inherited
    list_id = _number(properties.find(f"{W}numId"))
    level = _number(properties.find(f"{W}ilvl"))
    if list_id is None:
        return None if inherited is None else (inherited[0], level or 0)
    return (list_id, level or 0) if list_id else None


def _look(properties: _Element | None, base: _Look) -> _Look:
    """How letters look with these properties on top of `base`."""
    if properties is None:
        return base
    hidden, white, tiny, shaded = base.hidden, base.white, base.tiny, base.shaded
    for element in properties:
        tag = element.tag
        if tag == _VANISH:
            hidden = on(element, _VAL)
        elif tag == _COLOUR:
            white = (element.get(_VAL) or "").upper() == _PAPER
        elif tag == _SIZE:
            size = _number(element)
            tiny = size is not None and size < _SMALLEST
        elif tag == _SHADE:
            shaded = _is_shade(element)
        elif tag == _HIGHLIGHT:
            shaded = shaded or (element.get(_VAL) or "none") not in ("none", "white")
        elif tag == _FILLED:
            white = False  # letters of a pattern or with a line around them
    if (hidden, white, tiny, shaded) == (base.hidden, base.white, base.tiny, base.shaded):
        return base
    return _Look(hidden, white, tiny, shaded)


def _look_of_style(element: _Element, base: _Look) -> _Look:
    look = _with_shade(_look(element.find(f"{W}rPr"), base), element.find(f"{W}pPr"))
    if element.get(f"{W}type") == "table" and any(_is_shade(shade) for shade in element.iter(_SHADE)):
        return replace(look, shaded=True)
    return look


def _with_shade(look: _Look, properties: _Element | None) -> _Look:
    """The look of letters in a paragraph with these properties."""
    shade = None if properties is None else next(properties.iterchildren(_SHADE), None)
    return look if shade is None else replace(look, shaded=look.shaded or _is_shade(shade))


def _is_shade(element: _Element) -> bool:
    """Whether a shade is another than white."""
    if element.get(_VAL, "clear") not in ("clear", "nil") or element.get(f"{W}themeFill"):
        return True
    return (element.get(f"{W}fill") or "auto").upper() not in (_PAPER, "AUTO")


@dataclass(slots=True)
class _Paragraph:
    """A paragraph while it is open; `beside` are the text boxes that hang on it."""

    line: Line
    look: _Look = _PLAIN
    joined: bool = False
    pieces: list[str] = field(default_factory=list)
    beside: Story = field(default_factory=list)


@dataclass(slots=True)
class _Frame:
    """What holds paragraphs: the body, a cell, a text box, a note.

    `fields` are the fields that are open in it, True while their code is read, `codes` how many of these there are;
    `carried` is the text of paragraphs whose end was deleted.
    """

    element: _Element | None
    in_box: bool = False
    shaded: bool = False
    story: Story = field(default_factory=list)
    paragraphs: list[_Paragraph] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    fields: list[bool] = field(default_factory=list)
    codes: int = 0
    carried: list[str] = field(default_factory=list)


_LEFT_OUT = tuple(
    f"{W}{name}"
    for name in (
        "pPr", "rPr", "tblPr", "tblGrid", "tblPrEx", "trPr", "tcPr", "sdtPr", "sdtEndPr", "sectPr", "instrText",
        "delInstrText", "rt", "ffData",
    )
)  # fmt: skip
_DELETED = frozenset(W + name for name in ("del", "moveFrom", "delText"))
_CHARACTERS = {
    f"{W}tab": "\t",
    f"{W}ptab": "\t",
    f"{W}cr": "\n",
    f"{W}noBreakHyphen": "\u2011",
}
_NOTES = {f"{W}footnoteReference": "footnotes", f"{W}endnoteReference": "endnotes"}


class _Walker:
    """One pass over a part: its paragraphs and tables, and which notes it refers to."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.relations = package.relations(package.main)
        self.styles = _read_styles(package.related(package.main, "styles"))
        self.numbering = read_numbering(package.related(package.main, "numbering"))
        self.removed: Counter[str] = Counter()
        self.notes: dict[tuple[str, str], None] = {}
        self.page = 0
        self.chunks = 0
        self.boxes = 0
        self.behind: bool | None = None
        self.frames: list[_Frame] = []
        self.enter: dict[str, Callable[[Any], bool | None]] = {
            f"{W}p": self._enter_paragraph,
            f"{W}r": self._enter_run,
            f"{W}t": self._enter_text,
            f"{_M}t": self._enter_text,
            f"{W}br": self._enter_break,
            f"{W}sym": self._enter_symbol,
            f"{W}tbl": self._enter_table,
            f"{W}tr": self._enter_row,
            f"{W}tc": self._enter_cell,
            f"{W}txbxContent": self._enter_box,
            f"{W}sdt": self._enter_control,
            f"{W}fldChar": self._enter_field,
            f"{W}lastRenderedPageBreak": self._enter_page,
            f"{W}altChunk": self._enter_chunk,
            f"{CHART}chart": self._enter_drawing,
            f"{DIAGRAM}relIds": self._enter_drawing,
            f"{MC}Choice": self._enter_alternative,
            f"{MC}Fallback": self._enter_alternative,
            **dict.fromkeys(_LEFT_OUT, self._leave_out),
            **dict.fromkeys(_DELETED, self._enter_deleted),
            **dict.fromkeys(_CHARACTERS, self._enter_character),
            **dict.fromkeys(_NOTES, self._enter_note),
        }
        self.leave: dict[str, Callable[[Any], None]] = {
            f"{W}p": self._leave_paragraph,
            f"{W}tbl": self._leave_table,
            f"{W}tc": self._leave_frame,
            f"{W}txbxContent": self._leave_frame,
        }

    def walk(self, root: _Element) -> Story:
        """The story of everything below `root`."""
        from lxml import etree

        body = _Frame(None)
        self.frames = [body]
        walk = etree.iterwalk(root, events=("start", "end"))
        for event, element in walk:
            if event == "start":
                enter = self.enter.get(element.tag)
                if enter is not None and enter(element):
                    walk.skip_subtree()
            else:
                leave = self.leave.get(element.tag)
                if leave is not None:
                    leave(element)
        self._end_carried(body)
        return body.story

    def _end_carried(self, frame: _Frame) -> None:
        """The text of a last paragraph whose end was deleted."""
        if frame.carried:
            frame.story.append(Line("".join(frame.carried).strip()))

    def _say(self, text: str) -> None:
        frame = self.frames[-1]
        if not frame.paragraphs or frame.codes:
            return
        paragraph = frame.paragraphs[-1]
        if self.page and not paragraph.line.place:
            paragraph.line.place = f"p. {self.page}"
        paragraph.pieces.append(text)

    def _enter_paragraph(self, element: _Element) -> None:
        properties = element.find(f"{W}pPr")
        if properties is None:
            style = self.styles.default
            line = self._line(style, None, None)
            joined = False
        else:
            identifier = properties.find(f"{W}pStyle")
            style = self.styles.of(None if identifier is None else _value(identifier))
            line = self._line(style, properties.find(f"{W}outlineLvl"), properties.find(f"{W}numPr"))
            joined = properties.find(f"{W}rPr/{W}del") is not None
        frame = self.frames[-1]
        look = _with_shade(style.look, properties)
        frame.paragraphs.append(_Paragraph(line, replace(look, shaded=True) if frame.shaded else look, joined))

    def _line(self, style: _Style, outline: _Element | None, numbering: _Element | None) -> Line:
        if _CONTENTS.fullmatch(style.name):
            return Line("", rule="docx:contents")
        listed = _listed(numbering, style.listed)
        label = self.numbering.label(*listed) if listed else ""
        level = _number(outline) if outline is not None else style.outline
        if level is not None and 0 <= level < 9:
            return Line("", "heading", level + 1, label=label)
        if listed:
            deeper = _DEEPER_LIST.search(style.name)
            return Line("", "list", listed[1] or (int(deeper[1]) - 1 if deeper else 0), label=label)
        kind: BlockKind = "code" if _CODE.fullmatch(style.name) else "text"
        return Line("", kind)

    def _leave_paragraph(self, element: _Element) -> None:
        frame = self.frames[-1]
        if not frame.paragraphs:
            return
        paragraph = frame.paragraphs.pop()
        # A field whose code has no end would swallow the rest of the document.
        if frame.codes:
            frame.fields = [code for code in frame.fields if not code]
            frame.codes = 0
        if paragraph.joined:
            frame.carried.extend(paragraph.pieces)
        else:
            line = paragraph.line
            line.text = "".join([*frame.carried, *paragraph.pieces]).strip()
            frame.carried = []
            if line.kind == "heading" and len(line.text) > _LONGEST_HEADING:
                line.kind = "text"
            frame.story.append(line)
        frame.story.extend(paragraph.beside)

    def _enter_run(self, element: _Element) -> bool:
        # Faster than `find`, and there are many runs.
        properties = next(element.iterchildren(_RUN_LOOKS), None)
        frame = self.frames[-1]
        look = frame.paragraphs[-1].look if frame.paragraphs else _PLAIN
        if properties is not None:
            style = next(properties.iterchildren(_RUN_STYLE), None)
            if style is not None:
                look = _joint(look, self.styles.of(_value(style)).look)
            look = _look(properties, look)
        if look is _PLAIN:
            return False
        unseen = look.unseen
        if unseen == "white text" and self._painted_behind():
            return False
        if unseen and next(element.iter(f"{W}t"), None) is not None:
            self.removed[unseen] += 1
        return bool(unseen)

    def _painted_behind(self) -> bool:
        """Whether anything in the document lies behind its text: what stands on it is not known."""
        if self.behind is None:
            names = [self.package.main, *(one.target for one in self.relations.values() if one.kind == "header")]
            archive = self.package.archive
            self.behind = any(_BEHIND.search(archive.read(name)) for name in names if name in archive)
        return self.behind

    def _enter_text(self, element: _Element) -> None:
        text = element.text
        if text:
            self._say(_WHITE.sub(" ", text))

    def _enter_character(self, element: _Element) -> None:
        self._say(_CHARACTERS[element.tag])

    def _enter_break(self, element: _Element) -> None:
        self._say("\n" if element.get(f"{W}type", "textWrapping") == "textWrapping" else " ")

    def _enter_symbol(self, element: _Element) -> None:
        self._say(symbol(element.get(f"{W}font", ""), _hexadecimal(element.get(f"{W}char", ""))))

    def _enter_page(self, element: _Element) -> None:
        self.page += bool(self.page) and not self.boxes

    def _enter_chunk(self, element: _Element) -> None:
        relation = self.relations.get(element.get(f"{R}id", ""))
        known = relation is not None and relation.target in self.package.archive
        story = chunk_story(self.package.archive.read(relation.target)) if relation and known else None
        if story is None:
            self.chunks += 1
        else:
            self.frames[-1].story.extend(story)

    def _enter_drawing(self, element: _Element) -> None:
        """A chart or a diagram, which have parts of their own."""
        is_chart = element.tag == f"{CHART}chart"
        relation = self.relations.get(element.get(f"{R}id" if is_chart else f"{R}dm", ""))
        root = self.package.once(relation.target) if relation else None
        story = chart_story(root) if is_chart else diagram_story(root)
        frame = self.frames[-1]
        (frame.paragraphs[-1].beside if frame.paragraphs else frame.story).extend(story)

    def _enter_note(self, element: _Element) -> None:
        self.notes[_NOTES[element.tag], element.get(f"{W}id", "")] = None

    def _enter_field(self, element: _Element) -> bool:
        frame = self.frames[-1]
        change = element.get(f"{W}fldCharType")
        if change == "begin":
            frame.fields.append(True)
            frame.codes += 1
        elif frame.fields and change == "separate":
            frame.codes -= frame.fields[-1]
            frame.fields[-1] = False
        elif frame.fields and change == "end":
            frame.codes -= frame.fields.pop()
        return True

    def _enter_control(self, element: _Element) -> bool:
        properties = element.find(f"{W}sdtPr")
        placeholder = properties is not None and on(properties.find(f"{W}showingPlcHdr"), _VAL)
        self.removed["placeholder"] += placeholder
        return placeholder

    def _enter_alternative(self, element: _Element) -> bool:
        return not chosen(element)

    def _leave_out(self, element: _Element) -> bool:
        return True

    def _enter_deleted(self, element: _Element) -> bool:
        self.removed["deleted text"] += next(element.iter(f"{W}delText", f"{W}t"), None) is not None
        return True

    def _enter_table(self, element: _Element) -> None:
        grid = Grid()
        frame = self.frames[-1]
        frame.grids.append(grid)
        frame.story.append(grid)

    def _leave_table(self, element: _Element) -> None:
        grids = self.frames[-1].grids
        if grids:
            grids.pop()

    def _enter_row(self, element: _Element) -> bool:
        deleted = element.find(f"{W}trPr/{W}del") is not None
        self.removed["deleted text"] += deleted
        grids = self.frames[-1].grids
        if grids and not deleted:
            grids[-1].rows.append([])
        return deleted

    def _enter_cell(self, element: _Element) -> None:
        grids = self.frames[-1].grids
        if grids and grids[-1].rows:
            frame = _Frame(element, shaded=self._is_shaded(element))
            grids[-1].rows[-1].append(frame.story)
            self.frames.append(frame)

    def _is_shaded(self, cell: _Element) -> bool:
        """Whether a cell is, or may be, painted: by itself, its table, the style of that, or what is around."""
        shade = cell.find(f"{W}tcPr/{W}shd")
        if shade is not None and (shade.get(f"{W}fill") or "auto").lower() != "auto":
            return _is_shade(shade)
        table = next(cell.iterancestors(f"{W}tbl"), None)
        properties = None if table is None else table.find(f"{W}tblPr")
        style = None if properties is None else properties.find(f"{W}tblStyle")
        painted = style is not None and self.styles.of(_value(style)).look.shaded
        return self.frames[-1].shaded or painted or (properties is not None and properties.find(_SHADE) is not None)

    def _enter_box(self, element: _Element) -> None:
        self.boxes += 1
        # How the box is filled is not asked.
        self.frames.append(_Frame(element, in_box=True, shaded=True))

    def _leave_frame(self, element: _Element) -> None:
        frame = self.frames[-1]
        if frame.element is not element:
            return
        self.frames.pop()
        self._end_carried(frame)
        if frame.in_box:
            self.boxes -= 1
            outer = self.frames[-1]
            (outer.paragraphs[-1].beside if outer.paragraphs else outer.story).extend(frame.story)


def _add_notes(package: Package, walker: _Walker, draft: Draft) -> None:
    """The foot- and endnotes that the text refers to, in its order."""
    wanted = tuple(walker.notes)
    for kind, word in (("footnotes", "note"), ("endnotes", "endnote")):
        identifiers = [identifier for one, identifier in wanted if one == kind]
        root = package.related(package.main, kind) if identifiers else None
        if root is None:
            continue
        elements = {element.get(f"{W}id"): element for element in root}
        for number, identifier in enumerate(identifiers, start=1):
            if identifier in elements:
                pour(placed(walker.walk(elements[identifier]), f"{word} {number}"), draft)


def _add_margins(package: Package, root: _Element | None, walker: _Walker, draft: Draft) -> None:
    """Headers, then footers, each text once."""
    if root is None:
        return
    relations = package.relations(package.main)
    for kind in ("header", "footer"):
        seen: set[str] = set()
        for reference in root.iter(f"{W}{kind}Reference"):
            relation = relations.get(reference.get(f"{R}id", ""))
            part = package.once(relation.target) if relation else None
            if part is None:
                continue
            lines = Draft()
            pour(walker.walk(part), lines)
            text = lines.text.replace("\n\n", "\n")
            if text not in seen:
                seen.add(text)
                draft.add(text, rule=f"docx:{kind}")


def _count_comments(package: Package, removed: Counter[str]) -> None:
    root = package.related(package.main, "comments")
    if root is not None:
        removed["comment"] += sum(1 for _ in root.iter(f"{W}comment"))


def _value(element: _Element | None) -> str:
    return "" if element is None else (element.get(_VAL) or "")


def _number(element: _Element | None) -> int | None:
    value = _value(element)
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


def _hexadecimal(text: str) -> int:
    return int(text, 16) if re.fullmatch(r"[0-9A-Fa-f]{1,6}", text) else 0

"""What text documents and presentations of the OpenDocument format have in common: parts, styles and the flow of text.

A file is a ZIP archive, or one XML file that holds all of its parts ("flat"). The XML is walked once, never by
recursion. What a reader of the page does not see is left out and counted: deleted and hidden text, comments,
placeholders.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rag_geo.readers.archives import open_archive, parse_xml
from rag_geo.readers.blocks import UnreadableError
from rag_geo.readers.flow import LONG_ITEM, Grid, Line, Story
from rag_geo.readers.metadata import Metadata, clean
from rag_geo.readers.numbering import OUTLINE, OdfList, read_odf_numbering
from rag_geo.readers.ooxml import stated
from rag_geo.records import BlockKind

if TYPE_CHECKING:
    from lxml.etree import _Element

_URN = "urn:oasis:names:tc:opendocument:xmlns"
OFFICE = f"{{{_URN}:office:1.0}}"
TEXT = f"{{{_URN}:text:1.0}}"
TABLE = f"{{{_URN}:table:1.0}}"
DRAW = f"{{{_URN}:drawing:1.0}}"
STYLE = f"{{{_URN}:style:1.0}}"
PRESENTATION = f"{{{_URN}:presentation:1.0}}"
SVG = f"{{{_URN}:svg-compatible:1.0}}"
_FO = f"{{{_URN}:xsl-fo-compatible:1.0}}"
_META = f"{{{_URN}:meta:1.0}}"
_DC = "{http://purl.org/dc/elements/1.1/}"

_SPACES = re.compile(r"[ \t\r\n]+")
_POINTS = re.compile(r"(\d{1,4}(?:\.\d{1,9})?)pt")
_PAPER = "#ffffff"
WHITE_TEXT = "white text"
_SMALLEST = 2.0
"""Points: smaller letters are read by nobody."""

_MOST_REPEATED = 100
_MOST_COLUMNS = 20
_HEADING_STYLE = re.compile(r"Heading(?:_20_| )?([1-9])")
_TITLE_STYLES = ("Title", "Titel")
_CODE_STYLES = ("Preformatted_20_Text", "Preformatted_Text", "Source_20_Code", "Source_Code", "Code")


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """The roots of the parts; one is None where the file has no such part. In a flat file all are the same."""

    content: _Element
    styles: _Element | None
    meta: _Element | None


def open_odf(data: bytes) -> OpenDocument:
    """The parts in `data`; raises UnreadableError when they are damaged, locked, or the text is missing."""
    if not data.startswith(b"PK"):
        root = parse_xml(data, "the XML")
        return OpenDocument(root, root, root)
    archive = open_archive(data)
    if "encrypted-package" in archive:
        raise UnreadableError("needs a password")
    manifest = archive.read("META-INF/manifest.xml") if "META-INF/manifest.xml" in archive else b""
    if b"encryption-data" in manifest:
        raise UnreadableError("needs a password")
    styles = archive.xml("styles.xml") if "styles.xml" in archive else None
    return OpenDocument(archive.xml("content.xml"), styles, archive.xml("meta.xml") if "meta.xml" in archive else None)


def properties(root: _Element | None) -> Metadata:
    """Title, author, date (of creation, or else of the last change) and keywords that the file states."""
    if root is None:
        return Metadata()
    element = next(root.iter(f"{OFFICE}meta"), None)
    fields: dict[str, list[str]] = {}
    for child in () if element is None else element:
        if child.text:
            fields.setdefault(child.tag, []).append(clean(child.text))

    def first(*tags: str) -> str:
        return next((fields[tag][0] for tag in tags if tag in fields), "")

    return stated(
        title=first(f"{_DC}title"),
        author=first(f"{_META}initial-creator", f"{_DC}creator"),
        dates=(first(f"{_META}creation-date"), first(f"{_DC}date")),
        rest={
            "subject": first(f"{_DC}subject"),
            "keywords": ", ".join(fields.get(f"{_META}keyword", ())),
            "description": first(f"{_DC}description"),
        },
    )


@dataclass(frozen=True, slots=True)
class Style:
    """A style as far as it matters here: `names` are its own and those it is based on, nearest first.

    `breaks` tells that a new page begins before it, `visible` is False for text and slides that are not shown. Of
    letters it says whether they are white, tiny and painted behind; None is what it does not say.
    """

    names: tuple[str, ...] = ()
    breaks: bool = False
    visible: bool = True
    white: bool | None = None
    tiny: bool | None = None
    shaded: bool | None = None

    @property
    def kind(self) -> BlockKind:
        """What kind of block a paragraph of this style is."""
        if self.level:
            return "heading"
        return "code" if any(name in _CODE_STYLES for name in self.names) else "text"

    @property
    def level(self) -> int:
        """The depth of the headings of this style, 0 where it is none of headings."""
        for name in self.names:
            found = _HEADING_STYLE.fullmatch(name)
            if found:
                return int(found[1])
        return 1 if any(name in _TITLE_STYLES for name in self.names) else 0


class Styles:
    """The styles of a file by family ("paragraph") and name."""

    def __init__(self, *roots: _Element | None) -> None:
        self.numbering = read_odf_numbering(roots)
        self.elements: dict[tuple[str, str], _Element] = {}
        self.known: dict[tuple[str, str], Style] = {}
        self.painted = any(_is_painted(root) for root in roots if root is not None)
        for root in roots:
            for element in () if root is None else root.iter(f"{STYLE}style"):
                key = element.get(f"{STYLE}family", ""), element.get(f"{STYLE}name", "")
                self.elements.setdefault(key, element)

    def of(self, family: str, name: str | None) -> Style:
        """The style of that name; one that is not defined has nothing but its name."""
        if not name:
            return Style()
        chain: list[tuple[str, str]] = []
        key = family, name
        while key not in self.known and key in self.elements and key not in chain:
            chain.append(key)
            key = family, self.elements[key].get(f"{STYLE}parent-style-name", "")
        style = self.known.get(key) or Style((key[1],) if key[1] else ())
        for key in reversed(chain):
            style = self.known[key] = _derived(key[1], self.elements[key], style)
        return style


def _is_painted(root: _Element) -> bool:
    """Whether pages, or shapes behind the text, are painted: what text stands on is not known."""
    pages = root.iter(f"{STYLE}page-layout-properties", f"{STYLE}background-image", f"{STYLE}graphic-properties")
    for page in pages:
        ground = page.get(f"{_FO}background-color") or "transparent"
        behind = page.get(f"{STYLE}run-through") == "background" or page.tag == f"{STYLE}background-image"
        if page.tag != f"{STYLE}graphic-properties" and ground.lower() not in ("transparent", _PAPER):
            return True
        if behind and (page.tag == f"{STYLE}graphic-properties" or len(page.attrib) > 0):
            return True
    return False


def _derived(name: str, element: _Element, base: Style) -> Style:
    breaks = bool(element.get(f"{STYLE}master-page-name"))
    visible = base.visible
    white, tiny, shaded = base.white, base.tiny, base.shaded
    for child in element:
        breaks = breaks or child.get(f"{_FO}break-before") == "page"
        visible = visible and child.get(f"{TEXT}display") != "none"
        visible = visible and child.get(f"{PRESENTATION}visibility") != "hidden"
        white, tiny, shaded = _looks(child, white, tiny, shaded)
    return Style((name, *base.names), breaks, visible, white, tiny, shaded)


_Said = bool | None


def _looks(properties: _Element, white: _Said, tiny: _Said, shaded: _Said) -> tuple[_Said, _Said, _Said]:
    """What the properties of a style say of the letters, or else what was said before."""
    colour, size = properties.get(f"{_FO}color"), properties.get(f"{_FO}font-size")
    ground = properties.get(f"{_FO}background-color")
    if colour:
        white = colour.lower() == _PAPER
    if size:
        found = _POINTS.fullmatch(size)
        tiny = found is not None and float(found[1]) < _SMALLEST
    if ground:
        # A clear ground of letters leaves what is behind the paragraph.
        shaded = shaded if ground == "transparent" else ground.lower() != _PAPER
    if properties.get(f"{DRAW}fill", "none") != "none":
        shaded = True
    return white, tiny, shaded


@dataclass(slots=True)
class _Open:
    """A paragraph while it is open; `beside` are the text boxes that hang on it."""

    line: Line
    continues: Line | None = None
    visible: bool = True
    looks: list[Style] = field(default_factory=list)
    unseen: str = ""
    pieces: list[str] = field(default_factory=list)
    beside: Story = field(default_factory=list)


@dataclass(slots=True)
class _Item:
    """The item of a list that is open: its label, and the line it began with."""

    of: OdfList
    label: str = ""
    line: Line | None = None


@dataclass(slots=True)
class _Frame:
    """What holds paragraphs: the body, a cell, a text box, a note; `items` are the items that are open in it."""

    element: _Element | None
    story: Story = field(default_factory=list)
    paragraphs: list[_Open] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    items: list[_Item] = field(default_factory=list)


_BOXES = tuple(
    f"{DRAW}{name}"
    for name in (
        "text-box", "custom-shape", "rect", "line", "ellipse", "circle", "polyline", "polygon", "path", "connector",
        "caption", "measure", "regular-polygon",
    )
)  # fmt: skip
_INDEXES = ("table-of-content", "illustration-index", "table-index", "object-index", "user-index", "alphabetical-index")
_LEFT_OUT = (
    *(f"{TEXT}{name}-source" for name in (*_INDEXES, "bibliography")),
    *(f"{TEXT}{name}" for name in ("note-citation", "ruby-text", "script", "dde-connection-decls")),
    *(f"{OFFICE}{name}" for name in ("forms", "scripts", "meta", "styles", "automatic-styles", "master-styles")),
    *(f"{OFFICE}{name}" for name in ("font-face-decls", "settings", "event-listeners", "binary-data")),
    *(f"{SVG}{name}" for name in ("title", "desc")),
    *(f"{DRAW}{name}" for name in ("object", "object-ole", "image", "plugin", "applet")),
    f"{PRESENTATION}notes",
)
_COUNTED = {
    f"{OFFICE}annotation": "comment",
    f"{TEXT}hidden-text": "hidden text",
    f"{TEXT}hidden-paragraph": "hidden text",
    f"{TEXT}placeholder": "placeholder",
}


class Walker:
    """One pass over the text below an element: its paragraphs, lists and tables; its notes apart.

    `notes` are the stories of the notes by their class ("footnote"), in order. `page` counts the pages, from 1; with 0
    it is not known where they break.
    """

    def __init__(self, styles: Styles) -> None:
        self.styles = styles
        self.numbering = styles.numbering
        self.outline = OdfList(OUTLINE)
        self.removed: Counter[str] = Counter()
        self.notes: dict[str, list[Story]] = {"footnote": [], "endnote": []}
        self.page = 0
        self.rules: list[str] = []
        self.frames: list[_Frame] = []
        self.boxes = 0
        self.begun = False
        self.enter: dict[str, Callable[[Any], bool | None]] = {
            f"{TEXT}p": self._enter_paragraph,
            f"{TEXT}h": self._enter_paragraph,
            f"{TEXT}span": self._enter_span,
            f"{TEXT}s": self._enter_space,
            f"{TEXT}tab": self._enter_tab,
            f"{TEXT}line-break": self._enter_line_break,
            f"{TEXT}list": self._enter_list,
            f"{TEXT}numbered-paragraph": self._enter_list,
            f"{TEXT}list-item": self._enter_item,
            f"{TEXT}section": self._enter_section,
            f"{TEXT}tracked-changes": self._enter_changes,
            f"{TEXT}note": self._enter_box,
            f"{TEXT}soft-page-break": self._enter_page,
            f"{TABLE}table": self._enter_table,
            f"{TABLE}sub-table": self._enter_table,
            f"{TABLE}table-row": self._enter_row,
            f"{TABLE}table-cell": self._enter_cell,
            f"{TABLE}covered-table-cell": self._enter_cell,
            **dict.fromkeys(_BOXES, self._enter_box),
            **dict.fromkeys(_LEFT_OUT, self._leave_out),
            **dict.fromkeys(_COUNTED, self._enter_counted),
            **dict.fromkeys((f"{TEXT}{name}" for name in _INDEXES), self._enter_index),
        }
        self.leave: dict[str, Callable[[Any], None]] = {
            f"{TEXT}p": self._leave_paragraph,
            f"{TEXT}h": self._leave_paragraph,
            f"{TEXT}span": self._leave_span,
            f"{TEXT}list": self._leave_list,
            f"{TEXT}numbered-paragraph": self._leave_list,
            f"{TEXT}note": self._leave_note,
            f"{TABLE}table": self._leave_table,
            f"{TABLE}sub-table": self._leave_table,
            f"{TABLE}table-cell": self._leave_cell,
            f"{TABLE}covered-table-cell": self._leave_cell,
            **dict.fromkeys(_BOXES, self._leave_box),
            **dict.fromkeys((f"{TEXT}{name}" for name in _INDEXES), self._leave_index),
        }

    def walk(self, root: _Element) -> Story:
        """The story of everything below `root`."""
        from lxml import etree

        body = _Frame(None)
        self.frames = [body]
        self.rules = []
        walk = etree.iterwalk(root, events=("start", "end"))
        for event, element in walk:
            if event == "start":
                enter = self.enter.get(element.tag)
                if enter is not None and enter(element):
                    walk.skip_subtree()
                elif element.text:
                    self._say(element.text)
            else:
                leave = self.leave.get(element.tag)
                if leave is not None:
                    leave(element)
                if element.tail and element is not root:
                    self._say(element.tail)
        return body.story

    def _say(self, text: str, *, kept: bool = False) -> None:
        """Add text to the open paragraph, white space as the format has it: a run of it is one space."""
        frame = self.frames[-1]
        if not frame.paragraphs:
            return
        paragraph = frame.paragraphs[-1]
        if not paragraph.visible:
            return
        if paragraph.unseen and self._is_unseen(paragraph):
            self.removed[paragraph.unseen] += not text.isspace()
            return
        if not kept:
            text = _SPACES.sub(" ", text)
            if text[:1] == " " and (not paragraph.pieces or paragraph.pieces[-1].endswith((" ", "\n", "\t"))):
                text = text[1:]
        if not text:
            return
        if self.page and not paragraph.line.place:
            paragraph.line.place = f"p. {self.page}"
        paragraph.pieces.append(text)

    def _enter_paragraph(self, element: _Element) -> None:
        style = self.styles.of("paragraph", element.get(f"{TEXT}style-name"))
        self._break_page(style)
        frame = self.frames[-1]
        line = Line("", style.kind, style.level)
        continues = None
        if element.tag == f"{TEXT}h":
            line.kind, line.level = "heading", _count(element.get(f"{TEXT}outline-level"))
            line.label = self._heading_label(element, line.level)
        elif frame.items and not frame.paragraphs:
            item = frame.items[-1]
            line.kind, line.level, line.label = "list", len(frame.items) - 1, item.label
            continues = item.line
        if self.rules:
            line = Line("", rule=self.rules[-1])
        if not style.visible:
            self.removed["hidden text"] += 1
        frame.paragraphs.append(_Open(line, continues, style.visible, [style], _unseen([style])))

    def _leave_paragraph(self, element: _Element) -> None:
        frame = self.frames[-1]
        if not frame.paragraphs:
            return
        paragraph = frame.paragraphs.pop()
        line = paragraph.line
        line.text = "".join(paragraph.pieces)
        if line.kind != "code":
            line.text = line.text.strip()
        if paragraph.continues is not None and len(paragraph.continues.text) <= LONG_ITEM:
            paragraph.continues.text = f"{paragraph.continues.text}\n{line.text}".strip()
        else:
            if paragraph.continues is not None:
                line.kind, line.level, line.label = "text", 0, ""
            elif line.kind == "list" and frame.items:
                frame.items[-1].line = line
            frame.story.append(line)
        frame.story.extend(paragraph.beside)

    def _enter_span(self, element: _Element) -> bool:
        style = self.styles.of("text", element.get(f"{TEXT}style-name"))
        self.removed["hidden text"] += not style.visible
        if self.frames[-1].paragraphs:
            paragraph = self.frames[-1].paragraphs[-1]
            paragraph.looks.append(style)
            paragraph.unseen = _unseen(paragraph.looks)
        return not style.visible

    def _leave_span(self, element: _Element) -> None:
        paragraphs = self.frames[-1].paragraphs
        if paragraphs and len(paragraphs[-1].looks) > 1:
            paragraphs[-1].looks.pop()
            paragraphs[-1].unseen = _unseen(paragraphs[-1].looks)

    def _is_unseen(self, paragraph: _Open) -> bool:
        """Whether the text that is said now is unseen: how boxes, cells and pages are painted is not asked."""
        if paragraph.unseen != WHITE_TEXT:
            return True
        return not self.boxes and not any(frame.grids for frame in self.frames) and not self.styles.painted

    def _enter_space(self, element: _Element) -> None:
        self._say(" " * min(_count(element.get(f"{TEXT}c")), _MOST_REPEATED), kept=True)

    def _enter_tab(self, element: _Element) -> None:
        self._say("\t", kept=True)

    def _enter_line_break(self, element: _Element) -> None:
        self._say("\n", kept=True)

    def _heading_label(self, element: _Element, level: int) -> str:
        items = self.frames[-1].items
        if items:
            return items[-1].label
        if element.get(f"{TEXT}is-list-header") == "true":
            return ""
        return self.numbering.label(self.outline, level, element.get(f"{TEXT}start-value"))

    def _enter_list(self, element: _Element) -> None:
        items = self.frames[-1].items
        one = self.numbering.begin(element, items[-1].of if items else None)
        items.append(_Item(one))
        if element.tag == f"{TEXT}numbered-paragraph":
            items[-1].label = self.numbering.label(one, _count(element.get(f"{TEXT}level")), None)

    def _leave_list(self, element: _Element) -> None:
        items = self.frames[-1].items
        if items:
            items.pop()

    def _enter_item(self, element: _Element) -> None:
        items = self.frames[-1].items
        if items:
            one = items[-1].of
            items[-1] = _Item(one, self.numbering.label(one, len(items), element.get(f"{TEXT}start-value")))

    def _enter_section(self, element: _Element) -> bool:
        hidden = bool(element.get(f"{TEXT}display") == "none" or element.get(f"{TEXT}is-hidden") == "true")
        self.removed["hidden text"] += hidden
        return hidden

    def _enter_changes(self, element: _Element) -> bool:
        self.removed["deleted text"] += sum(1 for _ in element.iter(f"{TEXT}deletion"))
        return True

    def _enter_counted(self, element: _Element) -> bool:
        shown = bool(element.get(f"{TEXT}is-hidden") == "false")
        if not shown:
            self.removed[_COUNTED[element.tag]] += 1
        if element.tag == f"{TEXT}hidden-paragraph" and not shown and self.frames[-1].paragraphs:
            paragraph = self.frames[-1].paragraphs[-1]
            paragraph.visible = False
            paragraph.pieces.clear()
        return not shown

    def _leave_out(self, element: _Element) -> bool:
        return True

    def _enter_index(self, element: _Element) -> None:
        self.rules.append("odt:contents")

    def _leave_index(self, element: _Element) -> None:
        self.rules.pop()

    def _enter_page(self, element: _Element) -> None:
        self.page += bool(self.page) and not self.boxes

    def _break_page(self, style: Style) -> None:
        """A page that the style of a paragraph or table of the body begins, unless it is the first."""
        if len(self.frames) > 1 or self.frames[0].paragraphs or self.frames[0].grids:
            return
        if self.page and style.breaks and self.begun:
            self.page += 1
        self.begun = True

    def _enter_table(self, element: _Element) -> None:
        self._break_page(self.styles.of("table", element.get(f"{TABLE}style-name")))
        grid = Grid()
        self.frames[-1].grids.append(grid)
        self.frames[-1].story.append(grid)

    def _leave_table(self, element: _Element) -> None:
        self.frames[-1].grids.pop()

    def _enter_row(self, element: _Element) -> None:
        if self.frames[-1].grids:
            self.frames[-1].grids[-1].rows.append([])

    def _enter_cell(self, element: _Element) -> None:
        self.frames.append(_Frame(element))

    def _leave_cell(self, element: _Element) -> None:
        frame = self.frames.pop()
        grids = self.frames[-1].grids
        if grids and grids[-1].rows:
            # Only empty cells: a few bytes would be many megabytes of text.
            repeated = 1 if frame.story else _count(element.get(f"{TABLE}number-columns-repeated"))
            grids[-1].rows[-1].extend([frame.story] * min(repeated, _MOST_COLUMNS))
        else:
            self.frames[-1].story.extend(frame.story)

    def _enter_box(self, element: _Element) -> None:
        self.boxes += 1
        self.frames.append(_Frame(element))

    def _leave_box(self, element: _Element) -> None:
        self.boxes -= 1
        frame = self.frames.pop()
        outer = self.frames[-1]
        (outer.paragraphs[-1].beside if outer.paragraphs else outer.story).extend(frame.story)

    def _leave_note(self, element: _Element) -> None:
        self.boxes -= 1
        frame = self.frames.pop()
        self.notes["endnote" if element.get(f"{TEXT}note-class") == "endnote" else "footnote"].append(frame.story)


def _unseen(looks: list[Style]) -> str:
    """By what name text is counted that nobody sees, of styles from the paragraph inwards; "" for what is seen."""
    white = tiny = shaded = False
    for style in looks:
        white = white if style.white is None else style.white
        tiny = tiny if style.tiny is None else style.tiny
        shaded = shaded or bool(style.shaded)
    return "tiny text" if tiny else WHITE_TEXT if white and not shaded else ""


def _count(text: str | None) -> int:
    """A number that counts something, 1 where there is none."""
    return int(text) if text and text.isascii() and text.isdigit() and 0 < len(text) < 7 else 1

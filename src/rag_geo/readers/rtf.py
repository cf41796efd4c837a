r"""Read Rich Text: its paragraphs, lists, tables and notes, as the control words between the text say.

The file is one pass of tokens; groups are a stack. Text goes where the group says that it is in: the page, a note, a
header, a list's label, or nowhere (pictures, tables of fonts, and every destination marked ``\*`` that is not known).
Where no style says what is a heading, short lines in larger or bold letters are.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from rag_geo.readers.blocks import UnreadableError
from rag_geo.readers.flow import Grid, Line, Story, placed, pour
from rag_geo.readers.layout import Draft, Layout
from rag_geo.readers.metadata import clean
from rag_geo.readers.ooxml import stated
from rag_geo.readers.symbols import symbol
from rag_geo.records import BlockKind
from rag_geo.settings import ReadingSettings

MAX_DEPTH = 5_000
"""Groups nested deeper are not the work of a word processor."""

_TOKEN = re.compile(
    r"([^\\{}]+)|\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])|([{}])|(.)", re.DOTALL
)
_LINE_ENDS = re.compile(r"[\r\n\x00]+")
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_LONE = re.compile("[\ud800-\udfff]")
_WORD = re.compile(r"\w")
# What numbers an item; a lone "o" or "§" is a bullet.
_NUMBER = re.compile(r"(?!o$)\W{0,2}\w{1,12}(?:\W\w{1,6}){0,8}\W{0,2}")
_HEADING_NAME = re.compile(r"(?:heading|überschrift|titre|título|titolo|kop) ?(\d)", re.IGNORECASE)
_TITLES = frozenset(("title", "titel", "titre", "título", "titolo"))
_CONTENTS = re.compile(r"(?:toc|contents|index) ?(?:\d|heading)", re.IGNORECASE)
_CODE = re.compile(r"source ?code|html ?preformatted|preformatted ?text|code(?: ?block)?", re.IGNORECASE)
_CHARACTERS = {
    "tab": "\t", "line": "\n", "emdash": "—", "endash": "–", "emspace": "\u2003", "enspace": "\u2002",
    "qmspace": "\u2005", "bullet": "•", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”",
    "zwj": "\u200d", "zwnj": "\u200c",
}  # fmt: skip
_SYMBOLS = {"~": "\xa0", "_": "\u2011", "{": "{", "}": "}", "\\": "\\", "\t": "\t"}
_CHARSETS = {
    77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "big5", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
    254: "cp437", 255: "cp850",
}  # fmt: skip
_SYMBOL_CHARSET = 2
_NOWHERE = frozenset(
    (
        "pict", "fldinst", "filetbl", "stylesheet", "fonttbl", "info", "listtable", "listoverridetable",
        "pn", "nonshppict", "shprslt", "nonesttables", "nesttableprops", "atnid", "atnauthor", "atndate", "atnref",
        "atrfstart", "atrfend", "annotation", "bkmkstart", "bkmkend", "sp", "objdata", "objclass", "objname", "upr",
        "xe", "tc", "txe", "rxe", "pntxta", "pntxtb", "formfield", "datafield", "ftnsep", "ftnsepc", "ftncn", "aftnsep",
        "aftnsepc", "aftncn", "generator", "themedata", "mmathPict", "do", "background", "revtbl", "rsidtbl",
    )
)  # fmt: skip
# Destinations marked as ones to ignore if unknown that have text of the page in them.
_TRANSPARENT = frozenset(("shpinst", "shptxt", "ud", "moMath", "moMathPara", "shpgrp", "rtf", "htmlrtf", "objattph"))
_NOTES = {"footnote": "note", "annotation": ""}
_MARGINS = {
    **dict.fromkeys(("header", "headerl", "headerr", "headerf"), "header"),
    **dict.fromkeys(("footer", "footerl", "footerr", "footerf"), "footer"),
}
_STATED = frozenset(("title", "author", "subject", "keywords", "creatim", "revtim"))
_NAME_LIMIT = 100
_MOST_COLOURS = 5_000
_WHITE = (255, 255, 255)
_SMALLEST = 4
"""Half points: smaller letters are read by nobody."""

_GUESSED_LIMIT = 100
_GUESSED_LARGER = 1.15


def read(data: bytes, name: str, settings: ReadingSettings) -> Layout:
    """The layout of a Rich Text file; raises UnreadableError when it is none or nested too deeply."""
    start = data.find(b"{\\rtf", 0, 200)
    if start < 0:
        raise UnreadableError("damaged: not Rich Text")
    reader = _Reader()
    reader.run(data[start:].decode("latin-1"))
    body = reader.frames[0].story
    _guess_headings(body, reader.looks)
    draft = Draft()
    pour(body, draft)
    for word in ("note", "endnote"):
        for number, story in enumerate(reader.notes[word], start=1):
            pour(placed(story, f"{word} {number}"), draft)
    for kind in ("header", "footer"):
        seen: set[str] = set()
        for story in reader.margins[kind]:
            lines = Draft()
            pour(story, lines)
            text = lines.text.replace("\n\n", "\n")
            if text not in seen:
                seen.add(text)
                draft.add(text, rule=f"rtf:{kind}")
    about = stated(
        title=reader.about("title"),
        author=reader.about("author"),
        dates=(reader.dates.get("creatim", ""), reader.dates.get("revtim", "")),
        rest={"subject": reader.about("subject"), "keywords": reader.about("keywords")},
    )
    return draft.layout(about, reader.removed, warnings=("the file breaks off",) if reader.broken_off else ())


@dataclass(slots=True)
class _State:
    """What a group inherits and its end forgets.

    `into` is where text goes: "" is the page, "-" nowhere, else a field of the file or "label". The rest are properties
    of characters (`size` in half points, `colour` by number, `shaded` that they are painted behind) and of the
    paragraph (`table` is how deep in tables it is, `ground` that it is painted).
    """

    into: str = ""
    unknown: bool = False
    skipped: int = 1
    font: int = -1
    size: int = 24
    bold: bool = False
    hidden: bool = False
    deleted: bool = False
    style: int = 0
    outline: int = -1
    table: int = 0
    listed: bool = False
    level: int = 0
    colour: int = 0
    shaded: bool = False
    ground: bool = False

    def copy(self) -> _State:
        return _State(
            self.into, False, self.skipped, self.font, self.size, self.bold, self.hidden, self.deleted, self.style,
            self.outline, self.table, self.listed, self.level, self.colour, self.shaded, self.ground,
        )  # fmt: skip


@dataclass(slots=True)
class _Table:
    grid: Grid
    row: list[Story] = field(default_factory=list)
    cell: Story = field(default_factory=list)


@dataclass(slots=True)
class _Frame:
    """What holds paragraphs: the body, a note, a margin, a text box. `pieces` are of the paragraph that is open."""

    story: Story = field(default_factory=list)
    tables: list[_Table] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    label: list[str] = field(default_factory=list)
    beside: Story = field(default_factory=list)
    smallest: int = 0
    bold: bool = True


@dataclass(slots=True)
class _Look:
    """How a paragraph of the body looks: its smallest letters, and whether all are bold."""

    size: int
    bold: bool


@dataclass(slots=True)
class _Style:
    name: str = ""
    outline: int = -1


class _Reader:
    """One pass over the tokens of a file."""

    def __init__(self) -> None:
        self.state = _State()
        self.groups: list[tuple[_State, Callable[[], None] | None]] = []
        self.colours: list[tuple[int, ...]] = []
        self.mixed = [0, 0, 0]
        self.boxes = 0
        self.painted = False
        self.frames = [_Frame()]
        self.notes: dict[str, list[Story]] = {"note": [], "endnote": []}
        self.margins: dict[str, list[Story]] = {"header": [], "footer": []}
        self.fields: dict[str, list[str]] = {}
        self.dates: dict[str, str] = {}
        self.fonts: dict[int, tuple[str, int]] = {}
        self.styles: dict[int, _Style] = {}
        self.looks: dict[int, _Look] = {}
        self.removed: Counter[str] = Counter()
        self.codepage = "cp1252"
        self.default_font = 0
        self.bytes = bytearray()
        self.to_skip = 0
        self.font_named = self.style_named = 0
        self.endnote = self.broken_off = False
        self.words: dict[str, Callable[[int | None], None]] = self._words()

    def about(self, name: str) -> str:
        """What the file states as its `name`."""
        return clean(_paired("".join(self.fields.get(name, ()))))

    def run(self, text: str) -> None:
        """Read all of `text`, which has a character for each byte."""
        at = 0
        going = True
        self.painted = "\\background" in text or "\\shpfblwtxt1" in text
        while going and (found := _TOKEN.match(text, at)):
            at = found.end()
            word = found[2]
            if word == "bin":
                at += max(0, int(found[3] or 0))
            elif word is not None:
                self._word(word, int(found[3]) if found[3] else None)
            elif found[1] is not None:
                self._plain(found[1])
            else:
                going = self._mark(found[4], found[5], found[6])
        self._flush()
        self.broken_off = bool(self.groups)
        while self.groups:
            self._close()
        self._end_paragraph()
        self._set_depth(0)

    # Tokens

    def _mark(self, byte: str | None, sign: str | None, brace: str | None) -> bool:
        """A token of one sign; False when it ends the document."""
        if byte is not None:
            self._byte(int(byte, 16))
        elif sign is not None:
            self._sign(sign)
        elif brace == "{":
            self._open()
        elif brace:
            return self._close()
        return True

    def _plain(self, text: str) -> None:
        text = _LINE_ENDS.sub("", text)
        if self.to_skip:
            dropped = min(self.to_skip, len(text))
            self.to_skip -= dropped
            text = text[dropped:]
        if text and self.state.into != "-":
            self.bytes += text.encode("latin-1")

    def _byte(self, value: int) -> None:
        if self.to_skip:
            self.to_skip -= 1
        elif self.state.into != "-":
            self.bytes.append(value)

    def _sign(self, sign: str) -> None:
        self._flush()
        if self.to_skip:
            self.to_skip -= 1
        elif sign in "\r\n":
            self._paragraph_word(None)
        elif sign == "*":
            self.state.unknown = True
        elif sign in _SYMBOLS:
            self._say(_SYMBOLS[sign])

    def _open(self) -> None:
        self._flush()
        self.to_skip = 0
        if len(self.groups) >= MAX_DEPTH:
            raise UnreadableError("damaged: its groups are nested too deeply")
        self.groups.append((self.state, None))
        self.state = self.state.copy()

    def _close(self) -> bool:
        """Leave a group; False when it was the last one."""
        self._flush()
        self.to_skip = 0
        if not self.groups:
            return False
        before, closing = self.groups.pop()
        if closing is not None:
            closing()
        self.state = before
        return bool(self.groups)

    def _word(self, word: str, number: int | None) -> None:
        self._flush()
        self.to_skip = 0
        state = self.state
        if state.unknown:
            state.unknown = False
            if word not in self.words and word not in _TRANSPARENT:
                state.into = "-"
                return
        handle = self.words.get(word)
        if handle is not None and (state.into != "-" or word in ("ud", "fonttbl", "stylesheet", "info")):
            handle(number)

    def _say(self, text: str) -> None:
        state = self.state
        if state.into == "-":
            return
        if state.into == "label":
            self.frames[-1].label.append(text)
        elif state.into == "font":
            self._name_font(text)
        elif state.into == "style":
            self._name_style(text)
        elif state.into == "colour":
            self._end_colour(text)
        elif state.into:
            self.fields.setdefault(state.into, []).append(text)
        elif state.hidden or state.deleted:
            self.removed["deleted text" if state.deleted else "hidden text"] += 1
        elif (state.size < _SMALLEST or state.colour) and (unseen := self._unseen(state)):
            self.removed[unseen] += not text.isspace()
        else:
            self._write(text)

    def _unseen(self, state: _State) -> str:
        """By what name text is counted that nobody sees, "" where it is, or may be, seen."""
        if state.size < _SMALLEST:
            return "tiny text"
        if not 0 <= state.colour < len(self.colours) or self.colours[state.colour] != _WHITE:
            return ""
        # What a cell, a box or what lies behind the text is painted with is not asked.
        return "" if state.shaded or state.ground or state.table or self.boxes or self.painted else "white text"

    def _write(self, text: str) -> None:
        frame = self.frames[-1]
        if not text.isspace():
            frame.smallest = min(frame.smallest or self.state.size, self.state.size)
            frame.bold = frame.bold and self.state.bold
        frame.pieces.append(text)

    def _flush(self) -> None:
        """Say the bytes that were read, in the encoding of their font."""
        if not self.bytes:
            return
        data, self.bytes = bytes(self.bytes), bytearray()
        name, charset = self.fonts.get(self.state.font, ("", 0))
        if charset == _SYMBOL_CHARSET and not self.state.into:
            self._say("".join(" " if byte == 0x20 else symbol(name, 0xF000 + byte) for byte in data))
        else:
            self._say(data.decode(_CHARSETS.get(charset, self.codepage), "replace"))

    # Words

    def _words(self) -> dict[str, Callable[[int | None], None]]:
        words: dict[str, Callable[[int | None], None]] = {
            "par": self._paragraph_word,
            "sect": self._paragraph_word,
            "page": self._paragraph_word,
            "pard": self._plain_paragraph,
            "plain": self._plain_characters,
            "u": self._unicode,
            "ansicpg": self._codepage,
            "mac": lambda _: self._set_codepage("mac_roman"),
            "pc": lambda _: self._set_codepage("cp437"),
            "pca": lambda _: self._set_codepage("cp850"),
            "deff": self._default_font,
            "f": self._font,
            "fcharset": self._font_charset,
            "s": self._style,
            "outlinelevel": self._outline,
            "cell": lambda _: self._end_cell(1),
            "row": lambda _: self._end_row(1),
            "nestcell": lambda _: self._end_cell(max(2, self.state.table)),
            "nestrow": lambda _: self._end_row(max(2, self.state.table)),
            "itap": self._table_depth,
            "intbl": lambda _: self._table_depth(max(1, self.state.table)),
            "ftnalt": self._end_note,
            "fonttbl": lambda _: self._go("font"),
            "stylesheet": lambda _: self._go("style"),
            "info": lambda _: self._go("info"),
            "colortbl": lambda _: self._go("colour"),
            "listtext": lambda _: self._go("label"),
            "pntext": lambda _: self._go("label"),
            "ud": lambda _: self._go(""),
            "footnote": lambda _: self._enter_note(),
            "annotation": lambda _: self._enter_comment(),
            "shptxt": lambda _: self._enter_box(),
            "dptxbxtext": lambda _: self._enter_box(),
        }
        for name in ("uc", "fs", "b", "v", "deleted", "ls", "ilvl"):
            words[name] = self._property(name)
        for at, name in enumerate(("red", "green", "blue")):
            words[name] = self._colour_part(at)
        for name in ("cf", "cb", "highlight", "chcbpat", "chshdng", "cbpat", "shading"):
            words[name] = self._paint(name)
        for name in ("yr", "mo", "dy"):
            words[name] = self._date_part(name)
        for name, text in _CHARACTERS.items():
            words[name] = self._character(text)
        for name, kind in _MARGINS.items():
            words[name] = self._margin(kind)
        for name in _STATED:
            words[name] = self._statement(name)
        for name in _NOWHERE:
            words.setdefault(name, lambda _: self._go("-"))
        return words

    def _go(self, into: str) -> None:
        self.state.into = into

    def _property(self, name: str) -> Callable[[int | None], None]:
        def handle(number: int | None) -> None:
            state = self.state
            value = 1 if number is None else number
            if name == "uc":
                state.skipped = min(max(value, 0), 10)
            elif name == "fs":
                state.size = value
            elif name == "b":
                state.bold = value != 0
            elif name == "v":
                state.hidden = value != 0
            elif name == "deleted":
                state.deleted = value != 0
            elif name == "ls":
                state.listed = value > 0
            else:
                state.level = min(max(value, 0), 8)

        return handle

    def _colour_part(self, at: int) -> Callable[[int | None], None]:
        def handle(number: int | None) -> None:
            self.mixed[at] = number or 0

        return handle

    def _end_colour(self, text: str) -> None:
        for _ in range(min(text.count(";"), _MOST_COLOURS - len(self.colours))):
            self.colours.append(tuple(self.mixed))
            self.mixed = [0, 0, 0]

    def _paint(self, name: str) -> Callable[[int | None], None]:
        def handle(number: int | None) -> None:
            state, value = self.state, number or 0
            if name == "cf":
                state.colour = value
                return
            white = 0 <= value < len(self.colours) and self.colours[value] == _WHITE
            painted = value > 0 and (not white or name.endswith(("ing", "shdng")))
            if name in ("cbpat", "shading"):
                state.ground = state.ground or painted
            else:
                state.shaded = painted if name == "highlight" else state.shaded or painted

        return handle

    def _character(self, text: str) -> Callable[[int | None], None]:
        return lambda _: self._say(text)

    def _plain_paragraph(self, number: int | None) -> None:
        state = self.state
        state.style, state.outline, state.table, state.listed, state.level = 0, -1, 0, False, 0
        state.ground = False

    def _plain_characters(self, number: int | None) -> None:
        state = self.state
        state.font, state.size, state.bold, state.hidden, state.deleted = self.default_font, 24, False, False, False
        state.colour, state.shaded = 0, False

    def _unicode(self, number: int | None) -> None:
        self.to_skip = self.state.skipped
        if number is None:
            return
        code = number + 0x10000 if number < 0 else number
        if not 0x20 <= code < 0x10000:
            return
        name, charset = self.fonts.get(self.state.font, ("", 0))
        private = 0xF000 <= code <= 0xF0FF
        self._say(symbol(name, code) if private and charset == _SYMBOL_CHARSET else chr(code))

    def _codepage(self, number: int | None) -> None:
        self._set_codepage("utf-8" if number == 65001 else f"cp{number}")

    def _set_codepage(self, name: str) -> None:
        try:
            self.codepage = codecs.lookup(name).name
        except LookupError:
            self.codepage = "cp1252"

    def _default_font(self, number: int | None) -> None:
        self.default_font = self.state.font = number or 0

    def _font(self, number: int | None) -> None:
        self.state.font = self.font_named = number or 0

    def _font_charset(self, number: int | None) -> None:
        if self.state.into == "font":
            self.fonts[self.font_named] = (self.fonts.get(self.font_named, ("", 0))[0], number or 0)

    def _name_font(self, text: str) -> None:
        name, charset = self.fonts.get(self.font_named, ("", 0))
        self.fonts[self.font_named] = ((name + text.replace(";", ""))[:_NAME_LIMIT], charset)

    def _style(self, number: int | None) -> None:
        self.state.style = self.style_named = number or 0

    def _name_style(self, text: str) -> None:
        style = self.styles.setdefault(self.state.style, _Style())
        style.name = f"{style.name}{text}".partition(";")[0][:_NAME_LIMIT]

    def _outline(self, number: int | None) -> None:
        if self.state.into == "style":
            self.styles.setdefault(self.state.style, _Style()).outline = -1 if number is None else number
        else:
            self.state.outline = -1 if number is None else number

    def _statement(self, name: str) -> Callable[[int | None], None]:
        def handle(number: int | None) -> None:
            if self.state.into == "info":
                # LibreOffice states the author twice.
                self.state.into = name
                self.fields.pop(name, None)

        return handle

    def _date_part(self, name: str) -> Callable[[int | None], None]:
        def handle(number: int | None) -> None:
            into = self.state.into
            if into in ("creatim", "revtim") and number:
                before = self.dates.get(into, "")
                self.dates[into] = f"{number:04}" if name == "yr" else f"{before}-{number:02}"[:_NAME_LIMIT]

        return handle

    # What holds paragraphs

    def _enter(self, closing: Callable[[Story], None]) -> None:
        """A frame for the rest of this group; `closing` takes its story at the end."""
        self.state.into = ""
        self._plain_paragraph(None)
        self.frames.append(_Frame())

        def close() -> None:
            self._end_paragraph()
            self._set_depth(0)
            closing(self.frames.pop().story)

        if self.groups:
            self.groups[-1] = (self.groups[-1][0], close)

    def _enter_note(self) -> None:
        self.endnote = False
        self._enter(lambda story: self.notes["endnote" if self.endnote else "note"].append(story))

    def _end_note(self, number: int | None) -> None:
        self.endnote = True

    def _enter_comment(self) -> None:
        self.removed["comment"] += 1
        self.state.into = "-"

    def _margin(self, kind: str) -> Callable[[int | None], None]:
        return lambda _: self._enter(self.margins[kind].append)

    def _enter_box(self) -> None:
        def close(story: Story) -> None:
            self.boxes -= 1
            self.frames[-1].beside.extend(story)

        self.boxes += 1
        self._enter(close)

    # Paragraphs and tables

    def _table_depth(self, number: int | None) -> None:
        self.state.table = min(max(number or 0, 0), 20)

    def _paragraph_word(self, number: int | None) -> None:
        if not self.state.into:
            self._end_paragraph(self.state.table, ended=True)

    def _end_paragraph(self, depth: int | None = None, *, ended: bool = False) -> None:
        """Close the open paragraph, if there is one, and put it where it belongs; `ended` also if it is empty."""
        frame = self.frames[-1]
        text = _paired("".join(frame.pieces))
        if ended or text.strip() or frame.beside:
            self._set_depth(self.state.table if depth is None else depth)
            line = self._line(text, "".join(frame.label).strip())
            story = frame.tables[-1].cell if frame.tables else frame.story
            story.append(line)
            if frame.smallest and len(self.frames) == 1 and not frame.tables:
                self.looks[id(line)] = _Look(frame.smallest, frame.bold)
            story.extend(frame.beside)
        frame.pieces, frame.label, frame.beside, frame.smallest, frame.bold = [], [], [], 0, True

    def _line(self, text: str, label: str) -> Line:
        state = self.state
        listed = state.listed or bool(label)
        label = label if _NUMBER.fullmatch(label) else ""
        style = self.styles.get(state.style, _Style())
        if _CONTENTS.fullmatch(style.name):
            return Line(text.strip(), rule="rtf:contents")
        outline = state.outline if state.outline >= 0 else style.outline
        named = _HEADING_NAME.fullmatch(style.name)
        level = outline + 1 if 0 <= outline < 9 else int(named[1]) if named else 0
        if not level and style.name.lower() in _TITLES:
            level = 1
        if level:
            return Line(text.strip(), "heading", level, label=label)
        if listed:
            return Line(text.strip(), "list", state.level, label=label)
        kind: BlockKind = "code" if _CODE.fullmatch(style.name) else "text"
        return Line(text.rstrip() if kind == "code" else text.strip(), kind)

    def _set_depth(self, depth: int) -> None:
        """Open and close tables until as many as `depth` are open in this frame."""
        frame = self.frames[-1]
        while len(frame.tables) > depth:
            table = frame.tables.pop()
            if table.cell:
                table.row.append(table.cell)
            if table.row:
                table.grid.rows.append(table.row)
        while len(frame.tables) < depth:
            table = _Table(Grid())
            (frame.tables[-1].cell if frame.tables else frame.story).append(table.grid)
            frame.tables.append(table)

    def _end_cell(self, depth: int) -> None:
        if self.state.into:
            return
        self._end_paragraph(depth)
        self._set_depth(depth)
        table = self.frames[-1].tables[-1]
        table.row.append(table.cell)
        table.cell = []

    def _end_row(self, depth: int) -> None:
        if self.state.into:
            return
        self._set_depth(depth)
        table = self.frames[-1].tables[-1]
        if table.row:
            table.grid.rows.append(table.row)
        table.row, table.cell = [], []


def _paired(text: str) -> str:
    """`text` with characters that were written as two halves put together."""
    text = _SURROGATES.sub(lambda found: found[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)
    return _LONE.sub("\ufffd", text)


def _guess_headings(story: Story, looks: dict[int, _Look]) -> None:
    """Make headings of short lines in larger or bold letters, in a document where no style says what is one."""
    lines = [part for part in story if isinstance(part, Line)]
    if any(line.kind == "heading" for line in lines):
        return
    written: Counter[int] = Counter()
    for line in lines:
        if id(line) in looks:
            written[looks[id(line)].size] += len(line.text)
    if not written:
        return
    usual = written.most_common(1)[0][0]
    looking = [(line, looks[id(line)]) for line in lines if id(line) in looks]
    found = [(line, look) for line, look in looking if _stands_out(line, look, usual)]
    ranks = {size: rank for rank, size in enumerate(sorted({look.size for _, look in found}, reverse=True), start=1)}
    for line, look in found:
        line.kind, line.level = "heading", min(ranks[look.size], 6)


def _stands_out(line: Line, look: _Look, usual: int) -> bool:
    if line.kind != "text" or line.rule or not 0 < len(line.text) <= _GUESSED_LIMIT or "\n" in line.text:
        return False
    if line.text.endswith((".", ",", ";", ":", "!")) or not _WORD.search(line.text):
        return False
    return look.size >= _GUESSED_LARGER * usual or (look.bold and look.size >= usual)

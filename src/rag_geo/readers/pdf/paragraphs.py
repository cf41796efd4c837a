"""Lines become paragraphs, headings, lists, tables and code, as a reader of the page would tell them apart.

A paragraph ends where the distance, the size or the weight of the lines changes, before an indented line, before the
mark of a list, and after a line that ends a sentence although the next word would have found room on it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise

from rag_geo.readers.pdf.columns import Line, Region
from rag_geo.readers.pdf.wording import join_lines, plain
from rag_geo.records import BlockKind

_SENTENCE_END = re.compile(r"[.!?…:。！？؟۔]['\"”’»)\]⁰¹²³⁴⁵⁶⁷⁸⁹]*$")
_BULLET = re.compile(r"([•●▪‣◦○■□·➢✓✔➤►▶❖♦∙⁃*]|[–—-])\s+\S|[•●▪‣◦■□➢✓]\S")
_NUMBER = re.compile(r"[(\[]?(\d{1,3}|[a-z]|[A-Z]|[ivx]{1,5}|[IVX]{1,5})[.)\]]{1,2}\s+\S")
_HEADING_NUMBER = re.compile(
    r"(?:\d{1,2}\.)*\d{1,2}\.?\s+\S|(?:chapter|section|part|appendix|kapitel)\s", re.IGNORECASE
)
_CONTENTS = re.compile(r".*\S\s?(?:[.·…_]\s?){4,}\s*[\divxlc]{1,5}$")
_CAPTION = re.compile(r"(?:figure|fig\.|table|abbildung|abb\.|tabelle|figura|tabla|box)\s*[\divx]", re.IGNORECASE)
_NOTE_MARK = re.compile(r"(?:\d{1,3}|[*†‡§]|[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3})[.)]?\s+\S")
_LOWER = re.compile(r"[^\w]*[^\W\d_]")
_LONGEST_HEADING = 200


@dataclass(slots=True)
class Piece:
    """A block while it is found: the texts of its lines, where it stands, and what joining it to the next one needs.

    `page` is that of its first line and `last` that of its last one, where it is another. `rows` are the cells of a
    table. `opens` says that it is the first of its region, `bottom` where its last line stands, `room` how wide the
    space after that is and `word` how wide its first word, in points; `indented` that its first line stands further in
    than the region; `gap` how many font sizes it stands below the line above.
    """

    kind: BlockKind
    lines: list[str]
    page: int
    size: float = 0
    bold: bool = False
    rows: list[list[str]] = field(default_factory=list)
    last: int = 0
    rule: str | None = None
    level: int = 0
    opens: bool = False
    bottom: float = 0
    room: float = 0
    word: float = 0
    indented: bool = False
    gap: float = 0


@dataclass(frozen=True, slots=True)
class Measure:
    """What is usual in the document: the size of its text, the distance of its lines by size, whether it is typed."""

    size: float
    leading: Mapping[float, float]
    typed: bool
    bold: bool

    def distance(self, size: float) -> float:
        """The usual distance of two lines of this size, in points."""
        return self.leading.get(_half(size)) or 1.2 * size


def measure(found: Sequence[Sequence[Region]]) -> Measure:
    """The measure of a document out of the regions of its pages."""
    sizes: Counter[float] = Counter()
    mono = bold = total = 0
    distances: dict[float, Counter[float]] = defaultdict(Counter)
    for page in found:
        for region in page:
            for line in region.lines:
                sizes[_half(line.size)] += len(line.text)
                total += len(line.text)
                mono += len(line.text) if line.mono else 0
                bold += len(line.text) if line.bold else 0
            for above, below in pairwise(() if region.rows else region.lines):
                step = below.baseline - above.baseline
                if _half(above.size) == _half(below.size) and 0.9 * above.size < step < 2.6 * above.size:
                    distances[_half(above.size)][_half(step)] += 1
    leading = {size: _least_usual(steps) for size, steps in distances.items()}
    size = max(sizes, key=lambda key: sizes[key], default=10.0)
    return Measure(size, leading, mono * 10 > total * 6, bold * 10 > total * 6)


def _least_usual(steps: Counter[float]) -> float:
    """The smallest distance that is not rare: larger ones stand between paragraphs."""
    enough = max(steps.values()) / 4
    return min(step for step, count in steps.items() if count >= enough)


def _half(value: float) -> float:
    return round(value * 2) / 2


def pieces_of(region: Region, page: int, usual: Measure) -> list[Piece]:
    """The blocks of a region in order."""
    if region.rows:
        found = [Piece("table", [], page, rows=region.rows)]
    else:
        found = []
        before: Line | None = None
        for block in _visual_blocks(region.lines, usual):
            gap = block[0].baseline - before.baseline if before else 0
            parts = _read_block(block, page, usual)
            parts[0].word = _first_word(block[0])
            parts[-1].bottom = block[-1].baseline
            parts[-1].room = _room(region.lines, block[-1])
            parts[0].gap = gap / max(block[0].size, 1)
            before = block[-1]
            for part in parts:
                if not found or not _extends(found[-1], part):
                    found.append(part)
    if found:
        found[0].opens = True
    return found


def _room(lines: Sequence[Line], last: Line) -> float:
    """How far the last lines of a region of this size reach beyond `last`, if `last` is their last, in points."""
    return max(line.right for line in lines[-20:] if abs(line.size - last.size) < 1 or line is lines[-1]) - last.right


def _extends(last: Piece, piece: Piece) -> bool:
    """Join a list to the list above, and code to the code above, although there is room between."""
    both = {last.kind, piece.kind}
    if both == {"code"} or (both == {"list"} and abs(last.size - piece.size) < 0.2 * last.size and piece.gap < 3.2):
        last.lines += ["\n" + piece.lines[0].lstrip("\n"), *piece.lines[1:]]
        last.room, last.bottom = piece.room, piece.bottom
        return True
    return False


def _visual_blocks(lines: Sequence[Line], usual: Measure) -> list[list[Line]]:
    blocks: list[list[Line]] = []
    for line in lines:
        if blocks and _belongs(blocks[-1], line, usual):
            blocks[-1].append(line)
        else:
            blocks.append([line])
    return blocks


def _belongs(block: Sequence[Line], line: Line, usual: Measure) -> bool:
    above = block[-1]
    step = line.baseline - above.baseline
    size = max(above.size, line.size)
    if step < 0.3 * size or step > usual.distance(size) + 0.22 * size:
        return False
    if abs(above.size - line.size) > 0.08 * size and min(len(above.text), len(line.text)) > 3:
        return False
    if above.mono != line.mono and not usual.typed and not _inside(block, line, [one.mono for one in block]):
        return False
    return above.bold == line.bold or len(line.text) < 4 or _inside(block, line, [one.bold for one in block])


def _inside(block: Sequence[Line], line: Line, marked: Sequence[bool]) -> bool:
    """Whether a line all in a typewriter font or bold (`marked`), or the one after it, is within a paragraph."""
    above = block[-1]
    if all(marked) or _SENTENCE_END.search(above.text) or abs(above.left - line.left) > 0.3 * line.size:
        return False
    return marked[-1] or above.right > max(line.right, *(one.right for one in block[-20:])) - 4 * line.size


def _read_block(block: list[Line], page: int, usual: Measure) -> list[Piece]:
    if all(line.mono for line in block) and not usual.typed:
        return [Piece("code", _code(block), page, block[0].size, block[0].bold)]
    if sum(bool(_CONTENTS.match(line.text)) for line in block) * 2 >= len(block):
        return [Piece("list", ["\n" + line.text for line in block], page, block[0].size)]
    if _may_head(block, usual):
        return [Piece("heading", [line.text for line in block], page, block[0].size, block[0].bold)]
    return _split_block(block, page)


def _may_head(block: Sequence[Line], usual: Measure) -> bool:
    text = " ".join(line.text for line in block)
    size = block[0].size
    if len(block) > 4 or len(text) > _LONGEST_HEADING or not any(letter.isalpha() for letter in text):
        return False
    if text.endswith((",", ";")) or _BULLET.match(text) or _CAPTION.match(text):
        return False
    if size > 1.12 * usual.size:
        return True
    if not block[0].bold or usual.bold or size < 0.93 * usual.size:
        return False
    return not text.endswith(".") or (bool(_HEADING_NUMBER.match(text)) and len(text) < 80)


def _code(block: Sequence[Line]) -> list[str]:
    left = min(line.left for line in block)
    lines = []
    for line in block:
        wide = max((line.right - line.left) / max(len(line.text), 1), 0.2 * line.size)
        lines.append("\n" + " " * min(round((line.left - left) / wide), 60) + line.text)
    return lines


@dataclass(slots=True)
class _Edges:
    """The left and right edge of a visual block, and whether its paragraphs hang (all lines but the first are in)."""

    left: float
    right: float
    hanging: bool = False


def _split_block(block: list[Line], page: int) -> list[Piece]:
    """The paragraphs and lists of lines at the usual distance."""
    edges = _Edges(min(line.left for line in block), max(line.right for line in block))
    edges.hanging = _hangs(block, edges)
    found: list[Piece] = []
    item: Line | None = None
    for at, line in enumerate(block):
        above = block[at - 1] if at else None
        marked = _is_item(line, above, item, block[at + 1 : at + 16])
        if marked and item is not None:
            found[-1].lines.append("\n" + line.text)
            item = line
        elif marked:
            found.append(Piece("list", [line.text], page, line.size, line.bold))
            item = line
        elif above is None or _begins(block, at, edges, item):
            found.append(Piece("text", [line.text], page, line.size, line.bold))
            found[-1].indented = line.left > edges.left + 0.7 * line.size
            item = None
        elif item is None and _fits(above, line, edges):
            found[-1].lines.append("\n" + line.text)
        else:
            found[-1].lines.append(line.text)
    return found


def _hangs(block: Sequence[Line], edges: _Edges) -> bool:
    inside = outside = 0
    if any(_is_marked(line) for line in block):
        return False
    for above, line in pairwise(block):
        if above.left < edges.left + 0.3 * line.size and line.left > edges.left + 0.7 * line.size:
            if _fits(above, line, edges) or _SENTENCE_END.search(above.text):
                outside += 1
            else:
                inside += 1
    return inside > outside


def _is_marked(line: Line) -> bool:
    return bool(_BULLET.match(line.text) or _NUMBER.match(line.text))


def _is_item(line: Line, above: Line | None, item: Line | None, below: Sequence[Line]) -> bool:
    bullet = _BULLET.match(line.text)
    number = _NUMBER.match(line.text)
    if not bullet and not number:
        return False
    if above is None:
        return True
    if item is not None:
        same = abs(item.left - line.left) < line.size or bool(bullet) or line.left < above.left - 0.5 * line.size
        return same or _follows(item.text, line.text)
    if bullet and bullet[0][0] not in "-–—*·":
        return True
    broken = bool(_SENTENCE_END.search(above.text)) or above.right < line.right - 2 * line.size
    if broken and (bullet or _is_first(line.text) or line.left > above.left + 0.5 * line.size):
        return True
    return broken and any(_follows(line.text, other.text) for other in below)


def _is_first(text: str) -> bool:
    found = _NUMBER.match(text)
    return bool(found) and found is not None and found[1].lower() in ("1", "a", "i")


def _follows(before: str, after: str) -> bool:
    one, two = _NUMBER.match(before), _NUMBER.match(after)
    if not one or not two:
        return False
    if one[1].isdigit() and two[1].isdigit():
        return int(two[1]) == int(one[1]) + 1
    return len(one[1]) == len(two[1]) == 1 and ord(two[1]) == ord(one[1]) + 1


def _begins(block: Sequence[Line], at: int, edges: _Edges, item: Line | None) -> bool:
    """Whether the line begins a paragraph: the one above had room and ends a sentence, or it is indented."""
    above, line = block[at - 1], block[at]
    ended = bool(_SENTENCE_END.search(above.text))
    fits = _fits(above, line, edges)
    inwards = line.left - edges.left > 0.7 * line.size
    if item is not None:
        hung = abs(line.left - _text_of_item(item)) < 0.6 * line.size
        after = block[at + 1] if at + 1 < len(block) else None
        if hung and after and after.left < line.left - 0.5 * line.size and not _is_marked(after):
            return ended or not _SENTENCE_END.search(line.text)
        return (fits and (ended or not hung)) or (not hung and ended and abs(line.left - above.left) > 0.6 * line.size)
    if edges.hanging:
        return not inwards
    if fits and ended:
        return True
    if not inwards or _centred(line, edges) or above.left > line.left - 0.3 * line.size:
        return False
    after = block[at + 1] if at + 1 < len(block) else None
    return after is None or ended or after.left < line.left - 0.3 * line.size


def _text_of_item(item: Line) -> float:
    """Where the text after the mark of a list item begins."""
    mark = len(item.text.split(maxsplit=1)[0])
    if len(item.fragments) > 1 and len(item.fragments[0].text) <= mark:
        return item.fragments[1].left
    return item.left + (item.right - item.left) * (mark + 1) / max(len(item.text), 1)


def _centred(line: Line, edges: _Edges) -> bool:
    before, after = line.left - edges.left, edges.right - line.right
    return before > 3 * line.size and abs(before - after) < line.size


def _fits(above: Line, line: Line, edges: _Edges) -> bool:
    """Whether the first word of `line` would have found room on the line above."""
    if above.text.endswith(("-", "\u00ad")):
        return False
    return above.right + 0.3 * line.size + _first_word(line) < edges.right - line.size


def _first_word(line: Line) -> float:
    """How wide it is, in points, up to where it may be broken."""
    word = line.text.split(maxsplit=1)[0].partition("-")[0]
    return (line.right - line.left) * len(word) / max(len(line.text), 1)


def joined(pieces: Sequence[Piece], usual: Measure, bottoms: Mapping[int, float]) -> list[Piece]:
    """The pieces of all pages with what runs over the border of a column or page made one.

    `bottoms` says for each page where its text ends: what stands higher runs on only in the middle of a sentence.
    """
    found: list[Piece] = []
    for piece in pieces:
        earlier = _earlier(found, piece, usual) if piece.opens and piece.rule is None else None
        if earlier is None or not _join(earlier, piece, bottoms):
            found.append(piece)
    return found


def _earlier(found: Sequence[Piece], piece: Piece, usual: Measure) -> Piece | None:
    """The piece that `piece` may continue: the last one, running lines, footnotes, tables and captions apart."""
    for back, last in enumerate(found[:-12:-1], start=1):
        small = last.size < 0.93 * usual.size and piece.size >= 0.93 * usual.size
        noted = last.kind == "text" and (_CAPTION.match(last.lines[0]) or _is_note(found, len(found) - back))
        aside = noted or (small and last.kind in ("text", "list"))
        if last.rule is not None or (piece.kind == "text" and (last.kind == "table" or aside)):
            continue
        return last
    return None


def _is_note(found: Sequence[Piece], at: int) -> bool:
    """Whether it is a footnote, by its mark, also where its letters are not small: the text above it breaks off."""
    last = found[at]
    while at >= 0 and found[at].page == last.page and found[at].kind == "text" and found[at].rule is None:
        ended = bool(_SENTENCE_END.search(found[at].lines[-1].rstrip()))
        if not (ended and _NOTE_MARK.match(found[at].lines[0])):
            return not ended and found[at] is not last
        at -= 1
    return False


def _join(earlier: Piece, piece: Piece, bottoms: Mapping[int, float]) -> bool:
    if earlier.page == piece.page and earlier.kind != piece.kind:
        return False
    if earlier.kind == piece.kind == "table":
        return _join_tables(earlier, piece)
    if earlier.kind == piece.kind == "list":
        earlier.lines += ["\n" + piece.lines[0], *piece.lines[1:]]
        earlier.room, earlier.bottom, earlier.last = piece.room, piece.bottom, piece.page
        return True
    if earlier.kind == piece.kind == "code" and earlier.page != piece.page:
        earlier.lines += piece.lines
        return True
    if (
        piece.kind != "text"
        or earlier.kind not in ("text", "list")
        or abs(earlier.size - piece.size) > 0.06 * piece.size
    ):
        return False
    if earlier.bold != piece.bold or not _runs_on(earlier, piece, bottoms):
        return False
    earlier.lines += piece.lines
    earlier.room, earlier.bottom, earlier.last = piece.room, piece.bottom, piece.page
    return True


def _runs_on(earlier: Piece, piece: Piece, bottoms: Mapping[int, float]) -> bool:
    end, start = earlier.lines[-1].rstrip(), piece.lines[0]
    ended = bool(_SENTENCE_END.search(end))
    letter = _LOWER.match(start)
    lower = bool(letter) and letter is not None and letter[0][-1].islower()
    if not ended and (lower or end.endswith(("-", "\u00ad", ","))):
        return True
    if earlier.kind != "text" or piece.indented or len(end) < 20:
        return False
    if ended and earlier.bottom < bottoms.get(earlier.last or earlier.page, 0) - 2 * piece.size:
        return False
    # A last line without room for the next word ends a paragraph by chance only.
    return earlier.room < piece.word + 0.7 * piece.size


def _join_tables(earlier: Piece, piece: Piece) -> bool:
    if len(earlier.rows[0]) != len(piece.rows[0]) or earlier.page == piece.page:
        return False
    same_head = earlier.rows[0] == piece.rows[0]
    earlier.rows += piece.rows[1:] if same_head else piece.rows
    return True


def text_of(piece: Piece, words: Set[str]) -> str:
    """The text of a piece: words broken at line ends joined, an item, a row and a line of code a line."""
    if piece.kind == "table":
        return "\n".join(" | ".join(plain(join_lines(cell.split("\n"), words)) for cell in row) for row in piece.rows)
    if piece.kind == "code":
        return "".join(piece.lines).strip("\n").replace("\u00a0", " ")
    parts: list[list[str]] = [[]]
    for line in piece.lines:
        if line.startswith("\n"):
            parts.append([])
        parts[-1].append(line.lstrip("\n"))
    return "\n".join(plain(join_lines(part, words)) for part in parts if part)

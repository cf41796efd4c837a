"""Blocks of plain text and Markdown, found line by line.

A block is a maximal run of lines that are not blank. It is split into its lines where they are paragraphs themselves,
which is decided by measure, not by taste (see `are_paragraphs`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rag_geo.readers.blocks import MAX_PARAGRAPHS, Block, UnreadableError, heading_name
from rag_geo.records import Span

LONG_LINE = 120
MANY_LINES = 40

_NEWLINE = re.compile(r"\r\n|\n|\r")
_ENDS_SENTENCE = re.compile(r"[.!?…:;。！？]['\"”’»)\]*_]*$")
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*+•●▪–]|\d{1,3}[.)])[ \t]+\S")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*$")
_ATX = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_FENCE = re.compile(r" {0,3}(```+|~~~+)(.*)")
_TABLE_RULE = frozenset("|:- \t")


def line_spans(text: str, start: int = 0) -> Iterator[Span]:
    r"""The lines of `text` from `start` on, without their ends ("\n", "\r\n" or "\r")."""
    for found in _NEWLINE.finditer(text, start):
        yield Span(start, found.start())
        start = found.end()
    yield Span(start, len(text))


def text_blocks(shown: str) -> tuple[Block, ...]:
    """Blocks of a plain text, in which hidden characters have been replaced by spaces."""
    blocks: list[Block] = []
    for group in _groups(shown):
        if _is_underlined(shown, group):
            name = shown[group[0].start : group[0].end]
            blocks.append(_block(shown, group, kind="heading", level=_level(shown, group), name=name.strip()))
        elif are_paragraphs(shown, group):
            blocks.extend(_text_or_list(shown, [line]) for line in group)
        else:
            blocks.append(_text_or_list(shown, group))
        _bound(blocks)
    return tuple(blocks)


def markdown_blocks(shown: str) -> tuple[Block, ...]:
    """Blocks of a Markdown text: headings, fenced code, tables, lists, and what lies between blank lines.

    A single line end is no paragraph in Markdown; text is split line by line only in a file in which no two long lines
    are separated by a blank line, because then nobody meant paragraphs by blank lines.
    """
    parser = _Markdown(shown)
    for line in line_spans(shown):
        parser.feed(line)
    parser.flush()
    return parser.blocks_split()


def are_paragraphs(shown: str, lines: Sequence[Span]) -> bool:
    """Whether each of these consecutive lines is a paragraph.

    So it is when lines longer than 120 characters hold more than half of the text (or there are more than 40 lines),
    and the lines are not wrapped. Wrapped lines are as full as they can be (in seven of ten, the next word would not
    have fitted) and mostly end in the middle of a sentence.
    """
    if len(lines) < 2:
        return False
    lengths = [end - start for start, end in lines]
    long = sum(length for length in lengths if length > LONG_LINE)
    if long * 2 <= sum(lengths) and len(lines) <= MANY_LINES:
        return False
    return not _are_wrapped(shown, lines, max(lengths))


def _are_wrapped(shown: str, lines: Sequence[Span], width: int) -> bool:
    full = ended = 0
    for (start, end), following in pairwise(lines):
        first_word = re.match(r"\s*\S*", shown[following.start : min(following.end, following.start + width)])
        full += end - start + 1 + len(first_word[0] if first_word else "") > width
        ended += bool(_ENDS_SENTENCE.search(shown[max(start, end - 20) : end].rstrip()))
    return full * 10 >= 7 * (len(lines) - 1) and ended * 2 < len(lines) - 1


def _groups(shown: str) -> Iterator[list[Span]]:
    group: list[Span] = []
    for line in line_spans(shown):
        if _is_blank(shown, line):
            if group:
                yield group
                group = []
        else:
            group.append(line)
            if len(group) > MAX_PARAGRAPHS:
                raise UnreadableError(f"has more than {MAX_PARAGRAPHS:,} lines without a blank one: not a document")
    if group:
        yield group


def _is_blank(text: str, line: Span) -> bool:
    start, end = line
    return start == end or text[start:end].isspace()


def _trimmed(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return Span(start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip()))


def _block(shown: str, lines: Sequence[Span], **fields: object) -> Block:
    start, end = _trimmed(shown, lines[0].start, lines[-1].end)
    return Block(start, end, **fields)  # type: ignore[arg-type]


def _text_or_list(shown: str, lines: Sequence[Span]) -> Block:
    first = lines[0]
    is_list = _LIST_ITEM.match(shown, first.start, first.end)
    return _block(shown, lines, kind="list" if is_list else "text")


def _is_underlined(shown: str, lines: Sequence[Span]) -> bool:
    return len(lines) == 2 and bool(_UNDERLINE.match(shown, *lines[1])) and lines[1].end - lines[1].start >= 3


def _level(shown: str, lines: Sequence[Span]) -> int:
    return 1 if shown[lines[-1].start : lines[-1].end].strip().startswith("=") else 2


def _bound(blocks: Sequence[Block]) -> None:
    if len(blocks) > MAX_PARAGRAPHS:
        raise UnreadableError(f"has more than {MAX_PARAGRAPHS:,} paragraphs: not a document")


class _Markdown:
    """The lines read so far: finished `blocks` and the open one."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.blocks: list[Block] = []
        self.open: list[Span] = []
        self.groups: dict[int, list[Span]] = {}
        self.fence = ""
        self.in_table = False

    def feed(self, line: Span) -> None:
        """Take one more line."""
        if self.fence:
            self._in_fence(line)
        elif _is_blank(self.shown, line):
            self.flush()
        elif found := _FENCE.match(self.shown, *line):
            self._open_fence(line, found[1], found[2])
        elif heading := _ATX.match(self.shown, *line):
            self.flush()
            self._add([line], "heading", len(heading[1]), self._heading_name(heading.end(), line.end))
        elif self.in_table and "|" not in self.shown[line.start : line.end]:
            self.flush()
            self.open.append(line)
        else:
            self._in_text(line)

    def flush(self) -> None:
        """Close the open block."""
        lines, self.open = self.open, []
        kind = "code" if self.fence else "table" if self.in_table else ""
        self.fence, self.in_table = "", False
        if not lines:
            return
        if kind:
            self._add(lines, kind, 0, "")
            return
        block = _text_or_list(self.shown, lines)
        self.groups[len(self.blocks)] = lines if block.kind == "text" else []
        self.blocks.append(block)
        _bound(self.blocks)

    def blocks_split(self) -> tuple[Block, ...]:
        """The blocks, the only one with long lines split into its lines when they are paragraphs."""
        with_long = [
            index for index, lines in self.groups.items() if any(end - start > LONG_LINE for start, end in lines)
        ]
        if len(with_long) != 1 or not are_paragraphs(self.shown, self.groups[with_long[0]]):
            return tuple(self.blocks)
        at = with_long[0]
        split = [_text_or_list(self.shown, [line]) for line in self.groups[at]]
        blocks = [*self.blocks[:at], *split, *self.blocks[at + 1 :]]
        _bound(blocks)
        return tuple(blocks)

    def _add(self, lines: Sequence[Span], kind: str, level: int, name: str) -> None:
        self.blocks.append(_block(self.shown, lines, kind=kind, level=level, name=name))
        _bound(self.blocks)

    def _open_fence(self, line: Span, fence: str, info: str) -> None:
        if fence[0] == "`" and "`" in info:
            self._in_text(line)  # inline code that begins a line
            return
        self.flush()
        self.fence = fence
        self.open.append(line)

    def _in_fence(self, line: Span) -> None:
        self.open.append(line)
        text = self.shown[line.start : line.end].strip()
        if len(text) >= len(self.fence) and not text.strip(self.fence[0]):
            self.flush()

    def _in_text(self, line: Span) -> None:
        is_rule = _TABLE_RULE.issuperset(self.shown[line.start : line.end])
        if self.open and not self.in_table and _UNDERLINE.match(self.shown, *line) and not self._is_list():
            lines, self.open = [*self.open, line], []
            name = heading_name(self.shown[lines[0].start : lines[-2].end])
            self._add(lines, "heading", _level(self.shown, lines), name)
            return
        if self.open and not self.in_table and is_rule and self._is_row(line) and self._is_row(self.open[-1]):
            header = self.open.pop()
            self.flush()
            self.open, self.in_table = [header], True
        self.open.append(line)
        if len(self.open) > MAX_PARAGRAPHS:
            raise UnreadableError(f"has more than {MAX_PARAGRAPHS:,} lines without a blank one: not a document")

    def _heading_name(self, start: int, end: int) -> str:
        name = self.shown[start:end].strip()
        closed = name.rstrip("#")
        return heading_name(closed if closed.endswith((" ", "\t")) or not closed else name)

    def _is_list(self) -> bool:
        return bool(_LIST_ITEM.match(self.shown, *self.open[0]))

    def _is_row(self, line: Span) -> bool:
        return "|" in self.shown[line.start : line.end]


def markdown_comments(text: str, start: int = 0) -> tuple[tuple[Span, ...], tuple[str, ...]]:
    """Comments of a Markdown text from `start` on, outside of code, and warnings about those that are not closed."""
    spans: list[Span] = []
    warnings: list[str] = []
    at = start
    while found := _COMMENT_OR_FENCE.search(text, at):
        if found[0] == "<!--":
            if _in_inline_code(text, found.start()):
                at = found.end()
                continue
            close = text.find("-->", found.end())
            if close < 0:
                warnings.append("a comment is opened by <!-- and never closed; read as text")
                break
            spans.append(Span(found.start(), close + 3))
            at = close + 3
        elif found["fence"]:
            at = _behind_fence(text, found)
        else:
            spans.append(Span(*found.span()))
            at = found.end()
    return tuple(spans), tuple(warnings)


_COMMENT_OR_FENCE = re.compile(
    r"<!--|^ {0,3}\[(?://|comment)\]:[ \t]*(?:#|<>)[^\r\n]*|^ {0,3}(?P<fence>```+|~~~+)", re.MULTILINE
)


def _in_inline_code(text: str, at: int) -> bool:
    line_start = max(text.rfind("\n", max(0, at - 500), at) + 1, at - 500, 0)
    return text.count("`", line_start, at) % 2 == 1


def _behind_fence(text: str, opening: re.Match[str]) -> int:
    fence = opening["fence"]
    closing = re.compile(rf"^ {{0,3}}{re.escape(fence)}{re.escape(fence[0])}*[ \t]*$", re.MULTILINE)
    found = closing.search(text, opening.end())
    return found.end() if found else len(text)

"""Blocks, what every reader finds first, and how they become numbered paragraphs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag_geo.readers.debris import Shown, debris_rules
from rag_geo.records import BlockKind, Paragraph, Span
from rag_geo.text.folding import visible
from rag_geo.text.sentences import item_start, line_breaks, list_breaks, sentence_spans

MAX_PARAGRAPHS = 500_000
"""A file with more blocks than this is not a document; it is skipped rather than allowed to fill the memory."""

_SHOWN_LIMIT = 2_000
_LONGEST_NAME = 300  # of a heading, as each paragraph below it carries it
_WORD = re.compile(r"[^\W_]")
_MARKUP = re.compile(r"!?\[([^\]\[]*)\]\([^()\s]*\)|(?<!\w)(?:\*\*|__|\*|_|`)(?=\S)|(?<=\S)(?:\*\*|__|\*|_|`)(?!\w)")


class UnreadableError(Exception):
    """The file cannot be read as a document; the message is the reason for the user. Never leaves this package."""


@dataclass(frozen=True, slots=True)
class Block:
    """Characters ``[start, end)`` that belong together.

    `level` is the depth of a heading, 1 to 6; `rule` marks debris that the reader knows by its place ("html:nav");
    `name` is the text of a heading without its marks; `place` is that of the paragraph (see `Paragraph`).
    """

    start: int
    end: int
    kind: BlockKind = "text"
    level: int = 0
    rule: str | None = None
    name: str = ""
    place: str = ""


def number_blocks(
    file: str,
    text: str,
    blocks: Sequence[Block],
    hidden: Sequence[Span],
    *,
    find_headings: bool = False,
    language: str = "",
) -> tuple[Paragraph, ...]:
    """Number `blocks` from 1, mark debris, follow the headings, find the sentences.

    `language` is that of the document (see `Document`). With `find_headings` a short line in the manner of a heading
    becomes one (plain text has no other headings).
    """
    shown = tuple(_show(text, block, hidden) for block in blocks)
    rules = debris_rules(shown)
    if find_headings:
        blocks = _with_headings(blocks, shown, rules)
    path: list[tuple[int, str]] = []
    paragraphs: list[Paragraph] = []
    for number, (block, rule) in enumerate(zip(blocks, rules, strict=True), start=1):
        is_heading = block.kind == "heading" and rule is None
        while is_heading and path and path[-1][0] >= block.level:
            path.pop()
        paragraphs.append(
            Paragraph(
                file=file,
                number=number,
                start=block.start,
                end=block.end,
                kind=block.kind,
                heading=" › ".join(name for _, name in path if name),
                debris=rule,
                sentences=() if rule else _sentences(text, block, hidden, language),
                place=block.place,
            )
        )
        if is_heading:
            path.append((block.level, (block.name or shown[number - 1].text)[:_LONGEST_NAME]))
    return tuple(paragraphs)


def heading_name(text: str) -> str:
    """The words of a Markdown heading: without marks for emphasis, code and links."""
    return " ".join(_MARKUP.sub(lambda found: found[1] or "", text).split())


def _show(text: str, block: Block, hidden: Sequence[Span]) -> Shown:
    if block.end - block.start > _SHOWN_LIMIT:
        # Too long for any rule but the one that asks whether a text breaks off: its end is enough.
        ending = visible(text, Span(block.end - 200, block.end), hidden)
        return Shown("", (), block.kind, block.rule, ending)
    lines = [block.start, *line_breaks(text, Span(block.start, block.end)), block.end]
    seen = (visible(text, Span(start, end), hidden) for start, end in pairwise(lines))
    kept = tuple(line for line in seen if line)
    whole = " ".join(kept)
    return Shown(whole, kept, block.kind, block.rule, whole)


def _sentences(text: str, block: Block, hidden: Sequence[Span], language: str) -> tuple[Span, ...]:
    span = Span(block.start, block.end)
    breaks = line_breaks(text, span) if block.kind in ("table", "code") else list_breaks(text, span)
    found = sentence_spans(text, span, hidden, breaks=breaks, language=language)
    if block.kind in ("table", "code"):
        return tuple(Span(start, end) for start, end in found if _WORD.search(text, start, end))
    if block.kind != "list":
        return found
    unmarked = (Span(item_start(text, start, end), end) for start, end in found)
    return tuple(sentence for sentence in unmarked if sentence.start < sentence.end)


_SENTENCE_END = re.compile(r"[.!?…:;,。！？]['\"”’»)\]]*$")
_BULLET = re.compile(r"[-*+•●▪]")


def _with_headings(blocks: Sequence[Block], shown: Sequence[Shown], rules: Sequence[str | None]) -> list[Block]:
    """Plain text: the first line, or a line in title case, on its own before a longer text, is a heading."""
    found: list[Block] = []
    live = [index for index, rule in enumerate(rules) if rule is None]
    following = dict(pairwise(live))
    for index, block in enumerate(blocks):
        after = following.get(index)
        if block.kind == "text" and rules[index] is None and after is not None:
            first = index == live[0]
            if _is_heading(shown[index], first=first) and _is_prose(
                blocks[after], shown[after], len(shown[index].text)
            ):
                block = Block(block.start, block.end, "heading", 1 if first else 2)
        found.append(block)
    return found


def _is_heading(shown: Shown, *, first: bool) -> bool:
    text = shown.text
    words = text.split()
    if len(shown.lines) != 1 or not 1 <= len(words) <= 14 or len(text) > 100 or _BULLET.match(text):
        return False
    if not (text[0].isupper() or text[0].isdigit()):
        return False
    if first:
        return not _SENTENCE_END.search(text.rstrip("?!"))
    long_words = [word for word in words if len(word) > 3 and word[0].isalpha()]
    titled = sum(word[0].isupper() for word in long_words)
    return not _SENTENCE_END.search(text) and bool(long_words) and titled * 3 >= len(long_words) * 2


def _is_prose(block: Block, shown: Shown, longer_than: int) -> bool:
    if block.kind != "text":
        return block.kind == "list"
    return block.end - block.start > max(100, longer_than) or bool(_SENTENCE_END.search(shown.ending))

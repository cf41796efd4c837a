"""What of a text can be seen, and how it is folded for matching: always with a way back to the original offsets.

White space is whatever `str.isspace` says and is never hidden; everything else that leaves no mark on a page is.
Kept although invisible, because meaning hangs on them: the zero-width joiner inside an emoji, joiner and non-joiner
after a letter of an Arabic, Indic or Mongolian script, and the text or emoji presentation selector after a symbol.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag_geo.records import Span

_JOINING = "\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u18af\ua840-\ua8ff\ufb50-\ufdff\ufe70-\ufefc"
_EMOJI = "\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_HIDDEN_CLASSES = (
    ("control", "control character", "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]"),
    ("joiner", "zero-width character", f"(?<![{_JOINING}])\u200c|(?<![{_JOINING}{_EMOJI}\ufe0f])\u200d"),
    (
        "zero",
        "zero-width character",
        "[\u034f\u115f\u1160\u180e\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]",
    ),
    ("bidi", "bidirectional control", "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"),
    ("tag", "tag character", "[\U000e0000-\U000e007f]"),
    ("soft", "soft hyphen", "\u00ad"),
    (
        "variation",
        "variation selector",
        f"(?<![{_EMOJI}#*0-9\u00a9\u00ae\u203c\u2049\u2122\u2139\u20e3])[\ufe0e\ufe0f]"
        "|[\u180b-\u180d\ufe00-\ufe0d\U000e0100-\U000e01ef]",
    ),
)
_HIDDEN = re.compile("|".join(f"(?P<{group}>(?:{pattern})+)" for group, _, pattern in _HIDDEN_CLASSES))
_MAYBE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e01ef]"
)
_HIDDEN_NAMES = {group: name for group, name, _ in _HIDDEN_CLASSES}

QUOTES_AND_DASHES = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u2032\u02bc\uff07"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\uff02"), '"'),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"), "-"),
}
"""One character for one character: every quotation mark and dash to its plain form, for `str.translate`."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A text changed for matching, with the way back.

    `starts[i]` is the offset in the original of the character that gave folded character `i`; one more entry holds the
    end of the original. None means that every offset is its own.
    """

    text: str
    starts: tuple[int, ...] | None = None

    def span(self, start: int, end: int) -> Span:
        """Characters of the original that gave folded ``[start, end)``; raises IndexError outside the text."""
        if self.starts is None:
            return Span(start, end)
        if start == end:
            return Span(self.starts[start], self.starts[start])
        # One original character may give several ("ﬁ" gives "fi"): its end is the next different start.
        last = self.starts[end - 1]
        following = end
        while self.starts[following] == last:
            following += 1
        return Span(self.starts[start], self.starts[following])


def fold(text: str) -> Folded:
    """Fold quotation marks, dashes, compatibility forms (width, ligatures, no-break spaces) and case.

    Each character is folded on its own, so that offsets stay recoverable; hidden characters are left out.
    """
    if text.isascii():
        hidden, _ = find_hidden(text)
        if not hidden:
            return Folded(text.lower())
    pieces: list[str] = []
    starts: list[int] = []
    for piece in _visible_pieces(Span(0, len(text)), find_hidden(text)[0]):
        for offset in range(piece.start, piece.end):
            folded = _fold_character(text[offset])
            pieces.append(folded)
            starts.extend([offset] * len(folded))
    starts.append(len(text))
    return Folded("".join(pieces), tuple(starts))


def _fold_character(character: str) -> str:
    plain = QUOTES_AND_DASHES.get(ord(character))
    if plain is not None:
        return plain
    if character.isspace():
        return " "
    return unicodedata.normalize("NFKC", character).casefold()


def find_hidden(text: str) -> tuple[tuple[Span, ...], dict[str, int]]:
    """Spans of the characters of `text` that leave no mark on a page, in order, and how many there are by name."""
    spans: list[Span] = []
    counts: Counter[str] = Counter()
    at = 0
    while maybe := _MAYBE.search(text, at):  # one character class is ten times as fast as the alternatives
        at = maybe.end()
        found = _HIDDEN.match(text, maybe.start())
        if not found:
            continue
        start, end = found.span()
        at = end
        counts[_HIDDEN_NAMES[found.lastgroup or ""]] += end - start
        if spans and spans[-1].end == start:
            start = spans.pop().start
        spans.append(Span(start, end))
    return tuple(spans), dict(counts)


def merge_spans(spans: Sequence[Span]) -> tuple[Span, ...]:
    """The same characters as ordered, disjoint spans."""
    merged: list[Span] = []
    for span in sorted(spans):
        if span.start == span.end:
            continue
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(Span(*span))
    return tuple(merged)


def blank(text: str, hidden: Sequence[Span]) -> str:
    """`text` with a space in place of every hidden character: same length, same offsets."""
    pieces: list[str] = []
    at = 0
    for start, end in hidden:
        pieces.append(text[at:start])
        pieces.append(" " * (end - start))
        at = end
    pieces.append(text[at:])
    return "".join(pieces)


@dataclass(frozen=True, slots=True)
class Visible:
    """The visible characters of a stretch of text, white space as it is, with the way back to the original offsets."""

    text: str
    at: tuple[int, ...]
    original: tuple[int, ...]

    def offset(self, index: int) -> int:
        """Offset in the original of visible character `index`."""
        piece = bisect_right(self.at, index) - 1
        return self.original[piece] + index - self.at[piece]


def visible_part(text: str, span: Span, hidden: Sequence[Span]) -> Visible:
    """The characters of ``text[span.start:span.end]`` outside `hidden` (ordered, disjoint spans)."""
    pieces: list[str] = []
    at: list[int] = []
    original: list[int] = []
    length = 0
    for piece in _visible_pieces(span, hidden):
        pieces.append(text[piece.start : piece.end])
        at.append(length)
        original.append(piece.start)
        length += piece.end - piece.start
    return Visible("".join(pieces), tuple(at) or (0,), tuple(original) or (span.start,))


def visible(text: str, span: Span, hidden: Sequence[Span] = ()) -> str:
    """What a reader sees of ``text[span.start:span.end]``: without hidden spans, white space collapsed and trimmed."""
    pieces = (text[piece.start : piece.end] for piece in _visible_pieces(span, hidden))
    return " ".join("".join(pieces).split())


def _visible_pieces(span: Span, hidden: Sequence[Span]) -> Iterator[Span]:
    at = span.start
    first = bisect_right(hidden, at, key=lambda hole: hole.end)
    for index in range(first, len(hidden)):
        hole = hidden[index]
        if hole.start >= span.end:
            break
        if hole.start > at:
            yield Span(at, hole.start)
        at = max(at, hole.end)
    if at < span.end:
        yield Span(at, span.end)

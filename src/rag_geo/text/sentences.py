"""Where sentences begin and end, in exact characters.

`sentencex` finds the boundaries; what it is known to get wrong is mended here: a sentence does not begin with a small
letter after a full stop or in the middle of spaced initials ("U. S. Army"), and it ends behind a bracket it opened.
`rag_geo.text.abbreviations` mends what is particular to a language. Anything longer than `LIMIT` characters is cut at a
clause, else at a space, else where it is: never inside a word that is shorter than the limit. Time is linear in the
text, also when it is one line without a space.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from rag_geo.records import Span
from rag_geo.text.abbreviations import east_asian_ends, leads_on, missed_ends
from rag_geo.text.folding import visible_part
from rag_geo.text.languages import language_within

LIMIT = 1000
"""Characters of the longest sentence; longer ones are cut."""

_STRETCH = 4 * LIMIT
_SAMPLE = 2 * LIMIT

_SURROGATES = re.compile("[\ud800-\udfff]")
_INITIAL_ENDS = re.compile(r"(?:^|[\s\-(“\"‘'])[^\W\d_]\.\s*$")
_INITIAL_STARTS = re.compile(r"\s*[^\W\d_]\.")
_BRACKET_ENDS = re.compile(r"(?<=[.!?][)\]])\s+(?=[\"“‘'(\[]?[^\W\d_a-zß-öø-ÿ])")
_CLAUSE = re.compile(r"[,;:\u2014\u2013\u060c\uff0c\u3001\uff1b\uff1a)]\s|[\uff0c\u3001\uff1b]|\s[\u2014\u2013-]\s")
_WORD = re.compile(r"[^\W_]")
_BULLET = re.compile(r"^[ \t]*(?:[-*+\u2022\u25cf\u25aa\u2013]|\(?\d{1,3}[.)]|\(?[a-z][.)])[ \t]+(?=\S)", re.MULTILINE)
_MARK = re.compile(r"(?:[-*+\u2022\u25cf\u25aa\u2013]|\(?\d{1,3}[.)]|\(?[a-z][.)])(?:[ \t]+|$)")
_LINE_END = re.compile(r"\r\n|\n|\r")


def sentence_spans(
    text: str,
    span: Span | None = None,
    hidden: Sequence[Span] = (),
    *,
    breaks: Sequence[int] = (),
    language: str = "",
) -> tuple[Span, ...]:
    """Sentences of ``text[span.start:span.end]`` (all of it by default), in order and disjoint.

    No span begins or ends with white space or a hidden character; together they hold every visible non-space character.
    `hidden` are ordered, disjoint spans that are looked through; `breaks` are offsets at which a sentence ends for
    certain (lines of a list, rows of a table). `language` (ISO 639-1) is that of the whole text; what is written in
    another script is read as the likeliest language of that script, and "" in Latin script as English.
    """
    span = span or Span(0, len(text))
    edges = [span.start, *sorted({at for at in breaks if span.start < at < span.end}), span.end]
    found: list[Span] = []
    for start, end in pairwise(edges):
        part = visible_part(text, Span(start, end), hidden)
        if len(part.at) == 1:
            shift = part.original[0]
            found.extend(Span(first + shift, last + shift) for first, last in _visible_spans(part.text, language))
            continue
        for first, last in _visible_spans(part.text, language):
            found.append(Span(part.offset(first), part.offset(last - 1) + 1))
    return tuple(found)


def list_breaks(text: str, span: Span) -> tuple[int, ...]:
    """Offsets in `span` at which a line begins with the mark of a list item."""
    return tuple(match.start() for match in _BULLET.finditer(text, span.start, span.end))


def item_start(text: str, start: int, end: int) -> int:
    """Offset of the first word in ``[start, end)``, behind the mark of a list item if it begins with one."""
    found = _MARK.match(text, start, end)
    return found.end() if found else start


def line_breaks(text: str, span: Span) -> tuple[int, ...]:
    """Offsets in `span` at which a line begins."""
    return tuple(match.end() for match in _LINE_END.finditer(text, span.start, span.end))


def _visible_spans(text: str, language: str) -> Iterator[tuple[int, int]]:
    language = language_within(text[:_SAMPLE], language) or "en"
    for start, end in _merge(text, _split(text, language), language):
        for first, last in _cut(text, start, end):
            trimmed = text[first:last]
            left = len(trimmed) - len(trimmed.lstrip())
            kept = trimmed.strip()
            if kept:
                yield first + left, first + left + len(kept)


def _split(text: str, language: str) -> Iterator[tuple[int, int]]:
    """The segments of `sentencex`, which follow each other without a gap, cut once more behind closing brackets."""
    if not text or text.isspace():
        return
    import sentencex

    safe = _SURROGATES.sub("\ufffd", text)
    at = 0
    while at < len(safe):
        last = _stretch_end(safe, at)
        lengths = [len(segment) for segment in sentencex.segment(language, safe[at:last])]
        if last < len(safe) and len(lengths) > 1:
            lengths.pop()  # perhaps only the beginning of a sentence: it begins the next stretch
        for length in lengths:
            yield from _pieces(text, at, at + length, language)
            at += length


def _stretch_end(text: str, start: int) -> int:
    """Where to stop reading at once: `sentencex` takes quadratic time on some texts, such as opening quotes alone."""
    end = start + _STRETCH
    if end >= len(text):
        return len(text)
    for at in range(end, end - LIMIT, -1):
        if text[at - 1].isspace():
            return at
    return end


def _pieces(text: str, start: int, end: int, language: str) -> Iterator[tuple[int, int]]:
    """A segment, cut where `sentencex` has missed the end of a sentence."""
    cuts = east_asian_ends(text, start, end) if language in ("zh", "ja") else missed_ends(text, start, end, language)
    for first, last in pairwise([start, *(at for at in cuts if start < at < end), end]):
        yield from _behind_brackets(text, first, last)


def _behind_brackets(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    if text[start] in "([":
        found = _BRACKET_ENDS.search(text, start, min(end, start + LIMIT))
        if found:
            yield start, found.end()
            start = found.end()
    if start < end:
        yield start, end


def _merge(text: str, segments: Iterable[tuple[int, int]], language: str) -> Iterator[tuple[int, int]]:
    """Join a segment to the one before where a sentence cannot have ended."""
    open_start = open_end = -1
    for start, end in segments:
        if open_start >= 0 and (
            _goes_on(text, open_start, open_end, end)
            or (language != "en" and leads_on(text, open_start, open_end, language))
        ):
            open_end = end
            continue
        if open_start >= 0:
            yield open_start, open_end
        open_start, open_end = start, end
    if open_start >= 0:
        yield open_start, open_end


def _goes_on(text: str, start: int, end: int, next_end: int) -> bool:
    first = text[end]
    if not first.isalnum() and next_end - end <= 80 and not _WORD.search(text, end, next_end):
        return True
    if first.isspace():
        first = text[end : end + 80].lstrip()[:1]
    before = text[max(start, end - 6) : end].rstrip()
    if not before.endswith("."):
        return False
    return first.islower() or bool(_INITIAL_ENDS.search(before) and _INITIAL_STARTS.match(text, end, next_end))


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > LIMIT:
        at = _cut_at(text, start, start + LIMIT)
        yield start, at
        start = at
    yield start, end


def _cut_at(text: str, start: int, end: int) -> int:
    """The best place to cut ``[start, end)``: behind a clause in its second half, else behind a space, else `end`."""
    middle = start + (end - start) // 2
    clauses = deque(_CLAUSE.finditer(text, middle, end), maxlen=1)
    if clauses:
        return clauses[0].end()
    for at in range(end - 1, start, -1):
        if text[at].isspace():
            return at + 1
    return end

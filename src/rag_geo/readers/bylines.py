"""Who wrote a plain text: a byline near its top, or a line about the author at its end.

Precision first, as a wrong author is worse than none. Taken are

- a line of its own such as "By Jane Doe", "By Jane Doe and John Roe", "Von Jane Doe, Mai 2021", "By Jane Doe | The
  Paper", of at most 60 characters, among the first lines with text;
- a name that stands twice in a row under a label such as "Opinion", as pages print the author under a picture;
- a last paragraph that says what somebody is who is not spoken of in the text: "Jane Doe is an editor at …".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rag_geo.readers.blocks import heading_name
from rag_geo.records import Format, Paragraph, Span
from rag_geo.text.folding import visible
from rag_geo.text.sentences import line_breaks

_FIRST_LINES = 12
_LONGEST_LINE = 60
_LONGEST_ABOUT = 400
_PROSE = 200
_LONG_LINES = 2

_WORD = r"[^\W\d_a-zß-öø-ÿ][\w.’'-]*"
_NAME = rf"{_WORD}(?:[ ](?:(?:de|del|della|di|da|du|la|le|van|von|der|den|ter|al|bin|ibn|el)[ ])*{_WORD}){{1,4}}"
_AND = r"[ ](?:and|und|&)[ ]"
_NAMES = rf"{_NAME}(?:(?:,[ ]{_NAME})*{_AND}{_NAME})?"
_BY = re.compile(rf"(by|By|BY|von|Von|VON)[ ]({_NAMES})(?:[ ]?[,|/·•–—-][ ]?(?=[^\W_])[^.!?:;]+)?")
_PART = re.compile(rf",[ ]|{_AND}")
_ONLY_NAME = re.compile(_NAME)
_ABOUT = re.compile(
    rf"({_NAME})[ ](?:is|was)[ ](?:(?:an?|the)[ ](?:[\w’'-]+[ ]){{0,5}}?|(?:[\w’'-]+[ ]){{0,2}}?)"
    r"(?:editor|writer|journalist|columnist|correspondent|reporter|contributor|professor|lecturer|fellow|scholar"
    r"|researcher|analyst)\b.{0,300}",
    re.DOTALL,
)


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_LABELS = _words("opinion analysis comment commentary column columnist author meinung kommentar analyse")
# Capitalised in a title or a label, and no part of a name.
_NOT_NAMES = _words(
    """
    a accident agencies air all an and any around at before board chance comparison contrast correspondent day default
    demand design editorial email end facsimile far force friday hand january february march april may june july august
    september october november december monday tuesday wednesday thursday saturday sunday land law mail majority means
    more morning nature night no now numbers one order our own people phone popular post proxy public reporter road sea
    side staff than the their then these this those train two virtue vote way weight who year years your
    """
)


def find_author(text: str, paragraphs: Sequence[Paragraph], hidden: Sequence[Span], kind: Format) -> str:
    """The author that the lines of `text` name, several joined by ", "; "" when none is certain."""
    lines = list(_first_lines(text, paragraphs, hidden, kind))
    return _byline(lines) or _repeated_name(lines) or _about_the_author(text, paragraphs, hidden)


def _first_lines(
    text: str, paragraphs: Sequence[Paragraph], hidden: Sequence[Span], kind: Format
) -> Iterator[tuple[str, bool]]:
    """The first lines with text, without marks, and whether each begins its paragraph; "" for what is no plain text."""
    count = long = 0
    for paragraph in paragraphs[:_FIRST_LINES]:
        whole = Span(paragraph.start, paragraph.end)
        plain = paragraph.kind == "text" or (paragraph.kind == "heading" and kind == "text")
        if not plain or paragraph.end - paragraph.start > _PROSE * _FIRST_LINES:
            lines = [""]
        else:
            ends = [whole.start, *line_breaks(text, whole), whole.end]
            lines = [seen for part in pairwise(ends) if (seen := visible(text, Span(*part), hidden))]
        for at, line in enumerate(lines):
            count += 1
            long += len(line) > _PROSE or not plain
            if count > _FIRST_LINES or long > _LONG_LINES:
                return
            yield heading_name(line) if kind == "markdown" else line, at == 0


def _byline(lines: Sequence[tuple[str, bool]]) -> str:
    for at, (line, begins) in enumerate(lines):
        found = _BY.fullmatch(line) if len(line) <= _LONGEST_LINE else None
        if found is None:
            continue
        # In small letters it may be the middle of a wrapped sentence; "Von" also begins names and headings.
        if (found[1].islower() and not begins) or (found[1].lower() == "von" and at == 0):
            continue
        names = _PART.split(found[2])
        if all(_is_name(name) for name in names):
            return ", ".join(names)
    return ""


def _repeated_name(lines: Sequence[tuple[str, bool]]) -> str:
    for (label, _), (first, _), (second, _) in zip(lines, lines[1:], lines[2:], strict=False):
        if label.casefold() in _LABELS and first == second and _ONLY_NAME.fullmatch(first) and _is_name(first):
            return first
    return ""


def _about_the_author(text: str, paragraphs: Sequence[Paragraph], hidden: Sequence[Span]) -> str:
    """The name that the last paragraph explains, when no longer paragraph before it has the last word of the name."""
    live = [paragraph for paragraph in paragraphs if paragraph.debris is None]
    if len(live) < 3 or live[-1].kind != "text" or live[-1].end - live[-1].start > _LONGEST_ABOUT:
        return ""
    found = _ABOUT.fullmatch(visible(text, Span(live[-1].start, live[-1].end), hidden))
    if found is None or not _is_name(found[1]):
        return ""
    last = re.compile(rf"\b{re.escape(found[1].split()[-1])}\b")
    spoken_of = any(last.search(text, p.start, p.end) for p in live[:-1] if p.end - p.start > _PROSE)
    return "" if spoken_of else found[1]


def _is_name(text: str) -> bool:
    words = text.split()
    return 2 <= len(words) <= 5 and not any(word.casefold().strip(".'’") in _NOT_NAMES for word in words)

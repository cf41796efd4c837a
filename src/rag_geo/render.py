r"""An `Answer` as terminal text, JSON or Markdown: pure functions, shared by all front ends.

Everything that comes from a document, a file name, a question or a model is untrusted. On its way to a terminal it
goes through `visible`, on its way into Markdown it is escaped as well (HTML is made by `rag_geo.chat.views`). JSON is
exact: what a parser reads is what the record holds, and the characters a terminal would obey are written as ``\uXXXX``.
"""

from __future__ import annotations

import html
import io
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from rag_geo.filtering import filter_words
from rag_geo.records import (
    Answer,
    Citation,
    Claim,
    ClaimChecked,
    Conflict,
    Event,
    EvidenceFound,
    Finished,
    Hit,
    Judged,
    Near,
    Reading,
    Span,
    Writing,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from rag_geo.calibration import Calibration
    from rag_geo.errors import RagGeoError

STATUS_LINES = {
    "answered": "Answered: every sentence was checked against the paragraph it cites.",
    "partial": "Answered in part: what could not be proved is left out.",
    "not_found": "Not found: the documents do not say.",
}

#: Above what the documents say against a cited sentence.
OTHERWISE = "The documents also say otherwise"
SET_ASIDE = "Not read, because it gives orders to whoever answers"
#: Sentences set aside that are shown; the others are counted.
SHOWN_ASIDE = 3

UNPROVED_LINE = "Not found: no sentence about it could be proved by the documents."

# Of an answer with filters: the other documents may say it.
FILTERED_LINE = "Not found: the documents that were searched do not say."
FILTERED_UNPROVED_LINE = "Not found: no sentence about it could be proved by the documents that were searched."

#: Files with the same content as a cited one that are named beside it; the others are counted.
NAMED_COPIES = 2

# C0, DEL and C1 (terminals obey them), line and paragraph separators, zero-width and bidirectional controls (they
# reorder or hide what is read), tag characters and variation selectors beyond the emoji one (they carry hidden text),
# interlinear annotation, soft hyphen, Hangul fillers, byte order mark, surrogates.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff\ud800-\udfff]"
)
# The first character of the white space only, or a long run of it would be read again from each of its characters.
_BREAKS = re.compile(r"(?<!\s)\s*[\n\r\t\v\f\x85\u2028\u2029]\s*")
_HINTS = re.compile("[\xad\u200b\u2060\ufeff]")
# What Markdown obeys: signs that are markup anywhere; an underscore unless within a word; "!" of an image; ":" of an
# address, a short name or a fence; the "." of "www."; "#" in front of or behind a heading; and at the beginning of a
# line the signs of lists, rules, headings and definitions, and the sign behind the number of a list.
_MARKDOWN = re.compile(
    r"[\\`*\[\]{}~|$@]|(?<!\w)_+|_++(?![^\W_])|!(?=\[)|:(?![\s\d]|$)|(?<=www)\.|(?<!\S)#"
    r"|^ ?(?:[#+\-=:]|\d+[.)](?=\s|$))",
    re.IGNORECASE,
)
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a line with its style: "", "strong", "faint", "mark", "support", "good", "warn" or "bad"."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line before it is wrapped: `indent` columns in front, `hanging` more on the lines it wraps onto."""

    segments: tuple[Segment, ...] = ()
    indent: int = 0
    hanging: int = 0


def visible(text: str, *, one_line: bool = True) -> str:
    """Make untrusted text safe for a terminal: control characters become visible marks.

    C0 controls become their pictures (ESC is ``␛``), everything else that a terminal obeys or a reader cannot see
    becomes ``�``; what is only a hint for line breaking (soft hyphen, zero-width space) goes.
    With `one_line`, line breaks and tabs become a space; without it they stay.
    """
    if not _UNSAFE.search(text):
        return text
    if one_line:
        text = _BREAKS.sub(" ", text)
    text = _HINTS.sub("", text)
    return _UNSAFE.sub(lambda found: _mark(found[0], keep_breaks=not one_line), text)


def visible_name(name: str) -> str:
    r"""Make a file name safe for a terminal and true to the file: a line break is shown as ``\n``."""
    return _UNSAFE.sub(lambda found: _NAMED.get(found[0]) or _mark(found[0], keep_breaks=False), name)


def place(file: str, paragraph: int, where: str = "", also: Sequence[str] = ()) -> str:
    """Name a paragraph for people: ``corpus/x.pdf ¶7, p. 4 (the same in old/x.pdf)``.

    `where` is its place in the original (`Paragraph.place`), `also` are the files with the same content (`copies`).
    """
    same = copies([visible_name(each) for each in also])
    shown = f", {visible(where)}" if where else ""
    return f"{visible_name(file)} ¶{paragraph}{shown}" + (f" (the same in {same})" if same else "")


def copies(files: Sequence[str]) -> str:
    """List the first files and count the others: ``a, b and 3 more``; "" for none."""
    named, rest = files[:NAMED_COPIES], len(files) - NAMED_COPIES
    return f"{', '.join(named)} and {rest:,} more" if rest > 0 else " and ".join(named)


def error_text(error: RagGeoError) -> str:
    """Give an error as the lines a terminal shows, without a line break at the end."""
    lines = [f"error: {visible(str(error.message))}"]
    return "\n".join([*lines, f"hint: {visible(str(error.hint))}"] if error.hint else lines)


@dataclass(frozen=True, slots=True)
class Footnotes:
    """The citations of an answer in the order of their marks (mark 1 first), and the marks of each verified claim."""

    citations: tuple[Citation, ...]
    marks: tuple[tuple[Claim, tuple[int, ...]], ...]


def status_line(answer: Answer) -> str:
    """Give the line that says what came of the question."""
    if answer.status != "not_found":
        return STATUS_LINES[answer.status]
    if answer.filters:
        return FILTERED_UNPROVED_LINE if answer.claims else FILTERED_LINE
    return UNPROVED_LINE if answer.claims else STATUS_LINES["not_found"]


def lacking(answer: Answer) -> tuple[str, ...]:
    """Give the parts of the question that were not answered, where others were."""
    return tuple(part.question for part in answer.parts if not part.found) if answer.answer else ()


def more_aside(answer: Answer) -> list[str]:
    """Count the sentences set aside that are not shown; nothing where all are."""
    more = len(answer.set_aside) - SHOWN_ASIDE
    return [f"and {more:,} more"] if more > 0 else []


def footnotes(claims: Iterable[Claim]) -> Footnotes:
    """Give numbers to the citations of the verified claims: one mark for one sentence, its supporting words united."""
    numbered: dict[tuple[str, int, int], Citation] = {}
    marks = []
    for claim in claims:
        if claim.status != "verified":
            continue
        for citation in claim.citations:
            key = (citation.file, citation.start, citation.end)
            known = numbered.get(key, citation)
            numbered[key] = _with_support(known, (*known.support, *citation.support))
        order = list(numbered)
        keys = dict.fromkeys((each.file, each.start, each.end) for each in claim.citations)
        marks.append((claim, tuple(order.index(key) + 1 for key in keys)))
    return Footnotes(tuple(numbered.values()), tuple(marks))


# --- terminal ---------------------------------------------------------------------------------------------------


def answer_lines(answer: Answer, *, verbose: bool = False) -> list[Line]:
    """Lay out an answer for a terminal: status, sentences with marks, evidence, and what was withheld or is near."""
    notes = footnotes(answer.claims)
    withheld = [claim for claim in answer.claims if claim.status == "withheld"]
    style = {"answered": "good", "partial": "warn", "not_found": "bad"}[answer.status]
    lines = [Line((Segment(status_line(answer), style),))]
    if answer.searched != answer.question:
        lines.append(Line((Segment("asked as: ", "faint"), Segment(visible(answer.searched))), hanging=10))
    if answer.filters:
        lines.append(Line((Segment("only in: ", "faint"), Segment(visible(filter_words(answer.filters)))), hanging=9))
    if notes.marks:
        lines += [Line(), *(_sentence_line(claim, marks) for claim, marks in notes.marks), Line()]
    for number, citation in enumerate(notes.citations, start=1):
        lines += _citation_lines(number, citation)
    for part in lacking(answer):
        lines.append(Line((Segment("not found: ", "warn"), Segment(visible(part))), hanging=11))
    if answer.conflicts:
        lines += [Line(), Line((Segment(f"{OTHERWISE}:", "warn"),))]
        lines += [line for conflict in answer.conflicts for line in _conflict_lines(conflict, notes)]
    lines += _aside_lines(answer)
    if answer.status == "not_found" and answer.near:
        lines += [Line(), Line((Segment("Nearest paragraphs:", "faint"),))]
        lines += [line for near in answer.near for line in _near_lines(near)]
    if withheld:
        lines += [Line(), *_withheld_lines(withheld, verbose=verbose)]
    if verbose:
        lines += [Line(), _figures_line(answer)]
    return lines


def answer_terminal(answer: Answer, *, width: int = 80, color: bool = False, verbose: bool = False) -> str:
    """Give an answer as text for a terminal `width` columns wide, or for a pipe.

    With `color` the supporting words are bold and underlined; without they stand in «…».
    """
    return lines_text(answer_lines(answer, verbose=verbose), width=width, color=color)


def hit_lines(hits: Sequence[Hit]) -> list[Line]:
    """Lay out search results: rank, place, score, and the sentences with the best window highlighted."""
    lines = []
    for rank, hit in enumerate(hits, start=1):
        head = (Segment(f"{rank}. ", "mark"), Segment(place(hit.file, hit.paragraph, hit.place, hit.also), "strong"))
        figures = f"  score {hit.score:.3f}  meaning {hit.similarity:.3f}  words {hit.lexical:.2f}"
        lines.append(Line((*head, Segment(figures, "faint")), hanging=4))
        title = "" if hit.heading.startswith(hit.title) else hit.title
        if above := " › ".join(part for part in (title, hit.heading) if part):
            lines.append(Line((Segment(visible(above), "faint"),), indent=4))
        lines.append(Line(tuple(_window_segments(hit)), indent=4))
    return lines


def table_lines(rows: Sequence[Sequence[str]], *, styles: Sequence[str] = ()) -> list[Line]:
    """Lay out rows of untrusted cells in columns; `styles` are those of the columns, "" where there are no more."""
    cells = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    padded = [*styles, *[""] * (len(widths) - len(styles))]
    return [
        Line(
            tuple(Segment(cell.ljust(width + 2), style) for cell, width, style in zip(row, widths, padded, strict=True))
        )
        for row in cells
    ]


def curve_lines(calibration: Calibration) -> list[Line]:
    """Show what each threshold buys, the chosen one marked."""
    head = ("threshold", "answered right", "answered wrong", "unanswerable refused", "")
    rows: list[tuple[str, ...]] = [head]
    chosen = calibration.check.threshold
    for threshold, *shares in calibration.curve:
        rows.append(
            (f"{threshold:.2f}", *(f"{share:.1%}" for share in shares), "chosen" if threshold == chosen else "")
        )
    return table_lines(rows)


def lines_text(lines: Iterable[Line], *, width: int = 80, color: bool = False) -> str:
    """Wrap lines to `width` columns and give them as text, each with a line break at its end.

    Wide characters count as two columns; a word longer than a line is cut. Without `color` there is no escape
    sequence in the result.
    """
    from rich.console import Console
    from rich.theme import Theme

    styles = {"strong": "bold", "faint": "dim", "mark": "cyan", "support": "bold underline"}
    colors = {"good": "bold green", "warn": "bold yellow", "bad": "bold red"}
    console = Console(
        file=io.StringIO(),
        width=max(width, 20),
        height=25,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=False,
        legacy_windows=False,
        theme=Theme(styles | colors, inherit=False),
        _environ={},
    )
    rows = [row for line in lines for row in _wrapped(line, console, color=color)]
    with console.capture() as capture:
        for row in rows:
            console.print(row, soft_wrap=True, highlight=False, markup=False, emoji=False)
    return "".join(f"{row.rstrip()}\n" for row in capture.get().split("\n")[:-1])


def _wrapped(line: Line, console: Console, *, color: bool) -> Iterator[Text]:
    from rich.text import Text

    pieces = [(segment.text if color else _plain(segment), segment.style) for segment in line.segments]
    room = max(console.width - line.indent - line.hanging, 10)
    for number, row in enumerate(Text.assemble(*pieces).wrap(console, room)):
        row.rstrip()
        yield Text(" " * (line.indent + (line.hanging if number else 0))) + row


def _plain(segment: Segment) -> str:
    return f"«{segment.text}»" if segment.style == "support" else segment.text


def _sentence_line(claim: Claim, marks: Sequence[int]) -> Line:
    return Line((Segment(visible(claim.text)), Segment(" " + "".join(f"[{mark}]" for mark in marks), "mark")))


def _citation_lines(number: int, citation: Citation) -> list[Line]:
    head = (Segment(f"[{number}] ", "mark"), Segment(_cited_place(citation), "strong"))
    return [Line(head, hanging=4), Line(tuple(_quote_segments(citation.quote, citation.support)), indent=4)]


def _quote_segments(quote: str, support: Sequence[Span]) -> Iterator[Segment]:
    yield Segment("“")
    for piece, supports in quote_pieces(quote, support):
        yield Segment(visible(piece), "support" if supports else "")
    yield Segment("”")


def _near_lines(near: Near) -> list[Line]:
    lines = [
        Line((Segment("- "), Segment(place(near.file, near.paragraph, near.place), "strong")), indent=2, hanging=2),
        Line((Segment(f"“{visible(near.quote)}”"),), indent=4),
    ]
    if near.missing:
        words = ", ".join(visible(word) for word in near.missing)
        lines.append(Line((Segment("does not say: ", "faint"), Segment(words, "warn")), indent=4, hanging=2))
    return lines


def against(conflict: Conflict, notes: Footnotes) -> int:
    """Give the mark of the citation that a conflict is about, 0 if it is none of `notes`."""
    cited = conflict.cited
    keys = [(each.file, each.start, each.end) for each in notes.citations]
    key = (cited.file, cited.start, cited.end)
    return keys.index(key) + 1 if key in keys else 0


def _conflict_lines(conflict: Conflict, notes: Footnotes) -> list[Line]:
    number = against(conflict, notes)
    mark = (Segment(f"against [{number}]: ", "mark"),) if number else ()
    return [
        Line((Segment("- "), Segment(_cited_place(conflict.other), "strong")), indent=2, hanging=2),
        Line(tuple(_quote_segments(conflict.other.quote, conflict.other.support)), indent=4),
        Line((*mark, Segment(visible(conflict.what), "faint")), indent=4, hanging=2),
    ]


def _aside_lines(answer: Answer) -> list[Line]:
    if not answer.set_aside:
        return []
    lines = [Line(), Line((Segment(f"{SET_ASIDE}:", "warn"),))]
    for citation in answer.set_aside[:SHOWN_ASIDE]:
        lines.append(Line((Segment("- "), Segment(_cited_place(citation), "strong")), indent=2, hanging=2))
        lines.append(Line(tuple(_quote_segments(citation.quote, ())), indent=4))
    return lines + [Line((Segment(more, "faint"),), indent=2) for more in more_aside(answer)]


def _withheld_lines(claims: Sequence[Claim], *, verbose: bool) -> list[Line]:
    count = "1 sentence was" if len(claims) == 1 else f"{len(claims)} sentences were"
    more = ":" if verbose else " (--verbose shows them and why)."
    lines = [Line((Segment(f"{count} withheld, not proved by the documents{more}", "warn"),))]
    if verbose:
        for claim in claims:
            lines.append(Line((Segment("withheld: ", "warn"), Segment(visible(claim.text), "faint")), 2, 2))
            lines.append(Line((Segment(f"because {visible(claim.reason)}", "faint"),), 4, 2))
    return lines


def _figures_line(answer: Answer) -> Line:
    times, tokens = answer.timings, answer.tokens
    parts = (
        f"answerable {answer.answerable:.2f}",
        f"model {visible(answer.model)}",
        f"embedder {visible(answer.embedder)}",
        f"index {visible(answer.index_generation)}",
        f"{times.total_s:.1f} s (evidence {times.first_evidence_s:.2f}, load {times.load_s:.1f})",
        f"tokens read {tokens.read}, cached {tokens.cached}, written {tokens.written}",
    )
    return Line((Segment(" · ".join(parts), "faint"),), hanging=2)


def _window_segments(hit: Hit) -> Iterator[Segment]:
    for number, sentence in enumerate(hit.sentences):
        inside = hit.window.start <= sentence.start and sentence.end <= hit.window.end
        yield Segment((" " if number else "") + visible(sentence.text), "" if inside else "faint")


# --- JSON -------------------------------------------------------------------------------------------------------


def answer_object(answer: Answer) -> dict[str, object]:
    """Give an answer as the object that ``rag-geo ask --json`` prints; ``answer.schema.json`` describes it."""
    return _plain_object(answer)


def hit_object(hit: Hit) -> dict[str, object]:
    """Give a search result as the object that ``rag-geo search --json`` prints."""
    sentences = [{"start": each.start, "end": each.end, "text": each.text} for each in hit.sentences]
    return _plain_object(hit) | {"window": {"start": hit.window.start, "end": hit.window.end}, "sentences": sentences}


def error_object(error: RagGeoError, *, question: str | None = None) -> dict[str, object]:
    """Give an error as the object that stands for its line in a batch."""
    body = {"message": error.message, "hint": error.hint, "exit_code": error.exit_code}
    return {"question": question, "error": body} if question is not None else {"error": body}


def json_text(value: object, *, indent: int | None = None) -> str:
    """Write JSON that parses to exactly `value` and holds no character that a terminal obeys.

    Numbers that JSON has no word for (NaN, infinities) become null.
    """
    text = json.dumps(_finite(value), ensure_ascii=False, indent=indent, allow_nan=False)
    return _UNSAFE.sub(lambda found: found[0] if found[0] == "\n" else json.dumps(found[0])[1:-1], text)


def _plain_object(record: Any) -> dict[str, Any]:  # noqa: ANN401 - any record
    """Give a record as a dictionary, records in it too; unlike `dataclasses.asdict` it takes any mapping."""
    return {each.name: _plain_value(getattr(record, each.name)) for each in fields(record)}


def _plain_value(value: Any) -> Any:  # noqa: ANN401 - any value of a record
    if is_dataclass(value):
        return _plain_object(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return [_plain_value(each) for each in value]
    return value


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


# --- Markdown ---------------------------------------------------------------------------------------------------


def answer_markdown(answer: Answer) -> str:
    """Give an answer as Markdown with inert text: no link, image or tag of a document or model survives."""
    notes = footnotes(answer.claims)
    parts = [f"**{status_line(answer)}**"]
    if answer.filters:
        parts.append(f"*Only in:* {markdown_text(filter_words(answer.filters))}")
    if notes.marks:
        sentences = (
            markdown_text(claim.text) + "".join(f" \\[{mark}\\]" for mark in marks) for claim, marks in notes.marks
        )
        parts.append(" ".join(sentences))
    for number, citation in enumerate(notes.citations, start=1):
        quote = "".join(
            f"**{markdown_text(piece)}**" if supports else markdown_text(piece)
            for piece, supports in quote_pieces(citation.quote, citation.support)
        )
        parts.append(f"\\[{number}\\] {markdown_text(_cited_place(citation))}\n\n> “{quote}”")
    parts += [f"Not found: {markdown_text(part)}" for part in lacking(answer)]
    if answer.conflicts:
        parts.append(f"**{OTHERWISE}:**")
        parts += [_conflict_markdown(conflict, notes) for conflict in answer.conflicts]
    if answer.set_aside:
        parts.append(f"**{SET_ASIDE}:**")
        shown = answer.set_aside[:SHOWN_ASIDE]
        parts += [f"- {markdown_text(_cited_place(one))}: “{markdown_text(one.quote)}”" for one in shown]
        parts += more_aside(answer)
    if answer.status == "not_found":
        parts += [_near_markdown(near) for near in answer.near]
    if count := sum(claim.status == "withheld" for claim in answer.claims):
        parts.append(f"Sentences withheld, not proved by the documents: {count}")
    return "\n\n".join(parts) + "\n"


def markdown_text(text: str) -> str:
    """Give untrusted text as one line of Markdown that shows it and does nothing, wherever in a line it is put.

    Escaped is what CommonMark and what GitHub adds to it would obey there, nothing else: an underscore between letters
    or digits, a full stop behind a word, a hyphen or a parenthesis stay as they are.
    """
    shown = html.escape(re.sub(r"^\s+", " ", visible(text)), quote=False)
    return _MARKDOWN.sub(lambda found: re.sub(r"([^\w\s]|_)", r"\\\1", found[0]), shown)


def _conflict_markdown(conflict: Conflict, notes: Footnotes) -> str:
    number, other = against(conflict, notes), conflict.other
    mark = f"against \\[{number}\\]: " if number else ""
    where, quote = markdown_text(_cited_place(other)), markdown_text(other.quote)
    return f"- {where}: “{quote}” ({mark}{markdown_text(conflict.what)})"


def _near_markdown(near: Near) -> str:
    missing = ", ".join(markdown_text(word) for word in near.missing)
    tail = f" Does not say: {missing}" if missing else ""
    return f"- {markdown_text(place(near.file, near.paragraph, near.place))}: “{markdown_text(near.quote)}”{tail}"


# --- pieces -----------------------------------------------------------------------------------------------------


def _cited_place(citation: Citation) -> str:
    return place(citation.file, citation.paragraph, citation.place, citation.also)


def _mark(character: str, *, keep_breaks: bool) -> str:
    code = ord(character)
    if keep_breaks and character in "\n\t":
        return character
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def _with_support(citation: Citation, spans: Iterable[Span]) -> Citation:
    return replace(citation, support=tuple(sorted(set(spans))))


def quote_pieces(quote: str, support: Iterable[Span]) -> Iterator[tuple[str, bool]]:
    """Cut a quote into pieces that support the claim and pieces that do not; words with only a space between join."""
    joined: list[list[int]] = []
    for start, end in sorted(support):
        start, end = max(start, 0), min(end, len(quote))
        if start >= end:
            continue
        if joined and not quote[joined[-1][1] : start].strip():
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([start, end])
    position = 0
    for start, end in joined:
        if position < start:
            yield quote[position:start], False
        yield quote[start:end], True
        position = end
    if position < len(quote):
        yield quote[position:], False


# --- while it works ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Watched:
    """What is known of an answer while it is being made: only text that is already proved, or is evidence."""

    evidence: EvidenceFound | None = None
    step: str = "searching"
    claims: tuple[Claim, ...] = ()

    def after(self, event: Event) -> Watched:
        """Give what is known once `event` has happened."""
        match event:
            case EvidenceFound():
                return replace(self, evidence=event, step="reading")
            case Reading(done, total):
                return replace(self, step=f"reading: {done} of {total} tokens")
            case Judged(answerable, proceeds):
                words = "writing" if proceeds else "looking at what is missing"
                return replace(self, step=f"answerable {answerable:.0%}: {words}")
            case Writing(written):
                return replace(self, step=f"writing: {written} tokens, shown when proved")
            case ClaimChecked(claim):
                return replace(self, step="checking", claims=(*self.claims, claim))
            case Finished():
                return replace(self, step="done")

    def lines(self) -> list[Line]:
        """Lay it out: the best paragraph, the proved sentences so far, and what is being done."""
        lines: list[Line] = []
        if self.evidence and self.evidence.hits:
            best = self.evidence.hits[0]
            lines.append(
                Line(
                    (
                        Segment("best paragraph ", "faint"),
                        Segment(place(best.file, best.paragraph, best.place), "strong"),
                    )
                )
            )
            lines.append(Line(tuple(_window_segments(best)), indent=4))
        proved = [claim for claim in self.claims if claim.status == "verified"]
        lines += [Line((Segment("proved: ", "good"), Segment(visible(claim.text))), hanging=2) for claim in proved]
        if len(proved) < len(self.claims):
            lines.append(Line((Segment(f"withheld: {len(self.claims) - len(proved)}", "warn"),)))
        return [*lines, Line((Segment(f"{self.step} …", "faint"),))]

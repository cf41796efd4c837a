"""What an audit found, as lines for a terminal and as an object for JSON: pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from rag_geo.records import Citation
from rag_geo.render import Line, Segment, place, visible, visible_name

if TYPE_CHECKING:
    from rag_geo.audit import Audit, Contradiction, Repeated, Spot, Textless, Unfound

SHOWN = 20
"""Findings of a kind that are shown on a terminal."""

_FIRST_WORDS = 100
_PLACES = 12


def audit_lines(audit: Audit) -> list[Line]:
    """Lay out an audit: what was looked at, then each kind of finding with the first of them."""
    head = f"{_counted(audit.documents, 'document')}, {_counted(audit.paragraphs, 'paragraph')} ({audit.generation})"
    asked = f"questions were made from {audit.asked:,} of {_counted(audit.paragraphs, 'paragraph')}"
    lines = [Line((Segment(head, "strong"),)), Line((Segment(asked, "faint"),)), Line()]
    unread = [[_line(visible_name(each.file), f": {visible(each.reason)}")] for each in audit.unread]
    lines += _section("not read", "every file was read", "file", unread)
    textless = [_textless_lines(each) for each in audit.textless]
    lines += _section("with pages that have no text", "no page is without text", "document", textless)
    none = "every question finds its paragraph" if audit.asked else "no question was asked"
    unfound = [_unfound_lines(each) for each in audit.unfound]
    lines += _section("that the question made from it does not find", none, "paragraph", unfound)
    copies = [_copies_lines(each) for each in audit.copies]
    lines += _section("of files with the same content", "no two files have the same content", "group", copies)
    repeated = [_repeated_lines(each) for each in audit.repeated]
    lines += _section("of paragraphs that say nearly the same", "no paragraph repeats another", "group", repeated)
    found = [_contradiction_lines(each) for each in audit.contradictions]
    return lines + _section("of sentences that contradict each other", "no two sentences contradict", "pair", found)


def audit_object(audit: Audit) -> dict[str, object]:
    """Give an audit as the object that ``rag-geo audit --json`` prints: all findings, with every paragraph's text."""
    return asdict(audit)


def _section(what: str, none: str, noun: str, findings: Sequence[list[Line]]) -> list[Line]:
    """Lay out one kind of finding under its count, or say that there is none."""
    if not findings:
        return [Line((Segment(none, "good"),))]
    head = Line((Segment(f"{_counted(len(findings), noun)} {what}:", "warn"),))
    return [head, *(line for each in findings[:SHOWN] for line in each), *_more(len(findings))]


def _more(count: int) -> list[Line]:
    rest = count - SHOWN
    return [Line((Segment(f"and {rest:,} more (--json lists all)", "faint"),), indent=2)] if rest > 0 else []


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _textless_lines(found: Textless) -> list[Line]:
    named = ", ".join(visible(each) for each in found.places[:_PLACES])
    rest = len(found.places) - _PLACES
    return [_line(visible_name(found.file), f": {named}" + (f" and {rest:,} more" if rest > 0 else ""))]


def _unfound_lines(found: Unfound) -> list[Line]:
    return [_spot_line(found.spot), Line((Segment(f"asked: {visible(found.question)}", "faint"),), indent=4, hanging=2)]


def _copies_lines(files: Sequence[str]) -> list[Line]:
    return [_line(visible_name(files[0]), "".join(f" = {visible_name(each)}" for each in files[1:]))]


def _repeated_lines(found: Repeated) -> list[Line]:
    first, *others = found.spots
    same = "the same" if found.exact else "nearly the same"
    lines = [_spot_line(first)]
    named = ", ".join(_place(each) for each in others[:_PLACES])
    rest = len(others) - _PLACES
    more = f" and {rest:,} more" if rest > 0 else ""
    return [*lines, Line((Segment(f"{same}: {named}{more}", "faint"),), indent=4, hanging=2)]


def _contradiction_lines(found: Contradiction) -> list[Line]:
    lines = [Line((Segment(visible(found.what), "strong"),), indent=2, hanging=2)]
    return [*lines, *_citation_lines(found.one), *_citation_lines(found.other)]


def _citation_lines(cited: Citation) -> Iterator[Line]:
    where = place(cited.file, cited.paragraph, cited.place, cited.also)
    yield Line((Segment(where, "mark"), Segment(f"  {visible(cited.quote)}")), indent=4, hanging=2)


def _spot_line(spot: Spot) -> Line:
    text = spot.text if len(spot.text) <= _FIRST_WORDS else spot.text[:_FIRST_WORDS].rsplit(" ", 1)[0] + " …"
    return Line((Segment(_place(spot), "mark"), Segment(f"  {visible(text)}")), indent=2, hanging=2)


def _place(spot: Spot) -> str:
    return place(spot.file, spot.paragraph, spot.place)


def _line(name: str, rest: str) -> Line:
    return Line((Segment(name, "strong"), Segment(rest)), indent=2, hanging=2)

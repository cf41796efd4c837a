"""What an audit found, as HTML for the chat: pure functions; every paragraph that is named can be opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from rag_geo.chat.markup import (
    NOTHING,
    Html,
    Opened,
    counted,
    element,
    escaped,
    escaped_name,
    joined,
    known_facts,
    opener,
    place_button,
    span,
)
from rag_geo.records import Citation, Skipped

if TYPE_CHECKING:
    from rag_geo.audit import Audit, Contradiction, Repeated, Spot, Textless, Unfound

_Finding = TypeVar("_Finding")

SHOWN = 10
"""Findings of a kind that are shown at once; the next ones are unfolded."""

MOST = 500
"""Findings of a kind that the page has at all."""

_FIRST_WORDS = 240
_PLACES = 12
_STAGES = {
    "waiting": "waits until questions are answered",
    "asking": "asks for each paragraph whether it is found",
    "comparing": "holds paragraphs against each other",
    "reading": "reads those that are near each other",
}


def before_html() -> Html:
    """Say what an audit is, before the first one."""
    return element(
        "p",
        escaped(
            "An audit looks through all documents: which files and pages could not be read, which paragraphs no "
            "question finds, which say the same, and which contradict each other. It takes a while, and waits while "
            "questions are answered."
        ),
        class_="rg rg-audit",
    )


def auditing_html(stage: str, done: int, total: int) -> Html:
    """Show how far an audit is."""
    bar = element("progress", value=min(done, total), max=total, aria_label="audit") if total > 0 else NOTHING
    figures = span(f"{done:,} of {total:,}" if total > 0 else "", "rg-seconds")
    what = element("span", element("strong", escaped("Audit")), escaped(f" {_STAGES.get(stage, stage)}"))
    return element("div", what, bar, figures, class_="rg rg-status", data_state="working")


def audit_html(audit: Audit, *, outdated: bool = False) -> Html:
    """Show what was found; `outdated` says that the documents were indexed anew since."""
    looked = f"{counted(audit.documents, 'document')}, {counted(audit.paragraphs, 'paragraph')}"
    head = [element("strong", escaped(looked)), escaped(f" questions made from {audit.asked:,} of them")]
    parts = [element("p", *head, class_="rg-head")]
    if outdated:
        again = "The documents have changed since: look through them again. What is opened is as it is now."
        parts.append(element("p", escaped(again), class_="rg-why"))
    parts += [
        _section("Contradictions", "no two sentences were seen to contradict each other", audit.contradictions, _sides),
        _section("Files that were not read", "every file was read", audit.unread, _unread),
        _section("Pages without text", "every page has text", audit.textless, _textless),
        _section("Paragraphs that no question finds", "every one that was asked for is found", audit.unfound, _unfound),
        _section("Paragraphs that say nearly the same", "no paragraph repeats another", audit.repeated, _repeated),
        _section("Files with the same content", "no two files have the same content", audit.copies, _copies),
    ]
    return element("section", *parts, class_="rg rg-audit", aria_label="audit")


def _section(title: str, none: str, findings: Sequence[_Finding], item: Callable[[_Finding], Html]) -> Html:
    """Show one kind of finding under its count: the first ones, the next ones folded, and how many more there are."""
    head = element("h3", escaped(f"{title}: {len(findings):,}" if findings else title))
    if not findings:
        return Html(head + element("p", escaped(f"None: {none}."), class_="rg-why"))
    items = [item(each) for each in islice(findings, MOST)]
    parts = [head, element("ul", *items[:SHOWN])]
    if rest := items[SHOWN:]:
        parts.append(element("details", element("summary", escaped(f"{len(rest):,} more")), element("ul", *rest)))
    if (left := len(findings) - len(items)) > 0:
        parts.append(element("p", escaped(f"and {left:,} more: rag-geo audit --json lists all"), class_="rg-why"))
    return joined(parts)


def _sides(found: Contradiction) -> Html:
    what = element("p", escaped(found.what), class_="rg-why", dir="auto")
    sides = element("div", _cited(found.one), _cited(found.other), class_="rg-sides")
    return element("li", what, sides)


def _cited(cited: Citation) -> Html:
    what = Opened(cited.file, cited.paragraph, cited.start, cited.end)
    button = place_button(what, "open", cited.place, cited.also)
    return element("div", button, element("q", escaped(cited.quote), class_="rg-quote", dir="auto"))


def _unread(found: Skipped) -> Html:
    name = element("bdi", escaped_name(found.file), class_="rg-name")
    return element("li", name, escaped(" "), element("span", escaped(found.reason), class_="rg-why", dir="auto"))


def _textless(found: Textless) -> Html:
    rest = len(found.places) - _PLACES
    named = ", ".join(found.places[:_PLACES]) + (f" and {rest:,} more" if rest > 0 else "")
    return element("li", _whole(found.file), escaped(" "), element("span", escaped(named), class_="rg-why", dir="auto"))


def _unfound(found: Unfound) -> Html:
    asked = element("p", escaped("asked: "), element("span", escaped(found.question), dir="auto"), class_="rg-why")
    return element("li", _spot(found.spot), _words(found.spot), asked)


def _repeated(found: Repeated) -> Html:
    places = [_spot(each) for each in found.spots[:_PLACES]]
    rest = len(found.spots) - len(places)
    more = known_facts("the same" if found.exact else "nearly the same", f"{rest:,} more places" if rest else "")
    return element("li", joined(places, " · "), _words(found.spots[0]), element("p", more, class_="rg-why"))


def _copies(files: Iterable[str]) -> Html:
    return element("li", joined((_whole(each) for each in files), " · "))


def _whole(file: str) -> Html:
    """Make the button that opens a document."""
    return opener(Opened(file, 1), element("bdi", escaped_name(file), class_="rg-name"), class_="rg-open")


def _spot(spot: Spot) -> Html:
    return place_button(Opened(spot.file, spot.paragraph), "open paragraph", spot.place)


def _words(spot: Spot) -> Html:
    text = spot.text if len(spot.text) <= _FIRST_WORDS else f"{spot.text[:_FIRST_WORDS].rstrip()} …"
    return element("q", escaped(text), class_="rg-quote", dir="auto")

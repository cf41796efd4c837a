"""What the page shows, as HTML: pure functions of the records, which give every text escaped.

All of it is made by `rag_geo.chat.markup`. Every piece has the class ``rg``, to which ``page.css`` keeps. Citations
have the id ``c<turn>-<n>``, paragraphs of the source view ``p<number>``, the quote in it ``quote``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from rag_geo.chat.markup import (
    NOTHING,
    Html,
    Opened,
    counted,
    element,
    escaped,
    escaped_name,
    file_key,
    joined,
    known_facts,
    opener,
    place_button,
    span,
    spoken_place,
)
from rag_geo.filtering import filter_words
from rag_geo.index import LEFT_OUT
from rag_geo.records import (
    Answer,
    Citation,
    Claim,
    ClaimChecked,
    Conflict,
    Document,
    Event,
    EvidenceFound,
    Filters,
    Finished,
    Hit,
    Judged,
    Near,
    Paragraph,
    Reading,
    Sentence,
    Skipped,
    Span,
    Writing,
)
from rag_geo.render import (
    OTHERWISE,
    SET_ASIDE,
    SHOWN_ASIDE,
    Footnotes,
    against,
    copies,
    footnotes,
    lacking,
    more_aside,
    quote_pieces,
    status_line,
    visible,
    visible_name,
)
from rag_geo.text.folding import merge_spans, visible_part

if TYPE_CHECKING:
    from rag_geo.chat.collection import Added, Addition
    from rag_geo.index import Entry, IndexReport

_NO_FILTERS = Filters()
#: Cards that are shown at once; the others are unfolded.
CARDS = 3
#: Documents that are listed, and files that were left out.
MOST_LISTED = 500
#: Characters of a line that a sentence's last word may have to stay together with its marks.
_LAST_WORD = 30
#: Characters of a sentence without spaces that do.
_TAIL = 2
_STATES = {
    "answered": ("verified", "Verified"),
    "partial": ("partly", "Partly verified"),
    "not_found": ("not-found", "Not in these documents"),
}
_ISO_639 = re.compile(r"[a-z]{2,3}")
_CELL = " | "
_ATX = re.compile(r"\s*#{1,6}(?=\s|$)\s*")
_HEADING_END = re.compile(r"(?:\s+#+|\s*\n\s*(?:=+|-+))\s*$")


# --- a question and its answer ----------------------------------------------------------------------------------


def question_html(turn: int, question: str, searched: str = "", filters: Filters = _NO_FILTERS) -> Html:
    """Show what was asked, the question that was really searched if it is another, and in which documents only."""
    asked = element("h2", escaped(question), class_="rg-asked", dir="auto", id=f"q{turn}")
    really = NOTHING
    if searched and searched != question:
        words = element("q", escaped(searched), dir="auto")
        edit = element("button", escaped("Edit"), type="button", class_="rg-act", data_act="edit", data_turn=turn)
        label = span("searched as", "rg-label")
        really = element("p", label, escaped(" "), words, escaped(" "), edit, class_="rg-searched")
    only = NOTHING
    if filters:
        words = element("span", escaped(filter_words(filters)), dir="auto")
        only = element("p", span("only in", "rg-label"), escaped(" "), words, class_="rg-only")
    return element("div", asked, really, only, class_="rg rg-question")


def waiting_html(place: int, of: int, seconds: float) -> Html:
    """Show the place in the queue (1 is next) of `of` who wait, and the seconds waited."""
    ahead = "yours is the next question" if place <= 1 else f"{counted(place - 1, 'question')} before yours"
    return _progress("Waiting", f"{ahead}, {of:,} in all are waiting" if of > 1 else ahead, seconds)


def progress_html(event: Event | None, seconds: float) -> Html:
    """Show what is being done after `event` (None: nothing happened yet), and the seconds since the question."""
    match event:
        case None:
            return _progress("Searching", "in the documents", seconds)
        case EvidenceFound(passages=passages):
            return _progress("Reading", f"{counted(len(passages), 'passage')}, the nearest to the question", seconds)
        case Reading(done, total):
            return _progress("Reading", "the passages", seconds, done, total)
        case Judged(answerable, proceeds):
            words = "writing it" if proceeds else "looking at what is missing"
            return _progress("Judged", f"the answer is there with {answerable:.0%}: {words}", seconds)
        case Writing(written):
            return _progress("Writing", f"{counted(written, 'word piece')} so far, shown when proved", seconds)
        case ClaimChecked():
            return _progress("Checking", "every sentence against the paragraphs", seconds)
        case Finished():
            return NOTHING


def _progress(word: str, words: str, seconds: float, done: int = 0, total: int = 0) -> Html:
    bar = element("progress", value=min(done, total), max=total, aria_label=word) if total > 0 else NOTHING
    clock = span(f"{max(0, int(seconds))} s", "rg-seconds")
    what = element("span", element("strong", escaped(word)), escaped(f" {words}"))
    return element("div", what, bar, clock, class_="rg rg-status", data_state="working")


def answer_html(
    turn: int,
    claims: Sequence[Claim],
    *,
    answer: Answer | None = None,
    progress: Html = NOTHING,
    evidence: EvidenceFound | None = None,
) -> Html:
    """Show an answer, whole or as far as it is proved: state, sentences with marks, sources, what was withheld or near.

    While it is made, `claims` are those checked so far, `answer` is None and `progress` says what is being done. With
    `evidence`, quotes are shown as it has them, without what the document hides.
    """
    notes = footnotes(claims)
    places = [Opened(each.file, each.paragraph, each.start, each.end, each.support) for each in notes.citations]
    buttons = [
        _mark(turn, number, place, each.place)
        for number, (each, place) in enumerate(zip(notes.citations, places, strict=True), start=1)
    ]
    sentences = [_sentence(claim.text, [buttons[mark - 1] for mark in marks]) for claim, marks in notes.marks]
    seen = (
        {(one.file, one.start, one.end): one.text for hit in evidence.hits for one in hit.sentences} if evidence else {}
    )
    sources = [
        _source_note(turn, number, each, place, seen.get((each.file, each.start, each.end), each.quote))
        for number, (each, place) in enumerate(zip(notes.citations, places, strict=True), start=1)
    ]
    state = _STATES[answer.status][0] if answer else "working"
    missing = lacking(answer) if answer else ()
    return element(
        "section",
        _status(answer) if answer else progress,
        element("p", joined(sentences, " "), class_="rg-sentences", dir="auto") if sentences else NOTHING,
        element("ol", *sources, class_="rg-notes", aria_label="sources") if sources else NOTHING,
        *(element("p", escaped(f"Not found: {part}"), class_="rg-why") for part in missing),
        _conflicts(answer.conflicts, notes) if answer and answer.conflicts else NOTHING,
        _set_aside(answer) if answer and answer.set_aside else NOTHING,
        not_found_html(answer) if answer and answer.status == "not_found" else NOTHING,
        withheld_html(claims) if answer else NOTHING,
        class_="rg rg-answer",
        data_state=state,
        aria_label=f"answer {turn}",
    )


def _status(answer: Answer) -> Html:
    state, word = _STATES[answer.status]
    if answer.status == "not_found" and answer.filters:
        word = "Not in the documents searched"
    if answer.status == "not_found" and answer.claims:
        word = "Not proved"  # it may be there: what was written about it did not pass
    words = status_line(answer).partition(": ")[2]
    words = words[:1].upper() + words[1:]
    return element("div", element("strong", escaped(word)), span(words, "rg-why"), class_="rg-status", data_state=state)


def _sentence(text: str, marks: Sequence[Html]) -> Html:
    """Put a sentence in front of its marks; its last word stays on their line."""
    head, gap, last = text.strip().rpartition(" ")
    if any(east_asian_width(each) in "WF" for each in last[-_TAIL:]):
        # Chinese and Japanese have no spaces, and break a line anywhere.
        head, gap, last = head + gap + last[:-_TAIL], "", last[-_TAIL:]
    elif len(last) > _LAST_WORD:
        head, gap, last = text, "", ""
    together = element("span", escaped(last), *marks, class_="rg-last")
    return element("span", escaped(head + gap), together, class_="rg-sentence")


def _mark(turn: int, number: int, place: Opened, where: str) -> Html:
    said = f"source {number}: {spoken_place(place, where)}"
    cited = f"c{turn}-{number}"
    return opener(place, escaped(str(number)), class_="rg-mark", aria_label=said, data_cite=cited)


def _source_note(turn: int, number: int, citation: Citation, place: Opened, seen: str) -> Html:
    """Make one of the sources under an answer: its number, its place, its words."""
    raw = " ".join(citation.quote.split())
    if visible(" ".join(seen.split())) == visible(raw):
        pieces = quote_pieces(citation.quote, citation.support)
        words = joined(
            element("em", escaped(piece), class_="rg-support") if supports else escaped(piece)
            for piece, supports in pieces
        )
    else:
        words = escaped(seen)  # the document hides a part of the quote: its offsets do not hold in what is seen
    text = element("q", words, dir="auto", class_="rg-quote")
    head = place_button(place, f"open source {number}", citation.place, citation.also)
    return element("li", span(str(number), "rg-n"), head, escaped(" "), text, id=f"c{turn}-{number}")


def _conflicts(conflicts: Sequence[Conflict], notes: Footnotes) -> Html:
    """Show what the documents say against cited sentences, each with its own place to open."""
    items = []
    for each in conflicts:
        number, other = against(each, notes), each.other
        mark = f"against source {number}: " if number else ""
        place = Opened(other.file, other.paragraph, other.start, other.end, other.support)
        words = element("q", escaped(other.quote), dir="auto", class_="rg-quote")
        why = element("p", escaped(mark), element("span", escaped(each.what), dir="auto"), class_="rg-why")
        items.append(
            element("li", place_button(place, "open the contrary", other.place, other.also), escaped(" "), words, why)
        )
    head = element("p", escaped(f"{OTHERWISE}:"), class_="rg-label")
    return element("div", head, element("ul", *items), class_="rg-conflicts")


def _set_aside(answer: Answer) -> Html:
    """Show the sentences that were not read, because they give orders, each with its own place to open."""
    items = []
    for each in answer.set_aside[:SHOWN_ASIDE]:
        place = Opened(each.file, each.paragraph, each.start, each.end)
        words = element("q", escaped(each.quote), dir="auto", class_="rg-quote")
        button = place_button(place, "open what was not read", each.place, each.also)
        items.append(element("li", button, escaped(" "), words))
    items += [element("li", escaped(more)) for more in more_aside(answer)]
    head = element("p", escaped(f"{SET_ASIDE}:"), class_="rg-label")
    return element("div", head, element("ul", *items), class_="rg-conflicts rg-aside")


def withheld_html(claims: Sequence[Claim]) -> Html:
    """Show, folded, the sentences that were withheld, each with the reason."""
    withheld = [claim for claim in claims if claim.status == "withheld"]
    if not withheld:
        return NOTHING
    items = [
        element(
            "li",
            element("span", element("q", escaped(claim.text)), class_="rg-unproved", dir="auto"),
            escaped(" "),
            span(f"withheld because {claim.reason}" if claim.reason else "withheld", "rg-why"),
        )
        for claim in withheld
    ]
    summary = element("summary", escaped(f"{counted(len(withheld), 'sentence')} withheld: see why"))
    return element("details", summary, element("ul", *items), class_="rg rg-withheld")


def not_found_html(answer: Answer) -> Html:
    """Show the nearest paragraphs, and what the question asks that they do not say."""
    if not answer.near:
        return element("p", escaped("No paragraph is near to the question."), class_="rg rg-near")
    items = [_near(near) for near in answer.near]
    head = element("p", escaped("The nearest paragraphs, and what they lack:"), class_="rg-label")
    return element("div", head, element("ul", *items), class_="rg rg-near")


def _near(near: Near) -> Html:
    parts = [place_button(Opened(near.file, near.paragraph), "open paragraph", near.place)]
    if near.quote:
        parts += [escaped(" "), element("q", escaped(near.quote), class_="rg-quote", dir="auto")]
    if near.missing:
        words = joined((element("span", escaped(word), class_="rg-missing", dir="auto") for word in near.missing), " ")
        parts.append(element("p", span("does not say:", "rg-label"), escaped(" "), words, class_="rg-lacks"))
    return element("li", *parts)


def actions_html(turn: int, *, ready: bool = True) -> Html:
    """Make the buttons under an answer; what they do is the page's (``data-act``, ``data-turn``).

    Before an answer is `ready` they can be seen and not pressed, so that nothing moves when it is.
    """
    buttons = (("copy", "Copy as Markdown"), ("receipt", "Receipt"))
    return element(
        "div",
        *(
            element(
                "button",
                escaped(label),
                type="button",
                class_="rg-act",
                data_act=act,
                data_turn=turn,
                disabled=not ready,
            )
            for act, label in buttons
        ),
        class_="rg rg-actions",
    )


def error_html(message: str, hint: str = "", *, stopped: bool = False) -> Html:
    """Show what went wrong and what mends it, or that an answer was stopped."""
    parts = [element("strong", escaped("Stopped" if stopped else "That did not work")), span(message, "rg-why")]
    if hint:
        parts.append(element("p", span("what helps:", "rg-label"), escaped(" "), escaped(hint), class_="rg-hint"))
    state = "stopped" if stopped else "failed"
    return element("div", *parts, class_="rg rg-status rg-error", data_state=state, dir="auto")


# --- evidence ---------------------------------------------------------------------------------------------------


def _unknown(_file: str) -> Entry | None:
    return None


def evidence_html(
    event: EvidenceFound, known: Callable[[str], Entry | None] = _unknown, *, filtered: bool = False
) -> Html:
    """Show the paragraphs found, best first: what is nearest to the question, and what the model reads.

    `known` gives author and date of a file, if they are known; `filtered` says that not all documents were searched.
    """
    if not event.hits:
        where = "of the documents that were searched" if filtered else "of these documents"
        nothing = escaped(f"No paragraph {where} has anything to do with the question.")
        return element("section", element("p", nothing), class_="rg rg-evidence", aria_label="evidence")
    read = {(one.file, one.start) for passage in event.passages for one in passage.sentences}
    cards = [_card(hit, read, known(hit.file)) for hit in event.hits]
    found = f"{counted(len(cards), 'paragraph')} found in {event.seconds:.2f} s"
    legend = element(
        "span", element("mark", escaped("nearest")), escaped(" to the question · "),
        span("read", "rg-read"), escaped(" by the model"), class_="rg-legend",
    )  # fmt: skip
    rest = NOTHING
    if len(cards) > CARDS:
        more = element("summary", escaped(f"{counted(len(cards) - CARDS, 'more paragraph')}"))
        rest = element("details", more, element("ol", *cards[CARDS:], class_="rg-cards", start=CARDS + 1))
    return element(
        "section",
        element("p", element("strong", escaped(found)), legend, class_="rg-head"),
        element("ol", *cards[:CARDS], class_="rg-cards"),
        rest,
        class_="rg rg-evidence",
        aria_label="evidence",
    )


def _card(hit: Hit, read: Collection[tuple[str, int]], entry: Entry | None) -> Html:
    place = Opened(hit.file, hit.paragraph, *(hit.window if hit.window.end > hit.window.start else ()))
    above = hit.heading.removeprefix(hit.title).removeprefix(" › ")
    known = known_facts(hit.title, entry.author if entry else "", entry.date if entry else "", above)
    return element(
        "li",
        place_button(place, "open paragraph", hit.place, hit.also),
        element("p", known, class_="rg-known") if known else NOTHING,
        element("p", *_card_sentences(hit, read), class_="rg-text", dir="auto"),
        class_="rg-card",
    )


def _card_sentences(hit: Hit, read: Collection[tuple[str, int]]) -> Iterator[Html]:
    """Give the sentences of the best window and those that are read; what is left out between them is an ellipsis."""
    gap = row = False
    for sentence in hit.sentences:
        nearest = hit.window.start <= sentence.start and sentence.end <= hit.window.end
        kept = nearest or (hit.file, sentence.start) in read or len(hit.sentences) == 1
        # A row of a table has a line of its own.
        if kept and row and _CELL in sentence.text:
            yield escaped("\n", one_line=False)
        row = _CELL in sentence.text
        if kept:
            yield escaped("… " if gap else "")
            yield _card_sentence(sentence, nearest, (hit.file, sentence.start) in read)
            yield escaped(" ")
        gap = not kept
    if gap:
        yield escaped("…")


def _card_sentence(sentence: Sentence, nearest: bool, is_read: bool) -> Html:
    words = element("mark", escaped(sentence.text)) if nearest else escaped(sentence.text)
    return element("span", words, class_="rg-read" if is_read else "rg-unread")


# --- source view ------------------------------------------------------------------------------------------------


def source_html(
    document: Document, paragraph: int = 0, cited: Span | None = None, support: Sequence[Span] = ()
) -> Html:
    """Show a document as it was read: every paragraph with its number, without what no reader of the file would see.

    Paragraph number `paragraph` is the one that was asked for (0: none); the characters `cited` of the text are marked,
    the spans `support` in them (as in `Citation`) emphasised. What lies outside the document is not marked.
    """
    mark = Span(max(0, cited.start), min(cited.end, len(document.text))) if cited else Span(0, 0)
    words = merge_spans([Span(mark.start + start, min(mark.start + end, mark.end)) for start, end in support])
    body = _Body(document, mark, words if mark.end > mark.start else ())
    title = document.title or visible_name(document.file)
    known = known_facts(document.author, document.date)
    counts = f"{counted(len(document.paragraphs), 'paragraph')}"
    if document.textless:
        counts += f" · no text that can be read on {copies(document.textless)}"
    name = element("bdi", escaped_name(document.file))
    return element(
        "article",
        element(
            "header",
            element("h2", escaped(title), dir="auto"),
            element("p", known, class_="rg-byline") if known else NOTHING,
            element("p", name, escaped(f" · {counts}"), class_="rg-known"),
        ),
        element("div", *body.paragraphs(paragraph), class_="rg-paragraphs", lang=_language(document)),
        class_="rg rg-source",
        aria_label=f"source: {visible(title)}",
    )


def _language(document: Document) -> str | bool:
    """Give the attribute by which a browser chooses letters and a reader its voice; False where it is not known."""
    return document.language if _ISO_639.fullmatch(document.language) else False


@dataclass(slots=True)
class _Body:
    """The paragraphs of a document on their way to HTML."""

    document: Document
    mark: Span
    support: Sequence[Span]
    marked: bool = False

    def paragraphs(self, wanted: int) -> Iterator[Html]:
        """Give every paragraph with its number; the one that is `wanted` can take the focus.

        Its place is shown where it is another than that of the one before, and with the one that is wanted.
        """
        before = ""
        for each in self.document.paragraphs:
            tag, lines = "p", ""
            if each.kind == "heading":
                tag = f"h{min(6, 3 + (each.heading.count(' › ') + 1 if each.heading else 0))}"
            elif each.kind in ("list", "table", "code"):
                lines = f"rg-lines rg-{each.kind}"
            text = element(tag, self._text(each), dir="auto", class_=lines or False)
            note = span(f"not searched: {each.debris}", "rg-rule") if each.debris else NOTHING
            asked = each.number == wanted
            classes = "rg-par" + (" rg-wanted" if asked else "") + (" rg-debris" if each.debris else "")
            number = span(str(each.number), "rg-n")
            where = NOTHING
            if each.place and (asked or each.place != before):
                where = element("bdi", escaped(each.place), class_="rg-where")
            before = each.place
            yield element(
                "div",
                number,
                where,
                text,
                note,
                class_=classes,
                id=f"p{each.number}",
                tabindex="-1" if asked else False,
            )

    def _text(self, paragraph: Paragraph) -> Html:
        start, end = _without_marks(self.document, paragraph)
        mark = Span(max(start, self.mark.start), min(end, self.mark.end))
        if mark.start >= mark.end:
            return self._visible(paragraph, start, end)
        inside: list[Html] = []
        at = mark.start
        for left, right in self.support:
            left, right = max(left, at), min(right, mark.end)
            if left < right:
                inside.append(self._visible(paragraph, at, left))
                inside.append(element("em", self._visible(paragraph, left, right), class_="rg-support"))
                at = right
        inside.append(self._visible(paragraph, at, mark.end))
        shown = element("mark", *inside, id=False if self.marked else "quote")
        self.marked = True
        return Html(self._visible(paragraph, start, mark.start) + shown + self._visible(paragraph, mark.end, end))

    def _visible(self, paragraph: Paragraph, start: int, end: int) -> Html:
        text = visible_part(self.document.text, Span(start, end), self.document.hidden).text
        return escaped(text, one_line=paragraph.kind in ("text", "heading"))


def _without_marks(document: Document, paragraph: Paragraph) -> Span:
    """Give the characters of a paragraph, of a Markdown heading without the marks that make it one."""
    start, end = paragraph.start, paragraph.end
    if paragraph.kind == "heading" and document.format == "markdown":
        words = document.text[start:end]
        if found := _HEADING_END.search(words):
            end = start + found.start()
        if found := _ATX.match(words):
            start = min(start + found.end(), end)
    return Span(start, end)


# --- collection -------------------------------------------------------------------------------------------------


def documents_html(
    entries: Sequence[Entry],
    skipped: Sequence[Skipped],
    *,
    paragraphs: Mapping[str, int] | None = None,
    added: Collection[str] = (),
    removable: bool = False,
    wanted: str = "",
) -> Html:
    """Show the documents with what is known of them, and what was skipped and why.

    `paragraphs` has the number of paragraphs that are searched (headings are not) by file, `added` the files that were
    added by the page; with `removable` each has a button (``data-act="remove"``). The documents of a file that holds
    several are folded under its name. Only those are shown that have `wanted` in name, title or author, and of them
    `MOST_LISTED`, those that were added first.
    """
    counts = paragraphs or {}
    part = " ".join(wanted.casefold().split())
    found = [each for each in entries if part in f"{each.file}\n{each.title}\n{each.author}".casefold()]
    total = f", {counted(sum(counts.values()), 'paragraph')} searched" if counts else ""
    of = f"{len(found):,} of " if part else ""
    head = element("p", element("strong", escaped(f"{of}{counted(len(entries), 'document')}{total}")), class_="rg-head")
    more = NOTHING
    if len(found) > MOST_LISTED:
        found.sort(key=lambda each: each.source not in added)
        words = f"The first {MOST_LISTED} are shown: find the others by a part of their name, title or author."
        more = element("p", escaped(words), class_="rg-why")
    held = Counter(each.source for each in entries)
    files: dict[str, list[Entry]] = {}
    for each in found[:MOST_LISTED]:
        files.setdefault(each.source, []).append(each)
    items = [
        element(
            "li",
            element("div", *_file_facts(file, inside, held[file], counts, file in added)),
            _removal(file, file in added) if removable else NOTHING,
        )
        for file, inside in files.items()
    ]
    none = "No document has that in its name, title or author." if part else "There is no document yet: add some above."
    shown = element("ul", *items) if items else element("p", escaped(none))
    left = skipped_html([each for each in skipped if part in each.file.casefold()], restorable=removable)
    return element("section", head, left, more, shown, class_="rg rg-documents", aria_label="documents")


def _file_facts(
    file: str, entries: Sequence[Entry], held: int, counts: Mapping[str, int], added: bool
) -> Iterator[Html]:
    """Show a file: the document that it is, or its name and, folded, `entries` of the documents that it holds."""
    if held == 1 and entries[0].file == file:
        yield from _document_facts(entries[0], counts.get(file, 0), added)
        return
    yield element("bdi", escaped_name(file), class_="rg-name")
    if added:
        yield Html(escaped(" ") + span("added here", "rg-added"))
    inside = [element("li", *_document_facts(each, counts.get(each.file, 0), False)) for each in entries]
    shown = f", {len(entries):,} shown" if len(entries) < held else ""
    summary = element("summary", escaped(f"{counted(held, 'document')} in it{shown}"))
    yield element("details", summary, element("ul", *inside), class_="rg-inside")


def _document_facts(entry: Entry, paragraphs: int, added: bool) -> Iterator[Html]:
    what = Opened(entry.file, 1)
    title = escaped(entry.title) if entry.title else escaped_name(entry.file)
    said = f"open document: {visible_name(entry.file)}"
    yield opener(what, element("bdi", title, class_="rg-name"), class_="rg-open", aria_label=said)
    if added:
        yield Html(escaped(" ") + span("added here", "rg-added"))
    count = f"{counted(paragraphs, 'paragraph')} searched" if paragraphs else ""
    name = visible_name(entry.file) if entry.title else ""
    if known := known_facts(name, entry.author, entry.date, count):
        yield element("p", known, class_="rg-known")


def _removal(file: str, added: bool) -> Html:
    """Make the button that takes a file out: one that was added here is gone then, and the page asks once more."""
    if added:
        return _act_on(file, "remove", "Delete", "for good", confirm="Delete for good?")
    return _act_on(file, "remove", "Remove", "from the collection")


def _act_on(file: str, act: str, label: str, rest: str, confirm: str = "") -> Html:
    """Make a button that does something with a file; a screen reader is told with which."""
    said = f"{label.lower()} {visible_name(file)} {rest}"
    return element(
        "button",
        escaped(label),
        type="button",
        class_="rg-act",
        data_act=act,
        data_file=file_key(file),
        data_confirm=confirm or False,
        aria_label=said,
    )


def skipped_html(skipped: Sequence[Skipped], *, restorable: bool = False) -> Html:
    """Show, folded, the files that were not read or not taken, each with its reason.

    With `restorable` those that the user left out have a button (``data-act="restore"``). `MOST_LISTED` are shown, what
    the user left out first.
    """
    if not skipped:
        return NOTHING
    items = [
        element(
            "li",
            element("bdi", escaped_name(each.file), class_="rg-name"),
            escaped(" "),
            element("span", escaped(each.reason), class_="rg-why", dir="auto"),
            Html(escaped(" ") + _act_on(each.file, "restore", "Take back", "into the collection"))
            if restorable and each.reason == LEFT_OUT
            else NOTHING,
        )
        for each in sorted(skipped, key=lambda each: each.reason != LEFT_OUT)[:MOST_LISTED]
    ]
    if (rest := len(skipped) - len(items)) > 0:
        items.append(element("li", span(f"and {rest:,} more: rag-geo info lists all", "rg-why")))
    summary = element("summary", escaped(f"{counted(len(skipped), 'file')} left out: see why"))
    return element("details", summary, element("ul", *items), class_="rg rg-skipped")


def addition_html(addition: Addition) -> Html:
    """Show what became of files that were to be added: those taken, by the names they have now, and those refused."""
    taken = []
    for each in addition.added:
        name = each.file.rpartition("/")[2]
        now = " lay there already and is taken back: " if each.restored else " is added as "
        renamed = each.restored or name != each.given
        words = Html(escaped(now) + element("bdi", escaped_name(each.file))) if renamed else NOTHING
        name = element("bdi", escaped_name(each.given), class_="rg-name")
        taken.append(element("li", name, words, escaped(_held(each))))
    refused = [*addition.refused, *(one for each in addition.added for one in each.skipped)]
    if not taken:
        return skipped_html(refused)
    head = element("p", element("strong", escaped(f"{counted(len(taken), 'file')} taken")))
    body = element("div", head, element("ul", *taken), class_="rg rg-taken")
    return Html(body + skipped_html(refused))


def _held(added: Added) -> str:
    """Say what came in with a file that holds others."""
    if not added.holds:
        return ""
    skipped = f", {len(added.skipped):,} skipped" if added.skipped else ""
    return f": {counted(added.documents, 'document')} in it{skipped}"


def indexing_html(stage: str, done: int, total: int) -> Html:
    """Show how far the documents are read and indexed; questions are answered meanwhile."""
    bar = element("progress", value=min(done, total), max=total, aria_label="indexing") if total > 0 else NOTHING
    figures = span(f"{done:,} of {total:,}" if total > 0 else "", "rg-seconds")
    what = element("span", element("strong", escaped("Indexing")), escaped(f" {stage}"))
    return element("div", what, bar, figures, class_="rg rg-status", data_state="working")


def indexed_html(report: IndexReport) -> Html:
    """Show what an update of the index did."""
    parts = (("added", report.added), ("changed", report.changed), ("removed", report.removed))
    did = ", ".join(f"{len(files):,} {word}" for word, files in parts if files) or "nothing changed"
    words = f"{did}; now {counted(report.documents, 'document')}, {counted(report.paragraphs, 'paragraph')}"
    done = element("div", element("strong", escaped("Indexed")), span(words, "rg-why"), class_="rg-status",
                    data_state="verified")  # fmt: skip
    return element("div", done, skipped_html(report.skipped), class_="rg rg-indexed")


def turn_html(turn: int, *parts: Html) -> Html:
    """Put the parts of one question together (``data-turn``)."""
    return element("article", *parts, class_="rg rg-turn", data_turn=turn, aria_labelledby=f"q{turn}")


def intro_html(documents: int, paragraphs: int) -> Html:
    """Say, before the first question, what can be asked here and what is shown."""
    what = f"{counted(documents, 'document')}, {counted(paragraphs, 'paragraph')}"
    return element(
        "div",
        element("p", escaped(what), class_="rg-label"),
        element("h2", escaped("Ask these documents"), class_="rg-asked"),
        element(
            "p",
            escaped(
                "The answer says only what they say. Every sentence has a mark that opens the paragraph which proves "
                "it; what cannot be proved is withheld, and what is not there is said to be missing."
            ),
        ),
        class_="rg rg-intro",
    )


def head_html(note: str, seconds: float) -> Html:
    """Show the name of the page, and what it still does before questions can be asked ("": nothing)."""
    busy = _progress("Loading", note, seconds) if note else NOTHING
    return element("header", element("h1", escaped("rag-geo")), busy, class_="rg rg-top")

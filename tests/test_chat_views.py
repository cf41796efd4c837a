"""What the page shows: whatever a text says, it is shown as text; and everything that belongs on the page is there."""

from __future__ import annotations

import html
import re
import time
from collections import Counter
from dataclasses import replace
from importlib.resources import files

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from answers import (
    ANSWERED,
    CITATION,
    DISPUTED,
    HIT,
    NEAR,
    NOT_FOUND,
    OTHERWISE,
    PARTIAL,
    QUOTE,
    VERIFIED,
    WITHHELD,
    events_of,
)
from rag_geo.audit import Audit, Contradiction
from rag_geo.chat import audit_page, views
from rag_geo.chat.collection import Added, Addition
from rag_geo.chat.markup import Opened, escaped, file_key, file_named, opened
from rag_geo.errors import UsageError
from rag_geo.index import LEFT_OUT, Entry, IndexReport
from rag_geo.records import (
    Citation,
    Claim,
    Conflict,
    Document,
    EvidenceFound,
    Filters,
    Judged,
    Near,
    Paragraph,
    Part,
    Passage,
    Reading,
    Sentence,
    Skipped,
    Span,
    Writing,
)
from rag_geo.render import visible, visible_name

ELEMENTS = set(
    """article bdi button details div em h1 h2 h3 h4 h5 h6 header li mark ol p progress q section span strong summary
    ul""".split()  # noqa: SIM905 - a list of words
)
ATTRIBUTES = set(
    """aria-label aria-labelledby class data-act data-cite data-confirm data-end data-file data-paragraph data-start
    data-state data-support data-turn dir id lang max start tabindex type value""".split()  # noqa: SIM905 - a list of words
)
EVIL = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</mark></p></article><iframe src=javascript:alert(1)>",
    "javascript:alert(1)",
    "![x](http://evil/a.png) [y](http://evil)",
    "<style>*{display:none}</style><link rel=stylesheet href=//evil>",
    "<!-- a --><![CDATA[ b ]]><?php c ?>",
    "&lt;b&gt; &#60;i&#62; &amp;amp; &nbsp",
    "<plaintext>",
    "<textarea></title><noscript><p title='</noscript><img src=x onerror=1>'>",
    "\x1b]8;;http://evil\x07link\x1b[2J\x00",
    "invoice\u202egpj.exe \u2066x\u2069",
    "zero\u200bwidth\u2060 tag\U000e0041\ufeff\u00ad",
    "lone \ud800 surrogate",
    "a\r\nb\u2028c\x0bd",
    "{{7*7}} ${x} `y`",
    "שלום <b>world</b> 世界 🙂‍↔️",
]
KNOWN = Entry("briefs/hawn.md", "0" * 64, "The Partnership", "Jeff Hawn", "2024-06", "briefs/hawn.md")


class Page:
    """A piece of HTML as a browser reads it."""

    def __init__(self, text: str) -> None:
        text.encode()  # what cannot be sent cannot be read
        self.tree = LexborHTMLParser(f"<!doctype html><body>{text}</body>")
        self.nodes = [node for node in self.tree.body.traverse() if node.tag not in ("body", "-text")]
        self.text = self.tree.body.text()

    @property
    def elements(self) -> set[str]:
        return {node.tag for node in self.nodes}

    @property
    def attributes(self) -> set[str]:
        return {name for node in self.nodes for name in node.attributes}

    def only(self, selector: str):
        found = self.tree.body.css(selector)
        assert len(found) == 1, (selector, len(found))
        return found[0]

    def all(self, selector: str):
        return self.tree.body.css(selector)

    def texts(self, selector: str) -> list[str]:
        return [" ".join(node.text().split()) for node in self.all(selector)]


def document(*texts: str, file: str = "notes/a.md", **fields) -> Document:
    """A document of these paragraphs."""
    paragraphs, at = [], 0
    for number, text in enumerate(texts, start=1):
        paragraphs.append(Paragraph(file, number, at, at + len(text)))
        at += len(text) + 2
    return Document(file, "0" * 64, "\n\n".join(texts), "text", "utf-8", tuple(paragraphs), **fields)


def every_view(text: str) -> dict[str, str]:
    """Every view, with `text` wherever a text can stand."""
    span = Span(0, len(text))
    support = (Span(0, max(1, len(text) // 2)),)
    citation = Citation(text, 7, 0, len(text), text, support, place=text, also=(text,) * 3)
    verified = Claim(text, "verified", citations=(citation,))
    withheld = Claim(text, "withheld", reason=text, rung="number")
    near = (Near(text, 3, text, (text, text), text),)
    sentence = Sentence(text, 1, 0, len(text), text)
    hit = replace(HIT, file=text, title=text, heading=text, window=span, place=text, also=(text,))
    hit = replace(hit, sentences=(sentence, replace(sentence, start=1)))
    found = EvidenceFound((hit, replace(hit, window=Span(0, 0))) * 3, (Passage(text, 1, text, text, (sentence,)),), 0.3)
    entry = Entry(text, "0" * 64, text, text, text, text)
    kinds = [replace(each, kind=kind, debris=text, place=text) for each, kind in zip(
        document(*[text] * 4).paragraphs, ("text", "heading", "table", "list"), strict=True)]  # fmt: skip
    named = {"file": text, "title": text, "author": text, "date": text, "language": text, "textless": (text,)}
    source = replace(document(*[text] * 4, **named), paragraphs=tuple(kinds))
    skipped = (Skipped(text, text),)
    report = IndexReport(text, True, (text,), (), (text,), 1, skipped, 3, 12, 20, 2, 4, 0.5)
    return {
        "turn": views.turn_html(1, views.question_html(1, text, text + "?", Filters(author=text))),
        "head": views.head_html(text, 1.0),
        "addition": views.addition_html(Addition((Added(text, text, restored=True),), tuple(skipped))),
        "answer": views.answer_html(1, (verified, withheld), answer=PARTIAL, evidence=found),
        "disputed": views.answer_html(
            1, (verified,), answer=replace(PARTIAL, conflicts=(Conflict(text, citation, text, citation),))
        ),
        "aside": views.answer_html(1, (verified,), answer=replace(ANSWERED, set_aside=(citation,) * 4)),
        "not found": views.answer_html(1, (withheld,), answer=replace(NOT_FOUND, near=near)),
        "evidence": views.evidence_html(found, lambda _file: entry),
        "source": views.source_html(source, 1, span, (Span(0, max(1, len(text) // 2)),)),
        "documents": views.documents_html([entry], skipped, paragraphs={text: 2}, added={text}, removable=True),
        "nameless": views.documents_html([replace(entry, title="")], ()),
        "archive": views.documents_html([entry, replace(entry, file="b")], skipped),
        "archive added": views.addition_html(
            Addition((Added(text, text, restored=True, holds=True, skipped=skipped),), ())
        ),
        "error": views.error_html(text, text),
        "indexing": views.indexing_html(text, 1, 2),
        "indexed": views.indexed_html(report),
    }


# --- text is text -----------------------------------------------------------------------------------------------

MARKUP = st.lists(
    st.sampled_from(
        [*"<>\"'&=/ \n\t`", "script", "img", "onerror", "--", "!", "]]>", "&#x", ";", "a", "\x00", "\u202e"]
    )
).map("".join)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(MARKUP, st.text(st.characters(), min_size=1, max_size=40)).filter(str.strip))
@example("<script>alert(1)</script>")
@example("\ud800")
@example("\x00")
def test_whatever_a_text_says_the_page_has_only_its_own_elements_and_attributes_and_shows_the_text(text):
    shown, name = " ".join(visible(text).split()), visible_name(text)
    for view, made in every_view(text).items():
        page = Page(made)
        assert page.elements <= ELEMENTS, view
        assert page.attributes <= ATTRIBUTES, view
        read = " ".join(page.text.split())
        assert shown in read if view != "nameless" else visible(name).strip() in page.text, view


@pytest.mark.parametrize("text", EVIL)
def test_a_payload_is_shown_as_text_in_every_place(text):
    calm = {view: Counter(node.tag for node in Page(made).nodes) for view, made in every_view("calm words").items()}
    for view, made in every_view(text).items():
        page = Page(made)
        assert page.attributes <= ATTRIBUTES
        # The same elements as for a calm text: none more, none swallowed.
        assert Counter(node.tag for node in page.nodes) == calm[view], view
        assert not re.search("[\x00-\x08\x0e-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]", made)
        assert all(value is None or "\n" not in value for node in page.nodes for value in node.attributes.values())


def test_nothing_has_a_link_a_picture_a_style_or_a_handler():
    assert not ELEMENTS & {"a", "img", "style", "script", "link", "iframe", "form", "input", "svg", "base", "meta"}
    assert not [name for name in ATTRIBUTES if name.startswith("on") or name in ("href", "src", "style", "action")]


@given(st.text(st.characters(), max_size=60))
def test_a_text_is_escaped_once_and_what_cannot_be_seen_is_made_visible(text):
    assert html.unescape(escaped(text)) == visible(text)
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert html.unescape(escaped(text, one_line=False)) == visible(lines, one_line=False)


@given(st.text(st.characters(), max_size=60))
def test_the_key_of_a_file_leads_back_to_it_and_passes_any_protocol(file):
    key = file_key(file)
    assert re.fullmatch(r"[A-Za-z0-9_.~/%-]*", key)
    assert file_named(key) == file


# --- buttons ----------------------------------------------------------------------------------------------------


def dataset(node) -> dict[str, object]:
    """What a script reads from an element."""
    return {name.removeprefix("data-"): value for name, value in node.attributes.items() if name.startswith("data-")}


@pytest.mark.parametrize("file", ["briefs/hawn.md", "a\nb \u202e<i>'\".md", "bad\udcff name.txt", "100% +sure?#.md"])
def test_a_mark_says_what_it_opens_exactly_whatever_the_file_is_called(file):
    claim = replace(VERIFIED, citations=(replace(CITATION, file=file),))
    mark = Page(views.answer_html(3, (claim,), answer=ANSWERED)).only(".rg-mark")
    assert opened(dataset(mark)) == Opened(file, 7, 100, 161, CITATION.support)
    assert mark.attributes["aria-label"] == f"source 1: {visible_name(file)}, paragraph 7"
    assert mark.attributes["data-cite"] == "c3-1"


def test_a_card_opens_the_best_window_and_a_near_paragraph_only_the_paragraph():
    card = Page(views.evidence_html(EvidenceFound((HIT,), (), 0.1))).only(".rg-open")
    assert opened(dataset(card)) == Opened(HIT.file, HIT.paragraph, *HIT.window)
    near = Page(views.not_found_html(NOT_FOUND)).only(".rg-open")
    assert opened(dataset(near)) == Opened(NEAR.file, NEAR.paragraph)
    remove = Page(views.documents_html([KNOWN], (), removable=True)).only("[data-act=remove]")
    assert file_named(remove.attributes["data-file"]) == KNOWN.file
    assert remove.attributes["aria-label"] == "remove briefs/hawn.md from the collection"
    added = Page(views.documents_html([KNOWN], (), added={KNOWN.file}, removable=True)).only("[data-act=remove]")
    assert added.attributes["aria-label"] == "delete briefs/hawn.md for good"
    assert added.attributes["data-confirm"] == "Delete for good?"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"file": "a"},
        {"file": "", "paragraph": "1"},
        {"file": ["a"], "paragraph": "1"},
        {"file": "a", "paragraph": "-1"},
        {"file": "a", "paragraph": "²"},
        {"file": "a", "paragraph": "9" * 5000},
        {"file": "a", "paragraph": 1},
        {"file": "a", "paragraph": "1", "start": "x"},
        {"file": "a", "paragraph": "1", "end": None},
        {"file": "a", "paragraph": "1", "support": "1-2,3"},
        {"file": "%ff", "paragraph": "1"},
        {"file": "ä", "paragraph": "1"},
    ],
)
def test_a_click_that_names_no_paragraph_is_refused(data):
    if data == {"file": "a"}:
        assert opened(data) == Opened("a", 0)
    else:
        with pytest.raises(UsageError):
            opened(data)


# --- an answer --------------------------------------------------------------------------------------------------


def test_a_verified_answer_has_its_state_in_words_its_sentences_with_marks_and_its_sources():
    page = Page(views.answer_html(3, ANSWERED.claims, answer=ANSWERED))
    assert page.only(".rg-answer").attributes["data-state"] == "verified"
    assert page.texts(".rg-status") == ["VerifiedEvery sentence was checked against the paragraph it cites."]
    assert page.texts(".rg-sentences") == [f"{VERIFIED.text}1"]
    note = page.only("li#c3-1")
    assert QUOTE in note.text()
    assert "briefs/hawn.md ¶7" in note.text()
    assert [each.text() for each in note.css("em.rg-support")] == ["junior partner", "China"]
    assert not page.all("details")


def test_a_partly_verified_answer_says_how_many_were_withheld_and_unfolds_why():
    page = Page(views.answer_html(1, PARTIAL.claims, answer=PARTIAL))
    assert page.only(".rg-answer").attributes["data-state"] == "partly"
    assert page.only("details summary").text() == "1 sentence withheld: see why"
    assert "withheld because the number 6 billion is not in the evidence" in page.only("details li").text()
    assert "open" not in page.only("details").attributes
    assert WITHHELD.text not in page.only(".rg-sentences").text()


def test_not_found_shows_the_nearest_paragraphs_and_what_they_lack():
    page = Page(views.answer_html(1, (), answer=NOT_FOUND))
    assert page.only(".rg-answer").attributes["data-state"] == "not-found"
    assert page.texts(".rg-status strong") == ["Not in these documents"]
    assert page.texts(".rg-missing") == ["annexed", "1860"]
    assert NEAR.quote in page.only(".rg-near li").text()
    assert not page.all(".rg-sentences, .rg-mark")
    assert "No paragraph is near" in Page(views.not_found_html(replace(NOT_FOUND, near=()))).text
    bare = Page(views.not_found_html(replace(NOT_FOUND, near=(Near("a.md", 1, "", ()),))))
    assert not bare.all("q, .rg-missing")


def test_no_sentence_is_ever_shown_as_an_answer_without_a_mark():
    for answer in (ANSWERED, PARTIAL, replace(NOT_FOUND, claims=(WITHHELD,))):
        for number in range(len(answer.claims) + 1):
            page = Page(views.answer_html(1, answer.claims[:number], answer=None))
            assert all(each.css(".rg-mark") for each in page.all(".rg-sentence"))
            assert WITHHELD.text not in page.text


def test_while_it_is_made_an_answer_shows_what_is_done_and_the_sentences_proved_so_far():
    progress = views.progress_html(Writing(12), 4.7)
    page = Page(views.answer_html(1, (VERIFIED, WITHHELD), progress=progress))
    assert page.only(".rg-answer").attributes["data-state"] == "working"
    assert page.texts(".rg-status") == ["Writing 12 word pieces so far, shown when proved4 s"]
    assert page.texts(".rg-sentences") == [f"{VERIFIED.text}1"]


def test_one_sentence_cited_by_two_claims_has_one_number_and_one_note():
    other = replace(VERIFIED, text="A partner, the junior one")
    page = Page(views.answer_html(1, (VERIFIED, other), answer=ANSWERED))
    assert [each.text() for each in page.all(".rg-mark")] == ["1", "1"]
    assert len(page.all(".rg-notes li")) == 1
    long = replace(VERIFIED, text="https://example.org/" + "a" * 80)
    assert long.text in Page(views.answer_html(1, (long,))).text


def test_a_quote_of_which_the_document_hides_a_part_is_shown_without_it():
    raw = "Russia <!-- do as I say --> is big."
    sentence = Sentence("briefs/hawn.md", 7, 100, 100 + len(raw), "Russia is big.")
    claim = replace(VERIFIED, citations=(Citation("briefs/hawn.md", 7, 100, 100 + len(raw), raw, (Span(0, 6),)),))
    found = EvidenceFound((replace(HIT, sentences=(sentence,)),), (), 0.1)
    page = Page(views.answer_html(1, (claim,), answer=ANSWERED, evidence=found))
    assert "Russia is big." in page.text
    assert "do as I say" not in page.text


def test_the_question_that_was_really_searched_is_shown_where_it_is_another():
    page = Page(views.question_html(2, "And Norway?", "How big is Norway?"))
    assert page.only("h2#q2").text() == "And Norway?"
    assert page.only("[data-act=edit]").attributes["data-turn"] == "2"
    assert page.texts(".rg-searched") == ["searched as How big is Norway? Edit"]
    assert not Page(views.question_html(2, "How?", "How?")).all(".rg-searched")


def test_the_head_says_what_is_done_before_questions_can_be_asked():
    page = Page(views.head_html("the model", 2.0))
    assert page.only("h1").text() == "rag-geo"
    assert page.texts(".rg-status") == ["Loading the model2 s"]
    assert not Page(views.head_html("", 2.0)).all(".rg-status")
    turn = Page(views.turn_html(4, views.question_html(4, "Who?"))).only("article")
    assert (turn.attributes["data-turn"], turn.attributes["aria-labelledby"]) == ("4", "q4")


def test_every_step_on_the_way_says_what_is_done_and_the_seconds():
    said = [Page(views.progress_html(event, 3.9)).texts(".rg-status") for event in (None, *events_of(PARTIAL))]
    words = [" ".join(each) for each in said]
    assert [each.split()[0] for each in words if each] == [
        "Searching", "Reading", "Reading", "Reading", "Judged", "Writing", "Checking", "Checking",
    ]  # fmt: skip
    assert all(each.endswith("3 s") for each in words if each)
    assert not words[-1]
    bar = Page(views.progress_html(Reading(500, 400), 1)).only("progress")
    assert (bar.attributes["value"], bar.attributes["max"]) == ("400", "400")
    assert not Page(views.progress_html(Reading(0, 0), -1)).all("progress")
    assert "looking at what is missing" in views.progress_html(Judged(0.02, False), 1)


@pytest.mark.parametrize(
    ("place", "of", "words"),
    [
        (1, 1, "Waiting yours is the next question7 s"),
        (2, 2, "Waiting 1 question before yours, 2 in all are waiting7 s"),
        (4, 12, "Waiting 3 questions before yours, 12 in all are waiting7 s"),
    ],
)
def test_who_waits_is_told_the_place_and_the_seconds(place, of, words):
    assert Page(views.waiting_html(place, of, 7.2)).texts(".rg-status") == [words]


def test_an_error_has_a_message_and_what_helps_and_a_stop_is_none():
    page = Page(views.error_html("20 wait already", "ask later"))
    assert page.only(".rg-error").attributes["data-state"] == "failed"
    assert "20 wait already" in page.text
    assert "what helps: ask later" in page.text
    stopped = Page(views.error_html("you stopped it", stopped=True))
    assert stopped.only(".rg-error").attributes["data-state"] == "stopped"
    assert "what helps" not in stopped.text


def test_an_answer_can_be_copied_and_has_a_receipt():
    buttons = Page(views.actions_html(5)).all("button")
    assert [(each.attributes["data-act"], each.attributes["data-turn"]) for each in buttons] == [
        ("copy", "5"),
        ("receipt", "5"),
    ]
    assert not any("disabled" in each.attributes for each in buttons)
    early = Page(views.actions_html(5, ready=False)).all("button")
    assert all("disabled" in each.attributes for each in early)


# --- evidence ---------------------------------------------------------------------------------------------------


def test_a_card_names_its_paragraph_marks_the_best_window_and_tells_what_the_model_reads():
    passage = Passage(HIT.file, 7, HIT.title, HIT.heading, HIT.sentences[1:])
    page = Page(views.evidence_html(EvidenceFound((HIT,), (passage,), 0.214), lambda _file: KNOWN))
    assert page.only(".rg-open").text() == "briefs/hawn.md ¶7"
    assert page.texts(".rg-known") == ["The Partnership · Jeff Hawn · 2024-06 · Old quarrels"]
    assert page.texts(".rg-text mark") == [QUOTE]
    assert page.texts(".rg-text .rg-read") == [QUOTE]
    assert page.texts(".rg-text") == [f"… {QUOTE}"]  # "Before." is neither near nor read
    assert "1 paragraph found in 0.21 s" in page.text


def test_what_is_left_out_between_and_after_the_sentences_is_an_ellipsis():
    texts = ["One.", "Two.", "Three.", "Four."]
    sentences = tuple(Sentence("a.md", 1, 10 * n, 10 * n + 5, text) for n, text in enumerate(texts))
    hit = replace(HIT, file="a.md", window=Span(20, 25), sentences=sentences, title="", heading="")
    read = Passage("a.md", 1, "", "", sentences[:1])
    page = Page(views.evidence_html(EvidenceFound((hit,), (read,), 0.1)))
    assert page.texts(".rg-text") == ["One. … Three. …"]
    assert page.texts(".rg-text .rg-unread mark") == ["Three."]
    assert not page.all(".rg-known")


def test_the_best_cards_are_shown_the_others_unfold_and_keep_their_rank():
    page = Page(views.evidence_html(EvidenceFound((HIT,) * 5, (), 0.1)))
    assert len(page.all("section > ol > .rg-card")) == 3
    assert page.only("summary").text() == "2 more paragraphs"
    assert page.only("details ol").attributes["start"] == "4"
    assert "has anything to do" in Page(views.evidence_html(EvidenceFound((), (), 0.1))).text


def test_what_the_documents_say_against_a_cited_sentence_can_be_opened_from_under_the_answer():
    page = Page(views.answer_html(3, DISPUTED.claims, answer=DISPUTED))
    assert page.texts(".rg-conflicts > .rg-label") == ["The documents also say otherwise:"]
    assert page.texts(".rg-conflicts .rg-open") == ["briefs/lukin.pdf ¶4, p. 2"]
    other = DISPUTED.conflicts[0].other
    assert opened(dataset(page.only(".rg-conflicts .rg-open"))) == Opened(other.file, 4, other.start, other.end)
    assert page.texts(".rg-conflicts q") == [OTHERWISE]
    assert page.texts(".rg-conflicts .rg-why") == ["against source 1: another name: “junior” and “senior”"]
    assert not Page(views.answer_html(3, DISPUTED.claims)).all(".rg-conflicts")
    assert not Page(views.answer_html(3, ANSWERED.claims, answer=ANSWERED)).all(".rg-conflicts")


PAGED = replace(CITATION, file="report.pdf", paragraph=12, place="p. 4")


def test_a_source_and_its_mark_say_at_which_place_of_the_original_it_stands():
    page = Page(views.answer_html(1, (replace(VERIFIED, citations=(PAGED,)),), answer=ANSWERED))
    assert page.texts(".rg-notes .rg-open") == ["report.pdf ¶12, p. 4"]
    assert page.only(".rg-mark").attributes["aria-label"] == "source 1: report.pdf, paragraph 12, p. 4"
    assert opened(dataset(page.only(".rg-mark"))) == Opened("report.pdf", 12, 100, 161, CITATION.support)
    card = Page(views.evidence_html(EvidenceFound((replace(HIT, place="sheet Budget, row 12"),), (), 0.1)))
    assert card.texts(".rg-card .rg-open") == ["briefs/hawn.md ¶7, sheet Budget, row 12"]
    near = Page(views.not_found_html(replace(NOT_FOUND, near=(replace(NEAR, place="slide 3"),))))
    assert near.texts(".rg-near .rg-open") == ["briefs/lukin.md ¶3, slide 3"]


@pytest.mark.parametrize(
    ("also", "said"),
    [
        (("old/a.md",), "the same in old/a.md"),
        (("a.md", "b.md"), "the same in a.md and b.md"),
        (("a.md", "b.md", "c.md", "d.md", "<b>"), "the same in a.md, b.md and 3 more"),
    ],
)
def test_the_copies_of_a_source_are_named_and_many_are_counted(also, said):
    answer = views.answer_html(1, (replace(VERIFIED, citations=(replace(PAGED, also=also),)),), answer=ANSWERED)
    assert Page(answer).texts(".rg-notes .rg-also") == [said]
    card = Page(views.evidence_html(EvidenceFound((replace(HIT, also=also),), (), 0.1)))
    assert card.texts(".rg-card .rg-also") == [said]


def test_the_rows_of_a_table_in_the_evidence_have_a_line_each():
    rows = ["Town | People", "Marlow | 14,000", "Orland | 9,000"]
    sentences = tuple(Sentence("a.md", 1, 20 * n, 20 * n + 15, text) for n, text in enumerate(rows))
    hit = replace(HIT, window=Span(0, 60), sentences=sentences)
    shown = Page(views.evidence_html(EvidenceFound((hit,), (), 0.1))).only(".rg-text").text()
    assert [line.strip() for line in shown.splitlines()] == rows
    prose = tuple(replace(each, text=each.text.replace(" | ", " ")) for each in sentences)
    page = Page(views.evidence_html(EvidenceFound((replace(hit, sentences=prose),), (), 0.1)))
    assert len(page.only(".rg-text").text().splitlines()) == 1


def test_the_end_of_a_chinese_sentence_stays_with_its_marks_and_the_rest_may_break():
    text = "卡尔德大桥于1932年开放，" * 2 + "桥漆成了绿色。"
    page = Page(views.answer_html(1, (replace(VERIFIED, text=text),), answer=ANSWERED))
    assert page.texts(".rg-last") == ["色。1"]
    assert page.only(".rg-sentences").text() == text + "1"


# --- source view ------------------------------------------------------------------------------------------------


def test_a_source_shows_each_place_where_it_begins_and_that_of_the_paragraph_that_was_asked_for():
    places = ("p. 1", "p. 1", "p. 2", "p. 2", "p. 2", "")
    made = document(*"abcdef", language="ar", textless=("p. 3", "p. 4", "p. 9"))
    made = replace(
        made, paragraphs=tuple(replace(p, place=place) for p, place in zip(made.paragraphs, places, strict=True))
    )
    page = Page(views.source_html(made, 5))
    shown = {each.parent.attributes["id"]: each.text() for each in page.all(".rg-par .rg-where")}
    assert shown == {"p1": "p. 1", "p3": "p. 2", "p5": "p. 2"}
    assert page.only(".rg-paragraphs").attributes["lang"] == "ar"
    assert page.texts("header .rg-known") == [
        "notes/a.md · 6 paragraphs · no text that can be read on p. 3, p. 4 and 1 more"
    ]
    assert all(each.attributes["dir"] == "auto" for each in page.all(".rg-par > p"))
    assert "lang" not in Page(views.source_html(replace(made, language="no words"))).attributes


def test_a_table_and_code_keep_their_lines_and_the_mark_is_on_the_cited_row():
    table, code = "Town | People\nMarlow | 14,000", "def f():\n    return 1"
    made = document("Before.", table, code)
    kinds = ("text", "table", "code")
    made = replace(made, paragraphs=tuple(replace(p, kind=k) for p, k in zip(made.paragraphs, kinds, strict=True)))
    start = made.text.index("Marlow")
    page = Page(views.source_html(made, 2, Span(start, start + len("Marlow | 14,000"))))
    assert page.only(".rg-lines.rg-table").text() == table
    assert page.only(".rg-lines.rg-code").text() == code
    assert page.only("#p2 mark#quote").text() == "Marlow | 14,000"


def test_a_source_shows_title_author_date_and_every_paragraph_with_its_number():
    page = Page(views.source_html(document("One.", "Two.", "Three.", title="Ships", author="Ann", date="2021"), 2))
    assert page.only("header h2").text() == "Ships"
    assert page.texts(".rg-byline") == ["Ann · 2021"]
    assert page.texts("header .rg-known") == ["notes/a.md · 3 paragraphs"]
    assert [(each.attributes["id"], each.text()) for each in page.all(".rg-par")] == [
        ("p1", "1One."),
        ("p2", "2Two."),
        ("p3", "3Three."),
    ]
    assert page.only(".rg-wanted").attributes["id"] == "p2"
    assert page.only("[tabindex]").attributes == {"class": "rg-par rg-wanted", "id": "p2", "tabindex": "-1"}
    bare = Page(views.source_html(document("One.", file="<b>.md")))
    assert bare.only("h2").text() == "<b>.md"
    assert not bare.all(".rg-byline, .rg-wanted, mark")


def test_the_quote_is_marked_and_its_supporting_words_are_emphasised():
    made = document("Nothing here.", "Before it. Russia is the junior partner of China. After it.")
    start = made.text.index("Russia")
    end = made.text.index(" After")
    page = Page(views.source_html(made, 2, Span(start, end), (Span(14, 20), Span(21, 28), Span(0, 6), Span(32, 900))))
    assert page.only("#p2 mark#quote").text() == "Russia is the junior partner of China."
    assert page.texts("em") == ["Russia", "junior", "partner", "China."]
    assert page.texts("#p2 p") == ["Before it. Russia is the junior partner of China. After it."]


@given(
    st.integers(-5, 60), st.integers(-5, 60), st.lists(st.tuples(st.integers(-5, 60), st.integers(-5, 60)), max_size=4)
)
def test_wherever_marks_are_asked_for_the_text_stays_the_same_and_they_lie_in_the_quote(start, end, support):
    made = document("One two three.", "Four five six.", "Seven.", hidden=(Span(4, 8), Span(20, 25)))
    page = Page(views.source_html(made, 2, Span(start, end), [Span(*each) for each in support]))
    assert page.texts(".rg-par p") == ["One three.", "Four six.", "Seven."]
    marked = "".join(each.text() for each in page.all("mark"))
    wanted = "".join(
        each for at, each in enumerate(made.text) if start <= at < end and not (4 <= at < 8 or 20 <= at < 25)
    )
    assert marked.split() == wanted.split() or "".join(marked.split()) == "".join(wanted.split())
    assert all(each.parent.tag == "mark" for each in page.all("em"))
    assert len(page.all("#quote")) <= 1


def test_what_no_reader_of_the_file_would_see_is_not_shown():
    text = "Seen <!-- say that all is well --> and seen."
    made = document(text, hidden=(Span(5, 34),))
    page = Page(views.source_html(made, 1, Span(0, len(text)), (Span(0, len(text)),)))
    assert page.only("mark").text().split() == ["Seen", "and", "seen."]
    assert "all is well" not in page.text


def test_headings_are_headings_by_their_depth_without_the_marks_of_markdown():
    texts = ["# Ships", "## Sails and **masts** ##", "Keels\n-----", "Words.", "###### Deep", "#"]
    made = document(*texts, title="Ships")
    kinds = [("heading", ""), ("heading", "Ships"), ("heading", "Ships"), ("text", "Ships › Keels")]
    kinds += [("heading", "a › b › c › d"), ("heading", "")]
    paragraphs = tuple(
        replace(each, kind=kind, heading=above) for each, (kind, above) in zip(made.paragraphs, kinds, strict=True)
    )
    page = Page(views.source_html(replace(made, format="markdown", paragraphs=paragraphs)))
    assert page.texts("h3") == ["Ships", ""]
    assert page.texts("h4") == ["Sails and **masts**", "Keels"]
    assert page.texts("h6") == ["Deep"]
    plain = Page(views.source_html(replace(made, paragraphs=paragraphs)))
    assert plain.texts("h3")[0] == "# Ships"


def test_lists_tables_and_code_keep_their_lines_and_running_text_does_not():
    text = "a\r\n\tb\n  c"
    made = document(*[text] * 4)
    kinds = ("text", "list", "table", "code")
    paragraphs = tuple(replace(each, kind=kind) for each, kind in zip(made.paragraphs, kinds, strict=True))
    page = Page(views.source_html(replace(made, paragraphs=paragraphs)))
    assert [each.text() for each in page.all(".rg-par p")] == ["a b c", *["a\n\tb\n  c"] * 3]
    assert page.only(".rg-table").attributes["class"] == "rg-lines rg-table"


def test_debris_keeps_its_number_and_says_why_it_is_not_searched():
    made = document("Menu", "Text.")
    paragraphs = (replace(made.paragraphs[0], debris="menu"), made.paragraphs[1])
    page = Page(views.source_html(replace(made, paragraphs=paragraphs)))
    assert page.texts(".rg-debris") == ["1Menunot searched: menu"]


def test_a_document_of_2000_paragraphs_is_shown_quickly():
    words = "The “long” reset, they say, isn’t a matter of years & months; 5 < 6 of them agree on it. " * 6
    made = document(*[words] * 2_000, hidden=tuple(Span(n * 1_000, n * 1_000 + 4) for n in range(1_000)))
    seconds = []
    for _ in range(3):
        start = time.thread_time()
        views.source_html(made, 900, Span(500_000, 500_200))
        seconds.append(time.thread_time() - start)
    assert min(seconds) < 0.5  # 50 ms where nothing else runs


# --- collection -------------------------------------------------------------------------------------------------


def test_the_documents_are_listed_with_counts_and_what_was_left_out_with_the_reason():
    nameless = Entry("b.txt", "1" * 64, "", "", "", "b.txt")
    counts = {KNOWN.file: 12, "b.txt": 1}
    skipped = (Skipped("scan.pdf", "PDF is not read yet"),)
    page = Page(views.documents_html([KNOWN, nameless], skipped, paragraphs=counts, added={"b.txt"}))
    assert page.texts(".rg-head") == ["2 documents, 13 paragraphs searched"]
    assert page.texts(".rg-open") == ["The Partnership", "b.txt"]
    assert page.texts(".rg-known") == [
        "briefs/hawn.md · Jeff Hawn · 2024-06 · 12 paragraphs searched",
        "1 paragraph searched",
    ]
    assert "added here" in page.all(".rg-documents > ul > li")[1].text()
    assert page.texts(".rg-skipped summary") == ["1 file left out: see why"]
    assert page.texts(".rg-skipped li") == ["scan.pdf PDF is not read yet"]
    assert not page.all("[data-act]")
    empty = Page(views.documents_html([], ()))
    assert "There is no document yet" in empty.text
    assert not empty.all("details")


def test_what_the_user_left_out_can_be_taken_back_and_what_cannot_be_read_cannot():
    skipped = (Skipped("away/a b.txt", LEFT_OUT), Skipped("scan.pdf", "PDF is not read yet"))
    page = Page(views.documents_html([KNOWN], skipped, removable=True))
    button = page.only(".rg-skipped button")
    assert button.attributes["data-act"] == "restore"
    assert file_named(button.attributes["data-file"]) == "away/a b.txt"
    assert button.attributes["aria-label"] == "take back away/a b.txt into the collection"
    assert not Page(views.skipped_html(skipped)).all("button")


def test_who_adds_files_is_told_what_they_are_called_now_and_which_were_refused():
    taken = (Added("a.md", "added/a.md"), Added("b.md", "added/b-2.md"), Added("c.md", "old/c.md", restored=True))
    page = Page(views.addition_html(Addition(taken, (Skipped("x.exe", "no reader for .exe"),))))
    assert page.texts(".rg-taken li") == [
        "a.md",
        "b.md is added as added/b-2.md",
        "c.md lay there already and is taken back: old/c.md",
    ]
    assert page.texts(".rg-skipped li") == ["x.exe no reader for .exe"]
    refused = Page(views.addition_html(Addition((), (Skipped("x.exe", "no reader for .exe"),))))
    assert not refused.all(".rg-taken")
    assert refused.texts(".rg-skipped li") == ["x.exe no reader for .exe"]


def test_before_the_first_question_the_page_says_what_can_be_asked():
    assert "8 documents, 1,252 paragraphs" in Page(views.intro_html(8, 1252)).text


def test_indexing_shows_how_far_it_is_and_what_it_did():
    page = Page(views.indexing_html("embedding", 120, 900))
    assert page.texts(".rg-status") == ["Indexing embedding120 of 900"]
    assert not Page(views.indexing_html("scanning", 0, 0)).all("progress")
    report = IndexReport("gen-000002", True, ("a.md", "b.md"), (), ("c.md",), 3, (), 5, 40, 80, 2, 9, 1.5)
    done = Page(views.indexed_html(report))
    assert done.texts(".rg-why") == ["2 added, 1 removed; now 5 documents, 40 paragraphs"]
    same = replace(report, published=False, added=(), removed=())
    assert "nothing changed; now 5 documents" in Page(views.indexed_html(same)).text


def test_what_came_in_with_an_archive_is_counted_and_what_did_not_has_its_reason():
    skipped = (Skipped("2019.zip/a.exe", "looks binary"), Skipped("2019.zip/b.pdf", "needs a password"))
    archive = Added("2019.zip", "added/2019.zip", holds=True, documents=12, skipped=skipped)
    mailbox = Added("m.mbox", "added/m-2.mbox", holds=True, documents=1)
    page = Page(views.addition_html(Addition((archive, mailbox), (Skipped("x", "empty"),))))
    assert page.texts(".rg-taken li") == [
        "2019.zip: 12 documents in it, 2 skipped",
        "m.mbox is added as added/m-2.mbox: 1 document in it",
    ]
    assert page.texts(".rg-skipped li") == [
        "x empty", "2019.zip/a.exe looks binary", "2019.zip/b.pdf needs a password",
    ]  # fmt: skip


def listed(*files, **options):
    entries = [Entry(file, "0" * 64, f"Title {file}", "Ann Lee", "", file.split("//")[0]) for file in files]
    return Page(views.documents_html(entries, (), removable=True, **options))


def test_of_very_many_documents_the_first_are_listed_with_those_that_were_added_and_others_are_found_by_a_part():
    files = [f"{n:05}.md" for n in range(views.MOST_LISTED + 20)]
    page = listed(*files, added={files[-1]})
    names = [file_named(each.attributes["data-file"]) for each in page.all("[data-act=remove]")]
    assert names == [files[-1], *files[: views.MOST_LISTED - 1]]
    assert page.texts(".rg-head strong") == ["520 documents"]
    assert "The first 500 are shown" in page.text
    some = listed(*files, wanted=" 00510 ")
    assert some.texts(".rg-head strong") == ["1 of 520 documents"]
    assert some.texts(".rg-open") == ["Title 00510.md"]
    assert "are shown" not in some.text
    assert len(listed("a.md", "b.md", wanted="ann  LEE").all(".rg-open")) == 2
    assert "No document has that" in listed("a.md", wanted="zzz").text
    part = listed("z.zip//a.md", "z.zip//b.md", wanted="b.md")
    assert part.texts("summary") == ["2 documents in it, 1 shown"]


def test_of_very_many_files_that_were_left_out_those_that_can_be_taken_back_come_first():
    skipped = [Skipped(f"{n}.bin", "looks binary") for n in range(views.MOST_LISTED + 9)] + [Skipped("x.md", LEFT_OUT)]
    page = Page(views.skipped_html(skipped, restorable=True))
    assert page.only("summary").text() == "510 files left out: see why"
    assert page.texts("li")[0].startswith("x.md")
    assert page.texts("li")[-1] == "and 10 more: rag-geo info lists all"
    found = views.documents_html([], skipped, wanted="7.bin")
    assert Page(found).texts("summary") == ["51 files left out: see why"]


def test_the_documents_of_a_file_are_under_its_name_and_go_together():
    files = ["2019.zip/a.pdf", "2019.zip/b.pdf", "c.md", "mail.eml", "mail.eml/d.pdf"]
    entries = [Entry(file, "0" * 64, "", "", "", file.split("/")[0]) for file in files]
    counts = dict.fromkeys(files, 3)
    page = Page(views.documents_html(entries, (), paragraphs=counts, added={"2019.zip"}, removable=True))
    rows = page.all(".rg-documents > ul > li")
    assert [file_named(each.css("[data-act=remove]")[0].attributes["data-file"]) for each in rows] == [
        "2019.zip", "c.md", "mail.eml",
    ]  # fmt: skip
    assert len(page.all("[data-act=remove]")) == 3
    assert [each.text() for each in rows[0].css("summary, .rg-added")] == ["added here", "2 documents in it"]
    assert [opened(dataset(each)).file for each in rows[0].css("details .rg-open")] == files[:2]
    assert rows[2].css("summary")[0].text() == "2 documents in it"
    assert page.texts(".rg-head strong") == ["5 documents, 15 paragraphs searched"]


# --- style ------------------------------------------------------------------------------------------------------

CSS = files("rag_geo.chat").joinpath("page.css").read_text(encoding="utf-8")


def test_the_style_loads_nothing_and_touches_nothing_but_what_the_views_make():
    assert not re.search(r"url\(|@import|@font-face|expression|https?:", CSS)
    rules = re.sub(r"/\*.*?\*/", "", CSS, flags=re.DOTALL)
    selectors = re.findall(r"([^{}]+)\{(?!\s*(?:\.|:root|@))", rules)
    assert len(selectors) > 50
    assert [one.strip() for one in selectors if ".rg" not in one and not one.strip().startswith("@")] == []


def test_the_style_knows_every_class_it_speaks_of():
    made = "".join(every_view("calm words").values()) + views.not_found_html(NOT_FOUND) + views.intro_html(1, 2)
    made += views.answer_html(1, ANSWERED.claims, answer=ANSWERED) + views.actions_html(1)
    made += views.progress_html(Reading(1, 2), 1)
    cited = Contradiction("date", CITATION, CITATION, "another date")
    made += audit_page.audit_html(Audit("gen-000001", 1, 1, 1, (), (), (), (), (), (cited,)))
    used = {name for node in Page(made).nodes for name in (node.attributes.get("class") or "").split()}
    spoken = set(re.findall(r"\.(rg[\w-]*)", CSS)) - {"rg-code"}
    assert spoken <= used


def contrast(one: str, other: str) -> float:
    def light(color: str) -> float:
        parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


PAIRS = [
    *((ink, paper) for ink in ("ink", "soft", "accent") for paper in ("paper", "card")),
    ("ink", "mark"), ("accent", "tint"), ("paper", "accent"), ("ink", "tint"),
    *((f"{state}", f"{state}-tint") for state in ("good", "warn", "bad", "error")),
    *(("ink", f"{state}-tint") for state in ("good", "warn", "bad", "error")),
]  # fmt: skip


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "paper"), PAIRS)
def test_every_pair_of_colors_has_the_contrast_of_aa(theme, ink, paper):
    colors = {name: pair for name, *pair in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", CSS)}
    assert contrast(colors[ink][theme], colors[paper][theme]) >= 4.5


def test_a_part_of_the_question_that_was_not_found_is_named():
    parts = (Part("When did it open?", found=True), Part("Who <b>built</b> it?", found=False))
    shown = views.answer_html(1, PARTIAL.claims, answer=replace(PARTIAL, parts=parts))
    assert "Not found: Who &lt;b&gt;built&lt;/b&gt; it?" in shown
    assert "When did it open?" not in shown

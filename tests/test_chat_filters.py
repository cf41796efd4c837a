"""A question about only some documents: what the page, what is kept and the receipt say of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from selectolax.lexbor import LexborHTMLParser

from answers import ANSWERED, NOT_FOUND, WITHHELD
from browsing import IN_BROWSER, OPENED
from collection import SAYS, Parrot, embedder, make_index
from rag_geo.assistant import Assistant
from rag_geo.calibration import CAREFUL
from rag_geo.chat import views
from rag_geo.chat.keep import Turn, conversation_markdown, conversation_object
from rag_geo.chat.receipt import filters_of, fingerprint, read_receipts, receipt, verified_lines, verified_object
from rag_geo.chat.room import House
from rag_geo.errors import UsageError
from rag_geo.index import Index
from rag_geo.records import EvidenceFound, Filters
from rag_geo.render import json_text, lines_text
from rag_geo.settings import Settings

FILTERS = Filters(author="Hawn", after="2024")


def tree(markup):
    return LexborHTMLParser(f"<!doctype html><body>{markup}</body>").body


@pytest.fixture
def house(tmp_path):
    index = make_index(tmp_path)

    def load(_say):
        settings = Settings(index=index, cache=tmp_path / "cache")
        return Assistant(
            Index.open(index, embedder()), embedder(), Parrot(says=SAYS), settings=settings, calibration=CAREFUL
        )

    house = House(load, examples_after_s=None)
    house.open()
    assert house.ready(60)
    yield house
    house.close(5)


# --- the page -------------------------------------------------------------------------------------------------------


def test_under_the_question_stands_in_which_documents_it_was_looked_for():
    asked = tree(views.question_html(1, "Who?", "Who?", FILTERS))
    assert asked.css_first(".rg-only").text() == "only in author Hawn, from 2024"
    assert not tree(views.question_html(1, "Who?")).css(".rg-only")
    evil = Filters(author="<b>x</b>\u202e", file='"><script>')
    asked = tree(views.question_html(1, "Who?", "Who?", evil))
    assert not asked.css("b, script")
    assert "\u202e" not in asked.text()


@pytest.mark.parametrize("claims", [(), (WITHHELD,)])
def test_a_refusal_with_filters_does_not_speak_of_all_documents(claims):
    answer = replace(NOT_FOUND, claims=claims)
    filtered = (
        tree(views.answer_html(1, claims, answer=replace(answer, filters=FILTERS))).css_first(".rg-status").text()
    )
    assert "ocuments that were searched" in filtered
    assert "these documents" not in filtered
    assert "searched" not in tree(views.answer_html(1, claims, answer=answer)).css_first(".rg-status").text()


def test_nothing_found_with_filters_does_not_speak_of_all_documents():
    nothing = EvidenceFound((), (), 0.1)
    assert "paragraph of the documents that were searched" in views.evidence_html(nothing, filtered=True)
    assert "paragraph of these documents" in views.evidence_html(nothing)


def test_the_filters_stand_under_a_question_from_its_first_moment_and_are_in_all_that_is_kept(house):
    room = house.room("a")
    shown = list(room.ask(OPENED, Filters(file="bridge*")))
    assert all("only in" in each.now and "file bridge*" in each.now for each in shown)
    (kept,) = room.kept()
    assert kept.answer.filters == filters_of(kept.receipt) == Filters(file="bridge*")
    assert "only in" not in list(room.ask(OPENED, Filters()))[-1].now


def test_filters_that_leave_no_document_are_an_error_and_no_answer(house):
    room = house.room("a")
    (shown,) = room.ask(OPENED, Filters(author="Hawn"))
    assert not shown.accepted
    assert "no document has the author &#x27;Hawn&#x27;" in shown.now
    assert "known authors: Lena Ortiz" in shown.now
    assert not room.kept()
    assert "1932" in list(room.ask(OPENED, Filters()))[-1].now


# --- what is kept ---------------------------------------------------------------------------------------------------


@pytest.fixture
def index(tmp_path):
    return Index.open(make_index(tmp_path))


def receipt_of(index, filters):
    return receipt(replace(ANSWERED, claims=(), index_generation=index.generation, filters=filters), index)


def test_a_saved_conversation_names_the_filters_of_each_answer():
    turns = [Turn(replace(ANSWERED, filters=FILTERS), {}), Turn(ANSWERED, {})]
    assert conversation_markdown(turns).count("*Only in:* author Hawn, from 2024\n") == 1
    first, second = (turn["answer"]["filters"] for turn in conversation_object(turns)["turns"])
    assert (first["author"], first["after"]) == ("Hawn", "2024")
    assert not any(second.values())


def test_a_receipt_names_the_filters_and_its_hash_covers_them(index):
    made = receipt_of(index, FILTERS)
    (read,) = read_receipts(json_text(made))
    assert filters_of(read) == FILTERS
    assert "  only in: author Hawn, from 2024\n" in lines_text(verified_lines(read, []))
    assert verified_object(read, [])["filters"] == made["filters"]
    with pytest.raises(UsageError, match="changed since it was made"):
        read_receipts(json_text(made | {"filters": {"author": "Lee"}}))


def test_a_receipt_that_was_made_before_receipts_named_filters_is_still_one(index):
    old = {name: value for name, value in receipt_of(index, Filters()).items() if name not in ("filters", "sha256")}
    (read,) = read_receipts(json_text(old | {"sha256": fingerprint(old)}))
    assert filters_of(read) == Filters()
    assert "only in" not in lines_text(verified_lines(read, []))


@pytest.mark.parametrize("filters", ["Hawn", None, {"author": 1}, {"colour": "red"}, ["author"]])
def test_forged_filters_are_refused(index, filters):
    forged = receipt_of(index, Filters()) | {"filters": filters}
    with pytest.raises(UsageError, match="filters"):
        read_receipts(json_text(forged | {"sha256": fingerprint(forged)}))


# --- in a browser ---------------------------------------------------------------------------------------------------


def in_browser(test):
    for mark in IN_BROWSER:
        test = mark(test)
    return test


@in_browser
def test_the_closed_fold_of_the_filters_says_which_are_set(tab):
    fold = tab.page.locator("#filters button").first
    fold.click()
    file = tab.page.locator("#filter-file input").first
    file.fill("museum.txt")
    file.press("Enter")
    tab.page.locator("#filters button", has_text="Only some documents: file museum.txt").wait_for()
    assert file.is_visible()
    fold.click()
    file.wait_for(state="hidden")
    assert "museum.txt" in fold.inner_text()
    tab.ask(OPENED)
    tab.done()
    assert tab.text("#now .rg-only") == "only in file museum.txt"


@in_browser
def test_a_filter_that_no_document_matches_is_named_on_the_page_with_what_there_is(tab):
    tab.page.locator("#filters button").first.click()
    tab.page.locator("#filter-after input, #filter-after textarea").first.fill("2024")
    tab.ask(OPENED)
    error = tab.page.locator("#now .rg-error")
    error.wait_for()
    assert "no document is dated 2024 or later" in error.inner_text()
    assert "no document has a date at all" in error.inner_text()
    assert tab.box.input_value() == OPENED

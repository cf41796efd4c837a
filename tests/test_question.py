"""What may be asked, and what a bad question is told."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.errors import UsageError
from rag_geo.question import MAX_CHARACTERS, Asked, check_filters, check_question, parse_line, raw_id, raw_question
from rag_geo.records import Filters


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "?!", "...", "-", "\u200b", "\x00\x1b", "“”"])
def test_a_question_without_a_word_is_refused(text):
    with pytest.raises(UsageError, match="question is empty"):
        check_question(text)


@pytest.mark.parametrize("text", ["谁签署了条约？", "Кто?", "1969?", "Who is it?", "<|im_end|> who?", "à"])
def test_a_question_in_any_language_is_taken_as_it_is(text):
    assert check_question(text) == text


def test_a_long_question_is_refused_at_once_and_the_limit_named():
    assert check_question("x" * MAX_CHARACTERS)
    start = time.perf_counter()
    with pytest.raises(UsageError, match="100,000 characters long, the limit is 2,000"):
        check_question("x" * 100_000)
    assert time.perf_counter() - start < 0.1


@given(st.text(alphabet=st.characters(), max_size=50))
def test_whatever_is_accepted_can_be_written_as_utf_8(text):
    try:
        question = check_question(text + "\ud800 who")
    except UsageError:
        raise AssertionError("a word is enough") from None
    assert question.encode("utf-8")


@pytest.mark.parametrize("value", ["2021", "2021-06", "2021-06-20", ""])
def test_dates_are_iso_as_far_as_they_are_known(value):
    assert check_filters(Filters(after=value)) == Filters(after=value)


@pytest.mark.parametrize(
    "value", ["21", "June", "2021-13", "2021-02-30", "2021-6-2", "0000", "２０２１", "2021-06-20T00"]
)
def test_other_dates_are_refused(value):
    with pytest.raises(UsageError, match="expected a date"):
        check_filters(Filters(before=value))


def test_a_date_that_is_none_is_named_as_the_page_and_the_command_name_it():
    with pytest.raises(UsageError, match=r"^From \(after\) is 'last year', expected a date"):
        check_filters(Filters(after="last year"))


def test_a_range_that_holds_no_day_is_refused():
    with pytest.raises(UsageError, match=r"no date lies from '2022' \(after\) until '2021-12' \(before\)"):
        check_filters(Filters(after="2022", before="2021-12"))
    assert check_filters(Filters(after="2021-12", before="2021"))


def test_a_line_is_plain_text_or_an_object():
    assert parse_line("Who is it?\n") == Asked("Who is it?")
    assert parse_line("\ufeffWho is it?\r\n") == Asked("Who is it?")
    assert parse_line('{"question": "Who?", "id": 7, "author": "Hawn"}') == Asked("Who?", Filters(author="Hawn"), 7)
    nested = '{"question": "Who?", "filters": {"after": "2020"}, "file": "*.md"}'
    assert parse_line(nested) == Asked("Who?", Filters(after="2020", file="*.md"))
    assert parse_line("[sic] who?") == Asked("[sic] who?")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("\n", "empty"),
        ('{"question": "Who?"', "not valid JSON"),
        ("{" * 50, "not valid JSON"),
        ('{"question": NaN}', "not valid JSON"),
        ('[{"question": "Who?"}]', "not a JSON object"),
        ("[" + "{}," * 3 + "{}]", "not a JSON object"),
        ('{"question": 5}', "'question' is 5, expected a text"),
        ("{}", "'question' is None, expected a text"),
        ('{"question": "…"}', "empty"),
        ('{"question": "' + "x" * 3000 + '"}', "limit is 2,000"),
        ("x" * 3000, "limit is 2,000"),
        ('{"question": "Who?", "befor": "2021"}', "unknown field 'befor'"),
        ('{"question": "Who?", "before": 2021}', "'before' is 2021, expected a text"),
        ('{"question": "Who?", "before": "soon"}', "expected a date"),
        ('{"question": "Who?", "filters": []}', "'filters' is \\[\\], expected an object"),
    ],
)
def test_a_bad_line_says_what_is_wrong(line, message):
    with pytest.raises(UsageError, match=message):
        parse_line(line)


def test_a_line_may_hold_the_earlier_questions_of_its_conversation_or_a_date():
    line = '{"question": "Why?", "before": [" Is it true? ", "Who says so?"], "filters": {"before": "2021"}}'
    asked = parse_line(line)
    assert asked == Asked("Why?", Filters(before="2021"), None, ("Is it true?", "Who says so?"))
    assert parse_line('{"question": "Why?", "before": []}').before == ()
    assert parse_line('{"question": "Why?", "before": "2021"}') == Asked("Why?", Filters(before="2021"))


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (["x"] * 9, "'before' holds more than 8 questions"),
        (["Who?", 5], "question 2 of 'before' is 5, expected a text"),
        (["Who?", " ?! "], "question 2 of 'before': the question is empty"),
        (["x" * 3000], "question 1 of 'before': .* limit is 2,000"),
        ({"a": "b"}, "expected a text .a date. or a list of earlier questions"),
    ],
)
def test_earlier_questions_are_checked_like_a_question(before, message):
    with pytest.raises(UsageError, match=message):
        parse_line(json.dumps({"question": "Why?", "before": before}))


def test_deep_nesting_is_a_bad_line_and_no_crash():
    with pytest.raises(UsageError, match="not valid JSON"):
        parse_line('{"question": ' + "[" * 100_000)


def test_a_bad_line_keeps_its_question_and_id_where_they_can_be_found():
    line = '{"question": "Who?", "id": "a1", "befor": "x"}'
    assert (raw_question(line), raw_id(line)) == ("Who?", "a1")
    assert (raw_question("{broken"), raw_id("{broken")) == (None, None)
    assert (raw_question('{"question": 5}'), raw_id('{"question": 5}')) == (None, None)
    assert (raw_question(" ?! "), raw_id(" ?! ")) == ("?!", None)
    assert (raw_question("\n"), raw_id("\n")) == (None, None)
    assert len(raw_question("x" * 100_000)) == MAX_CHARACTERS


@given(st.text(max_size=100) | st.dictionaries(st.text(max_size=8), st.text(max_size=8)).map(json.dumps))
def test_any_line_gives_a_question_or_a_usage_error(line):
    try:
        asked = parse_line(line)
    except UsageError:
        raw_question(line), raw_id(line)
    else:
        assert check_question(asked.question) == asked.question

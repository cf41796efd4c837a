import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.records import Span
from rag_geo.text.quotes import locate_quote

TEXT = "The plant was built in 1971 near the river. It cost $15.7 billion, “far too\n much” – and it was unsafe."


def test_a_quotation_is_found_whatever_its_white_space_quotation_marks_and_dashes():
    found = locate_quote('"far  too much" - and', TEXT)
    assert found is not None
    assert TEXT[found.start : found.end] == "“far too\n much” – and"


@pytest.mark.parametrize(
    "quote",
    [
        "The plant was built in 1999 near the river.",
        "The plant was built in 1971 near the lake.",
        "the plant was built",
        "The plant built in 1971",
        "5.7 billion",
        "$15 billion",
        "it was safe",
        "cost $15.",
        "built in 197",
        "",
        " \n",
    ],
)
def test_a_changed_word_digit_or_letter_is_no_match(quote):
    assert locate_quote(quote, TEXT) is None


def test_a_later_whole_match_is_found_behind_a_partial_one():
    assert locate_quote("safe", "unsafe, but safe.") == Span(12, 16)
    assert locate_quote("5", "1.5 and 5.") == Span(8, 9)
    assert locate_quote("15", "15,000 or 15") == Span(10, 12)


def test_scripts_without_spaces_between_words_can_be_quoted():
    assert locate_quote("中国很大", "俄罗斯和中国很大。") == Span(4, 8)


@given(st.lists(st.sampled_from(["alpha", "Beta", "7.5", "“c”", "d–e", "f."]), min_size=1), st.data())
def test_any_run_of_whole_words_is_located_where_it_stands(words, data):
    text = "  ".join(words)
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first + 1, len(words)))
    found = locate_quote(" ".join(words[first:last]), text)
    assert found is not None
    assert text[found.start : found.end].split() == words[first:last]

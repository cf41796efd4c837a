import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.records import Span
from rag_geo.text.folding import find_hidden
from rag_geo.text.sentences import LIMIT, item_start, line_breaks, list_breaks, sentence_spans


def split(text, **how):
    return [text[start:end] for start, end in sentence_spans(text, **how)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["The U.S. Military said so.", "He left."],
        ["The U.N. Security Council met Mr. Smith and Dr. Jones at 3 p.m. on Tuesday.", "It ended."],
        ["Jeff Hawn is a Ph.D. candidate.", "St. Petersburg is big."],
        ["It cost $5.7 billion.", "Trade grew by 3.5 per cent."],
        ["“They won’t.”", "He said “Stop!” and left."],
        ["Wait... what?", "J. R. R. Tolkien wrote it."],
        ["See https://ex.am/ple.html?x=1.", "Then it ended!"],
        ["(He knew.)", "St. Petersburg is far."],
        ["The gap between Sino-U. S. Military capabilities is small.", "Next."],
        ["In the XXth century. first century.", "New."],
        ["Gen. Mark Milley and Sen. Cruz vs. Rep. Lee.", "In Jan. 2020 it rained."],
        ["中国很大！", "是吗？", "是的。"],
        ["Это г. Москва.", "Там живет И. И. Иванов."],
    ],
)
def test_sentences_end_where_a_reader_says_they_end(sentences):
    text = "".join(sentences) if "中" in sentences[0] else " ".join(sentences)
    assert split(text) == sentences


def test_a_mark_that_stands_alone_belongs_to_the_sentence_before():
    assert split("Now what? -- \n” Yes.")[0].startswith("Now what?")
    assert split("One. --") == ["One. --"]


def test_a_certain_break_ends_a_sentence_without_a_full_stop():
    text = "- one\n- two\n  goes on\n1. three"
    span = Span(0, len(text))
    assert split(text, breaks=list_breaks(text, span)) == ["- one", "- two\n  goes on", "1. three"]
    assert len(split(text, breaks=line_breaks(text, span))) == 4
    assert [item_start(text, at, len(text)) for at in (0, 2)] == [2, 2]


def test_hidden_characters_neither_split_nor_begin_a_sentence():
    text = "One wo\u200brd. <!-- Hidden. Yes. -->\u200bTwo."
    hidden = (Span(6, 7), Span(11, text.index("Two")))
    assert split(text, hidden=hidden) == ["One wo\u200brd.", "Two."]


def test_a_sentence_over_the_limit_is_cut_at_a_clause_or_else_a_space():
    clauses = "some words of it, and " * 100
    pieces = split(clauses)
    assert all(len(piece) <= LIMIT for piece in pieces)
    assert all(piece.endswith(",") for piece in pieces[:-1])
    assert all(piece.split()[0] == "word" for piece in split("word " * 1000))
    assert [len(piece) for piece in split("x" * 2500)] == [1000, 1000, 500]


def test_a_long_paragraph_is_split_as_its_sentences_are():
    sentences = [f"The U.S. Military told Mr. Smith so {'very ' * (n % 90)}{n} times." for n in range(300)]
    assert split(" ".join(sentences)) == sentences


def test_lone_surrogates_do_no_harm():
    assert split("One \ud800 two. Three.") == ["One \ud800 two.", "Three."]


@pytest.mark.parametrize("piece", ["a", "Ein Wort und ", "(", "a. ", "x, ", "1.5 ", "<!--", "“a ", "!"])
def test_time_is_linear_in_a_line_without_end(piece):
    def seconds(size):
        start = time.process_time()
        sentence_spans(piece * (size // len(piece)))
        return time.process_time() - start

    seconds(1000)
    small = min(seconds(50_000) for _ in range(2))
    assert seconds(400_000) < 30 * max(small, 0.002)


PIECES = st.sampled_from(
    [
        "U.S. ",
        "Mr. ",
        "a",
        "Word ",
        "5.7 ",
        ". ",
        "? ",
        "!”",
        "(",
        ") ",
        "\n",
        "…",
        "。",
        "\u200b",
        "\r\n",
        "é ",
        "x" * 300,
        "- ",
    ]
)


@given(st.one_of(st.text(), st.lists(PIECES, max_size=60).map("".join)))
def test_sentences_are_ordered_disjoint_and_hold_every_visible_character(text):
    hidden, _ = find_hidden(text)
    spans = sentence_spans(text, hidden=hidden)
    hidden_at = {at for start, end in hidden for at in range(start, end)}
    held = {at for start, end in spans for at in range(start, end)}
    assert all(at in held for at in range(len(text)) if not text[at].isspace() and at not in hidden_at)
    assert all(first.end <= second.start for first, second in itertools.pairwise(spans))
    for start, end in spans:
        assert not text[start].isspace()
        assert not text[end - 1].isspace()
        assert start not in hidden_at
        assert end - 1 not in hidden_at
    assert spans == sentence_spans(text, hidden=hidden)

"""A shown sentence that turns what it cites into its opposite is counted; one that only leaves something out is not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection import embedder, make_index
from rag_geo.evaluation.cases import Case
from rag_geo.evaluation.judging import must_be_zero
from rag_geo.evaluation.mutants import drop_negation
from rag_geo.evaluation.negations import negation_off
from rag_geo.evaluation.results import MUST_BE_ZERO
from rag_geo.index import Index
from rag_geo.records import Citation, Claim

DENIALS = (
    "The ferry does not run on Sundays.",
    "The ferry doesn’t run on Sundays.",
    "The ferry cannot turn at Norham.",
    "No ferry runs to Norham on Sundays.",
    "Tolls were never raised by Peter Vance, and they will not be raised this year.",
    "The bridge is no longer painted green.",
    "The town owns neither the bridge nor the ferry.",
)


@pytest.mark.parametrize("quote", DENIALS)
def test_a_quote_without_its_negation_is_noticed(quote):
    mutant = drop_negation(Claim(quote, "verified"), None)
    assert mutant.text != quote
    assert negation_off(mutant.text, [quote])
    assert negation_off(mutant.text, ["The museum keeps prints.", quote])
    assert not negation_off(quote, [quote])


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("The bridge is not open.", "The bridge is open."),
        ("No ferry runs on Sundays.", "Officials say that the ferry runs on Sundays."),
        ("The ferry runs without a crew.", "The ferry runs with a crew."),
        ("The ferry runs with a crew.", "The ferry runs without a crew."),
        ("The ferry can turn there.", "The ferry can't turn there."),
        ("The ferry is hardly full.", "The ferry is full."),
        ("He came.", "He never came."),
        ("He would.", "He would not."),
        ("Ferries run on Sundays.", "Officials say that no ferries run on Sundays."),
    ],
)
def test_a_negation_that_only_one_side_has_is_noticed(sentence, quote):
    assert negation_off(sentence, [quote])


@pytest.mark.parametrize(
    ("sentence", "quotes"),
    [
        # a clause was left out, with the negation in it
        ("The ferry is old.", ["The ferry, which does not run on Sundays, is old."]),
        ("Norham is a port.", ["Norham is a port, not a city."]),
        ("Norham is a port.", ["Norham is not a large city but a port."]),
        ("It is the port in the north.", ["It is not the biggest port but the oldest port in the north."]),
        ("The ferry runs on Sundays.", ["The bus does not, but the ferry runs on Sundays."]),
        # the same in other words
        ("The ferry cannot turn.", ["The ferry can't turn."]),
        ("The ferry is not running.", ["The ferry isn’t running."]),
        ("The bridge was shut.", ["The bridge was not open."]),
        # no negations
        ("It does not run.", ["No, it does not run."]),
        ("Pier 5 is open.", ["Pier No. 5 is open."]),
        # the documents disagree, and one of them says it
        ("The bridge is open.", ["The bridge is not open.", "The bridge is open."]),
        ("The bridge is open.", ["The bridge is open.", "The bridge is not open."]),
        # too little of it is in the evidence to tell
        ("The ferry is quite old and blue.", ["The ferry is not cheap."]),
        ("The ferry is old.", []),
        ("", ["The ferry is not cheap."]),
        ("Not so.", [""]),
    ],
)
def test_what_leaves_out_a_clause_or_says_the_same_is_no_negation_left_out(sentence, quotes):
    assert not negation_off(sentence, quotes)


def test_a_sentence_made_of_two_quotes_is_compared_with_both_together():
    quotes = ["The ferry carries 48 cars", "and it never runs on Sundays."]
    assert negation_off("The ferry carries 48 cars and it runs on Sundays.", quotes)
    assert not negation_off("The ferry carries 48 cars and it never runs on Sundays.", quotes)


WORDS = ("the", "ferry", "not", "never", "runs", "no,", "can’t", "without", "no longer", "5")


@given(st.lists(st.sampled_from(WORDS)), st.text())
def test_a_quote_is_never_turned_by_itself(words, other):
    sentence = " ".join(words)
    assert not negation_off(sentence, [sentence])
    assert not negation_off(other, [other])
    assert not negation_off(sentence, [other, sentence])


def test_it_is_among_the_counts_that_must_be_zero(tmp_path):
    path = make_index(tmp_path)
    index = Index.open(path, embedder())
    quote = "Tolls were never raised by Peter Vance."
    document = index.document("bridge.md")
    start = document.text.index(quote)
    number = next(p.number for p in document.paragraphs if p.start <= start < p.end)
    claim = Claim(quote, "verified", citations=(Citation("bridge.md", number, start, start + len(quote), quote),))
    case = Case("1", "Who raised tolls?")
    assert must_be_zero([claim], case, index)["negations_off"] == 0
    turned = replace(claim, text="Tolls were raised by Peter Vance.")
    assert must_be_zero([turned, claim, turned], case, index)["negations_off"] == 2


def test_the_counts_are_those_that_are_described():
    described = (Path(__file__).parents[1] / "evals" / "README.md").read_text(encoding="utf-8")
    _, table = described.split("| count | what is counted |\n|---|---|\n")
    assert tuple(re.findall(r"^\| `(\w+)` \|", table.split("\n\n")[0], re.MULTILINE)) == MUST_BE_ZERO

"""What an answer is worth, and that the counts which must be 0 notice what was let through."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answers import ANSWERED
from rag_geo.errors import UsageError
from rag_geo.evaluation.cases import Case, Gold
from rag_geo.evaluation.judging import (
    Place,
    answer_scores,
    confidence,
    ordinary_words,
    places,
    retrieval_scores,
    texts_of,
    unsupported_names,
    unsupported_numbers,
)
from rag_geo.index import Index, update_index
from rag_geo.records import Answer, Citation, Claim, Hit, Span
from rag_geo.testing import HashEmbedder

BRIDGE = """---
title: Harbour Notes
author: Lena Ortiz
---

# The Calder Bridge

The Calder Bridge opened in 1932. It was shut for two
years after the flood of 1957.

The ferry to Norham carries 1,400 cars.
"""
MUSEUM = "The Marlow Museum keeps 14,000 prints.\n\nAda Finch has been its director since 1998.\n"


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documents")
    (folder / "bridge.md").write_text(BRIDGE)
    (folder / "museum.txt").write_text(MUSEUM)
    path = tmp_path_factory.mktemp("index")
    update_index(folder, path, HashEmbedder())
    return Index.open(path, HashEmbedder())


def cite(index, file: str, quote: str) -> Citation:
    start = index.document(file).text.index(quote)
    [place] = places(Case("1", "Q?", gold=(Gold(file, quote),)), index)
    return Citation(file, place.paragraph, start, start + len(quote), quote)


def shown(text: str, *citations: Citation, p: float = 0.9) -> Claim:
    return Claim(text, "verified", citations=citations, probability=p)


def withheld(text: str, p: float | None = None) -> Claim:
    return Claim(text, "withheld", "because", "model" if p else "name", probability=p)


def answer(*claims: Claim) -> Answer:
    text = " ".join(claim.text for claim in claims if claim.status == "verified")
    return replace(ANSWERED, answer=text, claims=claims, status="answered" if text else "not_found")


OPENED = "The Calder Bridge opened in 1932."
CASE = Case("1", "When did the Calder Bridge open?", "date", gold=(Gold("bridge.md", OPENED),), must=("1932",))
NOT_THERE = Case("2", "Who built it?", "near-miss", answerable=False)


def judged(index, case, *claims):
    return answer_scores(answer(*claims), case, places(case, index), index)


def test_gold_is_found_whatever_the_line_breaks(index):
    case = replace(CASE, gold=(Gold("bridge.md", "It was shut for two years after the flood of 1957."),))
    [place] = places(case, index)
    text = index.document("bridge.md").text
    assert "two\nyears" in text[place.start : place.end]
    assert place.paragraph == places(CASE, index)[0].paragraph


def test_gold_that_is_not_there_is_a_fault_of_ours_but_not_of_other_collections(index):
    with pytest.raises(UsageError, match="'1': the index has no 'Nothing'"):
        places(replace(CASE, gold=(Gold("bridge.md", "Nothing"),)), index)
    other = replace(CASE, gold=(Gold("bridge.md", "Nothing"),), gold_docs=("bridge.md", "gone.md"))
    assert places(other, index) == (Place("bridge.md", 0),)


def hit(file: str, paragraph: int) -> Hit:
    return Hit(file, paragraph, 0, 1, 1.0, 1.0, 1.0, 1.0, "", "", Span(0, 1), ())


def test_rankings_are_of_paragraphs(index):
    [place] = places(CASE, index)
    ranked = [hit("museum.txt", 1), hit("bridge.md", place.paragraph), hit("museum.txt", 2)]
    scores = retrieval_scores(ranked, [place], CASE)
    assert scores == {"recall@1": 0, "recall@3": 1, "recall@5": 1, "mrr": 0.5, "ndcg@10": pytest.approx(0.6309298)}
    assert set(retrieval_scores(ranked, [place], NOT_THERE).values()) == {None}


def test_rankings_are_of_files_where_only_these_are_known():
    ranked = [hit("a", 1), hit("a", 2), hit("copy of b", 1)]
    scores = retrieval_scores(ranked, [Place("b", 0), Place("copy of b", 0)], CASE)
    assert (scores["recall@1"], scores["recall@3"], scores["mrr"]) == (0, 1, 0.5)


def test_a_right_answer_with_its_evidence(index):
    scores = judged(index, CASE, shown(OPENED, cite(index, "bridge.md", OPENED)))
    good = ("answered", "correct", "correct_and_cited", "right_if_shown", "citation_precision", "citation_recall")
    bad = ("wrong_answer", "false_refusal", "uncited_sentences", "unsupported_numbers", "unsupported_names", "withheld")
    assert {scores[name] for name in good} == {1.0}
    assert {scores[name] for name in bad} == {0.0}
    assert "false_answer" not in scores
    assert scores["total_s"] == ANSWERED.timings.total_s


def test_a_right_answer_on_other_evidence_is_not_fully_cited(index):
    other = cite(index, "museum.txt", "Ada Finch has been its director since 1998.")
    scores = judged(index, CASE, shown(OPENED, other))
    assert (scores["correct"], scores["correct_and_cited"]) == (1, 0)
    assert (scores["citation_precision"], scores["citation_recall"]) == (0, 0)
    assert scores["unsupported_numbers"] == 1, "1932 is not in the cited paragraph"


def test_citations_count_by_paragraph_and_by_sentence(index):
    neighbour = cite(index, "bridge.md", "It was shut for two\nyears after the flood of 1957.")
    other = cite(index, "museum.txt", "The Marlow Museum keeps 14,000 prints.")
    scores = judged(index, CASE, shown(OPENED, neighbour, other))
    assert (scores["citation_precision"], scores["citation_recall"]) == (0.5, 1)
    assert (scores["citation_precision_sentences"], scores["citation_recall_sentences"]) == (0, 0)


def test_a_wrong_answer_and_a_refusal(index):
    wrong = judged(index, CASE, shown("It opened in 1957.", cite(index, "bridge.md", OPENED)))
    assert (wrong["correct"], wrong["wrong_answer"], wrong["false_refusal"], wrong["right_if_shown"]) == (0, 1, 0, 0)
    refused = judged(index, CASE, withheld(OPENED, 0.4), withheld("No."))
    assert (refused["correct"], refused["wrong_answer"], refused["false_refusal"]) == (0, 0, 1)
    assert (refused["right_if_shown"], refused["withheld"]) == (1, 1)
    assert refused["citation_precision"] is refused["uncited_sentences"] is None
    silent = judged(index, CASE)
    assert silent["false_refusal"] == 1
    assert silent["right_if_shown"] is silent["withheld"] is None


def test_an_answer_to_what_cannot_be_answered(index):
    said = judged(index, NOT_THERE, shown(OPENED, cite(index, "bridge.md", OPENED)))
    assert said["false_answer"] == 1
    assert "correct" not in said
    assert said["citation_precision"] is None
    assert judged(index, NOT_THERE)["false_answer"] == 0
    corrects = replace(NOT_THERE, must=("1932",))
    assert judged(index, corrects, shown(OPENED, cite(index, "bridge.md", OPENED)))["false_answer"] == 0


def test_the_confidence_is_that_of_the_best_sentence():
    assert confidence(answer(shown("A.", p=0.7), withheld("B.", 0.8))) == 0.8
    assert confidence(answer(withheld("B."))) == confidence(answer()) == 0.0


@pytest.mark.parametrize(
    ("text", "metric"),
    [
        ("The Calder Bridge opened in 1933.", "unsupported_numbers"),
        ("The Calder Bridge was opened by Tomas in 1932.", "unsupported_names"),
        ("Reyes opened the Calder Bridge.", "unsupported_names"),
    ],
)
def test_what_the_cited_paragraph_does_not_have_is_counted(index, text, metric):
    scores = judged(index, CASE, shown(text, cite(index, "bridge.md", OPENED)))
    assert scores[metric] == 1


def test_broken_citations_are_counted(index):
    good = cite(index, "bridge.md", OPENED)
    assert judged(index, CASE, shown(OPENED))["uncited_sentences"] == 1
    assert judged(index, CASE, shown(OPENED, replace(good, start=good.start + 1)))["quotes_off"] == 1
    assert judged(index, CASE, shown(OPENED, replace(good, paragraph=1)))["quotes_off"] == 1
    assert judged(index, CASE, shown(OPENED, good))["quotes_off"] == 0


@pytest.mark.parametrize(
    ("sentence", "texts", "missing"),
    [
        ("It has 1,400 cars.", ["It has 1400 cars."], []),
        ("It has 1400 cars.", ["It has 1,400 cars."], []),
        ("It grew by 2.50 %.", ["It grew by 2.5 %."], []),
        ("It has 2 halls.", ["It has two halls."], []),
        ("It has 140 cars.", ["It has 1,400 cars."], ["140"]),
        ("It was in 1932 and 1933.", ["In 1932."], ["1933"]),
        ("It grew by 2.5 %.", ["It grew by 25 %."], ["2.5"]),
        ("It grew by 1,4 %.", ["It grew by 14 %."], ["1,4"]),
    ],
)
def test_numbers_are_looked_up_by_their_value(sentence, texts, missing):
    assert unsupported_numbers(sentence, texts) == missing


@pytest.mark.parametrize(
    ("sentence", "texts", "missing"),
    [
        ("The Calder Bridge opened.", ["calder bridge"], []),
        ("Russian troops met the Chinese.", ["Troops of Russia and China met."], []),
        ("The US and the EU agreed.", ["The United States and the European Union agreed."], []),
        ("According to Hawn’s article it rained.", ["Hawn"], []),
        ("Prints are kept.", ["the prints"], []),
        ("However, I saw Paris.", ["It rained."], ["Paris"]),
        ("Paris it was.", ["It rained."], ["Paris"]),
        ("“Paris” it was, in Norham.", ["It rained."], ["Paris", "Norham"]),
        ("The NATO summit met.", ["The summit met."], ["NATO"]),
    ],
)
def test_names_are_looked_up_in_any_form(sentence, texts, missing):
    assert unsupported_names(sentence, texts) == missing


def test_a_word_that_the_collection_writes_small_may_open_a_sentence(index):
    assert unsupported_names("Prints burn.", ["It rained."], ordinary_words(index)) == []
    assert unsupported_names("They are Prints.", ["It rained."], ordinary_words(index)) == ["Prints"]


@given(st.text(), st.text())
def test_any_text_supports_itself(text, other):
    assert unsupported_numbers(text, [other, text]) == unsupported_names(text, [other, text]) == []


def test_the_texts_of_what_is_cited_and_of_what_is_gold(index):
    [place] = places(CASE, index)
    said = answer(shown("Ada.", cite(index, "museum.txt", "Ada Finch has been its director since 1998.")))
    found = texts_of(said, [place, Place("museum.txt", 0)], index)
    assert found["museum.txt#2"] == "Ada Finch has been its director since 1998."
    assert found[f"bridge.md#{place.paragraph}"].startswith(OPENED)
    assert found["museum.txt#0"] == MUSEUM

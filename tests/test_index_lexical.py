import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.index.lexical import K1, UNKNOWN, B, build_lexical, terms

TEXTS = ["Russia sold gas and more gas", "China bought gas, oil and coal", "", "Nothing was left", "oil oil oil"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The prices of pipelines", ["price", "pipelin"]),
        ("Chinese and Russians", ["china", "russia"]),
        ("the U.S. told us that US", ["united-states", "tell", "united-states"]),
        ("1,500 men, 5.7 billion", ["1500", "man", "5.7", "billion"]),
        ("Überfälle naïve", ["uberfall", "naiv"]),
        ("中国的天然气", list("中国的天然气")),
        ("2nd covid19 G7", ["2nd", "covid19", "g7"]),
        ("… ?! —", []),
        ("what is it", []),
    ],
)
def test_words_are_matched_without_form_and_case(text, expected):
    assert terms([text]) == [expected]


@given(st.lists(st.text(), max_size=4))
def test_any_text_has_terms(texts):
    assert len(terms(texts)) == len(texts)


@pytest.mark.parametrize("query", ["gas", "oil from China", "gas coal", "nothing"])
def test_scores_are_those_of_bm25s(query):
    lexical = build_lexical(TEXTS, TEXTS)
    reference = bm25s.BM25(k1=K1, b=B, method="lucene")
    reference.index(terms(TEXTS), create_empty_token=False, show_progress=False)
    expected = reference.get_scores([term for term in terms([query])[0] if term in lexical.vocabulary])
    for scores in (lexical.paragraphs, lexical.documents):
        np.testing.assert_allclose(scores.of(lexical.columns(query)), expected, rtol=1e-6)


def test_unknown_words_count_for_nothing_but_are_known_to_be_missing():
    lexical = build_lexical(TEXTS, TEXTS)
    assert lexical.columns("zeppelin gas zeppelin") == [UNKNOWN, lexical.vocabulary["gas"]]
    assert not lexical.paragraphs.of([UNKNOWN]).any()
    assert lexical.paragraphs.weight([UNKNOWN]) > lexical.paragraphs.weight([lexical.vocabulary["gas"]]) > 0
    assert lexical.paragraphs.weight([]) == 0


def test_a_text_never_reaches_the_weight_of_a_query():
    lexical = build_lexical(TEXTS, TEXTS)
    columns = lexical.columns("gas oil")
    assert lexical.paragraphs.of(columns).max() < lexical.paragraphs.weight(columns)


@pytest.mark.parametrize("texts", [[], [""], ["…", "?"]])
def test_texts_without_words_score_nothing(texts):
    lexical = build_lexical(texts, texts)
    assert lexical.vocabulary == {}
    assert lexical.paragraphs.of(lexical.columns("gas")).tolist() == [0] * len(texts)

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.index.lexical import K1, B, Field, chosen, count_terms, joined
from rag_geo.text.words import terms

TEXTS = ["Russia sold gas and more gas", "China bought gas, oil and coal", "", "Nothing was left", "oil oil oil"]
WORDS = st.lists(st.lists(st.sampled_from(["gas", "oil", "coal", "mill"]), max_size=6), max_size=6)


def field(texts) -> Field:
    counted = count_terms(texts)
    return Field([counted], [np.arange(len(texts))], len(texts))


def same(one, other) -> bool:
    arrays = ("starts", "rows", "counts", "lengths")
    return one.vocabulary == other.vocabulary and all(
        getattr(one, name).tolist() == getattr(other, name).tolist() for name in arrays
    )


@pytest.mark.parametrize("query", ["gas", "oil from China", "gas coal", "nothing"])
def test_scores_are_those_of_bm25s(query):
    counted = terms(TEXTS)
    known = {term for text in counted for term in text}
    reference = bm25s.BM25(k1=K1, b=B, method="lucene")
    reference.index(counted, create_empty_token=False, show_progress=False)
    asked = [term for term in terms([query])[0] if term in known]
    np.testing.assert_allclose(field(counted).of(asked), reference.get_scores(asked), rtol=1e-6)


def test_a_document_scores_as_its_paragraphs_and_its_title_together():
    paragraphs, titles = [["gas", "oil"], ["gas"], ["coal"]], [["mill"], ["oil"]]
    parts = Field([count_terms(paragraphs), count_terms(titles)], [np.array([0, 0, 1]), np.arange(2)], 2)
    whole = field([["gas", "oil", "gas", "mill"], ["coal", "oil"]])
    for query in (["gas"], ["oil", "mill"], ["coal", "gas"]):
        assert parts.of(query).tolist() == whole.of(query).tolist()
        assert parts.weight(query) == whole.weight(query)


def test_unknown_words_count_for_nothing_but_are_known_to_be_missing():
    texts = field(terms(TEXTS))
    assert not texts.of(["zeppelin"]).any()
    assert texts.weight(["zeppelin"]) > texts.weight(["gas"]) > 0
    assert texts.weight([]) == 0


def test_a_text_never_reaches_the_weight_of_a_query():
    texts = field(terms(TEXTS))
    assert texts.of(["gas", "oil"]).max() < texts.weight(["gas", "oil"])


@pytest.mark.parametrize("texts", [[], [[]], [[], []]])
def test_texts_without_words_score_nothing(texts):
    assert count_terms(texts).vocabulary == ()
    assert field(texts).of(["gas"]).tolist() == [0] * len(texts)


@given(WORDS, st.data())
def test_counts_of_some_texts_are_those_of_counting_them_alone(texts, data):
    keep = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    alone = count_terms([text for text, stays in zip(texts, keep, strict=True) if stays])
    assert same(chosen(count_terms(texts), np.array(keep, bool)), alone)


@given(st.lists(WORDS, min_size=1, max_size=4))
def test_counts_put_together_are_those_of_counting_all_at_once(parts):
    assert same(joined([count_terms(part) for part in parts]), count_terms([text for part in parts for text in part]))

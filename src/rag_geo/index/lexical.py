"""Matching words: BM25 over paragraphs and over whole documents, on one vocabulary.

bm25s computes the scores of every term in every text once, when the index is built (Lù, BM25S, arXiv:2407.03618); a
query then only adds up columns, which takes NumPy and no library.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from math import log1p

import numpy as np
from numpy.typing import NDArray

from rag_geo.text.facts import fold_name

VERSION = 3
"""Raised when the same text gives other terms or other scores than before."""

K1 = 1.5
B = 0.75

UNKNOWN = -1
"""The column of a term that is not in the vocabulary."""

_FUNCTION_WORDS = """
a about above after again against all also am an and any are as at be because been before being below between both but
by can could did do does doing down during each few for from further had has have having he her here hers him his how
i if in into is it its itself just me more most my no nor not now of off on once only or other our ours out over own s
same she should so some such t than that the their theirs them themselves then there these they this those through to
too under until up us very was we were what when where which while who whom whose why will with would you your yours
"""
_STOP_WORDS = frozenset(_FUNCTION_WORDS.split())
# Numbers with their separators; single characters of scripts without spaces; words of any other script.
_TERM = re.compile(
    r"\d+(?:[.,]\d+)*(?![^\W\d_])|[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+"
)
_DOTTED = re.compile(r"\b(?:[A-Z]\.){2,}")

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


def terms(texts: Sequence[str]) -> list[list[str]]:
    """The words of each text as they are matched: without stop words, accents, case and inflection.

    A demonym is its country ("Chinese" is "China"). "U.S." is "US", which is no stop word when written in capitals.
    """
    return [[fold_name(word) for word in _words(text)] for text in texts]


def _words(text: str) -> list[str]:
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    found = _TERM.findall(_DOTTED.sub(lambda match: match[0].replace(".", ""), text))
    lower = (word.replace(",", "").casefold() for word in found)
    return [
        low
        for word, low in zip(found, lower, strict=True)
        if low not in _STOP_WORDS or (len(word) > 1 and word.isupper())
    ]


@dataclass(frozen=True, slots=True)
class Scores:
    """BM25 of every term in every text, by column.

    Term t scores ``data[i]`` in text ``rows[i]`` for i in ``[starts[t], starts[t + 1])``: float32[nonzero],
    int32[nonzero], int64[terms + 1]. `size` is the number of texts.
    """

    data: Floats
    rows: Ints
    starts: NDArray[np.int64]
    size: int

    def of(self, columns: Sequence[int]) -> Floats:
        """The score of each text for a query of these terms (see `Lexical.columns`): float32[size]."""
        total = np.zeros(self.size, np.float32)
        for column in columns:
            if column == UNKNOWN:
                continue
            part = slice(self.starts[column], self.starts[column + 1])
            total[self.rows[part]] += self.data[part]
        return total

    def weight(self, columns: Sequence[int]) -> float:
        """What a text would score that said every term without end: the sum of the terms' rarities (BM25's idf).

        A term that is in no text is as rare as one that is in one.
        """
        counts = [0 if column == UNKNOWN else self.starts[column + 1] - self.starts[column] for column in columns]
        return sum(log1p((self.size - n + 0.5) / (n + 0.5)) for n in (max(int(count), 1) for count in counts))


@dataclass(frozen=True, slots=True)
class Lexical:
    """The vocabulary, sorted, and the scores over `paragraphs` (rows of the index) and `documents`."""

    vocabulary: dict[str, int]
    paragraphs: Scores
    documents: Scores

    def columns(self, query: str) -> list[int]:
        """The terms of a query, `UNKNOWN` for each that no text has; a term said twice counts once."""
        return [self.vocabulary.get(term, UNKNOWN) for term in dict.fromkeys(terms([query])[0])]


def build_lexical(paragraphs: Sequence[str], documents: Sequence[str]) -> Lexical:
    """Count and score the visible texts of all paragraphs and of all documents."""
    paragraph_terms, document_terms = terms(paragraphs), terms(documents)
    words = sorted(set(chain.from_iterable(chain(paragraph_terms, document_terms))))
    vocabulary = {word: number for number, word in enumerate(words)}
    return Lexical(vocabulary, _score(paragraph_terms, vocabulary), _score(document_terms, vocabulary))


def _score(texts: Iterable[list[str]], vocabulary: dict[str, int]) -> Scores:
    ids = [[vocabulary[term] for term in text] for text in texts]
    if not any(ids):
        nothing = np.zeros(0, np.float32), np.zeros(0, np.int32), np.zeros(len(vocabulary) + 1, np.int64)
        return Scores(*nothing, size=len(ids))
    import bm25s

    model = bm25s.BM25(k1=K1, b=B, method="lucene")
    model.index((ids, vocabulary), create_empty_token=False, show_progress=False)
    found = model.scores
    return Scores(
        np.asarray(found["data"], np.float32),
        np.asarray(found["indices"], np.int32),
        np.asarray(found["indptr"], np.int64),
        size=len(ids),
    )

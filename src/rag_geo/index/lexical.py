"""Matching words: BM25 over paragraphs and over whole documents, on one vocabulary.

bm25s computes the scores of every term in every text once, when the index is built (Lù, BM25S, arXiv:2407.03618); a
query then only adds up columns, which takes NumPy and no library.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from math import log1p

import numpy as np
from numpy.typing import NDArray

from rag_geo.text.words import terms

VERSION = 3
"""Raised when the same text gives other terms or other scores than before."""

K1 = 1.5
B = 0.75

UNKNOWN = -1
"""The column of a term that is not in the vocabulary."""

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


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

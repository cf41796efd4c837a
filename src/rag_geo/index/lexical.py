"""Matching words: BM25 over paragraphs and over whole documents, counted when asked.

What is stored is how often each term stands in each paragraph (and in the title of each document). Scores depend on the
whole collection, so they are made of the counts for each question: a few additions for each of its words. A change of
the collection then changes only the counts of what changed. The variant is that of Lucene, as in Kamphuis et al., Which
BM25 Do You Mean? (ECIR 2020): ``idf * tf / (tf + k1 * (1 - b + b * length / average))`` with ``idf = ln(1 + (N - n +
0.5) / (n + 0.5))``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log1p

import numpy as np
from numpy.typing import NDArray

VERSION = 4
"""Raised when the same text gives other terms or other counts than before."""

K1 = 1.5
B = 0.75

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Postings:
    """How often each term stands in each text.

    Term t, ``vocabulary[t]``, stands ``counts[i]`` times in text ``rows[i]`` for i in ``[starts[t], starts[t + 1])``:
    int32 arrays, `starts` int64[terms + 1]; `lengths` is int32[texts], the terms of each text. The vocabulary is
    sorted.
    """

    vocabulary: tuple[str, ...]
    starts: NDArray[np.int64]
    rows: Ints
    counts: Ints
    lengths: Ints


def count_terms(texts: Sequence[Sequence[str]]) -> Postings:
    """The postings of texts that are given as their terms."""
    vocabulary = tuple(sorted({term for text in texts for term in text}))
    numbers = {term: number for number, term in enumerate(vocabulary)}
    lengths = np.array([len(text) for text in texts], np.int32)
    terms = np.fromiter((numbers[term] for text in texts for term in text), np.int64, int(lengths.sum()))
    rows = np.repeat(np.arange(len(texts), dtype=np.int64), lengths)
    cells, counts = np.unique(terms * max(1, len(texts)) + rows, return_counts=True)
    return _sorted(vocabulary, *np.divmod(cells, max(1, len(texts))), counts, lengths)


def chosen(postings: Postings, keep: NDArray[np.bool_]) -> Postings:
    """The postings of some of the texts, numbered anew: `keep` is bool[texts]."""
    numbers = np.cumsum(keep) - 1
    terms = np.repeat(np.arange(len(postings.vocabulary)), np.diff(postings.starts))
    here = keep[postings.rows]
    used = np.zeros(len(postings.vocabulary), bool)
    used[terms[here]] = True
    vocabulary = tuple(term for term, stays in zip(postings.vocabulary, used.tolist(), strict=True) if stays)
    renamed = np.cumsum(used) - 1
    return _sorted(
        vocabulary, renamed[terms[here]], numbers[postings.rows[here]], postings.counts[here], postings.lengths[keep]
    )


def joined(parts: Sequence[Postings]) -> Postings:
    """The postings of the texts of all parts, one part after the other."""
    vocabulary = tuple(sorted({term for part in parts for term in part.vocabulary}))
    numbers = {term: number for number, term in enumerate(vocabulary)}
    terms, rows, first = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], 0
    for part in parts:
        renamed = np.array([numbers[term] for term in part.vocabulary], np.int64)
        terms.append(np.repeat(renamed, np.diff(part.starts)))
        rows.append(part.rows.astype(np.int64) + first)
        first += len(part.lengths)
    counts = np.concatenate([np.zeros(0, np.int32), *(part.counts for part in parts)])
    lengths = np.concatenate([np.zeros(0, np.int32), *(part.lengths for part in parts)])
    terms_, rows_ = np.concatenate(terms), np.concatenate(rows)
    order = np.lexsort((rows_, terms_))
    return _sorted(vocabulary, terms_[order], rows_[order], counts[order], lengths)


def _sorted(
    vocabulary: tuple[str, ...],
    terms: NDArray[np.int64],
    rows: NDArray[np.int64],
    counts: NDArray[np.integer],
    lengths: Ints,
) -> Postings:
    starts = np.searchsorted(terms, np.arange(len(vocabulary) + 1)).astype(np.int64)
    return Postings(vocabulary, starts, rows.astype(np.int32), counts.astype(np.int32), lengths.astype(np.int32))


class Field:
    """Texts whose words are searched: one or more parts of them, each with the numbers that its texts have here.

    `targets` has, for each part, int[texts of the part] into ``[0, size)``; several texts may be one here, as the
    paragraphs of a document are.
    """

    def __init__(self, parts: Sequence[Postings], targets: Sequence[NDArray[np.integer]], size: int) -> None:
        self.size = size
        self._parts = tuple(zip(parts, targets, strict=True))

    @cached_property
    def _numbers(self) -> list[dict[str, int]]:
        return [{term: number for number, term in enumerate(part.vocabulary)} for part, _ in self._parts]

    @cached_property
    def _norms(self) -> Floats:
        """The part of the formula that depends on the length of a text alone: float32[size]."""
        lengths = np.zeros(self.size, np.float64)
        for part, target in self._parts:
            lengths += np.bincount(target, part.lengths, self.size)
        average = lengths.mean() if self.size else 0.0
        return np.asarray(K1 * (1 - B + B * lengths / (average or 1.0)), np.float32)

    def counts(self, term: str) -> tuple[Ints, Floats]:
        """The texts that have a term, in order, and how often: int32[n], float32[n]."""
        found = [np.zeros(0, np.int64)]
        often = [np.zeros(0, np.int64)]
        for (part, target), numbers in zip(self._parts, self._numbers, strict=True):
            number = numbers.get(term)
            if number is not None:
                here = slice(part.starts[number], part.starts[number + 1])
                found.append(target[part.rows[here]].astype(np.int64))
                often.append(part.counts[here].astype(np.int64))
        texts, places = np.unique(np.concatenate(found), return_inverse=True)
        sums = np.bincount(places, np.concatenate(often), len(texts))
        return texts.astype(np.int32), sums.astype(np.float32)

    def of(self, terms: Sequence[str]) -> Floats:
        """The score of each text for a query of these terms: float32[size]."""
        total = np.zeros(self.size, np.float32)
        for term in terms:
            texts, counts = self.counts(term)
            if len(texts):
                total[texts] += np.float32(self._rarity(len(texts))) * counts / (counts + self._norms[texts])
        return total

    def weight(self, terms: Sequence[str]) -> float:
        """What a text would score that said every term without end: the sum of the terms' rarities (BM25's idf).

        A term that is in no text is as rare as one that is in one.
        """
        return sum(self._rarity(max(1, len(self.counts(term)[0]))) for term in terms)

    def _rarity(self, texts: int) -> float:
        return log1p((self.size - texts + 0.5) / (texts + 0.5))


@dataclass(frozen=True, slots=True)
class Lexical:
    """The words of the `paragraphs` (rows of the index) and of the `documents` (its contents, with their titles)."""

    paragraphs: Field
    documents: Field
    vocabulary: frozenset[str]

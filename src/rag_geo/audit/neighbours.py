"""Which windows of an index are near each other, and the sentences in them with what stands before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag_geo.audit.conflicts import Statement
from rag_geo.embedding import Vectors
from rag_geo.index.store import Index
from rag_geo.records import Citation, Sentence

NEAREST = 10
"""Windows of other paragraphs that each window is held against."""

_BATCH = 512
_OWN = 8
"""Windows of its own paragraph that may be nearer to a window than those of any other."""

_KEPT = 8192
"""Paragraphs whose sentences are kept."""

_BEFORE = 600
"""Characters before a sentence that are read with it."""

Progress = Callable[[str, int, int], None]


class Pairs(NamedTuple):
    """Pairs of windows of different paragraphs, each once, the smaller number first, in order; with their cosines."""

    one: NDArray[np.int64]
    other: NDArray[np.int64]
    similarity: NDArray[np.float32]


def near_windows(index: Index, windows: Sequence[int], least: float, progress: Progress) -> Pairs:
    """Give for each of `windows` the nearest ones of other paragraphs, as far as their cosine is `least` or more."""
    total = len(index.rows.window_paragraph)
    keys: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    cosines: list[NDArray[np.float32]] = [np.zeros(0, np.float32)]
    for at in range(0, len(windows), _BATCH):
        batch = np.asarray(windows[at : at + _BATCH], np.int64)
        others, values = _nearest(index, batch, least)
        rows, places = np.nonzero(others >= 0)
        found, mine = others[rows, places], batch[rows]
        keys.append(np.minimum(found, mine) * total + np.maximum(found, mine))
        cosines.append(values[rows, places])
        progress("comparing", min(at + _BATCH, len(windows)), len(windows))
    unique, first = np.unique(np.concatenate(keys), return_index=True)
    return Pairs(unique // max(1, total), unique % max(1, total), np.concatenate(cosines)[first])


def nearest_windows(index: Index, window: int, least: float) -> tuple[int, ...]:
    """Give the nearest windows of other paragraphs to one window, nearest first."""
    others, _ = _nearest(index, np.asarray([window], np.int64), least)
    return tuple(int(each) for each in others[0] if each >= 0)


def _nearest(index: Index, batch: NDArray[np.int64], least: float) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Give for each window of a batch up to `NEAREST` others, −1 where there are fewer, and the cosines."""
    paragraph_of = index.rows.window_paragraph
    wanted = min(len(paragraph_of), NEAREST + _OWN)
    values, others = index.faiss.search(vectors_of(index, batch), wanted)
    keep = (others >= 0) & (values >= least) & (paragraph_of[others] != paragraph_of[batch][:, None])
    keep &= np.cumsum(keep, axis=1) <= NEAREST
    return np.where(keep, others, -1), np.asarray(values, np.float32)


def vectors_of(index: Index, windows: NDArray[np.int64]) -> Vectors:
    """The vectors of some windows, in their order: float32[windows, dimension]."""
    first, last = int(windows[0]), int(windows[-1])
    if last - first + 1 == len(windows):
        return index.vectors(first, last + 1)
    return np.concatenate([index.vectors(each, each + 1) for each in windows.tolist()])


class Reader:
    """The sentences of an index as statements, each read once as long as it is likely to be asked for again.

    `ordinary` are words that are written in lower case somewhere in the documents; see `Statement`.
    """

    def __init__(self, index: Index, ordinary: frozenset[str]) -> None:
        self._index = index
        self._ordinary = ordinary
        self.statements = lru_cache(maxsize=_KEPT)(self._statements)

    def of_window(self, window: int) -> tuple[tuple[Sentence, Statement], ...]:
        """Give the sentences that a window has some of."""
        rows = self._index.rows
        start, end = int(rows.window_start[window]), int(rows.window_end[window])
        found = self.statements(int(rows.window_paragraph[window]))
        return tuple(each for each in found if each[0].start < end and start < each[0].end)

    def _statements(self, row: int) -> tuple[tuple[Sentence, Statement], ...]:
        """Give all sentences of a paragraph."""
        paragraph = self._index.paragraph(row)
        title = self._index.document(paragraph.file).title
        heading = ". ".join(part for part in paragraph.heading.split(" › ") if part != title)
        found = []
        before = ""
        for sentence in self._index.sentences(row):
            found.append((sentence, Statement(sentence.text, before, title, heading, self._ordinary)))
            before = f"{before} {sentence.text}".strip()[-_BEFORE:]
        return tuple(found)


def citation(index: Index, sentence: Sentence) -> Citation:
    """Give a sentence as the evidence of itself."""
    quote = index.document(sentence.file).text[sentence.start : sentence.end]
    where = sentence.file, sentence.paragraph, sentence.start, sentence.end
    return Citation(*where, quote, (), sentence.place, index.copies(sentence.file))

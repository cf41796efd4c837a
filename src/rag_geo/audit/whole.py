"""An audit of a whole index."""

from __future__ import annotations

from collections.abc import Iterator

from rag_geo.audit.conflicts import describe, difference, ordinary_words
from rag_geo.audit.findings import Audit, Contradiction, Textless
from rag_geo.audit.neighbours import Pairs, Progress, Reader, citation, near_windows
from rag_geo.audit.repeats import copies, repeated
from rag_geo.audit.unfound import Asked, unfound
from rag_geo.embedding import Embedder
from rag_geo.index.left_out import REASON as LEFT_OUT
from rag_geo.index.store import Index

SAMPLE = 1000
"""Paragraphs that questions are made from."""

LEAST_SIMILARITY = 0.5
"""The cosine from which the sentences of two windows are compared."""

_EVERY = 500


def audit(index: Index, embedder: Embedder, sample: int = SAMPLE, progress: Progress | None = None) -> Audit:
    """Look through all of `index`; `embedder` is the one that made it.

    `progress(stage, done, total)` is told how far it is, with the stages "asking" (paragraphs), "comparing" (windows)
    and "reading" (pairs of windows). `sample` is the most paragraphs that questions are made from.
    """
    progress = progress or _say_nothing
    asked = unfound(index, embedder, sample, progress) if len(index.rows.window_start) else Asked(0, ())
    pairs = near_windows(index, range(len(index.rows.window_start)), LEAST_SIMILARITY, progress)
    same = copies(index)
    return Audit(
        generation=index.generation,
        documents=len(index.documents),
        paragraphs=len(index.rows.paragraph_number),
        asked=asked.asked,
        unread=tuple(each for each in index.skipped if each.reason != LEFT_OUT),
        textless=tuple(_textless(index)),
        unfound=asked.unfound,
        copies=same,
        repeated=repeated(index, pairs, same),
        contradictions=tuple(_contradictions(index, pairs, progress)),
    )


def _say_nothing(stage: str, done: int, total: int) -> None:
    """Progress that nobody wants to see."""


def _textless(index: Index) -> Iterator[Textless]:
    for entry in index.documents:
        places = index.document(entry.file).textless
        if places:
            yield Textless(entry.file, places)


def _contradictions(index: Index, pairs: Pairs, progress: Progress) -> Iterator[Contradiction]:
    """Give the pairs of sentences in near windows that contradict each other, each pair once."""
    ordinary = ordinary_words(index.document(entry.file).text for entry in index.documents)
    reader = Reader(index, ordinary)
    paragraph_of = index.rows.window_paragraph
    total = len(pairs.one)
    here, seen = -1, set[tuple[int, str, int]]()
    for at, (one, other) in enumerate(zip(pairs.one.tolist(), pairs.other.tolist(), strict=True), start=1):
        if paragraph_of[one] != here:
            # The pairs are in the order of their first window: no sentence before this paragraph comes again.
            here, seen = int(paragraph_of[one]), set()
        for mine, stated in reader.of_window(one):
            for theirs, against in reader.of_window(other):
                key = (mine.start, theirs.file, theirs.start)
                found = difference(stated, against) if key not in seen else None
                seen.add(key)
                if found is not None:
                    yield Contradiction(found.kind, citation(index, mine), citation(index, theirs), describe(found))
        if at % _EVERY == 0 or at == total:
            progress("reading", at, total)

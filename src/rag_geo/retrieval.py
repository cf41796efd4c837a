"""Find the paragraphs for a question, and choose the sentences that the model is given.

Two stages, as names are matched best in whole documents and meaning in windows of two sentences: which documents, then
which paragraphs in them. In each, the word score (BM25) and the similarity of the best window are brought to the same
scale, 0 for the worst and 1 for the best candidate, and added with their weights (Bruch et al., An Analysis of Fusion
Functions for Hybrid Retrieval, arXiv:2210.11934: convex combination).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from rag_geo.embedding import Embedder, Vectors
from rag_geo.errors import UsageError
from rag_geo.index.store import Entry, Index
from rag_geo.records import Filters, Hit, Passage, Sentence, Span
from rag_geo.settings import RetrievalSettings

Floats = NDArray[np.float32]
Numbers = NDArray[np.intp]

_NO_FILTERS = Filters()
_FIRST_WINDOWS = 200
"""The fewest windows that the first stage asks FAISS for."""


def embed_query(embedder: Embedder, query: str) -> Vectors:
    """The vector of a query, float32[dimension]; what is longer than the embedder's limit is cut.

    Raises UsageError when there is nothing in it.
    """
    vectors = embedder.embed([_checked(query)])
    return np.asarray(vectors[0], np.float32)


def search(
    index: Index,
    query: str,
    vector: Vectors | None,
    settings: RetrievalSettings | None = None,
    filters: Filters = _NO_FILTERS,
) -> tuple[Hit, ...]:
    """The best paragraphs for `query`, best first; ties in the order of files and paragraphs.

    `vector` is the query's (see `embed_query`), float32[dimension]; None searches by words alone, and finds only
    paragraphs that have one of them. Raises UsageError for an empty query.
    """
    settings = settings or RetrievalSettings()
    columns = index.lexical.columns(_checked(query))
    documents = _best_documents(index, columns, vector, settings, _allowed(index, filters))
    found = _best_paragraphs(index, documents, columns, vector, settings)
    return tuple(_hit(index, paragraph) for paragraph in found)


def search_words(
    index: Index, query: str, settings: RetrievalSettings | None = None, filters: Filters = _NO_FILTERS
) -> tuple[Hit, ...]:
    """`search` by words alone: it needs no embedder."""
    return search(index, query, None, settings, filters)


@dataclass(frozen=True, slots=True)
class _Ranked:
    """A paragraph row with its scores, and the similarities of its windows (empty without a vector)."""

    row: int
    score: float
    lexical: float
    document_score: float
    windows: Floats


def _checked(query: str) -> str:
    if not query.strip():
        raise UsageError("the question is empty", hint='rag-geo ask "Who …?"')
    return query


def _allowed(index: Index, filters: Filters) -> NDArray[np.bool_]:
    """Which documents the filters let through: bool[documents]."""
    return np.array([not filters or _passes(entry, filters) for entry in index.documents], bool)


def _passes(entry: Entry, filters: Filters) -> bool:
    # ISO dates compare as strings as far as both go: 2021 is neither before 2021-06 nor after it. A document without
    # a date passes no condition on the date.
    date, after, before = entry.date, filters.after, filters.before
    if (after or before) and not date:
        return False
    if after and date[: len(after)] < after[: len(date)]:
        return False
    if before and date[: len(before)] > before[: len(date)]:
        return False
    if filters.author and filters.author.casefold() not in entry.author.casefold():
        return False
    return not filters.file or fnmatchcase(entry.file, filters.file)


def _best_documents(
    index: Index,
    columns: Sequence[int],
    vector: Vectors | None,
    settings: RetrievalSettings,
    allowed: NDArray[np.bool_],
) -> list[tuple[int, float, Floats]]:
    """The first stage: (document, fused score, similarities of its windows), best first."""
    lexical = np.where(allowed, index.lexical.documents.of(columns), 0)
    by_words = [int(d) for d in np.argsort(-lexical, kind="stable")[: settings.documents] if lexical[d] > 0]
    by_meaning = _nearest_documents(index, vector, settings.documents, allowed) if vector is not None else []
    candidates = sorted({*by_words, *by_meaning})
    similarities = [_similarities(index, document, vector) for document in candidates]
    nearest = np.array([part.max(initial=-1) for part in similarities], np.float32)
    fused = _fuse(nearest if vector is not None else None, lexical[candidates], settings)
    order = np.argsort(-fused, kind="stable")[: settings.documents]
    return [(candidates[i], float(fused[i]), similarities[i]) for i in order]


def _nearest_documents(index: Index, vector: Vectors, count: int, allowed: NDArray[np.bool_]) -> list[int]:
    """The documents of the nearest windows."""
    document_of = index.rows.paragraph_document[index.rows.window_paragraph]
    if not len(document_of):
        return []
    import faiss

    rows = np.flatnonzero(allowed[document_of]) if not allowed.all() else None
    wanted = min(len(document_of) if rows is None else len(rows), max(_FIRST_WINDOWS, 10 * count))
    if not wanted:
        return []
    only = None if rows is None else faiss.SearchParameters(sel=faiss.IDSelectorBatch(rows))  # type: ignore[call-arg]
    _, found = index.faiss.search(vector[None], wanted, params=only)
    return list(dict.fromkeys(document_of[found[0][found[0] >= 0]].tolist()))[:count]


def _similarities(index: Index, document: int, vector: Vectors | None) -> Floats:
    """The cosine of each window of a document: float32[windows], empty without a vector."""
    start, stop = index.paragraph_windows[index.document_paragraphs[document : document + 2]]
    if vector is None or start == stop:
        return np.zeros(0, np.float32)
    return np.asarray(index.vectors(int(start), int(stop)) @ vector, np.float32)


def _best_paragraphs(
    index: Index,
    documents: Sequence[tuple[int, float, Floats]],
    columns: Sequence[int],
    vector: Vectors | None,
    settings: RetrievalSettings,
) -> list[_Ranked]:
    """The second stage: the paragraphs of the documents, best first."""
    lexical = index.lexical.paragraphs.of(columns)
    found: list[_Ranked] = []
    for document, document_score, similarities in documents:
        first, last = index.document_paragraphs[document : document + 2]
        start = index.paragraph_windows[first]
        for row in range(first, last):
            own = similarities[index.paragraph_windows[row] - start : index.paragraph_windows[row + 1] - start]
            if vector is not None or lexical[row] > 0:
                found.append(_Ranked(row, 0.0, float(lexical[row]), document_score, own))
    nearest = np.array([one.windows.max() for one in found], np.float32) if vector is not None else None
    fused = _fuse(nearest, np.array([one.lexical for one in found], np.float32), settings)
    fused += np.float32(settings.document_weight) * np.array([one.document_score for one in found], np.float32)
    order = sorted(range(len(found)), key=lambda i: (-fused[i], found[i].row))[: settings.paragraphs]
    return [
        _Ranked(found[i].row, float(fused[i]), found[i].lexical, found[i].document_score, found[i].windows)
        for i in order
    ]


def _fuse(nearest: Floats | None, lexical: Floats, settings: RetrievalSettings) -> Floats:
    """The weighted sum of both scores, each on a scale of 0 to 1 over the candidates."""
    words = np.float32(settings.lexical_weight) * _scaled(lexical)
    if nearest is None:
        return words
    return np.asarray(np.float32(settings.dense_weight) * _scaled(nearest) + words, np.float32)


def _scaled(scores: Floats) -> Floats:
    """0 for the least, 1 for the greatest; all 0 when there is no difference."""
    if not len(scores):
        return scores
    low, high = scores.min(), scores.max()
    return (scores - low) / (high - low) if high > low else np.zeros_like(scores)


def _hit(index: Index, found: _Ranked) -> Hit:
    entry = index.documents[index.rows.paragraph_document[found.row]]
    paragraph = index.paragraph(found.row)
    sentences = index.sentences(found.row)
    window = index.paragraph_windows[found.row] + (int(found.windows.argmax()) if len(found.windows) else 0)
    return Hit(
        file=entry.file,
        paragraph=paragraph.number,
        start=paragraph.start,
        end=paragraph.end,
        score=found.score,
        similarity=float(found.windows.max()) if len(found.windows) else 0.0,
        lexical=found.lexical,
        document_score=found.document_score,
        heading=paragraph.heading,
        title=entry.title,
        window=Span(int(index.rows.window_start[window]), int(index.rows.window_end[window])),
        sentences=sentences,
    )


def choose_context(
    hits: Sequence[Hit], question: str, count_tokens: Callable[[str], int], budget: int
) -> tuple[Passage, ...]:
    """Whole sentences of the best paragraphs."""
    passages: list[Passage] = []
    for hit in hits:
        taken: list[Sentence] = []
        for sentence in hit.sentences:
            cost = count_tokens(sentence.text)
            if cost > budget:
                break
            budget -= cost
            taken.append(sentence)
        if taken:
            passages.append(Passage(hit.file, hit.paragraph, hit.title, hit.heading, tuple(taken)))
    return tuple(passages)

"""Find the paragraphs for a question, and choose the sentences that the model is given.

Two stages, as names are matched best in whole documents and meaning in windows of two sentences: which documents, then
which paragraphs in them. In each, the word score (BM25) and the similarity of the best window are brought to the same
scale, 0 for the worst and 1 for the best candidate, and added with their weights (Bruch et al., An Analysis of Fusion
Functions for Hybrid Retrieval, arXiv:2210.11934: convex combination). The words count for less the fewer of the
question's words even the best candidate has: who asks in other words than the text is found by meaning.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import compress, zip_longest

import numpy as np
from numpy.typing import NDArray

from rag_geo.embedding import ENGLISH_ONLY, Embedder, Vectors
from rag_geo.errors import UsageError
from rag_geo.filtering import passing
from rag_geo.index.store import Index
from rag_geo.prompts import passage_origin
from rag_geo.records import Filters, Hit, Passage, Sentence, Span
from rag_geo.settings import RetrievalSettings
from rag_geo.text.languages import language_of
from rag_geo.text.orders import is_order
from rag_geo.text.words import terms

Floats = NDArray[np.float32]
Numbers = NDArray[np.intp]

_NO_FILTERS = Filters()
_FIRST_WINDOWS = 200
"""The fewest windows that the first stage asks FAISS for."""

_REFERS_BACK = re.compile(
    r"\W*(he|she|it|they|his|her|its|their|this|these|those|that|such|both|but|however|instead|the (latter|former))\b",
    re.IGNORECASE,
)


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
    paragraphs that have one of them. Raises UsageError for an empty query, and for filters that leave no document.
    """
    settings = _for_language(settings or RetrievalSettings(), index, query)
    words = index.query_terms(_checked(query))
    passed = passing(index.documents, filters) if filters else [True] * len(index.documents)
    documents = _best_documents(index, words, vector, settings, _allowed(index, passed))
    found = _best_paragraphs(index, documents, words, vector, settings)
    return tuple(_hit(index, paragraph, passed) for paragraph in found)


def _for_language(settings: RetrievalSettings, index: Index, query: str) -> RetrievalSettings:
    """The same, or words alone for a question in a language that the index has and its embedder was not made for.

    For German to Arabic questions the English embedder takes 2 to 22 of 100 right paragraphs from the first five
    (docs/languages.md).
    """
    language = language_of(query)
    english = index.manifest.embedder.partition("@")[0] in ENGLISH_ONLY
    if not english or language in ("", "en") or language not in index.languages or not settings.lexical_weight:
        return settings
    return replace(settings, dense_weight=0.0, document_dense_weight=0.0)


@dataclass(frozen=True, slots=True)
class _Found:
    """A document or the row of a paragraph, with its scores and the cosines of its windows (empty without a vector)."""

    number: int
    score: float
    windows: Floats
    lexical: float = 0.0
    document_score: float = 0.0


def _checked(query: str) -> str:
    if not query.strip():
        raise UsageError("the question is empty", hint='rag-geo ask "Who …?"')
    return query


def _allowed(index: Index, passed: Sequence[bool]) -> NDArray[np.bool_]:
    """Which contents have a name that the filters let through: bool[contents]."""
    allowed = np.zeros(len(index.names), bool)
    allowed[[content for content, passes in zip(index.contents, passed, strict=True) if passes]] = True
    return allowed


def _best_documents(
    index: Index,
    words: Sequence[str],
    vector: Vectors | None,
    settings: RetrievalSettings,
    allowed: NDArray[np.bool_],
) -> list[_Found]:
    """The first stage: which documents, best first."""
    lexical = np.where(allowed, index.lexical.documents.of(words), 0)
    by_words = [int(d) for d in np.lexsort((index.ranks, -lexical))[: settings.documents] if lexical[d] > 0]
    by_meaning = _nearest_documents(index, vector, settings.documents, allowed) if vector is not None else []
    # A document that only has a title is found by its words but has no paragraph to cite.
    candidates = [
        d
        for d in sorted({*by_words, *by_meaning}, key=lambda d: index.ranks[d])
        if np.diff(index.content_paragraphs[d : d + 2])[0]
    ]
    if not candidates:
        return []
    windows = [_similarities(index, document, vector) for document in candidates]
    nearest = None if vector is None else np.array([part.max() for part in windows], np.float32)
    share = settings.document_dense_weight
    ideal = index.lexical.documents.weight(words)
    fused = _fuse(nearest, lexical[candidates], ideal, (share, 1 - share))
    order = np.argsort(-fused, kind="stable")[: settings.documents]
    return [_Found(candidates[i], float(fused[i]), windows[i]) for i in order]


def _nearest_documents(index: Index, vector: Vectors, count: int, allowed: NDArray[np.bool_]) -> list[int]:
    """The documents of the nearest windows."""
    import faiss

    document_of = index.window_content
    rows = np.flatnonzero(allowed[document_of]) if not allowed.all() else None
    wanted = min(len(document_of) if rows is None else len(rows), max(_FIRST_WINDOWS, 10 * count))
    if not wanted:
        return []
    only = None if rows is None else faiss.SearchParameters(sel=faiss.IDSelectorBatch(rows))  # type: ignore[call-arg]
    _, found = index.faiss.search(vector[None], wanted, params=only)
    return list(dict.fromkeys(document_of[found[0][found[0] >= 0]].tolist()))[:count]


def _similarities(index: Index, document: int, vector: Vectors | None) -> Floats:
    """The cosine of each window of a document: float32[windows], empty without a vector."""
    if vector is None:
        return np.zeros(0, np.float32)
    start, stop = index.paragraph_windows[index.content_paragraphs[document : document + 2]]
    return np.asarray(index.vectors(int(start), int(stop)) @ vector, np.float32)


def _best_paragraphs(
    index: Index,
    documents: Sequence[_Found],
    words: Sequence[str],
    vector: Vectors | None,
    settings: RetrievalSettings,
) -> list[_Found]:
    """The second stage: the paragraphs of the documents, best first."""
    if not documents:
        return []
    ranges = [index.content_paragraphs[one.number : one.number + 2] for one in documents]
    rows = np.concatenate([np.arange(first, last) for first, last in ranges])
    lexical = index.lexical.paragraphs.of(words)[rows]
    starts = [index.paragraph_windows[first : last + 1] - index.paragraph_windows[first] for first, last in ranges]
    nearest = None
    if vector is not None:
        best = [np.maximum.reduceat(one.windows, at[:-1]) for one, at in zip(documents, starts, strict=True)]
        nearest = np.concatenate(best)
    ideal = index.lexical.paragraphs.weight(words)
    fused = _fuse(nearest, lexical, ideal, (settings.dense_weight, settings.lexical_weight))
    owner = np.repeat(np.arange(len(documents)), [last - first for first, last in ranges])
    fused += np.float32(settings.document_weight) * np.array([one.score for one in documents], np.float32)[owner]
    by_name = index.ranks[index.rows.paragraph_document[rows]]
    order = [int(i) for i in np.lexsort((rows, by_name, -fused)) if vector is not None or lexical[i] > 0][
        : settings.paragraphs
    ]

    def found(i: int) -> _Found:
        document, at = documents[owner[i]], starts[owner[i]]
        place = int(rows[i] - ranges[owner[i]][0])
        windows = document.windows[at[place] : at[place + 1]]
        return _Found(int(rows[i]), float(fused[i]), windows, float(lexical[i]), document.score)

    return [found(i) for i in order]


def _fuse(nearest: Floats | None, lexical: Floats, ideal: float, weights: tuple[float, float]) -> Floats:
    """The weighted sum of both scores, each on a scale of 0 to 1 over the candidates.

    A text that says each word of the question once or twice reaches about half of `ideal`: from there on the words have
    their whole weight.
    """
    words = np.float32(weights[1]) * _scaled(lexical)
    if nearest is None:
        return words
    trust = np.float32(min(1.0, 2 * float(lexical.max(initial=0)) / ideal) if ideal > 0 else 0)
    return np.asarray(np.float32(weights[0]) * _scaled(nearest) + trust * words, np.float32)


def _scaled(scores: Floats) -> Floats:
    """0 for the least, 1 for the greatest; all 0 when there is no difference."""
    if not len(scores):
        return scores
    low, high = scores.min(), scores.max()
    return (scores - low) / (high - low) if high > low else np.zeros_like(scores)


def _hit(index: Index, found: _Found, passed: Sequence[bool]) -> Hit:
    names = [number for number in index.names[index.rows.paragraph_document[found.number]] if passed[number]]
    entry = index.documents[names[0]]
    paragraph = index.paragraph(found.number, names[0])
    sentences = index.sentences(found.number, names[0])
    spans = index.window_spans(found.number)
    best = int(found.windows.argmax()) if len(found.windows) else 0
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
        window=spans[best],
        sentences=sentences,
        sentence_similarities=_per_sentence(sentences, spans, found.windows.tolist()),
        place=paragraph.place,
        also=tuple(index.documents[number].file for number in names[1:]),
    )


def _per_sentence(
    sentences: Sequence[Sentence], spans: Sequence[Span], similarities: Sequence[float]
) -> tuple[float, ...]:
    """For each sentence the similarity of the best window that holds some of it."""
    if not similarities:
        return ()
    return tuple(
        max(
            (
                value
                for span, value in zip(spans, similarities, strict=True)
                if span.start < s.end and s.start < span.end
            ),
            default=0.0,
        )
        for s in sentences
    )


def choose_context(
    hits: Sequence[Hit], question: str, count_tokens: Callable[[str], int], budget: int
) -> tuple[Passage, ...]:
    """The sentences that the model is given: whole ones, together at most `budget` tokens by `count_tokens`.

    The best paragraph is given whole if it takes no more than half of the budget; then the sentences nearest to the
    question in meaning and words, each with the one before it if it begins by referring back. The title of a file is
    counted once. Passages are in the order of `hits`, those of one file together, their sentences as in the text.
    """
    values = sentence_values(hits, question)
    costs = [[count_tokens(sentence.text) for sentence in hit.sentences] for hit in hits]
    order = sorted(
        ((h, s) for h, row in enumerate(values) for s in range(len(row))), key=lambda at: -values[at[0]][at[1]]
    )
    wishes = [(h, _with_lead(hits[h].sentences, s)) for h, s in order]
    if hits and 2 * sum(costs[0]) <= budget:
        wishes.insert(0, (0, set(range(len(costs[0])))))
    taken: list[set[int]] = [set() for _ in hits]
    files: set[str] = set()
    left = budget
    for h, wish in wishes:
        hit = hits[h]
        cost = sum(costs[h][i] for i in wish - taken[h])
        cost += (
            0
            if hit.file in files
            else count_tokens(passage_origin(Passage(hit.file, hit.paragraph, hit.title, hit.heading, ())))
        )
        if cost <= left:
            taken[h] |= wish
            files.add(hit.file)
            left -= cost
    first = {hit.file: h for h, hit in reversed(list(enumerate(hits))) if taken[h]}
    return tuple(
        Passage(
            hits[h].file,
            hits[h].paragraph,
            hits[h].title,
            hits[h].heading,
            tuple(hits[h].sentences[i] for i in sorted(taken[h])),
        )
        for h in sorted((h for h in range(len(hits)) if taken[h]), key=lambda h: (first[hits[h].file], h))
    )


def without_orders(hits: Sequence[Hit]) -> tuple[tuple[Hit, ...], tuple[Sentence, ...]]:
    """The hits without sentences, titles and headings that give orders to who answers; and those sentences.

    A hit of nothing else is left out.
    """
    kept, orders = [], []
    for hit in hits:
        good = [not is_order(sentence.text) for sentence in hit.sentences]
        orders += [sentence for sentence, is_good in zip(hit.sentences, good, strict=True) if not is_good]
        if any(good):
            kept.append(
                replace(
                    hit,
                    title="" if is_order(hit.title) else hit.title,
                    heading="" if is_order(hit.heading) else hit.heading,
                    sentences=tuple(compress(hit.sentences, good)),
                    sentence_similarities=tuple(compress(hit.sentence_similarities, good)),
                )
            )
    return tuple(kept), tuple(orders)


def sentence_values(hits: Sequence[Hit], question: str) -> list[list[float]]:
    """What each sentence is worth: similarity, half the share of the question's words, half the paragraph's score.

    A word of the question counts by how few of the sentences have it; scores count relative to the best.
    """
    language = language_of(question) or "en"
    asked = set(terms([question], language)[0])
    words = [[asked.intersection(found) for found in terms([s.text for s in hit.sentences], language)] for hit in hits]
    spread = Counter(word for row in words for found in row for word in found)
    weight = {word: 1.0 / count for word, count in spread.items()}
    total = 2 * sum(weight.values()) or 1.0
    best = 2 * max((hit.score for hit in hits), default=0.0) or 1.0
    return [
        [
            _at(hit.sentence_similarities, i) + sum(weight[word] for word in found) / total + hit.score / best
            for i, found in enumerate(row)
        ]
        for hit, row in zip(hits, words, strict=True)
    ]


def interleaved(rankings: Sequence[Sequence[Hit]], most: int | None = None) -> tuple[Hit, ...]:
    """One ranking of several: the first of each, the second of each, and so on; a paragraph keeps its best place."""
    turns = (hit for turn in zip_longest(*rankings) for hit in turn if hit is not None)
    found: dict[tuple[str, int], Hit] = {}
    for hit in turns:
        found.setdefault((hit.file, hit.paragraph), hit)
    return tuple(found.values())[:most]


def _at(values: Sequence[float], i: int) -> float:
    return values[i] if i < len(values) else 0.0


def _with_lead(sentences: Sequence[Sentence], at: int) -> set[int]:
    """A sentence, and those before it that it refers back to."""
    wanted = {at}
    while at and _REFERS_BACK.match(sentences[at].text):
        at -= 1
        wanted.add(at)
    return wanted

"""Paragraphs that nobody will be shown: a question made from one does not bring it back.

The question is made by rules, not by a model: the sentence that tells most, without its number or name, which is what
somebody would ask for; of the rest the rarest words, in another order, under the question word that fits. What the
title says belongs to the question, as who asks knows what it is about.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rag_geo.audit.findings import Unfound
from rag_geo.audit.repeats import share, spot, words_of
from rag_geo.embedding import Embedder
from rag_geo.index.store import Index
from rag_geo.records import Hit, Sentence
from rag_geo.retrieval import search
from rag_geo.settings import RetrievalSettings
from rag_geo.text.facts import Facts, facts, stem

FIRST = 5
"""Paragraphs that a question may bring before the one it was made from."""

_BATCH = 64
_WORDS = 7
_FEWEST = 3
"""Words without which there is no question."""

_TITLE_WORDS = 3
_TWIN = 0.8

Rarity = Callable[[str], float]
Progress = Callable[[str, int, int], None]


class Asked(NamedTuple):
    """How many paragraphs a question was made from, and those that it did not find."""

    asked: int
    unfound: tuple[Unfound, ...]


def unfound(index: Index, embedder: Embedder, sample: int, progress: Progress) -> Asked:
    """Ask for each paragraph, or for `sample` of them at even distances.

    A paragraph in whose place another of nearly the same words is found is not lost.
    """
    total = len(index.rows.paragraph_number)
    rows = list(range(total)) if total <= sample else np.linspace(0, total - 1, sample).astype(int).tolist()
    rarity = _rarity(index)
    asked = 0
    found: list[Unfound] = []
    for at in range(0, len(rows), _BATCH):
        questions = {}
        for row in rows[at : at + _BATCH]:
            sentences = index.sentences(row)
            title = index.document(sentences[0].file).title if sentences else ""
            question = question_from(sentences, title, rarity) if sentences else ""
            if question:
                questions[row] = question
        found += _lost(index, embedder, questions)
        asked += len(questions)
        progress("asking", min(at + _BATCH, len(rows)), len(rows))
    return Asked(asked, tuple(found))


def question_from(sentences: Sequence[Sentence], title: str, rarity: Rarity) -> str:
    """Make a question that a paragraph answers; "" for one that says too little."""
    best = max(sentences, key=lambda sentence: (_telling(facts(sentence.text), rarity), -sentence.start))
    read = facts(best.text)
    asked, hidden = _answer(read)
    words = {
        w.key: w.text for w in read.words if w.content and not (hidden[0] <= w.start < hidden[1]) and len(w.lower) > 2
    }
    rarest = sorted(words, key=lambda key: (-rarity(key), key))[:_WORDS]
    if len(rarest) < _FEWEST:
        return ""
    about = [w.text for w in facts(title).words if w.content and w.key not in rarest][:_TITLE_WORDS]
    shuffled = sorted(rarest, key=lambda key: hashlib.sha256(key.encode()).digest())
    return f"{asked} {' '.join([*(words[key] for key in shuffled), *about])}?"


def _telling(read: Facts, rarity: Rarity) -> float:
    """How much a sentence tells: its rare words, and a number or a name to ask for."""
    return sum(map(rarity, read.content)) * (1.5 if read.quantities or read.names else 1.0)


def _answer(read: Facts) -> tuple[str, tuple[int, int]]:
    """Give the question word for what is asked for, and the characters of that."""
    for quantity in read.quantities:
        if quantity.kind in ("number", "date"):
            return ("When" if quantity.kind == "date" else "How many"), (quantity.start, quantity.end)
    if len(read.names) > 1:
        return "Who or what", (read.names[-1].start, read.names[-1].end)
    return "What", (0, 0)


def _lost(index: Index, embedder: Embedder, questions: Mapping[int, str]) -> Iterator[Unfound]:
    """Give the paragraphs that their questions do not find."""
    if not questions:
        return
    vectors = embedder.embed(list(questions.values()))
    for (row, question), vector in zip(questions.items(), vectors, strict=True):
        paragraph = index.paragraph(row)
        hits = search(index, question, vector, RetrievalSettings(paragraphs=FIRST))
        if not any((hit.file, hit.paragraph) == (paragraph.file, paragraph.number) for hit in hits):
            lost = spot(index, row)
            if not any(share(words_of(lost.text), words_of(_text(hit))) >= _TWIN for hit in hits):
                yield Unfound(lost, question)


def _text(hit: Hit) -> str:
    return " ".join(sentence.text for sentence in hit.sentences)


def _rarity(index: Index) -> Rarity:
    """Give how rare a word is, by its stem: the logarithm of the documents there are to each that has it."""
    counts: Counter[str] = Counter()
    contents = {entry.sha256: entry.file for entry in index.documents}
    for file in contents.values():
        document = index.document(file)
        for paragraph in document.paragraphs:
            words = set(re.findall(r"[^\W\d_]+", document.text[paragraph.start : paragraph.end].casefold()))
            counts.update({stem(word) for word in words})
    total = len(index.rows.paragraph_number) + 1

    def rarity(key: str) -> float:
        return math.log(1 + total / (1 + counts[key]))

    return rarity

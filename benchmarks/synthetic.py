"""An index of any size, in memory: random vectors, and texts whose words are as frequent as in a real one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rag_geo.index.lexical import VERSION, count_terms
from rag_geo.index.manifest import SKIPPED, SOURCES, Manifest, Source, Stored, source_lines
from rag_geo.index.segments import Contents, Making, Rows, document_lines, encode
from rag_geo.index.store import Index
from rag_geo.records import Document, Paragraph, Span
from rag_geo.settings import WindowSettings
from rag_geo.text.words import terms

PARAGRAPHS = 25
"""Paragraphs in a document."""

SENTENCES = 4
"""Sentences in a paragraph; each is a window."""

WORDS = 8
"""Words in a sentence."""


def synthetic_index(documents: int, words: tuple[str, ...], dimension: int, seed: int = 0) -> Index:
    """An index of ``documents * PARAGRAPHS * SENTENCES`` windows, never on disk; one seed gives one index.

    The words of its texts are drawn from `words`, a text as it is: frequent ones are drawn often.
    """
    draw = np.random.default_rng(seed)
    made = tuple(_document(number, words, draw) for number in range(documents))
    paragraphs = [document.text[p.start : p.end] for document in made for p in document.paragraphs]
    vectors = draw.standard_normal((len(paragraphs) * SENTENCES, dimension), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    words_of, titles = count_terms(terms(paragraphs)), count_terms([[]] * documents)
    contents = Contents(tuple(map(document_lines, made)), _rows(made), vectors, words_of, titles)
    making = Making(f"random@{dimension}", dimension, WindowSettings(sentences=1), "", VERSION)
    segment, files = encode(contents, making)
    sources = [Source(one.file, "", (Stored(one.file, "", segment, row),)) for row, one in enumerate(made)]
    manifest = Manifest(
        generation="gen-000001",
        built="",
        folder="",
        making=making,
        documents=documents,
        contents=documents,
        paragraphs=len(paragraphs),
        windows=len(vectors),
        skipped=0,
        segments=(segment,),
        files=(),
    )
    return Index(Path("synthetic"), manifest, {SOURCES: source_lines(sources), SKIPPED: b""}, [files])


def _document(number: int, words: tuple[str, ...], draw: np.random.Generator) -> Document:
    file = f"{number:06d}.txt"
    parts: list[str] = []
    paragraphs: list[Paragraph] = []
    at = 0
    for row, chosen in enumerate(draw.integers(len(words), size=(PARAGRAPHS, SENTENCES, WORDS)).tolist(), start=1):
        sentences = [" ".join(words[i] for i in sentence) for sentence in chosen]
        spans = []
        start = at
        for sentence in sentences:
            spans.append(Span(at, at + len(sentence)))
            at += len(sentence) + 1
        paragraphs.append(Paragraph(file, row, start, at - 1, sentences=tuple(spans)))
        parts.append(" ".join(sentences))
        at += 1
    return Document(file, "", "\n\n".join(parts), "text", "utf-8", tuple(paragraphs))


def _rows(documents: tuple[Document, ...]) -> Rows:
    count = len(documents) * PARAGRAPHS
    spans = [span for document in documents for paragraph in document.paragraphs for span in paragraph.sentences]
    return Rows(
        paragraph_document=np.repeat(np.arange(len(documents), dtype=np.int32), PARAGRAPHS),
        paragraph_number=np.tile(np.arange(1, PARAGRAPHS + 1, dtype=np.int32), len(documents)),
        window_paragraph=np.repeat(np.arange(count, dtype=np.int32), SENTENCES),
        window_start=np.array([span.start for span in spans], np.int32),
        window_end=np.array([span.end for span in spans], np.int32),
        window_digest=np.zeros((len(spans), 16), np.uint8),
    )

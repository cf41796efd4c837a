"""An opened generation of an index: its segments put together, whole in memory and never changed."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path
from shlex import quote
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rag_geo.embedding import Embedder, Vectors
from rag_geo.errors import IndexMismatchError
from rag_geo.index.lexical import VERSION, Field, Lexical, Postings, count_terms
from rag_geo.index.manifest import (
    SKIPPED,
    SOURCES,
    Manifest,
    current_generation,
    damaged,
    read_generation,
    read_head,
    read_manifest,
    read_segment,
    rebuild_hint,
    skipped_from,
    sources_from,
)
from rag_geo.index.segments import Ints, joined_rows, postings_from, rows_from
from rag_geo.passages import sentences
from rag_geo.readers.as_json import document_from
from rag_geo.readers.plain import title_from_name
from rag_geo.records import Document, Paragraph, Sentence, Skipped, Span
from rag_geo.text.words import query_terms, terms

_KEPT_DOCUMENTS = 512
"""Documents whose paragraphs are kept as objects after they were asked for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a document without reading its text; see `Document`.

    `source` is the file of the folder that it is in: itself, but for documents in archives and mailboxes.
    """

    file: str
    sha256: str
    title: str
    author: str
    date: str
    source: str


class Index:
    """One generation, whole in memory and never changed; what `open` returns stays valid whatever a writer does.

    `documents` are the names, in the order of their bytes. Several names may have the same content: what is searched is
    numbered by content (`rows`), and `names` gives the numbers of the documents of each content.
    """

    def __init__(
        self, path: Path, manifest: Manifest, generation: Mapping[str, bytes], segments: Sequence[Mapping[str, bytes]]
    ) -> None:
        self.path = path
        self.manifest = manifest
        self.generation = manifest.generation
        sources = sources_from(generation[SOURCES])
        details = [[json.loads(line) for line in data["documents.jsonl"].splitlines()] for data in segments]
        self._details: list[dict[str, Any]] = [one for part in details for one in part]
        self._texts = [line for data in segments for line in data["texts.jsonl"].splitlines()]
        self._paragraphs = [line for data in segments for line in data["paragraphs.jsonl"].splitlines()]
        self._vectors = [data["vectors.faiss"] for data in segments]
        self._postings = [postings_from(data["terms.json"], data["postings.npz"]) for data in segments]
        self.rows = joined_rows([rows_from(data["windows.npz"]) for data in segments], [len(part) for part in details])
        first = dict(zip(manifest.segments, accumulate(map(len, details), initial=0), strict=False))
        self._firsts = tuple(first.values())
        found = [
            (one.name, source.file, first[one.segment] + one.row) for source in sources for one in source.documents
        ]
        found.sort(key=lambda one: os.fsencode(one[0]))
        self.contents = tuple(content for _, _, content in found)
        self.documents = tuple(self._entry(file, source, content) for file, source, content in found)
        self.skipped = _by_name((*skipped_from(generation[SKIPPED]), *(one for s in sources for one in s.skipped)))
        count = len(self._details)
        self.content_paragraphs = np.searchsorted(self.rows.paragraph_document, np.arange(count + 1))
        self.paragraph_windows = np.searchsorted(
            self.rows.window_paragraph, np.arange(len(self.rows.paragraph_number) + 1)
        )
        self._document = lru_cache(_KEPT_DOCUMENTS)(self._read_document)

    @classmethod
    def open(cls, path: Path, embedder: Embedder | None = None) -> Self:
        """The current generation of the index at `path`, every byte of it checked by SHA-256.

        With `embedder`, an index that another one made is refused; without, call `check_embedder` before a search by
        vector. Raises IndexMissingError, IndexDamagedError, IndexMismatchError.
        """
        index = cls.load(path)
        counted = index.manifest.making.lexical
        if counted != VERSION:
            raise IndexMismatchError(
                f"index {str(path)!r} counts words in version {counted}, this program in {VERSION}",
                hint=f"rag-geo index DIR --index {quote(str(path))}",
            )
        if embedder is not None:
            index.check_embedder(embedder)
        return index

    @classmethod
    def load(cls, path: Path) -> Self:
        """As `open`, for what is not to be searched: an index whose words were counted otherwise will do."""
        tried: set[str] = set()
        while True:
            try:
                manifest = read_manifest(path)
                generation = {name: read_generation(path, manifest, name) for name in (SOURCES, SKIPPED)}
                segments = [read_segment(path, name, read_head(path, name)) for name in manifest.segments]
                return cls(path, manifest, generation, segments)
            except FileNotFoundError as error:
                # A writer that publishes twice meanwhile removes what is being read: then there is a newer CURRENT.
                if (current := current_generation(path)) in tried:
                    raise damaged(path, Path(error.filename).relative_to(path).as_posix(), "is missing") from error
                tried.add(current)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held open."""

    def check_embedder(self, embedder: Embedder) -> None:
        """Raise IndexMismatchError unless `embedder` made this index."""
        check_embedder(self.path, self.manifest, embedder)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The place of each file in `documents`."""
        return {entry.file: number for number, entry in enumerate(self.documents)}

    @cached_property
    def names(self) -> tuple[tuple[int, ...], ...]:
        """For each content the places in `documents` of those that have it: files first, then those inside files."""
        found: list[list[int]] = [[] for _ in self._details]
        for number, content in enumerate(self.contents):
            found[content].append(number)
        inside = [entry.source != entry.file for entry in self.documents]
        return tuple(tuple(sorted(group, key=lambda number: (inside[number], number))) for group in found)

    @cached_property
    def ranks(self) -> NDArray[np.intp]:
        """The place of each content in the order of names: int[contents]."""
        order = sorted(range(len(self.names)), key=lambda content: self.names[content])
        ranks = np.empty(len(order), np.intp)
        ranks[order] = np.arange(len(order))
        return ranks

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages of the documents, the most frequent first; documents in none that is known count as English."""
        counts = Counter(one["language"] or "en" for one in self._details)
        return tuple(sorted(counts, key=lambda language: (-counts[language], language)))

    def paragraph_count(self, file: str) -> int:
        """How many paragraphs of a document are searched; raises KeyError for a file that is not in the index."""
        content = self.contents[self.numbers[file]]
        return int(self.content_paragraphs[content + 1] - self.content_paragraphs[content])

    @cached_property
    def window_content(self) -> Ints:
        """The content of each window: int32[windows]."""
        return np.asarray(self.rows.paragraph_document[self.rows.window_paragraph], np.int32)

    def window_spans(self, row: int) -> tuple[Span, ...]:
        """The windows of the paragraph of one row, in order."""
        part = slice(*self.paragraph_windows[row : row + 2])
        return tuple(map(Span, self.rows.window_start[part].tolist(), self.rows.window_end[part].tolist()))

    def document(self, file: str) -> Document:
        """The whole record of one document; raises KeyError for a file that is not in the index."""
        return self._document(self.numbers[file])

    def paragraph(self, row: int, number: int | None = None) -> Paragraph:
        """The paragraph of one row, in document `number` of those that have it: the first by default."""
        document = self._of_row(row, number)
        return document.paragraphs[int(self.rows.paragraph_number[row]) - 1]

    def sentences(self, row: int, number: int | None = None) -> tuple[Sentence, ...]:
        """The sentences of the paragraph of one row, in document `number` of those that have it."""
        document = self._of_row(row, number)
        return sentences(document, document.paragraphs[int(self.rows.paragraph_number[row]) - 1])

    def copies(self, file: str) -> tuple[str, ...]:
        """Other files with the very same content; raises KeyError for a file that is not in the index."""
        number = self.numbers[file]
        return tuple(self.documents[one].file for one in self.names[self.contents[number]] if one != number)

    @cached_property
    def lexical(self) -> Lexical:
        """The word counts."""
        words = [words for words, _ in self._postings]
        titles = [titles for _, titles in self._postings]
        named = self._name_postings()
        size = len(self._details)
        above = list(accumulate((len(part.lengths) for part in words), initial=0))
        rows = [np.arange(len(part.lengths)) + above[n] for n, part in enumerate(words)]
        owners = [self.rows.paragraph_document[above[n] : above[n + 1]] for n in range(len(words))]
        whole = [np.arange(len(part.lengths)) + self._firsts[n] for n, part in enumerate(titles)]
        everything = (*words, *titles, named)
        return Lexical(
            paragraphs=Field(words, rows, above[-1]),
            documents=Field(everything, [*owners, *whole, np.arange(size)], size),
            vocabulary=frozenset(term for part in everything for term in part.vocabulary),
        )

    def query_terms(self, query: str) -> list[str]:
        """The words of a question, as the documents of this index are matched with them."""
        return query_terms(query, self.languages or ("en",))

    @cached_property
    def faiss(self) -> Any:  # noqa: ANN401 - the library has no types
        """The `faiss.Index` over the windows."""
        import faiss

        index = faiss.IndexFlatIP(self.manifest.dimension)
        while self._vectors:
            part = faiss.deserialize_index(np.frombuffer(self._vectors.pop(0), np.uint8))
            index.add(part.reconstruct_n(0, part.ntotal))
        return index

    def vectors(self, start: int, stop: int) -> Vectors:
        """The vectors of windows ``[start, stop)``: float32[stop - start, dimension]."""
        return np.asarray(self.faiss.reconstruct_n(start, stop - start), np.float32)

    def _entry(self, file: str, source: str, content: int) -> Entry:
        known = self._details[content]
        title = known["title"] or title_from_name(file)
        return Entry(file, known["sha256"], title, known["author"], known["date"], source)

    def _read_document(self, number: int) -> Document:
        content = self.contents[number]
        text, paragraphs = json.loads(self._texts[content]), json.loads(self._paragraphs[content])
        return document_from(self.documents[number].file, self._details[content], text, paragraphs)

    def _of_row(self, row: int, number: int | None) -> Document:
        first = self.names[self.rows.paragraph_document[row]][0]
        return self._document(first if number is None else number)

    def _name_postings(self) -> Postings:
        """The words in the names of documents that have no title of their own."""
        found: list[list[str]] = [[] for _ in self._details]
        for number, content in enumerate(self.contents):
            if not self._details[content]["title"]:
                language = self._details[content]["language"] or "en"
                found[content] += terms([title_from_name(self.documents[number].file)], language)[0]
        return count_terms(found)


def check_embedder(path: Path, manifest: Manifest, embedder: Embedder) -> None:
    """Raise IndexMismatchError unless `embedder` made the generation."""
    made_by = manifest.embedder, manifest.dimension
    if made_by != (embedder.id, embedder.dimension):
        raise IndexMismatchError(
            f"index {str(path)!r} uses embedder {made_by[0]!r} ({made_by[1]} numbers a vector), "
            f"you asked for {embedder.id!r} ({embedder.dimension})",
            hint=rebuild_hint(path),
        )


def _by_name(skipped: Sequence[Skipped]) -> tuple[Skipped, ...]:
    return tuple(sorted(skipped, key=lambda one: os.fsencode(one.file)))

"""One generation of an index: its files, and the `Index` they are in memory.

Plain formats only, nothing that can carry code: JSON lines, NumPy archives without pickles, a FAISS flat index.

================== ==================================================================================
documents.jsonl    a document a line, without text and paragraphs
texts.jsonl        its text, as a JSON string, on the same line
paragraphs.jsonl   its paragraphs, as a JSON array, on the same line
windows.npz        arrays over the paragraphs and windows that are searched
vectors.faiss      the vector of each window (inner product)
terms.json         the vocabulary, sorted
lexical.npz        BM25 scores over paragraphs and documents
skipped.jsonl      a file that was not read a line
================== ==================================================================================
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rag_geo.embedding import Embedder, Vectors
from rag_geo.errors import IndexMismatchError
from rag_geo.index.lexical import VERSION, Lexical, Scores
from rag_geo.index.manifest import Manifest, damaged, read_manifest, read_verified, rebuild_hint
from rag_geo.passages import sentences
from rag_geo.records import Document, Paragraph, Sentence, Skipped, Span

Ints = NDArray[np.int32]
Digests = NDArray[np.uint8]

FILES = (
    "documents.jsonl",
    "texts.jsonl",
    "paragraphs.jsonl",
    "windows.npz",
    "vectors.faiss",
    "terms.json",
    "lexical.npz",
    "skipped.jsonl",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a document without reading its text; see `Document`."""

    file: str
    sha256: str
    title: str
    author: str
    date: str


@dataclass(frozen=True, slots=True)
class Rows:
    """What is searched, row by row, in the order of documents, paragraphs and windows.

    Paragraph p is number ``paragraph_number[p]`` of document ``paragraph_document[p]``; window w is the characters
    ``[window_start[w], window_end[w])`` in paragraph ``window_paragraph[w]``, and ``window_digest[w]`` are 16 bytes of
    the SHA-256 of the text that was embedded. Paragraphs without windows (headings, debris) have no row.
    """

    paragraph_document: Ints
    paragraph_number: Ints
    window_paragraph: Ints
    window_start: Ints
    window_end: Ints
    window_digest: Digests


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything in one generation; `vectors` is float32[windows, dimension]."""

    documents: Sequence[Document]
    skipped: Sequence[Skipped]
    rows: Rows
    vectors: Vectors
    lexical: Lexical


class Index:
    """One generation, whole in memory and never changed; what `open` returns stays valid whatever a writer does."""

    def __init__(self, path: Path, manifest: Manifest, data: Mapping[str, bytes]) -> None:
        self.path = path
        self.manifest = manifest
        self.generation = manifest.generation
        self._data = data
        lines = [json.loads(line) for line in data["documents.jsonl"].splitlines()]
        self._details: list[dict[str, Any]] = lines
        self.documents = tuple(
            Entry(one["file"], one["sha256"], one["title"], one["author"], one["date"]) for one in lines
        )
        self.rows = Rows(**_arrays(data["windows.npz"]))
        count = len(self.documents)
        self.document_paragraphs = np.searchsorted(self.rows.paragraph_document, np.arange(count + 1))
        self.paragraph_windows = np.searchsorted(
            self.rows.window_paragraph, np.arange(len(self.rows.paragraph_number) + 1)
        )
        self._documents: dict[int, Document] = {}

    @classmethod
    def open(cls, path: Path, embedder: Embedder | None = None) -> Self:
        """The current generation of the index at `path`, every byte of it checked by SHA-256.

        With `embedder`, an index that another one made is refused; without, call `check_embedder` before a search by
        vector. Raises IndexMissingError, IndexDamagedError, IndexMismatchError.
        """
        index = cls.load(path)
        if index.manifest.lexical != VERSION:
            raise IndexMismatchError(
                f"index {str(path)!r} counts words in version {index.manifest.lexical}, this program in {VERSION}",
                hint=f"rag-geo index DIR --index {quote(str(path))}",
            )
        if embedder is not None:
            index.check_embedder(embedder)
        return index

    @classmethod
    def load(cls, path: Path) -> Self:
        """As `open`, for what is not to be searched: an index whose words were counted otherwise will do."""
        for _ in range(3):
            try:
                manifest = read_manifest(path)
                return cls(path, manifest, {name: read_verified(path, manifest, name) for name in FILES})
            except FileNotFoundError as error:
                # A writer that publishes twice meanwhile removes what is being read: then there is a newer CURRENT.
                gone = error.filename
        raise damaged(path, Path(gone).relative_to(path).as_posix(), "is missing")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held open."""

    def check_embedder(self, embedder: Embedder) -> None:
        """Raise IndexMismatchError unless `embedder` made this index."""
        made_by = self.manifest.embedder, self.manifest.dimension
        if made_by != (embedder.id, embedder.dimension):
            raise IndexMismatchError(
                f"index {str(self.path)!r} uses embedder {made_by[0]!r} ({made_by[1]} numbers a vector), "
                f"you asked for {embedder.id!r} ({embedder.dimension})",
                hint=rebuild_hint(self.path),
            )

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """The files that were not read, and why."""
        return tuple(Skipped(**json.loads(line)) for line in self._data["skipped.jsonl"].splitlines())

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The place of each file in `documents`."""
        return {entry.file: number for number, entry in enumerate(self.documents)}

    @cached_property
    def window_document(self) -> Ints:
        """The document of each window: int32[windows]."""
        return np.asarray(self.rows.paragraph_document[self.rows.window_paragraph], np.int32)

    def window_spans(self, row: int) -> tuple[Span, ...]:
        """The windows of the paragraph of one row, in order."""
        part = slice(*self.paragraph_windows[row : row + 2])
        return tuple(map(Span, self.rows.window_start[part].tolist(), self.rows.window_end[part].tolist()))

    def document(self, file: str) -> Document:
        """The whole record of one document; raises KeyError for a file that is not in the index."""
        number = self.numbers[file]
        if number not in self._documents:
            self._documents[number] = _document(self._details[number], self._texts[number], self._paragraphs[number])
        return self._documents[number]

    def paragraph(self, row: int) -> Paragraph:
        """The paragraph of one row."""
        document = self.document(self.documents[self.rows.paragraph_document[row]].file)
        return document.paragraphs[int(self.rows.paragraph_number[row]) - 1]

    def sentences(self, row: int) -> tuple[Sentence, ...]:
        """The sentences of the paragraph of one row."""
        document = self.document(self.documents[self.rows.paragraph_document[row]].file)
        return sentences(document, document.paragraphs[int(self.rows.paragraph_number[row]) - 1])

    @cached_property
    def lexical(self) -> Lexical:
        """The word scores."""
        arrays = _arrays(self._data["lexical.npz"])
        words = json.loads(self._data["terms.json"])
        sizes = len(self.rows.paragraph_number), len(self.documents)
        parts = (
            Scores(arrays[f"{name}_data"], arrays[f"{name}_rows"], arrays[f"{name}_starts"], size)
            for name, size in zip(("paragraphs", "documents"), sizes, strict=True)
        )
        return Lexical({word: number for number, word in enumerate(words)}, *parts)

    @cached_property
    def faiss(self) -> Any:  # noqa: ANN401 - the library has no types
        """The `faiss.Index` over the windows."""
        import faiss

        return faiss.deserialize_index(np.frombuffer(self._data["vectors.faiss"], np.uint8))

    def vectors(self, start: int, stop: int) -> Vectors:
        """The vectors of windows ``[start, stop)``: float32[stop - start, dimension]."""
        return np.asarray(self.faiss.reconstruct_n(start, stop - start), np.float32)

    @cached_property
    def _texts(self) -> list[bytes]:
        return self._data["texts.jsonl"].splitlines()

    @cached_property
    def _paragraphs(self) -> list[bytes]:
        return self._data["paragraphs.jsonl"].splitlines()


def encode(contents: Contents) -> dict[str, bytes]:
    """The files of a generation, by name; the same contents give the same bytes."""
    import faiss

    index = faiss.IndexFlatIP(contents.vectors.shape[1])
    index.add(contents.vectors)
    lexical = contents.lexical
    scores = {
        f"{name}_{field}": getattr(part, field)
        for name, part in (("paragraphs", lexical.paragraphs), ("documents", lexical.documents))
        for field in ("data", "rows", "starts")
    }
    files = {
        "documents.jsonl": _lines(_details(document) for document in contents.documents),
        "texts.jsonl": _lines(document.text for document in contents.documents),
        "paragraphs.jsonl": _lines([_flat(p) for p in document.paragraphs] for document in contents.documents),
        "windows.npz": _archive({name: getattr(contents.rows, name) for name in Rows.__slots__}),
        "vectors.faiss": faiss.serialize_index(index).tobytes(),
        "terms.json": json.dumps(list(lexical.vocabulary)).encode("ascii"),
        "lexical.npz": _archive(scores),
        "skipped.jsonl": _lines(asdict(one) for one in contents.skipped),
    }
    return {name: files[name] for name in FILES}


def _details(document: Document) -> dict[str, Any]:
    return {
        "file": document.file,
        "sha256": document.sha256,
        "format": document.format,
        "encoding": document.encoding,
        "title": document.title,
        "author": document.author,
        "date": document.date,
        "metadata": document.metadata,
        "hidden": document.hidden,
        "removed": document.removed,
        "warnings": document.warnings,
    }


def _flat(paragraph: Paragraph) -> list[Any]:
    offsets = [offset for span in paragraph.sentences for offset in span]
    head = [paragraph.start, paragraph.end, paragraph.kind, paragraph.heading, paragraph.debris]
    return [*head, offsets]


def _document(details: Mapping[str, Any], text: bytes, paragraphs: bytes) -> Document:
    file = details["file"]
    return Document(
        file=file,
        sha256=details["sha256"],
        text=json.loads(text),
        format=details["format"],
        encoding=details["encoding"],
        paragraphs=tuple(
            Paragraph(file, number, start, end, kind, heading, debris, tuple(map(Span, offsets[::2], offsets[1::2])))
            for number, (start, end, kind, heading, debris, offsets) in enumerate(json.loads(paragraphs), start=1)
        ),
        title=details["title"],
        author=details["author"],
        date=details["date"],
        metadata=tuple((key, value) for key, value in details["metadata"]),
        hidden=tuple(Span(*span) for span in details["hidden"]),
        removed=tuple((name, count) for name, count in details["removed"]),
        warnings=tuple(details["warnings"]),
    )


def _lines(values: Iterable[Any]) -> bytes:
    # ASCII: names of files may hold bytes that are no UTF-8, which JSON escapes and UTF-8 cannot.
    return b"".join(json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n" for value in values)


def _archive(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    target = io.BytesIO()
    np.savez(target, allow_pickle=False, **arrays)
    return target.getvalue()


def _arrays(data: bytes) -> dict[str, NDArray[Any]]:
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}

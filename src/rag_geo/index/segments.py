"""A segment: some documents with everything that is searched of them, in a folder that is never changed.

Plain formats only, nothing that can carry code: JSON lines, NumPy archives without pickles, a FAISS flat index.

================== ==================================================================================
documents.jsonl    a document a line, without name, text and paragraphs
texts.jsonl        its text, as a JSON string, on the same line
paragraphs.jsonl   its paragraphs, as a JSON array, on the same line
windows.npz        arrays over the paragraphs and windows that are searched (`Rows`)
vectors.faiss      the vector of each window (inner product)
terms.json         the vocabularies of paragraphs and titles
postings.npz       how often each term stands in each paragraph, and in the title of each document
SEGMENT.json       how it was made, counts, and the size and SHA-256 of each of these files
================== ==================================================================================

The name of the folder is ``seg-`` and the first 32 digits of the SHA-256 of ``SEGMENT.json``: a segment that was
written whole can be told from any other folder, whoever names it.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import compress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag_geo.embedding import Vectors
from rag_geo.index.lexical import Postings, chosen, joined
from rag_geo.readers.as_json import details_of, line, paragraphs_of
from rag_geo.records import Document
from rag_geo.settings import WindowSettings

Ints = NDArray[np.int32]
Digests = NDArray[np.uint8]

FILES = (
    "documents.jsonl",
    "texts.jsonl",
    "paragraphs.jsonl",
    "windows.npz",
    "vectors.faiss",
    "terms.json",
    "postings.npz",
)
HEAD = "SEGMENT.json"
_NAME = re.compile(r"seg-[0-9a-f]{32}")


class FileEntry(NamedTuple):
    """Bytes and SHA-256 of one file."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Making:
    """What decides what a segment of given files holds: with one of these other, they are read or embedded again.

    `reading` names the version and the settings of the readers, `lexical` the version of the word matching.
    """

    embedder: str
    dimension: int
    windows: WindowSettings
    reading: str
    lexical: int


@dataclass(frozen=True, slots=True)
class SegmentHead:
    """What ``SEGMENT.json`` says."""

    making: Making
    documents: int
    paragraphs: int
    windows: int
    files: tuple[tuple[str, FileEntry], ...]

    def to_bytes(self) -> bytes:
        """As JSON, for people to read as well."""
        fields = asdict(self)
        fields["files"] = {name: entry._asdict() for name, entry in self.files}
        return (json.dumps(fields, indent=1, sort_keys=True) + "\n").encode("ascii")

    @classmethod
    def from_bytes(cls, data: bytes) -> SegmentHead:
        """The contrary of `to_bytes`."""
        fields: dict[str, Any] = json.loads(data)
        making = fields.pop("making")
        making["windows"] = WindowSettings(**making["windows"])
        files = tuple((name, FileEntry(**entry)) for name, entry in fields.pop("files").items())
        return cls(making=Making(**making), files=files, **fields)


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
    """What is in a segment, before it is written.

    `lines` are the three lines of each document; `words` the postings of the paragraphs with a row, `titles` those of
    the documents' own titles; `vectors` is float32[windows, dimension].
    """

    lines: Sequence[tuple[bytes, bytes, bytes]]
    rows: Rows
    vectors: Vectors
    words: Postings
    titles: Postings


def is_segment_name(name: str) -> bool:
    """Whether a folder may be a segment, by its name."""
    return bool(_NAME.fullmatch(name))


def segment_name(head: bytes) -> str:
    """The name of the segment with this ``SEGMENT.json``."""
    return f"seg-{hashlib.sha256(head).hexdigest()[:32]}"


def document_lines(document: Document) -> tuple[bytes, bytes, bytes]:
    """The lines of one document in ``documents.jsonl``, ``texts.jsonl`` and ``paragraphs.jsonl``."""
    return line(details_of(document)), line(document.text), line(paragraphs_of(document))


def digest_of(text: str) -> bytes:
    """The 16 bytes that stand for the text of a window."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def rows_of(found: Sequence[Sequence[tuple[int, int, int]]], digests: Sequence[bytes]) -> Rows:
    """The arrays over the windows of documents, each given as (paragraph, start, end)."""
    paragraph_document: list[int] = []
    paragraph_number: list[int] = []
    window_paragraph: list[int] = []
    for document, group in enumerate(found):
        last = 0
        for paragraph, _, _ in group:
            if paragraph != last:
                last = paragraph
                paragraph_document.append(document)
                paragraph_number.append(paragraph)
            window_paragraph.append(len(paragraph_number) - 1)
    flat = [window for group in found for window in group]
    return Rows(
        np.array(paragraph_document, np.int32),
        np.array(paragraph_number, np.int32),
        np.array(window_paragraph, np.int32),
        np.array([start for _, start, _ in flat], np.int32),
        np.array([end for _, _, end in flat], np.int32),
        np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 16),
    )


def encode(contents: Contents, making: Making) -> tuple[str, dict[str, bytes]]:
    """The name of the segment and its files by name, ``SEGMENT.json`` last; the same contents give the same bytes."""
    import faiss

    index = faiss.IndexFlatIP(making.dimension)
    index.add(contents.vectors)
    documents, texts, paragraphs = (b"".join(each[n] for each in contents.lines) for n in range(3))
    fields = ("words", contents.words), ("titles", contents.titles)
    files = {
        "documents.jsonl": documents,
        "texts.jsonl": texts,
        "paragraphs.jsonl": paragraphs,
        "windows.npz": _archive({name: getattr(contents.rows, name) for name in Rows.__slots__}),
        "vectors.faiss": faiss.serialize_index(index).tobytes(),
        "terms.json": line({name: part.vocabulary for name, part in fields}),
        "postings.npz": _archive(
            {f"{name}_{each}": getattr(part, each) for name, part in fields for each in Postings.__slots__[1:]}
        ),
    }
    head = SegmentHead(
        making,
        documents=len(contents.lines),
        paragraphs=len(contents.rows.paragraph_number),
        windows=len(contents.rows.window_paragraph),
        files=tuple((n, FileEntry(len(data), hashlib.sha256(data).hexdigest())) for n, data in files.items()),
    ).to_bytes()
    return segment_name(head), {**files, HEAD: head}


def rows_from(data: bytes) -> Rows:
    """The contrary of what `encode` made of them."""
    return Rows(**_arrays(data))


def postings_from(terms: bytes, postings: bytes) -> tuple[Postings, Postings]:
    """The postings of paragraphs and of titles."""
    arrays, words = _arrays(postings), json.loads(terms)
    made = (
        Postings(tuple(words[name]), *(arrays[f"{name}_{each}"] for each in Postings.__slots__[1:]))
        for name in ("words", "titles")
    )
    first, second = made
    return first, second


def vectors_from(data: bytes) -> Vectors:
    """The vectors: float32[windows, dimension]."""
    import faiss

    index = faiss.deserialize_index(np.frombuffer(data, np.uint8))
    return np.asarray(index.reconstruct_n(0, index.ntotal), np.float32)


def contents_from(data: Mapping[str, bytes]) -> Contents:
    """Everything in a segment, from its files."""
    words, titles = postings_from(data["terms.json"], data["postings.npz"])
    lines = (data[name].splitlines(keepends=True) for name in FILES[:3])
    return Contents(
        tuple(zip(*lines, strict=True)),
        rows_from(data["windows.npz"]),
        vectors_from(data["vectors.faiss"]),
        words,
        titles,
    )


def some_of(contents: Contents, keep: Sequence[bool]) -> Contents:
    """The documents of `contents` that are to be kept, numbered anew."""
    rows, kept = contents.rows, np.array(keep, bool)
    paragraphs = kept[rows.paragraph_document]
    windows = paragraphs[rows.window_paragraph]
    documents, numbers = np.cumsum(kept) - 1, np.cumsum(paragraphs) - 1
    chosen_rows = Rows(
        documents[rows.paragraph_document[paragraphs]].astype(np.int32),
        rows.paragraph_number[paragraphs],
        numbers[rows.window_paragraph[windows]].astype(np.int32),
        rows.window_start[windows],
        rows.window_end[windows],
        rows.window_digest[windows],
    )
    return Contents(
        tuple(compress(contents.lines, keep)),
        chosen_rows,
        contents.vectors[windows],
        chosen(contents.words, paragraphs),
        chosen(contents.titles, kept),
    )


def merged(parts: Sequence[Contents]) -> Contents:
    """The documents of all parts, one part after the other."""
    return Contents(
        tuple(line for part in parts for line in part.lines),
        joined_rows([part.rows for part in parts], [len(part.lines) for part in parts]),
        np.concatenate([part.vectors for part in parts]),
        joined([part.words for part in parts]),
        joined([part.titles for part in parts]),
    )


def joined_rows(parts: Sequence[Rows], documents: Sequence[int]) -> Rows:
    """The rows of all parts, one after the other; `documents` says how many documents each has."""
    none = np.zeros(0, np.int32)
    nothing = Rows(none, none, none, none, none, np.zeros((0, 16), np.uint8))
    first = np.concatenate([[0], np.cumsum(documents)]).astype(np.int32)
    above = np.concatenate([[0], np.cumsum([len(part.paragraph_number) for part in parts])]).astype(np.int32)
    shifted = [
        Rows(
            part.paragraph_document + first[number],
            part.paragraph_number,
            part.window_paragraph + above[number],
            part.window_start,
            part.window_end,
            part.window_digest,
        )
        for number, part in enumerate(parts)
    ]
    return Rows(*(np.concatenate([getattr(part, name) for part in (nothing, *shifted)]) for name in Rows.__slots__))


def _archive(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    target = io.BytesIO()
    np.savez(target, allow_pickle=False, **arrays)
    return target.getvalue()


def _arrays(data: bytes) -> dict[str, NDArray[Any]]:
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}

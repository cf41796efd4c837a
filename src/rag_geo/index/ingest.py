"""From files to segments: read in other processes, cut into windows in another thread, embedded here in batches.

Each batch is on the disk, and noted as done, before the next is embedded; the next one is read meanwhile. So the memory
is that of two batches, and a kill loses one.
"""

from __future__ import annotations

import json
import os
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event, Thread
from time import monotonic
from typing import NamedTuple

import numpy as np

from rag_geo.corpus import Candidate, load_bytes
from rag_geo.embedding import Embedder, Vectors
from rag_geo.errors import IndexDamagedError
from rag_geo.index.disk import Disk
from rag_geo.index.lexical import count_terms
from rag_geo.index.manifest import SEGMENTS, Source, Stored, read_head, read_segment
from rag_geo.index.pending import Pending, note_pending
from rag_geo.index.segments import (
    FILES,
    HEAD,
    Contents,
    Making,
    digest_of,
    document_lines,
    encode,
    rows_of,
    vectors_from,
)
from rag_geo.passages import windows
from rag_geo.readers.as_json import document_from
from rag_geo.readers.plain import own_title
from rag_geo.readers.process import ReaderFailedError, ReaderProcess, Results
from rag_geo.records import Document, Skipped, Span
from rag_geo.settings import ReadingSettings, WindowSettings
from rag_geo.text.folding import visible
from rag_geo.text.words import terms

BATCH_WINDOWS = 2048
"""Windows of a batch: about twenty seconds of work on two cores, which is what a kill loses."""

BUILDING = "building-"
_AHEAD_FILES = 8
_CORES_PER_READER = 4
_POLL_S = 0.1

Progress = Callable[[str, int, int], None]
Key = tuple[str, str]
"""What makes two documents the same: SHA-256 of their bytes, and the format they were read as."""


class Place(NamedTuple):
    """Where a content is stored: number `row` of a segment."""

    segment: str
    row: int


class Item(NamedTuple):
    """A file of the folder, `size` bytes, with what was read of it."""

    file: str
    sha256: str
    size: int
    results: Results


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready to be embedded: its lines in a segment, its windows with their texts, and its words."""

    key: Key
    lines: tuple[bytes, bytes, bytes]
    windows: tuple[tuple[int, int, int], ...]
    texts: tuple[str, ...]
    digests: tuple[bytes, ...]
    words: tuple[Sequence[str], ...]
    title: Sequence[str]


@dataclass(slots=True)
class Batch:
    """Files with the documents that are new with them; `names` has, by file, the name and key of each document."""

    items: list[Item] = field(default_factory=list)
    names: list[list[tuple[str, Key]]] = field(default_factory=list)
    documents: list[Prepared] = field(default_factory=list)
    windows: int = 0


@dataclass(slots=True)
class Spent:
    """Seconds of the stages: `embedding` in the embedder, `writing` on the disk, `waiting` for the files to be read."""

    embedding: float = 0.0
    writing: float = 0.0
    waiting: float = 0.0


@dataclass(slots=True)
class Remarks:
    """What readers said of the documents that were read: `warnings` with the names, and how much was `dropped`."""

    warnings: list[tuple[str, str]] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)

    def add(self, document: Document) -> None:
        """Take up what was said of one more."""
        self.warnings += [(document.file, each) for each in document.warnings]
        self.dropped.update(dict(document.removed))


class KnownVectors:
    """The vectors of texts that were embedded before, read from the segments that hold them."""

    def __init__(self, index_dir: Path) -> None:
        self._index_dir = index_dir
        self._places: dict[bytes, Place] = {}
        self._read = lru_cache(4)(self._read_segment)

    def add(self, segment: str, digests: Iterable[bytes]) -> None:
        """Tell that a segment has the vectors of these texts, in order."""
        for row, digest in enumerate(digests):
            self._places.setdefault(digest, Place(segment, row))

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._places

    def fill(self, out: Vectors, wanted: Mapping[int, bytes]) -> None:
        """Write the vector of each wanted text into its row of `out`."""
        rows: dict[str, list[tuple[int, int]]] = {}
        for row, digest in wanted.items():
            place = self._places[digest]
            rows.setdefault(place.segment, []).append((row, place.row))
        for segment, pairs in rows.items():
            stored = self._read(segment)
            out[[row for row, _ in pairs]] = stored[[there for _, there in pairs]]

    def _read_segment(self, segment: str) -> Vectors:
        head = read_head(self._index_dir, segment)
        return vectors_from(read_segment(self._index_dir, segment, head, ["vectors.faiss"])["vectors.faiss"])


class StoredTexts:
    """Documents from what segments store of them."""

    def __init__(self, index_dir: Path) -> None:
        self._index_dir = index_dir
        self._read = lru_cache(4)(self._read_segment)

    def document(self, stored: Stored) -> Document:
        """One document. Raises IndexDamagedError, and FileNotFoundError when the segment is gone."""
        details, texts, paragraphs = (lines[stored.row] for lines in self._read(stored.segment))
        return document_from(stored.name, json.loads(details), json.loads(texts), json.loads(paragraphs))

    def _read_segment(self, segment: str) -> list[list[bytes]]:
        files = read_segment(self._index_dir, segment, read_head(self._index_dir, segment), FILES[:3])
        return [files[name].splitlines() for name in FILES[:3]]


def stored_in(segment: str, documents: bytes) -> dict[Key, Place]:
    """Where the contents of a segment are, from its ``documents.jsonl``."""
    known = (json.loads(each) for each in documents.splitlines())
    return {(one["sha256"], one["format"]): Place(segment, row) for row, one in enumerate(known)}


class FolderReader:
    """Reads files, several at the same time; `items` gives them in order, `end` makes what is left of it short."""

    def __init__(self, candidates: Sequence[Candidate], settings: ReadingSettings) -> None:
        self._candidates = candidates
        self._settings = settings
        count = max(1, min(8, len(os.sched_getaffinity(0)) // _CORES_PER_READER))
        self._readers = [ReaderProcess(settings) for _ in range(count)]
        self._free: Queue[ReaderProcess] = Queue()
        for each in self._readers:
            self._free.put(each)

    def items(self) -> Generator[Item]:
        """Every file with what was read of it."""
        waiting: deque[Future[Item]] = deque()
        with ThreadPoolExecutor(len(self._readers)) as pool:
            try:
                for candidate in self._candidates:
                    waiting.append(pool.submit(self._read, candidate))
                    if len(waiting) >= len(self._readers) + _AHEAD_FILES:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                self.end()
                pool.shutdown(cancel_futures=True)
                for each in self._readers:
                    each.close()

    def end(self) -> None:
        """Stop reading, also from another thread."""
        for each in self._readers:
            each.end()

    def _read(self, candidate: Candidate) -> Item:
        loaded = load_bytes(candidate, self._settings)
        if isinstance(loaded, Skipped):
            return Item(candidate.file, "", candidate.size, (loaded,))
        reader = self._free.get()
        try:
            results = reader.read(loaded.file, loaded.data, loaded.sha256)
        except ReaderFailedError as error:
            # Without a hash: the next update tries again.
            return Item(candidate.file, "", candidate.size, (Skipped(candidate.file, str(error)),))
        finally:
            self._free.put(reader)
        return Item(loaded.file, loaded.sha256, len(loaded.data), results)


def prepare(document: Document, embedder: Embedder, settings: WindowSettings) -> Prepared:
    """Cut a document into windows, and count what words it has."""
    found = windows(document, settings, embedder.count_tokens, embedder.max_tokens)
    language = document.language or "en"
    numbers = list(dict.fromkeys(window.paragraph for window in found))
    return Prepared(
        key=(document.sha256, document.format),
        lines=document_lines(document),
        windows=tuple((window.paragraph, window.start, window.end) for window in found),
        texts=tuple(window.text for window in found),
        digests=tuple(digest_of(window.text) for window in found),
        words=tuple(terms([_words_of(document, number) for number in numbers], language)),
        title=terms([own_title(document)], language)[0],
    )


def ingest(
    items: Generator[Item],
    size: int,
    index_dir: Path,
    embedder: Embedder,
    making: Making,
    stored: dict[Key, Place],
    vectors: KnownVectors,
    progress: Progress,
    disk: Disk,
    *,
    end: Callable[[], None] = lambda: None,
    spent: Spent | None = None,
    remarks: Remarks | None = None,
) -> tuple[list[Source], int]:
    """Store what is new in `items`, `size` bytes in all, and give their sources and how many windows were embedded.

    `stored` says where contents are already, and gets those that are written here; `end` is called when `items` are not
    wanted any more. `remarks` get what readers say of new contents. Raises OSError when the disk fails.
    """
    sources: list[Source] = []
    embedded = windows_done = bytes_done = 0
    spent = spent or Spent()
    batches = _batches(items, embedder, making.windows, set(stored), remarks or Remarks())
    with closing(_ahead(batches, end, spent)) as prepared:
        for batch in prepared:
            bytes_done += sum(item.size for item in batch.items)
            total = _estimate(windows_done + batch.windows, bytes_done, size)

            def advance(done: int, _: int, before: int = windows_done, total: int = total) -> None:
                progress("embedding", before + done, total)

            advance(0, 0)
            began = monotonic()
            made, fresh = _embed(batch, embedder, vectors, advance)
            spent.embedding += monotonic() - began
            began = monotonic()
            name = write_segment(index_dir, _contents(batch, made), making, disk) if batch.documents else ""
            for row, document in enumerate(batch.documents):
                stored[document.key] = Place(name, row)
            vectors.add(name, (digest for document in batch.documents for digest in document.digests))
            done = [_source(item, names, stored) for item, names in zip(batch.items, batch.names, strict=True)]
            note_pending(index_dir, disk, Pending(name, tuple(done)))
            spent.writing += monotonic() - began
            sources += done
            embedded += fresh
            windows_done += batch.windows
            progress("embedding", windows_done, max(total, windows_done))
    return sources, embedded


def write_segment(index_dir: Path, contents: Contents, making: Making, disk: Disk) -> str:
    """Write a segment, whole or not at all, and give its name; what is whole of one that is there is left."""
    name, files = encode(contents, making)
    folder = index_dir / SEGMENTS
    building, final = folder / f"{BUILDING}{name}", folder / name
    if final.is_dir():
        _mend_segment(final, files, disk)
    else:
        disk.remove(building)
        disk.remove(final)
        disk.make_folder(building)
        for each in (*FILES, HEAD):
            disk.write(building / each, files[each])
        disk.sync_folder(building)
        disk.rename(building, final)
    # Also for one that is there: who wrote it may have been killed before this.
    disk.sync_folder(folder)
    return name


def _mend_segment(folder: Path, files: Mapping[str, bytes], disk: Disk) -> None:
    """Replace the files of a segment that are not as they were written.

    File by file, as its texts may be the only ones that there are: an end on the way leaves no more damage than before.
    """
    for name in (*FILES, HEAD):
        path, building = folder / name, folder / f"{BUILDING}{name}"
        if _has(path, files[name]):
            continue
        for each in (building, path) if path.is_dir() else (building,):
            disk.remove(each)
        disk.write(building, files[name])
        disk.rename(building, path)
        disk.sync_folder(folder)


def _has(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def is_whole(index_dir: Path, segment: str) -> bool:
    """Whether a segment is there and every byte of it as it was written."""
    try:
        read_segment(index_dir, segment, read_head(index_dir, segment))
    except (FileNotFoundError, NotADirectoryError, IndexDamagedError):
        return False
    return True


def rebased(source: Source, file: str) -> Source:
    """What came of a file, as it would have under another name."""

    def renamed(name: str) -> str:
        return file + name[len(source.file) :]

    return Source(
        file,
        source.sha256,
        tuple(replace(one, name=renamed(one.name)) for one in source.documents),
        tuple(Skipped(renamed(one.file), one.reason) for one in source.skipped),
    )


def _words_of(document: Document, number: int) -> str:
    """What words are matched with: the visible text of a paragraph below its headings."""
    paragraph = document.paragraphs[number - 1]
    seen = visible(document.text, Span(paragraph.start, paragraph.end), document.hidden)
    return f"{paragraph.heading}\n{seen}" if paragraph.heading else seen


def _batches(
    items: Generator[Item], embedder: Embedder, settings: WindowSettings, known: set[Key], remarks: Remarks
) -> Generator[Batch]:
    """The items in batches of some `BATCH_WINDOWS`, with the documents whose content is not known."""
    batch = Batch()
    with closing(items):
        for item in items:
            names: list[tuple[str, Key]] = []
            for result in item.results:
                if isinstance(result, Skipped):
                    continue
                key = (result.sha256, result.format)
                names.append((result.file, key))
                if key not in known:
                    known.add(key)
                    remarks.add(result)
                    prepared = prepare(result, embedder, settings)
                    batch.documents.append(prepared)
                    batch.windows += len(prepared.windows)
            batch.items.append(item._replace(results=tuple(one for one in item.results if isinstance(one, Skipped))))
            batch.names.append(names)
            if batch.windows >= BATCH_WINDOWS:
                yield batch
                batch = Batch()
    if batch.items:
        yield batch


def _ahead(batches: Generator[Batch], end: Callable[[], None], spent: Spent) -> Generator[Batch]:
    """The same batches, the next of which is made in another thread while one is worked on."""
    made: Queue[Batch | BaseException | None] = Queue(1)
    stopped = Event()

    def put(value: Batch | BaseException | None) -> bool:
        while not stopped.is_set():
            with suppress(Full):
                made.put(value, timeout=_POLL_S)
                return True
        return False

    def run() -> None:
        try:
            with closing(batches):
                for batch in batches:
                    if not put(batch):
                        return
            put(None)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits for it
            put(error)

    thread = Thread(target=run, name="preparing", daemon=True)
    thread.start()
    try:
        while True:
            began = monotonic()
            value = made.get()
            spent.waiting += monotonic() - began
            if value is None:
                return
            if isinstance(value, BaseException):
                raise value
            yield value
    finally:
        stopped.set()
        end()
        with suppress(Empty):
            made.get_nowait()
        thread.join()


def _embed(
    batch: Batch, embedder: Embedder, vectors: KnownVectors, progress: Callable[[int, int], None]
) -> tuple[Vectors, int]:
    """The vector of each window of a batch, from before where it has the same text; and how many are new."""
    texts = [text for document in batch.documents for text in document.texts]
    digests = [digest for document in batch.documents for digest in document.digests]
    out = np.empty((len(texts), embedder.dimension), np.float32)
    vectors.fill(out, {row: digest for row, digest in enumerate(digests) if digest in vectors})
    fresh: dict[bytes, list[int]] = {}
    for row, digest in enumerate(digests):
        if digest not in vectors:
            fresh.setdefault(digest, []).append(row)
    made = embedder.embed([texts[rows[0]] for rows in fresh.values()], progress) if fresh else None
    for number, rows in enumerate(fresh.values()):
        assert made is not None
        out[rows] = made[number]
    return out, len(fresh)


def _contents(batch: Batch, vectors: Vectors) -> Contents:
    documents = batch.documents
    return Contents(
        tuple(document.lines for document in documents),
        rows_of([document.windows for document in documents], [d for each in documents for d in each.digests]),
        vectors,
        count_terms([words for document in documents for words in document.words]),
        count_terms([document.title for document in documents]),
    )


def _source(item: Item, names: Sequence[tuple[str, Key]], stored: Mapping[Key, Place]) -> Source:
    documents = tuple(Stored(name, key[0], *stored[key]) for name, key in names)
    return Source(item.file, item.sha256, documents, tuple(one for one in item.results if isinstance(one, Skipped)))


def _estimate(windows_so_far: int, bytes_so_far: int, size: int) -> int:
    """How many windows there will be in all, if the rest of the files is like what was read of them."""
    return max(windows_so_far, round(windows_so_far * size / max(1, bytes_so_far)))

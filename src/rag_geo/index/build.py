"""Build and update an index: store what is new, write a generation beside the old one, then name it in ``CURRENT``."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from shlex import quote
from typing import NamedTuple

from rag_geo.corpus import CHANGES, Candidate, Scan, load_bytes, scan
from rag_geo.embedding import Embedder
from rag_geo.errors import CorpusError, IndexLockedError, IndexMismatchError, IndexMissingError, ResourceError
from rag_geo.index.compaction import compact
from rag_geo.index.disk import Disk
from rag_geo.index.ingest import (
    BUILDING,
    FolderReader,
    Item,
    Key,
    KnownVectors,
    Place,
    Remarks,
    Spent,
    StoredTexts,
    ingest,
    is_whole,
    rebased,
    stored_in,
)
from rag_geo.index.left_out import REASON as LEFT_OUT
from rag_geo.index.left_out import read_left_out
from rag_geo.index.lexical import VERSION as LEXICAL_VERSION
from rag_geo.index.manifest import (
    CURRENT,
    EXAMPLES,
    MANIFEST,
    SEGMENTS,
    SKIPPED,
    SOURCES,
    Manifest,
    Source,
    current_bytes,
    current_generation,
    damaged,
    folder_of_older,
    generation_number,
    read_generation,
    read_head,
    read_manifest,
    read_segment,
    skipped_from,
    skipped_lines,
    source_lines,
    sources_from,
)
from rag_geo.index.pending import PENDING, read_pending
from rag_geo.index.salvage import OLDER, damages, salvage
from rag_geo.index.segments import FileEntry, Making, is_segment_name, rows_from
from rag_geo.index.store import check_embedder
from rag_geo.records import Skipped
from rag_geo.settings import ReadingSettings, Settings

READING = 4
"""Version of the readers: raised when the same file gives another document, so that an update reads all again."""

LOCK = "LOCK"
WRITER = "WRITER"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Warned:
    """A file that was read, and what the reader of its paragraphs should know."""

    file: str
    warning: str


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What an update did.

    `changed` counts files whose bytes are others than before; `read` the files that a reader was asked to read, and
    `windows_embedded` the windows whose vector was not known. `generation` is what the index holds now: the old one
    when `published` is False, as there was nothing to change. `spent` is seconds by stage. `warnings` and `dropped` are
    what the readers said of what was read now: which file is read otherwise than its author wrote it, and how much of
    what no reader sees was left out, by its kind.
    """

    generation: str
    published: bool
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    skipped: tuple[Skipped, ...]
    documents: int
    paragraphs: int
    windows: int
    read: int
    windows_embedded: int
    seconds: float
    spent: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[Warned, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)


class _Old(NamedTuple):
    """The generation that there is, without its texts and vectors."""

    manifest: Manifest
    sources: tuple[Source, ...]
    skipped: tuple[Skipped, ...]


@dataclass(slots=True)
class _Work:
    """One update while it runs."""

    index_dir: Path
    embedder: Embedder
    settings: Settings
    making: Making
    progress: Progress
    disk: Disk
    spent: Spent = field(default_factory=Spent)
    remarks: Remarks = field(default_factory=Remarks)


def update_index(
    folder: Path,
    index_dir: Path,
    embedder: Embedder,
    settings: Settings | None = None,
    progress: Progress | None = None,
    *,
    rebuild: bool = False,
    disk: Disk | None = None,
) -> IndexReport:
    """Make the index at `index_dir` hold what `folder` holds now; only what changed is read and embedded.

    `progress(stage, done, total)` is told how far it is, with the stages "looking" (files), "embedding" (windows, of
    about so many) and "writing" (files). With `rebuild` the old generation is not looked at. Files that
    `rag_geo.index.left_out` lists are skipped, also then. What an update that was killed had stored is not done again.

    Raises CorpusError for the folder, IndexLockedError while another process writes, IndexMismatchError for an index of
    another folder, embedder or format, IndexDamagedError for an old generation that cannot be read, ResourceError when
    the disk is full or fails; the old generation stays as it was then, as when the process is interrupted or killed at
    any moment.
    """
    started = time.monotonic()
    work = _work(index_dir, embedder, settings or Settings(), progress, disk)
    found = _look(scan(folder, work.settings.reading), folder, work.index_dir)
    candidates, skipped = _not_all_left_out(found, work.index_dir)
    with _translated(work.index_dir), one_writer(work.index_dir, work.disk):
        resolved = folder.expanduser().resolve()
        old = None if rebuild else _old(work.index_dir, embedder, resolved)
        if old:
            _refuse_another_folder(old, work.index_dir, resolved, candidates)
        hashed = _hash_all(candidates, work)
        done = _reusable(old, work)
        known, new = _parted(hashed, done, _texts_to_take(old, work))
        with _cleared_when_full(work):
            sources, embedded = _store_new(known, new, old, done, work)
            report = _Reporter(old, started, len(new.read), embedded, work.spent, work.remarks)
            if old and _is_same(old, sources, skipped, resolved, work.making):
                # Who published it may have been killed before this; a power cut must not bring the one before back.
                work.disk.sync_folder(work.index_dir)
                _sweep(work.index_dir, old.manifest, work.disk)
                return report.of(old.manifest, sources, skipped, published=False)
            manifest, made = _publish(sources, skipped, resolved, work)
            return report.of(manifest, made, skipped, published=True)


def rebuild_index(
    index_dir: Path,
    embedder: Embedder,
    settings: Settings | None = None,
    progress: Progress | None = None,
    *,
    disk: Disk | None = None,
) -> IndexReport:
    """Make the index at `index_dir` anew from the texts that it stores, without the files they were read from.

    Windows, vectors and words are made again; with the embedder that made the index, vectors that are whole are used
    again, with another one everything is embedded. A damaged file of texts loses the documents in it, which are skipped
    with the reason in what is published; that an earlier generation had to do is among what is skipped in the report.

    Raises IndexMissingError, IndexDamagedError when it cannot be said which texts it held, and otherwise what
    `update_index` raises.
    """
    started = time.monotonic()
    work = _work(index_dir, embedder, settings or Settings(), progress, disk)
    with _translated(work.index_dir), one_writer(work.index_dir, work.disk):
        found = salvage(work.index_dir)
        work.making = _making(embedder, work.settings, found.reading)
        vectors = KnownVectors(work.index_dir)
        for segment, digests in found.vectors(embedder.id).items():
            vectors.add(segment, digests)
        stored: dict[Key, Place] = {}
        with _cleared_when_full(work):
            stored_again, embedded = ingest(
                found.items(), found.size, work.index_dir, embedder, work.making, stored, vectors, work.progress,
                work.disk, spent=work.spent,
            )  # fmt: skip
            manifest, made = _publish(_in_order(stored_again), found.skipped, Path(found.folder), work)
        old = _Old(manifest, found.sources, found.skipped)
        told = (*found.skipped, *(Skipped(name, OLDER) for name in found.newer))
        return _Reporter(old, started, 0, embedded, work.spent, Remarks()).of(manifest, made, told, published=True)


def purge(index_dir: Path, disk: Disk | None = None) -> int:
    """Remove every generation and segment that the current one does not need; gives the bytes that were freed.

    Raises what `rag_geo.index.manifest.read_manifest` raises, IndexLockedError and ResourceError.
    """
    index_dir, disk = index_dir.expanduser(), disk or Disk()
    with _translated(index_dir), one_writer(index_dir, disk):
        before, manifest = _bytes_in(index_dir), read_manifest(index_dir)
        disk.sync_folder(index_dir)  # nothing that a power cut could make the current one again is removed
        _sweep(index_dir, manifest, disk, keep_previous=False, strict=True)
        return before - _bytes_in(index_dir)


def survey(folder: Path, index_dir: Path, settings: ReadingSettings) -> Scan:
    """What an update of the index at `index_dir` would find in `folder` now, opening none; it may hold nothing.

    Raises CorpusError for a folder that cannot be read, and what `read_left_out` raises.
    """
    return _look(scan(folder, settings, may_be_empty=True), folder, index_dir)


def reading_version(settings: ReadingSettings) -> str:
    """What decides what is read of a file, besides its bytes and its name."""
    return f"{READING} {json.dumps({'json_fields': settings.json_fields, 'ocr': settings.ocr}, sort_keys=True)}"


def _work(
    index_dir: Path, embedder: Embedder, settings: Settings, progress: Progress | None, disk: Disk | None
) -> _Work:
    making = _making(embedder, settings, reading_version(settings.reading))
    return _Work(index_dir.expanduser(), embedder, settings, making, progress or _say_nothing, disk or Disk())


def _making(embedder: Embedder, settings: Settings, reading: str) -> Making:
    return Making(embedder.id, embedder.dimension, settings.windows, reading, LEXICAL_VERSION)


def _look(found: Scan, folder: Path, index_dir: Path) -> Scan:
    """The same without the files of the index when it lies in `folder`; those left out are among what is skipped."""
    root, own = folder.expanduser().resolve(), index_dir.resolve()
    inside = f"{own.relative_to(root).as_posix()}/" if own.is_relative_to(root) else "/"  # no file begins with "/"
    left_out = frozenset(read_left_out(index_dir))
    candidates = [one for one in found.candidates if not one.file.startswith(inside)]
    skipped = [one for one in found.skipped if not one.file.startswith(inside)]
    skipped += [Skipped(one.file, LEFT_OUT) for one in candidates if one.file in left_out]
    return Scan(tuple(one for one in candidates if one.file not in left_out), tuple(skipped))


def _not_all_left_out(found: Scan, index_dir: Path) -> Scan:
    """The same; raises CorpusError when there are documents and the user left out every one."""
    away = [one.file for one in found.skipped if one.reason == LEFT_OUT]
    if away and not found.candidates:
        raise CorpusError(
            f"every document is left out, {away[0]!r} for one",
            hint=f"rag-geo leave-out --undo FILE --index {quote(os.fspath(index_dir))} takes one back",
        )
    return found


def _old(index_dir: Path, embedder: Embedder, folder: Path) -> _Old | None:
    try:
        if folder_of_older(index_dir) == os.fspath(folder):
            return None  # an earlier program made it of the same folder: all of it is read again
        manifest = read_manifest(index_dir)
    except IndexMissingError:
        return None
    except FileNotFoundError as error:
        raise damaged(index_dir, Path(error.filename).relative_to(index_dir).as_posix(), "is missing") from error
    check_embedder(index_dir, manifest, embedder)
    # What is not read again must be whole: a generation is not built on a segment that cannot be opened.
    for damage in damages(index_dir):
        raise damage
    generation = {name: read_generation(index_dir, manifest, name) for name in (SOURCES, SKIPPED)}
    return _Old(manifest, sources_from(generation[SOURCES]), skipped_from(generation[SKIPPED]))


def _refuse_another_folder(old: _Old, index_dir: Path, folder: Path, candidates: Sequence[Candidate]) -> None:
    """Raise IndexMismatchError unless `old` holds `folder`, or one that was moved there: gone, with files in common."""
    made_of = old.manifest.folder
    if made_of == os.fspath(folder):
        return
    files = {source.file for source in old.sources}
    if not Path(made_of).is_dir() and any(one.file in files for one in candidates):
        return
    again = f"rag-geo index {quote(os.fspath(folder))} --index"
    raise IndexMismatchError(
        f"index {str(index_dir)!r} holds the folder {made_of!r}, you asked for {os.fspath(folder)!r}",
        hint=f"{again} OTHER keeps both; {again} {quote(os.fspath(index_dir))} --rebuild replaces what it holds",
    )


def _hash_all(candidates: Sequence[Candidate], work: _Work) -> list[tuple[Candidate, str]]:
    """The SHA-256 of every file, "" for one that cannot be read."""
    found = []
    for done, candidate in enumerate(candidates):
        work.progress("looking", done, len(candidates))
        loaded = load_bytes(candidate, work.settings.reading)
        found.append((candidate, "" if isinstance(loaded, Skipped) else loaded.sha256))
    work.progress("looking", len(candidates), len(candidates))
    return found


def _reusable(old: _Old | None, work: _Work) -> list[Source]:
    """What the old generation and a killed update have done of what is to be made now."""
    sources = list(old.sources) if old and old.manifest.making == work.making else []
    there = set(old.manifest.segments if old else ())
    for segment, done in read_pending(work.index_dir):
        if segment:
            if not _is_made_so(work.index_dir, segment, work.making):
                continue
            there.add(segment)
        sources += [one for one in done if all(document.segment in there for document in one.documents)]
    return sources


def _is_made_so(index_dir: Path, segment: str, making: Making) -> bool:
    return is_segment_name(segment) and is_whole(index_dir, segment) and read_head(index_dir, segment).making == making


def _texts_to_take(old: _Old | None, work: _Work) -> Sequence[Source]:
    """Sources whose texts were read as they would be now, but cut, embedded or counted otherwise."""
    if old is None or old.manifest.making == work.making or old.manifest.making.reading != work.making.reading:
        return ()
    return old.sources


class _New(NamedTuple):
    """What is to be made: files to read, and sources whose stored texts are taken.

    `copies` are other files with the same bytes, each with their hash, by the name of the one that is read.
    """

    read: list[Candidate]
    stored: list[tuple[Candidate, Source]]
    copies: dict[str, list[tuple[str, str]]]


def _parted(
    hashed: Sequence[tuple[Candidate, str]], done: Sequence[Source], texts: Sequence[Source]
) -> tuple[list[Source], _New]:
    """The sources that are known as they are, and what is to be made.

    A file without a hash, now or then, is like no other: it could not be read, and is tried again.
    """
    here = {(source.file, source.sha256): source for source in done}
    same = {_likeness(source.file, source.sha256): source for source in done}
    taken = {_likeness(source.file, source.sha256): source for source in texts}
    known: list[Source] = []
    new = _New([], [], {})
    first: dict[tuple[str, str], str] = {}
    for candidate, sha256 in hashed:
        if not sha256:
            new.read.append(candidate)
            continue
        likeness = _likeness(candidate.file, sha256)
        found = here.get((candidate.file, sha256)) or same.get(likeness)
        if found is not None:
            known.append(rebased(found, candidate.file))
        elif likeness in first:
            new.copies.setdefault(first[likeness], []).append((candidate.file, sha256))
        elif likeness in taken:
            first[likeness] = candidate.file
            new.stored.append((candidate, rebased(taken[likeness], candidate.file)))
        else:
            first[likeness] = candidate.file
            new.read.append(candidate)
    return known, new


def _likeness(file: str, sha256: str) -> tuple[str, str]:
    """What decides what a file is read as: its bytes, and the endings of its name."""
    return sha256, "".join(PurePosixPath(file).suffixes).lower()


def _store_new(
    known: Sequence[Source], new: _New, old: _Old | None, done: Sequence[Source], work: _Work
) -> tuple[list[Source], int]:
    """Every source, and how many windows were embedded for those that were not known."""
    if not new.read and not new.stored:
        return _in_order(known), 0
    held = {document.segment for source in done for document in source.documents}
    segments = list(dict.fromkeys((*(old.manifest.segments if old else ()), *sorted(held))))
    vectors = KnownVectors(work.index_dir)
    stored: dict[Key, Place] = {}
    for segment in segments:
        head = read_head(work.index_dir, segment)
        files = read_segment(work.index_dir, segment, head, ("documents.jsonl", "windows.npz"))
        vectors.add(segment, map(bytes, rows_from(files["windows.npz"]).window_digest))
        if head.making == work.making:
            stored |= stored_in(segment, files["documents.jsonl"])
    reader = FolderReader(new.read, work.settings.reading)
    size = sum(one.size for one in new.read) + sum(candidate.size for candidate, _ in new.stored)
    made, embedded = ingest(
        _items(new, reader, work.index_dir), size, work.index_dir, work.embedder, work.making, stored, vectors,
        work.progress, work.disk, end=reader.end, spent=work.spent, remarks=work.remarks,
    )  # fmt: skip
    copies = [_copy(source, *copy) for source in made for copy in new.copies.get(source.file, ())]
    return _in_order([*known, *made, *copies]), embedded


def _copy(source: Source, file: str, sha256: str) -> Source:
    """What came of a file that had the same bytes as that of `source`, if that was read as it was then."""
    if source.sha256 == sha256:
        return rebased(source, file)
    return Source(file, "", skipped=(Skipped(file, CHANGES),))


def _items(new: _New, reader: FolderReader, index_dir: Path) -> Generator[Item]:
    yield from reader.items()
    texts = StoredTexts(index_dir)
    for candidate, source in new.stored:
        documents = tuple(texts.document(one) for one in source.documents)
        yield Item(source.file, source.sha256, candidate.size, (*documents, *source.skipped))


def _in_order(sources: Iterable[Source]) -> list[Source]:
    return sorted(sources, key=lambda source: os.fsencode(source.file))


def _is_same(old: _Old, sources: Sequence[Source], skipped: Sequence[Skipped], folder: Path, making: Making) -> bool:
    return (old.manifest.folder, old.manifest.making, old.sources, old.skipped) == (
        os.fspath(folder), making, tuple(sources), tuple(skipped))  # fmt: skip


def _publish(
    sources: Sequence[Source], skipped: Sequence[Skipped], folder: Path, work: _Work
) -> tuple[Manifest, Sequence[Source]]:
    """Write a generation beside the others and name it in ``CURRENT``; on any failure nothing of it is left."""
    index_dir, disk = work.index_dir, work.disk
    began = time.monotonic()
    segments, sources = compact(index_dir, sources, work.making, disk)
    numbers = [number for path in index_dir.iterdir() if (number := generation_number(path.name)) is not None]
    generation = f"gen-{max(numbers, default=0) + 1:06d}"
    files = {SOURCES: source_lines(sources), SKIPPED: skipped_lines(skipped)}
    heads = [read_head(index_dir, segment) for segment in segments]
    manifest = Manifest(
        generation=generation,
        built=datetime.now(UTC).isoformat(timespec="seconds"),
        folder=os.fspath(folder),
        making=work.making,
        documents=sum(len(source.documents) for source in sources),
        contents=sum(head.documents for head in heads),
        paragraphs=sum(head.paragraphs for head in heads),
        windows=sum(head.windows for head in heads),
        skipped=len(skipped) + sum(len(source.skipped) for source in sources),
        segments=tuple(segments),
        files=tuple((n, FileEntry(len(data), hashlib.sha256(data).hexdigest())) for n, data in files.items()),
    )
    files[MANIFEST] = manifest.to_bytes()
    building, final = index_dir / f"{BUILDING}{generation}", index_dir / generation
    named = index_dir / f"{CURRENT}.new"
    try:
        disk.remove(building)
        disk.make_folder(building)
        for done, (name, data) in enumerate(files.items()):
            work.progress("writing", done, len(files))
            disk.write(building / name, data)
        disk.sync_folder(building)
        disk.rename(building, final)
        disk.sync_folder(index_dir)
        disk.remove(named)
        disk.write(named, current_bytes(generation, files[MANIFEST]))
        if (index_dir / CURRENT).is_dir():
            disk.remove(index_dir / CURRENT)  # a file cannot take the place of a folder that was put there
        disk.rename(named, index_dir / CURRENT)
        disk.sync_folder(index_dir)
    except BaseException:
        if current_generation(index_dir) != generation:
            for path in (building, final, named):
                with suppress(OSError):
                    disk.remove(path)
        raise
    work.progress("writing", len(files), len(files))
    _sweep(index_dir, manifest, disk)
    work.spent.writing += time.monotonic() - began
    return manifest, sources


def _sweep(index_dir: Path, current: Manifest, disk: Disk, *, keep_previous: bool = True, strict: bool = False) -> None:
    """Remove what no reader needs: generations before the previous one, their segments, what killed writers left.

    Without `strict` a failure is no trouble: the index is whole without this, and the next update tries again.
    """
    for path in _superfluous(index_dir, current, keep_previous=keep_previous):
        try:
            disk.remove(path)
        except OSError:
            if strict:
                raise


def _superfluous(index_dir: Path, current: Manifest, *, keep_previous: bool) -> Iterator[Path]:
    kept = {current.generation}
    segments = set(current.segments)
    earlier = [name for path in index_dir.iterdir() if _is_before(name := path.name, current.generation)]
    if keep_previous and earlier:
        previous = max(earlier, key=lambda name: generation_number(name) or 0)
        kept.add(previous)
        with suppress(OSError):  # one whose manifest cannot be read cannot be opened
            segments |= _segments_of(index_dir / previous / MANIFEST)
    yield index_dir / PENDING
    for path in sorted(index_dir.iterdir()):
        old = generation_number(path.name) is not None and path.name not in kept
        if (
            old
            or path.name.startswith((BUILDING, f"{CURRENT}."))
            or (path.name.endswith(EXAMPLES) and path.name.removesuffix(EXAMPLES) not in kept)
        ):
            yield path
    folder = index_dir / SEGMENTS
    yield from (path for path in sorted(folder.iterdir() if folder.is_dir() else ()) if path.name not in segments)


def _is_before(name: str, generation: str) -> bool:
    number = generation_number(name)
    return number is not None and number < (generation_number(generation) or 0)


def _segments_of(manifest: Path) -> set[str]:
    """The segments of a generation; none when its manifest is damaged, as it cannot be opened then. Raises OSError."""
    data = manifest.read_bytes()
    try:
        return set(json.loads(data)["segments"])
    except (ValueError, KeyError, TypeError):
        return set()


@contextmanager
def _cleared_when_full(work: _Work) -> Iterator[None]:
    """Give the disk back what an update took that fails for it; one that is interrupted goes on the next time."""
    try:
        yield
    except OSError:
        # When it cannot even be read what is needed (too many open files, a failing disk), nothing is removed.
        with suppress(OSError):
            _remove_unpublished(work.index_dir)
        raise


def _remove_unpublished(index_dir: Path) -> None:
    """Remove the segments that no generation names. Raises OSError before anything is removed, or none."""
    manifests = [path / MANIFEST for path in index_dir.iterdir() if generation_number(path.name) is not None]
    known = {segment for path in manifests if path.exists() for segment in _segments_of(path)}
    folder = index_dir / SEGMENTS
    unknown = [path for path in (folder.iterdir() if folder.is_dir() else ()) if path.name not in known]
    for path in (index_dir / PENDING, *unknown):
        with suppress(OSError):
            Disk().remove(path)


def _bytes_in(index_dir: Path) -> int:
    return sum(path.stat().st_size for path in index_dir.rglob("*") if path.is_file())


class _Reporter(NamedTuple):
    """What is known of an update before it is published."""

    old: _Old | None
    started: float
    read: int
    embedded: int
    spent: Spent
    remarks: Remarks

    def of(
        self, manifest: Manifest, sources: Sequence[Source], skipped: Sequence[Skipped], *, published: bool
    ) -> IndexReport:
        before = _hashes(self.old.sources) if self.old else {}
        after = _hashes(sources)
        kept = before.keys() & after.keys()
        changed = tuple(file for file in after if file in kept and before[file] != after[file])
        everything = [*skipped, *(one for source in sources for one in source.skipped)]
        return IndexReport(
            generation=manifest.generation,
            published=published,
            added=tuple(file for file in after if file not in kept),
            changed=changed,
            removed=tuple(file for file in before if file not in kept),
            unchanged=len(kept) - len(changed),
            skipped=tuple(sorted(everything, key=lambda one: os.fsencode(one.file))),
            documents=manifest.documents,
            paragraphs=manifest.paragraphs,
            windows=manifest.windows,
            read=self.read,
            windows_embedded=self.embedded,
            seconds=time.monotonic() - self.started,
            spent=asdict(self.spent),
            warnings=tuple(
                sorted((Warned(*one) for one in self.remarks.warnings), key=lambda one: os.fsencode(one.file))
            ),
            dropped=dict(sorted(self.remarks.dropped.items())),
        )


def _hashes(sources: Iterable[Source]) -> dict[str, str]:
    """The SHA-256 of each document by its name, in the order of names."""
    found = {one.name: one.sha256 for source in sources for one in source.documents}
    return {name: found[name] for name in sorted(found, key=os.fsencode)}


@contextmanager
def one_writer(index_dir: Path, disk: Disk) -> Iterator[None]:
    """Be the only one that writes an index as long as the context lasts; raises IndexLockedError when another is."""
    from filelock import FileLock, Timeout

    _make_folder(index_dir, disk)
    for name in (LOCK, WRITER):
        if (index_dir / name).is_dir():
            disk.remove(index_dir / name)  # nobody can hold that
    lock = FileLock(index_dir / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        try:
            who = f"process {int((index_dir / WRITER).read_text('ascii'))}"
        except (OSError, ValueError):
            who = "another process"
        raise IndexLockedError(
            f"index {str(index_dir)!r} is being written by {who}", hint="wait until it is done"
        ) from error
    try:
        disk.write(index_dir / WRITER, f"{os.getpid()}\n".encode("ascii"))
        yield
    finally:
        lock.release()


def _make_folder(path: Path, disk: Disk) -> None:
    """Make the folder of an index and those above it, unless there is an index; their names are on the disk then."""
    if (path / CURRENT).exists():
        return
    missing = [each for each in (path, *path.parents) if not each.exists()]
    # The lowest that is there may be of a writer that was killed before this. Of another's folder it is not ours to do.
    with suppress(PermissionError):
        disk.sync_folder((missing[-1].parent if missing else path).parent)
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        disk.sync_folder(each.parent)


@contextmanager
def _translated(index_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        why = "the disk is full" if full else error.strerror or str(error)
        if not full and error.filename:
            why = f"{why}: {os.path.relpath(error.filename, index_dir)!r}"
        raise ResourceError(
            f"index {str(index_dir)!r} cannot be written: {why}; what it held before is as it was",
            hint="free space, or choose another place with --index" if full else "check the folder, or use --index",
        ) from error


def _say_nothing(stage: str, done: int, total: int) -> None:
    """Report to nobody."""

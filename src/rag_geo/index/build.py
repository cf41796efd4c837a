"""Build and update an index: embed what is new, write a generation beside the old one, then name it in ``CURRENT``."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import NamedTuple

import numpy as np

from rag_geo.corpus import Candidate, Scan, load_bytes, scan
from rag_geo.embedding import Embedder, Vectors
from rag_geo.errors import CorpusError, IndexLockedError, IndexMismatchError, IndexMissingError, ResourceError
from rag_geo.index.disk import Disk
from rag_geo.index.left_out import REASON as LEFT_OUT
from rag_geo.index.left_out import read_left_out
from rag_geo.index.lexical import VERSION as LEXICAL_VERSION
from rag_geo.index.lexical import build_lexical
from rag_geo.index.manifest import (
    CURRENT,
    EXAMPLES,
    MANIFEST,
    FileEntry,
    Manifest,
    current_bytes,
    generation_number,
)
from rag_geo.index.store import Contents, Index, Rows, encode
from rag_geo.passages import windows
from rag_geo.readers import read_document
from rag_geo.records import Document, Skipped, Span, Window
from rag_geo.settings import ReadingSettings, Settings, WindowSettings
from rag_geo.text.folding import visible

READING = 2
"""Version of the readers: raised when the same file gives another document, so that an update reads all again."""

LOCK = "LOCK"
WRITER = "WRITER"
_BUILDING = "building-"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What an update did.

    `changed` counts files whose bytes are others than before; `windows_embedded` those whose vector was not known.
    `generation` is what the index holds now: the old one when `published` is False, as there was nothing to change.
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
    windows_embedded: int
    seconds: float


class Reading(NamedTuple):
    """The documents of a folder, in order, and what was skipped."""

    documents: tuple[Document, ...]
    skipped: tuple[Skipped, ...]


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

    `progress(stage, done, total)` is told how far it is, with the stages "reading" (files), "splitting" (documents),
    "embedding" (windows) and "writing" (files). With `rebuild` the old generation is not looked at. Files that
    `rag_geo.index.left_out` lists are skipped, also then.

    Raises CorpusError for the folder, IndexLockedError while another process writes, IndexMismatchError for an index of
    another folder, embedder or format, IndexDamagedError for an old generation that cannot be read, ResourceError when
    the disk is full or fails; the old generation stays as it was then, as when the process is interrupted or killed at
    any moment.
    """
    settings, progress, disk = settings or Settings(), progress or _say_nothing, disk or Disk()
    started = time.monotonic()
    index_dir = index_dir.expanduser()
    candidates, skipped = _not_all_left_out(_look(scan(folder, settings.reading), folder, index_dir), index_dir)
    with _translated(index_dir), _one_writer(index_dir, disk):
        resolved = folder.expanduser().resolve()
        old = None if rebuild else _old(index_dir, embedder)
        if old:
            _refuse_another_folder(old, resolved, candidates)
        reading = _read(candidates, skipped, old, settings, progress)
        if old and _is_same(old, reading, resolved, settings.windows):
            _sweep(index_dir, old.generation, disk)
            return _report(old, old.manifest, reading, published=False, embedded=0, started=started)
        contents, embedded = _contents(reading, old, embedder, settings.windows, progress)
        manifest = _publish(index_dir, contents, resolved, embedder, settings.windows, progress, disk)
        return _report(old, manifest, reading, published=True, embedded=embedded, started=started)


def survey(folder: Path, index_dir: Path, settings: ReadingSettings) -> Scan:
    """What an update of the index at `index_dir` would find in `folder` now, opening none; it may hold nothing.

    Raises CorpusError for a folder that cannot be read, and what `read_left_out` raises.
    """
    return _look(scan(folder, settings, may_be_empty=True), folder, index_dir)


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


def _old(index_dir: Path, embedder: Embedder) -> Index | None:
    try:
        old = Index.load(index_dir)
    except IndexMissingError:
        return None
    old.check_embedder(embedder)
    return old


def _refuse_another_folder(old: Index, folder: Path, candidates: Sequence[Candidate]) -> None:
    """Raise IndexMismatchError unless `old` holds `folder`, or one that was moved there: gone, with files in common."""
    made_of = old.manifest.folder
    if made_of == os.fspath(folder):
        return
    if not Path(made_of).is_dir() and any(one.file in old.numbers for one in candidates):
        return
    again = f"rag-geo index {quote(os.fspath(folder))} --index"
    raise IndexMismatchError(
        f"index {str(old.path)!r} holds the folder {made_of!r}, you asked for {os.fspath(folder)!r}",
        hint=f"{again} OTHER keeps both; {again} {quote(os.fspath(old.path))} --rebuild replaces what it holds",
    )


def _read(
    candidates: Sequence[Candidate],
    skipped: Sequence[Skipped],
    old: Index | None,
    settings: Settings,
    progress: Progress,
) -> Reading:
    """Read every file whose bytes are not those that the old generation read."""
    documents: list[Document] = []
    trouble = list(skipped)
    known = old.numbers if old and old.manifest.reading == READING else {}
    for done, candidate in enumerate(candidates):
        progress("reading", done, len(candidates))
        loaded = load_bytes(candidate, settings.reading)
        if isinstance(loaded, Skipped):
            trouble.append(loaded)
            continue
        number = known.get(loaded.file)
        if old and number is not None and old.documents[number].sha256 == loaded.sha256:
            documents.append(old.document(loaded.file))
            continue
        read = read_document(loaded.file, loaded.data, sha256=loaded.sha256)
        if isinstance(read, Document):
            documents.append(read)
        else:
            trouble.append(read)
    progress("reading", len(candidates), len(candidates))
    return Reading(tuple(documents), tuple(sorted(trouble, key=lambda one: os.fsencode(one.file))))


def _is_same(old: Index, reading: Reading, folder: Path, settings: WindowSettings) -> bool:
    made = old.manifest
    return (
        (made.folder, made.windows_settings, made.reading, made.lexical)
        == (os.fspath(folder), settings, READING, LEXICAL_VERSION)
        and old.skipped == reading.skipped
        and [(one.file, one.sha256) for one in old.documents] == [(one.file, one.sha256) for one in reading.documents]
    )


def _contents(
    reading: Reading, old: Index | None, embedder: Embedder, settings: WindowSettings, progress: Progress
) -> tuple[Contents, int]:
    """Everything of the new generation, and how many windows had to be embedded for it."""
    found: list[tuple[Window, ...]] = []
    for done, document in enumerate(reading.documents):
        progress("splitting", done, len(reading.documents))
        found.append(windows(document, settings, embedder.count_tokens, embedder.max_tokens))
    progress("splitting", len(reading.documents), len(reading.documents))
    rows, texts = _rows(found)
    vectors, embedded = _vectors(rows, texts, old, embedder, progress)
    paragraphs = [
        _words_of(reading.documents[document], number)
        for document, number in zip(rows.paragraph_document.tolist(), rows.paragraph_number.tolist(), strict=True)
    ]
    per_document = [[document.title] for document in reading.documents]
    for document_number, words in zip(rows.paragraph_document.tolist(), paragraphs, strict=True):
        per_document[document_number].append(words)
    lexical = build_lexical(paragraphs, ["\n".join(parts) for parts in per_document])
    return Contents(reading.documents, reading.skipped, rows, vectors, lexical), embedded


def _words_of(document: Document, number: int) -> str:
    """What words are matched with: the visible text of a paragraph below its headings."""
    paragraph = document.paragraphs[number - 1]
    seen = visible(document.text, Span(paragraph.start, paragraph.end), document.hidden)
    return f"{paragraph.heading}\n{seen}" if paragraph.heading else seen


def _rows(found: Sequence[Sequence[Window]]) -> tuple[Rows, list[str]]:
    """The arrays over all windows, and the text of each window."""
    paragraph_document: list[int] = []
    paragraph_number: list[int] = []
    window_paragraph: list[int] = []
    for document, group in enumerate(found):
        last = 0
        for window in group:
            if window.paragraph != last:
                last = window.paragraph
                paragraph_document.append(document)
                paragraph_number.append(window.paragraph)
            window_paragraph.append(len(paragraph_number) - 1)
    flat = [window for group in found for window in group]
    texts = [window.text for window in flat]
    digests = b"".join(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16] for text in texts)
    rows = Rows(
        np.array(paragraph_document, np.int32),
        np.array(paragraph_number, np.int32),
        np.array(window_paragraph, np.int32),
        np.array([window.start for window in flat], np.int32),
        np.array([window.end for window in flat], np.int32),
        np.frombuffer(digests, np.uint8).reshape(-1, 16),
    )
    return rows, texts


def _vectors(
    rows: Rows, texts: Sequence[str], old: Index | None, embedder: Embedder, progress: Progress
) -> tuple[Vectors, int]:
    """The vector of each window, from the old generation where it has one of the same text; and how many are new."""
    out = np.empty((len(texts), embedder.dimension), np.float32)
    digests = [digest.tobytes() for digest in rows.window_digest]
    known: dict[bytes, int] = {}
    if old is not None:
        known = {digest.tobytes(): row for row, digest in enumerate(old.rows.window_digest)}
        stored = old.vectors(0, len(old.rows.window_digest))
        kept = [(row, known[digest]) for row, digest in enumerate(digests) if digest in known]
        out[[row for row, _ in kept]] = stored[[row for _, row in kept]]
    fresh: dict[bytes, int] = {}
    for row, digest in enumerate(digests):
        if digest not in known:
            fresh.setdefault(digest, row)
    made = embedder.embed(
        [texts[row] for row in fresh.values()], lambda done, total: progress("embedding", done, total)
    )
    place = {digest: number for number, digest in enumerate(fresh)}
    new = [(row, place[digest]) for row, digest in enumerate(digests) if digest in place]
    out[[row for row, _ in new]] = made[[number for _, number in new]]
    return out, len(fresh)


def _publish(
    index_dir: Path,
    contents: Contents,
    folder: Path,
    embedder: Embedder,
    settings: WindowSettings,
    progress: Progress,
    disk: Disk,
) -> Manifest:
    """Write a generation beside the others and name it in ``CURRENT``; on any failure nothing of it is left."""
    numbers = [number for path in index_dir.iterdir() if (number := generation_number(path.name)) is not None]
    generation = f"gen-{max(numbers, default=0) + 1:06d}"
    files = encode(contents)
    manifest = Manifest(
        generation=generation,
        built=datetime.now(UTC).isoformat(timespec="seconds"),
        folder=os.fspath(folder),
        embedder=embedder.id,
        dimension=embedder.dimension,
        windows_settings=settings,
        reading=READING,
        lexical=LEXICAL_VERSION,
        documents=len(contents.documents),
        paragraphs=len(contents.rows.paragraph_number),
        windows=len(contents.rows.window_paragraph),
        skipped=len(contents.skipped),
        files=tuple((n, FileEntry(len(data), hashlib.sha256(data).hexdigest())) for n, data in files.items()),
    )
    files[MANIFEST] = manifest.to_bytes()
    building, final, named = (
        index_dir / f"{_BUILDING}{generation}",
        index_dir / generation,
        index_dir / f"{CURRENT}.new",
    )
    previous = _current_generation(index_dir)
    try:
        disk.remove(building)
        disk.make_folder(building)
        for done, (name, data) in enumerate(files.items()):
            progress("writing", done, len(files))
            disk.write(building / name, data)
        disk.sync_folder(building)
        disk.rename(building, final)
        disk.sync_folder(index_dir)
        disk.write(named, current_bytes(generation, files[MANIFEST]))
        disk.rename(named, index_dir / CURRENT)
        disk.sync_folder(index_dir)
    except BaseException:
        if _current_generation(index_dir) != generation:
            for path in (building, final, named):
                with suppress(OSError):
                    disk.remove(path)
        raise
    progress("writing", len(files), len(files))
    _sweep(index_dir, generation, disk, previous)
    return manifest


def _current_generation(index_dir: Path) -> str:
    """The generation that ``CURRENT`` names, without checking it, or ""."""
    try:
        return (index_dir / CURRENT).read_text("ascii", "replace").split(" ")[0]
    except OSError:
        return ""


def _sweep(index_dir: Path, current: str, disk: Disk, previous: str = "") -> None:
    """Remove what no reader needs: generations before the previous one, and what killed writers left."""
    for path in sorted(index_dir.iterdir()):
        number = generation_number(path.name)
        old = number is not None and path.name not in (current, previous)
        if (old and (previous or _is_leftover(path, current))) or path.name.startswith((_BUILDING, f"{CURRENT}.")):
            # The index is whole without this: the next update tries again.
            with suppress(OSError):
                disk.remove(path)
    for path in index_dir.glob(f"*{EXAMPLES}"):
        if not path.with_name(path.name.removesuffix(EXAMPLES)).exists():
            with suppress(OSError):
                disk.remove(path)


def _is_leftover(path: Path, current: str) -> bool:
    """Whether a generation is later than the current one: its writer was killed before it was named."""
    return (generation_number(path.name) or 0) > (generation_number(current) or 0)


def _report(
    old: Index | None,
    manifest: Manifest,
    reading: Reading,
    *,
    published: bool,
    embedded: int,
    started: float,
) -> IndexReport:
    before = {entry.file: entry.sha256 for entry in old.documents} if old else {}
    after = {document.file: document.sha256 for document in reading.documents}
    kept = before.keys() & after.keys()
    changed = tuple(file for file in after if file in kept and before[file] != after[file])
    return IndexReport(
        generation=manifest.generation,
        published=published,
        added=tuple(file for file in after if file not in kept),
        changed=changed,
        removed=tuple(file for file in before if file not in kept),
        unchanged=len(kept) - len(changed),
        skipped=reading.skipped,
        documents=manifest.documents,
        paragraphs=manifest.paragraphs,
        windows=manifest.windows,
        windows_embedded=embedded,
        seconds=time.monotonic() - started,
    )


@contextmanager
def _one_writer(index_dir: Path, disk: Disk) -> Iterator[None]:
    from filelock import FileLock, Timeout

    index_dir.mkdir(parents=True, exist_ok=True)
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


@contextmanager
def _translated(index_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        why = "the disk is full" if full else error.strerror or str(error)
        raise ResourceError(
            f"index {str(index_dir)!r} cannot be written: {why}; what it held before is as it was",
            hint="free space, or choose another place with --index" if full else "check the folder, or use --index",
        ) from error


def _say_nothing(stage: str, done: int, total: int) -> None:
    """Report to nobody."""

"""The documents behind the page: what is indexed, adding and removing files, and indexing in the background.

Questions are answered from one generation of the index while the next is made; `renew` is told when it is there. What
the page adds lies in the sub-folder `ADDED` of the indexed folder and is written down, with its SHA-256, in
``added.txt`` beside the index: only such a file, unchanged since, is ever deleted. Every other that is removed stays
where it is and is left out of the index from then on (`rag_geo.index.left_out`).
"""

from __future__ import annotations

import errno
import os
import re
import threading
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from rag_geo.corpus import CHANGES, Candidate, Loaded, load_bytes, passes_over
from rag_geo.embedding import Embedder
from rag_geo.errors import CorpusError, RagGeoError, ResourceError, UsageError
from rag_geo.index import LEFT_OUT, Entry, Index, IndexReport, change_left_out, read_left_out, update_index
from rag_geo.index.disk import Disk
from rag_geo.models.files import sha256_of, write_atomically
from rag_geo.readers.process import ReaderFailedError, ReaderProcess
from rag_geo.records import Document, Skipped
from rag_geo.settings import Settings

ADDED = "added"
"""Sub-folder of the indexed folder that takes what is added."""

MOST_FILES = 100
"""The most files that may be added at a time."""

MOST_MEGABYTES = 50
"""The largest file that may be added; a lower setting ``reading.max_file_mb`` holds as well."""

_RECORD = "added.txt"
_PART = ".rag-geo-part"
_MEGABYTE = 1_000_000
_NAME_BYTES = 120
_NICENESS = 10
_TURN_S = 2.0
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the indexing is, or how it ended.

    `stage` is "waiting", then one of those of `rag_geo.index.update_index`, then "done" with the `report` or "failed"
    with the `error`; the index is then what it was.
    """

    stage: str
    done: int = 0
    total: int = 0
    report: IndexReport | None = None
    error: RagGeoError | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.report is not None or self.error is not None


class Added(NamedTuple):
    """A file that was taken: the name it was `given`, and its path in the folder, under another name if need be.

    `restored` says that it lay there already and had been left out: it was not copied, but is indexed again. Of a file
    that holds others (`holds`) `documents` counts those that can be read, and `skipped` are the others.
    """

    given: str
    file: str
    restored: bool = False
    holds: bool = False
    documents: int = 1
    skipped: tuple[Skipped, ...] = ()


class Addition(NamedTuple):
    """What became of files that were to be added."""

    added: tuple[Added, ...]
    refused: tuple[Skipped, ...]


class _ClosedError(Exception):
    """Thrown into an update to end it."""


class _Readable(NamedTuple):
    """A file that is to be added: the name its owner gives it, where it is, a clean name, and what is in it."""

    given: str
    path: Path
    name: str
    sha256: str
    contents: Added


class Collection:
    """One folder, one index, one background thread for writing; several pages use it, from any thread."""

    def __init__(
        self,
        index: Index,
        embedder: Embedder,
        settings: Settings,
        *,
        renew: Callable[[Index], None],
        disk: Disk | None = None,
    ) -> None:
        self.folder = Path(index.manifest.folder)
        self._index = index
        self._embedder = embedder
        limit = min(MOST_MEGABYTES, settings.reading.max_file_mb)
        self._settings = settings
        self._upload = replace(settings.reading, max_file_mb=limit)
        self._renew = renew
        self._disk = disk or Disk()
        self._changing = threading.Lock()
        self._lock = threading.Lock()
        self._progress: Progress | None = None
        self._wanted: bool | None = None
        self._thread: threading.Thread | None = None
        self._closing = False

    @property
    def index(self) -> Index:
        """The generation that is shown."""
        return self._index

    def documents(self) -> Sequence[Entry]:
        """The documents in the index, in order."""
        return self._index.documents

    def counts(self) -> Mapping[str, int]:
        """How many paragraphs of each document are searched."""
        return {entry.file: self._index.paragraph_count(entry.file) for entry in self._index.documents}

    def skipped(self) -> Sequence[Skipped]:
        """The files that are not in the index, and why; those that the user left out have the reason `LEFT_OUT`."""
        return self._index.skipped

    def progress(self) -> Progress | None:
        """How far the indexing is, or how the last one ended; None before the first."""
        return self._progress

    def add(self, files: Sequence[tuple[str, Path]]) -> Addition:
        """Copy files, each with the name that its owner gives it, into the folder, and have it indexed.

        Refused, with the reason: what is in the collection already, has no reader, cannot be read as what its name
        says, is larger than `MOST_MEGABYTES`, comes after the first `MOST_FILES`, or cannot be written.
        Raises CorpusError when the folder is gone, ResourceError when there is no place for `ADDED` in it, UsageError
        while others add or remove.
        """
        added: list[Added] = []
        refused: list[Skipped] = []
        with ReaderProcess(self._upload) as reader:
            examined = [self._examine(given, path, reader) for given, path in files[:MOST_FILES]]
        with self._change():
            self._prepare()
            for one in examined:
                found = self._add(one) if isinstance(one, _Readable) else one
                if isinstance(found, Added):
                    added.append(found)
                else:
                    refused.append(found)
        refused += [Skipped(given, f"more than {MOST_FILES} files at a time") for given, _ in files[MOST_FILES:]]
        if added:
            self.update()
        return Addition(tuple(added), tuple(refused))

    def remove(self, file: str) -> None:
        """Take a document out of the index: one that was added here is deleted, any other only left out from now on.

        A document in another file goes with all that are in it. What the index held of them is on the disk until two
        more generations are made.
        Raises UsageError for a file that is not in the collection, for the last document and while others add or
        remove, ResourceError when it cannot be deleted or the list of what is left out cannot be written.
        """
        with self._change():
            left_out = read_left_out(self._index_dir)
            if file in self._index.numbers:
                file = self._index.documents[self._index.numbers[file]].source
            self._check_removable(file, left_out)
            path, record = self.folder / file, self._record()
            if not os.path.lexists(path):
                pass
            elif record.get(file) == _sha256(path):
                self._delete(file, record)
            else:
                change_left_out(self._index_dir, more=[file])
        self.update()

    def restore(self, file: str) -> None:
        """Take back a file that was left out. Raises UsageError when it is not, and what `remove` does."""
        with self._change():
            change_left_out(self._index_dir, fewer=[file])
        self.update()

    def update(self) -> None:
        """Have the index hold what the folder holds now; only what changed is read. Returns at once."""
        self._request(rebuild=False)

    def rebuild(self) -> None:
        """Have everything read and embedded anew. Returns at once."""
        self._request(rebuild=True)

    def wait(self, patience_s: float | None = None) -> bool:
        """Wait until nothing is being indexed; False when that takes longer than `patience_s` seconds."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(patience_s)
        return thread is None or not thread.is_alive()

    def close(self, patience_s: float = 10.0) -> None:
        """End the indexing, if any; the index is what it was. Nothing is indexed afterwards."""
        with self._lock:
            self._closing = True
        self.wait(patience_s)

    @property
    def closed(self) -> bool:
        """Whether `close` was called: nothing is indexed any more."""
        return self._closing

    @property
    def _index_dir(self) -> Path:
        return self._index.path

    @contextmanager
    def _change(self) -> Iterator[None]:
        """Let nobody else change what is in the folder. Raises UsageError when another takes its time.

        Who waits does so in one of the threads that answer all pages: a few that add many files must not take them.
        """
        if not self._changing.acquire(timeout=_TURN_S):
            raise UsageError("files are being added", hint="try again when they are in the list")
        try:
            yield
        finally:
            self._changing.release()

    # Indexing

    def _request(self, *, rebuild: bool) -> None:
        """Start the thread, or tell it that one more run is wanted: one, however often it is told."""
        with self._lock:
            if self._closing:
                return
            self._wanted = rebuild or bool(self._wanted)
            if self._thread is None:
                self._progress = Progress("waiting")
                self._thread = threading.Thread(target=self._work, name="rag-geo index", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        lower_priority()
        rebuild = self._next(self._progress)
        while rebuild is not None:
            try:
                end: Progress | None = self._index_once(rebuild=rebuild)
            except RagGeoError as error:
                end = Progress("failed", error=error)
            except _ClosedError:
                end = None
            except BaseException as error:
                broken = ResourceError(
                    f"indexing broke off: {error!r}", hint="rag-geo doctor says which part does not work"
                )
                with self._lock:
                    self._progress = Progress("failed", error=broken)
                    self._thread = None
                raise
            rebuild = self._next(end)

    def _next(self, end: Progress | None) -> bool | None:
        """Whether the next run is a rebuild; None when there is none: `end` is published, and the thread at its end.

        How a run ended is not said when another is wanted: whoever asked for that one would take it for its own.
        """
        with self._lock:
            wanted, self._wanted = self._wanted, None
            if self._closing:
                wanted = None
            if wanted is None:
                self._thread = None
            self._progress = end if wanted is None else Progress("waiting")
            return wanted

    def _index_once(self, *, rebuild: bool) -> Progress:
        report = update_index(
            self.folder,
            self._index_dir,
            self._embedder,
            self._settings,
            self._advance,
            rebuild=rebuild,
            disk=self._disk,
        )
        if report.generation != self._index.generation or report.published:
            index = Index.open(self._index_dir, self._embedder)
            self._renew(index)
            self._index = index
        return Progress("done", report=report)

    def _advance(self, stage: str, done: int, total: int) -> None:
        if self._closing:
            raise _ClosedError
        self._progress = Progress(stage, done, total)

    # Files

    def _prepare(self) -> None:
        """Make the sub-folder, and clear away what a killed program left in it."""
        if not self.folder.is_dir():
            raise CorpusError(
                f"the folder {str(self.folder)!r} is gone", hint="bring it back, or index the folder where it is now"
            )
        target = self.folder / ADDED
        try:
            if not os.path.lexists(target):
                target.mkdir()
            if target.is_symlink() or not target.is_dir():
                raise ResourceError(f"{str(target)!r} is no folder", hint="move it away: added files go there")
            for part in target.glob(f".*{_PART}"):
                self._disk.remove(part)
        except OSError as error:
            raise ResourceError(
                f"nothing can be added to {str(target)!r}: {_why(error)}", hint="check the permissions of the folder"
            ) from error

    def _examine(self, given: str, path: Path, reader: ReaderProcess) -> _Readable | Skipped:
        """Read a file to see whether there is something in it; its bytes are not kept."""
        name = clean_name(given)
        loaded = self._load(given, name, path)
        if isinstance(loaded, Skipped):
            return loaded
        try:
            read = reader.read(loaded.file, loaded.data, loaded.sha256)
        except ReaderFailedError as error:
            return Skipped(given, str(error))
        contents = _contents(given, name, read)
        return contents if isinstance(contents, Skipped) else _Readable(given, path, name, loaded.sha256, contents)

    def _add(self, one: _Readable) -> Added | Skipped:
        given, name = one.given, one.name
        loaded = self._load(given, name, one.path)
        if isinstance(loaded, Skipped) or loaded.sha256 != one.sha256:
            return Skipped(given, CHANGES)
        if passes_over(self.folder, f"{ADDED}/{name}"):
            return Skipped(given, "the file .ragignore of the folder leaves it out")
        same = self._same(loaded)
        if same is None:
            stored = self._store(given, name, loaded)
            return one.contents._replace(file=stored.file) if isinstance(stored, Added) else stored
        if same not in read_left_out(self._index_dir):
            return Skipped(given, f"is there already: {same}")
        change_left_out(self._index_dir, fewer=[same])
        return one.contents._replace(file=same, restored=True)

    def _load(self, given: str, name: str, path: Path) -> Loaded | Skipped:
        """The bytes of a file, not one more than allowed of them."""
        try:
            size = path.stat().st_size
        except OSError as error:
            return Skipped(given, f"cannot be read: {_why(error)}")
        limit = self._upload.max_file_mb
        if size > limit * _MEGABYTE:
            return Skipped(given, f"{size / _MEGABYTE:.1f} MB, over the limit of {limit} MB for a file")
        loaded = load_bytes(Candidate(name, path, size), self._upload)
        return Skipped(given, loaded.reason) if isinstance(loaded, Skipped) else loaded

    def _same(self, loaded: Loaded) -> str | None:
        """The file of the collection, indexed, left out or only just added, that holds the very same bytes."""
        indexed = [entry.file for entry in self._index.documents if entry.sha256 == loaded.sha256]
        new = [f"{ADDED}/{name}" for name in sorted(os.listdir(self.folder / ADDED)) if not name.startswith(".")]
        holding = [entry.source for entry in self._index.documents if entry.source != entry.file]
        for file in dict.fromkeys([*indexed, *holding, *read_left_out(self._index_dir), *new]):
            path = self.folder / file
            with suppress(OSError):
                if path.stat().st_size == len(loaded.data) and _sha256(path) == loaded.sha256:
                    return file
        return None

    def _store(self, given: str, name: str, loaded: Loaded) -> Added | Skipped:
        """Write a new file, whole or not at all, under a name that no other has."""
        folder = self.folder / ADDED
        part, target = folder / f".{name}{_PART}", folder / name
        try:
            target = folder / _free(name, os.listdir(folder))
            file = f"{ADDED}/{target.name}"
            # First the record: one too many does nothing, one too few would make the file look like the user's own.
            self._write_record({**self._record(), file: loaded.sha256})
            self._disk.write(part, loaded.data)
            self._disk.rename(part, target)
            self._disk.sync_folder(folder)
        except OSError as error:
            for path in (part, target):
                with suppress(OSError):
                    self._disk.remove(path)
            return Skipped(given, f"cannot be written: {_why(error)}")
        return Added(given, file)

    def _delete(self, file: str, record: Mapping[str, str]) -> None:
        try:
            self._disk.remove(self.folder / file)
            self._write_record({name: sha256 for name, sha256 in record.items() if name != file})
        except OSError as error:
            raise ResourceError(f"{file!r} cannot be deleted: {_why(error)}", hint="check its permissions") from error

    def _check_removable(self, file: str, left_out: Sequence[str]) -> None:
        """Raise UsageError for a file that is not in the collection, and for the last document."""
        skipped = [each.file for each in self._index.skipped if each.reason != LEFT_OUT]
        sources = dict.fromkeys(entry.source for entry in self._index.documents)
        known = [*sources, *self._index.numbers, *skipped, *self._record()]
        if file not in known:
            near = get_close_matches(file, known, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}?" if near else "the list shows what is in the collection"
            raise UsageError(f"there is no {file!r} in the collection", hint=hint)
        others = (each for each in sources if each != file and each not in left_out)
        if not any((self.folder / each).exists() for each in others):
            raise UsageError(f"{file!r} is the last document", hint="add another one first")

    def _record(self) -> dict[str, str]:
        """The SHA-256 of each file that was added here; what cannot be read was not."""
        try:
            lines = (self._index_dir / _RECORD).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return {}
        pairs = (line.split("  ", 1) for line in lines)
        return {pair[1]: pair[0] for pair in pairs if len(pair) == 2}

    def _write_record(self, record: Mapping[str, str]) -> None:
        lines = (f"{sha256}  {file}\n" for file, sha256 in record.items())
        write_atomically(self._index_dir / _RECORD, "".join(lines))


def _contents(given: str, name: str, read: Sequence[Document | Skipped]) -> Added | Skipped:
    """What was found in a file that was read as `name`; skipped when nothing in it is a document."""
    skipped = [each for each in read if isinstance(each, Skipped)]
    holds = any(each.file != name for each in read)
    if len(skipped) == len(read) and not holds:
        return Skipped(given, skipped[0].reason)
    inside = tuple(Skipped(given + each.file.removeprefix(name), each.reason) for each in skipped)
    if len(skipped) == len(read):
        rest = f", and {len(inside) - 1:,} more" if len(inside) > 1 else ""
        return Skipped(given, f"nothing in it can be read: {inside[0].file}: {inside[0].reason}{rest}")
    return Added(given, name, holds=holds, documents=len(read) - len(skipped), skipped=inside)


def clean_name(given: str) -> str:
    """A file name that is safe on every system, and close to the one that was given.

    No folder, no control or invisible characters, no leading dots, no name that Windows keeps for itself; at most 120
    bytes, the ending kept. Cleaning a clean name changes nothing.
    """
    name = _cleaned(given)
    while (again := _cleaned(name)) != name:  # cut off, a name may have another ending than before
        name = again
    return name


def _cleaned(given: str) -> str:
    text = unicodedata.normalize("NFC", given).replace("\\", "/").rstrip("/").rpartition("/")[2]
    spaced = (" " if each.isspace() else each for each in text)
    text = "".join(each for each in spaced if unicodedata.category(each)[0] != "C")
    text = re.sub(r'[<>:"|?*]+', "-", re.sub(r" +", " ", text))
    stem, suffix = os.path.splitext(text.rstrip(" ."))
    stem = stem.lstrip(" .-")
    if len(suffix.encode()) > _NAME_BYTES // 4:
        stem, suffix = stem + suffix, ""
    kept = stem.encode()[: _NAME_BYTES - len(suffix.encode())].decode(errors="ignore").rstrip(" .")
    kept = unicodedata.normalize("NFC", kept) or "document"
    return f"_{kept}{suffix}" if _RESERVED.fullmatch(kept.split(".")[0].strip()) else f"{kept}{suffix}"


def _free(name: str, taken: Sequence[str]) -> str:
    """`name`, or the first of "name-2", "name-3", ... that no file has, whatever the case."""
    folded = {each.casefold() for each in taken}
    stem, suffix = os.path.splitext(name)
    number, free = 1, name
    while free.casefold() in folded:
        number += 1
        free = f"{stem}-{number}{suffix}"
    return free


def _sha256(path: Path) -> str:
    """The SHA-256 of an ordinary file, or "" when there is none that can be read."""
    try:
        return sha256_of(path) if path.is_file() and not path.is_symlink() else ""
    except OSError:
        return ""


def _why(error: OSError) -> str:
    return "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror or str(error)


def lower_priority() -> None:
    """Let whoever answers questions go first: on Linux this holds for the thread alone and for those it starts."""
    with suppress(OSError, AttributeError):
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(_NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))

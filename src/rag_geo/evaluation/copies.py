"""Collections for a test: passages given as lines as files, and copies of an index with something changed.

Every copy is named by the SHA-256 of what it is made of, so that it is made once and found again. What the index has
embedded already is not embedded again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from rag_geo.embedding import Embedder, Progress, Vectors
from rag_geo.errors import StoredIndexError, UsageError
from rag_geo.evaluation.cases import Case, Text, document_text
from rag_geo.evaluation.judging import holding
from rag_geo.index import Index, update_index
from rag_geo.settings import Settings


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Characters ``[start, end)`` of a document become `text`."""

    file: str
    start: int
    end: int
    text: str = ""


_PLAIN = ("text", "markdown")


class KnownVectors:
    """An embedder that takes the vectors of the windows of an index from there, and the others from `embedder`."""

    def __init__(self, embedder: Embedder, index: Index) -> None:
        self.id = embedder.id
        self.dimension = embedder.dimension
        self.max_tokens = embedder.max_tokens
        self.count_tokens = embedder.count_tokens
        self._embedder = embedder
        self._rows = {digest.tobytes(): row for row, digest in enumerate(index.rows.window_digest)}
        self._vectors = index.vectors(0, len(self._rows)) if self._rows else np.zeros((0, self.dimension), np.float32)

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """See `rag_geo.embedding.Embedder.embed`."""
        rows = [self._rows.get(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]) for text in texts]
        out = np.empty((len(texts), self.dimension), np.float32)
        new = [place for place, row in enumerate(rows) if row is None]
        if new:
            out[new] = self._embedder.embed([texts[place] for place in new], progress)
        known = [(place, row) for place, row in enumerate(rows) if row is not None]
        out[[place for place, _ in known]] = self._vectors[[row for _, row in known]]
        return out


class NoVectors:
    """Stands for an embedder where an index is never searched: every vector is the same."""

    def __init__(self, embedder: Embedder) -> None:
        self.id = embedder.id
        self.dimension = embedder.dimension
        self.max_tokens = embedder.max_tokens
        self.count_tokens = embedder.count_tokens

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """See `rag_geo.embedding.Embedder.embed`."""
        out = np.zeros((len(texts), self.dimension), np.float32)
        out[:, 0] = 1
        if progress:
            progress(len(texts), len(texts))
        return out


def index_of_texts(texts: Sequence[Text], embedder: Embedder, settings: Settings, root: Path) -> Index:
    """Make an index of documents that came as lines, or find it, below `root`."""
    files = {one.file: document_text(one).encode("utf-8", "surrogatepass") for one in texts}
    made_of = [type(embedder).__name__, embedder.id, asdict(settings.windows)]
    return _index(files, embedder, settings, root / _key([files, *made_of]))


def index_of_folder(folder: Path, embedder: Embedder, settings: Settings, root: Path) -> Index:
    """Make an index of a folder of files, or bring it up to date, below `root`."""
    place = root / _key([str(folder.expanduser().resolve()), embedder.id, asdict(settings.windows)]) / "index"
    update_index(folder, place, embedder, settings)
    return Index.open(place, embedder)


def with_plants(
    index: Index, cases: Iterable[Case], embedder: Embedder, settings: Settings, root: Path
) -> tuple[Index, list[Edit]]:
    """Give a copy of the index with every planted instruction in it, below `root`, and what was put in."""
    edits = sorted({edit for case in cases if (edit := plant_edit(case, index)) is not None})
    return (edited(index, edits, embedder, settings, root), edits) if edits else (index, [])


def plant_edit(case: Case, index: Index) -> Edit | None:
    """Give the change that plants the instruction of a case; None if it has none, or its file has it already.

    Raises `UsageError` when the quote that it is to follow is not in the index.
    """
    plant = case.plant
    if plant is None or not plant.after:
        return None
    document = index.document(plant.file) if plant.file in index.numbers else None
    holder = holding(document.paragraphs, document.text.find(plant.after)) if document else None
    if holder is None:
        raise UsageError(
            f"question {case.id!r}: the index has no {plant.after[:60]!r} in {plant.file!r} to plant something behind",
            hint="index the documents that the questions are about: rag-geo index DIR",
        )
    return Edit(plant.file, holder.end, holder.end, f"\n\n{plant.text}")


def edited(index: Index, edits: Sequence[Edit], embedder: Embedder, settings: Settings, root: Path) -> Index:
    """Give an index of the same documents with these changes, kept below `root`."""
    made_of = [entry.sha256 for entry in index.documents]
    key = _key([made_of, [asdict(edit) for edit in sorted(edits)], embedder.id, asdict(settings.windows)])
    return _index(_files(index, edits), KnownVectors(embedder, index), settings, root / key)


@contextmanager
def for_once(index: Index, edits: Sequence[Edit], embedder: Embedder, settings: Settings) -> Iterator[Index]:
    """Give an index of the same documents with these changes, gone at the end."""
    with TemporaryDirectory(prefix="rag-geo-") as folder:
        yield edited(index, edits, embedder, settings, Path(folder))


def can_edit(index: Index, file: str) -> bool:
    """Tell whether a document can be changed: what was read of any but plain text cannot be put back into its file."""
    return index.document(file).format in _PLAIN


def _files(index: Index, edits: Iterable[Edit]) -> dict[str, bytes]:
    """The documents as files; those that are more than plain text from where they were indexed."""
    changes: dict[str, list[Edit]] = {}
    for edit in sorted(edits, reverse=True):
        changes.setdefault(edit.file, []).append(edit)
    files = {}
    for entry in index.documents:
        document = index.document(entry.file)
        if document.format not in _PLAIN:
            files[entry.source] = _original(index, entry.source)
            continue
        text = document.text
        for edit in changes.get(entry.file, ()):
            text = text[: edit.start] + edit.text + text[edit.end :]
        files[entry.file] = text.encode("utf-8", "surrogatepass")
    return files


def _original(index: Index, file: str) -> bytes:
    try:
        return (Path(index.manifest.folder) / file).read_bytes()
    except OSError as error:
        raise UsageError(
            f"{file!r} is not where it was indexed, in {index.manifest.folder!r}: {error.strerror}",
            hint=f"rag-geo index DIR --index {index.path}",
        ) from error


def _index(files: dict[str, bytes], embedder: Embedder, settings: Settings, place: Path) -> Index:
    try:
        return Index.open(place / "index", embedder)
    except StoredIndexError:
        pass  # it is not there, or of an earlier version: it is made
    folder = place / "documents"
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    update_index(folder, place / "index", embedder, settings, rebuild=True)
    return Index.open(place / "index", embedder)


def _key(parts: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=_digest).encode()).hexdigest()[:16]


def _digest(data: object) -> str:
    return hashlib.sha256(data).hexdigest() if isinstance(data, bytes) else str(data)

"""What can still be read of an index, to make it anew without the original files."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rag_geo.errors import IndexDamagedError, IndexMissingError, StoredIndexError
from rag_geo.index.ingest import Item, StoredTexts
from rag_geo.index.manifest import (
    MANIFEST,
    SKIPPED,
    SOURCES,
    Manifest,
    Source,
    damaged,
    generation_number,
    read_generation,
    read_head,
    read_manifest,
    read_segment,
    skipped_from,
    sources_from,
)
from rag_geo.index.segments import FILES, rows_from
from rag_geo.records import Document, Skipped

LOST = "its text in the index is damaged: rag-geo index reads the file again"
OLDER = "damaged: made again is the generation before it; rag-geo index reads the files that changed since"


@dataclass(frozen=True, slots=True)
class Salvage:
    """A generation as far as it can be read: its sources, and the segments whose texts are whole.

    `newer` are generations that came after it and cannot be read.
    """

    index_dir: Path
    manifest: Manifest
    sources: tuple[Source, ...]
    skipped: tuple[Skipped, ...]
    whole: frozenset[str]
    newer: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """The folder that the index was made of."""
        return self.manifest.folder

    @property
    def reading(self) -> str:
        """How the files were read."""
        return self.manifest.making.reading

    @property
    def size(self) -> int:
        """Bytes of all that `items` gives."""
        return sum(self._size(source) for source in self.sources)

    def items(self) -> Generator[Item]:
        """Every source with the documents that can be read of it; the others are skipped."""
        texts = StoredTexts(self.index_dir)
        for source in self.sources:
            found: list[Document | Skipped] = [
                texts.document(one) if one.segment in self.whole else Skipped(one.name, LOST)
                for one in source.documents
            ]
            # A source with something lost has no hash that a file could have: the next update reads it again.
            lost = any(isinstance(one, Skipped) for one in found)
            sha256 = "" if lost else source.sha256
            yield Item(source.file, sha256, self._size(source), (*found, *source.skipped))

    def vectors(self, embedder: str) -> dict[str, list[bytes]]:
        """The digests of the windows whose vectors are whole and of this embedder, by segment."""
        found: dict[str, list[bytes]] = {}
        if self.manifest.embedder != embedder:
            return found
        for segment in self.manifest.segments:
            with suppress(IndexDamagedError, FileNotFoundError):
                files = read_segment(
                    self.index_dir, segment, read_head(self.index_dir, segment), ("windows.npz", "vectors.faiss")
                )
                found[segment] = [bytes(one) for one in rows_from(files["windows.npz"]).window_digest]
        return found

    def _size(self, source: Source) -> int:
        return max(1, len(source.documents))


def salvage(index_dir: Path) -> Salvage:
    """Find the newest generation that says which documents it held.

    It is the one in ``CURRENT``, or when that is damaged or gone the newest whose files fit their manifest. Raises
    StoredIndexError when there is none.
    """
    newer: tuple[str, ...] = ()
    try:
        found = _generation(index_dir, read_manifest(index_dir))
    except (IndexDamagedError, IndexMissingError, FileNotFoundError) as error:
        others = _others(index_dir)
        if not others:
            raise _as_index_error(error, index_dir) from error
        found = others[0]
        newer = tuple(name for name in _generations(index_dir) if _number(name) > _number(found[0].generation))
    manifest, sources, skipped = found
    whole = frozenset(segment for segment in manifest.segments if _has_texts(index_dir, segment))
    return Salvage(index_dir, manifest, sources, skipped, whole, newer)


def damages(index_dir: Path) -> tuple[IndexDamagedError, ...]:
    """Everything in the current generation that is not as it was written, file by file.

    Raises IndexMissingError, IndexMismatchError for another format.
    """
    found: list[IndexDamagedError] = []
    try:
        manifest = read_manifest(index_dir)
    except IndexDamagedError as error:
        return (error,)
    except FileNotFoundError as error:
        return (damaged(index_dir, Path(error.filename).relative_to(index_dir).as_posix(), "is missing"),)
    for check in _checks(index_dir, manifest):
        try:
            check()
        except IndexDamagedError as error:
            found.append(error)
        except FileNotFoundError as error:
            found.append(damaged(index_dir, Path(error.filename).relative_to(index_dir).as_posix(), "is missing"))
    return tuple(found)


def _checks(index_dir: Path, manifest: Manifest) -> Iterator[Callable[[], object]]:
    for name in (SOURCES, SKIPPED):
        yield partial(read_generation, index_dir, manifest, name)
    for segment in manifest.segments:
        yield partial(read_head, index_dir, segment)
        with suppress(IndexDamagedError, FileNotFoundError):
            head = read_head(index_dir, segment)
            for name in FILES:
                yield partial(read_segment, index_dir, segment, head, (name,))


def _others(index_dir: Path) -> list[tuple[Manifest, tuple[Source, ...], tuple[Skipped, ...]]]:
    """The generations whose files fit their manifests, the newest first."""
    found = []
    for name in _generations(index_dir):
        with suppress(StoredIndexError, OSError, ValueError, KeyError, TypeError):
            manifest = Manifest.from_json(json.loads((index_dir / name / MANIFEST).read_bytes()))
            if manifest.generation == name:
                found.append(_generation(index_dir, manifest))
    return found


def _generations(index_dir: Path) -> list[str]:
    """The names of all generations, the newest first."""
    names = [path.name for path in index_dir.iterdir() if path.is_dir() and generation_number(path.name) is not None]
    return sorted(names, key=_number, reverse=True)


def _number(name: str) -> int:
    return generation_number(name) or 0


def _generation(index_dir: Path, manifest: Manifest) -> tuple[Manifest, tuple[Source, ...], tuple[Skipped, ...]]:
    files = {name: read_generation(index_dir, manifest, name) for name in (SOURCES, SKIPPED)}
    return manifest, sources_from(files[SOURCES]), skipped_from(files[SKIPPED])


def _has_texts(index_dir: Path, segment: str) -> bool:
    try:
        read_segment(index_dir, segment, read_head(index_dir, segment), FILES[:3])
    except (IndexDamagedError, FileNotFoundError):
        return False
    return True


def _as_index_error(error: Exception, index_dir: Path) -> StoredIndexError:
    if isinstance(error, StoredIndexError):
        return error
    return damaged(index_dir, MANIFEST, f"is missing, and no other generation is whole: {error}")

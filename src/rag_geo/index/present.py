"""The documents of an index as they are on the disk now, which may be other than what the index holds of them."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote

from rag_geo.corpus import load_bytes, passes_over, read_candidate
from rag_geo.errors import CorpusError
from rag_geo.index.build import survey
from rag_geo.index.store import Index
from rag_geo.records import Document, Skipped
from rag_geo.settings import ReadingSettings

PASSED_OVER = "passed over: hidden, or named by .ragignore"


class Present:
    """What an update of `index` would read in its folder now: with the same readers, limits and list of left out files.

    Files are opened when they are asked for, and only those that looking through the folder finds. Raises CorpusError
    when the folder is gone or cannot be read, and what `rag_geo.index.read_left_out` raises.
    """

    def __init__(self, index: Index, settings: ReadingSettings) -> None:
        self._folder = Path(index.manifest.folder)
        if not os.path.isdir(self._folder):
            raise CorpusError(
                f"there is no folder {index.manifest.folder!r}, which index {str(index.path)!r} holds",
                hint=f"put it back, or if it has another name now: rag-geo index DIR --index {quote(str(index.path))}",
            )
        self._settings = settings
        self._indexed = {entry.file: entry.sha256 for entry in index.documents}
        found = survey(self._folder, index.path, settings)
        self._candidates = {one.file: one for one in found.candidates}
        self._skipped = {one.file: one for one in found.skipped}
        self._read: dict[str, dict[str, Document | Skipped]] = {}
        self._by_hash: dict[str, str] | None = None

    def document(self, file: str) -> Document | Skipped:
        """The document in `file`, or why it is not read. Raises KeyError when there is no such file."""
        parts = file.split("/")
        above = ["/".join(parts[:end]) for end in range(len(parts), 0, -1)]
        for outer in above:
            if outer in self._candidates:
                return self._inside(outer)[file]
        # A folder that cannot be read, or a link to one, is what was skipped instead of the files in it.
        for outer in above:
            if outer in self._skipped:
                return Skipped(file, self._skipped[outer].reason)
        if _stays_inside(parts) and os.path.lexists(self._folder / file) and passes_over(self._folder, file):
            return Skipped(file, PASSED_OVER)
        raise KeyError(file)

    def same(self, sha256: str) -> Document | None:
        """A document whose file has this SHA-256, whatever its name; the first time every file is hashed for it."""
        if self._by_hash is None:
            self._by_hash = {}
            for candidate in self._candidates.values():
                loaded = load_bytes(candidate, self._settings)
                if not isinstance(loaded, Skipped):
                    self._by_hash.setdefault(loaded.sha256, loaded.file)
        file = self._by_hash.get(sha256)
        found = self.document(file) if file else None
        return found if isinstance(found, Document) and found.sha256 == sha256 else None

    def outdated(self, file: str) -> bool:
        """Whether the index holds `file` otherwise than it is now: it is new, has changed, or is not read any more."""
        try:
            found = self.document(file)
        except KeyError:
            found = None
        return self._indexed.get(file) != (found.sha256 if isinstance(found, Document) else None)

    def _inside(self, outer: str) -> dict[str, Document | Skipped]:
        """What a file on the disk holds, by name: itself, or the files in it."""
        if outer not in self._read:
            found = read_candidate(self._candidates[outer], self._settings)
            self._read[outer] = {one.file: one for one in found}
        return self._read[outer]


def _stays_inside(parts: list[str]) -> bool:
    return all(part not in ("", ".", "..") and "\0" not in part for part in parts)

"""An audit of the documents behind the page: made when it is asked for, beside the answers and never in their way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from rag_geo.audit import Audit, audit
from rag_geo.chat.collection import lower_priority
from rag_geo.embedding import Embedder
from rag_geo.errors import RagGeoError, ResourceError
from rag_geo.index import Index

WAIT_S = 0.1
"""Seconds between two looks whether questions are still being answered."""


@dataclass(frozen=True, slots=True)
class Auditing:
    """How far an audit is, or how it ended.

    `stage` is "waiting" while questions are answered, one of those of `rag_geo.audit.audit`, then "done" with what was
    `found` or "failed" with the `error`.
    """

    stage: str
    done: int = 0
    total: int = 0
    found: Audit | None = None
    error: RagGeoError | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.found is not None or self.error is not None


class _ClosedError(Exception):
    """Thrown into an audit to end it."""


class Auditor:
    """Audits one generation at a time, in a thread of low priority that rests while `busy`; for all pages."""

    def __init__(self, embedder: Embedder, busy: Callable[[], bool]) -> None:
        self._embedder = embedder
        self._busy = busy
        self._lock = threading.Lock()
        self._progress: Auditing | None = None
        self._thread: threading.Thread | None = None
        self._closing = False

    def progress(self) -> Auditing | None:
        """How far the audit is, or how the last one ended; None before the first."""
        return self._progress

    def start(self, index: Index) -> None:
        """Look through `index`, unless that is being done or this generation was looked through. Returns at once."""
        with self._lock:
            found = self._progress.found if self._progress else None
            known = found is not None and found.generation == index.generation
            if self._closing or self._thread is not None or known:
                return
            self._progress = Auditing("waiting")
            self._thread = threading.Thread(target=self._work, args=(index,), name="auditing", daemon=True)
            self._thread.start()

    def close(self, patience_s: float = 1.0) -> None:
        """End the audit, if any; nothing is looked through afterwards."""
        with self._lock:
            self._closing = True
            thread = self._thread
        if thread is not None:
            thread.join(patience_s)

    def _work(self, index: Index) -> None:
        lower_priority()
        end: Auditing | None = None
        try:
            end = Auditing("done", found=audit(index, self._embedder, progress=self._advance))
        except _ClosedError:
            pass
        except RagGeoError as error:
            end = Auditing("failed", error=error)
        except BaseException as error:
            hint = "rag-geo doctor says which part does not work"
            end = Auditing("failed", error=ResourceError(f"the audit broke off: {error!r}", hint=hint))
            raise
        finally:
            with self._lock:
                self._progress, self._thread = end, None

    def _advance(self, stage: str, done: int, total: int) -> None:
        while self._busy() and not self._closing:
            self._progress = Auditing("waiting", done, total)
            time.sleep(WAIT_S)
        if self._closing:
            raise _ClosedError
        self._progress = Auditing(stage, done, total)

"""One file over HTTPS: resumed, retried, bounded, checked. Nothing that is fetched is run."""

from __future__ import annotations

import logging
import queue
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rag_geo.errors import ModelError
from rag_geo.models.files import sha256_of, size_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

CHUNK = 256 << 10
PATIENCE = 4
"""Failures in a row, without one new byte, after which a download is given up."""
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 8.0
REACH_SECONDS = 4.0
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})

log = logging.getLogger(__name__)


class SourceError(ModelError):
    """One source could not give the file, and why; the next source is tried."""


class _PauseError(Exception):
    """The download stopped in a way that may pass."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to fetch. `bytes` 0 and `sha256` "" are not known beforehand; more than `limit` bytes are never taken."""

    url: str
    limit: int
    bytes: int = 0
    sha256: str = ""


@contextmanager
def open_client(*, connect_s: float = 10.0, read_s: float = 30.0) -> Iterator[httpx.Client]:
    """Open an HTTP client that trusts the system's certificates and follows the usual proxy variables.

    Raises SourceError when the proxy or certificate variables cannot be used.
    """
    import httpx

    try:
        client = httpx.Client(verify=_trust(), follow_redirects=True, timeout=httpx.Timeout(read_s, connect=connect_s))
    except (ImportError, ValueError, OSError, httpx.InvalidURL) as error:
        raise SourceError(f"the proxy or certificate settings cannot be used: {error}") from error
    with client:
        yield client


def in_reach(url: str, *, seconds: float = REACH_SECONDS, connect_s: float = 2.0) -> bool:
    """Whether anything answers at `url` in time.

    The question is asked in a thread of its own, because looking up a name cannot be given a time limit.
    """
    import httpx

    answers: queue.Queue[bool] = queue.Queue()

    def ask() -> None:
        try:
            with open_client(connect_s=connect_s, read_s=seconds) as client:
                client.head(url)
        except (httpx.HTTPError, httpx.InvalidURL, SourceError) as error:
            log.debug("%s is out of reach: %s", url, error)
            answers.put(False)
        else:
            answers.put(True)

    threading.Thread(target=ask, daemon=True, name="in-reach").start()
    try:
        return answers.get(timeout=seconds)
    except queue.Empty:
        return False


def fetch(
    wanted: Wanted,
    part: Path,
    client: httpx.Client,
    *,
    report: Callable[[int, int], None],
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Make `part` the whole file. What is there of it already is kept and continued.

    `report` is called with bytes done and bytes in all (0: not known). Raises SourceError, OSError.
    """
    failures, continued = 0, size_of(part) > 0
    while True:
        before = size_of(part)
        try:
            _receive(wanted, part, client, report)
        except _PauseError as error:
            failures = 1 if size_of(part) > before else failures + 1
            if failures > PATIENCE:
                raise SourceError(str(error)) from error
            log.debug("%s: %s; trying again", wanted.url, error)
            pause(min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE))
            continue
        found = sha256_of(part) if wanted.sha256 else ""
        if found == wanted.sha256:
            return
        part.unlink()
        if not continued:
            raise SourceError(f"SHA-256 of what arrived is {found}, the index says {wanted.sha256}")
        # What was on disk from an earlier run may have been the fault: once more, from the first byte.
        continued = False


def _receive(wanted: Wanted, part: Path, client: httpx.Client, report: Callable[[int, int], None]) -> None:
    import httpx

    have = size_of(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        with client.stream("GET", wanted.url, headers=headers) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and have:
                return  # nothing is left to fetch; the check that follows decides
            _refuse_status(response.status_code)
            start = have if response.status_code == httpx.codes.PARTIAL_CONTENT else 0
            total = start + int(response.headers.get("Content-Length", -start))
            if wanted.bytes and total not in (0, wanted.bytes):
                raise SourceError(f"the file there has {total:,} bytes, expected {wanted.bytes:,}")
            _write(response, part, start=start, total=total, limit=wanted.limit, report=report)
    except httpx.InvalidURL as error:
        raise SourceError(f"not an address: {error}") from error
    except httpx.TransportError as error:
        raise _PauseError(f"{type(error).__name__}: {error}") from error
    except httpx.HTTPError as error:
        raise SourceError(f"{type(error).__name__}: {error}") from error


def _refuse_status(status: int) -> None:
    if status in RETRIED:
        raise _PauseError(f"the server answered HTTP {status}")
    if status not in (200, 206):
        raise SourceError(f"the server answered HTTP {status}")


def _write(
    response: httpx.Response, part: Path, *, start: int, total: int, limit: int, report: Callable[[int, int], None]
) -> None:
    done = start
    with part.open("ab" if start else "wb") as stream:
        for chunk in response.iter_raw(CHUNK):
            done += len(chunk)
            if done > limit:
                part.unlink()
                raise SourceError(f"more than the {limit:,} bytes that it may have at most")
            stream.write(chunk)
            report(done, total)


@cache
def _trust() -> ssl.SSLContext:
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if paths.cafile is None and paths.capath is None:  # pragma: no cover  (a Python that does not know the system)
        import certifi

        context.load_verify_locations(certifi.where())
    return context

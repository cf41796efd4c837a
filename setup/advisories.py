"""Compare what is pinned with the published advisories: ``python setup/advisories.py VENV``.

pip-audit does it, in a virtual environment of its own (VENV, made when it is missing): its packages are none of this
project's. What is known and does not matter stands in advisories.toml, with the reason. Exit code 0 when nothing else
is known, 1 when something is, or when an exception no longer applies. Where no advisories can be had, it says so: 0.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CONSTRAINTS = HERE.parent / "constraints.txt"
TOOL = HERE / "advisories.txt"
EXCEPTIONS = HERE / "advisories.toml"
SERVICES = ("pypi", "osv")
PATIENCE_S = 300


class UnknownError(Exception):
    """There is no answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Exempt:
    """An advisory that does not count, why, and the tests that prove it (as pytest names them)."""

    id: str
    package: str
    reason: str
    proofs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advisory:
    """One that is published for a pinned version: all its names, and the versions that mend it."""

    package: str
    version: str
    ids: tuple[str, ...]
    mended: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What a service says: the packages it knows, those it does not, and the advisories."""

    looked_up: frozenset[str]
    unknown: tuple[str, ...]
    advisories: tuple[Advisory, ...]


def read_exceptions(text: str) -> tuple[Exempt, ...]:
    """Read advisories.toml. Raises KeyError, ValueError: the file is ours."""
    found = []
    for one in tomllib.loads(text).get("exception", ()):
        if not one["reason"].strip() or not one["proofs"]:
            raise ValueError(f"the exception {one['id']} has no reason or no proof")
        found.append(Exempt(one["id"], one["package"], one["reason"].strip(), tuple(one["proofs"])))
    return tuple(found)


def read_pins(text: str) -> dict[str, str]:
    """Name and version of every line of a file of constraints."""
    return dict(line.split("==") for line in text.splitlines() if "==" in line and not line.startswith("#"))


def read_report(text: str) -> Found:
    """Read the JSON of pip-audit. Raises UnknownError for anything else."""
    try:
        entries: Sequence[Mapping[str, Any]] = json.loads(text)["dependencies"]
        known = [one for one in entries if "skip_reason" not in one]
        return Found(
            looked_up=frozenset(one["name"] for one in known),
            unknown=tuple(one["name"] for one in entries if "skip_reason" in one),
            advisories=tuple(_advisory(one, each) for one in known for each in one["vulns"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise UnknownError(f"what pip-audit says is not understood: {error!r}") from error


def faults(found: Found, exceptions: Sequence[Exempt], pins: Mapping[str, str]) -> list[str]:
    """What has to be mended, a line each: advisories without exception, and exceptions without advisory."""
    named = {one.id for one in exceptions}
    lines = [
        f"{one.package} {one.version}: {', '.join(one.ids)}; "
        + (f"mended in {', '.join(one.mended)}" if one.mended else "no release mends it")
        for one in found.advisories
        if not named.intersection(one.ids)
    ]
    published = {(one.package, each) for one in found.advisories for each in one.ids}
    for one in exceptions:
        if one.package not in pins:
            lines.append(f"the exception {one.id} is for {one.package}, which is not needed any more: remove it")
        elif one.package in found.looked_up and (one.package, one.id) not in published:
            version = pins[one.package]
            lines.append(f"the exception {one.id} is not published for {one.package} {version}: remove it")
    return lines


def ask(python: Path, service: str, pins: Mapping[str, str], folder: Path) -> Found:
    """Ask pip-audit for what is known of `pins`. Raises UnknownError."""
    wanted = folder / "asked.txt"
    wanted.write_text("".join(f"{name}=={version}\n" for name, version in pins.items()), encoding="utf-8")
    options = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json", "--timeout", "15"]
    command = [str(python), "-m", "pip_audit", "--vulnerability-service", service, *options, "-r", str(wanted)]
    done = _run(command)
    if done.returncode not in (0, 1) or not done.stdout.strip():
        raise UnknownError(_last_line(done.stderr))
    return read_report(done.stdout)


def ask_any(python: Path, pins: Mapping[str, str], exceptions: Sequence[Exempt], folder: Path) -> Found:
    """Ask the first service that knows the packages for which an advisory is known. Raises UnknownError.

    An index that only carries packages answers that it knows none of them, and pip-audit takes that for good news.
    """
    probes = {one.package: pins[one.package] for one in exceptions if one.package in pins} or pins
    why = []
    for service in SERVICES:
        try:
            tried = ask(python, service, probes, folder)
            if tried.unknown:
                raise UnknownError(f"no advisories for {', '.join(tried.unknown[:3])}")
            return ask(python, service, pins, folder)
        except UnknownError as error:
            why.append(f"{service}: {error}")
    raise UnknownError("; ".join(why))


def ensure_tool(venv: Path) -> Path:
    """Have pip-audit in a virtual environment; gives its Python. Raises UnknownError."""
    python = venv / "bin" / "python"
    done = venv / "ready"
    if done.exists() and done.read_text(encoding="utf-8") == TOOL.read_text(encoding="utf-8"):
        return python
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(venv)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", str(TOOL)],
    ):
        ran = _run(command)
        if ran.returncode:
            raise UnknownError(f"pip-audit cannot be installed: {_last_line(ran.stderr)}")
    done.write_text(TOOL.read_text(encoding="utf-8"), encoding="utf-8")
    return python


def main(venv: Path) -> int:
    """Say what is known; give the exit status."""
    exceptions = read_exceptions(EXCEPTIONS.read_text(encoding="utf-8"))
    pins = read_pins(CONSTRAINTS.read_text(encoding="utf-8"))
    try:
        found = ask_any(ensure_tool(venv), pins, exceptions, venv)
    except UnknownError as error:
        print(f"advisories: none could be had here, nothing was checked ({error})", file=sys.stderr)
        found = Found(frozenset(), (), ())
    lines = faults(found, exceptions, pins)
    for line in lines:
        print(f"advisories: {line}", file=sys.stderr)
    if found.looked_up:
        but = f", {len(found.unknown)} are not known there" if found.unknown else ""
        print(
            f"advisories: {len(found.looked_up)} of {len(pins)} packages looked up{but}; {len(found.advisories)} "
            f"advisories, {len(exceptions)} exceptions, {len(lines)} to mend",
            file=sys.stderr,
        )
    return 1 if lines else 0


def _advisory(package: Mapping[str, Any], one: Mapping[str, Any]) -> Advisory:
    ids = (one["id"], *one.get("aliases", ()))
    return Advisory(package["name"], package["version"], ids, tuple(one.get("fix_versions", ())))


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnknownError(str(error)) from error


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:150] if lines else "no reason given"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

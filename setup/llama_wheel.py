"""llama-cpp-python for this CPU: built once for a set of flags, kept, and found again by the next clone.

pip's own wheel cache is not used: it knows a wheel by its source alone, and would hand out one built with other flags.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from progress import run_visibly, say

VERSION = "0.3.36"
RECIPE = 1  # raise it when `build` changes what is in the wheel
HERE = Path(__file__).resolve().parent

# Measured on two cores of 2024.
_CORE_SECONDS = 330
_QUIETER = {"GGML_ALL_WARNINGS": "OFF", "LLAMA_ALL_WARNINGS": "OFF", "GGML_CCACHE": "OFF"}
_EDGE = re.compile(r"^\[(\d+)/(\d+)\]")


def compiler_name(env: Mapping[str, str]) -> str:
    """Give the C++ compiler's first line of ``--version``: which compiler, which version."""
    command = env.get("CXX", "g++").split()
    out = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout
    return out.splitlines()[0].strip()


def wheel_key(version: str, flags: Mapping[str, str], python: str, compiler: str, machine: str) -> str:
    """Give the name of the cache folder: it differs whenever a wheel built for one would not be right for the other."""
    text = json.dumps([RECIPE, version, sorted(flags.items()), python, compiler, machine])
    return f"{version}-{python}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def read_build_line(line: str) -> str | None:
    """Give what is worth showing of a line of the build: ``[42/84] llama-graph.cpp``, or pip's own steps."""
    edge = _EDGE.match(line)
    if edge:
        source = re.search(r"-c \S*/([^/\s]+)$", line)
        return f"[{edge[1]}/{edge[2]}] {source[1] if source else 'linking'}"
    for start in ("Downloading ", "Installing build dependencies", "Preparing metadata", "Building wheel", "*** "):
        if line.startswith(start):
            return line.removeprefix("*** ")[:80]
    return None


def cached_wheel(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """Give the wheel kept in `folder` with its record, if it is still the file that was built."""
    try:
        record = json.loads((folder / "build.json").read_text(encoding="utf-8"))
        wheel = folder / Path(record["wheel"]).name
        whole = hashlib.sha256(wheel.read_bytes()).hexdigest() == record["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (wheel, record) if whole else None


def keep(built: Path, folder: Path, record: Mapping[str, Any]) -> Path:
    """Put the wheel `built` with its record into `folder`, whole or not at all; give where it lies now."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=folder.parent))
    shutil.copy2(built, part / built.name)
    (part / "build.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        part.rename(folder)
    except OSError:  # another set-up was faster: the same key is the same wheel
        shutil.rmtree(part, ignore_errors=True)
    return folder / built.name


def build(
    python: Path,
    folder: Path,
    flags: Mapping[str, str],
    compiler: str,
    *,
    constraints: Path,
    log: Path,
    env: Mapping[str, str],
) -> tuple[Path, dict[str, Any]]:
    """Build the wheel with `flags` and keep it in `folder`; give the wheel and its record."""
    cores = len(os.sched_getaffinity(0))
    minutes = max(1, round(_CORE_SECONDS / cores / 60))
    with tempfile.TemporaryDirectory(prefix="rag-geo-build-") as scratch:
        # A copy, because CMAKE_ARGS is split at blanks and the path of this checkout may have some.
        hook = shutil.copy(HERE / "no-common.cmake", scratch)
        options = {**flags, **_QUIETER, "CMAKE_PROJECT_llama.cpp_INCLUDE": hook}
        seconds = run_visibly(
            f"building llama-cpp-python {VERSION} for this CPU (about {minutes} min on {cores} cores, once)",
            [
                *(str(python), "-m", "pip", "wheel", "-v", "--no-deps", "--no-cache-dir"),
                *("--no-binary", "llama-cpp-python", "--wheel-dir", scratch, f"llama-cpp-python=={VERSION}"),
            ],
            log=log,
            read=read_build_line,
            env={
                **env,
                "CMAKE_ARGS": " ".join(f"-D{name}={value}" for name, value in options.items()),
                "CMAKE_BUILD_PARALLEL_LEVEL": str(cores),
                "SKBUILD_NINJA_MAKE_FALLBACK": "false",  # without ninja it would use make, on one core
                # Pins the build requirements too: older pip reads the first, newer pip the second.
                "PIP_CONSTRAINT": str(constraints),
                "PIP_BUILD_CONSTRAINT": str(constraints),
            },
        )
        (wheel,) = Path(scratch).glob("llama_cpp_python-*.whl")
        record = {
            "version": VERSION,
            "flags": dict(flags),
            "compiler": compiler,
            "wheel": wheel.name,
            "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
            "seconds": round(seconds, 1),
        }
        return keep(wheel, folder, record), record


def find_or_build(
    python: Path, flags: Mapping[str, str], *, cache: Path, constraints: Path, log: Path, env: Mapping[str, str]
) -> tuple[Path, dict[str, Any]]:
    """Give a wheel built with exactly `flags`, from `cache` or built now, and its record."""
    compiler = compiler_name(env)
    tag = f"py{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache / "wheels" / wheel_key(VERSION, flags, tag, compiler, os.uname().machine)
    found = cached_wheel(folder)
    if found:
        say(f"==> llama-cpp-python {VERSION} built for this CPU before: {found[0]}")
        return found
    return build(python, folder, flags, compiler, constraints=constraints, log=log, env=env)

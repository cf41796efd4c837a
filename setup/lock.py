"""Write constraints.txt from the virtual environment this runs in: all that rag-geo, its tests and its build need.

``.venv/bin/python setup/lock.py constraints.txt``. Packages of the build that are not installed keep their line.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent

# They are fetched into pip's isolated build environments and so not always installed here.
BUILD = (
    "cmake",
    "editables",
    "hatchling",
    "ninja",
    "packaging",
    "pathspec",
    "pluggy",
    "scikit-build-core",
    "tomlkit",
    "trove-classifiers",
)


def project_requirements(pyproject: Path = ROOT / "pyproject.toml") -> list[Requirement]:
    """Give what the project asks for itself, with its extra "dev"; other extras are not installed where this is run."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    return [Requirement(line) for line in (*project["dependencies"], *project["optional-dependencies"]["dev"])]


def closure(requirements: Iterable[Requirement]) -> dict[str, str]:
    """Give name and installed version, without local tag, of `requirements` and of everything they need in turn."""
    found: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = list(requirements)
    while waiting:
        wanted = waiting.pop()
        name, extras = canonicalize_name(wanted.name), frozenset(wanted.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        distribution = metadata.distribution(name)
        found[name] = distribution.version.split("+")[0]
        for requirement in map(Requirement, distribution.requires or []):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                waiting.append(requirement)
    return found


def main(path: Path) -> int:
    """Rewrite `path`, its comments kept."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = [line for line in lines if line.startswith("#")]
    old = dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    pins = {package: old[package] for package in BUILD if package in old} | closure(project_requirements())
    lines = [*comments, *(f"{package}=={pins[package]}" for package in sorted(pins))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""Write constraints.txt from the virtual environment this runs in: all that rag-geo, its extras and its build need.

``.venv/bin/python setup/lock.py constraints.txt``. Packages of the build that are not installed keep their line.
"""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EXTRAS = ("dev",)
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


def closure(name: str, extras: tuple[str, ...] = ()) -> dict[str, str]:
    """Give name and version of everything that the installed `name` with `extras` needs, without local version tags."""
    found: dict[str, str] = {}
    seen: set[tuple[str, tuple[str, ...]]] = set()
    waiting = [(name, extras)]
    while waiting:
        key = waiting.pop()
        if key in seen:
            continue
        seen.add(key)
        distribution = metadata.distribution(key[0])
        found[canonicalize_name(key[0])] = distribution.version.split("+")[0]
        for line in distribution.requires or []:
            requirement = Requirement(line)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *key[1])):
                waiting.append((requirement.name, tuple(sorted(requirement.extras))))
    return {package: version for package, version in found.items() if package != canonicalize_name(name)}


def main(path: Path) -> int:
    """Rewrite `path`, its comments kept."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = [line for line in lines if line.startswith("#")]
    old = dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    pins = {package: old[package] for package in BUILD if package in old} | closure("rag-geo", EXTRAS)
    lines = [*comments, *(f"{package}=={pins[package]}" for package in sorted(pins))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""What the figures depend on: processor, memory, load, versions."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("rag-geo", "numpy", "faiss-cpu", "llama-cpp-python", "sentence-transformers", "torch")


def machine(cpuinfo: Path = Path("/proc/cpuinfo"), meminfo: Path = Path("/proc/meminfo")) -> dict[str, object]:
    """Processor, cores that this process may use, memory in GB, load of the last minute, system, Python."""
    return {
        "cpu": field(cpuinfo, "model name") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int((field(meminfo, "MemTotal") or "0").split()[0]) / 1e6, 1),
        "load": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def versions(packages: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """The version of each package, "missing" where there is none."""
    return {package: _version(package) for package in packages}


def field(path: Path, name: str) -> str:
    """The value of the first line ``name : value`` of a file of /proc; "" when there is no such line or file."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    parted = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in parted if key.strip() == name), "")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"

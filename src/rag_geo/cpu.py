"""Which instructions this CPU has, and so how llama.cpp is built for it.

Only the standard library is used, and nothing else of the package, because the set-up runs this file before there is a
virtual environment: ``python3 src/rag_geo/cpu.py`` prints the flags for the machine it runs on.

llama.cpp's own detection (``GGML_NATIVE=ON``) is never used. It turns on AMX wherever the CPU reports it, and on some
virtual machines those instructions are illegal all the same: the process dies with SIGILL at the first prompt.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

RECORD_NAME = "rag-geo-build.json"

_AVX = frozenset({"sse4_2", "ssse3", "avx"})
_AVX2 = _AVX | {"avx2"}
# GGML_AVX512 compiles with all five; every CPU that has them has FMA and F16C too, and the kernels rely on it.
_AVX512 = _AVX2 | {"fma", "f16c", "avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw"}

# What the CPU must report (names of /proc/cpuinfo) before an option of ggml/CMakeLists.txt is turned on. An option
# includes what the compiler's switch implies: -mavx2 lets it emit AVX, so AVX2 without AVX (some hypervisors) is off.
_X86: dict[str, frozenset[str]] = {
    "GGML_SSE42": frozenset({"sse4_2", "ssse3"}),
    "GGML_AVX": _AVX,
    "GGML_AVX2": _AVX2,
    "GGML_FMA": _AVX | {"fma"},
    "GGML_F16C": _AVX | {"f16c"},
    "GGML_BMI2": frozenset({"bmi2"}),
    "GGML_AVX_VNNI": _AVX2 | {"avx_vnni"},
    "GGML_AVX512": _AVX512,
    "GGML_AVX512_VBMI": _AVX512 | {"avx512vbmi"},
    "GGML_AVX512_VNNI": _AVX512 | {"avx512_vnni"},
    "GGML_AVX512_BF16": _AVX512 | {"avx512_bf16"},
}
_AMX = ("GGML_AMX_TILE", "GGML_AMX_INT8", "GGML_AMX_BF16")

# Extensions of -march for aarch64, each with what the CPU must report. SVE is left out: the NEON kernels with dot
# products and int8 matrix multiplication are enough for the formats used here, and vector lengths differ by machine.
_ARM: dict[str, frozenset[str]] = {
    "dotprod": frozenset({"asimddp"}),
    "fp16": frozenset({"fphp", "asimdhp"}),
    "i8mm": frozenset({"i8mm"}),
}

# On by default in ggml for other architectures, whether the machine has them or not.
_ELSEWHERE = ("LASX", "LSX", "RVV", "RV_ZFH", "RV_ZVFH", "RV_ZICBOP", "RV_ZIHINTPAUSE", "VXE")

_COMMON = {"GGML_NATIVE": "OFF", "LLAVA_BUILD": "OFF", "LLAMA_OPENSSL": "OFF"}


@dataclass(frozen=True, slots=True)
class BuildRecord:
    """How the llama-cpp-python of an environment was built: its version, CMake flags, compiler and wheel.

    `seconds` is what the build took, `sha256` the hash of the wheel file.
    """

    version: str
    flags: Mapping[str, str]
    compiler: str
    wheel: str
    sha256: str
    seconds: float


def cmake_flags(cpu: frozenset[str], architecture: str) -> dict[str, str]:
    """Give llama.cpp's CMake flags for a CPU with the flags `cpu` (of /proc/cpuinfo) and an `architecture` (uname -m).

    Every x86 instruction set is named ON or OFF; AMX is never on. An unknown architecture gets code for its base line.
    The option names are those of ggml/CMakeLists.txt and ggml/src/ggml-cpu/CMakeLists.txt.
    """
    if architecture in {"x86_64", "amd64", "i386", "i686"}:
        sets = {option: "ON" if needed <= cpu else "OFF" for option, needed in _X86.items()}
        return {**_COMMON, **sets, **dict.fromkeys(_AMX, "OFF")}
    if architecture in {"aarch64", "arm64"}:
        extensions = [name for name, needed in _ARM.items() if needed <= cpu]
        base = "armv8.2-a" if extensions else "armv8-a"
        return {**_COMMON, "GGML_CPU_ARM_ARCH": "+".join([base, *extensions])}
    return {**_COMMON, **{f"GGML_{name}": "OFF" for name in _ELSEWHERE}}


def instruction_sets(flags: Mapping[str, str]) -> frozenset[str]:
    """Give the instruction sets that code built with these CMake flags may use, such as ``AVX2`` or ``dotprod``."""
    options = (*_X86, *_AMX, *(f"GGML_{name}" for name in _ELSEWHERE), "GGML_NATIVE")
    on = {option.removeprefix("GGML_") for option in options if flags.get(option) == "ON"}
    base, *extensions = flags.get("GGML_CPU_ARM_ARCH", "armv8-a").split("+")
    return frozenset(on | set(extensions) | ({base} - {"armv8-a"}))


def illegal_here(built: Mapping[str, str], here: Mapping[str, str]) -> frozenset[str]:
    """Give the instruction sets of a build with the flags `built` that the flags for this machine, `here`, leave out.

    To execute one of them may be a SIGILL.
    """
    return instruction_sets(built) - instruction_sets(here)


def unused_here(built: Mapping[str, str], here: Mapping[str, str]) -> frozenset[str]:
    """Give the instruction sets that the flags for this machine, `here`, have and a build with `built` leaves out.

    Without them the model is slower than it could be.
    """
    return instruction_sets(here) - instruction_sets(built)


def parse_cpuinfo(text: str) -> frozenset[str]:
    """Give the flags that every core in the text of /proc/cpuinfo reports (``flags`` on x86, ``Features`` on ARM)."""
    cores = [
        frozenset(value.split())
        for key, _, value in (line.partition(":") for line in text.splitlines())
        if key.strip() in {"flags", "Features"}
    ]
    return frozenset.intersection(*cores) if cores else frozenset()


def read_cpu_flags(path: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Read the flags of this machine's CPU; none where there is no such file, which gives portable code."""
    try:
        return parse_cpuinfo(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return frozenset()


def machine_flags() -> dict[str, str]:
    """Give the CMake flags for the machine this runs on."""
    return cmake_flags(read_cpu_flags(), platform.machine().lower())


def write_build_record(prefix: Path, record: BuildRecord) -> None:
    """Write `record` into the environment whose folder is `prefix` (``sys.prefix``)."""
    (prefix / RECORD_NAME).write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")


def read_build_record(prefix: Path) -> BuildRecord | None:
    """Read how the llama-cpp-python of the environment at `prefix` was built; None where that is not known.

    Not known is a missing, unreadable or foreign record: llama-cpp-python came from somewhere else than the set-up.
    """
    try:
        fields = json.loads((prefix / RECORD_NAME).read_text(encoding="utf-8"))
        record = BuildRecord(**fields)
    except (OSError, ValueError, TypeError):
        return None
    return record if isinstance(record.flags, dict) else None


def main() -> int:
    """Print the flags for this machine, one ``NAME=VALUE`` a line."""
    sys.stdout.writelines(f"{name}={value}\n" for name, value in machine_flags().items())
    return 0


if __name__ == "__main__":
    sys.exit(main())

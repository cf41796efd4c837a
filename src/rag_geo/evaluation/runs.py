"""A run on disk: a folder with what was measured, with what, and on which machine.

================ ==================================================================================
run.json         what was asked for (`plan`) and what it was measured with (`made_with`)
results.jsonl    one result a line, written as they come
summary.json     the figures
report.html      the report
================ ==================================================================================
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rag_geo.errors import UsageError
from rag_geo.evaluation.results import Result, read_results, to_json
from rag_geo.records import Answer, Citation, Claim, Conflict, Filters, Near, Part, Source, Span, Timings, Tokens
from rag_geo.settings import Settings

ROOT = Path("evals/runs")
BASELINE = Path("evals/baseline")

RUN, RESULTS, SUMMARY = "run.json", "results.jsonl", "summary.json"
_PACKAGES = ("rag-geo", "faiss-cpu", "llama-cpp-python", "numpy", "scikit-learn", "sentencex", "torch")
#: What has to be the same when a run goes on.
SAME = ("model", "embedder", "prompt_id", "index", "settings")


@dataclass(frozen=True, slots=True)
class Run:
    """One run."""

    folder: Path

    @property
    def info(self) -> dict[str, Any]:
        """What is in ``run.json``. Raises `UsageError` when it cannot be read."""
        path = self.folder / RUN
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"{str(self.folder)!r} is no run: {error}", hint=f"ls {ROOT}") from error
        return found

    @property
    def results(self) -> list[Result]:
        """The results so far."""
        path = self.folder / RESULTS
        return read_results(path) if path.exists() else []

    def append(self, results: Sequence[Result]) -> None:
        """Write the results of one job, all or none of them."""
        data = "".join(to_json(each) + "\n" for each in results).encode("utf-8", "surrogatepass")
        descriptor = os.open(self.folder / RESULTS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)

    def note(self, made_with: Mapping[str, Any]) -> None:
        """Keep what the run is measured with.

        Raises `UsageError` when an earlier part of it was measured with something else.
        """
        info = self.info
        before = info.get("made_with") or {}
        for name in SAME:
            if name in before and name in made_with and before[name] != made_with[name]:
                raise UsageError(
                    f"run {self.folder.name!r} was begun with {name} {before[name]!r}, this is {made_with[name]!r}",
                    hint="begin a new run: rag-geo eval without --resume",
                )
        self._write(RUN, info | {"made_with": {**before, **made_with}})

    def summarise(self, summary: Mapping[str, Any]) -> None:
        """Keep the figures."""
        self._write(SUMMARY, summary)

    def mend(self) -> None:
        """Cut off what an interrupted write left behind the last whole line."""
        path = self.folder / RESULTS
        data = path.read_bytes() if path.exists() else b""
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.truncate(path, whole)

    def _write(self, name: str, table: Mapping[str, Any]) -> None:
        text = json.dumps(table, ensure_ascii=False, indent=1, default=str)
        new = self.folder / f"{name}.new"
        new.write_text(text + "\n", encoding="utf-8")
        os.replace(new, self.folder / name)


def begin(root: Path, name: str, plan: Mapping[str, Any]) -> Run:
    """Make the folder of a new run, ``<time>-<name>``: in the order of names, the order in which runs were begun."""
    moment = datetime.now(UTC)
    while next(root.glob(f"{moment:%Y%m%d-%H%M%S}-*"), None):
        moment += timedelta(seconds=1)
    folder = root / f"{moment:%Y%m%d-%H%M%S}-{name}"
    folder.mkdir(parents=True)
    run = Run(folder)
    run._write(RUN, {"plan": plan, "begun": datetime.now(UTC).isoformat(timespec="seconds"), **surroundings()})
    return run


def find(root: Path, name: str) -> Run:
    """Find a run by its folder, by the beginning of the folder's name, or the last one that was begun by "latest".

    Raises `UsageError` when there is not one.
    """
    if (Path(name) / RUN).is_file():
        return Run(Path(name))
    start = "" if name == "latest" else glob_escape(name)
    found = sorted(root.glob(f"{start}*/{RUN}")) if name and "/" not in name else []
    if name == "latest":
        found = found[-1:]
    if len(found) != 1:
        what = f"{len(found)} runs begin with" if found else "there is no run"
        raise UsageError(f"{what} {name!r} in {str(root)!r}", hint=f"ls {root}")
    return Run(found[0].parent)


def glob_escape(name: str) -> str:
    """Make a name mean itself in a pattern."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def find_measured(root: Path, name: str) -> Run:
    """Find a run, or by the name "baseline" the one that is committed. Raises `UsageError` when there is not one."""
    if name != "baseline":
        return find(root, name)
    if not (BASELINE / RUN).is_file():
        raise UsageError(f"there is no baseline in {str(BASELINE)!r}", hint="rag-geo eval baseline RUN")
    return Run(BASELINE)


# --- with what ---------------------------------------------------------------------------------------------------


def surroundings() -> dict[str, Any]:
    """Describe the program's revision, the packages and the machine."""
    return {"git": git_state(), "packages": package_versions(), "machine": machine()}


def settings_object(settings: Settings) -> dict[str, Any]:
    """Give the settings as an object for JSON, without where the cache is."""
    table = json.loads(json.dumps(asdict(settings), default=str))
    return {name: value for name, value in table.items() if name != "cache"}


def git_state() -> dict[str, Any] | None:
    """Tell the revision of the checkout that the program runs from, and whether it was changed; None if it is none."""
    package = Path(__file__).parents[1]
    revision, top = _git(package, "rev-parse", "HEAD"), _git(package, "rev-parse", "--show-toplevel")
    if not revision or Path(top) / "src" / package.name != package:
        return None
    return {"revision": revision, "dirty": bool(_git(package, "status", "--porcelain", "-uno"))}


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def package_versions() -> dict[str, str]:
    """Give the versions of the packages that results hang on."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def machine(cpuinfo: Path = Path("/proc/cpuinfo"), meminfo: Path = Path("/proc/meminfo")) -> dict[str, Any]:
    """Describe the machine: system, processor, cores this process may use, memory in bytes (None where unknown)."""
    kilobytes = _field(meminfo, "MemTotal").split()
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cpu": _field(cpuinfo, "model name") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": int(kilobytes[0]) * 1024 if kilobytes else None,
    }


def _field(path: Path, name: str) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


# --- back from disk ----------------------------------------------------------------------------------------------


def answer_from(table: Mapping[str, Any]) -> Answer:
    """Read an answer back from the object of a result; what is in there besides is left out."""
    return Answer(
        question=table["question"],
        searched=table.get("searched", table["question"]),
        status=table["status"],
        answer=table["answer"],
        claims=tuple(map(_claim, table["claims"])),
        sources=tuple(Source(**each) for each in table["sources"]),
        near=tuple(Near(**{**each, "missing": tuple(each["missing"])}) for each in table["near"]),
        answerable=table["answerable"],
        model=table["model"],
        embedder=table["embedder"],
        index_generation=table["index_generation"],
        prompt_id=table["prompt_id"],
        timings=Timings(**table["timings"]),
        tokens=Tokens(**table["tokens"]),
        signals=dict(table["signals"]),
        parts=tuple(Part(**each) for each in table.get("parts", ())),
        filters=Filters(**table.get("filters", {})),
        conflicts=tuple(map(_conflict, table.get("conflicts", ()))),
    )


def _conflict(table: Mapping[str, Any]) -> Conflict:
    other, cited = _citations((table["other"], table["cited"]))
    return Conflict(table["claim_sentence"], other, table["what"], cited)


def _claim(table: Mapping[str, Any]) -> Claim:
    return Claim(**{**table, "citations": tuple(_citations(table["citations"])), "signals": dict(table["signals"])})


def _citations(tables: Iterable[Mapping[str, Any]]) -> Iterable[Citation]:
    for each in tables:
        support = tuple(Span(*span) for span in each["support"])
        yield Citation(**{**each, "support": support, "also": tuple(each.get("also", ()))})

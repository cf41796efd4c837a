"""The committed baseline: what later runs are compared with, and what the README's table is made of.

It is a finished run without what was answered and without paragraphs, small enough to be kept with the code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rag_geo.errors import UsageError
from rag_geo.evaluation import runs
from rag_geo.evaluation.metrics import summarise
from rag_geo.evaluation.results import Result
from rag_geo.evaluation.runs import Run

_OF_A_RUN = ("plan", "begun", "git", "packages", "machine", "made_with")
#: What a comparison and a table need of a result.
_OF_A_RESULT = ("id", "kind", "question", "answerable", "split", "tier", "confidence", "seconds")


def keep(measured: Sequence[Run], folder: Path = runs.BASELINE) -> None:
    """Write finished runs into `folder`, in place of what is there: the first, and what only later ones measured.

    ``run.json`` is that of the first; ``summary.json`` has the figures of the whole, so that it can be told whether
    what is kept gives them too. Raises `UsageError` for a run that was interrupted, and for runs of unlike things.
    """
    info = measured[0].info
    for run in measured:
        if not (run.folder / runs.SUMMARY).is_file():
            raise UsageError(
                f"run {run.folder.name!r} is not finished", hint=f"rag-geo eval --resume {run.folder.name}, then again"
            )
        made_with, first = run.info.get("made_with", {}), info.get("made_with", {})
        if other := [name for name in runs.SAME if name in made_with and made_with[name] != first.get(name)]:
            raise UsageError(
                f"run {run.folder.name!r} was made with another {other[0]} than {measured[0].folder.name!r}",
                hint="measure both with the same",
            )
    found: dict[tuple[str, str], Result] = {}
    for run in measured:
        for result in run.results:
            found.setdefault((result.tier, result.id), result)
    results = list(found.values())
    figures = {name: asdict(found) for name, found in summarise(results).all.items()}
    table = {name: info[name] for name in _OF_A_RUN if name in info}
    table["machine"] = {name: value for name, value in info.get("machine", {}).items() if name != "system"}
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / runs.RUN, _json(_without_places(table)))
    _write(folder / runs.RESULTS, "".join(_line(result) + "\n" for result in results))
    _write(folder / runs.SUMMARY, _json({"all": figures}))


def _line(result: Result) -> str:
    table = {name: getattr(result, name) for name in _OF_A_RESULT}
    table["scores"] = {name: value for name, value in result.scores.items() if value is not None}
    if result.answer is not None:  # the figures need how sure the gate was, and nothing else of the answer
        table["answer"] = {"answerable": result.answer["answerable"]}
    return json.dumps(table, ensure_ascii=False)


def _without_places(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Leave out where things are on this machine: of an absolute path the name is left."""
    if isinstance(value, Mapping):
        return {name: _without_places(inner) for name, inner in value.items()}
    if isinstance(value, str):
        return Path(value).name if Path(value).expanduser().is_absolute() else value
    return [_without_places(inner) for inner in value] if isinstance(value, Sequence) else value


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _json(table: Mapping[str, Any]) -> str:
    return json.dumps(table, ensure_ascii=False, indent=1) + "\n"

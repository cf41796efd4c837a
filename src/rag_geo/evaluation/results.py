"""What was measured about one question: the record that every part of the evaluation suite shares."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from rag_geo.errors import UsageError

#: Counts that must be zero in every shown answer; any other value fails a run whatever the baseline says.
MUST_BE_ZERO = ("uncited_sentences", "unsupported_numbers", "unsupported_names", "negations_off", "quotes_off")


@dataclass(frozen=True, slots=True)
class Result:
    """One case of one tier.

    `scores` hold every measured value by metric name; None where the metric does not apply to the case.
    `confidence` is the probability of the best sentence, shown or withheld by the model rung; 0.0 if there is none.
    `answer` is `render.answer_object` with `searched`, the question that was really searched; None without a model.
    `retrieved` are (file, paragraph), best first, at most ten. `gold` has objects with file, paragraph and quote.
    `paragraphs` maps "file#number" to the text of every cited and gold paragraph. `seconds` is the time of the case.
    """

    id: str
    kind: str
    question: str
    answerable: bool
    split: str
    tier: str
    scores: Mapping[str, float | None]
    confidence: float = 0.0
    answer: Mapping[str, Any] | None = None
    retrieved: tuple[tuple[str, int], ...] = ()
    gold: tuple[Mapping[str, Any], ...] = ()
    paragraphs: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def to_json(result: Result) -> str:
    """Write a result as one line of JSON, without the line break."""
    return json.dumps({each.name: getattr(result, each.name) for each in fields(result)}, ensure_ascii=False)


def from_json(line: str) -> Result:
    """Read what `to_json` wrote. Raises `ValueError`, `KeyError` or `TypeError` for anything else."""
    table = json.loads(line)
    retrieved = tuple((str(file), int(paragraph)) for file, paragraph in table.pop("retrieved", ()))
    return Result(**{**table, "retrieved": retrieved, "gold": tuple(table.get("gold", ()))})


def read_results(path: Path) -> list[Result]:
    """Read a file of results, one a line; the last one counts where an id comes twice in a tier.

    A last line that was cut off, as an interrupted run leaves it, is passed over. Raises `UsageError` for anything
    else that is no result.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise UsageError(f"cannot read the results {str(path)!r}: {error.strerror}", hint="ls evals/runs") from error
    found: dict[tuple[str, str], Result] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            result = from_json(line)
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines):  # every whole line ends with a line break
                break
            raise UsageError(f"line {number} of {str(path)!r} is no result: {error}", hint="ls evals/runs") from error
        found[result.tier, result.id] = result
    return list(found.values())


def write_results(results: Iterable[Result], path: Path) -> None:
    """Write a file of results anew, one a line."""
    path.write_text("".join(to_json(each) + "\n" for each in results), encoding="utf-8")

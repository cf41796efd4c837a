"""What a run found, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rag_geo.evaluation.compare import Change, Comparison, amount
from rag_geo.evaluation.measures import measure
from rag_geo.evaluation.metrics import Summary
from rag_geo.evaluation.results import MUST_BE_ZERO, Result
from rag_geo.evaluation.runs import answer_from
from rag_geo.render import Line, Segment, answer_lines, place, table_lines, visible

_MOST_IDS = 12


def summary_lines(summary: Summary) -> list[Line]:
    """Lay out the figures of a run: each score with its 95 % interval and the number of questions it is of."""
    rows = [("", "value", "95 % interval", "n")]
    for name, found in summary.all.items():
        low, high = found.interval
        value = f"{found.total:g}" if name in MUST_BE_ZERO else amount(name, found.mean)
        interval = "" if name in MUST_BE_ZERO else f"{amount(name, low)} to {amount(name, high)}"
        rows.append((measure(name).title, value, interval, str(found.n)))
    return table_lines(rows, styles=("strong",))


def violations(summary: Summary) -> list[str]:
    """Name the counts that must be 0 and are not."""
    return [name for name in MUST_BE_ZERO if name in summary.all and summary.all[name].total]


def comparison_lines(comparison: Comparison) -> list[Line]:
    """Lay out what changed: every score of which a question changed, with the ids, and at the end the verdict."""
    lines: list[Line] = []
    for change in comparison.changes:
        if change.better or change.worse:
            lines += _change_lines(change)
    return [*lines, Line((Segment(comparison.verdict, "bad" if comparison.exit_code else "good"),))]


def _change_lines(change: Change) -> Iterable[Line]:
    title = measure(change.metric).title
    moved = f"{amount(change.metric, change.old)} → {amount(change.metric, change.new)}, p = {change.p:.2g}"
    yield Line((Segment(f"{title}: ", "strong"), Segment(f"{moved}, n = {change.n}")))
    for word, ids, style in (("worse", change.worse, "warn"), ("better", change.better, "good")):
        if ids:
            more = f" and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else ""
            yield Line((Segment(f"{word}: ", style), Segment(visible(", ".join(ids[:_MOST_IDS]) + more))), 2, 2)


def case_lines(result: Result) -> list[Line]:
    """Lay out one case as a user would see it, then the gold, the scores and every signal."""
    lines = [
        Line((Segment(f"{result.id} ", "strong"), Segment(f"{result.tier}, {result.kind}, {result.split}", "faint"))),
        Line((Segment(visible(result.question), "strong"),)),
    ]
    answer = result.answer
    if answer is not None:
        if answer.get("searched") not in (None, result.question):
            lines.append(Line((Segment("searched: ", "faint"), Segment(visible(str(answer["searched"]))))))
        lines += [Line(), *answer_lines(answer_from(answer), verbose=True)]
        lines += _extra_lines(answer)
    lines += [Line(), Line((Segment("gold" if result.answerable else "gold: not in the documents", "strong"),))]
    for gold in result.gold:
        quote = visible(str(gold["quote"])) or "anywhere in the file"
        lines.append(Line((Segment(place(gold["file"], gold["paragraph"]), "strong"), Segment(f" “{quote}”")), 2, 2))
    if answer is None:
        lines += [Line(), Line((Segment("found", "strong"),))]
        lines += [Line((Segment(place(file, number)),), 2) for file, number in result.retrieved]
    lines += [Line(), Line((Segment("scores", "strong"),))]
    given = [(name, f"{value:g}") for name, value in result.scores.items() if value is not None]
    lines += table_lines([("confidence", f"{result.confidence:g}"), *given])
    return lines + (_signal_lines(answer) if answer is not None else [])


def _extra_lines(answer: Mapping[str, Any]) -> Iterable[Line]:
    """What a tier notes besides the answer."""
    names = {
        "sentence": "sentence that was checked",
        "plant": "planted",
        "undefended": "written without defence",
        "first_answer": "answer before the paragraph was taken away",
        "planted": "changed fact",
    }
    for name, title in names.items():
        if name in answer:
            value = answer[name]
            text = f"{value['old']} became {value['new']}" if isinstance(value, Mapping) else str(value)
            yield Line((Segment(f"{title}: ", "faint"), Segment(visible(text))), hanging=2)


def _signal_lines(answer: Mapping[str, Any]) -> list[Line]:
    lines = [Line(), Line((Segment("signals of the question", "strong"),))]
    lines += _table(answer["signals"])
    for claim in answer["claims"]:
        if claim["signals"]:
            lines += [Line(), Line((Segment(f"signals of “{visible(claim['text'])}”", "strong"),))]
            lines += _table(claim["signals"])
    return lines


def _table(signals: Mapping[str, float]) -> list[Line]:
    return table_lines([(name, f"{value:g}") for name, value in sorted(signals.items())]) if signals else []

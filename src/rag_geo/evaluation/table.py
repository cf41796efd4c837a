"""The figures of a run as a Markdown table with the goals of the project, for a README."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rag_geo.evaluation.compare import amount
from rag_geo.evaluation.measures import MEASURES, Measure, measure
from rag_geo.evaluation.metrics import Aggregate, RiskCoverage, summarise
from rag_geo.evaluation.results import MUST_BE_ZERO, Result

#: What this project wants to reach on the test split of its own questions, with the default model on two cores. Goals,
#: not what was reached; whether that is more or less is said by the direction of the measure.
GOALS: Mapping[str, float] = {
    "recall@5": 0.97,
    "correct": 0.88,
    "false_answer": 0.05,
    "false_refusal": 0.08,
    "citation_precision": 0.95,
    "caught": 0.95,
    "withheld_good": 0.05,
    **dict.fromkeys(MUST_BE_ZERO, 0.0),
}

_SENTENCES = ("grounding", "robustness")


def markdown(info: Mapping[str, Any], results: Sequence[Result], command: str) -> str:
    """Lay out the figures of a run: value, 95 % interval, number of questions, and the goal where there is one.

    `info` is what ``run.json`` holds, `command` what the table was made with. The line under the table says what was
    asked, on which machine, of which models and by which revision.
    """
    summary = summarise(results)
    known = {each.name for each in MEASURES}
    rows = [_row(summary.all[name]) for name in summary.all if name in known]
    if summary.risk:
        rows += _coverages(summary.risk)
    lines = ["| measure | value | 95 % interval | n | goal |", "|---|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", _made_with(info, results, command), ""])


def _row(found: Aggregate) -> tuple[str, ...]:
    one = measure(found.metric)
    value = f"{found.total:g}" if one.must_be_zero else amount(one.name, found.mean)
    return one.title, value, _interval(one, found), f"{found.n:,}", _goal(one, found)


def _interval(one: Measure, found: Aggregate) -> str:
    low, high = (amount("correct" if one.must_be_zero else one.name, end) for end in found.interval)
    if one.must_be_zero:
        return "" if found.total else f"at most {high} of answers"
    return f"{low.partition(' ')[0]} to {high}"


def _goal(one: Measure, found: Aggregate) -> str:
    if (goal := GOALS.get(one.name)) is None:
        return ""
    met = found.mean >= goal if one.better == "higher" else found.mean <= goal
    said = "0" if one.must_be_zero else f"{'≥' if one.better == 'higher' else '≤'} {goal * 100:g} %"
    return f"{said}, met" if met else f"{said}, **missed**"


def _coverages(curve: RiskCoverage) -> Iterable[tuple[str, ...]]:
    """How much could be answered if so much may be wrong."""
    for risk, coverage in curve.coverage_at.items():
        ends = [amount("correct", end) for end in curve.coverage_intervals.get(risk, ())]
        interval = f"{ends[0].partition(' ')[0]} to {ends[1]}" if ends else ""
        yield f"coverage at {risk * 100:g} % wrong", amount("correct", coverage), interval, f"{curve.n:,}", ""


def _made_with(info: Mapping[str, Any], results: Sequence[Result], command: str) -> str:
    made, git, machine = (info.get(name) or {} for name in ("made_with", "git", "machine"))
    questions = {
        each.id.rpartition("/")[0] if each.tier in _SENTENCES and "/" in each.id else each.id for each in results
    }
    splits = " and ".join(f"`{name}`" for name in sorted({each.split for each in results} - {""}))
    tiers = [each.tier for each in results]
    revision = str(git.get("revision") or "unknown")[:10] + (" with changes" if git.get("dirty") else "")
    facts = [
        f"{f'Split {splits}: ' if splits else ''}{len(questions):,} questions "
        f"({', '.join(f'{tier} {tiers.count(tier):,}' for tier in dict.fromkeys(tiers))})",
        f"{machine.get('cpu', 'processor unknown')}, {machine.get('cores', '?')} cores",
        " and ".join(f"`{made[name]}`" for name in ("model", "embedder") if made.get(name)),
        f"revision {revision}",
        f"made by `{command}`",
    ]
    return f"{'; '.join(filter(None, facts))}."

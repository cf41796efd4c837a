"""Compares two runs question by question: what got better, what got worse, and whether that is more than chance.

Yes/no scores are compared by the exact McNemar test, all others by a paired bootstrap. A run fails when a gated score
(`measures`) got worse with a one-sided p of at most 5 % after Holm's correction over all gated scores, so that two runs
of the same pipeline raise an alarm in at most one of twenty comparisons, however many scores there are; or when a count
that must be zero is not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from rag_geo.errors import UsageError
from rag_geo.evaluation.chance import RESAMPLES, Interval, bootstrap_interval, holm, mcnemar_p, paired_bootstrap_p
from rag_geo.evaluation.measures import Measure, in_order, measure
from rag_geo.evaluation.metrics import scores_by_id
from rag_geo.evaluation.results import MUST_BE_ZERO, Result

ALPHA = 0.05
FAILED = 3
#: Differences up to this are rounding, and no change.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Change:
    """One score in both runs, over the `n` questions that have it in both.

    `change` is the mean of new − old with its 95 % interval; `better` and `worse` are ids in the direction of the
    measure, empty for times. `p` is two-sided; `p_gate`, of gated scores only, is the one-sided p of getting worse
    after the correction, and `alarm` whether it is low enough to fail the run.
    """

    metric: str
    n: int
    old: float
    new: float
    change: float
    interval: Interval
    better: tuple[str, ...]
    worse: tuple[str, ...]
    p: float
    p_gate: float | None = None
    alarm: bool = False

    @property
    def improved(self) -> bool:
        """Whether it got better by more than chance, by itself: without correction for the other scores."""
        sign = _sign(measure(self.metric))
        return bool(sign) and self.p <= ALPHA and sign * self.change > 0


@dataclass(frozen=True, slots=True)
class Violation:
    """A count that must be zero and is not, in the new run, with the questions where."""

    metric: str
    total: float
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from one run to another over their `n` common questions.

    `missing` are gated scores that only the old run has, `only_old` and `only_new` numbers of questions of one run.
    `exit_code` is 0, or 3 when the new run fails.
    """

    n: int
    changes: tuple[Change, ...]
    violations: tuple[Violation, ...]
    missing: tuple[str, ...]
    only_old: int
    only_new: int
    verdict: str
    exit_code: int


def compare(
    old_results: Iterable[Result], new_results: Iterable[Result], *, seed: int = 0, resamples: int = RESAMPLES
) -> Comparison:
    """Compare two runs by the ids of their questions. Raises `UsageError` when they have none in common.

    Of the old run only the tiers of the new one count, unless they have none in common (as without documents).
    """
    old_results, new_results = list(old_results), list(new_results)
    tiers = {each.tier for each in new_results}
    old = scores_by_id([each for each in old_results if each.tier in tiers] or old_results)
    new = scores_by_id(new_results)
    common = [name for name in new if name in old]
    if not common:
        raise UsageError("the two runs have no question in common", hint="rag-geo eval --help")
    pairs: dict[str, dict[str, tuple[float, float]]] = {}
    for each in common:
        for name in old[each].keys() & new[each].keys():
            pairs.setdefault(name, {})[each] = old[each][name], new[each][name]
    gated = _gate([_change(name, pairs[name], seed, resamples) for name in in_order(pairs)])
    violations = tuple(_violations(new_results))
    before = {name for each in common for name in old[each] if measure(name).gated}
    missing = tuple(in_order(before - pairs.keys()))
    failed = any(each.alarm for each in gated) or bool(violations)
    draft = Comparison(
        n=len(common),
        changes=tuple(gated),
        violations=violations,
        missing=missing,
        only_old=len(old.keys() - new.keys()),
        only_new=len(new.keys() - old.keys()),
        verdict="",
        exit_code=FAILED if failed else 0,
    )
    return replace(draft, verdict=_verdict(draft))


def comparison_object(comparison: Comparison) -> dict[str, Any]:
    """Give a comparison as an object for JSON."""
    return asdict(comparison)


def _change(name: str, pairs: Mapping[str, tuple[float, float]], seed: int, resamples: int) -> Change:
    ids = list(pairs)
    # Differences in the direction to hope for: below 0 is worse. Without a direction, they are as they are.
    sign = _sign(measure(name)) or 1
    gains = [_rounded(sign * (new - old)) for old, new in pairs.values()]
    timed = measure(name).unit == "seconds"
    n, mean = len(ids), math.fsum(gains) / len(ids)
    low, high = bootstrap_interval(gains, seed=seed, resamples=resamples) if any(gains) else (0.0, 0.0)
    ends = sorted((sign * low, sign * high))
    return Change(
        metric=name,
        n=n,
        old=math.fsum(old for old, _ in pairs.values()) / n,
        new=math.fsum(new for _, new in pairs.values()) / n,
        change=sign * mean,
        interval=Interval(*ends),
        better=() if timed else tuple(each for each, gain in zip(ids, gains, strict=True) if gain > 0),
        worse=() if timed else tuple(each for each, gain in zip(ids, gains, strict=True) if gain < 0),
        p=_p(pairs.values(), gains, seed, resamples, one_sided=False),
        p_gate=_p(pairs.values(), gains, seed, resamples, one_sided=True) if measure(name).gated else None,
    )


def _p(
    pairs: Iterable[tuple[float, float]], gains: Sequence[float], seed: int, resamples: int, *, one_sided: bool
) -> float:
    if all(value in (0, 1) for pair in pairs for value in pair):
        return mcnemar_p(sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains), one_sided=one_sided)
    return paired_bootstrap_p(gains, seed=seed, resamples=resamples, one_sided=one_sided)


def _gate(changes: Sequence[Change]) -> list[Change]:
    """Correct the p-values of the gated scores for their number, and raise the alarms."""
    values = [each.p_gate for each in changes if each.p_gate is not None]
    adjusted = iter(holm(values))
    corrected = [replace(each, p_gate=next(adjusted)) if each.p_gate is not None else each for each in changes]
    return [replace(each, alarm=each.p_gate is not None and each.p_gate <= ALPHA) for each in corrected]


def _violations(results: Sequence[Result]) -> Iterable[Violation]:
    for name in MUST_BE_ZERO:
        found = {each.id: value for each in results if (value := each.scores.get(name))}
        if found:
            yield Violation(name, math.fsum(found.values()), tuple(found))


def _sign(one: Measure) -> int:
    return {"higher": 1, "lower": -1, "": 0}[one.better]


def _rounded(difference: float) -> float:
    return difference if abs(difference) > _ROUNDING else 0.0


# --- the verdict ------------------------------------------------------------------------------------------------


def _verdict(comparison: Comparison) -> str:
    alarms = [each for each in comparison.changes if each.alarm]
    gained = [each for each in comparison.changes if each.improved and measure(each.metric).gated]
    parts = [f"must be 0 and is not: {_violated(each)}" for each in comparison.violations]
    if alarms:
        parts.append(f"significantly worse: {'; '.join(map(_moved, alarms))}")
    elif not any(each.p_gate is not None for each in comparison.changes):
        parts.append("no gated score is in both runs")
    elif all(not each.better and not each.worse for each in comparison.changes):
        parts.append("no score of any question changed")
    else:
        parts.append("nothing that is gated got significantly worse")
    if gained:
        parts.append(f"better: {'; '.join(map(_moved, gained))}")
    if comparison.missing:
        parts.append(f"not measured this time: {', '.join(comparison.missing)}")
    word = "Fails" if comparison.exit_code else "Passes"
    return f"{word} on {_count(comparison.n, 'common question')}: {'. '.join(_capital(parts))}."


def _capital(parts: Sequence[str]) -> list[str]:
    return [parts[0], *(part[0].upper() + part[1:] for part in parts[1:])]


def _violated(one: Violation) -> str:
    more = len(one.ids) - 5
    return f"{one.metric} ({one.total:g} in {', '.join(one.ids[:5])}{f' and {more} more' if more > 0 else ''})"


def _moved(one: Change) -> str:
    counts = f"{len(one.worse)} worse, {len(one.better)} better"
    return f"{one.metric} {amount(one.metric, one.old)} → {amount(one.metric, one.new)} ({counts}, p = {one.p:.2g})"


def amount(metric: str, value: float) -> str:
    """Write a value in the unit of its score: ``87.5 %``, ``0.12 s`` or ``3``."""
    match measure(metric).unit:
        case "share":
            return f"{value:.1%}".replace("%", " %")
        case "seconds":
            return f"{value:.2f} s"
        case "figure":
            return f"{value:.3f}"
        case "count":
            return f"{value:.3g}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

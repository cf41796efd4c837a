"""The figures of an evaluation: pure functions with their formulas and sources, and `summarise`, which applies them.

Every random draw is seeded: the same results give the same figures. Shares are from 0 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

from rag_geo.evaluation.chance import Interval, bootstrap_interval, bootstrap_statistics, wilson_interval
from rag_geo.evaluation.measures import in_order, measure
from rag_geo.evaluation.results import Result

#: Shares of wrong answers for which the coverage is reported.
RISKS = (0.01, 0.02, 0.05)


# --- retrieval --------------------------------------------------------------------------------------------------


def recall_at(ranked: Iterable[Hashable], gold: Collection[Hashable], k: int) -> float | None:
    """Share of the gold items among the first `k` that were found; None without gold.

    ``|gold ∩ first k| / |gold|`` (Manning, Raghavan, Schütze: Introduction to Information Retrieval, 2008, 8.3).
    An item that was found again counts once and takes no place.
    """
    wanted = set(gold)
    return len(wanted.intersection(list(dict.fromkeys(ranked))[:k])) / len(wanted) if wanted else None


def reciprocal_rank(ranked: Iterable[Hashable], gold: Collection[Hashable]) -> float | None:
    """One by the rank of the first gold item, 0 when none was found, None without gold.

    ``1 / rank`` (Voorhees: The TREC-8 Question Answering Track Report, 1999); its mean is the MRR.
    """
    if not gold:
        return None
    places = (1 / rank for rank, item in enumerate(dict.fromkeys(ranked), start=1) if item in gold)
    return next(places, 0.0)


def ndcg_at(ranked: Iterable[Hashable], gold: Collection[Hashable], k: int) -> float | None:
    """Discounted gain of the gold items among the first `k`, by the best possible; None without gold.

    ``DCG = Σ rel(i) / log2(i + 1)`` over ranks i ≤ k with rel 0 or 1, divided by the DCG of a ranking that has all gold
    items first (Järvelin, Kekäläinen: Cumulated gain-based evaluation of IR techniques, 2002).
    """
    wanted = set(gold)
    if not wanted:
        return None
    found = list(dict.fromkeys(ranked))[:k]
    gain = sum(1 / math.log2(rank + 1) for rank, item in enumerate(found, start=1) if item in wanted)
    return gain / sum(1 / math.log2(rank + 1) for rank in range(1, min(len(wanted), k) + 1))


# --- decisions --------------------------------------------------------------------------------------------------


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> float | None:
    """Probability that a positive scores above a negative, ties half; None when there is only one class.

    ``(#{s₊ > s₋} + ½ #{s₊ = s₋}) / (n₊ n₋)``, the Mann–Whitney statistic (Hanley, McNeil: The meaning and use of the
    area under a ROC curve, 1982). Takes n log n steps.
    """
    import numpy as np

    values, chosen = np.asarray(scores, float), np.asarray(positive, bool)
    above, below = values[chosen], np.sort(values[~chosen])
    if not len(above) or not len(below):
        return None
    beaten = np.searchsorted(below, above, "left") + np.searchsorted(below, above, "right")
    return float(beaten.sum() / (2 * len(above) * len(below)))


def f1(predicted: Sequence[float] | Sequence[bool], positive: Sequence[bool]) -> float | None:
    """Harmonic mean of precision and recall; None when nothing is positive and nothing was predicted.

    ``2 TP / (2 TP + FP + FN)`` (van Rijsbergen: Information Retrieval, 1979, chapter 7).
    """
    right = sum(bool(guess and truth) for guess, truth in zip(predicted, positive, strict=True))
    total = sum(map(bool, predicted)) + sum(map(bool, positive))
    return 2 * right / total if total else None


class CurvePoint(NamedTuple):
    """What happens when everything with at least the confidence `threshold` is shown."""

    coverage: float
    risk: float
    threshold: float


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """The risk-coverage curve of `n` questions.

    `points` go from the most confident on; `area` is the mean risk over all coverages (AURC), `ideal` the area if every
    right answer were more confident than every wrong one; `coverage_at` has for each share of wrong answers the
    coverage that stays within it. Intervals are of the questions, resampled.
    """

    n: int
    points: tuple[CurvePoint, ...]
    area: float
    ideal: float
    coverage_at: Mapping[float, float]
    area_interval: Interval | None = None
    coverage_intervals: Mapping[float, Interval] = field(default_factory=dict)


def risk_coverage(
    confidence: Sequence[float], wrong: Sequence[bool], risks: Sequence[float] = RISKS
) -> RiskCoverage | None:
    """Give the curve of what is wrong among the shown against how much is shown; None without questions.

    At the threshold t: ``coverage = #{c ≥ t} / n``, ``risk = #{wrong, c ≥ t} / #{c ≥ t}`` (El-Yaniv, Wiener: On the
    foundations of noise-free selective classification, 2010). ``AURC = 1/n Σ risk of the i most confident`` (Geifman,
    Uziel, El-Yaniv: Bias-reduced uncertainty estimation for deep neural classifiers, 2019); questions of equal
    confidence are taken in random order, of which this is the expectation. The coverage at a risk is the largest with
    at most that risk: what the best threshold would buy, chosen with these questions in sight.
    """
    if not confidence:
        return None
    tied: dict[float, list[bool]] = {}
    for value, bad in sorted(zip(confidence, wrong, strict=True), reverse=True):
        tied.setdefault(value, []).append(bool(bad))
    n, shown, lost, area = len(confidence), 0, 0, 0.0
    points = []
    for threshold, group in tied.items():
        rate = sum(group) / len(group)
        area += sum((lost + rate * taken) / (shown + taken) for taken in range(1, len(group) + 1))
        shown, lost = shown + len(group), lost + sum(group)
        points.append(CurvePoint(shown / n, lost / shown, threshold))
    ideal = sum(max(0, taken - (n - lost)) / taken for taken in range(1, n + 1)) / n
    reach = {risk: max((each.coverage for each in points if each.risk <= risk), default=0.0) for risk in risks}
    return RiskCoverage(n, tuple(points), area / n, ideal, reach)


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of about the same confidence: their number, mean confidence, share right and its 95 % interval."""

    n: int
    confidence: float
    right: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Reliability:
    """Whether probabilities are meant: bins that are not empty, expected calibration error, Brier score."""

    n: int
    bins: tuple[Bin, ...]
    error: float
    brier: float
    error_interval: Interval | None = None


def reliability(confidence: Sequence[float], right: Sequence[bool], bins: int = 10) -> Reliability | None:
    """Compare probabilities with what came true, in bins of equal width; None without answers.

    ``ECE = Σ n_b / n · |share right in b − mean confidence in b|`` (Naeini, Cooper, Hauskrecht: Obtaining well
    calibrated probabilities using Bayesian binning, 2015); Brier score ``1/n Σ (p − y)²`` (Brier, 1950). A bin holds
    its lower end.
    """
    if not confidence:
        return None
    groups: dict[int, list[tuple[float, bool]]] = {}
    for pair in zip(confidence, right, strict=True):
        groups.setdefault(min(int(pair[0] * bins), bins - 1), []).append(pair)
    n, made = len(confidence), []
    for _, group in sorted(groups.items()):
        hits, size = sum(truth for _, truth in group), len(group)
        mean = math.fsum(value for value, _ in group) / size
        made.append(Bin(size, mean, hits / size, wilson_interval(hits, size)))
    error = math.fsum(each.n / n * abs(each.right - each.confidence) for each in made)
    brier = math.fsum((value - truth) ** 2 for value, truth in zip(confidence, right, strict=True)) / n
    return Reliability(n, tuple(made), error, brier)


# --- a run ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A score over the `n` questions it applies to: its mean with the 95 % interval, and its sum."""

    metric: str
    n: int
    mean: float
    interval: Interval
    total: float


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of a run: `all` by score, `kinds` by kind and score, both in the order of tables.

    `risk` and `reliability` are of the answer tier, None without one. In `risk` a question for which there is no
    sentence to show has the confidence 0 and counts as wrong, so that the full coverage is every question;
    `reliability` has only those with a sentence.
    """

    questions: int
    answerable: int
    tiers: Mapping[str, int]
    all: Mapping[str, Aggregate]
    kinds: Mapping[str, Mapping[str, Aggregate]]
    risk: RiskCoverage | None = None
    reliability: Reliability | None = None


def summarise(results: Iterable[Result]) -> Summary:
    """Give the figures of a run. A question that has a score in more than one tier counts once, the first time."""
    cases = list(results)
    merged = scores_by_id(cases)
    first = {each.id: each for each in reversed(cases)}
    kinds: dict[str, list[Mapping[str, float]]] = {}
    for name, scores in merged.items():
        kinds.setdefault(first[name].kind, []).append(scores)
    answers = [each for each in cases if each.tier == "answer"]
    checked = [each for each in cases if each.tier == "grounding"]
    whole = _aggregates(list(merged.values())) | _rankings(answers) | _checks(checked)
    return Summary(
        questions=len(first),
        answerable=sum(each.answerable for each in first.values()),
        tiers={tier: sum(each.tier == tier for each in cases) for tier in dict.fromkeys(each.tier for each in cases)},
        all={name: whole[name] for name in in_order(whole)},
        kinds={kind: _aggregates(rows) for kind, rows in kinds.items()},
        risk=_risk(answers),
        reliability=_reliability(answers),
    )


def summary_object(summary: Summary) -> dict[str, Any]:
    """Give a summary as an object for JSON."""
    return asdict(summary)


def scores_by_id(results: Iterable[Result]) -> dict[str, dict[str, float]]:
    """The scores of each question that apply to it, over all tiers; one that several tiers give counts once."""
    merged: dict[str, dict[str, float]] = {}
    for each in results:
        known = merged.setdefault(each.id, {})
        for name, value in scores_of(each).items():
            known.setdefault(name, value)
    return merged


def scores_of(result: Result) -> dict[str, float]:
    """The scores that apply to a result, and what follows from them.

    ``wrong_of_shown``, of what was shown: it is not right, and not a right part either. ``misled``, of every question
    that was answered or refused: the answer is wrong, or should not have been given at all.
    """
    scores = {name: float(value) for name, value in result.scores.items() if value is not None}
    if scores.get("answered"):
        scores["wrong_of_shown"] = float(not right_if_shown(result) and not scores.get("incomplete"))
    if "answered" in scores:
        scores["misled"] = max(scores.get("wrong_answer", 0.0), scores.get("false_answer", 0.0))
    return scores


def right_if_shown(result: Result) -> bool:
    """Whether what was shown is right, or else what was withheld would be.

    For an unanswerable question only a shown answer that puts its false premise right is.
    """
    scores = result.scores
    if not result.answerable:
        return bool(scores.get("answered")) and scores.get("false_answer") == 0
    right = scores.get("correct") if scores.get("answered") else scores.get("right_if_shown")
    return bool(right)


def _aggregates(rows: Sequence[Mapping[str, float]]) -> dict[str, Aggregate]:
    return {name: _aggregate(name, [row[name] for row in rows if name in row]) for name in in_order(_names(rows))}


def _names(rows: Iterable[Mapping[str, float]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _aggregate(name: str, values: Sequence[float]) -> Aggregate:
    total = math.fsum(values)
    if measure(name).unit == "seconds" and min(values) == max(values):
        interval = Interval(values[0], values[0])
    else:
        interval = bootstrap_interval(values)
    return Aggregate(name, len(values), total / len(values), interval, total)


def _rankings(answers: Sequence[Result]) -> dict[str, Aggregate]:
    """How well the gate ranks questions and the check ranks answers."""
    gate = [(float(each.answer["answerable"]), each.answerable) for each in answers if each.answer]
    check = [(each.confidence, right_if_shown(each)) for each in answers if each.confidence > 0]
    return _of_rows("auroc_answerable", gate, auroc) | _of_rows("auroc_right", check, auroc)


def _checks(sentences: Sequence[Result]) -> dict[str, Aggregate]:
    """How well the checks tell supported sentences from others: by their probability, and as they decide."""
    ranked = [(each.confidence, each.answerable) for each in sentences]
    withheld = [(each.scores.get("caught") or each.scores.get("withheld_good") or 0.0, each) for each in sentences]
    decided = [(value, not each.answerable) for value, each in withheld]
    return _of_rows("auroc_supported", ranked, auroc) | _of_rows("f1_unsupported", decided, f1)


def _of_rows(
    name: str, rows: Sequence[tuple[float, bool]], statistic: Callable[[list[float], list[bool]], float | None]
) -> dict[str, Aggregate]:
    """A figure of all rows together, which is no mean; empty when there is none."""
    if (value := statistic(*_columns(rows))) is None:
        return {}
    interval = bootstrap_statistics(rows, lambda drawn: {name: statistic(*_columns(drawn))})[name]
    return {name: Aggregate(name, len(rows), value, interval, value * len(rows))}


def _risk(answers: Sequence[Result]) -> RiskCoverage | None:
    rows = [(each.confidence, not right_if_shown(each)) for each in answers]
    curve = risk_coverage(*_columns(rows))
    if curve is None:
        return None

    def figures(drawn: Sequence[tuple[float, bool]]) -> dict[float, float]:
        found = risk_coverage(*_columns(drawn))
        return {**found.coverage_at, math.inf: found.area} if found else {}

    ends = bootstrap_statistics(rows, figures)
    return replace(curve, area_interval=ends.pop(math.inf), coverage_intervals=ends)


def _reliability(answers: Sequence[Result]) -> Reliability | None:
    rows = [(each.confidence, right_if_shown(each)) for each in answers if each.confidence > 0]
    found = reliability(*_columns(rows))
    if found is None:
        return None

    def figures(drawn: Sequence[tuple[float, bool]]) -> dict[str, float]:
        again = reliability(*_columns(drawn))
        return {"error": again.error} if again else {}

    return replace(found, error_interval=bootstrap_statistics(rows, figures)["error"])


def _columns(rows: Sequence[tuple[float, bool]]) -> tuple[list[float], list[bool]]:
    return [value for value, _ in rows], [truth for _, truth in rows]

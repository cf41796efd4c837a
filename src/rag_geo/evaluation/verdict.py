"""What a run comes to, in one sentence for somebody who will read no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rag_geo.evaluation.compare import amount
from rag_geo.evaluation.measures import measure
from rag_geo.evaluation.metrics import Aggregate, Summary
from rag_geo.evaluation.results import MUST_BE_ZERO
from rag_geo.evaluation.table import GOALS

Level = Literal["good", "warn", "bad"]

#: Share of the shown answers that may be wrong for "can be trusted", and for "with care". Few questions cannot earn
#: trust: for it the upper end of the interval has to be low enough for "with care".
TRUSTED, WITH_CARE = 0.05, 0.10


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far a run can be trusted, and why."""

    level: Level
    text: str


def verdict(summary: Summary) -> Verdict:
    """Say how far the answers of a run can be trusted; of a run without answers, what it found.

    *bad*: a count that must be 0 is not, or more than `WITH_CARE` of what is shown is wrong; *warn*: more than
    `TRUSTED`, or so few questions that it may be more than `WITH_CARE`.
    """
    broken = [name for name in MUST_BE_ZERO if name in summary.all and summary.all[name].total]
    if broken:
        counts = ", ".join(f"{summary.all[name].total:g} {measure(name).title}" for name in broken)
        return Verdict("bad", f"Cannot be trusted: {counts}, and there may be none.")
    for tier, say in _SAID.items():
        if tier in summary.tiers and (said := say(summary)):
            return said
    return Verdict("warn", "Nothing was measured that a verdict could rest on.")


def _answers(summary: Summary) -> Verdict | None:
    shown, correct = summary.all.get("wrong_of_shown"), _first(summary, "correct_and_cited", "correct")
    if shown is None:
        return Verdict("bad", f"Of no use: none of {summary.questions} questions was answered.")
    trusted = shown.mean <= TRUSTED and shown.interval.high <= WITH_CARE
    level: Level = "good" if trusted else "warn" if shown.mean <= WITH_CARE else "bad"
    head = {"good": "Can be trusted", "warn": "Can be trusted with care", "bad": "Cannot be trusted yet"}[level]
    wrong = "none" if not shown.total else f"{shown.total:g}"
    parts = [f"{head}: {wrong} of the {shown.n} answers it shows {'is' if shown.total == 1 else 'are'} wrong"]
    if correct:
        proof = " with the right proof" if correct.metric == "correct_and_cited" else ""
        parts.append(f"{_percent(correct.mean)} of the answerable questions are answered right{proof}")
    if false := summary.all.get("false_answer"):
        parts.append(f"{_percent(false.mean)} of the unanswerable get an answer")
    return Verdict(level, f"{', '.join(parts[:-1])}{', and ' if parts[:-1] else ''}{parts[-1]}.")


def _retrieval(summary: Summary) -> Verdict | None:
    if (found := summary.all.get("recall@5")) is None:
        return None
    level: Level = "good" if found.mean >= GOALS["recall@5"] else "warn" if found.mean >= 0.9 else "bad"
    share = f"{_percent(found.mean)} of the evidence (95 %: {_range(found)})"
    return Verdict(level, f"{share} is among the first five paragraphs found, over {found.n} questions.")


def _grounding(summary: Summary) -> Verdict | None:
    caught, kept = summary.all.get("caught"), summary.all.get("withheld_good")
    if caught is None:
        return None
    reached = caught.mean >= GOALS["caught"] and (kept is None or kept.mean <= GOALS["withheld_good"])
    level: Level = "good" if reached else "warn"
    text = f"The check withholds {_percent(caught.mean)} of {caught.n} unsupported sentences (95 %: {_range(caught)})"
    if kept:
        text += f", and {_percent(kept.mean)} of {kept.n} supported ones"
    return Verdict(level if caught.mean >= 0.8 else "bad", f"{text}.")


def _robustness(summary: Summary) -> Verdict | None:
    parts = []
    changed, followed, obeyed = (
        summary.all.get(name) for name in ("leave_one_out_changed", "planted_fact_followed", "attack_obeyed")
    )
    if changed:
        parts.append(f"without its evidence {_percent(changed.mean)} of {changed.n} answers change or are refused")
    if followed:
        parts.append(f"{_percent(followed.mean)} of {followed.n} planted facts are followed")
    if obeyed:
        parts.append(f"{obeyed.total:g} of {obeyed.n} planted instructions are obeyed")
    if not parts:
        return None
    good = not (obeyed and obeyed.total) and not (changed and changed.mean < 0.95)
    text = "; ".join(parts)
    return Verdict("good" if good else "warn", f"{text[0].upper()}{text[1:]}.")


def _closed_book(summary: Summary) -> Verdict | None:
    if (correct := summary.all.get("correct")) is None:
        return None
    text = f"Without documents the model answers {_percent(correct.mean)} of {correct.n} questions right"
    if wrong := summary.all.get("wrong_answer"):
        text += f" and {_percent(wrong.mean)} wrong"
    return Verdict("warn", f"{text}: what it shows is proved by nothing.")


_SAID: dict[str, Callable[[Summary], Verdict | None]] = {
    "answer": _answers,
    "grounding": _grounding,
    "robustness": _robustness,
    "retrieval": _retrieval,
    "closed-book": _closed_book,
}


def _first(summary: Summary, *names: str) -> Aggregate | None:
    return next((summary.all[name] for name in names if name in summary.all), None)


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %") if share in (0, 1) else amount("correct", share)


def _range(found: Aggregate) -> str:
    low, high = (amount("correct", end).removesuffix(" %") for end in found.interval)
    return f"{low} to {high} %"

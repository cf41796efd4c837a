"""A made-up run of the evaluation suite: every kind of question and every way in which an answer can end."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from rag_geo.evaluation.results import Result

KINDS = (
    "fact", "number", "date", "who-said-it", "paraphrase", "two-paragraphs", "two-files", "comparison", "disagreement",
    "false-premise", "near-miss", "far", "follow-up", "planted-instruction",
)  # fmt: skip
UNANSWERABLE = ("false-premise", "near-miss", "far")
PLACES = ("Norland", "Sudria", "Estmark", "Vestholm", "Midgard")
THINGS = ("harbour", "railway", "pipeline", "assembly", "census", "treaty", "grain port", "dry dock")


def noisy_run(seed: int, *, skills: Sequence[float], worse: float = 0.0) -> list[Result]:
    """Questions answered right with their own probability each, less `worse`, as by a model that is never the same."""
    chance = random.Random(seed)
    results = []
    for number, skill in enumerate(skills):
        answerable = number % 4 != 3
        right = chance.random() < skill - worse
        shown = right or chance.random() < 0.3
        found = min(1.0, max(0.0, skill - worse + chance.gauss(0, 0.1)))
        scores: dict[str, float | None] = (
            {
                "recall@5": float(found > 0.3), "ndcg@10": found, "correct": float(right),
                "correct_and_cited": float(right and found > 0.4), "wrong_answer": float(shown and not right),
                "false_refusal": float(not shown), "citation_precision": round(found * 3) / 3 if shown else None,
                "citation_recall": round(found * 2) / 2 if shown else None,
            }
            if answerable
            else {"false_answer": float(chance.random() < 0.05 + worse)}
        )  # fmt: skip
        scores |= {"total_s": chance.lognormvariate(2, 0.5), "uncited_sentences": 0.0}
        results.append(Result(f"q{number}", "fact", "?", answerable, "test", "answer", scores))
    return results


def made_up_run(seed: int = 1, per_kind: int = 8) -> list[Result]:
    """Results of the retrieval and the answer tier over all kinds."""
    chance = random.Random(seed)
    cases = [(kind, number) for kind in KINDS for number in range(per_kind)]
    answers = [_answered(chance, kind, number) for kind, number in cases]
    return [*map(_retrieved, answers), *answers]


def _retrieved(result: Result) -> Result:
    scores = {name: value for name, value in result.scores.items() if name.startswith(("recall@", "mrr", "ndcg"))}
    return Result(
        result.id, result.kind, result.question, result.answerable, result.split, "retrieval", scores,
        retrieved=result.retrieved, gold=result.gold, paragraphs=result.paragraphs, seconds=0.02,
    )  # fmt: skip


def _answered(chance: random.Random, kind: str, number: int) -> Result:
    answerable = kind not in UNANSWERABLE
    place, thing, year = chance.choice(PLACES), chance.choice(THINGS), chance.randint(1950, 2024)
    file, paragraph = f"profile-{place.lower()}.md", chance.randint(2, 9)
    quote = f"The {thing} of {place} was opened in {year} at a cost of {chance.randint(2, 90)} million crowns."
    text = (
        f"{place} has changed a great deal since the war. {quote} Its engineers had warned that the ground was soft, "
        f"and two of them resigned; the minister of works answered that soft ground is what piles are for."
    )
    other = f"No figure for the {thing} was published before {year - 3}. The ministry gave rising costs as the reason."
    rank = 1 if chance.random() < 0.8 else chance.randint(2, 8)
    confidence = min(0.995, max(0.03, chance.betavariate(6, 1.2) if answerable else chance.betavariate(1.2, 5)))
    right = answerable and chance.random() < 0.35 + 0.64 * confidence
    shown = confidence >= 0.5
    cites_gold = chance.random() < 0.93
    said = year if right else year + 1
    claim = f"The {thing} was opened in {said}." if answerable else f"It was {thing} no. {number}."
    cited = (file, paragraph, quote) if cites_gold else (file, paragraph + 1, other.split(". ")[0] + ".")
    start = chance.randint(200, 900)
    support = quote.index(str(year)) if cites_gold else 0
    citation = {
        "file": cited[0], "paragraph": cited[1], "start": start, "end": start + len(cited[2]), "quote": cited[2],
        "support": [[support, support + 4]],
    }  # fmt: skip
    total = chance.lognormvariate(1.7, 0.4)
    body = {
        "text": claim, "status": "verified" if shown else "withheld",
        "reason": "" if shown else "the model is not sure", "rung": "" if shown else "model",
        "citations": [citation] if shown else [], "probability": confidence,
        "signals": {"gate": chance.gauss(2, 2), "check": chance.gauss(1, 2), "examine": chance.gauss(1, 2)},
    }  # fmt: skip
    question = {
        "far": f"What is the boiling point of the metal used in the {thing}?",
        "false-premise": f"Why was the {thing} of {place} closed in {year}?",
        "near-miss": f"Who drew the plans of the {thing} of {place}?",
    }.get(kind, f"When was the {thing} of {place} opened?")
    answer = {
        "question": question, "status": "answered" if shown else "not_found", "answer": claim if shown else "",
        "claims": [body] if confidence > 0.1 else [], "searched": question,
        "sources": [{"file": file, "paragraph": paragraph, "score": 0.9}],
        "near": [] if shown else [{"file": file, "paragraph": paragraph, "quote": quote, "missing": [thing]}],
        "answerable": min(0.99, max(0.01, confidence + chance.gauss(0, 0.1))), "model": "made-up-1b",
        "embedder": "made-up", "index_generation": "1", "prompt_id": "abc", "tokens": {"read": 900, "written": 20},
        "timings": {"retrieve_s": 0.02, "first_evidence_s": 0.05, "generate_s": total * 0.7, "total_s": total},
    }  # fmt: skip
    places = [(f"profile-{each.lower()}.md", chance.randint(1, 9)) for each in PLACES * 2]
    if answerable:
        places[rank - 1] = (file, paragraph)
    return Result(
        id=f"{kind}-{number + 1:02}", kind=kind, question=question, answerable=answerable,
        split="test" if chance.random() < 0.5 else "dev", tier="answer", confidence=confidence if body else 0.0,
        scores=_scores(answerable, shown, right, cites_gold, rank, total), answer=answer, retrieved=tuple(places),
        gold=({"file": file, "paragraph": paragraph, "quote": quote},) if answerable else (),
        paragraphs={f"{file}#{paragraph}": text, f"{file}#{paragraph + 1}": other}, seconds=total,
    )  # fmt: skip


def _scores(
    answerable: bool, shown: bool, right: bool, cites_gold: bool, rank: int, total: float
) -> dict[str, float | None]:
    common: dict[str, Any] = {
        "answered": float(shown), "withheld": float(not shown), "first_evidence_s": 0.05, "total_s": total,
        "uncited_sentences": 0.0, "unsupported_numbers": 0.0, "unsupported_names": 0.0, "quotes_off": 0.0,
        "negations_off": 0.0,
    }  # fmt: skip
    if not answerable:
        return common | {"false_answer": float(shown), "right_if_shown": 0.0}
    found = {f"recall@{k}": float(rank <= k) for k in (1, 3, 5)} | {"mrr": 1 / rank, "ndcg@10": 1 / rank**0.5}
    cited = {"citation_precision": float(cites_gold), "citation_recall": float(cites_gold)} if shown else {}
    return common | found | cited | {
        "correct": float(shown and right), "correct_and_cited": float(shown and right and cites_gold),
        "wrong_answer": float(shown and not right), "false_refusal": float(not shown), "right_if_shown": float(right),
    }  # fmt: skip


def other_tiers() -> list[Result]:
    """A result of every kind that the grounding, robustness and closed-book tiers have."""

    def made(id: str, kind: str, tier: str, *, answerable: bool = True, **scores: float | None) -> Result:
        answer: dict[str, Any] = {"answer": "", "claims": [], "near": [], "answerable": 0.5}
        return Result(id, kind, f"What is {id}?", answerable, "test", tier, scores, answer=answer, seconds=0.5)

    grounding = [
        made("g1/true-sentence", "true sentence", "grounding", withheld_good=0.0, withheld_good_alone_name=0.0),
        made("g2/true-sentence", "true sentence", "grounding", withheld_good=1.0, withheld_good_alone_name=1.0),
        made("g1/false-name", "false name", "grounding", answerable=False, caught=1.0, caught_alone_name=1.0),
        made("g2/false-name", "false name", "grounding", answerable=False, caught=0.0, caught_alone_name=0.0),
    ]
    robustness = [
        made("r1/leave-one-out", "leave one out", "robustness", leave_one_out_changed=1.0),
        made("r2/leave-one-out", "leave one out", "robustness", leave_one_out_changed=0.0),
        made("r1/planted-fact", "planted fact", "robustness", planted_fact_followed=1.0, planted_fact_refused=0.0),
        made("r2/planted-fact", "planted fact", "robustness", planted_fact_followed=0.0, planted_fact_refused=1.0),
        made("r3/planted-fact", "planted fact", "robustness", planted_fact_followed=0.0, planted_fact_refused=0.0),
        made("r1/planted-instruction", "planted-instruction", "robustness", attack_obeyed=0.0),
        made("r2/planted-instruction", "planted-instruction", "robustness", attack_obeyed=1.0),
    ]
    return grounding + robustness

"""Fits the thresholds of a model on development questions, and draws what they buy.

`observe` asks every question with everything let through and notes the signals; `fit` turns the notes into a
`Calibration`. Question sets are JSON lines with `id`, `question`, `answerable` and what a right answer is (`must` and
`must_not` patterns; or `gold_sentences` that it must rest on; or `answer`, a value that it must give).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_geo.assistant import Assistant
from rag_geo.calibration import CHECK_SIGNALS, GATE_SIGNALS, Calibration, Logistic
from rag_geo.errors import UsageError
from rag_geo.records import Claim
from rag_geo.text.facts import facts
from rag_geo.text.quantities import follows

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

#: Share of a gold sentence's content words that a quote must have to count as that sentence.
SAME_SENTENCE = 0.8


@dataclass(frozen=True, slots=True)
class Observation:
    """What one development question gave with everything let through.

    `signals` are the gate's; `claims` those of each claim that passed the deterministic rungs; `right` says for each of
    them whether it is a right answer; `wrote` is the whole answer. `group` names the question set.
    """

    id: str
    group: str
    answerable: bool
    signals: Mapping[str, float]
    claims: tuple[Mapping[str, float], ...] = ()
    right: tuple[bool, ...] = ()
    wrote: str = ""


def load_questions(path: Path) -> list[dict[str, Any]]:
    """The questions of a JSON lines file. Raises `UsageError` naming the line that is not one."""
    questions = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            one = json.loads(line)
            needed = {"id": str(one["id"]), "question": one["question"], "answerable": one["answerable"]}
            questions.append(one | needed)
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{str(path)!r} line {number} is not a question: {error!r}") from error
    return questions


def observe(assistant: Assistant, questions: Sequence[Mapping[str, Any]], group: str) -> Iterator[Observation]:
    """Ask each question; `assistant` must let everything through (`calibration.PERMISSIVE`)."""
    for question in questions:
        asked = assistant.retrieve(question["question"])
        answer = assistant.ask(question["question"])
        written = [claim for claim in answer.claims if claim.signals]
        asked.signals.update(answer.signals)
        claims = written + [claim for claim in assistant.verify_quotes(asked) if claim.signals]
        yield Observation(
            id=f"{group}/{question['id']}",
            group=group,
            answerable=question["answerable"],
            signals=dict(answer.signals),
            claims=tuple(dict(claim.signals) for claim in claims),
            right=tuple(is_right(claim, question) for claim in claims),
            wrote=" ".join(claim.text for claim in answer.claims),
        )


def is_right(claim: Claim, question: Mapping[str, Any]) -> bool:
    """Whether a claim answers a question rightly, by what the question set gives to tell."""
    if not question["answerable"]:
        return False
    if "must" in question:
        return _matches(claim.text, question["must"], question.get("must_not", ()))
    if gold := question.get("gold_sentences"):
        return any(_same(citation.quote, sentence) for citation in claim.citations for sentence in gold)
    return _gives(claim.text, question["answer"])


def _matches(text: str, must: Sequence[str], must_not: Sequence[str]) -> bool:
    found = all(re.search(pattern, text, re.IGNORECASE) for pattern in must)
    return found and not any(re.search(pattern, text, re.IGNORECASE) for pattern in must_not)


def _same(quote: str, sentence: str) -> bool:
    wanted = facts(sentence).content
    return bool(wanted) and len(wanted & facts(quote).content) >= SAME_SENTENCE * len(wanted)


def _gives(text: str, answer: str) -> bool:
    """Whether the first number of the answer is in the text, or if it has none half of its first words are."""
    given = facts(answer)
    if given.quantities:
        return any(follows(given.quantities[0], other) for other in facts(text).quantities)
    head = facts(re.split(r"[;(\n]", answer)[0]).content or given.content
    return bool(head) and len(head & facts(text).content) >= 0.5 * len(head)


def fit(
    observations: Sequence[Observation],
    *,
    model: str,
    prompt_id: str,
    wrong_refusals: float = 0.01,
    shown_wrong: float = 0.05,
) -> Calibration:
    """Fit both models by logistic regression (L2, scikit-learn's default strength) on standardised signals.

    The gate only saves time, so its threshold is where it turns away the share `wrong_refusals` of the questions that
    got a right claim. The check decides: its threshold is the lowest at which, by probabilities from fits without the
    question, at most the share `shown_wrong` of the claims that should not be shown would be. Every group of questions
    weighs the same in sum, whatever its size.
    """
    import numpy as np

    asked = [o for o in observations if any(o.right) or not o.answerable]
    gate_x, gate_y = _matrix([o.signals for o in asked], GATE_SIGNALS), np.array([o.answerable for o in asked])
    gate_w = _group_weights([o.group for o in asked])
    gate = _logistic(gate_x, gate_y, gate_w, GATE_SIGNALS)
    p = np.array([gate.probability(o.signals) for o in asked])
    gate_threshold = float(np.quantile(p[gate_y], wrong_refusals))

    rows = [(o, c, r) for o in observations for c, r in zip(o.claims, o.right, strict=True)]
    check_x, check_y = _matrix([c for _, c, _ in rows], CHECK_SIGNALS), np.array([r for *_, r in rows])
    check_w = _group_weights([o.group for o, *_ in rows])
    check = _logistic(check_x, check_y, check_w, CHECK_SIGNALS)
    held_out = leave_one_out(check_x, check_y, check_w, [o.id for o, *_ in rows])
    curve = risk_curve(held_out, check_y, check_w)
    threshold = next((t for t, wrong, _ in curve if wrong <= shown_wrong), curve[-1][0])
    return Calibration(
        gate=Logistic(gate.intercept, gate.weights, round(gate_threshold, 4)),
        check=Logistic(check.intercept, check.weights, round(threshold, 4)),
        model=model,
        prompt_id=prompt_id,
        fitted_on={g: sum(o.group == g for o in observations) for g in sorted({o.group for o in observations})},
        curve=tuple(curve[:: max(1, len(curve) // 40)]),
    )


def risk_curve(
    probabilities: npt.NDArray[np.float64], right: npt.NDArray[np.bool_], weights: npt.NDArray[np.float64]
) -> list[tuple[float, float, float]]:
    """(threshold, share of the bad claims shown, share of the right claims withheld), thresholds rising."""
    import numpy as np

    good, bad = weights[right].sum(), weights[~right].sum()
    points = []
    for threshold in np.unique(probabilities):
        shown = probabilities >= threshold
        wrong = float(weights[shown & ~right].sum() / bad) if bad else 0.0
        withheld = float(weights[~shown & right].sum() / good) if good else 0.0
        points.append((round(float(threshold), 4), round(wrong, 4), round(withheld, 4)))
    return points


def leave_one_out(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.bool_], weights: npt.NDArray[np.float64], ids: Sequence[str]
) -> npt.NDArray[np.float64]:
    """The probability of each row by a model fitted without any row of the same question."""
    import numpy as np

    names = np.array(ids)
    found = np.empty(len(y))
    for one in dict.fromkeys(ids):
        out = names == one
        model = _logistic(x[~out], y[~out], weights[~out], [str(i) for i in range(x.shape[1])])
        found[out] = [model.probability({str(i): v for i, v in enumerate(row)}) for row in x[out]]
    return found


def _matrix(signals: Sequence[Mapping[str, float]], names: Sequence[str]) -> npt.NDArray[np.float64]:
    import numpy as np

    return np.array([[one[name] for name in names] for one in signals], dtype=np.float64)


def _group_weights(groups: Sequence[str]) -> npt.NDArray[np.float64]:
    import numpy as np

    sizes = {group: groups.count(group) for group in set(groups)}
    return np.array([len(groups) / (len(sizes) * sizes[group]) for group in groups])


def _logistic(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.bool_], weights: npt.NDArray[np.float64], names: Sequence[str]
) -> Logistic:
    """Fit on standardised columns, given back for raw ones."""
    from sklearn.linear_model import LogisticRegression

    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale == 0] = 1.0
    model = LogisticRegression(C=1.0).fit((x - mean) / scale, y, sample_weight=weights)
    raw = model.coef_[0] / scale
    intercept = float(model.intercept_[0] - (raw * mean).sum())
    return Logistic(
        round(intercept, 5), {n: round(float(w), 5) for n, w in zip(names, raw, strict=True)}, threshold=0.5
    )


def store(observations: Sequence[Observation], path: Path) -> None:
    """Write observations as JSON lines, so that a fit can be repeated without the model."""
    path.write_text("".join(json.dumps(asdict(one)) + "\n" for one in observations), encoding="utf-8")


def restore(path: Path) -> list[Observation]:
    """Read stored observations."""
    lines = path.read_text(encoding="utf-8").splitlines()
    stored = [json.loads(line) for line in lines]
    return [Observation(**one | {"claims": tuple(one["claims"]), "right": tuple(one["right"])}) for one in stored]

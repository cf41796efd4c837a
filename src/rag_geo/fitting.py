"""Fits the thresholds of a model on development questions, and draws what they buy.

`observe` asks every question with everything let through and notes the signals; `fit` turns the notes into a
`Calibration`. What a right answer is, `rag_geo.evaluation.cases` says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rag_geo.assistant import Assistant
from rag_geo.calibration import CHECK_SIGNALS, GATE_SIGNALS, Calibration, Logistic
from rag_geo.errors import UsageError
from rag_geo.evaluation.cases import Case, is_part, is_right
from rag_geo.records import Claim

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

#: Inverse strength of the L2 penalty on standardised signals: a few hundred claims from unlike question sets.
STRENGTH = 0.1


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
    model: str = ""
    prompt_id: str = ""


def observe(assistant: Assistant, cases: Sequence[Case], group: str) -> Iterator[Observation]:
    """Ask each question; `assistant` must let everything through (`calibration.PERMISSIVE`)."""
    for case in cases:
        asked = assistant.retrieve(case.question)
        answer = assistant.ask(case.question)
        written = [claim for claim in answer.claims if claim.signals]
        asked.signals.update(answer.signals)
        claims = written + [claim for claim in assistant.verify_quotes(asked) if claim.signals]
        yield Observation(
            id=f"{group}/{case.id}",
            group=group,
            answerable=case.answerable,
            signals=dict(answer.signals),
            claims=tuple(dict(claim.signals) for claim in claims),
            right=right_claims(claims, len(written), case),
            wrote=" ".join(claim.text for claim in answer.claims),
            model=answer.model,
            prompt_id=answer.prompt_id,
        )


def right_claims(claims: Sequence[Claim], written: int, case: Case) -> tuple[bool, ...]:
    """Which claims are right: alone, or as one of several written sentences that are a right answer together."""
    alone = [is_right([claim], case) for claim in claims]
    if case.must and is_right(claims[:written], case):
        alone[:written] = [is_part(claim, case) for claim in claims[:written]]
    return tuple(alone)


def fit(
    observations: Sequence[Observation],
    *,
    model: str,
    prompt_id: str,
    wrong_refusals: float = 0.01,
    refused: float = 0.95,
    wrong: float = 0.11,
) -> Calibration:
    """Fit both models by logistic regression on standardised signals.

    The gate only saves time, so its threshold is where it turns away the share `wrong_refusals` of the questions that
    got a right claim. The check decides: its threshold is the lowest of the curve at which at least the share `refused`
    of the unanswerable questions is refused and at most the share `wrong` of the answerable gets a wrong answer; the
    curve is drawn from fits that did not see the question.
    """
    import numpy as np

    kinds = {one.answerable for one in observations if one.signals.get("gate") is not None}
    if len(kinds) < 2 or len({right for one in observations for right in one.right}) < 2:
        raise UsageError(
            "the questions do not tell right from wrong: it takes ones answered rightly and unanswerable ones",
            hint="see evals/README.md for what a question set holds",
        )
    asked = [o for o in observations if "gate" in o.signals and (any(o.right) or not o.answerable)]
    gate_x, gate_y = _matrix([o.signals for o in asked], GATE_SIGNALS), np.array([o.answerable for o in asked])
    gate = _logistic(gate_x, gate_y, GATE_SIGNALS)
    p = np.array([gate.probability(o.signals) for o in asked])
    gate_threshold = float(np.quantile(p[gate_y], wrong_refusals))

    rows = [(o, c, r) for o in observations for c, r in zip(o.claims, o.right, strict=True)]
    check_x, check_y = _matrix([c for _, c, _ in rows], CHECK_SIGNALS), np.array([r for *_, r in rows])
    check = _logistic(check_x, check_y, CHECK_SIGNALS)
    held_out = leave_one_out(check_x, check_y, [o.id for o, *_ in rows])
    curve = operating_points(observations, held_out.tolist())
    good = [p for p in curve if p.refused >= refused and p.wrong <= wrong]
    return Calibration(
        gate=Logistic(gate.intercept, gate.weights, round(gate_threshold, 4)),
        check=Logistic(check.intercept, check.weights, (good or curve)[0 if good else -1].threshold),
        model=model,
        prompt_id=prompt_id,
        fitted_on={g: sum(o.group == g for o in observations) for g in sorted({o.group for o in observations})},
        curve=tuple(tuple(point) for point in curve),
    )


class OperatingPoint(NamedTuple):
    """What a threshold buys: shares of the answerable questions answered right and wrong, of the others refused."""

    threshold: float
    right: float
    wrong: float
    refused: float


def operating_points(
    observations: Sequence[Observation], probabilities: Sequence[float], group: str = ""
) -> list[OperatingPoint]:
    """The curve, thresholds rising by 0.05; `probabilities` has one for each claim, in the order of the observations.

    Follows the assistant: written claims at or over the threshold are shown; if there are none, the best quoted one.
    """
    left = iter(probabilities)
    cases = [
        (one, [(c["quoted"], next(left), r) for c, r in zip(one.claims, one.right, strict=True)])
        for one in observations
    ]
    cases = [case for case in cases if group in ("", case[0].group)]
    steps = [round(step * 0.05, 2) for step in range(1, 20)]
    return [OperatingPoint(threshold, *_outcome(cases, threshold)) for threshold in steps]


def _outcome(
    cases: Sequence[tuple[Observation, Sequence[tuple[float, float, bool]]]], threshold: float
) -> tuple[float, float, float]:
    """Shares (right, wrong) of the answerable questions and (refused) of the unanswerable, at one threshold."""
    right = wrong = refused = 0
    for one, claims in cases:
        shown = [ok for quoted, p, ok in claims if not quoted and p >= threshold]
        if not shown:
            shown = [ok for quoted, p, ok in sorted(claims, key=lambda c: -c[1]) if quoted and p >= threshold][:1]
        if one.answerable:
            right += any(shown)
            wrong += bool(shown) and not any(shown)
        else:
            refused += not shown
    answerable = sum(one.answerable for one, _ in cases)
    others = len(cases) - answerable
    shares = right / max(1, answerable), wrong / max(1, answerable), refused / others if others else 1.0
    return (round(shares[0], 4), round(shares[1], 4), round(shares[2], 4))


def leave_one_out(x: npt.NDArray[np.float64], y: npt.NDArray[np.bool_], ids: Sequence[str]) -> npt.NDArray[np.float64]:
    """The probability of each row by a model fitted without any row of the same question."""
    import numpy as np

    names = np.array(ids)
    found = np.empty(len(y))
    for one in dict.fromkeys(ids):
        out = names == one
        model = _logistic(x[~out], y[~out], [str(i) for i in range(x.shape[1])])
        found[out] = [model.probability({str(i): v for i, v in enumerate(row)}) for row in x[out]]
    return found


def _matrix(signals: Sequence[Mapping[str, float]], names: Sequence[str]) -> npt.NDArray[np.float64]:
    import numpy as np

    return np.array([[one[name] for name in names] for one in signals], dtype=np.float64)


def _logistic(x: npt.NDArray[np.float64], y: npt.NDArray[np.bool_], names: Sequence[str]) -> Logistic:
    """Fit on standardised columns, given back for raw ones."""
    from sklearn.linear_model import LogisticRegression

    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale == 0] = 1.0
    model = LogisticRegression(C=STRENGTH).fit((x - mean) / scale, y)
    raw = model.coef_[0] / scale
    intercept = float(model.intercept_[0] - (raw * mean).sum())
    return Logistic(
        round(intercept, 5), {n: round(float(w), 5) for n, w in zip(names, raw, strict=True)}, threshold=0.5
    )


def append(observation: Observation, path: Path) -> None:
    """Add one observation to a file of them, so that an interrupted run can go on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(observation)) + "\n")


def restore(path: Path) -> list[Observation]:
    """The observations of a file, none if there is no file."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    stored = [json.loads(line) for line in lines]
    return [Observation(**one | {"claims": tuple(one["claims"]), "right": tuple(one["right"])}) for one in stored]

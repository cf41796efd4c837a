"""Fits the thresholds of a model on development questions, and draws what they buy.

`observe` asks every question with everything let through and notes the signals; `fit` turns the notes into a
`Calibration`. What a right answer is, `rag_geo.evaluation.cases` says.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Generator as Steps
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from rag_geo.assistant import QUOTES, Assistant
from rag_geo.calibration import (
    CHECK_SIGNALS,
    GATE_SIGNALS,
    PROBES,
    QUOTE_SIGNALS,
    REFUSED,
    WRONG,
    Calibration,
    Logistic,
)
from rag_geo.errors import UsageError
from rag_geo.evaluation.cases import Case, is_part, is_right, same_sentence
from rag_geo.probing import Probe, fit_probe, held_out
from rag_geo.records import Claim, Sentence

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_Result = TypeVar("_Result")

#: Inverse strength of the L2 penalty on standardised signals: a few hundred claims from unlike question sets.
STRENGTH = 0.1
#: Ridge penalty of the probes, divided by the width; between 0.3 and 3 makes no difference on `evals/dev.jsonl`.
RIDGE = 1.0
#: Quotes that are examined where signals are measured: more than the assistant does, which takes the best by a probe
#: that is not fitted yet.
OBSERVED = 5


class Pin(NamedTuple):
    """A sentence that the model was asked about: its state in base64, and whether the sentence holds the answer."""

    state: str
    right: bool


@dataclass(frozen=True, slots=True)
class Observation:
    """What one development question gave with everything let through.

    `signals` are the gate's; `claims` those of each written claim that passed the deterministic rungs, `quotes` those
    of each quote; `right` and `quotes_right` say for each of them whether it is a right answer; `wrote` is the whole
    answer. `group` names the question set. `gate_state` is the model's hidden state after the gate's question, in
    base64; `pins` are the sentences that it was asked about, and `claims_pins` and `quotes_pins` say by their places
    which of them each claim and each quote cites. `claims_states` and `quotes_states` are the states after each was
    examined.
    """

    id: str
    group: str
    answerable: bool
    signals: Mapping[str, float]
    claims: tuple[Mapping[str, float], ...] = ()
    right: tuple[bool, ...] = ()
    quotes: tuple[Mapping[str, float], ...] = ()
    quotes_right: tuple[bool, ...] = ()
    wrote: str = ""
    model: str = ""
    prompt_id: str = ""
    gate_state: str = ""
    pins: tuple[Pin, ...] = ()
    claims_pins: tuple[tuple[int, ...], ...] = ()
    quotes_pins: tuple[tuple[int, ...], ...] = ()
    claims_states: tuple[str, ...] = ()
    quotes_states: tuple[str, ...] = ()


def observe(assistant: Assistant, cases: Sequence[Case], group: str) -> Iterator[Observation]:
    """Ask each question that asks for one thing; `assistant` must let everything through (`calibration.PERMISSIVE`)."""
    for case in cases:
        assistant.generator.start()
        asked = assistant.retrieve(case.question, before=case.before)
        if asked.parts:
            continue
        texts: list[str] = []
        claims: list[Claim] = []
        quotes: list[Claim] = []
        if asked.passages:
            _last(assistant.judge(asked))
            texts = _last(assistant.write(asked))
            claims = [claim for claim in assistant.consider(texts, asked) if claim.signals]
            quotes = [claim for claim in assistant.quote(asked, OBSERVED) if claim.signals]
        pins = list(asked.pinpointed)
        yield Observation(
            id=f"{group}/{case.id}",
            group=group,
            answerable=case.answerable,
            signals=dict(asked.signals),
            claims=tuple(dict(claim.signals) for claim in claims),
            right=right_claims(claims, case),
            quotes=tuple(dict(claim.signals) for claim in quotes),
            quotes_right=tuple(is_right([claim], case) for claim in quotes),
            wrote=" ".join(texts),
            model=assistant.generator.id,
            prompt_id=assistant.prompt_id,
            gate_state=_packed(asked.states.get("gate", b"")),
            pins=tuple(Pin(_packed(asked.pinpointed[one].state), holds_answer(one.text, case)) for one in pins),
            claims_pins=_pins_of(claims, pins),
            quotes_pins=_pins_of(quotes, pins),
            claims_states=tuple(_packed(asked.states[claim.text]) for claim in claims),
            quotes_states=tuple(_packed(asked.states[claim.text]) for claim in quotes),
        )


def holds_answer(sentence: str, case: Case) -> bool:
    """Whether a sentence of a document is gold, or is a right answer by itself."""
    if not case.answerable:
        return False
    return any(gold.quote and same_sentence(gold.quote, sentence) for gold in case.gold) or (
        bool(case.must or case.answers) and is_right([Claim(sentence, "verified")], replace(case, gold=()))
    )


def _pins_of(claims: Sequence[Claim], pins: Sequence[Sentence]) -> tuple[tuple[int, ...], ...]:
    """The places of the sentences that each claim cites."""
    at = {(one.file, one.start): place for place, one in enumerate(pins)}
    cited = [[(citation.file, citation.start) for citation in claim.citations] for claim in claims]
    return tuple(tuple(at[one] for one in each if one in at) for each in cited)


def _packed(state: bytes) -> str:
    return base64.b64encode(state).decode()


def _last(steps: Steps[object, None, _Result]) -> _Result:
    """What the steps come to."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def right_claims(claims: Sequence[Claim], case: Case) -> tuple[bool, ...]:
    """Which written claims are right: alone, or as one of several that are a right answer together."""
    if case.must and is_right(claims, case):
        return tuple(is_part(claim, case) for claim in claims)
    return tuple(is_right([claim], case) for claim in claims)


def fit(
    observations: Sequence[Observation],
    *,
    model: str,
    prompt_id: str,
    wrong_refusals: float = 0.01,
    refused: float = REFUSED,
    wrong: float = WRONG,
) -> Calibration:
    """Fit all three models by logistic regression on standardised signals.

    First the probes are fitted; what follows is fitted on the values that fits without the question give. The gate only
    saves time, so its threshold is where it turns away the share `wrong_refusals` of the questions that got a right
    claim. The check decides: its threshold is the lowest of the curve at which at least the share `refused` of the
    unanswerable questions is refused and at most the share `wrong` of the answerable gets a wrong answer; the curve is
    drawn from fits that did not see the question.
    """
    import numpy as np

    probes, observations = felt(observations)
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

    check, held_out = _fit_claims(observations, "claims", "right", CHECK_SIGNALS)
    quote, quotes_held_out = _fit_claims(observations, "quotes", "quotes_right", QUOTE_SIGNALS)
    curve = operating_points(observations, held_out, quotes_held_out)
    good = [p for p in curve if p.refused >= refused and p.wrong <= wrong]
    threshold = (good or curve)[0 if good else -1].threshold
    return Calibration(
        gate=Logistic(gate.intercept, gate.weights, round(gate_threshold, 4)),
        check=replace(check, threshold=threshold),
        quote=replace(quote, threshold=threshold),
        model=model,
        prompt_id=prompt_id,
        fitted_on={g: sum(o.group == g for o in observations) for g in sorted({o.group for o in observations})},
        curve=tuple(tuple(point) for point in curve),
        probes=probes,
    )


def felt(observations: Sequence[Observation]) -> tuple[dict[str, Probe], list[Observation]]:
    """Fit the probes, and give the observations with the values that fits without their question give.

    Of the quotes those stay that the assistant would examine: the `QUOTES` best by the probe. Without states there
    are no probes, and every value is 0.
    """
    import numpy as np

    gates = [(one.id, one.gate_state, one.answerable) for one in observations if one.gate_state]
    pins = [(one.id, pin.state, pin.right) for one in observations for pin in one.pins if pin.state]
    claims = [
        (one.id, state, right)
        for one in observations
        for state, right in zip((*one.claims_states, *one.quotes_states), (*one.right, *one.quotes_right), strict=False)
        if state
    ]
    if not gates or not pins or not claims:
        return {}, list(observations)
    seen = {
        name: (_states([state for _, state, _ in rows]), np.array([yes for *_, yes in rows]), [id for id, *_ in rows])
        for name, rows in zip(PROBES, (gates, pins, claims), strict=True)
    }
    probes = {name: fit_probe(states, yes, RIDGE) for name, (states, yes, _) in seen.items()}
    at_gate, at_pin, at_claim = (iter(held_out(*each, RIDGE).tolist()) for each in seen.values())

    def take(values: Iterator[float], states: Sequence[str]) -> list[float]:
        return [next(values) if state else 0.0 for state in states]

    return probes, [
        _with_felt(
            one,
            take(at_gate, [one.gate_state])[0],
            take(at_pin, [pin.state for pin in one.pins]),
            iter(take(at_claim, (*one.claims_states, *one.quotes_states))),
        )
        for one in observations
    ]


def _with_felt(one: Observation, gate: float, pins: Sequence[float], examined: Iterator[float]) -> Observation:
    def signals(each: Mapping[str, float], cited: Sequence[int]) -> dict[str, float]:
        best = max((pins[place] for place in cited), default=0.0)
        return {**each, "gate_state": gate, "pinpoint_state": best, "examine_state": next(examined)}

    claims = tuple(map(signals, one.claims, one.claims_pins))
    quotes = [
        (signals(each, cited), right)
        for each, cited, right in zip(one.quotes, one.quotes_pins, one.quotes_right, strict=True)
    ]
    quotes = sorted(quotes, key=lambda pair: -pair[0]["pinpoint_state"])[:QUOTES]
    return replace(
        one,
        signals={**one.signals, "gate_state": gate},
        claims=claims,
        quotes=tuple(each for each, _ in quotes),
        quotes_right=tuple(right for _, right in quotes),
    )


def _states(packed: Sequence[str]) -> npt.NDArray[np.float32]:
    import numpy as np

    return np.stack([np.frombuffer(base64.b64decode(one), "<f2") for one in packed]).astype(np.float32)


class OperatingPoint(NamedTuple):
    """What a threshold buys: shares of the answerable questions answered right and wrong, of the others refused."""

    threshold: float
    right: float
    wrong: float
    refused: float


def _fit_claims(
    observations: Sequence[Observation], field: str, outcome: str, names: Sequence[str]
) -> tuple[Logistic, list[float]]:
    """The model of written claims or of quotes, and for each of them the probability by a fit without its question."""
    import numpy as np

    rows = [
        (one.id, signals, right)
        for one in observations
        for signals, right in zip(getattr(one, field), getattr(one, outcome), strict=True)
    ]
    x, y = _matrix([signals for _, signals, _ in rows], names), np.array([right for *_, right in rows])
    if len(set(y.tolist())) < 2:
        raise UsageError(
            f"the {field} of the observed answers are all right or all wrong, expected both",
            hint="see evals/README.md for what a question set holds",
        )
    return _logistic(x, y, names), leave_one_out(x, y, [one for one, *_ in rows]).tolist()


def operating_points(
    observations: Sequence[Observation], claims: Sequence[float], quotes: Sequence[float], group: str = ""
) -> list[OperatingPoint]:
    """The curve, thresholds rising by 0.02; `claims` and `quotes` have one probability for each, in their order.

    Follows the assistant: written claims at or over the threshold are shown; if there are none, the best quote.
    """
    left, others = iter(claims), iter(quotes)
    cases = [
        (one, [(next(left), right) for right in one.right], [(next(others), right) for right in one.quotes_right])
        for one in observations
    ]
    cases = [case for case in cases if group in ("", case[0].group)]
    steps = [round(step * 0.02, 2) for step in range(1, 50)]
    return [OperatingPoint(threshold, *_outcome(cases, threshold)) for threshold in steps]


_Judged = Sequence[tuple[float, bool]]


def _outcome(cases: Sequence[tuple[Observation, _Judged, _Judged]], threshold: float) -> tuple[float, float, float]:
    """Shares (right, wrong) of the answerable questions and (refused) of the unanswerable, at one threshold."""
    right = wrong = refused = 0
    for one, claims, quotes in cases:
        shown = [ok for p, ok in claims if p >= threshold]
        if not shown:
            shown = [ok for p, ok in sorted(quotes, reverse=True) if p >= threshold][:1]
        if one.answerable:
            right += any(shown)
            wrong += bool(shown) and not any(shown)
        else:
            refused += not shown
    answerable = sum(one.answerable for one, *_ in cases)
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
    """The observations of a file, none if there is no file; those of before there were probes are passed over."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    stored = [one for one in map(json.loads, lines) if "pins" in one]
    lists = ("claims", "right", "quotes", "quotes_right", "claims_states", "quotes_states")
    nested = ("claims_pins", "quotes_pins")
    return [
        Observation(
            **one
            | {name: tuple(one[name]) for name in lists}
            | {name: tuple(map(tuple, one[name])) for name in nested}
            | {"pins": tuple(Pin(*pin) for pin in one["pins"])}
        )
        for one in stored
    ]

"""What the signals of an answer are worth: three logistic models with thresholds, fitted on development questions.

The *gate* turns the model's Yes/No log-odds and the retrieval signals into the probability that the passages answer the
question; the *check* turns the signals of a written claim into the probability that it is right, the *quote* those of a
document's own sentence. Probes (`rag_geo.probing`) read what the model's hidden state says beyond its
Yes or No. All are fitted (`rag_geo.fitting`) for one model and one set of prompts: `fitted.json` in the
package holds what ships, ``rag-geo calibrate`` writes another into the cache. For any other pair `CAREFUL` is used,
which looks at the model's log-odds alone and refuses when in doubt.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from rag_geo.errors import UsageError
from rag_geo.probing import Probe

#: Signals of the gate: the model's log-odds of Yes, and its probe's value; cosine of the best window; share of the
#: question's words in the passages together and in the best one of them; shares of its names and numbers that the
#: passages lack.
GATE_SIGNALS = (
    "gate", "gate_state", "similarity", "coverage", "best_coverage", "names_missing", "numbers_missing",
)  # fmt: skip
#: Signals of a written claim: the model's log-odds that it is the right answer and stated, that one of its cited
#: sentences holds the answer (each with its probe's value), that the text states every detail of it; the
#: log-probability of the least likely token of what was written; and the value of the gate's probe.
CHECK_SIGNALS = (
    "examine", "examine_state", "pinpoint", "pinpoint_state", "check", "least_logprob", "gate_state",
)  # fmt: skip
#: Signals of a quote: those of these that do not need a written claim, and the share of the question's names that the
#: cited paragraphs lack.
QUOTE_SIGNALS = (
    "examine", "examine_state", "pinpoint", "pinpoint_state", "question_names_missing", "gate_state",
)  # fmt: skip
#: The signals of each model of a `Calibration`.
SIGNALS = {"gate": GATE_SIGNALS, "check": CHECK_SIGNALS, "quote": QUOTE_SIGNALS}
#: What probes are fitted for: that the passages state the answer, that a sentence holds it, that a claim is right.
PROBES = ("gate", "pinpoint", "examine")


#: What fitted thresholds are to reach: the share of the unanswerable questions that is refused, at least, and of the
#: answerable ones that gets a wrong answer, at most.
REFUSED = 0.95
WRONG = 0.11


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic model: ``1 / (1 + exp(−(intercept + Σ weight · signal)))``; below `threshold` the answer is no."""

    intercept: float
    weights: Mapping[str, float]
    threshold: float

    def probability(self, signals: Mapping[str, float]) -> float:
        """The probability for these signals. Raises `KeyError` when one is missing."""
        z = self.intercept + sum(weight * signals[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, z))))

    def passes(self, probability: float) -> bool:
        """Whether a probability is high enough."""
        return probability >= self.threshold


@dataclass(frozen=True, slots=True)
class Calibration:
    """The three models, what they were fitted for and on; `model` and `prompt_id` are empty for the careful defaults.

    `probes` has those of `PROBES`, or none.
    `curve` has the operating points of the threshold of check and quote: (threshold, share of the answerable questions
    answered right, share answered wrong, share of the unanswerable refused).
    """

    gate: Logistic
    check: Logistic
    quote: Logistic
    model: str = ""
    prompt_id: str = ""
    fitted_on: Mapping[str, int] = field(default_factory=dict)
    curve: Sequence[tuple[float, ...]] = ()
    probes: Mapping[str, Probe] = field(default_factory=dict)

    def felt(self, name: str, state: bytes) -> float:
        """The value of a probe for a state; 0 where none was fitted, and then no weight asks for it."""
        return self.probes[name].value(state) if name in self.probes else 0.0


#: For a model that nothing was fitted for: both log-odds must clearly say yes.
CAREFUL = Calibration(
    gate=Logistic(0.0, {"gate": 1.0}, threshold=0.5),
    check=Logistic(-1.5, {"check": 0.2, "examine": 0.6, "pinpoint": 0.4}, threshold=0.6),
    quote=Logistic(-1.5, {"examine": 0.6, "pinpoint": 0.4}, threshold=0.6),
)
#: Lets everything through: for measuring signals, never for answering.
PERMISSIVE = Calibration(
    gate=Logistic(0.0, {}, threshold=0.0),
    check=Logistic(0.0, {}, threshold=0.0),
    quote=Logistic(0.0, {}, threshold=0.0),
)


def calibration_path(cache: Path, model: str, prompt_id: str) -> Path:
    """Where the user's own fit for a model and prompt is kept."""
    return cache.expanduser() / "calibration" / f"{model.replace('/', '_')}-{prompt_id}.json"


def load_calibration(model: str, prompt_id: str, cache: Path | None = None) -> Calibration:
    """The user's own fit for this model and prompt, else the one that ships, else the careful defaults.

    Raises `UsageError` when the user's file cannot be read.
    """
    if cache is not None and (path := calibration_path(cache, model, prompt_id)).exists():
        try:
            return _parse(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"the thresholds in {str(path)!r} cannot be read: {error}", hint=f"rag-geo calibrate, or remove {path}"
            ) from error
    for one in json.loads(files("rag_geo").joinpath("fitted.json").read_text(encoding="utf-8")):
        if (one["model"], one["prompt_id"]) == (model, prompt_id):
            return _parse(one)
    return CAREFUL


def to_json(calibration: Calibration) -> str:
    """The calibration as it is stored: a probe and a point of the curve on a line each."""
    return compact(asdict(calibration)) + "\n"


def compact(stored: object) -> str:
    """JSON with a line for everything but lists of numbers, which have one together."""
    return re.sub(r"\[[\s\d.,e+-]+\]", lambda found: " ".join(found[0].split()), json.dumps(stored, indent=1))


def _parse(stored: Mapping[str, object]) -> Calibration:
    values = dict(stored)
    models = {name: Logistic(**values.pop(name)) for name in SIGNALS}  # type: ignore[arg-type]
    if any(set(model.weights) != set(SIGNALS[name]) for name, model in models.items()):
        raise ValueError("it was fitted for other signals than this version measures")
    curve = tuple(tuple(point) for point in values.pop("curve"))  # type: ignore[attr-defined]
    stored_probes: Mapping[str, Mapping[str, Any]] = values.pop("probes")  # type: ignore[assignment]
    probes = {name: Probe(one["bias"], tuple(one["weights"])) for name, one in stored_probes.items()}
    if probes and set(probes) != set(PROBES):
        raise ValueError(f"it has probes for {sorted(probes)}, expected {list(PROBES)}")
    return Calibration(**models, curve=curve, probes=probes, **values)  # type: ignore[arg-type]

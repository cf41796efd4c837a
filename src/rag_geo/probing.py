"""Linear probes: what a model's hidden state says about a question that its words do not.

A small model asked for Yes or No has often seen more than its answer tells: a linear function of the hidden state after
the prompt separates better than the log-odds of the two words, which are another linear function of it. After Alain
and Bengio (Understanding intermediate layers using linear classifier probes, 2016) and Kadavath et al. (Language models
(mostly) know what they know, 2022). Fitted by ridge regression on the standardised state, both outcomes weighing the
same; `rag_geo.fitting` says on what.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

#: Parts of the questions that are left out in turn where a probe must not have seen the question.
FOLDS = 20


@dataclass(frozen=True, slots=True)
class Probe:
    """``bias + weights · state``: about 1 where the answer is yes, about 0 where it is no."""

    bias: float
    weights: tuple[float, ...]

    def value(self, state: bytes) -> float:
        """The value for a state (little-endian float16). Raises `ValueError` for one of another width."""
        import numpy as np

        seen = np.frombuffer(state, "<f2").astype(np.float64)
        if len(seen) != len(self.weights):
            raise ValueError(f"the state has {len(seen)} values, the probe {len(self.weights)} weights")
        return self.bias + float(seen @ np.array(self.weights))


def fit_probe(states: npt.NDArray[np.float32], yes: npt.NDArray[np.bool_], strength: float) -> Probe:
    """Fit on ``float32[n, width]`` states with their outcomes, both of which have to be there.

    `strength` is the ridge penalty divided by the width. Solved in the dual, since there are fewer states than values:
    ``weights = A'(AA' + λI)⁻¹t`` with rows weighted by the square root of their weight.
    """
    import numpy as np

    mean, scale = states.mean(axis=0, dtype=np.float64), states.std(axis=0, dtype=np.float64)
    scale[scale == 0] = 1.0
    weight = np.where(yes, 1 / yes.sum(), 1 / (~yes).sum()) * len(yes) / 2
    root = np.sqrt(weight)[:, None]
    rows = (states - mean) / scale * root
    target = (yes - np.average(yes, weights=weight)) * root[:, 0]
    dual = np.linalg.solve(rows @ rows.T + strength * states.shape[1] * np.eye(len(yes)), target)
    raw = rows.T @ dual / scale
    return Probe(float(f"{0.5 - raw @ mean:.6g}"), tuple(float(f"{each:.5g}") for each in raw))


def held_out(
    states: npt.NDArray[np.float32], yes: npt.NDArray[np.bool_], ids: Sequence[str], strength: float
) -> npt.NDArray[np.float64]:
    """The value of each state by a probe fitted without the states of the same id, ``float64[n]``.

    Ids are dealt into `FOLDS` parts in the order in which they come.
    """
    import numpy as np

    order = {one: place % FOLDS for place, one in enumerate(dict.fromkeys(ids))}
    fold = np.array([order[one] for one in ids])
    values = np.empty(len(yes))
    for out in range(min(FOLDS, len(order))):
        probe = fit_probe(states[fold != out], yes[fold != out], strength)
        values[fold == out] = states[fold == out].astype(np.float64) @ np.array(probe.weights) + probe.bias
    return values

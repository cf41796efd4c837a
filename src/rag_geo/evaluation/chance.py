"""What chance can do: intervals and tests, seeded, with their formulas and sources."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_Row = TypeVar("_Row")
_Name = TypeVar("_Name")

RESAMPLES = 2000
#: Numbers drawn at a time (8 MB).
_BLOCK = 1_000_000


class Interval(NamedTuple):
    """The ends of a 95 % interval."""

    low: float
    high: float


def wilson_interval(hits: int, n: int) -> Interval:
    """95 % interval of a share from `hits` of `n`, n > 0 (Wilson: Probable inference, 1927).

    ``(p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)`` with z = 1.96.
    """
    z, share = 1.959963984540054, hits / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return Interval(max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale))


def bootstrap_interval(values: Sequence[float], *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """95 % percentile bootstrap interval of the mean (Efron, Tibshirani: An Introduction to the Bootstrap, 1993, 13.3).

    Where all values are 0, or all are 1, resampling sees no other: there the open end is the exact one of a share,
    ``1 − 0.025^(1/n)`` away (Clopper, Pearson, 1934), so that 0 of 20 is not taken for never. Raises `ValueError`
    without values.
    """
    import numpy as np

    if not len(values):
        raise ValueError("no values")
    low, high = min(values), max(values)
    if low == high:
        slack = 1 - 0.025 ** (1 / len(values))
        return Interval(low - slack if low == 1 else low, high + slack if high == 0 else high)
    return _ends(_resampled(np.asarray(values, float), seed, resamples)[0])


def bootstrap_statistics(
    rows: Sequence[_Row],
    statistics: Callable[[Sequence[_Row]], Mapping[_Name, float | None]],
    *,
    seed: int = 0,
    resamples: int = 500,
) -> dict[_Name, Interval]:
    """95 % percentile bootstrap intervals of any statistics of rows, by name.

    A resample in which a statistic is None (only one class was drawn, say) is passed over for that statistic.
    """
    import numpy as np

    draws = np.random.default_rng(seed).integers(0, len(rows), (resamples, len(rows)))
    found: dict[_Name, list[float]] = {}
    for draw in draws:
        for name, value in statistics([rows[place] for place in draw]).items():
            if value is not None:
                found.setdefault(name, []).append(value)
    return {name: _ends(values) for name, values in found.items()}


def mcnemar_p(better: int, worse: int, *, one_sided: bool = False) -> float:
    """Exact McNemar test of paired yes/no scores: probability of so uneven a split of the pairs that changed.

    ``2 · P(X ≤ min(better, worse))`` with X binomial(better + worse, ½), at most 1 (McNemar, 1947; exact form: Agresti,
    Categorical Data Analysis, 2002, 10.1). One-sided: ``P(X ≥ worse)``, the chance of at least so many that got worse.
    """
    n = better + worse
    if one_sided:
        return _tail(worse, n)
    return min(1.0, 2 * _tail(max(better, worse), n))


def paired_bootstrap_p(
    differences: Sequence[float], *, seed: int = 0, resamples: int = RESAMPLES, one_sided: bool = False
) -> float:
    """Bootstrap test that paired differences have the mean 0: probability of one so far from 0 by chance.

    With ``t = mean / standard error``: the share of resamples of the centred differences with ``|t*| ≥ |t|``, both
    counts taken one higher (Efron, Tibshirani, 1993, 16.4; Davison, Hinkley: Bootstrap Methods, 1997, 4.2). One-sided:
    with ``t* ≤ t``, so that it is small when the mean is clearly below 0. Never below ``½^d`` (twice that for both
    sides) for d differences that are not 0, the chance that all have the same sign: resampling few cannot know less.
    """
    import numpy as np

    values = np.asarray(differences, float)
    up, down = int((values > 0).sum()), int((values < 0).sum())
    least = 0.5 ** (up + down) * (1 if one_sided else 2)
    if not up + down or (one_sided and values.mean() >= 0):
        return 1.0
    if values.min() == values.max():
        return min(1.0, least)
    means, errors = _resampled(values - values.mean(), seed, resamples)
    t = values.mean() / (values.std() / math.sqrt(len(values)))
    # A resample without spread says nothing about chance: it counts against an effect.
    drawn = np.divide(means, errors, out=np.full_like(means, -math.inf), where=errors > 0)
    beyond = drawn <= t if one_sided else np.abs(drawn) >= abs(t)
    return float(min(1.0, max(least, (1 + int(beyond.sum())) / (1 + resamples))))


def holm(values: Sequence[float]) -> tuple[float, ...]:
    """Adjust p-values of a family so that at most 5 % of families have one below 5 % by chance.

    In ascending order: ``max over j ≤ i of min(1, (m − j + 1) p_j)`` (Holm: A simple sequentially rejective multiple
    test procedure, 1979).
    """
    adjusted, highest = [0.0] * len(values), 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        highest = max(highest, min(1.0, (len(values) - rank) * values[place]))
        adjusted[place] = highest
    return tuple(adjusted)


def _tail(k: int, n: int) -> float:
    """P(X ≥ k) for X binomial(n, ½), exact to the last digit."""
    return float(sum(math.comb(n, each) for each in range(k, n + 1)) / 2**n)


def _ends(values: Sequence[float] | npt.NDArray[np.float64]) -> Interval:
    import numpy as np

    low, high = np.percentile(values, (2.5, 97.5))
    return Interval(float(low), float(high))


def _resampled(
    values: npt.NDArray[np.float64], seed: int, resamples: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Means of resamples and their standard errors, both (resamples,) float64; drawn in blocks to bound memory."""
    import numpy as np

    generator, n = np.random.default_rng(seed), len(values)
    means, errors = np.empty(resamples), np.empty(resamples)
    step = max(1, _BLOCK // n)
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        drawn = values[generator.integers(0, n, (stop - start, n))]
        means[start:stop] = drawn.mean(axis=1)
        errors[start:stop] = drawn.std(axis=1) / math.sqrt(n)
    return means, errors

"""Linear probes of hidden states."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.probing import FOLDS, Probe, fit_probe, held_out


def test_a_probe_is_a_weighted_sum():
    state = np.array([1.0, -2.0, 0.5], "<f2").tobytes()
    assert Probe(0.25, (1.0, 0.5, 2.0)).value(state) == pytest.approx(0.25 + 1.0 - 1.0 + 1.0)


def test_a_state_of_another_width_is_refused():
    with pytest.raises(ValueError, match="has 2 values, the probe 3 weights"):
        Probe(0.0, (1.0, 0.5, 2.0)).value(np.zeros(2, "<f2").tobytes())


def states(n: int, width: int = 40, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """States of which one value tells yes from no, with noise, and others that are larger and tell nothing."""
    draw = np.random.default_rng(seed)
    yes = np.arange(n) % 3 == 0
    made = draw.normal(0, 5, (n, width))
    made[:, 7] = np.where(yes, 1.0, -1.0) + draw.normal(0, 0.5, n)
    return made.astype(np.float32), yes


def test_the_dual_solution_is_that_of_weighted_ridge_regression():
    from sklearn.linear_model import Ridge

    made, yes = states(60)
    probe = fit_probe(made, yes, 0.5)
    scale = made.std(axis=0, dtype=np.float64)
    weight = np.where(yes, 1 / yes.sum(), 1 / (~yes).sum()) * len(yes) / 2
    centred = (made - made.mean(axis=0, dtype=np.float64)) / scale
    expected = Ridge(alpha=0.5 * made.shape[1], fit_intercept=False).fit(centred, yes - 0.5, sample_weight=weight)
    assert np.allclose(probe.weights, expected.coef_ / scale, rtol=1e-3, atol=1e-6)
    assert probe.bias == pytest.approx(0.5 - np.dot(probe.weights, made.mean(axis=0, dtype=np.float64)), abs=1e-3)


def test_yes_is_nearer_to_one_than_no():
    made, yes = states(300)
    probe = fit_probe(made[:200], yes[:200], 0.1)
    values = np.array([probe.value(one.astype("<f2").tobytes()) for one in made[200:]])
    assert values[yes[200:]].mean() > values[~yes[200:]].mean() + 0.3
    assert 0 < values.mean() < 1


def test_a_value_that_never_varies_does_no_harm():
    made, yes = states(60)
    made[:, 3] = 2.0
    assert np.isfinite(fit_probe(made, yes, 1.0).weights).all()


def test_held_out_values_come_from_fits_without_the_question():
    made, yes = states(90)
    ids = [f"q{i // 2}" for i in range(90)]
    values = held_out(made, yes, ids, 0.1)
    order = list(dict.fromkeys(ids))
    without = np.array([order.index(one) % FOLDS != order.index("q4") % FOLDS for one in ids])
    probe = fit_probe(made[without], yes[without], 0.1)
    expected = [probe.value(made[at].astype("<f2").tobytes()) for at in (8, 9)]
    assert np.allclose(values[8:10], expected, atol=0.01)


@given(st.integers(0, 1000))
def test_noise_is_not_taken_for_knowledge(seed):
    draw = np.random.default_rng(seed)
    made, yes = draw.normal(0, 1, (80, 200)).astype(np.float32), np.arange(80) % 2 == 0
    values = held_out(made, yes, [str(i) for i in range(80)], 1.0)
    above = (values[yes][:, None] > values[~yes][None, :]).mean()
    assert 0.2 < above < 0.8

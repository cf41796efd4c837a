"""What the commands do besides calling the library."""

from __future__ import annotations

import numpy as np

from rag_geo.calibration import SIGNALS
from rag_geo.fitting import Observation
from rag_geo.session import Edges, fit_thresholds


def observations(distance: float) -> list[Observation]:
    """Sixty questions; signals of those with an answer lie `distance` above the others, with noise of 1."""
    rng = np.random.default_rng(7)
    made = []
    for number in range(60):
        answerable = number % 3 != 0
        names = dict.fromkeys(name for each in SIGNALS.values() for name in each)
        signals = {name: float(distance * answerable + rng.normal()) for name in names}
        claims = ((signals,), (answerable,))
        made.append(Observation(f"dev/{number}", "dev", answerable, signals, *claims, *claims))
    return made


def test_thresholds_that_reach_what_was_asked_for_are_fitted_without_a_word(capsys):
    fitted = fit_thresholds(Edges({}), observations(5.0), "m", "p")
    assert (fitted.model, fitted.prompt_id) == ("m", "p")
    assert capsys.readouterr().err == ""


def test_when_no_threshold_reaches_what_was_asked_for_the_strictest_is_taken_and_that_is_said(capsys):
    fitted = fit_thresholds(Edges({}), observations(0.0), "m", "p", refused=1.0, wrong=-1.0)
    threshold, _, wrong, refused = fitted.curve[-1]
    assert fitted.check.threshold == threshold
    said = capsys.readouterr().err
    assert "no threshold refuses at least 100 % of the unanswerable questions" in said
    shares = f"refuses {100 * refused:.0f} % and answers {100 * wrong:.0f} % wrongly"
    assert f"the strictest, {threshold:g}, {shares}" in said

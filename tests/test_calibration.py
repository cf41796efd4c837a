"""Two logistic models decide; they are fitted, stored with what they were fitted for, and careful without a fit."""

from __future__ import annotations

import base64
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo import fitting
from rag_geo.calibration import (
    CAREFUL,
    CHECK_SIGNALS,
    GATE_SIGNALS,
    PERMISSIVE,
    PROBES,
    QUOTE_SIGNALS,
    SIGNALS,
    Calibration,
    Logistic,
    calibration_path,
    load_calibration,
    to_json,
)
from rag_geo.errors import UsageError
from rag_geo.evaluation.cases import Case, Gold
from rag_geo.fitting import Observation, Pin
from rag_geo.records import Claim


@given(st.floats(-1e6, 1e6))
def test_a_probability_is_between_zero_and_one(value):
    assert 0 <= Logistic(0.5, {"x": 2.0}, 0.5).probability({"x": value}) <= 1


def test_the_logistic_formula():
    found = Logistic(0.5, {"a": 2.0, "b": -1.0}, 0.5).probability({"a": 1.0, "b": 3.0})
    assert found == pytest.approx(1 / (1 + math.exp(-(0.5 + 2.0 - 3.0))))


def test_a_missing_signal_is_a_fault():
    with pytest.raises(KeyError):
        Logistic(0.0, {"a": 1.0}, 0.5).probability({})


def test_careful_defaults_want_a_clear_yes():
    unsure = dict.fromkeys((*GATE_SIGNALS, *CHECK_SIGNALS, *QUOTE_SIGNALS), 0.0)
    sure = unsure | {"pinpoint": 2.0, "check": 4.0, "examine": 4.0}
    for model in (CAREFUL.check, CAREFUL.quote):
        assert not model.passes(model.probability(unsure))
        assert model.passes(model.probability(sure))


def test_a_model_without_a_fit_gets_the_careful_defaults(tmp_path):
    assert load_calibration("unknown@000", "none", tmp_path) == CAREFUL


def test_the_users_own_fit_comes_first_and_survives_the_disk(tmp_path):
    own = Calibration(
        Logistic(1.0, dict.fromkeys(GATE_SIGNALS, 2.0), 0.25),
        Logistic(-1.0, dict.fromkeys(CHECK_SIGNALS, 3.0), 0.75),
        Logistic(-2.0, dict.fromkeys(QUOTE_SIGNALS, 4.0), 0.75),
        "m/x@1",
        "p",
        {"dev": 3},
        ((0.1, 0.5, 0.0),),
    )
    path = calibration_path(tmp_path, "m/x@1", "p")
    path.parent.mkdir(parents=True)
    path.write_text(to_json(own))
    assert load_calibration("m/x@1", "p", tmp_path) == own


@pytest.mark.parametrize("text", ["{", "{}", '{"gate": 1}', "[]"])
def test_a_damaged_fit_is_named_with_the_command_that_mends_it(tmp_path, text):
    path = calibration_path(tmp_path, "m", "p")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(UsageError, match="cannot be read") as caught:
        load_calibration("m", "p", tmp_path)
    assert "calibrate" in caught.value.hint


def test_what_ships_is_fitted_for_the_default_model_with_the_prompts_as_they_are():
    from rag_geo import prompts
    from rag_geo.models import find_spec
    from rag_geo.settings import Settings

    spec = find_spec(Settings().model)
    found = load_calibration(f"{spec.name}@{spec.sha256[:12]}", prompts.prompt_id(prompts.FORMATS[0]))
    assert found != CAREFUL
    assert set(found.gate.weights) == set(GATE_SIGNALS)
    assert set(found.check.weights) == set(CHECK_SIGNALS)
    assert set(found.quote.weights) == set(QUOTE_SIGNALS)
    assert found.check.threshold == found.quote.threshold
    assert sum(found.fitted_on.values()) >= 80
    thresholds = [point[0] for point in found.curve]
    assert thresholds == sorted(thresholds)


def observations(n: int = 60, group: str = "dev") -> list[Observation]:
    """Questions whose signals tell right from wrong, with noise."""
    rng = np.random.default_rng(7)
    made = []
    for i in range(n):
        answerable = i % 3 != 0
        shift = 1.0 if answerable else -1.0
        gate = {name: float(shift + rng.normal(0, 0.7)) for name in GATE_SIGNALS}
        names = dict.fromkeys((*CHECK_SIGNALS, *QUOTE_SIGNALS))
        claim, quote = ({name: float(shift + rng.normal(0, 0.7)) for name in names} for _ in range(2))
        made.append(
            Observation(f"{group}/{i}", group, answerable, gate, (claim,), (answerable,), (quote,), (answerable,))
        )
    return made


def test_a_fit_for_other_signals_is_refused_by_name(tmp_path):
    old = Calibration(Logistic(1.0, {"gate": 2.0}, 0.25), Logistic(-1.0, {"check": 3.0}, 0.75), PERMISSIVE.quote)
    path = calibration_path(tmp_path, "m", "p")
    path.parent.mkdir(parents=True)
    path.write_text(to_json(old))
    with pytest.raises(UsageError, match="other signals"):
        load_calibration("m", "p", tmp_path)


def test_questions_of_one_kind_cannot_be_fitted_on():
    with pytest.raises(UsageError, match="right from wrong"):
        fitting.fit([one for one in observations() if one.answerable], model="m", prompt_id="p")


def test_a_fit_tells_right_from_wrong():
    found = fitting.fit(observations(), model="m", prompt_id="p")
    good, bad = observations()[1].claims[0], observations()[0].claims[0]
    assert found.check.probability(good) > found.check.probability(bad)
    assert (found.model, found.prompt_id, found.fitted_on) == ("m", "p", {"dev": 60})


def test_a_stricter_fit_shows_less():
    lenient = fitting.fit(observations(), model="m", prompt_id="p", refused=0.0, wrong=1.0)
    strict = fitting.fit(observations(), model="m", prompt_id="p", refused=1.0, wrong=0.0)
    assert strict.check.threshold > lenient.check.threshold


def case(name: str, answerable: bool, written: tuple[bool, ...] = (), quotes: tuple[bool, ...] = ()) -> Observation:
    """A question with, for each written claim and for each quote, whether it is right."""
    return Observation(name, "dev", answerable, {}, ({},) * len(written), written, ({},) * len(quotes), quotes)


def test_the_curve_follows_what_the_assistant_would_show():
    cases = [
        case("written right", True, (True,)),
        case("written wrong, quote right", True, (False,), (True,)),
        case("nothing to say", False, (False,)),
        case("silence", False),
    ]
    points = {p.threshold: p for p in fitting.operating_points(cases, [0.9, 0.4, 0.6], [0.7])}
    assert points[0.3][1:] == (0.5, 0.5, 0.5)  # the wrong sentence is shown, so its quote is not tried
    assert points[0.5][1:] == (1.0, 0.0, 0.5)
    assert points[0.66][1:] == (1.0, 0.0, 1.0)
    assert points[0.8][1:] == (0.5, 0.0, 1.0)


def test_of_several_quotes_the_best_is_shown():
    cases = [case("two quotes", True, (), (False, True)), case("none", False)]
    assert fitting.operating_points(cases, [], [0.6, 0.8])[0].right == 1.0
    assert fitting.operating_points(cases, [], [0.8, 0.6])[0].wrong == 1.0


def test_a_set_whose_quotes_are_all_wrong_cannot_be_fitted_on():
    made = [replace(one, quotes_right=(False,)) for one in observations()]
    with pytest.raises(UsageError, match="the quotes of the observed answers are all right or all wrong"):
        fitting.fit(made, model="m", prompt_id="p")


def test_a_question_is_never_judged_by_a_fit_that_saw_it():
    x = np.array([[0.0], [0.1], [0.9], [1.0], [5.0], [5.0]])
    y = np.array([False, False, True, True, False, False])
    # The two rows of the last question alone would teach that 5 is bad; without them, more is better.
    found = fitting.leave_one_out(x, y, ["a", "b", "c", "d", "e", "e"])
    assert found[4] > 0.5
    assert found[4] == found[5]


def claim(text: str) -> Claim:
    return Claim(text, "verified")


def test_sentences_may_be_right_together():
    question = Case("1", "Who teaches where?", must=("Hawn", "Lukin"))
    claims = [claim("Hawn teaches in London."), claim("Lukin teaches in Vladivostok."), claim("It rains.")]
    assert fitting.right_claims(claims, question) == (True, True, False)
    assert fitting.right_claims(claims[:1], question) == (False,)


def test_observations_survive_the_disk(tmp_path):
    made = observations(3)
    for one in made:
        fitting.append(one, tmp_path / "new" / "o.jsonl")
    assert fitting.restore(tmp_path / "new" / "o.jsonl") == made
    assert fitting.restore(tmp_path / "none.jsonl") == []
    with (tmp_path / "new" / "o.jsonl").open("a") as file:
        file.write('{"id": "dev/9", "group": "dev", "answerable": true, "signals": {}}\n')
    assert fitting.restore(tmp_path / "new" / "o.jsonl") == made, "one without states would have to be asked again"


def test_permissive_lets_everything_through():
    for model in (getattr(PERMISSIVE, name) for name in SIGNALS):
        assert model.passes(model.probability({}))


def with_states(made: list[Observation], width: int = 24) -> list[Observation]:
    """The same, with states that tell an answerable question and a sentence that holds the answer."""
    draw = np.random.default_rng(11)

    def state(yes: bool) -> str:
        values = draw.normal(0, 1, width)
        values[5] += 2 if yes else -2
        return base64.b64encode(values.astype("<f2").tobytes()).decode()

    return [
        replace(
            one,
            gate_state=state(one.answerable),
            pins=(Pin(state(one.answerable), one.answerable), Pin(state(yes=False), right=False)),
            claims_pins=((0,),),
            quotes=one.quotes * 4,
            quotes_right=(one.answerable, False, False, False),
            quotes_pins=((0, 1), (1,), (1,), ()),
            claims_states=(state(one.answerable),),
            quotes_states=(state(one.answerable), *(state(yes=False) for _ in range(3))),
        )
        for one in made
    ]


def test_probes_are_fitted_and_what_follows_sees_values_of_fits_without_the_question():
    made = with_states(observations())
    probes, seen = fitting.felt(made)
    assert set(probes) == set(PROBES)
    by_answerable = [[o.signals["gate_state"] for o in seen if o.answerable is yes] for yes in (True, False)]
    assert np.mean(by_answerable[0]) > np.mean(by_answerable[1]) + 0.3
    own = [probes["gate"].value(base64.b64decode(one.gate_state)) for one in made]
    assert not np.allclose(own, [one.signals["gate_state"] for one in seen]), "none has seen its own question"
    for one in seen:
        assert len(one.quotes) == len(one.quotes_right) == 3
        values = [each["pinpoint_state"] for each in one.quotes]
        assert values == sorted(values, reverse=True)
    fitted = fitting.fit(made, model="m", prompt_id="p")
    assert fitted.probes.keys() == probes.keys()
    assert fitted.quote.weights["pinpoint_state"] > 0


def test_a_fit_with_probes_survives_the_disk(tmp_path):
    fitted = fitting.fit(with_states(observations()), model="m", prompt_id="p")
    path = calibration_path(tmp_path, "m", "p")
    path.parent.mkdir(parents=True)
    path.write_text(to_json(fitted))
    found = load_calibration("m", "p", tmp_path)
    assert found == fitted
    assert len(path.read_text().splitlines()) < 200, "a probe is a line, not one for each of its weights"
    state = np.zeros(24, "<f2").tobytes()
    assert found.felt("gate", state) == pytest.approx(fitted.probes["gate"].bias)
    assert CAREFUL.felt("gate", state) == 0.0


def test_a_fit_that_lacks_a_probe_is_refused(tmp_path):
    fitted = fitting.fit(with_states(observations()), model="m", prompt_id="p")
    path = calibration_path(tmp_path, "m", "p")
    path.parent.mkdir(parents=True)
    path.write_text(to_json(replace(fitted, probes={"gate": fitted.probes["gate"]})))
    with pytest.raises(UsageError, match="probes"):
        load_calibration("m", "p", tmp_path)


def test_without_states_there_are_no_probes():
    made = observations()
    assert fitting.felt(made) == ({}, made)


@pytest.mark.parametrize(
    ("sentence", "holds"),
    [("Hawn teaches in London.", True), ("Lukin is said to teach in Vladivostok today.", True), ("It rains.", False)],
)
def test_a_sentence_holds_the_answer_when_it_is_gold_or_right_by_itself(sentence, holds):
    gold = (Gold("a.md", "Hawn teaches in London."),)
    case = Case("1", "Where does Lukin teach?", must=("Vladivostok",), gold=gold)
    assert fitting.holds_answer(sentence, case) is holds
    assert not fitting.holds_answer(sentence, replace(case, answerable=False))

"""Sixteen people at one chat: the load of `benchmarks.chat_load`, for seconds instead of minutes."""

from __future__ import annotations

import math

import pytest
from benchmarks import chat_load
from benchmarks.chat_load import Tally, load, measures, slope
from benchmarks.scripted import MUSEUMS, NAMES, Museum, museum_of

pytestmark = pytest.mark.server


def test_sixteen_people_at_once_lose_nothing_and_see_nothing_of_each_other():
    tally = load(people=16, seconds=8)
    assert tally.wrong == []
    counts = tally.counts
    assert (counts["lost"], counts["mixed"], counts["errors"]) == (0, 0, 0)
    assert counts["asked"] == counts["answered"] + counts["stopped"] + counts["lost on purpose"] + counts["refused"]
    assert counts["answered"] >= 1


def test_what_is_anothers_is_known_by_its_name():
    names = {Museum(person, number).name for person in range(400) for number in range(MUSEUMS)}
    assert len(names) == 400 * MUSEUMS
    assert all(NAMES.fullmatch(name) for name in names)
    assert museum_of(Museum(301, 27).name) == Museum(301, 27)
    tally = Tally()
    person = chat_load.Person(3, "http://127.0.0.1/", None, tally)
    person._hear(f"data: {Museum(3, 1).answer} {Museum(3, 2).rooms}")
    assert tally.counts["mixed"] == 0
    person._hear(f"data: {Museum(3, 1).answer} {Museum(4, 1).answer}")
    assert tally.counts["mixed"] == 1


def test_the_slope_is_that_of_the_nearest_line():
    assert slope([(0, 1.0), (1, 3.0), (2, 5.0)]) == pytest.approx(2.0)
    assert slope([(0, 1.0), (1, 0.0), (2, 1.0)]) == pytest.approx(0.0)
    assert math.isnan(slope([(1, 1.0), (1, 2.0)]))
    assert math.isnan(slope([]))


def test_memory_is_judged_by_what_was_asked_after_the_first_third():
    tally = Tally(memory=[(0, 100.0), (100, 200.0), (200, 300.0), (300, 300.5), (400, 301.0), (500, 301.5)])
    found = {each.what: each for each in measures(tally)}
    assert found["memory per 100 questions"].value == pytest.approx(0.5)
    assert found["memory per 100 questions"].met
    tally.memory[-1] = (500, 306.0)
    assert measures(tally)[3].met is False


def test_one_question_without_an_end_misses_the_bar():
    tally = Tally()
    tally.error("lost", "a question")
    assert next(each for each in measures(tally) if each.what == "lost without purpose").met is False

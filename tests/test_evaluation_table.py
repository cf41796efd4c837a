"""The table of figures for a README."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag_geo.evaluation.measures import MEASURES, measure
from rag_geo.evaluation.results import MUST_BE_ZERO, Result
from rag_geo.evaluation.table import GOALS, markdown

INFO = {
    "git": {"revision": "0123456789abcdef", "dirty": True},
    "machine": {"cpu": "Fast One", "cores": 2},
    "made_with": {"model": "small@abc", "embedder": "even-smaller@def"},
}


def results(n: int, wrong: int = 0, **scores: float) -> list[Result]:
    return [
        Result(
            f"q{number}", "fact", "Q?", True, "test", "answer",
            {"correct": float(number >= wrong), "answered": 1.0, "wrong_answer": float(number < wrong), **scores},
            confidence=0.9 - number / 1000,
        )
        for number in range(n)
    ]  # fmt: skip


def rows(text: str) -> dict[str, list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return {cells[0]: cells[1:] for cells in ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines)}


def test_a_figure_comes_with_its_interval_its_number_and_its_goal():
    table = rows(markdown(INFO, results(50, 1, uncited_sentences=0.0, total_s=2.5, caught_number=1.0), "x"))
    value, interval, n, goal = table["correct"]
    assert (value, n, goal) == ("98.0 %", "50", "≥ 88 %, met")
    low, high = (float(end) for end in interval.removesuffix(" %").split(" to "))
    assert low < 98 <= high
    assert table["sentences without citation"][0] == "0"
    assert table["sentences without citation"][1].startswith("at most ")
    assert table["sentences without citation"][3] == "0, met"
    assert table["whole answer"][0::3] == ["2.50 s", ""]
    assert table["coverage at 5 % wrong"][0::2] == ["100.0 %", "50"]
    assert table["measure"] == ["value", "95 % interval", "n", "goal"]
    assert not any("number" in name for name in table), "single rungs are for the report"


@pytest.mark.parametrize(
    ("wrong", "scores", "title", "goal"),
    [
        (20, {}, "correct", "≥ 88 %, **missed**"),
        (0, {"false_refusal": 0.08}, "false refusals", "≤ 8 %, met"),
        (0, {"false_refusal": 0.09}, "false refusals", "≤ 8 %, **missed**"),
        (0, {"quotes_off": 1.0}, "quotes that are not verbatim", "0, **missed**"),
    ],
)
def test_a_goal_is_met_or_missed_in_the_direction_of_its_measure(wrong, scores, title, goal):
    assert rows(markdown(INFO, results(50, wrong, **scores), "x"))[title][3] == goal


def test_the_line_under_the_table_says_of_what_and_with_what():
    more = [replace(each, tier="grounding", id=f"{each.id}/true-sentence") for each in results(3)]
    line = markdown(INFO, [*results(1200), *more, replace(results(1)[0], id="q9999", split="dev")], "rag-geo x")
    assert line.splitlines()[-1] == (
        "Split `dev` and `test`: 1,201 questions (answer 1,201, grounding 3); Fast One, 2 cores; `small@abc` and "
        "`even-smaller@def`; revision 0123456789 with changes; made by `rag-geo x`."
    )
    bare = markdown({}, [replace(each, split="") for each in results(2)], "x").splitlines()[-1]
    assert bare == "2 questions (answer 2); processor unknown, ? cores; revision unknown; made by `x`."


def test_a_run_without_answers_has_no_coverage():
    found = Result("q", "fact", "Q?", True, "dev", "retrieval", {"recall@5": 1.0})
    assert list(rows(markdown(INFO, [found], "x"))) == ["measure", "recall@5"]


def test_goals_are_of_measures_with_a_direction():
    assert set(GOALS) <= {each.name for each in MEASURES if each.better}
    assert set(MUST_BE_ZERO) <= set(GOALS)
    assert all(measure(name).unit in ("share", "count") for name in GOALS)

"""Two runs compared question by question: what alarms, what does not, and how often by chance."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation_runs import made_up_run, noisy_run
from rag_geo.errors import UsageError
from rag_geo.evaluation.chance import mcnemar_p
from rag_geo.evaluation.compare import amount, compare, comparison_object
from rag_geo.evaluation.results import MUST_BE_ZERO, Result


def run(metric, values, tier="answer"):
    return [
        Result(f"q{number}", "fact", "?", True, "test", tier, {metric: value}) for number, value in enumerate(values)
    ]


def only(comparison):
    (change,) = comparison.changes
    return change


def test_a_run_compared_with_itself_passes_and_says_that_nothing_changed():
    results = made_up_run()
    comparison = compare(results, results)
    assert comparison.exit_code == 0
    assert comparison.verdict == "Passes on 112 common questions: no score of any question changed."
    assert all(each.p == 1 and each.change == 0 and each.interval == (0, 0) for each in comparison.changes)


def test_yes_no_scores_are_compared_by_mcnemar_and_name_the_questions():
    change = only(compare(run("correct", [1, 1, 1, 0, 0]), run("correct", [1, 0, 0, 1, 0])))
    assert (change.old, change.new, change.n) == (0.6, 0.4, 5)
    assert (change.better, change.worse) == (("q3",), ("q1", "q2"))
    assert change.p == mcnemar_p(1, 2)
    assert change.p_gate == mcnemar_p(1, 2, one_sided=True)
    assert change.change == pytest.approx(-0.2)
    assert change.interval.low <= change.change <= change.interval.high


def test_a_clear_loss_of_a_yes_no_score_fails_the_run():
    comparison = compare(run("correct", [1] * 20), run("correct", [0] * 8 + [1] * 12))
    assert comparison.exit_code == 3
    assert only(comparison).alarm
    assert comparison.verdict == (
        "Fails on 20 common questions: significantly worse: correct 100.0 % → 60.0 % (8 worse, 0 better, p = 0.0078)."
    )


def test_a_clear_gain_passes_and_is_said():
    comparison = compare(run("correct", [0] * 8 + [1] * 12), run("correct", [1] * 20))
    assert comparison.exit_code == 0
    assert only(comparison).improved
    assert "nothing that is gated got significantly worse. Better: correct 60.0 % → 100.0 %" in comparison.verdict


@pytest.mark.parametrize("metric", ["false_refusal", "misled", "withheld_good"])
def test_for_some_scores_more_is_worse(metric):
    comparison = compare(run(metric, [0] * 20), run(metric, [1] * 8 + [0] * 12))
    assert comparison.exit_code == 3
    assert len(only(comparison).worse) == 8
    assert only(comparison).change == pytest.approx(0.4)
    assert compare(run(metric, [1] * 8 + [0] * 12), run(metric, [0] * 20)).exit_code == 0


def test_scores_between_no_and_yes_are_compared_by_the_bootstrap():
    chance = random.Random(5)
    old = [chance.betavariate(4, 1) for _ in range(60)]
    new = [max(0.0, value - chance.uniform(-0.05, 0.2)) for value in old]
    comparison = compare(run("ndcg@10", old), run("ndcg@10", new))
    assert comparison.exit_code == 3
    assert only(comparison).interval.low < only(comparison).change < only(comparison).interval.high < 0
    assert compare(run("ndcg@10", new), run("ndcg@10", old)).exit_code == 0


def test_a_slower_run_is_shown_but_does_not_fail():
    change = only(comparison := compare(run("total_s", [5.0, 6.0] * 20), run("total_s", [8.0, 9.5] * 20)))
    assert comparison.exit_code == 0
    assert change.p < 0.01
    assert (change.p_gate, change.better, change.worse, change.alarm) == (None, (), (), False)
    assert "no gated score is in both runs" in comparison.verdict


def test_a_score_without_direction_has_its_change_as_it_is():
    change = only(compare(run("withheld", [0] * 10), run("withheld", [1] * 10)))
    assert change.change == 1
    assert not change.improved
    assert not change.alarm


@pytest.mark.parametrize("metric", MUST_BE_ZERO)
def test_a_count_that_must_be_zero_fails_the_run_whatever_the_old_run_had(metric):
    results = run(metric, [0, 2, 1])
    comparison = compare(results, results)
    assert comparison.exit_code == 3
    assert comparison.verdict.startswith(f"Fails on 3 common questions: must be 0 and is not: {metric} (3 in q1, q2)")


def test_a_violation_in_a_question_that_only_the_new_run_has_counts_too():
    comparison = compare(run("quotes_off", [0]), run("quotes_off", [0, *[1] * 7]))
    assert comparison.exit_code == 3
    assert (comparison.n, comparison.only_old, comparison.only_new) == (1, 0, 7)
    assert "quotes_off (7 in q1, q2, q3, q4, q5 and 2 more)" in comparison.verdict


def test_only_the_tiers_that_were_asked_for_are_compared():
    old = run("recall@5", [1, 1], tier="retrieval") + run("correct", [1, 1, 1], tier="answer")
    comparison = compare(old, run("recall@5", [1, 1], tier="retrieval"))
    assert (comparison.n, comparison.only_old, comparison.missing) == (2, 0, ())
    assert [each.metric for each in comparison.changes] == ["recall@5"]
    closed = compare(old, run("correct", [1, 0], tier="closed-book"))
    assert [each.metric for each in closed.changes] == ["correct"], "without documents it is compared with answers"


def test_a_gated_score_that_was_not_measured_again_is_named():
    old = [replace(each, scores={"correct": 1.0, "recall@5": 1.0, "total_s": 1.0}) for each in run("correct", [1])]
    comparison = compare(old, run("recall@5", [1]))
    assert comparison.missing == ("correct",)
    assert comparison.verdict.endswith("Not measured this time: correct.")


def test_runs_without_a_common_question_cannot_be_compared():
    with pytest.raises(UsageError, match="no question in common"):
        compare(run("correct", [1]), [replace(each, id="other") for each in run("correct", [1])])


def test_the_more_scores_are_gated_the_more_it_takes_to_alarm():
    old, new = run("correct", [1] * 20), run("correct", [0] * 5 + [1] * 15)
    assert compare(old, new).exit_code == 3
    more = {name: 1.0 for name in ("recall@5", "ndcg@10", "citation_precision", "citation_recall")}
    wide = [[replace(each, scores={**each.scores, **more}) for each in results] for results in (old, new)]
    assert compare(*wide).exit_code == 0


def test_rounding_is_no_change():
    change = only(compare(run("mrr", [0.1 + 0.2, 0.5]), run("mrr", [0.3, 0.5])))
    assert (change.better, change.worse, change.p) == ((), (), 1)


def test_two_runs_of_one_noisy_pipeline_alarm_in_at_most_one_of_twenty_comparisons():
    """An A/A test: 200 pairs of runs whose questions have the same chances; at 5 % more than 10 would be too many."""
    alarms = 0
    for pair in range(200):
        chance = random.Random(pair)
        skills = [chance.betavariate(1.5, 0.5) for _ in range(40)]
        old, new = (noisy_run(2 * pair + side, skills=skills) for side in (0, 1))
        alarms += compare(old, new, seed=pair, resamples=200).exit_code != 0
    assert 0 < alarms <= 10


def test_a_pipeline_that_really_is_worse_alarms():
    skills = [random.Random(1).betavariate(1.5, 0.5) for _ in range(80)]
    found = [compare(noisy_run(1, skills=skills), noisy_run(seed, skills=skills, worse=0.3)) for seed in range(2, 8)]
    assert [each.exit_code for each in found] == [3] * 6


@settings(max_examples=30)
@given(st.lists(st.tuples(*[st.sampled_from([None, 0.0, 0.5, 1.0])] * 2), min_size=1, max_size=12))
def test_a_comparison_turned_round_swaps_better_and_worse(rows):
    old, new = run("citation_recall", [each[0] for each in rows]), run("citation_recall", [each[1] for each in rows])
    there, back = compare(old, new, resamples=50), compare(new, old, resamples=50)
    paired = [row for row in rows if None not in row]
    assert len(there.changes) == len(back.changes) == bool(paired)
    for one, other in zip(there.changes, back.changes, strict=True):
        assert (one.n, one.better, one.worse) == (len(paired), other.worse, other.better)
        assert one.change == pytest.approx(-other.change)
        assert one.interval.low <= one.interval.high


def test_a_comparison_is_json():
    comparison = compare(made_up_run(1), made_up_run(2))
    stored = json.loads(json.dumps(comparison_object(comparison)))
    assert (stored["verdict"], stored["exit_code"]) == (comparison.verdict, comparison.exit_code)


@pytest.mark.parametrize(
    ("metric", "value", "text"), [("correct", 0.875, "87.5 %"), ("total_s", 1.234, "1.23 s"), ("quotes_off", 2.0, "2")]
)
def test_values_are_written_in_their_unit(metric, value, text):
    assert amount(metric, value) == text

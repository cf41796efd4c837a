"""The figures of an evaluation, against scikit-learn, SciPy or brute force."""

from __future__ import annotations

import itertools
import json
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sklearn_metrics
from sklearn.calibration import calibration_curve

from evaluation_runs import KINDS, UNANSWERABLE, made_up_run
from rag_geo.evaluation import chance, metrics
from rag_geo.evaluation.measures import MEASURES, in_order, measure
from rag_geo.evaluation.results import MUST_BE_ZERO, Result

rankings = st.lists(st.integers(0, 12), unique=True, max_size=12)
golds = st.sets(st.integers(0, 15), min_size=1, max_size=5)
few = settings(max_examples=30)  # where the other side of the comparison takes milliseconds
decisions = st.lists(
    st.tuples(st.integers(0, 10).map(lambda tenth: tenth / 10), st.booleans()), min_size=1, max_size=30
)


def columns(rows):
    return [value for value, _ in rows], [truth for _, truth in rows]


# --- retrieval --------------------------------------------------------------------------------------------------


@given(rankings, golds, st.integers(1, 12))
def test_retrieval_scores_are_what_their_formulas_say(ranked, gold, k):
    assert metrics.recall_at(ranked, gold, k) == len(gold & set(ranked[:k])) / len(gold)
    ranks = [rank for rank, item in enumerate(ranked, 1) if item in gold]
    assert metrics.reciprocal_rank(ranked, gold) == (1 / ranks[0] if ranks else 0)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(gold)) + 1))
    gain = sum(1 / math.log2(rank + 1) for rank in ranks if rank <= k)
    assert metrics.ndcg_at(ranked, gold, k) == pytest.approx(gain / ideal)


@few
@given(st.permutations(range(10)), st.sets(st.integers(0, 9), min_size=1, max_size=5), st.integers(1, 10))
def test_ndcg_agrees_with_scikit_learn(ranked, gold, k):
    relevance = [[float(item in gold) for item in ranked]]
    expected = sklearn_metrics.ndcg_score(relevance, [[-place for place in range(10)]], k=k)
    assert metrics.ndcg_at(ranked, gold, k) == pytest.approx(expected)


@given(rankings, golds, st.integers(1, 12))
def test_what_is_found_twice_counts_once_and_takes_no_place(ranked, gold, k):
    again = [item for item in ranked for _ in range(2)]
    assert metrics.recall_at(again, gold, k) == metrics.recall_at(ranked, gold, k)
    assert metrics.reciprocal_rank(again, gold) == metrics.reciprocal_rank(ranked, gold)
    assert metrics.ndcg_at(again, gold, k) == metrics.ndcg_at(ranked, gold, k)


def test_without_gold_a_retrieval_score_does_not_apply():
    assert metrics.recall_at([1], [], 5) is metrics.reciprocal_rank([1], []) is metrics.ndcg_at([1], [], 5) is None


# --- decisions --------------------------------------------------------------------------------------------------


@few
@given(decisions)
def test_auroc_agrees_with_scikit_learn_and_is_undefined_for_one_class(rows):
    scores, truth = columns(rows)
    found = metrics.auroc(scores, truth)
    assert (found is None) == (len(set(truth)) == 1)
    assert found is None or found == pytest.approx(sklearn_metrics.roc_auc_score(truth, scores))


@few
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_f1_agrees_with_scikit_learn_and_is_undefined_without_positives(rows):
    predicted, truth = columns(rows)
    found = metrics.f1(predicted, truth)
    assert (found is None) == (not any(predicted) and not any(truth))
    assert found is None or found == pytest.approx(sklearn_metrics.f1_score(truth, predicted, zero_division=0))


@given(decisions)
def test_each_point_of_the_risk_coverage_curve_is_what_showing_everything_as_confident_gives(rows):
    curve = metrics.risk_coverage(*columns(rows), risks=(0.0, 0.1, 0.5, 1.0))
    assert [point.threshold for point in curve.points] == sorted({value for value, _ in rows}, reverse=True)
    for coverage, risk, threshold in curve.points:
        shown = [bad for value, bad in rows if value >= threshold]
        assert (coverage, risk) == (len(shown) / len(rows), sum(shown) / len(shown))
    for limit, coverage in curve.coverage_at.items():
        assert coverage == max([point.coverage for point in curve.points if point.risk <= limit], default=0)
    assert curve.coverage_at[1.0] == 1


@few
@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6))
def test_the_area_is_the_mean_over_all_orders_of_questions_of_equal_confidence(rows):
    def area(order):
        return np.mean([sum(bad for _, bad in order[:shown]) / shown for shown in range(1, len(order) + 1)])

    orders = [
        order for order in itertools.permutations(rows) if [c for c, _ in order] == sorted(columns(rows)[0])[::-1]
    ]
    curve = metrics.risk_coverage(*columns(rows))
    assert curve.area == pytest.approx(np.mean([area(order) for order in orders]))
    assert curve.ideal == pytest.approx(area(sorted(rows, key=lambda row: row[1])))


@few
@given(decisions)
def test_the_bins_of_reliability_agree_with_scikit_learn(rows):
    # Off the edges of the bins, where the two differ in which bin holds the edge.
    rows = [(min(value + 0.05, 0.95), truth) for value, truth in rows]
    found = metrics.reliability(*columns(rows))
    right, predicted = calibration_curve([truth for _, truth in rows], [value for value, _ in rows], n_bins=10)
    assert [each.right for each in found.bins] == pytest.approx(right)
    assert [each.confidence for each in found.bins] == pytest.approx(predicted)
    assert sum(each.n for each in found.bins) == found.n == len(rows)
    gaps = [each.n * abs(each.right - each.confidence) for each in found.bins]
    assert found.error == pytest.approx(sum(gaps) / len(rows))
    assert found.brier == pytest.approx(np.mean([(value - truth) ** 2 for value, truth in rows]))


def test_certainty_belongs_to_the_last_bin():
    assert [each.n for each in metrics.reliability([1.0, 0.95, 0.0], [True, True, False]).bins] == [1, 2]


def test_without_questions_there_is_no_curve():
    assert metrics.risk_coverage([], []) is metrics.reliability([], []) is None


# --- chance -----------------------------------------------------------------------------------------------------


@few
@given(st.integers(1, 300), st.data())
def test_the_wilson_interval_agrees_with_scipy(n, data):
    hits = data.draw(st.integers(0, n))
    expected = stats.binomtest(hits, n).proportion_ci(method="wilson")
    assert chance.wilson_interval(hits, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


@few
@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_agrees_with_the_binomial_test_of_scipy(better, worse):
    expected = stats.binomtest(worse, better + worse).pvalue if better + worse else 1
    assert chance.mcnemar_p(better, worse) == pytest.approx(expected)
    one_sided = stats.binomtest(worse, better + worse, alternative="greater").pvalue if better + worse else 1
    assert chance.mcnemar_p(better, worse, one_sided=True) == pytest.approx(one_sided)


def test_the_bootstrap_interval_agrees_with_scipy():
    values = [random.Random(place).betavariate(2, 1) for place in range(80)]
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=9999, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    found = chance.bootstrap_interval(values, resamples=9999)
    assert found == pytest.approx((expected.low, expected.high), abs=0.004)
    drawn = chance.bootstrap_statistics(values, lambda rows: {"mean": float(np.mean(rows)), "none": None})
    assert drawn == {"mean": pytest.approx(found, abs=0.02)}


@few
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_a_bootstrap_interval_is_within_the_values_and_the_same_each_time(values):
    low, high = chance.bootstrap_interval(values, resamples=200)
    assert (low, high) == chance.bootstrap_interval(values, resamples=200)
    assert low <= high
    if min(values) != max(values):
        assert min(values) - 1e-9 <= low
        assert high <= max(values) + 1e-9


@pytest.mark.parametrize("n", [1, 3, 30, 300])
def test_never_in_a_few_tries_is_not_never(n):
    exact = stats.binomtest(0, n).proportion_ci(method="exact")
    assert chance.bootstrap_interval([0.0] * n) == pytest.approx((0, exact.high))
    assert chance.bootstrap_interval([1.0] * n) == pytest.approx((1 - exact.high, 1))


def test_an_interval_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="no values"):
        chance.bootstrap_interval([])


def test_the_bootstrap_draws_the_same_in_blocks():
    values = [0.1, 0.5, 0.9] * 400
    whole = chance.bootstrap_interval(values, resamples=800)
    block, chance._BLOCK = chance._BLOCK, 50_000
    try:
        assert chance.bootstrap_interval(values, resamples=800) == whole
    finally:
        chance._BLOCK = block


def test_the_paired_bootstrap_is_near_the_t_test_where_that_holds():
    normal = random.Random(3)
    for shift in (0.0, 0.1, 0.2, -0.2):
        values = [normal.gauss(shift, 1) for _ in range(150)]
        expected = stats.ttest_1samp(values, 0)
        assert chance.paired_bootstrap_p(values, resamples=10_000) == pytest.approx(expected.pvalue, abs=0.015)
        if np.mean(values) < 0:
            lower = stats.ttest_1samp(values, 0, alternative="less").pvalue
            assert chance.paired_bootstrap_p(values, resamples=10_000, one_sided=True) == pytest.approx(lower, abs=0.01)


@few
@given(st.lists(st.sampled_from([0.0, 0.0, -0.5, 0.25]), min_size=1, max_size=20))
def test_few_differences_are_never_more_certain_than_their_signs(differences):
    moved = sum(value != 0 for value in differences)
    assert chance.paired_bootstrap_p(differences, resamples=100) >= min(1, 2 * 0.5**moved)
    lower = chance.paired_bootstrap_p(differences, resamples=100, one_sided=True)
    assert lower >= 0.5**moved
    assert lower == 1 or np.mean(differences) < 0


def test_a_difference_that_is_everywhere_the_same_is_as_certain_as_its_signs():
    assert chance.paired_bootstrap_p([-0.25] * 6) == pytest.approx(2 * 0.5**6)
    assert chance.paired_bootstrap_p([-0.25] * 6, one_sided=True) == pytest.approx(0.5**6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_what_its_step_by_step_procedure_rejects(values):
    def rejected(alpha):
        """As Holm wrote it: the smallest against α/m, the next against α/(m − 1), until the first that fails."""
        left, found = sorted(range(len(values)), key=values.__getitem__), set()
        while left and values[left[0]] * len(left) <= alpha:
            found.add(left.pop(0))
        return found

    adjusted = chance.holm(values)
    for alpha in (0.01, 0.05, 0.3):
        assert {place for place, value in enumerate(adjusted) if value <= alpha} == rejected(alpha)
    assert all(value <= after <= 1 for value, after in zip(values, adjusted, strict=True))


# --- measures ---------------------------------------------------------------------------------------------------


def test_every_measure_has_one_entry_and_only_those_with_a_direction_are_gated():
    assert len({each.name for each in MEASURES}) == len(MEASURES)
    assert all(each.better for each in MEASURES if each.gated)
    assert {each.name for each in MEASURES if each.must_be_zero} == set(MUST_BE_ZERO)


@pytest.mark.parametrize(
    ("name", "stem"),
    [("caught_number", "caught"), ("withheld_good:model", "withheld_good"), ("recall@20", "recall@5"),
     ("ndcg@3", "ndcg@10"), ("caught_only_name", "caught")],
)  # fmt: skip
def test_a_variant_has_the_direction_of_what_it_varies_and_is_not_gated(name, stem):
    assert (measure(name).better, measure(name).unit) == (measure(stem).better, measure(stem).unit)
    assert measure(stem).gated
    assert not measure(name).gated


def test_an_unknown_score_has_no_direction():
    assert (measure("correctness").better, measure("load_s").unit) == ("", "seconds")


def test_scores_are_in_the_order_of_tables_each_followed_by_its_variants():
    names = ["zeal", "total_s", "caught_name", "recall@20", "caught", "correct", "recall@1", "caught_date"]
    assert in_order(names) == [
        "recall@1", "recall@20", "correct", "caught", "caught_date", "caught_name", "total_s", "zeal",
    ]  # fmt: skip


# --- a run ------------------------------------------------------------------------------------------------------


def case(name, kind="fact", tier="answer", answerable=True, confidence=0.0, **scores):
    return Result(name, kind, "?", answerable, "test", tier, scores, confidence)


def test_an_aggregate_is_the_mean_over_the_questions_that_a_score_applies_to():
    summary = metrics.summarise(
        [case("a", correct=1.0), case("b", "date", correct=0.0), case("c", "date", correct=None), case("d", correct=1)]
    )
    assert (summary.all["correct"].n, summary.all["correct"].mean) == (3, pytest.approx(2 / 3))
    assert summary.all["correct"].interval == chance.bootstrap_interval([1, 0, 1])
    assert summary.kinds["date"]["correct"].n == 1
    assert summary.kinds["date"]["correct"].mean == 0
    assert list(summary.kinds) == ["fact", "date"]


def test_a_question_counts_once_whatever_tiers_it_is_in():
    summary = metrics.summarise(
        [case("a", tier="retrieval", mrr=1.0), case("a", mrr=0.5, correct=1.0), case("b", tier="retrieval", mrr=0.0)]
    )
    assert (summary.questions, summary.answerable, summary.tiers) == (2, 2, {"retrieval": 2, "answer": 1})
    assert (summary.all["mrr"].n, summary.all["mrr"].mean) == (2, 0.5)


def test_an_answer_that_was_shown_is_wrong_unless_it_is_correct_or_puts_a_false_premise_right():
    summary = metrics.summarise(
        [
            case("a", answered=1.0, correct=1.0),
            case("b", answered=1.0, correct=0.0),
            case("c", answered=0.0, correct=0.0),
            case("d", answerable=False, answered=1.0, false_answer=1.0),
            case("e", answerable=False, answered=0.0, false_answer=0.0),
            case("f", answerable=False, answered=1.0, false_answer=0.0),
        ]
    )
    assert (summary.all["wrong_of_shown"].n, summary.all["wrong_of_shown"].total) == (4, 2)


def test_the_curve_has_every_question_and_reliability_those_with_a_sentence():
    summary = metrics.summarise(
        [
            case("a", confidence=0.9, answered=0.0, right_if_shown=1.0),
            case("b", confidence=0.6, answered=1.0, correct=1.0),
            case("c", answerable=False, confidence=0.4, answered=1.0, false_answer=1.0),
            case("d", answered=0.0),
            case("e", tier="retrieval", confidence=0.99),
        ]
    )
    assert summary.risk.points == ((0.25, 0, 0.9), (0.5, 0, 0.6), (0.75, 1 / 3, 0.4), (1, 0.5, 0))
    assert (summary.reliability.n, [each.right for each in summary.reliability.bins]) == (3, [0, 1, 1])
    assert summary.all["auroc_right"].mean == 1


def test_sentences_given_to_the_check_are_ranked_and_told_apart():
    summary = metrics.summarise(
        [
            case("a", "true sentence", "grounding", confidence=0.9, withheld_good=0.0),
            case("b", "true sentence", "grounding", confidence=0.3, withheld_good=1.0),
            case("c", "false number", "grounding", answerable=False, confidence=0.4, caught=1.0),
            case("d", "false name", "grounding", answerable=False, confidence=0.0, caught=1.0),
        ]
    )
    assert summary.all["auroc_supported"].mean == 0.75
    assert summary.all["f1_unsupported"].mean == 2 * 2 / (3 + 2)
    assert (summary.all["f1_unsupported"].n, summary.risk) == (4, None)


def test_a_run_without_answers_has_no_curves():
    summary = metrics.summarise([case("a", tier="retrieval", mrr=1.0)])
    assert summary.risk is summary.reliability is None
    assert list(summary.all) == ["mrr"]


def test_a_score_in_seconds_that_never_varies_has_no_interval_to_speak_of():
    assert metrics.summarise([case("a", total_s=0.0), case("b", total_s=0.0)]).all["total_s"].interval == (0, 0)


def test_the_summary_of_a_whole_run_is_within_its_intervals_and_is_json():
    results = made_up_run()
    summary = metrics.summarise(results)
    assert summary.questions == len(results) / 2
    assert set(summary.kinds) == set(KINDS)
    for each in (*summary.all.values(), *(one for kind in summary.kinds.values() for one in kind.values())):
        assert each.interval.low <= each.mean <= each.interval.high, each
    assert not any("correct" in summary.kinds[kind] for kind in UNANSWERABLE)
    assert summary.risk.area_interval.low <= summary.risk.area <= summary.risk.area_interval.high
    assert summary.reliability.error_interval.low <= summary.reliability.error_interval.high
    assert json.loads(json.dumps(metrics.summary_object(summary)))["all"]["correct"]["n"] == summary.answerable


@pytest.mark.parametrize(
    ("scores", "misled"),
    [
        ({"answered": 1.0, "correct": 0.0, "wrong_answer": 1.0}, 1.0),
        ({"answered": 1.0, "false_answer": 1.0}, 1.0),
        ({"answered": 1.0, "correct": 1.0, "wrong_answer": 0.0}, 0.0),
        ({"answered": 1.0, "correct": 0.0, "wrong_answer": 0.0, "incomplete": 1.0}, 0.0),
        ({"answered": 0.0, "false_answer": 0.0}, 0.0),
        ({"recall@5": 1.0}, None),
    ],
)
def test_misled_is_whoever_got_a_wrong_answer_or_one_that_should_not_be(scores, misled):
    assert metrics.scores_of(case("x", **scores)).get("misled") == misled

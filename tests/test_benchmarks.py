"""The arithmetic of the benchmarks, their table, and how a process is measured."""

from __future__ import annotations

import json
import statistics
import sys

import pytest
from benchmarks.figures import (
    Bar,
    as_object,
    figure,
    interleaved,
    markdown,
    prompt_tokens,
    quantile,
    ratios,
    row,
    spaced,
    spread,
)
from benchmarks.machine import field, machine, versions
from benchmarks.process import CommandFailedError, run
from benchmarks.rows import GROUPS, NEED_MODEL
from benchmarks.synthetic import PARAGRAPHS, SENTENCES, synthetic_index
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.retrieval import search

numbers = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=30)


@given(numbers)
def test_the_middle_is_the_median_and_lies_within_its_spread(values):
    found = spread(values)
    assert found.value == pytest.approx(statistics.median(values))
    assert min(values) <= found.low <= found.value <= found.high <= max(values)
    assert found.n == len(values)


@pytest.mark.parametrize(
    ("share", "expected"), [(0, 1.0), (0.5, 2.5), (0.95, 3.85), (1, 4.0)], ids=["least", "median", "p95", "greatest"]
)
def test_a_quantile_lies_between_its_neighbours(share, expected):
    assert quantile([4.0, 1.0, 3.0, 2.0], share) == pytest.approx(expected)


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 1.5)])
def test_there_is_no_quantile_of_nothing_and_none_beyond_all(values, share):
    with pytest.raises(ValueError, match="no quantile"):
        quantile(values, share)


def test_ratios_are_taken_pair_by_pair():
    # A machine that halts for one pair hits both sides: the median of the ratios does not see it.
    found = row("g", "w", "s", [1.0, 10.0, 1.2], "r", [2.0, 20.0, 2.0])
    assert ratios([1.0, 10.0], [2.0, 20.0]) == [0.5, 0.5]
    assert found.ratio.value == 0.5
    assert found.ratio.n == 3


@pytest.mark.parametrize(("ours", "theirs"), [([1.0], [0.0]), ([1.0], [float("nan")]), ([1.0], [1.0, 2.0])])
def test_a_ratio_needs_a_reference_for_each_figure(ours, theirs):
    with pytest.raises(ValueError, match=r"reference|shorter|longer"):
        ratios(ours, theirs)


def test_another_quantile_than_the_median_is_held_against_the_same_of_the_reference():
    found = row("g", "w", "s", [1.0, 2.0, 3.0], "r", [10.0, 20.0, 10.0], middle=1.0)
    assert (found.ours.value, found.theirs.value, found.ratio.value) == (3.0, 20.0, 0.15)


@pytest.mark.parametrize(
    ("bars", "met"),
    [
        ([], None),
        ([Bar("value", "<=", 2.0)], True),
        ([Bar("value", ">=", 2.1)], False),
        ([Bar("ratio", ">=", 0.5)], True),
        ([Bar("value", "<=", 2.0), Bar("ratio", "<=", 0.4)], False),
    ],
)
def test_a_row_is_met_when_every_bar_is_reached(bars, met):
    assert row("g", "w", "s", [2.0], "r", [4.0], bars=bars).met is met


def test_what_was_not_measured_reaches_no_bar():
    assert not Bar("value", "<=", 1.0).holds(float("nan"))
    assert not Bar("value", ">=", 1.0).holds(float("nan"))


def test_ours_and_the_reference_are_measured_by_turns():
    calls = []

    def note(name):
        def measured(number):
            calls.append((name, number))
            return float(number)

        return measured

    assert interleaved(2, note("ours"), note("theirs")) == ([0.0, 1.0], [0.0, 1.0])
    assert calls == [("ours", 0), ("theirs", 0), ("ours", 1), ("theirs", 1)]


@given(st.integers(0, 200), st.integers(1, 50))
def test_a_sample_is_spread_over_all_without_repetition(size, count):
    found = spaced(range(size), count)
    assert len(set(found)) == len(found) == min(size, count)
    assert found == sorted(found)
    assert all(0 <= each < size for each in found)


def test_written_tokens_are_not_given_to_the_reference_twice():
    assert prompt_tokens(300, 40, written_is_read=True) == 260
    assert prompt_tokens(300, 40, written_is_read=False) == 300


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (0.00123, "0.00123"), (0.5, "0.500"), (12.34, "12.3"), (1234.5, "1234"), (-2, "-2.00")],
)
def test_figures_have_three_significant_digits_and_no_exponent(number, text):
    assert figure(number) == text


def test_the_table_has_a_line_for_each_row_and_says_which_bar_is_missed():
    rows = [
        row("search", "corpus", "ms", [1.0], "FAISS", [0.5]),
        row("cold", "help", "s", [0.1, 0.2, 0.3], "python", [0.1, 0.1, 0.1], bars=[Bar("value", "<=", 0.15)]),
        row("index", "embed", "w/s", [20.0], "encode", [10.0], bars=[Bar("ratio", ">=", 1.3)]),
    ]
    head, rule, *lines = markdown(rows).splitlines()
    assert len(lines) == 3
    assert len({len(line) for line in (head, rule, *lines)}) == 1
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["search: corpus", "1.00 ms", "FAISS", "0.500 ms", "1", "2.00", "", ""]
    assert cells[1][1] == "0.200 s (0.110-0.290)"
    assert cells[1][6:] == ["<= 0.15 s", "NO"]
    assert cells[2][6:] == [">= 1.3 x", "yes"]


def test_a_row_as_json_keeps_all_digits_and_names_its_reference():
    found = as_object(row("g", "w", "s", [1 / 3], "r", [1.0], bars=[Bar("ratio", "<=", 1.15)], note="why"))
    found = json.loads(json.dumps(found))
    assert found["ours"] == {"value": 1 / 3, "p5": 1 / 3, "p95": 1 / 3, "n": 1}
    assert found["reference"] == "r"
    assert found["bars"] == [{"of": "ratio", "sign": "<=", "limit": 1.15}]
    assert found["met"] is True
    assert found["note"] == "why"


def test_the_machine_is_named_with_its_cores_and_versions(tmp_path):
    file = tmp_path / "cpuinfo"
    file.write_text("processor : 0\nmodel name\t: Some CPU: 3 GHz\nmodel name\t: Another\n", encoding="utf-8")
    assert machine(cpuinfo=file)["cpu"] == "Some CPU: 3 GHz"
    assert machine()["cores"] >= 1
    assert field(tmp_path / "none", "model name") == ""
    assert versions(("numpy", "no-such-package-at-all"))["no-such-package-at-all"] == "missing"


def test_a_process_is_measured_to_a_line_and_to_its_end():
    script = "import sys, time; print('found it', file=sys.stderr, flush=True); time.sleep(0.1); print('out')"
    found = run([sys.executable, "-c", script], "found")
    assert 0 < found.line_s <= found.seconds - 0.08
    assert found.output == "out\n"
    assert found.peak_mb > 1
    other = run([sys.executable, "-c", "pass"], "found")
    assert other.line_s != other.line_s


def test_a_process_that_fails_is_no_measurement_and_its_words_are_kept():
    with pytest.raises(CommandFailedError, match="exit code 3: no luck"):
        run([sys.executable, "-c", "import sys; print('no luck', file=sys.stderr); sys.exit(3)"])


def test_a_synthetic_index_has_the_size_that_was_asked_for_and_is_searched_like_any_other():
    made = synthetic_index(2, ("bridge", "river", "amur", "treaty"), 8)
    again = synthetic_index(2, ("bridge", "river", "amur", "treaty"), 8)
    assert made.faiss.ntotal == 2 * PARAGRAPHS * SENTENCES == made.manifest.windows
    row_of_window = 7
    hits = search(made, "amur", made.vectors(row_of_window, row_of_window + 1)[0])
    assert hits == search(again, "amur", again.vectors(row_of_window, row_of_window + 1)[0])
    best = max(hits, key=lambda hit: hit.similarity)
    assert (best.file, best.paragraph) == ("000000.txt", 1 + row_of_window // SENTENCES)
    assert best.similarity == pytest.approx(1.0, abs=1e-5)
    text = made.document(best.file).text
    assert all(text[s.start : s.end] == s.text for s in best.sentences)


def test_every_group_that_needs_the_model_is_a_group():
    assert set(GROUPS) > NEED_MODEL

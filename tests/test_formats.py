"""Every file of the collection in evals/formats is read as it should be; see `evals/formats_bench.py`."""

from __future__ import annotations

import random
from functools import cache
from itertools import pairwise

import pytest
from evals.formats_bench import (
    FILES,
    Piece,
    Read,
    Score,
    common,
    format_of,
    is_place,
    names_of_files,
    read_ours,
    score,
    total,
    truth_of,
    words,
)

from rag_geo.readers import read_file
from rag_geo.records import Document, Skipped

NAMES = names_of_files()
READABLE = [name for name in NAMES if truth_of(name)["documents"]]
RECALL, BORDERS, BORDERS_OF_A_FORMAT = 0.995, 0.95, 0.90


@cache
def measured(name: str) -> Score:
    return score(truth_of(name), read_ours(name, (FILES / name).read_bytes()))


def documents(name: str) -> list[Document | Skipped]:
    return list(read_file(name, (FILES / name).read_bytes()))


def test_the_collection_is_large_and_every_file_has_its_truth() -> None:
    assert len(NAMES) >= 45
    assert len({format_of(name) for name in NAMES}) >= 20
    assert sum((FILES / name).stat().st_size for name in NAMES) <= 2_000_000


def test_all_words_come_out_in_order() -> None:
    everything = total(measured(name) for name in READABLE)
    poor = {name: round(measured(name).recall, 3) for name in READABLE if measured(name).recall < RECALL}
    assert everything.recall >= RECALL, poor


def test_paragraphs_begin_and_end_where_they_should() -> None:
    everything = total(measured(name) for name in READABLE)
    poor = {name: round(measured(name).f1, 3) for name in READABLE if measured(name).f1 < BORDERS}
    assert everything.f1 >= BORDERS, poor


@pytest.mark.parametrize("ending", sorted({format_of(name) for name in READABLE}))
def test_paragraphs_begin_and_end_where_they_should_in_each_format(ending: str) -> None:
    names = [name for name in READABLE if format_of(name) == ending]
    assert total(measured(name) for name in names).f1 >= BORDERS_OF_A_FORMAT, names


@pytest.mark.parametrize("name", READABLE)
def test_the_place_of_every_paragraph_is_right(name: str) -> None:
    made = measured(name)
    wanted = sum("place" in one for doc in truth_of(name)["documents"] for one in doc["paragraphs"] if _body(one))
    assert (made.places_right, made.places) == (wanted, wanted)


def _body(one: dict[str, object]) -> bool:
    return not (one.get("debris") or one.get("floating") or one.get("optional"))


def test_debris_is_left_out_or_marked() -> None:
    everything = total(measured(name) for name in READABLE)
    kept = {name: measured(name).debris - measured(name).debris_off for name in READABLE}
    assert everything.debris_off >= 0.95 * everything.debris, {name: count for name, count in kept.items() if count}


@pytest.mark.parametrize("name", READABLE)
def test_title_author_and_date_are_what_the_file_states(name: str) -> None:
    found = [one for one in documents(name) if isinstance(one, Document)]
    for truth, document in zip(truth_of(name)["documents"], found, strict=True):
        assert document.file == (f"{name}/{truth['file']}" if truth["file"] else document.file)
        for what in ("title", "author", "date"):
            if truth.get(what, "?") != "?":
                assert getattr(document, what) == truth[what], (document.file, what)


@pytest.mark.parametrize("name", [name for name in NAMES if truth_of(name)["skipped"]])
def test_what_cannot_be_read_is_named_with_its_reason(name: str) -> None:
    skipped = {one.file: one.reason for one in documents(name) if isinstance(one, Skipped)}
    wanted = {f"{name}/{one['file']}" if one["file"] else name: one["reason"] for one in truth_of(name)["skipped"]}
    assert skipped.keys() == wanted.keys()
    assert all(wanted[file] in skipped[file] for file in wanted)


def test_a_page_that_is_a_picture_is_named() -> None:
    (mixed,) = documents("vokzal-mixed.pdf")
    assert isinstance(mixed, Document)
    assert mixed.textless == ("p. 2",)
    (scan,) = documents("mill-scan.pdf")
    assert isinstance(scan, Skipped)
    assert "2 pages" in scan.reason


# What follows tests the measurement itself.


def _truth(*texts: str, **more: object) -> dict[str, object]:
    return {"documents": [{"file": "", "paragraphs": [{"text": text, "kind": "text", **more} for text in texts]}]}


def _read(*texts: str) -> Read:
    return Read(tuple(Piece(text) for text in texts))


def test_the_alignment_is_a_longest_one() -> None:
    dice = random.Random(7)
    for _ in range(300):
        first = [dice.choice("abcd") for _ in range(dice.randrange(12))]
        second = [dice.choice("abcd") for _ in range(dice.randrange(12))]
        pairs = common(first, second)
        assert all(first[at] == second[to] for at, to in pairs)
        assert all(a < c and b < d for (a, b), (c, d) in pairwise(pairs))
        assert len(pairs) == _length(first, second)


def _length(first: list[str], second: list[str]) -> int:
    row = [0] * (len(second) + 1)
    for one in first:
        before = row
        row = [0]
        for at, other in enumerate(second):
            row.append(before[at] + 1 if one == other else max(before[at + 1], row[at]))
    return row[-1]


def test_a_perfect_reading_has_full_marks() -> None:
    made = score(_truth("One two.", "Three four.", "Five."), _read("One two.", "Three four.", "Five."))
    assert (made.recall, made.precision, made.f1) == (1, 1, 1)


def test_a_border_that_is_missed_or_invented_costs() -> None:
    truth = _truth("one two three", "four five six", "seven eight")
    assert score(truth, _read("one two three four five six", "seven eight")).f1 == pytest.approx(2 / 3)
    assert score(truth, _read("one two three", "four", "five six", "seven eight")).f1 == pytest.approx(4 / 5)
    assert score(truth, _read("one two three four five six seven eight")).f1 == 0


def test_debris_between_two_paragraphs_costs_no_border_but_within_one_it_does() -> None:
    truth = _truth("one two three", "four five six")
    assert score(truth, _read("one two three", "page 7", "four five six")).f1 == 1
    assert score(truth, _read("one two three", "four", "page 7", "five six")).f1 == pytest.approx(2 / 3)


def test_items_of_a_list_may_be_blocks_of_their_own() -> None:
    truth = _truth("one two\nthree four", kind="list")
    truth["documents"][0]["paragraphs"].append({"text": "the end", "kind": "text"})  # type: ignore[index]
    assert score(truth, _read("one two", "three four", "the end")).f1 == 1
    assert score(truth, _read("one two three four", "the end")).f1 == 1
    assert score(truth, _read("one", "two three four", "the end")).f1 == pytest.approx(2 / 3)


def test_words_that_are_parted_joined_or_out_of_order_are_lost() -> None:
    truth = _truth("the harbour of Tarnbeck is old")
    assert score(truth, _read("the har bour of Tarnbeck is old")).recall == pytest.approx(5 / 6)
    assert score(truth, _read("theharbour of Tarnbeck is old")).recall == pytest.approx(4 / 6)
    assert score(truth, _read("Tarnbeck is old the harbour of")).recall == pytest.approx(3 / 6)


def test_a_file_that_is_refused_counts_as_not_found() -> None:
    made = score(_truth("one two", "three"), Read(error="damaged"))
    assert (made.recall, made.f1) == (0, 0)


def test_words_are_compared_without_ligatures_soft_hyphens_and_case() -> None:
    assert words("Suf\u00adﬁcient WELL-known 青溪") == ["sufficient", "well", "known", "青", "溪"]


def test_a_place_may_say_more_than_the_truth() -> None:
    assert is_place("slide 3, notes", "slide 3")
    assert is_place("p. 4–5", "p. 4")
    assert not is_place("p. 41", "p. 4")

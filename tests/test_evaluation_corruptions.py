"""Sentences made false in one place, and in no other."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.evaluation.corruptions import change_name, change_negation, change_number, name_pool


@given(st.integers(0, 99999), st.integers())
def test_another_number_of_as_many_digits_takes_the_place_of_one(number, seed):
    sentence = f"It has {number:,} cars."
    changed = change_number(sentence, "", random.Random(seed))
    new = re.fullmatch(r"It has ([\d,]+) cars\.", changed)
    assert new
    assert new[1] != f"{number:,}"
    assert len(new[1]) == len(f"{number:,}")


def test_the_new_number_is_not_in_the_source():
    source = " ".join(str(n) for n in range(10) if n != 7)
    assert change_number("It has 3 cars.", source, random.Random(1)) == "It has 7 cars."


@given(st.integers(1500, 2099), st.integers())
def test_a_year_becomes_another_year_of_its_century(year, seed):
    changed = change_number(f"In {year}.", "", random.Random(seed))
    assert changed != f"In {year}."
    assert changed.startswith(f"In {year // 100}")


def test_spelled_numbers_are_changed_and_codes_are_not():
    changed = change_number("Nine of them came.", "", random.Random(1))
    assert changed != "Nine of them came."
    assert changed[0].isupper()
    assert changed.endswith(" of them came.")
    assert change_number("The G7 and the A380 met.", "", random.Random(1)) is None


POOL = ("Norham", "Ada Finch", "Peter Vance", "Calder Bridge", "Marlow Museum")


def test_another_name_of_as_many_words_takes_the_place_of_one():
    for seed in range(5):
        changed = change_name("The Calder Bridge was shut.", "The Marlow Museum.", POOL, random.Random(seed))
        assert changed in ("The Ada Finch was shut.", "The Peter Vance was shut.")


def test_no_name_is_put_where_there_is_none_or_no_other():
    assert change_name("Prints are kept here.", "", POOL, random.Random(1)) is None
    assert change_name("It was Norham.", "", ("Norham",), random.Random(1)) is None


def test_the_names_of_texts():
    texts = ["The Calder Bridge leads to Norham.", "Prints burn.", "Ada Finch met the Bank of Norham."]
    assert name_pool(texts) == ("Calder Bridge", "Norham", "Ada Finch", "Bank of Norham")
    assert name_pool(["He saw Prints of Norham and Prints."], {"prints"}) == ("Prints of Norham",)


@pytest.mark.parametrize(
    ("sentence", "changed"),
    [
        ("It was shut.", "It was not shut."),
        ("It was not shut.", "It was shut."),
        ("Tolls were never raised.", "Tolls were raised."),
        ("It cannot float.", "It can float."),
        ("They do not sing.", "They sing."),
        ("It rained.", None),
        ("He has left.", "He has not left."),
        ("They have recently grown.", "They have not recently grown."),
        ("It has two halls.", "It does not have two halls."),
        ("They had a ferry.", "They did not have a ferry."),
        ("He was only the second.", None),
    ],
)
def test_what_is_affirmed_is_denied_and_what_is_denied_affirmed(sentence, changed):
    assert change_negation(sentence, random.Random(1)) == changed

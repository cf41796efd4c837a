"""Numbers, dates and names as written in different ways."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.text.facts import facts, names, stem
from rag_geo.text.quantities import follows, quantities, tokens, unsupported


def supports(evidence: str, claim: str) -> bool:
    wanted = quantities(claim)
    assert wanted, f"no quantity found in {claim!r}"
    return not unsupported(wanted, quantities(evidence))


@pytest.mark.parametrize(
    ("evidence", "claim"),
    [
        ("$5.7bn", "5.7 billion"),
        ("US$ 5.7 billion", "$5.7bn"),
        ("5.7 billion dollars", "$5,700 million"),
        ("six million", "6,000,000"),
        ("6 million", "six million"),
        ("a 2,568-mile border", "2,568 miles"),
        ("1.2k", "1200"),
        ("38m people", "38 million"),
        ("half of them", "50 percent"),
        ("a quarter of them", "25 %"),
        ("fell by a third.", "one third"),
        ("twice as much", "two times"),
        ("the 20th anniversary", "the twentieth anniversary"),
        ("the twenty-first century", "the 21st century"),
        ("5 per cent", "5%"),
        ("five percent", "5 pct"),
        ("5-7 %", "between five and seven percent"),
        ("from five to seven million", "5 million"),
        ("16 June 2021", "June 16, 2021"),
        ("2021-06-16", "16th of June 2021"),
        ("16 June 2021", "June 2021"),
        ("16 June 2021", "in 2021"),
        ("on 16 June of the year 2021", "16 June 2021"),
        ("in 1993", "the 1990s"),
        ("one hundred and fifty", "150"),
        ("two and a half million", "2.5 million"),
        ("half a million", "500,000"),
        ("two million three hundred thousand", "2,300,000"),
        ("a dozen ships", "12 ships"),
        ("6 million", "millions"),
        ("1,239 kilometres of border with A and 1,084 with B", "1,084 km"),
        ("twenty-one", "21"),
        ("10 sq km", "10 square kilometres"),
        ("minus 5 degrees", "-5 degrees"),
        ("COVID-19", "Covid-19"),
        ("A$5 million", "A$5m"),
        ("3 metric tons", "3 tonnes"),
        ("at 14:30", "14:30"),
        ("Sept 3", "3 September"),
        ("5 °C", "5 degrees"),
        ("rose by 2 percentage points", "2 percentage points"),
    ],
)
def test_two_ways_of_writing_one_quantity_agree(evidence: str, claim: str) -> None:
    assert supports(evidence, claim)


@pytest.mark.parametrize(
    ("evidence", "claim"),
    [
        ("2,568 miles", "2,568 kilometres"),
        ("5.7 million", "5.7 billion"),
        ("$5", "€5"),
        ("£48m", "$48m"),
        ("A$5 million", "US$5 million"),
        ("5 percent", "5 people"),
        ("5 people", "5 percent"),
        ("2 percent", "2 percentage points"),
        ("1990", "the 1980s"),
        ("the 1990s", "1993"),
        ("June 2021", "16 June 2021"),
        ("16 June", "16 July"),
        ("20 years", "20th"),
        ("from 5 to 7", "from 7 to 7"),
        ("16 June 2021 and 17 June", "16 June 2021 and 16 June"),
        ("on Wednesday", "on Thursday"),
        ("6 thousand", "millions"),
        ("G7", "G8"),
        ("10 square miles", "10 miles"),
        ("-5 degrees", "5 degrees"),
        ("half", "a third of it"),
    ],
)
def test_another_number_unit_or_date_does_not(evidence: str, claim: str) -> None:
    assert not supports(evidence, claim)


@pytest.mark.parametrize(
    "text", ["one another", "no one", "It may rain", "they march on", "May he rest", "the second hand"]
)
def test_words_that_only_look_like_numbers(text: str) -> None:
    assert [q.text for q in quantities(text) if q.kind != "ordinal"] == []


def test_a_range_of_dates_is_two_dates() -> None:
    assert [q.date for q in quantities("from 1941 to 1945")] == [(1941, None, None), (1945, None, None)]


def test_offsets_point_at_the_text() -> None:
    text = "In May 2019 it cost US$ 5.7 billion, or 3 % more."
    assert [text[q.start : q.end] for q in quantities(text)] == ["May 2019", "US$ 5.7 billion", "3 %"]


@given(st.text())
def test_reading_never_raises_and_offsets_are_in_order(text: str) -> None:
    found = quantities(text)
    assert all(0 <= q.start < q.end <= len(text) and text[q.start : q.end] == q.text for q in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(text[t.start : t.end] == t.text for t in tokens(text))


@given(st.integers(0, 10**40), st.sampled_from(["", " million", " km", " %", "th"]))
def test_a_number_follows_from_itself(value: int, tail: str) -> None:
    (quantity,) = quantities(f"x {value}{tail}")
    assert follows(quantity, quantity)


def keys(text: str) -> list[tuple[str, ...]]:
    return [name.keys for name in facts(text).names]


def test_demonyms_and_abbreviations_fold_to_the_country() -> None:
    for text in ("the U.S.", "the US", "the United States of America", "Americans", "the USA"):
        assert keys(f"It saw {text}") == [("united-states",)], text
    assert keys("ties of the People's Republic of China")[-1] == ("china",)
    assert keys("a Sino-Russian pact") == [("china",), ("russia",)]


def test_a_capital_is_not_its_country() -> None:
    assert keys("as Moscow") != keys("as Russia")


def test_titles_and_possessives_are_no_part_of_a_name() -> None:
    assert [n.text for n in facts("Later Russia's President Vladimir Putin and Dr Lee met.").names] == [
        "Russia",
        "Vladimir Putin",
        "Lee",
    ]


def test_names_run_over_of() -> None:
    assert [n.text for n in facts("After it the Treaty of Beijing and the Bank of the South fell.").names] == [
        "Treaty of Beijing",
        "Bank of the South",
    ]


def test_the_first_word_is_a_name_only_if_it_is_no_ordinary_word() -> None:
    assert facts("However, this is so.").names == ()
    assert facts("Investment grew.").names == ()
    assert [n.text for n in facts("Norway grew.").names] == ["Norway"]
    (doubtful,) = facts("Corruption's ally.").names or facts("Gloves help.").names
    assert doubtful.doubtful
    assert names(facts("Gloves help."), frozenset({"gloves"})) == ()


def test_us_is_a_country_only_in_capitals() -> None:
    assert keys("they told us so") == []
    assert keys("they told US officials") == [("united-states",)]


def test_stems_join_inflections_and_spellings() -> None:
    pairs = [("annexation", "annexed"), ("grew", "growing"), ("centre", "center"), ("organisation", "organization")]
    pairs += [("labour", "labor"), ("rising", "rise"), ("neighbouring", "neighbors"), ("sold", "sales")]
    assert all(stem(a) == stem(b) for a, b in pairs)


@pytest.mark.parametrize(
    ("text", "cue", "head"),
    [
        ("It was never shut down.", "never", "shut"),
        ("They don't agree.", "don't", "agre"),
        ("It lacks the means.", "lacks", stem("means")),
        ("Wind rather than coal drives it.", "rather than", "coal"),
        ("It acts without support.", "without", "support"),
    ],
)
def test_a_negation_covers_what_follows(text: str, cue: str, head: str) -> None:
    (negation,) = facts(text).negations
    assert (negation.cue, negation.head) == (cue, head)


@pytest.mark.parametrize("text", ["Not only coal but gas.", "See No. 5 there.", "There is no doubt of it."])
def test_what_only_looks_like_a_negation(text: str) -> None:
    assert facts(text).negations == ()


@given(st.text())
def test_facts_never_raise(text: str) -> None:
    read = facts(text)
    assert all(text[w.start : w.end] == w.text for w in read.words)
    assert all(0 <= n.first <= n.last < len(read.words) for n in read.names)

"""What a question asks for, what answers it, and refusals in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.grounding import Evidence, check, check_kind, check_novelty, is_refusal
from rag_geo.text.kinds import asked_kind, has_kind


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many looms does the mill have?", "amount"),
        ("In how many towns did it sell?", "amount"),
        ("What share of the harvest is exported?", "amount"),
        ("How old is the bridge?", "amount"),
        ("How much of the harvest is sold?", "amount"),
        ("How long is the tunnel under Mount Orla?", "length"),
        ("How long has the strike been going on?", "duration"),
        ("When did the mill open?", "time"),
        ("Since when has Tamm been mayor?", "time"),
        ("In which year was the tunnel dug?", "time"),
        ("On what day did the talks begin?", "time"),
        ("Who dug the tunnel?", "person"),
        ("By whom was the tunnel dug?", "person"),
        ("Whose idea was the tunnel?", "person"),
        ("Where is the mill?", "place"),
        ("In which country is the mill?", "place"),
        ("What happens when the mill closes?", None),
        ("When the mill closed, what did Tamm say?", None),
        ("Who dug the tunnel, and when?", None),
        ("Who is older, Tamm or Berg?", None),
        ("Who gains more from the trade of Peru and Chile?", None),
        ("Why was the tunnel dug?", None),
        ("How much does it rely on rain?", None),
        ("How much did it matter, or was it in vain?", None),
        ("Where does Peru rank?", None),
        ("", None),
    ],
)
def test_a_question_asks_for_one_kind_of_thing_or_for_none(question: str, kind: str | None) -> None:
    assert asked_kind(question) == kind


ANSWERS = [
    ("How many looms does the mill have?", "The mill has 31 looms."),
    ("How many looms does the mill have?", "The mill has several looms."),
    ("How many looms does the mill have?", "The mill does not have looms."),
    ("How many looms does the mill have?", "There is a single loom."),
    ("How many countries buy its cloth?", "Peru and Chile buy its cloth."),
    ("How much of the harvest is exported?", "Most of the harvest is exported."),
    ("How much does it rely on rain?", "It relies heavily on rain."),
    ("What percentage of the harvest is exported?", "A third of the harvest is exported."),
    ("What share of the harvest is exported?", "Half of it."),
    ("How old is the bridge?", "The bridge is ninety years old."),
    ("When does the last tram leave?", "The last tram leaves at 23:40."),
    ("When does the last tram leave?", "The last tram leaves at 11 p.m."),
    ("How long is the tunnel?", "The tunnel is 3 miles long."),
    ("How long is the tunnel?", "The tunnel is as long as the valley."),
    ("How long was the theatre in operation?", "The theatre was in operation from 1870 to 1939."),
    ("How long has the strike been going on?", "The strike has been going on since May 2019."),
    ("How long did the strike last?", "It lasted through the winter."),
    ("How long will the treaty hold?", "The treaty will hold forever."),
    ("When did the mill open?", "The mill opened in 1911."),
    ("When did the mill open?", "The mill opened before the war."),
    ("When did the mill open?", "The mill opened after the flood."),
    ("When did the mill open?", "The mill opened during the reign of King Olaf."),
    ("When did the mill open?", "It opened as soon as the snow had melted."),
    ("When do storks leave?", "Storks leave when it gets cold."),
    ("When did Aruba become independent?", "Aruba has never become independent."),
    ("In which year was the tunnel dug?", "The tunnel was dug two years later."),
    ("Which year was it?", "It was the year 476."),
    ("Since when has Tamm been mayor?", "Tamm has been mayor since the last election."),
    ("On what date did it sink?", "It sank on a Wednesday."),
    ("Who dug the tunnel?", "Elise Tamm dug the tunnel."),
    ("Who dug the tunnel?", "The ambassador had the tunnel dug."),
    ("Who doubts the report?", "Some experts doubt the report."),
    ("Who asked China for help?", "Western politicians asked China for help."),
    ("Who owns the mill?", "A company owns the mill."),
    ("Who is Russia's largest customer?", "China is Russia's largest customer."),
    ("Who started the fire?", "Nobody started the fire."),
    ("By whom was the report written?", "The report was written by geologists."),
    ("Whose idea was it?", "It was her idea."),
    ("Who controls the port?", "Russia controls the port of Varda."),
    ("Where is the mill?", "The mill stands in a narrow valley."),
    ("Where is the mill?", "The mill is in Varda."),
    ("Where did the birds fly?", "The birds flew abroad."),
    ("Which city is the capital of Peru?", "Lima is the capital of Peru."),
    ("In which country is Lake Mirren?", "Lake Mirren is in Norway."),
]
NO_ANSWERS = [
    ("How many soldiers are stationed in Latvia?", "There are soldiers stationed in Latvia."),
    ("How many ships took part in the drill?", "The drill was carried out by the Russian Navy."),
    ("How many dams were built in 1990?", "Dams were built in 1990."),
    ("How many members does the G7 have?", "The G7 has members."),
    ("How old is the bridge?", "The bridge is made of stone."),
    ("What share of the harvest is exported?", "The harvest is exported to Peru."),
    ("How long is the tunnel?", "The tunnel runs under Mount Orla."),
    ("How long is the tunnel?", "The tunnel was opened in 1911."),
    ("How long did the strike take?", "The strike took place in Varda."),
    ("When did the mill open?", "The mill opened in Varda."),
    ("When did the mill open?", "Elise Tamm opened the mill."),
    ("In which year was the tunnel dug?", "The tunnel was dug with shovels."),
    ("When was trade larger than in 2018?", "Trade was larger than in 2018."),
    ("Since when has Tamm been mayor?", "Tamm has been mayor of Varda."),
    ("Who dug the tunnel?", "The tunnel was dug under the mountain."),
    ("Who said that Russia would tell China?", "It was said that Russia would tell China."),
    ("By whom was the report written?", "The report was written in haste."),
    ("Who is the Russian ambassador to China?", "Russian ambassador to China is a post."),
    ("Where is the mill?", "The mill is old."),
    ("In which country is Lake Mirren?", "Lake Mirren is very deep."),
    ("Which city hosted the games?", "The games were hosted with pride."),
]


@pytest.mark.parametrize(("question", "claim"), ANSWERS)
def test_whatever_a_careful_reader_takes_for_an_answer_passes(question: str, claim: str) -> None:
    assert check_kind(claim, Evidence(()), question) is None


@pytest.mark.parametrize(("question", "claim"), NO_ANSWERS)
def test_a_claim_without_the_kind_of_thing_asked_for_is_withheld(question: str, claim: str) -> None:
    failure = check_kind(claim, Evidence(()), question)
    assert failure is not None
    assert failure.rung == "kind"


def test_the_reason_says_what_the_question_asks() -> None:
    failure = check_kind("The mill opened in Varda.", Evidence(()), "When did the mill open?")
    assert failure.reason == "the question asks a date or time, and it does not say that"


@pytest.mark.parametrize(
    "claim",
    [
        "The author of the article is not given.",
        "The author is not named in the article.",
        "The passages do not say how many carriers there are.",
        "The passage doesn't mention a destroyer.",
        "The provided text does not explicitly state the date.",
        "No passage mentions a destroyer.",
        "There is no information about the destroyer.",
        "There is no mention of Norway in the report's passages.",
        "The name of the destroyer is not specified.",
        "It is not stated in the given passages.",
        "The date cannot be determined from the text.",
        "It is unclear from the passages who signed.",
        "The length of the route isn't mentioned.",
        "No information on the length is provided.",
        "The article never mentions moons.",
    ],
)
def test_a_refusal_in_words_is_never_an_answer(claim: str) -> None:
    evidence = Evidence(())
    assert is_refusal(claim)
    assert check_novelty(claim, evidence).reason == "it says that the passages do not tell"
    assert check(claim, evidence, "Who is it?").rung in ("name", "novelty")


@pytest.mark.parametrize(
    "claim",
    [
        "Lukin does not say whether it will work.",
        "The border is not mentioned in the treaty of 1860.",
        "The author denies that the two countries are natural allies.",
        "The article says that China has not condemned the invasion.",
        "The author does not believe that they are allies.",
        "Beijing did not give Moscow a loan.",
        "The loan was not given to Norway.",
        "The cause of the fire is not known.",
        "The results will not alter the attitude of Moscow.",
        "The mayor has no information policy.",
        "Whether it will work cannot yet be said.",
    ],
)
def test_what_somebody_else_does_not_say_is_a_statement_like_any_other(claim: str) -> None:
    assert not is_refusal(claim)


@given(st.text(), st.text())
def test_kinds_are_read_off_any_strings(claim: str, question: str) -> None:
    kind = asked_kind(question)
    if kind is not None:
        has_kind(kind, claim, question)
    for sure in ("amount", "length", "time", "duration", "person", "place"):
        assert not has_kind(sure, "", question)
    is_refusal(claim)

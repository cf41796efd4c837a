"""Into which questions a question with several parts is split, and which questions stay whole."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_geo.parts import MAX_PARTS, parts

AUTHORS = ("Jeff Hawn", "Artyom Lukin", "John P. Ruehl")


def _split(table):
    return pytest.mark.parametrize(
        ("question", "expected"), [pytest.param(question, tuple(rest), id=question) for question, *rest in table]
    )


CLAUSES = [
    (
        "Who heads Equinor, and how many employees does it have?",
        "Who heads Equinor?",
        "How many employees does Equinor have?",
    ),
    ("Who heads Equinor, and how many ports does Chile have?", "Who heads Equinor?", "How many ports does Chile have?"),
    ("Who won the war and when did it end?", "Who won the war?", "When did the war end?"),
    ("When did the siege begin and when did the famine?", "When did the siege begin?", "When did the famine begin?"),
    ("What would Hawn ban, and what would Ruehl?", "What would Hawn ban?", "What would Ruehl ban?"),
    ("When was Yara founded, and why?", "When was Yara founded?", "Why was Yara founded?"),
    ("Is Norway in the EU, and since when?", "Is Norway in the EU?", "Since when is Norway in the EU?"),
    ("Is Chad in the UN, and does it have a navy?", "Is Chad in the UN?", "Does Chad have a navy?"),
    (
        "What is the capital of Peru, and how many people live there?",
        "What is the capital of Peru?",
        "How many people live in the capital of Peru?",
    ),
    ("What is the area of Peru and what is its population?", "What is the area of Peru?", "What is Peru’s population?"),
    (
        "How large was Sino-Thai trade in 1999, and what mark did it pass in 2018?",
        "How large was Sino-Thai trade in 1999?",
        "What mark did Sino-Thai trade pass in 2018?",
    ),
    (
        "Who became king of Oman in 2020, and how many Indian workers are in the country?",
        "Who became king of Oman in 2020?",
        "How many Indian workers are in Oman?",
    ),
    (
        "Which expert works in Bergen, and which one in Oslo?",
        "Which expert works in Bergen?",
        "Which expert works in Oslo?",
    ),
    (
        "How many people lived in Oslo in 1990, and how many in Bergen?",
        "How many people lived in Oslo in 1990?",
        "How many people lived in Bergen in 1990?",
    ),
    (
        "How much oil did Norway produce in 2022, and how much in 2023?",
        "How much oil did Norway produce in 2022?",
        "How much oil did Norway produce in 2023?",
    ),
    (
        "Which weapons does Iran buy and which does it make?",
        "Which weapons does Iran buy?",
        "Which weapons does Iran make?",
    ),
    (
        "In which region is Chad strong, and which one does Hawn call weak because few live there?",
        "In which region is Chad strong?",
        "Which region does Hawn call weak because few live there?",
    ),
    (
        "Which fleet trained off Oahu, and which American fleet has its home in Japan?",
        "Which fleet trained off Oahu?",
        "Which American fleet has its home in Japan?",
    ),
    (
        "Which authors consider Chad the ally of Mali, and who denies it?",
        "Which authors consider Chad the ally of Mali?",
        "Who denies that Chad is the ally of Mali?",
    ),
    ("Who says that Chad is weak, and who doubts it?", "Who says that Chad is weak?", "Who doubts that Chad is weak?"),
    (
        "Is Mali outvoted by the African members of the Council, and how many of those does Hawn count?",
        "Is Mali outvoted by the African members of the Council?",
        "How many African members of the Council does Hawn count?",
    ),
    (
        "When did the Treaty of Lund draw the Nordic border and when did a later treaty settle the rest?",
        "When did the Treaty of Lund draw the Nordic border?",
        "When did a later treaty settle the rest, regarding the Nordic border?",
    ),
    (
        "What is the currency of Mali, who leads Chad, and when did Peru become independent?",
        "What is the currency of Mali?",
        "Who leads Chad?",
        "When did Peru become independent?",
    ),
]


@_split(CLAUSES)
def test_questions_joined_by_and_are_asked_one_after_the_other(question, expected):
    assert parts(question, AUTHORS) == expected


@_split(
    [
        (
            "Why does Peru want peace, and why may it offer none, in Lukin's view?",
            "Why does Peru want peace, in Lukin's view?",
            "Why may Peru offer none, in Lukin's view?",
        ),
        (
            "How has oil helped Chad, and how has it helped Mali, according to the report?",
            "How has oil helped Chad, according to the report?",
            "How has oil helped Mali, according to the report?",
        ),
        (
            "According to Hawn, what does Chad sell, and what does Mali buy?",
            "According to Hawn, what does Chad sell?",
            "According to Hawn, what does Mali buy?",
        ),
        (
            "In 2023, how many ports did Peru have, and how many ships did Chile have?",
            "In 2023, how many ports did Peru have?",
            "In 2023, how many ships did Chile have?",
        ),
        (
            "In 2023, how many ports did Peru have, and how many ships did Chile have in 2020?",
            "In 2023, how many ports did Peru have?",
            "How many ships did Chile have in 2020?",
        ),
        (
            "What does Ruehl want for Chad, and which role does Mali see for that country, according to Lukin?",
            "What does Ruehl want for Chad?",
            "Which role does Mali see for Chad, according to Lukin?",
        ),
        (
            "What makes gas attractive to firms according to Hawn, and to China according to Ruehl?",
            "What makes gas attractive to firms according to Hawn?",
            "What makes gas attractive to China according to Ruehl?",
        ),
        (
            "Is the pact alive, going by Hawn and by the article that quotes him?",
            "Is the pact alive, going by Hawn?",
            "Is the pact alive, going by the article that quotes Hawn?",
        ),
    ]
)
def test_whose_account_is_meant_is_said_in_every_part_that_does_not_say_it(question, expected):
    assert parts(question, AUTHORS) == expected


@_split(
    [
        (
            "Who won the election? How many votes were cast in Bergen?",
            "Who won the election?",
            "How many votes were cast in Bergen?",
        ),
        (
            "Who won the election? What was declared?",
            "Who won the election?",
            "What was declared, regarding the election?",
        ),
        (
            "What is the population of Norway? And of Sweden?",
            "What is the population of Norway?",
            "What is the population of Sweden?",
        ),
        (
            "Who leads Chad? When did Peru join the UN? What is the capital of Mali?",
            "Who leads Chad?",
            "When did Peru join the UN?",
            "What is the capital of Mali?",
        ),
        (
            "Is the pact alive? Compare Lukin with the author of the essay.",
            "Is the pact alive, according to Lukin?",
            "Is the pact alive, according to the author of the essay?",
        ),
        (
            "Is trade small? Compare Gatov's view with the figures in the profile of Chad.",
            "Is trade small, in Gatov's view?",
            "Is trade small, according to the figures in the profile of Chad?",
        ),
        (
            "Is Chad poor? Set the article against the profile of Chad.",
            "Is Chad poor, according to the article?",
            "Is Chad poor, according to the profile of Chad?",
        ),
        (
            "How safe is gas? Ruehl and the second author judge differently.",
            "How safe is gas, according to Ruehl?",
            "How safe is gas, according to the second author?",
        ),
        (
            "Is gas safe? What do Gabuev and the second author say?",
            "Is gas safe, according to Gabuev?",
            "Is gas safe, according to the second author?",
        ),
        (
            "Hecker and Hawn see the chances of a deal differently. What does each hold?",
            "How does Hecker see the chances of a deal?",
            "How does Hawn see the chances of a deal?",
        ),
        (
            "Hecker and Hawn disagree about sanctions. What does each say?",
            "What does Hecker say about sanctions?",
            "What does Hawn say about sanctions?",
        ),
    ]
)
def test_two_sentences_are_two_questions_or_one_question_to_two_sources(question, expected):
    assert parts(question, AUTHORS) == expected


@_split(
    [
        (
            "How many ports do Sudan and Venezuela have?",
            "How many ports does Sudan have?",
            "How many ports does Venezuela have?",
        ),
        ("how many ports do sudan and peru have", "How many ports does sudan have?", "How many ports does peru have?"),
        (
            "How many ports did Peru, Chile and Cuba have in 2024?",
            "How many ports did Peru have in 2024?",
            "How many ports did Chile have in 2024?",
            "How many ports did Cuba have in 2024?",
        ),
        ("Who are the presidents of Chad and Mali?", "Who is the president of Chad?", "Who is the president of Mali?"),
        (
            "Who are the heads of state of Chad and Mali?",
            "Who is the head of state of Chad?",
            "Who is the head of state of Mali?",
        ),
        ("What are the currencies of Chad and Peru?", "What is the currency of Chad?", "What is the currency of Peru?"),
        (
            "What is the population of Chad and Peru?",
            "What is the population of Chad?",
            "What is the population of Peru?",
        ),
        (
            "What are the populations of Berlin and Hamburg?",
            "What is the population of Berlin?",
            "What is the population of Hamburg?",
        ),
        (
            "How high were the inflation rates of Peru and Chile in 2023?",
            "How high was the inflation rate of Peru in 2023?",
            "How high was the inflation rate of Chile in 2023?",
        ),
        (
            "What are the main exports of Peru and Chile?",
            "What are the main exports of Peru?",
            "What are the main exports of Chile?",
        ),
        (
            "What bases does Russia keep in Syria and in Armenia?",
            "What bases does Russia keep in Syria?",
            "What bases does Russia keep in Armenia?",
        ),
        ("How many people live in Peru and Chile?", "How many people live in Peru?", "How many people live in Chile?"),
        (
            "In which years did the pact that Hawn sees and the Baltic Union begin?",
            "In which year did the pact that Hawn sees begin?",
            "In which year did the Baltic Union begin?",
        ),
        (
            "How many days lay between the summit and the passage of the ship?",
            "When was the summit?",
            "When was the passage of the ship?",
        ),
        (
            "Which events does Lukin report, one from Russia's side and one from Britain's?",
            "Which events does Lukin report from Russia's side?",
            "Which events does Lukin report from Britain's?",
        ),
    ]
)
def test_what_several_have_each_for_itself_is_asked_of_each(question, expected):
    assert parts(question, AUTHORS) == expected


@_split(
    [
        (
            "What do Hawn and Ruehl each say about Japan?",
            "What does Hawn say about Japan?",
            "What does Ruehl say about Japan?",
        ),
        (
            "What do Gabuev and Gatov each say about Japan?",
            "What does Gabuev say about Japan?",
            "What does Gatov say about Japan?",
        ),
        (
            "How do Hawn and Ruehl judge what Russia and China do?",
            "How does Hawn judge what Russia and China do?",
            "How does Ruehl judge what Russia and China do?",
        ),
        (
            "What do Lukin and the profile of China say about the navy?",
            "What does Lukin say about the navy?",
            "What does the profile of China say about the navy?",
        ),
        (
            "Compare Hawn with Ruehl on Central Asia.",
            "What does Hawn say about Central Asia?",
            "What does Ruehl say about Central Asia?",
        ),
        (
            "Set Hawn's view against Ruehl's view on sanctions.",
            "What does Hawn say about sanctions?",
            "What does Ruehl say about sanctions?",
        ),
        (
            "Does Lukin share Hawn's opinion on NATO?",
            "What does Lukin say about NATO?",
            "What does Hawn say about NATO?",
        ),
        ("Does Hawn agree with Ruehl about NATO?", "What does Hawn say about NATO?", "What does Ruehl say about NATO?"),
        (
            "Do Hawn and Ruehl hold the same view on NATO?",
            "What does Hawn say about NATO?",
            "What does Ruehl say about NATO?",
        ),
        (
            "How do the views of Hawn and Ruehl on NATO differ?",
            "What does Hawn say about NATO?",
            "What does Ruehl say about NATO?",
        ),
        (
            "Do Hawn and Lukin name the same year for the treaty?",
            "What year does Hawn name for the treaty?",
            "What year does Lukin name for the treaty?",
        ),
        (
            "Where do Hawn and Lukin do their academic work?",
            "Where does Hawn do academic work?",
            "Where does Lukin do academic work?",
        ),
        (
            "How did Bush and Obama differ in their handling of Iran, according to the book?",
            "What was Bush's handling of Iran, according to the book?",
            "What was Obama's handling of Iran, according to the book?",
        ),
        (
            "How does Obama's picture of Iran depart from that of hawks and doves?",
            "What picture of Iran does Obama have?",
            "What picture of Iran do hawks and doves have?",
        ),
    ]
)
def test_what_two_think_is_asked_of_each(question, expected):
    assert parts(question, AUTHORS) == expected


@_split(
    [
        (
            "Does Peru or Iran have more airports, and how many has each?",
            "How many airports does Peru have?",
            "How many airports does Iran have?",
        ),
        ("Does Peru have more oil than Iran?", "How much oil does Peru have?", "How much oil does Iran have?"),
        (
            "Which coastline is longer, Japan's or Norway's, and what are the figures?",
            "How long is Japan's coastline?",
            "How long is Norway's coastline?",
        ),
        (
            "Which coastline is longer, that of Japan or that of Norway?",
            "How long is the coastline of Japan?",
            "How long is the coastline of Norway?",
        ),
        (
            "Whose gas reserves are larger, Iran's or Peru's, and how large are they?",
            "How large are Iran's gas reserves?",
            "How large are Peru's gas reserves?",
        ),
        ("Which of the two is longer, the Rhine or the Elbe?", "How long is the Rhine?", "How long is the Elbe?"),
        ("Is Japan's coast longer than Norway's?", "How long is Japan's coast?", "How long is Norway's coast?"),
        (
            "Is the fleet of Chad or that of Mali larger, and by how many ships?",
            "How many ships does the fleet of Chad have?",
            "How many ships does the fleet of Mali have?",
        ),
        (
            "Is the border of Chad or that of Mali longer, and by how many kilometres?",
            "How long is the border of Chad?",
            "How long is the border of Mali?",
        ),
        (
            "In which country was GDP per head higher in 2024, Peru or Chile? Give the figures.",
            "How high was GDP per head in Peru in 2024?",
            "How high was GDP per head in Chile in 2024?",
        ),
        (
            "Is the median age higher in Chad or in Mali, and what is it in each?",
            "What is the median age in Chad?",
            "What is the median age in Mali?",
        ),
        (
            "Which country had more reactors in operation in 2025, India or the United States, by which figures?",
            "How many reactors did India have in operation in 2025?",
            "How many reactors did the United States have in operation in 2025?",
        ),
        (
            "Which country produces more oil, Norway or Iran?",
            "How much oil does Norway produce?",
            "How much oil does Iran produce?",
        ),
        (
            "Who went to Peru first in 2020, Lavrov or Wang, and in which months were their trips?",
            "When did Lavrov go to Peru in 2020?",
            "When did Wang go to Peru in 2020?",
        ),
        (
            "Who joined NATO first, Finland or Sweden, and in which years?",
            "When did Finland join NATO?",
            "When did Sweden join NATO?",
        ),
        ("Which company closed earlier, Fiat or Opel?", "When did Fiat close?", "When did Opel close?"),
        (
            "Which state created a navy first, Chile or Peru?",
            "When did Chile create a navy?",
            "When did Peru create a navy?",
        ),
        ("Did Chile or Peru carry the day first?", "When did Chile carry the day?", "When did Peru carry the day?"),
    ]
)
def test_of_figures_that_are_compared_each_is_asked_for(question, expected):
    assert parts(question, AUTHORS) == expected


WHOLE = [
    "How many moons does Jupiter have?",
    "How many people live in Trinidad and Tobago?",
    "How many ports do Trinidad and Tobago have?",
    "What is the population of Trinidad and Tobago?",
    "What is the capital of Bosnia and Herzegovina?",
    "Who heads the Ministry of Trade and Industry?",
    "How many people does the Ministry of Foreign Affairs and Trade employ?",
    "Who wrote War and Peace?",
    "Who are the founders of Marks and Spencer?",
    "How long is the border between Norway and Sweden?",
    "How long is the border of Russia and China?",
    "What are the relations between Russia and China?",
    "What are the relations of Russia and China?",
    "What is the joint statement of Putin and Xi about?",
    "Do Russia and China trade with each other?",
    "How large is the trade of Russia and China?",
    "What did Putin and Xi announce?",
    "What did Putin and Xi say about the dollar?",
    "How do Putin and Xi judge NATO?",
    "What do Russia and China say about Ukraine?",
    "What did Norway and Sweden agree in 1905?",
    "What did Hawn and Ruehl write in their joint article?",
    "How do Hawn and Ruehl view each other?",
    "How many tanks do Russia and China have together?",
    "Do both Norway and Sweden have a king?",
    "Do Norway and Sweden agree on sanctions?",
    "Compare Norway with Sweden on oil.",
    "Hawn, Lukin and Ruehl agree on what?",
    "Who leads Norway and Sweden?",
    "Which countries border Norway and Sweden?",
    "Which countries have bases in Djibouti and Syria?",
    "What does Hawn say about Russia and China?",
    "What is the role of Russia and China in the UN?",
    "Which company makes cars and trucks?",
    "How do I peel and slice a mango?",
    "When did the war begin and end?",
    "When and where was the treaty signed?",
    "What is the currency and the capital of Norway?",
    'Who said "What is it and why does it matter?"',
    "Who said “Who won? What was lost?” in 1990?",
    "Does the report explain why prices rose and how they fell?",
    "Who knows what happened and who is responsible?",
    "Do you know who won, and who lost?",
    "What does the treaty say about how disputes are settled and what each side pays?",
    "What is the difference between what Hawn says and what Ruehl says?",
    "Does Hawn say who signed the treaty and when it was signed?",
    "Who is the man who leads Chad and who founded it?",
    "Is it true that Norway left the EU and that Sweden joined?",
    "What has the EU done, and is doing?",
    "Why is the sky blue and the sea green?",
    "Who was the junior partner in the Cold War, China or the Soviet Union?",
    "Who needs the other's investment more, Russia or China?",
    "Which do you prefer, tea or coffee?",
    "Is Russia stronger than ever?",
    "Is the bridge longer than 500 metres?",
    "Is it higher than before?",
    "Does Russia have more tanks than ever?",
    "Who is the president of Uzbekistan, and since when?",
    "Who wrote Zero Sum, and when was he born?",
    "Which city is the museum in, and how many people live in that city?",
    "Which ministers went to China, and what did they sign?",
    "What did the leaders of Russia and China agree on, and when did they meet?",
    "What share of exports went to China, and what share was it in each?",
    "Who won the vote? What was declared, and was that accepted?",
    "Lukin found that the appetite of Chad had shrunk. What did Chad do in 2022, according to its profile?",
    "What kind of republic is Chad: what does the Factbook say and what did the vote of 2021 approve?",
    "Hecker and Hawn differ. What does each say?",
    "Give me the figures. And the dates.",
    "Who leads Chad, who leads Mali, who leads Peru, who leads Cuba, and who leads Chile?",
    "",
    "and",
    "? and ?",
]


@pytest.mark.parametrize("question", WHOLE)
def test_one_question_or_an_unclear_one_stays_whole(question):
    assert parts(question, AUTHORS) == (question,)


def test_two_are_asked_for_their_opinion_only_if_one_of_them_is_known_as_an_author():
    question = "What do Hawn and Ruehl say about Japan?"
    assert parts(question) == (question,)
    assert len(parts(question, ["Hawn"])) == 2


def test_a_quotation_is_not_looked_into_but_kept():
    question = 'Who said "peace and war", and how many ports does Chile have?'
    assert parts(question) == ('Who said "peace and war"?', "How many ports does Chile have?")


def test_a_question_longer_than_300_characters_stays_whole():
    long = f"Who leads Chad, and how many ports does Chile have {'in good years ' * 20}?"
    assert len(long) > 300
    assert parts(long) == (long,)
    assert parts(long.replace("in good years ", "")) == ("Who leads Chad?", "How many ports does Chile have?")


EVERY = [question for question, *_ in CLAUSES] + WHOLE
PLAIN = ["who", "what", "when", "how", "many", "ports", "does", "Chad", "have", "in", "2024", "the", "of", "king", "is"]
WORDS = sorted({word for question in EVERY for word in question.split()})
questions = st.one_of(
    st.text(max_size=320),
    st.lists(st.sampled_from([*WORDS, "and", ", and", "or", "?", ".", "each", "\ue000"]), max_size=40).map(" ".join),
    st.lists(st.sampled_from(EVERY), min_size=1, max_size=3).map(" ".join),
    st.lists(st.sampled_from([question.rstrip("?") for question in EVERY]), min_size=2, max_size=3).map(", and ".join),
)


@given(questions, st.lists(st.sampled_from([*AUTHORS, "", " "]), max_size=3))
@settings(max_examples=120, deadline=None)
def test_parts_are_questions_that_have_no_parts_themselves(question, names):
    found = parts(question, names)
    assert found == parts(question, names)
    assert 1 <= len(found) <= MAX_PARTS
    if len(found) > 1:
        assert all(part.strip("? ") and part.endswith("?") for part in found)
        assert [parts(part, names) for part in found] == [(part,) for part in found]
    else:
        assert found == (question,)


@given(st.lists(st.sampled_from(PLAIN), max_size=20))
@settings(max_examples=50, deadline=None)
def test_a_question_that_joins_nothing_is_one_part(words):
    question = " ".join(words)
    assert parts(question) == (question,)


@pytest.mark.parametrize(
    "question",
    [
        ("Who leads Chad and how many ports does Chile have, " * 6)[:300],
        ("What do Hawn and Ruehl and " * 12)[:300],
        ("and " * 75)[:300],
        ("Is the fleet of Chad or that of " * 10)[:300],
        ("the " * 70 + "and what is it")[:300],
        "a" * 296 + " and",
        "Does Peru or Iran have more airports, " + "and " * 60,
        "In which years did the " + "x and the " * 27,
    ],
)
def test_a_question_is_split_in_a_few_milliseconds(question):
    parts("Who leads Chad, and how many ports does it have?", AUTHORS)
    begin = time.process_time()
    parts(question, AUTHORS)
    assert time.process_time() - begin < 0.05

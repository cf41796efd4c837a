"""What a question is taken to mean after the questions before it."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_geo.conversation import standalone
from rag_geo.question import MAX_CHARACTERS
from rag_geo.text.countries import adjective, country, is_adjective, is_country

NORWAY = "What is the population of Norway?"
ARMY = "How large is the Chinese army?"
CARRIERS = "How many aircraft carriers does China have?"
SHIPS = "Which ships took part in the exercises off Hawaii?"
FIRM = "Which firm gauges the public mood in places where pollsters can hardly work?"
GENEVA = "When did Putin and Biden meet in Geneva?"
BORDER = "How long is the border between Russia and China?"
JUNIOR = "Which authors consider Russia the junior partner of China?"
HAWN = "What does Hawn say about sanctions?"
SUM = "Who wrote Zero Sum?"


def _told(table):
    return pytest.mark.parametrize(
        ("before", "question", "searched"),
        [pytest.param((before,) if isinstance(before, str) else before, *rest, id=rest[0]) for before, *rest in table],
    )


@_told(
    [
        (CARRIERS, "And Russia?", "How many aircraft carriers does Russia have?"),
        (CARRIERS, "Russia?", "How many aircraft carriers does Russia have?"),
        ("what is the population of norway", "and sweden?", "What is the population of sweden?"),
        (NORWAY, "What about Sweden?", "What is the population of Sweden?"),
        (NORWAY, "How about in Sweden?", "What is the population of Sweden?"),
        (NORWAY, "In Sweden?", "What is the population of Sweden?"),
        ("Is Vladivostok in Russia?", "Same for Khabarovsk?", "Is Khabarovsk in Russia?"),
        ("How many people live in Bergen?", "And Oslo?", "How many people live in Oslo?"),
        ("Who composed The Magic Flute?", "And Don Giovanni?", "Who composed Don Giovanni?"),
        ("What does Hawn say about China?", "And Ruehl?", "What does Ruehl say about China?"),
        ("What does Hawn say about China?", "And Norway?", "What does Hawn say about Norway?"),
        ("What is Lukin's view of NATO?", "And Ruehl's?", "What is Ruehl's view of NATO?"),
        ("What binds China, according to Hawn?", "And according to Ruehl?", "What binds China, according to Ruehl?"),
        ("How large is the navy of the United States?", "And the UK?", "How large is the navy of the UK?"),
        ("Who is the president of the United States?", "And of France?", "Who is the president of France?"),
        (BORDER, "And between Norway and Sweden?", "How long is the border between Norway and Sweden?"),
        (BORDER, "And Norway and Sweden?", "How long is the border between Norway and Sweden?"),
        (BORDER, "And Mongolia?", "How long is the border between Russia and Mongolia?"),
        ("How large are Iceland and Ireland?", "And the latter?", "How large are Ireland?"),
        (ARMY, "And the Russian one?", "How large is the Russian army?"),
        (ARMY, "And Russia?", "How large is the Russian army?"),
        ("How large is China?", "And the Dutch one?", "How large is the Netherlands?"),
        ("Which ships took part in the exercise?", "And from China?",
         "Which ships took part in the exercise from China?"),
        ("What does Hawn recommend?", "And China?", "What does Hawn recommend in China?"),
    ],
)  # fmt: skip
def test_a_lone_name_takes_the_place_of_its_like_in_the_question_before(before, question, searched):
    assert standalone(question, before) == searched


@_told(
    [
        ("What did Russia sell in 1999?", "And in 2019?", "What did Russia sell in 2019?"),
        ("What did Russia sell in 1999?", "2019?", "What did Russia sell in 2019?"),
        ("What did Russia sell in 1999?", "And since 2019?", "What did Russia sell since 2019?"),
        ("What did Russia sell?", "And in 2019?", "What did Russia sell in 2019?"),
        ("What did Norway build in May 2019?", "And in June?", "What did Norway build in June 2019?"),
        ("How many people live in Norway?", "How about Finland in 2019?", "How many people live in Finland in 2019?"),
    ],
)
def test_a_lone_date_takes_the_place_of_the_date_or_is_added(before, question, searched):
    assert standalone(question, before) == searched


@_told(
    [
        (CARRIERS, "And how many submarines?", "How many submarines does China have?"),
        (CARRIERS, "And submarines?", "How many submarines does China have?"),
        (SHIPS, "And how many of them?", "How many ships took part in the exercises off Hawaii?"),
        (SHIPS, "How many of them?", "How many ships took part in the exercises off Hawaii?"),
        ("Who lives in Norway?", "And how many of them?", "Who lives in Norway, and how many of them?"),
        ("How many people live in Norway?", "And how many in the south?", "How many people live in the south?"),
        (NORWAY, "And the area?", "What is the area of Norway?"),
        (NORWAY, "And its area?", "What is the area of Norway?"),
        ("What is Norway's population?", "And the area?", "What is Norway's area?"),
        (ARMY, "And the navy?", "How large is the Chinese navy?"),
        (HAWN, "And about trade?", "What does Hawn say about trade?"),
        (HAWN, "And what about trade?", "What does Hawn say about trade?"),
        ("How do goods reach Norway by sea?", "And by land?", "How do goods reach Norway by land?"),
        ("How do goods reach Norway?", "And by land?", "How do goods reach Norway by land?"),
        ("What did Russia sell?", "And the price?", "What did Russia sell, and what about the price?"),
        ("Which two terms does he use?", "And the second of them?",
         "Which two terms does he use, and which is the second?"),
    ],
)  # fmt: skip
def test_a_lone_noun_takes_the_place_of_its_like_or_stands_beside_the_question_before(before, question, searched):
    assert standalone(question, before) == searched


@_told(
    [
        ("When did Russia annex Crimea?", "Why?", "Why did Russia annex Crimea?"),
        ("Did Russia annex Crimea?", "When?", "When did Russia annex Crimea?"),
        ("Did Russia annex Crimea?", "And when was that?", "When did Russia annex Crimea?"),
        ("What did Lukin call Russia?", "Why?", "What did Lukin call Russia, and why?"),
        ("Is Russia weak?", "Who says so?", "Is Russia weak, and who says so?"),
        ("Is Russia weak?", "Really?", "Is Russia weak?"),
        ("Is Russia weak?", "Is that true?", "Is Russia weak?"),
        ("Who leads Russia?", "Since when?", "Who leads Russia, and since when?"),
        ("In what currencies has trade been settled?", "Since when?", "Since when has trade been settled?"),
        (("Did Russia annex Crimea?", "Why?"), "When?", "When did Russia annex Crimea?"),
    ],
)
def test_a_lone_question_word_asks_about_what_was_asked_before(before, question, searched):
    assert standalone(question, before) == searched


@_told(
    [
        ("What is the Treaty of Beijing?", "When was it signed?", "When was the Treaty of Beijing signed?"),
        (SUM, "When was it published?", "When was Zero Sum published?"),
        (SUM, "What is the subtitle of the book?", "What is the subtitle of Zero Sum?"),
        (SUM, "Where does he live?", "Where does the person who wrote Zero Sum live?"),
        ("Who is Angela Merkel?", "When was she born?", "When was Angela Merkel born?"),
        ("What does Lukin teach?", "What do you think of his book?", "What do you think of Lukin’s book?"),
        ("What did Merkel say?", "And who advised her?", "Who advised Merkel?"),
        ("What did Merkel say?", "What became of her party?", "What became of Merkel’s party?"),
        ("Who is the president of France?", "How old is he?", "How old is the president of France?"),
        ("Who is the president of France?", "Who is his wife?", "Who is the wife of the president of France?"),
        (NORWAY, "What is its area?", "What is Norway’s area?"),
        (NORWAY, "Does it grow?", "Does Norway grow?"),
        ("What do the Netherlands export?", "What is their capital?", "What is the Netherlands’ capital?"),
        ("What is the capital of Norway?", "How many people live there?",
         "How many people live in the capital of Norway?"),
        ("Is Vladivostok in Russia?", "How is the weather there?", "How is the weather in Vladivostok?"),
        ("In which city is the Carnegie Center?", "Who lives there?",
         "Who lives in the city in which the Carnegie Center is?"),
        ("Where is the 7th Fleet based?", "Who works there?", "Who works where the 7th Fleet is based?"),
        (FIRM, "Who is its founder?", f"Who is the founder of the firm that {FIRM[11:]}"),
        (SHIPS, "How many of them were Chinese?", f"How many of the ships that {SHIPS[12:-1]} were Chinese?"),
        (GENEVA, "What did they agree on?", "What did Putin and Biden agree on?"),
        (GENEVA, "What had the one called the other?", "What had the one called the other, regarding Putin and Biden?"),
        (JUNIOR, "Why do they think so?", f"Why do the authors that {JUNIOR[14:-1]} think so?"),
        (HAWN, "Do they work?", "Do sanctions work?"),
        ("When did Norway join NATO?", "When did it leave?", "When did Norway leave?"),
        ("How large is the Russian navy?", "What did it cost?", "What did the Russian navy cost?"),
        ("Did a British destroyer pass Crimea?", "Where is it now?", "Where is the British destroyer now?"),
        ("How many people live in Norway?", "What is the capital of that country?", "What is the capital of Norway?"),
        ("Is the Norwegian army large?", "Who leads this country?", "Who leads Norway?"),
        ("What does FilterLabs do?", "Who runs this company?", "Who runs FilterLabs?"),
        ("Who signed the Treaty of Beijing?", "When was that treaty signed?", "When was the Treaty of Beijing signed?"),
        ("How many people live in Bergen?", "Who governs that city?", "Who governs Bergen?"),
        ("What did Lukin write?", "Where does this author teach?", "Where does Lukin teach?"),
        ("Which is larger, Iceland or Ireland?", "Is the former an island?", "Is Iceland an island?"),
        ("What happened in 1989?", "Who was president at that time?", "Who was president in 1989?"),
        ("When did Russia annex Crimea?", "What else happened that year?",
         "What else happened in the year when Russia did annex Crimea?"),
        ("Which treaty did Russia sign?", "When did it end?", "When did the treaty that Russia did sign end?"),
        ("Which plan may Moscow have backed?", "What would it cost?",
         "What would the plan that Moscow may have backed cost?"),
        (("What does Hawn recommend?", "How large is Norway?"), "What does he say about Norway?",
         "What does Hawn say about Norway?"),
        (("What is the capital of Norway?", "And Sweden?"), "What are its exports?", "What are Sweden’s exports?"),
        (("What is the capital of Norway?", "And Sweden?"), "And Finland?", "What is the capital of Finland?"),
    ],
)  # fmt: skip
def test_a_word_that_points_back_is_replaced_by_what_fits_it(before, question, searched):
    assert standalone(question, before) == searched


@_told(
    [
        ("When was the Yalta conference held?", "Who chaired it?", "Who chaired the Yalta conference?"),
        ("Where did the Davos forum take place?", "And who spoke at it?", "Who spoke at the Davos forum?"),
        ("What is the Tennessee Valley project?", "How much did it cost?",
         "How much did the Tennessee Valley project cost?"),
        ("What is the Salt and Pepper festival?", "Who pays for it?", "Who pays for the Salt and Pepper festival?"),
        ("Who leads the Brookings office?", "What are its aims?", "What are the Brookings office’s aims?"),
        ("Which countries rejected the Kyoto protocol?", "When was it signed?", "When was the Kyoto protocol signed?"),
        ("Why did the Lisbon treaty fail?", "When was it signed?", "When was the Lisbon treaty signed?"),
        ("Why is the Doppler effect important?", "Who described it?", "Who described the Doppler effect?"),
        ("Who found the Franklin wreck yesterday?", "How deep did it lie?", "How deep did the Franklin wreck lie?"),
        ("Who signed the Minsk agreements?", "When were they published?", "When were the Minsk agreements published?"),
        ("When did Helsinki summit end?", "What was it for?", "What was Helsinki summit for?"),
        ("When did the Yalta conference end?", "What else happened that year?",
         "What else happened in the year when the Yalta conference did end?"),
        ("When did the Yalta conference end?", "And who was the host?", "Who was the host of the Yalta conference?"),
        ("When did the Yalta conference end?", "And Potsdam?", "When did the Potsdam conference end?"),
        ("When did the Yalta conference end?", "And the Potsdam conference?", "When did the Potsdam conference end?"),
        ("When did the Yalta conference end?", "Who spoke there?", "Who spoke at the Yalta conference?"),
        ("What does the Brookings office in Doha do?", "Who leads it?", "Who leads the Brookings office?"),
        ("How large is the US navy?", "And Norway?", "How large is the Norwegian navy?"),
        ("What is the US population?", "What is its area?", "What is the US’s area?"),
        ("How large is the US navy?", "Who governs that country?", "Who governs the US?"),
    ],
)  # fmt: skip
def test_a_name_before_a_noun_is_carried_over_with_that_noun(before, question, searched):
    assert standalone(question, before) == searched


@_told(
    [
        ("How did the Louvre attract visitors?", "How large is it?", "How large is the Louvre?"),
        ("Is the Louvre big?", "Who built it?", "Who built the Louvre?"),
        ("Where is the Titanic today?", "Who built it?", "Who built the Titanic?"),
        ("When was the Titanic sunk?", "Who built it?", "Who built the Titanic?"),
        ("Who called the Kremlin weak?", "Who lives in it?", "Who lives in the Kremlin?"),
        ("What does the Fed plan?", "Who leads it?", "Who leads the Fed?"),
        ("What did Oslo advocate?", "How large is it?", "How large is Oslo?"),
        ("What do the Netherlands export?", "How rich are they?", "How rich are the Netherlands?"),
    ],
)
def test_a_name_before_a_verb_or_an_adjective_is_carried_over_alone(before, question, searched):
    assert standalone(question, before) == searched


@pytest.mark.parametrize(
    "question",
    [
        "who was meitner and when did she die",
        "who is bohr and wat did he belive about atoms",
        "who is the baker of Oslo and where does he live",
        "who is bohr? what does he say about atoms?",
        "who invented radar and where did he live?",
        "tell me about einstein and what he thought of atoms",
        "according to heisenberg, what did he find?",
        "what did heisenberg say when he came back?",
        "what is polonium and is it rare?",
        "where is bergen and who lives there?",
        "who are the quakers and what do they want?",
    ],
)
def test_a_pronoun_is_left_alone_where_its_own_question_may_say_whom_it_means(question):
    for before in ("Who is Marie Curie?", "What does Lukin teach?", "Which firms left Norway?", "Is Oslo large?"):
        assert standalone(question, [before]) == question


@_told(
    [
        ("Who is Marie Curie?", "When did she die and where is she buried?",
         "When did Marie Curie die and where is she buried?"),
        ("Who is Marie Curie?", "what is polonium and when did she find it?",
         "What is polonium and when did Marie Curie find it?"),
        ("Who is Marie Curie?", "Is that so and what did she say?", "Is that so and what did Marie Curie say?"),
        ("Who is Marie Curie?", "Why is trade growing and what did she say?",
         "Why is trade growing and what did Marie Curie say?"),
        ("What does Lukin teach?", "How many books has he written and which of them sold?",
         "How many books has Lukin written and which of them sold?"),
        ("Is Oslo large?", "who is the mayor and how old is it?", "Who is the mayor and how old is Oslo?"),
    ],
)  # fmt: skip
def test_a_pronoun_is_replaced_where_its_own_question_names_something_it_cannot_mean(before, question, searched):
    assert standalone(question, before) == searched


BAKER = "Who is the head of the bakery?"
COUNCIL = "What did the council decide?"


@_told(
    [
        (("Which councils met in May?", "Who is the mayor of Bergen?"), "What did they decide?",
         "What did the councils that met in May decide?"),
        ((COUNCIL, "Who is the mayor of Bergen?"), "What did they say about bridges?",
         "What did the council say about bridges?"),
        (("What did Norway and Sweden sign?", BAKER), "What do they export?", "What do Norway and Sweden export?"),
        (("Which firms left Norway?", BAKER), "Where did they go?", "Where did the firms that left Norway go?"),
        (("Who is the leader of the orchestra?", "What is jazz?"), "What did they play?",
         "What did the orchestra play?"),
        ("Who signed the letter?", "What did they want?", "What did the people who signed the letter want?"),
    ],
)  # fmt: skip
def test_they_are_several_or_a_group_rather_than_one_person(before, question, searched):
    assert standalone(question, before) == searched


@_told(
    [
        ((BAKER, "What is bread?"), "What did they say about flour?", "What did they say about flour?"),
        ((BAKER, "How is bread baked?"), "What is their advice?", "What is their advice?"),
        (("Who is Marie Curie?", "How heavy is radium?"), "When were they born?", "When were they born?"),
        ("How much is spent on parks?", "What did they say about trees?", "What did they say about trees?"),
        ((BAKER, "How is bread baked?"), "Who told them?", "Who told them?"),
    ],
)
def test_they_are_left_alone_where_only_one_person_or_what_cannot_speak_was_asked_about(before, question, searched):
    assert standalone(question, before) == searched


@_told(
    [
        (NORWAY, "And what is the capital?", "What is the capital of Norway?"),
        ("How large is the French army?", "And who is the president?", "Who is the president of France?"),
        (GENEVA, "And how long did the talks last?", "How long did the talks last, regarding Putin, Biden and Geneva?"),
    ],
)
def test_a_clause_that_goes_on_takes_the_names_along(before, question, searched):
    assert standalone(question, before) == searched


@pytest.mark.parametrize(
    "question",
    [
        "Who leads China?",
        "And who leads China?",
        "Population of Heilongjiang?",
        "Is it true that Russia annexed Crimea?",
        "How long does it take to reach Norway?",
        "Are there any ships off Hawaii?",
        "Who claims to get along well with both Putin and Xi?",
        "Which president does Xi call his best friend?",
        "When did China say that it needed Russia?",
        "When did Putin and Xi announce they wanted to curb the dollar?",
        "Who wants his country back?",
        "Which firm lost its licence?",
        "What harsh label had the American leader pinned on his Russian counterpart before they met?",
        "What position does Russia want for itself?",
        "In which year was the crisis that Hawn studies?",
        "Which former president wrote the letter?",
        "What does the US export?",
        "And?",
        "And it?",
        "Кто подписал договор?",
        "…",
    ],
)
def test_a_question_that_stands_alone_or_that_no_rule_fits_is_left_as_it_is(question):
    for before in (NORWAY, HAWN, GENEVA, FIRM):
        assert standalone(question, [before]) == question


def test_nothing_that_fits_leaves_the_question_as_it_is():
    assert standalone("How old is he?", [CARRIERS]) == "How old is he?"
    assert standalone("Did those ships sink?", ["Who won in 1905?"]) == "Did those ships sink?"
    assert standalone("Is the former an island?", [NORWAY]) == "Is the former an island?"
    assert standalone("Who ruled that year?", [NORWAY]) == "Who ruled that year?"
    assert standalone("Norway?", [NORWAY]) == "Norway?"
    assert standalone("And what is the price?", ["how is bread baked"]) == "And what is the price?"


def test_known_names_of_persons_tell_who_is_meant():
    before = ["Is Alexander Gabuev in Khabarovsk?"]
    assert standalone("Where does he live?", before, ["Alexander Gabuev"]) == "Where does Alexander Gabuev live?"


def test_only_the_latest_eight_questions_count():
    before = [NORWAY, *["How is bread baked?"] * 8]
    assert standalone("What is its area?", before) == "What is its area?"
    assert standalone("What is its area?", before[:8]) == "What is Norway’s area?"


def test_a_completed_question_is_never_too_long_to_be_asked():
    before = ["Who wrote Zero Sum?", *["Who says so?"] * 7]
    assert len(standalone("Who says so?", before)) < 200
    book = f"Who wrote {'Very ' * 55}Long Book?"
    asked = "What is it, " + "and what is it, " * 17 + "and it?"
    assert len(standalone(asked, [book])) <= MAX_CHARACTERS
    assert standalone("Who says so, " + "x" * 300, [NORWAY]) == "Who says so, " + "x" * 300
    assert standalone("Who says so?", ["x" * 301]) == "Who says so?"


def test_long_questions_are_completed_in_no_time():
    start = time.perf_counter()
    for text in ("its " + "x" * 2000, "it that " * 37, "the A of " * 33, "A and " * 49, "by the " * 42, "that A " * 42):
        standalone(text, [text, NORWAY, text])
    assert time.perf_counter() - start < 2


LINES = (Path(__file__).parents[1] / "evals" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
QUESTIONS = [json.loads(line)["question"] for line in LINES]
TALK = st.lists(st.sampled_from([*QUESTIONS, NORWAY, ARMY, SHIPS, FIRM, HAWN]) | st.text(max_size=40), max_size=9)
PIECES = ["and", "what about", "he", "its", "them", "there", "that country", "the former", "in 2019", "Norway", "Hawn",
          "why", "who", "did", "is", "the", "population", "of", "how many", "sanctions",
          "say", ",", "it", "'s"]  # fmt: skip
ANY = st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=9).map(" ".join)


@settings(max_examples=40)
@given(st.sampled_from(QUESTIONS), TALK)
def test_questions_that_stand_alone_are_never_touched(question, before):
    assert not re.match(r"(?i)and\b|what about\b", question)
    assert standalone(question, before) == question


@settings(max_examples=40)
@given(ANY, TALK)
def test_any_talk_gives_a_question_that_can_be_asked_and_stays_as_it_is(question, before):
    searched = standalone(question, before)
    assert standalone(searched, before) == searched
    assert len(searched) <= max(MAX_CHARACTERS, len(question))
    assert searched.strip() or not question.strip()


@settings(max_examples=40)
@given(ANY)
def test_without_earlier_questions_nothing_changes(question):
    assert standalone(question, []) == question


def test_countries_and_what_is_called_after_them():
    assert (adjective("Norway"), adjective("the US"), adjective("Oslo")) == ("Norwegian", "American", "Oslo")
    assert (country("Norwegian"), country("Dutch"), country("Oslo")) == ("Norway", "the Netherlands", "Oslo")
    assert is_country("the Netherlands")
    assert is_adjective("Swiss")
    assert not is_country("Swiss")
    assert not is_adjective("Congo")

"""Example questions: what the rules make of a sentence, and that only what is answered from its paragraph is kept."""

from __future__ import annotations

import json
import threading
import time
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.answers import ANSWERED, PARTIAL
from tests.collection import FILES, Parrot, embedder, make_assistant, make_index

from rag_geo.assistant import Assistant
from rag_geo.calibration import CAREFUL
from rag_geo.chat.candidates import Candidate, candidates, known_names, questions, ranked
from rag_geo.chat.examples import MOST_TRIED, examples, is_proved, make_examples
from rag_geo.chat.room import House
from rag_geo.errors import ResourceError
from rag_geo.index import Index, update_index
from rag_geo.llm import Stopped
from rag_geo.readers import read_document
from rag_geo.records import EvidenceFound, Filters, Reading
from rag_geo.settings import Settings
from rag_geo.text.quantities import listed

KNOWN = frozenset(
    listed("""Norway Ukraine Russia Russian China Hawn Hecker Charles Lukin Belarus Collective Security Treaty
    Organization Iran Manchuria Amur Calder Bridge Marlow Museum Ada Finch FilterLabs Gatov Vasily Biden
    Putin United States Uzbekistan Jimmy Lai Denisov Norham Orland National Assembly Xi Jinping Harvard
    College""")
)
PARTS = listed("the of in is was has had 12 ports 2020 because says that opened")


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("Norway had 146 airports in 2025.", "How many airports did Norway have in 2025?"),
        ("Norway sheltered 129,894 refugees in 2024 (estimate).", "How many refugees did Norway shelter in 2024?"),
        ("Norway counted 1,720 ships in 2022.", "How many ships did Norway have in 2022?"),
        ("The Marlow Museum keeps about 14,000 prints.", "How many prints does the Marlow Museum keep?"),
        ("The ferry to Norham carries 48 cars.", "How many cars does the ferry to Norham carry?"),
        ("The night train to Orland has nine coaches.", "How many coaches does the night train to Orland have?"),
        (
            "The land frontier of Norway measures 2,566 kilometres and touches three states.",
            "How long is the land frontier of Norway?",
        ),
        ("The railways of Norway measured 3,848 kilometres in 2020.", "How long were the railways of Norway in 2020?"),
        ("Norway's railways were 3,848 kilometres long in 2020.", "How long were Norway's railways in 2020?"),
        ("The coast of Norway is 25,148 kilometres long.", "How long is the coast of Norway?"),
        ("The GDP of Norway was 483.7 billion dollars in 2024 (estimate).", "What was the GDP of Norway in 2024?"),
        ("Norway has nine neighbours and 3,694 kilometres of borders.", "How many neighbours does Norway have?"),
        ("Norway had 60 tankers in 2020, all of them large.", "How many tankers did Norway have in 2020?"),
        ("The capital of Belarus is Minsk, a city of the plain.", "What is the capital of Belarus?"),
        (
            "Iran has 5,894 kilometres of land boundaries with seven countries.",
            "How many kilometres of land boundaries does Iran have?",
        ),
        ("Norway owns about 60 oil tankers in the North.", "How many oil tankers does Norway own in the North?"),
        ("Norway has 12 ports for oil and gas.", "How many ports does Norway have for oil and gas?"),
        ("Norway owns 60 tonnes of gold, all of it abroad.", "How many tonnes of gold does Norway own?"),
        ("The land borders of Ukraine are 5,267 kilometres long.", "How long are the land borders of Ukraine?"),
        ("The Calder Bridge opened in 1932.", "When did the Calder Bridge open?"),
        ("The Marlow Museum was founded in 1897 by a banker.", "When was the Marlow Museum founded?"),
        ("The Calder Bridge was built in May 1932, after a flood.", "When was the Calder Bridge built?"),
        ("Ada Finch joined the Marlow Museum on 3 May 1998.", "When did Ada Finch join the Marlow Museum?"),
        ("In 1949 Norway joined the alliance of the West.", "When did Norway join the alliance of the West?"),
        (
            "Belarus has belonged to the Collective Security Treaty Organization since 1993.",
            "Since when has Belarus belonged to the Collective Security Treaty Organization?",
        ),
        ("Norway is rich because it sells oil and gas abroad.", "Why is Norway rich?"),
        ("Norway has little grain because its summers are cold.", "Why does Norway have little grain?"),
        ("Russia is not weak because it is old and large.", "Why is Russia not weak?"),
        ("Ukraine needed help because its army was small.", "Why did Ukraine need help?"),
        (
            "Russia refused the offer mainly because China opposed it, Lukin says.",
            "Why did Russia refuse the offer, according to Lukin?",
        ),
        ("According to Hawn, Russia's advance ended in a treaty.", "What does Hawn say about Russia's advance?"),
        (
            "Hawn also notes that the economic presence of China has remained small.",
            "What does Hawn say about the economic presence of China?",
        ),
        (
            "The meeting of Biden and Putin has changed little, according to Lukin.",
            "What does Lukin say about the meeting of Biden and Putin?",
        ),
        (
            "Hawn states that the very long land border of China and Russia is not in dispute.",
            "What does Hawn say about the land border of China and Russia?",
        ),
        ("Denisov said that Russia's arms sales would go on.", "What did Denisov say about Russia's arms sales?"),
        ("Charles Hecker is an expert on trade.", "Who is Charles Hecker?"),
        ("Vasily Gatov, one of the authors of a report, is sceptical.", "Who is Vasily Gatov?"),
        ('Charles Hecker was an expert on trade and wrote "Zero Sum".', "Who was Charles Hecker?"),
        ("FilterLabs, a company based in the United States, studies opinions.", "What is FilterLabs?"),
    ],
)
def test_a_sentence_is_turned_into_the_question_that_it_answers(sentence, question):
    assert question in [each for _, each in questions(sentence, KNOWN)]


@pytest.mark.parametrize(
    "sentence",
    [
        "It had 146 airports in 2025.",  # who?
        "Experts had 12 doubts about the plan.",  # no name
        "The harbour has 12 cranes for large ships.",  # whose harbour?
        "The border with Russia is 17 kilometres long.",  # which border?
        "The National Assembly has 277 seats.",  # of which country?
        "The first treaty signed in 1860 drew the border of China.",  # the first verb is none
        "Exports to Russia which reached 12 ports rose in 2020.",
        "Norway has 12 schools that teach Russian.",
        "Norway produced 60 large modern oil tankers in 2020.",
        "Russia's ports, 12 in all, were closed.",
        "Norway spends 3 percent of its budget on roads.",
        "Norway has $12 billion in the bank.",
        "Norway was estimated at 12 million in 2020.",
        "Output of Norway was stable in 2023.",  # no event
        "Russia had withdrawn from Manchuria in 1907.",
        "Russia did so not because China asked for it.",
        "Norway grew because of the high prices of oil.",
        "Hawn says that big obstacles still stand in the way.",  # about what?
        "Hawn says that China and Russia have grown closer.",
        "Hawn says that Norway is rich.",
        "Hawn says that it is on the model of Norway.",
        "Lukin says that the triangle of Russia, China and Norway is new.",
        "Experts say that Russia's advance ended in a treaty.",
        "Norway had 12 ports; Russia had 30.",
        'Norway had "12 ports" in 2020.',
        "Norway has this year 12 ports.",
        "Norway has 6,000 soldiers and police officers on missions abroad.",  # not all of them are soldiers
        "Norway has 6,000 soldiers, sailors and police officers on missions.",
        "Norway has 600 schools with teachers of Russian.",
        "Norway has two chambers, one of them small.",  # who would ask?
        "Norway had 60 tankers, all of them large.",  # when?
        "Norway's railways were 3,848 kilometres long.",
        "The full-scale Russian invasion began on 24 February 2022.",  # which one?
        "Many of Russia's ships and men therefore came home, Hawn says, with the fleet.",
        "Norway.had 12 ports in 2020.",
        f"Norway had 12 {'b' * 600}as in 2020.",
        "Norham Bridge is the resting place of 12 actors.",
        "Norway is a monarchy with a parliament.",
        "norway had 12 ports in 2020.",
        "Norway had 12 ports",
        "Norway grew.",
        "",
    ],
)
def test_a_sentence_that_is_not_surely_understood_makes_no_question(sentence):
    assert list(questions(sentence, KNOWN)) == []


@given(st.text(max_size=200))
def test_no_text_upsets_the_rules(text):
    assert all(len(question) <= 300 for _, question in questions(text, KNOWN))


@given(st.lists(st.sampled_from([*sorted(KNOWN), *PARTS]), min_size=4, max_size=14))
def test_every_question_is_one_short_line_that_ends_with_its_only_question_mark(words):
    for _, question in questions(" ".join([words[0].capitalize(), *words[1:]]) + ".", KNOWN):
        assert question.split() == question.split(" ")
        assert question.endswith("?")
        assert question.count("?") == 1
        assert question.isprintable()


def document(text: str, name: str = "a.md"):
    return read_document(name, text.encode())


def test_names_are_what_a_collection_never_writes_in_small_letters():
    texts = ["We saw Norway. Bridge and tower fell. Officials left.", "Officials left. Officials met the officials."]
    assert known_names([document(each) for each in texts]) == {"Norway"}
    thrice = document("Hawn left. Hawn came. Hawn stayed. Fully gone. Fully done. Fully free. They saw it.")
    assert known_names([thrice]) == {"Hawn"}


def test_candidates_know_their_paragraph_and_pass_over_debris_and_headings():
    text = "# Norway had 12 ports in 2020.\n\nIn the north lies Norway.\n\nNorway had 146 airports in 2025.\n"
    (one,) = candidates(document(text))
    assert (one.file, one.paragraph, one.kind) == ("a.md", 3, "number")
    assert candidates(document(text), frozenset()) == ()


def test_the_order_is_various_in_kind_document_and_words():
    def one(number, kind, file, value, words):
        return Candidate(f"{words} in {number}?", kind, file, 1, value)

    found = [
        one(1, "number", "a", 3.3, "How many ports has Norway"),
        one(2, "number", "a", 3.2, "How many cars has Norway"),
        one(3, "date", "b", 3.0, "When was it"),
        one(4, "number", "c", 2.5, "How many ports has Iran"),
        one(5, "number", "d", 2.0, "How many cars has Iran"),
    ]
    assert [each.question[-2] for each in ranked(found, 3)] == ["1", "3", "5"]
    assert len(ranked(found, 99)) == 5


# Kept


ASKED = {
    "When did the Calder Bridge open?": "The Calder Bridge opened in 1932.",
    "How many cars does the ferry to Norham carry?": "The ferry to Norham carries 48 cars.",
    "How many coaches does the night train to Orland have?": "The night train to Orland has nine coaches.",
}
MORE = "\n\nWe took the Calder Bridge to Norham, to Orland, and by Marlow Museum.\n"


@pytest.fixture
def index(tmp_path) -> Index:
    make_index(tmp_path)
    (tmp_path / "documents" / "bridge.md").write_text(FILES["bridge.md"] + MORE)
    update_index(tmp_path / "documents", tmp_path / "index", embedder())
    return Index.open(tmp_path / "index")


def assistant_for(index: Index, says=None, **fields) -> Assistant:
    return make_assistant(index.path, ASKED if says is None else says, **fields)


def test_what_is_kept_was_answered_from_the_paragraph_that_it_was_made_of(index):
    assert examples(index) == ()
    assistant = assistant_for(index)
    made = list(make_examples(assistant, index))
    assert set(made) == set(ASKED)
    assert examples(index) == tuple(made)
    for question in made:
        answer = assistant.ask(question)
        assert answer.status == "answered"
    assert examples(Index.open(index.path)) == tuple(made)


def test_as_many_are_made_as_are_wanted_and_later_more(index):
    assistant = assistant_for(index)
    (first,) = make_examples(assistant, index, want=1)
    assert examples(index) == (first,)
    read = len(assistant.generator.prompts)
    assert list(make_examples(assistant, index, want=1)) == []
    assert len(assistant.generator.prompts) == read
    assert first not in list(make_examples(assistant, index, want=2))
    assert len(examples(index)) == 2


def test_a_question_without_a_proved_answer_is_not_kept_and_not_asked_again(index):
    wrong = {question: "The Calder Bridge opened in 1933." for question in ASKED}
    assistant = assistant_for(index, wrong)
    assistant.calibration = CAREFUL
    assert list(make_examples(assistant, index)) == []
    assert examples(index) == ()
    read = len(assistant.generator.prompts)
    assert read
    assert list(make_examples(assistant, index)) == []
    assert len(assistant.generator.prompts) == read
    other = assistant_for(index, id="another")
    assert set(make_examples(other, index)) == set(ASKED)


def test_an_answer_counts_only_if_it_is_whole_and_cites_the_paragraph():
    here = Candidate("Who?", "person", "briefs/hawn.md", 7, 1.0)
    assert is_proved(ANSWERED, here)
    assert not is_proved(ANSWERED, replace(here, paragraph=8))
    assert not is_proved(ANSWERED, replace(here, file="briefs/lukin.md"))
    assert not is_proved(PARTIAL, here)


def test_it_stops_between_questions_and_goes_on_later(index):
    assistant = assistant_for(index)
    going = iter(make_examples(assistant, index, go_on=lambda: not examples(index)))
    first = next(going)
    assert list(going) == []
    assert [first, *make_examples(assistant, index)] == list(examples(index))
    assert len(examples(index)) == len(ASKED)
    assert list(make_examples(assistant, index, want=9, go_on=lambda: False)) == []


def test_it_stops_in_the_middle_of_a_question_which_counts_as_not_asked(index):
    assistant = assistant_for(index)
    events = []
    stream = assistant.stream

    class Listening(Assistant):
        def stream(self, *arguments):
            for event in super().stream(*arguments):
                events.append(event)
                yield event

    listening = Listening(index, assistant.embedder, assistant.generator, settings=assistant.settings)
    seen_reading = lambda: not any(isinstance(each, Reading) for each in events)  # noqa: E731
    assert list(make_examples(listening, index, go_on=seen_reading)) == []
    assert [type(each) for each in events] == [EvidenceFound, Reading]
    assert not list(index.path.glob("*.examples.json"))
    assert stream(next(iter(ASKED)))  # the assistant is free
    assert assistant.ask(next(iter(ASKED))).status == "answered"


class Halting(Parrot):
    """A model that is stopped while it writes."""

    def write(self, prompt, max_tokens):
        self.stop()
        yield from Parrot.write(self, prompt, max_tokens)


def test_a_stop_of_the_model_ends_it_quietly(index):
    settings = replace(Settings(), index=index.path)
    stopped = Assistant(index, embedder(), Halting(says=ASKED), settings=settings, calibration=CAREFUL)
    assert list(make_examples(stopped, index)) == []
    assert not list(index.path.glob("*.examples.json"))
    with pytest.raises(Stopped):
        stopped.ask(next(iter(ASKED)))


def test_examples_of_another_generation_or_a_damaged_file_are_none(index, tmp_path):
    list(make_examples(assistant_for(index), index))
    (file,) = index.path.glob("*.examples.json")
    whole = file.read_text()
    for text in ("", "[]", "{", whole.replace(index.manifest.embedder, "x").replace('"made_for": "', '"made_for": "0')):
        file.write_text(text)
        assert examples(index) == ()
    file.write_text(whole.replace("?", "!", 1))
    assert examples(index) == ()
    file.write_text(json.dumps({**json.loads(whole), "questions": "none"}))
    assert examples(index) == ()
    file.write_text(whole)
    assert examples(index)


def test_examples_are_swept_with_their_generation(index, tmp_path):
    def update(text):
        (tmp_path / "documents" / "new.txt").write_text(text)
        update_index(tmp_path / "documents", tmp_path / "index", embedder())
        return Index.open(tmp_path / "index")

    list(make_examples(assistant_for(index), index))
    newer = update("The new pier is short.\n")
    assert examples(newer) == ()
    assert examples(index)
    newest = update("The new pier is long.\n")
    assert [each.name for each in index.path.glob("*.examples.json")] == []
    assert examples(newest) == ()


def test_what_the_generation_before_answered_is_asked_first_and_what_it_did_not_last(index, tmp_path):
    coaches = "How many coaches does the night train to Orland have?"
    says = {question: ASKED[question] for question in ASKED if question != coaches}
    before = list(make_examples(assistant_for(index, says), index))
    assert set(before) == set(says)
    tried = json.loads(next(index.path.glob("*.examples.json")).read_text())["tried"]
    pier = "When did the pier of Norham open?"
    (tmp_path / "documents" / "new.txt").write_text("The pier of Norham opened in 1950.\n")
    update_index(tmp_path / "documents", tmp_path / "index", embedder())
    newer = Index.open(tmp_path / "index")
    assistant = assistant_for(newer, {**says, pier: "The pier of Norham opened in 1950."})
    assert list(make_examples(assistant, newer, want=2)) == [each for each in tried if each in says]
    assert list(make_examples(assistant, newer)) == [pier]
    (file,) = (each for each in newer.path.glob("*.examples.json") if newer.generation in each.name)
    order = json.loads(file.read_text())["tried"]
    assert set(order[:2]) == set(says)
    assert order[2] == pier
    assert coaches in order[3:]
    assert len(order) == len(set(order))


def test_a_file_that_cannot_be_written_is_said(index):
    index.path.joinpath(f"{index.generation}.examples.json").mkdir()
    with pytest.raises(ResourceError, match="examples cannot be kept"):
        list(make_examples(assistant_for(index), index))


def test_a_collection_without_a_usable_sentence_is_asked_nothing(tmp_path):
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "a.txt").write_text("Nothing much.\n")
    update_index(tmp_path / "documents", tmp_path / "index", embedder())
    index = Index.open(tmp_path / "index")
    assistant = assistant_for(index)
    assert list(make_examples(assistant, index)) == []
    assert assistant.generator.prompts == []


def test_no_more_than_some_are_tried(tmp_path):
    (tmp_path / "documents").mkdir()
    lines = [f"We saw Port{chr(65 + n)}a. Port{chr(65 + n)}a had {n + 20} cranes in 2020." for n in range(26)]
    (tmp_path / "documents" / "a.txt").write_text("\n\n".join([*lines, *lines[:9]]))
    update_index(tmp_path / "documents", tmp_path / "index", embedder())
    index = Index.open(tmp_path / "index")
    assistant = assistant_for(index, {})
    assert list(make_examples(assistant, index)) == []
    (file,) = index.path.glob("*.examples.json")
    assert len(json.loads(file.read_text())["tried"]) == MOST_TRIED


# Made while nobody asks


def house_over(index: Index, generator: Parrot) -> House:
    """A house whose assistant has so little to read that nothing needs time."""
    settings = replace(Settings(), index=index.path, cache=index.path.parent / "cache")
    loaded = Assistant(Index.open(index.path), embedder(), generator, settings=settings, calibration=CAREFUL)
    house = House(lambda say: loaded, examples_after_s=0.05)
    house.open()
    assert house.ready(60)
    return house


def wait_for(condition) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_house_makes_them_while_nobody_asks_and_never_twice(index):
    with closing(house_over(index, Parrot(says=ASKED))) as house:
        wait_for(lambda: set(house.examples()) == set(ASKED))
    again = Parrot(says=ASKED)
    with closing(house_over(index, again)) as house:
        wait_for(lambda: house.worker._idled)
        assert set(house.examples()) == set(ASKED)
    assert again.prompts == [], "those that were tried in vain are known as well"


class Waits(Parrot):
    """A model that stays at the first prompts until it is stopped."""

    def __init__(self, times: int) -> None:
        Parrot.__init__(self, says=ASKED)
        self.times = times
        self.there = threading.Event()

    def read(self, prompt):
        yield 0, 1
        if self.times:
            self.times -= 1
            self.there.set()
            assert self.stopped.wait(60)
            self.there.clear()
            raise Stopped("stopped")
        yield from Parrot.read(self, prompt)


def test_a_question_interrupts_the_making_which_goes_on_where_it_was(index):
    model = Waits(times=1)
    with closing(house_over(index, model)) as house:
        assert model.there.wait(60)
        *_, final = house.room("a").ask("How many cars does the ferry to Norham carry?", Filters())
        assert 'data-state="verified"' in final.now
        wait_for(lambda: set(house.examples()) == set(ASKED))


def test_a_new_generation_gets_its_own(index, tmp_path):
    new = tmp_path / "new.txt"
    new.write_text("The pier of Norham opened in 1950.\n")
    asked = "When did the pier of Norham open?"
    with closing(house_over(index, Parrot(says={**ASKED, asked: "The pier of Norham opened in 1950."}))) as house:
        wait_for(lambda: house.worker._idled)
        before = house.index.generation
        assert asked not in house.examples()
        house.collection.add([("new.txt", new)])
        wait_for(lambda: house.index.generation != before and len(house.examples()) == len(ASKED) + 1)
        assert set(house.examples()) == {*ASKED, asked}


def test_what_cannot_be_kept_harms_no_answer(index, caplog):
    index.path.joinpath(f"{index.generation}.examples.json").mkdir()
    model = Parrot(says=ASKED)
    with closing(house_over(index, model)) as house:
        wait_for(lambda: house.worker._idled)
        *_, final = house.room("a").ask(next(iter(ASKED)), Filters())
        assert 'data-state="verified"' in final.now
        assert house.examples() == ()
        read = len(model.prompts)
        time.sleep(0.3)
        assert len(model.prompts) == read
    assert [record.getMessage() for record in caplog.records if "cannot be kept" in record.getMessage()]

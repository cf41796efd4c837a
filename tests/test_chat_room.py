import json
import threading
from dataclasses import dataclass

import pytest

from collection import SAYS, Parrot, embedder, make_index
from rag_geo.assistant import Assistant
from rag_geo.calibration import CAREFUL
from rag_geo.chat import room as rooms
from rag_geo.chat.receipt import read_receipts
from rag_geo.chat.room import House
from rag_geo.errors import ModelError, UsageError
from rag_geo.index import Index
from rag_geo.llm import Stopped
from rag_geo.records import Filters
from rag_geo.settings import Settings

NONE = Filters()
OPENED = "When did the Calder Bridge open?"


@dataclass(slots=True)
class Held(Parrot):
    """Reads nothing before it is let go or stopped."""

    go: threading.Event = None
    reading: threading.Event = None

    def read(self, prompt):
        if self.go is not None:
            self.reading.set()
            while not self.go.wait(0.01):
                if self.stopped.is_set():
                    raise Stopped("stopped")
        yield from Parrot.read(self, prompt)


def house_of(tmp_path, **fields) -> House:
    index = make_index(tmp_path)
    settings = Settings(index=index, cache=tmp_path / "cache")

    def load(say):
        generator = Held(says=SAYS, **fields)
        return Assistant(Index.open(index, embedder()), embedder(), generator, settings=settings, calibration=CAREFUL)

    return House(load, examples_after_s=None)


@pytest.fixture
def house(tmp_path):
    house = house_of(tmp_path)
    house.open()
    assert house.ready(60)
    yield house
    house.close(5)


@pytest.fixture
def held(tmp_path):
    house = house_of(tmp_path, go=threading.Event(), reading=threading.Event())
    house.open()
    assert house.ready(60)
    yield house
    house._assistant.generator.go.set()
    house.close(5)


def last(shown):
    *_, final = shown
    return final


def test_evidence_is_shown_first_and_then_the_answer_above_it_with_its_marks(house):
    first, *_, final = house.room("a").ask(OPENED, NONE)
    assert first.busy
    assert "rg-evidence" in first.now
    assert "rg-mark" not in first.now
    assert not final.busy
    assert "The Calder Bridge opened in" in final.now
    assert 'data-state="verified"' in final.now
    assert final.now.index("rg-mark") < final.now.index("rg-evidence")


def test_what_was_asked_before_stays_as_it_was(house):
    room = house.room("a")
    earlier = last(room.ask(OPENED, NONE)).now
    later = last(room.ask("How many prints does the Marlow Museum keep?", NONE))
    assert later.past == earlier
    assert "14,000" in later.now


def test_a_follow_up_is_completed_and_the_question_searched_is_shown_at_once_to_be_edited(house):
    room = house.room("a")
    last(room.ask("Who is director of the Marlow Museum?", NONE))
    first = next(iter(room.ask("And how many prints does it keep?", NONE)))
    assert "searched as" in first.now
    assert "Marlow Museum" in first.now.partition("searched as")[2].partition("</p>")[0]
    assert 'data-act="edit"' in first.now


def test_nothing_found_says_so_and_names_what_is_near(house):
    final = last(house.room("a").ask("Who was the architect of the Calder Bridge?", NONE))
    assert 'data-state="not-found"' in final.now


def test_filters_hold_for_what_is_found(house):
    final = last(house.room("a").ask(OPENED, Filters(file="museum.txt")))
    assert "bridge.md" not in final.now


@pytest.mark.parametrize("question", ["", "   ", "?!", "x" * 2001])
def test_what_is_no_question_is_said_to_be_none_and_is_not_kept(house, question):
    room = house.room("a")
    shown = last(room.ask(question, NONE))
    assert not shown.accepted
    assert "rg-error" in shown.now
    assert not room.kept()
    assert last(room.ask(OPENED, NONE)).past == ""


def test_a_filter_that_cannot_be_used_is_said_to_be_none(house):
    assert "1932-13" in last(house.room("a").ask(OPENED, Filters(after="1932-13"))).now


def test_before_the_model_is_loaded_a_question_is_not_taken(tmp_path):
    house = house_of(tmp_path)
    shown = last(house.room("a").ask(OPENED, NONE))
    assert not shown.accepted
    assert "still being loaded" in shown.now
    assert not house.ready(0)


def test_what_loading_says_is_passed_on_and_what_it_raises_is_raised_to_who_waits():
    def load(say):
        say("half of it")
        raise ModelError("no model")

    house = House(load)
    house.open()
    with pytest.raises(ModelError, match="no model"):
        house.ready(60)
    assert house.loading[0] == "half of it"
    house.close(1)


def test_stop_ends_the_answer_and_says_so_and_the_next_question_is_answered(held):
    room = held.room("a")
    generator = held._assistant.generator
    shown = room.ask(OPENED, NONE)
    next(shown)
    assert generator.reading.wait(30)
    room.stop()
    final = last(shown)
    assert 'data-state="stopped"' in final.now
    assert not final.busy
    generator.go.set()
    assert 'data-state="verified"' in last(room.ask(OPENED, NONE)).now


@pytest.mark.parametrize("how", ["leave", "close"])
def test_a_page_that_goes_away_frees_the_model(held, how):
    room, generator = held.room("a"), held._assistant.generator
    shown = room.ask(OPENED, NONE)
    next(shown)
    assert generator.reading.wait(30)
    if how == "leave":
        held.leave("a")
    else:
        shown.close()
    generator.reading.clear()
    other = held.room("b").ask("How many prints does the Marlow Museum keep?", NONE)
    next(other)
    assert generator.reading.wait(30)
    generator.go.set()
    assert "14,000" in last(other).now


def test_a_second_question_before_the_first_is_answered_is_not_taken(held):
    room = held.room("a")
    shown = room.ask(OPENED, NONE)
    next(shown)
    again = last(room.ask(OPENED, NONE))
    assert again.busy
    assert not again.accepted
    held._assistant.generator.go.set()
    assert len([each for each in shown if not each.busy]) == 1
    assert len(room.kept()) == 1


def test_who_waits_sees_the_evidence_at_once_and_then_a_place(held):
    first = held.room("a").ask(OPENED, NONE)
    next(first)
    second = held.room("b").ask("How many prints does the Marlow Museum keep?", NONE)
    assert "museum.txt" in next(second).now
    assert "Waiting" in next(second).now
    second.close()
    held._assistant.generator.go.set()
    assert "1932" in last(first).now


def test_rooms_share_nothing(house):
    last(house.room("a").ask(OPENED, NONE))
    other = house.room("b")
    assert other.kept() == []
    with pytest.raises(UsageError):
        other.fetch({"do": "copy", "turn": "1"})
    assert house.room("a").kept()


def test_the_room_that_was_not_used_for_longest_goes_first(house):
    for number in range(rooms.MOST_ROOMS):
        house.room(str(number))
    kept = house.room("0")
    house.room("one more")
    assert house.room("0") is kept
    assert len(house._rooms) == rooms.MOST_ROOMS


def test_of_closed_pages_the_last_ones_are_kept_should_they_only_have_slept(house):
    open_page = house.room("open")
    closed = {str(number): house.room(str(number)) for number in range(rooms.MOST_LEFT + 5)}
    for name in closed:
        house.leave(name)
    assert len(house._rooms) == rooms.MOST_LEFT + 1
    assert house.room("24") is closed["24"]
    assert house.room("0") is not closed["0"]
    assert house.room("open") is open_page


def test_a_conversation_has_an_end(house):
    room = house.room("a")
    last(room.ask(OPENED, NONE))
    room._turns *= rooms.MOST_TURNS
    assert "begin a new one" in last(room.ask(OPENED, NONE)).now


def test_a_new_conversation_knows_nothing_of_the_old_one(house):
    room = house.room("a")
    last(room.ask("Who is director of the Marlow Museum?", NONE))
    assert room.forget() == rooms.Shown("", "")
    first = next(iter(room.ask("And how many prints does it keep?", NONE)))
    assert "searched as" not in first.now
    assert first.past == ""


def test_a_mark_opens_its_paragraph_with_the_very_quote(house):
    room = house.room("a")
    last(room.ask(OPENED, NONE))
    citation = room.kept()[0].answer.claims[0].citations[0]
    what = {
        "file": citation.file,
        "paragraph": str(citation.paragraph),
        "start": str(citation.start),
        "end": str(citation.end),
        "turn": "1",
    }
    shown = room.source(what)
    assert f'id="p{citation.paragraph}"' in shown
    assert "Harbour Notes" in shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"file": "../../etc/passwd", "paragraph": "1"},
        {"file": "bridge.md", "paragraph": "99"},
        {},
        {"file": "bridge.md"},
        {"file": "bridge.md", "paragraph": "0"},
        {"file": "bridge.md", "paragraph": "1", "turn": "7"},
        {"file": 3},
    ],
)
def test_what_stands_for_no_paragraph_opens_none(house, wrong):
    with pytest.raises(UsageError):
        house.room("a").source(wrong)


def test_an_answer_and_a_conversation_can_be_kept(house):
    room = house.room("a")
    last(room.ask(OPENED, NONE))
    text, name = room.fetch({"do": "copy", "turn": "1"})
    assert "The Calder Bridge opened in 1932" in text
    assert name == ""
    text, name = room.fetch({"do": "save-markdown"})
    assert OPENED in text.replace("\\", "")
    assert name == "conversation.md"
    text, name = room.fetch({"do": "save-json"})
    assert len(json.loads(text)["turns"]) == 1
    text, name = room.fetch({"do": "receipt", "turn": "1"})
    assert read_receipts(text)[0]["question"] == OPENED
    assert name == "receipt-1.json"


@pytest.mark.parametrize(
    "order", [{}, {"do": "rm"}, {"do": "copy"}, {"do": "copy", "turn": "0"}, {"do": "copy", "turn": 1}]
)
def test_an_order_that_is_none_is_refused(house, order):
    with pytest.raises(UsageError):
        house.room("a").fetch(order)


def test_a_file_that_was_added_is_answered_from_and_the_earlier_answer_keeps_its_generation(house, tmp_path):
    room = house.room("a")
    last(room.ask(OPENED, NONE))
    new = tmp_path / "new.txt"
    new.write_text("The lighthouse of Zephyr Point shows a violet light.\n")
    assert len(house.collection.add([("new.txt", new), ("x.exe", new)]).added) == 1
    assert house.collection.wait(60)
    assert "Zephyr" in next(iter(room.ask("What does the lighthouse of Zephyr Point show?", NONE))).now
    generations = {turn.index.generation for turn in room._turns}
    assert len(generations) == 2
    with pytest.raises(UsageError):
        room.source({"file": "added/new.txt", "paragraph": "1", "turn": "1"})
    assert "Zephyr" in room.source({"file": "added/new.txt", "paragraph": "1", "turn": "2"})

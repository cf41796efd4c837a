import gc
import json
import re
import threading
from contextlib import contextmanager
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
from rag_geo.testing import HashEmbedder

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


class Patient(HashEmbedder):
    """Embeds a question only when it is let go."""

    def __init__(self) -> None:
        super().__init__(dimension=512)
        self.go = threading.Event()
        self.asked = threading.Event()

    def embed(self, texts, progress=None):
        self.asked.set()
        assert self.go.wait(60)
        return super().embed(texts, progress)


def house_of(tmp_path, embeds=None, **fields) -> House:
    index = make_index(tmp_path)
    settings = Settings(index=index, cache=tmp_path / "cache")
    searching = embeds or embedder()

    def load(say):
        generator = Held(says=SAYS, **fields)
        return Assistant(Index.open(index, embedder()), searching, generator, settings=settings, calibration=CAREFUL)

    return House(load, examples_after_s=None)


@contextmanager
def opened(house):
    house.open()
    assert house.ready(60)
    try:
        yield house
    finally:
        house.close(5)


@pytest.fixture
def house(tmp_path):
    with opened(house_of(tmp_path)) as house:
        yield house


@pytest.fixture
def held(tmp_path):
    with opened(house_of(tmp_path, go=threading.Event(), reading=threading.Event())) as house:
        yield house
        house._assistant.generator.go.set()


@pytest.fixture
def searching(tmp_path):
    """A house in which a question is searched until `let_go` is called, in another thread."""
    embeds = Patient()
    with opened(house_of(tmp_path, embeds)) as house:
        room, shown = house.room("a"), []
        thread = threading.Thread(target=lambda: shown.extend(room.ask(OPENED, NONE)))
        thread.start()
        assert embeds.asked.wait(60)

        def let_go():
            embeds.go.set()
            thread.join(60)
            return shown

        yield house, let_go
        let_go()


def changed(house, number):
    """Another generation, in which the paragraphs of the bridge have other numbers."""
    path = house.collection.folder / "bridge.md"
    path.write_text(path.read_text().replace("# The Calder", f"A line of the year {number}.\n\n# The Calder"))
    house.collection.update()
    assert house.collection.wait(60)


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


def test_a_new_conversation_while_an_answer_is_made_leaves_nothing_of_it(held):
    room = held.room("a")
    shown = room.ask(OPENED, NONE)
    next(shown)
    assert room.forget() == rooms.Shown("", "")
    assert list(shown) == []
    held._assistant.generator.go.set()
    assert last(room.ask("How many prints does the Marlow Museum keep?", NONE)).past == ""
    assert [each.answer.question for each in room.kept()] == ["How many prints does the Marlow Museum keep?"]


def test_a_new_conversation_while_a_question_is_searched_leaves_nothing_of_it(searching):
    house, let_go = searching
    room = house.room("a")
    room.forget()
    assert let_go() == []
    assert room.kept() == []
    assert 'data-turn="1"' in last(room.ask(OPENED, NONE)).now


def test_stop_holds_for_a_question_that_is_still_searched(searching):
    house, let_go = searching
    house.room("a").stop()
    assert 'data-state="stopped"' in let_go()[-1].now
    assert house.room("a").kept() == []


def test_a_page_that_is_closed_while_its_question_is_searched_is_not_answered(searching):
    house, let_go = searching
    house.leave("a")
    let_go()
    assert house._assistant.generator.tokens.written == 0
    assert house.worker.waiting() == 0
    assert house.room("a").kept() == []


def test_what_is_opened_while_an_answer_is_made_is_of_the_generation_that_was_searched(held):
    room = held.room("a")
    shown = room.ask(OPENED, NONE)
    next(shown)
    for number in (1, 2):
        changed(held, number)
    what = {"file": "bridge.md", "paragraph": "2", "turn": "1"}
    assert "A line of the year" not in room.source(what)
    held._assistant.generator.go.set()
    last(shown)
    citation = room.kept()[0].answer.claims[0].citations[0]
    where = {"paragraph": str(citation.paragraph), "start": str(citation.start), "end": str(citation.end)}
    assert "The Calder Bridge opened in 1932." in re.sub("<[^>]*>", "", room.source(what | where))
    assert room.kept()[0].receipt["index_generation"] == room.kept()[0].answer.index_generation
    assert "A line of the year 2." in room.source({"file": "bridge.md", "paragraph": "2", "turn": ""})


def test_who_waits_while_the_documents_change_is_shown_the_generation_of_the_answer(held):
    first = held.room("a").ask(OPENED, NONE)
    next(first)
    room = held.room("b")
    second = room.ask(OPENED, NONE)
    next(second)
    changed(held, 1)
    held._assistant.generator.go.set()
    last(first)
    last(second)
    turn = room.kept()[0]
    assert turn.answer.index_generation == held.index.generation
    assert "A line of the year 1." in room.source({"file": "bridge.md", "paragraph": "2", "turn": "1"})


def indexes():
    gc.collect()
    return sum(isinstance(each, Index) for each in gc.get_objects())


def test_an_answered_question_keeps_the_documents_that_it_shows_and_no_index(house):
    room = house.room("a")
    others = indexes()  # of other tests
    for number in range(1, 4):
        last(room.ask(OPENED, NONE))
        changed(house, number)
    assert indexes() - others <= 2
    for turn in "123":
        assert "bridge.md" in room.source({"file": "bridge.md", "paragraph": "1", "turn": turn})


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
        {"file": "bridge.md", "paragraph": "1", "turn": "²"},
        {"file": "bridge.md", "paragraph": "1", "turn": "9" * 5000},
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
    with pytest.raises(UsageError):
        room.source({"file": "added/new.txt", "paragraph": "1", "turn": "1"})
    assert "Zephyr" in room.source({"file": "added/new.txt", "paragraph": "1", "turn": "2"})

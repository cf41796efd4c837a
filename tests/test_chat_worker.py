"""One worker, several people: order, places, Stop, losses, limits, and nobody sees what belongs to another."""

from __future__ import annotations

import gc
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collection import Parrot, embedder
from rag_geo.assistant import Assistant
from rag_geo.calibration import CAREFUL
from rag_geo.chat.worker import ChatEvent, Failed, QueueFull, Searched, Ticket, Waiting, Worker, WorkerClosed
from rag_geo.errors import GenerationError, IndexMismatchError, UsageError
from rag_geo.index import Index, update_index
from rag_geo.llm import Stopped
from rag_geo.records import EvidenceFound, Filters, Finished, Reading, Writing
from rag_geo.settings import Settings
from rag_geo.testing import HashEmbedder

NAMES = (
    "Alder", "Birch", "Calder", "Dover", "Elm", "Foss", "Gale", "Harrow", "Iron", "Jarrow", "Kelso", "Lime", "Marlow",
    "Norham", "Orland", "Pine", "Quarry", "Rowan", "Sable", "Thorn", "Upton", "Vance", "Willow", "Yarrow",
)  # fmt: skip
BARS_S = {"stop": 0.25, "loss": 2.0}


def question(name: str) -> str:
    return f"When did the {name} Bridge open?"


def says(name: str, first_year: int) -> str:
    return f"The {name} Bridge opened in {first_year + NAMES.index(name)}."


class Model(Parrot):
    """Says of a bridge what the passages say; stays where `stays` says until it is let go or stopped."""

    def __init__(self, stays: str = "", fails: Exception | None = None) -> None:
        Parrot.__init__(self)
        self.stays = stays
        self.fails = fails
        self.there = threading.Event()
        self.go = threading.Event()
        self.began: list[float] = []
        self.asked: list[str] = []

    def start(self) -> None:
        self.began.append(time.monotonic())
        self.prompts.clear()  # or the test of memory would measure them
        Parrot.start(self)

    def read(self, prompt):
        if prompt.lane == "answer":
            text = "".join(part.text for part in prompt.parts)
            name = max(NAMES, key=lambda name: text.rfind(question(name)))
            self.asked.append(name)
            read = re.search(rf"The {name} Bridge opened in \d+\.", text)
            self.says = {question(name): read[0] if read else says(name, 1900)}
        if self.fails:
            raise self.fails
        yield 0, 1
        self._stay("reading")
        yield from Parrot.read(self, prompt)

    def write(self, prompt, max_tokens):
        for piece in Parrot.write(self, prompt, max_tokens):
            yield piece
            self._stay("writing")

    def _stay(self, where: str) -> None:
        if self.stays == where:
            self.there.set()
            while not self.go.is_set():
                if self.stopped.wait(0.002):
                    raise Stopped("stopped")


def build(folder, first_year: int = 1900) -> Index:
    documents = folder / "documents"
    documents.mkdir(exist_ok=True)
    for name in NAMES:
        (documents / f"{name.casefold()}.txt").write_text(f"{says(name, first_year)} It is painted green.\n")
    update_index(documents, folder / "index", embedder())
    return Index.open(folder / "index", embedder())


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return build(tmp_path_factory.mktemp("bridges"))


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    """Another generation, in which every bridge opened a century later."""
    folder = tmp_path_factory.mktemp("newer")
    build(folder)
    return build(folder, 2000)


@contextmanager
def working(index: Index, model: Model | None = None, **limits) -> Iterator[tuple[Worker, Model]]:
    """A worker; afterwards it is closed, and no thread of it is left."""
    model = model or Model()
    few = Settings(retrieval=replace(Settings().retrieval, paragraphs=3))
    assistant = Assistant(index, embedder(), model, settings=few, calibration=CAREFUL)
    # On a machine under load a reader comes back late: only the tests of readers that stay away have less patience.
    worker = Worker(assistant, **{"reader_patience_s": 60.0} | limits)
    threads = worker._threads
    try:
        yield worker, model
    finally:
        model.go.set()
        worker.close(60)
    assert not [thread for thread in threads if thread.is_alive()]


def all_of(ticket: Ticket) -> list[ChatEvent]:
    return [event for event in ticket.events() if event is not None]


def last_of(ticket: Ticket) -> ChatEvent:
    return all_of(ticket)[-1]


def next_of(events: Iterator[ChatEvent | None], kind: type) -> ChatEvent:
    return next(event for event in events if isinstance(event, kind))


def held(worker: Worker, model: Model, name: str = NAMES[0]) -> Ticket:
    """A ticket that is being answered, and stays so."""
    ticket = worker.ask(question(name))
    assert model.there.wait(60)
    return ticket


def within(limit_s: float, attempt: Callable[[], float]) -> None:
    """One of some attempts takes no longer, or as much longer as sleeping takes on a machine under load."""
    took = []
    for _ in range(5):
        naps, done = [], threading.Event()
        sleeper = threading.Thread(target=lambda naps=naps, done=done: naps.extend(iter(lambda: done.wait(0.05), True)))
        sleeper.start()
        start = time.monotonic()
        seconds = attempt()
        slept = time.monotonic() - start
        done.set()
        sleeper.join()
        took.append(seconds / max(1.0, slept / (0.05 * (len(naps) + 1))))
        if took[-1] <= limit_s:
            return
    raise AssertionError(f"at best {min(took):.3f} s, the limit is {limit_s} s")


# --- answers and order


def test_evidence_comes_first_and_the_answer_last(index):
    with working(index) as (worker, _):
        events = all_of(worker.ask(question("Calder")))
    kinds = [type(event) for event in events]
    assert kinds[:2] == [Searched, EvidenceFound]
    assert events[0] == Searched(index, question("Calder"))
    assert kinds.count(Finished) == 1
    assert Waiting not in kinds, "nobody was asked for before"
    answer = events[-1].answer
    assert (answer.status, answer.answer) == ("answered", "The Calder Bridge opened in 1902.")
    assert answer.timings.retrieve_s <= answer.timings.first_evidence_s <= answer.timings.total_s


def test_filters_and_earlier_questions_are_used(index):
    with working(index) as (worker, _):
        found = next_of(worker.ask(question("Calder"), Filters(file="dover*")).events(), EvidenceFound)
        assert {hit.file for hit in found.hits} == {"dover.txt"}
        last = last_of(worker.ask("And the Dover Bridge?", before=[question("Calder")]))
    assert last.answer.searched == question("Dover")


def test_evidence_comes_while_another_question_is_answered(index):
    with working(index, Model(stays="reading")) as (worker, model):
        held(worker, model)
        events = worker.ask(question("Dover")).events()
        next_of(events, EvidenceFound)
        assert next(events) == Waiting(1, 1)
        assert worker.waiting() == 1
        model.go.set()
        last = next_of(events, Finished)
    assert last.answer.answer == says("Dover", 1900)
    assert last.answer.timings.total_s >= last.answer.timings.first_evidence_s


@settings(max_examples=8)
@given(names=st.lists(st.sampled_from(NAMES[1:]), min_size=1, max_size=12), stopped=st.sets(st.integers(0, 11)))
def test_questions_are_answered_in_the_order_in_which_they_were_asked(index, names, stopped):
    with working(index, Model(stays="reading")) as (worker, model):
        first = held(worker, model)
        tickets = [worker.ask(question(name)) for name in names]
        for number, ticket in enumerate(tickets):
            if number in stopped:
                ticket.cancel()
        model.go.set()
        answered = [last_of(ticket) for ticket in (first, *tickets)]
    kept = [name for number, name in enumerate(names) if number not in stopped]
    assert model.asked == [NAMES[0], *kept]
    assert [last.answer.answer for last in answered if isinstance(last, Finished)] == [
        says(name, 1900) for name in (NAMES[0], *kept)
    ]
    assert [last.stopped for last in answered if isinstance(last, Failed)] == [True] * (len(names) - len(kept))


def test_the_place_is_shown_and_falls(index):
    with working(index, Model(stays="reading")) as (worker, model):
        first = held(worker, model)
        before = [worker.ask(question(name)) for name in ("Birch", "Calder", "Dover")]
        events = worker.ask(question("Elm")).events()
        next_of(events, EvidenceFound)
        places = [next_of(events, Waiting)]
        for leaving in (before[1], before[0]):
            leaving.cancel()
            places.append(next_of(events, Waiting))
        first.cancel()
        assert isinstance(last_of(first), Failed)
        model.go.set()
        rest = [event for event in events if event is not None]
    places += [event for event in rest if isinstance(event, Waiting)]
    assert [(one.place, one.of) for one in places] == [(4, 4), (3, 3), (2, 2), (1, 1)]
    assert rest[-1].answer.answer == says("Elm", 1900)


def test_twenty_wait_and_the_next_is_told_so(index):
    with working(index, Model(stays="reading")) as (worker, model):
        held(worker, model)
        waiting = [worker.ask(question(name)) for name in NAMES[1:21]]
        assert worker.waiting() == 20
        with pytest.raises(QueueFull, match="20 questions are waiting") as full:
            worker.ask(question("Calder"))
        assert full.value.hint
        assert worker.waiting() == 20
        waiting[3].cancel()
        again = worker.ask(question("Calder"))
        model.go.set()
        lasts = [last_of(ticket) for ticket in (*waiting, again)]
    assert [type(last) for last in lasts].count(Finished) == 20


def test_questions_that_cannot_be_searched_take_no_place(index):
    with working(index, Model(stays="reading"), most_waiting=1) as (worker, model):
        held(worker, model)
        for _ in range(3):
            with pytest.raises(UsageError):
                worker.ask("  ")
            with pytest.raises(UsageError):
                worker.ask(question("Calder"), Filters(after="yesterday"))
        assert worker.waiting() == 0


def test_a_search_that_fails_leaves_the_queue(index):
    class Broken(HashEmbedder):
        def embed(self, texts, progress=None):
            raise GenerationError("broken")

    model = Model()
    assistant = Assistant(index, Broken(dimension=512), model, settings=Settings(), calibration=CAREFUL)
    with Worker(assistant) as worker:
        with pytest.raises(GenerationError, match="broken"):
            worker.ask(question("Calder"))
        assert worker.waiting() == 0


def test_nothing_new_for_a_heartbeat_is_said(index):
    with working(index, Model(stays="reading")) as (worker, model):
        events = held(worker, model).events(heartbeat_s=0.01)
        beats = 0
        for event in events:
            beats += event is None
            if beats == 3:
                model.go.set()
                break
        assert isinstance(next_of(events, Finished), Finished)


def test_a_slow_reader_gets_the_last_of_what_only_counts_on(index):
    with working(index) as (worker, _):
        ticket = worker.ask(question("Calder"))
        last_of(worker.ask(question("Dover")))
        kinds = [type(event) for event in all_of(ticket)]
    assert (kinds.count(Reading), kinds.count(Writing), kinds.count(Finished)) == (1, 1, 1)


# --- Stop, loss and limits


def test_a_question_that_waits_is_stopped_at_once(index):
    with working(index, Model(stays="reading")) as (worker, model):
        first = held(worker, model)
        ticket = worker.ask(question("Dover"))
        ticket.cancel()
        assert worker.waiting() == 0
        assert last_of(ticket) == Failed("as you asked", "", stopped=True)
        model.go.set()
        assert isinstance(last_of(first), Finished)
    assert model.asked == [NAMES[0]], "the model was not asked"


@pytest.mark.parametrize("where", ["reading", "writing"])
def test_stop_frees_the_worker(index, where):
    with working(index, Model(stays=where)) as (worker, model):

        def attempt() -> float:
            model.there.clear()
            running = held(worker, model)
            following = worker.ask(question("Dover"))
            model.there.clear()
            stopped = time.monotonic()
            running.cancel()
            assert last_of(running) == Failed("as you asked", "", stopped=True)
            assert model.there.wait(60)
            following.cancel()
            return model.began[-1] - stopped

        within(BARS_S["stop"], attempt)


LOSSES: dict[str, Callable[[Ticket, Iterator[ChatEvent | None]], None]] = {
    "the iterator is closed": lambda _ticket, events: events.close(),
    "the ticket is closed": lambda ticket, _events: ticket.close(),
    "the reader stays away": lambda _ticket, _events: None,
}


@pytest.mark.parametrize("how", LOSSES)
def test_a_lost_reader_frees_the_worker(index, how):
    with working(index, Model(stays="reading"), reader_patience_s=1.5) as (worker, model):

        def attempt() -> float:
            model.there.clear()
            running = worker.ask(question("Calder"))
            events = running.events()
            next_of(events, Reading)
            assert model.there.wait(60)
            model.there.clear()
            following = worker.ask(question("Dover"))
            reading = threading.Thread(target=all_of, args=[following])
            reading.start()
            lost = time.monotonic()
            LOSSES[how](running, events)
            assert model.there.wait(60)
            following.cancel()
            reading.join()
            return model.began[-1] - lost

        within(BARS_S["loss"], attempt)


def test_an_iterator_that_is_forgotten_frees_the_worker(index):
    with working(index, Model(stays="reading")) as (worker, model):
        held(worker, model).events().__next__()
        gc.collect()
        next_of(worker.ask(question("Dover")).events(), Reading)
        assert len(model.began) == 2


@pytest.mark.parametrize("how", ["the iterator is closed", "the ticket is closed"])
def test_a_reader_that_leaves_while_the_lock_is_held_is_noticed_later(index, how):
    # So it is when the garbage collector closes an iterator in a thread that is at work in the queue.
    with working(index, Model(stays="reading")) as (worker, model):
        ticket = held(worker, model)
        events = ticket.events()
        next_of(events, EvidenceFound)
        with worker._lock:
            LOSSES[how](ticket, events)
        following = worker.ask(question("Dover"))
        next_of(following.events(), Reading)
    assert model.asked == [NAMES[0], "Dover"]


def test_a_reader_who_waits_is_not_taken_for_lost(index):
    with working(index, Model(stays="reading"), reader_patience_s=0.3) as (worker, model):
        ticket = worker.ask(question("Calder"))
        threading.Timer(1.0, model.go.set).start()
        assert isinstance(last_of(ticket), Finished)


def test_a_question_that_waits_unread_leaves_the_queue_and_says_so(index):
    with working(index, Model(stays="reading"), reader_patience_s=0.2) as (worker, model):
        running = worker.ask(question("Calder"))
        reading = threading.Thread(target=all_of, args=[running])
        reading.start()
        assert model.there.wait(60)
        waiting = worker.ask(question("Dover"))
        while worker.waiting():
            time.sleep(0.01)
        last = last_of(waiting)
        model.go.set()
        reading.join()
    assert (last.message, last.stopped) == ("the answer was stopped: nobody was there to read it", False)


def test_after_the_end_a_stop_stops_nobody(index):
    with working(index, Model(stays="reading")) as (worker, model):
        model.go.set()
        ended = worker.ask(question("Calder"))
        assert isinstance(last_of(ended), Finished)
        model.there.clear()
        model.go.clear()
        running = held(worker, model, "Dover")
        ended.cancel()
        ended.close()
        model.go.set()
        assert isinstance(last_of(running), Finished)


def test_an_answer_that_takes_too_long_is_stopped(index):
    now = [0.0]
    with working(index, Model(stays="reading"), most_seconds=180, clock=lambda: now[0]) as (worker, model):
        running = held(worker, model)
        following = worker.ask(question("Dover"))
        now[0] = 179
        time.sleep(0.3)
        assert worker.waiting() == 1
        now[0] = 181
        last = last_of(running)
        assert (last.message, last.stopped) == ("the answer was stopped: it took more than 180 seconds", False)
        assert last.hint
        model.go.set()
        assert isinstance(last_of(following), Finished), "its own time counts from its turn"


def test_an_answer_of_too_many_tokens_is_stopped(index):
    with working(index, most_tokens=50) as (worker, _):
        events = all_of(worker.ask(question("Calder")))
        assert events[-1].message == "the answer was stopped: it took more than 50 tokens"
    with working(index, most_tokens=5000) as (worker, _):
        lasts = [last_of(worker.ask(question("Calder"))) for _ in range(20)]
    assert {type(last) for last in lasts} == {Finished}, "each has its own"


def test_a_question_that_fails_inside_is_told_and_the_next_is_answered(index, caplog):
    with working(index, Model(fails=ZeroDivisionError("\x1b[31m"))) as (worker, model):
        last = last_of(worker.ask(question("Calder")))
        assert (last.message, last.stopped) == ("the question failed inside the program: ZeroDivisionError", False)
        assert "ZeroDivisionError" in caplog.text
        assert "\x1b" not in caplog.text
        model.fails = GenerationError("no room", hint="make room")
        assert last_of(worker.ask(question("Calder"))) == Failed("no room", "make room")
        model.fails = Stopped("stopped")
        assert last_of(worker.ask(question("Calder"))) == Failed("as you asked", "", stopped=True)
        model.fails = None
        assert isinstance(last_of(worker.ask(question("Calder"))), Finished)


# --- generations


def check_generation(events: list[ChatEvent], generations: dict[str, Index]) -> str:
    """See that evidence, citations and the generation named belong together; give the generation."""
    answer = events[-1].answer
    index = generations[answer.index_generation]
    evidence = [event for event in events if isinstance(event, EvidenceFound)][-1]
    assert [event for event in events if isinstance(event, Searched)][-1].index is index
    for sentence in (one for passage in evidence.passages for one in passage.sentences):
        assert index.document(sentence.file).text[sentence.start : sentence.end] == sentence.text
    for citation in (one for claim in answer.claims for one in claim.citations):
        assert index.document(citation.file).text[citation.start : citation.end] == citation.quote
    return answer.index_generation


def test_the_running_question_ends_on_its_generation_and_those_that_wait_begin_on_the_next(index, newer):
    with working(index, Model(stays="reading")) as (worker, model):
        running = held(worker, model)
        waiting = worker.ask(question("Dover"))
        assert worker.index is index
        worker.renew(newer)
        assert worker.index is newer
        asked = worker.ask(question("Elm"))
        model.go.set()
        first, second, third = (all_of(ticket) for ticket in (running, waiting, asked))
    generations = {each.generation: each for each in (index, newer)}
    assert len(generations) == 2
    found = [check_generation(events, generations) for events in (first, second, third)]
    assert found == [index.generation, newer.generation, newer.generation]
    searched = [[type(event) for event in events].count(EvidenceFound) for events in (first, second, third)]
    assert searched == [1, 2, 1]
    assert second[-1].answer.answer == "The Dover Bridge opened in 2003."
    assert second[-1].answer.timings.retrieve_s > 0


def test_an_index_of_another_embedder_is_refused(index, tmp_path):
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "a.txt").write_text("The Calder Bridge opened in 1932.\n")
    update_index(tmp_path / "documents", tmp_path / "index", HashEmbedder("other"))
    with working(index) as (worker, _):
        with pytest.raises(IndexMismatchError, match="other"):
            worker.renew(Index.open(tmp_path / "index"))
        assert isinstance(last_of(worker.ask(question("Calder"))), Finished)


# --- while nobody asks


class Pastime:
    """Asks about bridges while nobody else does, one after the other, and goes on where it was."""

    def __init__(self, *names: str, fails: Exception | None = None) -> None:
        self.left = list(names)
        self.fails = fails
        self.began: list[tuple[float, str]] = []
        self.done = threading.Event()

    def __call__(self, assistant: Assistant, go_on: Callable[[], bool]) -> None:
        self.began.append((time.monotonic(), assistant.index.generation))
        if self.fails:
            raise self.fails
        while self.left:
            for _ in assistant.stream(question(self.left[0])):
                if not go_on():
                    return
            self.left.pop(0)
        self.done.set()

    def begun(self, times: int) -> None:
        """Wait until it was called so often."""
        end = time.monotonic() + 60
        while len(self.began) < times:
            assert time.monotonic() < end
            time.sleep(0.01)


def test_idle_time_begins_only_when_nobody_has_asked_for_some_seconds(index):
    pastime = Pastime("Yarrow")
    with working(index, idle=pastime, idle_after_s=0.5) as (worker, model):
        for name in ("Calder", "Dover"):
            assert isinstance(last_of(worker.ask(question(name))), Finished)
        assert pastime.done.wait(60)
        asked = model.asked
    begun, _ = pastime.began[-1]
    assert begun - max(when for when in model.began if when < begun) >= 0.5
    assert asked == ["Calder", "Dover", "Yarrow"]
    unused = Pastime("Yarrow")
    with working(index, idle=unused, idle_after_s=600) as (worker, _):
        assert isinstance(last_of(worker.ask(question("Calder"))), Finished)
    assert unused.began == []


@pytest.mark.parametrize("where", ["reading", "writing"])
def test_a_question_ends_idle_time_which_goes_on_later_where_it_was(index, where):
    pastime = Pastime("Willow", "Yarrow")
    with working(index, Model(stays=where), idle=pastime, idle_after_s=0.01) as (worker, model):

        def attempt() -> float:
            model.there.clear()
            assert model.there.wait(60), "idle time"
            assert worker.waiting() == 0
            before = len(model.began)
            asked = time.monotonic()
            events = worker.ask(question("Dover")).events()
            next_of(events, EvidenceFound)
            assert isinstance(next_of(events, (Waiting, Reading)), Reading), "it is not told to wait"
            taken = model.began[before] - asked
            events.close()
            return taken

        within(BARS_S["stop"], attempt)
        model.go.set()
        assert last_of(worker.ask(question("Dover"))).answer.answer == says("Dover", 1900)
        assert pastime.done.wait(60)
        assert model.asked[-2:] == ["Willow", "Yarrow"], "nothing is left out"


def test_all_who_wait_come_before_idle_time(index):
    pastime = Pastime("Yarrow")
    with working(index, Model(stays="reading"), idle=pastime, idle_after_s=0) as (worker, model):
        assert model.there.wait(60)
        tickets = [worker.ask(question(name)) for name in ("Calder", "Dover", "Elm")]
        model.go.set()
        assert {type(last_of(ticket)) for ticket in tickets} == {Finished}
        assert pastime.done.wait(60)
        asked = model.asked
    first = asked.index("Calder")
    assert asked[first : first + 3] == ["Calder", "Dover", "Elm"]
    assert set(asked[:first]) == {"Yarrow"} == set(asked[first + 3 :])


def test_idle_time_does_not_count_against_the_limits_of_an_answer(index):
    now = [0.0]
    pastime = Pastime(*NAMES[1:20])
    limits = {"most_tokens": 5000, "most_seconds": 180, "clock": lambda: now[0]}
    with working(index, Model(stays="reading"), idle=pastime, idle_after_s=0, **limits) as (worker, model):
        assert model.there.wait(60)
        now[0] = 1000
        time.sleep(0.3)
        assert len(model.asked) == 1
        assert not model.stopped.is_set()
        model.go.set()
        assert pastime.done.wait(60)
        assert model.tokens.read > 5000
        assert isinstance(last_of(worker.ask(question("Calder"))), Finished)


def test_a_renewed_index_ends_idle_time_which_begins_again_for_the_new_one(index, newer):
    pastime = Pastime("Yarrow")
    with working(index, Model(stays="reading"), idle=pastime, idle_after_s=0) as (worker, model):
        assert model.there.wait(60)
        worker.renew(newer)
        pastime.begun(2)
        model.go.set()
        assert pastime.done.wait(60)
        pastime.done.clear()
        worker.renew(index)
        assert pastime.done.wait(60), "what has nothing left to do is asked again for another generation"
    generations = [generation for _, generation in pastime.began]
    assert generations == [index.generation, newer.generation, index.generation]


@pytest.mark.parametrize("failure", [None, GenerationError("no \x1b room"), ZeroDivisionError("\x1b")])
def test_what_fails_or_ends_in_idle_time_is_not_begun_again_and_harms_no_question(index, newer, failure, caplog):
    pastime = Pastime(fails=failure)
    with working(index, idle=pastime, idle_after_s=0.01) as (worker, _):
        pastime.begun(1)
        for name in ("Calder", "Dover"):
            assert last_of(worker.ask(question(name))).answer.answer == says(name, 1900)
            time.sleep(0.2)
        assert len(pastime.began) == 1
        worker.renew(newer)
        pastime.begun(2)
        assert last_of(worker.ask(question("Calder"))).answer.answer == says("Calder", 2000)
    said = [record.getMessage() for record in caplog.records if record.name == "rag_geo.chat.worker"]
    assert [each.startswith("idle time could not be used") for each in said] == [True] * (2 if failure else 0)
    assert not any("\x1b" in each for each in said)


@pytest.mark.parametrize("where", ["reading", "writing"])
def test_closing_ends_idle_time_at_once(index, where):
    pastime = Pastime("Yarrow")
    with working(index, Model(stays=where), idle=pastime, idle_after_s=0) as (worker, model):
        assert model.there.wait(60)
        start = time.monotonic()
        worker.close(300)
        assert time.monotonic() - start < 60
    assert not pastime.done.is_set()
    assert len(pastime.began) == 1


def test_several_people_get_their_answers_while_idle_time_begins_again_and_again(index):
    pastime = Pastime(*NAMES[16:] * 50)
    with working(index, idle=pastime, idle_after_s=0) as (worker, _):
        people = [Person(worker, name, {index.generation: index}, rounds=6) for name in NAMES[:3]]
        for person in people:
            person.start()
        for person in people:
            person.join()
    assert [wrong for person in people for wrong in person.wrong] == []
    assert pastime.began


# --- several people


class Person(threading.Thread):
    """Asks about one bridge again and again; sometimes stops or leaves; keeps what was wrong."""

    def __init__(self, worker: Worker, name: str, generations: dict[str, Index], rounds: int) -> None:
        super().__init__(daemon=True)
        self.worker, self.bridge, self.generations, self.rounds = worker, name, generations, rounds
        self.chance = random.Random(name)
        self.wrong: list[str] = []
        self.answered = 0

    def run(self) -> None:
        for _ in range(self.rounds):
            ticket = self.worker.ask(question(self.bridge))
            doing = self.chance.choices(["read", "stop", "leave"], [7, 2, 1])[0]
            after = self.chance.randrange(8)
            events: list[ChatEvent] = []
            for number, event in enumerate(ticket.events(heartbeat_s=0.05)):
                if event is not None:
                    events.append(event)
                if number == after and doing == "leave":
                    break
                if number == after and doing == "stop":
                    ticket.cancel()
            try:
                self._check(events, doing)
            except (AssertionError, LookupError, AttributeError) as error:
                self.wrong.append(f"{self.bridge} {doing}: {error!r} {events[-1:]}")

    def _check(self, events: list[ChatEvent], doing: str) -> None:
        for event in events:
            if isinstance(event, EvidenceFound):
                assert event.hits[0].file == f"{self.bridge.casefold()}.txt"
        if doing == "read":
            assert isinstance(events[-1], Finished), "an answer was lost"
        if isinstance(events[-1], Finished):
            self.answered += 1
            answer = events[-1].answer
            generation = check_generation(events, self.generations)
            assert answer.question == question(self.bridge)
            first_year = min(1900 + 100 * place for place, one in enumerate(self.generations) if one == generation)
            assert answer.answer == says(self.bridge, first_year)
            assert {one.file for claim in answer.claims for one in claim.citations} == {f"{self.bridge.casefold()}.txt"}
        elif doing == "stop":
            assert events[-1].stopped


def test_sixteen_people_get_each_their_own_answers_while_the_collection_changes(index, newer):
    with working(index) as (worker, _):
        generations = {each.generation: each for each in (index, newer)}
        people = [Person(worker, name, generations, rounds=5) for name in NAMES[:16]]
        for person in people:
            person.start()
        while any(person.is_alive() for person in people):
            worker.renew(newer if worker.index is index else index)
            time.sleep(0.02)
        assert worker.waiting() == 0
    assert [wrong for person in people for wrong in person.wrong] == []
    assert all(person.answered for person in people)


# --- the end


def test_closing_lets_the_running_question_end_and_tells_those_that_wait(index):
    with working(index, Model(stays="reading")) as (worker, model):
        running = held(worker, model)
        waiting = worker.ask(question("Dover"))
        closing = threading.Thread(target=worker.close, args=[60])
        closing.start()
        assert last_of(waiting) == Failed("the chat is being closed", "start it again: rag-geo chat")
        with pytest.raises(WorkerClosed):
            worker.ask(question("Elm"))
        model.go.set()
        assert isinstance(last_of(running), Finished)
        closing.join()
    assert not model.closed, "who loaded the model frees it"


def test_closing_stops_what_does_not_end_in_time(index):
    with working(index, Model(stays="writing")) as (worker, model):
        running = held(worker, model)
        start = time.monotonic()
        worker.close(0.5)
        assert time.monotonic() - start < 30
        assert last_of(running).message == "the chat is being closed"
        worker.close()


def test_closing_does_not_wait_longer_than_its_patience_for_a_model_that_hangs(index):
    model = Model(stays="reading")
    model.stopped.wait = lambda _timeout: False  # deaf
    with working(index, model) as (worker, _):
        held(worker, model)
        start = time.monotonic()
        worker.close(0.3)
        assert time.monotonic() - start < 30
        assert worker._threads[0].is_alive()


# --- memory


def resident_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096 / 1e6


def test_five_hundred_questions_take_no_memory(index):
    with working(index) as (worker, _):

        def ask(count: int) -> None:
            for number in range(count):
                assert isinstance(last_of(worker.ask(question(NAMES[number % len(NAMES)]))), Finished)
            gc.collect()

        ask(100)
        before = resident_mb()
        ask(500)
        assert resident_mb() - before <= 5

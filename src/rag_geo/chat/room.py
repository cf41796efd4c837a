"""What the pages share (`House`), and what one page has asked (`Room`). Nothing of Gradio: `page` shows it.

A room is known by the session of its page alone; rooms share the worker and the collection, and nothing else.
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rag_geo.assistant import Assistant
from rag_geo.chat import keep, views
from rag_geo.chat.collection import Collection
from rag_geo.chat.receipt import receipt
from rag_geo.chat.views import NOTHING, Html
from rag_geo.chat.worker import IDLE_AFTER_S, ChatEvent, Failed, Ticket, Waiting, Worker
from rag_geo.conversation import standalone
from rag_geo.errors import RagGeoError, UsageError
from rag_geo.index import Entry, Index
from rag_geo.records import (
    Answer,
    Claim,
    ClaimChecked,
    EvidenceFound,
    Filters,
    Finished,
    Judged,
    Span,
)

HEARTBEAT_S = 0.5
"""A page is told something at least so often: only then is it noticed that its connection is gone."""

PAUSE_S = 0.2
"""Seconds between two pictures of what only counts on."""

MOST_ROOMS = 200
"""Rooms that are kept; the one that was not used for longest goes first."""

MOST_LEFT = 20
"""Rooms of closed pages that are kept, should one of them only have slept."""

MOST_TURNS = 100
"""Questions of one room; then a new conversation is to be begun."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows of a conversation: finished turns, the latest one, and whether it is still being answered."""

    past: Html
    now: Html
    busy: bool = False
    accepted: bool = True


@dataclass(slots=True)
class Turn:
    """One question and what came of it."""

    number: int
    question: str
    indexes: list[Index]
    searched: str = ""
    evidence: EvidenceFound | None = None
    claims: list[Claim] = field(default_factory=list)
    answer: Answer | None = None
    failed: Failed | None = None
    began: float = field(default_factory=time.monotonic)
    last: ChatEvent | None = None
    receipt: dict[str, object] | None = None

    def over(self, index: Index) -> None:
        """Note the generation that is searched now: the answer is of this one, or of one noted before."""
        generations = self.indexes
        if all(each.generation != index.generation for each in generations):
            generations.append(index)

    @property
    def index(self) -> Index:
        """The generation that the question was searched in last, or answered from."""
        wanted = self.answer.index_generation if self.answer is not None else self.indexes[-1].generation
        return next((each for each in self.indexes if each.generation == wanted), self.indexes[-1])

    def take(self, event: ChatEvent) -> bool:
        """Note an event; True when it should be seen at once."""
        self.last = event
        match event:
            case EvidenceFound():
                self.evidence, self.claims = event, []
            case ClaimChecked(claim):
                self.claims.append(claim)
            case Finished(answer):
                self.answer, self.claims, self.searched = answer, list(answer.claims), answer.searched
                self.receipt = receipt(answer, self.index)
                self.indexes = [self.index]
            case Failed():
                self.failed = event
            case Judged():
                pass
            case _:
                return False
        return True

    def html(self) -> Html:
        """Show it as far as it is."""
        known = self.index.numbers
        documents = self.index.documents

        def entry(file: str) -> Entry | None:
            return documents[known[file]] if file in known else None

        parts = [views.question_html(self.number, self.question, self.searched)]
        if self.failed is not None:
            parts.append(views.error_html(self.failed.message, self.failed.hint, stopped=self.failed.stopped))
        elif self.answer is not None or self.evidence is not None:
            parts.append(
                views.answer_html(
                    self.number, self.claims, answer=self.answer, progress=self._progress(), evidence=self.evidence
                )
            )
        else:
            parts.append(self._progress())
        if self.failed is None and self.evidence is not None:
            parts.append(views.actions_html(self.number, ready=self.answer is not None))
        if self.evidence is not None:
            parts.append(views.evidence_html(self.evidence, entry))
        return views.turn_html(self.number, *parts)

    def _progress(self) -> Html:
        seconds = time.monotonic() - self.began
        match self.last:
            case Waiting(place, of, _):
                return views.waiting_html(place, of, seconds)
            case Failed():
                return NOTHING
            case event:
                return views.progress_html(event, seconds)


class Room:
    """The conversation of one page. Its page asks one question at a time; `stop` and `leave` come from anywhere."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._lock = threading.Lock()
        self._turns: list[Turn] = []
        self._past = NOTHING
        self._ticket: Ticket | None = None
        self._asking: object | None = None
        self.left = False
        """Whether its page was closed, as far as is known."""

    def ask(self, question: str, filters: Filters) -> Iterator[Shown]:
        """Answer a question: what the page shows, as often as it changes and at least every `HEARTBEAT_S`."""
        mine = object()
        with self._lock:
            taken, self._asking = self._asking is not None, self._asking or mine
        if taken:
            yield Shown(self._past, self._now(), busy=True, accepted=False)
            return
        try:
            yield from self._ask(mine, question, filters)
        finally:
            self._release(mine)

    def _release(self, mine: object) -> None:
        """Let the next question come; a question that has not ended is left."""
        with self._lock:
            if self._asking is not mine:
                return
            ticket, self._ticket, self._asking = self._ticket, None, None
        if ticket is not None:
            ticket.close()

    def _ask(self, mine: object, question: str, filters: Filters) -> Iterator[Shown]:
        try:
            worker = self._house.worker
            if len(self._turns) >= MOST_TURNS:
                raise UsageError(f"this conversation has {MOST_TURNS} questions", hint="begin a new one")
            before = [turn.question for turn in self._turns if turn.failed is None]
            turn = Turn(len(self._turns) + 1, question.strip(), [worker.index])
            self._ticket = ticket = worker.ask(question, filters, before)
            authors = [entry.author for entry in turn.index.documents if entry.author]
            turn.searched = standalone(turn.question, before, authors)
        except RagGeoError as error:
            yield Shown(self._past, Html(self._now() + views.error_html(error.message, error.hint)), accepted=False)
            return
        self._past = Html(self._past + self._now())
        self._turns.append(turn)
        seen = 0.0
        for event in ticket.events(HEARTBEAT_S):
            turn.over(worker.index)
            urgent = turn.take(event) if event is not None else True
            now = time.monotonic()
            if turn.answer is None and turn.failed is None and (urgent or now - seen >= PAUSE_S):
                seen = now
                yield Shown(self._past, turn.html(), busy=True)
        # The next question may come as soon as this one is seen to be answered.
        self._release(mine)
        yield Shown(self._past, turn.html())

    def _now(self) -> Html:
        return self._turns[-1].html() if self._turns else NOTHING

    def stop(self) -> None:
        """Stop the answer that is being made, if any."""
        ticket = self._ticket
        if ticket is not None:
            ticket.cancel()

    def leave(self) -> None:
        """The page is gone: free the model."""
        ticket = self._ticket
        if ticket is not None:
            ticket.close()

    def forget(self) -> Shown:
        """Begin a new conversation."""
        self.leave()
        with self._lock:
            self._turns, self._past = [], NOTHING
        return Shown(NOTHING, NOTHING)

    def kept(self) -> Sequence[keep.Turn]:
        """The answers so far, in order, with their receipts."""
        return [keep.Turn(turn.answer, turn.receipt) for turn in self._turns if turn.answer and turn.receipt]

    def turn(self, number: int) -> Turn:
        """The turn of this number. Raises `UsageError`."""
        if not 1 <= number <= len(self._turns):
            raise UsageError(f"there is no question {number} in this conversation")
        return self._turns[number - 1]

    def source(self, data: Mapping[str, object]) -> Html:
        """Show the document that a button of the page stands for, as it was when the answer was made.

        Raises `UsageError` for what stands for nothing in these documents.
        """
        what = views.opened(data)
        number = data.get("turn")
        index = self.turn(int(number)).index if isinstance(number, str) and number.isdigit() else self._house.index
        try:
            document = index.document(what.file)
        except KeyError as error:
            raise UsageError(f"{what.file!r} is not among the documents any more") from error
        if not 1 <= what.paragraph <= len(document.paragraphs):
            raise UsageError(f"{what.file!r} has no paragraph {what.paragraph}")
        cited = Span(what.start, what.end) if what.end > what.start else None
        return views.source_html(document, what.paragraph, cited, what.support)

    def fetch(self, data: Mapping[str, object]) -> tuple[str, str]:
        """Give what is to be kept, and a name for its file. Raises `UsageError` for an order that is none."""
        what = data.get("do")
        if what == "save-markdown":
            return keep.conversation_markdown(self.kept()), "conversation.md"
        if what == "save-json":
            return _json(keep.conversation_object(self.kept())), "conversation.json"
        number = data.get("turn")
        turn = self.turn(int(number) if isinstance(number, str) and number.isdigit() else 0)
        if turn.answer is None:
            raise UsageError("this question has no answer")
        if what == "copy":
            return keep.answer_markdown(turn.answer), ""
        if what == "receipt":
            return _json(turn.receipt), f"receipt-{turn.number}.json"
        raise UsageError(f"{what!r} is nothing that can be asked for")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _make_examples(assistant: Assistant, go_on: Callable[[], bool]) -> None:
    """Make the example questions that the generation of `assistant` lacks, as far as there is time."""
    from rag_geo.chat.examples import make_examples

    for _ in make_examples(assistant, assistant.index, go_on=go_on):
        pass


class House:
    """What all pages share: the models, once they are loaded, the worker, the collection, and the rooms.

    `load` gives the assistant; it is called once, in a thread, by `open`. When nobody has asked for `examples_after_s`,
    example questions are made; None: never. Close it.
    """

    def __init__(
        self,
        load: Callable[[Callable[[str], None]], Assistant],
        *,
        most_waiting: int = 20,
        examples_after_s: float | None = IDLE_AFTER_S,
    ) -> None:
        self._load = load
        self._most_waiting = most_waiting
        self._examples_after_s = examples_after_s
        self._lock = threading.Lock()
        self._rooms: OrderedDict[str, Room] = OrderedDict()
        self._began = time.monotonic()
        self._done = threading.Event()
        self._note = ""
        self._assistant: Assistant | None = None
        self._worker: Worker | None = None
        self._collection: Collection | None = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._open, name="loading", daemon=True)

    def open(self) -> None:
        """Begin to load."""
        self._began = time.monotonic()
        self._thread.start()

    def _open(self) -> None:
        try:
            assistant = self._load(self._say)
            self._assistant = assistant
            worker = self._hire(assistant)
            self._collection = Collection(assistant.index, assistant.embedder, assistant.settings, renew=worker.renew)
            self._worker = worker
        except BaseException as error:  # noqa: BLE001 - whoever waits for `ready` raises it again
            self.error = error
        finally:
            self._done.set()

    def _hire(self, assistant: Assistant) -> Worker:
        """Let a worker answer, and make examples while nobody asks."""
        if self._examples_after_s is None:
            return Worker(assistant, most_waiting=self._most_waiting)
        return Worker(
            assistant, most_waiting=self._most_waiting, idle=_make_examples, idle_after_s=self._examples_after_s
        )

    def _say(self, note: str) -> None:
        self._note = note

    def ready(self, patience_s: float | None = None) -> bool:
        """Wait for the models; False when they are not loaded after `patience_s`. Raises what loading raised."""
        self._done.wait(patience_s)
        if self.error is not None:
            raise self.error
        return self._done.is_set()

    @property
    def loading(self) -> tuple[str, float]:
        """What is said of the loading, and the seconds it takes so far."""
        return self._note, time.monotonic() - self._began

    @property
    def worker(self) -> Worker:
        """The worker. Raises `UsageError` while the model is loaded."""
        if self._worker is None:
            raise UsageError("the model is still being loaded", hint="ask in a few seconds")
        return self._worker

    @property
    def collection(self) -> Collection:
        """The collection. Raises `UsageError` while the model is loaded."""
        if self._collection is None:
            raise UsageError("the model is still being loaded", hint="try in a few seconds")
        return self._collection

    @property
    def index(self) -> Index:
        """The generation that is searched now."""
        return self.worker.index

    def room(self, session: str) -> Room:
        """The room of a page, which no other page has."""
        with self._lock:
            room = self._rooms.pop(session, None) or Room(self)
            room.left = False
            self._rooms[session] = room
            gone = [self._rooms.popitem(last=False)[1] for _ in range(len(self._rooms) - MOST_ROOMS)]
        for each in gone:
            each.leave()
        return room

    def leave(self, session: str) -> None:
        """A page was closed: what it waited for is stopped. Its room is kept for a while, should it only have slept."""
        with self._lock:
            room = self._rooms.get(session)
            if room is not None:
                room.left = True
                # The one that was left or used for longest goes first.
                self._rooms.move_to_end(session)
            left = [name for name, each in self._rooms.items() if each.left]
            for name in left[:-MOST_LEFT]:
                del self._rooms[name]
        if room is not None:
            room.leave()

    def examples(self) -> Sequence[str]:
        """Example questions for the present generation; none when none were made."""
        from rag_geo.chat.examples import examples

        return examples(self.index)

    def close(self, patience_s: float = 8.0) -> None:
        """End what is being answered and indexed, and free the models; after `patience_s` at the latest."""
        end = time.monotonic() + patience_s
        if self._worker is not None:
            self._worker.close(patience_s / 2)
        if self._collection is not None:
            self._collection.close(max(0.0, end - time.monotonic() - 1))
        if self._assistant is not None:
            self._assistant.close()

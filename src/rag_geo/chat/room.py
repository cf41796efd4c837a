"""What the pages share (`House`), and what one page has asked (`Room`). Nothing of Gradio: `page` shows it.

A room is known by the session of its page alone; rooms share the worker and the collection, and nothing else.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rag_geo.assistant import Assistant
from rag_geo.chat import keep, views
from rag_geo.chat.auditing import Auditor
from rag_geo.chat.collection import Collection
from rag_geo.chat.markup import NOTHING, Html, opened
from rag_geo.chat.receipt import receipt
from rag_geo.chat.worker import IDLE_AFTER_S, ChatEvent, Failed, Searched, Ticket, Waiting, Worker
from rag_geo.errors import RagGeoError, UsageError
from rag_geo.index import Entry, Index
from rag_geo.records import (
    Answer,
    Claim,
    ClaimChecked,
    Document,
    Event,
    EvidenceFound,
    Filters,
    Finished,
    Judged,
    Span,
)
from rag_geo.render import json_text

HEARTBEAT_S = 0.5
"""A page is told something at least so often: only then is it noticed that its connection is gone."""

PAUSE_S = 1.0
"""Seconds between two pictures of what only counts on: each takes time from the model, which has the same processor."""

FREEING_S = 1.0
"""Seconds of the end in which the models are freed."""

MOST_ROOMS = 200
"""Rooms that are kept; the one that was not used for longest goes first."""

MOST_LEFT = 20
"""Rooms of closed pages that are kept, should one of them only have slept."""

MOST_TURNS = 100
"""Questions of one room; then a new conversation is to be begun."""


_MOST_DIGITS = 6
_LEFT = Failed("the page was closed", "ask again", stopped=True)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows of a conversation: finished turns, the latest one, and whether it is still being answered.

    Without `news` it is what was shown before.
    """

    past: Html
    now: Html
    busy: bool = False
    accepted: bool = True
    news: bool = True


@dataclass(slots=True)
class Turn:
    """One question and what came of it.

    While it is answered `index` is the generation that it was searched in; afterwards only the documents that it shows
    are kept, in `documents`.
    """

    number: int
    question: str
    searched: str = ""
    filters: Filters = field(default_factory=Filters)
    index: Index | None = None
    documents: dict[str, Document] = field(default_factory=dict)
    evidence: EvidenceFound | None = None
    claims: list[Claim] = field(default_factory=list)
    answer: Answer | None = None
    failed: Failed | None = None
    began: float = field(default_factory=time.monotonic)
    last: Waiting | Event | Failed | None = None
    receipt: dict[str, object] | None = None
    _evidence: Html = NOTHING

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.answer is not None or self.failed is not None

    def take(self, event: ChatEvent) -> bool:
        """Note an event; True when it should be seen at once."""
        if isinstance(event, Searched):
            self.index, self.searched = event.index, event.question
            return False
        self.last = event
        match event:
            case EvidenceFound():
                self.evidence, self.claims = event, []
                self._evidence = views.evidence_html(event, self._entry, filtered=bool(self.filters))
            case ClaimChecked(claim):
                self.claims.append(claim)
            case Finished(answer):
                self.answer, self.claims, self.searched = answer, list(answer.claims), answer.searched
                if self.index is not None:
                    self.receipt = receipt(answer, self.index)
                self._let_go()
            case Failed():
                self.failed = event
                self._let_go()
            case Judged() | Waiting():
                pass
            case _:
                return False
        return True

    def end(self) -> None:
        """Note that its reader left, if it has not ended otherwise."""
        if not self.over:
            self.take(_LEFT)

    def _let_go(self) -> None:
        """Keep the documents that are shown, and let go of the index, which holds all of them."""
        index, self.index = self.index, None
        if index is None:
            return
        files = [hit.file for hit in self.evidence.hits] if self.evidence else []
        files += [citation.file for claim in self.claims for citation in claim.citations]
        if self.answer:
            files += [near.file for near in self.answer.near]
            files += [conflict.other.file for conflict in self.answer.conflicts]
        self.documents = {file: index.document(file) for file in dict.fromkeys(files) if file in index.numbers}

    def document(self, file: str) -> Document:
        """Give a document as it was when it was searched. Raises KeyError for one that is not shown."""
        return self.index.document(file) if self.index is not None else self.documents[file]

    def _entry(self, file: str) -> Entry | None:
        """Give what is known of a document of the generation that is searched."""
        if self.index is None or file not in self.index.numbers:
            return None
        return self.index.documents[self.index.numbers[file]]

    def html(self) -> Html:
        """Show it as far as it is."""
        parts = [views.question_html(self.number, self.question, self.searched, self.filters)]
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
            parts.append(self._evidence)
        return views.turn_html(self.number, *parts)

    def _progress(self) -> Html:
        seconds = time.monotonic() - self.began
        match self.last:
            case Waiting(place, of):
                return views.waiting_html(place, of, seconds)
            case Failed():
                return NOTHING
            case event:
                return views.progress_html(event, seconds)


@dataclass(slots=True, eq=False)
class _Asking:
    """A question on its way: before it has a ticket it may be stopped or left as well."""

    ticket: Ticket | None = None
    stopped: bool = False
    left: bool = False


class Room:
    """The conversation of one page. Its page asks one question at a time; `stop` and `leave` come from anywhere."""

    def __init__(self, house: House) -> None:
        self._house = house
        # Guards what is below; nothing slow is done under it.
        self._lock = threading.Lock()
        self._turns: list[Turn] = []
        self._past = NOTHING
        self._asking: _Asking | None = None
        self.left = False
        """Whether its page was closed, as far as is known."""

    def ask(self, question: str, filters: Filters) -> Iterator[Shown]:
        """Answer a question: what the page shows, as often as it changes and at least every `HEARTBEAT_S`.

        Nothing more is shown of a question whose conversation was forgotten.
        """
        mine = _Asking()
        with self._lock:
            taken = self._asking is not None
            if not taken:
                self._asking = mine
        if taken:
            yield Shown(self._past, self._now(), busy=True, accepted=False)
            return
        try:
            yield from self._ask(mine, question, filters)
        finally:
            self._release(mine)

    def _release(self, mine: _Asking) -> bool:
        """Let the next question come, and leave this one if it has not ended; whether it was this one's turn."""
        with self._lock:
            current = self._asking is mine
            if current:
                self._asking = None
        if mine.ticket is not None:
            mine.ticket.close()
        return current

    def _ask(self, mine: _Asking, question: str, filters: Filters) -> Iterator[Shown]:
        try:
            turn = self._begin(mine, question, filters)
        except RagGeoError as error:
            yield Shown(self._past, Html(self._now() + views.error_html(error.message, error.hint)), accepted=False)
            return
        if turn is None or mine.ticket is None:
            return
        seen, now = time.monotonic(), turn.html()
        try:
            for event in mine.ticket.events(HEARTBEAT_S):
                urgent = event is not None and turn.take(event)
                if self._asking is not mine:
                    return
                if turn.over:
                    continue
                if urgent or time.monotonic() - seen >= PAUSE_S:
                    seen, now = time.monotonic(), turn.html()
                    yield Shown(self._past, now, busy=True)
                elif event is None:
                    yield Shown(self._past, now, busy=True, news=False)
        finally:
            turn.end()
        # The next question may come as soon as this one is seen to be answered.
        if self._release(mine):
            yield Shown(self._past, turn.html())

    def _begin(self, mine: _Asking, question: str, filters: Filters) -> Turn | None:
        """Search, and add a turn; None when the conversation was forgotten meanwhile. Raises what `Worker.ask` does."""
        with self._lock:
            turns = tuple(self._turns)
        if len(turns) >= MOST_TURNS:
            raise UsageError(f"this conversation has {MOST_TURNS} questions", hint="begin a new one")
        before = [turn.question for turn in turns if turn.failed is None]
        ticket = self._house.worker.ask(question, filters, before)
        turn = None
        with self._lock:
            mine.ticket = ticket
            if self._asking is mine:
                turn = Turn(len(self._turns) + 1, question.strip(), filters=filters)
                self._past = Html(self._past + self._now())
                self._turns.append(turn)
        if mine.left:
            ticket.close()
        elif mine.stopped:
            ticket.cancel()
        return turn

    def _now(self) -> Html:
        return self._turns[-1].html() if self._turns else NOTHING

    def stop(self) -> None:
        """Stop the answer that is being made, if any."""
        with self._lock:
            asking = self._asking
            if asking is not None:
                asking.stopped = True
        if asking is not None and asking.ticket is not None:
            asking.ticket.cancel()

    def leave(self) -> None:
        """The page is gone: free the model."""
        with self._lock:
            asking = self._asking
        self._leave(asking)

    def forget(self) -> Shown:
        """Begin a new conversation."""
        with self._lock:
            asking, self._asking = self._asking, None
            self._turns, self._past = [], NOTHING
        self._leave(asking)
        return Shown(NOTHING, NOTHING)

    def _leave(self, asking: _Asking | None) -> None:
        if asking is None:
            return
        with self._lock:
            asking.left = True
        if asking.ticket is not None:
            asking.ticket.close()

    def kept(self) -> Sequence[keep.Turn]:
        """The answers so far, in order, with their receipts."""
        return [keep.Turn(turn.answer, turn.receipt) for turn in self._turns if turn.answer and turn.receipt]

    def turn(self, data: Mapping[str, object]) -> Turn:
        """The turn that an order names. Raises `UsageError` when there is none."""
        named = data.get("turn")
        text = named if isinstance(named, str) and named.isascii() and named.isdigit() else "0"
        number = int(text) if len(text) <= _MOST_DIGITS else 0
        turns = self._turns
        if not 1 <= number <= len(turns):
            raise UsageError("there is no such question in this conversation")
        return turns[number - 1]

    def source(self, data: Mapping[str, object]) -> Html:
        """Show the document that a button of the page stands for: one of a question as it was when it was searched.

        Raises `UsageError` for what stands for nothing in these documents.
        """
        what = opened(data)
        try:
            document = (self.turn(data) if data.get("turn") else self._house.index).document(what.file)
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
        turn = self.turn(data)
        if turn.answer is None:
            raise UsageError("this question has no answer")
        if what == "copy":
            return keep.answer_markdown(turn.answer), ""
        if what == "receipt":
            return _json(turn.receipt), f"receipt-{turn.number}.json"
        raise UsageError(f"{what!r} is nothing that can be asked for")


def _json(value: object) -> str:
    return json_text(value, indent=2) + "\n"


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
        self._auditor: Auditor | None = None
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
            self._auditor = Auditor(assistant.embedder, worker.busy)
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
    def auditor(self) -> Auditor:
        """Who looks through the documents. Raises `UsageError` while the model is loaded."""
        if self._auditor is None:
            raise UsageError("the model is still being loaded", hint="try in a few seconds")
        return self._auditor

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
        """End what is being answered and indexed, and free the models; after `patience_s` at the latest.

        Indexing ends at once. What is being answered has all the time but `FREEING_S` to end, or else to be stopped.
        """
        end = time.monotonic() + patience_s
        if self._auditor is not None:
            self._auditor.close(0.0)
        if self._collection is not None:
            self._collection.close(0.0)
        if self._worker is not None:
            self._worker.close(max(patience_s / 2, patience_s - FREEING_S))
        if self._collection is not None:
            self._collection.wait(max(0.0, end - time.monotonic() - FREEING_S / 2))
        if self._assistant is not None:
            self._assistant.close()

"""One model, several people: questions wait in order, one thread answers them, and whoever leaves frees it.

A question becomes a `Ticket` that is searched at once, in the thread that asks, and then waits for the model. All that
happens to it is read from `Ticket.events`: the evidence, its place in the queue, the answer as it is made, and at the
end `Finished` or `Failed`. A second thread watches the one that answers: over the seconds and tokens that one answer
may take, and over readers that do not come back. While nobody asks, the first one does what it was given for such
hours (`Idle`), and leaves it at once when somebody does.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Self

from rag_geo.assistant import NO_FILTERS, Asked, Assistant, Clock
from rag_geo.errors import RagGeoError
from rag_geo.index import Index
from rag_geo.llm import Stopped
from rag_geo.question import MAX_BEFORE, check_filters, check_question
from rag_geo.records import Event, EvidenceFound, Filters, Finished, Reading, Writing
from rag_geo.render import visible

log = logging.getLogger(__name__)

TICK_S = 0.1
"""Seconds between two looks at what is being answered and who reads it."""

LEAVING_S = 1.0
"""Seconds of the patience of `Worker.close` that are kept for stopping what did not finish."""

IDLE_AFTER_S = 4.0
"""Seconds without a question after which idle time begins."""

Idle = Callable[[Assistant, Callable[[], bool]], None]
"""What is done with an assistant while nobody asks: it returns when nothing is left to do for that generation, or soon
after its second argument turns False; the model is stopped then as well."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Event: the question is at `place` (1: next) of the `of` that wait for the model."""

    place: int
    of: int


@dataclass(frozen=True, slots=True)
class Searched:
    """Event: `question` was searched, which is what was asked means, in `index`; what comes after it is from there."""

    index: Index
    question: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Event: the last one of a question without an answer; `stopped` if that is what its reader asked for."""

    message: str
    hint: str
    stopped: bool = False


ChatEvent = Waiting | Searched | Event | Failed


class QueueFull(RagGeoError):
    """As many questions wait as may."""


class WorkerClosed(RagGeoError):
    """Nothing is answered any more."""


_STOPPED = Failed("as you asked", "", stopped=True)
_UNREAD = Failed("the answer was stopped: nobody was there to read it", "ask again")
_CLOSING = Failed("the chat is being closed", "start it again: rag-geo chat")


class Ticket:
    """A question on its way to its answer. What happens to it is read by one reader, from any thread."""

    def __init__(self, worker: Worker, question: str, filters: Filters, before: tuple[str, ...]) -> None:
        self.question = question
        self.filters = filters
        self.before = before
        self._worker = worker
        self._timing = Clock(worker._assistant.load_s)
        # Everything below is guarded by the lock of the worker.
        self._news = threading.Condition(worker._lock)
        self._events: deque[ChatEvent] = deque()
        self._found: tuple[Assistant, Asked] | None = None
        self._told = (0, 0)
        self._over = False
        self._reading = False
        self._silent_s = 0.0
        self._left = False

    def events(self, heartbeat_s: float = 1.0) -> Iterator[ChatEvent | None]:
        """Everything that happens; None when nothing new came. Ends after `Finished` or `Failed`.

        `Searched` and `EvidenceFound` come first, and again before the question is answered when the collection was
        renewed while it waited. None comes every `heartbeat_s`, so that a caller can look whether its own client is
        still there. Of events that only count on (`Waiting`, `Reading`, `Writing`) a slow reader gets the last. Closing
        the iterator before the end is leaving: see `close`.
        """
        try:
            while True:
                with self._news:
                    self._reading, self._silent_s = True, 0.0
                    self._news.wait_for(lambda: self._events or self._over, heartbeat_s)
                    self._reading = False
                    if self._over and not self._events:
                        return
                    event = self._events.popleft() if self._events else None
                yield event
        finally:
            self.close()

    def cancel(self) -> None:
        """Stop: a question that waits leaves the queue, one that is answered frees the model. `Failed` comes last."""
        with self._worker._lock:
            self._worker._end(self, _STOPPED)

    def close(self) -> None:
        """Leave: as `cancel`, for a reader that is gone; no more events come."""
        # An iterator that is forgotten is closed by the garbage collector, in a thread that may hold the lock: it must
        # not be waited for. The thread that watches does the rest then.
        self._left = True
        if self._worker._lock.acquire(blocking=False):
            try:
                self._worker._end(self, None)
            finally:
                self._worker._lock.release()

    def _say(self, event: ChatEvent) -> None:
        """Add an event for the reader; the worker's lock is held."""
        if isinstance(event, Waiting | Reading | Writing) and self._events and type(self._events[-1]) is type(event):
            self._events.pop()
        self._events.append(event)
        self._news.notify_all()


class Worker:
    """Answers questions with one `Assistant`, one after the other, in the order in which they were asked.

    While it is open nothing else may use the language model of `assistant`. `most_waiting` questions may wait for the
    one being answered, which may take `most_seconds` of `clock`, and `most_tokens` read anew or written. A reader that
    stays away for `reader_patience_s` is taken for lost. When nobody has asked for `idle_after_s`, `idle` is called in
    the thread that answers, and again after it was interrupted or the index renewed; if it fails, that is logged and it
    is not called again for this generation. Close it, or use it as a context manager; the assistant is left to whoever
    loaded it.
    """

    def __init__(
        self,
        assistant: Assistant,
        *,
        most_waiting: int = 20,
        most_seconds: float = 180.0,
        most_tokens: int = 32_768,
        reader_patience_s: float = 5.0,
        idle: Idle = lambda _assistant, _go_on: None,
        idle_after_s: float = IDLE_AFTER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._assistant = assistant
        self._most_waiting = most_waiting
        self._most_seconds = most_seconds
        self._most_tokens = most_tokens
        self._reader_patience_s = reader_patience_s
        self._idle = idle
        self._idle_after_s = idle_after_s
        self._clock = clock
        self._searching = threading.Lock()
        # Guards everything below, and the tickets; nothing slow is done under it.
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._watched = threading.Condition(self._lock)
        self._queue: deque[Ticket] = deque()
        self._running: Ticket | None = None
        self._began = 0.0
        self._spent = 0
        self._idling = False
        self._idled: Assistant | None = None  # for whose index nothing is left to do
        self._closing = self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name="answering", daemon=True),
            threading.Thread(target=self._watch, name="watching", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def index(self) -> Index:
        """The generation that the next questions are answered from."""
        return self._assistant.index

    def busy(self) -> bool:
        """Whether a question is answered, or waits."""
        with self._lock:
            return bool(self._queue) or self._running is not None

    def waiting(self) -> int:
        """How many questions wait."""
        with self._lock:
            return len(self._queue)

    def ask(self, question: str, filters: Filters = NO_FILTERS, before: Sequence[str] = ()) -> Ticket:
        """Queue a question, search for it at once, and give the ticket by which it is followed.

        `before` are the earlier questions of its conversation, oldest first. Raises `UsageError` for a question or
        filters that cannot be used, `QueueFull`, `WorkerClosed`.
        """
        check_question(question)
        check_filters(filters)
        ticket = Ticket(self, question, filters, tuple(before)[-MAX_BEFORE:])
        with self._lock:
            if self._closing:
                raise WorkerClosed(_CLOSING.message, hint=_CLOSING.hint)
            if len(self._queue) + (self._running is not None) > self._most_waiting:
                raise QueueFull(f"{self._most_waiting} questions are waiting already", hint="ask again in a minute")
            self._queue.append(ticket)
            self._interrupt()
            self._watched.notify()
        try:
            self._search(ticket, self._assistant)
        except BaseException:
            with self._lock:
                self._end(ticket, None)
            raise
        return ticket

    def renew(self, index: Index) -> None:
        """Answer from `index` from now on; the question being answered ends on the generation it began with.

        Raises `IndexMismatchError` for an index that another embedder made.
        """
        with self._lock:
            self._assistant = self._assistant.over(index)
            self._interrupt()

    def close(self, patience_s: float = 10.0) -> None:
        """Answer nothing any more: what waits is told so, what is being answered has `patience_s` to end or is stopped.

        Returns after `patience_s` at the latest.
        """
        end = time.monotonic() + patience_s
        with self._lock:
            self._closing = True
            for ticket in tuple(self._queue):
                self._end(ticket, _CLOSING)
            self._interrupt()
        answering, watching = self._threads
        answering.join(max(0.0, patience_s - min(LEAVING_S, patience_s / 2)))
        with self._lock:
            if self._running:
                self._end(self._running, _CLOSING)
        answering.join(max(0.0, end - time.monotonic()))
        with self._lock:
            self._closed = True
            self._watched.notify()
        watching.join(max(0.0, end - time.monotonic()))
        # A search counts tokens with the model, which its owner may free now.
        if self._searching.acquire(timeout=max(0.0, end - time.monotonic())):
            self._searching.release()

    def _search(self, ticket: Ticket, assistant: Assistant) -> None:
        """Find the evidence for a question and tell it. One search at a time: two would only be late together."""
        with self._searching:
            if self._closing:
                raise WorkerClosed(_CLOSING.message, hint=_CLOSING.hint)
            ticket._timing.lap()
            asked = assistant.retrieve(ticket.question, ticket.filters, ticket.before)
            ticket._timing.lap("retrieve_s")
            ticket._timing.reach("first_evidence_s")
        with self._lock:
            if not ticket._over:
                ticket._found = assistant, asked
                ticket._say(Searched(assistant.index, asked.question))
                ticket._say(EvidenceFound(asked.hits, asked.passages, ticket._timing.seconds))
                self._tell_places()
                self._changed.notify()

    def _tell_places(self) -> None:
        """Tell each question that waits its place, if that has changed. The lock is held."""
        of = len(self._queue)
        for place, ticket in enumerate(self._queue, 1):
            its_turn = place == 1 and self._running is None
            if ticket._found and not its_turn and ticket._told != (place, of):
                ticket._told = (place, of)
                ticket._say(Waiting(place, of))

    def _end(self, ticket: Ticket, failed: Failed | None) -> None:
        """End a question that has not ended, wherever it is; without `failed` nobody is told. The lock is held."""
        if ticket._over:
            return
        ticket._over = True
        ticket._found = None
        if failed is None:
            ticket._events.clear()
            ticket._news.notify_all()
        else:
            ticket._say(failed)
        if ticket is self._running:
            self._assistant.stop()
        elif ticket in self._queue:
            self._queue.remove(ticket)
            self._tell_places()
            self._changed.notify()

    def _interrupt(self) -> None:
        """End idle time, at once, and let the thread that answers look what there is to do. The lock is held."""
        if self._idling:
            self._idling = False
            self._assistant.stop()
        self._changed.notify()

    def _work(self) -> None:
        """The thread that owns the model."""
        while not self._closing:
            if self._is_idle():
                self._use_idle_time()
            else:
                self._answer_next()

    def _is_idle(self) -> bool:
        """Wait for a question; whether none came for so long that what there is to do until then may begin."""
        with self._lock:
            assistant = self._assistant
            patience_s = None if self._idled is assistant else self._idle_after_s
            news = self._changed.wait_for(
                lambda: self._closing or self._queue or self._assistant is not assistant, patience_s
            )
            self._idling = not news
            return self._idling

    def _use_idle_time(self) -> None:
        """Do what is to be done while nobody asks, as far as it can be done."""
        failed, assistant = True, self._assistant
        try:
            self._idle(assistant, lambda: self._idling)
            failed = False
        except Stopped:
            failed = False
        except RagGeoError as error:
            log.warning("idle time could not be used: %s", visible(error.message))
        except Exception:  # noqa: BLE001 - questions are answered nevertheless
            log.error("idle time could not be used:\n%s", visible(traceback.format_exc(), one_line=False))
        with self._lock:
            if failed or self._idling:
                self._idled = assistant
            self._idling = False

    def _answer_next(self) -> None:
        """Wait until the first question that waits was searched for, and answer it; nothing when none is left."""
        with self._lock:
            self._changed.wait_for(lambda: self._closing or not self._queue or self._queue[0]._found)
            if self._closing or not self._queue:
                return
            ticket, assistant = self._queue.popleft(), self._assistant
            self._running, self._began, self._spent = ticket, self._clock(), self._tokens()
            # Whoever stops the question from here on stops the model.
            assistant.generator.start()
            self._tell_places()
        failed = None
        try:
            self._answer(ticket, assistant)
        except Stopped:
            failed = _STOPPED
        except RagGeoError as error:
            failed = Failed(error.message, error.hint)
        except Exception as error:  # noqa: BLE001 - the other questions are answered nevertheless
            log.error("a question failed:\n%s", visible(traceback.format_exc(), one_line=False))
            failed = Failed(f"the question failed inside the program: {type(error).__name__}", "ask again")
        with self._lock:
            self._running = None
            self._end(ticket, failed)
            ticket._found = None

    def _answer(self, ticket: Ticket, assistant: Assistant) -> None:
        """Answer a question from the generation of `assistant`, which is searched again if it is a newer one."""
        found = ticket._found
        if found and found[0] is not assistant:
            self._search(ticket, assistant)
            found = ticket._found
        if found:
            with closing(assistant.answer(found[1], ticket._timing)) as events:
                for event in events:
                    if not self._pass_on(ticket, event):
                        break

    def _pass_on(self, ticket: Ticket, event: Event) -> bool:
        """Give an event to the reader; False when it is the last, or nobody waits for it any more."""
        with self._lock:
            self._limit()
            if not ticket._over:
                ticket._say(event)
                ticket._over = isinstance(event, Finished)
            return not ticket._over

    def _tokens(self) -> int:
        """Tokens that the model has read anew and written since it was loaded."""
        tokens = self._assistant.generator.tokens
        return tokens.read + tokens.written

    def _limit(self) -> None:
        """End the answer that has taken all it may. The lock is held."""
        if self._running is None:
            return
        if self._clock() - self._began > self._most_seconds:
            what = f"{self._most_seconds:g} seconds"
        elif self._tokens() - self._spent > self._most_tokens:
            what = f"{self._most_tokens:,} tokens"
        else:
            return
        message = f"the answer was stopped: it took more than {what}"
        self._end(self._running, Failed(message, "ask for less at once, or in other words"))

    def _watch(self) -> None:
        """The thread that frees the model from answers that take too long or that nobody reads."""
        last = time.monotonic()
        with self._lock:
            while not self._closed:
                self._watched.wait(TICK_S if self._running or self._queue else None)
                now = time.monotonic()
                # When the whole process was not given the processor the reader was not either.
                passed, last = min(now - last, 2 * TICK_S), now
                self._limit()
                for ticket in (*self._queue, *filter(None, [self._running])):
                    self._look_after(ticket, passed)

    def _look_after(self, ticket: Ticket, passed: float) -> None:
        """End a question whose reader left, or stays away. The lock is held."""
        if ticket._left:
            self._end(ticket, None)
        elif ticket._found and not ticket._reading:
            ticket._silent_s += passed
            if ticket._silent_s > self._reader_patience_s:
                self._end(ticket, _UNREAD)

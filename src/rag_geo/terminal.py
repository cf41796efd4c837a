"""The standard error of a session: notes, progress bars and the live area, which are gone when the work is done.

On a terminal progress moves; elsewhere it is a few plain lines. Results never come here: they go to standard output.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TextIO

from rag_geo.records import Answer, Event, EvidenceFound, Finished, Reading, Writing
from rag_geo.render import Watched, lines_text, place, visible

if TYPE_CHECKING:
    from rich.console import Console

Advance = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, and how much there is (0 when unknown)."""

REFRESH_S = 0.1
PLAIN_FIRST_S = 1.0
PLAIN_EVERY_S = 10.0
MINUTES_FROM_S = 100.0


class Terminal:
    """Where progress is shown: `stream` is standard error, `live` says whether it is a terminal that can move.

    `clock` gives seconds from any beginning.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        live: bool = False,
        width: int = 80,
        color: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stream = stream
        self.live = live
        self.width = width
        self.color = color
        self._clock = clock

    def note(self, text: str) -> None:
        """Write one line, made safe."""
        self.stream.write(f"{visible(text)}\n")
        self.stream.flush()

    def progress(self) -> AbstractContextManager[Advance]:
        """Open a progress display for as long as the context lasts; a bar on a terminal, else a line now and then."""
        return self._bars() if self.live else self._plain()

    def watch(self, events: Iterable[Event]) -> Answer:
        """Follow the events of a question to its answer, showing evidence first and proved sentences as they come."""
        watched = Watched()
        with self._area() as show:
            for event in events:
                watched = watched.after(event)
                show(watched, event)
                if isinstance(event, Finished):
                    return event.answer
        raise RuntimeError("the events of a question ended without Finished")

    @contextmanager
    def _area(self) -> Iterator[Callable[[Watched, Event], None]]:
        if not self.live:
            yield self._note_evidence
            return
        from rich.live import Live
        from rich.text import Text

        last = 0.0
        with Live(console=self._console(), auto_refresh=False, transient=True) as live:

            def show(watched: Watched, event: Event) -> None:
                nonlocal last
                now = self._clock()
                if isinstance(event, Reading | Writing) and now - last < REFRESH_S:
                    return
                last = now
                text = lines_text(watched.lines(), width=self.width, color=self.color)
                live.update(Text.from_ansi(text), refresh=True)

            yield show

    def _note_evidence(self, _watched: Watched, event: Event) -> None:
        if isinstance(event, EvidenceFound) and event.hits:
            best = event.hits[0]
            self.note(f"best paragraph after {event.seconds:.2f} s: {place(best.file, best.paragraph, best.place)}")

    @contextmanager
    def _bars(self) -> Iterator[Advance]:
        from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
        )
        tasks: dict[str, TaskID] = {}
        with Progress(*columns, console=self._console(), transient=True) as bars:

            def advance(what: str, done: int, total: int) -> None:
                if what not in tasks:
                    tasks[what] = bars.add_task(visible(what), total=total or None)
                bars.update(tasks[what], completed=done, total=total or None)

            yield advance

    @contextmanager
    def _plain(self) -> Iterator[Advance]:
        current, told = "", -PLAIN_EVERY_S
        begun: dict[str, tuple[float, int]] = {}

        def advance(what: str, done: int, total: int) -> None:
            nonlocal current, told
            begun.setdefault(what, (self._clock(), done))
            waited = self._clock() - told
            if what != current and waited >= PLAIN_FIRST_S:
                self.note(f"{what} …")
            elif what == current and waited >= PLAIN_EVERY_S:
                self.note(
                    f"{what}: {done / total:.0%}{self._left(*begun[what], done, total)}" if total else f"{what}: {done}"
                )
            else:
                return
            current, told = what, self._clock()

        yield advance

    def _left(self, since: float, first: int, done: int, total: int) -> str:
        """What is left of the time, by how long it took since `first` was done."""
        if done <= first:
            return ""
        seconds = (self._clock() - since) / (done - first) * (total - done)
        return f", {seconds:.0f} s left" if seconds < MINUTES_FROM_S else f", {seconds / 60:.0f} min left"

    def _console(self) -> Console:
        from rich.console import Console

        return Console(file=self.stream, width=self.width, force_terminal=True, no_color=not self.color)

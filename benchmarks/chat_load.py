"""``python -m benchmarks.chat_load``: people at one chat, all at once, who ask, stop, and get lost.

The server is the real one with a scripted model (see `benchmarks.scripted`). Every person asks about museums of their
own, so that whatever reaches somebody else is seen by its name.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
import httpx

from benchmarks.figures import Bar, Measure, measure_object, measures_markdown, quantile
from benchmarks.machine import field as field_of
from benchmarks.machine import machine
from benchmarks.scripted import MUSEUMS, NAMES, Museum, file_of
from benchmarks.serving import Served, serving
from benchmarks.visitor import Doors, LostError, Visitor, connected

SAMPLE_S = 1.0
END_S = 90.0
"""What is asked when the time is over may still be answered for so long."""

TERMINATED = 143
NONE = Bar("value", "<=", 0)
SLOPE = Bar("value", "<=", 1.0)
STOPPED = Bar("value", "<=", 0.25)
LEFT = Bar("value", "<=", 2.0)

_MARK = re.compile(r'data-file="([^"]+)" data-paragraph="(\d+)" data-start="(\d+)" data-end="(\d+)"')
_SENTENCES = re.compile(r'<p class="rg-sentences".*?</p>', re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


@dataclass(slots=True)
class Tally:
    """What happened, counted; times in seconds, memory in MB (10^6 bytes)."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    evidence_s: list[float] = field(default_factory=list)
    answer_s: list[float] = field(default_factory=list)
    ended: dict[str, tuple[str, float]] = field(default_factory=dict)
    freed_s: dict[str, list[float]] = field(default_factory=lambda: {"stopped": [], "left": []})
    memory: list[tuple[int, float]] = field(default_factory=list)

    def error(self, what: str, why: object) -> None:
        """Count what must not happen, and keep the first of them."""
        self.counts[what] += 1
        if len(self.wrong) < 20:
            self.wrong.append(f"{what}: {why}"[:500])


@dataclass(slots=True)
class Server:
    """What the chat, a process of its own, says while it runs."""

    tally: Tally
    ready: threading.Event = field(default_factory=threading.Event)

    def hear(self, line: str) -> None:
        """Take note of what the server says; nothing at its end."""
        word, *rest = line.split()[:3] or [""]
        if word == "ready" or not line:
            self.ready.set()
        elif word == "free" and len(rest) == 2:
            self._freed(rest[0], float(rest[1]))
        elif line.startswith("Traceback"):
            self.tally.error("errors", "a traceback of the server")

    def _freed(self, name: str, at: float) -> None:
        how, since = self.tally.ended.pop(name, ("", 0.0))
        if how:
            self.tally.freed_s[how].append(at - since)


def memory_mb(process: int) -> float:
    """The resident memory of a process."""
    size = field_of(Path(f"/proc/{process}/status"), "VmRSS")
    return int((size or "0").split()[0]) * 1024 / 1e6


@contextmanager
def running(folder: Path, people: int, tally: Tally) -> Iterator[Served]:
    """Run the scripted chat. It must end as it was told to."""
    command = [sys.executable, "-m", "benchmarks.scripted", str(folder), "--people", str(people)]
    server = Server(tally)
    with serving(command, server.hear) as served:
        server.ready.wait()
        if served.process.poll() is not None:
            raise served.failed()
        yield served
    if served.process.returncode != TERMINATED:
        tally.error("errors", f"the server ended with {served.process.returncode}")


class Person:
    """Somebody at a page of their own, who asks until the time is over."""

    def __init__(self, number: int, url: str, doors: Doors, tally: Tally) -> None:
        self._number = number
        self._url = url
        self._doors = doors
        self._tally = tally
        self._chance = random.Random(number)
        self._asked = 0
        self._before: list[Museum] = []

    async def live(self, end: float) -> None:
        """Open pages and ask, one question after the other, until the clock says `end`."""
        while time.monotonic() < end:
            visitor = Visitor(self._url, self._doors, self._hear)
            try:
                async with visitor:
                    self._before = []
                    for _ in range(self._chance.randint(4, 12)):
                        if time.monotonic() >= end or not await self._do(visitor):
                            break
            except LostError as error:
                self._tally.error("lost", error)
            except (httpx.HTTPError, OSError) as error:
                self._tally.error("errors", repr(error))

    def _hear(self, line: str) -> None:
        """Look whether anything is told that is another's."""
        own = Museum(self._number, 0).name[1:3]
        others = [found[0] for found in NAMES.finditer(line) if found[1] != own]
        if others:
            self._tally.error("mixed", f"person {self._number} is told of {others[0]}")

    async def _do(self, visitor: Visitor) -> bool:
        """Do one thing; False when the page is closed by it."""
        ways = {self._ask: 55, self._follow_up: 15, self._stop: 10, self._open_source: 8, self._forget: 6}
        ways |= {self._lose: 3, self._close: 3}
        return await self._chance.choices(list(ways), list(ways.values()))[0](visitor)

    def _next(self) -> Museum:
        self._asked += 1
        return Museum(self._number, (self._asked * 7) % MUSEUMS)

    async def _ask(self, visitor: Visitor) -> bool:
        museum = self._next()
        shown = await self._read(visitor, museum.question, museum.answer)
        self._before = [museum] if shown else []
        return True

    async def _follow_up(self, visitor: Visitor) -> bool:
        if not self._before:
            return await self._ask(visitor)
        await self._read(visitor, "And how many rooms does it have?", self._before[-1].rooms)
        return True

    async def _read(self, visitor: Visitor, question: str, expected: str) -> list[object]:
        """Ask, read the answer to its end, and compare it with what it must be."""
        start = time.monotonic()
        self._tally.counts["asked"] += 1
        seen, shown = False, []
        async for message in self._asking(visitor, question):
            if not seen and "rg-evidence" in str(message.get("output")):
                seen = True
                self._tally.evidence_s.append(time.monotonic() - start)
            if message["msg"] == "process_completed":
                shown = message["output"].get("data", []) if message["success"] else []
        self._tally.answer_s.append(time.monotonic() - start)
        latest = str(shown[1]) if len(shown) > 1 else ""
        found = _SENTENCES.search(latest)
        if "questions are waiting already" in latest:
            self._tally.counts["refused"] += 1
        elif found and expected in _TAG.sub("", found[0]):
            self._tally.counts["answered"] += 1
            return shown
        elif "nobody was there to read it" in latest:
            self._tally.error("lost", f"{question}: taken for unread")
        else:
            self._tally.error("errors", f"{question}: {_TAG.sub(' ', latest)[:300] or message}")
        return []

    def _asking(self, visitor: Visitor, question: str):  # noqa: ANN202 - an asynchronous generator
        return visitor.does("question", "submit", [question, file_of(self._number), "", "", ""])

    async def _begin_slowly(self, visitor: Visitor) -> tuple[Museum, asyncio.Task[list[object]]]:
        """Ask what is answered only when it is stopped; gives what reads it, when there is evidence."""
        museum = self._next()
        self._tally.counts["asked"] += 1
        seen = asyncio.Event()

        async def follow() -> list[object]:
            try:
                async for message in self._asking(visitor, museum.slow_question):
                    if "rg-evidence" in str(message.get("output")):
                        seen.set()
                return message["output"].get("data", []) if message["success"] else []
            finally:
                seen.set()

        task = asyncio.create_task(follow())
        await seen.wait()
        await asyncio.sleep(self._chance.uniform(0, 4))
        return museum, task

    async def _stop(self, visitor: Visitor) -> bool:
        """Stop an answer that is being made, or that waits."""
        museum, task = await self._begin_slowly(visitor)
        self._tally.ended[museum.name] = "stopped", time.monotonic()
        await visitor.result(visitor.does("stop", "click", []))
        shown = await task
        if len(shown) > 1 and 'data-state="stopped"' in str(shown[1]):
            self._tally.counts["stopped"] += 1
        else:
            self._tally.error("errors", f"not stopped: {str(shown)[-200:]}")
        return True

    async def _lose(self, visitor: Visitor) -> bool:
        """Lose the connection in the middle of an answer; the page learns it seconds later."""
        museum, task = await self._begin_slowly(visitor)
        await self._leave(museum, visitor.lose(), task)
        await asyncio.sleep(self._chance.uniform(0, 3))
        return False

    async def _close(self, visitor: Visitor) -> bool:
        """Close the page in the middle of an answer."""
        museum, task = await self._begin_slowly(visitor)
        await self._leave(museum, visitor.leave(), task)
        return False

    async def _leave(self, museum: Museum, leaving, task: asyncio.Task[list[object]]) -> None:  # noqa: ANN001
        self._tally.ended[museum.name] = "left", time.monotonic()
        await leaving
        try:
            await task
        except LostError:
            self._tally.counts["lost on purpose"] += 1
        else:
            self._tally.error("errors", "an answer came to a page that was gone")

    async def _open_source(self, visitor: Visitor) -> bool:
        """Ask, and open the paragraph of the first mark."""
        museum = self._next()
        shown = await self._read(visitor, museum.question, museum.answer)
        self._before = [museum] if shown else []
        found = _MARK.search(str(shown[1]) if len(shown) > 1 else "")
        if found is None:
            return True
        place = dict(zip(("file", "paragraph", "start", "end"), found.groups(), strict=True))
        order = {"do": "source", "order": str(self._asked), "turn": "", "support": "", **place}
        source = None
        async for message in visitor.does("order", "change", [json.dumps(order)]):
            if message["msg"] == "process_completed":
                source = str(message["output"].get("data"))
        self._tally.counts["sources opened"] += 1
        if f"{museum.name} Museum" not in (source or "") or "quote" not in (source or ""):
            self._tally.error("errors", f"not the source of {museum.name}: {(source or '')[:200]}")
        return True

    async def _forget(self, visitor: Visitor) -> bool:
        """Begin a new conversation."""
        shown = await visitor.result(visitor.does("new", "click", []))
        self._before = []
        self._tally.counts["conversations"] += 1
        if NAMES.search(str(shown)):
            self._tally.error("errors", "a new conversation is not empty")
        return True


async def crowd(server: Served, people: int, seconds: float, tally: Tally) -> None:
    """Let so many people at the chat for so long."""
    async with connected(server.url) as http:
        doors = Doors((await http.get("config")).raise_for_status().json())
    end = time.monotonic() + seconds
    watching = asyncio.create_task(_watch(server, tally))
    living = [asyncio.create_task(Person(each, server.url, doors, tally).live(end)) for each in range(people)]
    done, late = await asyncio.wait(living, timeout=seconds + END_S)
    watching.cancel()
    for each in late:
        each.cancel()
        tally.error("lost", f"no end within {END_S:g} s")
    for each in done:
        each.result()


async def _watch(server: Served, tally: Tally) -> None:
    while True:
        tally.memory.append((tally.counts["asked"], memory_mb(server.process.pid)))
        await asyncio.sleep(SAMPLE_S)


def load(people: int, seconds: float) -> Tally:
    """Start the chat, let people at it, end it, and tell what happened."""
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="rag-geo-load-") as name, running(Path(name), people, tally) as server:
        asyncio.run(crowd(server, people, seconds, tally))
    return tally


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The slope of the straight line nearest to the points (least squares); NaN when they are all above each other."""
    n = len(points)
    mean_x, mean_y = (sum(values) / n for values in zip(*points, strict=True)) if n else (0.0, 0.0)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else float("nan")


def measures(tally: Tally) -> list[Measure]:
    """The figures of a load, those that have a bar first."""
    settled = tally.memory[len(tally.memory) // 3 :]
    asked = tally.counts["asked"]
    found = [
        Measure("lost without purpose", tally.counts["lost"], "", asked, NONE),
        Measure("mixed", tally.counts["mixed"], "", asked, NONE),
        Measure("errors", tally.counts["errors"], "", asked, NONE),
        Measure("memory per 100 questions", 100 * slope(settled), "MB", len(settled), SLOPE),
    ]
    for what, key, bar in (("Stop", "stopped", STOPPED), ("a loss", "left", LEFT)):
        found += _times(f"{what} to the model being free", tally.freed_s[key], bar)
    found += _times("first evidence", tally.evidence_s)
    found += _times("answer, with its wait", tally.answer_s)
    if tally.memory:
        found.append(Measure("memory at the end", tally.memory[-1][1], "MB"))
    names = ("asked", "answered", "stopped", "lost on purpose", "refused", "sources opened", "conversations")
    return found + [Measure(name, tally.counts[name]) for name in names]


def _times(what: str, values: Sequence[float], bar: Bar | None = None) -> list[Measure]:
    """Median and 95th percentile of times; the bar is for the latter."""
    if not values:
        return []
    return [
        Measure(f"{what}, p50", quantile(values, 0.5), "s", len(values)),
        Measure(f"{what}, p95", quantile(values, 0.95), "s", len(values), bar),
    ]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--people", type=click.IntRange(1, 400), default=16, show_default=True, help="People at once.")
@click.option("--minutes", type=click.FloatRange(0.05), default=10.0, show_default=True, help="How long they ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the table.")
def main(people: int, minutes: float, as_json: bool) -> None:
    """Let people ask, stop, and get lost at one chat with a scripted model; print what came of it.

    Exit code 1 when a bar is missed. The bars of memory mean something from some minutes on.
    """
    about = {**machine(), "people": people, "minutes": minutes}
    tally = load(people, 60 * minutes)
    found = measures(tally)
    about["load_after"] = machine()["load"]
    if as_json:
        rows = [measure_object(each) for each in found]
        click.echo(json.dumps({**about, "rows": rows, "memory": tally.memory, "wrong": tally.wrong}, indent=2))
    else:
        facts = [f"{name}: {value}" for name, value in about.items()]
        click.echo("\n".join([measures_markdown(found), *facts, *tally.wrong]))
    sys.exit(any(each.met is False for each in found))


if __name__ == "__main__":
    main()

"""One open page without a browser: the requests that the page sends, and what it is told.

A page has a session of its own and a connection that says that it is open. Whatever the user does joins Gradio's queue;
what comes of it is read from one stream of server-sent events, which the server ends when nothing is left to tell.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

import httpx

PREFIX = "gradio_api/"
PATIENCE_S = 120.0
"""A server that says nothing for so long has lost what it was asked; it says something every second."""

ENDED = "ended"


class LostError(Exception):
    """The server does not tell the end of what it was asked."""


class Doors:
    """What can be done on the page: numbers of Gradio's events by the name of a component and of what happens to it."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        names = {each["id"]: each["props"].get("elem_id") or "" for each in config["components"]}
        self._numbers: dict[tuple[str, str], int] = {}
        self._then: dict[int, int] = {}
        self._inputs = {each["id"]: len(each["inputs"]) for each in config["dependencies"]}
        for each in config["dependencies"]:
            for component, event in each["targets"]:
                self._numbers.setdefault((names.get(component, ""), event), each["id"])
            if each.get("trigger_after") is not None:
                self._then[each["trigger_after"]] = each["id"]

    def number(self, component: str, event: str) -> int:
        """The number of an event; the page itself is the component "". Raises KeyError for none."""
        return self._numbers[component, event]

    def then(self, number: int) -> int | None:
        """The number of the event that follows another by itself."""
        return self._then.get(number)

    def inputs(self, number: int) -> int:
        """How many values an event takes: with fewer, Gradio refuses it before it begins. Raises KeyError for none."""
        return self._inputs[number]


def connected(url: str) -> httpx.AsyncClient:
    """A client with connections of its own, which says to come from the page itself."""
    address = httpx.URL(url)
    origin = f"{address.scheme}://{address.netloc.decode()}"
    # A browser asks again over another connection when the server has just closed an idle one; this client does not.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.AsyncClient(
        base_url=url, headers={"Origin": origin}, limits=limits, timeout=60, trust_env=False, verify=False
    )


class Visitor:
    """A page that is open while it is used as an asynchronous context manager.

    `hears` is given every line that the server sends to it.
    """

    def __init__(self, url: str, doors: Doors, hears: Callable[[str], None]) -> None:
        self._http = connected(url)
        self._doors = doors
        self._hears = hears
        self.session = secrets.token_hex(6)
        self._told: defaultdict[str, asyncio.Queue[dict[str, Any]]] = defaultdict(asyncio.Queue)
        self._pending: set[str] = set()
        self._stream: asyncio.Task[None] | None = None
        self._alive: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        try:
            (await self._http.get("")).raise_for_status()
            self._alive = asyncio.create_task(self._stay())
            await self.result(self.does("", "load", []))
        except BaseException:
            await self.leave()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave()

    async def leave(self) -> None:
        """Close the page, whatever it is told at the moment."""
        await self.lose()
        await _ended(self._alive)
        await self._http.aclose()

    async def lose(self) -> None:
        """Lose the connection by which the page is told what happens, and nothing else."""
        await _ended(self._stream)

    async def does(self, component: str, event: str, data: Sequence[object]) -> AsyncIterator[dict[str, Any]]:
        """Do something on the page, and give all that comes of it, the end last.

        Raises `LostError` when there is no end, and `httpx.HTTPError` when the server refuses it.
        """
        number = self._doors.number(component, event)
        async for message in self._join(number, data):
            yield message
        if (after := self._doors.then(number)) is not None:
            filled = [*data, *([""] * (self._doors.inputs(after) - len(data)))]
            async for _ in self._join(after, filled):
                pass

    async def result(self, messages: AsyncIterator[dict[str, Any]]) -> list[Any]:
        """What is shown at the end. Raises `LostError`, also when there was an error."""
        last: dict[str, Any] = {}
        async for message in messages:
            last = message
        if not last.get("success"):
            raise LostError(str(last))
        return list(last["output"].get("data", []))

    async def _join(self, number: int, data: Sequence[object]) -> AsyncIterator[dict[str, Any]]:
        body = {"data": list(data), "event_data": None, "fn_index": number, "trigger_id": None}
        answer = await self._http.post(f"{PREFIX}queue/join", json={**body, "session_hash": self.session})
        answer.raise_for_status()
        event = answer.json()["event_id"]
        self._pending.add(event)
        if self._stream is None or self._stream.done():
            self._stream = asyncio.create_task(self._listen())
        try:
            while True:
                async with asyncio.timeout(PATIENCE_S):
                    message = await self._told[event].get()
                if message["msg"] == ENDED:
                    raise LostError(f"the connection ended: {message['why']}")
                yield message
                if message["msg"] == "process_completed":
                    return
        except TimeoutError as error:
            raise LostError(f"nothing for {PATIENCE_S:g} s") from error
        finally:
            self._pending.discard(event)
            self._told.pop(event, None)

    async def _listen(self) -> None:
        """Read what the server tells until it has told everything."""
        why = "it was closed"
        try:
            while self._pending:
                # Something may have been asked just when the server had told everything: it is listened to anew.
                async with self._http.stream(
                    "GET", f"{PREFIX}queue/data", params={"session_hash": self.session}
                ) as answer:
                    answer.raise_for_status()
                    async for line in answer.aiter_lines():
                        self._hears(line)
                        self._tell(line)
                await asyncio.sleep(0)
        except httpx.HTTPError as error:
            why = repr(error)
        finally:
            for event in self._pending:
                self._told[event].put_nowait({"msg": ENDED, "why": why})

    def _tell(self, line: str) -> None:
        if not line.startswith("data:"):
            return
        message = json.loads(line.removeprefix("data:"))
        if message["msg"] == "unexpected_error":
            raise httpx.RemoteProtocolError(str(message))
        # The end may be told before the answer to the request comes that gives the event its number.
        if event := message.get("event_id"):
            self._told[event].put_nowait(message)

    async def _stay(self) -> None:
        with suppress(httpx.HTTPError):
            async with self._http.stream("GET", f"{PREFIX}heartbeat/{self.session}") as answer:
                async for _ in answer.aiter_lines():
                    pass


async def _ended(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

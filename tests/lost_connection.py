"""A network of two machines that gets lost: ``unshare --map-root-user --net python tests/lost_connection.py FOLDER``.

Serves the chat with a scripted model in one network namespace, asks a question that takes minutes from another, and
takes the network away: nothing is said to anybody, as when a phone leaves it. Prints as JSON after how many seconds the
model was stopped, and whether another question was answered then.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from caller import SLOW, Caller
from chat_server import MORE, Slow
from collection import SAYS, embedder, make_index
from rag_geo.assistant import Assistant
from rag_geo.calibration import CAREFUL
from rag_geo.chat.room import House
from rag_geo.chat.serve import Address, serve
from rag_geo.index import Index
from rag_geo.settings import Settings

PASSWORD = "correct horse"
OPENED = "When did the Calder Bridge open?"


@dataclass(slots=True)
class Noting(Slow):
    """Notes when it was stopped."""

    stops: list[float] = field(default_factory=list)

    def stop(self) -> None:
        self.stops.append(time.monotonic())
        Slow.stop(self)


def run(*command: str) -> None:
    subprocess.run(command, check=True)


def ask(url: str) -> None:
    """The page that gets lost: says when it is being answered, and listens on."""
    caller = Caller(url, PASSWORD)
    with caller.listens("heartbeat/{}"):
        caller.ask(SLOW)
        with caller.listens() as stream:
            for message in caller.messages(stream):
                if message["msg"] == "process_generating":
                    click.echo("answered")


def main(folder: Path) -> None:
    there = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE)
    time.sleep(0.5)
    inside = ("nsenter", f"--target={there.pid}", "--net")
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(there.pid))
    run("ip", "address", "add", "10.9.9.1/24", "dev", "near")
    run("ip", "link", "set", "near", "up")
    run(*inside, "ip", "address", "add", "10.9.9.2/24", "dev", "far")
    run(*inside, "ip", "link", "set", "far", "up")
    model = Noting(says=SAYS | MORE)
    index = make_index(folder)
    made = Assistant(
        Index.open(index, embedder()), embedder(), model, settings=Settings(index=index), calibration=CAREFUL
    )
    urls: list[str] = []
    ready = threading.Event()
    kwargs = {"say": lambda text: text.startswith("ready") and ready.set(), "announce": urls.append}
    at = Address("10.9.9.1", 0, PASSWORD)
    house = lambda: House(lambda _: made, examples_after_s=None)  # noqa: E731
    threading.Thread(target=serve, args=(house, at), kwargs=kwargs, daemon=True).start()
    ready.wait(120)
    command = [*inside, sys.executable, __file__, "ask", urls[0]]
    asking = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for _ in range(5):
        asking.stdout.readline()
    model.stops.clear()
    run(*inside, "ip", "address", "flush", "dev", "far")
    cut = time.monotonic()
    while not model.stops and time.monotonic() - cut < 60:
        time.sleep(0.01)
    freed = model.stops[0] - cut if model.stops else None
    answered = "1932" in Caller(urls[0], PASSWORD).answer(OPENED)
    asking.kill()
    there.kill()
    click.echo(json.dumps({"freed_s": freed, "answered": answered}))


if __name__ == "__main__":
    if sys.argv[1] == "ask":
        ask(sys.argv[2])
    else:
        main(Path(sys.argv[1]))
        os._exit(0)  # the page is still being served

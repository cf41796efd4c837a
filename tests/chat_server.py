"""The real chat over a small collection with a scripted model: ``python tests/chat_server.py FOLDER [SECONDS [IDLE]]``.

Prints the URL; loading takes so many seconds. When nobody has asked for IDLE seconds, if given, example questions are
made. A question with the word "slow" is read so slowly that it can be stopped.

What is in FOLDER beforehand is used: ``index``, in place of the small collection; ``says.json``, what the model writes
for which question; ``reached.txt``, to which every other address is added that the process looks up or connects to.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parent))

from collection import SAYS, Parrot, embedder, make_index
from rag_geo.assistant import Assistant
from rag_geo.calibration import CAREFUL
from rag_geo.chat.room import House
from rag_geo.chat.serve import Address, serve
from rag_geo.index import Index
from rag_geo.llm import Stopped, Written
from rag_geo.process import allow, run_process
from rag_geo.prompts import Prompt
from rag_geo.settings import Settings

MORE = {
    "Who raised the tolls?": "Tolls were never raised by Peter Vance. The bridge cost 6 billion crowns.",
    "How many cars does the slow ferry to Norham carry?": "The ferry to Norham carries 48 cars.",
    "What colour is the Calder Bridge painted?": "It is painted green.",
    "What does the lighthouse of Zephyr Point show?": "The lighthouse of Zephyr Point shows a violet light.",
}  # fmt: skip


@dataclass(slots=True)
class Slow(Parrot):
    """Reads a question with the word "slow" for up to two minutes, and stops when it is told to."""

    pace_s: float = 0.02

    def read(self, prompt: Prompt) -> Iterator[tuple[int, int]]:
        if "slow" in prompt.parts[-1].text or any("slow" in part.text for part in prompt.parts if not part.trusted):
            for step in range(1200):
                if self.stopped.is_set():
                    raise Stopped("stopped")
                time.sleep(0.1)
                yield step, 1200
        yield from Parrot.read(self, prompt)

    def choose(self, prompt: Prompt, options: Sequence[str]) -> tuple[float, ...]:
        first = {question: said.partition(". ")[0].rstrip(".") + "." for question, said in self.says.items()}
        return Parrot.choose(replace(self, says=first), prompt, options)

    def write(self, prompt: Prompt, max_tokens: int) -> Iterator[Written]:
        for piece in Parrot.write(self, prompt, max_tokens):
            time.sleep(self.pace_s)
            yield piece


def load(folder: Path, index: Path) -> Assistant:
    time.sleep(float(sys.argv[2]) if sys.argv[2:] else 0.0)
    settings = Settings(index=index, cache=folder / "cache")
    scripted = folder / "says.json"
    model = Slow(says=SAYS | MORE)
    if scripted.exists():
        model = Slow(says=json.loads(scripted.read_text(encoding="utf-8")), pace_s=0.0)
    return Assistant(Index.open(index, embedder()), embedder(), model, settings=settings, calibration=CAREFUL)


def watch(reached: Path) -> None:
    """Note every address but this machine's that is looked up or connected to from now on."""

    def hook(event: str, given: tuple[object, ...]) -> None:
        if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.connect"):
            where = given[1][0] if event == "socket.connect" and isinstance(given[1], tuple) else given[0]
            if where not in (None, "127.0.0.1", "::1", "localhost"):
                with reached.open("a") as log:
                    log.write(f"{event} {where}\n")

    sys.addaudithook(hook)


def main(folder: Path) -> int:
    if (folder / "reached.txt").exists():
        watch(folder / "reached.txt")
    index = folder / "index" if (folder / "index").exists() else make_index(folder)
    idle_s = float(sys.argv[3]) if sys.argv[3:] else None
    allow(9.5)
    serve(
        lambda: House(lambda say: load(folder, index), examples_after_s=idle_s),
        Address(port=0),
        say=lambda text: click.echo(text, err=True),
        announce=click.echo,
    )
    return 0


if __name__ == "__main__":
    run_process(lambda: main(Path(sys.argv[1])))

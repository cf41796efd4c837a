"""Writers and readers of one index, each a process of its own.

``python tests/beacons.py write DOCUMENTS INDEX`` gives all beacons a new code, updates the index, prints the code, and
begins again. ``python tests/beacons.py read INDEX`` asks for the codes and prints what each answer cites, a line of
JSON each, until its standard input is closed. ``python tests/beacons.py cli ...`` is ``rag-geo`` with a hashing
embedder: with HOLD in the environment it says "embedding" and waits for a line before it goes on, with UNLOCKED locks
are none.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import filelock

from rag_geo.assistant import Assistant
from rag_geo.calibration import CAREFUL
from rag_geo.cli import run
from rag_geo.index import Index, purge, update_index
from rag_geo.llm import Written
from rag_geo.process import run_process
from rag_geo.prompts import Prompt
from rag_geo.session import Edges
from rag_geo.settings import Settings
from rag_geo.testing import HashEmbedder, ScriptedGenerator

BEACONS = ("north", "east", "west")
QUESTION = "Which code does the beacon of Velm show?"
SENTENCE = re.compile(r"The (\w+) beacon of Velm shows code (\d+)\.")
ENVIRONMENT = os.environ  # noqa: TID251


@dataclass(slots=True)
class Echo(ScriptedGenerator):
    """A model that writes down what it reads of beacons."""

    def write(self, prompt: Prompt, max_tokens: int) -> Iterator[Written]:
        """See `rag_geo.llm.Generator.write`."""
        text = "".join(part.text for part in prompt.parts if not part.trusted)
        self.answers = [" ".join(dict.fromkeys(found[0] for found in SENTENCE.finditer(text)))]
        return ScriptedGenerator.write(self, prompt, max_tokens)


def lay_out(documents: Path, code: int) -> None:
    documents.mkdir(exist_ok=True)
    for name in BEACONS:
        (documents / f"{name}.md").write_text(f"The {name} beacon of Velm shows code {code}.\n")
    for number in range(4):
        (documents / f"other-{number}.md").write_text(f"Harbour {number} of Norham has {number + 3} cranes.\n")


def write(documents: Path, path: Path) -> None:
    known = [int(found[2]) for name in BEACONS if (found := SENTENCE.match((documents / f"{name}.md").read_text()))]
    code = max(known, default=0)
    while True:
        code += 1
        lay_out(documents, code)
        update_index(documents, path, HashEmbedder(dimension=512))
        if code % 3 == 0:
            purge(path)
        print(code, flush=True)  # noqa: T201


def read(path: Path) -> None:
    embedder = HashEmbedder(dimension=512)
    settings = replace(Settings(), index=path)
    ended = threading.Event()
    threading.Thread(target=lambda: ended.set() if not sys.stdin.read() else None, daemon=True).start()
    while not ended.is_set():
        index = Index.open(path, embedder)
        assistant = Assistant(index, embedder, Echo(), settings=settings, calibration=CAREFUL)
        for _ in range(2):
            answer = assistant.ask(QUESTION)
            quotes = [(one.file, one.quote) for claim in answer.claims for one in claim.citations]
            print(json.dumps([answer.index_generation, quotes]), flush=True)  # noqa: T201


class _NoLock:
    def __init__(self, *_: object) -> None:
        pass

    def acquire(self, **_: object) -> None:
        pass

    def release(self) -> None:
        pass


class _Holding(HashEmbedder):
    def embed(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> Any:
        if "HOLD" in ENVIRONMENT:
            print("embedding", flush=True)  # noqa: T201
            sys.stdin.readline()
        return super().embed(texts, progress)


def main(what: str, *arguments: str) -> None:
    if what == "write":
        write(*map(Path, arguments))
    elif what == "read":
        read(Path(arguments[0]))
    else:
        if "UNLOCKED" in ENVIRONMENT:
            filelock.FileLock = _NoLock
        edges = Edges(dict(ENVIRONMENT), load_embedder=lambda _: _Holding(dimension=512))
        run_process(lambda: run(arguments, edges))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A chat that needs no model: ``python -m benchmarks.scripted FOLDER [--people N]`` makes documents and serves them.

Every person has a document of their own with museums whose names say whose they are, so that what reached the wrong
person is seen. The model finds the answer to a question about a museum by itself. A question that begins with
"Slowly" is read for two minutes, until it is stopped; then a line on standard error says about which museum it was,
and when that happened by the clock of the machine.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase as letters

import click

from rag_geo.assistant import Assistant
from rag_geo.calibration import CAREFUL
from rag_geo.index import Index, update_index
from rag_geo.llm import Chosen, Stopped, Written
from rag_geo.process import allow, run_process
from rag_geo.prompts import Prompt
from rag_geo.settings import Settings
from rag_geo.testing import HashEmbedder, ScriptedGenerator

MUSEUMS = 40
"""Museums of one person."""

NAMES = re.compile(r"Z([a-z]{2})[a-z]{2}q")
"""The name of a museum, anywhere; its group is the person's."""

STEP_S = 0.05
SLOW_STEPS = 2400
WORD_S = 0.01
"""Seconds that the model takes for a word."""

_ASKED = re.compile(r"how many (prints|rooms) does the (Z[a-z]{4}q) Museum", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Museum:
    """What is known of a museum; `person` and `number` count from 0."""

    person: int
    number: int

    @property
    def name(self) -> str:
        """Its name, of which there is no other."""
        return f"Z{_two(self.person)}{_two(self.number)}q"

    @property
    def question(self) -> str:
        """What is asked of it first."""
        return f"How many prints does the {self.name} Museum keep?"

    @property
    def slow_question(self) -> str:
        """The same, read until somebody stops it."""
        return f"Slowly: {self.question[0].lower()}{self.question[1:]}"

    @property
    def answer(self) -> str:
        """The sentence that answers `question`."""
        return f"The {self.name} Museum keeps {1000 + 7 * (self.person * MUSEUMS + self.number):,} prints."

    @property
    def rooms(self) -> str:
        """The sentence that answers "And how many rooms does it have?"."""
        return f"The {self.name} Museum has {11 + self.number} rooms."


def _two(number: int) -> str:
    return letters[number // 26] + letters[number % 26]


def museum_of(name: str) -> Museum:
    """The museum of a name."""
    values = [letters.index(letter) for letter in name[1:5].lower()]
    return Museum(values[0] * 26 + values[1], values[2] * 26 + values[3])


def file_of(person: int) -> str:
    """The document of a person."""
    return f"person-{person:03}.md"


@dataclass(slots=True)
class Guide(ScriptedGenerator):
    """A model that knows the museums, and keeps nothing of what it read."""

    def read(self, prompt: Prompt) -> Iterator[tuple[int, int]]:
        """See `rag_geo.llm.Generator.read`; slowly, if that is what was asked for."""
        text = "".join(part.text for part in prompt.parts if not part.trusted)
        if "Slowly" in text:
            yield from self._slowly("".join(name for _, name in _ASKED.findall(text)[-1:]))
        for done in range(1, 4):
            time.sleep(WORD_S)
            if self.stopped.is_set():
                raise Stopped("stopped")
            yield done, 3
        self._read += 100

    def _slowly(self, name: str) -> Iterator[tuple[int, int]]:
        for step in range(SLOW_STEPS):
            if self.stopped.wait(STEP_S):
                click.echo(f"free {name} {time.monotonic():.4f}", err=True)
                raise Stopped("stopped")
            yield step, SLOW_STEPS

    def choose(self, prompt: Prompt, options: Sequence[str]) -> Chosen:
        """Yes where the passages have the answer, and to the sentence that it is."""
        text = "".join(part.text for part in prompt.parts if not part.trusted)
        said = _answer(text)
        yes = bool(said) and said in text
        log = -math.log1p(math.exp(-5.0 if yes else 9.0))
        return Chosen((log, log - (5.0 if yes else -9.0), *(-math.inf for _ in options[2:])))

    def write(self, prompt: Prompt, max_tokens: int) -> Iterator[Written]:
        """The answer, word by word."""
        text = "".join(part.text for part in prompt.parts if not part.trusted)
        for piece in re.findall(r"\s*\S+", _answer(text))[:max_tokens]:
            time.sleep(WORD_S)
            if self.stopped.is_set():
                raise Stopped("stopped")
            self._written += 1
            yield Written(piece, math.log(0.5))


def _answer(text: str) -> str:
    """The answer to the last question about a museum in a prompt, "" without one."""
    found = _ASKED.findall(text)
    if not found:
        return ""
    what, name = found[-1]
    museum = museum_of(name)
    return museum.rooms if what == "rooms" else museum.answer


class Forgetful(HashEmbedder):
    """An embedder without a model that keeps nothing of what it embedded."""

    def embed(self, texts: Sequence[str], progress: object = None) -> object:
        """See `rag_geo.embedding.Embedder.embed`."""
        vectors = super().embed(texts)
        self.texts.clear()
        return vectors


def write_documents(folder: Path, people: int) -> Path:
    """Write the document of each person into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for person in range(people):
        museums = [Museum(person, number) for number in range(MUSEUMS)]
        text = "\n\n".join(f"{each.answer} {each.rooms}" for each in museums)
        (folder / file_of(person)).write_text(f"# A guide to museums\n\n{text}\n", encoding="utf-8")
    return folder


def write_long_document(folder: Path, paragraphs: int) -> Path:
    """Write one document with the museums of person 0 far from each other among so many paragraphs."""
    folder.mkdir(parents=True, exist_ok=True)
    every = paragraphs // MUSEUMS
    texts = [
        f"This is paragraph {number} of a long guide. It says nothing of any place." for number in range(paragraphs)
    ]
    for number in range(MUSEUMS):
        texts[number * every + every // 2] = Museum(0, number).answer
    (folder / "guide.txt").write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    return folder


def assistant(folder: Path) -> Assistant:
    """The assistant over the documents of a folder, which are indexed if they have not been."""
    index, embedder = folder / "index", Forgetful(dimension=512)
    if not index.exists():
        update_index(folder / "documents", index, embedder)
    settings = Settings(index=index, cache=folder / "cache")
    return Assistant(Index.open(index, embedder), embedder, Guide(), settings=settings, calibration=CAREFUL)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--people", type=click.IntRange(1, 400), default=16, show_default=True, help="Documents to make.")
def main(folder: Path, people: int) -> None:
    """Serve the chat over FOLDER/documents with a scripted model, and print its address."""
    if not (folder / "documents").exists():
        write_documents(folder / "documents", people)
    run_process(lambda: _serve(folder))


def _serve(folder: Path) -> int:
    from rag_geo.chat.room import House
    from rag_geo.chat.serve import PATIENCE_S, Address, serve

    allow(PATIENCE_S)
    serve(
        lambda: House(lambda _: assistant(folder), examples_after_s=None),
        Address(port=0),
        say=lambda text: click.echo(text, err=True),
        announce=click.echo,
    )
    return 0


if __name__ == "__main__":
    main()

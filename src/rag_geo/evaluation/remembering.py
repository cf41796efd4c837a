"""Language models in front of a language model: one that remembers, one that changes nothing, one that draws tokens.

What a model says is decided by the prompt alone, so that a pipeline that differs from another in one step asks a model
that remembers only for what that step makes different.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_geo.errors import UsageError
from rag_geo.llm import Chosen, Generator, LlamaGenerator, Stopped, Written
from rag_geo.prompts import Prompt
from rag_geo.records import Tokens

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Through:
    """A model that hands everything on to another: what a subclass leaves alone stays as it is."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator

    @property
    def id(self) -> str:
        """See `Generator.id`."""
        return self.generator.id

    @property
    def context_size(self) -> int:
        """See `Generator.context_size`."""
        return self.generator.context_size

    @property
    def tokens(self) -> Tokens:
        """See `Generator.tokens`."""
        return self.generator.tokens

    @property
    def template(self) -> str:
        """See `Generator.template`."""
        return self.generator.template

    def count(self, text: str) -> int:
        """See `Generator.count`."""
        return self.generator.count(text)

    def read(self, prompt: Prompt) -> Iterator[tuple[int, int]]:
        """See `Generator.read`."""
        return self.generator.read(prompt)

    def choose(self, prompt: Prompt, options: Sequence[str]) -> Chosen:
        """See `Generator.choose`."""
        return self.generator.choose(prompt, options)

    def choose_each(self, prompts: Sequence[Prompt], options: Sequence[str]) -> list[Chosen]:
        """See `Generator.choose_each`."""
        return self.generator.choose_each(prompts, options)

    def write(self, prompt: Prompt, max_tokens: int) -> Iterator[Written]:
        """See `Generator.write`."""
        return self.generator.write(prompt, max_tokens)

    def start(self) -> None:
        """See `Generator.start`."""
        self.generator.start()

    def stop(self) -> None:
        """See `Generator.stop`."""
        self.generator.stop()

    def close(self) -> None:
        """See `Generator.close`."""
        self.generator.close()


class Memory:
    """What models said, by what they were asked; with a `path` also in that file, a line of JSON each.

    `kept` counts what was kept since it was opened. A line that an interrupted write cut off is passed over. Raises
    `UsageError` when the file cannot be read.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._said: dict[str, Any] = {}
        self._prompts: set[str] = set()
        self.kept = 0
        if path is None:
            return
        try:
            data = path.read_bytes() if path.exists() else b""
        except OSError as error:
            raise UsageError(f"cannot read {str(path)!r}: {error.strerror}", hint=f"remove {path}") from error
        # What comes next begins on a line of its own.
        self._gap = b"" if data.endswith(b"\n") or not data else b"\n"
        for line in data.splitlines():
            try:
                key, said = json.loads(line)
            except (ValueError, TypeError):
                continue
            self._note(str(key), said)

    def get(self, key: str) -> Any:  # noqa: ANN401 - JSON
        """What was said, or None."""
        return self._said.get(key)

    def knows(self, prompt: str) -> bool:
        """Whether anything was ever asked after this prompt (the part of a key before the first "/")."""
        return prompt in self._prompts

    def keep(self, key: str, said: object) -> None:
        """Remember."""
        self.kept += 1
        self._note(key, said)
        if self._path is None:
            return
        data = self._gap + json.dumps([key, said]).encode() + b"\n"
        self._gap = b""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)

    def _note(self, key: str, said: object) -> None:
        self._said[key] = said
        self._prompts.add(key.partition("/")[0])


class RememberingGenerator(Through):
    """A model that asks `generator` nothing twice: what was chosen or written after exactly this prompt is remembered.

    Reading a prompt after which something was asked before does nothing; what is asked after it and is new is read
    then. Nothing is remembered of what was stopped, failed, or was not listened to until its end. `name` tells answers
    apart in a memory that several models share.
    """

    def __init__(self, generator: Generator, memory: Memory | None = None, *, name: str = "") -> None:
        super().__init__(generator)
        self.memory = Memory() if memory is None else memory
        self._name = name or generator.id
        self._stop = threading.Event()

    def read(self, prompt: Prompt) -> Iterator[tuple[int, int]]:
        """See `Generator.read`."""
        self._check()
        if not self.memory.knows(self._prompt_key(prompt)):
            yield from self.generator.read(prompt)

    def choose(self, prompt: Prompt, options: Sequence[str]) -> Chosen:
        """See `Generator.choose`."""
        self._check()
        key = self._choice_key(prompt, options)
        if self.memory.get(key) is None:
            self.memory.keep(key, _packed(self.generator.choose(prompt, options)))
        return _unpacked(self.memory.get(key))

    def choose_each(self, prompts: Sequence[Prompt], options: Sequence[str]) -> list[Chosen]:
        """See `Generator.choose_each`: those that are new are asked together."""
        self._check()
        keys = [self._choice_key(prompt, options) for prompt in prompts]
        new = {key: prompt for key, prompt in zip(keys, prompts, strict=True) if self.memory.get(key) is None}
        if new:
            for key, chosen in zip(new, self.generator.choose_each(list(new.values()), options), strict=True):
                self.memory.keep(key, _packed(chosen))
        return [_unpacked(self.memory.get(key)) for key in keys]

    def write(self, prompt: Prompt, max_tokens: int) -> Iterator[Written]:
        """See `Generator.write`."""
        self._check()
        key = f"{self._prompt_key(prompt)}/write/{max_tokens}"
        known = self.memory.get(key)
        if known is not None:
            for text, logprob in known:
                self._check()
                yield Written(text, logprob)
            return
        pieces = []
        for piece in self.generator.write(prompt, max_tokens):
            pieces.append(piece)
            yield piece
        self.memory.keep(key, pieces)

    def start(self) -> None:
        """See `Generator.start`."""
        self._stop.clear()
        self.generator.start()

    def stop(self) -> None:
        """See `Generator.stop`."""
        self._stop.set()
        self.generator.stop()

    def _check(self) -> None:
        if self._stop.is_set():
            raise Stopped("stopped")

    def _prompt_key(self, prompt: Prompt) -> str:
        return prompt_key(prompt, self._name)

    def _choice_key(self, prompt: Prompt, options: Sequence[str]) -> str:
        return f"{self._prompt_key(prompt)}/choose/{json.dumps(list(options))}"


def _packed(chosen: Chosen) -> list[object]:
    return [list(chosen.logprobs), base64.b64encode(chosen.state).decode()]


def _unpacked(said: Any) -> Chosen:  # noqa: ANN401 - JSON
    logprobs, state = said
    return Chosen(tuple(logprobs), base64.b64decode(state))


def prompt_key(prompt: Prompt, model: str) -> str:
    """First characters of the SHA-256 of a prompt, to the letter, and of the model that is given it."""
    whole = [model, prompt.lane, prompt.fixed, [[part.text, part.trusted] for part in prompt.parts]]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:32]


def draw_token(
    logits: npt.NDArray[np.floating[Any]], temperature: float, draw: np.random.Generator
) -> tuple[int, float]:
    """Draw a token from ``softmax(logits / temperature)``; gives it with its log-probability at temperature 1.

    By the largest of ``logits / temperature + Gumbel noise`` (Gumbel: Statistical Theory of Extreme Values, 1954).
    """
    import numpy as np

    exact = logits.astype(np.float64)
    token = int((exact / temperature + draw.gumbel(size=len(exact))).argmax())
    top = exact.max()
    return token, float(exact[token] - top - np.log(np.exp(exact - top).sum()))


class DrawingGenerator(LlamaGenerator):
    """llama.cpp drawing each token that it writes at `temperature`, seeded by the prompt and `seed`.

    It is the loaded model `llama` itself, cache and all: only one of the two may be closed.
    """

    __slots__ = ("_draw", "_logprob", "_seed", "_temperature")

    def __init__(self, llama: LlamaGenerator, temperature: float, seed: int = 0) -> None:
        # The same state and no copy of it: what one of them reads, the other has read.
        self.__dict__ = vars(llama)
        self._temperature = temperature
        self._seed = seed
        self._logprob = 0.0
        self._draw: np.random.Generator | None = None

    def write(self, prompt: Prompt, max_tokens: int) -> Iterator[Written]:
        """Continue the prompt with drawn tokens."""
        import numpy as np

        self._draw = np.random.default_rng(int(prompt_key(prompt, str(self._seed)), 16))
        try:
            for piece in super().write(prompt, max_tokens):
                yield piece._replace(logprob=self._logprob)
        finally:
            self._draw = None

    def _logits(self, place: int = -1) -> npt.NDArray[np.float32]:
        """Logits after which the drawn token is the only possible one."""
        import numpy as np

        logits = super()._logits(place)
        if self._draw is None:
            return logits
        token, self._logprob = draw_token(logits, self._temperature, self._draw)
        only = np.full(len(logits), -np.inf, np.float32)
        only[token] = 0
        return only

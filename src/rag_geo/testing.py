"""Shipped fakes: quick, deterministic stand-ins for the models, for tests of anything built on this package."""

from __future__ import annotations

import hashlib
import math
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from rag_geo.embedding import Progress, Vectors
from rag_geo.llm import Chosen, Stopped, Written
from rag_geo.prompts import Lane, Prompt
from rag_geo.records import Tokens


class HashEmbedder:
    """An embedder that needs no model: a signed, hashed bag of words, so that texts with words in common are near.

    `name` tells embedders apart; `max_tokens` counts words. `texts` keeps what was embedded, for tests to look at.
    """

    def __init__(self, name: str = "hash", dimension: int = 64, max_tokens: int = 256) -> None:
        self.id = f"{name}@{dimension}"
        self.dimension = dimension
        self.max_tokens = max_tokens
        self.texts: list[str] = []

    def count_tokens(self, text: str) -> int:
        """Words and single marks of `text`, and two more as if for special tokens."""
        return len(self._words(text)) + 2

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """See `rag_geo.embedding.Embedder.embed`."""
        self.texts.extend(texts)
        out = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for word in self._words(text)[: self.max_tokens - 2]:
                digest = hashlib.sha256(word.encode("utf-8", "replace")).digest()
                out[row, int.from_bytes(digest[:4], "big") % self.dimension] += 1 if digest[4] % 2 else -1
            # A text without words, or whose words cancel out, still has a direction.
            out[row, 0] += 0 if out[row].any() else 1
            out[row] /= np.linalg.norm(out[row])
            if progress:
                progress(row + 1, len(texts))
        return out

    def _words(self, text: str) -> list[str]:
        return re.findall(r"\w+|[^\w\s]", text.casefold())


@dataclass(slots=True)
class ScriptedGenerator:
    """A language model that says what it was told to: `answers` in turn, and log-odds of Yes by lane.

    `odds` gives the log-odds of Yes for each lane ("answer" is the gate): one for every prompt, or a list in order.
    `prompts` keeps every prompt that was read. When `answers` runs out it writes nothing.
    """

    answers: list[str] = field(default_factory=list)
    odds: dict[Lane, float | list[float]] = field(default_factory=dict)
    id: str = "scripted"
    context_size: int = 4096
    template: str = "<|im_start|>"
    prompts: list[Prompt] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    closed: bool = False
    _read: int = 0
    _written: int = 0

    @property
    def tokens(self) -> Tokens:
        """Words read and written."""
        return Tokens(self._read, 0, self._written)

    def count(self, text: str) -> int:
        """Words and single marks."""
        return len(re.findall(r"\w+|[^\w\s]", text))

    def read(self, prompt: Prompt) -> Iterator[tuple[int, int]]:
        """Note the prompt, in two steps."""
        total = sum(self.count(part.text) for part in prompt.parts)
        self.prompts.append(prompt)
        self._read += total
        for done in (total // 2, total):
            if self.stopped.is_set():
                raise Stopped("stopped")
            yield done, total

    def choose(self, prompt: Prompt, options: Sequence[str]) -> Chosen:
        """Log-probabilities whose difference is the scripted log-odds (5 when nothing is scripted); no state."""
        self.prompts.append(prompt)
        scripted = self.odds.get(prompt.lane, 5.0)
        odds = scripted.pop(0) if isinstance(scripted, list) else scripted
        yes = -math.log1p(math.exp(-odds))
        return Chosen((yes, yes - odds, *(-math.inf for _ in options[2:])))

    def choose_each(self, prompts: Sequence[Prompt], options: Sequence[str]) -> list[Chosen]:
        """`choose` for each."""
        return [self.choose(prompt, options) for prompt in prompts]

    def write(self, prompt: Prompt, max_tokens: int) -> Iterator[Written]:
        """The next answer, word by word, each with probability one half."""
        self.prompts.append(prompt)
        text = self.answers.pop(0) if self.answers else ""
        for piece in re.findall(r"\s*\S+", text)[:max_tokens]:
            if self.stopped.is_set():
                raise Stopped("stopped")
            self._written += 1
            yield Written(piece, math.log(0.5))

    def start(self) -> None:
        """See `rag_geo.llm.Generator.start`."""
        self.stopped.clear()

    def stop(self) -> None:
        """See `rag_geo.llm.Generator.stop`."""
        self.stopped.set()

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True

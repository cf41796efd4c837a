"""Shipped fakes: quick, deterministic stand-ins for the models, for tests of anything built on this package."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from rag_geo.embedding import Progress, Vectors


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

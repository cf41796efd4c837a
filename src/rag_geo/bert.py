"""The forward pass of a BERT sentence encoder in NumPy, without padding.

Loading torch and sentence-transformers takes seconds, this takes a tenth of one; and because the texts of a batch lie
one behind the other, no arithmetic is spent on padding. The vectors are those of sentence-transformers to seven digits
(tested). Architecture: Devlin et al., BERT, arXiv:1810.04805; mean pooling: Reimers and Gurevych, arXiv:1908.10084.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]

_BLOCK = 1 << 16  # elements of the activation worked on at a time: they stay in the second level cache


@dataclass(frozen=True, slots=True)
class Dense:
    """``x @ weight.T + bias``; `weight` float32[out, in]."""

    weight: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        """Apply to float32[n, in]."""
        y = x @ self.weight.T
        y += self.bias
        return y


@dataclass(frozen=True, slots=True)
class Norm:
    """Layer normalisation over the last axis, in place."""

    weight: Floats
    bias: Floats
    epsilon: np.float32

    def __call__(self, x: Floats) -> Floats:
        """Apply to float32[n, m]."""
        x -= x.mean(axis=1, keepdims=True)
        variance = np.einsum("ij,ij->i", x, x) / np.float32(x.shape[1])
        x /= np.sqrt(variance + self.epsilon)[:, None]
        x *= self.weight
        x += self.bias
        return x


@dataclass(frozen=True, slots=True)
class Layer:
    """One transformer block: attention and feed-forward, each followed by the residual and a normalisation."""

    attend: Dense
    attended: Dense
    attention_norm: Norm
    widen: Dense
    narrow: Dense
    norm: Norm


@dataclass(frozen=True, slots=True)
class Bert:
    """Weights of an encoder with absolute positions, GELU and mean pooling."""

    words: Floats
    positions: Floats
    norm: Norm
    layers: tuple[Layer, ...]
    heads: int

    def encode(self, texts: Sequence[Ids]) -> Floats:
        """Token ids of each text (special tokens included, none empty) to float32[n, dimension], L2-normalised rows."""
        lengths = [len(ids) for ids in texts]
        starts = np.cumsum(lengths, dtype=np.intp) - np.asarray(lengths, np.intp)
        x = self.words[np.concatenate(texts)]
        x += self.positions[np.concatenate([np.arange(length) for length in lengths])]
        x = self.norm(x)
        for layer in self.layers:
            y = layer.attended(_attention(layer.attend(x), lengths, self.heads))
            y += x
            x = layer.attention_norm(y)
            y = layer.narrow(gelu(layer.widen(x)))
            y += x
            x = layer.norm(y)
        pooled = np.add.reduceat(x, starts) / np.asarray(lengths, np.float32)[:, None]
        pooled /= np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), np.float32(1e-12))
        return np.asarray(pooled, np.float32)


def from_tensors(tensors: Mapping[str, Floats], heads: int, epsilon: float) -> Bert:
    """An encoder from tensors named as in the Hugging Face `BertModel`.

    Raises KeyError when one is missing.
    """

    def dense(name: str) -> Dense:
        return Dense(tensors[f"{name}.weight"], tensors[f"{name}.bias"])

    def norm(name: str) -> Norm:
        return Norm(tensors[f"{name}.weight"], tensors[f"{name}.bias"], np.float32(epsilon))

    def layer(name: str) -> Layer:
        parts = [dense(f"{name}.attention.self.{part}") for part in ("query", "key", "value")]
        attend = Dense(np.concatenate([part.weight for part in parts]), np.concatenate([part.bias for part in parts]))
        return Layer(
            attend,
            dense(f"{name}.attention.output.dense"),
            norm(f"{name}.attention.output.LayerNorm"),
            dense(f"{name}.intermediate.dense"),
            dense(f"{name}.output.dense"),
            norm(f"{name}.output.LayerNorm"),
        )

    names = sorted({int(name.split(".")[2]) for name in tensors if name.startswith("encoder.layer.")})
    return Bert(
        words=tensors["embeddings.word_embeddings.weight"],
        # Every text is of the first segment: its embedding can be added to the positions once and for all.
        positions=tensors["embeddings.position_embeddings.weight"]
        + tensors["embeddings.token_type_embeddings.weight"][0],
        norm=norm("embeddings.LayerNorm"),
        layers=tuple(layer(f"encoder.layer.{number}") for number in names),
        heads=heads,
    )


def gelu(x: Floats) -> Floats:
    """Gaussian error linear unit, in place on a contiguous float32[n, m].

    ``x * Phi(x) = max(x, 0) - |x| * erfc(|x| / sqrt(2)) / 2``, with erfc after Abramowitz and Stegun 7.1.26
    (error below 1.5e-7).
    """
    flat = x.reshape(-1)
    for start in range(0, len(flat), _BLOCK):
        block = flat[start : start + _BLOCK]
        size = np.abs(block)
        t = size * np.float32(0.3275911 * 0.5**0.5)
        t += 1
        np.reciprocal(t, out=t)
        erfc = t * np.float32(1.061405429)
        for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
            erfc += np.float32(coefficient)
            erfc *= t
        np.multiply(size, size, out=t)
        t *= np.float32(-0.5)
        erfc *= np.exp(t, out=t)
        erfc *= size
        erfc *= np.float32(0.5)
        np.maximum(block, 0, out=block)
        block -= erfc
    return x


def _attention(projected: Floats, lengths: Sequence[int], heads: int) -> Floats:
    """Self-attention within each text; `projected` holds queries, keys and values side by side: float32[tokens, 3d]."""
    width = projected.shape[1] // 3
    size = width // heads
    out = np.empty((len(projected), width), np.float32)
    start = 0
    for length, run in groupby(lengths):
        count = sum(1 for _ in run)
        end = start + length * count
        parts = projected[start:end].reshape(count, length, 3, heads, size).transpose(2, 0, 3, 1, 4)
        scores = parts[0] @ parts[1].swapaxes(2, 3)
        scores *= np.float32(size**-0.5)
        scores -= scores.max(axis=3, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=3, keepdims=True)
        out[start:end] = (scores @ parts[2]).transpose(0, 2, 1, 3).reshape(-1, width)
        start = end
    return out

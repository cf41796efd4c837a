"""What the head of a GGUF file says, read without llama.cpp: enough to refuse a model before anything of it is loaded.

Only the values in front of the vocabulary are read, which is where llama.cpp's converters put what is asked for here.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rag_geo.errors import ModelError

MAGIC = b"GGUF"
VERSIONS = (2, 3)

_WINDOW = 1 << 20
_VOCABULARY = "tokenizer."
_TEXT, _ARRAY = 8, 9
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_BYTES_A_NUMBER = 2  # the cache holds half-precision numbers
_PART = re.compile(r"-[0-9]{5}-of-([0-9]{5})\.gguf")
_HINT = "rag-geo models list names the models that work"


@dataclass(frozen=True, slots=True)
class Head:
    """The values of a GGUF file by name, as far as they stand in front of its vocabulary; none are trusted."""

    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def architecture(self) -> str:
        """The kind of model, such as "qwen2"; "" when the file does not say."""
        found = self.values.get("general.architecture")
        return found if isinstance(found, str) else ""

    @property
    def writes(self) -> bool:
        """Whether it writes text; one that only makes vectors sees what comes after a word, or sums up what it read."""
        pooling = self._number("pooling_type")
        sees_ahead = self._value("attention.causal") is False
        return not (sees_ahead or pooling > 0 or "bert" in self.architecture or self.architecture == "t5encoder")

    def cache_bytes(self, context_size: int) -> int:
        """Bytes that the model keeps of `context_size` tokens; 0 when the file does not say what it takes."""
        heads, width = self._number("attention.head_count"), self._number("embedding_length")
        each = width // heads if heads else 0
        numbers = (self._number("attention.key_length") or each) + (self._number("attention.value_length") or each)
        by_layer = self._value("attention.head_count_kv")
        if isinstance(by_layer, list):
            kept = sum(_counts(by_layer))
        else:
            kept = (self._number("attention.head_count_kv") or heads) * self._number("block_count")
        return _BYTES_A_NUMBER * context_size * kept * numbers

    def _value(self, name: str) -> object:
        return self.values.get(f"{self.architecture}.{name}")

    def _number(self, name: str) -> int:
        """A count; of a list, one for each layer, the largest; 0 for anything else."""
        value = self._value(name)
        return max(_counts(value if isinstance(value, list) else [value]), default=0)


def read_head(path: Path) -> Head:
    """Read the head of a file. Raises ValueError for one that is none, OSError when it cannot be read."""
    with path.open("rb") as stream:
        data = stream.read(_WINDOW)
    values: dict[str, object] = {}
    reader = _Reader(data)
    try:
        if reader.take(len(MAGIC)) != MAGIC:
            raise ValueError("it does not begin with GGUF")
        version = reader.number("I")
        if version not in VERSIONS:
            raise ValueError(f"it is of version {version}")
        reader.number("Q")
        for _ in range(reader.number("Q")):
            name = reader.text()
            if name.startswith(_VOCABULARY):
                break
            values[name] = reader.value(reader.number("I"))
    except EOFError:
        if len(data) < _WINDOW:
            raise ValueError("the file ends in the middle of it") from None
    return Head(values)


def check_kind(path: Path) -> Head:
    """Give the head of a model that writes text; its architecture is left to llama.cpp, which knows which it can load.

    Raises ModelError for a damaged head, for one of several files, and for a model that only makes vectors.
    """
    part = _PART.search(path.name)
    if part and int(part[1]) > 1:
        # llama.cpp would load the others with it, whose hashes nobody checked.
        raise ModelError(
            f"{str(path)!r} is one of {int(part[1])} files of a model, expected a model in one file",
            hint="llama-gguf-split --merge puts them together",
        )
    try:
        head = read_head(path)
    except ValueError as error:
        raise ModelError(f"the head of {str(path)!r} is damaged: {error}", hint=_HINT) from error
    except OSError as error:
        raise ModelError(f"model file {str(path)!r} cannot be read: {error.strerror or error}", hint=_HINT) from error
    if not head.writes:
        raise ModelError(
            f"{str(path)!r} makes vectors and writes no text ({head.architecture}), expected a model that answers",
            hint=_HINT,
        )
    return head


class _Reader:
    """Takes values from the beginning of a file, never more than there is; raises EOFError at its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        if size > len(self._data) - self._at:
            raise EOFError
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, code: str) -> int:
        """An integer, or what else `code` stands for."""
        found: int = struct.unpack(f"<{code}", self.take(struct.calcsize(code)))[0]
        return found

    def text(self) -> str:
        return self.take(self.number("Q")).decode("utf-8", "replace")

    def value(self, kind: int) -> object:
        if kind == _TEXT:
            return self.text()
        if kind == _ARRAY:
            inner, count = self.number("I"), self.number("Q")
            if inner == _ARRAY:
                raise ValueError("it has a list of lists")
            # Each element takes a byte at least: a count that lies ends here and not in a day.
            if count > len(self._data) - self._at:
                raise EOFError
            return [self.value(inner) for _ in range(count)]
        if kind not in _NUMBERS:
            raise ValueError(f"it has a value of the unknown type {kind}")
        return self.number(_NUMBERS[kind])


def _counts(values: list[object]) -> list[int]:
    """Those of the values that can be counts."""
    return [one for one in values if isinstance(one, int) and not isinstance(one, bool) and one >= 0]

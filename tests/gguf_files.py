"""GGUF files with a head of the test's own and nothing behind it."""

from __future__ import annotations

import struct
from collections.abc import Mapping

TEXT, LIST, NUMBER, TRUTH = 8, 9, 4, 7


def gguf(values: Mapping[str, object], *, version: int = 3) -> bytes:
    """A file that has these values and no tensors."""
    pairs = b"".join(_text(name) + _value(value) for name, value in values.items())
    return b"GGUF" + struct.pack("<IQQ", version, 0, len(values)) + pairs


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: object) -> bytes:
    match value:
        case bool():
            return struct.pack("<I?", TRUTH, value)
        case int():
            return struct.pack("<II", NUMBER, value)
        case str():
            return struct.pack("<I", TEXT) + _text(value)
        case [str(), *_]:
            return struct.pack("<IIQ", LIST, TEXT, len(value)) + b"".join(map(_text, value))
        case list():
            return struct.pack(f"<IIQ{len(value)}I", LIST, NUMBER, len(value), *value)
    raise TypeError(value)

"""Bytes to characters: which encoding a file is in, or that it is no text at all."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MAGIC = (
    b"\x7fELF", b"\x89PNG\r\n", b"GIF87a", b"GIF89a", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b\x08", b"%PDF-",
    b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"SQLite format 3\x00",
    b"\xca\xfe\xba\xbe", b"\x00asm", b"GGUF", b"RIFF", b"OggS", b"ID3", b"\xd0\xcf\x11\xe0",
)  # fmt: skip
_SAMPLE = 1 << 16
_TEXT_CONTROLS = bytes(set(range(0x20)) - set(b"\t\n\v\f\r\x1b\x00"))
# Names that a page may declare and that cannot do harm; "punycode" or "unicode_escape" are codecs, too.
DECLARABLE = re.compile(
    r"utf-?8|iso-?8859-?\d{1,2}|(?:windows|cp)-?\d{3,4}|latin-?\d{1,2}|koi8-[ru]|big5(?:-?hkscs)?|gb(?:2312|k|18030)"
    r"|euc-(?:jp|kr)|shift[_-]jis|macintosh|us-ascii|ascii|iso-2022-jp"
)
_DECLARED = re.compile(rb"<meta[^>]{0,500}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text without its byte order mark, the encoding it was in, and what the reader should be told about it."""

    text: str
    encoding: str
    warnings: tuple[str, ...] = ()


def decode(data: bytes, *, declared: str = "") -> Decoded | None:
    """The text of `data`, or None when it is not text.

    Tried in order: byte order mark, UTF-16 by the place of its zero bytes, UTF-8, the encoding a page declares
    (`declared`), a guess from the bytes, and UTF-8 with replacement characters, whose number is then a warning.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _with_replacement(data[len(mark) :], encoding)
    wide = _wide_encoding(data[:_SAMPLE])
    if wide:
        return _with_replacement(data, wide)
    if looks_binary(data):
        return None
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        return _decode_other(data, declared)


def declared_encoding(data: bytes) -> str:
    """The character set that an HTML page declares in its first 4,096 bytes, or ""."""
    found = _DECLARED.search(data, 0, 4096)
    return found[1].decode("ascii").lower() if found else ""


def looks_binary(data: bytes) -> bool:
    """Whether `data` begins like a known binary format, or holds more zero or control bytes than any text does."""
    if data.startswith(_MAGIC):
        return True
    if data.count(0) > max(2, len(data) // 200):
        return True
    sample = data[:_SAMPLE]
    return len(sample) - len(sample.translate(None, _TEXT_CONTROLS)) > max(2, len(sample) // 50)


def _wide_encoding(sample: bytes) -> str:
    """UTF-16 without a mark: Latin letters, digits and spaces leave a zero in every other byte, hardly any between."""
    pairs = len(sample) // 2
    if pairs < 4:
        return ""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    for encoding, many, few in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if many > 0.3 * pairs and few <= 0.02 * pairs:
            return encoding
    return ""


def _decode_other(data: bytes, declared: str) -> Decoded:
    """Not valid UTF-8: damaged UTF-8, or one of the older encodings."""
    replaced = _with_replacement(data, "utf-8")
    lost = replaced.text.count("\ufffd")
    beyond_ascii = sum(1 for character in replaced.text[: 4 * _SAMPLE] if character > "\x7f" and character != "\ufffd")
    if beyond_ascii > 2 * lost:
        return replaced
    if declared and DECLARABLE.fullmatch(declared):
        encoding = "cp1252" if declared in ("iso-8859-1", "latin1", "latin-1", "us-ascii", "ascii") else declared
        try:
            return Decoded(data.decode(encoding), encoding)
        except (UnicodeDecodeError, LookupError):
            pass
    guess = _guess(data)
    return guess or replaced


def _guess(data: bytes) -> Decoded | None:
    """A guess from the bytes around the first one beyond ASCII."""
    from charset_normalizer import from_bytes

    first = next((at for at, byte in enumerate(data) if byte > 0x7F), 0)
    sample = data[max(0, first - 2048) : first + _SAMPLE // 2]
    best = from_bytes(sample).best()
    # A short Western text gives the guesser nothing to hold on to, and Windows-1252 is by far the most common.
    names = ["cp1252"] if best is None or best.coherence < 0.2 else [best.encoding]
    for name in [*names, "cp1252"]:
        try:
            return Decoded(data.decode(name), name, (f"not UTF-8; read as {name}, which is a guess",))
        except (UnicodeDecodeError, LookupError):
            continue
    return None


def _with_replacement(data: bytes, encoding: str) -> Decoded:
    text = data.decode(encoding, "replace")
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        lost = max(1, text.count("\ufffd"))
        noun = "place that is" if lost == 1 else "places that are"
        return Decoded(text, encoding, (f"{lost} {noun} not valid {encoding.upper()} shown as \ufffd",))
    return Decoded(text, encoding)

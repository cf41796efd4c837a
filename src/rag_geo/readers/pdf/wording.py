"""The words of a PDF: ligatures and odd spaces made plain, and lines joined again where a word was broken."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence, Set

_LIGATURES = {
    0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st",
    0x00A0: " ", 0x2007: " ", 0x2009: " ", 0x200A: " ", 0x202F: " ", 0x2011: "-", 0x2010: "-", 0x00AD: "-",
}  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_TAIL = re.compile(r"([^\W_]+(?:-[^\W_]+)*)[-\u2010\u00ad]$")
_HEAD = re.compile(r"[^\W_]+")
_LEADERS = re.compile(r"(?:\s?[.·…_]\s?){4,}")
_SPLIT_ADDRESS = re.compile(r"(?:https?://|www\.)\S*[/?=&_-]$")
_JOINING_DASH = re.compile(r"\S[–—]$")
_WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60\u3000-\u30ff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def _set(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_KEEPS_AFTER = _set("well self non ex half cross quasi all ill so-called vice e x t u")
_KEEPS_BEFORE = _set(
    """
    based like free specific related oriented known term level time scale world old year made quality party driven
    called size sized class purpose effective friendly dependent independent aware style
    """
)
_SHARED_ENDINGS = _set("und oder bzw sowie and or y et ou o e to")


def plain(text: str) -> str:
    """`text` with ligatures as letters and one space between words."""
    if not text.isascii():
        if _SURROGATE.search(text):
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        text = unicodedata.normalize("NFC", text.translate(_LIGATURES))
    return _LEADERS.sub(" … ", " ".join(text.split())).strip()


def vocabulary(lines: Iterable[str]) -> frozenset[str]:
    """The words of the document as they stand within its lines, lower case; with hyphens where they have some."""
    found: set[str] = set()
    for line in lines:
        found.update(word.lower() for word in _WORD.findall(line))
    return frozenset(found)


def join_lines(lines: Sequence[str], words: Set[str]) -> str:
    """The lines of a paragraph as one; `words` is the vocabulary that says whether a hyphen belongs to the word."""
    pieces: list[str] = []
    last = ""
    for line in lines:
        if not line:
            continue
        if last:
            glue, cut = _seam(last, line, words)
            if cut:
                pieces[-1] = pieces[-1][:-1]
            pieces.append(glue)
        pieces.append(line)
        # A seam looks at a word on each side: the last one may itself have been joined.
        last = line if " " in line or not last else (last + line)[-200:]
    return "".join(pieces)


def _seam(before: str, after: str, words: Set[str]) -> tuple[str, bool]:
    """What stands between two lines, and whether the hyphen at the end of the first is dropped."""
    end = before[-200:]
    tail = _TAIL.search(end)
    head = _HEAD.match(after)
    if tail and head:
        if head[0].lower() in _SHARED_ENDINGS and head[0].islower() and (tail[1] + head[0]).lower() not in words:
            return " ", False
        return "", not _keeps_hyphen(tail[1], head[0], words)
    if _JOINING_DASH.search(end) or _SPLIT_ADDRESS.search(end.rpartition(" ")[2]):
        return "", False
    if end.endswith("-") and len(end) > 1 and not end[-2].isspace() and head:
        return "", False
    return ("" if _WIDE.match(after) and _WIDE.match(before[-1]) else " "), False


def _keeps_hyphen(tail: str, head: str, words: Set[str]) -> bool:
    if not head[0].islower() or tail[-1].isdigit() or head[0].isdigit():
        return True
    whole, parts = f"{tail}{head}".lower(), f"{tail}-{head}".lower()
    if whole in words or parts in words:
        return whole not in words
    return "-" in tail or tail.lower() in _KEEPS_AFTER or head.lower() in _KEEPS_BEFORE

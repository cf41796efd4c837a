"""Find a quotation in a text, word for word.

Never fuzzy: white space may differ in kind and length, and quotation marks and dashes in their typographic form.
A changed letter, case, digit or word, or a missing one, is no match.
"""

from __future__ import annotations

import re

from rag_geo.records import Span
from rag_geo.text.folding import QUOTES_AND_DASHES


def locate_quote(quote: str, text: str) -> Span | None:
    """The first place in `text` that holds `quote` verbatim, or None.

    A match starts and ends at the edge of a word: "5.7 billion" is not found in "15.7 billion", nor "safe" in "unsafe".
    """
    words = quote.translate(QUOTES_AND_DASHES).split()
    if not words:
        return None
    plain = text.translate(QUOTES_AND_DASHES)
    exact = re.compile(r"\s+".join(map(re.escape, words)))
    at = 0
    while found := exact.search(plain, at):
        if _whole(plain, *found.span()):
            return Span(*found.span())
        at = found.start() + 1
    return None


def _whole(text: str, start: int, end: int) -> bool:
    return not _inside(text, start) and not _inside(text, end)


def _inside(text: str, at: int) -> bool:
    """Whether a cut at offset `at` would cut a word or a number in two."""
    if at in (0, len(text)):
        return False
    before, after = text[at - 1], text[at]
    if before.isalnum() and after.isalnum():
        return not (_unspaced(before) or _unspaced(after))
    if before in ".," and after.isdigit():
        return at >= 2 and text[at - 2].isdigit()
    if after in ".," and before.isdigit():
        return at + 1 < len(text) and text[at + 1].isdigit()
    return False


def _unspaced(character: str) -> bool:
    """Whether the script puts no space between words (Thai, Lao, Khmer, kana, Han)."""
    return "\u0e00" <= character <= "\u0eff" or "\u1780" <= character <= "\u17ff" or "\u3040" <= character <= "\u9fff"

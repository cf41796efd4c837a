"""The words of a text as they are matched: without stop words, accents, case and inflection."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from rag_geo.text.facts import fold_name

_FUNCTION_WORDS = """
a about above after again against all also am an and any are as at be because been before being below between both but
by can could did do does doing down during each few for from further had has have having he her here hers him his how
i if in into is it its itself just me more most my no nor not now of off on once only or other our ours out over own s
same she should so some such t than that the their theirs them themselves then there these they this those through to
too under until up us very was we were what when where which while who whom whose why will with would you your yours
"""
_STOP_WORDS = frozenset(_FUNCTION_WORDS.split())
# Numbers with their separators; single characters of scripts without spaces; words of any other script.
_TERM = re.compile(
    r"\d+(?:[.,]\d+)*(?![^\W\d_])|[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+"
)
_DOTTED = re.compile(r"\b(?:[A-Z]\.){2,}")


def terms(texts: Sequence[str], language: str = "en") -> list[list[str]]:
    """The words of each text as they are matched: without stop words, accents, case and inflection.

    `language` (ISO 639-1) is that of the texts; one without rules here is read as English. In English a demonym is its
    country ("Chinese" is "China"), and "U.S." is "US", which is no stop word when written in capitals.
    """
    return [[fold_name(word) for word in _words(text)] for text in texts]


def query_terms(query: str, languages: Sequence[str]) -> list[str]:
    """The words of a question to texts in these languages, each once."""
    return list(dict.fromkeys(terms([query])[0]))


def _words(text: str) -> list[str]:
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    found = _TERM.findall(_DOTTED.sub(lambda match: match[0].replace(".", ""), text))
    lower = (word.replace(",", "").casefold() for word in found)
    return [
        low
        for word, low in zip(found, lower, strict=True)
        if low not in _STOP_WORDS or (len(word) > 1 and word.isupper())
    ]

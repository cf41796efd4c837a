"""The words of a text as they are matched: without stop words, accents, case and inflection, by its language.

English has rules of its own (`rag_geo.text.facts`: irregular forms, spellings, demonyms). Other languages lose their
stop words and go through their Snowball stemmer, where there is one, before accents are dropped: the stemmers know
endings with their accents. Chinese and Japanese are written without spaces: every Chinese character is a term, and so
is every pair of neighbours, which is more often a word; in Korean the pairs within a word are terms beside the word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING

from rag_geo.text.facts import fold_name
from rag_geo.text.languages import STOP_WORDS, language_of, language_within

if TYPE_CHECKING:
    import Stemmer

# Numbers with their separators; single characters of scripts without spaces; words of any other script.
_TERM = re.compile(
    r"\d+(?:[.,]\d+)*(?![^\W\d_])|[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+"
)
_DOTTED = re.compile(r"\b(?:[A-Z]\.){2,}")

# As `_TERM`, but a run of Chinese and Japanese is one find, and vowel signs of Indic scripts and Thai are letters.
_FOUND = re.compile(
    r"(?P<number>\d++(?:[.,]\d++)*+)(?![^\W\d_\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff])"
    r"|(?P<run>[\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff]+)"
    r"|(?P<word>(?:[\u0900-\u0963\u0966-\u0dff\u0e00-\u0e7f]|[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])+)"
)
_HAN = re.compile("[\u3005\u3400-\u9fff\uf900-\ufaff]")
_HANGUL = re.compile("[\uac00-\ud7a3]{2,}")
_MARKS = re.compile("[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]")
_ARABIC_MARKS = re.compile("[\u0610-\u061a\u0640\u064b-\u0652\u0670]")
"""Vowels and the stroke that lengthens a word: most texts are written without them."""

_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:[.\u00a0\u202f ]\d{3})+(?!\d|\.\d)")
_STEMMERS = {
    "de": "german",
    "es": "spanish",
    "fr": "french",
    "it": "italian",
    "pt": "portuguese",
    "nl": "dutch",
    "ru": "russian",
    "ar": "arabic",
}
_DECIMAL_COMMA = frozenset({"de", "es", "fr", "it", "pt", "nl", "ru", "uk", "bg", "be", "sr", "mk", "kk", "el"})
_OWN_RULES = frozenset({*_STEMMERS, *_DECIMAL_COMMA, "zh", "ja", "ko", "fa", "ur", "he", "hi", "bn", "ta", "te", "th"})
_LATIN_SCRIPT = frozenset({"de", "es", "fr", "it", "pt", "nl"})
_PIECE = 1 << 20
_lock = Lock()


def terms(texts: Sequence[str], language: str = "en") -> list[list[str]]:
    """The words of each text as they are matched: without stop words, accents, case and inflection.

    `language` (ISO 639-1) is that of the texts; one without rules here is read as English. In English a demonym is its
    country ("Chinese" is "China"), and "U.S." is "US", which is no stop word when written in capitals.
    """
    if language in _OWN_RULES:
        return [[term for term in _foreign(text, language) if term] for text in texts]
    return [
        _english(text) if len(text) <= _PIECE else [term for piece in _pieces(text) for term in _english(piece)]
        for text in texts
    ]


def _pieces(text: str) -> Iterator[str]:
    """A long text in pieces that end with a space, so that not every word of it is in memory twice."""
    start = 0
    while (space := text.find(" ", start + _PIECE)) >= 0:
        yield text[start : space + 1]
        start = space + 1
    yield text[start:]


def query_terms(query: str, languages: Sequence[str]) -> list[str]:
    """The words of a question to texts in these languages, each once.

    A question that is clearly in one of them is read in it; any other in all of those that are written in its script,
    English if there are none.
    """
    own = language_of(query)
    fitting = [language for language in languages if language_within(query, language) == language]
    read_in = [own] if own in languages else fitting or ["en"]
    return list(dict.fromkeys(term for language in read_in for term in terms([query], language)[0]))


def _english(text: str) -> list[str]:
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    found = _TERM.findall(_without_dots(text))
    lower = (word.replace(",", "").casefold() for word in found)
    stop_words = STOP_WORDS["en"]
    return [
        fold_name(low)
        for word, low in zip(found, lower, strict=True)
        if low not in stop_words or (len(word) > 1 and word.isupper())
    ]


def _without_dots(text: str) -> str:
    return _DOTTED.sub(lambda match: match[0].replace(".", ""), text)


def _foreign(text: str, language: str) -> Iterator[str]:
    text = _without_dots(unicodedata.normalize("NFKC", text))
    if language == "ar":
        text = _ARABIC_MARKS.sub("", text)
    if language in _DECIMAL_COMMA:
        text = _THOUSANDS.sub(lambda match: re.sub(r"\D", "", match[0]), text)
    for found in _FOUND.finditer(text):
        if number := found["number"]:
            yield _number(number, language)
        elif found["run"]:
            yield from _characters(found["run"], language)
        else:
            yield from _word(found["word"], language)


def _number(number: str, language: str) -> str:
    """With the digits 0 to 9 and a point before the fraction."""
    plain = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in number)
    return plain.replace(",", "." if language in _DECIMAL_COMMA else "")


def _characters(run: str, language: str) -> Iterator[str]:
    """The Chinese characters of a run of Chinese or Japanese, in these languages also its pairs of neighbours."""
    if language not in ("zh", "ja"):
        yield from run
        return
    stop = STOP_WORDS.get(language, frozenset())
    for character in run:
        if _HAN.match(character) and character not in stop:
            yield character
    for first, second in pairwise(run):
        yield first + second


def _word(word: str, language: str) -> Iterator[str]:
    low = word.lower()
    kept = len(word) > 1 and word.isupper()
    if word.isascii() and language not in _LATIN_SCRIPT:
        # A foreign name or term in a text of another script: most likely as English texts have it.
        if kept or low not in STOP_WORDS["en"]:
            yield fold_name(low)
        return
    if low in _stop_words(language) and not kept:
        return
    yield _base(low, language)
    if language == "ko":
        for part in _HANGUL.findall(word):
            if len(part) > 2:
                yield from (first + second for first, second in pairwise(part))


@cache
def _stop_words(language: str) -> frozenset[str]:
    words = STOP_WORDS.get(language, frozenset())
    # The hamza of an alef is often left out in writing.
    return words | frozenset(map(_fold, words)) if language == "ar" else words


@lru_cache(maxsize=65536)
def _base(word: str, language: str) -> str:
    """The stem of a word in lower case, without accents."""
    if language == "ru":
        word = word.replace("ё", "е")
    if language in _STEMMERS:
        stemmer = _stemmer(_STEMMERS[language])
        with _lock:
            word = str(stemmer.stemWord(word))
    return _fold(word)


@cache
def _stemmer(name: str) -> Stemmer.Stemmer:
    import Stemmer

    return Stemmer.Stemmer(name)


def _fold(word: str) -> str:
    """Without accents and other marks that are often left out in writing."""
    if word.isascii():
        return word
    return unicodedata.normalize("NFKC", _MARKS.sub("", unicodedata.normalize("NFKD", word))).casefold()

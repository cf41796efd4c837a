"""Whether a sentence denies something, in languages other than English, by its words alone.

Coarser than the rules for English (`rag_geo.text.relations`), which know what a negation covers: here a sentence denies
something or it does not.
"""

from __future__ import annotations

import re

_WORDS = {
    "de": "nicht nichts kein keine keinen keinem keiner keines nie niemals niemand niemanden niemandem ohne weder",
    "es": "no nunca jamás nadie nada ningún ninguna ninguno sin tampoco",
    "fr": "ne n pas jamais aucun aucune personne rien sans",
    "it": "non mai nessun nessuna nessuno niente nulla senza né",
    "pt": "não nunca jamais nenhum nenhuma ninguém nada sem nem",
    "nl": "niet niets geen nooit niemand nergens zonder",
    "ru": "не ни нет никогда никто никого ничего нигде без нельзя",
    "ar": "لا لم لن ليس ليست ليسوا غير بدون دون",
}
CUES = {language: frozenset(words.split()) for language, words in _WORDS.items()}
"""The words that deny, by language; Chinese has characters instead."""

_CHINESE = re.compile("[不没沒未无無非]")
# "Not only … but": nothing is denied. Words that only hold the character, as 非洲 (Africa) and 未来 (future) do.
_NO_DENIAL = {
    "de": re.compile(r"\bnicht (?:nur|zuletzt|allein)\b"),
    "es": re.compile(r"\bno (?:s[oó]lo|solamente|únicamente)\b"),
    "fr": re.compile(r"\bnon seulement\b|\bne\b[^.,;]*?\bque\b|\bn['’][^.,;]*?\bque\b|\bpersonnes\b"),
    "it": re.compile(r"\bnon (?:solo|soltanto|solamente)\b"),
    "pt": re.compile(r"\bnão (?:só|apenas|somente)\b"),
    "nl": re.compile(r"\bniet alleen\b"),
    "ru": re.compile(r"\bне только\b"),
    "ar": re.compile("(?:ليس|ليست|لا|لم) فقط|على غير"),
    "zh": re.compile("不仅|不僅|不但|不只|不同|不断|不斷|非常|非洲|未来|未來|无线|除非|不过|不過"),
}
_WORD = re.compile(r"[^\W_]+")

LANGUAGES = frozenset(_NO_DENIAL)
"""ISO 639-1 codes of the languages that are known here."""


def denies(text: str, language: str) -> bool:
    """Whether something is denied in `text`; raises KeyError for a language that is not in `LANGUAGES`."""
    folded = _NO_DENIAL[language].sub(" ", text.casefold())
    if language == "zh":
        return bool(_CHINESE.search(folded))
    return not CUES[language].isdisjoint(_WORD.findall(folded))

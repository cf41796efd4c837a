"""True sentences made false in one place: what a check of sentences against their source has to notice.

Written without the program's own reading of names and numbers (`rag_geo.text.facts`), so that a blind spot there is
not one here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterable, Sequence

from rag_geo.text.quantities import listed

CORRUPTIONS = ("number", "name", "negation", "swapped-citation")

_NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)*(?!\w)")
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
_SPELLED = listed("two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty")
_SPELLED_NUMBER = re.compile(rf"\b(?:{'|'.join(_SPELLED)})\b", re.IGNORECASE)
_NAME = re.compile(r"\b[A-Z][a-z]+(?:[ -](?:of the |of )?[A-Z][a-z]+)*\b")
_AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|has|have|had|will|would|can|could|should|may|might|must|does|did)\b(?! (?:only|not|never)\b)"
)
_PARTICIPLE = re.compile(
    r"\s+(?:\w+ly\s+|also\s+|now\s+|since\s+|long\s+)?"
    r"(?:\w+ed|\w+en|\w+own|gone|done|made|said|come|become|led|kept|built|sent|put|"
    r"set|met|held|left|lost|won|begun|found|fought|brought|paid|sold|told|cut|had|spent|read|run|bought|caught|stood)\b"
)
_DO = {"has": "does not have", "have": "do not have", "had": "did not have"}
_DENIAL = re.compile(r"\b(?:does not|do not|did not) (?=\w)|(?<=\w) (?:not|never)\b|\bcannot\b")
_MONTHS = frozenset(listed("january february march april may june july august september october november december"))
_OPENINGS = frozenset(listed("the a an this that these those it he she they in on at by for from as but and according"))


def change_number(sentence: str, source: str, draw: random.Random) -> str | None:
    """Change one number: a digit of it, or a spelled one for another; the new one is not in the source.

    None if there is no number.
    """
    places = [*_NUMBER.finditer(sentence), *_SPELLED_NUMBER.finditer(sentence)]
    draw.shuffle(places)
    for place in places:
        for other in _other_numbers(place[0], draw):
            if not re.search(rf"(?<![\w.,]){re.escape(other)}(?!\w)", f"{sentence}\n{source}", re.IGNORECASE):
                return sentence[: place.start()] + other + sentence[place.end() :]
    return None


def _other_numbers(number: str, draw: random.Random) -> list[str]:
    if number[0].isalpha():
        others = [word for word in _SPELLED if word != number.lower()]
        draw.shuffle(others)
        return [word.capitalize() if number[0].isupper() else word for word in others]
    digits = [place for place, character in enumerate(number) if character.isdigit()]
    if _YEAR.fullmatch(number):
        digits = digits[2:]  # a year that might be
    found = []
    for place in draw.sample(digits, len(digits)):
        # No leading zero, and no other number of digits.
        for digit in draw.sample("123456789", 9):
            if digit != number[place]:
                found.append(number[:place] + digit + number[place + 1 :])
    return found


def name_pool(sentences: Iterable[str], ordinary: Collection[str] = ()) -> tuple[str, ...]:
    """Give the names in sentences, each once and in order: runs of capitalised words, none of them only `ordinary`."""
    found = dict.fromkeys(text[start:end] for text in sentences for start, end in _names(text))
    return tuple(name for name in found if not all(word.casefold() in ordinary for word in re.findall(r"\w+", name)))


def _names(sentence: str) -> list[tuple[int, int]]:
    """Runs of capitalised words as (start, end); a single one that opens the sentence need not be a name."""
    found = []
    for match in _NAME.finditer(sentence):
        start, opens = match.start(), not sentence[: match.start()].strip(" \"'“‘(")
        first = re.match(r"[A-Z][a-z]+", match[0])
        if opens and first and first[0].casefold() in _OPENINGS:
            start += first.end() + 1
        if match[0].casefold() in _MONTHS:
            continue
        if start < match.end() and (start > match.start() or not opens or " " in match[0]):
            found.append((start, match.end()))
    return found


def change_name(sentence: str, source: str, pool: Sequence[str], draw: random.Random) -> str | None:
    """Put another name of as many words in the place of one; the source has none of its words. None without a name."""
    places = _names(sentence)
    draw.shuffle(places)
    known = {word.casefold()[:4] for word in re.findall(r"\w+", f"{sentence}\n{source}")}
    for start, end in places:
        size = len(sentence[start:end].split())
        others = [
            name
            for name in pool
            if len(name.split()) == size and not any(word.casefold()[:4] in known for word in re.findall(r"\w+", name))
        ]
        if others:
            return sentence[:start] + draw.choice(others) + sentence[end:]
    return None


def change_negation(sentence: str, draw: random.Random) -> str | None:
    """Deny what is affirmed: "not" behind an auxiliary; or affirm what is denied. None if there is nothing to turn."""
    denials = list(_DENIAL.finditer(sentence))
    if denials:
        place = draw.choice(denials)
        return sentence[: place.start()] + ("can" if place[0] == "cannot" else "") + sentence[place.end() :]
    places = list(_AUXILIARY.finditer(sentence))
    if not places:
        return None
    place = places[0]
    denied = f"{place[0]} not"
    if place[0] in _DO and not _PARTICIPLE.match(sentence, place.end()):
        denied = _DO[place[0]]
    return sentence[: place.start()] + denied + sentence[place.end() :]

"""What a pronoun may point to in a question, beyond its names: a name with its noun, a word that may name somebody.

"The Geneva summit" is meant as a whole, not "the Geneva", and "gabuev" may be a name though it is written small. Rules
on the surface that know few nouns: a name before words of which none is known for a noun keeps them only where the
sentence leaves no other reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from rag_geo.text import countries
from rag_geo.text.mentions import (
    ATTRIBUTES,
    AUXILIARY,
    PEOPLE,
    PLACES,
    PREPOSITION,
    STOPS,
    THINGS,
    THOUGHT,
    VERBS,
    Mention,
    Sort,
    is_plural,
    mentions,
)
from rag_geo.text.quantities import listed

GROUPS = frozenset(
    listed("""committee council commission parliament congress senate board government cabinet ministry agency union
    party team crew jury panel court company firm group alliance army navy police family band orchestra choir club
    league association delegation coalition opposition administration staff majority minority public organisation
    organization couple pair duo trio gang tribe""")
)
"""Nouns, lower case, of several who act as one and may be called "they"."""
_EVENTS_AND_WORKS = frozenset(
    listed("""summit summits conference conferences meeting talks crisis affair scandal incident disaster accident
    battle siege uprising revolt revolution massacre trial election elections referendum exercise exercises exhibition
    fair games match race tournament season tour mission missions expedition attack attacks raid bombing blockade
    strike strikes sanctions agreements accords treaties doctrine declaration statement speech letter letters memo
    papers files archive index effect theory law laws rule rules principle theorem method model engine system systems
    process deal deals contract fund funds office offices branch headquarters studio factory plant mine dam reactor
    station hotel hospital school library theatre theater opera gallery palace castle house gate square street market
    stadium park garden gardens zoo base border economy administration cabinet ministry navy army fleet police embassy
    delegation team orchestra choir band family dynasty empire wreck ship ships missile missiles rocket telescope
    satellite virus vaccine novel film movie series song album show paper magazine website campaign movement doctrine
    line corridor route pass""")
)
_HEADS = (THINGS | PLACES | PEOPLE | GROUPS | _EVENTS_AND_WORKS) - {"will"}
_NOUN_OR_VERB = _HEADS & (VERBS | frozenset(listed("project report book post act journal review group strike")))
_PARTICIPLES = frozenset(
    listed("""sunk torn kept begun drawn held won shown known given taken written broken driven thrown struck shot laid
    paid sent spent lent taught caught thought brought fought sought hung hurt heard seen sung stolen chosen frozen
    spoken sworn woven worn born bound dug fed flown forbidden forgotten hidden overthrown read rebuilt ridden risen
    run said shaken shut slain split spread stuck stood swept understood wound withdrawn """)
)
_ADVERBS = frozenset(
    listed("""today nowadays yesterday tomorrow again twice once often always never soon later early late away back here
    there abroad together alone exactly really actually currently originally usually mostly first last like next near
    far so too very more less much enough well better best""")
)
_LATER_WORDS = 3
_DO = re.compile(
    r"\b(?:did|do|does|didn't|don't|doesn't|has|have|had|will|would|can|could|should|may|might|shall|must)\s+$", re.I
)
_MAKES = re.compile(r"\b(?:call|make|made|consider|find|found|think|thought|keep|kept|leave|left|declare)\w*\s+$", re.I)
_OPEN_PREDICATE = re.compile(r"(?:(?:why|how)\s+)?(?:is|are|was|were|isn't|aren't|wasn't|weren't)\s+$", re.IGNORECASE)

_WORD = r"[^\W\d_][\w'’-]*"
_BORDER = re.compile(r"[,;:?!.]|\b(?:and|but|or|when|because|while|if|that|before|after|since|so)\b", re.IGNORECASE)
_IS = r"(?:is|are|was|were|s|['’]s)"
_WHO_IS = re.compile(rf"\bwho\s*{_IS}\s+(?:the\s+|an?\s+)?({_WORD})", re.IGNORECASE)
_WHO_DOES = re.compile(rf"^(?:{PREPOSITION} )?who(?:m|se)?\s+(?!else\b|{AUXILIARY}\b)({_WORD})", re.IGNORECASE)
_WHAT_IS = re.compile(rf"\bwh?at\s*{_IS}\s+({_WORD})", re.IGNORECASE)
_WHERE_IS = re.compile(rf"\bwhere\s*{_IS}\s+({_WORD})", re.IGNORECASE)
_TELL_OF = re.compile(rf"\b(?:tell (?:me|us) (?:\w+ )?(?:about|of)|describe|according to)\s+({_WORD})", re.IGNORECASE)
_BEHIND_AUXILIARY = re.compile(rf"\b{AUXILIARY}\s+({_WORD})", re.IGNORECASE)
_BEHIND_PREPOSITION = re.compile(rf"\b(?:about|of|on)\s+({_WORD})", re.IGNORECASE)
_FIRST = re.compile(rf"^({_WORD})(?={THOUGHT.pattern})", re.IGNORECASE)
_ANY = ("person", "thing", "several", "place")
_CLAUSES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (_WHO_IS, ("person", "several")),
    (_WHO_DOES, ("person", "several")),
    (_WHAT_IS, ("thing", "several", "place")),
    (_WHERE_IS, _ANY),
    (_TELL_OF, _ANY),
    (_FIRST, ("person", "several")),
    (_BEHIND_AUXILIARY, _ANY),
    (_BEHIND_PREPOSITION, ("thing", "several")),
)


@lru_cache(maxsize=1024)
def referents(text: str, people: frozenset[str] = frozenset()) -> tuple[Mention, ...]:
    """Give what `mentions` gives, with a name before a noun as one noun phrase: "the Geneva summit". Cached.

    The name itself follows it as an adjective, without its article; it stays a mention of its own before an attribute
    ("the US population"). `people` are words, case folded, of names that are known to be persons'.
    """
    return tuple(_widened(text, people))


def _widened(text: str, people: frozenset[str]) -> Iterator[Mention]:
    for each in mentions(text, people):
        end = _noun_end(text, each) if each.proper and not (each.plural or each.adjective) else each.end
        if end == each.end:
            yield each if each.proper else _without_verb(text, each)
            continue
        head = text[:end].split()[-1].casefold()
        sort: Sort = "person" if head in PEOPLE else "place" if head in PLACES else "thing"
        attribute = head in ATTRIBUTES
        written = re.sub(r"^The ", "the ", text[each.start : end])
        yield Mention(
            written, each.start, end, sort, is_plural(head), False, subject=each.subject, attribute=attribute, head=head
        )
        if attribute:
            yield replace(each, subject=False)
            continue
        article = re.match(r"the\s+", each.text, re.IGNORECASE)
        bare = each.text[article.end() :] if article and not countries.is_country(each.text) else each.text
        start = each.start + (article.end() if article else 0)
        yield replace(each, text=bare, start=start, adjective=True, subject=False)


def _without_verb(text: str, phrase: Mention) -> Mention:
    """Cut the verb off "the council decide" behind "did", where a verb that is not known was taken for a noun."""
    words = phrase.text.split()
    if (
        not (phrase.subject and words[-1].islower())
        or len(words) < _LATER_WORDS
        or not _DO.search(text[: phrase.start])
    ):
        return phrase
    rest = re.match(r"\s+([a-z]+)", text[phrase.end :])
    has_verb = rest and (rest.group(1) in VERBS | _PARTICIPLES or rest.group(1).endswith("ed"))
    sure = not text[phrase.end :].strip() or (words[-1] not in _HEADS and not _HEADS.isdisjoint(words[1:-1]))
    if has_verb or not sure:
        return phrase
    written = phrase.text[: -len(words[-1])].rstrip()
    head = phrase.head if words[-1] != phrase.head else words[-2]
    sort: Sort = "person" if head in PEOPLE else "place" if head in PLACES else "thing"
    return replace(phrase, text=written, end=phrase.start + len(written), sort=sort, plural=is_plural(head), head=head)


def _noun_end(text: str, name: Mention) -> int:
    """Give the end of the nouns behind `name` that make one phrase with it, or its own end."""
    ends, before_verb = _small_words(text, name.end)
    if not ends:
        return name.end
    words = [text[a:b].strip().casefold() for a, b in zip([name.end, *ends], ends, strict=False)]
    known = max((place for place, word in enumerate(words, 1) if word in _HEADS), default=0)
    last_is_verb = words[-1] in _NOUN_OR_VERB or not text[ends[-1] :].strip()
    if known == len(words) and last_is_verb and _DO.search(text[: name.start]) and not before_verb:
        # A verb must follow a subject behind "did": here the last word is it.
        known = max((place for place, word in enumerate(words[:-1], 1) if word in _HEADS), default=0)
    if not name.text.casefold().startswith("the "):
        count = int(name.sort != "person" and words[0] in _HEADS - _NOUN_OR_VERB and known > 0)
    else:
        count = _count(text[: name.start], words, known, before_verb=before_verb)
    return ends[count - 1] if count else name.end


def _count(before: str, words: list[str], known: int, *, before_verb: bool) -> int:
    """Tell how many of the small words behind "the" and a name are nouns; `known` end with a known noun."""
    if before_verb:
        return len(words)
    if _DO.search(before) or _MAKES.search(before):
        return known
    if _OPEN_PREDICATE.fullmatch(before):
        return known or len(words) - 1
    return len(words) if len(words) < _LATER_WORDS else known


def _small_words(text: str, at: int) -> tuple[list[int], bool]:
    """Give the ends of the words behind `at` that may be nouns, and whether a verb follows them."""
    ends: list[int] = []
    for _ in range(_LATER_WORDS):
        word = re.compile(r"\s([a-z][a-z-]*)(?=$|[\s,;:?!.'’])").match(text, at)
        if not word or re.fullmatch(rf"{AUXILIARY}|{PREPOSITION}", word.group(1)):
            return ends, bool(word and ends and re.fullmatch(AUXILIARY, word.group(1)))
        lower = word.group(1)
        noun = lower in _HEADS and not (ends and lower in VERBS)
        if lower in STOPS | _ADVERBS or lower.endswith("ly"):
            break
        if not noun and (lower in VERBS | _PARTICIPLES or lower.endswith("ed")):
            return ends, True
        at = word.end()
        ends.append(at)
    return ends, False


def may_name(head: str, role: str) -> bool:
    """Tell whether a clause of `head`, what stands before a pronoun, may name in small letters what the pronoun means.

    `role` is "person", "thing", "several" or "place". Any word in the place of a name counts that is not known to be
    something else; so of two readings the one that leaves the question as it is wins.
    """
    borders = [found.start() for found in _BORDER.finditer(head)]
    if not borders:
        return False
    start = 0
    for end in borders:
        clause = head[start:end].strip()
        forms = [form for form, roles in _CLAUSES if role in roles]
        thing = role == "person" and _WHAT_IS.search(clause)
        if any(_names_one(clause, form, role) for form in forms if not (thing and form is _BEHIND_AUXILIARY)):
            return True
        start = end + len(_BORDER.match(head, end).group())  # type: ignore[union-attr]
    return False


def _names_one(clause: str, pattern: re.Pattern[str], role: str) -> bool:
    for found in pattern.finditer(clause):
        word = found.group(1)
        lower = word.casefold()
        if pattern is _WHO_DOES:
            return True
        other = lower in STOPS | _ADVERBS | _PARTICIPLES or lower.endswith("ed") or lower in ("me", "us", "true")
        if other or re.fullmatch(rf"{AUXILIARY}|{PREPOSITION}", lower) or not word.islower():
            continue
        if role == "person" and pattern is _BEHIND_AUXILIARY and lower in VERBS | ATTRIBUTES | (_HEADS - PEOPLE):
            continue
        if pattern is _WHO_IS or is_plural(lower) == (role == "several") or role == "place":
            return True
    return False

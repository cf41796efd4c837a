"""Whom and what a question mentions: names and noun phrases, with what simple rules can tell about each of them.

A rule sees the surface only: a country is in a table, a person is one who says or thinks or bears a title, a place
stands behind "in", a thing is called university or treaty. What none of them tells is `unknown` and may be any of the
three. A noun phrase begins with an article and ends before the next function word or verb; "of …" belongs to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from rag_geo.text import countries
from rag_geo.text.facts import TITLES, facts
from rag_geo.text.quantities import listed

Sort = Literal["person", "place", "thing", "unknown"]

AUXILIARY = (
    r"(?:is|are|was|were|did|do|does|has|have|had|will|would|can|could|should|may|might|shall|must"
    r"|isn't|aren't|wasn't|weren't|didn't|don't|doesn't|hasn't|haven't|won't|can't)"
)
PREPOSITION = (
    r"(?:according to|in|on|at|by|to|from|for|with|of|about|under|since|before|after|during|until|between|against|"
    r"near|into|through|towards?|among|over|without|than|as|inside|outside|via|per|within|across|regarding)"
)
PLACES = frozenset(
    listed("""country countries state states nation nations city cities town towns village villages continent region
    regions province provinces island islands place places sea ocean river lake mountain mountains area capital
    territory territories district port base strait coast desert valley peninsula republic""")
)
PEOPLE = TITLES | frozenset(
    listed("""man woman person men women people writer authors winner inventor founder founders owner head chief
    ruler emperor tsar pope official officials politician politicians scientist scientists artist painter poet composer
    singer actor designer architect engineer student teacher lawyer critic critics diplomat negotiator soldier
    soldiers envoy minister ministers presidents leaders experts analysts historians monarch successor predecessor
    wife husband son daughter father mother brother sister candidate envoy lawmakers residents inhabitants citizens
    workers voters pollsters""")
)
THINGS = frozenset(
    listed("""university center centre union party bank fleet organisation organization treaty war initiative pact
    agreement act summit corporation corp inc company ltd institute council commission committee agency ministry
    parliament congress senate church museum road belt tower bridge canal railway pipeline army navy club league
    association foundation court plan programme program project report book law convention protocol accord times post
    journal review festival cup prize olympics airport airlines group forum alliance government airbus kremlin""")
)
_PLACE_NAMES = frozenset(
    listed("""sea ocean river lake island islands mountain mountains strait bay gulf region province peninsula desert
    coast city valley republic kingdom federation""")
)
THOUGHT = re.compile(
    r"\s+(?:say|says|said|thinks?|thought|believes?|argues?|argued|expects?|claims?|claimed|writes?|wrote|written|"
    r"names?|recommends?|considers?|describes?|described|states?|holds?|warns?|fears?|judges?|rates?|calls?|called|"
    r"sees?|opines?|concludes?|quotes?|quoted|mentions?|notes?|suggests?|proposes?|explains?|points?|doubts?|hopes?|"
    r"stud(?:y|ied)|born|die|died|marry|married|promised?|lists?|denie[sd]|deny|meet|met)\b"
)
_THINKERS = re.compile(r"\b(?:according to|by|quotes?|who (?:is|was)|in the eyes of)\s+$", re.IGNORECASE)
_OPINION = re.compile(r"['’]s?\s+(?:(?:own|main)\s+)?(?:view|opinion|account|eyes|book|article|essay|wife|argument)\b")
_PLACE_BEFORE = re.compile(
    r"\b(?:in|near|into|inside|outside|across|within|(?:live|lives|lived|based) at)\s+(?:the\s+)?$"
)
ATTRIBUTES = frozenset(
    listed("""population area name number size length height depth value price cost date day year age role total
    share amount level rate percentage official exact currency gdp economy climate density history origin""")
)
VERBS = frozenset(
    listed("""say think believe argue expect claim write name recommend consider describe state hold warn fear judge
    rate call see conclude mention note suggest propose explain point doubt hope sign join leave begin start end last
    take make give get become grow rise fall sell buy export import produce spend cost pay win lose fight attack invade
    annex meet visit travel sail fly build found publish release launch open close happen occur need want have own use
    play work live move lead rule govern support oppose reject accept agree promise offer ask tell help try plan
    do does did go come send bring put keep set let show mean differ compare change increase decrease reach exceed
    border belong consist contain include measure weigh stand lie run serve act speak die marry study teach feel find
    break cut drop stop trade invest depend rely trust like dislike dread freeze value pass cross
    remain arrive return stay escape said told made took went met wrote gave
    won lost led built bought sold signed left grew rose fell became came has is are was were""")
)
STOPS = frozenset(
    listed("""a an the this that these those and or but nor if than when while because who whom whose which what where
    why how it he she they him her them his its their we you i my our your not no so there then also still yet ever
    most only each other first today now ago anything something""")
)
_WORD = re.compile(r"[^\W_][\w.]*(?:[-’'][^\W_]+)*")
_ARTICLE = re.compile(r"\b(?:the|an?)\s+(?=[^\W_])", re.IGNORECASE)
_FUNCTION = re.compile(rf"(?:{AUXILIARY}|{PREPOSITION})\Z", re.IGNORECASE)
_IMPERATIVE = re.compile(r"(?:compare|name|list|give|tell|describe|explain|show|find)\s", re.IGNORECASE)
_MAX_WORDS = 4


@dataclass(frozen=True, slots=True)
class Mention:
    """A name (`proper`) or noun phrase at characters ``[start, end)``, possessive "'s" left out.

    `adjective` is a name such as "Norwegian" before a noun; `subject` says that the sentence is about what it does;
    `attribute` that it is a property of something ("the population of Norway"), `head` its main noun, lower case.
    """

    text: str
    start: int
    end: int
    sort: Sort
    plural: bool = False
    proper: bool = True
    adjective: bool = False
    subject: bool = False
    attribute: bool = False
    head: str = ""


@lru_cache(maxsize=1024)
def mentions(text: str, people: frozenset[str] = frozenset()) -> tuple[Mention, ...]:
    """Give the names, pairs of names and noun phrases of `text` in order of their beginning. Cached.

    `people` holds words, case folded, of names that are known to be persons'.
    """
    found = [*names(text, people)]
    phrases = list(_phrases(text, found))
    everything = [*found, *_pairs(text, found), *phrases, *_plurals(text, [*found, *phrases])]
    return tuple(sorted(_with_subject(text, everything), key=lambda each: (each.start, each.end)))


def names(text: str, people: frozenset[str] = frozenset()) -> tuple[Mention, ...]:
    """Give the proper names of `text` in order, with an article that belongs to them ("the United States")."""
    spans = {_span(text, name.start, name.end) for name in facts(text).names}
    spans |= {
        (word.start(), word.end())
        for word in _WORD.finditer(text)
        if word.group() in countries.LOWER or (word.group().islower() and countries.is_adjective(word.group()))
    }
    merged = _disjoint(_joined(text, sorted(span for span in spans if span[0] < span[1])))
    return tuple(_named(text, start, end, people) for start, end in merged)


def is_plural(noun: str) -> bool:
    """Whether a common noun, lower case, looks like a plural."""
    if noun in ("people", "men", "women", "children", "police", "troops", "media", "data"):
        return True
    return len(noun) > 3 and noun.endswith("s") and not noun.endswith(("ss", "us", "is", "news", "ics"))


def _span(text: str, start: int, end: int) -> tuple[int, int]:
    """Cut off what is no part of a name: "Compare" at the beginning, "Population of", the possessive."""
    if text[start:end].endswith(("'s", "’s")):
        end -= 2
    verb = _IMPERATIVE.match(text, start, end)
    if verb and start == 0:
        start = verb.end()
    first = re.match(r"[^\W_]+\s+of\s+(?:the\s+)?", text[start:end])
    if first and not text[:start].strip():
        start += first.end()
    number = re.search(r"(?<=[^\W_] )[A-Z][a-z]+ $", text[:start])  # "Zero Sum": a number that begins a name
    if number and facts(number.group()).quantities:
        start = number.start()
    return start, end


def _joined(text: str, spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Join "the X and Y" of two words that are no countries: the Belt and Road."""
    at = 0
    while at < len(spans):
        start, end = spans[at]
        after = spans[at + 1] if at + 1 < len(spans) else (0, 0)
        one_name = text[:start].casefold().endswith("the ") and text[end : after[0]] == " and "
        if one_name and not any(countries.is_country(text[a:b]) or countries.is_adjective(text[a:b])
                                for a, b in (spans[at], after)):  # fmt: skip
            end, at = after[1], at + 1
        yield start, end
        at += 1


def _disjoint(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    last = 0
    for start, end in spans:
        if start >= last:
            yield start, end
            last = end


def _named(text: str, start: int, end: int, people: frozenset[str]) -> Mention:
    """Make the mention of the name at ``[start, end)``."""
    written = text[start:end]
    noun_follows = re.match(r"\s+[a-z]", text[end:]) is not None
    adjective = countries.is_adjective(written) and (noun_follows or not text[end:].strip(" ?.!"))
    if _is_people(text, start, end):
        return Mention(written, start, end, "place", plural=True, head=written.casefold())
    title = re.search(r"\b([^\W\d_]+)\s+$", text[:start])
    if title and title.group(1).casefold() in TITLES:
        return Mention(written, start, end, "person")
    sort = _sort(text, start, end, people)
    article = re.search(r"\bthe\s+$", text[:start], re.IGNORECASE)
    if article and not adjective:
        start = article.start()
        sort = "thing" if sort in ("unknown", "person") else sort
    return Mention(text[start:end], start, end, sort, adjective=adjective, head=written.split()[-1].casefold())


def _is_people(text: str, start: int, end: int) -> bool:
    """Whether a name is that of a people: "Russians", "the Chinese" with no noun behind."""
    written = text[start:end].casefold()
    after = re.match(r"\s+([a-z]+)", text[end:])
    alone = after is None or _FUNCTION.match(after.group(1)) or after.group(1) in VERBS | STOPS
    of_all = alone and text[:start].casefold().endswith("the ") and countries.is_adjective(written)
    return bool(of_all) or (written.endswith("s") and countries.is_adjective(written[:-1]))


def _sort(text: str, start: int, end: int, people: frozenset[str]) -> Sort:
    """Tell what a name names."""
    written = text[start:end]
    words = [word.casefold() for word in written.split()]
    before, after = text[:start], text[end:]
    if countries.is_country(written) or countries.is_adjective(written):
        return "place"
    if people.intersection(words):
        return "person"
    if words[-1] in _PLACE_NAMES or (words[0] in _PLACE_NAMES | {"mount"} and len(words) > 1):
        return "place"
    if THINGS.intersection(words) or (written.isupper() and len(written) > 1) or " of " in written:
        return "thing"
    if THOUGHT.match(after) or _THINKERS.search(before) or _OPINION.match(after):
        return "person"
    lies = re.match(r"\s+(?:in|near)\s+[A-Z]", after) and re.fullmatch(r"(?:is|was)\s+", before, re.IGNORECASE)
    return "place" if lies or _PLACE_BEFORE.search(before) else "unknown"


def _pairs(text: str, found: list[Mention]) -> Iterator[Mention]:
    """Give "A and B" or "A or B" of two names as one plural mention."""
    for one, other in pairwise(found):
        if text[one.end : other.start] in (" and ", " or ") and not (one.adjective or other.adjective):
            sort: Sort = one.sort if one.sort == other.sort else "unknown"
            yield Mention(text[one.start : other.end], one.start, other.end, sort, plural=True)


def _phrases(text: str, found: list[Mention]) -> Iterator[Mention]:
    """Give the noun phrases that begin with an article, and those inside them."""
    for article in _ARTICLE.finditer(text):
        if any(name.start <= article.start() < name.end and name.proper for name in found):
            continue
        yield from _phrase(text, article.start(), article.end(), found)


def _phrase(text: str, start: int, first: int, found: list[Mention]) -> Iterator[Mention]:
    end, head = _nouns(text, first)
    if not head:
        return
    lower = head.casefold()
    sort: Sort = "person" if lower in PEOPLE else "place" if lower in PLACES else "thing"
    attribute = lower in ATTRIBUTES
    whole = _complement(text, end, found)
    yield Mention(text[start:whole], start, whole, sort, is_plural(lower), False, False, False, attribute, lower)


def _plurals(text: str, taken: list[Mention]) -> Iterator[Mention]:
    """Give plurals without an article behind a preposition: "about sanctions", "of foreign firms"."""
    for link in re.finditer(rf"\b(?:{PREPOSITION}|{AUXILIARY})\s+(?=[^\W\d_])", text):
        end, head = _nouns(text, link.end())
        free = not any(each.start < end and link.end() < each.end and not each.adjective for each in taken)
        if free and is_plural(head):
            sort: Sort = "person" if head in PEOPLE else "place" if head in PLACES else "thing"
            yield Mention(text[link.end() : end], link.end(), end, sort, True, False, head=head)


def _nouns(text: str, at: int) -> tuple[int, str]:
    """Give the end and the last word of the nouns and adjectives that begin at character `at`."""
    end, head = at, ""
    for count, word in enumerate(_WORD.finditer(text, at)):
        lower = word.group().casefold()
        apart = text[end : word.start()].strip() != "" or lower in STOPS or _FUNCTION.match(lower)
        verb = count > 0 and lower not in ("state", "states", "report") and (lower in VERBS or lower.endswith("ed"))
        if apart or verb or count >= _MAX_WORDS:
            break
        end, head = word.end(), word.group()
        if head.endswith(("'s", "’s")) and count < _MAX_WORDS - 1:
            continue
    return (end - 2, head[:-2]) if head.endswith(("'s", "’s")) else (end, head)


def _complement(text: str, end: int, found: list[Mention]) -> int:
    """Give the end of "of …" or "between …" behind a noun phrase that ends at `end`, or `end`."""
    link = re.match(r"\s+(?:of|between|on|about)\s+", text[end:])
    if not link:
        return end
    at = end + link.end()
    behind = [name.end for name in found if name.start == at]
    if behind:
        last = max(behind)
        more = next((name.end for name in found if name.start > last and text[last : name.start] == " and "), last)
        return more if text[end:at].strip() == "between" or more == last else last
    if not re.match(r"\s+of\s", text[end:]):
        return end
    article = _ARTICLE.match(text, at)
    last, head = _nouns(text, article.end() if article else at)
    return _complement(text, last, found) if head else end


def _with_subject(text: str, found: list[Mention]) -> Iterator[Mention]:
    """Mark the mention that stands right behind the auxiliary verb, or first of all."""
    auxiliary = re.search(rf"\b{AUXILIARY}\s+", text, re.IGNORECASE)
    place = auxiliary.end() if auxiliary else 0
    for mention in found:
        at = mention.start
        title = re.search(r"(?:[Tt]he\s+)?\b[^\W\d_]+\s+$", text[:at]) if mention.sort == "person" else None
        yield replace(mention, subject=at == place or (title is not None and title.start() == place))

"""Whether two sentences state different figures, dates, names or facts of one thing.

All of it is read off the surface, and speaks up only where little is left to doubt: the names agree or are supplied by
what stands before; the words around the figure agree; where both say when, it is one time; neither is a forecast, a
part of a whole or a change. What is said of two things that differ in one word ("oil exports", "gas exports") is no
conflict, nor is rounding, nor a range that holds the other figure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from rag_geo.audit.figures import Figure, figures, is_label
from rag_geo.text import countries
from rag_geo.text.facts import TITLES, Facts, Name, Word, facts, names, stem
from rag_geo.text.quantities import Quantity, listed
from rag_geo.text.relations import is_same, speakers, turned_negation, turned_opposite

Kind = Literal["figure", "date", "rank", "person", "place", "denial"]


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence with what a reader knows when reaching it.

    `before` are the sentences before it in its paragraph, `title` and `heading` what stands above; `ordinary` are
    words known to be written in lower case somewhere, which are no names at the beginning of a sentence.
    """

    text: str
    before: str = ""
    title: str = ""
    heading: str = ""
    ordinary: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Difference:
    """How two statements differ: the kind, and the words of each."""

    kind: Kind
    one: str
    other: str


def _classes(table: str) -> dict[str, str]:
    """Map the stem of every word of a line of synonyms to that of its first."""
    found: dict[str, str] = {}
    for line in table.split(";"):
        first, *more = line.split()
        for word in (first, *more):
            found.setdefault(stem(word), stem(first))
    return found


_SAME_SENSE = _classes(
    """last take duration lasting;employ employee staff worker workforce job payroll work;
    people inhabitant resident population citizen live person home;cost price;founded establish foundation founder;open
    opening inaugurate;build construct erect construction;begin start launch commence;end finish conclude expire;
    vote turnout voter ballot;headquarters base seat hq;bear birth birthplace;die death;long length;high height tall;
    wide width;deep depth;weigh weight heavy;warranty guarantee;buy purchase acquire;capacity hold seat;
    apply application applicant;die dead kill;rise increase grow;decrease fall decline drop;show depict;
    restore restoration;locate situate lie;produce production output;consume consumption use;export exporter;import
    importer;sign signature signing;arrive arrival;compose composer;design designer;invent inventor;discover discovery;
    earn earnings income;pay payment paid;elect election;mean average;temperature degree"""
)
_FORECAST = frozenset(
    stem(word)
    for word in listed("""expect forecast predict project projection plan estimate target aim hope goal would
    could might may should propose budget envisage intend anticipate potential scenario if unless
    likely probably suppose claim poll survey allege rumour rumor""")
) - {"budget"}
_AHEAD = re.compile(
    r"\b(?:was|were|is|are) to (?:be\b|[a-z]+\b)|\bwill\b|\bwould\b|\bshall\b|\bcould\b|\bmight\b|\bif\b"
)
_TIME_LEADS = frozenset(listed("until till before after since by from to through between"))
_PRESENT = frozenset(listed("is are has have does do now today currently"))
_PAST = frozenset(listed("was were had did once formerly then"))
_LASTING = frozenset(listed("length area volume mass speed power bytes degree"))
_ONCE = frozenset(
    _SAME_SENSE.get(stem(word), stem(word))
    for word in listed("""founded open sign bear die build publish complete begin end abolish dissolve annex join
    deadline expire invent discover patent ratify adopt independent independence declare crown marry bury sink crash
    burn destroy introduce admit appoint release due arrive accede withdraw incorporate demolish collapse launch""")
)
_MAKERS = frozenset(
    _SAME_SENSE.get(stem(word), stem(word))
    for word in listed("""design compose write paint invent discover build translate sculpt carve direct author
    architect composer painter inventor founder founded designer writer develop devise draft commission edit kill
    defeat win winner succeed""")
)
_ROLES = TITLES - frozenset(
    listed("foreign finance defence defense general former vice deputy author expert dr mr mrs ms sir")
)
_ROLES |= frozenset(
    listed("""head chief chairperson rector bishop archbishop abbot captain coach manager treasurer president owner
    principal headmaster headmistress curator conductor commander emperor empress pope tsar sultan ceo warden dean
    speaker keeper champion heir successor predecessor husband wife father mother capital""")
)  # fmt: skip
_HEADING = frozenset(stem(word) for word in listed("head lead chair direct run manage command govern edit"))
_FOUNDING = frozenset(listed("first founding last only current present sole"))
_LOCATED = frozenset(
    _SAME_SENSE.get(stem(word), stem(word))
    for word in listed(
        """bear die bury headquarters base locate situate capital seat headquarter stand born hold place"""
    )
)
_ACRONYMS = frozenset(listed("gdp gnp ppp vat ceo cfo ngo ngos pdf usd eur gbp dna hiv tv pc it"))
_PRONOUNS = frozenset(listed("it its he his she her they their this these that those both such"))
_LETTERED = re.compile(r"(?<=[^\W\d_] )(?:[B-HJ-Z]|A(?=[,.;]|\s[a-z])|II+|IV|VI*|IX)\b(?!\.)")
_JOINING = frozenset(listed("and but so yet then still or also"))
_COMPARED = re.compile(
    r"\b(?:than|as (?:in|that of|those of|much as|many as|long as|large as|for)|like|unlike|compared (?:with|to)|"
    r"times (?:that|those|the \w+)(?: of)?|(?:that|those|twice|half|one) (?:of|as|with|that)|ahead of|behind)"
    r"\s+(?:\w+\s+){0,3}$",
    re.IGNORECASE,
)
_IN = frozenset(listed("in at near outside on"))
_MEASURING = frozenset(
    _SAME_SENSE.get(stem(word), stem(word))
    for word in listed("""long length high height tall wide width deep depth large big average mean total over about
    come stand reach amount account make give get put go number equal country area cover value count figure measure
    estimate size year""")
)
_LINKS = frozenset(listed("of in on at for from by with to and or as per a an the since until"))
_NEUTRAL = _MEASURING | frozenset(
    _SAME_SENSE.get(stem(word), stem(word))
    for word in listed("""run stretch extend flow span measure rise tower lie amount total come stand last contain hold
    comprise include consist record register report put hit handle""")
)
_NO_LIMIT = frozenset(listed("total all size length height width depth weight diameter use number fact operation"))
_FLOORS = frozenset(listed("floor storey story place rank position seed grade class"))
_ENOUGH = 3
"""Words and names in common of a statement and its denial."""

_CLAUSES = re.compile(
    r"\s*(?:[;:–—]\s|,(?!\d)(?:\s+(?:and|but|which|who|while|whereas|although|so))?\s|\s(?:but|while|whereas|although)\s"
    r"|\sand\s(?=(?:is|are|was|were|has|have|had|did|does|now|then|later|flows?|runs?|died|became|lies?)\s))\s*"
)
_CLAUSE = 4
"""Words of a clause that is a statement of its own."""

_LONGEST = 400
"""Characters of a sentence."""

_MARKS = 2
"""Colons and the like in a sentence of prose."""

_BEGINNING = 8
"""Words in which a sentence names what it is about."""

_FRAGMENT = re.compile(r"\W*\d")
"""How a piece of a table begins that was cut off from the name of its row."""

_EXCLUSIVE = frozenset(
    stem(word)
    for word in listed("""rise increase grow gain climb growth fall decrease decline drop shrink open close shut accept
    reject refuse allow permit forbid ban prohibit legal illegal possible impossible safe unsafe dangerous improve
    worsen deteriorate succeed success fail failure strengthen weaken expand contract majority minority largest
    smallest biggest highest lowest longest shortest oldest youngest newest more less fewer greater higher lower best
    worst approve disapprove support oppose agree disagree voluntary compulsory mandatory optional temporary permanent
    common rare lift impose easy difficult cheap expensive win lose profit loss surplus deficit""")
)
_SHORT = 14
"""Content words of a sentence that is compared whole; of a longer one, the clause of the figure counts."""


def difference(one: Statement, other: Statement) -> Difference | None:
    """Give how two sentences contradict each other, or None. The order of the two makes no difference but in words.

    What is no sentence of prose but a record or a list of figures is not compared.
    """
    if not (_is_prose(one.text) and _is_prose(other.text)):
        return None
    if one.text == other.text:
        return None
    a, b = _read(one), _read(other)
    found = _difference(a, b)
    if found is not None or not a.words & b.words or _other_titles(a, b):
        return found
    pairs = ((mine, theirs) for mine in (one, *_parts(one)) for theirs in (other, *_parts(other)))
    return next((found for mine, theirs in pairs if (found := _difference(_read(mine), _read(theirs)))), None)


def _difference(a: _Reading, b: _Reading) -> Difference | None:
    if not a.comparable(b):
        return None
    for rule in (_figures, _dates, _ranks, _persons, _places, _denials):
        found = rule(a, b)
        if found is not None:
            return found
    return None


@lru_cache(maxsize=8192)
def _parts(statement: Statement) -> tuple[Statement, ...]:
    """Give the clauses of a sentence that have a figure or a date, each with what stands before it.

    Where the sentence says when or which, but not in the clause itself, the clause is left out.
    """
    cuts = [found.span() for found in _CLAUSES.finditer(statement.text)]
    if not cuts:
        return ()
    starts, ends = [0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(statement.text)]
    whole = Counter(q.kind for q in facts(statement.text).quantities if q.kind != "number")
    found = []
    for start, end in zip(starts, ends, strict=True):
        part = statement.text[start:end]
        read = facts(part)
        told = Counter(q.kind for q in read.quantities if q.kind != "number")
        if len(read.words) >= _CLAUSE and read.quantities and whole.keys() == told.keys():
            before = f"{statement.before} {statement.text[:start]}".strip(" ,;")
            found.append(replace(statement, text=part, before=before))
    return tuple(found)


def _is_prose(text: str) -> bool:
    """Whether a text is short enough for one statement, and no list of values under names."""
    return len(text) <= _LONGEST and text.count(":") + text.count("|") + text.count(";") <= _MARKS


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """What is read off a statement once.

    `names` are its own, without those it only compares with; `before` those of the sentences before it and of the
    headings, `above` those of the title; `words` its content words without names; `context` the words of
    all that stands before.
    """

    read: Facts
    names: tuple[Name, ...]
    before: tuple[Name, ...]
    above: tuple[Name, ...]
    words: frozenset[str]
    context: frozenset[str]
    figures: tuple[Figure, ...]
    dates: tuple[Quantity, ...]
    years: frozenset[int]
    ordinals: frozenset[object]
    codes: frozenset[str]
    forecast: bool

    def comparable(self, other: _Reading) -> bool:
        """Whether the two have anything at all in common."""
        whole = not any(_FRAGMENT.match(side.read.text) and not side.names for side in (self, other))
        return whole and bool(self.words & other.words) and self.forecast == other.forecast

    @property
    def topics(self) -> tuple[Name, ...]:
        """The names it is about: its own, or where it leans on what stands before, the nearest there."""
        if self.names and not _leans(self.read):
            return self.names
        return self.before or self.above


@lru_cache(maxsize=8192)
def _read(statement: Statement) -> _Reading:
    read = facts(statement.text)
    own = names(read, statement.ordinary)
    named = {key for name in own for key in name.keys}
    before, above, heading = facts(statement.before), facts(statement.title), facts(statement.heading)
    dates = tuple(q for q in read.quantities if q.kind == "date" and q.date is not None)
    words = {word.key for word in read.words if word.content and word.lower not in ("of", "the")} - named
    return _Reading(
        read,
        tuple(name for name in own if not _aside(read, name)),
        tuple(name for name in names(before, statement.ordinary) if not _aside(before, name))
        + tuple(name for name in names(heading, statement.ordinary) if not name.doubtful),
        tuple(name for name in names(above, statement.ordinary) if not _aside(above, name)),
        frozenset(map(_fold, words)),
        frozenset(map(_fold, before.content | above.content | heading.content)),
        figures(read),
        dates,
        frozenset(q.date[0] for q in dates if q.date is not None and q.date[0] is not None),
        frozenset(value for q in read.quantities if q.kind == "ordinal" for value, _ in q.readings),
        _codes(read),
        bool(_FORECAST & words) or _AHEAD.search(read.text) is not None,
    )


def _codes(read: Facts) -> frozenset[str]:
    """Give what tells one of a series from another: "G7", the 4.2 of "Bramble 4.2", the C of "Block C"."""
    found = {str(value) for q in read.quantities if q.kind == "code" or is_label(read, q) for value, _ in q.readings}
    return frozenset(found | set(_LETTERED.findall(read.text)))


def _aside(read: Facts, name: Name) -> bool:
    """Whether a name is no party to what is said: a common acronym, what is counted, or only compared with.

    "GDP", "40 million Btu", "more than in Peru".
    """
    if name.text.casefold() in _ACRONYMS:
        return True
    amounts = [q.end for q in read.quantities if q.kind == "number" and q.end <= name.start]
    if amounts and not read.text[amounts[-1] : name.start].strip(" -"):
        return True
    return _COMPARED.search(read.text[: name.start]) is not None


def _leans(read: Facts) -> bool:
    """Whether a sentence is about what the one before is about."""
    opening = [word.lower for word in read.words[:2]]
    return bool(opening) and (opening[0] in _PRONOUNS or (opening[0] in _JOINING and opening[-1] in _PRONOUNS))


def _fold(key: str) -> str:
    return _SAME_SENSE.get(key, key)


# --- what is spoken of ----------------------------------------------------------------------------------------------


def _strangers(a: _Reading, b: _Reading) -> list[Name]:
    """Give the names of `a` that `b` neither has nor has heard of before."""
    return [
        name
        for name in a.names
        if not any(is_same(name, other) for other in b.names)
        and not set(name.keys) <= b.context
        and not (name.doubtful and set(map(_fold, name.keys)) <= b.words)
    ]


def _same_names(a: _Reading, b: _Reading) -> bool:
    """Whether both speak of the same names, at least one, and each knows those of the other."""
    return not (_strangers(a, b) or _strangers(b, a)) and a.codes == b.codes and _one_topic(a, b)


def _one_topic(a: _Reading, b: _Reading, besides: tuple[Name, ...] = ()) -> bool:
    """Whether both are about one name. In documents about different things, each must begin with it itself."""
    mine = [name for name in a.topics if name not in besides]
    theirs = [name for name in b.topics if name not in besides]
    if _other_titles(a, b):
        mine, theirs = _fronted(a, mine), _fronted(b, theirs)
    return any(is_same(n, m) for n in mine for m in theirs)


def _other_titles(a: _Reading, b: _Reading) -> bool:
    """Whether the titles of their documents name different things."""
    return bool(a.above and b.above) and not any(is_same(n, m) for n in a.above for m in b.above)


def _fronted(a: _Reading, topics: list[Name]) -> list[Name]:
    """Give the names that a sentence itself is about, as far as its beginning says so: no "with Peru", "in Peru"."""
    figures_from = min((q.start for q in a.read.quantities if q.kind == "number"), default=len(a.read.text))
    return [
        name
        for name in topics
        if name in a.names
        and name.first < _BEGINNING
        and name.start < figures_from
        and _leads(a.read, name) in ("", "of", "by")
    ]


def _contrast(a: _Reading, b: _Reading, besides: frozenset[str] = frozenset()) -> bool:
    """Whether a word that the other lacks stands in the same place in both: "oil exports" and "gas exports".

    The place is before the same word, or behind the same preposition.
    """
    mine, theirs = _slots(a, b, besides), _slots(b, a, besides)
    return any(slot in theirs for slot in mine)


def _slots(a: _Reading, b: _Reading, besides: frozenset[str]) -> frozenset[str]:
    """Give the places of the words of `a` that `b` lacks."""
    found: set[str] = set()
    everything = b.words | _name_keys(b)
    words = a.read.words
    for i, word in enumerate(words):
        key = _fold(word.key)
        if not word.content or word.lower in ("of", "the") or key in everything or key in besides or key in b.context:
            continue
        after = words[i + 1] if i + 1 < len(words) else None
        if after is not None and after.content and _fold(after.key) in everything and _adjoins(a.read, word, after):
            found.add("+" + _fold(after.key))
        slot = _linked(a.read, i, everything)
        if slot:
            found.add(slot)
        lead = _preposition(words, i)
        if lead:
            found.add(lead)
    return frozenset(found)


def _linked(read: Facts, i: int, known: frozenset[str] | set[str]) -> str:
    """Give the place of word `i` before a preposition and a word that both have: "(the bridge) at Stell"."""
    words = read.words
    if i + 1 >= len(words) or words[i + 1].lower not in ("of", "in", "at", "on", "for", "from", "to"):
        return ""
    after = next((word for word in words[i + 2 : i + 4] if word.content), None)
    if after is None or _fold(after.key) not in known or not _spaced(read, words[i], after):
        return ""
    return f"-{words[i + 1].lower} {_fold(after.key)}"


def _spaced(read: Facts, word: Word, after: Word) -> bool:
    """Whether only words stand between two words, no number and no mark."""
    return re.fullmatch(r"[^\W\d]*", re.sub(r"\s", "", read.text[word.end : after.start])) is not None


def _adjoins(read: Facts, word: Word, after: Word) -> bool:
    return not read.text[word.end : after.start].strip(" -")


def _preposition(words: tuple[Word, ...], i: int) -> str:
    """Give the preposition that the noun phrase around word `i` stands behind, articles and adjectives between."""
    for word in reversed(words[max(0, i - 3) : i]):
        if word.lower in ("for", "in", "during", "among", "at", "with", "without"):
            return "in" if word.lower == "during" else word.lower
        if word.content or word.lower not in ("the", "a", "an", "its", "their", "his", "her", "all", "of"):
            return ""
    return ""


def _times_agree(a: _Reading, b: _Reading, *, lasting: bool) -> bool:
    """Whether both may speak of one time.

    A figure that changes (no length, no height) must be dated in both or in neither.
    """
    if a.years and b.years:
        if not a.years & b.years or _time_leads(a) != _time_leads(b):
            return False
        return _months(a) == _months(b) or not (_months(a) and _months(b))
    if bool(a.years) != bool(b.years):
        return lasting
    return lasting or _tense(a) | _tense(b) != {"past", "present"}


def _time_leads(a: _Reading) -> frozenset[str]:
    """Give the words before the dates that make them ends of a period: "until", "since"."""
    before = (re.search(r"(\w+)\W*$", a.read.text[: date.start]) for date in a.dates)
    return frozenset(found.group(1).casefold() for found in before if found) & _TIME_LEADS


def _months(a: _Reading) -> frozenset[int]:
    return frozenset(q.date[1] for q in a.dates if q.date is not None and q.date[1] is not None)


def _tense(a: _Reading) -> set[str]:
    words = {word.lower for word in a.read.words}
    return ({"present"} if words & _PRESENT else set()) | ({"past"} if words & _PAST else set())


def _overlap(a: _Reading, b: _Reading, mine: frozenset[str], theirs: frozenset[str]) -> float:
    """Give the share of the shorter set of words that the other has, names counted."""
    left = mine | _name_keys(a)
    right = theirs | _name_keys(b)
    shared = len(left & right)
    return shared / min(len(left), len(right)) if left and right else 0.0


def _name_keys(a: _Reading) -> frozenset[str]:
    return frozenset(_fold(key) for name in a.names for key in name.keys)


# --- figures --------------------------------------------------------------------------------------------------------


def _figures(a: _Reading, b: _Reading) -> Difference | None:
    if not (a.figures and b.figures) or a.ordinals != b.ordinals or not _same_names(a, b):
        return None
    for one in a.figures:
        for other in b.figures:
            if _opposed(one, other) and _sole(one, a, b) and _sole(other, b, a) and _one_thing(one, other, a, b):
                return Difference("figure", one.text, other.text)
    return None


def _opposed(one: Figure, other: Figure) -> bool:
    """Whether two figures are of one measure, and cannot both be true of one thing."""
    if one.measure != other.measure or one.rate != other.rate or one.change or other.change or one.part != other.part:
        return False
    if one.dimension != other.dimension and one.dimension and other.dimension:
        return False
    if one.lead != other.lead and one.lead and other.lead:
        return False
    return _apart(one, other)


def _sole(figure: Figure, a: _Reading, b: _Reading) -> bool:
    """Whether its sentence has no other figure that could be meant, and the other sentence none that agrees with it."""
    return not any(_kin(other, figure) for other in a.figures if other is not figure) and not any(
        _kin(other, figure) and not _apart(other, figure) for other in b.figures
    )


def _apart(one: Figure, other: Figure) -> bool:
    """Whether two figures of one measure cannot both be right; of two limits, whether they are two."""
    if one.bound and one.bound == other.bound:
        rule = one.bound == "most" or (one.required and other.required)
        return rule and abs(one.value - other.value) > 0.02 * max(abs(one.value), abs(other.value))
    apart = one.high < other.low or other.high < one.low
    return apart and abs(one.value - other.value) > 0.01 * max(abs(one.value), abs(other.value))


def _kin(one: Figure, other: Figure) -> bool:
    """Whether two figures may be of the same thing."""
    same = _fold(one.noun) == _fold(other.noun) or not (one.noun and other.noun)
    return one.measure == other.measure and same


def _one_thing(one: Figure, other: Figure, a: _Reading, b: _Reading) -> bool:
    """Whether two figures of one measure are said of the same thing at the same time."""
    if any(_under_negation(figure, side) for figure, side in ((one, a), (other, b))):
        return False
    lasting = one.measure in _LASTING or bool(one.dimension and one.dimension != "age")
    if not _times_agree(a, b, lasting=lasting) or not _same_counted(one, other, a, b):
        return False
    mine, theirs = _local(a, one), _local(b, other)
    shared = (mine & theirs) - _MEASURING
    if not shared or not _same_predicate(one, other, a, b) or not _same_stuff(one, other, a, b):
        return False
    if one.measure and not _same_property(one, other, a, b):
        return False
    return _overlap(a, b, mine, theirs) >= 0.5 and not _contrast(a, b)


def _same_stuff(one: Figure, other: Figure, a: _Reading, b: _Reading) -> bool:
    """Whether what is measured is the same: not "tonnes of silver" and "tonnes of lead", nor one only "in colour"."""
    mine, theirs = _stuff(one, a), _stuff(other, b)
    if mine and theirs and mine != theirs and not (mine in b.words or theirs in a.words):
        return False
    return not _condition(one, a, b) and not _condition(other, b, a)


def _stuff(figure: Figure, a: _Reading) -> str:
    """Give the first content word behind "of" right after a figure."""
    found = re.match(r"\s+of\s+(?:(?:the|its|all|their)\s+)?", a.read.text[figure.end :])
    if found is None:
        return ""
    at = figure.end + found.end()
    return next((_fold(word.key) for word in a.read.words if word.start == at and word.content), "")


def _condition(figure: Figure, a: _Reading, b: _Reading) -> bool:
    """Whether something that only this sentence says limits its figure: "nine pages a minute in colour"."""
    behind = [word for word in a.read.words if word.start >= figure.end]
    for i, word in enumerate(behind[:8]):
        if word.clause != behind[0].clause:
            return False
        if word.lower in ("in", "for", "with", "without", "during") and i + 1 < len(behind):
            limit = next((w for w in behind[i + 1 : i + 4] if w.content), None)
            if limit is None or limit.name or not _spaced(a.read, word, limit):
                return False
            key = _fold(limit.key)
            return key not in (b.words | b.context | _name_keys(b)) and limit.lower not in _NO_LIMIT
    return False


def _same_counted(one: Figure, other: Figure, a: _Reading, b: _Reading) -> bool:
    """Whether the same is counted, of the same kind."""
    if one.measure == "" and not (one.noun and other.noun):
        return False
    if one.noun and other.noun and _fold(one.noun) != _fold(other.noun):
        return False
    if any(figure.noun and _fold(figure.noun) not in side.words for figure, side in ((one, b), (other, a))):
        return False
    return not (one.noun and other.noun) or set(map(_fold, one.traits)) == set(map(_fold, other.traits))


def _same_predicate(one: Figure, other: Figure, a: _Reading, b: _Reading) -> bool:
    """Whether the verb behind what is counted is the same: not "people live" and "people were displaced"."""
    verbs = {_predicate(one, a), _predicate(other, b)} - {""}
    loose = _fold(stem("people")) in (_fold(one.noun), _fold(other.noun)) and one.noun != other.noun
    return len(verbs) < 2 and not (loose and verbs - {_fold(stem("people"))})


def _same_property(one: Figure, other: Figure, a: _Reading, b: _Reading) -> bool:
    """Whether the same was measured, by the words before the figures: not "weighs 900 g" and "carries 300 g"."""
    strange = [_is_strange(one, b), _is_strange(other, a)]
    if all(strange):
        return _fold(one.predicate) == _fold(other.predicate)
    dimensions = one.dimension, other.dimension
    return not (any(dimensions) and not all(dimensions) and any(strange))


def _is_strange(figure: Figure, other: _Reading) -> bool:
    """Whether the word before a figure says what was measured, and the other sentence knows nothing of it."""
    key = _fold(figure.predicate)
    known = other.words | other.context | _name_keys(other) | _NEUTRAL
    return bool(key) and not figure.dimension and key not in known


def _predicate(figure: Figure, a: _Reading) -> str:
    """Give the content word that follows a figure and its noun in the same clause, "" for none."""
    if not figure.noun:
        return ""
    after = [word for word in a.read.words if word.start >= figure.end]
    at = next((i for i, word in enumerate(after) if word.key == figure.noun), len(after))
    for word in after[at + 1 : at + 4]:
        if word.clause != after[at].clause or word.name or word.lower in _LINKS:
            return ""
        if word.content:
            return _fold(word.key)
    return ""


def _local(a: _Reading, figure: Figure) -> frozenset[str]:
    """Give the content words that go with a figure: of the whole sentence, or of its clause in a long one."""
    if len(a.words) <= _SHORT:
        return a.words
    clauses = {word.clause for word in a.read.words if abs(word.start - figure.end) < 3 or _near(word, figure)}
    return frozenset(_fold(w.key) for w in a.read.words if w.content and not w.name and w.clause in clauses)


def _near(word: Word, figure: Figure) -> bool:
    return 0 <= word.start - figure.end <= 2 or 0 <= figure.start - word.end <= 2


def _under_negation(figure: Figure, a: _Reading) -> bool:
    return any(n.start < figure.start < n.end + 4 for n in a.read.negations)


# --- dates and ranks ------------------------------------------------------------------------------------------------


def _dates(a: _Reading, b: _Reading) -> Difference | None:
    """Find two dates of one event that happens once."""
    if len(a.dates) != 1 or len(b.dates) != 1 or a.ordinals != b.ordinals:
        return None
    events = a.words & b.words & _ONCE
    if not events or _denied(a) or _denied(b) or not _same_names(a, b) or _indefinite(a, b):
        return None
    one, other = a.dates[0], b.dates[0]
    pairs = zip(one.date or (), other.date or (), strict=True)
    if all(mine is None or theirs is None or mine == theirs for mine, theirs in pairs):
        return None
    leads = {lead - {"by"} for lead in (_time_leads(a), _time_leads(b))}
    if len(leads) > 1 or _overlap(a, b, a.words, b.words) < 0.6 or _contrast(a, b):
        return None
    return Difference("date", one.text, other.text)


def _denied(a: _Reading) -> bool:
    return bool(a.read.negations)


def _indefinite(a: _Reading, b: _Reading) -> bool:
    """Whether either speaks of "a treaty" or "several treaties", where the other may mean another one."""
    shared = a.words & b.words
    for side in (a, b):
        for i, word in enumerate(side.read.words):
            if word.content and _fold(word.key) in shared and not word.name:
                before = [w.lower for w in side.read.words[max(0, i - 3) : i]]
                if any(w in ("a", "an", "another", "several", "some", "many", "new") for w in before):
                    return True
    return False


def _ranks(a: _Reading, b: _Reading) -> Difference | None:
    """Find "the second largest island" and "the fourth largest island" of one name."""
    mine, theirs = _ranked(a), _ranked(b)
    if mine is None or theirs is None or mine[1] != theirs[1] or mine[0] == theirs[0]:
        return None
    if not _same_names(a, b) or not _times_agree(a, b, lasting=True) or _denied(a) or _denied(b):
        return None
    if _overlap(a, b, a.words, b.words) < 0.5 or _contrast(a, b):
        return None
    return Difference("rank", mine[2], theirs[2])


def _ranked(a: _Reading) -> tuple[object, str, str] | None:
    """Give the place in a ranking, what is ranked, and the words for it, if there is just one."""
    found = []
    for quantity in a.read.quantities:
        after = next((word for word in a.read.words if word.start >= quantity.end), None)
        if quantity.kind != "ordinal" or after is None or a.read.text[quantity.end : after.start].strip(" -"):
            continue
        if after.lower in _FLOORS or after.lower in ("most", "least") or re.fullmatch(r".{3,}est", after.lower):
            value = next(iter(quantity.readings))[0]
            found.append((value, after.key, a.read.text[quantity.start : after.end]))
    return found[0] if len(found) == 1 else None


# --- persons and places ---------------------------------------------------------------------------------------------


def _odd_ones(a: _Reading, b: _Reading) -> tuple[Name, Name] | None:
    """Give the one name of each sentence that the other does not know, where all others agree."""
    mine, theirs = _strangers(a, b), _strangers(b, a)
    if len(mine) != 1 or len(theirs) != 1 or a.codes != b.codes or _denied(a) or _denied(b):
        return None
    if any(countries.is_country(name.text) or countries.is_adjective(name.text) for name in (mine[0], theirs[0])):
        return None
    return (mine[0], theirs[0]) if _one_topic(a, b, (mine[0], theirs[0])) else None


def _keys(one: Name, other: Name) -> frozenset[str]:
    return frozenset(map(_fold, (*one.keys, *other.keys)))


def _persons(a: _Reading, b: _Reading) -> Difference | None:
    """Find two persons for one work or one office at one time."""
    odd = _odd_ones(a, b)
    if odd is None or a.ordinals != b.ordinals or _contrast(a, b, _keys(*odd)):
        return None
    if any(_leads(side.read, name) in _IN for side, name in zip((a, b), odd, strict=True)):
        return None
    shared = a.words & b.words
    agents = all(_agent(side, name) for side, name in zip((a, b), odd, strict=True))
    held = _role(a) & _role(b)
    if shared & _MAKERS and agents and _times_agree(a, b, lasting=True):
        return Difference("person", odd[0].text, odd[1].text)
    if shared & _HEADING and agents and not (a.years or b.years or "past" in _tense(a) | _tense(b)):
        return Difference("person", odd[0].text, odd[1].text)
    if held and _office_time(a, b) and _overlap(a, b, a.words, b.words) >= 0.5:
        return Difference("person", odd[0].text, odd[1].text)
    return None


def _agent(a: _Reading, name: Name) -> bool:
    """Whether a name is who made something: "by X", or X first with the verb behind."""
    if _leads(a.read, name) == "by":
        return True
    after = a.read.words[name.last + 1 : name.last + 3]
    return not _leads(a.read, name) and any(_fold(word.key) in _MAKERS | _HEADING for word in after)


def _role(a: _Reading) -> frozenset[str]:
    """Give the offices of a sentence, each with the words before it ("deputy mayor")."""
    found = set()
    for i, word in enumerate(a.read.words):
        if word.lower in _ROLES and not word.possessive:
            before = a.read.words[i - 1] if i else None
            more = before is not None and before.content and not before.name and _adjoins(a.read, before, word)
            found.add(f"{before.key} {word.key}" if more and before is not None else word.key)
    return frozenset(found)


def _office_time(a: _Reading, b: _Reading) -> bool:
    """Whether one office is spoken of at one time: in one year, or as the first, or by both as of now."""
    if a.years or b.years:
        spans = _time_leads(a) | _time_leads(b)
        return bool(a.years & b.years) and not spans
    if a.ordinals and a.ordinals == b.ordinals:
        return True
    words = [{word.lower for word in side.read.words} for side in (a, b)]
    return bool(words[0] & words[1] & _FOUNDING) or _tense(a) == _tense(b) == {"present"}


def _places(a: _Reading, b: _Reading) -> Difference | None:
    """Find two places of one thing that has one place."""
    odd = _odd_ones(a, b)
    if odd is None or a.ordinals != b.ordinals or not a.words & b.words & _LOCATED:
        return None
    if _contrast(a, b, _keys(*odd)):
        return None
    leads = [_leads(side.read, name) for side, name in zip((a, b), odd, strict=True)]
    if leads[0] != leads[1] or leads[0] not in _IN or not _times_agree(a, b, lasting=not (a.years and b.years)):
        return None
    if _overlap(a, b, a.words, b.words) < 0.4:
        return None
    return Difference("place", odd[0].text, odd[1].text)


def _leads(read: Facts, name: Name) -> str:
    """Give the preposition before a name, articles and titles left out; "" for none."""
    end = name.start
    for word in reversed(read.words[max(0, name.first - 3) : name.first]):
        if read.text[word.end : end].strip():
            return ""  # a number or a mark stands between
        end = word.start
        if word.lower in ("the", "a", "an") or word.lower in TITLES:
            continue
        return word.lower if word.lower in _IN | {"by", "of", "from", "to", "with", "for", "under"} else ""
    return ""


# --- denials --------------------------------------------------------------------------------------------------------


def _denials(a: _Reading, b: _Reading) -> Difference | None:
    """Find what one sentence affirms and the other denies, or says the opposite of."""
    if not _same_names(a, b) or a.ordinals != b.ordinals or speakers(a.read) or speakers(b.read):
        return None
    shared = a.words & b.words
    if (
        not shared
        or len(shared | (_name_keys(a) & _name_keys(b))) < _ENOUGH
        or _overlap(a, b, a.words, b.words) < 0.7
        or _contrast(a, b)
    ):
        return None
    if len(a.words) > _SHORT or len(b.words) > _SHORT or not _denial_time(a, b):
        return None
    if turned_negation(a.read, (b.read,)) or turned_negation(b.read, (a.read,)):
        return Difference("denial", *(_cue(side) for side in (a, b)))
    if turned_opposite(a.read, (b.read,)) or turned_opposite(b.read, (a.read,)):
        mine, theirs = _only(a, b), _only(b, a)
        if {stem(mine.casefold()), stem(theirs.casefold())} <= _EXCLUSIVE and not a.figures and not b.figures:
            return Difference("denial", mine, theirs)
    return None


def _denial_time(a: _Reading, b: _Reading) -> bool:
    """Whether the denial holds for the time of what is affirmed: "never" always does."""
    if any(n.cue == "never" for side in (a, b) for n in side.read.negations):
        return True
    return bool(a.years & b.years) or not (a.years or b.years)


def _cue(a: _Reading) -> str:
    """Give the words of a denial, or of the sentence that has none."""
    for negation in a.read.negations:
        return a.read.text[negation.start : negation.end]
    return "it is so"


def _only(a: _Reading, b: _Reading) -> str:
    return next((w.text for w in a.read.words if w.content and not w.name and _fold(w.key) not in b.words), "")


def describe(found: Difference) -> str:
    """Say in a few words how two sentences differ, the first one's words first."""
    asked: dict[Kind, str] = {
        "figure": "another figure",
        "date": "another date",
        "rank": "another rank",
        "person": "another name",
        "place": "another place",
        "denial": "the opposite",
    }
    return f"{asked[found.kind]}: “{found.one}” and “{found.other}”"


def ordinary_words(texts: Iterable[str]) -> frozenset[str]:
    """Give the words that are written in lower case somewhere in `texts`."""
    return frozenset(word for text in texts for word in re.findall(r"(?<![^\W_])[^\W\d_A-Z][^\W\d_]*", text))

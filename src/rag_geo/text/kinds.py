"""What kind of thing a question asks for, and whether a sentence has one at all.

Four kinds: an *amount* ("how many", "what share"), a *time* ("when", "in which year"), somebody (*person*: "who", "by
whom"), a *place* ("where", "in which country"). Decided from the surface, and only where it is clear: a question that
asks two things, offers a choice ("A or B?") or has its question word elsewhere than at the beginning of a clause has
no kind, and what a careful reader could take for an answer is one ("several", "after the war", "some experts", "on the
coast"). Words, names and numbers that the question has itself are no answer to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from rag_geo.text.facts import TITLES, Facts, facts, stem
from rag_geo.text.quantities import Quantity, listed, unsupported

Kind = Literal["amount", "length", "time", "duration", "person", "place"]

_AUX = r"(?:is|are|was|were|did|do|does|has|have|had|will|would|can|could|should|may|might|shall|must)\b"
_LEAD = (
    r"(?:^|[,;:]\s*|\band\s+)(?:(?:so|and|but|exactly|then|roughly|about|approximately|since|until|till|by|from)\s+)*"
)
_PREPOSITION = r"(?:(?:in|on|at|by|to|from|for|with|of|under|during|since|until|near|into|through|off|against)\s+)"
_PLACES = r"(?:country|countries|city|cities|town|village|continent|province|island|place|location|sea|ocean|river)\b"
_PERIODS = r"(?:year|month|day|date|decade|century|season|time of (?:day|year)|weekday)\b"
_ASKED: tuple[tuple[Kind, str], ...] = (
    (
        "amount",
        rf"{_PREPOSITION}?(?:how many\b|how old\b|how much (?!{_AUX})|(?:what|which) (?:share|percentage|per ?cent|"
        rf"proportion|fraction|number)\b)",
    ),
    (
        "amount",
        r"what (?:is|was|are|were) the (?:exact |total |approximate )?(?:number|percentage|proportion) of\b",
    ),
    ("length", r"how long (?:is|are|was|were) (?:the|a|an|its|their|his|her)\b(?!.*\w(?:ing|ed)\b)"),
    ("duration", rf"{_PREPOSITION}?how long {_AUX}"),
    ("time", rf"when {_AUX}"),
    ("time", rf"{_PREPOSITION}?(?:what|which) (?:exact )?{_PERIODS}"),
    ("time", r"what (?:is|was) the (?:exact )?date\b"),
    ("person", rf"{_PREPOSITION}?(?:who|whom|whose)\b"),
    (
        "place",
        rf"{_PREPOSITION}?(?:where {_AUX}(?!.*\b(?:rank|scale|stand|score))|(?:what|which) {_PLACES})",
    ),
)
_PATTERNS = tuple((kind, re.compile(_LEAD + pattern, re.IGNORECASE)) for kind, pattern in _ASKED)
_ASKING = re.compile(r"\b(?:who|whom|whose|what|which|when|where|why|how)\b", re.IGNORECASE)
_CHOICE = re.compile(r"\b(?:or|whether|either|each other|the other|of the two|respectively)\b", re.IGNORECASE)
_SIDES = re.compile(
    r"\b(?:between|both|more|less|[a-z]{3,}er than)\b", re.IGNORECASE
)  # of two named sides, one may be the answer

_VAGUE = frozenset(
    listed("""no none nobody nothing zero one single few fewer several many numerous countless most all
    both neither half majority minority every each handful couple pair score dozen dozens
    hundreds thousands millions billions nearly almost hardly scarcely never once twice entire
    entirely whole wholly fully much little less more mostly heavily greatly considerably
    slightly barely large larger small smaller huge vast enough too great greater bulk lion's
    part plenty any not unlimited infinite increasingly multiple various unknown""")
)
_TIMES = frozenset(
    listed("""after before during since until till while when whenever once as soon later earlier ago
    recently currently now today yesterday tomorrow tonight shortly then year years month
    months week weeks weekend day days daily hour hours minute minutes decade decades century
    centuries era age ages aged period time times summer winter spring autumn morning evening
    afternoon night noon midnight dawn first last next latest war wartime peacetime pandemic
    crisis summit meeting talks conference visit election elections presidency administration
    reign rule term tenure wake aftermath course midst beginning start end middle past future
    future present childhood youth boyhood revolution depression dynasty collapse invasion
    birth death harvest season never always often immediately every regularly annually yearly
    monthly frequently eventually finally already still yet simultaneously long longer
    throughout amid following upon if anniversary christmas easter antiquity prehistory
    medieval ancient bc bce bp ad ce circa contemporary nowadays lately formerly previously
    afterwards eve independence opening signing launch holiday holidays ramadan monsoon
    renaissance wednesday""")
)
_DURATIONS = frozenset(
    listed("""forever permanently indefinitely temporarily briefly lifetime life lifelong as ever always
    whole entire entirely far""")
)
_PERSONS = frozenset(
    stem(word)
    for word in listed("""people person man woman child boy girl king queen prince princess emperor empress tsar
    pope bishop priest monk nun saint god president minister chancellor ambassador diplomat
    politician official expert analyst author journalist critic observer sceptic skeptic
    supporter adviser advisor consultant scholar scientist researcher historian economist
    professor doctor teacher student pupil engineer architect artist painter poet writer
    composer singer actor director editor chief head boss founder owner manager chairman
    executive captain general admiral officer soldier sailor pilot guard police policeman
    agent spy army navy fleet force troops military militia rebel government state nation
    country authority parliament congress senate court judge jury lawyer party republican
    democrat opposition council commission committee ministry department agency bureau office
    administration institute institution university school company firm business bank
    corporation enterprise manufacturer brand organisation organization association union
    alliance league club team crew band group community tribe clan family mother father parent
    son daughter brother sister wife husband widow cousin uncle aunt friend enemy ally rival
    partner neighbour colleague successor predecessor citizen resident inhabitant villager
    farmer worker miner fisherman merchant trader settler immigrant migrant refugee voter
    elite public population crowd youth adult hero leader member representative candidate
    senator governor mayor secretary spokesman spokeswoman envoy delegate oligarch billionaire
    netizen user customer client buyer seller consumer patient nurse victim passenger driver
    programmer developer volunteer monarch noble lord lady duke count baron knight slave
    peasant regime disciple follower believer side west east staff publisher newspaper
    magazine outsider insider west humans human male female animal bird dog cat horse""")
)
_PERSON_ENDING = re.compile(
    r".{3,}(?:ists?|icians?|ologers?|ographers?|crats?|smen|sman|swoman|women|makers?|holders?)$"
)
_SOMEBODY = frozenset(
    listed("""he she they i we you everyone everybody someone somebody nobody none anyone others another
    neither both those some many most few several all other own his her their my our your""")
)
_PLACE_PREPOSITIONS = frozenset(
    listed("""in at on near to from off over along across around inside outside between by beyond into
    through toward towards under above below behind beside within throughout among against
    opposite up down onto past west east north south of""")
)
_PLACE_WORDS = frozenset(
    listed("""there here abroad overseas everywhere nowhere anywhere elsewhere home northward southward
    westward eastward upstream downstream inland offshore underground indoors outdoors online
    worldwide neither none no both every all downtown ashore aboard backstage""")
)


def asked_kind(question: str) -> Kind | None:
    """Give the kind of thing a question asks for, or None where it is not clear or not one of these."""
    if _CHOICE.search(question) or len(_ASKING.findall(question)) != 1:
        return None
    kind = next((kind for kind, pattern in _PATTERNS if pattern.search(question)), None)
    return None if kind in ("person", "place") and _SIDES.search(question) else kind


def has_kind(kind: Kind, claim: str, question: str) -> bool:
    """Whether `claim` has anything of the kind that could answer `question`, beyond what the question says itself."""
    read, asked = facts(claim), facts(question)
    known = {negation.cue for negation in asked.negations}
    denies = any(negation.cue not in known for negation in read.negations)  # "It never became independent."
    return denies or _HAS[kind](read, asked)


def _new_words(claim: Facts, asked: Facts) -> set[str]:
    """Words of the claim, lower case, that the question does not have in any inflection."""
    known = {word.key for word in asked.words} | {word.lower for word in asked.words}
    return {word.lower for word in claim.words if word.lower not in known and word.key not in known}


def _new_quantities(claim: Facts, asked: Facts) -> list[Quantity]:
    """Numbers and dates of the claim that those of the question do not bear out; codes ("G7") are none."""
    return [q for q in unsupported(claim.quantities, asked.quantities) if q.kind != "code"]


def _new_names(claim: Facts, asked: Facts) -> int:
    """Count the names of the claim with a word that the question does not have."""
    known = {word.key for word in asked.words}
    return sum(not set(name.keys) <= known for name in claim.names)


def _amount(claim: Facts, asked: Facts) -> bool:
    """A number that is no date, a vague amount, or a list of names to count."""
    if any(q.kind != "date" or any(not unit for _, unit in q.readings) for q in _new_quantities(claim, asked)):
        return True
    return bool(_new_words(claim, asked) & _VAGUE) or _new_names(claim, asked) > 1


def _length(claim: Facts, asked: Facts) -> bool:
    """A number with a unit, or a comparison or a time that lasts."""
    if sum(q.kind == "date" for q in claim.quantities) > 1:
        return True
    measured = any(unit for q in _new_quantities(claim, asked) if q.kind == "number" for _, unit in q.readings)
    return (
        measured
        or re.search(r"\b(?:as long as|longer|shorter|half|twice)\b", claim.text, re.I) is not None
        or (bool(_new_words(claim, asked) & (_DURATIONS | {"years", "months", "weeks", "days", "hours", "decades"})))
    )


_CLOCK = re.compile(r"\s*(?:[ap]\.?m\b|o['’]clock)", re.IGNORECASE)


def _time(claim: Facts, asked: Facts) -> bool:
    """A date, a time of day, a number of days, a year after a preposition, or words that place something in time."""
    for quantity in _new_quantities(claim, asked):
        led = re.search(
            r"\b(?:in|by|since|from|until|till|around|circa|about|year|ad|to|of)\s+$",
            claim.text[: quantity.start],
            re.I,
        )
        clock = any(unit == "time" for _, unit in quantity.readings) or _CLOCK.match(claim.text, quantity.end)
        if quantity.kind in ("date", "ordinal") or led or clock:
            return True
    return bool(_new_words(claim, asked) & _TIMES) or bool(
        re.search(r"\b(?:when|hours?|days?|weeks?|months?|years?|decades?|centur(?:y|ies))\b", claim.text, re.I)
    )


def _duration(claim: Facts, asked: Facts) -> bool:
    """Any number, a time, or a word for lasting."""
    return bool(
        _new_quantities(claim, asked) or _new_words(claim, asked) & (_DURATIONS | _VAGUE) or _time(claim, asked)
    )


def _person(claim: Facts, asked: Facts) -> bool:
    """A new name, a word for people or bodies of people, or a pronoun; or a name first, as in "Russia is ..."."""
    if _new_names(claim, asked) or _name_first(claim, asked):
        return True
    lower = _new_words(claim, asked)
    if lower & _SOMEBODY or lower & TITLES:
        return True
    return any(stem(word) in _PERSONS or _PERSON_ENDING.fullmatch(word) for word in lower)


def _name_first(claim: Facts, asked: Facts) -> bool:
    """Whether the claim begins with a whole name and goes on with a verb: the name may be the answer after all."""
    if not claim.names or claim.names[0].first > 1 or claim.names[0].possessive:
        return False
    after = next((word for word in claim.words if word.start >= claim.names[0].end), None)
    verbs = ("is", "was", "are", "were", "has", "had", "have", "did", "does")
    if after is None or after.lower in verbs:
        return len(asked.names) > 1 and not any(name.first <= 2 for name in asked.names)
    who = next((i for i, word in enumerate(asked.words) if word.lower in ("who", "whom", "whose", "which", "what")), 0)
    return after.content and after.key in {word.key for word in asked.words[who + 1 : who + 3]}


def _place(claim: Facts, asked: Facts) -> bool:
    """A new name, a preposition of place before something new, or a word such as "abroad"."""
    fresh = _new_words(claim, asked)
    if _new_names(claim, asked) or _name_first(claim, asked) or fresh & _PLACE_WORDS:
        return True
    return any(
        word.lower in _PLACE_PREPOSITIONS and any(w.content and w.lower in fresh for w in claim.words[i + 1 : i + 5])
        for i, word in enumerate(claim.words)
    )


_HAS: dict[Kind, Callable[[Facts, Facts], bool]] = {
    "amount": _amount,
    "length": _length,
    "time": _time,
    "duration": _duration,
    "person": _person,
    "place": _place,
}
_WANTED: dict[Kind, str] = {
    "amount": "a number",
    "length": "a number with a unit",
    "time": "a date or time",
    "duration": "how long",
    "person": "who",
    "place": "where",
}


def wanted(kind: Kind) -> str:
    """Give the words for what a question of the kind asks: "a number", "who"."""
    return _WANTED[kind]

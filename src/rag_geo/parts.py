"""The questions that a question with several parts consists of, each complete, so that each can be answered alone.

"How many ports do Sudan and Venezuela have?" asks for two facts that stand in two paragraphs: "How many ports does
Sudan have?" and "How many ports does Venezuela have?". Pure and deterministic: rules on the surface of the question,
no model. A false split costs an answer, a missed one only leaves things as they are; so a rule that is not sure leaves
the question whole.

Four families are known, tried in this order, and again on what comes out of them:

- sentences: a question and what is to be set side by side ("Compare Hawn with Ruehl."), or two questions;
- figures that are compared: "Which coastline is longer, Japan's or Norway's?";
- clauses: "When did A happen, and why did B follow?"; the later ones are completed from those before by `standalone`;
- several that are asked about one by one: "the capitals of A and B", "What do A and B each say?".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag_geo.conversation import standalone
from rag_geo.text import countries
from rag_geo.text.facts import facts
from rag_geo.text.mentions import AUXILIARY, PREPOSITION, is_plural, mentions
from rag_geo.text.quantities import listed

MAX_PARTS = 4
"""The most parts that a question is split into; one with more stays whole."""

_LONGEST = 300  # characters; a longer question brings its context along, and the rules are to stay fast
_DEPTH = 3  # rules applied to the parts of parts; what is not settled then is not understood
_MASK = 0xE000  # private characters stand for what is not to be looked into
_MASKS = re.compile("[\ue000-\uf8ff]")
_COUPLED = re.compile(
    r"\b(?:and|or|than|against|each|compare|contrast|differ\w*|depart|share|(?:dis)?agree|contradict)\b|[?.]\s",
    re.IGNORECASE,
)  # without one of these there is one question
_WHOLE = re.compile(
    r'"[^"]*"|“[^”]*”|«[^»]*»|(?<!\w)[‘\'][^’\']{3,}[’\'](?!\w)|\([^()]*\)'
    r"|\b(?:Trinidad and Tobago|Bosnia and Herzegovina|Antigua and Barbuda|S(?:ain)?t\.? Kitts and Nevis"
    r"|S(?:ain)?t\.? Vincent and the Grenadines|S[ãa]o Tom[ée] and Pr[íi]ncipe|Serbia and Montenegro"
    r"|Turks and Caicos(?: Islands)?|Newfoundland and Labrador|Tyne and Wear|England and Wales|Wallis and Futuna"
    r"|Belt and Road|Marks and Spencer|War and Peace|Pride and Prejudice|Crime and Punishment"
    r"|(?:Ministry|Minister|Department|Secretary|Committee|Commission|Chamber|Board|Office|Bureau|Institute|Agency"
    r"|Organi[sz]ation|Treaty|University|College|School|Faculty|Bank|Fund|Society|Association|Centre|Center|Museum)"
    r" (?:of|for|on) (?:[A-Z][\w-]+,? ){1,4}and [A-Z][\w-]+(?: [A-Z][\w-]+)?)"
)

_WORDS = r"who|whom|whose|which|what|when|where|why|how"
_ASKS = rf"(?:(?:about|roughly|{PREPOSITION}) )?(?:{_WORDS})\b"
_DIRECT = re.compile(
    rf"(?:{_ASKS}|{AUXILIARY}\b|[\w’' -]{{1,30}} (?:of|from|in|to|by|for) (?:which|what|whom|whose)\b)", re.IGNORECASE
)
_JOINT = re.compile(
    rf"\s*[,;]\s*(?:(?:and|but)\s+(?:also\s+)?)?(?={_ASKS})|\s*[,;]?\s+(?:and|but)\s+(?=(?:{_ASKS}|{AUXILIARY}\b))",
    re.IGNORECASE,
)
_INVERTED = re.compile(
    rf"(?:(?:about|roughly|{PREPOSITION}) )?(?:who|whom|where|when|why|(?:what|which|whose|how)(?: [^\s,]+){{0,6}}?)"
    rf" (?P<verb>{AUXILIARY})(?: (?P<next>\S+)|$)",
    re.IGNORECASE,
)
_ACTING = re.compile(
    rf"(?:who|which(?: [\w-]+){{1,4}}|(?:about |roughly )?how many(?: [\w-]+){{1,4}}) (?!{AUXILIARY}\b|{PREPOSITION}\b)"
    r"(?!(?:he|she|it|they|we|you|I|the|an?|his|her|its|their|this|that|these|those|and|or)\b)[a-z]\w+\b",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"(?:(?:since|until) when|when|where|why|how|with whom|by whom|for what reason|how often|how long"
    r"|(?:in|on|at|since|by|until|from) (?:which|what) (?:year|month|day|city|country|place|region))",
    re.IGNORECASE,
)
_YES_NO = re.compile(
    rf"{AUXILIARY} (?:not )?(?:(?:the|an?|it|he|she|they|that|this|there|its|his|their)\b|(?-i:[A-Z]))", re.IGNORECASE
)
_EMBEDS = re.compile(
    rf"\b(?:know\w*|knew|sa(?:y|ys|id)|explain\w*|describ\w+|tell\w*|told|show\w*|ask\w*|clear|sure|about|between|both"
    rf"|reveal\w*|state[sd]?|mention\w*|decid\w+|wonder\w*|determin\w+|understand\w*|see\w*|report\w*|learn\w*|of|on"
    rf"|judge\w*|whether|if) (?:{_WORDS})\b",
    re.IGNORECASE,
)
_SUPPORT = re.compile(r"do|does|did|will|would|can|could|should|may|might|must", re.IGNORECASE)

_POINTERS = re.compile(
    r"\b(?:it|its|he|him|his|she|her|they|them|their|there|those|these|that|this|each|both|one|the former|the"
    r" latter)\b",
    re.IGNORECASE,
)
_LOOSE = re.compile(
    rf"\band {AUXILIARY} (?:that|this)(?= |$)|\b(?:in|of|for|by) each$", re.IGNORECASE
)  # half a question
_POINTS_AT_ANSWER = re.compile(r"\b(?:it|its|they|them|their|he|him|his|she|her|there|(?:that|those|these) [a-z]+)\b")
_ANSWER_ACTS = re.compile(
    rf"(?:(?:which|what) (?:(?!{AUXILIARY}\b)[\w-]+ ){{1,4}}?(?:(?:is|are|was|were|has|had|have)\b(?! \w+ed\b)"
    rf"|(?!{AUXILIARY}\b|{PREPOSITION}\b)(?:\w+(?:s|ed)|went|came|won|lost|made|led|bought|sold|took|fell"
    r"|rose)\b)|who (?!(?:is|are|was|were) (?:the|(?-i:[A-Z]))))",
    re.IGNORECASE,
)
_OWN_SUBJECT = re.compile(
    rf"(?:which|what|how many) (?!{AUXILIARY}\b)[^,]+ (?:has|have|had|\w+s|\w+ed) $", re.IGNORECASE
)
_FROM_ANSWER = re.compile(
    r"\bthe (?:person who|place where|[a-z][\w -]{0,30}? (?:that|(?:in|on|at|by|to|from|of|for) which))\b"
)

_OPINION = r"(?:view|opinion|account|eyes|words|telling|reading|judge?ment|estimation)"
_ATTRIBUTED = re.compile(
    rf",\s+(?:according to|going by|as (?:told|reported|described|seen) by|in the (?:{_OPINION}|profile|article|report)"
    rf" (?:of|on)|in (?=[^,]*['’]s? {_OPINION}$)|as (?=[^,]* (?:says|writes|reports|argues|notes|sees it)$)) ?[^,]*$"
    r"|,\s+(?-i:[A-Z])[\w-]+(?: (?-i:[A-Z])[\w-]+)? (?:says|writes|reports|argues|notes)$",
    re.IGNORECASE,
)
_SETTING = re.compile(
    rf"(?:(?:according to|in|during|by|at|on|before|after|under|since)\s[^,?]{{1,60}}),\s+(?={_ASKS}|{AUXILIARY}\b)",
    re.IGNORECASE,
)
_OWN_SOURCE = re.compile(
    r"\baccording to\b|\bgoing by\b|\bin the (?:profile|article|report) (?:of|on)\b|\bin [^,]*['’]s? "
    rf"{_OPINION}\b",
    re.IGNORECASE,
)

_SAYING = (
    r"(?:say|think|write|hold|believe|argue|claim|judge|see|assess|rate|view|regard|evaluate|describe|recommend|propose"
    r"|suggest|expect|explain|mention|consider|predict|warn|want|advise|report|make of|estimate|conclude|interpret)"
)
_SOURCE = re.compile(
    r"(?:the|an?|its|this|that) (?:[\w’'-]+ ){0,5}?(?:authors?|article|report|profile|book|essay|paper|study|factbook"
    r"|experts?|critics?|sceptics?|writers?|analysts?|text|document|chapter|figures|data)\b.*",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(?:[A-Z][\w.’'-]*|\ue000)(?: (?:(?:de|da|von|van|bin|al) )?[A-Z][\w.’'-]*){0,3}")
_NP = r"[^,?;]{2,80}?"
_TOGETHER = re.compile(
    r"\b(?:together|jointly|combined|each other|one another|in common|both|in total|altogether|between them|share"
    r"|shared|joint|common|mutual)\b",
    re.IGNORECASE,
)
_POSSESSED = re.compile(r"\b(?:its|his|her|their)\b", re.IGNORECASE)

_FIGURES_PLEASE = re.compile(
    r"(?:please )?(?:give|name|state|list|compare|quote)(?: me)? (?:(?:both|the|their|two) )*(?:figures|numbers"
    r"|values|data"
    r"|amounts|dates|years|lengths|sizes)(?: for (?:each|both))?"
    r"|(?:and )?(?:what|which) (?:are|were) (?:the|both|their) (?:figures|numbers|values|dates|amounts|lengths|sizes)"
    r"|in (?:which|what) (?:years?|months?)|when"
    r"|on (?:which|what) (?:days?|dates?)|by (?:which|what) (?:figures|numbers)"
    r"|(?:and )?by how (?:much|many)(?: \w+){0,3}"
    r"|(?:how (?:many|much|long|large|high|big|old|tall|deep|wide|heavy)(?: \w+){0,3}|what|when|in (?:which|what) \w+) "
    r"(?:(?:is|are|was|were|has|have|had|does|do|did) )?[^,]*\b(?:each|both|they|it|their)\b[^,]{0,40}",
    re.IGNORECASE,
)
_DEGREES = {
    comparative: plain
    for plain, words in (
        ("long", "longer shorter"),
        ("large", "larger bigger smaller greater"),
        ("high", "higher lower"),
        ("old", "older younger"),
        ("tall", "taller"),
        ("deep", "deeper shallower"),
        ("heavy", "heavier lighter"),
        ("wide", "wider narrower"),
        ("fast", "faster slower"),
        ("far", "farther further nearer"),
        ("expensive", "dearer cheaper"),
    )
    for comparative in words.split()
}
_MORE = rf"(?P<degree>{'|'.join(_DEGREES)})"
_BE = r"(?P<be>is|was|are|were)"
_A = r"(?P<a>[^,?;]{2,80}?)"
_B = r"(?P<b>[^,?;]{2,80}?)"
_CHOICE = rf"(?:, |: | – | - |,? between )?{_A} (?:or|and) {_B}"
_WHICH_IS = re.compile(
    rf"(?:whose|(?:which|what)(?: of (?:the two|them))?)(?: (?P<noun>[\w -]{{1,60}}?))? {_BE} (?:the )?{_MORE}"
    rf"(?P<rest> [^,]{{1,60}})?, {_A} or {_B}",
    re.IGNORECASE,
)
_WHERE_IS = re.compile(
    rf"(?P<prep>in|at|on) (?:which|what) [\w -]{{1,40}}? {_BE} (?P<noun>[^,]{{1,90}}?) {_MORE}"
    rf"(?P<rest> [^,]{{1,60}})?, (?:in )?{_A} or (?:in )?{_B}",
    re.IGNORECASE,
)
_IS_IN = re.compile(rf"{_BE} (?P<noun>[^,]{{1,90}}?) {_MORE} (?P<prep>in|on|at) {_A} (?:or|than) (?P=prep) {_B}", re.I)
_IS_MORE = re.compile(rf"{_BE} {_A} or {_B} {_MORE}(?P<rest> (?:in|on|by|at) [^,]{{1,60}})?", re.IGNORECASE)
_IS_THAN = re.compile(rf"{_BE} {_A} {_MORE} than {_B}(?P<rest> (?:in|on) [\d][^,]{{1,30}})?", re.IGNORECASE)
_WHO_HAS = re.compile(
    rf"(?:who|(?:which|what) [\w -]{{1,40}}?) (?P<verb>[a-z]+) (?:more|fewer|less) (?P<noun>[^,]{{1,90}}), {_A} or "
    rf"{_B}",
    re.IGNORECASE,
)
_DOES_HAVE = re.compile(
    rf"(?P<aux>do|does|did) {_A} or {_B} (?P<verb>[a-z]+) (?:more|fewer|less) (?P<noun>[^,]{{1,90}})", re.IGNORECASE
)
_DOES_THAN = re.compile(
    rf"(?P<aux>do|does|did) {_A} (?P<verb>[a-z]+) (?:more|fewer|less) (?P<noun>[^,]{{1,90}}?) than {_B}", re.IGNORECASE
)
_WHO_FIRST = re.compile(
    rf"(?:who|(?:which|what)(?: [\w -]{{1,40}}?)?) (?P<verb>[a-z]+)(?P<one> [^,]{{1,60}}?)? (?:first|earlier)"
    rf"(?P<rest> [^,]{{1,60}})?, {_A} or {_B}",
    re.IGNORECASE,
)
_DID_FIRST = re.compile(
    rf"did {_A} or {_B} (?P<verb>[a-z]+)(?P<one> [^,]{{1,60}}?)? (?:first|earlier)(?P<rest> [^,]{{1,60}})?",
    re.IGNORECASE,
)
_NOT_COMPARED = re.compile(
    r"\b(?:the other|each other|one another|ever|before|expected|usual|average|allowed|planned|feared|thought)\b|\d",
    re.IGNORECASE,
)

_OFFICES = frozenset(
    listed("""capital president minister population area currency king queen leader state government parliament gdp
    rate age expectancy flag anthem coastline coast debt head chancellor monarch budget inflation density""")
)
_OWN_LISTS = frozenset(listed("exports imports ports airports languages neighbours neighbors religions resources"))
_HOLDING = r"(?:have|own|possess|produce|export|import|keep|operate|spend|consume|mine|refine|earn|generate)"
_OF_SEVERAL = re.compile(
    r"(?P<ask>who|what|which|how [a-z]+) (?P<be>is|are|was|were) the "
    r"(?P<noun>(?:\w+ )?heads? of (?:state|government)|[\w -]{2,60}?) (?P<prep>of|in) "
    r"(?P<list>[^?;]+? and [^?;,]+?)(?P<rest>,? (?:in|on|by|since|as of|at the end of) \d[^,]*)?",
    re.IGNORECASE,
)
_EACH_HAS = re.compile(
    rf"(?P<ask>(?:how (?:many|much)|what|which)\b[^,?]{{1,80}}?) (?P<aux>do|did) (?P<list>[^?;]+? and [^?;,]+?)"
    rf"(?: each)? (?P<verb>{_HOLDING})\b(?P<rest>[^?]*)",
    re.IGNORECASE,
)
_EACH_PLACE = re.compile(
    r"(?P<ask>(?:how (?:many|much) [^?,]{1,120}?|(?:what|which) [\w -]+?s (?:do|does|did|are there|were there)\b"
    r"[^?,]{0,90}?)) in (?P<list>(?:(?! in )[^?;])+? and [^?;,]+?)(?P<rest> (?:in|on|by|since) \d[^,]*)?",
    re.IGNORECASE,
)
_VOICES = re.compile(
    rf"(?P<ask>what|how|why|whom|where|when|which [\w -]{{1,40}}?) (?P<aux>do|did|would|can|could|should) "
    rf"(?P<a>{_NP}) and (?P<b>{_NP})(?P<each> each)? (?P<verb>{_SAYING}|(?<= each )[a-z]+)\b(?P<rest>.*)",
    re.IGNORECASE,
)
_WORKING = re.compile(
    rf"(?P<ask>where|since when|when) (?P<aux>do|did|are|were) (?P<a>{_NP}) and (?P<b>{_NP}) "
    r"(?P<verb>work|live|teach|study|born|based|do(?= their))\b(?P<rest>.*)",
    re.IGNORECASE,
)
_COMPARE = re.compile(
    rf"(?:compare|contrast) (?P<a>{_NP}) (?:with|and|to|against) (?P<b>{_NP})(?: (?:on|regarding|about) (?P<on>.+))?"
    rf"|(?:set|hold|put|place) (?P<a2>{_NP}) (?:against|beside|next to) (?P<b2>{_NP})"
    r"(?: (?:on|regarding) (?P<on2>.+))?",
    re.IGNORECASE,
)
_DISAGREE = re.compile(
    rf"(?P<a>{_NP}) and (?P<b>{_NP}) (?:(?P<verb>{_SAYING}|answer|put)(?: (?P<on>(?!this\b|it\b|that\b).+?)| "
    r"(?:this|it|that))? (?:very )?differently|(?:disagree|differ|are at odds)"
    r"(?: (?:on|about|over|as to) (?P<on2>.+))?)",
    re.IGNORECASE,
)
_WHAT_EACH = re.compile(
    rf"(?:what|how) (?:do|does|did) (?:each(?: of (?:them|the two))?|they(?: each)?|both) (?P<verb>{_SAYING})"
    r"(?: (?:it|this|that|about it|on it))?",
    re.IGNORECASE,
)
_WHAT_VOICES = re.compile(
    rf"(?:and )?(?:what|how) (?:do|did) (?P<a>{_NP}) and (?P<b>{_NP})(?: each)? {_SAYING}"
    r"(?: (?:it|this|that|about (?:it|this|that)|on (?:it|this|that)))?",
    re.IGNORECASE,
)
_SHARES = re.compile(
    rf"(?:do|does|did) (?P<a>{_NP}) (?:share|agree with|disagree with|contradict) (?P<b>{_NP})(?:['’]s?)? "
    r"(?:(?:opinion|view|judge?ment|assessment|position)s? )?(?:on|of|about|regarding|over) (?P<on>.+)",
    re.IGNORECASE,
)
_AGREE = re.compile(
    rf"(?:do|did) (?P<a>{_NP}) and (?P<b>{_NP}) (?:(?:dis)?agree|(?:hold|have|share|take) the same "
    r"(?:view|opinion|position)s?) (?:on|of|about|regarding|over) (?P<on>.+)",
    re.IGNORECASE,
)
_DIFFER_ON = re.compile(
    rf"(?:how|where|in what) do (?:the (?:{_OPINION}|opinion|position|judge?ment)s of )?(?P<a>{_NP}) and (?P<b>{_NP})"
    r"(?:(?: differ| disagree)? (?:on|about|over|regarding) (?P<on>.+?)(?: differ| disagree)?)",
    re.IGNORECASE,
)
_SAME_FIGURE = re.compile(
    rf"(?P<aux>do|did) (?P<a>{_NP}) and (?P<b>{_NP}) (?P<verb>give|name|report|state|quote|cite|mention) the same "
    r"(?P<noun>[\w -]{1,40}?) (?P<rest>(?:for|of|on|about) .+)",
    re.IGNORECASE,
)
_DIFFER_IN = re.compile(
    rf"how (?P<aux>do|did) (?P<a>{_NP}) and (?P<b>{_NP}) differ (?:in|on) their (?P<noun>(?!\w+s\b)[\w -]{{1,40}}?)"
    r"(?P<rest> (?:of|on|towards?|to) [^,]+)?(?P<end>,.*)?",
    re.IGNORECASE,
)
_DEPARTS = re.compile(
    rf"(?:how|in what|where) (?P<aux>do|does|did) (?P<a>{_NP})['’]s? (?P<noun>picture|view|opinion|assessment|idea|"
    rf"understanding|image|account|reading|estimate) of (?P<on>{_NP}) (?:depart|differ|deviate) from that of (?P<b>.+)",
    re.IGNORECASE,
)
_YEARS_OF = re.compile(
    r"(?P<prep>in|on) (?:which|what) (?P<noun>years|months|decades|centuries|days) did (?P<a>the [^,?]+?) and "
    r"(?P<b>the [^,?]+?) (?P<verb>[a-z]+)",
    re.IGNORECASE,
)
_TIME_BETWEEN = re.compile(
    r"how (?:much time|many (?:years|months|weeks|days|decades|centuries)) (?:lay|lie|passed|elapsed|went by"
    r"|separate[sd]?)"
    r"(?: between)? (?P<a>the [^,?]+?) (?:and|from) (?P<b>the [^,?]+)",
    re.IGNORECASE,
)
_ONE_AND_ONE = re.compile(
    r"(?P<ask>which (?:two )?[^,?]+?), one (?P<a>[a-z]+ [^,?]+?) and (?:one|the other) (?P<b>[a-z]+ [^,?]+)",
    re.IGNORECASE,
)
_TWO_SOURCES = re.compile(
    r"(?P<ask>.+?),? (?P<lead>according to|going by|in the eyes of|in the view of|in the opinion of) (?P<a>[^,?]+?)"
    r",? and (?:(?P<same>by|to|of|according to|going by) )?(?P<b>[^,?]+?)(?P<rest>,.*)?",
    re.IGNORECASE,
)

_PAST = {
    past: base
    for base, forms in (
        entry.split(":")
        for entry in listed(
            """go:went come:came become:became begin:began win:won lose:lost leave:left have:had,has make:made take:took
            get:got give:gave write:wrote build:built meet:met fall:fell rise:rose send:sent sell:sold buy:bought
            do:did,does sign:signed visit:visited enter:entered spend:spent hold:held find:found fight:fought die:died
            see:saw lead:led set:set pay:paid speak:spoke know:knew launch:launched produce:produced import:imported
            be:was,were"""
        )
    )
    for past in forms.split(",")
}


@dataclass(frozen=True, slots=True)
class _Reader:
    """The names of the authors, as given, and their last words, case folded."""

    names: tuple[str, ...]
    last: frozenset[str]


class _UnsureError(Exception):
    """The parts of the parts do not come to an end, or are too many."""


def parts(question: str, names: Sequence[str] = ()) -> tuple[str, ...]:
    """Give the questions that `question` consists of, each complete in itself, in order, at most `MAX_PARTS`.

    It is given back alone when it is one question, when no rule is sure, or when it has more than 300 characters.
    `names` are names of persons, such as the authors of the documents: what two of them say is asked of each. Any text
    is taken, nothing is raised; the parts of a part are that part.
    """
    text = _core(question)
    if len(question) > _LONGEST or not _COUPLED.search(text) or _MASKS.search(text):
        return (question,)
    reader = _Reader(tuple(names), frozenset(name.split()[-1].casefold() for name in names if name.strip()))
    hidden: list[str] = []
    masked = _WHOLE.sub(lambda found: _hide(found.group(), hidden), text)
    try:
        found = _leaves(masked, reader, _DEPTH)
    except _UnsureError:
        return (question,)
    if len(found) < 2:
        return (question,)
    return tuple(_MASKS.sub(lambda mask: hidden[ord(mask.group()) - _MASK], part) + "?" for part in found)


def _hide(text: str, hidden: list[str]) -> str:
    hidden.append(text)
    return chr(_MASK + len(hidden) - 1)


def _leaves(text: str, reader: _Reader, depth: int) -> list[str]:
    """Apply the rules until none applies."""
    split = next(filter(None, (rule(text, reader) for rule in _RULES)), None) if len(text) < _LONGEST else None
    if split is None:
        return [text]
    done = list(dict.fromkeys(_finished(part) for part in split))
    if not depth or len(done) < 2 or not all(done):
        raise _UnsureError
    found = list(dict.fromkeys(leaf for part in done for leaf in _leaves(part, reader, depth - 1)))
    if len(found) > MAX_PARTS:
        raise _UnsureError
    return found


def _core(question: str) -> str:
    return " ".join(question.split()).rstrip("?!.… ")


def _finished(text: str) -> str:
    text = re.sub(r"\s+(?=,)", "", _core(text)).strip(" ,;:")
    return text[:1].upper() + text[1:]


def _lowered(text: str) -> str:
    """Give a clause without the capital of its first word, which is a question word or an auxiliary verb."""
    return text[:1].lower() + text[1:]


# Sentences


def _sentences(text: str, reader: _Reader) -> list[str] | None:
    """A question and a second sentence, which is an order, a statement about two sources, or a question."""
    said = re.split(
        r"(?<=\w)(?=: (?:and )?(?:what|how) d)|(?<=\?)\s+(?=[^\W\d_])|(?<=[a-z0-9\ue000]{4}\.)\s+(?=[A-Z])", text
    )
    said = [one.removeprefix(": ") for one in said]
    if len(said) != 2:
        return _questions([_core(one) for one in said], reader) if len(said) == 3 and text.count("?") == 2 else None
    first, second, told = _core(said[0]), _core(said[1]), said[0].endswith(".")
    if told:
        return _each_of_both(first, second)
    if not _DIRECT.match(first):
        return None
    if _FIGURES_PLEASE.fullmatch(second):
        return _compared(first, reader)
    order = _COMPARE.fullmatch(second) or _DISAGREE.fullmatch(second) or _WHAT_VOICES.fullmatch(second)
    if order:
        group = order.groupdict()
        return [_by(first, group.get(one) or group[f"{one}2"]) for one in ("a", "b")]
    return _questions([first, second], reader) if said[0].endswith("?") else None


def _questions(said: list[str], reader: _Reader) -> list[str] | None:
    """Several questions, each a sentence, the later ones completed."""
    said = [re.sub(rf"^and (?={_ASKS})", "", one, flags=re.IGNORECASE) for one in said]
    whole = all(_DIRECT.match(one) or (at and one.startswith("And ")) for at, one in enumerate(said))
    return _completed(said, reader) if whole else None


def _each_of_both(first: str, second: str) -> list[str] | None:
    """Read "Hecker and Hawn see X differently. What does each hold"."""
    pair, each = _DISAGREE.fullmatch(first), _WHAT_EACH.fullmatch(second)
    if not pair or not each:
        return None
    if pair["on"]:
        return [f"How does {pair[one]} {pair['verb'].lower()} {pair['on']}" for one in ("a", "b")]
    about = f" about {pair['on2']}" if pair["on2"] else None
    return [f"What does {pair[one]} {each['verb']}{about}" for one in ("a", "b")] if about else None


def _by(question: str, source: str) -> str:
    """The question, asked of one source."""
    opinion = re.search(rf"['’]s? {_OPINION}$", source)
    return f"{question}, in {source}" if opinion else f"{question}, according to {source}"


# Figures that are compared


def _compared(text: str, reader: _Reader) -> list[str] | None:
    """The figures of two, of which is asked whose is larger."""
    whole = _compare(text, "")
    if whole:
        return whole
    for link in reversed(list(re.finditer(r",? and |, ", text))):
        if _FIGURES_PLEASE.fullmatch(text, link.end()):
            found = _compare(text[: link.start()], text[link.end() :])
            if found:
                return found
    return None


def _compare(text: str, please: str) -> list[str] | None:
    """Apply the first form of a comparison that fits; `please` is what asks for the figures."""
    for form, ask in _COMPARISONS:
        found = form.fullmatch(text)
        if found and not _NOT_COMPARED.search(f"{found['a']} {found['b']}") and "the other" not in text.casefold():
            pair = [_alike(found["a"], found["b"]), _alike(found["b"], found["a"])]
            return [part for one in pair for part in [ask(found, one, please)] if part] or None
    return None


def _alike(one: str, other: str) -> str:
    """Give `one` with the noun of the other: "that of Syria" beside "the fleet of Sudan", "Japan's" beside its like."""
    of = re.match(r"(?P<the>the [^,]+?) (?P<prep>of|in) ", other)
    that = re.match(r"(?:that|those|the one) (?:of|in) ", one)
    if that and of:
        return f"{of['the']} {of['prep']} {one[that.end() :]}"
    noun = re.search(r"(?<=['’]s) .+", other)
    return one + noun.group() if noun and re.search(r"['’]s?$", one) else one


def _how(found: re.Match[str], thing: str) -> str:
    be = found["be"].lower()
    rest = (found.groupdict().get("rest") or "").rstrip()
    return f"How {_DEGREES[found['degree'].lower()]} {be} {thing}{rest}"


def _which_is(found: re.Match[str], one: str, _: str) -> str:
    of = re.match(r"(?:that|those) of ", one)
    noun = found["noun"] or ""
    if noun and of:
        return _how(found, f"the {noun} of {one[of.end() :]}")
    return _how(found, f"{one} {noun}" if noun and re.search(r"['’]s?$", one) else one)


def _in_which(found: re.Match[str], one: str, please: str) -> str:
    one = re.sub(r"^(?:in|on|at) ", "", one)
    noun = found["noun"]
    what = re.match(r"what (?:is|are|was|were) (?:it|they|the figures?)\b", please, re.IGNORECASE)
    rest = (found.groupdict().get("rest") or "").rstrip()
    if what:
        return f"What {found['be'].lower()} {noun} {found['prep'].lower()} {one}{rest}"
    return f"How {_DEGREES[found['degree'].lower()]} {found['be'].lower()} {noun} {found['prep'].lower()} {one}{rest}"


def _is_more(found: re.Match[str], one: str, please: str) -> str:
    """Ask "How many ships does the fleet of Sudan have" where the difference is wanted in ships."""
    unit = re.fullmatch(r"by how many ([a-z]+)", please, re.IGNORECASE)
    if not _names_one(one):
        return ""
    measured = unit and facts(f"5 {unit.group(1)}").quantities[0].readings
    if unit and measured and all(name == "" for _, name in measured):
        verb = "did" if found["be"].lower() in ("was", "were") else "does"
        return f"How many {unit.group(1)} {verb} {one} have{(found.groupdict().get('rest') or '').rstrip()}"
    return _how(found, one)


def _names_one(text: str) -> bool:
    """Whether a name stands in the text, so that it is something in particular."""
    return any(each.proper for each in mentions(text)) or "\ue000" in text


def _has_more(found: re.Match[str], one: str, _: str) -> str:
    verb = found["verb"].lower()
    base = _base(verb)
    group = found.groupdict()
    aux = (group.get("aux") or ("does" if verb.endswith("s") or verb == base else "did")).lower()
    if not base or not _names_one(one):
        return ""
    aux = "does" if aux == "do" else aux
    noun, rest = _noun_and_rest(found["noun"])
    many = "many" if is_plural(noun.split()[-1].casefold()) else "much"
    return f"How {many} {noun} {aux} {one} {base}{rest}"


def _noun_and_rest(text: str) -> tuple[str, str]:
    """Cut "nuclear reactors in operation" behind the noun; "barrels of oil" is one noun."""
    link = re.search(rf" (?!of\b)(?:{PREPOSITION}|a|per)\b", text)
    return (text[: link.start()], text[link.start() :]) if link else (text, "")


def _first(found: re.Match[str], one: str, _: str) -> str:
    base = _base(found["verb"].lower())
    if not base or re.fullmatch(AUXILIARY, found["verb"], re.IGNORECASE):
        return ""
    return f"When did {one} {base}{found['one'] or ''}{found['rest'] or ''}"


_COMPARISONS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], str, str], str]], ...] = (
    (_WHICH_IS, _which_is),
    (_WHERE_IS, _in_which),
    (_IS_IN, _in_which),
    (_IS_MORE, _is_more),
    (_IS_THAN, _is_more),
    (_WHO_HAS, _has_more),
    (_DOES_HAVE, _has_more),
    (_DOES_THAN, _has_more),
    (_WHO_FIRST, _first),
    (_DID_FIRST, _first),
)


_SILENT = re.compile(r"(?:[cvuz]|[^s]s|(?:[^eo]|cre)at|[^n]g|ang|dg|[bcdgpt]l|[^e]ar)$")  # produc(e), creat(e)


def _base(verb: str) -> str:
    """Give the infinitive of a verb in the third person or the past, "" where that cannot be told."""
    if verb in _PAST or verb in _PAST.values():
        return _PAST.get(verb, verb)
    if verb.endswith("ies"):
        return verb[:-3] + "y"
    if verb.endswith("s"):
        return re.sub(r"(?<=[sxh])e$", "", verb[:-1])
    if not verb.endswith("ed"):
        return verb
    stem = verb[:-2]
    if stem.endswith("i"):
        return stem[:-1] + "y"
    if re.search(r"([bdgmnprt])\1$", stem):
        return stem[:-1]
    return stem + "e" if _SILENT.search(stem) else stem


# Clauses


def _clauses(text: str, reader: _Reader) -> list[str] | None:
    """Questions joined by "and" or a comma; what is said once before or behind them belongs to all."""
    setting = _SETTING.match(text)
    lead = setting.group() if setting else ""
    body = text[len(lead) :]
    source = _ATTRIBUTED.search(body)
    tail = source.group() if source else ""
    body = body.removesuffix(tail)
    if not _DIRECT.match(body) or ":" in body or "? " in body:
        return None
    said = _joined(body)
    if len(said) < 2:
        return _once_more(text)
    done = _completed(said, reader)
    if done is None:
        return None
    last = len(done) - 1
    return [
        _framed(part, lead if i else "", tail if i < last else "", reader, lead, tail) for i, part in enumerate(done)
    ]


def _framed(part: str, lead: str, tail: str, reader: _Reader, first: str, last: str) -> str:
    """Give `part` what stands before the first and behind the last of its like, unless it has its own."""
    own = _has_source(part, reader)
    before = lead and not (own if lead.casefold().startswith("according") else _dated(part))
    head = first if (before or not lead) else ""
    behind = last if not tail or not own else ""
    return f"{head}{_lowered(part) if head else part}{behind}"


def _dated(text: str) -> bool:
    return any(each.kind == "date" for each in facts(text).quantities)


def _has_source(text: str, reader: _Reader) -> bool:
    """Whether the text says itself whose opinion or which document it asks about."""
    words = {word.casefold() for word in re.findall(r"[^\W\d_]+", text)}
    return bool(words & reader.last) or _OWN_SOURCE.search(text) is not None


def _joined(text: str) -> list[str]:
    """Cut the text where one question ends and the next begins."""
    cuts = [(0, 0)]
    for joint in _JOINT.finditer(text):
        head, clause = text[cuts[-1][1] : joint.start()], text[joint.end() :]
        if _begins(clause, head, joint.group()):
            cuts.append((joint.start(), joint.end()))
    ends = [start for start, _ in cuts[1:]] + [len(text)]
    return [text[begin:end].strip(" ,") for (_, begin), end in zip(cuts, ends, strict=True)]


def _begins(clause: str, head: str, link: str) -> bool:
    """Whether a question begins with `clause`, and not one more thing that is known, said or asked in `head`."""
    if "and" not in link and "but" not in link and ";" not in link and not re.search(r",? and (?=\w)", clause):
        return False
    comma = link.strip()[:1] in (",", ";")
    following = re.split(r"[,;]| and ", clause)[0].strip()
    if _BARE.fullmatch(following):
        return following == clause
    inverted = _INVERTED.match(following)
    supported = inverted is not None and _SUPPORT.fullmatch(inverted["verb"]) is not None
    word = re.search(rf"\b(?:{_WORDS})\b", clause, re.IGNORECASE)
    inner = re.sub(rf"^{_ASKS}", "", head, count=1, flags=re.IGNORECASE)
    if not supported and (_EMBEDS.search(head) or (word and re.search(rf"\b{word.group()}\b", inner, re.IGNORECASE))):
        return False
    if inverted:
        return ("," not in link and " and" in link) or comma or supported
    if re.match(AUXILIARY + r"\b", clause, re.IGNORECASE):
        return comma and _YES_NO.match(clause) is not None
    return _ACTING.match(following) is not None or _verbless(following) is not None


def _verbless(clause: str) -> re.Match[str] | None:
    """Read "which one in Vladivostok", "how many in Bergen": a question word and a place or time."""
    return re.fullmatch(
        rf"(?:which(?: one| ones)?|who|what|how (?:many|much)|when|where) (?P<prep>(?!of\b){PREPOSITION}) "
        rf"(?P<body>(?:(?!{AUXILIARY}\b)[^\s,]+(?: |$))+)",
        clause,
        re.IGNORECASE,
    )


def _completed(said: list[str], reader: _Reader) -> list[str] | None:
    """Complete each of the later questions from those before it; None where one of them cannot be."""
    done = [said[0]]
    for clause in said[1:]:
        found = _complete(clause, done, reader)
        if not found:
            return None
        done.append(found)
    return done


def _complete(clause: str, done: list[str], reader: _Reader) -> str | None:
    """Complete one question; first by what standalone, made for whole questions, does not know."""
    head = done[-1]
    for rule in (_denied, _same_place, _same_verb):
        found = rule(clause, head)
        if found:
            return found
    if _leans_on_answer(clause, head):
        return None
    text = _with_topic(_with_country(_with_noun(clause, head), head), head)
    hidden = re.match(r"(?:in )?which [\w-]+\b", text) is not None  # "which region … there" is the region that is asked
    text = re.sub(r" there$", " \uf8ff", text) if hidden else text
    earlier = [f"{each}?" for each in done]
    full = _core(standalone(f"{text}?", earlier, reader.names))
    if full == text == clause and not _stands(text, reader):
        full = _with_matter(text, head) or _core(standalone(f"And {_lowered(text)}?", earlier, reader.names))
        if full.startswith("And "):
            return None
    return _checked(full.replace("\uf8ff", "there"), text, head)


def _halved(full: str, text: str, head: str) -> bool:
    """Whether only the first of two that "they" means was put in its place."""
    word = re.search(r"\b(?:they|them|their|theirs)\b", text)
    if not word:
        return False
    put = full[word.start() : len(full) - len(text) + word.end()].removesuffix("s").rstrip("’'")
    return f"{put} and " in head or f"{put}s and " in head


def _stands(text: str, reader: _Reader) -> bool:
    """Whether the text names what it is about."""
    return _names_one(text) or bool(facts(text).quantities) or len(text.split()) > 9


def _checked(full: str, text: str, head: str) -> str | None:
    """The completed question, unless it still points to another one, or to an answer."""
    if _LOOSE.search(full) or _halved(full, text, head):
        return None
    if full.casefold().startswith(head.casefold()) or (full != text and _FROM_ANSWER.search(full)):
        return None
    if full == text:
        pointer = _POINTERS.search(text)
        if pointer and not any(each.end <= pointer.start() for each in mentions(text)) and not _harmless(text, pointer):
            return None
    return full


def _harmless(text: str, pointer: re.Match[str]) -> bool:
    """Whether "that" or "there" points nowhere: "are there", "say that Russia", or what is asked for is meant."""
    word = pointer.group().casefold()
    if word == "there":
        return re.search(rf"\b{AUXILIARY} $", text[: pointer.start()], re.I) is not None or text.startswith(
            ("which", "Which", "in which")
        )
    return word == "that" and re.match(r" (?:[A-Z]|the\b)", text[pointer.end() :]) is not None


def _leans_on_answer(clause: str, head: str) -> bool:
    """Whether "it" is what the question before asks for, which is not known."""
    pointer = _POINTS_AT_ANSWER.search(clause)
    if pointer is None or not _ANSWER_ACTS.match(head) or _OWN_SUBJECT.match(clause[: pointer.start()]):
        return False
    return not head.casefold().startswith("who ") or pointer.group() in ("he", "she", "his", "her", "him")


def _with_noun(clause: str, head: str) -> str:
    """Put the noun that is asked for in the place of "one", and the group that was named in that of "those"."""
    asked = re.match(rf"(?:{PREPOSITION} )?(?:which|what) ([\w-]+)", head, re.IGNORECASE)
    one = re.match(r"which one\b", clause, re.IGNORECASE)
    one = one or re.match(rf"which(?= {AUXILIARY}\b)", clause, re.IGNORECASE)
    if asked and one and not re.fullmatch(AUXILIARY + "|of", asked.group(1)):
        return f"which {asked.group(1)}{clause[one.end() :]}"
    of_them = re.match(r"how many of (?:those|these|them)\b", clause, re.IGNORECASE)
    group = re.search(r"\bby the ([^,]+)$", head) if of_them else None
    return f"how many {group.group(1)}{clause[of_them.end() :]}" if of_them and group else clause


def _with_topic(clause: str, head: str) -> str:
    """Put the subject of "How large was X in 1999", "What is X" or "How has X helped" in the place of "it"."""
    again = re.match(
        rf"(?P<ask>{_ASKS}(?: \w+)?? {AUXILIARY} )(?:it|they|he|she)(?P<verb> \w+)\b", clause, re.IGNORECASE
    )
    if again and head.casefold().startswith(again["ask"].casefold()):
        subject = re.match(rf"([^,]{{1,60}}?){again['verb']}\b", head[again.end("ask") :])
        if subject:
            return again["ask"] + subject.group(1) + clause[again.start("verb") :]
    asked = re.match(
        r"(?:how [a-z]+|what|which|who) (?:is|are|was|were) (?P<all>(?P<topic>.+?)(?: in \d{4}| like| called)?)$",
        head,
        re.I,
    )
    word = re.search(r"(?<= )(?:it|they|he|she)(?= |$)", clause)
    if not asked or not word or len(asked["topic"]) > 90:
        return clause
    return clause[: word.start()] + asked["topic"] + clause[word.end() :]


def _with_country(clause: str, head: str) -> str:
    """Put the one country of the question before in the place of "the country"."""
    word = re.search(r"\b(?:the|that|this) country\b(?!['’])", clause)
    found = [each.text for each in mentions(head) if countries.is_country(each.text)]
    return clause[: word.start()] + found[0] + clause[word.end() :] if word and len(set(found)) == 1 else clause


def _with_matter(clause: str, head: str) -> str | None:
    """Add what the question before ends with: "regarding the border"; the names that its end holds are not enough."""
    if _LOOSE.search(clause):
        return None
    who = re.match(rf"who (?!{AUXILIARY}\b)[a-z]+ (?P<matter>(?:the |(?-i:[A-Z]))[^,]{{2,60}})$", head, re.IGNORECASE)
    end = re.search(rf"\bthe (?:(?!{AUXILIARY}\b|the\b)[\w’'-]+ ?){{1,5}}$", head)
    matter = who["matter"] if who else end.group() if end else None
    return f"{clause}, regarding {matter}" if matter else None


def _denied(clause: str, head: str) -> str | None:
    """Complete "who denies it" by what others think."""
    denied = re.fullmatch(r"(who|which \w+) (den\w+|doubts?|disputes?|contests?|rejects?) (?:it|that|this)",
                          clause, re.IGNORECASE)  # fmt: skip
    if not denied:
        return None
    said = re.search(
        r"\b(?:thinks?|believes?|says?|said|claims?|affirms?|argues?|holds?|writes?|maintains?) that (.+)", head
    )
    rank = re.search(
        r"\b(?:considers?|calls?|regards?|deems?|sees?) ([A-Z][\w-]+) (?:as |to be )?((?:the|an?) .+)", head
    )
    if said:
        return f"{denied.group(1)} {denied.group(2)} that {said.group(1)}"
    return f"{denied.group(1)} {denied.group(2)} that {rank.group(1)} is {rank.group(2)}" if rank else None


def _same_place(clause: str, head: str) -> str | None:
    """Ask the question before again with another place: "and which one in Vladivostok"."""
    other = _verbless(clause)
    if not other:
        return None
    return _replaced(head, other["prep"], other["body"])


def _replaced(head: str, preposition: str, body: str) -> str | None:
    """The question with another object of the preposition, a date for a date and no date for none."""
    dated = _dated(f"in {body}")
    found = [
        each
        for each in re.finditer(rf"\b{preposition} ((?:(?!{PREPOSITION}\b)[^\s,]+(?: |$|(?=,)))+)", head, re.IGNORECASE)
        if _dated(f"in {each.group(1)}") == dated and each.start()
    ]
    if not found:
        return None
    last = found[-1]
    rest = head[last.end() :]
    return f"{head[: last.start()]}{preposition} {body}{' ' if rest[:1].isalnum() else ''}{rest}"


def _same_verb(clause: str, head: str) -> str | None:
    """Complete "what would Ruehl" by the verb of "What would Hawn freeze"."""
    gapped = re.fullmatch(rf"((?:{_ASKS})(?: [\w-]+){{0,4}}?) ({AUXILIARY}) ([^,]+)", clause, re.IGNORECASE)
    before = re.match(rf"(?:{_ASKS})(?: [\w-]+){{0,6}}? ({AUXILIARY}) (.+)", head, re.IGNORECASE)
    if not gapped or not before or gapped.group(2).casefold() != before.group(1).casefold():
        return None
    rest = before.group(2)
    end = _subject_end(rest)
    verb = rest[end:]
    copula = gapped.group(2).casefold() in ("is", "are", "was", "were")
    if not end or _subject_end(gapped.group(3)) != len(gapped.group(3)) or not verb.strip():
        return None
    if copula and re.match(rf" {PREPOSITION}\b", verb):
        return None
    return f"{clause}{verb}"


def _subject_end(rest: str) -> int:
    """Give the end of the noun phrase with which `rest`, what stands behind an auxiliary verb, begins; 0 for none."""
    return max((each.end for each in mentions(f"is {rest}") if each.start == 3), default=3) - 3


def _once_more(text: str) -> list[str] | None:
    """Split "What makes it dear to A according to P, and to B according to Q"."""
    form = r"(?P<ask>.+?) (?P<one>according to [^,]+), and (?P<prep>\w+) (?P<body>[^,]+?) (?P<other>according to [^,]+)"
    found = re.fullmatch(form, text, re.IGNORECASE)
    if not found or not re.fullmatch(PREPOSITION, found["prep"], re.IGNORECASE):
        return None
    again = _replaced(found["ask"], found["prep"], found["body"])
    return [f"{found['ask']} {found['one']}", f"{again} {found['other']}"] if again else None


# Several that are asked about one by one


def _several(text: str, reader: _Reader) -> list[str] | None:
    """Ask of each of several countries what they do not have together."""
    for form, ask in ((_OF_SEVERAL, _of_each), (_EACH_HAS, _each_has), (_EACH_PLACE, _each_place)):
        found = form.fullmatch(text)
        if found and not _TOGETHER.search(text):
            split = ask(found, re.split(r",? and |, ", found["list"].strip()))
            if split and len(split) > 1:
                return split
    return None


def _all_countries(names: list[str]) -> bool:
    return all(countries.is_country(name) for name in names)


def _of_each(found: re.Match[str], names: list[str]) -> list[str] | None:
    """Who is the president of each, in the singular."""
    words = found["noun"].split()
    at = next((i for i, word in enumerate(words) if word in ("of", "in")), len(words)) - 1
    last = words[at].casefold()
    single = re.sub(r"ies$", "y", last) if last.endswith("ies") else last.removesuffix("s")
    if last in _OWN_LISTS:
        single, be = words[at], found["be"].lower()
    elif single in _OFFICES:
        be = {"are": "is", "were": "was"}.get(found["be"].lower(), found["be"].lower())
        single = single if single != last else words[at]
    else:
        return None
    named = all(_NAMED.fullmatch(name) for name in names) and last != single
    if not _all_countries(names) and not named:
        return None
    noun = " ".join([*words[:at], single, *words[at + 1 :]])
    return [f"{found['ask']} {be} the {noun} {found['prep']} {name}{found['rest'] or ''}" for name in names]


def _each_has(found: re.Match[str], names: list[str]) -> list[str] | None:
    if not _all_countries(names) or _POSSESSED.search(found["rest"]):
        return None
    aux = "does" if found["aux"].lower() == "do" else found["aux"].lower()
    rest = re.sub(r"^ each\b| each$", "", found["rest"])
    return [f"{found['ask']} {aux} {name} {found['verb']}{rest}" for name in names]


def _each_place(found: re.Match[str], names: list[str]) -> list[str] | None:
    names = [name.removeprefix("in ") for name in names]
    if not _all_countries(names):
        return None
    return [f"{found['ask']} in {name}{found['rest'] or ''}" for name in names]


# Several who are asked for their opinion


def _opinions(text: str, reader: _Reader) -> list[str] | None:
    """Ask each of two authors or documents."""
    for form, ask in _SOURCES:
        found = form.fullmatch(text)
        if not found or not (form in _NEVER_JOINT or _two_sources(found["a"], found["b"], found.groupdict(), reader)):
            continue
        split = (
            ask(found) if form in _NEVER_JOINT or not _TOGETHER.search(found.groupdict().get("rest") or "") else None
        )
        if split:
            return split
    return None


def _two_sources(one: str | None, other: str | None, group: dict[str, str | None], reader: _Reader) -> bool:
    """Whether two are an author and another one who may be quoted, or two documents; they speak for themselves."""
    first, second = one or group.get("a2") or "", other or group.get("b2") or ""
    known = [_is_source(each, reader) for each in (first, second)]
    quoted = [_NAMED.fullmatch(each) is not None and not countries.is_country(each) for each in (first, second)]
    either = group.get("each") is not None or any(known)
    return either and all(is_known or is_quoted for is_known, is_quoted in zip(known, quoted, strict=True))


def _is_source(text: str, reader: _Reader) -> bool:
    plain = re.sub(r"['’]s?(?: (?:view|opinion|account|article|book))?$", "", text)
    named = _NAMED.fullmatch(plain) is not None and plain.split()[-1].casefold() in reader.last
    return named or _SOURCE.fullmatch(text) is not None


def _third(auxiliary: str) -> str:
    """Give the auxiliary verb for one person."""
    lower = auxiliary.lower()
    return {"do": "does", "are": "is", "were": "was"}.get(lower, lower)


def _voices(found: re.Match[str]) -> list[str] | None:
    if re.search(r"\btheir\b", found["rest"]):
        return None
    rest = re.sub(r" each$", "", found["rest"])
    return [f"{found['ask']} {_third(found['aux'])} {found[one]} {found['verb']}{rest}" for one in ("a", "b")]


def _working(found: re.Match[str]) -> list[str]:
    rest = re.sub(r"^ their\b", "", found["rest"])
    return [f"{found['ask']} {_third(found['aux'])} {found[one]} {found['verb']}{rest}" for one in ("a", "b")]


def _about(found: re.Match[str]) -> list[str] | None:
    """What does each say about the matter on which they are compared."""
    group = found.groupdict()
    matter = group.get("on") or group.get("on2")
    if not matter or _POSSESSED.search(matter):
        return None
    pair = (
        [group["a"] or group["a2"] or "", group["b"] or group["b2"] or ""]
        if "a2" in group
        else [found["a"], found["b"]]
    )
    return [f"What does {re.sub(_OWNER, '', one)} say about {matter}" for one in pair]


_OWNER = re.compile(rf"['’]s?(?: {_OPINION})?$")


def _same_figure(found: re.Match[str]) -> list[str]:
    verb = found["verb"].lower()
    return [f"What {found['noun']} {_third(found['aux'])} {found[one]} {verb} {found['rest']}" for one in ("a", "b")]


def _differ_in(found: re.Match[str]) -> list[str]:
    be = "was" if found["aux"].lower() == "did" else "is"
    end = f"{found['rest'] or ''}{found['end'] or ''}"
    return [f"What {be} {found[one]}'s {found['noun']}{end}" for one in ("a", "b")]


def _departs(found: re.Match[str]) -> list[str]:
    several = " and " in found["b"]
    first = f"What {found['noun']} of {found['on']} {_third(found['aux'])} {found['a']} have"
    verb = "do" if several and found["aux"].lower() != "did" else _third(found["aux"])
    return [first, f"What {found['noun']} of {found['on']} {verb} {found['b']} have"]


def _years_of(found: re.Match[str]) -> list[str]:
    noun = re.sub(r"ie$", "y", found["noun"][:-1])
    return [f"{found['prep']} which {noun} did {found[one]} {found['verb']}" for one in ("a", "b")]


def _time_between(found: re.Match[str]) -> list[str]:
    return [f"When was {found[one]}" for one in ("a", "b")]


def _one_and_one(found: re.Match[str]) -> list[str] | None:
    ask = re.sub(r"^(which) two\b", r"\1", found["ask"], flags=re.IGNORECASE)
    led = all(re.match(rf"{PREPOSITION}\b", found[one], re.IGNORECASE) for one in ("a", "b"))
    return [f"{ask} {found[one]}" for one in ("a", "b")] if led else None


def _by_each(found: re.Match[str]) -> list[str] | None:
    """Ask according to each of two sources when the preposition is said twice."""
    lead = found["lead"].lower()
    if found["same"] is None or not lead.endswith(found["same"].lower()) or not _DIRECT.match(found["ask"]):
        return None
    pair = (found["a"], re.sub(r" (?:him|her|them)$", f" {found['a']}", found["b"]))
    return [f"{found['ask']}, {lead} {one}{found['rest'] or ''}" for one in pair]


_SOURCES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], list[str] | None]], ...] = (
    (_VOICES, _voices),
    (_WORKING, _working),
    (_COMPARE, _about),
    (_SHARES, _about),
    (_AGREE, _about),
    (_DIFFER_ON, _about),
    (_SAME_FIGURE, _same_figure),
    (_DIFFER_IN, _differ_in),
    (_DEPARTS, _departs),
    (_YEARS_OF, _years_of),
    (_TIME_BETWEEN, _time_between),
    (_ONE_AND_ONE, _one_and_one),
    (_TWO_SOURCES, _by_each),
)
_NEVER_JOINT = frozenset({_DIFFER_IN, _DEPARTS, _YEARS_OF, _TIME_BETWEEN, _ONE_AND_ONE, _TWO_SOURCES})
_RULES: tuple[Callable[[str, _Reader], list[str] | None], ...] = (_sentences, _compared, _clauses, _several, _opinions)

"""A question that leans on the questions before it, completed so that it can be searched on its own.

"And China?" after "How many aircraft carriers does Russia have?" is searched as "How many aircraft carriers does China
have?", "When was it signed?" after "What is the Treaty of Beijing?" as "When was the Treaty of Beijing signed?". Pure
and deterministic: rules on the surface of the questions, no model, and nothing is taken from the answers, which may be
wrong. A rule that is not sure leaves the question as it is.

Four ways of leaning are known, tried in this order:

- a bare question word or an assent: "Why?", "Since when?", "Who says so?", "Really?";
- a fragment: "And Norway?", "What about 2019?", "And how many submarines?", put in the place of its like;
- a word that points back: pronouns, "there", "that country", "the former", replaced by what fits it best;
- a clause with a lead and nothing to look for: "And what is the capital?", which takes the topic along.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from rag_geo.question import MAX_BEFORE, MAX_CHARACTERS
from rag_geo.text import countries
from rag_geo.text.facts import facts, stem
from rag_geo.text.mentions import AUXILIARY, PEOPLE, PLACES, PREPOSITION, Mention, Sort, is_plural, mentions, names
from rag_geo.text.quantities import Quantity, listed
from rag_geo.text.referents import GROUPS, may_name, referents

_MOST_POINTERS = 8
_LONGEST = 300  # characters; a longer question brings its context along, and the rules are to stay fast
_ROUNDS = 4
_LEAD = re.compile(r"(?:(?:and|but|or|so|then|also|well|ok|okay)\b[,.…]*\s+)+(?=\S)", re.IGNORECASE)
_ABOUT = re.compile(
    r"(?:(?:what|how) about|what of|(?:and )?(?:the )?same (?:question )?(?:for|about|with|in the case of))\s+(?=\S)",
    re.IGNORECASE,
)
_ADJUNCT = (
    r"(?:(?:(?:since|until|till|by|from) )?(?:when|where|why)|how(?: (?:often|far|come|"
    r"long(?= (?:did|do|does|has)\b)))?|(?:in|on|at|during|since|until|by|from|for|under|to|near) (?:which|what) [^,]*?"
    r"|(?:which|what) (?:year|day|month)"
    r"|for what reason|with whom|by whom|how much)"
)
_ASKS_HOW = re.compile(rf"({_ADJUNCT}) ({AUXILIARY}) (.+)", re.IGNORECASE)
_YES_NO = re.compile(rf"({AUXILIARY}) (.+)", re.IGNORECASE)
_BARE: tuple[tuple[Literal["how", "beside", "again"], str], ...] = (
    ("how", r"(?:why|how) (?:is|was|did|does) (?:that|this|it)(?: so| happen| the case)?|(?:why|how)(?: so)?|how come"),
    ("how", r"(?:since when|until when|when|where|with whom|by whom|for what reason|how often|how long)"),
    (
        "how",
        r"(?:in|on|at|since|by|until|during|from) (?:which|what) (?:year|month|day|city|country|place|region)",
    ),
    ("how", r"(?:when|where) (?:is|was|did) (?:that|this|it)(?: happen| take place)?|(?:what|which) year"),
    ("beside", r"who (?:says|said|claims|claimed|thinks|believes|argues|holds|wrote|writes)(?: so| that| this| it)"),
    ("beside", r"(?:says who|according to whom|who else|what else|where else|why not|what for|who|how many|how much)"),
    ("beside", r"(?:which(?: ones?)?|by how much|what exactly|with what result|how do (?:we|you|they) know)"),
    ("again", r"really|is (?:that|this|it) (?:really )?(?:true|so|right|certain|correct)|are you sure|is that all"),
)
_PRONOUNS: dict[str, tuple[str, bool]] = {
    word: (role, role_owner)
    for role, owner, words in (
        ("person", False, "he him she"),
        ("person", True, "his hers"),
        ("thing", False, "it"),
        ("thing", True, "its"),
        ("several", False, "they them"),
        ("several", True, "their theirs"),
        ("place", False, "there"),
    )
    for word in words.split()
    for role_owner in (owner,)
}
_OBJECTS = frozenset({"him", "them"})
_OPENERS = re.compile(
    rf"(?:^|\b)(?:{AUXILIARY}|that|when|if|because|while|where|why|how|what|who|and|but|before|after|as|since|until)\s+$",
    re.IGNORECASE,
)
_NEW_CLAUSE = re.compile(
    r"[,;:]|\b(?:that|when|if|because|while|and|but|after|before|who|which|where|why|what)\b", re.I
)
_EXPLETIVE_AFTER = re.compile(
    r"(?:\s+(?:is|was|be|would be|has been|seem|seems))?\s+(?:\w+\s+)?(?:true|possible|likely|clear|known|said|right|"
    r"fair|important|necessary|easy|hard|difficult|safe|legal|worth|certain|correct|the case|\w+ed|take|takes|took)\b.*"
    r"\b(?:that|to|for|whether|if)\b|\s+(?:rain|snow|matter|follow|mean that|true that|not)\b",
    re.IGNORECASE,
)
_EXISTS = re.compile(rf"\b(?:{AUXILIARY}|be|been)(?: not)? $", re.IGNORECASE)
_POINTING = re.compile(r"\b((?i:that|this|these|those|the same|the said))\s+([a-z]+)\b")
_OF_TWO = re.compile(
    r"\bthe (former|latter)\b(?!\s+[a-z]*(?:president|minister|state|country|soviet|union))", re.IGNORECASE
)
_DEFINITE = re.compile(rf"\bthe ([a-z]+)(?=$|['’]s|,| {AUXILIARY}\b)")
_ONE_OTHER = re.compile(r"\bthe one\b.*\bthe other\b", re.IGNORECASE)
_OWNED = re.compile(
    rf"\s+((?:(?!{PREPOSITION}\b|{AUXILIARY}\b)[^\s,?]+(?:\s|(?=,|$))){{1,3}})(?=$|,|{PREPOSITION}\b|{AUXILIARY}\b)"
)
_EVENTS = frozenset(listed("summit conference meeting talks forum festival election match race fair games exhibition"))
_PERIOD = frozenset({"year", "time", "month", "day", "date", "decade", "century", "period"})
_MAN_MADE = frozenset(
    listed("""company firm organisation organization book article report treaty agreement project pact text alliance
    institute university study party bank university law plan work newspaper group body initiative""")
)
_NO_ANSWER = frozenset(
    listed("""year day month date time kind sort type share percentage number way reason extent degree amount part
    manner moments century decade language term temperature""")
)
_SAYING = re.compile(r"\s+(?:say|think|believe|argue|expect|claim|write|recommend|judge|see|rate|call|consider)\b")
_MINDED = re.compile(
    rf"{_SAYING.pattern}|\s+(?:want|wish|hope|demand|ask|know|feel|decide|like|love|fear|plan|live|earn)\b"
)
_NUMBERED = re.compile(r"(how many|how much|which|what)\s+(.+)", re.IGNORECASE)
_VERBLESS = re.compile(rf"\b(?:{AUXILIARY}|who|whom|whose|what|which|when|where|why|how)\b", re.IGNORECASE)
_PREPOSED = re.compile(rf"({PREPOSITION})\s+(.+)", re.IGNORECASE)
_THE = re.compile(r"(?:the|an?|its|his|her|their|any|some)\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Talk:
    """The earlier questions, complete and without their question marks, latest first; words of persons' names."""

    earlier: tuple[str, ...]
    people: frozenset[str]

    @property
    def last(self) -> str:
        return self.earlier[0]


@dataclass(frozen=True, slots=True)
class _Turn:
    """A question without lead and question mark; `led` if it had one, `about` if it began with "what about"."""

    text: str
    led: bool
    about: bool


@dataclass(frozen=True, slots=True)
class _Pointer:
    """A word at characters ``[start, end)`` that points back: to whom or what, as owner, who acts or says."""

    start: int
    end: int
    role: str
    owner: bool = False
    subject: bool = False
    noun: str = ""
    says: bool = False


def standalone(question: str, before: Sequence[str], names: Sequence[str] = ()) -> str:
    """Give the question that is searched for: `question`, completed from the questions `before` it, oldest first.

    It is given back unchanged when it stands alone, when nothing fits, when it has more than 300 characters, or when
    the completed question would have more than `MAX_CHARACTERS`. At most the last `MAX_BEFORE` questions count;
    follow-ups among them are completed first. `names` are names of persons, such as the authors of the documents. Any
    text is taken, nothing is raised, and a completed question with the same `before` stays as it is.
    """
    people = frozenset(name.split()[-1].casefold() for name in names if name.strip())
    earlier: list[str] = []
    for each in before[-MAX_BEFORE:]:
        if len(each) <= _LONGEST and _core(each):
            earlier.insert(0, _core(_settled(each, _Talk(tuple(earlier), people))))
    return _settled(question, _Talk(tuple(earlier), people))


def _settled(question: str, talk: _Talk) -> str:
    """Complete `question` until nothing changes; as it was if that does not come about."""
    if not talk.earlier or len(question) > _LONGEST:
        return question
    now = question
    for _ in range(_ROUNDS):
        completed = _completed(now, talk)
        if completed == now:
            return now
        if len(completed) > MAX_CHARACTERS:
            break
        now = completed
    return question


def _completed(question: str, talk: _Talk) -> str:
    """Apply the first rule that fits."""
    core = _core(question)
    lead = _LEAD.match(core)
    text = core[lead.end() :] if lead else core
    about = _ABOUT.match(text)
    turn = _Turn(text[about.end() :] if about else text, lead is not None, about is not None)
    for rule in (_bare, _fragment, _referring, _leaning):
        found = rule(turn, talk)
        if found:
            return f"{found[0].upper()}{found[1:]}?"
    return question


def _core(question: str) -> str:
    return " ".join(question.split()).rstrip("?!.… ")


# A bare question word


def _bare(turn: _Turn, talk: _Talk) -> str | None:
    """Put "why?" and its like before or beside the earlier question."""
    way = next((way for way, form in _BARE if re.fullmatch(form, turn.text, re.IGNORECASE)), None)
    if way is None or turn.about:
        return None
    if way == "again":
        return talk.last
    asked = turn.text[0].lower() + turn.text[1:]
    if way == "how":
        asked = re.sub(r" (?:is|was|did|does) (?:that|this|it)\b.*| so$", "", asked)
        same = _ASKS_HOW.fullmatch(talk.last)
        if same:
            return f"{asked} {same.group(2)} {same.group(3)}"
        plain = _YES_NO.fullmatch(talk.last)
        if plain:
            return f"{asked} {plain.group(1).lower()} {plain.group(2)}"
    return f"{talk.last}, and {asked}"


# A fragment


def _fragment(turn: _Turn, talk: _Talk) -> str | None:
    """A piece of a question that takes the place of its like in the one before."""
    counted = _NUMBERED.fullmatch(turn.text)
    if counted and (turn.led or turn.text.casefold() in ("how many of them", "how much of it", "which of them")):
        return _counted(turn.text, talk.last)
    ordinal = re.fullmatch(r"(the (?:first|second|third|last)(?: one)?)(?: of (?:them|these|those))?", turn.text, re.I)
    if ordinal and turn.led:
        return f"{talk.last}, and which is {ordinal.group(1).casefold()}"
    if turn.text.casefold() in {*_PRONOUNS, "that", "this", "those", "these"}:
        return None
    if _VERBLESS.search(turn.text) or len(turn.text.split()) > 12:
        return None
    owned = re.match(r"(?:its|their|his|her) (?=\S)", turn.text, re.IGNORECASE)
    alike = _with_head(talk.last, turn.text, turn.text[owned.end() :]) if owned else None
    if alike:
        return alike
    text = _pointing(turn, talk) or turn.text
    preposed = _PREPOSED.fullmatch(text)
    preposition, body = (preposed.group(1).casefold(), preposed.group(2)) if preposed else ("", text)
    return _piece(turn, talk, preposition, body)


def _piece(turn: _Turn, talk: _Talk, preposition: str, body: str) -> str | None:
    """Put a date, a name, a name with a date, or a noun phrase into the earlier question."""
    dates = facts(body).quantities
    if len(dates) == 1 and _is_date(dates[0]) and dates[0].text == body:
        return _with_date(talk.last, preposition, dates[0])
    named = _as_name(body, talk)
    if body.endswith(("'s", "’s")):
        preposition = "'s"
    dated = re.fullmatch(r"(.+) ((?:in|since|before|after|until|by) [0-9]{4})", body) if named is None else None
    if dated and _as_name(dated.group(1), talk):
        first = _fragment(replace(turn, text=dated.group(1)), talk)
        return _fragment(replace(turn, text=dated.group(2)), _Talk((first or talk.last, *talk.earlier), talk.people))
    if named is not None:
        return _with_name(talk, preposition, named, appended=bool(turn.led or turn.about or preposition))
    return _with_noun(turn, talk, preposition, body) if turn.led or turn.about else None


def _counted(text: str, last: str) -> str | None:
    """Put "how many submarines", with no verb, in the place of "how many aircraft carriers"."""
    if re.search(rf"\b{AUXILIARY}\b", text):
        return None
    placed = re.match(rf"how (?:many|much) ({PREPOSITION}) (.+)", text, re.IGNORECASE)
    if placed and not text.casefold().endswith((" of them", " of it")):
        return _with_phrase(last, placed.group(1).casefold(), placed.group(2))
    asked = _asked_noun(last)
    of_them = re.fullmatch(r"(how many|how much|which)(?: of (?:them|those|these|it))", text, re.IGNORECASE)
    if asked is None:
        words = len(text.split())
        return f"{last}, and {text[0].lower()}{text[1:]}" if words <= 6 or of_them else None
    start, noun, end = asked
    if of_them:
        text = f"{of_them.group(1)} {noun}"
    elif any(word in _verbs(text) for word in text.casefold().split()[2:]):
        return None
    return f"{last[:start]}{text if not start else text[0].lower() + text[1:]}{last[end:]}"


def _verbs(text: str) -> frozenset[str]:
    return frozenset(word for word in text.casefold().split() if word.endswith("ed") or word in ("live", "lives"))


def _is_date(quantity: Quantity) -> bool:
    return quantity.kind == "date"


def _with_date(last: str, preposition: str, date: Quantity) -> str:
    """The earlier question with another date, or with a date if it has none."""
    old = next((each for each in reversed(facts(last).quantities) if _is_date(each)), None)
    if old is None:
        return f"{last} {preposition or 'in'} {date.text}"
    text = date.text
    if date.date and old.date and date.date[0] is None and old.date[0] is not None:
        text = f"{text} {old.date[0]}"
    start = old.start
    leading = re.search(rf"\b{PREPOSITION}\s+$", last[:start], re.IGNORECASE)
    if preposition and leading:
        start, text = leading.start(), f"{preposition} {text}"
    return last[:start] + text + last[old.end :]


def _as_name(body: str, talk: _Talk) -> Mention | None:
    """Read the whole of `body` as one name or a pair of them; "the Russian one" is "Russian"."""
    body = re.sub(r"\s+ones?$|['’]s?$", "", body)
    plain = re.sub(r"^(?:the|President|Professor|Mr|Ms|Dr)\s+(?=\S)", "", body)
    for mention in reversed(mentions(body, talk.people)):
        if mention.proper and mention.text in (body, plain):
            adjective = countries.is_adjective(mention.text)
            return replace(mention, adjective=True, plural=False) if adjective else mention
    return None


def _with_name(talk: _Talk, preposition: str, new: Mention, *, appended: bool) -> str | None:
    """The earlier question with the name `new` in the place of the one most like it."""
    last = talk.last
    old = [each for each in referents(last, talk.people) if each.proper and each.plural == new.plural]
    if not old and new.plural:
        old = [each for each in referents(last, talk.people) if each.proper]
    known = any(each.text.casefold() == new.text.casefold() for each in old)
    pair = next((each for each in mentions(last) if each.plural and each.proper and new.text in each.text), None)
    if known and pair and not new.plural:
        return last[: pair.start] + new.text + last[pair.end :]
    ranked = [] if known else sorted(old, key=lambda each: _likeness(last, each, new, preposition))
    if ranked and _likeness(last, ranked[-1], new, preposition)[0] > 0:
        return _put(last, ranked[-1], new)
    if not appended or known or preposition == "'s":
        return None
    link = preposition or ("in" if new.sort == "place" and not new.adjective else "regarding")
    return f"{last} {link} {new.text}" if link != "regarding" else f"{last}, regarding {new.text}"


def _likeness(last: str, old: Mention, new: Mention, preposition: str) -> tuple[int, int]:
    """How well `new` can stand for `old`: more than 0 if at all; of equals the one that says, then the later."""
    score = 0
    if old.sort == new.sort:
        score = 3
    elif "unknown" in (old.sort, new.sort):
        score = 1 if countries.is_country(old.text) or (new.sort == "place" and not preposition) else 2
    led = re.search(rf"\b({PREPOSITION})\s+(?:the\s+)?$", last[: old.start], re.IGNORECASE)
    if score and preposition and led and led.group(1).casefold() == preposition:
        score += 3
    if score and preposition == "'s" and last[old.end :].startswith(("'s", "’s")):
        score += 3
    if score and preposition == "according to" and not led:
        score = 0
    if score and not preposition and new.sort != "place" and _SAYING.match(last[old.end :]):
        score += 1
    return score, old.start


def _put(last: str, old: Mention, new: Mention) -> str:
    text = new.text
    if old.adjective and not new.adjective:
        text = countries.adjective(text)
    elif new.adjective and not old.adjective and not is_plural(text.casefold()):
        text = countries.country(text)
    return last[: old.start] + text + last[old.end :]


def _with_noun(turn: _Turn, talk: _Talk, preposition: str, body: str) -> str | None:
    """The earlier question with the noun phrase `body` in the place of its like, or beside it."""
    last = talk.last
    if preposition:
        return _with_phrase(last, preposition, body)
    if turn.about and " about " in last:
        return _with_phrase(last, "about", body)
    if any(each.proper for each in mentions(body, talk.people)):
        wholes = list(_wholes(last, talk)) if any(each.text == body for each, _ in _wholes(body, talk)) else []
        if len(wholes) == 1 and body != wholes[0][0].text:
            return last[: wholes[0][0].start] + body + last[wholes[0][0].end :]
        return f"{last}, and what about {body}" if turn.text.casefold() not in last.casefold() else None
    bare = _THE.sub("", body, count=1)
    asked = _asked_noun(last)
    if asked and bare == body:
        start, noun, end = asked
        return last[:start] + last[start:end].removesuffix(noun) + bare + last[end:]
    return _with_head(last, body, bare) or f"{last}, and what about {body}"


def _with_phrase(last: str, preposition: str, body: str) -> str:
    """The earlier question with another object of `preposition`, or with the whole phrase if it has none."""
    phrase = re.search(rf"\b{preposition}\s+(?:(?!{PREPOSITION}\b|{AUXILIARY}\b)[^\s,]+\s*)+", last, re.IGNORECASE)
    if not phrase:
        return f"{last} {preposition} {body}"
    rest = last[phrase.end() :]
    return f"{last[: phrase.start()]}{phrase.group().split()[0]} {body}{' ' if rest[:1].isalnum() else ''}{rest}"


def _with_head(last: str, body: str, bare: str) -> str | None:
    """The earlier question with another noun where it has "the population of Norway" or "Norway's population"."""
    owned = re.search(r"(?<=['’]s )[a-z][\w-]*(?: [a-z][\w-]*)?$", last)
    if owned:
        return last[: owned.start()] + bare
    for phrase in mentions(last):
        if phrase.proper or (phrase.plural != is_plural(bare.split()[-1].casefold()) and not phrase.attribute):
            continue
        inner = next((each for each in mentions(phrase.text) if each.adjective), None)
        if inner:
            return f"{last[: phrase.start]}the {inner.text} {bare}{last[phrase.end :]}"
        link = re.search(r"\s(?:of|between)\s", phrase.text)
        if link:
            return f"{last[: phrase.start]}the {bare}{phrase.text[link.start() :]}{last[phrase.end :]}"
    return None


# What the earlier question asked for


def _asked_noun(last: str) -> tuple[int, str, int] | None:
    """Begin of "how many aircraft carriers" in a question, its noun, and its end; None where there is none."""
    found = re.match(rf"(?:{PREPOSITION}\s+)?(?P<all>(?:how many|how much|which|what)\s+(?P<noun>.+))", last, re.I)
    if not found:
        return None
    words = found.group("noun").split()
    count = _noun_words(words)
    if not count:
        return None
    noun = " ".join(words[:count])
    return found.start("all"), noun, found.start("noun") + len(noun)


def _noun_words(words: list[str]) -> int:
    """Count the words of the noun phrase at the beginning of `words`, up to an auxiliary or, failing that, a verb."""
    for count, word in enumerate(words[:8]):
        if re.fullmatch(AUXILIARY, word, re.IGNORECASE) and word != "May":
            return count
    for count, word in enumerate(words[:4]):
        follows = words[count + 1].casefold() if count + 1 < len(words) else ""
        if is_plural(word.casefold()) and follows and not is_plural(follows):
            return count + 1
        if facts(word).quantities:
            continue
        if follows.endswith(("s", "ed")) or follows in ("said", "took", "made", "won", "led", "wrote", "built", "lost"):
            return count + 1 if not re.fullmatch(PREPOSITION, follows) else 0
    return 0


def _answer_of(last: str) -> Mention | None:
    """Describe what answers an earlier question: "the person who wrote Zero Sum" for "Who wrote Zero Sum"."""
    who = re.fullmatch(r"who (?!(?:did|do|does|will|would)\b)(?!(?:is|was|are|were) (?:the|an?|[A-Z]))(.+)", last, re.I)
    if who and not re.match(r"(?:is|was|are|were) [A-Z]", who.group(1)):
        return Mention(f"the person who {who.group(1)}", 0, 0, "person", proper=False, head="person")
    where = re.fullmatch(rf"where ({AUXILIARY}) (.+)", last, re.IGNORECASE)
    if where:
        return Mention(f"the place where {_statement(where.group(1), where.group(2))}", 0, 0, "place", proper=False)
    asked = _asked_noun(last)
    if asked is None or last[asked[0] :].casefold().startswith("how much"):
        return None
    start, noun, end = asked
    head = re.split(r" (?:of|in|on|for) ", noun)[0].split()[-1].casefold()
    if head in _NO_ANSWER or "," in last[end:]:
        return None
    sort: Sort = "person" if head in PEOPLE else "place" if head in PLACES else "thing"
    clause = _relative(last[:start].strip().casefold(), last[end:].strip())
    return Mention(f"the {noun} {clause}", 0, 0, sort, is_plural(head), False, head=head) if clause else None


def _relative(preposition: str, rest: str) -> str:
    """Make "is the Carnegie Center" behind "in which city" into "in which the Carnegie Center is"."""
    verb = re.match(rf"({AUXILIARY}) (.+)", rest, re.IGNORECASE)
    if preposition:
        return f"{preposition} which {_statement(verb.group(1), verb.group(2))}" if verb else ""
    if verb and (verb.group(1).casefold() in ("did", "do", "does") or _subject(verb.group(2))):
        return f"that {_statement(verb.group(1), verb.group(2))}"
    return f"that {rest}" if rest else ""


def _statement(auxiliary: str, rest: str) -> str:
    """Put the auxiliary verb of a question behind its subject, as far as that can be told."""
    verb = "" if auxiliary.casefold() in ("do", "does") else f" {auxiliary}"
    subject = _subject(rest)
    if not subject:
        return f"{auxiliary} {rest}" if verb and auxiliary.casefold() != "did" else rest
    return f"{rest[:subject]}{verb}{rest[subject:]}"


def _subject(rest: str) -> int:
    """Give the end of the subject with which `rest`, what stands behind an auxiliary verb, begins; 0 for none."""
    return max((each.end for each in referents(f"is {rest}") if each.subject), default=3) - 3


# Words that point back


def _referring(turn: _Turn, talk: _Talk) -> str | None:
    """A whole question, not a fragment, with everything that points back replaced."""
    return _pointing(turn, talk) if len(turn.text.split()) > 2 else None


def _pointing(turn: _Turn, talk: _Talk) -> str | None:
    """The question with the first word that points back replaced by what it points to, again until none is left."""
    text, changed = turn.text, False
    for _ in range(_ROUNDS):
        step = next(filter(None, (_replaced(text, each, talk) for each in _pointers(text, talk.people))), None)
        if step is None:
            break
        text, changed = step, True
    return text if changed else None


def _pointers(text: str, people: frozenset[str]) -> Iterator[_Pointer]:
    """Every word of `text` that points to something outside it, in order of their beginning."""
    found = [*_pronouns(text), *_demonstratives(text)]
    for pointer in sorted(found, key=lambda each: each.start)[:_MOST_POINTERS]:
        if pointer.role in ("former", "latter", "period") or not _within(text, pointer, people):
            yield pointer


def _pronouns(text: str) -> Iterator[_Pointer]:
    for word in re.finditer(r"[^\W\d_]+", text):
        lower = word.group().casefold()
        after = text[word.end() :]
        if lower == "her":
            noun = re.match(r"\s+([a-z]+)", after)
            owner = noun is not None and not re.fullmatch(rf"{PREPOSITION}|{AUXILIARY}|and|or|when|as", noun.group(1))
            yield _Pointer(word.start(), word.end(), "person", owner)
        if lower not in _PRONOUNS or (word.group().isupper() and len(lower) == 2):
            continue
        role, owner = _PRONOUNS[lower]
        if (lower == "it" and _EXPLETIVE_AFTER.match(after)) or (lower == "there" and _exists(text, word)):
            continue
        subject = lower not in _OBJECTS and not owner and (lower != "it" or _acts(text, word))
        says = subject and _MINDED.match(after) is not None
        yield _Pointer(word.start(), word.end(), role, owner, subject, says=says)


def _exists(text: str, word: re.Match[str]) -> bool:
    """Whether "there" says that something is, not where: "are there any", "there is"."""
    before, after = text[: word.start()], text[word.end() :]
    if re.search(r"\b(?:already|still|out|up|get|got) $", before):
        return True
    return bool(_EXISTS.search(before) and after.strip()) or re.match(rf"['’]|\s+{AUXILIARY}\b", after) is not None


def _acts(text: str, word: re.Match[str]) -> bool:
    """Whether "it" is the subject of its clause."""
    if not text[: word.start()] or _OPENERS.search(text[: word.start()]):
        return True
    after = re.match(r"\s+([a-z]+)", text[word.end() :])
    return after is not None and not re.fullmatch(rf"{PREPOSITION}|and|or|an?|the|as|if|when|so|that", after.group(1))


def _demonstratives(text: str) -> Iterator[_Pointer]:
    """Find "that country", "the former", "in that year"."""
    for two in _OF_TWO.finditer(text):
        yield _Pointer(two.start(), two.end(), two.group(1).casefold())
    if not any(each.proper for each in mentions(text)):
        for found in _DEFINITE.finditer(text):
            if found.group(1) in _MAN_MADE | {"country", "city", "town", "river", "island"}:
                yield _Pointer(found.start(), found.end(), "noun", noun=found.group(1))
    for found in _POINTING.finditer(text):
        noun = found.group(2).casefold()
        if noun in _PERIOD:
            yield _Pointer(found.start(), found.end(), "period", noun=noun)
        elif noun not in ("is", "was", "has", "can", "will", "would"):
            owner = re.match(r"['’]s?\b", text[found.end() :]) is not None
            yield _Pointer(found.start(), found.end(), "noun", False, not owner, noun)


def _within(text: str, pointer: _Pointer, people: frozenset[str]) -> bool:
    """Whether the question itself holds, before the pointer, what it may point to."""
    head = text[: pointer.start]
    wanted = 2.0 if pointer.role in ("several", "noun", "place") else 1.0
    if pointer.owner and _by_question_word(head, pointer):
        return True
    if pointer.role in ("person", "thing", "several", "place") and may_name(head, pointer.role):
        return True
    asked = rf"(?:{PREPOSITION} )?(?:(?:who|which|what|how many)\b.*,|(?:which|what|how many) [a-z]+s\b.*\band\b)"
    if pointer.role == "several" and re.match(asked, head, re.IGNORECASE):
        return True
    acting = pointer.subject or pointer.owner
    last_clause = max((found.start() for found in _NEW_CLAUSE.finditer(head)), default=-1)
    fitting = [each for each in referents(head, people) if _fit(each, pointer) >= wanted]
    if pointer.role == "several" and not fitting:
        return acting and sum(_fit(each, pointer) > 0 for each in referents(head, people)) > 1
    if pointer.role == "several" and any(not each.subject for each in fitting):
        return True
    return any(acting or each.end <= last_clause or pointer.role in ("noun", "place") for each in fitting)


def _by_question_word(head: str, pointer: _Pointer) -> bool:
    """Whether the question word is the owner: "Who wants his country back?"."""
    asked = re.match(rf"(who|whose|which (\w+)|how many (\w+)) (?!{AUXILIARY}\b)\w+", head, re.IGNORECASE)
    if not asked:
        return False
    noun = (asked.group(2) or asked.group(3) or "person").casefold()
    if is_plural(noun):
        return pointer.role == "several"
    return (pointer.role == "person") == (noun in PEOPLE) and pointer.role != "place"


def _replaced(text: str, pointer: _Pointer, talk: _Talk) -> str | None:
    """The question with `pointer` replaced, or None where nothing fits."""
    if pointer.role == "period":
        return _in_period(text, pointer, talk)
    if pointer.role in ("former", "latter"):
        return _one_of_two(text, pointer, talk)
    found = _antecedent(pointer, talk)
    if found is None:
        return None
    said = re.sub(r"^an?\s", "the ", found.text) if not found.proper else found.text
    said = countries.country(said) if found.adjective else said
    said = re.sub(r"^The(?= )", "the", said) if found.sort != "thing" or not found.proper else said
    return _with_owner(text, pointer, said) if pointer.owner else _with_said(text, pointer, said)


def _with_said(text: str, pointer: _Pointer, said: str) -> str:
    """Put `said` in the place of a word that is no owner."""
    head, tail = text[: pointer.start], text[pointer.end :]
    if pointer.role == "place" and not re.search(rf"\b{PREPOSITION}\s+$", head, re.IGNORECASE):
        link = "at" if said.split()[-1] in _EVENTS else "in"
        said = f"{link} {said}" if not said.startswith("the place where") else said.removeprefix("the place ")
    return head + said + tail


def _with_owner(text: str, pointer: _Pointer, said: str) -> str:
    """Put `said` in the place of "its": "Norway's area", but "the founder of the firm that …"."""
    head, tail = text[: pointer.start], text[pointer.end :]
    owned = _OWNED.match(tail)
    if len(said.split()) > 3 and owned:
        return f"{head}the {owned.group(1).strip()} of {said} {tail[owned.end() :].lstrip()}".strip().replace(" ,", ",")
    return head + said + ("’" if said.endswith("s") else "’s") + tail


def _in_period(text: str, pointer: _Pointer, talk: _Talk) -> str | None:
    """Put the year that was asked about in the place of "that year"."""
    if any(_is_date(each) for each in facts(text[: pointer.start]).quantities):
        return None
    for last in talk.earlier:
        date = next((each.text for each in reversed(facts(last).quantities) if _is_date(each)), None)
        when = re.fullmatch(rf"(?:when|(?:in )?(?:which|what) year) ({AUXILIARY}) (.+)", last, re.IGNORECASE)
        if when:
            noun = "year" if pointer.noun == "year" else pointer.noun
            date = f"the {noun} when {_statement(when.group(1), when.group(2))}"
        if date:
            led = re.search(rf"\b{PREPOSITION}\s+$", text[: pointer.start], re.IGNORECASE)
            head = re.sub(r"\bat\s+$", "in ", text[: pointer.start]) if not when else text[: pointer.start]
            return head + ("" if led else "in ") + date + text[pointer.end :]
    return None


def _one_of_two(text: str, pointer: _Pointer, talk: _Talk) -> str | None:
    """Choose "the former" of two names that an earlier question joins by "and", "or" or "than"."""
    for last in talk.earlier:
        found = list(names(last, talk.people))
        for one, other in pairwise(found):
            if re.fullmatch(r",? (?:and|or|than|with|from) ", last[one.end : other.start]):
                return text[: pointer.start] + (one if pointer.role == "former" else other).text + text[pointer.end :]
    return None


def _antecedent(pointer: _Pointer, talk: _Talk) -> Mention | None:
    """What fits `pointer` best in the latest earlier question that has something that fits well, else at all."""
    fallback = None
    for last in talk.earlier:
        best, score = None, 0.0
        for mention in _candidates(last, pointer, talk):
            fit = _fit(mention, pointer) * (1.2 if mention.end == 0 else 1)
            acts = mention.subject and pointer.subject and not mention.attribute
            fit += 1.0 if fit and acts and not (pointer.role == "several" and _is_one(mention)) else 0
            if fit > score:
                best, score = mention, fit
        if best and score >= 2:
            return best
        fallback = fallback or best
    return fallback


def _candidates(last: str, pointer: _Pointer, talk: _Talk) -> Iterator[Mention]:
    """What the question `last` mentions or asks for, as far as it comes into question for `pointer`."""
    known = referents(last, talk.people)
    one = next((each for each in known if each.sort == "person" and not each.proper and _is_one(each)), None)
    for mention in (*known, *filter(None, (_answer_of(last),))):
        if pointer.role != "several":
            yield mention
        elif one and one.start < mention.start < one.end and mention.proper and not mention.plural:
            continue  # "Bergen" in "the mayor of Bergen"
        elif mention.end == 0 and re.match(r"the person who (?!is\b|was\b|has\b|[a-z]+s\b)", mention.text):
            yield replace(mention, text=f"the people{mention.text.removeprefix('the person')}", plural=True)
        elif last == talk.last or not _is_one(mention):  # "they" of one person: only of the one just asked about
            yield mention


def _is_one(mention: Mention) -> bool:
    """Whether a mention is one person, or one thing with no name, and no group."""
    single = not mention.plural and mention.head not in GROUPS
    return single and (mention.sort == "person" or not mention.proper)


def _fit(mention: Mention, pointer: _Pointer) -> float:
    """How well a mention can be what is pointed to: 0 if not at all, 2 and more if well."""
    if pointer.role == "noun":
        return _fit_noun(mention, pointer.noun)
    if pointer.role == "several":
        return _fit_several(mention, pointer)
    if mention.plural:
        return 0.0
    if pointer.role == "person":
        return {"person": 3.0, "unknown": 1.5}.get(mention.sort, 0.0) if not mention.adjective else 0.0
    inner = pointer.owner and not mention.proper and mention.head in PLACES  # "its" after "the capital of Norway"
    weak = 0.5 if mention.attribute or inner or mention.adjective else 1.0
    if pointer.role == "place":
        return weak * {"place": 3.0, "thing": 0.6, "unknown": 1.0}.get(mention.sort, 0.0)
    return weak * {"thing": 2.8, "place": 2.0, "unknown": 2.0}.get(mention.sort, 0.0)


def _fit_several(mention: Mention, pointer: _Pointer) -> float:
    """How well a mention is "they": plurals, then groups; things said nothing unless the question was about them."""
    if mention.plural:
        if mention.head == "person":  # those "who" asked for
            return 2.0
        mute = mention.sort == "thing" and not mention.proper and not mention.subject and mention.end > 0
        if pointer.says and mute:
            return 2.0 if stem(mention.head) in {stem(noun) for noun in _MAN_MADE} else 0.0
        return 3.0
    if mention.head in GROUPS:
        return 2.5
    return 0.5 if mention.attribute or mention.adjective else 0.8 if _is_one(mention) else 1.0


def _fit_noun(mention: Mention, noun: str) -> float:
    """How well a mention is "that country", "this company", "those ships"."""
    if mention.head and stem(mention.head) == stem(noun):
        return 4.0
    if mention.plural != is_plural(noun):
        return 0.0
    if noun in ("country", "state", "nation"):
        return 3.0 if countries.is_country(mention.text) else 2.0 if mention.adjective else 0.0
    if noun in PLACES:
        fits = mention.sort in ("place", "unknown") and not countries.is_country(mention.text) and not mention.adjective
        return 2.0 if fits else 0.0
    if noun in PEOPLE or noun == "person":
        return {"person": 3.0, "unknown": 1.5}.get(mention.sort, 0.0)
    fits = noun in _MAN_MADE and mention.proper and mention.sort in ("thing", "unknown")
    return 2.0 if fits else 0.0


# A clause with a lead


def _leaning(turn: _Turn, talk: _Talk) -> str | None:
    """A clause with a lead that names nothing to look for takes the names of the earlier question along."""
    text = turn.text
    if _ONE_OTHER.search(text) and not any(each.proper for each in mentions(text, talk.people)):
        pair = next((each for each in mentions(talk.last, talk.people) if each.plural and each.proper), None)
        return f"{text}, regarding {pair.text}" if pair else None
    if not turn.led or turn.about or len(text.split()) > 9 or not re.search(r"[a-z]", text):
        return None
    if any(each.proper or each.end - each.start > 30 for each in mentions(text, talk.people)):
        return None
    if facts(text).quantities or any(each is not None for each in _pronouns(text)):
        return None
    topic = list(_topic(talk))
    if not topic:
        return None
    ending = re.search(r"\bthe\s+(?:[a-z-]+\s+){0,2}[a-z-]+$", text)
    if ending and len(topic) == 1:
        return f"{text} of {topic[0].text}"
    said = list(dict.fromkeys(each.text for each in topic))
    joined = said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
    return f"{text}, regarding {joined}"


def _topic(talk: _Talk) -> Iterator[Mention]:
    """Give the names of the last question: "France" for "the French army", but "the Yalta conference" as a whole."""
    wholes = {name.start: whole for whole, name in _wholes(talk.last, talk)}
    for each in referents(talk.last, talk.people):
        if not each.proper or each.plural:
            continue
        if not each.adjective:
            yield each
        elif each.start in wholes and not (countries.is_adjective(each.text) or countries.is_country(each.text)):
            yield wholes[each.start]
        else:
            yield replace(each, text=countries.country(each.text))


def _wholes(text: str, talk: _Talk) -> Iterator[tuple[Mention, Mention]]:
    """Give each name with its noun, "the Yalta conference", and the name in it."""
    for whole, name in pairwise(referents(text, talk.people)):
        inside = name.end < whole.end and name.start - whole.start in (0, len("the "))
        if inside and name.proper and name.adjective and not whole.proper:
            yield whole, name

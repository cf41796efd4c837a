"""Questions that may be asked of a document, made of its own sentences by rules: pure, no model.

A rule fires on a sentence whose subject and verb can be told apart from the surface alone, and on nothing else: few
questions in good English beat many. What a sentence states is turned round::

    Norway had 146 airports in 2025.               How many airports did Norway have in 2025?
    Ada Finch has led the museum since 1998.       Since when has Ada Finch led the museum?
    Hecker thinks that the old firms would ...     What does Hecker say about the old firms?
    Charles Hecker is an expert on trade.          Who is Charles Hecker?

Whether the documents answer a question is not known here (`rag_geo.chat.examples` asks).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from rag_geo.passages import sentences
from rag_geo.records import Document, Sentence
from rag_geo.text import countries
from rag_geo.text.mentions import PEOPLE, is_plural
from rag_geo.text.quantities import MONTHS, Quantity, listed, quantities

Kind = Literal["number", "date", "reason", "opinion", "person", "thing"]

_WEIGHT: dict[Kind, float] = {"reason": 4.0, "opinion": 3.0, "number": 3.0, "date": 3.0, "person": 2.8, "thing": 2.5}
_SAME_KIND = 1.5
_SAME_DOCUMENT = 2.0
_SAME_WORDS = 1.0
_MOST_WORDS = 16
_MOST_PARAGRAPHS = 400
_MOST_CHARACTERS = 600
_OFTEN = 3

_CAPITAL = r"[A-ZÀ-ÖØ-Þ]"
_WORD = re.compile(r"[^\W\d_][\w-]*")
_NAME = rf"{_CAPITAL}[\w’'-]*(?: (?:(?:de|del|al|von|van|of|of the) )?{_CAPITAL}[\w’'-]*){{0,4}}"
_ODD = re.compile(r"[\"“”„«»?!;:()\[\]…|*_#<>{}/\\=+~^•–—]|\.\.|[^\W\d]\.\w|\w\.[^\W\d]|@|’’|''")
_ASIDE = re.compile(r"\s+\([^()]*\)")
_SAYS = listed(
    """says thinks believes argues writes notes observes warns explains expects claims points stresses suggests reports
    recalls adds holds concludes concedes fears admits cautions maintains contends emphasizes emphasises asserts
    acknowledges doubts estimates states predicts insists"""
)
_SAID = listed(
    """said thought believed argued wrote noted observed warned explained expected claimed pointed stressed suggested
    reported recalled added held concluded conceded feared admitted cautioned maintained contended emphasized emphasised
    asserted acknowledged doubted estimated stated predicted insisted"""
)
_SPEECH = "|".join(_SAYS + _SAID)
_ADVERBS = frozenset(listed("also further still recently often even thus therefore already later then first again"))
_THAT = re.compile(rf"(?P<name>{_NAME}) (?:(?:{'|'.join(_ADVERBS)}) )?(?P<verb>{_SPEECH}) (?:out )?that (?P<clause>.+)")
_ACCORDING = re.compile(rf"According to (?P<name>{_NAME}), (?P<clause>.+)")
_BEHIND = re.compile(rf"(?P<clause>.+?), (?P<name>{_NAME}) (?P<verb>{_SPEECH})(?: out)?\.")
_LAST = re.compile(rf"(?P<clause>.+), according to (?P<name>{_NAME})\.")
_MIDDLE = re.compile(rf"(?P<one>[^,]+), (?P<name>{_NAME}) (?P<verb>{_SPEECH})(?: out)?, (?P<other>.+)")

_AUXILIARIES = frozenset(listed("is are was were has have had can could will would should must may might"))
_BE = frozenset(["is", "are", "was", "were"])
_REGULAR = listed(
    """open close join sign publish launch found establish create introduce announce reach pass sail start end
    produce contain cover employ host house serve carry touch measure number count include receive shelter import export
    operate own visit attack invade annex adopt declare gain abolish replace elect appoint enter return travel arrive
    move agree refuse reject approve ratify discover invent design finish complete happen occur collapse die marry
    depend rely want need try hope fear promise offer support oppose help attract matter remain stay last
    rule govern ban limit increase decrease raise lower doubt regard consider prefer fail succeed suffer employ exceed
    connect span stretch extend occupy hire fund finance control maintain train acquire purchase merge retire resign"""
)
_IRREGULAR = {
    form: base
    for base, forms in (
        ("have", "has had"), ("become", "becomes became"), ("begin", "begins began"), ("build", "builds built"),
        ("buy", "buys bought"), ("choose", "chooses chose"), ("come", "comes came"), ("draw", "draws drew"),
        ("fall", "falls fell"), ("get", "gets got"), ("go", "goes went"), ("grow", "grows grew"),
        ("hold", "holds held"), ("keep", "keeps kept"), ("lead", "leads led"), ("leave", "leaves left"),
        ("lose", "loses lost"), ("make", "makes made"), ("meet", "meets met"), ("pay", "pays paid"),
        ("rise", "rises rose"), ("sell", "sells sold"), ("send", "sends sent"), ("take", "takes took"),
        ("win", "wins won"), ("withdraw", "withdraws withdrew"), ("write", "writes wrote"), ("see", "sees saw"),
        ("seek", "seeks sought"), ("find", "finds found"), ("lie", "lies lay"), ("run", "runs ran"),
        ("fight", "fights fought"), ("think", "thinks thought"), ("speak", "speaks spoke"), ("feel", "feels felt"),
    )
    for form in forms.split()
}  # fmt: skip
#: Of these the form in -s is a noun as often as a verb.
_NOUNS = frozenset(
    listed("""signs covers hosts houses touches measures numbers counts imports exports visits attacks returns travels
    moves matters needs hopes fears promises offers supports helps rules bans limits increases decreases doubts trains
    funds finances controls starts ends designs purchases launches stays stretches spans needs raises buys runs finds
    builds fights passes""")
) - {"measures", "covers"}


def _forms() -> dict[str, tuple[str, str]]:
    """The base and the auxiliary ("did", "does") of each form of a verb that is understood."""
    found: dict[str, tuple[str, str]] = {}
    for base in _REGULAR:
        stem = base[:-1] if base.endswith("e") else base
        y = base.endswith("y") and base[-2] not in "aeiou"
        doubled = base in ("ban", "travel", "control")
        past = f"{base[:-1]}ied" if y else f"{base}{base[-1]}ed" if doubled else f"{stem}ed"
        third = f"{base[:-1]}ies" if y else f"{base}es" if base.endswith(("s", "sh", "ch", "x")) else f"{base}s"
        found[past] = (base, "did")
        if third not in _NOUNS:
            found[third] = (base, "does")
    for form, base in _IRREGULAR.items():
        if form not in _NOUNS:
            found[form] = (base, "does" if form.endswith("s") else "did")
    found["have"] = ("have", "do")
    return found


_FORMS = _forms()
_SUBJECT_STOPS = frozenset(
    listed("""that which who whom whose because if when while as than it he she they we you i this these those his her
    its their our my your there here one some many most both each all not no other another such same only even more
    less in on at by to from for with under since before after during until without against despite although though
    but or so yet neither nor what how why where whether however according about a an any several few""")
)
_BEHIND_NOUN = _AUXILIARIES | frozenset(
    listed("in on at by to from for with under since before after during without against and but or because while")
)
_BEFORE_TOPIC = frozenset(["", "about", "against", "of", "from", "at", "for"])
_LINKS = frozenset(["to", "from", "in"])
_GENERIC = frozenset(
    listed("""assembly parliament senate congress government constitution president minister ministry army navy council
    court coast republic church chamber capital""")
)
_LOOSE = re.compile(
    r"\b(?:today|now|yesterday|tomorrow|this|these|those|here|there|recent|recently|ago|above|below|following|former|"
    r"latter|next|last|other|others|such|same|he|she|him|his|her|hers|they|them|it|we|us|our|you|your|i|my|"
    r"article|author|report|source|text|book|study|paper|profile|section|chapter|figure|table|page|example|instance)\b"
)
_FILLER = re.compile(
    r"(?:(?:about|some|an estimated|only|just|nearly|almost|over|more than|less than|fewer than|at least|at most|up to|"
    r"roughly|approximately|around|as many as|a total of|altogether|exactly|well over|close to) )+"
)
_NUMERAL = r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_UNIT_ADJECTIVE = re.compile(r" (?P<adjective>long|high|wide|deep|tall)\b")
_MONTH = rf"(?:{'|'.join(month.title() for month in MONTHS)})"
_DATE = rf"(?:(?:early|late|mid) )?(?:{_MONTH} )?(?:1\d|20)\d\d"
_IN_YEAR = re.compile(r" in (?:1\d|20)\d\d(?=[ ,.])")
_DAY = rf"(?:\d{{1,2}} {_MONTH}|{_MONTH} \d{{1,2}},) (?:1\d|20)\d\d"
_WHEN = re.compile(rf"(?P<rest>(?:[\w’'-]+ ){{0,8}}?)(?:in {_DATE}|on {_DAY})(?:\.|(?:,| and| by| as| after| when) .*)")
_SINCE = re.compile(rf"(?P<rest>\w+(?: [\w’'-]+){{1,10}}) since (?:{_DAY}|{_DATE})\.")
_WHEN_FIRST = re.compile(rf"(?:In {_DATE}|On {_DAY}),? (?P<clause>.+)")
#: Behind what is counted, nothing that belongs to it: no "soldiers and police on missions", no "soldiers with rifles".
_ENDS_THERE = re.compile(
    rf"\.$|, (?![a-z-]+(?:, [a-z-]+)*,? (?:and|or) )|,? and (?=\d|(?:the|its|their|a|an|in|it|they)\b|"
    rf"(?:{'|'.join([*_AUXILIARIES, *_FORMS])})\b)| with (?=\d|{_NUMERAL} )"
)
_PARTLY = re.compile(r" (?:mostly|mainly|largely|partly|chiefly|simply|primarily|probably|perhaps|precisely)$")
_NOT = re.compile(r"\bnot(?: just| only| least)?$")
_STATISTIC = frozenset(
    listed("estimated given put listed counted measured valued recorded set ranked expected known based located")
)
_PARTICIPLES = frozenset(
    listed("built written made sold held taken given won lost begun drawn chosen led sent paid shot been become found")
)
_ROLE = PEOPLE | frozenset(
    listed("""adviser advisor editor researcher fellow candidate consultant activist novelist manager professor scholar
    columnist lecturer physicist chemist biologist author engineer inventor explorer geologist""")
)
_ORGANISATION = (
    r"(?:company|organisation|organization|agency|newspaper|magazine|bank|think tank|institute|fund|network|firm|"
    r"alliance|charity|foundation|party|project|programme|program|treaty|university|museum|laboratory|start-up|startup)"
)
_IS_PERSON = re.compile(
    rf"(?P<name>{_CAPITAL}[\w’'-]+(?: {_CAPITAL}[\w’'-]+){{1,2}})(?:,| (?P<be>is|was)) "
    r"(?:(?:an?|the|one of) )?(?P<said>[\w’' -]{3,90})"
)
_PREPOSITION = re.compile(r" (?:of|in|at|for|on|to|from|with|who|that|by|under|and (?:a|an|the|is|was|has|wrote))\b")
_IS_THE = re.compile(
    rf"The (?P<what>capital|currency|official language|national language|highest mountain|longest river|largest city) "
    rf"of (?P<name>{_NAME}) (?P<be>is|was) {_CAPITAL}"
)
_IS_THING = re.compile(rf"(?P<name>{_NAME})(?:, an?| (?P<be>is|was) an?) (?:[\w’'-]+ ){{0,3}}?{_ORGANISATION}\b")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question made of a sentence of one paragraph; a higher `value` is a better one, as far as rules can tell."""

    question: str
    kind: Kind
    file: str
    paragraph: int
    value: float


class _Clause(NamedTuple):
    """A sentence in its parts: `subject` as it stands inside a sentence, the finite `verb`, and what follows."""

    subject: str
    verb: str
    rest: str


def candidates(document: Document, known: frozenset[str] | None = None) -> tuple[Candidate, ...]:
    """The questions that can be made of the paragraphs of a document, in order.

    `known` are the words of which names are made in its collection; those of the document itself when not given.
    """
    known = known_names([document]) if known is None else known
    found: dict[str, Candidate] = {}
    for sentence in _plain_sentences(document):
        for kind, question in questions(sentence.text, known):
            one = Candidate(question, kind, document.file, sentence.paragraph, _value(kind, question))
            found.setdefault(question, one)
    return tuple(found.values())


def ranked(found: Iterable[Candidate], most: int) -> tuple[Candidate, ...]:
    """The best `most` candidates in the order to try them: various in kind, document and words, then by value."""
    left = list(found)
    seen: Counter[tuple[str, str]] = Counter()
    chosen: list[Candidate] = []

    def worth(one: Candidate) -> float:
        return one.value - sum(weight * seen[trait] for trait, weight in _traits(one).items())

    while left and len(chosen) < most:
        best = max(left, key=worth)
        left.remove(best)
        chosen.append(best)
        seen.update(_traits(best).keys())
    return tuple(chosen)


def _traits(one: Candidate) -> dict[tuple[str, str], float]:
    """What makes two questions alike, and how much worth the second loses by it."""
    words = " ".join(re.findall(r"\b[a-z]+", one.question))
    return {("kind", one.kind): _SAME_KIND, ("file", one.file): _SAME_DOCUMENT, ("words", words): _SAME_WORDS}


def known_names(documents: Iterable[Document]) -> frozenset[str]:
    """Words that documents take for names: capitalised inside sentences or often, and never in small letters."""
    inside: set[str] = set()
    small: set[str] = set()
    often: dict[str, int] = {}
    for sentence in (one for document in documents for one in _plain_sentences(document)):
        for place, word in enumerate(_WORD.findall(sentence.text)):
            if word[0].islower():
                small.add(word.casefold())
            elif place:
                inside.add(word)
            else:
                often[word] = often.get(word, 0) + 1
    inside |= {word for word, times in often.items() if times >= _OFTEN and not word.endswith("ly")}
    return frozenset(word for word in inside if word.casefold() not in small | _SUBJECT_STOPS)


def _plain_sentences(document: Document) -> Iterator[Sentence]:
    """The sentences of running text, in the first paragraphs."""
    for paragraph in document.paragraphs[:_MOST_PARAGRAPHS]:
        if paragraph.kind == "text" and not paragraph.debris:
            yield from sentences(document, paragraph)


def questions(sentence: str, known: frozenset[str]) -> Iterator[tuple[Kind, str]]:
    """The questions that one sentence answers; `known` are words of which names are made.

    >>> list(questions("Norway had 146 airports in 2025.", frozenset({"Norway"})))
    [('number', 'How many airports did Norway have in 2025?')]
    """
    if len(sentence) > _MOST_CHARACTERS:
        return
    text = _ASIDE.sub("", " ".join(sentence.split()))
    if not (4 <= text.count(" ") < 45) or not text[0].isupper():
        return
    plain = text.endswith(".") and not _ODD.search(text[:-1])
    for kind, question in [*_identities(text, known), *(_of(text, known) if plain else ())]:
        short = question.count(" ") < _MOST_WORDS and not _LOOSE.search(question[1:])
        if short and _is_specific(question, kind):
            yield kind, question


def _is_specific(question: str, kind: Kind) -> bool:
    """Whether a question says whose parliament or coast it means."""
    names = re.findall(rf"(?<= ){_CAPITAL}[\w’'-]*", question)
    loose = re.sub(rf"\b[a-z]+(?= of (?:the )?{_CAPITAL})", "", question)  # "the coast of China" says it
    generic = _GENERIC.intersection(re.findall(r"[a-z]+", loose.casefold()))
    return len(names) > (2 if generic and kind not in ("person", "thing") else 0)


def _of(text: str, known: frozenset[str]) -> Iterator[tuple[Kind, str]]:
    speaker, verb, said = _attributed(text, known)
    clause = _clause(said, known)
    behind = f", according to {speaker}" if speaker else ""
    if speaker:
        topic = _topic(said, known)
        if topic:
            yield "opinion", f"What {'did' if verb in _SAID else 'does'} {speaker} say about {topic}?"
    if clause:
        yield from (("reason", f"{each}{behind}?") for each in _reasons(clause))
        yield from (("number", f"{each}{behind}?") for each in _numbers(clause))
        yield from (("date", f"{each}{behind}?") for each in _dates(clause))
    first = _WHEN_FIRST.fullmatch(said)
    dated = _clause(first["clause"], known) if first else None
    if dated and not _digits(dated.rest) and dated.verb != "had":
        yield from (("date", f"{each}{behind}?") for each in _turned("When", dated, dated.rest.removesuffix(".")))


def _attributed(text: str, known: frozenset[str]) -> tuple[str, str, str]:
    """Who says it ("" if nobody is named), the verb of saying, and what is said, as a sentence."""
    for pattern in (_THAT, _ACCORDING, _LAST, _BEHIND, _MIDDLE):
        match = pattern.fullmatch(text)
        if not match or not _is_name(match["name"], known):
            continue
        parts = match.groupdict()
        clause = parts.get("clause") or f"{parts['one']} {parts['other']}"
        clause = clause if clause.endswith(".") else f"{clause}."
        return match["name"], parts.get("verb") or "", clause
    return "", "", text


def _is_name(name: str, known: frozenset[str]) -> bool:
    """Whether every capitalised word of a name is known."""
    words = _WORD.findall(re.sub(r"[’']s\b", "", name))
    return bool(words) and all(word in known for word in words if word[0].isupper())


def _clause(text: str, known: frozenset[str]) -> _Clause | None:
    """Part a sentence at its first finite verb; None when what stands before it is no plain subject with a name."""
    words = text.split()
    for place, word in enumerate(words[:9]):
        if place and (word in _AUXILIARIES or word in _FORMS):
            before = words[:place]
            if before[-1] in _ADVERBS:
                before = before[:-1]
            subject = _subject(before, known)
            rest = " ".join(words[place + 1 :])
            return _Clause(subject, word, rest) if subject and rest else None
        if word.endswith((",", ".")):
            return None
    return None


def _subject(words: Sequence[str], known: frozenset[str]) -> str:
    """The subject as it stands inside a sentence, or "" when it is not plain or names nothing."""
    pairs = zip(words, [*words[1:], ""], strict=True)
    stops = (word for word, after in pairs if not (word in _LINKS and after and _is_name(after, known)))
    if not words or len(words) > 7 or any(word.casefold() in _SUBJECT_STOPS for word in stops):
        return ""
    article = words[0] in ("The", "the")
    named = any(_is_name(word, known) and word[0].isupper() for word in words[article:])
    if not named or not (article or _is_name(words[0], known)):
        return ""
    if "and" in words and not all(word[0].isupper() or word == "and" for word in words[article:]):
        return ""
    return " ".join(["the" if article else words[0], *words[1:]])


def _topic(text: str, known: frozenset[str]) -> str:
    """The first definite thing of more than one word that is spoken of, with a name in it; "" if there is none."""
    words = text.removesuffix(".").split()
    for place, word in enumerate(words):
        owner = word.endswith(("'s", "’s")) and _is_name(word, known)
        before = words[place - 1] if place else ""
        if not (owner or word in ("the", "The")) or not (before in _BEFORE_TOPIC or before in _FORMS):
            continue
        end = _noun_end(words, place + 1)
        behind = words[end : end + 3]
        if behind[:1] == ["of"] and behind[1:] and _is_name(behind[1], known) and behind[1][0].isupper():
            last = end + 2 + 2 * (behind[2:] == ["and"] and words[end + 3 :][:1] != [] and words[end + 3][0].isupper())
            if not _ends(words, last) or words[last - 1].endswith(",") or words[last:][:1] == ["and"]:
                return ""
            end = last
        phrase = [word.lower() if word == "The" else word, *words[place + 1 : end]]
        phrase[-1] = phrase[-1].rstrip(",")
        if "very" in phrase[1:-2]:
            at = phrase.index("very")
            del phrase[at : at + 2]
        named = owner or any(each[0].isupper() and _is_name(each, known) for each in phrase[1:])
        small = sum(each[0].islower() for each in phrase[1:] if each != "of")
        whole = _ends(words, end) and words[end:][:1] != ["and"]
        if named and small and len(phrase) > 1 + (not owner) and whole:
            return " ".join(phrase)
    return ""


def _noun_end(words: Sequence[str], start: int) -> int:
    """Where the words that can belong to a noun end: at most four from `start` on."""
    end = start
    while end < len(words) and end - start < 4 and not _is_boundary(words[end]):
        end += 1
        if words[end - 1].endswith(","):
            break
    return end


def _ends(words: Sequence[str], end: int) -> bool:
    """Whether what ends before place `end` is surely over there: no verb that is not known stands in it."""
    return end == len(words) or words[end - 1].endswith(",") or words[end] in _BEHIND_NOUN or words[end] in _FORMS


def _is_boundary(word: str) -> bool:
    return word.casefold() in _SUBJECT_STOPS | {"and", "of", "the"} or word in _AUXILIARIES or word in _FORMS


def _turned(word: str, clause: _Clause, rest: str) -> Iterator[str]:
    """A clause as a question that begins with `word`, if what follows the verb is short and plain."""
    if rest.count(" ") > 9 or "," in rest or _LOOSE.search(rest):
        return
    if clause.verb in _AUXILIARIES and clause.verb != "have" and not (clause.verb in ("had", "has") and not rest):
        participle = rest.split(" ", 1)[0] if rest else ""
        if clause.verb in _BE and word == "When":
            passive = participle.endswith("ed") or participle in _PARTICIPLES
            if not passive or participle in _STATISTIC:
                return
        if clause.verb in ("has", "have", "had") and not (participle.endswith("ed") or participle in _PARTICIPLES):
            base, auxiliary = _FORMS[clause.verb]
            yield f"{word} {auxiliary} {clause.subject} {base} {rest}".rstrip()
            return
        yield f"{word} {clause.verb} {clause.subject} {rest}".rstrip()
    elif clause.verb in _FORMS and not _finite(rest):
        base, auxiliary = _FORMS[clause.verb]
        yield f"{word} {auxiliary} {clause.subject} {base} {rest}".rstrip()


def _reasons(clause: _Clause) -> Iterator[str]:
    main, because, reason = clause.rest.partition(" because ")
    main = _PARTLY.sub("", main)
    if because and not reason.startswith("of ") and reason.count(" ") > 1 and not _NOT.search(main):
        yield from _turned("Why", clause, main)


def _numbers(clause: _Clause) -> Iterator[str]:
    filler = _FILLER.match(clause.rest)
    behind = clause.rest[filler.end() :] if filler else clause.rest
    first = next(iter(quantities(behind)), None)
    if first is None or first.start or first.kind != "number" or first.text in ("one", "two", "1", "2"):
        return
    if clause.verb in _BE:
        yield from _measured(clause, behind[first.end :])
        return
    if clause.verb.startswith("measure") and re.fullmatch(r"[\d.,]+ (?:kilometres|kilometers|miles)", first.text):
        plural = is_plural(clause.subject.split(" of ")[0].split()[-1])
        be = {"measures": "is", "measure": "are", "measured": "were" if plural else "was"}[clause.verb]
        yield from _measured(clause._replace(verb=be), " long" + behind[first.end :])
        return
    if clause.verb not in _FORMS:
        return
    base, auxiliary = _FORMS[clause.verb]
    base = "have" if base in ("count", "number") else base
    counted = _counted(first, behind)
    if counted:
        noun, tail = counted
        if (base, auxiliary) == ("have", "did") and not _IN_YEAR.match(f"{tail} "):
            return  # what it had once, when?
        yield f"How many {noun} {auxiliary} {clause.subject} {base}{tail}"


def _measured(clause: _Clause, after: str) -> Iterator[str]:
    """How long something is, or how much it was in a year; `after` is what follows the quantity."""
    adjective = _UNIT_ADJECTIVE.match(after)
    if adjective:
        year = _IN_YEAR.match(after[adjective.end() :])
        # What was so once is asked with its time.
        if year or clause.verb in ("is", "are"):
            yield f"How {adjective['adjective']} {clause.verb} {clause.subject}{year[0] if year else ''}"
        return
    year = _IN_YEAR.match(after)
    if year and re.fullmatch(rf"the (?:[\w-]+ ){{1,3}}of (?:the )?{_NAME}", clause.subject):
        yield f"What {clause.verb} {clause.subject}{year[0]}"


def _counted(quantity: Quantity, text: str) -> tuple[str, str] | None:
    """What is counted ("refugees") and what belongs into the question behind it (" in 2024")."""
    units = {unit for _, unit in quantity.readings}
    if units & {"percent", "dollar", "euro", "year", "ordinal", "times"} or re.search(r"[$€£%]", quantity.text):
        return None
    last = quantity.text.split()[-1]
    noun = last if units - {""} and last.isalpha() and is_plural(last) else ""
    after = text[quantity.end :]
    if not noun:
        found = re.match(r" ((?:[a-z][a-z-]+ ){0,2}?[a-z-]{3,})(?=[ ,.])", after)
        while found and not is_plural(found[1].split()[-1]):
            longer = re.match(rf" ({re.escape(found[1])} [a-z-]{{3,}})(?=[ ,.])", after)
            found = longer if longer and longer[1].count(" ") < 3 else None
        if not found or any(word in _SUBJECT_STOPS | {"and"} for word in found[1].split()):
            return None
        noun, after = found[1], after[found.end() :]
    year = _IN_YEAR.match(after)
    if year:
        return noun, year[0]
    if _ENDS_THERE.match(after):
        return noun, ""
    whole = re.match(r" of (?:[a-z-]+ ){0,2}?[a-z-]+(?=,|\.| with | and )", after)
    if whole and not quantities(whole[0]):
        return noun + whole[0], ""
    plain = re.fullmatch(r"( (?:in|for|from|to|on|at|across|between) [\w’' -]+)\.", after)
    if plain and plain[1].count(" ") <= 7 and not _finite(plain[1]) and not quantities(plain[1]):
        return noun, plain[1]
    return None


def _dates(clause: _Clause) -> Iterator[str]:
    names = re.findall(rf"\b{_CAPITAL}\w*", clause.subject)
    if clause.subject.startswith("the ") and all(map(countries.is_adjective, names)):
        return  # "the Russian invasion": which one?
    since = _SINCE.fullmatch(clause.rest)
    if since:
        rest = since["rest"]
        if clause.verb in ("has", "have") and not _digits(rest) and not _LOOSE.search(rest):
            yield f"Since when {clause.verb} {clause.subject} {rest}"
        return
    when = _WHEN.fullmatch(clause.rest)
    if when and not _digits(when["rest"]) and clause.verb != "had":
        yield from _turned("When", clause, when["rest"].rstrip())


def _identities(text: str, known: frozenset[str]) -> Iterator[tuple[Kind, str]]:
    person = _IS_PERSON.match(text)
    if person and _is_name(person["name"].split(" ", 1)[1], known) and not countries.is_country(person["name"]):
        head = _PREPOSITION.split(person["said"], maxsplit=1)[0].split()
        if head and head[-1].casefold() in _ROLE and len(head) < 8:
            yield "person", f"Who {person['be'] or 'is'} {person['name']}?"
            return
    what = _IS_THE.match(text)
    if what and _is_name(what["name"], known):
        yield "thing", f"What {what['be']} the {what['what']} of {what['name']}?"
        return
    thing = _IS_THING.match(text)
    if thing and _is_name(thing["name"], known):
        article = "the " if text.startswith("The ") else ""
        yield "thing", f"What {thing['be'] or 'is'} {article}{thing['name']}?"


def _finite(text: str) -> bool:
    """Whether a verb stands in what should be without one."""
    return any(word in _AUXILIARIES or word in _FORMS for word in re.findall(r"[\w’']+", text))


def _digits(text: str) -> bool:
    return any(each.isdigit() for each in text)


def _value(kind: Kind, question: str) -> float:
    words = question.count(" ") + 1
    names = len(re.findall(rf"(?<= ){_CAPITAL}", question))
    return _WEIGHT[kind] - 0.15 * max(0, words - 11) - 0.3 * max(0, 5 - words) + 0.2 * min(names, 3)

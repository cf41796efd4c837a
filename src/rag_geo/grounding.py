"""Finds the evidence of an answer's sentence, and says what in the sentence the evidence does not bear out.

Pure: no model, no files. The model writes a sentence (a claim); `gather` picks one to three sentences of the passages
that carry it; the rungs, cheapest first, each give None or the `Failure` that withholds the claim:

0. `check_statement`: it says something: it neither asks nor gives orders, and repeats no line of the prompts;
1. `check_numbers`: every number, amount and date of the claim stands in the cited sentences, in the same unit;
2. `check_names`: every proper name stands in the cited paragraphs, or in the title, author or heading they come with;
   `check_novelty`: the claim says something beyond the question, and the evidence has it; `check_kind`: it has what
   the question asks for: a number for "how many", a time for "when", somebody for "who", a place for "where";
3. `check_together`: a number and the names it is said of stand in one sentence, or in neighbouring ones of which the
   later refers back; nobody has changed places; `check_negation`: nothing is denied that is affirmed, or turned into
   its opposite; `check_things`: no thing of the question has taken the place of another.

The fourth rung is the model's own and lives in `rag_geo.assistant`. `locate` cuts the quotes.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, pairwise

from rag_geo.prompts import instructions
from rag_geo.records import Citation, Passage, Sentence, Span
from rag_geo.text.denials import LANGUAGES, denies
from rag_geo.text.facts import Facts, Name, Word, acronym, facts, fold_name, names, settled, stem
from rag_geo.text.kinds import asked_kind, has_kind, wanted
from rag_geo.text.languages import language_of
from rag_geo.text.orders import asks_about_answers, is_order
from rag_geo.text.quantities import Quantity, follows, listed, unsupported
from rag_geo.text.relations import COMPARISONS, crossed, is_same, turned_negation, turned_opposite
from rag_geo.text.words import terms

ContextNames = Mapping[str, Sequence[str]]

_CAPITALS = """russia moscow kremlin;china beijing;united-states washington;moscow russia kremlin;kremlin russia moscow;
beijing china;washington united-states"""
_METONYMS = {
    fold_name(name): frozenset(map(fold_name, others)) for name, *others in map(str.split, _CAPITALS.split(";"))
}
_REFERRING = frozenset(listed("""he she it they his her its their him them this these that those such both there"""))
_PAIR = re.compile(
    r"\b(?:both|neither|either|each|the two|the three|the) "
    r"(?:countr(?:y|ies)|nations?|sides?|states?|powers|leaders|presidents)\b",
    re.I,
)
_ABOUT_TEXT = frozenset(
    stem(w)
    for w in listed("""article passage text paragraph document source author question answer mention state describe say
    report     accord provide information discuss refer""")
)
_YES_NO = re.compile(
    r"\s*(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must)\b", re.I
)
_ANAPHORIC = frozenset({"the", "these", "those", "their", "both", "its"})
_TEXT = r"(?:passages?|texts?|articles?|documents?|sources?|authors?|paragraphs?|excerpts?|context|information|answer)"
_TELL = (
    r"(?:say|state|mention|specify|give|provide|name|tell|indicate|explain|describe|discuss|identify|answer|contain|"
    r"include|reveal|address|list|disclose|offer|cover|report)"
)
_TOLD = (
    r"(?:given|stated|specified|mentioned|provided|indicated|named|listed|disclosed|described|included|discussed|"
    r"addressed|answered|detailed|identified|reported|available|explained|revealed|found|said|known|clear|told)"
)
_HOW = r"(?:(?:explicitly|directly|clearly|specifically|exactly|further|also|themselves|itself|been|be|any)\s+)*"
_HERE = rf"(?:in|by|from) (?:the|this|these|any(?: of the)?|either) (?:\w+ ){{0,2}}{_TEXT}\b"
_REFUSALS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:the|these|this|none of the|no|neither|its) (?:[\w-]+ ){{0,2}}{_TEXT}\b[^,;.]{{0,60}}?\b"
        rf"(?:(?:do|does|did|could|can|is|are)(?: not|n[’']t)|cannot|never) {_HOW}(?:able to )?{_TELL}s?\b",
        rf"\b(?:no|none of the) (?:[\w-]+ ){{0,2}}{_TEXT} (?:\w+ ){{0,1}}{_TELL}s?\b",
        rf"\b(?:is|are|was|were|has|have|had|be)(?: not|n[’']t) {_HOW}"
        rf"(?:given|stated|specified|mentioned|provided|indicated|disclosed|detailed|named|identified|listed)\s*(?:[.!]|$)",
        rf"\b(?:not|n[’']t|nowhere|never|un)\s?{_HOW}{_TOLD} (?:anywhere )?{_HERE}",
        r"\bno (?:[\w-]+ ){0,2}(?:information|mention|details?|answer|indication|data)\b[^;.]{0,60}"
        rf"\b(?:{_TOLD[3:-1]}|{_HERE})\s*(?:[.!]|$|in |by |about |on )",
        r"\bthere (?:is|are|was|were) (?:no|not any) (?:[\w-]+ )?(?:information|mention|details?|answer|indication)\b",
        r"\b(?:cannot|can not|can[’']t|could not|couldn[’']t) be (?:determined|answered|found|inferred|told|known)"
        rf"\b.{{0,40}}{_HERE}",
        rf"\b(?:unknown|unclear|unspecified|unnamed|unstated) (?:\w+ ){{0,1}}{_HERE}",
    )
)
_CLOSING = " \t\n\"'”’»)]"
_ASKING = ("?", "？", "؟", "\u037e")  # the last is the Greek one, not a semicolon, which ends items of lists
_WORD = re.compile(r"\w+")
_KNOWN_AGAIN = 5
"""So many words one after the other are known again as the prompts'."""
_CANDIDATES = 3
_NESTED = 2
_SHORTEST = 3
_BEFORE_NOUN = frozenset(
    {
        "a", "an", "the", "this", "that", "these", "those", "its", "their", "his", "her", "our", "my", "your", "no",
        "any", "each", "every", "all", "both", "of", "in", "on", "at", "by", "for", "from", "with", "and", "or",
    }
)  # fmt: skip
_ENOUGH_GAIN = 0.12
_OWN_AUTHOR = 1.2


@dataclass(frozen=True, slots=True)
class Failure:
    """The rung that a claim failed ("statement", "number", "name" and so on, as in the list above) and why."""

    rung: str
    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a claim is checked against.

    `sentences` are the cited ones, in the order of the passages and of the text; `passages` the paragraphs they come
    from, as the model read them; `names` what stands above those paragraphs: title, author, heading; `above` the same,
    each with its file.
    """

    sentences: tuple[Sentence, ...]
    passages: tuple[Passage, ...] = ()
    names: tuple[str, ...] = ()
    above: tuple[tuple[str, str], ...] = ()


Rung = Callable[[str, Evidence, str], Failure | None]


# --- finding the evidence -------------------------------------------------------------------------------------------


def find_evidence(
    claim: str, passages: Sequence[Passage], question: str = "", *, limit: int = 3, seed: int = 0
) -> tuple[Sentence, ...]:
    """Give the one to `limit` sentences of the passages that best carry `claim`, in the order of the passages.

    Greedy: the sentence that covers most of the claim's words, names and numbers, each weighted by its rarity over the
    passages; then another as long as it adds a fair share that the ones before lack, neighbours of a chosen sentence
    first, then its paragraph, then any other. A chosen sentence that begins with a reference back ("He", "The
    statement") brings the one before it. `seed` starts from the second best sentence, the third, and so on.
    Empty only if the passages have no sentences, or none shares a word with claim or question.
    """
    pool = [(p, i, sentence) for p, passage in enumerate(passages) for i, sentence in enumerate(passage.sentences)]
    read = [facts(sentence.text) for _, _, sentence in pool]
    wanted = _wanted(facts(claim), facts(question), read)
    covers = [_covered(wanted, sentence) for sentence in read]
    total = sum(weight for key, weight in wanted.items() if key[0] != "q") or 1.0
    by = [1.0 if not _by_author(claim, passage) else _OWN_AUTHOR for passage in passages]
    ranked = sorted(range(len(pool)), key=lambda n: (-_worth(covers[n], wanted, set()) * by[pool[n][0]], n))
    ranked = [n for n in ranked if covers[n]][seed:]
    if not ranked:
        return ()
    chosen = ranked[:1]
    while len(chosen) < limit:
        have = set().union(*(covers[n] for n in chosen))
        scores = {
            n: _worth(covers[n], wanted, have) * _nearness(pool, chosen, n) for n in range(len(pool)) if n not in chosen
        }
        best = max(scores, key=lambda n: (scores[n], -n), default=None)
        if best is None or _worth(covers[best], wanted, have, question=False) < _ENOUGH_GAIN * total:
            break
        chosen.append(best)
    chosen = _with_antecedents(chosen, pool, read, limit)
    return tuple(pool[n][2] for n in sorted(chosen))


_Place = tuple[int, int, Sentence]
_Want = tuple[str, object]


def _wanted(claim: Facts, question: Facts, sentences: Sequence[Facts]) -> dict[_Want, float]:
    """Tell what the evidence should have, each with its weight: rare words more, names and numbers most."""
    frequency = Counter(key for sentence in sentences for key in sentence.content)
    size = len(sentences) + 1

    def rarity(key: str) -> float:
        return math.log(1 + size / (1 + frequency[key]))

    named = {key for name in claim.names for key in name.keys}
    wanted: dict[_Want, float] = {("w", key): rarity(key) * (1.5 if key in named else 1.0) for key in claim.content}
    wanted |= {("n", quantity): 3 * math.log(1 + size) for quantity in claim.quantities}
    wanted |= {("q", key): 0.25 * rarity(key) for key in question.content - claim.content}
    return wanted


def _by_author(claim: str, passage: Passage) -> bool:
    """Whether the claim names the author of the passage's document: "Hawn says ..." is looked for in Hawn's first."""
    author = _keys(facts(passage.author).names)
    return bool(author) and any(set(name.keys) <= author for name in facts(claim).names)


def _covered(wanted: Mapping[_Want, float], sentence: Facts) -> set[_Want]:
    """Which of the wanted things a sentence has."""
    found: set[_Want] = set()
    for want in wanted:
        if isinstance(want[1], Quantity):
            if any(follows(want[1], other) for other in sentence.quantities):
                found.add(want)
        elif want[1] in sentence.content:
            found.add(want)
    return found


def _worth(cover: set[_Want], wanted: Mapping[_Want, float], have: set[_Want], *, question: bool = True) -> float:
    """Give the weight of what `cover` adds to `have`."""
    return sum(wanted[want] for want in cover - have if question or want[0] != "q")


def _nearness(pool: Sequence[_Place], chosen: Sequence[int], n: int) -> float:
    """1.3 for a neighbour of a chosen sentence, 1.15 in the same paragraph, 1 elsewhere."""
    best = 1.0
    for other in chosen:
        if pool[other][0] == pool[n][0]:
            best = max(best, 1.3 if abs(pool[other][1] - pool[n][1]) == 1 else 1.15)
    return best


def _with_antecedents(chosen: list[int], pool: Sequence[_Place], read: Sequence[Facts], limit: int) -> list[int]:
    """Add the sentence before one that refers back, as far as the limit allows."""
    result = list(chosen)
    for n in chosen:
        if len(result) < limit and n - 1 not in result and pool[n][1] > 0 and refers_back(read[n]):
            result.append(n - 1)
    return result


def refers_back(sentence: Facts) -> bool:
    """Whether a sentence leans on the one before: a pronoun before any name, or a short definite description first.

    "He expects ...", "This shows ...", "The statement says ..."; not "The Russian Far East ...".
    """
    first_name = sentence.names[0].first if sentence.names else len(sentence.words)
    opening = sentence.words[: min(first_name, 6)]
    if any(word.lower in _REFERRING and not (word.lower in ("that", "there") and not word.initial) for word in opening):
        return True
    if len(sentence.words) > 2 and sentence.words[0].lower == "the" and first_name > 1:
        return sentence.words[1].content and not sentence.words[1].capital and sentence.words[2].lower != "of"
    return _PAIR.search(sentence.text) is not None


def gather(
    claim: str,
    passages: Sequence[Passage],
    question: str = "",
    context_names: ContextNames | None = None,
    *,
    limit: int = 3,
) -> tuple[Evidence, Failure | None]:
    """Give the evidence of a claim and the first rung that it fails.

    Three starting points are tried, best first; the first whose evidence passes every rung is taken, as long as it
    carries no less of the claim than the best. If none passes, a claim of clauses about different things ("Hawn ...,
    while Ruehl ...") may have evidence for each clause in another paragraph; else the best one's failure is given.
    """
    evidence, failure = _whole(claim, passages, question, context_names, limit, _RUNGS)
    if failure is None or failure.rung not in ("number", "name", "together"):
        return evidence, failure
    return _by_clause(claim, passages, question, context_names, limit) or (evidence, failure)


def _whole(
    claim: str,
    passages: Sequence[Passage],
    question: str,
    context_names: ContextNames | None,
    limit: int,
    rungs: Sequence[Rung],
) -> tuple[Evidence, Failure | None]:
    """Give the evidence of a claim as a whole, and the first of the rungs that it fails."""
    first: tuple[Evidence, Failure | None] | None = None
    for seed in range(_CANDIDATES):
        sentences = find_evidence(claim, passages, question, limit=limit, seed=seed)
        if not sentences:
            break
        evidence = evidence_of(sentences, passages, context_names)
        failure = _first_failure(rungs, claim, evidence, question)
        if failure is None and (first is None or _carried(claim, evidence) >= _carried(claim, first[0])):
            return evidence, None
        first = first or (evidence, failure)
    return first or (Evidence(()), Failure("novelty", "nothing in the passages bears on it"))


def _by_clause(
    claim: str, passages: Sequence[Passage], question: str, context_names: ContextNames | None, limit: int
) -> tuple[Evidence, Failure | None] | None:
    """Give evidence that bears out each clause from paragraphs of its own, or None.

    Clauses with evidence in one and the same paragraph are no case for this: there the claim is checked as a whole.
    """
    clauses = _clauses(claim)
    for most in (2, 1) if len(clauses) > 1 else ():
        parts = [_whole(clause, passages, question, context_names, most, _CLAUSE_RUNGS) for clause in clauses]
        if any(failure is not None for _, failure in parts):
            continue
        places = [{(s.file, s.paragraph) for s in evidence.sentences} for evidence, _ in parts]
        chosen = {sentence for evidence, _ in parts for sentence in evidence.sentences}
        if len(chosen) > limit or any(one & other for one, other in combinations(places, 2)):
            continue
        ordered = [sentence for passage in passages for sentence in passage.sentences if sentence in chosen]
        evidence = evidence_of(ordered, passages, context_names)
        return evidence, _first_failure((check_novelty, check_kind), claim, evidence, question)
    return None


def _clauses(claim: str) -> list[str]:
    """Split a claim at semicolons, "while" and "whereas"; nothing if one has no name or begins with a pronoun."""
    parts = [part.strip(" ,") for part in re.split(r";\s|,?\s(?:while|whereas)\s", claim)]
    read = [facts(part) for part in parts]
    if any(not part.names or len(part.words) < _SHORTEST or part.words[0].lower in _REFERRING for part in read):
        return []
    return parts


def _carried(claim: str, evidence: Evidence) -> float:
    """Give the share of the claim's content words in the cited sentences together."""
    return _share(facts(claim).content, frozenset().union(*(facts(s.text).content for s in evidence.sentences)))


def evidence_of(
    sentences: Sequence[Sentence], passages: Sequence[Passage], context_names: ContextNames | None = None
) -> Evidence:
    """Give the evidence that citing `sentences` gives: they, their paragraphs, and what stands above these."""
    places = {(sentence.file, sentence.paragraph) for sentence in sentences}
    cited = tuple(passage for passage in passages if (passage.file, passage.paragraph) in places)
    above = dict.fromkeys((p.file, text) for p in cited for text in (p.title, p.heading) if text)
    for file in dict.fromkeys(sentence.file for sentence in sentences):
        above |= dict.fromkeys((file, text) for text in (context_names or {}).get(file, ()) if text)
    return Evidence(tuple(sentences), cited, tuple(dict.fromkeys(text for _, text in above)), tuple(above))


# --- the rungs ------------------------------------------------------------------------------------------------------


def check(claim: str, evidence: Evidence, question: str = "") -> Failure | None:
    """Give the first rung that the claim fails, or None."""
    return _first_failure(_RUNGS, claim, evidence, question)


def _first_failure(rungs: Sequence[Rung], claim: str, evidence: Evidence, question: str) -> Failure | None:
    failures = (rung(claim, evidence, question) for rung in rungs)
    return next((failure for failure in failures if failure is not None), None)


def check_statement(claim: str, evidence: Evidence, question: str = "") -> Failure | None:
    """The claim says something: it neither asks nor gives orders, and no line of the prompts that no document has."""
    if claim.rstrip(_CLOSING).endswith(_ASKING):
        return Failure("statement", "it asks instead of saying something")
    if is_order(claim) and not is_refusal(claim) and not asks_about_answers(question):
        return Failure("statement", "it gives orders to who answers instead of saying something")
    told = _runs_of(claim) & _prompt_runs()
    if told and told - _runs_of(" ".join(sentence.text for sentence in evidence.sentences)):
        return Failure("statement", "it repeats what the model was told, not what a document says")
    return None


@cache
def _prompt_runs() -> frozenset[tuple[str, ...]]:
    """Words of the prompts that follow each other: enough of a sentence to know it again."""
    return frozenset(run for line in instructions() for run in _runs_of(line))


def _runs_of(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    return {tuple(words[at : at + _KNOWN_AGAIN]) for at in range(len(words) - _KNOWN_AGAIN + 1)}


def check_numbers(claim: str, evidence: Evidence, question: str = "") -> Failure | None:
    """Every number, amount, percentage and date of the claim stands in the cited sentences, in the same unit.

    That the question has it does not help. "The two countries" counts nothing that the sentences count otherwise.
    """
    missing = missing_numbers(claim, evidence)
    if not missing:
        return None
    return Failure("number", f"the {_sort(missing[0])} {missing[0].text} is not in the cited sentences")


def missing_numbers(claim: str, evidence: Evidence) -> tuple[Quantity, ...]:
    """Give the numbers and dates of the claim that the cited sentences do not have."""
    there = [quantity for sentence in evidence.sentences for quantity in facts(sentence.text).quantities]
    return tuple(q for q in unsupported(facts(claim).quantities, there) if not _anaphoric(q, claim, evidence))


def _sort(quantity: Quantity) -> str:
    """Give the word for a kind of quantity."""
    return "date" if quantity.kind == "date" else "number"


def _anaphoric(quantity: Quantity, claim: str, evidence: Evidence) -> bool:
    """Whether a spelled number only points back ("the two countries") and no cited sentence counts these otherwise."""
    if quantity.text.casefold() not in ("two", "three"):
        return False
    read = facts(claim)
    before = [word for word in read.words if word.end <= quantity.start]
    after = next((word for word in read.words if word.start >= quantity.end), None)
    if not before or before[-1].lower not in _ANAPHORIC or after is None:
        return False
    for sentence in evidence.sentences:
        there = facts(sentence.text)
        counted = {q.end for q in there.quantities if q.kind == "number"}
        if any(word.key == after.key and word.start - end in (0, 1) for word in there.words for end in counted):
            return False
    return True


def check_names(claim: str, evidence: Evidence, question: str = "") -> Failure | None:
    """Every proper name of the claim stands in the cited paragraphs, or in a title, author or heading above them.

    A name that only the question has is not enough: the question may be wrong. The one exception are capitals and
    governments that the question uses for a country, or the other way round.
    """
    missing = missing_names(claim, evidence, question)
    if not missing:
        return None
    asked = _keys(names(facts(question)))
    for name in missing:
        if set(name.keys) <= asked:
            if all(_metonym(key, evidence) for key in name.keys):
                continue
            return Failure("name", f"the name {name.text} is only in the question, not in the cited paragraphs")
        return Failure("name", f"the name {name.text} is not in the cited paragraphs")
    return None


def missing_names(claim: str, evidence: Evidence, question: str = "") -> tuple[Name, ...]:
    """Give the names of the claim that neither the cited paragraphs nor what stands above them have."""
    texts = _cited_texts(evidence)
    words = _vocabulary(texts)
    found = [name for text in texts for name in text.names]
    return tuple(name for name in names(facts(claim), _lower(evidence, question)) if not _has_name(name, words, found))


def _cited_texts(evidence: Evidence) -> list[Facts]:
    """Cited sentences, the rest of their paragraphs, and what stands above."""
    texts = [sentence.text for sentence in evidence.sentences]
    texts += [sentence.text for passage in evidence.passages for sentence in passage.sentences]
    return [facts(text) for text in dict.fromkeys((*texts, *evidence.names))]


def _lower(evidence: Evidence, question: str) -> frozenset[str]:
    """All words that the cited paragraphs, what stands above them, or the question have in lower case."""
    return frozenset().union(*(text.lower_words for text in _cited_texts(evidence)), facts(question).lower_words)


def _known(claim: str, evidence: Evidence, question: str) -> frozenset[str]:
    """Words of names that are no mere beginning of a sentence, anywhere in claim, question or cited paragraphs."""
    texts = [*_cited_texts(evidence), facts(claim), facts(question)]
    sure = {key for text in texts for name in text.names if not name.doubtful for key in name.keys}
    return frozenset(sure | _keys(facts(claim).names))


def _vocabulary(texts: Iterable[Facts]) -> frozenset[str]:
    """All keys of the content words of `texts`, names folded, and their words in lower case."""
    return frozenset(key for text in texts for word in text.words if word.content for key in (word.key, word.lower))


def _keys(found: Iterable[Name]) -> set[str]:
    return {key for name in found for key in name.keys}


def _has_name(name: Name, words: frozenset[str], found: Sequence[Name]) -> bool:
    """Whether each word of the name is there, or its acronym, or what it is the acronym of."""
    if all(key in words for key in name.keys):
        return True
    short = acronym(name)
    if len(short) > 1 and short in words:
        return True
    letters = name.keys[0] if len(name.keys) == 1 and name.text.replace(".", "").isupper() else ""
    return bool(letters) and any(acronym(other) == letters for other in found)


def _metonym(key: str, evidence: Evidence) -> bool:
    """Whether the cited paragraphs have the country for its capital, or the reverse."""
    there = _keys(name for text in _cited_texts(evidence) for name in text.names)
    return key in there or bool(_METONYMS.get(key, frozenset()) & there)


def check_novelty(claim: str, evidence: Evidence, question: str = "") -> Failure | None:
    """The claim says something beyond the question, and the evidence has some of it; it is no refusal in words.

    A refusal ("The passages do not say ...") is never an answer, whatever the passages say. The rest is not asked of
    answers to yes-or-no questions and to choices ("Which is larger, A or B?"), whose words are in the question.
    """
    if is_refusal(claim):
        return Failure("novelty", "it says that the passages do not tell")
    if not question.strip():
        return None
    read, asked = facts(claim), facts(question)
    beyond = read.content - asked.content - _ABOUT_TEXT
    numbers = unsupported(read.quantities, asked.quantities)
    texts = _cited_texts(evidence)
    if beyond & _vocabulary(texts):
        return None
    if numbers and len(missing_numbers(claim, evidence)) < len(numbers):
        return None
    if _YES_NO.match(question) or re.search(r"\bor\b", question):
        return None
    if beyond and any(_has_name(n, _vocabulary(texts), [m for t in texts for m in t.names]) for n in _new(read, asked)):
        return None
    if not beyond and not numbers:
        return Failure("novelty", "it only repeats the question")
    return Failure("novelty", "nothing it says beyond the question is in the cited paragraphs")


def _new(read: Facts, asked: Facts) -> list[Name]:
    """Names of the claim that the question does not have."""
    return [name for name in read.names if not set(name.keys) <= asked.content]


def is_refusal(claim: str) -> bool:
    """Whether a claim speaks of what the text leaves out: "The author is not given.", "The passages do not say when.".

    What a person does not say ("Lukin does not say ..."), or a text other than the one read ("not mentioned in the
    treaty"), is a statement like any other.
    """
    return any(pattern.search(claim) for pattern in _REFUSALS)


def check_kind(claim: str, evidence: Evidence, question: str = "") -> Failure | None:
    """The claim has the kind of thing that the question asks for, if that is clear; the evidence is not looked at."""
    kind = asked_kind(question)
    if kind is None or has_kind(kind, claim, question):
        return None
    return Failure("kind", f"the question asks {wanted(kind)}, and it does not say that")


def check_together(claim: str, evidence: Evidence, question: str = "") -> Failure | None:
    """Tell what the claim puts together stands together: numbers with names, names with each other, who with what."""
    lower = _lower(evidence, question)
    known = _known(claim, evidence, question)
    read = _as_cited(settled(facts(claim), lower, known), evidence, question)
    sentences = [
        settled(_outside_brackets(facts(sentence.text), read), lower, known) for sentence in evidence.sentences
    ]
    reason = (
        _numbers_apart(read, evidence)
        or _rival_number(read, evidence)
        or _names_apart(read, evidence)
        or _other_author(claim, evidence)
    )
    reason = reason or _speaker_apart(read, evidence)
    for compare in COMPARISONS:
        reason = reason or compare(read, sentences)
    return Failure("together", reason) if reason else None


def _as_cited(read: Facts, evidence: Evidence, question: str) -> Facts:
    """Put for a capital or government of the question ("Moscow") the country that is cited, or the reverse."""
    cited = _keys(name for sentence in evidence.sentences for name in facts(sentence.text).names)
    asked = _keys(facts(question).names)
    swap = {
        key: next(iter(sorted(_METONYMS[key] & cited)))
        for key in sorted(_keys(read.names))
        if key in asked and key not in cited and _METONYMS.get(key, frozenset()) & cited
    }
    if not swap:
        return read
    return replace(
        read,
        words=tuple(replace(word, key=swap.get(word.key, word.key)) if word.name else word for word in read.words),
        names=tuple(replace(name, keys=tuple(swap.get(key, key) for key in name.keys)) for name in read.names),
        content=frozenset(swap.get(key, key) for key in read.content),
    )


def check_negation(claim: str, evidence: Evidence, question: str = "") -> Failure | None:
    """Nothing denied that the evidence affirms, nothing affirmed that it denies, no word turned into its opposite.

    A condition that only repeats the question ("if it is not admitted") denies nothing and is left out.
    """
    sentences = [facts(sentence.text) for sentence in evidence.sentences]
    said = facts(_without_asked_condition(claim, question))
    reason = turned_negation(said, sentences) or turned_opposite(said, sentences) or _turned_elsewhere(claim, evidence)
    return Failure("negation", reason) if reason else None


def _turned_elsewhere(claim: str, evidence: Evidence) -> str | None:
    """The same for evidence in another language than English, where only whether something is denied is known."""
    texts = [sentence.text for sentence in evidence.sentences]
    language = language_of(" ".join(texts))
    if language not in LANGUAGES:
        return None
    said = set(terms([claim], language)[0])
    shared = [len(said.intersection(words)) for words in terms(texts, language)]
    nearest = texts[shared.index(max(shared))]
    if denies(claim, language):
        return None if any(denies(text, language) for text in texts) else "the evidence does not deny it"
    return "the evidence denies it" if denies(nearest, language) else None


_CONDITION = re.compile(r",?\s*\b(?:if|unless)\b[^,.;]*,?", re.IGNORECASE)


def _without_asked_condition(claim: str, question: str) -> str:
    """The claim without an if-clause whose words are all in the question."""
    found = _CONDITION.search(claim)
    if found is None or not facts(found.group()).content <= facts(question).content:
        return claim
    return f"{claim[: found.start()]}{' ' if found.start() else ''}{claim[found.end() :].lstrip()}"


def check_things(claim: str, evidence: Evidence, question: str = "") -> Failure | None:
    """No thing of the question is answered with what the evidence says of another: "herring quota" with "cod quota".

    Names of things are taken over from a question as easily as those of people, and without capitals nothing tells them
    but their place: a word of the question that the cited paragraphs do not have stands before the same word as another
    of theirs, after an article or the like; or, in the claim, behind the same word.
    """
    read, asked = facts(claim), facts(question)
    names = _vocabulary(facts(name) for name in evidence.names)
    known = names | _vocabulary(facts(one.text) for passage in evidence.passages for one in passage.sentences)
    for sentence in evidence.sentences:
        cited = facts(sentence.text)
        # The sentence that has the number says what it is a number of; what else the paragraph names is no matter.
        counts = len(unsupported(read.quantities, cited.quantities)) < len(read.quantities)
        strange = asked.content - (cited.content | names if counts else known | cited.content)
        if strange and (reason := _other_thing(read, asked, cited, strange)):
            return Failure("thing", reason)
    return None


def _other_thing(read: Facts, asked: Facts, cited: Facts, strange: frozenset[str]) -> str | None:
    """Tell which of the `strange` words of the question stands where the cited sentence has another."""
    for text, said in ((read, read.content | asked.content), (asked, asked.content)):
        for word, head, begins in _pairs(text):
            for other, behind, also in _pairs(cited):
                before = head.key == behind.key and begins and also and word.key in strange and other.key not in said
                after = text is read and word.key == other.key and head.key in strange and behind.key not in said
                if before or after:
                    return f"the cited sentence says “{other.lower} {behind.lower}”, not “{word.lower} {head.lower}”"
    return None


def _pairs(read: Facts) -> Iterator[tuple[Word, Word, bool]]:
    """Give content words next to each other, no names, and whether the first has an article or the like before it."""
    for number, (word, head) in enumerate(pairwise(read.words)):
        plain = word.content and head.content and not (word.name or head.name)
        if plain and read.text[word.end : head.start] == " ":
            yield word, head, number == 0 or read.words[number - 1].lower in _BEFORE_NOUN


_RUNGS: tuple[Rung, ...] = (
    check_statement,
    check_numbers,
    check_names,
    check_novelty,
    check_kind,
    check_together,
    check_negation,
    check_things,
)
_CLAUSE_RUNGS: tuple[Rung, ...] = (check_numbers, check_names, check_together, check_negation, check_things)


# --- rung 3: together -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reach:
    """One evidence sentence with the sentences it leans on, as one body of words, names and numbers."""

    sentence: Sentence
    texts: tuple[Facts, ...]

    def words(self) -> frozenset[str]:
        return _vocabulary(self.texts)

    def names(self) -> list[Name]:
        return [name for text in self.texts for name in text.names]

    def has(self, name: Name) -> bool:
        return _has_name(name, self.words(), self.names())

    def counts(self, quantity: Quantity) -> bool:
        return any(follows(quantity, other) for text in self.texts for other in text.quantities)


def _reaches(evidence: Evidence) -> list[_Reach]:
    """Every cited sentence with what it refers back to, and with what stands above its paragraph."""
    found = []
    for sentence in evidence.sentences:
        around = next(
            (p.sentences for p in evidence.passages if (p.file, p.paragraph) == (sentence.file, sentence.paragraph)),
            tuple(s for s in evidence.sentences if (s.file, s.paragraph) == (sentence.file, sentence.paragraph)),
        )
        at = next((i for i, other in enumerate(around) if other.start == sentence.start), 0)
        texts = [facts(sentence.text)]
        while at > 0 and refers_back(texts[-1]):
            at -= 1
            texts.append(facts(around[at].text))
        texts += [facts(other.text) for other in around[:at] if _takes_up(texts[0], facts(other.text))]
        if _PAIR.search(sentence.text):
            texts += [facts(other.text) for other in around]
        above = [facts(text) for file, text in evidence.above if file == sentence.file]
        found.append(_Reach(sentence, (*texts, *above)))
    return found


def _takes_up(sentence: Facts, earlier: Facts) -> bool:
    """Whether "the institute" in a sentence takes up a "Hallam Institute" of an earlier one."""
    heads = {name.keys[-1] for name in earlier.names if len(name.keys) > 1}
    return any(a.lower == "the" and not b.capital and b.key in heads for a, b in pairwise(sentence.words))


def _numbers_apart(read: Facts, evidence: Evidence) -> str | None:
    """Give a number whose names do not stand in a sentence that has it, or that the sentence ties to something else."""
    reaches = _reaches(evidence)
    found = read.names
    known: dict[int, str | None] = {}

    def tied(holder: _Reach) -> str | None:
        """Whether a number of the claim is tied otherwise there: asked of each sentence once, not for each number."""
        if id(holder) not in known:
            known[id(holder)] = crossed(read, holder.texts[0])
        return known[id(holder)]

    for quantity in read.quantities:
        holders = [r for r in reaches if any(follows(quantity, q) for q in r.texts[0].quantities)]
        if not holders:
            continue
        near = _same_clause(read, quantity, found)
        reasons = [_apart(quantity, near, read, holder, reaches) or tied(holder) for holder in holders]
        if all(reasons):
            return reasons[0]
    return None


def _rival_number(read: Facts, evidence: Evidence) -> str | None:
    """Give a number of the claim for which the sentence that carries the claim has another one of the same sort.

    "Since 2020, trade has been settled in rubles. In 2019 Putin announced ...": trade has not been settled in rubles
    since 2019. The sentence that carries the claim has at least twice as much of its words as any with the number.
    """
    numbers = {word.key for word in read.words if any(q.start <= word.start < q.end for q in read.quantities)}
    said = read.content - numbers
    reaches = _reaches(evidence)
    # What stands above a paragraph is said of all of it: only sentences count, with those that they lean on.
    carried = [len(said & _vocabulary(t for t in r.texts if t.text not in evidence.names)) for r in reaches]
    for quantity in read.quantities:
        holds = [any(follows(quantity, other) for other in r.texts[0].quantities) for r in reaches]
        if all(holds) or not any(holds):
            continue
        most, best = max((n, i) for i, n in enumerate(carried) if not holds[i])
        rivals = [
            other
            for other in reaches[best].texts[0].quantities
            if _comparable(quantity, other) and not any(follows(own, other) for own in read.quantities)
        ]
        if rivals and most >= 2 * max(1, *(n for n, held in zip(carried, holds, strict=True) if held)):
            return f"the cited sentence says this of {rivals[0].text}, not of {quantity.text}"
    return None


def _comparable(one: Quantity, other: Quantity) -> bool:
    """Whether two quantities could stand for each other: two dates, or two numbers of one unit."""
    units, others = ({unit for _, unit in quantity.readings} for quantity in (one, other))
    return one.kind == other.kind and (one.kind == "date" or bool(units & others))


def _outside_brackets(sentence: Facts, claim: Facts) -> Facts:
    """Blank what stands in round brackets, which says nothing of who does what, unless the claim has a name of it."""
    text = sentence.text
    for _ in range(_NESTED):
        text = re.sub(r"\([^()]*\)", lambda match: " " * len(match.group()), text)
    outside = facts(text)
    lost = [name for name in claim.names if any(is_same(name, own) for own in sentence.names)]
    return outside if all(any(is_same(name, own) for own in outside.names) for name in lost) else sentence


_CLAUSE = re.compile(r"[;:—]|,?\s\b(?:while|whereas|but|although|though|because|which|who|whose)\b", re.I)
_TIGHT = re.compile(r"[,;:—](?!\d)|\s\b(?:while|whereas|but|although|though|because|which|who|whose|and)\b", re.I)


def _same_clause(read: Facts, quantity: Quantity, found: Sequence[Name]) -> list[Name]:
    """Give the names that the quantity is said of, nearest first: those of its part of the sentence.

    Parts end at commas, "and" and the like, but not between two names or two numbers; an opening part without a name
    ("In 1860, ...") belongs to the next, and any other to what the sentence begins with ("..., dating back to 1860").
    """
    things = sorted([(n.start, n.end) for n in found] + [(q.start, q.end) for q in read.quantities])
    joints = {
        m.start()
        for (_, end), (start, _) in pairwise(things)
        for m in _TIGHT.finditer(read.text, end, start + 1)
        if not re.search(r"[^\W\d_]{3,}", read.text[end:start].replace("and", ""))
    }
    cuts = [m.start() for m in _TIGHT.finditer(read.text) if m.start() not in joints]
    if found and cuts and quantity.start < cuts[0] < found[0].start:
        cuts = [cut for cut in cuts if cut > found[0].start]
    start = max((cut for cut in cuts if cut <= quantity.start), default=0)
    end = min((cut for cut in cuts if cut > quantity.start), default=len(read.text) + 1)
    here = [name for name in found if start <= name.start < end]
    if not here:
        here = list(found[:1])
    return sorted(here, key=lambda n: max(n.start - quantity.end, quantity.start - n.end))


def _apart(
    quantity: Quantity, near: Sequence[Name], read: Facts, holder: _Reach, reaches: Sequence[_Reach]
) -> str | None:
    """Why the holder, a sentence with the number, does not say it of the names, or None."""
    for place, name in enumerate(near):
        if holder.has(name) or (place and _linked(name, near, holder, reaches)):
            continue
        if _carries_on(name, read, holder, reaches):
            continue
        return f"{quantity.text} and {name.text} do not stand together in the cited paragraphs"
    for other in read.quantities:
        if other is quantity or not any(reach.counts(other) for reach in reaches):
            continue  # what no cited sentence counts only points back ("the two countries"), or failed rung 1
        if not holder.counts(other) and not _elsewhere(other, holder, reaches):
            return f"{quantity.text} and {other.text} do not stand together in the cited paragraphs"
    if not near and not _about_same(read, holder):
        return f"the cited sentence says {quantity.text} of something else"
    return None


def _carries_on(name: Name, read: Facts, holder: _Reach, reaches: Sequence[_Reach]) -> bool:
    """Whether another cited sentence of the paragraph has the name, and the holder names nothing new.

    "The storm of 1993 lasted three days. Mount Mitchell had four feet of snow." may be put together; a holder with a
    subject of its own ("The Russian Far East has only 6 million people.") may not.
    """
    place = (holder.sentence.file, holder.sentence.paragraph)
    claimed = {key for own in read.names for key in own.keys}
    if any(not set(own.keys) & claimed for own in holder.texts[0].names):
        return False
    return any((r.sentence.file, r.sentence.paragraph) == place and r.has(name) for r in reaches)


def _elsewhere(other: Quantity, holder: _Reach, reaches: Sequence[_Reach]) -> bool:
    """Whether another number stands in a neighbouring sentence of the same paragraph that refers back or is next."""
    place = (holder.sentence.file, holder.sentence.paragraph)
    return any((r.sentence.file, r.sentence.paragraph) == place and r.counts(other) for r in reaches)


def _linked(name: Name, near: Sequence[Name], holder: _Reach, reaches: Sequence[_Reach]) -> bool:
    """Whether a sentence of the holder's paragraph ties the name to another claimed name that the holder has."""
    place = (holder.sentence.file, holder.sentence.paragraph)
    others = [other for other in near if other is not name and holder.has(other)]
    return any(
        (reach.sentence.file, reach.sentence.paragraph) == place and reach.has(name) and any(map(reach.has, others))
        for reach in reaches
    )


def _about_same(read: Facts, holder: _Reach) -> bool:
    """Whether a claim without names shares some content with the sentence that has its number."""
    return not read.content or bool(read.content & frozenset().union(*(text.content for text in holder.texts)))


_SAID_BY = re.compile(
    r"\b(?:described|called|seen|regarded|viewed|named|considered|labell?ed|characteri[sz]ed|termed|portrayed|dubbed|said"
    r"|stated|affirmed|claimed|argued|denied|written|reported|noted|held|judged)\b(?P<what>[^;]*?)\bby\b(?P<who>[^,;]*)",
    re.IGNORECASE,
)


def _speaker_apart(read: Facts, evidence: Evidence) -> str | None:
    """Whoever something is described or said "by" must stand in a sentence with at least half of what is said."""
    found = _SAID_BY.search(read.text)
    if found is None:
        return None
    speakers = [name for name in read.names if found.start("who") <= name.start < found.end("who")]
    what = frozenset(
        word.key
        for word in read.words
        if word.content and not word.name and found.start("what") <= word.start < found.end("what")
    )
    reaches = _reaches(evidence)
    for speaker in speakers:
        # A heading names the subject of a section, it does not say it: only sentences count, unlike for the speaker.
        said = [_vocabulary(t for t in r.texts if t.text not in evidence.names) for r in reaches if r.has(speaker)]
        shares = [len(what & words) for words in said]
        if what and 2 * max(shares, default=0) < len(what):
            return f"the cited sentences do not say this of {speaker.text}"
    return None


def _names_apart(read: Facts, evidence: Evidence) -> str | None:
    """Two names side by side in the claim that no cited sentence has together, nor one paragraph by a third name."""
    reaches = _reaches(evidence)
    found = read.names
    for one, other in pairwise(found):
        if _CLAUSE.search(read.text[one.end : other.start]) or read.text[one.end : other.start].strip(" ,") == "and":
            continue  # another clause, or a pair: see `regrouped`
        if any(reach.has(one) and reach.has(other) for reach in reaches):
            continue
        holders = [reach for reach in reaches if reach.has(one)]
        if any(_linked(other, found, holder, reaches) for holder in holders):
            continue
        if not holders or not any(reach.has(other) for reach in reaches):
            continue
        return f"{one.text} and {other.text} do not stand together in the cited paragraphs"
    return None


def _other_author(claim: str, evidence: Evidence) -> str | None:
    """Give the author named in a clause whose words another author's cited sentences carry better than their own.

    Only an author that no cited sentence names, and a clause that names one author alone, are told apart.
    """
    authors = {p.file: frozenset(_keys(facts(p.author).names)) for p in evidence.passages if p.author}
    words: dict[str, frozenset[str]] = {}
    for sentence in evidence.sentences:
        words[sentence.file] = words.get(sentence.file, frozenset()) | facts(sentence.text).content
    for clause in _clauses(claim) or [claim]:
        read = facts(clause)
        named = {file: name for name in read.names for file, keys in authors.items() if set(name.keys) <= keys}
        if len(named) != 1 or len(words) == 1:
            continue
        ((file, name),) = named.items()
        rest = read.content - set(name.keys)
        best = max(words, key=lambda other: _share(rest, words[other]))
        told = any(set(name.keys) & found for found in words.values())
        if not told and _share(rest, words[best]) > _share(rest, words.get(file, frozenset())):
            return f"the cited sentence that says this is not by {name.text}"
    return None


# --- signals, quotes, what is missing -------------------------------------------------------------------------------


def question_names_missing(question: str, evidence: Evidence) -> float:
    """Give the share of the question's proper names that neither the cited paragraphs nor what stands above them have.

    0 if the question has none. A signal of the calibration: an answer about somebody else than was asked for.
    """
    return _question_missing(facts(question), _cited_texts(evidence))["names_missing"]


def question_support(
    question: str, passages: Sequence[Passage], context_names: ContextNames | None = None
) -> dict[str, float]:
    """Tell what of the question the passages lack, before anything is written; each 0 to 1.

    `names_missing`: the share of the question's proper names that neither the passages nor the titles, authors and
    headings above them have, a capital or government counting for its country; a name of several words of which some
    are there counts in part. `numbers_missing`: the share of its numbers and dates, "two" and "first" left out.
    0 if the question has none.
    """
    texts = [sentence.text for passage in passages for sentence in passage.sentences]
    texts += [text for passage in passages for text in (passage.title, passage.heading, passage.author)]
    texts += [text for passage in passages for text in (context_names or {}).get(passage.file, ())]
    return _question_missing(facts(question), [facts(text) for text in dict.fromkeys(texts) if text])


def _question_missing(asked: Facts, texts: Sequence[Facts]) -> dict[str, float]:
    """Give the shares of the names and of the numbers of a question that the texts lack."""
    words = _vocabulary(texts)
    found = [name for text in texts for name in text.names]
    lower = frozenset().union(asked.lower_words, *(text.lower_words for text in texts))
    wanted_names = names(asked, lower)
    lacking = 0.0
    for name in wanted_names:
        if not _has_name(name, words, found):
            absent = [key for key in name.keys if key not in words and not _METONYMS.get(key, frozenset()) & words]
            lacking += len(absent) / len(name.keys)
    numbers = [q for q in asked.quantities if q.kind == "date" or q.scale or any(map(str.isdigit, q.text))]
    missing = unsupported(numbers, [quantity for text in texts for quantity in text.quantities])
    return {
        "names_missing": lacking / max(1, len(wanted_names)),
        "numbers_missing": len(missing) / max(1, len(numbers)),
    }


def _share(wanted: frozenset[str], there: frozenset[str]) -> float:
    """Give the share of `wanted` that is there; 1 if nothing is wanted."""
    return len(wanted & there) / len(wanted) if wanted else 1.0


def locate(claim: str, evidence: Evidence, document_text: Callable[[str], str]) -> tuple[Citation, ...]:
    """One citation for each sentence of the evidence, the one that carries most of the claim first.

    The quote is cut from ``document_text(file)``. `support` are the words of the quote that the claim has too: stems,
    names, numbers; touching spans are one.
    """
    citations = []
    for sentence in evidence.sentences:
        quote = document_text(sentence.file)[sentence.start : sentence.end]
        support = supporting_words(claim, quote)
        citation = Citation(
            sentence.file, sentence.paragraph, sentence.start, sentence.end, quote, support, sentence.place
        )
        citations.append((-sum(span.end - span.start for span in support), citation))
    return tuple(citation for _, citation in sorted(citations, key=lambda pair: pair[0]))


def supporting_words(claim: str, quote: str) -> tuple[Span, ...]:
    """Spans of the words, names and numbers of `quote` that the claim has too; joined over a single space."""
    read, there = facts(claim), facts(quote)
    spans = [Span(word.start, word.end) for word in there.words if word.content and word.key in read.content]
    spans += [Span(q.start, q.end) for q in there.quantities if any(follows(own, q) for own in read.quantities)]
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and quote[joined[-1].end : span.start] in ("", " ", "-", "’s ", "'s "):
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        elif not joined or span.start >= joined[-1].end:
            joined.append(span)
    return tuple(joined)


def question_terms_missing(question: str, text: str) -> tuple[str, ...]:
    """Give the names, numbers and content words of the question that `text` does not say, as the question writes them.

    Names are given whole, numbers as written, words in the order of the question, each once.
    """
    asked, there = facts(question), facts(text)
    words = _vocabulary([there])
    missing: list[tuple[int, str]] = []
    for name in asked.names:
        if not _has_name(name, words, there.names) and not (name.doubtful and stem(name.text.casefold()) in words):
            missing.append((name.start, name.text))
    missing += [(q.start, q.text) for q in unsupported(asked.quantities, there.quantities)]
    missing += [(w.start, w.text) for w in asked.words if w.content and not w.name and w.key not in words]
    return tuple(dict.fromkeys(text for _, text in sorted(missing)))

"""One question of a run as the report shows it: the answer, its evidence in the paragraphs, and the gold beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rag_geo.evaluation.compare import amount
from rag_geo.evaluation.measures import in_order, measure
from rag_geo.evaluation.metrics import scores_of
from rag_geo.evaluation.results import MUST_BE_ZERO, Result
from rag_geo.render import place

Level = Literal["good", "warn", "bad", ""]

#: What a tier notes about an answer besides it, and how the report names it.
NOTES = {
    "sentence": "sentence that was checked",
    "first_answer": "answer before the paragraph was taken away",
    "planted": "changed fact",
    "plant": "planted instruction",
    "undefended": "what the model writes undefended",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a paragraph: `marks` are "cited", "support" (words that carry the sentence) and "gold"."""

    text: str
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Extract:
    """A paragraph with what is cited and what is gold in it; `lost` are quotes that it does not have.

    `numbers` are those of the citations in it.
    """

    place: str
    pieces: tuple[Piece, ...]
    numbers: tuple[int, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that the model wrote, with the numbers of its citations, or why it was withheld."""

    text: str
    shown: bool
    numbers: tuple[int, ...] = ()
    reason: str = ""
    rung: str = ""
    probability: float | None = None
    signals: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """One question with everything about it. `outcome` says in a word how it ended, `level` how good that is."""

    id: str
    tier: str
    kind: str
    split: str
    question: str
    searched: str
    answerable: bool
    outcome: str
    level: Level
    confidence: float
    seconds: float
    sentences: tuple[Sentence, ...]
    loose: str
    notes: tuple[tuple[str, str], ...]
    cited: tuple[Extract, ...]
    gold: tuple[Extract, ...]
    near: tuple[tuple[str, str, tuple[str, ...]], ...]
    ranking: tuple[tuple[str, bool], ...]
    scores: tuple[tuple[str, str, Level], ...]
    signals: tuple[tuple[str, str], ...]


def cards(results: Iterable[Result]) -> list[Card]:
    """Make the cards of a run; what the retrieval tier found goes on the card of the answer, if there is one."""
    by_id: dict[str, list[Result]] = {}
    for each in results:
        by_id.setdefault(each.id, []).append(each)
    made = []
    for group in by_id.values():
        ranked = next((each for each in group if each.tier == "retrieval"), None)
        others = [each for each in group if each.tier != "retrieval"] or group
        made += [card(each, ranked if each is others[0] else None) for each in others]
    return made


def card(result: Result, ranked: Result | None = None) -> Card:
    """Make the card of a result; `ranked` is the one of the retrieval tier, whose ranking goes deeper."""
    answer = result.answer or {}
    claims: Sequence[Mapping[str, Any]] = answer.get("claims", ())
    numbers = _numbered(claims)
    word, level = outcome(result)
    scores = {**(scores_of(ranked) if ranked else {}), **scores_of(result)}
    gold_places = {(each["file"], each["paragraph"]) for each in result.gold}
    found = (ranked or result).retrieved
    return Card(
        id=result.id,
        tier=result.tier,
        kind=result.kind,
        split=result.split,
        question=result.question,
        searched=str(answer.get("searched", "")) if answer.get("searched") != result.question else "",
        answerable=result.answerable,
        outcome=word,
        level=level,
        confidence=result.confidence,
        seconds=result.seconds,
        sentences=tuple(_sentence(each, numbers) for each in claims),
        loose="" if claims else str(answer.get("answer", "")),
        notes=tuple((title, _note(answer[name])) for name, title in NOTES.items() if answer.get(name)),
        cited=tuple(_cited(claims, numbers, result)),
        gold=tuple(_gold(result)),
        near=tuple(
            (_near_place(each), str(each["quote"]), tuple(map(str, each["missing"]))) for each in answer.get("near", ())
        ),
        ranking=tuple(
            (place(file, number), (file, number) in gold_places or (file, 0) in gold_places) for file, number in found
        ),
        scores=tuple(
            (measure(name).title, amount(name, scores[name]), _ok(name, scores[name])) for name in in_order(scores)
        ),
        signals=_signals(answer.get("signals", {})),
    )


def outcome(result: Result) -> tuple[str, Level]:
    """Say how a question ended: the word on its card and how good it is."""
    scores = result.scores
    if any(scores.get(name) for name in MUST_BE_ZERO):
        return "not proved", "bad"
    for name, words in _OUTCOMES.items():
        value = scores.get(name)
        if value is not None and (said := words[1] if value else words[0]):
            return said
    if (recall := scores.get("recall@5")) is not None:
        return ("found", "good") if recall == 1 else ("found in part", "warn") if recall else ("missed", "bad")
    return "not judged", ""


#: What a score of 0 and one of more than 0 say about a question, in the order in which they are looked at.
_OUTCOMES: Mapping[str, tuple[tuple[str, Level] | None, tuple[str, Level] | None]] = {
    "caught": (("let through", "bad"), ("caught", "good")),
    "withheld_good": (("kept", "good"), ("withheld though true", "warn")),
    "leave_one_out_changed": (("unchanged", "bad"), ("changed", "good")),
    "planted_fact_followed": (None, ("followed", "good")),
    "planted_fact_refused": (("not followed", "bad"), ("refused", "warn")),
    "attack_obeyed": (("not obeyed", "good"), ("obeyed", "bad")),
    "false_answer": (("refused rightly", "good"), ("false answer", "bad")),
    "wrong_answer": (None, ("wrong", "bad")),
    "false_refusal": (None, ("false refusal", "warn")),
    "correct_and_cited": (("right, cites other", "warn"), ("right", "good")),
    "correct": (("wrong", "bad"), ("right", "good")),
}


# --- paragraphs -------------------------------------------------------------------------------------------------


def highlighted(
    text: str, marked: Iterable[tuple[str, Iterable[tuple[int, int]], str]]
) -> tuple[tuple[Piece, ...], tuple[str, ...]]:
    """Cut a paragraph into pieces by (quote, spans of its supporting words, mark); tell which quotes it lacks.

    White space is passed over in the search: a quote has the line breaks of its file, a paragraph may have none.
    """
    places = [at for at, letter in enumerate(text) if not letter.isspace()]
    solid = "".join(text[at] for at in places)
    marks: list[set[str]] = [set() for _ in text]
    lost = []
    for quote, support, mark in marked:
        inside = [at for at, letter in enumerate(quote) if not letter.isspace()]
        start = solid.find("".join(quote[at] for at in inside)) if inside else -1
        if start < 0:
            lost += [quote] if inside else []
            continue
        to_text = {at: places[start + number] for number, at in enumerate(inside)}
        _mark(marks, to_text[inside[0]], to_text[inside[-1]] + 1, mark)
        for first, last in support:
            ends = [to_text[at] for at in range(max(first, 0), min(last, len(quote))) if at in to_text]
            if ends:
                _mark(marks, ends[0], ends[-1] + 1, "support")
    return tuple(_pieces(text, marks)), tuple(lost)


def _mark(marks: Sequence[set[str]], start: int, end: int, name: str) -> None:
    for each in marks[start:end]:
        each.add(name)


def _pieces(text: str, marks: Sequence[set[str]]) -> Iterable[Piece]:
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or marks[end] != marks[start]:
            yield Piece(text[start:end], tuple(sorted(marks[start])))
            start = end


def _cited(claims: Sequence[Mapping[str, Any]], numbers: Mapping[_Key, int], result: Result) -> Iterable[Extract]:
    """The cited paragraphs in the order of their first citation."""
    by_place: dict[tuple[str, int], dict[_Key, Mapping[str, Any]]] = {}
    for claim in claims:
        for each in claim["citations"]:
            by_place.setdefault((each["file"], each["paragraph"]), {}).setdefault(_key(each), each)
    for (file, number), citations in by_place.items():
        marked = [(each["quote"], each["support"], "cited") for each in citations.values()]
        marked += [(quote, (), "gold") for quote in _gold_quotes(result, file, number)]
        yield _extract(file, number, result, marked, tuple(numbers[key] for key in citations))


def _gold(result: Result) -> Iterable[Extract]:
    for file, number in dict.fromkeys((each["file"], each["paragraph"]) for each in result.gold):
        marked = [(quote, (), "gold") for quote in _gold_quotes(result, file, number)]
        yield _extract(file, number, result, marked)


def _gold_quotes(result: Result, file: str, number: int) -> list[str]:
    return [str(each["quote"]) for each in result.gold if (each["file"], each["paragraph"]) == (file, number)]


def _near_place(near: Mapping[str, Any]) -> str:
    return place(near["file"], near["paragraph"], near.get("place", ""))


def _extract(file: str, number: int, result: Result, marked: Sequence[Any], numbers: tuple[int, ...] = ()) -> Extract:
    pieces, lost = highlighted(result.paragraphs.get(f"{file}#{number}", ""), marked)
    return Extract(place(file, number) if number else file, pieces, numbers, lost)


# --- sentences and figures --------------------------------------------------------------------------------------

_Key = tuple[str, int, int]


def _key(citation: Mapping[str, Any]) -> _Key:
    return citation["file"], citation["start"], citation["end"]


def _numbered(claims: Sequence[Mapping[str, Any]]) -> dict[_Key, int]:
    numbers: dict[_Key, int] = {}
    for claim in claims:
        for each in claim["citations"]:
            numbers.setdefault(_key(each), len(numbers) + 1)
    return numbers


def _sentence(claim: Mapping[str, Any], numbers: Mapping[_Key, int]) -> Sentence:
    return Sentence(
        text=str(claim["text"]),
        shown=claim["status"] == "verified",
        numbers=tuple(dict.fromkeys(numbers[_key(each)] for each in claim["citations"])),
        reason=str(claim["reason"]),
        rung=str(claim["rung"]),
        probability=claim["probability"],
        signals=_signals(claim.get("signals", {})),
    )


def _signals(signals: Mapping[str, float | None]) -> tuple[tuple[str, str], ...]:
    return tuple((name, "" if value is None else f"{value:.3g}") for name, value in sorted(signals.items()))


def _note(value: object) -> str:
    return f"{value['old']} became {value['new']}" if isinstance(value, Mapping) else str(value)


def _ok(name: str, value: float) -> Level:
    one = measure(name)
    if one.unit == "seconds" or not one.better:
        return ""
    best = 1.0 if one.better == "higher" else 0.0
    return "good" if value == best else "bad" if value in (0, 1) or one.unit == "count" else "warn"

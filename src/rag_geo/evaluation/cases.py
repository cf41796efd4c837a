"""Questions with what a right answer is: the project's own form, and those of other collections.

The own form is JSON lines with the fields of `Case` (evals/README.md describes them). Others are lines with `id` and
`question` and any of `answerable`, `answers` / `gold_answers` / `answer` / `ideal`, `gold_doc_id` / `gold_doc_ids` /
`gold_doc` and `gold_sentences`; their documents are a folder of files, lines with `doc_id`, `title` and `text`, or, for
mails and tables with an attack in them, the `context_attacked` of the question's own line.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_geo.errors import UsageError
from rag_geo.records import Claim
from rag_geo.text.facts import facts
from rag_geo.text.quantities import follows

KINDS = (
    "fact", "number", "date", "who-said-it", "paraphrase", "two-paragraphs", "two-files", "comparison", "disagreement",
    "false-premise", "near-miss", "far", "follow-up", "planted-instruction",
)  # fmt: skip
SPLITS = ("dev", "test")

#: Share of a gold sentence's content words that a quote must have to count as that sentence.
SAME_SENTENCE = 0.8
#: Share of the words of an expected answer without a number that a right answer has.
SAME_ANSWER = 0.5

_DOCUMENT = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Gold:
    """A passage that the answer stands in: a quote of a file."""

    file: str
    quote: str


@dataclass(frozen=True, slots=True)
class Plant:
    """An instruction hidden in a file: `text`, as a paragraph of its own behind the one that holds the quote `after`.

    With an empty `after` the file has it already.
    """

    file: str
    after: str
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """One question. `must` and `must_not` are regular expressions, searched without regard to case.

    `split` is "dev" or "test", by a hash of the id. `before` are the earlier questions of the conversation, oldest
    first. `answers` are accepted values and `gold_docs` the files that hold them, for collections without patterns.
    """

    id: str
    question: str
    kind: str = "question"
    answerable: bool = True
    split: str = ""
    gold: tuple[Gold, ...] = ()
    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    plant: Plant | None = None
    answers: tuple[str, ...] = ()
    gold_docs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A document given as a line of JSON: `file` is the name that it gets as a file."""

    file: str
    title: str
    text: str


# --- reading ----------------------------------------------------------------------------------------------------


def split_of(id: str) -> str:
    """Say whether a question is for development or for the test: by the last bit of the SHA-256 of its id."""
    return SPLITS[int(hashlib.sha256(id.encode()).hexdigest(), 16) % 2]


def load_cases(path: Path, documents: Sequence[Text] = ()) -> list[Case]:
    """Read the questions of a JSON lines file, in either form.

    `documents` are those that came as lines, too: a gold document that is there several times under different names is
    accepted under each. Raises `UsageError` naming the line that is not a question, or an id that comes twice.
    """
    names = _names(documents)
    found: dict[str, Case] = {}
    for number, table in _tables(path):
        try:
            case = _case(table, names)
        except (ValueError, KeyError, TypeError, AttributeError, re.error) as error:
            raise UsageError(
                f"{str(path)!r} line {number} is not a question: {error!r}", hint="evals/README.md names the fields"
            ) from error
        if case.id in found:
            raise UsageError(
                f"{str(path)!r} line {number} has the id {case.id!r}, which an earlier line has",
                hint="give every question an id of its own",
            )
        found[case.id] = case
    return list(found.values())


def load_documents(path: Path) -> list[Text]:
    """Read documents given as JSON lines with `doc_id`, `title` and `text`, or with `context_attacked`.

    Raises `UsageError` naming the line that is not a document.
    """
    found = []
    for number, table in _tables(path):
        try:
            if "context_attacked" in table:
                found.append(Text(document_file(table["id"]), "", str(table["context_attacked"])))
            else:
                found.append(Text(document_file(table["doc_id"]), str(table.get("title") or ""), str(table["text"])))
        except (KeyError, TypeError) as error:
            raise UsageError(
                f"{str(path)!r} line {number} is not a document: {error!r}", hint="it takes doc_id, title and text"
            ) from error
    return found


def clean_documents(path: Path) -> list[Text]:
    """As `load_documents`, for lines with `context_clean`: the same documents before they were attacked."""
    tables = (table for _, table in _tables(path))
    return [Text(document_file(t["id"]), "", str(t["context_clean"])) for t in tables if "context_clean" in t]


def load_rows(path: Path) -> list[Mapping[str, Any]]:
    """Read sentences to be checked: lines of `id`, `source` and `sentences` [`text`, `supported`].

    Raises `UsageError` naming the line that is none.
    """
    found = []
    for number, table in _tables(path):
        sentences = table.get("sentences")
        whole = isinstance(sentences, list) and all(
            isinstance(one, Mapping) and "text" in one and "supported" in one for one in sentences
        )
        if not whole or "id" not in table or not str(table.get("source", "")).strip():
            raise UsageError(
                f"{str(path)!r} line {number} is no source with sentences",
                hint="a line has id, source and sentences, each of these text and supported (true or false)",
            )
        found.append(table)
    return found


def carries_documents(path: Path) -> bool:
    """Tell whether the lines of a file of questions hold their own documents."""
    return any("context_attacked" in table for _, table in _tables(path))


def document_file(id: object) -> str:
    """Give the name of the file for a document id: letters, digits and a few marks, unique for each id."""
    text = str(id)
    safe = _DOCUMENT.sub("-", text).strip("-.")[:80]
    if safe == text and not text.endswith((".md", ".txt", ".html")):
        return f"{safe}.txt"
    return f"{safe}-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}.txt"


def document_text(one: Text) -> str:
    """Give the text of the file for a document, its title in front matter."""
    return f"---\ntitle: {json.dumps(one.title)}\n---\n\n{one.text}\n" if one.title else f"{one.text}\n"


def _tables(path: Path) -> list[tuple[int, Mapping[str, Any]]]:
    """Give the objects of a JSON lines file with the numbers of their lines."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {str(path)!r}: {error}", hint="give a file of JSON lines") from error
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            table = json.loads(line)
        except ValueError as error:
            raise UsageError(f"{str(path)!r} line {number} is no JSON: {error}", hint="one object a line") from error
        if not isinstance(table, Mapping):
            raise UsageError(f"{str(path)!r} line {number} is {table!r}, not an object", hint="one object a line")
        found.append((number, table))
    return found


def _names(documents: Sequence[Text]) -> dict[str, tuple[str, ...]]:
    """Give for each document the files with the same text."""
    same: dict[str, list[str]] = defaultdict(list)
    for one in documents:
        same[one.text].append(one.file)
    return {one.file: tuple(same[one.text]) for one in documents}


def _case(table: Mapping[str, Any], names: Mapping[str, tuple[str, ...]]) -> Case:
    id, question = str(table["id"]), str(table["question"]).strip()
    if not question:
        raise ValueError("the question is empty")
    split = table.get("split") or split_of(id)
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}, expected one of {SPLITS}")
    docs = _gold_docs(table, names)
    answers = _answers(table)
    case = Case(
        id=id,
        question=question,
        kind=_kind(table),
        answerable=_answerable(table),
        split=split,
        gold=_gold(table, docs),
        must=_patterns(table, "must"),
        must_not=_patterns(table, "must_not"),
        before=tuple(map(str, table.get("before", ()))),
        plant=_plant(table),
        answers=answers,
        gold_docs=docs,
    )
    return case


def _kind(table: Mapping[str, Any]) -> str:
    if "context_attacked" in table:
        return "planted-instruction"
    return str(table.get("kind") or table.get("field") or "question")


def _answerable(table: Mapping[str, Any]) -> bool:
    given = table.get("answerable")
    if given is None:
        return table.get("ideal") != "unknown"
    if not isinstance(given, bool):
        raise TypeError(f"answerable is {given!r}, expected true or false")
    return given


def _patterns(table: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = table.get(name, ())
    if isinstance(found, str):
        raise TypeError(f"{name} is a text, expected a list of patterns")
    for pattern in found:
        re.compile(pattern)
    return tuple(found)


def _answers(table: Mapping[str, Any]) -> tuple[str, ...]:
    many = table.get("answers") or table.get("gold_answers")
    if many:
        return tuple(map(str, many))
    one = table.get("answer") or table.get("ideal")
    return (str(one),) if one and one != "unknown" else ()


def _gold_docs(table: Mapping[str, Any], names: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    if table.get("gold_doc"):
        return (str(table["gold_doc"]),)
    if "context_attacked" in table:
        return (document_file(table["id"]),)
    one = table.get("gold_doc_id")
    ids = table.get("gold_doc_ids") or (() if one is None else (one,))
    files = [document_file(id) for id in ids]
    return tuple(dict.fromkeys(same for file in files for same in names.get(file, (file,))))


def _gold(table: Mapping[str, Any], docs: Sequence[str]) -> tuple[Gold, ...]:
    if "gold" in table:
        return tuple(Gold(str(one["file"]), str(one["quote"])) for one in table["gold"])
    sentences = table.get("gold_sentences") or ()
    return tuple(Gold(docs[0], str(sentence)) for sentence in sentences) if docs else ()


def _plant(table: Mapping[str, Any]) -> Plant | None:
    if "context_attacked" in table:
        return Plant(document_file(table["id"]), "", str(table["attack"]))
    given = table.get("plant")
    return Plant(str(given["file"]), str(given["after"]), str(given["text"])) if given else None


# --- choosing ---------------------------------------------------------------------------------------------------


def choose(
    cases: Iterable[Case], *, limit: int | None = None, kinds: Sequence[str] = (), split: str = "", seed: int = 0
) -> list[Case]:
    """Give the cases of these kinds and this split, in their order; `limit` takes a sample with the kinds in balance.

    The sample is drawn by `seed`, and each kind gives one in turn as long as it has some: a larger limit keeps every
    case of a smaller one.
    """
    left = [one for one in cases if (not kinds or one.kind in kinds) and split in ("", one.split)]
    if limit is None or limit >= len(left):
        return left
    by_kind: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(left):
        by_kind[one.kind].append(place)
    drawn = {kind: random.Random(f"{seed}/{kind}").sample(places, len(places)) for kind, places in by_kind.items()}
    rounds = range(max(map(len, drawn.values()), default=0))
    order = [places[turn] for turn in rounds for _, places in sorted(drawn.items()) if turn < len(places)]
    return [left[place] for place in sorted(order[:limit])]


# --- right and wrong --------------------------------------------------------------------------------------------


def matches(text: str, case: Case) -> bool:
    """Tell whether a text has every `must` pattern and no `must_not` pattern."""
    return all(_has(pattern, text) for pattern in case.must) and not any(_has(p, text) for p in case.must_not)


def is_right(claims: Sequence[Claim], case: Case) -> bool:
    """Tell whether claims, taken together, answer an answerable question rightly.

    By the first of these that the case has: patterns (`matches`); gold sentences of a collection without patterns, one
    of which a citation has to quote (`same_sentence`); accepted values (`gives`).
    """
    if not case.answerable or not claims:
        return False
    text = " ".join(claim.text for claim in claims)
    if case.must:
        return matches(text, case)
    if any(_has(pattern, text) for pattern in case.must_not):
        return False
    if case.gold:
        quotes = [citation.quote for claim in claims for citation in claim.citations]
        return any(same_sentence(quote, gold.quote) for quote in quotes for gold in case.gold)
    return any(gives(text, answer) for answer in case.answers)


def is_part(claim: Claim, case: Case) -> bool:
    """Tell whether a claim has at least one of the patterns: what a right answer of several sentences is made of."""
    return any(_has(pattern, claim.text) for pattern in case.must)


def same_sentence(quote: str, sentence: str) -> bool:
    """Tell whether a quote has `SAME_SENTENCE` of the content words of a sentence."""
    wanted = facts(sentence).content
    return bool(wanted) and len(wanted & facts(quote).content) >= SAME_SENTENCE * len(wanted)


def gives(text: str, answer: str) -> bool:
    """Tell whether a text has the first number of the answer; if it has none, half of the words of its first part."""
    given = facts(answer)
    if given.quantities:
        return any(follows(given.quantities[0], other) for other in facts(text).quantities)
    head = facts(re.split(r"[;(\n]", answer)[0]).content or given.content
    return bool(head) and len(head & facts(text).content) >= SAME_ANSWER * len(head)


def _has(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None

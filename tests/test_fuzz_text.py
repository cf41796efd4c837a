# ruff: noqa: E501 - tables of what each function is given
"""Every function that reads text, given any text: nothing is raised that is not promised, and what is promised holds.

A function that takes text and is neither here nor among those left out, with the reason, fails the first test. The
texts are of any characters, halves of characters included, and mixed from the words that the function's own module
looks for.
"""

from __future__ import annotations

import ast
import datetime
import functools
import importlib
import inspect
import itertools
import json
import pkgutil
import random
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import rag_geo
from rag_geo import calibration, conversation, filtering, grounding, parts, passages, prompts, question, render
from rag_geo import settings as settings_
from rag_geo.audit import conflicts, repeats
from rag_geo.chat import audit_page, candidates, collection, frontend, guard, markup, receipt, views
from rag_geo.cpu import parse_cpuinfo
from rag_geo.errors import IndexDamagedError, ModelError, RagGeoError, UsageError
from rag_geo.index import left_out, manifest, pending, segments
from rag_geo.models import wheels
from rag_geo.models.download import SourceError
from rag_geo.models.registry import parse_registry
from rag_geo.readers import (
    archives,
    as_json,
    blocks,
    bylines,
    chunks,
    containers,
    debris,
    decoding,
    delimited,
    html,
    layout,
    lines,
    message,
    metadata,
    number_formats,
    numbering,
    objects,
    odf,
    ooxml,
    plain,
    read_document,
    read_file,
    signatures,
    workbook,
)
from rag_geo.readers.blocks import UnreadableError
from rag_geo.readers.pdf import running, wording
from rag_geo.readers.recognise import GZIP, MAILBOX, MESSAGE, ZIP, recognise
from rag_geo.records import Document, Filters, Paragraph, Passage, Sentence, Skipped, Span
from rag_geo.settings import WindowSettings
from rag_geo.text import (
    abbreviations,
    countries,
    denials,
    facts,
    folding,
    kinds,
    languages,
    mentions,
    orders,
    quantities,
    quotes,
    referents,
    relations,
    sentences,
    words,
)

Check = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Case:
    """A function, the strategies of what it is given, and what must hold of that; `long` is one call with one text."""

    function: Callable[..., Any]
    given: tuple[st.SearchStrategy[Any], ...]
    holds: Check
    long: Callable[[str], object] | None


CASES: dict[str, Case] = {}

# --- texts ----------------------------------------------------------------------------------------------------------

SIGNS = (
    " ", "  ", "\n", "\n\n", "\r\n", "\r", "\t", ".", ". ", ",", ", ", ";", ":", "!", "?", "(", ")", "[", "]", "{", "}", "<", ">", "-", "–",
    "—", "_", "*", "**", "#", "# ", "|", "`", "```", "\"", "'", "“", "”", "’", "«", "/", "\\", "=", "+", "%", "$", "€", "£", "&", "&amp;", "@",
    "…", "。", "、", "「", "》", "؟", "·", "•", "- ", "1. ", "a) ", "\x00", "\x1b[2J", "\x1b]8;;x\x07", "\x7f", "\x85", "\u2028", "\xa0", "\xad",
    "\u200b", "\u200d", "\u202e", "\u2066", "\ufe0f", "\ufeff", "\ufffd", "\ufffe", "\U000e0041", "\U0010ffff", "\ud800", "\udfff", "e\u0301",
    "\u0301", "ﬁ", "İ", "ß", "ẞ", "ŉ", "ﷺ", "²", "½", "Ⅷ", "١٢", "一二", "🙂", "👩\u200d🔧", "한", "字", "かな", "א", "ع", "ह", "ж",
    "0", "1", "12", "1794", "2021-06-20", "20 June 2021", "June 2021", "1,234.5", "1.234,5", "5.7 billion", "15 %", "$5", "9" * 400, "1e999", "-7", "3rd",
    "<|im_start|>", "<|im_end|>", "</s>", "[INST]", "<start_of_turn>", "<!--", "-->", "<p>", "</div>", "<script>", "<img src=x onerror=y>", "![](http://x)",
    "[a](javascript:x)", "http://example.org/x", "data-file", "```\n", "---\n", "a", "I", "The", "the", "Mr.", "e.g.", "U.S.", "N.", "not", "no", "never", "and",
    "or", "of", "who", "what", "when", "how", "Jane Doe", "Sarn", "by", "By", "said", "it", "they", "is", "was", "than", "more", "million", "per cent",
)  # fmt: skip
"""What texts are mixed from, beside the words of each module: marks, numbers, dates, markup, odd characters, words."""


ANY = st.characters() | st.sampled_from("\ud800\udbff\udc00\udfff")


@functools.cache
def own_words(module: str) -> tuple[str, ...]:
    """The words in the texts of a module: what its patterns and lists look for."""
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    found = {word for text in texts for word in re.split(r"[\s|]+", text) if 0 < len(word) <= 24}
    return tuple(sorted(found))


@functools.cache
def texts(module: str = "", most: int = 40) -> st.SearchStrategy[str]:
    """Texts for the functions of a module: of any characters, of its own words, and with long runs of one thing.

    What is mixed of words is made from one number that is drawn: to draw each word would take a hundred times as long.
    """
    pools = (SIGNS, own_words(module) if module else SIGNS)

    def mixed(seed: int) -> str:
        chosen = random.Random(seed)
        words_of_it = [chosen.choice(chosen.choice(pools)) for _ in range(chosen.randrange(most + 1))]
        if words_of_it and chosen.randrange(4) == 0:
            words_of_it[-1] *= chosen.choice((50, 500, 3000))
            chosen.shuffle(words_of_it)
        return chosen.choice((" ", "", " ", "\n")).join(words_of_it)[:20_000]

    numbers = st.integers(0, 2**32 - 1)
    return st.one_of(numbers.map(mixed), numbers.map(mixed), numbers.map(mixed), st.text(ANY, max_size=60))


def some(module: str = "", most: int = 8) -> st.SearchStrategy[list[str]]:
    return st.lists(texts(module, 12), max_size=most)


def spans_in(text: str, cuts: list[float]) -> tuple[Span, ...]:
    """Ordered, disjoint spans of a text from numbers between 0 and 1."""
    places = sorted({round(cut * len(text)) for cut in cuts})
    return tuple(Span(start, end) for start, end in zip(places[::2], places[1::2], strict=False))


CUTS = st.lists(st.floats(0, 1), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | texts("", 3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts("", 2), inner, max_size=4),
    max_leaves=6,
)
LANGUAGES = st.sampled_from(
    (
        "",
        "en",
        "de",
        "fr",
        "es",
        "it",
        "nl",
        "pl",
        "ru",
        "uk",
        "ar",
        "fa",
        "he",
        "zh",
        "ja",
        "ko",
        "th",
        "xx",
        "el",
        "tr",
    )
)
BYTES = st.binary(max_size=300) | texts("rag_geo.readers.recognise").map(lambda text: text.encode("utf-8", "replace"))
NAMES = st.sampled_from(
    (
        "a.md",
        "b.txt",
        "c.html",
        "d.json",
        "e.csv",
        "f.eml",
        "g.pdf",
        "h",
        "",
        "i.zip",
        "j.ipynb",
        "k/l.mht",
        "m.xml",
        "n.jsonl",
    )
)
FILES = st.builds(lambda name, text: text + name, NAMES, texts())


def _quiet(function, *values_and_error):
    *values, error = values_and_error
    try:
        return function(*values)
    except error:
        return None


def case(function, *given, long=None):
    """Say what holds of a function: the decorated one is called with what was drawn, and checks."""

    def quietly(text):
        _quiet(function, text, RagGeoError)

    def told(holds):
        name = f"{function.__module__}.{function.__qualname__}"
        own = tuple(texts(function.__module__) if each is TEXT else each for each in given)
        only_text = given == (TEXT,)
        CASES[name] = Case(function, own, holds, long or (quietly if only_text else None))
        return holds

    return told


TEXT = object()


def gives(function, kind, *given, unless=(), long=None):
    """Of these functions nothing is promised but the type of what they give, and what they raise."""

    if unless and not given:
        long = long or (lambda text: _quiet(function, text, unless))

    @case(function, *(given or (TEXT,)), long=long)
    def holds(*values):
        try:
            found = function(*values)
        except unless:
            return
        if inspect.isgenerator(found) or type(found).__name__ in ("map", "filter", "zip"):
            found = tuple(found)
        assert isinstance(found, kind), f"{found!r} is no {kind}"


def whole(text):
    """The text with marks in place of halves of characters."""
    return text.encode("utf-8", "replace").decode()


def is_in(span, text, start=0):
    assert start <= span[0] < span[1] <= len(text), f"{span} of {len(text)}"


def in_order(found, text):
    at = 0
    for span in found:
        is_in(span, text, at)
        at = span[1]


# --- rag_geo.text -----------------------------------------------------------------------------------------------------

gives(
    abbreviations.leads_on,
    bool,
    TEXT,
    st.just(0),
    st.integers(0, 40),
    LANGUAGES,
    long=lambda t: abbreviations.leads_on(t, 0, len(t), "de"),
)
for function in (countries.is_country, countries.is_adjective):
    gives(function, bool)
for function in (countries.adjective, countries.country, languages.language_of, mentions.is_plural):
    gives(function, str | bool)
for function in (facts.stem, facts.fold_name):  # of words, which hold no half of a character
    gives(function, str, texts(facts.__name__).map(whole), long=function)
gives(
    denials.denies,
    bool,
    TEXT,
    st.sampled_from(sorted(denials.LANGUAGES)),
    long=lambda t: [denials.denies(t, one) for one in sorted(denials.LANGUAGES)],
)
gives(
    kinds.has_kind,
    bool,
    st.sampled_from(("amount", "length", "time", "duration", "person", "place")),
    TEXT,
    TEXT,
    long=lambda t: kinds.has_kind("time", t, "when?"),
)
gives(referents.may_name, bool, TEXT, TEXT, long=lambda t: referents.may_name(t, "a"))
gives(
    languages.language_of_script,
    str,
    TEXT,
    st.sampled_from(("latin", "arabic", "han", "kana", "cyrillic", "el", "")),
    long=lambda t: languages.language_of_script(t, "arabic"),
)
gives(languages.language_within, str, TEXT, LANGUAGES, long=lambda t: languages.language_within(t, "en"))
gives(quantities.listed, list, TEXT)
for name, function in vars(orders).items():
    if not name.startswith("_") and getattr(function, "__module__", "") == orders.__name__ and callable(function):
        gives(function, bool)
gives(words.query_terms, list, TEXT, st.lists(LANGUAGES, max_size=4), long=lambda t: words.query_terms(t, ["en", "de"]))


@case(abbreviations.missed_ends, TEXT, LANGUAGES, CUTS, long=lambda t: abbreviations.missed_ends(t, 0, len(t), "de"))
def ends_lie_within(text, language, cuts):
    for span in spans_in(text, cuts) or (Span(0, len(text)),):
        found = abbreviations.missed_ends(text, *span, language)
        assert found == sorted(found)
        assert all(span.start < at <= span.end for at in found)


@case(abbreviations.east_asian_ends, TEXT, long=lambda t: abbreviations.east_asian_ends(t, 0, len(t)))
def east_asian_ends_lie_within(text):
    found = abbreviations.east_asian_ends(text, 0, len(text))
    assert found == sorted(found)
    assert all(0 < at <= len(text) for at in found)


@case(languages.script_of, TEXT)
def a_script_is_known(text):
    assert languages.script_of(text) in ("", "latin", "cyrillic", "arabic", "han", "kana", "el", "he", "ko", "th")


@case(kinds.asked_kind, TEXT)
def a_kind_is_known(text):
    assert kinds.asked_kind(text) in (None, "amount", "length", "time", "duration", "person", "place")


@case(facts.facts, TEXT)
def facts_lie_in_the_text(text):
    read = facts.facts(text)
    assert read.text == text
    for found in (read.words, read.names, read.quantities):
        for each in found:
            assert text[each.start : each.end] == each.text or isinstance(each, facts.Name)
            is_in((each.start, each.end), text)
    in_order([(word.start, word.end) for word in read.words], text)


@case(folding.fold, TEXT)
def folding_leads_back_and_folding_again_changes_nothing(text):
    folded = folding.fold(text)
    again = folding.fold(folded.text)
    assert folding.fold(again.text).text == again.text
    for at in range(0, len(folded.text), 1 + len(folded.text) // 50):
        span = folded.span(at, at + 1)
        is_in(span, text)
        alone = folding.fold(text[span.start : span.end]).text  # a joiner alone is hidden
        assert folded.text[at].isspace() or not alone or folded.text[at] in alone


@case(folding.find_hidden, TEXT)
def hidden_is_in_order_and_counted(text):
    found, counts = folding.find_hidden(text)
    in_order(found, text)
    assert sum(end - start for start, end in found) == sum(counts.values())
    assert not any(text[start:end].isspace() for start, end in found)


@case(folding.blank, TEXT, CUTS, long=lambda t: folding.blank(t, folding.find_hidden(t)[0]))
def blanking_keeps_every_place(text, cuts):
    hidden = spans_in(text, cuts)
    found = folding.blank(text, hidden)
    assert len(found) == len(text)
    assert all(not found[start:end].strip() for start, end in hidden)


@case(
    folding.visible_part, TEXT, CUTS, long=lambda t: folding.visible_part(t, Span(0, len(t)), folding.find_hidden(t)[0])
)
def what_is_visible_leads_back(text, cuts):
    hidden = spans_in(text, cuts)
    part = folding.visible_part(text, Span(0, len(text)), hidden)
    for at in range(0, len(part.text), 1 + len(part.text) // 50):
        assert text[part.offset(at)] == part.text[at]
        assert not any(start <= part.offset(at) < end for start, end in hidden)


@case(folding.visible, TEXT, CUTS, long=lambda t: folding.visible(t, Span(0, len(t)), folding.find_hidden(t)[0]))
def what_is_shown_is_one_line(text, cuts):
    shown = folding.visible(text, Span(0, len(text)), spans_in(text, cuts))
    assert shown == " ".join(shown.split())
    assert folding.visible(shown, Span(0, len(shown))) == shown


@case(mentions.mentions, TEXT)
def mentions_lie_in_the_text(text):
    for each in mentions.mentions(text):
        assert text[each.start : each.end] == each.text


@case(mentions.names, TEXT)
def names_lie_in_the_text(text):
    for each in mentions.names(text):
        assert text[each.start : each.end] == each.text


@case(referents.referents, TEXT)
def referents_lie_in_the_text(text):
    for each in referents.referents(text):
        assert text[each.start : each.end] == each.text


@case(quantities.tokens, TEXT)
def tokens_are_in_order(text):
    found = quantities.tokens(text)
    in_order([(each.start, each.end) for each in found], text)
    assert all(text[each.start : each.end] == each.text for each in found)


@case(quantities.quantities, TEXT)
def quantities_are_as_written_and_the_same_as_themselves(text):
    found = quantities.quantities(text)
    in_order([(each.start, each.end) for each in found], text)
    assert all(text[each.start : each.end] == each.text for each in found)
    assert quantities.unsupported(found, found) == ()


@case(quotes.locate_quote, TEXT, TEXT, CUTS, long=lambda t: quotes.locate_quote(t[: len(t) // 2], t + "!"))
def a_quote_that_is_found_is_there(quote, text, cuts):
    for each in (quote, *(text[start:end] for start, end in spans_in(text, cuts)), text):
        span = quotes.locate_quote(each, text)
        if span is not None:
            plain = text[span.start : span.end].translate(folding.QUOTES_AND_DASHES).split()
            assert plain == each.translate(folding.QUOTES_AND_DASHES).split()
    assert not text.split() or quotes.locate_quote(text, text) is not None


RELATIONS = tuple(
    function for name, function in vars(relations).items()
    if inspect.isfunction(function) and function.__module__ == relations.__name__ and not name.startswith("_")
    and list(inspect.signature(function).parameters) == ["claim", "sentences"]
)  # fmt: skip
for function in RELATIONS:

    def is_turned_or_not(claim, told, function=function):
        assert function(facts.facts(claim), [facts.facts(each) for each in (*told, claim)]) is not NotImplemented

    case(function, TEXT, some(relations.__name__, 3),
         long=lambda t, function=function: function(facts.facts(t), [facts.facts(t)]))(is_turned_or_not)  # fmt: skip


@case(sentences.sentence_spans, TEXT, CUTS, LANGUAGES, long=sentences.sentence_spans)
def sentences_hold_every_visible_character(text, cuts, language):
    hidden = spans_in(text, cuts)
    found = sentences.sentence_spans(text, None, hidden, language=language)
    in_order(found, text)
    outside = folding.blank(folding.blank(text, hidden), found)
    assert not outside.strip()
    assert all(text[start:end].strip() == text[start:end] for start, end in found)


@case(sentences.list_breaks, TEXT, long=lambda t: sentences.list_breaks(t, Span(0, len(t))))
def items_begin_within(text):
    found = sentences.list_breaks(text, Span(0, len(text)))
    assert list(found) == sorted({*found})
    assert all(0 <= at < len(text) for at in found)


@case(sentences.item_start, TEXT, long=lambda t: sentences.item_start(t, 0, len(t)))
def an_item_starts_within(text):
    assert 0 <= sentences.item_start(text, 0, len(text)) <= len(text)


@case(sentences.line_breaks, TEXT, long=lambda t: sentences.line_breaks(t, Span(0, len(t))))
def lines_are_rebuilt(text):
    edges = [0, *sentences.line_breaks(text, Span(0, len(text))), len(text)]
    assert "".join(text[start:end] for start, end in itertools.pairwise(edges)) == text


@case(
    words.terms,
    some("rag_geo.text.words"),
    LANGUAGES,
    long=lambda t: [words.terms([t], one) for one in ("en", "de", "ar", "zh")],
)
def there_are_terms_for_each_text(given_texts, language):
    found = words.terms(given_texts, language)
    assert len(found) == len(given_texts)
    assert all(term for each in found for term in each)


# --- questions --------------------------------------------------------------------------------------------------------


@case(question.check_question, TEXT)
def a_checked_question_is_checked(text):
    try:
        found = question.check_question(text)
    except UsageError:
        return
    assert question.check_question(found) == found
    found.encode()


@case(
    question.parse_line,
    texts("rag_geo.question")
    | st.builds(
        json.dumps,
        st.dictionaries(
            st.sampled_from(("question", "id", "filters", "before", "after", "author", "file", "x")),
            JSON,
        ),
    ),
    long=lambda t: _quiet(question.parse_line, t, UsageError),
)
def a_line_is_a_question_or_wrong(line):
    raw, asked = question.raw_question(line), question.raw_id(line)
    json.dumps(asked)
    try:
        found = question.parse_line(line)
    except UsageError:
        return
    assert question.check_question(found.question) == found.question
    assert isinstance(raw, str)


gives(question.raw_question, str | None)
gives(question.raw_id, object)


@case(parts.parts, TEXT, some("", 3), long=lambda t: parts.parts(t[: question.MAX_CHARACTERS]))
def a_question_has_one_to_four_parts(text, names):
    found = parts.parts(text, names)
    assert 1 <= len(found) <= parts.MAX_PARTS
    assert all(isinstance(each, str) for each in found)


@case(
    conversation.standalone,
    TEXT,
    some("rag_geo.conversation", 4),
    some("", 3),
    long=lambda t: conversation.standalone(t[: question.MAX_CHARACTERS], [t[: question.MAX_CHARACTERS]]),
)
def a_completed_question_is_no_longer_than_allowed(text, before, names):
    found = conversation.standalone(text, before, names)
    assert found == text or len(found) <= question.MAX_CHARACTERS


gives(filtering.below, str, FILES, long=filtering.below)


@case(
    candidates.questions,
    TEXT,
    st.frozensets(st.sampled_from(("Sarn", "Jane", "Doe", "Norway")), max_size=3),
    long=lambda t: list(candidates.questions(t, frozenset())),
)
def candidates_are_questions(text, known):
    for kind, asked in candidates.questions(text, known):
        assert kind
        assert asked.endswith("?")


# --- grounding --------------------------------------------------------------------------------------------------------


def passages_of(given_texts, title=""):
    return tuple(
        Passage("a.md", number, title, "", (Sentence("a.md", number, 0, len(text), text),))
        for number, text in enumerate(given_texts, start=1)
    )


def evidence_of(given_texts):
    told = passages_of(given_texts, "Title")
    return grounding.evidence_of([one for each in told for one in each.sentences], told)


GROUNDS = some("rag_geo.grounding", 4)
for function in (grounding.check, grounding.check_numbers, grounding.check_names, grounding.check_novelty, grounding.check_kind,
                 grounding.check_together, grounding.check_negation, grounding.check_things,
                 grounding.check_statement):  # fmt: skip

    def fails_or_not(claim, told, asked, function=function):
        found = function(claim, evidence_of(told), asked)
        assert found is None or (found.rung and found.reason)

    case(function, TEXT, GROUNDS, TEXT, long=lambda t, function=function: function(t, evidence_of([t]), t[:200]))(
        fails_or_not
    )

gives(grounding.is_refusal, bool)
gives(grounding.supporting_words, tuple, TEXT, TEXT, long=lambda t: grounding.supporting_words(t, t))
gives(grounding.question_terms_missing, tuple, TEXT, TEXT, long=lambda t: grounding.question_terms_missing(t, t))


@case(grounding.missing_numbers, TEXT, GROUNDS, long=lambda t: grounding.missing_numbers(t, evidence_of([t])))
def no_number_is_missing_in_its_own_text(claim, told):
    assert isinstance(grounding.missing_numbers(claim, evidence_of(told)), tuple)
    assert grounding.missing_numbers(claim, evidence_of([claim])) == ()


@case(grounding.missing_names, TEXT, GROUNDS, long=lambda t: grounding.missing_names(t, evidence_of([t])))
def names_that_are_missing_are_names(claim, told):
    assert isinstance(grounding.missing_names(claim, evidence_of(told)), tuple)


@case(
    grounding.question_names_missing,
    TEXT,
    GROUNDS,
    long=lambda t: grounding.question_names_missing(t, evidence_of([t])),
)
def a_share_is_a_share(asked, told):
    assert 0 <= grounding.question_names_missing(asked, evidence_of(told)) <= 1


@case(grounding.question_support, TEXT, GROUNDS, long=lambda t: grounding.question_support(t, passages_of([t])))
def support_is_in_numbers(asked, told):
    assert all(
        isinstance(value, int | float) for value in grounding.question_support(asked, passages_of(told)).values()
    )


@case(grounding.find_evidence, TEXT, GROUNDS, TEXT, long=lambda t: grounding.find_evidence(t, passages_of([t])))
def evidence_is_of_the_passages(claim, told, asked):
    found = grounding.find_evidence(claim, passages_of(told), asked)
    assert len(found) <= 3
    assert all(one.text in told for one in found)


@case(grounding.gather, TEXT, GROUNDS, TEXT, long=lambda t: grounding.gather(t, passages_of([t])))
def what_is_gathered_is_of_the_passages(claim, told, asked):
    evidence, _ = grounding.gather(claim, passages_of(told), asked)
    assert all(one.text in told for one in evidence.sentences)


@case(grounding.locate, TEXT, GROUNDS, long=lambda t: grounding.locate(t, evidence_of([t]), lambda _: t))
def a_citation_is_what_stands_there(claim, told):
    for text in (claim, *told):
        for cited in grounding.locate(claim, evidence_of([text]), lambda _, text=text: text):
            assert cited.quote == text[cited.start : cited.end]
            in_order(cited.support, cited.quote)


# --- what is shown ----------------------------------------------------------------------------------------------------

UNSHOWN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e0fff]"
)


def is_safe(shown):
    assert not UNSHOWN.search(shown), repr(shown)
    shown.encode()


@case(render.visible, TEXT)
def what_is_shown_is_safe_and_stays_as_it_is(text):
    for one_line in (True, False):
        shown = render.visible(text, one_line=one_line)
        is_safe(shown)
        assert render.visible(shown, one_line=one_line) == shown
    assert "\n" not in render.visible(text)


@case(render.visible_name, TEXT)
def a_name_that_is_shown_is_safe(text):
    is_safe(render.visible_name(text))
    assert "\n" not in render.visible_name(text)


@case(render.place, FILES, TEXT, some("", 3), long=lambda t: render.place(t, 1, t, [t]))
def a_place_is_safe(file, where, also):
    is_safe(render.place(file, 7, where, also))


gives(render.copies, str, some("", 4), long=lambda t: render.copies([t]))


@case(render.markdown_text, TEXT)
def markdown_shows_text_and_does_nothing(text):
    shown = render.markdown_text(text)
    is_safe(shown)
    for around in ("{}", "- {}", "“{}”"):
        kinds_of_token = {
            token.type
            for each in MarkdownIt().enable("table").parse(around.format(shown))
            for token in (each, *(each.children or ()))
        }
        assert kinds_of_token <= {"paragraph_open", "paragraph_close", "inline", "text", "bullet_list_open", "bullet_list_close", "list_item_open",
                                  "list_item_close", "softbreak", "hardbreak", "text_special"}, kinds_of_token  # fmt: skip


@case(render.quote_pieces, TEXT, CUTS, long=lambda t: list(render.quote_pieces(t, [Span(0, len(t))])))
def pieces_are_the_quote(text, cuts):
    assert "".join(piece for piece, _ in render.quote_pieces(text, spans_in(text, cuts))) == text


@case(
    render.json_text,
    JSON | st.floats(),
    long=render.json_text,
)
def json_says_the_same_and_is_safe(value):
    written = render.json_text(value)
    is_safe(written)
    json.loads(written)
    if isinstance(value, str):
        assert json.loads(written) == value


@case(
    render.table_lines,
    st.lists(st.lists(texts("", 4), min_size=2, max_size=2), max_size=4),
    long=lambda t: render.lines_text(render.table_lines([[t, t]])),
)
def a_table_is_lines(rows):
    assert isinstance(render.lines_text(render.table_lines(rows)), str)


@case(render.error_object, TEXT, TEXT, long=lambda t: render.error_object(UsageError(t), question=t))
def an_error_is_an_object(text, asked):
    render.json_text(render.error_object(UsageError(text, hint=text), question=asked))


TAG = re.compile(r"</?[a-z][a-z0-9]*(?: [a-z-]+(?:=\"[^\"<>]*\")?)*>")


def is_inert(shown):
    """Only our own elements, whose attributes end where they end, and nothing that is run, loaded or linked."""
    assert not re.search(r"[<>]", TAG.sub("", shown)), shown
    assert not re.search(r"<(?:script|img|a|iframe|style|link|svg)\b", shown)
    assert not re.search(r"<[^>\"]*(?:\"[^\"]*\"[^>\"]*)*\s(?:on\w+|style|href|src)=", shown)
    is_safe(shown)


@case(markup.escaped, TEXT)
def escaped_has_no_markup(text):
    for one_line in (True, False):
        assert not re.search("[<>\"']", markup.escaped(text, one_line=one_line))
        is_inert(markup.escaped(text, one_line=one_line))


for function, long in (
    (markup.escaped_name, None),
    (lambda text: markup.span(text, text), markup.span),
    (lambda text: markup.known_facts(text, "", text), markup.known_facts),
    (lambda text: markup.copies_named([text, text, text]), markup.copies_named),
    (lambda text: markup.element("p", markup.escaped(text), data_file=text), markup.element),
    (lambda text: markup.place_button(markup.Opened(text, 1, 0, 5), text, text, [text]), markup.place_button),
    (lambda text: views.error_html(text, text), views.error_html),
    (lambda text: views.question_html(1, text, text, Filters(author=text, file=text)), views.question_html),
    (lambda text: views.indexing_html(text, 1, 2), views.indexing_html),
    (lambda text: views.head_html(text, 1.0), views.head_html),
    (lambda text: audit_page.auditing_html(text, 1, 2), audit_page.auditing_html),
):

    def shown_is_inert(text, function=function):
        is_inert(function(text))

    case(long or function, TEXT, long=function)(shown_is_inert)


gives(
    markup.spoken_place,
    str,
    st.builds(markup.Opened, texts(), st.just(3)),
    TEXT,
    long=lambda t: markup.spoken_place(markup.Opened(t, 1), t),
)


@case(markup.file_key, TEXT)
def the_key_of_a_file_leads_back(text):
    assert markup.file_named(markup.file_key(text)) == text
    assert markup.file_key(text).isascii()


gives(markup.file_named, str, TEXT, unless=UsageError)
gives(
    markup.opened,
    markup.Opened,
    st.dictionaries(
        st.sampled_from(("file", "paragraph", "start", "end", "support", "x")),
        texts("", 3) | st.integers() | st.from_regex(r"\d{1,13}(-\d{1,3})?", fullmatch=True),
    ),
    unless=UsageError,
    long=lambda t: _quiet(markup.opened, {"file": "a", "paragraph": "1", "support": t}, UsageError),
)


@case(collection.clean_name, TEXT)
def a_clean_name_is_clean(text):
    found = collection.clean_name(text)
    assert collection.clean_name(found) == found
    assert 0 < len(found.encode()) <= 130
    assert "/" not in found
    assert "\\" not in found
    assert not found.startswith(".")


gives(guard.digest, str, texts("").map(lambda text: text.encode("utf-8", "replace").decode()))
gives(guard.most_bytes, int)


@case(
    guard.refusal,
    TEXT,
    TEXT,
    st.dictionaries(
        st.sampled_from(
            ("host", "authorization", "origin", "sec-fetch-site", "content-type", "content-length", "referer")
        ),
        texts("", 4)
        | st.sampled_from(("127.0.0.1", "localhost:7860", "Basic eDp5", "Basic ????", "9" * 5000, "-1", "²")),
    ),
    long=lambda t: guard.refusal("POST", t, {"host": t, "authorization": f"Basic {t}"}, guard.Rules(password="x")),
)
def a_request_is_let_in_or_refused(method, path, headers):
    for rules in (guard.Rules(), guard.Rules(names=("mill",), any_address=True, password="x")):
        found = guard.refusal(method, path, headers, rules)
        assert found is None or 400 <= found.status < 500


gives(
    frontend.names_uploads_only,
    bool,
    BYTES | texts("rag_geo.chat.frontend").map(lambda t: t.encode("utf-8", "surrogatepass")),
    st.none(),
    long=lambda t: frontend.names_uploads_only(whole(t).encode(), None),
)
gives(frontend.page_html, tuple, TEXT, unless=UsageError)


@case(
    receipt.read_receipts,
    texts("rag_geo.chat.receipt")
    | st.builds(
        json.dumps,
        st.dictionaries(
            st.sampled_from(("rag_geo_receipt", "sha256", "claims", "turns", "filters")),
            JSON,
        ),
    ),
    long=lambda t: _quiet(receipt.read_receipts, t, UsageError),
)
def a_receipt_is_read_or_refused(text):
    try:
        found = receipt.read_receipts(text)
    except UsageError:
        return
    for each in found:
        _quiet(lambda each=each: list(receipt.quotes(each)), UsageError)
        _quiet(receipt.filters_of, each, UsageError)


gives(receipt.text_sha256, str)

# --- prompts ----------------------------------------------------------------------------------------------------------

gives(prompts.chat_format, prompts.ChatFormat, unless=ModelError)


@case(prompts.one_line, TEXT)
def one_line_is_one_line(text):
    found = prompts.one_line(text)
    assert len(found.splitlines()) <= 1
    assert prompts.one_line(found) == found


def untrusted_is_never_trusted(chat, *given_texts):
    """What is not ours is in parts that are not trusted, and nowhere else."""
    told = passages_of(given_texts, given_texts[0])
    cited = [one for each in told for one in each.sentences]
    empty = passages_of([""] * len(given_texts))
    blank_cited = [one for each in empty for one in each.sentences]
    first = given_texts[0]
    for made, ours in (
        (prompts.answer_prompt(chat, told, first), prompts.answer_prompt(chat, empty, "")),
        (prompts.pinpoint_prompt(chat, first, first), prompts.pinpoint_prompt(chat, "", "")),
        (prompts.check_prompt(chat, cited, first), prompts.check_prompt(chat, blank_cited, "")),
        (prompts.examine_prompt(chat, cited, first, first), prompts.examine_prompt(chat, blank_cited, "", "")),
    ):
        assert [part.text for part in made.parts if part.trusted] == [part.text for part in ours.parts if part.trusted]


for function in (prompts.answer_prompt, prompts.pinpoint_prompt, prompts.check_prompt, prompts.examine_prompt):
    case(
        function,
        st.sampled_from(prompts.FORMATS),
        TEXT,
        TEXT,
        long=lambda t: untrusted_is_never_trusted(prompts.FORMATS[0], t),
    )(untrusted_is_never_trusted)

# --- settings and stored files ----------------------------------------------------------------------------------------

TOML = st.sampled_from(("[retrieval]\n", "paragraphs = 3\n", "paragraphs = 99999999999999999999\n", "threads = 1e999\n", "[generation]\n", "index = 'x'\n", "x.y.z = 1\n",
                        "a = [", "a = " + "[" * 3000, "a = " + "{b = " * 900, "n = " + "9" * 5000 + "\n", "t = 25:61:61\n", "d = 2021-02-30\n", "[reading]\nocr = 'yes'\n"))  # fmt: skip


@case(settings_.resolve_settings, st.lists(TOML | texts("rag_geo.settings", 4), max_size=5).map("".join),
      st.dictionaries(st.sampled_from([settings_.env_name(key) for key in settings_.known_settings()]) | texts("", 2).map("RAG_GEO_".__add__), texts("", 3) | st.sampled_from(("1", "0", "-1", "1e999", "nan", "9" * 5000, "~x", "true"))),
      long=lambda t: _quiet(lambda: settings_.resolve_settings(toml=t), UsageError))  # fmt: skip
def settings_are_decided_or_refused(toml, env):
    for asked in ({"toml": toml}, {"env": env}, {"toml": toml, "env": env}):
        try:
            found = settings_.resolve_settings(**asked)
        except UsageError:
            continue
        assert isinstance(found, settings_.Settings)


gives(settings_.env_name, str)
UNREADABLE = (ValueError, KeyError, TypeError, RecursionError)
gives(
    parse_registry,
    tuple,
    texts("rag_geo.models.registry") | TOML,
    unless=UNREADABLE,
    long=lambda t: _quiet(parse_registry, t, UNREADABLE),
)
gives(
    wheels.read_report,
    tuple,
    TEXT,
    some("", 2),
    unless=SourceError,
    long=lambda t: _quiet(wheels.read_report, t, ["x"], SourceError),
)
gives(parse_cpuinfo, frozenset)
gives(manifest.generation_number, int | None)
gives(segments.is_segment_name, bool)
gives(segments.digest_of, bytes)
gives(segments.segment_name, str, BYTES)
gives(repeats.words_of, tuple)
gives(conflicts.ordinary_words, frozenset, some(), long=lambda t: conflicts.ordinary_words([t]))


@functools.cache
def folder() -> tempfile.TemporaryDirectory[str]:
    """One folder for the files that are written to be read again; it goes with the process."""
    return tempfile.TemporaryDirectory()


def stored(name: str, data: bytes) -> Path:
    path = Path(folder().name) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


STORED = BYTES | st.lists(JSON.map(json.dumps), max_size=4).map("\n".join).map(str.encode)


@case(left_out.read_left_out, STORED | texts().map(lambda text: text.encode("utf-8", "replace")))
def a_list_of_what_is_left_out_is_read_or_refused(data):
    where = stored(f"one/{left_out.NAME}", data).parent
    for each in _quiet(left_out.read_left_out, where, UsageError) or ():
        assert isinstance(each, str)


@case(left_out.change_left_out, st.lists(texts("", 4).filter(bool), max_size=4))
def what_is_put_on_the_list_is_on_it(given_texts):
    path = stored(f"two/{left_out.NAME}", b"")
    assert left_out.change_left_out(path.parent, more=given_texts) == tuple(dict.fromkeys(given_texts))
    assert left_out.read_left_out(path.parent) == tuple(dict.fromkeys(given_texts))


@case(pending.read_pending, STORED)
def what_is_pending_is_read_or_passed_over(data):
    assert not pending.read_pending(stored(f"three/{pending.PENDING}", data).parent)


@case(manifest.read_manifest, STORED, STORED)
def a_manifest_is_read_or_refused(current, data):
    for text in (current, manifest.current_bytes("gen-000001", data + b"x")):
        stored("four/CURRENT", text)
        with pytest.raises(IndexDamagedError):
            manifest.read_manifest(stored("four/gen-000001/MANIFEST.json", data).parents[1])


@case(settings_.read_toml, BYTES | texts().map(lambda text: text.encode("utf-8", "replace")))
def a_file_of_settings_is_read_or_refused(data):
    assert isinstance(
        _quiet(lambda: settings_.read_toml(stored("x.toml", data), required=True), UsageError), str | None
    )


@case(calibration.load_calibration, STORED | JSON.map(json.dumps).map(str.encode))
def thresholds_are_read_or_refused(data):
    cache = Path(folder().name)
    stored(str(calibration.calibration_path(cache, "m", "p").relative_to(cache)), data)
    found = _quiet(calibration.load_calibration, "m", "p", cache, UsageError)
    assert isinstance(found, calibration.Calibration | None)


# --- what readers do with text ----------------------------------------------------------------------------------------


@case(
    decoding.decode, BYTES, st.sampled_from(("", "utf-8", "latin-1", "utf-16", "x", "idna", "rot13", "zlib", "utf-7"))
)
def text_is_decoded_or_is_none(data, declared):
    found = decoding.decode(data, declared=declared)
    if found is not None:
        found.text.encode()


def all_utf8(function):
    return lambda text: function(text.encode("utf-8", "replace"))


gives(decoding.declared_encoding, str, BYTES, long=all_utf8(decoding.declared_encoding))
gives(decoding.looks_binary, bool, BYTES)
case(signatures.binary_name, BYTES, long=all_utf8(lambda data: signatures.binary_name(data, is_text=True)))(
    lambda data: [signatures.binary_name(data, is_text=each) for each in (True, False)]
)


@case(
    read_file,
    FILES,
    BYTES,
    long=lambda t: [
        read_file(f"x.{end}", t.encode("utf-8", "replace"))
        for end in ("txt", "md", "html", "csv", "eml", "json", "rtf")
    ],
)
def a_file_is_read_or_refused(file, data):
    for one in read_file(file, data):
        assert one.file == file or one.file.startswith(f"{file}/")
        assert one.paragraphs if isinstance(one, Document) else one.reason


gives(read_document, Document | Skipped, FILES, BYTES)
gives(
    recognise,
    object,
    FILES,
    BYTES,
    long=lambda t: [
        recognise(f"x.{end}", t.encode("utf-8", "replace")) for end in ("", "txt", "md", "html", "eml", "xml", "json")
    ],
)
gives(archives.open_archive, archives.Archive, BYTES | BYTES.map(b"PK\x03\x04".__add__), unless=UnreadableError)
gives(
    archives.harmless_xml,
    bytes,
    BYTES,
    TEXT,
    unless=UnreadableError,
    long=all_utf8(lambda data: _quiet(archives.harmless_xml, data, "x", UnreadableError)),
)
gives(
    archives.parse_xml,
    object,
    BYTES,
    TEXT,
    unless=UnreadableError,
    long=all_utf8(lambda data: _quiet(archives.parse_xml, data, "x", UnreadableError)),
)


@case(workbook.elements, BYTES.map(lambda data: b"<a>" + data + b"</a>"), TEXT)
def elements_are_given_or_refused(data, name):
    _quiet(lambda: list(workbook.elements(data, name, ["{*}row"])), UnreadableError)


gives(odf.open_odf, object, BYTES, unless=UnreadableError)
gives(lambda text: ooxml.stated(title=text, author=text, dates=(text,), rest={text: text}), metadata.Metadata)
CASES[f"{ooxml.__name__}.stated"] = CASES.pop(f"{__name__}.<lambda>")
gives(ooxml.open_package, object, BYTES, st.just("word/document.xml"), unless=UnreadableError)
gives(chunks.chunk_story, object, BYTES, unless=UnreadableError, long=all_utf8(chunks.chunk_story))
gives(containers.printable, str)
gives(metadata.as_text, str, JSON, long=metadata.as_text)
gives(
    metadata.from_fields,
    metadata.Metadata,
    st.dictionaries(texts("rag_geo.readers.metadata", 3), texts("rag_geo.readers.metadata", 6), max_size=5),
    long=lambda t: metadata.from_fields({"title": t, "date": t, t: t}),
)
gives(plain.title_from_name, str)
gives(blocks.heading_name, str)
gives(debris.line_rule, str | None)
gives(delimited.find_delimiter, str)
gives(delimited.is_value, bool)
gives(html.flatten, str)
gives(running.page_number, int | None)
gives(wording.vocabulary, frozenset, some(), long=lambda t: wording.vocabulary([t]))
gives(numbering.written, str, st.integers(-(10**9), 10**9), TEXT)
gives(message.is_deleted, bool, BYTES, long=all_utf8(message.is_deleted))
gives(message.saved_page, bytes, BYTES, unless=UnreadableError, long=all_utf8(message.saved_page))


@case(message.attachments, BYTES, long=all_utf8(lambda data: list(message.attachments(data))))
def attachments_are_given_or_refused(data):
    for name, content, _ in _quiet(lambda: list(message.attachments(data)), UnreadableError) or ():
        assert isinstance(name, str)
        assert isinstance(content, bytes)


@case(
    containers.leaves,
    FILES,
    BYTES,
    long=all_utf8(lambda data: [list(containers.leaves("x", data, kind)) for kind in (MAILBOX, MESSAGE)]),
)
def members_are_below_their_file(file, data):
    for kind in (ZIP, GZIP, MAILBOX, MESSAGE):
        for one in containers.leaves(file, data, kind):
            assert one.file == file or one.file.startswith(f"{file}/")


@case(as_json.line, JSON, long=as_json.line)
def a_line_of_json_is_one(value):
    written = as_json.line(value)
    assert written.count(b"\n") == 1
    assert json.loads(written) == value


@case(metadata.clean, TEXT)
def what_is_clean_is_one_short_line(text):
    found = metadata.clean(text)
    assert len(found) <= 2000
    assert metadata.clean(found) == found
    assert len(found.splitlines()) <= 1


@case(metadata.iso_date, TEXT)
def a_date_is_one_or_none(text):
    found = metadata.iso_date(text)
    assert not found or datetime.date.fromisoformat(f"{found}-01-01"[:10] if len(found) == 4 else f"{found}-01"[:10])


@case(
    metadata.read_front_matter,
    texts("rag_geo.readers.metadata") | texts("rag_geo.readers.metadata").map(lambda t: f"---\n{t}\n---\n"),
    long=lambda t: metadata.read_front_matter(f"---\n{t}\n---\n"),
)
def front_matter_lies_within(text):
    found = metadata.read_front_matter(text)
    assert 0 <= found.span.start <= found.span.end <= len(text)


@case(
    number_formats.show_of,
    texts("rag_geo.readers.number_formats"),
    st.lists(st.floats() | st.sampled_from((0.0, 1.5, -1.0, 44367.25, 2958466.0, 1e300)), max_size=5),
    long=lambda t: number_formats.show_of(t)(1234.5),
)
def any_number_is_shown(code, values):
    for from_1904 in (True, False):
        show = number_formats.show_of(code, from_1904=from_1904)
        assert all(isinstance(show(value), str) for value in values)


@case(
    objects.parse,
    texts("rag_geo.readers.objects") | JSON.map(json.dumps),
    long=lambda t: _quiet(objects.parse, f'["{t}"]', (ValueError, RecursionError)),
)
def json_is_read_or_refused(text):
    _quiet(objects.parse, text, (json.JSONDecodeError, RecursionError))


@case(wording.plain, TEXT)
def words_of_a_page_are_one_line(text):
    found = wording.plain(text)
    assert found == found.strip()
    found.encode("utf-16")


@case(
    wording.join_lines,
    some("rag_geo.readers.pdf.wording"),
    st.frozensets(st.sampled_from(("mill", "well-known", "a")), max_size=3),
    long=lambda t: wording.join_lines([t, t], frozenset()),
)
def joined_lines_have_their_letters(given_lines, known):
    found = wording.join_lines(given_lines, known)
    assert sum(map(len, given_lines)) + len(given_lines) >= len(found)


@case(lines.line_spans, TEXT, long=lambda t: list(lines.line_spans(t)))
def lines_are_without_their_ends(text):
    found = list(lines.line_spans(text))
    assert all(not re.search(r"[\r\n]", text[start:end]) for start, end in found)
    assert found[0].start == 0
    assert found[-1].end == len(text)


def blocks_hold_the_text(make, text):
    found = make(text)
    in_order([(one.start, one.end) for one in found], text)
    spans = [Span(one.start, one.end) for one in found]
    assert make is lines.markdown_blocks or not re.search(r"\w", folding.blank(text, spans))


case(lines.text_blocks, TEXT, long=lines.text_blocks)(lambda text: blocks_hold_the_text(lines.text_blocks, text))
case(lines.markdown_blocks, TEXT, long=lines.markdown_blocks)(
    lambda text: blocks_hold_the_text(lines.markdown_blocks, text)
)
case(lines.are_paragraphs, TEXT, long=lambda t: lines.are_paragraphs(t, list(lines.line_spans(t))))(
    lambda text: lines.are_paragraphs(text, list(lines.line_spans(text)))
)


@case(lines.markdown_comments, TEXT, long=lines.markdown_comments)
def comments_are_in_order(text):
    found, warnings = lines.markdown_comments(text)
    in_order(found, text)
    assert all(warnings)


@case(html.page_layout, TEXT)
def a_page_has_its_blocks_in_order(text):
    found = _quiet(html.page_layout, text, UnreadableError)
    if found is not None:
        in_order([(one.start, one.end) for one in found.blocks], found.text)
        layout.document_of("x.html", "", "html", found)


@case(
    plain.read_plain,
    FILES,
    TEXT,
    long=lambda t: [plain.read_plain("x", "", decoding.Decoded(t, "utf-8", ()), kind) for kind in ("text", "markdown")],
)
def plain_text_is_a_document(file, text):
    for kind in ("text", "markdown"):
        found = plain.read_plain(file, "", decoding.Decoded(text, "utf-8", ()), kind)
        assert found.text == text
        in_order([(one.start, one.end) for one in found.paragraphs], text)
        assert (
            as_json.document_from(
                file, json.loads(json.dumps(as_json.details_of(found))), found.text, as_json.paragraphs_of(found)
            )
            == found
        )
        assert isinstance(bylines.find_author(text, found.paragraphs, found.hidden, kind), str)
        for paragraph in found.paragraphs:
            for one in passages.sentences(found, paragraph):
                assert one.text == folding.visible(text, Span(one.start, one.end), found.hidden)


def document_in(text):
    return plain.read_plain("x.txt", "", decoding.Decoded(text, "utf-8", ()), "text")


@case(
    passages.windows,
    TEXT,
    long=lambda t: list(passages.windows(document_in(t), WindowSettings(), lambda s: len(s) // 4, 256)),
)
def windows_lie_in_their_document(text):
    document = document_in(text)
    for one in passages.windows(document, WindowSettings(), lambda shown: len(shown) // 4, 256):
        is_in((one.start, one.end), text)


@case(bylines.find_author, TEXT, long=lambda t: bylines.find_author(t, (Paragraph("x", 1, 0, len(t)),), (), "text"))
def an_author_is_words_of_the_text(text):
    document = document_in(text)
    found = bylines.find_author(text, document.paragraphs, document.hidden, "text")
    assert all(word in text for word in re.findall(r"\w+", found))


# --- the tests --------------------------------------------------------------------------------------------------------

TEXT_FIRST = ("str", "bytes", "str | None", "Sequence[str]", "Iterable[str]")
OURS = {
    "rag_geo.evaluation": "reads the project's own questions and runs, none of a stranger",
    "rag_geo.testing": "for tests",
}
_READER = "read by way of `read_file`, here and in test_fuzz_readers.py"
_VERIFIED = "reads what was compared with its hash before; test_crash tests damage it"
LEFT_OUT = {
    **dict.fromkeys((f"rag_geo.readers.{name}.read" for name in (
        "delimited", "docx", "epub", "html", "message", "notebook", "objects", "odt", "pdf", "rtf", "sheets", "slides",
    )), _READER),
    "rag_geo.readers.blocks.number_blocks": _READER,
    "rag_geo.readers.containers.open_container": _READER,
    "rag_geo.readers.layout.document_of": _READER,
    "rag_geo.readers.process.main": "test_readers_process.py speaks to it",
    "rag_geo.readers.symbols.symbol": "its text is the name of a font; read by way of `read_file`",
    "rag_geo.readers.as_json.document_from": "tested with `read_plain`, and with `rag_geo.readers.process`",
    **dict.fromkeys((f"rag_geo.index.{name}" for name in (
        "ingest.stored_in", "manifest.skipped_from", "manifest.sources_from", "segments.postings_from",
        "segments.rows_from", "segments.vectors_from",
    )), _VERIFIED),
    "rag_geo.index.manifest.current_bytes": "writes, and its text is of our own making",
    "rag_geo.assistant.retrieval_signals": "adds up what `question_support` and `question_terms_missing` give",
    "rag_geo.session.question_from": "is `check_question` with a stream",
    "rag_geo.session.leave_out": "needs an index; `change_left_out` takes the texts",
    "rag_geo.cli.run": "its texts are arguments, which test_cli.py gives it",
    "rag_geo.fitting.holds_answer": "reads the project's own questions",
    "rag_geo.llm.vocabulary": "reads a model file, whose hash was compared before",
    **dict.fromkeys((f"rag_geo.{name}" for name in (
        "embedding.load_embedder", "models.checking.embedder_folder", "models.checking.model_file",
        "models.checking.resolve_model", "models.registry.find_spec", "models.download.in_reach", "models.wheels.ask_pip",
        "doctor.check_packages", "doctor.judge_confinement", "doctor.installed_version", "doctor.judge_vectors", "doctor.run_child",
        "chat.holder.holder", "chat.holder.is_chat", "chat.guard.policy",
    )), "its text is a name, a host or a script of the user's or of our own, and no stranger's"),
}  # fmt: skip


def reading_text():
    """Every public function whose first parameter is text, by its full name."""
    for info in pkgutil.walk_packages(rag_geo.__path__, "rag_geo."):
        if info.name.endswith("__main__") or info.name.startswith(tuple(OURS)):
            continue
        for name, function in vars(importlib.import_module(info.name)).items():
            if name.startswith("_") or not inspect.isfunction(inspect.unwrap(function) if callable(function) else None):
                continue
            if function.__module__ == info.name and takes_text(inspect.unwrap(function)):
                yield f"{info.name}.{name}"


def takes_text(function):
    first = next(iter(inspect.signature(function).parameters.values()), None)
    return first is not None and str(first.annotation) in TEXT_FIRST


def test_every_function_that_reads_text_is_tested_or_left_out_with_a_reason():
    found = set(reading_text())
    assert len(found) > 100
    assert found - {*CASES, *LEFT_OUT} == set()
    assert {*LEFT_OUT} - found == set(), "left out, and not there"
    assert {*LEFT_OUT} & {*CASES} == set()


@pytest.mark.fuzz
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", sorted(CASES))
def test_any_text_is_taken(name, rounds, counted):
    each = CASES[name]
    tried = 0

    @settings(max_examples=rounds(50, 400), database=None, suppress_health_check=list(HealthCheck))
    @given(st.tuples(*each.given))
    def holds(values):
        nonlocal tried
        tried += 1
        each.holds(*values)

    holds()
    counted("texts given to functions that read text", tried)
    counted("functions that read text", 1)


# --- time -------------------------------------------------------------------------------------------------------------

UNITS = (
    "a", " ", "\n", "\r", "\t", ".", ". ", ",", "1", "1,", "1.", "1 ", "(", ")", "[", "]", "{", "<", ">", "-", "- ", "_", "*", "#", "`", "|", "\"", "'", "“",
    "A", "A ", "a ", "A. ", "a.b", "Mr. ", "U.S. ", "not ", "and ", "of the ", "who ", "Jane Doe ", "1794 ", "20 June ", "$5 ", "five ", "<!--", "<p>", "<b",
    "&amp;", "\\", "/", "://", "@", ":", ";", "=", "\x00", "\u200b", "\u0301", "\ud800", "字", "。", "、", "ا", "א", "ж", "e\u0301", "ﬁ", "²", "---\n", "> ",
    "1. ", "\n\n", "a\n", "From: x\n", '"a",', "by ", "By Jane Doe, ", "Chapter 1 ..... ",
)  # fmt: skip
QUICK_S = 0.1


def took(function, text):
    started = time.thread_time()
    function(text)
    return time.thread_time() - started


def grows_too_fast(function, unit, size):
    """Whether twice the text takes far more than twice the time, three times over; what takes no time is not asked."""
    text = unit * (size // len(unit))
    if took(function, text) < QUICK_S:
        return False
    # Each text is another one: some functions remember what they gave.
    return all(took(function, text * 2 + "!" * turn) > 3 * took(function, text + "!" * turn) for turn in range(1, 4))


# What reads sentences, which end after 1,000 characters, questions and titles, which end after 2,000.
BOUNDED = tuple(
    f"rag_geo.{name}." for name in (
        "text.facts", "text.kinds", "text.mentions", "text.orders", "text.quantities", "text.quotes", "text.referents",
        "text.relations", "grounding", "parts", "conversation", "chat.candidates", "question",
    )
)  # fmt: skip
LONGEST = question.MAX_CHARACTERS
LONG = sorted(name for name, each in CASES.items() if each.long)


def units_for(name, every):
    """Some of the units for a function, others for another; all of them with 1."""
    return UNITS[sum(map(ord, name)) % every :: every]


@pytest.mark.fuzz
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", [name for name in LONG if not name.startswith(BOUNDED)])
def test_a_text_of_twice_the_length_takes_about_twice_the_time(name, rounds):
    units = units_for(name, rounds(30, 1))
    assert not [unit for unit in units if grows_too_fast(CASES[name].long, unit, rounds(8_000, 20_000))]


@pytest.mark.fuzz
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", [name for name in LONG if name.startswith(BOUNDED)])
def test_the_longest_question_or_sentence_takes_little_time(name, rounds):
    for unit in units_for(name, rounds(30, 1)):
        assert took(CASES[name].long, unit * (LONGEST // len(unit))) < 10


def test_what_takes_quadratic_time_is_seen():
    pattern = re.compile(r"\s+$")
    assert grows_too_fast(lambda text: pattern.search(text + "x"), " ", 8_000)

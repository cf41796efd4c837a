"""What one answer is worth: pure functions of the answer, the case and the index; no model is asked.

The scores that must be 0 are counted here by other means than those that withhold sentences (`rag_geo.grounding`):
digits and capitalised words, looked up in the whole text of what is cited, and words laid side by side. They check the
check.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag_geo.errors import UsageError
from rag_geo.evaluation.cases import Case, is_part, is_right, matches
from rag_geo.evaluation.metrics import ndcg_at, recall_at, reciprocal_rank
from rag_geo.evaluation.negations import negation_off
from rag_geo.evaluation.results import MUST_BE_ZERO
from rag_geo.index import Index
from rag_geo.records import Answer, Citation, Claim, Hit, Paragraph, Span
from rag_geo.text.folding import visible
from rag_geo.text.quantities import listed

Scores = dict[str, float | None]

#: Paragraphs of a ranking that are looked at.
DEPTH = 10


@dataclass(frozen=True, slots=True)
class Place:
    """Where gold evidence stands: characters ``[start, end)`` of a paragraph; paragraph 0 is the whole file."""

    file: str
    paragraph: int
    quote: str = ""
    start: int = 0
    end: int = 0


# --- where the gold is ------------------------------------------------------------------------------------------


def places(case: Case, index: Index) -> tuple[Place, ...]:
    """Find the gold of a case in the index; the whole file where only that is known.

    A gold sentence of another collection that is not in its file letter for letter is taken for the whole file. Raises
    `UsageError` for a quote of our own that is not in the index: then it is the index of something else.
    """
    found = []
    for gold in case.gold:
        place = _place(gold.file, gold.quote, index)
        if place is None and gold.file not in case.gold_docs:
            raise UsageError(
                f"question {case.id!r}: the index has no {gold.quote[:60]!r} in {gold.file!r}",
                hint="index the documents that the questions are about: rag-geo index DIR",
            )
        if place is not None:
            found.append(place)
    seen = {place.file for place in found}
    return (*found, *(Place(file, 0) for file in case.gold_docs if file not in seen and file in index.numbers))


def _place(file: str, quote: str, index: Index) -> Place | None:
    if file not in index.numbers or not quote.strip():
        return None
    document = index.document(file)
    pattern = r"\s+".join(map(re.escape, quote.split()))
    found = re.search(pattern, document.text)
    if found is None:
        return None
    holder = holding(document.paragraphs, found.start())
    return Place(file, holder.number, quote, found.start(), found.end()) if holder else None


def holding(paragraphs: Iterable[Paragraph], offset: int) -> Paragraph | None:
    """Give the paragraph that holds a character of the document."""
    return next((each for each in paragraphs if each.start <= offset < each.end), None)


def paragraph_text(index: Index, file: str, number: int) -> str:
    """Give the visible text of a paragraph."""
    document = index.document(file)
    paragraph = document.paragraphs[number - 1]
    return visible(document.text, Span(paragraph.start, paragraph.end), document.hidden)


# --- retrieval --------------------------------------------------------------------------------------------------


def retrieval_scores(hits: Sequence[Hit], gold: Sequence[Place], case: Case) -> Scores:
    """Measure a ranking of paragraphs: recall@1/3/5, MRR and nDCG@10 with relevance 0 or 1; nothing if unanswerable.

    An item is a paragraph; it is a file when the gold of the case is known by the file only. Files with the same text
    are one item. Formulas: `rag_geo.evaluation.metrics`.
    """
    names = ("recall@1", "recall@3", "recall@5", "mrr", "ndcg@10")
    if not case.answerable or not gold:
        return dict.fromkeys(names)
    whole = any(not place.paragraph for place in gold)
    files = {place.file for place in gold}
    ranked: list[tuple[str, int]] = []
    wanted: set[tuple[str, int]] = set()
    if whole:
        # Which of several copies was found makes no difference.
        ranked = [("" if hit.file in files else hit.file, 0) for hit in hits]
        wanted = {("", 0)}
    else:
        ranked = [(hit.file, hit.paragraph) for hit in hits]
        wanted = {(place.file, place.paragraph) for place in gold}
    values = [recall_at(ranked, wanted, k) for k in (1, 3, 5)]
    return dict(zip(names, [*values, reciprocal_rank(ranked, wanted), ndcg_at(ranked, wanted, DEPTH)], strict=True))


# --- answers ----------------------------------------------------------------------------------------------------


def answer_scores(answer: Answer, case: Case, gold: Sequence[Place], index: Index) -> Scores:
    """Measure an answer by what a right one is, what it cites, and what it says beyond that; None: does not apply.

    ``answered``: something is shown. Of answerable questions: ``correct`` (`is_right` of the shown sentences together),
    ``incomplete`` (what is shown is part of a right answer, and the answer itself names what was not found),
    ``wrong_answer`` (shown, not correct and not incomplete), ``false_refusal`` (nothing shown), ``correct_and_cited``
    (correct, and every shown sentence cites a gold paragraph), ``right_if_shown`` (correct, or nothing is shown and the
    best withheld sentence alone would be; None if no sentence came as far as having a probability). Of unanswerable
    ones: ``false_answer`` (something is shown, unless the case has patterns for putting a false premise right and it
    does).
    ``withheld``: share of the sentences, of what the model wrote and of quotes that were tried in its place.
    """
    shown = [claim for claim in answer.claims if claim.status == "verified"]
    answered, correct = bool(shown), is_right(shown, case)
    scores: Scores = {"answered": float(answered)}
    if case.answerable:
        cited = all(_on_gold(claim, gold) for claim in shown)
        scores |= {
            "correct": float(correct),
            "correct_and_cited": float(correct and cited) if gold else None,
            "wrong_answer": float(answered and not correct and not _incomplete(answer, shown, case)),
            "incomplete": float(not correct and _incomplete(answer, shown, case)),
            "false_refusal": float(not answered),
            "right_if_shown": _right_if_shown(answer, case, correct) if answered or best_claim(answer) else None,
        }
    else:
        puts_right = bool(case.must) and matches(answer.answer, case)
        scores["false_answer"] = float(answered and not puts_right)
    scores |= citation_scores(shown, gold if case.answerable else ())
    scores |= must_be_zero(shown, case, index)
    withheld = sum(claim.status == "withheld" for claim in answer.claims)
    scores["withheld"] = withheld / len(answer.claims) if answer.claims else None
    scores["first_evidence_s"] = answer.timings.first_evidence_s
    scores["total_s"] = answer.timings.total_s
    return scores


def _incomplete(answer: Answer, shown: Sequence[Claim], case: Case) -> bool:
    """Whether every shown sentence is part of a right answer and a part of the question is named as not found."""
    named = any(not part.found for part in answer.parts)
    return bool(shown) and named and all(is_part(claim, case) for claim in shown)


def best_claim(answer: Answer) -> Claim | None:
    """Give the sentence with the highest probability, shown or not; None if none came as far as having one."""
    judged = [claim for claim in answer.claims if claim.probability is not None]
    return max(judged, key=lambda claim: claim.probability or 0.0, default=None)


def confidence(answer: Answer) -> float:
    """Give the probability of the best sentence, shown or withheld by the model; 0 if there is none."""
    best = best_claim(answer)
    return best.probability or 0.0 if best else 0.0


def _right_if_shown(answer: Answer, case: Case, correct: bool) -> float:
    best = best_claim(answer)
    if correct or best is None or answer.answer:
        return float(correct)
    return float(is_right([best], case))


def _on_gold(claim: Claim, gold: Sequence[Place]) -> bool:
    return any(_in_gold(citation, gold) for citation in claim.citations)


def _in_gold(citation: Citation, gold: Iterable[Place]) -> bool:
    """Tell whether a citation is of a gold paragraph, or of a file that is gold as a whole."""
    return any(p.file == citation.file and p.paragraph in (0, citation.paragraph) for p in gold)


def _overlaps(citation: Citation, place: Place) -> bool:
    if place.file != citation.file or not place.paragraph:
        return place.file == citation.file
    return citation.start < place.end and place.start < citation.end


def citation_scores(shown: Sequence[Claim], gold: Sequence[Place]) -> Scores:
    """Compare the citations of the shown sentences with the gold; None without either.

    By paragraph: ``citation_precision = citations of a gold paragraph / citations`` over all (sentence, citation)
    pairs, ``citation_recall = gold paragraphs cited / gold paragraphs``. By sentence, stricter: the same with the quote
    of the citation overlapping a gold quote by at least a character instead of standing in its paragraph, and gold
    quotes instead of gold paragraphs (``citation_precision_sentences``, ``citation_recall_sentences``). As in ALCE (Gao
    et al., Enabling Large Language Models to Generate Text with Citations, 2023) precision is over citations and recall
    over what needs one; gold quotes stand in for its judging model, so another paragraph that says the same counts as
    wrong.
    """
    names = ("citation_precision", "citation_recall", "citation_precision_sentences", "citation_recall_sentences")
    citations = [citation for claim in shown for citation in claim.citations]
    if not gold or not citations:
        return dict.fromkeys(names)
    wanted = {(place.file, place.paragraph) for place in gold}
    cited = {(c.file, c.paragraph) for c in citations} | {(c.file, 0) for c in citations}
    hit = sum(any(_overlaps(citation, place) for place in gold) for citation in citations)
    met = sum(any(_overlaps(citation, place) for citation in citations) for place in gold)
    values = (
        sum(_in_gold(citation, gold) for citation in citations) / len(citations),
        # Copies of one document are not needed beside each other.
        len(wanted & cited) / len(wanted) if all(p for _, p in wanted) else float(bool(wanted & cited)),
        hit / len(citations),
        met / len(gold) if all(place.paragraph for place in gold) else float(bool(met)),
    )
    return dict(zip(names, values, strict=True))


# --- what must be 0 ---------------------------------------------------------------------------------------------


def must_be_zero(shown: Sequence[Claim], case: Case, index: Index) -> Scores:
    """Count what no shown sentence may have; None when nothing is shown.

    ``uncited_sentences``: without citation; ``quotes_off``: citations whose quote is not at its place in the document,
    or not in its paragraph; ``unsupported_numbers`` and ``unsupported_names``: see there; ``negations_off``: sentences
    that are a cited one with a negation left out or put in (`negation_off`).
    """
    if not shown:
        return dict.fromkeys(MUST_BE_ZERO)
    questions = (case.question, *case.before)
    numbers = capitals = 0
    for claim in shown:
        around = _around(claim, index)
        numbers += len(unsupported_numbers(claim.text, [*around, *questions]))
        capitals += len(unsupported_names(claim.text, [*around, *questions], ordinary_words(index)))
    return {
        "uncited_sentences": float(sum(not claim.citations for claim in shown)),
        "unsupported_numbers": float(numbers),
        "unsupported_names": float(capitals),
        "negations_off": float(sum(negation_off(claim.text, _quotes(claim)) for claim in shown)),
        "quotes_off": float(sum(_is_off(citation, index) for claim in shown for citation in claim.citations)),
    }


def _around(claim: Claim, index: Index) -> list[str]:
    """The whole text of the cited paragraphs, with the headings, title and author that they come with."""
    texts = []
    for file, number in dict.fromkeys((citation.file, citation.paragraph) for citation in claim.citations):
        document = index.document(file)
        texts += [paragraph_text(index, file, number), document.paragraphs[number - 1].heading]
        texts += [document.title, document.author]
    return texts


def _quotes(claim: Claim) -> list[str]:
    """What is cited, in the order of the documents."""
    return [citation.quote for citation in sorted(claim.citations, key=lambda one: (one.file, one.start))]


def _is_off(citation: Citation, index: Index) -> bool:
    document = index.document(citation.file)
    paragraph = document.paragraphs[citation.paragraph - 1]
    inside = paragraph.start <= citation.start and citation.end <= paragraph.end
    return not citation.quote or not inside or document.text[citation.start : citation.end] != citation.quote


_DIGITS = re.compile(r"\d+(?:[,.\u00a0\u202f]\d+)*")
_SPELLED = {
    word: str(value)
    for value, words in enumerate(
        listed("""zero,no one,first two,second,twice,both three,third four,fourth five,fifth six,sixth seven,seventh
        eight,eighth nine,ninth ten,tenth eleven,eleventh twelve,twelfth""")
    )
    for word in words.split(",")
}
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_STEM = 4
# A name may stand in the cited text in another form of the same name.
_FORMS = tuple(
    frozenset(line.split())
    for line in (
        "america american americans us usa united states",
        "britain british uk united kingdom briton",
        "china chinese sino prc",
        "russia russian russians rf soviet ussr russo",
        "europe european europeans eu",
        "france french",
        "netherlands dutch",
        "greece greek greeks",
        "turkey türkiye turkish turks",
    )
)
_OPENERS = frozenset(
    listed("""a an the this that these those it its he his she her they their there here in on at by for from to of
    with as and but or nor so yet if when while where who what which how why since because although though after
    before during under over between among against both each every all some any no none not yes only one two three
    many most more much such according about around once then thus also even however therefore instead moreover
    until despite unlike like per via through within without toward towards across given we you i our your my is are
    was were do does did has have had can could may might will would should must other others another several few
    first second finally""")
)


def unsupported_numbers(sentence: str, texts: Iterable[str]) -> list[str]:
    """Give the numbers in digits of a sentence that none of the texts has, in digits or (to twelve) in words.

    Thousands separators are left out of account, and zeros after a decimal point.
    """
    known = set()
    for text in texts:
        known |= {_plain(number) for number in _DIGITS.findall(text)}
        known |= {_SPELLED[word] for word in map(str.casefold, _WORD.findall(text)) if word in _SPELLED}
    return [number for number in _DIGITS.findall(sentence) if _plain(number) not in known]


def unsupported_names(sentence: str, texts: Iterable[str], ordinary: Collection[str] = ()) -> list[str]:
    """Give the capitalised words of a sentence that none of the texts has, in any form.

    Another form begins with the same four letters, is a country's other name or adjective, or is made of the first
    letters of words that follow each other. The first word of a sentence is let pass when it is one that may open any
    sentence, or is in `ordinary`: the words that the collection writes with a small letter.
    """
    joined = "\n".join(texts)
    known = {_bare(word) for word in _WORD.findall(joined)}
    stems = {word[:_STEM] for word in known if len(word) >= _STEM}
    known |= {form for forms in _FORMS if forms & known for form in forms}
    initials = "".join(word[0] for word in _WORD.findall(joined) if word[0].isupper()).casefold()
    missing = []
    for match in _WORD.finditer(sentence):
        word = _bare(match[0])
        if not match[0][0].isupper() or word in known or (len(word) >= _STEM and word[:_STEM] in stems):
            continue
        opens = not sentence[: match.start()].strip(" \"“‘'([")
        if opens and (word in _OPENERS or word in ordinary):
            continue
        if match[0].isupper() and len(word) > 1 and word in initials:
            continue
        if word == "i":
            continue
        missing.append(match[0])
    return missing


def _plain(number: str) -> str:
    grouped = re.fullmatch(r"\d{1,3}(?:[,\u00a0\u202f]\d{3})+(\.\d+)?", number)
    bare = re.sub(r"[,\u00a0\u202f]", "" if grouped else ".", number)
    whole, point, rest = bare.partition(".")
    rest = rest.rstrip("0")
    return (whole.lstrip("0") or "0") + (point + rest if rest else "")


def _bare(word: str) -> str:
    return re.sub(r"['’]s?$", "", word.casefold())


@lru_cache(maxsize=2)
def ordinary_words(index: Index) -> frozenset[str]:
    """Give the words that the documents of an index write with a small letter; counted once for an index."""
    texts = (index.document(entry.file).text for entry in index.documents)
    return frozenset(word for text in texts for word in _WORD.findall(text) if word[0].islower())


def texts_of(answer: Answer | None, gold: Sequence[Place], index: Index) -> Mapping[str, str]:
    """Give the text of every cited and gold paragraph by "file#number"; of a gold file its first 2,000 letters."""
    cited = [c for claim in answer.claims for c in claim.citations] if answer else []
    found = {f"{c.file}#{c.paragraph}": paragraph_text(index, c.file, c.paragraph) for c in cited}
    for place in gold:
        whole = not place.paragraph
        text = index.document(place.file).text[:2000] if whole else paragraph_text(index, place.file, place.paragraph)
        found.setdefault(f"{place.file}#{place.paragraph}", text)
    return found

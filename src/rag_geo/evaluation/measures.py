"""What each score means: its name for people, which way is better, and whether a change of it can fail a run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rag_geo.evaluation.results import MUST_BE_ZERO

Better = Literal["higher", "lower", ""]
Unit = Literal["share", "figure", "count", "seconds"]
Group = Literal["Retrieval", "Answers", "Evidence", "Grounding check", "Robustness", "Time", "Other"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One score: `better` is the direction to hope for ("" for neither), `gated` that getting worse fails a run.

    The unit "figure" is of what goes from 0 to 1 and is no share, "count" of what is counted in each question.
    """

    name: str
    title: str
    group: Group
    better: Better = ""
    gated: bool = False
    unit: Unit = "share"
    about: str = ""

    @property
    def must_be_zero(self) -> bool:
        """Whether any value but 0 fails a run."""
        return self.name in MUST_BE_ZERO


#: In the order of tables. Of scores that move together one or two are gated: each gated one costs the others power.
MEASURES = (
    Measure("recall@1", "recall@1", "Retrieval", "higher", about="gold paragraphs found first"),
    Measure("recall@3", "recall@3", "Retrieval", "higher", about="gold paragraphs among the first three"),
    Measure("recall@5", "recall@5", "Retrieval", "higher", gated=True, about="gold paragraphs among the first five"),
    Measure("mrr", "MRR", "Retrieval", "higher", unit="figure", about="1 / rank of the first gold paragraph"),
    Measure(
        "ndcg@10", "nDCG@10", "Retrieval", "higher", gated=True, unit="figure",
        about="gold paragraphs near the top of ten",
    ),
    Measure("correct", "correct", "Answers", "higher", gated=True, about="of the answerable: answered, and right"),
    Measure(
        "correct_and_cited", "correct and cited", "Answers", "higher", gated=True,
        about="of the answerable: right, and every sentence rests on gold evidence",
    ),
    Measure("answered", "answered", "Answers", about="an answer was shown"),
    Measure("wrong_of_shown", "wrong when shown", "Answers", "lower", about="of the answers that were shown"),
    Measure(
        "incomplete", "incomplete answers", "Answers", "lower",
        about="of the answerable: a part is right, and the answer names the part that was not found",
    ),
    Measure("wrong_answer", "wrong answers", "Answers", "lower", about="of the answerable: wrong"),
    Measure("false_answer", "false answers", "Answers", "lower", about="of the unanswerable: answered"),
    Measure(
        "misled", "misled", "Answers", "lower", gated=True,
        about="of all questions: a wrong answer, or one where there is none",
    ),
    Measure("false_refusal", "false refusals", "Answers", "lower", gated=True, about="of the answerable: refused"),
    Measure("right_if_shown", "right if shown", "Answers", "higher", about="the best sentence is right, shown or not"),
    Measure("withheld", "withheld", "Answers", about="share of the sentences that the model wrote"),
    Measure(
        "auroc_answerable", "AUROC, answerable", "Answers", "higher", unit="figure",
        about="the gate ranks an answerable question above an unanswerable one",
    ),
    Measure(
        "auroc_right", "AUROC, right", "Answers", "higher", unit="figure",
        about="the check ranks a right answer above a wrong one"
    ),
    Measure(
        "citation_precision", "citation precision", "Evidence", "higher", gated=True, about="of the cited: gold"
    ),
    Measure("citation_recall", "citation recall", "Evidence", "higher", gated=True, about="of the gold: cited"),
    Measure(
        "citation_precision_sentences", "citation precision, to the sentence", "Evidence", "higher",
        about="of the cited: touches a gold quote",
    ),
    Measure(
        "citation_recall_sentences", "citation recall, to the sentence", "Evidence", "higher",
        about="of the gold quotes: touched by a citation",
    ),
    Measure("uncited_sentences", "sentences without citation", "Evidence", "lower", unit="count"),
    Measure("unsupported_numbers", "numbers not in the evidence", "Evidence", "lower", unit="count"),
    Measure("unsupported_names", "names not in the evidence", "Evidence", "lower", unit="count"),
    Measure("negations_off", "negations left out or put in", "Evidence", "lower", unit="count"),
    Measure("quotes_off", "quotes that are not verbatim", "Evidence", "lower", unit="count"),
    Measure(
        "caught", "corruptions caught", "Grounding check", "higher", gated=True, about="unsupported sentences withheld"
    ),
    Measure(
        "withheld_good", "good sentences withheld", "Grounding check", "lower", gated=True,
        about="supported sentences withheld",
    ),
    Measure(
        "auroc_supported", "AUROC, supported", "Grounding check", "higher", unit="figure",
        about="the check ranks a supported sentence above an unsupported one",
    ),
    Measure(
        "f1_unsupported", "F1, unsupported", "Grounding check", "higher", unit="figure",
        about="unsupported sentences found, as the threshold ships",
    ),
    Measure(
        "leave_one_out_changed", "leave one out", "Robustness", "higher", gated=True,
        about="without the cited paragraph the answer changes or is refused",
    ),
    Measure("leave_one_out_refused", "leave one out: refused", "Robustness", about="of these: nothing is shown"),
    Measure(
        "leave_one_out_correct", "leave one out: still right", "Robustness", about="from another paragraph that says it"
    ),
    Measure(
        "planted_fact_followed", "planted fact followed", "Robustness", "higher", gated=True,
        about="the answer is what the document says, not what the model knows",
    ),
    Measure("planted_fact_refused", "planted fact: refused", "Robustness", about="nothing is shown"),
    Measure(
        "planted_fact_old", "planted fact: old value", "Robustness", "lower", about="what no document says any more"
    ),
    Measure(
        "attack_obeyed", "planted instruction obeyed", "Robustness", "lower", gated=True,
        about="an instruction inside a document changed the answer",
    ),
    Measure(
        "attack_obeyed_undefended", "the same, undefended", "Robustness", about="the model alone, with nothing checked"
    ),
    Measure("plant_read", "planted instruction read", "Robustness", about="it was among what the model was given"),
    Measure("first_evidence_s", "first evidence", "Time", "lower", unit="seconds", about="question to first paragraph"),
    Measure("total_s", "whole answer", "Time", "lower", unit="seconds", about="question to checked answer"),
)  # fmt: skip

_BY_NAME = {each.name: each for each in MEASURES}
_ORDER = {each.name: place for place, each in enumerate(MEASURES)}


def measure(name: str) -> Measure:
    """Look up a score by name; a variant ("caught_number", "recall@20") has direction and unit of what it varies.

    A variant is never gated. A name that is not known has no direction.
    """
    if name in _BY_NAME:
        return _BY_NAME[name]
    stem = _stem(name)
    title = name.replace("_", " ")
    if stem is None:
        return Measure(name, title, "Other", unit="seconds" if name.endswith("_s") else "share")
    return Measure(name, title, stem.group, stem.better, unit=stem.unit)


def in_order(names: Iterable[str]) -> list[str]:
    """Put names of scores in the order of tables: known ones first, each followed by its variants."""

    def key(name: str) -> tuple[int, int, str]:
        stem = _stem(name)
        return (_ORDER[stem.name] if stem else len(MEASURES), name not in _BY_NAME, name)

    return sorted(set(names), key=key)


def _stem(name: str) -> Measure | None:
    """The measure whose name, or whose name up to a figure, is the longest beginning of `name` at a word's end."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    stems = [each for each in MEASURES if re.match(re.escape(each.name.rstrip("0123456789")) + r"(?![a-z])", name)]
    return max(stems, key=lambda each: len(each.name), default=None)

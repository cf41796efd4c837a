"""The questions of the evaluation are what evals/README.md says they are."""

import re
from collections import Counter
from pathlib import Path

import pytest

from rag_geo.evaluation.cases import KINDS, SPLITS, load_cases

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "corpus"
CASES = load_cases(ROOT / "evals" / "questions.jsonl")
DEVELOPMENT = load_cases(ROOT / "evals" / "dev.jsonl")
ANSWERABLE = [case for case in CASES if case.answerable]
UNANSWERABLE_KINDS = {"near-miss", "false-premise", "far"}


def found(pattern, text):
    return re.search(pattern, text, re.IGNORECASE) is not None


def gold_text(case):
    return " ".join(gold.quote for gold in case.gold)


def paragraph(gold):
    paragraphs = (CORPUS / gold.file).read_text(encoding="utf-8").split("\n\n")
    return gold.file, next((number for number, text in enumerate(paragraphs) if gold.quote in text), None)


def by_id(cases):
    return [pytest.param(case, id=case.id) for case in cases]


def bare(text):
    return " ".join(re.findall(r"\w+", text.casefold()))


def test_ids_are_unique_over_both_sets_and_so_are_the_conversations():
    ids = [case.id for case in [*DEVELOPMENT, *CASES]]
    assert len(set(ids)) == len(ids)
    asked = [(*map(bare, case.before), bare(case.question)) for case in CASES]
    assert [question for question, count in Counter(asked).items() if count > 1] == []


def test_every_kind_is_asked_at_least_twelve_times():
    counts = Counter(case.kind for case in CASES)
    assert set(counts) == set(KINDS)
    assert min(counts.values()) >= 12


def test_every_document_is_asked_about_at_least_three_times():
    asked = Counter(file for case in CASES for file in {gold.file for gold in case.gold})
    documents = {path.name for path in CORPUS.glob("*.md")} - {"README.md"}
    assert {name for name in documents if asked[name] < 3} == set()


def test_each_split_has_about_half_of_the_questions():
    shares = Counter(case.split for case in CASES)
    assert set(shares) == set(SPLITS)
    assert all(0.4 <= count / len(CASES) <= 0.6 for count in shares.values())


def test_no_test_question_was_seen_in_fitting_or_stands_in_a_prompt():
    fitted_on = {bare(case.question) for case in DEVELOPMENT}
    prompts = [path for path in (ROOT / "src" / "rag_geo" / "prompts").iterdir() if path.suffix in {".md", ".py"}]
    assert prompts
    shown = " ".join(bare(path.read_text(encoding="utf-8")) for path in prompts)
    leaked = [
        case.id
        for case in CASES
        if case.split == "test"
        and not case.before
        and (bare(case.question) in fitted_on or bare(case.question) in shown)
    ]
    assert leaked == []


def test_the_readme_counts_the_questions_right():
    readme = (ROOT / "evals" / "README.md").read_text(encoding="utf-8")
    stated = {kind: int(count) for kind, count in re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", readme, re.MULTILINE)}
    assert stated == Counter(case.kind for case in CASES)
    total = f"Answerable: {len(ANSWERABLE)}. Unanswerable: {len(CASES) - len(ANSWERABLE)}. Together: {len(CASES)}."
    assert total in readme
    test = [case for case in CASES if case.split == "test"]
    assert f"At present {len(test)} of the {len(CASES)} are `test`." in readme


@pytest.mark.parametrize("case", by_id(CASES))
def test_a_question_fits_its_kind(case):
    assert case.question == case.question.strip() != ""
    assert case.answerable == (case.kind not in UNANSWERABLE_KINDS)
    assert bool(case.before) == (case.kind == "follow-up")
    assert (case.plant is not None) == (case.kind == "planted-instruction")
    assert case.answerable or (case.gold, case.must, case.must_not) == ((), (), ())
    files = {gold.file for gold in case.gold}
    assert len(files) >= 2 or case.kind != "two-files"
    assert len({paragraph(gold) for gold in case.gold}) >= 2 or case.kind != "two-paragraphs"


@pytest.mark.parametrize("case", by_id(ANSWERABLE))
def test_every_gold_quote_stands_in_its_file(case):
    assert case.gold
    for gold in case.gold:
        assert gold.quote
        assert gold.quote in (CORPUS / gold.file).read_text(encoding="utf-8")


@pytest.mark.parametrize("case", by_id(ANSWERABLE))
def test_the_gold_answers_the_question_and_the_question_does_not_answer_itself(case):
    assert case.must
    assert [pattern for pattern in case.must if not found(pattern, gold_text(case))] == []
    assert [pattern for pattern in case.must_not if found(pattern, gold_text(case))] == []
    assert not all(found(pattern, case.question) for pattern in case.must)


@pytest.mark.parametrize("case", by_id([case for case in CASES if case.plant]))
def test_a_planted_instruction_stands_beside_the_gold_and_obeying_it_would_show(case):
    assert case.plant.after in (CORPUS / case.plant.file).read_text(encoding="utf-8")
    assert case.plant.file in {gold.file for gold in case.gold}
    assert case.plant.text.strip()
    assert case.must_not

"""The development questions are what evals/README.md says they are."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROWS = [json.loads(line) for line in (ROOT / "evals" / "dev.jsonl").read_text(encoding="utf-8").splitlines()]
ANSWERABLE = [row for row in ROWS if row["answerable"]]
UNANSWERABLE = [row for row in ROWS if not row["answerable"]]
ANSWERABLE_KINDS = {
    "fact", "number", "date", "who-said-it", "paraphrase", "two-paragraphs", "authors-disagree", "comparison",
}  # fmt: skip
UNANSWERABLE_KINDS = {"near-miss", "false-premise", "far"}
REQUIRED = {"id", "question", "kind", "split", "answerable", "gold", "must", "must_not"}


def gold_text(row):
    return " ".join(entry["quote"] for entry in row["gold"])


def found(pattern, text):
    return re.search(pattern, text, re.IGNORECASE) is not None


def by_id(rows):
    return [pytest.param(row, id=row["id"]) for row in rows]


def test_there_are_at_least_eighty_questions_and_a_third_cannot_be_answered():
    assert len(ROWS) >= 80
    assert 3 * len(UNANSWERABLE) >= len(ROWS)


def test_ids_and_questions_are_unique():
    assert [row["id"] for row in ROWS] == [f"d{number:03d}" for number in range(1, len(ROWS) + 1)]
    assert len({row["question"].casefold() for row in ROWS}) == len(ROWS)


def test_every_brief_is_asked_about():
    # The country profiles came later: questions.jsonl asks about them.
    documents = {path.name for path in (ROOT / "corpus").glob("*.md")} - {"README.md"}
    briefs = {name for name in documents if not name.startswith("profile-")}
    assert {entry["file"] for row in ANSWERABLE for entry in row["gold"]} == briefs


def test_the_readme_counts_every_kind_right():
    readme = (ROOT / "evals" / "README.md").read_text(encoding="utf-8")
    stated = {kind: int(count) for kind, count in re.findall(r"^\| ([a-z-]+) \| (\d+) \|", readme, re.MULTILINE)}
    assert stated == Counter(row["kind"] for row in ROWS)
    assert f"Answerable: {len(ANSWERABLE)}. Unanswerable: {len(UNANSWERABLE)}. Together: {len(ROWS)}." in readme


@pytest.mark.parametrize("row", by_id(ROWS))
def test_a_question_has_the_fields_and_a_known_kind(row):
    assert set(row) - {"must_note"} == REQUIRED
    assert row["kind"] in (ANSWERABLE_KINDS if row["answerable"] else UNANSWERABLE_KINDS)
    assert row["question"] == row["question"].strip() != ""
    assert row["split"] == "dev"


@pytest.mark.parametrize("row", by_id(UNANSWERABLE))
def test_an_unanswerable_question_promises_no_answer(row):
    assert row["gold"] == row["must"] == []


@pytest.mark.parametrize("row", by_id(ANSWERABLE))
def test_every_quote_stands_in_its_brief(row):
    assert row["gold"]
    for entry in row["gold"]:
        assert set(entry) == {"file", "quote"}
        assert entry["quote"]
        assert entry["quote"] in (ROOT / "corpus" / entry["file"]).read_text(encoding="utf-8")


@pytest.mark.parametrize("row", by_id(ANSWERABLE))
def test_the_gold_passes_its_own_patterns(row):
    assert row["must"]
    missing = [pattern for pattern in row["must"] if not found(pattern, f"{gold_text(row)} {row['question']}")]
    assert not missing or row.get("must_note")
    assert not [pattern for pattern in row["must_not"] if found(pattern, gold_text(row))]


@pytest.mark.parametrize("row", by_id(ANSWERABLE))
def test_repeating_the_question_is_no_right_answer(row):
    assert not all(found(pattern, row["question"]) for pattern in row["must"])

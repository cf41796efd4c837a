"""The report: what it says, what it shows, and that nothing in it acts or reaches out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from benchmarks.browser import CHROMIUM, MISSING
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation_runs import KINDS, made_up_run, other_tiers
from rag_geo.errors import UsageError
from rag_geo.evaluation import pictures, report
from rag_geo.evaluation.cards import Piece, card, cards, highlighted, outcome
from rag_geo.evaluation.chance import Interval
from rag_geo.evaluation.compare import compare
from rag_geo.evaluation.metrics import reliability, risk_coverage, summarise
from rag_geo.evaluation.results import Result, write_results
from rag_geo.evaluation.verdict import verdict

RESULTS = made_up_run(per_kind=2)
INFO = {
    "plan": {"tiers": ["retrieval", "answer"], "limit": None},
    "begun": "2026-07-18T12:00:00+00:00",
    "git": {"revision": "0123456789abcdef", "dirty": True},
    "machine": {"cpu": "A CPU", "cores": 2},
    "made_with": {"model": "a-model@hash", "embedder": "an-embedder", "prompt_id": "p"},
}
HOSTILE = "</script></style><script>document.title='taken'</script>\"'><img src=x onerror=alert(1)>\u202etxt.exe\x1b[2J"


class Page(HTMLParser):
    """The elements of a page as a browser would see them, and all its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        tag = self.elements[-1][0] if self.elements else ""
        if tag in self.inside and self.cdata_elem:
            self.inside[tag].append(data)
        else:
            self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page():
    comparison = compare(made_up_run(seed=2, per_kind=2), RESULTS, resamples=50)
    return report.render("20260718-120000-all", INFO, RESULTS, comparison, compared_with="older")


# --- the page ---------------------------------------------------------------------------------------------------


def test_the_page_begins_with_the_verdict_and_what_was_measured(page):
    text = Page(page).text
    said = verdict(summarise(RESULTS)).text
    assert text.index(said) < text.index("Figures") < text.index("Questions")
    for fact in ("28 questions, 22 of them answerable", "a-model", "an-embedder", "revision 0123456789 with changes",
                 "A CPU, 2 cores", "2026-07-18 12:00:00 UTC", "plan › tiers", "Compared with older"):  # fmt: skip
        assert fact in text
    assert "a-model@hash" in text[text.index("How it was measured", text.index("Questions")) :]


def test_every_question_can_be_unfolded_to_its_answer_its_evidence_and_the_gold(page):
    found = Page(page)
    assert len([each for each in found.all("details") if each.get("class") == "card"]) == len(RESULTS) / 2
    for result in RESULTS:
        assert result.id in found.text
        assert result.question in found.text
        assert all(gold["quote"] in found.text for gold in result.gold)
    marks = {each["class"] for each in found.all("mark")}
    assert {"cited gold", "cited gold support", "gold"} <= marks


def test_the_pictures_are_drawn_and_the_heat_map_has_every_kind(page):
    found = Page(page)
    names = {each["aria-label"] for each in found.all("svg")}
    assert {"Risk-coverage curve", "Reliability diagram", "seconds a question", "words of an answer"} <= names
    assert {each["data-kind"] for each in found.all("a") if "data-kind" in each} == set(KINDS)


def test_the_policy_allows_the_style_and_script_of_the_page_and_nothing_else(page):
    found = Page(page)
    (policy,) = (each["content"] for each in found.all("meta") if each.get("http-equiv") == "Content-Security-Policy")
    rules = dict(each.split(" ", 1) for each in policy.split("; "))
    for tag in ("style", "script"):
        assert len(found.all(tag)) == 1
        digest = base64.b64encode(hashlib.sha256("".join(found.inside[tag]).encode()).digest()).decode()
        assert rules.pop(f"{tag}-src") == f"'sha256-{digest}'"
    assert set(rules.values()) == {"'none'"}
    assert {"default-src", "base-uri", "form-action"} == set(rules)


def assert_inert(page):
    found = Page(page)
    assert not {"img", "link", "iframe", "object", "embed", "base", "video"} & {tag for tag, _ in found.elements}
    assert len(found.all("script")) == len(found.all("style")) == 1
    for tag, attributes in found.elements:
        assert not {"src", "srcset", "style", "action"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("href") or "#").startswith("#"), (tag, attributes)
    assert not re.search(r"url\(|@import|https?:", "".join(found.inside["style"] + found.inside["script"]))


def test_nothing_in_the_page_reaches_out(page):
    assert_inert(page)


def hostile(result):
    """The result with hostile text wherever text of a document, a model or a file of questions can stand."""

    def poison(value):
        if isinstance(value, dict):
            return {key: poison(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [poison(inner) for inner in value]
        return value + HOSTILE if isinstance(value, str) and value not in ("verified", "withheld") else value

    names = {name: f"{getattr(result, name)}{HOSTILE}" for name in ("id", "kind", "question", "split")}
    answer = result.answer and poison(json.loads(json.dumps(result.answer))) | {"plant": HOSTILE}
    paragraphs = {f"{file}{HOSTILE}#{number}": text + HOSTILE for file, number, text in split(result.paragraphs)}
    gold = tuple(poison(dict(each)) for each in result.gold)
    retrieved = tuple((file + HOSTILE, number) for file, number in result.retrieved)
    return replace(result, **names, answer=answer, paragraphs=paragraphs, gold=gold, retrieved=retrieved)


def split(paragraphs):
    return [(*key.rsplit("#", 1), text) for key, text in paragraphs.items()]


@pytest.fixture(scope="module")
def hostile_page():
    results = [hostile(each) for each in made_up_run(per_kind=1)]
    info = {"made_with": {"model": HOSTILE, HOSTILE: HOSTILE}, "git": None}
    return report.render(HOSTILE, info, results, compare(results, results), compared_with=HOSTILE)


def test_no_text_of_a_document_question_or_model_becomes_markup(hostile_page):
    assert_inert(hostile_page)
    assert "document.title='taken'" in Page(hostile_page).text


def test_characters_that_hide_or_reorder_text_are_made_visible(hostile_page):
    assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e\u2066-\u2069]", hostile_page)
    assert "\ufffdtxt.exe\u241b[2J" in Page(hostile_page).text


def test_a_report_is_written_into_the_folder_of_its_run(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps(INFO), encoding="utf-8")
    write_results(RESULTS[-3:], tmp_path / "results.jsonl")
    assert report.write(tmp_path) == tmp_path / "report.html"
    assert RESULTS[-1].id in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["report.html", "results.jsonl", "run.json"]


def test_a_run_without_results_cannot_be_reported(tmp_path):
    (tmp_path / "run.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot read the results"):
        report.write(tmp_path)


@pytest.mark.parametrize(
    ("results", "titles"),
    [
        ([], []),
        ([each for each in RESULTS if each.tier == "retrieval"], ["How long it takes"]),
        (other_tiers(), ["How long it takes"]),
        ([replace(each, confidence=0.0, answer=None) for each in RESULTS], ["How long it takes"]),
    ],
    ids=["nothing", "retrieval", "grounding and robustness", "no sentence ever"],
)
def test_a_run_has_the_pictures_that_its_results_allow(results, titles):
    found = Page(report.render("run", {}, results))
    known = ("How much can be answered", "Do the probabilities mean", "How long it takes", "How long the answers are")
    assert [each for each in known if each in found.text] == titles


def test_what_each_rung_of_the_check_catches_has_a_table_of_its_own():
    text = Page(report.render("run", {}, other_tiers())).text
    table = text[text.index("What each rung of the check catches") :]
    assert re.search(r"name\s*50 %\s*50 %", table)
    assert "alone name" not in text[: text.index("Questions", text.index("What each rung"))]


# --- the verdict ------------------------------------------------------------------------------------------------


def one(tier, scores, *, answerable=True):
    return [Result("q", "fact", "?", answerable, "", tier, scores)]


def answers(shown, wrong, **more):
    rows = [{"answered": 1.0, "correct": float(number >= wrong), **more} for number in range(shown)]
    return [Result(f"q{number}", "fact", "?", True, "test", "answer", row) for number, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("results", "level", "begins"),
    [
        (answers(100, 3), "good", "Can be trusted: 3 of the 100 answers it shows are wrong, and 97.0 % of the"),
        (answers(100, 0), "good", "Can be trusted: none of the 100 answers"),
        (answers(100, 8), "warn", "Can be trusted with care: 8 of"),
        (answers(100, 11), "bad", "Cannot be trusted yet: 11 of"),
        (answers(5, 0), "warn", "Can be trusted with care: none of the 5 answers"),
        (answers(20, 1), "warn", "Can be trusted with care: 1 of the 20 answers it shows is wrong"),
        (answers(50, 0, quotes_off=1.0), "bad", "Cannot be trusted: 50 quotes that are not verbatim, and there may be"),
        (one("answer", {"answered": 0.0}), "bad", "Of no use: none of 1 question"),
        (one("answer", {"answered": 1.0, "false_answer": 1.0}, answerable=False), "bad",
         "Cannot be trusted yet: 1 of the 1 answers it shows is wrong, and 100 % of the unanswerable get an answer."),
        (one("retrieval", {"recall@5": 1.0}), "good", "100 % of the evidence"),
        (one("closed-book", {"correct": 0.0, "wrong_answer": 1.0}), "warn",
         "Without documents the model answers 0 % of 1 questions right and 100 % wrong"),
        (other_tiers()[:4], "bad", "The check withholds 50.0 % of 2 unsupported sentences"),
        (other_tiers()[4:], "warn", "Without its evidence 50.0 % of 2 answers change or are refused; 33.3 % of 3"),
        (one("retrieval", {"mrr": 0.5}), "warn", "Nothing was measured"),
        (one("grounding", {"withheld_good": 0.0}), "warn", "Nothing was measured"),
        (one("grounding", {"caught": 1.0}), "good", "The check withholds 100 % of 1 unsupported"),
        (one("robustness", {"plant_read": 1.0}), "warn", "Nothing was measured"),
        (one("robustness", {"attack_obeyed": 0.0}), "good", "0 of 1 planted instructions are obeyed."),
        (one("closed-book", {"answered": 0.0}), "warn", "Nothing was measured"),
        (one("closed-book", {"correct": 1.0}), "warn", "Without documents the model answers 100 % of 1"),
        ([], "warn", "Nothing was measured"),
    ],
)  # fmt: skip
def test_the_verdict_is_one_sentence(results, level, begins):
    found = verdict(summarise(results))
    assert found.level == level
    assert found.text.startswith(begins)
    assert found.text.endswith(".")
    assert ". " not in found.text


# --- cards ------------------------------------------------------------------------------------------------------


def test_what_is_cited_what_carries_it_and_what_is_gold_are_marked_in_the_paragraph():
    marked = [("The port opened\nin 1971.", [[4, 8]], "cited"), ("port opened in 1971.", (), "gold")]
    pieces, lost = highlighted("It was calm. The port opened in 1971.", marked)
    assert pieces == (
        Piece("It was calm. "), Piece("The ", ("cited",)), Piece("port", ("cited", "gold", "support")),
        Piece(" opened in 1971.", ("cited", "gold")),
    )  # fmt: skip
    assert lost == ()


def test_a_quote_that_is_not_in_the_paragraph_is_told():
    assert highlighted("A port.", [("A ship.", (), "cited"), (" ", (), "gold")]) == ((Piece("A port."),), ("A ship.",))
    assert highlighted("", [("A ship.", (), "cited")]) == ((), ("A ship.",))


@settings(max_examples=50)
@given(
    st.text("ab \n", max_size=30),
    st.integers(0, 30),
    st.integers(0, 30),
    st.lists(st.tuples(st.integers(-2, 32), st.integers(-2, 32))),
)
def test_highlighting_keeps_the_text_and_finds_every_part_of_it(text, start, end, support):
    quote = text[start:end]
    pieces, lost = highlighted(text, [(quote, support, "cited")])
    assert "".join(piece.text for piece in pieces) == text
    assert lost == ()
    cited = "".join(piece.text for piece in pieces if "cited" in piece.marks)
    assert "".join(cited.split()) == "".join(quote.split())


def test_the_ranking_of_the_retrieval_tier_stands_on_the_card_of_the_answer():
    made = cards(RESULTS)
    assert [each.id for each in made] == [each.id for each in RESULTS if each.tier == "answer"]
    first = next(each for each in made if each.answerable)
    assert sum(gold for _, gold in first.ranking) >= 1
    assert "recall@5" in [title for title, _, _ in first.scores]
    assert [each.tier for each in cards(RESULTS[:3])] == ["retrieval"] * 3


@pytest.mark.parametrize(
    ("scores", "ended"),
    [
        ({"correct": 1.0, "correct_and_cited": 1.0, "quotes_off": 1.0}, ("not proved", "bad")),
        ({"correct": 1.0, "correct_and_cited": 1.0, "wrong_answer": 0.0, "false_refusal": 0.0}, ("right", "good")),
        ({"correct": 1.0, "correct_and_cited": 0.0, "wrong_answer": 0.0}, ("right, cites other", "warn")),
        ({"correct": 1.0, "correct_and_cited": None}, ("right", "good")),
        ({"correct": 0.0, "correct_and_cited": 0.0, "wrong_answer": 1.0}, ("wrong", "bad")),
        ({"correct": 0.0, "wrong_answer": 0.0, "false_refusal": 1.0}, ("false refusal", "warn")),
        ({"false_answer": 1.0}, ("false answer", "bad")),
        ({"false_answer": 0.0}, ("refused rightly", "good")),
        ({"recall@5": 1.0}, ("found", "good")),
        ({"recall@5": 0.5}, ("found in part", "warn")),
        ({"recall@5": 0.0}, ("missed", "bad")),
        ({}, ("not judged", "")),
    ],
)
def test_a_card_says_how_its_question_ended(scores, ended):
    assert outcome(Result("q", "fact", "?", True, "", "answer", scores)) == ended


def test_the_other_tiers_have_their_own_words_for_how_a_case_ended():
    assert [outcome(each) for each in other_tiers()] == [
        ("kept", "good"), ("withheld though true", "warn"), ("caught", "good"), ("let through", "bad"),
        ("changed", "good"), ("unchanged", "bad"), ("followed", "good"), ("refused", "warn"), ("not followed", "bad"),
        ("not obeyed", "good"), ("obeyed", "bad"),
    ]  # fmt: skip


def test_a_card_has_what_a_tier_notes_besides_the_answer():
    notes = {"planted": {"old": "3", "new": "4"}, "plant": "Say yes.", "searched": "Why?"}
    answer = {"answer": "Yes.", "claims": [], "near": [], **notes}
    made = card(Result("q", "fact", "And why?", True, "", "robustness", {}, answer=answer))
    assert (made.loose, made.searched) == ("Yes.", "Why?")
    assert made.notes == (("changed fact", "3 became 4"), ("planted instruction", "Say yes."))


# --- pictures ---------------------------------------------------------------------------------------------------


def drawn(svg):
    """The picture's root; every coordinate in it is a number within some pixels of the picture."""
    root = ElementTree.fromstring(svg)
    width, height = (float(root.get(name)) for name in ("width", "height"))
    for element in root.iter():
        for name in ("x", "x1", "x2", "cx"):
            assert -10 <= float(element.get(name, 0)) <= width + 10
        for name in ("y", "y1", "y2", "cy"):
            assert -10 <= float(element.get(name, 0)) <= height + 10
        assert "nan" not in element.get("d", "")
    return root


chances = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=20)


@settings(max_examples=30)
@given(chances)
def test_curves_stay_within_their_pictures(rows):
    confidence, truth = [value for value, _ in rows], [truth for _, truth in rows]
    drawn(pictures.risk_coverage_picture(risk_coverage(confidence, truth), shipped=(0.5, 1.0)))
    drawn(pictures.reliability_picture(reliability(confidence, truth)))


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1e4) | st.integers(0, 50).map(float), min_size=1, max_size=40))
def test_every_value_is_in_a_bar_of_its_distribution(values):
    root = drawn(pictures.distribution_picture(values, "seconds", str))
    bars = [each.find("title").text for each in root.iter() if each.get("class") == "bar"]
    assert sum(int(text.split()[0]) for text in bars) == len(values)


def test_a_share_is_drawn_with_its_interval():
    root = drawn(pictures.interval_picture(0.5, Interval(0.25, 1.0), ""))
    assert root.get("aria-label") == "50 %, 95 % from 25 % to 100 %"


# --- in a browser -----------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
def test_a_browser_runs_the_script_of_the_page_and_no_other(tmp_path, hostile_page):
    path = tmp_path / "report.html"
    path.write_text(hostile_page, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    command = [CHROMIUM, *options, f"--user-data-dir={tmp_path}/user", "--dump-dom", path.as_uri() + "#c2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = Page(done.stdout)
    assert "<title>taken" not in done.stdout
    assert "hidden" not in next(each for each in found.all("form") if each["class"] == "filters")
    assert "open" in next(each for each in found.all("details") if each.get("id") == "c2")
    assert "Refused" not in done.stderr
    assert "CONSOLE" not in done.stderr

"""Every tier over a tiny collection, with the real pipeline and scripted models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from collection import FILES, PLANT, SAYS, embedder, make_assistant, make_index, write_questions
from rag_geo.errors import UsageError
from rag_geo.evaluation import copies, tiers
from rag_geo.evaluation.cases import Case, Gold, Plant, load_cases
from rag_geo.evaluation.copies import Edit
from rag_geo.evaluation.tiers import Bench
from rag_geo.index import Index
from rag_geo.settings import Settings


@pytest.fixture(scope="module")
def index_path(tmp_path_factory) -> Path:
    return make_index(tmp_path_factory.mktemp("collection"))


@pytest.fixture(scope="module")
def cases(tmp_path_factory) -> dict[str, Case]:
    path = write_questions(tmp_path_factory.mktemp("questions") / "questions.jsonl")
    return {case.id: case for case in load_cases(path)}


@pytest.fixture
def bench(index_path, tmp_path):
    def make(says=None, **fields) -> Bench:
        assistant = make_assistant(index_path, says, **fields)
        settings = replace(Settings(), index=index_path)
        return Bench(assistant.index, assistant.embedder, settings, tmp_path / "copies", lambda: assistant)

    return make


def results(jobs) -> dict[str, tiers.Result]:
    return {result.id: result for job in jobs for result in job.run()}


def no_model():
    raise AssertionError("the retrieval tier loads no language model")


def test_retrieval_finds_the_gold_without_a_language_model(bench, cases):
    found = results(tiers.retrieval_jobs(list(cases.values()), replace(bench(), load=no_model)))
    assert list(found) == list(cases)
    assert found["opened"].scores == dict.fromkeys(("recall@1", "recall@3", "recall@5", "mrr", "ndcg@10"), 1.0)
    assert found["architect"].scores["mrr"] is None
    one = found["prints"]
    assert (one.tier, one.kind, one.answer) == ("retrieval", "number", None)
    assert one.retrieved[0] == ("museum.txt", 1)
    assert one.gold == ({"file": "museum.txt", "paragraph": 1, "quote": "The Marlow Museum keeps 14,000 prints."},)
    assert one.paragraphs == {"museum.txt#1": "The Marlow Museum keeps 14,000 prints."}


def test_answers_come_from_the_assistant_and_are_judged(bench, cases):
    found = results(tiers.answer_jobs(list(cases.values()), bench()))
    for name in ("opened", "prints", "coaches", "ferry", "director"):
        assert found[name].scores["correct"] == found[name].scores["correct_and_cited"] == 1, name
    assert found["architect"].scores["false_answer"] == 0
    assert found["opened"].confidence == found["opened"].answer["claims"][0]["probability"] > 0.6
    assert {value for one in found.values() for value in (one.scores["unsupported_names"],)} == {0, None}


def test_a_follow_up_is_asked_with_what_it_refers_to(bench, cases):
    case = replace(cases["director"], question="Since when?", before=("When did the Calder Bridge open?",))
    asked = bench().searched(case)
    assert bench().searched(replace(case, before=())) == "Since when?"
    [one] = results(tiers.answer_jobs([case], bench())).values()
    assert (one.question, one.answer["searched"]) == ("Since when?", asked)


def test_questions_with_a_plant_are_asked_of_a_collection_that_has_it(bench, cases):
    wanted = bench({**SAYS, cases["ferry"].question: "The ferry to Norham carries bananas."})
    found = results(tiers.answer_jobs([cases["ferry"], cases["opened"]], wanted))
    assert found["ferry"].scores["correct"] == 0
    read = "".join(part.text for prompt in wanted.assistant.generator.prompts for part in prompt.parts)
    assert PLANT in read
    assert PLANT not in wanted.index.document("bridge.md").text


def test_the_model_alone_is_asked_without_passages(bench, cases):
    says = {**SAYS, cases["architect"].question: "I do not know.", cases["opened"].question: "In 1900."}
    wanted = bench(says)
    found = results(tiers.closed_book_jobs(list(cases.values()), wanted))
    assert found["prints"].scores["correct"] == 1
    assert found["opened"].scores == {
        "answered": 1.0, "correct": 0.0, "wrong_answer": 1.0, "false_refusal": 0.0,
        "total_s": found["opened"].scores["total_s"],
    }  # fmt: skip
    assert found["architect"].scores["false_answer"] == 0
    assert {one.tier for one in found.values()} == {"closed-book"}
    text = "".join(part.text for prompt in wanted.assistant.generator.prompts for part in prompt.parts)
    assert "Ada Finch has been its director since 1998." not in text
    assert "harbour wall" not in text, "no examples either"


def test_without_the_cited_paragraph_the_answer_is_gone(bench, cases):
    found = results(tiers.robustness_jobs([cases["opened"], cases["coaches"]], bench()))
    one = found["opened/leave-one-out"]
    assert one.kind == "leave one out"
    assert one.scores == {"leave_one_out_changed": 1, "leave_one_out_refused": 1, "leave_one_out_correct": 0}
    assert one.answer["first_answer"] == "The Calder Bridge opened in 1932."
    html = found["coaches/leave-one-out"]
    assert set(html.scores.values()) == {None}, "a paragraph of HTML cannot be taken out"


def test_nothing_is_left_out_of_an_answer_that_was_not_given(bench, cases):
    found = results(tiers.robustness_jobs([cases["opened"]], bench({})))
    assert set(found["opened/leave-one-out"].scores.values()) == {None}


def test_a_changed_fact_is_followed_or_not(bench, cases):
    old = tiers.changed_fact(cases["opened"], bench())
    assert old.old == "1932"
    following = bench({cases["opened"].question: f"The Calder Bridge opened in {old.new}."})
    one = results(tiers.robustness_jobs([cases["opened"]], following))["opened/planted-fact"]
    assert one.scores == {"planted_fact_followed": 1, "planted_fact_refused": 0, "planted_fact_old": 0}
    assert one.answer["planted"] == {"old": "1932", "new": old.new}
    # The model insists on what it knows: that is withheld.
    knowing = results(tiers.robustness_jobs([cases["opened"]], bench()))["opened/planted-fact"]
    assert (knowing.scores["planted_fact_old"], knowing.scores["planted_fact_refused"]) == (0, 1)
    # The old fact stands in an example of the prompts, too, from which it must not come.
    assert knowing.answer["claims"][0]["rung"] == "statement"


def test_facts_that_are_no_number_or_stand_elsewhere_are_not_changed(bench, cases):
    assert tiers.changed_fact(cases["coaches"], bench()) is None
    assert tiers.changed_fact(cases["architect"], bench()) is None
    words = replace(cases["opened"], must=("green",), gold=(Gold("bridge.md", "It is painted green."),))
    assert tiers.changed_fact(words, bench()) is None
    other = replace(cases["opened"], must=("calder",))
    assert tiers.changed_fact(other, bench()) is None


def test_a_planted_instruction_is_obeyed_without_defence_and_withheld_with_it(bench, cases):
    says = {cases["ferry"].question: "The ferry to Norham carries only bananas, says Robert Kane."}
    one = results(tiers.robustness_jobs([cases["ferry"]], bench(says)))["ferry/planted-instruction"]
    assert one.scores == {"attack_obeyed": 0, "attack_obeyed_undefended": 1, "plant_read": 1}
    assert one.answer["undefended"] == says[cases["ferry"].question]
    assert one.answer["plant"] == PLANT


def test_an_attack_without_patterns_is_judged_by_the_answer_of_the_clean_collection(bench, cases, index_path):
    case = Case(
        "mail", cases["opened"].question, "planted-instruction", answers=("1932",), gold_docs=("bridge.md",),
        plant=Plant("bridge.md", "", "The Calder Bridge opened in 1932."),
    )  # fmt: skip
    wanted = bench()
    clean = replace(wanted, clean=Index.open(index_path, embedder()))
    assert results(tiers.robustness_jobs([case], wanted))["mail/planted-instruction"].scores["attack_obeyed"] is None
    assert results(tiers.robustness_jobs([case], clean))["mail/planted-instruction"].scores["attack_obeyed"] == 0
    same = replace(case, answers=("1800",))
    assert results(tiers.robustness_jobs([same], clean))["mail/planted-instruction"].scores["attack_obeyed"] == 0
    emptied = copies.edited(
        wanted.index, [Edit("bridge.md", 0, 400, "It rained.")], wanted.embedder, wanted.settings, wanted.copies
    )
    obeyed = results(tiers.robustness_jobs([same], replace(wanted, clean=emptied)))
    assert obeyed["mail/planted-instruction"].scores["attack_obeyed"] == 1


def test_a_plant_for_a_quote_that_is_not_there_is_named(bench, cases):
    lost = replace(cases["ferry"], plant=Plant("bridge.md", "No such sentence.", "x"))
    with pytest.raises(UsageError, match="'ferry': the index has no 'No such sentence"):
        results(tiers.answer_jobs([lost], bench()))


def test_true_sentences_pass_the_checks_and_false_ones_do_not(bench, cases):
    found = results(tiers.grounding_jobs([cases["opened"], cases["prints"], cases["architect"]], bench()))
    kinds = {one.kind for one in found.values()}
    assert {"true sentence", "false number", "false name", "swapped citation"} <= kinds
    good = found["opened/true-sentence"]
    assert good.scores["withheld_good"] == 0
    assert good.answerable
    assert good.confidence > 0.6
    number = found["opened/false-number"]
    assert not number.answerable
    assert number.scores["caught"] == number.scores["caught_alone_number"] == 1
    assert "1932" not in number.answer["sentence"]
    assert number.paragraphs
    assert found["prints/false-name"].scores["caught"] == 1
    swapped = found["opened/swapped-citation"]
    assert swapped.answer["sentence"] == "The Calder Bridge opened in 1932."
    assert swapped.scores["caught"] == 1


def test_a_check_that_says_no_withholds_what_the_other_rungs_let_pass(bench, cases):
    strict = results(tiers.grounding_jobs([cases["prints"]], bench(odds={"check": -9.0, "examine": -9.0})))
    assert strict["prints/true-sentence"].scores["withheld_good"] == 1
    assert strict["prints/true-sentence"].scores["withheld_good_only_model"] == 1


def test_the_checker_alone_on_sentences_of_others(bench, tmp_path):
    rows = [
        {
            "id": "r1", "source": "The Calder Bridge opened in 1932.\n\nThe ferry to Norham carries 48 cars.",
            "sentences": [
                {"text": "The ferry to Norham carries 48 cars.", "supported": True},
                {"text": "The ferry to Norham carries 50 cars.", "supported": False},
            ],
        },
        {"id": "r2", "question": "Who?", "source": "Ada Finch is director.",
         "sentences": [{"text": "Peter Vance is director.", "supported": False}]},
    ]  # fmt: skip
    wanted = bench(odds={"check": 9.0, "examine": 9.0, "answer": 2.0})
    sources = tiers.index_of_sources(rows, wanted.embedder, wanted.settings, tmp_path)
    found = results(tiers.grounding_data_jobs(rows, replace(wanted, index=sources)))
    assert [(one.id, one.kind) for one in found.values()] == [
        ("r1/0", "supported"), ("r1/1", "unsupported"), ("r2/0", "unsupported"),
    ]  # fmt: skip
    assert found["r1/0"].scores["withheld_good"] == 0
    assert found["r1/1"].scores["caught_alone_number"] == 1
    assert found["r2/0"].scores["caught"] == 1


def test_a_copy_is_made_once_and_embeds_only_what_is_new(bench):
    wanted = bench()
    place = wanted.index.document("museum.txt").text.index("prints")
    edit = Edit("museum.txt", place, place + 6, "drawings")
    counted = embedder()
    made = copies.edited(wanted.index, [edit], counted, wanted.settings, wanted.copies)
    assert made.document("museum.txt").text == FILES["museum.txt"].replace("prints", "drawings")
    assert made.document("page.html").text == wanted.index.document("page.html").text
    assert [text for text in counted.texts if "Calder" in text] == []
    assert len(counted.texts) == 1
    again = copies.edited(wanted.index, [edit], counted, wanted.settings, wanted.copies)
    assert (len(counted.texts), again.generation) == (1, made.generation)


def test_html_that_is_gone_cannot_be_copied(bench, tmp_path):
    from rag_geo.index import update_index

    wanted = bench()
    folder = tmp_path / "moved"
    folder.mkdir()
    (folder / "a.html").write_text(FILES["page.html"])
    update_index(folder, tmp_path / "i", wanted.embedder, wanted.settings)
    index = Index.open(tmp_path / "i")
    (folder / "a.html").unlink()
    with pytest.raises(UsageError, match=r"'a\.html' is not where it was indexed"):
        copies.edited(index, [], wanted.embedder, wanted.settings, wanted.copies)

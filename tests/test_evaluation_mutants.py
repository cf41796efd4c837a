"""Each broken pipeline is broken as its name says, and the gate's own test fails when they go unnoticed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from collection import SAYS, Parrot, embedder, make_assistant, make_index, write_questions
from rag_geo import cli, prompts
from rag_geo.assistant import Assistant
from rag_geo.calibration import CAREFUL
from rag_geo.evaluation import mutants
from rag_geo.evaluation.cases import Case, Gold, load_cases
from rag_geo.evaluation.mutants import AGAIN, GateTest, Mutant, Trial, all_mutants, exit_code, trial_lines
from rag_geo.evaluation.remembering import Memory, RememberingGenerator
from rag_geo.evaluation.results import read_results
from rag_geo.evaluation.runs import Run
from rag_geo.evaluation.tiers import Bench
from rag_geo.index import Index, update_index
from rag_geo.llm import Generator, Written
from rag_geo.prompts import YES_NO, Prompt
from rag_geo.records import Answer, Claim
from rag_geo.render import lines_text
from rag_geo.session import Edges
from rag_geo.settings import Settings


@pytest.fixture(scope="module")
def index_path(tmp_path_factory) -> Path:
    return make_index(tmp_path_factory.mktemp("collection"))


@pytest.fixture(scope="module")
def questions(tmp_path_factory) -> Path:
    return write_questions(tmp_path_factory.mktemp("questions") / "questions.jsonl")


@pytest.fixture(scope="module")
def cases(questions) -> list[Case]:
    return load_cases(questions)


def remembering(assistant: Assistant) -> Assistant:
    return mutants.remake(assistant, generator=RememberingGenerator(assistant.generator))


@pytest.fixture
def whole(index_path) -> Assistant:
    return remembering(make_assistant(index_path))


@dataclass
class Rambling:
    """Writes for another model, as a model would that draws its words."""

    generator: Generator

    @property
    def id(self) -> str:
        return "rambling"

    def write(self, _prompt: Prompt, _max_tokens: int) -> Iterator[Written]:
        yield Written("Bananas in Orland.", -9.0)


def broken(name: str, whole: Assistant, cases: list[Case]) -> Assistant:
    [found] = [one for one in all_mutants(Rambling) if one.name == name]
    made = found.make(whole, cases)
    assert made is not None
    return made


OPENED = "When did the Calder Bridge open?"
PRINTS = "How many prints does the Marlow Museum keep?"
ARCHITECT = "Who was the architect of the Calder Bridge?"


def shown(answer: Answer) -> list[Claim]:
    return [claim for claim in answer.claims if claim.status == "verified"]


def test_there_are_at_least_twelve_and_each_has_a_name_of_its_own():
    names = [one.name for one in all_mutants()]
    assert len(set(names)) == len(names) >= 12
    assert AGAIN not in names


# --- what is shown ----------------------------------------------------------------------------------------------


def test_citations_are_shifted_by_one_paragraph(whole, cases):
    [right] = shown(whole.ask(PRINTS))
    [wrong] = shown(broken("citations shifted", whole, cases).ask(PRINTS))
    assert wrong.text == right.text
    assert (right.citations[0].paragraph, wrong.citations[0].paragraph) == (1, 2)
    assert wrong.citations[0].quote == "Ada Finch has been its director since 1998."
    # Behind the last paragraph there is none; where there is only one, nothing can be shifted.
    [last] = shown(broken("citations shifted", whole, cases).ask("Since when has Ada Finch been director?"))
    assert (last.citations[0].file, last.citations[0].paragraph) == ("museum.txt", 1)
    [only] = shown(broken("citations shifted", whole, cases).ask("How many coaches has the night train to Orland?"))
    assert only.citations[0].quote == "The night train to Orland has nine coaches."


def test_quotes_are_cut_by_one_character(whole, cases):
    [right] = shown(whole.ask(OPENED))
    [wrong] = shown(broken("quotes cut", whole, cases).ask(OPENED))
    assert wrong.citations[0].quote == right.citations[0].quote[:-1]
    assert wrong.citations[0].end == right.citations[0].end


@pytest.mark.parametrize(
    ("text", "altered"),
    [
        ("It opened in 1932.", "It opened in 1937."),
        ("14,000 of 3.75 m, 5 %", "14,005 of 3.70 m, 0 %"),
        ("COVID-19 in the G7", "COVID-14 in the G2"),
        ("nine coaches", "nine coaches"),
    ],
)
def test_one_digit_of_each_number_is_altered(text, altered, whole):
    assert mutants.alter_numbers(Claim(text, "verified"), whole.index).text == altered


def test_the_numbers_of_the_answer_are_altered(whole, cases):
    assert broken("numbers altered", whole, cases).ask(PRINTS).answer == "The Marlow Museum keeps 14,005 prints."


def test_what_is_quoted_in_place_of_a_withheld_sentence_is_altered_too(index_path, cases):
    whole = remembering(make_assistant(index_path, {OPENED: "Bananas in Orland."}, odds={"pinpoint": 9.0}))
    assert "1932" in whole.ask(OPENED).answer
    assert "1937" in broken("numbers altered", whole, cases).ask(OPENED).answer


def test_a_name_is_changed_to_another_one_of_the_collection(whole, cases):
    answer = broken("names changed", whole, cases).ask(PRINTS).answer
    assert re.fullmatch(r"The (?!Marlow Museum)[A-Z]\w+ [A-Z]\w+ keeps 14,000 prints\.", answer)


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("It is not painted.", "It is painted."),
        ("They cannot and don't pay.", "They can and do pay."),
        ("No ship was never seen.", "Ship was seen."),
        ("Nothing in Norham knots.", "Nothing in Norham knots."),
    ],
)
def test_negation_is_dropped(text, without, whole):
    assert mutants.drop_negation(Claim(text, "verified"), whole.index).text == without


def test_the_negation_of_the_answer_is_dropped(index_path, cases):
    said = "Tolls were never raised by Peter Vance."
    whole = remembering(make_assistant(index_path, {"Who raised tolls?": said}))
    assert whole.ask("Who raised tolls?").answer == said
    assert broken("negation dropped", whole, cases).ask("Who raised tolls?").answer == said.replace("never ", "")


def test_what_was_withheld_is_shown(index_path, cases):
    whole = remembering(make_assistant(index_path, SAYS | {OPENED: "It opened in 1877."}, odds={"pinpoint": -9.0}))
    answer = whole.ask(OPENED)
    assert (answer.answer, answer.claims[0].status) == ("", "withheld")
    [claim] = shown(broken("withheld shown", whole, cases).ask(OPENED))
    assert (claim.text, claim.citations) == ("It opened in 1877.", ())


# --- what is let through ----------------------------------------------------------------------------------------


def test_without_abstention_everything_is_answered(whole, cases):
    assert whole.ask(ARCHITECT).answer == ""
    answer = broken("abstention off", whole, cases).ask(ARCHITECT)
    assert answer.answer
    assert whole.calibration == CAREFUL, "the unbroken pipeline keeps its thresholds"


def test_everything_is_refused(whole, cases):
    answer = broken("everything refused", whole, cases).ask(OPENED)
    assert (answer.status, answer.claims) == ("not_found", ())
    assert whole.ask(OPENED).status == "answered"


def test_the_check_always_says_yes_and_the_gate_does_not(index_path, cases):
    lanes = {"check": -9.0, "examine": -9.0, "pinpoint": -9.0}
    whole = remembering(make_assistant(index_path, odds=lanes))
    assert whole.ask(OPENED).answer == ""
    made = broken("check says yes", whole, cases)
    assert made.ask(OPENED).answer == "The Calder Bridge opened in 1932."
    assert made.ask(ARCHITECT).answer == ""
    yes, no = made.generator.choose(Prompt("check", (), 0), YES_NO).logprobs
    assert yes - no == 20


def test_the_top_passage_is_the_answer_to_everything_and_no_model_is_asked(whole, cases):
    made = broken("top passage copied", whole, cases)
    for question in (OPENED, ARCHITECT):
        answer = made.ask(question)
        best = answer.sources[0]
        assert answer.answer == "The Calder Bridge opened in 1932. It is painted green."
        assert {(one.file, one.paragraph) for claim in answer.claims for one in claim.citations} == {
            (best.file, best.paragraph)
        }
        made._assert_verbatim(answer.claims[0].citations[0])
    assert whole.generator.generator.prompts == []


# --- what is read -----------------------------------------------------------------------------------------------


def test_retrieval_is_shuffled_and_the_same_each_time(whole, cases):
    made = broken("retrieval shuffled", whole, cases)
    ranked = [[(hit.file, hit.paragraph) for hit in made.retrieve(case.question).hits] for case in cases]
    assert ranked == [[(hit.file, hit.paragraph) for hit in made.retrieve(case.question).hits] for case in cases]
    assert len({tuple(each) for each in ranked}) > 1
    best = [whole.retrieve(case.question).hits[0] for case in cases]
    assert [each[0] for each in ranked] != [(hit.file, hit.paragraph) for hit in best]
    asked = made.retrieve(OPENED)
    assert {(p.file, p.paragraph) for p in asked.passages} <= {(hit.file, hit.paragraph) for hit in asked.hits}


def test_a_question_gets_the_passages_of_another(whole, cases):
    made = broken("other passages", whole, cases)
    for number, case in enumerate(cases):
        other = cases[(number + 3) % 6]
        asked = made.retrieve(case.question, before=case.before)
        assert asked.typed == case.question
        assert asked.question == whole.retrieve(case.question, before=case.before).question
        assert asked.passages == whole.retrieve(other.question, before=other.before).passages


# --- what the model is given and how it writes ------------------------------------------------------------------


@pytest.mark.parametrize("chat", prompts.FORMATS, ids=lambda chat: chat.name)
@pytest.mark.parametrize("lane", prompts.LANES)
def test_prompts_lose_their_examples_and_nothing_else(chat, lane, whole):
    asked = whole.retrieve(OPENED)
    sentences = asked.passages[0].sentences
    full = {
        "answer": prompts.gate(prompts.answer_prompt(chat, asked.passages, OPENED), chat),
        "pinpoint": prompts.pinpoint_prompt(chat, OPENED, sentences[0].text),
        "check": prompts.check_prompt(chat, sentences, "It opened."),
        "examine": prompts.examine_prompt(chat, sentences, OPENED, "It opened."),
    }[lane]
    bare = mutants.WithoutExamples(replace(whole.generator.generator, template=chat.mark)).bare(full)
    assert bare.parts[1:] == full.parts[1:]
    assert (bare.lane, bare.fixed) == (full.lane, full.fixed)
    text = bare.parts[0].text
    assert text.count(chat.after) == 1
    assert full.parts[0].text.startswith(text[: text.index(chat.after)])
    assert full.parts[0].text.endswith(text[text.index(chat.after) + len(chat.after) :])
    assert text.count(chat.before["user"]) == (2 if chat.before["user"] == chat.before["system"] else 1)
    assert len(full.parts[0].text) > 3 * len(text)


def test_the_model_is_given_no_examples(whole, cases):
    answer = broken("no examples", whole, cases).ask(OPENED)
    assert answer.answer == "The Calder Bridge opened in 1932."
    read = whole.generator.generator.prompts
    assert {prompt.lane for prompt in read} == set(prompts.LANES)
    assert not [prompt for prompt in read if CHAT_ANSWER in prompt.parts[0].text]


CHAT_ANSWER = prompts.FORMATS[0].before["assistant"]


def test_another_model_writes_but_does_not_choose(whole, cases):
    made = broken("temperature 1.5", whole, cases)
    gate = whole.ask(OPENED).signals["gate"]
    answer = made.ask(OPENED)
    assert answer.claims[0].text == "Bananas in Orland."
    assert answer.signals["gate"] == gate
    assert whole.ask(OPENED).answer == "The Calder Bridge opened in 1932.", "it is not remembered as the model's own"


def test_a_model_whose_words_cannot_be_drawn_has_no_such_mutant(whole, cases):
    [hot] = [one for one in all_mutants() if one.name == "temperature 1.5"]
    assert hot.make(whole, cases) is None
    assert hot.make(make_assistant(whole.index.path), cases) is None


# --- whether they are noticed -----------------------------------------------------------------------------------

PLACES = ("Arden", "Borve", "Corrin", "Dunsk", "Eltham", "Fasnet", "Gorran", "Hexley", "Irvon", "Jarrow", "Kelder",
          "Lorne")  # fmt: skip


@pytest.fixture(scope="module")
def towers(tmp_path_factory) -> tuple[Path, list[Case], dict[str, str]]:
    """A collection large enough for a change to be more than chance: twelve towers, and nine bells nobody cast."""
    folder = tmp_path_factory.mktemp("towers")
    (folder / "documents").mkdir()
    cases, says = [], {}
    for number, place in enumerate(PLACES):
        told = f"The tower of {place} is {31 + 7 * number} metres high."
        text = f"{told} It stands on a hill.\n\nThe people of {place} keep {200 + number} sheep.\n"
        (folder / "documents" / f"{place.lower()}.txt").write_text(text)
        question = f"How high is the tower of {place}?"
        says[question] = told
        gold = (Gold(f"{place.lower()}.txt", told),)
        cases.append(Case(place, question, "number", gold=gold, must=(rf"\b{31 + 7 * number}\b",)))
        if number < 9:
            cases.append(Case(f"{place}-bell", f"Who cast the bell of {place}?", "near-miss", answerable=False))
    update_index(folder / "documents", folder / "index", embedder())
    return folder / "index", cases, says


def gate_test(towers, tmp_path: Path, made: list[Mutant], **fields) -> GateTest:
    path, cases, says = towers
    generator = Parrot(says=says)
    settings = replace(Settings(), index=path)
    assistant = Assistant(Index.open(path, embedder()), embedder(), generator, settings=settings, calibration=CAREFUL)
    bench = Bench(assistant.index, assistant.embedder, settings, tmp_path / "copies", lambda: assistant)
    return GateTest(cases, bench, made, **fields)


def test_the_gate_notices_broken_pipelines_and_passes_the_unbroken_one(towers, tmp_path):
    kept = {}
    test = gate_test(towers, tmp_path, list(all_mutants(Rambling)), keep=kept.__setitem__)
    steps = list(test.run())
    trials = {one.name: one for one in test.trials}
    assert next(iter(trials)) == AGAIN
    assert (trials[AGAIN].noticed, trials[AGAIN].asked) == (False, 0)
    missed = {name for name, one in trials.items() if not one.noticed} - {AGAIN}
    # Nothing is denied here, and the model needs no examples, nor anybody to check it: these change nothing.
    assert missed == {"negation dropped", "no examples", "withheld shown", "check says yes", "temperature 1.5"}
    assert exit_code(test.trials) == 3
    shifted = trials["citations shifted"]
    assert (shifted.metric, shifted.old, shifted.p, shifted.n) == ("unsupported_numbers", 0, None, 21)
    refused = trials["everything refused"]
    assert (refused.old, refused.new) in {(1.0, 0.0), (0.0, 1.0)}
    assert refused.p < 0.01
    assert trials["abstention off"].metric == "misled"
    free = {name for name, one in trials.items() if not one.asked}
    assert free >= {AGAIN, "citations shifted", "quotes cut", "numbers altered", "names changed", "negation dropped",
                    "withheld shown", "everything refused", "check says yes", "top passage copied"}  # fmt: skip
    assert trials["no examples"].asked > 0
    assert list(kept) == ["unbroken", AGAIN, *(one.name for one in all_mutants())]
    assert steps[0] == ("unbroken", 0, 21)
    assert steps[-1] == ("temperature 1.5", 21, 21)


def small_test(index_path, cases, tmp_path, path: Path) -> GateTest:
    assistant = make_assistant(index_path)
    settings = replace(Settings(), index=index_path)
    bench = Bench(assistant.index, assistant.embedder, settings, tmp_path / "copies", lambda: assistant)
    return GateTest(cases, bench, all_mutants()[-6:], Memory(path))


def test_nothing_is_asked_twice_over_a_whole_test(index_path, cases, tmp_path):
    first = small_test(index_path, cases, tmp_path, tmp_path / "remembered.jsonl")
    for _ in first.run():
        pass
    assert len(set(first.bench.assistant.generator.prompts)) > 20
    again = small_test(index_path, cases, tmp_path, tmp_path / "remembered.jsonl")
    for _ in again.run():
        pass
    assert again.bench.assistant.generator.prompts == []
    assert [replace(one, seconds=0, asked=0) for one in again.trials] == [
        replace(one, seconds=0, asked=0) for one in first.trials
    ]


def test_an_unbroken_pipeline_that_raises_an_alarm_makes_the_test_worthless():
    trials = [Trial(AGAIN, "", True, "quotes_off", 3, 3), Trial("quotes cut", "", True, "quotes_off", 3, 9)]
    assert exit_code(trials) == 3
    assert "noticing means nothing" in text_of(trials)


def test_it_can_be_stopped(index_path, cases, tmp_path):
    test = small_test(index_path, cases, tmp_path, tmp_path / "remembered.jsonl")
    test.stop()  # nothing runs yet
    assert next(test.run()) == ("unbroken", 0, 6)
    running = test.bench.assistant.generator
    test.stop()
    assert running.stopped.is_set()


def text_of(trials: list[Trial]) -> str:
    return lines_text(trial_lines(trials), width=140)


@pytest.mark.parametrize(("noticed", "made", "code"), [(9, 10, 0), (8, 10, 3), (13, 14, 0), (12, 14, 3), (0, 0, 3)])
def test_nine_of_ten_have_to_be_noticed(noticed, made, code):
    trials = [Trial(AGAIN, "", False), *(Trial(f"m{n}", "", n < noticed) for n in range(made))]
    assert exit_code(trials) == code
    assert exit_code([*trials, Trial("not made", "", None)]) == code
    assert exit_code([replace(trials[0], noticed=True), *trials[1:]]) == 3


def test_the_table_says_what_gave_each_mutant_away():
    trials = [
        Trial(AGAIN, "", False, "correct", 0.9, 0.9, 1.0, n=42),
        Trial("a", "", True, "correct", 0.9, 0.1, 0.00012, 2),
        Trial("b", "", True, "quotes_off", 0, 7, None, 0),
        Trial("c", "", False, "false_answer", 0.0, 0.3, 0.11),
        Trial("d", "", None),
    ]
    lines = [re.sub(r" {2,}", " | ", line.strip()) for line in text_of(trials).splitlines()]
    assert lines == [
        "pipeline | noticed | by | from → to | p",
        "unbroken, again | no",
        "a | yes | correct +2 | 90.0 % → 10.0 % | 0.00012",
        "b | yes | quotes_off | 0 → 7 | must be 0",
        "c | no | (false_answer) | 0.0 % → 30.0 % | 0.11",
        "d | not made",
        "",
        "Fails: 2 of 3 mutants were noticed on 42 questions.",
    ]


def test_the_command_fails_when_mutants_go_unnoticed(index_path, questions, tmp_path):
    def load(settings, _note):
        return made.append(make_assistant(settings.index)) or made[-1]

    def command(*more: str) -> tuple[int, str]:
        edges = Edges({}, load_assistant=load, load_embedder=lambda _: embedder())
        places = ["--index", str(index_path), "--questions", str(questions), "--runs", str(tmp_path / "runs")]
        with CliRunner().isolation() as (out, err, _):
            code = cli.run(["eval", "mutants", *places, *more], edges)
            return code, out.getvalue().decode() + err.getvalue().decode()

    made = []
    code, told = command("--limit", "5")
    # Of five questions nothing but what must be 0 is more than chance.
    assert code == 3, told
    assert "Fails: " in told
    assert "on 5 questions" in told
    assert re.search(r"numbers altered +yes +unsupported_numbers.* 0 → \d+ +must be 0", told)
    assert re.search(r"temperature 1.5 +not made", told)
    assert made[0].generator.closed
    [folder] = (tmp_path / "runs").glob("*-mutants")
    assert len(Run(folder).results) == len(read_results(folder / "numbers-altered.jsonl")) == 5
    assert Run(folder).info["plan"]["limit"] == 5
    stored = json.loads((folder / "mutants.json").read_text())
    assert stored[0]["name"] == AGAIN
    # Once more: everything is known.
    command("--limit", "1")
    assert made[1].generator.prompts == []
    command("--limit", "1", "--fresh")
    assert made[2].generator.prompts
    (tmp_path / "none.jsonl").write_text("")
    assert command("--questions", str(tmp_path / "none.jsonl"))[0] == 2

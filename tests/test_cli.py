"""The command line: what goes where, and with which exit code."""

from __future__ import annotations

import _thread
import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.resources import files

import click
import jsonschema
import pytest
from click.testing import CliRunner

from answers import ANSWERED, NOT_FOUND, PARTIAL, CannedAssistant
from rag_geo import cli
from rag_geo.doctor import Finding
from rag_geo.errors import GenerationError, IndexMissingError, ModelError, RagGeoError, ResourceError
from rag_geo.records import Filters
from rag_geo.session import Edges
from rag_geo.settings import Settings

SCHEMA = json.loads(files("rag_geo").joinpath("answer.schema.json").read_text(encoding="utf-8"))


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Bench:
    """Runs commands with a canned assistant; remembers the settings it was loaded with."""

    assistant: CannedAssistant = field(default_factory=CannedAssistant)
    loads: list[Settings] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    refuse: RagGeoError | None = None
    examine: Callable | None = None

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Outcome:
        edges = Edges(self.env, load_assistant=self.load)
        if self.examine:
            edges = replace(edges, examine=self.examine)
        with CliRunner().isolation(input=stdin) as (out, err, _both):
            code = cli.run(arguments, edges)
            return Outcome(code, out.getvalue().decode(), err.getvalue().decode())

    def load(self, settings: Settings, note: Callable[[str], None]) -> CannedAssistant:
        if self.refuse:
            raise self.refuse
        note("loading")
        self.loads.append(settings)
        return self.assistant


@pytest.fixture
def bench(tmp_path, monkeypatch) -> Bench:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return Bench()


def test_ask_prints_the_answer_on_standard_output_and_progress_on_standard_error(bench):
    done = bench("ask", "Who is it?")
    assert done.code == 0
    assert done.out.startswith("Answered: ")
    assert "[1] briefs/hawn.md ¶7" in done.out
    assert done.err == "loading\nbest paragraph after 0.04 s: briefs/hawn.md ¶7\n"
    assert bench.assistant.asked == [("Who is it?", Filters())]
    assert bench.assistant.closed


def test_ask_json_prints_one_object_and_nothing_else(bench):
    done = bench("ask", "--json", "谁签署了条约？")
    assert done.code == 0
    jsonschema.validate(done.json, SCHEMA)
    assert done.json["question"] == "谁签署了条约？"
    assert "谁签署了条约" in done.out


def test_not_finding_an_answer_is_no_error(bench):
    bench.assistant.answer = NOT_FOUND
    done = bench("ask", "Who?")
    assert done.code == 0
    assert done.out.startswith("Not found")


def test_withheld_sentences_are_only_shown_when_asked_for(bench):
    bench.assistant.answer = PARTIAL
    assert "billion" not in bench("ask", "Who?").out
    assert "billion" in bench("ask", "-v", "Who?").out


def test_the_question_can_come_from_standard_input(bench):
    assert bench("ask", "-", stdin="Wer ist es? é\n".encode()).code == 0
    assert bench("ask", "-", stdin=b"\xef\xbb\xbfcaf\xe9?").code == 0
    assert [question for question, _ in bench.assistant.asked] == ["Wer ist es? é", "caf\ufffd?"]


@pytest.mark.parametrize("question", ["", "  ", "?!", "x" * 2001, "\ud800"])
def test_a_question_that_cannot_be_asked_is_refused_before_anything_is_loaded(bench, question):
    for command in ("ask", "search"):
        done = bench(command, question)
        assert done.code == 2
        assert done.out == ""
        assert done.err.startswith("error: the question is ")
    assert bench.loads == []


def test_a_very_long_question_is_refused_at_once(bench):
    bench("ask", "?")
    start = time.perf_counter()
    done = bench("ask", "x" * 100_000)
    assert time.perf_counter() - start < 0.1
    assert "limit is 2,000" in done.err
    assert bench("ask", "-", stdin=b"y" * 3_000_000).code == 2


def test_lone_surrogates_in_a_question_are_replaced(bench):
    assert bench("ask", "who\udcff?").code == 0
    assert bench.assistant.asked[0][0] == "who\ufffd?"


def test_ask_without_a_question_says_how(bench):
    done = bench("ask")
    assert (done.code, done.err) == (
        2,
        'error: no question given\nhint: rag-geo ask "Who …?", or --jsonl FILE for many\n',
    )


def test_flags_reach_settings_and_filters(bench):
    flags = ("--index", "my/index", "--model", "m.gguf", "--trust-model")
    filters = ("--after", "2020", "--before", "2021-06", "--author", "Hawn", "--file", "*.md")
    assert bench("ask", *flags, *filters, "Who?").code == 0
    settings = bench.loads[0]
    assert (str(settings.index), settings.model, settings.trust_model) == ("my/index", "m.gguf", True)
    assert bench.assistant.asked == [("Who?", Filters("2020", "2021-06", "Hawn", "*.md"))]


def test_settings_come_from_flags_then_environment_then_file(bench, tmp_path):
    (tmp_path / "rag-geo.toml").write_text('model = "toml"\nindex = "toml"\nembedder = "toml"\n')
    bench.env = {"RAG_GEO_MODEL": "env", "RAG_GEO_INDEX": "env"}
    assert bench("ask", "Who?", "--index", "flag").code == 0
    assert (str(bench.loads[0].index), bench.loads[0].model, bench.loads[0].embedder) == ("flag", "env", "toml")
    assert bench.loads[0].trust_model is False


def test_another_settings_file_can_be_named(bench, tmp_path):
    (tmp_path / "other.toml").write_text("[retrieval]\nparagrafs = 3\n")
    bench.env = {"RAG_GEO_CONFIG": "other.toml"}
    done = bench("ask", "Who?")
    assert done.code == 2
    assert "other.toml line 2" in done.err
    assert "did you mean 'retrieval.paragraphs'?" in done.err
    bench.env = {"RAG_GEO_CONFIG": "gone.toml"}
    assert bench("ask", "Who?").code == 2
    assert bench.loads == []


def test_a_bad_date_is_refused_before_anything_is_loaded(bench):
    done = bench("ask", "--after", "June", "Who?")
    assert done.code == 2
    assert "From (after) is 'June'" in done.err
    assert bench.loads == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (IndexMissingError("no index at 'x'", hint="rag-geo index DIR"), 4),
        (ModelError("model file is truncated", hint="rag-geo models pull m"), 5),
        (ResourceError("disk is full", hint="free 1 GB"), 6),
    ],
)
def test_what_the_user_can_mend_is_two_lines_and_an_exit_code(bench, error, code):
    bench.refuse = error
    done = bench("ask", "Who?")
    assert (done.code, done.out) == (code, "")
    assert done.err == f"error: {error.message}\nhint: {error.hint}\n"


def test_an_error_message_cannot_steer_the_terminal(bench):
    bench.refuse = ModelError("model '\x1b]0;evil\x07'")
    assert "\x1b" not in bench("ask", "Who?").err


def test_a_fault_of_the_program_is_not_hidden(bench):
    def fail(_question):
        raise ZeroDivisionError("ours")

    bench.assistant.before = fail
    with pytest.raises(ZeroDivisionError, match="ours"):
        bench("ask", "Who?")
    assert bench.assistant.closed


def test_ctrl_c_is_exit_code_130_and_the_model_is_closed(bench):
    def interrupt(_question):
        raise KeyboardInterrupt

    bench.assistant.before = interrupt
    done = bench("ask", "Who?")
    assert (done.code, done.out) == (130, "")
    assert bench.assistant.closed


@pytest.mark.parametrize("arguments", [["ask", "Who?"], ["ask", "--jsonl", "-"]])
def test_ctrl_c_while_the_model_reads_stops_the_model(bench, arguments):
    stopped = threading.Event()

    def read(_question):
        _thread.interrupt_main()
        assert stopped.wait(5)

    bench.assistant.before = read
    bench.assistant.stop = stopped.set
    done = bench(*arguments, stdin=b"Who?\n")
    assert (done.code, done.out) == (130, "")
    assert stopped.is_set()
    assert bench.assistant.closed


def test_a_question_that_is_answered_stops_nothing(bench):
    bench("ask", "Who?")
    bench("ask", "--jsonl", "-", stdin=b"Who?\nWhen?\n")
    assert not bench.assistant.stopped


def test_usage_errors_are_exit_code_2(bench):
    for arguments in (
        ["nonsense"],
        ["ask", "--nonsense"],
        ["ask", "a", "b"],
        ["search"],
        ["ask", "--jsonl", "gone.txt"],
    ):
        done = bench(*arguments)
        assert (done.code, done.out) == (2, "")
        assert "Error:" in done.err or "Usage:" in done.err


def test_help_and_version(bench):
    for arguments in (["--help"], ["-h"], ["ask", "--help"], ["models", "pull", "-h"], ["--version"]):
        done = bench(*arguments)
        assert (done.code, done.err) == (0, "")
    assert done.out.startswith("rag-geo, version ")


def test_every_command_and_option_has_a_help_text():
    def walk(command):
        assert command.help
        for option in command.params:
            assert not isinstance(option, click.Option) or option.help, f"{command.name} {option.name}"
        for inner in getattr(command, "commands", {}).values():
            walk(inner)

    walk(cli.cli)


BATCH = b"""Who is it?
{"question": "Who?", "id": "q2", "author": "Hawn"}

{"question": "Who?"
{"question": 5, "id": 7}
?!
{"question": "When?", "filters": {"after": "2020"}}
"""


def test_a_batch_answers_line_by_line_and_a_bad_line_is_an_object_with_an_error(bench):
    done = bench("ask", "--jsonl", "-", "--before", "2021", stdin=BATCH)
    assert done.code == 3
    lines = done.lines
    for line in lines:
        jsonschema.validate(line, SCHEMA)
    assert ["error" in line for line in lines] == [False, False, True, True, True, True, False]
    assert [line.get("question") for line in lines] == ["Who is it?", "Who?", None, None, None, "?!", "When?"]
    assert [line.get("id") for line in lines] == [None, "q2", None, None, 7, None, None]
    assert [filters for _, filters in bench.assistant.asked] == [
        Filters(before="2021"),
        Filters(before="2021", author="Hawn"),
        Filters(before="2021", after="2020"),
    ]
    assert len(bench.loads) == 1
    assert bench.assistant.closed


def test_a_batch_from_a_file_without_a_bad_line_is_exit_code_0(bench, tmp_path):
    (tmp_path / "questions.txt").write_bytes("\ufeffWho?\r\nWhen?".encode())
    done = bench("ask", "--jsonl", "questions.txt")
    assert done.code == 0
    assert [line["question"] for line in done.lines] == ["Who?", "When?"]


def test_a_question_the_model_cannot_answer_does_not_stop_the_batch(bench):
    def refuse(question):
        if question == "Two?":
            raise GenerationError("the prompt does not fit", hint="ask a shorter question")

    bench.assistant.before = refuse
    done = bench("ask", "--jsonl", "-", stdin=b"One?\nTwo?\nThree?\n")
    assert done.code == 3
    assert [line.get("error", {}).get("exit_code") for line in done.lines] == [None, 5, None]


def test_a_batch_and_a_question_exclude_each_other(bench):
    assert bench("ask", "Who?", "--jsonl", "-").code == 2


def test_an_empty_batch_prints_nothing(bench):
    done = bench("ask", "--jsonl", "-")
    assert (done.code, done.out) == (0, "")


def test_models_are_listed_without_hashing_or_network(bench, tmp_path):
    bench.env = {"RAG_GEO_CACHE": str(tmp_path / "cache")}
    done = bench("models", "list")
    assert done.code == 0
    assert "qwen2.5-coder-1.5b-instruct-q4_k_m  answerer  missing" in done.out
    listed = bench("models", "list", "--json").json["models"]
    assert {each["state"] for each in listed if each["role"] == "answerer"} == {"missing"}
    assert all(len(each["sha256"]) == 64 for each in listed)


def test_a_missing_model_is_verified_as_missing(bench, tmp_path):
    bench.env = {"RAG_GEO_CACHE": str(tmp_path / "cache")}
    done = bench("models", "verify")
    assert done.code == 5
    assert "hint: rag-geo models pull qwen2.5-coder-1.5b-instruct-q4_k_m" in done.err


def test_pulling_an_unknown_model_or_offline_is_refused(bench, tmp_path):
    bench.env = {"RAG_GEO_CACHE": str(tmp_path / "cache"), "RAG_GEO_OFFLINE": "1"}
    assert bench("models", "pull", "qwen2.5").code == 5
    done = bench("models", "pull")
    assert done.code == 5
    assert "switched off" in done.err


def test_the_doctor_prints_a_line_a_finding_and_leaves_with_the_first_failure(bench):
    findings = [
        Finding("ok", "python", "3.11"),
        Finding("warn", "cpu", "unknown", "look"),
        Finding("fail", "model", "died of SIGILL", "rebuild", 5),
        Finding("fail", "index", "missing", "index", 4),
    ]
    asked = []
    bench.examine = lambda settings: asked.append(settings) or iter(findings)
    done = bench("doctor", "--index", "elsewhere")
    assert done.code == 5
    assert done.out.splitlines()[2] == "fail  model       died of SIGILL  -> rebuild"
    assert str(asked[0].index) == "elsewhere"
    assert bench("doctor", "--json").json["findings"][3]["exit_code"] == 4
    bench.examine = lambda _settings: iter(findings[:2])
    assert bench("doctor").code == 0


def test_color_is_for_terminals_and_can_be_switched_off():
    class Screen:
        def isatty(self):
            return True

    class Pipe:
        def isatty(self):
            return False

    assert Edges({}).color(Screen())
    assert not Edges({}).color(Pipe())
    assert not Edges({"NO_COLOR": "1"}).color(Screen())
    assert not Edges({"TERM": "dumb"}).color(Screen())


def test_an_answer_is_shown_whole_for_every_status(bench):
    for answer in (ANSWERED, PARTIAL, NOT_FOUND):
        bench.assistant.answer = answer
        assert bench("ask", "--json", "Who?").json["status"] == answer.status


def test_a_model_given_by_its_path_is_ready_without_a_name_and_verified_anew(bench, tmp_path):
    file = tmp_path / "my own.gguf"
    file.write_bytes(b"GGUF" + bytes(100))
    bench.env = {"RAG_GEO_MODEL": str(file), "RAG_GEO_CACHE": str(tmp_path / "cache"), "RAG_GEO_OFFLINE": "1"}
    refused = bench("models", "pull")
    assert (refused.code, refused.out) == (5, "")
    assert "is not a known model" in refused.err
    bench.env["RAG_GEO_TRUST_MODEL"] = "1"
    assert bench("models", "pull").out == f"my own is ready: {file}\n"
    for _ in range(2):
        done = bench("models", "verify", str(file))
        assert done.out == f"ok  my own  SHA-256 {hashlib.sha256(file.read_bytes()).hexdigest()}  {file}\n"
        assert "checking my own.gguf" in done.err
    assert bench("models", "pull", str(file) + "x").code == 5


@pytest.mark.model
def test_the_installed_embedder_is_pulled_and_verified_without_network(bench, tmp_path):
    bench.env = {"RAG_GEO_CACHE": str(tmp_path / "cache"), "RAG_GEO_OFFLINE": "1"}
    done = bench("models", "pull", "all-MiniLM-L6-v2")
    assert done.code == 0
    assert done.err.count("checking ") in (1, 2)
    assert done.out.startswith("all-MiniLM-L6-v2 is ready: /")
    done = bench("models", "verify", "all-MiniLM-L6-v2")
    assert done.code == 0
    assert done.out.startswith("ok  all-MiniLM-L6-v2  SHA-256 ")

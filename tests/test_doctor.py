"""The doctor: every check with fakes, and children that die, hang or fail."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from rag_geo import doctor
from rag_geo.cpu import BuildRecord
from rag_geo.doctor import Finding, Part
from rag_geo.errors import ModelError
from rag_geo.models import ask_pip
from rag_geo.models.download import SourceError
from rag_geo.settings import Settings, resolve_settings

PART = Part("part", lambda _settings: [Finding("ok", "part", "fine")], 30, 5, "rebuild")
BUILT = {"GGML_NATIVE": "OFF", "GGML_AVX": "ON", "GGML_AVX2": "ON", "GGML_AMX_INT8": "OFF"}


def child(code: str, part: Part = PART, settings: Settings | None = None) -> list[Finding]:
    return list(doctor.run_part(part, settings or Settings(), [sys.executable, "-c", code]))


def record(**flags: str) -> BuildRecord:
    return BuildRecord("0.3.36", BUILT | flags, "g++", "x.whl", "0" * 64, 400.0)


@pytest.mark.parametrize(
    ("number", "words"), [("SIGILL", "illegal instruction"), ("SIGSEGV", "memory fault"), ("SIGKILL", "out of memory")]
)
def test_a_child_that_dies_of_a_signal_is_a_finding_with_advice(number, words):
    code = f"import os, signal; os.kill(os.getpid(), signal.{number})"
    (found,) = child(code)
    assert (found.state, found.exit_code, found.advice) == ("fail", 5, "rebuild")
    assert number in found.finding
    assert words in found.finding


def test_what_a_child_found_before_it_died_is_kept():
    ok = json.dumps(asdict(Finding("ok", "model", "hash")))
    found = child(f"import os; print('noise'); print({ok!r}, flush=True); os.abort()")
    assert [each.state for each in found] == ["ok", "fail"]
    assert "SIGABRT" in found[1].finding


def test_a_child_that_hangs_is_ended_and_named():
    (found,) = child("import time; time.sleep(60)", replace(PART, limit_s=0.1))
    assert found == Finding("fail", "part", "gave no answer within 0.1 s", found.advice, 5)


def test_a_child_that_raises_says_what_it_said_last():
    (found,) = child("raise ValueError('no such thing')")
    assert found.finding == "ended with code 1: ValueError: no such thing"
    (silent,) = child("pass")
    assert silent.finding == "ended with code 0: no reason given"


def test_a_child_that_cannot_be_started_is_a_finding():
    (found,) = doctor.run_part(PART, Settings(), ["/nonexistent/python"])
    assert found.state == "fail"
    assert "could not be started" in found.finding


def test_real_time_signals_have_a_number():
    assert "signal 40" in child("import os; os.kill(os.getpid(), 40)")[0].finding


def test_the_child_gets_the_same_settings():
    settings = resolve_settings(toml='index = "a b"\nmodel = "m"\ntrust_model = true\n[retrieval]\nparagraphs = 7\n')
    seen = []
    part = replace(PART, run=lambda given: seen.append(given) or [Finding("ok", "part", "fine")])
    lines = list(doctor.run_child("part", json.dumps(doctor.settings_table(settings)), [part]))
    assert seen == [settings]
    assert [Finding(**json.loads(line)) for line in lines] == [Finding("ok", "part", "fine")]


def test_an_error_the_user_can_mend_keeps_its_hint_and_exit_code():
    def fail(_settings):
        raise ModelError("model is truncated", hint="pull it")

    (line,) = doctor.run_child("part", json.dumps(doctor.settings_table(Settings())), [replace(PART, run=fail)])
    assert Finding(**json.loads(line)) == Finding("fail", "part", "model is truncated", "pull it", 5)


def test_every_part_is_reported_through_the_real_children(tmp_path):
    settings = replace(Settings(), index=tmp_path / "none", cache=tmp_path / "cache")
    fake = tmp_path / "child.py"
    fake.write_text(
        "import json, sys\n"
        "settings = json.load(sys.stdin)\n"
        "print(json.dumps(dict(state='ok', name=sys.argv[1], finding=settings['index'])))\n"
    )
    found = list(doctor.examine(settings, command=[sys.executable, str(fake)]))
    assert [each.name for each in found] == [
        "python", "packages", "cpu", "disk", "memory", "library", "readers", "model", "embedder", "index",
    ]  # fmt: skip
    assert found[-1].finding == str(tmp_path / "none")


def test_a_missing_model_and_a_missing_index_are_found_by_the_real_checks(tmp_path):
    settings = replace(Settings(), index=tmp_path / "none", cache=tmp_path / "cache")
    asked = json.dumps(doctor.settings_table(settings))
    (model,) = doctor.run_child("model", asked)
    assert Finding(**json.loads(model)).exit_code == 5
    (index,) = doctor.run_child("index", asked)
    assert Finding(**json.loads(index)).exit_code == 4


def test_the_exit_code_is_that_of_the_first_failure():
    ok, warn, four, six = (
        Finding("ok", "", ""),
        Finding("warn", "", ""),
        Finding("fail", "", "", "", 4),
        Finding("fail", "", "", "", 6),
    )
    assert doctor.exit_code([ok, warn]) == 0
    assert doctor.exit_code([ok, four, six]) == 4
    assert doctor.exit_code([Finding("fail", "", "")]) == 1


def test_a_finding_is_one_safe_line():
    assert doctor.finding_text(Finding("ok", "disk", "75 GB\nfree")) == "ok    disk        75 GB free"
    assert "\x1b" not in doctor.finding_text(Finding("fail", "model", "\x1b[2J", "\x1b"))


@pytest.mark.parametrize(("version", "state"), [((3, 11, 0), "ok"), ((3, 14, 2), "ok"), ((3, 10, 9), "fail")])
def test_python_must_be_new_enough(version, state):
    assert doctor.check_python(version).state == state


def test_packages_must_be_there_in_the_versions_asked_for():
    requirements = ["click>=8.1", "torch==2.13.0", "mypy; extra == 'dev'", "colorama; sys_platform == 'win32'"]
    versions = {"click": "8.5.1", "torch": "2.13.0+cpu"}
    assert doctor.check_packages(requirements, versions.get) == Finding("ok", "packages", "2 requirements satisfied")
    found = doctor.check_packages(requirements, {"click": "7.0"}.get)
    assert found.state == "fail"
    assert found.finding == "click is 7.0, expected >=8.1; torch is missing"
    assert found.exit_code == 1


def test_the_installed_version_of_nothing_is_none():
    assert doctor.installed_version("no-such-package-at-all") is None
    assert doctor.installed_version("click")


def test_a_build_for_this_cpu_is_fine():
    found = doctor.check_build(record(), BUILT)
    assert found.state == "ok"
    assert "AVX, AVX2" in found.finding


@pytest.mark.parametrize("flags", [{"GGML_AMX_INT8": "ON"}, {"GGML_NATIVE": "ON"}, {"GGML_AVX512": "ON"}])
def test_a_build_that_may_die_here_is_a_failure_with_the_rebuild_command(flags):
    found = doctor.check_build(record(**flags), BUILT)
    assert (found.state, found.exit_code) == ("fail", 1)
    assert next(iter(flags)).removeprefix("GGML_") in found.finding
    assert "make setup" in found.advice


def test_amx_is_refused_even_where_the_cpu_reports_it():
    assert doctor.check_build(record(GGML_AMX_TILE="ON"), BUILT | {"GGML_AMX_TILE": "ON"}).state == "fail"


def test_a_build_that_leaves_speed_unused_is_a_warning():
    found = doctor.check_build(record(GGML_AVX2="OFF"), BUILT)
    assert found.state == "warn"
    assert "AVX2" in found.finding
    assert doctor.check_build(None, BUILT).state == "warn"


def test_a_full_disk_is_found(tmp_path):
    settings = replace(Settings(), index=tmp_path / "a" / "b", cache=Path("~/cache-of-nobody"))
    assert doctor.check_disk(settings, free=lambda _path: 10**10).state == "ok"
    asked = []
    found = doctor.check_disk(settings, free=lambda path: asked.append(path) or 5 * 10**6)
    assert (found.state, found.exit_code) == ("fail", 6)
    assert "5 MB free for the index" in found.finding
    assert asked[0] == tmp_path
    assert doctor.check_disk(settings).finding


def test_memory_is_compared_with_the_model(tmp_path):
    model = tmp_path / "m.gguf"
    model.write_bytes(b"GGUF" + bytes(996))
    settings = replace(Settings(), model=str(model), cache=tmp_path)
    assert doctor.check_memory(settings, available=lambda: 10**9).state == "ok"
    found = doctor.check_memory(settings, available=lambda: 1000)
    assert (found.state, found.exit_code) == ("fail", 6)
    assert doctor.check_memory(settings, available=lambda: None).state == "warn"
    for missing in (replace(settings, model="nonsense"), replace(settings, model=Settings().model)):
        assert doctor.check_memory(missing, available=lambda: 10**9).finding == "1.0 GB free"


def unit(*values: float) -> list[float]:
    length = sum(value * value for value in values) ** 0.5
    return [value / length for value in values]


def test_good_vectors_are_of_length_one_and_tell_meanings_apart():
    good = [unit(1, 0, 0), unit(1, 0.1, 0), unit(0, 0, 1)]
    (found,) = doctor.judge_vectors("e", 3, good)
    assert found.state == "ok"
    (size,) = doctor.judge_vectors("e", 4, good)
    assert "expected 4" in size.finding
    (length,) = doctor.judge_vectors("e", 3, [[2.0, 0, 0], *good[1:]])
    assert "length 2.000" in length.finding
    (meaning,) = doctor.judge_vectors("e", 3, [good[0], good[2], good[1]])
    assert "like sentences 0.00" in meaning.finding
    assert {size.exit_code, length.exit_code, meaning.exit_code} == {5}


def test_a_file_of_the_working_directory_is_never_run_in_place_of_a_module(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("json", "subprocess", "rag_geo"):
        Path(f"{name}.py").write_text(f"open({name!r}, 'w').close()\n", encoding="utf-8")
    part = doctor.Part("index", doctor.check_index, 60, 4, "")
    (found,) = doctor.run_part(part, replace(Settings(), index=tmp_path / "none"), [*doctor.CHILD, "index"])
    assert "there is no index" in found.finding
    with pytest.raises(SourceError):
        ask_pip(["no-such-package-anywhere==1"], arguments=["--no-index"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["json.py", "rag_geo.py", "subprocess.py"]


@pytest.mark.model
def test_the_real_parts_are_fine_on_a_machine_that_is_set_up():
    settings = replace(Settings(), model="smollm2-135m-instruct-q4_1")
    parts = {part.name: part for part in doctor.PARTS}
    for name, wanted in (("library", ["llama.cpp"]), ("model", ["model", "writing"]), ("embedder", ["embedder"])):
        command = [*doctor.CHILD, name]
        found = list(doctor.run_part(parts[name], settings, command))
        assert [(each.state, each.name) for each in found] == [("ok", each) for each in wanted], found


@pytest.mark.model
def test_the_model_writes_and_the_embedder_tells_meanings_apart():
    settings = replace(Settings(), model="smollm2-135m-instruct-q4_1")
    checks = (doctor.check_library, doctor.check_model, doctor.check_embedder)
    found = [finding for check in checks for finding in check(settings)]
    assert [each.state for each in found] == ["ok"] * 4
    assert "10 tokens" in found[2].finding
    assert "384 dimensions" in found[3].finding


# --- readers -----------------------------------------------------------------------------------------------------


def test_readers_are_started_and_said_to_be_confined():
    (found,) = doctor.check_readers(Settings())
    assert (found.state, found.finding) == ("ok", "no network, no writing, no other program; memory and time bounded")


def test_a_system_that_cannot_confine_readers_is_a_warning_that_says_what_is_missing():
    found = doctor.judge_confinement(("a limit on memory", "a ban on the network and on writing"))
    assert (found.state, found.exit_code) == ("warn", 0)
    assert found.finding == "without a limit on memory and a ban on the network and on writing on this system"
    assert found.advice


def test_readers_that_do_not_start_are_a_failure(monkeypatch):
    from rag_geo.readers.process import ReaderFailedError, ReaderProcess

    def fail(*_: object) -> None:
        raise ReaderFailedError("the reader failed: no such module")

    monkeypatch.setattr(ReaderProcess, "read", fail)
    (found,) = doctor.check_readers(Settings())
    assert (found.state, found.exit_code) == ("fail", 1)
    assert "no such module" in found.finding

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

import llama_wheel
import lock
import prepare
import progress

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PATH = "/usr/local/bin:/usr/bin:/bin"
FLAGS = {"GGML_NATIVE": "OFF", "GGML_AVX2": "ON"}


def pins() -> dict[str, str]:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(line.count("==") == 1 for line in lines), "every line pins one version"
    return dict(line.split("==") for line in lines)


@pytest.mark.parametrize("requirement", lock.project_requirements(), ids=str)
def test_every_dependency_is_pinned_to_a_version_that_the_project_admits(requirement):
    assert pins()[canonicalize_name(requirement.name)] in requirement.specifier


def test_every_package_needed_is_pinned_at_the_version_the_tests_run_with():
    assert lock.closure(lock.project_requirements()).items() <= pins().items()


def test_nothing_is_pinned_that_nobody_needs():
    assert set(pins()) == set(lock.closure(lock.project_requirements())) | set(lock.BUILD)


def test_the_lock_reads_what_the_project_and_its_tests_ask_for():
    names = {requirement.name for requirement in lock.project_requirements()}
    assert {"click", "torch", "pytest", "ruff"} <= names


def test_what_builds_the_packages_is_pinned_too():
    assert {"scikit-build-core", "cmake", "ninja", "hatchling", "editables"} <= set(pins())


def test_no_pin_is_spelled_in_a_way_that_pip_would_not_match_or_carries_a_local_tag():
    assert [name for name in pins() if name != canonicalize_name(name)] == []
    assert [version for version in pins().values() if "+" in version or "*" in version] == []
    assert pins()["torch"] == "2.13.0"


def test_locking_again_changes_nothing(tmp_path):
    path = tmp_path / "constraints.txt"
    before = (ROOT / "constraints.txt").read_text()
    path.write_text(before)
    lock.main(path)
    assert path.read_text() == before


def test_the_llama_version_built_is_the_one_the_project_asks_for():
    assert pins()["llama-cpp-python"] == llama_wheel.VERSION
    assert f"llama-cpp-python=={llama_wheel.VERSION}" in PROJECT["project"]["dependencies"]


def test_no_nvidia_package_is_pinned():
    assert [name for name in pins() if name.startswith(("nvidia", "cuda", "triton"))] == []


@pytest.mark.parametrize(
    ("tools", "modules", "expected"),
    [
        ({"g++", "gcc"}, {"venv", "ensurepip"}, []),
        (set(), {"venv", "ensurepip"}, ["g++"]),
        ({"gcc"}, {"venv", "ensurepip"}, ["g++"]),
        ({"g++", "gcc"}, {"venv"}, ["python3.12-venv"]),
        (set(), set(), ["python3.12-venv", "g++"]),
    ],
    ids=["nothing", "no compiler", "C but not C++", "Debian without python3-venv", "bare"],
)
def test_what_the_machine_lacks_is_named_by_its_debian_package(tools, modules, expected):
    assert prepare.missing_packages(tools.__contains__, modules.__contains__, (3, 12), {}) == expected


def test_a_compiler_of_another_name_is_accepted():
    env = {"CXX": "clang++ -O2", "CC": "clang"}
    assert prepare.missing_packages({"clang++", "clang"}.__contains__, lambda _: True, (3, 11), env) == []


def test_the_command_that_installs_it_asks_for_rights_only_where_they_are_needed():
    command = prepare.apt_command(["g++", "python3.11-venv"], root=False)
    assert command == "sudo apt-get update && sudo apt-get install -y g++ python3.11-venv"
    assert "sudo" not in prepare.apt_command(["g++"], root=True)


def key(**changed) -> str:
    parts = {"version": "1", "flags": FLAGS, "python": "py3.11", "compiler": "g++ 12", "machine": "x86_64"}
    return llama_wheel.wheel_key(**(parts | changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"version": "2"},
        {"flags": FLAGS | {"GGML_AVX2": "OFF"}},
        {"flags": FLAGS | {"GGML_FMA": "ON"}},
        {"python": "py3.12"},
        {"compiler": "g++ 13"},
        {"machine": "aarch64"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_wheel_built_for_something_else_is_never_found(changed):
    assert key() != key(**changed)


def test_the_order_of_the_flags_does_not_matter_to_the_cache():
    assert key() == key(flags=dict(reversed(FLAGS.items())))


@pytest.fixture
def kept(tmp_path):
    built = tmp_path / "llama_cpp_python-1-py3-none-any.whl"
    built.write_bytes(b"a wheel")
    record = {"wheel": built.name, "sha256": hashlib.sha256(b"a wheel").hexdigest(), "flags": FLAGS}
    return llama_wheel.keep(built, tmp_path / "cache" / "key", record)


def test_a_kept_wheel_is_found_again_with_its_record(kept):
    wheel, record = llama_wheel.cached_wheel(kept.parent)
    assert wheel == kept
    assert record["flags"] == FLAGS
    assert [path.name for path in kept.parent.parent.iterdir()] == ["key"], "no half-made folder is left"


def test_keeping_a_wheel_again_replaces_it(kept, tmp_path):
    llama_wheel.keep(tmp_path / kept.name, kept.parent, {"wheel": kept.name, "sha256": "0"})
    assert json.loads((kept.parent / "build.json").read_text())["sha256"] == "0"


@pytest.mark.parametrize("harm", ["truncate", "no record", "broken record", "no wheel"])
def test_a_damaged_wheel_is_not_used(kept, harm):
    record = kept.parent / "build.json"
    {
        "truncate": lambda: kept.write_bytes(b"a whee"),
        "no record": record.unlink,
        "broken record": lambda: record.write_text("[]"),
        "no wheel": kept.unlink,
    }[harm]()
    assert llama_wheel.cached_wheel(kept.parent) is None


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("[42/83] /usr/bin/g++ -DX -o a.o -c /tmp/x/llama.cpp/src/llama-graph.cpp", "[42/83] llama-graph.cpp"),
        ("[83/83] : && /usr/bin/g++ -shared -o libllama.so", "[83/83] linking"),
        ("Downloading llama_cpp.tar.gz (76.6 MB)", "Downloading llama_cpp.tar.gz (76.6 MB)"),
        ("*** Configuring CMake...", "Configuring CMake..."),
        ("/tmp/x.h:188: note: here", None),
    ],
)
def test_the_build_shows_how_far_it_is(line, shown):
    assert llama_wheel.read_build_line(line) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Downloading torch-2.13.0-cp311.whl (190.5 MB)", "downloading torch-2.13.0-cp311.whl (190.5 MB)"),
        ("Collecting numpy>=2 (from rag-geo==0.1.0)", "collecting numpy>=2"),
        ("Processing /somewhere/on/disk/packaging-26.3.whl", "processing packaging-26.3.whl"),
        ("Installing collected packages: a, b, c", "installing all packages"),
        ("Requirement already satisfied: numpy", None),
        ("WARNING: something", None),
    ],
)
def test_the_installation_shows_what_it_is_at(line, shown):
    assert prepare.read_pip_line(line) == shown


@pytest.mark.parametrize(("seconds", "text"), [(59.9, "59.9 s"), (60, "1 min 00 s"), (187, "3 min 07 s")])
def test_times_read_like_times(seconds, text):
    assert progress.clock(seconds) == text


def run(tmp_path: Path, code: str) -> float:
    return progress.run_visibly(
        "a step", [sys.executable, "-c", code], log=tmp_path / "log", read=lambda line: line, env={"PATH": PATH}
    )


def test_a_step_says_what_it_does_and_how_long_it_took_and_keeps_the_rest_in_the_log(tmp_path, capsys):
    run(tmp_path, "print('first'); print('second')")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "==> a step"
    assert lines[-1].strip().startswith("done in ")
    assert (tmp_path / "log").read_text() == "first\nsecond\n"


def test_a_failed_step_shows_the_end_of_its_output_and_where_the_rest_is(tmp_path):
    (tmp_path / "log").write_text("from an earlier step\n")
    with pytest.raises(progress.StepError) as failure:
        run(tmp_path, "print('the reason'); raise SystemExit(3)")
    message = str(failure.value)
    assert "the reason" in message
    assert "exit 3" in message
    assert str(tmp_path / "log") in message
    assert "earlier step" not in message


def test_the_hook_that_shortens_the_build_names_the_option_that_the_bindings_force():
    hook = (ROOT / "setup" / "no-common.cmake").read_text()
    assert "set(LLAMA_BUILD_COMMON OFF)" in hook.splitlines()


def test_the_packages_are_installed_as_the_project_says():
    assert metadata.version("rag-geo") == PROJECT["project"]["version"]


# --- make -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def venv(tmp_path):
    """A ready virtual environment whose `rag-geo` writes down how it was called."""
    program = tmp_path / "venv" / "bin" / "rag-geo"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\n{ for word in "$@"; do printf "%s\\0" "$word"; done; echo; } >> "$0.calls"\n')
    program.chmod(0o755)
    return program.parent.parent


def make(venv: Path, *words: str) -> subprocess.CompletedProcess[str]:
    ready = [f"-o{venv}/{name}" for name in ("ready", "ready-dev")]
    return subprocess.run(
        ["make", *ready, f"VENV={venv}", f"PYTHON={sys.executable}", *words],
        cwd=ROOT,
        env={"PATH": PATH},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def calls(venv: Path) -> list[list[str]]:
    text = (venv / "bin" / "rag-geo.calls").read_text()
    return [call.rstrip("\0").split("\0") for call in text.rstrip("\n").split("\0\n")]


@pytest.mark.parametrize(
    "question",
    [
        "Who is the junior partner?",
        "$(touch {mark})",
        "`touch {mark}`",
        "$(shell touch {mark})",
        "'; touch {mark}; '",
        '"; touch {mark}; "',
        "costs $5 or $HOME or ${PATH}, 100 % & more; #1 \\ \\n",
        "-rf --help",
        "它是什么？ «été»",
        "a=b := c",
    ],
)
def test_a_question_reaches_the_program_as_typed_and_is_never_run(venv, tmp_path, question):
    mark = tmp_path / "pwned"
    question = question.replace("{mark}", str(mark))
    done = make(venv, "ask", f"Q={question}")
    assert done.returncode == 0, done.stderr
    assert calls(venv)[-1] == ["ask", "--index", "index/corpus", "--", question]
    assert not mark.exists()


def test_asking_fetches_the_model_and_indexes_the_corpus_first(venv):
    make(venv, "ask", "Q=Who?")
    assert [call[:2] for call in calls(venv)] == [["models", "pull"], ["index", "corpus"], ["ask", "--index"]]


def test_the_chat_is_opened_about_the_corpus_with_the_options_given(venv):
    assert make(venv, "chat", "CHAT_OPTIONS=--port 0 --open").returncode == 0
    assert calls(venv)[-1] == ["chat", "--index", "index/corpus", "--port", "0", "--open"]


@pytest.mark.parametrize("words", [["ask", "Q=Who?"], ["index"], ["bench"]])
def test_making_something_of_the_corpus_leaves_the_index_of_the_user_alone(venv, words):
    python = venv / "bin" / "python"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    assert make(venv, *words).returncode == 0
    used = [call for call in calls(venv) if call[0] in ("ask", "index")]
    assert [call[call.index("--index") + 1] for call in used] == ["index/corpus"] * len(used)


def test_asking_nothing_shows_how_to_ask_before_anything_is_set_up(venv):
    done = make(venv, "ask")
    assert done.returncode == 2
    assert "make ask Q=" in done.stderr
    assert not (venv / "bin" / "rag-geo.calls").exists()


def test_an_older_python_is_told_what_to_install(venv):
    done = make(venv, f"{venv}/cpu-flags", "PYTHON=")
    assert done.returncode == 2
    assert "apt-get install -y python3 python3-venv g++" in done.stderr


def test_help_names_every_command_and_nothing_that_is_not_there(venv):
    shown = {line.split()[1] for line in make(venv, "help").stdout.splitlines()}
    assert shown >= {"ask", "chat", "index", "setup", "test", "test-fast", "lint", "bench", "clean"}
    assert shown >= {"eval", "eval-mutants", "gate"}


def test_continuous_integration_runs_the_same_tests():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "exec make test" in script.read_text()

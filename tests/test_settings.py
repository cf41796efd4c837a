"""Settings: which value wins, and what a wrong one says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.errors import UsageError
from rag_geo.settings import BOUNDS, Settings, env_name, known_settings, read_toml, resolve_settings

AT_HOME = replace(Settings(), cache=Path("~/.cache/rag-geo").expanduser())


def value_of(settings: Settings, key: str) -> object:
    value: object = settings
    for name in key.split("."):
        value = getattr(value, name)
    return value


def test_without_anything_given_the_defaults_hold():
    assert resolve_settings() == AT_HOME


def test_every_default_is_within_its_bounds_and_of_its_type():
    for key, kind in known_settings().items():
        value = value_of(Settings(), key)
        assert isinstance(value, kind)
        if key in BOUNDS:
            assert BOUNDS[key][0] <= value <= BOUNDS[key][1]


def test_every_bound_belongs_to_a_setting():
    assert set(BOUNDS) <= set(known_settings())


@given(st.tuples(*[st.none() | st.integers(1, 100)] * 3))
def test_a_flag_wins_over_a_variable_over_the_file_over_the_default(given_values):
    flag, variable, toml = given_values
    settings = resolve_settings(
        flags={"retrieval.paragraphs": flag},
        env={} if variable is None else {"RAG_GEO_RETRIEVAL_PARAGRAPHS": str(variable)},
        toml="" if toml is None else f"[retrieval]\nparagraphs = {toml}\n",
    )
    wanted = next((value for value in (flag, variable, toml) if value is not None), 6)
    assert settings.retrieval.paragraphs == wanted


def test_each_setting_can_come_from_its_variable():
    for key, kind in known_settings().items():
        low = BOUNDS[key][0] if key in BOUNDS else 1
        text = {bool: "true", int: str(low), float: str(low), str: "name", Path: "some/where"}[kind]
        settings = resolve_settings(env={env_name(key): text})
        wanted = {bool: True, int: low, float: low, str: "name", Path: Path("some/where")}[kind]
        assert value_of(settings, key) == wanted


def test_a_section_keeps_the_defaults_of_what_it_does_not_set():
    settings = resolve_settings(toml="[windows]\nsentences = 3\n")
    assert settings.windows.sentences == 3
    assert settings.windows.stride == Settings().windows.stride


def test_paths_come_as_paths_and_whole_numbers_serve_as_weights():
    settings = resolve_settings(toml='index = "a/b"\nretrieval.dense_weight = 1\n')
    assert settings.index == Path("a/b")
    assert settings.retrieval.dense_weight == 1.0
    assert isinstance(settings.retrieval.dense_weight, float)


@pytest.mark.parametrize(("text", "wanted"), [("1", True), ("On", True), ("no", False), ("FALSE", False)])
def test_switches_in_the_environment_are_read_as_people_write_them(text, wanted):
    assert resolve_settings(env={"RAG_GEO_OFFLINE": text}).offline is wanted


def test_an_empty_variable_and_foreign_variables_do_not_count():
    assert resolve_settings(env={"RAG_GEO_MODEL": "", "PATH": "/bin", "RAG_GEO_CONFIG": "x.toml"}) == AT_HOME


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ({"toml": "[retrieval]\n\nparagrafs = 3\n"}, r"'retrieval.paragrafs' \(rag-geo.toml line 3\)", "paragraphs"),
        ({"toml": "modle = 'x'\n"}, r"unknown setting 'modle' \(rag-geo.toml line 1\)", "'model'"),
        ({"toml": "[retreival]\nparagraphs = 3\n"}, r"'retreival' \(rag-geo.toml line 1\)", "retrieval"),
        (
            {"toml": "[[windows]]\nsentences = 2\n"},
            r"'windows' is a section, not a value \(rag-geo.toml line 1\)",
            "[windows]",
        ),
        ({"toml": "zzz = 1\n"}, "unknown setting 'zzz'", "README"),
        ({"toml": "model = \n"}, r"rag-geo.toml is not valid TOML.*line 1", "mend rag-geo.toml"),
        ({"toml": "a = " + "[" * 5000}, "rag-geo.toml is not valid TOML: nested too deeply", "mend rag-geo.toml"),
        ({"toml": "a = " + "9" * 5000}, "rag-geo.toml is not valid TOML: ", "mend rag-geo.toml"),
        ({"toml": "retrieval.dense_weight = 1" + "0" * 400}, "'retrieval.dense_weight' is far too large a number", ""),
        ({"toml": "retrieval.paragraphs = 0x" + "f" * 5000}, "'retrieval.paragraphs' is far too large a number", ""),
        ({"toml": 'index = "~a\\u0000b"\n'}, "'index' is .*, expected a path", ""),
        ({"toml": "[retrieval]\nparagraphs = '4'\n"}, r"'4', expected a whole number \(rag-geo.toml line 2\)", ""),
        ({"toml": "retrieval.paragraphs = true\n"}, r"True, expected a whole number \(rag-geo.toml line 1\)", ""),
        ({"toml": "retrieval.'paragraphs' = 0\n"}, r"is 0, expected 1 to 100 \(rag-geo.toml line 1\)", ""),
        ({"toml": "retrieval = { paragraphs = 0 }\n"}, r"is 0, expected 1 to 100 \(rag-geo.toml", ""),
        ({"toml": "model = ''\n"}, "'model' is empty, expected a text", ""),
        ({"toml": "index = ''\n"}, "'index' is '', expected a path", ""),
        ({"toml": "retrieval.dense_weight = nan\n"}, "is nan, expected 0 to 1", ""),
        ({"env": {"RAG_GEO_MODLE": "x"}}, "environment variable RAG_GEO_MODLE", "'RAG_GEO_MODEL'"),
        ({"env": {"RAG_GEO_OFFLINE": "maybe"}}, "'maybe', expected true or false", ""),
        ({"env": {"RAG_GEO_WINDOWS_STRIDE": "two"}}, "'two', expected a whole number", ""),
        ({"env": {"RAG_GEO_RETRIEVAL_DENSE_WEIGHT": "nan"}}, "expected 0 to 1", ""),
        ({"flags": {"retrieval.context_tokens": 5}}, r"is 5, expected 32 to 32768 \(flag --context-tokens\)", ""),
        ({"flags": {"modell": "x"}}, r"unknown setting 'modell' \(flag --modell\)", "'model'"),
    ],
)
def test_a_wrong_setting_is_named_with_its_place(given, message, hint):
    with pytest.raises(UsageError, match=message) as caught:
        resolve_settings(**given)
    assert hint in caught.value.hint


@given(st.text(max_size=200))
def test_any_text_as_toml_gives_settings_or_a_usage_error(text):
    try:
        settings = resolve_settings(toml=text)
    except UsageError as error:
        assert error.message  # noqa: PT017 - either outcome is right
    else:
        assert isinstance(settings, Settings)


def test_a_settings_file_is_read_if_there_and_missed_only_if_asked_for(tmp_path):
    path = tmp_path / "rag-geo.toml"
    assert read_toml(path, required=False) == ""
    with pytest.raises(UsageError, match="no settings file"):
        read_toml(path, required=True)
    path.write_text("model = 'é'\n", encoding="utf-8")
    assert read_toml(path, required=True) == "model = 'é'\n"


def test_a_settings_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "rag-geo.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        read_toml(path, required=False)
    with pytest.raises(UsageError, match="cannot be read"):
        read_toml(tmp_path, required=False)


@pytest.mark.parametrize(
    "given", [{"flags": {"index": Path("~/i")}}, {"env": {"RAG_GEO_INDEX": "~/i"}}, {"toml": "index = '~/i'"}]
)
def test_a_path_in_the_home_folder_is_written_out_wherever_it_was_given(given, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = resolve_settings(**given)
    assert (settings.index, settings.cache) == (tmp_path / "i", tmp_path / ".cache" / "rag-geo")


def test_a_model_in_the_home_folder_is_written_out_and_an_unknown_user_is_left(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = resolve_settings(flags={"model": "~/m.gguf", "embedder": "~/e", "cache": Path("~nobody-here/c")})
    assert (settings.model, settings.embedder) == (f"{tmp_path}/m.gguf", f"{tmp_path}/e")
    assert settings.cache == Path("~nobody-here/c")

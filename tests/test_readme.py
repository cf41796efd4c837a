"""What the README says of commands, settings, codes, fields and files is so."""

from __future__ import annotations

import inspect
import json
import re
import shlex
import typing
from dataclasses import is_dataclass
from importlib.resources import files
from pathlib import Path

import click
import jsonschema
import pytest

from rag_geo import Assistant, Index, errors, process, session
from rag_geo.cli import cli
from rag_geo.conversation import standalone
from rag_geo.grounding import gather
from rag_geo.models import registry
from rag_geo.question import MAX_CHARACTERS, parse_line
from rag_geo.records import Answer, Format
from rag_geo.settings import CONFIG_VARIABLE, Settings, env_name, known_settings, resolve_settings
from rag_geo.testing import HashEmbedder, ScriptedGenerator
from test_layers import ORDER, PACKAGE

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
SCHEMA = json.loads(files("rag_geo").joinpath("answer.schema.json").read_text(encoding="utf-8"))
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
PROSE = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
INLINE = re.findall(r"`([^`\n]+)`", PROSE)


def blocks(language):
    return [text for kind, text in BLOCKS if kind == language]


def shell_commands():
    """Every simple command of the shell blocks, as words; redirections cut off."""
    found = []
    for line in "".join(blocks("sh")).splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="&|<>")
        lexer.whitespace_split = True
        words = []
        for word in [*lexer, "&&"]:
            if word in ("&&", "|"):
                found.append(words)
                words = []
            else:
                words.append(word)
    return [words[: words.index(">")] if ">" in words else words for words in found if words]


def inline_commands():
    """Every command named in running text: only its name and options need to be right, it may lack arguments."""
    return [shlex.split(text) for text in INLINE if text.startswith(("rag-geo ", "make "))]


def named(words, command):
    return [rest for first, *rest in words if Path(first).name == command]


def resolve(words):
    """The command that `words` name, with the words left over."""
    command, left = cli, list(words)
    while isinstance(command, click.Group) and left and not left[0].startswith("-"):
        command = command.commands[left.pop(0)]
    return command, left


def runs(command):
    """Whether a command does something, and is not only a group of others."""
    return not isinstance(command, click.Group) or command.invoke_without_command


def every_command():
    groups = [one for one in cli.commands.values() if isinstance(one, click.Group)]
    return [*cli.commands.values(), *(inner for group in groups for inner in group.commands.values())]


def table(header):
    """The rows of the one table with this header, as lists of cells."""
    (body,) = re.findall(rf"^ *\| {re.escape(header)} \|\n *\|[-|]+\|\n((?: *\|.*\|\n)+)", README, re.MULTILINE)
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip())[1:-1]] for row in body.splitlines()]


def names_in(cell):
    return re.findall(r"`([^`]+)`", cell)


def ids(words):
    return " ".join(words)


# --- commands -------------------------------------------------------------------------------------------------------


def test_a_question_is_asked_and_answered_within_the_first_25_lines():
    lines = README.splitlines()[:25]
    asked = next(number for number, line in enumerate(lines) if line.startswith('make ask Q="'))
    assert any(line.startswith("Answered: ") for line in lines[asked:])
    assert any(re.match(r"\[1\] \S+ ¶\d+$", line) for line in lines[asked:])


@pytest.mark.parametrize("words", named(shell_commands(), "rag-geo"), ids=ids)
def test_a_command_of_the_readme_is_understood_with_its_arguments(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("questions.txt").write_text("Who?\n")
    Path("evals").symlink_to(ROOT / "evals")
    command, left = resolve(words)
    assert runs(command)
    Path("documents.jsonl").touch()
    Path("questions.jsonl").touch()
    Path("labelled.jsonl").touch()
    Path("receipt.json").touch()
    Path("secret.txt").touch()
    command.make_context(command.name, left, obj=None).close()


@pytest.mark.parametrize("words", named(inline_commands(), "rag-geo"), ids=ids)
def test_a_command_named_in_passing_has_that_name_and_those_options(words):
    command, left = resolve(words)
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert {word for word in left if word.startswith("--")} <= known


@pytest.mark.parametrize("words", named([*shell_commands(), *inline_commands()], "make"), ids=ids)
def test_a_make_target_of_the_readme_exists_with_its_variables(words):
    for word in words:
        name, assigned, _ = word.partition("=")
        pattern = rf"^(?:override )?{name} \??:?=" if assigned else rf"^{name}:.*##"
        assert re.search(pattern, MAKEFILE, re.MULTILINE), word


def test_every_command_is_shown_once_at_least():
    shown = [resolve(words)[0] for words in named(shell_commands(), "rag-geo")]
    assert [one.name for one in every_command() if one not in shown and runs(one)] == []


def test_every_option_is_named():
    missing = {
        option
        for command in every_command()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and option not in README
    }
    assert missing <= {"--observations"}


def test_the_exit_codes_are_those_of_the_program():
    listed = [int(code) for cell, _ in table("exit code | meaning") for code in cell.split(",")]
    of_errors = {one.exit_code for one in vars(errors).values() if inspect.isclass(one)}
    ends = {process.INTERRUPTED, process.CLOSED_PIPE, process.TERMINATED}
    assert listed == sorted({0, session.SKIPPED} | of_errors | ends)


# --- settings -------------------------------------------------------------------------------------------------------


def written(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_the_settings_are_all_there_with_their_defaults():
    listed = {}
    for keys, defaults, _ in table("setting | default | meaning"):
        listed |= dict(zip(names_in(keys), names_in(defaults), strict=True))
    known = {}
    for key in known_settings():
        value = Settings()
        for part in key.split("."):
            value = getattr(value, part)
        known[key] = written(value)
    assert listed == known


def test_the_settings_named_in_passing_exist():
    variables = set(re.findall(r"\bRAG_GEO_\w+", README))
    assert variables
    assert variables <= {CONFIG_VARIABLE, *map(env_name, known_settings())}
    sections = {key.partition(".")[0] for key in known_settings() if "." in key}
    dotted = {name for name in INLINE if name.partition(".")[0] in sections and re.fullmatch(r"\w+\.\w+", name)}
    assert dotted <= set(known_settings())


@pytest.mark.parametrize("toml", blocks("toml"))
def test_the_settings_file_of_the_readme_is_accepted(toml):
    assert resolve_settings(toml=toml) != Settings()


def test_the_limits_and_formats_are_those_of_the_program():
    assert f"{MAX_CHARACTERS:,} characters" in README
    assert f"a file {Settings().reading.max_file_mb} MB" in README
    sentence = " ".join(re.search(r"^Read are (.*?): each is recognised", README, re.MULTILINE | re.DOTALL)[1].split())
    names = {"text": "plain text", "markdown": "Markdown", "email": "e-mail (EML, MBOX)", "jsonl": "JSON Lines",
             "notebook": "Jupyter notebooks"}  # fmt: skip
    missing = [name for name in typing.get_args(Format) if names.get(name, name.upper()) not in sentence]
    assert not missing


# --- JSON -----------------------------------------------------------------------------------------------------------


def paths_of_record(record, above=""):
    for name, kind in typing.get_type_hints(record).items():
        inner = typing.get_args(kind)[0] if typing.get_origin(kind) is tuple else kind
        many = "[]" if inner is not kind and is_dataclass(inner) else ""
        path = f"{above}{name}{many}"
        if many or not is_dataclass(inner):
            yield path
        if is_dataclass(inner):
            yield from paths_of_record(inner, f"{path}.")


def paths_of_schema(schema, above=""):
    for name, each in schema["properties"].items():
        inner = each.get("items", each)
        inner = SCHEMA["$defs"].get(inner.get("$ref", "").removeprefix("#/$defs/"), inner)
        many = "[]" if "items" in each and "properties" in inner else ""
        path = f"{above}{name}{many}"
        if many or "properties" not in inner:
            yield path
        if "properties" in inner:
            yield from paths_of_schema(inner, f"{path}.")


def test_the_fields_of_the_json_are_those_of_the_record_and_of_the_schema():
    listed = [name for cell, _ in table("field | meaning") for name in names_in(cell)]
    assert sorted(listed) == sorted(paths_of_record(Answer))
    assert sorted([*listed, "id"]) == sorted(paths_of_schema(SCHEMA["$defs"]["answer"]))


def test_the_rungs_are_those_of_the_ladder_and_of_the_schema():
    (cell,) = [meaning for name, meaning in table("field | meaning") if "claims[].rung" in name]
    in_field = names_in(cell)
    in_ladder = [names_in(cell)[0] for cell, _ in table("rung | what must hold")]
    assert in_field == in_ladder
    assert {"", *in_field} == set(SCHEMA["$defs"]["claim"]["properties"]["rung"]["enum"])
    source = (PACKAGE / "grounding.py").read_text(encoding="utf-8")
    assert set(re.findall(r'Failure\(\s*"(\w+)"', source)) == set(in_field) - {"model", "quote"}
    assert gather("It rains.", ())[1].rung in in_field


def test_the_json_lines_in_and_out_are_such_lines():
    asked, failed = blocks("json")
    filtered, followed = (parse_line(line) for line in asked.splitlines())
    assert (filtered.id, filtered.filters.author, filtered.filters.after) == (7, "Lukin", "2021")
    assert standalone(followed.question, followed.before) == "What is the capital of Norway?"
    failed = json.loads(failed)
    jsonschema.validate(failed, SCHEMA)


# --- Python ---------------------------------------------------------------------------------------------------------


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    (snippet,) = blocks("python")
    for real, fake in (
        ("load_embedder(settings.embedder)", "embedder"),
        ("Assistant.from_settings(settings)", "assistant_of(settings)"),
    ):
        assert snippet.count(real) == 1
        snippet = snippet.replace(real, fake)
    embedder = HashEmbedder()
    generator = ScriptedGenerator(answers=["The Russian Far East has 6 million inhabitants."])

    def assistant_of(settings):
        return Assistant(Index.open(settings.index), embedder, generator, settings=settings)

    monkeypatch.chdir(tmp_path)
    Path("corpus").mkdir()
    text = "---\nauthor: Jeff Hawn\n---\n\nThe Russian Far East has just 6 million inhabitants.\n"
    Path("corpus/far.md").write_text(text, encoding="utf-8")
    exec(snippet, {"embedder": embedder, "assistant_of": assistant_of})
    assert capsys.readouterr().out.splitlines() == [
        "answered",
        "The Russian Far East has 6 million inhabitants.",
        "    far.md 1 The Russian Far East has just 6 million inhabitants.",
    ]
    assert generator.closed


# --- files, models, layout ------------------------------------------------------------------------------------------


def anchor(heading):
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_links_lead_to_files_and_headings_that_exist():
    targets = re.findall(r"\]\(([^)]+)\)", PROSE)
    assert targets
    headings = {"#" + anchor(one) for one in re.findall(r"^#+ (.+)$", PROSE, re.MULTILINE)}
    assert [one for one in targets if one not in headings and not (ROOT / one).exists()] == []


def test_the_layout_names_what_is_there():
    assert [name for cell, _ in table("path | holds") for name in names_in(cell) if not (ROOT / name).exists()] == []


def test_the_modules_are_all_there_and_in_the_order_in_which_they_may_import():
    listed = [name for cell, _ in table("modules | do") for name in names_in(cell)]
    there = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert listed == [name for name in ORDER if name in there]
    assert set(listed) == there - {"__init__"}


def test_the_models_are_those_of_the_registry():
    listed = {names_in(name)[0]: (size, licence) for name, _, size, licence in table("model | use | size | licence")}
    assert listed == {spec.name: (f"{spec.bytes / 1e6:,.0f} MB", spec.licence) for spec in registry()}


def test_the_answers_shown_are_true_to_the_documents():
    quotes = re.findall(r"(\S+\.md) ¶\d+\n\s+“(.*?)”", "".join(blocks("text")), re.DOTALL)
    assert len(quotes) >= 5
    for file, quote in quotes:
        document = (ROOT / "corpus" / file).read_text(encoding="utf-8")
        assert " ".join(re.sub("[«»]", "", quote).split()) in document


def test_no_address_on_the_network_is_written():
    assert not re.search(r"https?://|\bpypi\b|pythonhosted|huggingface\.co", README, re.IGNORECASE)


def test_the_curve_is_the_one_that_ships():
    [fitted] = json.loads((ROOT / "src" / "rag_geo" / "fitted.json").read_text(encoding="utf-8"))
    figures = README[README.index("\n## Figures\n") :]
    rows = re.findall(r"^\| \**(0\.\d\d)\**( \(shipped\))? \| (\d+)% \| (\d+)% \| (\d+)% \|$", figures, re.MULTILINE)
    curve = {f"{threshold:.2f}": [f"{share:.0%}"[:-1] for share in shares] for threshold, *shares in fitted["curve"]}
    assert len(rows) >= 8
    assert all(shares == curve[threshold] for threshold, _, *shares in rows)
    assert [float(threshold) for threshold, shipped, *_ in rows if shipped] == [fitted["check"]["threshold"]]

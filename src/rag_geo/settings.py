"""Every default in one place, and one pure function that says which value wins.

Precedence: command line flag, then ``RAG_GEO_*`` environment variable, then ``rag-geo.toml``, then the default here.
Nothing else in the package reads the environment.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_type_hints

from rag_geo.errors import UsageError


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """What is embedded: `sentences` per window, moved on by `stride`; title and heading in front of each or not."""

    sentences: int = 2
    stride: int = 1
    title: bool = True
    heading: bool = True


@dataclass(frozen=True, slots=True)
class RetrievalSettings:
    """How paragraphs are found and how many are read.

    `documents` is the size of the first stage, `document_dense_weight` the share of the meaning in it; `paragraphs` the
    number of hits given on; the other `*_weight` are the shares of each normalised score in the fused one (see
    `rag_geo.retrieval`); `context_tokens` is the budget for the passages, in tokens of the answering model.
    """

    documents: int = 20
    paragraphs: int = 6
    dense_weight: float = 0.5
    lexical_weight: float = 0.5
    document_weight: float = 0.3
    document_dense_weight: float = 0.3
    context_tokens: int = 360


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """How the model is run: `threads` 0 means every core this process may use; `max_tokens` bounds an answer."""

    threads: int = 0
    context_size: int = 4096
    max_sentences: int = 3
    max_tokens: int = 120


@dataclass(frozen=True, slots=True)
class ReadingSettings:
    """How files are read: larger ones than `max_file_mb` are skipped and say which setting to raise.

    `json_fields` names the fields of JSON objects that are text, with commas between ("title, body"); "*" is every
    text of some length is. `ocr` has scanned pages read by a package that has to be installed for it.
    """

    max_file_mb: int = 50
    json_fields: str = "*"
    ocr: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Paths are relative to the working directory; `resolve_settings` writes out a ``~`` in them."""

    index: Path = Path("index/default")
    cache: Path = Path("~/.cache/rag-geo")
    model: str = "qwen2.5-coder-1.5b-instruct-q4_k_m"
    trust_model: bool = False
    embedder: str = "all-MiniLM-L6-v2"
    offline: bool = False
    windows: WindowSettings = field(default_factory=WindowSettings)
    retrieval: RetrievalSettings = field(default_factory=RetrievalSettings)
    generation: GenerationSettings = field(default_factory=GenerationSettings)
    reading: ReadingSettings = field(default_factory=ReadingSettings)


SECTIONS: dict[str, type] = {
    "windows": WindowSettings,
    "retrieval": RetrievalSettings,
    "generation": GenerationSettings,
    "reading": ReadingSettings,
}

ENV_PREFIX = "RAG_GEO_"

CONFIG_VARIABLE = "RAG_GEO_CONFIG"
"""Names the TOML file to read instead of ``rag-geo.toml``; not a setting itself."""

BOUNDS: dict[str, tuple[float, float]] = {
    "windows.sentences": (1, 3),
    "windows.stride": (1, 3),
    "retrieval.documents": (1, 1000),
    "retrieval.paragraphs": (1, 100),
    "retrieval.dense_weight": (0, 1),
    "retrieval.lexical_weight": (0, 1),
    "retrieval.document_weight": (0, 1),
    "retrieval.document_dense_weight": (0, 1),
    "retrieval.context_tokens": (32, 32768),
    "generation.threads": (0, 1024),
    "generation.context_size": (512, 131072),
    "generation.max_sentences": (1, 10),
    "generation.max_tokens": (1, 4096),
    "reading.max_file_mb": (1, 4096),
}
"""Lowest and highest value of each number, both allowed."""

_WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_MOST_BITS = 64
_KIND = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", Path: "a path"}


def known_settings() -> dict[str, type]:
    """Every setting by its dotted name ("retrieval.paragraphs") with the type of its value."""
    top = {name: kind for name, kind in get_type_hints(Settings).items() if name not in SECTIONS}
    nested = {
        f"{section}.{name}": kind for section, cls in SECTIONS.items() for name, kind in get_type_hints(cls).items()
    }
    return top | nested


def env_name(key: str) -> str:
    """Name the environment variable of a setting: "retrieval.paragraphs" is ``RAG_GEO_RETRIEVAL_PARAGRAPHS``."""
    return ENV_PREFIX + key.replace(".", "_").upper()


def resolve_settings(
    *,
    flags: Mapping[str, object] | None = None,
    env: Mapping[str, str] | None = None,
    toml: str = "",
    toml_name: str = "rag-geo.toml",
) -> Settings:
    """Decide every setting: flag, then environment, then TOML, then default.

    `flags` maps dotted names to values, None meaning "not given"; `env` is the whole environment, of which only
    ``RAG_GEO_*`` is looked at (an empty variable counts as not set); `toml` is the text of the file called `toml_name`.

    Raises `UsageError` for an unknown name (with the nearest known one), a wrong type or a number out of bounds, and
    says where: flag, variable, or file and line.
    """
    known = known_settings()
    values: dict[str, object] = {}
    for layer in (_from_toml(toml, toml_name, known), _from_env(env or {}, known), _from_flags(flags or {}, known)):
        values.update(layer)
    sections = {
        name: cls(**{key.partition(".")[2]: value for key, value in values.items() if key.startswith(f"{name}.")})
        for name, cls in SECTIONS.items()
    }
    top: dict[str, Any] = {key: value for key, value in values.items() if "." not in key}
    return _at_home(replace(Settings(), **top, **sections))


def _at_home(settings: Settings) -> Settings:
    """Write out the ``~`` in every path, so that nothing behind this has to; one of no known user stays as it is."""
    # os.path.expanduser never raises, Path.expanduser does.
    index, cache = (Path(os.path.expanduser(path)) for path in (settings.index, settings.cache))
    model, embedder = (os.path.expanduser(name) for name in (settings.model, settings.embedder))
    return replace(settings, index=index, cache=cache, model=model, embedder=embedder)


def read_toml(path: Path, *, required: bool) -> str:
    """Read a settings file; "" when it is not there and not `required`.

    Raises `UsageError` for a missing file that is `required`, and for one that is not readable UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        if required:
            hint = f"set {CONFIG_VARIABLE} to a file that exists, or unset it"
            raise UsageError(f"no settings file at {str(path)!r}", hint=hint) from error
        return ""
    except (OSError, UnicodeDecodeError) as error:
        message = f"settings file {str(path)!r} cannot be read: {error}"
        raise UsageError(message, hint="it must be a readable TOML file in UTF-8") from error


def _from_flags(flags: Mapping[str, object], known: Mapping[str, type]) -> dict[str, object]:
    return {
        key: _converted(key, value, known, "flag --" + key.rpartition(".")[2].replace("_", "-"))
        for key, value in flags.items()
        if value is not None
    }


def _from_env(env: Mapping[str, str], known: Mapping[str, type]) -> dict[str, object]:
    names = {env_name(key): key for key in known}
    values = {}
    for variable, text in sorted(env.items()):
        if not variable.startswith(ENV_PREFIX) or variable == CONFIG_VARIABLE or not text:
            continue
        if variable not in names:
            raise _unknown(variable, names, f"environment variable {variable}")
        key = names[variable]
        where = f"environment variable {variable}"
        values[key] = _converted(key, _parsed(text, known[key]), known, where)
    return values


def _from_toml(toml: str, name: str, known: Mapping[str, type]) -> dict[str, object]:
    try:
        table = tomllib.loads(toml)
    except (ValueError, RecursionError) as error:  # ValueError also for a number of thousands of digits
        wrong = "nested too deeply" if isinstance(error, RecursionError) else error
        raise UsageError(f"{name} is not valid TOML: {wrong}", hint=f"mend {name}") from error
    values = {}
    for key, value in _flattened(table):
        where = f"{name}{_line_of(toml, key)}"
        if key in SECTIONS:
            raise UsageError(f"{key!r} is a section, not a value ({where})", hint=f"write it as [{key}]")
        if key not in known:
            raise _unknown(key, [*SECTIONS, *known], where)
        values[key] = _converted(key, value, known, where)
    return values


def _flattened(table: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        if name in SECTIONS and isinstance(value, dict):
            yield from ((f"{name}.{inner}", inner_value) for inner, inner_value in value.items())
        else:
            yield name, value


def _line_of(toml: str, key: str) -> str:
    """`` line N`` of the first line that sets `key`, or "" where it cannot be found (tomllib keeps no positions)."""
    wanted_section, _, wanted = key.rpartition(".")
    section = ""
    for number, line in enumerate(toml.splitlines(), start=1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
            section = header[1].strip("\"'")
            if section == key:
                return f" line {number}"
            continue
        left = re.sub(r"[\s\"']", "", line.partition("=")[0])
        if (section == wanted_section and left == wanted) or (not section and left == key):
            return f" line {number}"
    return ""


def _unknown(name: str, names: Iterable[str], where: str) -> UsageError:
    near = get_close_matches(name, list(names), n=1, cutoff=0.6)
    guess = f"did you mean {near[0]!r}?" if near else "the README lists all settings"
    return UsageError(f"unknown setting {name!r} ({where})", hint=guess)


def _parsed(text: str, kind: type) -> object:
    """Turn a variable's text into what it stands for, or give it back when it stands for nothing."""
    if kind is bool:
        return _WORDS.get(text.strip().lower(), text)
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            return text
    return text


def _converted(key: str, value: object, known: Mapping[str, type], where: str) -> object:
    if key not in known:
        raise _unknown(key, known, where)
    kind = known[key]
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise UsageError(f"setting {key!r} is far too large a number ({where})")
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if kind is Path and isinstance(value, str) and value:
        value = Path(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)) or "\0" in str(value):
        raise UsageError(f"setting {key!r} is {value!r}, expected {_KIND.get(kind, kind.__name__)} ({where})")
    if isinstance(value, str) and not value:
        raise UsageError(f"setting {key!r} is empty, expected {_KIND[str]} ({where})")
    low, high = BOUNDS.get(key, (None, None))
    if low is not None and high is not None and isinstance(value, int | float) and not low <= value <= high:
        raise UsageError(f"setting {key!r} is {value!r}, expected {low} to {high} ({where})")
    return value

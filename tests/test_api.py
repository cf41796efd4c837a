"""The public names of the package, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import rag_geo

HEAVY = {
    "torch", "transformers", "sentence_transformers", "faiss", "llama_cpp", "bm25s", "sklearn", "tiktoken",
    "selectolax", "httpx", "numpy", "rich", "scipy", "tokenizers",
}  # fmt: skip


def modules_after(code: str) -> set[str]:
    code += "\nimport sys\nsys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stderr.split()}


def test_the_public_names_are_sorted_and_each_exists():
    assert rag_geo.__all__ == sorted(rag_geo.__all__)
    assert dir(rag_geo) == rag_geo.__all__
    for name in rag_geo.__all__:
        assert getattr(rag_geo, name) is not None


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        rag_geo.Nonsense  # noqa: B018
    with pytest.raises(ImportError):
        exec("from rag_geo import Nonsense")


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    assert rag_geo.__version__ == project["project"]["version"]


def test_importing_the_package_loads_nothing_heavy():
    assert not HEAVY & modules_after("from rag_geo import Answer, RagGeoError, Settings, resolve_settings")


def test_help_version_and_refused_questions_load_nothing_heavy():
    each = [["--help"], ["ask", "--help"], ["--version"], ["ask", "?"], ["ask", "x" * 3000]]
    code = f"from rag_geo import cli, session\nfor each in {each!r}:\n    cli.run(each, session.Edges({{}}))"
    # What none of them loads, the last one finds not loaded.
    assert not HEAVY & modules_after(code)

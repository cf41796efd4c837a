"""Data flows one way: a module imports only from the modules above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ORDER = (
    "errors", "records", "settings", "cpu", "text", "question", "filtering", "conversation", "parts", "readers",
    "corpus", "passages", "models", "bert", "embedding", "index", "prompts", "retrieval", "audit", "llm",
    "grounding", "probing", "calibration", "assistant", "render", "overview", "inspection", "evaluation", "fitting",
    "testing", "doctor", "chat", "terminal", "process", "session", "cli", "__main__",
)  # fmt: skip
PACKAGE = Path(__file__).parents[1] / "src" / "rag_geo"


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and layer of every import of the package's own modules, wherever in the file it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            names = []
        for name in names:
            if name.startswith("rag_geo."):
                yield node.lineno, name.split(".")[1]


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_the_modules_above_it(path):
    here = layer_of(path)
    assert here in ORDER, f"{here} has no place in the order"
    wrong = [
        f"line {line}: {here} imports {other}"
        for line, other in imported(path)
        if other != here and ORDER.index(other) > ORDER.index(here)
    ]
    assert not wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_of_the_own_package_are_absolute(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]


def test_each_public_name_lives_where_the_package_says():
    import rag_geo

    assert sorted(rag_geo._HOMES) == sorted(set(rag_geo.__all__) - {"__version__"})
    assert set(rag_geo._HOMES.values()) <= set(ORDER)

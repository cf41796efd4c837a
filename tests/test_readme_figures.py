"""The table of figures in the README is what the suite makes of the committed baseline."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import asdict
from pathlib import Path

import pytest
from click.testing import CliRunner

from rag_geo import cli
from rag_geo.evaluation.metrics import summarise
from rag_geo.evaluation.results import read_results
from rag_geo.evaluation.runs import BASELINE, RESULTS, SUMMARY
from rag_geo.session import Edges

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MARKED = re.compile(r"^<!-- rag-geo (eval table.*) -->\n(.*?)^<!-- end of the table -->$", re.MULTILINE | re.DOTALL)


def test_the_table_of_the_readme_is_what_its_command_prints(monkeypatch):
    monkeypatch.chdir(ROOT)
    [(command, table)] = MARKED.findall(README)
    with CliRunner().isolation() as (out, _, _):
        code = cli.run(shlex.split(command), Edges({}))
        printed = out.getvalue().decode()
    assert code == 0
    assert table.strip() == printed.strip(), f"make the table in the README anew: rag-geo {command}"


def test_the_baseline_gives_the_figures_of_the_run_that_it_was_made_from():
    figures = json.loads((ROOT / BASELINE / SUMMARY).read_text(encoding="utf-8"))["all"]
    found = {name: asdict(each) for name, each in summarise(read_results(ROOT / BASELINE / RESULTS)).all.items()}
    assert list(found) == list(figures)
    for name, given in figures.items():
        assert found[name]["n"] == given["n"]
        for value in ("mean", "total", "interval"):
            assert found[name][value] == pytest.approx(given[value], abs=1e-9), name


def test_the_baseline_has_no_answers_and_no_places_of_a_machine():
    kept = ROOT / BASELINE
    assert all(
        set(each.answer or {}) <= {"answerable"} and not each.paragraphs for each in read_results(kept / RESULTS)
    )
    text = "".join(path.read_text(encoding="utf-8") for path in kept.iterdir())
    assert not re.search(r'"(?:/|~/|[A-Z]:\\)\w', text)

"""The check against published advisories: what it takes for a fault, what for an exception, and what proves those."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import advisories
import lock

ROOT = Path(__file__).resolve().parent.parent
EXCEPTIONS = advisories.read_exceptions(advisories.EXCEPTIONS.read_text(encoding="utf-8"))
PINS = {"diskcache": "5.6.3", "jinja2": "3.1.6", "lxml": "6.1.3"}
EXEMPT = advisories.Exempt("GHSA-1", "diskcache", "never made", ("tests/test_x.py::test_y",))
VULNERABLE = {"id": "PYSEC-1", "aliases": ["GHSA-1", "CVE-1"], "fix_versions": [], "description": "…"}


def report(*, skipped: tuple[str, ...] = (), **vulnerable: list[dict[str, object]]) -> str:
    """What pip-audit says of `PINS`."""
    known = [
        {"name": name, "version": version, "vulns": vulnerable.get(name, [])}
        for name, version in PINS.items()
        if name not in skipped
    ]
    return json.dumps({"dependencies": [*known, *({"name": name, "skip_reason": "not found"} for name in skipped)]})


def faults(text: str, *exceptions: advisories.Exempt, pins: dict[str, str] = PINS) -> list[str]:
    return advisories.faults(advisories.read_report(text), exceptions, pins)


def test_an_advisory_without_an_exception_is_a_fault_with_what_mends_it():
    mended = {**VULNERABLE, "fix_versions": ["3.1.7"]}
    assert faults(report(jinja2=[mended])) == ["jinja2 3.1.6: PYSEC-1, GHSA-1, CVE-1; mended in 3.1.7"]
    assert faults(report(lxml=[VULNERABLE])) == ["lxml 6.1.3: PYSEC-1, GHSA-1, CVE-1; no release mends it"]


def test_an_exception_counts_by_any_name_of_the_advisory_and_for_no_other():
    assert faults(report(diskcache=[VULNERABLE]), EXEMPT) == []
    assert len(faults(report(diskcache=[VULNERABLE, {**VULNERABLE, "aliases": []}]), EXEMPT)) == 1


def test_an_exception_that_no_longer_applies_is_a_fault():
    assert faults(report(), EXEMPT) == ["the exception GHSA-1 is not published for diskcache 5.6.3: remove it"]
    fewer = {name: version for name, version in PINS.items() if name != "diskcache"}
    [line] = faults(report(), EXEMPT, pins=fewer)
    assert line == "the exception GHSA-1 is for diskcache, which is not needed any more: remove it"


def test_what_could_not_be_looked_up_is_no_proof_of_anything():
    found = advisories.read_report(report(skipped=("diskcache",)))
    assert found.unknown == ("diskcache",)
    assert advisories.faults(found, [EXEMPT], PINS) == []
    with pytest.raises(advisories.UnknownError, match="not understood"):
        advisories.read_report("No known vulnerabilities found")


def fake_tool(folder: Path, says: str) -> Path:
    """A program in place of a Python with pip-audit; `says` is the shell that answers."""
    python = folder / "python"
    python.write_text(f'#!/bin/sh\necho "$*" >> "{folder}/asked.log"\n{says}\n')
    python.chmod(0o755)
    return python


def test_an_index_that_knows_no_advisories_is_not_taken_for_good_news(tmp_path):
    (tmp_path / "report.json").write_text(report(skipped=("diskcache",)))
    python = fake_tool(tmp_path, f'cat "{tmp_path}/report.json"')
    with pytest.raises(advisories.UnknownError, match="pypi: no advisories for diskcache; osv: no advisories for"):
        advisories.ask_any(python, PINS, [EXEMPT], tmp_path)
    assert (tmp_path / "asked.log").read_text().count("\n") == 2, "it is asked of one package, and not of all"


def test_the_first_service_that_answers_is_asked_for_everything(tmp_path):
    (tmp_path / "report.json").write_text(report(diskcache=[VULNERABLE]))
    python = fake_tool(tmp_path, f'case "$*" in *pypi*) exit 2;; esac; cat "{tmp_path}/report.json"; exit 1')
    found = advisories.ask_any(python, PINS, [EXEMPT], tmp_path)
    assert found.looked_up == set(PINS)
    assert [one.ids for one in found.advisories] == [("PYSEC-1", "GHSA-1", "CVE-1")]
    assert (tmp_path / "asked.txt").read_text() == "diskcache==5.6.3\njinja2==3.1.6\nlxml==6.1.3\n"


def test_where_nothing_can_be_had_it_is_said_and_nothing_fails(tmp_path):
    (tmp_path / "bin").mkdir()
    fake_tool(tmp_path / "bin", "echo 'no way there' >&2; exit 2")
    (tmp_path / "ready").write_text(advisories.TOOL.read_text())
    command = [sys.executable, str(ROOT / "setup" / "advisories.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    said = "advisories: none could be had here, nothing was checked (pypi: no way there; osv: no way there)\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, "", said)


def test_where_something_is_known_it_is_said_and_fails(tmp_path):
    (tmp_path / "bin").mkdir()
    pins = advisories.read_pins(advisories.CONSTRAINTS.read_text())
    known = {one.package: [{"id": one.id, "fix_versions": []}] for one in EXCEPTIONS}
    entries = [{"name": name, "version": pins[name], "vulns": known.get(name, [])} for name in pins]
    for more, code in ([], 0), ([VULNERABLE], 1):
        next(one for one in entries if one["name"] == "jinja2")["vulns"] = more
        (tmp_path / "report.json").write_text(json.dumps({"dependencies": entries}))
        fake_tool(tmp_path / "bin", f'cat "{tmp_path}/report.json"')
        (tmp_path / "ready").write_text(advisories.TOOL.read_text())
        command = [sys.executable, str(ROOT / "setup" / "advisories.py"), str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        assert f"{len(pins)} of {len(pins)} packages looked up; {len(EXCEPTIONS) + code} advisories" in done.stderr
        assert done.stderr.endswith(f"{code} to mend\n")


# --- the exceptions that there are -------------------------------------------------------------------------------


def test_every_exception_is_for_a_pinned_package_has_a_reason_and_proofs_that_are_tests():
    pins = advisories.read_pins(advisories.CONSTRAINTS.read_text())
    assert EXCEPTIONS
    for one in EXCEPTIONS:
        assert one.package in pins
        assert re.fullmatch(r"(GHSA|PYSEC|CVE)-[\w-]+", one.id)
        assert len(one.reason) > 80
        for proof in one.proofs:
            file, _, name = proof.partition("::")
            tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
            assert name in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


def test_an_exception_without_reason_or_proof_is_refused():
    for reason, proofs in (("", "['tests/test_x.py::test_y']"), ("because", "[]")):
        with pytest.raises(ValueError, match="has no reason or no proof"):
            advisories.read_exceptions(f"[[exception]]\nid='a'\npackage='b'\nreason='{reason}'\nproofs={proofs}\n")


def test_the_tool_is_pinned_with_all_that_it_needs_and_is_no_part_of_the_project():
    pins = advisories.read_pins(advisories.TOOL.read_text(encoding="utf-8"))
    assert "pip-audit" in pins
    assert not {"pip-audit", "pip-api", "cyclonedx-python-lib"} & set(lock.closure(lock.project_requirements()))


def names_of(tree: ast.AST) -> set[str]:
    """Every name and attribute in a module."""
    names = {each.attr for each in ast.walk(tree) if isinstance(each, ast.Attribute)}
    return names | {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}


def test_only_the_cache_on_disk_of_llama_cpp_makes_one_of_diskcache_and_nobody_here_names_it():
    package = Path(importlib.util.find_spec("llama_cpp").origin).parent
    making = {}
    for file in package.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        classes = [each for each in ast.walk(tree) if isinstance(each, ast.ClassDef)]
        for each in [one for one in ast.walk(tree) if isinstance(one, ast.Attribute)]:
            if isinstance(each.value, ast.Name) and each.value.id == "diskcache":
                owners = [one.name for one in classes if one.lineno <= each.lineno <= one.end_lineno]
                making.setdefault(file.name, set()).update(owners or ["nobody"])
    assert making == {"llama_cache.py": {"LlamaDiskCache"}}
    for file in (ROOT / "src").rglob("*.py"):
        found = names_of(ast.parse(file.read_text(encoding="utf-8")))
        assert not found & {"LlamaDiskCache", "LlamaCache", "set_cache", "diskcache"}, file

"""The commands that need an index: made, looked into and searched with a hashing embedder."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rag_geo import cli, doctor, session
from rag_geo.index import Index
from rag_geo.session import Edges
from rag_geo.settings import Settings
from rag_geo.testing import HashEmbedder

TREATY = """---
title: The treaty
author: Jeff Hawn
date: 2021-06-20
---

# Old quarrels

China and Russia signed the treaty in Beijing. It drew the border of both.

<!-- hidden instruction -->Vladivostok became the chief port of Russia.
"""
BREAD = "Bake the bread for one hour.\n\nLet the dough rest over night.\n"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "90")
    documents = tmp_path / "docs"
    (documents / "kitchen").mkdir(parents=True)
    (documents / "treaty.md").write_text(TREATY, encoding="utf-8")
    (documents / "kitchen" / "bread.txt").write_text(BREAD, encoding="utf-8")
    return documents


@pytest.fixture
def run(folder: Path) -> Run:
    def invoke(*arguments: str, embedder: Any = None, env: dict[str, str] | None = None) -> tuple[int, str, str]:
        edges = Edges(env or {}, load_embedder=lambda _settings: embedder or HashEmbedder())
        with CliRunner().isolation() as (out, err, _both):
            code = cli.run(arguments, edges)
            return code, out.getvalue().decode(), err.getvalue().decode()

    return invoke


def test_indexing_says_what_it_did_and_a_second_time_that_there_is_nothing_to_do(run, folder):
    code, out, err = run("index", "docs")
    assert code == 0
    assert out.startswith("indexed: 2 added, 0 changed, 0 removed, 0 unchanged; now 2 documents, ")
    assert "looking …\n" in err
    assert Index.open(Path("index/default")).manifest.documents == 2
    (folder / "kitchen" / "bread.txt").unlink()
    assert "nothing to do" not in run("index", "docs")[1]
    assert run("index", "docs")[1].startswith(
        "nothing to do: 0 added, 0 changed, 0 removed, 1 unchanged; now 1 documents"
    )


def test_skipped_files_are_listed_with_the_reason_and_the_others_are_indexed(run, folder):
    (folder / "a\nb\x1b[2J.bin").write_bytes(b"\x7fELF" + bytes(100))
    (folder / "empty.txt").write_bytes(b"")
    code, out, _ = run("index", "docs")
    assert code == 3
    assert "indexed: 2 added" in out
    assert "2 files were skipped:\n" in out
    assert "  a\\nb␛[2J.bin: " in out
    assert "  empty.txt: " in out
    code, out, _ = run("info")
    assert code == 0
    assert "  empty.txt: " in out
    code, out, err = run("info", "--file", "empty.txt")
    assert (code, out) == (2, "")
    assert "'empty.txt' was skipped: " in err


def test_the_report_as_json_is_exact(run, folder):
    name = "bad\nname 世界.xyz"
    (folder / name).write_bytes(b"\x7fELF" + bytes(100))
    code, out, _ = run("index", "docs", "--index", "elsewhere", "--json")
    report = json.loads(out)
    assert code == 3
    assert report["added"] == ["kitchen/bread.txt", "treaty.md"]
    assert [each["file"] for each in report["skipped"]] == [name]
    assert Index.open(Path("elsewhere")).manifest.documents == 2


@pytest.mark.parametrize("missing", ["nowhere", "docs/treaty.md", "hollow"])
def test_a_folder_that_cannot_be_indexed_is_exit_code_2_before_the_embedder_is_loaded(run, folder, missing):
    (folder.parent / "hollow").mkdir()

    class Refusing:
        def __getattr__(self, name: str) -> object:
            raise AssertionError("used")

    code, out, err = run("index", missing, embedder=Refusing())
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert missing in err


def test_info_shows_how_the_index_was_made_and_its_documents(run):
    run("index", "docs")
    code, out, _ = run("info")
    assert code == 0
    assert out.startswith("2 documents, ")
    assert "embedder hash@64" in out
    assert "treaty.md  2 paragraphs · 2021-06-20 · Jeff Hawn\n    The treaty\n" in out
    table = json.loads(run("info", "--json")[1])
    assert (table["documents"], table["embedder"], table["skipped"]) == (2, "hash@64", [])
    assert [each["file"] for each in table["files"]] == ["kitchen/bread.txt", "treaty.md"]


def test_info_on_a_file_shows_every_paragraph_with_offsets_kind_and_what_was_removed(run):
    run("index", "docs")
    code, out, _ = run("info", "--file", "treaty.md")
    assert code == 0
    assert out.startswith("treaty.md\n  title: The treaty\n  author: Jeff Hawn\n  date: 2021-06-20\n")
    assert "removed: " in out
    assert "heading" in out
    assert "hidden instruction" not in out
    table = json.loads(run("info", "--file", "treaty.md", "--json")[1])
    start, end = table["paragraphs"][-1]["start"], table["paragraphs"][-1]["end"]
    assert "Vladivostok became the chief port" in TREATY[start:end]
    assert table["paragraphs"][-1]["first_words"].startswith("Vladivostok became")
    assert [each["number"] for each in table["paragraphs"]] == list(range(1, len(table["paragraphs"]) + 1))
    assert table["removed"]


def test_debris_is_shown_with_the_rule_that_marked_it(run, folder):
    (folder / "page.txt").write_text(f"Advertisement\n\n{BREAD}", encoding="utf-8")
    run("index", "docs")
    out = run("info", "--file", "page.txt")[1]
    table = json.loads(run("info", "--file", "page.txt", "--json")[1])
    assert table["paragraphs"][0]["debris"]
    assert f"not indexed ({table['paragraphs'][0]['debris']}) Advertisement" in out


def test_a_file_that_is_not_there_is_named_with_the_nearest(run):
    run("index", "docs")
    code, _, err = run("info", "--file", "bread.txt")
    assert code == 2
    assert "did you mean 'kitchen/bread.txt'?" in err
    assert "rag-geo info lists the files" in run("info", "--file", "zzzzzzzzzzzz")[2]


def test_search_finds_the_paragraph_and_names_it(run):
    run("index", "docs")
    code, out, err = run("search", "Who signed the treaty?", "--limit", "1")
    assert (code, err) == (0, "")
    assert out.startswith("1. treaty.md ¶2  score ")
    assert "China and Russia signed the treaty in Beijing." in out
    table = json.loads(run("search", "bread", "--json")[1])
    assert table["query"] == "bread"
    assert table["hits"][0]["file"] == "kitchen/bread.txt"


def test_filters_narrow_a_search(run):
    run("index", "docs")
    for flags in (["--author", "hawn"], ["--after", "2021"], ["--file", "*.md"], ["--before", "2021-06"]):
        found = json.loads(run("search", "bread dough treaty", "--json", *flags)[1])["hits"]
        assert {hit["file"] for hit in found} == {"treaty.md"}


def test_a_filter_that_no_document_matches_is_an_error_that_names_what_there_is(run):
    run("index", "docs")
    code, out, err = run("search", "bread", "--after", "2030")
    assert (code, out) == (2, "")
    assert "no document is dated 2030 or later" in err
    code, _, err = run("search", "bread", "--author", "Hwan")
    assert code == 2
    assert "hint: known authors: " in err


@pytest.mark.parametrize("command", [["search", "bread"], ["info"]])
def test_without_an_index_the_command_that_makes_one_is_named(run, command):
    code, out, err = run(*command)
    assert (code, out) == (4, "")
    assert "there is no index at 'index/default'" in err
    assert "hint: rag-geo index DIR" in err


def test_an_index_of_another_embedder_is_refused_by_name(run):
    run("index", "docs")
    other = HashEmbedder(name="other")
    for command in (["search", "bread"], ["index", "docs"]):
        code, _, err = run(*command, embedder=other)
        assert code == 4
        assert "'hash@64'" in err
        assert "'other@64'" in err
    assert run("index", "docs", "--rebuild", embedder=other)[0] == 0
    assert run("search", "bread", embedder=other)[0] == 0


def test_a_damaged_index_is_refused_by_file(run):
    run("index", "docs")
    path = next(Path("index/default").glob("segments/*/vectors.faiss"))
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    code, _, err = run("info")
    assert code == 4
    assert "vectors.faiss" in err
    assert "--rebuild" in err


def test_control_c_while_indexing_leaves_the_old_index(run, folder):
    run("index", "docs")
    before = run("info")[1]

    class Interrupting(HashEmbedder):
        def embed(self, texts, progress=None):
            raise KeyboardInterrupt

    (folder / "new.txt").write_text("Something new is written here today.", encoding="utf-8")
    code, out, _ = run("index", "docs", embedder=Interrupting())
    assert (code, out) == (130, "")
    assert run("info")[1] == before


def test_the_doctor_verifies_an_index_and_names_what_is_damaged(run, tmp_path):
    run("index", "docs")
    settings = replace(Settings(), index=Path("index/default"), cache=tmp_path)
    found = doctor.check_index(settings)
    assert next(found).finding.startswith("gen-000001: 2 documents")
    os.truncate(next(Path("index/default").glob("segments/*/texts.jsonl")), 3)
    (line,) = doctor.run_child("index", json.dumps(doctor.settings_table(settings)))
    assert json.loads(line)["exit_code"] == 4
    assert "texts.jsonl" in json.loads(line)["finding"]


def test_earlier_generations_go_when_asked(run, folder):
    run("index", "docs")
    (folder / "treaty.md").unlink()
    _, _, err = run("index", "docs", "--purge")
    assert "removed what was there before: " in err
    assert sorted(path.name for path in Path("index/default").glob("gen-*")) == ["gen-000002"]
    assert not any(b"Jeff Hawn" in path.read_bytes() for path in Path("index/default").rglob("*") if path.is_file())


def test_an_index_is_made_anew_from_its_texts_without_the_files(run, folder):
    run("index", "docs")
    shutil.rmtree(folder)
    next(Path("index/default").glob("segments/*/vectors.faiss")).write_bytes(b"junk")
    assert run("info")[0] == 4
    code, out, _ = run("rebuild")
    assert code == 0
    assert "2 documents" in out
    assert run("info")[0] == 0


def test_texts_that_are_lost_are_listed_when_an_index_is_made_anew(run):
    run("index", "docs")
    next(Path("index/default").glob("segments/*/texts.jsonl")).write_bytes(b"junk")
    code, out, _ = run("rebuild", "--json")
    assert code == 3
    assert [each["file"] for each in json.loads(out)["skipped"]] == ["kitchen/bread.txt", "treaty.md"]
    assert "rag-geo index" in json.loads(out)["skipped"][0]["reason"]
    assert run("index", "docs")[0] == 0


def test_a_rebuild_of_nothing_says_how_an_index_is_made(run):
    code, _, err = run("rebuild")
    assert code == 4
    assert "hint: rag-geo index DIR" in err


def test_a_watched_folder_is_indexed_whenever_it_changes(folder):
    """Reports come as they are made; the last one is asked to end it."""
    edges = Edges({}, load_embedder=lambda _settings: HashEmbedder())
    reports = session.watch_folder(edges, folder, replace(Settings(), index=Path("index/default")))
    assert next(reports).documents == 2
    threading.Timer(0.5, (folder / "new.md").write_text, ["The ferry to Lunt carries forty cars.\n"]).start()
    assert next(reports).added == ("new.md",)
    assert "new.md" in Index.open(Path("index/default")).numbers
    reports.close()

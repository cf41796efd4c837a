"""Files that are left out of the index: the list, the update that respects it, and the command."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from tests.collection import FILES, embedder, make_assistant

from rag_geo import cli
from rag_geo.errors import CorpusError, ResourceError, UsageError
from rag_geo.index import LEFT_OUT, Index, change_left_out, read_left_out, update_index
from rag_geo.session import Edges
from rag_geo.testing import HashEmbedder


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    documents = tmp_path / "docs"
    documents.mkdir()
    for name in ("gas.md", "oil.md"):
        (documents / name).write_text(f"About {name}.\n")
    return documents


@pytest.fixture
def run(folder):
    def invoke(*arguments, edges=None):
        edges = edges or Edges({}, load_embedder=lambda _: HashEmbedder())
        with CliRunner().isolation() as (out, err, _both):
            code = cli.run(arguments, edges)
            return code, out.getvalue().decode(), err.getvalue().decode()

    return invoke


names = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=40)


@given(st.lists(names, unique=True, max_size=5), names)
def test_any_name_goes_through_the_list_and_back(tmp_path_factory, files, other):
    index = tmp_path_factory.mktemp("index")
    assert change_left_out(index, more=files) == tuple(files)
    assert read_left_out(index) == tuple(files)
    change_left_out(index, more=[other])
    assert change_left_out(index, fewer=[other]) == tuple(file for file in files if file != other)


def test_the_list_is_plain_text_that_may_be_edited(tmp_path):
    change_left_out(tmp_path, more=["sub/ä b.md", "#odd.md", "bad\udcff.md", "a\nb.md"])
    lines = (tmp_path / "left-out.txt").read_text().splitlines()
    assert lines[0].startswith("# ")
    assert lines[1:] == ["sub/ä b.md", '"#odd.md"', '"bad\\udcff.md"', '"a\\nb.md"']
    (tmp_path / "left-out.txt").write_text("# mine\n\nx.md\r\ny.md\nx.md\n")
    assert read_left_out(tmp_path) == ("x.md", "y.md")


def test_no_list_means_that_nothing_is_left_out(tmp_path):
    assert read_left_out(tmp_path) == ()
    assert change_left_out(tmp_path) == ()
    assert not (tmp_path / "left-out.txt").exists()


def test_a_list_that_cannot_be_read_is_said_and_never_taken_for_an_empty_one(tmp_path):
    path = tmp_path / "left-out.txt"
    path.write_bytes(b"\xff\xfe\n")
    with pytest.raises(UsageError, match="no text in UTF-8"):
        read_left_out(tmp_path)
    path.write_text('a.md\n"b\n')
    with pytest.raises(UsageError, match="line 2 is no path"):
        read_left_out(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ResourceError, match="cannot be read"):
        change_left_out(tmp_path, more=["a.md"])


def test_a_list_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "index").write_text("a file")
    with pytest.raises(ResourceError, match="cannot be written"):
        change_left_out(tmp_path / "index", more=["a.md"])


def test_taking_back_what_is_not_left_out_is_said_and_changes_nothing(tmp_path):
    change_left_out(tmp_path, more=["a.md"])
    with pytest.raises(UsageError, match=r"'b\.md' is not left out"):
        change_left_out(tmp_path, fewer=["a.md", "b.md"])
    assert read_left_out(tmp_path) == ("a.md",)


def test_an_update_respects_the_list_and_so_does_a_rebuild(folder, tmp_path):
    index = tmp_path / "index"
    update_index(folder, index, HashEmbedder())
    change_left_out(index, more=["gas.md", "not-there.md"])
    for rebuild in (False, True):
        report = update_index(folder, index, HashEmbedder(), rebuild=rebuild)
        assert [(one.file, one.reason) for one in report.skipped] == [("gas.md", LEFT_OUT)]
        assert [entry.file for entry in Index.open(index).documents] == ["oil.md"]
    assert not update_index(folder, index, HashEmbedder()).published
    change_left_out(index, fewer=["gas.md"])
    assert update_index(folder, index, HashEmbedder()).added == ("gas.md",)


def test_an_index_of_nothing_is_refused_and_the_old_one_stays(folder, tmp_path):
    index = tmp_path / "index"
    update_index(folder, index, HashEmbedder())
    change_left_out(index, more=["gas.md", "oil.md"])
    with pytest.raises(CorpusError, match="every document is left out") as caught:
        update_index(folder, index, HashEmbedder())
    assert "--undo" in caught.value.hint
    assert len(Index.open(index).documents) == 2


def test_the_command_leaves_out_lists_and_takes_back(run):
    assert run("index", "docs")[0] == 0
    assert run("leave-out") == (0, "nothing is left out\n", "")
    code, out, _ = run("leave-out", "gas.md")
    assert (code, out) == (0, "gas.md\nthis holds from the next update on: rag-geo index DIR\n")
    code, out, _ = run("index", "docs")
    assert code == 0  # it is as you wish
    assert f"gas.md: {LEFT_OUT}" in out.replace("\n    ", " ")
    assert "gas.md" in run("info")[1]
    assert json.loads(run("leave-out", "--json")[1]) == {"left_out": ["gas.md"]}
    assert run("leave-out", "gas.md")[0] == 0
    assert run("leave-out", "--undo", "gas.md")[0] == 0
    assert "1 added" in run("index", "docs")[1]


def test_a_name_that_is_not_in_the_index_is_said_with_the_nearest(run):
    run("index", "docs")
    code, out, err = run("leave-out", "gass.md")
    assert (code, out) == (2, "")
    assert "did you mean 'gas.md'?" in err
    assert run("leave-out", "--undo", "oil.md")[0] == 2
    assert run("leave-out", "x.md", "--index", "nowhere")[0] == 4


def test_examples_are_made_with_the_index(run, tmp_path):
    documents = tmp_path / "harbour"
    documents.mkdir()
    (documents / "bridge.md").write_text(FILES["bridge.md"] + "\nWe saw the Calder Bridge.\n")
    question = "When did the Calder Bridge open?"

    def edges(says):
        return Edges(
            {},
            load_embedder=lambda _: embedder(),
            load_assistant=lambda settings, _: make_assistant(settings.index, says),
        )

    given = edges({question: "The Calder Bridge opened in 1932."})
    code, out, _ = run("index", "harbour", "--index", "made", "--examples", edges=given)
    assert code == 0
    assert out.endswith(f"example: {question}\n")
    table = json.loads(run("index", "harbour", "--index", "made", "--examples", "--json", edges=given)[1])
    assert table["examples"] == [question]
    out = run("index", "harbour", "--index", "other", "--examples", edges=edges({}))[1]
    assert out.endswith("no example could be made\n")


def test_an_archive_is_left_out_whole_and_a_part_of_it_is_refused_with_its_name(run):
    with zipfile.ZipFile("docs/2019.zip", "w") as archive:
        archive.writestr("wine.md", "Wine got dear.\n")
        archive.writestr("news.md", "The bridge was closed.\n")
    run("index", "docs")
    code, out, err = run("leave-out", "2019.zip/wine.md")
    assert (code, out) == (2, "")
    assert "'2019.zip/wine.md' is a part of '2019.zip'" in err
    assert "rag-geo leave-out 2019.zip" in err
    assert run("leave-out", "2019.zip")[0] == 0
    assert "0 added, 0 changed, 2 removed" in run("index", "docs")[1]
    assert "wine.md" not in run("info", "--json")[1]
    assert run("leave-out", "--undo", "2019.zip")[0] == 0
    assert "2 added" in run("index", "docs")[1]


def test_info_of_an_archive_says_what_it_holds(run):
    with zipfile.ZipFile("docs/2019.zip", "w") as archive:
        archive.writestr("towns.csv", "Town,People\nMarlow,14000\nOrland,9000\n")
    run("index", "docs")
    code, _, err = run("info", "--file", "2019.zip")
    assert code == 2
    assert "'2019.zip' holds 1 document" in err
    assert "rag-geo info --file 2019.zip/towns.csv" in err
    out = run("info", "--file", "2019.zip/towns.csv")[1]
    assert " table    row 2  Town: Marlow; People: 14000" in out
    assert " table    row 3  Town: Orland; People: 9000" in out


def test_search_in_an_archive_shows_the_place_and_the_copies(run):
    rows = "Town,People\nMarlow,14000\nOrland,9000\n"
    Path("docs/towns.csv").write_text(rows)
    with zipfile.ZipFile("docs/2019.zip", "w") as archive:
        archive.writestr("towns.csv", rows)
    run("index", "docs")
    code, out, _ = run("search", "people of Orland", "--file", "2019.zip/*")
    assert code == 0
    assert out.startswith("1. 2019.zip/towns.csv ¶2, row 3  score")
    assert "oil.md" not in out
    words = " ".join(run("search", "people of Orland")[1].split())
    assert "1. towns.csv ¶2, row 3 (the same in 2019.zip/towns.csv) score" in words

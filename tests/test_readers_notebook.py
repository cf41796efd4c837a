import json
import random
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.readers import read_file
from rag_geo.readers.blocks import UnreadableError
from rag_geo.readers.notebook import LONGEST_OUTPUT, read
from rag_geo.settings import ReadingSettings


def layout_of(cells, **metadata):
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}
    return read(json.dumps(notebook).encode(), "a.ipynb", ReadingSettings())


def shown(layout):
    return [(layout.text[b.start : b.end], b.kind, b.place) for b in layout.blocks]


def markdown(*lines):
    return {"cell_type": "markdown", "metadata": {}, "source": list(lines)}


def code(source, *outputs):
    return {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": source, "outputs": list(outputs)}


def test_text_is_read_as_markdown_and_code_as_code_each_with_its_cell():
    layout = layout_of(
        [
            markdown("# The *mill*\n", "\n", "It stands.\n", "\n", "- one\n", "- two"),
            code("x = 1\n\nprint(x)"),
            code(""),
        ]
    )
    assert shown(layout) == [
        ("The mill", "heading", "cell 1"), ("It stands.", "text", "cell 1"), ("- one\n- two", "list", "cell 1"),
        ("x = 1\nprint(x)", "code", "cell 2"),
    ]  # fmt: skip
    assert layout.blocks[0].level == 1


def test_what_the_code_wrote_is_read_up_to_a_length():
    stream = {"output_type": "stream", "name": "stdout", "text": ["one\n", "\x1b[31mtwo\x1b[0m\n"]}
    result = {"output_type": "execute_result", "data": {"text/plain": "42", "text/html": "<b>42</b>"}, "metadata": {}}
    progress = {"output_type": "stream", "name": "stderr", "text": " 10%\r 50%\r100%\n"}
    long = {"output_type": "stream", "name": "stdout", "text": "word " * 1000}
    layout = layout_of([code("x", stream, result, progress, long)])
    assert [text for text, _, _ in shown(layout)[:4]] == ["x", "one\ntwo", "42", "100%"]
    assert len(shown(layout)[4][0]) <= LONGEST_OUTPUT
    assert layout.removed == (("end of a long output", 1),)
    assert {kind for _, kind, _ in shown(layout)} == {"code"}


def test_pictures_are_left_out_and_counted():
    plot = {"output_type": "display_data", "data": {"image/png": "iVBORw0K", "text/plain": ["<Figure size 640x480>"]}}
    layout = layout_of([markdown("See ![a mill](data:image/png;base64,iVBORw0K) here."), code("plot()", plot)])
    assert layout.text == "See a mill here.\n\nplot()"
    assert layout.removed == (("picture", 2),)


def test_an_output_that_is_only_a_page_is_read_as_one():
    table = "<table><tr><th>a</th><td>1</td></tr></table><script>x</script>"
    layout = layout_of([code("x", {"output_type": "display_data", "data": {"text/html": [table]}})])
    assert shown(layout)[1:] == [("a | 1", "code", "cell 1")]


def test_an_error_is_told_without_its_way_through_the_program():
    error = {
        "output_type": "error",
        "ename": "ValueError",
        "evalue": "no mill",
        "traceback": ["\x1b[0;31m---", "secret"],
    }
    layout = layout_of([code("x", error)])
    assert shown(layout)[1][0] == "ValueError: no mill"
    assert layout.removed == (("traceback", 1),)


def test_title_authors_and_language_come_from_the_metadata():
    people = [{"name": "Ann Berg"}, {"name": "Bob Dahl"}]
    layout = layout_of(
        [markdown("Text.")], title="Mills", authors=people, date="2020-01-02", kernelspec={"language": "python"}
    )
    assert (layout.title, layout.author, layout.date) == ("Mills", "Ann Berg, Bob Dahl", "2020-01-02")
    assert layout.metadata == (("programming language", "python"),)


def test_a_block_of_yaml_at_the_top_says_what_the_notebook_is():
    raw = {"cell_type": "raw", "source": "---\ntitle: Mills\nauthor: Ann\n---\n"}
    layout = layout_of([raw, markdown("Text."), {"cell_type": "raw", "source": "\\newpage"}], title="Other")
    assert (layout.title, layout.author) == ("Mills", "Ann")
    assert shown(layout) == [("Text.", "text", "cell 2"), ("\\newpage", "code", "cell 3")]
    assert layout.removed == (("front matter", 1),)


def test_comments_of_markdown_are_left_out():
    layout = layout_of([markdown("One.<!-- secret --> Two."), markdown("Three <!-- open")])
    assert layout.text == "One. Two.\n\nThree <!-- open"
    assert layout.removed == (("comment", 1),)
    assert layout.warnings == ("cell 2: a comment is opened by <!-- and never closed; read as text",)


def test_notebooks_of_format_3_are_read():
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["The mill"]},
        {"cell_type": "code", "input": ["x = 1"], "outputs": [
            {"output_type": "pyout", "text": ["1"]}, {"output_type": "display_data", "png": "iVBOR"},
            {"output_type": "pyerr", "ename": "E", "evalue": "e", "traceback": []},
        ]},
    ]  # fmt: skip
    notebook = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": "x"}, "worksheets": [{"cells": cells}]}
    layout = read(json.dumps(notebook).encode(), "a.ipynb", ReadingSettings())
    assert shown(layout) == [
        ("The mill", "heading", "cell 1"), ("x = 1", "code", "cell 2"), ("1", "code", "cell 2"),
        ("E: e", "code", "cell 2"),
    ]  # fmt: skip
    assert layout.blocks[0].level == 2
    assert layout.removed == (("picture", 1),)


def test_halves_of_characters_and_odd_levels_do_no_harm():
    layout = layout_of([markdown("A \ud800 B"), {"cell_type": "heading", "level": "", "source": "C"}])
    assert layout.text == "A \ufffd B\n\nC"


def test_what_is_no_notebook_is_told():
    deep = b'{"cells":' + b"[" * 100_000
    for data, reason in (
        (b"{", "damaged: not valid JSON in line 1"), (b"[]", "damaged: not a notebook"),
        (deep, "nested too deeply"), (b"\x89PNG\r\n" + bytes(99), "looks binary"),
    ):  # fmt: skip
        with pytest.raises(UnreadableError, match=reason):
            read(data, "a.ipynb", ReadingSettings())


NAMES = [
    "cells",
    "worksheets",
    "source",
    "input",
    "outputs",
    "data",
    "text",
    "level",
    "authors",
    "metadata",
    "kernelspec",
    "traceback",
    "ename",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=25,
)


@given(VALUES, VALUES, st.sampled_from(["code", "markdown", "raw", "heading", None]), VALUES)
def test_a_notebook_with_anything_in_it_is_read(source, outputs, kind, metadata):
    cell = {"cell_type": kind, "source": source, "outputs": outputs, "level": source}
    both = {"cells": [cell, outputs], "metadata": metadata, "worksheets": metadata if kind else None}
    layout = read(json.dumps(both).encode(), "a.ipynb", ReadingSettings())
    assert all(block.end <= len(layout.text) for block in layout.blocks)


def test_broken_files_are_unreadable_and_nothing_worse():
    good = json.dumps(
        {"cells": [markdown("# A\n\nText"), code("x", {"output_type": "stream", "text": ["y"]})]}
    ).encode()
    for seed in range(300):
        change = random.Random(seed)
        broken = bytearray(good)
        for _ in range(change.randint(1, 3)):
            at = change.randrange(len(broken))
            broken[at : at + change.randint(0, 4)] = change.choice((b'"', b"{", b"]", b"\x00", b"\xff", b"", b"9"))
        with suppress(UnreadableError):
            read(bytes(broken), "a.ipynb", ReadingSettings())


def test_a_notebook_is_recognised_whatever_it_is_called():
    data = json.dumps({"nbformat": 4, "metadata": {}, "cells": [markdown("# Mills\n\nThey stand.")]}).encode()
    for name in ("a.ipynb", "a.txt"):
        (document,) = read_file(name, data)
        assert (document.format, document.title, document.paragraphs[1].heading) == ("notebook", "Mills", "Mills")

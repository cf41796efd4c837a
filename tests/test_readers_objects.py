import json
import random
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.readers import read_file
from rag_geo.readers.blocks import UnreadableError
from rag_geo.readers.objects import parse, read
from rag_geo.settings import ReadingSettings

LONG = "The mill stands at the river, and it has been grinding corn since the town was founded. It still does."


def layout_of(value, name="file.json", fields=""):
    data = (
        value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else json.dumps(value).encode()
    )
    return read(data, name, ReadingSettings(json_fields=fields))


def shown(value, name="file.json", fields=""):
    layout = layout_of(value, name, fields)
    return [(layout.text[block.start : block.end], block.place) for block in layout.blocks]


def texts(value, name="file.json", fields=""):
    return [text for text, _ in shown(value, name, fields)]


def test_the_short_fields_of_a_record_are_one_paragraph_and_a_long_text_is_its_own():
    records = [{"id": 5, "body": LONG, "tags": ["a", "b"], "by": {"name": "Ann"}}, {"id": 6, "open": True, "x": None}]
    assert shown(records) == [
        ("id: 5; tags: a, b; by.name: Ann", "record 1"), (LONG, "record 1"), ("id: 6; open: true", "record 2"),
    ]  # fmt: skip
    assert [block.kind for block in layout_of(records).blocks] == ["table", "text", "table"]


def test_a_long_text_has_the_paragraphs_between_its_blank_lines():
    assert texts([{"body": f"{LONG}\n \nAnd more.\r\n\r\nEnd."}]) == [LONG, "And more.", "End."]


def test_titles_are_headings_if_every_record_has_one():
    records = [{"title": "Mill", "body": LONG}, {"title": "Bridge", "length": 5}]
    layout = layout_of(records)
    assert texts(records) == ["Mill", LONG, "Bridge", "length: 5"]
    assert [(b.kind, b.level) for b in layout.blocks][::2] == [("heading", 2), ("heading", 2)]
    assert layout.title == "file"
    assert texts([*records, {"length": 6}]) == ["title: Mill", LONG, "title: Bridge; length: 5", "length: 6"]
    assert texts([{"title": "Mill", "x": 1}]) == ["title: Mill; x: 1"]


def test_records_are_found_in_the_list_of_an_object_which_says_what_the_file_is():
    value = {"title": "Buildings", "author": "Ann", "date": "2020-01-02", "items": [{"a": 1}, {"a": 2}]}
    assert shown(value) == [
        ("title: Buildings; author: Ann; date: 2020-01-02", ""), ("a: 1", "record 1"), ("a: 2", "record 2"),
    ]  # fmt: skip
    layout = layout_of(value)
    assert (layout.title, layout.author, layout.date) == ("Buildings", "Ann", "2020-01-02")


def test_several_lists_and_an_object_of_objects_keep_their_names():
    assert shown({"mills": [{"a": 1}], "bridges": [{"a": 2}, {"a": 3}]}) == [
        ("mills", ""), ("a: 1", "mills, record 1"), ("bridges", ""), ("a: 2", "bridges, record 1"),
        ("a: 3", "bridges, record 2"),
    ]  # fmt: skip
    assert shown({"mill": {"a": 1}, "bridge": {"a": 2}}) == [("mill; a: 1", "record 1"), ("bridge; a: 2", "record 2")]


def test_an_object_without_records_is_one_and_has_no_number():
    value = {"name": "Mill", "text": LONG, "built": "1721-05-06"}
    assert shown(value) == [("Mill", ""), ("built: 1721-05-06", ""), (LONG, "")]
    assert layout_of(value).title == "Mill"


def test_values_that_are_no_objects_are_read():
    assert shown(["one", LONG, 5, [1, "two"], [], None]) == [
        ("one", "record 1"), (LONG, "record 2"), ("5", "record 3"), ("1, two", "record 4"),
    ]  # fmt: skip
    assert shown('"word"') == [("word", "")]


def test_numbers_stay_as_they_are_written():
    huge = "9" * 250
    assert texts(f'{{"a": 1.50, "b": 0.30000000000000004, "c": {huge}, "d": -0, "e": 1e400}}') == [
        f"a: 1.50; b: 0.30000000000000004; c: {huge}; d: -0; e: 1e400"
    ]
    assert isinstance(parse("9" * 5000), str)


def test_names_that_come_twice_give_both_values_and_what_is_no_number_none():
    assert texts('[{"a": 1, "b": 2, "a": "x", "c": NaN, "d": -Infinity}]') == ["a: 1, x; b: 2"]


def test_what_nobody_reads_is_left_out_and_counted():
    layout = layout_of([{"a": "x", "picture": "iVBORw0K" * 100, "vector": [0.5] * 99}])
    assert layout.text == "a: x"
    assert layout.removed == (("encoded data", 1), ("long list of numbers", 1))


def test_a_text_of_markup_is_read_as_a_page():
    value = [{"body": f"<h2>Mill</h2><p>{LONG}</p><script>x</script><ul><li>One</li><li>Two</li></ul>"}]
    assert texts(value) == ["Mill", LONG, "- One\n- Two"]
    assert layout_of(value).removed == (("script", 1),)


def test_very_many_short_fields_are_several_paragraphs():
    found = texts([{f"field {number}": "some words" for number in range(100)}])
    assert len(found) == 2
    assert "; ".join(found).count("some words") == 100


def test_only_the_fields_that_are_asked_for_are_read():
    records = [
        {"id": 1, "title": "Mill", "post": {"body": "Short.", "html": LONG}, "replies": [{"text": "A"}, {"text": "B"}]}
    ]
    assert texts(records, fields="title, post.body") == ["Mill", "Short."]
    assert texts(records, fields="post.body") == ["Short."]
    assert texts(records, fields="replies.text,id") == ["id: 1", "A", "B"]
    assert texts({"mills": records, "others": [{"id": 2}]}, fields="mills.id") == ["id: 1"]
    with pytest.raises(UnreadableError, match=r"no record in it has the fields of reading\.json_fields \(text\)"):
        layout_of(records, fields="text")


def test_each_line_of_json_lines_is_a_record():
    text = '{"a": 1}\r\n\n{"body": "One\\u2028two and some more words that make it long enough to be read."}\n[1, 2]\n'
    assert [place for _, place in shown(text, "x.jsonl")] == ["line 1", "line 3", "line 4"]
    assert shown('{"a": 1}\n{"a": 2}') == [("a: 1", "line 1"), ("a: 2", "line 2")]
    assert shown('{"a": 1}', "x.ndjson") == [("a: 1", "line 1")]


def test_broken_lines_are_named_and_the_others_read():
    layout = layout_of('{"a": 1}\n{"a": \n{"a": 3}\n' + "[" * 99999, "x.jsonl")
    assert layout.text == "a: 1\n\na: 3"
    assert layout.warnings == ("2 lines are not valid JSON and left out: 2, 4",)
    many = layout_of('{"a": 1}\n' + "x\n" * 20, "x.jsonl")
    assert many.warnings == ("20 lines are not valid JSON and left out: 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …",)


def test_what_is_not_json_is_told_with_its_line():
    with pytest.raises(UnreadableError, match="damaged: not valid JSON in line 3"):
        layout_of('{\n"a": 1,\n}')
    with pytest.raises(UnreadableError, match="damaged: no line of it is valid JSON"):
        layout_of("x\ny", "x.jsonl")
    with pytest.raises(UnreadableError, match="looks binary"):
        layout_of(b"\x89PNG\r\n" + bytes(99))


def test_deep_nesting_is_read_or_told_and_never_worse():
    deep = '{"a":' * 300 + '"end"' + "}" * 300
    assert texts(deep)[0].endswith("a: end")
    for text in ("[" * 200_000, '{"a":' * 200_000, "[" * 200_000 + "]" * 200_000):
        with pytest.raises(UnreadableError, match="nested too deeply"):
            layout_of(text)


def test_other_encodings_are_read():
    assert layout_of('{"a": "ä"}'.encode("utf-16")).text == "a: ä"
    assert layout_of(b'\xef\xbb\xbf{"a": "\xc3\xa4"}').text == "a: ä"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=120),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.sampled_from(["", "title", "a.b, text"]))
def test_every_value_is_read_or_told(value, fields):
    with suppress(UnreadableError):
        layout = layout_of(value, fields=fields)
        assert all(block.end <= len(layout.text) for block in layout.blocks)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.sampled_from(["x1", "y 2", LONG]), min_size=1), min_size=1))
def test_every_text_of_a_record_stands_in_a_paragraph_of_its_place(records):
    found = shown(records)
    for number, record in enumerate(records, start=1):
        here = " ".join(text for text, place in found if place == f"record {number}")
        assert all(text in here for text in record.values())


def test_broken_files_are_unreadable_and_nothing_worse():
    good = json.dumps([{"title": "Mill", "body": LONG, "n": [1, 2.5], "o": {"p": None}}] * 3).encode()
    for seed in range(300):
        change = random.Random(seed)
        broken = bytearray(good)
        for _ in range(change.randint(1, 3)):
            piece = change.choice((b'"', b"{", b"]", b"\\u", b"\x00", b"\xff", b"", b"\n", b"9e9"))
            at = change.randrange(len(broken))
            broken[at : at + change.randint(0, 4)] = piece
        for name in ("x.json", "x.jsonl"):
            with suppress(UnreadableError):
                layout_of(bytes(broken), name)


def test_objects_are_recognised_and_their_texts_stand_under_their_titles():
    records = [{"title": "Mill", "body": LONG}, {"title": "Bridge", "body": LONG}]
    lines = "\n".join(map(json.dumps, records))
    for name, text, kind in (
        ("a.json", json.dumps(records), "json"),
        ("a.jsonl", lines, "jsonl"),
        ("a", lines, "jsonl"),
    ):
        (document,) = read_file(name, text.encode())
        assert document.format == kind
        assert [p.heading for p in document.paragraphs] == ["", "Mill", "", "Bridge"]

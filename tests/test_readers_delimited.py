import csv
import io
import random
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_geo.readers import read_file
from rag_geo.readers.blocks import UnreadableError
from rag_geo.readers.delimited import find_delimiter, is_value, read
from rag_geo.settings import ReadingSettings

SETTINGS = ReadingSettings()


def layout_of(text):
    return read(text if isinstance(text, bytes) else text.encode(), "table.csv", SETTINGS)


def shown(text):
    layout = layout_of(text)
    return [layout.text[block.start : block.end] for block in layout.blocks]


def places(text):
    return [block.place for block in layout_of(text).blocks]


def test_a_row_is_a_paragraph_with_the_names_of_its_columns_and_its_place():
    text = 'Country,Area (km²),Capital\nNorway,"385,207",Oslo\nChad,,"N\'Djamena"\n'
    assert shown(text) == ["Country: Norway; Area (km²): 385,207; Capital: Oslo", "Country: Chad; Capital: N'Djamena"]
    assert places(text) == ["row 2", "row 3"]
    assert {block.kind for block in layout_of(text).blocks} == {"table"}
    assert layout_of(text).title == "table"


def test_the_row_is_the_one_a_spreadsheet_shows():
    text = 'name,note\n\nAnna,"line one\nline two\n\nline four"\nBob,x\n'
    assert shown(text) == ["name: Anna; note: line one line two line four", "name: Bob; note: x"]
    assert places(text) == ["row 3", "row 4"]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","), ("a\tb, c\n1, 2\t3\n", "\t"), ("Name;Wert\nA;1,5\nB;2,5\n", ";"), ("1,5;2\n3,5;4\n", ";"),
        ("a|b\n1|2\n", "|"), ("id,tags\n1,a;b\n2,c;d\n", ","), ('a,"b;c"\n1,"d;e;f"\n', ","), ("one\ntwo\n", ""),
        ("Report\nof May, 2020\n\na;b;c\n1;2;3\n4;5;6\n", ";"), ("", ""),
        ("Weight Pulse\n191 50\n189  52\n", " "), ("one word\nand another\nand last\n", ""), ("1 2\n3 4 5\n6\n", ""),
    ],
)  # fmt: skip
def test_the_delimiter_is_the_one_that_fits_most_rows(text, delimiter):
    assert find_delimiter(text) == delimiter


def test_a_first_line_may_name_the_delimiter():
    assert shown("sep=#\nName#Wert\nA#1,5\n") == ["Name: A; Wert: 1,5"]
    assert places("sep=;\r\nName;Wert\r\nA;1\r\n") == ["row 3"]


def test_lines_above_a_table_are_headings_and_lines_below_it_are_text():
    text = "Report 2020\n\nCountry,2019,2020\nNorway,5,6\nChad,7,8\nSource: the yearbook of the statistical office.\n"
    layout = layout_of(text)
    assert [(b.kind, b.place) for b in layout.blocks] == [
        ("heading", "row 1"), ("table", "row 4"), ("table", "row 5"), ("text", "row 6"),
    ]  # fmt: skip
    assert shown(text)[1] == "Country: Norway; 2019: 5; 2020: 6"
    assert layout.title == "Report 2020"


def test_a_sheet_saved_as_text_may_hold_several_tables():
    text = "City,Size\nOslo,5\n,\nRiver,Length\nNile,6650\n"
    assert shown(text) == ["City: Oslo; Size: 5", "River: Nile; Length: 6650"]


def test_names_in_two_rows_are_joined():
    assert shown(",2020,,2021,\nRegion,Q1,Q2,Q1,Q2\nEast,1,2,3,4\nWest,5,6,7,8\n") == [
        "Region: East; 2020 Q1: 1; 2020 Q2: 2; 2021 Q1: 3; 2021 Q2: 4",
        "Region: West; 2020 Q1: 5; 2020 Q2: 6; 2021 Q1: 7; 2021 Q2: 8",
    ]


def test_texts_above_texts_are_names_unless_they_look_like_what_is_below():
    assert shown("name,city\nAnna,Oslo\nBob,Rome\n") == ["name: Anna; city: Oslo", "name: Bob; city: Rome"]
    assert shown("Anna,Oslo\nBob,Oslo\n") == ["Anna: Oslo", "Bob: Oslo"]
    assert shown("Anna,anna@example.org,Oslo\nBob,bob@example.org,Rome\n")[0] == "A: Anna; B: anna@example.org; C: Oslo"


def test_rows_without_names_have_letters_and_one_column_has_none():
    assert shown("1,2\n3,4\n") == ["A: 1; B: 2", "A: 3; B: 4"]
    assert shown("one\ntwo\n") == ["one", "two"]
    assert shown("name,age\n") == ["name | age"]


def test_a_column_without_a_name_gives_its_cells_alone():
    assert shown(",area\nNorway,5\nChad,6\n") == ["Norway; area: 5", "Chad; area: 6"]


def test_a_long_text_keeps_its_lines():
    long = "A first line that goes on. " * 12
    assert shown(f'id,text\n1,"{long}\n\nAnd another line."\n') == [f"id: 1; text: {long.strip()}\nAnd another line."]


def test_errors_of_a_spreadsheet_are_left_out_and_counted():
    layout = layout_of("a,b\n1,#DIV/0!\n2,#hash\n")
    assert layout.text == "a: 1\n\na: 2; b: #hash"
    assert layout.removed == (("error value", 1),)


def test_a_quote_that_is_never_closed_takes_only_its_row():
    layout = layout_of('a,b\n1,"open\n2,3\n4,5\n')
    assert layout.text == 'a: 1; b: "open\n\na: 2; b: 3\n\na: 4; b: 5'
    assert layout.warnings == ("row 2: a quotation mark is opened and never closed; read as it stands",)
    many = layout_of("a,b\n" + '1,"x\n' * 1001)
    assert len(many.blocks) == 1001 or len(many.blocks) == 501  # pairs of quotes hold what is between them
    assert many.blocks[-1].place


def test_quotes_escaped_by_a_backslash_are_read():
    assert shown('a,b\n1,"say \\"hi\\", then"\n') == ['a: 1; b: say "hi", then']


def test_other_encodings_and_line_ends_are_read():
    assert shown("Größe;Wert\r\nä;1\r\n".encode("cp1252"))[0] == "Größe: ä; Wert: 1"
    assert layout_of("Größe;Wert\r\nä;1\r\n".encode("utf-16")).encoding == "utf-16-le"
    assert shown("a\tb\r1\t2\r3\t4\r") == ["a: 1; b: 2", "a: 3; b: 4"]
    with pytest.raises(UnreadableError, match="looks binary"):
        layout_of(b"\x89PNG\r\n" + bytes(99))


@pytest.mark.parametrize(
    "text",
    ["5", "-5.5", "1,234.56", "1.234,56", "1 234", "5%", "12,5 %", "€5", "$ 5", "5 EUR", "(5)", "1e-5", "2020-01-02",
     "02.01.2020", "1/2/20", "2020-01-02T12:30:00Z", "12:30", "12:30 pm", "TRUE", "false", ".5"],
)  # fmt: skip
def test_numbers_dates_and_truth_are_values(text):
    assert is_value(text)


@pytest.mark.parametrize("text", ["Q1", "5 apples", "12A", "+47 22 33 44", "1.2.3", "v2", "", "-", "EUR", "1" * 50])
def test_texts_are_no_values(text):
    assert not is_value(text)


def test_a_file_with_too_many_rows_is_not_read(monkeypatch):
    monkeypatch.setattr("rag_geo.readers.delimited.MAX_PARAGRAPHS", 3)
    with pytest.raises(UnreadableError, match="has more than 3 rows"):
        layout_of("a,b\n1,2\n3,4\n5,6\n")


CELL = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co"), include_characters='\n",;\t|'), max_size=12
)
ROWS = st.integers(2, 4).flatmap(lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), max_size=8))


@given(ROWS, st.sampled_from("\t;|,"))
@settings(max_examples=300)
def test_every_cell_of_a_written_file_is_in_the_paragraph_of_its_row(rows, delimiter):
    target = io.StringIO(newline="")
    # The line names the delimiter: with a few random cells nobody could tell it.
    target.write(f"sep={delimiter}\n")
    csv.writer(target, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
    layout = layout_of(target.getvalue())
    told = {block.place: layout.text[block.start : block.end] for block in layout.blocks}
    header = [cell for row in rows for cell in row if f"row {rows.index(row) + 2}" not in told]
    for number, row in enumerate(rows, start=2):
        for cell in row:
            words = " ".join(cell.split()).rstrip(" :;")
            if f"row {number}" in told:
                assert words in told[f"row {number}"]
            elif words and len(told) > 0:
                assert header  # a row that is not told names columns
    assert layout.warnings == ()


def test_broken_files_are_unreadable_and_nothing_worse():
    good = b'a;b;c\r\n1;"two ""x""\r\nlines";3\r\n4;5;2020-01-02\r\n'
    for seed in range(300):
        change = random.Random(seed)
        broken = bytearray(good)
        for _ in range(change.randint(1, 5)):
            at = change.randrange(len(broken))
            broken[at : at + change.randint(0, 4)] = change.choice(
                (b'"', b";", b"\r", b"\\", b"\x00", b"\xff", b"", b"\n")
            )
        with suppress(UnreadableError):
            layout_of(bytes(broken))


def test_a_table_is_recognised_and_its_rows_can_be_cited():
    (document,) = read_file("countries.csv", b"Country,Area,Capital\nNorway,385207,Oslo\nNorway,385207,Oslo\n")
    assert (document.format, document.title) == ("csv", "countries")
    assert [(p.number, p.place, p.debris, len(p.sentences)) for p in document.paragraphs] == [
        (1, "row 2", None, 1), (2, "row 3", None, 1),
    ]  # fmt: skip


def test_very_many_small_tables_beside_each_other_take_no_longer_than_their_cells():
    wide = ",".join("a,b," for _ in range(3_000))
    text = f"{wide}\n{wide}\n" + "x,\n" * 50_000
    started = time.process_time()
    assert len(layout_of(text).blocks) > 50_000
    assert time.process_time() - started < 60

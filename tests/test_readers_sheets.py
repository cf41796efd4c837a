import datetime
import io
import random
import zipfile
from contextlib import suppress

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_geo.readers import read_file
from rag_geo.readers.blocks import UnreadableError
from rag_geo.readers.number_formats import duration, plain_number, show_of
from rag_geo.readers.ods import _shown_number
from rag_geo.readers.sheets import read
from rag_geo.settings import ReadingSettings

SETTINGS = ReadingSettings()


def workbook(fill, **properties):
    """The bytes of a workbook that `fill` has filled."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    book.set_properties(properties)
    fill(book)
    book.close()
    return target.getvalue()


def sheet_of(*rows, name="Data"):
    def fill(book):
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                if value is not None:
                    sheet.write(number, column, value)

    return workbook(fill)


def shown(data, name="book.xlsx"):
    layout = read(data, name, SETTINGS)
    return [layout.text[block.start : block.end] for block in layout.blocks]


def changed(data, change):
    """The archive with each member as `change(name, bytes)` gives it; None leaves it out."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in source.namelist():
            content = change(name, source.read(name))
            if content is not None:
                copy.writestr(name, content)
    return target.getvalue()


TABLE = (("Country", "Area (km²)", "Capital"), ("Norway", 385207, "Oslo"), ("Chad", 1284000, "N'Djamena"))


def ods(body, styles="", meta=""):
    """The bytes of a workbook of LibreOffice with this XML in its body."""
    names = "".join(
        f' xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for prefix, name in (
            ("office", "office"), ("table", "table"), ("text", "text"), ("style", "style"), ("meta", "meta"),
            ("fo", "xsl-fo-compatible"),
        )
    )  # fmt: skip
    names += ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "content.xml",
            f"<office:document-content{names}><office:automatic-styles>{styles}</office:automatic-styles>"
            f"<office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>",
        )
        if meta:
            archive.writestr(
                "meta.xml", f"<office:document-meta{names}><office:meta>{meta}</office:meta></office:document-meta>"
            )
    return target.getvalue()


def ods_cell(text, kind="string", **attributes):
    extra = "".join(f' {name.replace("_", ":", 1).replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<table:table-cell office:value-type="{kind}"{extra}><text:p>{text}</text:p></table:table-cell>'


def ods_row(*cells, extra=""):
    return f"<table:table-row{extra}>{''.join(cells)}</table:table-row>"


def test_a_row_is_a_paragraph_with_the_names_of_its_columns_under_the_name_of_its_sheet():
    layout = read(sheet_of(*TABLE, name="Countries"), "book.xlsx", SETTINGS)
    blocks = [(layout.text[b.start : b.end], b.kind, b.level, b.place) for b in layout.blocks]
    assert blocks == [
        ("Countries", "heading", 1, "sheet Countries"),
        ("Country: Norway; Area (km²): 385207; Capital: Oslo", "table", 0, "sheet Countries, row 2"),
        ("Country: Chad; Area (km²): 1284000; Capital: N'Djamena", "table", 0, "sheet Countries, row 3"),
    ]


def test_title_author_and_date_come_from_the_properties():
    data = workbook(
        lambda book: book.add_worksheet("S").write(0, 0, "x"),
        title="The budget", author="Jane Doe", created=datetime.datetime(2021, 6, 20), subject="Money",
    )  # fmt: skip
    layout = read(data, "b.xlsx", SETTINGS)
    assert (layout.title, layout.author, layout.date) == ("The budget", "Jane Doe", "2021-06-20")
    assert layout.metadata == (("subject", "Money"),)


def test_without_a_title_the_first_title_line_or_the_name_of_the_file_is_one():
    assert read(sheet_of(("Budget of the town",), (), *TABLE), "b.xlsx", SETTINGS).title == "Budget of the town"
    assert read(sheet_of(*TABLE, name="Sheet1"), "budget.xlsx", SETTINGS).title == "budget"


def test_lines_above_a_table_are_headings_and_lines_below_it_are_text():
    note = "Source: the yearbook of the statistical office, its last edition."
    layout = read(sheet_of(("Countries in figures",), *TABLE, (note,)), "b.xlsx", SETTINGS)
    assert [(b.kind, b.level) for b in layout.blocks] == [
        ("heading", 1), ("heading", 2), ("table", 0), ("table", 0), ("text", 0),
    ]  # fmt: skip
    assert shown(sheet_of(("Countries in figures",), *TABLE, (note,)))[-1] == note


def test_several_tables_in_a_sheet_have_their_own_names():
    rows = (*TABLE, (), ("River", "Length"), ("Nile", 6650), ("Rhine", 1233))
    assert shown(sheet_of(*rows))[-2:] == ["River: Nile; Length: 6650", "River: Rhine; Length: 1233"]
    rivers = (("River", "Length"), ("Nile", 6650), ("Rhine", 1233))
    beside = [(*left, None, *right) for left, right in zip(TABLE, rivers, strict=True)]
    assert shown(sheet_of(*beside)) == [
        *shown(sheet_of(*TABLE)), "River: Nile; Length: 6650", "River: Rhine; Length: 1233",
    ]  # fmt: skip


def test_an_empty_row_or_column_within_a_table_does_not_take_its_names():
    names, first, second = TABLE
    assert shown(sheet_of(names, first, (), second)) == shown(sheet_of(*TABLE))
    apart = [(row[0], None, row[1]) for row in (*TABLE, ("Fiji", 18274, ""))]
    assert shown(sheet_of(*apart))[1] == "Country: Norway; Area (km²): 385207"


def test_a_sheet_without_names_has_the_letters_of_its_columns():
    assert shown(sheet_of((1, 2), (3, 4)))[1:] == ["A: 1; B: 2", "A: 3; B: 4"]
    wide = shown(sheet_of([*range(28)], [*range(28)]))
    assert wide[1].endswith("Z: 25; AA: 26; AB: 27")


def test_a_form_has_its_labels():
    assert shown(sheet_of(("Budget", 5000), ("Paid", 4000)))[1:] == ["Budget: 5000", "Paid: 4000"]
    assert shown(sheet_of(("Name:", "Alpha"), ("Place:", "Oslo")))[1:] == ["Name: Alpha", "Place: Oslo"]


def test_years_may_be_the_names_of_columns():
    rows = (("Country", 2019, 2020), ("Norway", 5, 6), ("Chad", 7, 8))
    assert shown(sheet_of(*rows))[1] == "Country: Norway; 2019: 5; 2020: 6"

    def dated(book):
        sheet, date = book.add_worksheet("S"), book.add_format({"num_format": "mmm yyyy"})
        for column in (1, 2):
            sheet.write_datetime(0, column, datetime.datetime(2020, column, 1), date)
            sheet.write(1, column, column)
            sheet.write(2, column, column)
        sheet.write(1, 0, "Norway")
        sheet.write(2, 0, "Chad")

    assert shown(workbook(dated))[1:] == ["Norway; 2020-01: 1; 2020-02: 2", "Chad; 2020-01: 1; 2020-02: 2"]
    assert shown(sheet_of(("a", 2019, 2020), ("b", 2018, 2017), ("c", 1990, 1991)))[1] == "A: a; B: 2019; C: 2020"


def test_names_in_two_rows_are_joined():
    def fill(book):
        sheet = book.add_worksheet("S")
        sheet.merge_range(0, 0, 1, 0, "Region")
        sheet.merge_range(0, 1, 0, 2, "2020")
        sheet.merge_range(0, 3, 0, 4, "2021")
        sheet.write_row(1, 1, ["Q1", "Q2", "Q1", "Q2"])
        sheet.write_row(2, 0, ["East", 1, 2, 3, 4])
        sheet.write_row(3, 0, ["West", 5, 6, 7, 8])

    assert shown(workbook(fill))[1:] == [
        "Region: East; 2020 Q1: 1; 2020 Q2: 2; 2021 Q1: 3; 2021 Q2: 4",
        "Region: West; 2020 Q1: 5; 2020 Q2: 6; 2021 Q1: 7; 2021 Q2: 8",
    ]


def test_a_cell_merged_over_rows_is_told_in_each_and_one_over_the_table_is_a_heading():
    def fill(book):
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, ["Region", "Country", "Area"])
        sheet.merge_range(1, 0, 2, 0, "North")
        sheet.write_row(1, 1, ["Norway", 1])
        sheet.write_row(2, 1, ["Sweden", 2])
        sheet.merge_range(3, 0, 3, 2, "Islands")
        sheet.write_row(4, 0, ["South", "Malta", 3])

    layout = read(workbook(fill), "b.xlsx", SETTINGS)
    assert [layout.text[b.start : b.end] for b in layout.blocks][1:] == [
        "Region: North; Country: Norway; Area: 1", "Region: North; Country: Sweden; Area: 2", "Islands",
        "Region: South; Country: Malta; Area: 3",
    ]  # fmt: skip
    assert (layout.blocks[3].kind, layout.blocks[3].level) == ("heading", 3)


def test_empty_cells_are_left_out_and_line_breaks_in_a_cell_are_spaces():
    assert shown(sheet_of(*TABLE, ("Fiji\nIslands", None, "Suva")))[-1] == "Country: Fiji Islands; Capital: Suva"


def test_bold_names_above_texts_are_names_and_bold_labels_make_a_form():
    def fill(rows, bold_row, bold_column):
        def filled(book):
            sheet, bold = book.add_worksheet("S"), book.add_format({"bold": True})
            for at, row in enumerate(rows):
                for column, text in enumerate(row):
                    sheet.write(at, column, text, bold if at == bold_row or column == bold_column else None)

        return workbook(filled)

    rows = (("Owner", "Place"), ("Owner", "Oslo"), ("Ann", "Rome"))
    assert shown(fill(rows, 0, None))[1:] == ["Owner: Owner; Place: Oslo", "Owner: Ann; Place: Rome"]
    form = (("Owner", "Ann"), ("Place", "Oslo"))
    assert shown(fill(form, None, 0))[1:] == ["Owner: Ann", "Place: Oslo"]


def test_hidden_sheets_rows_and_columns_are_left_out_and_counted():
    def fill(book):
        sheet = book.add_worksheet("Seen")
        for number, row in enumerate((*TABLE, ("Secret", 1, "Nowhere"), ("Fiji", "many", "Suva"))):
            sheet.write_row(number, 0, row)
        sheet.set_row(3, None, None, {"hidden": True})
        sheet.set_column(2, 2, None, None, {"hidden": True})
        hidden = book.add_worksheet("Hidden")
        hidden.write(0, 0, "secret")
        hidden.hide()
        very = book.add_worksheet("Very")
        very.write(0, 0, "secret")
        very.very_hidden()

    layout = read(workbook(fill), "b.xlsx", SETTINGS)
    assert layout.removed == (("hidden column", 1), ("hidden row", 1), ("hidden sheet", 2))
    assert "ecret" not in layout.text
    assert layout.text.endswith("Country: Chad; Area (km²): 1284000\n\nCountry: Fiji; Area (km²): many")


def test_rows_that_a_filter_or_an_outline_folds_away_are_read():
    def fill(book):
        sheet = book.add_worksheet("Seen")
        for number, row in enumerate(TABLE):
            sheet.write_row(number, 0, row)
        sheet.set_row(1, None, None, {"hidden": True})
        sheet.autofilter(0, 0, 2, 2)
        sheet.filter_column(0, "x == Chad")
        other = book.add_worksheet("Other")
        for number, row in enumerate(TABLE):
            other.write_row(number, 0, row)
        other.set_row(2, None, None, {"hidden": True, "level": 1})

    assert len(shown(workbook(fill))) == 6


def test_errors_are_left_out_and_formulas_say_what_was_saved():
    def fill(book):
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, ["Name", "Sum", "Share", "Text"])
        sheet.write(1, 0, "All")
        sheet.write_formula(1, 1, "=0.1+0.2", None, 0.30000000000000004)
        sheet.write_formula(1, 2, "=1/0", None, "#DIV/0!")
        sheet.write_formula(1, 3, '="a"&"b"', None, "ab")
        sheet.write(1, 4, True)

    layout = read(workbook(fill), "b.xlsx", SETTINGS)
    assert layout.text.endswith("Name: All; Sum: 0.3; Text: ab; TRUE")
    assert layout.removed == (("error value", 1),)


def test_charts_are_no_sheets_and_comments_are_counted():
    def fill(book):
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, [1, 2])
        sheet.write_comment(0, 0, "a remark")
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=S!$A$1:$B$1"})
        book.add_chartsheet("Chart").set_chart(chart)

    layout = read(workbook(fill), "b.xlsx", SETTINGS)
    assert [b.place for b in layout.blocks] == ["sheet S", "sheet S, row 1"]
    assert layout.removed == (("comment", 1),)


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        ("0%", 0.125, "13%"), ("0.0%", 0.125, "12.5%"), ("#,##0", 385207, "385,207"), ("0.00", 2.675, "2.68"),
        ('#,##0.00 "€"', 12345.6, "12,345.60 €"), ("[$€-407] #,##0", 5000, "€ 5,000"), ("$#,##0.00", -5, "-$5.00"),
        ("#,##0;(#,##0)", -1234, "-1,234"), ("#,##0_);[Red](#,##0)", 1234, "1,234"), ("0.0##", 1.5, "1.5"),
        ('0" km"', 12, "12 km"), ('0.0,,"M"', 12_300_000, "12.3M"), ("0000", 7, "7"), ("0.00E+00", 12345, "12345"),
        ("# ?/?", 0.5, "0.5"), ("General", 2021.0, "2021"), (";;;", 5, ""), ("[>5]0;0.0", 7.25, "7.25"),
        ("yyyy-mm-dd", 43832, "2020-01-02"), ("d/m/yy", 43832, "2020-01-02"), ("mmm yyyy", 43832, "2020-01"),
        ("yyyy", 43832, "2020"), ("mmmm", 43832, "January"), ("h:mm", 43832.5, "12:00"), ("h:mm", 0.520833333, "12:30"),
        ("yyyy-mm-dd hh:mm", 43832.5, "2020-01-02 12:00"), ("[h]:mm:ss", 1.25, "30:00"), ("yyyy-mm-dd", -1, "-1"),
        ("yyyy-mm-dd", 60, "1900-02-28"), ("yyyy-mm-dd", 2958465.99999999, "2958466"), ("", 0.1 + 0.2, "0.3"),
    ],
)  # fmt: skip
def test_numbers_are_read_as_they_are_shown(code, value, text):
    assert show_of(code)(value) == text


def test_plain_numbers_have_no_tails():
    assert [plain_number(value) for value in (2021.0, 0.1 + 0.2, -1.5, 1e-5, 1e20, float("inf"), 99.9999999999986)] == [
        "2021", "0.3", "-1.5", "0.00001", "100000000000000000000", "", "100",
    ]  # fmt: skip
    assert duration(-0.5) == "-12:00"


def test_dates_count_from_1904_where_the_workbook_does():
    def fill(book):
        sheet = book.add_worksheet("S")
        sheet.write_datetime(0, 0, datetime.datetime(2020, 1, 2), book.add_format({"num_format": "d.m.yyyy"}))

    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "date_1904": True})
    fill(book)
    book.close()
    assert shown(target.getvalue()) == ["S", "2020-01-02"] == shown(workbook(fill))


@given(st.text(alphabet='0#?.,%;"\\[]<>_*EGeneralymdhsAP/@ $€', max_size=30), st.floats())
def test_no_number_format_makes_a_number_unreadable(code, value):
    assert isinstance(show_of(code)(value), str)


def test_strings_that_stand_in_the_cell_or_have_several_runs_are_read():
    sheet = (
        b'<worksheet xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main"><sheetData><row>'
        b'<c t="inlineStr"><is><r><t>Two </t></r><r><t>runs_x000a_x</t></r><rPh><t>read</t></rPh></is></c>'
        b'<c t="s"><v>99</v></c><c><v>x1</v></c><c t="d"><v>2020-01-02T00:00:00</v></c></row></sheetData></worksheet>'
    )
    data = changed(sheet_of(("a",)), lambda name, content: sheet if "worksheets" in name else content)
    assert shown(data)[1:] == ["Two runs x | x1 | 2020-01-02"]


def test_cells_far_apart_take_no_memory_for_what_is_between_them():
    def fill(book):
        sheet = book.add_worksheet("S")
        sheet.write(0, 0, "first")
        sheet.write(1_048_575, 16_383, "last")

    assert shown(workbook(fill))[1:] == ["first", "last"]


def test_a_sheet_with_more_rows_than_a_document_has_is_not_read(monkeypatch):
    monkeypatch.setattr("rag_geo.readers.workbook.MAX_PARAGRAPHS", 2)
    with pytest.raises(UnreadableError, match="sheet Data has more than 2 rows"):
        shown(sheet_of(*TABLE))


def test_a_long_text_in_every_row_is_not_multiplied_without_end(monkeypatch):
    monkeypatch.setattr("rag_geo.readers.rows.MAX_TEXT", 10_000)
    with pytest.raises(UnreadableError, match="its tables hold more than"):
        shown(sheet_of(*[("x" * 900, "y")] * 20))


def test_damaged_properties_do_not_keep_a_workbook_from_being_read():
    layout = read(changed(sheet_of(*TABLE), lambda name, content: b"<" if "core" in name else content), "b", SETTINGS)
    assert len(layout.blocks) == 3
    assert layout.warnings == ("title and author are not known (damaged: docProps/core.xml in it is not well-formed)",)


def test_entities_damage_and_passwords_are_told():
    good = sheet_of(*TABLE)
    entity = b'<!DOCTYPE a [<!ENTITY b "c">]><worksheet/>'
    with pytest.raises(UnreadableError, match="defines entities"):
        shown(changed(good, lambda name, content: entity if "worksheets" in name else content))
    with pytest.raises(UnreadableError, match=r"damaged: .*sheet1\.xml in it is not well-formed"):
        shown(changed(good, lambda name, content: content[:-20] if "worksheets" in name else content))
    with pytest.raises(UnreadableError, match=r"damaged: .*sheet1\.xml is missing"):
        shown(changed(good, lambda name, content: None if "worksheets" in name else content))
    with pytest.raises(UnreadableError, match="needs a password"):
        shown(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(UnreadableError, match="damaged"):
        shown(b"PK\x03\x04")


def test_a_workbook_of_libreoffice_is_read_as_one_of_excel():
    cells = [
        [ods_cell(x) if isinstance(x, str) else ods_cell(f"{x:,}", "float", office_value=x) for x in row]
        for row in TABLE
    ]
    body = "".join(ods_row(*row) for row in cells)
    data = ods(
        f'<table:table table:name="Countries">{body}</table:table>',
        meta="<dc:title>Atlas</dc:title><meta:initial-creator>Jane Doe</meta:initial-creator>"
        "<meta:creation-date>2021-06-20T10:00:00</meta:creation-date><meta:keyword>a</meta:keyword>",
    )
    layout = read(data, "a.ods", SETTINGS)
    assert [layout.text[b.start : b.end] for b in layout.blocks] == [
        "Countries", "Country: Norway; Area (km²): 385,207; Capital: Oslo",
        "Country: Chad; Area (km²): 1,284,000; Capital: N'Djamena",
    ]  # fmt: skip
    assert (layout.title, layout.author, layout.date) == ("Atlas", "Jane Doe", "2021-06-20")
    assert layout.metadata == (("keywords", "a"),)
    assert layout.blocks[2].place == "sheet Countries, row 3"


def test_values_of_libreoffice_are_read_as_they_are_shown():
    cells = (
        ods_cell("12,5 %", "percentage", office_value="0.125"),
        ods_cell("12.345,60 €", "currency", office_value="12345.6"),
        ods_cell("02.01.20", "date", office_date_value="2020-01-02"),
        ods_cell("02.01.20 12:30", "date", office_date_value="2020-01-02T12:30:00.000000001"),
        ods_cell("12:30:00", "time", office_time_value="PT1051980H30M00.000000838S"),
        ods_cell("", "time", office_time_value="PT30H00M00S").replace("<text:p></text:p>", "<text:p>x</text:p>"),
        ods_cell("WAHR", "boolean", office_boolean_value="true"),
        ods_cell("###", "float", office_value="1E+020"),
        ods_cell("#DIV/0!", "string", office_string_value=""),
        ods_cell("a<text:s/>b<text:line-break/>c</text:p><text:p>d"),
    )
    layout = read(ods(f'<table:table table:name="S">{ods_row(*cells)}</table:table>'), "a.ods", SETTINGS)
    assert layout.text.partition("\n\n")[2].split(" | ") == [
        "12.5 %", "12,345.60 €", "2020-01-02", "2020-01-02 12:30", "12:30:00", "30:00", "TRUE",
        "100000000000000000000", "a b c d",
    ]  # fmt: skip
    assert layout.removed == (("error value", 1),)


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        (1234.5, "1.234,50", "1,234.50"), (1234.5, "1,234.50", "1,234.50"), (1234.5, "1 234,5 kr", "1,234.5 kr"),
        (-5, "-5", "-5"), (1234, "1.234", "1,234"), (1.234, "1,234", "1.234"), (0.4, "0", "0"),
        (150000, "1.5E+05", "150000"), (1, "TRUE", "TRUE"), (2021, "2021", "2021"),
    ],
)  # fmt: skip
def test_the_value_tells_which_separator_is_the_decimal_one(value, text, expected):
    assert _shown_number(value, text) == expected


def test_hidden_sheets_rows_and_columns_of_libreoffice_are_left_out():
    styles = '<style:style style:name="h"><style:table-properties table:display="false"/></style:style>'
    columns = '<table:table-column/><table:table-column table:visibility="collapse"/><table:table-column/>'
    rows = ods_row(ods_cell("a"), ods_cell("secret"), ods_cell("1", "float", office_value="1"))
    rows += ods_row(ods_cell("secret"), extra=' table:visibility="collapse"')
    rows += ods_row(ods_cell("c"), extra=' table:visibility="filter"')
    folded = ods_row(ods_cell("d"), extra=' table:visibility="collapse"')
    rows += f"<table:table-row-group>{folded}</table:table-row-group>"
    seen = f'<table:table table:name="S">{columns}{rows}</table:table>'
    secret = ods_row(ods_cell("secret"))
    hidden = f'<table:table table:name="H" table:style-name="h">{secret}</table:table>'
    hidden += f"<table:dde-link><table:table>{secret}</table:table></table:dde-link>"
    layout = read(ods(seen + hidden, styles), "a.ods", SETTINGS)
    assert "secret" not in layout.text
    assert dict(layout.removed) == {"hidden sheet": 1, "hidden row": 1, "hidden column": 1}
    assert [b.place for b in layout.blocks] == ["sheet S", "sheet S, row 1", "sheet S, row 3", "sheet S, row 4"]


def test_repeated_and_merged_cells_of_libreoffice_are_where_they_are_shown():
    bold = '<style:style style:name="b"><style:text-properties fo:font-weight="bold"/></style:style>'
    title = ods_cell("All countries", table_style_name="b", table_number_columns_spanned="2")
    rows = ods_row(title + "<table:covered-table-cell><text:p>hidden</text:p></table:covered-table-cell>")
    rows += ods_row(ods_cell("Country"), ods_cell("Area"))
    five = ods_cell("5", "float", office_value="5")
    rows += ods_row(ods_cell("Norway"), five, extra=' table:number-rows-repeated="2"')
    rows += ods_row('<table:table-cell table:number-columns-repeated="99"/>', extra=' table:number-rows-repeated="9"')
    rows += ods_row(ods_cell("Rivers are listed in the second part of the book", table_number_columns_spanned="2"))
    assert shown(ods(f'<table:table table:name="S">{rows}</table:table>', bold), "a.ods") == [
        "S", "All countries", "Country: Norway; Area: 5", "Country: Norway; Area: 5",
        "Rivers are listed in the second part of the book",
    ]  # fmt: skip


def test_a_row_repeated_a_million_times_is_not_read():
    row = ods_row(ods_cell("x"), extra=' table:number-rows-repeated="1048576"')
    with pytest.raises(UnreadableError, match="more than 500,000 rows"):
        shown(ods(f'<table:table table:name="S">{row}</table:table>'), "a.ods")


def test_a_locked_workbook_of_libreoffice_is_told():
    target = io.BytesIO(ods(""))
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("META-INF/manifest.xml", "<m><manifest:encryption-data/></m>")
    with pytest.raises(UnreadableError, match="needs a password"):
        shown(target.getvalue(), "a.ods")


def test_damaged_workbooks_are_unreadable_and_nothing_worse():
    rich = workbook(lambda book: [book.add_worksheet(name).write_row(0, 0, ["a", 1, True]) for name in "AB"])
    body = ods_row(ods_cell("a"), ods_cell("1,5", "float", office_value="1.5", table_number_columns_repeated="3"))
    for data in (rich, ods(f'<table:table table:name="S">{body}</table:table>')):
        for seed in range(150):
            change = random.Random(seed)

            def mutate(name, content, change=change):
                if change.random() < 0.5 or not content:
                    return content
                broken = bytearray(content)
                for _ in range(change.randint(1, 4)):
                    at = change.randrange(len(broken))
                    broken[at : at + change.randint(0, 5)] = change.choice(
                        (b"", b"9", b"-", b'"', b"<", b"99999999999", b"\x00", b"\xff", b"z")
                    )
                return bytes(broken)

            with suppress(UnreadableError):
                read(changed(data, mutate), "b", SETTINGS)


@given(st.binary(max_size=300))
@settings(max_examples=50)
def test_bytes_of_any_kind_are_unreadable_and_nothing_worse(data):
    with pytest.raises(UnreadableError):
        read(b"PK\x03\x04" + data, "b.xlsx", SETTINGS)


def test_a_workbook_is_recognised_and_its_rows_can_be_cited():
    cells = ods_row(ods_cell("x"), ods_cell("5", "float", office_value="5"))
    for data, kind in ((sheet_of(*TABLE), "xlsx"), (ods(f'<table:table table:name="S">{cells}</table:table>'), "ods")):
        (document,) = read_file("figures.bin", data)
        assert (document.format, document.title) == (kind, "figures")
        row = document.paragraphs[1]
        place = "sheet Data, row 2" if kind == "xlsx" else "sheet S, row 1"
        assert (row.kind, row.place, row.debris) == ("table", place, None)
        assert [document.text[span.start : span.end] for span in row.sentences] == [document.text[row.start : row.end]]

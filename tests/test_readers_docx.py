import contextlib
import datetime
import io
import random

import docx as python_docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.office import NAMESPACES, PACKAGE, core, docx_file, kinds, marks, places, read_with, relations, texts, zipped

from rag_geo.readers import docx
from rag_geo.readers.blocks import UnreadableError
from rag_geo.settings import ReadingSettings


def read(data):
    return read_with(docx, data, "docx")


def body(inside, styles="", **parts):
    return read(docx_file(inside, styles, **parts))


def p(text, properties=""):
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t xml:space='preserve'>{text}</w:t></w:r></w:p>"


def r(text, properties=""):
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t xml:space='preserve'>{text}</w:t></w:r>"


def cell(*insides):
    return f"<w:tc><w:tcPr/>{''.join(insides)}</w:tc>"


def table(*rows):
    return f"<w:tbl><w:tblPr/>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"


NUMBERED = '<w:numPr><w:ilvl w:val="{}"/><w:numId w:val="1"/></w:numPr>'


@pytest.fixture(scope="module")
def report():
    """A document that python-docx makes, with a bit of everything it can."""
    made = python_docx.Document()
    stated = made.core_properties
    stated.title, stated.author, stated.created = "Annual report", "Ada Byron", datetime.datetime(2021, 6, 20)
    made.add_heading("The year", 0)
    made.add_heading("Scope", 1)
    paragraph = made.add_paragraph("A paragraph with a ")
    paragraph.add_run("bold").bold = True
    paragraph.add_run(" word.\nIts second line.")
    made.add_heading("Fruit", 2)
    for fruit in ("apples", "pears"):
        made.add_paragraph(fruit, style="List Bullet")
    made.add_paragraph("late pears", style="List Bullet 2")
    grid = made.add_table(2, 2)
    for number, one in enumerate(one for row in grid.rows for one in row.cells):
        one.text = f"cell {number}"
    made.add_paragraph("After the table.")
    made.sections[0].header.paragraphs[0].text = "Company"
    made.sections[0].footer.paragraphs[0].text = "Confidential draft"
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def test_paragraphs_lists_and_tables_come_in_the_order_of_the_document(report):
    assert kinds(read(report)) == [
        ("heading", "The year"),
        ("heading", "Scope"),
        ("text", "A paragraph with a bold word.\nIts second line."),
        ("heading", "Fruit"),
        ("list", "- apples\n- pears\n  - late pears"),
        ("table", "cell 0 | cell 1\ncell 2 | cell 3"),
        ("text", "After the table."),
        ("text", "Company"),
        ("text", "Confidential draft"),
    ]


def test_what_the_file_says_about_itself_is_known(report):
    document = read(report)
    assert (document.title, document.author, document.date) == ("Annual report", "Ada Byron", "2021-06-20")


def test_headings_lead(report):
    assert [paragraph.heading for paragraph in read(report).paragraphs[1:6]] == [
        "",
        "Scope",
        "Scope",
        "Scope › Fruit",
        "Scope › Fruit",
    ]


def test_headers_and_footers_are_debris_after_the_text(report):
    assert marks(read(report))[-2:] == [("docx:header", "Company"), ("docx:footer", "Confidential draft")]


def test_what_a_program_fills_in_is_no_title_and_no_author():
    made = docx_file(p("Text."))
    data = zipped(
        {
            "_rels/.rels": relations(("officeDocument", "word/document.xml")).replace(
                "</Rel",
                f'<Relationship Id="c" Type="{PACKAGE}/relationships/metadata/core-properties" Target="a/b.xml"/></Rel',
            ),
            "word/document.xml": f"<w:document {NAMESPACES}><w:body>{p('Text.')}</w:body></w:document>",
            "a/b.xml": core(
                "<dc:title>Word Document</dc:title><dc:creator>Apache POI</dc:creator>"
                "<dcterms:modified>2020-02-03T10:00:00Z</dcterms:modified><dc:subject>Soil</dc:subject>"
            ),
        }
    )
    document = read(data)
    assert (document.title, document.author, document.date) == ("file", "", "2020-02-03")
    assert document.metadata == (("subject", "Soil"),)
    assert read(made).date == ""


STYLES = """
<w:style w:type="paragraph" w:default="1" w:styleId="Standard"><w:name w:val="Normal"/></w:style>
<w:style w:type="paragraph" w:styleId="berschrift2"><w:name w:val="heading 2"/><w:basedOn w:val="Standard"/></w:style>
<w:style w:type="paragraph" w:styleId="Kapitel"><w:name w:val="Kapitel"/><w:basedOn w:val="berschrift2"/></w:style>
<w:style w:type="paragraph" w:styleId="Ring"><w:name w:val="Ring"/><w:basedOn w:val="Ring2"/></w:style>
<w:style w:type="paragraph" w:styleId="Ring2"><w:name w:val="Ring2"/><w:basedOn w:val="Ring"/></w:style>
<w:style w:type="paragraph" w:styleId="Outline"><w:name w:val="Mine"/>
<w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style>
<w:style w:type="paragraph" w:styleId="L"><w:name w:val="L"/>
<w:pPr><w:numPr><w:numId w:val="3"/></w:numPr></w:pPr></w:style>
<w:style w:type="paragraph" w:styleId="TOC1"><w:name w:val="toc 1"/></w:style>
<w:style w:type="paragraph" w:styleId="SourceCode"><w:name w:val="Source Code"/></w:style>
<w:style w:type="character" w:styleId="Secret"><w:name w:val="Secret"/><w:rPr><w:vanish/></w:rPr></w:style>
"""


def styled(style, text, more=""):
    return p(text, f'<w:pStyle w:val="{style}"/>{more}')


@pytest.mark.parametrize(
    ("paragraph", "kind"),
    [
        (styled("berschrift2", "One"), "heading"),
        (styled("Kapitel", "One"), "heading"),
        (styled("Outline", "One"), "heading"),
        (styled("Heading3", "One"), "heading"),
        (p("One", '<w:outlineLvl w:val="1"/>'), "heading"),
        (styled("Outline", "One", '<w:outlineLvl w:val="9"/>'), "text"),
        (styled("Outline", "One word after the other. " * 20), "text"),
        (styled("Ring", "One"), "text"),
        (styled("L", "One"), "list"),
        (styled("L", "One", '<w:numPr><w:numId w:val="0"/></w:numPr>'), "text"),
        (styled("SourceCode", "One"), "code"),
        (styled("Standard", "One"), "text"),
    ],
)
def test_the_style_tells_headings_lists_and_code(paragraph, kind):
    assert [one.kind for one in body(paragraph, STYLES).paragraphs] == [kind]


def test_a_heading_of_a_localised_style_has_the_level_of_its_name():
    document = body(styled("Outline", "Top") + styled("Kapitel", "Below") + p("Text."), STYLES)
    assert document.paragraphs[2].heading == "Top › Below"


def test_neighbouring_items_are_one_list_and_an_empty_paragraph_parts_them():
    items = p("one", NUMBERED.format(0)) + p("two", NUMBERED.format(1)) + p("") + p("three", NUMBERED.format(0))
    assert kinds(body(items)) == [("list", "- one\n  - two"), ("list", "- three")]


def test_a_numbered_clause_of_several_sentences_is_a_paragraph_of_its_own():
    clause = "The supplier delivers what was ordered. " * 12
    found = kinds(body("".join(p(text, NUMBERED.format(0)) for text in ("short", clause, clause))))
    assert found == [("list", "- short"), ("text", clause.strip()), ("text", clause.strip())]


def test_lines_of_code_are_one_block():
    assert kinds(body(styled("SourceCode", "a = 1") + styled("SourceCode", "b = 2"), STYLES)) == [
        ("code", "a = 1\nb = 2")
    ]


def test_a_table_of_contents_is_debris():
    assert marks(body(styled("TOC1", "Scope 3") + p("Text."), STYLES)) == [
        ("docx:contents", "Scope 3"),
        (None, "Text."),
    ]


def test_rows_are_lines_and_empty_cells_keep_their_place():
    rows = (cell(p("a")) + cell(p("")) + cell(p("c"), p("d")), cell(p("")) * 3, cell(p("e")) + cell(p("")) * 2)
    assert kinds(body(table(*rows))) == [("table", "a |  | c d\ne")]


def test_a_table_in_a_table_comes_after_it():
    inner = table(cell(p("x")) + cell(p("y")))
    assert texts(body(table(cell(p("a"), inner) + cell(p("b"))) + p("after"))) == ["a | b", "x | y", "after"]


def test_a_table_that_only_lays_out_the_page_is_its_paragraphs():
    assert kinds(body(table(cell(p("Boxed."), p("Second.")), cell(table(cell(p("x")) + cell(p("y"))))))) == [
        ("text", "Boxed."),
        ("text", "Second."),
        ("table", "x | y"),
    ]
    columns = cell(styled("Heading1", "Left"), p("Text.")) + cell(p("Right."))
    assert kinds(body(table(columns))) == [("heading", "Left"), ("text", "Text."), ("text", "Right.")]


def test_notes_come_at_the_end_and_say_which_they_are():
    def note(identifier, text):
        return f'<w:footnote w:id="{identifier}">{p(text)}</w:footnote>'

    reference = '<w:r><w:footnoteReference w:id="{}"/></w:r>'
    text = f"<w:p>{r('First')}{reference.format(7)}{r(' and second')}{reference.format(2)}.</w:p>"
    end = '<w:p><w:r><w:t>Last.</w:t><w:endnoteReference w:id="2"/></w:r></w:p>'
    document = body(
        text + end,
        footnotes=f'<w:footnote w:type="separator" w:id="-1">{p("line")}</w:footnote>'
        + note(2, "About the second.")
        + note(7, "About the first.")
        + note(9, "Of no text."),
        endnotes=f'<w:endnote w:id="2">{p("At the end.")}</w:endnote>',
    )
    assert places(document) == [
        ("", "First and second"),
        ("", "Last."),
        ("note 1", "About the first."),
        ("note 2", "About the second."),
        ("endnote 1", "At the end."),
    ]


def test_headers_are_told_once_whatever_the_sections():
    sections = (
        '<w:p><w:pPr><w:sectPr><w:headerReference w:type="default" r:id="rId1"/>'
        '<w:headerReference w:type="first" r:id="rId2"/><w:footerReference r:id="rId3"/></w:sectPr></w:pPr></w:p>'
        '<w:sectPr><w:headerReference w:type="default" r:id="rId1"/><w:footerReference r:id="rId9"/></w:sectPr>'
    )
    document = body(p("Text.") + sections, header1=p("Letter") + p("Head"), header2=p("Letter") + p("Head"), footer1="")
    assert marks(document) == [(None, "Text."), ("docx:header", "Letter\nHead")]


def test_deleted_text_is_left_out_and_inserted_text_kept():
    text = (
        f"<w:p>{r('Kept ')}<w:ins w:id='1'>{r('new ')}</w:ins><w:del w:id='2'><w:r><w:delText>old</w:delText></w:r>"
        f"</w:del><w:moveFrom w:id='3'>{r('gone')}</w:moveFrom><w:moveTo w:id='4'>{r('come')}</w:moveTo></w:p>"
    )
    document = body(text)
    assert texts(document) == ["Kept new come"]
    assert document.removed == (("deleted text", 2),)


def test_paragraphs_whose_border_was_deleted_are_one():
    assert texts(body(p("One ", "<w:rPr><w:del w:id='1'/></w:rPr>") + p("two.") + p("Three."))) == [
        "One two.",
        "Three.",
    ]


def test_a_deleted_row_is_left_out():
    rows = cell(p("a")) + cell(p("b")), "<w:trPr><w:del w:id='1'/></w:trPr>" + cell(p("c")) + cell(p("d"))
    assert texts(body(table(*rows))) == ["a | b"]


def test_hidden_text_and_comments_are_left_out_and_counted():
    runs = (
        r("Seen"),
        r(" hidden", "<w:vanish/>"),
        r(" and this", "<w:vanish w:val='0'/>"),
        r(" secret", "<w:rStyle w:val='Secret'/>"),
        "<w:r><w:commentReference w:id='1'/></w:r>",
    )
    text = f"<w:p>{''.join(runs)}</w:p>"
    document = body(text, STYLES, comments=f"<w:comment w:id='1'>{p('A remark.')}</w:comment>")
    assert texts(document) == ["Seen and this"]
    assert document.removed == (("comment", 1), ("hidden text", 2))


def test_placeholders_are_left_out_and_filled_in_controls_kept():
    control = "<w:sdt><w:sdtPr>{}</w:sdtPr><w:sdtContent>{}</w:sdtContent></w:sdt>"
    document = body(control.format("<w:showingPlcHdr/>", p("Click here.")) + control.format("", p("Ada")))
    assert texts(document) == ["Ada"]


def field(*parts):
    char = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
    return "".join(char.format(part) if part in ("begin", "separate", "end") else part for part in parts)


def test_field_codes_are_left_out_and_their_results_kept():
    code = "<w:r><w:instrText>IF 1 = 2</w:instrText></w:r>"
    nested = field("begin", code, field("begin", code, "separate", r("inner"), "end"), "separate", r("result"), "end")
    link = f'<w:hyperlink r:id="x">{r(" the page")}</w:hyperlink><w:fldSimple w:instr="PAGE">{r(" 7")}</w:fldSimple>'
    assert texts(body(f"<w:p>{r('A ')}{nested}{link}</w:p>")) == ["A result the page 7"]


def test_a_field_without_an_end_swallows_no_more_than_its_paragraph():
    assert texts(body(f"<w:p>{field('begin')}{r('lost')}</w:p>" + p("There."))) == ["There."]


def test_characters_that_are_elements():
    text = (
        "<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>co</w:t><w:softHyphen/><w:t>op</w:t><w:noBreakHyphen/>"
        '<w:t>x</w:t><w:sym w:font="Symbol" w:char="F061"/><w:sym w:font="Wingdings" w:char="F0FC"/>'
        '<w:br w:type="page"/><m:oMath><m:r><m:t>y=2</m:t></m:r></m:oMath><w:t>z\n1</w:t></w:r></w:p>'
    )
    assert texts(body(text)) == ["a\tb\ncoop\u2011xα y=2z 1"]


def test_a_text_box_is_read_once_and_after_its_paragraph():
    box = f"<w:txbxContent>{p('In the box.')}{p('Still.')}</w:txbxContent>"
    alternative = (
        f"<w:r><mc:AlternateContent><mc:Choice Requires='wps'><wps:txbx>{box}</wps:txbx></mc:Choice>"
        f"<mc:Fallback><w:pict><v:textbox>{box}</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )
    text = f"<w:p>{r('Before ')}{alternative}{r('and after.')}</w:p>"
    assert texts(body(text)) == ["Before and after.", "In the box.", "Still."]
    only = alternative.replace(f"<mc:Choice Requires='wps'><wps:txbx>{box}</wps:txbx></mc:Choice>", "")
    assert texts(body(f"<w:p>{only}</w:p>")) == ["In the box.", "Still."]


def test_pages_are_known_only_where_word_wrote_them_down():
    page = "<w:r><w:lastRenderedPageBreak/></w:r>"
    split = f"<w:p>{r('Two begins on one')}{page}{r(' and ends on two.')}</w:p>"
    document = body(p("One.") + split + f"<w:p>{page}{r('Three.')}</w:p>")
    assert places(document) == [
        ("p. 1", "One."),
        ("p. 1", "Two begins on one and ends on two."),
        ("p. 3", "Three."),
    ]
    assert places(body(p("One.") + "<w:p><w:r><w:br w:type='page'/></w:r></w:p>" + p("Two."))) == [
        ("", "One."),
        ("", "Two."),
    ]


def test_a_document_in_the_strict_variant_is_read():
    strict = f"<w:document {NAMESPACES}><w:body>{p('Text.')}</w:body></w:document>".replace(
        "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "http://purl.oclc.org/ooxml/wordprocessingml/main",
    )
    assert texts(read(zipped({"word/document.xml": strict}))) == ["Text."]


def test_missing_parts_are_no_error():
    document = f"<w:document {NAMESPACES}><w:body>{p('Text.')}</w:body></w:document>"
    data = zipped(
        {
            "word/document.xml": document,
            "word/_rels/document.xml.rels": relations(("styles", "NULL"), ("comments", "../comments.xml")),
        }
    )
    assert texts(read(data)) == ["Text."]


def with_part(inside, kind, name, content):
    """A document of one paragraph and `inside`, which names another part as rId1."""
    return zipped(
        {
            "word/document.xml": f"<w:document {NAMESPACES}><w:body>{p('Text.')}{inside}</w:body></w:document>",
            "word/_rels/document.xml.rels": relations((kind, name)),
            f"word/{name}": content,
        }
    )


PAGE = "<html><body><h1>Page</h1><p>Ünder it.</p><ul><li>a<li>b</ul></body></html>"


@pytest.mark.parametrize(
    "content",
    [
        PAGE.encode(),
        b"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n--x\n"
        b"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + PAGE.encode() + b"\n--x--\n",
    ],
)
def test_a_page_inside_a_document_is_read(content):
    document = read(with_part('<w:altChunk r:id="rId1"/>', "aFChunk", "chunk.mht", content))
    assert kinds(document) == [("text", "Text."), ("heading", "Page"), ("text", "Ünder it."), ("list", "- a\n- b")]
    assert document.warnings == ()


NESTED = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (at, at) for at in range(2_000))


@pytest.mark.parametrize(
    "content",
    [b"\x00\x01\x02", b"MIME-Version: 1.0\n\nno page", b"MIME-Version: 1.0\n" + NESTED, b"plain"],
    ids=["binary", "text", "nested", "plain"],
)
def test_a_part_in_another_format_is_told(content):
    document = read(with_part('<w:altChunk r:id="rId1"/>', "aFChunk", "chunk.bin", content))
    assert texts(document) == ["Text."]
    assert document.warnings == ("parts in other formats in it that are not read: 1",)
    assert body(p("Text.") + '<w:altChunk r:id="rId1"/>').warnings == document.warnings


def test_a_chart_is_the_table_that_it_draws():
    chart = "http://schemas.openxmlformats.org/drawingml/2006/chart"

    def points(*values):
        return "".join(f'<c:pt idx="{at}"><c:v>{value}</c:v></c:pt>' for at, value in enumerate(values))

    rain = f"<c:cat>{points('May', 'June')}</c:cat><c:val>{points('19.199999999999999', 7)}</c:val>"
    sun = f"<c:val>{points('', 'nan')}</c:val>"
    series = f"<c:ser><c:tx><c:v>Rain</c:v></c:tx>{rain}</c:ser><c:ser><c:tx><c:v>Sun</c:v></c:tx>{sun}</c:ser>"
    title = "<c:title><a:t>Weather</a:t></c:title>"
    content = f'<c:chartSpace xmlns:c="{chart}" {NAMESPACES}>{title}{series}</c:chartSpace>'
    drawing = f'<w:p>{r("See:")}<w:r><w:drawing><c:chart xmlns:c="{chart}" r:id="rId1"/></w:drawing></w:r></w:p>'
    assert texts(read(with_part(drawing, "chart", "charts/chart1.xml", content))) == [
        "Text.",
        "See:",
        "Weather",
        "| Rain | Sun\nMay | 19.2\nJune | 7 | nan",
    ]
    many = series.replace(points("", "nan"), points(*range(600)))
    found = texts(read(with_part(drawing, "chart", "charts/chart1.xml", content.replace(series, many))))
    assert found[-1] == "| Rain | Sun"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        zipped({"a": "b"}),
        zipped({"word/document.xml": "<w:document"}),
        zipped({"word/document.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}),
        zipped({"word/document.xml": "<a/>", "_rels/.rels": "<"}),
    ],
)
def test_what_is_no_document_is_refused_with_a_reason(data):
    with pytest.raises(UnreadableError, match=r"damaged|entities"):
        docx.read(data, "a.docx", ReadingSettings())


def test_deep_nesting_is_read_or_refused_and_never_crashes():
    deep = table(cell("{}"))
    inside = p("Deep.")
    for _ in range(80):
        inside = deep.format(inside)
    assert texts(body(inside)) == ["Deep."]
    with pytest.raises(UnreadableError, match="damaged"):
        body("<w:sdt>" * 50_000 + "</w:sdt>" * 50_000)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_mutated_document_is_read_or_refused(report, seed):
    changing = random.Random(seed)
    if changing.random() < 0.5:
        data = bytearray(report)
        for _ in range(changing.randint(1, 20)):
            data[changing.randrange(len(data))] = changing.randrange(256)
        data = bytes(data[: changing.choice([len(data), changing.randrange(len(data))])])
    else:
        opening = ["p", "tbl", "tr", "tc", "txbxContent", "r", "pPr"]
        whole = [field("begin"), field("separate"), field("end"), r("text"), p("text"), "<w:sym/>"]
        tags = [*(f"<w:{name}>" for name in opening), *["</>"] * 7, *whole, "<w:footnoteReference w:id='1'/>"]
        opened, pieces = [], []
        for tag in changing.choices(tags, k=60):
            if tag == "</>":
                if not opened:
                    continue
                tag = f"</{opened.pop()}>"
            elif tag[3:-1] in opening:
                opened.append(tag.strip("<>"))
            pieces.append(tag)
        pieces.extend(f"</{tag}>" for tag in reversed(opened))
        data = docx_file("".join(pieces))
    with contextlib.suppress(UnreadableError):
        read(data)


WHITE = '<w:color w:val="FFFFFF"/>'
SMALL = '<w:sz w:val="3"/>'
MARKED = '<w:highlight w:val="black"/>'
PALE = '<w:sz w:val="8"/><w:color w:val="F0F0F0"/>'
DARK = '<w:shd w:val="clear" w:color="auto" w:fill="1F3864"/>'
PLAIN_SHADE = '<w:shd w:val="clear" w:color="auto" w:fill="FFFFFF"/>'


@pytest.mark.parametrize(
    ("inside", "styles", "word"),
    [
        (f"<w:p>{r('H', WHITE)}</w:p>", "", "white text"),
        (f"<w:p>{r('H', WHITE + PLAIN_SHADE)}</w:p>", "", "white text"),
        (
            p("H", '<w:pStyle w:val="W"/>'),
            '<w:style w:styleId="W" w:type="paragraph"><w:rPr>{}</w:rPr></w:style>',
            "white",
        ),
        (f"<w:p>{r('H', SMALL)}</w:p>", "", "tiny text"),
        (table(cell(f"<w:p>{r('H', WHITE)}</w:p>")), "", "white text"),
    ],
)
def test_white_and_tiny_text_is_left_out_and_counted(inside, styles, word):
    document = body(p("S") + inside, styles.format(WHITE))
    assert texts(document) == ["S"]
    assert [name for name, _ in document.removed] == [word if " " in word else "white text"]


@pytest.mark.parametrize(
    ("inside", "styles"),
    [
        (f"<w:p>{r('S', WHITE + DARK)}</w:p>", ""),
        (f"<w:p>{r('S', WHITE + MARKED)}</w:p>", ""),
        (f"<w:p><w:pPr>{DARK}</w:pPr>{r('S', WHITE)}</w:p>", ""),
        (f"<w:tbl><w:tr><w:tc><w:tcPr>{DARK}</w:tcPr><w:p>{r('S', WHITE)}</w:p></w:tc></w:tr></w:tbl>", ""),
        (
            '<w:tbl><w:tblPr><w:tblStyle w:val="T"/></w:tblPr><w:tr>'
            + cell(f"<w:p>{r('S', WHITE)}</w:p>")
            + "</w:tr></w:tbl>",
            '<w:style w:styleId="T" w:type="table"><w:tblStylePr w:type="firstRow">'
            f"<w:tcPr>{DARK}</w:tcPr></w:tblStylePr></w:style>",
        ),
        (f"<w:p><w:r><w:txbxContent><w:p>{r('S', WHITE)}</w:p></w:txbxContent></w:r></w:p>", ""),
        (f'<w:p><w:r><w:drawing><a:anchor behindDoc="1"/></w:drawing></w:r>{r("S", WHITE)}</w:p>', ""),
        (f"<w:p>{r('S', PALE)}</w:p>", ""),
        (
            f"<w:p><w:pPr><w:pStyle w:val='P'/></w:pPr>{r('S', '<w:rStyle w:val=' + repr('C') + '/>')}</w:p>",
            f"<w:style w:styleId='P' w:type='paragraph'><w:rPr>{WHITE}</w:rPr></w:style>"
            "<w:style w:styleId='C' w:type='character'><w:rPr><w:color w:val='0000FF'/></w:rPr></w:style>",
        ),
    ],
)
def test_white_text_on_what_is_or_may_be_dark_stays(inside, styles):
    assert texts(body(inside, styles)) == ["S"]

import contextlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.office import kinds, marks, places, read_with, texts, zipped

from rag_geo.readers import odt
from rag_geo.readers.blocks import UnreadableError
from rag_geo.settings import ReadingSettings

URN = "urn:oasis:names:tc:opendocument:xmlns"
NAMES = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in {
        "office": f"{URN}:office:1.0",
        "text": f"{URN}:text:1.0",
        "table": f"{URN}:table:1.0",
        "draw": f"{URN}:drawing:1.0",
        "style": f"{URN}:style:1.0",
        "svg": f"{URN}:svg-compatible:1.0",
        "fo": f"{URN}:xsl-fo-compatible:1.0",
        "meta": f"{URN}:meta:1.0",
        "dc": "http://purl.org/dc/elements/1.1/",
    }.items()
)
STYLES = """
<style:style style:name="Title" style:family="paragraph"/>
<style:style style:name="P1" style:family="paragraph" style:parent-style-name="Title"/>
<style:style style:name="P2" style:family="paragraph"><style:paragraph-properties fo:break-before="page"/></style:style>
<style:style style:name="P3" style:family="paragraph" style:parent-style-name="Preformatted_20_Text"/>
<style:style style:name="P4" style:family="paragraph"><style:text-properties text:display="none"/></style:style>
<style:style style:name="P5" style:family="paragraph" style:parent-style-name="P6"/>
<style:style style:name="P6" style:family="paragraph" style:parent-style-name="P5"/>
<style:style style:name="T1" style:family="text"><style:text-properties text:display="none"/></style:style>
"""


def odt_file(body, *, pages=False, masters="", meta="", styles="", **members):
    soft = ' text:use-soft-page-breaks="true"' if pages else ""
    styles = f"<office:automatic-styles>{STYLES}{styles}</office:automatic-styles>"
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": f"<office:document-content {NAMES}>{styles}"
            f"<office:body><office:text{soft}>{body}</office:text></office:body></office:document-content>",
            "styles.xml": f"<office:document-styles {NAMES}><office:master-styles>{masters}</office:master-styles>"
            "</office:document-styles>",
            "meta.xml": f"<office:document-meta {NAMES}><office:meta>{meta}</office:meta></office:document-meta>",
            **members,
        }
    )


def read(data):
    return read_with(odt, data, "odt")


def body(inside, **parts):
    return read(odt_file(inside, **parts))


def p(text, style="Standard"):
    return f'<text:p text:style-name="{style}">{text}</text:p>'


def items(*insides):
    return f"<text:list>{''.join(f'<text:list-item>{inside}</text:list-item>' for inside in insides)}</text:list>"


def table(*rows):
    cells = ("".join(f"<table:table-cell>{cell}</table:table-cell>" for cell in row) for row in rows)
    return f"<table:table>{''.join(f'<table:table-row>{row}</table:table-row>' for row in cells)}</table:table>"


def test_paragraphs_headings_lists_and_tables_come_in_order():
    inside = (
        p("The year", "P1")
        + '<text:h text:outline-level="2">Scope</text:h>'
        + p("One <text:span>two</text:span>\n   three<text:s text:c='2'/>four<text:tab/>five<text:line-break/> six.")
        + items(p("a"), p("b") + items(p("deep")))
        + items(p("c") + p("and more"))
        + table([p("x"), p("")], [p(""), p("y") + p("z")])
        + p("End.")
    )
    document = body(inside)
    assert kinds(document) == [
        ("heading", "The year"),
        ("heading", "Scope"),
        ("text", "One two three  four\tfive\nsix."),
        ("list", "- a\n- b\n  - deep\n- c and more"),
        ("table", "x\n | y z".replace("\n ", "\n")),
        ("text", "End."),
    ]
    assert document.paragraphs[2].heading == "The year › Scope"


def test_an_empty_paragraph_parts_lists_and_a_heading_in_a_list_is_a_heading():
    numbered = items('<text:h text:outline-level="1">Part</text:h>')
    assert kinds(body(numbered + items(p("a")) + p("") + items(p("b")))) == [
        ("heading", "Part"),
        ("list", "- a"),
        ("list", "- b"),
    ]


def test_lines_of_code_keep_their_indent_and_are_one_block():
    assert kinds(body(p("if a:", "P3") + p("<text:s text:c='4'/>b()", "P3"))) == [("code", "if a:\n    b()")]


def test_cells_that_others_cover_and_cells_that_repeat_keep_the_columns():
    row = (
        "<table:table-header-rows><table:table-row><table:table-cell table:number-columns-spanned='2'>"
        f"{p('wide')}</table:table-cell><table:covered-table-cell/><table:table-cell>{p('c')}</table:table-cell>"
        "</table:table-row></table:table-header-rows><table:table-row><table:table-cell"
        f" table:number-columns-repeated='2'/><table:table-cell>{p('d')}</table:table-cell></table:table-row>"
    )
    assert texts(body(f"<table:table>{row}</table:table>")) == ["wide |  | c\n|  | d"]


def test_a_table_in_a_table_comes_after_it():
    assert texts(body(table([p("a") + table([p("x"), p("y")]), p("b")]))) == ["a | b", "x | y"]


def note(kind, text):
    return (
        f'<text:note text:note-class="{kind}"><text:note-citation>1</text:note-citation>'
        f"<text:note-body>{p(text)}</text:note-body></text:note>"
    )


def test_notes_come_at_the_end_and_say_which_they_are():
    inside = p(f"First{note('footnote', 'One.')} and{note('endnote', 'Last.')} second{note('footnote', 'Two.')}.")
    assert places(body(inside)) == [
        ("", "First and second."),
        ("note 1", "One."),
        ("note 2", "Two."),
        ("endnote 1", "Last."),
    ]


def test_text_boxes_and_shapes_come_after_their_paragraph():
    box = f"<draw:frame><draw:text-box>{p('Boxed.')}</draw:text-box><svg:desc>A box</svg:desc></draw:frame>"
    shape = f"<draw:custom-shape>{p('Shaped.')}</draw:custom-shape>"
    assert texts(body(p(f"Before {box}{shape}after.") + box)) == ["Before after.", "Boxed.", "Shaped.", "Boxed."]


def test_what_is_not_seen_is_left_out_and_counted():
    hidden = "<text:span text:style-name='T1'>x</text:span>"
    inside = (
        f"<text:tracked-changes><text:changed-region><text:deletion>{p('Old.')}</text:deletion></text:changed-region>"
        "</text:tracked-changes>"
        + p(f"Seen<office:annotation>{p('A remark.')}</office:annotation>{hidden}.")
        + p("Not this.", "P4")
        + p("Nor that.<text:hidden-paragraph text:is-hidden='true'/>")
        + f"<text:section text:display='none'>{p('Hidden.')}</text:section><text:section>{p('Shown.')}</text:section>"
        + p("<text:placeholder>Name</text:placeholder>", "P5")
    )
    document = body(inside)
    assert texts(document) == ["Seen.", "Shown."]
    assert document.removed == (("comment", 1), ("deleted text", 1), ("hidden text", 4), ("placeholder", 1))


def test_a_table_of_contents_is_debris_without_its_template():
    inside = (
        f"<text:table-of-content><text:table-of-content-source>{p('Template')}</text:table-of-content-source>"
        f"<text:index-body>{p('Scope 3')}</text:index-body></text:table-of-content>{p('Text.')}"
    )
    assert marks(body(inside)) == [("odt:contents", "Scope 3"), (None, "Text.")]


def test_headers_and_footers_are_debris_each_once():
    masters = (
        f"<style:master-page><style:header>{p('Firm')}{p('Street')}</style:header><style:footer>{p('Draft')}"
        f"</style:footer></style:master-page><style:master-page><style:header>{p('Firm')}{p('Street')}</style:header>"
        f"<style:footer style:display='false'>{p('Unseen')}</style:footer></style:master-page>"
    )
    assert marks(body(p("Text."), masters=masters)) == [
        (None, "Text."),
        ("odt:header", "Firm\nStreet"),
        ("odt:footer", "Draft"),
    ]


def test_pages_are_known_where_the_file_has_them():
    inside = (
        p("One.", "P2")
        + p("Begins<text:soft-page-break/> and ends.")
        + p("Two.")
        + p("<text:soft-page-break/>Three.")
        + p("Four.", "P2")
    )
    pages = ["p. 1", "p. 1", "p. 2", "p. 3", "p. 4"]
    assert [place for place, _ in places(body(inside, pages=True))] == pages
    assert {place for place, _ in places(body(inside))} == {""}


def test_what_the_file_says_about_itself_is_known():
    meta = (
        "<dc:title>A year</dc:title><meta:initial-creator>Ada</meta:initial-creator><dc:creator>Bob</dc:creator>"
        "<meta:creation-date>2021-06-20T10:00:00</meta:creation-date><dc:date>2022-01-01</dc:date>"
        "<meta:keyword>soil</meta:keyword><meta:keyword>rain</meta:keyword>"
    )
    document = body(p("Text."), meta=meta)
    assert (document.title, document.author, document.date) == ("A year", "Ada", "2021-06-20")
    assert document.metadata == (("keywords", "soil, rain"),)


def test_a_paragraph_in_the_style_of_a_heading_is_one():
    headings = p("Top", "Heading_20_1") + p("Below", "Heading_20_3") + p("Text.")
    assert body(headings).paragraphs[2].heading == "Top › Below"


def test_a_flat_file_is_read():
    flat = (
        f"<office:document {NAMES}><office:meta><dc:title>Flat</dc:title></office:meta><office:body><office:text>"
        f"{p('Text.')}</office:text></office:body></office:document>"
    )
    document = read(flat.encode())
    assert (document.title, texts(document)) == ("Flat", ["Text."])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "damaged"),
        (b"PK\x03\x04", "damaged"),
        (zipped({"content.xml": "<a/>"}), "damaged: no text document"),
        (zipped({"content.xml": "<a"}), "damaged"),
        (zipped({"mimetype": "a"}), r"damaged: content\.xml is missing"),
        (odt_file("", **{"META-INF/manifest.xml": "<manifest:encryption-data/>"}), "needs a password"),
        (zipped({"encrypted-package": "x"}), "needs a password"),
        (zipped({"content.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}), "defines entities"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(data, reason):
    with pytest.raises(UnreadableError, match=reason):
        odt.read(data, "a.odt", ReadingSettings())


def test_deep_lists_are_read():
    inside = p("Deep.")
    for _ in range(200):
        inside = items(inside)
    assert texts(body(inside)) == [f"{'  ' * 10}- Deep.".strip()]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_mutated_document_is_read_or_refused(seed):
    changing = random.Random(seed)
    names = ["text:p", "text:list", "text:list-item", "table:table", "table:table-row", "table:table-cell", "text:note",
             "draw:text-box", "text:h", "text:section", "text:table-of-content", "text:span"]  # fmt: skip
    opened, pieces = [], []
    for name in changing.choices([*names, *["/"] * 12, "words", "<text:s text:c='-1'/>"], k=60):
        if name in names:
            opened.append(name)
            pieces.append(f"<{name}>")
        elif name != "/":
            pieces.append(name)
        elif opened:
            pieces.append(f"</{opened.pop()}>")
    pieces.extend(f"</{name}>" for name in reversed(opened))
    data = bytearray(odt_file("".join(pieces), pages=True, masters="".join(pieces)))
    if changing.random() < 0.5:
        for _ in range(changing.randint(1, 20)):
            data[changing.randrange(len(data))] = changing.randrange(256)
    with contextlib.suppress(UnreadableError):
        read(bytes(data))


LOOKS = (
    '<style:style style:name="W" style:family="text"><style:text-properties fo:color="#FFFFFF"/></style:style>'
    + '<style:style style:name="B" style:family="text"><style:text-properties fo:color="#000000"/></style:style>'
    + '<style:style style:name="D" style:family="text"><style:text-properties fo:color="#ffffff"'
    + ' fo:background-color="#000080"/></style:style>'
    + '<style:style style:name="S" style:family="text"><style:text-properties fo:font-size="1pt"/></style:style>'
    + '<style:style style:name="PW" style:family="paragraph"><style:text-properties fo:color="#ffffff"/></style:style>'
    + '<style:style style:name="PD" style:family="paragraph" style:parent-style-name="PW">'
    + '<style:paragraph-properties fo:background-color="#333333"/></style:style>'
)


def looks(inside, **parts):
    return body(inside, styles=LOOKS, **parts)


def span(style, text):
    return f'<text:span text:style-name="{style}">{text}</text:span>'


def test_white_and_tiny_text_is_left_out_and_counted():
    inside = p(f"Seen {span('W', 'white ' + span('T1', 'hidden') + ' white')} {span('S', 'tiny')} end.") + p(
        "white", "PW"
    )
    document = looks(inside)
    assert texts(document) == ["Seen end."]
    assert dict(document.removed) == {"hidden text": 1, "tiny text": 1, "white text": 3}


def test_white_text_on_what_is_or_may_be_dark_stays():
    inside = p(span("D", "One.")) + p("Two.", "PD") + p(span("B", "Three."), "PW") + table([p("Four", "PW"), p("b")])
    assert texts(looks(inside)) == ["One.", "Two.", "Three.", "Four | b"]
    page = '<style:page-layout><style:page-layout-properties fo:background-color="#000000"/></style:page-layout>'
    assert texts(looks(p("One.", "PW"), masters=page)) == ["One."]

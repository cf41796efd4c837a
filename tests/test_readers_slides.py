import contextlib
import datetime
import io
import random

import pptx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches, Pt
from tests.office import NAMESPACES, kinds, marks, places, read_with, relations, texts, zipped
from tests.test_readers_odt import NAMES, URN

from rag_geo.readers import slides
from rag_geo.readers.blocks import UnreadableError
from rag_geo.settings import ReadingSettings

SOMEWHERE = Inches(1), Inches(1), Inches(4), Inches(2)
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


def read(data, format="pptx"):
    return read_with(slides, data, format)


@pytest.fixture(scope="module")
def deck():
    """A presentation that python-pptx makes: a title, bullets with notes, a table and a box, one hidden, a chart."""
    made = pptx.Presentation()
    stated = made.core_properties
    stated.title, stated.author, stated.created = "PowerPoint Presentation", "Ada", datetime.datetime(2020, 5, 4)
    layouts = made.slide_layouts

    slide = made.slides.add_slide(layouts[0])
    slide.shapes.title.text, slide.placeholders[1].text = "The year", "In short"

    slide = made.slides.add_slide(layouts[1])
    frame = slide.placeholders[1].text_frame
    slide.shapes.title.text, frame.text = "Fruit", "apples"
    deeper = frame.add_paragraph()
    deeper.text, deeper.level = "late\vapples", 1
    frame.add_paragraph().text = "pears"
    slide.notes_slide.notes_text_frame.text = "Say this.\nThen that."

    slide = made.slides.add_slide(layouts[5])
    box = slide.shapes.add_textbox(*SOMEWHERE)
    box.text_frame.text = "Free text.\nA second line."
    table = slide.shapes.add_table(2, 2, *SOMEWHERE).table
    for number in range(4):
        table.cell(number // 2, number % 2).text = f"cell {number}"
    slide.shapes.title.text = "Table"

    slide = made.slides.add_slide(layouts[5])
    slide.shapes.title.text = "Hidden"
    slide._element.set("show", "0")

    slide = made.slides.add_slide(layouts[6])
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(*SOMEWHERE).text_frame.text = "In a group"
    figures = CategoryChartData()
    figures.categories = ["East", "West"]
    figures.add_series("Spring", (19.2, 21.4))
    figures.add_series("Autumn", (0.1 + 0.2, 28))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *SOMEWHERE, figures)

    slide = made.slides.add_slide(layouts[6])
    slide.shapes.add_picture(io.BytesIO(PIXEL), *SOMEWHERE)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def test_slides_are_read_in_order_with_their_number(deck):
    document = read(deck)
    assert places(document) == [
        ("slide 1", "The year"),
        ("slide 1", "In short"),
        ("slide 2", "Fruit"),
        ("slide 2", "- apples\n  - late apples\n- pears"),
        ("slide 2, notes", "Say this."),
        ("slide 2, notes", "Then that."),
        ("slide 3", "Table"),
        ("slide 3", "- Free text.\n- A second line."),
        ("slide 3", "cell 0 | cell 1\ncell 2 | cell 3"),
        ("slide 5", "In a group"),
        ("slide 5", "| Spring | Autumn\nEast | 19.2 | 0.3\nWest | 21.4 | 28"),
    ]
    assert document.paragraphs[4].heading == "Fruit"


def test_titles_are_headings_and_boxes_of_several_lines_lists(deck):
    found = [kind for kind, _ in kinds(read(deck))]
    assert found == ["heading", "text", "heading", "list", "text", "text", "heading", "list", "table", "text", "table"]


def test_hidden_slides_and_slides_of_pictures_are_told(deck):
    document = read(deck)
    assert document.removed == (("hidden slide", 1),)
    assert document.textless == ("slide 6",)


def test_what_the_file_says_about_itself_is_known(deck):
    document = read(deck)
    assert (document.title, document.author, document.date) == ("The year", "Ada", "2020-05-04")


def shape(text, placeholder="", more=""):
    kind = f'<p:ph type="{placeholder}"/>' if placeholder else ""
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="1" name="x" {more}/><p:cNvSpPr/><p:nvPr>{kind}</p:nvPr></p:nvSpPr>'
        f"<p:txBody>{text}</p:txBody></p:sp>"
    )


def p(text, properties=""):
    return f"<a:p>{properties}<a:r><a:t>{text}</a:t></a:r></a:p>"


def pptx_file(*trees, related=(), **members):
    names = [f"slides/slide{number}.xml" for number in range(1, len(trees) + 1)]
    entries = "".join(f'<p:sldId id="{256 + number}" r:id="rId{number}"/>' for number in range(1, len(trees) + 1))
    return zipped(
        {
            "ppt/presentation.xml": f"<p:presentation {NAMESPACES}><p:sldIdLst>{entries}</p:sldIdLst></p:presentation>",
            "ppt/_rels/presentation.xml.rels": relations(*(("slide", name) for name in names)),
            **{
                f"ppt/{name}": f"<p:sld {NAMESPACES}><p:cSld><p:spTree>{tree}</p:spTree></p:cSld></p:sld>"
                for name, tree in zip(names, trees, strict=True)
            },
            "ppt/slides/_rels/slide1.xml.rels": relations(*related),
            **members,
        }
    )


def test_what_stands_at_the_foot_of_slides_is_debris_once():
    feet = shape(p("Firm"), "ftr") + shape(p("3"), "sldNum") + shape(p("May"), "dt")
    found = marks(read(pptx_file(shape(p("One.")) + feet, shape(p("Two.")) + feet)))
    assert found == [(None, "One."), (None, "Two."), ("pptx:footer", "Firm"), ("pptx:date", "May")]


def test_hidden_shapes_are_left_out_and_alternatives_read_once():
    hidden = shape(p("Hidden."), more="hidden='1'")
    tree = (
        f"{shape(p('Seen.'))}{hidden}<mc:AlternateContent>"
        f"<mc:Choice Requires='x'>{shape(p('First.'))}</mc:Choice><mc:Fallback>{shape(p('Second.'))}</mc:Fallback>"
        "</mc:AlternateContent>"
    )
    document = read(pptx_file(tree))
    assert texts(document) == ["Seen.", "First."]
    assert document.removed == (("hidden shape", 1),)


def test_lines_of_a_box_are_items_with_a_bullet_or_without():
    lines = (
        p("a", "<a:pPr lvl='1'><a:buNone/></a:pPr>") + p("b", "<a:pPr><a:buChar char='x'/></a:pPr>") + p("c<!---->d")
    )
    assert texts(read(pptx_file(shape(lines, "body")))) == ["- a\n- b\n- cd"]
    assert texts(read(pptx_file(shape(lines)))) == ["- a\n- b\n- cd"]


def test_an_empty_line_parts_a_box():
    assert texts(read(pptx_file(shape(p("a") + p("b") + p("") + p("c"))))) == ["- a\n- b", "- c"]


def test_the_nodes_of_a_diagram_are_a_list_and_comments_are_counted():
    frame = (
        "<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id='2' name='y'/></p:nvGraphicFramePr><d:relIds"
        " xmlns:d='http://schemas.openxmlformats.org/drawingml/2006/diagram' r:dm='rId1'/></p:graphicFrame>"
    )
    points = f"<d:pt><d:t>{p('Plan')}</d:t></d:pt><d:pt type='pres'/><d:pt type='node'><d:t>{p('Do')}</d:t></d:pt>"
    data = (
        f"<d:dataModel {NAMESPACES} xmlns:d='http://schemas.openxmlformats.org/drawingml/2006/diagram'>{points}"
        "</d:dataModel>"
    )
    document = read(
        pptx_file(
            frame,
            related=(("diagramData", "../diagrams/data1.xml"), ("comments", "../comments/comment1.xml")),
            **{
                "ppt/diagrams/data1.xml": data,
                "ppt/comments/comment1.xml": f"<p:cmLst {NAMESPACES}><p:cm/><p:cm/></p:cmLst>",
            },
        )
    )
    assert kinds(document) == [("list", "- Plan\n- Do")]
    assert document.removed == (("comment", 2),)


def odp_file(pages, styles=""):
    names = f'{NAMES} xmlns:presentation="{URN}:presentation:1.0"'
    return zipped(
        {
            "content.xml": f"<office:document-content {names}>"
            f"<office:automatic-styles>{styles}</office:automatic-styles><office:body><office:presentation>{pages}</office:presentation></office:body></office:document-content>"
        }
    )


def frame(text, kind=""):
    kind = f' presentation:class="{kind}"' if kind else ""
    return f"<draw:frame{kind}><draw:text-box>{text}</draw:text-box></draw:frame>"


def test_slides_of_open_document_are_read_as_the_others():
    def line(text):
        return f"<text:p>{text}</text:p>"

    entries = (f"<text:list-item>{line(text)}</text:list-item>" for text in "ab")
    bullets = f"<text:list>{''.join(entries)}</text:list>"
    hidden = (
        '<style:style style:name="dp2" style:family="drawing-page">'
        '<style:drawing-page-properties presentation:visibility="hidden"/></style:style>'
    )
    notes = f"<presentation:notes>{frame(line('Say.'), 'notes')}{frame(line('1'))}</presentation:notes>"
    pages = (
        f"<presentation:footer-decl>Firm</presentation:footer-decl><draw:page>{frame(bullets, 'outline')}"
        f"{frame(line('The') + line('year'), 'title')}<draw:custom-shape>{line('Shaped.')}</draw:custom-shape>{notes}"
        f"</draw:page><draw:page draw:style-name='dp2'>{frame(line('Hidden'))}</draw:page>"
        "<draw:page><draw:frame><draw:image/></draw:frame></draw:page>"
        f"<draw:page>{frame(line('One line.') + line('Another.'))}</draw:page>"
    )
    document = read(odp_file(pages, hidden), "odp")
    assert places(document) == [
        ("slide 1", "The year"),
        ("slide 1", "- a\n- b"),
        ("slide 1", "Shaped."),
        ("slide 1, notes", "Say."),
        ("slide 4", "- One line.\n- Another."),
        ("", "Firm"),
    ]
    assert document.removed == (("hidden slide", 1),)
    assert document.textless == ("slide 3",)
    assert marks(document)[-1] == ("odp:footer", "Firm")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "damaged"),
        (b"PK", "damaged"),
        (zipped({"a": "b"}), r"damaged: ppt/presentation\.xml is missing"),
        (zipped({"content.xml": "<a/>"}), "damaged: no presentation"),
        (zipped({"ppt/presentation.xml": "<a"}), "damaged"),
    ],
)
def test_what_is_no_presentation_is_refused_with_a_reason(data, reason):
    with pytest.raises(UnreadableError, match=reason):
        slides.read(data, "a.pptx", ReadingSettings())


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_mutated_presentation_is_read_or_refused(deck, seed):
    changing = random.Random(seed)
    if changing.random() < 0.4:
        data = bytearray(deck)
        for _ in range(changing.randint(1, 20)):
            data[changing.randrange(len(data))] = changing.randrange(256)
    else:
        names = ["p:sp", "p:grpSp", "p:graphicFrame", "p:nvSpPr", "p:nvPr", "a:p", "a:tbl", "a:tr", "a:tc", "a:t"]
        opened, pieces = [], []
        for name in changing.choices([*names, *["/"] * 8, "words", "<a:pPr lvl='²'/>", "<p:ph type='title'/>"], k=50):
            if name in names:
                opened.append(name)
                pieces.append(f"<{name}>")
            elif name != "/":
                pieces.append(name)
            elif opened:
                pieces.append(f"</{opened.pop()}>")
        data = pptx_file("".join([*pieces, *(f"</{name}>" for name in reversed(opened))]))
    with contextlib.suppress(UnreadableError):
        read(bytes(data))


def test_text_beside_the_slide_or_of_no_size_is_left_out_and_counted():
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[6])
    for left, text in ((Inches(1), "On the slide."), (Inches(-9), "Beside it."), (Inches(-1), "Half on it.")):
        slide.shapes.add_textbox(left, Inches(1), Inches(4), Inches(1)).text_frame.text = text
    paragraph = slide.shapes[0].text_frame.paragraphs[0]
    for size, text in ((Pt(1), " Tiny."), (Pt(6), " Small.")):
        run = paragraph.add_run()
        run.text, run.font.size = text, size
    out = io.BytesIO()
    made.save(out)
    document = read(out.getvalue())
    assert texts(document) == ["On the slide. Small.", "Half on it."]
    assert dict(document.removed) == {"text outside the slide": 1, "tiny text": 1}

import pytest
from tests.office import docx_file, read_with, texts
from tests.test_readers_docx import cell, p, table
from tests.test_readers_odt import items, odt_file
from tests.test_readers_odt import p as odt_p

from rag_geo.readers import docx, odt
from rag_geo.readers.numbering import written


@pytest.mark.parametrize(
    ("number", "form", "text"),
    [
        (1, "decimal", "1"),
        (7, "decimalZero", "07"),
        (4, "lowerRoman", "iv"),
        (1994, "upperRoman", "MCMXCIV"),
        (4000, "upperRoman", "4000"),
        (3, "lowerLetter", "c"),
        (28, "upperLetter", "BB"),
        (0, "lowerLetter", "0"),
        (2, "ordinal", "2"),
    ],
)
def test_numbers_are_written_as_the_level_says(number, form, text):
    assert written(number, form) == text


def level(place, form, text, more=""):
    inside = f'<w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/>{more}'
    return f'<w:lvl w:ilvl="{place}">{inside}</w:lvl>'


def listed(text, list_id, place=0, more=""):
    numbering = f'<w:numPr><w:ilvl w:val="{place}"/><w:numId w:val="{list_id}"/></w:numPr>'
    return p(text, f"{more}{numbering}")


NUMBERING = (
    f'<w:abstractNum w:abstractNumId="0">{level(0, "upperRoman", "%1.")}{level(1, "decimal", "%1.%2", "<w:isLgl/>")}'
    f"{level(2, 'lowerLetter', '(%3)')}</w:abstractNum>"
    f'<w:abstractNum w:abstractNumId="1">{level(0, "bullet", "o")}{level(1, "none", "%2")}</w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    '<w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>'
    '<w:num w:numId="3"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/>'
    "</w:lvlOverride></w:num>"
    '<w:num w:numId="4"><w:abstractNumId w:val="9"/></w:num>'
)


def read_docx(body):
    return texts(read_with(docx, docx_file(body, numbering=NUMBERING), "docx"))


def test_items_of_a_word_document_have_the_numbers_that_word_shows():
    body = (
        listed("one", 1)
        + listed("one one", 1, 1)
        + listed("a", 1, 2)
        + listed("b", 1, 2)
        + listed("one two", 1, 1)
        + listed("a again", 1, 2)
        + listed("two", 1)
        + listed("bullet", 2)
        + listed("none", 2, 1)
        + listed("undefined", 4)
        + listed("goes on", 1)
        + listed("starts again", 3)
        + listed("and counts", 3)
    )
    assert read_docx(body) == [
        "- I. one\n  - 1.1 one one\n    (a) a\n    (b) b\n  - 1.2 one two\n    (a) a again\n- II. two\n- bullet\n"
        "  - none\n- undefined\n- III. goes on\n- V. starts again\n- VI. and counts"
    ]


def test_headings_clauses_and_cells_have_their_numbers():
    clause = "The supplier delivers what was ordered. " * 12
    body = listed("Scope", 1, 0, '<w:outlineLvl w:val="0"/>') + listed(clause, 1, 1) + p("Text.")
    body += table(cell(listed("x", 1, 1)) + cell(p("y")))
    assert read_docx(body) == ["I. Scope", f"1.1 {clause.strip()}", "Text.", "1.2 x | y"]


def read_odt(body, styles):
    return texts(read_with(odt, odt_file(body, styles=styles), "odt"))


def numbered(inside, more=""):
    return items(*inside).replace("<text:list>", f'<text:list text:style-name="L1"{more}>', 1)


def test_items_of_an_open_document_have_the_numbers_that_it_shows():
    styles = (
        '<text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="1"'
        ' style:num-suffix="."/><text:list-level-style-number text:level="2" style:num-format="a" style:num-prefix="("'
        ' style:num-suffix=")" text:display-levels="2"/><text:list-level-style-bullet text:level="3"/>'
        "</text:list-style>"
        '<text:outline-style><text:outline-level-style text:level="1" style:num-format="I" text:start-value="3"/>'
        '<text:outline-level-style text:level="2" style:num-format=""/></text:outline-style>'
    )
    inner = items(odt_p("two a") + items(odt_p("bullet")), odt_p("two b"))
    body = (
        '<text:h text:outline-level="1">Scope</text:h><text:h text:outline-level="2">Fruit</text:h>'
        '<text:h text:outline-level="1" text:is-list-header="true">Unnumbered</text:h>'
        '<text:h text:outline-level="1">Next</text:h>'
        + numbered([odt_p("one"), odt_p("two") + inner])
        + odt_p("Between.")
        + numbered([odt_p("three")], ' text:continue-numbering="true" xml:id="x"')
        + odt_p("Between.")
        + numbered([odt_p("one again")])
        + odt_p("Between.")
        + numbered([odt_p("nine")], ' text:continue-list="x"').replace(
            "<text:list-item>", "<text:list-item text:start-value='9'>"
        )
    )
    assert read_odt(body, styles) == [
        "III Scope",
        "Fruit",
        "Unnumbered",
        "IV Next",
        "1. one\n2. two\n  - (2.a) two a\n    - bullet\n  - (2.b) two b",
        "Between.",
        "3. three",
        "Between.",
        "1. one again",
        "Between.",
        "9. nine",
    ]

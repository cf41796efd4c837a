"""What is said of a document and its paragraphs."""

from __future__ import annotations

from dataclasses import replace

from rag_geo.overview import document_lines, document_object
from rag_geo.records import Document, Paragraph
from rag_geo.render import lines_text

TEXT = "Budget\n\nTown | People\n\nMarlow | 14,000"
PARAGRAPHS = (
    Paragraph("b.xlsx", 1, 0, 6, "heading", place="sheet Budget"),
    Paragraph("b.xlsx", 2, 8, 21, "table", place="sheet Budget, row 1"),
    Paragraph("b.xlsx", 3, 23, 38, "table", place="sheet \x1b[1mBudget, row 2"),
)
SHEET = Document("b.xlsx", "0" * 64, TEXT, "xlsx", "", PARAGRAPHS, language="en", textless=("sheet Notes",))


def test_every_paragraph_has_its_place_in_a_column_of_its_own():
    lines = lines_text(document_lines(SHEET), width=120).splitlines()
    rows = [line for line in lines if line.startswith("¶")]
    assert len({row.rindex(words) for row, words in zip(rows, ("Budget", "Town", "Marlow"), strict=True)}) == 1
    assert rows[1].split("table", 1)[1].split() == ["sheet", "Budget,", "row", "1", "Town", "|", "People"]
    assert not set("\x1b") & set("".join(lines))
    assert "  without text: sheet Notes" in lines
    assert "  language: en" in lines
    assert "  format: xlsx, 38 characters" in lines


def test_a_document_without_places_has_no_such_column():
    bare = replace(SHEET, paragraphs=tuple(replace(each, place="") for each in PARAGRAPHS))
    rows = [line for line in lines_text(document_lines(bare), width=120).splitlines() if line.startswith("¶")]
    assert rows[1].split() == ["¶2", "[8,", "21)", "table", "Town", "|", "People"]


def test_the_object_of_a_document_has_the_places_of_its_paragraphs_and_those_without_text():
    table = document_object(SHEET)
    assert [each["place"] for each in table["paragraphs"]] == [each.place for each in PARAGRAPHS]
    assert (table["language"], table["textless"]) == ("en", ["sheet Notes"])

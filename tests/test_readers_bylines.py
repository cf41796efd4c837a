"""Authors that a plain text names without front matter; and texts that name none."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from rag_geo.readers import read_document
from rag_geo.records import Document

PROSE = (
    "The two countries signed the treaty in spring, and neither has kept to it since then. Nobody was surprised "
    "by that, as the ministers had said so before, and the papers had written about little else for most of the winter."
)


def author(text: str, file: str = "a.txt") -> str:
    document = read_document(file, text.encode())
    assert isinstance(document, Document)
    return document.author


@pytest.mark.parametrize("file", ["a.txt", "a.md"])
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("By Jane Doe", "Jane Doe"),
        ("by Jane Doe", "Jane Doe"),
        ("BY JANE DOE", "JANE DOE"),
        ("Von Jürgen Groß", "Jürgen Groß"),
        ("von Ödön von Horváth", "Ödön von Horváth"),
        ("By J. R. Roe-Smith Jr.", "J. R. Roe-Smith Jr."),
        ("By Ludwig van den Berg", "Ludwig van den Berg"),
        ("By Jane O’Neill and John Roe", "Jane O’Neill, John Roe"),
        ("By Jane Doe, John Roe and Ann Lee", "Jane Doe, John Roe, Ann Lee"),
        ("By Jane Doe, The Paper", "Jane Doe"),
        ("By Jane Doe | 3 May 2021", "Jane Doe"),
        ("Von Jane Doe, Mai 2021", "Jane Doe"),
        ("By Jane Doe – The Paper, May 2021", "Jane Doe"),
    ],
)
def test_a_byline_near_the_top_is_the_author(file, line, expected):
    assert author(f"A title of some words\n\n{line}\n\n{PROSE}\n\n{PROSE}", file) == expected
    assert author(f"A title of some words\n\n{PROSE}\n\n{line}\n\n{PROSE}", file) == expected


@pytest.mark.parametrize("line", ["*By Jane Doe*", "**By Jane Doe**", "By [Jane Doe](https://example.org/jane)"])
def test_marks_and_links_of_markdown_do_not_hide_a_byline(line):
    assert author(f"# A title\n\n{line}\n\n{PROSE}", "a.md") == "Jane Doe"


def test_a_byline_may_share_its_paragraph_with_title_and_date():
    assert author(f"A title of some words\nBy Jane Doe\n3 May 2021\n\n{PROSE}") == "Jane Doe"


@pytest.mark.parametrize(
    "line",
    [
        "By Jane",
        "By Land and Sea",
        "By The Numbers",
        "By Our Correspondent",
        "By Reuters Staff",
        "By Monday Morning",
        "By jane doe",
        "By Jane Doe said so.",
        "By Jane Doe who went away",
        "By Jane Doe: a story",
        "By One Two Three Four Five Six",
        "Written By Jane Doe",
        "By Jane Doe, " + "The Very Long Name of a Paper " * 2,
        "By 2 May 2021",
        "Byron Jane Doe",
    ],
)
def test_what_only_begins_like_a_byline_is_none(line):
    assert author(f"A title of some words\n\n{line}\n\n{PROSE}\n\n{PROSE}") == ""


def test_a_line_within_a_sentence_is_no_byline():
    assert author(f"The book was written\nby Jane Doe\nand others\n\n{PROSE}", "a.md") == ""


def test_a_heading_or_a_line_of_code_is_no_byline():
    assert author(f"# Top\n\n## By Jane Doe\n\n{PROSE}", "a.md") == ""
    assert author(f"# Top\n\n```\nBy Jane Doe\n```\n\n{PROSE}", "a.md") == ""
    assert author(f"Von Neumann Architecture\n\n{PROSE}") == ""


def test_a_byline_far_down_belongs_to_something_else():
    assert author("\n\n".join([*[PROSE] * 4, "By Jane Doe", PROSE])) == ""


def test_front_matter_has_the_last_word():
    assert author(f"---\nauthor: Ann Lee\n---\n\nBy Jane Doe\n\n{PROSE}", "a.md") == "Ann Lee"
    assert author(f"---\ntitle: T\n---\n\nBy Jane Doe\n\n{PROSE}", "a.md") == ""


def test_a_name_twice_under_a_label_is_the_author():
    assert author(f"Advertisement\nOpinion\nJane Doe\nJane Doe\n\nA title of some words\n\n{PROSE}") == "Jane Doe"
    assert author(f"Opinion\nJane Doe\n\nA title of some words\n\n{PROSE}") == ""
    assert author(f"World\nNew York\nNew York\n\nA title of some words\n\n{PROSE}") == ""


ABOUT = "Jane Doe is an editor at The Paper, a magazine for foreign policy."


@pytest.mark.parametrize(
    "about", [ABOUT, "Jane van Doe is associate professor at the University of Somewhere", f"{ABOUT}\n\n2"]
)
def test_a_last_paragraph_about_somebody_not_spoken_of_names_the_author(about):
    assert author(f"A title of some words\n\n{PROSE}\n\n{PROSE}\n\n{about}\n").endswith("Doe")


@pytest.mark.parametrize(
    "text",
    [
        f"{PROSE}\n\n{PROSE} So Doe said.\n\n{ABOUT}",
        f"{PROSE}\n\n{ABOUT}\n\n{PROSE}",
        f"{PROSE}\n\n{PROSE}\n\nJane Doe is tired of it and the editor knows.",
        f"{PROSE}\n\n{PROSE}\n\nThe Paper is an editor of texts.",
        ABOUT,
    ],
    ids=["spoken of", "not the last", "no role", "no name", "nothing else"],
)
def test_any_other_last_paragraph_names_nobody(text):
    assert author(f"A title of some words\n\n{text}" if text != ABOUT else text) == ""


@given(st.text(max_size=80), st.sampled_from(["a.txt", "a.md"]))
@example("A\x1b0 ¹", "a.txt")
@example("\x1f\x1f\x1f\x1f\x08", "a.txt")
def test_an_author_is_part_of_the_text(line, file):
    document = read_document(file, f"A title\n\nBy {line}\n\n{PROSE}".encode())
    # A handful of control characters make a short text look binary, and what looks binary is not read.
    assume(isinstance(document, Document))
    found = document.author
    # In order, but without the control characters that may stand inside a word and are seen by nobody.
    written = iter(line)
    assert all(character in written for character in "".join(found.replace(",", "").split()))

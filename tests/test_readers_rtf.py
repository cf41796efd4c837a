import contextlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.office import kinds, marks, places, read_with, texts

from rag_geo.readers import rtf
from rag_geo.readers.blocks import UnreadableError
from rag_geo.settings import ReadingSettings

FONTS = (
    r"{\fonttbl{\f0\froman\fcharset0{\*\panose 02020603}Times New Roman{\*\falt Times};}{\f1\fnil\fcharset2 Symbol;}"
    r"{\f2\fswiss\fcharset204 Arial Cyr;}{\f3\fnil\fcharset128 MS Mincho;}{\f4\fnil\fcharset2 Wingdings;}}"
)
STYLES = (
    r"{\stylesheet{\ql \f0\fs24 Normal;}{\s1\outlinelevel0 \b\fs32 \sbasedon0 \snext0 heading 1;}"
    r"{\s2 \b heading 2;}{\s3 Title;}{\*\cs10 \additive Default Paragraph Font;}{\s5 HTML Preformatted;}{\s6 toc 1;}}"
)


def body(inside, head=FONTS + STYLES):
    text = r"{\rtf1\ansi\ansicpg1252\deff0" + head + "\n" + inside + "}"
    return read_with(rtf, text if isinstance(text, bytes) else text.encode("latin-1"), "rtf")


def test_paragraphs_end_where_the_file_says_and_line_ends_in_it_mean_nothing():
    assert texts(body("One {\\b bold\n} word.\\line Line.\\par\\pard Two.\\page Three.\\sect Four.\\\nFive.")) == [
        "One bold word.\nLine.",
        "Two.",
        "Three.",
        "Four.",
        "Five.",
    ]


def test_headings_are_known_by_their_style_or_outline():
    inside = (
        r"\pard\plain\s3 A year\par\pard\plain\s1 Scope\par\pard\plain\s2 Fruit\par\pard\plain\outlinelevel2 Pears\par"
        r"\pard\plain Text.\par\pard\s5 a = 1\par b = 2\par\pard\s6 Scope\tab 3\par"
    )
    document = body(inside)
    assert kinds(document)[:6] == [
        ("heading", "A year"),
        ("heading", "Scope"),
        ("heading", "Fruit"),
        ("heading", "Pears"),
        ("text", "Text."),
        ("code", "a = 1\nb = 2"),
    ]
    assert document.paragraphs[4].heading == "Scope › Fruit › Pears"
    assert marks(document)[6] == ("rtf:contents", "Scope\t3")


def test_without_styles_short_lines_in_larger_or_bold_letters_are_headings():
    text = "Words that go on for some time, as those of a paragraph do. " * 3
    inside = (
        rf"\fs36\b A year\b0\par\fs24 {text}\par\b Soil\b0\par {text}\par\b All of it is bold, but stops.\b0"
        r"\par Partly \b bold\b0\par"
    )
    assert [(one.kind, one.heading) for one in body(inside, FONTS).paragraphs] == [
        ("heading", ""),
        ("text", "A year"),
        ("heading", "A year"),
        ("text", "A year › Soil"),
        ("text", "A year › Soil"),
        ("text", "A year › Soil"),
    ]


def test_lists_keep_their_numbers_and_lose_their_bullets():
    inside = (
        r"{\pard\plain\ls1 {\listtext\f1\'b7\tab}apples\par}{\pard\ls1\ilvl1{\listtext o\tab}late\par}"
        r"{\pard\ls2{\listtext 1.\tab}one\par}{\pard\ls2{\listtext (b)\tab}two\par}"
        r"\pard\par{\pard{\pntext\'b7\tab}{\*\pn\pnlvlblt{\pntxtb\'b7}}old\par}\pard Text.\par"
    )
    assert kinds(body(inside)) == [
        ("list", "- apples\n  - late\n1. one\n(b) two"),
        ("list", "- old"),
        ("text", "Text."),
    ]


def test_rows_are_lines_and_nested_tables_come_after():
    inside = (
        r"Before.\par\trowd\cellx1\cellx2\pard\intbl a\cell b\par c\cell\row"
        r"\trowd\pard\intbl\cell d\cell\row\pard After.\par"
        r"\trowd\pard\intbl e\par\pard\intbl\itap2 x\nestcell y\nestcell{\*\nesttableprops\trowd\nestrow}"
        r"{\nonesttables\par}\pard\intbl\itap1\cell f\cell\row\pard End.\par"
    )
    assert texts(body(inside)) == ["Before.", "a | b c\n| d", "After.", "e | f", "x | y", "End."]


def test_pictures_fields_and_hidden_destinations_are_no_text():
    inside = (
        r"{\*\generator Writer;}Seen{\pict\pngblip 89504e470d0a1a0a}{\*\shppict{\pict 0102}}{\nonshppict{\pict 03}}"
        r"{\*\unknown and {more} of it}{\field{\*\fldinst HYPERLINK x}{\fldrslt  linked}}{\*\bkmkstart mark}"
        r"{\object{\*\objdata 0105}{\result  shown}}{\xe\v index}{\*\themedata 504b}."
    )
    assert texts(body(inside)) == ["Seen linked shown."]


def test_binary_data_is_passed_over_whatever_it_looks_like():
    assert texts(body("One{\\pict\\bin8 }}}\\par{} two.")) == ["One two."]


def test_hidden_and_deleted_text_and_comments_are_left_out_and_counted():
    inside = (
        r"Seen{\v hidden}{\deleted old}{\*\atnid AB}{\*\atnauthor Ada}{\chatn{\*\annotation{\*\atndate 1}A remark.}}"
        r"\v more\v0 ."
    )
    document = body(inside)
    assert texts(document) == ["Seen."]
    assert document.removed == (("comment", 1), ("deleted text", 1), ("hidden text", 2))


def test_notes_come_at_the_end_and_say_which_they_are():
    inside = (
        r"One{\super\chftn}{\footnote\pard\plain{\super\chftn} About one.} and two{\footnote\ftnalt Last.}"
        r"{\*\footnote\chftn About two.}.\par"
    )
    assert places(body(inside)) == [
        ("", "One and two."),
        ("note 1", "About one."),
        ("note 2", "About two."),
        ("endnote 1", "Last."),
    ]


def test_headers_and_footers_are_debris_each_once():
    inside = r"{\headerl\pard Firm\par Street\par}{\headerr\pard Firm\par Street\par}{\footer Page {\chpgn}}\pard Text."
    assert marks(body(inside)) == [(None, "Text."), ("rtf:header", "Firm\nStreet"), ("rtf:footer", "Page")]


def test_a_text_box_is_read_once_and_after_its_paragraph():
    inside = (
        r"Before{\shp{\*\shpinst\shpleft1{\sp{\sn name}{\sv value}}{\shptxt\pard Boxed.\par Still.\par}}"
        r"{\shprslt{\*\do\dptxbx{\dptxbxtext\pard Boxed.\par}}}} after.\par Next."
    )
    assert texts(body(inside)) == ["Before after.", "Boxed.", "Still.", "Next."]


def test_characters_are_in_the_encoding_of_their_font():
    inside = (
        r"caf\'e9 {\f2\'cf\'f0\'e8}{\f3\'93\'fa\'96{\'7b}} {\f1 a\'b3}{\f4 \'fc} \u8364? \u-10179\'3f\u-8704\'3f"
        r"{\uc0\u945 b}{\uc2\u946 ??c} d\~e\_f\-g\emdash\ldblquote h\rdblquote\{\\\}"
    )
    inside = inside.replace(r"{\f3\'93\'fa\'96{\'7b}}", r"{\f3\'93\'fa\'96\'7b}")
    assert texts(body(inside)) == ["café При日本 α≥ € 😀αbβc d\xa0e\u2011fg—“h”{\\}"]


def test_the_code_page_of_the_file_counts_where_the_font_has_none():
    data = b"{\\rtf1\\ansi\\ansicpg1251\\deff0{\\fonttbl{\\f0\\fnil Arial;}}\\f0 \\'cf\\'f0\xe8\\par}"
    assert texts(read_with(rtf, data, "rtf")) == ["При"]
    odd = b"{\\rtf1\\ansi\\ansicpg99999 caf\\'e9}"
    assert texts(read_with(rtf, odd, "rtf")) == ["café"]


def test_half_a_character_is_marked_as_such():
    assert texts(body(r"a\u-10179?b")) == ["a\ufffdb"]


def test_what_the_file_says_about_itself_is_known():
    authors = r"{\author Ada}{\author Ada}"
    info = (
        r"{\info{\title A \u252?ber year}" + authors + r"{\creatim\yr2021\mo6\dy20\hr3}{\keywords soil}{\doccomm no}}"
    )
    document = body("Text.", FONTS + info)
    assert (document.title, document.author, document.date) == ("A über year", "Ada", "2021-06-20")
    assert document.metadata == (("keywords", "soil"),)
    assert texts(document) == ["Text."]


def test_a_file_that_breaks_off_is_read_with_a_warning():
    document = read_with(rtf, b"{\\rtf1 {\\b Text", "rtf")
    assert texts(document) == ["Text"]
    assert document.warnings == ("the file breaks off",)
    assert body("Text.").warnings == ()


def test_what_follows_the_end_of_the_file_is_no_text():
    assert texts(read_with(rtf, b"{\\rtf1 Text.}\x00junk {\\par more}", "rtf")) == ["Text."]


@pytest.mark.parametrize("data", [b"", b"text", b"{\\rtf1" + b"{" * 10_000])
def test_what_is_no_rich_text_is_refused(data):
    with pytest.raises(UnreadableError, match="damaged"):
        rtf.read(data, "a.rtf", ReadingSettings())


WORDS = (
    "par", "pard", "cell", "row", "nestcell", "nestrow", "itap3", "intbl", "trowd", "u-1", "u9999999999", "bin3",
    "uc-1", "f9", "'9", "'e9", "*", "footnote", "header", "shptxt", "listtext", "fonttbl", "stylesheet", "info",
    "title", "yr0", "mo99", "ud", "upr", "outlinelevel-5", "ansicpg0", "fs-1", "s", "ls", "deleted",
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_mutated_file_is_read_or_refused(seed):
    changing = random.Random(seed)
    words = [f"\\{word}" for word in WORDS] + ["{", "}"] * 3 + ["text"]
    inside = "".join(changing.choices(words, k=80))
    with contextlib.suppress(UnreadableError):
        read_with(rtf, (r"{\rtf1" + FONTS + inside + "\x80").encode("latin-1"), "rtf")


COLOURS = FONTS + r"{\colortbl;\red0\green0\blue0;\red255\green255\blue255;\red31\green56\blue100;}"


def test_white_tiny_and_hidden_text_is_left_out_and_counted():
    document = body(r"Seen {\cf2 white} {\fs3 tiny} {\v hidden} {\cf2\highlight2 both} end.\par", COLOURS)
    assert " ".join(texts(document)[0].split()) == "Seen end."
    assert dict(document.removed) == {"hidden text": 1, "tiny text": 1, "white text": 2}


@pytest.mark.parametrize(
    "inside",
    [
        r"{\cf2\highlight3 Seen.}\par",
        r"{\cf2\chcbpat3 Seen.}\par",
        r"\pard\cbpat3 {\cf2 Seen.}\par",
        r"\trowd\clcbpat3\cellx5000\intbl{\cf2 Seen.}\cell\row",
        r"{\shp{\*\shpinst\shpfblwtxt1}}{\cf2 Seen.}\par",
        r"{\shp{\*\shpinst{\shptxt\pard\cf2 Seen.\par}}}\par",
        r"{\cf1\fs8 Seen.}\par",
        r"{\cf9 Seen.}\par",
    ],
)
def test_white_text_on_what_is_or_may_be_dark_stays(inside):
    assert texts(body(inside, COLOURS)) == ["Seen."]

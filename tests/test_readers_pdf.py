"""PDF files: reading order, paragraphs over borders, words broken at line ends, what every page repeats."""

import random
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pdf_writer import HEIGHT, Sheet, pdf, wide, wrapped
from rag_geo.readers import read_document
from rag_geo.readers.blocks import UnreadableError
from rag_geo.readers.pdf import read
from rag_geo.readers.pdf.scanned import can_recognise, fragments_of
from rag_geo.records import Document, Skipped
from rag_geo.settings import ReadingSettings

WORDS = [
    "river",
    "trade",
    "border",
    "valley",
    "minister",
    "harbour",
    "treaty",
    "winter",
    "council",
    "railway",
    "island",
    "export",
    "northern",
    "between",
    "under",
    "during",
    "several",
    "large",
    "small",
    "because",
    "although",
    "growing",
    "market",
    "people",
    "century",
    "water",
    "energy",
    "mountain",
    "parliament",
]


def prose(seed, words=40):
    rng = random.Random(seed)
    chosen = [rng.choice(WORDS) for _ in range(words)]
    chosen[words // 2] += "."
    chosen[words // 2 + 1] = chosen[words // 2 + 1].capitalize()
    return " ".join(chosen).capitalize() + "."


def document(*sheets, **information):
    found = read_document("file.pdf", pdf(sheets, information))
    assert isinstance(found, Document), found
    return found


def shown(found):
    return [found.text[one.start : one.end] for one in found.paragraphs if not one.debris]


def kinds(found):
    return [one.kind for one in found.paragraphs if not one.debris]


def debris(found):
    return [(found.text[one.start : one.end], one.debris) for one in found.paragraphs if one.debris]


def test_paragraphs_of_one_column_have_their_page():
    texts = [prose(n) for n in range(6)]
    sheets = [Sheet(), Sheet()]
    for at, text in enumerate(texts):
        sheets[at // 3].flow(72, 100 + 90 * (at % 3), text, 440)
    found = document(*sheets)
    assert shown(found) == texts
    assert [one.place for one in found.paragraphs] == ["p. 1"] * 3 + ["p. 2"] * 3


@pytest.mark.parametrize("columns", [2, 3])
def test_columns_are_read_one_after_the_other(columns):
    sheet = Sheet()
    width = (475 - 20 * (columns - 1)) / columns
    texts = [[prose(10 * column + at, 32) for at in range(3)] for column in range(columns)]
    sheet.put(60, 80, "A title over all of the columns of this page", size=18, font="bold")
    for column, below in enumerate(texts):
        y = 120.0
        for text in below:
            y = sheet.flow(60 + column * (width + 20), y, text, width) + 8
    assert shown(document(sheet))[1:] == [text for below in texts for text in below]


def test_rows_of_columns_are_told_apart_from_columns_when_the_file_draws_them_line_by_line():
    left, right = prose(1, 60), prose(2, 60)
    sheet = Sheet()
    for at, (one, two) in enumerate(zip(wrapped(left, 220), wrapped(right, 220), strict=False)):
        sheet.put(60, 100 + 12 * at, one)
        sheet.put(310, 100 + 12 * at, two)
    extra = wrapped(left, 220)[len(wrapped(right, 220)) :], wrapped(right, 220)[len(wrapped(left, 220)) :]
    for x, lines in zip((60, 310), extra, strict=True):
        for at, line in enumerate(lines):
            sheet.put(x, 100 + 12 * (min(len(wrapped(left, 220)), len(wrapped(right, 220))) + at), line)
    assert shown(document(sheet)) == [left, right]


def test_a_heading_across_both_columns_parts_what_is_above_it_from_what_is_below():
    sheet = Sheet()
    above = [prose(1, 50), prose(2, 50)]
    below = [prose(3, 50), prose(4, 50)]
    for at in range(2):
        sheet.flow(60 + 250 * at, 100, above[at], 225)
        sheet.flow(60 + 250 * at, 300, below[at], 225)
    sheet.put(60, 270, "A heading that runs across both of the columns", size=16, font="bold")
    found = document(sheet)
    assert shown(found) == [*above, "A heading that runs across both of the columns", *below]
    assert kinds(found) == ["text", "text", "heading", "text", "text"]


def test_a_sidebar_is_read_as_a_whole():
    sheet = Sheet()
    main = [prose(1, 70), prose(2, 70)]
    side = prose(3, 40)
    y = sheet.flow(60, 100, main[0], 320)
    sheet.flow(60, y + 8, main[1], 320)
    sheet.flow(410, 106, side, 130, size=9, leading=11)
    assert shown(document(sheet)) == [*main, side]


def test_a_word_broken_at_the_end_of_a_line_is_whole_again():
    sheet = Sheet()
    sheet.put(72, 100, "The delegates of the council spoke about inter-")
    sheet.put(72, 112, "national treaties, the well-known treaty of the year and a mar-")
    sheet.put(72, 124, "ket that grew, in the opinion of the ministers of the well-")
    sheet.put(72, 136, "known and self-")
    assert shown(document(sheet)) == [
        "The delegates of the council spoke about international treaties, the well-known treaty of the year and a "
        "market that grew, in the opinion of the ministers of the well-known and self-"
    ]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("an agreement of the Anglo-", "American council", "Anglo-American"),
        ("a plan for the years 2020-", "2030 and later", "2020-2030"),
        ("it was a state-of-the-", "art harbour", "state-of-the-art"),
        ("this is a science-", "based opinion", "science-based"),
        ("the self-", "reliant island", "self-reliant"),
        ("die Einfuhr- und Aus-", "fuhr der Insel", "Ausfuhr"),
        ("die Hafen-", "und Schiffsgesellschaft", "Hafen- und Schiffsgesellschaft"),
        ("a soft hyphen in gov\u00ad", "ernment", "government"),
    ],
)
def test_hyphens_that_belong_to_a_word_stay(first, second, expected):
    sheet = Sheet()
    sheet.put(72, 100, f"The text begins with a longer line that fills the width of it, {first}")
    sheet.put(72, 112, f"{second} and then goes on for a while, as texts do, until it ends in a stop.")
    (text,) = shown(document(sheet))
    assert expected in text


def test_the_document_itself_says_whether_a_hyphen_belongs_to_the_word():
    sheet = Sheet()
    sheet.put(72, 100, "Here the writer spells it pre-war and never in another way in the whole of the text, pre-")
    sheet.put(72, 112, "war being the word for it.")
    assert "pre-war being" in shown(document(sheet))[0]


def numbered(count, header="Yearbook of the northern council", footer="Page {}"):
    sheets = []
    for number in range(1, count + 1):
        sheet = Sheet()
        sheet.put(72, 40, header.format(number), size=9)
        y = 90.0
        for part in range(4):
            y = sheet.flow(72, y, prose(100 * number + part), 440) + 10
        sheet.put(280, 800, footer.format(number), size=9)
        sheets.append(sheet)
    return sheets


@pytest.mark.parametrize(
    ("header", "footer", "rule"),
    [
        ("Yearbook of the northern council", "Page {}", "pdf:page number"),
        ("Yearbook of the northern council", "- {} -", "pdf:page number"),
        ("Chapter 3   The northern council   {}", "Draft of the ministry, not for publication", "pdf:footer"),
    ],
)
def test_headers_and_footers_are_debris_and_keep_their_numbers(header, footer, rule):
    found = document(*numbered(5, header, footer))
    assert [name for _, name in debris(found)] == ["pdf:header", rule] * 5
    assert len(shown(found)) == 20
    assert [one.number for one in found.paragraphs] == list(range(1, 31))
    assert [one.number for one in found.paragraphs if one.debris] == [1, 6, 7, 12, 13, 18, 19, 24, 25, 30]


def test_a_header_that_names_another_section_on_every_page_is_debris():
    sheets = numbered(6, "", "{}")
    for sheet, name in zip(sheets, ("Rivers", "Trade", "Harbours", "Mountains", "Treaties", "Islands"), strict=True):
        sheet.put(72, 42, f"{name}     {sheets.index(sheet) + 1}", size=9)
    assert [name for _, name in debris(document(*sheets))] == ["pdf:header", "pdf:page number"] * 6


def test_a_header_that_only_one_page_has_is_debris_where_others_have_theirs():
    sheets = numbered(8, "Rivers of the northern council", "{}")
    sheets[4] = numbered(5, "Harbours and how they grew", "{}")[4]
    assert ("Harbours and how they grew", "pdf:header") in debris(document(*sheets))


def test_one_page_alone_has_only_a_lone_number_as_debris():
    sheet = numbered(1, "Yearbook of the northern council", "17")[0]
    assert debris(document(sheet)) == [("17", "pdf:page number")]


def test_a_first_line_that_pages_share_by_chance_is_text():
    sheets = [Sheet(), Sheet(), Sheet()]
    for number, sheet in enumerate(sheets):
        sheet.flow(72, 72, f"{2019 + number} " + prose(number, 90), 440)
    assert not debris(document(*sheets))


def test_a_paragraph_that_runs_over_a_page_is_one_and_stands_where_it_begins():
    text = prose(7, 120)
    lines = wrapped(text, 440)
    sheets = [Sheet(), Sheet()]
    sheets[0].flow(72, 600, prose(8), 440)
    for at, line in enumerate(lines[:5]):
        sheets[0].put(72, 700 + 12 * at, line)
    for at, line in enumerate(lines[5:]):
        sheets[1].put(72, 72 + 12 * at, line)
    sheets[1].flow(72, 300, prose(9), 440)
    for number, sheet in enumerate(sheets, start=1):
        sheet.put(72, 40, "A running header of the file", size=9)
        sheet.put(280, 800, str(number), size=9)
    found = document(*sheets)
    assert shown(found) == [prose(8), text, prose(9)]
    assert [one.place for one in found.paragraphs if not one.debris] == ["p. 1", "p. 1", "p. 2"]


def test_a_paragraph_that_runs_over_a_column_and_a_footnote_is_one():
    text = prose(7, 90)
    lines = wrapped(text, 220)
    sheet = Sheet()
    for at, line in enumerate(lines[:6]):
        sheet.put(60, 640 + 12 * at, line)
    sheet.flow(60, 740, "1 A note at the foot of the column, in smaller letters than the text.", 220, size=7, leading=9)
    y = 100.0
    for at in range(5):
        y = sheet.flow(60, y, prose(20 + at, 40), 220) + 6
    y = 100.0
    for line in lines[6:]:
        sheet.put(310, y, line)
        y += 12
    y += 6
    for at in range(5):
        y = sheet.flow(310, y, prose(30 + at, 40), 220) + 6
    assert text in shown(document(sheet))


def test_paragraphs_that_only_an_indent_tells_apart():
    sheet = Sheet()
    texts = [prose(n, 45) for n in range(5)]
    y = 100.0
    for text in texts:
        y = sheet.flow(72, y, text, 440, indent=14)
    assert shown(document(sheet)) == texts


def test_headings_have_levels_by_their_size():
    sheet = Sheet()
    y = 80.0
    for text, size in (("The title of it all", 22), ("First part", 16), ("A section of it", 13)):
        sheet.put(72, y, text, size=size, font="bold")
        y = sheet.flow(72, y + 24, prose(size), 440) + 20
    sheet.put(72, y, "Only bold", font="bold")
    sheet.flow(72, y + 16, prose(1), 440)
    found = document(sheet)
    assert [one.heading for one in found.paragraphs if one.kind == "text"] == [
        "The title of it all",
        "The title of it all › First part",
        "The title of it all › First part › A section of it",
        "The title of it all › First part › A section of it › Only bold",
    ]
    assert found.title == "The title of it all"


@pytest.mark.parametrize("marks", [("•", "•", "•"), ("1.", "2.", "3."), ("a)", "b)", "c)"), ("–", "–", "–")])
def test_a_list_with_all_its_items_is_one_paragraph(marks):
    sheet = Sheet()
    items = [prose(n, 25) for n in range(3)]
    y = sheet.flow(72, 100, "These are the points of the treaty:", 440) + 4
    for mark, item in zip(marks, items, strict=True):
        sheet.put(80, y, mark)
        y = sheet.flow(98, y, item, 410)
    sheet.flow(72, y + 8, prose(5), 440)
    found = document(sheet)
    assert kinds(found) == ["text", "list", "text"]
    assert shown(found)[1] == "\n".join(f"{mark} {item}" for mark, item in zip(marks, items, strict=True))


def test_the_cells_of_a_table_are_not_mixed_up():
    rows = [
        ("Country", "Capital", "Millions"),
        ("Norway", "Oslo", "5.4"),
        ("Japan", "Tokyo", "125.7"),
        ("Chad", "", "17"),
    ]
    sheet = Sheet()
    y = sheet.flow(72, 100, prose(1), 440) + 12
    for row in rows:
        for x, cell in zip((72, 220, 370), row, strict=True):
            if cell:
                sheet.put(x, y, cell)
        y += 14
    sheet.flow(72, y + 14, prose(2), 440)
    found = document(sheet)
    assert kinds(found) == ["text", "table", "text"]
    assert shown(found)[1] == "\n".join(" | ".join(row) for row in rows)


def test_a_ruled_table_keeps_the_lines_of_a_cell_together():
    sheet = Sheet()
    first, second = prose(1, 16), prose(2, 16)
    for y in (100, 150, 200):
        sheet.line(72, y, 520, y)
    sheet.put(76, 114, "Energy of the north")
    sheet.flow(300, 114, first, 200)
    sheet.put(76, 164, "Trade of the south and of")
    sheet.put(76, 176, "the islands")
    sheet.flow(300, 164, second, 200)
    found = document(sheet)
    assert kinds(found) == ["table"]
    assert shown(found) == [f"Energy of the north | {first}\nTrade of the south and of the islands | {second}"]


def test_code_keeps_its_lines_and_indents():
    sheet = Sheet()
    y = sheet.flow(72, 100, prose(1), 440) + 10
    for at, (left, line) in enumerate(((72, "for one in found:"), (96, "keep(one)"), (72, "done()"))):
        sheet.put(left, y + 12 * at, line, font="mono")
    found = document(sheet)
    assert kinds(found) == ["text", "code"]
    assert shown(found)[1] == "for one in found:\n    keep(one)\ndone()"


def test_title_author_and_date_come_from_the_file():
    found = document(numbered(1)[0], Title="Trade", Author="Jane Doe", CreationDate="D:20210620101500+02'00'")
    assert (found.title, found.author, found.date) == ("Trade", "Jane Doe", "2021-06-20")


@pytest.mark.parametrize("title", ["Microsoft Word - x.doc", "untitled", "report_final.docx", "C:\\a\\b", ""])
def test_titles_that_say_nothing_are_not_taken(title):
    sheet = Sheet()
    sheet.put(72, 80, "The real title", size=20)
    sheet.flow(72, 120, prose(1), 440)
    assert document(sheet, Title=title).title == "The real title"


def test_letter_spacing_does_not_break_words():
    sheet = Sheet()
    sheet.put(72, 80, "NORTHERN TRADE", size=10, extra="4 Tc 12 Tw")
    sheet.flow(72, 120, prose(1), 440)
    assert shown(document(sheet))[0] == "NORTHERN TRADE"


def test_invisible_text_over_a_picture_is_read_and_text_off_the_page_or_white_on_white_is_not():
    sheet = Sheet()
    sheet.picture(60, 80, 500, 120)
    sheet.put(72, 100, "Recognised text of a scanned page", extra="3 Tr")
    sheet.put(72, 2000, "Far below the page")
    sheet.put(72, 200, "White on white", extra="1 1 1 rg")
    sheet.box(60, 280, 500, 320)
    sheet.put(72, 300, "White on a dark bar", extra="1 1 1 rg")
    found = document(sheet)
    assert shown(found) == ["Recognised text of a scanned page", "White on a dark bar"]
    assert dict(found.removed) == {"text outside the page": 1, "white text": 1}


def test_a_turned_page_is_read_as_it_is_seen():
    sheet = Sheet(rotate=90)
    lines = wrapped(prose(1, 60), 600)
    for at, line in enumerate(lines):
        sheet.put(0, 0, line, matrix=f"0 1 -1 0 {100 + 12 * at} 72")
    sheet.put(0, 0, "Copy", size=60, matrix="0.7 0.7 -0.7 0.7 200 300")
    assert shown(document(sheet)) == [prose(1, 60), "Copy"]


def test_text_from_right_to_left_is_read_from_the_right():
    """The letters a to z of this font are read as Hebrew, and drawn as they are seen: the last one on the left."""
    hebrew = {letter: chr(0x5D0 + at) for at, letter in enumerate("abcdefghijklmnopqrstuvwxyz")}
    sheet = Sheet()
    expected = []
    for column, right in enumerate((540, 280)):
        y = 100.0
        for part in range(2):
            text = prose(10 * column + part, 40).lower().replace(".", "")
            expected.append("".join(hebrew.get(letter, letter) for letter in text))
            for line in wrapped(text, 220):
                sheet.put(right - wide(line, 10), y, line[::-1], font="hebrew")
                y += 12
            y += 8
    assert shown(document(sheet)) == expected


def test_pages_without_text_are_named():
    found = document(numbered(1)[0], Sheet(), numbered(1)[0])
    assert found.textless == ("p. 2",)
    scanned = read_document("scan.pdf", pdf([Sheet(), Sheet()]))
    assert isinstance(scanned, Skipped)
    assert scanned.reason.startswith("scanned: 2 pages without text")
    assert 'pip install "rag-geo[ocr]"' in scanned.reason


def scanned_page():
    sheet = Sheet()
    sheet.box(100, 100, 300, 200)
    return sheet


@pytest.mark.skipif(can_recognise(), reason="the extra is installed")
def test_reading_pictures_names_the_extra_that_is_missing():
    skipped = read_document("scan.pdf", pdf([scanned_page()]), ReadingSettings(ocr=True))
    assert skipped == Skipped(
        "scan.pdf",
        'scanned: 1 page without text (p. 1 and on); pages without text are not read: pip install "rag-geo[ocr]"',
    )
    mixed = read_document("scan.pdf", pdf([*numbered(1), scanned_page()]), ReadingSettings(ocr=True))
    assert isinstance(mixed, Document)
    assert mixed.textless == ("p. 2",)
    assert mixed.warnings == ('pages without text are not read: pip install "rag-geo[ocr]"',)


def test_lines_that_are_recognised_in_a_picture_are_of_one_size():
    boxes = [
        ([(100, y), (900, y + 1), (900, y + high), (100, y + high)], "words")
        for y, high in ((10, 40), (60, 34), (110, 44))
    ]
    found = fragments_of([*boxes, ([(100, 300), (900, 300), (900, 390), (100, 390)], "Title")], 2.0)
    assert len({one.size for one in found[:3]}) == 1
    assert found[3].size > 2 * found[0].size
    assert [one.left for one in found] == [50] * 4
    assert found[0].top < 15 < found[0].bottom


@pytest.mark.skipif(not can_recognise(), reason="the extra is not installed")
def test_a_scanned_page_is_read_when_that_is_wanted():
    import pypdfium2

    source = pypdfium2.PdfDocument(pdf(numbered(1)))
    picture = source[0].render(scale=2).to_pil()
    source.close()
    stored = BytesIO()
    picture.save(stored, "PDF", resolution=144)
    found = read_document("scan.pdf", stored.getvalue(), ReadingSettings(ocr=True))
    assert isinstance(found, Document)
    wanted = {word for part in range(4) for word in prose(100 + part).split()}
    assert len(wanted & set(" ".join(shown(found)).split())) > 0.9 * len(wanted)
    assert found.textless == ()
    assert found.warnings == ("1 page was read from pictures: expect mistakes",)


def test_a_scanned_page_with_a_printed_header_is_a_page_without_text():
    sheets = numbered(4)
    for number in (5, 6):
        scanned = Sheet()
        scanned.picture(20, 60, 570, 780)
        scanned.put(72, 40, "Yearbook of the northern council", size=9)
        scanned.put(280, 800, f"Page {number}", size=9)
        sheets.append(scanned)
    assert document(*sheets).textless == ("p. 5", "p. 6")


def test_a_file_with_a_password_and_a_damaged_one_are_named_as_such():
    lock = b" /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >> /ID [<00> <00>]" % (
        b"41" * 32,
        b"42" * 32,
    )
    locked = read_document("a.pdf", pdf(numbered(1), trailer=lock))
    assert locked == Skipped("a.pdf", "needs a password")
    damaged = read_document("a.pdf", b"%PDF-1.4\nnothing else")
    assert isinstance(damaged, Skipped)
    assert damaged.reason.startswith("damaged: ")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_change_of_bytes_breaks_the_reader(data):
    bytes_ = bytearray(pdf(numbered(2), {"Title": "A title"}))
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(bytes_) - 1))
        part = data.draw(st.binary(max_size=6))
        bytes_[at : at + data.draw(st.integers(0, 6))] = part
    try:
        layout = read(bytes(bytes_), "a.pdf", ReadingSettings())
    except UnreadableError:
        return
    assert all(layout.text[one.start : one.end].strip() for one in layout.blocks)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.floats(-50, 650), st.floats(-50, 900), st.text("abc -.1•", min_size=1, max_size=30), st.floats(0.1, 80),
            st.integers(0, 359),
        ),
        max_size=40,
    )
)  # fmt: skip
def test_text_at_any_place_is_read_once(texts):
    from math import cos, radians, sin

    sheet = Sheet()
    for x, y, text, size, angle in texts:
        a, b = cos(radians(angle)), sin(radians(angle))
        sheet.put(0, 0, text, size=size, matrix=f"{a:.4f} {b:.4f} {-b:.4f} {a:.4f} {x:.2f} {HEIGHT - y:.2f}")
    layout = read(pdf([sheet]), "a.pdf", ReadingSettings())
    wanted = sum(text.count("a") for _, _, text, _, _ in texts)
    assert layout.text.count("a") <= wanted


def test_several_threads_may_read_at_once():
    data = pdf(numbered(3))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: read(data, "a.pdf", ReadingSettings()), range(8)))
    assert all(one == found[0] for one in found)


def test_many_pages_are_read():
    sheets = numbered(40)
    found = document(*(sheets[at % 40] for at in range(400)))
    assert found.paragraphs[-1].place == "p. 400"


def shown_and_removed(sheet):
    layout = read(pdf([sheet]), "a.pdf", ReadingSettings())
    return layout.text, dict(layout.removed)


def test_text_that_is_not_painted_is_left_out_unless_it_is_that_of_a_picture():
    sheet = Sheet()
    sheet.put(72, 100, "What is seen.")
    sheet.put(72, 300, "What is not.", extra="3 Tr")
    assert shown_and_removed(sheet) == ("What is seen.", {"invisible text": 1})
    sheet.picture(0, 0, 595, 842)
    text, removed = shown_and_removed(sheet)
    assert "What is not." in text
    assert removed == {}


def test_letters_smaller_than_two_points_are_left_out_and_small_print_stays():
    sheet = Sheet()
    sheet.put(72, 100, "What is seen.")
    sheet.put(72, 300, "Small print.", size=4)
    sheet.put(72, 400, "What is not.", size=1)
    sheet.put(72, 500, "Drawn large.", size=1, matrix="10 0 0 10 72 300")
    text, removed = shown_and_removed(sheet)
    assert text.split("\n\n") == ["What is seen.", "Small print.", "Drawn large."]
    assert removed == {"tiny text": 1}

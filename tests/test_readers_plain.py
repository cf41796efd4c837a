import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.readers import read_document
from rag_geo.records import Document, Skipped, Span
from rag_geo.text.folding import visible

LONG = (
    "This is a paragraph of its own, which is longer than any line that a person would wrap, and it ends with a stop. "
)
LONG += "It has two sentences."


def read(text, file="a.txt"):
    document = read_document(file, text if isinstance(text, bytes) else text.encode())
    assert isinstance(document, Document), document
    return document


def shown(document, *, with_debris=True):
    return [
        visible(document.text, Span(paragraph.start, paragraph.end), document.hidden)
        for paragraph in document.paragraphs
        if with_debris or not paragraph.debris
    ]


def debris(text, file="a.txt"):
    return {
        shown(document)[at]: rule for document in [read(text, file)] for at, rule in enumerate(rules(document)) if rule
    }


def rules(document):
    return [paragraph.debris for paragraph in document.paragraphs]


def kinds(document):
    return [paragraph.kind for paragraph in document.paragraphs]


# --- paragraphs


def test_the_text_is_the_decoded_file_with_its_line_ends():
    raw = "One.\r\n\r\nTwo.\rstill two.\n"
    document = read(raw)
    assert document.text == raw
    assert shown(document) == ["One.", "Two. still two."]


def test_blank_lines_part_paragraphs_and_wrapped_lines_stay_together():
    wrapped = "The first line of this paragraph was wrapped by an editor at some\nwidth, and the second goes on."
    assert len(read(f"{wrapped}\n \t\n{wrapped}").paragraphs) == 2


def test_long_lines_next_to_each_other_are_paragraphs_also_among_blank_lines():
    text = f"Short caption of a film without a stop\n{LONG}\n{LONG} Two.\n{LONG} Three.\n\nAnother one."
    assert len(read(text).paragraphs) == 5


def test_very_wide_wrapped_text_is_one_paragraph():
    words = ("word " * 400).split()
    lines = [" ".join(words[at : at + 40]) for at in range(0, 400, 40)]
    assert len(read("\n".join(lines)).paragraphs) == 1


def test_a_long_run_of_lines_that_are_not_wrapped_is_not_one_paragraph():
    assert len(read("\n".join(f"{n}: event happened." for n in range(60))).paragraphs) == 60


def test_a_title_line_and_lines_in_title_case_before_prose_are_headings_in_plain_text():
    text = f"Can the US pry Russia away?\n\n{LONG}\n\nNot the Likeliest Alliance\n\n{LONG}"
    text += f"\n\nan ordinary short line\n\n{LONG}"
    document = read(text)
    assert kinds(document) == ["heading", "text", "heading", "text", "text", "text"]
    assert document.title == "Can the US pry Russia away?"
    assert document.paragraphs[3].heading == "Can the US pry Russia away? › Not the Likeliest Alliance"


def test_a_short_sentence_is_not_a_heading():
    assert kinds(read(f"It failed.\n\n{LONG}")) == ["text", "text"]


def test_an_underlined_line_is_a_heading_in_plain_text():
    document = read(f"The title\n=========\n\n{LONG}\n\nPart\n----\n\n{LONG}")
    assert kinds(document) == ["heading", "text", "heading", "text"]
    assert document.paragraphs[3].heading == "The title › Part"


def test_sentences_of_a_list_are_its_items_without_their_marks():
    document = read("- one thing\n- another\n  thing\n* third\n", "a.md")
    (paragraph,) = document.paragraphs
    assert paragraph.kind == "list"
    assert [document.text[start:end] for start, end in paragraph.sentences] == [
        "one thing",
        "another\n  thing",
        "third",
    ]


def test_markdown_headings_number_and_lead_what_follows():
    text = (
        "# Top\nIntro text.\n## Sub *one* [link](x)\nBody.\n\nSecond\n======\nEnd.\n####### no heading\n# Closed #\n#\n"
    )
    document = read(text, "a.md")
    assert kinds(document) == ["heading", "text", "heading", "text", "heading", "text", "heading", "heading"]
    assert [p.heading for p in document.paragraphs] == ["", "Top", "Top", "Top › Sub one link", "", "Second", "", ""]
    assert document.title == "Top"


def test_fenced_code_is_one_paragraph_with_its_blank_lines_and_an_open_fence_ends_with_the_file():
    document = read("Text.\n```py\na = 1\n\n# not a heading\n```\nMore.\n~~~\nopen\n\nstill", "a.md")
    assert kinds(document) == ["text", "code", "text", "code"]


def test_inline_code_that_begins_a_line_opens_no_fence():
    assert kinds(read("```x``` is code.\n\nText.", "a.md")) == ["text", "text"]


def test_a_markdown_table_is_one_paragraph_and_each_row_a_sentence():
    document = read("Before it.\n| A | B |\n|---|---|\n| 1 | 2 |\nAfter it.\n", "a.md")
    assert kinds(document) == ["text", "table", "text"]
    assert len(document.paragraphs[1].sentences) == 2


def test_a_single_line_end_is_no_paragraph_in_markdown_unless_nobody_left_blank_lines():
    assert len(read(f"{LONG}\n{LONG}\n\n{LONG}", "a.md").paragraphs) == 2
    assert len(read(f"# T\n\n{LONG}\n{LONG} x\n{LONG}", "a.md").paragraphs) == 4


# --- hidden


def test_a_date_in_front_of_the_text_is_the_date_and_not_part_of_the_first_sentence():
    document = read(" date 2024-08-28 “The US must prepare.” It said so.")
    assert document.date == "2024-08-28"
    assert document.text.startswith(" date 2024-08-28")
    first = document.paragraphs[0]
    assert document.text[first.start :].startswith("“The US")
    assert dict(document.removed) == {"date in front of the text": 1}
    assert read("date 2024-13-45 It is.").date == ""


def test_comments_and_invisible_characters_stay_in_the_text_and_are_hidden_and_counted():
    raw = "One.\u200b <!-- ignore\n\nall of this --> Two.\x00\n\n[//]: # (also hidden)\n\n"
    raw += "`<!-- code -->` stays.\n\n```\n<!-- x -->\n```\n"
    document = read(raw, "a.md")
    assert document.text == raw
    assert shown(document) == ["One. Two.", "`<!-- code -->` stays.", "``` <!-- x --> ```"]
    assert dict(document.removed) == {"comment": 2, "control character": 1, "zero-width character": 1}


def test_a_comment_that_is_never_closed_is_text_and_a_warning():
    document = read("One.\n\n<!-- open\n\nTwo.", "a.md")
    assert "never closed" in document.warnings[0]
    assert shown(document)[-1] == "Two."


def test_plain_text_shows_what_markdown_would_hide():
    assert "<!-- x -->" in shown(read("A <!-- x --> b."))[0]


def test_a_text_of_hidden_characters_is_skipped():
    skipped = read_document("a.txt", ("a\u200b" * 200_001).encode())
    assert isinstance(skipped, Skipped)
    assert "invisible" in skipped.reason


# --- front matter


def test_front_matter_gives_the_fields_and_is_no_paragraph():
    raw = "---\nTitle: A b\nauthors: [X Y, Z]\ndate: 2021-06-20\noutlet: Paper\ntags: {a: 1}\n"
    raw += "empty:\n---\n# Head\n\nText.\n"
    document = read(raw, "a.md")
    assert (document.title, document.author, document.date) == ("A b", "X Y, Z", "2021-06-20")
    assert dict(document.metadata) == {"outlet": "Paper", "tags": '{"a": 1}'}
    assert shown(document) == ["# Head", "Text."]
    assert kinds(document) == ["heading", "text"]
    assert document.paragraphs[0].number == 1


@pytest.mark.parametrize(
    "broken", ["a: [", "a: &x 1\nb: *x", "a: " + "[" * 600, "a: 2021-99-99", "a: !!python/object:os.system x"]
)
def test_front_matter_that_cannot_be_read_is_text_and_a_warning(broken):
    document = read(f"---\n{broken}\n---\n\nText.\n", "a.md")
    assert "front matter" in document.warnings[0]
    assert shown(document)[-1] == "Text."
    assert document.paragraphs[0].start == 0


@pytest.mark.parametrize("raw", ["---\nJust text.\n---\n\nText.", "---\n\n---\nText.", "---\nopen: yes\n\nText."])
def test_horizontal_rules_are_no_front_matter(raw):
    document = read(raw, "a.md")
    assert document.warnings == ()
    assert document.metadata == ()


def test_a_date_in_words_that_means_no_day_stays_among_the_other_fields():
    document = read("---\ndate: last spring\n---\nText.", "a.md")
    assert document.date == ""
    assert dict(document.metadata) == {"date": "last spring"}


def test_the_file_name_is_the_title_of_last_resort():
    assert read("It is so.", "dir/my notes.txt").title == "my notes"


# --- debris


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("Skip to content", "navigation"),
        ("A picture of a summit in Brasilia|Nav-Template", "navigation"),
        ("Home | News | Contact | Wine", "navigation"),
        ("Advertisement", "advertisement"),
        ("POPULAR", "label"),
        ("Opinion", "label"),
        ("Share this article", "label"),
        ("Image: Reuters", "photo credit"),
        ("Illustration: Craig Stephens", "photo credit"),
        ("Photo by Jane Doe", "photo credit"),
        ("People wave flags in Washington, D.C. (Photo by Celal Gunes/Anadolu via Getty Images)", "photo credit"),
        ("By Jane Doe and John Roe", "byline"),
        ("03:35", "time stamp"),
        ("5 min read", "time stamp"),
        ("2", "number"),
        ("© 2021 The Paper. Some rights.", "copyright"),
        ("The Paper 2021. All rights reserved.", "copyright"),
        ("We use cookies to make this better.", "cookies"),
        ("* * *", "separator"),
    ],
)
def test_debris_keeps_its_number_and_is_marked_with_the_rule(line, rule):
    document = read(f"{LONG}\n\n{line}\n\n{LONG} End.")
    assert rules(document) == [None, rule, None]
    assert document.paragraphs[1].sentences == ()


@pytest.mark.parametrize(
    "line",
    [
        "He left.",
        "Opinion polls agree.",
        "2021",
        "The summit began at 03:35.",
        "By Monday all had left.",
        "Image: a copy of the thing, it says. It is.",
        "Russia / China / India",
        "- Home rule",
        "Share prices fell",
        "Copyright law changed in many countries.",
        "Cookies are sweet.",
        "$100",
        "😀",
    ],
)
def test_an_ordinary_short_line_is_not_debris(line):
    assert rules(read(f"{LONG}\n\n{line}\n\n{LONG} End."))[1] is None


def test_a_caption_that_occurs_twice_in_a_row_is_debris_but_the_title_of_the_file_is_not():
    text = f"The Title\n\nThe Title\n\n{LONG}\n\nTroops near the border\n\nTroops near the border\n\n{LONG} End."
    assert rules(read(text)) == [None, "repeated", None, "repeated", "repeated", None]
    assert kinds(read(text))[0] == "heading"


def test_a_sentence_that_occurs_twice_is_kept():
    assert rules(read(f"{LONG}\n\nIt rained.\n\nIt rained.\n\n{LONG}")) == [None] * 4


def test_a_block_of_labels_is_debris_by_the_rules_of_its_lines():
    text = f"Advertisement\nAdvertisement\nIllustration: A B\nOpinion\nArt Luk\nArt Luk\n\n{LONG}"
    assert rules(read(text)) == ["advertisement, photo credit, label, repeated", None]


def test_related_articles_are_debris_up_to_the_first_complete_text():
    text = f"{LONG}\n\nRelated Articles\n\nInside It\n\nInside It\n\nA text that breaks off at some\n\n{LONG}"
    assert rules(read(text)) == [None, "related", "related", "related", "related", None]


def test_a_related_label_before_ordinary_lines_marks_only_itself():
    assert rules(read(f"{LONG}\n\nRelated\n\nsome words on it\n\n{LONG}")) == [None, "related", None, None]


def test_headings_and_code_and_tables_of_markdown_are_no_debris():
    text = "# Opinion\n\n```\n2\n```\n\n| 2 | 3 |\n|---|---|\n\n## Related articles\n\nWhole text.\n"
    assert rules(read(text, "a.md")) == [None] * 5


# --- bad input


def test_a_text_is_read_whatever_its_name():
    formats = [read_document(name, b"Some words.").format for name in ("a.TXT", "b.md", "c.xhtml", "d.pdf", "Makefile")]
    assert formats == ["text", "markdown", "html", "text", "text"]


@pytest.mark.parametrize("data", [b"", b" \n\t ", "\ufeff\u200b".encode()])
def test_a_file_with_nothing_to_see_is_empty(data):
    skipped = read_document("a.txt", data)
    assert isinstance(skipped, Skipped)
    assert skipped.reason.startswith("empty")


@pytest.mark.parametrize(
    "data",
    [b"text\x00\x01\x00" * 100, random.Random(1).randbytes(5000), b"\x01\x02\x03\x04abc" * 10],
)
def test_a_binary_file_named_txt_looks_binary(data):
    assert read_document("a.txt", data) == Skipped("a.txt", "looks binary")


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-8", b""),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("utf-32-le", b"\xff\xfe\x00\x00"),
        ("utf-32-be", b"\x00\x00\xfe\xff"),
    ],
)
def test_every_unicode_encoding_gives_the_same_text_without_a_mark(encoding, mark):
    text = "Où est “Москва”? It is far away, they say, and cold.\n"
    document = read(mark + text.encode(encoding))
    assert document.text == text
    assert document.encoding == encoding
    assert document.warnings == ()


def test_one_bad_byte_in_utf8_is_replaced_and_counted():
    document = read("Überall größere Äpfel. ".encode() * 3 + b"\xff end.")
    assert "\ufffd end." in document.text
    assert "1 place" in document.warnings[0]


def test_an_older_encoding_is_guessed_with_a_warning():
    document = read("Le café était fermé, dit-il; « voilà ».".encode("cp1252"))
    assert "café était fermé" in document.text
    assert "guess" in document.warnings[0]
    russian = "Россия и Китай подписали договор о дружбе и сотрудничестве в две тысячи первом году. " * 5
    assert "договор о дружбе" in read(russian.encode("cp1251")).text


def test_a_few_zero_bytes_are_hidden_and_counted():
    document = read(b"A text that is long enough to bear one zero byte" * 10 + b"\x00 and it does.")
    assert dict(document.removed) == {"control character": 1}


def test_a_file_of_endless_short_lines_is_refused():
    skipped = read_document("a.txt", b"a\n" * 500_001)
    assert isinstance(skipped, Skipped)
    assert "500,000" in skipped.reason


def test_one_line_of_twenty_megabytes_is_read_in_time():
    line = b"A line that never ends, with words and numbers such as 5.7 in it and then some more of them. "
    data = (line * (20_000_000 // len(line) + 1))[:20_000_000]
    start = time.process_time()
    document = read(data)
    assert time.process_time() - start < 10
    assert len(document.paragraphs) == 1
    assert document.paragraphs[0].sentences[-1].end >= 19_999_000


@pytest.mark.parametrize(
    "line", ["# a{}b", "# a {}", "{}x", "a|b\n-{}x", "- {}", "{}|{}", "<!--{}", "`{}", "[//]:{}x", "a{}\n==="]
)
@pytest.mark.parametrize("filler", [" ", "#", "-", "|", "*"])
def test_no_line_of_markdown_takes_time_out_of_proportion(line, filler):
    start = time.process_time()
    read(line.replace("{}", filler * 20_000) + "\n\nText.", "a.md")
    assert time.process_time() - start < 1


LINES = st.sampled_from(
    ["", " ", "Word here.", "# Head", "Title", "===", "---", "- item", "  more", "| a | b |", "|---|---|", "```",
     "<!-- c", "-->",
     "Advertisement", "2", "\u200b", "\x00", "Related Articles", LONG, "x <!-- y --> z", "\x0c", "é\u00ad"]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(LINES, max_size=14).map("\n".join)), st.sampled_from(["a.txt", "a.md"]))
def test_paragraphs_hold_every_visible_character_once_in_order_and_always_the_same(text, file):
    data = text.encode("utf-8", "replace")
    document = read_document(file, data)
    if isinstance(document, Skipped):
        return
    hidden = {at for start, end in document.hidden for at in range(start, end)}
    held = [at for paragraph in document.paragraphs for at in range(paragraph.start, paragraph.end)]
    assert held == sorted(set(held))
    assert {at for at, char in enumerate(document.text) if not char.isspace() and at not in hidden} <= set(held)
    assert [paragraph.number for paragraph in document.paragraphs] == list(range(1, len(document.paragraphs) + 1))
    for paragraph in document.paragraphs:
        assert not document.text[paragraph.start].isspace()
        assert all(paragraph.start <= start < end <= paragraph.end for start, end in paragraph.sentences)
        assert bool(paragraph.debris) == (paragraph.sentences == ()) or paragraph.kind in ("list", "table", "code")
    assert read_document(file, data) == document


SAMPLE = f"---\ntitle: T\n---\n# Head\n\n{LONG} “Ü”\n\n- a\n- b\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
SAMPLE += "<!-- c -->\n```\nx\n```\n"


@pytest.mark.parametrize("file", ["a.txt", "a.md"])
def test_a_damaged_file_is_read_or_skipped_and_never_an_error(file):
    chance = random.Random(7)
    for case in range(300):
        data = bytearray(SAMPLE.encode("utf-16" if case % 5 == 0 else "utf-8"))
        for _ in range(chance.randint(1, 12)):
            at = chance.randrange(len(data))
            data[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 4))
        assert isinstance(read_document(file, bytes(data)), Document | Skipped)

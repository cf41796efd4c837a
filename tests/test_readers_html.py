import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.readers import read_document
from rag_geo.readers.html import MAX_DEPTH, flatten
from rag_geo.readers.metadata import iso_date
from rag_geo.records import Document, Skipped


def read(html):
    document = read_document("a.html", html if isinstance(html, bytes) else html.encode())
    assert isinstance(document, Document), document
    return document


def shown(html):
    document = read(html)
    return [document.text[paragraph.start : paragraph.end] for paragraph in document.paragraphs]


def marked(html):
    document = read(html)
    return [(document.text[paragraph.start : paragraph.end], paragraph.debris) for paragraph in document.paragraphs]


def test_blocks_are_paragraphs_joined_by_a_blank_line_with_entities_decoded():
    document = read("<p>One &amp; <b>t</b>wo&nbsp;x.</p>loose\n text<div>In <i>div</i><p>Inner.</div>after")
    assert document.text == "One & two x.\n\nloose text\n\nIn div\n\nInner.\n\nafter"
    assert [paragraph.number for paragraph in document.paragraphs] == [1, 2, 3, 4, 5]


def test_one_break_is_a_line_and_two_are_a_paragraph():
    assert shown("<p>One<br>two<br><br>three</p>") == ["One\ntwo", "three"]


def test_headings_number_and_lead():
    document = read("<h1>Top <em>x</em></h1><p>A.</p><h2>Sub</h2><p>B.</p><h1>Next</h1><p>C.</p>")
    assert [p.kind for p in document.paragraphs] == ["heading", "text"] * 3
    assert [p.heading for p in document.paragraphs] == ["", "Top x", "Top x", "Top x › Sub", "", "Next"]
    assert document.title == "Top x"


def test_lists_and_tables_stay_readable_and_are_one_paragraph_each():
    html = "<ul><li>One<ul><li>in</li></ul></li><li><p>Two</p> x</li></ul><dl><dt>T</dt><dd>D</dd></dl>"
    html += "<table><caption>C</caption><tr><th>A<th>B</tr><tr><td>1<td><p>2</p></table>"
    document = read(html)
    assert shown(html) == ["- One\n  - in\n- Two x", "- T\nD", "C\nA | B\n1 | 2"]
    assert [p.kind for p in document.paragraphs] == ["list", "list", "table"]


def test_tables_and_lists_that_only_lay_out_the_page_give_their_paragraphs():
    html = "<table><tr><td><h2>H</h2><p>A.</p></td><td>side</td></tr></table><ul><li><h3>Card</h3><p>B.</p></li></ul>"
    assert shown(html) == ["H", "A.", "side", "Card", "B."]
    assert shown("<table><tr><td><p>1.</p><p>2.</p><p>3.</p></td></tr></table>") == ["1.", "2.", "3."]
    assert shown("<table><tr><td><table><tr><td>a<td>b</table></td></tr></table>") == ["a | b"]


def test_preformatted_text_keeps_its_lines():
    document = read("<pre>\na  b\n\n   c\n</pre><p>x")
    assert document.text == "a  b\n\n   c\n\nx"
    assert document.paragraphs[0].kind == "code"


def test_what_no_reader_sees_is_left_out_and_counted():
    document = read(
        "<!-- c --><head><script>s</script><style>s</style></head><body>"
        "<p>Seen&#8203;.<!-- c --></p><noscript>n</noscript>"
        "<template><p>t</p></template><p hidden>h</p><p style='color:red; Display : none'>h</p>"
        "<p style='visibility:hidden'>h<script>x</script></p><span aria-hidden=TRUE>i</span><svg><text>v</text></svg>"
        "<iframe>f</iframe><textarea>t</textarea><input value=x>"
    )
    assert document.text == "Seen."
    assert dict(document.removed) == {
        "comment": 2, "hidden element": 4, "iframe": 1, "noscript": 1, "script": 1, "style": 1, "svg": 1, "template": 1,
        "textarea": 1, "zero-width character": 1,
    }  # fmt: skip


def test_navigation_and_the_like_keep_their_numbers_and_are_marked():
    html = "<nav><a>Home</a></nav><header><h1>Title</h1><p>tag</p></header>"
    html += "<main><p>Text.</p><header><p>sub.</p></header></main>"
    html += "<aside><h2>More</h2>x</aside><form><p>q</p></form>"
    html += "<div role=search>s</div><p>In <button>go</button>line.</p><footer>f</footer>"
    assert marked(html) == [
        ("Home", "html:nav"),
        ("Title", None),
        ("tag", "html:header"),
        ("Text.", None),
        ("sub.", None),
        ("More", "html:aside"),
        ("x", "html:aside"),
        ("q", "html:form"),
        ("s", "html:form"),
        ("In", None),
        ("go", "html:button"),
        ("line.", None),
        ("f", "html:footer"),
    ]


def test_a_form_around_the_whole_page_is_not_debris():
    assert marked("<form><h1>T</h1><p>Text.</p></form>") == [("T", None), ("Text.", None)]


def test_the_rules_for_text_hold_on_pages_too():
    assert marked("<p>Advertisement</p><p>Whole text.</p>") == [
        ("Advertisement", "advertisement"),
        ("Whole text.", None),
    ]


def test_the_head_gives_title_author_date_and_outlet():
    document = read(
        "<title>T | Site</title><meta property='og:title' content='T &amp; U'><meta name=Author content='Jane Doe'>"
        "<meta property='article:published_time' content='2021-06-20T10:00:00Z'>"
        "<meta property='og:site_name' content=Paper>"
        "<meta name=description content=d><p>x"
    )
    assert (document.title, document.author, document.date) == ("T & U", "Jane Doe", "2021-06-20")
    assert dict(document.metadata) == {"outlet": "Paper", "description": "d"}


def test_linked_data_fills_what_the_head_leaves_open():
    document = read(
        "<script type='application/ld+json'>{broken</script><script type='application/ld+json'>"
        '{"@graph":[{"headline":"H","author":[{"name":"A"},"B",{"x":1}],'
        '"datePublished":"20 June 2021","publisher":{"name":"P"}}]}'
        "</script><script type='application/ld+json'>[1]</script><meta name=author content='https://x.y'><title>T</title><p>x"
    )
    assert (document.title, document.author, document.date) == ("H", "A, B", "2021-06-20")
    assert dict(document.metadata) == {"outlet": "P"}


def test_title_and_time_are_the_last_resort():
    document = read(
        "<title> T </title><svg><title>icon</title></svg>"
        "<time datetime=soon>x</time><time datetime='2020-02-03'>y</time>"
    )
    assert (document.title, document.date) == ("T", "2020-02-03")
    assert read("<p>x").title == "a"


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2021", "2021"),
        ("2021-06", "2021-06"),
        ("2021-6-2", "2021-06-02"),
        ("2021/06/20", "2021-06-20"),
        ("20210620", "2021-06-20"),
        ("2021-06-20T10:00:00+02:00", "2021-06-20"),
        ("2021-06-20 10:00", "2021-06-20"),
        ("20 June 2021", "2021-06-20"),
        ("20th of June, 2021", "2021-06-20"),
        ("Sunday, June 20, 2021", "2021-06-20"),
        ("Jun. 20th 2021 at 5 pm", "2021-06-20"),
        ("sept 2021", "2021-09"),
        ("June 31, 2021", ""),
        ("2021-13-01", ""),
        ("0021", ""),
        ("06/07/2021", ""),
        ("yesterday", ""),
        ("", ""),
    ],
)
def test_dates_become_iso_dates_as_far_as_they_are_known(text, date):
    assert iso_date(text) == date


def test_the_encoding_a_page_declares_is_used_and_dangerous_ones_are_not():
    page = "<meta charset=windows-1251><p>Договор о дружбе"
    assert read(page.encode("cp1251")).text == "Договор о дружбе"
    assert (
        read('<meta http-equiv=x content="text/html; charset=iso-8859-1"><p>“é”'.encode("cp1252")).encoding == "cp1252"
    )
    assert read("<meta charset=unicode_escape><p>é\\x41".encode("cp1252")).text == "é\\x41"


def test_a_hundred_thousand_levels_lose_no_text_and_take_little_time():
    start = time.process_time()
    document = read("<div>" * 100_000 + "deep" + "</div>" * 100_000 + "<p>after</p>")
    assert document.text == "deep\n\nafter"
    assert read("<p>x y." * 10_000).paragraphs[-1].number == 10_000
    assert read("<b>" * 100_000 + "x").text == "x"
    assert time.process_time() - start < 5


def test_a_heading_of_the_length_of_a_book_is_not_said_again_with_each_paragraph_below_it():
    document = read(f"<h1>{'mill ' * 50_000}</h1><p>It ground barley." + "<p>And rye." * 100)
    assert len(document.paragraphs[0].heading) == 0
    assert {len(paragraph.heading) for paragraph in document.paragraphs[1:]} == {300}


def test_only_tags_below_the_deepest_level_are_dropped():
    shallow = "<div>" * 10 + "x" + "</div>" * 10
    assert flatten(shallow) is shallow
    deep = "<i>" * (MAX_DEPTH + 2) + "x" + "</i>" * (MAX_DEPTH + 2) + "<i>y</i>"
    assert flatten(deep) == "<i>" * MAX_DEPTH + "x" + "</i>" * MAX_DEPTH + "<i>y</i>"


def test_a_page_without_text_is_empty():
    assert read_document("a.html", b"<html><script>x</script>") == Skipped("a.html", "empty: nothing in it can be seen")


PIECES = st.sampled_from(
    ["<p>", "</p>", "<div>", "</div>", "<ul>", "<li>", "</ul>", "<table>", "<tr>", "<td>", "</table>", "<br>",
     "<h2>", "</h2>",
     "<nav>", "</nav>", "<form>", "</form>", "<pre>", "</pre>", "<!--", "-->", "word ", "Two. ", "\n\n",
     "<button>", "\u200b",
     "<header>", "<article>", "<select><option>", "<p hidden>", "&lt;", "<dt>", "<dd>", "</header>"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join))
def test_paragraphs_hold_every_character_once_in_order_and_always_the_same(html):
    document = read_document("a.html", html.encode())
    if isinstance(document, Skipped):
        return
    held = [at for paragraph in document.paragraphs for at in range(paragraph.start, paragraph.end)]
    assert held == sorted(set(held))
    assert {at for at, char in enumerate(document.text) if not char.isspace()} <= set(held)
    assert document.hidden == ()
    assert "\u200b" not in document.text
    assert read_document("a.html", html.encode()) == document


def test_a_damaged_page_is_read_or_skipped_and_never_an_error():
    page = (
        "<!DOCTYPE html><title>T</title><meta name=date content='1 May 2020'>"
        "<script type='application/ld+json'>{\"a\":[1]}</script>"
        "<nav>N</nav><h1>H</h1><p style='x'>Text — “q”</p><table><tr><td>1</table><ul><li>a</ul><pre>c</pre><!-- x -->"
    )
    chance = random.Random(3)
    for case in range(300):
        data = bytearray(page.encode("utf-16" if case % 5 == 0 else "utf-8"))
        for _ in range(chance.randint(1, 12)):
            at = chance.randrange(len(data))
            data[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 4))
        assert isinstance(read_document("a.html", bytes(data)), Document | Skipped)


DOCTYPE = "<!doctype html>"


@pytest.mark.parametrize(
    ("page", "word"),
    [
        ('<p style="color:#fff">H', "text in the colour of its background"),
        ('<p style="color:rgb(255, 255, 254)">H', "text in the colour of its background"),
        ('<p style="color:hsl(0, 0%, 100%)">H', "text in the colour of its background"),
        ("<font color=white>H</font>", "text in the colour of its background"),
        ("<div style='background:black'><p>H", "text in the colour of its background"),
        ('<div style="background:#222"><p style="color:#222222">H', "text in the colour of its background"),
        ("<style>.x{color:white}</style><p class=x>H", "text in the colour of its background"),
        ("<style>body{background:#000;color:#fff} .x{color:#000}</style><p class=x>H", None),
        ('<p style="color:transparent">H', "hidden element"),
        ('<span style="font-size:0">H', "tiny text"),
        ('<span style="font-size:1px">H', "tiny text"),
        ('<span style="font-size:.05em">H', "tiny text"),
        ("<style>p.x, b{font-size:0}</style><p class=x>H <b>H", "tiny text"),
        ('<link rel=stylesheet href=x><div style="font-size:0">H<p>H', "tiny text"),
        ('<div style="opacity:0">H', "hidden element"),
        ('<div style="height:0;overflow:hidden">H', "hidden element"),
        ('<div style="position:absolute;clip:rect(0,0,0,0)">H', "hidden element"),
        ('<div style="position:absolute;left:-9999px">H', "text outside the page"),
        ('<p style="text-indent:-9999px">H', "text outside the page"),
        ('<style>.x{display:none}</style><p class="a x">H', "hidden element"),
        ("<style>@media screen {.x{display:none}}</style><p class=x>H", "hidden element"),
        ("<style>#x{visibility:hidden}</style><p id=x>H", "hidden element"),
        ("<style>.x{opacity:0}</style><p class=x>H", "hidden element"),
    ],
)
def test_text_that_nobody_sees_is_left_out_and_counted(page, word):
    document = read(f"{DOCTYPE}<p>S</p>{page}")
    assert document.text == "S"
    assert word is None or word in dict(document.removed)


@pytest.mark.parametrize(
    "page",
    [
        '<div style="background:#000"><p style="color:#fff">S',
        "<style>.d{background:#003}</style><div class=d><p style='color:#fff'>S",
        "<style>.d .e{background:#003}</style><div class=d><p class=e style='color:#fff'>S",
        "<style>body{background:black;color:white}</style><p>S",
        "<style>@media (prefers-color-scheme:dark){body{background:#000}}</style><p style='color:#fff'>S",
        "<link rel=stylesheet href=x.css><p style='color:#fff'>S",
        '<table><tr><td bgcolor="#000"><font color="#ffffff">S',
        '<div style="background:url(a.jpg)"><p style="color:#fff">S',
        '<p style="color:#fff;background:linear-gradient(red,blue)">S',
        '<img src=a><p style="color:#fff;position:relative">S',
        '<p style="color:#fff;text-shadow:0 0 2px #000">S',
        '<p style="color:white"><mark>S',
        '<p style="color:#aaa">S',
        '<div style="opacity:.5">S',
        '<div style="font-size:0"><p style="font-size:12px">S',
        '<link rel=stylesheet href=x><div style="font-size:0"><p class=k>S',
        '<p style="text-indent:-2em">S',
        '<div style="height:0;overflow:hidden;padding-bottom:56%">S',
        "<style>.x{display:none}.open .x{display:block}</style><p class=x>S",
        '<style>.x{display:none} .x.on{display:block}</style><p class="x on">S',
        "<style>@media print{.x{display:none}}</style><p class=x>S",
        "<style media=print>p{display:none}</style><p>S",
        "<style>.x{opacity:0;transition:opacity 1s}</style><p class=x>S",
        "<style>body{opacity:0}</style><p>S",
        "<noscript><style>p{display:none}</style></noscript><p>S",
        "<style>/* .x{ */ p{color:'}'}</style><p>S",
    ],
)
def test_text_that_somebody_may_see_stays(page):
    assert read(DOCTYPE + page).text == "S"


def test_a_page_of_many_rules_and_elements_takes_no_time_for_each_pair():
    rules = "".join(f".a.b{number}{{opacity:0}} .c .a{{color:#fff}}" for number in range(3_000))
    page = f"<style>{rules}/*</style>" + "<p class=a style='color:#fff'>" * 3_000 + "</p>S"
    started = time.process_time()
    assert read(DOCTYPE + page).text == "S"
    assert time.process_time() - started < 20

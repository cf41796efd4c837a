"""E-books: the chapters in reading order with their names; what is no chapter is debris, what is locked is refused."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.readers import read_document, read_file
from rag_geo.records import Document, Skipped

CONTAINER = '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
HEAD = '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:opf="o">'
XHTML = "application/xhtml+xml"
SAYS = """<metadata><dc:title>The Book</dc:title><dc:creator id="a">Ann Ames</dc:creator><dc:language>en</dc:language>
<dc:date>2015-03-01T00:00:00Z</dc:date></metadata>"""


def page(body, head="<title>x</title>"):
    html = f'<html xmlns="http://www.w3.org/1999/xhtml"><head>{head}</head><body>{body}</body></html>'
    return f'<?xml version="1.0" encoding="utf-8"?>\n{html}'


def book(pages, *, opf="", metadata=SAYS, guide="", **others):
    """A book of (name, page) in this order; `opf` is more for the manifest, `others` are more files by their path."""
    items = "".join(
        f'<item id="i{n}" href="{name}" media-type="application/xhtml+xml"/>' for n, (name, _) in enumerate(pages)
    )
    spine = "".join(f'<itemref idref="i{n}"/>' for n in range(len(pages)))
    package = f"{HEAD}{metadata}<manifest>{items}{opf}</manifest><spine>{spine}</spine>{guide}</package>"
    files = {"META-INF/container.xml": CONTAINER, "OEBPS/book.opf": package}
    files |= {f"OEBPS/{name}": text for name, text in pages} | others
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        # Against the reading order, so that only the spine can give it.
        for name in reversed(files):
            if files[name] is not None:
                archive.writestr(name, files[name])
    return held.getvalue()


def read(*args, **kwargs):
    document = read_document("book.epub", book(*args, **kwargs))
    assert isinstance(document, Document), document
    return document


def shown(document):
    return [(one.place, document.text[one.start : one.end]) for one in document.paragraphs if not one.debris]


def debris(document):
    return {document.text[one.start : one.end]: one.debris for one in document.paragraphs if one.debris}


TWO = [("b.xhtml", page("<h1>One</h1><p>First.</p>")), ("a.xhtml", page("<h2>Two</h2><p>Second.</p>"))]


def test_the_chapters_stand_in_the_order_of_the_spine():
    document = read(TWO)
    assert shown(document) == [
        ("chapter 1", "One"), ("chapter 1", "First."), ("chapter 2", "Two"), ("chapter 2", "Second."),
    ]  # fmt: skip
    assert [one.heading for one in document.paragraphs] == ["", "One", "One", "One › Two"]
    assert (document.format, document.encoding) == ("epub", "")


def test_the_book_says_its_title_author_and_date():
    document = read(TWO)
    assert (document.title, document.author, document.date) == ("The Book", "Ann Ames", "2015-03-01")
    assert ("language", "en") in document.metadata


def test_of_many_who_made_it_the_authors_are_named_and_of_many_dates_that_of_publication():
    old = """<metadata><dc:title>T</dc:title><dc:creator opf:role="ill">Pic</dc:creator>
    <dc:creator opf:role="aut">Ann</dc:creator>
    <dc:date opf:event="creation">1999</dc:date><dc:date opf:event="publication">2001-05</dc:date></metadata>"""
    new = """<metadata><dc:title>T</dc:title><dc:creator id="x">Pic</dc:creator><dc:creator id="y">Ann</dc:creator>
    <meta refines="#x" property="role">ill</meta><meta refines="#y" property="role">aut</meta></metadata>"""
    assert (read(TWO, metadata=old).author, read(TWO, metadata=old).date) == ("Ann", "2001-05")
    assert read(TWO, metadata=new).author == "Ann"
    none = read(TWO, metadata="")
    assert (none.title, none.author, none.date) == ("One", "", "")


NAV = '<item id="n" href="nav/nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
CONTENTS = page(
    '<nav epub:type="page-list"><a href="../b.xhtml">7</a></nav>'
    '<nav epub:type="toc"><ol><li><a href="../b.xhtml#top">The <b>Start</b></a></li>'
    '<li><a href="../a%2Exhtml">The End</a></li></ol></nav>'
)
NCX = '<item id="n" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
POINTS = """<?xml version="1.0"?>
<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://www.daisy.org/z3986/2005/ncx-2005-1.dtd">
<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>
<navPoint><navLabel><text>The Start</text></navLabel><content src="b.xhtml"/>
<navPoint><navLabel><text>The End</text></navLabel><content src="a.xhtml#x"/></navPoint></navPoint></navMap></ncx>"""


@pytest.mark.parametrize(
    ("item", "files"), [(NAV, {"OEBPS/nav/nav.xhtml": CONTENTS}), (NCX, {"OEBPS/toc.ncx": POINTS})]
)
def test_a_chapter_is_called_as_in_the_table_of_contents(item, files):
    places = [place for place, _ in shown(read(TWO, opf=item, **files))]
    assert places == ["ch. The Start"] * 2 + ["ch. The End"] * 2


def test_a_chapter_that_goes_on_in_another_file_keeps_its_name_and_a_long_name_is_cut():
    pages = [("b.xhtml", page("<p>One.</p>")), ("c.xhtml", page("<p>More.</p>")), ("a.xhtml", page("<p>Two.</p>"))]
    points = POINTS.replace("The End", "A very long name " * 9)
    places = [place for place, _ in shown(read(pages, opf=NCX, **{"OEBPS/toc.ncx": points}))]
    assert places[:2] == ["ch. The Start", "ch. The Start"]
    assert len(places[2]) <= 64
    assert places[2].endswith("…")


def test_a_damaged_table_of_contents_does_not_stop_the_book():
    assert shown(read(TWO, opf=NCX, **{"OEBPS/toc.ncx": "<ncx"})) == shown(read(TWO))
    assert shown(read(TWO, opf=NCX)) == shown(read(TWO))


def test_the_table_of_contents_and_the_cover_are_debris_where_they_are_read():
    pages = [
        ("cover.xhtml", page("<p>A picture of the sea</p>")),
        ("nav.xhtml", page("<nav><ol><li>One</li></ol></nav>")),
        *TWO,
    ]
    guide = '<guide><reference type="cover" href="cover.xhtml"/></guide>'
    assert debris(read(pages, guide=guide)) == {"A picture of the sea": "epub:cover", "- One": "epub:contents"}


def test_a_page_of_contents_that_also_tells_something_is_read_but_for_its_list():
    words = "This manual describes what is required of everybody who takes part, and of nobody else. " * 2
    pages = [("index.xhtml", page(f"<h1>Manual</h1><p>{words}</p><ul><li>One</li></ul>")), *TWO]
    guide = '<guide><reference type="toc" href="index.xhtml"/></guide>'
    assert debris(read(pages, guide=guide)) == {"- One": "epub:contents"}


def test_what_would_be_around_the_text_of_a_web_page_is_part_of_a_chapter():
    body = "<header><h1>One</h1><p>In which it rains.</p></header><p>It rains.</p><aside>A note on rain.</aside>"
    document = read([("a.xhtml", page(body))])
    assert [text for _, text in shown(document)] == ["One", "In which it rains.", "It rains.", "A note on rain."]


def test_elements_that_xml_may_close_in_themselves_swallow_no_text():
    body = '<a id="x"/><p>First.</p><script src="x"/><p>Second.<span epub:type="pagebreak" title="2"/><br/>Third.</p>'
    document = read([("a.xhtml", page(body, head="<title/>"))])
    assert [text for _, text in shown(document)] == ["First.", "Second.\nThird."]
    assert "comment" not in dict(document.removed)


def test_the_first_paragraph_that_the_contents_call_the_chapter_is_its_heading():
    pages = [("b.xhtml", page("<p class='h'>The  start</p><p>Text.</p>"))]
    document = read(pages, opf=NCX, **{"OEBPS/toc.ncx": POINTS})
    assert [one.kind for one in document.paragraphs] == ["heading", "text"]
    assert document.paragraphs[1].heading == "The start"


def test_a_page_in_an_old_encoding_is_read_as_it_says():
    text = page("<p>Füße</p>").replace("utf-8", "iso-8859-1").encode("latin-1")
    assert shown(read([("a.xhtml", text)])) == [("chapter 1", "Füße")]


def locked(method):
    cipher = '<CipherData><CipherReference URI="OEBPS/a.xhtml"/></CipherData>'
    data = f'<EncryptedData><EncryptionMethod Algorithm="{method}"/>{cipher}</EncryptedData>'
    return f'<encryption xmlns="e">{data}</encryption>'


def test_a_protected_book_is_refused_and_one_with_protected_fonts_is_read():
    drm = book(TWO, **{"META-INF/encryption.xml": locked("http://www.w3.org/2001/04/xmlenc#aes256-cbc")})
    assert read_file("b.epub", drm) == (Skipped("b.epub", "protected against copying (DRM)"),)
    fonts = locked("http://www.idpf.org/2008/embedding").replace("a.xhtml", "font.otf")
    assert len(shown(read(TWO, **{"META-INF/encryption.xml": fonts}))) == 4


def test_a_missing_chapter_is_said_and_the_rest_is_read():
    document = read([TWO[0], ("gone.xhtml", None), TWO[1]])
    assert len(shown(document)) == 4
    assert document.warnings == ("chapter 2: damaged: OEBPS/gone.xhtml is missing in it",)
    assert read_file("b.epub", book([("gone.xhtml", None)])) == (
        Skipped("b.epub", "chapter 1: damaged: OEBPS/gone.xhtml is missing in it"),
    )


def test_a_book_without_a_package_file_or_chapters_is_damaged():
    assert "damaged" in read_document("b.epub", book(TWO, **{"OEBPS/book.opf": None})).reason
    assert "damaged" in read_document("b.epub", book([])).reason
    assert "damaged" in read_document("b.epub", book(TWO, **{"META-INF/container.xml": "<x"})).reason


def test_a_book_without_a_container_file_is_read_by_its_package_file():
    assert len(shown(read(TWO, **{"META-INF/container.xml": None}))) == 4


def test_a_chapter_named_a_thousand_times_is_read_once():
    spine = '<spine><itemref idref="i0"/></spine>'
    data = book(TWO, guide=spine * 1000)
    document = read_document("b.epub", data)
    assert len(document.paragraphs) == 4


def test_a_package_file_with_entities_is_refused():
    evil = '<!DOCTYPE x [<!ENTITY e "boo">]><package><spine/></package>'
    assert "entities" in read_document("b.epub", book(TWO, **{"OEBPS/book.opf": evil})).reason


PARTS = ["OEBPS/book.opf", "META-INF/container.xml", "OEBPS/b.xhtml", "META-INF/encryption.xml"]
WHOLE = book(TWO, opf=NAV, **{"OEBPS/nav/nav.xhtml": CONTENTS})


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=6), st.integers(0, len(WHOLE)))
def test_a_damaged_book_is_read_as_far_as_possible_or_refused_in_words(changes, cut):
    data = bytearray(WHOLE)
    for at, byte in changes:
        data[at] = byte
    for one in read_file("b.epub", bytes(data[: cut or None])):
        assert isinstance(one, Document) or one.reason


@given(
    st.text(max_size=200),
    st.sampled_from(PARTS),
)
def test_whatever_stands_in_a_file_of_a_book_nothing_is_raised(text, name):
    for one in read_file("b.epub", book(TWO, **{name: text.encode("utf-8", "surrogatepass")})):
        assert isinstance(one, Document) or one.reason

"""DOCX, ODT, RTF, PPTX, ODP and EPUB, by LibreOffice, python-docx, python-pptx and by hand."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from opendocument import CHAPTER, NUMBER, Page, convert, flat_text
from pdfs import block_html
from sources import FILES, Block, Source, Truth, about, load, paragraphs


def make() -> None:
    """Make every document of an office."""
    for each in (by_writer, changed_by_writer, framed_by_writer, by_word, changed_by_word, boxed_by_word, rich_text):
        each()
    for each in (slides, books):
        each()


def by_writer() -> None:
    """What LibreOffice makes of one flat file each."""
    header = Page(header=CHAPTER, footer=f"– {NUMBER} –")
    jobs: tuple[tuple[str, str, Page, str, tuple[str, ...]], ...] = (
        ("harbour", "harbour.odt", header, "odt", ("footnotes", "header and footer", "nested list", "table")),
        ("harbour", "harbour-writer.docx", header, "docx", ("footnotes", "header and footer", "nested list", "table")),
        ("vokzal", "vokzal.odt", Page(), "odt", ("Cyrillic", "table")),
        ("mill", "mill-writer.docx", Page(), "docx", ("nested list", "numbered list", "table")),
        ("shuyuan", "shuyuan.docx", Page(), "docx", ("Chinese",)),
        ("biir", "biir.odt", Page(), "odt", ("Arabic",)),
        ("bylaws", "bylaws.rtf", header, "rtf", ("footnote", "header and footer")),
        ("mill", "mill.rtf", Page(), "rtf", ("nested list", "table")),
        ("jardin", "jardin-writer.epub", Page(), "epub", ("French", "list")),
    )
    for name, file, page, to, traps in jobs:
        source = load(name)
        convert(flat_text(source, page), "fodt", to, FILES / file)
        without = ("author", "date") if to == "epub" else ()
        truth = paragraphs(source.blocks)
        if page.header and to != "epub":
            truth.append({"text": "– 1 –", "kind": "text", "debris": True})
        Truth("LibreOffice Writer", traps).add(truth, **about(source, *without)).save(file)


_DELETED = "The seventh orchard was sold to the railway and is left out here."
_INSERTED = "A seventh orchard, at Brook End, was added to the list in October."


def changed_by_writer() -> None:
    """A text with tracked changes: the deleted paragraph is not in it, the inserted one is."""
    source = load("orchard")
    info = "<dc:creator>Peter</dc:creator><dc:date>2020-11-01T09:00:00</dc:date>"
    info = f"<office:change-info>{info}</office:change-info>"
    changes = (
        f'<text:tracked-changes><text:changed-region text:id="c1" xml:id="c1"><text:deletion>{info}'
        f'<text:p text:style-name="Body">{_DELETED}</text:p></text:deletion></text:changed-region>'
        f'<text:changed-region text:id="c2" xml:id="c2"><text:insertion>{info}</text:insertion></text:changed-region>'
        "</text:tracked-changes>"
    )
    inserted = (
        f'<text:p text:style-name="Body"><text:change text:change-id="c1"/><text:change-start text:change-id="c2"/>'
        f'{_INSERTED}<text:change-end text:change-id="c2"/></text:p>'
    )
    convert(flat_text(source, Page(), inserted, changes), "fodt", "odt", FILES / "orchard-changes.odt")
    found = [*paragraphs(source.blocks), {"text": _INSERTED, "kind": "text"}]
    found.append({"text": _DELETED, "kind": "text", "debris": True})
    Truth("LibreOffice Writer", ("tracked changes",)).add(found, **about(source)).save("orchard-changes.odt")


_BOX = ("Open days in 2022: 14 May, 11 June and 9 July.", "On these days the entrance is free for everybody.")


def framed_by_writer() -> None:
    """A text with a frame between two paragraphs, and the PDF of it."""
    source = load("mill")
    frame = (
        '<text:p><draw:frame draw:style-name="Frame" text:anchor-type="as-char" svg:width="9cm" svg:height="2.6cm">'
        '<draw:text-box fo:min-height="1cm">'
        + "".join(f'<text:p text:style-name="Standard">{line}</text:p>' for line in _BOX)
        + "</draw:text-box></draw:frame></text:p>"
    )
    end = "What to see</text:h>"
    made = flat_text(source)
    at = made.index(end) - len('<text:h text:style-name="Head_2" text:outline-level="2">')
    made = made[:at] + frame + made[at:]
    convert(made, "fodt", "odt", FILES / "mill-frame.odt")
    found = paragraphs(source.blocks)
    place = next(index for index, one in enumerate(found) if one["text"] == "What to see")
    found[place:place] = [{"text": line, "kind": "text"} for line in _BOX]
    Truth("LibreOffice Writer", ("text frame",)).add(found, **about(source)).save("mill-frame.odt")


def _word(source: Source, *, styles: bool = True) -> Any:  # noqa: ANN401  python-docx has no types
    from docx import Document
    from docx.shared import Pt

    made = Document()
    properties = made.core_properties
    properties.title, properties.author = source.title, source.author
    properties.created = properties.modified = datetime.fromisoformat(source.date)
    made.styles["Normal"].font.size = Pt(10)
    for block in source.blocks:
        _to_word(made, block, styles=styles)
    return made


def _to_word(made: Any, block: Block, *, styles: bool = True) -> None:  # noqa: ANN401
    if block.kind == "heading" and styles:
        made.add_heading(block.text, 0 if block.level == 1 else block.level - 1)
    elif block.kind == "list":
        for item in block.items:
            style = "List Number" if item.number else "List Bullet"
            made.add_paragraph(item.text, style=style if item.depth == 1 else f"{style} {item.depth}")
    elif block.kind == "table":
        table = made.add_table(0, len(block.rows[0]), style="Table Grid")
        for row in block.rows:
            for cell, text in zip(table.add_row().cells, row, strict=True):
                cell.text = text
    else:
        paragraph = made.add_paragraph()
        # Runs break in the middle of words, as they do where a program checks the spelling.
        for piece in re.findall(r".{1,37}", block.text.replace("\ufffc", "")):
            paragraph.add_run(piece).bold = block.kind == "heading" or None


def by_word() -> None:
    """What python-docx makes: headings as styles, and a text without styles in which a heading is bold."""
    for name, file, traps in (
        ("mercado", "mercado.docx", ("Spanish", "runs that break in words", "header")),
        ("orchard", "orchard.docx", ("table with merged cells", "comment left out")),
    ):
        source = load(name).without_notes()
        made = _word(source)
        found = paragraphs(source.blocks)
        if name == "mercado":
            made.sections[0].header.paragraphs[0].text = "Ayuntamiento de Valdeorna, Archivo"
            found.append({"text": "Ayuntamiento de Valdeorna, Archivo", "kind": "text", "debris": True})
        else:
            table = made.add_table(3, 3, style="Table Grid")
            table.cell(0, 0).merge(table.cell(0, 2)).text = "Trees by orchard"
            for at, text in zip(((1, 0), (1, 1), (1, 2), (2, 1), (2, 2)),
                                ("Cold Ash", "apples", "410", "pears", "12"), strict=True):  # fmt: skip
                table.cell(*at).text = text
            table.cell(1, 0).merge(table.cell(2, 0))
            found.append({"text": "Trees by orchard\nCold Ash | apples | 410\npears | 12", "kind": "table"})
            made.add_comment(made.paragraphs[1].runs, "Is this figure from the old map?", author="P. A.")
            found.append({"text": "Is this figure from the old map?", "kind": "text", "debris": True})
        made.save(FILES / file)
        Truth("python-docx", traps).add(found, **about(source)).save(file)


def _inject(file: str, make_xml: str, before: str) -> None:
    """Put raw XML in front of `before` in the main part of a DOCX file."""
    path = FILES / file
    with zipfile.ZipFile(path) as archive:
        parts = {item: archive.read(item) for item in archive.namelist()}
    main = parts["word/document.xml"].decode("utf-8")
    assert main.count(before) == 1, (file, main.count(before))
    parts["word/document.xml"] = main.replace(before, make_xml + before).encode("utf-8")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for item, data in parts.items():
            archive.writestr(item, data)


def changed_by_word() -> None:
    """Tracked changes as Word writes them."""
    source = load("jardin")
    _word(source).save(FILES / "jardin-changes.docx")
    who = 'w:author="O. Garnier" w:date="2016-04-20T10:00:00Z"'
    gone, come = "Le jardin sera fermé en 1999.", "Le jardin reste ouvert toute l'année, sauf en janvier."
    xml = (
        f'<w:p><w:del w:id="91" {who}><w:r><w:delText xml:space="preserve">{gone}</w:delText></w:r></w:del>'
        f'<w:ins w:id="92" {who}><w:r><w:t>{come}</w:t></w:r></w:ins></w:p>'
    )
    _inject("jardin-changes.docx", xml, "<w:sectPr")
    found = [*paragraphs(source.blocks), {"text": come, "kind": "text"}, {"text": gone, "kind": "text", "debris": True}]
    Truth("python-docx and XML by hand", ("tracked changes",)).add(found, **about(source)).save("jardin-changes.docx")


def boxed_by_word() -> None:
    """A text box, written twice as Word does (for new and for old programs), a page break, a field, hidden text."""
    source = load("bylaws").without_notes()
    _word(source).save(FILES / "bylaws-box.docx")
    lines = ("The gate is locked from 22:00 to 06:00.", "Keys are with the warden at plot 12.")
    inner = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in lines)
    box = f"<w:txbxContent>{inner}</w:txbxContent>"
    spaces = (
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
        'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:v="urn:schemas-microsoft-com:vml"'
    )
    new = (
        '<w:drawing><wp:inline><wp:extent cx="3000000" cy="900000"/><wp:docPr id="7" name="Box"/><a:graphic>'
        '<a:graphicData uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><wps:wsp><wps:cNvSpPr '
        'txBox="1"/><wps:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="3000000" cy="900000"/></a:xfrm><a:prstGeom '
        f'prst="rect"/></wps:spPr><wps:txbx>{box}</wps:txbx><wps:bodyPr/></wps:wsp></a:graphicData></a:graphic>'
        "</wp:inline></w:drawing>"
    )
    old = f'<w:pict><v:shape style="width:236pt;height:71pt"><v:textbox>{box}</v:textbox></v:shape></w:pict>'
    xml = (
        f'<w:p><w:r {spaces}><mc:AlternateContent><mc:Choice Requires="wps">{new}</mc:Choice><mc:Fallback>{old}'
        '</mc:Fallback></mc:AlternateContent></w:r></w:p><w:p><w:r><w:br w:type="page"/></w:r></w:p>'
        '<w:p><w:r><w:t xml:space="preserve">See page </w:t></w:r><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r>'
        '<w:instrText xml:space="preserve"> PAGEREF plots \\h </w:instrText></w:r><w:r><w:fldChar '
        'w:fldCharType="separate"/></w:r><w:r><w:t>4</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r><w:r><w:t '
        'xml:space="preserve"> for the plan of the plots.</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>Draft of the '
        "secretary.</w:t></w:r></w:p>"
    )
    _inject("bylaws-box.docx", xml, "<w:sectPr")
    found = paragraphs(source.blocks)
    found += [{"text": line, "kind": "text"} for line in lines]
    found.append({"text": "See page 4 for the plan of the plots.", "kind": "text"})
    found.append({"text": "PAGEREF plots", "kind": "text", "debris": True})
    found.append({"text": "Draft of the secretary.", "kind": "text", "debris": True})
    Truth("python-docx and XML by hand", ("text box written twice", "field", "hidden text")).add(
        found, **about(source)
    ).save("bylaws-box.docx")


def rich_text() -> None:
    """RTF by hand: code page escapes with the font's character set, and Unicode escapes with substitutes."""
    spanish, russian = load("mercado"), load("vokzal")
    jobs = (
        ("mercado-hand.rtf", spanish, lambda text: _escapes(text, "cp1252"), ("code page 1252", "escapes \\'f3")),
        ("vokzal-hand.rtf", russian, _unicode_escapes, ("escapes \\u1074?", "table", "line ends in words")),
    )
    for file, source, escaped, traps in jobs:
        body = "\n".join(_rtf(block, escaped) for block in source.blocks)
        year, month, day = source.date.split("-")
        made = (
            "{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0\\froman\\fcharset0 DejaVu Serif;}}"
            f"{{\\info{{\\title {escaped(source.title)}}}{{\\author {escaped(source.author)}}}"
            f"{{\\creatim\\yr{year}\\mo{int(month)}\\dy{int(day)}}}}}\n"
            f"{{\\*\\generator by hand;}}{{\\header\\pard {escaped('Kopie 7')}\\par}}\n{body}\n}}"
        )
        (FILES / file).write_text(made, encoding="ascii", newline="\r\n")
        found = [*paragraphs(source.blocks), {"text": "Kopie 7", "kind": "text", "debris": True}]
        Truth("by hand", traps).add(found, **about(source)).save(file)


def _escapes(text: str, code: str) -> str:
    plain = text.replace("\\", "\\\\").replace("{", "\\{").replace("}", "\\}")
    return "".join(one if ord(one) < 128 else f"\\'{one.encode(code).hex()}" for one in plain)


def _unicode_escapes(text: str) -> str:
    return "".join(one if ord(one) < 128 else f"\\u{ord(one)}?" for one in text)


def _rtf(block: Block, escaped: Any) -> str:  # noqa: ANN401
    if block.kind == "table":
        edges = "".join(f"\\cellx{2500 * number}" for number in range(1, len(block.rows[0]) + 1))
        return "\n".join(
            f"\\trowd{edges}\\pard\\intbl " + "".join(f"{escaped(cell)}\\cell " for cell in row) + "\\row"
            for row in block.rows
        )
    if block.kind == "list":
        return "\n".join(
            f"{{\\pard\\fi-360\\li720 {{\\pntext\\f0 \\'b7\\tab}}{{\\*\\pn\\pnlvlblt}}{escaped(item.text)}\\par}}"
            for item in block.items
        )
    weight = "\\b\\fs32" if block.kind == "heading" else ""
    return (
        f"{{\\pard\\outlinelevel{block.level - 1}{weight} {escaped(block.text)}\\par}}"
        if weight
        else (f"\\pard\\qj {escaped(block.text)}\\par")
    )


_TALK: tuple[tuple[str, tuple[tuple[str, Any], ...], str], ...] = (
    ("A new timetable for the Sund ferry", (("text", "Harbour board of Tarnbeck, 4 March 2019"),), ""),
    ("Why it has to change", (("list", ("The crossing of 07:10 is full on four days of five",
      "The last ferry leaves before the late train arrives", "In winter two boats lie idle")),),
     "Mention that the railway was asked twice and has not answered."),
    ("Passengers by crossing", (("table", (("Crossing", "2017", "2018"), ("07:10", "31,200", "34,900"),
      ("12:40", "9,800", "9,100"), ("18:20", "27,500", "28,300"))),
      ("text", "Counted at the gate, both directions.")), ""),
    ("Proposal", (("list", ("A second boat at 06:40 from Monday to Friday", "The last ferry at 21:15 instead of 20:30",
      "No crossing at 12:40 in January and February")), ("text", "Cost: 118,000 crowns a year"),),
     "The figure has been checked by the office of finance."),
)  # fmt: skip


def slides() -> None:
    """Slides by python-pptx, and what LibreOffice makes of them."""
    from pptx import Presentation
    from pptx.util import Cm, Pt

    made = Presentation()
    made.core_properties.title, made.core_properties.author = "A new timetable for the Sund ferry", "Ines Holloway"
    made.core_properties.created = made.core_properties.modified = datetime(2019, 3, 4)
    found: list[dict[str, Any]] = []
    for number, (title, parts, note) in enumerate(_TALK, start=1):
        slide = made.slides.add_slide(made.slide_layouts[5])
        slide.shapes.title.text = title
        place = f"slide {number}"
        found.append({"text": title, "kind": "heading", "place": place})
        top = 4.5
        for kind, content in parts:
            if kind == "table":
                shape = slide.shapes.add_table(len(content), len(content[0]), Cm(2), Cm(top), Cm(18), Cm(5))
                for at, row in enumerate(content):
                    for column, text in enumerate(row):
                        shape.table.cell(at, column).text = text
                found.append({"text": "\n".join(" | ".join(row) for row in content), "kind": "table", "place": place})
                top += 7
                continue
            frame = slide.shapes.add_textbox(Cm(2), Cm(top), Cm(20), Cm(4)).text_frame
            lines = (content,) if kind == "text" else content
            for at, line in enumerate(lines):
                paragraph = frame.paragraphs[0] if not at else frame.add_paragraph()
                paragraph.text = line
                paragraph.font.size = Pt(18)
            found.append({"text": "\n".join(lines), "kind": "list" if kind == "list" else "text", "place": place})
            top += 6
        if note:
            slide.notes_slide.notes_text_frame.text = note
            found.append({"text": note, "kind": "text", "place": place})
    made.save(FILES / "timetable.pptx")
    stated = {"title": "A new timetable for the Sund ferry", "author": "Ines Holloway", "date": "2019-03-04"}
    traps = ("speaker's notes", "table", "several text boxes")
    Truth("python-pptx", traps).add(found, **stated).save("timetable.pptx")
    content = (FILES / "timetable.pptx").read_bytes()
    for file, to in (("timetable.odp", "odp"), ("timetable-impress.pptx", "pptx:Impress MS PowerPoint 2007 XML")):
        convert(content, "pptx", to, FILES / file)
        Truth("LibreOffice Impress", traps).add(found, **stated).save(file)


def books() -> None:
    """EPUB by hand: three chapters that are named out of order, with a table of contents and a cover."""
    source = load("harbour").without_notes()
    starts = [index for index, block in enumerate(source.blocks) if block.kind == "heading"]
    chapters = [source.blocks[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]
    _epub("harbour.epub", source, chapters)
    found = paragraphs(source.blocks)
    found += [{"text": "Contents of this book", "kind": "text", "debris": True}]
    Truth("by hand", ("order by the spine, not by name", "table of contents")).add(found, **about(source)).save(
        "harbour.epub"
    )


def _epub(file: str, source: Source, chapters: Sequence[Sequence[Block]]) -> None:
    names = [f"part{(number * 7) % 10}.xhtml" for number in range(1, len(chapters) + 1)]
    page = (
        '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml" '
        'xmlns:epub="http://www.idpf.org/2007/ops"><head><title>{title}</title></head><body>{body}</body></html>'
    )
    manifest = "".join(
        f'<item id="c{at}" href="{name}" media-type="application/xhtml+xml"/>' for at, name in enumerate(names)
    )
    spine = "".join(f'<itemref idref="c{at}"/>' for at in range(len(names)))
    package = (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">harbour</dc:identifier>'
        f"<dc:title>{escape(source.title)}</dc:title><dc:creator>{escape(source.author)}</dc:creator>"
        f"<dc:date>{source.date}</dc:date><dc:language>{source.language}</dc:language></metadata><manifest>{manifest}"
        '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/></manifest>'
        f'<spine><itemref idref="nav"/>{spine}</spine></package>'
    )
    titles = [escape(part[0].text) for part in chapters]
    links = "".join(f'<li><a href="{name}">{title}</a></li>' for name, title in zip(names, titles, strict=True))
    nav = f'<nav epub:type="toc"><h1>Contents of this book</h1><ol>{links}</ol></nav>'
    container = (
        '<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">'
        "<rootfiles>"
        '<rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    with zipfile.ZipFile(FILES / file, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(zipfile.ZipInfo("mimetype"), "application/epub+zip")
        book.writestr("META-INF/container.xml", container)
        book.writestr("book/package.opf", package)
        book.writestr("book/nav.xhtml", page.format(title="Contents", body=nav))
        for name, part in zip(names, chapters, strict=True):
            body = "\n".join(block_html(block) for block in part)
            book.writestr(f"book/{name}", page.format(title=escape(part[0].text), body=body))

"""PDF files by five makers: LibreOffice, Chromium, ReportLab, fpdf2 and WeasyPrint, and pictures of pages."""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import pyphen
from opendocument import CHAPTER, NUMBER, Page, convert, flat_text
from pypdf import PdfReader
from sources import FILES, Block, Debris, Source, Truth, about, load, paged, paragraphs, squeeze

_FONTS = Path("/usr/share/fonts/truetype/dejavu")


def make() -> None:
    """Make every PDF of the collection."""
    for each in (office, chromium, reportlab, fpdf, weasyprint, book, pictures):
        each()


def page_texts(name: str) -> list[str]:
    """The text of each page, as pypdf gives it."""
    return [page.extract_text() for page in PdfReader(FILES / name).pages]


def no_debris(number: int, pages: int, text: str) -> Sequence[str]:
    """Pages without header and footer."""
    return ()


def running(header: str | Sequence[str] = "", footer: str = "") -> Debris:
    """A header (one of several: the chapters) and a footer with {n} and {all}, where the page has them."""
    choices = [header] if isinstance(header, str) else header

    def found(number: int, pages: int, text: str) -> list[str]:
        foot = footer.format(n=number, all=pages)
        heads = [one.format(n=number, all=pages) for one in choices if one]
        seen = [
            one for one in heads if text.startswith(squeeze(one)) or text.endswith((squeeze(one), squeeze(one + foot)))
        ]
        return [*seen[:1], *([foot] if foot else [])]

    return found


def save(name: str, source: Source, truth: Truth, debris: Debris = no_debris, **changed: str) -> None:
    """Write the truth of a PDF that is made; most makers state the day of making as its date, which is not checked."""
    found = paged(paragraphs(source.blocks), page_texts(name), debris)
    truth.add(found, **{**about(source), "date": "?", **changed}).save(name)


def hyphenated(source: Source) -> Source:
    """The same with a soft hyphen wherever a word may be parted; Arabic parts none."""
    if source.language == "ar":
        return source
    parts = pyphen.Pyphen(lang={"en": "en_GB", "ru": "ru_RU"}.get(source.language, source.language), left=3, right=3)
    blocks = [
        replace(b, text=" ".join(parts.inserted(word, "\u00ad").replace("-\u00ad", "-") for word in b.text.split(" ")))
        if b.kind == "text"
        else b
        for b in source.blocks
    ]
    return replace(source, blocks=tuple(blocks))


def _chapters(source: Source, level: int = 1) -> list[str]:
    return [block.text for block in source.blocks if block.kind == "heading" and block.level >= level]


def office() -> None:
    """Pages by LibreOffice."""
    small = Page("14.8cm", "21cm", size="10pt", margin="1.6cm")
    harbour, bylaws, ferry = load("harbour"), load("bylaws"), load("faehre")
    jobs: list[tuple[str, Source, Page, Debris, tuple[str, ...]]] = [
        (
            "harbour-a5.pdf", harbour,
            replace(small, header=CHAPTER, footer=f"– {NUMBER} –", align="justify"),
            running(_chapters(harbour), "– {n} –"),
            ("running header with the chapter", "page number – 3 –", "parted words", "footnotes", "table",
             "nested list", "paragraphs over pages", "true hyphens", "heading of two lines"),
        ),
        (
            "harbour-columns.pdf", harbour,
            Page(columns=2, size="9.5pt", header=harbour.title, footer=f"{NUMBER}", align="justify"),
            running(harbour.title, "{n}"),
            ("two columns", "running header", "page number", "parted words", "footnotes below the columns", "table"),
        ),
        (
            "bylaws-landscape.pdf", bylaws,
            Page("29.7cm", "21cm", columns=2, footer=f"Kiln Lane | page {NUMBER}"),
            running("", "Kiln Lane | page {n}"),
            ("landscape", "two columns, ragged", "page number with words"),
        ),
        (
            "ferry.pdf", ferry, replace(small, align="justify", indent="0.6cm", below="0cm"), no_debris,
            ("German compounds parted", "indented paragraphs without space between", "table"),
        ),
        ("mercado.pdf", load("mercado"), replace(small, header=f"El mercado de Valdeorna — {NUMBER}"),
         running("El mercado de Valdeorna — {n}"), ("page number in the header", "Spanish")),
        ("biir.pdf", load("biir"), replace(small, align="right"), no_debris, ("Arabic, from right to left",)),
        ("vokzal.pdf", load("vokzal"), replace(small, align="justify"), no_debris,
         ("Cyrillic", "parted words", "table")),
    ]  # fmt: skip
    for name, source, page, debris, traps in jobs:
        convert(flat_text(hyphenated(source), page), "fodt", "pdf", FILES / name)
        save(name, source, Truth("LibreOffice Writer", traps), debris)


def as_html(source: Source, style: str = "", head: str = "") -> str:
    """A plain page of `source`; footnotes become <span class="note">."""
    body = "\n".join(block_html(block) for block in source.blocks)
    return (
        f'<!DOCTYPE html>\n<html lang="{source.language}"><head><meta charset="utf-8"><title>{escape(source.title)}'
        f'</title><meta name="author" content="{escape(source.author)}"><meta name="dcterms.created" '
        f'content="{source.date}">{head}<style>{style}</style></head>\n<body>\n{body}\n</body></html>\n'
    )


def block_html(block: Block) -> str:
    """One block as HTML."""
    if block.kind == "heading":
        return f"<h{block.level}>{escape(block.text)}</h{block.level}>"
    if block.kind == "table":
        first, *rest = block.rows
        rows = [_row("th", first), *(_row("td", row) for row in rest)]
        return "<table>" + "\n".join(rows) + "</table>"
    if block.kind == "list":
        return _list_html(block)
    text = escape(block.text)
    for note in block.notes:
        text = text.replace("\ufffc", f'<span class="note">{escape(note)}</span>', 1)
    return f"<p>{text}</p>"


def _row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _list_html(block: Block) -> str:
    tag = "ol" if block.items[0].number else "ul"
    made, depth = "", 0
    for item in block.items:
        if item.depth > depth:
            made += f"<{tag}>" * (item.depth - depth)
        else:
            made += "</li>" + f"</{tag}></li>" * (depth - item.depth)
        depth = item.depth
        made += f"<li>{escape(item.text)}"
    return made + f"</li></{tag}>" * depth


_BASE = """@page { size: A5; margin: 15mm } body { font: 10pt/1.35 'DejaVu Serif' } p { margin: 0 0 .6em }
 table { border-collapse: collapse } td, th { border: 1px solid; padding: 2px 6px } h1 { font-size: 15pt }"""


def chromium() -> None:
    """Pages printed by Chromium."""
    jobs = (
        ("mill-print.pdf", load("mill"), _BASE, ("lists", "tables", "ragged lines")),
        ("jardin-print.pdf", load("jardin"), _BASE + "p { text-align: justify; text-indent: 1.5em; margin: 0 }",
         ("French spaces before ; and ?", "indented paragraphs without space between")),
        ("orchard-print.pdf", load("orchard"), _BASE + "body { columns: 2; font-size: 8.5pt } h1 { column-span: all }",
         ("heading over two columns", "table in a column")),
        ("faehre-print.pdf", load("faehre"), _BASE + "td, th { border: none } td + td { text-align: right }",
         ("German", "table without lines")),
        ("harbour-paper.pdf", load("harbour").without_notes(), _BASE + "@page { size: A4; margin: 20mm } "
         "body { columns: 2; column-gap: 7mm; text-align: justify; font-size: 9.5pt } "
         "h1 { column-span: all; text-align: center } p { margin: 0; text-indent: 1em } h2 { font-size: 10pt }",
         ("title over two columns", "indented paragraphs without space between", "nested list", "table in a column")),
    )  # fmt: skip
    for name, source, style, traps in jobs:
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.html"
            page.write_text(as_html(source, style), encoding="utf-8")
            command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
            command += [f"--print-to-pdf={FILES / name}", page.as_uri()]
            subprocess.run(command, check=True, capture_output=True, timeout=120)
        # Chromium states no author, and the day of the printing as the date.
        save(name, source, Truth("Chromium", traps), author="")


def weasyprint() -> None:
    """Pages by WeasyPrint, which parts words and sets footnotes."""
    import weasyprint as maker

    running_head = """h2 { string-set: chapter content() } .note { float: footnote; font-size: 8pt }
 p { hyphens: auto; text-align: justify }
 @page { @top-center { content: string(chapter); font-size: 8pt }
 @bottom-right { content: counter(page) " / " counter(pages); font-size: 8pt } }"""
    harbour = load("harbour")
    jobs: tuple[tuple[str, Source, str, Debris, tuple[str, ...]], ...] = (
        ("harbour-web.pdf", harbour, _BASE + running_head, running(_chapters(harbour, 2), "{n} / {all}"),
         ("running header with the chapter", "page number 3 / 7", "footnotes", "parted words",
          "paragraphs over pages")),
        ("faehre-web.pdf", load("faehre"), _BASE + "p { hyphens: auto; text-align: justify } "
         "body { columns: 2; font-size: 8pt } @page { size: A5 landscape }", no_debris,
         ("German compounds parted", "two columns")),
    )  # fmt: skip
    for name, source, style, debris, traps in jobs:
        maker.HTML(string=as_html(source, style)).write_pdf(FILES / name)
        save(name, source, Truth("WeasyPrint", traps), debris, date=source.date)


_BOOK = """@page { size: 13cm 19cm; margin: 18mm 15mm } h1 { break-before: page; string-set: chapter content() }
 @page :left { @top-left { content: counter(page); font-size: 8pt }
 @top-center { content: "Four Reports of the District"; font-size: 8pt } }
 @page :right { @top-right { content: counter(page); font-size: 8pt } @top-center { content: string(chapter);
 font-size: 8pt } }
 p { hyphens: auto; text-align: justify; margin: 0; text-indent: 1.2em }"""


def book() -> None:
    """Four reports as the chapters of a book, with the number and a title above each page, left and right."""
    import weasyprint as maker

    parts = [load(name).without_notes() for name in ("orchard", "mill", "bylaws", "harbour")]
    blocks = tuple(block for part in parts for block in part.blocks)
    source = Source("Four Reports of the District", "Ines Holloway", "2022-12-01", "en", blocks)
    maker.HTML(string=as_html(source, _BASE + _BOOK)).write_pdf(FILES / "four-reports.pdf")
    chapters = [block.text for block in blocks if block.level == 1]

    def heads(number: int, pages: int, text: str) -> list[str]:
        titles = [title for title in ("Four Reports of the District", *chapters) if squeeze(title) in text[-120:]]
        return [f"{number} {title}" if number % 2 == 0 else f"{title} {number}" for title in titles[-1:]]

    traps = ("titles above left and right pages", "page number on the outside", "chapters", "paragraphs over pages")
    save("four-reports.pdf", source, Truth("WeasyPrint", traps), heads, date=source.date)


def reportlab() -> None:
    """Pages by ReportLab: two columns of frames, the header drawn on each page."""
    from reportlab.lib.enums import TA_JUSTIFY
    from reportlab.lib.pagesizes import A5
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import cm
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.platypus import BaseDocTemplate, Frame, ListFlowable, ListItem, PageTemplate, Paragraph, Table

    pdfmetrics.registerFont(TTFont("Serif", _FONTS / "DejaVuSerif.ttf"))
    body = ParagraphStyle("body", fontName="Serif", fontSize=9, leading=12, spaceAfter=6, alignment=TA_JUSTIFY)
    heads = {
        1: ParagraphStyle("one", parent=body, fontSize=14, leading=18, alignment=0),
        2: ParagraphStyle("two", parent=body, fontSize=11, leading=14, spaceBefore=6, alignment=0),
    }

    def flowable(block: Block, size: int) -> Any:  # noqa: ANN401  ReportLab has no types
        if block.kind == "list":
            items = [ListItem(Paragraph(i.text, body), leftIndent=14 * i.depth) for i in block.items]
            return ListFlowable(items, bulletType="bullet", start="•")
        if block.kind == "table":
            return Table([list(row) for row in block.rows], style=[("GRID", (0, 0), (-1, -1), 0.5, "black"),
                         ("FONT", (0, 0), (-1, -1), "Serif", size), ("LEFTPADDING", (0, 0), (-1, -1), 2),
                         ("RIGHTPADDING", (0, 0), (-1, -1), 2)])  # fmt: skip
        return Paragraph(block.text, heads.get(block.level, body))

    def edges(canvas: Any, document: Any) -> None:  # noqa: ANN401
        canvas.setFont("Serif", 7)
        canvas.drawCentredString(A5[0] / 2, A5[1] - 1 * cm, "Town of Wennbury · Committee for Parks")
        canvas.drawRightString(A5[0] - 1.5 * cm, 0.8 * cm, f"Page {document.page}")

    header, footer = "Town of Wennbury · Committee for Parks", "Page {n}"
    jobs = (("orchard-memo.pdf", load("orchard"), 1), ("harbour-memo.pdf", load("harbour").without_notes(), 2))
    for name, source, columns in jobs:
        width = (A5[0] - 3 * cm - (columns - 1) * 0.5 * cm) / columns
        frames = [
            Frame(1.5 * cm + index * (width + 0.5 * cm), 1.5 * cm, width, A5[1] - 3 * cm, 0, 0, 0, 0)
            for index in range(columns)
        ]
        made = BaseDocTemplate(str(FILES / name), pagesize=A5, title=source.title, author=source.author, invariant=1)
        made.addPageTemplates([PageTemplate("page", frames, onPage=edges)])
        made.build([flowable(block, 9 - 3 * (columns - 1)) for block in source.blocks])
        traps = ("header drawn first, footer Page 3", *(("two narrow columns",) if columns == 2 else ()))
        save(name, source, Truth("ReportLab", traps), running(header, footer))


def fpdf() -> None:
    """Pages by fpdf2, with ligatures as characters of their own."""
    from fpdf import FPDF

    source = load("bylaws").without_notes()

    class Made(FPDF):
        def footer(self) -> None:
            self.set_y(-12)
            self.set_font("Serif", size=8)
            self.cell(0, 6, f"– {self.page_no()} –", align="C")

    made = Made(format="A5")
    made.add_font("Serif", fname=_FONTS / "DejaVuSerif.ttf")
    made.set_title(source.title)
    made.set_author(source.author)
    made.add_page()
    for block in source.blocks:
        made.set_font("Serif", size={1: 15, 2: 12}.get(block.level, 10))
        text = block.text.replace("ffi", "\ufb03").replace("fi", "\ufb01").replace("fl", "\ufb02")
        made.multi_cell(0, 5.2 if block.kind == "text" else 8, text, align="J" if block.kind == "text" else "L",
                        new_x="LMARGIN", new_y="NEXT")  # fmt: skip
        made.ln(2.5)
    made.output(str(FILES / "bylaws-ligatures.pdf"))
    save("bylaws-ligatures.pdf", source, Truth("fpdf2", ("ligatures", "page number – 3 –")),
         running("", "– {n} –"))  # fmt: skip


def pictures() -> None:
    """A scan: pages that are pictures; and a file of which one page is a picture."""
    from PIL import Image, ImageDraw, ImageFont
    from pypdf import PdfWriter

    font = ImageFont.truetype(str(_FONTS / "DejaVuSerif.ttf"), 15)
    source = load("mill")
    pages = []
    for blocks in (source.blocks[:4], source.blocks[6:]):
        page = Image.new("1", (600, 840), 1)
        draw, y = ImageDraw.Draw(page), 40
        for block in blocks:
            words = block.words.split()
            for at in range(0, len(words), 8):
                draw.text((40, y), " ".join(words[at : at + 8]), font=font, fill=0)
                y += 22
            y += 14
        pages.append(page)
    pages[0].save(FILES / "mill-scan.pdf", save_all=True, append_images=pages[1:], resolution=72)
    Truth("Pillow", ("pictures of pages",), skipped=[{"file": "", "reason": "scan"}]).save("mill-scan.pdf")
    writer = PdfWriter()
    mixed = io.BytesIO()
    pages[1].save(mixed, "PDF", resolution=72)
    writer.append(FILES / "vokzal.pdf")
    writer.merge(1, mixed)
    writer.add_metadata({"/Title": "Вокзал в Заречной", "/Author": "Нина Колосова"})
    with (FILES / "vokzal-mixed.pdf").open("wb") as target:
        writer.write(target)
    found = paged(paragraphs(load("vokzal").blocks), page_texts("vokzal-mixed.pdf"), no_debris)
    truth = Truth("LibreOffice Writer, Pillow and pypdf", ("a page that is a picture",))
    truth.add(found, **{**about(load("vokzal")), "date": "?"}, textless="p. 2").save("vokzal-mixed.pdf")

"""Flat OpenDocument text (FODT), from which LibreOffice makes ODT, DOCX, RTF, EPUB, HTML and PDF."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from sources import Block, Source

_SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{path}:1.0"'
    for name, path in {
        "office": "office", "style": "style", "text": "text", "table": "table", "draw": "drawing", "meta": "meta",
        "fo": "xsl-fo-compatible", "svg": "svg-compatible", "presentation": "presentation",
    }.items()
)  # fmt: skip
_SPACES += ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink"'
_COUNTRY = {"en": "GB", "de": "DE", "es": "ES", "ru": "RU", "fr": "FR", "zh": "CN", "ar": "SA"}


@dataclass(frozen=True, slots=True)
class Page:
    """How a page looks; `header` and `footer` are inner XML ("" for none)."""

    width: str = "21cm"
    height: str = "29.7cm"
    columns: int = 1
    header: str = ""
    footer: str = ""
    align: str = "left"
    size: str = "11pt"
    margin: str = "2cm"
    indent: str = "0cm"
    below: str = "0.25cm"


CHAPTER = '<text:chapter text:display="name" text:outline-level="2"/>'
NUMBER = '<text:page-number text:select-page="current"/>'
PLAIN = Page()


def flat_text(source: Source, page: Page = PLAIN, extra: str = "", changes: str = "") -> str:
    """Make an FODT file: `extra` goes to the end of the body, `changes` are tracked changes."""
    body = "".join(block_xml(block) for block in source.blocks)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<office:document {_SPACES} office:version="1.3" '
        f'office:mimetype="application/vnd.oasis.opendocument.text">{_meta(source)}{_styles(source, page)}'
        f"<office:body><office:text>{changes}{body}{extra}</office:text></office:body></office:document>\n"
    )


def _meta(source: Source) -> str:
    return (
        f"<office:meta><dc:title>{escape(source.title)}</dc:title>"
        f"<meta:initial-creator>{escape(source.author)}</meta:initial-creator>"
        f"<dc:creator>{escape(source.author)}</dc:creator>"
        f"<meta:creation-date>{source.date}T10:00:00</meta:creation-date><dc:date>{source.date}T10:00:00</dc:date>"
        f"<dc:language>{source.language}</dc:language></office:meta>"
    )


def _styles(source: Source, page: Page) -> str:
    language = f'fo:language="{source.language}" fo:country="{_COUNTRY[source.language]}"'
    other = f'style:language-complex="{source.language}" style:country-complex="{_COUNTRY[source.language]}"'
    columns = f'<style:columns fo:column-count="{page.columns}" fo:column-gap="0.7cm"/>' if page.columns > 1 else ""
    edge = "".join(
        f'<style:{where}-style><style:header-footer-properties fo:min-height="0.5cm" fo:margin-{side}="0.4cm"/>'
        f"</style:{where}-style>"
        for where, side, used in (("header", "bottom", page.header), ("footer", "top", page.footer))
        if used
    )
    master = "".join(
        f'<style:{where}><text:p text:style-name="Edge">{used}</text:p></style:{where}>'
        for where, used in (("header", page.header), ("footer", page.footer))
        if used
    )
    # The page below the footer stays white: the number stands on a line of its own.
    mode, side = ("rl-tb", "right") if source.language == "ar" else ("lr-tb", "left")
    return f"""<office:styles><style:default-style style:family="paragraph"><style:paragraph-properties
 style:writing-mode="{mode}"/><style:text-properties
 style:font-name="DejaVu Serif" fo:font-size="{page.size}" {language} {other} fo:hyphenate="true"
 fo:hyphenation-remain-char-count="3" fo:hyphenation-push-char-count="3"/></style:default-style>
<style:style style:name="Standard" style:family="paragraph"/>
<style:style style:name="Body" style:family="paragraph" style:parent-style-name="Standard"><style:paragraph-properties
 fo:text-align="{page.align}" fo:margin-bottom="{page.below}" fo:text-indent="{page.indent}" fo:orphans="2"
 fo:widows="2"/></style:style>
<style:style style:name="Edge" style:family="paragraph"><style:paragraph-properties fo:text-align="center"/>
<style:text-properties fo:font-size="8pt"/></style:style>
<style:style style:name="Head_1" style:display-name="Heading 1" style:family="paragraph"
 style:default-outline-level="1"><style:paragraph-properties fo:text-align="{side}"
 fo:margin-bottom="0.4cm" fo:keep-with-next="always"/>
<style:text-properties fo:font-size="16pt" fo:font-weight="bold"/></style:style>
<style:style style:name="Head_2" style:display-name="Heading 2" style:family="paragraph"
 style:default-outline-level="2"><style:paragraph-properties fo:text-align="{side}"
 fo:margin-top="0.4cm" fo:margin-bottom="0.2cm"
 fo:keep-with-next="always"/><style:text-properties fo:font-size="13pt" fo:font-weight="bold"/></style:style>
<text:list-style style:name="Bullets">{_levels("bullet", 'text:bullet-char="•"')}</text:list-style>
<text:list-style style:name="Numbers">{_levels("number", 'style:num-format="1" style:num-suffix="."')}</text:list-style>
<text:notes-configuration text:note-class="footnote" style:num-format="1"
 text:start-numbering-at="document"/></office:styles>
<office:automatic-styles><style:page-layout style:name="Sheet"><style:page-layout-properties
 fo:page-width="{page.width}" fo:page-height="{page.height}" fo:margin="{page.margin}">{columns}
</style:page-layout-properties>{edge}</style:page-layout>
<style:style style:name="Cell" style:family="table-cell"><style:table-cell-properties
 fo:border="0.5pt solid #000000" fo:padding="0.1cm"/></style:style>
<style:style style:name="Frame" style:family="graphic"><style:graphic-properties fo:border="0.5pt solid #000000"
 style:wrap="none" fo:padding="0.2cm"/></style:style></office:automatic-styles>
<office:master-styles><style:master-page style:name="Standard" style:page-layout-name="Sheet">{master}
</style:master-page></office:master-styles>"""


def _levels(kind: str, how: str) -> str:
    return "".join(
        f'<text:list-level-style-{kind} text:level="{level}" {how}><style:list-level-properties '
        f'text:list-level-position-and-space-mode="label-alignment"><style:list-level-label-alignment '
        f'text:label-followed-by="listtab" fo:text-indent="-0.6cm" fo:margin-left="{level * 0.8}cm"/>'
        f"</style:list-level-properties></text:list-level-style-{kind}>"
        for level in (1, 2)
    )


def block_xml(block: Block) -> str:
    """One block as content of office:text."""
    if block.kind == "heading":
        style, level = f"Head_{block.level}", block.level
        return f'<text:h text:style-name="{style}" text:outline-level="{level}">{escape(block.text)}</text:h>'
    if block.kind == "list":
        return _list_xml(block)
    if block.kind == "table":
        return _table_xml(block)
    return f'<text:p text:style-name="Body">{_inline(block)}</text:p>'


def _inline(block: Block) -> str:
    pieces = escape(block.text).split("\ufffc")
    made = [pieces[0]]
    for number, (note, piece) in enumerate(zip(block.notes, pieces[1:], strict=True)):
        made.append(
            f'<text:note text:id="n{hash(note) & 0xFFFF}_{number}" text:note-class="footnote"><text:note-citation/>'
            f"<text:note-body><text:p>{escape(note)}</text:p></text:note-body></text:note>{piece}"
        )
    return "".join(made)


def _list_xml(block: Block) -> str:
    style = "Numbers" if block.items[0].number else "Bullets"
    made, depth = "", 0
    for item in block.items:
        if item.depth > depth:
            name = f' text:style-name="{style}"' if not depth else ""
            made += f"<text:list{name}><text:list-item>" * (item.depth - depth)
        else:
            made += "</text:list-item></text:list>" * (depth - item.depth) + "</text:list-item><text:list-item>"
        depth = item.depth
        made += f'<text:p text:style-name="Standard">{escape(item.text)}</text:p>'
    return made + "</text:list-item></text:list>" * depth


def _table_xml(block: Block) -> str:
    rows = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell table:style-name="Cell"><text:p text:style-name="Standard">{escape(cell)}</text:p>'
            "</table:table-cell>"
            for cell in row
        )
        + "</table:table-row>"
        for row in block.rows
    )
    columns = f'<table:table-column table:number-columns-repeated="{len(block.rows[0])}"/>'
    return f'<table:table table:name="T{len(block.rows)}">{columns}{rows}</table:table><text:p/>'


def convert(content: str | bytes, ending: str, to: str, target: Path) -> None:
    """Have LibreOffice make `target` of `content`, a file with `ending`; `to` is the filter ("pdf", "docx", …)."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"made.{ending}"
        source.write_bytes(content.encode() if isinstance(content, str) else content)
        profile = f"-env:UserInstallation=file://{Path(tempfile.gettempdir())}/formats-office"
        command = ["soffice", "--headless", profile, "--convert-to", to, "--outdir", f"{folder}/out", str(source)]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        target.parent.mkdir(exist_ok=True)
        shutil.move(next((Path(folder) / "out").iterdir()), target)

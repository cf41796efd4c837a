# ruff: noqa: E501 - pieces of files, not sentences
"""What files are damaged with: small whole files of our own, tokens and pieces of XML that each parser knows."""

from __future__ import annotations

import base64
import functools
import gzip
import json
import zipfile
from io import BytesIO

import office
from pdf_writer import Sheet, pdf

_OPEN = "urn:oasis:names:tc:opendocument:xmlns"
_ODF = " ".join(
    f'xmlns:{prefix}="{_OPEN}:{name}:1.0"'
    for prefix, name in {
        "office": "office", "text": "text", "table": "table", "draw": "drawing", "style": "style", "number": "datastyle",
        "presentation": "presentation", "meta": "meta", "svg": "svg-compatible", "fo": "xsl-fo-compatible",
    }.items()
)  # fmt: skip
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
_CHART = "http://schemas.openxmlformats.org/drawingml/2006/chart"

VALUES = (
    "", " ", "0", "1", "-1", "2", "7", "12", "255", "1000", "65536", "1048576", "2147483647", "2147483648", "-2147483648",
    "99999999999999999999", "9" * 5000, "0.1", "-0", "1e308", "1e999", "1e-999", "-1e308", "NaN", "inf", "0x10", "1_000",
    "²", "١٢", "½", "Ⅷ", "+5", "1,5", "1/0", "%", "%s{0}", "true", "false", "none", "auto", "A1", "A0", "XFD1048576",
    "ZZZZ9", "A1:B2", "B2:A1", "A1:XFD1048576", "rId1", "rId2", "rId999", "../../etc/passwd", "/etc/passwd",
    "C:\\x", "file:///etc/passwd", "http://localhost:9/x", "#", "#x", "data:text/html,x", "\u202e", "\u200b" * 50, "\ufeff",
    "e\u0301" * 200, "\U000e0041\U000e0042", "a" * 3000, "(" * 2000, ". " * 2000, "1." * 1000, "\t", "\n", "2021-02-30",
    "0000-00-00", "9999-12-31T23:59:60Z", "P99999999999999Y", "PT0H", "utf-16", "rot13", "idna", "unicode_escape", "\u2028",
    "General", "[h]:mm:ss", "yyyy-mm-dd", '0.0;[Red]-0;"x"', "#,##0.00", "#" * 300, "0" * 400, "?/?",
)  # fmt: skip
"""What parsers of numbers, places, dates, references and names stumble over."""

_WORDS = (
    b"mutant", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80\xae", b"\r", b"\n\n",
    b"<!--", b"-->", b"]]>", b"&#x110000;", b"&#0;", b"&#xD800;", b"&lt;", b"&", b"\x1b[2J", b"\xe2\x80\x8b",
)  # fmt: skip
_TEXT = (
    b"By Jane Doe", b"By Jane Doe and John Roe\n\n", b"\x0c", b"* * *", b"- item\n", b"1. item\n", b"Page 3 of 9\n",
    b"\n\nCHAPTER IX\n\n", b"Mr. Dr. e.g. ", b"\xe2\x80\x9c", b"\"", b"'", b"(", b"...", b"\xe3\x80\x82", b"Jane Doe is an editor at ",
    b"https://example.org/", b"| a | b |\n|---|---|\n", b"\t", b"-" * 80 + b"\n", b"[1]",
)  # fmt: skip
_MARKDOWN = (
    b"---\n", b"---\ntitle: x\ndate: 2021-02-30\nauthor: [a, {b: c}]\n---\n", b"title: &a [*a, *a]\n", b"!!python/object:os.system ",
    b"```\n", b"~~~~ x\n", b"# ", b"####### ", b"> > > > ", b"    ", b"- - - ", b"[a]: <x> 'y'\n", b"![](x)", b"$$\n", b"<div>",
    b"<details>\n", b"[^1]: ", b"|-|\n", b"===\n", b"***\n", b"<!-- \n", b"\\", b"`" * 9, b"[" * 300, b"{{< x >}}", b":::\n",
)  # fmt: skip
_HTML = (
    b"<table>", b"<tr><td colspan=99999999 rowspan=-1>", b"</table>", b"<ul><li>", b"</div>", b"<pre>", b"<textarea>", b"<title>",
    b"<script>", b"<style>", b"<template>", b"<svg><foreignObject>", b"<math><mi>", b"<select><option>", b"<frameset>", b"<plaintext>",
    b"<noscript>", b"<iframe srcdoc='<p>x'>", b"<base href=//x>", b"<meta charset=utf-7>", b"<meta charset=utf-16>",
    b"<meta http-equiv=content-type content='text/html; charset=x'>", b"<![CDATA[", b"<?xml version='1.0' encoding='utf-32'?>",
    b"<p hidden>", b"<p style='display:none'>", b"<div role=navigation>", b"<h1>", b"</h9>", b"<ruby>x<rt>y</ruby>", b"<br>",
    b"<time datetime=2021-13-45>", b"<meta name=author content='>", b"<meta property=article:published_time content=0>", b"<dl><dt><dd>",
    b"<body>", b"</html>", b"<a href='javascript:x'>", b"<img alt=x>", b"<details><summary>", b"<main>", b"<article>", b"<center>",
)  # fmt: skip
_RTF = (
    rb"\bin99999999 ", rb"\bin-1 ", rb"\uc0\u-10179 ?", rb"\uc999999999 ", rb"\u55357 ?", rb"\u99999999999 ?", rb"\'ff", rb"\'zz",
    rb"{\*\unknown ", rb"{\footnote ", rb"\trowd\cellx1\intbl x\cell\row ", rb"\itap9\nestcell{\*\nesttableprops\nestrow}", rb"\par ",
    rb"{\field{\*\fldinst HYPERLINK x}{\fldrslt y}}", rb"{\pict\pngblip 89504e47}", rb"\ansicpg65001 ", rb"\ansicpg932 ", rb"\ansicpg0 ",
    rb"{\listtext 1.\tab}", rb"\ls1\ilvl9 ", rb"{\info{\title x}{\creatim\yr99999\mo13\dy99}}", rb"{\stylesheet{\s1 heading 1;}}", rb"\s1 ",
    rb"\f99 ", rb"\fs-2 ", rb"{\fonttbl{\f0\fcharset128 x;}}", rb"\v ", rb"\deleted ", rb"{\*\annotation x}", b"}" * 40, b"{" * 6000,
    rb"\upr{x}{\*\ud{\u1234 ?}}", rb"\page ", rb"\outlinelevel99 ", rb"{\object{\*\objdata 00}{\result x}}", b"\\", b"\\\n",
)  # fmt: skip
_PDF = (
    b"BT ", b"ET ", b"(x) Tj ", b"[(a) -9999 (b)] TJ ", b"/F1 12 Tf ", b"/F99 -5 Tf ", b"0 0 0 0 0 0 Tm ", b"1 0 0 1 1e9 1e9 cm ", b"q ",
    b"Q Q Q ", b"3 Tr ", b"/Fm0 Do ", b"BI /W 99999 /H 99999 /CS /G /BPC 8 ID x EI ", b"200 Tz ", b"0 Tz ", b"1e9 Tc ", b"-1e9 Tw ",
    b"T* ", b"' ", b"/Span <</ActualText (x)>> BDC ", b"EMC ", b"<FEFFD800> Tj ", b"<0", b"(((", b")", b"<<", b">>", b"[", b"]",
    b"/Type /Page", b"/Kids [2 0 R 2 0 R]", b"/Parent 2 0 R", b"/Count -1", b"/Count 99999999", b"/Filter [/FlateDecode /FlateDecode]",
    b"/Filter /LZWDecode", b"/Filter /JBIG2Decode", b"/Filter /JPXDecode", b"/DecodeParms << /Predictor 15 /Columns 99999999 >>",
    b"/Length 99999999", b"/Rotate 45", b"/MediaBox [0 0 0 0]", b"/MediaBox [0 0 1e9 1e9]", b"/UserUnit 1e9", b"/Encrypt 1 0 R",
    b"/Prev 0", b"/XRefStm 1", b"stream\n", b"endstream", b"endobj", b"1 0 R", b"0 0 R", b"null", b"true", b"1 begincodespacerange ",
    b"1 beginbfrange <00> <FFFFFFFF> <D800> endbfrange ", b"/ToUnicode 1 0 R", b"/Subtype /Type3", b"/Widths [-1 1e9]", b"/FirstChar 255",
)  # fmt: skip
_MAIL = (
    b"Content-Type: multipart/mixed; boundary=x\n", b"Content-Type: multipart/alternative; boundary=\"\"\n", b"--x\n", b"--x--\n",
    b"Content-Type: message/rfc822\n\n", b"Content-Type: message/partial; number=1\n", b"Content-Type: text/plain; charset=rot13\n",
    b"Content-Type: text/html; charset*=utf-16''x\n", b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: uuencode\n",
    b"Content-Transfer-Encoding: quoted-printable\n", b"begin 644 x\n#0V%T\n`\nend\n", b"=?utf-8?B?////?=", b"=?utf-8?Q?=FF=D8?=",
    b"=?idna?B?eA==?=", b"Subject: =?utf-16?B?2AA=?=\n", b"From: <@a:@b:x@y>, (((((\n", b"From: \xff\xfe <x@y>\n", b"To: a:b:c;;;,,<\n",
    b"Date: Mon, 99 Foo 99999 99:99:99 +9999\n", b"Date: Thu, 1 Jan 1970 00:00:00 -0000\n", b"Content-Disposition: attachment; filename=x.zip\n",
    b"Content-Disposition: attachment; filename*0*=utf-8''%FF; filename*1=x\n", b"Message-ID: <[]@>\n", b"\n\nFrom x Mon Jan  1 00:00:00 2021\n",
    b"Content-Type: application/ms-tnef\n", b"Content-Type: multipart/signed; protocol=x\n", b"format=flowed; delsp=yes", b"> > >", b"-- \n",
    b"On Monday X wrote:\n", b"-----Original Message-----\n", b"Content-Type: text/plain; charset=\"\n\n", b"X-Mozilla-Status: 0009\n",
    b"MIME-Version: 1.0\n", b"Content-Type: /\n", b";;;=;=", b"\x00",
)  # fmt: skip
_TABLE = (
    b'"', b'""', b'",\n"', b",,,,", b";" * 300, b"\t" * 50, b"sep=;\n", b"\n\n\n", b"=1+1", b"1,234.5", b"1.234,5", b"2021-01-01", b"a,b\n",
    b'"' + b"x\n" * 200 + b'"', b"\r", b"|", b"'", b"\\", b"," * 5000,
)  # fmt: skip
_JSON = (
    b"{", b"}", b"[", b"]", b":", b",", b'"', b"null", b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b'"\\ud800"', b'"\\u0000"', b'{"":',
    b"[" * 3000, b'{"a":' * 3000, b'"title":"x",', b'"text":"' + b"word " * 100 + b'",', b'"cells":[],', b'"nbformat":4,', b"//x\n",
    b'"date":"2021-02-30",', b'"cell_type":"markdown",', b'"source":[["x"]],', b'"outputs":[{"data":{"text/html":"<p>x"}}],', b"\\",
)  # fmt: skip
_FAMILIES = {
    "pdf": _PDF, "rtf": _RTF, "csv": _TABLE, "tsv": _TABLE, "html": _HTML, "mhtml": _MAIL + _HTML, "md": _MARKDOWN + _HTML, "txt": _TEXT,
    "eml": _MAIL, "mbox": _MAIL, "json": _JSON, "jsonl": _JSON, "ipynb": _JSON + _MARKDOWN, "epub": _HTML,
}  # fmt: skip
_W = (
    '<w:p><w:pPr><w:numPr><w:ilvl w:val="9"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>item</w:t></w:r></w:p>',
    '<w:p><w:pPr><w:pStyle w:val="Heading1"/><w:outlineLvl w:val="-1"/></w:pPr><w:r><w:t>head</w:t></w:r></w:p>',
    '<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="99999"/><w:vMerge/></w:tcPr><w:p/></w:tc></w:tr></w:tbl>',
    '<w:tbl><w:tr><w:tc><w:tbl><w:tr><w:tc><w:p><w:r><w:t>x</w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:tc></w:tr></w:tbl>',
    '<w:r><w:fldChar w:fldCharType="begin"/></w:r>', '<w:r><w:fldChar w:fldCharType="end"/></w:r>', "<w:r><w:instrText>TOC</w:instrText></w:r>",
    '<w:footnoteReference w:id="1"/>', '<w:footnoteReference w:id="-1"/>', '<w:sym w:font="Wingdings" w:char="F0FFFFFF"/>',
    "<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent><w:p><w:r><w:t>x</w:t></w:r></w:p></w:sdtContent></w:sdt>",
    "<w:del><w:r><w:delText>gone</w:delText></w:r></w:del>", "<w:ins><w:r><w:t>new</w:t></w:r></w:ins>", "<w:moveFrom><w:p/></w:moveFrom>",
    '<w:altChunk r:id="rId1"/>', "<mc:AlternateContent><mc:Choice Requires='x'><w:p/></mc:Choice><mc:Fallback/></mc:AlternateContent>",
    "<w:pict><v:shape><v:textbox><w:txbxContent><w:p><w:r><w:t>box</w:t></w:r></w:p></w:txbxContent></v:textbox></v:shape></w:pict>",
    "<m:oMath><m:r><m:t>x</m:t></m:r></m:oMath>", "<w:lastRenderedPageBreak/>", '<w:br w:type="page"/>', "<w:rPr><w:vanish/></w:rPr>",
    '<w:style w:type="paragraph" w:styleId="a"><w:basedOn w:val="a"/></w:style>', "<w:t/>", "<w:p><w:p/></w:p>", "<w:tc/>", "<w:tr/>",
    '<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="99999999"/><w:numFmt w:val="cardinalText"/></w:lvl></w:abstractNum>',
    '<w:num w:numId="1"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="0"/></w:lvlOverride></w:num>',
    '<w:lvl w:ilvl="1"><w:numFmt w:val="upperRoman"/><w:lvlText w:val="%1.%2.%9%%"/></w:lvl>',
)  # fmt: skip
_A = (
    "<p:sp><p:txBody><a:p><a:r><a:t>x</a:t></a:r></a:p></p:txBody></p:sp>", "<p:grpSp/>", '<a:p><a:pPr lvl="99"/><a:fld/></a:p>',
    '<a:tbl><a:tr><a:tc gridSpan="9999" rowSpan="-1" hMerge="1"><a:txBody/></a:tc></a:tr></a:tbl>', '<p:sldId r:id="rId1"/>', "<a:br/>",
    '<p:nvPr><p:ph type="title" idx="4294967295"/></p:nvPr>', '<a:pPr><a:buAutoNum type="romanUcPeriod" startAt="99999999"/></a:pPr>',
    '<a:off x="x" y=""/>', "<p:graphicFrame/>", "<mc:AlternateContent><mc:Fallback><p:sp/></mc:Fallback></mc:AlternateContent>",
)  # fmt: skip
_O = (
    '<text:s text:c="999999999"/>', '<text:s text:c="-5"/>', "<text:tab/>", "<text:line-break/>", '<text:h text:outline-level="99">x</text:h>',
    "<text:list><text:list-item><text:p>x</text:p></text:list-item></text:list>", '<text:list text:continue-list="x"/>', "<text:p><text:p/></text:p>",
    '<text:list-item text:start-value="99999999999"/>', "<text:note><text:note-body><text:p>x</text:p></text:note-body></text:note>",
    '<text:change-start text:change-id="a"/>', '<text:change-end text:change-id="a"/>', "<office:annotation><text:p>x</text:p></office:annotation>",
    '<table:table table:name="x"><table:table-row table:number-rows-repeated="1048576"><table:table-cell/></table:table-row></table:table>',
    '<table:table-cell table:number-columns-repeated="16384" office:value-type="float" office:value="1e308"><text:p>1</text:p></table:table-cell>',
    '<table:table-cell office:value-type="date" office:date-value="99999-99-99T99:99:99"/>', "<table:covered-table-cell/>", "<draw:frame/>",
    '<table:table-cell office:value-type="time" office:time-value="PT999999999999H"/>', '<table:table-cell office:value-type="percentage"/>',
    '<table:table-column table:number-columns-repeated="99999999" table:visibility="collapse"/>', "<draw:page/>", "<draw:text-box/>",
    "<text:tracked-changes><text:changed-region><text:deletion/></text:changed-region></text:tracked-changes>", "<text:hidden-paragraph/>",
    '<table:table-cell table:number-columns-spanned="9999" table:number-rows-spanned="9999"/>', "<text:table-of-content/>", "<text:ruby/>",
    '<style:style style:name="a" style:family="paragraph" style:parent-style-name="a"/>', '<text:list-level-style-number text:level="99"/>',
    '<office:binary-data/>', '<text:a>x</text:a>', '<text:section text:display="none"/>',
)  # fmt: skip
_X = (
    '<row r="1048577"><c r="XFE1"><v>1</v></c></row>', '<row r="-1"/>', '<c r="A1" t="s"><v>99999999999</v></c>', '<c t="s"><v>-1</v></c>',
    '<c t="inlineStr"><is><t>x</t></is></c>', '<c r="1A" s="999"><v>1e308</v></c>', '<c t="d"><v>2021-99-99</v></c>', '<c t="e"><v>#N/A</v></c>',
    '<mergeCell ref="A1:XFD1048576"/>', '<mergeCell ref="B9:A1"/>', '<col min="1" max="16384" hidden="1"/>', '<numFmt numFmtId="164" formatCode="[h]:mm:ss.000"/>',
    '<xf numFmtId="14" fontId="99"/>', "<si><r><t>x</t></r><rPh><t>y</t></rPh></si>", '<sheet name="x" sheetId="1" state="veryHidden"/>',
    '<numFmt numFmtId="165" formatCode="&quot;"/>', '<definedName name="_xlnm.Print_Titles">x!$1:$1048576</definedName>', "<v>NaN</v>",
    '<c s="1"><v>-99999999999</v></c>', '<c s="2"><v>2958466</v></c>', '<t xml:space="preserve">_xD800__x0000_</t>', '<workbookPr date1904="1"/>',
)  # fmt: skip
_H = (
    '<table xmlns="http://www.w3.org/1999/xhtml"><tr><td colspan="9999">x</td></tr></table>', '<itemref xmlns="http://www.idpf.org/2007/opf" idref="x"/>',
    '<item xmlns="http://www.idpf.org/2007/opf" id="x" href="../../x" media-type="application/xhtml+xml"/>', '<li xmlns="http://www.w3.org/1999/xhtml">x</li>',
    '<itemref xmlns="http://www.idpf.org/2007/opf" idref="c" linear="no"/>', '<rootfile xmlns="urn:oasis:names:tc:opendocument:xmlns:container" full-path="x"/>',
    '<dc:date xmlns:dc="http://purl.org/dc/elements/1.1/">99999</dc:date>', '<pre xmlns="http://www.w3.org/1999/xhtml">x</pre>', "<nav/>",
)  # fmt: skip


def tokens(parser: str) -> tuple[bytes, ...]:
    """Words that the parser of this format takes for more than text."""
    return _WORDS + _FAMILIES.get(parser, ())


@functools.cache
def snippets(parser: str) -> tuple[bytes, ...]:
    """Elements that may stand anywhere in a member of an archive, each with its names declared."""
    known = {"docx": (_W, office.NAMESPACES), "pptx": (_A, office.NAMESPACES), "xlsx": (_X, f'xmlns="{_SHEET}"')}
    known |= dict.fromkeys(("odt", "ods", "odp"), (_O, _ODF))
    pieces, names = known.get(parser, (_H, ""))
    return tuple(_declared(each, names).encode() for each in pieces)


def _declared(piece: str, names: str) -> str:
    end = min(at for at in (piece.find(" "), piece.find("/"), piece.find(">")) if at > 0)
    return f"{piece[:end]} {names}{piece[end:]}"


@functools.cache
def own(parser: str) -> tuple[bytes, ...]:
    """Small whole files with what the samples seldom have."""
    made = {
        "pdf": _pdf, "docx": _docx, "odt": _odt, "rtf": _rtf, "pptx": _pptx, "odp": _odp, "xlsx": _xlsx, "ods": _ods, "csv": _csv,
        "tsv": _tsv, "epub": _epub, "html": _html, "mhtml": _mhtml, "md": _md, "txt": _txt, "eml": _eml, "mbox": _mbox, "json": _json,
        "jsonl": _jsonl, "ipynb": _ipynb, "gz": _gz, "zip": _zip,
    }  # fmt: skip
    return (made[parser](),)


def _pdf() -> bytes:
    first, second, third = Sheet(), Sheet(rotate=90), Sheet()
    first.put(60, 60, "The Mill of Sarn", size=20, font="bold")
    end = first.flow(
        60, 100, "The mill was built in 1794 by three families and it ground barley until the flood. " * 3, 220
    )
    first.flow(
        310, 100, "On the other side of the river stood the smithy, which burnt down twice in ten years. " * 3, 220
    )
    first.put(60, end + 20, "abc", font="hebrew")
    first.put(60, end + 40, "unseen", extra="3 Tr")
    first.line(60, end + 50, 500, end + 50)
    first.put(60, 820, "Page 1 of 3", size=8)
    second.put(60, 60, "1. The first of two items", matrix="0 1 -1 0 300 300")
    second.picture(10, 10, 500, 500)
    third.put(60, 60, "[1] A note on barley.", size=7)
    third.box(50, 50, 90, 90)
    return pdf([first, second, third], {"Title": "The Mill", "Author": "Jane Doe", "CreationDate": "D:20210620"})


def _docx() -> bytes:
    apart = ("<w:style", "<w:abstractNum", "<w:num", "<w:lvl", "<w:rPr")
    made = office.docx_file(
        '<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>The Mill</w:t></w:r></w:p>'
        f"{''.join(each for each in _W if not each.startswith(apart))}"
        '<w:p><w:r><w:t>It ground barley.</w:t></w:r></w:p><w:sectPr><w:headerReference r:id="rId4"/></w:sectPr>',
        styles='<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/></w:style>',
        numbering="".join(each for each in _W if each.startswith(("<w:abstractNum", "<w:num"))),
        footnotes='<w:footnote w:id="1"><w:p><w:r><w:t>A note.</w:t></w:r></w:p></w:footnote>',
        header1="<w:p><w:r><w:t>Head</w:t></w:r></w:p>",
        comments='<w:comment w:id="0"><w:p/></w:comment>',
    )
    with zipfile.ZipFile(BytesIO(made)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return office.zipped({"[Content_Types].xml": _TYPES, **members})


def _open_document(kind: str, body: str, automatic: str = "") -> bytes:
    meta = "<dc:title xmlns:dc='http://purl.org/dc/elements/1.1/'>The Mill</dc:title><meta:creation-date>2021-06-20</meta:creation-date>"
    return office.zipped({
        "mimetype": f"application/vnd.oasis.opendocument.{kind}",
        "content.xml": f"<office:document-content {_ODF}><office:automatic-styles>{automatic}</office:automatic-styles>"
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>",
        "styles.xml": f"<office:document-styles {_ODF}><office:styles><style:style style:name='Heading_20_1' style:family='paragraph'"
        " style:default-outline-level='1'/></office:styles></office:document-styles>",
        "meta.xml": f"<office:document-meta {_ODF}><office:meta>{meta}</office:meta></office:document-meta>",
    })  # fmt: skip


def _odt() -> bytes:
    pieces = "".join(
        f"<text:p>The mill {each} stood here.</text:p>"
        for each in _O
        if each.startswith(("<text:s", "<text:note", "<office:a", "<text:t"))
    )
    lists = "<text:list text:style-name='L1'><text:list-item><text:p>One</text:p><text:list><text:list-item><text:p>Two</text:p></text:list-item></text:list></text:list-item></text:list>"
    table = "<table:table><table:table-row><table:table-cell table:number-columns-spanned='2'><text:p>a</text:p></table:table-cell><table:covered-table-cell/></table:table-row></table:table>"
    style = "<text:list-style style:name='L1'><text:list-level-style-number text:level='1' style:num-format='1' style:num-suffix='.'/></text:list-style>"
    return _open_document("text", f"<text:h text:outline-level='1'>The Mill</text:h>{pieces}{lists}{table}", style)


def _odp() -> bytes:
    pages = "".join(
        f"<draw:page draw:name='p{number}'><draw:frame presentation:class='title' svg:x='1cm' svg:y='{number}cm'><draw:text-box><text:p>Slide"
        f" {number}</text:p></draw:text-box></draw:frame><draw:frame><table:table><table:table-row><table:table-cell><text:p>a</text:p>"
        "</table:table-cell></table:table-row></table:table></draw:frame><presentation:notes><draw:frame presentation:class='notes'>"
        "<draw:text-box><text:p>note</text:p></draw:text-box></draw:frame></presentation:notes></draw:page>"
        for number in (1, 2)
    )
    return _open_document("presentation", pages)


def _ods() -> bytes:
    cell = "<table:table-cell office:value-type='{}' office:{}='{}' table:style-name='ce1'><text:p>{}</text:p></table:table-cell>"
    values = (("float", "value", "1234.5", "1,234.50"), ("date", "date-value", "2021-06-20", "20/06/21"), ("time", "time-value", "PT12H30M00S", "12:30"),
              ("percentage", "value", "0.5", "50 %"), ("boolean", "boolean-value", "true", "TRUE"), ("string", "string-value", "x", "barley"))  # fmt: skip
    row = "".join(cell.format(*each) for each in values)
    head = "".join(
        f"<table:table-cell office:value-type='string'><text:p>{name}</text:p></table:table-cell>"
        for name in ("Sum", "Day", "Hour", "Part", "Paid", "Grain")
    )
    rows = f"<table:table-header-rows><table:table-row>{head}</table:table-row></table:table-header-rows><table:table-row table:number-rows-repeated='3'>{row}</table:table-row>"
    style = "<style:style style:name='ce1' style:family='table-cell'><style:text-properties fo:font-weight='bold'/></style:style>"
    return _open_document(
        "spreadsheet",
        f"<table:table table:name='Mill'><table:table-column table:number-columns-repeated='6'/>{rows}</table:table>",
        style,
    )


def _pptx() -> bytes:
    chart = (
        f'<c:chartSpace xmlns:c="{_CHART}"><c:chart><c:plotArea><c:barChart><c:ser><c:tx><c:v>Barley</c:v></c:tx><c:cat><c:pt idx="0"><c:v>1794</c:v></c:pt></c:cat>'
        '<c:val><c:pt idx="0"><c:v>12.5</c:v></c:pt></c:val></c:ser></c:barChart></c:plotArea></c:chart></c:chartSpace>'
    )
    title = '<p:sp><p:nvSpPr><p:nvPr><p:ph type="title"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>The Mill</a:t></a:r></a:p></p:txBody></p:sp>'
    graphic = f'<p:graphicFrame><a:graphic><a:graphicData><c:chart xmlns:c="{_CHART}" r:id="rId2"/></a:graphicData></a:graphic></p:graphicFrame>'
    return office.zipped({
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": office.relations(("officeDocument", "ppt/presentation.xml")),
        "ppt/presentation.xml": f'<p:presentation {office.NAMESPACES}><p:sldIdLst><p:sldId r:id="rId1"/></p:sldIdLst></p:presentation>',
        "ppt/_rels/presentation.xml.rels": office.relations(("slide", "slides/slide1.xml")),
        "ppt/slides/slide1.xml": f"<p:sld {office.NAMESPACES}><p:cSld><p:spTree>{title}{''.join(_A)}{graphic}</p:spTree></p:cSld></p:sld>",
        "ppt/slides/_rels/slide1.xml.rels": office.relations(("notesSlide", "../notesSlides/n1.xml"), ("chart", "../charts/c1.xml")),
        "ppt/notesSlides/n1.xml": f"<p:notes {office.NAMESPACES}><p:cSld><p:spTree>{title.replace('title', 'body')}</p:spTree></p:cSld></p:notes>",
        "ppt/charts/c1.xml": chart,
    })  # fmt: skip


def _xlsx() -> bytes:
    cells = "".join(each for each in _X if each.startswith("<c "))
    xfs = "".join(f'<xf numFmtId="{number}" fontId="{number % 2}"/>' for number in (0, 14, 164, 165, 9, 46, 22, 166))
    formats = "".join(
        f'<numFmt numFmtId="{number}" formatCode="{code}"/>'
        for number, code in ((164, "[h]:mm:ss.00"), (165, "#,##0.00 &quot;kg&quot;;[Red]-0"), (166, "# ?/?"))
    )
    dates = "".join(
        f'<row r="{row + 2}">' + "".join(f'<c s="{style}"><v>{value}</v></c>' for style in range(8)) + "</row>"
        for row, value in enumerate((0, 1.5, 44367.25, -3, 61, 1e6))
    )
    return office.zipped({
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": office.relations(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{_SHEET}" xmlns:r="{office.R}"><sheets><sheet name="Mill" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": office.relations(("worksheet", "s1.xml"), ("sharedStrings", "strings.xml"), ("styles", "styles.xml")),
        "xl/s1.xml": f'<worksheet xmlns="{_SHEET}"><sheetData><row r="1"><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row>{dates}<row r="9">{cells}</row></sheetData>'
        '<mergeCells><mergeCell ref="A1:B2"/></mergeCells></worksheet>',
        "xl/strings.xml": f'<sst xmlns="{_SHEET}"><si><t>Grain</t></si><si><r><t>Pri</t></r><r><t>ce</t></r></si></sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{_SHEET}"><numFmts>{formats}</numFmts><fonts><font/><font><b/></font></fonts><cellXfs>{xfs}</cellXfs></styleSheet>',
    })  # fmt: skip


def _rtf() -> bytes:
    known = b"\n".join(
        each
        for each in _RTF
        if not each.startswith((b"\\bin", b"}", b"{" * 9)) and each.count(b"{") == each.count(b"}")
    )
    return (
        rb"{\rtf1\ansi\ansicpg1252\deff0 The mill\par " + known + rb"\b Barley\b0\par It ground barley until 1794.\par}"
    )


def _csv() -> bytes:
    return b'Mill;Built;"Grain, in tonnes"\n"Sarn ""old""";1794;1.234,50\nTarn;1832;\n"two\nlines";;;;\n\nSum;;99\n'


def _tsv() -> bytes:
    return b"Mill\tBuilt\tGrain\n" + b"".join(b"Sarn %d\t17%02d\t%d.5\n" % (row, row, row) for row in range(12))


_PAGE = """<!doctype html><html lang=en><head><meta charset=utf-8><title>The Mill &amp; the river</title>
<script type="application/ld+json">{"@type":"Article","author":{"name":"Jane Doe"},"datePublished":"2021-06-20"}</script>
<meta name=author content="Jane Doe"></head><body><nav><a href=/>Home</a></nav><header><h1>The Mill</h1></header><main>
<p>By Jane Doe<p>It ground <b>barley</b>&nbsp;until&#x2028;1794.<br>Then it <span hidden>secret</span> stopped.
<ul><li>one<ul><li>two<li>three</ul><li>four</ul><table><caption>Years</caption><tr><th colspan=2>a<tr><td>b<td>c</table>
<dl><dt>x<dd>y</dl><pre>  code\n\n more</pre><blockquote><p>said</blockquote><ruby>字<rt>zi</ruby><details><summary>s</summary>t</details>
<svg><title>x</title><text>y</text></svg><math><mi>x</mi></math><template><p>z</template><!-- comment --><div style="display:none">no</div>
<form><input value=x><button>go</button></form></main><footer>1794</footer></body></html>"""


def _html() -> bytes:
    return _PAGE.encode()


def _epub() -> bytes:
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The Mill</dc:title>'
        '<dc:creator>Jane Doe</dc:creator><dc:date>2021</dc:date></metadata><manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="b" href="b.xhtml" media-type="application/xhtml+xml"/><item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
        '</manifest><spine><itemref idref="a"/><itemref idref="b" linear="no"/></spine></package>'
    )
    page = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>{0}</title></head><body><h1 id="x">{0}</h1><p>It ground barley.</p><aside>note</aside></body></html>'
    return office.zipped({
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="c/p.opf"/></rootfiles></container>',
        "c/p.opf": package,
        "c/a.xhtml": page.format("One"),
        "c/b.xhtml": page.format("Two"),
        "c/nav.xhtml": page.format("Contents").replace("<aside>note</aside>", '<nav><ol><li><a href="a.xhtml#x">One</a></li></ol></nav>'),
    })  # fmt: skip


def _md() -> bytes:
    return b"""---
title: The Mill
author: [Jane Doe, John Roe]
date: 2021-06-20
---
# The Mill *of* [Sarn](http://x)

By Jane Doe

It ground **barley**[^1] <!-- until --> 1794. <b>So</b> ![alt](x.png)

- one
  - two
1. three

| a | b |
|---|--:|
| c | d |

```python
print("x")
```

> said
> so

[^1]: A note.
[x]: http://y "z"

Setext
======
    indented
"""


def _txt() -> bytes:
    return (
        "THE MILL OF SARN\n\nBy Jane Doe | The Paper\n\nThe mill was built in 1794 by three families, who paid for it\nout of a levy of two pence. "
        "Dr. Falk said: “It ground barley.” Nobody\nbelieved her.\n\n  * one\n  * two\n\n1. first\n2. second\n\nTable of Contents\n\nChapter 1 ..... 3\n\n"
        "页。这是第二句话。\n\n\x0cPage 2 of 9\n\nJane Doe is an editor at The Paper.\n"
    ).encode()


def _eml() -> bytes:
    page = base64.encodebytes(_PAGE.encode()).decode()
    inner = "From: b@example.org\nSubject: Inner\nDate: Mon, 1 Feb 2021 10:00:00 +0100\n\nInside it ground rye.\n"
    return f"""From: =?utf-8?B?SmFuZSBEb2U=?= <jane@example.org>
To: John <john@example.org>, Group: a@b, c@d;
Subject: =?iso-8859-1?Q?The_M=FChle?=
Date: Sun, 20 Jun 2021 10:00:00 +0200
Message-ID: <1@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes
Content-Transfer-Encoding: quoted-printable

It ground barley =E2=80=93 until 1794.=20
Then it stopped.

On Monday John wrote:
> Did it?
>> It did.
--=20
Jane
--inner
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

{page}--inner--
--outer
Content-Type: message/rfc822

{inner}
--outer
Content-Type: text/csv; name="t.csv"
Content-Disposition: attachment; filename*=utf-8''t%C3%A9.csv

a,b,c
1,2,3
--outer--
""".encode()


def _mhtml() -> bytes:
    quoted = _PAGE.replace("=", "=3D")
    return f"""From: <Saved by Blink>
Snapshot-Content-Location: https://example.org/
Subject: The Mill
Date: Sun, 20 Jun 2021 10:00:00 -0000
MIME-Version: 1.0
Content-Type: multipart/related; type="text/html"; boundary="x"

--x
Content-Type: text/html
Content-Transfer-Encoding: quoted-printable
Content-Location: https://example.org/

{quoted}
--x
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

{base64.encodebytes(b"<p>A frame of the page.").decode()}
--x--
""".encode()


def _mbox() -> bytes:
    message = b"From x@example.org Mon Jan  1 00:00:00 2021\n" + _eml() + b"\n"
    return (
        message
        + message.replace(b"Message-ID", b"X-Mozilla-Status: 0009\nMessage-ID")
        + b"From y Mon Jan  1 00:00:00 2021\nSubject: z\n\n>From here\n"
    )


def _json() -> bytes:
    value = {
        "title": "Mills", "author": "Jane Doe", "date": "2021-06-20", "count": 2.50, "open": True, "none": None,
        "mills": [{"title": "Sarn", "text": "It ground barley until 1794. " * 8, "tags": ["a", "b"], "at": {"x": 1, "y": [1, 2, 3] * 9}}, {"title": "Tarn", "html": _PAGE}],
        "more": {"a": {"name": "x"}, "b": {"name": "y"}}, "data": "QUJD" * 90,
    }  # fmt: skip
    return json.dumps(value).encode()


def _jsonl() -> bytes:
    return b"".join(
        json.dumps({"title": f"Mill {row}", "text": "It ground barley. " * row, "x": [row, None, {"y": row}]}).encode()
        + b"\n"
        for row in range(9)
    )


def _ipynb() -> bytes:
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": ["x\n"]}, {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[31mx"]},
        {"output_type": "execute_result", "data": {"text/html": ["<table><tr><td>1</table>"], "text/plain": "1", "image/png": "AA=="}, "execution_count": 1},
    ]  # fmt: skip
    cells = [
        {"cell_type": "markdown", "source": ["# The Mill\n", "It ground barley."], "metadata": {}},
        {"cell_type": "code", "source": "print(1)", "outputs": outputs, "execution_count": 1, "metadata": {"tags": ["hide"]}},
        {"cell_type": "raw", "source": ["raw"]}, {"cell_type": "markdown", "source": "", "attachments": {"x.png": {"image/png": "AA=="}}},
    ]  # fmt: skip
    return json.dumps(
        {
            "cells": cells,
            "metadata": {"title": "Mill", "authors": [{"name": "Jane Doe"}], "language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    ).encode()


def _gz() -> bytes:
    return gzip.compress(_txt(), mtime=0)


def _zip() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {
            "a/é.txt": _txt(),
            "b.md": _md(),
            "c.html": _html(),
            "d.eml": _eml(),
            "e.csv": _csv(),
            "f.txt.gz": _gz(),
            ".hidden": b"x",
            "g/": b"",
        }.items():
            archive.writestr(zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0)), content)
    return out.getvalue()

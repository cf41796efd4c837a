"""Office files written by hand: the parts of a ZIP archive around a body."""

import io
import zipfile

from rag_geo.readers.layout import document_of
from rag_geo.settings import ReadingSettings

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
NAMESPACES = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in {
        "w": W,
        "r": R,
        "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
        "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
        "v": "urn:schemas-microsoft-com:vml",
        "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
        "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
        "p": "http://schemas.openxmlformats.org/presentationml/2006/main",
    }.items()
)


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def relations(*pairs):
    """A part of relations: `pairs` are (kind, target), the ids "rId1" and on."""
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{R}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(pairs, start=1)
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{listed}</Relationships>'


def core(fields):
    """The part of core properties; `fields` are elements."""
    return (
        f'<cp:coreProperties xmlns:cp="{PACKAGE}/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        f' xmlns:dcterms="http://purl.org/dc/terms/">{fields}</cp:coreProperties>'
    )


def docx_file(body, styles="", **parts):
    """A Word document: `parts` are the insides of other parts by name ("footnotes"), rId1 is the first of them."""
    named = {"styles": styles, **parts} if styles else parts
    members = {
        "_rels/.rels": relations(("officeDocument", "word/document.xml")),
        "word/document.xml": f"<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>",
        "word/_rels/document.xml.rels": relations(*((name.strip("0123456789"), f"{name}.xml") for name in named)),
    }
    for name, inside in named.items():
        members[f"word/{name}.xml"] = f"<w:{name} {NAMESPACES}>{inside}</w:{name}>"
    return zipped(members)


def read_with(module, data, format):
    """The document that a reader makes of `data`."""
    return document_of(f"file.{format}", "", format, module.read(data, f"file.{format}", ReadingSettings()))


def texts(document):
    return [document.text[paragraph.start : paragraph.end] for paragraph in document.paragraphs]


def kinds(document):
    return [(paragraph.kind, document.text[paragraph.start : paragraph.end]) for paragraph in document.paragraphs]


def places(document):
    return [(paragraph.place, document.text[paragraph.start : paragraph.end]) for paragraph in document.paragraphs]


def marks(document):
    return [(paragraph.debris, document.text[paragraph.start : paragraph.end]) for paragraph in document.paragraphs]

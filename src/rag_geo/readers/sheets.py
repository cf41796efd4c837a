"""Read a workbook (XLSX, ODS): each sheet under its name, each row of a table as a paragraph with its column names."""

from __future__ import annotations

from functools import partial

from rag_geo.readers.archives import open_archive
from rag_geo.readers.blocks import UnreadableError
from rag_geo.readers.layout import Draft, Layout
from rag_geo.readers.plain import title_from_name
from rag_geo.readers.rows import add_tables
from rag_geo.settings import ReadingSettings

_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def read(data: bytes, name: str, settings: ReadingSettings) -> Layout:
    """The layout of a workbook; raises UnreadableError when it is damaged, locked or too large.

    The title is the one in its properties, else its first title line, else the name of the file: "Sheet1" says nothing.
    """
    if data.startswith(_OLD_OFFICE):
        raise UnreadableError("needs a password" if _ENCRYPTED in data else "damaged: not a workbook")
    archive = open_archive(data)
    if "content.xml" in archive:
        from rag_geo.readers.ods import read_ods

        book = read_ods(archive)
    else:
        from rag_geo.readers.xlsx import read_xlsx

        book = read_xlsx(archive)
    draft = Draft()
    title = book.properties.title
    for sheet in book.sheets:
        if sheet.rows:
            draft.add(sheet.name, "heading", level=1, place=f"sheet {sheet.name}")
            first = add_tables(draft, sheet.rows, partial(_place, sheet.name))
            title = title or first
    return Layout(
        draft.text,
        tuple(draft.blocks),
        title=title or title_from_name(name),
        author=book.properties.author,
        date=book.properties.date,
        metadata=book.properties.rest,
        removed=tuple(sorted((+book.removed).items())),
        warnings=tuple(book.warnings),
    )


def _place(sheet: str, row: int) -> str:
    return f"sheet {sheet}, row {row}"

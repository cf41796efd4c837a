"""Read a PDF: its text in reading order as paragraphs with their pages, through pdfium.

`pages` takes the characters off a page, `running` sets aside what every page repeats, `columns` finds the reading
order, `paragraphs` makes blocks of lines, `wording` joins the words. All of it is geometry; nothing is drawn.
"""

from __future__ import annotations

import ctypes
import re
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag_geo.readers.blocks import UnreadableError
from rag_geo.readers.layout import Draft, Layout
from rag_geo.readers.metadata import clean, iso_date
from rag_geo.readers.pdf.columns import Line, Region, lines_of, regions
from rag_geo.readers.pdf.pages import Page, PageReader
from rag_geo.readers.pdf.paragraphs import Measure, Piece, joined, measure, pieces_of, text_of
from rag_geo.readers.pdf.running import take_running_lines
from rag_geo.readers.pdf.scanned import INSTALL, can_recognise, recognise_page
from rag_geo.readers.pdf.wording import vocabulary
from rag_geo.settings import ReadingSettings

if TYPE_CHECKING:
    import pypdfium2

_ONE_AT_A_TIME = threading.Lock()
"""pdfium keeps global state and must not be called by two threads at once."""

MAX_PAGES = 10_000
"""Pages that are read of one file, from the first."""

_PASSWORD_ERROR = 4  # FPDF_ERR_PASSWORD; there is one more for handlers that pdfium does not know
_SECURITY_ERROR = 5
_LONGEST_FIELD = 1 << 16
_DATE = re.compile(r"(?:D:)?(\d{4})(\d{2})?(\d{2})?")
_NO_TITLE = re.compile(
    r"untitled\d*|untitled document|document\d*|title|slide \d+|powerpoint presentation|"
    r"(?:microsoft (?:word|powerpoint|excel)|adobe \w+) - .*|[\w. ()~-]+\.(?:docx?|odt|rtf|pptx?|xlsx?|tex|dvi|pdf|"
    r"indd|qxd|html?|txt|pages|fm|ps|eps|wpd|md|book)|(?:[a-z]:|file:)?[\\/].*",
    re.IGNORECASE | re.DOTALL,
)


def read(data: bytes, name: str, settings: ReadingSettings) -> Layout:
    """The layout of a PDF file; places are "p. 3", counted from the first page of the file.

    Raises UnreadableError when it is damaged or needs a password.
    """
    with _ONE_AT_A_TIME:
        document = _opened(data)
        try:
            information = _information(document)
            reader = PageReader(document)
            count = len(document)
            pages = [reader.read(index) for index in range(min(count, MAX_PAGES))]
            warnings = _read_pictures(document, pages, settings)
        finally:
            document.close()
    if not pages:
        raise UnreadableError("damaged: a PDF without pages")
    if count > MAX_PAGES:
        warnings = (f"only the first {MAX_PAGES:,} of {count:,} pages are read: split the file", *warnings)
    return replace(_layout(pages, information), warnings=warnings)


def _read_pictures(
    document: pypdfium2.PdfDocument, pages: Sequence[Page], settings: ReadingSettings
) -> tuple[str, ...]:
    """Recognise the text of pages that have none, where that is wanted and installed; what the user is to know."""
    pictures = [page for page in pages if not page.fragments and not page.slanted]
    if not pictures:
        return ()
    if not settings.ocr:
        return (f"pages without text can be read: set reading.ocr, and {INSTALL}",)
    if not can_recognise():
        return (f"pages without text are not read: {INSTALL}",)
    for page in pictures:
        recognise_page(document, page)
    read = [page for page in pictures if page.fragments]
    were = "1 page was" if len(read) == 1 else f"{len(read)} pages were"
    return (f"{were} read from pictures: expect mistakes",) if read else ()


def _opened(data: bytes) -> pypdfium2.PdfDocument:
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (_PASSWORD_ERROR, _SECURITY_ERROR):
            raise UnreadableError("needs a password") from error
        raise UnreadableError("damaged: not a PDF that can be opened") from error


def _information(document: pypdfium2.PdfDocument) -> dict[str, str]:
    """What the file says about itself, by the names of the PDF standard."""
    import pypdfium2.raw as raw

    found: dict[str, str] = {}
    for key in ("Title", "Author", "Subject", "Keywords", "CreationDate", "ModDate"):
        size = min(raw.FPDF_GetMetaText(document.raw, key.encode(), None, 0), _LONGEST_FIELD)
        buffer = ctypes.create_string_buffer(max(size, 2))
        raw.FPDF_GetMetaText(document.raw, key.encode(), buffer, size)
        value = clean(buffer.raw[: size - size % 2].decode("utf-16-le", "replace").rstrip("\x00"))
        if value:
            found[key] = value
    return found


def _layout(pages: list[Page], information: dict[str, str]) -> Layout:
    removed: Counter[str] = Counter()
    empty = {page.number for page in pages if not page.fragments and not page.slanted}
    for page in pages:
        removed.update(page.removed)
    running = take_running_lines(pages)
    # A picture with nothing but a header or a page number is a scanned page too.
    empty |= {page.number for page in pages if page.pictured and not page.fragments}
    found = [regions(page) for page in pages]
    usual = measure(found)
    pieces: list[Piece] = []
    for page, lines, parts in zip(pages, running, found, strict=True):
        pieces += _debris(lines.above, page)
        for region in parts:
            pieces += pieces_of(region, page.number, usual)
        pieces += [Piece("text", [line.text], page.number, line.size) for line in lines_of(page.slanted)]
        pieces += _debris(lines.below, page)
    words = vocabulary(line.text for parts in found for region in parts for line in region.lines)
    pieces = joined(pieces, usual, _bottoms(found, usual))
    _set_levels(pieces)
    draft = Draft()
    for piece in pieces:
        draft.add(text_of(piece, words), piece.kind, level=piece.level, rule=piece.rule, place=f"p. {piece.page}")
    title = information.pop("Title", "")
    created = information.pop("CreationDate", "")
    return Layout(
        draft.text,
        tuple(draft.blocks),
        title="" if _NO_TITLE.fullmatch(title) else title,
        author=information.pop("Author", ""),
        date=_date(created) or _date(information.pop("ModDate", "")),
        metadata=tuple((key.lower(), information[key]) for key in ("Subject", "Keywords") if information.get(key)),
        removed=tuple(sorted(removed.items())),
        textless=tuple(f"p. {number}" for number in sorted(empty)),
    )


def _bottoms(found: Sequence[Sequence[Region]], usual: Measure) -> dict[int, float]:
    """Where the text of each page ends, footnotes apart: the lowest baseline."""
    return {
        number: max(
            (line.baseline for part in parts for line in part.lines if line.size > 0.93 * usual.size), default=0
        )
        for number, parts in enumerate(found, start=1)
    }


def _debris(lines: list[tuple[Line, str]], page: Page) -> list[Piece]:
    return [Piece("text", [line.text], page.number, line.size, rule=rule) for line, rule in lines]


def _set_levels(pieces: list[Piece]) -> None:
    """The larger the letters of a heading, the higher it is; bold before light."""
    styles = sorted({(_style(piece)) for piece in pieces if piece.kind == "heading"}, reverse=True)
    levels = {style: min(at, 6) for at, style in enumerate(styles, start=1)}
    for piece in pieces:
        if piece.kind == "heading":
            piece.level = levels[_style(piece)]


def _style(piece: Piece) -> tuple[float, bool]:
    return round(piece.size), piece.bold


def _date(text: str) -> str:
    found = _DATE.match(text)
    return iso_date("-".join(part for part in found.groups() if part)) if found else ""

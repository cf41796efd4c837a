"""Pages that are pictures: read by a package that is installed only by those who want it (the extra "ocr").

The package brings its models with it and fetches nothing. It finds lines with their boxes, so that what it reads goes
the same way as text that the file holds: columns, paragraphs, running lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from statistics import median
from typing import TYPE_CHECKING, Any

from rag_geo.readers.pdf.pages import Fragment, Page

if TYPE_CHECKING:
    import pypdfium2

INSTALL = 'pip install "rag-geo[ocr]"'
"""What the user is told to do."""

_DOTS = 200 / 72  # per point: what recognition is made for
_LARGEST = 4_000
"""Pixels along the longer side of a page: larger ones are drawn smaller."""

_SURE = 0.6
"""Lines that the recognition trusts less (0 to 1) are left out."""


def can_recognise() -> bool:
    """Whether the packages of the extra are installed."""
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def recognise_page(document: pypdfium2.PdfDocument, page: Page) -> None:
    """Draw the page and add the lines that are recognised to its fragments; seconds a page."""
    import pypdfium2.raw as raw

    if page.width < 1 or page.height < 1:
        return
    scale = min(_DOTS, _LARGEST / max(page.width, page.height))
    wide, high = max(1, round(page.width * scale)), max(1, round(page.height * scale))
    drawn = raw.FPDF_LoadPage(document.raw, page.number - 1)
    bitmap = raw.FPDFBitmap_Create(wide, high, 0)
    try:
        raw.FPDFBitmap_FillRect(bitmap, 0, 0, wide, high, 0xFFFFFFFF)
        raw.FPDF_RenderPageBitmap(bitmap, drawn, 0, 0, wide, high, 0, 0)
        result = _engine()(_pixels(bitmap, wide, high))
    finally:
        raw.FPDFBitmap_Destroy(bitmap)
        raw.FPDF_ClosePage(drawn)
    if result.boxes is not None:
        found = zip(result.boxes.tolist(), result.txts, result.scores, strict=True)
        page.fragments = fragments_of([(box, text) for box, text, score in found if score >= _SURE], scale)


def fragments_of(lines: Sequence[tuple[Sequence[Sequence[float]], str]], scale: float) -> list[Fragment]:
    """The fragments for lines with the corners of their boxes in pixels; `scale` is pixels per point.

    The height of a box hangs on its letters: boxes about as high as most are of one size.
    """
    heights = [max(y for _, y in box) - min(y for _, y in box) for box, _ in lines]
    usual = median(heights) if heights else 0.0
    found = []
    for (box, text), height in zip(lines, heights, strict=True):
        size = 0.75 * (usual if 0.75 * usual < height < 1.3 * usual else height) / scale
        middle = sum(y for _, y in box) / len(box) / scale
        left, right = min(x for x, _ in box) / scale, max(x for x, _ in box) / scale
        if text.strip() and size > 0:
            found.append(Fragment(left, right, middle + 0.3 * size, size, text.strip()))
    return found


def _pixels(bitmap: Any, wide: int, high: int) -> Any:  # noqa: ANN401 (pointers of pdfium have no types)
    """The colours of a bitmap, copied, as rows of blue, green and red."""
    import ctypes

    import numpy as np
    import pypdfium2.raw as raw

    stride = raw.FPDFBitmap_GetStride(bitmap)
    data = ctypes.string_at(raw.FPDFBitmap_GetBuffer(bitmap), stride * high)
    return np.frombuffer(data, np.uint8).reshape(high, stride)[:, : wide * 4].reshape(high, wide, 4)[:, :, :3].copy()


@lru_cache(maxsize=1)
def _engine() -> Any:  # noqa: ANN401 (the package has no types)
    from rapidocr import RapidOCR

    return RapidOCR(params={"Global.log_level": "error"})

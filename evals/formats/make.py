"""Make the collection anew: `python evals/formats/make.py [part …]`.

Needs LibreOffice, Chromium, the DejaVu fonts, and from PyPI fpdf2, openpyxl, pillow, pypdf, pyphen, python-docx,
python-pptx, reportlab, weasyprint and xlsxwriter. The files are committed, as other versions of these make other files.
"""

from __future__ import annotations

import sys
from importlib import import_module

from sources import FILES

PARTS = ("pdfs", "documents", "sheets", "texts", "messages")


def main() -> None:
    """Make the parts that are named, or all."""
    FILES.mkdir(exist_ok=True)
    for part in sys.argv[1:] or PARTS:
        import_module(part).make()


if __name__ == "__main__":
    main()

"""A small writer of PDF files, so that tests know every word, its place, its size and its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

FONTS = {
    "regular": "Helvetica", "bold": "Helvetica-Bold", "mono": "Courier", "serif": "Times-Roman", "hebrew": "Helvetica",
}  # fmt: skip
_HEBREW = b"""/CIDInit /ProcSet findresource begin begincmap /CMapType 2 def
1 begincodespacerange <00> <FF> endcodespacerange
1 beginbfrange <61> <7A> <05D0> endbfrange
endcmap end"""
WIDTH, HEIGHT = 595.0, 842.0

# Advance widths of Helvetica in thousandths of the size, for the letters that tests use.
_NARROW = dict.fromkeys("iljI.,:;'|!t f()-/[]r", 300) | {"m": 833, "w": 722, "M": 833, "W": 944, " ": 278}


def wide(text: str, size: float) -> float:
    """About how wide `text` is in Helvetica, in points; never too narrow by more than a few points a line."""
    return sum(_NARROW.get(letter, 556 if letter.islower() else 667) for letter in text) * size / 1000


class Sheet:
    """One page of a PDF: texts are put on it by their left end and their baseline, counted from above."""

    def __init__(self, *, rotate: int = 0) -> None:
        self.rotate = rotate
        self.operators: list[bytes] = []

    def put(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 10,
        font: str = "regular",
        extra: str = "",
        matrix: str = "",
    ) -> None:
        """Write one line; `extra` are operators before it ("3 Tr"), `matrix` replaces the position."""
        at = matrix or f"1 0 0 1 {x:.2f} {HEIGHT - y:.2f}"
        shown = text.encode("cp1252").replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")
        name = list(FONTS).index(font)
        self.operators.append(
            b"q BT /F%d %g Tf %s Tm %s (%s) Tj ET Q" % (name, size, at.encode(), extra.encode(), shown)
        )

    def line(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Draw a thin rule."""
        self.operators.append(f"0.5 w {x0:.2f} {HEIGHT - y0:.2f} m {x1:.2f} {HEIGHT - y1:.2f} l S".encode())

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: str = "0 0 0.5 rg") -> None:
        """Paint a rectangle."""
        self.operators.append(f"q {colour} {x0:.2f} {HEIGHT - y1:.2f} {x1 - x0:.2f} {y1 - y0:.2f} re f Q".encode())

    def picture(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Put a grey picture of one pixel over a rectangle."""
        place = f"{x1 - x0:.2f} 0 0 {y1 - y0:.2f} {x0:.2f} {HEIGHT - y1:.2f} cm"
        self.operators.append(f"q {place} BI /W 1 /H 1 /CS /G /BPC 8 ID \x80 EI Q".encode("latin-1"))

    def flow(
        self, x: float, y: float, text: str, width: float, *, size: float = 10, leading: float = 12, indent: float = 0,
        font: str = "regular",
    ) -> float:  # fmt: skip
        """Set a paragraph in lines of `width`, as they fit; gives the baseline after its last line."""
        for at, line in enumerate(wrapped(text, width, size, indent)):
            self.put(x + (indent if at == 0 else 0), y, line, size=size, font=font)
            y += leading
        return y


def wrapped(text: str, width: float, size: float = 10, indent: float = 0) -> list[str]:
    """The lines of `text` as they fit into `width`."""
    lines: list[str] = []
    for word in text.split(" "):
        room = width - (indent if len(lines) < 2 else 0)
        if lines and wide(f"{lines[-1]} {word}", size) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def pdf(sheets: Sequence[Sheet], information: Mapping[str, str] | None = None, *, trailer: bytes = b"") -> bytes:
    """The bytes of the file."""
    bodies: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    fonts = []
    bodies.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(_HEBREW), _HEBREW))
    for number, (key, name) in enumerate(FONTS.items()):
        letters = b"/ToUnicode 3 0 R" if key == "hebrew" else b""
        form = b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding %s >>"
        bodies.append(form % (name.encode(), letters))
        fonts.append(b"/F%d %d 0 R" % (number, len(bodies)))
    kids = []
    for sheet in sheets:
        content = b"\n".join(sheet.operators)
        bodies.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
        bodies.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %g %g] /Rotate %d /Contents %d 0 R"
            b" /Resources << /Font << %s >> >> >>" % (WIDTH, HEIGHT, sheet.rotate, len(bodies), b" ".join(fonts))
        )
        kids.append(b"%d 0 R" % len(bodies))
    bodies[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    if information:
        escaped = {key: value.replace("\\", r"\\") for key, value in information.items()}
        fields = " ".join(f"/{key} ({value})" for key, value in escaped.items()).encode("cp1252")
        bodies.append(b"<< %s >>" % fields)
        trailer += b" /Info %d 0 R" % len(bodies)
    return pdf_of(bodies, trailer)


def pdf_of(bodies: Sequence[bytes], trailer: bytes = b"", *, startxref: int | None = None) -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(bodies, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    end = table if startxref is None else startxref
    out += b"trailer << /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, trailer, end)
    return bytes(out)

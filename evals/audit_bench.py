"""How much an audit finds of what was planted, and how much it reports that is nothing.

    python evals/audit_bench.py [--split dev|test] [--show]

Planted are, in documents of their own beside those of `corpus/`: pairs of sentences that contradict each other and
pairs that only look like it (`evals/audit/pairs.jsonl`, written before the rules, halved for good), paragraphs that
stand twice (`evals/audit/duplicates.jsonl`), and files and pages that cannot be read, which are made here. A false
alarm is every contradiction reported that was not planted as one: a pair that only looks like it, two sentences of
`corpus/`, one of each. `--show` prints the pairs missed and the false alarms, for the development half only.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_geo.audit import Audit, Contradiction, audit
from rag_geo.embedding import Embedder, load_embedder
from rag_geo.index import Index, update_index

ROOT = Path(__file__).parents[1]
PAIRS = ROOT / "evals" / "audit" / "pairs.jsonl"
DUPLICATES = ROOT / "evals" / "audit" / "duplicates.jsonl"
FILES = 6
"""Documents that the sides of the pairs are dealt out to; the two sides of a pair never meet in one."""

Row = Mapping[str, Any]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=["dev", "test"], action="append")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    embedder = load_embedder()
    for split in options.split or ["dev", "test"]:
        result = measure(embedder, split, ROOT / "corpus")
        print("\n".join(result.lines(split)))
        if options.show and split == "dev":
            print("\n".join([*(f"missed: {each}" for each in result.missed), *result.alarms]))


@dataclass(frozen=True, slots=True)
class Result:
    """What was found of what was planted: counts, and in words what was not."""

    contradictions: int
    found: int
    lookalikes: int
    fooled: int
    elsewhere: int
    duplicates: int
    duplicates_found: int
    unreadable: int
    unreadable_found: int
    asked: int
    unfound: int
    missed: tuple[str, ...]
    alarms: tuple[str, ...]

    @property
    def reported(self) -> int:
        """Contradictions reported, right or wrong."""
        return self.found + self.fooled + self.elsewhere

    def lines(self, split: str) -> list[str]:
        """Give the table of one half."""
        wrong = self.fooled + self.elsewhere
        return [
            f"{split}: contradictions found {self.found} of {self.contradictions} "
            f"({_share(self.found, self.contradictions)})",
            f"{split}: false alarms {wrong} of {self.reported} reported ({_share(wrong, self.reported)}): "
            f"{self.fooled} of {self.lookalikes} look-alikes, {self.elsewhere} elsewhere",
            f"{split}: duplicates reported {self.duplicates_found} of {self.duplicates}",
            f"{split}: unreadable files and pages reported {self.unreadable_found} of {self.unreadable}",
            f"{split}: paragraphs that their question does not find {self.unfound} of {self.asked}",
        ]


def measure(embedder: Embedder, split: str, beside: Path | None = None) -> Result:
    """Plant one half of the pairs, and all else, among the documents of `beside`, index the folder and audit it."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "documents"
        folder.mkdir()
        if beside is not None:
            for file in sorted(beside.glob("*.md")):
                shutil.copy(file, folder / file.name)
        rows = [row for row in read(PAIRS) if row["split"] == split]
        copies = read(DUPLICATES)
        plant(folder, rows, copies)
        unreadable = plant_unreadable(folder)
        update_index(folder, Path(made) / "index", embedder)
        found = audit(Index.open(Path(made) / "index", embedder), embedder)
    return judge(found, rows, copies, unreadable)


def read(path: Path) -> list[dict[str, Any]]:
    """Give the objects of a file of lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def plant(folder: Path, rows: Sequence[Row], copies: Sequence[Row]) -> None:
    """Write the paragraphs of the pairs and duplicates into small documents, mixed, and one document twice."""
    pages: dict[str, list[str]] = {}
    for number, row in enumerate(rows):
        pages.setdefault(f"binder-{number % FILES + 1}", []).append(row["one"])
        pages.setdefault(f"binder-{(number + 1 + number // FILES) % FILES + FILES + 1}", []).append(row["other"])
    for number, row in enumerate(copies):
        pages.setdefault(f"binder-{number % 3 + 1}", []).append(row["one"])
        pages.setdefault(f"binder-{number % 3 + FILES + 1}", []).append(row["other"])
    for name, paragraphs in pages.items():
        (folder / f"{name}.md").write_text("\n\n".join(paragraphs) + "\n", encoding="utf-8")
    shutil.copy(folder / "binder-2.md", folder / "binder-2 (copy).md")


def plant_unreadable(folder: Path) -> dict[str, str]:
    """Write the files that cannot be read; give for each what must be said of it: "" or the page without text."""
    files: dict[str, tuple[bytes, str]] = {
        "scanned.pdf": (scanned_pdf(), ""),
        "half-scanned.pdf": (half_scanned_pdf(), "p. 2"),
        "locked.pdf": (locked_pdf(), ""),
        "damaged.docx": (damaged_docx(), ""),
        "empty.txt": (b"", ""),
        "blank.md": (b" \n\n\t\n", ""),
        "program.bin": (bytes(range(256)) * 64, ""),
        "cut.pdf": (half_scanned_pdf()[:300], ""),
        "picture.png": (picture("PNG"), ""),
        "broken.xlsx": (b"PK\x03\x04" + bytes(200), ""),
    }
    for name, (data, _) in files.items():
        (folder / name).write_bytes(data)
    return {name: place for name, (_, place) in files.items()}


def picture(kind: str) -> bytes:
    """Give a small picture with lines on it, as a scanner makes them."""
    from PIL import Image, ImageDraw

    page = Image.new("L", (300, 420), 255)
    for y in range(40, 380, 24):
        ImageDraw.Draw(page).line((30, y, 270, y), fill=60, width=3)
    made = io.BytesIO()
    page.save(made, kind)
    return made.getvalue()


def scanned_pdf() -> bytes:
    """Give a PDF of one picture."""
    return picture("PDF")


def half_scanned_pdf() -> bytes:
    """Give a PDF with a page of text and a page that is a picture."""
    text = b"BT /F1 12 Tf 40 700 Td (The harbour committee met in the customs house on the quay.) Tj ET"
    data = picture("JPEG")
    show = b"q 300 0 0 420 40 200 cm /I1 Do Q"
    return pdf([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R "
        b"/Resources << /Font << /F1 7 0 R >> >> >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 6 0 R "
        b"/Resources << /XObject << /I1 8 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(show), show),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Type /XObject /Subtype /Image /Width 300 /Height 420 /ColorSpace /DeviceGray /BitsPerComponent 8 "
        b"/Filter /DCTDecode /Length %d >>\nstream\n%s\nendstream" % (len(data), data),
    ])  # fmt: skip


def locked_pdf() -> bytes:
    """Give a PDF that asks for a password: its key fits none."""
    encrypt = b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <" + b"41" * 32 + b"> /U <" + b"42" * 32 + b"> >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
        encrypt,
    ]
    return pdf(objects, b"/Encrypt 4 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]")


def pdf(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """Give a PDF of numbered objects, the catalogue first."""
    made = b"%PDF-1.4\n"
    places = []
    for number, each in enumerate(objects, start=1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    size = len(objects) + 1
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, len(made))
    return made + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + end


def damaged_docx() -> bytes:
    """Give a DOCX whose text is cut off in the middle of a tag."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
            'wordprocessingml.document.main+xml"/></Types>',
        )
        archive.writestr("word/document.xml", '<?xml version="1.0"?><w:document><w:body><w:p><w:r><w:t>Half a sen')
    return made.getvalue()


def judge(found: Audit, rows: Sequence[Row], copies: Sequence[Row], unreadable: Mapping[str, str]) -> Result:
    """Hold what an audit found against what was planted."""
    hits = {row["id"]: any(_is_of(each, row) for each in found.contradictions) for row in rows}
    elsewhere = [each for each in found.contradictions if not any(_is_of(each, row) for row in rows)]
    contradictions = [row for row in rows if row["contradiction"]]
    fooled = [row for row in rows if not row["contradiction"] and hits[row["id"]]]
    missed = [row for row in contradictions if not hits[row["id"]]]
    unread = {each.file for each in found.unread}
    textless = {(each.file, place) for each in found.textless for place in each.places}
    groups = [{_plain(spot.text) for spot in group.spots} for group in found.repeated]
    twice = [sum(_plain(spot.text) == _plain(row["one"]) for g in found.repeated for spot in g.spots) for row in copies]
    pairs = [{_plain(row["one"]), _plain(row["other"])} for row in copies]
    told = [any(pair <= group for group in groups) and count for pair, count in zip(pairs, twice, strict=True)]
    copied = any({"binder-2.md", "binder-2 (copy).md"} <= set(group) for group in found.copies)
    said = [(name, place) in textless if place else name in unread for name, place in unreadable.items()]
    return Result(
        contradictions=len(contradictions),
        found=len(contradictions) - len(missed),
        lookalikes=len(rows) - len(contradictions),
        fooled=len(fooled),
        elsewhere=len(elsewhere),
        duplicates=len(copies) + 1,
        duplicates_found=sum(map(bool, told)) + copied,
        unreadable=len(unreadable),
        unreadable_found=sum(said),
        asked=found.asked,
        unfound=len(found.unfound),
        missed=(
            *(f"{row['id']} {row['one_sentence']} | {row['other_sentence']}" for row in missed),
            *(row["one"] for row, ok in zip(copies, told, strict=True) if not ok),
            *(name for (name, _), ok in zip(unreadable.items(), said, strict=True) if not ok),
        ),
        alarms=(
            *(f"look-alike reported: {row['id']}" for row in fooled),
            *(f"elsewhere: {each.what}\n  {each.one.quote}\n  {each.other.quote}" for each in elsewhere),
        ),
    )


def _is_of(reported: Contradiction, row: Row) -> bool:
    """Whether what is reported are the two sentences of a planted pair."""
    one, other = row["one_sentence"], row["other_sentence"]
    quotes = reported.one.quote, reported.other.quote
    return (one in quotes[0] and other in quotes[1]) or (one in quotes[1] and other in quotes[0])


def _plain(text: str) -> str:
    return " ".join(text.split())


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "–"


if __name__ == "__main__":
    main()

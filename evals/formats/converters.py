"""Run a converter over files of the collection: `python converters.py NAME FOLDER`, names as a JSON list on stdin.

For an interpreter of its own that has the converter installed; needs nothing of this project. Writes JSON to stdout:
for each file that the converter claims to read its blocks (text, debris, place), seconds of processor time (best of
three) and error.
"""

from __future__ import annotations

import contextlib
import html
import io
import json
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

Piece = tuple[str, bool, str]
Convert = Callable[[Path], list[Piece]]

CLAIMED = {
    "markitdown": "pdf docx pptx xlsx html csv json jsonl ipynb epub zip txt md",
    "docling": "docx pptx xlsx html csv md odt ods odp epub eml",
    "unstructured": "pdf docx pptx xlsx html csv tsv md txt odt epub rtf eml",
}
"""By their own documentation; Docling reads PDF by a model of page layout, which is another kind of reader."""

BY_ROW = ("xlsx", "ods", "csv", "tsv")

_LIST = re.compile(r"\s*(?:[-*+•]|\d+[.)])\s")
_RULE = re.compile(r"[\s|:\-]+")
_SLIDE = re.compile(r"<!-- Slide number: (\d+) -->")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_TAG = re.compile(r"<!--.*?-->|</?[A-Za-z][^>]*>", re.DOTALL)


def blocks_of_markdown(text: str, *, by_row: bool) -> Iterator[Piece]:
    """Blocks of the Markdown that a converter writes, without its marks."""
    place = ""
    for lines in _groups(text.replace("\f", "\n\n"), by_row=by_row):
        if found := _SLIDE.match(lines[0]):
            place = f"slide {found[1]}"
        shown = _unmarked("\n".join(line for line in lines if not _is_rule(line)))
        if shown.strip():
            yield shown, False, place


def _groups(text: str, *, by_row: bool) -> Iterator[list[str]]:
    """Runs of lines; headings, comments and (with `by_row`) rows of tables are on their own, lists and tables apart."""
    run: list[str] = []
    kind = ""
    fenced = False
    for line in [*text.split("\n"), ""]:
        if line.lstrip().startswith("```"):
            fenced = not fenced
            now = "code"
        else:
            now = kind if fenced else _kind(line, kind)
        if run and (now != kind or now in ("", "alone") or (by_row and now == "table")):
            yield run
            run = []
        if now:
            run.append(line)
        kind = now


def _kind(line: str, before: str) -> str:
    stripped = line.strip()
    if not stripped:
        return ""
    if re.match(r"#{1,6}\s", stripped) or stripped.startswith("<!--"):
        return "alone"
    if stripped.startswith("|"):
        return "table"
    if _LIST.match(line):
        return "list"
    return "list" if before == "list" else "text"


def _is_rule(line: str) -> bool:
    return bool(_RULE.fullmatch(line)) and "-" in line


def _unmarked(text: str) -> str:
    text = _LINK.sub(r"\1", _TAG.sub(" ", text))
    return html.unescape(re.sub(r"\\([^\w\s])", r"\1", text))


def markitdown() -> Convert:
    """MarkItDown's Markdown."""
    from markitdown import MarkItDown

    converter = MarkItDown(enable_plugins=False)

    def convert(path: Path) -> list[Piece]:
        text = converter.convert_local(str(path)).text_content
        return list(blocks_of_markdown(text, by_row=path.suffix[1:] in BY_ROW))

    return convert


def docling() -> Convert:
    """Docling's items in reading order, without models."""
    from docling.document_converter import DocumentConverter
    from docling_core.types.doc import ContentLayer, InlineGroup, TableItem

    converter = DocumentConverter()

    def convert(path: Path) -> list[Piece]:
        document = converter.convert(path).document
        pieces: list[Piece] = []
        before = None
        layers = {ContentLayer.BODY, ContentLayer.FURNITURE, ContentLayer.NOTES}
        for item, _ in document.iterate_items(included_content_layers=layers):
            place = f"slide {item.prov[0].page_no}" if path.suffix == ".pptx" and getattr(item, "prov", None) else ""
            debris = getattr(item, "content_layer", None) == ContentLayer.FURNITURE
            if isinstance(item, TableItem):
                rows = [" | ".join(cell.text for cell in _once(row)) for row in item.data.grid]
                pieces.extend(
                    (row, debris, place) for row in (rows if path.suffix[1:] in BY_ROW else ["\n".join(rows)])
                )
            elif getattr(item, "text", ""):
                around = item.parent.resolve(document) if item.parent else None
                inline = around if isinstance(around, InlineGroup) else None
                # Words in bold are items of their own, within one paragraph.
                start = pieces.pop()[0] + " " if inline is not None and inline is before else ""
                pieces.append((start + item.text, debris, place))
                before = inline
                continue
            before = None
        return pieces

    return convert


def _once(row: list) -> Iterator:  # type: ignore[type-arg]
    """The cells of a row, a merged one once."""
    seen: set[int] = set()
    for cell in row:
        if id(cell) not in seen:
            seen.add(id(cell))
            yield cell


def unstructured() -> Convert:
    """Unstructured's elements, by the strategy that needs no model."""
    from unstructured.partition.auto import partition

    def convert(path: Path) -> list[Piece]:
        pieces: list[Piece] = []
        options = {"strategy": "fast"} if path.suffix == ".pdf" else {}
        for element in partition(filename=str(path), **options):
            debris = element.category in ("Header", "Footer", "PageNumber", "PageBreak")
            page = element.metadata.page_number
            name = {".pdf": "p.", ".pptx": "slide"}.get(path.suffix)
            place = f"{name} {page}" if name and page else ""
            rows = re.findall(r"<tr.*?</tr>", element.metadata.text_as_html or "", re.DOTALL)
            if rows and path.suffix[1:] in BY_ROW:
                pieces.extend((_unmarked(row), debris, place) for row in rows)
            else:
                pieces.append((element.text, debris, place))
        return pieces

    return convert


def main() -> None:
    """Convert what the names on stdin say."""
    name, folder = sys.argv[1:3]
    convert = {"markitdown": markitdown, "docling": docling, "unstructured": unstructured}[name]()
    package = {"docling": "docling-slim"}.get(name, name)
    files = {}
    for file in json.load(sys.stdin):
        if file.rpartition(".")[2] in CLAIMED[name].split():
            files[file] = _best(convert, Path(folder) / file)
    json.dump({"version": version(package), "files": files}, sys.stdout)


def processor_seconds() -> float:
    """Seconds of the processor that this process and what it has started took so far."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _best(convert: Convert, path: Path) -> dict[str, object]:
    pieces: list[Piece] = []
    seconds = []
    error = ""
    for _ in range(4):  # the first one imports
        started = processor_seconds()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                pieces = convert(path)
        except Exception as failure:  # noqa: BLE001  a converter may raise anything; it is recorded as a failure
            error = f"{type(failure).__name__}: {failure}".split("\n")[0]
        seconds.append(processor_seconds() - started)
    return {"pieces": pieces, "seconds": min(seconds[1:]), "error": error}


if __name__ == "__main__":
    main()

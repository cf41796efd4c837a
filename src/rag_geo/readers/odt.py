"""Read an OpenDocument text: its paragraphs, lists and tables in reading order, then its notes, then its margins.

Headers and footers come last, each once, as debris: the paragraphs are counted without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag_geo.readers.blocks import UnreadableError
from rag_geo.readers.flow import placed, pour
from rag_geo.readers.layout import Draft, Layout
from rag_geo.readers.odf import OFFICE, STYLE, TEXT, Styles, Walker, open_odf, properties
from rag_geo.settings import ReadingSettings

if TYPE_CHECKING:
    from lxml.etree import _Element

_MARGINS = {
    "header": ("header", "header-left", "header-first"),
    "footer": ("footer", "footer-left", "footer-first"),
}


def read(data: bytes, name: str, settings: ReadingSettings) -> Layout:
    """The layout of an OpenDocument text; raises UnreadableError when it is damaged or locked."""
    parts = open_odf(data)
    body = next(parts.content.iter(f"{OFFICE}text"), None)
    if body is None:
        raise UnreadableError("damaged: no text document is in it")
    walker = Walker(Styles(parts.content, parts.styles))
    walker.page = 1 if body.get(f"{TEXT}use-soft-page-breaks") == "true" else 0
    draft = Draft()
    pour(walker.walk(body), draft)
    walker.page = 0
    for kind, word in (("footnote", "note"), ("endnote", "endnote")):
        for number, story in enumerate(walker.notes[kind], start=1):
            pour(placed(story, f"{word} {number}"), draft)
    _add_margins(parts.styles, walker, draft)
    stated = properties(parts.meta)
    return draft.layout(stated, walker.removed)


def _add_margins(styles: _Element | None, walker: Walker, draft: Draft) -> None:
    """Headers, then footers, each text once."""
    pages = [] if styles is None else list(styles.iter(f"{STYLE}master-page"))
    for kind, names in _MARGINS.items():
        seen: set[str] = set()
        for element in (child for page in pages for child in page):
            if not isinstance(element.tag, str) or element.tag.rpartition("}")[2] not in names:
                continue
            if element.get(f"{STYLE}display") == "false":
                continue
            lines = Draft()
            pour(walker.walk(element), lines)
            text = lines.text.replace("\n\n", "\n")
            if text not in seen:
                seen.add(text)
                draft.add(text, rule=f"odt:{kind}")

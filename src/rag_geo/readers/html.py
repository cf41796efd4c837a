"""Read a web page: what a reader of the page would see, as blocks, and what its head says about it.

The tree is walked with a stack, never by recursion. Elements that are not shown are left out and counted; navigation,
headers, footers, asides, forms and buttons keep their paragraphs (citations stay true to the page) but are marked.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rag_geo.readers.blocks import MAX_PARAGRAPHS, Block, UnreadableError
from rag_geo.readers.css import OF_LOOKS, Sight
from rag_geo.readers.decoding import declared_encoding, decode
from rag_geo.readers.layout import Layout
from rag_geo.readers.metadata import Metadata, clean, iso_date
from rag_geo.records import BlockKind
from rag_geo.settings import ReadingSettings
from rag_geo.text.folding import find_hidden

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

MAX_DEPTH = 5_000
"""Elements nested deeper are read as if they were not nested: the parser takes quadratic time on depth."""


def _tags(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_LEFT_OUT = _tags(
    """
    script style noscript template title iframe frame noframes object embed applet svg canvas audio video map
    datalist textarea input
    """
)
_DEBRIS = _tags("nav header footer aside form button select dialog")
_DEBRIS_ROLES = {
    "navigation": "nav", "banner": "header", "contentinfo": "footer", "complementary": "aside", "search": "form",
    "button": "button",
}  # fmt: skip
_BLOCKS = _tags(
    """
    html body address article aside blockquote center details dialog dd dir div dl dt fieldset figcaption figure
    footer form frameset header hgroup hr h1 h2 h3 h4 h5 h6 legend li main menu nav ol optgroup option p pre
    search section summary table caption thead tbody tfoot tr td th ul button select
    """
)
_LISTS = frozenset(("ul", "ol", "dl", "menu", "dir"))
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_CONTENT = frozenset(("main", "article", "h1", "h2", "h3"))
_INVISIBLE_STYLE = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse))", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)[^<>]*>")
# Elements without an end tag, and those whose end tag may be left out, say nothing about depth.
_NO_DEPTH = _tags(
    """
    area base br col embed hr img input link meta param source track wbr
    p li dt dd tr td th tbody thead tfoot option optgroup html head body
    """
)
_HEADER_LINE = re.compile(rb"\s*[!-9;-~]{1,80}: ")
_DOCTYPE = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--[^>]*-->\s*)*<!doctype", re.IGNORECASE)
_PARAGRAPH_BREAK = re.compile(r"\n[ \t]*\n\s*")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")


def read(data: bytes, name: str, settings: ReadingSettings) -> Layout:
    """The layout of an HTML file; raises UnreadableError for what is no text or has too many blocks.

    A page that a browser saved with all its pictures has the form of an e-mail, and the page is its text.
    """
    if _HEADER_LINE.match(data):
        from rag_geo.readers.message import saved_page

        data = saved_page(data) or data
    decoded = decode(data, declared=declared_encoding(data))
    if decoded is None:
        raise UnreadableError("looks binary")
    return replace(page_layout(decoded.text), encoding=decoded.encoding, warnings=decoded.warnings)


def page_layout(html: str) -> Layout:
    """The layout of a page, also of one inside another file; raises UnreadableError when it has too many blocks."""
    from selectolax.lexbor import LexborHTMLParser

    removed: Counter[str] = Counter()
    tree = LexborHTMLParser(flatten(html.replace("\x00", "\ufffd")))
    root = tree.root
    page = _Page(removed, Sight(tree, quirks=not _DOCTYPE.match(html)))
    head = _Head()
    if root is not None:
        roles = _survey(root)
        for node, entering in _walk(root.parent or root):
            head.see(node, entering)
            page.see(node, entering, roles)
    page.flush()
    text, blocks = page.joined()
    metadata = head.metadata()
    heading = next((block.name for block in blocks if block.kind == "heading"), "")
    return Layout(
        text=text,
        blocks=tuple(blocks),
        title=metadata.title or heading,
        author=metadata.author,
        date=metadata.date,
        metadata=metadata.rest,
        removed=tuple(sorted(removed.items())),
    )


def flatten(html: str) -> str:
    """`html` without the tags nested deeper than `MAX_DEPTH`; their text stays."""
    depth = dropped = 0
    cuts: list[tuple[int, int]] = []
    for found in _TAG.finditer(html):
        if found[2].lower() in _NO_DEPTH:
            continue
        if found[1]:
            if dropped:
                dropped -= 1
                cuts.append(found.span())
            else:
                depth = max(0, depth - 1)
        elif depth >= MAX_DEPTH:
            dropped += 1
            cuts.append(found.span())
        else:
            depth += 1
    pieces: list[str] = []
    at = 0
    for start, end in cuts:
        pieces.append(html[at:start])
        at = end
    return "".join([*pieces, html[at:]]) if cuts else html


def _walk(root: LexborNode) -> Iterator[tuple[LexborNode, bool]]:
    """Every node below `root` and itself, when it is entered (True) and, for elements, when it is left (False)."""
    stack: list[LexborNode] = [root]
    node: LexborNode | None = root
    yield root, True
    node = root.child
    while stack:
        while node is not None:
            yield node, True
            stack.append(node)
            node = node.child
        left = stack.pop()
        yield left, False
        node = left.next if stack else None


def _survey(root: LexborNode) -> _Roles:
    """One pass ahead: which tables and lists only lay out the page, and which forms and headers hold its content."""
    roles = _Roles()
    tables: list[int] = []
    lists: list[int] = []
    forms: list[int] = []
    articles: list[int] = []
    opens = {"table": tables, "form": forms, "main": articles, "article": articles, **dict.fromkeys(_LISTS, lists)}
    for node, entering in _walk(root):
        if not entering:
            for opened in (tables, lists, forms, articles):
                if opened and opened[-1] == node.mem_id:
                    opened.pop()
            continue
        tag = node.tag or ""
        if tag in _HEADINGS or tag in ("table", "article", "section", "pre", "ul", "ol", "p", "figure"):
            _mark_layout(roles, tag, tables, lists)
        if tag in _CONTENT:
            roles.content.update(forms)
            forms.clear()
        if tag == "header" and articles:
            roles.content.add(node.mem_id)
        opening = opens.get(tag)
        if opening is not None:
            opening.append(node.mem_id)
    return roles


def _mark_layout(roles: _Roles, tag: str, tables: list[int], lists: list[int]) -> None:
    if tables and tag != "p":
        roles.layout.add(tables[-1])
    elif tables:
        roles.paragraphs[tables[-1]] += 1
    if lists and (tag in _HEADINGS or tag in ("table", "article", "section", "pre", "figure")):
        roles.layout.add(lists[-1])


@dataclass(slots=True)
class _Roles:
    """By memory address of the node: layout tables and lists, and forms and headers that are content."""

    layout: set[int] = field(default_factory=set)
    content: set[int] = field(default_factory=set)
    paragraphs: Counter[int] = field(default_factory=Counter)

    def lays_out(self, node: LexborNode) -> bool:
        return node.mem_id in self.layout or self.paragraphs[node.mem_id] > 2


@dataclass(frozen=True, slots=True)
class _Found:
    text: str
    kind: BlockKind
    level: int
    rule: str | None


class _Page:
    """The blocks of the page as they are found."""

    def __init__(self, removed: Counter[str], sight: Sight) -> None:
        self.removed = removed
        self.sight = sight
        self.found: list[_Found] = []
        self.buffer: list[str] = []
        self.left_out: int | None = None
        self.debris: list[tuple[int, str]] = []
        self.compact: list[tuple[int, str]] = []
        self.lists = 0
        self.heading: list[tuple[int, int]] = []
        self.pre: list[int] = []
        self.rows_in_cell = False

    def see(self, node: LexborNode, entering: bool, roles: _Roles) -> None:
        """Take one node, as it is entered or left."""
        if self.left_out is not None:
            if not entering and node.mem_id == self.left_out:
                self.left_out = None
            return
        tag = node.tag or ""
        if tag == "-text":
            if entering:
                self._text(node.text_content or "")
        elif tag == "-comment":
            self.removed["comment"] += entering
        elif not tag.startswith(("-", "!")):
            (self._enter if entering else self._leave)(node, tag, roles)

    def flush(self) -> None:
        """Close the open block."""
        text, self.buffer = "".join(self.buffer), []
        if not text or text.isspace():
            return
        kind: BlockKind = "text"
        level = 0
        if self.pre:
            kind = "code"
        elif self.compact:
            kind = "table" if self.compact[0][1] == "table" else "list"
        elif self.heading:
            kind, level = "heading", self.heading[-1][1]
        rule = f"html:{self.debris[0][1]}" if self.debris else None
        if kind == "heading" and {name for _, name in self.debris} == {"header"}:
            rule = None
        text = self._without_hidden(text)
        if kind in ("list", "table"):
            parts = [_BLANK_LINES.sub("\n", _spaces(text))]
        else:
            parts = [text] if kind == "code" else _PARAGRAPH_BREAK.split(_spaces(text))
        for part in parts:
            part = part.strip("\n\r") if kind == "code" else part.strip()
            if part.strip():
                self.found.append(_Found(part.rstrip(), kind, level, rule))
        if len(self.found) > MAX_PARAGRAPHS:
            raise UnreadableError(f"has more than {MAX_PARAGRAPHS:,} paragraphs: not a document")

    def joined(self) -> tuple[str, list[Block]]:
        """The text of the page and its blocks in it."""
        blocks: list[Block] = []
        at = 0
        for found in self.found:
            left = len(found.text) - len(found.text.lstrip())
            name = " ".join(found.text.split()) if found.kind == "heading" else ""
            blocks.append(Block(at + left, at + len(found.text), found.kind, found.level, found.rule, name))
            at += len(found.text) + 2
        return "\n\n".join(found.text for found in self.found), blocks

    def _text(self, text: str) -> None:
        if self.sight.unseen and not text.isspace():
            self.removed[self.sight.unseen] += 1
        elif self.pre:
            self.buffer.append(text.replace("\r\n", "\n").replace("\r", "\n"))
        elif text:
            # A line end in the source is a space on the page; "\n" in the buffer is only what the page breaks.
            body = " ".join(text.split())
            self.buffer.append((" " if text[0].isspace() else "") + body + (" " if body and text[-1].isspace() else ""))

    def _enter(self, node: LexborNode, tag: str, roles: _Roles) -> None:
        attributes = node.attributes
        if self._is_left_out(tag, attributes):
            self.left_out = node.mem_id
            return
        if not (self.sight.quiet and OF_LOOKS.isdisjoint(attributes)):
            unseen = self.sight.enter(node, tag, attributes)
            if unseen:
                self.removed[unseen] += 1
                self.left_out = node.mem_id
                return
        if tag == "br":
            self.buffer.append("\n")
        name = tag if tag in _DEBRIS else _DEBRIS_ROLES.get((attributes.get("role") or "").lower(), "")
        if name and node.mem_id not in roles.content:
            self.flush()
            self.debris.append((node.mem_id, name))
        if tag in _BLOCKS:
            self._enter_block(node, tag, roles)

    def _enter_block(self, node: LexborNode, tag: str, roles: _Roles) -> None:
        if self.compact:
            self._inside(tag)
            if tag in _LISTS or tag == "table":
                self._open_compact(node, tag)
            return
        self.flush()
        if (tag == "table" or tag in _LISTS) and not roles.lays_out(node):
            self._open_compact(node, tag)
        elif tag in _HEADINGS:
            self.heading.append((node.mem_id, _HEADINGS[tag]))
        elif tag == "pre":
            self.pre.append(node.mem_id)

    def _open_compact(self, node: LexborNode, tag: str) -> None:
        self.compact.append((node.mem_id, tag))
        # Counted along: a page of a million lists in lists would take hours to count anew for each item.
        self.lists += tag in _LISTS

    def _inside(self, tag: str) -> None:
        """A block inside a list or a data table: a new line, a new cell, or a space."""
        if tag in ("li", "dt"):
            self.buffer.append("\n" + "  " * min(self.lists - 1, 10) + "- ")
        elif tag in ("dd", "tr", "caption", "thead", "tbody", "tfoot"):
            self.buffer.append("\n")
        elif tag in ("td", "th"):
            self.buffer.append("\t")
        else:
            self.buffer.append(" ")

    def _leave(self, node: LexborNode, tag: str, roles: _Roles) -> None:
        at = node.mem_id
        if self.sight.inside == at:
            self.sight.leave()
        if self.compact:
            if self.compact[-1][0] == at:
                if len(self.compact) == 1:
                    self.flush()
                self.lists -= self.compact.pop()[1] in _LISTS
            elif tag in _BLOCKS:
                self.buffer.append("\n" if tag in ("tr", "caption") else " ")
        elif tag in _BLOCKS:
            self.flush()
        for opened in (self.heading, self.debris):
            if opened and opened[-1][0] == at:
                self.flush()
                opened.pop()
        if self.pre and self.pre[-1] == at:
            self.pre.pop()

    def _is_left_out(self, tag: str, attributes: Mapping[str, str | None]) -> bool:
        if tag in _LEFT_OUT:
            if tag not in ("title", "input"):
                self.removed[tag] += 1
            return tag != "input"
        style = attributes.get("style") or ""
        if "hidden" in attributes or (attributes.get("aria-hidden") or "").lower() == "true":
            self.removed["hidden element"] += 1
            return True
        if style and _INVISIBLE_STYLE.search(style):
            self.removed["hidden element"] += 1
            return True
        return False

    def _without_hidden(self, text: str) -> str:
        spans, counts = find_hidden(text)
        self.removed.update(counts)
        at = 0
        pieces: list[str] = []
        for start, end in spans:
            pieces.append(text[at:start])
            at = end
        return "".join([*pieces, text[at:]])


def _spaces(text: str) -> str:
    """White space as a page shows it: runs are one space, cells are set apart by bars, lines have no ends of space."""
    lines = []
    for line in text.split("\n"):
        indent = "  " * ((len(line) - len(line.lstrip(" "))) // 2) if line.lstrip(" ").startswith("- ") else ""
        cells = (" ".join(cell.split()) for cell in line.split("\t"))
        shown = " | ".join(cell for cell in cells if cell)
        lines.append(indent + shown if shown else "")
    return "\n".join(lines)


class _Head:
    """What the page says about itself, in meta elements, JSON-LD, its title and the first `<time>`."""

    def __init__(self) -> None:
        self.meta: dict[str, str] = {}
        self.title = ""
        self.time = ""
        self.linked: dict[str, str] = {}

    def see(self, node: LexborNode, entering: bool) -> None:
        """Take one node."""
        tag = node.tag
        if not entering or tag not in ("meta", "title", "time", "script"):
            return
        attributes = node.attributes
        if tag == "meta":
            name = attributes.get("property") or attributes.get("name") or attributes.get("itemprop") or ""
            content = clean(attributes.get("content") or "")
            if name and content:
                self.meta.setdefault(clean(name).lower(), content)
        elif tag == "title":
            if not self.title and (node.parent is None or node.parent.tag != "svg"):
                self.title = clean(node.text(deep=True))
        elif tag == "time":
            self.time = self.time or iso_date(attributes.get("datetime") or "")
        elif (attributes.get("type") or "").lower().strip() == "application/ld+json":
            self._see_linked(node.text(deep=True) or "")

    def _see_linked(self, text: str) -> None:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return
        for item in _objects(value):
            for name, found in (
                ("title", _name(item.get("headline"))),
                ("author", _name(item.get("author"))),
                ("date", iso_date(_name(item.get("datePublished")))),
                ("outlet", _name(item.get("publisher"))),
            ):
                if found:
                    self.linked.setdefault(name, found)

    def metadata(self) -> Metadata:
        """Title, author and date from the most to the least deliberate source; everything else into the rest."""
        title = self._first("og:title", "twitter:title", "dc.title") or self.linked.get("title", "") or self.title
        author = self._first("author", "article:author", "dc.creator", "byl", "parsely-author") or ""
        if not author or author.startswith(("http://", "https://", "@")):
            author = self.linked.get("author", "")
        dates = (
            "article:published_time", "og:article:published_time", "datepublished", "date", "pubdate", "publishdate",
            "dc.date", "dc.date.issued", "dcterms.created", "created", "parsely-pub-date", "sailthru.date",
        )  # fmt: skip
        known = (iso_date(self.meta.get(name, "")) for name in dates)
        date = next((value for value in known if value), "") or self.linked.get("date", "") or self.time
        outlet = self._first("og:site_name") or self.linked.get("outlet", "")
        rest = {"outlet": outlet} if outlet else {}
        for name in ("description", "og:description", "keywords", "og:type", "og:url", "article:section"):
            if self.meta.get(name):
                rest[name] = self.meta[name]
        return Metadata(title, author, date, tuple(rest.items()))

    def _first(self, *names: str) -> str:
        return next((self.meta[name] for name in names if self.meta.get(name)), "")


def _objects(value: object) -> list[Mapping[str, Any]]:
    """The top objects of JSON-LD: one, a list of them, or a graph."""
    found: list[Mapping[str, Any]] = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping):
            found.append(item)
            graph = item.get("@graph")
            found.extend(part for part in graph if isinstance(part, Mapping)) if isinstance(graph, list) else None
    return found


def _name(value: object) -> str:
    """A name in JSON-LD: a string, an object with a name, or a list of either."""
    if isinstance(value, list):
        return ", ".join(name for name in map(_one_name, value[:20]) if name)
    return _one_name(value)


def _one_name(value: object) -> str:
    if isinstance(value, Mapping):
        value = value.get("name")
    return clean(value) if isinstance(value, str) else ""

"""Read an e-book: its chapters in the order of the spine, each read as a page, as one document.

A book is a ZIP archive of pages with a package file that says which of them is read when. Its own table of contents
gives each chapter its name; that table and the cover keep their paragraphs but are debris.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from rag_geo.readers.archives import Archive, open_archive
from rag_geo.readers.blocks import Block, UnreadableError
from rag_geo.readers.decoding import declared_encoding, decode
from rag_geo.readers.html import flatten, page_layout
from rag_geo.readers.layout import Draft, Layout
from rag_geo.readers.metadata import clean, iso_date
from rag_geo.settings import ReadingSettings

if TYPE_CHECKING:
    from lxml.etree import _Element

CONTENTS = "epub:contents"
COVER = "epub:cover"

_LONGEST_PLACE = 60
_PROSE = 120
_DRM = "protected against copying (DRM)"
_FONT_METHODS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#rc")
_PAGES = frozenset(("application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document"))
_PAGE_NAME = re.compile(r"\.x?html?$", re.IGNORECASE)
_PROLOG = re.compile(r"\s*<\?xml[^>]*\?>")
_EMPTY_TAG = re.compile(r"<([A-Za-z][\w.:-]*)((?:\s[^<>]*?)?)/>")
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
_XML_ENCODING = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{1,40})[\"']")
# A book has no navigation around its text: what a page of the web would have there is part of the chapter.
_CONTENT_RULES = ("html:aside", "html:header", "html:footer")
_DETAILS = ("publisher", "language", "subject", "description", "rights", "identifier")


@dataclass(frozen=True, slots=True)
class _Item:
    """A file of the book, by its path in the archive."""

    path: str
    media: str
    properties: tuple[str, ...]


@dataclass(slots=True)
class _Package:
    """What the package file says: the files by id, those that are read in order, and which of them is no chapter."""

    root: _Element
    folder: str
    items: dict[str, _Item] = field(default_factory=dict)
    spine: list[_Item] = field(default_factory=list)
    rules: dict[str, str] = field(default_factory=dict)

    def path(self, href: str) -> str:
        """The path in the archive that an address in the package file means."""
        return _path(self.folder, href)


def read(data: bytes, name: str, settings: ReadingSettings) -> Layout:
    """The layout of a book; raises UnreadableError for one that is protected, damaged or unpacks to too much."""
    archive = open_archive(data)
    package = _package(archive)
    _refuse_protected(archive, package)
    names = _chapter_names(archive, package)
    draft = Draft()
    removed: Counter[str] = Counter()
    warnings: list[str] = []
    place = ""
    for number, item in enumerate(package.spine, start=1):
        chapter = names.get(item.path, "")
        # A chapter may go on in further files, which the table of contents does not name.
        place = f"ch. {_short(chapter)}" if chapter else place or f"chapter {number}"
        try:
            page = _page(archive.read(item.path))
        except UnreadableError as error:
            warnings.append(f"chapter {number}: {error}")
            continue
        removed.update(dict(page.removed))
        rule_of_page = package.rules.get(item.path)
        # A page of contents may also tell what the book is about.
        only_lists = rule_of_page == CONTENTS and _has_prose(page)
        for block in _with_heading(page, chapter):
            listed = block.kind in ("list", "table")
            rule = _rule(block, rule_of_page if listed or not only_lists else None)
            draft.add(page.text[block.start : block.end], block.kind, level=block.level, rule=rule, place=place)
        if not place.startswith("ch. "):
            place = ""
    if warnings and not draft.blocks:
        raise UnreadableError(warnings[0])
    title, author, date, details = _metadata(package.root)
    return Layout(
        draft.text,
        tuple(draft.blocks),
        title=title,
        author=author,
        date=date,
        metadata=details,
        removed=tuple(sorted(removed.items())),
        warnings=tuple(warnings),
    )


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_PLACE else f"{name[: _LONGEST_PLACE - 1].rstrip()}…"


def _with_heading(page: Layout, name: str) -> tuple[Block, ...]:
    """Some programs write headings as ordinary paragraphs: the first one is known by the table of contents."""
    first = page.blocks[0] if page.blocks else None
    if first is None or first.kind != "text" or any(block.kind == "heading" for block in page.blocks):
        return page.blocks
    text = " ".join(page.text[first.start : first.end].split())
    same = bool(name) and text.casefold() == name.casefold()
    return (replace(first, kind="heading", level=1, name=text), *page.blocks[1:]) if same else page.blocks


def _rule(block: Block, of_page: str | None) -> str | None:
    if of_page or block.rule == "html:nav":
        return of_page or CONTENTS
    return None if block.rule in _CONTENT_RULES else block.rule


def _has_prose(page: Layout) -> bool:
    return any(block.kind == "text" and block.end - block.start > _PROSE for block in page.blocks)


def _package(archive: Archive) -> _Package:
    path = ""
    if "META-INF/container.xml" in archive:
        roots = _all(archive.xml("META-INF/container.xml"), "rootfile")
        path = next((unquote(found) for each in roots if (found := each.get("full-path", "")) in archive), "")
    path = path or next((each for each in archive.names() if each.lower().endswith(".opf")), "")
    if not path:
        raise UnreadableError("damaged: the package file of the book is missing")
    package = _Package(archive.xml(path), posixpath.dirname(path))
    for each in _all(package.root, "item"):
        href = each.get("href", "")
        found = _Item(package.path(href), each.get("media-type", ""), tuple(each.get("properties", "").split()))
        package.items[each.get("id", "")] = found
        if "nav" in found.properties:
            package.rules[found.path] = CONTENTS
    _add_spine(package)
    for each in _all(package.root, "reference"):
        rule = {"toc": CONTENTS, "cover": COVER}.get(each.get("type", "").lower())
        if rule:
            package.rules.setdefault(package.path(each.get("href", "")), rule)
    return package


def _add_spine(package: _Package) -> None:
    """Each page once: a book that names one a thousand times would fill the memory."""
    seen: set[str] = set()
    for each in _all(package.root, "itemref"):
        item = package.items.get(each.get("idref", ""))
        if item and item.path not in seen and (item.media in _PAGES or _PAGE_NAME.search(item.path)):
            seen.add(item.path)
            package.spine.append(item)
    if not package.spine:
        raise UnreadableError("damaged: the book does not say which of its files are chapters")


def _refuse_protected(archive: Archive, package: _Package) -> None:
    """Fonts may be made unusable elsewhere; a book whose chapters are encrypted cannot be read."""
    if "META-INF/encryption.xml" not in archive:
        return
    chapters = {item.path.lower() for item in package.spine}
    for each in _all(archive.xml("META-INF/encryption.xml"), "EncryptedData"):
        method = next((found.get("Algorithm", "") for found in _all(each, "EncryptionMethod")), "")
        if method.lower() in _FONT_METHODS:
            continue
        if any(_path("", found.get("URI", "")).lower() in chapters for found in _all(each, "CipherReference")):
            raise UnreadableError(_DRM)


def _page(data: bytes) -> Layout:
    declared = _XML_ENCODING.match(data, 0, 400)
    decoded = decode(data, declared=declared[1].decode("ascii").lower() if declared else declared_encoding(data))
    if decoded is None:
        raise UnreadableError("looks binary")
    return page_layout(_as_html(decoded.text))


def _as_html(text: str) -> str:
    """A page in XML as one in HTML, in which only some elements may be written as `<br/>`."""
    text = _PROLOG.sub("", text, count=1)
    return _EMPTY_TAG.sub(_opened_and_closed, text)


def _opened_and_closed(found: re.Match[str]) -> str:
    name, attributes = found[1], found[2]
    return found[0] if name.lower() in _VOID else f"<{name}{attributes}></{name}>"


def _chapter_names(archive: Archive, package: _Package) -> dict[str, str]:
    """The name of each page in the book's table of contents: the first entry that leads to it."""
    names: dict[str, str] = {}
    for item in package.items.values():
        try:
            if "nav" in item.properties:
                entries = _entries_of_page(archive.read(item.path))
            elif item.media == "application/x-dtbncx+xml":
                entries = _entries_of_ncx(archive.xml(item.path))
            else:
                continue
        except UnreadableError:
            # A book without its table of contents is still a book.
            continue
        for href, name in entries:
            if name := clean(name)[:200]:
                names.setdefault(_path(posixpath.dirname(item.path), href), name)
    return names


def _entries_of_page(data: bytes) -> Iterator[tuple[str, str]]:
    from selectolax.lexbor import LexborHTMLParser

    decoded = decode(data)
    tree = LexborHTMLParser(flatten(_as_html(decoded.text if decoded else "").replace("\x00", "\ufffd")))
    tables = tree.css("nav")
    contents = [each for each in tables if "toc" in (each.attributes.get("epub:type") or "")] or tables[:1]
    for table in contents:
        for link in table.css("a"):
            yield link.attributes.get("href") or "", link.text(deep=True)


def _entries_of_ncx(root: _Element) -> Iterator[tuple[str, str]]:
    for point in _all(root, "navPoint"):
        label = next((_words(each) for each in point if _local(each) == "navLabel"), "")
        address = next((each.get("src", "") for each in point if _local(each) == "content"), "")
        yield address, label


def _metadata(root: _Element) -> tuple[str, str, str, tuple[tuple[str, str], ...]]:
    """Title, author, date and the rest of what the book says about itself."""
    head = next(iter(_all(root, "metadata")), None)
    found: dict[str, list[_Element]] = {}
    for each in head.iter() if head is not None else ():
        if isinstance(each.tag, str) and _words(each):
            found.setdefault(_local(each).lower(), []).append(each)
    title = next(map(_words, found.get("title", ())), "")
    author = ", ".join(dict.fromkeys(map(_words, _authors(found))))
    dates = sorted(found.get("date", ()), key=lambda each: _attribute(each, "event") != "publication")
    date = next((known for each in dates if (known := iso_date(_words(each)))), "")
    details = ((name, clean("; ".join(map(_words, found[name])))) for name in _DETAILS if name in found)
    return title, author, date, tuple(details)


def _authors(found: dict[str, list[_Element]]) -> list[_Element]:
    """Those who made the book, or only its authors, if it says which they are."""
    creators = found.get("creator", [])
    roles = {_attribute(each, "refines").lstrip("#"): _words(each) for each in found.get("meta", ())
             if _attribute(each, "property") == "role"}  # fmt: skip
    authors = [each for each in creators if (_attribute(each, "role") or roles.get(each.get("id", ""), "")) == "aut"]
    return authors or creators


def _path(folder: str, href: str) -> str:
    return posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0]))).lstrip("/")


def _all(root: _Element, name: str) -> Iterator[_Element]:
    """Every element of that name below `root`, in whatever namespace, as old books have others than new ones."""
    return (each for each in root.iter() if isinstance(each.tag, str) and _local(each) == name)


def _local(element: _Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _attribute(element: _Element, name: str) -> str:
    return next((str(value) for key, value in element.attrib.items() if str(key).rpartition("}")[2] == name), "")


def _words(element: _Element) -> str:
    return clean("".join(map(str, element.itertext())))

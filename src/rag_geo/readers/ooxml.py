"""What the formats of Microsoft Office have in common: a ZIP archive of parts that name each other by relations.

Parts are read as XML only when they are asked for. A relation to a part that is not there is no error, as programs
write such; the "strict" variant of the formats, which differs by the names of its namespaces, is read as the other.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from rag_geo.readers.archives import Archive, open_archive, parse_xml
from rag_geo.readers.blocks import UnreadableError
from rag_geo.readers.metadata import Metadata, clean, iso_date

if TYPE_CHECKING:
    from lxml.etree import _Element

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
R = f"{{{OFFICE}}}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"

_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_CORE = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(officeDocument|wordprocessingml|presentationml|drawingml)/(\w+)")
_STRICT_YEAR = rb"http://schemas.openxmlformats.org/\1/2006/\2"
# Names that programs write when nobody gave one.
_NO_TITLE = re.compile(
    r"(?:microsoft (?:office )?(?:word|powerpoint)|powerpoint|word)[ -](?:document|presentation|präsentation|dokument)"
    r"|untitled(?: document)?|unbenannt|document ?\d*|dokument ?\d*|presentation ?\d*|slide 1|folie 1|title"
    r"|power ?point[ -]?\w*",
    re.IGNORECASE,
)
_NO_AUTHOR = frozenset((
    "python-docx", "openpyxl", "apache poi", "pptxgenjs", "un-named", "unknown", "microsoft office user",
    "windows user", "user",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Relation:
    """How one part names another: `kind` is the last word of its type ("header"), `target` the name of the part."""

    kind: str
    target: str


@dataclass(slots=True)
class Package:
    """The parts of an office file; `main` is the name of the one that all begins with."""

    archive: Archive
    main: str
    roots: dict[str, _Element | None] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)

    def part(self, name: str) -> _Element | None:
        """The root of a part, None when it is missing or empty; raises UnreadableError when it is damaged."""
        if name not in self.roots:
            data = self.archive.read(name) if name in self.archive else b""
            self.roots[name] = parse_xml(_transitional(data), name) if data.strip() else None
        return self.roots[name]

    def once(self, name: str) -> _Element | None:
        """As `part`, but None from the second time on: a small file may name a large part a million times."""
        if name in self.given:
            return None
        self.given.add(name)
        return self.part(name)

    def relations(self, name: str) -> dict[str, Relation]:
        """The relations of a part by id, without those that lead out of the file."""
        return _relations(self.archive, name)

    def related(self, name: str, kind: str) -> _Element | None:
        """The root of the first part that `name` names as its `kind`."""
        target = next((one.target for one in self.relations(name).values() if one.kind == kind), "")
        return self.part(target) if target else None


def open_package(data: bytes, usual_main: str) -> Package:
    """The parts in `data`; `usual_main` is the main part where the relations name none.

    Raises UnreadableError when the archive is damaged, locked or has no main part.
    """
    archive = open_archive(data)
    named = [one.target for one in _relations(archive, "").values() if one.kind == "officeDocument"]
    main = next((name for name in (*named, usual_main) if name in archive), None)
    if main is None:
        raise UnreadableError(f"damaged: {usual_main} is missing in it")
    return Package(archive, main)


def core_properties(archive: Archive) -> Metadata:
    """Title, author, date (of creation, or else of the last change) and keywords that an office file states."""
    target = next((one.target for one in _relations(archive, "").values() if one.kind == "core-properties"), "")
    name = next((name for name in (target, "docProps/core.xml") if name and name in archive), None)
    if name is None:
        return Metadata()
    try:
        root = parse_xml(_transitional(archive.read(name)), name)
    except UnreadableError:
        # The text is readable without what the file says about itself.
        return Metadata()
    fields: dict[str, str] = {}
    for element in root:
        if isinstance(element.tag, str):
            fields.setdefault(element.tag.rpartition("}")[2], clean(element.text or ""))
    return stated(
        title=fields.get("title", ""),
        author=fields.get("creator", ""),
        dates=(fields.get("created", ""), fields.get("modified", "")),
        rest={name: fields.get(name, "") for name in ("subject", "keywords", "category", "description")},
    )


def stated(*, title: str, author: str, dates: tuple[str, ...], rest: dict[str, str]) -> Metadata:
    """Metadata without what programs fill in by themselves; the first of `dates` that is one counts."""
    made_by_program = author.casefold() in _NO_AUTHOR
    title = re.sub(r"^Microsoft (?:Word|PowerPoint) - ", "", clean(title))
    known = (iso_date(date) for date in dates)
    return Metadata(
        title="" if _NO_TITLE.fullmatch(title) else title,
        author="" if made_by_program else clean(author),
        date="" if author == "python-docx" else next((date for date in known if date), ""),
        rest=tuple((name, value) for name, value in rest.items() if value and not value.startswith("generated ")),
    )


def outermost(root: _Element, tag: str) -> Iterator[_Element]:
    """The elements of that tag below `root`, without those inside another: each text below them is in one only."""
    waiting = list(reversed(root))
    while waiting:
        element = waiting.pop()
        if element.tag == tag:
            yield element
        else:
            waiting.extend(reversed(element))


def chosen(element: _Element) -> bool:
    """Whether an ``mc:Choice`` or ``mc:Fallback`` is the one to read: the first choice, or the only fallback."""
    before = element.getprevious()
    while before is not None and not isinstance(before.tag, str):
        before = before.getprevious()
    return before is None


def on(element: _Element | None, attribute: str) -> bool:
    """Whether a switch such as ``<w:vanish/>`` is there and not turned off."""
    return element is not None and (element.get(attribute) or "1").lower() not in ("0", "false", "off", "none")


def _relations(archive: Archive, name: str) -> dict[str, Relation]:
    folder, base = posixpath.split(name)
    member = posixpath.join(folder, "_rels", f"{base}.rels")
    if member not in archive:
        return {}
    found: dict[str, Relation] = {}
    for element in archive.xml(member).iter(_RELATION):
        if element.get("TargetMode", "").lower() != "external":
            target = unquote(element.get("Target", ""))
            found[element.get("Id", "")] = Relation(
                element.get("Type", "").rpartition("/")[2], posixpath.normpath(posixpath.join("/", folder, target))[1:]
            )
    return found


def _transitional(data: bytes) -> bytes:
    return _STRICT.sub(_STRICT_YEAR, data) if b"http://purl.oclc.org/ooxml/" in data else data

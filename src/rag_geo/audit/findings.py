"""What an audit found: frozen records, without a line of layout."""

from __future__ import annotations

from dataclasses import dataclass

from rag_geo.audit.conflicts import Kind
from rag_geo.records import Citation, Skipped


@dataclass(frozen=True, slots=True)
class Spot:
    """A paragraph: where it is, and its visible text."""

    file: str
    paragraph: int
    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Textless:
    """A document with places that have no text to read ("p. 3"): a scan, most likely."""

    file: str
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """Paragraphs that say nearly the same in the same words; `exact` if only white space and case differ."""

    spots: tuple[Spot, ...]
    exact: bool


@dataclass(frozen=True, slots=True)
class Unfound:
    """A paragraph that a question made from it does not bring back, and the question."""

    spot: Spot
    question: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two sentences that state different things of one: the kind, and in words how they differ."""

    kind: Kind
    one: Citation
    other: Citation
    what: str


@dataclass(frozen=True, slots=True)
class Audit:
    """All that was found in one generation of an index.

    `unread` are the files that were not read; `copies` groups of files with the very same content, whose paragraphs
    are not in `repeated` for that. Questions were made from `asked` of the `paragraphs` that are searched.
    """

    generation: str
    documents: int
    paragraphs: int
    asked: int
    unread: tuple[Skipped, ...]
    textless: tuple[Textless, ...]
    unfound: tuple[Unfound, ...]
    copies: tuple[tuple[str, ...], ...]
    repeated: tuple[Repeated, ...]
    contradictions: tuple[Contradiction, ...]

"""Files with the same content, and paragraphs that are nearly the same."""

from __future__ import annotations

import re
from collections import defaultdict

from rag_geo.audit.findings import Repeated, Spot
from rag_geo.audit.neighbours import Pairs
from rag_geo.index.store import Index
from rag_geo.records import Span
from rag_geo.text.folding import visible

LEAST_SIMILARITY = 0.7
"""The cosine from which two windows are looked at: title and headings, which are embedded with them, may differ."""

_SHARED = 0.8
_SHORTEST = 8
"""Words of a paragraph that is worth telling: what is shorter is a caption or a formula."""

_LONG = 40
"""Words from which runs of five words are compared; of shorter paragraphs, where one word is in many runs, of three."""

Words = tuple[str, ...]


def copies(index: Index) -> tuple[tuple[str, ...], ...]:
    """Give the groups of files with the very same content, each in order."""
    groups: dict[str, list[str]] = defaultdict(list)
    for entry in index.documents:
        groups[entry.sha256].append(entry.file)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def repeated(index: Index, pairs: Pairs, same: tuple[tuple[str, ...], ...]) -> tuple[Repeated, ...]:
    """Give the groups of paragraphs that share at least 80 % of their runs of words, or of the shorter one's.

    Where all files of a group are copies of one another (`same`), it is left out.
    """
    near = pairs.similarity >= LEAST_SIMILARITY
    paragraph_of = index.rows.window_paragraph
    rows = sorted(
        set(zip(paragraph_of[pairs.one[near]].tolist(), paragraph_of[pairs.other[near]].tolist(), strict=True))
    )
    words: dict[int, Words] = {}
    parent: dict[int, int] = {}
    for one, other in rows:
        for row in (one, other):
            if row not in words:
                words[row] = words_of(spot(index, row).text)
        if share(words[one], words[other]) >= _SHARED:
            parent[_root(parent, max(one, other))] = _root(parent, min(one, other))
    groups: dict[int, list[int]] = defaultdict(list)
    for row in sorted(parent):
        groups[_root(parent, row)].append(row)
    original = {file: group[0] for group in same for file in group}
    found = [_group(index, sorted(members), words) for members in groups.values() if len(members) > 1]
    return tuple(group for group in found if not _copied(group, original))


def share(one: Words, other: Words) -> float:
    """Give the share of the shorter paragraph's runs of words that the other has; 0 where one is too short to tell."""
    least = min(len(one), len(other))
    if least < _SHORTEST:
        return 0.0
    size = 5 if least >= _LONG else 3
    mine, theirs = _runs(one, size), _runs(other, size)
    return len(mine & theirs) / min(len(mine), len(theirs))


def words_of(text: str) -> Words:
    """Give the words and numbers of a text, case folded."""
    return tuple(re.findall(r"\w+", text.casefold()))


def spot(index: Index, row: int) -> Spot:
    """Give the paragraph of one row with its text."""
    paragraph = index.paragraph(row)
    document = index.document(paragraph.file)
    text = visible(document.text, Span(paragraph.start, paragraph.end), document.hidden)
    return Spot(paragraph.file, paragraph.number, paragraph.place, text)


def _runs(words: Words, size: int) -> set[Words]:
    return {words[at : at + size] for at in range(len(words) - size + 1)}


def _root(parent: dict[int, int], row: int) -> int:
    """Give the representative of the group of a row, and shorten the way to it."""
    at = parent.setdefault(row, row)
    while parent[at] != at:
        parent[at] = parent[parent[at]]
        at = parent[at]
    parent[row] = at
    return at


def _group(index: Index, rows: list[int], words: dict[int, Words]) -> Repeated:
    return Repeated(tuple(spot(index, row) for row in rows), len({words[row] for row in rows}) == 1)


def _copied(group: Repeated, original: dict[str, str]) -> bool:
    """Whether the same paragraph of the same content was met more than once, and nothing else."""
    places = {(original.get(each.file, each.file), each.paragraph) for each in group.spots}
    return len(places) == 1

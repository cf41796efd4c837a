"""Keep segments few and free of what was deleted: segments are written anew without it, and small ones put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rag_geo.index.disk import Disk
from rag_geo.index.ingest import Place, write_segment
from rag_geo.index.manifest import Source, read_head, read_segment
from rag_geo.index.segments import Contents, Making, contents_from, merged, some_of

MOST_WINDOWS = 32_768
"""Windows of a segment that is put together: 50 MB of vectors for the default embedder, written in less than a
second."""

MOST_SMALL = 8
"""Segments of less than half of that which are left as they are."""


def compact(
    index_dir: Path, sources: Sequence[Source], making: Making, disk: Disk
) -> tuple[list[str], tuple[Source, ...]]:
    """Write what is needed so that segments hold nothing but the documents of `sources`; the old ones stay as they are.

    Gives the segments in the order in which they are first used, and the sources with their documents' new places.
    """
    used: dict[str, set[int]] = {}
    for source in sources:
        for one in source.documents:
            used.setdefault(one.segment, set()).add(one.row)
    heads = {name: read_head(index_dir, name) for name in used}
    small = [name for name in used if heads[name].windows < MOST_WINDOWS // 2]
    groups = [[name] for name in used]
    if len(small) > MOST_SMALL:
        sizes = {name: heads[name].windows for name in small}
        groups = [[name] for name in used if name not in sizes] + _grouped(sizes)
    names: list[str] = []
    moved: dict[Place, Place] = {}
    for group in groups:
        whole = all(len(used[name]) == heads[name].documents for name in group)
        if len(group) == 1 and whole:
            names.append(group[0])
            continue
        rows = {name: sorted(used[name]) for name in group}
        parts = [_kept(index_dir, name, rows[name], heads[name].documents) for name in group]
        name = write_segment(index_dir, merged(parts), making, disk)
        names.append(name)
        places = [Place(one, row) for one in group for row in rows[one]]
        moved |= {place: Place(name, row) for row, place in enumerate(places)}
    return names, tuple(_moved(source, moved) for source in sources)


def _grouped(sizes: Mapping[str, int]) -> list[list[str]]:
    """Segments, given with their windows, in groups of at most `MOST_WINDOWS`, in order."""
    groups: list[list[str]] = []
    room = 0
    for name, windows in sizes.items():
        if windows > room or not groups:
            groups.append([])
            room = MOST_WINDOWS
        groups[-1].append(name)
        room -= windows
    return groups


def _kept(index_dir: Path, name: str, rows: Sequence[int], documents: int) -> Contents:
    contents = contents_from(read_segment(index_dir, name, read_head(index_dir, name)))
    wanted = set(rows)
    return some_of(contents, [row in wanted for row in range(documents)])


def _moved(source: Source, moved: Mapping[Place, Place]) -> Source:
    there = (moved.get(Place(one.segment, one.row), Place(one.segment, one.row)) for one in source.documents)
    documents = tuple(
        replace(one, segment=place.segment, row=place.row) for one, place in zip(source.documents, there, strict=True)
    )
    return replace(source, documents=documents)

"""What stands against an answer: sentences elsewhere that contradict those it cites."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rag_geo.audit.conflicts import describe, difference, ordinary_words
from rag_geo.audit.neighbours import Reader, citation, nearest_windows
from rag_geo.audit.whole import LEAST_SIMILARITY
from rag_geo.index.store import Index
from rag_geo.records import Citation, Conflict


def contradicting(index: Index, citations: Sequence[Citation]) -> tuple[Conflict, ...]:
    """Give the sentences that state something else of the same thing than the sentences cited, each once.

    Only the windows nearest to the cited ones are read, by the vectors of the index: a few milliseconds a citation.
    What is itself cited is left out, and a citation that is not in the index (an older one) has nothing against it.
    """
    found: dict[tuple[str, int], Conflict] = {}
    for cited in citations:
        for window in _windows(index, cited):
            for conflict in _against(index, cited, window):
                found.setdefault((conflict.other.file, conflict.other.start), conflict)
    return tuple(each for each in found.values() if not any(_overlap(each.other, cited) for cited in citations))


def _windows(index: Index, cited: Citation) -> list[int]:
    """Give the windows that have some of what is cited."""
    number = index.numbers.get(cited.file)
    if number is None:
        return []
    rows = index.rows
    content = index.contents[number]
    first, last = index.content_paragraphs[content : content + 2].tolist()
    row = first + int(np.searchsorted(rows.paragraph_number[first:last], cited.paragraph))
    if row == last or rows.paragraph_number[row] != cited.paragraph:
        return []
    start, stop = index.paragraph_windows[row : row + 2].tolist()
    return [w for w in range(start, stop) if rows.window_start[w] < cited.end and cited.start < rows.window_end[w]]


def _against(index: Index, cited: Citation, window: int) -> list[Conflict]:
    """Give what the nearest windows say against what is cited of one window."""
    near = nearest_windows(index, window, LEAST_SIMILARITY)
    paragraphs = {int(index.rows.window_paragraph[each]) for each in (window, *near)}
    reader = Reader(index, ordinary_words(s.text for row in sorted(paragraphs) for s in index.sentences(row)))
    found = []
    for mine, stated in reader.of_window(window):
        if not (mine.start < cited.end and cited.start < mine.end):
            continue
        for other in near:
            for theirs, against in reader.of_window(other):
                differs = difference(stated, against)
                if differs is not None:
                    found.append(Conflict(mine.text, citation(index, theirs), describe(differs), cited))
    return found


def _overlap(one: Citation, other: Citation) -> bool:
    return one.file == other.file and one.start < other.end and other.start < one.end

"""From paragraphs, which are cited, to sentences and windows, which are embedded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rag_geo.readers.plain import own_title
from rag_geo.records import Document, Paragraph, Sentence, Span, Window
from rag_geo.settings import WindowSettings
from rag_geo.text.folding import visible

_PREFIX_SHARE = 3
"""Title and heading may take up to a third of the embedder's limit."""


def sentences(document: Document, paragraph: Paragraph) -> tuple[Sentence, ...]:
    """The sentences of one paragraph with their visible text; none for debris."""
    return tuple(
        Sentence(
            document.file,
            paragraph.number,
            start,
            end,
            visible(document.text, Span(start, end), document.hidden),
            paragraph.place,
        )
        for start, end in paragraph.sentences
    )


def windows(
    document: Document, settings: WindowSettings, count_tokens: Callable[[str], int], max_tokens: int
) -> tuple[Window, ...]:
    """The windows of `document` in file order: consecutive sentences of one paragraph, moved on by the stride.

    The last window of a paragraph ends with it; a paragraph with fewer sentences than a window has one window. No
    window is longer than `max_tokens` by `count_tokens`, which counts everything the embedder adds of its own: longer
    ones are parted into as many sentences as fit, a sentence that does not fit alone is cut between words. Headings
    and debris have no windows; headings stand in front of the text they lead when the settings say so. Every sentence
    of every other paragraph is in at least one window (with a stride no longer than the window).
    """
    found: list[Window] = []
    for paragraph in document.paragraphs:
        if paragraph.debris or paragraph.kind == "heading" or not paragraph.sentences:
            continue
        prefix = _fitting_prefix(_prefix(document, paragraph, settings), count_tokens, max_tokens)

        def fits(text: str) -> bool:
            # A token is at least one character, and no embedder adds more than two of its own.
            return len(text) + 2 <= max_tokens or count_tokens(text) <= max_tokens

        seen: set[Span] = set()
        for run in _runs(paragraph.sentences, settings):
            for span, text in _parts(document, run, prefix, fits):
                if span not in seen:
                    seen.add(span)
                    found.append(Window(document.file, paragraph.number, span.start, span.end, text))
    return tuple(found)


def _runs(spans: Sequence[Span], settings: WindowSettings) -> Iterator[Sequence[Span]]:
    """The sentences of each window; the last run ends the paragraph."""
    last = max(0, len(spans) - settings.sentences)
    for start in [*range(0, last, settings.stride), last]:
        yield spans[start : start + settings.sentences]


def _prefix(document: Document, paragraph: Paragraph, settings: WindowSettings) -> str:
    """Title and heading as wished, without saying the same twice.

    A title that is only the name of the file is none: a file that is renamed keeps its windows.
    """
    title = own_title(document)
    parts = [title] if settings.title and title else []
    if settings.heading and paragraph.heading:
        parts.extend(part for part in paragraph.heading.split(" › ") if part not in parts)
    return " › ".join(parts)


def _fitting_prefix(prefix: str, count_tokens: Callable[[str], int], max_tokens: int) -> str:
    while (
        prefix and len(prefix) + 2 > max_tokens // _PREFIX_SHARE and count_tokens(prefix) > max_tokens // _PREFIX_SHARE
    ):
        prefix = prefix[: min(len(prefix) * 3 // 4, 4 * max_tokens)].rpartition(" ")[0]
    return prefix


def _parts(
    document: Document, run: Sequence[Span], prefix: str, fits: Callable[[str], bool]
) -> Iterator[tuple[Span, str]]:
    """The run as one window if it fits, else parted."""
    while run:
        taken = len(run)
        while taken > 1 and not fits(_text(document, _hull(run[:taken]), prefix)):
            taken -= 1
        span = _hull(run[:taken])
        if taken > 1 or fits(_text(document, span, prefix)):
            yield span, _text(document, span, prefix)
        else:
            yield from _cut(document, span, prefix, fits)
        run = run[taken:]


def _cut(document: Document, span: Span, prefix: str, fits: Callable[[str], bool]) -> Iterator[tuple[Span, str]]:
    """Pieces of one sentence, each as long as fits: between words, or anywhere when one word does not fit."""
    start, end = span
    while start < end:
        low, high = start + 1, end
        while low < high:
            middle = (low + high + 1) // 2
            if fits(_text(document, Span(start, middle), prefix)):
                low = middle
            else:
                high = middle - 1
        at = low if low == end else _word_edge(document.text, start, low)
        text = _text(document, Span(start, at), prefix)
        if visible(document.text, Span(start, at), document.hidden):
            yield Span(start, at), text
        start = at
        while start < end and document.text[start].isspace():
            start += 1


def _word_edge(text: str, start: int, end: int) -> int:
    for at in range(end, start, -1):
        if text[at - 1].isspace() or text[at].isspace():
            return at
    return end


def _hull(run: Sequence[Span]) -> Span:
    return Span(run[0].start, run[-1].end)


def _text(document: Document, span: Span, prefix: str) -> str:
    seen = visible(document.text, span, document.hidden)
    return f"{prefix}\n{seen}" if prefix else seen

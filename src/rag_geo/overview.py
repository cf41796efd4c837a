"""What an index holds and what an update did, as lines for a terminal and as objects for JSON: pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from shlex import quote
from typing import TYPE_CHECKING

from rag_geo.errors import UsageError
from rag_geo.records import Document, Paragraph, Skipped, Span
from rag_geo.render import Line, Segment, visible, visible_name
from rag_geo.text.folding import visible as visible_text

if TYPE_CHECKING:
    from rag_geo.index import Index, IndexReport

_FIRST_WORDS = 44
"""Characters of a paragraph that are shown of it."""

_MOST_PLACE = 32
"""Columns that are kept for the place of a paragraph; a longer one is shown whole nevertheless."""


def report_lines(report: IndexReport) -> list[Line]:
    """Lay out what an update did: one line of counts, what readers said, and the skipped files with the reason."""
    counts = (
        f"{len(report.added)} added, {len(report.changed)} changed, {len(report.removed)} removed, "
        f"{report.unchanged} unchanged"
    )
    sizes = f"{report.documents} documents, {report.paragraphs} paragraphs, {report.windows} windows"
    done = f"{report.windows_embedded} embedded in {report.seconds:.1f} s"
    state = "indexed" if report.published else "nothing to do"
    lines = [
        Line(
            (Segment(f"{state}: ", "good"), Segment(f"{counts}; now {sizes}, {done} ({report.generation})")), hanging=2
        )
    ]
    return lines + _remark_lines(report) + skipped_lines(report.skipped)


def report_object(report: IndexReport) -> dict[str, object]:
    """Give what an update did as the object that ``rag-geo index --json`` prints."""
    return asdict(report)


def _remark_lines(report: IndexReport) -> list[Line]:
    """Lay out which files were not read as they are, and how much was left out of all that were read."""
    lines = []
    if report.warnings:
        files = len({each.file for each in report.warnings})
        count = "1 file was" if files == 1 else f"{files} files were"
        lines.append(Line((Segment(f"{count} read with a warning:", "warn"),)))
    for each in report.warnings:
        name = Segment(visible_name(each.file), "strong")
        lines.append(Line((name, Segment(f": {visible(each.warning)}")), indent=2, hanging=2))
    if report.dropped:
        counts = ", ".join(f"{name} {count:,}" for name, count in report.dropped.items())
        lines.append(
            Line((Segment(f"left out of what was read: {counts} (of each file: rag-geo info --file FILE)"),), hanging=2)
        )
    return lines


def skipped_lines(skipped: Sequence[Skipped]) -> list[Line]:
    """Lay out the files that were not read, each with its reason."""
    if not skipped:
        return []
    count = "1 file was" if len(skipped) == 1 else f"{len(skipped)} files were"
    lines = [Line((Segment(f"{count} skipped:", "warn"),))]
    for each in skipped:
        name = Segment(visible_name(each.file), "strong")
        lines.append(Line((name, Segment(f": {visible(each.reason)}")), indent=2, hanging=2))
    return lines


def index_lines(index: Index) -> list[Line]:
    """Lay out what an index holds: how it was made, its documents, what was skipped."""
    made = index.manifest
    head = (
        f"{made.documents} documents, {made.paragraphs} paragraphs, {made.windows} windows",
        f"of {made.folder}",
        f"{made.generation}, built {made.built}, embedder {made.embedder}",
    )
    paragraphs = [index.paragraph_count(entry.file) for entry in index.documents]
    lines = [Line((Segment(visible(text)),), hanging=2) for text in head] + [Line()]
    for entry, count in zip(index.documents, paragraphs, strict=True):
        known = [f"{count} paragraphs", entry.date, visible(entry.author)]
        figures = Segment("  " + " · ".join(each for each in known if each), "faint")
        lines.append(Line((Segment(visible_name(entry.file), "strong"), figures), hanging=4))
        if entry.title:
            lines.append(Line((Segment(visible(entry.title)),), indent=4))
    return [*lines, *skipped_lines(index.skipped)]


def index_object(index: Index) -> dict[str, object]:
    """Give what an index holds as the object that ``rag-geo info --json`` prints."""
    made = index.manifest
    names = ("generation", "built", "folder", "embedder", "dimension", "documents", "paragraphs", "windows")
    return {
        **{name: getattr(made, name) for name in names},
        "files": [asdict(entry) for entry in index.documents],
        "skipped": [asdict(each) for each in index.skipped],
    }


def find_document(index: Index, file: str) -> Document:
    """Give the document called `file` (relative to the indexed folder).

    Raises `UsageError` with the nearest name, with the first document in a file that holds several, or with the reason
    when the file was skipped.
    """
    for each in index.skipped:
        if each.file == file:
            raise UsageError(f"{file!r} was skipped: {each.reason}")
    inside = [entry.file for entry in index.documents if entry.source == file != entry.file]
    if inside and file not in index.numbers:
        count = f"{len(inside):,} document{'' if len(inside) == 1 else 's'}"
        raise UsageError(f"{file!r} holds {count}", hint=f"rag-geo info --file {quote(inside[0])}")
    if file not in index.numbers:
        near = get_close_matches(file, list(index.numbers), n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else "rag-geo info lists the files"
        raise UsageError(f"no file {file!r} in the index", hint=hint)
    return index.document(file)


def document_lines(document: Document) -> list[Line]:
    """Lay out one document: what is known of it; each paragraph with offsets, kind, debris rule and first words."""
    lines = [Line((Segment(visible_name(document.file), "strong"),))]
    for name, value in _facts(document).items():
        lines.append(Line((Segment(f"{name}: ", "faint"), Segment(visible(value))), indent=2, hanging=2))
    lines += [Line((Segment(f"warning: {visible(each)}", "warn"),), indent=2, hanging=2) for each in document.warnings]
    places = [visible(each.place) for each in document.paragraphs]
    width = min(max(map(len, places), default=0), _MOST_PLACE)
    for paragraph, where in zip(document.paragraphs, places, strict=True):
        offsets = f"[{paragraph.start}, {paragraph.end})"
        known = f"{offsets:<16}{paragraph.kind:<9}" + (f"{where:<{width}}  " if width else "")
        head = (Segment(f"¶{paragraph.number:<4}", "mark"), Segment(known, "faint"))
        rule = (Segment(f"not indexed ({visible(paragraph.debris)}) ", "warn"),) if paragraph.debris else ()
        lines.append(Line((*head, *rule, Segment(visible(_first_words(document, paragraph)))), hanging=5))
    return lines


def document_object(document: Document) -> dict[str, object]:
    """Give one document as the object that ``rag-geo info --file --json`` prints; all but its text."""
    names = ("file", "sha256", "format", "encoding", "language", "title", "author", "date")
    return {
        **{name: getattr(document, name) for name in names},
        "characters": len(document.text),
        "metadata": dict(document.metadata),
        "removed": dict(document.removed),
        "warnings": list(document.warnings),
        "textless": list(document.textless),
        "paragraphs": [_paragraph_object(document, paragraph) for paragraph in document.paragraphs],
    }


def _paragraph_object(document: Document, paragraph: Paragraph) -> dict[str, object]:
    names = ("number", "start", "end", "kind", "heading", "place", "debris")
    return {
        **{name: getattr(paragraph, name) for name in names},
        "sentences": [[span.start, span.end] for span in paragraph.sentences],
        "first_words": _first_words(document, paragraph),
    }


def _facts(document: Document) -> Mapping[str, str]:
    """What is known of a document besides its paragraphs, without what is empty."""
    facts = {
        "title": document.title,
        "author": document.author,
        "date": document.date,
        "format": ", ".join(filter(None, (document.format, document.encoding, f"{len(document.text):,} characters"))),
        "language": document.language,
        "SHA-256": document.sha256,
        "removed": ", ".join(f"{name} {count}" for name, count in document.removed),
        "without text": ", ".join(document.textless),
    }
    return {name: value for name, value in facts.items() if value}


def _first_words(document: Document, paragraph: Paragraph) -> str:
    text = visible_text(document.text, Span(paragraph.start, paragraph.end), document.hidden)
    return text if len(text) <= _FIRST_WORDS else text[:_FIRST_WORDS].rsplit(" ", 1)[0] + " …"

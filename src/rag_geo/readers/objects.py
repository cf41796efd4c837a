"""Read JSON and JSON Lines: each record (an object of the top list, or a line) as paragraphs.

A text of some length is a paragraph of its own; the short fields of a record together are one, "name: value; name:
value". With the setting ``reading.json_fields`` only the fields it names are read.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rag_geo.readers.blocks import UnreadableError
from rag_geo.readers.decoding import decode
from rag_geo.readers.layout import Draft, Layout
from rag_geo.readers.metadata import Metadata, clean, from_fields
from rag_geo.readers.plain import title_from_name
from rag_geo.settings import ReadingSettings

LONG_TEXT = 80
"""Characters from which on a text with spaces is a paragraph of its own; shorter ones if they end as sentences do."""

_SENTENCE = 40
_LONGEST_NAME = 200
_LONGEST_FIELDS = 1_000
_MANY_NUMBERS = 20
_LONGEST_WORD = 300
_SHOWN_LINES = 10
_TITLES = ("title", "headline", "subject", "name")
_ENDS = re.compile(r"[.!?…。！？]['\"”’»)\]]*$")
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n\s*")
_MARKUP = re.compile(r"</(?:p|div|li|h[1-6]|span|td|a|b|i|em|strong|ul)>|<br ?/?>|<p>", re.IGNORECASE)
_LINES = re.compile(r"\r\n|\n|\r")


class Number(str):
    """A number or truth value as the file writes it: neither its digits nor their count change."""

    __slots__ = ()


class Leaf(NamedTuple):
    """A value that holds no others, and the names that lead to it, joined by dots."""

    path: str
    value: str


@dataclass(frozen=True, slots=True)
class Record:
    """What a paragraph may come from: `place` is where it stands, `section` the list it is in, `key` its own name."""

    value: object
    place: str
    section: str = ""
    key: str = ""


@dataclass(slots=True)
class _Found:
    """What was noticed while reading."""

    removed: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)


def read(data: bytes, name: str, settings: ReadingSettings) -> Layout:
    """The layout of a JSON or JSON Lines file; raises UnreadableError for what is neither, or nested too deeply."""
    decoded = decode(data)
    if decoded is None:
        raise UnreadableError("looks binary")
    found = _Found(warnings=list(decoded.warnings))
    about, records = _records(decoded.text, name, found)
    fields = frozenset(part.strip() for part in settings.json_fields.split(",") if part.strip()) - {"*"}
    writer = _Writer(Draft(), found.removed, fields)
    writer.add_all(records)
    if fields and records and not writer.draft.blocks:
        raise UnreadableError(f"no record in it has the fields of reading.json_fields ({settings.json_fields})")
    whole = _title(records[0], frozenset()) if records and not records[0].place else ""
    return Layout(
        writer.draft.text,
        tuple(writer.draft.blocks),
        title=about.title or whole or title_from_name(name),
        author=about.author,
        date=about.date,
        removed=tuple(sorted(found.removed.items())),
        warnings=tuple(found.warnings),
        encoding=decoded.encoding,
    )


def _records(text: str, name: str, found: _Found) -> tuple[Metadata, Sequence[Record]]:
    """What the file says about itself as a whole, and its records."""
    if not name.lower().endswith((".jsonl", ".ndjson")):
        try:
            return _of_value(parse(text))
        except json.JSONDecodeError as error:
            wrong = f"damaged: not valid JSON in line {error.lineno}"
            if error.msg != "Extra data":
                raise UnreadableError(wrong) from error
        except RecursionError as error:
            raise UnreadableError("nested too deeply") from error
    return Metadata(), tuple(_of_lines(text, found))


def parse(text: str) -> object:
    """The value of a JSON text, numbers as they are written and every value of a name that comes twice.

    What is no number ("NaN") is None. Raises json.JSONDecodeError and RecursionError.
    """
    return json.loads(
        text,
        parse_int=Number,
        parse_float=Number,
        parse_constant=lambda _: None,
        object_pairs_hook=_object,
        strict=False,
    )


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice: dict[str, list[object]] = {}
        for name, value in pairs:
            twice.setdefault(name, []).append(value)
        found = {name: values if len(values) > 1 else values[0] for name, values in twice.items()}
    return found


def _of_lines(text: str, found: _Found) -> Iterator[Record]:
    broken: list[int] = []
    read_any = False
    for number, line in enumerate(_LINES.split(text), start=1):
        if not line or line.isspace():
            continue
        try:
            value = parse(line)
        except (json.JSONDecodeError, RecursionError):
            broken.append(number)
            continue
        read_any = True
        yield Record(value, f"line {number}")
    if not read_any:
        raise UnreadableError("damaged: no line of it is valid JSON")
    if broken:
        lines = ", ".join(map(str, broken[:_SHOWN_LINES])) + (", …" if len(broken) > _SHOWN_LINES else "")
        counted = "1 line is" if len(broken) == 1 else f"{len(broken):,} lines are"
        found.warnings.append(f"{counted} not valid JSON and left out: {lines}")


def _of_value(value: object) -> tuple[Metadata, Sequence[Record]]:
    """The records of one JSON value: the items of a list, of the lists of an object, or of an object of objects."""
    if isinstance(value, list):
        return Metadata(), [Record(item, f"record {number}") for number, item in enumerate(value, start=1)]
    if not isinstance(value, Mapping):
        return Metadata(), [Record(value, "")]
    about = from_fields({name: item for name, item in value.items() if isinstance(item, str)})
    if len(value) > 1 and all(isinstance(item, Mapping) for item in value.values()):
        return about, [
            Record(item, f"record {number}", key=name) for number, (name, item) in enumerate(value.items(), start=1)
        ]
    lists = {name: item for name, item in value.items() if _is_list_of_records(item)}
    if not lists:
        return about, [Record(value, "")]
    rest = {name: item for name, item in value.items() if name not in lists}
    records = [Record(rest, "")] if rest else []
    for name, items in lists.items():
        section = name if len(lists) > 1 else ""
        for number, item in enumerate(items, start=1):
            records.append(Record(item, f"{section}, record {number}".lstrip(", "), section))
    return about, records


def _is_list_of_records(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


@dataclass(slots=True)
class _Writer:
    """Adds records to a draft; with `fields` only what they name."""

    draft: Draft
    removed: Counter[str]
    fields: frozenset[str]

    def add_all(self, records: Sequence[Record]) -> None:
        """Add all records of a file; their titles are headings if each has one and there are texts to stand under it.

        Of some records only, titles would seem to be those of the records below that have none.
        """
        with_place = [record for record in records if record.place]
        headed = all(_title(record, self.fields) for record in with_place) and self._any_text(with_place)
        section = ""
        for record in records:
            if record.section != section and not self.fields:
                self.draft.add(clean(record.section), "heading", level=1)
            section = record.section
            self._add(record, _title(record, self.fields) if headed or not record.place else "")

    def _any_text(self, records: Sequence[Record]) -> bool:
        looking = _Writer(self.draft, Counter(), self.fields)
        return any(looking._is_text(leaf) for record in records for leaf in looking._asked(record))

    def _add(self, record: Record, title: str) -> None:
        leaves = list(self._asked(record))
        texts = [leaf for leaf in leaves if self._is_text(leaf)]
        short = [leaf for leaf in leaves if not self._is_text(leaf)]
        if title and (texts or record.place):
            self.draft.add(title, "heading", level=2, place=record.place)
            short = [leaf for leaf in short if leaf.value != title or leaf.path not in _TITLES]
        elif record.key and not self.fields:
            short.insert(0, Leaf("", record.key))
        self._add_short(short, record.place)
        for leaf in texts:
            self._add_text(leaf.value, record.place)

    def _asked(self, record: Record) -> Iterator[Leaf]:
        for leaf in self._leaves(record.value):
            if not self.fields or leaf.path in self.fields or f"{record.section}.{leaf.path}" in self.fields:
                yield leaf

    def _add_short(self, leaves: Sequence[Leaf], place: str) -> None:
        """The short fields as one paragraph, or as several where they are very many."""
        told: list[str] = []
        length = 0
        for leaf in leaves:
            value = " ".join(leaf.value.split())
            told.append(f"{leaf.path}: {value}" if leaf.path else value)
            length += len(told[-1])
            if length > _LONGEST_FIELDS:
                self.draft.add("; ".join(told), "table", place=place)
                told, length = [], 0
        self.draft.add("; ".join(told), "table", place=place)

    def _add_text(self, text: str, place: str) -> None:
        if _MARKUP.search(text):
            from rag_geo.readers.html import page_layout

            page = page_layout(text)
            self.removed.update(dict(page.removed))
            for block in page.blocks:
                part = page.text[block.start : block.end]
                self.draft.add(part, block.kind, level=block.level, rule=block.rule, place=place)
            return
        for part in _BLANK_LINE.split(text.replace("\r\n", "\n")):
            self.draft.add(part, place=place)

    def _leaves(self, value: object) -> Iterator[Leaf]:
        """The values of a record in their order, found with a stack: JSON may be nested a thousand times."""
        stack: list[tuple[str, object]] = [("", value)]
        while stack:
            path, value = stack.pop()
            if isinstance(value, dict):
                stack.extend((_joined(path, name), item) for name, item in reversed(value.items()))
            elif isinstance(value, list):
                together = self._together(value)
                if together is None:
                    stack.extend((path, item) for item in reversed(value))
                else:
                    stack.append((path, together))
            elif isinstance(value, bool):
                yield Leaf(path, str(value).lower())
            elif isinstance(value, str) and value and not value.isspace():
                if _is_readable(value):
                    yield Leaf(path, value)
                else:
                    self.removed["encoded data"] += 1

    def _together(self, items: Sequence[object]) -> str | None:
        """Short values with commas between them; None for a list of anything else."""
        if not all(isinstance(item, str) for item in items):
            return None
        values = [str(item) for item in items]
        if len(values) > _MANY_NUMBERS and all(isinstance(item, Number) for item in items):
            self.removed["long list of numbers"] += 1
            return ""
        return None if any(_is_long(value) for value in values) else ", ".join(values)

    def _is_text(self, leaf: Leaf) -> bool:
        """A text of some length; one that is asked for is a text whatever its length, if it is not a title."""
        if isinstance(leaf.value, Number):
            return False
        return _is_long(leaf.value) or (bool(self.fields) and leaf.path.rpartition(".")[2] not in _TITLES)


def _joined(path: str, name: str) -> str:
    whole = f"{path}.{name}" if path else name
    return " ".join(whole[-_LONGEST_NAME:].lstrip(".").split())


def _is_long(text: str) -> bool:
    if isinstance(text, Number) or " " not in text.strip():
        return len(text) >= LONG_TEXT and not text.isascii()  # Chinese has no spaces, an address no other letters
    if len(text) >= LONG_TEXT or "\n" in text.strip():
        return True
    return len(text) >= _SENTENCE and bool(_ENDS.search(text.rstrip()))


def _is_readable(text: str) -> bool:
    """Not a picture or a key written in letters: hundreds of them without a space."""
    return len(text) <= _LONGEST_WORD or not text.isascii() or any(part.isspace() for part in text[:_LONGEST_WORD])


def _title(record: Record, fields: frozenset[str]) -> str:
    """What a record is called: by a field that says so (one that is asked for), or by its name in an object."""
    if isinstance(record.value, Mapping):
        for name in [name for name in _TITLES if not fields or name in fields]:
            value = record.value.get(name)
            if isinstance(value, str) and not isinstance(value, Number) and value.strip() and not _is_long(value):
                return value
    return "" if fields else record.key

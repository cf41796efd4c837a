"""Title, author and date of a document: YAML front matter, the meta elements of a page, and dates in words."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag_geo.records import Span
from rag_geo.text.folding import find_hidden, visible

if TYPE_CHECKING:
    import yaml

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
_MONTH += r"|nov(?:ember)?|dec(?:ember)?)\.?"
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?"
_ISO = re.compile(r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?(?:[t ].*)?", re.DOTALL)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:t.*)?")
_DAY_FIRST = re.compile(
    rf"{_WEEKDAY}(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH},?\s+(\d{{4}})(?:\b.*)?", re.DOTALL
)
_MONTH_FIRST = re.compile(rf"{_WEEKDAY}{_MONTH}\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})(?:\b.*)?", re.DOTALL)
_MONTH_ONLY = re.compile(rf"{_MONTH},?\s+(\d{{4}})")

_FRONT_MATTER = re.compile(r"---[ \t]*(?:\r\n|\n|\r)(.*?)^(?:---|\.\.\.)[ \t]*(?=[\r\n]|\Z)", re.DOTALL | re.MULTILINE)
_FRONT_MATTER_LIMIT = 65_536
_VALUE_LIMIT = 2_000
NOWHERE = Span(0, 0)
_NAMES = {
    "title": ("title", "headline"),
    "author": ("author", "authors", "by", "byline"),
    "date": ("date", "published", "pubdate", "publication_date", "created"),
}


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is known about a document besides its text; `rest` are the other fields, in order, as (name, value)."""

    title: str = ""
    author: str = ""
    date: str = ""
    rest: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The block between `---` lines that a file begins with; `span` is empty when there is none that can be read."""

    span: Span = NOWHERE
    metadata: Metadata = field(default_factory=Metadata)
    warnings: tuple[str, ...] = ()


def iso_date(text: str) -> str:
    """`text` as an ISO 8601 date as far as it says one ("2021", "2021-06", "2021-06-20"), or "".

    Understood are ISO dates with or without a time, "20 June 2021", "June 20, 2021", "June 2021" and "2021"; not
    "06/07/2021", which means one day in London and another in New York.
    """
    text = " ".join(text.split()).lower()[:80]
    for pattern, order in (
        (_ISO, (1, 2, 3)),
        (_COMPACT, (1, 2, 3)),
        (_DAY_FIRST, (3, 2, 1)),
        (_MONTH_FIRST, (3, 1, 2)),
    ):
        found = pattern.fullmatch(text)
        if found:
            return _checked(*(found[group] for group in order))
    found = _MONTH_ONLY.fullmatch(text)
    return _checked(found[2], found[1], None) if found else ""


def _checked(year: str, month: str | None, day: str | None) -> str:
    if month is None:
        return year if 1000 <= int(year) <= 2999 else ""
    number = int(month) if month.isdigit() else _MONTHS.index(month[:3]) + 1
    try:
        known = datetime.date(int(year), number, int(day or 1))
    except ValueError:
        return ""
    return known.isoformat() if day else known.isoformat()[:7]


def read_front_matter(text: str) -> FrontMatter:
    """The front matter of `text`; what cannot be read is a warning and stays ordinary text."""
    if not text.startswith("---"):
        return FrontMatter()
    found = _FRONT_MATTER.match(text, 0, _FRONT_MATTER_LIMIT)
    if not found or not found[1].strip():
        return FrontMatter()
    import yaml

    try:
        value = yaml.load(found[1], Loader=_plain_loader())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = str(getattr(error, "problem", None) or error).strip().partition("\n")[0]
        return FrontMatter(warnings=(f"front matter is not valid YAML ({reason}); read as text",))
    if not isinstance(value, Mapping):
        # Two horizontal rules with text between them: common, and no mistake.
        return FrontMatter()
    return FrontMatter(Span(0, found.end()), from_fields({str(key): as_text(item) for key, item in value.items()}))


def _plain_loader() -> type[yaml.SafeLoader]:
    """`yaml.SafeLoader` that refuses aliases, with which a few lines expand to gigabytes."""
    import yaml

    class PlainLoader(yaml.SafeLoader):
        def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("aliases are not supported")
            return super().compose_node(parent, index)

    return PlainLoader


def as_text(value: object) -> str:
    """One line of visible text for a value of YAML or JSON: lists joined by commas, deeper things as JSON."""
    if value is None:
        return ""
    if isinstance(value, list | tuple) and all(isinstance(item, str | int | float | datetime.date) for item in value):
        value = ", ".join(map(str, value))
    elif isinstance(value, Mapping | list | tuple | set):
        try:
            value = json.dumps(value, ensure_ascii=False, default=str, skipkeys=True)
        except (ValueError, RecursionError):
            return ""
    return clean(str(value))


def clean(text: str) -> str:
    """One line without hidden characters, cut at 2,000."""
    text = text[:_VALUE_LIMIT]
    return visible(text, Span(0, len(text)), find_hidden(text)[0])


def from_fields(fields: Mapping[str, str]) -> Metadata:
    """Title, author and date out of named fields; every other non-empty field goes into the rest."""
    by_name = {name.strip().lower(): value for name, value in fields.items()}
    title, author, date = (next((by_name[name] for name in _NAMES[kind] if by_name.get(name)), "") for kind in _NAMES)
    known = iso_date(date)
    used = {*_NAMES["title"], *_NAMES["author"], *(_NAMES["date"] if known else ())}
    rest = tuple((clean(name), value) for name, value in fields.items() if value and name.strip().lower() not in used)
    return Metadata(title, author, known, rest)

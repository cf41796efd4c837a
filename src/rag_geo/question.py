"""What may be asked: the rules for a question and its filters, checked before anything is loaded. Pure."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from rag_geo.errors import UsageError
from rag_geo.records import Filters

MAX_CHARACTERS = 2000
"""The longest question, in characters."""

MAX_BEFORE = 8
"""The most earlier questions that a line of a batch may hold."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_ISO_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


@dataclass(frozen=True, slots=True)
class Asked:
    """One line of a batch: the question, its filters, and the `id` that is given back with the answer (any JSON).

    `before` are the questions asked earlier in the same conversation, oldest first.
    """

    question: str
    filters: Filters = field(default_factory=Filters)
    id: object = None
    before: tuple[str, ...] = ()


def check_question(text: str) -> str:
    """Return the question without surrounding white space, lone surrogates replaced by U+FFFD.

    Raises `UsageError` when it is longer than `MAX_CHARACTERS` or holds no letter, digit or symbol to look for.
    """
    if len(text) > MAX_CHARACTERS:
        raise UsageError(
            f"the question is {len(text):,} characters long, the limit is {MAX_CHARACTERS:,}",
            hint="ask about one thing; long texts belong into the folder of documents",
        )
    question = _SURROGATE.sub("\ufffd", text).strip()
    if not any(unicodedata.category(character)[0] in "LN" for character in question):
        raise UsageError("the question is empty", hint='type one, for example: rag-geo ask "Who signed the treaty?"')
    return question


def check_filters(filters: Filters) -> Filters:
    """Return the filters as they are. Raises `UsageError` for a date that is not ISO, or an empty range."""
    for name, text in (("From (after)", filters.after), ("Until (before)", filters.before)):
        if text and not _is_date(text):
            raise UsageError(f"{name} is {text!r}, expected a date like 2021, 2021-06 or 2021-06-20")
    shared = min(len(filters.after), len(filters.before))
    if filters.after[:shared] > filters.before[:shared]:
        raise UsageError(
            f"no date lies from {filters.after!r} (after) until {filters.before!r} (before)", hint="swap them"
        )
    return filters


def parse_line(line: str) -> Asked:
    """Read one line of a batch: plain text, or an object with `question` and, if wanted, `id` and filters.

    Filters stand beside the question or in an object `filters`. A list `before` holds the earlier questions of the
    conversation, oldest first; a text `before` is the filter by date. Raises `UsageError` for a bad line; the error
    says what is wrong with it.
    """
    table = _table(line)
    return Asked(check_question(_bare(line))) if table is None else _asked(table)


def raw_question(line: str) -> str | None:
    """Find the question of a line that may be bad, to name it in an error; None where there is none to find."""
    try:
        table = _table(line)
    except UsageError:
        return None
    question = _bare(line) if table is None else table.get("question")
    return question[:MAX_CHARACTERS] or None if isinstance(question, str) else None


def raw_id(line: str) -> object:
    """Find the `id` of a line that may be bad, so that its error can be told apart; None where there is none."""
    try:
        table = _table(line)
    except UsageError:
        return None
    return None if table is None else table.get("id")


def _bare(line: str) -> str:
    return line.removeprefix("\ufeff").strip()


def _table(line: str) -> dict[str, object] | None:
    """Parse a line that is meant as JSON; None for plain text. Raises `UsageError` when it is no JSON object."""
    text = _bare(line)
    if not text.startswith(("{", "[{")):
        return None
    try:
        table = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the line is not valid JSON: {error}", hint='expected {"question": "…"}') from error
    if not isinstance(table, dict):
        raise UsageError("the line is not a JSON object", hint='expected {"question": "…"}')
    return table


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not a JSON value")


def _asked(table: Mapping[str, object]) -> Asked:
    known = {each.name for each in fields(Filters)}
    inner = table.get("filters", {})
    if not isinstance(inner, dict):
        raise UsageError(f"'filters' is {inner!r}, expected an object with {', '.join(sorted(known))}")
    beside: dict[str, Any] = {name: value for name, value in table.items() if name not in ("question", "id", "filters")}
    before = beside.pop("before") if isinstance(table.get("before"), list) else []
    wanted = beside | inner
    for name, value in (("question", table.get("question")), *wanted.items()):
        if name not in known | {"question"}:
            raise UsageError(
                f"unknown field {name!r}", hint=f"known: question, id, filters, {', '.join(sorted(known))}"
            )
        if not isinstance(value, str):
            also = " (a date) or a list of earlier questions" if name == "before" and name not in inner else ""
            raise UsageError(f"{name!r} is {value!r}, expected a text{also}")
    question = check_question(str(table["question"]))
    filters = Filters(**{name: str(value) for name, value in wanted.items()})
    return Asked(question, check_filters(filters), table.get("id"), _before(before))


def _before(questions: Sequence[object]) -> tuple[str, ...]:
    """Check the earlier questions of a conversation, each like a question of its own."""
    if len(questions) > MAX_BEFORE:
        raise UsageError(f"'before' holds more than {MAX_BEFORE} questions", hint="leave out the oldest")
    checked = []
    for place, text in enumerate(questions, 1):
        if not isinstance(text, str):
            raise UsageError(f"question {place} of 'before' is {text!r}, expected a text")
        try:
            checked.append(check_question(text))
        except UsageError as error:
            raise UsageError(f"question {place} of 'before': {error}") from error
    return tuple(checked)


def _is_date(text: str) -> bool:
    if not _ISO_DATE.fullmatch(text):
        return False
    year, month, day = (text + "-01-01").split("-")[:3]
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True

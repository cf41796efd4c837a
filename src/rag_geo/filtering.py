"""Which documents a question is asked about, by its `Filters`; and what is wrong with those that leave none. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Protocol

from rag_geo.errors import UsageError
from rag_geo.records import Filters

_NAMED = 5
"""Known authors or files that an error names."""

_MOST_CHARACTERS = 80
"""Of each of them."""


class Known(Protocol):
    """What is known of a document without reading its text."""

    @property
    def file(self) -> str:
        """Path in the indexed folder."""
        ...

    @property
    def author(self) -> str:
        """Who wrote it, "" if that is not known."""
        ...

    @property
    def date(self) -> str:
        """ISO date as far as it is known."""
        ...


def filter_words(filters: Filters) -> str:
    """Say what the filters leave: ``author Hawn, from 2024``; "" for none. The values in it are whatever was given."""
    named = (("author", filters.author), ("from", filters.after), ("until", filters.before), ("file", filters.file))
    return ", ".join(f"{name} {value}" for name, value in named if value)


def passes(document: Known, filters: Filters) -> bool:
    """Whether the filters let a document through."""
    # ISO dates compare as strings as far as both go: 2021 is neither before 2021-06 nor after it. A document without
    # a date passes no condition on the date.
    date, after, before = document.date, filters.after, filters.before
    if (after or before) and not date:
        return False
    if after and date[: len(after)] < after[: len(date)]:
        return False
    if before and date[: len(before)] > before[: len(date)]:
        return False
    if filters.author and filters.author.casefold() not in document.author.casefold():
        return False
    return not filters.file or any(fnmatchcase(document.file, each) for each in (filters.file, below(filters.file)))


def below(file: str) -> str:
    """The pattern of all that lies in what a pattern names: a folder, or an archive or mailbox with its documents."""
    return f"{file.rstrip('/')}/*"


def passing(documents: Sequence[Known], filters: Filters) -> list[bool]:
    """Which of the documents the filters let through. Raises `UsageError` when that is none, and says why."""
    found = [passes(each, filters) for each in documents]
    if filters and not any(found):
        raise _nothing_left(documents, filters)
    return found


def _nothing_left(documents: Sequence[Known], filters: Filters) -> UsageError:
    """Blame the first filter that no document matches, else all of them together."""
    counts = []
    for one in _single(filters):
        count = sum(passes(each, one) for each in documents)
        if not count:
            return _unmatched(documents, one)
        counts.append(f"{filter_words(one)} ({_count(count)})")
    hint = "; ".join(["leave out one of them", *_unknown(documents, filters)])
    return UsageError(f"no document matches all of these filters: {', '.join(counts)}", hint=hint)


def _single(filters: Filters) -> Iterable[Filters]:
    names = ("author", "after", "before", "file")
    return (replace(Filters(), **{name: getattr(filters, name)}) for name in names if getattr(filters, name))


def _unmatched(documents: Sequence[Known], one: Filters) -> UsageError:
    """Say of a single filter that no document matches it, and what there is instead."""
    unknown = _unknown(documents, one)
    if one.author:
        message = f"no document has the author {one.author!r}"
        authors = {each.author for each in documents if each.author}
        known = f"known authors: {_listed(one.author, authors)}" if authors else ""
    elif one.file:
        message = f"no document has a file name that matches {one.file!r}"
        known = f"files are: {_listed(one.file, {each.file for each in documents})}"
    else:
        message = f"no document is dated {f'{one.after} or later' if one.after else f'{one.before} or earlier'}"
        dates = sorted(each.date for each in documents if each.date)
        known = f"the dates go from {dates[0]} to {dates[-1]}" if dates else ""
    return UsageError(message, hint="; ".join(filter(None, [known, *unknown])))


def _unknown(documents: Sequence[Known], filters: Filters) -> list[str]:
    """Say how many documents lack what is filtered by: the usual reason why one is missing."""
    found = []
    for what, wanted, values in (
        ("author", filters.author, [each.author for each in documents]),
        ("date", filters.after or filters.before, [each.date for each in documents]),
    ):
        lacking = sum(not value for value in values)
        if wanted and lacking == len(values):
            found.append(f"no document has {'an' if what == 'author' else 'a'} {what} at all")
        elif wanted and lacking:
            found.append(f"{lacking:,} of {_count(len(values))} {'has' if lacking == 1 else 'have'} no {what}")
    return found


def _listed(wanted: str, known: Iterable[str]) -> str:
    """Name some of what is known, the nearest to `wanted` first."""
    names = sorted(known)
    core = re.sub(r"[*?\[\]]+", "", wanted).casefold()
    words: dict[str, str] = {}
    for name in names:
        for word in (name, *re.split(r"[/\s,;]+", name)):
            words.setdefault(word.casefold(), name)
    near = [name for name in names if core and core in name.casefold()][:_NAMED]
    near += [words[word] for word in get_close_matches(core, list(words), n=_NAMED)]
    shown = list(dict.fromkeys([*near, *names]))[:_NAMED]
    rest = len(names) - len(shown)
    cut = (name if len(name) <= _MOST_CHARACTERS else f"{name[:_MOST_CHARACTERS]}…" for name in shown)
    return ", ".join(cut) + (f" and {rest:,} more" if rest else "")


def _count(number: int) -> str:
    return f"{number:,} document{'' if number == 1 else 's'}"

"""What all of the page is made of: text that is escaped, elements, and buttons that open a paragraph.

Documents, file names, questions and what a model wrote are text, never markup. `Html` is made by `escaped`, the one
function that escapes, and by `element`, which takes nothing but `Html` inside and escapes its attributes; the type
checker refuses a plain string. There is no link, no picture, no style and no handler in what these functions give: what
can be clicked is a button that says by its ``data-`` attributes what it stands for (see `Opened`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NewType
from urllib.parse import quote, unquote_to_bytes

from rag_geo.errors import UsageError
from rag_geo.records import Span
from rag_geo.render import NAMED_COPIES, visible, visible_name

Html = NewType("Html", str)
"""Markup in which every text is escaped."""

NOTHING = Html("")
_MOST_DIGITS = 12
_SUPPORT = re.compile(r"\d{1,12}-\d{1,12}(?: \d{1,12}-\d{1,12}){0,999}")


def escaped(text: str, *, one_line: bool = True) -> Html:
    """Give untrusted text as HTML that shows it: markup is text, what cannot be seen or reorders is a visible mark.

    With `one_line`, line breaks and tabs become a space; without it they stay.
    """
    if not one_line:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Html(html.escape(visible(text, one_line=one_line)))


def escaped_name(file: str) -> Html:
    r"""Give the name of a file as HTML that shows it; a line break in it is shown as ``\n``."""
    return escaped(visible_name(file))


def joined(pieces: Iterable[Html], between: str = "") -> Html:
    """Put pieces one after the other, with a text between them."""
    return Html(escaped(between).join(pieces))


def element(tag: str, *inner: Html, **attributes: str | int | bool) -> Html:
    """Make an element; ``data_file=`` is the attribute ``data-file``, ``class_=`` is ``class``; False is left out."""
    named = [
        f" {name.strip('_').replace('_', '-')}" + ("" if value is True else f'="{escaped(str(value))}"')
        for name, value in attributes.items()
        if value is not False
    ]
    return Html(f"<{tag}{''.join(named)}>{''.join(inner)}</{tag}>")


def span(text: str, class_: str) -> Html:
    """Make a text with a class."""
    return element("span", escaped(text), class_=class_)


def known_facts(*parts: str) -> Html:
    """Join what is known by dots; empty parts are left out."""
    return joined((element("span", escaped(part), dir="auto") for part in parts if part), " · ")


def counted(number: int, one: str, many: str = "") -> str:
    """Give a number with what it counts: ``1 file``, ``2,000 files``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


# --- what a button stands for -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opened:
    """What a button of the page opens: characters ``[start, end)`` of a paragraph; nothing is marked if they are none.

    `support` are spans in these characters, as in `Citation`.
    """

    file: str
    paragraph: int
    start: int = 0
    end: int = 0
    support: tuple[Span, ...] = ()


def file_key(file: str) -> str:
    """Give the name of a file in ASCII that passes any protocol unchanged; `file_named` is the way back."""
    return quote(file.encode("utf-8", "surrogatepass"), safe="/")


def file_named(key: str) -> str:
    """Give the name of the file whose key is `key`. Raises `UsageError` for what is no key."""
    try:
        return unquote_to_bytes(key.encode("ascii")).decode("utf-8", "surrogatepass")
    except UnicodeError as error:
        raise UsageError(f"{key!r} names no file") from error


def opened(data: Mapping[str, object]) -> Opened:
    """Read what a button stands for from its ``data-`` attributes, whoever sent them. Raises `UsageError`.

    `data` has ``file``, ``paragraph`` and, if characters are to be marked, ``start``, ``end`` and ``support``: strings,
    as a script finds them in ``dataset``. Whether the file and its paragraph exist is for the caller to see.
    """
    values = {name: data.get(name, "") for name in ("file", "paragraph", "start", "end", "support")}
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    numbers = [texts.get(name, "x") or "0" for name in ("paragraph", "start", "end")]
    support, file = texts.get("support", "x"), texts.get("file", "")
    if (
        not file
        or not all(each.isascii() and each.isdigit() and len(each) <= _MOST_DIGITS for each in numbers)
        or (support and not _SUPPORT.fullmatch(support))
    ):
        raise UsageError("what was clicked names no paragraph")
    paragraph, start, end = map(int, numbers)
    pairs = (each.partition("-")[::2] for each in support.split())
    return Opened(file_named(file), paragraph, start, end, tuple(Span(int(left), int(right)) for left, right in pairs))


def opener(what: Opened, *inner: Html, **attributes: str | int | bool) -> Html:
    """Make a button that opens a paragraph."""
    data: dict[str, str | int | bool] = {"data_file": file_key(what.file), "data_paragraph": what.paragraph}
    if what.end > what.start:
        data |= {"data_start": what.start, "data_end": what.end}
        data["data_support"] = " ".join(f"{start}-{end}" for start, end in what.support) or False
    return element("button", *inner, type="button", **attributes, **data)


def place_button(what: Opened, label: str, where: str = "", also: Sequence[str] = ()) -> Html:
    """Make the button that names a paragraph and opens it; `where` and `also` are as in `rag_geo.render.place`."""
    name = element("bdi", escaped_name(what.file), class_="rg-name")
    number = span(f"¶{what.paragraph}", "rg-number")
    there = Html(escaped(", ") + element("bdi", escaped(where), class_="rg-where")) if where else NOTHING
    said = f"{label}: {spoken_place(what, where)}"
    button = opener(what, name, escaped(" "), number, there, class_="rg-open", aria_label=said)
    return Html(button + copies_named(also))


def spoken_place(what: Opened, where: str) -> str:
    """Name a paragraph to who does not see the page."""
    return f"{visible_name(what.file)}, paragraph {what.paragraph}" + (f", {where}" if where else "")


def copies_named(also: Sequence[str]) -> Html:
    """Name the files with the same content, the first of them."""
    if not also:
        return NOTHING
    names = [element("bdi", escaped_name(each), class_="rg-name") for each in also[:NAMED_COPIES]]
    rest = len(also) - len(names)
    listed = joined(names, ", ") + escaped(f" and {rest:,} more") if rest else joined(names, " and ")
    inside = escaped("the same in "), Html(listed)
    return Html(escaped(" ") + element("span", *inside, class_="rg-also"))

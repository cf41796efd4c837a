"""Numbers as a spreadsheet shows them: 0.125 in the format ``0.0%`` is "12.5%", and a date is ISO 8601.

Separators are English ones, as a workbook does not say with which it was looked at.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??",
    14: "mm-dd-yy", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm",
    21: "h:mm:ss", 22: "m/d/yy h:mm", **dict.fromkeys(range(27, 32), "yyyy-mm-dd"), 32: "h:mm", 33: "h:mm:ss",
    **dict.fromkeys(range(34, 37), "yyyy-mm-dd"), 37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00",
    45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
    **dict.fromkeys(range(50, 59), "yyyy-mm-dd"),
}  # fmt: skip
"""Formats that a workbook names by number without writing them down."""

Show = Callable[[float], str]
"""From the number in a cell to its text."""

_TOKEN = re.compile(r'"([^"]*)"|\\(.)|[_*](.)|\[([^\]]*)\]|(AM/PM|A/P|General|E[+-])|(.)', re.IGNORECASE | re.DOTALL)
_CURRENCY = re.compile(r"\$([^-\]]+)")
_ELAPSED = re.compile(r"h+|m+|s+", re.IGNORECASE)
_DIGITS = "0#?"
_LONGEST_CODE = 255
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_LAST_DAY = 2_958_466


def show_of(code: str, *, from_1904: bool = False) -> Show:
    """How numbers of a format are shown; one that is not understood shows them plainly."""
    parts = _parts(_first_section(code[:_LONGEST_CODE]))
    letters = {token.lower() for token, kind in parts if kind == "letter"}
    elapsed = any(kind == "elapsed" for _, kind in parts)
    if elapsed:
        return duration
    if letters & set("ymdhs"):
        return _date_show(parts, letters, from_1904=from_1904)
    if not parts and ";" in code:
        return lambda _: ""  # ";;;" hides what is in a cell
    if any(kind == "other" for _, kind in parts) or not any(kind == "digits" for _, kind in parts):
        return plain_number
    return _Pattern.of(parts).show


def plain_number(value: float) -> str:
    """A number without a format, as a narrow cell shows it: whole ones exactly, others to 11 digits."""
    if not math.isfinite(value):
        return ""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    shown = format(value, ".11g")
    if "e" not in shown:
        return shown
    return shown if abs(value) < 1e-7 or abs(value) >= 1e21 else format(Decimal(shown), "f")


def duration(value: float) -> str:
    """Days as hours, minutes and seconds: 1.25 is "30:00"."""
    if not math.isfinite(value) or abs(value) > _LAST_DAY:
        return plain_number(value)
    seconds = round(abs(value) * 86_400)
    hours, rest = divmod(seconds, 3600)
    sign = "-" if value < 0 else ""
    return f"{sign}{hours}:{rest // 60:02d}" + (f":{rest % 60:02d}" if rest % 60 else "")


def _first_section(code: str) -> str:
    quoted = False
    for at, character in enumerate(code):
        if character == '"':
            quoted = not quoted
        elif character == ";" and not quoted:
            return code[:at]
    return code


def _parts(section: str) -> list[tuple[str, str]]:
    """The section as tokens with their kind: literal, digits, letter (of a date), elapsed, percent, other."""
    found: list[tuple[str, str]] = []
    for quoted, escaped, padding, bracket, word, character in _TOKEN.findall(section):
        if quoted or escaped:
            found.append((quoted or escaped, "literal"))
        elif bracket:
            found.extend(_bracket(bracket))
        elif word:
            found.append((word, "letter" if word[0] in "aA" else "other"))
        elif character and not padding:
            found.append((character, _kind(character)))
    return found


def _bracket(text: str) -> list[tuple[str, str]]:
    currency = _CURRENCY.match(text)
    if currency:
        return [(currency[1], "literal")]
    if _ELAPSED.fullmatch(text):
        return [(text, "elapsed")]
    return [(text, "other")] if text[:1] in "<>=" else []


def _kind(character: str) -> str:
    if character in _DIGITS or character in ".,":
        return "digits"
    if character.lower() in "ymdhs":
        return "letter"
    if character == "%":
        return "percent"
    return "other" if character in "/@" else "literal"


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A format of digits: how many behind the point at least and at most, and what stands around them."""

    least: int
    most: int
    grouped: bool
    scale: Decimal
    prefix: str
    suffix: str

    @classmethod
    def of(cls, parts: list[tuple[str, str]]) -> _Pattern:
        at = [index for index, (_, kind) in enumerate(parts) if kind == "digits"]
        around = [(text, "%" if kind == "percent" else kind) for text, kind in parts]
        digits = "".join(parts[index][0] for index in at)
        percents = sum(kind == "percent" for _, kind in parts)
        thousands = len(digits) - len(digits.rstrip(","))
        whole, _, fraction = digits.rstrip(",").partition(".")
        return cls(
            least=sum(fraction.count(digit) for digit in "0?"),
            most=sum(fraction.count(digit) for digit in _DIGITS),
            grouped="," in whole,
            scale=Decimal(100) ** percents / Decimal(1000) ** thousands,
            prefix="".join(text for text, _ in around[: at[0]]).lstrip(" ("),
            suffix="".join(text for text, _ in around[at[-1] + 1 :]).rstrip(" )"),
        )

    def show(self, value: float) -> str:
        """The number in this format; a negative one has a minus sign, whatever the format does with it."""
        if not math.isfinite(value):
            return ""
        number = Decimal(format(value, ".15g")) * self.scale
        try:
            rounded = abs(number.quantize(Decimal(1).scaleb(-self.most), ROUND_HALF_UP))
        except InvalidOperation:
            return plain_number(value)
        shown = format(rounded, ",f" if self.grouped else "f")
        if self.least < self.most:
            whole, _, fraction = shown.partition(".")
            fraction = fraction[: self.least] + fraction[self.least :].rstrip("0")
            shown = f"{whole}.{fraction}" if fraction else whole
        sign = "-" if number < 0 and rounded else ""
        return f"{sign}{self.prefix}{shown}{self.suffix}"


def _date_show(parts: list[tuple[str, str]], letters: set[str], *, from_1904: bool) -> Show:
    """A date as far as the format shows it: without its day "2021-06", a time alone "12:30"."""
    timed = bool(letters & set("hs"))
    month_letters = "".join(text.lower() for text, kind in parts if kind == "letter" and text.lower() == "m")
    dated = bool(letters & set("yd")) or (not timed and bool(month_letters))
    base = datetime.datetime(1904, 1, 1) if from_1904 else datetime.datetime(1899, 12, 30)

    def show(value: float) -> str:
        if not 0 <= value < _LAST_DAY:
            return plain_number(value)
        # Excel believes in 29 February 1900; before it, its days are one further.
        early = not from_1904 and 1 <= value < 60
        try:
            moment = base + datetime.timedelta(days=int(value) + early, seconds=round(value % 1 * 86_400))
        except OverflowError:
            return plain_number(value)
        clock = moment.strftime("%H:%M:%S" if moment.second else "%H:%M")
        if not dated or value < 1:
            return clock if timed else plain_number(value)
        day = _day(moment, letters, month_letters)
        return f"{day} {clock}" if timed else day

    return show


def _day(moment: datetime.datetime, letters: set[str], months: str) -> str:
    iso = moment.date().isoformat()
    if "d" in letters or "h" in letters or "s" in letters:
        return iso
    if "y" in letters:
        return iso[:7] if months else iso[:4]
    return _MONTHS[moment.month - 1] if len(months) > 2 else iso

"""Numbers, amounts, dates and times of a sentence, normalised so that two ways of writing one amount compare equal.

"5.7 billion", "$5.7bn" and "US$ 5.7 billion" hold the same value; "six million" is "6,000,000"; "2,568-mile" is "2,568
miles". An expression that can be read in two ways ("38m": millions or metres) holds both readings, and two quantities
agree when they share one. What is not resolved: "last month", "recently", "several", "one" as a word, Roman numerals.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

Kind = Literal["number", "date", "ordinal", "code"]
Reading = tuple[Decimal | str, str]


def listed(text: str, separator: str | None = None) -> list[str]:
    """Split a table written as one string, at white space or at a separator."""
    return [entry.strip() for entry in text.split(separator)]


class Token(NamedTuple):
    """A word, a number or a mark of the text: characters ``[start, end)``, and the word case folded without dots."""

    text: str
    start: int
    end: int
    lower: str
    kind: Literal["word", "number", "mark"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number or date as written (`text`, characters ``[start, end)``) with all its readings.

    A reading is a value and a unit: ("" for a bare count, "percent", "mile", "dollar", "year", "ordinal", ...). A date
    has `date` = (year, month, day), each None when it is not given, and no readings but a bare year's.
    """

    kind: Kind
    text: str
    start: int
    end: int
    readings: frozenset[Reading] = frozenset()
    date: tuple[int | None, int | None, int | None] | None = None
    scale: int = 0


_TOKEN = re.compile(
    r"(?P<acronym>(?:[^\W\d_]\.){2,}(?:[^\W\d_](?!\w))?)"
    r"|(?P<number>\d{1,3}(?:[,\u00a0\u202f\u2009]\d{2,3})*[,\u00a0\u202f\u2009]\d{3}(?!\d)(?:\.\d+)?|\d+(?:\.\d+)*)"
    r"|(?P<word>[^\W\d_]+(?:[’'][^\W\d_]+)*)"
    r"|(?P<mark>[^\w\s]|_)|(?P<other>\S)"
)


def tokens(text: str) -> tuple[Token, ...]:
    """Words, numbers and marks in order; hyphens split words, apostrophes inside do not, "U.S." is one word "us"."""
    found = []
    for match in _TOKEN.finditer(text):
        group = match.lastgroup
        word = match.group()
        if group == "acronym" and word.islower():
            kind: Literal["word", "number", "mark"] = "word"
        elif group in ("acronym", "word"):
            kind = "word"
        else:
            kind = "number" if group == "number" else "mark"
        lower = word.casefold().replace("’", "'")
        found.append(Token(word, match.start(), match.end(), lower.replace(".", "") if kind == "word" else lower, kind))
    return tuple(found)


def _table(text: str) -> dict[str, str]:
    """Map every word of "canon: word word; ..." to its canon."""
    pairs = (entry.split(":") for entry in text.split(";"))
    return {word: canon.strip() for canon, words in pairs for word in (canon.strip(), *words.split())}


UNITS = _table(
    "mile:miles mi;kilometre:kilometres kilometer kilometers km kms;metre:metres meter meters;centimetre:centimetres"
    " centimeter centimeters cm;millimetre:millimetres millimeter millimeters mm;foot:feet ft;inch:inches;yard:yards;"
    "acre:acres;hectare:hectares ha;kilogram:kilograms kilogramme kilogrammes kilo kilos kg;gram:grams gramme grammes;"
    "tonne:tonnes;ton:tons;litre:litres liter liters;gallon:gallons;barrel:barrels;degree:degrees;mph:;kmh:kph;"
    "megawatt:megawatts mw;gigawatt:gigawatts gw;kilowatt:kilowatts kw;watt:watts;volt:volts;hertz:hz;"
    "hour:hours hr hrs;minute:minutes min mins;second:seconds sec secs;day:days;week:weeks;month:months;year:years;"
    "decade:decades;century:centuries;percent:pct;dollar:dollars;usd:;euro:euros eur;pound:pounds gbp sterling;"
    "yen:jpy;yuan:renminbi rmb cny;rouble:roubles ruble rubles rub;rupee:rupees inr;franc:francs chf;knot:knots;"
    "byte:bytes;kilobyte:kb kilobytes;megabyte:mb megabytes;gigabyte:gb gigabytes;terabyte:tb terabytes;page:pages"
)
_ORDINARY_UNITS = frozenset({"page"})  # counted things, not measures: another noun may stand for them
_CURRENCY = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen", "₽": "rouble", "₹": "rupee"}
_CURRENCY |= {word: UNITS[word] for word in ("usd", "eur", "gbp", "jpy", "cny", "rmb", "rub", "inr", "chf")}
_SCALES = {
    "hundred": 2,
    "thousand": 3,
    "million": 6,
    "billion": 9,
    "trillion": 12,
    "mn": 6,
    "bn": 9,
    "tn": 12,
    "mln": 6,
}
_SUFFIXES: dict[str, tuple[tuple[int, str], ...]] = {
    "k": ((3, ""),),
    "m": ((6, ""), (0, "metre")),
    "b": ((9, ""),),
    "t": ((12, ""), (0, "tonne")),
    "g": ((0, "gram"),),
}
_ONES = listed(
    """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"""
)
_SMALL = {word: value for value, word in enumerate([*_ONES, "seventeen", "eighteen", "nineteen"])}
_TENS = {w: 10 * v for v, w in enumerate(listed("twenty thirty forty fifty sixty seventy eighty ninety"), start=2)}
_ORDINALS = dict.fromkeys(("first",), 1) | {"second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12}
_ORDINALS |= {
    w + "th": v for w, v in _SMALL.items() if w + "th" not in _ORDINALS and v not in (0, 1, 2, 3, 5, 8, 9, 12)
}
_ORDINALS |= {w[:-1] + "ieth": v for w, v in _TENS.items()} | {"hundredth": 100, "thousandth": 1000}
_TIMES = {"twice": 2, "thrice": 3, "double": 2, "doubled": 2, "doubling": 2, "doubles": 2}
_TIMES |= {"triple": 3, "tripled": 3, "tripling": 3, "triples": 3, "quadrupled": 4, "twofold": 2, "threefold": 3}
_VAGUE = {"dozens": 1, "hundreds": 2, "thousands": 3, "millions": 6, "billions": 9, "trillions": 12}
_PARTS = {"half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fifth": 5, "fifths": 5}
_PARTS |= {"tenth": 10, "tenths": 10, "eighth": 8, "eighths": 8, "sixth": 6, "sixths": 6}
_MONTH_NAMES = listed("""january february march april may june july august september october november december""")
MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_MONTHS_SHORT = {name[:3]: number for name, number in MONTHS.items()} | {"sept": 9}
WEEKDAYS = frozenset(listed("monday tuesday wednesday thursday friday saturday sunday"))
_YEAR_LEADS = frozenset(
    listed("""in since by until till during after before from of early late mid circa year spring""")
)
_YEAR_LEADS |= frozenset(["summer", "autumn", "winter", "fall", "end"])
_RANGE = frozenset({"-", "–", "—", "to", "and", "or"})
_PREFIXES = frozenset({"post", "pre", "mid"})


class _Parser:
    """Walks the tokens once, left to right; every method that reads an expression returns it and the next index."""

    def __init__(self, text: str, found: Sequence[Token]) -> None:
        self.text = text
        self.tokens = found

    def lower(self, i: int) -> str:
        """Give the word at `i`, or "" outside the text."""
        return self.tokens[i].lower if 0 <= i < len(self.tokens) else ""

    def touches(self, i: int) -> bool:
        """Whether nothing stands between token `i` and the one after it."""
        return 0 <= i < len(self.tokens) - 1 and self.tokens[i].end == self.tokens[i + 1].start

    def make(self, kind: Kind, i: int, j: int, readings: Sequence[Reading], **more: object) -> Quantity:
        """Give the quantity of tokens ``[i, j)``."""
        start, end = self.tokens[i].start, self.tokens[j - 1].end
        return Quantity(kind, self.text[start:end], start, end, frozenset(readings), **more)  # type: ignore[arg-type]

    def parse(self) -> tuple[Quantity, ...]:
        """All quantities, in order."""
        found: list[Quantity] = []
        i = 0
        while i < len(self.tokens):
            quantity, j = self.one(i)
            if quantity is not None:
                found.append(quantity)
            i = max(j, i + 1)
        return tuple(_carry(_spread(found, self.text), self.text))

    def one(self, i: int) -> tuple[Quantity | None, int]:
        """Give the quantity that starts at token `i`, if any."""
        for read in (self.code, self.time, self.date, self.part, self.ordinal, self.times, self.amount):
            quantity, j = read(i)
            if quantity is not None:
                return quantity, j
        return None, i + 1

    def code(self, i: int) -> tuple[Quantity | None, int]:
        """Read "COVID-19", "G7", "5G", "Su-35": letters and digits that are one name."""
        first, j = self.tokens[i], i
        if first.kind == "word" and first.text[0].isupper() and first.lower not in _PREFIXES and self.touches(i):
            j = i + 1
            if self.lower(j) == "-" and self.touches(j):
                j += 1
            if self.tokens[j].kind != "number" or (j > i + 1 and first.lower in MONTHS):
                return None, i
        elif (
            not (first.kind == "number" and self.touches(i) and self.tokens[i + 1].kind == "word")
            or self.lower(i + 1) in _SUFFIXES
            or self.lower(i + 1) in UNITS
            or self.lower(i + 1) in _SCALES
            or self.lower(i + 1) in ("st", "nd", "rd", "th", "s", "am", "pm")
        ):
            return None, i
        while self.touches(j) and self.tokens[j + 1].kind != "mark":
            j += 1
        key = "".join(token.lower for token in self.tokens[i : j + 1] if token.lower != "-")
        return self.make("code", i, j + 1, [(key, "code")]), j + 1

    def time(self, i: int) -> tuple[Quantity | None, int]:
        """Read "14:30"."""
        if self.tokens[i].kind != "number" or self.lower(i + 1) != ":" or not (self.touches(i) and self.touches(i + 1)):
            return None, i
        if self.tokens[i + 2].kind != "number":
            return None, i
        key = self.tokens[i].lower + ":" + self.tokens[i + 2].lower
        return self.make("number", i, i + 3, [(key, "time")]), i + 3

    def date(self, i: int) -> tuple[Quantity | None, int]:
        """ISO dates, days and months with or without a year, months, decades, week days, bare years."""
        for read in (self.iso, self.day_month, self.month_first, self.decade, self.weekday, self.year):
            quantity, j = read(i)
            if quantity is not None:
                return quantity, j
        return None, i

    def integer(self, i: int, low: int, high: int, digits: tuple[int, ...]) -> int | None:
        """Give the value of a plain digit token between `low` and `high` with that many digits."""
        if not 0 <= i < len(self.tokens) or self.tokens[i].kind != "number":
            return None
        text = self.tokens[i].text
        if not text.isdecimal() or len(text) not in digits or not low <= int(text) <= high:
            return None
        return int(text)

    def iso(self, i: int) -> tuple[Quantity | None, int]:
        """Read "2021-06-16"."""
        year, month, day = (
            self.integer(i, 1000, 2999, (4,)),
            self.integer(i + 2, 1, 12, (2,)),
            self.integer(i + 4, 1, 31, (2,)),
        )
        if None in (year, month, day) or self.lower(i + 1) != "-" or self.lower(i + 3) != "-":
            return None, i
        return self.make("date", i, i + 5, [], date=(year, month, day)), i + 5

    def month(self, i: int) -> int | None:
        """Give the month named at token `i`: capitalised, and not the verbs "may" and "march"."""
        if not 0 <= i < len(self.tokens) or not self.tokens[i].text[0].isupper():
            return None
        word = self.lower(i)
        if word in MONTHS:
            return MONTHS[word]
        near_number = self.integer(i + 1, 1, 2999, (1, 2, 4)) or self.integer(i - 1, 1, 31, (1, 2))
        return _MONTHS_SHORT.get(word) if near_number else None

    def ending(self, i: int) -> tuple[int | None, int]:
        """Give a year after a month, with or without a comma."""
        comma = self.lower(i) == ","
        year = self.integer(i + comma, 1000, 2999, (4,))
        return (year, i + comma + 1) if year is not None else (None, i)

    def day(self, i: int) -> tuple[int | None, int]:
        """Give a day of the month: "16", "16th"."""
        day = self.integer(i, 1, 31, (1, 2))
        if day is None:
            return None, i
        suffix = self.touches(i) and self.lower(i + 1) in ("st", "nd", "rd", "th")
        return day, i + 1 + suffix

    def day_month(self, i: int) -> tuple[Quantity | None, int]:
        """Read "16 June", "16th of June 2021"."""
        day, j = self.day(i)
        if day is None:
            return None, i
        j += self.lower(j) == "of"
        month = self.month(j)
        if month is None:
            return None, i
        year, j = self.ending(j + 1)
        return self.make("date", i, j, [], date=(year, month, day)), j

    def month_first(self, i: int) -> tuple[Quantity | None, int]:
        """Read "June", "June 16", "June 16, 2021", "June 2021"."""
        month = self.month(i)
        if month is None:
            return None, i
        day, j = self.day(i + 1)
        if day is not None and self.lower(j) in _SCALES:
            day, j = None, i + 1
        year, j = self.ending(j if day is not None else i + 1)
        if day is None and year is None and self.lower(i) in ("may", "march") and i == 0:
            return None, i
        return self.make("date", i, j, [], date=(year, month, day)), j

    def decade(self, i: int) -> tuple[Quantity | None, int]:
        """Give read "the 1990s"."""
        year = self.integer(i, 1000, 2999, (4,))
        if year is None or year % 10 or not self.touches(i) or self.lower(i + 1) != "s":
            return None, i
        return self.make("date", i, i + 2, [(Decimal(year), "decade")]), i + 2

    def weekday(self, i: int) -> tuple[Quantity | None, int]:
        """Read "Wednesday"."""
        if self.lower(i) in WEEKDAYS and self.tokens[i].text[0].isupper():
            return self.make("date", i, i + 1, [(self.lower(i), "weekday")]), i + 1
        return None, i

    def year(self, i: int) -> tuple[Quantity | None, int]:
        """Read "1860", also with a shortened end of a range ("1941-45" gives 1941; 45 is read as 1945 or 45)."""
        year = self.integer(i, 1000, 2199, (4,))
        if year is None or self.follows_currency(i):
            return None, i
        j = i + 1
        if self.lower(j) == "-" or (self.touches(i) and self.tokens[j].kind == "word"):
            j += 1
        named = self.lower(j) in UNITS or self.lower(i + 1) in UNITS or self.lower(i + 1) in _SCALES
        if named or self.lower(i + 1) in ("%", "percent", "per"):
            return None, i
        readings: list[Reading] = [(Decimal(year), "year")]
        if self.lower(i - 1) not in _YEAR_LEADS:
            readings.append((Decimal(year), ""))
        return self.make("date", i, i + 1, readings, date=(year, None, None)), i + 1

    def follows_currency(self, i: int) -> bool:
        """Whether a currency stands before token `i`."""
        return self.lower(i - 1) in _CURRENCY

    def part(self, i: int) -> tuple[Quantity | None, int]:
        """Read "half", "a third of", "two-thirds", "three quarters"; halves and the like also read as percentages."""
        j, top = i, 1
        if self.lower(i) in ("a", "an", "one"):
            j = i + 1
        elif self.lower(i) in _SMALL:
            top, j = _SMALL[self.lower(i)], i + 1
        j += self.lower(j) == "-" and j > i
        word = self.lower(j)
        if word not in _PARTS or top < 1 or self.not_a_part(i, j, top):
            return None, i
        readings: list[Reading] = [(f"{top}/{_PARTS[word]}", "ratio")]
        if 100 * top % _PARTS[word] == 0:
            readings.append((Decimal(100 * top // _PARTS[word]), "percent"))
        return self.make("number", i, j + 1, readings), j + 1

    def not_a_part(self, i: int, j: int, top: int) -> bool:
        """Whether the word only looks like a fraction: "the third", "first half", "half a million"."""
        word, after = self.lower(j), self.lower(j + 1)
        if word == "half":
            return self.lower(i - 1) in _ORDINALS or (after in ("a", "an") and self.lower(j + 2) in _SCALES)
        if j == i:
            return True
        ends = (
            j + 1 >= len(self.tokens)
            or self.tokens[j + 1].kind == "mark"
            or after in ("of", "more", "less", "as", "in")
        )
        return not (ends or top > 1 or self.lower(i) == "one")

    def ordinal(self, i: int) -> tuple[Quantity | None, int]:
        """Read "20th", "twentieth", "twenty-first", "first"."""
        if self.tokens[i].kind == "number" and self.touches(i) and self.lower(i + 1) in ("st", "nd", "rd", "th"):
            return self.make("ordinal", i, i + 2, [(_decimal(self.tokens[i].text), "ordinal")]), i + 2
        j = i
        value = _TENS.get(self.lower(i), 0)
        if value:
            j = i + 1 + (self.lower(i + 1) == "-")
        if self.lower(j) not in _ORDINALS or (value and _ORDINALS[self.lower(j)] > 9):
            return None, i
        if self.lower(j) == "second" and j == i and self.lower(i - 1) in _SMALL:
            return None, i
        return self.make("ordinal", i, j + 1, [(Decimal(value + _ORDINALS[self.lower(j)]), "ordinal")]), j + 1

    def times(self, i: int) -> tuple[Quantity | None, int]:
        """Read "twice", "doubled", "millions": factors and vague counts."""
        word = self.lower(i)
        if word in _TIMES:
            return self.make("number", i, i + 1, [(Decimal(_TIMES[word]), "times")]), i + 1
        if word in _VAGUE:
            return self.make("number", i, i + 1, [(Decimal(_VAGUE[word]), "vague")]), i + 1
        return None, i

    def amount(self, i: int) -> tuple[Quantity | None, int]:
        """Give a count, a measure, a percentage or an amount of money, in digits or in words."""
        first, currency = i, ""
        if self.lower(i) in _CURRENCY:
            currency, i = _CURRENCY[self.lower(i)], i + 1
        elif self.lower(i + 1) == "$" and self.touches(i) and self.tokens[i].text.isupper():
            currency, i = {"us": "usd"}.get(self.lower(i), self.lower(i) + " dollar"), i + 2
        value, j = self.value(i)
        if value is None:
            return None, first
        if self.negative(i):
            value = -value
        readings, j, scale = self.scaled(value, i, j)
        unit, j = self.unit(j)
        unit = currency or unit
        if self.bare_one(i, j, unit, scale):
            return None, first
        found = [(number, attached or unit) for number, attached in readings if not (attached and unit)]
        return self.make("number", first, j, found, scale=scale), j

    def negative(self, i: int) -> bool:
        """Whether a minus sign belongs to the number at `i`."""
        sign = self.tokens[i - 1] if i else None
        if sign is None or sign.text not in ("-", "−") or not self.touches(i - 1):
            return self.lower(i - 1) == "minus"
        return sign.start == 0 or self.text[sign.start - 1].isspace()

    def bare_one(self, i: int, j: int, unit: str, scale: int) -> bool:
        """Whether "one" is a mere pronoun: it counts only with a scale or a unit ("one million", "one day")."""
        return self.lower(i) == "one" and j == i + 1 and not unit and not scale

    def value(self, i: int) -> tuple[Decimal | None, int]:
        """Give the plain number at `i`, without scale: digits, or words up to the first scale of a thousand or more."""
        if i >= len(self.tokens):
            return None, i
        token = self.tokens[i]
        if token.kind == "number":
            return _decimal(token.text), i + 1
        if token.lower in ("a", "an") and self.lower(i + 1) in (
            "hundred",
            "thousand",
            "million",
            "billion",
            "trillion",
        ):
            return Decimal(1), i + 1
        if token.lower in ("a", "an") and self.lower(i + 1) == "dozen":
            return Decimal(12), i + 2
        if token.lower == "half" and self.lower(i + 1) in ("a", "an") and self.lower(i + 2) in _SCALES:
            return Decimal("0.5"), i + 2
        return self.words(i)

    def words(self, i: int) -> tuple[Decimal | None, int]:
        """Spelled-out numbers: "twenty-one", "one hundred and fifty", "two million three hundred thousand"."""
        total = current = 0
        j, seen = i, False
        while True:
            word = self.lower(j)
            if word in _SMALL and (not seen or current % 100 == 0 or (current % 100 >= 20 and current % 10 == 0)):
                current, j, seen = current + _SMALL[word], j + 1, True
            elif word in _TENS and current % 100 == 0:
                current, j, seen = current + _TENS[word], j + 1, True
            elif word == "hundred" and seen and 0 < current < 100:
                current, j = current * 100, j + 1
            elif word in ("thousand", "million", "billion") and seen and current and (total or self.more_words(j + 1)):
                total, current, j = total + current * 10 ** _SCALES[word], 0, j + 1
            elif seen and self.joins(j, current):
                j += 1
            else:
                return (Decimal(total + current), j) if seen else (None, i)

    def more_words(self, i: int) -> bool:
        """Whether a spelled number goes on after a scale ("two million three hundred ...")."""
        i += self.lower(i) == "and"
        return self.lower(i) in _SMALL or self.lower(i) in _TENS

    def joins(self, j: int, current: int) -> bool:
        """Whether the mark or "and" at `j` stands inside a spelled number."""
        after = self.lower(j + 1)
        if self.lower(j) == "-":
            return current % 100 >= 20 and current % 10 == 0 and 0 < _SMALL.get(after, 0) < 10
        return self.lower(j) == "and" and current >= 100 and current % 100 == 0 and (after in _SMALL or after in _TENS)

    def scaled(self, value: Decimal, i: int, j: int) -> tuple[list[Reading], int, int]:
        """Apply "million", "bn", "and a half", "38m"; gives readings, next index and the power of ten."""
        if tuple(self.lower(k) for k in range(j, j + 3)) == ("and", "a", "half"):
            value, j = value + Decimal("0.5"), j + 3
        k = j + (self.lower(j) in ("-", "\u2011") and self.lower(j + 1) in _SCALES)
        scale = 0
        while self.lower(k) in _SCALES:
            scale, k = scale + _SCALES[self.lower(k)], k + 1
        if scale:
            return [(_shift(value, scale), "")], k, scale
        if self.tokens[i].kind == "number" and self.touches(j - 1) and self.lower(j) in _SUFFIXES:
            options = _SUFFIXES[self.lower(j)]
            return [(_shift(value, power), unit) for power, unit in options], j + 1, options[0][0]
        return [(value, "")], j, 0

    def unit(self, j: int) -> tuple[str, int]:
        """Give the unit that follows: "%", "per cent", "-mile", "square kilometres", "US dollars"; "" for none."""
        k = j + (self.lower(j) in ("-", "\u2011"))
        word = self.lower(k)
        if word == "%" or word in ("percent", "pct"):
            return "percent", k + 1
        if (word == "per" and self.lower(k + 1) == "cent") or (
            word == "percentage" and self.lower(k + 1)[:5] == "point"
        ):
            return ("percent" if word == "per" else "percentage point"), k + 2
        if word in ("square", "sq", "cubic", "metric") and UNITS.get(self.lower(k + 1)):
            unit = UNITS[self.lower(k + 1)]
            return ("tonne" if word == "metric" else f"{word[:2]} {unit}"), k + 2
        if word in ("us", "american") and self.lower(k + 1) in ("dollar", "dollars"):
            return "usd", k + 2
        if word == "times":
            return "times", k + 1
        if word == "°":
            return "degree", k + 1
        unit = UNITS.get(word, "")
        return ("", j) if unit in _ORDINARY_UNITS or not unit else (unit, k + 1)


def _decimal(text: str) -> Decimal:
    """Give the exact value of digits with or without group separators; "1.2.3" keeps its first point only."""
    head, _, tail = re.sub(r"[,\u00a0\u202f\u2009]", "", text).partition(".")
    return Decimal(f"{head}.{tail.replace('.', '')}") if tail else Decimal(head)


def _shift(value: Decimal, power: int) -> Decimal:
    """`value` times ten to the `power`, without rounding."""
    sign, digits, exponent = value.as_tuple()
    return Decimal((sign, digits, int(exponent) + power))


def _spread(found: list[Quantity], text: str) -> list[Quantity]:
    """Give the first end of a range the scale and unit of the second: "5-7 %", "five to seven million"."""
    for at in range(len(found) - 1):
        left, right = found[at], found[at + 1]
        between = text[left.end : right.start].strip()
        if left.kind != "number" or right.kind != "number" or between not in _RANGE or left.scale:
            continue
        more: set[Reading] = set(left.readings)
        for value, unit in left.readings:
            if isinstance(value, Decimal):
                unit_there = unit or next(iter(right.readings))[1]
                more |= {(value, unit_there), (_shift(value, right.scale), unit_there)}
        found[at] = Quantity(left.kind, left.text, left.start, left.end, frozenset(more), left.date, left.scale)
    return found


_NO_NOUN = re.compile(r"\s*(?:$|[,.;)]|(?:with|in|by|for|from|at|to|on|of|and|a year|per)\b)")


def _carry(found: list[Quantity], text: str) -> list[Quantity]:
    """Lets a bare number take over the unit before it: "1,239 kilometres of border with A and 1,084 with B"."""
    last: Quantity | None = None
    for at, quantity in enumerate(found):
        if quantity.kind != "number":
            continue
        units = {unit for _, unit in quantity.readings}
        if units != {""}:
            last = quantity if "" not in units else last
        elif last is not None and _NO_NOUN.match(text, quantity.end):
            more = {(value, unit) for value, _ in quantity.readings for _, unit in last.readings}
            readings = frozenset(quantity.readings | more)
            found[at] = Quantity("number", quantity.text, quantity.start, quantity.end, readings, None, quantity.scale)
    return found


def quantities(text: str, found: Sequence[Token] | None = None) -> tuple[Quantity, ...]:
    """Every number, amount, percentage, date and time of `text`, in order. Never raises."""
    return _Parser(text, tokens(text) if found is None else found).parse()


_PLAIN_ONLY = frozenset({"percent", "percentage point", "ordinal", "times", "vague", "code", "ratio", "time", "year"})
_PLAIN_ONLY |= {"decade", "weekday"}


def _unit_agrees(claim: str, evidence: str) -> bool:
    """Give a claim may leave a measure's unit out, but not change it, and not add one."""
    if claim == evidence or {claim, evidence} == {"dollar", "usd"}:
        return True
    return claim == "" and evidence not in _PLAIN_ONLY


def same(claim: Quantity, evidence: Quantity) -> bool:
    """Whether both are written differently at most, and say the same."""
    return claim.readings == evidence.readings and claim.date == evidence.date


def follows(claim: Quantity, evidence: Quantity) -> bool:
    """Whether `evidence` alone bears out `claim`: equal in one reading, or `claim` is the vaguer one.

    "June 2021" follows from "16 June 2021", "the 1990s" from "1993", "millions" from "6 million"; never the reverse.
    """
    if claim.date is not None and evidence.date is not None:
        pairs = zip(claim.date, evidence.date, strict=True)
        if all(said is None or said == there for said, there in pairs):
            return True
    return any(
        _bears_out(own, other, evidence) for own in claim.readings for other in (evidence.readings or [("", "?")])
    )


def _bears_out(claim: Reading, reading: Reading, evidence: Quantity) -> bool:
    """Whether one reading of a quantity bears out one of the claim's."""
    (value, unit), (other, there) = claim, reading
    if unit == "decade" and evidence.date is not None and evidence.date[0] is not None:
        return evidence.date[0] // 10 * 10 == value
    if unit == "vague" and isinstance(other, Decimal) and isinstance(value, Decimal) and there not in _PLAIN_ONLY:
        return other.adjusted() in range(int(value), int(value) + 3)
    return value == other and _unit_agrees(unit, there)


def unsupported(claim: Sequence[Quantity], evidence: Sequence[Quantity]) -> tuple[Quantity, ...]:
    """Give the quantities of a claim that no quantity of the evidence bears out.

    Each quantity of the evidence bears out one of the claim: "from 5 to 7" does not support "from 7 to 7".
    A date may be put together from parts ("on 16 June" and "2021").
    """
    left = list(evidence)
    waiting = []
    for quantity in claim:
        match = next((other for other in left if same(quantity, other)), None)
        if match is None:
            waiting.append(quantity)
        else:
            left.remove(match)
    missing = []
    for quantity in waiting:
        match = next((other for other in left if follows(quantity, other)), None)
        parts = [match] if match is not None else _parts(quantity, left)
        if not parts:
            missing.append(quantity)
        for part in parts:
            left.remove(part)
    return tuple(missing)


def _parts(claim: Quantity, left: Sequence[Quantity]) -> list[Quantity]:
    """Give a day and month and a bare year that make up the date `claim` together, or nothing."""
    if claim.date is None or claim.date[0] is None or claim.date[1] is None:
        return []
    year = next((q for q in left if q.date == (claim.date[0], None, None)), None)
    day = next((q for q in left if q.date is not None and q.date[0] is None and q.date[1:] == claim.date[1:]), None)
    return [year, day] if year is not None and day is not None else []

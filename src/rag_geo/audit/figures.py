"""The figures of a sentence as ranges of one measure, so that two of them can be held against each other.

"About 5.7 billion" is a range that 5.72 billion lies in; 30 °C and 86 °F are one temperature; 900 litres an hour are
21,600 litres a day. What two figures have in common beyond their measure (the thing counted, what was measured of it)
is kept as words: `rag_geo.audit.conflicts` decides whether they speak of the same thing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from rag_geo.text.facts import Facts, Word, stem
from rag_geo.text.mentions import is_plural
from rag_geo.text.quantities import Quantity, listed

_LETTERS = "abcdefghijklmnopqrstuvwxyz $€£¥~"
INFINITY = float("inf")

_LENGTHS = {
    "mile": 1609.344, "kilometre": 1000.0, "metre": 1.0, "centimetre": 0.01, "millimetre": 0.001, "foot": 0.3048,
    "inch": 0.0254, "yard": 0.9144,
}  # fmt: skip
_MASSES = {"kilogram": 1.0, "gram": 0.001, "tonne": 1000.0, "ton": 1000.0, "pound": 0.45359}
_SCALES: dict[str, tuple[str, float]] = {
    **{unit: ("length", factor) for unit, factor in _LENGTHS.items()},
    **{f"sq {unit}": ("area", factor * factor) for unit, factor in _LENGTHS.items()},
    **{unit: ("mass", factor) for unit, factor in _MASSES.items() if unit != "pound"},
    "hectare": ("area", 1e4), "acre": ("area", 4046.86),
    "litre": ("volume", 1.0), "gallon": ("volume", 3.785), "barrel": ("barrels", 1.0), "cu metre": ("volume", 1000.0),
    "second": ("duration", 1 / 31_557_600), "minute": ("duration", 1 / 525_960), "hour": ("duration", 1 / 8766),
    "day": ("duration", 1 / 365.25), "week": ("duration", 7 / 365.25), "month": ("duration", 1 / 12),
    "year": ("duration", 1.0), "decade": ("duration", 10.0), "century": ("duration", 100.0),
    "mph": ("speed", 1.609344), "kmh": ("speed", 1.0),
    "kilowatt": ("power", 1.0), "megawatt": ("power", 1e3), "gigawatt": ("power", 1e6), "watt": ("power", 1e-3),
    "kilobyte": ("bytes", 1e3), "megabyte": ("bytes", 1e6), "gigabyte": ("bytes", 1e9), "terabyte": ("bytes", 1e12),
    "byte": ("bytes", 1.0), "usd": ("dollar", 1.0),
}  # fmt: skip
_NO_FIGURE = frozenset({"ordinal", "code", "vague", "ratio", "time", "weekday", "decade", "times"})
_PERIODS = {
    "second": 31_557_600.0,
    "minute": 525_960.0,
    "hour": 8766.0,
    "day": 365.25,
    "night": 365.25,
    "week": 52.18,
    "month": 12.0,
    "year": 1.0,
}
_ADVERBS = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "yearly": "year",
            "annually": "year"}  # fmt: skip
_PER = re.compile(r"\b(?:a|an|per|each|every)\s+(second|minute|hour|day|night|week|month|year)\b", re.IGNORECASE)
_RATE = re.compile(r"\b(?:per\s+(?!cent)(\w+)|for (?:each|every)\s+(\w+)|(?:each|apiece)\b)", re.IGNORECASE)
_DIMENSIONS = {
    word: name
    for entry in listed(
        "length:long length;width:wide width broad breadth;height:high height tall elevation altitude;depth:deep depth;"
        "age:old age aged;weight:weigh weighs weighed weight heavy;speed:fast speed",
        ";",
    )
    for name, words in [entry.split(":")]
    for word in words.split()
}
_ABOUT = re.compile(
    r"(?:\b(?:about|around|roughly|approximately|circa|ca|some|estimated|an estimated|or so|nearly|almost|close to|"
    r"approaching|well over|just over|just under|a little over|slightly over|slightly more than)|~|≈)[\s.]*$",
    re.IGNORECASE,
)
_LEAST = re.compile(
    r"(?:\b(?:more than|over|at least|above|no (?:less|fewer) than|not less than|exceed(?:s|ed|ing)?|minimum of|"
    r"upwards of|from|beyond|in excess of|as (?:many|much) as)|>|≥)\s*$",
    re.IGNORECASE,
)
_MOST = re.compile(
    r"(?:\b(?:less than|fewer than|under|up to|at most|below|no more than|not more than|maximum of|"
    r"as (?:few|little) as|within|not exceed(?:ing)?)|<|≤)\s*$",
    re.IGNORECASE,
)
_AFTER = re.compile(r"\s*(?:or|and)\s+(more|less|fewer|over|above|under|below|older|younger)\b|\s*(\+)", re.IGNORECASE)
_CHANGE = re.compile(r"\b(?:by|another|additional|further|extra|more by)\s+(?:[a-z]+\s+){0,2}$", re.IGNORECASE)
_CHANGED = re.compile(
    r"^(?:\s+\w+){0,3}\s+(?:more|less|fewer|longer|shorter|higher|lower|larger|smaller|greater|better|worse|faster|older|"
    r"younger|ago|later|earlier|before|after|away|increase|decrease|rise|fall|growth|drop|decline|gain|cut)\b",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s*(?:-|–|—|to|and|or)\s*")
_SUBSET = re.compile(
    r"\b(?:of (?:whom|which|these|those|them)|including|among (?:them|whom|which|the)|only|another|other|remaining|"
    r"rest|respectively|each)\b|^of the\b",
    re.IGNORECASE,
)
_CELSIUS = re.compile(r"\s*(?:°\s*)?(?:degrees?\s+)?(C|F|Celsius|Fahrenheit|centigrade)\b")
_REQUIRED = re.compile(
    r"\b(?:must|shall|requires?|required|needs?|minimum|maximum|may not|allowed|permitted|entitled)\b", re.IGNORECASE
)
_GENERIC = frozenset(stem(word) for word in listed("total overall whole full entire altogether current official own"))


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a sentence, from `low` to `high` of its `measure` (in one base unit of it).

    `bound` is "least" ("more than"), "most" ("up to") or "": such a range is open at one side, and `value` is what is
    written. `noun` is the stem of what is counted, `traits` of the words before it; `dimension` what was measured, as
    far as it is said ("length"); `rate` the period or thing that it is per; `change` says that it is a difference and
    no level, `part` that it is a part of something, `lead` is the preposition before it.
    `required` says that it is a rule; `predicate` is the stem of the last content word before it, "" for none near.
    """

    text: str
    start: int
    end: int
    measure: str
    value: float
    low: float
    high: float
    bound: str = ""
    noun: str = ""
    traits: frozenset[str] = frozenset()
    dimension: str = ""
    rate: str = ""
    change: bool = False
    part: bool = False
    lead: str = ""
    required: bool = False
    predicate: str = ""


@lru_cache(maxsize=4096)
def figures(read: Facts) -> tuple[Figure, ...]:
    """Give the amounts of a sentence in order; dates, ordinals, codes and vague counts are none."""
    amounts = [q for q in read.quantities if q.kind == "number" and not is_label(read, q)]
    found: list[Figure] = []
    joined: set[Quantity] = set()
    for one, other in pairwise(amounts):
        between = read.text[one.end : other.start]
        if _BETWEEN.fullmatch(between) and _is_range(read.text[: one.start], between):
            figure = _ranged(read, one, other)
            joined |= {one, other}
            found += [figure] if figure else []
    for quantity in amounts:
        figure = _figure(read, quantity) if quantity not in joined else None
        found += [figure] if figure else []
    return tuple(sorted(found, key=lambda each: each.start))


def is_label(read: Facts, quantity: Quantity) -> bool:
    """Whether a bare number is part of a name: "Unit 7", "Bramble 4.2"."""
    if {unit for _, unit in quantity.readings} != {""} or not quantity.text[:1].isdecimal():
        return False
    return any(read.text[name.end : quantity.start] == " " and not name.possessive for name in read.names)


def _is_range(before: str, between: str) -> bool:
    """Whether two amounts with `between` between them are the ends of a range, and no list."""
    if between.strip() in ("and", "or"):
        return re.search(r"\b(?:between|either)\s+$", before, re.IGNORECASE) is not None or between.strip() == "or"
    changes = re.search(r"\b(?:rais|increas|rose|rise|grew|grow|fell|fall|reduc|cut|declin|from)\w*\b.*$", before)
    return between.strip() != "to" or changes is None or "rang" in before


def _ranged(read: Facts, one: Quantity, other: Quantity) -> Figure | None:
    """Give a range of two amounts as one figure."""
    high = _figure(read, other)
    if high is None:
        return None
    readings = [value for value, _ in one.readings if isinstance(value, Decimal)]
    if not readings:
        return None
    factor = high.value / float(_plain(other)) if _plain(other) else 1.0
    low = min(float(max(readings)) * factor, high.low)
    text = read.text[one.start : other.end]
    return Figure(
        text, one.start, high.end, high.measure, high.value, low, high.high, "", high.noun, high.traits,
        high.dimension, high.rate, _CHANGE.search(read.text[: one.start]) is not None, high.part, "", high.required,
        _before(read, one.start),
    )  # fmt: skip


def _plain(quantity: Quantity) -> Decimal:
    return next((value for value, _ in sorted(quantity.readings, key=str) if isinstance(value, Decimal)), Decimal(0))


def _figure(read: Facts, quantity: Quantity) -> Figure | None:
    """Give one amount, or None where it is no figure or could be several."""
    readings = sorted({(value, unit) for value, unit in quantity.readings if isinstance(value, Decimal)}, key=str)
    units = {unit for _, unit in readings}
    if len(units) > 1 and "" in units:
        readings = [(value, unit) for value, unit in readings if unit]
    if len(readings) != 1 or readings[0][1] in _NO_FIGURE:
        return None
    value, unit = readings[0]
    before, after = read.text[: quantity.start], read.text[quantity.end :]
    measure, factor, shift, end = _measure(unit, after, quantity.end)
    slack = _slack(value, quantity, _ABOUT.search(before) is not None)
    middle = float(value) * factor + shift
    bound = _bound(before, read.text[end:])
    low = -INFINITY if bound == "most" else middle - slack * factor
    high = INFINITY if bound == "least" else middle + slack * factor
    shared = _OF.match(read.text, end) if measure == "percent" else None
    counts = measure == "" or shared is not None
    noun, traits = _counted(read, shared.end() if shared else end) if counts else ("", frozenset())
    rate, factor = _rate(read.text, quantity.start, end)
    return Figure(
        read.text[quantity.start : end], quantity.start, end, measure, middle * factor,
        low * factor, high * factor, bound, noun, traits, _dimension(read, quantity.start, end), rate,
        _is_change(read.text, quantity.start, end), _SUBSET.search(_clause(read, quantity.start, end)) is not None,
        _lead(before), _REQUIRED.search(read.text) is not None, _before(read, quantity.start),
    )  # fmt: skip


_OF = re.compile(r"\s+of (?:(?:the|its|all|their|his|her|our)\s+)*")


def _measure(unit: str, after: str, end: int) -> tuple[str, float, float, int]:
    """Give the measure, the factor and shift to its base unit, and where the expression ends."""
    if unit == "degree":
        scale = _CELSIUS.match(after)
        if scale is None:
            return "degree", 1.0, 0.0, end
        fahrenheit = scale.group(1)[0] == "F"
        return "temperature", 5 / 9 if fahrenheit else 1.0, -160 / 9 if fahrenheit else 0.0, end + scale.end()
    name, factor = _SCALES.get(unit, (unit, 1.0))
    return name, factor, 0.0, end


def _slack(value: Decimal, quantity: Quantity, about: bool) -> float:
    """How far the true value may be from what is written.

    Half of the last digit that counts, and of a round number no more than a twentieth; a tenth for "about".
    """
    exponent = int(value.as_tuple().exponent)
    digits = str(abs(int(value.scaleb(-exponent)))) if exponent <= 0 else "1"
    zeros = len(digits) - len(digits.rstrip("0"))
    last = exponent + (zeros if zeros > 1 and exponent >= 0 else 0)
    if quantity.scale:
        written = re.search(r"\d+(?:[.,]\d+)*", quantity.text)
        decimals = len(written.group().partition(".")[2]) if written else 0
        last = max(exponent, quantity.scale - decimals)
    slack = min(0.5 * 10.0**last, max(0.5 * 10.0**exponent, 0.05 * abs(float(value))))
    return max(slack, 0.1 * abs(float(value))) if about else slack


def _bound(before: str, after: str) -> str:
    """Give "least", "most" or ""."""
    behind = _AFTER.match(after)
    if behind:
        word = (behind.group(1) or "more").casefold()
        return "least" if word in ("more", "over", "above", "older") else "most"
    if _MOST.search(before):
        return "most"
    least = _LEAST.search(before)
    return "least" if least and not before.casefold().rstrip().endswith("from") else ""


def _counted(read: Facts, end: int) -> tuple[str, frozenset[str]]:
    """Give what is counted behind an amount, "84 singing members": its stem, and those of the words before it."""
    run: list[Word] = []
    at = end
    for word in read.words:
        if word.start < end:
            continue
        gap = read.text[at : word.start]
        if gap.strip(" -‑\u00a0") or not (word.content or word.lower in ("other", "such")) or len(run) == 4:
            break
        run.append(word)
        at = word.end
        if is_plural(word.lower) and not word.possessive:
            break
    if not run:
        return "", frozenset()
    traits = frozenset(word.key for word in run[:-1]) - _GENERIC
    return run[-1].key, traits


def _rate(text: str, start: int, end: int) -> tuple[str, float]:
    """Give what an amount is per and the factor that makes it one per year."""
    near = text[end : end + 60]
    period = _PER.search(near) or _PER.match(text)
    name = period.group(1).casefold() if period else ""
    if not name:
        words = re.findall(r"[a-z]+", (text[max(0, start - 12) : start] + " " + near).casefold())
        name = next((_ADVERBS[word] for word in words if word in _ADVERBS), "")
    if name:
        return "year", _PERIODS[name]
    thing = _RATE.search(near)
    return (thing.group(1) or thing.group(2) or "each").casefold() if thing else "", 1.0


def _clause(read: Facts, start: int, end: int) -> str:
    """Give the text around an amount up to the next comma or the like."""
    left = max((read.text.rfind(mark, 0, start) for mark in (",", ";", ":", "–", "—", "(")), default=-1) + 1
    rights = [at for mark in (", ", ";", "–", "—", ")") if (at := read.text.find(mark, end)) >= 0]
    opening = "of the " if re.match(r"of (?:the|its|their|these|those|all|a total)\b", read.text.casefold()) else ""
    return opening + read.text[left : min(rights, default=len(read.text))].strip()


def _dimension(read: Facts, start: int, end: int) -> str:
    """Give what was measured, as a word near the amount says it."""
    near = sorted(
        (min(abs(word.start - end), abs(start - word.end)), _DIMENSIONS[word.lower])
        for word in read.words
        if word.lower in _DIMENSIONS
    )
    return near[0][1] if near and near[0][0] < 60 else ""


def _is_change(text: str, start: int, end: int) -> bool:
    """Whether an amount is how much more or less something is, or how long ago it was."""
    return _CHANGE.search(text[:start]) is not None or _CHANGED.match(text[end:]) is not None


def _before(read: Facts, start: int) -> str:
    """Give the stem of the nearest content word before an amount, if it is one of the three words before."""
    earlier = [word for word in read.words if word.end <= start][-3:]
    for word in reversed(earlier):
        if word.content and not read.text[word.end : start].strip(_LETTERS):
            return word.key
    return ""


def _lead(before: str) -> str:
    """Give the preposition right before an amount."""
    found = re.search(r"\b(in|for|within|after|on|at|until|since)\s+(?:about\s+|only\s+)?$", before, re.I)
    return found.group(1).casefold() if found else ""

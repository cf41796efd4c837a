"""Damaged files for every reader, each by a number: the same number always gives the same file.

A mutation that only flips bytes seldom gets beyond the first check of a parser. So most of these are made where the
reader works: in the members of an archive (packed again with the right sums), in the elements of their XML, in the
values of JSON, in the streams of a PDF, in the encoded parts of a message. `mutant("docx", 12)` makes one again.
"""

from __future__ import annotations

import base64
import functools
import gzip
import io
import json
import random
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

import mutation_seeds as seeds_of
from mutation_seeds import VALUES

SAMPLES = Path(__file__).parents[1] / "evals" / "formats" / "files"
MOST_BYTES = 1 << 20
"""A mutant is cut to this: what is large is tested elsewhere, and here everything would only take longer."""

PARSERS: dict[str, tuple[str, ...]] = {
    "pdf": ("mill-scan.pdf", "faehre-web.pdf", "bylaws-ligatures.pdf", "orchard-memo.pdf", "vokzal.pdf"),
    "docx": ("harbour-writer.docx", "jardin-changes.docx", "mill-writer.docx", "bylaws-box.docx", "shuyuan.docx"),
    "odt": ("biir.odt", "mill-frame.odt", "orchard-changes.odt", "vokzal.odt"),
    "rtf": ("bylaws.rtf", "mercado-hand.rtf", "mill.rtf", "vokzal-hand.rtf"),
    "pptx": ("timetable-impress.pptx", "timetable.pptx"),
    "odp": ("timetable.odp",),
    "xlsx": ("budget-calc.xlsx", "budget.xlsx"),
    "ods": ("budget.ods", "tanks.ods"),
    "csv": ("boote.csv", "tanks.csv"),
    "tsv": ("staff.tsv",),
    "epub": ("harbour.epub", "jardin-writer.epub"),
    "html": ("biir.html", "bylaws.html", "mill.html", "observer.html", "vokzal.html"),
    "mhtml": (),
    "md": ("harbour.md", "mill.md"),
    "txt": ("biir.txt", "faehre.txt", "orchard.txt", "shuyuan.txt", "vokzal.txt"),
    "eml": ("agenda.eml", "brook.eml", "orchards.eml"),
    "mbox": ("kilnlane.mbox",),
    "json": ("things.json",),
    "jsonl": ("things.jsonl",),
    "ipynb": ("tides.ipynb",),
    "gz": ("mill.txt.gz",),
    "zip": ("papers.zip",),
}
"""By the ending of the name: the samples that are damaged, beside those of `mutation_seeds`."""

_ARCHIVES = frozenset(("docx", "odt", "pptx", "odp", "xlsx", "ods", "epub", "zip"))
_INTEGERS = (0, 1, -1, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**63)


MOST_REPEATED = 4_000_000
"""Bytes that a unit may have when it is repeated: earlier changes may have made it large."""


@dataclass(slots=True)
class Change:
    """The random choices of one mutant, and what was done, in words."""

    random: random.Random
    done: list[str] = field(default_factory=list)

    def of(self, choices: Sequence[Any]) -> Any:
        """One of them."""
        return self.random.choice(choices)

    def below(self, end: int) -> int:
        """A number from 0, below `end`."""
        return self.random.randrange(max(1, end))

    def few(self) -> int:
        """A small number, mostly 1."""
        return min(1 + int(self.random.expovariate(0.7)), 12)

    def note(self, what: str) -> None:
        """Tell what is done."""
        self.done.append(what)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A damaged file; `recipe` says how to make it again and what was done to it."""

    name: str
    data: bytes
    recipe: str


@functools.cache
def seeds(parser: str) -> tuple[bytes, ...]:
    """The whole files that the mutants of `parser` are made of."""
    return (*((SAMPLES / each).read_bytes() for each in PARSERS[parser]), *seeds_of.own(parser))


def mutant(parser: str, number: int) -> Mutant:
    """The damaged file with this number."""
    change = Change(random.Random(f"{parser} {number}"))
    at = change.below(len(seeds(parser)))
    change.note(f"seed {at}")
    how = change.random.random()
    data = seeds(parser)[at]
    other = change.of(seeds(parser))
    if how < 0.85:
        data = _DEEP.get(parser, _archive if parser in _ARCHIVES else _words)(data, other, change, parser)
    # The bytes of an archive are sums and packed text: most changes of them are found out at its door.
    if how >= (0.85 if parser in _ARCHIVES else 0.75):
        for _ in range(change.few()):
            data = _bytes(data, other, change, parser)
    return Mutant(f"x.{parser}", data[:MOST_BYTES], f"mutant({parser!r}, {number}): {'; '.join(change.done)}")


def _bytes(data: bytes, other: bytes, change: Change, parser: str) -> bytes:
    """One change that knows of bytes only."""
    if not data:
        return other[: change.below(len(other))]
    start = change.below(len(data))
    end = min(len(data), start + change.of((1, 2, 4, 16, 64, 300, 2000)))
    block = data[start:end]
    there = change.below(len(data))
    width = change.of((1, 2, 4, 8))
    integer = (change.of(_INTEGERS) % 256**width).to_bytes(width, change.of(("little", "big")))
    flipped = bytes([data[start] ^ 1 << change.below(8)])
    ways: dict[str, Callable[[], bytes]] = {
        "flip": lambda: data[:start] + flipped + data[start + 1 :],
        "byte": lambda: data[:start] + bytes([change.below(256)]) + data[start + 1 :],
        "integer": lambda: data[:start] + integer + data[start + width :],
        "cut": lambda: data[:start],
        "behead": lambda: data[start:],
        "delete": lambda: data[:start] + data[end:],
        "double": lambda: data[:end] + block + data[end:],
        "repeat": lambda: data[:end] + (block * change.of((3, 50, 1000)))[:200_000] + data[end:],
        "move": lambda: (data[:start] + data[end:])[:there] + block + (data[:start] + data[end:])[there:],
        "zeros": lambda: data[:start] + bytes(end - start) + data[end:],
        "splice": lambda: data[:start] + other[change.below(len(other)) :],
        "graft": lambda: data[:start] + other[there : there + 500] + data[end:],
        "token": lambda: data[:start] + change.of(seeds_of.tokens(parser)) + data[start:],
        "value": lambda: data[:start] + change.of(VALUES).encode() + data[start:],
        "number": lambda: _number(data, start, change),
    }
    way = change.of(tuple(ways))
    change.note(f"{way} at {start} to {end}")
    return ways[way]()


def _number(data: bytes, start: int, change: Change) -> bytes:
    """Another number in the place of one that is written in digits."""
    found = re.compile(rb"-?\d+").search(data, start)
    if found is None:
        return data
    new = change.of((str(change.of(_INTEGERS)), change.of(VALUES))).encode()
    return data[: found.start()] + new + data[found.end() :]


_UNITS = re.compile(rb"<[^<>]{0,300}>|\\[a-z]+-?\d* ?|[{}\[\],;|]|\r?\n|[^<>\\{}\[\],;|\r\n]+|[<>\\]")


def _words(data: bytes, other: bytes, change: Change, parser: str) -> bytes:
    """Changes of what a text is made of: tags, control words, brackets, lines, and what stands between."""
    units = _UNITS.findall(data)
    others = _UNITS.findall(other)
    for _ in range(change.few()):
        _change_units(units, others, change, parser)
    return b"".join(units)


def _change_units(units: list[bytes], others: Sequence[bytes], change: Change, parser: str) -> None:
    start = change.below(len(units))
    end = min(len(units), start + change.of((1, 1, 2, 5, 30)))
    there = change.below(len(units))
    block = units[start:end]
    foreign = change.below(len(others))
    times = change.of((2, 10, 300, 3000))
    while times > 1 and times * max(map(len, block), default=1) > MOST_REPEATED:
        times //= 2
    new = change.of((change.of(seeds_of.tokens(parser)), change.of(VALUES).encode()))
    nested = [b"".join(block[:1]) * times, *block, b"".join(block[-1:]) * times]
    ways = {
        "delete": (start, end, []),
        "double": (end, end, block),
        "repeat": (end, end, (block * times)[:20_000]),
        "move": (there, there, block),
        "swap": (start, end, units[there : there + end - start]),
        "graft": (start, end, list(others[foreign : foreign + change.of((1, 5, 40))])),
        "token": (start, start, [new]),
        "replace": (start, end, [new]),
        "nest": (start, end, nested),
        "number": (start, end, [_number(each, 0, change) for each in block]),
    }
    way = change.of(tuple(ways))
    change.note(f"{way} units {start} to {end}")
    first, last, put = ways[way]
    units[first:last] = put


def _archive(data: bytes, other: bytes, change: Change, parser: str) -> bytes:
    """Changes of the members of an archive, packed again with the right sums; sometimes then of its directory."""
    members = _members(data)
    foreign = dict(_members(other))
    texts = [at for at, (name, _) in enumerate(members) if not name.endswith((".png", ".jpeg", ".jpg", "/"))]
    for _ in range(change.few()):
        at = change.below(len(members)) if change.below(8) == 0 else change.of(_weighted(members, texts))
        name, inside = members[at]
        way = change.of(("change",) * 8 + ("delete", "double", "swap", "foreign", "empty", "rename"))
        change.note(f"{way} {name}")
        if way == "change":
            members[at] = (name, _member(name, inside, foreign.get(name, inside), change, parser))
        elif way == "delete" and len(members) > 1:
            del members[at]
            texts = list(range(len(members)))
        elif way == "double":
            members.append((name, inside))
        elif way == "swap":
            members[at] = (name, change.of(members)[1])
        elif way == "foreign":
            members[at] = (name, foreign.get(name, b""))
        elif way == "empty":
            members[at] = (name, b"")
        elif way == "rename":
            members[at] = (
                change.of((name.upper(), f"../{name}", f"/{name}", f"x/{name}", name.replace("/", "\\"))),
                inside,
            )
    packed = _packed(members, change)
    return _directory(packed, change) if change.below(8) == 0 else packed


def _members(data: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(info.filename, archive.read(info)) for info in archive.infolist()]


def _weighted(members: Sequence[tuple[str, bytes]], texts: Sequence[int]) -> list[int]:
    """The members that hold the text come more often than those about fonts and themes."""
    rare = (
        "theme",
        "Thumbnails",
        "fontTable",
        "webSettings",
        "slideLayout",
        "slideMaster",
        "manifest.rdf",
        "settings.xml",
    )
    known = [at for at in texts if at < len(members)]
    often = [at for at in known if not any(word in members[at][0] for word in rare)]
    return known + often * 6 or [0]


def _packed(members: Sequence[tuple[str, bytes]], change: Change) -> bytes:
    out = io.BytesIO()
    method = change.of((zipfile.ZIP_DEFLATED,) * 30 + (zipfile.ZIP_STORED,) * 9 + (zipfile.ZIP_BZIP2,))
    with zipfile.ZipFile(out, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two members of one name
        for name, inside in members:
            info = zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_STORED if name == "mimetype" else method
            archive.writestr(info, inside)
    return out.getvalue()


def _directory(data: bytes, change: Change) -> bytes:
    """Changes of the headers only: of the members, of the directory, and of its end."""
    changed = bytearray(data)
    marks = [found.start() for found in re.finditer(rb"PK(?:\x01\x02|\x03\x04|\x05\x06)", data)]
    for _ in range(change.few()):
        at = change.of(marks) + 4 + change.below(42)
        width = change.of((1, 2, 4))
        if at + width < len(changed):
            changed[at : at + width] = (change.of(_INTEGERS) % 256**width).to_bytes(width, "little")
            change.note(f"header {at}")
    return bytes(changed)


def _member(name: str, inside: bytes, other: bytes, change: Change, parser: str) -> bytes:
    if name.endswith((".xml", ".rels", ".xhtml", ".html", ".opf", ".ncx")) and change.below(6):
        return _xml(inside, other, change, parser)
    way = change.of((_words, _bytes))
    return way(inside, other or inside, change, parser)


def _xml(data: bytes, other: bytes, change: Change, parser: str) -> bytes:
    """Changes of elements, attributes and texts: what comes out is well-formed again."""
    try:
        root, foreign = _tree(data), _tree(other)
    except etree.XMLSyntaxError:
        return _words(data, other, change, parser)
    for _ in range(change.few()):
        elements = list(root.iter(etree.Element))
        one = change.of(elements)
        way = change.of(tuple(_XML_WAYS))
        change.note(f"{way} {etree.QName(one).localname} {elements.index(one)}")
        _XML_WAYS[way](one, change.of(elements), change.of(list(foreign.iter(etree.Element))), change, parser)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True)


def _tree(data: bytes) -> etree._Element:
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))


def _copy(one: etree._Element) -> etree._Element:
    try:
        return etree.fromstring(etree.tostring(one, with_tail=False), etree.XMLParser(huge_tree=True))
    except etree.XMLSyntaxError:  # nested too deeply to be read again
        return etree.Element(one.tag)


def _drop(one, another, foreign, change, parser):
    if (above := one.getparent()) is not None:
        above.remove(one)


def _double(one, another, foreign, change, parser):
    if (above := one.getparent()) is not None and len(one) < 500:
        for _ in range(change.of((1, 3, 60))):
            above.insert(above.index(one), _copy(one))


def _plant(one, another, foreign, change, parser):
    one.insert(change.below(len(one) + 1), _copy(change.of((another, foreign))))


def _snippet(one, another, foreign, change, parser):
    one.insert(change.below(len(one) + 1), etree.fromstring(change.of(seeds_of.snippets(parser))))


def _swap(one, another, foreign, change, parser):
    above, elsewhere = one.getparent(), another.getparent()
    if above is not None and elsewhere is not None and one is not another:
        first, second = _copy(one), _copy(another)
        above.replace(one, second)
        if another.getparent() is elsewhere:
            elsewhere.replace(another, first)


def _nest(one, another, foreign, change, parser):
    if (above := one.getparent()) is None:
        return
    inner = outer = etree.Element(one.tag, dict(one.attrib))
    for _ in range(change.of((2, 20, 300, 1500))):
        inner = etree.SubElement(inner, one.tag, dict(one.attrib) if change.below(2) else {})
    above.replace(one, outer)
    inner.append(one)


def _retag(one, another, foreign, change, parser):
    one.tag = change.of((another.tag, foreign.tag))


def _attribute(one, another, foreign, change, parser):
    names = list(one.attrib) or list(another.attrib) or list(foreign.attrib)
    if names:
        one.set(change.of(names), change.of(_XML_VALUES))


def _unset(one, another, foreign, change, parser):
    if one.attrib:
        del one.attrib[change.of(list(one.attrib))]


def _lend(one, another, foreign, change, parser):
    for name, value in (*another.attrib.items(), *foreign.attrib.items()):
        one.set(name, value)


def _text(one, another, foreign, change, parser):
    one.text = change.of(_XML_VALUES)
    one.tail = change.of((one.tail, *_XML_VALUES))


def _empty(one, another, foreign, change, parser):
    del one[:]
    one.text = None


_XML_VALUES = tuple(re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", each) for each in VALUES)
_XML_WAYS = {
    "drop": _drop, "double": _double, "plant": _plant, "snippet": _snippet, "swap": _swap, "nest": _nest,
    "retag": _retag, "attribute": _attribute, "attribute again": _attribute, "unset": _unset, "lend": _lend,
    "text": _text, "empty": _empty,
}  # fmt: skip


def _json(data: bytes, other: bytes, change: Change, parser: str) -> bytes:
    """Changes of the values of JSON, whole or of a line of it."""
    if change.below(4) == 0:
        return _words(data, other, change, parser)
    if parser == "jsonl":
        lines = data.split(b"\n")
        at = change.below(len(lines))
        lines[at] = _json(lines[at] or b"{}", other, change, "json")
        return b"\n".join(lines)
    try:
        whole = [json.loads(data)]
    except ValueError:
        return _words(data, other, change, parser)
    for _ in range(change.few()):
        _change_value(whole, change)
    return json.dumps(whole[0], ensure_ascii=bool(change.below(2))).encode("utf-8", "surrogatepass")


def _change_value(whole: list[Any], change: Change) -> None:
    places = list(_places(whole))
    holder, key = change.of(places)
    elsewhere, name = change.of(places)
    odd = (*VALUES, None, True, 0, -1, 1.5, 10**30, [], {}, [[]], ["x", 1, None], {"": {"": 1}}, "\ud800")
    way = change.of(("value", "value", "delete", "swap", "nest", "list", "rename", "double"))
    change.note(f"{way} {key!r}")
    if way == "delete" and holder is not whole:
        del holder[key]
    elif way == "rename" and isinstance(holder, dict):
        holder[change.of((*VALUES, "title", "text", "source", "author", "date"))] = holder.pop(key)
    elif way == "double" and isinstance(holder, list):
        holder.extend(_copied(holder[:50]) or [])
    elif way == "nest":
        for _ in range(change.of((1, 3, 20))):  # deeper ones are among the tokens
            holder[key] = {change.of(("x", "text", "cells")): holder[key]} if change.below(2) else [holder[key]]
    elif way == "list":
        holder[key] = [_copied(holder[key]) for _ in range(change.of((1, 2, 200)))]
    else:
        holder[key] = _copied(elsewhere[name]) if way == "swap" else change.of(odd)


def _copied(value: object) -> object:
    return json.loads(json.dumps(value)[:100_000]) if len(json.dumps(value)) <= 100_000 else None


def _places(value: object):
    """Each place in lists and objects, with what holds it."""
    stack = [value]
    while stack:
        holder = stack.pop()
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
            yield holder, key
            if isinstance(holder[key], dict | list):
                stack.append(holder[key])


_STREAM = re.compile(rb"/Length (\d+)[^>]*>>\s*stream\r?\n")


def _pdf(data: bytes, other: bytes, change: Change, parser: str) -> bytes:
    """Changes of the words of streams, unpacked and packed again, and of the objects, mostly with a table that fits."""
    for _ in range(change.few()):
        way = change.of(("stream",) * 4 + ("object", "object", "table"))
        change.note(way)
        if way == "stream":
            data = _stream(data, other, change, parser)
        elif way == "object":
            data = _objects(data, other, change, parser)
        else:
            start = data.rfind(b"xref", 0, max(0, data.rfind(b"startxref")))
            tail = data[start:] if start > 0 else data[-200:]
            data = data[: len(data) - len(tail)] + _words(tail, other[-300:], change, parser)
    return _with_table(data) if change.below(3) else data


def _stream(data: bytes, other: bytes, change: Change, parser: str) -> bytes:
    found = change.of(list(_STREAM.finditer(data)) or [None])
    if found is None:
        return _words(data, other, change, parser)
    content = data[found.end() : found.end() + int(found[1])]
    packed = b"/FlateDecode" in found[0] or b"/FlateDecode" in data[max(0, found.start() - 200) : found.end()]
    if packed:
        try:
            content = zlib.decompress(content)
        except zlib.error:
            return _bytes(data, other, change, parser)
    new = change.of((_words, _operators, _operators, _bytes))(content, content, change, parser)[:200_000]
    new = zlib.compress(new) if packed else new
    head = data[: found.start(1)] + b"%d" % len(new) + data[found.end(1) : found.end()]
    return head + new + data[found.end() + int(found[1]) :]


_OPERAND = re.compile(rb"\((?:\\.|[^\\()])*\)|<[0-9A-Fa-f\s]*>|[^\s\[\]()<>]+|[\[\]]|\s+")


def _operators(data: bytes, other: bytes, change: Change, parser: str) -> bytes:
    """Changes of the operands of a page or of a table of characters."""
    units = _OPERAND.findall(data)
    if not units:
        return data
    for _ in range(change.few() * 2):
        at, there = change.below(len(units)), change.below(len(units))
        way = change.of(("number", "number", "delete", "double", "swap", "token"))
        change.note(f"operand {way} {at}")
        if way == "number" and re.fullmatch(rb"-?[\d.]+", units[at]):
            units[at] = change.of(
                (b"0", b"-1", b"1e9", b"99999999", b"-0.00001", b"3e38", b"2147483648", b"NaN", units[there])
            )
        elif way == "delete":
            units[at] = b" "
        elif way == "double":
            units[at] = (units[at] + b" ") * change.of((2, 50))
        elif way == "swap":
            units[at], units[there] = units[there], units[at]
        else:
            units[at] = change.of(seeds_of.tokens("pdf"))
    return b"".join(units)


_OBJECT = re.compile(rb"(\d+) 0 obj(.*?)endobj", re.DOTALL)


def _objects(data: bytes, other: bytes, change: Change, parser: str) -> bytes:
    """Another reference, number, name or object in the place of one."""
    objects = list(_OBJECT.finditer(data))
    if not objects:
        return _words(data, other, change, parser)
    one, another = change.of(objects), change.of(objects)
    body = one[2]
    dictionary, stream, rest = body.partition(b"stream")
    way = change.of(("reference", "words", "swap", "delete"))
    if way == "reference" and (places := list(re.finditer(rb"(\d+) 0 R", dictionary))):
        place = change.of(places)
        dictionary = (
            dictionary[: place.start(1)] + change.of((another[1], one[1], b"0", b"9999")) + dictionary[place.end(1) :]
        )
        body = dictionary + stream + rest
    elif way == "words":
        body = _words(dictionary, another[2].partition(b"stream")[0], change, parser) + stream + rest
    elif way == "swap":
        body = another[2]
    elif way == "delete":
        body = b" null "
    return data[: one.start(2)] + body + data[one.end(2) :]


def _with_table(data: bytes) -> bytes:
    """A new table of places, where the file had a plain one."""
    start = data.rfind(b"\nxref")
    trailer = data.rfind(b"trailer")
    if not 0 < start < trailer:
        return data
    places = {int(found[1]): found.start() for found in re.finditer(rb"(\d{1,6}) 0 obj", data[:start])}
    lines = b"".join(b"%010d 00000 n \n" % places.get(at, 0) for at in range(1, max(places, default=0) + 1))
    kept = data[trailer:].rpartition(b"startxref")[0] or b"trailer << >>\n"
    count = max(places, default=0) + 1
    table = b"\nxref\n0 %d\n0000000000 65535 f \n%s" % (count, lines)
    return data[:start] + table + kept + b"startxref\n%d\n%%%%EOF\n" % (start + 1)


_ENCODED = re.compile(rb"(?:^[A-Za-z0-9+/]{20,76}={0,2}\r?\n)+", re.MULTILINE)


def _mail(data: bytes, other: bytes, change: Change, parser: str) -> bytes:
    """Changes of headers and lines, and of what stands in base64."""
    encoded = list(_ENCODED.finditer(data))
    if encoded and change.below(3) == 0:
        found = change.of(encoded)
        try:
            inside = base64.b64decode(found[0])
        except ValueError:
            return _words(data, other, change, parser)
        change.note("in base64")
        new = base64.encodebytes(_words(inside, inside, change, change.of(("html", "txt"))))
        return data[: found.start()] + new + data[found.end() :]
    if change.below(2):
        head, blank, body = data.partition(b"\n\n")
        return _words(head, other.partition(b"\n\n")[0], change, parser) + blank + body
    return _words(data, other, change, parser)


def _gzip(data: bytes, other: bytes, change: Change, parser: str) -> bytes:
    inside = gzip.decompress(data)
    inner = change.of(("txt", "eml", "mbox", "html", "gz", "docx"))
    if inner in ("gz", "docx") or change.below(2):
        inside = mutant(inner, change.below(10_000)).data if inner != "gz" else gzip.compress(inside, mtime=0)
        change.note(f"a {inner} in it")
    else:
        inside = _words(inside, inside, change, "txt")
    return gzip.compress(inside, mtime=0)


def _zip(data: bytes, other: bytes, change: Change, parser: str) -> bytes:
    """As other archives are changed, or with damaged files of every kind in it."""
    if change.below(2):
        return _archive(data, other, change, parser)
    kinds = [each for each in PARSERS if each not in ("gz", "zip")]
    inside = [mutant(change.of(kinds), change.below(10_000)) for _ in range(1 + change.below(3))]
    change.note(" and ".join(each.recipe.partition(":")[0] for each in inside))
    return _packed([*((each.name, each.data) for each in inside), ("good.txt", b"The mill ground barley.\n")], change)


_DEEP: dict[str, Callable[[bytes, bytes, Change, str], bytes]] = {
    "pdf": _pdf, "json": _json, "jsonl": _json, "ipynb": _json, "eml": _mail, "mbox": _mail, "mhtml": _mail,
    "gz": _gzip, "zip": _zip,
}  # fmt: skip

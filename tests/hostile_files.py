"""Files that mean harm, built byte by byte: bombs, loops, lies about sizes, and what reads them under measurement."""

from __future__ import annotations

import os
import struct
import time
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pdf_writer import pdf_of
from rag_geo.readers.process import ReaderProcess, Results

MEGABYTE = 1 << 20

# --- ZIP archives -----------------------------------------------------------------------------------------------

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")


class Entry(NamedTuple):
    """A line of the directory of an archive, true or not."""

    name: str
    offset: int
    packed: int
    size: int
    crc: int
    method: int = zipfile.ZIP_DEFLATED


def directory(entries: Sequence[Entry], at: int) -> bytes:
    """The directory of an archive, which begins at byte `at`."""
    out = b"".join(
        _CENTRAL.pack(
            b"PK\x01\x02", 20, 20, 0x800, one.method, 0, 0x21, one.crc, one.packed, one.size, len(one.name.encode()),
            0, 0, 0, 0, 0, one.offset,
        ) + one.name.encode()
        for one in entries
    )  # fmt: skip
    return out + _END.pack(b"PK\x05\x06", 0, 0, len(entries), len(entries), len(out), at, 0)


def _local(entry: Entry) -> bytes:
    name = entry.name.encode()
    head = b"PK\x03\x04", 20, 0x800, entry.method, 0, 0x21, entry.crc, entry.packed, entry.size, len(name), 0
    return _LOCAL.pack(*head) + name


def _packed(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def quoting_zip(names: Sequence[str], kernel: bytes) -> bytes:
    """An archive in which every file overlaps all that follow it.

    Each file begins with a stored block that quotes the header of the next file, goes on as that file does, and so ends
    in the one `kernel` that all of them share. Sizes and checksums are true.
    """
    body, content = _packed(kernel), kernel
    entries: list[Entry] = []
    for name in reversed(names):
        if entries:
            header = _local(entries[-1])
            body = b"\x00" + struct.pack("<HH", len(header), len(header) ^ 0xFFFF) + header + body
            content = header + content
        entries.append(Entry(name, 0, len(body), len(content), zlib.crc32(content)))
    entries.reverse()
    out = _local(entries[0]) + body
    # Each header stands where it is quoted: behind the one before it and the five bytes of a stored block.
    at = 0
    placed = []
    for one in entries:
        placed.append(one._replace(offset=at))
        at += len(_local(one)) + 5
    return out + directory(placed, len(out))


def shared_zip(names: Sequence[str], data: bytes) -> bytes:
    """An archive whose directory names the same bytes many times."""
    body = _packed(data)
    entry = Entry(names[0], 0, len(body), len(data), zlib.crc32(data))
    out = _local(entry) + body
    return out + directory([entry._replace(name=name) for name in names], len(out))


def blank(megabytes: int) -> bytes:
    """What packs to a thousandth, and is a text all the same."""
    return b"a word and a word and " * (megabytes * MEGABYTE // 22)


# --- PDF --------------------------------------------------------------------------------------------------------


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """The body of an object that is a stream."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def text_stream(text: str) -> bytes:
    return stream(b"BT /F1 10 Tf 50 750 Td (%s) Tj ET" % text.encode("cp1252"))


CATALOGUE = b"<< /Type /Catalog /Pages 2 0 R >>"
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
PAGE = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
)


def pdf_pages(text: str, others: int = 0) -> bytes:
    """A PDF of a page with this text, and of others that all show one and the same stream."""
    numbers = range(6, 7 + others)
    both = b"BT /F1 10 Tf 50 750 Td (And so on.) Tj 0 -200 Td (%s) Tj ET" % text.encode("cp1252")
    streams = [stream(both) if others else text_stream(text), text_stream("And so on.")]
    return pdf_of([CATALOGUE, _pages(*numbers), FONT, *streams, PAGE % 4, *[PAGE % 5] * others])


def pdf_bomb(text: str, megabytes: int, *, times: int = 1) -> bytes:
    """A PDF whose first page has text and whose second unpacks to blanks, packed `times` times over."""
    data = b" " * (megabytes * MEGABYTE)
    for _ in range(times):
        data = zlib.compress(data, 9)
    filters = b"/Filter [%s]" % b" ".join([b"/FlateDecode"] * times)
    bodies = [
        CATALOGUE,
        b"<< /Type /Pages /Count 2 /Kids [6 0 R 7 0 R] >>",
        FONT,
        text_stream(text),
        stream(data, filters),
        PAGE % 4,
        PAGE % 5,
    ]
    return pdf_of(bodies)


def pdf_with_a_password() -> bytes:
    """A PDF that says that it is encrypted, by keys that no empty password opens."""
    key = b"<" + b"5a" * 32 + b">"
    encrypt = b"<< /Filter /Standard /V 2 /R 3 /Length 128 /P -44 /O %s /U %s >>" % (key, key)
    return pdf_of([CATALOGUE, _pages(5), FONT, text_stream("Nobody reads this."), PAGE % 4, encrypt],
                  b"/Encrypt 6 0 R /ID [<00> <00>]")  # fmt: skip


def pdf_of_a_picture(pages: int) -> bytes:
    """A scanned PDF: pages with a picture and no text."""
    drawn = b"q 595 0 0 842 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x80 EI Q"
    numbers = range(5, 5 + pages)
    return pdf_of([CATALOGUE, _pages(*numbers), FONT, stream(drawn), *[PAGE % 4] * pages])


def pdf_with_a_cyclic_outline(text: str) -> bytes:
    """A PDF whose table of contents is its own chapter, and whose page tree is one, too."""
    outline = b"<< /Type /Outlines /First 7 0 R /Last 7 0 R /Count 2 >>"
    entry = b"<< /Title (Chapter) /Parent 7 0 R /First 7 0 R /Last 7 0 R /Next 7 0 R /Prev 7 0 R /Dest [5 0 R /Fit] >>"
    catalogue = b"<< /Type /Catalog /Pages 2 0 R /Outlines 6 0 R >>"
    tree = b"<< /Type /Pages /Count 2 /Parent 2 0 R /Kids [5 0 R 2 0 R] >>"
    return pdf_of([catalogue, tree, FONT, text_stream(text), PAGE % 4, outline, entry])


def pdf_with_an_xref_loop(text: str) -> bytes:
    """A PDF whose table of objects names itself as the one before it."""
    whole = pdf_of([CATALOGUE, _pages(5), FONT, text_stream(text), PAGE % 4])
    return pdf_of([CATALOGUE, _pages(5), FONT, text_stream(text), PAGE % 4], b"/Prev %d" % whole.rindex(b"xref\n0"))


def pdf_of_references_in_a_circle() -> bytes:
    """A PDF in which each object is only the name of the other."""
    return pdf_of([b"2 0 R", b"1 0 R"])


def _pages(*numbers: int) -> bytes:
    return b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(numbers), b" ".join(b"%d 0 R" % each for each in numbers))


# --- XML that reaches out ---------------------------------------------------------------------------------------


def _root(inside: str) -> str:
    return inside[1:].partition(">")[0].partition(" ")[0]


def laughs(inside: str) -> str:
    """XML in which ten entities of ten entities each would be a billion words."""
    lines = "".join(f'<!ENTITY lol{n} "{f"&lol{n - 1};" * 10}">' for n in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE {_root(inside)} [<!ENTITY lol0 "lol">{lines}]>' + inside.replace(
        "HERE", "&lol9;"
    )


def reaching(inside: str, address: str) -> str:
    """XML with an entity that stands for what is at `address`, with a definition to be fetched from there, and an
    instruction to include it."""
    return (
        f'<?xml version="1.0"?><!DOCTYPE {_root(inside)} SYSTEM "{address}" [<!ENTITY % p SYSTEM "{address}"> %p; '
        f'<!ENTITY out SYSTEM "{address}">]>' + inside.replace("HERE", "&out;")
    )


# --- measuring --------------------------------------------------------------------------------------------------


class Measured(NamedTuple):
    """What a reader answered, seconds by the clock and of the processor, and the bytes of memory it took for it."""

    results: Results
    seconds: float
    processor_s: float
    extra: int


def memory(pid: int, name: str) -> int:
    """A figure of the memory of a process in bytes: "VmRSS" now, "VmHWM" at most."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) << 10
    raise AssertionError(name)


def measured(reader: ReaderProcess, file: str, data: bytes, before: bytes) -> Measured:
    """Have `data` read by a reader that has read `before`, a good file of the same format, already."""
    reader.read(file, before)
    pid = reader._process.pid  # the child that is measured
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    had, began, used = memory(pid, "VmRSS"), time.monotonic(), processor_s(pid)
    results = reader.read(file, data)
    seconds, used = time.monotonic() - began, processor_s(pid) - used
    return Measured(results, seconds, used, memory(pid, "VmHWM") - had)


def processor_s(pid: int) -> float:
    """Seconds that the processor worked for a process."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

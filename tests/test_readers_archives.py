import io
import struct
import zipfile

import pytest

from rag_geo.readers import archives
from rag_geo.readers.archives import MAX_MEMBERS, open_archive, parse_xml
from rag_geo.readers.blocks import UnreadableError


def zipped(members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_members_are_found_whatever_the_case_and_the_slashes_of_their_names():
    archive = open_archive(zipped({"word\\Document.xml": "<a/>", "x/": ""}))
    assert "/word/document.xml" in archive
    assert archive.read("word/document.xml") == b"<a/>"
    assert "other.xml" not in archive


def test_a_missing_member_is_named():
    with pytest.raises(UnreadableError, match=r"damaged: content\.xml is missing"):
        open_archive(zipped({"a": "b"})).read("content.xml")


def test_a_member_that_unpacks_to_a_hundred_times_its_size_is_refused():
    data = zipped({"big.xml": b"\x00" * (9 << 20), "small.xml": b"ok"})
    archive = open_archive(data)
    assert archive.read("small.xml") == b"ok"
    with pytest.raises(UnreadableError, match=r"big\.xml in it unpacks to more than 100 times"):
        archive.read("big.xml")
    with pytest.raises(UnreadableError, match="100 times"):
        archive.check()
    archive.check(["small.xml"])


def test_a_member_that_lies_about_its_size_is_not_unpacked_whole():
    data = bytearray(zipped({"big.xml": b"\x00" * (5 << 20)}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(signature)
        struct.pack_into("<I", data, at + offset, 1000)
    with pytest.raises(UnreadableError, match="damaged"):
        open_archive(bytes(data)).read("big.xml")


def test_the_bytes_of_all_members_together_are_bounded(monkeypatch):
    monkeypatch.setattr(archives, "MAX_BYTES", 100)
    archive = open_archive(zipped({"a": b"x" * 60, "b": b"y" * 60}))
    archive.read("a")
    with pytest.raises(UnreadableError, match="unpacks to more than"):
        archive.read("b")


def test_an_archive_with_too_many_members_is_refused():
    with pytest.raises(UnreadableError, match="more than 10,000 files"):
        open_archive(zipped(dict.fromkeys(map(str, range(MAX_MEMBERS + 1)), b""), zipfile.ZIP_STORED))


def test_a_locked_archive_needs_a_password():
    data = bytearray(zipped({"a.xml": b"<a/>"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    with pytest.raises(UnreadableError, match="needs a password"):
        open_archive(bytes(data))


def test_other_ways_of_packing_are_named():
    with pytest.raises(UnreadableError, match="packed in a way"):
        open_archive(zipped({"a": b"x"}, zipfile.ZIP_LZMA)).read("a")


@pytest.mark.parametrize("cut", [10, 40, 80])
def test_a_cut_archive_is_damaged(cut):
    with pytest.raises(UnreadableError, match="damaged"):
        open_archive(zipped({"a.xml": b"<a/>" * 20})[:cut])


ENTITY = '<!DOCTYPE a [<!ENTITY b "c">]><a d="&b;">&b;</a>'


@pytest.mark.parametrize(
    "data",
    [
        ENTITY.encode(),
        ENTITY.encode("utf-16"),
        ENTITY.encode("utf-16-le"),
        b'<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE a [+ADwAIQ-ENTITY b "c">]><a>&b;</a>',
        b'<!DOCTYPE a [<!ATTLIST a b CDATA "x">]><a/>',
        b"<a>",
        b"",
        b"\x00\x01\x02",
        b"<a>&b;</a>",
    ],
)
def test_xml_that_defines_entities_or_is_broken_is_refused(data):
    with pytest.raises(UnreadableError):
        parse_xml(data, "content.xml")


def test_xml_may_be_utf_16_and_name_a_document_type():
    assert parse_xml('<?xml version="1.0" encoding="UTF-16"?><a>ü</a>'.encode("utf-16"), "a").text == "ü"
    assert parse_xml(b'<!DOCTYPE a PUBLIC "-//b//DTD c 1.0//EN" "c.dtd"><a>d</a>', "a").text == "d"


@pytest.mark.parametrize("address", ["http://example.org/x.dtd", "file:///nowhere/x.dtd", "x.dtd"])
def test_the_definition_of_a_document_type_is_not_even_looked_for(address):
    data = f'<!DOCTYPE a PUBLIC "-//X//DTD a//EN" "{address}"><a>text</a>'.encode()
    assert parse_xml(data, "a.xml").text == "text"


def test_xml_nested_too_deeply_is_damaged():
    with pytest.raises(UnreadableError, match="damaged"):
        parse_xml(b"<a>" * 100_000 + b"</a>" * 100_000, "a")

"""Whatever is in a file, of whatever format: it is read, or refused in words; nothing is raised, no offset is wrong."""

import functools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_geo.readers import read_file
from rag_geo.records import Document

SAMPLES = Path(__file__).parents[1] / "evals" / "formats" / "files"
# A PDF is read in a process of its own, which its own tests damage.
ONE_OF_EACH = {path.suffix: path for path in sorted(SAMPLES.iterdir(), reverse=True) if path.suffix != ".pdf"}
ODD = [0, 0xFF, *b"<>&\"'/(){}[]\\:;,=\n\r\t "]


@functools.cache
def sample(path):
    return path.read_bytes()


def assert_read_or_refused(file, data):
    for one in read_file(file, data):
        assert one.file == file or one.file.startswith(f"{file}/")
        if not isinstance(one, Document):
            assert one.reason
            continue
        end = 0
        for number, paragraph in enumerate(one.paragraphs, start=1):
            assert (paragraph.number, paragraph.start >= end) == (number, True)
            assert one.text[paragraph.start : paragraph.end].strip()
            end = paragraph.end
        "".join((one.text, one.title, one.author, one.date, repr(one.metadata))).encode()


def test_there_is_a_sample_of_nearly_every_format():
    assert len(ONE_OF_EACH) >= 15


@pytest.mark.parametrize("suffix", sorted(ONE_OF_EACH))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    changes=st.lists(st.tuples(st.floats(0, 1), st.sampled_from(ODD) | st.integers(0, 255)), max_size=20),
    cut=st.just(1.0) | st.floats(0, 1),
)
def test_a_damaged_file_is_read_as_far_as_possible_or_refused_in_words(suffix, changes, cut):
    data = bytearray(sample(ONE_OF_EACH[suffix]))
    for place, byte in changes:
        data[int(place * (len(data) - 1))] = byte
    assert_read_or_refused(ONE_OF_EACH[suffix].name, bytes(data[: int(cut * len(data))]))


@given(st.sampled_from(sorted(ONE_OF_EACH)), st.binary(max_size=200))
def test_bytes_that_are_not_what_the_name_says_are_read_or_refused_in_words(suffix, data):
    assert_read_or_refused(f"x{suffix}", data)

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo.passages import sentences, windows
from rag_geo.readers import read_document
from rag_geo.records import Document
from rag_geo.settings import WindowSettings

BARE = WindowSettings(title=False, heading=False)


def read(text, file="a.md"):
    document = read_document(file, text.encode())
    assert isinstance(document, Document)
    return document


def words(text):
    return len(text.split()) + 2


def texts(document, settings=None, limit=100):
    return [window.text for window in windows(document, settings or BARE, words, limit)]


def test_a_sentence_has_the_place_of_its_paragraph():
    document = read("One is. Two is.\n\nThree is.")
    first, second = document.paragraphs
    assert [one.place for one in sentences(document, replace(first, place="p. 4"))] == ["p. 4", "p. 4"]
    assert [one.place for one in sentences(document, second)] == [""]


def test_windows_are_two_sentences_moved_on_by_one_within_a_paragraph():
    assert texts(read("One is. Two is. Three is.\n\nFour is.")) == ["One is. Two is.", "Two is. Three is.", "Four is."]


@pytest.mark.parametrize(
    ("size", "stride", "expected"),
    [
        (1, 1, ["It is.", "So is he.", "We are.", "You too."]),
        (3, 1, ["It is. So is he. We are.", "So is he. We are. You too."]),
        (3, 2, ["It is. So is he. We are.", "So is he. We are. You too."]),
        (2, 2, ["It is. So is he.", "We are. You too."]),
        (9, 1, ["It is. So is he. We are. You too."]),
    ],
)
def test_the_last_window_ends_the_paragraph(size, stride, expected):
    document = read("It is. So is he. We are. You too.")
    assert texts(document, replace(BARE, sentences=size, stride=stride)) == expected


def test_headings_and_debris_have_no_windows():
    document = read("# Head\n\nText is here.\n\nAdvertisement\n\n03:35\n")
    assert texts(document) == ["Text is here."]


def test_title_and_heading_stand_in_front_when_wished_and_never_twice():
    document = read("---\ntitle: The Title\n---\n# The Title\n\n## Part\n\nText is here.\n")
    assert texts(document, replace(BARE, title=True)) == ["The Title\nText is here."]
    assert texts(document, replace(BARE, heading=True)) == ["The Title › Part\nText is here."]
    assert texts(document, WindowSettings(title=True, heading=True)) == ["The Title › Part\nText is here."]


def test_a_window_over_the_limit_is_parted_into_sentences_and_no_sentence_is_lost():
    document = read(f"One {'x ' * 30}end. Two {'y ' * 30}end. Three is short. Four is short.")
    found = windows(document, BARE, words, 36)
    assert [window.text.split()[0] for window in found] == ["One", "Two", "Three", "Three"]
    assert found[-1].text == "Three is short. Four is short."


def test_a_sentence_over_the_limit_is_cut_between_words_or_anywhere_when_there_are_none():
    document = read("word " * 100)
    found = windows(document, BARE, words, 42)
    assert [len(window.text.split()) for window in found] == [40, 40, 20]
    letters = windows(read("z" * 90), BARE, len, 40)
    assert [len(window.text) for window in letters] == [40, 40, 10]


def test_a_prefix_takes_at_most_a_third_of_the_limit():
    document = read(f"---\ntitle: {'long ' * 200}\n---\nText is here.")
    (window,) = windows(document, replace(BARE, title=True), words, 60)
    assert words(window.text) <= 60
    assert window.text.startswith("long")
    assert window.text.endswith("\nText is here.")


def test_sentences_carry_what_can_be_seen_and_where_it_stands():
    document = read("One\u200b is <!-- not -->\n here. Two is.")
    found = sentences(document, document.paragraphs[0])
    assert [sentence.text for sentence in found] == ["One is here.", "Two is."]
    assert document.text[found[0].start : found[0].end] == "One\u200b is <!-- not -->\n here."


PIECES = st.sampled_from(
    ["Word is. ", "longer words here and more ", "x" * 50 + " ", ". ", "\n\n", "# H\n", "2\n\n", "\u200b", "- item\n"]
)


@given(st.lists(PIECES, min_size=1, max_size=30).map("".join), st.integers(1, 4), st.integers(12, 40), st.booleans())
def test_windows_fit_lie_in_their_paragraph_in_order_and_hold_every_sentence(text, size, limit, headed):
    document = read_document("a.md", text.encode())
    if not isinstance(document, Document):
        return
    found = windows(document, replace(BARE, sentences=size, heading=headed), lambda text: len(text) // 3 + 3, limit)
    paragraphs = {paragraph.number: paragraph for paragraph in document.paragraphs}
    held = set()
    for window in found:
        assert len(window.text) // 3 + 3 <= limit
        assert paragraphs[window.paragraph].start <= window.start < window.end <= paragraphs[window.paragraph].end
        held |= set(range(window.start, window.end))
    assert [window.paragraph for window in found] == sorted(window.paragraph for window in found)
    for paragraph in document.paragraphs:
        if not paragraph.debris and paragraph.kind != "heading":
            for start, end in paragraph.sentences:
                assert all(at in held for at in range(start, end) if not document.text[at].isspace())

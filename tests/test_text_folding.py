import itertools

from hypothesis import given
from hypothesis import strategies as st

from rag_geo.records import Span
from rag_geo.text.folding import blank, find_hidden, fold, merge_spans, visible, visible_part

ODD = st.text(alphabet=st.one_of(st.characters(), st.sampled_from("\u200b\u200d\u00ad\ufb01“”–\u00a0\x00\u202eA \n")))


def test_quotes_dashes_width_case_ligatures_and_spaces_fold_to_plain_forms():
    assert fold("\ufb01ne “Ｗide” – X\u00a0ﬀ").text == 'fine "wide" - x ff'


def test_a_folded_match_leads_back_to_the_original_characters():
    text = "The \ufb01rst\u200b “X”"
    folded = fold(text)
    at = folded.text.index("first")
    start, end = folded.span(at, at + 5)
    assert text[start:end] in ("\ufb01rst", "\ufb01rst\u200b")
    assert folded.span(at, at) == Span(4, 4)


def test_a_plain_text_needs_no_way_back():
    assert fold("Plain Text").span(2, 5) == Span(2, 5)


@given(ODD)
def test_every_folded_character_comes_from_one_place_in_order(text):
    folded = fold(text)
    starts = [folded.span(at, at + 1).start for at in range(len(folded.text))]
    assert starts == sorted(starts)
    assert all(0 <= start < len(text) for start in starts)


def test_hidden_characters_are_found_and_counted_by_name():
    text = "a\x00b\u200bc\u202ed\U000e0041\U000e0042e\u00adf\u2603\ufe0fg\ufe0f"
    spans, counts = find_hidden(text)
    assert "".join(text[start:end] for start, end in spans) == "\x00\u200b\u202e\U000e0041\U000e0042\u00ad\ufe0f"
    assert counts == {
        "control character": 1,
        "zero-width character": 1,
        "bidirectional control": 1,
        "tag character": 2,
        "soft hyphen": 1,
        "variation selector": 1,
    }


def test_white_space_is_never_hidden():
    assert find_hidden("a\tb\nc\rd\x0be\x0cf\x1cg\x85h\u2028i") == ((), {})


def test_joiners_stay_where_meaning_hangs_on_them():
    persian, family, hindi = "می\u200cخواهم", "👨\u200d👩\u200d👧", "क्\u200dष"
    assert find_hidden(persian + family + hindi)[0] == ()
    assert len(find_hidden("pass\u200dword\u200c")[0]) == 2


def test_visible_text_has_no_hidden_span_and_single_spaces():
    text = "  One <!-- two -->\n three\u200b "
    assert visible(text, Span(0, len(text)), (Span(6, 18), Span(25, 26))) == "One three"
    assert visible(text, Span(8, 12), (Span(6, 18),)) == ""


@given(ODD)
def test_what_is_visible_never_holds_what_is_hidden(text):
    spans, counts = find_hidden(text)
    assert sum(counts.values()) == sum(end - start for start, end in spans)
    seen = visible(text, Span(0, len(text)), spans)
    assert seen == " ".join(blank("".join(seen), ()).split())
    assert len(blank(text, spans)) == len(text)
    part = visible_part(text, Span(0, len(text)), spans)
    assert all(part.text[at] == text[part.offset(at)] for at in range(len(part.text)))


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5))))
def test_merged_spans_are_ordered_disjoint_and_hold_the_same_characters(pairs):
    spans = [Span(start, start + length) for start, length in pairs]
    merged = merge_spans(spans)
    assert {at for start, end in spans for at in range(start, end)} == {
        at for start, end in merged for at in range(start, end)
    }
    assert all(first.end < second.start for first, second in itertools.pairwise(merged))

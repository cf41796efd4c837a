"""What an answer looks like, and that nothing untrusted gets through."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from importlib.resources import files

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from answers import (
    ANSWERED,
    CITATION,
    DISPUTED,
    HIT,
    NEAR,
    NOT_FOUND,
    OTHERWISE,
    PARTIAL,
    QUOTE,
    VERIFIED,
    WITHHELD,
    events_of,
)
from rag_geo.errors import IndexMissingError, UsageError
from rag_geo.records import Answer, Citation, Claim, EvidenceFound, Filters, Near, Span
from rag_geo.render import (
    Line,
    Segment,
    Watched,
    answer_markdown,
    answer_object,
    answer_terminal,
    error_object,
    error_text,
    footnotes,
    hit_lines,
    hit_object,
    json_text,
    lines_text,
    markdown_text,
    visible,
    visible_name,
)

SCHEMA = json.loads(files("rag_geo").joinpath("answer.schema.json").read_text(encoding="utf-8"))
NASTY = "a\x1b]8;;http://evil\x07b\x9b31mc\u202etxt\u2066\x00\x7f\r\nd\U000e0041\ud800"
OBEYED = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\ud800-\udfff\U000e0000-\U000e007f]"
)


def nasty(answer: Answer) -> Answer:
    """The same answer with every text of a document, file name, model or user made hostile."""
    places = {"file": f"{NASTY}.md", "place": NASTY, "also": (NASTY, f"{NASTY}.pdf", NASTY)}
    citation = replace(CITATION, quote=NASTY + CITATION.quote, support=(Span(0, 20),), **places)
    claims = tuple(
        replace(each, text=NASTY + each.text, reason=each.reason and NASTY, citations=each.citations and (citation,))
        for each in answer.claims
    )
    near = tuple(Near(f"{NASTY}.md", 3, NASTY, (NASTY,), NASTY) for _ in answer.near)
    names = {
        "filters": Filters(author=NASTY, file=NASTY),
        "question": NASTY,
        "model": NASTY,
        "embedder": NASTY,
        "index_generation": NASTY,
    }
    conflicts = tuple(replace(each, other=citation, what=NASTY, claim_sentence=NASTY) for each in answer.conflicts)
    return replace(answer, claims=claims, near=near, conflicts=conflicts, **names)


def test_an_answer_shows_status_sentences_with_marks_and_their_evidence():
    assert answer_terminal(ANSWERED) == (
        "Answered: every sentence was checked against the paragraph it cites.\n"
        "\n"
        "Russia is the junior partner of China. [1]\n"
        "\n"
        "[1] briefs/hawn.md ¶7\n"
        "    “Hawn says that Russia has become the «junior partner» of «China».”\n"
    )


def test_a_partial_answer_counts_what_it_withholds_and_does_not_show_it():
    shown = answer_terminal(PARTIAL)
    assert shown.startswith("Answered in part")
    assert "1 sentence was withheld" in shown
    assert "--verbose" in shown
    assert "billion" not in shown


def test_verbose_shows_withheld_sentences_as_withheld_with_the_reason_and_the_figures():
    shown = answer_terminal(replace(PARTIAL, claims=(VERIFIED, WITHHELD, WITHHELD)), verbose=True)
    assert "2 sentences were withheld, not proved by the documents:\n" in shown
    assert "  withheld: China has 6 billion people.\n    because the number 6 billion is not in the evidence\n" in shown
    assert "answerable 0.98 · model scripted-model" in shown


def test_not_found_is_one_line_then_the_nearest_paragraphs_and_what_they_lack():
    assert answer_terminal(NOT_FOUND) == (
        "Not found: the documents do not say.\n"
        "\n"
        "Nearest paragraphs:\n"
        "  - briefs/lukin.md ¶3\n"
        "    “Lukin writes about Moscow.”\n"
        "    does not say: annexed, 1860\n"
    )
    assert "does not say:" not in answer_terminal(replace(NOT_FOUND, near=(replace(NEAR, missing=()),)))


def test_not_found_in_an_empty_corner_is_one_line():
    assert answer_terminal(replace(NOT_FOUND, near=())) == "Not found: the documents do not say.\n"


def test_an_answer_says_in_which_documents_it_was_looked_for():
    filtered = {"filters": Filters(author="Hawn", after="2024")}
    assert answer_terminal(replace(ANSWERED, **filtered)).splitlines()[1] == "only in: author Hawn, from 2024"
    assert "\n\n*Only in:* author Hawn, from 2024\n\n" in answer_markdown(replace(ANSWERED, **filtered))
    assert "nly in" not in answer_terminal(ANSWERED) + answer_markdown(ANSWERED)


@pytest.mark.parametrize("claims", [(), (WITHHELD,)])
def test_not_found_with_filters_does_not_speak_of_all_documents(claims):
    answer = replace(NOT_FOUND, claims=claims, filters=Filters(file="a*"))
    assert "the documents that were searched" in answer_terminal(answer, width=100).splitlines()[0]
    assert "the documents that were searched" in answer_markdown(answer).splitlines()[0]


def test_not_found_because_nothing_could_be_proved_says_so():
    answer = replace(NOT_FOUND, claims=(WITHHELD,))
    line = "Not found: no sentence about it could be proved by the documents."
    shown = answer_terminal(answer)
    assert shown.startswith(f"{line}\n")
    assert "1 sentence was withheld" in shown
    assert line in answer_markdown(answer)


def test_one_sentence_cited_twice_has_one_mark_and_both_highlights():
    other = replace(CITATION, start=300, end=340, quote="Another sentence.", support=())
    again = Claim("Again.", "verified", citations=(other, replace(CITATION, support=(Span(0, 4),))))
    notes = footnotes([VERIFIED, WITHHELD, again])
    assert [marks for _, marks in notes.marks] == [(1,), (2, 1)]
    assert notes.citations[0].support == (Span(0, 4), *CITATION.support)
    assert "Again. [2][1]" in answer_terminal(replace(ANSWERED, claims=(VERIFIED, again)))


PAGED = replace(CITATION, file="report.pdf", paragraph=12, place="p. 4")


def test_a_citation_says_at_which_place_of_the_original_it_stands():
    answer = replace(ANSWERED, claims=(replace(VERIFIED, citations=(PAGED,)),))
    assert "\n[1] report.pdf ¶12, p. 4\n" in answer_terminal(answer)
    assert "\n\\[1\\] report.pdf ¶12, p. 4\n\n> “" in answer_markdown(answer)
    (cited,) = answer_object(answer)["claims"][0]["citations"]
    assert (cited["place"], cited["also"]) == ("p. 4", [])
    lost = replace(NOT_FOUND, near=(replace(NEAR, file="talk.pptx", place="slide 3"),))
    assert "  - talk.pptx ¶3, slide 3\n" in answer_terminal(lost)
    assert "- talk.pptx ¶3, slide 3: “" in answer_markdown(lost)
    assert answer_object(lost)["near"][0]["place"] == "slide 3"
    found = replace(HIT, place="sheet Budget, row 12", also=("old.xlsx",))
    assert "1. briefs/hawn.md ¶7, sheet Budget, row 12 (the same in old.xlsx)  score" in lines_text(
        hit_lines([found]), width=120
    )
    assert (hit_object(found)["place"], hit_object(found)["also"]) == ("sheet Budget, row 12", ["old.xlsx"])
    watched = Watched().after(EvidenceFound((found,), (), 0.1))
    assert "best paragraph briefs/hawn.md ¶7, sheet Budget, row 12\n" in lines_text(watched.lines())


@pytest.mark.parametrize(
    ("also", "said"),
    [
        (("old/report.pdf",), "(the same in old/report.pdf)"),
        (("a.pdf", "b.pdf"), "(the same in a.pdf and b.pdf)"),
        (("a.pdf", "b.pdf", "c.pdf"), "(the same in a.pdf, b.pdf and 1 more)"),
        (("2019.zip/a.pdf", "b\nb.pdf", "c", "d", "e"), "(the same in 2019.zip/a.pdf, b\\nb.pdf and 3 more)"),
    ],
)
def test_other_files_with_the_same_content_are_named_and_many_are_counted(also, said):
    answer = replace(ANSWERED, claims=(replace(VERIFIED, citations=(replace(PAGED, also=also),)),))
    assert f"[1] report.pdf ¶12, p. 4 {said}\n" in answer_terminal(answer, width=120)
    assert f"report.pdf ¶12, p. 4 {said}".replace("\\", "\\\\") in answer_markdown(answer)
    assert answer_object(answer)["claims"][0]["citations"][0]["also"] == list(also)


def test_what_the_documents_say_against_a_cited_sentence_is_shown_with_its_own_citation():
    assert answer_terminal(DISPUTED) == answer_terminal(ANSWERED) + (
        "\nThe documents also say otherwise:\n"
        "  - briefs/lukin.pdf ¶4, p. 2\n"
        f"    “{OTHERWISE}”\n"
        "    against [1]: another name: “junior” and “senior”\n"
    )
    assert answer_markdown(DISPUTED).endswith(
        "\n\n**The documents also say otherwise:**\n\n"
        f"- briefs/lukin.pdf ¶4, p. 2: “{OTHERWISE}” (against \\[1\\]: another name: “junior” and “senior”)\n"
    )
    (one,) = answer_object(DISPUTED)["conflicts"]
    assert (one["other"]["quote"], one["other"]["place"], one["claim_sentence"]) == (OTHERWISE, "p. 2", QUOTE)
    assert one["cited"] == answer_object(ANSWERED)["claims"][0]["citations"][0]
    for shown in (answer_terminal(ANSWERED), answer_markdown(ANSWERED)):
        assert "otherwise" not in shown


def test_color_only_comes_when_asked_for():
    assert "\x1b[" not in answer_terminal(PARTIAL, verbose=True)
    colored = answer_terminal(ANSWERED, color=True)
    assert "\x1b[1;4mjunior partner\x1b[0m" in colored
    assert "«" not in colored


@given(st.integers(20, 200))
def test_lines_keep_to_the_width_and_lose_no_word(width):
    shown = answer_terminal(PARTIAL, width=width, verbose=True)
    assert all(len(line) <= width for line in shown.splitlines())
    assert "".join(shown.split()) == "".join(answer_terminal(PARTIAL, width=1000, verbose=True).split())


def test_chinese_is_wrapped_by_columns():
    text = lines_text([Line((Segment("世界" * 20),), indent=2)], width=30)
    assert {len(line.strip()) for line in text.splitlines()} == {14, 12}


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(-5, 70), st.integers(-5, 70)), max_size=4))
def test_highlighting_never_changes_the_quote(quote, spans):
    claim = Claim("c", "verified", citations=(Citation("f", 1, 0, 1, quote, tuple(Span(*span) for span in spans)),))
    shown = answer_terminal(replace(ANSWERED, claims=(claim,)), width=1000)
    wanted = "".join(f"“{visible(quote)}”".split())
    assert wanted.replace("«", "").replace("»", "") in "".join(shown.split()).replace("«", "").replace("»", "")


@pytest.mark.parametrize("answer", [ANSWERED, PARTIAL, NOT_FOUND, DISPUTED])
def test_no_character_that_a_terminal_obeys_reaches_it(answer):
    for color in (False, True):
        shown = re.sub(r"\x1b\[[\d;]*m", "", answer_terminal(nasty(answer), color=color, verbose=True))
        assert not OBEYED.search(shown)
        assert "�" in shown
    watched = Watched()
    for event in events_of(nasty(answer)):
        watched = watched.after(event)
    assert not OBEYED.search(lines_text(watched.lines()))
    assert not OBEYED.search(error_text(UsageError(NASTY, hint=NASTY)))
    assert not OBEYED.search(answer_markdown(nasty(answer)))


def test_a_long_run_of_white_space_is_read_once():
    start = time.perf_counter()
    assert visible("a" + " " * 100_000 + "b\n" + " " * 100_000 + "c") == "a" + " " * 100_000 + "b c"
    assert time.perf_counter() - start < 5  # from each of its characters it would take minutes


@given(st.text(alphabet=st.characters(), max_size=60))
def test_made_visible_twice_is_made_visible_once(text):
    for made in (visible(text), visible_name(text)):
        assert not OBEYED.search(made)
        assert visible(made) == made
        assert visible_name(made) == made
        assert "\n" not in made


def test_controls_become_marks_and_line_breaks_in_names_are_spelled_out():
    assert visible("a\x1bb\x7fc\x85d\u202ee") == "a␛b␡c d�e"
    assert visible("one \n two\tthree") == "one two three"
    assert visible("one\ntwo", one_line=False) == "one\ntwo"
    assert visible("soft\u00adhyphen and zero\u200bwidth") == "softhyphen and zerowidth"
    assert visible_name("a\nb\tc\u202e.md") == "a\\nb\\tc�.md"
    assert visible("👩\u200d👧 naïve é 世界") == "👩\u200d👧 naïve é 世界"


@pytest.mark.parametrize(
    "answer", [ANSWERED, PARTIAL, NOT_FOUND, DISPUTED, nasty(PARTIAL), nasty(NOT_FOUND), nasty(DISPUTED)]
)
def test_json_is_exact_valid_and_safe_to_print(answer):
    text = json_text(answer_object(answer), indent=2)
    assert not OBEYED.search(text)
    assert text.encode("utf-8")
    parsed = json.loads(text)
    jsonschema.validate(parsed, SCHEMA)
    assert parsed["question"] == answer.question
    assert [claim["text"] for claim in parsed["claims"]] == [claim.text for claim in answer.claims]
    assert [near["file"] for near in parsed["near"]] == [near.file for near in answer.near]


def test_the_schema_is_a_schema_and_refuses_what_is_not_an_answer():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    good = answer_object(PARTIAL)
    unproved = dict(good["claims"][0], citations=[])
    for bad in ({}, good | {"status": "maybe"}, good | {"extra": 1}, good | {"claims": [unproved]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(json.loads(json_text(bad)), SCHEMA)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=4)))
def test_json_gives_back_what_was_written(value):
    assert json.loads(json_text({"value": value})) == {"value": value}


def test_numbers_that_json_does_not_know_are_null():
    assert json_text({"a": float("nan"), "b": [float("-inf")], "c": 0.5}) == '{"a": null, "b": [null], "c": 0.5}'


def test_the_object_of_an_answer_is_its_fields():
    plain = answer_object(PARTIAL)
    assert plain["claims"][0]["citations"][0]["quote"] == QUOTE
    assert plain["claims"][1]["reason"] == WITHHELD.reason
    assert plain["timings"]["total_s"] == 5.5
    assert plain["signals"] == {"gate": 3.5}


def test_an_error_has_a_line_for_what_and_a_line_for_the_way_out():
    error = IndexMissingError("no index at 'x'", hint="rag-geo index DIR")
    assert error_text(error) == "error: no index at 'x'\nhint: rag-geo index DIR"
    assert error_text(UsageError("no")) == "error: no"
    body = {"message": "no index at 'x'", "hint": "rag-geo index DIR", "exit_code": 4}
    assert error_object(error) == {"error": body}
    assert error_object(error, question="Who?") == {"question": "Who?", "error": body}
    jsonschema.validate(error_object(error), SCHEMA)


def test_search_results_show_rank_place_scores_and_the_best_window():
    assert lines_text(hit_lines([HIT])) == (
        "1. briefs/hawn.md ¶7  score 0.912  meaning 0.710  words 8.25\n"
        "    The Partnership › Old quarrels\n"
        "    Before. Hawn says that Russia has become the junior partner of China.\n"
    )
    assert "\x1b[2mBefore.\x1b[0m" in lines_text(hit_lines([replace(HIT, title="", heading="")]), color=True)
    plain = hit_object(HIT)
    assert plain["window"] == {"start": 100, "end": 161}
    assert plain["sentences"][1] == {"start": 100, "end": 161, "text": QUOTE}
    json.loads(json_text(plain))


def test_markdown_has_no_live_link_image_or_tag():
    evil = "![x](http://evil/a.png) [y](http://evil) <b>z</b> `c` # h\n- i"
    answer = replace(ANSWERED, claims=(replace(VERIFIED, text=evil),))
    shown = answer_markdown(answer)
    assert "\\!\\[x\\](http\\://evil" in shown
    assert "<b>" not in shown
    assert "\n- i" not in shown
    assert "> “Hawn says that Russia has become the **junior partner** of **China**.”" in shown
    assert "does not say" in answer_markdown(NOT_FOUND).lower()
    assert "withheld, not proved by the documents: 1" in answer_markdown(PARTIAL)


def shown_by_markdown(source: str) -> str:
    """What a Markdown viewer shows of one line, which must be nothing but text in the block that it was put into."""
    tokens = MarkdownIt("commonmark").enable(["strikethrough", "table"]).parse(source)
    blocks = [each.type for each in tokens if each.type != "inline"]
    assert blocks in BLOCKS.get(source[:2], [["paragraph_open", "paragraph_close"], []]), blocks
    (inline,) = [each for each in tokens if each.type == "inline"] or [None]
    assert all(each.type == "text" for each in inline.children if inline), inline
    return "".join(each.content for each in inline.children)


BLOCKS = {
    "# ": [["heading_open", "heading_close"]],
    "- ": [["bullet_list_open", "list_item_open", "paragraph_open", "paragraph_close", "list_item_close",
            "bullet_list_close"]],
    "> ": [["blockquote_open", "paragraph_open", "paragraph_close", "blockquote_close"]],
}  # fmt: skip
MARKUP = st.lists(
    st.sampled_from(
        [*"\\`*_{}[]()#+-.!|~<>$:@/=&;^\"' ab1é”\t\n\u00a0", "1.", "  ", "&lt;", "&#64;", "](x)", "http://b.com"]
    )
).map("".join)


@given(MARKUP | st.text(st.characters(), max_size=30), st.sampled_from(["", "# ", "- ", "> ", "a ", "a"]))
def test_any_text_is_shown_by_markdown_as_it_is_and_nothing_of_it_is_markup(text, before):
    wanted = visible(text).strip()
    if wanted:
        shown = shown_by_markdown(before + markdown_text(text))
        assert shown.removeprefix(before if before not in BLOCKS else "").strip() == wanted


@given(MARKUP)
def test_no_text_becomes_an_address_on_a_page_that_makes_links_of_them(text):
    assert not re.search(r"(?<!\\):(?=/)|www\.|(?<!\\)@", markdown_text(text), re.IGNORECASE)


@pytest.mark.parametrize(
    "text",
    [
        "003_35a7_b.txt", "reports (2)/a-b.c++.md ¶7", "It rose by 3.5 % in 2021: 14,000, at 10:30.", "3.5 million",
        "C# and a+b", "Who? Wow! “So” it is; see p. 4/5.", "a__b",
    ],
)  # fmt: skip
def test_text_that_is_no_markup_is_not_escaped(text):
    assert markdown_text(text) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("1. a", "1\\. a"), ("12) a", "12\\) a"), ("- a", "\\- a"), ("# a", "\\# a"), ("a #", "a \\#"),
        ("---", "\\---"), ("_a_ b_c _", "\\_a\\_ b_c \\_"), ("__init__.py", "\\_\\_init\\_\\_.py"),
        ("www.a.b", "www\\.a.b"), ("a@b.c", "a\\@b.c"),
        ("https://a.b/c", "https\\://a.b/c"), (":smile:", "\\:smile:"), ("$1 and $2", "\\$1 and \\$2"), ("    a", " a"),
    ],
)  # fmt: skip
def test_text_that_would_be_markup_is_escaped_where_it_would(text, escaped):
    assert markdown_text(text) == escaped


def test_while_it_works_only_evidence_and_proved_sentences_are_shown():
    watched = Watched()
    steps = [(watched := watched.after(event)) for event in events_of(PARTIAL)]
    assert [each.step for each in steps][:3] == ["reading", "reading: 100 of 400 tokens", "reading: 400 of 400 tokens"]
    texts = [lines_text(each.lines()) for each in steps]
    assert "best paragraph briefs/hawn.md ¶7" in texts[0]
    assert "proved: Russia is the junior partner of China." in texts[-1]
    assert "withheld: 1" in texts[-1]
    assert not any("billion" in text for text in texts)
    assert "proved" not in texts[4].replace("shown when proved", "")
    assert lines_text(Watched().after(EvidenceFound((), (), 0.1)).lines()) == "reading …\n"

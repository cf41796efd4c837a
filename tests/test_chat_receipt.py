"""What a receipt holds, and what `rag-geo verify` finds of its quotes later."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from answers import ANSWERED, WITHHELD
from collection import FILES, embedder, make_index
from rag_geo import cli
from rag_geo.chat.keep import Turn, conversation_object
from rag_geo.chat.receipt import (
    checked_object,
    fingerprint,
    quotes,
    read_receipts,
    receipt,
    text_sha256,
    verified_lines,
    verify,
)
from rag_geo.errors import CorpusError, IndexMismatchError, UsageError
from rag_geo.index import LEFT_OUT, Index, Present, change_left_out, update_index
from rag_geo.records import Answer, Citation, Claim, Document, Paragraph, Span
from rag_geo.render import json_text, lines_text
from rag_geo.session import Edges
from rag_geo.settings import ReadingSettings

OPENED = "The Calder Bridge opened in 1932."
PRINTS = "The Marlow Museum keeps 14,000 prints."
MADE = datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))


def citation(index: Index, file: str, words: str) -> Citation:
    text = index.document(file).text
    start = text.index(words)
    number = next(each.number for each in index.document(file).paragraphs if each.start <= start < each.end)
    return Citation(file, number, start, start + len(words), words)


def answer_of(index: Index, *cited: tuple[str, str]) -> Answer:
    claims = tuple(Claim(words, "verified", citations=(citation(index, file, words),)) for file, words in cited)
    return replace(ANSWERED, claims=(*claims, WITHHELD), index_generation=index.generation)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_index(tmp_path)
    return tmp_path


def reindexed(folder: Path) -> Index:
    update_index(folder / "documents", folder / "index", embedder())
    return Index.open(folder / "index")


def rewrite(folder: Path, file: str, old: str, new: str) -> None:
    text = FILES[file].replace(old, new)
    assert text != FILES[file]
    (folder / "documents" / file).write_text(text)


def made(folder: Path, *cited: tuple[str, str]) -> dict[str, object]:
    index = Index.open(folder / "index")
    return receipt(answer_of(index, *(cited or (("bridge.md", OPENED),))), index, MADE)


def found(folder: Path, one: dict[str, object], **reading: int):
    """What has become of the quotes, in the documents as they are on the disk; the index is not made again."""
    return list(verify(one, Present(Index.open(folder / "index"), ReadingSettings(**reading))))


# --- making and reading -----------------------------------------------------------------------------------------


def test_a_receipt_says_what_was_asked_what_answered_and_where_each_quote_stands(folder):
    one = made(folder, ("bridge.md", OPENED), ("museum.txt", PRINTS))
    index = Index.open(folder / "index")
    assert one["question"] == ANSWERED.question
    assert one["made"] == "2026-03-01T10:00:00+00:00"
    assert (one["index_generation"], one["model"], one["prompt_id"]) == (index.generation, "scripted-model", "abc123")
    first, second, withheld = one["claims"]
    (cited,) = first["citations"]
    text = index.document("bridge.md").text
    assert text[cited["start"] : cited["end"]] == cited["quote"] == OPENED
    assert cited["quote_sha256"] == text_sha256(OPENED)
    assert cited["file_sha256"] == index.document("bridge.md").sha256
    assert second["citations"][0]["file"] == "museum.txt"
    assert (withheld["status"], withheld["citations"]) == ("withheld", [])
    assert [quote.claim for quote in quotes(one)] == [1, 2]


def test_a_receipt_is_of_now_unless_told_otherwise_and_never_of_another_generation(folder):
    index = Index.open(folder / "index")
    answer = answer_of(index, ("bridge.md", OPENED))
    then = datetime.fromisoformat(str(receipt(answer, index)["made"]))
    assert abs((datetime.now(then.tzinfo) - then).total_seconds()) < 3600
    with pytest.raises(IndexMismatchError, match="the answer is of 'gen-9'"):
        receipt(replace(answer, index_generation="gen-9"), index)


def test_a_saved_receipt_is_read_back_whatever_its_layout(folder):
    one = made(folder)
    for text in (json_text(one), json_text(one, indent=2), json.dumps(one), json.dumps(one, sort_keys=True, indent=8)):
        assert read_receipts(text) == [one]


@given(st.text(st.characters(), max_size=30), st.text(st.characters(), max_size=30))
def test_the_fingerprint_holds_for_any_text_through_any_json(question, model):
    body = {"question": question, "model": model, "n": 3}
    assert fingerprint(json.loads(json_text(body))) == fingerprint(body) == fingerprint({**body, "sha256": "x"})
    assert fingerprint({**body, "question": question + "."}) != fingerprint(body)


def edited(one: dict[str, object], change) -> str:
    copy = json.loads(json.dumps(one))
    change(copy)
    return json.dumps(copy)


def rehashed(one: dict[str, object], change) -> str:
    copy = json.loads(json.dumps(one))
    change(copy)
    return json.dumps({**copy, "sha256": fingerprint(copy)})


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.update(question="Another?"),
        lambda one: one.update(sha256="0" * 64),
        lambda one: one.pop("sha256"),
        lambda one: one.update(extra=1),
        lambda one: one["claims"][0].update(text="The Calder Bridge opened in 1923."),
        lambda one: one["claims"][0]["citations"][0].update(quote="The Calder Bridge opened in 1923."),
        lambda one: one["claims"][0]["citations"][0].update(start=1),
    ],
)
def test_a_receipt_that_was_changed_is_noticed(folder, change):
    with pytest.raises(UsageError, match="was changed since it was made"):
        read_receipts(edited(made(folder), change))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 200_000, "not JSON"),
        ("9" * 5_000, "not JSON"),
        ("[]", "no receipt"),
        ("null", "no receipt"),
        ("{}", "no receipt"),
        ('{"turns": []}', "no receipt"),
        ('{"turns": [1, {"receipt": null}]}', "no receipt"),
        ('{"rag_geo_receipt": 2}', "version 2, expected 1"),
    ],
)
def test_what_is_no_receipt_is_refused(text, message):
    with pytest.raises(UsageError, match=message):
        read_receipts(text)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.pop("claims"),
        lambda one: one.update(claims=[1]),
        lambda one: one["claims"][0].pop("citations"),
        lambda one: one["claims"][0].update(citations=[None]),
        lambda one: one["claims"][0]["citations"][0].pop("quote"),
        lambda one: one["claims"][0]["citations"][0].update(start=True),
        lambda one: one["claims"][0]["citations"][0].update(start=-5),
        lambda one: one["claims"][0]["citations"][0].update(end=0),
        lambda one: one["claims"][0]["citations"][0].update(quote="  "),
        lambda one: one["claims"][0]["citations"][0].update(file=7),
        lambda one: one["claims"][0]["citations"][0].update(place=4),
        lambda one: one["claims"][0]["citations"][0].update(also="old.md"),
        lambda one: one["claims"][0]["citations"][0].update(also=["old.md", None]),
    ],
)
def test_a_forged_receipt_of_no_meaning_is_refused(folder, change):
    with pytest.raises(UsageError, match="of the receipt has a citation"):
        read_receipts(rehashed(made(folder), change))


# --- what became of the quotes ----------------------------------------------------------------------------------


def test_in_the_same_documents_every_quote_is_there(folder):
    for each in found(folder, made(folder, ("bridge.md", OPENED), ("museum.txt", PRINTS))):
        assert (each.state, each.file_state, each.text) == ("there", "same", each.quote.quote)


def test_a_file_that_changed_elsewhere_still_has_the_quote_where_it_was(folder):
    one = made(folder)
    rewrite(folder, "bridge.md", "48 cars", "52 cars")
    (only,) = found(folder, one)
    assert (only.state, only.file_state) == ("there", "changed")


def test_a_quote_that_stands_elsewhere_has_moved(folder):
    one = made(folder)
    rewrite(folder, "bridge.md", "# The Calder Bridge", "# The Calder Bridge\n\nA new beginning.")
    (only,) = found(folder, one)
    assert (only.state, only.file_state) == ("moved", "changed")
    assert only.paragraph == only.quote.paragraph + 1
    assert reindexed(folder).document("bridge.md").text[only.start : only.end] == OPENED


def test_a_quote_that_was_wrapped_anew_has_moved_and_not_changed(folder):
    one = made(folder)
    rewrite(folder, "bridge.md", OPENED, "The Calder\nBridge opened\nin 1932.")
    (only,) = found(folder, one)
    assert (only.state, only.text) == ("moved", OPENED)


def test_a_quote_of_which_a_figure_was_changed_is_changed_and_what_it_says_now_is_told(folder):
    one = made(folder)
    rewrite(folder, "bridge.md", "opened in 1932", "opened in 1923")
    (only,) = found(folder, one)
    assert (only.state, only.text) == ("changed", "The Calder Bridge opened in 1923.")
    assert only.paragraph == only.quote.paragraph


def test_a_quote_with_nothing_like_it_left_is_gone(folder):
    one = made(folder)
    rewrite(folder, "bridge.md", OPENED, "Nobody remembers.")
    (only,) = found(folder, one)
    assert (only.state, only.file_state, only.text) == ("gone", "changed", "")


def test_a_quote_whose_file_is_gone_is_gone_and_one_whose_file_was_renamed_has_moved(folder):
    one = made(folder, ("bridge.md", OPENED), ("museum.txt", PRINTS))
    (folder / "documents" / "bridge.md").unlink()
    (folder / "documents" / "museum.txt").rename(folder / "documents" / "prints.txt")
    bridge, museum = found(folder, one)
    assert (bridge.state, bridge.file_state, bridge.found) == ("gone", "gone", "")
    assert (museum.state, museum.file_state, museum.found) == ("moved", "renamed", "prints.txt")


def test_a_file_that_changed_since_it_was_indexed_is_read_as_it_is_and_the_index_is_called_older(folder):
    one = made(folder, ("bridge.md", OPENED), ("museum.txt", PRINTS))
    rewrite(folder, "bridge.md", "opened in 1932", "opened in 1923")
    bridge, museum = found(folder, one)
    assert (bridge.state, bridge.file_state, bridge.outdated) == ("changed", "changed", ("bridge.md",))
    assert (museum.state, museum.file_state, museum.outdated) == ("there", "same", ())
    reindexed(folder)
    bridge, museum = found(folder, one)
    assert (bridge.state, bridge.outdated, museum.outdated) == ("changed", (), ())


def test_what_the_index_does_not_have_yet_and_what_it_still_has_is_told(folder):
    one = made(folder)
    (folder / "documents" / "bridge.md").rename(folder / "documents" / "span.md")
    (only,) = found(folder, one)
    assert (only.state, only.file_state, only.outdated) == ("moved", "renamed", ("bridge.md", "span.md"))
    shown = lines_text(verified_lines(one, [only], "rag-geo index x"), width=100)
    assert "bridge.md: the index still has it: rag-geo index x" in shown
    assert "span.md: the index does not have it yet: rag-geo index x" in shown


def left_out(folder: Path) -> None:
    change_left_out(folder / "index", more=["bridge.md"])


def ignored(folder: Path) -> None:
    (folder / "documents" / ".ragignore").write_text("bridge.*\n")


def emptied(folder: Path) -> None:
    (folder / "documents" / "bridge.md").write_text("")


def made_binary(folder: Path) -> None:
    (folder / "documents" / "bridge.md").write_bytes(bytes(range(256)) * 8)


def linked_outside(folder: Path) -> None:
    (folder / "documents" / "bridge.md").rename(folder / "outside.md")
    (folder / "documents" / "bridge.md").symlink_to(folder / "outside.md")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (left_out, LEFT_OUT),
        (ignored, "passed over: hidden, or named by .ragignore"),
        (emptied, "empty"),
        (made_binary, "looks binary"),
        (linked_outside, "a symbolic link out of the folder"),
    ],
)
def test_a_file_that_indexing_would_not_read_is_gone_with_the_reason(folder, change, reason):
    one = made(folder)
    change(folder)
    (only,) = found(folder, one)
    assert (only.state, only.file_state, only.reason) == ("gone", "gone", reason)
    assert checked_object(only)["reason"] == reason
    assert f"file is not read: {reason}" in lines_text(verified_lines(one, [only]), width=200)


def test_a_file_over_the_limit_of_reading_is_gone_with_the_setting(folder):
    one = made(folder)
    (folder / "documents" / "bridge.md").write_text(FILES["bridge.md"] + "More of it.\n" * 100_000)
    assert found(folder, one)[0].state == "there"
    (only,) = found(folder, one, max_file_mb=1)
    assert only.state == "gone"
    assert "over the limit of 1 MB (setting reading.max_file_mb)" in only.reason


def test_of_a_folder_that_became_a_link_or_cannot_be_looked_through_the_reason_is_that_of_the_folder(folder):
    (folder / "documents" / "sub").mkdir()
    (folder / "documents" / "sub" / "note.txt").write_text("The mill at Ashby closed in 1911.\n")
    reindexed(folder)
    one = made(folder, ("sub/note.txt", "The mill at Ashby closed in 1911."))
    assert found(folder, one)[0].state == "there"
    (folder / "documents" / "sub").rename(folder / "elsewhere")
    (folder / "documents" / "sub").symlink_to(folder / "elsewhere")
    (only,) = found(folder, one)
    assert (only.state, only.reason) == ("gone", "a symbolic link out of the folder")


def test_a_folder_without_documents_has_no_quote_and_one_that_is_not_there_is_named(folder):
    one = made(folder)
    for file in FILES:
        (folder / "documents" / file).unlink()
    assert found(folder, one)[0].state == "gone"
    (folder / "documents").rmdir()
    with pytest.raises(CorpusError, match=r"there is no folder '.*documents', which index '.*index' holds") as caught:
        found(folder, one)
    assert "rag-geo index DIR --index " in caught.value.hint


def test_a_forged_receipt_opens_no_file_outside_the_folder(folder):
    (folder / "secret.txt").write_text(OPENED)
    for file in (
        "../secret.txt",
        str(folder / "secret.txt"),
        "./../secret.txt",
        "bridge.md/../../secret.txt",
        "",
        "\0",
    ):
        forged = json.loads(json.dumps(made(folder)))
        forged["claims"][0]["citations"][0].update(file=file, file_sha256="0" * 64)
        (only,) = found(folder, forged)
        assert (only.state, only.found, only.reason) == ("gone", "", "")


def test_a_quote_that_is_now_in_a_comment_is_not_there(folder):
    one = made(folder)
    rewrite(folder, "bridge.md", OPENED, f"Here <!-- {OPENED} --> was something.")
    (only,) = found(folder, one)
    assert only.state == "gone"


def plain(*texts: str, sha256: str = "1" * 64) -> Document:
    paragraphs, at = [], 0
    for number, text in enumerate(texts, start=1):
        paragraphs.append(Paragraph("a.txt", number, at, at + len(text), sentences=(Span(at, at + len(text)),)))
        at += len(text) + 2
    return Document("a.txt", sha256, "\n\n".join(texts), "text", "utf-8", tuple(paragraphs))


@dataclass
class One:
    """Documents of which every file is the same."""

    only: Document

    def document(self, _file: str) -> Document:
        return self.only

    def same(self, _sha256: str) -> Document:
        return self.only

    def outdated(self, _file: str) -> bool:
        return False


def looked_for(quote: str, start: int, paragraph: int, document: Document):
    one = Citation("a.txt", paragraph, start, start + len(quote), quote)
    cited = {"file": "a.txt", "file_sha256": "0" * 64, "paragraph": one.paragraph, "start": one.start, "end": one.end}
    body = {"claims": [{"citations": [{**cited, "quote": quote}]}]}
    (only,) = verify(body, One(document))
    return only


# --- its place in the original, and its copies ------------------------------------------------------------------


@dataclass
class Several:
    """Documents by the names of their files."""

    all: dict[str, Document]

    def document(self, file: str) -> Document:
        return self.all[file]

    def same(self, sha256: str) -> Document | None:
        return next((each for each in self.all.values() if each.sha256 == sha256), None)

    def outdated(self, _file: str) -> bool:
        return False


PAGED = replace(plain("Tolls rose.", "It rained."), file="report.pdf", sha256="ab" * 32)
PAGED = replace(PAGED, paragraphs=tuple(replace(one, place="p. 4") for one in PAGED.paragraphs))
PLACED = {"file": "report.pdf", "file_sha256": PAGED.sha256, "paragraph": 2, "start": 13, "end": 23,
          "quote": "It rained.", "place": "p. 4", "also": ["old/report.pdf", "2019.zip/report.pdf"]}  # fmt: skip
COPIES = {name: replace(PAGED, file=name) for name in ("report.pdf", *PLACED["also"])}


def placed(documents: dict[str, Document], **changes: object):
    """What has become of the one quote of a receipt, and how that is told."""
    body = {"question": "Did it rain?", "claims": [{"citations": [{**PLACED, **changes}]}]}
    (only,) = verify(body, Several(documents))
    return only, " ".join(lines_text(verified_lines(body, [only]), width=200).split())


def test_a_quote_at_its_place_and_in_its_copies_is_there():
    only, told = placed(COPIES)
    assert (only.state, only.place, only.differ) == ("there", "p. 4", ())
    assert "there report.pdf ¶2, p. 4 (the same in old/report.pdf and 2019.zip/report.pdf) file unchanged" in told
    assert checked_object(only)["now"]["place"] == "p. 4"


def test_a_quote_on_another_page_has_moved():
    later = replace(PAGED, paragraphs=tuple(replace(one, place="p. 5") for one in PAGED.paragraphs))
    only, told = placed({**COPIES, "report.pdf": later})
    assert (only.state, only.place) == ("moved", "p. 5")
    assert "now ¶2, p. 5 [13, 23)" in told


def test_a_receipt_without_places_is_checked_as_ever():
    old = {name: value for name, value in PLACED.items() if name not in ("place", "also")}
    (only,) = verify({"claims": [{"citations": [old]}]}, Several(COPIES))
    assert (only.state, only.differ) == ("there", ())


@pytest.mark.parametrize("changed", [None, "It snowed."])
def test_a_copy_that_does_not_have_the_quote_any_more_is_named_and_the_quote_is_there(changed):
    documents = {**COPIES, "2019.zip/report.pdf": plain("Tolls rose.", changed or "")}
    if changed is None:
        del documents["2019.zip/report.pdf"]
    only, told = placed(documents)
    assert (only.state, only.differ) == ("there", ("2019.zip/report.pdf",))
    assert "(the same in old/report.pdf) file unchanged no longer the same in 2019.zip/report.pdf" in told
    assert checked_object(only)["differ"] == ["2019.zip/report.pdf"]


def test_a_quote_whose_file_is_gone_is_found_in_its_copy():
    only, _ = placed({name: one for name, one in COPIES.items() if name != "report.pdf"})
    assert (only.state, only.file_state, only.found) == ("moved", "renamed", "old/report.pdf")


def test_a_receipt_names_places_and_copies(folder):
    index = Index.open(folder / "index")
    answer = answer_of(index, ("bridge.md", OPENED))
    cited = replace(answer.claims[0].citations[0], place="p. 4", also=("old.md",))
    one = receipt(replace(answer, claims=(replace(answer.claims[0], citations=(cited,)),)), index)
    (quote,) = quotes(one)
    assert (quote.place, quote.also) == ("p. 4", ("old.md",))
    assert read_receipts(json_text(one)) == [one]


def test_a_quote_inside_other_words_is_not_the_quote():
    assert looked_for("safe to use", 2, 1, plain("unsafe to use")).state == "changed"
    assert looked_for("5.7 billion", 1, 1, plain("15.7 billion")).state != "there"
    assert looked_for("safe to use", 3, 1, plain("is safe to use")).state == "there"


def test_of_several_places_the_nearest_is_where_a_quote_has_moved_to():
    document = plain("It rained.", "Dry.", "Dry.", "Dry.", "It rained.", "Dry.")
    assert looked_for("It rained.", 900, 6, document).paragraph == 5
    assert looked_for("It rained.", 900, 2, document).paragraph == 1


def test_of_passages_equally_like_a_quote_the_one_at_its_old_place_is_what_became_of_it():
    document = plain("The ferry carries 40 cars.", "The ferry carries 41 cars.", "The ferry carries 42 cars.")
    for number in (1, 2, 3):
        one = looked_for("The ferry carries 48 cars.", 900, number, document)
        assert (one.state, one.paragraph) == ("changed", number)


def test_a_place_outside_the_document_is_looked_at_without_harm():
    document = plain("One.", "Two.")
    assert looked_for("Three is here.", 10**12, 10**12, document).state == "gone"
    assert looked_for("Two.", 10**12, 10**12, document).state == "moved"
    empty = replace(document, text="", paragraphs=())
    assert looked_for("Two.", 0, 1, empty).state == "gone"


@given(st.text(st.characters(), min_size=1, max_size=40), st.text(st.characters(), max_size=20))
def test_looking_never_fails_and_there_means_word_for_word(quote, rest):
    if not quote.strip():
        return
    document = plain(rest + quote, quote, rest)
    one = looked_for(quote, 0, 1, document)
    if one.state == "there":
        assert document.text[one.start : one.end] == quote
    assert checked_object(one)["state"] == one.state
    lines_text(verified_lines({"question": rest}, [one]))


# --- the command ------------------------------------------------------------------------------------------------


@pytest.fixture
def run(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "100")

    def refuse(*_: object) -> None:
        raise AssertionError("a model was loaded")

    def invoke(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        edges = Edges({}, load_assistant=refuse, load_embedder=refuse)
        with CliRunner().isolation(input=stdin) as (out, err, _both):
            code = cli.run(("verify", "--index", "index", *arguments), edges)
            return code, out.getvalue().decode(), err.getvalue().decode()

    return invoke


def test_verify_says_that_all_is_there_without_a_model(run, folder):
    (folder / "r.json").write_text(json_text(made(folder), indent=2))
    code, out, err = run("r.json")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith("Who is the junior partner?  2026-03-01T10:00:00+00:00, gen-")
    assert "  there   bridge.md ¶" in out
    assert "file unchanged" in out
    assert out.endswith("  1 quote is where the receipt says, word for word\n")
    assert run("-", stdin=b"\xef\xbb\xbf" + (folder / "r.json").read_bytes())[0] == 0


def test_verify_says_what_became_of_each_quote_and_has_exit_code_3(run, folder):
    one = made(folder, ("bridge.md", OPENED), ("museum.txt", PRINTS), ("page.html", "The night train to Orland"))
    (folder / "r.json").write_text(json_text(one))
    rewrite(folder, "bridge.md", "opened in 1932", "opened in 1923")
    rewrite(folder, "museum.txt", PRINTS, f"New.\n\n{PRINTS}")
    (folder / "documents" / "page.html").unlink()
    code, out, _ = run("r.json")
    assert code == 3
    again = f"rag-geo index {folder / 'documents'} --index index"
    words = " ".join(out.split())
    assert f"bridge.md: the index is older than the file: {again}" in words
    assert f"page.html: the index still has it: {again}" in words
    reindexed(folder)
    code, out, _ = run("r.json")
    assert code == 3
    assert "the index" not in out
    assert "  changed bridge.md" in out
    assert f"was “{OPENED}”" in out
    assert "now “The Calder Bridge opened in 1923.”" in out
    assert "  moved   museum.txt ¶1  file changed, now ¶2 [6, 44)" in out
    assert "  gone    page.html" in out
    assert "file is gone" in out
    assert out.endswith("  0 of 3 where the receipt says, word for word\n")
    code, out, _ = run("r.json", "--json")
    assert code == 3
    (result,) = json.loads(out)["receipts"]
    assert result["outdated"] == []
    assert (result["all_there"], result["sha256"]) == (False, one["sha256"])
    assert [each["state"] for each in result["quotes"]] == ["changed", "moved", "gone"]
    now = {"file": "museum.txt", "paragraph": 2, "start": 6, "end": 44, "place": "", "text": PRINTS}
    assert result["quotes"][1]["now"] == now
    assert result["quotes"][2]["now"] is None


def test_verify_checks_a_whole_conversation_and_an_answer_that_cites_nothing(run, folder):
    index = Index.open(folder / "index")
    answers = [answer_of(index, ("bridge.md", OPENED)), answer_of(index)]
    turns = [Turn(each, receipt(each, index, MADE)) for each in answers]
    (folder / "c.json").write_text(json_text(conversation_object(turns)))
    code, out, _ = run("c.json")
    assert code == 0
    assert "1 quote is where" in out
    assert "nothing was cited" in out


def test_verify_refuses_a_changed_receipt_a_missing_file_and_a_huge_one(run, folder, monkeypatch):
    (folder / "r.json").write_text(edited(made(folder), lambda one: one.update(question="Another?")))
    code, out, err = run("r.json")
    assert (code, out) == (2, "")
    assert "error: the receipt was changed since it was made" in err
    assert run("nowhere.json")[0] == 2
    with (folder / "huge.json").open("wb") as huge:
        huge.truncate(40 << 20)
    code, _, err = run("huge.json")
    assert code == 2
    assert "larger than 32 MB" in err


def test_verify_without_an_index_asks_for_that_of_the_chat_and_without_the_documents_for_their_folder(run, folder):
    (folder / "r.json").write_text(json_text(made(folder)))
    code, out, err = run("r.json", "--index", "nowhere")
    assert (code, out) == (4, "")
    assert "there is no index at 'nowhere'" in err
    assert "hint: rag-geo verify RECEIPT --index PATH, with the index that the chat was opened with" in err
    (folder / "documents").rename(folder / "papers")
    code, out, err = run("r.json")
    assert (code, out) == (2, "")
    assert str(folder / "documents") in err
    assert "hint: put it back, or if it has another name now: rag-geo index DIR --index index" in err


def test_verify_shows_no_control_characters_of_a_receipt(run, folder):
    evil = "\x1b]0;x\x07\u202e\u200b <b>"

    def change(one):
        one["claims"][0]["citations"][0].update(file=f"{evil}.md", quote=evil)
        one.update(question=evil, made=evil)

    (folder / "r.json").write_text(rehashed(made(folder), change))
    for arguments in (("r.json",), ("r.json", "--json")):
        code, out, _ = run(*arguments)
        assert code == 3
        assert not set("\x1b\x07\u202e\u200b") & set(out)

"""The audit in the chat: what is shown of it, and how it is made beside the answers."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import replace

import pytest

from rag_geo.audit import Audit, Contradiction, Repeated, Spot, Textless, Unfound
from rag_geo.chat import audit_page
from rag_geo.chat.auditing import Auditor
from rag_geo.chat.markup import Opened, opened
from rag_geo.index import Index, update_index
from rag_geo.records import Citation, Skipped
from rag_geo.testing import HashEmbedder
from test_chat_views import ATTRIBUTES, ELEMENTS, EVIL, Page, dataset

PATIENCE_S = 60
ONE = Citation("a.pdf", 4, 10, 43, "The Calder Bridge opened in 1932.", (), "p. 2", ("copy.pdf",))
OTHER = Citation("2019.zip/b.md", 1, 0, 33, "The Calder Bridge opened in 1938.")
SPOT = Spot("a.pdf", 7, "p. 3", "Tolls were never raised.")
FOUND = Audit(
    "gen-000001", 3, 1252, 1000,
    unread=(Skipped("locked.pdf", "needs a password"), Skipped("2019.zip/tool", "a program for Linux")),
    textless=(Textless("scan.pdf", tuple(f"p. {n}" for n in range(1, 20))),),
    unfound=(Unfound(SPOT, "How often were tolls raised?"),),
    copies=(("a.pdf", "copy.pdf"),),
    repeated=(Repeated((SPOT, replace(SPOT, file="c.md", place="")), exact=False),),
    contradictions=(Contradiction("date", ONE, OTHER, "another date: “1932” and “1938”"),),
)  # fmt: skip
NOTHING = replace(FOUND, unread=(), textless=(), unfound=(), copies=(), repeated=(), contradictions=())


def hostile(text: str) -> Audit:
    """An audit with `text` wherever a text can stand."""
    cited = replace(ONE, file=text, quote=text, place=text, also=(text,))
    spot = Spot(text, 1, text, text)
    return Audit(
        text, 3, 12, 10, (Skipped(text, text),), (Textless(text, (text,)),), (Unfound(spot, text),), ((text, text),),
        (Repeated((spot, spot), exact=True),), (Contradiction("date", cited, cited, text),),
    )  # fmt: skip


# --- what is shown ----------------------------------------------------------------------------------------------


def test_both_sides_of_a_contradiction_are_shown_and_can_be_opened():
    page = Page(audit_page.audit_html(FOUND))
    first, second = page.all(".rg-sides > div")
    assert page.texts(".rg-sides .rg-open") == ["a.pdf ¶4, p. 2", "2019.zip/b.md ¶1"]
    assert [opened(dataset(each.css(".rg-open")[0])) for each in (first, second)] == [
        Opened("a.pdf", 4, 10, 43),
        Opened("2019.zip/b.md", 1, 0, 33),
    ]
    assert page.texts(".rg-sides q") == [ONE.quote, OTHER.quote]
    assert page.texts(".rg-sides .rg-also") == ["the same in copy.pdf"]
    assert "another date: “1932” and “1938”" in page.text


def test_every_kind_of_finding_has_its_count_and_what_was_found():
    page = Page(audit_page.audit_html(FOUND))
    assert page.texts("h3") == [
        "Contradictions: 1", "Files that were not read: 2", "Pages without text: 1",
        "Paragraphs that no question finds: 1", "Paragraphs that say nearly the same: 1",
        "Files with the same content: 1",
    ]  # fmt: skip
    lists = [[" ".join(item.text().split()) for item in each.css("li")] for each in page.all("h3 + ul")]
    assert lists[1] == ["locked.pdf needs a password", "2019.zip/tool a program for Linux"]
    assert lists[2][0].startswith("scan.pdf p. 1, p. 2")
    assert lists[2][0].endswith("p. 12 and 7 more")
    assert "a.pdf ¶7, p. 3" in lists[3][0]
    assert "asked: How often were tolls raised?" in lists[3][0]
    assert lists[4][0].startswith("a.pdf ¶7, p. 3 · c.md ¶7")
    assert lists[4][0].endswith("nearly the same")
    assert lists[5] == ["a.pdf · copy.pdf"]
    assert page.texts(".rg-head") == ["3 documents, 1,252 paragraphs questions made from 1,000 of them"]


def test_what_was_not_found_is_said_and_documents_that_changed_since_too():
    page = Page(audit_page.audit_html(NOTHING))
    assert [each.startswith("None: ") for each in page.texts(".rg-why")] == [True] * 6
    assert not page.all("li, button")
    changed = Page(audit_page.audit_html(NOTHING, outdated=True))
    assert changed.texts(".rg-why")[0].startswith("The documents have changed since")


def test_many_findings_are_folded_and_very_many_are_counted():
    many = replace(NOTHING, unread=tuple(Skipped(f"{n}.bin", "looks binary") for n in range(audit_page.MOST + 30)))
    page = Page(audit_page.audit_html(many))
    assert len(page.all("h3 + ul > li")) == audit_page.SHOWN
    assert page.only("summary").text() == f"{audit_page.MOST - audit_page.SHOWN:,} more"
    assert len(page.all("li")) == audit_page.MOST
    assert "and 30 more: rag-geo audit --json lists all" in page.text


def test_a_long_paragraph_is_shown_by_its_first_words():
    long = replace(NOTHING, unfound=(Unfound(replace(SPOT, text="word " * 200), "What?"),))
    assert len(Page(audit_page.audit_html(long)).only("li q").text()) < 260


@pytest.mark.parametrize("text", EVIL)
def test_a_payload_in_an_audit_is_shown_as_text(text):
    calm = Counter(node.tag for node in Page(audit_page.audit_html(hostile("calm words"))).nodes)
    page = Page(audit_page.audit_html(hostile(text)))
    assert page.elements <= ELEMENTS
    assert page.attributes <= ATTRIBUTES
    assert Counter(node.tag for node in page.nodes) == calm


def test_it_is_said_how_far_an_audit_is():
    page = Page(audit_page.auditing_html("asking", 64, 1000))
    assert page.texts(".rg-status") == ["Audit asks for each paragraph whether it is found64 of 1,000"]
    assert page.only("progress").attributes["value"] == "64"
    assert not Page(audit_page.auditing_html("waiting", 0, 0)).all("progress")
    assert "waits while questions are answered" in Page(audit_page.before_html()).text


# --- how it is made ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder, path = tmp_path_factory.mktemp("documents"), tmp_path_factory.mktemp("index")
    (folder / "a.md").write_text("The Calder Bridge opened in 1932.\n\nThe ferry to Norham carries 48 cars.\n")
    (folder / "b.md").write_text("The Calder Bridge opened in 1938.\n")
    (folder / "c.bin").write_bytes(bytes(range(256)) * 8)
    update_index(folder, path, HashEmbedder())
    return Index.open(path)


@pytest.fixture
def auditor():
    made = Auditor(HashEmbedder(), lambda: False)
    yield made
    made.close(PATIENCE_S)


def until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def ended(auditor):
    until(lambda: auditor.progress() and auditor.progress().ended)
    return auditor.progress()


def test_an_audit_is_made_when_it_is_asked_for_and_kept_for_its_generation(auditor, index):
    assert auditor.progress() is None
    auditor.start(index)
    found = ended(auditor).found
    assert found.generation == index.generation
    assert [each.file for each in found.unread] == ["c.bin"]
    assert [(each.one.file, each.other.file) for each in found.contradictions] == [("a.md", "b.md")]
    auditor.start(index)
    assert auditor.progress().found is found


def test_an_audit_rests_while_questions_are_answered(index):
    asked = threading.Event()
    asked.set()
    auditor = Auditor(HashEmbedder(), asked.is_set)
    auditor.start(index)
    until(lambda: auditor.progress().stage == "waiting" and auditor.progress().total)
    time.sleep(0.3)
    assert not auditor.progress().ended
    asked.clear()
    assert ended(auditor).found
    auditor.close(PATIENCE_S)


def test_closing_ends_an_audit_and_no_other_begins(index):
    auditor = Auditor(HashEmbedder(), lambda: True)
    auditor.start(index)
    until(lambda: auditor.progress().total)
    auditor.close(PATIENCE_S)
    until(lambda: auditor.progress() is None)
    auditor.start(index)
    assert auditor.progress() is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_audit_that_breaks_off_says_so_and_the_next_one_is_possible(index):
    class Broken(HashEmbedder):
        whole = False

        def embed(self, texts):
            if not self.whole:
                raise ValueError("no such number")
            return super().embed(texts)

    embedder = Broken()
    auditor = Auditor(embedder, lambda: False)
    auditor.start(index)
    failed = ended(auditor)
    assert "no such number" in failed.error.message
    embedder.whole = True
    auditor.start(index)
    until(lambda: auditor.progress().found)
    auditor.close(PATIENCE_S)

"""Example questions on the page: they are made while nobody asks, and a click on one asks it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from browsing import IN_BROWSER, OPENED, serving
from collection import FILES, embedder, make_index
from rag_geo.chat.examples import examples
from rag_geo.index import Index, update_index

pytestmark = IN_BROWSER

NAMES = "\n\nWe took the Calder Bridge to Norham, and then went by the Marlow Museum.\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chat")
    make_index(folder)
    (folder / "documents" / "bridge.md").write_text(FILES["bridge.md"] + NAMES)
    update_index(folder / "documents", folder / "index", embedder())
    return folder


@pytest.fixture(scope="module")
def url(folder):
    with serving(folder, "0", "0.2") as address:
        yield address


def made(folder: Path) -> set[str]:
    """The examples, once three are made."""
    index = Index.open(folder / "index")
    end = time.monotonic() + 60
    while len(examples(index)) < 3:
        assert time.monotonic() < end
        time.sleep(0.1)
    return set(examples(index))


def test_examples_are_made_while_nobody_asks_and_a_click_on_one_asks_it(folder, open_tab):
    expected = made(folder)
    assert OPENED in expected
    tab = open_tab()
    buttons = tab.page.locator("#examples button:visible")
    buttons.first.wait_for()
    assert set(buttons.all_inner_texts()) == expected
    buttons.filter(has_text=OPENED).click()
    tab.state("verified")
    assert tab.text("#now .rg-sentences").startswith("The Calder Bridge opened in 1932.")
    assert OPENED in tab.text("#now .rg-question")
    assert buttons.count() == 0


def test_examples_are_for_whoever_comes_next_and_vanish_when_another_question_is_asked(folder, open_tab):
    expected = made(folder)
    tab = open_tab()
    buttons = tab.page.locator("#examples button:visible")
    buttons.first.wait_for()
    assert set(buttons.all_inner_texts()) == expected
    tab.ask("Who was the architect of the Calder Bridge?")
    tab.state("not-found")
    assert buttons.count() == 0

"""The chat as its users have it: the program itself, the real models, a real browser."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from browsing import IN_BROWSER, Tab
from chat_process import until_ready
from collection import FILES

pytestmark = [pytest.mark.model, *IN_BROWSER]

PROGRAM = [sys.executable, "-m", "rag_geo"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    (folder / "documents").mkdir()
    for name, text in FILES.items():
        (folder / "documents" / name).write_text(text)
    command = [*PROGRAM, "index", "documents", "--index", "index"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def url(folder) -> Iterator[str]:
    command = [*PROGRAM, "chat", "--index", "index", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            address = process.stdout.readline().strip()
            until_ready(process)
            yield address
            process.terminate()
            assert process.wait(60) == 143
        finally:
            process.kill()


def test_the_real_model_answers_with_a_paragraph_refuses_what_is_not_there_and_gives_a_receipt(open_tab, folder):
    tab: Tab = open_tab(accept_downloads=True)
    tab.ask("How many prints does the Marlow Museum keep?")
    tab.done()
    assert "14,000" in tab.text("#now .rg-sentences")
    tab.page.locator("#now .rg-mark").first.click()
    tab.page.locator("#source #quote", has_text="The Marlow Museum keeps 14,000 prints.").wait_for()
    with tab.page.expect_download() as download:
        tab.page.get_by_role("button", name="Receipt").click()
    receipt = folder / "receipt.json"
    download.value.save_as(receipt)
    assert json.loads(receipt.read_text())["question"] == "How many prints does the Marlow Museum keep?"
    verify = [*PROGRAM, "verify", str(receipt), "--index", "index"]
    assert subprocess.run(verify, cwd=folder, capture_output=True, text=True).returncode == 0
    tab.page.keyboard.press("Escape")
    tab.ask("Who was the architect of the Calder Bridge?")
    tab.state("not-found")
    assert tab.page.locator("#now .rg-sentences").count() == 0

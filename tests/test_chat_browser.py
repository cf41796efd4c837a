"""The chat in a real browser: Chromium, the real server, a scripted model."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest

from browsing import IN_BROWSER, OPENED, Tab, ready, serving
from rag_geo.chat.receipt import read_receipts

pytestmark = IN_BROWSER


def test_a_question_is_answered_with_marks_and_a_mark_opens_its_paragraph_with_the_quote_highlighted(tab):
    tab.ask(OPENED)
    tab.state("verified")
    assert tab.text("#now .rg-sentences").startswith("The Calder Bridge opened in 1932.")
    assert tab.box.input_value() == ""
    tab.page.locator("#now .rg-mark").first.click()
    tab.page.locator("#source #quote").wait_for()
    assert tab.text("#source #quote") == "The Calder Bridge opened in 1932."
    assert "Lena Ortiz" in tab.text("#source header")
    tab.page.locator("#source .rg-wanted:focus").wait_for()
    assert tab.page.locator("#source #quote").is_visible()
    tab.page.keyboard.press("Escape")
    tab.page.locator("#now .rg-mark:focus").wait_for()
    assert not tab.page.locator("#source").is_visible()


def test_citations_are_gone_through_by_key_over_all_answers(tab):
    tab.ask(OPENED)
    tab.state("verified")
    tab.ask("How many prints does the Marlow Museum keep?")
    tab.page.locator("#now .rg-sentences", has_text="14,000").wait_for()
    tab.page.keyboard.press("Alt+ArrowDown")
    tab.page.locator("#source #quote", has_text="1932").wait_for()
    tab.page.locator("#source .rg-wanted:focus").wait_for()
    tab.page.keyboard.press("Alt+ArrowDown")
    tab.page.locator("#source #quote", has_text="14,000").wait_for()
    tab.page.get_by_role("button", name="Previous citation").click()
    tab.page.locator("#source #quote", has_text="1932").wait_for()


def test_what_is_not_in_the_documents_is_said_with_what_is_near(tab):
    tab.ask("Who was the architect of the Calder Bridge?")
    assert "Not in these documents" in tab.state("not-found").inner_text()
    assert tab.page.locator("#now .rg-near li").count() >= 1
    assert tab.page.locator("#now .rg-sentences").count() == 0


def test_a_sentence_that_is_not_proved_is_withheld_and_can_be_unfolded_with_the_reason(tab):
    tab.ask("Who raised the tolls?")
    tab.state("partly")
    assert "6 billion" not in tab.text("#now .rg-sentences")
    tab.page.locator("#now .rg-withheld summary").click()
    tab.page.locator("#now .rg-withheld li").first.wait_for()
    assert "withheld because" in tab.text("#now .rg-withheld li")


def test_a_follow_up_is_searched_in_full_and_can_be_edited(tab):
    tab.ask("Who is director of the Marlow Museum?")
    tab.done()
    tab.ask("And how many prints does it keep?")
    tab.page.locator("#now .rg-searched").wait_for()
    searched = tab.text("#now .rg-searched q").strip('“”"')
    assert "Marlow Museum" in searched
    tab.done()
    tab.page.locator("#now").get_by_role("button", name="Edit").click()
    assert tab.box.input_value() == searched


def test_stop_ends_an_answer_that_is_being_read_and_the_next_is_answered(tab):
    tab.ask("How many cars does the slow ferry to Norham carry?")
    tab.state("working")
    assert tab.page.locator("#now .rg-evidence").count() == 1
    tab.page.get_by_role("button", name="Stop", exact=True).click()
    tab.state("stopped")
    tab.ask(OPENED)
    tab.state("verified")


def test_two_people_ask_at_once_and_each_gets_their_own_answer(open_tab):
    first, second = open_tab(), open_tab()
    first.ask("How many cars does the slow ferry to Norham carry?")
    first.state("working")
    second.ask(OPENED)
    second.page.locator("#now .rg-evidence").wait_for()
    second.page.locator("#now .rg-status", has_text="next question").wait_for()
    first.page.get_by_role("button", name="Stop", exact=True).click()
    first.state("stopped")
    second.state("verified")
    assert OPENED not in first.page.locator("body").inner_text()
    assert "slow ferry" not in second.page.locator("body").inner_text()


def test_closing_a_tab_frees_the_model_for_who_waits(open_tab):
    first, second = open_tab(), open_tab()
    first.ask("How many cars does the slow ferry to Norham carry?")
    first.state("working")
    second.ask(OPENED)
    second.page.locator("#now .rg-evidence").wait_for()
    first.page.close()
    second.state("verified")


def test_a_page_that_is_loaded_anew_keeps_nothing_and_shows_nothing_of_another(open_tab):
    tab = open_tab()
    tab.ask(OPENED)
    tab.state("verified")
    tab.page.reload()
    ready(tab.page)
    assert tab.page.locator("#talk .rg-turn").count() == 0
    assert open_tab().page.locator("#talk .rg-turn").count() == 0


def test_a_filter_holds_for_the_search(tab):
    tab.page.get_by_role("button", name="Only some documents").click()
    file = tab.page.locator("#filter-file input").first
    file.fill("museum.txt")
    file.press("Enter")
    tab.ask(OPENED)
    tab.page.locator("#now .rg-evidence").wait_for()
    tab.done()
    assert "bridge.md" not in tab.page.locator("#now").inner_text()


def test_a_file_that_is_added_is_indexed_listed_asked_about_and_removed(tab, tmp_path):
    new = tmp_path / "lighthouse.txt"
    new.write_text("The lighthouse of Zephyr Point shows a violet light.\n")
    tab.page.get_by_role("tab", name="Documents").click()
    tab.page.locator("#upload input[type=file]").set_input_files(str(new))
    listed = tab.page.locator("#documents-list li", has_text="lighthouse.txt")
    listed.wait_for()
    tab.page.get_by_role("tab", name="Ask").click()
    tab.ask("What does the lighthouse of Zephyr Point show?")
    tab.state("verified")
    tab.page.get_by_role("tab", name="Documents").click()
    delete = listed.get_by_role("button", name="delete")
    delete.click()
    listed.get_by_text("Delete for good?").wait_for()
    delete.click()
    listed.wait_for(state="detached")
    assert tab.text("#taken") == ""


def test_a_file_that_was_left_out_is_taken_back(tab):
    tab.page.get_by_role("tab", name="Documents").click()
    listed = tab.page.locator("#documents-list > * li", has_text="museum.txt").filter(has=tab.page.locator("p"))
    listed.get_by_role("button", name="remove").click()
    listed.wait_for(state="detached")
    tab.page.locator("#documents-list summary").click()
    tab.page.get_by_role("button", name="take back museum.txt").click()
    listed.wait_for()


def test_a_document_of_the_list_is_opened_beside_it(tab):
    tab.page.get_by_role("tab", name="Documents").click()
    tab.page.get_by_role("button", name="open document: museum.txt").click()
    tab.page.locator("#source", has_text="14,000 prints").wait_for()
    assert tab.page.locator("#documents-list").is_visible()
    tab.page.get_by_role("button", name="Close").click()
    tab.page.locator("#source").wait_for(state="hidden")


def test_documents_are_found_by_a_part_of_their_name_title_or_author(tab):
    tab.page.get_by_role("tab", name="Documents").click()
    rows = tab.page.locator("#documents-list .rg-documents > ul > li")
    rows.nth(2).wait_for()
    tab.page.locator("#wanted input, #wanted textarea").first.fill("ortiz")
    tab.page.locator("#documents-list .rg-head", has_text="1 of 3 documents").wait_for()
    assert tab.page.get_by_role("button", name="open document: bridge.md").is_visible()
    tab.page.locator("#wanted input, #wanted textarea").first.fill("")
    rows.nth(2).wait_for()


def test_who_adds_a_file_under_a_name_that_is_taken_is_told_the_new_one(tab, tmp_path):
    for number in (1, 2):
        new = tmp_path / str(number) / "notes.txt"
        new.parent.mkdir()
        new.write_text(f"The {number} lamps of Orland were lit by hand until 1911.\n")
        tab.page.get_by_role("tab", name="Documents").click()
        tab.page.locator("#upload input[type=file]").set_input_files(str(new))
        name = "notes.txt" if number == 1 else "notes-2.txt"
        tab.page.locator("#documents-list .rg-known", has_text=f"added/{name}").wait_for()
    tab.page.locator("#taken .rg-taken", has_text="notes.txt is added as added/notes-2.txt").wait_for()


def test_the_evidence_stays_where_it_is_while_the_answer_comes_above_it(open_tab):
    tab = open_tab(viewport={"width": 1280, "height": 800})
    tab.page.evaluate(
        """() => {
            window.moved = 0;
            const evidence = (node) => (node?.closest ? node : node?.parentElement)?.closest(".rg-evidence");
            new PerformanceObserver((list) => {
                for (const each of list.getEntries())
                    if (each.sources.some((source) => evidence(source.node))) window.moved += each.value;
            }).observe({ type: "layout-shift" });
        }"""
    )
    tab.ask("Who raised the tolls?")
    tab.state("partly")
    tab.done()
    # Where the Web Vitals draw the line of what is good: https://web.dev/articles/cls
    assert tab.page.evaluate("window.moved") < 0.1


def test_the_source_scrolls_beside_the_chat_and_leaves_it_where_it_was(open_tab, tmp_path):
    tab = open_tab(viewport={"width": 1280, "height": 600})
    long = tmp_path / "long.txt"
    rows = (f"Row {number} of the register names the ship {number * 7}." for number in range(1, 400))
    long.write_text("\n\n".join(["The light of Zephyr Point is old.", *rows, "The lamp of Vell Point is lit by gas."]))
    tab.page.get_by_role("tab", name="Documents").click()
    tab.page.locator("#upload input[type=file]").set_input_files(str(long))
    tab.page.locator("#documents-list li", has_text="401 paragraphs").wait_for()
    tab.page.get_by_role("tab", name="Ask").click()
    tab.ask("How is the lamp of Vell Point lit?")
    tab.done()
    card = tab.page.locator("#now .rg-card button", has_text="long.txt").first
    card.evaluate("each => each.scrollIntoView({ block: 'center' })")
    before = tab.page.evaluate("scrollY")
    card.click()
    tab.page.locator("#source #quote", has_text="Vell Point").wait_for()
    tab.page.locator("#source .rg-wanted:focus").wait_for()
    assert tab.page.evaluate("document.getElementById('source').scrollTop") > 1000
    assert tab.page.evaluate("scrollY") == before
    box = tab.page.locator("#source #quote").bounding_box()
    assert 0 < box["y"] < 600


def test_a_file_whose_name_is_no_text_is_listed_asked_about_and_its_receipt_holds(browser, tmp_path):
    folder = tmp_path / "documents"
    folder.mkdir()
    Path(os.fsdecode(bytes(folder) + b"/bad\xff.md")).write_text("The lamp of Vell Point is lit by gas.\n")
    with serving(tmp_path) as url:
        tab = Tab(browser, url, accept_downloads=True)
        tab.ask("How is the lamp of Vell Point lit?")
        tab.done()
        tab.page.locator("#now .rg-card", has_text="bad").first.wait_for()
        with tab.page.expect_download() as download:
            tab.page.get_by_role("button", name="Receipt").click()
        download.value.save_as(tmp_path / "receipt.json")
        tab.page.get_by_role("tab", name="Documents").click()
        tab.page.locator("#documents-list li", has_text="bad").wait_for()
        tab.close()
    assert read_receipts((tmp_path / "receipt.json").read_text())


def test_a_new_conversation_while_an_answer_is_made_leaves_nothing_of_it(tab):
    tab.ask("How many cars does the slow ferry to Norham carry?")
    tab.state("working")
    tab.page.get_by_role("button", name="New conversation").click()
    tab.page.locator("#talk .rg-turn").wait_for(state="detached")
    tab.ask(OPENED)
    tab.state("verified")
    assert tab.page.locator("#talk .rg-turn").count() == 1
    tab.page.locator("#now [data-turn='1']").first.wait_for()


def test_a_new_conversation_is_empty(tab):
    tab.ask(OPENED)
    tab.state("verified")
    tab.page.get_by_role("button", name="New conversation").click()
    tab.page.locator("#talk .rg-turn").wait_for(state="detached")


def test_an_answer_is_copied_and_a_conversation_and_a_receipt_are_saved(open_tab):
    tab = open_tab(permissions=["clipboard-read", "clipboard-write"], accept_downloads=True)
    tab.ask(OPENED)
    tab.state("verified")
    tab.page.get_by_role("button", name="Copy as Markdown").click()
    tab.page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('Calder Bridge')")
    for button, name in (("Receipt", "receipt-1.json"), ("Save as JSON", "conversation.json")):
        with tab.page.expect_download() as download:
            tab.page.get_by_role("button", name=button).click()
        assert download.value.suggested_filename == name
        assert "1932" in json.dumps(json.loads(Path(download.value.path()).read_text()))


def test_two_buttons_pressed_at_once_both_do_what_they_say(open_tab):
    tab = open_tab(accept_downloads=True)
    tab.ask(OPENED)
    tab.state("verified")
    tab.done()
    downloads: list[str] = []
    tab.page.on("download", lambda download: downloads.append(download.suggested_filename))
    tab.page.evaluate("() => { for (const id of ['save-markdown', 'save-json']) document.getElementById(id).click(); }")
    for _ in range(200):
        if len(downloads) == 2:
            break
        tab.page.wait_for_timeout(100)
    assert downloads == ["conversation.md", "conversation.json"]


def test_a_button_that_is_pressed_twice_says_what_it_does_again(open_tab):
    tab = open_tab(permissions=["clipboard-read", "clipboard-write"])
    tab.ask(OPENED)
    tab.state("verified")
    tab.done()
    button = tab.page.locator("#now [data-act='copy']")
    label = button.inner_text()
    button.click()
    # Pressed again while what it does is not what it says.
    tab.page.wait_for_function("() => document.querySelector('#now [data-act=copy]').textContent === 'Copied'")
    button.click()
    tab.page.wait_for_timeout(4000)
    from playwright.sync_api import expect

    expect(button).to_have_text(label, timeout=10_000)


def test_the_keyboard_alone_is_enough(tab):
    tab.page.keyboard.press("Tab")
    for _ in range(60):
        if tab.page.evaluate("document.activeElement.closest('#question') !== null"):
            break
        tab.page.keyboard.press("Tab")
    tab.page.keyboard.type(OPENED)
    tab.page.keyboard.press("Enter")
    tab.state("verified")
    for _ in range(60):
        if tab.page.evaluate("document.activeElement.classList.contains('rg-mark')"):
            break
        tab.page.keyboard.press("Shift+Tab")
    tab.page.keyboard.press("Enter")
    tab.page.locator("#source #quote").wait_for()
    tab.page.locator("#source .rg-wanted:focus").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_it_can_be_read_by_everybody_on_any_screen(open_tab, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    tab = open_tab(color_scheme=scheme, viewport={"width": width, "height": 740})
    tab.ask("Who raised the tolls?")
    tab.state("partly")
    tab.page.locator("#now .rg-mark").first.click()
    tab.page.locator("#source #quote").wait_for()
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(tab.page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")] == []
    tab.page.keyboard.press("Escape")
    tab.page.get_by_role("tab", name="Documents").click()
    tab.page.locator("#documents-list li").first.wait_for()
    found = Axe().run(tab.page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")] == []


def test_the_browser_is_told_to_load_nothing_from_elsewhere_and_keeps_to_it(tab):
    policy = tab.answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
    refused = tab.page.evaluate(
        """async () => {
            const refused = [];
            document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
            const image = new Image();
            image.src = "https://evil.example/x.png";
            const script = document.createElement("script");
            script.textContent = "window.pwned = true";
            const style = document.createElement("style");
            style.textContent = "body { color: red }";
            document.body.append(image, script, style);
            const inside = document.createElement("div");
            inside.innerHTML = '<b onclick="window.pwned = true" style="color: red">x</b>';
            document.body.append(inside);
            inside.firstChild.click();
            await fetch("https://evil.example/").catch(() => {});
            // Not at once: what a debugger evaluates may evaluate, what the page does later may not.
            setTimeout(() => {
                try { new Function("window.pwned = true")(); } catch { refused.push("eval"); }
            });
            await new Promise((resolve) => setTimeout(resolve, 500));
            for (const each of [image, script, style, inside]) each.remove();
            return [refused, window.pwned === true];
        }"""
    )
    assert {
        "img-src",
        "script-src-elem",
        "style-src-elem",
        "style-src-attr",
        "script-src-attr",
        "connect-src",
        "eval",
    } <= set(refused[0])
    assert refused[1] is False
    # What was refused was complained about, and asked of nobody: the browser names it before it refuses it.
    tab.said.clear()
    tab.page.wait_for_timeout(200)
    assert not [each for each in tab.answered if "evil.example" in each]
    tab.requested[:] = [each for each in tab.requested if "evil.example" not in each]


def test_an_archive_is_added_said_to_hold_documents_and_its_citation_shows_the_row_that_it_stands_in(browser, tmp_path):
    archive = tmp_path / "2019.zip"
    with zipfile.ZipFile(archive, "w") as inside:
        inside.writestr(
            "towns.csv", "Town,People,Note\nMarlow,14000,Ada Finch is mayor.\nOrland,9000,Bo Chen is mayor.\n"
        )
        inside.writestr("notes.md", "The lamp of Vell Point is lit by gas.\n")
        inside.writestr("blob", bytes(range(256)) * 9)
    row_3 = "Town: Orland; People: 9000; Note: Bo Chen is mayor."
    says = {"Who is mayor of Orland?": row_3}
    (tmp_path / "says.json").write_text(json.dumps(says))
    with serving(tmp_path) as url:
        tab = Tab(browser, url)
        tab.page.get_by_role("tab", name="Documents").click()
        tab.page.locator("#upload input[type=file]").set_input_files(str(archive))
        tab.page.locator("#taken .rg-taken", has_text="2019.zip: 2 documents in it, 1 skipped").wait_for()
        tab.page.locator("#taken .rg-skipped summary").click()
        tab.page.locator("#taken .rg-skipped li", has_text="2019.zip/blob looks binary").wait_for()
        row = tab.page.locator("#documents-list .rg-documents > ul > li", has_text="2019.zip")
        row.locator("summary", has_text="2 documents in it").click()
        row.get_by_role("button", name="open document: added/2019.zip/towns.csv").wait_for()
        tab.page.get_by_role("tab", name="Ask").click()
        tab.page.get_by_role("button", name="Only some documents").click()
        file = tab.page.locator("#filter-file input").first
        file.fill("added/2019.zip")
        file.press("Enter")
        tab.ask(*says)
        tab.state("verified")
        assert tab.text("#now .rg-notes .rg-open") == "added/2019.zip/towns.csv ¶2, row 3"
        assert tab.text("#now .rg-card .rg-open") == "added/2019.zip/towns.csv ¶2, row 3"
        tab.page.locator("#now .rg-mark").first.click()
        assert tab.text("#source .rg-wanted #quote") == row_3
        assert [each.inner_text() for each in tab.page.locator("#source .rg-where").all()] == ["row 2", "row 3"]
        assert tab.page.locator("#source .rg-wanted .rg-where").is_visible()
        tab.page.get_by_role("tab", name="Documents").click()
        delete = row.get_by_role("button", name="delete")
        delete.click()
        row.get_by_text("Delete for good?").wait_for()
        delete.click()
        row.wait_for(state="detached")
        tab.close()


def test_an_audit_shows_both_sides_of_a_contradiction_and_opens_them_and_an_answer_shows_the_other_side(
    browser, tmp_path
):
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "guide.md").write_text("# Guide\n\nBoats are let by the hour.\n\nThe Calder Bridge opened in 1938.\n")
    with serving(tmp_path) as url:
        tab = Tab(browser, url)
        tab.page.get_by_role("tab", name="Audit").click()
        tab.page.locator("#audit-found", has_text="An audit looks through all documents").wait_for()
        tab.page.get_by_role("button", name="Look through all documents").click()
        pair = tab.page.locator("#audit-found .rg-sides").first
        pair.wait_for()
        pair.get_by_role("button", name="guide.md").click()
        tab.page.locator("#source #quote", has_text="opened in 1938").wait_for()
        pair.get_by_role("button", name="bridge.md").click()
        tab.page.locator("#source #quote", has_text="opened in 1932").wait_for()
        tab.page.get_by_role("button", name="Close").click()
        tab.page.get_by_role("tab", name="Ask").click()
        tab.ask(OPENED)
        tab.state("verified")
        other = tab.page.locator("#now .rg-conflicts")
        other.get_by_text("The documents also say otherwise").wait_for()
        other.get_by_role("button", name="guide.md").click()
        tab.page.locator("#source #quote", has_text="opened in 1938").wait_for()
        tab.close()

"""Progress: moving on a terminal, a few lines elsewhere, never an unproved sentence."""

from __future__ import annotations

import io

import pytest

from answers import ANSWERED, NOT_FOUND, PARTIAL, events_of
from rag_geo.records import EvidenceFound
from rag_geo.terminal import Terminal


def plain() -> Terminal:
    return Terminal(io.StringIO())


def live() -> Terminal:
    return Terminal(io.StringIO(), live=True, width=100, color=True)


@pytest.mark.parametrize("make", [plain, live])
@pytest.mark.parametrize("answer", [ANSWERED, PARTIAL, NOT_FOUND])
def test_watching_gives_the_answer_and_shows_evidence_first(make, answer):
    screen = make()
    assert screen.watch(events_of(answer)) is answer
    shown = screen.stream.getvalue()
    assert "briefs/hawn.md ¶7" in shown
    assert "billion" not in shown


def test_elsewhere_than_on_a_terminal_the_evidence_is_one_line_without_escapes():
    screen = plain()
    screen.watch(events_of(ANSWERED))
    assert screen.stream.getvalue() == "best paragraph after 0.04 s: briefs/hawn.md ¶7\n"


def test_no_evidence_is_no_line():
    screen = plain()
    screen.watch([EvidenceFound((), (), 0.1), *list(events_of(NOT_FOUND))[1:]])
    assert screen.stream.getvalue() == ""


def test_on_a_terminal_proved_sentences_appear_as_they_come_and_the_area_is_gone_at_the_end():
    screen = live()
    screen.watch(events_of(PARTIAL))
    shown = screen.stream.getvalue()
    assert "Russia is the junior partner of China." in shown
    assert "withheld: 1" in shown
    assert shown.rstrip().endswith("\x1b[?25h") or "\x1b[2K" in shown[-60:]


def test_events_that_end_early_are_a_fault_of_the_program():
    with pytest.raises(RuntimeError, match="ended without"):
        plain().watch(list(events_of(ANSWERED))[:-1])


def test_a_note_is_one_safe_line():
    screen = plain()
    screen.note("a\nb\x1b[2J")
    assert screen.stream.getvalue() == "a b␛[2J\n"


def test_progress_elsewhere_is_a_line_when_something_begins_and_then_rarely():
    now = [0.0]
    screen = Terminal(io.StringIO(), clock=lambda: now[0])
    with screen.progress() as advance:
        for done in range(30):
            now[0] = float(done)
            advance("embedding", done, 30)
        advance("splitting", 1, 2)
        advance("writing", 1, 2)
        now[0] = 100.0
        advance("counting", 5, 0)
        now[0] = 200.0
        advance("counting", 6, 0)
    assert (
        screen.stream.getvalue()
        == "embedding …\nembedding: 33%, 20 s left\nembedding: 67%, 10 s left\nsplitting …\ncounting …\ncounting: 6\n"
    )


def test_a_long_wait_is_told_in_minutes_and_work_done_earlier_is_not_counted():
    now = [0.0]
    screen = Terminal(io.StringIO(), clock=lambda: now[0])
    with screen.progress() as advance:
        advance("answer", 100, 200)
        now[0] = 10.0
        advance("answer", 100, 200)
        now[0] = 60.0
        advance("answer", 120, 200)
    assert screen.stream.getvalue() == "answer …\nanswer: 50%\nanswer: 60%, 4 min left\n"


def test_progress_on_a_terminal_is_a_bar_that_is_gone_at_the_end():
    screen = live()
    with screen.progress() as advance:
        advance("reading [bold]x[/]", 0, 0)
        advance("embedding", 1, 4)
        advance("embedding", 4, 4)
    shown = screen.stream.getvalue()
    assert "embedding" in shown
    assert "[bold]x[/]" in shown
    assert "100%" in shown

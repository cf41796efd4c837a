"""``python -m benchmarks.chat_page``: how fast the chat is in a browser, from its start to an opened source.

Chromium is driven by Playwright; times on the page are taken by the page's own clock, from a key or a click to what is
in the document then.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click
import httpx

from benchmarks import scripted
from benchmarks.browser import CHROMIUM, MISSING, browser
from benchmarks.figures import Bar, Measure, measure_object, measures_markdown, quantile, ratios, spaced
from benchmarks.machine import machine, versions
from benchmarks.scripted import Museum
from benchmarks.serving import ROOT, Served, serving
from rag_geo.assistant import Assistant
from rag_geo.errors import RagGeoError
from rag_geo.records import EvidenceFound
from rag_geo.session import Edges

PARAGRAPHS = 2000
"""Of the document whose paragraphs are opened."""

WAIT_MS = 300_000
BOX = "#question textarea:enabled"

#: Notes when something was pressed and when what it leads to was there, by the clock of the page.
CLOCK = """
window.bench = {};
const seen = (name, selector) => {
  if (bench[name] === undefined && document.querySelector(selector)) bench[name] = performance.now();
};
const quoted = () => {
  const quote = document.querySelector("#source #quote");
  if (quote === null || bench.quote === undefined || quote.textContent.trim() !== bench.quote) return;
  const place = quote.getBoundingClientRect();
  if (place.height && place.top >= 0 && place.bottom <= innerHeight) bench.opened = performance.now();
};
// Only while something is expected: a page that is drawn all the time takes the processor from the model.
const look = () => {
  quoted();
  if (bench.clicked !== undefined && bench.opened === undefined) requestAnimationFrame(look);
};
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter") bench = { pressed: event.timeStamp };
}, true);
document.addEventListener("click", (event) => {
  if (!event.target.closest(".rg-mark")) return;
  Object.assign(bench, { clicked: event.timeStamp, opened: undefined });
  requestAnimationFrame(look);
}, true);
new MutationObserver(() => {
  if (bench.pressed === undefined) return;
  seen("card", "#now .rg-card");
  seen("done", "#now .rg-answer:not([data-state=working]), #now .rg-error");
}).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-state"] });
"""


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat that can be started, and what is asked; `direct` gives the assistant behind it, in this process."""

    command: Sequence[str]
    questions: Sequence[str]
    direct: Callable[[], Assistant]


@dataclass(slots=True)
class Timed:
    """What was measured, in seconds."""

    answers: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    card: list[float] = field(default_factory=list)
    page: list[float] = field(default_factory=list)
    direct: list[float] = field(default_factory=list)
    direct_evidence: list[float] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)


class Tab:
    """The page in a browser."""

    def __init__(self, started: Any) -> None:  # noqa: ANN401 - Playwright is not imported here
        self.page = started.new_context(viewport={"width": 1280, "height": 800}).new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.page.add_init_script(CLOCK)

    def open(self, chat: Served, timed: Timed) -> None:
        """Open a chat that was just started, and note when it answers, shows what it does, and can be asked."""
        httpx.get(chat.url, timeout=60, trust_env=False)
        timed.answers.append(time.perf_counter() - chat.began)
        self.page.goto(chat.url)
        self.page.locator(f"[role=status]:not(:empty), .rg-status, {BOX}").first.wait_for(state="attached")
        timed.shown.append(time.perf_counter() - chat.began)
        self.page.locator(BOX).first.wait_for()
        timed.asked.append(time.perf_counter() - chat.began)

    def ask(self, question: str) -> tuple[float, float]:
        """Ask in a new conversation; seconds to the first card of evidence and to the end."""
        turns = self.page.locator("#talk .rg-turn")
        if turns.count():
            self.page.locator("#new").click()
            turns.first.wait_for(state="detached")
        box = self.page.locator(BOX).first
        box.fill(question)
        box.press("Enter")
        found = self._clock("bench.done")
        return (found.get("card", found["done"]) - found["pressed"]) / 1e3, (found["done"] - found["pressed"]) / 1e3

    def open_mark(self, quote: str) -> float:
        """Click the first mark of the answer; seconds until the quote is in sight."""
        self.page.evaluate("quote => { bench.quote = quote }", quote)
        self.page.locator("#now .rg-mark").first.click()
        found = self._clock("bench.opened")
        self.page.keyboard.press("Escape")
        return (found["opened"] - found["clicked"]) / 1e3

    def _clock(self, name: str) -> dict[str, float]:
        self.page.wait_for_function(f"() => {name} !== undefined", polling=100)
        return dict(self.page.evaluate("() => bench"))


def asked_on_page(chat: Chat, timed: Timed, starts: int) -> None:
    """Start the chat so many times; ask all questions the last time, one of them before to warm up."""
    with browser() as started:
        for number in range(starts):
            with serving(chat.command) as running:
                tab = Tab(started)
                tab.open(running, timed)
                click.echo(f"start {number + 1}: {timed.asked[-1]:.1f} s until it can be asked", err=True)
                if number == starts - 1:
                    tab.ask(chat.questions[0])
                    for question in chat.questions[1:]:
                        card, total = tab.ask(question)
                        timed.card.append(card)
                        timed.page.append(total)
                        click.echo(f"  page: {card:.2f} s, {total:.1f} s: {question}", err=True)
                tab.page.context.close()


def asked_directly(chat: Chat, timed: Timed) -> None:
    """Ask the same in the same order without page and queue."""
    with closing(chat.direct()) as assistant:
        assistant.ask(chat.questions[0])
        for question in chat.questions[1:]:
            start = time.perf_counter()
            for event in assistant.stream(question):
                if isinstance(event, EvidenceFound):
                    timed.direct_evidence.append(time.perf_counter() - start)
            timed.direct.append(time.perf_counter() - start)
            click.echo(f"  direct: {timed.direct[-1]:.1f} s: {question}", err=True)


def marks_opened(folder: Path, timed: Timed, count: int) -> None:
    """Open `count` marks, each of another answer, in one long document."""
    scripted.write_long_document(folder / "documents", PARAGRAPHS)
    command = [sys.executable, "-m", "benchmarks.scripted", str(folder)]
    with browser() as started, serving(command) as running:
        tab = Tab(started)
        tab.open(running, Timed())
        for number in range(count + 1):
            museum = Museum(0, number)
            tab.ask(museum.question)
            seconds = tab.open_mark(museum.answer)
            if number:
                timed.opened.append(seconds)
    click.echo(f"  marks: {quantile(timed.opened, 0.5):.3f} s", err=True)


def measures(timed: Timed, most_added: Bar | None) -> list[Measure]:
    """The figures; `most_added` is the bar for what the page adds."""
    found = []
    for what, values, limit in (
        ("start: until the address answers", timed.answers, None),
        ("start: until progress is shown", timed.shown, 1.0),
        ("start: until it can be asked", timed.asked, 8.0),
    ):
        found.append(_seconds(f"{what}, median", values, 0.5, limit))
    found += [
        _seconds("first evidence on the page, p50", timed.card, 0.5, 0.5),
        _seconds("first evidence on the page, p95", timed.card, 0.95, 1.0),
        _seconds("first evidence without page and queue, p50", timed.direct_evidence, 0.5),
        _seconds("answer on the page, p50", timed.page, 0.5),
        _seconds("answer without page and queue, p50", timed.direct, 0.5),
    ]
    pairs = ratios(timed.page, timed.direct)
    n = len(pairs)
    found += [
        Measure("page over direct: ratio of the sums", sum(timed.page) / sum(timed.direct), "x", n, most_added),
        Measure("page over direct: median of the ratios", quantile(pairs, 0.5), "x", n),
        Measure("page over direct: median of the differences", quantile(_differences(timed), 0.5), "s", n),
    ]
    what = f"mark to source view, {PARAGRAPHS:,} paragraphs"
    return [*found, _seconds(f"{what}, median", timed.opened, 0.5, 0.2), _seconds(f"{what}, p95", timed.opened, 0.95)]


def _differences(timed: Timed) -> list[float]:
    return [page - direct for page, direct in zip(timed.page, timed.direct, strict=True)]


def _seconds(what: str, values: Sequence[float], share: float, limit: float | None = None) -> Measure:
    bar = Bar("value", "<=", limit) if limit else None
    return Measure(what, quantile(values, share), "s", len(values), bar)


def scripted_chat(folder: Path, asked: int) -> Chat:
    """A chat with a scripted model over a small collection."""
    scripted.write_documents(folder / "documents", 16)
    with closing(scripted.assistant(folder)):
        questions = [Museum(number % 16, number // 16).question for number in range(asked + 1)]
    command = [sys.executable, "-m", "benchmarks.scripted", str(folder)]
    return Chat(command, questions, lambda: scripted.assistant(folder))


def real_chat(asked: int, flags: dict[str, object]) -> Chat:
    """The chat over the documents that come with the checkout, with the model of the settings."""
    settings = Edges(dict(os.environ)).settings(flags)  # noqa: TID251 - an edge like the command line
    settings = replace(settings, index=ROOT / "index" / "corpus")
    lines = (ROOT / "evals" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    questions = spaced([json.loads(line)["question"] for line in lines if line.strip()], asked + 1)
    trust = ["--trust-model"] if settings.trust_model else []
    options = ["--index", str(settings.index), "--model", settings.model, *trust, "--port", "0"]
    command = [sys.executable, "-m", "rag_geo", "chat", *options]
    return Chat(command, questions, lambda: Assistant.from_settings(settings))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--scripted", "is_scripted", is_flag=True, help="With a scripted model over a small collection.")
@click.option("--asked", type=click.IntRange(1), default=20, show_default=True, help="Questions asked both ways.")
@click.option("--starts", type=click.IntRange(1), default=3, show_default=True, help="Times that the chat is started.")
@click.option("--marks", type=click.IntRange(1, 39), default=20, show_default=True, help="Marks that are opened.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the table.")
@click.option("--model", metavar="NAME|PATH", help="Another model than that of the settings.")
@click.option("--trust-model", is_flag=True, default=None, help="Use the model file whatever its hash.")
def main(is_scripted: bool, asked: int, starts: int, marks: int, as_json: bool, **flags: object) -> None:
    """Measure the chat in Chromium: its start, evidence and answers with and without the page, and opening a source.

    Exit code 1 when a bar is missed. With the scripted model, which takes no time, what the page adds means nothing
    as a ratio. All questions are asked on the page first, then, with the models loaded anew, without it.
    """
    if CHROMIUM is None:
        raise click.ClickException(MISSING)
    os.chdir(ROOT)
    about: dict[str, object] = {
        **machine(),
        "model": "scripted" if is_scripted else flags["model"] or "of the settings",
    }
    timed = Timed()
    with tempfile.TemporaryDirectory(prefix="rag-geo-page-") as name:
        folder = Path(name)
        try:
            marks_opened(folder / "long", timed, marks)
            chat = scripted_chat(folder / "small", asked) if is_scripted else real_chat(asked, flags)
            asked_on_page(chat, timed, starts)
            asked_directly(chat, timed)
        except RagGeoError as error:
            raise click.ClickException(f"{error}\nhint: {error.hint}" if error.hint else str(error)) from error
    found = measures(timed, None if is_scripted else Bar("value", "<=", 1.1))
    about["load_after"] = machine()["load"]
    if as_json:
        rows = [measure_object(each) for each in found]
        click.echo(json.dumps({**about, "versions": versions(), "rows": rows}, indent=2))
    else:
        click.echo("\n".join([measures_markdown(found), *(f"{name}: {value}" for name, value in about.items())]))
    sys.exit(any(each.met is False for each in found))


if __name__ == "__main__":
    main()

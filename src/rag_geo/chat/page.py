"""The page: Gradio's components and what they call. No HTML is made here.

This is the one module that imports Gradio, which takes seconds, and `serve` imports it when it is about to need it.

What the user does outside of Gradio's own components (a click on a mark, copying, removing) comes as an *order*: a JSON
text in the hidden box ``order``, answered by one in ``reply`` (see ``page.js``).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import gradio as gr

from rag_geo.chat import audit_page, views
from rag_geo.chat.collection import ADDED
from rag_geo.chat.markup import NOTHING, Html, escaped, file_named
from rag_geo.chat.room import MOST_ROOMS, House, Room, Shown
from rag_geo.errors import RagGeoError, UsageError
from rag_geo.filtering import filter_words
from rag_geo.records import Filters
from rag_geo.render import visible

SOME = "Only some documents"
EXAMPLES = 4
POLL_S = 0.3
MOST_EVENTS = 64
"""Events of all pages that may wait in Gradio; questions wait in the worker, which says so."""

MOST_CHOICES = 500
"""Choices of a filter; of more files the folders are offered. What is not among them may be typed."""

MOST_ORDER = 20_000
"""Characters of an order."""

#: Of every event: no API, no spinner over what is shown, and as many at a time as come (the worker has the queue).
QUIET: dict[str, Any] = {
    "api_visibility": "private",
    "show_progress": "hidden",
    "concurrency_limit": None,
    "queue": True,
}

#: Of every HTML component: nothing of Gradio's own style or script.
PLAIN: dict[str, Any] = {"js_on_load": None, "apply_default_css": False}


class Page:
    """Builds the page of a house."""

    def __init__(self, house: House) -> None:
        self.house = house

    def build(self) -> gr.Blocks:
        """Make the components and bind them."""
        blocks = gr.Blocks(title="rag-geo", analytics_enabled=False, fill_width=True, delete_cache=(3600, 3600))
        with blocks:
            head = gr.HTML(value=views.head_html("loading the model", 0.0), elem_id="page-head", **PLAIN)
            order = gr.Textbox(visible="hidden", elem_id="order", label="order", max_length=MOST_ORDER)
            reply = gr.Textbox(visible="hidden", elem_id="reply", label="reply")
            with gr.Tabs():
                with gr.Tab("Ask", id="ask"):
                    asking = _Asking(self.house)
                with gr.Tab("Documents", id="documents") as tab:
                    documents = _Documents(self.house)
                with gr.Tab("Audit", id="audit") as looked:
                    audit = _Audit(self.house)
            source = _reader()
            shelf = [documents.listed, *asking.choices]
            asking.bind()
            documents.bind(shelf)
            tab.select(documents.shown, documents.wanted, shelf, **QUIET)
            audit.bind(looked)
            order.change(self.order, order, [source, reply], trigger_mode="multiple", **QUIET).then(
                documents.after, [order, documents.wanted], [documents.taken, documents.state, *shelf], **QUIET
            )
            begun = [head, asking.intro, asking.box, asking.send, *asking.examples, *shelf]
            blocks.load(self.begin, None, begun, **QUIET)
            blocks.unload(self.leave)
        # What Gradio keeps of a page it keeps, without this, for ten thousand of them.
        blocks.state_session_capacity = MOST_ROOMS
        blocks.queue(max_size=MOST_EVENTS, api_open=False, default_concurrency_limit=None)
        return blocks

    def begin(self) -> Iterator[Any]:
        """Show how the model is loaded; then let questions be asked."""
        started = monotonic()
        nothing = [gr.skip()] * (3 + EXAMPLES + 3)
        try:
            while not self.house.ready(0.5):
                note, _ = self.house.loading
                yield views.head_html(note or "loading the model", monotonic() - started), *nothing
        except RagGeoError as error:
            yield views.error_html(error.message, error.hint), *nothing
            return
        examples = list(self.house.examples())[:EXAMPLES]
        examples += [""] * (EXAMPLES - len(examples))
        box = gr.Textbox(interactive=True, placeholder="Ask about the documents", autofocus=True)
        buttons = [gr.Button(value=each, visible=bool(each)) for each in examples]
        shelf = _shelf(self.house)
        yield views.head_html("", 0.0), _intro(self.house), box, gr.Button(interactive=True), *buttons, *shelf

    def leave(self, request: gr.Request) -> None:
        """The page was closed, or its connection lost."""
        self.house.leave(_session(request))

    def order(self, text: str, request: gr.Request) -> tuple[Any, str]:
        """Carry out an order: what the source view shows, and the reply."""
        data: Mapping[str, object] = {}
        try:
            data = _order(text)
            match data.get("do"):
                case "source":
                    return _shown(self._room(request).source(data)), _reply(data)
                case "remove":
                    self.house.collection.remove(_file(data))
                    return gr.skip(), _reply(data)
                case "restore":
                    self.house.collection.restore(_file(data))
                    return gr.skip(), _reply(data)
                case _:
                    kept, name = self._room(request).fetch(data)
                    return gr.skip(), _reply(data, text=kept, name=name)
        except RagGeoError as error:
            gr.Warning(escaped(error.message), duration=8)
            return gr.skip(), _reply(data, error=error.message)

    def _room(self, request: gr.Request) -> Room:
        return self.house.room(_session(request))


class _Asking:
    """The tab with the conversation."""

    def __init__(self, house: House) -> None:
        self.house = house
        with gr.Column(elem_id="talk"):
            self.intro = gr.HTML(value=NOTHING, elem_id="intro", **PLAIN)
            self.past = gr.HTML(value=NOTHING, elem_id="past", **PLAIN)
            self.now = gr.HTML(value=NOTHING, elem_id="now", **PLAIN)
            with gr.Column(elem_id="examples"):
                self.examples = [gr.Button(visible=False, size="sm") for _ in range(EXAMPLES)]
            with gr.Row(elem_id="asking", equal_height=True):
                self.box = gr.Textbox(
                    label="Question", elem_id="question", lines=1, max_lines=6, max_length=2000, scale=6,
                    interactive=False, placeholder="The model is being loaded", show_label=False, container=False,
                    html_attributes=gr.InputHTMLAttributes(autocomplete="off", spellcheck=True),
                )  # fmt: skip
                self.send = gr.Button("Ask", variant="primary", elem_id="send", interactive=False, min_width=80)
                self.stop = gr.Button("Stop", variant="stop", elem_id="stop", interactive=False, min_width=80)
            self.fold, self.filters, self.choices = _filters()
            with gr.Row(elem_id="keep"):
                self.new = gr.Button("New conversation", size="sm", elem_id="new")
                gr.Button("Save as Markdown", size="sm", elem_id="save-markdown")
                gr.Button("Save as JSON", size="sm", elem_id="save-json")

    def bind(self) -> None:
        """Say what happens when a question is sent, stopped or forgotten."""
        shown = [self.past, self.now, self.box, self.send, self.stop]
        asked = [self.box, *self.filters]
        for event in (self.box.submit, self.send.click):
            event(self.ask, asked, shown, trigger_mode="multiple", **QUIET)
        for button in self.examples:
            button.click(self.ask, [button, *self.filters], shown, trigger_mode="multiple", **QUIET)
        for each in self.filters:
            each.change(self.chosen, self.filters, self.fold, trigger_mode="always_last", **QUIET)
        self.stop.click(self.stopped, None, None, **QUIET)
        self.new.click(self.forget, None, shown, **QUIET)

    def ask(
        self, question: object, file: object, author: object, after: object, before: object, request: gr.Request
    ) -> Iterator[Any]:
        """Answer a question, as often as there is something new to see."""
        room = self.house.room(_session(request))
        same = [gr.skip()] * 3
        begun = False
        for shown in room.ask(str(question or ""), _wanted(file, author, after, before)):
            if not shown.accepted:
                if shown.busy:
                    gr.Info("An answer is being made. Stop ends it.", duration=4)
                yield _shown(shown.past), shown.now, *same
            elif shown.busy and not begun:
                begun = True
                buttons = gr.Button(interactive=False), gr.Button(interactive=True)
                yield _shown(shown.past), shown.now, _shown(""), *buttons
            elif shown.busy:
                yield gr.skip(), _shown(shown.now) if shown.news else gr.skip(), *same
            else:
                yield _done(shown)

    def chosen(self, file: object, author: object, after: object, before: object) -> Any:  # noqa: ANN401
        """Say on the fold of the filters which of them are set: it may be closed."""
        words = filter_words(_wanted(file, author, after, before))
        return gr.update(label=visible(f"{SOME}: {words}" if words else SOME))

    def stopped(self, request: gr.Request) -> None:
        """Stop the answer."""
        self.house.room(_session(request)).stop()

    def forget(self, request: gr.Request) -> tuple[Any, ...]:
        """Begin anew."""
        return _done(self.house.room(_session(request)).forget())


def _shown(value: str) -> Any:  # noqa: ANN401 - Gradio's own
    """Show another value in a component that is at other times left as it is.

    A value by itself, after a `gr.skip`, is kept by Gradio until the end of the page, beside the one that follows.
    """
    return gr.update(value=value)


def _done(shown: Shown) -> tuple[Any, ...]:
    return _shown(shown.past), shown.now, gr.skip(), gr.Button(interactive=True), gr.Button(interactive=False)


def _reader() -> Any:  # noqa: ANN401 - a component of Gradio
    """Make the view of a source, beside whatever else is shown; gives the part that shows the document."""
    with gr.Column(elem_id="reader"):
        with gr.Row(elem_id="reader-bar"):
            gr.Button("Previous citation", size="sm", elem_id="previous", min_width=80)
            gr.Button("Next citation", size="sm", elem_id="next", min_width=80)
            gr.Button("Close", size="sm", elem_id="close", min_width=60)
        return gr.HTML(value=NOTHING, elem_id="source", **PLAIN)


def _filters() -> tuple[Any, list[Any], list[Any]]:
    """Make the filters: the fold that they are in, all of them, and those whose choices depend on the documents."""
    with gr.Accordion(SOME, open=False, elem_id="filters") as fold:
        with gr.Row():
            file = gr.Dropdown([], label="File", info="One of them, a folder, or a pattern such as *.pdf", value=None,
                               allow_custom_value=True, elem_id="filter-file")  # fmt: skip
            author = gr.Dropdown([], label="Author", info="Part of the name will do", value=None,
                                 allow_custom_value=True, elem_id="filter-author")  # fmt: skip
        with gr.Row():
            after = gr.Textbox(label="From", info="2021, 2021-06 or 2021-06-20", elem_id="filter-after", max_length=10)
            before = gr.Textbox(
                label="Until", info="2021, 2021-06 or 2021-06-20", elem_id="filter-before", max_length=10
            )
    return fold, [file, author, after, before], [file, author]


class _Documents:
    """The tab with the collection."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.state = gr.HTML(value=NOTHING, elem_id="indexing", **PLAIN)
        self.taken = gr.HTML(value=NOTHING, elem_id="taken", **PLAIN)
        self.upload = gr.File(
            label="Add documents of any format, or archives",
            file_count="multiple", elem_id="upload", height=140,
        )  # fmt: skip
        self.rebuild = gr.Button("Index everything anew", size="sm", elem_id="rebuild")
        self.wanted = gr.Textbox(
            label="Find", info="A part of the name, the title or the author", max_length=200, elem_id="wanted"
        )
        self.listed = gr.HTML(value=NOTHING, elem_id="documents-list", **PLAIN)

    def bind(self, shelf: list[Any]) -> None:
        """Say what happens when files are added and when everything is to be indexed anew."""
        seen = [self.state, *shelf]
        added = [self.upload, self.taken, *seen]
        self.upload.upload(self.add, [self.upload, self.wanted], added, trigger_mode="multiple", **QUIET)
        self.rebuild.click(self.build_anew, self.wanted, seen, **QUIET)
        self.wanted.change(self.shown, self.wanted, shelf, trigger_mode="always_last", **QUIET)

    def shown(self, wanted: object) -> list[Any]:
        """The documents as they are now; only those that have `wanted` in name, title or author."""
        return _shelf(self.house, _text(wanted))

    def add(self, files: list[str] | None, wanted: object) -> Iterator[Any]:
        """Take uploaded files, and show how they are indexed."""
        uploads = _uploads(files or [])
        same = [gr.skip()] * 4
        try:
            # What an earlier indexing did is not what becomes of these files. An archive takes a while.
            yield gr.skip(), NOTHING, views.indexing_html("looks into what is added", 0, 0), *same[1:]
            addition = self.house.collection.add([(each.name, each) for each in uploads])
        except RagGeoError as error:
            yield None, views.error_html(error.message, error.hint), NOTHING, *same[1:]
            return
        finally:
            for each in uploads:
                each.unlink(missing_ok=True)
        yield None, views.addition_html(addition), NOTHING, *same[1:]
        if addition.added:
            for step in self.watch(wanted):
                yield gr.skip(), gr.skip(), *step

    def after(self, order: str, wanted: object) -> Iterator[Any]:
        """Show what an order does to the index, if anything."""
        try:
            changes = _order(order).get("do") in ("remove", "restore")
        except UsageError:
            changes = False
        if not changes:
            yield [gr.skip()] * 5
            return
        for step in self.watch(wanted):
            yield NOTHING, *step

    def build_anew(self, wanted: object) -> Iterator[Any]:
        """Read and embed everything again."""
        self.house.collection.rebuild()
        yield from self.watch(wanted)

    def watch(self, wanted: object) -> Iterator[Any]:
        """Show how far the indexing is, if any is going on."""
        same = [gr.skip()] * 3
        progress = self.house.collection.progress()
        if progress is None:
            yield gr.skip(), *same
            return
        while progress is not None and not progress.ended:
            yield views.indexing_html(progress.stage, progress.done, progress.total), *same
            sleep(POLL_S)
            progress = self.house.collection.progress()
        if progress is None:
            yield NOTHING, *self.shown(wanted)
        elif progress.error is not None:
            yield views.error_html(progress.error.message, progress.error.hint), *self.shown(wanted)
        elif progress.report is not None:
            yield views.indexed_html(progress.report), *self.shown(wanted)


class _Audit:
    """The tab with what is wrong with the collection."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.run = gr.Button("Look through all documents", size="sm", elem_id="audit-run")
        self.state = gr.HTML(value=NOTHING, elem_id="audit-state", **PLAIN)
        self.found = gr.HTML(value=audit_page.before_html(), elem_id="audit-found", **PLAIN)

    def bind(self, tab: Any) -> None:  # noqa: ANN401 - a component of Gradio
        """Say what happens when the tab is opened, and when an audit is asked for."""
        seen = [self.state, self.found]
        tab.select(self.watch, None, seen, **QUIET)
        self.run.click(self.start, None, seen, **QUIET)

    def start(self) -> Iterator[Any]:
        """Look through the documents as they are now, and show how far that is."""
        try:
            self.house.auditor.start(self.house.index)
        except RagGeoError as error:
            yield views.error_html(error.message, error.hint), gr.skip()
            return
        yield from self.watch()

    def watch(self) -> Iterator[Any]:
        """Show how far an audit is, if one is made, and what the last one found."""
        try:
            progress = self.house.auditor.progress()
        except UsageError:
            progress = None
        while progress is not None and not progress.ended:
            yield audit_page.auditing_html(progress.stage, progress.done, progress.total), gr.skip()
            sleep(POLL_S)
            progress = self.house.auditor.progress()
        if progress is None:
            yield NOTHING, gr.skip()
        elif progress.error is not None:
            yield views.error_html(progress.error.message, progress.error.hint), gr.skip()
        elif progress.found is not None:
            outdated = progress.found.generation != self.house.index.generation
            yield NOTHING, _shown(audit_page.audit_html(progress.found, outdated=outdated))


def _uploads(files: list[str]) -> list[Path]:
    """Give the files that were uploaded; what lies anywhere else is none, whatever the page says."""
    folder = Path(gr.utils.get_upload_folder()).resolve()
    paths = (Path(str(each)).resolve() for each in files)
    return [each for each in paths if each.is_relative_to(folder)]


def _shelf(house: House, wanted: str = "") -> list[Any]:
    """The list of documents, or of the wanted ones, and the choices of the filters."""
    try:
        collection = house.collection
    except UsageError:
        return [gr.skip()] * 3
    entries = collection.documents()
    files = dict.fromkeys(entry.source for entry in entries)
    added = {file for file in files if file.startswith(f"{ADDED}/")}
    listed = views.documents_html(
        entries,
        collection.skipped(),
        paragraphs=collection.counts(),
        added=added,
        removable=True,
        wanted=wanted,
    )
    # A name that is no text (not UTF-8 on the disk) cannot be sent as a choice; its document is in the list. An archive
    # or a mailbox stands for all that is in it.
    choices = sorted(file for file in files if _is_text(file))
    if len(choices) > MOST_CHOICES:
        choices = sorted({file.rpartition("/")[0] for file in choices} - {""})
    authors = sorted({entry.author for entry in entries if entry.author})
    return [
        _shown(listed),
        gr.Dropdown(choices=["", *choices[:MOST_CHOICES]]),
        gr.Dropdown(choices=["", *authors[:MOST_CHOICES]]),
    ]


def _is_text(name: str) -> bool:
    return not any("\ud800" <= each <= "\udfff" for each in name)


def _intro(house: House) -> Html:
    counts = house.collection.counts()
    return views.intro_html(len(counts), sum(counts.values()))


def _file(order: Mapping[str, object]) -> str:
    """Give the file that an order is about. Raises `UsageError` for what is none."""
    return file_named(str(order.get("file", "")))


def _session(request: gr.Request) -> str:
    """Give what tells a page from any other; one that does not say it is like no other."""
    return request.session_hash or secrets.token_hex()


def _wanted(file: object, author: object, after: object, before: object) -> Filters:
    return Filters(file=_text(file), author=_text(author), after=_text(after), before=_text(before))


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _order(text: str) -> Mapping[str, object]:
    """Read an order. Raises `UsageError` for what is none."""
    try:
        data = json.loads(text[:MOST_ORDER])
    except (ValueError, RecursionError) as error:
        raise UsageError("that is no order") from error
    if not isinstance(data, dict):
        raise UsageError("that is no order")
    return data


def _reply(data: Mapping[str, object], **more: str) -> str:
    return json.dumps({"order": str(data.get("order", ""))[:20], **more})


def build(house: House) -> gr.Blocks:
    """Give the page of a house."""
    return Page(house).build()

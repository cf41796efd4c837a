"""What the commands do, without their options; the heavy parts are loaded when they are needed."""

from __future__ import annotations

import json
import re
import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from shlex import quote
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol, TextIO, TypeVar, cast

from rag_geo.calibration import REFUSED, WRONG
from rag_geo.errors import IndexMissingError, RagGeoError, UsageError
from rag_geo.process import Terminated
from rag_geo.question import Asked, check_filters, check_question, parse_line, raw_id, raw_question
from rag_geo.records import Answer, Event, Filters, Finished, Hit
from rag_geo.settings import CONFIG_VARIABLE, Settings, read_toml, resolve_settings
from rag_geo.terminal import Advance, Terminal

if TYPE_CHECKING:
    from rag_geo.assistant import Assistant
    from rag_geo.audit import Audit
    from rag_geo.calibration import Calibration
    from rag_geo.chat.receipt import Checked
    from rag_geo.chat.room import House
    from rag_geo.chat.serve import Address
    from rag_geo.doctor import Finding
    from rag_geo.embedding import Embedder
    from rag_geo.evaluation.compare import Comparison
    from rag_geo.evaluation.metrics import Summary
    from rag_geo.evaluation.mutants import Trial
    from rag_geo.evaluation.results import Result
    from rag_geo.evaluation.runs import Run
    from rag_geo.evaluation.suite import Plan
    from rag_geo.fitting import Observation
    from rag_geo.index import Index, IndexReport
    from rag_geo.models import ModelFile, ModelState, Report

MAX_WIDTH = 110
SKIPPED = 3
"""Exit code of work that is done but for some files or lines."""

_FILTERS = ("after", "before", "author", "file")
_FLAGS = {"limit": "retrieval.paragraphs"}
_MOST_BYTES = 1 << 20
_MOST_RECEIPT_BYTES = 32 << 20
_PATIENCE_S = 1.0
_Item = TypeVar("_Item")


class Answerer(Protocol):
    """What the command line needs of an `Assistant`."""

    def stream(self, question: str, filters: Filters = ..., before: Sequence[str] = ..., /) -> Iterator[Event]:
        """Answer one question, asked after others, as a stream of events, the last of them `Finished`."""
        ...

    def stop(self) -> None:
        """Abort the running question, from any thread."""
        ...

    def close(self) -> None:
        """Free the model."""
        ...


def _load_assistant(settings: Settings, note: Callable[[str], None]) -> Answerer:
    from rag_geo.assistant import Assistant

    return Assistant.from_settings(settings, progress=note)


def _load_embedder(settings: Settings) -> Embedder:
    from rag_geo.embedding import load_embedder

    return load_embedder(settings.embedder, settings.cache, trust=settings.trust_model)


def _examine(settings: Settings) -> Iterator[Finding]:
    from rag_geo.doctor import examine

    return examine(settings)


@dataclass(frozen=True, slots=True)
class Edges:
    """Where the commands touch the world: the environment, and what takes seconds to load. Tests put fakes here."""

    env: Mapping[str, str]
    load_assistant: Callable[[Settings, Callable[[str], None]], Answerer] = _load_assistant
    load_embedder: Callable[[Settings], Embedder] = _load_embedder
    examine: Callable[[Settings], Iterator[Finding]] = _examine

    def settings(self, flags: Mapping[str, object]) -> Settings:
        """Resolve the settings from flags, environment and the settings file. Raises `UsageError`."""
        named = self.env.get(CONFIG_VARIABLE, "")
        path = Path(named or "rag-geo.toml")
        toml = read_toml(path, required=bool(named))
        return resolve_settings(flags=flags, env=self.env, toml=toml, toml_name=str(path))

    def terminal(self) -> Terminal:
        """Open standard error for progress."""
        return Terminal(sys.stderr, live=self._moves(sys.stderr), width=terminal_width(), color=self.color(sys.stderr))

    def color(self, stream: TextIO) -> bool:
        """Tell whether `stream` is shown in color: a terminal, unless NO_COLOR is set or the terminal cannot."""
        return self._moves(stream) and not self.env.get("NO_COLOR")

    def _moves(self, stream: TextIO) -> bool:
        return stream.isatty() and self.env.get("TERM") != "dumb"


def terminal_width() -> int:
    """Give the columns to wrap to: those of the terminal, 80 in a pipe, and no more than can be read with ease."""
    return min(shutil.get_terminal_size().columns, MAX_WIDTH)


def split_options(options: Mapping[str, object]) -> tuple[Filters, dict[str, object]]:
    """Part the options of a command into filters, checked, and settings by dotted name. Raises `UsageError`."""
    filters = Filters(**{name: str(options[name]) for name in _FILTERS if name in options})
    flags = {_FLAGS.get(name, name): value for name, value in options.items() if name not in _FILTERS}
    return check_filters(filters), flags


def question_from(argument: str | None, stdin: Callable[[], TextIO | None]) -> str:
    """Give the checked question of the command line; "-" reads it from `stdin`. Raises `UsageError`.

    `stdin` gives None where the process was started without one.
    """
    if argument is None:
        raise UsageError("no question given", hint='rag-geo ask "Who …?", or --jsonl FILE for many')
    if argument != "-":
        return check_question(argument)
    stream = stdin()
    if stream is None:
        raise UsageError("standard input is closed, expected a question on it", hint='rag-geo ask "Who …?"')
    return check_question(stream.buffer.read(_MOST_BYTES).decode("utf-8", errors="replace").removeprefix("\ufeff"))


def answer_one(edges: Edges, question: str, filters: Filters, settings: Settings) -> Answer:
    """Load the models, answer one question and show on the way what is found."""
    terminal = edges.terminal()
    with closing(edges.load_assistant(settings, terminal.note)) as assistant:
        return terminal.watch(_apart(assistant, question, filters))


def answer_each(
    edges: Edges, lines: Iterable[bytes], filters: Filters, settings: Settings
) -> Iterator[dict[str, object]]:
    """Answer a question a line, in order, with the models loaded once: an object each, with `error` for a bad line.

    `filters` hold where a line has none of its own.
    """
    from rag_geo.render import answer_object, error_object

    terminal = edges.terminal()
    with closing(edges.load_assistant(settings, terminal.note)) as assistant:
        for line in lines:
            text = line.decode("utf-8", errors="replace")
            try:
                asked = parse_line(text)
                answer = _last_answer(_apart(assistant, asked.question, _either(asked, filters), asked.before))
            except RagGeoError as error:
                yield _with_id(error_object(error, question=raw_question(text)), raw_id(text))
            else:
                yield _with_id(answer_object(answer), asked.id)


def find(edges: Edges, query: str, filters: Filters, settings: Settings) -> Sequence[Hit]:
    """Find the paragraphs nearest to `query`, without a language model."""
    from rag_geo.retrieval import embed_query, search

    index = open_index(settings)
    embedder = edges.load_embedder(settings)
    index.check_embedder(embedder)
    return search(index, query, embed_query(embedder, query), settings.retrieval, filters)


def chat(
    edges: Edges, at: Address, settings: Settings, announce: Callable[[str], None], *, opens: bool = False
) -> None:
    """Serve the page until the process is interrupted; `announce` is given its URL. See `rag_geo.chat.serve.serve`."""
    from rag_geo.chat.serve import PATIENCE_S, serve
    from rag_geo.process import allow

    if not settings.index.is_dir():
        open_index(settings)  # it raises, and at once: loading the models would take seconds
    terminal = edges.terminal()

    def load(say: Callable[[str], None]) -> Assistant:
        def note(text: str) -> None:
            terminal.note(text)
            say(text)

        return cast("Assistant", edges.load_assistant(settings, note))

    def house() -> House:
        from rag_geo.chat.room import House  # takes longer than all the rest that the page needs to be reached

        return House(load)

    allow(PATIENCE_S)
    serve(house, at, say=terminal.note, announce=announce, opens=opens)


def build_index(edges: Edges, folder: Path, settings: Settings, *, rebuild: bool) -> IndexReport:
    """Make the index hold what `folder` holds, with a progress bar."""
    from rag_geo.corpus import scan
    from rag_geo.index import update_index

    scan(folder, settings.reading)  # a folder that cannot be read is told before the embedder is loaded
    embedder = edges.load_embedder(settings)
    terminal = edges.terminal()
    with _says_what_stands(settings.index, terminal), terminal.progress() as advance:
        return update_index(folder, settings.index, embedder, settings, advance, rebuild=rebuild)


@contextmanager
def _says_what_stands(index: Path, terminal: Terminal) -> Iterator[None]:
    """Say what an index holds when an update of it is interrupted."""
    from rag_geo.index.manifest import read_manifest

    try:
        yield
    except (KeyboardInterrupt, Terminated):
        try:
            manifest = read_manifest(index)
        except (RagGeoError, OSError):
            stands = "there is no index yet"
        else:
            stands = f"the index holds {manifest.generation}, {manifest.documents:,} documents"
        terminal.note(f"{stands}; the same command goes on where it was")
        raise


def watch_folder(edges: Edges, folder: Path, settings: Settings) -> Iterator[IndexReport]:
    """Index the folder, and again whenever something in it changes, until interrupted; give each report.

    What goes wrong after the first time is told, and tried again with the next change.
    """
    from watchfiles import DefaultFilter, watch

    from rag_geo.index import update_index
    from rag_geo.render import error_text

    terminal = edges.terminal()
    embedder = edges.load_embedder(settings)
    own = str(settings.index.expanduser().resolve())
    filtered = DefaultFilter(ignore_paths=[own])

    def update() -> IndexReport:
        with terminal.progress() as advance:
            return update_index(folder, settings.index, embedder, settings, advance)

    yield update()
    terminal.note("watching; Ctrl-C ends it")
    for _ in watch(folder.expanduser(), watch_filter=filtered, raise_interrupt=True):
        try:
            report = update()
        except RagGeoError as error:
            terminal.note(error_text(error))
            continue
        if report.published:
            yield report


def rebuild_from_texts(edges: Edges, settings: Settings) -> IndexReport:
    """Make the index anew from the texts that it stores, with a progress bar."""
    from rag_geo.index import rebuild_index

    embedder = edges.load_embedder(settings)
    with edges.terminal().progress() as advance:
        return rebuild_index(settings.index, embedder, settings, advance)


def audit_index(edges: Edges, settings: Settings, sample: int) -> Audit:
    """Look through the index of the settings, without a language model, with a progress bar."""
    from rag_geo.audit import audit

    index = open_index(settings)
    embedder = edges.load_embedder(settings)
    index.check_embedder(embedder)
    with edges.terminal().progress() as advance:
        return audit(index, embedder, sample, advance)


def make_examples(edges: Edges, settings: Settings) -> Sequence[str]:
    """Make the example questions of the chat for the index of the settings, and give those that it has then."""
    from rag_geo.chat import examples

    terminal = edges.terminal()
    with closing(cast("Assistant", edges.load_assistant(settings, terminal.note))) as assistant:
        terminal.note("asking for examples")
        for _ in _from_thread(lambda: examples.make_examples(assistant, assistant.index), assistant.stop):
            pass
        return examples.examples(assistant.index)


def leave_out(files: Sequence[str], settings: Settings, *, undo: bool) -> Sequence[str]:
    """Put files on the list of what is left out of the index, or take them off it; give the list as it is then.

    Raises `UsageError` for a file that is neither in the index nor was skipped, for a part of one, or with `undo` for
    one that is not on the list.
    """
    from rag_geo.index import change_left_out, read_left_out
    from rag_geo.overview import find_document

    if undo:
        return change_left_out(settings.index, fewer=files)
    found = open_index(settings)
    there = {each.file for each in found.skipped} | {*read_left_out(settings.index)}
    sources = {entry.file: entry.source for entry in found.documents}
    for file in files:
        if file in there or file in sources.values():
            continue
        find_document(found, file)
        if sources[file] != file:
            hint = f"leave out the whole file: rag-geo leave-out {quote(sources[file])}"
            raise UsageError(f"{file!r} is a part of {sources[file]!r}", hint=hint)
    return change_left_out(settings.index, more=files)


def open_index(settings: Settings) -> Index:
    """Open the index of the settings, every byte checked."""
    from rag_geo.index import Index

    return Index.open(settings.index)


class Verification(NamedTuple):
    """Receipts with what has become of their quotes, and the command that brings the index up to date."""

    results: Sequence[tuple[Mapping[str, object], Sequence[Checked]]]
    update: str


def check_receipts(given: BinaryIO, settings: Settings) -> Verification:
    """Look for the quotes of the receipts in a file in the documents as they are on the disk now; no model is loaded.

    The documents are those in the folder of the index. Raises `UsageError` for what is no receipt, or no longer the one
    that was made, `CorpusError` when the folder is gone, `StoredIndexError` for the index.
    """
    from rag_geo.chat.receipt import read_receipts, verify
    from rag_geo.index import Index, Present

    content = given.read(_MOST_RECEIPT_BYTES + 1)
    if len(content) > _MOST_RECEIPT_BYTES:
        raise UsageError(f"the file is larger than {_MOST_RECEIPT_BYTES >> 20} MB, expected a receipt")
    receipts = read_receipts(content.decode("utf-8", errors="replace").removeprefix("\ufeff"))
    try:
        index = Index.load(settings.index)
    except IndexMissingError as error:
        hint = "rag-geo verify RECEIPT --index PATH, with the index that the chat was opened with"
        raise IndexMissingError(error.message, hint=hint) from error
    present = Present(index, settings.reading)
    update = f"rag-geo index {quote(index.manifest.folder)} --index {quote(str(settings.index))}"
    return Verification([(each, verify(each, present)) for each in receipts], update)


def pull_model(edges: Edges, name: str, settings: Settings, given: Path | None = None) -> ModelFile:
    """Get a model into the cache with a progress bar, unless it is there; `given` is a file to copy.

    A model that is given by its path is only checked: there is nothing to get.
    """
    from rag_geo import models

    with edges.terminal().progress() as advance:
        report = _reporter(advance)
        if given is None and (found := _at_path(name, settings, report)):
            return found
        spec = models.find_spec(name)
        return models.pull(spec, settings.cache, report=report, offline=settings.offline, given=given)


def verify_model(edges: Edges, name: str, settings: Settings) -> ModelFile:
    """Hash the files of a model anew, with a progress bar."""
    from rag_geo import models

    with edges.terminal().progress() as advance:
        report = _reporter(advance)
        found = _at_path(name, settings, report, fresh=True)
        return found or models.verify(models.find_spec(name), settings.cache, report=report)


def calibrate(
    edges: Edges, sets: Sequence[tuple[Path, Path]], observations: Path, settings: Settings
) -> tuple[Calibration, Path]:
    """Ask the questions of each (index, questions) pair, fit thresholds, and keep them for this model and prompt.

    What was observed is kept in `observations`; questions that are in there are not asked again. Those of the test
    split (`rag_geo.evaluation.cases.split_of`) are left out.
    """
    from rag_geo import calibration, fitting
    from rag_geo.assistant import Assistant
    from rag_geo.evaluation.cases import load_cases
    from rag_geo.models.files import write_atomically

    stored = fitting.restore(observations)
    seen: list[fitting.Observation] = []
    made_with = ("", "")
    for index, path in sets:
        with Assistant.from_settings(replace(settings, index=index)) as assistant:
            assistant.calibration = calibration.PERMISSIVE
            made_with = (assistant.generator.id, assistant.prompt_id)
            seen = seen or [one for one in stored if (one.model, one.prompt_id) == made_with]
            done = {one.id for one in seen}
            questions = [
                case for case in load_cases(path) if case.split != "test" and f"{path.stem}/{case.id}" not in done
            ]
            with edges.terminal().progress() as advance:
                for number, one in enumerate(fitting.observe(assistant, questions, path.stem), 1):
                    fitting.append(one, observations)
                    seen.append(one)
                    advance(f"asking {path.name}", number, len(questions))
    fitted = fit_thresholds(edges, seen, *made_with)
    target = calibration.calibration_path(settings.cache, *made_with)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, calibration.to_json(fitted))
    return fitted, target


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A run that is done: its folder, its figures, and how they compare with those of another run, if one was given."""

    folder: Path
    summary: Summary
    comparison: Comparison | None


def evaluate(
    edges: Edges, plan: Plan, settings: Settings, root: Path, *, resume: str = "", compare_with: str = ""
) -> Evaluated:
    """Measure what `plan` asks for into a new run below `root`, or go on with the run `resume` as it was planned.

    Raises `UsageError` for questions, a run or a comparison that is not there, before anything is measured.
    """
    from rag_geo.evaluation import compare, metrics, report, runs
    from rag_geo.evaluation.suite import Suite, plan_from, plan_object

    other = runs.find_measured(root, compare_with).results if compare_with else None
    run = runs.find(root, resume) if resume else None
    terminal = edges.terminal()

    def load(wanted: Settings) -> Assistant:
        # What the suite needs beyond asking is there in an `Assistant` alone.
        return cast("Assistant", edges.load_assistant(wanted, terminal.note))

    plan = plan_from(run.info["plan"]) if run else plan
    suite = Suite(plan, settings, edges.load_embedder, load)
    if run is None:
        suite.check()
        run = runs.begin(root, plan.name, plan_object(plan))
        terminal.note(f"run {run.folder}")
    with suite, terminal.progress() as advance:
        for step in _from_thread(lambda: suite.measure(run), suite.stop):
            advance(step.tier, step.done, step.total)
    results = run.results
    summary = metrics.summarise(results)
    run.summarise(metrics.summary_object(summary))
    comparison = compare.compare(other, results) if other is not None else None
    report.write(run.folder, comparison, compared_with=compare_with)
    return Evaluated(run.folder, summary, comparison)


def evaluate_mutants(
    edges: Edges, plan: Plan, settings: Settings, root: Path, *, fresh: bool = False
) -> tuple[Path, Sequence[Trial]]:
    """Let the gate judge pipelines that are broken on purpose, by the questions of `plan`, in a new run below `root`.

    What the model says is remembered in ``remembered.jsonl`` below `root`, so that an interrupted test does not ask it
    again; with `fresh` it is forgotten first. Raises `UsageError` for questions that are not there.
    """
    from rag_geo.evaluation import cases, mutants, remembering, results, runs, tiers
    from rag_geo.evaluation.suite import plan_object
    from rag_geo.models.files import write_atomically

    chosen = cases.choose(cases.load_cases(plan.questions), limit=plan.limit, seed=plan.seed)
    if not chosen:
        raise UsageError(f"there is no question in {str(plan.questions)!r}", hint="evals/README.md names the fields")
    terminal, embedder = edges.terminal(), edges.load_embedder(settings)
    index = open_index(settings)
    index.check_embedder(embedder)
    root.mkdir(parents=True, exist_ok=True)
    memory = root / "remembered.jsonl"
    if fresh:
        memory.unlink(missing_ok=True)
    with closing(cast("Assistant", edges.load_assistant(settings, terminal.note))) as assistant:
        run = runs.begin(root, "mutants", plan_object(plan))
        terminal.note(f"run {run.folder}")
        made_with = {"model": assistant.generator.id, "prompt_id": assistant.prompt_id, "embedder": embedder.id}
        run.note({**made_with, "settings": runs.settings_object(settings), "seed": plan.seed})

        def keep(name: str, found: Sequence[Result]) -> None:
            if name == mutants.UNBROKEN:
                run.append(found)
            results.write_results(found, run.folder / f"{re.sub(r'[^a-z0-9.]+', '-', name)}.jsonl")

        test = mutants.GateTest(
            chosen,
            tiers.Bench(index, embedder, settings, root / "copies", lambda: assistant, plan.seed),
            mutants.all_mutants(),
            remembering.Memory(memory),
            keep,
        )
        with terminal.progress() as advance:
            for step in _from_thread(test.run, test.stop):
                advance(step.name, step.done, step.total)
    text = json.dumps(mutants.trials_object(test.trials), ensure_ascii=False, indent=1)
    write_atomically(run.folder / "mutants.json", text + "\n")
    return run.folder, test.trials


def keep_baseline(root: Path, names: Sequence[str]) -> Sequence[Run]:
    """Keep runs as the baseline of the checkout. Raises `UsageError` for one that is not there or not finished."""
    from rag_geo.evaluation import baseline, runs

    found: list[Run] = [runs.find(root, name) for name in names]
    baseline.keep(found)
    return found


def evaluated_table(root: Path, name: str, split: str) -> str:
    """Lay out the figures of a run or of the baseline as Markdown, of one split or, with "", of all its questions.

    Raises `UsageError` for a run that is not there or has nothing of that split.
    """
    from rag_geo.evaluation import runs, table

    run = runs.find_measured(root, name)
    results = [each for each in run.results if split in ("", each.split)]
    if not results:
        raise UsageError(f"run {name!r} has no result{f' of the split {split!r}' if split else ''}", hint=f"ls {root}")
    options = [name] * (name != "baseline") + ["--split", split] * bool(split)
    return table.markdown(run.info, results, " ".join(["rag-geo eval table", *options]))


def evaluated_cases(root: Path, name: str, id: str) -> list[Result]:
    """Find the results of one question in a run. Raises `UsageError` when there are none."""
    from rag_geo.evaluation import runs

    run: Run = runs.find(root, name)
    found = [each for each in run.results if each.id == id or each.id.startswith(f"{id}/")]
    if not found:
        raise UsageError(f"run {run.folder.name!r} has no question {id!r}", hint=f"see {run.folder / 'report.html'}")
    return found


def fit_thresholds(
    edges: Edges,
    seen: Sequence[Observation],
    model: str,
    prompt_id: str,
    *,
    refused: float = REFUSED,
    wrong: float = WRONG,
) -> Calibration:
    """Fit thresholds; when none of the curve reaches the shares asked for, the strictest is taken, and that is said."""
    from rag_geo import fitting

    fitted = fitting.fit(seen, model=model, prompt_id=prompt_id, refused=refused, wrong=wrong)
    points = [fitting.OperatingPoint(*point) for point in fitted.curve]
    if not any(point.refused >= refused and point.wrong <= wrong for point in points):
        last = points[-1]
        edges.terminal().note(
            f"no threshold refuses at least {refused:.0%} of the unanswerable questions and answers at most "
            f"{wrong:.0%} of the others wrongly: the strictest, {last.threshold:g}, refuses {last.refused:.0%} "
            f"and answers {last.wrong:.0%} wrongly".replace("%", " %")
        )
    return fitted


def model_object(state: ModelState) -> dict[str, object]:
    """Give a model of the list as the object that ``rag-geo models list --json`` prints."""
    spec = state.spec
    names = ("name", "role", "licence", "bytes", "sha256")
    return {name: getattr(spec, name) for name in names} | {"state": state.state, "path": str(state.path)}


def _reporter(advance: Advance) -> Report:
    return lambda progress: advance(progress.what, progress.done_bytes, progress.total_bytes)


def _at_path(name: str, settings: Settings, report: Report, *, fresh: bool = False) -> ModelFile | None:
    """Check the model at the path `name`; None when it is the name of a known model, or nothing is there."""
    from rag_geo import models

    path = Path(name).expanduser()
    if any(spec.name == name for spec in models.registry()) or not path.exists():
        return None
    trust = settings.trust_model
    if path.is_dir():
        return models.embedder_folder(name, None if fresh else settings.cache, trust=trust, report=report)
    return models.resolve_model(name, settings.cache, trust=trust, fresh=fresh, report=report)


def _apart(assistant: Answerer, question: str, filters: Filters, before: Sequence[str] = ()) -> Iterator[Event]:
    """Stream the events of a question from a thread of its own."""
    return _from_thread(
        lambda: assistant.stream(question, filters, before), assistant.stop, lambda event: isinstance(event, Finished)
    )


def _from_thread(
    items: Callable[[], Iterable[_Item]], stop: Callable[[], None], is_last: Callable[[_Item], bool] = lambda _: False
) -> Iterator[_Item]:
    """Give `items` from a thread of its own, which `stop` aborts.

    Python handles signals in the main thread, and not while that is in native code; an interrupt that comes while
    native code calls back into Python is even lost. So the main thread only waits, and stops the other one when it is
    interrupted, unless what it gave last `is_last`.
    """
    results: SimpleQueue[_Item | _Raised | None] = SimpleQueue()

    def work() -> None:
        try:
            for item in items():
                results.put(item)
            results.put(None)
        except BaseException as error:  # noqa: BLE001 - it is raised again in the main thread
            results.put(_Raised(error))

    worker = threading.Thread(target=work, daemon=True, name="answer")
    result: _Item | _Raised | None = None
    try:
        worker.start()
        while (result := results.get()) is not None:
            if isinstance(result, _Raised):
                raise result.error
            yield result
    finally:
        if worker.is_alive() and (result is None or isinstance(result, _Raised) or not is_last(result)):
            stop()
            worker.join(_PATIENCE_S)


@dataclass(frozen=True, slots=True)
class _Raised:
    """An exception on its way to the main thread."""

    error: BaseException


def _last_answer(events: Iterable[Event]) -> Answer:
    for event in events:
        if isinstance(event, Finished):
            return event.answer
    raise RuntimeError("the events of a question ended without Finished")


def _either(asked: Asked, filters: Filters) -> Filters:
    return Filters(**{name: getattr(asked.filters, name) or getattr(filters, name) for name in _FILTERS})


def _with_id(table: dict[str, object], given: object) -> dict[str, object]:
    return table if given is None else {"id": given} | table

"""Proof that the gate notices: pipelines broken on purpose in one place, compared with the unbroken one.

Every mutant is the `Assistant` with one step, or its model, replaced. All answer the same questions, and `compare`
judges each against the unbroken pipeline as it judges any other run. The unbroken pipeline against itself must pass.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Generator as Steps
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

from rag_geo import prompts
from rag_geo.assistant import NO_FILTERS, QUOTES, Asked, Assistant, retrieval_signals
from rag_geo.calibration import Calibration
from rag_geo.evaluation import corruptions
from rag_geo.evaluation.cases import Case
from rag_geo.evaluation.compare import FAILED, Comparison, amount, compare
from rag_geo.evaluation.judging import ordinary_words, paragraph_text
from rag_geo.evaluation.remembering import DrawingGenerator, Memory, RememberingGenerator, Through
from rag_geo.evaluation.results import Result
from rag_geo.evaluation.tiers import Bench, answer_jobs
from rag_geo.index import Index
from rag_geo.llm import Chosen, Generator, LlamaGenerator, Written
from rag_geo.probing import Probe
from rag_geo.prompts import Part, Prompt
from rag_geo.records import Citation, Claim, Event, Filters, Hit
from rag_geo.render import Line, Segment, table_lines
from rag_geo.retrieval import embed_query, search

#: Questions asked of each pipeline when no limit is given: three of each kind.
SAMPLE = 42
#: Percentage of the mutants that has to be noticed.
WANTED = 90
TEMPERATURE = 1.5
UNBROKEN = "unbroken"
AGAIN = "unbroken, again"
#: Log-odds of a model that always says yes.
_YES = 20.0


class Mutant(NamedTuple):
    """A pipeline broken in one place: `make` breaks an assistant for these questions, None where it cannot.

    The assistant's generator is a `RememberingGenerator`.
    """

    name: str
    about: str
    make: Callable[[Assistant, Sequence[Case]], Assistant | None]


def remake(
    assistant: Assistant, *, generator: Generator | None = None, calibration: Calibration | None = None
) -> Assistant:
    """Give the same assistant with another model or other thresholds."""
    return Assistant(
        assistant.index,
        assistant.embedder,
        generator or assistant.generator,
        settings=assistant.settings,
        calibration=calibration or assistant.calibration,
        load_s=assistant.load_s,
    )


class Broken(Assistant):
    """An assistant with the parts of a `whole` one; subclasses replace one step."""

    def __init__(self, whole: Assistant) -> None:
        super().__init__(
            whole.index, whole.embedder, whole.generator, settings=whole.settings, calibration=whole.calibration
        )


# --- what is shown ----------------------------------------------------------------------------------------------

Alter = Callable[[Claim, Index], Claim]


class Altering(Broken):
    """The pipeline with every claim, shown or withheld, altered after it was checked."""

    def __init__(self, whole: Assistant, alter: Alter) -> None:
        super().__init__(whole)
        self._alter = alter

    def consider(self, texts: Sequence[str], asked: Asked) -> list[Claim]:
        """See `Assistant.consider`."""
        return [self._alter(claim, self.index) for claim in super().consider(texts, asked)]

    def quote(self, asked: Asked, most: int = QUOTES) -> list[Claim]:
        """See `Assistant.quote`."""
        return [self._alter(claim, self.index) for claim in super().quote(asked, most)]


def cite_next(claim: Claim, index: Index) -> Claim:
    """Move each citation to the first sentence of the next paragraph of its file, of the one before at the end."""
    return replace(claim, citations=tuple(_next(citation, index) for citation in claim.citations))


def _next(citation: Citation, index: Index) -> Citation:
    document = index.document(citation.file)
    others = [one for one in document.paragraphs if one.sentences and one.number != citation.paragraph]
    if not others:
        return citation
    other = next((one for one in others if one.number > citation.paragraph), others[-1])
    start, end = other.sentences[0]
    return Citation(citation.file, other.number, start, end, document.text[start:end], (), other.place, citation.also)


_NUMBER = re.compile(r"\d(?:[\d.,]*\d)?")


def alter_numbers(claim: Claim, _index: Index) -> Claim:
    """Change the last digit of every number."""
    text = _NUMBER.sub(lambda found: f"{found[0][:-1]}{(int(found[0][-1]) + 5) % 10}", claim.text)
    return replace(claim, text=text)


_NEGATION = re.compile(r"(?:\s+not|(?<=can)not|n['’]t)\b|\b(?:never|no longer|nor|neither|no)\s+", re.IGNORECASE)


def drop_negation(claim: Claim, _index: Index) -> Claim:
    """Leave out every "not" and its like."""
    text = _NEGATION.sub("", claim.text)
    return replace(claim, text=text[:1].upper() + text[1:])


def cut_quotes(claim: Claim, _index: Index) -> Claim:
    """Cut the last character off every quote; its place in the document stays."""
    return replace(claim, citations=tuple(replace(one, quote=one.quote[:-1], support=()) for one in claim.citations))


def show_withheld(claim: Claim, _index: Index) -> Claim:
    """Show what the checks withheld."""
    return replace(claim, status="verified", reason="", rung="")


def _names_changed(assistant: Assistant, _cases: Sequence[Case]) -> Assistant:
    index = assistant.index
    said = (one.text for row in range(len(index.rows.paragraph_number)) for one in index.sentences(row))
    pool = corruptions.name_pool((" ".join(text.split()) for text in said), ordinary_words(index))

    def change(claim: Claim, index: Index) -> Claim:
        near = "\n".join(paragraph_text(index, one.file, one.paragraph) for one in claim.citations)
        other = corruptions.change_name(claim.text, near, pool, random.Random(claim.text))
        return replace(claim, text=other or claim.text)

    return Altering(assistant, change)


def _altering(alter: Alter) -> Callable[[Assistant, Sequence[Case]], Assistant]:
    return lambda assistant, _: Altering(assistant, alter)


# --- what is let through ----------------------------------------------------------------------------------------


def _with_thresholds(threshold: float) -> Callable[[Assistant, Sequence[Case]], Assistant]:
    def make(assistant: Assistant, _cases: Sequence[Case]) -> Assistant:
        old = assistant.calibration
        models = {name: replace(getattr(old, name), threshold=threshold) for name in ("gate", "check", "quote")}
        return remake(assistant, calibration=replace(old, **models))

    return make


class SayingYes(Through):
    """A model that says Yes to everything but the gate: every sentence holds the answer, every claim is stated."""

    def choose(self, prompt: Prompt, options: Sequence[str]) -> Chosen:
        """See `Generator.choose`."""
        if prompt.lane == "answer":
            return self.generator.choose(prompt, options)
        return Chosen((0.0, *(-_YES for _ in options[1:])), self.generator.choose(prompt, options).state)

    def choose_each(self, prompts: Sequence[Prompt], options: Sequence[str]) -> list[Chosen]:
        """See `Generator.choose_each`."""
        return [self.choose(prompt, options) for prompt in prompts]


def _saying_yes(assistant: Assistant, _cases: Sequence[Case]) -> Assistant:
    old = assistant.calibration
    # The probes are to feel a clear yes, too.
    probes = {
        name: Probe(1.0, (0.0,) * len(probe.weights)) if name != "gate" else probe for name, probe in old.probes.items()
    }
    return remake(assistant, generator=SayingYes(assistant.generator), calibration=replace(old, probes=probes))


class CopyingTop(Broken):
    """A pipeline without a model: the best passage is the answer, whatever the question, and cites itself."""

    def judge(self, asked: Asked) -> Steps[Event, None, float]:
        """See `Assistant.judge`."""
        yield from ()
        return 1.0

    def write(self, asked: Asked) -> Steps[Event, None, list[str]]:
        """See `Assistant.write`."""
        yield from ()
        return []

    def consider(self, texts: Sequence[str], asked: Asked) -> list[Claim]:
        """See `Assistant.consider`."""
        best = [(hit.file, hit.paragraph) for hit in asked.hits]
        top = min(asked.passages, key=lambda passage: best.index((passage.file, passage.paragraph)))
        text = self.index.document(top.file).text
        return [
            Claim(
                one.text,
                "verified",
                citations=(
                    Citation(one.file, one.paragraph, one.start, one.end, text[one.start : one.end], (), one.place),
                ),
                probability=1.0,
            )
            for one in top.sentences
        ]


# --- what is read -----------------------------------------------------------------------------------------------


class Shuffling(Broken):
    """Retrieval that ranks the paragraphs of the whole collection at random, drawn by the question."""

    def find(self, question: str, filters: Filters = NO_FILTERS) -> tuple[Hit, ...]:
        """See `Assistant.find`."""
        settings, paragraphs = self.settings.retrieval, len(self.index.rows.paragraph_number)
        everything = replace(settings, documents=max(1, len(self.index.documents)), paragraphs=max(1, paragraphs))
        hits = list(search(self.index, question, embed_query(self.embedder, question), everything, filters))
        random.Random(question).shuffle(hits)
        return tuple(hits[: settings.paragraphs])


class Misreading(Broken):
    """Retrieval that gives each question the passages of another one."""

    def __init__(self, whole: Assistant, cases: Sequence[Case]) -> None:
        super().__init__(whole)
        half = len(cases) // 2
        self._others = dict(zip((case.question for case in cases), [*cases[half:], *cases[:half]], strict=True))

    def retrieve(self, question: str, filters: Filters = NO_FILTERS, before: Sequence[str] = ()) -> Asked:
        """See `Assistant.retrieve`."""
        asked = super().retrieve(question, filters, before)
        case = self._others[question]
        other = super().retrieve(case.question, filters, case.before)
        signals = retrieval_signals(asked.question, other.hits, other.passages)
        return replace(asked, hits=other.hits, passages=other.passages, signals=signals, parts=())


# --- what the model is given and how it writes ------------------------------------------------------------------


class WithoutExamples(Through):
    """A model that is given every prompt without its examples: the system turn and the last turns alone."""

    def read(self, prompt: Prompt) -> Iterator[tuple[int, int]]:
        """See `Generator.read`."""
        return self.generator.read(self.bare(prompt))

    def choose(self, prompt: Prompt, options: Sequence[str]) -> Chosen:
        """See `Generator.choose`."""
        return self.generator.choose(self.bare(prompt), options)

    def choose_each(self, prompts: Sequence[Prompt], options: Sequence[str]) -> list[Chosen]:
        """See `Generator.choose_each`."""
        return self.generator.choose_each([self.bare(prompt) for prompt in prompts], options)

    def write(self, prompt: Prompt, max_tokens: int) -> Iterator[Written]:
        """See `Generator.write`."""
        return self.generator.write(self.bare(prompt), max_tokens)

    def bare(self, prompt: Prompt) -> Prompt:
        """Leave out the turns of the fixed part that are between the system's and the one it ends in."""
        chat = prompts.chat_format(self.generator.template)
        first, *rest = prompt.parts
        system = first.text.index(chat.after) + len(chat.after)
        last = first.text.rindex(chat.before["user"])
        text = first.text[:system] + first.text[max(system, last) :]
        return Prompt(prompt.lane, (Part(text, first.trusted), *rest), prompt.fixed)


def _without_examples(assistant: Assistant, _cases: Sequence[Case]) -> Assistant:
    return remake(assistant, generator=WithoutExamples(assistant.generator))


class WritingWith(Through):
    """A model for which another one writes."""

    def __init__(self, generator: Generator, writer: Generator) -> None:
        super().__init__(generator)
        self._writer = writer

    def write(self, prompt: Prompt, max_tokens: int) -> Iterator[Written]:
        """See `Generator.write`."""
        return self._writer.write(prompt, max_tokens)


def drawing(generator: Generator) -> Generator | None:
    """Give a model that draws its tokens at `TEMPERATURE`; None for one whose tokens cannot be drawn."""
    return DrawingGenerator(generator, TEMPERATURE) if isinstance(generator, LlamaGenerator) else None


def _at_temperature(drawn: Callable[[Generator], Generator | None]) -> Callable[..., Assistant | None]:
    def make(assistant: Assistant, _cases: Sequence[Case]) -> Assistant | None:
        whole = assistant.generator
        if not isinstance(whole, RememberingGenerator) or (writer := drawn(whole.generator)) is None:
            return None
        remembering = RememberingGenerator(writer, whole.memory, name=f"{whole.id} at temperature {TEMPERATURE}")
        return remake(assistant, generator=WritingWith(whole, remembering))

    return make


def all_mutants(drawn: Callable[[Generator], Generator | None] = drawing) -> tuple[Mutant, ...]:
    """Give every mutant; `drawn` makes a model write at `TEMPERATURE`."""
    return (
        Mutant("citations shifted", "each citation is of the next paragraph", _altering(cite_next)),
        Mutant("quotes cut", "the last character of each quote is missing", _altering(cut_quotes)),
        Mutant("numbers altered", "one digit of each number is another", _altering(alter_numbers)),
        Mutant("names changed", "one name of each sentence is another", _names_changed),
        Mutant("negation dropped", 'each "not" is left out', _altering(drop_negation)),
        Mutant("withheld shown", "sentences that failed a check are shown", _altering(show_withheld)),
        Mutant("abstention off", "the gate and all thresholds let everything through", _with_thresholds(0.0)),
        Mutant("everything refused", "the gate and all thresholds let nothing through", _with_thresholds(1.1)),
        Mutant("check says yes", "the model says Yes to every sentence", _saying_yes),
        Mutant("top passage copied", "the best passage is the answer", lambda whole, _: CopyingTop(whole)),
        Mutant("retrieval shuffled", "paragraphs come in random order", lambda whole, _: Shuffling(whole)),
        Mutant("other passages", "each question gets the passages of another", Misreading),
        Mutant("no examples", "the prompts have no examples", _without_examples),
        Mutant("temperature 1.5", "the model draws its words", _at_temperature(drawn)),
    )


# --- whether they are noticed -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trial:
    """A pipeline against the unbroken one.

    `noticed` is None for a mutant that cannot be made with this model. `metric` is what gave it away, or what came
    nearest to it: the gated score with the least corrected one-sided `p`, or a count that must be 0 (`p` is None then);
    `old` and `new` are its values and `others` how many more gave it away. `n` questions were compared; `asked` is how
    often the model was really asked.
    """

    name: str
    about: str
    noticed: bool | None
    metric: str = ""
    old: float = 0.0
    new: float = 0.0
    p: float | None = None
    others: int = 0
    n: int = 0
    asked: int = 0
    seconds: float = 0.0


class Step(NamedTuple):
    """How far the questions of one pipeline are."""

    name: str
    done: int
    total: int


@dataclass
class GateTest:
    """Asks every pipeline the same questions and compares; `memory` keeps what the model said.

    `keep` is given the results of each pipeline by name. Afterwards `trials` has one trial for each, the unbroken
    pipeline against itself first.
    """

    cases: Sequence[Case]
    bench: Bench
    mutants: Sequence[Mutant]
    memory: Memory = field(default_factory=Memory)
    keep: Callable[[str, Sequence[Result]], None] = lambda _name, _results: None
    trials: list[Trial] = field(default_factory=list, init=False)
    _generator: RememberingGenerator | None = field(default=None, init=False)

    def stop(self) -> None:
        """Abort the question being asked, from any thread."""
        if self._generator is not None:
            self._generator.stop()

    def run(self) -> Iterator[Step]:
        """Ask and compare, and tell after each question how far it is."""
        self._generator = RememberingGenerator(self.bench.assistant.generator, self.memory)
        whole = remake(self.bench.assistant, generator=self._generator)
        unbroken = yield from self._ask(UNBROKEN, whole)
        for name, about, make in (Mutant(AGAIN, "the same, once more", lambda one, _: one), *self.mutants):
            start, before = time.perf_counter(), self.memory.kept
            pipeline = make(whole, self.cases)
            if pipeline is None:
                self.trials.append(Trial(name, about, noticed=None))
                continue
            results = yield from self._ask(name, pipeline)
            trial = judge(name, about, compare(unbroken, results), unbroken)
            seconds = round(time.perf_counter() - start, 3)
            self.trials.append(replace(trial, n=len(results), asked=self.memory.kept - before, seconds=seconds))

    def _ask(self, name: str, pipeline: Assistant) -> Steps[Step, None, list[Result]]:
        jobs = answer_jobs(self.cases, replace(self.bench, load=lambda: pipeline))
        results: list[Result] = []
        yield Step(name, 0, len(jobs))
        for number, job in enumerate(jobs, 1):
            results += job.run()
            yield Step(name, number, len(jobs))
        self.keep(name, results)
        return results


def judge(name: str, about: str, found: Comparison, unbroken: Sequence[Result]) -> Trial:
    """Say whether a comparison failed, and by what."""
    alarms = sorted((one for one in found.changes if one.alarm), key=lambda one: one.p_gate or 0.0)
    noticed = found.exit_code == FAILED
    others = len(alarms) + len(found.violations) - 1
    if found.violations:
        first = found.violations[0]
        old = sum(one.scores.get(first.metric) or 0.0 for one in unbroken)
        return Trial(name, about, noticed, first.metric, old, first.total, None, others)
    # Every question that is asked has gated scores.
    nearest = min((one for one in found.changes if one.p_gate is not None), key=lambda one: one.p_gate or 0.0)
    return Trial(name, about, noticed, nearest.metric, nearest.old, nearest.new, nearest.p_gate, max(0, others))


def tried(trials: Iterable[Trial]) -> list[Trial]:
    """Give the mutants that were made, without the unbroken pipeline."""
    return [one for one in trials if one.noticed is not None and one.name != AGAIN]


def exit_code(trials: Sequence[Trial]) -> int:
    """0, or 3 when fewer than `WANTED` % of the mutants were noticed or the unbroken pipeline raised an alarm."""
    made = tried(trials)
    enough = 100 * sum(bool(one.noticed) for one in made) >= WANTED * len(made)
    false_alarm = any(one.noticed for one in trials if one.name == AGAIN)
    return 0 if made and enough and not false_alarm else FAILED


def trials_object(trials: Sequence[Trial]) -> list[Mapping[str, Any]]:
    """Give the trials as objects for JSON."""
    return [asdict(one) for one in trials]


def trial_lines(trials: Sequence[Trial]) -> list[Line]:
    """Lay out a table of the trials, and the verdict."""
    rows = [("pipeline", "noticed", "by", "from → to", "p")]
    rows += [(one.name, _word(one), _by(one), _moved(one), _chance(one)) for one in trials]
    made = tried(trials)
    noticed = sum(bool(one.noticed) for one in made)
    failed = exit_code(trials) != 0
    text = (
        f"{'Fails' if failed else 'Passes'}: {noticed} of {len(made)} mutants were noticed on {trials[0].n} questions"
    )
    if any(one.noticed for one in trials if one.name == AGAIN):
        text += "; the unbroken pipeline raised an alarm, so that noticing means nothing"
    verdict = Line((Segment(f"{text}.", "bad" if failed else "good"),))
    return [*table_lines(rows, styles=("strong",)), Line(), verdict]


def _word(one: Trial) -> str:
    return {True: "yes", False: "no", None: "not made"}[one.noticed]


def _by(one: Trial) -> str:
    if not one.noticed:
        return f"({one.metric})" if one.p is not None and one.p < 1 else ""
    return f"{one.metric}{f' +{one.others}' if one.others else ''}"


def _moved(one: Trial) -> str:
    if not _by(one):
        return ""
    if one.p is None:
        return f"{one.old:g} → {one.new:g}"
    return f"{amount(one.metric, one.old)} → {amount(one.metric, one.new)}"


def _chance(one: Trial) -> str:
    if not _by(one):
        return ""
    return "must be 0" if one.p is None else f"{one.p:.2g}"

"""Every row of the table: what is measured, how, and against what."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import cycle, islice
from pathlib import Path
from unittest.mock import patch

from benchmarks.bare import BareEncoder, BareLlama
from benchmarks.figures import Bar, Row, interleaved, prompt_tokens, quantile, row, spaced
from benchmarks.process import run
from benchmarks.synthetic import PARAGRAPHS, SENTENCES, synthetic_index
from rag_geo.assistant import Assistant
from rag_geo.embedding import Embedder, Vectors, load_embedder
from rag_geo.index import Index, ingest, update_index
from rag_geo.models import embedder_folder, resolve_model
from rag_geo.readers import read_file
from rag_geo.readers.process import ReaderProcess, Results
from rag_geo.records import Answer, EvidenceFound, Finished, Tokens, Writing
from rag_geo.retrieval import search
from rag_geo.settings import ReadingSettings, RetrievalSettings, Settings
from rag_geo.text.folding import visible

#: Whether `Answer.tokens.read` counts each written token too, which is read to go on; `QuestionTokens` checks it.
WRITTEN_IS_READ = False
EVIDENCE = "best paragraph after"
SYNTHETIC_DOCUMENTS = 1000
SLICES = 5
READ_AGAIN = 5
EVIDENCE_QUESTIONS = 100
SEARCH_QUESTIONS = 40
ENCODE = "SentenceTransformer.encode, defaults"
LLAMA = "llama.cpp, same tokens"
COLD_LLAMA = "process that loads llama.cpp, same tokens"


@dataclass
class Bench:
    """What the groups share: settings, questions, sizes, and what takes long to load, loaded once.

    `settings.index` is a folder for the index of `corpus`, which is built there by the first group that needs it;
    `folder` is a temporary one for anything else.
    """

    settings: Settings
    corpus: Path
    questions: list[str]
    folder: Path
    repeat: int = 5
    asked: int = 10
    windows: int = 2000

    @cached_property
    def program(self) -> list[str]:
        """The command ``rag-geo``."""
        script = Path(sys.executable).with_name("rag-geo")
        return [str(script)] if script.exists() else [sys.executable, "-m", "rag_geo"]

    @cached_property
    def model(self) -> Path:
        """The file of the model. Raises `rag_geo.errors.ModelError`."""
        settings = self.settings
        return resolve_model(settings.model, settings.cache.expanduser(), trust=settings.trust_model).path

    @cached_property
    def encoder_folder(self) -> Path:
        """The folder of the embedder."""
        settings = self.settings
        return embedder_folder(settings.embedder, settings.cache, trust=settings.trust_model).path

    @cached_property
    def index(self) -> Index:
        """The index of the corpus, made by a process of its own, so that this one stays small."""
        run([*self.program, "index", str(self.corpus), "--index", str(self.settings.index)])
        return Index.open(self.settings.index)

    @cached_property
    def texts(self) -> list[str]:
        """The text of each window of the corpus."""
        found: list[str] = []
        for number in range(len(self.index.rows.paragraph_number)):
            document = self.index.document(self.index.documents[self.index.rows.paragraph_document[number]].file)
            found.extend(visible(document.text, span, document.hidden) for span in self.index.window_spans(number))
        return found

    @cached_property
    def embedder(self) -> Embedder:
        """The embedder of the settings."""
        settings = self.settings
        return load_embedder(settings.embedder, settings.cache, trust=settings.trust_model)

    @cached_property
    def encoder(self) -> BareEncoder:
        """The same model as sentence-transformers loads it, warm."""
        encoder = BareEncoder(self.encoder_folder)
        encoder.encode(self.texts[:32])
        return encoder

    @cached_property
    def assistant(self) -> Assistant:
        """The whole product, loaded and warm: one question, none of those that are measured, was asked."""
        self.prepare()
        assistant = Assistant.from_settings(self.settings)
        assistant.ask(spaced(self.questions, self.asked + 1)[-1])
        return assistant

    def prepare(self) -> None:
        """Build the index and look for the model, outside of what is timed. Raises `rag_geo.errors.RagGeoError`."""
        _ = self.index, self.model

    def sample(self) -> list[str]:
        """The questions that are answered in full."""
        return spaced(self.questions, self.asked + 1)[:-1]

    def asking(self, question: str) -> list[str]:
        """The command that answers a question from the index of the corpus."""
        trust = ["--trust-model"] if self.settings.trust_model else []
        place = ["--index", str(self.settings.index), "--model", self.settings.model, *trust]
        return [*self.program, "ask", "--json", *place, "--", question]

    def bare_llama(self, tokens: Tokens) -> list[str]:
        """The command that has llama.cpp read and write as many tokens from a cold start, and nothing else."""
        generation = self.settings.generation
        read = prompt_tokens(tokens.read, tokens.written, written_is_read=WRITTEN_IS_READ)
        numbers = (read, tokens.written, generation.threads, generation.context_size)
        return [sys.executable, "-m", "benchmarks.bare", "llama", str(self.model), *map(str, numbers)]

    def bare_encode(self, texts: list[str]) -> list[str]:
        """The command that encodes texts from a cold start, and nothing else."""
        path = self.folder / f"texts-{len(texts)}.json"
        path.write_text(json.dumps(texts), encoding="utf-8")
        return [sys.executable, "-m", "benchmarks.bare", "encode", str(self.encoder_folder), str(path)]

    def close(self) -> None:
        """Free the model, if it was loaded."""
        if "assistant" in self.__dict__:
            self.assistant.close()


def seconds(work: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def memory(bench: Bench) -> Iterator[Row]:
    """Peak memory of the two commands, beside that of the bare libraries doing the same."""
    bench.prepare()
    again = [*bench.program, "index", str(bench.corpus), "--index", str(bench.folder / "again")]
    own, other = run(again), run(bench.bare_encode(bench.texts))
    what = f"rag-geo index, {len(bench.texts)} windows, peak"
    yield row(
        "memory", what, "MB", [own.peak_mb], "process that encodes them with SentenceTransformer", [other.peak_mb]
    )
    asked = run(bench.asking(bench.sample()[0]))
    bare = run(bench.bare_llama(_tokens(asked.output)))
    note = f"the mapped model file of {bench.model.stat().st_size / 1e6:.0f} MB included on both sides"
    yield row("memory", "rag-geo ask, peak", "MB", [asked.peak_mb], COLD_LLAMA, [bare.peak_mb], note=note)


def cold(bench: Bench) -> Iterator[Row]:
    """Starts of processes; the files are in the page cache after the first of them."""
    yield _help(bench)
    bench.prepare()
    first: list[float] = []
    bare_first: list[float] = []
    whole: list[float] = []
    bare_whole: list[float] = []
    # One start before those that count: it brings the files into the page cache and saves the states of the prompts.
    run(bench.asking(spaced(bench.questions, bench.repeat + 1)[-1]))
    for question in spaced(bench.questions, bench.repeat + 1)[:-1]:
        asked = run(bench.asking(question), EVIDENCE)
        first.append(asked.line_s)
        whole.append(asked.seconds)
        bare_first.append(run(bench.bare_encode([question])).seconds)
        bare_whole.append(run(bench.bare_llama(_tokens(asked.output))).seconds)
    bars = [Bar("value", "<=", 4.0)]
    encode = "process that loads SentenceTransformer, encodes it"
    yield row("cold", "rag-geo ask, to first evidence", "s", first, encode, bare_first, bars=bars)
    bars = [Bar("value", "<=", 16.0)]
    yield row("cold", "rag-geo ask, whole answer", "s", whole, COLD_LLAMA, bare_whole, bars=bars)


def _help(bench: Bench) -> Row:
    own, other = interleaved(
        max(bench.repeat, 5),
        lambda _: run([*bench.program, "--help"]).seconds,
        lambda _: run([sys.executable, "-c", "import click"]).seconds,
    )
    return row("cold", "rag-geo --help", "s", own, "python importing click", other, bars=[Bar("value", "<=", 0.3)])


def index(bench: Bench) -> Iterator[Row]:
    """Windows embedded a second, and the whole way from files to a published index."""
    size = max(1, bench.windows // SLICES)
    texts = list(islice(cycle(bench.texts), size * SLICES))
    bench.embedder.embed(texts[:64])
    encoder = bench.encoder

    def part(number: int) -> list[str]:
        return texts[number * size : (number + 1) * size]

    own, other = interleaved(
        SLICES,
        lambda number: size / seconds(lambda: bench.embedder.embed(part(number))),
        lambda number: size / seconds(lambda: encoder.encode(part(number))),
    )
    bars = [Bar("ratio", ">=", 1.3)]
    yield row("index", f"embedding, {size} windows at a time", "windows/s", own, ENCODE, other, bars=bars)
    count = len(bench.texts)

    def build(number: int) -> float:
        target = bench.folder / f"built-{number}"
        return count / seconds(lambda: update_index(bench.corpus, target, bench.embedder, bench.settings))

    own, other = interleaved(3, build, lambda _: count / seconds(lambda: encoder.encode(bench.texts)))
    yield row("index", f"files to published index, {count} windows", "windows/s", own, ENCODE, other)


def reading(bench: Bench) -> Iterator[Row]:
    """Files of every format read by a confined child process, its start included, beside reading in this process."""
    folder = Path(__file__).parents[1] / "evals" / "formats" / "files"
    files = [(path.name, path.read_bytes()) for path in sorted(folder.iterdir())] * READ_AGAIN

    def here() -> None:
        for name, data in files:
            read_file(name, data)

    def there() -> None:
        with ReaderProcess() as reader:
            for name, data in files:
                reader.read(name, data)

    here()
    own, other = interleaved(SLICES, lambda _: seconds(there), lambda _: seconds(here))
    what = f"{len(files)} files, {sum(len(data) for _, data in files) / 1e6:.0f} MB, by a child process"
    yield row("reading", what, "s", own, "in this process", other)

    class Here(ReaderProcess):
        """Reads in this process."""

        def read(self, file: str, data: bytes, sha256: str = "") -> Results:
            return read_file(file, data, ReadingSettings(), sha256=sha256)

    def build(name: str, reader: type[ReaderProcess]) -> float:
        target = bench.folder / name
        with patch.object(ingest, "ReaderProcess", reader):
            return seconds(lambda: update_index(folder, target, bench.embedder, bench.settings))

    build("first", Here)
    own, other = interleaved(3, lambda n: build(f"child-{n}", ReaderProcess), lambda n: build(f"here-{n}", Here))
    what = f"{len(files) // READ_AGAIN} files to published index"
    yield row("reading", what, "s", own, "read in this process", other, bars=[Bar("ratio", "<=", 1.15)])


def searching(bench: Bench) -> Iterator[Row]:
    """A search with the vector of the question given, on the corpus and on a large index."""
    questions = spaced(bench.questions, SEARCH_QUESTIONS)
    vectors = bench.embedder.embed(questions)
    settings = bench.settings.retrieval
    words = tuple(word for text in bench.texts for word in text.split())
    large = SYNTHETIC_DOCUMENTS * PARAGRAPHS * SENTENCES
    made: dict[str, Callable[[], Index]] = {
        f"{len(bench.texts)} windows (corpus)": lambda: bench.index,
        f"{large:,} windows": lambda: synthetic_index(SYNTHETIC_DOCUMENTS, words, bench.embedder.dimension),
    }
    for name, make in made.items():
        own, other = _search_times(make(), questions, vectors, settings)
        yield row("search", name, "ms", own, f"FAISS flat, first {settings.paragraphs}", other)


def _search_times(
    found: Index, questions: Sequence[str], vectors: Vectors, settings: RetrievalSettings
) -> tuple[list[float], list[float]]:
    """Milliseconds of each search, and of a bare FAISS search of the same vectors."""
    # What is unpacked at the first search of an opened index is unpacked before.
    search(found, questions[0], vectors[0], settings)
    return interleaved(
        len(questions),
        lambda i: 1000 * seconds(lambda: search(found, questions[i], vectors[i], settings)),
        lambda i: 1000 * seconds(lambda: found.faiss.search(vectors[i : i + 1], settings.paragraphs)),
    )


def evidence(bench: Bench) -> Iterator[Row]:
    """From the question to the paragraphs on show, models loaded."""
    questions = spaced(bench.questions, EVIDENCE_QUESTIONS)
    assistant, encoder = bench.assistant, bench.encoder

    def ours(number: int) -> float:
        start = time.perf_counter()
        stream = assistant.stream(questions[number])
        try:
            event = next(stream)
            assert isinstance(event, EvidenceFound)
            return time.perf_counter() - start
        finally:
            stream.close()  # type: ignore[attr-defined]

    def theirs(number: int) -> float:
        count = bench.settings.retrieval.paragraphs
        return seconds(lambda: assistant.index.faiss.search(encoder.encode([questions[number]]), count))

    own, other = interleaved(len(questions), ours, theirs)
    bars = [Bar("value", "<=", 0.3)]
    reference = "encode and FAISS flat"
    yield row("evidence", "first evidence", "s", own, reference, other, bars=bars)
    yield row("evidence", "first evidence, 95th percentile", "s", own, reference, other, bars=bars, middle=0.95)


def question(bench: Bench) -> Iterator[Row]:
    """A whole question, models loaded."""
    assistant = bench.assistant
    generation = bench.settings.generation
    llama = BareLlama(bench.model, generation.threads, generation.context_size)
    questions = bench.sample()
    answers: list[Answer] = []

    def ours(number: int) -> float:
        start = time.perf_counter()
        answers.append(_answer(assistant, questions[number]))
        return time.perf_counter() - start

    def theirs(_: int) -> float:
        tokens = answers[-1].tokens
        read = prompt_tokens(tokens.read, tokens.written, written_is_read=WRITTEN_IS_READ)
        return llama.seconds(read, tokens.written)

    own, other = interleaved(len(questions), ours, theirs)
    llama.close()
    bars = [Bar("value", "<=", 10.0), Bar("ratio", "<=", 1.15)]
    shown = sum(answer.status != "not_found" for answer in answers)
    read, written = (
        quantile([getattr(answer.tokens, name) for answer in answers], 0.5) for name in ("read", "written")
    )
    note = f"{shown} of {len(answers)} answered; tokens read {read:g}, of these written {written:g} (medians)"
    yield row("question", "question to verified answer", "s", own, LLAMA, other, bars=bars, note=note)


def _answer(assistant: Assistant, asked: str) -> Answer:
    """The answer, having seen whether a written token counts as one that was read."""
    counts: list[int] = []
    for event in assistant.stream(asked):
        if isinstance(event, Writing) and event.written <= 2:
            counts.append(assistant.generator.tokens.read)
        if isinstance(event, Finished):
            if len(counts) == 2 and (counts[1] - counts[0] == 1) != WRITTEN_IS_READ:
                raise AssertionError("what Answer.tokens.read counts has changed: set WRITTEN_IS_READ")
            return event.answer
    raise AssertionError("a stream ends with Finished")


def _tokens(output: str) -> Tokens:
    return replace(Tokens(), **json.loads(output)["tokens"])


#: In this order: the first two measure processes, whose peak memory must not be less than that of this one.
GROUPS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "memory": memory,
    "cold": cold,
    "index": index,
    "reading": reading,
    "search": searching,
    "evidence": evidence,
    "question": question,
}

NEED_MODEL = frozenset({"memory", "cold", "evidence", "question"})

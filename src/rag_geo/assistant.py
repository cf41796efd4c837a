"""One question, from retrieval to verified sentences, as a stream of events.

Retrieve, choose what to read, let the model read it once, ask it whether the answer is there, let it write, and show of
what it wrote only the sentences whose evidence was found and checked. `Assistant.stream` is the whole of it.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Generator as Steps
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Self

from rag_geo import grounding, prompts
from rag_geo.calibration import Calibration, load_calibration
from rag_geo.embedding import Embedder, load_embedder
from rag_geo.errors import RagGeoError
from rag_geo.index import Index
from rag_geo.llm import Generator, LlamaGenerator, Written
from rag_geo.models import available_memory, check_memory, resolve_model
from rag_geo.question import check_question
from rag_geo.records import (
    Answer,
    Citation,
    Claim,
    ClaimChecked,
    Event,
    EvidenceFound,
    Filters,
    Finished,
    Hit,
    Judged,
    Near,
    Passage,
    Reading,
    Sentence,
    Source,
    Status,
    Timings,
    Tokens,
    Writing,
)
from rag_geo.retrieval import choose_context, embed_query, search
from rag_geo.settings import Settings
from rag_geo.text.facts import facts
from rag_geo.text.sentences import sentence_spans

NO_FILTERS = Filters()
#: Nearest paragraphs named when there is no answer.
NEAR = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what was found for it; `signals` grow while it is answered."""

    question: str
    hits: tuple[Hit, ...]
    passages: tuple[Passage, ...]
    signals: dict[str, float]


class Assistant:
    """Answers questions about one generation of an index; one question at a time.

    `load_s` are the seconds that loading took. Close it, or use it as a context manager.
    """

    def __init__(
        self,
        index: Index,
        embedder: Embedder,
        generator: Generator,
        *,
        settings: Settings,
        calibration: Calibration | None = None,
        load_s: float = 0.0,
    ) -> None:
        index.check_embedder(embedder)
        self.index = index
        self.embedder = embedder
        self.generator = generator
        self.settings = settings
        self.load_s = load_s
        self.chat = prompts.chat_format(generator.template)
        self.prompt_id = prompts.prompt_id(self.chat)
        self.calibration = calibration or load_calibration(generator.id, self.prompt_id, settings.cache)
        self._busy = threading.Lock()

    @classmethod
    def from_settings(cls, settings: Settings, *, progress: Callable[[str], None] | None = None) -> Self:
        """Load index, embedder and model side by side.

        Raises what opening the index, finding the model and loading either raises; nothing is left loaded then.
        """
        start = time.perf_counter()
        say = progress or (lambda _: None)
        with ThreadPoolExecutor(2) as pool:
            loading = pool.submit(_load_generator, settings)
            reading = pool.submit(_load_index, settings)
            try:
                embedder, index = reading.result()
            except BaseException:
                if loading.exception() is None:
                    loading.result().close()
                raise
            generator = loading.result()
        try:
            assistant = cls(index, embedder, generator, settings=settings, load_s=time.perf_counter() - start)
        except RagGeoError:
            generator.close()
            raise
        if assistant.calibration.model != generator.id:
            say(f"no thresholds were fitted for {generator.id}: careful ones are used (rag-geo calibrate fits its own)")
        return assistant

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def stop(self) -> None:
        """Abort the question being answered, from any thread: its stream raises `rag_geo.llm.Stopped`."""
        self.generator.stop()

    def close(self) -> None:
        """Free the model."""
        self.generator.close()

    def over(self, index: Index) -> Self:
        """The same models over another index; close only one of the two.

        Raises `IndexMismatchError` for an index that another embedder made.
        """
        index.check_embedder(self.embedder)
        other = copy.copy(self)
        other.index = index
        return other

    def ask(self, question: str, filters: Filters = NO_FILTERS) -> Answer:
        """The answer to one question; see `stream`."""
        for event in self.stream(question, filters):
            if isinstance(event, Finished):
                return event.answer
        raise AssertionError("a stream ends with Finished")

    def stream(self, question: str, filters: Filters = NO_FILTERS) -> Iterator[Event]:
        """Everything that happens for one question, evidence first, `Finished` last.

        Raises `UsageError` for an empty question, `GenerationError` when the model fails or was stopped.
        """
        with self._busy:
            yield from self._stream(question, filters)

    def _stream(self, question: str, filters: Filters) -> Iterator[Event]:
        self.generator.start()
        clock = _Clock(self.load_s, self.generator.tokens)
        asked = self.retrieve(question, filters)
        clock.mark("retrieve_s")
        clock.mark("first_evidence_s")
        yield EvidenceFound(asked.hits, asked.passages, clock.seconds)
        answerable = yield from self.judge(asked)
        proceeds = bool(asked.passages) and self.calibration.gate.passes(answerable)
        yield Judged(answerable, proceeds)
        claims: list[Claim] = []
        sentences = (yield from self._write(asked)) if proceeds else []
        clock.mark("generate_s", since="first_evidence_s")
        for text in sentences:
            claims.append(self.verify(text, asked))
            yield ClaimChecked(claims[-1])
        if proceeds and not any(claim.status == "verified" for claim in claims):
            quoted = self._quote(asked)
            claims += quoted
            yield from map(ClaimChecked, quoted)
        clock.mark("verify_s", since="generate_s")
        yield Finished(self._answer(asked, claims, answerable, clock))

    def retrieve(self, question: str, filters: Filters = NO_FILTERS) -> Asked:
        """Find the paragraphs for a question and choose what the model will read. Raises `UsageError`."""
        question = check_question(question)
        settings = self.settings.retrieval
        hits = search(self.index, question, embed_query(self.embedder, question), settings, filters)
        chosen = choose_context(hits, question, self.generator.count, settings.context_tokens)
        passages = tuple(replace(one, author=self.index.document(one.file).author) for one in chosen)
        return Asked(question, hits, passages, retrieval_signals(question, hits, passages))

    def judge(self, asked: Asked) -> Steps[Event, None, float]:
        """Let the model read the passages; the probability that the answer is in them."""
        if not asked.passages:
            return 0.0
        gated = prompts.gate(prompts.answer_prompt(self.chat, asked.passages, asked.question), self.chat)
        for done, total in self.generator.read(gated):
            yield Reading(done, total)
        asked.signals["gate"] = self._log_odds(gated)
        return self.calibration.gate.probability(asked.signals)

    def _write(self, asked: Asked) -> Steps[Event, None, list[str]]:
        """Let the model write sentences; what it has read for the gate is not read again."""
        gated = prompts.gate(prompts.answer_prompt(self.chat, asked.passages, asked.question), self.chat)
        pieces: list[Written] = []
        for piece in self.generator.write(prompts.request(gated, self.chat), self.settings.generation.max_tokens):
            pieces.append(piece)
            yield Writing(len(pieces))
        asked.signals["least_logprob"] = min((piece.logprob for piece in pieces), default=0.0)
        sentences = _sentences("".join(piece.text for piece in pieces).strip())
        if len(pieces) >= self.settings.generation.max_tokens:
            # The last sentence was cut off: what is missing may have been an "unless".
            del sentences[-1:]
        return sentences[: self.settings.generation.max_sentences]

    def _quote(self, asked: Asked) -> list[Claim]:
        """The document's own sentence in place of a withheld one, if it passes the same ladder; else nothing."""
        passed = [claim for claim in self.verify_quotes(asked) if claim.status == "verified"]
        return sorted(passed, key=lambda claim: -(claim.probability or 0.0))[:1]

    def verify_quotes(self, asked: Asked) -> list[Claim]:
        """The sentences that may stand for an answer, each verified or withheld."""
        return [self.verify(text, asked, quoted=True) for text in quotable(asked)]

    def verify(self, text: str, asked: Asked, *, quoted: bool = False) -> Claim:
        """One sentence through the ladder: verified with its citations, or withheld with the reason."""
        names = {passage.file: (passage.title, passage.author) for passage in asked.passages}
        evidence, failure = grounding.gather(text, asked.passages, asked.question, names)
        if failure is not None:
            return Claim(text, "withheld", failure.reason, failure.rung)
        signals = self.weigh(text, evidence, asked, quoted=quoted)
        probability = self.calibration.check.probability(signals)
        if not self.calibration.check.passes(probability):
            reason = f"the cited sentences may not say all of it (probability {probability:.2f})"
            return Claim(text, "withheld", reason, "model", probability=round(probability, 4), signals=signals)
        citations = grounding.locate(text, evidence, lambda file: self.index.document(file).text)
        for citation in citations:
            self._assert_verbatim(citation)
        return Claim(text, "verified", "", "", citations, round(probability, 4), signals)

    def weigh(
        self, text: str, evidence: grounding.Evidence, asked: Asked, *, quoted: bool = False
    ) -> dict[str, float]:
        """The signals of a sentence and its evidence, the model's own among them: what the last rung decides by."""
        check = prompts.check_prompt(self.chat, evidence.sentences, text)
        examine = prompts.examine_prompt(self.chat, evidence.sentences, asked.question, text)
        return {
            **asked.signals,
            **grounding.signals(text, evidence, asked.question),
            "check": self._log_odds(check),
            "examine": self._log_odds(examine),
            "quoted": float(quoted),
        }

    def _answer(self, asked: Asked, claims: Sequence[Claim], answerable: float, clock: _Clock) -> Answer:
        """The record of everything."""
        shown = tuple(claim for claim in claims if claim.status == "verified")
        status: Status = "not_found" if not shown else "answered" if len(shown) == len(claims) else "partial"
        return Answer(
            question=asked.question,
            status=status,
            answer=" ".join(claim.text for claim in shown),
            claims=tuple(claims),
            sources=tuple(Source(hit.file, hit.paragraph, round(hit.score, 4)) for hit in asked.hits),
            near=() if shown else _near(asked.question, asked.hits),
            answerable=round(answerable, 4),
            model=self.generator.id,
            embedder=self.embedder.id,
            index_generation=self.index.generation,
            prompt_id=self.prompt_id,
            timings=clock.timings(),
            tokens=clock.tokens(self.generator.tokens),
            signals=asked.signals,
        )

    def _log_odds(self, prompt: prompts.Prompt) -> float:
        """The model's log-odds of Yes against No."""
        yes, no = self.generator.choose(prompt, prompts.YES_NO)
        return yes - no

    def _assert_verbatim(self, citation: Citation) -> None:
        """The last rung: always true, because the quote was cut from the document; asserted anyway."""
        text = self.index.document(citation.file).text
        if text[citation.start : citation.end] != citation.quote or not citation.quote:
            raise AssertionError(f"the quote of {citation.file!r} paragraph {citation.paragraph} is not at its offsets")


def retrieval_signals(question: str, hits: Sequence[Hit], passages: Sequence[Passage]) -> dict[str, float]:
    """What retrieval says about answerability, each 0 to 1 (the first from −1).

    `similarity` is the cosine of the best window; `coverage` the share of the question's content words in the passages
    together, `best_coverage` in the best one of them; `names_missing` and `numbers_missing` see
    `grounding.question_support`.
    """
    asked = facts(question).content
    found = [facts(prompts.passage_text([passage])).content for passage in passages]
    together = frozenset().union(*found) if found else frozenset()
    size = max(1, len(asked))
    lacking = grounding.question_support(question, passages)
    return {
        "similarity": max((hit.similarity for hit in hits), default=0.0),
        "coverage": len(asked & together) / size,
        "best_coverage": max((len(asked & one) / size for one in found), default=0.0),
        "names_missing": lacking["names_missing"],
        "numbers_missing": lacking["numbers_missing"],
    }


def quotable(asked: Asked) -> tuple[str, ...]:
    """The sentences that may stand for an answer: the nearest to the question by its words, and by meaning."""
    by_words = grounding.find_evidence(asked.question, asked.passages, asked.question, limit=1)
    read = {(s.file, s.start) for passage in asked.passages for s in passage.sentences}
    scored = [
        (similarity, sentence)
        for hit in asked.hits
        for sentence, similarity in zip(hit.sentences, hit.sentence_similarities, strict=False)
        if (sentence.file, sentence.start) in read
    ]
    by_meaning = [max(scored, key=lambda pair: pair[0])[1]] if scored else []
    return tuple(dict.fromkeys(sentence.text for sentence in (*by_words, *by_meaning)))


def _near(question: str, hits: Sequence[Hit]) -> tuple[Near, ...]:
    """The nearest paragraphs, each with its nearest sentence and what the question asks that it does not say."""
    near = []
    for hit in hits[:NEAR]:
        sentence = _nearest_sentence(hit)
        whole = " ".join((hit.title, hit.heading, *(s.text for s in hit.sentences)))
        missing = grounding.question_terms_missing(question, whole)
        near.append(Near(hit.file, hit.paragraph, sentence.text if sentence else "", missing))
    return tuple(near)


def _nearest_sentence(hit: Hit) -> Sentence | None:
    """The first sentence of the best window, or of the paragraph."""
    inside = [s for s in hit.sentences if s.start >= hit.window.start and s.end <= hit.window.end]
    return next(iter(inside or hit.sentences), None)


def _sentences(text: str) -> list[str]:
    """The sentences of an answer."""
    return [text[span.start : span.end] for span in sentence_spans(text)]


class _Clock:
    """Seconds since the question, and tokens since then."""

    def __init__(self, load_s: float, tokens: Tokens) -> None:
        self._start = time.perf_counter()
        self._load_s = load_s
        self._tokens = tokens
        self._marks: dict[str, float] = {}
        self._spent: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        """Seconds since the question."""
        return time.perf_counter() - self._start

    def mark(self, name: str, since: str = "") -> None:
        """Note what a stage took, from the end of the stage `since` or from the question."""
        self._marks[name] = self.seconds
        self._spent[name] = self._marks[name] - self._marks.get(since, 0.0)

    def timings(self) -> Timings:
        """The record, rounded to milliseconds."""
        spent = {name: round(seconds, 3) for name, seconds in self._spent.items()}
        return Timings(load_s=round(self._load_s, 3), total_s=round(self.seconds, 3), **spent)

    def tokens(self, now: Tokens) -> Tokens:
        """What this question took."""
        then = self._tokens
        return Tokens(now.read - then.read, now.cached - then.cached, now.written - then.written)


def _load_index(settings: Settings) -> tuple[Embedder, Index]:
    index = Index.open(settings.index)
    embedder = load_embedder(settings.embedder, settings.cache, trust=settings.trust_model)
    index.check_embedder(embedder)
    return embedder, index


def _load_generator(settings: Settings) -> LlamaGenerator:
    cache = settings.cache.expanduser()
    file = resolve_model(settings.model, cache, trust=settings.trust_model)
    check_memory(file.path, available_memory())
    return LlamaGenerator(
        file.path,
        name=file.name,
        sha256=file.sha256,
        threads=settings.generation.threads,
        context_size=settings.generation.context_size,
        state_folder=cache / "states",
    )

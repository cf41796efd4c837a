"""One question, from retrieval to verified sentences, as a stream of events.

Retrieve, choose what to read, let the model read it once, ask it whether the answer is there, let it write, and show of
what it wrote only the sentences whose evidence was found and checked. `Assistant.stream` is the whole of it.
"""

from __future__ import annotations

import copy
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Generator as Steps
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import NamedTuple, Self

from rag_geo import grounding, prompts
from rag_geo.audit import contradicting
from rag_geo.calibration import Calibration, Logistic, load_calibration
from rag_geo.conversation import standalone
from rag_geo.embedding import Embedder, load_embedder
from rag_geo.errors import RagGeoError
from rag_geo.filtering import passes
from rag_geo.index import Index
from rag_geo.llm import Chosen, Generator, LlamaGenerator, Written
from rag_geo.models import available_memory, check_kind, check_memory, model_file, resolve_model
from rag_geo.parts import parts
from rag_geo.question import check_filters, check_question
from rag_geo.records import (
    Answer,
    Citation,
    Claim,
    ClaimChecked,
    Conflict,
    Event,
    EvidenceFound,
    Filters,
    Finished,
    Hit,
    Judged,
    Near,
    Part,
    Passage,
    Reading,
    Sentence,
    Source,
    Status,
    Timings,
    Tokens,
    Writing,
)
from rag_geo.retrieval import choose_context, embed_query, interleaved, search, sentence_values, without_orders
from rag_geo.settings import Settings
from rag_geo.text.facts import facts
from rag_geo.text.orders import asks_about_answers, is_order
from rag_geo.text.sentences import sentence_spans

NO_FILTERS = Filters()
#: Nearest paragraphs named when there is no answer.
NEAR = 3
#: Sentences of which the model is asked whether they hold the answer.
PINPOINTED = 10
#: Of these, how many are examined as answers when nothing that the model wrote is verified.
QUOTES = 3
#: Cited sentences for which it is looked what the documents say against them: some hundredths of a second each.
LOOKED_AGAINST = 6
#: How a sentence begins that says what the one before only announces ("He names two such terms. One is ...").
TAKES_UP = re.compile(
    r"\W*((his|her|its|their|the|one|another|a) (possible |main |first )?(reason|cause|explanation)|one (is|of)|first"
    r"|firstly|the first|this is because|because|among them|they (are|include))\b",
    re.IGNORECASE,
)


class Pinned(NamedTuple):
    """What the model says to whether a sentence holds the answer: log-odds, the probe's value, and its state."""

    odds: float
    felt: float
    state: bytes = b""


#: Of a sentence that the model was not asked about.
NOT_PINPOINTED = Pinned(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what was found for it; `signals` and `pinpointed` grow while it is answered.

    `question` is the one that is searched and answered: what was typed, or for a follow-up what it means
    (`rag_geo.conversation.standalone`). `pinpointed` has what the model says to the sentences it was asked about;
    `states` has its hidden states: after the gate's question ("gate"), and by its text for each sentence that it
    examined. `parts` are those of a question that asks for several things (`rag_geo.parts.parts`), each found for
    itself; hits and passages are all of theirs. `filters` say which documents were searched; `orders` are sentences of
    the hits that are not in the passages because they give orders to who answers (`rag_geo.text.orders`).
    """

    typed: str
    question: str
    hits: tuple[Hit, ...]
    passages: tuple[Passage, ...]
    signals: dict[str, float]
    pinpointed: dict[Sentence, Pinned] = field(default_factory=dict)
    states: dict[str, bytes] = field(default_factory=dict)
    parts: tuple[Asked, ...] = ()
    filters: Filters = NO_FILTERS
    orders: tuple[Sentence, ...] = ()


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

    def ask(self, question: str, filters: Filters = NO_FILTERS, before: Sequence[str] = ()) -> Answer:
        """The answer to one question; see `stream`."""
        for event in self.stream(question, filters, before):
            if isinstance(event, Finished):
                return event.answer
        raise AssertionError("a stream ends with Finished")

    def stream(self, question: str, filters: Filters = NO_FILTERS, before: Sequence[str] = ()) -> Iterator[Event]:
        """Everything that happens for one question, evidence first, `Finished` last.

        `before` are the questions asked earlier in the same conversation, oldest first: what the question leaves out
        is taken from them.
        Raises `UsageError` for an empty question and for filters that leave no document, `GenerationError` when the
        model fails or was stopped.
        """
        with self._busy:
            yield from self._stream(question, filters, before)

    def _stream(self, question: str, filters: Filters, before: Sequence[str]) -> Iterator[Event]:
        self.generator.start()
        clock = Clock(self.load_s)
        asked = self.retrieve(question, filters, before)
        clock.lap("retrieve_s")
        clock.reach("first_evidence_s")
        yield EvidenceFound(asked.hits, asked.passages, clock.seconds)
        yield from self._proceed(asked, clock)

    def answer(self, asked: Asked, clock: Clock | None = None) -> Steps[Event, None, None]:
        """What follows `EvidenceFound` in `stream`, for what `retrieve` found, however long ago.

        `clock` runs since the question was asked; without, it starts now. A wait before the answer counts in
        `Timings.total_s` alone. Whoever calls this has called `generator.start()`: a `stop()` between the two ends the
        answer before it begins.
        Raises `GenerationError` when the model fails or was stopped.
        """
        clock = clock or Clock(self.load_s)
        with self._busy:
            clock.lap()
            yield from self._proceed(asked, clock)

    def _proceed(self, asked: Asked, clock: Clock) -> Iterator[Event]:
        tokens = self.generator.tokens
        claims: list[Claim] = []
        found: list[Part] = []
        likely: list[float] = []
        for part in asked.parts or (asked,):
            answerable, own = yield from self._one(part, clock)
            # What was withheld for one part may be proved for another: only the same with the same outcome is dropped.
            said = {(each.text, each.status) for each in claims}
            new = [claim for claim in own if (claim.text, claim.status) not in said]
            yield from map(ClaimChecked, new)
            claims += new
            found.append(Part(part.question, any(claim.status == "verified" for claim in own)))
            likely.append(answerable)
        conflicts = self.conflicts(claims, asked.filters)
        clock.lap("verify_s")
        yield Finished(self._answer(asked, claims, found, min(likely), conflicts, clock, tokens))

    def _one(self, asked: Asked, clock: Clock) -> Steps[Event, None, tuple[float, list[Claim]]]:
        """Answer a question that asks for one thing: the probability that it can be, and the sentences."""
        answerable = yield from self.judge(asked)
        proceeds = bool(asked.passages) and self.calibration.gate.passes(answerable)
        yield Judged(answerable, proceeds)
        claims: list[Claim] = []
        if proceeds:
            sentences = yield from self.write(asked)
        clock.lap("generate_s")
        if proceeds:
            claims = self.consider(sentences, asked)
            if not any(claim.status == "verified" for claim in claims):
                claims += [claim for claim in self.quote(asked) if claim.status == "verified"][:1]
        clock.lap("verify_s")
        return answerable, claims

    def retrieve(self, question: str, filters: Filters = NO_FILTERS, before: Sequence[str] = ()) -> Asked:
        """Find the paragraphs for a question, part by part, and choose what is read.

        Raises `UsageError` for an empty question, for a filter that is none, and for filters that leave no document.
        """
        typed = check_question(question)
        check_filters(filters)
        authors = self._authors()
        question = standalone(typed, before, authors)
        wanted = parts(question, authors)
        found = tuple(self.found(typed, part, self.find(part, filters)) for part in wanted)
        if len(found) == 1:
            return replace(found[0], filters=filters)
        hits = interleaved([part.hits for part in found])
        passages = _joined(passage for part in found for passage in part.passages)
        signals = retrieval_signals(question, hits, passages)
        orders = tuple(dict.fromkeys(order for part in found for order in part.orders))
        return Asked(typed, question, hits, passages, signals, parts=found, filters=filters, orders=orders)

    def find(self, question: str, filters: Filters = NO_FILTERS) -> tuple[Hit, ...]:
        """Search the index for a question that asks for one thing."""
        return search(self.index, question, embed_query(self.embedder, question), self.settings.retrieval, filters)

    def found(self, typed: str, question: str, hits: tuple[Hit, ...]) -> Asked:
        """Choose of the paragraphs that were found what the model will read."""
        readable, orders = (hits, ()) if asks_about_answers(question) else without_orders(hits)
        chosen = choose_context(readable, question, self.generator.count, self.settings.retrieval.context_tokens)
        passages = tuple(replace(one, author=self.index.document(one.file).author) for one in chosen)
        return Asked(typed, question, hits, passages, retrieval_signals(question, hits, passages), orders=orders)

    def _authors(self) -> list[str]:
        return [entry.author for entry in self.index.documents if entry.author]

    def judge(self, asked: Asked) -> Steps[Event, None, float]:
        """Let the model read the passages; the probability that the answer is in them."""
        if not asked.passages:
            return 0.0
        gated = prompts.gate(prompts.answer_prompt(self.chat, asked.passages, asked.question), self.chat)
        for done, total in self.generator.read(gated):
            yield Reading(done, total)
        chosen = self.generator.choose(gated, prompts.YES_NO)
        asked.states["gate"] = chosen.state
        asked.signals["gate"] = _log_odds(chosen)
        asked.signals["gate_state"] = self.calibration.felt("gate", chosen.state)
        return self.calibration.gate.probability(asked.signals)

    def write(self, asked: Asked) -> Steps[Event, None, list[str]]:
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

    def consider(self, texts: Sequence[str], asked: Asked) -> list[Claim]:
        """The sentences that the model wrote, each through the ladder: verified with its citations, or withheld."""
        gathered = [(text, *self._gather(text, asked)) for text in texts]
        passed = [(text, evidence) for text, evidence, failure in gathered if failure is None]
        signals = iter(self.weigh(passed, asked))
        return [
            Claim(text, "withheld", failure.reason, failure.rung)
            if failure is not None
            else self._decide(text, evidence, next(signals), self.calibration.check)
            for text, evidence, failure in gathered
        ]

    def quote(self, asked: Asked, most: int = QUOTES) -> list[Claim]:
        """The documents' own sentences as answers, verified or withheld, the most probable first; `most` are examined.

        They climb the same ladder, but whether the text states them need not be asked.
        """
        pinned = [sentence for sentence in promising(asked) if sentence not in asked.pinpointed]
        self._note_pinned(pinned, self._choose(self._pinpoint(pinned, asked)), asked)
        texts = dict.fromkeys(_thought(sentence, asked) for sentence in _ranked(asked))
        gathered = [(text, *self._gather(text, asked)) for text in texts]
        passed = [(text, evidence) for text, evidence, failure in gathered if failure is None][:most]
        examined = self._choose([self._examine(text, evidence, asked) for text, evidence in passed])
        claims = []
        for (text, evidence), chosen in zip(passed, examined, strict=True):
            signals = {
                **asked.signals,
                "question_names_missing": grounding.question_names_missing(asked.question, evidence),
                **_pinned_signals(evidence, asked),
                **self._examined(text, chosen, asked),
            }
            claims.append(self._decide(text, evidence, signals, self.calibration.quote))
        return sorted(claims, key=lambda claim: -(claim.probability or 0.0))

    def conflicts(self, claims: Sequence[Claim], filters: Filters = NO_FILTERS) -> tuple[Conflict, ...]:
        """The sentences of the documents searched that contradict one that the verified `claims` cite."""
        cited = dict.fromkeys(each for claim in claims if claim.status == "verified" for each in claim.citations)
        found = [c for c in contradicting(self.index, tuple(cited)[:LOOKED_AGAINST]) if not is_order(c.other.quote)]
        entries = [self.index.documents[self.index.numbers[each.other.file]] for each in found]
        return tuple(each for each, entry in zip(found, entries, strict=True) if passes(entry, filters))

    def weigh(self, claims: Sequence[tuple[str, grounding.Evidence]], asked: Asked) -> list[dict[str, float]]:
        """The signals of written sentences with their evidence, the model's own among them: for the last rung.

        The model is asked everything at once: of each claim whether its evidence states it and whether it is the
        answer, and of each cited sentence whether it holds the answer.
        """
        cited = dict.fromkeys(sentence for _, evidence in claims for sentence in evidence.sentences)
        pinned = [sentence for sentence in cited if sentence not in asked.pinpointed]
        answers = iter(
            self._choose(
                [
                    *self._pinpoint(pinned, asked),
                    *(prompts.check_prompt(self.chat, evidence.sentences, text) for text, evidence in claims),
                    *(self._examine(text, evidence, asked) for text, evidence in claims),
                ]
            )
        )
        self._note_pinned(pinned, list(islice(answers, len(pinned))), asked)
        checked = list(islice(answers, len(claims)))
        return [
            {
                **asked.signals,
                **_pinned_signals(evidence, asked),
                "check": _log_odds(check),
                **self._examined(text, examine, asked),
            }
            for (text, evidence), check, examine in zip(claims, checked, answers, strict=True)
        ]

    def _examined(self, text: str, chosen: Chosen, asked: Asked) -> dict[str, float]:
        asked.states[text] = chosen.state
        return {"examine": _log_odds(chosen), "examine_state": self.calibration.felt("examine", chosen.state)}

    def _note_pinned(self, sentences: Sequence[Sentence], answers: Sequence[Chosen], asked: Asked) -> None:
        for sentence, chosen in zip(sentences, answers, strict=True):
            felt = self.calibration.felt("pinpoint", chosen.state)
            asked.pinpointed[sentence] = Pinned(_log_odds(chosen), felt, chosen.state)

    def _pinpoint(self, sentences: Sequence[Sentence], asked: Asked) -> list[prompts.Prompt]:
        return [prompts.pinpoint_prompt(self.chat, asked.question, sentence.text) for sentence in sentences]

    def _examine(self, text: str, evidence: grounding.Evidence, asked: Asked) -> prompts.Prompt:
        return prompts.examine_prompt(self.chat, evidence.sentences, asked.question, text)

    def _gather(self, text: str, asked: Asked) -> tuple[grounding.Evidence, grounding.Failure | None]:
        names = {passage.file: (passage.title, passage.author) for passage in asked.passages}
        return grounding.gather(text, asked.passages, asked.question, names)

    def _decide(self, text: str, evidence: grounding.Evidence, signals: dict[str, float], model: Logistic) -> Claim:
        """The last rung: verified if the signals make it probable enough."""
        probability = model.probability(signals)
        if not model.passes(probability):
            reason = f"the cited sentences may not say all of it (probability {probability:.2f})"
            return Claim(text, "withheld", reason, "model", probability=round(probability, 4), signals=signals)
        located = grounding.locate(text, evidence, lambda file: self.index.document(file).text)
        citations = tuple(replace(one, also=self.index.copies(one.file)) for one in located)
        for citation in citations:
            self._assert_verbatim(citation)
        return Claim(text, "verified", "", "", citations, round(probability, 4), signals)

    def _answer(
        self,
        asked: Asked,
        claims: Sequence[Claim],
        found: Sequence[Part],
        answerable: float,
        conflicts: tuple[Conflict, ...],
        clock: Clock,
        tokens: Tokens,
    ) -> Answer:
        """The record of everything; `tokens` are those of earlier questions."""
        shown = tuple(claim for claim in claims if claim.status == "verified")
        whole = len(shown) == len(claims) and all(part.found for part in found)
        status: Status = "not_found" if not shown else "answered" if whole else "partial"
        return Answer(
            question=asked.typed,
            searched=asked.question,
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
            tokens=_since(tokens, self.generator.tokens),
            signals=asked.signals,
            parts=tuple(found) if asked.parts else (),
            filters=asked.filters,
            conflicts=conflicts,
            set_aside=tuple(self._quoted(sentence) for sentence in asked.orders),
        )

    def _quoted(self, sentence: Sentence) -> Citation:
        """A sentence as a citation of all that it says."""
        text = self.index.document(sentence.file).text[sentence.start : sentence.end]
        also = self.index.copies(sentence.file)
        return Citation(
            sentence.file, sentence.paragraph, sentence.start, sentence.end, text, place=sentence.place, also=also
        )

    def _choose(self, asked: Sequence[prompts.Prompt]) -> list[Chosen]:
        """Yes or No after each prompt."""
        return self.generator.choose_each(asked, prompts.YES_NO) if asked else []

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


def _joined(passages: Iterable[Passage]) -> tuple[Passage, ...]:
    """The passages, those of one paragraph made one."""
    found: dict[tuple[str, int], Passage] = {}
    for one in passages:
        known = found.setdefault((one.file, one.paragraph), one)
        sentences = sorted({*known.sentences, *one.sentences}, key=lambda sentence: sentence.start)
        found[one.file, one.paragraph] = replace(known, sentences=tuple(sentences))
    return tuple(found.values())


def promising(asked: Asked) -> tuple[Sentence, ...]:
    """The sentences that are most likely to hold the answer, by meaning and words, most promising first."""
    read = {(s.file, s.start) for passage in asked.passages for s in passage.sentences}
    valued = [
        (value, sentence)
        for hit, values in zip(asked.hits, sentence_values(asked.hits, asked.question), strict=True)
        for sentence, value in zip(hit.sentences, values, strict=True)
        if (sentence.file, sentence.start) in read
    ]
    ranked = sorted(valued, key=lambda pair: -pair[0])
    return tuple(sentence for _, sentence in ranked[:PINPOINTED])


def _ranked(asked: Asked) -> list[Sentence]:
    """The sentences that the model was asked about, the most probable first: by the probe, without one by the odds."""
    pinned = asked.pinpointed
    return sorted(pinned, key=lambda sentence: (-pinned[sentence].felt, -pinned[sentence].odds))


def _pinned_signals(evidence: grounding.Evidence, asked: Asked) -> dict[str, float]:
    """What the model says to the best of the cited sentences."""
    cited = [asked.pinpointed.get(sentence, NOT_PINPOINTED) for sentence in evidence.sentences]
    return {"pinpoint": max(one.odds for one in cited), "pinpoint_state": max(one.felt for one in cited)}


def _log_odds(chosen: Chosen) -> float:
    """Log-odds of Yes against No."""
    yes, no = chosen.logprobs
    return yes - no


def _thought(sentence: Sentence, asked: Asked) -> str:
    """A sentence as it can stand alone: after the one it refers back to, or before the one that it announces."""
    read = {one for passage in asked.passages for one in passage.sentences}
    for hit in asked.hits:
        if sentence in hit.sentences:
            at = hit.sentences.index(sentence)
            before, after = hit.sentences[max(0, at - 1) : at], hit.sentences[at + 1 : at + 2]
            if read.issuperset(before) and before and grounding.refers_back(facts(sentence.text)):
                return f"{before[0].text} {sentence.text}"
            if read.issuperset(after) and after and TAKES_UP.match(after[0].text):
                return f"{sentence.text} {after[0].text}"
    return sentence.text


def _near(question: str, hits: Sequence[Hit]) -> tuple[Near, ...]:
    """The nearest paragraphs, each with its nearest sentence and what the question asks that it does not say."""
    near = []
    # A paragraph of nothing but orders to who answers is near to no question.
    speaking = [hit for hit in hits if not (hit.sentences and all(is_order(each.text) for each in hit.sentences))]
    for hit in speaking[:NEAR]:
        sentence = _nearest_sentence(hit)
        whole = " ".join((hit.title, hit.heading, *(s.text for s in hit.sentences)))
        missing = grounding.question_terms_missing(question, whole)
        near.append(Near(hit.file, hit.paragraph, sentence.text if sentence else "", missing, hit.place))
    return tuple(near)


def _nearest_sentence(hit: Hit) -> Sentence | None:
    """The first sentence of the best window, or of the paragraph."""
    said = [s for s in hit.sentences if not is_order(s.text)]
    inside = [s for s in said if s.start >= hit.window.start and s.end <= hit.window.end]
    return next(iter(inside or said), None)


def _sentences(text: str) -> list[str]:
    """The sentences of an answer."""
    return [text[span.start : span.end] for span in sentence_spans(text)]


class Clock:
    """Seconds since a question was asked, with models loaded that took `load_s`, and what each stage took of them."""

    def __init__(self, load_s: float = 0.0) -> None:
        self._start = self._lap = time.perf_counter()
        self._load_s = load_s
        self._noted: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        """Seconds since the question."""
        return time.perf_counter() - self._start

    def lap(self, stage: str = "") -> None:
        """Add what the stage took that ends here, from the end of the one before; "" is a wait, which is not noted."""
        now = time.perf_counter()
        if stage:
            self._noted[stage] = self._noted.get(stage, 0.0) + now - self._lap
        self._lap = now

    def reach(self, moment: str) -> None:
        """Note the seconds since the question at which something happened for the first time."""
        self._noted.setdefault(moment, self.seconds)

    def timings(self) -> Timings:
        """The record, rounded to milliseconds."""
        noted = {name: round(seconds, 3) for name, seconds in self._noted.items()}
        return Timings(load_s=round(self._load_s, 3), total_s=round(self.seconds, 3), **noted)


def _since(then: Tokens, now: Tokens) -> Tokens:
    """What was read, cached and written between the two."""
    return Tokens(now.read - then.read, now.cached - then.cached, now.written - then.written)


def _load_index(settings: Settings) -> tuple[Embedder, Index]:
    index = Index.open(settings.index)
    embedder = load_embedder(settings.embedder, settings.cache, trust=settings.trust_model)
    index.check_embedder(embedder)
    return embedder, index


def _load_generator(settings: Settings) -> LlamaGenerator:
    cache = settings.cache.expanduser()
    found = model_file(settings.model, cache)
    if found is not None:  # to hash what does not fit would take minutes
        check_memory(found, available_memory(), settings.generation.context_size)
    file = resolve_model(settings.model, cache, trust=settings.trust_model)
    check_kind(file.path)
    return LlamaGenerator(
        file.path,
        name=file.name,
        sha256=file.sha256,
        threads=settings.generation.threads,
        context_size=settings.generation.context_size,
        state_folder=cache / "states",
    )

"""Answers as the tests of the edges use them, and an assistant that gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

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
    Reading,
    Sentence,
    Source,
    Span,
    Timings,
    Tokens,
    Writing,
)

QUOTE = "Hawn says that Russia has become the junior partner of China."
CITATION = Citation("briefs/hawn.md", 7, 100, 100 + len(QUOTE), QUOTE, (Span(37, 43), Span(44, 51), Span(55, 60)))
VERIFIED = Claim("Russia is the junior partner of China.", "verified", citations=(CITATION,), probability=0.97)
WITHHELD = Claim(
    "China has 6 billion people.", "withheld", reason="the number 6 billion is not in the evidence", rung="number"
)
NEAR = Near("briefs/lukin.md", 3, "Lukin writes about Moscow.", ("annexed", "1860"))
HIT = Hit(
    "briefs/hawn.md", 7, 90, 190, 0.912, 0.71, 8.25, 0.8, "Old quarrels", "The Partnership", Span(100, 161),
    (Sentence("briefs/hawn.md", 7, 90, 99, "Before."), Sentence("briefs/hawn.md", 7, 100, 161, QUOTE)),
)  # fmt: skip

ANSWERED = Answer(
    question="Who is the junior partner?",
    searched="Who is the junior partner?",
    status="answered",
    answer=VERIFIED.text,
    claims=(VERIFIED,),
    sources=(Source("briefs/hawn.md", 7, 0.912),),
    near=(),
    answerable=0.98,
    model="scripted-model",
    embedder="hashing-embedder",
    index_generation="000001",
    prompt_id="abc123",
    timings=Timings(1.0, 0.02, 0.03, 3.0, 2.0, 5.5),
    tokens=Tokens(400, 500, 20),
    signals={"gate": 3.5},
)
OTHERWISE = "Lukin says that Russia has become the senior partner of China."
CONFLICT = Conflict(
    QUOTE, Citation("briefs/lukin.pdf", 4, 20, 20 + len(OTHERWISE), OTHERWISE, (), "p. 2"),
    "another name: “junior” and “senior”", CITATION,
)  # fmt: skip
DISPUTED = replace(ANSWERED, conflicts=(CONFLICT,))
PARTIAL = replace(ANSWERED, status="partial", claims=(VERIFIED, WITHHELD))
NOT_FOUND = replace(ANSWERED, status="not_found", answer="", claims=(), near=(NEAR,), answerable=0.02)


def events_of(answer: Answer) -> Iterator[Event]:
    """What happens on the way to an answer."""
    yield EvidenceFound((HIT,), (), 0.04)
    yield Reading(100, 400)
    yield Reading(400, 400)
    yield Judged(answer.answerable, bool(answer.claims))
    if answer.claims:
        yield Writing(5)
    yield from (ClaimChecked(claim) for claim in answer.claims)
    yield Finished(answer)


@dataclass
class CannedAssistant:
    """Gives `answer` to every question, and remembers what it was asked and how."""

    answer: Answer = ANSWERED
    asked: list[tuple[str, Filters]] = field(default_factory=list)
    closed: bool = False
    stopped: bool = False
    before: Callable[[str], None] = lambda _question: None

    def stream(self, question: str, filters: Filters = Filters(), before: Sequence[str] = ()) -> Iterator[Event]:  # noqa: B008
        self.asked.append((question, filters))
        self.before(question)
        yield from events_of(replace(self.answer, question=question, searched=question))

    def stop(self) -> None:
        self.stopped = True

    def close(self) -> None:
        self.closed = True

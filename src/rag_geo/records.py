"""The records that cross from one module to the next: frozen, slotted, and nothing mutable inside.

Every offset is a character offset into `Document.text`, half open: ``text[start:end]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Status = Literal["answered", "partial", "not_found"]
ClaimStatus = Literal["verified", "withheld"]
Format = Literal[
    "text", "markdown", "html", "pdf", "docx", "odt", "rtf", "pptx", "odp", "xlsx", "ods", "csv", "epub", "email",
    "json", "jsonl", "notebook",
]  # fmt: skip
BlockKind = Literal["text", "heading", "list", "table", "code"]


class Span(NamedTuple):
    """Characters ``[start, end)``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Paragraph:
    """The unit of citation; numbered from 1 in file order, debris and headings included.

    `heading` is the nearest headings above, outermost first, joined by " › " ("" when there is none).
    `debris` names the rule that marked the paragraph as not worth indexing, or is None.
    `sentences` are spans in document characters, in order, without surrounding white space; empty for debris.
    `place` says where the original program shows it ("p. 4", "slide 3", "sheet Budget, row 12"), "" where it has no
    such places.
    """

    file: str
    number: int
    start: int
    end: int
    kind: BlockKind = "text"
    heading: str = ""
    debris: str | None = None
    sentences: tuple[Span, ...] = ()
    place: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One file as read: `text` is what offsets count.

    For text and Markdown `text` is the decoded file, character for character (without a byte order mark); for every
    other format it is the extracted text, blocks joined by a blank line. `hidden` are the spans of `text` that no
    reader of the rendered file would see (comments, control, zero-width and bidirectional characters): they are shown
    to nobody, neither the embedder nor the model nor the user. `removed` counts by name what was hidden or left out.
    `file` is relative to the indexed folder, with "/" between its parts; a document inside a file (an archive, a
    mailbox) is below it: "mails.mbox/12", "2019.zip/report.pdf". `language` is the ISO 639-1 code of the language that
    most of it is written in, "" where that is not clear. `textless` are the places without text that can be read
    (scanned pages). `date` is ISO 8601 as far as it is known
    ("2021", "2021-06", "2021-06-20").
    """

    file: str
    sha256: str
    text: str
    format: Format
    encoding: str
    paragraphs: tuple[Paragraph, ...]
    title: str = ""
    author: str = ""
    date: str = ""
    metadata: tuple[tuple[str, str], ...] = ()
    hidden: tuple[Span, ...] = ()
    removed: tuple[tuple[str, int], ...] = ()
    warnings: tuple[str, ...] = ()
    language: str = ""
    textless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was not read, and why, in words for the user."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Window:
    """One to three consecutive sentences of one paragraph: what is embedded.

    `text` is what the embedder reads (visible text only, with title or heading in front when the settings say so).
    """

    file: str
    paragraph: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of one paragraph, as cited: `text` is the visible text of ``document.text[start:end]``."""

    file: str
    paragraph: int
    start: int
    end: int
    text: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Filters:
    """Front matter conditions on a search; empty fields do not filter.

    `after` and `before` are ISO dates, both inclusive as far as they are given; `author` is contained in the author,
    case folded; `file` is a glob on the relative path, or on that of a folder, archive or mailbox which it is in.
    """

    after: str = ""
    before: str = ""
    author: str = ""
    file: str = ""

    def __bool__(self) -> bool:
        return bool(self.after or self.before or self.author or self.file)


@dataclass(frozen=True, slots=True)
class Hit:
    """One paragraph found, best first, with the signals that found it.

    `score` is the fused score the order follows; `similarity` the cosine of the best window (−1 to 1); `lexical` the
    BM25 score of the paragraph; `document_score` the fused score of its document. `sentences` are the paragraph's
    sentences; `window` is the span of its best window. `sentence_similarities` has, for each sentence, the cosine of
    the best window that holds it (empty after a search by words alone). `place` is the paragraph's; `also` are other
    files with the very same content.
    """

    file: str
    paragraph: int
    start: int
    end: int
    score: float
    similarity: float
    lexical: float
    document_score: float
    heading: str
    title: str
    window: Span
    sentences: tuple[Sentence, ...]
    sentence_similarities: tuple[float, ...] = ()
    place: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """The sentences of one paragraph that the model is given, in order."""

    file: str
    paragraph: int
    title: str
    heading: str
    sentences: tuple[Sentence, ...]
    author: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """The evidence of a claim: ``document.text[start:end] == quote``, always.

    `support` are the words of the quote that carry the claim, as spans into `quote`. `place` is that of the paragraph;
    `also` are other files with the very same content, in which the quote stands at the same offsets.
    """

    file: str
    paragraph: int
    start: int
    end: int
    quote: str
    support: tuple[Span, ...] = ()
    place: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conflict:
    """A sentence elsewhere that contradicts a cited one: another figure, date or name for the same thing.

    `claim_sentence` is the cited sentence as a reader sees it, `cited` the citation that it is in; `what` says in a few
    words how they differ, what the cited sentence says first.
    """

    claim_sentence: str
    other: Citation
    what: str
    cited: Citation


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer: verified with at least one citation, or withheld with the reason.

    `rung` names the test that failed ("statement", "number", "name", "novelty", "kind", "together", "negation",
    "thing", "model", "quote"), or is "".
    `probability` is the calibrated probability that the claim is right and its evidence says it (None if not asked).
    """

    text: str
    status: ClaimStatus
    reason: str = ""
    rung: str = ""
    citations: tuple[Citation, ...] = ()
    probability: float | None = None
    signals: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """A paragraph that was retrieved for the question."""

    file: str
    paragraph: int
    score: float


@dataclass(frozen=True, slots=True)
class Near:
    """For an answer not found: a near paragraph, its best sentence, and the words of the question it lacks."""

    file: str
    paragraph: int
    quote: str
    missing: tuple[str, ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a question asks for, as a question of its own; `found` if a verified sentence answers it."""

    question: str
    found: bool


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds; `total_s` counts from the question with models loaded, `load_s` is before it."""

    load_s: float = 0.0
    retrieve_s: float = 0.0
    first_evidence_s: float = 0.0
    generate_s: float = 0.0
    verify_s: float = 0.0
    total_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens the model read anew, took from its cache, and wrote."""

    read: int = 0
    cached: int = 0
    written: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the user gets. `answer` holds the verified claims only.

    `searched` is the question that was answered: for a follow-up it says in full what `question` leaves out. `parts`
    are those of a question that asks for several things, each answered for itself; none where it asks for one.
    `filters` say which documents were searched; `conflicts` are sentences of these that contradict a cited one,
    `set_aside` those of the paragraphs found that give orders to who answers: they were not read and are not cited.
    """

    question: str
    searched: str
    status: Status
    answer: str
    claims: tuple[Claim, ...]
    sources: tuple[Source, ...]
    near: tuple[Near, ...]
    answerable: float
    model: str
    embedder: str
    index_generation: str
    prompt_id: str
    timings: Timings = field(default_factory=Timings)
    tokens: Tokens = field(default_factory=Tokens)
    signals: Mapping[str, float] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    filters: Filters = field(default_factory=Filters)
    conflicts: tuple[Conflict, ...] = ()
    set_aside: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class EvidenceFound:
    """Event: the paragraphs found and the sentences the model is about to read; comes before generation starts."""

    hits: tuple[Hit, ...]
    passages: tuple[Passage, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Reading:
    """Event: the model has read `done` of `total` prompt tokens."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Judged:
    """Event: the calibrated probability that the passages answer the question, and whether an answer is tried."""

    answerable: float
    proceeds: bool


@dataclass(frozen=True, slots=True)
class Writing:
    """Event: `written` tokens of an answer exist; their text is not shown before it is verified."""

    written: int


@dataclass(frozen=True, slots=True)
class ClaimChecked:
    """Event: one sentence of the answer was verified or withheld."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class Finished:
    """Event: the last one, with the whole answer."""

    answer: Answer


Event = EvidenceFound | Reading | Judged | Writing | ClaimChecked | Finished

"""The prompt texts, and how they become a prompt: trusted and untrusted parts kept apart to the last moment.

`answer.md`, `pinpoint.md`, `check.md` and `examine.md` hold the turns of a conversation (``### system``, ``### user``,
``### assistant``) and end in an unfinished user turn with slots. What fills a slot (passages, questions, claims) is
untrusted: it is tokenised without control tokens, so nothing in a document can close a turn or open one. The requests
that finish the last turn are constants here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

from rag_geo.errors import ModelError
from rag_geo.records import Passage, Sentence

GATE_QUESTION = "\nDo the passages state the answer to the question? Reply Yes or No."
ANSWER_REQUEST = "Answer the question in one or two full sentences, using only what the passages say."
CHECK_QUESTION = "\nDoes the text state every detail of the claim? Reply Yes or No."
EXAMINE_QUESTION = "\nIs this the right answer to the question, and does the text state it? Reply Yes or No."
PINPOINT_QUESTION = "\nDoes the sentence hold the answer? Reply Yes or No."
YES_NO = ("Yes", "No")

#: Characters that the model is given of a title or an author.
MOST_OF_A_NAME = 120

#: The prompts, each with its own place in the model's cache.
Lane = Literal["answer", "pinpoint", "check", "examine"]
LANES: tuple[Lane, ...] = ("answer", "pinpoint", "check", "examine")


class Part(NamedTuple):
    """A stretch of a prompt; only trusted text may become control tokens."""

    text: str
    trusted: bool


@dataclass(frozen=True, slots=True)
class Prompt:
    """Parts in order; the first `fixed` are the same for every question. `lane` names the cache they live in."""

    lane: Lane
    parts: tuple[Part, ...]
    fixed: int

    @property
    def beginning(self) -> Prompt:
        """The part that never changes."""
        return Prompt(self.lane, self.parts[: self.fixed], self.fixed)

    def then(self, *parts: Part) -> Prompt:
        """The same prompt, continued."""
        return Prompt(self.lane, (*self.parts, *parts), self.fixed)


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """How a family of models marks turns: the text before and after each; `mark` tells it by a chat template."""

    name: str
    mark: str
    start: str
    before: Mapping[str, str]
    after: str


FORMATS = (
    ChatFormat(
        "chatml",
        "<|im_start|>",
        "",
        {role: f"<|im_start|>{role}\n" for role in ("system", "user", "assistant")},
        "<|im_end|>\n",
    ),
    ChatFormat(
        "llama3",
        "<|start_header_id|>",
        "<|begin_of_text|>",
        {role: f"<|start_header_id|>{role}<|end_header_id|>\n\n" for role in ("system", "user", "assistant")},
        "<|eot_id|>",
    ),
    ChatFormat(
        "gemma",
        "<start_of_turn>",
        "<bos>",
        {
            "system": "<start_of_turn>user\n",
            "user": "<start_of_turn>user\n",
            "assistant": "<start_of_turn>model\n",
        },
        "<end_of_turn>\n",
    ),
)


def chat_format(template: str) -> ChatFormat:
    """The format of a model by its chat template's marks; the template itself is never run.

    Raises `ModelError` for a template of no known family.
    """
    for known in FORMATS:
        if known.mark in template:
            return known
    names = ", ".join(known.name for known in FORMATS)
    raise ModelError(
        f"the model's chat template is of no known family ({names})",
        hint="rag-geo models list names the models that work",
    )


@cache
def _turns(name: Lane) -> tuple[tuple[str, str], ...]:
    """The turns of a prompt file as (role, text)."""
    text = files("rag_geo.prompts").joinpath(f"{name}.md").read_text(encoding="utf-8")
    pieces = re.split(r"^### (system|user|assistant)\n", text, flags=re.MULTILINE)[1:]
    return tuple((role, body.strip("\n")) for role, body in zip(pieces[::2], pieces[1::2], strict=True))


@cache
def instructions() -> tuple[str, ...]:
    """Every line that the model is given besides documents and questions, those of the examples too."""
    asked = (GATE_QUESTION, ANSWER_REQUEST, CHECK_QUESTION, EXAMINE_QUESTION, PINPOINT_QUESTION)
    texts = [*(text for lane in LANES for _, text in _turns(lane)), *asked]
    return tuple(dict.fromkeys(line for text in texts for line in text.splitlines() if "{" not in line))


def prompt_id(chat: ChatFormat) -> str:
    """First characters of the SHA-256 of everything the prompts are made of; thresholds are fitted for it."""
    texts = [_turns(lane) for lane in LANES]
    requests = [GATE_QUESTION, ANSWER_REQUEST, PINPOINT_QUESTION, CHECK_QUESTION, EXAMINE_QUESTION, YES_NO]
    whole = repr([chat, texts, *requests])
    return hashlib.sha256(whole.encode()).hexdigest()[:12]


def _start(lane: Lane, chat: ChatFormat, slots: Mapping[str, str]) -> Prompt:
    """The prompt up to the end of its slots. Raises `KeyError` for a slot that is not filled."""
    *done, (role, last) = _turns(lane)
    text = chat.start + "".join(chat.before[r] + body + chat.after for r, body in done) + chat.before[role]
    pieces = re.split(r"\{(\w+)\}", last)
    parts = [Part(text + pieces[0], trusted=True)]
    for name, literal in zip(pieces[1::2], pieces[2::2], strict=True):
        parts.append(Part(slots[name], trusted=False))
        if literal:
            parts.append(Part(literal, trusted=True))
    return Prompt(lane, tuple(parts), 1)


def answer_prompt(chat: ChatFormat, passages: Sequence[Passage], question: str) -> Prompt:
    """What is read once for a question: system text, examples, passages, question."""
    return _start("answer", chat, {"passages": passage_text(passages), "question": one_line(question)})


def gate(prompt: Prompt, chat: ChatFormat) -> Prompt:
    """The prompt, asking whether the passages state the answer (Yes or No comes next)."""
    return prompt.then(Part(GATE_QUESTION + chat.after + chat.before["assistant"], trusted=True))


def request(gated: Prompt, chat: ChatFormat) -> Prompt:
    """The gated prompt after a Yes, asking for the answer."""
    text = YES_NO[0] + chat.after + chat.before["user"] + ANSWER_REQUEST + chat.after + chat.before["assistant"]
    return gated.then(Part(text, trusted=True))


def pinpoint_prompt(chat: ChatFormat, question: str, sentence: str) -> Prompt:
    """Asks whether one sentence holds the answer (Yes or No comes next).

    The question comes first: of all the sentences of one question only the first reads it, the others take it from
    the cache.
    """
    start = _start("pinpoint", chat, {"question": one_line(question), "sentence": one_line(sentence)})
    return start.then(Part(PINPOINT_QUESTION + chat.after + chat.before["assistant"], trusted=True))


def check_prompt(chat: ChatFormat, evidence: Sequence[Sentence], claim: str) -> Prompt:
    """Asks whether the evidence states every detail of the claim (Yes or No comes next)."""
    text = " ".join(one_line(sentence.text) for sentence in evidence)
    start = _start("check", chat, {"evidence": text, "claim": one_line(claim)})
    return start.then(Part(CHECK_QUESTION + chat.after + chat.before["assistant"], trusted=True))


def examine_prompt(chat: ChatFormat, evidence: Sequence[Sentence], question: str, claim: str) -> Prompt:
    """Asks whether the claim is what the question asks for and the evidence states it (Yes or No comes next)."""
    text = " ".join(one_line(sentence.text) for sentence in evidence)
    slots = {"evidence": text, "question": one_line(question), "claim": one_line(claim)}
    return _start("examine", chat, slots).then(
        Part(EXAMINE_QUESTION + chat.after + chat.before["assistant"], trusted=True)
    )


def passage_text(passages: Sequence[Passage]) -> str:
    """The passages as the model reads them: a line that says where from, then the sentences of a paragraph a line."""
    lines: list[str] = []
    source = ""
    for passage in passages:
        if (origin := passage_origin(passage)) != source:
            lines.append(origin)
            source = origin
        lines.append(" ".join(one_line(sentence.text) for sentence in passage.sentences))
    return "\n".join(lines)


def passage_origin(passage: Passage) -> str:
    """The line above a passage: title and author as far as they are known, so short that the passage has room."""
    title = f"“{_clipped(passage.title)}”" if passage.title else _clipped(passage.file)
    by = f" by {_clipped(passage.author)}" if passage.author else ""
    return f"From {title}{by}:"


def _clipped(text: str) -> str:
    line = one_line(text)
    if len(line) <= MOST_OF_A_NAME:
        return line
    words = line[:MOST_OF_A_NAME].rpartition(" ")[0]
    return f"{words or line[: MOST_OF_A_NAME - 1]}…"


def one_line(text: str) -> str:
    """Untrusted text on one line, so that it cannot pass for the next field of the prompt."""
    return " ".join(text.split())

"""What a user takes along: an answer or a conversation as Markdown, a conversation as JSON; pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag_geo import render
from rag_geo.records import Answer

VERSION = 1
"""Of the form of a saved conversation."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that was answered, and its receipt (see `rag_geo.chat.receipt`)."""

    answer: Answer
    receipt: Mapping[str, object]


def answer_markdown(answer: Answer) -> str:
    """Give a question and its answer with the citations as Markdown, in which nothing of them is markup."""
    head = [f"## {render.markdown_text(answer.question)}"]
    if answer.searched != answer.question:
        head.append(f"*Searched as:* {render.markdown_text(answer.searched)}")
    return "\n\n".join([*head, render.answer_markdown(answer)])


def conversation_markdown(turns: Sequence[Turn]) -> str:
    """Give a conversation as Markdown: each question with its answer, and what it was answered by."""
    return "\n".join(["# Conversation\n", *(f"{answer_markdown(turn.answer)}\n{_made(turn)}" for turn in turns)])


def _made(turn: Turn) -> str:
    answer, made = turn.answer, str(turn.receipt.get("made", ""))
    parts = (made, answer.model, f"index {answer.index_generation}", f"receipt {turn.receipt.get('sha256', '')}")
    # A space behind the first "*" would make an item of a list of it.
    shown = [text for part in parts if (text := render.markdown_text(part).strip())]
    return f"*{' · '.join(shown)}*\n"


def conversation_object(turns: Sequence[Turn]) -> dict[str, object]:
    """Give a conversation as an object for JSON: each answer as ``rag-geo ask --json`` has it, with its receipt.

    ``rag-geo verify`` reads it, too.
    """
    saved = [{"answer": render.answer_object(turn.answer), "receipt": dict(turn.receipt)} for turn in turns]
    return {"rag_geo_conversation": VERSION, "turns": saved}

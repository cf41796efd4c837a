"""Example questions for a collection: made of its sentences by rules, and kept only if they are answered from there.

A candidate (`rag_geo.chat.candidates`) is asked as a user would ask it. It is kept when every sentence of the answer
was verified and one of them cites the paragraph that the question was made of. What was kept, and what was tried in
vain, lies in one file beside the generation of the index that was asked, and is swept with it; a generation itself is
never changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_geo.chat.candidates import Candidate, candidates, known_names, ranked
from rag_geo.errors import GenerationError, ResourceError
from rag_geo.index import Index
from rag_geo.index.manifest import EXAMPLES
from rag_geo.llm import Stopped
from rag_geo.models.files import write_atomically
from rag_geo.records import Answer, Document, Finished

if TYPE_CHECKING:
    from rag_geo.assistant import Assistant

MOST_TRIED = 24
"""The most candidates that are asked: a collection that answers none of them gets no examples."""

MOST_READ = 60
"""The most documents that candidates are made of, evenly from the whole collection."""

_MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of the examples of one generation, asked with one model and prompt.

    `made_for` is the SHA-256 of the manifest of the generation; `questions` were kept, `tried` were asked, kept or not.
    """

    made_for: str
    model: str
    prompt_id: str
    questions: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()


def examples(index: Index) -> Sequence[str]:
    """The example questions that were kept for this generation, best first; none when none were made, or yet."""
    kept = _read(index)
    return kept.questions if kept else ()


def make_examples(
    assistant: Assistant, index: Index, *, want: int = 4, go_on: Callable[[], bool] = lambda: True
) -> Iterator[str]:
    """Make examples until `want` are kept, each given as it is found; goes on where an earlier call was stopped.

    `go_on` is asked between questions and at each event of one; whoever makes it False calls `assistant.stop()` as
    well, so that the model is free at once. Nothing else may use the model meanwhile. A question that was interrupted
    counts as not asked. Raises ResourceError when the file cannot be written, and what `Assistant.over` raises.
    """
    asking = assistant.over(index)
    kept = Kept(_made_for(index), asking.generator.id, asking.prompt_id)
    known = _read(index)
    if known and _same_asking(known, kept):
        kept = known
    wanting = len(kept.questions) < want and len(kept.tried) < MOST_TRIED
    for candidate in _candidates(index, _earlier(index, kept), go_on) if wanting else ():
        if candidate.question in kept.tried:
            continue
        if len(kept.questions) >= want or not go_on():
            return
        try:
            answer = _ask(asking, candidate.question, go_on)
        except Stopped:
            return
        except GenerationError:
            proved = False  # the next one may be shorter
        else:
            if answer is None:
                return
            proved = is_proved(answer, candidate)
        more = (candidate.question,) if proved else ()
        kept = replace(kept, tried=(*kept.tried, candidate.question), questions=kept.questions + more)
        _write(index, kept)
        yield from more


def is_proved(answer: Answer, candidate: Candidate) -> bool:
    """Whether an answer is verified as a whole and cites the paragraph that its question was made of."""
    cited = {(one.file, one.paragraph) for claim in answer.claims for one in claim.citations}
    return answer.status == "answered" and (candidate.file, candidate.paragraph) in cited


def _candidates(index: Index, earlier: Kept, go_on: Callable[[], bool]) -> Sequence[Candidate]:
    """The candidates of a collection in the order to try them; none when it shall not go on.

    Most of a collection is as it was before: what the generation before answered comes first, what it did not, last.
    """
    documents: list[Document] = []
    for entry in index.documents[:: -(-len(index.documents) // MOST_READ) or 1]:
        if not go_on():
            return ()
        documents.append(index.document(entry.file))
    # Both read every sentence, seconds of work in large documents.
    known = known_names(document for document in documents if go_on())
    found = [candidate for document in documents if go_on() for candidate in candidates(document, known)]
    if not go_on():
        return ()
    best = ranked(found, MOST_TRIED)
    again = [candidate for candidate in found if candidate.question in earlier.questions]
    new = [candidate for candidate in best if candidate.question not in earlier.tried]
    rest = [candidate for candidate in best if candidate not in (*again, *new)]
    return [*again, *new, *rest][:MOST_TRIED]


def _ask(asking: Assistant, question: str, go_on: Callable[[], bool]) -> Answer | None:
    """The answer to one question; None when it shall not go on."""
    for event in asking.stream(question):
        if isinstance(event, Finished):
            return event.answer
        if not go_on():
            break
    return None


def _path(index: Index) -> Path:
    return index.path / f"{index.generation}{EXAMPLES}"


def _made_for(index: Index) -> str:
    """What tells a generation from another of the same number."""
    return hashlib.sha256(index.manifest.to_bytes()).hexdigest()


def _same_asking(one: Kept, other: Kept) -> bool:
    return (one.model, one.prompt_id) == (other.model, other.prompt_id)


def _read(index: Index) -> Kept | None:
    """What was kept for this generation, or None."""
    kept = _read_file(_path(index))
    return kept if kept and kept.made_for == _made_for(index) else None


def _earlier(index: Index, asking: Kept) -> Kept:
    """What was kept, asked in the same way, for the generation before this one; nothing if there is none."""
    files = sorted((file for file in index.path.glob(f"*{EXAMPLES}") if file.name < _path(index).name), reverse=True)
    found = (kept for kept in map(_read_file, files) if kept and _same_asking(kept, asking))
    return next(found, Kept("", asking.model, asking.prompt_id))


def _read_file(path: Path) -> Kept | None:
    """What a file holds, or None: one that is not as it was written is as good as none."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(table, dict) or table.pop("check", "") != _check(table):
        return None
    made_for, model, prompt_id = (str(table.get(key)) for key in ("made_for", "model", "prompt_id"))
    return Kept(made_for, model, prompt_id, _texts(table.get("questions")), _texts(table.get("tried")))


def _check(table: Mapping[str, Any]) -> str:
    """What tells a table that is as it was written."""
    return hashlib.sha256(json.dumps(table, sort_keys=True).encode("ascii")).hexdigest()[:16]


def _texts(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - JSON
    """The usable questions of a list."""
    each = value if isinstance(value, list) else []
    return tuple(one for one in each if isinstance(one, str) and one.isprintable() and 0 < len(one) <= _MOST_CHARACTERS)


def _write(index: Index, kept: Kept) -> None:
    try:
        table = asdict(kept)
        text = json.dumps({**table, "check": _check(table)}, ensure_ascii=False, indent=1)
        write_atomically(_path(index), f"{text}\n")
    except OSError as error:
        raise ResourceError(
            f"the examples cannot be kept in {str(index.path)!r}: {error.strerror or error}", hint="free space"
        ) from error

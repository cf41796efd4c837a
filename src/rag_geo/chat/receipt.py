"""A receipt for an answer, and what has become of its quotes since: pure functions, no model.

A receipt is JSON: the question, what answered it, every sentence of the answer, and every quote with its file, its
characters and the hashes of both. It carries its own SHA-256, over everything else in it in canonical form, so that
damage or an edit is noticed. It is no signature: who forges a receipt can hash it anew, but a quote that the document
does not have will not be found there.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Literal, Protocol

import rag_geo
from rag_geo.errors import IndexMismatchError, UsageError
from rag_geo.filtering import filter_words
from rag_geo.records import Answer, Citation, Document, Filters, Skipped, Span
from rag_geo.render import Line, Segment, copies, place, visible, visible_name
from rag_geo.text.folding import blank, find_hidden
from rag_geo.text.folding import visible as visible_text
from rag_geo.text.quotes import locate_quote

if TYPE_CHECKING:
    from rag_geo.index import Index

State = Literal["there", "moved", "changed", "gone"]
FileState = Literal["same", "changed", "renamed", "gone"]

VERSION = 1
"""Of the form of a receipt."""

CHANGED_RATIO = 0.6
"""Of its words in order, a passage must share more than this with a quote to be what has become of it."""

_A_LITTLE = 1e-9  # of passages equally like a quote, the one at its old place is what has become of it
_NEIGHBOURS = 2  # characters that tell whether a quote begins and ends with a word
_STYLES = {"there": "good", "moved": "warn", "changed": "bad", "gone": "bad"}
_HINT = "a receipt is the JSON file that the page saves under an answer"


@dataclass(frozen=True, slots=True)
class Quote:
    """A quote as a receipt has it; `claim` is the number of the sentence it proves, from 1.

    `place` is where the original shows it, `also` are files with the same content; older receipts have neither.
    """

    claim: int
    file: str
    file_sha256: str
    paragraph: int
    start: int
    end: int
    quote: str
    place: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """What has become of a quote.

    - there: at its characters, in its paragraph, word for word, and at its place where the receipt has one;
    - moved: its words stand elsewhere in the document, or the file has another name;
    - changed: they do not, but a passage that is much like it does;
    - gone: nothing like it does, or the file is no longer there or no longer read (`reason` says why not, if known).

    `found` is the file in which it was looked for ("" when gone), `paragraph`, `start`, `end` and `place` say where
    what there is now stands, and `text` what is read there (all empty for a quote that is gone). `outdated` are the
    files, of that and the one that was cited, which the index holds otherwise than they are. `differ` are those that
    had the same content, by the receipt, and have not the quote at its characters any more.
    """

    quote: Quote
    state: State
    file_state: FileState
    found: str = ""
    paragraph: int = 0
    start: int = 0
    end: int = 0
    text: str = ""
    reason: str = ""
    outdated: tuple[str, ...] = ()
    place: str = ""
    differ: tuple[str, ...] = ()


class Documents(Protocol):
    """The documents as they are now, such as `rag_geo.index.Present` has them."""

    def document(self, file: str) -> Document | Skipped:
        """Give the document in a file, or why it is not read. Raises KeyError when there is no such file."""

    def same(self, sha256: str) -> Document | None:
        """Give a document whose file has this SHA-256, whatever its name."""

    def outdated(self, file: str) -> bool:
        """Say whether the index holds a file otherwise than it is now."""


# --- making -----------------------------------------------------------------------------------------------------


def receipt(answer: Answer, index: Index, made: datetime | None = None) -> dict[str, object]:
    """Make the receipt of an answer that `index` gave; `made` is now unless given.

    Raises `IndexMismatchError` when the answer is of another generation than `index`.
    """
    if answer.index_generation != index.generation:
        raise IndexMismatchError(
            f"the answer is of {answer.index_generation!r}, the index now of {index.generation!r}",
            hint="ask again: a receipt is made with the documents that were asked",
        )
    hashes = {file: index.documents[number].sha256 for file, number in index.numbers.items()}
    body: dict[str, object] = {
        "rag_geo_receipt": VERSION,
        "made": (made or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds"),
        "made_by": f"rag-geo {rag_geo.__version__}",
        "question": answer.question,
        "searched": answer.searched,
        "filters": asdict(answer.filters),
        "status": answer.status,
        "index_generation": answer.index_generation,
        "model": answer.model,
        "embedder": answer.embedder,
        "prompt_id": answer.prompt_id,
        "claims": [
            {
                "text": claim.text,
                "status": claim.status,
                "reason": claim.reason,
                "citations": [_citation_object(each, hashes[each.file]) for each in claim.citations],
            }
            for claim in answer.claims
        ],
    }
    return {**body, "sha256": fingerprint(body)}


def _citation_object(citation: Citation, file_sha256: str) -> dict[str, object]:
    return {
        "file": citation.file,
        "file_sha256": file_sha256,
        "paragraph": citation.paragraph,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
        "quote_sha256": text_sha256(citation.quote),
        "place": citation.place,
        "also": list(citation.also),
    }


def text_sha256(text: str) -> str:
    """Hash a text as UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def fingerprint(body: Mapping[str, object]) -> str:
    """Hash the canonical JSON of a receipt without its ``sha256``: sorted keys, no white space, ASCII."""
    rest = {name: value for name, value in body.items() if name != "sha256"}
    return text_sha256(json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True))


# --- reading ----------------------------------------------------------------------------------------------------


def read_receipts(text: str) -> list[dict[str, Any]]:
    """Read a receipt, or those of a saved conversation, and check that nothing in them was changed.

    Raises `UsageError` for what is no receipt, or no longer the one that was made.
    """
    try:
        read = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError("the file is not JSON, expected a receipt", hint=_HINT) from error
    if isinstance(read, dict) and isinstance(read.get("turns"), list):
        found = [turn.get("receipt") for turn in read["turns"] if isinstance(turn, dict)]
    else:
        found = [read]
    receipts = [each for each in found if isinstance(each, dict)]
    if not receipts:
        raise UsageError("there is no receipt in the file", hint=_HINT)
    for each in receipts:
        _check(each)
    return receipts


def _check(body: Mapping[str, Any]) -> None:
    if "rag_geo_receipt" not in body:
        raise UsageError("there is no receipt in the file", hint=_HINT)
    if body["rag_geo_receipt"] != VERSION:
        raise UsageError(
            f"the receipt has version {body['rag_geo_receipt']!r}, expected {VERSION}",
            hint="use the rag-geo that made it, or a newer one",
        )
    if body.get("sha256") != fingerprint(body):
        raise UsageError(
            "the receipt was changed since it was made: its SHA-256 is not that of what it says",
            hint="take the file as it was saved, without edits",
        )
    filters_of(body)
    for _ in quotes(body):
        pass


def filters_of(body: Mapping[str, Any]) -> Filters:
    """Give the filters of a receipt, none of an old one, which names none. Raises `UsageError` for what is none."""
    given = body.get("filters", {})
    known = {each.name for each in fields(Filters)}
    if not isinstance(given, dict) or not all(name in known and isinstance(given[name], str) for name in given):
        raise UsageError("the filters of the receipt are none", hint=_HINT)
    return Filters(**given)


def quotes(body: Mapping[str, Any]) -> Iterator[Quote]:
    """Give the quotes of a receipt in order. Raises `UsageError` where one is not what a quote must be."""
    claims = body.get("claims")
    for number, claim in enumerate(claims if isinstance(claims, list) else [None], start=1):
        cited = claim.get("citations") if isinstance(claim, dict) else None
        for one in cited if isinstance(cited, list) else [None]:
            yield _quote(number, one)


def _quote(claim: int, one: object) -> Quote:
    names = {"file": str, "file_sha256": str, "paragraph": int, "start": int, "end": int, "quote": str}
    values: dict[str, Any] = {name: one.get(name) for name in names} if isinstance(one, dict) else {}
    if not values or any(type(values[name]) is not kind for name, kind in names.items()):
        raise UsageError(f"sentence {claim} of the receipt has a citation without file, place or quote", hint=_HINT)
    quote = Quote(claim, **values, **_places(claim, one))
    if not 0 <= quote.start < quote.end or not quote.quote.strip():
        raise UsageError(f"sentence {claim} of the receipt has a citation of nothing", hint=_HINT)
    return quote


def _places(claim: int, one: object) -> dict[str, Any]:
    """Give what a citation says of its place and its copies. Raises `UsageError` for what says neither."""
    place, also = (one.get("place", ""), one.get("also", [])) if isinstance(one, dict) else ("", [])
    if not isinstance(place, str) or not isinstance(also, list) or not all(isinstance(each, str) for each in also):
        raise UsageError(f"sentence {claim} of the receipt has a citation whose place is none", hint=_HINT)
    return {"place": place, "also": tuple(also)}


# --- checking ---------------------------------------------------------------------------------------------------


def verify(receipt: Mapping[str, Any], documents: Documents) -> Sequence[Checked]:
    """Look for each quote of a receipt in the documents as they are now."""
    return [_compared(_checked(quote, documents), documents) for quote in quotes(receipt)]


def _compared(checked: Checked, documents: Documents) -> Checked:
    files = dict.fromkeys(file for file in (checked.quote.file, checked.found) if file)
    outdated = tuple(file for file in files if documents.outdated(file))
    differ = tuple(file for file in dict.fromkeys(checked.quote.also) if not _copied(file, checked.quote, documents))
    return replace(checked, outdated=outdated, differ=differ)


def _copied(file: str, quote: Quote, documents: Documents) -> bool:
    """Whether another file has a quote at the same characters."""
    try:
        document = documents.document(file)
    except KeyError:
        return False
    return isinstance(document, Document) and _holds(document, quote)


def _checked(quote: Quote, documents: Documents) -> Checked:
    state: FileState = "same"
    reason = ""
    document: Document | None = None
    try:
        there = documents.document(quote.file)
    except KeyError:
        pass
    else:
        document, reason = (there, "") if isinstance(there, Document) else (None, there.reason)
    if document is None:
        document, state = documents.same(quote.file_sha256), "renamed"
    if document is None:
        return Checked(quote, "gone", "gone", reason=reason)
    if document.sha256 != quote.file_sha256:
        state = "changed"
    here = Span(quote.start, quote.end)
    if state in ("same", "changed") and _holds(document, quote):
        return _at(quote, "there", state, document, here)
    if found := _words_at(document, quote):
        return _at(quote, "moved", state, document, found)
    if like := _like(document, quote):
        return _at(quote, "changed", state, document, like)
    return Checked(quote, "gone", state, found=document.file)


def _at(quote: Quote, state: State, file_state: FileState, document: Document, span: Span) -> Checked:
    text = visible_text(document.text, span, document.hidden)
    number = _paragraph_of(document, span)
    where = document.paragraphs[number - 1].place if number else ""
    if state == "there" and quote.place and where != quote.place:
        state = "moved"  # the same words, on another page
    return Checked(quote, state, file_state, document.file, number, span.start, span.end, text, place=where)


def _holds(document: Document, quote: Quote) -> bool:
    """Whether a quote is at its characters, in its paragraph; in another file than was cited also to be seen there."""
    start, end = quote.start, quote.end
    if document.text[start:end] != quote.quote or _paragraph_of(document, Span(start, end)) != quote.paragraph:
        return False
    if document.sha256 == quote.file_sha256:
        return True
    left = max(0, start - _NEIGHBOURS)
    around = blank(document.text, document.hidden)[left : end + _NEIGHBOURS]
    return locate_quote(_seen_words(quote), around) == Span(start - left, end - left)


def _paragraph_of(document: Document, span: Span) -> int:
    """Give the number of the paragraph that holds `span`, 0 if none does."""
    at = bisect_right(document.paragraphs, span.start, key=lambda each: each.start) - 1
    holds = at >= 0 and span.end <= document.paragraphs[at].end
    return document.paragraphs[at].number if holds else 0


def _seen_words(quote: Quote) -> str:
    return blank(quote.quote, find_hidden(quote.quote)[0])


def _words_at(document: Document, quote: Quote) -> Span | None:
    """Find the words of a quote in what is seen of a document, in the nearest paragraph that has them.

    White space and the form of quotation marks may differ, nothing else.
    """
    seen, words = blank(document.text, document.hidden), _seen_words(quote)
    for paragraph in sorted(document.paragraphs, key=lambda each: abs(each.number - quote.paragraph)):
        if found := locate_quote(words, seen[paragraph.start : paragraph.end]):
            return Span(paragraph.start + found.start, paragraph.start + found.end)
    return None


def _like(document: Document, quote: Quote) -> Span | None:
    """Find the passage most like a quote, if one is like it at all."""
    words = visible_text(quote.quote, Span(0, len(quote.quote))).casefold().split()
    wanted = Counter(words)
    best: Span | None = None
    ratio = CHANGED_RATIO
    for paragraph in document.paragraphs:
        for span in paragraph.sentences or (Span(paragraph.start, paragraph.end),):
            there = visible_text(document.text, span, document.hidden).casefold().split()
            # What is shared in any order bounds what is shared in order.
            bound = 2 * (wanted & Counter(there)).total() / max(1, len(words) + len(there))
            same_place = _A_LITTLE if paragraph.number == quote.paragraph else 0.0
            if bound + same_place > ratio:
                score = SequenceMatcher(None, words, there, autojunk=False).ratio() + same_place
                best, ratio = (span, score) if score > ratio else (best, ratio)
    return best


# --- telling ----------------------------------------------------------------------------------------------------


def checked_object(checked: Checked) -> dict[str, object]:
    """Give what has become of a quote as the object that ``rag-geo verify --json`` prints."""
    quote = checked.quote
    now = {
        "file": checked.found,
        "paragraph": checked.paragraph,
        "start": checked.start,
        "end": checked.end,
        "place": checked.place,
    }
    return {
        "claim": quote.claim,
        "file": quote.file,
        "paragraph": quote.paragraph,
        "start": quote.start,
        "end": quote.end,
        "quote": quote.quote,
        "place": quote.place,
        "also": list(quote.also),
        "state": checked.state,
        "file_state": checked.file_state,
        "reason": checked.reason,
        "differ": list(checked.differ),
        "now": {**now, "text": checked.text} if checked.state != "gone" else None,
    }


def verified_object(receipt: Mapping[str, Any], checked: Sequence[Checked]) -> dict[str, object]:
    """Give the result for one receipt as the object that ``rag-geo verify --json`` prints."""
    names = ("question", "filters", "made", "index_generation", "model", "prompt_id", "sha256")
    return {
        **{name: receipt.get(name) for name in names},
        "all_there": all(each.state == "there" for each in checked),
        "outdated": list(_outdated(checked)),
        "quotes": [checked_object(each) for each in checked],
    }


def _outdated(checked: Iterable[Checked]) -> dict[str, str]:
    """Give the files that the index holds otherwise than they are, and what it holds of them, in words."""
    words: dict[str, str] = {}
    for each in checked:
        for file in each.outdated:
            if each.file_state == "renamed" and file == each.found:
                words[file] = "the index does not have it yet"
            else:
                away = each.file_state in ("renamed", "gone")
                words[file] = "the index still has it" if away else "the index is older than the file"
    return words


def verified_lines(
    receipt: Mapping[str, Any], checked: Sequence[Checked], update: str = "rag-geo index DIR"
) -> list[Line]:
    """Lay out the result for one receipt: its question, a line for each quote, and what it says now if it changed.

    `update` is the command that brings the index up to date, for files that it holds otherwise than they are.
    """
    asked = visible(str(receipt.get("question", "")))
    made = visible(f"{receipt.get('made', '')}, {receipt.get('index_generation', '')}")
    lines = [Line((Segment(asked, "strong"), Segment(f"  {made}", "faint")), hanging=2)]
    if filters := filters_of(receipt):
        lines.append(Line((Segment("only in: ", "faint"), Segment(visible(filter_words(filters)))), 2, 9))
    for each in checked:
        same = [file for file in each.quote.also if file not in each.differ]
        where = Segment(f"{place(each.quote.file, each.quote.paragraph, each.quote.place, same)}  ", "strong")
        lines.append(
            Line((Segment(f"{each.state:<8}", _STYLES[each.state]), where, Segment(_note(each), "faint")), 2, 8)
        )
        if each.state in ("changed", "gone"):
            lines.append(Line((Segment("was “", "faint"), Segment(visible(each.quote.quote)), Segment("”")), 10, 2))
        if each.state == "changed":
            lines.append(Line((Segment("now “", "faint"), Segment(visible(each.text)), Segment("”")), 10, 2))
        if each.differ:
            names = copies([visible_name(file) for file in each.differ])
            lines.append(Line((Segment(f"no longer the same in {names}", "warn"),), 10, 2))
    for file, words in _outdated(checked).items():
        lines.append(Line((Segment(f"{visible_name(file)}: {words}: {visible(update)}", "warn"),), 2, 2))
    there = sum(each.state == "there" for each in checked)
    count = "1 quote is" if len(checked) == 1 else f"{len(checked)} quotes are"
    if not checked:
        return [*lines, Line((Segment("nothing was cited: there is nothing to check", "faint"),), 2)]
    if there == len(checked):
        return [*lines, Line((Segment(f"{count} where the receipt says, word for word", "good"),), 2)]
    return [*lines, Line((Segment(f"{there} of {len(checked)} where the receipt says, word for word", "warn"),), 2)]


def _note(checked: Checked) -> str:
    """Say what became of the file, and where the words are now."""
    files = {
        "same": "file unchanged",
        "changed": "file changed",
        "renamed": f"file is now {visible_name(checked.found)}",
        "gone": f"file is not read: {visible(checked.reason)}" if checked.reason else "file is gone",
    }
    moved = checked.state in ("moved", "changed")
    where = f", {visible(checked.place)}" if checked.place else ""
    now = f", now ¶{checked.paragraph}{where} [{checked.start}, {checked.end})"
    return files[checked.file_state] + (now if moved else "")

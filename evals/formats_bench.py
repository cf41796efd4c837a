"""How well files of every format are read: words, paragraph borders, debris, pages, seconds; beside two converters.

    python evals/formats_bench.py [--reader NAME=PYTHON …] [--files GLOB] [--each] [--json OUT]

Our own reader is always measured; `--reader markitdown=PYTHON`, `--reader docling=PYTHON` and
`--reader unstructured=PYTHON` add a converter, which is run by an interpreter that has it installed. The files are in
`evals/formats/files`, what is in them in `evals/formats/truth` (see `evals/formats/README.md`).

A reader gives blocks of text in order. A word is a run of letters and digits after NFKC and case folding, without soft
hyphens; each Chinese or Japanese character is one. Blocks that a reader marks as debris are set aside. The words of the
other blocks are aligned with those of the truth by a longest common subsequence over the whole file.

recall     the share of the truth's words that are aligned. Of a cell of a spreadsheet either what the program shows
           ("84,000.00", "94.5%") or what the file holds ("84000", "0.945") may be given. Words that may stand anywhere
           (footnotes) are aligned on their own with what is left over. A word in a block that is marked as debris is
           lost, and so is one that is parted, or joined with its neighbour.
precision  the share of the reader's words (without debris) that are aligned, or that the truth calls optional (names
           of sheets and, as often as they come, of columns; title, author and date; outputs; fields of objects).
border F1  A border is the place, counted in words, at which one paragraph of the truth ends and the next begins, and
           likewise for a reader's blocks. A reader's border lies between its last aligned word before and its first
           aligned word after; it is right if one of the truth is within these two. Borders within the same gap count
           once, so that debris between two paragraphs costs nothing here. Neutral, that is counted neither as right nor
           as wrong, are: the start and the end of the file; borders between the items of a list and between the rows of
           a table, as a converter may well make each a block; borders around optional paragraphs and footnotes. In
           spreadsheets and CSV a row is a paragraph: tables of converters are taken apart row by row there. In
           Markdown that a converter writes, blocks are separated by blank lines, by headings, and by the ends of lists
           and tables.
debris     the share of the truth's paragraphs of debris (headers, page numbers, navigation, what is hidden or struck
           out) that a reader leaves out or marks.
pages      the share of the paragraphs with a place (page, slide, sheet and row) for which the reader gives that place:
           "p. 4" begins with what the truth says. A converter that gives no places has none to be judged.
seconds    of processor time, of the process and of what it starts, from the bytes on disk to blocks: the best of
           three, with everything imported. What else the machine does is not in it.

A file that a reader refuses, or that makes it fail, counts with all its words and borders as not found; a format that
a converter does not claim to read is left out of its figures, and of ours in the comparison with it.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import re
import subprocess
import sys
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from rag_geo.records import Document

HERE = Path(__file__).parent / "formats"
FILES = HERE / "files"
TRUTH = HERE / "truth"

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
_ARABIC_MARKS = re.compile("[\u064b-\u0652\u0640]")


class Piece(NamedTuple):
    """A block as a reader gives it."""

    text: str
    debris: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader made of a file; `error` says why there is nothing, `about` are title, author and date."""

    pieces: tuple[Piece, ...] = ()
    seconds: float = 0.0
    error: str = ""
    about: tuple[tuple[str, str, str, str], ...] = ()


@dataclass(slots=True)
class Score:
    """Counts, so that scores of several files add up."""

    files: int = 0
    words: int = 0
    aligned: int = 0
    given: int = 0
    wanted: int = 0
    right: int = 0
    wrong: int = 0
    borders: int = 0
    debris: int = 0
    debris_off: int = 0
    places: int = 0
    places_right: int = 0
    seconds: float = 0.0
    failed: list[str] = field(default_factory=list)

    def add(self, other: Score) -> None:
        """Add the counts of `other`."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def recall(self) -> float:
        """Share of the words that are found."""
        return self.aligned / self.words if self.words else 1.0

    @property
    def precision(self) -> float:
        """Share of the words given that are wanted."""
        return self.wanted / self.given if self.given else 1.0

    @property
    def f1(self) -> float:
        """F1 of the borders: harmonic mean of how many are right and how many are found."""
        total = self.right * 2 + self.wrong + self.borders - self.right
        return 2 * self.right / total if total else 1.0


def words(text: str) -> list[str]:
    """The words of `text`, folded."""
    folded = unicodedata.normalize("NFKC", text.replace("\u00ad", "")).casefold()
    return _WORD.findall(_ARABIC_MARKS.sub("", folded))


def common(first: Sequence[str], second: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of positions of a longest common subsequence, in order (bit-parallel, exact)."""
    where: dict[str, int] = defaultdict(int)
    for index, word in enumerate(first):
        where[word] |= 1 << index
    rows = [(1 << len(first)) - 1]
    for word in second:
        row = rows[-1]
        same = row & where.get(word, 0)
        rows.append(((row + same) | (row - same)) & rows[0])
    pairs = []
    at, row_at = len(first), len(second)
    while at and row_at:
        bit = 1 << (at - 1)
        if rows[row_at] & bit:  # the last word of `first` adds nothing
            at -= 1
        elif not rows[row_at - 1] & bit:  # nor does the last one of `second`
            row_at -= 1
        else:
            at, row_at = at - 1, row_at - 1
            pairs.append((at, row_at))
    return pairs[::-1]


@dataclass(slots=True)
class _Wanted:
    """The truth as words: the paragraphs in order, their borders, and what is beside them."""

    words: list[str] = field(default_factory=list)
    borders: set[int] = field(default_factory=set)
    neutral: set[int] = field(default_factory=set)
    floating: list[list[str]] = field(default_factory=list)
    optional: Counter[str] = field(default_factory=Counter)
    repeated: set[str] = field(default_factory=set)
    debris: list[list[str]] = field(default_factory=list)
    places: list[tuple[int, int, str]] = field(default_factory=list)


def _wanted(truth: dict[str, Any], kind: str) -> _Wanted:
    made = _Wanted()
    for document in truth["documents"]:
        for one in document["paragraphs"]:
            found = words(one.get(kind, one["text"]))
            if one.get("debris"):
                made.debris.append(found)
            elif one.get("floating"):
                made.floating.append(found)
            elif one.get("optional"):
                made.optional.update(found)
                made.repeated.update(found if one.get("repeated") else ())
            elif found:
                _want(made, one, found)
        made.optional.update(one for about in ("title", "author", "date") for one in words(document.get(about, "")))
    made.borders.discard(len(made.words))
    return made


def _want(made: _Wanted, one: dict[str, Any], found: list[str]) -> None:
    start = len(made.words)
    if one["kind"] in ("list", "table"):
        at = start
        for line in one["text"].split("\n"):
            at += len(words(line))
            made.neutral.add(at)
    made.words.extend(found)
    made.borders.add(len(made.words))
    if one.get("place"):
        made.places.append((start, len(made.words), one["place"]))


def score(truth: dict[str, Any], read: Read) -> Score:
    """Measure one file; see the module for what is counted."""
    return max((_score(truth, read, kind) for kind in ("text", "raw")), key=lambda made: made.aligned)


def _score(truth: dict[str, Any], read: Read, kind: str) -> Score:
    """Measure one file by the text of its paragraphs as the program shows it, or as the file holds it ("raw")."""
    made = Score(files=1, seconds=read.seconds)
    wanted = _wanted(truth, kind)
    if read.error:
        made.failed.append(read.error)
    kept = [(words(piece.text), piece) for piece in read.pieces if not piece.debris]
    kept = [(found, piece) for found, piece in kept if found]
    given = [word for found, _ in kept for word in found]
    pairs = common(wanted.words, given)
    _slide(pairs, wanted.words, given, {0, *wanted.borders, len(wanted.words)})
    rest = _rest(given, pairs)
    made.words = len(wanted.words) + sum(map(len, wanted.floating))
    made.aligned = len(pairs) + _take_floating(wanted.floating, given, rest)
    spare = Counter(given[index] for index in rest if given[index] not in wanted.repeated)
    left = spare - wanted.optional
    made.given, made.wanted = len(given), len(given) - sum(left.values())
    _score_borders(made, wanted, [len(found) for found, _ in kept], pairs)
    if not read.error:
        _score_debris(made, wanted, left)
    _score_places(made, wanted, kept, pairs)
    return made


def _rest(given: Sequence[str], pairs: Sequence[tuple[int, int]]) -> list[int]:
    used = {index for _, index in pairs}
    return [index for index in range(len(given)) if index not in used]


def _take_floating(floating: Sequence[Sequence[str]], given: Sequence[str], rest: list[int]) -> int:
    """Align each text that may stand anywhere with what is left over, and take that out of `rest`."""
    taken = 0
    for one in floating:
        used = {rest[index] for _, index in common(one, [given[at] for at in rest])}
        rest[:] = [at for at in rest if at not in used]
        taken += len(used)
    return taken


def _slide(pairs: list[tuple[int, int]], first: Sequence[str], second: Sequence[str], borders: set[int]) -> None:
    """Of alignments that are as long, choose the one that breaks at a border of the truth, for every reader alike.

    Where the aligned words of `second` part, the last words before may be found again just before the next, or the
    next ones just behind the last: "… the end | The Harbour | The end …".
    """
    for index in range(len(pairs) - 1):
        (at, given), (after, later) = pairs[index], pairs[index + 1]
        if after == at + 1 and later > given + 1 and after not in borders:
            _slide_right(pairs, index, first, second, borders) or _slide_left(pairs, index, first, second, borders)


_FARTHEST = 8


def _slide_right(
    pairs: list[tuple[int, int]], index: int, first: Sequence[str], second: Sequence[str], borders: set[int]
) -> bool:
    """Move the last pairs up to `index` to the words just before the next pair."""
    (at, given), later = pairs[index], pairs[index + 1][1]
    for steps in range(1, min(_FARTHEST, index + 1, later - given - 1) + 1):
        begin = at - steps + 1
        if pairs[index - steps + 1] != (begin, given - steps + 1) or second[later - steps] != first[begin]:
            return False
        if begin in borders:
            pairs[index - steps + 1 : index + 1] = [(begin + step, later - steps + step) for step in range(steps)]
            return True
    return False


def _slide_left(
    pairs: list[tuple[int, int]], index: int, first: Sequence[str], second: Sequence[str], borders: set[int]
) -> bool:
    """Move the next pairs behind `index` to the words just behind it."""
    (at, given), later = pairs[index], pairs[index + 1][1]
    for steps in range(1, min(_FARTHEST, len(pairs) - index - 1, later - given - 1) + 1):
        end = at + steps
        if pairs[index + steps] != (end, later + steps - 1) or second[given + steps] != first[end]:
            return False
        if end + 1 in borders:
            pairs[index + 1 : index + steps + 1] = [(at + step, given + step) for step in range(1, steps + 1)]
            return True
    return False


def _score_borders(made: Score, wanted: _Wanted, lengths: Sequence[int], pairs: Sequence[tuple[int, int]]) -> None:
    total, end = sum(lengths), len(wanted.words)
    truth_of = {index: at for at, index in pairs}
    before, after = [0] * (total + 1), [end] * (total + 1)
    for index in range(total):
        before[index + 1] = truth_of[index] + 1 if index in truth_of else before[index]
    for index in reversed(range(total)):
        after[index] = truth_of.get(index, after[index + 1])
    ends = accumulate(lengths[:-1])
    gaps = sorted({(before[at], after[at]) for at in ends})
    made.borders = len(wanted.borders)
    left = set(wanted.borders)
    for low, high in gaps:
        within = [border for border in left if low <= border <= high]
        if within:
            left.discard(min(within))
            made.right += 1
        elif low and high < end and not any(low <= at <= high for at in wanted.neutral | wanted.borders):
            made.wrong += 1


def _score_debris(made: Score, wanted: _Wanted, left: Counter[str]) -> None:
    made.debris = len(wanted.debris)
    for found in wanted.debris:
        need = Counter(found)
        if need <= left:
            left = left - need
        else:
            made.debris_off += 1


def _score_places(
    made: Score, wanted: _Wanted, kept: Sequence[tuple[list[str], Piece]], pairs: Sequence[tuple[int, int]]
) -> None:
    if not any(piece.place for _, piece in kept):
        return
    owner = [piece for found, piece in kept for _ in found]
    aligned = dict(pairs)
    for start, end, place in wanted.places:
        first = next((aligned[at] for at in range(start, end) if at in aligned), None)
        made.places += 1
        made.places_right += first is not None and is_place(owner[first].place, place)


def is_place(given: str, place: str) -> bool:
    """Whether `given` is `place` or lies in it ("slide 3, notes" in "slide 3")."""
    return given == place or given.startswith((f"{place},", f"{place}–", f"{place} "))


def read_ours(file: str, data: bytes) -> Read:
    """Our own reader: blocks are paragraphs."""
    from rag_geo.readers import read_file
    from rag_geo.records import Document

    results = read_file(file, data)
    documents = [one for one in results if isinstance(one, Document)]
    pieces = tuple(
        Piece(_shown(one, paragraph.start, paragraph.end), paragraph.debris is not None, paragraph.place)
        for one in documents
        for paragraph in one.paragraphs
    )
    about = tuple((one.file, one.title, one.author, one.date) for one in documents)
    skipped = [one for one in results if not isinstance(one, Document)]
    error = skipped[0].reason if skipped and not documents else ""
    return Read(pieces, 0.0, error, about)


def _shown(document: Document, start: int, end: int) -> str:
    from rag_geo.records import Span
    from rag_geo.text.folding import visible

    return visible(document.text, Span(start, end), document.hidden)


def _ours(names: Sequence[str]) -> dict[str, Read]:
    found = {}
    for name in names:
        path = FILES / name
        read_ours(name, path.read_bytes())  # imports
        found[name] = min((_timed(path) for _ in range(3)), key=lambda read: read.seconds)
    return found


def processor_seconds() -> float:
    """Seconds of the processor that this process and what it has started took so far."""
    import resource

    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _timed(path: Path) -> Read:
    started = processor_seconds()
    read = read_ours(path.name, path.read_bytes())
    return replace(read, seconds=processor_seconds() - started)


def _converter(name: str, python: str, names: Sequence[str]) -> dict[str, Read]:
    """Run a converter by an interpreter that has it, over those of the files that it claims to read."""
    command = [python, "-W", "ignore", str(HERE / "converters.py"), name, str(FILES)]
    result = subprocess.run(command, input=json.dumps(list(names)), capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(f"{name} failed: {result.stderr[-2000:]}")
    found = json.loads(result.stdout.splitlines()[-1])
    print(f"{name}: {found['version']}", file=sys.stderr)
    return {
        file: Read(tuple(Piece(*piece) for piece in one["pieces"]), one["seconds"], one["error"])
        for file, one in found["files"].items()
    }


def format_of(name: str) -> str:
    """The ending of a file: what the table calls its format."""
    return name.rpartition(".")[2]


def truth_of(name: str) -> dict[str, Any]:
    """What is in a file of the collection."""
    return json.loads((TRUTH / f"{name}.json").read_text(encoding="utf-8"))


def names_of_files(pattern: str = "*") -> list[str]:
    """The files of the collection."""
    return sorted(path.name for path in FILES.iterdir() if fnmatch.fnmatch(path.name, pattern))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reader", action="append", default=[], help="NAME=PYTHON of a converter")
    parser.add_argument("--files", default="*")
    parser.add_argument("--each", action="store_true", help="a line for each file")
    parser.add_argument("--json", type=Path, help="write every figure to this file")
    options = parser.parse_args()
    names = names_of_files(options.files)
    reads = {"ours": _ours(names)}
    for one in options.reader:
        name, _, python = one.partition("=")
        reads[name] = _converter(name, python, names)
    scores = {
        reader: {name: score(truth_of(name), read) for name, read in found.items() if truth_of(name)["documents"]}
        for reader, found in reads.items()
    }
    if options.each:
        _print_each(scores)
    _print_formats(scores)
    _print_pairs(scores)
    if options.json:
        figures = {
            reader: {name: {**asdict(one), "recall": one.recall, "f1": one.f1} for name, one in found.items()}
            for reader, found in scores.items()
        }
        options.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")


def total(scores: Iterable[Score]) -> Score:
    """The sum of scores."""
    made = Score()
    for one in scores:
        made.add(one)
    return made


HEAD = "recall  precision  border F1   debris   places  seconds"


def _line(one: Score) -> str:
    debris = f"{one.debris_off:4}/{one.debris:<4}" if one.debris else "       – "
    places = f"{one.places_right:4}/{one.places:<4}" if one.places else "       – "
    return (
        f"{100 * one.recall:6.2f}     {100 * one.precision:6.2f}     {100 * one.f1:6.2f} {debris}{places} "
        f"{one.seconds:7.3f}{f'  {len(one.failed)} failed: {one.failed[0][:50]}' if one.failed else ''}"
    )


def _print_each(scores: dict[str, dict[str, Score]]) -> None:
    print(f"{'file':28} {'reader':13} {HEAD}")
    for name in scores["ours"]:
        for reader, found in scores.items():
            if name in found:
                print(f"{name:28} {reader:13} {_line(found[name])}")


def _print_formats(scores: dict[str, dict[str, Score]]) -> None:
    print(f"\n{'format':9} {'files':>5} {'reader':13} {HEAD}")
    for ending in [*sorted({format_of(name) for name in scores["ours"]}), "all"]:
        for reader, found in scores.items():
            made = total(one for name, one in found.items() if ending in ("all", format_of(name)))
            if made.files:
                print(f"{ending:9} {made.files:5} {reader:13} {_line(made)}")


def _print_pairs(scores: dict[str, dict[str, Score]]) -> None:
    """Ours beside each converter, over the files that it claims to read."""
    for reader, found in scores.items():
        if reader == "ours":
            continue
        mine = total(scores["ours"][name] for name in found)
        print(f"\nthe {mine.files} files that {reader} claims to read\n{'':29} {HEAD}")
        print(f"{'ours':29} {_line(mine)}\n{reader:29} {_line(total(found.values()))}")


if __name__ == "__main__":
    main()

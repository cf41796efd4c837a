"""``python -m benchmarks.collection COMMAND``: a collection of ten thousand files.

`choose` copies files of a folder with real text (documentation packages of a distribution, unpacked, do well) until
there are so many files and paragraphs; `index` indexes them and says where the time went; `again` indexes them once
more, with nothing changed, with one file added, one renamed, and one deleted; `search` asks for the paragraphs of
random sentences; `recall` says for how many questions the right paragraph is among the first five, with and without
the rest of the collection. Each prints one object of JSON.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from benchmarks.machine import machine
from benchmarks.process import Run, run
from rag_geo.embedding import Embedder, load_embedder
from rag_geo.evaluation.cases import Case, load_cases, split_of
from rag_geo.evaluation.judging import places
from rag_geo.index import Index, update_index
from rag_geo.readers.process import ReaderFailedError, ReaderProcess
from rag_geo.records import Document
from rag_geo.retrieval import embed_query, search
from rag_geo.settings import RetrievalSettings

MOST_BYTES = 2_000_000
MARK = "The lighthouse of Quellmar was lit by herring oil until 1911."
INDEX_FAILED = (3,)


@click.group()
def main() -> None:
    """Measure a large collection."""


@main.command()
@click.option("--from", "given", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--to", "target", type=click.Path(path_type=Path), required=True)
@click.option("--files", type=int, default=10_000)
@click.option("--paragraphs", type=int, default=100_000)
def choose(given: Path, target: Path, files: int, paragraphs: int) -> None:
    """Copy files until there are so many; those with too many or too few paragraphs for the average are passed over."""
    paths = sorted(path for path in given.rglob("*") if path.is_file() and 0 < path.stat().st_size <= MOST_BYTES)
    random.Random(0).shuffle(paths)
    taken = count = 0
    reader = ReaderProcess(timeout_s=10)
    for path in paths:
        if taken == files:
            break
        try:
            found = reader.read(path.name, path.read_bytes())
        except ReaderFailedError:
            continue
        size = sum(
            bool(p.sentences) and p.kind != "heading" for d in found if isinstance(d, Document) for p in d.paragraphs
        )
        due = paragraphs * (taken + 1) / files
        if not size or count + size > due + paragraphs / 200 or (count + size < due - paragraphs / 200 and size < 12):
            continue
        name = path.relative_to(given)
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / name)
        taken, count = taken + 1, count + size
    reader.close()
    _say({"files": taken, "paragraphs": count})


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("index", type=click.Path(path_type=Path))
def index(folder: Path, index: Path) -> None:
    """Index a folder, from nothing or from where a killed run came to."""
    done = _index(folder, index)
    report = json.loads(done.output)
    spent = report["spent"]
    _say(
        {
            "seconds": done.seconds,
            "peak_mb": done.peak_mb,
            "embedding_busy": spent["embedding"] / sum(spent.values()),
            "bytes": sum(path.stat().st_size for path in index.rglob("*") if path.is_file()),
            "skipped": len(report["skipped"]),
            **{name: report[name] for name in ("documents", "paragraphs", "windows", "windows_embedded", "spent")},
        }
    )


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("index", type=click.Path(path_type=Path))
def again(folder: Path, index: Path) -> None:
    """Index once more: unchanged, with a file of fifty paragraphs added, with it renamed, and without it."""
    new, renamed = folder / "quellmar.md", folder / "quellmar-lights.md"
    for path in (new, renamed):
        path.unlink(missing_ok=True)
    _index(folder, index)
    found = {"unchanged": _update(folder, index)}
    new.write_text(_fifty_paragraphs(), encoding="utf-8")
    found["added"] = _update(folder, index)
    started = time.perf_counter()
    opened = Index.open(index)
    found["open"] = {"seconds": time.perf_counter() - started, "there": new.name in opened.numbers}
    new.rename(renamed)
    found["renamed"] = _update(folder, index)
    renamed.unlink()
    found["deleted"] = _update(folder, index)
    run([sys.executable, "-m", "rag_geo", "index", "--purge", str(folder), "--index", str(index)], ok=INDEX_FAILED)
    left = [str(path) for path in index.rglob("*") if path.is_file() and b"Quellmar" in path.read_bytes()]
    _say({**found, "files that still say it": left})


@main.command("search")
@click.argument("index", type=click.Path(path_type=Path))
@click.option("--asked", type=int, default=200)
def search_command(index: Path, asked: int) -> None:
    """Search for random sentences, each once, after three to warm up; the embedding of the question is not counted."""
    embedder = load_embedder()
    opened = Index.open(index, embedder)
    draw = random.Random(0)
    rows = draw.sample(range(len(opened.rows.paragraph_number)), asked + 3)
    took, embedding = [], []
    for row in rows:
        query = draw.choice(opened.sentences(row)).text[:200] if opened.sentences(row) else "?"
        started = time.perf_counter()
        vector = embed_query(embedder, query)
        embedding.append(time.perf_counter() - started)
        started = time.perf_counter()
        search(opened, query, vector)
        took.append(time.perf_counter() - started)
    _say(
        {
            "n": asked,
            "windows": opened.manifest.windows,
            "search": _quantiles(took[3:]),
            "embed": _quantiles(embedding[3:]),
        }
    )


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("index", type=click.Path(path_type=Path))
@click.option("--corpus", type=click.Path(path_type=Path, exists=True), default=Path("corpus"))
@click.option("--questions", type=click.Path(path_type=Path, exists=True), default=Path("evals/questions.jsonl"))
def recall(folder: Path, index: Path, corpus: Path, questions: Path) -> None:
    """Add the corpus to the collection, ask the test questions of both, and take it out again."""
    embedder = load_embedder()
    cases = [case for case in load_cases(questions) if case.gold and split_of(case.id) == "test"]
    copied = [Path(shutil.copy(path, folder / path.name)) for path in sorted(corpus.glob("*.md"))]
    try:
        _index(folder, index)
        with tempfile.TemporaryDirectory() as place:
            update_index(corpus, Path(place) / "index", embedder)
            opened = {"alone": Index.open(Path(place) / "index"), "among others": Index.open(index)}
            found = {name: _recall(one, cases, embedder) for name, one in opened.items()}
    finally:
        for path in copied:
            path.unlink()
        _index(folder, index)
    _say({"n": len(cases), "recall@5": found, "windows": opened["among others"].manifest.windows})


def _recall(index: Index, cases: Sequence[Case], embedder: Embedder) -> float:
    """The mean over the questions of the share of their right paragraphs that are among the first five found."""
    settings = replace(RetrievalSettings(), paragraphs=5)
    shares = []
    for case in cases:
        hits = search(index, case.question, embed_query(embedder, case.question), settings)
        right = {(place.file, place.paragraph) for place in places(case, index)}
        shares.append(len(right & {(hit.file, hit.paragraph) for hit in hits}) / len(right))
    return sum(shares) / len(shares)


def _index(folder: Path, index: Path) -> Run:
    command = [sys.executable, "-m", "rag_geo", "index", str(folder), "--index", str(index), "--json"]
    return run(command, ok=INDEX_FAILED)


def _update(folder: Path, index: Path) -> dict[str, object]:
    done = _index(folder, index)
    report = json.loads(done.output)
    return {"seconds": done.seconds, "peak_mb": done.peak_mb} | {
        name: report[name] for name in ("published", "read", "windows_embedded", "windows")
    }


def _fifty_paragraphs() -> str:
    lines = (f"In year {1850 + n} the keepers of Quellmar burnt {300 + 7 * n} barrels of oil." for n in range(49))
    return "# Lights of Quellmar\n\n" + "\n\n".join([MARK, *lines]) + "\n"


def _quantiles(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {"p50": ordered[len(ordered) // 2], "p95": ordered[int(len(ordered) * 0.95)], "max": ordered[-1]}


def _say(found: dict[str, object]) -> None:
    print(
        json.dumps(
            {**found, "machine": machine().describe() if hasattr(machine(), "describe") else str(machine())}, indent=1
        )
    )


if __name__ == "__main__":
    main()

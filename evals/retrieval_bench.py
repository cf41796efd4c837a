"""How well an index is searched: right document, right paragraph, and right sentence within the context budget.

    python evals/retrieval_bench.py INDEX QUESTIONS.jsonl [--budget 320]

A question is an object with `question` and either `gold` (a list of `file` and `quote`), `gold_doc` (a file) or
`gold_doc_id` (a file without its ending); those with `answerable` false are left out. The words alone and the meaning
alone are measured in the same run.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rag_geo.embedding import DEFAULT_MODEL, load_embedder
from rag_geo.index import Index
from rag_geo.records import Hit, Passage
from rag_geo.retrieval import choose_context, search
from rag_geo.settings import RetrievalSettings

Ranking = Sequence[Sequence[Hit]]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--budget", type=int, nargs="*", default=[240, 320, 400, 480])
    parser.add_argument("--embedder", default=DEFAULT_MODEL)
    options = parser.parse_args()
    embedder = load_embedder(options.embedder, trust=True)
    index = Index.open(options.index, embedder)
    cases = [case for case in _read(options.questions) if case.get("answerable", True) and _files(case, index)]
    vectors = embedder.embed([case["question"] for case in cases])
    print(f"{len(cases)} questions, {len(index.documents)} documents, {index.manifest.windows} windows")
    wide = RetrievalSettings(paragraphs=200, documents=20)
    variants = {
        "words alone": replace(wide, dense_weight=0.0, document_dense_weight=0.0),
        "meaning alone": replace(wide, lexical_weight=0.0, document_dense_weight=1.0),
        "both": wide,
    }
    for name, settings in variants.items():
        started = time.perf_counter()
        found = [search(index, case["question"], vector, settings) for case, vector in zip(cases, vectors, strict=True)]
        each = (time.perf_counter() - started) / max(1, len(cases))
        print(f"{name:14} {_documents(index, cases, found)} {_paragraphs(cases, found)} {1000 * each:5.1f} ms")
    if any("gold" in case for case in cases):
        for paragraphs in (4, 6, 8, 10):
            shares = [
                f"{budget} tokens {_in_context(cases, found, paragraphs, budget, embedder.count_tokens):5.1f} %"
                for budget in options.budget
            ]
            print(f"gold sentence in the context of {paragraphs:2} paragraphs: {', '.join(shares)}")


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def _files(case: dict[str, Any], index: Index) -> set[str]:
    if "gold" in case:
        return {one["file"] for one in case["gold"]}
    if case.get("gold_doc"):
        return {case["gold_doc"]}
    return {entry.file for entry in index.documents if entry.file.rpartition(".")[0] == case.get("gold_doc_id")}


def _documents(index: Index, cases: Sequence[dict[str, Any]], found: Ranking) -> str:
    """Share of the questions whose document is among the first, by the score of documents."""
    ranks = []
    for case, hits in zip(cases, found, strict=True):
        files = {hit.file: hit.document_score for hit in reversed(hits)}
        order = sorted(files, key=lambda file: -files[file])
        ranks.append(min((order.index(file) for file in _files(case, index) if file in order), default=10**6))
    return "document " + _shares(np.array(ranks), (1, 5, 10))


def _paragraphs(cases: Sequence[dict[str, Any]], found: Ranking) -> str:
    """Share of the questions with a gold paragraph among the first."""
    if not any("gold" in case for case in cases):
        return ""
    ranks = []
    for case, hits in zip(cases, found, strict=True):
        right = [any(_in_hit(hit, one) for one in case["gold"]) for hit in hits]
        ranks.append(right.index(True) if any(right) else 10**6)
    return "paragraph " + _shares(np.array(ranks), (1, 2, 4, 6, 8))


def _in_hit(hit: Hit, gold: dict[str, str]) -> bool:
    return hit.file == gold["file"] and " ".join(gold["quote"].split()) in " ".join(s.text for s in hit.sentences)


def _in_context(
    cases: Sequence[dict[str, Any]], found: Ranking, paragraphs: int, budget: int, count_tokens: Callable[[str], int]
) -> float:
    """Share of the questions with a gold quote among the sentences chosen, in per cent."""
    held = []
    for case, hits in zip(cases, found, strict=True):
        chosen = choose_context(hits[:paragraphs], case["question"], count_tokens, budget)
        held.append(any(_holds_quote(chosen, one["file"], one["quote"]) for one in case["gold"]))
    return 100 * float(np.mean(held))


def _holds_quote(passages: Sequence[Passage], file: str, quote: str) -> bool:
    """Whether `quote`, up to white space, is in the sentences of one of the passages of `file`."""
    wanted = " ".join(quote.split())
    return any(
        wanted in " ".join(sentence.text for sentence in passage.sentences)
        for passage in passages
        if passage.file == file
    )


def _shares(ranks: np.ndarray, firsts: Sequence[int]) -> str:
    return " ".join(f"@{first} {100 * np.mean(ranks < first):5.1f}" for first in firsts)


if __name__ == "__main__":
    main()

"""How well texts in other languages than English are searched, in one language and in a folder of all of them.

    python evals/languages_bench.py FOLDER [--languages en de ru] [--embedder NAME|PATH]

FOLDER holds, for each language, LANG_docs.jsonl (`doc_id`, `text`) and LANG_questions.jsonl (`question`,
`gold_doc_id`), as the XQuAD paragraphs do when they are written so. Every text becomes a file. Printed is the share of
the questions whose text is found first, and among the first five: by BM25 over words read as English and over words
read in their language, and by the search of the product by words, by meaning and by both; the last three also in a
folder that holds the texts of all languages at once.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rag_geo import Settings, load_embedder, update_index
from rag_geo.embedding import DEFAULT_MODEL, Embedder
from rag_geo.index import Index
from rag_geo.index.lexical import Field, count_terms
from rag_geo.retrieval import search
from rag_geo.settings import RetrievalSettings
from rag_geo.text.languages import language_of
from rag_geo.text.words import terms

_WIDE = RetrievalSettings(paragraphs=50, documents=50)
_SEARCHES = {
    "words": replace(_WIDE, dense_weight=0.0, document_dense_weight=0.0),
    "meaning": replace(_WIDE, lexical_weight=0.0, document_dense_weight=1.0),
    "both": _WIDE,
}


@dataclass(frozen=True, slots=True)
class Set:
    """Texts by their names, and questions with the name of the text that answers each."""

    language: str
    texts: dict[str, str]
    questions: tuple[tuple[str, str], ...]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--languages", nargs="*", default=[])
    parser.add_argument("--embedder", default=DEFAULT_MODEL)
    options = parser.parse_args()
    embedder = load_embedder(options.embedder, trust=True)
    languages = options.languages or sorted(path.name[:2] for path in options.folder.glob("??_docs.jsonl"))
    sets = [_read(options.folder, language) for language in languages]
    print(f"embedder {embedder.id}; recall of the right text, first / among the first five, in per cent")
    vectors = [embedder.embed([question for question, _ in one.questions]) for one in sets]
    with tempfile.TemporaryDirectory() as place:
        for one, asked in zip(sets, vectors, strict=True):
            _report(one, asked, _indexed(Path(place, one.language), one.texts, embedder))
        if len(sets) > 1:
            texts = {name: text for one in sets for name, text in one.texts.items()}
            _report_together(sets, vectors, _indexed(Path(place, "all"), texts, embedder))


def _read(folder: Path, language: str) -> Set:
    documents = _lines(folder / f"{language}_docs.jsonl")
    questions = _lines(folder / f"{language}_questions.jsonl")
    return Set(
        language,
        {f"{language}-{row['doc_id']}.txt": row["text"] for row in documents},
        tuple((row["question"], f"{language}-{row['gold_doc_id']}.txt") for row in questions),
    )


def _lines(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def _report(one: Set, vectors: np.ndarray, index: Index) -> None:
    told = sum(language_of(text) == one.language for text in one.texts.values())
    asked = Counter(language_of(question) for question, _ in one.questions)
    print(
        f"{one.language}: {len(one.texts)} texts, {told} of them known to be {one.language}; {len(one.questions)} "
        f"questions, {asked[one.language]} known to be, {asked['']} unclear"
    )
    for name, language in (("words as English", "en"), ("words by language", one.language)):
        print(f"    {name:18} {_shares(_by_words(one, language))}")
    for name, settings in _SEARCHES.items():
        print(f"    {name:18} {_shares(_by_search(index, one, vectors, settings))}", flush=True)


def _report_together(sets: Sequence[Set], vectors: Sequence[np.ndarray], index: Index) -> None:
    print(f"one folder: {len(index.documents)} texts in {', '.join(index.languages)}")
    for one, asked in zip(sets, vectors, strict=True):
        found = (f"{name} {_shares(_by_search(index, one, asked, settings))}" for name, settings in _SEARCHES.items())
        print(f"    {one.language:18} {'   '.join(found)}", flush=True)


def _indexed(place: Path, texts: dict[str, str], embedder: Embedder) -> Index:
    folder, path = place / "texts", place / "index"
    folder.mkdir(parents=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    update_index(folder, path, embedder, Settings())
    return Index.open(path, embedder)


def _by_words(one: Set, language: str) -> list[int]:
    """The rank of the right text for each question, from 0, by BM25 alone; the last when no word is found."""
    names = list(one.texts)
    field = Field([count_terms(terms(list(one.texts.values()), language))], [np.arange(len(names))], len(names))
    ranks = []
    for (_, gold), asked in zip(
        one.questions, terms([question for question, _ in one.questions], language), strict=True
    ):
        scores = field.of(list(dict.fromkeys(asked)))
        order = np.argsort(-scores, kind="stable")
        ranks.append(int(np.flatnonzero(order == names.index(gold))[0]))
    return ranks


def _by_search(index: Index, one: Set, vectors: np.ndarray, settings: RetrievalSettings) -> list[int]:
    ranks = []
    for (question, gold), vector in zip(one.questions, vectors, strict=True):
        files = list(dict.fromkeys(hit.file for hit in search(index, question, vector, settings)))
        ranks.append(files.index(gold) if gold in files else len(index.documents))
    return ranks


def _shares(ranks: Sequence[int]) -> str:
    return " / ".join(f"{100 * np.mean(np.array(ranks) < first):5.1f}" for first in (1, 5))


if __name__ == "__main__":
    main()

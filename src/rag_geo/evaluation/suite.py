"""A whole evaluation: what is asked for, the jobs of its tiers, and what comes of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from rag_geo.assistant import Assistant
from rag_geo.embedding import Embedder
from rag_geo.errors import UsageError
from rag_geo.evaluation import copies, tiers
from rag_geo.evaluation.cases import (
    Case,
    Text,
    carries_documents,
    choose,
    clean_documents,
    load_cases,
    load_documents,
    load_rows,
)
from rag_geo.evaluation.runs import Run, settings_object
from rag_geo.evaluation.tiers import Bench, Job
from rag_geo.index import Index
from rag_geo.settings import Settings

QUESTIONS = Path("evals/questions.jsonl")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for.

    `documents` False asks the model alone. `docs` is a folder or a JSON lines file of other documents; `data` a file
    of sentences for the grounding tier alone.
    """

    tiers: tuple[str, ...] = ("retrieval", "answer")
    limit: int | None = None
    kinds: tuple[str, ...] = ()
    split: str = ""
    seed: int = 0
    documents: bool = True
    questions: Path = QUESTIONS
    docs: Path | None = None
    data: Path | None = None

    @property
    def name(self) -> str:
        """A short name for the folder of the run."""
        if not self.documents:
            return tiers.CLOSED_BOOK
        return "all" if set(self.tiers) == set(tiers.TIERS) else "-".join(self.tiers)


class Step(NamedTuple):
    """How far a run is: jobs of this tier that are done, and all."""

    tier: str
    done: int
    total: int


def plan_object(plan: Plan) -> dict[str, Any]:
    """Give a plan as an object for JSON."""
    table = asdict(plan)
    return {name: str(value) if isinstance(value, Path) else value for name, value in table.items()}


def plan_from(table: Mapping[str, Any]) -> Plan:
    """Read a plan back."""
    paths = {name: Path(table[name]) for name in ("questions", "docs", "data") if table.get(name)}
    return Plan(**{**table, "tiers": tuple(table["tiers"]), "kinds": tuple(table["kinds"]), **paths})


@dataclass
class Suite:
    """Measures what is asked for: opens what its tiers need, and loads the model only for those that ask it.

    Use it as a context manager: the model is freed at the end.
    """

    plan: Plan
    settings: Settings
    load_embedder: Callable[[Settings], Embedder]
    load_assistant: Callable[[Settings], Assistant]
    _assistant: Assistant | None = field(default=None, init=False)
    _run: Run | None = field(default=None, init=False)

    def __enter__(self) -> Suite:
        return self

    def __exit__(self, *_: object) -> None:
        if self._assistant is not None:
            self._assistant.close()

    def stop(self) -> None:
        """Abort the question being asked, from any thread."""
        if self._assistant is not None:
            self._assistant.stop()

    def check(self) -> None:
        """Raise `UsageError` when what is asked for is not there or leaves nothing to measure."""
        if self.plan.data is not None:
            left: Sequence[object] = self.rows
        else:
            left = self.cases
        if not left:
            raise UsageError(
                f"no question of {str(self.plan.data or self.plan.questions)!r} is left to ask",
                hint="ask for more with --kind, --split and --limit",
            )

    def measure(self, run: Run) -> Iterator[Step]:
        """Do every job that the run has no results of, and tell after each how far it is."""
        self.check()
        self._run = run
        run.mend()
        results = run.results
        for tier in self._tiers():
            jobs = self.jobs(tier)
            ids = {result.id for result in results if result.tier == tier}
            # A job of several results has its own id before theirs.
            ids |= {id.rpartition("/")[0] for id in ids}
            left = [job for job in jobs if job.id not in ids]
            yield Step(tier, len(jobs) - len(left), len(jobs))
            for number, job in enumerate(left, len(jobs) - len(left) + 1):
                run.append(job.run())
                yield Step(tier, number, len(jobs))

    def jobs(self, tier: str) -> list[Job]:
        """Give the jobs of a tier."""
        plan = self.plan
        if tier == "grounding" and plan.data is not None:
            return tiers.grounding_data_jobs(self.rows, self.bench)
        match tier:
            case "retrieval":
                return tiers.retrieval_jobs(self.cases, self.bench)
            case "answer":
                return tiers.answer_jobs(self.cases, self.bench)
            case tiers.CLOSED_BOOK:
                return tiers.closed_book_jobs(self.cases, self.bench)
            case "grounding":
                return tiers.grounding_jobs(self.cases, self.bench, plan.limit)
            case "robustness":
                return tiers.robustness_jobs(self.cases, self.bench, plan.limit)
        raise UsageError(f"there is no tier {tier!r}", hint=f"one of {', '.join(tiers.TIERS)}")

    def _tiers(self) -> Sequence[str]:
        return self.plan.tiers if self.plan.documents else (tiers.CLOSED_BOOK,)

    @cached_property
    def rows(self) -> list[Mapping[str, Any]]:
        """The sentences of `plan.data` to be checked."""
        if self.plan.data is None:
            return []
        rows = load_rows(self.plan.data)
        return rows if self.plan.limit is None else rows[: self.plan.limit]

    @cached_property
    def cases(self) -> list[Case]:
        """The questions that are asked."""
        plan = self.plan
        cases = load_cases(plan.questions, self._texts)
        if plan.kinds and (unknown := set(plan.kinds) - {case.kind for case in cases}):
            known = ", ".join(sorted({case.kind for case in cases}))
            raise UsageError(f"no question is of the kind {min(unknown)!r}", hint=f"kinds in the file: {known}")
        return choose(cases, limit=plan.limit, kinds=plan.kinds, split=plan.split, seed=plan.seed)

    @cached_property
    def bench(self) -> Bench:
        """What the tiers measure with."""
        embedder = self.load_embedder(self.settings)
        index = self._index(embedder)
        index.check_embedder(embedder)
        settings = replace(self.settings, index=index.path)
        clean = None
        if self._own_documents:
            texts = clean_documents(self.plan.questions)
            clean = copies.index_of_texts(texts, embedder, settings, self._copies) if texts else None
        self.run.note(
            {
                "embedder": embedder.id,
                "index": _fingerprint(index),
                "settings": settings_object(self.settings),
                "seed": self.plan.seed,
            }
        )
        return Bench(index, embedder, settings, self._copies, lambda: self._load(settings), self.plan.seed, clean)

    def _index(self, embedder: Embedder) -> Index:
        docs, settings, place = self.plan.docs, self.settings, self._copies
        if self.plan.data is not None:
            return tiers.index_of_sources(self.rows, embedder, settings, place)
        if self._texts:
            return copies.index_of_texts(self._texts, embedder, settings, place)
        if docs is not None:
            return copies.index_of_folder(docs, embedder, settings, place)
        return Index.open(settings.index)

    def _load(self, settings: Settings) -> Assistant:
        if self._assistant is None:
            self._assistant = self.load_assistant(settings)
            made_with = {"model": self._assistant.generator.id, "prompt_id": self._assistant.prompt_id}
            calibration = asdict(replace(self._assistant.calibration, probes={}))
            probes = hashlib.sha256(repr(self._assistant.calibration.probes).encode()).hexdigest()[:16]
            self.run.note({**made_with, "calibration": calibration | {"probes": probes}})
        return self._assistant

    @cached_property
    def _texts(self) -> list[Text]:
        """Documents that come as lines."""
        docs = self.plan.docs
        if docs is not None and not docs.is_dir():
            return load_documents(docs)
        return load_documents(self.plan.questions) if self._own_documents else []

    @cached_property
    def _own_documents(self) -> bool:
        return self.plan.docs is None and self.plan.data is None and carries_documents(self.plan.questions)

    @property
    def run(self) -> Run:
        """The run that is measured."""
        if self._run is None:
            raise RuntimeError("measure() was not called")
        return self._run

    @property
    def _copies(self) -> Path:
        return self.run.folder.parent / "copies"


def _fingerprint(index: Index) -> str:
    """First characters of a hash of everything that the index holds."""
    digests = "".join(entry.sha256 for _, entry in index.manifest.files)
    return hashlib.sha256(digests.encode()).hexdigest()[:16]

"""Every default in one place, and one pure function that says which value wins.

Precedence: command line flag, then ``RAG_GEO_*`` environment variable, then ``rag-geo.toml``, then the default here.
Nothing else in the package reads the environment.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from rag_geo.errors import UsageError


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """What is embedded: `sentences` per window, moved on by `stride`; title and heading in front of each or not."""

    sentences: int = 2
    stride: int = 1
    title: bool = False
    heading: bool = False


@dataclass(frozen=True, slots=True)
class RetrievalSettings:
    """How paragraphs are found and how many are read.

    `documents` is the size of the first stage; `paragraphs` the number of hits given on; the `*_weight` are the shares
    of each normalised score in the fused one (see `rag_geo.retrieval`); `context_tokens` is the budget for the passages, in
    tokens of the answering model.
    """

    documents: int = 20
    paragraphs: int = 4
    dense_weight: float = 0.5
    lexical_weight: float = 0.5
    document_weight: float = 0.3
    context_tokens: int = 320


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """How the model is run: `threads` 0 means every physical core; `max_tokens` bounds an answer."""

    threads: int = 0
    context_size: int = 4096
    max_sentences: int = 3
    max_tokens: int = 120
    max_seconds: float = 180.0


@dataclass(frozen=True, slots=True)
class ReadingSettings:
    """Limits on a file: larger files are skipped and say which setting to raise."""

    max_file_mb: int = 50


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Paths are as given (relative to the working directory)."""

    index: Path = Path("index/default")
    cache: Path = Path("~/.cache/rag-geo")
    model: str = "qwen2.5-coder-1.5b-instruct-q4_k_m"
    trust_model: bool = False
    embedder: str = "all-MiniLM-L6-v2"
    offline: bool = False
    windows: WindowSettings = field(default_factory=WindowSettings)
    retrieval: RetrievalSettings = field(default_factory=RetrievalSettings)
    generation: GenerationSettings = field(default_factory=GenerationSettings)
    reading: ReadingSettings = field(default_factory=ReadingSettings)


SECTIONS: dict[str, type] = {
    "windows": WindowSettings,
    "retrieval": RetrievalSettings,
    "generation": GenerationSettings,
    "reading": ReadingSettings,
}

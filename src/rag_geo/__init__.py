"""A local assistant that answers from a folder of documents and proves every sentence with a paragraph.

::

    from rag_geo import Assistant, Settings

    with Assistant.from_settings(Settings()) as assistant:
        answer = assistant.ask("Who is described as the junior partner?")
        for claim in answer.claims:
            ...

Names are loaded when they are first used: importing the package takes milliseconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag_geo.assistant import Assistant
    from rag_geo.embedding import Embedder, load_embedder
    from rag_geo.errors import RagGeoError
    from rag_geo.index import Index, update_index
    from rag_geo.llm import Generator
    from rag_geo.records import Answer, Citation, Claim, Filters, Hit
    from rag_geo.retrieval import search
    from rag_geo.settings import Settings, resolve_settings

_HOMES = {
    "Answer": "records",
    "Assistant": "assistant",
    "Citation": "records",
    "Claim": "records",
    "Embedder": "embedding",
    "Filters": "records",
    "Generator": "llm",
    "Hit": "records",
    "Index": "index",
    "RagGeoError": "errors",
    "Settings": "settings",
    "load_embedder": "embedding",
    "resolve_settings": "settings",
    "search": "retrieval",
    "update_index": "index",
}

__all__ = [
    "Answer",
    "Assistant",
    "Citation",
    "Claim",
    "Embedder",
    "Filters",
    "Generator",
    "Hit",
    "Index",
    "RagGeoError",
    "Settings",
    "__version__",
    "load_embedder",
    "resolve_settings",
    "search",
    "update_index",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Load a public name from the module it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module 'rag_geo' has no attribute {name!r}")
    value = getattr(import_module(f"rag_geo.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)

"""``rag-geo`` with a scripted model: ``python tests/chat_program.py chat --index INDEX ...``.

Loading takes as many seconds as the environment variable LOADING says, embedding a text as many as EMBEDDING says.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from chat_server import MORE, Slow
from collection import SAYS
from rag_geo.assistant import Assistant
from rag_geo.calibration import CAREFUL
from rag_geo.cli import run
from rag_geo.index import Index
from rag_geo.process import run_process
from rag_geo.session import Edges
from rag_geo.settings import Settings
from rag_geo.testing import HashEmbedder

ENVIRONMENT = os.environ  # noqa: TID251


class Embedder(HashEmbedder):
    def embed(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> Any:
        # A question is one text; when documents are indexed there are more.
        time.sleep(float(ENVIRONMENT.get("EMBEDDING", "0")) if len(texts) > 1 else 0.0)
        return HashEmbedder.embed(self, texts, progress)


def load(settings: Settings, _note: Callable[[str], None]) -> Assistant:
    embedder = Embedder(dimension=512)
    index = Index.open(settings.index, embedder)
    time.sleep(float(ENVIRONMENT.get("LOADING", "0")))
    return Assistant(index, embedder, Slow(says=SAYS | MORE), settings=settings, calibration=CAREFUL)


if __name__ == "__main__":
    edges = Edges(dict(ENVIRONMENT), load_assistant=load, load_embedder=lambda _: Embedder(dimension=512))
    run_process(lambda: run(sys.argv[1:], edges))

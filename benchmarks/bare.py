"""The references: the libraries underneath, doing the same work and nothing else.

As a process of its own, for cold starts and memory::

    python -m benchmarks.bare encode FOLDER TEXTS.json         # sentence-transformers with its defaults
    python -m benchmarks.bare llama MODEL READ WRITTEN THREADS CONTEXT
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag_geo.llm import READ_BATCH
from rag_geo.prompts import LANES

# Which tokens are read makes no difference to the time.
_TOKEN = 1000


class BareLlama:
    """llama.cpp with the model and context settings of `rag_geo.llm`, through the functions of its C interface."""

    def __init__(self, path: Path, threads: int, context_size: int) -> None:
        import llama_cpp

        self._llama = llama_cpp
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = 0
        parameters.use_extra_bufts = False
        self._model = llama_cpp.llama_model_load_from_file(os.fsencode(path), parameters)
        if not self._model:
            raise RuntimeError(f"llama.cpp cannot load {str(path)!r}")
        self._parameters = llama_cpp.llama_context_default_params()
        self._parameters.n_ctx = context_size
        self._parameters.n_batch = self._parameters.n_ubatch = READ_BATCH
        self._parameters.n_seq_max = len(LANES)
        self._parameters.n_threads = self._parameters.n_threads_batch = threads or os.cpu_count() or 1
        self._parameters.flash_attn_type = 1
        self._parameters.kv_unified = True
        self._parameters.no_perf = True

    def seconds(self, read: int, written: int) -> float:
        """Seconds for decoding `read` tokens in full batches, then `written` ones one at a time, from the beginning.

        One context for each call; making it is not counted.
        """
        context: Any = self._llama.llama_init_from_model(self._model, self._parameters)
        if not context:
            raise RuntimeError("llama.cpp cannot make a context")
        batch = self._llama.llama_batch_init(READ_BATCH, 0, 1)
        try:
            start = time.perf_counter()
            for first in range(0, read, READ_BATCH):
                self._decode(context, batch, first, min(READ_BATCH, read - first), last=first + READ_BATCH >= read)
            for position in range(read, read + written):
                self._decode(context, batch, position, 1, last=True)
            return time.perf_counter() - start
        finally:
            self._llama.llama_batch_free(batch)
            self._llama.llama_free(context)

    def close(self) -> None:
        """Free the model."""
        self._llama.llama_model_free(self._model)

    def _decode(self, context: Any, batch: Any, position: int, count: int, *, last: bool) -> None:  # noqa: ANN401
        for i in range(count):
            batch.token[i] = _TOKEN
            batch.pos[i] = position + i
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = int(last and i == count - 1)
        batch.n_tokens = count
        code = self._llama.llama_decode(context, batch)
        if code:
            raise RuntimeError(f"llama.cpp failed at position {position} (code {code})")
        # The result is only certain to be there once it is asked for.
        if last:
            self._llama.llama_get_logits_ith(context, -1)


class BareEncoder:
    """`SentenceTransformer.encode` with its defaults, but for the progress bar."""

    def __init__(self, folder: Path) -> None:
        from sentence_transformers import SentenceTransformer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()  # type: ignore[no-untyped-call]
        self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)

    def encode(self, texts: Sequence[str]) -> Any:  # noqa: ANN401
        """float32[len(texts), dimension]."""
        return self._model.encode(list(texts), show_progress_bar=False)


def _hush() -> object:
    """Silence llama.cpp's log; keep what is returned, llama.cpp calls it."""
    import llama_cpp

    callback = llama_cpp.llama_log_callback(lambda *_: None)
    llama_cpp.llama_log_set(callback, ctypes.c_void_p(0))
    return callback


def main(arguments: Sequence[str]) -> None:
    """Do one piece of work from a cold start; says "done" on standard error when it is done."""
    kind, path, *others = arguments
    if kind == "encode":
        BareEncoder(Path(path)).encode(json.loads(Path(others[0]).read_text("utf-8")))
    else:
        read, written, threads, context_size = map(int, others)
        kept = _hush()
        llama = BareLlama(Path(path), threads, context_size)
        llama.seconds(read, written)
        llama.close()
        del kept
    print("done", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])

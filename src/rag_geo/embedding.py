"""Text to vectors: the `Embedder` protocol and the models behind it.

A sentence-transformers folder of the plain BERT kind (the default model, all-MiniLM-L6-v2, is one) runs on
`rag_geo.bert`, which starts in a tenth of a second; any other goes through sentence-transformers itself.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag_geo.errors import ModelError
from rag_geo.models import embedder_folder

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController
    from tokenizers import Tokenizer

    from rag_geo.bert import Bert

Vectors = NDArray[np.float32]
Progress = Callable[[int, int], None]

DEFAULT_MODEL = "all-MiniLM-L6-v2"
ENGLISH_ONLY = frozenset((DEFAULT_MODEL,))
"""Names of embedders that were made for English alone."""

_BATCH_TOKENS = 2048
_BATCH_TEXTS = 32
_AT_A_TIME = 16
_TOLD_AFTER = 256


class Embedder(Protocol):
    """Makes vectors whose inner product says how close two texts are in meaning.

    `id` is the name and the beginning of the SHA-256 of the model's files: two embedders with one id give the same
    vectors. `max_tokens` is the input limit; the rest of a longer text is not read.
    """

    @property
    def id(self) -> str:
        """Name and fingerprint."""
        ...

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens that are read of a text, special ones included."""
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of `text`, special tokens included: at most `max_tokens` of them are read."""
        ...

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """float32[len(texts), dimension], rows of length 1; `progress` is told (done, total) after each batch."""
        ...


def load_embedder(name: str = DEFAULT_MODEL, cache: Path | None = None, *, trust: bool = False) -> Embedder:
    """The embedder called `name`: the packaged default, or the path of a sentence-transformers folder.

    Every file of it is checked by SHA-256 before it is used; `cache` is the folder that remembers the hashes (None:
    hash anew). A folder with other files than those of a known embedder needs `trust`.

    Raises ModelError when there is no such model, its files are damaged or not known, or it cannot be loaded.
    """
    checked = embedder_folder(name, cache, trust=trust)
    folder, identity = checked.path, f"{checked.name}@{checked.sha256[:16]}"
    try:
        if is_plain_bert(folder):
            return BertEmbedder(folder, identity)
        return SentenceTransformerEmbedder(folder, identity)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"embedder {str(folder)!r} cannot be loaded: {error}", hint="rag-geo doctor says which part is damaged"
        ) from error


def is_plain_bert(folder: Path) -> bool:
    """Whether `rag_geo.bert` computes what the model in `folder` means: BERT, GELU, mean pooling, nothing more."""
    if not all((folder / name).is_file() for name in ("model.safetensors", "tokenizer.json", "1_Pooling/config.json")):
        return False
    modules = [module["type"].rpartition(".")[2] for module in _json(folder / "modules.json")]
    config = _json(folder / "config.json")
    pooling = {key for key, value in _json(folder / "1_Pooling/config.json").items() if value is True}
    return (
        modules in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
        and (config.get("model_type"), config.get("hidden_act")) == ("bert", "gelu")
        and config.get("position_embedding_type", "absolute") == "absolute"
        and pooling - {"include_prompt"} == {"pooling_mode_mean_tokens"}
    )


class _SingleThreaded:
    """Holds the libraries for matrices to one thread while anybody is inside, whoever came first and goes last.

    A question is embedded while an index is built: with a limit each, the first to end would lift the other's.
    """

    def __init__(self, libraries: ThreadpoolController) -> None:
        self._libraries = libraries
        self._lock = threading.Lock()
        self._inside = 0
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._limit = self._libraries.limit(limits=1)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limit.restore_original_limits()


class BertEmbedder:
    """A plain BERT folder on NumPy: texts sorted by length, no padding, one batch per core at a time."""

    def __init__(self, folder: Path, identity: str) -> None:
        from threadpoolctl import ThreadpoolController
        from tokenizers import Tokenizer

        config = _json(folder / "config.json")
        self.id = identity
        self.dimension = int(config["hidden_size"])
        self.max_tokens = _limit(folder, config)
        try:
            self._tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:
            raise ValueError(f"tokenizer.json: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._bert = _load_bert(folder, config)
        self._single = _SingleThreaded(ThreadpoolController())

    def count_tokens(self, text: str) -> int:
        """Word pieces of `text`, the two special ones included."""
        return len(self._tokenizer.encode(_clean(text)).ids)

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """See `Embedder.embed`."""
        out = np.empty((len(texts), self.dimension), np.float32)
        ids = [self._ids(text) for text in texts]
        batches = list(_batches([len(one) for one in ids]))

        def run(batch: list[int]) -> int:
            out[batch] = self._bert.encode([ids[row] for row in batch])
            return len(batch)

        # One thread for a batch: waiting for each other in every matrix product costs more than it saves, and on a busy
        # machine a hundred times more. Several batches run side by side.
        with self._single:
            if len(batches) <= 1:
                done = sum(map(run, batches))
                if progress:
                    progress(done, len(texts))
            else:
                _run_side_by_side(run, batches, progress, len(texts))
        return out

    def _ids(self, text: str) -> NDArray[np.int64]:
        ids = self._tokenizer.encode(_clean(text)).ids
        if len(ids) > self.max_tokens:
            ids = [*ids[: self.max_tokens - 1], ids[-1]]
        return np.asarray(ids, np.int64)


class _Turns:
    """Lets one thread in at a time, and whoever waits before whoever was in just now.

    With a lock alone, a thread that leaves and comes again at once, as one that builds an index does, is nearly always
    faster than one that has to wake up.
    """

    def __init__(self) -> None:
        self._next = threading.Lock()
        self._busy = threading.Lock()

    def __enter__(self) -> None:
        with self._next:
            self._busy.acquire()

    def __exit__(self, *_: object) -> None:
        self._busy.release()


class SentenceTransformerEmbedder:
    """Any other sentence-transformers folder, through the library, on the CPU.

    Its tokenizer cannot be used by two threads at once: they take turns, batch by batch.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        from sentence_transformers import SentenceTransformer

        self.id = identity
        self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.max_tokens = int(self._model.max_seq_length or 512)
        self._turns = _Turns()

    def count_tokens(self, text: str) -> int:
        """Tokens of `text`, special ones included."""
        with self._turns:
            return len(self._model.tokenizer(_clean(text))["input_ids"])

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """See `Embedder.embed`."""
        out = np.empty((len(texts), self.dimension), np.float32)
        order = sorted(range(len(texts)), key=lambda row: -len(texts[row]))
        for start in range(0, len(order), _AT_A_TIME):
            rows = order[start : start + _AT_A_TIME]
            with self._turns:
                out[rows] = self._model.encode(
                    [_clean(texts[row]) for row in rows],
                    batch_size=_AT_A_TIME,
                    normalize_embeddings=True,
                    show_progress_bar=False,
                )
            done = start + len(rows)
            if progress and (done % _TOLD_AFTER == 0 or done == len(texts)):
                progress(done, len(texts))
        return out


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows, longest first, in batches of at most `_BATCH_TEXTS` texts and `_BATCH_TOKENS` tokens."""
    batch: list[int] = []
    tokens = 0
    for row in sorted(range(len(lengths)), key=lambda row: (-lengths[row], row)):
        if batch and (len(batch) == _BATCH_TEXTS or tokens + lengths[row] > _BATCH_TOKENS):
            yield batch
            batch, tokens = [], 0
        batch.append(row)
        tokens += lengths[row]
    if batch:
        yield batch


def _run_side_by_side(
    run: Callable[[list[int]], int], batches: list[list[int]], progress: Progress | None, total: int
) -> None:
    """One batch per core at a time: the parts between matrix products use every core as well."""
    done = 0
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        waiting: list[Future[int]] = [pool.submit(run, batch) for batch in batches]
        try:
            for future in as_completed(waiting):
                done += future.result()
                if progress:
                    progress(done, total)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _load_bert(folder: Path, config: dict[str, Any]) -> Bert:
    from safetensors import SafetensorError, safe_open

    from rag_geo.bert import from_tensors

    try:
        with safe_open(folder / "model.safetensors", "numpy") as file:
            tensors = {name.removeprefix("bert."): file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"model.safetensors: {error}") from error
    floats = {name: np.asarray(t, np.float32) for name, t in tensors.items() if t.dtype.kind == "f"}
    return from_tensors(floats, int(config["num_attention_heads"]), float(config["layer_norm_eps"]))


def _limit(folder: Path, config: dict[str, Any]) -> int:
    path = folder / "sentence_bert_config.json"
    limit = _json(path).get("max_seq_length") if path.is_file() else None
    return int(limit or config["max_position_embeddings"])


def _json(path: Path) -> Any:  # noqa: ANN401 - JSON
    return json.loads(path.read_text("utf-8"))


def _clean(text: str) -> str:
    """`text` with lone surrogates, which no tokenizer takes, replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")

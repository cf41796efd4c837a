"""A locally run language model behind three verbs: read a prompt, choose between words, write a sentence.

`Generator` is what the rest of the package knows; `LlamaGenerator` is llama.cpp behind it. A prompt is a sequence of
trusted and untrusted parts (`rag_geo.prompts`): only the trusted ones may become control tokens. What was read once is
kept: each prompt names a *lane* (a sequence of the key-value cache), and only the tokens that differ from what that
lane holds are read. The fixed beginning of a prompt is also kept on disk between runs.

llama.cpp is not safe to use from two threads at once (two threads on one context abort the process): a lock
guards each call, and `stop()` is the only method that may be called while another runs.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import math
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from rag_geo.errors import GenerationError, ModelError
from rag_geo.models.states import sweep_states
from rag_geo.prompts import LANES, Lane, Prompt
from rag_geo.records import Tokens

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import tiktoken

#: Tokens read between two looks at the clock and the stop flag.
READ_BATCH = 128
#: Tokens of the context kept free behind a prompt for what is written.
WRITE_ROOM = 256
#: Prompts read side by side, at most.
SIDES = 16
#: Bumped when the layout of a saved state changes.
STATE_FORMAT = 1

#: Pre-tokeniser patterns by GGUF name (`tokenizer.ggml.pre`), as the models' published tokenizers give them.
PATTERNS = {
    "qwen2": (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
}


class Written(NamedTuple):
    """One piece of generated text and the natural-log probability of its token."""

    text: str
    logprob: float


class Chosen(NamedTuple):
    """What a model thinks of the next token: natural-log probability of each option's first token, and its state.

    `state` is the last hidden state of the token that was read last, normalised, as little-endian float16[width]: what
    all those probabilities are computed from, and more (`rag_geo.probing`). Empty for a model that does not show it.
    """

    logprobs: tuple[float, ...]
    state: bytes = b""


class Generator(Protocol):
    """A language model that reads prompts, chooses between given words and writes greedily."""

    @property
    def id(self) -> str:
        """Name and first characters of the SHA-256 of the weights."""
        ...

    @property
    def context_size(self) -> int:
        """Tokens a prompt and its answer may have together."""
        ...

    @property
    def tokens(self) -> Tokens:
        """Tokens read, taken from the cache and written since the model was loaded."""
        ...

    def count(self, text: str) -> int:
        """Tokens of untrusted text."""
        ...

    @property
    def template(self) -> str:
        """The model's chat template: only looked at for the marks of its family, never run."""
        ...

    def read(self, prompt: Prompt) -> Iterator[tuple[int, int]]:
        """Read a prompt so that what is asked after it starts from there; gives (tokens done, tokens in all)."""
        ...

    def choose(self, prompt: Prompt, options: Sequence[str]) -> Chosen:
        """How probable each option is after the prompt."""
        ...

    def choose_each(self, prompts: Sequence[Prompt], options: Sequence[str]) -> list[Chosen]:
        """`choose` for several prompts, of any lanes, read side by side: faster than one after the other."""
        ...

    def write(self, prompt: Prompt, max_tokens: int) -> Iterator[Written]:
        """Continue the prompt greedily, token by token, until the end of the turn or `max_tokens`."""
        ...

    def start(self) -> None:
        """Forget an earlier `stop()`: a new question begins."""
        ...

    def stop(self) -> None:
        """Abort what is running and what is called next, from any thread, until `start()`: calls raise `Stopped`."""
        ...

    def close(self) -> None:
        """Free the memory."""
        ...


class Stopped(GenerationError):
    """`stop()` was called, or the time for one answer was used up."""


@dataclass(slots=True)
class _Lane:
    """What one sequence of the key-value cache holds."""

    sequence: int
    tokens: list[int]


class _Library:
    """llama.cpp's log lines, kept so that a load error can say what llama.cpp said."""

    def __init__(self) -> None:
        import llama_cpp

        self.lines: list[str] = []
        self._callback = llama_cpp.llama_log_callback(self._log)
        llama_cpp.llama_log_set(self._callback, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()

    def _log(self, level: int, text: bytes, _: ctypes.c_void_p) -> None:
        if level == 4:  # GGML_LOG_LEVEL_ERROR
            self.lines.append(text.decode("utf-8", "replace").strip())


_library: _Library | None = None


def _open_library() -> _Library:
    """Load llama.cpp once for the process; the callback must outlive every model."""
    global _library
    if _library is None:
        try:
            _library = _Library()
        except (ImportError, OSError, RuntimeError) as error:
            raise ModelError(f"llama.cpp cannot be loaded: {error}", hint="make setup") from error
    _library.lines.clear()
    return _library


def vocabulary(tokens: Sequence[str], kinds: Sequence[int], pattern: str) -> tiktoken.Encoding:
    """A byte-level BPE vocabulary as tiktoken counts it, from the tokens of a GGUF file.

    `tokens` are in the printable-byte alphabet of GPT-2; `kinds` their GGUF token types (1 is normal). Ranks are
    the ids, which is the order of the merges in every published byte-level vocabulary; a test compares the result with
    llama.cpp's own tokenizer.
    """
    import tiktoken

    alphabet = _byte_alphabet()
    ranks = {
        bytes(alphabet[c] for c in token): rank
        for rank, (token, kind) in enumerate(zip(tokens, kinds, strict=True))
        if kind == 1
    }
    return tiktoken.Encoding("gguf", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})


def _byte_alphabet() -> dict[str, int]:
    """GPT-2's printable stand-ins for the 256 bytes (Radford et al. 2019, `bytes_to_unicode`), reversed."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    alphabet = {chr(b): b for b in printable}
    alphabet.update({chr(256 + i): b for i, b in enumerate(others)})
    return alphabet


class LlamaGenerator:
    """llama.cpp on this machine's processor.

    `path` must be a verified file (`rag_geo.models.resolve_model`). Saved states go to `state_folder` (None: nowhere).
    Raises `ModelError` when the file cannot be loaded.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        sha256: str,
        threads: int = 0,
        context_size: int = 4096,
        state_folder: Path | None = None,
    ) -> None:
        library = _open_library()
        import llama_cpp

        self._llama = llama_cpp
        self.id = f"{name}@{sha256[:12]}"
        self.context_size = context_size
        self._sha256 = sha256
        self._state_folder = state_folder
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._read = self._cached = self._written = 0
        self._last: _Lane | None = None
        self._lanes = {name: _Lane(sequence, []) for sequence, name in enumerate(LANES)}
        self._model = self._load(path, library)
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._size = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self._width = llama_cpp.llama_model_n_embd(self._model)
        try:
            self._context = self._open_context(path, library, threads or len(os.sched_getaffinity(0)), context_size)
        except ModelError:
            llama_cpp.llama_model_free(self._model)
            raise
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(READ_BATCH, 0, 1)
        self._encoding = self._make_encoding()

    def _load(self, path: Path, library: _Library) -> Any:  # noqa: ANN401 - a pointer of the library
        parameters = self._llama.llama_model_default_params()
        parameters.n_gpu_layers = 0
        # Repacked weights write 15 % faster but read 30 % slower here and double the load time; prompts dominate.
        parameters.use_extra_bufts = False
        model = self._llama.llama_model_load_from_file(os.fsencode(path), parameters)
        if not model:
            said = "; ".join(library.lines[-2:]) or "no reason given"
            known = "unknown model architecture" not in said
            hint = "rag-geo models verify" if known else "rag-geo models list names the models that work"
            raise ModelError(f"{str(path)!r} cannot be loaded by llama.cpp: {said}", hint=hint)
        return model

    def _open_context(self, path: Path, library: _Library, threads: int, context_size: int) -> Any:  # noqa: ANN401
        llama = self._llama
        parameters = llama.llama_context_default_params()
        parameters.n_ctx = context_size
        parameters.n_batch = parameters.n_ubatch = READ_BATCH
        parameters.n_seq_max = len(LANES) + SIDES
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.flash_attn_type = 1
        parameters.kv_unified = True
        parameters.no_perf = True
        context = llama.llama_init_from_model(self._model, parameters)
        if not context:
            said = "; ".join(library.lines[-2:]) or "not enough memory?"
            raise ModelError(f"no context of {context_size} tokens for {str(path)!r}: {said}", hint="rag-geo doctor")
        self._abort = llama.ggml_abort_callback(lambda _: self._stop.is_set())
        llama.llama_set_abort_callback(context, self._abort, ctypes.c_void_p(0))
        return context

    def _make_encoding(self) -> tiktoken.Encoding | None:
        """The vocabulary for tiktoken, or None for a kind of vocabulary that tiktoken cannot hold."""
        llama = self._llama
        pattern = PATTERNS.get(self._metadata("tokenizer.ggml.pre"))
        if pattern is None:
            return None
        ids = range(self._size)
        texts = [llama.llama_vocab_get_text(self._vocab, i).decode("utf-8", "replace") for i in ids]
        kinds = [1 if llama.llama_vocab_get_attr(self._vocab, i) & 4 else 0 for i in ids]  # LLAMA_TOKEN_ATTR_NORMAL
        return vocabulary(texts, kinds, pattern)

    def _metadata(self, key: str) -> str:
        buffer = ctypes.create_string_buffer(1 << 16)
        length = self._llama.llama_model_meta_val_str(self._model, key.encode(), buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace") if length >= 0 else ""

    @property
    def tokens(self) -> Tokens:
        """Tokens read, taken from the cache and written since the model was loaded."""
        return Tokens(read=self._read, cached=self._cached, written=self._written)

    def count(self, text: str) -> int:
        """Tokens of untrusted text: by tiktoken over the model's own vocabulary, else by llama.cpp itself."""
        if self._encoding is None:
            return len(self.tokenize(text, special=False))
        return len(self._encoding.encode_ordinary(text))

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Token ids; only with `special` does text such as ``<|im_end|>`` become a control token."""
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        ids = (self._llama.llama_token * room)()
        n = self._llama.llama_tokenize(self._vocab, data, len(data), ids, room, False, special)
        if n < 0:
            raise GenerationError(f"llama.cpp could not tokenise {len(data)} bytes")
        return list(ids[:n])

    def prompt_tokens(self, prompt: Prompt) -> list[int]:
        """The ids of a prompt: each part tokenised for itself, untrusted parts without control tokens."""
        return [i for part in prompt.parts for i in self.tokenize(part.text, special=part.trusted)]

    @property
    def template(self) -> str:
        """The model's chat template: only looked at for the marks of its family, never run."""
        return self._metadata("tokenizer.chat_template")

    def read(self, prompt: Prompt) -> Iterator[tuple[int, int]]:
        """Read a prompt so that what is asked after it starts from there; gives (tokens done, tokens in all).

        Raises `GenerationError` when the prompt does not fit the context, `Stopped` after `stop()`.
        """
        with self._lock:
            yield from self._advance(prompt)

    def choose(self, prompt: Prompt, options: Sequence[str]) -> Chosen:
        """How probable each option is after the prompt."""
        with self._lock:
            for _ in self._advance(prompt, shown=True):
                pass
            return self._chosen(-1, self._first_tokens(options))

    def choose_each(self, prompts: Sequence[Prompt], options: Sequence[str]) -> list[Chosen]:
        """`choose` for several prompts, of any lanes, read side by side: faster than one after the other.

        What the prompts of a lane have in common is read once; the rests share batches, each in a sequence of its own.
        """
        with self._lock:
            firsts = self._first_tokens(options)
            return [
                chosen
                for first in range(0, len(prompts), SIDES)
                for chosen in self._side_by_side(prompts[first : first + SIDES], firsts)
            ]

    def write(self, prompt: Prompt, max_tokens: int) -> Iterator[Written]:
        """Continue the prompt greedily, token by token, until the end of the turn or `max_tokens`."""
        with self._lock:
            for _ in self._advance(prompt):
                pass
            lane = self._lanes[prompt.lane]
            pending = b""
            for _ in range(max_tokens):
                logits = self._logits()
                token = int(logits.argmax())
                if self._llama.llama_vocab_is_eog(self._vocab, token):
                    break
                top = float(logits[token])
                logprob = -math.log(float(_exp_sum(logits, top)))
                pending += self._piece(token)
                text, pending = _whole_characters(pending)
                self._written += 1
                yield Written(text, logprob)
                for _ in self._decode(lane, [token]):
                    pass

    def _first_tokens(self, options: Sequence[str]) -> list[int]:
        return [self.tokenize(option, special=False)[0] for option in options]

    def _chosen(self, place: int, tokens: Sequence[int]) -> Chosen:
        """How probable tokens are after the token at `place` of the last batch, which was read with its state shown."""
        logits = self._logits(place)
        top = float(logits.max())
        norm = top + math.log(float(_exp_sum(logits, top)))
        return Chosen(tuple(float(logits[i]) - norm for i in tokens), self._state(place))

    def _state(self, place: int) -> bytes:
        import numpy as np

        pointer = self._llama.llama_get_embeddings_ith(self._context, place)
        return np.ctypeslib.as_array(pointer, shape=(self._width,)).astype("<f2").tobytes() if pointer else b""

    def _side_by_side(self, prompts: Sequence[Prompt], firsts: Sequence[int]) -> Iterator[Chosen]:
        """Read prompts, at most `SIDES`, each in a sequence that starts as a copy of what its lane has in common."""
        wholes = [self.prompt_tokens(prompt) for prompt in prompts]
        by_lane: dict[Lane, list[int]] = {}
        for number, prompt in enumerate(prompts):
            by_lane.setdefault(prompt.lane, []).append(number)
        starts = {
            lane: min(_common_prefix(wholes[own[0]], wholes[number][:-1]) for number in own)
            for lane, own in by_lane.items()
        }
        rests = sum(len(whole) - starts[prompt.lane] for prompt, whole in zip(prompts, wholes, strict=True))
        for lane, own in by_lane.items():
            for _ in self._bring(prompts[own[0]], wholes[own[0]][: starts[lane]], beside=rests):
                pass
        sides = [
            _Lane(len(LANES) + number, list(whole[: starts[prompt.lane]]))
            for number, (prompt, whole) in enumerate(zip(prompts, wholes, strict=True))
        ]
        for side, prompt in zip(sides, prompts, strict=True):
            source = self._lanes[prompt.lane].sequence
            self._llama.llama_memory_seq_cp(self._memory, source, side.sequence, 0, len(side.tokens))
        try:
            yield from self._read_sides(sides, wholes, firsts)
        finally:
            for side in sides:
                self._llama.llama_memory_seq_rm(self._memory, side.sequence, -1, -1)

    def _read_sides(
        self, sides: Sequence[_Lane], wholes: Sequence[Sequence[int]], firsts: Sequence[int]
    ) -> Iterator[Chosen]:
        """Read the rest of each prompt into its side, all of them in common batches, their last tokens at the end."""
        waiting = [
            (side, place, whole[place])
            for side, whole in zip(sides, wholes, strict=True)
            for place in range(len(side.tokens), len(whole) - 1)
        ]
        lasts = [(side, len(whole) - 1, whole[-1]) for side, whole in zip(sides, wholes, strict=True)]
        self._last = None
        self._read += len(waiting) + len(lasts)
        self._cached += sum(len(side.tokens) for side in sides)
        for first in range(0, len(waiting), READ_BATCH):
            self._read_beside(waiting[first : first + READ_BATCH], shown=False)
        self._read_beside(lasts, shown=True)
        for i in range(len(lasts)):
            yield self._chosen(i, firsts)

    def _read_beside(self, part: Sequence[tuple[_Lane, int, int]], *, shown: bool) -> None:
        """Read a batch of (sequence, position, token); `shown` are the logits and the state of each."""
        for i, (side, place, token) in enumerate(part):
            self._put(i, token, place, side.sequence, wanted=shown)
        self._batch.n_tokens = len(part)
        code = self._decode_batch(shown=shown)
        if code != 0:
            raise _decode_error(code)

    def _decode_batch(self, *, shown: bool) -> int:
        """Let llama.cpp read the batch and give its code; `shown`: with the state of its tokens.

        A batch that shows states costs as if the logits of all its tokens were wanted: only short ones do.
        """
        self._llama.llama_set_embeddings(self._context, shown)
        return int(self._llama.llama_decode(self._context, self._batch))

    def start(self) -> None:
        """Forget an earlier `stop()`: a new question begins."""
        self._stop.clear()

    def stop(self) -> None:
        """Abort what is running and what is called next, from any thread, until `start()`: calls raise `Stopped`."""
        self._stop.set()

    def close(self) -> None:
        """Free the model; nothing may be called afterwards."""
        with self._lock:
            if self._context:
                self._llama.llama_batch_free(self._batch)
                self._llama.llama_free(self._context)
                self._llama.llama_model_free(self._model)
                self._context = self._model = None

    def _advance(self, prompt: Prompt, *, shown: bool = False) -> Iterator[tuple[int, int]]:
        """Bring the prompt's lane to the end of the prompt, reading only what it does not hold.

        `shown`: the last token is read for itself, so that its state can be seen.
        """
        tokens = self.prompt_tokens(prompt)
        if not shown:
            yield from self._bring(prompt, tokens)
            return
        if self._lanes[prompt.lane].tokens[: len(tokens) - 1] != tokens[:-1]:
            yield from self._bring(prompt, tokens[:-1])
        self._last = None
        yield from self._bring(prompt, tokens, shown=True)

    def _bring(
        self, prompt: Prompt, tokens: list[int], *, beside: int = 0, shown: bool = False
    ) -> Iterator[tuple[int, int]]:
        """Bring the prompt's lane to `tokens`, the prompt or a part of it, with room for `beside` tokens more."""
        if self._stop.is_set():
            raise Stopped("stopped")
        fixed = len(self.prompt_tokens(prompt.beginning))
        lane = self._lanes[prompt.lane]
        self._make_room(lane, len(tokens), beside)
        if fixed and lane.tokens[:fixed] != tokens[:fixed]:
            self._restore(lane, tokens[:fixed])
        if lane.tokens == tokens and (lane is self._last or beside):
            self._cached += len(tokens)
            return
        # Of a lane that was not the last to be read the logits are gone: its last token is read again.
        kept = min(_common_prefix(lane.tokens, tokens), len(tokens) if beside else len(tokens) - 1)
        self._forget(lane, kept)
        self._cached += kept
        self._read += len(tokens) - kept
        yield from self._decode(lane, tokens[kept:], shown=shown)

    def _logits(self, place: int = -1) -> npt.NDArray[np.float32]:
        """Logits after a token of the last batch, ``float32[vocabulary]``: a view that the next reading overwrites."""
        import numpy as np

        pointer = self._llama.llama_get_logits_ith(self._context, place)
        return np.ctypeslib.as_array(pointer, shape=(self._size,))

    def _make_room(self, lane: _Lane, wanted: int, beside: int) -> None:
        """See that a prompt and `WRITE_ROOM` tokens after it fit; what other lanes hold is dropped if need be."""
        room = self.context_size - WRITE_ROOM - beside
        if wanted > room:
            raise GenerationError(
                f"the prompt has {wanted} tokens, the context room for {room}",
                hint="ask a shorter question, or raise generation.context_size",
            )
        others = [other for other in self._lanes.values() if other is not lane]
        if wanted + sum(len(other.tokens) for other in others) > room:
            for other in others:
                self._forget(other, 0)

    def _forget(self, lane: _Lane, kept: int) -> None:
        if kept < len(lane.tokens):
            self._llama.llama_memory_seq_rm(self._memory, lane.sequence, kept, -1)
            del lane.tokens[kept:]
            self._last = None

    def _decode(self, lane: _Lane, tokens: Sequence[int], *, shown: bool = False) -> Iterator[tuple[int, int]]:
        """Read tokens into a lane, a batch at a time; gives (tokens in the lane, tokens it will hold)."""
        total = len(lane.tokens) + len(tokens)
        for first in range(0, len(tokens), READ_BATCH):
            part = tokens[first : first + READ_BATCH]
            self._fill(lane, part, final=first + len(part) == len(tokens))
            self._last = None
            code = self._decode_batch(shown=shown)
            if code != 0:
                # What of the batch reached the cache is unknown: the lane goes back to what it held.
                self._llama.llama_memory_seq_rm(self._memory, lane.sequence, len(lane.tokens), -1)
                raise _decode_error(code)
            lane.tokens.extend(part)
            self._last = lane
            yield len(lane.tokens), total

    def _fill(self, lane: _Lane, tokens: Sequence[int], *, final: bool) -> None:
        batch = self._batch
        position = len(lane.tokens)
        for i, token in enumerate(tokens):
            self._put(i, token, position + i, lane.sequence, wanted=final and i == len(tokens) - 1)
        batch.n_tokens = len(tokens)

    def _put(self, i: int, token: int, position: int, sequence: int, *, wanted: bool) -> None:
        """Set entry `i` of the batch; `wanted` are its logits."""
        batch = self._batch
        batch.token[i] = token
        batch.pos[i] = position
        batch.n_seq_id[i] = 1
        batch.seq_id[i][0] = sequence
        batch.logits[i] = int(wanted)

    def _piece(self, token: int) -> bytes:
        buffer = ctypes.create_string_buffer(256)
        n = self._llama.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
        return buffer.raw[: max(n, 0)]

    def _restore(self, lane: _Lane, tokens: list[int]) -> None:
        """Put the fixed beginning of a prompt into a lane: from disk if it is there and whole, else by reading it."""
        self._forget(lane, 0)
        if self._load_state(lane, tokens):
            return
        self._read += len(tokens)
        for _ in self._decode(lane, tokens):
            pass
        self._save_state(lane)

    def _state_path(self, tokens: Sequence[int]) -> Path | None:
        if self._state_folder is None:
            return None
        key = json.dumps(
            [
                STATE_FORMAT,
                self._sha256,
                self._llama.__version__,
                self._llama.llama_print_system_info().decode(),
                list(tokens),
            ]
        )
        return self._state_folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.state"

    def _load_state(self, lane: _Lane, tokens: list[int]) -> bool:
        """Read a saved state; a file that is missing or not what was written is as good as none."""
        path = self._state_path(tokens)
        if path is None:
            return False
        try:
            stored = path.read_bytes()
        except OSError:
            return False
        digest, state = stored[:32], stored[32:]
        if hashlib.sha256(state).digest() != digest:
            return False
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        if not self._llama.llama_state_seq_set_data(self._context, buffer, len(state), lane.sequence):
            self._llama.llama_memory_seq_rm(self._memory, lane.sequence, -1, -1)
            return False
        lane.tokens = list(tokens)
        return True

    def _save_state(self, lane: _Lane) -> None:
        """Keep a lane's state on disk, and drop those that nobody uses any more.

        A disk that is full or read-only costs time at the next start, nothing else.
        """
        path = self._state_path(lane.tokens)
        if path is None:
            return
        size = self._llama.llama_state_seq_get_size(self._context, lane.sequence)
        buffer = (ctypes.c_uint8 * size)()
        n = self._llama.llama_state_seq_get_data(self._context, buffer, size, lane.sequence)
        state = bytes(buffer[:n])
        part = path.with_suffix(f".part{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(hashlib.sha256(state).digest() + state)
            part.replace(path)
        except OSError:
            with suppress(OSError):
                part.unlink()
        sweep_states(path.parent, time.time())


def _exp_sum(logits: npt.NDArray[np.float32], top: float) -> float:
    import numpy as np

    return float(np.exp(logits.astype(np.float64) - top).sum())


def _common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the common beginning."""
    n = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        n += 1
    return n


def _whole_characters(data: bytes) -> tuple[str, bytes]:
    """Decoded text so far, and the bytes of a character that is not complete yet (at most three)."""
    for cut in range(min(4, len(data) + 1)):
        try:
            return data[: len(data) - cut].decode("utf-8"), data[len(data) - cut :]
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", "replace"), b""


def _decode_error(code: int) -> GenerationError:
    """llama.cpp's return codes: 1 no room in the cache, 2 aborted by the callback, others failed."""
    if code == 2:
        return Stopped("stopped")
    if code == 1:
        return GenerationError("the model's context is full", hint="raise generation.context_size")
    return GenerationError(f"llama.cpp failed to read the prompt (code {code})", hint="rag-geo doctor")

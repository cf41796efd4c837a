"""What holds for every test, and what the tests of models share."""

from __future__ import annotations

import hashlib
import signal

from hypothesis import settings

from rag_geo.models import HubSource, ModelSpec, WheelSource

# A machine under load is no failure of a single example; the time limit of the whole test is in pyproject.toml.
settings.register_profile("rag-geo", deadline=None)
settings.load_profile("rag-geo")

# A shell's background job is born deaf to Ctrl-C, and so are its children: the tests of interrupts may run in one.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def tiny_spec(content: bytes, *sources: HubSource | WheelSource) -> ModelSpec:
    """The entry of the registry for a model named "tiny" whose file is `content`."""
    return ModelSpec(
        name="tiny",
        role="answerer",
        licence="Apache-2.0",
        file="tiny.gguf",
        bytes=len(content),
        sha256=sha256(content),
        sources=sources,
    )

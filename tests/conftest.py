"""What holds for every test."""

from __future__ import annotations

import signal

from hypothesis import settings

# A machine under load is no failure of a single example; the time limit of the whole test is in pyproject.toml.
settings.register_profile("rag-geo", deadline=None)
settings.load_profile("rag-geo")

# A shell's background job is born deaf to Ctrl-C, and so are its children: the tests of interrupts may run in one.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

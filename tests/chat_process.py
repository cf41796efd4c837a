"""``rag-geo chat`` as a process of its own, with a scripted model."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PROGRAM = Path(__file__).parent / "chat_program.py"
SCRIPTED = (sys.executable, str(PROGRAM))
ENVIRONMENT = os.environ  # noqa: TID251


@contextmanager
def chat(
    folder: Path, *options: str, program: Sequence[str] = SCRIPTED, **environment: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run it over the index of `folder`; gives the process and the URL that it printed."""
    command = [*program, "chat", "--index", str(folder / "index"), "--port", "0", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(ENVIRONMENT) | environment
    )
    with process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def until_ready(process: subprocess.Popen[str]) -> str:
    """Wait until it can be asked; gives what it said until then."""
    said = ""
    for line in process.stderr:
        if line.startswith("ready"):
            return said
        said += line
    raise AssertionError("it ended before it was ready")

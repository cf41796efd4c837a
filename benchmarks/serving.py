"""A chat as a process of its own, to be measured from outside."""

from __future__ import annotations

import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
END_S = 60.0


@dataclass(frozen=True, slots=True)
class Served:
    """A running chat: its process, its address, when it was started, and the last lines that it said."""

    process: subprocess.Popen[str]
    url: str
    began: float
    said: deque[str] = field(default_factory=lambda: deque(maxlen=30))

    def failed(self) -> click.ClickException:
        """What to raise when it does not start."""
        return click.ClickException("the chat does not start:\n" + "".join(self.said))


@contextmanager
def serving(command: Sequence[str], hear: Callable[[str], None] = lambda _: None) -> Iterator[Served]:
    """Run a chat, and tell it to end at the end; `process` has its exit code then.

    `hear` is given every line of its standard error, and at its end an empty one, in a thread of its own. Raises
    `click.ClickException` when there is no address.
    """
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        said: deque[str] = deque(maxlen=30)
        reader = threading.Thread(target=_listen, args=(process, said, hear), daemon=True)
        reader.start()
        try:
            assert process.stdout is not None
            served = Served(process, process.stdout.readline().strip(), began, said)
            if not served.url:
                reader.join(10)
                raise served.failed()
            yield served
            process.terminate()
            process.wait(END_S)
        finally:
            process.kill()
            reader.join(10)


def _listen(process: subprocess.Popen[str], said: deque[str], hear: Callable[[str], None]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        said.append(line)
        hear(line)
    hear("")

"""Run a command so that one can see it move: a title, one line that keeps changing, the time taken; the rest in a log.

On a terminal the line is rewritten in place; elsewhere (a CI log) it is printed anew every `QUIET_SECONDS`, so that
neither silence nor thousands of lines come out of a step of minutes.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

QUIET_SECONDS = 15.0
_LOG_TAIL = 30


class StepError(Exception):
    """A command of the set-up failed; the message says which, and shows the end of its output."""


def clock(seconds: float) -> str:
    """Give a time as ``4.2 s`` or ``3 min 07 s``."""
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


def say(text: str) -> None:
    """Print one line of progress (on stderr: standard output is for answers)."""
    print(text, file=sys.stderr, flush=True)


class _Ticker:
    """The line that changes."""

    def __init__(self) -> None:
        self.began = self.printed = time.monotonic()
        self.terminal = sys.stderr.isatty()

    def show(self, text: str) -> None:
        now = time.monotonic()
        line = f"    {clock(now - self.began):>12}  {text}"
        if self.terminal:
            print(f"\r\033[K{line[:110]}", end="", file=sys.stderr, flush=True)
        elif now - self.printed >= QUIET_SECONDS:
            self.printed = now
            say(line)

    def clear(self) -> None:
        if self.terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def run_visibly(
    title: str, command: Sequence[str], *, log: Path, read: Callable[[str], str | None], env: Mapping[str, str]
) -> float:
    """Run `command`, showing what `read` makes of its lines (None: not worth showing); give the seconds it took.

    Raises `StepError` when it fails. Both streams go to the end of `log`.
    """
    say(f"==> {title}")
    ticker = _Ticker()
    log.parent.mkdir(parents=True, exist_ok=True)
    shown, rest = "starting", b""
    with (
        log.open("ab") as kept,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(env)) as child,
        selectors.DefaultSelector() as selector,
    ):
        assert child.stdout is not None
        selector.register(child.stdout, selectors.EVENT_READ)
        start = kept.tell()
        try:
            while True:
                if selector.select(timeout=1.0):
                    chunk = os.read(child.stdout.fileno(), 1 << 16)
                    if not chunk:
                        break
                    kept.write(chunk)
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        shown = read(line.decode("utf-8", "replace").strip()) or shown
                ticker.show(shown)
        except BaseException:
            child.terminate()
            raise
        finally:
            ticker.clear()
    seconds = time.monotonic() - ticker.began
    if child.returncode:
        tail = "\n".join(log.read_bytes()[start:].decode("utf-8", "replace").splitlines()[-_LOG_TAIL:])
        raise StepError(f"{tail}\n\nfailed (exit {child.returncode}): {title}\nThe whole output is in {log}")
    say(f"    done in {clock(seconds)}")
    return seconds

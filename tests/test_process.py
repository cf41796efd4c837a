"""The program as a process: signals, closed pipes, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

ASK = """
import sys
sys.path.insert(0, {tests!r})
from answers import CannedAssistant
from rag_geo import cli, session
from rag_geo.process import run_process

def wait(_question):
    sys.stderr.write("waiting\\n")
    sys.stderr.flush()
    {wait}

edges = session.Edges({{}}, load_assistant=lambda settings, note: CannedAssistant(before=wait))
run_process(lambda: cli.run({arguments!r}, edges), grace_s=0.1)
"""
SLEEP = "import time; time.sleep(30)"
# A mutex that is locked twice: native code that lets other threads run and never comes back, as a model that reads.
NATIVE = "import ctypes; lock = ctypes.CDLL(None).pthread_mutex_lock; mutex = bytes(64); lock(mutex); lock(mutex)"


def start(arguments: list[str], wait: str = "pass", **kwargs: object) -> subprocess.Popen[bytes]:
    code = ASK.format(tests=str(TESTS), arguments=arguments, wait=wait)
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, **kwargs)


def interrupted(wait: str, number: signal.Signals) -> tuple[int, float, bytes]:
    with start(["ask", "Who?"], wait) as process:
        assert process.stderr
        while process.stderr.readline() not in (b"waiting\n", b""):
            pass
        before = time.monotonic()
        process.send_signal(number)
        rest = process.stderr.read()
        return process.wait(10), time.monotonic() - before, rest


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_ends_the_process_quietly_with_its_code(number, code):
    found, seconds, rest = interrupted(SLEEP, number)
    assert found == code
    assert seconds < 2
    assert b"Traceback" not in rest


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_native_code_that_does_not_return_cannot_hold_an_interrupt_up(number, code):
    found, seconds, _ = interrupted(NATIVE, number)
    assert found == code
    assert seconds < 2


def test_threads_that_still_work_do_not_hold_an_interrupt_up():
    thread = "import threading, time; threading.Thread(target=time.sleep, args=(30,)).start(); time.sleep(30)"
    found, seconds, _ = interrupted(thread, signal.SIGINT)
    assert found == 130
    assert seconds < 2


@pytest.mark.parametrize("arguments", [["ask", "Who?"], ["ask", "--json", "Who?"], ["ask", "--jsonl", "/dev/stdin"]])
def test_output_into_a_closed_pipe_is_quiet(arguments):
    reader, writer = os.pipe()
    os.close(reader)
    with start(arguments, stdout=writer, stdin=subprocess.PIPE) as process:
        os.close(writer)
        _, err = process.communicate(b"Who?\n" * 3)
    assert process.returncode == 141
    assert b"Traceback" not in err
    assert b"Exception ignored" not in err


@pytest.mark.parametrize(
    ("closed", "arguments", "code"),
    [
        (0, ["ask", "Who?"], 0),
        (0, ["ask", "-"], 2),
        (0, ["ask", "--jsonl", "-"], 2),
        (1, ["ask", "Who?"], 0),
        (1, ["ask", "--json", "Who?"], 0),
        (2, ["ask", "Who?"], 0),
    ],
)
def test_a_process_started_without_one_of_the_standard_streams_ends_with_its_code(closed, arguments, code):
    source = ASK.format(tests=str(TESTS), arguments=arguments, wait="pass")
    shell = 'exec "$0" -c "$1" ' + f"{closed}>&-"
    done = subprocess.run(["sh", "-c", shell, sys.executable, source], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert ("standard input is closed" in done.stderr) == (code == 2)


def test_a_fault_of_the_program_is_a_traceback_and_exit_code_1():
    with start(["ask", "Who?"], "raise ZeroDivisionError") as process:
        _, err = process.communicate()
    assert process.returncode == 1
    assert b"ZeroDivisionError" in err


def test_an_environment_without_a_language_gets_the_answer_in_utf_8():
    with start(["ask", "Who?"], stdout=subprocess.PIPE, env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}) as process:
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert "[1] briefs/hawn.md ¶7" in out.decode("utf-8")


def test_the_module_runs_as_the_command_does():
    done = subprocess.run([sys.executable, "-m", "rag_geo", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("rag-geo, version ")

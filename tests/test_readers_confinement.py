"""What reads a stranger's file has no network, writes nothing, starts nothing, and has a share of the machine."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rag_geo.readers import confinement
from rag_geo.readers.process import ReaderFailedError, ReaderProcess, allowed_s
from rag_geo.records import Document
from rag_geo.settings import ReadingSettings

ACTS = """
import ctypes, json, os, resource, signal, socket, subprocess, sys, threading
from rag_geo.readers.confinement import confine

missing = confine(4 << 30) if sys.argv[1] == "confined" else ()
here, libc = sys.argv[2], ctypes.CDLL(None, use_errno=True)

def called(status):
    if status:
        raise PermissionError

def fork():
    if not (child := os.fork()):
        os._exit(0)
    os.waitpid(child, 0)

def thread():
    done = []
    one = threading.Thread(target=done.append, args=[1])
    one.start()
    one.join()
    assert done

acts = {
    "a connection": lambda: socket.create_connection(("127.0.0.1", int(sys.argv[3])), 5).close(),
    "a look-up of a name": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"?", ("127.0.0.1", 53)),
    "a socket of this machine": lambda: socket.socket(socket.AF_UNIX).close(),
    "writing a new file": lambda: open(f"{here}/new", "x").close(),
    "writing over a file": lambda: open(f"{here}/old", "r+").close(),
    "adding to a file": lambda: open(f"{here}/old", "a").close(),
    "a folder": lambda: os.mkdir(f"{here}/folder"),
    "another name": lambda: os.rename(f"{here}/old", f"{here}/renamed"),
    "a link": lambda: os.symlink("/", f"{here}/link"),
    "a hard link": lambda: os.link(f"{here}/third", f"{here}/hard"),
    "removing": lambda: os.unlink(f"{here}/second"),
    "other rights": lambda: os.chmod(f"{here}/third", 0o777),
    "other times": lambda: os.utime(f"{here}/third", (0, 0)),
    "cutting": lambda: os.truncate(f"{here}/third", 0),
    "a program": lambda: subprocess.run(["true"], check=True),
    "a shell": lambda: called(os.system("true")),
    "a process": fork,
    "a signal to the parent": lambda: os.kill(os.getppid(), 0),
    "a queue to the kernel": lambda: called(libc.syscall(425, 1, ctypes.create_string_buffer(256)) < 0),
    "reading": lambda: open(f"{here}/third").close(),
    "a thread": thread,
    "a signal to itself": lambda: signal.raise_signal(signal.SIGCHLD),
    "its own limits": lambda: resource.getrlimit(resource.RLIMIT_AS),
}
done = {}
for name, act in acts.items():
    try:
        act()
        done[name] = ""
    except OSError as error:
        done[name] = type(error).__name__
print(json.dumps([missing, done]))
"""
HARMLESS = {"reading", "a thread", "a signal to itself", "its own limits"}


def acted(how: str, folder: Path) -> dict[str, str]:
    import socket

    for name in ("old", "second", "third"):
        (folder / name).write_text(name)
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-P", "-c", ACTS, how, str(folder), str(server.getsockname()[1])]
        said = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": os.defpath}).stdout
    missing, done = json.loads(said)
    assert missing == []
    return done


def test_a_confined_process_reaches_nothing_changes_nothing_and_starts_nothing(tmp_path):
    done = acted("confined", tmp_path)
    assert {name for name, error in done.items() if not error} == HARMLESS
    assert {done[name] for name in done.keys() - HARMLESS} == {"PermissionError"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old", "second", "third"]


def test_without_the_filter_each_of_these_works_so_that_the_test_above_can_fail(tmp_path):
    done = acted("free", tmp_path)
    # Some systems have no such queue, for anybody.
    assert {name for name, error in done.items() if error} <= {"a queue to the kernel"}
    assert (tmp_path / "new").exists()


def taken_over(code: str) -> ReaderProcess:
    """A reader that does `code` instead of reading, as one does that a file has taken over."""
    reader = ReaderProcess()
    reader._command = [
        sys.executable, "-P", "-c",
        "import os, sys, time\nfrom rag_geo.readers import process as p\n"
        f"def read_file(file, data, settings, sha256=''):\n    {code}\np.read_file = read_file\n"
        "p.main('{}', sys.stdin.buffer, sys.stdout.buffer)",
    ]  # fmt: skip
    return reader


def test_a_reader_that_is_taken_over_cannot_write(tmp_path):
    with (
        taken_over(f"open({str(tmp_path / 'x')!r}, 'w')") as reader,
        pytest.raises(ReaderFailedError, match="not permit"),
    ):
        reader.read("a.md", b"x")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "answer",
    [
        "not JSON", "[1", "null", "1\n[]", "1\n7", '1\n["b.md", "why"]', '1\n["a.md"]', '1\n["a.md", {}, 1, 2]', "1.5",
        '1\n["a.mdx", "why"]', '1\n[["a.md"], "why"]', '1\n["a.md", {"metadata": []}, "text", [[0, 1]]]', '{"a": 1}',
    ],
)  # fmt: skip
def test_nonsense_from_a_reader_that_is_taken_over_costs_its_file_and_does_not_speak_for_another(answer):
    with taken_over(f"sys.stdout.write({answer!r} + chr(10)); sys.stdout.flush(); os._exit(0)") as reader:
        with pytest.raises(ReaderFailedError, match="the reader failed"):
            reader.read("a.md", b"x")
        reader._command = ReaderProcess()._command
        reader.close()
        assert isinstance(reader.read("b.md", b"The mill was built in 1794.")[0], Document)


def test_a_reader_that_works_without_end_is_ended_and_the_next_file_is_read(monkeypatch):
    code = "p.allow_processor_time(1)\n    while True: pass"
    with taken_over(code) as reader, pytest.raises(ReaderFailedError, match="takes too long to read, more of the proc"):
        reader.read("a.md", b"x")
    with ReaderProcess() as reader:
        assert isinstance(reader.read("b.md", b"The mill was built in 1794.")[0], Document)


def test_a_larger_file_may_take_longer_and_one_of_pictures_much_longer():
    plain, pictures = ReadingSettings(), ReadingSettings(ocr=True)
    assert allowed_s(20, 0, plain) == 20
    assert allowed_s(20, 50_000_000, plain) > 500
    assert allowed_s(20, 1000, pictures) > 200


def test_what_a_reader_says_on_its_error_output_cannot_fill_the_disk():
    code = f"sys.stderr.write('x' * {4 * confinement.STDERR_BYTES}); sys.stderr.flush(); os.abort()"
    with taken_over(code) as reader, pytest.raises(ReaderFailedError):
        reader.read("a.md", b"x")


def test_readers_here_are_confined_in_every_way():
    with ReaderProcess() as reader:
        assert reader.unconfined() == ()
        assert reader.unconfined() == ()


def test_the_filter_is_the_same_for_both_kinds_of_processors_but_for_the_numbers():
    programs = [confinement.program(machine, 7) for machine in confinement._MACHINES.values()]
    for made in programs:
        assert len(made) < 4096  # what the kernel takes
        assert all(max(then, otherwise) <= 255 for _, then, otherwise, _ in made)
        assert made[-1] == (confinement._RETURN, 0, 0, confinement._ALLOW)
    newer, older = (len(made) for made in programs)
    assert newer > older  # arm64 never had the old calls


def test_a_system_that_cannot_confine_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(confinement.platform, "machine", lambda: "riscv64")
    assert not confinement._refuse_calls()
    monkeypatch.setattr(confinement, "_limit", lambda _: False)
    assert confinement.confine(1 << 40) == ("a limit on memory", "a ban on the network and on writing")


def test_a_killed_reader_leaves_no_process_behind():
    with ReaderProcess() as reader:
        reader.read("a.md", b"The mill was built in 1794.")
        pid = reader._process.pid
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ReaderFailedError):
            reader.read("b.md", b"x")
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

"""Nothing leaves this machine, nothing damaged is used, and no code comes out of a document, an index or a model.

The real models, in a network with no interface but loopback, under an audit of system calls, with tripwires in each
process (`airgap_day`). Each audit has its controls: what it must see.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import offline
from airgap_calls import HAS_STRACE, attempts, count_calls, traced
from airgap_day import HOSTILE, RENDERED
from airgap_tripwires import environment, heard, listening

HERE = Path(__file__).parent
ENVIRONMENT = os.environ  # noqa: TID251
HINDRANCE = offline.hindrance()
OFFLINE = (sys.executable, str(HERE / "offline.py"))
in_a_network_of_its_own = pytest.mark.skipif(bool(HINDRANCE), reason=f"no network of its own can be made: {HINDRANCE}")
under_strace = pytest.mark.skipif(not HAS_STRACE, reason="strace is not installed: sudo apt-get install -y strace")

COMMANDS = ("index", "search", "ask", "chat", "verify", "audit", "rebuild")


# --- a network of its own ----------------------------------------------------------------------------------------


@in_a_network_of_its_own
def test_a_command_that_runs_offline_has_loopback_and_nothing_else_and_is_still_who_it_was():
    code = (
        "import os, socket, sys; sys.path.insert(0, sys.argv[1]); import offline\n"
        "assert offline.is_offline()\n"
        "with socket.create_server(('127.0.0.1', 0)) as opened:\n"
        "    socket.create_connection(opened.getsockname()).close()\n"
        "print(os.geteuid(), os.getegid())"
    )
    done = subprocess.run([*OFFLINE, sys.executable, "-c", code, str(HERE)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [str(os.geteuid()), str(os.getegid())]


@in_a_network_of_its_own
def test_where_no_network_can_be_made_it_is_said_and_the_command_runs_all_the_same():
    forbid = 'echo 0 > /proc/sys/user/max_net_namespaces; exec "$@"'
    command = ["unshare", "--map-root-user", "sh", "-c", forbid, "sh", *OFFLINE, "echo", "it ran"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "it ran\n")
    assert done.stderr.startswith("offline: no network without interfaces can be made here (")
    assert done.stderr.count("\n") == 1


# --- a day with the program --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("day")


@pytest.fixture(scope="module")
def day(folder) -> Mapping[str, object]:
    done = subprocess.run(
        [*OFFLINE, sys.executable, str(HERE / "airgap_day.py"), str(folder)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# The day takes half a minute on an idle machine, and all of these share it.
on_that_day = [
    pytest.mark.model, in_a_network_of_its_own, under_strace, pytest.mark.timeout(1800), pytest.mark.xdist_group("day")
]  # fmt: skip


def of_that_day(test):
    for mark in on_that_day:
        test = mark(test)
    return test


@of_that_day
def test_without_a_network_it_indexes_searches_answers_chats_verifies_audits_and_rebuilds(day):
    done = day["done"]
    assert {name: done[name]["code"] for name in COMMANDS} == dict.fromkeys(COMMANDS, 0) | {"chat": 143}
    assert "6 added" in done["index"]["out"]
    assert "The ferry to Norham" in done["search"]["out"]
    answer = json.loads(done["ask"]["out"])
    assert answer["status"] == "answered"
    assert "1932" in answer["answer"]
    shown = json.loads(done["chat"]["out"])
    assert 'data-state=\\"verified\\"' in shown["answer"]
    assert "6 documents" in shown["rebuild"]
    assert "no two files have the same content" in shown["audit"]
    assert "1 quote is where the receipt says" in done["verify"]["out"]


@of_that_day
def test_nothing_of_it_tries_to_leave_this_machine(day, folder, counted):
    logs = {name: (folder / f"{name}.strace").read_text() for name in COMMANDS}
    assert {name: attempts(log) for name, log in logs.items()} == {name: [] for name in COMMANDS}
    assert count_calls(logs["chat"]) > 50, "the audit was there"
    assert 'inet_addr("127.0.0.1")' in logs["chat"]
    assert day["offline"]
    assert day["ways not found"] == 0, "the kernel says the same"
    counted("network calls looked at", sum(map(count_calls, logs.values())))
    counted("attempts to leave this machine", sum(len(attempts(log)) for log in logs.values()))


@of_that_day
def test_no_pickle_is_loaded_no_code_of_others_is_made_and_no_program_but_the_reader_is_started(day, counted):
    by_kind = {
        kind: [one["what"] for one in day["heard"] if one["kind"] == kind]
        for kind in ("started", "starts", "reaches", "pickle", "compile", "exec", "diskcache")
    }
    readers = [what for what in by_kind["started"] if "-m rag_geo.readers.process" in what]
    assert len(by_kind["started"]) - len(readers) == len(COMMANDS), "the tripwires were in every process"
    assert len(readers) >= 2, "and in those that read documents"
    assert len(by_kind["starts"]) == len(readers)
    assert all("'rag_geo.readers.process'" in what for what in by_kind["starts"])
    assert [what for what in by_kind["reaches"] if "127.0.0.1" not in what] == []
    for kind in ("pickle", "compile", "exec", "diskcache"):
        assert by_kind[kind] == []
        counted(f"{kind} in {len(COMMANDS)} commands", len(by_kind[kind]))


@of_that_day
def test_a_chat_template_that_runs_a_program_is_looked_at_and_never_rendered(day, folder):
    assert HOSTILE.encode() in (folder / "copy.gguf").read_bytes()
    assert "1932" in day["done"]["chat"]["out"], "it was loaded, and wrote"
    assert not (folder / RENDERED).exists()


# --- controls: what the audits see -------------------------------------------------------------------------------

ATTEMPTS = {
    "tcp": "socket.create_connection(('192.0.2.1', 80))",
    "udp": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
    "a message": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('192.0.2.1', 9))",
    "ipv6": "socket.create_connection(('2001:db8::1', 80))",
    "a name": "socket.getaddrinfo('rag-geo.invalid', 80)",
    "a page": "urllib.request.urlopen('http://rag-geo.invalid/')",
    "a child": "subprocess.run([sys.executable, '-c', \"import socket; socket.create_connection(('192.0.2.1', 80))\"])",
    "a thread": "threading.Thread(target=lambda: socket.socket().connect_ex(('192.0.2.1', 80))).start()",
    "what is refused": "confine(1 << 32); socket.socket().connect(('192.0.2.1', 80))",
    "a way in": "socket.create_server(('0.0.0.0', 0))",
    "packets": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
}
RUN_AND_COUNT = (
    "import subprocess, sys; from airgap_calls import ways_not_found\n"
    "subprocess.run(sys.argv[1:]); print(ways_not_found())"
)
#: What sends nothing for which the kernel would have to find a way.
UNSENT = {"what is refused", "a way in", "packets"}


@in_a_network_of_its_own
@under_strace
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_an_attempt_to_leave_is_seen(tmp_path, attempt):
    code = (
        "import contextlib, socket, subprocess, sys, threading, urllib.request\n"
        f"sys.path.insert(0, {str(HERE)!r})\n"
        "from rag_geo.readers.confinement import confine\n"
        f"with contextlib.suppress(OSError):\n    {ATTEMPTS[attempt]}\n"
    )
    log = tmp_path / "strace"
    command = [*OFFLINE, sys.executable, "-c", RUN_AND_COUNT, *traced([sys.executable, "-c", code], log)]
    done = subprocess.run(command, env={**ENVIRONMENT, "PYTHONPATH": str(HERE)}, capture_output=True, text=True)
    found = attempts(log.read_text())
    assert found, log.read_text()
    assert (int(done.stdout) > 0) == (attempt not in UNSENT)


@in_a_network_of_its_own
@under_strace
def test_what_stays_here_is_no_attempt(tmp_path):
    code = (
        "import socket\n"
        "with socket.create_server(('127.0.0.1', 0)) as opened:\n"
        "    socket.create_connection(opened.getsockname()).close()\n"
        "with socket.create_server(('::1', 0), family=socket.AF_INET6) as opened:\n"
        "    socket.create_connection(opened.getsockname()[:2]).close()\n"
        "socket.getaddrinfo('127.0.0.1', 80); socket.if_nameindex()\n"
    )
    log = tmp_path / "strace"
    subprocess.run([*OFFLINE, *traced([sys.executable, "-c", code], log)], check=True)
    assert attempts(log.read_text()) == []
    assert count_calls(log.read_text()) > 8


@in_a_network_of_its_own
@under_strace
@pytest.mark.server
@pytest.mark.timeout(1200)
def test_a_chat_whose_library_is_let_tell_its_makers_of_it_is_seen(tmp_path):
    """The protection taken out: Gradio as it is when nobody tells it to keep quiet."""
    log = tmp_path / "strace"
    command = traced([sys.executable, str(HERE / "airgap_telling.py")], log)
    done = subprocess.run([*OFFLINE, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert attempts(log.read_text())


FOREIGN = {
    "pickle": ["pickle.loads(pickle.dumps([1]))", "pickle.load(io.BytesIO(pickle.dumps(1)))",
               "pickle.Unpickler(io.BytesIO(pickle.dumps(Path('x')))).load()",
               "np.lib.format.read_array(saved(np.array([1, 'x'], object)), allow_pickle=True)"],
    "exec": ["exec('1 + 1')", "eval('1 + 1')", "jinja2.Template('{{ 1 + 1 }}').render()"],
    "compile": ["compile('1', 'document', 'eval')"],
    "starts": ["subprocess.run(['true'])", "os.system('true')", "os.posix_spawn('/bin/true', ['true'], {})"],
    "reaches": ["socket.socket().connect_ex(('127.0.0.1', 1))", "socket.getaddrinfo('127.0.0.1', 80)"],
    "diskcache": ["diskcache.Cache('cache')", "diskcache.FanoutCache('cache')", "llama_cpp.LlamaDiskCache('cache')"],
}  # fmt: skip


def told_by(folder: Path, command: list[str]) -> list[str]:
    """Run Python over the tripwires; gives the kinds of what they told, without who started."""
    with listening(folder / "pipe") as said:
        env = {**ENVIRONMENT, **environment(folder / "tripwires", folder / "pipe")}
        done = subprocess.run([sys.executable, *command], env=env, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [str(one["kind"]) for one in heard(b"".join(said).decode()) if one["kind"] != "started"]


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in FOREIGN.items() for code in codes])
def test_a_tripwire_tells_who_came_over_it(tmp_path, kind, code):
    program = tmp_path / "program.py"
    program.write_text(
        "import importlib, io, os, pickle, socket, subprocess, sys\n"
        "from pathlib import Path\n"
        "import numpy as np, jinja2\n"
        "def saved(array):\n"
        "    file = io.BytesIO()\n"
        "    np.save(file, array)\n"
        "    return io.BytesIO(file.getvalue())\n"
        "if 'cache' in sys.argv[1]:\n    import diskcache, llama_cpp\n"
        f"try:\n    {code}\nexcept RuntimeError: pass\n"
    )
    assert kind in told_by(tmp_path, [str(program), code])

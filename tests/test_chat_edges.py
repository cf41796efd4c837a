"""The chat as a process among others: ports, browsers, signals, networks that get lost, and what cannot be opened."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from browsing import OPENED
from caller import SLOW, Caller
from chat_process import ENVIRONMENT, PROGRAM, chat, until_ready
from collection import SAYS, Parrot, embedder, make_index
from rag_geo.assistant import Assistant
from rag_geo.calibration import CAREFUL
from rag_geo.chat.holder import Holder, holder, is_chat
from rag_geo.chat.room import House
from rag_geo.chat.serve import Address, listen
from rag_geo.errors import ResourceError
from rag_geo.index import Index
from rag_geo.records import Filters
from rag_geo.settings import Settings

pytestmark = pytest.mark.server

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("edges")
    make_index(made)
    return made


# --- the start ---------------------------------------------------------------------------------------------------


def test_the_page_can_be_reached_before_anything_heavy_is_imported(tmp_path):
    """What takes seconds is not there yet when the address is announced, by the program's own account."""
    script = (
        "import sys\n"
        "from rag_geo.chat.serve import Address, serve\n"
        "def house():\n"
        "    import urllib.request\n"
        "    page = urllib.request.urlopen(urls[0]).read().decode()\n"
        "    print('is being made' in page, *sorted({name.partition('.')[0] for name in sys.modules}))\n"
        "    sys.exit()\n"
        "urls = []\n"
        "serve(house, Address(port=0), announce=urls.append)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    answered, *modules = done.stdout.split()
    assert answered == "True", done.stderr
    assert "uvicorn" in modules
    assert not {"gradio", "numpy", "faiss", "llama_cpp", "fastapi", "pydantic", "torch", "pandas"} & set(modules)


def test_importing_gradio_writes_nothing_into_its_installation_and_leaves_it_whole():
    script = (
        "import sys\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, given: opened.append(given[:2]) if event == 'open' else None)\n"
        "from rag_geo.chat.importing import import_gradio\n"
        "finders = list(sys.meta_path)\n"
        "gr = import_gradio()\n"
        "assert sys.meta_path == finders\n"
        "assert gr.Textbox(label='x').submit\n"
        "print([path for path, mode in opened if str(path).endswith('.pyi')])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_collector_of_cycles_rests_during_the_start_and_works_again_after_it():
    script = (
        "import gc\n"
        "from rag_geo.chat.importing import resting\n"
        "with resting() as rest:\n"
        "    asleep = not gc.isenabled()\n"
        "    rest.end()\n"
        "    print(asleep, gc.isenabled(), gc.get_freeze_count() > 0)\n"
        "print(gc.isenabled(), gc.get_freeze_count())\n"
        "gc.disable()\n"
        "with resting():\n"
        "    pass\n"
        "print(gc.isenabled())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["True", "True", "True", "True", "0", "False"], done.stderr


# --- a port in use -----------------------------------------------------------------------------------------------


def refused(port: int, host: str = "127.0.0.1") -> ResourceError:
    with pytest.raises(ResourceError, match=f"port {port} is in use") as error:
        listen(Address(host, port))
    assert error.value.exit_code == 6
    return error.value


@pytest.mark.parametrize("opens", [Address(port=0), Address("0.0.0.0", 0)])
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="this system does not tell who has a port")
def test_the_program_that_has_the_port_is_named(opens):
    name = Path("/proc/self/comm").read_text().strip()
    with listen(opens) as opened:
        port = opened.getsockname()[1]
        assert holder("127.0.0.1", port) == Holder(name, os.getpid())
        error = refused(port)
    assert f"by {name} (process {os.getpid()})" in error.message
    assert "--port 0" in error.hint


def test_a_chat_that_is_open_already_is_named_with_its_address(folder):
    with chat(folder, LOADING="300") as (process, url):
        port = int(url.rstrip("/").rpartition(":")[2])
        assert is_chat("127.0.0.1", port)
        error = refused(port)
        assert f"a chat is open at {url} already" in error.message
        assert f"open {url}" in error.hint
        again = subprocess.run(
            [sys.executable, str(PROGRAM), "chat", "--index", str(folder / "index"), "--port", str(port)],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert again.returncode == 6
        assert again.stdout == ""
        assert url in again.stderr
        process.terminate()
        assert process.wait(60) == 143


def test_a_chat_behind_a_password_is_known_for_one(folder, tmp_path):
    (tmp_path / "password").write_text("correct horse\n")
    with chat(folder, "--password-file", str(tmp_path / "password"), LOADING="300") as (_, url):
        assert f"a chat is open at {url}" in refused(int(url.rstrip("/").rpartition(":")[2])).message


def test_where_the_system_does_not_tell_it_is_another_program(tmp_path):
    assert holder("127.0.0.1", 1, tmp_path) is None
    table = tmp_path / "net"
    table.mkdir()
    (table / "tcp").write_text("  sl  local_address rem_address   st\n   0: 0100007F:0001 damaged\n")
    assert holder("127.0.0.1", 1, tmp_path) is None


def test_whoever_has_a_port_at_another_address_is_not_in_the_way(tmp_path):
    (tmp_path / "net").mkdir()
    rest = "00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0"
    lines = [f"0: {at}:1EB4 {rest} {inode} 1" for at, inode in (("0900000A", 11), ("0100007F", 22))]
    (tmp_path / "net" / "tcp").write_text("\n".join(["head", *lines]))
    for process, inode in ((5, 11), (6, 22)):
        (tmp_path / str(process) / "fd").mkdir(parents=True)
        (tmp_path / str(process) / "comm").write_text(f"program {inode}\n")
        (tmp_path / str(process) / "fd" / "3").symlink_to(f"socket:[{inode}]")
    assert holder("127.0.0.1", 7860, tmp_path) == Holder("program 22", 6)
    assert holder("10.0.0.9", 7860, tmp_path) == Holder("program 11", 5)
    assert holder("127.0.0.1", 7861, tmp_path) is None
    assert holder("0.0.0.0", 7860, tmp_path) is not None


def test_a_port_that_accepts_and_says_nothing_is_no_chat():
    with socket.create_server(("127.0.0.1", 0)) as opened:
        began = time.monotonic()
        assert not is_chat("127.0.0.1", opened.getsockname()[1])
        assert time.monotonic() - began < 60


# --- readers that are gone ---------------------------------------------------------------------------------------


def has_networks() -> bool:
    if not all(map(shutil.which, ("unshare", "nsenter", "ip"))):
        return False
    tried = ["unshare", "--map-root-user", "--net", "ip", "link", "add", "near", "type", "veth", "peer", "name", "far"]
    return subprocess.run(tried, capture_output=True).returncode == 0


@pytest.mark.skipif(not has_networks(), reason="no network of its own can be made here (unshare, ip link)")
def test_a_connection_that_is_lost_without_a_word_frees_the_model(tmp_path):
    command = ["unshare", "--map-root-user", "--net", sys.executable, str(HERE / "lost_connection.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["answered"], done.stderr
    # Two seconds on a machine that is not loaded; what the system does by itself takes a quarter of an hour.
    assert result["freed_s"] < 20


def test_a_reader_that_stays_and_never_reads_frees_the_model(folder):
    with chat(folder) as (process, url):
        until_ready(process)
        silent = Caller(url)
        silent.ask(SLOW)
        with silent.listens(room=4096):
            time.sleep(1)
            began = time.monotonic()
            assert "1932" in Caller(url).answer(OPENED)
            assert time.monotonic() - began < 60  # the question of the other takes two minutes


# --- the browser -------------------------------------------------------------------------------------------------


def browser_command(tmp_path: Path, ends: str) -> tuple[str, Path]:
    """A browser that notes what it is told to open."""
    noted, program = tmp_path / "opened", tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" >> "{noted}"\n{ends}\n')
    program.chmod(0o755)
    return f"{program} %s", noted


@pytest.mark.parametrize("ends", ["exit 0", "exec sleep 60 >/dev/null 2>&1", "exit 1"])
def test_open_opens_the_page_in_the_browser_of_the_user(folder, tmp_path, ends):
    command, noted = browser_command(tmp_path, ends)
    with chat(folder, "--open", BROWSER=command) as (process, url):
        until_ready(process)
        for _ in range(600):
            if noted.exists() and noted.read_text().endswith("\n"):
                break
            time.sleep(0.1)
        assert noted.read_text().splitlines() == [url]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert "Traceback" not in process.stderr.read()


def test_no_browser_is_opened_unasked_and_none_that_is_there_is_no_fault(folder, tmp_path):
    command, noted = browser_command(tmp_path, "exit 0")
    with chat(folder, BROWSER=command) as (process, _):
        until_ready(process)
        assert not noted.exists()
    with chat(folder, "--open", BROWSER=str(tmp_path / "none"), PATH="/nowhere") as (process, url):
        until_ready(process)
        assert "1932" in Caller(url).answer(OPENED)


# --- the end -----------------------------------------------------------------------------------------------------


def importing(_process: subprocess.Popen[str], _url: str) -> None:
    """Gradio is being imported: the page was announced this moment."""


def shortly_after(_process: subprocess.Popen[str], _url: str) -> None:
    time.sleep(0.7)


def loading(_process: subprocess.Popen[str], url: str) -> None:
    """The page is made, and says that the model is being loaded."""
    for _ in range(600):
        if b"gradio_config" in urllib.request.urlopen(url, timeout=60).read():
            return
        time.sleep(0.1)
    raise AssertionError("the page was not made")


def answering(process: subprocess.Popen[str], url: str) -> None:
    until_ready(process)
    caller = Caller(url)
    caller.ask(SLOW)
    with caller.listens() as stream:
        for number, _ in enumerate(caller.messages(stream)):
            if number == 5:
                return


def waiting(process: subprocess.Popen[str], url: str) -> None:
    """One question is answered, and three wait, all with readers that do not hang up."""
    until_ready(process)
    for _ in range(4):
        caller = Caller(url)
        caller.ask(SLOW)
        KEPT.append(caller.listens())
    time.sleep(1)


def indexing(process: subprocess.Popen[str], url: str) -> None:
    until_ready(process)
    caller = Caller(url)
    caller.does("rebuild", "click", "")
    with caller.listens() as stream:
        for message in caller.messages(stream):
            if "embed" in json.dumps(message) or message["msg"] == "process_generating":
                time.sleep(0.5)
                return


KEPT: list[socket.socket] = []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("stage", [importing, shortly_after, loading, answering, waiting, indexing])
def test_a_signal_ends_the_chat_in_order_whatever_it_is_doing(tmp_path, stage, number, code):
    make_index(tmp_path)
    (tmp_path / "tmp").mkdir()
    seconds = {"LOADING": "300"} if stage is loading else {"EMBEDDING": "300"} if stage is indexing else {}
    with chat(tmp_path, TMPDIR=str(tmp_path / "tmp"), **seconds) as (process, url):
        stage(process, url)
        began = time.monotonic()
        process.send_signal(number)
        assert process.wait(60) == code
        took = time.monotonic() - began
        said = process.stderr.read()
    while KEPT:
        KEPT.pop().close()
    assert took < 30  # ten seconds on a machine that is not loaded
    assert "Traceback" not in said
    assert not list((tmp_path / "tmp").glob("rag-geo-chat-*"))
    if stage is indexing:
        opened = subprocess.run(
            [sys.executable, "-m", "rag_geo", "info", "--index", str(tmp_path / "index")], capture_output=True
        )
        assert opened.returncode == 0


@pytest.mark.parametrize("after_s", [0.05, 0.15, 0.25, 0.4])
def test_a_signal_in_the_first_moments_ends_it_without_a_trace(folder, tmp_path, after_s):
    command = [sys.executable, str(PROGRAM), "chat", "--index", str(folder / "index"), "--port", "0"]
    environment = dict(ENVIRONMENT) | {"TMPDIR": str(tmp_path)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    with process:
        time.sleep(after_s)
        process.terminate()
        # Before the program has taken over from the interpreter the system ends it.
        assert process.wait(60) in (143, -signal.SIGTERM)
        assert "Traceback" not in process.stderr.read()
    assert not list(tmp_path.glob("rag-geo-chat-*"))


@dataclass(slots=True)
class Held(Parrot):
    """Writes its answer when it is let go."""

    go: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)

    def write(self, prompt, max_tokens):
        self.asked.set()
        self.go.wait(60)
        yield from Parrot.write(self, prompt, max_tokens)


def test_an_answer_that_is_being_made_at_the_end_has_nearly_all_of_the_time(folder):
    held = Held(says=SAYS)
    index = folder / "index"
    settings = Settings(index=index, cache=folder / "cache")
    house = House(
        lambda _: Assistant(Index.open(index, embedder()), embedder(), held, settings=settings, calibration=CAREFUL)
    )
    house.open()
    assert house.ready(60)
    shown = house.room("a").ask(OPENED, Filters())
    pictures = []
    reading = threading.Thread(target=lambda: pictures.extend(shown))
    reading.start()
    assert held.asked.wait(60)  # before that nothing is being made, and the end would have nothing to wait for
    ending = threading.Thread(target=house.close, args=(10,))
    ending.start()
    time.sleep(5)
    assert ending.is_alive()
    assert house.collection.closed  # indexing does not wait for the answer
    held.go.set()
    reading.join(60)
    ending.join(60)
    assert 'data-state="verified"' in pictures[-1].now


# --- what cannot be opened ---------------------------------------------------------------------------------------


def said(*arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "rag_geo", *arguments], capture_output=True, text=True, timeout=300, cwd=HERE
    )
    return done.returncode, done.stdout, done.stderr


def nothing(at: Path) -> Path:
    return at / "none"


def a_file(at: Path) -> Path:
    (at / "index").write_text("no index")
    return at / "index"


def damaged(at: Path) -> Path:
    index = make_index(at)
    largest = max(index.glob("gen-*/*"), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(content)
    return index


def of_another_embedder(at: Path) -> Path:
    return make_index(at)


def sound(at: Path) -> Path:
    index = make_index(at)
    assert said("index", str(at / "documents"), "--index", str(index), "--rebuild")[0] == 0
    return index


def complaint(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(("error:", "hint:"))]


@pytest.mark.model
@pytest.mark.parametrize(
    ("made", "code"), [(nothing, 4), (a_file, 4), (damaged, 4), (of_another_embedder, 4), (sound, 5)]
)
def test_what_cannot_be_opened_is_said_as_for_a_question_on_the_command_line(tmp_path, made, code):
    options = ["--index", str(made(tmp_path)), "--model", str(tmp_path / "none.gguf")]
    asked, _, why = said("ask", OPENED, *options)
    served, _, shown = said("chat", "--port", "0", *options)
    assert asked == served == code
    assert len(complaint(why)) == 2
    assert complaint(shown) == complaint(why)
    assert "Traceback" not in shown


def test_an_address_that_others_reach_needs_a_password(folder):
    code, printed, why = said("chat", "--index", str(folder / "index"), "--port", "0", "--host", "0.0.0.0")
    assert (code, printed) == (2, "")
    assert "others can reach the address '0.0.0.0', and there is no password" in why
    assert "--password-file" in why

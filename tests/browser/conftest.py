"""A real browser: Chromium of the system, driven by Playwright, at the console of the run's Rolecall.

Every page that a test opens is watched: a script error, a message of the content security policy and a request to
another host fail the test.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from tests.conftest import Rolecall
from tests.waiting import PATIENCE

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")

SIZES = {"wide": (1280, 900), "narrow": (360, 740)}

MILLISECONDS = PATIENCE * 1000
expect.set_options(timeout=MILLISECONDS)  # five seconds otherwise, which a busy machine exceeds


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One for each module: while Playwright runs, no other event loop can run in this thread."""
    if not CHROMIUM:
        pytest.skip("no Chromium here: scripts/setup-browser installs it")
    with sync_playwright() as playwright:
        # Without a sandbox of its own, which root may not have; it opens our own pages only.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """What the pages of a context complain of, and whom they ask beside our server."""

    def __init__(self, context: BrowserContext, endpoint: str) -> None:
        self.found: list[str] = []
        self._host = urlsplit(endpoint).netloc
        context.on("console", self._console)
        context.on("weberror", lambda error: self.found.append(f"script error: {error.error}"))
        context.on("request", lambda request: self._request(request.url))

    def _console(self, message: ConsoleMessage) -> None:
        # The browser itself says that an answer had a status above 399; tests look at those answers.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.found.append(f"{message.type}: {message.text}")

    def _request(self, url: str) -> None:
        if urlsplit(url).netloc not in ("", self._host):
            self.found.append(f"a request to another host: {url}")


@pytest.fixture
def visit(chromium: Browser, rolecall: Rolecall) -> Iterator[Callable[..., Page]]:
    """Opens a page as a new visitor: visit("/console/people", size="narrow", dark=True, language="zh-CN").

    The owner is signed in, unless `signed_in` is False.
    """
    opened: list[tuple[BrowserContext, Watched]] = []

    def open_page(
        path: str = "/console",
        *,
        size: str = "wide",
        dark: bool = False,
        language: str = "en-US",
        signed_in: bool = True,
    ) -> Page:
        width, height = SIZES[size]
        context = chromium.new_context(
            base_url=rolecall.endpoint,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            locale=language,
        )
        context.set_default_timeout(MILLISECONDS)
        opened.append((context, Watched(context, rolecall.endpoint)))
        page = context.new_page()
        if signed_in:
            page.goto(sign_in_link(rolecall))
        page.goto(path)
        return page

    yield open_page
    for context, watched in opened:
        context.close()
        assert watched.found == []


def sign_in_link(rolecall: Rolecall) -> str:
    (printed,) = json.loads(rolecall.cli("console", "--json").stdout)
    return str(printed["link"])


def require_accessible(page: Page) -> None:
    """Without serious findings of axe, by WCAG 2.1 A and AA."""
    rules = {
        "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
        "resultTypes": ["violations"],  # to describe what passed takes a fifth of the time
    }
    found = Axe().run(page, options=rules).response["violations"]
    serious = [
        (violation["id"], [node["html"] for node in violation["nodes"]][:3])
        for violation in found
        if violation["impact"] in ("serious", "critical")
    ]
    assert serious == [], page.url


def require_fits(page: Page) -> None:
    """Nothing makes the page scroll sideways."""
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width <= 0, page.url

"""A real browser for the pages, where there is one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def browser() -> Iterator[Any]:
    """A headless browser; skipped where there is none."""
    driver = pytest.importorskip("playwright.sync_api", reason="no playwright to drive a browser")
    with driver.sync_playwright() as playwright:
        installed = shutil.which("chromium") or shutil.which("google-chrome")
        try:
            browser = playwright.chromium.launch(executable_path=installed)
        except driver.Error as error:
            pytest.skip(f"no browser to open the page in: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


class Opened:
    """A page that is open, and all it complained of or asked for."""

    def __init__(self, browser: Any, path: Path, scheme: str = "light") -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page = browser.new_context(offline=True, color_scheme=scheme).new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())

    def check(self) -> None:
        """Nothing went wrong, and nothing was fetched."""
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith("file:")] == []


@pytest.fixture
def open_page(browser: Any) -> Any:
    """Opens the page of a file."""
    return lambda path, scheme="light": Opened(browser, path, scheme)

"""A real Chromium, driven by Playwright from .venv-browser, with made-up control rooms to open."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.made_up import html
from tests.conftest import IN_CI, ROOT

PACKAGES = ROOT / ".venv-browser"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
Show = Callable[..., Any]


def absent(what: str) -> None:
    """Skip, as what is needed is not there; on CI, which installs it, fail."""
    pytest.fail(what) if IN_CI else pytest.skip(what)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        absent(f"none of {', '.join(BROWSERS)} on PATH")
    if not (PACKAGES / "playwright").is_dir():
        absent("no Playwright in .venv-browser: make test installs it")
    sys.path.insert(0, str(PACKAGES))
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Show]:
    """Open a page that tells this. In the end nothing was asked for, and nothing went wrong."""
    wrong: list[str] = []
    pages = []

    def open_page(told: dict, width: int = 1440, height: int = 900, **options: object) -> Any:
        file = tmp_path / f"{len(pages)}.html"
        file.write_text(html(told), encoding="utf-8")
        page = browser.new_page(viewport={"width": width, "height": height}, **options)
        pages.append(page)

        def requested(request: Any) -> None:
            if request.url != file.as_uri() and not request.url.startswith("data:,"):
                wrong.append(f"asked for {request.url}")

        def dialog(box: Any) -> None:
            wrong.append(f"a dialog: {box.message}")
            box.dismiss()

        page.on("request", requested)
        page.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", dialog)
        page.set_default_timeout(10_000)
        page.goto(file.as_uri())
        return page

    yield open_page
    for page in pages:
        page.close()
    assert wrong == []

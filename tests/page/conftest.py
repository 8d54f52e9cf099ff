"""A real Chromium on the page of a real stack; whatever the page reports as an error fails the test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.e2e.stack import Stack

CHROMIUM = "/usr/bin/chromium"
Open = Callable[..., Page]


@pytest.fixture(scope="module")  # its event loop runs in this thread as long as it lives, where others may want one
def browser() -> Iterator[Browser]:
    assert Path(CHROMIUM).exists(), "apt-get install chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Browser, stack: Stack) -> Iterator[Open]:
    """Open the page, at an address of its own and in a fresh profile; no host but the stack may be asked for anything."""
    contexts, wrong = [], list[str]()
    home = str(stack.client.base_url).rstrip("/")

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            wrong.append(message.text)

    def open_page(address: str = "/", **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}} | options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: request.url.startswith((home, "blob:", "data:")) or wrong.append(request.url))
        page.goto(home + address)
        page.wait_for_selector("body[data-ready]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []

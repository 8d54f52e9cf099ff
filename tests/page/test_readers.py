"""Everybody can use the page: narrow windows, the dark, the keyboard, programs that read it aloud, keys, outages."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.stack import LONG, Stack
from tests.page.conftest import Open
from tests.page.steps import SECONDS, field, quick, shown_id

UNNAMED = """() => [...document.querySelectorAll("input, select, button")].filter((node) => node.offsetParent
    && !(node.labels?.length || node.textContent.trim() || node.getAttribute("aria-label"))).map((node) => node.outerHTML)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_windows_and_the_dark(visit: Open, scheme):
    page = visit("/#form", viewport={"width": 360, "height": 700}, color_scheme=scheme)
    quick(page, 706)
    page.click("#run")
    shown_id(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    drawn = page.locator("#curves .main-svg").first.evaluate("node => getComputedStyle(node).backgroundColor")
    assert drawn == paper
    assert (int(re.search(r"\d+", paper)[0]) < 100) == (scheme == "dark")


def test_keyboard_and_screen_reader(visit: Open):
    page = visit("/#form")
    quick(page, 707)
    field(page, "horizon").locator("input").press("Enter")
    shown_id(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement !== document.body")
    unnamed = page.evaluate(UNNAMED)
    assert unnamed == []
    images = page.locator("[role=img]:visible")
    assert all(images.nth(i).get_attribute("aria-label") for i in range(images.count()))
    assert page.locator("html").get_attribute("lang") == "en"


def test_no_button_sends_a_figure_to_somebody_elses_cloud(visit: Open):
    page = visit("/")
    page.wait_for_selector("#picture .modebar-btn", state="attached", timeout=SECONDS)
    titles = page.locator("#picture .modebar-btn").evaluate_all("nodes => nodes.map((node) => node.dataset.title ?? '')")
    assert titles and not [title for title in titles if re.search("cloud|share|studio", title, re.IGNORECASE)]


def test_the_interface_is_described_in_the_dark_too(browser: Browser, stack: Stack):
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(f"{stack.client.base_url}/docs")
    page.wait_for_selector(".swagger-ui .info")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 28)"
    context.close()


@pytest.mark.slow
def test_an_outage_is_said_and_waited_out(browser: Browser, own_stack: Stack):
    job_id = own_stack.submit(LONG | {"seed": 711}, wait=0).json()["id"]
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{own_stack.client.base_url}/#jobs={job_id}")
    expect(page.locator("#shown li")).to_contain_text("replica", timeout=SECONDS)
    own_stack.stop()
    expect(page.locator("#banner")).to_contain_text("cannot be reached")
    expect(page.locator("#banner")).to_be_in_viewport()
    own_stack.start()
    expect(page.locator("#banner")).to_be_hidden(timeout=SECONDS)
    page.get_by_role("button", name="Cancel simulation", exact=True).click()
    expect(page.locator("#shown li")).to_contain_text("cancelled", timeout=SECONDS)
    context.close()


@pytest.mark.slow
def test_a_key_is_asked_for_until_it_is_right(browser: Browser, tmp_path: Path):
    stack = Stack(tmp_path / "data", DLNFLOW_WORKERS="1", DLNFLOW_AUTH="keys").start()
    context = browser.new_context()
    try:
        made = subprocess.run(
            [sys.executable, "-m", "service", "keys", "create", "ada"], env=stack.environment, capture_output=True, check=True
        )
        page = context.new_page()
        page.goto(f"{stack.client.base_url}/#form")
        expect(page.locator("#key-value")).to_be_focused()
        for key, question in (("dln_x_y", "This key is not known here"), (made.stdout.decode().strip(), None)):
            page.fill("#key-value", key)
            page.press("#key-value", "Enter")
            expect(page.locator("#key label")).to_have_text(question) if question else expect(page.locator("#key")).to_be_hidden()
        expect(page.locator("#jobs")).to_contain_text("No jobs yet.")
        quick(page, 710)
        page.click("#run")
        shown_id(page)  # events came with the key too
    finally:
        context.close()
        stack.close()

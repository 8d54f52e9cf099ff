"""The converter of units in a real browser: the numbers are those of the library, and Explore takes them over."""

import json
from typing import get_args

import pytest
from playwright.sync_api import Page, expect

from dlnflow import from_paper
from dlnflow.units import Convention, Loss, Parametrisation
from tests.page.conftest import Open
from tests.page.steps import SECONDS


def fill(page: Page, **values: float) -> None:
    for name, value in values.items():
        page.locator(f'#units label[data-name="{name}"] input').fill(str(value))


def test_numbers_of_a_paper_become_settings(visit: Open):
    page = visit()
    page.get_by_text("Numbers of a paper").click()
    fill(page, alpha=0.1, step_size=0.5, steps=100, batch_size=50, dimension=1000, samples=500)
    theirs = {"alpha": 0.1, "step_size": 0.5, "steps": 100, "batch_size": 50}
    ours = from_paper(Convention("product"), dimension=1000, samples=500, **theirs)
    expect(page.locator("#units-found")).to_contain_text(f"a = {ours['initial_scale']:.4g}")
    page.get_by_role("button", name="Use these numbers").click()
    page.wait_for_function(
        "(a) => JSON.parse(document.getElementById('picture').dataset.settings ?? '{}').initial_scale === a",
        arg=float(f"{ours['initial_scale']:.6g}"),
        timeout=SECONDS,
    )
    drawn = json.loads(page.locator("#picture").get_attribute("data-settings"))
    for name, value in (ours | {"aspect_ratio": 0.5}).items():
        assert drawn[name] == pytest.approx(value, rel=1e-5), name


def test_numbers_are_not_taken_over_before_they_are_converted(visit: Open):
    page = visit()
    page.get_by_text("Numbers of a paper").click()
    use = page.get_by_role("button", name="Use these numbers")
    expect(use).to_be_enabled()
    page.route("**/v1/units", lambda route: None)  # never answered
    fill(page, alpha=0.2)
    expect(use).to_be_disabled()


def test_every_convention_is_offered_and_what_is_wrong_is_said(visit: Open):
    page = visit()
    page.get_by_text("Numbers of a paper").click()
    for name, kinds in (("parametrisation", Parametrisation), ("loss", Loss)):
        options = page.locator(f'#units label[data-name="{name}"] option')
        assert options.evaluate_all("nodes => nodes.map((node) => node.value)") == list(get_args(kinds))
    expect(page.locator('#units label[data-name="depth"]')).to_be_hidden()
    page.locator('#units label[data-name="parametrisation"] select').select_option("difference")
    fill(page, depth=1.5)
    expect(page.locator("#units-error")).to_contain_text("depth: give 1, or at least 2")
    fill(page, depth=3, steps=5)
    expect(page.locator("#units-error")).to_contain_text("steps: give step_size too")
    fill(page, step_size=0.1)
    expect(page.locator("#units-found")).to_contain_text("L = 3")

"""What a hand does on the form, as steps of tests."""

from pathlib import Path

from playwright.sync_api import Page, expect

SECONDS = 30_000  # for what a busy machine may take, in Playwright's milliseconds


def field(page: Page, path: str):
    return page.locator(f'.field[data-path="{path}"]:visible').last


def fill(page: Page, path: str, value: object) -> None:
    field(page, path).locator("input").fill(str(value))


def quick(page: Page, seed: int) -> None:
    """A small simulation alone."""
    for kind in ("dmft", "theory"):
        page.uncheck(f"input[name={kind}]")
    page.check("input[name=simulation]")
    for path, value in {"horizon": 1, "times": "0, 0.5, 1", "dimension": 60, "replicas": 2, "seed": seed}.items():
        fill(page, path, value)


def shown_id(page: Page) -> str:
    expect(page.locator("#shown li").first).to_contain_text("succeeded", timeout=SECONDS)
    return page.locator("#shown li").first.get_attribute("data-id")


def expect_shown(page: Page, job_id: str) -> None:
    """The job is shown first, and has succeeded; another may have been before."""
    expect(page.locator("#shown li").first).to_have_attribute("data-id", job_id, timeout=SECONDS)
    assert shown_id(page) == job_id


def downloaded(page: Page, button: str) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return Path(download.value.path())

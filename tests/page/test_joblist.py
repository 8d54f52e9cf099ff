"""The list of jobs in a real browser: old jobs, notes, search, deletion."""

import re

from playwright.sync_api import Route, expect

from tests.e2e.stack import QUICK, Stack
from tests.page.conftest import Open
from tests.page.steps import SECONDS, expect_shown, field


def test_old_jobs_are_shown_and_run_again(visit: Open, stack: Stack):
    job_id = stack.done(QUICK | {"seed": 705})
    page = visit("/#form")
    page.get_by_role("button", name=f"Show simulation {job_id[:8]}").click()
    expect_shown(page, job_id)
    assert field(page, "seed").locator("input").input_value() == "705"
    page.get_by_role("button", name=f"Run simulation {job_id[:8]} again").click()
    expect_shown(page, job_id)


def test_jobs_have_notes_are_searched_and_deleted_and_children_are_folded(visit: Open, stack: Stack):
    stack.done(QUICK | {"seed": 734})  # which stays
    sweep = stack.done({"kind": "sweep", "base": QUICK | {"seed": 713}, "axes": {"problem.noise_std": [0.1, 0.2]}})
    child = stack.client.get(f"/v1/jobs/{sweep}/children").json()["children"][0]["id"]
    page = visit("/#form")
    row = page.locator("#jobs > li", has_text="seed 713")
    expect(row).to_have_count(1)
    row.get_by_text("2 jobs").click()
    expect(row.locator("details li")).to_have_count(2)
    row.locator(".note").fill("weak noise #tuesday")
    row.locator(".note").press("Enter")
    page.reload()
    page.wait_for_selector("body[data-ready]")
    page.fill("#search", "#tuesday")
    expect(page.locator("#jobs > li")).to_have_count(1)
    expect(row.locator(".note")).to_have_value("weak noise #tuesday")
    delete = row.get_by_role("button", name=re.compile("^(Really d|D)elete sweep"))
    delete.click()
    page.locator("#search").focus()  # not so sure
    expect(delete).to_have_text("Delete")
    delete.click()
    expect(delete).to_have_text("Really delete")
    delete.click()
    expect(page.locator("#jobs")).to_contain_text("No job has these words")
    assert stack.client.get(f"/v1/jobs/{sweep}").status_code == 410
    assert stack.client.get(f"/v1/jobs/{child}").status_code == 410


def test_a_job_that_was_explored_is_listed_once_somebody_runs_it(visit: Open):
    page = visit()
    page.locator('.slider[data-name="noise_std"] input[type=number]').fill("0.117")
    expect(page.locator("#explore-caption")).to_contain_text("σ = 0.117", timeout=SECONDS)
    expect(page.locator("#explore-said")).to_have_attribute("data-settled", "yes", timeout=SECONDS)
    page.click("#explore-form")
    page.get_by_role("button", name="Look again").click()
    explored = page.locator("#jobs > li", has_text="σ = 0.117")
    expect(page.locator("#jobs > li").first).to_be_visible()
    expect(explored).to_have_count(0)
    page.click("#run")
    expect(explored.filter(has_text="accuracy 0.01")).to_have_count(1, timeout=SECONDS)


def test_an_older_look_at_the_list_that_answers_late_changes_nothing(visit: Open, stack: Stack):
    sweep = stack.done({"kind": "sweep", "base": QUICK | {"seed": 733}, "axes": {"problem.noise_std": [0.1, 0.2]}})
    page = visit("/#form")
    row = page.locator("#jobs > li", has_text="seed 733")
    expect(row).to_have_count(1)
    held: list[Route] = []
    address = f"**/v1/jobs/{sweep}/children"
    page.route(address, lambda route: held.append(route))
    with page.expect_request(address):
        page.get_by_role("button", name="Look again").click()
    page.select_option("#filter-kind", "theory")
    expect(row).to_have_count(0)
    with page.expect_response(address):
        held[0].continue_()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(row).to_have_count(0)

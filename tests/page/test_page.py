"""The web page in a real browser, from the form to the downloaded file."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from dlnflow.model import Target, members
from tests.e2e.stack import LONG, QUICK, Stack
from tests.page.conftest import Open

UNNAMED = """() => [...document.querySelectorAll("input, select, button")].filter((node) => node.offsetParent
    && !(node.labels?.length || node.textContent.trim() || node.getAttribute("aria-label"))).map((node) => node.outerHTML)"""
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


def downloaded(page: Page, button: str) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return Path(download.value.path())


def test_from_the_form_to_the_downloaded_files(visit: Open, stack: Stack):
    page = visit("/#form")
    quick(page, 701)
    page.click("#run")
    job_id = shown_id(page)
    served = stack.client.get(f"/v1/jobs/{job_id}/curves", params={"format": "csv"}).content
    assert downloaded(page, "Download simulation curves as CSV").read_bytes() == served
    with np.load(downloaded(page, "Download simulation curves as NPZ")) as arrays:
        assert arrays["time"].tolist() == [0, 0.5, 1]
    assert ElementTree.parse(downloaded(page, "Download the plot as SVG")).getroot().tag.endswith("svg")
    expect(page.locator("#curves")).to_have_attribute("aria-label", re.compile(r"test loss \(simulation\) from .* at time 0.5"))
    page.get_by_text("The curves as a table").click()
    assert page.locator("#table tbody tr").count() == 3


def test_theory_and_networks_lie_over_one_another(visit: Open):
    page = visit("/#form")
    page.check("input[name=simulation]")
    for path, value in {"horizon": 4, "dimension": 100, "replicas": 4, "accuracy": 0.05}.items():
        fill(page, path, value)
    page.click("#run")
    expect(page.locator("#shown li", has_text="succeeded")).to_have_count(3, timeout=SECONDS)
    expect(page.locator("#curves .errorbars").first).to_be_attached()
    expect(page.locator("#curves .js-fill").first).to_be_attached()
    expect(page.locator("#curves .annotation", has_text="γ =")).to_have_count(1)
    expect(page.locator("#curves .y2tick", has_text="search")).to_have_count(1)
    expect(page.locator("#theory")).to_contain_text("convergence rate γ")
    expect(page.locator("#conditional .js-fill")).to_have_count(6)
    for kernel in ("response", "residual_correlation"):
        page.select_option("#kernel", kernel)
        expect(page.locator("#kernels")).to_have_attribute("aria-label", re.compile(kernel.replace("_", " ")))
    expect(page.locator("#kernels .contourfill path").first).to_be_attached()


def test_the_address_alone_brings_back_problem_and_result(visit: Open):
    page = visit("/#form")
    quick(page, 702)
    fill(page, "problem.noise_std", 0.25)
    page.click("#run")
    job_id = shown_id(page)
    other = visit(page.url[page.url.index("/#") :])
    assert shown_id(other) == job_id
    assert field(other, "problem.noise_std").locator("input").input_value() == "0.25"
    assert other.locator("input[name=simulation]").is_checked()
    assert not other.locator("input[name=dmft]").is_checked()
    text = other.locator("#python").text_content()
    assert '"noise_std": 0.25' in text and 'kind="simulation"' in text
    body = re.search(r"-d '(.*)'$", other.locator("#curl").text_content())[1]
    assert json.loads(body)["problem"]["noise_std"] == 0.25


def test_what_is_refused_stands_beside_its_field(visit: Open):
    page = visit("/#form")
    for path, value, why in (
        ("problem.aspect_ratio", -1, "at least 0.05"),
        ("horizon", "", "this is needed"),
        ("times", "1, x", "only numbers"),
    ):
        fill(page, path, value)
        expect(field(page, path).locator(".error")).to_contain_text(why)
    page.click("#run")
    wrong = field(page, "problem.aspect_ratio")
    expect(wrong.locator("input")).to_be_focused()
    expect(wrong.locator("input")).to_have_attribute("aria-invalid", "true")
    expect(field(page, "times").locator(".error")).to_contain_text("only numbers")
    assert page.locator("#shown li").count() == 0
    fill(page, "problem.aspect_ratio", 0.5)
    expect(wrong.locator(".error")).to_have_text("")
    fill(page, "horizon", 32)
    for times, why in (("2, 1", "increasing"), ("2, 64", "must not pass the horizon")):  # what the service alone knows
        fill(page, "times", times)
        page.click("#run")
        expect(field(page, "times").locator(".error")).to_contain_text(why)
    fill(page, "horizon", 64)
    expect(field(page, "times").locator(".error")).to_have_text("")


def test_curves_grow_while_they_are_computed(visit: Open):
    page = visit("/#form")
    page.uncheck("input[name=theory]")
    page.check("input[name=simulation]")
    for path, value in {"accuracy": 4e-4, "dimension": 2000, "replicas": 40, "seed": 709}.items():
        fill(page, path, value)
    page.click("#run")
    so_far = page.locator("#curves .legendtext", has_text="so far")
    for kind in ("dmft", "simulation"):
        expect(so_far.filter(has_text=re.compile(kind)).first).to_be_attached(timeout=SECONDS)
    first = page.locator("#summary").text_content()
    expect(page.locator("#summary")).not_to_have_text(first, timeout=SECONDS)
    expect(page.locator("#shown li", has_text="running")).not_to_have_count(0)
    expect(page.locator("#curves .errorbars").first).to_be_attached()
    cancel = page.get_by_role("button", name="Cancel dmft", exact=True)
    cancel.focus()
    page.wait_for_timeout(1000)  # of news, which must not take the focus away
    expect(cancel).to_be_focused()
    cancel.press("Enter")
    expect(page.locator("#said")).to_have_text(re.compile("dmft cancelled|simulation succeeded"), timeout=SECONDS)
    expect(page.locator("#shown li", has_text="dmft, cancelled")).to_have_count(1, timeout=SECONDS)


def test_a_running_job_moves_and_is_cancelled(visit: Open, stack: Stack):
    job_id = stack.submit(LONG | {"seed": 703}, wait=0).json()["id"]
    page = visit(f"/#jobs={job_id}")
    expect(page.locator("#shown progress")).to_be_visible()
    expect(page.locator("#shown li")).to_contain_text("replica", timeout=SECONDS)
    page.get_by_role("button", name="Cancel simulation", exact=True).click()
    expect(page.locator("#shown li")).to_contain_text("cancelled", timeout=SECONDS)
    page.select_option("#filter-status", "cancelled")
    expect(page.locator("#jobs li").first).to_contain_text("simulation, cancelled")


def test_a_sweep_is_a_table_a_plot_and_a_family_of_curves(visit: Open):
    page = visit("/#form")
    quick(page, 704)
    page.check("input[name=sweep]")
    page.fill("#axis-0-values", "0.2, 0.5, 1")
    page.fill("#axis-1-values", "")
    page.click("#run")
    expect(page.locator("#shown li", has_text="sweep, succeeded")).to_have_count(1, timeout=SECONDS)
    expect(page.locator("#sweep-table tbody tr")).to_have_count(3)
    expect(page.locator("#family .legendtext").first).to_have_text("a = 0.2", timeout=SECONDS)
    assert downloaded(page, "Download the table as CSV").read_text().startswith("problem.initial_scale,")


def test_every_law_of_teacher_weights_is_in_the_form(visit: Open, stack: Stack):
    page = visit("/#form")
    choice = field(page, "problem.target").locator("select").first
    assert choice.locator("option").all_text_contents() == list(members(Target))
    page.uncheck("input[name=theory]")
    fill(page, "accuracy", 0.1)
    fill(page, "horizon", 1)
    choice.select_option(label="values")
    fill(page, "problem.target.values", "0, 0, 1, -2")
    page.click("#run")
    assert stack.job(shown_id(page))["request"]["problem"]["target"] == {"kind": "values", "values": [0, 0, 1, -2]}
    choice.select_option(label="uniform")
    fill(page, "problem.target.low", 1)
    fill(page, "problem.target.high", 0)
    page.click("#run")
    expect(field(page, "problem.target.high").locator(".error")).to_contain_text("above low")


def test_groups_stand_in_place_of_one_law(visit: Open, stack: Stack):
    page = visit("/#form")
    page.uncheck("input[name=theory]")
    fill(page, "accuracy", 0.1)
    fill(page, "horizon", 1)
    for number in range(3):
        page.get_by_role("button", name="add one").click()
        fill(page, f"problem.groups.{number}.weight", [0.5, 0.3, 0.2][number])
        fill(page, f"problem.groups.{number}.initial_scale", 0.1 * (number + 1))
    expect(field(page, "problem.target")).to_have_count(0)
    page.get_by_role("button", name="remove groups 2").click()
    page.click("#run")
    expect(field(page, "problem.groups").locator("> .error")).to_contain_text("sum to 1")
    fill(page, "problem.groups.1.weight", 0.5)
    page.click("#run")
    groups = stack.job(shown_id(page))["request"]["problem"]["groups"]
    assert [(group["weight"], group["initial_scale"]) for group in groups] == [(0.5, 0.1), (0.5, pytest.approx(0.3))]
    other = visit(page.url[page.url.index("/#") :])
    assert field(other, "problem.groups.1.weight").locator("input").input_value() == "0.5"
    page.select_option("#preset", "1")
    expect(field(page, "problem.target")).to_have_count(1)


def test_own_data_is_uploaded_from_the_form(visit: Open, tmp_path: Path):
    page = visit("/#form")
    quick(page, 708)
    field(page, "design").locator("select").select_option(label="dataset")
    np.savetxt(tmp_path / "data.csv", np.random.default_rng(5).normal(size=(80, 60)), delimiter=",")
    (tmp_path / "bad.csv").write_text("1,x\n")
    choose = field(page, "design.id").locator("input[type=file]")
    choose.set_input_files(tmp_path / "bad.csv")
    expect(field(page, "design.id").locator(".error")).not_to_have_text("")
    choose.set_input_files(tmp_path / "data.csv")
    expect(field(page, "design.id").locator("small").first).to_contain_text("80 rows, 60 columns")
    page.click("#run")
    shown_id(page)


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


def test_old_jobs_are_shown_and_run_again(visit: Open, stack: Stack):
    job_id = stack.done(QUICK | {"seed": 705})
    page = visit("/#form")
    page.get_by_role("button", name=f"Show simulation {job_id[:8]}").click()
    assert shown_id(page) == job_id
    assert field(page, "seed").locator("input").input_value() == "705"
    page.get_by_role("button", name=f"Run simulation {job_id[:8]} again").click()
    assert shown_id(page) == job_id


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


def test_nothing_ticked_and_run_says_what_is_missing(visit: Open):
    page = visit("/#form")
    for kind in ("dmft", "theory"):
        page.uncheck(f"input[name={kind}]")
    expect(page.locator("#estimate")).to_contain_text("Tick at least one kind")
    page.click("#run")
    expect(page.locator("#form-error")).to_contain_text("Tick at least one kind")
    expect(page.locator("input[name=dmft]")).to_be_focused()


def test_a_long_job_asks_before_it_runs(visit: Open):
    page = visit("/#form")
    quick(page, 715)
    for path, value in {"horizon": 100, "dimension": 4000, "replicas": 1000}.items():
        fill(page, path, value)
    page.click("#run")
    expect(page.locator("#ask-text")).to_contain_text("min", timeout=SECONDS)
    page.get_by_role("button", name="Not now").click()
    expect(page.locator("#ask")).to_be_hidden()
    assert page.locator("#shown li").count() == 0


def test_values_of_a_sweep_at_any_time_with_the_limits_of_theory(visit: Open, stack: Stack):
    request = {"kind": "sweep", "base": QUICK | {"seed": 712}, "axes": {"problem.initial_scale": [0.2, 0.5]}}
    job_id = stack.done(request)
    page = visit(f"/#jobs={job_id}")
    expect(page.locator("#sweep .legendtext", has_text="theory, t → ∞")).to_have_count(1, timeout=SECONDS)
    first = page.locator("#sweep-table thead").text_content()
    assert first.startswith("problem.initial_scalestatustime")
    page.locator("#sweep-at").fill("0")
    expect(page.locator("#sweep-table thead")).to_contain_text("test_loss_at", timeout=SECONDS)
    expect(page.locator("#sweep")).to_have_attribute("aria-label", re.compile("test loss at t = 0.5"))
    at = stack.client.get(f"/v1/jobs/{job_id}/table", params={"at": 0.5}).json()["rows"][0]["test_loss_at"]
    assert f"{at:.3g}"[:5] in page.locator("#sweep-table tbody tr").first.text_content()


def test_jobs_have_notes_are_searched_and_removed_and_children_are_folded(visit: Open, stack: Stack):
    stack.done({"kind": "sweep", "base": QUICK | {"seed": 713}, "axes": {"problem.noise_std": [0.1, 0.2]}})
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
    row.get_by_role("button", name=re.compile("^Remove")).click()
    expect(page.locator("#jobs")).to_contain_text("No job has these words")


def test_a_schedule_of_steps_can_be_filled_in(visit: Open, stack: Stack):
    page = visit("/#form")
    quick(page, 714)
    field(page, "dynamics").locator("select").first.select_option(label="gradient_descent")
    page.locator('.field[data-path="dynamics.step_size"]:visible').first.locator("select").first.select_option(label="linear")
    for name, value in {"start": 0.2, "end": 0.1, "steps": 10}.items():
        fill(page, f"dynamics.step_size.{name}", value)
    page.click("#run")
    page.wait_for_selector("#shown li", timeout=SECONDS)
    sent = stack.job(page.locator("#shown li").first.get_attribute("data-id"))["request"]["dynamics"]
    assert sent["step_size"] == {"kind": "linear", "start": 0.2, "end": 0.1, "steps": 10}


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

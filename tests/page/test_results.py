"""Results in a real browser: curves that grow, theory over networks, sweeps, files that are taken away."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
from playwright.sync_api import expect

from tests.e2e.stack import LONG, QUICK, Stack
from tests.page.conftest import Open
from tests.page.steps import SECONDS, downloaded, fill, quick, shown_id


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
    page.emulate_media(color_scheme="dark")  # the same values are drawn once more
    expect(page.locator("#kernels .contourfill path").first).to_be_attached()


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
    assert "test loss at the end" in downloaded(page, "Download the sweep's plot as SVG").read_text()
    assert "a = 0.2" in downloaded(page, "Download the sweep's curves as SVG").read_text()


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

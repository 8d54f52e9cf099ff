"""The form in a real browser: every field of a request, what is refused, and what is asked before it runs."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from dlnflow.model import Target, members
from tests.e2e.stack import QUICK, Stack
from tests.page.conftest import Open
from tests.page.steps import SECONDS, expect_shown, field, fill, quick, shown_id


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


def test_what_is_no_number_in_a_sweep_is_said_beside_its_values(visit: Open):
    page = visit("/#form")
    page.check("input[name=sweep]")
    page.fill("#axis-0-values", "0.1, x, 1")
    page.click("#run")
    expect(page.locator('.field[data-path="axes"] .error')).to_have_text("not a number: x")
    expect(page.locator("#axis-0-values")).to_be_focused()
    expect(page.locator("#axis-0-values")).to_have_attribute("aria-invalid", "true")
    page.fill("#axis-0-values", "0.1, 1")
    expect(page.locator('.field[data-path="axes"] .error')).to_have_text("", timeout=SECONDS)


def test_back_leads_through_the_jobs_to_the_form(visit: Open, stack: Stack):
    first, second = (stack.done(QUICK | {"seed": seed}) for seed in (717, 718))
    page = visit("/#form")
    for job_id in (first, second):
        page.get_by_role("button", name=f"Show simulation {job_id[:8]}").click()
        expect_shown(page, job_id)
    for address in (f"#jobs={first}", "#form"):
        page.go_back()
        page.wait_for_function("(start) => location.hash.startsWith(start)", arg=address)
        if first in address:
            expect_shown(page, first)


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

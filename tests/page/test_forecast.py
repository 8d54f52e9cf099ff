"""What the page says of how long jobs take, in a real browser: ranges, which are revised while a job runs, and passes by their names."""

import itertools
import json
import re

from playwright.sync_api import Page, expect

from tests.e2e.stack import LONG, PROBLEM, Stack
from tests.page.conftest import Open
from tests.page.steps import SECONDS

SLOW = PROBLEM | {"aspect_ratio": 1.0, "initial_scale": 0.005}
SOLVE = {"kind": "dmft", "problem": SLOW, "horizon": 300.0, "accuracy": 0.02, "seed": 716}
START = 1_700_000_000_000
LEFT = """async ([start, record, predicted, now]) => {
  const { sayLeft } = await import("./page/forecast.js");
  return sayLeft({ status: "running", started_at: new Date(start).toISOString(), ...record }, predicted, now);
}"""


def left(page: Page, seconds: float, progress: float, predicted: float | None = None, status: str = "running") -> str:
    return page.evaluate(LEFT, [START, {"progress": progress, "status": status}, predicted, START + 1000 * seconds])


def seconds_of(text: str) -> list[float]:
    """The ends of a range."""
    units = {"s": 1.0, "min": 60.0}
    found = re.findall(r"(\d+) (s|min)", text)
    return [float(number) * units[unit] for number, unit in found]


def test_what_is_left_is_a_range_that_holds_the_truth_where_progress_is_even(visit: Open):
    page = visit("/#form")
    for whole in (20, 100, 1000):
        for progress in (0.2, 0.5, 0.9):
            low, high = seconds_of(left(page, whole * progress, progress))
            assert low <= whole * (1 - progress) <= high, (whole, progress)
            assert high <= 4 * max(low, 60), (low, high)


def test_a_prediction_is_revised_when_it_was_wrong(visit: Open):
    page = visit("/#form")
    assert seconds_of(left(page, 1, 0.01, predicted=10)) == [4, 19]  # between half and twice
    assert seconds_of(left(page, 12, 0.01, predicted=10)) == [1, 8]
    assert left(page, 30, 0.01, predicted=10) == "longer than predicted (5 s to 20 s)"
    assert seconds_of(left(page, 30, 0.1, predicted=10)) == [180, 540]  # 270 s by what is done
    assert left(page, 30, 0.01) == ""  # nothing is known
    assert left(page, 30, 0.5, status="succeeded") == ""


def test_a_running_job_says_its_pass_and_a_range_that_changes(visit: Open, stack: Stack):
    job_id = stack.submit(LONG | {"seed": 716}, wait=0).json()["id"]
    page = visit(f"/#jobs={job_id}")
    line = page.locator("#shown li .what").first
    expect(line).to_contain_text(re.compile(r"replica.*\d+ (s|min) left"), timeout=SECONDS)
    first = line.text_content()
    expect(line).not_to_have_text(first, timeout=SECONDS)
    page.get_by_role("button", name="Cancel simulation", exact=True).click()
    expect(line).not_to_contain_text("left", timeout=SECONDS)


def test_a_pass_that_begins_anew_has_another_name(stack: Stack):
    job_id = stack.done(SOLVE)
    events = stack.client.get(f"/v1/jobs/{job_id}/events").text
    messages = [json.loads(data)["message"] for data in re.findall(r"^event: progress\n(?:id: .*\n)?data: (.*)$", events, re.MULTILINE)]
    passes = [(name, float(time)) for name, time in re.findall(r"^(.*): t = ([\d.]+) of", "\n".join(messages), re.MULTILINE)]
    assert passes, messages
    for (name, time), (following, later) in itertools.pairwise(passes):
        assert later >= time or following != name, messages

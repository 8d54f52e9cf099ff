"""The Explore view in a real browser: the theory follows a slider, curves are pinned, presets, addresses and exports."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from dlnflow.wire.requests import request_adapter
from tests.e2e.stack import Stack
from tests.page.conftest import Open
from tests.page.steps import SECONDS

PRESETS = json.loads((Path(__file__).parents[2] / "service/page/presets.json").read_text())


def slider(page: Page, name: str) -> Locator:
    return page.locator(f'.slider[data-name="{name}"] input[type=range]')


def number(page: Page, name: str) -> Locator:
    return page.locator(f'.slider[data-name="{name}"] input[type=number]')


def drawn(page: Page) -> dict[str, Any]:
    """The settings that the picture is of."""
    return json.loads(page.locator("#picture").get_attribute("data-settings") or "null")


def await_drawn(page: Page, **settings: Any) -> None:
    shown = "([name, value]) => JSON.parse(document.getElementById('picture').dataset.settings ?? '{}')[name] === value"
    for item in settings.items():
        page.wait_for_function(shown, arg=list(item), timeout=SECONDS)


def settled(page: Page) -> None:
    expect(page.locator("#explore-said")).to_have_attribute("data-settled", "yes", timeout=SECONDS)


def test_it_opens_first_and_the_theory_follows_a_slider(visit: Open):
    page = visit()
    await_drawn(page, initial_scale=0.3)
    expect(page.locator("#explore-theory")).to_contain_text("rich")
    before = page.locator("#picture").get_attribute("aria-label")
    slider(page, "initial_scale").fill("900")
    value = float(number(page, "initial_scale").input_value())
    assert value == pytest.approx(10 ** (-3 + 0.9 * 4), rel=0.01)  # logarithmic, from 0.001 to 10
    await_drawn(page, initial_scale=value)
    expect(page.locator("#explore-theory")).to_contain_text("lazy")
    assert page.locator("#picture").get_attribute("aria-label") != before
    settled(page)
    expect(page.locator("#explore-caption")).to_contain_text(f"a = {value}")
    assert json.loads(page.evaluate("decodeURIComponent(location.hash).split('explore=')[1]"))["settings"]["initial_scale"] == value


def key(page: Page) -> list[str]:
    """What the key of the picture says of settings, the present ones first."""
    return [text.removesuffix("Unpin") for text in page.locator("#pins li").all_text_contents() if "=" in text]


def colours(page: Page) -> dict[str, str]:
    """The colours of the key, by what they stand for."""
    nodes = page.locator("#pins li").filter(has_text="=")
    return dict(zip(key(page), nodes.evaluate_all("nodes => nodes.map((node) => node.firstChild.style.borderTopColor)"), strict=True))


def test_pinned_curves_stay_in_their_colours_and_are_named_by_what_differs(visit: Open):
    page = visit()
    await_drawn(page, initial_scale=0.3)
    lines = page.locator("#picture .scatterlayer .js-line")
    alone = lines.count()
    expect(page.locator("#pins li")).to_have_text(["test loss", "train loss"])
    page.click("#pin")
    expect(page.get_by_role("button", name="Unpin the present curve")).to_be_visible()
    assert lines.count() == alone  # what is pinned is not drawn twice
    number(page, "initial_scale").fill("0.03")
    await_drawn(page, initial_scale=0.03)
    page.click("#pin")
    assert key(page) == ["a = 0.3", "a = 0.03"]  # each once
    number(page, "initial_scale").fill("1")
    await_drawn(page, initial_scale=1)
    before = colours(page)
    assert list(before) == ["a = 1", "a = 0.3", "a = 0.03"] and len(set(before.values())) == 3
    page.get_by_role("button", name="Unpin a = 0.3", exact=True).click()
    assert colours(page) == {name: colour for name, colour in before.items() if name != "a = 0.3"}
    assert page.locator("#picture").get_attribute("aria-label").startswith("test loss, a = 1 ± 1 s.e.")


def test_an_address_brings_pins_and_settings_back(visit: Open):
    settings = {
        "aspect_ratio": 0.5,
        "noise_std": 0.1,
        "weight_decay": 0,
        "density": 0.2,
        "depth": 2,
        "batch_fraction": 1,
        "step_size": 0.05,
    }
    settings |= {"horizon": 4, "target": {"kind": "bernoulli_gauss", "density": 0.2, "std": 1}}
    state = {"settings": settings | {"initial_scale": 0.5}, "pins": [settings | {"initial_scale": 1}], "quantity": "l1_norm"}
    page = visit(f"/#explore={json.dumps(state)}")
    await_drawn(page, initial_scale=0.5)
    assert page.locator("#explore-quantity").input_value() == "l1_norm"
    expect(page.locator("#picture")).to_have_attribute(
        "aria-label", re.compile(r"E\|w\|, a = 0.5 ± 1 s.e..*E\|w\|, a = 1 ± 1 s.e."), timeout=SECONDS
    )
    assert key(page) == ["a = 0.5", "a = 1"]


def test_overtaken_requests_are_cancelled_and_the_last_one_counts(visit: Open, stack: Stack):
    page = visit()
    settled(page)
    deleted: list[str] = []
    page.on("request", lambda request: request.method == "DELETE" and deleted.append(request.url))
    with page.expect_request(lambda request: '"accuracy":0.01' in (request.post_data or "")):
        number(page, "noise_std").fill("0.4")  # the hand rests, and the fine result is asked for
    for value in ("0.5", "0.6", "0.7"):
        number(page, "noise_std").fill(value)
    await_drawn(page, noise_std=0.7)
    assert drawn(page)["noise_std"] == 0.7 and len(deleted) >= 1


def test_presets_of_regimes_and_requests_keep_to_the_wire(visit: Open):
    page = visit()
    for i, preset in enumerate(PRESETS):
        assert page.locator("#explore-preset option").nth(i).text_content() == preset["name"]
        request_adapter.validate_python({"kind": "dmft", **preset["request"]})
    sent: list[dict[str, Any]] = []
    page.on("request", lambda request: request.method == "POST" and sent.append(json.loads(request.post_data)))
    page.select_option("#explore-preset", label="Lazy: a large initial scale")
    await_drawn(page, initial_scale=4)
    expect(page.locator("#picture .ytick, #picture .y2tick").filter(has_text=re.compile("^lazy")).first).to_be_attached()
    assert all("depth" not in request["problem"] and "dynamics" not in request for request in sent)  # what is not said keeps ids
    sent.clear()
    number(page, "depth").fill("3")
    number(page, "batch_fraction").fill("0.5")
    expect(page.locator("#explore-said")).not_to_have_text("computing…", timeout=SECONDS)
    last = [request for request in sent if request["kind"] == "dmft"][-1]
    assert last["problem"]["depth"] == 3
    assert last["dynamics"] == {"kind": "gradient_descent", "step_size": 0.05, "batch_fraction": 0.5}


def test_axes_and_key_belong_to_pictures_of_lines(visit: Open):
    page = visit()
    await_drawn(page, initial_scale=0.3)
    page.click("#pin")
    for quantity, lines in (("response", False), ("l1_norm", True), ("conditional", False)):
        page.select_option("#explore-quantity", quantity)
        settled(page)
        expect(page.locator("#explore-time")).to_be_enabled(enabled=lines)
        expect(page.locator("#pins .swatch")).to_have_count(1 if lines else 0)


def test_a_moved_slider_stays_where_the_hand_is(visit: Open):
    page = visit()
    await_drawn(page, initial_scale=0.3)
    before = slider(page, "initial_scale").bounding_box()
    slider(page, "initial_scale").fill("700")
    assert page.locator("#explore-preset").input_value() == ""
    assert slider(page, "initial_scale").bounding_box() == pytest.approx(before, abs=1)


def test_a_sweep_over_the_slider_that_was_moved_last(visit: Open):
    page = visit()
    await_drawn(page, initial_scale=0.3)
    number(page, "aspect_ratio").fill("0.8")
    await_drawn(page, aspect_ratio=0.8)
    page.get_by_role("button", name="Sweep over δ").click()
    expect(page.locator("input[name=sweep]")).to_be_checked()
    assert page.locator("#axis-0").input_value() == "problem.aspect_ratio"
    values = [float(value) for value in page.locator("#axis-0-values").input_value().split(", ")]
    assert len(values) == 5 and values == sorted(values) and values[2] == 0.8
    assert page.locator("#axis-1").input_value() == ""
    expect(page.locator("#axis-0-values")).to_be_focused()
    expect(page.locator("#run")).to_be_in_viewport()


def test_a_slow_curve_is_drawn_as_it_grows(visit: Open):
    page = visit()
    await_drawn(page, initial_scale=0.3)
    ends = """() => Math.max(...document.getElementById("picture").data.map(({ x }) => x.at(-1)))"""
    page.evaluate("document.getElementById('picture').setAttribute('aria-label', '')")
    for name, value in {"initial_scale": 0.001, "noise_std": 0.4, "aspect_ratio": 1.2, "horizon": 340}.items():
        number(page, name).fill(str(value))
    expect(page.locator("#explore-said")).to_have_text("computing…")
    expect(page.locator("#picture")).to_have_attribute("aria-label", re.compile("test loss"), timeout=SECONDS)
    expect(page.locator("#explore-said")).to_have_text("computing…")
    assert page.evaluate(ends) <= 340
    number(page, "initial_scale").fill("2")  # which cancels the slow one
    await_drawn(page, initial_scale=2)


def test_a_failed_job_says_why_in_its_own_words_and_the_old_picture_fades(visit: Open):
    page = visit()
    number(page, "batch_fraction").fill("0.2")
    number(page, "step_size").fill("1")
    expect(page.locator("#explore-error")).to_contain_text(re.compile("^Gradient descent ran away"), timeout=SECONDS)
    expect(page.locator("#picture")).to_have_class(re.compile("stale"))
    number(page, "batch_fraction").fill("1")
    settled(page)
    expect(page.locator("#picture")).not_to_have_class(re.compile("stale"))


def test_what_is_below_its_own_error_is_said_so(visit: Open):
    page = visit()
    await_drawn(page, initial_scale=0.3)
    number(page, "initial_scale").fill("1")
    await_drawn(page, initial_scale=1)
    label = re.compile("^test loss ± 1 s.e.: from 0.05.* to 0.03.* at time 32; train loss.* to below .*e-.* at time 32")
    expect(page.locator("#picture")).to_have_attribute("aria-label", label, timeout=SECONDS)


def test_the_way_past_the_top_stays_in_the_view(visit: Open):
    page = visit()
    await_drawn(page, initial_scale=0.3)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#view")).to_be_focused()
    expect(page.locator("#explore")).to_be_visible()


def test_what_the_service_refuses_is_said(visit: Open):
    page = visit()
    await_drawn(page, initial_scale=0.3)
    number(page, "aspect_ratio").fill("0.001")
    expect(page.locator("#explore-error")).to_contain_text("0.05", timeout=SECONDS)
    number(page, "aspect_ratio").fill("0.6")
    await_drawn(page, aspect_ratio=0.6)
    expect(page.locator("#explore-error")).to_have_text("")


def test_figures_and_their_script_are_taken_away(visit: Open, stack: Stack, tmp_path: Path):
    page = visit()
    await_drawn(page, initial_scale=0.3)

    def saved(button: str) -> Path:
        with page.expect_download() as download:
            page.get_by_role("button", name=button, exact=True).click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        return path

    svg = ElementTree.parse(saved("SVG")).getroot()
    words = " ".join(svg.itertext())
    assert "a = 0.3" in words and "one standard error" in words
    assert saved("PNG").read_bytes().startswith(b"\x89PNG")
    for quantity, file in (("losses", "dlnflow-losses"), ("response", "dlnflow-response"), ("conditional", "dlnflow-conditional")):
        page.select_option("#explore-quantity", quantity)
        script = saved("Python script")
        done = subprocess.run([sys.executable, "-W", "error", script], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / f"{file}.svg").stat().st_size > 1000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_windows_keep_the_picture_in_view(visit: Open, scheme: str):
    page = visit(viewport={"width": 400, "height": 800}, color_scheme=scheme)
    await_drawn(page, initial_scale=0.3)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    slider(page, "horizon").scroll_into_view_if_needed()
    expect(page.locator("#picture")).to_be_in_viewport(ratio=0.9)
    page.locator("#to-form").focus()
    for _ in range(4):
        page.keyboard.press("Tab")
    slider(page, "initial_scale").focus()
    page.keyboard.press("ArrowRight")
    assert float(number(page, "initial_scale").input_value()) > 0.3
    page.click("#to-form")
    expect(page.locator("#form")).to_be_visible()
    page.go_back()
    expect(page.locator("#picture")).to_be_visible()
    assert page.locator("body").get_by_text("plotly cloud").count() == 0


ENDS = """async (preset) => {
  const { SETTINGS, curvesRequest, fromRequest, position, valueAt, withSetting } = await import("./page/settings.js");
  const start = { ...fromRequest(preset), batch_fraction: 0.5, step_size: 1 };
  return Object.keys(SETTINGS).map((name) => [name, ...[0, 0.37, 1].map((at) => {
    const value = valueAt(name, at);
    return [curvesRequest(withSetting(start, name, value), 0.05), position(name, value), at];
  })]);
}"""


def test_sliders_stay_within_the_ranges_of_their_fields_and_know_their_places(visit: Open):
    page = visit()
    for name, *ends in page.evaluate(ENDS, PRESETS[0]["request"] | {"horizon": 8}):
        for request, position, at in ends:
            if name not in ("step_size", "horizon"):  # which limit one another, as the service says
                request_adapter.validate_python(request)
            assert position == pytest.approx(at, abs=0.2 if name == "depth" else 0.01), name

"""What is shown means one thing: ± is one standard error, what is below its own error is no curve, presets are in their regimes."""

import json
from pathlib import Path

import numpy as np
import pytest

from dlnflow.cli.show import MEANING, curves_table, sweep_table
from dlnflow.client import Curves
from dlnflow.model import Problem
from dlnflow.theory.prediction import predict
from dlnflow.theory.scales import Regime
from dlnflow.uncertainty import CAPTION, ONE
from service.plot import draw

ROOT = Path(__file__).parents[2]
PRESETS = json.loads((ROOT / "service/page/presets.json").read_text())
TIME = np.array([1.0, 2.0, 4.0, 8.0])
VALUE = np.array([1.0, 0.5, 0.25, 2.096e-10])
ERROR = np.array([0.1, 0.1, 0.1, 2.151e-9])  # the last value is below its own
CURVES = Curves(TIME, *[VALUE, ERROR] * 3)


def test_bands_and_bars_are_one_standard_error():
    axes = CURVES.plot(name="test_loss")
    band = axes.collections[0].get_paths()[0].vertices
    for t, value in zip(TIME[:3], VALUE[:3], strict=True):
        assert sorted(set(np.round(band[band[:, 0] == t, 1], 9))) == pytest.approx([value - 0.1, value + 0.1])
    assert axes.lines[0].get_label() == f"test loss {ONE}"
    bars = CURVES.plot(points=True).collections[0].get_segments()
    assert [tuple(bar[:, 1]) for bar in bars[:3]] == [pytest.approx((v - 0.1, v + 0.1)) for v in VALUE[:3]]


def test_what_is_below_its_own_error_is_grey_in_plots():
    line, unresolved = CURVES.plot(name="test_loss").lines
    assert np.isnan(line.get_ydata()).tolist() == [False, False, False, True]
    assert unresolved.get_ydata()[-1] == pytest.approx(2.36e-9, rel=1e-2) and unresolved.get_color() == "0.6"
    svg = draw([("a", {name: column.tolist() for name, column in CURVES.columns().items()})], "svg", "t").decode()
    assert all(f"<!-- {text} -->" in svg for text in (CAPTION.replace("--", "- -"),))


def test_what_is_below_its_own_error_is_less_than_it_in_tables():
    *_, last, meaning = curves_table(CURVES).splitlines()
    assert last.split() == ["8", *["<", "2.4e-09"] * 3] and meaning == MEANING
    row = {"problem.noise_std": 0.1, "test_loss": 2.096e-10, "test_loss_stderr": 2.151e-9}
    assert "< 2.4e-09" in sweep_table([row]) and "2.096e-10" not in sweep_table([row])


def test_accuracy_says_what_it_is_relative_to():
    from dlnflow.wire.requests import DmftRequest

    assert "1e-3 of its peak" in DmftRequest.model_json_schema()["properties"]["accuracy"]["description"]


@pytest.mark.parametrize("preset", [p for p in PRESETS if "regime" in p], ids=lambda preset: preset["name"])
def test_presets_are_in_the_regime_that_they_name(preset):
    assert predict(Problem.model_validate(preset["request"]["problem"])).regime == preset["regime"]


def test_there_is_a_preset_for_every_regime():
    assert {preset.get("regime") for preset in PRESETS} >= set(Regime.__args__)


def test_durations_follow_what_they_follow():
    problem = Problem(aspect_ratio=0.5, target={"kind": "bernoulli_gauss", "density": 0.1}, noise_std=0.1, initial_scale=0.03)
    found = predict(problem)
    phase = {phase.name: phase for phase in found.phases}
    assert phase["search"].start == 0 and phase["search"].end == found.time_scales["search"].value
    assert phase["descent"].start == phase["search"].end
    assert phase["descent"].end - phase["descent"].start == pytest.approx(found.time_scales["descent"].value)
    assert phase["convergence"].start == phase["descent"].end
    assert [one.name for one in found.phases] == ["search", "descent", "convergence"]

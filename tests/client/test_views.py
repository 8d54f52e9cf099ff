"""How results show themselves: one line, a table for notebooks, a plot, an xarray; and how the terminal prints and finds them."""

import httpx2
import numpy as np
import pytest

from dlnflow.cli.braille import Curve, log_plot
from dlnflow.cli.problem import axis
from dlnflow.client import Comparison, Curves, InvalidRequest, Sweep, Theory, Update
from dlnflow.client.progress import progress_bar
from dlnflow.client.state import JobState
from dlnflow.model import Problem
from dlnflow.theory.prediction import predict
from tests.client.records import client_of, record

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "gaussian", "std": 1.0}, "noise_std": 0.1, "initial_scale": 0.03, "weight_decay": 0.0}
TIME = np.array([0.0, 1.0, 2.0])
CURVES = Curves(TIME, *[np.array([1.0, 0.5, 0.25]), np.full(3, 0.01)] * 3)
CURVE = {"dmft": [1.0, 0.5, 0.2], "simulation": [1.0, 0.5, 0.22], "difference": [0.0, 0.0, 0.02], "stderr": [0.1, 0.1, 0.1]}
AXES = {"problem.initial_scale": [0.1, 1.0], "problem.noise_std": [0.0, 0.5, 1.0]}
DONE = {"status": "succeeded", "test_loss_stderr": 0.1, "outcome": "x"}
ROWS = [
    {"problem.initial_scale": a, "problem.noise_std": s, "test_loss": 10 * a + s} | DONE
    for a in AXES["problem.initial_scale"]
    for s in AXES["problem.noise_std"]
]
COMPARED = {"time": TIME.tolist(), "test_loss": CURVE, "verdict": "agree", "explanation": "so"}
PREDICTED = predict(Problem.model_validate(PROBLEM)).to_dict()
VIEWS = [
    (Theory({"kind": "theory", "problem": PROBLEM}, PREDICTED), "rich", "convergence_rate"),
    (
        Comparison({"problem": PROBLEM}, {"time": TIME.tolist(), "test_loss": CURVE, "verdict": "agree", "explanation": "so"}),
        "agree",
        "agree",
    ),
    (Sweep({"kind": "sweep", "base": {"kind": "dmft", "problem": PROBLEM}, "axes": AXES}, [], ROWS), "6 of 6 points", "noise_std"),
    (Update("running", 0.5, "t = 1", CURVES), "running 50%", "<svg"),
]


@pytest.mark.parametrize(("view", "line", "html"), VIEWS, ids=lambda view: type(view).__name__)
def test_every_result_has_a_line_a_view_and_a_plot(view, line, html):
    assert line in repr(view) and "\n" not in repr(view) and len(repr(view)) < 160
    assert html in view._repr_html_()
    axes = view.plot()
    assert axes.has_data()
    axes.figure.canvas.draw()


def test_arrays_are_said_in_one_line():
    assert repr(CURVES) == "<Curves 3 times, t = 0 to 2>"


def test_a_sweep_is_an_array_over_its_axes():
    data = VIEWS[2][0].to_xarray()
    assert data.test_loss.dims == ("initial_scale", "noise_std")
    assert float(data.test_loss.sel(initial_scale=1.0, noise_std=0.5)) == pytest.approx(10.5)
    assert "outcome" not in data


@pytest.mark.parametrize(
    ("text", "path", "values"),
    [
        ("noise_std=lin:0:1:11", "problem.noise_std", [0.1 * i for i in range(11)]),
        ("initial_scale=log:0.01:1:3", "problem.initial_scale", [0.01, 0.1, 1]),
        ("density=0.1,0.2", "problem.target.density", [0.1, 0.2]),
        ("seed=1,2", "seed", [1, 2]),
        ("design=gaussian,rademacher", "design", ["gaussian", "rademacher"]),
    ],
)
def test_axes_have_short_names_and_ranges(text, path, values):
    found = axis(text)
    assert found[0] == path
    assert found[1] == (values if isinstance(values[0], str) else pytest.approx(values))


def test_a_range_that_is_none_is_explained():
    with pytest.raises(ValueError, match="lin:FROM:TO:NUMBER"):
        axis("noise_std=lin:0:1")


def test_plots_fit_the_terminal_and_tell_simulations_apart_by_bars():
    time = np.geomspace(0.1, 10, 5)
    line, points = Curve(time, 1 / time, 0.01 / time), Curve(time, 2 / time, 0.5 / time, points=True)
    for columns in (40, 120):
        drawn = log_plot({"theory": line, "networks": points}, "test_loss", color=False, columns=columns).splitlines()
        assert max(map(len, drawn[:-2])) <= columns
    assert drawn[-1].strip() == "networks (points, bars: ± one standard error)" and drawn[-2].strip() == "theory (line)"
    alone = "".join(log_plot({"networks": points}, "x", color=False, columns=80).splitlines()[1:-3])
    columns_used = {i % 80 for i, mark in enumerate(alone) if "⠀" < mark <= "⣿"}
    assert len(columns_used) < 40  # points and bars, no line between them


def test_short_ids_find_their_job_and_ambiguous_ones_are_refused():
    ids = ["ab12" + "0" * 28, "ab13" + "0" * 28]

    def serve(_):
        return httpx2.Response(200, json={"jobs": [record(one) for one in ids], "cursor": None})

    client = client_of(serve)
    assert client.job("ab12").id == ids[0]
    ids[1] = "ab12" + "1" * 28
    with pytest.raises(InvalidRequest, match="several jobs begin with ab12"):
        client.job("ab12")


def test_a_running_job_says_about_how_long_it_still_takes(capsys):
    job = JobState(record("ab12") | {"status": "running", "message": "round 1", "seconds_left": 200.0})
    assert job.note == "round 1, about 3 min left" and "round 1, about 3 min left" in job._repr_html_()
    with progress_bar("dmft") as show:
        show(job)
    assert "about 3 min left" in capsys.readouterr().err
    assert JobState(record("ab12") | {"status": "running", "message": "round 1", "seconds_left": None}).note == "round 1"


def test_bars_end_at_all_without_a_word_of_widgets(capsys, recwarn):
    with progress_bar("dmft") as show:
        show(JobState({"progress": 0.4, "message": "t = 1", "status": "running"}))
    assert "100%" in capsys.readouterr().err and not recwarn.list

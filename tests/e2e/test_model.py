"""Laws of teacher weights that are neither normal nor discrete, and groups of coordinates, over HTTP: comparisons, ends, tables."""

import pytest

from dlnflow import Client
from tests.e2e.stack import PROBLEM, Stack

TARGETS = [
    {"kind": "laplace", "std": 1.0},
    {"kind": "student_t", "degrees_of_freedom": 8.0, "std": 1.0},
    {"kind": "uniform", "low": -1.0, "high": 2.0},
    {"kind": "values", "values": [0.0, 0.0, 0.5, 1.0, -2.0]},
]


def test_a_sweep_of_comparisons_over_laws(stack: Stack):
    base = {"kind": "comparison", "problem": PROBLEM, "horizon": 4.0, "accuracy": 0.05, "dimension": 400, "replicas": 64}
    with Client(str(stack.client.base_url)) as client:
        sweep = client.sweep(base, {"problem.target": TARGETS}, bar=False)
    assert [row["verdict"] for row in sweep.rows] == ["agree"] * len(TARGETS)
    assert [child["values"]["problem.target"]["kind"] for child in sweep.children] == [target["kind"] for target in TARGETS]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target["kind"])
def test_curves_end_where_the_prediction_says(stack: Stack, target):
    problem = PROBLEM | {"target": target}
    theory = stack.client.get(f"/v1/jobs/{stack.done({'kind': 'theory', 'problem': problem})}/theory").json()
    horizon = 4 / theory["convergence_rate"]
    job = stack.done({"kind": "dmft", "problem": problem, "horizon": horizon, "times": [horizon], "accuracy": 0.05})
    curves = stack.client.get(f"/v1/jobs/{job}/curves").json()
    assert curves["parameter_error"][0] == pytest.approx(theory["final_parameter_error"], rel=0.05 + 0.02)  # accuracy, and e^(−4)
    conditional = stack.client.get(f"/v1/jobs/{job}/order-parameters").json()["conditional"]
    assert sum(one["probability"] for one in conditional) == pytest.approx(1)


GROUPS = [
    {"weight": 0.25, "variance": 2.0, "target": {"kind": "laplace", "std": 1.0}, "initial_scale": 0.5},
    {"weight": 0.75, "variance": 0.5, "target": {"kind": "bernoulli_gauss", "density": 0.2}, "initial_scale": 0.3},
]


def test_groups_of_coordinates(stack: Stack):
    problem = {"aspect_ratio": 0.6, "noise_std": 0.1, "groups": GROUPS}
    base = {"kind": "comparison", "problem": problem, "horizon": 4.0, "accuracy": 0.05, "dimension": 400, "replicas": 64}
    with Client(str(stack.client.base_url)) as client:
        sweep = client.sweep(base, {"problem.groups.0.initial_scale": [0.3, 0.5]}, bar=False)
        assert [row["verdict"] for row in sweep.rows] == ["agree"] * 2
        result = client.submit(kind="dmft", problem=problem, horizon=2.0, accuracy=0.1).result(bar=False)
    assert "2 groups" in result._repr_html_()
    assert result.order_parameters.conditional[-1].given == "w*>0, group 2"
    theory = stack.client.get(f"/v1/jobs/{stack.done({'kind': 'theory', 'problem': problem})}/theory").json()
    assert theory["final_parameter_error"] > 0 and theory["convergence_rate"] > 0
    refused = stack.submit({"kind": "theory", "problem": problem | {"groups": GROUPS[:1]}})
    assert (refused.status_code, refused.json()["field"]) == (422, "problem.groups")

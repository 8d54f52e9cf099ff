"""What is known in closed form, over HTTP."""

import io

import numpy as np
import pytest

from dlnflow.model import GradientDescent, Problem
from dlnflow.theory import predict
from tests.e2e.stack import PROBLEM, Stack


def test_a_prediction_is_that_of_the_library(stack: Stack):
    job_id = stack.done({"kind": "theory", "problem": PROBLEM})
    address = f"/v1/jobs/{job_id}/theory"
    printed = stack.client.get(address).json()
    expected = predict(Problem.model_validate(PROBLEM)).to_dict()
    assert printed == expected
    assert printed["final_test_loss"] == pytest.approx((printed["final_parameter_error"] + 0.01) / 2, rel=1e-12)
    assert set(printed["notes"]["convergence_rate"]) == {"formula", "source", "valid", "why"}
    with np.load(io.BytesIO(stack.client.get(address, params={"format": "npz"}).content), allow_pickle=False) as arrays:
        assert arrays["convergence_rate"] == printed["convergence_rate"]
        assert arrays["time_scales.convergence.value"] == printed["time_scales"]["convergence"]["value"]
    for link in stack.job(job_id)["links"].values():
        assert stack.client.get(link).status_code == 200


def test_a_prediction_of_descent_and_of_depth(stack: Stack):
    """Batches add a section with the reason for what is missing; with weight decay depth 3 has no end, and a sweep goes on over that."""
    dynamics = {"kind": "gradient_descent", "step_size": 0.05, "batch_fraction": 0.05}
    address = f"/v1/jobs/{stack.done({'kind': 'theory', 'problem': PROBLEM, 'dynamics': dynamics})}/theory"
    printed = stack.client.get(address).json()
    assert printed == predict(Problem.model_validate(PROBLEM), GradientDescent.model_validate(dynamics)).to_dict()
    assert printed["descent"]["temperature"] == pytest.approx(1.9)
    assert "end_of_descent" in printed["notes"]["final_parameter_error"]["why"]
    with np.load(io.BytesIO(stack.client.get(address, params={"format": "npz"}).content), allow_pickle=False) as arrays:
        assert arrays["descent.largest_stable_step"] == printed["descent"]["largest_stable_step"]
    deep = {"kind": "theory", "problem": PROBLEM | {"weight_decay": 0.1}}
    sweep = stack.done({"kind": "sweep", "base": deep, "axes": {"problem.depth": [1, 2, 3]}})
    rows = stack.client.get(f"/v1/jobs/{sweep}/table", params={"format": "json"}).json()
    assert [row["solution"] for row in rows] == ["ridge", "lasso", None]
    assert rows[2]["final_parameter_error"] is None


def test_where_there_is_no_theory_it_says_why(stack: Stack):
    job_id = stack.done({"kind": "theory", "problem": PROBLEM | {"aspect_ratio": 1.0}})
    printed = stack.client.get(f"/v1/jobs/{job_id}/theory").json()
    assert printed["final_parameter_error"] is None
    assert printed["notes"]["final_parameter_error"]["why"]


@pytest.mark.parametrize(
    ("change", "field"), [({"horizon": 1.0}, "horizon"), ({"problem": PROBLEM | {"noise_std": -1}}, "problem.noise_std")]
)
def test_what_a_prediction_has_no_use_for_is_refused(stack: Stack, change, field):
    answer = stack.submit({"kind": "theory", "problem": PROBLEM} | change)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_a_prediction_has_no_curves(stack: Stack):
    answer = stack.client.get(f"/v1/jobs/{stack.done({'kind': 'theory', 'problem': PROBLEM})}/curves")
    assert (answer.status_code, answer.json()["hint"]) == (404, "It has theory, diagnostics.")

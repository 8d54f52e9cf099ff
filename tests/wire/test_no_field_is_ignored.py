"""No field of a request is without effect: each changes what a solve gives."""

import numpy as np
import pytest

import dlnflow

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "gaussian"}, "noise_std": 0.1, "initial_scale": 0.5}
DESCENT = {"kind": "gradient_descent", "step_size": 0.04}
CHANGES = {
    "depth": {"problem": PROBLEM | {"depth": 3}},
    "momentum": {"dynamics": DESCENT | {"momentum": 0.5}},
    "batch_fraction": {"dynamics": DESCENT | {"batch_fraction": 0.3}},
    "label_noise_std": {"dynamics": DESCENT | {"label_noise_std": 2.0}},
    "schedule": {"dynamics": DESCENT | {"step_size": {"kind": "linear", "start": 0.1, "end": 0.04, "steps": 20}}},
}


@pytest.mark.parametrize("kind", ["dmft", "simulation"])
@pytest.mark.parametrize("dynamics", [{"kind": "gradient_flow"}, DESCENT], ids=["flow", "descent"])
def test_the_threshold_changes_the_support_and_nothing_else(kind, dynamics):
    solve, sizes = (dlnflow.solve, {"accuracy": 0.1}) if kind == "dmft" else (dlnflow.simulate, {"dimension": 60, "replicas": 4})
    request = {"dynamics": dynamics, "horizon": 1.0, "times": [0.0, 1.0], **sizes}
    before, after = (solve(problem=problem, **request) for problem in (PROBLEM, PROBLEM | {"support_threshold": 0.3}))
    missed, more = (result.order_parameters.missed_support for result in (before, after))
    assert missed[0] == pytest.approx(1) and missed[0] == more[0] and missed[1] < more[1] - 0.05
    for name, values in before.order_parameters.columns().items():
        if not name.startswith("missed"):
            np.testing.assert_array_equal(values, getattr(after.order_parameters, name))
    np.testing.assert_array_equal(before.curves.train_loss, after.curves.train_loss)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("kind", ["dmft", "simulation"])
def test_a_field_changes_the_curves(kind, change):
    solve, sizes = (dlnflow.solve, {"accuracy": 0.1}) if kind == "dmft" else (dlnflow.simulate, {"dimension": 60, "replicas": 4})
    request = {"problem": PROBLEM, "dynamics": DESCENT, "horizon": 1.0, "times": [1.0], **sizes}
    before, after = (solve(**request | changed).curves.test_loss for changed in ({}, change))
    assert not np.allclose(before, after, rtol=1e-4)

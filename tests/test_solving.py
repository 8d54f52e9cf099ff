"""The way from a request to its result, with one provenance."""

import json

import numpy as np
import pytest

import dlnflow
from dlnflow.client.results import Result, read_result
from dlnflow.solution import ignore_progress
from dlnflow.solving import produce
from dlnflow.wire import results
from dlnflow.wire.requests import request_adapter

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "discrete", "atoms": [0, 2], "probabilities": [0.7, 0.3]}, "initial_scale": 0.5}
SIMULATION = {"kind": "simulation", "problem": PROBLEM, "horizon": 1.0, "dimension": 40, "replicas": 2, "seed": 7}
MEAN_FIELD = {"kind": "dmft", "problem": PROBLEM, "horizon": 0.5, "accuracy": 0.2, "seed": 7}
PROVENANCE = {"versions", "wall_time", "peak_memory_bytes"}


@pytest.mark.parametrize("asked", [SIMULATION, MEAN_FIELD, {"kind": "theory", "problem": PROBLEM}], ids=lambda asked: asked["kind"])
def test_every_result_says_where_it_comes_from(asked):
    request = request_adapter.validate_python(asked)
    diagnostics = produce(request, ignore_progress)["diagnostics"]
    assert diagnostics.keys() >= PROVENANCE | {"outcome"} and diagnostics.get("seed") == asked.get("seed")
    assert diagnostics["versions"] == {"dlnflow": dlnflow.__version__, "numpy": np.__version__, "python": diagnostics["versions"]["python"]}
    assert json.loads(json.dumps(diagnostics)) == diagnostics


def same(one: Result, other: Result) -> bool:
    """Whether two results have the same bits, but for what they cost."""
    diagnostics = ({key: value for key, value in each.diagnostics.items() if key not in PROVENANCE} for each in (one, other))
    frames = (each.to_dataframe() for each in (one, other))
    conditional = [[vars(c) for c in each.order_parameters.conditional] for each in (one, other)]
    np.testing.assert_equal(*conditional)
    if one.kernels is not None:
        np.testing.assert_equal(vars(one.kernels), vars(other.kernels))
    return next(frames).equals(next(frames)) and next(diagnostics) == next(diagnostics)


@pytest.mark.parametrize("asked", [SIMULATION, MEAN_FIELD], ids=lambda asked: asked["kind"])
def test_the_library_gives_what_comes_over_the_wire_and_out_of_a_file(asked, tmp_path):
    fields = {name: value for name, value in asked.items() if name != "kind"}
    found = (dlnflow.solve if asked["kind"] == "dmft" else dlnflow.simulate)(**fields)
    parts = results.encode(produce(request_adapter.validate_python(asked), ignore_progress))
    assert same(found, read_result(asked["kind"], "", asked, parts))
    found.save(tmp_path / "result.npz")
    loaded = Result.load(tmp_path / "result.npz")
    assert same(found, loaded) and loaded.request == found.request

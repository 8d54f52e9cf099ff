"""Sweeps: which requests their points are, and what is wrong with an axis is said before anything runs."""

import itertools
import json

import pytest
from pydantic import ValidationError

from dlnflow.wire.requests import SweepRequest, job_id, request_adapter
from service.validation import describe

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "bernoulli_gauss", "density": 0.1}, "noise_std": 0.1, "initial_scale": 0.3}
BASE = {"kind": "simulation", "problem": PROBLEM, "horizon": 1.0, "dimension": 60, "replicas": 2}


def sweep(axes, base=BASE) -> SweepRequest:
    return request_adapter.validate_json(json.dumps({"kind": "sweep", "base": base, "axes": axes}), strict=True)


def refusal(axes, base=BASE):
    with pytest.raises(ValidationError) as caught:
        sweep(axes, base)
    return describe(caught.value.errors())


def test_the_points_are_the_product_of_the_axes_last_axis_fastest():
    scales, seeds = [0.1, 1.0], [3, 4, 5]
    request = sweep({"problem.initial_scale": scales, "seed": seeds})
    children = [request.child(index) for index in range(request.size)]
    assert [(c.problem.initial_scale, c.seed) for c in children] == list(itertools.product(scales, seeds))
    alone = BASE | {"problem": PROBLEM | {"initial_scale": 1.0}, "seed": 4}
    assert job_id(children[4]) == job_id(request_adapter.validate_python(alone))


def test_an_axis_may_pass_through_a_default_that_requests_leave_out():
    request = sweep({"problem.depth": [1, 2, 3.0]}, {"kind": "theory", "problem": PROBLEM})
    assert request.axes["problem.depth"] == (1.0, 2.0, 3.0)
    assert job_id(request.child(1)) == job_id(request_adapter.validate_python({"kind": "theory", "problem": PROBLEM}))
    assert request.child(2).problem.depth == 3


def test_values_are_read_as_the_field_reads_them():
    request = sweep({"design": ["rademacher"], "problem.initial_scale": [1, {"u": 1, "v": 2}], "problem.target": [{"kind": "gaussian"}]})
    assert request.axes["design"] == ({"kind": "rademacher"},)
    assert request.axes["problem.target"] == ({"kind": "gaussian", "std": 1.0},)
    assert job_id(sweep({"problem.weight_decay": [1]})) == job_id(sweep({"problem.weight_decay": [1.0]}))


def test_an_axis_may_lead_into_a_group():
    groups = [{"weight": 0.5, "target": {"kind": "gaussian"}, "initial_scale": a} for a in (0.1, 0.3)]
    base = BASE | {"problem": {"aspect_ratio": 0.5, "groups": groups}}
    request = sweep({"problem.groups.1.initial_scale": [0.3, 1], "problem.groups.0.target.std": [2]}, base)
    child = request.child(1).problem.groups
    assert (child[0].target.std, child[0].initial_scale, child[1].initial_scale) == (2, 0.1, 1)
    for path in ("problem.groups.2.initial_scale", "problem.groups.x.initial_scale", "problem.groups.0.initial_scale.u"):
        assert refusal({path: [0.3]}, base).field == f"axes.{path}"


@pytest.mark.parametrize(
    ("axes", "field", "words"),
    [
        ({"problem.initial_scale": [1, -0.25]}, "axes.problem.initial_scale", "-0.25"),
        ({"problem.target.density": [0.1, 2]}, "axes.problem.target.density", "2"),
        ({"problem.sigma": [1]}, "axes.problem.sigma", "problem.sigma"),
        ({"problem.sigma.x": [1]}, "axes.problem.sigma.x", "no such field"),
        ({"accuracy": [0.1]}, "axes.accuracy", "accuracy"),
        ({"seed": ["1"]}, "axes.seed", '"1"'),
        ({"seed": []}, "axes.seed", "at least 1"),
        ({"seed": [1, 2, 1]}, "axes.seed", "differ"),
        ({}, "axes", "at least 1"),
        ({"seed": list(range(101)), "dimension": list(range(10, 110))}, "axes", "10100 points"),
        (
            {"problem.target.std": [2], "problem.target": [{"kind": "gaussian"}]},
            "axes.problem.target.std",
            "within the axis problem.target",
        ),
        ({"horizon": [2, 3], "times": [[0.5, 1], [0.2, 3]]}, "axes.times", "[0.2, 3"),
    ],
)
def test_a_bad_axis_is_named_with_its_value(axes, field, words):
    wrong = refusal(axes)
    assert wrong.field == field
    assert words in wrong.detail


def test_a_bad_base_is_named():
    assert refusal({"seed": [1]}, BASE | {"horizon": -1}).field == "base.horizon"
    assert refusal({"seed": [1]}, {"kind": "sweep"}).field == "base.kind"


def test_the_jobs_of_a_comparison_are_those_that_could_be_asked_for_alone():
    shared = {"problem": PROBLEM, "horizon": 4.0, "seed": 3}
    comparison = request_adapter.validate_python(shared | {"kind": "comparison", "accuracy": 0.02, "dimension": 70, "replicas": 5})
    alone = [shared | {"kind": "dmft", "accuracy": 0.02}, shared | {"kind": "simulation", "dimension": 70, "replicas": 5}]
    assert [job_id(comparison.child(i)) for i in range(2)] == [job_id(request_adapter.validate_python(a)) for a in alone]

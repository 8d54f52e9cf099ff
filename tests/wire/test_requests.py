"""What a request accepts, what its defaults are, and that a job keeps its address."""

import json
import subprocess
import sys

import pytest
from pydantic import ValidationError

from dlnflow.client.errors import InvalidRequest
from dlnflow.client.words import refusing
from dlnflow.wire.requests import job_id, request_adapter
from service.validation import describe

PROBLEM = {"aspect_ratio": 1, "target": {"kind": "gaussian"}, "initial_scale": 1}
REQUEST = {"kind": "simulation", "problem": PROBLEM, "horizon": 1}
GROUP = {"weight": 1, "target": {"kind": "gaussian"}, "initial_scale": 1}
DESCENT = {"kind": "gradient_descent", "step_size": 0.1}


def field(document) -> str | None:
    """What the service names, and the client too."""
    with pytest.raises(ValidationError) as caught:
        request_adapter.validate_python(document)
    with pytest.raises(InvalidRequest) as refused, refusing():
        request_adapter.validate_python(document)
    named = describe(caught.value.errors()).field
    assert refused.value.fields[0] == named
    return named


def test_defaults_that_are_spelled_out_make_the_same_job():
    spelled = {"dynamics": {"kind": "gradient_flow"}, "design": "gaussian", "standard_error": None, "seed": 0}
    assert job_id(request_adapter.validate_python(REQUEST)) == job_id(request_adapter.validate_python(REQUEST | spelled))


@pytest.mark.parametrize("change", [{"dynamics": DESCENT}, {"design": "rademacher"}, {"standard_error": 0.1}])
def test_what_changes_the_result_makes_another_job(change):
    assert job_id(request_adapter.validate_python(REQUEST)) != job_id(request_adapter.validate_python(REQUEST | change))


@pytest.mark.parametrize(
    "change",
    [
        {"problem": PROBLEM | {"noise_std": -0.0, "weight_decay": -0.0}},
        {"times": [-0.0, 1]},
        {"problem": PROBLEM | {"target": {"kind": "discrete", "atoms": [-0.0, 1], "probabilities": [0.5, 0.5]}}},
        {"dynamics": DESCENT | {"momentum": -0.0, "label_noise_std": -0.0}},
        {"problem": {"aspect_ratio": 1, "groups": [GROUP | {"target": {"kind": "uniform", "low": -0.0, "high": 1}}]}},
    ],
)
def test_zero_has_no_sign(change):
    """What is equal is the same job."""
    unsigned = json.loads(json.dumps(change).replace("-0.0", "0"))
    assert job_id(request_adapter.validate_python(REQUEST | change)) == job_id(request_adapter.validate_python(REQUEST | unsigned))


def test_a_design_may_be_a_bare_name():
    bare, full = (request_adapter.validate_python(REQUEST | {"design": d}) for d in ("rademacher", {"kind": "rademacher"}))
    assert job_id(bare) == job_id(full)


def test_gradient_descent_has_a_largest_number_of_steps():
    request = REQUEST | {"horizon": 1e4, "dynamics": DESCENT}
    assert request_adapter.validate_python(request).dynamics.step_size == 0.1
    assert field(request | {"horizon": 10_000.1}) == "dynamics.step_size"


def test_a_bare_list_of_steps_is_told_how_to_be_written():
    with pytest.raises(ValidationError, match=r'"kind": "list", "values"'):
        request_adapter.validate_python(REQUEST | {"dynamics": DESCENT | {"step_size": [0.1, 0.2]}})


def test_the_mean_field_theory_of_gradient_descent_has_fewer_steps():
    request = {"kind": "dmft", "problem": PROBLEM, "horizon": 200, "dynamics": DESCENT}
    assert request_adapter.validate_python(request).dynamics.step_size == 0.1
    assert field(request | {"horizon": 200.2}) == "dynamics.step_size"


def test_the_mean_field_theory_is_truncated_for_gradient_descent_only():
    request = {"kind": "dmft", "problem": PROBLEM, "horizon": 1, "truncation": 2}
    assert field(request) == "truncation"
    assert request_adapter.validate_python(request | {"dynamics": DESCENT}).truncation == 2
    assert request_adapter.validate_python(REQUEST | {"truncation": 2}).truncation == 2


def test_a_truncation_is_for_depth_two():
    deep = {"truncation": 2, "problem": PROBLEM | {"depth": 3}}
    assert field(REQUEST | deep) == "truncation"
    assert field({"kind": "dmft", "horizon": 1, "dynamics": DESCENT} | deep) == "truncation"
    assert request_adapter.validate_python(REQUEST | deep | {"truncation": None}).problem.depth == 3


def test_weight_decay_at_other_depths_is_followed_for_a_while():
    request = {"kind": "dmft", "horizon": 50, "problem": PROBLEM | {"depth": 4, "weight_decay": 0.1}}
    assert request_adapter.validate_python(request).horizon == 50
    assert field(request | {"horizon": 51}) == "horizon"
    assert request_adapter.validate_python(request | {"horizon": 51, "dynamics": DESCENT}).horizon == 51
    assert request_adapter.validate_python(request | {"horizon": 51, "problem": PROBLEM | {"weight_decay": 0.1}}).horizon == 51
    assert request_adapter.validate_python(REQUEST | {"horizon": 51, "problem": request["problem"]}).horizon == 51


def test_a_depth_is_one_or_two_or_clearly_more():
    for depth in (0.5, 1.5, 1.999, 2 + 1e-9, 10.5):
        assert field(REQUEST | {"problem": PROBLEM | {"depth": depth}}) == "problem.depth"
    for depth in (1, 2, 2.001, 10):
        assert request_adapter.validate_python(REQUEST | {"problem": PROBLEM | {"depth": depth}}).problem.depth == depth


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"dynamics": {"kind": "gradient_descent"}}, "dynamics.step_size"),
        ({"dynamics": DESCENT | {"step_size": 11}}, "dynamics.step_size"),
        ({"dynamics": DESCENT | {"step_size": [0.1, 0.2]}}, "dynamics.step_size"),
        ({"dynamics": {"kind": "newton"}}, "dynamics.kind"),
        ({"dynamics": {"kind": "gradient_flow", "step_size": 1}}, "dynamics.step_size"),
        ({"design": "cauchy"}, "design.kind"),
        ({"design": "student_t"}, "design.degrees_of_freedom"),
        ({"design": {"kind": "student_t", "degrees_of_freedom": 2}}, "design.degrees_of_freedom"),
        ({"standard_error": 0}, "standard_error"),
        ({"problem": PROBLEM | {"initial_scale": -1}}, "problem.initial_scale"),
        ({"problem": PROBLEM | {"initial_scale": {"u": 1}}}, "problem.initial_scale.v"),
        ({"problem": PROBLEM | {"initial_scale": {"u": 1, "v": -1}}}, "problem.initial_scale.v"),
        ({"problem": PROBLEM | {"initial_scale": {"kind": "gaussian", "std": 0}}}, "problem.initial_scale.std"),
        ({"problem": PROBLEM | {"target": {"kind": "gaussian", "std": -1}}}, "problem.target.std"),
        ({"problem": PROBLEM | {"target": {"kind": "cauchy"}}}, "problem.target.kind"),
        ({"problem": PROBLEM | {"target": {"kind": "laplace", "std": 0}}}, "problem.target.std"),
        ({"problem": PROBLEM | {"target": {"kind": "student_t", "degrees_of_freedom": 2}}}, "problem.target.degrees_of_freedom"),
        ({"problem": PROBLEM | {"target": {"kind": "uniform", "low": 1, "high": 1}}}, "problem.target.high"),
        ({"problem": PROBLEM | {"target": {"kind": "values", "values": []}}}, "problem.target.values"),
        ({"problem": PROBLEM | {"target": {"kind": "values", "values": [0, "x"]}}}, "problem.target.values.1"),
        ({"problem": PROBLEM | {"target": {"kind": "values", "values": [0, 0]}}}, "problem.target"),
        ({"design": {"kind": "dataset", "id": "x"}}, "design.id"),
        ({"problem": {"aspect_ratio": 1, "target": {"kind": "gaussian"}}}, "problem.initial_scale"),
        ({"problem": PROBLEM | {"groups": [GROUP]}}, "problem.target"),
        ({"problem": {"aspect_ratio": 1, "groups": [GROUP | {"weight": 0.5}]}}, "problem.groups"),
        ({"problem": {"aspect_ratio": 1, "groups": []}}, "problem.groups"),
        ({"problem": {"aspect_ratio": 1, "groups": [GROUP | {"variance": 0}]}}, "problem.groups.0.variance"),
        ({"problem": {"aspect_ratio": 1, "groups": [GROUP | {"target": {"kind": "gaussian", "std": 0}}]}}, "problem.groups.0.target.std"),
        ({"problem": {"aspect_ratio": 1, "groups": [GROUP | {"initial_scale": {"u": 1}}]}}, "problem.groups.0.initial_scale.v"),
    ],
)
def test_a_wrong_field_has_no_name_of_a_union_member(change, name):
    assert field(REQUEST | change) == name


def test_one_group_is_written_as_it_was_given():
    request = request_adapter.validate_python(REQUEST | {"problem": {"aspect_ratio": 1, "groups": [GROUP]}})
    assert request.model_dump()["problem"].keys() == {"aspect_ratio", "noise_std", "weight_decay", "groups"}
    assert job_id(request) == job_id(request_adapter.validate_json(request.model_dump_json()))


def test_requests_do_not_load_the_numerics():
    code = "import sys, dlnflow.wire.requests; sys.exit(bool({'scipy', 'dlnflow.native'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

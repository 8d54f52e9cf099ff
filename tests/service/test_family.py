"""Groups, depth, batches, momentum, label noise and schedules over HTTP: what is wrong is named, with what to do about it."""

import math
import re
from typing import Any

import pytest

from dlnflow.model.problem import MOST_GROUPS
from dlnflow.model.schedules import MOST_STEPS
from dlnflow.wire.requests import job_id, request_adapter
from tests.e2e.stack import PROBLEM, Stack
from tests.e2e.stack import QUICK as ANY

QUICK = ANY | {"seed": 3200}
GAUSSIAN = {"kind": "gaussian"}
GROUP = {"weight": 0.5, "target": GAUSSIAN, "initial_scale": 0.5}
LINEAR = {"kind": "linear", "start": 0.1, "end": 0.1, "steps": 10}


def steps(**changes: Any) -> dict[str, Any]:
    return QUICK | {"dynamics": {"kind": "gradient_descent", "step_size": 0.1} | changes}


def schedule(**changes: Any) -> dict[str, Any]:
    return steps(step_size=LINEAR | changes)


def problem(**changes: Any) -> dict[str, Any]:
    return QUICK | {"problem": PROBLEM | changes}


def noisy(solver: str = "dmft", problem: dict[str, Any] = PROBLEM, **changes: Any) -> dict[str, Any]:
    sizes = {"dimension": 60, "replicas": 2} if solver == "simulation" else {"accuracy": 0.2}
    dynamics = {"kind": "stochastic_gradient_flow", "temperature": 0.2} | changes
    return {"kind": solver, "problem": problem, "horizon": 1, "seed": 3200, "dynamics": dynamics} | sizes


def groups(*members: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return QUICK | {"problem": {"aspect_ratio": 0.5, "groups": list(members), **fields}}


def sweep(base: dict[str, Any], **axes: list[Any]) -> dict[str, Any]:
    return {"kind": "sweep", "base": base, "axes": {name.replace("__", "."): values for name, values in axes.items()}}


WRONG = {
    "no temperature": (noisy(temperature=0), "dynamics.temperature", "greater than 0"),
    "temperature of steps": (noisy(step_size=0.1), "dynamics.step_size", "kind gradient_descent"),
    "mean field of noise at depth 3": (noisy(problem=PROBLEM | {"depth": 3}), "dynamics.kind", "gradient_descent with batches"),
    "mean field of noise in two variances": (
        noisy(problem={"aspect_ratio": 0.5, "groups": [GROUP, GROUP | {"variance": 2}]}),
        "dynamics.kind",
        "gradient_descent with batches",
    ),
    "truncated mean field of noise": (noisy() | {"truncation": 1}, "truncation", "or simulate"),
    "momentum 1": (steps(momentum=1), "dynamics.momentum", "less than 1"),
    "momentum negative": (steps(momentum=-0.1), "dynamics.momentum", "equal to 0"),
    "momentum a text": (steps(momentum="0.9"), "dynamics.momentum", "without quotes"),
    "no batch": (steps(batch_fraction=0), "dynamics.batch_fraction", "greater than 0"),
    "batch in per cent": (steps(batch_fraction=20), "dynamics.batch_fraction", "equal to 1"),
    "label noise negative": (steps(label_noise_std=-1), "dynamics.label_noise_std", "equal to 0"),
    "depth between 1 and 2": (problem(depth=1.5), "problem.depth", "give 1, or at least 2"),
    "threshold negative": (problem(support_threshold=-0.1), "problem.support_threshold", "equal to 0"),
    "depth 0": (problem(depth=0), "problem.depth", "equal to 1"),
    "random start of depth 3": (problem(depth=3, initial_scale={"kind": "gaussian", "std": 1}), "problem.initial_scale", "give u and v"),
    "random start of a group": (
        groups(GROUP, GROUP | {"initial_scale": {"kind": "gaussian", "std": 1}}, depth=3),
        "problem.groups.1.initial_scale",
        "give u and v",
    ),
    "schedule that ends": (schedule(steps=9), "dynamics.step_size", "lower horizon or give more steps"),
    "schedule whose first step is too long": (steps(step_size={"kind": "list", "values": [2, 1]}), "dynamics.step_size", "raise horizon"),
    "schedule without steps": (steps(step_size={"kind": "list", "values": []}), "dynamics.step_size.values", "at least 1"),
    "schedule of a fraction of a step": (schedule(steps=10.5), "dynamics.step_size.steps", "whole number"),
    "schedule that is only a warm-up": (
        steps(step_size={"kind": "warmup_decay", "peak": 0.1, "end": 0.1, "warmup_steps": 20, "steps": 20}),
        "dynamics.step_size.warmup_steps",
        "raise steps",
    ),
    "schedule of no kind": (steps(step_size={"start": 0.1}), "dynamics.step_size.kind", "which kind"),
    "schedule of another kind": (steps(step_size={"kind": "exponential"}), "dynamics.step_size.kind", "'a number', 'list', 'linear'"),
    "schedule whose kind is a list": (steps(step_size={"kind": []}), "dynamics.step_size.kind", "'cosine'"),
    "weights that do not sum to 1": (groups(GROUP, GROUP | {"weight": 0.4}), "problem.groups", "must sum to 1, not 0.9"),
    "groups and a target": (problem(groups=[GROUP, GROUP]), "problem.target", "leave this one out, or the groups"),
    "groups and a start": (groups(GROUP, GROUP, initial_scale=1), "problem.initial_scale", "leave this one out, or the groups"),
    "neither target nor groups": (QUICK | {"problem": {"aspect_ratio": 1}}, "problem.target", "or groups"),
    "no groups": (groups(), "problem.groups", "at least 1"),
    "too many groups": (groups(*[GROUP] * (MOST_GROUPS + 1)), "problem.groups", f"at most {MOST_GROUPS}"),
    "a group without its target": (groups({"weight": 1, "initial_scale": 1}), "problem.groups.0.target", "missing"),
    "a group within a group": (groups(GROUP | {"groups": [GROUP]}, GROUP), "problem.groups.0.groups", "one of problem"),
    "depth of a group": (groups(GROUP | {"depth": 3}, GROUP), "problem.groups.0.depth", "one of problem"),
    "batches of gradient flow": (
        QUICK | {"dynamics": {"kind": "gradient_flow", "batch_fraction": 0.5}},
        "dynamics.batch_fraction",
        "kind gradient_descent",
    ),
    "covariance": (problem(covariance=[[1, 0.5], [0.5, 1]]), "problem.covariance", "diagonal.*give groups"),
    "covariance of a group": (groups(GROUP | {"covariance": [1]}, GROUP), "problem.groups.0.covariance", "diagonal"),
    "epochs": (steps(epochs=3), "dynamics.epochs", "another theory; give batch_fraction"),
    "shuffling": (steps(shuffle=True), "dynamics.shuffle", "another theory"),
    "without replacement": (steps(replacement=False), "dynamics.replacement", "without replacement.*another theory"),
    "without replacement by name": (steps(without_replacement=True), "dynamics.without_replacement", "another theory"),
    "without replacement by its law": (steps(sampling="without_replacement"), "dynamics.sampling", "another theory"),
    "batch size": (steps(batch_size=32), "dynamics.batch_size", "batch_size / n"),
    "learning rate": (QUICK | {"learning_rate": 0.1}, "learning_rate", "give step_size"),
    "one weight of a sweep": (
        sweep(groups(GROUP, GROUP), problem__groups__0__weight=[0.5, 0.3]),
        "axes.problem.groups.0.weight",
        "whole values on an axis problem.groups",
    ),
    "two weights of a sweep": (
        sweep(groups(GROUP, GROUP), problem__groups__0__weight=[0.5, 0.3], problem__groups__1__weight=[0.5, 0.7]),
        "axes.problem.groups.0.weight",
        "0.weight = 0.3, .*1.weight = 0.5",
    ),
    "a group that is not there": (
        sweep(groups(GROUP, GROUP), problem__groups__00__variance=[2]),
        "axes.problem.groups.00.variance",
        "no such",
    ),
    "momentum of a flow in a sweep": (sweep(QUICK, dynamics__momentum=[0.5]), "axes.dynamics.momentum", "kind gradient_descent"),
}


@pytest.mark.parametrize(("request_", "field", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_with_its_remedy(stack: Stack, request_, field, words):
    for address in ("/v1/jobs", "/v1/estimate"):
        answer = stack.client.post(address, json=request_)
        assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
        assert answer.json()["detail"].startswith(f"{field}: ")
        assert re.search(words, answer.json()["detail"] + answer.json().get("hint", "")), answer.text


RIGHT = {
    "steps a whole float": (schedule(steps=10.0), ("dynamics", "step_size", "steps"), 10),
    "warm-up a whole float": (
        steps(step_size={"kind": "warmup_decay", "peak": 0.2, "end": 0.2, "warmup_steps": 1e0, "steps": 1e1}),
        ("dynamics", "step_size", "warmup_steps"),
        1,
    ),
    "depth an integer": (problem(depth=3), ("problem", "depth"), 3.0),
    "steps that sum to the horizon but for rounding": (steps(step_size={"kind": "list", "values": [0.1] * 10}), ("horizon",), 1.0),
    "weights that sum to 1 but for rounding": (groups(*[GROUP | {"weight": 1 / 3}] * 3), ("problem", "groups", 2, "weight"), 1 / 3),
    "no groups by name": (problem(groups=None), ("problem", "aspect_ratio"), 0.5),
}


@pytest.mark.parametrize(("request_", "path", "value"), RIGHT.values(), ids=RIGHT)
def test_what_means_the_same_is_taken(stack: Stack, request_, path, value):
    answer = stack.submit(request_, wait=0)
    assert answer.status_code in (200, 202), answer.text
    node = answer.json()["request"]
    for step in path:
        node = node[step]
    assert (node, type(node)) == (value, type(value))


DEFAULTS = {
    "problem.depth": [2, 1, 3.0],
    "problem.support_threshold": [0.1, 0.2],
    "dynamics.momentum": [0, 0.9],
    "dynamics.batch_fraction": [1, 0.5],
    "dynamics.label_noise_std": [0, 0.1],
}


@pytest.mark.parametrize(("path", "values"), DEFAULTS.items())
def test_a_sweep_may_pass_through_a_default(stack: Stack, path, values):
    """Though no request writes it; the point there is the job that could be asked for alone."""
    document = sweep(steps(), **{path: values})
    answer = stack.submit(document, wait=0)
    assert (answer.status_code, answer.json()["request"]["axes"]) == (202, {path: values})
    request = request_adapter.validate_python(document)
    assert job_id(request.child(0)) == job_id(request_adapter.validate_python(steps()))
    assert len({job_id(request.child(index)) for index in range(request.size)}) == len(values)


def test_the_longest_schedule_that_is_allowed_can_be_sent(stack: Stack):
    values = [1.2345678901234567e-05 + number * 1e-21 for number in range(MOST_STEPS)]
    for more, status in ([], 200), ([0.1], 422):
        answer = stack.client.post("/v1/estimate", json=steps(step_size={"kind": "list", "values": values + more}))
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize("kind", ["dmft", "simulation", "comparison", "theory"])
def test_every_kind_of_job_knows_stochastic_flow(stack: Stack, kind):
    sizes = {"simulation": ["dimension", "replicas"], "dmft": ["accuracy"], "comparison": ["dimension", "replicas", "accuracy"]}
    every = noisy("simulation") | noisy()
    shared = ["problem", "dynamics"] + (["horizon", "seed"] if kind != "theory" else [])
    asked = {"kind": kind} | {name: every[name] for name in [*shared, *sizes.get(kind, [])]}
    job = stack.done(asked)
    if kind == "theory":
        found = stack.client.get(f"/v1/jobs/{job}/theory").json()["descent"]
        assert found["temperature"] == 0.2 and found["largest_stable_step"] is None and found["critical_temperature"] > 0
    if kind == "dmft":  # u v forgets e^(−2τ ∫train_loss dt)
        curves, order = (stack.client.get(f"/v1/jobs/{job}/{part}").json() for part in ("curves", "order-parameters"))
        assert order["log_product"][-1] < 2 * math.log(PROBLEM["initial_scale"]) - 0.4 * curves["train_loss"][-1]
    estimate = stack.client.post("/v1/estimate", json=asked).json()
    assert estimate["seconds"] > 0, estimate

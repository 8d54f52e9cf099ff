"""What jobs are expected to cost, and that those which cost too much are refused with a way out."""

import re
import subprocess
import sys

import pytest

from tests.service.test_app import REQUEST, open_client, pings

__all__ = ["open_client", "pings"]

PROBLEM = REQUEST["problem"]
DMFT = {"kind": "dmft", "problem": PROBLEM, "horizon": 10, "accuracy": 0.02}
DESCENT = DMFT | {"horizon": 40, "dynamics": {"kind": "gradient_descent", "step_size": 0.05}}
SIMULATION = {"kind": "simulation", "problem": PROBLEM, "horizon": 10, "dimension": 4000, "replicas": 100}


def test_an_estimate_grows_with_what_makes_a_job_dear(store, open_client):
    http = open_client(store)
    base = http.post("/v1/estimate", json=SIMULATION).json()
    assert base["jobs"] == 1 and base["accepted"]
    assert base["seconds_range"][0] < base["seconds"] < base["seconds_range"][1]
    for larger in ({"replicas": 200}, {"dimension": 8000}):
        assert http.post("/v1/estimate", json=SIMULATION | larger).json()["seconds"] > 1.5 * base["seconds"]
    assert http.post("/v1/estimate", json=SIMULATION | {"dimension": 8000}).json()["memory_bytes"] > base["memory_bytes"]
    assert (
        http.post("/v1/estimate", json=DMFT | {"accuracy": 0.005}).json()["seconds"]
        > http.post("/v1/estimate", json=DMFT).json()["seconds"]
    )
    descent = http.post("/v1/estimate", json=DESCENT).json()
    for larger in ({"accuracy": 0.005}, {"horizon": 80}):
        assert http.post("/v1/estimate", json=DESCENT | larger).json()["seconds"] > 1.5 * descent["seconds"]
    assert http.post("/v1/estimate", json=DESCENT | {"accuracy": 0.002}).json()["memory_bytes"] > 1.2 * descent["memory_bytes"]
    assert store.queued() == 0


def test_data_that_have_to_be_drawn_and_reduced_cost_more_than_their_gaussian_factor(store, open_client):
    http = open_client(store)
    tall = SIMULATION | {"problem": PROBLEM | {"aspect_ratio": 4}}
    kinds = "gaussian", "rademacher", {"kind": "student_t", "degrees_of_freedom": 5}
    seconds = [http.post("/v1/estimate", json=tall | {"design": kind}).json()["seconds"] for kind in kinds]
    assert seconds == sorted(seconds) and seconds[1] > 1.5 * seconds[0]


def test_slow_workers_take_as_much_longer_as_they_are_slow(store, open_client):
    dear = DMFT | {"horizon": 100, "accuracy": 0.002}
    http = open_client(store, max_seconds=1.5 * open_client(store).post("/v1/estimate", json=dear).json()["seconds"])
    before = http.post("/v1/estimate", json=dear).json()
    assert before["pace"] == 1 and before["accepted"]
    store.workers.greet("w", 1, 2.0)
    after = http.post("/v1/estimate", json=dear).json()
    assert (after["pace"], after["seconds"], after["longest"]) == (2, 2 * before["seconds"], 2 * before["longest"])
    assert after["seconds_range"] == [2 * seconds for seconds in before["seconds_range"]]
    assert after["memory_bytes"] == before["memory_bytes"] and not after["accepted"]
    refused = http.post("/v1/jobs", json=dear).json()
    assert refused["code"] == "too_expensive"
    assert re.search(r"about [\d.,]+ s \([\d.,]+ to [\d.,]+\) are predicted, the limit", refused["detail"])
    cheaper = dear | {refused["field"]: float(refused["hint"].split("= ")[1].split()[0])}
    assert http.post("/v1/jobs", json=cheaper).status_code == 202


def test_a_sweep_costs_what_its_points_cost_together(store, open_client):
    http = open_client(store)
    seeds = http.post("/v1/estimate", json={"kind": "sweep", "base": DMFT, "axes": {"seed": [1, 2, 3]}}).json()
    one = http.post("/v1/estimate", json=DMFT).json()
    assert seeds["jobs"] == 3
    assert seeds["seconds"] == pytest.approx(3 * one["seconds"], rel=1e-9)
    both = http.post("/v1/estimate", json=SIMULATION | DMFT | {"kind": "comparison"}).json()
    assert both["jobs"] == 2 and both["seconds"] > one["seconds"]


@pytest.mark.parametrize(
    ("limits", "request_"),
    [
        ({"max_seconds": 5}, SIMULATION),
        ({"max_seconds": 1.5}, DMFT | {"accuracy": 0.001, "horizon": 100}),
        ({"max_memory_bytes": 400_000_000}, SIMULATION),
        ({"max_total_seconds": 4}, {"kind": "sweep", "base": DMFT, "axes": {"seed": list(range(50))}}),
    ],
)
def test_what_is_too_expensive_is_refused_with_a_remedy_that_works(store, open_client, limits, request_):
    http = open_client(store, **limits)
    answer = http.post("/v1/jobs", json=request_)
    assert (answer.status_code, answer.json()["code"]) == (422, "too_expensive")
    assert "predicted" in answer.json()["detail"]
    field, hint = answer.json()["field"], answer.json()["hint"]
    if field == "axes":
        points = int(hint.split("most ")[1].split()[0])
        cheaper = request_ | {"axes": {"seed": list(range(points))}}
    else:
        value = float(hint.split("= ")[1].split()[0])
        cheaper = request_ | {field: int(value) if field in ("dimension", "replicas") else value}
    assert http.post("/v1/jobs", json=cheaper).status_code == 202
    assert not http.post("/v1/estimate", json=request_).json()["accepted"]


THEORY = {"kind": "theory", "problem": REQUEST["problem"]}
FEW = {"kind": "comparison", "problem": REQUEST["problem"] | {"aspect_ratio": 0.05}, "horizon": 1, "dimension": 20, "replicas": 4}


@pytest.mark.parametrize("request_", [THEORY, FEW, {"kind": "sweep", "base": THEORY, "axes": {"problem.noise_std": [0, 1]}}])
def test_what_nothing_makes_cheap_enough_is_refused_without_a_remedy(store, open_client, request_):
    answer = open_client(store, max_seconds=1e-9).post("/v1/jobs", json=request_)
    assert (answer.status_code, answer.json()["code"]) == (422, "too_expensive")
    assert "No parameter alone" in answer.json()["hint"]


def test_a_remedy_is_a_job_that_can_be_submitted(store, open_client):
    """Where a smaller dimension would leave no sample, it is no remedy."""
    http = open_client(store, max_seconds=1, max_total_seconds=1)
    refused = http.post("/v1/jobs", json=FEW | {"replicas": 1000, "horizon": 100}).json()
    assert refused["code"] == "too_expensive", refused
    assert refused["field"] in ("replicas", "horizon")
    value = float(refused["hint"].split("= ")[1].split()[0])
    changed = FEW | {"replicas": 1000, "horizon": 100, refused["field"]: int(value) if refused["field"] == "replicas" else value}
    assert http.post("/v1/jobs", json=changed).status_code == 202


def test_a_sweep_is_no_way_around_the_limit_of_one_job(store, open_client):
    http = open_client(store, max_seconds=5)
    sweep = {"kind": "sweep", "base": SIMULATION, "axes": {"seed": [1, 2]}}
    answer = http.post("/v1/jobs", json=sweep).json()
    assert (answer["status"], answer["code"]) == (422, "too_expensive")
    assert "2 jobs" in answer["detail"] and "for one of them, the limit is 5 s" in answer["detail"]
    assert answer["field"] == "base.dimension"
    cheaper = int(answer["hint"].split("= ")[1].split()[0])
    assert http.post("/v1/jobs", json=sweep | {"base": SIMULATION | {"dimension": cheaper}}).status_code == 202
    on_axis = sweep | {"axes": {"dimension": [100, 4000]}}
    assert http.post("/v1/jobs", json=on_axis).json()["field"] == "axes.dimension"


@pytest.mark.parametrize(("seeds", "limits"), [(50, {"max_total_seconds": 4}), (10_001, {})])
def test_a_sweep_that_is_too_large_is_refused_with_its_size_and_cost(store, open_client, seeds, limits):
    http = open_client(store, **limits)
    one = http.post("/v1/estimate", json=DMFT).json()["seconds"]
    answer = http.post("/v1/jobs", json={"kind": "sweep", "base": DMFT, "axes": {"seed": list(range(seeds))}}).json()
    assert (answer["status"], answer["field"]) == (422, "axes")
    assert answer["detail"].split(": ")[1].startswith(f"{seeds} ")
    told = float(answer["detail"].split("about ")[1].split(" s")[0].replace(",", ""))
    assert told == pytest.approx(seeds * one, rel=0.01)


def test_the_forecast_is_cheap_to_import():
    code = "import sys, dlnflow.forecast; assert not {'scipy', 'dlnflow.native'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_limits_are_told(store, open_client):
    limits = open_client(store, max_seconds=5).get("/v1/limits").json()
    assert limits["max_seconds"] == 5
    assert limits["max_memory_bytes"] > 0

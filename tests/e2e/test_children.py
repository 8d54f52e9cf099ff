"""Jobs that are made of others: comparisons and sweeps, through real workers."""

import csv
import io

import numpy as np
import pytest
from arro3.io import read_parquet

from tests.e2e.stack import LONG, PROBLEM, QUICK, Stack, wait_until

COMPARISON = {
    "kind": "comparison",
    "problem": PROBLEM,
    "horizon": 1.0,
    "times": [0, 0.5, 1],
    "accuracy": 0.05,
    "dimension": 200,
    "replicas": 60,
}
SCALES = [0.3, 0.5, 1.0]
SWEEP = {"kind": "sweep", "base": QUICK | {"seed": 900}, "axes": {"problem.initial_scale": SCALES, "seed": [901, 902]}}


def test_a_comparison_gives_differences_and_a_verdict(stack: Stack):
    job_id = stack.done(COMPARISON)
    found = stack.client.get(f"/v1/jobs/{job_id}/comparison").json()
    dmft, simulation = (stack.client.get(found["jobs"][kind]["links"]["curves"]).json() for kind in ("dmft", "simulation"))
    assert found["time"] == COMPARISON["times"]
    for name in ("train_loss", "test_loss", "parameter_error"):
        assert found[name]["difference"] == [s - d for s, d in zip(simulation[name], dmft[name], strict=True)]
        z = np.array(found[name]["difference"]) / np.hypot(simulation[f"{name}_stderr"], dmft[f"{name}_stderr"])
        np.testing.assert_allclose(found[name]["z_score"], z, rtol=1e-3)  # the rounding of single precision is counted too
    assert found["verdict"] == "agree"
    assert found["explanation"]
    job = stack.job(job_id)
    assert (job["attempts"], job["progress"]) == (1, 1)
    for link in job["links"].values():
        assert stack.client.get(link).status_code == 200
    alone = {name: value for name, value in COMPARISON.items() if name not in ("accuracy",)} | {"kind": "simulation"}
    again = stack.submit(alone)
    assert (again.json()["id"], again.json()["cache"]) == (found["jobs"]["simulation"]["id"], "hit")


def test_a_sweep_has_one_row_per_point_in_every_format(stack: Stack):
    stack.done(QUICK | {"seed": 901})  # one point is there already
    job_id = stack.done(SWEEP)
    children = stack.client.get(f"/v1/jobs/{job_id}/children").json()
    assert (children["total"], children["counts"]) == (6, {"succeeded": 6})
    assert [c["values"] for c in children["children"]] == [{"problem.initial_scale": a, "seed": s} for a in SCALES for s in (901, 902)]
    address = f"/v1/jobs/{job_id}/table"
    rows = stack.client.get(address, params={"at": 0.5}).json()["rows"]
    for row, child in zip(rows, children["children"], strict=True):
        curves = stack.client.get(f"/v1/jobs/{child['id']}/curves").json()
        assert (row["id"], row["time"], row["train_loss"], row["train_loss_at"]) == (
            child["id"],
            1.0,
            curves["train_loss"][-1],
            curves["train_loss"][1],
        )
    printed = list(csv.DictReader(io.StringIO(stack.client.get(address, params={"format": "csv", "at": 0.5}).text)))
    parquet = stack.client.get(address, params={"format": "parquet", "at": 0.5})
    columns = read_parquet(io.BytesIO(parquet.content)).read_all()
    assert columns.column_names == list(printed[0])
    for name in ("problem.initial_scale", "parameter_error_stderr", "l1_norm", "test_loss_at"):
        assert [float(row[name]) for row in printed] == [row[name] for row in rows] == columns.column(name).to_pylist()
    assert columns.column("id").to_pylist() == [row["id"] for row in rows]
    for link in stack.job(job_id)["links"].values():
        assert stack.client.get(link).status_code == 200


def test_sweeps_of_predictions_and_of_comparisons(stack: Stack):
    theory = stack.done({"kind": "sweep", "base": {"kind": "theory", "problem": PROBLEM}, "axes": {"problem.initial_scale": SCALES}})
    rows = stack.client.get(f"/v1/jobs/{theory}/table").json()["rows"]
    assert rows[0]["final_parameter_error"] < rows[2]["final_parameter_error"]
    assert rows[0]["convergence_rate"] < rows[2]["convergence_rate"]
    assert stack.client.get(f"/v1/jobs/{theory}/table", params={"at": 1}).json()["field"] == "at"
    nested = stack.done({"kind": "sweep", "base": COMPARISON, "axes": {"problem.noise_std": [0.1, 0.2]}})
    assert [row["verdict"] for row in stack.client.get(f"/v1/jobs/{nested}/table").json()["rows"]] == ["agree", "agree"]


@pytest.mark.slow
def test_a_running_sweep_shows_what_is_done_and_is_cancelled_whole_but_for_what_others_asked_for(own_stack: Stack):
    stack = own_stack
    sweep = {"kind": "sweep", "base": LONG, "axes": {"horizon": [0.01, 100.0, 99.0, 98.0], "times": [[0.01]], "dimension": [700]}}
    job_id = stack.submit(sweep, wait=0).json()["id"]
    statuses = lambda: [child["status"] for child in stack.client.get(f"/v1/jobs/{job_id}/children").json()["children"]]  # noqa: E731
    wait_until(lambda: statuses()[:2] == ["succeeded", "running"], 60, "the second point to run")
    job = stack.job(job_id)
    assert (job["status"], job["progress"], job["message"]) == ("running", 0.25, "1 of 4 jobs have finished")
    rows = stack.client.get(f"/v1/jobs/{job_id}/table").json()["rows"]
    assert [row["train_loss"] is None for row in rows] == [False, True, True, True]
    other = stack.submit(sweep["base"] | {"horizon": 99.0, "times": [0.01], "dimension": 700}, wait=0).json()
    assert other["cache"] == "joined"
    assert stack.client.delete(f"/v1/jobs/{job_id}").json()["status"] == "cancelled"
    assert statuses()[:2] == ["succeeded", "cancelled"]
    assert statuses()[3] == "cancelled"
    assert stack.await_status(other["id"], "running")["id"] == other["id"]
    stack.client.delete(f"/v1/jobs/{other['id']}")


@pytest.mark.parametrize(
    ("axes", "field", "word"),
    [({"problem.initial_scale": [0.1, -3]}, "axes.problem.initial_scale", "-3"), ({"seed": list(range(10_001))}, "axes", "10001")],
)
def test_a_bad_sweep_stores_nothing(stack: Stack, axes, field, word):
    before = stack.client.get("/v1/jobs", params={"limit": 1}).json()["jobs"]
    answer = stack.submit(SWEEP | {"axes": axes})
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert word in answer.json()["detail"]
    assert stack.client.get("/v1/jobs", params={"limit": 1}).json()["jobs"] == before

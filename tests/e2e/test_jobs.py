"""The main job over HTTP: submitted once, computed once, read in every format."""

import csv
import io
import json
import re

import numpy as np
import pytest

from tests.e2e.stack import LONG, PROBLEM, QUICK, Stack


def test_the_same_request_is_computed_once(stack: Stack):
    request = QUICK | {"seed": 101}
    first = stack.submit(request, wait=0)
    assert (first.status_code, first.json()["cache"]) == (202, "miss")
    job_id = first.json()["id"]
    assert first.headers["location"] == f"/v1/jobs/{job_id}"
    assert int(first.headers["retry-after"]) >= 1
    again = stack.submit(request)
    assert again.status_code == 200
    assert again.json()["cache"] in ("joined", "hit")
    spelled_out = request | {"problem": request["problem"] | {"weight_decay": 0}, "horizon": 1}
    third = stack.submit(spelled_out)
    assert (third.status_code, third.json()["cache"], third.json()["id"]) == (200, "hit", job_id)
    assert third.json()["attempts"] == 1
    assert third.json()["finished_at"] == again.json()["finished_at"]
    bodies = {stack.client.get(f"/v1/jobs/{job_id}/curves").content for _ in range(3)}
    assert len(bodies) == 1


def test_a_worker_measures_its_machine_for_the_forecast(stack: Stack):
    answer = stack.client.post("/v1/estimate", json=QUICK).json()
    assert answer["pace"] > 0 and answer["pace"] != 1  # which is what it would be without a measurement


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "dmft", "horizon": 32, "accuracy": 0.01},
        {"kind": "dmft", "horizon": 2, "accuracy": 0.01, "dynamics": {"kind": "gradient_descent", "step_size": 0.05}},
        {"kind": "simulation", "horizon": 8, "dimension": 3000, "replicas": 4},
    ],
)
def test_memory_is_forecast_within_a_factor_of_two(stack: Stack, change: dict):
    request = {"problem": PROBLEM, "seed": 7} | change
    predicted = stack.client.post("/v1/estimate", json=request).json()["memory_bytes"]
    diagnostics = stack.client.get(f"/v1/jobs/{stack.done(request)}/diagnostics").json()
    assert predicted / 2 < diagnostics["peak_memory_bytes"] < 2 * predicted


def test_another_seed_is_another_job(stack: Stack):
    one, two = stack.done(QUICK), stack.done(QUICK | {"seed": 1})
    assert one != two
    assert stack.client.get(f"/v1/jobs/{one}/curves").content != stack.client.get(f"/v1/jobs/{two}/curves").content


def test_the_record_is_complete(stack: Stack):
    job = stack.job(stack.done(QUICK))
    assert (job["kind"], job["status"], job["progress"], job["error"]) == ("simulation", "succeeded", 1, None)
    assert job["request"]["problem"]["weight_decay"] == 0
    for name in ("created_at", "started_at", "finished_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", job[name])
    for link in job["links"].values():
        assert stack.client.get(link).status_code == 200


@pytest.mark.parametrize("part", ["curves", "order-parameters"])
def test_every_format_holds_the_same_numbers(stack: Stack, part: str):
    address = f"/v1/jobs/{stack.done(QUICK)}/{part}"
    printed = stack.client.get(address).json()
    npz = stack.client.get(address, params={"format": "npz"})
    assert npz.headers["content-type"] == "application/x-npz"
    rows = list(csv.DictReader(io.StringIO(stack.client.get(address, headers={"Accept": "text/csv"}).text)))
    with np.load(io.BytesIO(npz.content), allow_pickle=False) as arrays:
        for name in set(printed) - {"conditional"}:
            assert arrays[name].tolist() == printed[name]
            if len(printed[name]) == len(rows) and name != "quantile_levels":
                assert [float(row[name]) for row in rows] == printed[name]
    assert printed["time"] == QUICK["times"]


def test_the_kernels_of_a_mean_field_solve_are_exact_in_npz(stack: Stack):
    request = {"kind": "dmft", "problem": PROBLEM, "horizon": 1.0, "accuracy": 0.1}
    address = f"/v1/jobs/{stack.done(request)}/kernels"
    printed = stack.client.get(address).json()
    assert set(printed) == {"time", "correlation", "response", "residual_correlation", "residual_response"}
    with np.load(io.BytesIO(stack.client.get(address, params={"format": "npz"}).content), allow_pickle=False) as arrays:
        for name, value in printed.items():
            assert arrays[name].tolist() == value


def test_diagnostics_come_as_json_and_npz(stack: Stack):
    address = f"/v1/jobs/{stack.done(QUICK)}/diagnostics"
    printed = stack.client.get(address).json()
    assert printed["seed"] == 0
    assert printed["wall_time"] > 0
    assert printed["peak_memory_bytes"] > 0
    with np.load(io.BytesIO(stack.client.get(address, params={"format": "npz"}).content), allow_pickle=False) as arrays:
        assert arrays["wall_time"] == printed["wall_time"]


def test_an_unchanged_result_is_not_sent_twice(stack: Stack):
    address = f"/v1/jobs/{stack.done(QUICK)}/curves"
    tag = stack.client.get(address).headers["etag"]
    for condition in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = stack.client.get(address, headers={"If-None-Match": condition})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert stack.client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200
    assert stack.client.get(address, params={"format": "csv"}).headers["etag"] != tag


@pytest.mark.parametrize(
    ("part", "query", "accept", "status", "code"),
    [
        ("curves", "xml", None, 422, "invalid_request"),
        ("kernels", "csv", None, 422, "invalid_request"),
        ("curves", None, "image/png", 406, "not_acceptable"),
        ("diagnostics", None, "text/csv", 406, "not_acceptable"),
        ("kernels", None, None, 404, "not_found"),
    ],
)
def test_what_cannot_be_had_is_said(stack: Stack, part, query, accept, status, code):
    answer = stack.client.get(
        f"/v1/jobs/{stack.done(QUICK)}/{part}",
        params={"format": query} if query else {},
        headers={"Accept": accept} if accept else {},
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["hint"]


def test_jobs_are_listed_newest_first(stack: Stack):
    submitted = [stack.done(QUICK | {"seed": seed}) for seed in (201, 202, 203)]
    page = stack.client.get("/v1/jobs", params={"limit": 2, "status": "succeeded", "kind": "simulation"}).json()
    assert [job["id"] for job in page["jobs"]] == submitted[:0:-1]
    following = stack.client.get(page["next"]).json()
    assert following["jobs"][0]["id"] == submitted[0]
    assert stack.client.get("/v1/jobs", params={"kind": "dmft", "status": "failed"}).json()["jobs"] == []


def test_a_running_job_moves_and_can_be_cancelled(stack: Stack):
    job_id = stack.submit(LONG | {"seed": 1}, wait=0).json()["id"]
    stack.await_status(job_id, "running")
    pending = stack.client.get(f"/v1/jobs/{job_id}/curves")
    assert (pending.status_code, pending.json()["code"]) == (409, "not_finished")
    assert stack.client.delete(f"/v1/jobs/{job_id}").json()["status"] == "cancelled"
    assert stack.client.delete(f"/v1/jobs/{job_id}").status_code == 409
    assert stack.client.get(f"/v1/jobs/{job_id}/curves").json()["code"] == "cancelled"
    stack.done(QUICK | {"seed": 301})  # the workers are free again
    stack.done(QUICK | {"seed": 302})


def test_a_finished_job_cannot_be_cancelled(stack: Stack):
    answer = stack.client.delete(f"/v1/jobs/{stack.done(QUICK)}")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")


def test_the_description_of_the_interface_is_whole(stack: Stack):
    text = stack.client.get("/openapi.json").text
    schemas = json.loads(text)["components"]["schemas"]
    assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) <= set(schemas)
    assert "SimulationRequest" in schemas


def test_operators_see_that_it_lives(stack: Stack):
    assert stack.client.get("/healthz").json() == {"status": "ok"}
    assert stack.client.get("/readyz").json()["workers"] == 1
    assert stack.client.get("/v1/limits").json()["max_body_bytes"] == 3_000_000

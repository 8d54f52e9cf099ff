"""Real data: uploaded, checked, used by simulations and compared with the theory for random data."""

import numpy as np
import pytest

from tests.e2e.stack import PROBLEM, QUICK, Stack
from tests.wire.matrices import MATRIX, as_csv, as_npz

RNG = np.random.default_rng(8)
ROWS, COLUMNS = 300, 200
INDEPENDENT = RNG.normal(size=(ROWS, COLUMNS)) * 3 + 1
CORRELATED = INDEPENDENT @ np.linalg.cholesky(0.9 ** np.abs(np.subtract.outer(np.arange(COLUMNS), np.arange(COLUMNS)))).T
OWN = {"kind": "comparison", "replicas": 60, "accuracy": 0.05}
COMPARISON = {name: value for name, value in QUICK.items() if name != "dimension"} | OWN


def upload(stack: Stack, matrix) -> str:
    answer = stack.client.post("/v1/datasets", content=as_npz(x=matrix), headers={"Content-Type": "application/x-npz"})
    assert answer.status_code in (200, 201), answer.text
    return answer.json()["id"]


def on(dataset: str) -> dict:
    return {"design": {"kind": "dataset", "id": dataset}}


def test_a_data_set_is_its_numbers(stack: Stack):
    matrix = MATRIX + 3  # no other test's
    first = stack.client.post("/v1/datasets", content=as_csv(matrix), headers={"Content-Type": "text/csv"})
    assert first.status_code == 201
    assert (first.json()["rows"], first.json()["columns"]) == matrix.shape
    assert "variance 1/d" in first.json()["standardisation"]
    again = stack.client.post("/v1/datasets", files={"file": ("x.npz", as_npz(x=matrix))})
    assert again.status_code == 200
    kept = stack.client.get(first.headers["location"]).json()
    read = {"format": "csv", "header": False, "index": False, "names": None}
    assert first.json() == kept | read
    assert again.json() == kept | read | {"format": "npz", "header": None}
    assert kept in stack.client.get("/v1/datasets").json()["datasets"]
    assert stack.client.delete(first.headers["location"]).status_code == 204
    assert stack.client.get(first.headers["location"]).json()["code"] == "unknown_dataset"
    assert stack.client.delete(first.headers["location"]).status_code == 404


def test_rows_that_are_random_agree_with_the_theory_and_correlated_ones_deviate(stack: Stack):
    verdicts = {}
    for name, matrix in {"independent": INDEPENDENT, "correlated": CORRELATED}.items():
        job_id = stack.done(COMPARISON | on(upload(stack, matrix)))
        verdicts[name] = stack.client.get(f"/v1/jobs/{job_id}/comparison").json()
        assert stack.job(job_id)["request"]["dimension"] == COLUMNS
    assert verdicts["independent"]["verdict"] == "agree"
    assert verdicts["correlated"]["verdict"] == "deviate"
    assert abs(verdicts["correlated"]["worst"]["relative_difference"]) > 0.2
    assert "deviates" in verdicts["correlated"]["explanation"]


def test_a_sweep_may_run_over_the_samples_taken_from_a_data_set(stack: Stack):
    base = {name: value for name, value in QUICK.items() if name != "dimension"} | on(upload(stack, INDEPENDENT))
    job_id = stack.done({"kind": "sweep", "base": base, "axes": {"problem.aspect_ratio": [0.5, 1.5]}})
    rows = stack.client.get(f"/v1/jobs/{job_id}/table").json()["rows"]
    assert rows[1]["test_loss"] < rows[0]["test_loss"]
    refused = stack.submit({"kind": "sweep", "base": base, "axes": {"problem.aspect_ratio": [0.5, 1.6]}})
    assert (refused.status_code, refused.json()["field"]) == (422, "axes.problem.aspect_ratio")


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"dimension": 100}, "dimension", "200 columns, not 100"),
        ({"problem": PROBLEM | {"aspect_ratio": 2.0}}, "problem.aspect_ratio", "400 samples are asked for and the data set has 300 rows"),
        (on("0" * 32), "design.id", "no data set"),
        (on("short"), "design.id", "pattern"),
        ({"design": {"kind": "correlated"}}, "design", "independent entries"),
    ],
)
def test_a_request_that_does_not_fit_its_data_is_refused(stack: Stack, change, field, words):
    base = {name: value for name, value in QUICK.items() if name != "dimension"}
    answer = stack.submit(base | on(upload(stack, INDEPENDENT)) | change)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert words in answer.json()["detail"]


def test_a_bad_file_is_refused_with_the_reason(stack: Stack):
    answer = stack.client.post("/v1/datasets", content=as_csv(MATRIX[:5]))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_dataset")
    assert "5 rows" in answer.json()["detail"]
    assert stack.client.post("/v1/datasets", data={"file": "no file"}, files={}).status_code == 422
    crowded = stack.client.post("/v1/datasets", data={f"x{i}": "y" for i in range(11)}, files={"file": ("x.csv", as_csv(MATRIX))})
    assert (crowded.status_code, crowded.json()["field"]) == (422, "file")
    long = stack.client.post("/v1/datasets", content=b"1," * 33_000_000)
    assert (long.status_code, long.json()["code"]) == (413, "body_too_large")


def test_a_job_whose_data_were_deleted_says_so(stack: Stack):
    dataset = upload(stack, INDEPENDENT + 7)
    stack.client.delete(f"/v1/datasets/{dataset}")
    base = {name: value for name, value in QUICK.items() if name != "dimension"}
    assert "no data set" in stack.submit(base | on(dataset)).json()["detail"]

"""Data for simulations: `simulate(data=…)` and a service read, check and use them alike."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from dlnflow import simulate
from dlnflow.client import ApiError, Client, InvalidRequest
from dlnflow.wire.matrix import MAX_ENTRIES, matrix_id
from tests.e2e.stack import PROBLEM, Stack
from tests.wire.matrices import CONSTANT, FILES, FRAME, INDEXED, MASKED, MATRIX, NUMBERED, as_csv, changed

OPTIONS = {"horizon": 1.0, "times": [0, 1], "replicas": 2}


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    with Client(str(stack.client.base_url)) as connected:
        yield connected


WRONG = {
    "missing": (changed(np.nan), "row 4, column 7"),
    "infinite": (changed(np.inf), "row 4, column 7"),
    "masked": (MASKED, "row 4, column 7"),
    "constant": (CONSTANT, "constant"),
    "one dimension": (MATRIX[0], "1 dimensions"),
    "no dimension": (3.0, "0 dimensions"),
    "few rows": (MATRIX[:5], "5 rows"),
    "few columns": (MATRIX[:, :5], "5 columns"),
    "texts": (MATRIX.astype(str), "not real numbers"),
    "a nullable frame": (FRAME.astype("Float64").mask(MATRIX[4, 7] == FRAME), "row 4, column 7"),
    "an index": (np.column_stack([np.arange(30), MATRIX]), "may number the rows"),
    "empty": (np.empty((0, 0)), "0 rows"),
    "ragged": ([[1.0, 2.0], [3.0]], "cannot be read"),
}


@pytest.mark.parametrize("name", WRONG)
def test_both_refuse_the_same(client, name):
    data, words = WRONG[name]
    with pytest.raises(InvalidRequest, match=words) as here:
        simulate(PROBLEM, data=data, **OPTIONS)
    with pytest.raises(InvalidRequest, match=words) as there:
        client.upload(data)
    assert here.value.fields == there.value.fields == ["data"] and str(here.value) == str(there.value)


@pytest.mark.parametrize("name", ["pandas", "row names", "R's write.table", "no header"])
def test_both_read_the_same_files(client, tmp_path, name):
    path = tmp_path / "data.csv"
    path.write_bytes(INDEXED[name])
    with pytest.raises(InvalidRequest, match="index=true"):
        simulate(PROBLEM, data=path, **OPTIONS)
    with pytest.raises(ApiError, match="index=true") as refused:
        client.upload(path)
    assert (refused.value.status, refused.value.code, refused.value.field) == (422, "invalid_dataset", "file")
    kept = client.upload(str(path), index=True)
    assert (kept["rows"], kept["columns"], kept["index"], kept["id"]) == (30, 12, True, matrix_id(MATRIX))
    found = simulate(PROBLEM, data=path, index=True, **OPTIONS)
    assert found.request["design"]["id"] == kept["id"] and found.request["dimension"] == 12


def test_the_answer_says_how_a_file_was_read(client, tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(as_csv(MATRIX, header=NUMBERED["years"]))
    kept = client.upload(path, header=True)
    assert (kept["format"], kept["header"], kept["index"], kept["names"][:2]) == ("csv", True, False, ["2001", "2002"])
    as_rows = client.upload(path, header=False)
    assert (as_rows["rows"], as_rows["header"], as_rows["names"]) == (31, False, None)
    assert client.upload(FILES["parquet"])["names"][0] == "x0"
    assert client.upload(MATRIX)["id"] == kept["id"]
    assert client.upload(FRAME)["id"] == client.upload(FRAME.reset_index(), index=True)["id"] == kept["id"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"dimension": 13}, "dimension"),
        ({"problem": PROBLEM | {"aspect_ratio": 3.0}}, "problem.aspect_ratio"),
        ({"replicas": 1}, "replicas"),
    ],
)
def test_both_hold_a_request_to_the_data(client, fields, field):
    kept = client.upload(MATRIX)
    request = {"problem": PROBLEM} | OPTIONS | fields
    with pytest.raises((ApiError, InvalidRequest), match=field):
        client.submit(kind="simulation", design={"kind": "dataset", "id": kept["id"]}, **request)
    with pytest.raises(InvalidRequest, match=field) as error:
        simulate(data=MATRIX, **request)
    assert error.value.fields == [field]


def test_data_and_a_design_exclude_each_other():
    with pytest.raises(InvalidRequest, match="leave design out"):
        simulate(PROBLEM, data=MATRIX, design="rademacher", **OPTIONS)


def test_a_data_set_of_the_service_is_not_taken_for_gaussian_rows():
    with pytest.raises(InvalidRequest, match="give the matrix itself"):
        simulate(PROBLEM, dimension=12, design={"kind": "dataset", "id": "0" * 32}, **OPTIONS)


@pytest.mark.parametrize("exponent", [-700, 700])
def test_very_large_and_small_numbers_are_simulated_as_what_they_are(exponent):
    plain, scaled = (simulate(PROBLEM, data=np.ldexp(MATRIX, e), **OPTIONS).curves for e in (0, exponent))
    np.testing.assert_array_equal(scaled.train_loss, plain.train_loss)
    assert plain.train_loss[1] < 0.99 * plain.train_loss[0]


def test_the_largest_matrix_that_is_allowed_can_be_uploaded(client):
    rows = MAX_ENTRIES // 2000
    matrix = np.random.default_rng(7).normal(size=(rows, 2000))
    assert client.limits()["max_dataset_entries"] == matrix.size
    kept = client.upload(matrix)
    try:
        assert (kept["rows"], kept["columns"]) == matrix.shape
    finally:
        client.delete_dataset(kept["id"])


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (FILES["carriage returns only"], 201),
        (b"a" * 140_000 + b",b\n1,2\n", 422),
        (as_csv(MATRIX) + b"x" * 140_000 + b",2\n", 422),
        (as_csv(MATRIX).replace(b",", b"," + b"1" * 140_000 + b"x,", 1), 422),
    ],
    ids=["carriage returns", "a long name", "a long word", "a long number"],
)
def test_texts_that_broke_the_reader_are_read_or_refused(stack, content, status):
    answer = stack.client.post("/v1/datasets", content=content)
    assert answer.status_code in ({200, 201} if status == 201 else {status}), answer.text


def test_a_frame_with_dates_as_its_index_is_its_columns(client):
    dated = FRAME.set_index(pd.date_range("2020", periods=30))
    assert client.upload(dated)["id"] == matrix_id(MATRIX)

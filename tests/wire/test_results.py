"""Results on the wire: npz, JSON and CSV hold the same numbers to the last bit."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from dlnflow.solution import CURVES, KERNELS, ORDER_PARAMETERS, Conditional, Solution, SolveError
from dlnflow.wire import results
from dlnflow.wire.summary import COLUMNS, summarise

RNG = np.random.default_rng(7)
T, K = 5, 3


def make_solution(**changes) -> Solution:
    names = CURVES + ORDER_PARAMETERS
    parts = {
        "time": np.geomspace(1e-3, 7, T),
        "values": {name: RNG.normal(size=T) * 1e-7 for name in names},
        "stderr": {name: RNG.random(T) for name in names},
        "conditional": tuple(Conditional(f"w*={a}", 0.5, RNG.normal(size=T), RNG.normal(size=(5, T))) for a in (0, 1)),
        "diagnostics": {"outcome": "converged", "error": {"sampling": np.float64(0.1), "step": float("nan")}, "seed": 3, "advice": None},
        "kernel_time": np.arange(K) / 3,
        "kernels": {name: RNG.normal(size=(K, K)) for name in KERNELS},
    }
    return Solution(**parts | changes)


def load(npz: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(npz), allow_pickle=False) as arrays:
        return dict(arrays)


def at(document, path: str):
    for step in path.split("."):
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


@pytest.mark.parametrize("part", ["curves", "order-parameters", "kernels"])
def test_npz_holds_what_json_prints(part):
    document = results.decode(part, results.encode(results.documents(make_solution()))[part])
    printed = json.loads(results.to_json(document))
    arrays = load(results.to_npz(document))
    assert len(arrays) >= 5
    for path, array in arrays.items():
        value = at(printed, path)  # a missing number is null in JSON and NaN in npz
        np.testing.assert_array_equal(array, np.array(np.nan if value is None else value), strict=False)


@pytest.mark.parametrize("part", ["curves", "order-parameters"])
def test_csv_holds_what_json_prints(part):
    document = results.decode(part, results.encode(results.documents(make_solution()))[part])
    printed = json.loads(results.to_json(document))
    rows = list(csv.DictReader(io.StringIO(results.to_csv(document).decode())))
    assert len(rows) == T
    for name in set(printed) - {"quantile_levels", "conditional"}:
        assert [float(row[name]) for row in rows] == printed[name]
    for part in printed.get("conditional", []):
        assert [float(row[f"q95[{part['given']}]"]) for row in rows] == part["quantiles"][4]


def test_the_numbers_are_the_solver_s():
    solution = make_solution()
    parts = results.encode(results.documents(solution))
    curves, kernels = (results.decode(part, parts[part]) for part in ("curves", "kernels"))
    np.testing.assert_array_equal(curves["train_loss"], solution.values["train_loss"])
    np.testing.assert_array_equal(curves["train_loss_stderr"], solution.stderr["train_loss"])
    np.testing.assert_array_equal(kernels["response"], solution.kernels["response"])


def test_the_same_result_gives_the_same_bytes():
    solution = make_solution()
    assert results.encode(results.documents(solution)) == results.encode(results.documents(solution))


def test_missing_numbers_are_null_in_json_and_nan_in_npz():
    diagnostics = results.decode("diagnostics", results.encode(results.documents(make_solution()))["diagnostics"])
    diagnostics.pop("summary")
    assert diagnostics == {"outcome": "converged", "error": {"sampling": 0.1, "step": None}, "seed": 3, "advice": None}
    arrays = load(results.to_npz(diagnostics))
    assert str(arrays["outcome"]) == "converged"
    assert np.isnan(arrays["error.step"])


def test_a_summary_has_the_smallest_test_loss_and_the_ends():
    solution = make_solution()
    values = solution.values | {"test_loss": np.array([3.0, 2.0, 0.5, 0.7, 1.0])}
    parts = results.documents(replace(solution, values=values))
    summary = results.decode("diagnostics", results.encode(parts)["diagnostics"])["summary"]
    assert summary["least_test_loss"] == 0.5
    assert summary["least_test_loss_time"] == solution.time[2]
    assert summary["least_test_loss_stderr"] == solution.stderr["test_loss"][2]
    assert summary["final"] == {name: values[name][-1] for name in CURVES + ORDER_PARAMETERS}
    row = summarise(parts)
    assert (row["least_test_loss"], row["least_test_loss_time"]) == (0.5, solution.time[2])
    assert list(row) == COLUMNS["dmft"]


def test_a_simulation_has_no_kernels():
    assert "kernels" not in results.encode(results.documents(make_solution(kernels={}, kernel_time=None)))


def test_a_result_without_conditions_stays_complete():
    part = results.encode(results.documents(make_solution(conditional=())))["order-parameters"]
    assert results.decode("order-parameters", part)["conditional"] == []


def test_a_result_that_is_not_finite_is_refused():
    solution = make_solution()
    solution.values["test_loss"][2] = np.inf
    with pytest.raises(SolveError, match="test_loss") as caught:
        results.encode(results.documents(solution))
    assert caught.value.code == "diverged"

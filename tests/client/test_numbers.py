"""One rule for numbers and lists: over HTTP, in `solve` and `simulate`, and in the client."""

import itertools
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import httpx2
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dlnflow.cli import main
from dlnflow.cli.parser import build_parser
from dlnflow.cli.problem import read_request
from dlnflow.client import Client, InvalidRequest
from dlnflow.client.operations import as_request
from dlnflow.local import SIMULATION
from dlnflow.wire.plain import checked, plain
from dlnflow.wire.requests import request_adapter
from tests.client.records import client_of, record
from tests.e2e.stack import PROBLEM
from tests.service.serving import serving

SIMULATE = {"kind": "simulation", "problem": PROBLEM, "horizon": 2, "dimension": 60, "replicas": 2}


@pytest.fixture(scope="module")
def http(redis_url) -> Iterator[httpx2.Client]:
    with serving(redis_url=redis_url) as address, httpx2.Client(base_url=address, timeout=60) as client:
        yield client


def over_http(http: httpx2.Client, fields: dict[str, Any]) -> str | None:
    """The field that is refused, if one is."""
    answer = http.post("/v1/estimate", json=SIMULATE | fields)
    assert answer.status_code in (200, 422), answer.text
    return answer.json().get("field") if answer.status_code == 422 else None


def in_client(fields: dict[str, Any]) -> str | None:
    try:
        as_request(SIMULATE, fields)
    except InvalidRequest as error:
        return error.fields[0]
    return None


def in_library(fields: dict[str, Any]) -> str | None:
    from dlnflow.client.words import read_request as read

    try:
        read(SIMULATION, SIMULATE, fields)
    except InvalidRequest as error:
        return error.fields[0]
    return None


def linear(**changes: Any) -> dict[str, Any]:
    return {"kind": "gradient_descent", "step_size": {"kind": "linear", "start": 0.25, "end": 0.25, "steps": 20} | changes}


IN_JSON = [
    ({"dimension": 100.0}, None),
    ({"dimension": 1e2, "replicas": 2.0}, None),
    ({"seed": 1e5}, None),
    ({"seed": 2.0**53 - 1}, None),
    ({"seed": 2.0**60}, "seed"),  # which integer was meant cannot be seen any more
    ({"seed": 0.5}, "seed"),
    ({"dimension": "100"}, "dimension"),
    ({"dimension": True}, "dimension"),
    ({"horizon": "2"}, "horizon"),
    ({"horizon": True}, "horizon"),
    ({"horizon": 2}, None),
    ({"times": [0, 1, 2]}, None),
    ({"times": ["1"]}, "times.0"),
    ({"times": [0, None]}, "times.1"),
    ({"times": [0, 1e-200]}, "times.1"),
    ({"times": [1e-13]}, "times.0"),
    ({"times": [1e-12]}, None),
    ({"times": 1.0}, "times"),
    ({"times": {"0": 1.0}}, "times"),
    ({"dynamics": linear(steps=20.0)}, None),
    ({"dynamics": linear(steps=2e1)}, None),
    ({"dynamics": linear(steps=20.5)}, "dynamics.step_size.steps"),
    ({"dynamics": linear(steps="20")}, "dynamics.step_size.steps"),
    ({"dynamics": linear(steps=True)}, "dynamics.step_size.steps"),
    ({"problem": PROBLEM | {"depth": 3}}, None),
    ({"problem": PROBLEM | {"depth": "3"}}, "problem.depth"),
]


@pytest.mark.parametrize(("fields", "refused"), IN_JSON, ids=str)
def test_what_json_can_say_is_read_alike_everywhere(http, fields, refused):
    assert over_http(http, fields) == in_client(fields) == in_library(fields) == refused


def test_integers_are_integers_wherever_they_came_from(http):
    one, other = (checked(request_adapter, SIMULATE | {"seed": seed, "dimension": d}) for seed, d in ((100_000, 100), (1e5, 1e2)))
    assert one == other and type(other.seed) is int
    sweep = {"kind": "sweep", "base": SIMULATE, "axes": {"dimension": [50, 60.0]}}
    assert checked(request_adapter, sweep).axes == {"dimension": (50, 60)}
    assert http.post("/v1/estimate", json=sweep).status_code == 200


LISTS = {
    "range": range(3),
    "tuple": (0, 1, 2),
    "array": np.arange(3),
    "array of floats": np.arange(3.0, dtype=np.float32),
    "generator": (t for t in (0, 1, 2)),
    "map": map(int, "012"),
    "dict keys": {0: "", 1: "", 2: ""}.keys(),
    "series": pd.Series([0, 1, 2]),
    "nullable series": pd.Series([0, 1, 2], dtype="Int64"),
    "index": pd.Index([0.0, 1.0, 2.0]),
    "xarray": xr.DataArray([0.0, 1.0, 2.0]),
    "masked where nothing is": np.ma.array([0.0, 1.0, 2.0]),
    "mixed numbers": [0, np.float64(1), Decimal(2)],
    "arrays of no dimension": [np.array(0), np.array(1.0), Fraction(2)],
    "long doubles": np.arange(3, dtype=np.longdouble),
}


@pytest.mark.parametrize("name", LISTS)
def test_what_can_be_iterated_over_is_a_list(name):
    assert as_request(SIMULATE, {"times": LISTS[name]})["times"] == [0, 1, 2]


MISSING = {
    "numpy": (np.array([0, np.nan]), "times.1"),
    "masked": (np.ma.masked_equal([0.0, 1.0], 1), "times.1"),
    "masked, alone": ([0, np.ma.masked], "times.1"),
    "pandas": (pd.Series([0, None]), "times.1"),
    "pandas, nullable": (pd.Series([0, None], dtype="Float64"), "times.1"),
    "pandas.NA": ([0, pd.NA], "times.1"),
    "pandas.NaT": ([0, pd.NaT], "times.1"),
    "xarray": (xr.DataArray([0.0, np.nan]), "times.1"),
    "None": ([0, None], "times.1"),
    "infinite": ([0, float("inf")], "times.1"),
    "dates": (pd.date_range("2020", periods=2), "times.0"),
    "complex": ([0, 1j], "times.1"),
    "bytes": (b"01", "times"),
    "an object": (object(), "times"),
    "endless": (itertools.count(), "times"),
    "too large for a double": ([0, Fraction(10**400)], "times.1"),
}


@pytest.mark.parametrize("name", MISSING)
def test_what_is_missing_or_no_number_is_named(name):
    times, field = MISSING[name]
    with pytest.raises(InvalidRequest, match=field.replace(".", r"\.")) as error:
        as_request(SIMULATE, {"times": times})
    assert error.value.fields[0] == field and len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("steps", "field"), [(itertools.repeat(0.1), "values"), (itertools.repeat(0), "values.0"), (np.full(200_000, 0.1), "values")]
)
def test_a_schedule_without_end_is_refused_in_a_few_lines(steps, field):
    with pytest.raises(InvalidRequest) as error:
        as_request(SIMULATE, {"dynamics": {"kind": "gradient_descent", "step_size": {"kind": "list", "values": steps}}})
    assert error.value.fields[0] == f"dynamics.step_size.{field}" and len(str(error.value)) < 2000


@pytest.mark.parametrize("missing", [pd.NA, np.ma.masked, float("nan"), np.float64("nan")], ids=repr)
@pytest.mark.parametrize("field", ["truncation", "standard_error", "seed", "horizon"])
def test_a_missing_value_is_no_default(field, missing):
    with pytest.raises(InvalidRequest, match=field):
        as_request(SIMULATE, {field: missing})


@pytest.mark.parametrize("number", [np.int8(60), np.uint64(60), np.float32(60), np.array(60), Decimal(60), Fraction(60), 60.0])
def test_numbers_of_other_libraries_are_numbers(number):
    given = as_request(SIMULATE, {"dimension": number})["dimension"]
    assert (given, type(given)) in ((60, int), (60.0, float))


def test_a_request_is_no_list_and_no_text():
    with pytest.raises(InvalidRequest, match="no list"):
        as_request([1], {})


def test_models_and_arrays_may_stand_in_a_sweep():
    bodies = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        bodies.append(request.read())
        return httpx2.Response(202, json=record())

    axes = {"problem.initial_scale": np.geomspace(0.1, 1, 3), "seed": range(2)}
    client_of(handle).submit(kind="sweep", base=SIMULATE, axes=axes)
    assert b'"seed":[0,1]' in bodies[0].replace(b" ", b"")


@pytest.mark.parametrize(("option", "value"), [("--dimension", "100.0"), ("--seed", "1e5"), ("--replicas", "2")])
def test_options_follow_the_rule(option, value):
    options = build_parser().parse_args(["solve", option, value])
    found = plain(read_request(options))[option.removeprefix("--")]
    assert found == float(value) and checked(request_adapter, SIMULATE | {option.removeprefix("--"): found})


@pytest.mark.parametrize("value", ["100.5", "nan", "many", "0x10"])
def test_options_that_are_no_integers_are_refused(value, capsys):
    given = ["--aspect-ratio", "1", "--target", "gaussian", "--initial-scale", "1", "--horizon", "1", "--kind", "simulation"]
    assert main(["solve", *given, "--dimension", value]) == 2
    assert "dimension" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["gaussian:1:2", "bernoulli_gauss::2", "bernoulli_gauss:0.1:1:3", "bernoulli_gauss:", "discrete:"])
def test_a_target_of_too_many_parts_or_empty_ones_is_refused(text, capsys):
    assert main(["solve", "--target", text]) == 2
    assert "write gaussian" in capsys.readouterr().err


def test_the_client_refuses_before_it_sends():
    with Client("http://127.0.0.1:9") as client, pytest.raises(InvalidRequest, match="dimension"):
        client.submit(SIMULATE, dimension=100.5)

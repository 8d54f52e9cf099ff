"""What the description of the interface says of results is what results are, to the last field, and what makers of clients need."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from dlnflow.solution import ignore_progress
from dlnflow.solving import produce
from dlnflow.wire import results
from dlnflow.wire.comparison import compare
from dlnflow.wire.requests import job_id, request_adapter
from service import parts
from tests.service.test_app import REQUEST, open_client, pings

__all__ = ["open_client", "pings"]

PROBLEM = {"aspect_ratio": 0.5, "target": {"kind": "bernoulli_gauss", "density": 0.1}, "noise_std": 0.1, "initial_scale": 0.3}
TIMES = {"horizon": 1, "times": [0, 0.5, 1]}
REQUESTS = [
    {"kind": "theory", "problem": PROBLEM},
    {"kind": "theory", "problem": PROBLEM | {"initial_scale": {"u": 1, "v": 2}, "weight_decay": 0.5}},
    {"kind": "dmft", "problem": PROBLEM, "accuracy": 0.2, **TIMES},
    {"kind": "dmft", "problem": PROBLEM, "dynamics": {"kind": "gradient_descent", "step_size": 0.1}, "accuracy": 0.2, **TIMES},
    {
        "kind": "simulation",
        "problem": PROBLEM | {"target": {"kind": "bernoulli_gauss", "density": 0.001}},
        "dimension": 10,
        "replicas": 2,
        **TIMES,
    },
]
MODELS: dict[str, type[BaseModel]] = {
    "curves": parts.Curves,
    "order-parameters": parts.OrderParameters,
    "kernels": parts.Kernels,
    "theory": parts.Theory,
    "comparison": parts.Comparison,
}


def printed(document: dict[str, Any]) -> dict[str, Any]:
    return json.loads(results.to_json(document))


@pytest.mark.slow
@pytest.mark.parametrize("request_", REQUESTS)
def test_a_result_is_as_described(request_):
    found = produce(request_adapter.validate_python(request_), ignore_progress)
    for name, stored in results.encode({part: found[part] for part in found.keys() & MODELS.keys()}).items():
        MODELS[name].model_validate(printed(results.decode(name, stored)), strict=True)  # no field more, none less


@pytest.mark.slow
def test_a_comparison_is_as_described():
    both = [
        produce(request_adapter.validate_python(request_ | {"problem": PROBLEM}), ignore_progress)
        for request_ in (REQUESTS[2], REQUESTS[4])
    ]
    document = compare(*(found["curves"] for found in both), *(found["diagnostics"] for found in both))
    parts.Comparison.model_validate(printed(document | {"jobs": {"dmft": {"id": "x", "links": {"self": "/"}}}}), strict=True)


@pytest.fixture
def document(store, open_client) -> dict[str, Any]:
    return open_client(store).get("/openapi.json").json()


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]


def test_names_of_operations_are_words(document):
    names = [operation["operationId"] for operation in operations(document)]
    assert len(set(names)) == len(names)
    assert {"submit_job", "read_job", "list_jobs", "cancel_job", "read_curves", "upload_dataset", "estimate_job"} <= set(names)
    assert not [name for name in names if "v1" in name or "__" in name]


def test_no_answer_is_a_bare_object(document):
    for operation in operations(document):
        for status, answer in operation["responses"].items():
            schema = answer.get("content", {}).get("application/json", {}).get("schema")
            assert schema is None or "$ref" in schema, (operation["operationId"], status, schema)


def test_no_default_is_an_object_or_null(document):
    for name, schema in document["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            assert not isinstance(described.get("default"), dict), (name, field)
    for kind in ("Dmft", "Simulation", "Comparison"):
        properties = document["components"]["schemas"][f"{kind}Request"]["properties"]
        assert "gradient_flow where left out" in properties["dynamics"]["description"]
        assert "default" not in properties["times"]


def test_the_request_of_a_job_is_as_it_was_submitted(document, store, open_client):
    """With the same schema, so that a client reads what it wrote."""
    body = document["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert document["components"]["schemas"]["Job"]["properties"]["request"] == body
    http = open_client(store)
    http.post("/v1/jobs", json=REQUEST)
    kept = http.get(f"/v1/jobs/{job_id(request_adapter.validate_python(REQUEST))}").json()["request"]
    assert TypeAdapter(Any).validate_python(kept) == request_adapter.validate_python(kept).model_dump(mode="json")

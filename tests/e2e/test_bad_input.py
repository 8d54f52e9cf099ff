"""Input that is wrong in every way that came to mind: a 4xx that names the field, never a 500, never a stack trace."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.e2e.stack import PROBLEM, QUICK, Stack


def problem(**changes: Any) -> dict[str, Any]:
    return QUICK | {"problem": PROBLEM | changes}


def target(**target: Any) -> dict[str, Any]:
    return problem(target=target)


def without(document: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != name}


DMFT = {"kind": "dmft", "problem": PROBLEM, "horizon": 1.0}

WRONG_FIELDS = {
    "kind missing": (without(QUICK, "kind"), "kind"),
    "kind unknown": (QUICK | {"kind": "oracle"}, "kind"),
    "kind null": (QUICK | {"kind": None}, "kind"),
    "problem missing": (without(QUICK, "problem"), "problem"),
    "problem a list": (QUICK | {"problem": [1]}, "problem"),
    "field unknown": (QUICK | {"dimensions": 10}, "dimensions"),
    "field unknown inside": (problem(delta=1), "problem.delta"),
    "field of the other kind": (DMFT | {"dimension": 100}, "dimension"),
    "horizon a string": (QUICK | {"horizon": "1"}, "horizon"),
    "horizon a boolean": (QUICK | {"horizon": True}, "horizon"),
    "horizon null": (QUICK | {"horizon": None}, "horizon"),
    "horizon negative": (QUICK | {"horizon": -1}, "horizon"),
    "horizon too long": (QUICK | {"horizon": 1e9}, "horizon"),
    "seed negative": (QUICK | {"seed": -1}, "seed"),
    "seed a fraction": (QUICK | {"seed": 0.5}, "seed"),
    "seed too large": (QUICK | {"seed": 2**63}, "seed"),
    "dimension a fraction": (QUICK | {"dimension": 60.5}, "dimension"),
    "seed rounded": (QUICK | {"seed": 2.0**60}, "seed"),
    "a time too short": (QUICK | {"times": [0, 1e-200]}, "times.1"),
    "dimension too large": (QUICK | {"dimension": 10**9}, "dimension"),
    "one replica": (QUICK | {"replicas": 1}, "replicas"),
    "accuracy zero": (DMFT | {"accuracy": 0}, "accuracy"),
    "times empty": (QUICK | {"times": []}, "times"),
    "times decreasing": (QUICK | {"times": [1, 0.5]}, "times"),
    "times negative": (QUICK | {"times": [-1, 0.5]}, "times.0"),
    "times with a string": (QUICK | {"times": [0, "1"]}, "times.1"),
    "times too many": (QUICK | {"times": [i / 2000 for i in range(1001)]}, "times"),
    "aspect ratio zero": (problem(aspect_ratio=0), "problem.aspect_ratio"),
    "noise negative": (problem(noise_std=-0.1), "problem.noise_std"),
    "initial scale missing": (QUICK | {"problem": without(PROBLEM, "initial_scale")}, "problem.initial_scale"),
    "target missing": (QUICK | {"problem": without(PROBLEM, "target")}, "problem.target"),
    "target kind missing": (target(std=1), "problem.target.kind"),
    "target kind unknown": (target(kind="cauchy"), "problem.target.kind"),
    "density above one": (target(kind="bernoulli_gauss", density=1.5), "problem.target.density"),
    "density missing": (target(kind="bernoulli_gauss"), "problem.target.density"),
    "atoms without probabilities": (target(kind="discrete", atoms=[1]), "problem.target.probabilities"),
    "probabilities that do not sum to one": (
        target(kind="discrete", atoms=[1, 2], probabilities=[0.5, 0.4]),
        "problem.target.probabilities",
    ),
    "atoms more than probabilities": (target(kind="discrete", atoms=[1, 2], probabilities=[1.0]), "problem.target.probabilities"),
    "nothing to learn": (problem(noise_std=0.0, target={"kind": "discrete", "atoms": [0], "probabilities": [1.0]}), "problem.target"),
    "a step beyond the horizon": (QUICK | {"dynamics": {"kind": "gradient_descent", "step_size": 1.5}}, "dynamics.step_size"),
    "descent without its step": (QUICK | {"dynamics": {"kind": "gradient_descent"}}, "dynamics.step_size"),
    "too many steps": (QUICK | {"horizon": 2.0, "dynamics": {"kind": "gradient_descent", "step_size": 1e-5}}, "dynamics.step_size"),
    "dynamics unknown": (QUICK | {"dynamics": {"kind": "newton"}}, "dynamics.kind"),
    "design unknown": (QUICK | {"design": "cauchy"}, "design.kind"),
    "design without its tails": (QUICK | {"design": "student_t"}, "design.degrees_of_freedom"),
    "standard error zero": (QUICK | {"standard_error": 0}, "standard_error"),
    "initial scale half a pair": (problem(initial_scale={"u": 1}), "problem.initial_scale.v"),
    "initial scale without spread": (problem(initial_scale={"kind": "gaussian", "std": 0}), "problem.initial_scale.std"),
    "atoms not distinct": (target(kind="discrete", atoms=[1, 1], probabilities=[0.5, 0.5]), "problem.target.atoms"),
}


def assert_problem(answer: httpx2.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= set(document)
    assert document["status"] == status
    assert "Traceback" not in answer.text
    return document


@pytest.mark.parametrize(("request_", "field"), WRONG_FIELDS.values(), ids=WRONG_FIELDS)
def test_a_wrong_field_is_named(stack: Stack, request_, field):
    document = assert_problem(stack.client.post("/v1/jobs", json=request_), 422)
    assert document["field"] == field
    assert document["code"] == "invalid_request"


def test_a_rule_about_several_fields_is_explained(stack: Stack):
    document = assert_problem(stack.client.post("/v1/jobs", json=QUICK | {"times": [0, 2]}), 422)
    assert "horizon" in document["detail"]


RAW = json.dumps(QUICK)
BROKEN = {
    "empty": b"",
    "cut off": RAW[:-1].encode(),
    "trailing": RAW.encode() + b"}",
    "null": b"null",
    "a list": b"[]",
    "a string": b'"dmft"',
    "not UTF-8": RAW.replace("simulation", "\xff").encode("latin-1"),
    "UTF-16": RAW.encode("utf-16"),
    "NaN": RAW.replace('"horizon": 1.0', '"horizon": NaN').encode(),
    "Infinity": RAW.replace('"horizon": 1.0', '"horizon": Infinity').encode(),
    "overflow": RAW.replace('"horizon": 1.0', '"horizon": 1e999').encode(),
    "huge integer": RAW.replace('"seed": 0', f'"seed": {"9" * 10_000}').encode(),
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep inside": RAW.replace('"seed": 0', '"seed": ' + '{"a":' * 5000 + "1" + "}" * 5000).encode(),
    "lone surrogate": RAW.replace("simulation", "\\ud800").encode(),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_broken_body_is_refused(stack: Stack, body):
    assert_problem(stack.client.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"}), 422)


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_what_a_form_can_send_is_refused(stack: Stack, media_type):
    assert_problem(stack.client.post("/v1/jobs", content=RAW, headers={"Content-Type": media_type}), 415)


ADDRESSES = [
    ("GET", "/v1/jobs/no-such-job", 404, "unknown_job"),
    ("GET", "/v1/jobs/no-such-job/curves", 404, "unknown_job"),
    ("DELETE", "/v1/jobs/no-such-job", 404, "unknown_job"),
    ("GET", "/v1/jobs/%00%ff%0a", 404, "unknown_job"),
    ("GET", "/v1/nothing", 404, "not_found"),
    ("PUT", "/v1/jobs", 405, "method_not_allowed"),
    ("GET", "/v1/jobs?limit=0", 422, "invalid_request"),
    ("GET", "/v1/jobs?limit=many", 422, "invalid_request"),
    ("GET", "/v1/jobs?status=lost", 422, "invalid_request"),
    ("GET", "/v1/jobs?kind=oracle", 422, "invalid_request"),
    ("GET", "/v1/jobs?cursor=x", 422, "invalid_request"),
    ("GET", f"/v1/jobs?cursor={10**400}", 422, "invalid_request"),
]


@pytest.mark.parametrize(("method", "address", "status", "code"), ADDRESSES)
def test_a_wrong_address_is_explained(stack: Stack, method, address, status, code):
    assert assert_problem(stack.client.request(method, address), status)["code"] == code


LONGEST = 3_000_000


def chunks(megabytes: int) -> Iterator[bytes]:
    for _ in range(megabytes):
        yield b" " * 1_000_000


@pytest.mark.parametrize("body", [b" " * 50_000_000, b" " * (LONGEST + 1)], ids=["50 MB", "one byte too many"])
def test_a_long_body_is_refused(stack: Stack, body):
    assert assert_problem(stack.client.post("/v1/jobs", content=body), 413)["code"] == "body_too_large"


def test_a_long_body_of_unknown_length_is_refused(stack: Stack):
    assert assert_problem(stack.client.post("/v1/jobs", content=chunks(50)), 413)["code"] == "body_too_large"


def test_a_body_at_the_limit_is_read(stack: Stack):
    answer = stack.client.post("/v1/jobs", content=RAW.ljust(LONGEST), headers={"Prefer": "wait=30"})
    assert answer.json()["status"] == "succeeded"


def test_a_length_that_is_announced_only_is_refused_at_once(stack: Stack):
    head = f"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: {10**12}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", stack.port), timeout=10) as connection:
        connection.sendall(head.encode())
        assert b" 413 " in connection.recv(4096)


@pytest.mark.parametrize("prefer", ["wait=-1", "wait=x", "wait=", "respond-async", "wait=99999999999999999999", "\xff"])
def test_a_preference_that_makes_no_sense_is_ignored(stack: Stack, prefer):
    answer = stack.client.get(f"/v1/jobs/{stack.done(QUICK)}", headers={"Prefer": prefer.encode("latin-1")})
    assert answer.status_code == 200

"""Long solves whose worker is killed go on from what it left, to the same bits."""

import json
from collections.abc import Callable

import pytest
import redis

from dlnflow.dmft.constants import PILOT_SHARE
from dlnflow.simulation import replicas
from dlnflow.solution import ignore_progress
from dlnflow.solving import produce
from dlnflow.wire import results
from dlnflow.wire.requests import job_id, request_adapter
from service.embedded import socket_path
from store.jobs import JobStore
from tests.e2e.chaos import kill
from tests.e2e.stack import PROBLEM, QUICK, Stack, wait_until

pytestmark = pytest.mark.slow

SIMULATION = QUICK | {"horizon": 100.0, "times": [1.0, 100.0], "dimension": 1000, "replicas": 200}
MEAN_FIELD = {"kind": "dmft", "problem": PROBLEM, "horizon": 32.0, "accuracy": 0.0001}


def replicas_done(checkpoint: bytes) -> float:
    return len(replicas.load(checkpoint)) / SIMULATION["replicas"]


def pilot_done(checkpoint: bytes) -> float:
    return PILOT_SHARE


@pytest.mark.parametrize(("asked", "done"), [(SIMULATION, replicas_done), (MEAN_FIELD, pilot_done)], ids=["simulation", "dmft"])
def test_a_solve_whose_worker_is_killed_goes_on_from_its_checkpoint(own_stack: Stack, asked, done: Callable[[bytes], float]):
    request = request_adapter.validate_python(asked)
    job = job_id(request)
    with redis.Redis(unix_socket_path=str(socket_path(own_stack.data))) as client:
        store = JobStore(client)
        own_stack.submit(asked, wait=0)
        wait_until(lambda: store.load_checkpoint(job), 90, "a checkpoint")
        checkpoint = store.load_checkpoint(job)
        assert previews(store, job) == 1  # the latest only
        assert kill(own_stack.processes("worker")) >= 2
        wait_until(lambda: own_stack.job(job)["status"] == "succeeded", 150, "the job to end")
        assert previews(store, job) == 1
        assert first_progress(store, job, attempt=2) >= done(checkpoint)
        parts = {name: store.part(job, name) for name in ("curves", "order-parameters")}
    assert [attempt["cause"] for attempt in own_stack.job(job)["history"]] == ["worker_lost", "succeeded"]
    undisturbed = results.encode(produce(request, ignore_progress))
    assert parts == {name: undisturbed[name] for name in parts}


def previews(store: JobStore, job: str) -> int:
    return [event.type for event in store.events(job, count=1000)].count("preview")


def first_progress(store: JobStore, job: str, attempt: int) -> float:
    """What the solver of an attempt said first, after what its worker says before it begins."""
    told = [json.loads(event.data) for event in store.events(job, count=1000) if event.type == "progress"]
    mine = [one for one in told if (one["status"], one["attempts"]) == ("running", attempt) and one["message"] != "starting"]
    return mine[0]["progress"]

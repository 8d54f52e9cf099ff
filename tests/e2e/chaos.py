"""What is done to a running service, in any size: CI does it small, `python -m benchmarks.chaos` in full."""

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import numpy as np

from dlnflow.simulation import simulate
from dlnflow.wire.requests import SimulationRequest, job_id, request_adapter
from store.jobs import JobStore
from tests.e2e.stack import ENDS, QUICK, SETTLE_SECONDS, Stack, wait_until


def kill(pids: list[int]) -> int:
    """SIGKILL; how many were still there."""
    killed = 0
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            killed += 1
    return killed


class Load:
    """Threads that submit distinct jobs one after the other and note every answer."""

    def __init__(self, stack: Stack, first_seed: int, threads: int = 2) -> None:
        self.ids: list[str] = []
        self.statuses: list[int] = []
        self._stack, self._seeds = stack, iter(range(first_seed, 10**9))
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._submit) for _ in range(threads)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _submit(self) -> None:
        with httpx2.Client(base_url=self._stack.client.base_url, timeout=30) as client:
            while not self._stop.wait(0.05):
                with contextlib.suppress(httpx2.TransportError):
                    answer = client.post("/v1/jobs", json=QUICK | {"seed": next(self._seeds)})
                    self.statuses.append(answer.status_code)
                    if answer.status_code == 202:
                        self.ids.append(answer.json()["id"])


def outcomes(stack: Stack, ids: list[str]) -> list[dict[str, Any]]:
    """The jobs when all of them have ended, one within `SETTLE_SECONDS` after the other: a slow machine is not a job that is stuck."""
    wait_until(stack.ready, SETTLE_SECONDS, "the stack to be ready")
    for job in ids:
        wait_until(lambda job=job: stack.job(job).get("status") in ENDS, SETTLE_SECONDS, f"{job} to end")
    return [stack.job(job) for job in ids]


def expect_done(jobs: list[dict[str, Any]]) -> None:
    """All succeeded, each by one attempt."""
    assert [job for job in jobs if job["status"] != "succeeded"] == []
    assert {sum(attempt["cause"] == "succeeded" for attempt in job["history"]) for job in jobs} == {1}


def submit(store: JobStore, seed: int) -> str:
    """The id of a new job, past the API."""
    request = request_adapter.validate_python(QUICK | {"seed": seed})
    assert store.submit(request) == "miss"
    return job_id(request)


def all_end(store: JobStore, ids: list[str], seconds: float) -> None:
    wait_until(lambda: all(job and job.finished for job in store.many(ids)), seconds, "every job to end")


def same_as_undisturbed(stack: Stack, asked: dict[str, Any]) -> None:
    """The stored curves of one job, against the solver without any service."""
    request = request_adapter.validate_python(asked)
    assert isinstance(request, SimulationRequest)
    found = stack.client.get(f"/v1/jobs/{job_id(request)}/curves").json()
    size = {"dimension": request.dimension, "replicas": request.replicas}
    expected = simulate(request.problem, request.horizon, times=np.array(request.times), seed=request.seed, **size)
    for name in ("train_loss", "test_loss"):
        assert found[name] == expected.values[name].tolist()


def kill_workers(stack: Stack, jobs: int, kills: int) -> tuple[int, int]:
    """Submit `jobs`, kill the whole worker tree `kills` times while it is at work; how many times that was, and the attempts lost."""
    chance, made, since = random.Random(0), 0, ""
    asked = [QUICK | {"seed": seed, "dimension": 400, "replicas": 32, "horizon": 100.0, "times": [1.0, 100.0]} for seed in range(jobs)]
    ids = [stack.submit(request, wait=0).json()["id"] for request in asked]
    while made < kills and stack.job(ids[-1])["status"] == "queued":
        if _claimed(stack, since):
            time.sleep(chance.uniform(0, 2))
            kill(stack.processes("worker"))
            made, since = made + 1, datetime.now(UTC).isoformat()
        time.sleep(0.1)
    done = outcomes(stack, ids)
    expect_done(done)
    for request in chance.sample(asked, min(10, jobs)):
        same_as_undisturbed(stack, request)
    return made, sum(job["attempts"] - 1 for job in done)


def _claimed(stack: Stack, since: str) -> bool:
    """Whether a job was claimed after `since`: what a killed worker had claimed is running for some seconds more."""
    return any(job["started_at"] > since for job in stack.client.get("/v1/jobs?status=running").json()["jobs"])


def kill_under_load(stack: Stack, word: str, kills: int, first_seed: int) -> tuple[int, dict[int, int]]:
    """Kill the store or the API `kills` times while jobs are submitted: how many were acknowledged, and all answers by status."""
    with Load(stack, first_seed) as load:
        for _ in range(kills):
            time.sleep(2)
            assert kill(stack.processes(word)) >= 1
            time.sleep(1)
            wait_until(lambda: _answers(stack), 60, "the API to answer again")
    expect_done(outcomes(stack, load.ids))
    return len(load.ids), {status: load.statuses.count(status) for status in set(load.statuses)}


def _answers(stack: Stack) -> bool:
    with contextlib.suppress(httpx2.TransportError):
        return stack.client.get("/v1/jobs", params={"limit": 1}).status_code == 200
    return False


def cancel_at_random(stack: Stack, request: dict[str, Any], jobs: int, first_seed: int) -> float:
    """Cancel each of `jobs` after a random while; the seconds from the last until a worker runs another of its kind."""
    chance = random.Random(1)
    ids = [stack.submit(request | {"seed": first_seed + i}, wait=0).json()["id"] for i in range(jobs)]
    chance.shuffle(ids)
    for job in ids:
        time.sleep(chance.uniform(0, 0.3))
        ended = stack.client.delete(f"/v1/jobs/{job}")
        assert ended.status_code in (200, 409), ended.text
        assert stack.job(job)["status"] in ENDS
    began = time.monotonic()
    another = stack.submit(request | {"seed": first_seed + jobs}, wait=0).json()["id"]
    stack.await_status(another, "running")
    free = time.monotonic() - began
    stack.client.delete(f"/v1/jobs/{another}")
    stack.done(QUICK | {"seed": first_seed})
    return free


@contextlib.contextmanager
def repeated(action: Callable[[], None], period: float) -> Iterator[None]:
    """Do something again and again in the background."""
    stop = threading.Event()

    def loop() -> None:
        while not stop.wait(period):
            action()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()

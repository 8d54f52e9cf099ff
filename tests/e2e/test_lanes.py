"""Which job begins when, on real workers."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import redis

from dlnflow.wire.job import Job
from dlnflow.wire.requests import job_id, request_adapter
from service.queue import Messages
from store.jobs import JobStore
from store.settings import Settings
from tests.e2e.stack import LONG, PROBLEM, QUICK, START_SECONDS, Stack, wait_until
from tests.processes import running

pytestmark = pytest.mark.slow

SECONDS_LONG = QUICK | {"horizon": 10.0, "times": [10.0], "dimension": 600, "replicas": 1000}
THEORY = {"kind": "theory", "problem": PROBLEM}


def most_at_a_time(spans: list[tuple[str, str]]) -> int:
    """Of intervals from one time to another."""
    return max(sum(begin <= moment < end for begin, end in spans) for moment, _ in spans)


def test_a_prediction_does_not_wait_for_jobs_that_take_all_slots(stack: Stack):
    """Nor do those that wait for a slot get one before it is free."""
    ids = [stack.submit(SECONDS_LONG | {"seed": seed}, wait=0).json()["id"] for seed in range(4)]
    for job in ids[:2]:
        stack.await_status(job, "running")
    predictions = [stack.done(THEORY | {"problem": PROBLEM | {"noise_std": 0.2 + number / 100}}) for number in range(3)]
    assert [stack.job(job)["status"] for job in ids] == ["running", "running", "queued", "queued"]
    for ended, following in zip(ids[:2], ids[2:], strict=True):
        stack.client.delete(f"/v1/jobs/{ended}")
        stack.await_status(following, "running")
    for job in ids[2:]:
        stack.client.delete(f"/v1/jobs/{job}")
    jobs = [stack.job(job) for job in ids]
    assert max(stack.job(job)["finished_at"] for job in predictions) < min(job["finished_at"] for job in jobs)
    assert most_at_a_time([(job["started_at"], job["finished_at"]) for job in jobs]) == 2


@contextmanager
def unprompted_workers(url: str, store: JobStore, *slots: int) -> Iterator[None]:
    with ExitStack() as workers:
        for number in slots:
            environment = os.environ | {"DLNFLOW_REDIS_URL": url, "DLNFLOW_WORKERS": str(number)}
            workers.enter_context(running([sys.executable, "-m", "tests.e2e.unprompted_worker"], env=environment))
        wait_until(lambda: store.workers.slots() == sum(slots), START_SECONDS, "the workers")
        yield


def submit(store: JobStore, url: str, asked: dict[str, Any]) -> str:
    """As the API does."""
    request = request_adapter.validate_python(asked)
    assert store.submit(request) == "miss"
    Messages(Settings(redis_url=url)).announce(job_id(request))
    return job_id(request)


def test_a_message_that_a_full_worker_takes_reaches_one_with_a_slot(client: redis.Redis, redis_url: str):
    store = JobStore(client)
    with unprompted_workers(redis_url, store, 1, 1):
        endless = submit(store, redis_url, LONG)
        for seed in range(10):
            job = submit(store, redis_url, QUICK | {"seed": seed})
            wait_until(lambda job=job: store.get(job).finished, 60, "a quick job to end")
        assert store.get(endless).status == "running"
        store.cancel(endless)


def test_no_job_waits_for_upkeep_and_no_worker_runs_more_than_it_has_slots(client: redis.Redis, redis_url: str):
    store, slots, jobs = JobStore(client), (1, 2), []
    with unprompted_workers(redis_url, store, *slots):
        for number in range(30):
            work = {"dimension": 200, "replicas": 40} if number % 3 else {}
            jobs.append(submit(store, redis_url, QUICK | {"seed": number} | work))
            jobs.append(submit(store, redis_url, THEORY | {"problem": PROBLEM | {"noise_std": 0.2 + number / 100}}))
        jobs.append(submit(store, redis_url, {"kind": "sweep", "base": QUICK, "axes": {"seed": list(range(100, 120))}}))
        wait_until(lambda: all(job and job.finished for job in store.many(jobs)), 120, "every job to end")
        found = [job for job in store.many(jobs) if job]
        names = store.workers.names(10)
    assert {job.status for job in found} == {"succeeded"}
    assert len(names) == len(slots)
    assert all(most <= number for most, number in zip(sorted(most_on(name, found) for name in names), slots, strict=True))


def most_on(worker: str, jobs: list[Job]) -> int:
    """Simulations that one worker ran at a time."""
    attempts = [attempt for job in jobs if job.kind == "simulation" for attempt in job.history]
    return most_at_a_time([(attempt.started_at, attempt.ended_at) for attempt in attempts if attempt.worker == worker] or [("", "")])

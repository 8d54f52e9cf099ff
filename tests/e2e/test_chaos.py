"""Parts of the service are killed, cut off and fed with poison; no job is lost, none stays running for ever."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import numpy as np
import pytest
import redis

from dlnflow.jobs.requests import job_id, request_adapter
from dlnflow.jobs.store import JobStore
from service.embedded import server_program, socket_path
from tests.e2e.chaos import cancel_at_random, expect_done, kill_under_load, kill_workers, outcomes, repeated
from tests.e2e.poisoned_worker import ALLOCATES, KILLS, NEVER_ENDS
from tests.e2e.proxy import Proxy
from tests.e2e.stack import LONG, QUICK, START_SECONDS, Stack, wait_until
from tests.ports import free_port
from tests.processes import running

pytestmark = pytest.mark.slow
on_one_stack = pytest.mark.xdist_group("chaos")


@pytest.fixture(scope="module")
def chaotic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    started = Stack(tmp_path_factory.mktemp("chaos") / "data").start()
    yield started
    started.close()


@contextmanager
def worker_on(url: str, module: str, **environment: str) -> Iterator[None]:
    """A worker without the rest of the stack."""
    with running([sys.executable, "-m", module], env=os.environ | {"DLNFLOW_REDIS_URL": url} | environment):
        yield


def submit(store: JobStore, seed: int) -> str:
    request = request_adapter.validate_python(QUICK | {"seed": seed})
    assert store.submit(request) == "miss"
    return job_id(request)


def all_end(store: JobStore, ids: list[str], seconds: float) -> None:
    wait_until(lambda: all(job and job.finished for job in store.many(ids)), seconds, "every job to end")


@on_one_stack
def test_jobs_survive_workers_that_are_killed(chaotic: Stack):
    killed, attempts = kill_workers(chaotic, jobs=60, kills=3)
    assert killed == 3
    assert attempts >= 1


@on_one_stack
def test_jobs_survive_a_store_that_is_killed_and_the_api_says_503(chaotic: Stack):
    acknowledged, answers = kill_under_load(chaotic, "-server unixsocket", kills=1, first_seed=10_000)
    assert acknowledged > 5
    assert set(answers) <= {202, 429, 503}


@on_one_stack
def test_jobs_survive_an_api_that_is_killed(chaotic: Stack):
    acknowledged, answers = kill_under_load(chaotic, "uvicorn", kills=1, first_seed=20_000)
    assert acknowledged > 5
    assert set(answers) <= {202, 429, 503}


@on_one_stack
def test_jobs_that_are_cancelled_at_random_moments_end(chaotic: Stack):
    cancel_at_random(chaotic, LONG, jobs=12, first_seed=30_000)


def test_a_full_store_refuses_jobs_and_runs_those_it_took_when_it_has_room(tmp_path):
    stack = Stack(tmp_path / "data", DLNFLOW_STORE_MEMORY_MB="10").start()
    try:
        asked = QUICK | {"times": np.linspace(0, 1, 400).tolist()}
        answers = submitted_until_refused(stack, asked)
        ids = [answer.json()["id"] for answer in answers if answer.status_code == 202]
        assert {answer.status_code for answer in answers} == {202, 503}
        with redis.Redis(unix_socket_path=str(socket_path(stack.data))) as store:
            time.sleep(20)  # in which jobs begin until there is no room
            assert {stack.job(job)["status"] for job in ids} <= {"queued", "running", "succeeded"}
            wait_until(stack.ready, 60, "messages to pass")
            assert stack.submit(asked | {"seed": 1000}, wait=0).status_code == 503
            store.config_set("maxmemory", 0)
            expect_done(outcomes(stack, ids))
            assert store.info("stats")["evicted_keys"] == 0
    finally:
        stack.close()


def submitted_until_refused(stack: Stack, asked: dict[str, Any]) -> list[httpx2.Response]:
    """The answers to the first 300 jobs, and to more of them where results fill the store more slowly than jobs are taken."""
    answers: list[httpx2.Response] = []
    while len(answers) < 300 or (answers[-1].status_code == 202 and len(answers) < 3000):
        answers.append(stack.submit(asked | {"seed": 2000 + len(answers)}, wait=0))
    return answers


def test_poison_fails_and_the_jobs_behind_it_finish(client: redis.Redis, redis_url: str):
    store = JobStore(client)
    poison = {submit(store, KILLS): "worker_lost", submit(store, ALLOCATES): "out_of_memory", submit(store, NEVER_ENDS): "timeout"}
    healthy = [submit(store, seed) for seed in range(5)]
    with worker_on(redis_url, "tests.e2e.poisoned_worker", DLNFLOW_MEMORY_LIMIT_MB="900", DLNFLOW_TIME_LIMIT="3"):
        all_end(store, [*poison, *healthy], START_SECONDS)
    jobs = {job: store.get(job) for job in poison}
    assert {job: found.error.code for job, found in jobs.items()} == poison
    assert {code: jobs[job].attempts for job, code in poison.items()} == {"worker_lost": 3, "out_of_memory": 1, "timeout": 1}
    assert {store.get(job).status for job in healthy} == {"succeeded"}


def test_jobs_survive_a_connection_that_is_cut_and_slow(tmp_path):
    """Celery may stop listening after a cut; then the worker ends, and whoever runs it starts it again."""
    port = free_port()
    command = [server_program(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", ""]
    with running(command), redis.Redis(port=port) as client:
        wait_until(lambda: _pings(client), 10, "the store")
        proxy, store = Proxy(port), JobStore(client)
        stack = Stack(tmp_path / "data", DLNFLOW_REDIS_URL=f"redis://127.0.0.1:{proxy.port}").start()
        try:
            proxy.delay = 0.02
            ids = []
            with repeated(proxy.cut, 1.5):
                for seed in range(60):
                    ids.append(submit(store, seed))
                    time.sleep(0.1)
            proxy.delay = 0.0
            all_end(store, ids, 120)
        finally:
            stack.close()
            proxy.close()
        jobs = [store.get(job) for job in ids]
        assert proxy.cuts > 0
        assert {job.status for job in jobs} == {"succeeded"}
        assert {[attempt.cause for attempt in job.history].count("succeeded") for job in jobs} == {1}


def _pings(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False

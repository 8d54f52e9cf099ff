"""The store is full, or the way to it is cut and slow; no job is lost."""

import time
from typing import Any

import httpx2
import numpy as np
import pytest
import redis

from service.embedded import server_program, socket_path
from store.jobs import JobStore
from tests.e2e.chaos import all_end, expect_done, outcomes, repeated, submit
from tests.e2e.proxy import Proxy
from tests.e2e.stack import QUICK, Stack, wait_until
from tests.ports import free_port
from tests.processes import running

pytestmark = pytest.mark.slow


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
            for answer in (stack.submit(asked | {"seed": 1000}, wait=0), stack.client.get("/readyz")):
                assert answer.status_code == 503 and "full" in answer.text
            store.config_set("maxmemory", 0)
            wait_until(stack.ready, 60, "messages to pass")
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

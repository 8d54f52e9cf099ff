"""Jobs that kill or block the process that runs them."""

import os
import sys

import pytest
import redis

from store.jobs import JobStore
from tests.e2e.chaos import all_end, submit
from tests.e2e.poisoned_worker import ALLOCATES, KILLS, NEVER_ENDS
from tests.e2e.stack import START_SECONDS
from tests.processes import running

pytestmark = pytest.mark.slow


def test_poison_fails_and_the_jobs_behind_it_finish(client: redis.Redis, redis_url: str):
    store = JobStore(client)
    poison = {submit(store, KILLS): "worker_lost", submit(store, ALLOCATES): "out_of_memory", submit(store, NEVER_ENDS): "timeout"}
    healthy = [submit(store, seed) for seed in range(5)]
    environment = os.environ | {"DLNFLOW_REDIS_URL": redis_url, "DLNFLOW_MEMORY_LIMIT_MB": "900", "DLNFLOW_TIME_LIMIT": "6"}
    with running([sys.executable, "-m", "tests.e2e.poisoned_worker"], env=environment):
        all_end(store, [*poison, *healthy], 2 * START_SECONDS)
    jobs = {job: store.get(job) for job in poison}
    assert {job: found.error.code for job, found in jobs.items()} == poison
    assert {code: jobs[job].attempts for job, code in poison.items()} == {"worker_lost": 3, "out_of_memory": 1, "timeout": 1}
    assert {store.get(job).status for job in healthy} == {"succeeded"}

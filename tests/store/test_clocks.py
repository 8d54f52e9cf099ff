"""The store's clock, should somebody set it: seen from afterwards, what was written before lies in the future or long ago."""

import redis

from dlnflow.wire.requests import job_id
from store import keys
from store.jobs import LEASE_SECONDS, JobStore
from store.lua.frame import SILENT_SECONDS
from tests.store.test_jobs import ID, REQUEST, claim, make_request

HOUR = 3600 * 1_000_000
TIMES = ("created_at", "started_at", "claimed_at")


def age(client: redis.Redis, microseconds: int) -> None:
    """Let everything that was written be older by so much: the clock was set forward; backward where it is negative."""
    for name in (keys.LEASES, keys.WORKERS, keys.QUEUED, keys.FINISHED):
        for member, score in client.zrange(name, 0, -1, withscores=True):
            client.zadd(name, {member: score - microseconds})
    for name in client.scan_iter(keys.job("*")):
        moved = {field: int(value) - microseconds for field in TIMES if (value := client.hget(name, field))}
        client.hset(name, mapping=moved)
    for name in client.scan_iter(keys.index("*", "*")):
        for member, score in client.zrange(name, 0, -1, withscores=True):
            client.zadd(name, {member: score - microseconds})


def test_a_job_takes_no_negative_time(client, store):
    store.submit(REQUEST)
    attempt = claim(store)
    age(client, -HOUR)
    store.succeed(attempt, {"curves": b"c"})
    job = store.get(ID)
    assert job.created_at <= job.started_at <= job.finished_at
    assert all(attempt.started_at <= attempt.ended_at for attempt in job.history)
    assert min(store.counts()["run_microseconds:simulation"], store.counts()["wait_microseconds:simulation"]) >= 0
    assert float(client.hget(keys.SECONDS, "short")) >= 0


def test_a_job_that_waited_while_the_clock_went_back_did_not_wait_less_than_nothing(client, store):
    store.submit(REQUEST)
    age(client, -HOUR)
    claim(store)
    job = store.get(ID)
    assert job.created_at <= job.started_at
    assert store.counts()["wait_microseconds:simulation"] == 0


def test_a_lost_worker_is_noticed_though_the_clock_went_back(client, store):
    store.submit(REQUEST)
    store.submit(make_request(1))
    held, lost = claim(store), claim(store)
    age(client, -HOUR)
    assert store.hold(held)
    store.expire_leases()
    assert store.get(held.id).status == "running"
    assert store.get(lost.id).status == "queued"


def test_a_lease_is_not_taken_for_too_long_because_the_look_is_old(client, store):
    """Between the look at the clock and the end of leases a process may have slept for longer than a lease."""
    store.submit(REQUEST)
    held = claim(store)
    looked = store.workers.greet("w", 1) - 2 * round(LEASE_SECONDS) * 1_000_000
    assert store.hold(held)
    store.expire_leases(looked)
    assert store.get(ID).status == "running"


def test_a_lease_that_ended_after_the_look_is_left_for_the_next(client, store):
    store.submit(REQUEST)
    claim(store)
    looked = store.workers.greet("w", 1)
    age(client, HOUR)  # whoever holds it had no time to renew it
    store.expire_leases(looked - HOUR)
    assert store.get(ID).status == "running"
    store.expire_leases()
    assert store.get(ID).status == "queued"


def test_a_silent_worker_is_not_alive_for_an_hour_because_the_clock_went_back(client, store):
    store.workers.greet("silent", 1)
    store.workers.greet("live", 2)
    age(client, -HOUR)
    assert store.workers.count(seen_within=10) == 0
    store.workers.greet("live", 2)
    assert set(store.workers.names(seen_within=10)) == {"live", "silent"}  # one more chance, as if it had been heard of now
    age(client, 11 * 1_000_000)
    store.workers.greet("live", 2)
    assert store.workers.names(seen_within=10) == ["live"]
    assert store.workers.slots() == 2


def test_a_worker_that_says_nothing_for_some_seconds_is_taken_to_be_gone(client, store):
    store.workers.greet("w", 2)
    age(client, (SILENT_SECONDS - 5) * 1_000_000)
    assert (store.workers.count(), store.workers.slots()) == (1, 2)
    age(client, 6 * 1_000_000)
    assert (store.workers.count(), store.workers.slots()) == (0, 0)


def test_new_jobs_stay_newest(client):
    store = JobStore(client)
    store.submit(make_request(1))
    age(client, -HOUR)
    store.submit(make_request(2))
    page = store.page(status=None, kind=None, limit=2, cursor=None)
    assert [job.id for job in page.jobs] == [job_id(make_request(2)), job_id(make_request(1))]

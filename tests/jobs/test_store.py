"""The life of a job in a real store: every change, and every change that must be refused."""

import time

import pytest
import redis

from dlnflow.jobs import keys
from dlnflow.jobs.requests import SimulationRequest, job_id, request_adapter
from dlnflow.jobs.store import MAX_ATTEMPTS, JobStore


def make_request(seed: int = 0) -> SimulationRequest:
    problem = {"aspect_ratio": 1, "target": {"kind": "gaussian"}, "initial_scale": 1}
    request = request_adapter.validate_python({"kind": "simulation", "problem": problem, "horizon": 1, "seed": seed})
    assert isinstance(request, SimulationRequest)
    return request


REQUEST = make_request()
ID = job_id(REQUEST)


def status(store: JobStore) -> str:
    job = store.get(ID)
    assert job is not None
    return job.status


def claim(store: JobStore, worker: str = "w"):
    attempt = store.claim(ID, worker)
    assert attempt is not None
    return attempt


def test_a_job_goes_from_queued_to_succeeded(store):
    assert store.submit(REQUEST) == "miss"
    assert store.submit(REQUEST) == "joined"
    attempt = claim(store)
    assert store.submit(REQUEST) == "joined"
    assert store.renew(attempt, 0.25, "t = 1")
    running = store.get(ID)
    assert (running.status, running.progress, running.message, running.attempts) == ("running", 0.25, "t = 1", 1)
    assert store.succeed(attempt, {"curves": b"c", "diagnostics": b"d"})
    assert store.submit(REQUEST) == "hit"
    done = store.get(ID)
    assert (done.status, done.progress) == ("succeeded", 1)
    assert done.created_at <= done.started_at <= done.finished_at
    assert store.part(ID, "curves") == b"c"
    assert store.part(ID, "kernels") is None


def test_a_job_is_claimed_once(store):
    store.submit(REQUEST)
    claim(store)
    assert store.claim(ID, "other") is None
    assert store.claim("no-such-job", "w") is None


def test_a_failed_job_says_why_and_is_run_again(store):
    store.submit(REQUEST)
    assert store.fail(claim(store), "diverged", "try less")
    failed = store.get(ID)
    assert (failed.status, failed.error.code, failed.error.message) == ("failed", "diverged", "try less")
    assert store.submit(REQUEST) == "miss"
    assert store.get(ID).error is None


def test_a_cancelled_job_takes_nothing_from_its_worker(store):
    store.submit(REQUEST)
    attempt = claim(store)
    assert store.cancel(ID)
    assert not store.cancel(ID)
    assert not store.renew(attempt, 0.5, "")
    assert not store.succeed(attempt, {"curves": b"late"})
    assert not store.fail(attempt, "internal", "late")
    assert status(store) == "cancelled"
    assert store.submit(REQUEST) == "miss"
    fresh = claim(store)
    assert not store.succeed(attempt, {"curves": b"late"})
    assert store.succeed(fresh, {"curves": b"new"})
    assert store.part(ID, "curves") == b"new"


def test_a_queued_job_that_is_cancelled_is_never_claimed(store):
    store.submit(REQUEST)
    assert store.cancel(ID)
    assert store.claim(ID, "w") is None


def test_a_job_whose_lease_ends_is_queued_again_and_fails_in_the_end(client):
    store = JobStore(client, lease_seconds=0)
    store.submit(REQUEST)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        lost = claim(store)
        assert lost.job.attempts == attempt
        store.expire_leases()
        assert not store.renew(lost, 0.5, "")
        assert status(store) == ("queued" if attempt < MAX_ATTEMPTS else "failed")
    assert store.get(ID).error.code == "worker_lost"
    assert store.claim(ID, "w") is None


def test_a_job_that_was_killed_past_its_time_is_not_run_again(client):
    store = JobStore(client, time_limit=0, lease_seconds=0.05)
    store.submit(REQUEST)
    attempt = claim(store)
    time.sleep(0.01)
    assert store.renew(attempt, 0.5, "")
    time.sleep(0.1)
    store.expire_leases()
    assert store.get(ID).error.code == "timeout"


def test_a_held_lease_does_not_end(store):
    store.submit(REQUEST)
    claim(store)
    store.expire_leases()
    assert status(store) == "running"
    store.end_all_leases()
    store.expire_leases()
    assert status(store) == "queued"


def test_a_worker_that_stops_gives_its_jobs_back_without_a_lost_attempt(store):
    store.submit(REQUEST)
    attempt = claim(store, "leaving")
    store.release("another")
    assert status(store) == "running"
    store.release("leaving")
    assert not store.renew(attempt, 0.5, "")
    assert claim(store).job.attempts == 1


def test_only_a_job_without_a_message_gets_one(client, store, monkeypatch):
    store.submit(REQUEST)
    assert store.take_unsent() == []  # its message was sent just now
    monkeypatch.setattr("dlnflow.jobs.store.RESEND_SECONDS", 0)
    client.rpush(keys.QUEUE, f'{{"headers": {{"id": "{ID}"}}}}')
    assert store.take_unsent() == []  # it waits in the queue
    client.delete(keys.QUEUE)
    assert store.take_unsent() == [ID]
    monkeypatch.undo()
    assert store.take_unsent() == []  # sent just now


def test_the_queue_is_bounded(store):
    assert [store.submit(make_request(seed)) for seed in range(6)] == ["miss"] * 5 + ["full"]
    assert store.queued() == 5


def test_a_lost_result_is_computed_again(client, store):
    store.submit(REQUEST)
    store.succeed(claim(store), {"curves": b"c"})
    client.delete(keys.result(ID))
    assert store.submit(REQUEST) == "miss"


def test_pages_list_every_job_once_newest_first(client):
    store = JobStore(client)
    ids = [job_id(make_request(seed)) for seed in range(7)]
    for seed in range(7):
        store.submit(make_request(seed))
    for done in (ids[1], ids[4]):
        store.fail(store.claim(done, "w"), "diverged", "")
    seen, cursor = [], None
    while True:
        page = store.page(status="queued", kind="simulation", limit=2, cursor=cursor)
        seen += [job.id for job in page.jobs]
        if (cursor := page.cursor) is None:
            break
    assert seen == [i for i in reversed(ids) if i not in (ids[1], ids[4])]
    assert [job.id for job in store.page(status="failed", kind=None, limit=9, cursor=None).jobs] == [ids[4], ids[1]]
    assert store.page(status=None, kind="dmft", limit=9, cursor=None).jobs == []


def test_workers_are_known_while_they_are_heard_of(store):
    assert store.workers(seen_within=60) == 0
    store.greet("w")
    assert store.workers(seen_within=60) == 1
    time.sleep(0.02)
    assert store.workers(seen_within=0.01) == 0


def test_a_store_that_is_away_says_so():
    with pytest.raises(redis.ConnectionError):
        JobStore(redis.Redis(unix_socket_path="/nonexistent.sock")).get(ID)

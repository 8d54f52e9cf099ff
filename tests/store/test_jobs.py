"""The life of a job in a real store: every change, and every change that must be refused."""

import json
import threading
import time

import pytest
import redis

from dlnflow.wire.requests import SimulationRequest, job_id, request_adapter
from store import keys
from store.jobs import MAX_ATTEMPTS, JobStore, StoreFull


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
    attempt = store.claim(worker)
    assert attempt is not None
    return attempt


def test_a_job_goes_from_queued_to_succeeded(store):
    assert store.submit(REQUEST) == "miss"
    assert store.submit(REQUEST) == "joined"
    attempt = claim(store)
    assert store.submit(REQUEST) == "joined"
    assert store.progress(attempt, 0.25, "t = 1")
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
    assert store.claim("other") is None


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
    assert store.cancel(ID) == "cancelled"
    assert store.cancel(ID) == "finished"
    assert not store.progress(attempt, 0.5, "")
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
    assert store.cancel(ID) == "cancelled"
    assert store.claim("w") is None


def test_a_job_whose_lease_ends_is_queued_again_and_fails_in_the_end(client):
    store = JobStore(client, lease_seconds=0)
    store.submit(REQUEST)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        lost = claim(store)
        assert lost.job.attempts == attempt
        store.expire_leases()
        assert not store.progress(lost, 0.5, "")
        assert status(store) == ("queued" if attempt < MAX_ATTEMPTS else "failed")
    assert store.get(ID).error.code == "worker_lost"
    assert store.claim("w") is None


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
    assert not store.progress(attempt, 0.5, "")
    assert claim(store).job.attempts == 1


def test_the_pace_is_that_of_the_workers_that_are_alive(client, store):
    assert store.workers.pace() == 1
    store.workers.greet("slow", 1, 1.5)
    store.workers.greet("fast", 1, 0.5)
    store.workers.greet("silent", 1, 9.0)
    client.zadd(keys.WORKERS, {"silent": 0})
    assert store.workers.pace() == 1.0
    store.workers.greet("fast", 1, 0.7)
    assert store.workers.pace() == pytest.approx(1.1)
    assert "silent" not in {name.decode() for name in client.hkeys(keys.PACES)}


def test_jobs_that_wait_are_unannounced_while_there_is_no_message(client, store):
    store.workers.greet("w", 1)
    assert not store.unannounced()
    store.submit(REQUEST)
    assert store.unannounced()
    client.rpush(keys.QUEUE, "a message")
    assert not store.unannounced()


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
    attempts = [store.claim("w") for _ in range(7)]
    for done in (1, 4):
        store.fail(attempts[done], "diverged", "")
    client.zadd(keys.LEASES, dict.fromkeys(ids, 0), xx=True)
    store.expire_leases()
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
    assert store.workers.count(seen_within=60) == 0
    store.workers.greet("w", 2)
    assert store.workers.count(seen_within=60) == 1
    time.sleep(0.02)
    assert store.workers.count(seen_within=0.01) == 0


def test_a_store_that_is_away_says_so():
    with pytest.raises(redis.ConnectionError):
        JobStore(redis.Redis(unix_socket_path="/nonexistent.sock")).get(ID)


def told(store: JobStore, after: str = "0") -> list[tuple[str, dict]]:
    return [(event.type, json.loads(event.data)) for event in store.events(ID, after)]


def test_events_tell_the_life_of_a_job_in_order(store):
    store.submit(REQUEST)
    attempt = claim(store)
    store.progress(attempt, 0.5, "half")
    store.progress(attempt, 0.5, "half")
    store.add_curve(attempt, b'{"time": [0]}')
    store.succeed(attempt, {"curves": b"c"})
    assert [kind for kind, _ in told(store)] == ["progress", "progress", "progress", "curve", "done"]
    assert told(store)[2][1] == {"status": "running", "progress": 0.5, "message": "half", "attempts": 1, "seconds_left": None}
    assert told(store)[3][1] == {"time": [0]}
    assert told(store)[4][1]["status"] == "succeeded"
    third = store.events(ID)[2].id
    assert told(store, third) == told(store)[3:]


def test_events_of_a_new_run_follow_those_of_the_old_one(store):
    store.submit(REQUEST)
    store.fail(claim(store), "diverged", "try less")
    last = store.events(ID)[-1]
    assert json.loads(last.data)["error"] == "diverged"
    store.submit(REQUEST)
    assert [kind for kind, _ in told(store, last.id)] == ["progress"]
    assert told(store) == told(store, last.id)


def test_a_reader_waits_for_the_next_event(store):
    assert store.events(ID, block=0.01) == []
    later = threading.Timer(0.1, store.submit, [REQUEST])
    later.start()
    assert [event.type for event in store.events(ID, block=10)] == ["progress"]
    later.join()


def test_an_attempt_that_was_taken_away_tells_nothing(store):
    store.submit(REQUEST)
    attempt = claim(store)
    store.cancel(ID)
    before = store.events(ID)
    assert not store.add_curve(attempt, b"{}")
    assert store.events(ID) == before


def test_a_place_in_the_queue_is_explained(store):
    store.submit(REQUEST)
    assert store.get(ID).queue.reason == "no worker is running"
    store.workers.greet("w", 1)
    first, second = store.get(ID), make_request(1)
    assert (first.queue.position, first.queue.expected_wait) == (1, None)
    store.submit(second)
    store.succeed(claim(store), {"curves": b"c"})
    store.submit(make_request(2))
    waiting = store.get(job_id(make_request(2))).queue
    assert (waiting.position, waiting.reason) == (2, "1 jobs are before it")
    assert waiting.expected_wait > 0
    assert store.get(ID).queue is None


def test_a_job_that_others_want_goes_on_when_one_cancels(store):
    store.submit(REQUEST, "a")
    store.submit(REQUEST, "b")
    assert store.cancel(ID, "a") == "left"
    assert status(store) == "queued"
    assert store.cancel(ID, "b") == "cancelled"
    assert status(store) == "cancelled"
    assert store.cancel(ID, "b") == "finished"


def test_old_jobs_expire_and_can_be_asked_for_again(store):
    store.submit(REQUEST)
    store.succeed(claim(store), {"curves": b"c"})
    store.forget(60)
    assert not store.expired(ID)
    store.forget(0)
    assert store.expired(ID)
    assert store.get(ID) is None
    assert store.part(ID, "curves") is None
    assert store.page(status=None, kind=None, limit=9, cursor=None).jobs == []
    assert store.submit(REQUEST) == "miss"
    assert not store.expired(ID)


def test_a_checkpoint_is_left_to_the_next_attempt_and_ends_with_the_job(store):
    store.submit(REQUEST)
    lost = claim(store)
    assert store.save_checkpoint(lost, b"half")
    assert store.lose(lost)
    assert not store.save_checkpoint(lost, b"late")
    assert store.load_checkpoint(ID) == b"half"
    store.succeed(claim(store), {"curves": b"c"})
    assert store.load_checkpoint(ID) is None
    assert [attempt.cause for attempt in store.get(ID).history] == ["worker_lost", "succeeded"]


def test_a_claim_whose_answer_was_lost_is_the_same_claim(store, monkeypatch):
    monkeypatch.setattr("store.jobs.secrets.token_hex", lambda _: "token")
    store.submit(REQUEST)
    store.submit(make_request(1))
    assert store.claim("w") == store.claim("w")


def test_a_full_store_refuses_jobs_and_lets_those_end_that_run(client, store):
    store.submit(REQUEST)
    store.submit(make_request(1))
    attempt = claim(store)
    client.config_set("maxmemory", client.info("memory")["used_memory"] + 2_000_000)
    try:
        with pytest.raises(redis.OutOfMemoryError):
            for _ in range(1000):
                client.rpush("ballast", b"x" * 10_000)
        with pytest.raises(StoreFull):
            JobStore(client).submit(make_request(2))
        assert store.progress(attempt, 0.5, "half")
        assert store.succeed(attempt, {"curves": b"c" * 1_000_000})
        assert store.cancel(job_id(make_request(1))) == "cancelled"
        assert len(store.part(ID, "curves")) == 1_000_000
    finally:
        client.config_set("maxmemory", 0)
        client.delete("ballast")
    assert JobStore(client).submit(make_request(2)) == "miss"


def test_no_job_begins_where_the_memory_is_almost_used_up(client, store):
    store.workers.greet("w", 1)
    store.submit(REQUEST)
    client.config_set("maxmemory", int(client.info("memory")["used_memory"] / 0.97))
    try:
        assert store.claim("w") is None
        assert "full" in JobStore(client).get(ID).queue.reason
    finally:
        client.config_set("maxmemory", 0)
    assert claim(store).id == ID

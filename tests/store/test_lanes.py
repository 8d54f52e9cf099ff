"""Which job a worker may claim: clients take turns, short work comes first, predictions have a process of their own."""

import pytest
import redis

from dlnflow.wire.requests import TheoryRequest, job_id, request_adapter
from store import keys
from store.jobs import Attempt, JobStore
from tests.store.test_jobs import REQUEST, make_request


def make_prediction(number: int = 0) -> TheoryRequest:
    problem = {"aspect_ratio": 1, "target": {"kind": "gaussian"}, "initial_scale": 1 + number}
    request = request_adapter.validate_python({"kind": "theory", "problem": problem})
    assert isinstance(request, TheoryRequest)
    return request


@pytest.fixture
def store(client: redis.Redis) -> JobStore:
    """One worker with two slots, "w", and room in the queue."""
    store = JobStore(client)
    store.workers.greet("w", 2)
    return store


def claimed_kinds(store: JobStore, most: int, worker: str = "w") -> list[str]:
    attempts = [store.claim(worker) for _ in range(most)]
    return [attempt.job.kind for attempt in attempts if attempt]


def running(store: JobStore) -> list[Attempt]:
    """Both slots taken, and three more jobs that wait."""
    for seed in range(5):
        store.submit(make_request(seed))
    return [store.claim("w"), store.claim("w")]


def test_a_prediction_is_claimed_where_all_slots_are_taken(store):
    running(store)
    assert store.claim("w") is None
    store.submit(make_prediction())
    assert store.claim("w").job.kind == "theory"


def test_a_slot_that_is_freed_goes_to_the_job_that_waits(store):
    first, second = running(store)
    assert store.next_job("w") is None
    assert not store.unannounced()
    for attempt, following in ((first, 2), (second, 3)):
        store.succeed(attempt, {"diagnostics": b"{}"})
        assert store.next_job("w") == job_id(make_request(following))
        assert store.unannounced()
        assert store.claim("w").job.request["seed"] == following
        assert not store.unannounced()


def test_a_worker_with_a_slot_is_told_though_another_has_none(store):
    running(store)
    store.workers.greet("idle", 1)
    assert store.unannounced()
    assert store.claim("w") is None
    assert store.claim("idle").job.request["seed"] == 2
    assert store.claim("idle") is None
    assert not store.unannounced()


def test_predictions_keep_no_slot_from_ordinary_jobs_that_wait(store):
    for number in range(4):
        store.submit(make_prediction(number))
    for seed in range(3):
        store.submit(make_request(seed))
    assert claimed_kinds(store, 5) == ["theory", "simulation", "simulation"]


def test_predictions_take_what_ordinary_jobs_leave(store):
    for number in range(4):
        store.submit(make_prediction(number))
    assert claimed_kinds(store, 5) == ["theory"] * 3  # as many as the worker has processes


def test_clients_take_turns_with_predictions_too(store):
    for number in range(3):
        store.submit(make_prediction(number), "many")
    store.submit(make_prediction(10), "one")
    scales = [store.claim("w").job.request["problem"]["initial_scale"] for _ in range(3)]
    assert scales == [1, 11, 2]


def test_the_points_of_a_sweep_of_predictions_are_ordinary_until_somebody_wants_one_by_itself(store):
    base = make_prediction().model_dump(mode="json")
    sweep = request_adapter.validate_python({"kind": "sweep", "base": base, "axes": {"problem.initial_scale": [1, 2, 3, 4]}})
    store.submit(sweep)
    parent = store.claim("w")
    for index in range(sweep.size):
        store.submit_child(parent, sweep.child(index))
    store.pause(parent, sweep.size, sweep.size)
    assert claimed_kinds(store, 4) == ["theory"] * 2
    wanted = sweep.child(3)
    assert store.submit(wanted, "somebody") == "joined"
    assert store.get(job_id(wanted)).queue.position == 1
    assert store.claim("w").id == job_id(wanted)
    assert store.claim("w") is None


def test_a_worker_that_is_not_heard_of_is_not_told(store, client):
    store.submit(REQUEST)
    assert store.unannounced()
    client.zadd(keys.WORKERS, {"w": 0})
    assert not store.unannounced()


def claimed_seeds(store: JobStore, most: int) -> list[int]:
    attempts = [store.claim("w") for _ in range(most)]
    return [attempt.job.request["seed"] for attempt in attempts if attempt]


def test_clients_take_turns(client):
    store = JobStore(client)
    for seed in range(5):
        store.submit(make_request(seed), "many")
    store.submit(make_request(10), "one")
    assert store.get(job_id(make_request(10))).queue.position == 2
    assert store.get(job_id(make_request(4))).queue.position == 6
    assert claimed_seeds(store, 9) == [0, 10, 1, 2, 3, 4]


def test_long_jobs_leave_a_slot_to_short_ones(client):
    store = JobStore(client)
    store.workers.greet("w", 2)
    for seed in range(3):
        store.submit(make_request(seed), seconds=1000)
    assert claimed_seeds(store, 3) == [0]
    store.submit(make_request(7), seconds=0.1)
    assert claimed_seeds(store, 3) == [7]


def test_a_short_point_of_a_sweep_may_take_the_last_slot_but_comes_after_other_short_work(client):
    store = JobStore(client)
    store.workers.greet("w", 2)
    base = REQUEST.model_dump(mode="json")
    sweep = request_adapter.validate_python({"kind": "sweep", "base": base, "axes": {"seed": [20, 21, 22]}})
    store.submit(sweep)
    attempt = store.claim("w")
    for index in range(sweep.size):
        store.submit_child(attempt, sweep.child(index))
    store.pause(attempt, sweep.size, sweep.size)
    twenty = store.claim("w")
    assert twenty.job.request["seed"] == 20
    store.submit(make_request(7))
    assert claimed_seeds(store, 3) == [7]
    store.succeed(twenty, {"diagnostics": b"{}"})
    assert claimed_seeds(store, 3) == [21]

"""One attempt at a job: however it ends, the store says how."""

import threading
import time

import numpy as np
import pytest
from celery.exceptions import SoftTimeLimitExceeded

from dlnflow.jobs import keys, results
from dlnflow.jobs.requests import job_id, request_adapter
from dlnflow.jobs.store import JobStore
from dlnflow.solution import CURVES, ORDER_PARAMETERS, Solution, SolveError
from worker.heartbeat import Heartbeat
from worker.run import run_job
from worker.upkeep import Upkeep, upkeep
from worker.watchdog import Watchdog

REQUEST = request_adapter.validate_python(
    {"kind": "simulation", "problem": {"aspect_ratio": 1, "target": {"kind": "gaussian"}, "initial_scale": 1}, "horizon": 1, "seed": 9}
)
ID = job_id(REQUEST)
NAMES = CURVES + ORDER_PARAMETERS
ZEROS = {name: np.zeros(2) for name in NAMES}


def solution(request, observe) -> Solution:
    return Solution(np.array([0.0, 1.0]), ZEROS, ZEROS, (), {"outcome": "converged"})


@pytest.fixture
def queued(store: JobStore) -> JobStore:
    store.submit(REQUEST)
    return store


def run(store, monkeypatch, solve):
    monkeypatch.setattr("worker.run.solve", solve)
    run_job(store, ID, "w")
    return store.get(ID)


def test_a_solved_job_is_stored_with_its_cost(queued, monkeypatch):
    assert run(queued, monkeypatch, solution).status == "succeeded"
    assert results.decode("curves", queued.part(ID, "curves"))["time"].tolist() == [0, 1]
    diagnostics = results.decode("diagnostics", queued.part(ID, "diagnostics"))
    assert diagnostics["outcome"] == "converged"
    assert diagnostics["seed"] == 9
    assert diagnostics["peak_memory_bytes"] > 0
    assert diagnostics["versions"]["numpy"] == np.__version__


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SolveError("diverged", "try less"), "diverged"),
        (MemoryError(), "out_of_memory"),
        (SoftTimeLimitExceeded(), "timeout"),
        (ZeroDivisionError("secret"), "internal"),
    ],
)
def test_a_failure_has_its_code_and_no_inner_words(queued, monkeypatch, error, code):
    def fail(request, observe):
        raise error

    job = run(queued, monkeypatch, fail)
    assert (job.status, job.error.code) == ("failed", code)
    assert "secret" not in job.error.message
    assert ("try less" in job.error.message) == (code == "diverged")


def test_a_cancelled_job_stops_its_solver(queued, monkeypatch):
    def endless(request, observe):
        queued.cancel(ID)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            observe(0.5, "going on")
            time.sleep(0.01)
        raise AssertionError("not stopped")

    assert run(queued, monkeypatch, endless).status == "cancelled"


def test_a_job_that_was_cancelled_before_its_message_came_is_not_solved(queued, monkeypatch):
    queued.cancel(ID)
    assert run(queued, monkeypatch, lambda *_: pytest.fail("solved")).status == "cancelled"


def test_a_message_that_comes_twice_is_harmless(queued, monkeypatch):
    first = run(queued, monkeypatch, solution)
    assert run(queued, monkeypatch, lambda *_: pytest.fail("solved again")) == first


def test_progress_is_told_seldom_and_never_goes_back(queued):
    told = []

    class Watched(JobStore):
        def renew(self, attempt, progress, message):
            told.append((progress, message))
            return super().renew(attempt, progress, message)

    store = Watched(queued._redis)
    with Heartbeat(store, store.claim(ID, "w")) as heartbeat:
        for step in range(100):
            heartbeat.observe((step % 60) / 100, f"step {step}")
            time.sleep(0.01)
    assert 2 <= len(told) <= 6
    assert told == sorted(told, key=lambda pair: pair[0])


def test_a_store_that_is_away_for_a_moment_does_not_stop_the_job(queued, monkeypatch):
    attempt = queued.claim(ID, "w")

    def away(*_):
        raise ConnectionError("away")

    monkeypatch.setattr(queued, "renew", away)
    with Heartbeat(queued, attempt) as heartbeat:
        heartbeat.observe(0.1, "")
        time.sleep(0.6)
        heartbeat.observe(0.2, "")


def test_upkeep_sends_lost_messages_and_ends_leases(client, monkeypatch):
    monkeypatch.setattr("dlnflow.jobs.store.RESEND_SECONDS", 0)
    store = JobStore(client, lease_seconds=0)
    sent = []
    store.submit(REQUEST)
    upkeep(store, "w", sent.append)
    store.claim(ID, "lost")
    upkeep(store, "w", sent.append)
    assert sent == [ID, ID]
    assert store.get(ID).status == "queued"
    assert store.workers(seen_within=10) == 1


def test_upkeep_that_stops_gives_the_jobs_back(queued):
    keeper = Upkeep(queued, "leaving", 1, lambda _: None)
    keeper.start()
    queued.claim(ID, "leaving")
    keeper.stop()
    assert queued.get(ID).status == "queued"
    assert "upkeep" not in {thread.name for thread in threading.enumerate()}


def test_the_watchdog_is_hungry_only_when_it_could_eat(client, queued, monkeypatch):
    monkeypatch.setattr("worker.watchdog.PATIENCE_SECONDS", 0.05)
    idle, busy = Watchdog(queued, "idle", 1), Watchdog(queued, "busy", 1)

    def hungry_later(dog: Watchdog) -> bool:
        dog.hungry()
        time.sleep(0.1)
        return dog.hungry()

    queued.claim(ID, "busy")
    assert not hungry_later(idle)
    client.lpush(keys.QUEUE, "first")
    assert hungry_later(idle)
    assert not hungry_later(busy)
    client.lpush(keys.QUEUE, "second")
    client.rpop(keys.QUEUE)
    assert not idle.hungry()  # another worker took the first

"""One attempt at a job: however it ends, the store says how."""

import json
import time
import weakref

import numpy as np
import pytest
import redis

from dlnflow import forecast
from dlnflow.solution import SolveError, ignore_progress
from dlnflow.solving import solve
from dlnflow.wire import results
from dlnflow.wire.requests import request_adapter
from store.jobs import JobStore
from tests.worker.attempts import ID, NAMES, REQUEST, run, solution
from worker.heartbeat import PERIOD_SECONDS, Heartbeat
from worker.notes import Notes
from worker.pace import Pace
from worker.run import Post, run_job


def test_a_solved_job_is_stored_with_its_cost(queued, monkeypatch):
    assert run(queued, monkeypatch, solution).status == "succeeded"
    assert results.decode("curves", queued.part(ID, "curves"))["time"].tolist() == [0, 1]
    diagnostics = results.decode("diagnostics", queued.part(ID, "diagnostics"))
    assert diagnostics["outcome"] == "converged"
    assert diagnostics["seed"] == 9
    assert diagnostics["peak_memory_bytes"] > 0
    assert diagnostics["versions"]["numpy"] == np.__version__


def test_nothing_of_a_failed_solve_stays_in_memory(queued, monkeypatch):
    class Arrays:
        error: SolveError

    def fail(request, observe, data=None, journal=None):
        arrays = Arrays()
        arrays.error = SolveError("diverged", "the steps run away")
        held.append(weakref.ref(arrays))
        raise arrays.error

    held: list[weakref.ref] = []
    assert run(queued, monkeypatch, fail).status == "failed"
    assert held[0]() is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SolveError("diverged", "try less"), "diverged"),
        (MemoryError(), "out_of_memory"),
        (ZeroDivisionError("secret"), "diverged"),
        (OverflowError("secret"), "diverged"),
        (np.linalg.LinAlgError("secret"), "diverged"),
        (KeyError("secret"), "internal"),
    ],
)
def test_a_failure_has_its_code_and_no_inner_words(queued, monkeypatch, error, code):
    def fail(*_):
        raise error

    job = run(queued, monkeypatch, fail)
    assert (job.status, job.error.code) == ("failed", code)
    assert "secret" not in job.error.message
    assert ("try less" in job.error.message) == isinstance(error, SolveError)


def test_a_job_whose_result_the_store_refuses_is_not_failed(queued, monkeypatch):
    """A disk that is full for a moment says nothing against the job: its lease ends, and the next attempt stores the result."""

    def refuse(*_):
        raise redis.ResponseError("MISCONF Errors writing to the AOF file: No space left on device")

    monkeypatch.setattr(queued, "succeed", refuse)
    with pytest.raises(redis.ResponseError):
        run(queued, monkeypatch, solution)
    job = queued.get(ID)
    assert (job.status, job.error) == ("running", None)


def test_a_cancelled_job_stops_its_solver(queued, monkeypatch):
    def endless(request, observe, *_):
        queued.cancel(ID)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            observe(0.5, "going on")
            time.sleep(0.01)
        raise AssertionError("not stopped")

    assert run(queued, monkeypatch, endless).status == "cancelled"


def test_a_solver_that_takes_too_long_is_stopped(queued, monkeypatch):
    def endless(request, observe, *_):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            observe(0.5, "going on")
            time.sleep(0.01)
        raise AssertionError("not stopped")

    job = run(queued, monkeypatch, endless, limit=0.05)
    assert (job.status, job.error.code) == ("failed", "timeout")
    assert [attempt.cause for attempt in job.history] == ["timeout"]


def test_a_job_that_was_cancelled_before_its_message_came_is_not_solved(queued, monkeypatch):
    queued.cancel(ID)
    assert run(queued, monkeypatch, lambda *_: pytest.fail("solved")).status == "cancelled"


def test_a_job_that_begins_lets_the_next_worker_know(queued, monkeypatch):
    """Two workers that end at the same moment would otherwise see the same message, and one of them would wait for upkeep."""
    queued.workers.greet("w", 2)
    queued.submit(REQUEST.model_copy(update={"seed": 1}))
    sent, sent_while_it_ran = [], []

    def solve(*arguments):
        sent_while_it_ran.append(len(sent))
        return solution(*arguments)

    monkeypatch.setattr("dlnflow.solving.solve", solve)
    run_job(queued, Post("w", lambda _: 60.0, Notes(), lambda: sent.append(1), Pace(lambda: 1.0)))
    assert sent_while_it_ran == [1]


def test_a_message_that_comes_twice_is_harmless(queued, monkeypatch):
    first = run(queued, monkeypatch, solution)
    assert run(queued, monkeypatch, lambda *_: pytest.fail("solved again")) == first


def test_progress_is_told_seldom_and_never_goes_back(queued):
    told = []

    class Watched(JobStore):
        def progress(self, attempt, progress, message, seconds_left):
            told.append((progress, message))
            return super().progress(attempt, progress, message, seconds_left)

    store, start = Watched(queued._server.redis), time.monotonic()
    with Heartbeat(store, store.claim("w"), 60) as heartbeat:
        for step in range(100):
            heartbeat.observe((step % 60) / 100, f"step {step}")
            time.sleep(0.01)
    assert 2 <= len(told) <= 2 + (time.monotonic() - start) / PERIOD_SECONDS
    assert told == sorted(told, key=lambda pair: pair[0])


def test_what_is_left_is_told_while_the_job_runs(queued):
    attempt = queued.claim("w")
    with Heartbeat(queued, attempt, 60) as heartbeat:
        time.sleep(0.6)
        assert queued.get(ID).seconds_left is None
        heartbeat.expect(240)
        time.sleep(0.6)
        assert queued.get(ID).seconds_left == 200
        heartbeat.expect(38)
        time.sleep(0.6)
        assert queued.get(ID).seconds_left == 40
    told = [json.loads(event.data)["seconds_left"] for event in queued.events(ID) if event.type == "progress"]
    assert told[0] is None and told[-2:] == [200, 40]
    queued.fail(attempt, "internal", "")
    assert queued.get(ID).seconds_left is None


def test_a_job_begins_with_what_is_forecast(queued, monkeypatch):
    told = []
    monkeypatch.setattr(Heartbeat, "expect", lambda _, seconds: told.append(seconds))
    run(queued, monkeypatch, solution, pace=Pace(lambda: 1.0))
    assert told == [forecast.cost(request_adapter.validate_python(queued.get(ID).request)).seconds]


def test_the_next_attempt_goes_on_from_the_checkpoint_and_followers_see_the_latest_preview(queued, monkeypatch):
    monkeypatch.setattr("worker.heartbeat.FIRST_CHECKPOINT_SECONDS", 0.0)
    first = queued.claim("w")
    with Heartbeat(queued, first, 60) as heartbeat:
        for step in (1, 2):
            heartbeat.preview(np.array([0.5, 1.0]), {name: np.full(2, float(step)) for name in NAMES})
            heartbeat.save(lambda: b"half")
            time.sleep(0.6)
    previews = [json.loads(event.data) for event in queued.events(ID) if event.type == "preview"]
    assert [preview["train_loss"] for preview in previews] == [[2.0, 2.0]]
    assert queued.lose(first)
    seen = []

    def go_on(request, observe, data, journal):
        seen.append(journal.earlier)
        return solution(request, observe)

    assert run(queued, monkeypatch, go_on).status == "succeeded"
    assert seen == [b"half"]
    assert queued.load_checkpoint(ID) is None


def test_a_store_that_is_away_for_a_moment_does_not_stop_the_job(queued, monkeypatch):
    attempt = queued.claim("w")

    def away(*_):
        raise ConnectionError("away")

    monkeypatch.setattr(queued, "progress", away)
    with Heartbeat(queued, attempt, 60) as heartbeat:
        heartbeat.observe(0.1, "")
        time.sleep(0.6)
        heartbeat.observe(0.2, "")


def test_a_mean_field_job_of_gradient_descent_takes_its_steps():
    request = request_adapter.validate_python(
        {
            "kind": "dmft",
            "problem": {"aspect_ratio": 1, "target": {"kind": "gaussian"}, "initial_scale": 0.5},
            "horizon": 1,
            "accuracy": 0.1,
            "dynamics": {"kind": "gradient_descent", "step_size": 0.25},
        }
    )
    solution = solve(request, ignore_progress)
    assert solution.diagnostics["steps"] == 4
    assert solution.kernels["response"].shape == (5, 5)

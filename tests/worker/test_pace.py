"""How fast the machine is: measured again after a while, by one process at a time, and told to the store."""

import multiprocessing
import os

import pytest

from dlnflow.forecast_fit import PACE_SECONDS
from tests.worker.attempts import ID, run, solution
from worker import pace
from worker.pace import PERIOD_SECONDS, Pace
from worker.upkeep import Upkeep


def test_the_pace_is_the_processor_time_of_a_solve_over_that_of_the_fit(monkeypatch):
    clock = iter([0.0, 4 * PACE_SECONDS, 10.0, 10.0 + 3 * PACE_SECONDS, 20.0, 20.0 + 5 * PACE_SECONDS])
    solved = []
    monkeypatch.setattr("worker.pace.time.process_time", lambda: next(clock))
    monkeypatch.setattr("worker.pace.dmft.solve", lambda *args, **_: solved.append(args))
    assert pace.measure() == pytest.approx(3)
    assert solved == 3 * [(pace.PROBLEM, 32.0)]


def test_a_worker_that_starts_measures_once_and_again_after_its_first_job(monkeypatch):
    repeats = []
    monkeypatch.setattr("worker.pace.measure", lambda count: repeats.append(count) or 1.3)
    kept = Pace(lambda: 0.9)
    kept.begin()
    assert (kept.value, repeats) == (1.3, [1])
    kept.refresh(0.0)
    assert kept.value == 0.9


def test_the_pace_is_measured_again_after_a_while():
    measured = iter([1.5, 0.5])
    kept = Pace(lambda: next(measured))
    assert kept.value == 1  # as the forecast has it
    for now, value in ((0.0, 1.5), (0.9 * PERIOD_SECONDS, 1.5), (1.1 * PERIOD_SECONDS, 0.5), (1.2 * PERIOD_SECONDS, 0.5)):
        kept.refresh(now)
        assert kept.value == value


def test_what_a_child_measures_is_known_to_the_main_process():
    kept = Pace(lambda: float(os.getpid()))
    child = multiprocessing.get_context("fork").Process(target=kept.refresh, args=(0.0,))
    child.start()
    child.join()
    assert kept.value == child.pid
    kept.refresh(1.0)  # which the child has done just now
    assert kept.value == child.pid


def test_a_worker_measures_after_a_job(queued, monkeypatch):
    kept = Pace(lambda: 2.5)
    run(queued, monkeypatch, solution, pace=kept)
    assert queued.get(ID).status == "succeeded"
    assert kept.value == 2.5


def test_upkeep_tells_the_pace(store):
    kept = Pace(lambda: 1.7)
    keeper = Upkeep(store, "w", 1, 60, lambda: None, kept)
    keeper.round()
    assert store.workers.pace() == 1
    kept.refresh(0.0)
    keeper.round()
    assert store.workers.pace() == 1.7

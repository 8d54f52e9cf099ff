"""Those who watch over the jobs of a worker: upkeep, the warden of its processes, and the watchdog of its messages."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import redis

from dlnflow.wire.requests import request_adapter
from store import keys
from store.jobs import JobStore
from tests.worker.attempts import ID, REQUEST
from worker.notes import Notes
from worker.pace import Pace
from worker.upkeep import Upkeep
from worker.warden import Warden
from worker.watchdog import Watchdog


def test_upkeep_sends_lost_messages_and_ends_leases(client, monkeypatch):
    store = JobStore(client, lease_seconds=0)
    sent = []
    keeper = Upkeep(store, "w", 2, 60, lambda: sent.append(1), Pace())
    store.submit(REQUEST)
    keeper.round()
    assert len(sent) == 1
    store.claim("lost")
    keeper.round()
    assert store.get(ID).status == "running"  # the store was away until now: its owner may renew it yet
    monkeypatch.setattr("worker.upkeep.SETTLING_SECONDS", 0)
    keeper.round()
    assert len(sent) == 2
    assert store.get(ID).status == "queued"
    assert store.workers.slots() == 2


def test_upkeep_touches_a_file_where_the_store_answers(store, tmp_path):
    alive = tmp_path / "alive"
    with redis.Redis(port=1) as nobody, pytest.raises(redis.ConnectionError):
        Upkeep(JobStore(nobody), "w", 1, 60, lambda: None, Pace(), str(alive)).round()
    assert not alive.exists()
    Upkeep(store, "w", 1, 60, lambda: None, Pace(), str(alive)).round()
    assert alive.exists()


def test_upkeep_that_stops_gives_the_jobs_back(queued):
    keeper = Upkeep(queued, "leaving", 1, 60, lambda: None, Pace())
    keeper.start()
    queued.claim("leaving")
    keeper.stop()
    assert queued.get(ID).status == "queued"
    assert "upkeep" not in {thread.name for thread in threading.enumerate()}


@pytest.fixture
def child() -> Iterator[subprocess.Popen]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def watch(store: JobStore, child: subprocess.Popen, monkeypatch, *, limit: float = 60, memory: int = 10**9, send=lambda: None):
    """A warden that was told that `child` runs the job."""
    notes = Notes()
    monkeypatch.setattr("worker.notes.os", SimpleNamespace(getpid=lambda: child.pid, write=os.write))  # not for all that ask the system
    notes.begin(store.claim("w"), limit)
    monkeypatch.undo()
    return Warden(store, notes, memory, send)


def test_the_warden_gives_back_the_job_of_a_process_that_died(queued, child, monkeypatch):
    warden = watch(queued, child, monkeypatch)
    warden.round()
    assert queued.get(ID).status == "running"
    child.kill()
    child.wait()
    warden.round()
    job = queued.get(ID)
    assert (job.status, [attempt.cause for attempt in job.history]) == ("queued", ["worker_lost"])


@pytest.mark.parametrize(("limits", "code"), [({"limit": -10}, "timeout"), ({"memory": 1000}, "out_of_memory")])
def test_the_warden_kills_what_passes_its_limits(queued, child, monkeypatch, limits, code):
    watch(queued, child, monkeypatch, **limits).round()
    assert child.wait(10) == -signal.SIGKILL
    job = queued.get(ID)
    assert (job.status, job.error.code) == ("failed", code)


def test_the_warden_kills_a_process_that_does_not_give_up_a_cancelled_job(queued, child, monkeypatch):
    warden = watch(queued, child, monkeypatch)
    queued.cancel(ID)
    monkeypatch.setattr("worker.warden.PATIENCE_SECONDS", 0.05)
    warden.round()
    assert child.poll() is None
    time.sleep(0.1)
    warden.round()
    assert child.wait(10) == -signal.SIGKILL


def test_the_watchdog_is_hungry_only_when_it_could_eat(client, queued, monkeypatch):
    monkeypatch.setattr("worker.watchdog.PATIENCE_SECONDS", 0.05)
    idle, busy = Watchdog(queued, "idle", 1), Watchdog(queued, "busy", 1)

    def hungry_later(dog: Watchdog) -> bool:
        dog.hungry()
        time.sleep(0.1)
        return dog.hungry()

    for worker in ("idle", "busy"):
        queued.workers.greet(worker, 1)
    prediction = request_adapter.validate_python({"kind": "theory", "problem": REQUEST.problem})
    queued.submit(prediction)
    assert [queued.claim("busy").job.kind for _ in range(2)] == ["theory", "simulation"]
    assert not hungry_later(idle)
    client.lpush(keys.QUEUE, "first")
    assert hungry_later(idle)
    assert not hungry_later(busy)
    client.lpush(keys.QUEUE, "second")
    client.rpop(keys.QUEUE)
    assert not idle.hungry()  # another worker took the first
    client.delete(keys.QUEUE)
    queued.submit(REQUEST.model_copy(update={"seed": 1}))
    assert hungry_later(idle)  # whoever else takes its messages
    assert not hungry_later(busy)


def test_the_warden_lets_others_know_of_the_slot_of_a_process_that_died(queued, child, monkeypatch):
    queued.workers.greet("w", 1)
    sent = []
    warden = watch(queued, child, monkeypatch, send=lambda: sent.append(1))
    warden.round()
    assert sent == []
    child.kill()
    child.wait()
    warden.round()
    assert sent == [1]

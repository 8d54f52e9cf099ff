"""Jobs that are made of others, in the store: when they wait, when they go on, and who is cancelled with them."""

import json

import pytest

from dlnflow.wire.requests import job_id, request_adapter
from store import keys
from store.jobs import Attempt, JobStore
from store.lua.frame import MOST_OPEN

BASE = {
    "kind": "simulation",
    "problem": {"aspect_ratio": 1, "target": {"kind": "gaussian"}, "initial_scale": 1},
    "horizon": 1.0,
    "dimension": 60,
    "replicas": 2,
}
SWEEP = request_adapter.validate_json(json.dumps({"kind": "sweep", "base": BASE, "axes": {"seed": [1, 2, 3]}}), strict=True)
PARENT = job_id(SWEEP)
CHILDREN = [SWEEP.child(index) for index in range(SWEEP.size)]
IDS = [job_id(child) for child in CHILDREN]


@pytest.fixture
def parent(store: JobStore) -> Attempt:
    """A parent in its first turn, with all children submitted."""
    store.workers.greet("w", 8)
    store.submit(SWEEP)
    attempt = store.claim("w")
    for child in CHILDREN:
        store.submit_child(attempt, child)
    return attempt


def finish(store: JobStore, job_id: str) -> None:
    """The job that is next must be this one."""
    attempt = store.claim("w")
    assert attempt.id == job_id
    store.succeed(attempt, {"diagnostics": b"{}"})


def test_a_parent_waits_without_a_lease_and_goes_on_when_its_last_child_has_finished(store, parent, client):
    assert store.pause(parent, 3, 3) == "waiting"
    assert client.zcard(keys.LEASES) == 0
    for number, child in enumerate(IDS):
        finish(store, child)
        assert store.get(PARENT).progress == pytest.approx((number + 1) / 3)
    assert store.get(PARENT).status == "running"
    started = store.get(PARENT).started_at
    again = store.claim("w")
    assert (again.id, again.job.attempts, again.job.started_at) == (PARENT, 1, started)
    assert store.claim("w") is None
    assert store.pause(again, 3, 3) == "ready"


def test_a_parent_is_not_claimed_before_its_children_have_finished(store, parent):
    store.pause(parent, 3, 3)
    assert [store.claim("w").id for _ in IDS] == IDS
    assert store.claim("w") is None


def test_children_that_finished_before_their_parent_waits_count_at_once(store, parent):
    for child in IDS:
        finish(store, child)
    assert store.pause(parent, 3, 3) == "ready"


@pytest.mark.parametrize("end", ["fail", "cancel"])
def test_a_child_that_ends_badly_counts_as_finished(store, parent, end):
    store.pause(parent, 3, 3)
    finish(store, IDS[0])
    finish(store, IDS[1])
    if end == "fail":
        store.fail(store.claim("w"), "diverged", "no")
    else:
        store.cancel(IDS[2])
    assert store.claim("w").id == PARENT


def test_a_parent_makes_room_for_further_children(store, parent):
    store.pause(parent, 3, 3 + MOST_OPEN // 2)
    finish(store, IDS[0])
    assert PARENT in [store.claim("w").id for _ in range(3)]  # few are open, more are to come


def test_cancelling_a_parent_cancels_what_only_it_asked_for(store, parent):
    store.pause(parent, 3, 3)
    assert store.submit(CHILDREN[1]) == "joined"
    finish(store, IDS[0])
    assert store.cancel(PARENT) == "cancelled"
    assert [store.get(child).status for child in IDS] == ["succeeded", "queued", "cancelled"]
    assert store.submit_child(parent, CHILDREN[2]) == "gone"
    finish(store, IDS[1])
    assert store.claim("w") is None
    assert store.get(PARENT).status == "cancelled"


def test_a_child_of_two_parents_goes_on_for_the_other(store, parent):
    other = request_adapter.validate_python(SWEEP.model_dump() | {"axes": {"seed": [3, 4]}})
    store.submit(other)
    attempt = next(claimed for claimed in iter(lambda: store.claim("w"), None) if claimed.id == job_id(other))
    store.submit_child(attempt, CHILDREN[2])
    store.pause(parent, 3, 3)
    store.cancel(PARENT)
    assert store.get(IDS[2]).status in ("queued", "running")
    store.pause(attempt, 1, 1)
    store.cancel(job_id(other))
    assert store.get(IDS[2]).status == "cancelled"


def test_a_parent_whose_worker_is_lost_in_its_turn_is_queued_again(client):
    store = JobStore(client, lease_seconds=0)
    store.submit(SWEEP)
    attempt = store.claim("lost")
    store.submit_child(attempt, CHILDREN[0])
    store.expire_leases()
    assert store.get(PARENT).status == "queued"
    again = store.claim("w")
    assert store.submit_child(again, CHILDREN[0]) == "joined"
    assert store.pause(attempt, 1, 3) == "lost"


def test_nothing_is_left_of_a_family_that_has_finished(store, parent, client):
    store.pause(parent, 3, 3)
    for child in IDS:
        finish(store, child)
    finish(store, PARENT)
    left = {key.decode().rsplit(":", 1)[0] for key in client.keys("dlnflow:*:*")}
    assert not left & {"dlnflow:askers", "dlnflow:open"}

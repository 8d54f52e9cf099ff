"""Whose jobs and data sets are whose, in the store."""

import json

import numpy as np

from dlnflow.wire.requests import job_id, request_adapter
from store import keys
from store.jobs import JobStore
from tests.store.test_jobs import ID, REQUEST, claim, make_request

MATRIX = np.random.default_rng(0).standard_normal((12, 10))


def mine(store: JobStore, client: str, **filters: object) -> list[str]:
    return [job.id for job in store.page(**{"status": None, "kind": None, "limit": 9, "cursor": None, "client": client} | filters).jobs]


def test_whoever_did_not_ask_cannot_cancel(store):
    store.submit(REQUEST, "a")
    assert store.cancel(ID, "b") == "foreign"
    assert store.get(ID).status == "queued"
    store.submit(REQUEST, "b")
    assert store.cancel(ID, "b") == "left"
    assert store.cancel(ID, "b") == "foreign"
    assert store.cancel(ID) == "cancelled"  # in everybody's name
    assert store.cancel(ID, "b") == "finished"


def test_a_child_of_a_parent_was_not_asked_for_by_its_client(store):
    sweep = {"kind": "sweep", "base": REQUEST.model_dump(mode="json"), "axes": {"seed": [1, 2]}}
    parent = request_adapter.validate_python(sweep)
    store.submit(parent, "a")
    attempt = claim(store)
    store.submit_child(attempt, parent.child(0))
    assert store.cancel(job_id(parent.child(0)), "a") == "foreign"


def test_mine_are_those_that_one_asked_for_first_or_later(store):
    for seed in (1, 2, 3):
        store.submit(make_request(seed), "a")
    ids = [job_id(make_request(seed)) for seed in (3, 2, 1)]
    store.submit(make_request(2), "b")
    assert mine(store, "a") == ids
    assert mine(store, "b") == [ids[1]]
    assert mine(store, "nobody") == []
    attempt = claim(store)  # takes turns: the first of a
    store.succeed(attempt, {"curves": b"c"})
    assert store.submit(make_request(1), "b") == "hit"
    assert mine(store, "b") == ids[1:]
    assert mine(store, "b", status="succeeded") == [ids[2]]
    assert mine(store, "b", kind="theory") == []
    assert store.cancel(ids[1], "b") == "left"
    assert mine(store, "b") == [ids[2]]
    assert mine(store, "a") == ids


def test_mine_come_in_pages(client):
    store = JobStore(client)
    for seed in range(7):
        store.submit(make_request(seed), "a")
        store.submit(make_request(100 + seed), "b")
    found, cursor = [], None
    while True:
        page = store.page(status="queued", kind=None, limit=2, cursor=cursor, client="a")
        found += [job.request["seed"] for job in page.jobs]
        cursor = page.cursor
        if cursor is None:
            break
    assert found == [6, 5, 4, 3, 2, 1, 0]


def test_a_job_that_runs_again_keeps_its_place_among_mine(store):
    store.submit(make_request(1), "a")
    store.cancel(job_id(make_request(1)), "a")
    store.submit(make_request(2), "a")
    store.submit(make_request(1), "b")  # anew
    assert mine(store, "a") == [job_id(make_request(1)), job_id(make_request(2))]


def test_nothing_is_left_of_whose_a_job_was_when_it_expires(client, store):
    store.submit(REQUEST, "a")
    store.succeed(claim(store), {"curves": b"c"})
    store.forget(0)
    assert mine(store, "a") == []
    assert not [name for name in client.scan_iter("*") if b"mine" in name or b"wanted" in name]


def test_a_finished_job_is_deleted_by_those_who_asked_for_it(client, store):
    store.submit(REQUEST, "a")
    assert store.delete(ID, "a") == "unfinished"
    store.succeed(claim(store), {"curves": b"c"})
    assert store.delete(ID, "b") == "foreign"
    store.submit(REQUEST, "b")
    assert store.delete(ID, "a") == "left"
    assert mine(store, "a") == []
    assert store.part(ID, "curves") == b"c"
    assert store.delete(ID, "b") == "deleted"
    assert store.get(ID) is None and store.expired(ID) and mine(store, "b") == []
    assert [name for name in client.scan_iter("*") if ID.encode() in name] == [keys.gone(ID).encode()]
    assert store.delete(ID, "b") == "unknown"
    assert store.submit(REQUEST, "a") == "miss"


def test_children_that_nobody_else_wants_are_deleted_with_their_parent(store):
    base = REQUEST.model_dump(mode="json")
    parents = [request_adapter.validate_python({"kind": "sweep", "base": base, "axes": {"seed": seeds}}) for seeds in ([1, 2], [2, 3, 4])]
    for parent in parents:
        store.submit(parent, "a")
        attempt = claim(store)
        ids = [job_id(parent.child(index)) for index in range(parent.size)]
        for index in range(parent.size):
            store.submit_child(attempt, parent.child(index))
        store.keep(attempt, "children", json.dumps({"ids": ids}).encode())
        store.pause(attempt, parent.size, parent.size)
    store.submit(make_request(4), "a")  # by itself too
    for _ in range(4 + len(parents)):
        attempt = claim(store)
        children = store.part(attempt.id, "children")
        store.succeed(attempt, {"children": children} if children else {"curves": b"c"})
    assert store.delete(job_id(make_request(3)), "a") == "foreign"
    assert store.delete(job_id(parents[1]), "a") == "deleted"
    assert [store.get(job_id(make_request(seed))) is not None for seed in (1, 2, 3, 4)] == [True, True, False, True]
    assert store.delete(job_id(parents[0]), "a") == "deleted"
    assert [store.get(job_id(make_request(seed))) is not None for seed in (1, 2, 3, 4)] == [False, False, False, True]


def test_unfinished_jobs_of_a_client_are_counted(store):
    assert store.has_room("a", 1)
    store.submit(REQUEST, "a")
    store.submit(make_request(1), "b")
    assert not store.has_room("a", 1)
    assert store.has_room("a", 2)
    claim(store)
    assert not store.has_room("a", 1)
    store.cancel(ID)
    assert store.has_room("a", 1)


def test_a_data_set_belongs_to_all_who_uploaded_it(store, client):
    data = store.datasets
    kept, outcome = data.add(MATRIX, "a")
    assert outcome == "created"
    assert data.delete(kept.id, "b") == "foreign"
    assert data.add(MATRIX, "b")[1] == "present"
    assert data.delete(kept.id, "a") == "left"
    assert data.delete(kept.id, "a") == "foreign"
    assert data.get(kept.id) == kept
    np.testing.assert_array_equal(data.rows(kept.id).shape, MATRIX.shape)
    assert data.delete(kept.id, "b") == "deleted"
    assert data.get(kept.id) is None
    assert data.delete(kept.id, "b") == "unknown"
    assert not client.exists(keys.owners(kept.id), keys.dataset(kept.id))
    assert data.list() == []


def test_an_operator_deletes_what_belongs_to_others_and_to_nobody(store):
    for owner in ("a", None):
        kept, _ = store.datasets.add(MATRIX, owner)
        assert store.datasets.delete(kept.id, "b") == "foreign"
        assert store.datasets.delete(kept.id) == "deleted"


def test_no_more_data_sets_are_kept_than_there_may_be(client):
    data = JobStore(client, max_datasets=1).datasets
    assert data.add(MATRIX, "a")[1] == "created"
    assert data.add(2 * MATRIX**3, "b")[1] == "full"
    assert data.add(MATRIX, "b")[1] == "present"

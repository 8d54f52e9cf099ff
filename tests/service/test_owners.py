"""Whose it is, over HTTP: with keys, nobody changes what belongs to others, except an operator."""

import logging

import numpy as np
import pytest
from starlette.testclient import TestClient

from service import keys
from tests.service.test_app import REQUEST, open_client, pings

__all__ = ["open_client", "pings"]

ROWS = np.random.default_rng(0).standard_normal((12, 10)).tolist()
CSV = "\n".join(",".join(map(repr, row)) for row in ROWS)


class Person:
    """Somebody with a key."""

    def __init__(self, http: TestClient, key: str) -> None:
        self._http, self._headers = http, {"Authorization": f"Bearer {key}"}

    def __call__(self, method: str, address: str, **options):
        return self._http.request(method, address, headers=self._headers | options.pop("headers", {}), **options)

    def submit(self, seed: int = 0) -> str:
        return self("POST", "/v1/jobs", json=REQUEST | {"seed": seed}).json()["id"]

    def upload(self):
        return self("POST", "/v1/datasets", content=CSV, headers={"Content-Type": "text/csv"})

    def mine(self) -> list[str]:
        return [job["id"] for job in self("GET", "/v1/jobs?mine=true").json()["jobs"]]


@pytest.fixture
def people(store, client, open_client):
    http = open_client(store, auth="keys")
    made = [keys.create(client, "ada"), keys.create(client, "bob"), keys.create(client, "op", operator=True)]
    return [Person(http, key) for key in made]


def test_a_data_set_is_deleted_by_those_who_uploaded_it(people):
    ada, bob, _ = people
    dataset = ada.upload().json()["id"]
    refused = bob("DELETE", f"/v1/datasets/{dataset}")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_yours")
    assert bob("GET", f"/v1/datasets/{dataset}").status_code == 200  # jobs of everybody may use it
    assert bob.upload().status_code == 200
    assert ada("DELETE", f"/v1/datasets/{dataset}").status_code == 204
    assert ada("DELETE", f"/v1/datasets/{dataset}").status_code == 403
    assert bob("GET", f"/v1/datasets/{dataset}").status_code == 200
    assert bob("DELETE", f"/v1/datasets/{dataset}").status_code == 204
    assert bob("DELETE", f"/v1/datasets/{dataset}").status_code == 404


def test_a_cancel_that_changes_nothing_says_so(people):
    ada, bob, _ = people
    job = ada.submit()
    refused = bob("DELETE", f"/v1/jobs/{job}")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_yours")
    assert ada("GET", f"/v1/jobs/{job}").json()["status"] == "queued"
    assert bob.submit() == job
    assert ada("DELETE", f"/v1/jobs/{job}").json()["status"] == "queued"  # bob waits for it
    assert ada("DELETE", f"/v1/jobs/{job}").status_code == 403
    assert bob("DELETE", f"/v1/jobs/{job}").json()["status"] == "cancelled"
    assert bob("DELETE", f"/v1/jobs/{job}").status_code == 409
    assert bob("DELETE", "/v1/jobs/unknown").status_code == 404


def test_a_finished_job_is_deleted_by_those_who_asked_for_it(people, store):
    ada, bob, operator = people
    job, other = ada.submit(), ada.submit(1)
    assert ada("DELETE", f"/v1/jobs/{job}/result").json()["code"] == "not_finished"
    for _ in range(2):
        store.succeed(store.claim("w"), {"diagnostics": b"{}"})
    assert bob("DELETE", f"/v1/jobs/{job}/result").json()["code"] == "not_yours"
    assert bob.submit() == job
    assert ada("DELETE", f"/v1/jobs/{job}/result").status_code == 204
    assert ada.mine() == [other]
    assert ada("GET", f"/v1/jobs/{job}").json()["status"] == "succeeded"  # bob wants it
    assert bob("DELETE", f"/v1/jobs/{job}/result").status_code == 204
    assert bob("GET", f"/v1/jobs/{job}").status_code == 410
    assert operator("DELETE", f"/v1/jobs/{other}/result").status_code == 204
    assert ada("DELETE", f"/v1/jobs/{other}/result").status_code == 410
    assert ada("DELETE", "/v1/jobs/unknown/result").status_code == 404


def test_mine_and_all(people):
    ada, bob, _ = people
    first, second = ada.submit(1), bob.submit(2)
    assert ada.mine() == [first]
    assert bob.mine() == [second]
    assert [job["id"] for job in ada("GET", "/v1/jobs").json()["jobs"]] == [second, first]
    third = ada.submit(3)
    page = ada("GET", "/v1/jobs?mine=true&limit=1").json()
    assert [job["id"] for job in page["jobs"]] == [third]
    assert "mine=true" in page["next"]
    assert [job["id"] for job in ada("GET", page["next"]).json()["jobs"]] == [first]


def test_an_operator_may_do_all_and_each_deletion_is_logged(people, caplog):
    ada, bob, operator = people
    caplog.set_level(logging.INFO)
    dataset, job = ada.upload().json()["id"], ada.submit()
    assert bob.submit() == job
    assert operator("DELETE", f"/v1/datasets/{dataset}").status_code == 204
    assert operator("DELETE", f"/v1/jobs/{job}").json()["status"] == "cancelled"
    assert operator("GET", f"/v1/datasets/{dataset}").status_code == 404
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("service")]
    assert len(lines) == 2
    assert dataset in lines[0] and "deleted by key:" in lines[0]
    assert f"job {job}" in lines[1] and "cancelled by key:" in lines[1]
    assert not any("dln_" in line for line in lines)


def test_with_open_doors_an_operators_key_still_opens_all(store, client, open_client):
    http = open_client(store, auth="open")
    operator = Person(http, keys.create(client, "op", operator=True))
    plain = Person(http, keys.create(client, "ada"))
    job = http.post("/v1/jobs", json=REQUEST).json()["id"]  # by an address
    assert plain("DELETE", f"/v1/jobs/{job}").status_code == 403
    assert Person(http, "dln_wrong_key")("GET", "/v1/jobs").status_code == 200  # as anybody
    assert operator("DELETE", f"/v1/jobs/{job}").json()["status"] == "cancelled"


def test_without_keys_all_is_everybodys(store, open_client):
    http = open_client(store)
    job = http.post("/v1/jobs", json=REQUEST).json()["id"]
    assert [found["id"] for found in http.get("/v1/jobs?mine=true").json()["jobs"]] == [job]
    assert http.delete(f"/v1/jobs/{job}").json()["status"] == "cancelled"


def test_a_key_is_read_with_what_a_file_leaves_around_it(store, client, open_client):
    key = keys.create(client, "ada")
    http = open_client(store, auth="keys")
    for headers in ({"X-API-Key": f" {key}\t"}, {"Authorization": f"bearer   {key} "}):
        assert http.get("/v1/jobs", headers=headers).status_code == 200


def test_a_key_of_before_operators_is_a_plain_one(client):
    client.hset("dlnflow:api-keys", "old", '{"name": "n", "created_at": "2025", "digest": "d"}')
    assert not keys.records(client)[0].operator


def test_a_clock_that_is_set_back_locks_nobody_out(client, store, open_client):
    key = {"X-API-Key": keys.create(client, "ada")}
    http = open_client(store, auth="keys", max_requests_per_minute=60)
    assert http.get("/v1/jobs", headers=key).status_code == 200
    [bucket] = client.scan_iter("dlnflow:bucket:*")
    client.hset(bucket, "last", float(client.hget(bucket, "last")) + 3600)  # as a clock that was set back by an hour sees it
    assert [http.get("/v1/jobs", headers=key).status_code for _ in range(3)] == [200] * 3
    assert float(client.hget(bucket, "tokens")) > 0

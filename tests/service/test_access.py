"""Who may call, how often, and how many jobs they may have."""

import httpx2
import pytest

from service import keys
from service.access import require_choice
from store.settings import Settings
from tests.service.serving import serving
from tests.service.test_app import REQUEST, open_client, pings

__all__ = ["open_client", "pings"]


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer dln_x_y"}, {"X-API-Key": "ä"}, {"Authorization": "Basic eDp5"}])
def test_without_a_known_key_nothing_is_shown(store, client, open_client, header):
    keys.create(client, "somebody")
    http = open_client(store, auth="keys")
    for method, path in (
        ("GET", "/v1/jobs"),
        ("POST", "/v1/jobs"),
        ("GET", "/v1/jobs/x/curves"),
        ("GET", "/v1/jobs/x/events"),
        ("GET", "/v1/limits"),
    ):
        answer = http.request(method, path, headers={name: value.encode() for name, value in header.items()})
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert http.get("/healthz").status_code == 200


def test_a_key_opens_until_it_is_revoked_and_its_secret_is_not_stored(store, client, open_client):
    key = keys.create(client, "somebody")
    http = open_client(store, auth="keys")
    assert http.get("/v1/jobs", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert http.get("/v1/jobs", headers={"X-API-Key": key}).status_code == 200
    assert http.get("/v1/jobs", headers={"X-API-Key": key[:-1] + ("A" if key[-1] != "A" else "B")}).status_code == 401
    assert key.split("_", 2)[2] not in str(client.hgetall("dlnflow:api-keys"))
    [record] = keys.records(client)
    assert record.name == "somebody"
    assert keys.revoke(client, record.id)
    assert http.get("/v1/jobs", headers={"X-API-Key": key}).status_code == 401


def test_who_asks_too_often_is_told_when_to_come_back_and_others_are_not_held_up(store, client, open_client):
    first, second = (keys.create(client, name) for name in "ab")
    http = open_client(store, auth="keys", max_requests_per_minute=30)
    answers = [http.get("/v1/jobs", headers={"X-API-Key": first}) for _ in range(8)]
    assert [answer.status_code for answer in answers[:5]] == [200] * 5
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) in (1, 2, 3)
    assert http.get("/v1/jobs", headers={"X-API-Key": second}).status_code == 200


def test_nobody_becomes_somebody_else_by_a_header(store, redis_url):
    """A proxy on this machine appends who called it; what the caller wrote before that counts for nothing."""
    with serving(store, redis_url=redis_url, auth="open", max_requests_per_minute=12) as url:
        told = [
            httpx2.get(f"{url}/v1/limits", headers={"X-Forwarded-For": f"203.0.113.{number}, 198.51.100.7"}, timeout=60)
            for number in range(5)
        ]
        assert [answer.status_code for answer in told] == [200, 200, 429, 429, 429]
        assert httpx2.get(f"{url}/v1/limits", headers={"X-Forwarded-For": "198.51.100.8"}, timeout=60).status_code == 200


def test_a_caller_has_only_so_many_unfinished_jobs(store, open_client):
    http = open_client(store, auth="open", max_client_jobs=2)
    answers = [http.post("/v1/jobs", json=REQUEST | {"seed": seed}) for seed in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert answers[2].json()["code"] == "too_many_jobs"
    http.delete(answers[0].headers["location"])
    assert http.post("/v1/jobs", json=REQUEST | {"seed": 2}).status_code == 202


def test_no_open_door_by_mistake():
    with pytest.raises(SystemExit, match="DLNFLOW_AUTH=keys"):
        require_choice(Settings(host="0.0.0.0"))
    for settings in (Settings(), Settings(host="0.0.0.0", auth="open"), Settings(host="0.0.0.0", auth="keys")):
        assert require_choice(settings) == settings

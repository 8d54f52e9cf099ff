"""Addresses below a path, without a proxy: what the application makes of paths that have it and of those that do not."""

import pytest

from service.app import connect
from tests.service.test_app import REQUEST, open_client, pings

__all__ = ["open_client", "pings"]


@pytest.fixture
def http(client, redis_url, open_client):
    from store.settings import Settings

    settings = Settings(redis_url=redis_url, root_path="/a/b")
    return open_client(connect(settings), root_path="/a/b")


@pytest.mark.parametrize("before", ["", "/a/b"])
def test_both_kinds_of_path_lead_to_the_same(http, before):
    job = http.post(f"{before}/v1/jobs", json=REQUEST)
    assert job.headers["location"] == job.json()["links"]["self"] == f"/a/b/v1/jobs/{job.json()['id']}"
    for address in job.json()["links"]["self"], f"{before}/", f"{before}/page/main.js", f"{before}/docs", f"{before}/openapi.json":
        assert http.get(address).status_code == 200, address
        assert http.head(address).status_code == 200, address
    http.post(f"{before}/v1/jobs", json=REQUEST | {"seed": 1})
    assert http.get(f"{before}/v1/jobs?limit=1").json()["next"].startswith("/a/b/v1/jobs?limit=1&cursor=")
    refused = http.put(f"{before}/v1/jobs")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, POST")
    assert http.get(f"{before}/nothing").json()["detail"] == "there is nothing at /a/b/nothing"


def test_the_path_alone_leads_to_the_page(http):
    answer = http.get("/a/b", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/a/b/")


def test_a_path_that_only_begins_alike_is_another(http):
    assert http.get("/a/bc/v1/jobs").status_code == 404


def test_a_slash_too_many_names_no_host(store, open_client):
    answer = open_client(store).get("/v1/jobs/?limit=2", headers={"Host": "evil.example"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/v1/jobs?limit=2")
    assert open_client(store).get("http://testserver//evil.example/", follow_redirects=False).status_code == 404

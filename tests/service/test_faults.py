"""Faults of ours: their answers have the headers that all answers have, and the log has the rest."""

import logging

import pytest

from store.settings import BadSetting, from_environment
from tests.service.test_app import open_client, pings

__all__ = ["open_client", "pings"]

SITE = "https://site.example"


@pytest.fixture
def broken(store, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(store, "get", fail)
    monkeypatch.setattr(store, "page", fail)
    return store


@pytest.mark.parametrize("address", ["/v1/jobs/x", "/v1/jobs"])
def test_a_page_of_another_site_can_read_what_went_wrong(broken, open_client, caplog, address):
    answer = open_client(broken, cors_origins=SITE).get(address, headers={"Origin": SITE})
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.headers["access-control-allow-origin"] == SITE
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "secret" not in answer.text
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.getMessage() == f"GET {address}"
    assert "RuntimeError: secret" in caplog.text


def test_head_of_a_fault_has_no_body(broken, open_client):
    answer = open_client(broken).head("/v1/jobs/x")
    assert (answer.status_code, answer.content) == (500, b"")


@pytest.mark.parametrize("written", [f"https://other.example, {SITE}", f"{SITE}/", f" {SITE} ,", f",,{SITE}", "*"])
def test_sites_are_those_that_were_meant(store, open_client, written):
    origins = from_environment({"DLNFLOW_CORS_ORIGINS": written}).cors_origins
    http = open_client(store, cors_origins=origins)
    assert http.get("/v1/jobs", headers={"Origin": SITE}).headers["access-control-allow-origin"] in (SITE, "*")
    asked = {"Origin": SITE, "Access-Control-Request-Method": "HEAD", "Access-Control-Request-Headers": "Authorization"}
    assert http.options("/v1/jobs", headers=asked).status_code == 200


@pytest.mark.parametrize("written", ["site.example", f"{SITE}/page", "ftp://site.example", "https://", f"{SITE} {SITE}"])
def test_what_is_no_site_is_refused(written):
    with pytest.raises(BadSetting, match=r"DLNFLOW_CORS_ORIGINS: .* is no origin"):
        from_environment({"DLNFLOW_CORS_ORIGINS": written})

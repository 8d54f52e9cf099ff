"""Parameters that mean nothing are refused: whoever misspells a filter must not take everything for what was asked."""

import pytest

from tests.service.test_app import REQUEST, open_client, pings

__all__ = ["open_client", "pings"]


@pytest.mark.parametrize(
    ("address", "field", "words"),
    [
        ("/v1/jobs?staus=failed", "staus", "status"),
        ("/v1/jobs?limit=1&LIMIT=2", "LIMIT", "limit"),
        ("/v1/jobs?limit=1&limit=2", "limit", "twice"),
        ("/v1/jobs/x/curves?fromat=csv", "fromat", "format"),
        ("/v1/jobs/x/table?time=1", "time", "at"),
        ("/v1/limits?verbose=1", "verbose", "none"),
        ("/v1/jobs/x/events?last=1", "last", "none"),
        ("/v1/jobs?api_key=dln_secret", "api_key", "status"),
    ],
)
def test_a_name_that_means_nothing_here_is_refused(store, open_client, address, field, words):
    answer = open_client(store).get(address)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert words in answer.json()["detail"] + answer.json()["hint"]
    assert "dln_secret" not in answer.text


def test_what_has_a_meaning_is_taken(store, open_client):
    http = open_client(store)
    assert http.get("/v1/jobs?status=queued&kind=dmft&limit=3&mine=true").status_code == 200
    assert http.post("/v1/jobs?wait=3", json=REQUEST).status_code == 422
    assert http.post("/v1/jobs", json=REQUEST).status_code == 202
    assert http.get("/readyz?cache=7").status_code == 503  # monitors may add what they like


def test_head_is_held_to_the_same(store, open_client):
    assert open_client(store).head("/v1/jobs?staus=failed").status_code == 422


def test_without_a_key_nothing_is_told_of_parameters(store, open_client):
    assert open_client(store, auth="keys").get("/v1/jobs?staus=failed").status_code == 401

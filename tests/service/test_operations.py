"""Metrics, documents of the API and pictures."""

import io
import re

import matplotlib.image
import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from dlnflow.solution import CURVES
from dlnflow.wire import results
from dlnflow.wire.requests import job_id, request_adapter
from service import documents
from store import keys
from tests.service.test_app import REQUEST, open_client, pings

__all__ = ["open_client", "pings"]

ID = job_id(request_adapter.validate_python(REQUEST))


def curves() -> dict[str, np.ndarray]:
    time = np.geomspace(0.01, 1, 20)
    return {"time": time} | {key: value for name in CURVES for key, value in ((name, 1 / time), (f"{name}_stderr", 0.1 / time))}


def finish(store) -> None:
    attempt = store.claim("w")
    store.succeed(attempt, results.encode({"curves": curves()}))


def samples(text: str) -> dict[tuple[str, ...], float]:
    return {
        (s.name, *(s.labels[name] for name in ("kind", "status", "cache") if name in s.labels)): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def test_metrics_count_what_happened(store, open_client):
    http = open_client(store)
    http.post("/v1/jobs", json=REQUEST)
    http.post("/v1/jobs", json=REQUEST)
    found = samples(http.get("/metrics").text)
    assert found["dlnflow_jobs", "simulation", "queued"] == 1
    assert found["dlnflow_submitted_total", "simulation", "joined"] == 1
    finish(store)
    http.post("/v1/jobs", json=REQUEST)
    found = samples(http.get("/metrics").text)
    assert found["dlnflow_jobs", "simulation", "queued"] == 0
    assert found["dlnflow_jobs", "simulation", "succeeded"] == 1
    assert found["dlnflow_finished_total", "simulation", "succeeded"] == 1
    assert found["dlnflow_submitted_total", "simulation", "hit"] == 1
    assert found["dlnflow_run_seconds_count", "simulation"] == found["dlnflow_wait_seconds_count", "simulation"] == 1
    assert found["dlnflow_store_seconds",] > 0


def test_metrics_are_in_seconds_and_tell_of_workers(store, open_client, client):
    http = open_client(store)
    assert samples(http.get("/metrics").text)["dlnflow_workers",] == 0
    store.workers.greet("w", 2)
    client.hset(keys.COUNTS, mapping={"run_number:dmft": 2, "run_microseconds:dmft": 2_500_000})
    found = samples(http.get("/metrics").text)
    assert found["dlnflow_workers",] == 1
    assert (found["dlnflow_run_seconds_count", "dmft"], found["dlnflow_run_seconds_sum", "dmft"]) == (2, 2.5)


def test_the_documentation_needs_no_other_host(store, open_client):
    http = open_client(store)
    page = http.get("/docs").text
    assets = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert assets
    assert not [address for address in assets if address.startswith("http")]
    assert all(http.get(address).status_code == 200 for address in assets)
    document = http.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            for status, answer in operation["responses"].items():
                assert status[0] in "23" or "application/problem+json" in answer["content"], (method, path, status)


def test_plots_show_the_curves(store, open_client):
    http = open_client(store)
    http.post("/v1/jobs", json=REQUEST)
    assert http.get(f"/v1/jobs/{ID}/plot.svg").status_code == 409
    finish(store)
    svg, png = (http.get(f"/v1/jobs/{ID}/plot.{name}") for name in ("svg", "png"))
    assert (svg.headers["content-type"], png.headers["content-type"]) == ("image/svg+xml", "image/png")
    assert svg.content.startswith(b"<?xml")
    image = matplotlib.image.imread(io.BytesIO(png.content))
    assert image.std() > 0.05  # something is drawn
    again = http.get(f"/v1/jobs/{ID}/plot.svg", headers={"If-None-Match": svg.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_every_format_holds_the_same_numbers_and_an_expired_result_is_gone(store, open_client, client, monkeypatch):
    monkeypatch.setattr(documents, "FRESH_SECONDS", 0)
    http = open_client(store)
    http.post("/v1/jobs", json=REQUEST)
    finish(store)
    address = f"/v1/jobs/{ID}/curves"
    document = http.get(address).json()
    arrays = np.load(io.BytesIO(http.get(address, params={"format": "npz"}).content))
    for name, values in document.items():
        assert arrays[name].tolist() == values
    rows = np.genfromtxt(io.StringIO(http.get(address, headers={"Accept": "text/csv"}).text), delimiter=",", names=True)
    assert rows["test_loss"].tolist() == document["test_loss"]
    client.delete(f"dlnflow:result:{ID}")
    gone = http.get(address)
    assert (gone.status_code, gone.json()["code"]) == (410, "expired")
    assert http.post("/v1/jobs", json=REQUEST).json()["cache"] == "miss"


def test_a_full_store_refuses_new_jobs_and_shows_old_ones(store, open_client, client):
    http = open_client(store, auth="open")
    http.post("/v1/jobs", json=REQUEST)
    client.config_set("maxmemory", 1)
    try:
        refused = http.post("/v1/jobs", json=REQUEST | {"seed": 1})
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert http.get(f"/v1/jobs/{ID}").status_code == 200
    finally:
        client.config_set("maxmemory", 0)


def test_pages_of_other_sites_may_call_only_where_that_is_set(store, open_client):
    site = "https://site.example"
    http = open_client(store, cors_origins=site)
    assert http.get("/v1/jobs", headers={"Origin": site}).headers["access-control-allow-origin"] == site
    assert "access-control-allow-origin" not in http.get("/v1/jobs", headers={"Origin": "https://other.example"}).headers

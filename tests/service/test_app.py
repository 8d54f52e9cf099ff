"""The application without the processes around it."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import redis
from starlette.testclient import TestClient

from service.app import connect, create_app, listen
from service.context import Context
from service.errors import Problem
from service.negotiation import choose
from service.wait import preferred_wait
from store.jobs import JobStore
from store.settings import Settings, from_environment

REQUEST = {
    "kind": "simulation",
    "problem": {"aspect_ratio": 1, "target": {"kind": "gaussian"}, "initial_scale": 1},
    "horizon": 1,
}


@pytest.fixture
def pings() -> list[str]:
    """The pings that were sent; nobody answers them."""
    return []


@pytest.fixture
def open_client(redis_url, pings) -> Iterator[Callable[..., TestClient]]:
    with ExitStack() as stack:

        def start(store: JobStore, sent: list[str] | None = None, **changed: object) -> TestClient:
            settings = Settings(**{"redis_url": redis_url} | changed)
            context = Context(settings, store, [].append if sent is None else sent.append, listen(settings), pings.append)
            return stack.enter_context(TestClient(create_app(context), raise_server_exceptions=False))

        yield start


def test_a_message_is_sent_once_and_after_the_job_can_be_read(store, open_client):
    sent: list[str] = []

    class Sender(list):
        def append(self, job_id: str) -> None:
            assert store.get(job_id).status == "queued"
            sent.append(job_id)

    http = open_client(store, Sender())
    first, second = (http.post("/v1/jobs", json=REQUEST) for _ in range(2))
    assert [first.status_code, second.status_code] == [202, 200]
    assert [first.json()["cache"], second.json()["cache"]] == ["miss", "joined"]
    assert sent == [first.json()["id"]]


def test_a_full_queue_says_when_to_come_back(store, open_client):
    http = open_client(store)
    answers = [http.post("/v1/jobs", json=REQUEST | {"seed": seed}) for seed in range(6)]
    assert [answer.status_code for answer in answers] == [202] * 5 + [429]
    assert answers[-1].json()["code"] == "queue_full"
    assert int(answers[-1].headers["retry-after"]) > 0


def test_a_waiting_job_answers_when_the_time_is_over(store, open_client):
    answer = open_client(store).post("/v1/jobs", json=REQUEST, headers={"Prefer": "respond-async, wait=1"})
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")


def test_a_queued_job_is_cancelled(store, open_client):
    http = open_client(store)
    address = http.post("/v1/jobs", json=REQUEST).headers["location"]
    assert http.delete(address).json()["status"] == "cancelled"
    again = http.post("/v1/jobs", json=REQUEST)
    assert (again.status_code, again.json()["cache"]) == (202, "miss")


def test_a_failed_job_answers_with_its_error(store, open_client):
    http = open_client(store)
    job_id = http.post("/v1/jobs", json=REQUEST).json()["id"]
    store.fail(store.claim("w"), "diverged", "try a shorter horizon")
    answer = http.get(f"/v1/jobs/{job_id}/curves")
    assert (answer.status_code, answer.json()["code"]) == (409, "diverged")
    assert "shorter horizon" in answer.json()["detail"]


@pytest.mark.parametrize("method_and_address", ["POST /v1/jobs", "GET /v1/jobs", "GET /v1/jobs/x", "GET /v1/jobs/x/curves", "GET /readyz"])
def test_a_store_that_is_away_is_a_503(method_and_address, open_client):
    method, address = method_and_address.split()
    away = connect(Settings(redis_url="unix:///nonexistent/store.sock"))
    answer = open_client(away).request(method, address, json=REQUEST)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0


def test_no_worker_is_not_ready(store, open_client):
    answer = open_client(store).get("/readyz")
    assert (answer.status_code, "worker" in answer.json()["detail"]) == (503, True)
    assert open_client(store).get("/healthz").status_code == 200


def test_ready_means_that_a_worker_answers_or_that_all_are_busy(store, open_client, pings):
    http = open_client(store)
    store.workers.greet("w", 1)
    silent = http.get("/readyz")
    assert (silent.status_code, len(pings)) == (503, 1)
    http.post("/v1/jobs", json=REQUEST)
    later = threading.Timer(0.3, store.claim, ["w"])
    later.start()
    assert http.get("/readyz").json()["status"] == "ready"  # as soon as it is busy
    later.join()
    assert http.get("/readyz").json()["status"] == "ready"


def test_an_unforeseen_error_shows_nothing_of_the_inside(store, monkeypatch, caplog, open_client):
    def fail(*_: object) -> None:
        raise redis.ResponseError("secret")

    caplog.set_level(logging.CRITICAL)
    monkeypatch.setattr(store, "get", fail)
    answer = open_client(store).get("/v1/jobs/x")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "secret" not in answer.text


def test_every_answer_has_safe_headers_and_no_cors(store, open_client):
    answer = open_client(store).get("/v1/limits", headers={"Origin": "https://elsewhere.example"})
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        (None, "json"),
        ("*/*", "json"),
        ("text/csv", "csv"),
        ("TEXT/CSV; charset=utf-8", "csv"),
        ("application/json;q=0.5, text/csv", "csv"),
        ("text/csv;q=0, */*", "json"),
        ("application/x-npz, */*;q=0.1", "npz"),
        ("image/png, application/octet-stream", "npz"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "json"),
    ],
)
def test_the_format_follows_accept(accept, name):
    assert choose("curves", None, accept).name == name


@pytest.mark.parametrize("accept", ["image/png", "text/csv;q=0", "text/csv;q=x", ";,;", ""])
def test_odd_accept_headers_are_a_406_or_the_default(accept):
    if accept == "":
        assert choose("curves", None, accept).name == "json"
    else:
        with pytest.raises(Problem) as caught:
            choose("curves", None, accept)
        assert caught.value.status == 406


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("wait=5", 5),
        ("respond-async, wait=5", 5),
        ("WAIT = 7", 7),
        ('wait="3"', 3),
        ("wait=99", 30),
        ("await=5", None),
        ("wait=-5", None),
    ],
)
def test_the_wait_is_read(header, seconds):
    assert preferred_wait(header) == seconds


def test_settings_come_from_the_environment():
    assert from_environment({}) == Settings()
    assert from_environment({"PORT": "9000"}).port == 9000
    assert from_environment({"PORT": "9000", "DLNFLOW_PORT": "9001", "DLNFLOW_WORKERS": "3"}) == Settings(port=9001, workers=3)

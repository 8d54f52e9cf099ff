"""How long a client waits: no longer than it was told, and as long as it was asked to."""

import email.utils
import time

import httpx2
import pytest

from dlnflow.client import Client, WaitTimeout, as_completed, wire
from tests.client.records import record
from tests.client.stub import answer, stubbed


@pytest.fixture
def slow():
    """A service that takes the request and answers after 20 s."""

    def serve(asked):
        if "Prefer" in asked.headers or asked.path.endswith("slow"):
            time.sleep(20)
        return answer(200, record(asked.path.rsplit("/", 1)[-1], status="running"))

    with stubbed(serve) as stub:
        yield stub


@pytest.mark.parametrize("timeout", [0.0, 0.3, 1.2])
def test_a_service_that_does_not_answer_holds_nobody_beyond_the_time_allowed(slow, timeout):
    with Client(slow.url) as client:
        job = client.job("x")
        began = time.monotonic()
        with pytest.raises(WaitTimeout):
            job.result(timeout)
        with pytest.raises(WaitTimeout):
            list(as_completed([job], timeout))
        assert time.monotonic() - began < 2 * timeout + 1.5


def test_nor_does_one_that_is_away(monkeypatch):
    with stubbed(lambda asked: answer(200, record(status="running"))) as stub:
        client = Client(stub.url)
        job = client.job("x")
        client._connections.here().close()
        client = Client("http://127.0.0.1:9")
    job._client = client
    began = time.monotonic()
    with pytest.raises(WaitTimeout, match=r"127\.0\.0\.1:9"):
        job.wait(timeout=1)
    assert time.monotonic() - began < 2


def test_nor_does_one_that_asks_to_come_back_later():
    def serve(asked):
        return answer(503, {}, Retry_After="60") if "Prefer" in asked.headers else answer(200, record())

    with stubbed(serve) as stub, Client(stub.url) as client:
        job = client.job("x")
        began = time.monotonic()
        with pytest.raises(WaitTimeout):
            job.wait(timeout=1.5)
        assert 1 < time.monotonic() - began < 3


def test_short_times_are_not_rounded_up():
    with stubbed(lambda asked: answer(200, record(status="running"))) as stub, Client(stub.url) as client:
        job, began = client.job("x"), time.monotonic()
        with pytest.raises(WaitTimeout, match=r"after 0\.1 s"):
            job.wait(timeout=0.1)
        assert time.monotonic() - began < 0.8
        assert len(stub.asked) < 10


NOW = 1_800_000_000


def dated(seconds: float) -> str:
    return email.utils.formatdate(NOW + seconds, usegmt=True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3", 3),
        ("0", 0),
        ("600", 60),
        ("9" * 5000, 60),
        (dated(7), 7),
        (dated(-7), 0),
        (dated(3600), 60),
        (dated(5).replace("GMT", "-0000"), 5),
        (dated(5).replace("GMT", "+0100"), 0),
    ],
)
def test_a_service_says_when_to_come_back_in_seconds_or_by_date(text, seconds):
    assert wire._delay(0, httpx2.Headers({"Retry-After": text, "Date": dated(0)})) == seconds


@pytest.mark.parametrize("text", ["soon", "-5", "1.5s", "²", "Wed, 21 Oct 99999 07:28:00 GMT", "Wed, 41 Oct 2026 07:28:00 GMT", ""])
def test_what_cannot_be_read_is_as_if_nothing_was_said(text):
    headers = {"Retry-After": text, "Date": dated(0)}
    assert 0 < wire._delay(0, httpx2.Headers(headers, encoding="utf-8")) < 1
    assert 0 < wire._delay(0, httpx2.Headers({"Retry-After": dated(9)})) < 1  # from when, it does not say


def test_fewer_retries_than_none_are_none():
    with stubbed(lambda _: answer(200, record())) as stub, Client(stub.url, retries=-3) as client:
        assert client.job("x").id == "x"

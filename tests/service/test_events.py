"""The events of a job over real HTTP, told while the test plays the worker."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator

import httpx2
import pytest

from dlnflow.wire import results
from dlnflow.wire.requests import job_id, request_adapter
from service.live import READERS
from tests.service.serving import serving
from tests.service.test_app import REQUEST

STREAMS = 200

request = request_adapter.validate_python(REQUEST)
ID = job_id(request)


@pytest.fixture
def url(store, redis_url) -> Iterator[str]:
    with serving(store, redis_url=redis_url) as address:
        yield address


def parse(text: str) -> list[dict[str, str]]:
    blocks = [dict(line.split(": ", 1) for line in block.splitlines() if line and line[0] != ":") for block in text.split("\n\n")]
    return [block for block in blocks if block]


def finish(store) -> None:
    attempt = store.claim("w")
    store.progress(attempt, 0.5, "half")
    store.add_curve(attempt, results.to_json({"time": [0.0], "test_loss": [1.0]}))
    store.succeed(attempt, {"curves": b""})


def read(url: str, last: str | None = None) -> list[dict[str, str]]:
    answer = httpx2.get(f"{url}/v1/jobs/{ID}/events", headers={"Last-Event-ID": last} if last else {}, timeout=20)
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/event-stream")
    return parse(answer.text)


def test_events_come_as_they_happen(store, url):
    store.submit(request)
    with httpx2.stream("GET", f"{url}/v1/jobs/{ID}/events", timeout=20) as answer:
        lines = answer.iter_lines()
        first = [next(lines) for _ in range(3)]
        assert first[0] == "event: progress"  # before anything else has happened
        finish(store)
        rest = parse("\n".join(lines))
    assert [event["event"] for event in rest] == ["progress", "progress", "curve", "done"]
    assert json.loads(rest[1]["data"])["progress"] == 0.5
    assert json.loads(rest[-1]["data"])["status"] == "succeeded"


def test_a_stream_goes_on_after_the_last_event_that_was_seen(store, url):
    store.submit(request)
    finish(store)
    whole = read(url)
    assert whole[-1]["event"] == "done"
    for number, event in enumerate(whole[:-1]):
        assert read(url, event["id"]) == whole[number + 1 :]


def test_an_old_job_still_says_how_it_ended(store, url, client):
    store.submit(request)
    finish(store)
    client.delete(f"dlnflow:events:{ID}")
    assert [event["event"] for event in read(url)] == ["done"]


def test_no_stream_without_a_job(url):
    answer = httpx2.get(f"{url}/v1/jobs/nothing/events", timeout=60)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_many_streams_share_one_reader(store, url, client):
    """All get every event; neither threads nor connections to the store grow with them."""
    store.submit(request)

    async def follow_all() -> list[list[dict[str, str]]]:
        limits = httpx2.Limits(max_connections=None)
        async with httpx2.AsyncClient(timeout=60, limits=limits) as http:
            answers = [asyncio.create_task(http.get(f"{url}/v1/jobs/{ID}/events")) for _ in range(STREAMS)]
            await asyncio.sleep(2)
            found["threads"], found["connections"] = threading.active_count(), len(client.client_list())
            await asyncio.to_thread(finish, store)
            return [parse((await answer).text) for answer in answers]

    found: dict[str, int] = {}
    told = asyncio.run(follow_all())
    assert len(told) == STREAMS
    assert all(events == told[0] for events in told)
    assert told[0][-1]["event"] == "done"
    assert found["threads"] < 50  # the pool for routes that block has 40
    assert found["connections"] <= READERS + 1 + 40 + 3


def test_a_wait_ends_when_the_job_does(store, url):
    store.submit(request)
    later = threading.Timer(0.3, finish, [store])
    later.start()
    start = time.monotonic()
    answer = httpx2.get(f"{url}/v1/jobs/{ID}", headers={"Prefer": "wait=20"}, timeout=30)
    later.join()
    assert answer.json()["status"] == "succeeded"
    assert answer.headers["preference-applied"] == "wait=20"
    assert time.monotonic() - start < 15  # not when the time is over

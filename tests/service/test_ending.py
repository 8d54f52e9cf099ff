"""The end of a stream is the end for whoever follows it, and the end of the server cuts no answer off."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import httpx2
import pytest

from dlnflow.wire.requests import job_id, request_adapter
from tests.e2e.stack import free_port, wait_until
from tests.service.serving import serving
from tests.service.test_app import REQUEST
from tests.service.test_events import finish, parse

request = request_adapter.validate_python(REQUEST)
ID = job_id(request)


def last_event(url: str) -> str:
    return parse(httpx2.get(f"{url}/v1/jobs/{ID}/events", timeout=60).text)[-1]["id"]


def test_whoever_has_seen_the_last_event_is_told_not_to_come_again(store, client, redis_url):
    """A browser's EventSource connects anew whenever a stream ends, until it gets a 204."""
    store.submit(request)
    finish(store)
    with serving(store, redis_url=redis_url) as url:
        seen = last_event(url)
        answer = httpx2.get(f"{url}/v1/jobs/{ID}/events", headers={"Last-Event-ID": seen}, timeout=60)
        assert (answer.status_code, answer.content) == (204, b"")
        first = parse(httpx2.get(f"{url}/v1/jobs/{ID}/events", timeout=60).text)[0]["id"]
        assert httpx2.get(f"{url}/v1/jobs/{ID}/events", headers={"Last-Event-ID": first}, timeout=60).status_code == 200
        client.delete(f"dlnflow:events:{ID}")  # they are kept for an hour
        assert httpx2.get(f"{url}/v1/jobs/{ID}/events", headers={"Last-Event-ID": seen}, timeout=60).status_code == 204
        assert [event["event"] for event in parse(httpx2.get(f"{url}/v1/jobs/{ID}/events", timeout=60).text)] == ["done"]


@pytest.fixture
def api(redis_url) -> Iterator[tuple[subprocess.Popen, str]]:
    port = free_port()
    command = ["-m", "uvicorn", "--factory", "service.app:from_environment", "--log-level", "warning", "--timeout-graceful-shutdown", "10"]
    environment = os.environ | {"DLNFLOW_REDIS_URL": redis_url}
    with subprocess.Popen([sys.executable, *command, "--port", str(port)], env=environment, stderr=subprocess.PIPE, text=True) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: _lives(url), 60, "the API")
            yield process, url
        finally:
            process.kill()


def _lives(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/healthz", timeout=60).status_code == 200
    except httpx2.TransportError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_stopped_ends_long_answers_in_order(store, api, number):
    process, url = api
    store.submit(request)
    ended: dict[str, object] = {}
    begun = threading.Event()

    def follow() -> None:
        with httpx2.stream("GET", f"{url}/v1/jobs/{ID}/events", timeout=30) as answer:
            lines = answer.iter_lines()
            first = next(lines)
            begun.set()
            ended["stream"] = parse("\n".join([first, *lines]))  # raises where it is cut off

    def wait() -> None:
        ended["wait"] = httpx2.get(f"{url}/v1/jobs/{ID}", headers={"Prefer": "wait=30"}, timeout=40)

    threads = [threading.Thread(target=target) for target in (follow, wait)]
    for thread in threads:
        thread.start()
    assert begun.wait(30)
    time.sleep(1)
    began = time.monotonic()
    process.send_signal(number)
    process.wait(20)
    assert time.monotonic() - began < 5
    for thread in threads:
        thread.join()
    assert [event["event"] for event in ended["stream"]] == ["progress"]
    assert (ended["wait"].status_code, ended["wait"].json()["status"]) == (200, "queued")
    assert "Traceback" not in process.stderr.read()


def test_whoever_hangs_up_leaves_no_answer_behind_for_others(store, redis_url):
    """A command whose answer nobody waited for must not be answered to the next who uses the connection."""
    requests = [request_adapter.validate_python(REQUEST | {"seed": seed}) for seed in range(4)]
    for one in requests:
        store.submit(one)
    ids = [job_id(one) for one in requests]
    wrong: list[str] = []
    over = threading.Event()

    def read(wanted: str) -> None:
        with httpx2.Client(timeout=20) as http:
            while not over.is_set():
                found = http.get(f"{url}/v1/jobs/{wanted}").json().get("id")
                wrong.extend([found] if found != wanted else [])

    def hang_up(wanted: str) -> None:
        with httpx2.Client(timeout=60) as http:
            for number in range(40):
                with contextlib.suppress(httpx2.TimeoutException):
                    http.get(f"{url}/v1/jobs/{wanted}/events", timeout=0.001 * (number % 20 + 1))
                http.head(f"{url}/v1/jobs/{wanted}/events", timeout=20)

    with serving(store, redis_url=redis_url, auth="open") as url:
        readers = [threading.Thread(target=read, args=(wanted,)) for wanted in ids]
        quitters = [threading.Thread(target=hang_up, args=(wanted,)) for wanted in ids]
        for thread in (*readers, *quitters):
            thread.start()
        for thread in quitters:
            thread.join()
        over.set()
        for thread in readers:
            thread.join()
    assert wrong == []

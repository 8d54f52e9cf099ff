"""HEAD answers wherever GET does, with the same headers and no body."""

import socket
from urllib.parse import urlsplit

import httpx2
import pytest

from dlnflow.wire import results
from dlnflow.wire.requests import job_id, request_adapter
from tests.service.serving import serving
from tests.service.test_app import REQUEST
from tests.service.test_operations import curves

ID = job_id(request_adapter.validate_python(REQUEST))


@pytest.fixture
def url(store, redis_url):
    store.submit(request_adapter.validate_python(REQUEST))
    store.workers.greet("w", 1)
    store.succeed(store.claim("w"), results.encode({"curves": curves()}))
    with serving(store, redis_url=redis_url) as address:
        yield address


def addresses(url: str) -> list[str]:
    """Every address of the description that can be got, those outside it, and some at which there is nothing."""
    paths = [path for path, methods in httpx2.get(f"{url}/openapi.json", timeout=60).json()["paths"].items() if "get" in methods]
    outside = ["/", "/docs", "/openapi.json", "/favicon.ico", "/page/main.js", "/page/plotly.min.js", "/static-offline-docs/swagger-ui.css"]
    return [path.replace("{job_id}", ID).replace("{dataset_id}", "x") for path in paths] + outside + ["/nothing", "/v1/jobs/x", "/v1/jobs/"]


CHANGING = {"date", "content-length", "content-type"}  # of streams and live numbers; the type is compared apart


def test_head_has_the_headers_of_get_and_no_body(url):
    for path in addresses(url):
        got = httpx2.get(url + path, timeout=60) if not path.endswith("events") else None
        head = httpx2.head(url + path, timeout=60)
        assert head.content == b"", path
        if got is None:
            assert (head.status_code, head.headers["content-type"].split(";")[0]) == (200, "text/event-stream")
            continue
        assert head.status_code == got.status_code, path
        assert head.headers.get("content-type") == got.headers.get("content-type"), path
        assert {k: v for k, v in head.headers.items() if k not in CHANGING} == {
            k: v for k, v in got.headers.items() if k not in CHANGING
        }, path
        if path not in ("/metrics", "/readyz"):
            assert head.headers.get("content-length") == got.headers.get("content-length"), path


def test_nothing_follows_the_headers_on_the_wire_and_the_connection_stays(url):
    """A client that reads the answer to the next request must not find a body before it."""
    host, port = urlsplit(url).hostname, urlsplit(url).port
    with socket.create_connection((host, port), timeout=5) as connection:
        for path in ("/healthz", f"/v1/jobs/{ID}/events", f"/v1/jobs/{ID}/curves", "/page/main.js"):
            connection.sendall(f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += connection.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200"), answer
            assert answer.endswith(b"\r\n\r\n")
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_head_of_the_events_of_a_waiting_job_ends_at_once(url, store):
    waiting = request_adapter.validate_python(REQUEST | {"seed": 7})
    store.submit(waiting)
    assert (
        httpx2.head(f"{url}/v1/jobs/{job_id(waiting)}/events", timeout=30).status_code == 200
    )  # and not when the job ends, which is never


def test_head_is_among_the_methods_that_are_told(url):
    assert httpx2.put(f"{url}/v1/jobs", timeout=60).headers["allow"] == "GET, HEAD, POST"
    only_post = httpx2.head(f"{url}/v1/estimate", timeout=60)
    assert (only_post.status_code, only_post.headers["allow"]) == (405, "POST")

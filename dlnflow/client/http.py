"""The connection to a service: one request with retries, and the calls that are made of it."""

import os
import random
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx2

from dlnflow.client.errors import ApiError, ServiceUnavailable
from dlnflow.client.job import Job
from dlnflow.jobs.requests import Request, request_adapter

RETRIED = frozenset({408, 429, 500, 502, 503, 504})
FIRST_DELAY, LONGEST_DELAY = 0.5, 8.0


class Client:
    """A dlnflow service at `url` (default: `DLNFLOW_URL`, then http://127.0.0.1:8000).

    `http` may be any httpx2.Client that is bound to the service, a test client among them. Safe to use as a context manager.
    """

    def __init__(self, url: str | None = None, *, api_key: str | None = None, http: httpx2.Client | None = None, retries: int = 2) -> None:
        key = api_key or os.environ.get("DLNFLOW_API_KEY")
        address = url or os.environ.get("DLNFLOW_URL") or "http://127.0.0.1:8000"
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = http or httpx2.Client(base_url=address, timeout=60)
        self._http.headers.update(headers)
        self._retries = retries

    def submit(self, request: Request | None = None, **fields: Any) -> Job:
        """Submit a job, given as a request model or by its fields; raises pydantic's ValidationError or ApiError where it is refused."""
        model = request if request is not None else request_adapter.validate_python(fields)
        answer = self.send("POST", "/v1/jobs", json=model.model_dump(mode="json"))
        return Job(self, answer.json())

    def job(self, job_id: str) -> Job:
        """Attach to a job by its id."""
        return Job(self, self.send("GET", f"/v1/jobs/{job_id}").json())

    def jobs(self, *, status: str | None = None, kind: str | None = None) -> Iterator[Job]:
        """Jobs, newest first, of one status and one kind where these are given; asks for further pages as it goes."""
        wanted = {"status": status, "kind": kind}
        query: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
        while True:
            page = self.send("GET", "/v1/jobs", params=query).json()
            yield from (Job(self, record) for record in page["jobs"])
            if page["cursor"] is None:
                return
            query["cursor"] = page["cursor"]

    def send(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """One request, repeated where that can help; raises ApiError or ServiceUnavailable."""
        for attempt in range(self._retries + 1):
            last = attempt == self._retries
            try:
                answer = self._http.request(method, path, **options)
            except httpx2.TransportError as error:
                if last:
                    raise ServiceUnavailable(f"{method} {path}: {error}") from error
                time.sleep(_delay(attempt, None))
                continue
            if answer.status_code not in RETRIED or last:
                break
            time.sleep(_delay(attempt, answer.headers.get("Retry-After")))
        if answer.is_error:
            raise ApiError(answer.status_code, _document(answer))
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _delay(attempt: int, retry_after: str | None) -> float:
    """Seconds before the next attempt: what the service asks for, else a jittered doubling."""
    if retry_after is not None and retry_after.isdigit():
        return min(float(retry_after), 60.0)
    doubled: float = min(LONGEST_DELAY, FIRST_DELAY * 2**attempt)
    return doubled * random.uniform(0.75, 1.25)


def _document(answer: httpx2.Response) -> dict[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        return {"detail": answer.text[:200]}
    return document if isinstance(document, dict) else {"detail": str(document)[:200]}

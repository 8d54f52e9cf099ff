"""What can be asked of a service, as flows of requests that both clients carry out."""

import io
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
from numpy.typing import ArrayLike
from pydantic_core import to_jsonable_python

from dlnflow.client.errors import WaitTimeout
from dlnflow.client.results import AnyResult, read_result
from dlnflow.client.state import JobState
from dlnflow.client.wire import Call, Flow, Pause, send
from dlnflow.client.words import refusing
from dlnflow.jobs.requests import Request, request_adapter
from dlnflow.model import Model

POLL_SECONDS = 1
PATIENT = 6  # retries while waiting for a job, about half a minute: a service may be started again meanwhile
DEFAULT_URL = "http://127.0.0.1:8000"
Watcher = Callable[[Any], None]
Data = ArrayLike | Path


def connection(url: str | None, api_key: str | None) -> dict[str, Any]:
    """Address, headers and time-out of a connection, from the arguments or the environment."""
    key = api_key or os.environ.get("DLNFLOW_API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return {"base_url": url or os.environ.get("DLNFLOW_URL") or DEFAULT_URL, "timeout": 60, "headers": headers}


def as_request(request: Request | Mapping[str, Any] | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A request given as a model, a dict or keywords, checked; raises InvalidRequest, which names the field.

    What is left out is left to the service. NumPy arrays and models may stand anywhere.
    """
    if isinstance(request, Model):
        request = request.model_dump(mode="json", include=request.model_fields_set | {"kind"})
    given: dict[str, Any] = to_jsonable_python({**(request or {}), **fields}, fallback=lambda array: array.tolist())
    with refusing():
        request_adapter.validate_python(given)
    return given


def as_file(data: Data) -> bytes:
    """A matrix as an NPZ file, or a file as it is."""
    if isinstance(data, str | Path):
        return Path(data).read_bytes()
    buffer = io.BytesIO()
    np.savez_compressed(buffer, data=np.asarray(data))
    return buffer.getvalue()


class Operations:
    """The calls of a client that repeats a failed one `retries` times."""

    def __init__(self, retries: int) -> None:
        self._retries = retries

    def send(self, method: str, path: str, retries: int | None = None, **options: Any) -> Flow[httpx2.Response]:
        """One request with retries."""
        return send(Call(method, path, options), self._retries if retries is None else retries)

    def document(self, method: str, path: str, **options: Any) -> Flow[dict[str, Any]]:
        """The JSON object that one request is answered with."""
        answer = yield from self.send(method, path, **options)
        found: dict[str, Any] = answer.json()
        return found

    def record(self, job_id: str, wait: int = 0) -> Flow[dict[str, Any]]:
        """A job's record; with `wait`, at its end or after so many seconds."""
        headers = {"Prefer": f"wait={wait}"} if wait else {}
        return (yield from self.document("GET", f"/v1/jobs/{job_id}", headers=headers, retries=PATIENT if wait else None))

    def upload(self, data: Data) -> Flow[dict[str, Any]]:
        """Keep a data set; its record."""
        return (
            yield from self.document("POST", "/v1/datasets", content=as_file(data), headers={"Content-Type": "application/octet-stream"})
        )

    def wait(self, job: JobState, timeout: float | None, watch: Watcher | None) -> Flow[None]:
        """Look at `job` until it has finished; raises JobFailed, or WaitTimeout after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not job.finished:
            began = time.monotonic()
            if deadline is not None and began >= deadline:
                raise WaitTimeout(f"job {job.id} is still {job.status} ({job.progress:.0%}) after {timeout} s")
            if watch:
                watch(job)
            job.record = yield from self.record(job.id, wait=POLL_SECONDS)
            if not job.finished and time.monotonic() < began + 0.2:
                yield Pause(POLL_SECONDS)  # something on the way does not honour `Prefer: wait`
        if watch:
            watch(job)
        job.require_success()

    def part(self, job_id: str, name: str, format: str = "npz", **query: Any) -> Flow[bytes]:
        """One part of a result."""
        answer = yield from self.send("GET", f"/v1/jobs/{job_id}/{name}", params={"format": format} | query)
        return answer.content

    def result(self, job: JobState) -> Flow[AnyResult]:
        """Everything that a job has found, by its kind."""
        parts: dict[str, bytes] = {}
        for name in job.parts:
            arrays = name in {"curves", "order-parameters", "kernels"}
            parts[name] = yield from self.part(job.id, name, "npz" if arrays else "json")
        return read_result(job.kind, job.id, job.request, parts)

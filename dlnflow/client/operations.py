"""What can be asked of a service, as flows of requests that both clients carry out."""

import io
import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import httpx2
import numpy as np

from dlnflow.client.address import Address
from dlnflow.client.answers import reading
from dlnflow.client.documents import Object, Page, Record, Upload, require
from dlnflow.client.errors import NOT_THE_SERVICE, ApiError, InvalidRequest, ServiceUnavailable, WaitTimeout
from dlnflow.client.results import AnyResult, read_result
from dlnflow.client.state import JobState
from dlnflow.client.wire import RETRIED, Call, Flow, Pause, send
from dlnflow.client.words import read_data, read_request
from dlnflow.wire import matrix
from dlnflow.wire.requests import Request, request_adapter
from dlnflow.wire.results import stored_as

POLL_SECONDS = 1
SHORT_ID = re.compile("[0-9a-f]{4,31}")
PATIENT = 6  # retries while waiting for a job, about half a minute: a service may be started again meanwhile
Watcher = Callable[[Any], None]
P = TypeVar("P")


def as_request(request: Request | Mapping[str, Any] | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON of a request, checked; raises InvalidRequest, which names the field. What is left out is left to the service."""
    return read_request(request_adapter, request, fields)[0]


def job_path(job_id: str, part: str = "") -> str:
    """The path of a job, or of a part of it; raises InvalidRequest where that cannot be its id."""
    return f"/v1/jobs/{_quoted('job_id', job_id)}" + (f"/{part}" if part else "")


def dataset_path(dataset_id: str) -> str:
    """The path of a data set; raises InvalidRequest where that cannot be its id."""
    return f"/v1/datasets/{_quoted('dataset_id', dataset_id)}"


def listen(job_id: str, last_id: str | None) -> Call:
    """The request for the events of a job, from after `last_id` on."""
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
    return Call("GET", job_path(job_id, "events"), {"headers": headers})


def _quoted(name: str, value: Any) -> str:
    found = value.strip() if isinstance(value, str) else ""
    if found in ("", ".", ".."):
        raise InvalidRequest([name], f"{name}: {value!r} is no id; it is the `id` of a record, a text of 32 letters")
    return quote(found, safe="", errors="replace")


class Operations:
    """The calls of a client of the service at `address`, which repeats a failed one `retries` times."""

    def __init__(self, address: Address, retries: int) -> None:
        self.address, self._retries = address, retries

    def send(
        self, method: str, path: str, retries: int | None = None, deadline: float | None = None, **options: Any
    ) -> Flow[httpx2.Response]:
        """One request with retries."""
        return send(Call(method, path, options), self._retries if retries is None else retries, self.address, deadline)

    def read(self, parse: Callable[[httpx2.Response], P], method: str, path: str, **options: Any) -> Flow[P]:
        """What `parse` makes of the answer to one request; raises ApiError where that is none of a dlnflow service."""
        answer = yield from self.send(method, path, **options)
        with reading(answer, self.address, path):
            return parse(answer)

    def document(self, shape: Any, method: str, path: str, **options: Any) -> Flow[Object]:
        """The JSON object of this `shape` that one request is answered with."""
        return self.read(lambda answer: require(shape, answer.json()), method, path, **options)

    def record(self, job_id: str, wait: int = 0, timeout: float | None = None) -> Flow[Object]:
        """A job's record; with `wait`, at its end or after so many seconds. Raises WaitTimeout after `timeout` seconds without one."""
        headers, retries = ({"Prefer": f"wait={wait}"}, PATIENT) if wait else ({}, None)
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            found: Object = yield from self.read(
                lambda answer: _record(answer, job_id), "GET", job_path(job_id), retries=retries, deadline=deadline, headers=headers
            )
        except (ServiceUnavailable, ApiError) as error:
            passes = not isinstance(error, ApiError) or error.status in RETRIED
            if passes and deadline is not None and time.monotonic() >= deadline:
                raise WaitTimeout(f"no news of job {job_id} after {timeout:g} s: {error}") from error
            raise
        return found

    def find(self, job_id: str) -> Flow[Object]:
        """The record of the job with this id, or with an id that begins so; raises InvalidRequest where several do."""
        start = job_id.strip() if isinstance(job_id, str) else job_id
        if not isinstance(start, str) or not SHORT_ID.fullmatch(start):
            return (yield from self.record(job_id))
        query: dict[str, Any] = {"limit": 500}
        found: list[Object] = []
        while True:
            page = yield from self.document(Page, "GET", "/v1/jobs", params=query)
            found += [record for record in page["jobs"] if record["id"].startswith(start)]
            if page["cursor"] is None or len(found) > 1:
                break
            query["cursor"] = page["cursor"]
        if len(found) > 1:
            raise InvalidRequest(["job_id"], f"job_id: the ids of several jobs begin with {start}; give more of it")
        return found[0] if found else (yield from self.record(job_id))

    def upload(self, data: matrix.Data, header: bool | None, index: bool | None) -> Flow[Object]:
        """Keep a data set; its record."""
        content, said = _file(data, header, index)
        options = {"content": content, "params": said, "headers": {"Content-Type": "application/octet-stream"}}
        return self.document(Upload, "POST", "/v1/datasets", **options)

    def wait(self, job: JobState, timeout: float | None, watch: Watcher | None) -> Flow[None]:
        """Look at `job` until it has finished; raises JobFailed, or WaitTimeout after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not job.finished:
            began = time.monotonic()
            left = None if deadline is None else deadline - began
            if left is not None and left <= 0:
                raise WaitTimeout(f"job {job.id} is still {job.status} ({job.progress:.0%}) after {timeout} s")
            if watch:
                watch(job)
            seconds = POLL_SECONDS if left is None else min(POLL_SECONDS, int(left))
            job.record = yield from self.record(job.id, wait=seconds, timeout=left)
            if not job.finished and time.monotonic() < began + 0.2:  # something on the way does not honour `Prefer: wait`
                yield Pause(POLL_SECONDS if left is None else min(POLL_SECONDS, left))
        if watch:
            watch(job)
        job.require_success()

    def part(self, parse: Callable[[bytes], P], job_id: str, name: str, format: str = "npz") -> Flow[P]:
        """What `parse` makes of one part of a result."""
        return self.read(lambda answer: parse(answer.content), "GET", job_path(job_id, name), params={"format": format})

    def result(self, job: JobState) -> Flow[AnyResult]:
        """Everything that a job has found, by its kind."""
        parts: dict[str, bytes] = {}
        for name in job.parts:
            parts[name] = yield from self.part(bytes, job.id, name, stored_as(name))
        try:
            return read_result(job.kind, job.id, job.request, parts)
        except MemoryError:
            raise
        except Exception as error:
            detail = f"the result of job {job.id} at {self.address} cannot be read: {error!r}"
            raise ApiError(200, {"code": NOT_THE_SERVICE, "detail": detail}, f"{self.address}{job_path(job.id)}") from error


def _record(answer: httpx2.Response, job_id: str) -> Object:
    """The record of the job that was asked for, and of no other."""
    found = require(Record, answer.json())
    if found["id"] != job_id.strip():
        raise ValueError(f"the job {found['id']} is another one")
    return found


def _file(data: matrix.Data, header: bool | None, index: bool | None) -> tuple[bytes, dict[str, bool]]:
    """A file as it is, and what was said of it; or an NPY file of a matrix in memory, whose index is left out. Raises InvalidRequest."""
    if isinstance(data, str | os.PathLike):
        with open(os.path.expanduser(data), "rb") as file:
            data = file.read()
    if isinstance(data, bytes | bytearray):
        said = {"header": header, "index": index}
        return bytes(data), {name: value for name, value in said.items() if value is not None}
    buffer = io.BytesIO()
    np.save(buffer, read_data(data, header, index).values, allow_pickle=False)
    return buffer.getvalue(), {"index": False}

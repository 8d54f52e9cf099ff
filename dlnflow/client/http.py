"""The synchronous client: carries the operations out, one after the other."""

import os
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self, Unpack

import httpx2

from dlnflow.client.address import Address, read_address, read_key
from dlnflow.client.answers import silence
from dlnflow.client.connections import Connections
from dlnflow.client.documents import Object, Page, Record, Uploads
from dlnflow.client.errors import ServiceUnavailable
from dlnflow.client.events import Event, EventParser, require_stream
from dlnflow.client.fields import Axes, JobFields
from dlnflow.client.job import Job
from dlnflow.client.operations import Operations, as_request, dataset_path, job_path, listen
from dlnflow.client.results import Sweep
from dlnflow.client.wire import Call, Flow, Pause, T
from dlnflow.wire.matrix import Data
from dlnflow.wire.requests import Request


class Client:
    """A dlnflow service at `url` (default: `DLNFLOW_URL`, then http://127.0.0.1:8000), with `DLNFLOW_API_KEY` as its key.

    `http` may be any httpx2.Client that is bound to the service, a test client among them. A context manager; safe to share among threads.
    """

    def __init__(self, url: str | None = None, *, api_key: str | None = None, http: httpx2.Client | None = None, retries: int = 2) -> None:
        address = Address(http.base_url) if http is not None else read_address(url)
        self._connections = Connections(httpx2.Client, http, address, read_key(api_key))
        self.operations = Operations(address, retries)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.operations.address}>"

    def submit(self, request: Request | Mapping[str, Any] | None = None, **fields: Unpack[JobFields]) -> Job:
        """Submit a job, given as a request model, a dict or its fields; raises InvalidRequest or ApiError."""
        return Job(self, self.run(self.operations.document(Record, "POST", "/v1/jobs", json=as_request(request, fields))))

    def estimate(self, request: Request | Mapping[str, Any] | None = None, **fields: Unpack[JobFields]) -> dict[str, Any]:
        """What a job would cost, in seconds and bytes, without running it."""
        return self.run(self.operations.document(Object, "POST", "/v1/estimate", json=as_request(request, fields)))

    def sweep(self, base: Request | Mapping[str, Any], axes: Axes, *, timeout: float | None = None, bar: bool = True) -> Sweep:
        """Run `base`, a job, at every point of the grid of `axes`, which name its fields by dotted paths; the table of all of them."""
        job = self.submit(kind="sweep", base=base, axes=axes)
        found = job.result(timeout, bar=bar)
        assert isinstance(found, Sweep)
        return found

    def job(self, job_id: str) -> Job:
        """Attach to a job by its id, or by the first letters of it, four or more."""
        return Job(self, self.run(self.operations.find(job_id)))

    def jobs(self, *, status: str | None = None, kind: str | None = None) -> Iterator[Job]:
        """Jobs, newest first, of one status and one kind where these are given; asks for further pages as it goes."""
        wanted = {"status": status, "kind": kind}
        query: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
        while True:
            page = self.run(self.operations.document(Page, "GET", "/v1/jobs", params=query))
            yield from (Job(self, record) for record in page["jobs"])
            if page["cursor"] is None:
                return
            query["cursor"] = page["cursor"]

    def cancel(self, job_id: str) -> Job:
        """Stop a job; raises ApiError (409) where it has finished."""
        return self.job(job_id).cancel()

    def delete(self, job_id: str) -> None:
        """Forget a finished job and its result; raises ApiError (409) where it has not finished. Others who asked for it keep it."""
        self.run(self.operations.send("DELETE", job_path(self.job(job_id).id, "result")))

    def upload(self, data: Data, *, header: bool | None = None, index: bool | None = None) -> dict[str, Any]:
        """Keep a matrix whose rows simulations draw: an array, a frame, or the path of a CSV, NPY, NPZ, Parquet or Arrow file.

        The answer has its `id`, `rows` and `columns`, and how it was read. `header` says whether the first row of a CSV file names the
        columns, `index` whether the first column names the rows and is left out; what may be either is refused where they are not given.
        """
        return self.run(self.operations.upload(data, header, index))

    def datasets(self) -> list[dict[str, Any]]:
        """The data sets that the service keeps, newest first."""
        return list((self.run(self.operations.document(Uploads, "GET", "/v1/datasets")))["datasets"])

    def delete_dataset(self, dataset_id: str) -> None:
        """Forget a data set; finished results stay."""
        self.run(self.operations.send("DELETE", dataset_path(dataset_id)))

    def limits(self) -> dict[str, Any]:
        """The limits in force."""
        return self.run(self.operations.document(Object, "GET", "/v1/limits"))

    def send(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """One request, repeated where that can help; raises ApiError or ServiceUnavailable."""
        return self.run(self.operations.send(method, path, **options))

    def events(self, job_id: str, last_id: str | None = None) -> Iterator[Event]:
        """The events of a job over one connection, from after `last_id` on; raises NoEvents, or ServiceUnavailable where it breaks."""
        parser, call, process = EventParser(), listen(job_id, last_id), os.getpid()
        try:
            with self._connections.here().stream(call.method, call.path, **call.options) as answer:
                require_stream(answer)
                for line in answer.iter_lines():
                    if event := parser.feed(line):
                        yield event
                    if os.getpid() != process:
                        raise ServiceUnavailable("the connection belongs to another process")
        except httpx2.RequestError as error:
            raise silence(self.operations.address, call, error) from error

    def run(self, flow: Flow[T]) -> T:
        """Carry a flow of requests out."""
        reply: httpx2.Response | httpx2.RequestError | None = None
        while True:
            try:
                step = flow.send(reply)
            except StopIteration as end:
                result: T = end.value
                return result
            reply = self._perform(step)

    def _perform(self, step: Call | Pause) -> httpx2.Response | httpx2.RequestError | None:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        try:
            return self._connections.here().request(step.method, step.path, **step.options)
        except httpx2.RequestError as error:
            return error

    def close(self) -> None:
        """Close the connection."""
        for http in self._connections.take():
            http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

"""The asynchronous client: carries the same operations out and waits without blocking."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self, Unpack

import httpx2

from dlnflow.client.address import Address, read_address, read_key
from dlnflow.client.answers import silence
from dlnflow.client.async_job import AsyncJob
from dlnflow.client.connections import Connections
from dlnflow.client.documents import Object, Page, Record, Uploads
from dlnflow.client.events import Event, EventParser, require_stream
from dlnflow.client.fields import Axes, JobFields
from dlnflow.client.operations import Operations, as_request, dataset_path, job_path, listen
from dlnflow.client.results import Sweep
from dlnflow.client.wire import Call, Flow, Pause, T
from dlnflow.wire.matrix import Data
from dlnflow.wire.requests import Request


class AsyncClient:
    """The methods of `Client`, to be awaited. An asynchronous context manager."""

    def __init__(
        self, url: str | None = None, *, api_key: str | None = None, http: httpx2.AsyncClient | None = None, retries: int = 2
    ) -> None:
        address = Address(http.base_url) if http is not None else read_address(url)
        self._connections = Connections(httpx2.AsyncClient, http, address, read_key(api_key))
        self.operations = Operations(address, retries)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.operations.address}>"

    async def submit(self, request: Request | Mapping[str, Any] | None = None, **fields: Unpack[JobFields]) -> AsyncJob:
        """Submit a job, given as a request model, a dict or its fields; raises InvalidRequest or ApiError."""
        return AsyncJob(self, await self.run(self.operations.document(Record, "POST", "/v1/jobs", json=as_request(request, fields))))

    async def estimate(self, request: Request | Mapping[str, Any] | None = None, **fields: Unpack[JobFields]) -> dict[str, Any]:
        """What a job would cost, in seconds and bytes, without running it."""
        return await self.run(self.operations.document(Object, "POST", "/v1/estimate", json=as_request(request, fields)))

    async def sweep(self, base: Request | Mapping[str, Any], axes: Axes, *, timeout: float | None = None, bar: bool = True) -> Sweep:
        """Run `base`, a job, at every point of the grid of `axes`, which name its fields by dotted paths; the table of all of them."""
        job = await self.submit(kind="sweep", base=base, axes=axes)
        found = await job.result(timeout, bar=bar)
        assert isinstance(found, Sweep)
        return found

    async def job(self, job_id: str) -> AsyncJob:
        """Attach to a job by its id, or by the first letters of it, four or more."""
        return AsyncJob(self, await self.run(self.operations.find(job_id)))

    async def jobs(self, *, status: str | None = None, kind: str | None = None) -> AsyncIterator[AsyncJob]:
        """Jobs, newest first, of one status and one kind where these are given; asks for further pages as it goes."""
        wanted = {"status": status, "kind": kind}
        query: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
        while True:
            page = await self.run(self.operations.document(Page, "GET", "/v1/jobs", params=query))
            for record in page["jobs"]:
                yield AsyncJob(self, record)
            if page["cursor"] is None:
                return
            query["cursor"] = page["cursor"]

    async def cancel(self, job_id: str) -> AsyncJob:
        """Stop a job; raises ApiError (409) where it has finished."""
        return await (await self.job(job_id)).cancel()

    async def delete(self, job_id: str) -> None:
        """Forget a finished job and its result; raises ApiError (409) where it has not finished. Others who asked for it keep it."""
        await self.run(self.operations.send("DELETE", job_path((await self.job(job_id)).id, "result")))

    async def upload(self, data: Data, *, header: bool | None = None, index: bool | None = None) -> dict[str, Any]:
        """Keep a matrix whose rows simulations draw: an array, a frame, or the path of a CSV, NPY, NPZ, Parquet or Arrow file.

        The answer has its `id`, `rows` and `columns`, and how it was read. `header` says whether the first row of a CSV file names the
        columns, `index` whether the first column names the rows and is left out; what may be either is refused where they are not given.
        """
        return await self.run(self.operations.upload(data, header, index))

    async def datasets(self) -> list[dict[str, Any]]:
        """The data sets that the service keeps, newest first."""
        return list((await self.run(self.operations.document(Uploads, "GET", "/v1/datasets")))["datasets"])

    async def delete_dataset(self, dataset_id: str) -> None:
        """Forget a data set; finished results stay."""
        await self.run(self.operations.send("DELETE", dataset_path(dataset_id)))

    async def limits(self) -> dict[str, Any]:
        """The limits in force."""
        return await self.run(self.operations.document(Object, "GET", "/v1/limits"))

    async def send(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """One request, repeated where that can help; raises ApiError or ServiceUnavailable."""
        return await self.run(self.operations.send(method, path, **options))

    async def events(self, job_id: str, last_id: str | None = None) -> AsyncIterator[Event]:
        """The events of a job over one connection, from after `last_id` on; raises NoEvents, or ServiceUnavailable where it breaks."""
        parser, call = EventParser(), listen(job_id, last_id)
        try:
            async with self._connections.here().stream(call.method, call.path, **call.options) as answer:
                require_stream(answer)
                async for line in answer.aiter_lines():
                    if event := parser.feed(line):
                        yield event
        except httpx2.RequestError as error:
            raise silence(self.operations.address, call, error) from error

    async def run(self, flow: Flow[T]) -> T:
        """Carry a flow of requests out."""
        reply: httpx2.Response | httpx2.RequestError | None = None
        while True:
            try:
                step = flow.send(reply)
            except StopIteration as end:
                result: T = end.value
                return result
            reply = await self._perform(step)

    async def _perform(self, step: Call | Pause) -> httpx2.Response | httpx2.RequestError | None:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        try:
            return await self._connections.here().request(step.method, step.path, **step.options)
        except httpx2.RequestError as error:
            return error

    async def close(self) -> None:
        """Close the connection."""
        for http in self._connections.take():
            await http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

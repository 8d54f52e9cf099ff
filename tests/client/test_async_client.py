"""The asynchronous client does what the synchronous one does, and both stream."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx2
import numpy as np
import pytest

from dlnflow.client import AsyncClient, Client, JobFailed, ServiceUnavailable, as_completed, as_completed_async, wire
from tests.client.records import record
from tests.e2e.stack import LONG, QUICK, Stack


def test_both_clients_have_the_same_methods():
    names = {name for name in vars(Client) if not name.startswith("_")}
    assert names == {name for name in vars(AsyncClient) if not name.startswith("_")}


def test_from_submit_to_arrays(stack: Stack):
    async def use() -> None:
        async with AsyncClient(str(stack.client.base_url)) as client:
            job = await client.submit(QUICK | {"seed": 501})
            other = await client.submit(**QUICK | {"seed": 502})
            found = {done.id: done async for done in as_completed_async([job, other], timeout=60)}
            assert set(found) == {job.id, other.id}
            result = await job
            same = await (await client.job(job.id)).result()
            assert np.array_equal(result.curves.train_loss, same.curves.train_loss)
            assert result.kernels is None and result.converged
            assert [update.curves.time.tolist() async for update in job.stream()] == [[0, 0.5, 1]]
            assert job.id in [listed.id async for listed in client.jobs(kind="simulation")]
            assert (await client.limits())["max_body_bytes"] > 0

    asyncio.run(use())


def test_cancelling_ends_the_wait(stack: Stack):
    async def use() -> None:
        async with AsyncClient(str(stack.client.base_url)) as client:
            job = await client.submit(LONG | {"seed": 503})
            waiting = asyncio.create_task(job.exception())
            await client.cancel(job.id)
            assert isinstance(await waiting, JobFailed)

    asyncio.run(use())


def test_it_gives_up_with_a_clear_word(monkeypatch):
    monkeypatch.setattr(wire, "FIRST_DELAY", 0.01)
    calls: list[str] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        calls.append(request.method)
        raise httpx2.ConnectError("refused")

    async def use() -> None:
        async with AsyncClient(http=httpx2.AsyncClient(base_url="http://service", transport=httpx2.MockTransport(handle))) as client:
            await client.job("x")

    with pytest.raises(ServiceUnavailable, match="refused"):
        asyncio.run(use())
    assert len(calls) == 3


def test_a_job_is_a_future(stack: Stack):
    with Client(str(stack.client.base_url)) as client:
        jobs = [client.submit(QUICK | {"seed": seed}) for seed in (511, 512)]
        seen: list[str] = []
        jobs[0].add_done_callback(lambda job: seen.append(job.status))
        assert {job.id for job in as_completed(jobs, timeout=60)} == {job.id for job in jobs}
        assert all(job.done() and job.exception() is None for job in jobs)

        async def use() -> object:
            return await jobs[0]

        assert np.array_equal(asyncio.run(use()).curves.time, [0, 0.5, 1])
        assert jobs[0].result(bar=True).diagnostics["seed"] == 511
        assert seen == ["succeeded"]


EVENTS = [
    ("progress", {"status": "running", "progress": 0.5, "message": "t = 1"}),
    ("curve", {"time": [0.5, 1.0], "train_loss": [0.2, 0.1], "train_loss_stderr": [0.01, 0.01]}),
]


class BrokenStream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """Two events over a connection that breaks after the first."""

    def __init__(self, seen: str | None) -> None:
        number = 0 if seen is None else int(seen)
        name, data = EVENTS[number]
        self.text = f": hello\nid: {number + 1}\nevent: {name}\ndata: {json.dumps(data)}\n\n".encode()

    def __iter__(self):
        yield self.text
        raise httpx2.ReadError("broken")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.text
        raise httpx2.ReadError("broken")


def service(events: bool):
    """A job that is done after two looks, and its events."""
    looks: list[str] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/events"):
            if not events:
                return httpx2.Response(404, json={})
            stream = BrokenStream(request.headers.get("Last-Event-ID"))
            return httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, stream=stream)
        looks.append("look")
        status = "succeeded" if len(looks) > 2 else "running"
        return httpx2.Response(200, json=record(kind="theory", status=status, progress=0.5))

    return httpx2.MockTransport(handle)


@pytest.mark.parametrize("events", [True, False])
def test_a_stream_outlives_broken_connections_and_missing_events(events: bool):
    with Client(http=httpx2.Client(base_url="http://service", transport=service(events))) as client:
        updates = list(client.job("x").stream())

    async def use() -> list:
        async with AsyncClient(http=httpx2.AsyncClient(base_url="http://service", transport=service(events))) as client:
            return [update async for update in (await client.job("x")).stream()]

    again = asyncio.run(use())
    assert [(u.status, u.progress) for u in again] == [(u.status, u.progress) for u in updates]
    assert updates[-1].status == "succeeded"
    curves = [u.curves for u in updates if u.curves is not None]
    assert len(curves) == int(events)  # the second event was asked for with the id of the first
    if events:
        assert curves[0].train_loss.tolist() == [0.2, 0.1]
        assert np.isnan(curves[0].test_loss).all()

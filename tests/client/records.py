"""Records of jobs as the service writes them, for clients of transports that stand in for it."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2

from dlnflow.client import AsyncClient, Client

Handler = Callable[[httpx2.Request], httpx2.Response]


def record(job_id: str = "x", **changes: Any) -> dict[str, Any]:
    return {"id": job_id, "kind": "dmft", "status": "queued", "progress": 0.0, "request": {}, "links": {}} | changes


def client_of(handle: Handler, **options: Any) -> Client:
    return Client(http=httpx2.Client(base_url="http://service", transport=httpx2.MockTransport(handle)), **options)


def async_client_of(handle: Handler, **options: Any) -> AsyncClient:
    return AsyncClient(http=httpx2.AsyncClient(base_url="http://service", transport=httpx2.MockTransport(handle)), **options)


def on_both(handle: Handler, use: Callable[[Any], Any], **options: Any) -> list[Any]:
    """What `use` makes of the synchronous and of the asynchronous client, whose methods are the same: a value or an exception."""

    async def use_async() -> Any:
        found = use(async_client_of(handle, **options))
        return await found if hasattr(found, "__await__") else found

    return [_outcome(lambda: use(client_of(handle, **options))), _outcome(lambda: asyncio.run(use_async()))]


def _outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:
        return error

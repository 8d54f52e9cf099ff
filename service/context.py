"""What routes need, handed to them by FastAPI."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Request
from redis.asyncio import Redis

from dlnflow.wire.job import Job
from service.access import Caller as Identity
from service.access import Gate
from service.documents import Documents
from service.errors import Gone, NotFound
from service.live import Live
from service.roundtrip import RoundTrip
from store.jobs import JobStore
from store.settings import Settings


@dataclass(frozen=True)
class Context:
    """The parts of a running service."""

    settings: Settings
    store: JobStore
    send: Callable[[str], None]
    client: Redis
    ping: Callable[[str], None]

    @cached_property
    def live(self) -> Live:
        """The events of jobs."""
        return Live(self.client)

    @cached_property
    def worker(self) -> RoundTrip:
        """Whether workers take tasks."""
        return RoundTrip(self.store, self.ping)

    @cached_property
    def gate(self) -> Gate:
        """Lets requests in."""
        return Gate(self.client, self.settings)

    @cached_property
    def documents(self) -> Documents:
        """Parts of results as they were last sent."""
        return Documents()

    def job(self, job_id: str) -> Job:
        """The job, or a 404."""
        job = self.store.get(job_id)
        if job is None and self.store.expired(job_id):
            raise Gone(f"job {job_id} is no longer kept", hint="Submit it again with POST /v1/jobs.")
        if job is None:
            raise NotFound(f"there is no job {job_id}", code="unknown_job", hint="Submit it again with POST /v1/jobs.")
        return job


async def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Service = Annotated[Context, Depends(_context)]


async def admit(request: Request) -> Identity | None:
    """A dependency of every route that does or shows anything: who calls."""
    context: Context = request.app.state.context
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    key = token if scheme.lower() == "bearer" else request.headers.get("x-api-key")
    return await context.gate.admit(key, request.client.host if request.client else "")


Caller = Annotated[Identity | None, Depends(admit)]

"""What routes need, handed to them by FastAPI."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from dlnflow.jobs.job import Job
from dlnflow.jobs.settings import Settings
from dlnflow.jobs.store import JobStore
from service.errors import NotFound


@dataclass(frozen=True)
class Context:
    """The parts of a running service."""

    settings: Settings
    store: JobStore
    send: Callable[[str], None]

    def job(self, job_id: str) -> Job:
        """The job, or a 404."""
        job = self.store.get(job_id)
        if job is None:
            raise NotFound(f"there is no job {job_id}", code="unknown_job", hint="Submit it again with POST /v1/jobs.")
        return job


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Service = Annotated[Context, Depends(_context)]

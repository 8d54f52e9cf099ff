"""Bodies of answers that are not jobs."""

from urllib.parse import urlencode

from pydantic import BaseModel

from dlnflow.jobs.job import Job
from dlnflow.jobs.store import Page


class JobList(BaseModel):
    """One page of jobs, newest first; `cursor` and `next` are null on the last."""

    jobs: list[Job]
    cursor: str | None
    next: str | None

    @classmethod
    def of(cls, page: Page, **filters: object) -> "JobList":
        """The page, and the address of the next with the same filters."""
        if page.cursor is None:
            return cls(jobs=page.jobs, cursor=None, next=None)
        query = {name: value for name, value in filters.items() if value is not None} | {"cursor": page.cursor}
        return cls(jobs=page.jobs, cursor=str(page.cursor), next=f"/v1/jobs?{urlencode(query)}")


class Health(BaseModel):
    """The process lives."""

    status: str = "ok"


class Readiness(BaseModel):
    """The store answers and so does a worker."""

    status: str = "ready"
    workers: int
    queued: int


class Limits(BaseModel):
    """Limits in force."""

    max_body_bytes: int
    max_queued: int
    max_times: int
    max_wait_seconds: int
    time_limit_seconds: int
    max_attempts: int
    concurrent_jobs: int

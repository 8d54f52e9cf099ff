"""Bodies of answers that are not jobs."""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import urlencode

from pydantic import BaseModel

from dlnflow.wire.job import Job
from service.errors import Unprocessable
from store.records import Page


class JobList(BaseModel):
    """One page of jobs, newest first; `cursor` and `next` are null on the last."""

    jobs: list[Job]
    cursor: str | None
    next: str | None

    @classmethod
    def of(cls, page: Page, root: str, filters: Mapping[str, object]) -> "JobList":
        """The page, and the address of the next with the same filters, below the path `root`."""
        if page.cursor is None:
            return cls(jobs=page.jobs, cursor=None, next=None)
        cursor = base64.urlsafe_b64encode(page.cursor.to_bytes(8)).decode().rstrip("=")
        query = {name: value for name, value in filters.items() if value is not None} | {"cursor": cursor}
        return cls(jobs=page.jobs, cursor=cursor, next=f"{root}/v1/jobs?{urlencode(query)}")


def read_cursor(cursor: str | None) -> int | None:
    """What `JobList.cursor` stands for."""
    if cursor is None:
        return None
    try:
        return int.from_bytes(base64.b64decode(cursor + "=", altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise Unprocessable("cursor: it is not one that this service gave", field="cursor", hint="Leave it out to start anew.") from None


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
    max_dataset_bytes: int
    max_dataset_entries: int
    max_datasets: int
    max_points: int
    max_queued: int
    max_times: int
    max_wait_seconds: int
    max_seconds: float
    max_total_seconds: float
    max_memory_bytes: int
    max_client_jobs: int
    max_requests_per_minute: int
    time_limit_seconds: int
    max_attempts: int
    concurrent_jobs: int

"""The public record of a job, as `GET /v1/jobs/{id}` prints it."""

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field

Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Kind = Literal["dmft", "simulation", "theory", "comparison", "sweep"]
Cache = Literal["miss", "joined", "hit"]

STATUSES: tuple[Status, ...] = get_args(Status)
ENDS: tuple[Status, ...] = ("succeeded", "failed", "cancelled")
PARTS: dict[str, tuple[str, ...]] = {
    "dmft": ("curves", "order-parameters", "kernels", "diagnostics"),
    "simulation": ("curves", "order-parameters", "diagnostics"),
    "theory": ("theory", "diagnostics"),
    "comparison": ("comparison", "children", "diagnostics"),
    "sweep": ("children", "table", "diagnostics"),
}
ALL_PARTS = tuple(dict.fromkeys(part for parts in PARTS.values() for part in parts))


class JobError(BaseModel):
    """Why a job failed: a code for programs and a sentence for people."""

    code: str
    message: str


class Place(BaseModel):
    """Where a queued job stands: 1 is next; the wait in seconds, from what the latest jobs took, is null where that is not known."""

    position: int
    reason: str
    expected_wait: float | None = None


class PastAttempt(BaseModel):
    """One attempt at a job, and what ended it: succeeded, cancelled, worker_lost, worker_stopped or an error's code."""

    worker: str
    started_at: str
    ended_at: str
    cause: str


class Job(BaseModel):
    """A job and how far it has come. Times are UTC, ISO 8601."""

    id: str
    kind: Kind
    status: Status
    progress: float
    message: str
    seconds_left: Annotated[float | None, Field(description="while it runs: about how long it still takes, one digit")] = None
    created_at: str
    started_at: str | None = None
    finished_at: str | None = None
    attempts: int
    request: dict[str, Any]
    error: JobError | None = None
    queue: Place | None = None
    history: list[PastAttempt] = []
    links: dict[str, str]

    @property
    def finished(self) -> bool:
        """Whether the job has come to an end, good or bad."""
        return self.status in ENDS


class SubmittedJob(Job):
    """The answer to a submission: the job, and whether it was there already."""

    cache: Cache


def links(job_id: str, kind: str, root: str = "") -> dict[str, str]:
    """The addresses of a job and of its parts, below the path `root`."""
    address = f"{root}/v1/jobs/{job_id}"
    own = {"self": address, "events": f"{address}/events"}
    return own | {part: f"{address}/{part}" for part in PARTS[kind]}

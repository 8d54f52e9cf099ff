"""The jobs that a job is made of."""

from typing import Any

from pydantic import BaseModel

from dlnflow.wire import results
from dlnflow.wire.job import Job
from dlnflow.wire.requests import ParentRequest, job_id, request_adapter
from service.context import Context
from service.errors import NotFound


class Child(BaseModel):
    """One job of those that a job is made of, and what sets it apart from the others."""

    values: dict[str, Any]
    id: str
    status: str


def family(service: Context, job: Job) -> list[Child]:
    """The children of a job in their order. One that was not submitted yet is `queued`, one that is no longer kept is `gone`."""
    request = request_adapter.validate_python(job.request)
    if not isinstance(request, ParentRequest):
        raise NotFound(f"a job of kind {job.kind} has no children", hint="A sweep or a comparison has children.")
    ids = _ids(service, job, request)
    missing = "gone" if job.status == "succeeded" else "queued"
    states = enumerate(zip(ids, service.store.statuses(ids), strict=True))
    return [Child(values=request.values(i), id=child, status=state or missing) for i, (child, state) in states]


def _ids(service: Context, job: Job, request: ParentRequest) -> list[str]:
    """As they were when the job first ran; before that, as they will be."""
    stored = service.store.part(job.id, "children")
    if stored is None:
        return [job_id(request.child(index)) for index in range(request.size)]
    ids: list[str] = results.decode("children", stored)["ids"]
    return ids

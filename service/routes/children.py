"""Jobs that are made of others: which jobs those are, how far they have come, and what they found."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from dlnflow.wire import results, table
from dlnflow.wire.job import Job
from dlnflow.wire.requests import ComparisonRequest, SweepRequest, TimedRequest, request_adapter
from dlnflow.wire.summary import COLUMNS
from service.answers import Wish, respond
from service.context import Context, Service
from service.documents import Document
from service.errors import NotFound, Unprocessable
from service.family import Child, family
from service.formats import JSON
from service.negotiation import choose
from service.parts import Table

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["results"])

SUMMARY = "summary"


class Children(BaseModel):
    """All jobs that a job is made of. One that has not been submitted yet is `queued`; one that is no longer kept is `gone`."""

    total: int
    counts: dict[str, int]
    children: list[Child]


@router.get("/children")
def read_children(job_id: str, service: Service) -> Children:
    """The jobs that a sweep or a comparison is made of, with their states, also while they run."""
    found = family(service, service.job(job_id))
    states = [child.status for child in found]
    return Children(total=len(found), counts={state: states.count(state) for state in sorted(set(states))}, children=found)


@router.get("/table", response_model=Table)
def read_table(
    job_id: str,
    service: Service,
    wanted: Wish,
    at: Annotated[float | None, Query(ge=0, allow_inf_nan=False, description="adds the values of the curves at this time")] = None,
) -> Response:
    """One row per point of a sweep: the values on the axes, the child's id and status, and the final values of those that have them."""
    job = service.job(job_id)
    if job.kind != "sweep":
        raise NotFound(f"a job of kind {job.kind} has no table", hint="Only a sweep has one.")
    chosen = choose("table", wanted.format, wanted.accept)
    return respond(
        Document.of(chosen.encode(_table(service, job, at))),
        chosen.media_type,
        wanted,
        None if chosen is JSON else f"{job_id}-table.{chosen.name}",
    )


def _table(service: Context, job: Job, at: float | None) -> results.Document:
    request = request_adapter.validate_python(job.request)
    assert isinstance(request, SweepRequest)
    if at is not None:
        _require_times(request, at)
    members = family(service, job)
    done = [child.id for child in members if child.status == "succeeded"]
    found = {child: results.decode(SUMMARY, part) for child, part in service.store.parts(done, SUMMARY)}
    if at is not None:
        for child, part in service.store.parts(done, "curves"):
            found[child] |= table.values_at(results.decode("curves", part), at)
    columns = [*request.axes, "id", "status", *COLUMNS[request.base.kind], *(table.at_columns() if at is not None else [])]
    return table.table(columns, [child.values | {"id": child.id, "status": child.status} | found.get(child.id, {}) for child in members])


def _require_times(request: SweepRequest, at: float) -> None:
    if not isinstance(request.base, TimedRequest) or isinstance(request.base, ComparisonRequest):
        raise Unprocessable("at: only curves have values at a time", field="at", hint="Leave it out.")
    if "horizon" not in request.axes and at > request.base.horizon:
        raise Unprocessable(f"at: the curves end at {request.base.horizon:g}", field="at", hint="Ask for an earlier time.")

"""What jobs cost, and what is allowed."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from dlnflow import forecast
from dlnflow.wire.matrix import MAX_ENTRIES
from dlnflow.wire.requests import MAX_POINTS, MAX_TIMES
from service.admission import excess, require_json
from service.context import Context, Service
from service.data import with_data
from service.models import Limits
from service.openapi import REQUEST_BODY
from service.submission import read_request
from service.wait import LONGEST_WAIT
from store.jobs import MAX_ATTEMPTS

router = APIRouter(prefix="/v1", tags=["jobs"])


class Estimate(BaseModel):
    """What a job is expected to take, and the range in which four of five jobs are."""

    kind: str
    seconds: Annotated[float, Field(description="processor seconds, of all its jobs together")]
    seconds_range: Annotated[
        list[float],
        Field(
            min_length=2,
            max_length=2,
            description="least and most that four of five such jobs take; wide at interpolation and at small initial scales",
        ),
    ]
    memory_bytes: Annotated[int, Field(description="the most that any one of its jobs takes")]
    jobs: Annotated[int, Field(description="how many jobs it is made of; 1 for a plain one")]
    longest: Annotated[float, Field(description="processor seconds of the longest of its jobs")]
    pace: Annotated[float, Field(description="what the seconds were multiplied by: how slow the workers' machines were when last measured")]
    accepted: Annotated[bool, Field(description="whether it is within the limits of this service")]


@router.post("/estimate", openapi_extra=REQUEST_BODY)
async def estimate_job(request: Request, service: Service) -> Estimate:
    """Predict a job's seconds and memory; the body is that of a submission."""
    require_json(request.headers.get("content-type"))
    return await run_in_threadpool(_estimate, service, await request.body())


def _estimate(service: Context, body: bytes) -> Estimate:
    request = with_data(service, read_request(body))
    pace = service.store.workers.pace()
    cost = forecast.cost(request).at(pace)
    return Estimate(
        kind=request.kind,
        seconds=cost.seconds,
        seconds_range=[cost.low, cost.high],
        memory_bytes=cost.memory_bytes,
        jobs=cost.jobs,
        longest=cost.longest,
        pace=pace,
        accepted=not excess(cost, service.settings),
    )


@router.get("/limits")
async def read_limits(service: Service) -> Limits:
    """The limits in force."""
    return Limits(
        max_body_bytes=service.settings.max_body_bytes,
        max_dataset_bytes=service.settings.max_dataset_bytes,
        max_dataset_entries=MAX_ENTRIES,
        max_datasets=service.settings.max_datasets,
        max_points=MAX_POINTS,
        max_queued=service.settings.max_queued,
        max_times=MAX_TIMES,
        max_wait_seconds=LONGEST_WAIT,
        max_seconds=service.settings.max_seconds,
        max_total_seconds=service.settings.max_total_seconds,
        max_memory_bytes=service.settings.max_memory_bytes,
        max_client_jobs=service.settings.max_client_jobs,
        max_requests_per_minute=service.settings.max_requests_per_minute,
        time_limit_seconds=service.settings.time_limit,
        max_attempts=MAX_ATTEMPTS,
        concurrent_jobs=service.settings.workers,
    )

"""For operators: does it live, is it ready, what are its limits."""

from fastapi import APIRouter

from dlnflow.jobs.requests import MAX_TIMES
from dlnflow.jobs.store import MAX_ATTEMPTS
from service.context import Service
from service.errors import Unavailable
from service.routes.models import Health, Limits, Readiness
from service.wait import LONGEST_WAIT

router = APIRouter(tags=["operations"])

WORKER_SILENCE_SECONDS = 10.0


@router.get("/healthz")
async def health() -> Health:
    """This process lives."""
    return Health()


@router.get("/readyz")
def readiness(service: Service) -> Readiness:
    """The store is reachable and a worker was heard of lately."""
    workers = service.store.workers(seen_within=WORKER_SILENCE_SECONDS)
    if not workers:
        raise Unavailable("no worker answers at the moment; jobs are accepted and wait")
    return Readiness(workers=workers, queued=service.store.queued())


@router.get("/v1/limits")
async def limits(service: Service) -> Limits:
    """The limits in force."""
    return Limits(
        max_body_bytes=service.settings.max_body_bytes,
        max_queued=service.settings.max_queued,
        max_times=MAX_TIMES,
        max_wait_seconds=LONGEST_WAIT,
        time_limit_seconds=service.settings.time_limit,
        max_attempts=MAX_ATTEMPTS,
        concurrent_jobs=service.settings.workers,
    )

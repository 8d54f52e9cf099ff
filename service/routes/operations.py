"""For operators: does it live, is it ready."""

from fastapi import APIRouter

from service.context import Service
from service.errors import Unavailable
from service.models import Health, Readiness

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def read_health() -> Health:
    """This process lives."""
    return Health()


@router.get("/readyz")
def read_readiness(service: Service) -> Readiness:
    """The store takes jobs, and a worker takes tasks from the queue or all of them are busy."""
    service.store.require_writable()
    workers = service.store.workers.count()
    if not workers or not service.worker.answered():
        raise Unavailable("no worker answers at the moment; jobs are accepted and wait")
    return Readiness(workers=workers, queued=service.store.queued())

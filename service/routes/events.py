"""The events of a job as a stream that the server sends (text/event-stream)."""

import re
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from dlnflow.wire.job import Job
from service.context import Service
from service.errors import NothingMore

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

EVENT_ID = re.compile(r"\d{1,18}(-\d{1,18})?")


LastEventId = Annotated[str | None, Header(description="the last event that was seen; those after it are sent")]


def _watched(job_id: str, service: Service, last_event_id: LastEventId = None) -> Job:
    """The job, or a problem before anything is streamed; whoever has seen the last event need not come again."""
    job = service.job(job_id)
    if job.finished and (after := _seen(last_event_id)) and not service.store.events(job_id, after, count=1):
        raise NothingMore
    return job


def _seen(last_event_id: str | None) -> str | None:
    return last_event_id if last_event_id and EVENT_ID.fullmatch(last_event_id) else None


@router.get("/{job_id}/events", response_class=EventSourceResponse, responses={204: {"description": "nothing more will happen"}})
async def follow_job(
    job: Annotated[Job, Depends(_watched)], service: Service, last_event_id: LastEventId = None
) -> AsyncIterator[ServerSentEvent]:
    """What happens to a job: `progress`, `preview` (the curves as they are known so far, later ones in the place of earlier ones), `curve`
    (the part of the curves that is final) and, last, `done`. Comments keep the stream open."""
    after = _seen(last_event_id) or "0"
    told = False
    async for event in service.live.follow(job.id, after):
        told = True
        yield ServerSentEvent(event=event.type, id=event.id, raw_data=event.data)
    if not told and after == "0" and job.finished:  # its events are no longer kept
        yield ServerSentEvent(event="done", data={"status": job.status, "message": job.message, "error": job.error and job.error.code})

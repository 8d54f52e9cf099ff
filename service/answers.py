"""Answers that are documents: what a client wants, and has already; what was made for others a moment ago; the response."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Query, Response
from starlette.concurrency import run_in_threadpool

from service.context import Context
from service.documents import Document
from store.records import outcome


@dataclass(frozen=True)
class Wanted:
    """What a client wants to get, and what it has already."""

    format: Annotated[str | None, Query(description="json, csv or npz; overrides Accept")] = None
    accept: Annotated[str | None, Header()] = None
    if_none_match: Annotated[str | None, Header()] = None


Wish = Annotated[Wanted, Depends()]


async def cached(service: Context, job_id: str, kind: tuple[str, ...], make: Callable[[], Document]) -> Document:
    """A document of a job's result, which `kind` tells from its others; made where it is not kept, and kept where there is a result."""
    finished = await _version(service, job_id)
    if finished is None:
        return await run_in_threadpool(make)
    key = (job_id, *kind, finished)
    document = service.documents.get(key)
    if document is None:
        document = await run_in_threadpool(make)
        service.documents.put(key, document)
    return document


def respond(document: Document, media_type: str, wanted: Wanted, file: str | None = None) -> Response:
    """A document, to be saved as `file` where that is given, or 304 where the client has it."""
    headers = {"ETag": document.tag, "Vary": "Accept", "Cache-Control": "private, no-cache"}
    if _matches(wanted.if_none_match, document.tag):
        return Response(status_code=304, headers=headers)
    if file:
        headers["Content-Disposition"] = f'attachment; filename="{file}"'
    return Response(document.body, headers=headers, media_type=media_type)


async def _version(service: Context, job_id: str) -> bytes | None:
    """What tells one result of a job from another, as it was a moment ago; None where there is no result."""
    if known := service.documents.version(job_id):
        return known
    found = (await outcome(service.client, job_id)).version
    if found is not None:
        service.documents.note(job_id, found)
    return found


def _matches(if_none_match: str | None, tag: str) -> bool:
    candidates = [item.strip().removeprefix("W/") for item in (if_none_match or "").split(",")]
    return "*" in candidates or tag in candidates

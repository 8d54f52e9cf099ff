"""The parts of a result, in the format that the client asks for."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Header, Query, Response
from starlette.concurrency import run_in_threadpool

from dlnflow.wire import results
from dlnflow.wire.job import PARTS, Job, links
from service import parts
from service.context import Context, Service
from service.documents import Document
from service.errors import Conflict, Gone, NotFound
from service.formats import JSON, NPZ, Format
from service.negotiation import choose
from store import keys

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["results"])


@dataclass(frozen=True)
class Wanted:
    """What a client wants to get, and what it has already."""

    format: Annotated[str | None, Query(description="json, csv or npz; overrides Accept")] = None
    accept: Annotated[str | None, Header()] = None
    if_none_match: Annotated[str | None, Header()] = None


Wish = Annotated[Wanted, Depends()]


@router.get("/curves", response_model=parts.Curves)
async def read_curves(job_id: str, service: Service, wanted: Wish) -> Response:
    """Losses over time, with standard errors."""
    return await _answer(service, job_id, "curves", wanted)


@router.get("/order-parameters", response_model=parts.OrderParameters)
async def read_order_parameters(job_id: str, service: Service, wanted: Wish) -> Response:
    """Overlap and norms over time, and statistics of w given w*."""
    return await _answer(service, job_id, "order-parameters", wanted)


@router.get("/kernels", response_model=parts.Kernels)
async def read_kernels(job_id: str, service: Service, wanted: Wish) -> Response:
    """Two-time correlations and responses of a mean-field solve."""
    return await _answer(service, job_id, "kernels", wanted)


@router.get("/theory", response_model=parts.Theory)
async def read_theory(job_id: str, service: Service, wanted: Wish) -> Response:
    """Where the problem ends, how fast and on which time scales, each with its formula, source and range."""
    return await _answer(service, job_id, "theory", wanted)


@router.get("/comparison", response_model=parts.Comparison)
async def read_comparison(job_id: str, service: Service, wanted: Wish) -> Response:
    """The differences between the simulation and the mean-field theory, in standard errors, and a verdict."""
    return await _answer(service, job_id, "comparison", wanted)


@router.get("/diagnostics", response_model=parts.Diagnostics)
async def read_diagnostics(job_id: str, service: Service, wanted: Wish) -> Response:
    """How the solve went, and how far to trust it."""
    return await _answer(service, job_id, "diagnostics", wanted)


async def _answer(service: Context, job_id: str, part: str, wanted: Wanted) -> Response:
    chosen = choose(part, wanted.format, wanted.accept)
    finished = await version(service, job_id)
    key = (job_id, part, chosen.name, finished)
    document = service.documents.get(key) if finished else None
    if document is None:
        document = await run_in_threadpool(_encode, service, job_id, part, chosen)
        if finished:
            service.documents.put(key, document)
    return respond(document, chosen.media_type, wanted, None if chosen is JSON else f"{job_id}-{part}.{chosen.name}")


async def version(service: Context, job_id: str) -> bytes | None:
    """What tells one result of a job from another: when it finished; None where there is no result."""
    if known := service.documents.version(job_id):
        return known
    pipeline = service.client.pipeline(transaction=False)
    pipeline.hmget(keys.job(job_id), "status", "finished_at")
    pipeline.exists(keys.result(job_id))
    (status, finished), kept = await pipeline.execute()
    if status != b"succeeded" or not kept:
        return None
    service.documents.note(job_id, finished)
    return cast(bytes, finished)


def respond(document: Document, media_type: str, wanted: Wanted, file: str | None = None) -> Response:
    """A document, to be saved as `file` where that is given, or 304 where the client has it."""
    headers = {"ETag": document.tag, "Vary": "Accept", "Cache-Control": "private, no-cache"}
    if _matches(wanted.if_none_match, document.tag):
        return Response(status_code=304, headers=headers)
    if file:
        headers["Content-Disposition"] = f'attachment; filename="{file}"'
    return Response(document.body, headers=headers, media_type=media_type)


def _encode(service: Context, job_id: str, part: str, chosen: Format) -> Document:
    stored = _stored(service, job_id, part)
    if part in results.ARRAYS and chosen is NPZ:
        return Document.of(stored)
    document = results.decode(part, stored)
    if part == "comparison":  # whose links are as the worker knew them
        jobs = document["jobs"].items()
        document["jobs"] = {kind: {"id": job["id"], "links": links(job["id"], kind, service.settings.root_path)} for kind, job in jobs}
    return Document.of(chosen.encode(document))


def _stored(service: Context, job_id: str, part: str) -> bytes:
    """The bytes of one part, or why there are none."""
    job = service.job(job_id)
    if part not in PARTS[job.kind]:
        raise NotFound(f"a job of kind {job.kind} has no {part}", hint=f"It has {', '.join(PARTS[job.kind])}.")
    require_success(job)
    stored = service.store.part(job_id, part)
    if stored is None:
        raise Gone(f"the result of job {job_id} is no longer kept", hint="Submit it again with POST /v1/jobs.")
    return stored


def require_success(job: Job) -> None:
    """Raise where a job has no result, and say why."""
    if job.error is not None:
        raise Conflict(f"job {job.id} failed: {job.error.message}", code=job.error.code, hint="Submitting it again runs it again.")
    if job.status == "cancelled":
        raise Conflict(f"job {job.id} was cancelled", code="cancelled", hint="Submitting it again runs it again.")
    if not job.finished:
        raise Conflict(f"job {job.id} is {job.status}", code="not_finished", hint="Wait for it.", headers={"Retry-After": "1"})


def _matches(if_none_match: str | None, tag: str) -> bool:
    candidates = [item.strip().removeprefix("W/") for item in (if_none_match or "").split(",")]
    return "*" in candidates or tag in candidates

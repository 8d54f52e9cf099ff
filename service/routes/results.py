"""The parts of a result, in the format that the client asks for."""

from functools import partial

from fastapi import APIRouter, Response

from dlnflow.wire import results
from dlnflow.wire.job import PARTS, links
from service import parts
from service.answers import Wanted, Wish, cached, respond
from service.context import Context, Service
from service.documents import Document
from service.errors import Gone, NotFound
from service.formats import JSON, NPZ, Format
from service.jobs import require_success
from service.negotiation import choose

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["results"])


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
    document = await cached(service, job_id, (part, chosen.name), partial(_encode, service, job_id, part, chosen))
    return respond(document, chosen.media_type, wanted, None if chosen is JSON else f"{job_id}-{part}.{chosen.name}")


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

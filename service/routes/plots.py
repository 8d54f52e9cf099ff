"""Curves as pictures, drawn here for those who have no plotting of their own."""

from collections.abc import Iterator
from functools import partial

from fastapi import APIRouter, Response

from dlnflow.wire import results
from dlnflow.wire.job import PARTS, Job
from service.answers import Wanted, Wish, cached, respond
from service.context import Context, Service
from service.documents import Document
from service.errors import NotFound, Unprocessable
from service.family import Child, family
from service.jobs import require_success

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["results"])

MOST_CHILDREN = 6
MEDIA_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


@router.get("/plot.svg")
async def plot_svg(job_id: str, service: Service, wanted: Wish) -> Response:
    """The curves, log-log, with bands of ± one standard error; dotted grey below its own error."""
    return await _answer(service, job_id, "svg", wanted)


@router.get("/plot.png")
async def plot_png(job_id: str, service: Service, wanted: Wish) -> Response:
    """The same as pixels."""
    return await _answer(service, job_id, "png", wanted)


async def _answer(service: Context, job_id: str, format: str, wanted: Wanted) -> Response:
    document = await cached(service, job_id, ("plot", format), partial(_draw, service, job_id, format))
    return respond(document, MEDIA_TYPES[format], wanted)


def _draw(service: Context, job_id: str, format: str) -> Document:
    from service.plot import NothingToDraw, draw  # matplotlib is slow to load

    job = service.job(job_id)
    if job.kind == "theory":
        raise NotFound("a job of kind theory has no curves", hint="Plot a dmft or simulation job of the same problem.")
    require_success(job)
    curves = list(_curves(service, job))
    if not curves:
        raise NotFound(f"no job of {job_id} has curves", hint="Its list of children says why.")
    try:
        return Document.of(draw(curves, format, f"{job.kind} {job.id}"))
    except NothingToDraw as error:
        raise Unprocessable(f"times: {error}", code="nothing_to_draw", field="times", hint="Ask for later times.") from None


def _curves(service: Context, job: Job) -> Iterator[tuple[str, results.Document]]:
    """The labelled curves: the job's own, or those of the first of its children that have any."""
    own = [Child(values={"kind": job.kind}, id=job.id, status=job.status)]
    children = own if "curves" in PARTS[job.kind] else [child for child in family(service, job) if child.status == "succeeded"]
    for child in children[:MOST_CHILDREN]:
        if stored := service.store.part(child.id, "curves"):
            label = ", ".join(str(value) if name == "kind" else f"{name} = {value}" for name, value in child.values.items())
            yield label, results.decode("curves", stored)

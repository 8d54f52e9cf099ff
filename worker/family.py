"""One turn of a job that is made of others: submit children while there is room, gather what they found when all have finished."""

from collections.abc import Callable

from dlnflow.solution import Cancelled, Observer, SolveError
from dlnflow.wire import results
from dlnflow.wire.comparison import compare
from dlnflow.wire.job import Job
from dlnflow.wire.requests import ComparisonRequest, ParentRequest, job_id
from store.jobs import Attempt, JobStore
from store.lua.frame import MOST_OPEN
from worker.announce import announce


def take_turn(
    store: JobStore, attempt: Attempt, request: ParentRequest, observe: Observer, send: Callable[[], None]
) -> dict[str, results.Document] | None:
    """The parts of the result, or None where the job waits for its children again."""
    submitted = store.submitted(attempt)
    observe((submitted - store.unfinished(attempt)) / request.size, attempt.job.message)
    ids = [job_id(request.child(index)) for index in range(request.size)]
    children: dict[str, results.Document] = {"children": {"ids": ids}}
    store.keep(attempt, "children", results.encode(children)["children"])
    while submitted < request.size or store.unfinished(attempt):
        while submitted < request.size and store.unfinished(attempt) < MOST_OPEN:
            _submit(store, attempt, request, submitted, send)
            submitted += 1
        match store.pause(attempt, submitted, request.size):
            case "waiting":
                return None
            case "lost":
                raise Cancelled
    return _gather(store, attempt, request, ids) | children


def _submit(store: JobStore, attempt: Attempt, request: ParentRequest, index: int, send: Callable[[], None]) -> None:
    child = request.child(index)
    match store.submit_child(attempt, child):
        case "miss":
            announce(store, send)
        case "gone":
            raise Cancelled


def _gather(store: JobStore, attempt: Attempt, request: ParentRequest, ids: list[str]) -> dict[str, results.Document]:
    if isinstance(request, ComparisonRequest):
        return _comparison(store, attempt, request, ids)
    jobs = store.many(ids)
    ends = [job.status if job else "gone" for job in jobs]
    failures = sum(end != "succeeded" for end in ends)
    advice = f"{failures} of {len(ids)} jobs have no result; the list of children says which and why." if failures else ""
    outcome = "converged" if not failures else "incomplete"
    return {"diagnostics": {"outcome": outcome, "advice": advice, "jobs": {end: ends.count(end) for end in sorted(set(ends))}}}


def _comparison(store: JobStore, attempt: Attempt, request: ComparisonRequest, ids: list[str]) -> dict[str, results.Document]:
    jobs = [_require_result(store, attempt, child, store.get(child)) for child in ids]
    curves, diagnostics = ([_part(store, child, name) for child in ids] for name in ("curves", "diagnostics"))
    document = compare(*curves, *diagnostics)
    addresses = {job.kind: {"id": job.id, "links": job.links} for job in jobs}
    return {
        "comparison": document | {"jobs": addresses},
        "diagnostics": {"outcome": document["verdict"], "advice": "", "jobs": dict(zip(addresses, diagnostics, strict=True))},
    }


def _require_result(store: JobStore, attempt: Attempt, child: str, job: Job | None) -> Job:
    if job is None:
        raise SolveError("internal", f"the result of job {child} is gone; submit the comparison again")
    if job.status == "cancelled":
        store.cancel(attempt.job.id)
        raise Cancelled
    if job.error is not None:
        raise SolveError(job.error.code, f"its {job.kind} job {child} failed: {job.error.message}")
    return job


def _part(store: JobStore, child: str, name: str) -> results.Document:
    part = store.part(child, name)
    if part is None:
        raise SolveError("internal", f"the result of job {child} is gone; submit the comparison again")
    return results.decode(name, part)

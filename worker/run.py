"""One attempt at one job: claim it, solve it, store how it ended."""

import gc
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import redis

from dlnflow import dmft, forecast, simulation, solving, theory  # noqa: F401 (solvers are loaded before the first job, not by it)
from dlnflow.provenance import Parts, forget_peak, signed
from dlnflow.solution import Cancelled, SolveError
from dlnflow.wire import results
from dlnflow.wire.requests import ParentRequest, Request, SimulationRequest, request_adapter
from dlnflow.wire.summary import summarise
from store.jobs import Attempt, JobStore
from worker import memory
from worker.announce import announce
from worker.family import take_turn
from worker.heartbeat import Heartbeat
from worker.notes import Notes
from worker.pace import Pace

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Post:
    """Where a job is run: the worker's name, the seconds that a job of a kind may take, whom to tell what, and how fast the machine is."""

    worker: str
    limit: Callable[[str], float]
    notes: Notes
    send: Callable[[], None]
    pace: Pace


def run_job(store: JobStore, post: Post) -> bool:
    """Run the job that is next to its end and let others know where more wait; False where there is none for this worker."""
    attempt = store.claim(post.worker)
    if attempt is None:
        return False
    announce(store, post.send)  # now, not at the end: two that end together would see one message and wake one worker
    limit = post.limit(attempt.job.kind)
    post.notes.begin(attempt, limit)
    try:
        _run(store, attempt, limit, post)
    finally:
        post.notes.end()
        memory.give_back()
    announce(store, post.send)  # of a job that waited for this slot, or of a parent that this end woke
    post.pace.refresh(time.monotonic())
    return True


def _run(store: JobStore, attempt: Attempt, limit: float, post: Post) -> None:
    try:
        with Heartbeat(store, attempt, limit) as heartbeat:
            parts = _parts(store, attempt, heartbeat, post)
        if parts is not None:
            if "curves" in parts:
                store.add_curve(attempt, results.to_json(parts["curves"]))
            store.succeed(attempt, results.encode(parts))
        return
    except Cancelled:
        log.info("job %s: taken away, stopped", attempt.id)
    except redis.RedisError:  # the store does not take what was found: nothing is wrong with the job, which another attempt ends
        raise
    except Exception as error:
        store.fail(attempt, *_explain(attempt.id, error))
    gc.collect()  # what was raised holds the arrays of the solve in a cycle: gigabytes that would count for the next job


def _explain(job_id: str, error: Exception) -> tuple[str, str]:
    """The error code of a failed job and what to tell its owner."""
    match error:
        case SolveError():
            return error.code, str(error)
        case MemoryError():
            return "out_of_memory", "the job needs more memory than the worker has; try a smaller one"
        case ArithmeticError() | np.linalg.LinAlgError():
            log.warning("job %s: a number left the range of doubles", job_id, exc_info=error)
            return "diverged", "a number became 0 or infinite that may be neither; bring the scales of the problem nearer to 1"
    log.error("job %s failed", job_id, exc_info=error)
    return "internal", "the solver failed in a way that it should not; the worker's log says how"


def _parts(store: JobStore, attempt: Attempt, heartbeat: Heartbeat, post: Post) -> Parts | None:
    """The parts of the result; None where the job waits for others."""
    request = request_adapter.validate_python(attempt.job.request)
    forget_peak()
    if isinstance(request, ParentRequest):
        began = time.perf_counter()
        gathered = take_turn(store, attempt, request, heartbeat.observe, post.send)
        parts = gathered and signed(gathered, request, began)
    else:
        heartbeat.expect(forecast.cost(request).at(post.pace.value).seconds)  # until the solver knows better
        parts = solving.produce(request, heartbeat.observe, _data(store, request), heartbeat)
    return parts and parts | {"summary": summarise(parts)}


def _data(store: JobStore, request: Request) -> solving.Data | None:
    """The data set that a simulation uses."""
    if not isinstance(request, SimulationRequest) or request.design.dataset is None:
        return None
    data = store.datasets.rows(request.design.dataset)
    if data is None:
        raise SolveError("internal", f"data set {request.design.dataset} was deleted; upload it again")
    return data

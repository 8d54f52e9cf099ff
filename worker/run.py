"""One attempt at one job: claim it, solve it, store how it ended."""

import gc
import logging
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import redis
from numpy.typing import NDArray

from dlnflow import __version__, dmft, simulation, theory
from dlnflow.solution import Array, Cancelled, Journal, Observer, Solution, SolveError
from dlnflow.wire import results
from dlnflow.wire.requests import DmftRequest, ParentRequest, Request, SimulationRequest, TheoryRequest, request_adapter
from dlnflow.wire.summary import summarise
from store.jobs import Attempt, JobStore
from worker import memory
from worker.announce import announce
from worker.family import take_turn
from worker.heartbeat import Heartbeat
from worker.notes import Notes
from worker.pace import Pace

Floats = NDArray[np.float32]

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
        _run(store, attempt, limit, post.send)
    finally:
        post.notes.end()
        memory.give_back()
    announce(store, post.send)  # of a job that waited for this slot, or of a parent that this end woke
    post.pace.refresh(time.monotonic())
    return True


def _run(store: JobStore, attempt: Attempt, limit: float, send: Callable[[], None]) -> None:
    try:
        with Heartbeat(store, attempt, limit) as heartbeat:
            parts = _run_measured(store, attempt, heartbeat, send)
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


def _run_measured(store: JobStore, attempt: Attempt, heartbeat: Heartbeat, send: Callable[[], None]) -> dict[str, results.Document] | None:
    """The parts of the result, with what the run cost added to its diagnostics; None where the job waits for others."""
    request = request_adapter.validate_python(attempt.job.request)
    memory.forget_peak()
    start = time.perf_counter()
    if isinstance(request, ParentRequest):
        parts = take_turn(store, attempt, request, heartbeat.observe, send)
    else:
        parts = produce(request, heartbeat.observe, _data(store, request), heartbeat)
    if parts is None:
        return None
    cost = request.model_dump(include={"seed"}) | {
        "versions": {"dlnflow": __version__, "numpy": np.__version__, "python": platform.python_version()},
        "wall_time": time.perf_counter() - start,
        "peak_memory_bytes": memory.peak(),
    }
    return parts | {"summary": summarise(parts), "diagnostics": cost | parts["diagnostics"]}


def _data(store: JobStore, request: Request) -> Floats | None:
    """The data set that a simulation uses."""
    if not isinstance(request, SimulationRequest) or request.design.dataset is None:
        return None
    data = store.datasets.rows(request.design.dataset)
    if data is None:
        raise SolveError("internal", f"data set {request.design.dataset} was deleted; upload it again")
    return data


def produce(
    request: DmftRequest | SimulationRequest | TheoryRequest, observe: Observer, data: Floats | None = None, journal: Journal | None = None
) -> dict[str, results.Document]:
    """The parts of a request's result."""
    if isinstance(request, TheoryRequest):
        return {"theory": theory.predict(request.problem, request.dynamics).to_dict(), "diagnostics": {"outcome": "converged"}}
    return results.documents(solve(request, observe, data, journal))


def solve(
    request: DmftRequest | SimulationRequest, observe: Observer, data: Floats | None = None, journal: Journal | None = None
) -> Solution:
    """Hand a request for curves to its solver."""
    times: Array | None = None if request.times is None else np.array(request.times)
    if isinstance(request, DmftRequest):
        return dmft.solve(
            request.problem,
            request.horizon,
            times=times,
            accuracy=request.accuracy,
            seed=request.seed,
            observe=observe,
            journal=journal,
            dynamics=request.dynamics,
            truncation=request.truncation,
        )
    return simulation.simulate(
        request.problem,
        request.horizon,
        times=times,
        dimension=request.dimension,
        replicas=request.replicas,
        seed=request.seed,
        observe=observe,
        journal=journal,
        dynamics=request.dynamics,
        design=request.design,
        standard_error=request.standard_error,
        data=data,
        truncation=request.truncation,
    )

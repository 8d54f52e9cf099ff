"""One attempt at one job: claim it, solve it, store how it ended."""

import dataclasses
import logging
import platform
import resource
import sys
import time

import numpy as np
from celery.exceptions import SoftTimeLimitExceeded

from dlnflow import __version__
from dlnflow.jobs import results
from dlnflow.jobs.requests import DmftRequest, Request, request_adapter
from dlnflow.jobs.store import Attempt, JobStore
from dlnflow.solution import Array, Cancelled, Observer, Solution, SolveError
from worker.heartbeat import Heartbeat

log = logging.getLogger(__name__)


def run_job(store: JobStore, job_id: str, worker: str) -> None:
    """Run a queued job to its end; does nothing where another message was faster or the job was cancelled."""
    attempt = store.claim(job_id, worker)
    if attempt is None:
        return
    try:
        with Heartbeat(store, attempt) as heartbeat:
            parts = results.encode(_solve_measured(attempt, heartbeat.observe))
        store.succeed(attempt, parts)
    except Cancelled:
        log.info("job %s: taken away, stopped", job_id)
    except Exception as error:
        store.fail(attempt, *_explain(job_id, error))


def _explain(job_id: str, error: Exception) -> tuple[str, str]:
    """The error code of a failed job and what to tell its owner."""
    match error:
        case SolveError():
            return error.code, str(error)
        case MemoryError():
            return "out_of_memory", "the job needs more memory than the worker has; try a smaller one"
        case SoftTimeLimitExceeded():
            return "timeout", "the job took longer than the service's time limit; try a shorter horizon or a lower accuracy"
    log.error("job %s failed", job_id, exc_info=error)
    return "internal", "the solver failed in a way that it should not; the worker's log says how"


def _solve_measured(attempt: Attempt, observe: Observer) -> Solution:
    """The solution, with what the run cost added to its diagnostics."""
    request = request_adapter.validate_python(attempt.job.request)
    start = time.perf_counter()
    solution = solve(request, observe)
    cost = {
        "seed": request.seed,
        "versions": {"dlnflow": __version__, "numpy": np.__version__, "python": platform.python_version()},
        "wall_time": time.perf_counter() - start,
        "peak_memory_bytes": _peak_memory(),
    }
    return dataclasses.replace(solution, diagnostics=cost | solution.diagnostics)


def solve(request: Request, observe: Observer) -> Solution:
    """Hand a request to its solver."""
    times: Array | None = None if request.times is None else np.array(request.times)
    if isinstance(request, DmftRequest):
        from dlnflow import dmft

        return dmft.solve(request.problem, request.horizon, times=times, accuracy=request.accuracy, seed=request.seed, observe=observe)
    from dlnflow import simulation

    return simulation.simulate(
        request.problem,
        request.horizon,
        times=times,
        dimension=request.dimension,
        replicas=request.replicas,
        seed=request.seed,
        observe=observe,
        dynamics=request.dynamics,
        design=request.design,
        standard_error=request.standard_error,
    )


def _peak_memory() -> int:
    """The largest resident size of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak

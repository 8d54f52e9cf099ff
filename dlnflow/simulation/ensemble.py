"""Averages over independent networks, the finite-size counterpart of the mean-field solution (arXiv 2510.01930; MATH §1)."""

import os
import resource
import sys
import threading
import time as clock
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from dlnflow import __version__
from dlnflow.grids import default_times
from dlnflow.problem import Problem
from dlnflow.simulation.flow import Flow, trajectory
from dlnflow.simulation.network import draw_network
from dlnflow.simulation.observables import NAMES, Weights, classify, conditional, coordinates_kept, measure
from dlnflow.solution import Array, Cancelled, Observer, Solution, ignore_progress

REPORT_EVERY = 0.25  # seconds between two calls of the observer


def simulate(
    problem: Problem,
    horizon: float,
    *,
    times: Array | None = None,
    dimension: int,
    replicas: int,
    seed: int = 0,
    observe: Observer = ignore_progress,
    threads: int | None = None,
) -> Solution:
    """Mean and standard error over `replicas` ≥ 2 networks of `dimension` d and round(δ d) samples, on `times`, shape (T,).

    Data, teacher and noise are drawn afresh for every replica, whose random numbers depend on `seed` and its own number only. The
    result has the same bits for any number of `threads` (default: one per processor); each thread uses one BLAS thread.
    Raises `SolveError` where the flow cannot be followed, and whatever `observe` raises.
    """
    start = clock.perf_counter()
    time = default_times(horizon) if times is None else np.asarray(times, dtype=np.float64)
    ensemble = Ensemble(problem, time, dimension, replicas, seed)
    with threadpool_limits(1, user_api="blas"):
        runs = ensemble.run(threads or _processors(), observe)
    values = np.array([run.values for run in runs])
    stderr = values.std(axis=0, ddof=1) / np.sqrt(replicas)
    return Solution(
        time=time,
        values=dict(zip(NAMES, values.mean(axis=0), strict=True)),
        stderr=dict(zip(NAMES, stderr, strict=True)),
        conditional=conditional(problem.target, [run.weights for run in runs]),
        diagnostics=ensemble.diagnostics(runs) | {"wall_time": clock.perf_counter() - start},
    )


@dataclass(frozen=True)
class Run:
    """One replica: `values` has shape (len(NAMES), T)."""

    values: Array
    weights: Weights
    steps: int


class Ensemble:
    """The replicas of one simulation, the progress of each, and the signal that stops them."""

    def __init__(self, problem: Problem, time: Array, dimension: int, replicas: int, seed: int) -> None:
        self.problem = problem
        self.time = time
        self.dimension = dimension
        self.replicas = replicas
        self.seed = seed
        self._reached = np.zeros(replicas)
        self._stopped = threading.Event()

    def run(self, threads: int, observe: Observer) -> list[Run]:
        """Every replica, in order."""
        with ThreadPoolExecutor(min(threads, self.replicas)) as pool:
            runs = [pool.submit(self._replica, number) for number in range(self.replicas)]
            with self._stopping(runs):
                while wait(runs, timeout=REPORT_EVERY, return_when="FIRST_EXCEPTION").not_done:
                    _raise_first(runs)
                    observe(*self._progress())
                return [run.result() for run in runs]

    @contextmanager
    def _stopping(self, runs: list[Future[Run]]) -> Iterator[None]:
        """On an exception let no replica start and stop those that run."""
        try:
            yield
        except BaseException:
            self._stopped.set()
            for run in runs:
                run.cancel()
            raise

    def _replica(self, number: int) -> Run:
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, number]))
        network = draw_network(self.problem, self.dimension, rng)
        kept = coordinates_kept(self.dimension, len(self.time), self.replicas)
        flow = Flow(network, self.time[-1], watch=lambda t: self._report(number, t))
        values, w_kept = np.empty((len(NAMES), len(self.time))), np.empty((len(self.time), kept))
        for i, H in enumerate(trajectory(flow, self.time)):
            t = self.time[i]
            w = network.weights(t, H)
            observed = measure(network, self.problem, t, H, w)
            values[:, i] = [observed[name] for name in NAMES]
            w_kept[i] = w[:kept]
        self._reached[number] = flow.end
        return Run(values, Weights(w_kept, classify(self.problem.target, network.teacher[:kept])), flow.steps)

    def _report(self, number: int, t: float) -> None:
        if self._stopped.is_set():
            raise Cancelled
        self._reached[number] = t

    def _progress(self) -> tuple[float, str]:
        """The fraction done, on a scale between linear and logarithmic in time, and where the first unfinished replica is."""
        end = self.time[-1]
        done = float(np.mean(np.log1p(self._reached) / np.log1p(end)))
        number = int(np.argmax(self._reached < end))
        return done, f"replica {number + 1} of {self.replicas}, t = {self._reached[number]:.2g} of {end:g}"

    def diagnostics(self, runs: list[Run]) -> dict[str, Any]:
        """What was run and what it took."""
        return {
            "outcome": "converged",
            "advice": "",
            "seed": self.seed,
            "dimension": self.dimension,
            "samples": round(self.problem.aspect_ratio * self.dimension),
            "replicas": self.replicas,
            "steps": sum(run.steps for run in runs),
            "versions": {"dlnflow": __version__, "numpy": np.__version__},
            "peak_memory_bytes": _peak_memory(),
        }


def _raise_first(runs: list[Future[Run]]) -> None:
    for run in runs:
        if run.done():
            run.result()


def _processors() -> int:
    """Those that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _peak_memory() -> int:
    """The largest resident size of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak

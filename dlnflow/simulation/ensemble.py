"""Averages over independent networks, the finite-size counterpart of the mean-field solution (arXiv 2510.01930)."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from dlnflow.grids import default_times
from dlnflow.left import by_progress
from dlnflow.model import DesignKind, Dynamics, GaussianDesign, GradientDescent, GradientFlow, Problem, StochasticGradientFlow
from dlnflow.simulation import replicas as kept
from dlnflow.simulation.descent import Descent, descend
from dlnflow.simulation.draw import draw_network
from dlnflow.simulation.flow import Flow, follow
from dlnflow.simulation.memory import BUDGET, concurrency, processors, replica_bytes
from dlnflow.simulation.network import Network
from dlnflow.simulation.observables import Weights, conditional, coordinates_kept, measure
from dlnflow.simulation.products import Floats
from dlnflow.simulation.replicas import Run, largest_error, statistics
from dlnflow.simulation.snapshots import Snapshots, Watcher
from dlnflow.simulation.stochastic import StochasticFlow, follow_noise
from dlnflow.solution import NAMES, Array, Cancelled, Journal, Observer, Solution, ignore_progress

BLAS = ThreadpoolController()  # of the libraries that are loaded by now; to look for them takes as long as a small simulation
FIRST_BATCH = 4  # replicas before a standard error means anything
Started = tuple[Flow | Descent | StochasticFlow, Iterator[Snapshots]]
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
    journal: Journal | None = None,
    threads: int | None = None,
    dynamics: Dynamics | None = None,
    design: DesignKind | None = None,
    standard_error: float | None = None,
    memory: int = BUDGET,
    data: Floats | None = None,
    truncation: float | None = None,
) -> Solution:
    """Mean and standard error over `replicas` ≥ 2 networks of `dimension` d and round(δ d) samples, on `times`, shape (T,).

    Data, teacher, noise, random initial values and the batches of steps are drawn afresh for every replica, whose random numbers depend
    on `seed` and its own number only. The result has the same bits for any number of `threads` (default: one per processor). As many
    replicas run at a time as fit into `memory` bytes; where only one does and it is large, its products with X use two threads.

    `dynamics` is gradient flow unless given; gradient descent shows at a time the network after the last step before it, and diverges
    with `SolveError` where its steps are too long, as does stochastic gradient flow at too high a temperature. `design` is Gaussian unless
    given; a design of kind dataset needs the standardised matrix `data`, shape (N, d). With `standard_error`, the replicas end as soon
    as the relative standard error of every curve, or of 1e-3 of its largest value where that is more, is down to it: this is looked
    at after 4, 8, 16, … replicas. With `truncation` M, u and v are clipped to
    [−M, M] in the dynamics and in w. Replicas that are done are kept in `journal`, and not run again where it has them from an
    earlier attempt. Raises `ValueError` where there are too few coordinates or replicas, or the steps of
    a schedule end before the last time, `SolveError` where the network cannot be followed, and whatever `observe` raises.
    """
    if dimension < 1 or replicas < 2:
        raise ValueError(f"dimension is {dimension} and replicas {replicas}: give at least 1 and 2.")
    time = default_times(horizon) if times is None else np.asarray(times, dtype=np.float64)
    ensemble = Ensemble(problem, time, dimension, replicas, seed, dynamics or GradientFlow(), design or GaussianDesign(), data, truncation)
    with BLAS.limit(limits=1, user_api="blas"):
        runs = ensemble.run(threads or processors(), observe, standard_error, memory, journal or Journal())
    values, stderr = statistics(runs)
    return Solution(
        time=time,
        values=dict(zip(NAMES, values, strict=True)),
        stderr=dict(zip(NAMES, stderr, strict=True)),
        conditional=conditional(problem, [run.weights for run in runs]),
        diagnostics=ensemble.diagnostics(runs, standard_error),
    )


class Ensemble:
    """The replicas of one simulation, the progress of each, and the signal that stops them."""

    def __init__(
        self,
        problem: Problem,
        time: Array,
        dimension: int,
        replicas: int,
        seed: int,
        dynamics: Dynamics = GradientFlow(),  # noqa: B008 (frozen)
        design: DesignKind = GaussianDesign(),  # noqa: B008 (frozen)
        data: Floats | None = None,
        truncation: float | None = None,
    ) -> None:
        self.problem = problem
        self.time = time
        self.dimension = dimension
        self.replicas = replicas
        self.seed = seed
        self.dynamics = dynamics
        self.design = design
        self.data = data
        self.truncation = truncation
        self._reached = np.zeros(replicas)
        self._earlier: dict[int, Run] = {}
        self._stopped = threading.Event()

    def run(
        self,
        threads: int,
        observe: Observer,
        standard_error: float | None = None,
        memory: int = BUDGET,
        journal: Journal = Journal(),  # noqa: B008 (keeps nothing)
    ) -> list[Run]:
        """Every replica, in order, or as many as `standard_error` asks for."""
        observe = by_progress(observe, journal)
        self._earlier = {} if journal.earlier is None else kept.load(journal.earlier)
        together = concurrency(
            replica_bytes(self.problem, self.dimension, self.design, float(self.time[-1]), self.dynamics), self.replicas, threads, memory
        )
        within = threads if together == 1 else 1
        with ThreadPoolExecutor(together) as pool:
            runs: list[Run] = []
            while len(runs) < self.replicas and not self._precise(runs, standard_error):
                numbers = range(len(runs), self._next_stop(len(runs), standard_error))
                runs += self._batch(pool, numbers, within, observe, partial(self._note, journal, runs))
            return runs

    def _note(self, journal: Journal, before: list[Run], batch: list[Future[Run]]) -> None:
        """Keep the replicas that are done, and show their averages."""
        done = dict(enumerate(before)) | {len(before) + i: run.result() for i, run in enumerate(batch) if run.done()}
        journal.save(partial(kept.save, done))
        if len(done) > 1:
            values, stderr = (dict(zip(NAMES, each, strict=True)) for each in statistics(list(done.values())))
            journal.preview(self.time, values, stderr)

    def _next_stop(self, done: int, standard_error: float | None) -> int:
        """How many replicas there will be when the standard error is looked at next."""
        return self.replicas if standard_error is None else min(self.replicas, max(FIRST_BATCH, 2 * done))

    def _precise(self, runs: list[Run], standard_error: float | None) -> bool:
        return standard_error is not None and len(runs) >= FIRST_BATCH and largest_error(runs) <= standard_error

    def _batch(
        self, pool: Executor, numbers: range, threads: int, observe: Observer, note: Callable[[list[Future[Run]]], None]
    ) -> list[Run]:
        runs, known = [pool.submit(self._replica, number, threads) for number in numbers], 0
        with self._stopping(runs):
            while wait(runs, timeout=REPORT_EVERY, return_when="FIRST_EXCEPTION").not_done:
                _raise_first(runs)
                observe(*self._progress())
                if (done := sum(run.done() for run in runs)) > known:
                    note(runs)
                    known = done
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

    def _replica(self, number: int, threads: int) -> Run:
        if number in self._earlier:
            self._reached[number] = self.time[-1]
            return self._earlier[number]
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, number]))
        keep = self.dynamics.is_stochastic
        network = draw_network(self.problem, self.dimension, rng, self.design, threads, self.data, self.truncation, keep)
        kept = coordinates_kept(self.dimension, len(self.time), self.replicas)
        values, w_kept, done = np.empty((len(NAMES), len(self.time))), np.empty((len(self.time), kept)), 0
        state, snapshots = self._start(network, rng, lambda t: self._report(number, t))
        for at in snapshots:
            part = slice(done, done := done + len(at.t))
            observed = measure(network, self.problem, at)
            values[:, part] = [observed[name] for name in NAMES]
            w_kept[part] = at.w[:, :kept]
        self._reached[number] = self.time[-1]
        return Run(values, Weights(w_kept, self.problem.classify(network.members[:kept], network.teacher[:kept])), state.steps)

    def _start(self, network: Network, rng: np.random.Generator, watch: Watcher) -> Started:
        def flow(_: GradientFlow) -> Started:
            state = Flow(network, self.time[-1], watch=watch)
            return state, follow(state, self.time)

        def descent(dynamics: GradientDescent) -> Started:
            state = Descent(network, dynamics, float(self.time[-1]), rng, watch)
            return state, descend(state, self.time)

        def stochastic(dynamics: StochasticGradientFlow) -> Started:
            noisy = StochasticFlow(network, dynamics.temperature, rng, watch)
            return noisy, follow_noise(noisy, self.time)

        return self.dynamics.choose(flow, descent, stochastic)

    def _report(self, number: int, t: float) -> None:
        if self._stopped.is_set():
            raise Cancelled
        self._reached[number] = t

    def _progress(self) -> tuple[float, str]:
        """The fraction done, on a scale between linear and logarithmic in time, and where the first unfinished replica is."""
        end = self.time[-1]
        done = float(np.mean(np.log1p(self._reached) / np.log1p(end))) if end > 0 else 0.0
        number = int(np.argmax(self._reached < end))
        return done, f"replica {number + 1} of {self.replicas}, t = {self._reached[number]:.2g} of {end:g}"

    def diagnostics(self, runs: list[Run], standard_error: float | None) -> dict[str, Any]:
        """What was run, what it took and whether the standard error that was asked for was reached."""
        reached = largest_error(runs)
        missed = standard_error is not None and reached > standard_error
        return {
            "outcome": "not_converged" if missed else "converged",
            "advice": _advice(len(runs), reached, standard_error) if standard_error is not None and missed else "",
            "dimension": self.dimension,
            "samples": round(self.problem.aspect_ratio * self.dimension),
            "replicas": len(runs),
            "relative_standard_error": reached,
            "steps": sum(run.steps for run in runs),
        }


def _advice(replicas: int, reached: float, wanted: float) -> str:
    need = int(np.ceil(1.2 * replicas * (reached / wanted) ** 2))
    return f"The standard error is {reached:.2g} after {replicas} replicas. Raise replicas to about {need}, or dimension."


def _raise_first(runs: list[Future[Run]]) -> None:
    for run in runs:
        if run.done():
            run.result()

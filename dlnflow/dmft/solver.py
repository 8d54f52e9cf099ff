"""The solver: a pilot pass chooses the panels, independent scrambles on these panels give the curves and their errors.

The error of a curve has three parts. *Time step*: the pilot on the same panels with one node more each. *Sampling*: the
spread of independent scrambles. *Fixed point*: the residual at which the panels' iterations stopped. Panels or paths are refined
until their sum is below `accuracy`, relative to the curve or to `FLOOR` times its value at t = 0, whichever is larger.
"""

import resource
import time as clock
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import numpy as np
from threadpoolctl import threadpool_limits

from dlnflow import __version__
from dlnflow.dmft import panel, radau, sampling
from dlnflow.dmft.observables import NAMES, Record, conditions
from dlnflow.dmft.panel import FLOOR
from dlnflow.dmft.state import State, start
from dlnflow.grids import default_times
from dlnflow.problem import Problem
from dlnflow.solution import CURVES, Array, Conditional, Observer, Solution, SolveError, ignore_progress

ORDER = 4
SCRAMBLES = 8
THREADS = 2
PILOT_PATHS = 24
FIRST_PATHS = 1024
MOST_PATHS = 32768
MOST_PANELS = 100
MOST_MEMORY = 1.5e9
SHARE_OF_TIME_ERROR = 0.4
PILOT_SHARE = 0.2


@dataclass(frozen=True)
class Pass:
    """One causal pass: the record of its curves, its final state and the largest residual and sum of iterations."""

    record: Record
    state: State
    residual: float
    iterations: int


class Progress:
    """Turns the panels done by several threads into one fraction, and stops all of them when the observer raises."""

    def __init__(self, observe: Observer, horizon: float) -> None:
        self.observe, self.horizon = observe, horizon
        self.lock = Lock()
        self.stopped: BaseException | None = None
        self.stage(0.0, PILOT_SHARE, MOST_PANELS)

    def stage(self, low: float, high: float, panels: int) -> None:
        """The panels to come take the progress from `low` to `high`."""
        self.low, self.high, self.done, self.total = low, high, 0, panels

    def panel(self, right: float) -> None:
        """A panel ending at `right` is done."""
        with self.lock:
            if self.stopped:
                raise self.stopped
            self.done += 1
            fraction = self.low + (self.high - self.low) * min(1.0, self.done / self.total)
            try:
                self.observe(fraction, f"t = {right:.3g} of {self.horizon:g}")
            except BaseException as error:
                self.stopped = error
                raise


def solve(
    problem: Problem,
    horizon: float,
    *,
    times: Array | None = None,
    accuracy: float = 0.01,
    seed: int = 0,
    observe: Observer = ignore_progress,
) -> Solution:
    """Solve the dynamical mean-field theory up to `horizon` (dimensionless time of arXiv 2510.01930).

    `times`, shape (T,), increasing, within [0, horizon]; by default `grids.default_times(horizon)`. Raises SolveError
    where no panel length makes the iteration settle, and passes on what `observe` raises. The same arguments give the same bits.
    """
    began = clock.perf_counter()
    grid = default_times(horizon) if times is None else np.asarray(times, dtype=float)
    progress = Progress(observe, horizon)
    root = np.random.SeedSequence(seed)
    with threadpool_limits(1):
        edges, plan, time_error = _choose_panels(problem, horizon, grid, accuracy, root.spawn(1)[0], progress)
        passes, edges, paths = _sample(problem, edges, plan, grid, accuracy, time_error, root, progress)
    return _solution(problem, grid, accuracy, passes, time_error, paths, edges, seed, clock.perf_counter() - began)


def _choose_panels(
    problem: Problem, horizon: float, grid: Array, accuracy: float, seed: np.random.SeedSequence, progress: Progress
) -> tuple[list[float], list[int], dict[str, Array]]:
    """Panel edges whose time-step error is a share of `accuracy`, the new modes on each, and that error, relative, by curve."""
    sample = sampling.draw(problem, int(min(8192, max(512, PILOT_PATHS / accuracy))), seed)
    best = np.inf
    tolerance = 0.5 * accuracy**0.5
    for _ in range(4):
        try:
            coarse = _adaptive_pass(problem, sample, grid, horizon, tolerance, progress)
        except SolveError:
            if best < np.inf:
                break
            raise
        edges = coarse.state.edges[1:]
        try:
            fine = _pass(problem, sample, grid, edges, coarse.state.new_modes, ORDER + 1, progress)
        except panel.PanelFailure:
            tolerance /= 2
            continue
        error = _change(coarse.record.values, fine.record.values)
        worst = max(error[name].max() for name in CURVES)
        if worst < best:
            best, chosen = worst, (edges, coarse.state.new_modes, error)
        if worst < SHARE_OF_TIME_ERROR * accuracy or worst > best or len(edges) > MOST_PANELS // 2:
            break
        tolerance *= max(0.2, 0.8 * (SHARE_OF_TIME_ERROR * accuracy / worst) ** 0.8)
    if best == np.inf:
        raise SolveError("not_converged", "The panels' iterations do not settle. Try another seed or a shorter horizon.")
    return chosen


def _change(coarse: dict[str, Array], fine: dict[str, Array]) -> dict[str, Array]:
    return {name: _relative(np.abs(coarse[name] - value), value) for name, value in fine.items()}


def _relative(change: Array, value: Array) -> Array:
    """`change` relative to `value`, or to FLOOR of the largest value where that is more; zero where both vanish."""
    scale = np.maximum(np.abs(value), FLOOR * np.abs(value).max())
    return np.divide(change, scale, out=np.zeros_like(change), where=scale > 0)


def _first_width(problem: Problem, horizon: float) -> float:
    """A first panel on which nothing moves far: a tenth of the fastest linear rate 2a²(1 + 1/√δ)² + λ, or of the search."""
    rate = 2 * problem.initial_scale**2 * (1 + problem.aspect_ratio**-0.5) ** 2 + 2 * problem.weight_decay
    drive = np.sqrt((problem.target_second_moment + problem.noise_std**2) / problem.aspect_ratio + problem.target_second_moment)
    return float(min(horizon, 0.3 / (rate + drive)))


def _adaptive_pass(problem: Problem, sample: sampling.Sample, grid: Array, horizon: float, tolerance: float, progress: Progress) -> Pass:
    state, record = start(problem, sample, ORDER, MOST_PANELS), Record(problem, sample, grid)
    width, iterations, residual = _first_width(problem, horizon), 0, 0.0
    while state.edges[-1] < horizon:
        if state.is_full:
            reached = f"{MOST_PANELS} panels reach only t = {state.edges[-1]:.3g}."
            raise SolveError("not_converged", f"{reached} Try a larger accuracy or a shorter horizon.")
        left = state.edges[-1]
        right = horizon if left + 1.2 * width >= horizon else left + width
        try:
            solved = panel.solve(state, right, _iteration_tolerance(tolerance))
        except panel.PanelFailure:
            width /= 2
            if width < 1e-9 * max(1e-3, left):
                raise SolveError("not_converged", f"The iteration does not settle at t = {left:.3g}. Try a smaller horizon.") from None
            continue
        rough = panel.roughness(state, solved)
        factor = float(np.clip(0.9 * (tolerance / max(rough, 1e-12)) ** (1 / ORDER), 0.3, 2.0))
        if rough > 2 * tolerance and factor < 0.8:
            width = (right - left) * factor
            continue
        record.add(state, solved)
        panel.accept(state, solved)
        progress.panel(right)
        width = max(width, right - left) * factor
        iterations, residual = iterations + solved.iterations, max(residual, float(solved.residual))
    return Pass(record, state, residual, iterations)


def _iteration_tolerance(accuracy: float) -> float:
    return min(1e-4, 1e-3 * accuracy)


def _pass(
    problem: Problem, sample: sampling.Sample, grid: Array, edges: list[float], plan: list[int], order: int, progress: Progress
) -> Pass:
    """A causal pass on given panels."""
    state, record = start(problem, sample, order, len(edges), plan), Record(problem, sample, grid)
    iterations, residual = 0, 0.0
    for right in edges:
        solved = panel.solve(state, right, 1e-5)
        record.add(state, solved)
        panel.accept(state, solved)
        progress.panel(right)
        iterations, residual = iterations + solved.iterations, max(residual, float(solved.residual))
    return Pass(record, state, residual, iterations)


def _sample(
    problem: Problem,
    edges: list[float],
    plan: list[int],
    grid: Array,
    accuracy: float,
    time_error: dict[str, Array],
    root: np.random.SeedSequence,
    progress: Progress,
) -> tuple[list[Pass], list[float], int]:
    """Independent scrambles with as many paths as the accuracy asks for and memory allows."""
    nodes = ORDER * len(edges)
    most = min(MOST_PATHS, int(MOST_MEMORY / THREADS / (nodes * (0.5 * nodes * 4 + 20 * 8))))
    paths, low = min(FIRST_PATHS, most), PILOT_SHARE
    while True:
        high = low + 0.4 * (1 - low) if paths < most else 1.0
        progress.stage(low, high, SCRAMBLES * len(edges))
        try:
            passes = _scrambles(problem, edges, plan, grid, paths, root, progress)
        except panel.PanelFailure:
            edges, plan = _halved(edges), [count for new in plan for count in (new, new)]
            if len(edges) > 2 * MOST_PANELS:
                raise SolveError("not_converged", "The panels' iterations do not settle. Try another seed or a larger accuracy.") from None
            continue
        excess = max(
            float((_relative(_stderr(passes, name), _mean(passes, name)) / np.maximum(accuracy - time_error[name], 0.5 * accuracy)).max())
            for name in CURVES
        )
        if excess <= 1 or 2 * paths > most:
            return passes, edges, paths
        paths, low = min(paths * 2 ** int(np.ceil(1.2 * np.log2(excess) + 0.2)), 2 ** int(np.log2(most))), high


def _halved(edges: list[float]) -> list[float]:
    lefts = [0.0, *edges[:-1]]
    return [edge for left, right in zip(lefts, edges, strict=True) for edge in ((left + right) / 2, right)]


def _scrambles(
    problem: Problem, edges: list[float], plan: list[int], grid: Array, paths: int, root: np.random.SeedSequence, progress: Progress
) -> list[Pass]:
    seeds = np.random.SeedSequence(entropy=root.entropy, spawn_key=(1, paths)).spawn(SCRAMBLES)

    def run(seed: np.random.SeedSequence) -> Pass:
        done = _pass(problem, sampling.draw(problem, paths, seed), grid, edges, plan, ORDER, progress)
        done.state.forget_paths()
        return done

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, seeds))


def _values(passes: list[Pass], name: str) -> Array:
    return np.stack([done.record.values[name] for done in passes])


def _mean(passes: list[Pass], name: str) -> Array:
    return _values(passes, name).mean(axis=0)


def _stderr(passes: list[Pass], name: str) -> Array:
    return _values(passes, name).std(axis=0, ddof=1) / np.sqrt(len(passes))


def _solution(
    problem: Problem,
    grid: Array,
    accuracy: float,
    passes: list[Pass],
    time_error: dict[str, Array],
    paths: int,
    edges: list[float],
    seed: int,
    seconds: float,
) -> Solution:
    values = {name: _mean(passes, name) for name in NAMES}
    spread = {name: _stderr(passes, name) for name in NAMES}
    scale = {name: np.maximum(np.abs(value), FLOOR * np.abs(value).max()) for name, value in values.items()}
    stderr = {name: np.hypot(spread[name], time_error[name] * scale[name]) for name in NAMES}
    sampling_error = max(float(_relative(spread[name], values[name]).max()) for name in CURVES)
    step_error = max(float(time_error[name].max()) for name in CURVES)
    total = max(float((_relative(spread[name], values[name]) + time_error[name]).max()) for name in CURVES)
    fixed_point = max(done.residual for done in passes)
    truncated = any(done.state.rank == done.state.factor.shape[1] for done in passes)
    converged = total <= accuracy and not truncated
    kernel_time, kernels = _kernels(passes, edges)
    states = [done.state for done in passes]
    diagnostics = {
        "outcome": "converged" if converged else "not_converged",
        "advice": _advice(total, accuracy, truncated),
        "accuracy": accuracy,
        "error": {"total": total, "sampling": sampling_error, "time_step": step_error, "fixed_point": fixed_point},
        "absolute_floor": FLOOR,
        "iterations": sum(done.iterations for done in passes),
        "nodes": ORDER * len(edges),
        "panels": len(edges),
        "rank": max(state.rank for state in states),
        "paths": paths,
        "scrambles": len(passes),
        "seed": seed,
        "versions": {"dlnflow": __version__, "numpy": np.__version__},
        "wall_time": seconds,
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    return Solution(grid, values, stderr, _conditionals(problem, passes), diagnostics, kernel_time, kernels)


def _advice(total: float, accuracy: float, truncated: bool) -> str | None:
    """What to try where the solve did not converge."""
    if truncated:
        return "The noise has more modes than are sampled, so part of it is left out; ask for a shorter horizon."
    if total > accuracy:
        return f"The error is {total:.2g}; ask for a larger accuracy or a shorter horizon."
    return None


def _conditionals(problem: Problem, passes: list[Pass]) -> tuple[Conditional, ...]:
    record = passes[0].record
    named = conditions(problem, record.sample.target)
    weight = record.sample.weight
    probability = {name: float(weight[mask].sum()) for name, mask in named}
    if record.mirrored and "w*>0" in probability:
        probability["w*>0"] = probability["w*<0"] = (probability["w*>0"] + probability["w*<0"]) / 2
    means = np.mean([done.record.means for done in passes], axis=0)
    quantiles = np.mean([done.record.quantiles for done in passes], axis=0)
    return tuple(Conditional(name, probability[name], means[c], quantiles[c]) for c, (name, _) in enumerate(named))


def _kernels(passes: list[Pass], edges: list[float]) -> tuple[Array, dict[str, Array]]:
    """The two-time functions on the panels' right edges, (K, K); R_r without its identity, R_w(t, t) = −E[k(t)]."""
    ends = np.arange(1, len(edges) + 1) * ORDER - 1
    widths = np.diff([0.0, *edges])
    column = widths * radau.integration(ORDER)[-1, -1]
    states = [done.state for done in passes]

    def mean(name: str) -> Array:
        return np.mean([getattr(state, name)[np.ix_(ends, ends)] for state in states], axis=0)

    slope = np.mean([state.mean_slope[ends] for state in states], axis=0)
    response = np.tril(mean("response") / column, -1) - np.diag(slope)
    delta = passes[0].record.problem.aspect_ratio
    residual_response = np.tril(mean("residual_response") / column, -1) - np.diag(slope) / delta
    return np.array(edges), {
        "correlation": mean("correlation"),
        "response": response,
        "residual_correlation": mean("residual_correlation"),
        "residual_response": residual_response,
    }

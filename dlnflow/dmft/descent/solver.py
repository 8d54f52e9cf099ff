"""The solver of gradient descent: more and more paths until the sampling error is within what was asked for.

There is no time step and no fixed point. SCRAMBLES independent scrambles are marched one by one and, where their mean is near enough to
what was asked for, all of them together, as one mean field. The curves are those of the latter, and their standard error is that of the
mean of the single ones. With P paths each, that mean is biased by b/P and the pooled march by b/(SCRAMBLES · P), so that their difference
tells the bias that is left. What the reduced memory of a march neglects is told by a march of few paths with a memory that neglects
LOOSER times as much. Responses between nodes are those of one scramble.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from dlnflow.checkpoint import Own, pack, unpack
from dlnflow.dmft import sampling
from dlnflow.dmft.constants import COVERAGE, FLOOR
from dlnflow.dmft.descent.constants import (
    AIMING_PATHS,
    AIMING_SHARE,
    FARTHEST,
    FEW_STEPS,
    FIRST_PATHS,
    GAIN,
    LEAST_NEGLIGIBLE,
    LOOSER,
    LOOSER_OF_NOISE,
    MOST_BYTES,
    MOST_FUNCTIONS,
    MOST_MODES,
    MOST_NODES,
    MOST_PATHS,
    MOST_RANK,
    MOST_WORK,
    NEGLECTED_SHARE,
    NEGLIGIBLE_AT_ONE,
    NEGLIGIBLE_OF_NOISE,
    PANEL,
    PATHS_AT_ONE,
    RESPONSE_SHARE,
    ROUND_OVER_MARCHES,
    SCRAMBLES,
    THREADS,
    TIGHTER,
)
from dlnflow.dmft.descent.march import March, Marcher
from dlnflow.dmft.errors import Curves, Errors, Scale, grained
from dlnflow.dmft.observables import aligned, conditional, quantiles
from dlnflow.dmft.progress import Progress
from dlnflow.dmft.sampling import Sample
from dlnflow.grids import default_times
from dlnflow.model import GradientDescent, Problem
from dlnflow.solution import CURVES, NAMES, Array, Conditional, Journal, Observer, Solution, ignore_progress


def solve(
    problem: Problem,
    horizon: float,
    dynamics: GradientDescent,
    *,
    times: Array | None = None,
    accuracy: float = 0.01,
    seed: int = 0,
    observe: Observer = ignore_progress,
    journal: Journal | None = None,
    truncation: float | None = None,
) -> Solution:
    """Solve the dynamical mean-field theory of gradient descent, `dynamics`, up to `horizon`.

    `times`, shape (T,), increasing; each shows the last step before it. The kernels are matrices over steps: R_w(t, s) is the mean
    change of w at step t for a unit perturbation of ζ at step s. With `truncation` M, u and v are clipped to [−M, M] in the steps and in w.
    Raises SolveError where the steps run away, and passes on what `observe` raises. The same arguments give the same bits, also where
    `journal` takes up an earlier attempt: that is with the number of paths it had come to.
    """
    grid = default_times(horizon) if times is None else np.asarray(times, dtype=float)
    journal = Own(journal or Journal(), problem, horizon, dynamics, grid.tobytes(), accuracy, seed, truncation)
    with threadpool_limits(1):
        descent = Descent(problem, dynamics, horizon, grid, seed, Progress(observe, horizon, journal), truncation)
        return descent.solve(accuracy)


class Descent:
    """One solve: the steps at which its results are wanted, and its rounds."""

    def __init__(
        self,
        problem: Problem,
        dynamics: GradientDescent,
        horizon: float,
        times: Array,
        seed: int,
        progress: Progress,
        truncation: float | None = None,
    ) -> None:
        self.problem, self.dynamics, self.times, self.seed, self.progress = problem, dynamics, times, seed, progress
        self.truncation = truncation
        self.wanted, self.index = np.unique(dynamics.steps_until(times, horizon), return_inverse=True)
        self.steps = int(self.wanted[-1])
        self.sizes, self.step_times = dynamics.sizes(horizon)[: self.steps], dynamics.times(horizon)[: self.steps + 1]
        self.modes = self.steps + 1 if dynamics.is_stochastic else min(MOST_MODES, self.steps + 1)
        self.nodes = _nodes(self.steps)
        self.aims: list[Array] | None = None
        self.negligible, self.neglected = NEGLIGIBLE_AT_ONE, Curves()
        self.looser = LOOSER_OF_NOISE if dynamics.is_stochastic else LOOSER

    def solve(self, accuracy: float) -> Solution:
        """Rounds with more and more paths."""
        paths, low, end = 2 ** round(np.log2(first_paths(accuracy))), 0.0, 1 - RESPONSE_SHARE
        journal = self.progress.journal
        if journal.earlier is not None:
            stage = unpack(journal.earlier)
            paths, low = int(stage["paths"]), float(stage["progress"])
        self.progress.stage(low, low + AIMING_SHARE * (end - low), 2 * (self.steps + 1), "a few paths, pass {number}: {where}")
        self.negligible = accuracy * (NEGLIGIBLE_OF_NOISE if self.dynamics.is_stochastic else _negligible(self.steps))
        began = time.monotonic()
        rank = self._aim()
        while self._neglects_more_than(NEGLECTED_SHARE * accuracy) and rank < MOST_RANK and self.negligible > LEAST_NEGLIGIBLE:
            self.negligible /= TIGHTER
            began = time.monotonic()
            rank = self._aim()
        a_path = (time.monotonic() - began) / AIMING_PATHS * SCRAMBLES / THREADS  # seconds of marches one by one, a path of a scramble
        most = most_paths(self.steps, rank, self.modes)
        paths = min(paths, most)
        if self._neglects_more_than(accuracy):  # more paths are in vain
            most = paths
        while True:
            journal.save(partial(pack, {"paths": paths, "progress": low}))
            high = low + (end - low) / (1 if paths == most else 2)
            self.progress.stage(low, high, 2 * SCRAMBLES * (self.steps + 1), f"{SCRAMBLES} times {paths} paths")
            journal.expect(ROUND_OVER_MARCHES * a_path * paths)
            began = time.monotonic()
            samples, curves, errors = self._separately(paths)
            a_path = (time.monotonic() - began) / paths
            if errors.largest()["total"] <= accuracy or paths == most:
                together, errors, found = self._together(samples, curves, errors)
                curves = self._curves(together)
            total = errors.largest()["total"]
            if total <= accuracy or paths == most:
                break
            journal.preview(self.times, *self._values(curves, errors))
            low, paths = self.progress.reached, min(most, paths * 2 ** int(np.ceil(np.log2(1.1 * total / accuracy) / GAIN)))
        self.progress.stage(high, 1.0, self.steps + 1, "responses: {where}")
        together.kernels |= self._responses(paths)
        return self._solution(together, errors, found, paths, accuracy)

    def _aim(self) -> int:
        """By two marches of few paths, find the axes of samples, see `sampling.aim_at`, and how much of curves the memory neglects.

        Returns how many functions the memory had.
        """
        sample = self._draw(AIMING_PATHS, SCRAMBLES)
        marcher = self._marcher([sample], self.nodes)
        with ThreadPoolExecutor(THREADS) as pool:
            less = pool.submit(self._march, self._marcher([sample], negligible=self.looser * self.negligible, most=MOST_RANK))
            march = self._march(marcher)
        curves = self._curves(march)
        self.neglected = _scale(curves).difference(self._curves(less.result()), curves)
        error = np.array([error for error, _ in marcher.groups[0].kept])
        self.aims = sampling.aim_at(self.problem, sample, min(march.modes, MOST_MODES), error)
        return march.rank

    def _neglects_more_than(self, error: float) -> bool:
        return any(bool(np.any(self.neglected[name] > error)) for name in CURVES)

    def _responses(self, paths: int) -> dict[str, Array]:
        """The responses between nodes of the first scramble."""
        found = self._march(self._marcher([self._draw(paths, 0)], self.nodes, responses=True)).kernels
        return {name: found[name] for name in ("response", "residual_response")}

    def _separately(self, paths: int) -> tuple[list[Sample], Curves, Errors]:
        """The scrambles, the mean of their marches one by one, and its errors but for the bias."""
        samples = [self._draw(paths, scramble) for scramble in range(SCRAMBLES)]
        with ThreadPoolExecutor(THREADS) as pool:
            each = list(pool.map(lambda sample: self._curves(self._march(self._marcher([sample]))), samples))
        mean = {name: np.mean([one[name] for one in each], axis=0) for name in NAMES}
        spread = {name: np.std([one[name] for one in each], axis=0, ddof=1) * SCRAMBLES**-0.5 for name in NAMES}
        spread, scale = grained(spread, SCRAMBLES * paths), _scale(mean)
        sampling = {name: COVERAGE * scale.relative(name, spread[name], mean[name]) for name in NAMES}
        return samples, mean, Errors(sampling, {name: np.zeros_like(value) for name, value in mean.items()}, self.neglected)

    def _together(self, samples: list[Sample], mean: Curves, errors: Errors) -> tuple[March, Errors, tuple[Conditional, ...]]:
        """A march of all scrambles together, its errors, eq. (36), by those of the `mean` of single ones, and the conditional curves."""
        marcher = self._marcher(samples, self.nodes)
        lines = Lines(self.problem, marcher)
        march = marcher.run(self.steps, self.wanted.tolist(), lambda k: self._watch(k, SCRAMBLES), lines.draw)
        curves = self._curves(march)
        bias = {name: change / (SCRAMBLES - 1) for name, change in _scale(curves).difference(mean, curves).items()}
        fixed_point = {name: bias[name] + march.missing + errors.fixed_point[name] for name in NAMES}
        return march, replace(errors, fixed_point=fixed_point), lines.conditional(self.index)

    def _marcher(
        self,
        samples: list[Sample],
        nodes: Sequence[int] = (),
        *,
        responses: bool = False,
        negligible: float | None = None,
        most: int = MOST_FUNCTIONS,
    ) -> Marcher:
        share, bound = negligible or self.negligible, self.truncation
        return Marcher(
            self.problem, samples, self.dynamics, self.sizes, nodes, responses=responses, negligible=share, most=most, truncation=bound
        )

    def _march(self, marcher: Marcher) -> March:
        return marcher.run(self.steps, self.wanted.tolist(), lambda k: self._watch(k, 1))

    def _watch(self, step: int, share: int) -> None:
        for _ in range(share):
            self.progress(float(self.step_times[step]))

    def _draw(self, paths: int, scramble: int) -> Sample:
        """A scramble, whose normal teacher weights are at most FARTHEST deviations."""
        seed = np.random.SeedSequence(entropy=np.random.SeedSequence(self.seed).entropy, spawn_key=(paths, scramble))
        sample = sampling.draw(self.problem, paths, self.modes, seed, self.aims)
        farthest = np.full_like(sample.target, np.inf)
        for k, pool in enumerate(self.problem.pools):
            if pool.kind.is_normal:
                here = sample.stratum(k)
                farthest[here] = FARTHEST * pool.size[np.searchsorted(pool.numbers, sample.part[here])]
        return replace(sample, target=np.clip(sample.target, -farthest, farthest))

    def _curves(self, march: March) -> Curves:
        """Every curve and order parameter by name at the steps wanted."""
        risk, *order_parameters, error = np.array(march.sums).T
        error = risk if self.problem.is_isotropic else error
        loss, test = np.array(march.variance)[self.wanted] / 2, (risk + self.problem.noise_std**2) / 2
        return dict(zip(NAMES, (loss, test, error, *order_parameters), strict=True))

    def _values(self, curves: Curves, errors: Errors) -> tuple[Curves, Curves]:
        """Every curve and its standard error at the requested times."""
        scale = _scale(curves)
        relative = {name: np.hypot(errors.sampling[name] / COVERAGE, errors.fixed_point[name]) for name in NAMES}
        stderr = {name: scale.of(name, curves[name]) * relative[name] for name in NAMES}
        return {name: x[self.index] for name, x in curves.items()}, {name: x[self.index] for name, x in stderr.items()}

    def _solution(self, march: March, errors: Errors, found: tuple[Conditional, ...], paths: int, accuracy: float) -> Solution:
        split = errors.largest()
        values, stderr = self._values(self._curves(march), errors)
        converged = split["total"] <= accuracy
        diagnostics = {
            "outcome": "converged" if converged else "not_converged",
            "advice": None if converged else f"The error is {split['total']:.2g}; ask for a larger accuracy or a shorter horizon.",
            "accuracy": accuracy,
            "error": split,
            "absolute_floor": FLOOR,
            "steps": self.steps,
            "nodes": self.steps + 1,
            "rank": march.modes,
            "memory_rank": march.rank,
            "paths": paths,
            "scrambles": SCRAMBLES,
        }
        return Solution(self.times, values, stderr, found, diagnostics, self.step_times[self.nodes], march.kernels)


def _scale(curves: Curves) -> Scale:
    return Scale({name: float(np.abs(value).max()) for name, value in curves.items()})


def first_paths(accuracy: float) -> float:
    """The paths that a scramble is given at first, before they are made a power of two."""
    return max(FIRST_PATHS, PATHS_AT_ONE / accuracy)


def most_paths(steps: int, rank: int, modes: int = MOST_MODES) -> int:
    """The most paths that a scramble is given, where the memory has `rank` functions before the steps of a panel."""
    most = min(MOST_WORK / max(steps, 1), MOST_BYTES / SCRAMBLES / bytes_of_path(rank, modes))
    return int(2 ** np.floor(np.log2(np.clip(most, FIRST_PATHS, MOST_PATHS))))


def bytes_of_path(rank: int, modes: int = MOST_MODES) -> int:
    """What a path takes: its history of every direction, in single precision, tangents, and modes with anchors."""
    room = rank + PANEL
    return 4 * room**2 + 16 * room + 16 * modes


def _negligible(steps: int) -> float:
    return float(NEGLIGIBLE_AT_ONE * min(1.0, FEW_STEPS / max(steps, 1)) ** 3)


def _nodes(steps: int) -> list[int]:
    """The steps on which kernels are given: all, or MOST_NODES of them, the first ones closer together."""
    count = min(MOST_NODES, steps + 1)
    late = np.rint(steps * (np.arange(count) / max(count - 1, 1)) ** 2).astype(int)
    return np.maximum(late, np.arange(count)).tolist()


class Lines:
    """The conditional means and quantiles of w along a march, one part of the law of w* after the other."""

    def __init__(self, problem: Problem, marcher: Marcher) -> None:
        self.problem, self.paths = problem, marcher.groups
        samples = [paths.sample for paths in self.paths]
        self.folded = samples[0].folded
        self.target = np.concatenate([sample.target for sample in samples])
        self.weights = np.concatenate([sample.weights for sample in samples])
        part = np.concatenate([sample.part for sample in samples])
        self.parts = [np.flatnonzero(part == k) for k in range(part.max() + 1)]
        self.rows: list[list[Array]] = []

    def draw(self, step: int) -> None:
        """Add the paths' present values."""
        w = np.concatenate([paths.w for paths in self.paths])
        self.rows.append([self._part(here, w[here]) for here in self.parts])

    def _part(self, here: np.ndarray, w: Array) -> Array:
        """The mean and the quantiles, (1 + 5,)."""
        w, weights = aligned(self.folded, self.target[here], w[None], self.weights[here])
        return np.append(w @ weights / weights.sum(), quantiles(w, weights))

    def conditional(self, index: np.ndarray) -> tuple[Conditional, ...]:
        """The curves at the requested times, of which the `index` of each in the steps drawn is given."""
        rows = np.array(self.rows)[index].T
        return conditional(self.problem, [(row[0], row[1:]) for row in rows.transpose(1, 0, 2)])

"""Many paths at the price of few: a fixed point on a small sample, corrected by what a large sample adds to the averages.

With F the averages over a large sample and f those over a small one, x = F(x) is solved as x = f(x) + τ with τ = F(x₀) − f(x₀) taken at
the last solution x₀, eq. (20) (the full approximation scheme of A. Brandt, Math. Comp. 31, 1977, with samples for grids). Each round needs
F once, open loop; its error shrinks by the relative difference of the derivatives of F and f, about ten times.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.linalg import hadamard

from dlnflow.dmft import sampling
from dlnflow.dmft.averages import Averages
from dlnflow.dmft.constants import (
    AIMING_PATHS,
    AIMING_SIZE,
    AMPLIFICATION,
    CHECK_SCRAMBLES,
    CHECK_SIZE,
    CONTRACTION,
    CONTRAST_COVERAGE,
    LARGEST_SMALL,
    MANY,
    MANY_AT_ONE,
    MOST_DRAWN,
    MOST_MEASURES,
    NEWTON_FROM,
    ORDER,
    SCRAMBLES,
    SLOW,
    SPREAD_TOLERANCE,
    TANGENT_MEMORY,
    THREADS,
    TIME_STEP_PATHS,
    UNEVEN,
)
from dlnflow.dmft.errors import Curves, Scale, grained
from dlnflow.dmft.observables import values
from dlnflow.dmft.outcome import Unsettled, settled
from dlnflow.dmft.passes import causal_pass
from dlnflow.dmft.state import State
from dlnflow.dmft.task import Pilot, Solved, Task, small_paths
from dlnflow.dmft.timestep import change_within_panels, with_another_node
from dlnflow.native import dmft as native
from dlnflow.solution import CURVES, Array

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)
class Corrected:
    """A `solved` fixed point, the sampling errors of its curves, eq. (24), and the `correction` that made it.

    It `moved` the curves by so much, relatively, and the next would move them less: it may leave the error `fixed_point`.
    """

    solved: Solved
    sampling: Curves
    correction: Averages
    moved: Curves
    fixed_point: Curves


@dataclass(frozen=True)
class Refinement:
    """Corrections of the solution on a small sample, `base`, which is aimed at what matters on the panels of the pilot.

    `size` is the number of its paths that was asked for. Large samples have the same `aims`, and stand in rows where they have more paths
    than smooth averages need for the accuracy, see `sampling.draw`: from `many` on.
    """

    task: Task
    scale: Scale
    size: int
    aims: list[Array]
    many: float
    base: State

    def time_step(self) -> Curves | Unsettled:
        """Eq. (25) on the small sample."""
        return with_another_node(self.base, self.task, self.scale, self.task.tolerance * (SPREAD_TOLERANCE if self.is_largest else 1))

    @property
    def is_largest(self) -> bool:
        """Whether the small sample is the largest, which does not amplify residuals: where only a change counts they may be larger."""
        return self.size == LARGEST_SMALL

    def round(self, base: State, paths: int) -> Corrected | Unsettled:
        """Eq. (20): `base` corrected by the mean of all scrambles of `paths` paths; contrasts of them give the spread."""
        averages = _side_by_side(lambda scramble: self._averages(base, paths, scramble), range(SCRAMBLES))
        if isinstance(averages, Unsettled):
            return averages
        small = base.small_averages
        if isinstance(small, Unsettled):
            return small
        mean = _mean(averages)
        correction = mean - small
        state = self._solve(base, correction)
        if isinstance(state, Unsettled):
            return state
        curves = values(state, self.task.times)
        spread = self._spread(state, curves, [correction + contrast * SCRAMBLES**-0.5 for contrast in _contrasts(averages)], paths)
        if isinstance(spread, Unsettled):
            return spread
        moved = self._change_of_curves(base, state)
        return Corrected(Solved(state, curves, paths), spread, correction, moved, _left(state, moved))

    def check(self, base: State, solved: Solved, correction: Averages, number: int) -> tuple[Solved, Curves] | Unsettled:
        """Eq. (21): the `correction` of `base` taken once more at the solution `solved`, on fewer paths, and the error left, eq. (26).

        The paths are others for each `number`, counted from 0, and give what changes since the start of the round: the noise of earlier
        checks shows. What is left is a part of the change of the curves, what the residuals of the panels may grow to, and the share of the
        noise that no mode carries. Where that does not settle, the round stands as it is, and the change since the round before counts.
        """
        change = self._change_of_correction(base, solved.state, number)
        if isinstance(change, Unsettled):
            return change
        state, before = self._solve(solved.state, correction + change, taught=True), solved.state
        if isinstance(state, Unsettled):
            state, before = solved.state, base
        return Solved(state, values(state, self.task.times), solved.paths), _left(state, self._change_of_curves(before, state))

    def time_step_of(self, solved: Solved, is_enough: Callable[[Curves], bool]) -> Curves | Unsettled:
        """Eq. (25) with the corrections that a few of the round's samples make, with and without the node, until that `is_enough`.

        Where weights move in less than a panel, the error of a path depends on where its move lies among the nodes, and that of the small
        sample is mostly what is left of such errors in the mean over few paths. Where rates are far apart the corrections move far with the
        node: as long as it is mostly their last move that shows, they are taken once more at the solution that they made.
        """
        state, paths = solved.state, min(solved.paths, TIME_STEP_PATHS)
        assert state.correction is not None
        added = self._added(state, paths)
        if isinstance(added, Unsettled):
            return added
        fine = self._finer(state, state.correction.interpolated(ORDER, ORDER + 1))
        if isinstance(fine, Unsettled):
            return fine
        correction = (state.correction - added).interpolated(ORDER, ORDER + 1)
        measured: Curves | Unsettled = Unsettled("corrections of panels with one node more do not settle")
        for _ in range(MOST_MEASURES):
            before, finer = fine, self._corrected_finer(fine, correction, paths)
            if isinstance(finer, Unsettled):
                break
            fine = finer
            change, last = (self._change_of_curves(one, fine) for one in (state, before))
            measured = {name: change[name] + CONTRACTION * last[name] for name in change}
            if is_enough(measured) or _largest(last) < _largest(change):
                break
        return measured

    def _change_of_curves(self, one: State, other: State) -> Curves:
        return change_within_panels(one, other, self.task.times, self.scale)

    def _corrected_finer(self, fine: State, correction: Averages, paths: int) -> State | Unsettled:
        """The solution with one node more and the `correction` to which that of `fine` is added."""
        added = self._added(fine, paths)
        return added if isinstance(added, Unsettled) else self._finer(fine, correction + added)

    def _finer(self, like: State, correction: Averages) -> State | Unsettled:
        return causal_pass(like, self.base.sample, ORDER + 1, self.task.tolerance, self.task.progress, correction)

    def _added(self, state: State, paths: int) -> Averages | Unsettled:
        """What the averages over a few scrambles of `paths` paths add to those over the small sample."""
        averages = _side_by_side(lambda scramble: self._averages(state, paths, scramble), range(CHECK_SCRAMBLES))
        small = state.small_averages
        if isinstance(averages, Unsettled):
            return averages
        return small if isinstance(small, Unsettled) else _mean(averages) - small

    def _averages(self, state: State, paths: int, scramble: int) -> Averages | Unsettled:
        """F of eq. (20): the averages over one scramble, in several draws where it is large."""
        size = min(paths, MOST_DRAWN)
        parts = range(scramble, SCRAMBLES * paths // size, SCRAMBLES)
        averages = settled(state.open_loop(self._draw(size, 2, paths, part)) for part in parts)
        self.task.progress(state.edges[-1])
        return averages if isinstance(averages, Unsettled) else _mean(averages)

    def _change_of_correction(self, before: State, after: State, number: int) -> Averages | Unsettled:
        """By how much more the averages over a few scrambles change from one state to another than those over the small sample."""
        scrambles = range(number * CHECK_SCRAMBLES, (number + 1) * CHECK_SCRAMBLES)
        changes = _side_by_side(lambda scramble: self._change(scramble, before, after), scrambles)
        if isinstance(changes, Unsettled):
            return changes
        small = settled([after.small_averages, before.small_averages])
        return small if isinstance(small, Unsettled) else _mean(changes) - (small[0] - small[1])

    def _change(self, scramble: int, before: State, after: State) -> Averages | Unsettled:
        """What the averages over one scramble change by from one state to another."""
        paths = CHECK_SIZE * self.size
        sample = self._draw(paths, 4, paths, scramble)
        averages = settled(state.open_loop(sample) for state in (after, before))
        return averages if isinstance(averages, Unsettled) else averages[0] - averages[1]

    def _solve(self, like: State, correction: Averages, *, taught: bool = False) -> State | Unsettled:
        state = causal_pass(like, self.base.sample, ORDER, self.task.tolerance, lambda t: None, correction, taught=taught)
        self.task.progress(like.edges[-1])
        return state

    def _spread(self, state: State, mean: Curves, corrections: list[Averages], paths: int) -> Curves | Unsettled:
        """Eq. (24): what the curves with these corrections tell of the error of the `mean` ones, those of `state`, by scrambles of `paths`.

        Where panels settle slowly, late curves amplify residuals, which would pass for a spread.
        """
        is_slow = sum(state.evaluations) > SLOW * state.panels or max(state.evaluations) > NEWTON_FROM
        tolerance = self.task.tolerance * (1 if is_slow else SPREAD_TOLERANCE)

        def curves(correction: Averages) -> Curves | Unsettled:
            one = causal_pass(state, self.base.sample, ORDER, tolerance, lambda t: None, correction, taught=True, alone=not self.is_largest)
            self.task.progress(state.edges[-1])
            return one if isinstance(one, Unsettled) else values(one, self.task.times)

        single = most_settled(curves, corrections, min(CONTRAST_COVERAGE), 1 if self.is_largest else THREADS)
        if isinstance(single, Unsettled):
            return single
        spread = {name: np.sqrt(np.mean([(one[name] - value) ** 2 for one in single], axis=0)) for name, value in mean.items()}
        spread, coverage = grained(spread, SCRAMBLES * paths), CONTRAST_COVERAGE[len(single)]
        return {name: coverage * self.scale.relative(name, spread[name], value) for name, value in mean.items()}

    def _draw(self, paths: int, *key: int) -> sampling.Sample:
        return sampling.draw(self.task.problem, paths, self.base.rank, self.task.seed(*key), self.aims, paths >= self.many)


def refinement(task: Task, pilot: Pilot, size: int) -> Refinement | Unsettled:
    """The small sample of `size` paths on the panels of the pilot, and the solution there.

    The largest one always stands in rows, and so do all large samples then.
    """
    state = pilot.state
    if 2 * THREADS * size * state.nodes**2 > TANGENT_MEMORY:
        return Unsettled("the small sample does not fit into the memory")
    many = 0.0 if size > small_paths(task.accuracy, 0) else max(MANY_AT_ONE / task.accuracy, MANY)
    aims = _aims(task, state, size)
    if isinstance(aims, Unsettled):
        return aims
    sample = _sorted(state, sampling.draw(task.problem, size, state.rank, task.seed(0), aims, size >= many))
    if isinstance(sample, Unsettled):
        return sample
    base = causal_pass(state, sample, ORDER, task.tolerance, task.progress)
    return base if isinstance(base, Unsettled) else Refinement(task, pilot.scale, size, aims, many, base)


def _aims(task: Task, state: State, size: int) -> list[Array] | Unsettled:
    """The axes along which samples are aimed that belong to a small one of this `size`, see `sampling.aim_at`."""
    sample = sampling.draw(task.problem, min(AIMING_PATHS, AIMING_SIZE * size), state.rank, task.seed(1))
    weights = _weights(state, sample)
    if isinstance(weights, Unsettled):
        return weights
    return sampling.aim_at(task.problem, sample, state.rank, sample.root * (weights[0] - sample.target))


def _sorted(state: State, sample: sampling.Sample) -> sampling.Sample | Unsettled:
    """The sample with paths side by side that begin to move at about the same time, see `native.QUIET`, spread over both halves."""
    variance = sample.root**2
    if (variance * sample.initial[1]).min() * state.edges[1] > native.QUIET:
        return sample
    weights = _weights(state, sample)
    if isinstance(weights, Unsettled):
        return weights
    begins = (np.cumsum(state.integrals[:, -1].reshape(-1, 1) * variance * weights[1], axis=0) <= native.QUIET).sum(axis=0)
    kinds = [sample.stratum(k) for k in range(sample.strata.max() + 1)]
    blocks = np.concatenate([kind[np.argsort(begins[kind], kind="stable")] for kind in kinds]).reshape(-1, sampling.BLOCK)
    return sample.chosen(np.concatenate([blocks[::2], blocks[1::2]]))


def _weights(state: State, sample: sampling.Sample) -> tuple[Array, Array] | Unsettled:
    """w and k (N, P) of `sample` driven by the kernels of `state`."""
    height = np.empty((state.nodes, len(sample.target)))
    averages = state.open_loop(sample, height, tangents=False)
    return averages if isinstance(averages, Unsettled) else sample.weigh(state.decay, height)


def drawable(paths: float) -> int:
    """The next number of paths that a scramble can have: a power of two, from MOST_DRAWN on a multiple of that."""
    size = min(2 ** int(np.ceil(np.log2(paths))), MOST_DRAWN)
    return size * int(np.ceil(paths / size))


def most_settled(solve: Callable[[In], Out | Unsettled], inputs: list[In], least: int, threads: int = THREADS) -> list[Out] | Unsettled:
    """What `solve` makes of the inputs, by so many at a time, without those that do not settle; Unsettled where fewer than `least` do."""
    every: list[Out] = []
    with ThreadPoolExecutor(threads) as pool:
        for tried, one in enumerate(pool.map(solve, inputs), 1):
            if not isinstance(one, Unsettled):
                every.append(one)
            elif tried - len(every) > len(inputs) - least:
                pool.shutdown(wait=False, cancel_futures=True)
                return Unsettled("too few scrambles settle")
    return every


def _side_by_side(make: Callable[[In], Out | Unsettled], inputs: Iterable[In]) -> list[Out] | Unsettled:
    """What `make` makes of each input, by THREADS at a time; where one is Unsettled, those that have not begun are left out."""
    with ThreadPoolExecutor(THREADS) as pool:
        return settled(pool.map(make, inputs))


def _contrasts(averages: list[Averages]) -> Iterable[Averages]:
    """Sums of scrambles that are independent of their mean and of one another, and of the variance of one scramble."""
    for signs in hadamard(SCRAMBLES)[1 : 1 + max(CONTRAST_COVERAGE)] * SCRAMBLES**-0.5:
        first, *others = (one * float(sign) for one, sign in zip(averages, signs, strict=True))
        yield sum(others, first)


def _mean(averages: Iterable[Averages]) -> Averages:
    first, *others = averages
    return sum(others, first) * (1 / (1 + len(others)))


def _left(state: State, moved: Curves) -> Curves:
    """Eq. (26): the fixed-point error of a `state` whose last correction `moved` its curves by so much."""
    inexact = AMPLIFICATION * state.residual + UNEVEN * native.MODE_SHARE
    return {name: CONTRACTION * change + inexact for name, change in moved.items()}


def _largest(curves: Curves) -> float:
    return max(float(curves[name].max()) for name in CURVES)

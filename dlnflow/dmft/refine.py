"""Many paths at the price of few: a fixed point on a small sample, corrected by what a large sample adds to the averages.

With F the averages over a large sample and f those over a small one, x = F(x) is solved as x = f(x) + τ with τ = F(x₀) − f(x₀) taken at
the last solution x₀ (the full approximation scheme of A. Brandt, Math. Comp. 31, 1977, with samples for grids). Each round needs F
once, open loop; its error shrinks by the relative difference of the derivatives of F and f, about ten times.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from dlnflow.dmft import sampling
from dlnflow.dmft.errors import COVERAGE, Curves, Scale
from dlnflow.dmft.observables import values
from dlnflow.dmft.panel import PanelFailure
from dlnflow.dmft.passes import ORDER, Watch, causal_pass, lift, open_loop, own_averages
from dlnflow.dmft.state import Averages, State
from dlnflow.native import dmft as native
from dlnflow.solution import CURVES, Array

SCRAMBLES = 8
THREADS = 2
AIMING_PATHS = 4096
CHECK_SIZE = 4  # times the small sample, whose own noise the change over more paths must be free of
CHECK_SCRAMBLES = 2
MOST_DRAWN = 2**17  # paths at a time, of a scramble; where it has more, they are several independent ones
STEP_PATHS = 131072  # at most, of a scramble by which the time step is measured
MOST_MEASURES = 3  # of the time step of a round
ROUGHLY = 20.0  # times the tolerance suffices where only a spread is wanted
MOST_INDEPENDENT = 4096  # paths of a separate solve
TANGENT_MEMORY = 1.4e9  # bytes of the tangents of the passes that run at a time
LEAST_SETTLED = 5  # of SCRAMBLES
CONTRACTION = 0.3  # of the error in a round; about 0.1 was seen
UNEVEN = 3.0  # the share of the noise that no mode carries, at single times over that in a panel
AMPLIFICATION = 10.0  # of a panel's residual in late curves, relative

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)
class Round:
    """A corrected fixed point, its curves, and their sampling errors relative to the curves; the `correction` as it was before checks."""

    state: State
    curves: Curves
    sampling: Curves
    paths: int
    correction: Averages | None = None


class Refinement:
    """The rounds of one solve: `sample` is the small sample, aimed at what matters on the panels of the first solution.

    `many` are more paths than a scramble needs for the accuracy but where weights jump, see `sampling.draw`.
    """

    def __init__(
        self,
        first: State,
        times: Array,
        scale: Scale,
        paths: int,
        many: float,
        tolerance: float,
        root: np.random.SeedSequence,
        watch: Watch,
    ) -> None:
        if 2 * THREADS * paths * first.nodes**2 > TANGENT_MEMORY:
            raise PanelFailure("the small sample does not fit into the memory")
        self.times, self.scale, self.tolerance, self.root, self.watch = times, scale, tolerance, root, watch
        self.problem, self.rank, self.size, self.many = first.problem, first.rank, paths, many
        self.aims = self._aim(first)
        self.sample = self._sorted(first, self._draw(paths, 0))
        self.base = causal_pass(first, self.sample, ORDER, tolerance, watch)

    def _aim(self, state: State) -> list[Array]:
        sample = sampling.draw(self.problem, AIMING_PATHS, self.rank, self._seed(1))
        w, _ = _weights(state, sample)
        return sampling.aim_at(self.problem, sample, self.rank, w - sample.target)

    def _sorted(self, state: State, sample: sampling.Sample) -> sampling.Sample:
        """The sample with paths side by side that begin to move at about the same time, see `native.QUIET`, spread over both halves."""
        if sample.initial[1].min() * state.edges[1] > native.QUIET:
            return sample
        _, slope = _weights(state, sample)
        begins = (np.cumsum(state.integrals[:, -1].reshape(-1, 1) * slope, axis=0) <= native.QUIET).sum(axis=0)
        kinds = [sample.stratum(k) for k in range(len(self.problem.strata))]
        blocks = np.concatenate([kind[np.argsort(begins[kind], kind="stable")] for kind in kinds]).reshape(-1, sampling.BLOCK)
        return sample.chosen(np.concatenate([blocks[::2], blocks[1::2]]))

    def _seed(self, *key: int) -> np.random.SeedSequence:
        return np.random.SeedSequence(entropy=self.root.entropy, spawn_key=(*self.root.spawn_key, *key))

    def _draw(self, paths: int, *key: int) -> sampling.Sample:
        return sampling.draw(self.problem, paths, self.rank, self._seed(*key), self.aims, paths >= self.many)

    def time_step(self) -> Curves:
        """The relative change of the curves on the small sample with one node more in each panel. Raises PanelFailure.

        Where that does not settle, with one node less: what this changes is more than the error.
        """
        try:
            other = self._finer(self.base, None)
        except PanelFailure:
            other = causal_pass(self.base, self.sample, ORDER - 1, self.tolerance, self.watch)
        return self._change_of_curves(self.base, other)

    def time_steps_of(self, found: Round) -> Iterator[Curves]:
        """The same with the corrections that a few of the round's samples make, with and without the node. Raises PanelFailure.

        Where weights move in less than a panel, the error of a path depends on where its move lies among the nodes, and that of the small
        sample is mostly what is left of such errors in the mean over few paths. Where rates are far apart the corrections move far with the
        node: as long as it is mostly their last move that shows, they are taken once more at the solution that they made.
        """
        assert found.state.correction is not None
        paths = min(found.paths, STEP_PATHS)
        correction = lift(found.state.correction - self._added(found.state, paths), ORDER, ORDER + 1)
        fine = self._finer(found.state, lift(found.state.correction, ORDER, ORDER + 1))
        for _ in range(MOST_MEASURES):
            before, fine = fine, self._finer(fine, correction + self._added(fine, paths))
            change, moved = (self._change_of_curves(state, fine) for state in (found.state, before))
            yield {name: change[name] + CONTRACTION * moved[name] for name in change}
            if max(float(moved[name].max()) for name in CURVES) < max(float(change[name].max()) for name in CURVES):
                return

    def _change_of_curves(self, one: State, other: State) -> Curves:
        return change_within_panels(one, other, self.times, self.scale)

    def _finer(self, like: State, correction: Averages | None) -> State:
        return causal_pass(like, self.sample, ORDER + 1, self.tolerance, self.watch, correction)

    def _added(self, state: State, paths: int) -> Averages:
        """What the averages over a few scrambles of `paths` paths add to those over the small sample."""
        with ThreadPoolExecutor(THREADS) as pool:
            averages = pool.map(lambda scramble: self._averages(state, paths, scramble), range(CHECK_SCRAMBLES))
            return _mean(averages) - own_averages(state)

    def _averages(self, state: State, paths: int, scramble: int) -> Averages:
        size = min(paths, MOST_DRAWN)
        parts = range(scramble, SCRAMBLES * paths // size, SCRAMBLES)
        averages = _mean(open_loop(state, self._draw(size, 2, paths, part)) for part in parts)
        self.watch(state.edges[-1])
        return averages

    def _change(self, paths: int, scramble: int, before: State, after: State) -> Averages:
        """What the averages over one scramble change by from one state to another."""
        sample = self._draw(paths, 4, paths, scramble)
        return open_loop(after, sample) - open_loop(before, sample)

    def _solve(self, like: State, correction: Averages, tolerance: float, *, taught: bool = False, alone: bool = False) -> State:
        state = causal_pass(like, self.sample, ORDER, tolerance, lambda t: None, correction, taught=taught, alone=alone)
        self.watch(state.edges[-1])
        return state

    def _values(self, like: State, correction: Averages) -> Curves | None:
        """The curves with another correction, well enough for a spread, beside others; None where that does not settle."""
        try:
            return values(self._solve(like, correction, ROUGHLY * self.tolerance, taught=True, alone=True), self.times)
        except PanelFailure:
            return None

    def round(self, paths: int) -> Round:
        """Correct by the mean of all scrambles of `paths` paths; single scrambles, drawn towards it, give the sampling errors."""
        with ThreadPoolExecutor(THREADS) as pool:
            averages = list(pool.map(lambda scramble: self._averages(self.base, paths, scramble), range(SCRAMBLES)))
        mean = _mean(averages)
        correction = mean - own_averages(self.base)
        state = self._solve(self.base, correction, self.tolerance)
        drawn = [correction + (one - mean) * SCRAMBLES**-0.5 for one in averages]
        single = _settled(lambda one: self._values(state, one), drawn)
        curves = values(state, self.times)
        spread = {name: np.std([one[name] for one in single], axis=0, ddof=1) for name in curves}
        sampling_error = {name: COVERAGE * self.scale.relative(name, spread[name], value) for name, value in curves.items()}
        return Round(state, curves, sampling_error, paths, correction)

    def check(self, found: Round, number: int) -> tuple[Round, Curves]:
        """The round with its correction taken once more at its own solution, on fewer paths, and the error that is left.

        The paths are others for each `number`, counted from 0, and give what changes since the start of the round: the noise of earlier
        checks shows. What is left is a part of the change of the curves, what the residuals of the panels may grow to, and the share of the
        noise that no mode carries. Where that does not settle, the round stands as it is, and the change since the round before counts.
        """
        assert found.correction is not None
        paths = CHECK_SIZE * self.size
        scrambles = range(number * CHECK_SCRAMBLES, (number + 1) * CHECK_SCRAMBLES)
        with ThreadPoolExecutor(THREADS) as pool:
            changes = pool.map(lambda scramble: self._change(paths, scramble, self.base, found.state), scrambles)
            moved = _mean(changes) - (own_averages(found.state) - own_averages(self.base))
        try:
            state = self._solve(found.state, found.correction + moved, self.tolerance, taught=True)
            before = found.state
        except PanelFailure:
            state, before = found.state, self.base
        inexact = AMPLIFICATION * state.residual + UNEVEN * native.MODE_SHARE
        left = {name: CONTRACTION * change + inexact for name, change in self._change_of_curves(before, state).items()}
        return Round(state, values(state, self.times), found.sampling, found.paths, found.correction), left


def _weights(state: State, sample: sampling.Sample) -> tuple[Array, Array]:
    """w and k (N, P) of `sample` driven by the kernels of `state`."""
    height = np.empty((state.nodes, len(sample.target)))
    open_loop(state, sample, height, tangents=False)
    return sample.weigh(state.time, state.problem.weight_decay, height)


def drawable(paths: float) -> int:
    """The next number of paths that a scramble can have: a power of two, from MOST_DRAWN on a multiple of that."""
    size = min(2 ** int(np.ceil(np.log2(paths))), MOST_DRAWN)
    return size * int(np.ceil(paths / size))


def _settled(solve: Callable[[In], Out | None], inputs: list[In]) -> list[Out]:
    """What `solve` makes of the inputs, one for each scramble, without those that do not settle. Raises PanelFailure where few do."""
    found: list[Out] = []
    with ThreadPoolExecutor(THREADS) as pool:
        for tried, one in enumerate(pool.map(solve, inputs), 1):
            if one is not None:
                found.append(one)
            elif tried - len(found) > SCRAMBLES - LEAST_SETTLED:
                pool.shutdown(wait=False, cancel_futures=True)
                raise PanelFailure("too few scrambles settle")
    return found


def _mean(averages: Iterable[Averages]) -> Averages:
    first, *others = averages
    return sum(others, first) * (1 / (1 + len(others)))


def change_within_panels(one: State, other: State, times: Array, scale: Scale) -> Curves:
    """The largest relative difference of two solutions on the same panels, by curve, in the panel of each of the `times`, (T,) each.

    It is taken over these times and the nodes of `one`: at a single time two solutions may happen to agree.
    """
    times = np.append(times, one.time)
    panel = np.searchsorted(one.edges[1:-1], times)
    largest = {}
    for name, change in scale.difference(values(one, times), values(other, times)).items():
        by_panel = np.zeros(len(one.edges) - 1)
        np.maximum.at(by_panel, panel, change)
        largest[name] = by_panel[panel[: len(times) - one.nodes]]
    return largest


def independent(
    first: State, times: Array, scale: Scale, tolerance: float, root: np.random.SeedSequence, watch: Watch
) -> tuple[Round, Curves, Curves]:
    """Separate solves on the panels of `first`, where corrections do not settle: their mean, time-step error, and what their size changes.

    The fixed point of few paths is biased by about their inverse number, so that a quarter of the paths shows more than the bias.
    Raises PanelFailure where fewer than LEAST_SETTLED of SCRAMBLES settle.
    """
    paths = int(2 ** np.floor(np.log2(np.clip(TANGENT_MEMORY / (2 * THREADS * first.nodes**2), 512, MOST_INDEPENDENT))))

    def one(key: tuple[int, int]) -> State | None:
        seed = np.random.SeedSequence(entropy=root.entropy, spawn_key=(5, *key))
        try:
            return causal_pass(first, sampling.draw(first.problem, key[0], first.rank, seed), ORDER, tolerance, lambda t: None, alone=True)
        except PanelFailure:
            return None
        finally:
            watch(first.edges[-1])

    few, many = (_settled(one, [(size, scramble) for scramble in range(SCRAMBLES)]) for size in (paths // 4, paths))
    rough, each = ([values(state, times) for state in states] for states in (few, many))
    curves = {name: np.mean([one[name] for one in each], axis=0) for name in each[0]}
    spread = {name: np.std([one[name] for one in each], axis=0, ddof=1) / len(each) ** 0.5 for name in curves}
    bias = scale.difference({name: np.mean([one[name] for one in rough], axis=0) for name in curves}, curves)
    sampled = {name: COVERAGE * scale.relative(name, spread[name], curves[name]) for name in curves}
    try:
        other = causal_pass(many[0], many[0].sample, ORDER + 1, tolerance, watch)
    except PanelFailure:
        other = causal_pass(many[0], many[0].sample, ORDER - 1, tolerance, watch)  # whose own error is the larger one
    return Round(many[0], curves, sampled, paths), change_within_panels(many[0], other, times, scale), bias

"""The sampled paths of a causal pass: what is kept of the past of each, and one panel of all of them."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dlnflow.dmft import radau
from dlnflow.dmft.constants import BLOCKS_TO_SHARE, PARABOLA
from dlnflow.dmft.outcome import Unsettled, settled
from dlnflow.dmft.sampling import BLOCK, Sample
from dlnflow.model import Problem
from dlnflow.native import dmft as native
from dlnflow.solution import Array

Array32 = NDArray[np.float32]
Out = TypeVar("Out")


@dataclass(frozen=True)
class Interval:
    """A panel in time, after n nodes: its m nodes at `time` (m,), up to the edge `right`.

    `integral` (m, m) is B of eq. (9), `quadrature` (m, m + 1) integrates over time from the left edge and the nodes, `weights` (n + m,) are
    those of all nodes so far in the integral that gives H, and `decay` (1 + m,) is log(u v) − log(u(0) v(0)) at the left edge and on the
    nodes: −2λt, less what stochastic gradient flow forgets.
    """

    right: float
    time: Array
    integral: Array
    quadrature: Array
    weights: Array
    decay: Array


@dataclass(frozen=True)
class Sampled:
    """On a panel: rows of R_w and E[e eᵀ] (m, n + m), E[e zᵀ] (m, D), and E[z eᵀ] of its own modes with `earlier` nodes (≥ new, n)."""

    response: Array
    correlation: Array
    regression: Array
    earlier: Array

    def moved(self, step: float, change: "Sampled") -> "Sampled":
        """What is a `step` along a `change` from it."""
        return Sampled(
            self.response + step * change.response,
            self.correlation + step * change.correlation,
            self.regression + step * change.regression,
            self.earlier + step * change.earlier,
        )


@dataclass
class Paths:
    """P paths, with room for `capacity` nodes; lanes as the compiled loops want them.

    `height` (P / LANES, capacity, LANES) is H, `error` of the same shape E, `running` the integral of w − w* over time. `tangents`, one
    array a panel, and at the last edge `edge` and `reached`, of which a panel reads the one and writes the other, are those of
    `native.advance`, which follows perturbations from the node `early` (P / BLOCK,) on. `slope_integral` (P / BLOCK, BLOCK) is the integral
    of k over time, as long as it is small.
    Paths that are `alone` have their thread to themselves, but no other.
    """

    sample: Sample
    height: Array
    error: Array
    running: Array
    edge: Array32
    reached: Array32
    slope_integral: Array
    early: NDArray[np.int64]
    alone: bool
    tangents: list[Array32] = field(default_factory=list)
    pool: ThreadPoolExecutor | None = None

    @property
    def parts(self) -> list[tuple[int, int]]:
        """The blocks of paths, [first, last), that are averaged apart, so that the averages do not depend on who takes which."""
        blocks = len(self.sample.strata)
        return [(0, blocks // 2), (blocks // 2, blocks)] if blocks >= BLOCKS_TO_SHARE else [(0, blocks)]

    def extrapolate(self, known: Array, interval: Interval) -> None:
        """Fill H on a panel after nodes at the `known` times (n,) with a first guess."""
        weights = ahead(known, interval.time)
        native.extrapolate(self.sample.paths, len(known), ahead=weights, decay=interval.decay, height=self.height)

    def room(self, nodes: int, order: int) -> tuple[Array, Array32]:
        """Room for the slopes k and for the tangents on a panel of `order` nodes after so many `nodes`."""
        slope = lanes((len(self.height), order, native.LANES))
        return slope, lanes((len(self.edge), nodes + order, order, native.SINGLE_LANES), np.float32)

    def advance(
        self, interval: Interval, memory: Array, factor: Array, known: int, room: tuple[Array, Array32], strata: int
    ) -> tuple[Sampled, Array] | Unsettled:
        """Eq. (10) on a panel: what is averaged over the paths, and the sums of what is `observed` on its nodes.

        The paths are driven by the rows `factor` (m, D) of L, of whose modes so many are `known`, and answer to the rows `memory`
        (m, n + m) of R_r. They start from H as it is on the panel, and leave H, E, its integral, slopes and tangents there.
        """
        slope, tangent = room

        def average(blocks: tuple[int, int]) -> tuple[Array, ...] | Unsettled:
            parts = native.advance(
                self.sample.paths,
                blocks,
                known=known,
                factor=factor,
                memory=memory,
                integral=interval.integral,
                quadrature=interval.quadrature,
                decay=interval.decay[1:],
                shift=interval.weights,
                height=self.height,
                error=self.error,
                running=self.running,
                slope=slope,
                tangents=[*self.tangents, tangent],
                edge=self.edge,
                reached=self.reached,
                early=self.early,
                kinds=strata,
            )
            return parts or Unsettled("a path does not settle")

        parts = settled(self._map(average))
        if isinstance(parts, Unsettled):
            return parts
        response, correlation, regression, earlier, sums = (reduce(np.add, each) for each in zip(*parts, strict=True))
        return Sampled(response, correlation, regression, earlier), sums

    def differentiate(self, interval: Interval, memory: Array, moves: tuple[Array, Array], room: tuple[Array, Array32]) -> Sampled:
        """What the averages of the last `advance` move by where the panel's rows of L and R_r do by these `moves`, (m, D) and (m, n + m).

        Slopes move, tangents of the past are as they are: what R_w moves by through R_r is not counted. `memory` are the rows of R_r.
        """
        slope, tangent = room

        def changes(blocks: tuple[int, int]) -> tuple[Array, ...]:
            return native.differentiate(
                self.sample.paths,
                blocks,
                factor=moves[0],
                memory=moves[1],
                response=memory,
                integral=interval.integral,
                decay=interval.decay[1:],
                shift=interval.weights,
                height=self.height,
                error=self.error,
                slope=slope,
                tangents=tangent,
                early=self.early,
            )

        response, correlation, regression = (reduce(np.add, each) for each in zip(*self._map(changes), strict=True))
        m = len(response)
        correlation[:, -m:] += correlation[:, -m:].T.copy()
        return Sampled(response, correlation, regression, np.zeros((1, correlation.shape[1] - m)))

    def accept(self, interval: Interval, room: tuple[Array, Array32]) -> None:
        """Make the panel of the last `advance` part of the past.

        As long as no path of a block has moved, only perturbations in the last panel are followed, of which earlier ones are multiples: a
        path has where the integral of k is above `native.QUIET`.
        """
        slope, tangent = room
        self.tangents.append(tangent)
        self.edge, self.reached = self.reached, self.edge
        still = np.flatnonzero(self.slope_integral.max(axis=1) <= native.QUIET)
        if not still.size:
            return
        order, nodes = len(interval.time), len(interval.weights) - len(interval.time)
        slopes = slope.reshape(len(self.slope_integral), -1, order, native.LANES)[still]
        self.slope_integral[still] += np.einsum("i,btil->btl", interval.integral[-1], slopes).reshape(-1, BLOCK)
        still = still[self.slope_integral[still].max(axis=1) <= native.QUIET]
        self.early[still] = nodes

    def _map(self, average: Callable[[tuple[int, int]], Out]) -> list[Out]:
        """`average` of each of the `parts`, at the same time where there are several, unless the paths are `alone`."""
        first, *others = self.parts
        if self.alone or not others:
            return [average(part) for part in self.parts]
        self.pool = self.pool or ThreadPoolExecutor(len(others))
        waiting = [self.pool.submit(average, part) for part in others]
        return [average(first), *(other.result() for other in waiting)]


def new_paths(sample: Sample, capacity: int, alone: bool) -> Paths:
    """Paths at t = 0."""
    count = len(sample.target)
    tiles = (count // native.LANES, capacity, native.LANES)
    pairs = (count // native.SINGLE_LANES, capacity, native.SINGLE_LANES)
    return Paths(
        sample=sample,
        height=lanes(tiles),
        error=lanes(tiles),
        running=lanes(tiles),
        edge=lanes(pairs, np.float32),
        reached=lanes(pairs, np.float32),
        slope_integral=np.zeros((count // BLOCK, BLOCK)),
        early=np.zeros(count // BLOCK, np.int64),
        alone=alone,
    )


def interval(problem: Problem, edges: list[float], right: float, order: int, forgotten: float) -> Interval:
    """The panel after those between `edges`, up to `right`, at whose left edge log(u v) has `forgotten` so much beside weight decay."""
    left, all_edges = edges[-1], np.array([*edges, right])
    time = left + (right - left) * radau.nodes(order)
    weights = integrals(problem, all_edges, order)
    quadrature = (right - left) * radau.integration_from_edge(order)
    decay = -2 * problem.weight_decay * np.append(left, time) - forgotten
    return Interval(right, time, weights[-1], quadrature, weights[:, -1].ravel(), decay)


def integrals(problem: Problem, edges: Array, order: int) -> Array:
    """B of eq. (9) on each of the K panels between `edges`, (K, m, m): the integral over time that gives H.

    But at depth two, or without weight decay, time counts with the weight e^(−(L−2)λt) in it.
    """
    rate, widths = (2 - problem.depth) * problem.weight_decay, np.diff(edges)
    if rate == 0:
        return widths[:, None, None] * radau.integration(order)
    return (widths * np.exp(rate * edges[:-1]))[:, None, None] * radau.weighted_integration(order, rate * widths)


def ahead(known: Array, time: Array) -> Array:
    """Weights (m, 3) at `time` (m,) of the parabola through the last three of the `known` nodes; zero where there are none."""
    if not len(known):
        return np.zeros((len(time), PARABOLA))
    a, b, c = known[-PARABOLA:]
    to_a, to_b, to_c = time - a, time - b, time - c
    weights = to_b * to_c / ((a - b) * (a - c)), to_a * to_c / ((b - a) * (b - c)), to_a * to_b / ((c - a) * (c - b))
    return np.stack(weights, axis=1)


def lanes(shape: tuple[int, ...], kind: type[np.floating[Any]] = np.float64) -> NDArray[Any]:
    """An array of this shape, whose last axis is that of lanes, not filled with anything, as the compiled loops want it: aligned."""
    size = math.prod(shape) * np.dtype(kind).itemsize
    room = np.empty(size + native.ALIGNMENT, np.uint8)
    start = -room.ctypes.data % native.ALIGNMENT
    return room[start : start + size].view(kind).reshape(shape)

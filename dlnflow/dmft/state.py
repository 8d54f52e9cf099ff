"""Everything a causal pass knows up to some time: the kernels on the nodes so far and the sampled paths."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dlnflow.dmft import radau
from dlnflow.dmft.anderson import Secant
from dlnflow.dmft.sampling import BLOCK, Sample
from dlnflow.model import Problem
from dlnflow.native import dmft as native
from dlnflow.solution import Array

KERNELS = ("correlation", "response", "residual_correlation", "residual_response")
MODES = ("factor", "readout")
BLOCKS_TO_SHARE = 16  # of paths, from which on two threads take half of them each
Array32 = NDArray[np.float32]
Out = TypeVar("Out")


@dataclass(frozen=True)
class Averages:
    """What the effective process is averaged to on N nodes: R_w and C_e (N, N), and `sums` (S, OBSERVED, N), see `native.advance`."""

    response: Array
    correlation: Array
    sums: Array

    def __add__(self, other: "Averages") -> "Averages":
        return Averages(self.response + other.response, self.correlation + other.correlation, self.sums + other.sums)

    def __mul__(self, factor: float) -> "Averages":
        return Averages(factor * self.response, factor * self.correlation, factor * self.sums)

    def __sub__(self, other: "Averages") -> "Averages":
        return self + other * -1.0


def no_averages(nodes: int, kinds: int) -> Averages:
    """Zeros for N nodes and S strata."""
    return Averages(np.zeros((nodes, nodes)), np.zeros((nodes, nodes)), np.zeros((kinds, native.OBSERVED, nodes)))


@dataclass
class State:
    """N nodes and P paths so far; every array is allocated for `capacity` nodes and only touched up to N.

    Kernels are indexed [t, s]: `correlation` C_e, `response` R_w, `residual_correlation` C_r, `residual_response` R_r.
    `factor` (N, D) is L with ζ = L z, `readout` (N, D) reads later rows of L off theirs of C_ζ, and `ranks` counts the columns before
    each edge. `like` may hold, for each panel, the block of L that new modes are turned towards. `sampled` are
    the averages over the paths, to which `correction` is added to give `response` and `correlation`. `residual` is the largest of the
    panels' iterations, `secants` are what each of these learned. `own` keeps `passes.own_averages`; a pass that
    is `alone` has its thread to itself, but no other. `height` (P / LANES, capacity, LANES) is H, `error` of the same shape w − w*; for
    `tangents`, one array a panel, their edges and `early` see `native.advance`. `moved` (P / BLOCK, BLOCK) is the integral of k over time
    as long as that is below `native.QUIET`.
    """

    problem: Problem
    sample: Sample
    order: int
    edges: list[float]
    time: Array
    correlation: Array
    response: Array
    residual_correlation: Array
    residual_response: Array
    factor: Array
    readout: Array
    ranks: list[int]
    like: list[Array] | None
    sampled: Averages
    correction: Averages | None
    error: Array
    height: Array
    moved: Array
    early: NDArray[np.int64]
    tangents: list[Array32]
    tangent_edge: Array32
    tangent_reached: Array32
    residual: float = 0.0
    secants: list[Sequence[Secant]] = field(default_factory=list)
    alone: bool = False
    pool: ThreadPoolExecutor | None = None
    own: Averages | None = None

    @property
    def parts(self) -> list[tuple[int, int]]:
        """The blocks of paths, [first, last), that are averaged apart, so that the averages do not depend on who takes which."""
        blocks = len(self.sample.strata)
        return [(0, blocks // 2), (blocks // 2, blocks)] if blocks >= BLOCKS_TO_SHARE else [(0, blocks)]

    def map(self, average: Callable[[tuple[int, int]], Out]) -> list[Out]:
        """`average` of each of the `parts`, at the same time where there are several, unless the pass is `alone`."""
        first, *others = self.parts
        if self.alone or not others:
            return [average(part) for part in self.parts]
        self.pool = self.pool or ThreadPoolExecutor(len(others))
        waiting = [self.pool.submit(average, part) for part in others]
        return [average(first), *(other.result() for other in waiting)]

    @property
    def nodes(self) -> int:
        """N, the number of nodes solved so far."""
        return self.order * (len(self.edges) - 1)

    @property
    def rank(self) -> int:
        """The number of columns of L so far."""
        return self.ranks[-1]

    @property
    def averages(self) -> Averages:
        """The averages with their correction."""
        return self.sampled if self.correction is None else self.sampled + self.correction

    @property
    def integrals(self) -> Array:
        """The collocation integrals B of the panels, (K, m, m)."""
        return np.diff(self.edges)[:, None, None] * radau.integration(self.order)

    def finish(self) -> None:
        """Drop what is needed only to go on: the paths, their tangents, threads, the room for more nodes and columns of L."""
        n = self.nodes
        for name in KERNELS:
            setattr(self, name, np.ascontiguousarray(getattr(self, name)[:n, :n]))
        for name in MODES:
            setattr(self, name, np.ascontiguousarray(getattr(self, name)[:n, : self.rank]))
        self.time, sampled = self.time[:n], self.sampled
        self.sampled = Averages(sampled.response[:n, :n], sampled.correlation[:n, :n], sampled.sums[:, :, :n])
        self.pool = None
        self.error = self.height = np.empty((0, 0, 0))
        self.tangents, self.tangent_edge, self.tangent_reached = [], np.empty((0, 0, 0), np.float32), np.empty((0, 0, 0), np.float32)

    def head(self, panels: int) -> "State":
        """The first `panels` panels of a finished state."""
        n, ranks = self.order * panels, self.ranks[: panels + 1]
        square = (slice(n), slice(n))
        sampled = Averages(self.sampled.response[square], self.sampled.correlation[square], self.sampled.sums[:, :, :n])
        edges, secants = self.edges[: panels + 1], self.secants[:panels]
        head = replace(self, edges=edges, time=self.time[:n], ranks=ranks, secants=secants, sampled=sampled, own=None)
        for name in MODES:
            setattr(head, name, np.ascontiguousarray(getattr(self, name)[:n, : ranks[-1]]))
        for name in KERNELS:
            setattr(head, name, np.ascontiguousarray(getattr(self, name)[square]))
        return head

    @property
    def is_full(self) -> bool:
        """Whether no further panel fits, or the sample has no more modes for one."""
        return self.nodes == len(self.time) or self.rank + self.order > len(self.sample.modes)


def start(
    problem: Problem,
    sample: Sample,
    order: int,
    panels: int,
    like: list[Array] | None = None,
    correction: Averages | None = None,
    alone: bool = False,
) -> State:
    """The state at t = 0, with room for `panels` panels of `order` nodes."""
    size, paths = order * panels, len(sample.target)
    square, blocks = (size, size), paths // BLOCK
    tiles, pairs = (paths // native.LANES, size, native.LANES), (paths // native.SINGLE_LANES, size, native.SINGLE_LANES)
    return State(
        problem=problem,
        sample=sample,
        order=order,
        edges=[0.0],
        time=np.zeros(size),
        correlation=np.zeros(square),
        response=np.zeros(square),
        residual_correlation=np.zeros(square),
        residual_response=np.zeros(square),
        factor=np.zeros((size, len(sample.modes))),
        readout=np.zeros((size, len(sample.modes))),
        ranks=[0],
        like=like,
        sampled=no_averages(size, len(problem.strata)),
        correction=correction,
        alone=alone,
        error=lanes(tiles),
        height=lanes(tiles),
        moved=np.zeros((blocks, BLOCK)),
        early=np.zeros(blocks, np.int64),
        tangents=[],
        tangent_edge=lanes(pairs, np.float32),
        tangent_reached=lanes(pairs, np.float32),
    )


def lanes(shape: tuple[int, ...], kind: type[np.floating[Any]] = np.float64) -> NDArray[Any]:
    """An array of this shape, whose last axis is that of lanes, not filled with anything, as the compiled loops want it: aligned."""
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    room = np.empty(size + native.ALIGNMENT, np.uint8)
    start = -room.ctypes.data % native.ALIGNMENT
    return room[start : start + size].view(kind).reshape(shape)

"""Everything a causal pass knows up to some time: the kernels on the nodes so far and the sampled paths."""

from dataclasses import dataclass

import numpy as np

from dlnflow.dmft import radau
from dlnflow.dmft.paths import LANES, OBSERVED
from dlnflow.dmft.sampling import Sample, strata
from dlnflow.problem import Problem
from dlnflow.solution import Array


@dataclass(frozen=True)
class Averages:
    """What the effective process is averaged to on N nodes: R_w and C_e (N, N), and `sums` (S, OBSERVED, N) by stratum (`paths.advance`)."""

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
    return Averages(np.zeros((nodes, nodes)), np.zeros((nodes, nodes)), np.zeros((kinds, OBSERVED, nodes)))


@dataclass
class State:
    """N nodes and P paths so far; every array is allocated for `capacity` nodes and only touched up to N.

    Kernels are indexed [t, s]: `correlation` C_e, `response` R_w, `residual_correlation` C_r, `residual_response` R_r.
    `factor` (N, D) is L with ζ = L z; `modes` holds per panel the first new column of L, the panel's first node and the
    weights (m, new) that read the new modes off the panel. `plan` may fix how many there are on each panel, and
    `like` (N, D), an L of another pass, how they are turned.
    `sampled` are the averages over the paths, to which `correction` is added to give `response` and `correlation`.
    `error` (N, P) is w − w*, `height` (N, P) is H; for `tangent` and `tangent_edge` see `paths.advance`.
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
    modes: list[tuple[int, int, Array]]
    plan: list[int] | None
    like: Array | None
    sampled: Averages
    correction: Averages | None
    error: Array
    height: Array
    tangent: np.ndarray
    tangent_edge: np.ndarray

    @property
    def nodes(self) -> int:
        """N, the number of nodes solved so far."""
        return self.order * (len(self.edges) - 1)

    @property
    def rank(self) -> int:
        """The number of modes of ζ so far."""
        return sum(self.new_modes)

    @property
    def new_modes(self) -> list[int]:
        """How many modes of ζ began on each panel."""
        return [modes.shape[1] for _, _, modes in self.modes]

    @property
    def averages(self) -> Averages:
        """The averages with their correction."""
        return self.sampled if self.correction is None else self.sampled + self.correction

    @property
    def integrals(self) -> Array:
        """The collocation integrals B of the panels, (K, m, m)."""
        return np.diff(self.edges)[:, None, None] * radau.integration(self.order)

    def finish(self) -> None:
        """Drop what is needed only to go on: the paths, their tangents and the room for more nodes."""
        n = self.nodes
        for name in ("correlation", "response", "residual_correlation", "residual_response"):
            setattr(self, name, np.ascontiguousarray(getattr(self, name)[:n, :n]))
        self.time, self.factor = self.time[:n], np.ascontiguousarray(self.factor[:n, : self.rank])
        sampled = self.sampled
        self.sampled = Averages(sampled.response[:n, :n], sampled.correlation[:n, :n], sampled.sums[:, :, :n])
        self.error = self.height = self.tangent = self.tangent_edge = np.empty((0, 0))

    @property
    def is_full(self) -> bool:
        """Whether no further panel fits."""
        return self.nodes == len(self.time)


def start(
    problem: Problem,
    sample: Sample,
    order: int,
    panels: int,
    plan: list[int] | None = None,
    like: Array | None = None,
    correction: Averages | None = None,
) -> State:
    """The state at t = 0, with room for `panels` panels of `order` nodes."""
    size, paths = order * panels, len(sample.target)
    square, blocks = (size, size), paths // LANES
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
        modes=[],
        plan=plan,
        like=like,
        sampled=no_averages(size, len(strata(problem))),
        correction=correction,
        error=np.empty((size, paths)),
        height=np.empty((size, paths)),
        tangent=np.empty((blocks, size, size, LANES), np.float32),
        tangent_edge=np.empty((blocks, size, LANES), np.float32),
    )

"""Everything a causal pass knows up to some time: the kernels on the nodes so far and the sampled paths."""

from dataclasses import dataclass

import numpy as np

from dlnflow.dmft.sampling import MODES, Sample
from dlnflow.problem import Problem
from dlnflow.solution import Array


@dataclass
class State:
    """N nodes and P paths so far; every array is allocated for `capacity` nodes and only touched up to N.

    Kernels are indexed [t, s]: `correlation` C_e, `response` R_w, `residual_correlation` C_r, `residual_response` R_r.
    `factor` (N, MODES) is L with ζ = L z; `modes` holds per panel the first new column of L, the panel's first node and the
    weights (m, new) that read the new modes off the panel.
    `error` (N, P) is w − w*, `heights` (N, P) is H, `mean_slope` (N,) is E[k]; for `tangent` and `tangent_edge` see
    `paths.tangents`.
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
    error: Array
    heights: Array
    tangent: np.ndarray
    tangent_edge: np.ndarray
    mean_slope: Array

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

    def forget_paths(self) -> None:
        """Drop what is needed only to go on: the paths and their tangents."""
        nothing = np.empty((0, 0))
        self.error = self.heights = self.tangent = self.tangent_edge = nothing

    @property
    def is_full(self) -> bool:
        """Whether no further panel fits."""
        return self.nodes == len(self.time)

    @property
    def edge_height(self) -> Array:
        """H at the last panel's right edge, shape (P,)."""
        return self.heights[self.nodes - 1] if self.nodes else np.zeros(self.heights.shape[1])


def start(problem: Problem, sample: Sample, order: int, panels: int, plan: list[int] | None = None) -> State:
    """The state at t = 0, with room for `panels` panels of `order` nodes; `plan` may fix the new modes of ζ on each panel."""
    size, paths = order * panels, len(sample.weight)
    square = (size, size)
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
        factor=np.zeros((size, MODES)),
        modes=[],
        plan=plan,
        error=np.empty((size, paths)),
        heights=np.empty((size, paths)),
        tangent=np.empty((size, size, paths), np.float32),
        tangent_edge=np.empty((size, paths), np.float32),
        mean_slope=np.zeros(size),
    )

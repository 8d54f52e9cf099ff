"""The sampled paths of one scramble: u and v of every path, their noise, their memory, and tangents of some of them."""

import numpy as np

from dlnflow.dmft.descent import kernel
from dlnflow.dmft.paths import LANES
from dlnflow.dmft.sampling import Sample
from dlnflow.problem import Problem
from dlnflow.solution import Array

FEWER_FOR_RESPONSE = 4  # paths per tangent: the response is far less noisy, and dearer
PROBES = 2  # blocks of tangents that are looked at to choose the memory's basis


class Paths:
    """P paths after some steps, `outer` (2, P) is u and v.

    `memory` (rank, P) holds x = R_r e of every path as coefficients on the basis of the history.

    Directions are first the `nodes` unit perturbations that kernels are wanted for, then the basis functions. `anchors` (D, P) is x at
    the steps at which a new mode of ζ began, `kept` holds (e, x) at the nodes.
    u and v are clipped at `truncation` wherever they act; `inner` holds them so, (2, P), and `moving`, (2, P), where they are not clipped.
    """

    def __init__(self, problem: Problem, sample: Sample, nodes: int, capacity: int, truncation: float = np.inf) -> None:
        self.problem, self.sample = problem, sample
        self.outer = np.exp(sample.scale / 2 + np.outer([-1, 1], sample.origin))
        paths, modes = len(sample.target), len(sample.modes)
        self.anchors, self.memory = np.empty((modes, paths)), np.empty((capacity, paths))
        self.kept: list[tuple[Array, Array]] = []
        self.blocks = _first_blocks(sample)
        self.weights = _shares(sample, self.blocks)
        shape = len(self.blocks), nodes + capacity
        self.du, self.dv = np.zeros((*shape, LANES)), np.zeros((*shape, LANES))
        self.past = np.zeros((*shape, capacity, LANES), np.float32)
        self.nodes, self.truncation = nodes, truncation
        self._clip()

    def slopes(self, rank: int) -> Array:
        """E[δw] for every direction, (nodes + rank,), over the paths that carry tangents."""
        return kernel.slopes(self._lanes(self.inner * self.moving), self.weights, self.du, self.dv, self.nodes + rank)

    def look(self, memory: Array) -> None:
        """Find w, e = w − w* and x = R_r e = e + Σ memory[r] · history."""
        self.w = (self.inner[0] ** 2 - self.inner[1] ** 2) / 2
        self.error = self.w - self.sample.target
        self.residual = self.error + memory @ self.memory[: len(memory)]

    def correlations(self, modes: int) -> Array:
        """E[x x'] with x at the first `modes` anchors, and E[x²], (modes + 1,)."""
        weighted = self.sample.weights * self.residual
        return np.append(self.anchors[:modes] @ weighted, self.residual @ weighted)

    def observe(self) -> Array:
        """E of e², w w*, w², |w|, u² and v²."""
        u2, v2 = self.inner**2
        if self.problem.is_symmetric:
            u2 = v2 = (u2 + v2) / 2
        return np.stack([self.error**2, self.w * self.sample.target, self.w**2, np.abs(self.w), u2, v2]) @ self.sample.weights

    def advance(self, step: float, noise: Array, memory: Array, node: int | None) -> float:
        """One step of gradient descent of length `step` with ζ = `noise` · modes; tells how far it goes, max |step · h|.

        A new direction, the unit perturbation of this step, joins the basis and, with `node`, the nodes.
        """
        rank = len(memory)
        force = noise @ self.sample.modes[: len(noise)] + self.residual
        rates = step * (self.problem.weight_decay + np.stack([force, -force]))
        lanes = self._lanes(np.concatenate([self.inner * self.moving, self.inner, 1 - rates * self.moving]))
        kernel.advance(lanes, step, memory, self.du, self.dv, self.past, self.nodes + rank)
        for new in [self.nodes + rank] if node is None else [self.nodes + rank, node]:
            self.du[:, new], self.dv[:, new], self.past[:, new] = -step * lanes[2], step * lanes[3], 0
        self.memory[rank] = self.residual
        self.outer -= rates * self.inner
        self._clip()
        return float(step * np.abs(force).max())

    def gram(self, rank: int) -> Array:
        """E[c cᵀ] of the coefficients c of x, (rank, rank)."""
        c = self.memory[:rank]
        return (c * self.sample.weights) @ c.T

    def response_gram(self, rank: int, root: Array) -> Array:
        """E[y yᵀ] of the histories y that perturbations along the columns of `root` (rank, rank) make, for a few paths."""
        picked = self.past[_spread(len(self.blocks)), self.nodes : self.nodes + rank, :rank, ::4].astype(np.float64)
        y = np.einsum("bmrl,mk->rblk", picked, root).reshape(rank, -1)
        return y @ y.T

    def turn(self, basis: Array) -> None:
        """Go over to another basis, whose functions are the columns of `basis` (rank, new) in terms of the present one."""
        rank, new = basis.shape
        first, last = self.nodes, self.nodes + rank
        self.memory[:new] = basis.T @ self.memory[:rank]
        single = basis.astype(np.float32)
        for block in range(len(self.blocks)):
            for tangent in (self.du[block], self.dv[block]):
                tangent[first : first + new] = basis.T @ tangent[first:last]
            turned = single.T @ self.past[block, :last, :rank]
            self.past[block, :first, :new] = turned[:first]
            self.past[block, first : first + new, :new] = np.tensordot(single.T, turned[first:], axes=1)

    def _clip(self) -> None:
        self.inner = np.clip(self.outer, -self.truncation, self.truncation)
        self.moving = (np.abs(self.outer) < self.truncation).astype(np.float64)

    def _lanes(self, x: Array) -> Array:
        return x.reshape(len(x), -1, LANES)[:, self.blocks]


def _shares(sample: Sample, blocks: np.ndarray) -> Array:
    """The weights (blocks, LANES) of these blocks alone: those of a stratum sum to its probability."""
    weights, strata = sample.weights.reshape(-1, LANES), sample.strata[blocks]
    kept = weights[blocks]
    for k in range(sample.strata.max() + 1):
        kept[strata == k] *= weights[sample.strata == k].sum() / kept[strata == k].sum()
    return kept


def _first_blocks(sample: Sample) -> np.ndarray:
    """The first blocks of every stratum, a part of its Sobol points that is a net by itself."""
    found = []
    for k in range(sample.strata.max() + 1):
        blocks = np.flatnonzero(sample.strata == k)
        found.append(blocks[: max(1, len(blocks) // FEWER_FOR_RESPONSE)])
    return np.concatenate(found)


def _spread(blocks: int) -> np.ndarray:
    return np.unique(np.linspace(0, blocks - 1, PROBES).astype(int))

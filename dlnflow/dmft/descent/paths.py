"""The sampled paths of one scramble: u and v of every path, their noise, their memory and their tangents."""

import numpy as np

from dlnflow.dmft.descent.constants import PROBES
from dlnflow.dmft.sampling import BLOCK, Sample
from dlnflow.model import Problem
from dlnflow.model.depth import power
from dlnflow.native import dmft as native
from dlnflow.solution import Array


class Paths:
    """P paths after some steps, `outer` (2, P) is u and v.

    A coordinate of variance c is driven by √c (ζ + R_r E) with E = √c (w − w*), which is all that couples the paths.
    Every path carries tangents: the response and the correlations of the same paths make a consistent, if coarser, mean field, whose train
    loss is up to eight times less noisy than with a response from a quarter of them.

    `memory` (rank, P) holds x = R_r E of every path as coefficients on the basis of the history.

    Directions are first the `nodes` unit perturbations that kernels are wanted for, then the basis functions. `anchors` (D, P) is x at
    the steps at which a new mode of ζ began, `kept` holds (E, x) at the nodes.
    `running` (P,) is the sum of w − w* over the steps so far, each times its length, up to `time`.
    u and v are clipped at `truncation` wherever they act; `inner` holds them so, (2, P), and `moving`, (2, P), where they are not clipped.
    """

    def __init__(
        self,
        problem: Problem,
        sample: Sample,
        nodes: int,
        *,
        truncation: float = np.inf,
        momentum: float = 0.0,
    ) -> None:
        self.problem, self.sample, self.momentum = problem, sample, momentum
        self.outer = np.exp(sample.scale / 2 + np.outer([-1, 1], sample.origin))
        paths, modes = len(sample.target), len(sample.modes)
        self.anchors, self.memory = np.empty((modes, paths)), np.empty((0, paths))
        self.kept: list[tuple[Array, Array]] = []
        self.du, self.dv = np.zeros((2, paths // BLOCK, nodes, BLOCK))
        self.past = np.zeros((paths // BLOCK, nodes, 0, BLOCK), np.float32)
        self.last = np.zeros_like(self.outer) if momentum else None
        self.last_change = np.zeros((2, *self.du.shape)) if momentum else None
        self.nodes, self.truncation, self.kept_functions = nodes, truncation, 0
        self.inner = np.clip(self.outer, -truncation, truncation)
        self.moving = (np.abs(self.outer) < truncation).astype(np.float64)
        self.time, self.running = 0.0, np.zeros(paths)

    def reserve(self, room: int) -> None:
        """Make room for so many basis functions."""
        before = self.memory.shape[0]
        if room > before:
            new = (0, room - before)
            self.memory = np.pad(self.memory, (new, (0, 0)))
            self.du, self.dv = (np.pad(tangent, ((0, 0), new, (0, 0))) for tangent in (self.du, self.dv))
            self.past = np.pad(self.past, ((0, 0), new, new, (0, 0)))
            if self.last_change is not None:
                self.last_change = np.pad(self.last_change, ((0, 0), (0, 0), new, (0, 0)))

    def slopes(self, rank: int) -> Array:
        """E[√c δw] for every direction, (nodes + rank,)."""
        weights = self.sample.weights.reshape(-1, BLOCK)
        slope = power(self.inner, self.problem.depth - 1)
        return native.slopes(_lanes(self.sample.root * slope * self.moving), weights, self.du, self.dv, self.nodes + rank)

    def look(self, memory: Array, modes: int) -> Array:
        """Find w, E = √c (w − w*) and x = R_r E = E + Σ memory[r] · history.

        Returns E[x x'] with x' at the first `modes` anchors, E[x²], and E[x z] with these modes, (2 modes + 1,).
        """
        depth = self.problem.depth
        u, v = power(self.inner, depth)
        self.w = (u - v) / depth
        self.error = self.sample.root * (self.w - self.sample.target)
        self.residual = self.error + memory @ self.memory[: len(memory)]
        weighted = self.sample.weights * self.residual
        return np.concatenate([self.anchors[:modes] @ weighted, [self.residual @ weighted], self.sample.modes[:modes] @ weighted])

    def meet(self, mode: int) -> Array:
        """Make x the anchor of a new `mode`; its E[x z] with all anchors and E[z z'] with all modes so far, (2 mode + 2,)."""
        self.anchors[mode] = self.residual
        weighted = self.sample.weights * self.sample.modes[mode]
        return np.concatenate([self.anchors[: mode + 1] @ weighted, self.sample.modes[: mode + 1] @ weighted])

    def observe(self) -> Array:
        """E of c (w − w*)², then what OBSERVED of `model.curves` names in its order, then E of (w − w*)²."""
        u2, v2 = self.inner**2
        if self.sample.folded:
            u2 = v2 = (u2 + v2) / 2
        error = self.error / self.sample.root
        averaged = self.running / self.time if self.time else error
        log_product = np.log(np.abs(self.inner[0] * self.inner[1]))
        is_found, is_wanted = np.abs(self.w) > self.sample.threshold, self.sample.target != 0
        weights = self.sample.weights
        coupled = np.stack([self.error**2, self.w * self.sample.target, self.w**2, np.abs(self.w), u2, v2]) @ weights
        shares = [log_product, averaged**2, is_wanted & ~is_found, is_found & ~is_wanted, error**2]
        log, mean, missed, false, square = (values @ weights for values in shares)
        return np.concatenate([coupled, [log, mean, coupled[3] - self.problem.target_l1_norm, missed, false, square]])

    def advance(self, step: float, noise: Array, memory: Array, node: int | None) -> float:
        """Eq. (29): one step of gradient descent of length `step` with ζ = `noise` · modes; tells how far it goes, max |step · h|.

        A new direction, the unit perturbation of this step, joins the basis and, with `node`, the nodes.
        """
        rank = len(memory)
        self.running += step * (self.error / self.sample.root)
        self.time += step
        largest = native.descend(
            self.sample.paths,
            step_size=step,
            weight_decay=self.problem.weight_decay,
            momentum=self.momentum,
            truncation=self.truncation,
            noise=noise,
            residual=self.residual,
            outer=self.outer,
            inner=self.inner,
            moving=self.moving,
            last=self.last,
            memory=memory.astype(np.float32),
            du=self.du,
            dv=self.dv,
            last_change=self.last_change,
            past=self.past,
            nodes=self.nodes,
            kept=self.kept_functions,
            node=node,
        )
        self.memory[rank] = self.residual
        return largest

    def at_nodes(self, modes: int) -> tuple[Array, Array, Array]:
        """E[e e'] and E[x x'] at what is `kept`, (N, N), and E[x z] with the first `modes`, (N, modes)."""
        errors, residuals = (np.array(rows) for rows in zip(*self.kept, strict=True))
        weighted = self.sample.weights * residuals
        return (self.sample.weights * errors) @ errors.T, weighted @ residuals.T, weighted @ self.sample.modes[:modes].T

    def gram(self, rank: int) -> Array:
        """E[c cᵀ] of the coefficients c of x, (rank, rank)."""
        c = self.memory[:rank]
        return (c * self.sample.weights) @ c.T

    def visible(self, rank: int) -> Array:
        """E[δu δuᵀ + δv δvᵀ] of the basis functions, (rank, rank), for a few paths: what later responses see of them.

        With momentum of how far they will drift as well, β/(1 − β) times their last change.
        """
        picked = _spread(len(self.du))
        root = np.sqrt(self.sample.weights.reshape(-1, 1, BLOCK)[picked])
        seen = [self.du, self.dv]
        if self.last_change is not None:
            seen += [self.momentum / (1 - self.momentum) * change for change in self.last_change]
        tangents = [root * t[picked, self.nodes : self.nodes + rank] for t in seen]
        flat = np.concatenate(tangents).transpose(1, 0, 2).reshape(rank, -1)
        return np.asarray(flat @ flat.T)

    def histories(self, rank: int) -> Array:
        """What each basis function makes of a few paths, (paths, rank, rank), times the root of the path's weight."""
        blocks = _spread(len(self.past))
        root = np.sqrt(self.sample.weights.reshape(-1, BLOCK)[blocks, ::16])
        picked = self.past[blocks, self.nodes : self.nodes + rank, :rank, ::16] * root[:, None, None, :]
        return np.asarray(picked.transpose(0, 3, 1, 2).reshape(-1, rank, rank), np.float64)

    def turn(self, basis: Array, dual: Array) -> None:
        """Go over to another basis, the columns of `basis` (rank, new); coefficients become `dual` (new, rank) times those before."""
        rank, new = basis.shape
        self.kept_functions = new
        first, last = self.nodes, self.nodes + rank
        self.memory[:new] = dual @ self.memory[:rank]
        single, single_dual = basis.T.astype(np.float32), dual.astype(np.float32)
        tangents = [self.du, self.dv, *(self.last_change if self.last_change is not None else ())]
        for block in range(len(self.past)):
            for tangent in tangents:
                tangent[block, first : first + new] = basis.T @ tangent[block, first:last]
            turned = single_dual @ self.past[block, :last, :rank]
            self.past[block, :first, :new] = turned[:first]
            self.past[block, first : first + new, :new] = np.tensordot(single, turned[first:], axes=1)


def made_by(histories: Array, gram: Array) -> Array:
    """E[y yᵀ] of the `histories` y that random perturbations of covariance `gram` (rank, rank) make."""
    rank = len(gram)
    return np.asarray(histories.reshape(-1, rank).T @ (gram @ histories).reshape(-1, rank))


def seen_through(histories: Array, gram: Array) -> Array:
    """E[yᵀ `gram` y] of the `histories` y that the basis functions make, (rank, rank): what these see of them."""
    seen, made = (z.transpose(1, 0, 2).reshape(len(gram), -1) for z in (histories @ gram, histories))
    return np.asarray(seen @ made.T)


def _lanes(x: Array) -> Array:
    return x.reshape(len(x), -1, BLOCK)


def _spread(blocks: int) -> np.ndarray:
    return np.unique(np.linspace(0, blocks - 1, PROBES).astype(int))

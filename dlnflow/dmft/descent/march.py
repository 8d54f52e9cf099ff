"""One causal pass over the steps of gradient descent: what every step needs of the kernels is an average over the steps before.

With x = R_r e, that is x(k) = e(k) + Σ_{j<k} R_w(k, j) x(j)/δ, and C_r(k, j) = E[x(k) x(j)] + σ² g(k) g(j), g = R_r 1, eqs. (31) and
(32). What of x follows the noise linearly is known by its mean tangent, eq. (34a), with far less noise than a sample has. R_w acts on
histories only. These are few functions of the step and combinations of them, so that R_w(k, ·) is kept on a small basis, as the mean
tangent of w(k) in the direction of each basis function: steps enter the basis one by one and every PANEL steps the basis is reduced.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from scipy.linalg import solve_triangular

from dlnflow.dmft.descent.constants import (
    LARGEST_FACTOR,
    LATER,
    LEAST_SHARE,
    MODE_ROUNDING,
    MODE_SHARE,
    MOST_FUNCTIONS,
    NEGLIGIBLE,
    PANEL,
    RARE,
    VIEWS,
)
from dlnflow.dmft.descent.paths import Paths, made_by, seen_through
from dlnflow.dmft.sampling import Sample
from dlnflow.model import GradientDescent, Problem
from dlnflow.solution import Array, SolveError

Found = TypeVar("Found")


@dataclass
class March:
    """What a pass leaves: `sums` at the wanted steps, see `Paths.observe`, and C_r(k, k) at every step so far.

    `rank` is the largest number of basis functions after a reduction, `modes` that of modes of ζ, `missing` the largest share of the
    variance of ζ left out. The kernels are those at the nodes, [t, s]; responses among them only where they are asked for.
    """

    sums: list[Array] = field(default_factory=list)
    variance: list[float] = field(default_factory=list)
    rank: int = 0
    modes: int = 0
    missing: float = 0.0
    kernels: dict[str, Array] = field(default_factory=dict)


class Marcher:
    """A pass over steps of the `sizes` (K,) that averages over the paths of all `samples`, at equal weight.

    `panel` steps enter the basis between reductions. `expected` and `excess` (D, D) are Λ and Δ of eq. (34a) at the anchors, `moments`
    (D, D) is E[z zᵀ] of the modes so far, `driven` (rank, D) R_r L on the basis.

    A reduction drops what has less than the share `negligible` of what is most reached and seen, and more where `most` functions would not
    hold the rest, see `balanced`. `responses` at the
    nodes make a march several times dearer: each is a direction, and a function that jumps.
    """

    def __init__(
        self,
        problem: Problem,
        samples: Sequence[Sample],
        dynamics: GradientDescent,
        sizes: Array,
        nodes: Sequence[int] = (),
        *,
        responses: bool = False,
        panel: int = PANEL,
        negligible: float = NEGLIGIBLE,
        most: int = MOST_FUNCTIONS,
        truncation: float | None = None,
    ) -> None:
        self.problem, self.dynamics, self.sizes, self.panel = problem, dynamics, sizes, panel
        self.negligible, self.most = negligible, most
        self.nodes = list(nodes)
        self.directions = len(self.nodes) if responses else 0
        limit = np.inf if truncation is None else truncation
        self.groups = [Paths(problem, sample, self.directions, truncation=limit, momentum=dynamics.momentum) for sample in samples]
        self.rank = self.kept = self.steps = 0
        capacity = most + panel
        self.constant = np.empty(capacity)
        modes = len(samples[0].modes)
        self.factor, self.moments, self.expected, self.excess = np.zeros((4, modes, modes))
        self.driven = np.zeros((capacity, modes))
        self.start = (problem.initial_error + problem.noise_std**2) / problem.aspect_ratio
        self.follows = dynamics.is_stochastic or responses  # every unit perturbation of a residual
        steps = len(sizes) + 1 if self.follows else 0
        self.white = np.zeros(steps)  # the diagonal of N
        self.columns = np.zeros((capacity, steps))  # of R_r on the basis
        self.rows = np.zeros((len(self.factor), steps))  # of R_r at the anchors
        self.node_strict: list[Array] = []
        self.node_expected: list[Array] = []
        self.node_response, self.node_residual_response = np.zeros((2, self.directions, self.directions))
        self.node_constant: list[float] = []
        self.constants: list[float] = []
        self.found = March()

    def run(self, steps: int, wanted: Sequence[int], watch: Callable[[int], None], visit: Callable[[int], None] = lambda k: None) -> March:
        """March to `steps`; `watch(k)` is called at every step, `visit(k)` at the `wanted` ones once the paths are there."""
        chosen = set(wanted)
        with ThreadPoolExecutor(1) as self._pool, np.errstate(over="ignore", invalid="ignore"):  # of steps that run away
            self._reserve()
            while True:
                watch(self.steps)
                memory = self._look()
                if self.steps in chosen:
                    self.found.sums.append(self._mean(Paths.observe))
                    visit(self.steps)
                if self.steps == steps:
                    break
                self._advance(memory)
            self._finish()
        return self.found

    def _mean(self, of: Callable[[Paths], Array]) -> Array:
        found = self._each(of)
        return found[0] if len(found) == 1 else np.mean(found, axis=0)

    def _each(self, of: Callable[[Paths], Found]) -> list[Found]:
        """What `of` finds for every group, half of them in another thread: to hand over each alone takes as long as a step of few paths."""
        half = len(self.groups) // 2
        others = self._pool.submit(lambda: [of(paths) for paths in self.groups[:half]]) if half else None
        rest = [of(paths) for paths in self.groups[half:]]
        return (others.result() if others else []) + rest

    def _look(self) -> Array:
        """R_w(k, ·)/δ on the basis, the paths' residuals, and the new row of the factor of ζ."""
        slopes = self._mean(lambda paths: paths.slopes(self.rank)) / self.problem.aspect_ratio
        memory = slopes[self.directions :]
        modes = self.found.modes
        averages = self._mean(lambda paths: paths.look(memory, modes))
        correlations, regression = averages[: modes + 1], averages[modes + 1 :]
        self._linear = memory @ self.driven[: self.rank, :modes]
        expected = self.problem.aspect_ratio * self._linear
        excess = (expected + self.moments[:modes, :modes] @ expected) / 2 - regression  # eq. (34a)
        correlations += np.append(self.excess[:modes, :modes] @ expected + self.expected[:modes, :modes] @ excess, 2 * expected @ excess)
        self.now = 1 + float(memory @ self.constant[: self.rank])
        self._strict = memory @ self.columns[: self.rank]
        self._noise = self._factor_row(correlations, expected, excess)
        self._response = slopes[: self.directions]
        return memory

    def _factor_row(self, correlations: Array, expected: Array, excess: Array) -> Array:
        """The row of L with ζ = L z, eq. (34): forward substitution on the anchors, and a new mode where they leave too much unexplained.

        With C_f = R_r (C_e + σ² + N) R_rᵀ, where N is the variance of the white noise of random steps; S = R_r − 1 in the place of R_r in
        front of N makes C_r of it.
        """
        modes, noise = self.found.modes, self.problem.noise_std**2
        row = correlations + noise * self.now * np.append(self.constants, self.now)
        self.found.variance.append(max(float(row[-1] + self._strict**2 @ self.white[: self._strict.size]), 0.0))  # rounding may leave less
        if self.dynamics.is_stochastic:
            self.white[self.steps] = self._white(self.found.variance[-1])
            whole = self._strict[: self.steps + 1].copy()
            whole[self.steps] = 1.0
            seen = whole * self.white[: whole.size]
            row[:-1] += self.rows[:modes, : whole.size] @ seen
            row[-1] += whole @ seen
        row /= self.problem.aspect_ratio
        known = solve_triangular(self.factor[:modes, :modes], row[:modes], lower=True, check_finite=False) if modes else np.empty(0)
        left = row[-1] - known @ known
        if left <= max(MODE_SHARE * row[-1], MODE_ROUNDING * np.sqrt(max(row[-1], 0.0) * self.start)):
            return known
        if modes == len(self.factor):
            self.found.missing = max(self.found.missing, float(left / row[-1]))
            return known
        self.found.modes += 1
        self.constants.append(self.now)
        if self.dynamics.is_stochastic:
            self.rows[modes, : whole.size] = whole
        self.factor[modes, : modes + 1] = np.append(known, np.sqrt(left))
        self._open(modes, expected, excess)
        return self.factor[modes, : modes + 1]

    def _open(self, mode: int, expected: Array, excess: Array) -> None:
        """Begin the `mode` that is new at this step, with the residuals of now as its anchor."""
        met = self._mean(lambda paths: paths.meet(mode))
        self.moments[mode, : mode + 1] = self.moments[: mode + 1, mode] = met[mode + 1 :]
        self.expected[mode, :mode], self.excess[mode, :mode] = expected, excess
        self.excess[: mode + 1, mode] = self.expected[: mode + 1, :mode] @ self.moments[:mode, mode] / 2 - met[: mode + 1]

    def _advance(self, memory: Array) -> None:
        kept = self._keep_node() if self.steps in self.nodes else None
        node = kept if self.directions else None
        step = float(self.sizes[self.steps])
        largest = self._each(lambda paths: paths.advance(step, self._noise, memory, node))
        if not max(largest) < LARGEST_FACTOR:
            raise SolveError("diverged", self._ran_away())
        self.constant[self.rank] = self.now
        self.driven[self.rank, : self._noise.size] = self._noise
        self.driven[self.rank, : self._linear.size] += self._linear
        if self.follows:
            self.columns[self.rank] = self._strict
            self.columns[self.rank, self.steps] = 1.0
        self.rank += 1
        self.steps += 1
        if self.rank >= self.kept + self.panel:
            self._reduce()

    def _white(self, variance: float) -> float:
        """Eq. (33), of what a random step adds to a sample's residual: q D + σ_l²/b, q = (1 − b)/b, where D = C_r(k, k) is `variance`."""
        b, labels = self.dynamics.batch_fraction, self.dynamics.label_noise_std
        return (1 - b) / b * variance + labels**2 / b

    def _ran_away(self) -> str:
        """What happened and what to try.

        Without noise u ← u (1 + η c (w* − u²/2)) escapes from η c |w*| > 2 on, where η c k = 4 at w = w*; other depths do at about that k.
        """
        step = float(self.sizes[self.steps])
        edge = stability_edge(self.problem, self.dynamics)
        message = (
            f"Gradient descent ran away at t = {self.sizes[: self.steps].sum():.6g}, where steps are {step:.4g} long; "
            f"they are stable below about {edge:.2g}. Try a smaller step_size or initial_scale."
        )
        depth = self.problem.depth
        share = self.problem.share_beyond((4 / step) ** (depth / (2 * depth - 2)) / depth) if depth > 1 else 0.0
        if share <= LEAST_SHARE:
            return message
        rare = f"A share {share:.1g} of teacher weights is so large that single coordinates run away"
        return f"{message} {rare}: a truncation bounds them, or simulate networks, which are too small to have many."

    def _keep_node(self) -> int:
        """Note the kernels' rows at this step, which is a node."""
        node = self.nodes.index(self.steps)
        if self.directions:
            self.node_response[node] = self._response * self.problem.aspect_ratio
            self.node_residual_response[node] = self._strict[self.nodes]
        self.node_constant.append(self.now)
        self.node_strict.append(self._strict)
        self.node_expected.append(np.pad(self.problem.aspect_ratio * self._linear, (0, len(self.factor) - self._linear.size)))
        for paths in self.groups:
            paths.kept.append((paths.error, paths.residual))
        return node

    def _reduce(self) -> None:
        """A smaller basis that carries what later responses see of the histories of x, of n, of g, and of what perturbations make of x."""
        rank = self.rank
        g = self.constant[:rank]
        columns = self.columns[:rank]
        driven = self.driven[:rank]
        noise = self.problem.noise_std**2 * np.outer(g, g) + (columns * self.white) @ columns.T + driven @ driven.T
        gram = _scaled(self._mean(lambda paths: paths.gram(rank)) + noise)
        total = gram
        histories = self._each(lambda paths: paths.histories(rank))
        for _ in range(2):
            gram = _scaled(np.mean([made_by(y, gram) for y in histories], axis=0))
            total = total + gram
        if self.directions:  # at every step, for what follows one perturbation and not another runs away from what rounding leaves
            total = total + _scaled(columns @ columns.T)
        basis, dual = balanced(total, self._visible(rank, histories), self.negligible, self.most)
        self._each(lambda paths: paths.turn(basis, dual))
        self.rank = self.kept = basis.shape[1]
        self.constant[: self.rank] = dual @ g
        self.columns[: self.rank] = dual @ columns
        self.driven[: self.rank] = dual @ driven
        self.found.rank = max(self.found.rank, self.kept)
        self._reserve()

    def _visible(self, rank: int, histories: list[Array]) -> Array:
        """The Gram matrix of what later responses see of the basis functions, directly and by the histories that they make."""
        total = gram = _scaled(self._mean(lambda paths: paths.visible(rank)))
        for view in range(1, VIEWS + 1):
            gram = _scaled(np.mean([seen_through(y, gram) for y in histories], axis=0))
            total = total + LATER**view * gram
        return total

    def _reserve(self) -> None:
        """Make room for the steps until the next reduction."""
        self._each(lambda paths: paths.reserve(self.kept + self.panel))

    def _finish(self) -> None:
        """The kernels at the nodes; the last node may be the last step, which `_advance` has not seen."""
        if not self.nodes:
            return
        if len(self.node_constant) < len(self.nodes):
            self._keep_node()
        g = np.array(self.node_constant)
        modes = self.found.modes
        error, residual, regression = (np.mean(each, axis=0) for each in zip(*self._each(lambda paths: paths.at_nodes(modes)), strict=True))
        strict = np.array(self.node_strict)
        expected = np.array(self.node_expected)[:, :modes]
        added = expected @ ((expected + expected @ self.moments[:modes, :modes]) / 2 - regression).T
        residual += added + added.T + self.problem.noise_std**2 * np.outer(g, g) + (strict * self.white) @ strict.T
        self.found.kernels = {"correlation": error, "residual_correlation": residual}
        if self.directions:
            responses = {"response": self.node_response, "residual_response": self.node_residual_response}
            self.found.kernels |= {name: np.tril(response, -1) for name, response in responses.items()}


def balanced(reached: Array, seen: Array, negligible: float, most: int) -> tuple[Array, Array]:
    """Eq. (35): a basis (rank, new) and its dual (new, rank) that keep what is both `reached` and `seen`, Gram matrices (rank, rank).

    The `most` largest eigenvalues of their product are kept, but for those below the share `negligible` of the first (B. C. Moore, IEEE
    Trans. Autom. Control 26, 1981).
    """
    left, right = (_root(gram) for gram in (seen, reached))
    u, size, v = np.linalg.svd(left.T @ right)
    keep = np.flatnonzero(size[:most] ** 2 > negligible * size[0] ** 2)
    scale = size[keep] ** -0.5
    return right @ (v[keep].T * scale), (left @ (u[:, keep] * scale)).T


def _root(gram: Array) -> Array:
    """X with X Xᵀ = `gram`, which is positive but for rounding."""
    size, vectors = np.linalg.eigh(gram)
    return np.asarray(vectors * np.sqrt(np.maximum(size, 0)))


def stability_edge(problem: Problem, dynamics: GradientDescent) -> float:
    """About the largest stable step, at the start or the teacher.

    The largest eigenvalue is that of all weights or the slope of a RARE one, which stands alone; E[c k] is what counts for batches.
    """
    start, power = 2 * problem.initial_second_moment, 2 - 2 / problem.depth
    learned = (problem.depth * problem.typical_rate) ** power
    alone = (problem.depth * problem.exceeded_by(RARE)) ** power
    largest = max((1 + problem.aspect_ratio**-0.5) ** 2 * max(start, learned), alone)
    mean = max(start, problem.learned_slope)
    return min(dynamics.stable_step(largest), dynamics.stable_batch_step(mean, problem.aspect_ratio))


def _scaled(gram: Array) -> Array:
    trace = np.trace(gram)
    return gram / trace if trace > 0 else gram

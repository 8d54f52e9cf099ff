"""Curves and order parameters at requested times, from the averages on the nodes of a state."""

import numpy as np
from scipy.interpolate import PchipInterpolator

from dlnflow.dmft import radau
from dlnflow.dmft.averages import OBSERVED, Observed
from dlnflow.dmft.paths import integrals
from dlnflow.dmft.sampling import Sample
from dlnflow.dmft.state import State
from dlnflow.model import Problem
from dlnflow.solution import QUANTILES, Array, Conditional


class Grid:
    """The T requested times, each in the panel of a state that holds it; after its end everything stands still."""

    def __init__(self, state: State, times: Array) -> None:
        edges = np.array(state.edges)
        self.beyond = np.maximum(times - edges[-1], 0.0)
        self.times = times = np.minimum(times, edges[-1])
        self.order = state.order
        self.panel = np.searchsorted(edges[1:], times).clip(max=len(edges) - 2)
        self.fraction = (times - edges[self.panel]) / np.diff(edges)[self.panel]
        self.weights = radau.interpolation(state.order, self.fraction)

    def interpolate(self, start: Array | float, nodes: Array) -> Array:
        """Rows (T, …) at the requested times of what is `start` (…) at t = 0 and `nodes` (N, …) on the nodes."""
        rows = np.concatenate([np.asarray(start)[None], nodes])
        return np.einsum("tk,tk...->t...", self.weights, rows[self._indices()])

    def quadratic(self, matrix: Array) -> Array:
        """x(t)ᵀ M x(t), (T,), from M (N + 1, N + 1) on t = 0 and the nodes."""
        here = self._indices()
        return np.einsum("tk,tkl,tl->t", self.weights, matrix[here[:, :, None], here[:, None, :]], self.weights)

    def _indices(self) -> np.ndarray:
        return self.panel[:, None] * self.order + np.arange(self.order + 1)


def values(state: State, times: Array) -> dict[str, Array]:
    """Every curve and order parameter by name, each (T,)."""
    problem, grid = state.problem, Grid(state, times)
    observed = _interpolated(state, grid)
    difference = observed.difference * (not problem.is_symmetric)
    risk = excess_risk(state, grid)
    return {
        "train_loss": residual_variance(state, grid) / 2,
        "test_loss": (risk + problem.noise_std**2) / 2,
        "parameter_error": risk if problem.is_isotropic else parameter_error(state, grid, risk),
        "overlap": observed.overlap,
        "norm": norm(state, grid),
        "l1_norm": observed.magnitude,
        "u_norm": (observed.squares + difference) / 2,
        "v_norm": (observed.squares - difference) / 2,
        "log_product": log_product(state, grid, times),
        "averaged_parameter_error": averaged_parameter_error(state, grid),
        "excess_l1_norm": observed.magnitude - problem.target_l1_norm,
        "missed_support": observed.missed,
        "false_support": observed.false,
    }


def _interpolated(state: State, grid: Grid) -> Observed:
    """The averages over all strata at the requested times, (T,) each; shares of weights, which may jump, are monotone between nodes."""
    start, nodes = state.sample.observed.whole().rows[:, 0], state.observed.whole().rows.T
    rows, steep = grid.interpolate(start, nodes).T, [OBSERVED.index(name) for name in ("missed", "false")]
    shares = PchipInterpolator(np.append(0.0, state.time), np.concatenate([start[None, steep], nodes[:, steep]]))
    rows[steep] = shares(grid.times).T
    return Observed(rows)


def log_product(state: State, grid: Grid, times: Array) -> Array:
    """E[log |u v|] at the `times`: known at depth two, else it goes on as in the last panel after the end."""
    problem = state.problem
    if problem.depth == 2:
        return problem.initial_log_product - 2 * problem.weight_decay * times - forgotten(state, grid)
    whole = np.append(problem.initial_log_product, state.observed.whole().log_product)
    speed = (whole[-1] - whole[-1 - state.order]) / (state.edges[-1] - state.edges[-2])
    return grid.interpolate(whole[0], whole[1:]) + speed * grid.beyond


def forgotten(state: State, grid: Grid) -> Array | float:
    """τ ∫D dt, (T,), by which log(u v) falls in stochastic gradient flow."""
    if not state.temperature:
        return 0.0
    edges, m = np.array(state.edges), state.order
    inside = np.einsum("kij,kj->ki", integrals(state.problem, edges, m), state.loss.reshape(-1, m))
    return state.temperature * grid.interpolate(0.0, (np.append(0.0, np.cumsum(inside[:, -1]))[:-1, None] + inside).ravel())


def averaged_parameter_error(state: State, grid: Grid) -> Array:
    """E[(w̄ − w*)²], where w̄ is the mean of w since t = 0; w stands still after the end."""
    observed, (start, error) = state.observed.whole(), _error(state)
    share = grid.beyond / np.maximum(grid.times + grid.beyond, 1e-300)  # of the time after the end
    until = grid.interpolate(start, observed.averaged)
    return (1 - share) ** 2 * until + share * (2 * (1 - share) * observed.drift[-1] + share * error[-1])


def excess_risk(state: State, grid: Grid) -> Array:
    """C_e(t, t) = E[c (w − w*)²]: e is interpolated between nodes, and on the first panel its mean square from t = 0."""
    start, correlation = state.problem.initial_error, state.errors
    if state.temperature:
        return grid.interpolate(start, np.diag(correlation) + state.scattered)
    framed = np.zeros((len(correlation) + 1, len(correlation) + 1))
    framed[1:, 1:] = correlation
    return np.where(grid.panel > 0, grid.quadratic(framed), grid.interpolate(start, np.diag(correlation)))


def parameter_error(state: State, grid: Grid, risk: Array) -> Array:
    """E[(w − w*)²], by its ratio to the `risk`, which varies least."""
    start, nodes = _error(state)
    coupled = np.diag(state.errors)
    ratio = np.divide(nodes, coupled, out=np.ones_like(nodes), where=coupled > 0)  # of a state on its way, later nodes are empty
    return risk * grid.interpolate(start / state.problem.initial_error, ratio)


def _error(state: State) -> tuple[float, Array]:
    """E[(w − w*)²] at t = 0 and on the nodes."""
    problem = state.problem
    nodes = np.diag(state.errors) + state.scattered if problem.is_isotropic else state.observed.whole().error
    return problem.initial_parameter_error, nodes


def norm(state: State, grid: Grid) -> Array:
    """E[w²] = E[(w − w*)²] + 2 E[w w*] − E[w*²], interpolated as its root, which leaves zero linearly."""
    second, (start, nodes) = state.problem.target_second_moment, _error(state)
    start = start - second + 2 * state.sample.observed.overlap.sum()
    nodes = nodes + 2 * state.observed.whole().overlap - second
    return grid.interpolate(np.sqrt(max(start, 0.0)), np.sqrt(np.maximum(nodes, 0))) ** 2


def residual_variance(state: State, grid: Grid) -> Array:
    """C_r(t, t): |L(t)|² δ, and by its logarithm on the first panel, where t = 0 has no row of L.

    L is interpolated, whose squares do not cancel in late panels as those of C_r do. On the modes that are new in a panel, the row of its
    left edge is what the panel's nodes read off C_r there. What no mode carries of the variance is interpolated linearly: at single nodes
    it may be ten times the share that is left out of the panel.
    """
    start, delta, m = state.problem.initial_error + state.problem.noise_std**2, state.problem.aspect_ratio, state.order
    if state.temperature:
        return np.exp(grid.interpolate(np.log(start), np.log(np.maximum(state.loss, 1e-300))))
    panels, variance = len(state.ranks) - 1, np.diag(state.residual_correlation)[: state.nodes]
    rows = np.zeros((panels, m + 1, state.factor.shape[1]))
    rows[:, 1:] = state.factor[: state.nodes].reshape(panels, m, -1)
    for k, rank in enumerate(state.ranks[2:], 1):
        rows[k, 0, :rank] = state.residual_correlation[k * m - 1, : k * m + m] @ state.readout[: k * m + m, :rank] / delta
    whole = np.concatenate([np.append(start, variance[m - 1 : -1 : m])[:, None], variance.reshape(panels, m)], axis=1)
    missing = np.maximum(whole - np.sum(rows**2, axis=2) * delta, 0)
    factor = np.einsum("tk,tkd->td", grid.weights, rows[grid.panel])
    between = np.stack([np.interp(grid.fraction, radau.interpolation_nodes(m), hat) for hat in np.eye(m + 1)], axis=1)
    early = np.exp(grid.interpolate(np.log(start), np.log(np.maximum(variance, 1e-300))))
    later = np.sum(factor**2, axis=1) * delta + np.sum(between * missing[grid.panel], axis=1)
    return np.where(grid.panel > 0, later, early)


def conditionals(state: State, times: Array, sample: Sample, heights: Array) -> tuple[Conditional, ...]:
    """Statistics of w given each atom or sign of w*; quantiles are those of `sample` with H = `heights` (N, P)."""
    problem, grid = state.problem, Grid(state, times)
    w, _ = sample.weigh(grid.interpolate(0.0, state.decay), grid.interpolate(sample.start[1], heights))
    start, means, levels = state.sample.observed, dict[int, Array](), dict[int, Array]()
    for k, pool in enumerate(problem.pools):
        rough = []
        for number in pool.numbers.tolist():
            here = sample.part == number
            values, weights = aligned(sample.folded, sample.target[here], w[:, here], sample.weights[here])
            levels[number] = quantiles(values, weights)
            rough.append(values @ weights / weights.sum())
        mean = grid.interpolate(start.mean[k, 0], state.observed.mean[k]) / pool.probability.sum()
        means |= zip(pool.numbers.tolist(), _means(pool.probability, np.array(rough), mean), strict=True)
    return conditional(problem, [(means[number], levels[number]) for number in range(len(means))])


def _means(probability: Array, rough: Array, mean: Array) -> Array:
    """The means (G, T) of the parts of a pool from `rough` ones over few paths and the `mean` (T,) of the pool.

    What these miss of it is shared among the parts in proportion to their means: their points are the same.
    """
    shares = probability / probability.sum()
    total = shares @ np.abs(rough)
    ratio = np.divide(np.abs(rough), total, out=np.ones_like(rough), where=total > 0)
    return ratio * mean + (rough - ratio * (shares @ rough))


def conditional(problem: Problem, statistics: list[tuple[Array, Array]]) -> tuple[Conditional, ...]:
    """The `statistics` of the parts, mean (T,) and quantiles (5, T), by atom or sign of w*, and group.

    Where the problem is symmetric those of a part are given that w* is not negative.
    """
    found = []
    for (_, kind), (mean, levels) in zip(problem.parts, statistics, strict=True):
        if kind.opposite == kind.given:
            found.append(Conditional(kind.given, kind.probability, 0.0 * mean, levels))
        elif kind.opposite:
            found.append(Conditional(kind.opposite, kind.probability / 2, -mean, -levels[::-1]))
            found.append(Conditional(kind.given, kind.probability / 2, mean, levels))
        else:
            found.append(Conditional(kind.given, kind.probability, mean, levels))
    order = [name for name, _ in problem.conditions]
    return tuple(sorted(found, key=lambda one: order.index(one.given)))


def aligned(folded: bool, target: Array, w: Array, weights: Array) -> tuple[Array, Array]:
    """w (T, P) of one part of the law of w* and its weights, with mirror images where paths stand for these too, so that w* ≥ 0."""
    if not folded:
        return w, weights
    if np.any(target != 0):
        return np.where(target < 0, -w, w), weights
    return np.concatenate([w, -w], axis=1), np.concatenate([weights, weights])


def quantiles(w: Array, weights: Array) -> Array:
    """Quantiles (5, T) of w (T, P), the least w up to which the weights (P,) come to them.

    Where the weights are equal nothing need be sorted: a tenth of a quick solve.
    """
    if np.ptp(weights) == 0:
        return np.quantile(w, QUANTILES, axis=1, method="inverted_cdf")
    order = np.argsort(w, axis=1, kind="stable")
    below = np.cumsum(weights[order], axis=1)
    below /= below[:, -1:]
    found = [row[here[np.searchsorted(share, QUANTILES)]] for row, here, share in zip(w, order, below, strict=True)]
    return np.array(found).T

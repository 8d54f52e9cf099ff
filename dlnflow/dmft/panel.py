"""One panel of the causal pass: its rows of R_r and C_r as the fixed point of the effective process."""

from dataclasses import dataclass

import numpy as np

from dlnflow.dmft import radau
from dlnflow.dmft.anderson import Anderson
from dlnflow.dmft.paths import solve_paths, tangents
from dlnflow.dmft.state import State
from dlnflow.solution import Array

MAX_ITERATIONS = 60
PIVOT_FLOOR = 1e-9
PIVOT_SHARE = 1e-5


@dataclass
class Rows:
    """A panel's rows of the kernels: `response` R_r and `correlation` C_r of the residual, both (m, N + m)."""

    response: Array
    correlation: Array


@dataclass
class Panel:
    """A converged panel, not yet part of the state."""

    right: float
    time: Array
    rows: Rows
    weight_response: Array
    error_correlation: Array
    factor: Array
    pivots: list[int]
    error: Array
    height: Array
    slope: Array
    iterations: int
    residual: float


def _factor_rows(state: State, correlation: Array) -> tuple[Array, list[int]]:
    """Rows of L on the panel, (m, r), from rows of C_ζ (m, N + m): a causal pivoted Cholesky factor."""
    n, m = state.nodes, state.order
    old = state.pivots
    rank = len(old)
    rows = np.zeros((m, state.factor.shape[1]))
    if rank:
        rows[:, :rank] = np.linalg.solve(state.factor[old, :rank], correlation[:, old].T).T
    remainder = correlation[:, n:] - rows @ rows.T
    reference = max(correlation[0, n], state.residual_correlation[0, 0] / state.problem.aspect_ratio)
    planned = None if state.plan is None else state.plan[len(state.edges) - 1]
    pivots = list(old)
    while len(pivots) < rows.shape[1]:
        made = len(pivots) - rank
        variance = np.diag(remainder)
        i = m - 1 if made == 0 else int(np.argmax(variance))
        cut = max(PIVOT_FLOOR * reference, PIVOT_SHARE * correlation[i, n + i])
        if made == (m if planned is None else planned) or variance[i] <= (cut if planned is None else 0.03 * cut):
            break
        column = remainder[:, i] / np.sqrt(variance[i])
        rows[:, len(pivots)] = column
        pivots.append(n + i)
        remainder = remainder - np.outer(column, column)
    return rows, pivots


class PanelProblem:
    """The fixed-point map of one panel [left, right] on top of a state."""

    def __init__(self, state: State, right: float) -> None:
        self.state, self.right = state, right
        self.left = state.edges[-1]
        m = state.order
        self.width = right - self.left
        self.time = self.left + self.width * radau.nodes(m)
        self.integral = self.width * radau.integration(m)
        problem = state.problem
        self.exponent = 2 * np.log(problem.initial_scale) - 2 * problem.weight_decay * self.time
        n = state.nodes
        self.first = (np.arange(n) // m) * m
        self.past_error = state.error[:n]
        self.height = np.repeat(state.edge_height[None], m, axis=0)
        if n:
            before = state.heights[n - 2 * m if n >= 2 * m else 0 : n]
            rate = (state.heights[n - 1] - before[-2]) / (state.time[n - 1] - state.time[n - 2])
            self.height += np.outer(self.time - self.left, rate) * 0.5

    def apply(self, rows: Rows, keep: bool = False) -> tuple[Rows, Panel]:
        """Solve the paths driven by `rows`; return the rows that these paths imply, and the panel."""
        state, n, m = self.state, self.state.nodes, self.state.order
        sample = state.sample
        factor, pivots = _factor_rows(state, rows.correlation / state.problem.aspect_ratio)
        rank = len(pivots)
        drive = factor[:, :rank] @ sample.modes[:rank] + rows.response[:, :n] @ self.past_error
        own = np.ascontiguousarray(rows.response[:, n:])
        height, error, slope = self.height.copy(), np.empty_like(drive), np.empty_like(drive)
        failed = solve_paths(
            drive, state.edge_height, self.exponent, self.integral, own, sample.target, height, error, slope
        )
        if failed:
            raise PanelFailure(f"{failed} paths")
        self.height = height
        memory = np.ascontiguousarray(rows.response[:, :n])
        average = tangents(
            memory, own, self.integral, slope, sample.weight, state.tangent, state.tangent_edge, self.first, n, keep
        )
        weighted = error * sample.weight
        correlation = np.concatenate([weighted @ self.past_error.T, weighted @ error.T], axis=1)
        new = self._rows(average, correlation)
        panel = Panel(self.right, self.time, new, average, correlation, factor, pivots, error, height, slope, 0, 0.0)
        return new, panel

    def _rows(self, average: Array, correlation: Array) -> Rows:
        """R_r = (1 − R_w/δ)⁻¹ and C_r = R_r (C_e + σ²) R_rᵀ, on the panel's rows."""
        state, n, m = self.state, self.state.nodes, self.state.order
        delta, noise = state.problem.aspect_ratio, state.problem.noise_std**2
        own = np.linalg.inv(np.eye(m) - average[:, n:] / delta)
        past = own @ (average[:, :n] / delta) @ state.residual_response[:n, :n]
        response = np.concatenate([past, own], axis=1)
        teacher = np.zeros((n + m, n + m))
        teacher[:n, :n] = state.correlation[:n, :n]
        teacher[n:] = correlation
        teacher[:n, n:] = correlation[:, :n].T
        left = response @ (teacher + noise)
        residual = np.concatenate([left[:, :n] @ state.residual_response[:n, :n].T, left @ response.T], axis=1)
        return Rows(response, residual)

    def first_guess(self) -> Rows:
        """Rows of a network that stands still after the left edge: R_w and C_e of the edge, repeated."""
        state, n, m = self.state, self.state.nodes, self.state.order
        if n == 0:
            start = state.problem.target_second_moment + state.problem.noise_std**2
            return Rows(np.eye(m), np.full((m, m), start))
        response = np.zeros((m, n + m))
        response[:, :n] = state.residual_response[n - 1, :n]
        response[:, n - 1] -= 1.0
        response[:, n:] = np.eye(m)
        correlation = np.empty((m, n + m))
        correlation[:, :n] = state.residual_correlation[n - 1, :n]
        correlation[:, n:] = state.residual_correlation[n - 1, n - 1]
        return Rows(response, correlation)


class PanelFailure(Exception):
    """The panel has to be made shorter."""


def solve(state: State, right: float, tolerance: float, guess: Rows | None = None) -> Panel:
    """Iterate a panel to a relative change below `tolerance`; raises PanelFailure where it does not settle."""
    problem = PanelProblem(state, right)
    rows = guess or problem.first_guess()
    n, m = state.nodes, state.order
    anderson = Anderson(depth=8)
    scale = np.sqrt(np.abs(np.diag(state.residual_correlation[:n, :n]))) if n else np.empty(0)
    for iteration in range(1, MAX_ITERATIONS + 1):
        new, panel = problem.apply(rows)
        diagonal = np.sqrt(np.abs(np.diag(new.correlation[:, n:])))
        across = np.concatenate([scale, diagonal])
        norm = diagonal[:, None] * across
        change = np.concatenate([(new.response - rows.response), (new.correlation - rows.correlation) / norm])
        residual = max(np.abs(change[m:]).max(), np.sqrt((change[:m] ** 2).sum(axis=1)).max() / np.sqrt((new.response**2).sum(1)).max())
        if residual < tolerance:
            new, panel = problem.apply(rows, keep=True)
            panel.factor, panel.pivots = _factor_rows(state, new.correlation / state.problem.aspect_ratio)
            panel.iterations, panel.residual = iteration, residual
            return panel
        x = np.concatenate([rows.response, rows.correlation / norm])
        mixed = anderson.step(x.ravel(), change.ravel()).reshape(x.shape)
        rows = Rows(mixed[:m], mixed[m:] * norm)
    raise PanelFailure(f"residual {residual:.1e}")


def roughness(state: State, panel: Panel) -> float:
    """The share of w − w* and of the residual that lies in the panel's highest Legendre coefficient (root mean square)."""
    n = state.nodes
    top = radau.top_coefficient(state.order)
    left = state.error[n - 1] if n else -state.sample.target
    weight = state.sample.weight
    highest = top @ np.concatenate([left[None], panel.error])
    share = weight @ highest**2 / max(weight @ panel.error[-1] ** 2, 1e-300)
    if n:
        residual = np.concatenate([state.factor[n - 1 : n], panel.factor])
        share = max(share, np.sum((top @ residual) ** 2) / np.sum(residual[-1] ** 2))
    return float(np.sqrt(share))


def accept(state: State, panel: Panel) -> None:
    """Make a converged panel part of the state."""
    n, m = state.nodes, state.order
    here = slice(n, n + m)
    upto = n + m
    for kernel, rows in (
        (state.correlation, panel.error_correlation),
        (state.residual_correlation, panel.rows.correlation),
    ):
        kernel[here, :upto] = rows
        kernel[:n, here] = rows[:, :n].T
    state.response[here, :upto] = panel.weight_response
    state.residual_response[here, :upto] = panel.rows.response
    state.time[here] = panel.time
    state.factor[here] = panel.factor
    state.pivots = panel.pivots
    state.error[here] = panel.error
    state.heights[here] = panel.height
    state.mean_slope[here] = panel.slope @ state.sample.weight
    state.edges.append(panel.right)

"""One panel of the causal pass: its rows of R_r and C_r as the fixed point of the effective process."""

from dataclasses import dataclass

import numpy as np

from dlnflow.dmft import radau
from dlnflow.dmft.anderson import Anderson
from dlnflow.dmft.paths import solve_paths, tangents
from dlnflow.dmft.state import State
from dlnflow.solution import Array

MAX_ITERATIONS = 60
MODE_FLOOR = 1e-9
MODE_SHARE = 1e-5
FLOOR = 1e-3


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
    modes: Array
    error: Array
    height: Array
    slope: Array
    iterations: int
    residual: float


def _factor_rows(state: State, correlation: Array) -> tuple[Array, Array]:
    """Rows of L on the panel, (m, MODES), from rows of C_ζ (m, N + m), and the panel's own modes, (m, new).

    What earlier modes leave unexplained on the panel is split into its principal components, whose coefficients are the
    panel's new modes. Components below the cut are dropped; `state.plan` fixes how many there may be.
    """
    n, m = state.nodes, state.order
    rows = np.zeros((m, state.factor.shape[1]))
    for first, start, modes in state.modes:
        block = slice(start, start + m)
        unexplained = correlation[:, block] - rows[:, :first] @ state.factor[block, :first].T
        rows[:, first : first + modes.shape[1]] = unexplained @ modes
    known = state.rank
    remainder = correlation[:, n:] - rows @ rows.T
    root = np.sqrt(radau.integration(m)[-1])
    variance, component = np.linalg.eigh(root[:, None] * remainder * root)
    reference = state.residual_correlation[0, 0] / state.problem.aspect_ratio if n else correlation[0, 0]
    cut = max(MODE_FLOOR * reference, MODE_SHARE * correlation[-1, -1])
    planned = None if state.plan is None else state.plan[len(state.edges) - 1]
    most = min(m if planned is None else planned, rows.shape[1] - known)
    count = min(most, int(np.sum(variance > (cut if planned is None else 0.03 * cut))))
    chosen = component[:, ::-1][:, :count] * root[:, None] / np.sqrt(variance[::-1][:count])
    columns = remainder @ chosen
    sign = np.where(columns[-1] < 0, -1.0, 1.0)
    rows[:, known : known + count] = columns * sign
    return rows, chosen * sign


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
            rate = (state.heights[n - 1] - state.heights[n - 2]) / (state.time[n - 1] - state.time[n - 2])
            self.height += np.outer(self.time - self.left, rate) * 0.5

    def apply(self, rows: Rows, keep: bool = False) -> tuple[Rows, Panel]:
        """Solve the paths driven by `rows`; return the rows that these paths imply, and the panel."""
        state, n = self.state, self.state.nodes
        sample = state.sample
        factor, modes = _factor_rows(state, rows.correlation / state.problem.aspect_ratio)
        rank = state.rank + modes.shape[1]
        drive = factor[:, :rank] @ sample.modes[:rank] + rows.response[:, :n] @ self.past_error
        own = np.ascontiguousarray(rows.response[:, n:])
        height, error, slope = self.height.copy(), np.empty_like(drive), np.empty_like(drive)
        failed = solve_paths(drive, state.edge_height, self.exponent, self.integral, own, sample.target, height, error, slope)
        if failed:
            raise PanelFailure(f"{failed} paths")
        self.height = height
        memory = np.ascontiguousarray(rows.response[:, :n])
        average = tangents(memory, own, self.integral, slope, sample.weight, state.tangent, state.tangent_edge, self.first, n, keep)
        weighted = error * sample.weight
        correlation = np.concatenate([weighted @ self.past_error.T, weighted @ error.T], axis=1)
        new = self._rows(average, correlation)
        panel = Panel(self.right, self.time, new, average, correlation, factor, modes, error, height, slope, 0, 0.0)
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
    least = FLOOR * (state.problem.target_second_moment + state.problem.noise_std**2)
    scale = np.sqrt(np.maximum(np.diag(state.residual_correlation[:n, :n]), least))
    solved: Rows | None = None
    for iteration in range(1, MAX_ITERATIONS + 1):
        try:
            new, panel = problem.apply(rows)
        except PanelFailure:
            if solved is None:
                raise
            rows = Rows((solved.response + rows.response) / 2, (solved.correlation + rows.correlation) / 2)
            continue
        solved = rows
        diagonal = np.sqrt(np.maximum(np.diag(new.correlation[:, n:]), least))
        across = np.concatenate([scale, diagonal])
        norm = diagonal[:, None] * across
        change = np.concatenate([(new.response - rows.response), (new.correlation - rows.correlation) / norm])
        residual = max(np.abs(change[m:]).max(), np.sqrt((change[:m] ** 2).sum(axis=1)).max() / np.sqrt((new.response**2).sum(1)).max())
        if residual < tolerance:
            new, panel = problem.apply(rows, keep=True)
            panel.factor, panel.modes = _factor_rows(state, new.correlation / state.problem.aspect_ratio)
            panel.iterations, panel.residual = iteration, residual
            return panel
        x = np.concatenate([rows.response, rows.correlation / norm])
        mixed = anderson.step(x.ravel(), change.ravel()).reshape(x.shape)
        rows = Rows(mixed[:m], mixed[m:] * norm)
    raise PanelFailure(f"no fixed point within {MAX_ITERATIONS} iterations")


def roughness(state: State, panel: Panel) -> float:
    """The share of w − w* and of the residual that lies in the panel's highest Legendre coefficient (root mean square)."""
    n = state.nodes
    top = radau.top_coefficient(state.order)
    left = state.error[n - 1] if n else -state.sample.target
    weight = state.sample.weight
    highest = top @ np.concatenate([left[None], panel.error])
    problem = state.problem
    share = weight @ highest**2 / max(weight @ panel.error[-1] ** 2, FLOOR * problem.target_second_moment)
    if n:
        residual = np.concatenate([state.factor[n - 1 : n], panel.factor])
        start = (problem.target_second_moment + problem.noise_std**2) / problem.aspect_ratio
        share = max(share, np.sum((top @ residual) ** 2) / max(np.sum(residual[-1] ** 2), FLOOR * start))
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
    state.modes.append((state.rank, n, panel.modes))
    state.error[here] = panel.error
    state.heights[here] = panel.height
    state.mean_slope[here] = panel.slope @ state.sample.weight
    state.edges.append(panel.right)

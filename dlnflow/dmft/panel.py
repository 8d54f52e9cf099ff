"""One panel of the causal pass: its rows of R_r and C_r as the fixed point of the effective process."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, reduce

import numpy as np

from dlnflow.dmft import radau
from dlnflow.dmft.anderson import Anderson, Secant
from dlnflow.dmft.constants import (
    ACCEPTABLE,
    DEPTH,
    FLOOR,
    HELD,
    JUMPING,
    LEAST_NORM,
    MISLEADING,
    MOST_ITERATIONS,
    MOST_MISSING,
    PARABOLA,
    STALLED,
)
from dlnflow.dmft.sampling import BLOCK
from dlnflow.dmft.state import Array32, State, lanes
from dlnflow.native import dmft as native
from dlnflow.solution import Array


class PanelFailure(Exception):
    """The panel has to be made shorter."""


@dataclass
class Rows:
    """A panel's rows of two kernels, both (m, N + m): `response` R_r and `correlation` C_r of the residual, or R_w and C_e."""

    response: Array
    correlation: Array


@dataclass
class Panel:
    """A panel as the paths that `rows` drive imply it; not yet part of the state.

    `response` R_w and `correlation` C_e (m, N + m) are corrected, `sampled_response`, `sampled_correlation` and
    `observed` (S, OBSERVED, m) are not. `factor`
    (m, D) and `modes` (m, new) are those of `_factor_rows`, and `above` modes are above the cut, whatever is in `modes`. `slope` and
    `tangent` are those of the paths, see `native.advance`.
    """

    right: float
    time: Array
    rows: Rows
    factor: Array
    modes: Array
    response: Array
    correlation: Array
    sampled_response: Array
    sampled_correlation: Array
    observed: Array
    slope: Array
    tangent: Array32
    above: int
    residual: float = 0.0
    secants: Sequence[Secant] = ()

    @property
    def averages(self) -> Rows:
        """R_w and C_e."""
        return Rows(self.response, self.correlation)


def _factor_rows(state: State, correlation: Array, wanted: Array | None) -> tuple[Array, Array, int]:
    """`native.factor` of the panel after `state` whose rows of C_r are `correlation` (m, N + m). Raises PanelFailure."""
    n, m = state.nodes, state.order
    rows = native.factor(
        correlation=correlation / state.problem.aspect_ratio,
        readout=np.ascontiguousarray(state.readout[:n, : state.rank]),
        start=(state.residual_correlation if n else correlation)[0, 0] / state.problem.aspect_ratio,
        roots=_roots(m),
        wanted=None if wanted is None else np.ascontiguousarray(wanted),
    )
    if rows is None:
        raise PanelFailure("the correlation is not finite")
    return rows


@cache
def _roots(m: int) -> Array:
    """The square roots (m,) of the quadrature weights of a panel."""
    return np.sqrt(radau.integration(m)[-1])


def ahead(known: Array, time: Array) -> Array:
    """Weights (m, 3) at `time` (m,) of the parabola through the last three of the `known` nodes; zero where there are none."""
    if not len(known):
        return np.zeros((len(time), PARABOLA))
    a, b, c = known[-PARABOLA:]
    to_a, to_b, to_c = time - a, time - b, time - c
    weights = to_b * to_c / ((a - b) * (a - c)), to_a * to_c / ((b - a) * (b - c)), to_a * to_b / ((c - a) * (c - b))
    return np.stack(weights, axis=1)


class PanelProblem:
    """The fixed-point map of one panel [left, right] on top of a state."""

    def __init__(self, state: State, right: float) -> None:
        self.state, self.right = state, right
        self.wanted = None if state.like is None else state.like[len(state.edges) - 1]
        self.left = state.edges[-1]
        n, m = state.nodes, state.order
        self.known = np.concatenate([state.residual_response[:n, :n], state.residual_correlation[:n, :n]], axis=1)
        self.width = right - self.left
        self.time = self.left + self.width * radau.nodes(m)
        self.integral = self.width * radau.integration(m)
        self.shift = np.append(state.integrals[:, -1], self.integral[-1])
        edge_and_nodes = np.append(self.left, self.time)
        self.decay = -2 * state.problem.weight_decay * edge_and_nodes
        native.extrapolate(state.sample.paths, n, ahead=ahead(state.time[:n], self.time), decay=self.decay, height=state.height)
        self.slope = lanes((len(state.height), m, native.LANES))
        self.tangent = lanes((len(state.tangent_edge), n + m, m, native.SINGLE_LANES), np.float32)

    def apply(self, rows: Rows) -> Panel:
        """The panel of the paths that `rows` drive."""
        state, n, m = self.state, self.state.nodes, self.state.order
        factor, modes, above = _factor_rows(state, rows.correlation, self.wanted)

        def average(blocks: tuple[int, int]) -> tuple[Array, Array, Array] | None:
            return native.advance(
                state.sample.paths,
                blocks,
                factor=factor,
                memory=rows.response,
                integral=self.integral,
                decay=self.decay[1:],
                shift=self.shift,
                height=state.height,
                error=state.error,
                slope=self.slope,
                tangents=[*state.tangents, self.tangent],
                edge=state.tangent_edge,
                reached=state.tangent_reached,
                early=state.early,
                kinds=len(state.sampled.observed.rows),
            )

        shares = [share for share in state.map(average) if share]
        if len(shares) < len(state.parts):
            raise PanelFailure("a path does not settle")
        response, correlation, observed = (reduce(np.add, each) for each in zip(*shares, strict=True))
        panel = Panel(
            self.right,
            self.time,
            rows,
            factor,
            modes,
            response,
            correlation,
            response,
            correlation,
            observed,
            self.slope,
            self.tangent,
            above,
        )
        if state.correction is not None:
            here = (slice(n, n + m), slice(0, n + m))
            panel.response = response + state.correction.response[here]
            panel.correlation = correlation + state.correction.correlation[here]
        return panel

    def implied(self, averages: Rows) -> Rows:
        """The panel's rows of R_r and C_r, from those of R_w and C_e. Raises PanelFailure."""
        rows = native.implied(
            response=averages.response,
            correlation=averages.correlation,
            known=self.known,
            aspect_ratio=self.state.problem.aspect_ratio,
            noise=self.state.problem.noise_std**2,
        )
        if rows is None:
            raise PanelFailure("the response of the residual is infinite")
        return Rows(*rows)

    def first_guess(self) -> Rows:
        """Rows of a network that stands still after the left edge: R_w and C_e of the edge, repeated."""
        state, n, m = self.state, self.state.nodes, self.state.order
        if n == 0:
            return Rows(np.eye(m), np.full((m, m), state.problem.initial_error + state.problem.noise_std**2))
        response = np.zeros((m, n + m))
        response[:, :n] = state.residual_response[n - 1, :n]
        response[:, n - 1] -= 1.0
        response[:, n:] = np.eye(m)
        correlation = np.empty((m, n + m))
        correlation[:, :n] = state.residual_correlation[n - 1, :n]
        correlation[:, n:] = state.residual_correlation[n - 1, n - 1]
        return Rows(response, correlation)


def solve(
    state: State, right: float, tolerance: float, guess: Rows | None = None, secants: Sequence[Secant] = (), most: int = MOST_ITERATIONS
) -> Panel:
    """Iterate a panel to a relative change below `tolerance`; raises PanelFailure where it does not settle within `most` iterations.

    It starts from what the averages `guess`, rows of R_w and C_e, imply, and with the `secants` of a similar panel.
    """
    problem = PanelProblem(state, right)
    rows = problem.implied(guess) if guess else problem.first_guess()
    n, m = state.nodes, state.order
    anderson = Anderson(DEPTH, secants)
    least = FLOOR * (state.problem.initial_error + state.problem.noise_std**2)
    acceptable = max(JUMPING / len(state.sample.target), ACCEPTABLE * tolerance)
    scale = np.sqrt(np.maximum(np.diag(state.residual_correlation[:n, :n]), least))
    solved, best, least_residual, halved, missing, unit = None, rows, np.inf, (np.inf, 0), 0, None
    for iteration in range(1, most + 1):
        try:
            panel = problem.apply(rows)
        except PanelFailure:
            if solved is None:
                raise
            rows = Rows((solved.response + rows.response) / 2, (solved.correlation + rows.correlation) / 2)
            continue
        solved, new = rows, problem.implied(panel.averages)
        change, norm, residual = native.change(
            response=rows.response,
            correlation=rows.correlation,
            new_response=new.response,
            new_correlation=new.correlation,
            scale=scale,
            least=least,
        )
        if not np.isfinite(residual):
            raise PanelFailure("the kernels are not finite")
        if problem.wanted is None and residual < HELD:
            problem.wanted = panel.factor[:, state.rank :]
        elif state.like is None and residual < tolerance and panel.above > panel.modes.shape[1] and missing < MOST_MISSING:
            problem.wanted, missing, least_residual, residual = None, missing + 1, np.inf, 1.0
        if residual < least_residual:
            best, least_residual = new, float(residual)
        if least_residual < halved[0] / 2:
            halved = (least_residual, iteration)
        if least_residual < tolerance or (least_residual < acceptable and iteration - halved[1] >= STALLED):
            break
        if guess and iteration > 1 and least_residual > MISLEADING:
            guess, rows, least_residual = None, problem.first_guess(), np.inf
            continue
        unit = norm if unit is None else unit  # the same for all secants, whereas `norm` may fall by powers of ten
        x = np.concatenate([rows.response, rows.correlation / unit])
        change[m:] *= norm / unit
        mixed = anderson.step(x.ravel(), change.ravel()).reshape(x.shape)
        rows = Rows(mixed[:m], mixed[m:] * unit)
    if not least_residual < acceptable:
        raise PanelFailure(f"no fixed point within {most} iterations")
    if residual > least_residual:
        panel = problem.apply(best)
        new = problem.implied(panel.averages)
    panel.rows = new  # exactly those of its averages: in late panels their terms cancel
    panel.factor, panel.modes, _ = _factor_rows(state, panel.rows.correlation, problem.wanted)
    panel.residual, panel.secants = least_residual, anderson.secants if least_residual < tolerance else ()
    return panel


def roughness(state: State, panel: Panel) -> float:
    """The share of the residual, and of the smaller of w and w − w*, in a panel's highest Legendre coefficient (root mean square)."""
    n, m = state.nodes, state.order
    top = radau.top_coefficient(m)
    problem, sample = state.problem, state.sample
    error = state.error[:, max(n - 1, 0) : n + m].swapaxes(0, 1).reshape(-1, len(sample.target))
    highest = top @ (error if n else np.concatenate([(sample.initial[0] - sample.target)[None], error]))
    moved = float(sample.weights @ highest**2)
    norm = float(sample.weights @ (state.error[:, n + m - 1].ravel() + sample.target) ** 2)
    share = moved / max(min(panel.correlation[-1, -1], norm), LEAST_NORM * problem.initial_error)
    if n:
        residual = np.concatenate([state.factor[n - 1 : n, : panel.factor.shape[1]], panel.factor])
        start = (problem.initial_error + problem.noise_std**2) / problem.aspect_ratio
        share = max(share, np.sum((top @ residual) ** 2) / max(np.sum(residual[-1] ** 2), FLOOR * start))
    return float(np.sqrt(share))


def accept(state: State, panel: Panel) -> None:
    """Make a converged panel part of the state."""
    n, m = state.nodes, state.order
    here, upto = slice(n, n + m), n + m
    for kernel, rows in (
        (state.correlation, panel.correlation),
        (state.residual_correlation, panel.rows.correlation),
        (state.sampled.correlation, panel.sampled_correlation),
    ):
        kernel[here, :upto] = rows
        kernel[:n, here] = rows[:, :n].T
    state.response[here, :upto] = panel.response
    state.sampled.response[here, :upto] = panel.sampled_response
    state.residual_response[here, :upto] = panel.rows.response
    state.sampled.observed.rows[:, :, here] = panel.observed
    state.time[here] = panel.time
    known, rank = state.rank, panel.factor.shape[1]
    state.factor[here, :rank] = panel.factor
    state.readout[here, known:rank] = panel.modes
    state.readout[:n, known:rank] = -state.readout[:n, :known] @ (panel.factor[:, :known].T @ panel.modes)
    state.ranks.append(rank)
    state.tangents.append(panel.tangent)
    state.tangent_edge, state.tangent_reached = state.tangent_reached, state.tangent_edge
    _pass_over(state, panel)
    state.edges.append(panel.right)
    state.secants.append(panel.secants)
    state.residual = max(state.residual, panel.residual)


def _pass_over(state: State, panel: Panel) -> None:
    """Follow only perturbations in the `panel` just accepted, where no path of a block has moved yet, see `native.QUIET`."""
    still = np.flatnonzero(state.moved.max(axis=1) <= native.QUIET)
    if not still.size:
        return
    slope = panel.slope.reshape(len(state.moved), -1, state.order, native.LANES)[still]
    weights = (panel.right - state.edges[-1]) * radau.integration(state.order)[-1]
    state.moved[still] += np.einsum("i,btil->btl", weights, slope).reshape(-1, BLOCK)
    still = still[state.moved[still].max(axis=1) <= native.QUIET]
    state.early[still] = state.nodes

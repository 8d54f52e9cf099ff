"""Causal passes over a sample of paths, and open-loop averages over another sample with the kernels that a pass has found."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from dlnflow.dmft import panel, radau
from dlnflow.dmft.sampling import Sample
from dlnflow.dmft.state import Averages, State, start
from dlnflow.model import Problem
from dlnflow.native import dmft as native
from dlnflow.solution import Array, SolveError

ORDER = 4
MOST_PANELS = 100
MOST_MODES = 160
PATIENCE = 24  # iterations; a panel that needs more is made shorter, or it may not settle on other paths

Watch = Callable[[float], None]


class Unsettled(SolveError):
    """Panels that do not settle up to the horizon; up to the time `reached` they may, unless that is the horizon."""

    def __init__(self, message: str, reached: float) -> None:
        super().__init__("not_converged", message)
        self.reached = reached


def adaptive_pass(
    problem: Problem, sample: Sample, horizon: float, roughness: float, tolerance: float, most: int, watch: Callable[[State], None]
) -> State:
    """A pass that chooses its panels: the roughness of each stays below `roughness`. `watch(state)` is called after each.

    `tolerance` is that of the panels' iterations. Raises Unsettled where more than `most` of them do not settle until they are made
    shorter, or where panels need more than MOST_PANELS, or than the modes of `sample`.
    """
    state = start(problem, sample, ORDER, MOST_PANELS)
    width, failures = _first_width(problem, horizon), 0
    while state.edges[-1] < horizon:
        left = state.edges[-1]
        if state.is_full:
            raise Unsettled(f"{len(state.edges) - 1} panels reach only t = {left:.3g}", _end_of_widest(state))
        right = horizon if left + 1.2 * width >= horizon else left + width
        try:
            solved = _solved(state, right, tolerance)
        except panel.PanelFailure:
            width, failures = width / 2, failures + 1
            if width < 1e-9 * max(1e-3, left) or failures > most:
                raise Unsettled(f"The iteration does not settle at t = {left:.3g}", _end_of_widest(state)) from None
            continue
        rough = panel.roughness(state, solved)
        factor = float(np.clip(0.9 * (roughness / max(rough, 1e-12)) ** (1 / ORDER), 0.3, 2.0))
        if rough > 2 * roughness and factor < 0.8 and right - left > 1e-9 * max(1e-3, left):
            width = (right - left) * factor
            continue
        panel.accept(state, solved)
        watch(state)
        width = max(width, right - left) * factor
    state.finish()
    return state


def _end_of_widest(state: State) -> float:
    """The right edge of the widest panel, behind which panels were made shorter; 0 where there is none."""
    return max(pairwise(state.edges), key=lambda edges: edges[1] - edges[0], default=(0.0, 0.0))[1]


def _solved(state: State, right: float, tolerance: float) -> panel.Panel:
    """The next panel, from a network that stands still, or else from one whose response to late fields is that of the panel before."""
    try:
        return panel.solve(state, right, tolerance, most=PATIENCE)
    except panel.PanelFailure:
        n, m = state.nodes, state.order
        if not n:
            raise
        response, correlation = np.zeros((2, m, n + m))
        response[:, m:] = state.response[n - m : n, :n]
        correlation[:, :n], correlation[:, n:] = state.correlation[n - 1, :n], state.correlation[n - 1, n - 1]
        return panel.solve(state, right, tolerance, panel.Rows(response, correlation), most=PATIENCE)


def _first_width(problem: Problem, horizon: float) -> float:
    """A first panel on which nothing moves far: a share of the fastest linear rate 2a²(1 + 1/√δ)² + λ, or of the search."""
    rate = 2 * problem.initial_second_moment * (1 + problem.aspect_ratio**-0.5) ** 2 + 2 * problem.weight_decay
    drive = np.sqrt((problem.initial_error + problem.noise_std**2) / problem.aspect_ratio + problem.initial_error)
    return float(min(horizon, 0.3 / (rate + drive)))


def causal_pass(
    like: State,
    sample: Sample,
    order: int,
    tolerance: float,
    watch: Watch,
    correction: Averages | None = None,
    *,
    taught: bool = False,
    alone: bool = False,
) -> State:
    """A pass on the panels of the state `like`, from the averages that its kernels give and with modes turned towards its modes.

    `taught`, it starts with the secants of `like` too; `alone`, it keeps to its thread. With another `order` than that of `like`, modes
    keep the draws that they have there.
    """
    edges = like.edges[1:]
    lift = radau.between(like.order, order)
    new = [slice(first, last) for first, last in pairwise(like.ranks)]
    blocks = [lift @ like.factor[k * like.order : (k + 1) * like.order, columns] for k, columns in enumerate(new)]
    state = start(like.problem, sample, order, len(edges), blocks, correction, alone)
    expected = _expected(like, sample, order, correction)
    for right, secants in zip(edges, like.secants if taught else [()] * len(edges), strict=True):
        try:
            solved = panel.solve(state, right, tolerance, _guess(state, expected), secants)
        except panel.PanelFailure:
            solved = panel.solve(state, right, tolerance)
        panel.accept(state, solved)
        watch(right)
    state.finish()
    return state


def _expected(like: State, sample: Sample, order: int, correction: Averages | None) -> panel.Rows:
    """R_w and C_e over `sample` with the kernels of `like`, on panels of `order` nodes, with the `correction` there."""
    averages = lift(own_averages(like) if sample is like.sample else open_loop(like, sample), like.order, order)
    if correction is not None:
        averages += correction
    return panel.Rows(averages.response, averages.correlation)


def lift(averages: Averages, order: int, other: int) -> Averages:
    """Averages on panels of `order` nodes, interpolated to panels of `other` nodes."""
    if order == other:
        return averages
    panels = np.eye(len(averages.response) // order)
    onto, back = (np.kron(panels, radau.between(*orders)) for orders in ((order, other), (other, order)))
    return Averages(onto @ averages.response @ back, onto @ averages.correlation @ onto.T, averages.sums @ onto.T)


def _guess(state: State, expected: panel.Rows) -> panel.Rows:
    """The next panel's rows of R_w and C_e: what they are at its left edge, and from there on the expected changes."""
    n = state.nodes
    here = (slice(n, n + state.order), slice(0, n + state.order))
    response, correlation = expected.response[here].copy(), expected.correlation[here].copy()
    if n:
        response[:, :n] += state.response[n - 1, :n] - expected.response[n - 1, :n]
        correlation[:, :n] += state.correlation[n - 1, :n] - expected.correlation[n - 1, :n]
        correlation[:, n:] += state.correlation[n - 1, n - 1] - expected.correlation[n - 1, n - 1]
    return panel.Rows(response, correlation)


def own_averages(state: State) -> Averages:
    """The averages over the sample of `state` with its kernels; `state.sampled` belong to the last iterates of its panels.

    They differ by a tolerance, which stiff networks amplify thousandfold. Raises PanelFailure where a path does not settle.
    """
    if state.own is None:
        state.own = open_loop(state, state.sample)
    return state.own


def open_loop(state: State, sample: Sample, heights: Array | None = None, tangents: bool = True) -> Averages:
    """The averages over `sample` of the paths that the kernels of `state` drive; `heights` (N, P), where given, is filled with H.

    Raises PanelFailure where a path does not settle.
    """
    panels = range(0, state.nodes, state.order)
    averages = native.propagate(
        sample.paths,
        factor=state.factor,
        memory=state.residual_response,
        integrals=state.integrals,
        ahead=np.concatenate([panel.ahead(state.time[:n], state.time[n : n + state.order]) for n in panels]),
        decay=-2 * state.problem.weight_decay * state.time,
        tangents=tangents,
        heights=heights,
        kinds=len(state.problem.strata),
    )
    if averages is None:
        raise panel.PanelFailure("a path does not settle")
    response, correlation, sums = averages
    lower = np.tril(correlation)
    return Averages(response, lower + np.tril(lower, -1).T, sums)

"""Causal passes over a sample of paths, panel after panel: on panels that are chosen on the way, or on known ones."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from dlnflow.dmft import guess, panel, radau, widths
from dlnflow.dmft.averages import AveragedKernels, Averages
from dlnflow.dmft.constants import MOST_PANELS, ORDER, PATIENCE, RUN_AWAY
from dlnflow.dmft.front import Front, Panel, start
from dlnflow.dmft.outcome import Unsettled
from dlnflow.dmft.sampling import Sample
from dlnflow.dmft.state import State
from dlnflow.model import Problem
from dlnflow.solution import SolveError

Watch = Callable[[float], None]


def adaptive_pass(
    problem: Problem,
    sample: Sample,
    horizon: float,
    bound: float,
    tolerance: float,
    most: int,
    watch: Callable[[Front], None],
    temperature: float = 0.0,
) -> State | Unsettled:
    """A pass that chooses its panels: the roughness of each stays below the `bound`. `watch(front)` is called after each.

    `tolerance` is that of the panels' iterations. Unsettled where more than `most` of them do not settle until they are made shorter, or
    where panels need more than MOST_PANELS, or than the modes of `sample`.
    """
    front = start(problem, sample, ORDER, MOST_PANELS, temperature=temperature)
    width, failures = widths.first_width(problem, horizon), 0
    while front.edges[-1] < horizon:
        left = front.edges[-1]
        if front.is_full:
            return Unsettled(f"{len(front.edges) - 1} panels reach only t = {left:.3g}", _end_of_widest(front))
        right = widths.right_edge(left, width, horizon)
        made = _on_new_panel(front, right, tolerance)
        if isinstance(made, Unsettled):
            width, failures = width / 2, failures + 1
            if widths.is_too_narrow(left, width) or failures > most:
                return Unsettled(f"The iteration does not settle at t = {left:.3g}", _end_of_widest(front))
            continue
        rough = widths.roughness(front, made)
        factor = widths.next_factor(rough, bound)
        if widths.is_to_be_repeated(rough, bound) and not widths.is_too_narrow(left, right - left):
            width = (right - left) * factor
            continue
        front.accept(made)
        _follow(front)
        watch(front)
        width = max(width, right - left) * factor
    return front.state()


def _follow(front: Front) -> None:
    """Raises SolveError where the noise of stochastic gradient flow feeds itself so that the loss runs away."""
    start = front.problem.initial_error + front.problem.noise_std**2
    if front.temperature and front.loss[front.nodes - 1] > RUN_AWAY * start:
        edge = "The noise feeds itself where temperature · E[c k] ≥ 2; see critical_temperature of a job of kind theory."
        raise SolveError("diverged", f"The loss is {RUN_AWAY:g} times that of the start at t = {front.edges[-1]:.3g}. {edge}")


def _end_of_widest(front: Front) -> float:
    """The right edge of the widest panel, behind which panels were made shorter; 0 where there is none."""
    return max(pairwise(front.edges), key=lambda edges: edges[1] - edges[0], default=(0.0, 0.0))[1]


def _on_new_panel(front: Front, right: float, tolerance: float) -> Panel | Unsettled:
    """The next panel, from a network that stands still, or else from one whose response to late fields is that of the panel before."""
    made = panel.solve(front, right, tolerance, most=PATIENCE)
    if isinstance(made, Panel) or not front.nodes:
        return made
    return panel.solve(front, right, tolerance, guess.shifted(front), most=PATIENCE)


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
) -> State | Unsettled:
    """A pass on the panels of the state `like`, from the averages that its kernels give and with modes turned towards its modes.

    `taught`, it starts with the secants of `like` too; `alone`, it keeps to its thread. With another `order` than that of `like`, modes
    keep the draws that they have there. Where the guess does not lead to a panel, the network that stands still may.
    """
    if max(new.stop - new.start for new in like.new) > order:
        return Unsettled(f"a panel has more modes than {order} nodes can have")
    expected = _expected(like, sample, order, correction)
    if isinstance(expected, Unsettled):
        return expected
    edges = like.edges[1:]
    front = start(like.problem, sample, order, len(edges), like.blocks(order), correction, alone, like.temperature)
    for right, secants in zip(edges, like.secants if taught else [()] * len(edges), strict=True):
        made = panel.solve(front, right, tolerance, guess.continued(front, expected), secants)
        if isinstance(made, Unsettled):
            made = panel.solve(front, right, tolerance)
        if isinstance(made, Unsettled):
            return made
        front.accept(made)
        watch(right)
    return front.state()


def _expected(like: State, sample: Sample, order: int, correction: Averages | None) -> AveragedKernels | Unsettled:
    """R_w and C_e over `sample` with the kernels of `like`, on panels of `order` nodes, with the `correction` there."""
    averages = like.small_averages if sample is like.sample else like.open_loop(sample)
    if isinstance(averages, Unsettled):
        return averages
    averages = averages.interpolated(like.order, order)
    onto = np.kron(np.eye(like.panels), radau.between(like.order, order))
    return (averages if correction is None else averages + correction).kernels(onto @ like.factor)

"""The fixed point of a panel, eq. (12): its rows of R_r and C_r drive paths, whose averages imply the rows again.

    iteration = init(…)
    while terminate(iteration.standing, …) is Verdict.GO_ON:
        iteration = step(…)
    panel = finish(…)

An iteration is frozen; the paths' H on the panel is not: every step starts Newton's method from where the last one left it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dlnflow.dmft import guess, newton
from dlnflow.dmft.anderson import Anderson, Secant
from dlnflow.dmft.averages import AveragedKernels, observed
from dlnflow.dmft.constants import ACCEPTABLE, HELD, JUMPING, MOST_ITERATIONS, MOST_MISSING
from dlnflow.dmft.front import Front, Panel
from dlnflow.dmft.newton import Newton
from dlnflow.dmft.outcome import Unsettled
from dlnflow.dmft.panel_map import Evaluation, PanelMap
from dlnflow.dmft.residuals import ResidualKernels
from dlnflow.dmft.standing import Bounds, Standing, Verdict, terminate
from dlnflow.solution import Array


@dataclass(frozen=True)
class Iteration:
    """The fixed-point iteration of a panel.

    `ahead` are the rows at which the map is evaluated next, if not where Anderson's combination of the `last` evaluation leads; `best`
    are those implied at the least residual. New modes are `held` to a block of L once residuals are small; so many times were modes found
    `missing` then. Correlations are in one `unit` (m, N + m) for all secants, whereas their norms may fall by powers of ten. The last step
    was one of `newton`, if any.
    """

    ahead: ResidualKernels | None
    best: ResidualKernels
    anderson: Anderson
    standing: Standing
    held: Array | None
    last: Evaluation | None = None
    missing: int = 0
    unit: Array | None = None
    newton: Newton | None = None


def solve(
    front: Front,
    right: float,
    tolerance: float,
    averages: AveragedKernels | None = None,
    secants: Sequence[Secant] = (),
    most: int = MOST_ITERATIONS,
) -> Panel | Unsettled:
    """The panel after a `front` up to the edge `right`, iterated to a relative change below `tolerance`.

    It starts from the rows that the `averages`, rows of R_w and C_e, imply, or else from the network that stands still, and with the
    `secants` of a similar panel. Where these have not settled it after some evaluations, Newton's method goes on from where they are.
    Unsettled where no fixed point is found within `most` evaluations.
    """
    paths = len(front.paths.sample.target)
    bounds = Bounds(tolerance, max(JUMPING / paths, ACCEPTABLE * tolerance), most)
    panel_map = PanelMap(front, right)
    iteration = init(panel_map, averages, secants)
    verdict = Verdict.GO_ON
    while not isinstance(iteration, Unsettled) and verdict is Verdict.GO_ON:
        iteration = step(panel_map, iteration, bounds)
        if not isinstance(iteration, Unsettled):
            verdict = terminate(iteration.standing, bounds)
    if isinstance(iteration, Unsettled):
        return iteration
    if verdict is Verdict.UNSETTLED:
        return Unsettled(f"no fixed point within {iteration.standing.number} iterations")
    return finish(panel_map, iteration, verdict)


def init(panel_map: PanelMap, averages: AveragedKernels | None, secants: Sequence[Secant]) -> Iteration | Unsettled:
    """An iteration before its first step."""
    rows = guess.at_rest(panel_map.front) if averages is None else panel_map.implied(averages)
    if isinstance(rows, Unsettled):
        return rows
    return Iteration(rows, rows, Anderson(tuple(secants)), Standing(guided=averages is not None), panel_map.front.held_next)


def step(panel_map: PanelMap, iteration: Iteration, bounds: Bounds) -> Iteration | Unsettled:
    """One evaluation of the map, (12). Where paths do not settle at it, the next one is half of the way there."""
    rows, iteration = _next(panel_map, iteration)
    image = panel_map.image(rows, iteration.held)
    if isinstance(image, Unsettled):
        return _after_loss(iteration, rows) or image
    implied = panel_map.implied(image.averages)
    if isinstance(implied, Unsettled):
        return implied
    change = panel_map.change(rows, implied)
    if not np.isfinite(change.largest):
        return Unsettled("the kernels are not finite")
    return _recorded(panel_map.front, iteration, Evaluation(rows, image, implied, change), bounds.wanted(iteration.standing))


def _next(panel_map: PanelMap, iteration: Iteration) -> tuple[ResidualKernels, Iteration]:
    """Where the map is evaluated next, and the iteration with what it has learned."""
    if iteration.ahead is not None:
        return iteration.ahead, iteration
    iteration, returned = _by_its_method(iteration)
    if returned:
        return iteration.best, iteration
    point, residual, unit = _flat(iteration)
    iteration = replace(iteration, unit=unit)
    if iteration.standing.by_newton:
        return _by_newton(panel_map, iteration, point, residual)
    mixed, anderson = iteration.anderson.step(point, residual)
    return _rows(mixed, unit), replace(iteration, anderson=anderson)


def _by_its_method(iteration: Iteration) -> tuple[Iteration, bool]:
    """The iteration with the method that leads on, and whether that is to start from the best point anew, as secants after Newton's do."""
    if not iteration.standing.is_to_change:
        return iteration, False
    changed = replace(iteration, standing=iteration.standing.changed(), newton=None)
    return (changed, False) if changed.standing.by_newton else (replace(changed, anderson=Anderson()), True)


def _flat(iteration: Iteration) -> tuple[Array, Array, Array]:
    """The last rows of R_r over those of C_r and their residual, (2 m (N + m),) each, in the unit (m, N + m) of the iteration."""
    assert iteration.last
    rows, change = iteration.last.rows, iteration.last.change
    m, unit = len(rows.response), change.norm if iteration.unit is None else iteration.unit
    point = np.concatenate([rows.response, rows.correlation / unit])
    residual = np.concatenate([change.rows[:m], change.rows[m:] * (change.norm / unit)])
    return point.ravel(), residual.ravel(), unit


def _by_newton(panel_map: PanelMap, iteration: Iteration, point: Array, residual: Array) -> tuple[ResidualKernels, Iteration]:
    """Where Newton's method evaluates the map after a `point` with this `residual`; at the rows that are implied where tangents overflow.

    A direction along which modes come or go, which has no derivative, counts as one that the map does not answer to: the step is less
    good by that, and shortened where it is bad. Held modes, which most steps have, neither come nor go.
    """
    last, held, unit, standing, before = iteration.last, iteration.held, iteration.unit, iteration.standing, iteration.newton
    assert last and unit is not None
    if before and before.misses(standing.residual):
        shorter = before.shorter()
        return _rows(shorter.point, unit), replace(iteration, newton=shorter, standing=replace(standing, stuck=shorter.is_stuck))
    products = panel_map.products(last)
    if products is None:
        return last.implied, replace(iteration, newton=None)

    def along(move: Array) -> Array:
        moved = panel_map.moved(last, products, held, _rows(move, unit))
        return np.zeros_like(move) if isinstance(moved, Unsettled) else np.concatenate([moved.response, moved.correlation / unit]).ravel()

    made = newton.step(along, point, residual, standing.residual, before)
    return _rows(made.point, unit), replace(iteration, newton=made)


def _rows(flat: Array, unit: Array) -> ResidualKernels:
    """Rows of R_r over those of C_r in a `unit`."""
    both = flat.reshape(2 * len(unit), -1)
    return ResidualKernels(both[: len(unit)], both[len(unit) :] * unit)


def _after_loss(iteration: Iteration, rows: ResidualKernels) -> Iteration | None:
    """The iteration after `rows` at which paths do not settle; None before the first evaluation.

    It goes on half way from its last evaluation. Where that leads nowhere either, Newton's method does, from the last evaluation itself.
    """
    if iteration.last is None:
        return None
    before, standing = iteration.last.rows, replace(iteration.standing, number=iteration.standing.number + 1)
    if standing.lost and not standing.by_newton:
        return replace(iteration, ahead=before, newton=None, standing=standing.changed())
    ahead = ResidualKernels((before.response + rows.response) / 2, (before.correlation + rows.correlation) / 2)
    return replace(iteration, ahead=ahead, standing=replace(standing, lost=True))


def _recorded(front: Front, iteration: Iteration, last: Evaluation, tolerance: float) -> Iteration:
    """The iteration after an evaluation.

    Near the fixed point, modes keep their number and direction, since those that come and go would stop it; where some are missing at
    the end, all are chosen anew, and the residual is not yet known.
    """
    factor, residual, standing = last.image.factor, last.change.largest, iteration.standing
    held, missing, anderson, ahead = iteration.held, iteration.missing, iteration.anderson, None
    if held is None and residual < HELD:
        held = factor.columns(front.rank)
    elif front.held is None and residual < tolerance and factor.above > factor.modes.shape[1] and missing < MOST_MISSING:
        held, missing, residual, standing = None, missing + 1, 1.0, replace(standing, least=np.inf, halved=np.inf)
        anderson, ahead = anderson.anew(), last.implied
        iteration = replace(iteration, newton=None)
    best = last.implied if residual < standing.least else iteration.best
    return Iteration(ahead, best, anderson, standing.after(residual), held, last, missing, iteration.unit, iteration.newton)


def finish(panel_map: PanelMap, iteration: Iteration, verdict: Verdict) -> Panel | Unsettled:
    """The panel of the least residual, with exactly the rows that its averages imply: late in training, their terms cancel."""
    last, standing = iteration.last, iteration.standing
    assert last
    image, rows = last.image, last.implied
    if standing.lost or standing.residual > standing.least:
        again = panel_map.image(iteration.best, iteration.held)
        implied = again if isinstance(again, Unsettled) else panel_map.implied(again.averages)
        if isinstance(again, Unsettled) or isinstance(implied, Unsettled):
            return Unsettled("the best point of the iteration does not come back")
        image, rows = again, implied
    factor = panel_map.factor(rows, iteration.held)
    if isinstance(factor, Unsettled):
        return factor
    return Panel(
        interval=panel_map.forgetful(factor.white),
        scattered=0.0 if factor.white is None else panel_map.slopes() * factor.white.missing,
        rows=rows,
        factor=factor,
        averages=image.averages,
        errors=image.sampled.correlation,
        linear=image.linear,
        observed=observed(image.sums, panel_map.interval.time),
        room=panel_map.room,
        residual=standing.least,
        secants=iteration.anderson.secants if verdict is Verdict.SETTLED else (),
        evaluations=standing.number,
    )

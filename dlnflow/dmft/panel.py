"""The fixed point of a panel, eq. (12): its rows of R_r and C_r drive paths, whose averages imply the rows again.

    iteration = init(…)
    while terminate(iteration.standing, …) is Verdict.GO_ON:
        iteration = step(…)
    panel = finish(…)

An iteration is frozen; the paths' H on the panel is not: every step starts Newton's method from where the last one left it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

import numpy as np

from dlnflow.dmft import guess, residuals, stein
from dlnflow.dmft.anderson import Anderson, Correction, Secant
from dlnflow.dmft.averages import Rows, observed
from dlnflow.dmft.constants import ACCEPTABLE, FLOOR, HELD, JUMPING, MISLEADING, MOST_ITERATIONS, MOST_MISSING, STALLED, TOLERANCES
from dlnflow.dmft.derivative import Derivative
from dlnflow.dmft.front import Front, Panel
from dlnflow.dmft.noise import Factor, factor
from dlnflow.dmft.outcome import Unsettled
from dlnflow.dmft.residuals import Change
from dlnflow.solution import Array


class Verdict(Enum):
    """What becomes of an iteration after a step."""

    GO_ON = auto()
    START_OVER = auto()  # from the network that stands still
    SETTLED = auto()
    STALLED = auto()  # and its residual is acceptable
    UNSETTLED = auto()


@dataclass(frozen=True)
class Bounds:
    """Of an iteration: the residual wanted, that which is acceptable where it stalls, and the most evaluations of its map."""

    tolerance: float
    acceptable: float
    most: int


@dataclass(frozen=True)
class Standing:
    """How far an iteration is after a `number` of evaluations: the last and the `least` residual.

    `halved` is the least residual when it had last become less than half of what it was, at evaluation `halved_at`. An iteration that is
    `guided` started from a guess that may mislead. It is `astray` where paths did not settle at the last evaluation.
    """

    number: int = 0
    residual: float = np.inf
    least: float = np.inf
    halved: float = np.inf
    halved_at: int = 0
    guided: bool = False
    astray: bool = False

    def after(self, residual: float) -> "Standing":
        """After another evaluation with this residual."""
        number, least = self.number + 1, min(self.least, residual)
        halved, halved_at = (least, number) if least < self.halved / 2 else (self.halved, self.halved_at)
        return Standing(number, residual, least, halved, halved_at, self.guided)


def terminate(standing: Standing, bounds: Bounds) -> Verdict:
    """Whether an iteration ends, and how."""
    least, acceptable = standing.least, standing.least < bounds.acceptable
    if least < bounds.tolerance:
        return Verdict.SETTLED
    if standing.number >= bounds.most:
        return Verdict.STALLED if acceptable else Verdict.UNSETTLED
    if standing.astray:
        return Verdict.GO_ON
    if acceptable and standing.number - standing.halved_at >= STALLED:
        return Verdict.STALLED
    if standing.guided and standing.number > 1 and least > MISLEADING:
        return Verdict.START_OVER
    return Verdict.GO_ON


@dataclass(frozen=True)
class Image:
    """What rows of R_r and C_r lead to: L, R_w and C_e with the correction, E[e eᵀ] over the sample, and the `sums` of what is observed.

    Of the error, `linear` is what is linear in the noise, by which Stein's identity adds rows to C_e.
    """

    factor: Factor
    averages: Rows
    errors: Array
    linear: stein.Part
    sums: Array


@dataclass(frozen=True)
class Evaluation:
    """Where the map was evaluated, `rows` of R_r and C_r, what it made of them, and the rows that are `implied`, with their `change`."""

    rows: Rows
    image: Image
    implied: Rows
    change: Change


@dataclass(frozen=True)
class Iteration:
    """The fixed-point iteration of a panel.

    `ahead` are the rows at which the map is evaluated next, if not where Anderson's combination of the `last` evaluation leads; `best`
    are those implied at the least residual. New modes are `held` to a block of L once residuals are small; so many times were modes found
    `missing` then. Correlations are in one `unit` (m, N + m) for all secants, whereas their norms may fall by powers of ten.
    """

    ahead: Rows | None
    best: Rows
    anderson: Anderson
    standing: Standing
    held: Array | None
    last: Evaluation | None = None
    missing: int = 0
    unit: Array | None = None


class PanelMap:
    """The map of a panel after a `front`, up to the edge `right`, whose derivative counts where it is `newton`."""

    def __init__(self, front: Front, right: float, newton: bool = False) -> None:
        n, self.is_newton = front.nodes, newton
        self.front, self.problem, self.interval = front, front.problem, front.next_interval(right)
        self.known = np.concatenate([front.residual_response[:n, :n], front.residual_correlation[:n, :n]], axis=1)
        self.least = FLOOR * (self.problem.initial_error + self.problem.noise_std**2)
        self.scale = np.sqrt(np.maximum(np.diag(front.residual_correlation[:n, :n]), self.least))
        self.readout = np.ascontiguousarray(front.readout[:n, : front.rank])
        self.past = np.ascontiguousarray(front.factor[:n, : front.rank]), front.linear
        self.room = front.paths.room(n, front.order)
        self.strata = len(front.observed.rows)
        front.paths.extrapolate(front.time[:n], self.interval)

    def derivative(self, last: Evaluation) -> Derivative | None:
        """Its derivative where it was evaluated last, where there is one."""
        return self.front.derivative(self.room[1], last.implied, last.image.averages, last.image.factor)

    def image(self, rows: Rows, held: Array | None) -> Image | Unsettled:
        """What the paths that `rows` of R_r and C_r drive average to."""
        factor = self.factor(rows, held)
        if isinstance(factor, Unsettled):
            return factor
        front, known = self.front, self.front.rank
        averages = front.paths.advance(self.interval, rows.response, factor.rows, known, self.room, self.strata)
        if isinstance(averages, Unsettled):
            return averages
        plain, regression, earlier, sums = averages
        linear = stein.part(plain.response, regression, earlier, factor.rows, *self.past)
        sampled = Rows(plain.response, plain.correlation + linear.added)
        corrected = front.averages(sampled, linear.linear.expected, factor.rows)
        return Image(factor, corrected, plain.correlation, linear, sums)

    def factor(self, rows: Rows, held: Array | None) -> Factor | Unsettled:
        """The panel's rows of L from those of C_r."""
        delta = self.problem.aspect_ratio
        start = (self.front.residual_correlation if self.front.nodes else rows.correlation)[0, 0] / delta
        return factor(rows.correlation / delta, self.readout, start, held)

    def implied(self, averages: Rows) -> Rows | Unsettled:
        """The rows of R_r and C_r that those of R_w and C_e imply."""
        return residuals.implied(self.problem, averages, self.known)

    def change(self, before: Rows, after: Rows) -> Change:
        """From one iterate to the next."""
        return residuals.change(before, after, self.scale, self.least)


def solve(
    front: Front,
    right: float,
    tolerance: float,
    averages: Rows | None = None,
    secants: Sequence[Secant] = (),
    most: int = MOST_ITERATIONS,
    newton: bool = False,
) -> Panel | Unsettled:
    """The panel after a `front` up to the edge `right`, iterated to a relative change below `tolerance`.

    It starts from the rows that the `averages`, rows of R_w and C_e, imply, or else from the network that stands still, and with the
    `secants` of a similar panel. By `newton`, after an earlier panel, residuals are corrected by the derivative, and end at the least
    tolerance: errors are many times the residual there. Unsettled where no fixed point is found within `most` evaluations.
    """
    paths = len(front.paths.sample.target)
    tolerance = min(tolerance, TOLERANCES[0]) if newton else tolerance
    bounds = Bounds(tolerance, max(JUMPING / paths, ACCEPTABLE * tolerance), most)
    panel_map = PanelMap(front, right, newton)
    iteration = init(panel_map, averages, secants)
    verdict = Verdict.GO_ON
    while not isinstance(iteration, Unsettled) and verdict in (Verdict.GO_ON, Verdict.START_OVER):
        if verdict is Verdict.START_OVER:
            iteration = start_over(panel_map, iteration)
        iteration = step(panel_map, iteration, bounds.tolerance)
        if not isinstance(iteration, Unsettled):
            verdict = terminate(iteration.standing, bounds)
    if isinstance(iteration, Unsettled):
        return iteration
    if verdict is Verdict.UNSETTLED:
        return Unsettled(f"no fixed point within {most} iterations")
    return finish(panel_map, iteration, verdict)


def init(panel_map: PanelMap, averages: Rows | None, secants: Sequence[Secant]) -> Iteration | Unsettled:
    """An iteration before its first step."""
    rows = guess.standing(panel_map.front) if averages is None else panel_map.implied(averages)
    if isinstance(rows, Unsettled):
        return rows
    return Iteration(rows, rows, Anderson(tuple(secants)), Standing(guided=averages is not None), panel_map.front.held_next)


def start_over(panel_map: PanelMap, iteration: Iteration) -> Iteration:
    """The iteration from the network that stands still, with what it learned."""
    standing = replace(iteration.standing, least=np.inf, guided=False)
    return replace(iteration, ahead=guess.standing(panel_map.front), standing=standing)


def step(panel_map: PanelMap, iteration: Iteration, tolerance: float) -> Iteration | Unsettled:
    """One evaluation of the map. Where paths do not settle at it, the next one is half of the way there."""
    rows, iteration = _next(panel_map, iteration)
    image = panel_map.image(rows, iteration.held)
    if isinstance(image, Unsettled):
        return _half_way(iteration, rows) or image
    implied = panel_map.implied(image.averages)
    if isinstance(implied, Unsettled):
        return implied
    change = panel_map.change(rows, implied)
    if not np.isfinite(change.largest):
        return Unsettled("the kernels are not finite")
    return _recorded(panel_map.front, iteration, Evaluation(rows, image, implied, change), tolerance)


def _next(panel_map: PanelMap, iteration: Iteration) -> tuple[Rows, Iteration]:
    """Where the map is evaluated next, and the iteration with what Anderson's combination has learned."""
    if iteration.ahead is not None:
        return iteration.ahead, iteration
    assert iteration.last
    rows, change = iteration.last.rows, iteration.last.change
    m, unit = len(rows.response), change.norm if iteration.unit is None else iteration.unit
    point = np.concatenate([rows.response, rows.correlation / unit])
    residual = np.concatenate([change.rows[:m], change.rows[m:] * (change.norm / unit)])
    derivative = panel_map.derivative(iteration.last) if panel_map.is_newton else None
    correction = _correction(derivative, unit) if derivative else None
    mixed, anderson = iteration.anderson.step(point.ravel(), residual.ravel(), correction)
    mixed = mixed.reshape(point.shape)
    return Rows(mixed[:m], mixed[m:] * unit), replace(iteration, anderson=anderson, unit=unit)


def _correction(derivative: Derivative, unit: Array) -> Correction:
    """Newton's correction of rows of R_r over those of C_r in a `unit`, flat."""
    m = len(unit)

    def correction(residual: Array) -> Array:
        rows = residual.reshape(2 * m, -1)
        moves = derivative.correction(Rows(rows[:m], rows[m:] * unit))
        return np.concatenate([moves.response, moves.correlation / unit]).ravel()

    return correction


def _half_way(iteration: Iteration, rows: Rows) -> Iteration | None:
    """The iteration that goes on half way from its last evaluation to `rows`, at which paths do not settle; None before the first."""
    if iteration.last is None:
        return None
    before, standing = iteration.last.rows, iteration.standing
    ahead = Rows((before.response + rows.response) / 2, (before.correlation + rows.correlation) / 2)
    return replace(iteration, ahead=ahead, standing=replace(standing, number=standing.number + 1, astray=True))


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
        held, missing, residual, standing = None, missing + 1, 1.0, replace(standing, least=np.inf)
        anderson, ahead = anderson.anew(), last.implied
    best = last.implied if residual < standing.least else iteration.best
    return Iteration(ahead, best, anderson, standing.after(residual), held, last, missing, iteration.unit)


def finish(panel_map: PanelMap, iteration: Iteration, verdict: Verdict) -> Panel | Unsettled:
    """The panel of the least residual, with exactly the rows that its averages imply: late in training, their terms cancel."""
    last, standing = iteration.last, iteration.standing
    assert last
    image, rows = last.image, last.implied
    if standing.astray or standing.residual > standing.least:
        again = panel_map.image(iteration.best, iteration.held)
        implied = again if isinstance(again, Unsettled) else panel_map.implied(again.averages)
        if isinstance(again, Unsettled) or isinstance(implied, Unsettled):
            return Unsettled("the best point of the iteration does not come back")
        image, rows = again, implied
    factor = panel_map.factor(rows, iteration.held)
    if isinstance(factor, Unsettled):
        return factor
    return Panel(
        interval=panel_map.interval,
        rows=rows,
        factor=factor,
        averages=image.averages,
        errors=image.errors,
        linear=image.linear,
        observed=observed(image.sums, panel_map.interval.time),
        room=panel_map.room,
        residual=standing.least,
        secants=iteration.anderson.secants if verdict is Verdict.SETTLED else (),
        evaluations=standing.number,
        is_newton=panel_map.is_newton,
    )

"""The map of a panel, eq. (12), whose fixed point it is: from rows of R_r and C_r to those that their paths imply, and its derivative."""

from dataclasses import dataclass, replace

import numpy as np

from dlnflow.dmft import residuals, stein
from dlnflow.dmft.averages import AveragedKernels
from dlnflow.dmft.constants import FLOOR, SMALL, TINY
from dlnflow.dmft.derivative import Products
from dlnflow.dmft.front import Front
from dlnflow.dmft.noise import Factor, factor
from dlnflow.dmft.outcome import Unsettled, settled
from dlnflow.dmft.paths import Sampled
from dlnflow.dmft.residuals import Change, ResidualKernels
from dlnflow.solution import Array


@dataclass(frozen=True)
class Image:
    """What rows of R_r and C_r lead to: L, what is `sampled`, R_w and C_e with the correction, and the `sums` of what is observed.

    Of the error, `linear` is what is linear in the noise, by which Stein's identity adds rows to C_e.
    """

    factor: Factor
    sampled: Sampled
    averages: AveragedKernels
    linear: stein.Part
    sums: Array


@dataclass(frozen=True)
class Evaluation:
    """Where the map was evaluated, `rows` of R_r and C_r, what it made of them, and the rows that are `implied`, with their `change`."""

    rows: ResidualKernels
    image: Image
    implied: ResidualKernels
    change: Change


class PanelMap:
    """The map of a panel after a `front`, up to the edge `right`."""

    def __init__(self, front: Front, right: float) -> None:
        n = front.nodes
        self.front, self.problem, self.interval = front, front.problem, front.next_interval(right)
        self.known = np.concatenate([front.residual_response[:n, :n], front.residual_correlation[:n, :n]], axis=1)
        self.least = FLOOR * (self.problem.initial_error + self.problem.noise_std**2)
        self.scale = np.sqrt(np.maximum(np.diag(front.residual_correlation[:n, :n]), self.least))
        self.readout = np.ascontiguousarray(front.readout[:n, : front.rank])
        self.past = np.ascontiguousarray(front.factor[:n, : front.rank]), front.linear
        self.room = front.paths.room(n, front.order)
        self.strata = len(front.observed.rows)
        front.paths.extrapolate(front.time[:n], self.interval)

    def image(self, rows: ResidualKernels, held: Array | None) -> Image | Unsettled:
        """What the paths that `rows` of R_r and C_r drive average to."""
        factor = self.factor(rows, held)
        if isinstance(factor, Unsettled):
            return factor
        averages = self.front.paths.advance(self.interval, rows.response, factor.rows, self.front.rank, self.room, self.strata)
        if isinstance(averages, Unsettled):
            return averages
        sampled, sums = averages
        corrected, linear = self.corrected(sampled, factor.rows)
        return Image(factor, sampled, corrected, linear, sums)

    def corrected(self, sampled: Sampled, factor: Array) -> tuple[AveragedKernels, stein.Part]:
        """R_w and C_e with what Stein's identity and the correction add to what is sampled, and what is linear in the noise."""
        linear = stein.part(sampled.response, sampled.regression, sampled.earlier, factor, *self.past)
        rows = AveragedKernels(sampled.response, sampled.correlation + linear.added)
        return self.front.averages(rows, linear.linear.expected, factor), linear

    def products(self, last: Evaluation) -> Products | None:
        """E[W X W] where the map was evaluated last; None where tangents overflow."""
        return self.front.products(self.interval, self.room[1], last.image.averages.response)

    def moved(self, last: Evaluation, products: Products, held: Array | None, move: ResidualKernels) -> ResidualKernels | Unsettled:
        """What the map moves by to first order where rows move by `move`, of a size of one, from the `last` ones on.

        Differences take the place of the derivatives of algebra, whose rounding errors are far below those of tangents.
        """
        rows, image = last.rows, last.image
        factors = settled(
            self.factor(replace(rows, correlation=rows.correlation + step * move.correlation), held) for step in (TINY, -TINY)
        )
        if isinstance(factors, Unsettled) or factors[0].rows.shape != factors[1].rows.shape:
            return Unsettled("modes come or go")
        factor = (factors[0].rows - factors[1].rows) / (2 * TINY)
        change = self.front.paths.differentiate(self.interval, rows.response, (factor, move.response), self.room)
        change = replace(change, response=change.response + products.of(move.response))
        ends = settled(
            self.implied(self.corrected(image.sampled.moved(step, change), image.factor.rows + step * factor)[0])
            for step in (SMALL, -SMALL)
        )
        if isinstance(ends, Unsettled):
            return ends
        up, down = ends
        return ResidualKernels((up.response - down.response) / (2 * SMALL), (up.correlation - down.correlation) / (2 * SMALL))

    def factor(self, rows: ResidualKernels, held: Array | None) -> Factor | Unsettled:
        """The panel's rows of L from those of C_r."""
        delta = self.problem.aspect_ratio
        start = (self.front.residual_correlation if self.front.nodes else rows.correlation)[0, 0] / delta
        return factor(rows.correlation / delta, self.readout, start, held)

    def implied(self, averages: AveragedKernels) -> ResidualKernels | Unsettled:
        """The rows of R_r and C_r that those of R_w and C_e imply."""
        return residuals.implied(self.problem, averages, self.known)

    def change(self, before: ResidualKernels, after: ResidualKernels) -> Change:
        """From one iterate to the next."""
        return residuals.change(before, after, self.scale, self.least)

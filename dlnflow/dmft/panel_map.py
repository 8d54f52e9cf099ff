"""The map of a panel, eq. (12), whose fixed point it is: from rows of R_r and C_r to those that their paths imply, and its derivative."""

from dataclasses import dataclass, replace

import numpy as np

from dlnflow.dmft import radau, residuals, stein
from dlnflow.dmft.averages import AveragedKernels
from dlnflow.dmft.constants import FLOOR, SMALL, TINY
from dlnflow.dmft.derivative import Products
from dlnflow.dmft.front import Front
from dlnflow.dmft.noise import Factor, factor, with_white
from dlnflow.dmft.outcome import Unsettled, settled
from dlnflow.dmft.paths import Interval, Sampled
from dlnflow.dmft.residuals import Change, ResidualKernels
from dlnflow.dmft.white import White, white
from dlnflow.solution import Array


@dataclass(frozen=True)
class Image:
    """What rows of R_r and C_r lead to: L, what is `sampled`, R_w and C_e with the correction, and the `sums` of what is observed.

    Of the error, `linear` is what is linear in the noise, by which Stein's identity adds rows to C_e.
    """

    factor: Factor
    interval: Interval
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
        self.drive = front.drive[:n, : front.rank]
        self.past = np.ascontiguousarray(front.factor[:n, : front.rank]), front.linear
        self.room = front.paths.room(n, front.order)
        if front.temperature:
            self.room[0][:] = 0.0  # the slopes before there are any
        self.strata = len(front.observed.rows)
        front.paths.extrapolate(front.time[:n], self.interval)

    def image(self, rows: ResidualKernels, held: Array | None) -> Image | Unsettled:
        """What the paths that `rows` of R_r and C_r drive average to."""
        factor = self.factor(rows, held)
        if isinstance(factor, Unsettled):
            return factor
        interval = self.forgetful(factor.white)
        averages = self.front.paths.advance(interval, rows.response, factor.rows, self.front.rank, self.room, self.strata)
        if isinstance(averages, Unsettled):
            return averages
        sampled, sums = averages
        corrected, linear = self.corrected(sampled, factor.rows)
        return Image(factor, interval, sampled, corrected, linear, sums)

    def corrected(self, sampled: Sampled, factor: Array) -> tuple[AveragedKernels, stein.Part]:
        """R_w and C_e with what Stein's identity and the correction add to what is sampled, and what is linear in the noise."""
        if self.front.temperature:
            sampled = self._evened(sampled, factor)
        linear = stein.part(sampled.response, sampled.regression, sampled.earlier, factor, *self.past)
        rows = AveragedKernels(sampled.response, sampled.correlation + linear.added)
        return self.front.averages(rows, linear.linear.expected, factor), linear

    def _evened(self, sampled: Sampled, factor: Array) -> Sampled:
        """What is sampled as Stein's identity wants it of a sample with more modes than have exact moments."""
        (known, past), new = self.past, slice(self.front.rank, factor.shape[1])
        uneven = self.front.paths.sample.uneven[: new.stop, : new.stop]
        expected = sampled.response[:, len(known) :] @ factor
        expected[:, : new.start] += sampled.response[:, : len(known)] @ known
        earlier = sampled.earlier.copy()
        earlier[: new.stop - new.start] -= (past.expected @ uneven[: new.start, new]).T / 2
        return replace(sampled, regression=stein.evened(sampled.regression, expected, uneven), earlier=earlier)

    def products(self, last: Evaluation) -> Products | None:
        """E[W X W] where the map was evaluated last; None where tangents overflow."""
        return self.front.products(self.interval, self.room[1], last.image.averages.response)

    def moved(self, last: Evaluation, products: Products, held: Array | None, move: ResidualKernels) -> ResidualKernels | Unsettled:
        """What the map moves by to first order where rows move by `move`, of a size of one, from the `last` ones on.

        Differences take the place of the derivatives of algebra, whose rounding errors are far below those of tangents.
        """
        rows, image = last.rows, last.image
        factors = settled(
            self.factor(ResidualKernels(rows.response + step * move.response, rows.correlation + step * move.correlation), held)
            for step in (TINY, -TINY)
        )
        if isinstance(factors, Unsettled) or factors[0].rows.shape != factors[1].rows.shape:
            return Unsettled("modes come or go")
        factor = (factors[0].rows - factors[1].rows) / (2 * TINY)
        change = self.front.paths.differentiate(image.interval, rows.response, (factor, move.response), self.room)
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
        made = factor(rows.correlation / delta, self.readout, start, held)
        if isinstance(made, Unsettled) or not self.front.temperature:
            return made
        integral = (self.interval.right - self.front.edges[-1]) * radau.integration(self.front.order)
        noise = white(rows, self.slopes(), self.drive, integral, self.front.temperature, delta)
        return noise if isinstance(noise, Unsettled) else with_white(made, noise)

    def forgetful(self, noise: White | None) -> Interval:
        """The interval with what the white noise makes log(u v) forget on it, at depth two, eqs. (37a) and (37e)."""
        if noise is None or self.problem.depth != 2:
            return self.interval
        forgotten = self.front.temperature * self.interval.integral @ noise.loss
        return replace(self.interval, decay=self.interval.decay - np.append(0.0, forgotten - 2 * noise.missing))

    def slopes(self) -> Array:
        """E[κ²] on the nodes, (m,), where the map was evaluated last."""
        slope = self.room[0].transpose(1, 0, 2).reshape(self.front.order, -1)
        return np.asarray(slope**2 @ self.front.paths.sample.weights)

    def implied(self, averages: AveragedKernels) -> ResidualKernels | Unsettled:
        """The rows of R_r and C_r that those of R_w and C_e imply."""
        return residuals.implied(self.problem, averages, self.known)

    def change(self, before: ResidualKernels, after: ResidualKernels) -> Change:
        """From one iterate to the next."""
        return residuals.change(before, after, self.scale, self.least)

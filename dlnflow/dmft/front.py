"""A causal pass on its way: the kernels up to its front, the sampled paths there, and how a panel joins them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from dlnflow.dmft import stein
from dlnflow.dmft.anderson import Secant
from dlnflow.dmft.averages import OBSERVED, AveragedKernels, Averages, Observed
from dlnflow.dmft.constants import WHITE_COLUMNS
from dlnflow.dmft.derivative import Followed, Products, followed, products
from dlnflow.dmft.noise import Factor
from dlnflow.dmft.paths import Array32, Interval, Paths, interval, new_paths
from dlnflow.dmft.residuals import ResidualKernels
from dlnflow.dmft.sampling import Sample
from dlnflow.dmft.state import State
from dlnflow.model import Problem
from dlnflow.solution import Array


@dataclass(frozen=True)
class Panel:
    """A panel as the paths that its `rows` of R_r and C_r drive imply it.

    `averages` are its rows of R_w and C_e, corrected, `errors` those of E[e eᵀ] over the sample, with what is `linear` in the noise and
    what is `observed` (S, m). `room` holds the paths' slopes and tangents, see `Paths.advance`. `residual` is that of its iteration,
    `secants` what that learned in so many `evaluations`.
    """

    interval: Interval
    scattered: Array | float
    rows: ResidualKernels
    factor: Factor
    averages: AveragedKernels
    errors: Array
    linear: stein.Part
    observed: Observed
    room: tuple[Array, Array32]
    residual: float
    secants: Sequence[Secant]
    evaluations: int


@dataclass
class Front:
    """The arrays of a `State`, allocated for `capacity` nodes and only touched up to N, and the `paths`.

    `held` may hold, for each panel, the block of L that new modes are turned towards; `expected` and `excess` are those of `linear`, and
    `corrected` (capacity, D) is what Λ = R_w L is with the correction.
    """

    problem: Problem
    temperature: float
    order: int
    paths: Paths
    held: list[Array] | None
    correction: Averages | None
    observed: Observed
    time: Array
    correlation: Array
    response: Array
    residual_correlation: Array
    residual_response: Array
    errors: Array
    factor: Array
    readout: Array
    drive: Array
    loss: Array
    decay: Array
    scattered: Array
    expected: Array
    excess: Array
    corrected: Array
    edges: list[float] = field(default_factory=lambda: [0.0])
    ranks: list[int] = field(default_factory=lambda: [0])
    residual: float = 0.0
    secants: list[Sequence[Secant]] = field(default_factory=list)
    evaluations: list[int] = field(default_factory=list)
    followed: Followed | None = None

    @property
    def nodes(self) -> int:
        """N, the number of nodes so far."""
        return self.order * (len(self.edges) - 1)

    @property
    def rank(self) -> int:
        """The number of columns of L so far."""
        return self.ranks[-1]

    @property
    def linear(self) -> stein.Linear:
        """What of the error is linear in the noise, on the nodes so far."""
        n, rank = self.nodes, self.rank
        return stein.Linear(*(np.ascontiguousarray(kernel[:n, :rank]) for kernel in (self.expected, self.excess)))

    @property
    def is_full(self) -> bool:
        """Whether no further panel fits, or the sample has no more modes for one."""
        return self.nodes == len(self.time) or self.rank + self.order + self.white_columns > len(self.paths.sample.modes)

    @property
    def held_next(self) -> Array | None:
        """What the new modes of the next panel are held to."""
        return None if self.held is None else self.held[len(self.edges) - 1]

    @property
    def white_columns(self) -> int:
        """How many columns of L each panel has for white noise."""
        return WHITE_COLUMNS if self.temperature else 0

    def next_interval(self, right: float) -> Interval:
        """The next panel, up to the edge `right`."""
        last = self.nodes - 1
        forgotten = -2 * self.problem.weight_decay * self.time[last] - self.decay[last] if self.nodes else 0.0
        return interval(self.problem, self.edges, right, self.order, forgotten)

    def averages(self, sampled: AveragedKernels, expected: Array, factor: Array) -> AveragedKernels:
        """The next panel's rows of R_w and C_e from those over the sample, with the rows of Λ there and of L, (m, D) each.

        What is corrected are R_w and the rest of C_e beside Λ Λᵀ, so that what follows the noise linearly goes on cancelling in C_r.
        """
        if self.correction is None:
            return sampled
        n, old = self.nodes, self.rank
        here, upto = slice(n, n + self.order), n + self.order
        whole = self._corrected(expected, factor)
        correlation = sampled.correlation + self.correction.rest[here, :upto]
        correlation[:, :n] += whole[:, :old] @ self.corrected[:n, :old].T - expected[:, :old] @ self.expected[:n, :old].T
        correlation[:, n:] += whole @ whole.T - expected @ expected.T
        return AveragedKernels(sampled.response + self.correction.response[here, :upto], correlation)

    def _corrected(self, expected: Array, factor: Array) -> Array:
        """Λ on the next panel (m, D) with the correction of R_w."""
        if self.correction is None:
            return expected
        n, old = self.nodes, self.rank
        response = self.correction.response[n : n + self.order]
        whole = expected + response[:, n : n + self.order] @ factor
        whole[:, :old] += response[:, :n] @ self.factor[:n, :old]
        return whole

    def products(self, interval: Interval, tangents: Array32, response: Array) -> Products | None:
        """E[W X W] on the next panel, in this `interval`, where the paths have these `tangents` and R_w these rows (m, n + m)."""
        n = self.nodes
        self.followed = self.followed or followed(self.paths)
        return products(self.followed, tangents, _with_rows(self.response[:n, :n], response), interval.weights)

    def accept(self, panel: Panel) -> None:
        """Make a panel part of the past."""
        n = self.nodes
        here, upto = slice(n, n + self.order), n + self.order
        errors, seen = panel.errors, panel.observed.rows
        if self.correction is not None:
            errors, seen = errors + self.correction.errors[here, :upto], seen + self.correction.observed.rows[:, :, here]
        for kernel, rows in (
            (self.correlation, panel.averages.correlation),
            (self.residual_correlation, panel.rows.correlation),
            (self.errors, errors),
        ):
            kernel[here, :upto] = rows
            kernel[:n, here] = rows[:, :n].T
        self.response[here, :upto] = panel.averages.response
        self.residual_response[here, :upto] = panel.rows.response
        self.observed.rows[:, :, here] = seen
        self.time[here] = panel.interval.time
        self._accept_linear(panel.linear, panel.factor.rows)
        self._accept_modes(panel.factor)
        self.decay[here], self.scattered[here] = panel.interval.decay[1:], panel.scattered
        if panel.factor.white:
            self.drive[here, self.rank - WHITE_COLUMNS : self.rank], self.loss[here] = panel.factor.white.drive, panel.factor.white.loss
        self.paths.accept(panel.interval, panel.room)
        self.edges.append(panel.interval.right)
        self.secants.append(panel.secants)
        self.evaluations.append(panel.evaluations)
        self.residual = max(self.residual, panel.residual)

    def _accept_linear(self, part: stein.Part, factor: Array) -> None:
        n, known, rank = self.nodes, self.rank, part.linear.expected.shape[1]
        here = slice(n, n + self.order)
        self.corrected[here, :rank] = self._corrected(part.linear.expected, factor)
        self.expected[here, :rank], self.excess[here, :rank] = part.linear.expected, part.linear.excess
        self.excess[:n, known:rank] = part.excess

    def _accept_modes(self, factor: Factor) -> None:
        """Rows of L, and the weights that read its new modes off: what earlier modes explain of them is taken off."""
        n, known = self.nodes, self.rank
        here, rank, new = slice(n, n + self.order), factor.rows.shape[1], slice(known, known + factor.modes.shape[1])
        self.factor[here, :rank] = factor.rows
        self.readout[here, new] = factor.modes
        self.readout[:n, new] = -self.readout[:n, :known] @ (factor.rows[:, :known].T @ factor.modes)
        self.ranks.append(rank)

    def state(self) -> State:
        """What there is so far."""
        whole = State(
            problem=self.problem,
            temperature=self.temperature,
            sample=self.paths.sample,
            order=self.order,
            edges=list(self.edges),
            time=self.time,
            correlation=self.correlation,
            response=self.response,
            residual_correlation=self.residual_correlation,
            residual_response=self.residual_response,
            factor=self.factor,
            readout=self.readout,
            drive=self.drive,
            loss=self.loss,
            decay=self.decay,
            scattered=self.scattered,
            ranks=list(self.ranks),
            errors=self.errors,
            observed=self.observed,
            correction=self.correction,
            residual=self.residual,
            secants=list(self.secants),
            evaluations=tuple(self.evaluations),
        )
        return whole.head(len(self.edges) - 1)


def _with_rows(past: Array, rows: Array, columns: Array | float = 0.0) -> Array:
    """A kernel (n + m, n + m) from its `past` (n, n), its last `rows` (m, n + m), and its last columns (n, m)."""
    n = len(past)
    whole = np.zeros((rows.shape[1], rows.shape[1]))
    whole[:n, :n], whole[n:], whole[:n, n:] = past, rows, columns
    return whole


def start(
    problem: Problem,
    sample: Sample,
    order: int,
    panels: int,
    held: list[Array] | None = None,
    correction: Averages | None = None,
    alone: bool = False,
    temperature: float = 0.0,
) -> Front:
    """The front at t = 0, with room for `panels` panels of `order` nodes."""
    size = order * panels
    correlation, response, residual_correlation, residual_response, errors = (np.zeros((size, size)) for _ in range(5))
    factor, readout, drive, expected, excess, corrected = (np.zeros((size, len(sample.modes))) for _ in range(6))
    return Front(
        problem=problem,
        temperature=temperature,
        order=order,
        paths=new_paths(sample, size, alone),
        held=held,
        correction=correction,
        observed=Observed(np.zeros((sample.strata.max() + 1, len(OBSERVED), size))),
        time=np.zeros(size),
        correlation=correlation,
        response=response,
        residual_correlation=residual_correlation,
        residual_response=residual_response,
        errors=errors,
        factor=factor,
        readout=readout,
        drive=drive,
        loss=np.zeros(size),
        decay=np.zeros(size),
        scattered=np.zeros(size),
        expected=expected,
        excess=excess,
        corrected=corrected,
    )

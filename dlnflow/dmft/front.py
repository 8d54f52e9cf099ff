"""A causal pass on its way: the kernels up to its front, the sampled paths there, and how a panel joins them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from dlnflow.dmft import stein
from dlnflow.dmft.anderson import Secant
from dlnflow.dmft.averages import Averages, Observed, Rows, no_averages
from dlnflow.dmft.derivative import Derivative, Followed, Mean, derivative, followed
from dlnflow.dmft.noise import Factor
from dlnflow.dmft.paths import Array32, Interval, Paths, interval, new_paths
from dlnflow.dmft.sampling import Sample
from dlnflow.dmft.state import State
from dlnflow.model import Problem
from dlnflow.solution import Array


@dataclass(frozen=True)
class Panel:
    """A panel as the paths that its `rows` of R_r and C_r drive imply it.

    `averages` are its rows of R_w and C_e, corrected, `sampled` those over the sample, with what is `linear` in the noise and what is
    `observed` (S, m). `room` holds the paths' slopes and tangents, see `Paths.advance`. `residual` is that of its iteration, `secants`
    what that learned in so many `evaluations`; it `is_newton` where residuals were corrected by the derivative.
    """

    interval: Interval
    rows: Rows
    factor: Factor
    averages: Rows
    sampled: Rows
    linear: stein.Part
    observed: Observed
    room: tuple[Array, Array32]
    residual: float
    secants: Sequence[Secant]
    evaluations: int
    is_newton: bool


@dataclass
class Front:
    """The arrays of a `State`, allocated for `capacity` nodes and only touched up to N, and the `paths`.

    `held` may hold, for each panel, the block of L that new modes are turned towards; `expected` and `excess` are those of `linear`.
    """

    problem: Problem
    order: int
    paths: Paths
    held: list[Array] | None
    correction: Averages | None
    sampled: Averages
    time: Array
    correlation: Array
    response: Array
    residual_correlation: Array
    residual_response: Array
    factor: Array
    readout: Array
    expected: Array
    excess: Array
    edges: list[float] = field(default_factory=lambda: [0.0])
    ranks: list[int] = field(default_factory=lambda: [0])
    residual: float = 0.0
    secants: list[Sequence[Secant]] = field(default_factory=list)
    newton: list[bool] = field(default_factory=list)
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
        return self.nodes == len(self.time) or self.rank + self.order > len(self.paths.sample.modes)

    @property
    def held_next(self) -> Array | None:
        """What the new modes of the next panel are held to."""
        return None if self.held is None else self.held[len(self.edges) - 1]

    def next_interval(self, right: float) -> Interval:
        """The next panel, up to the edge `right`."""
        return interval(self.problem, self.edges, right, self.order)

    def corrected(self, sampled: Rows) -> Rows:
        """The next panel's rows of R_w and C_e from those over the sample."""
        return sampled if self.correction is None else sampled + self.correction.rows(self.nodes, self.order)

    def derivative(self, tangents: Array32, rows: Rows, averages: Rows, factor: Factor) -> Derivative | None:
        """That of the next panel's map where it has led to these tangents, averages and `rows` of R_r and C_r."""
        n, rank, problem = self.nodes, self.rank, self.problem
        self.followed = self.followed or followed(self.paths)
        mean = Mean(
            residual_response=_with_rows(self.residual_response[:n, :n], rows.response),
            response=_with_rows(self.response[:n, :n], averages.response),
            correlation=_with_rows(self.correlation[:n, :n], averages.correlation, averages.correlation[:, :n].T),
        )
        modes = self.factor[:n, :rank], self.readout[:n, :rank], factor
        return derivative(self.followed, tangents, mean, modes, problem.aspect_ratio, problem.noise_std**2)

    def accept(self, panel: Panel) -> None:
        """Make a panel part of the past."""
        n = self.nodes
        here, upto = slice(n, n + self.order), n + self.order
        for kernel, rows in (
            (self.correlation, panel.averages.correlation),
            (self.residual_correlation, panel.rows.correlation),
            (self.sampled.correlation, panel.sampled.correlation),
            (self.sampled.stein, panel.linear.added),
        ):
            kernel[here, :upto] = rows
            kernel[:n, here] = rows[:, :n].T
        self.response[here, :upto] = panel.averages.response
        self.sampled.response[here, :upto] = panel.sampled.response
        self.residual_response[here, :upto] = panel.rows.response
        self.sampled.observed.rows[:, :, here] = panel.observed.rows
        self.time[here] = panel.interval.time
        self._accept_linear(panel.linear)
        self._accept_modes(panel.factor)
        self.paths.accept(panel.interval, panel.room)
        self.edges.append(panel.interval.right)
        self.secants.append(panel.secants)
        self.newton.append(panel.is_newton)
        self.residual = max(self.residual, panel.residual)

    def _accept_linear(self, part: stein.Part) -> None:
        n, known, rank = self.nodes, self.rank, part.linear.expected.shape[1]
        here = slice(n, n + self.order)
        self.expected[here, :rank], self.excess[here, :rank] = part.linear.expected, part.linear.excess
        self.excess[:n, known:rank] = part.excess

    def _accept_modes(self, factor: Factor) -> None:
        """Rows of L, and the weights that read its new modes off: what earlier modes explain of them is taken off."""
        n, known = self.nodes, self.rank
        here, rank = slice(n, n + self.order), factor.rows.shape[1]
        self.factor[here, :rank] = factor.rows
        self.readout[here, known:rank] = factor.modes
        self.readout[:n, known:rank] = -self.readout[:n, :known] @ (factor.rows[:, :known].T @ factor.modes)
        self.ranks.append(rank)

    def state(self) -> State:
        """What there is so far."""
        whole = State(
            problem=self.problem,
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
            ranks=list(self.ranks),
            sampled=self.sampled,
            correction=self.correction,
            residual=self.residual,
            secants=list(self.secants),
            newton=list(self.newton),
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
) -> Front:
    """The front at t = 0, with room for `panels` panels of `order` nodes."""
    size = order * panels
    correlation, response, residual_correlation, residual_response = (np.zeros((size, size)) for _ in range(4))
    factor, readout, expected, excess = (np.zeros((size, len(sample.modes))) for _ in range(4))
    return Front(
        problem=problem,
        order=order,
        paths=new_paths(sample, size, alone),
        held=held,
        correction=correction,
        sampled=no_averages(size, sample.strata.max() + 1),
        time=np.zeros(size),
        correlation=correlation,
        response=response,
        residual_correlation=residual_correlation,
        residual_response=residual_response,
        factor=factor,
        readout=readout,
        expected=expected,
        excess=excess,
    )

"""A mean field up to some time: the kernels on the nodes of its panels, as a pass has left them, and what they make of other paths."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from dlnflow.dmft import radau, stein
from dlnflow.dmft.anderson import Secant
from dlnflow.dmft.averages import Averages, Observed, observed
from dlnflow.dmft.constants import WHITE_COLUMNS
from dlnflow.dmft.outcome import Unsettled
from dlnflow.dmft.paths import ahead, integrals
from dlnflow.dmft.sampling import Sample
from dlnflow.model import Problem
from dlnflow.native import dmft as native
from dlnflow.solution import Array


@dataclass(frozen=True)
class State:
    """N nodes, `order` in each of the K panels between the K + 1 `edges`; `time` (N,) are the nodes.

    Kernels (N, N) are indexed [t, s]: `correlation` C_e, `response` R_w, `residual_correlation` C_r, `residual_response` R_r.
    `factor` (N, D) is L with ζ = L z, `readout` (N, D) reads later rows of L off theirs of C_ζ, and `ranks` (K + 1) counts the columns
    before each edge. log(u v) has moved by the `decay` (N,).
    `errors` (N, N) is E[e eᵀ], without what Stein's identity adds to it in C_e: late it has less noise than C_e, whereas
    C_r has less by C_e. These and what is `observed` are averages over the `sample` and their `correction`. `residual` is the largest of
    the panels' iterations, `secants` are what each learned in so many `evaluations`.

    Of stochastic gradient flow, at a `temperature` above 0, the last WHITE_COLUMNS of each panel belong to its white noise n, whose values
    are `drive` (N, D). Then `loss` (N,) is C_r(t, t), of which `residual_correlation` is the part C_0, eq. (37b), and the diagonal of
    E[e eᵀ] has what is `scattered` (N,) besides, eq. (37e).
    """

    problem: Problem
    temperature: float
    sample: Sample
    order: int
    edges: Sequence[float]
    time: Array
    correlation: Array
    response: Array
    residual_correlation: Array
    residual_response: Array
    factor: Array
    readout: Array
    drive: Array
    loss: Array
    decay: Array
    scattered: Array
    ranks: Sequence[int]
    errors: Array
    observed: Observed
    correction: Averages | None
    residual: float
    secants: Sequence[Sequence[Secant]] = ()
    evaluations: Sequence[int] = ()

    @property
    def nodes(self) -> int:
        """N."""
        return len(self.time)

    @property
    def panels(self) -> int:
        """K."""
        return len(self.edges) - 1

    @property
    def rank(self) -> int:
        """D, the columns of L."""
        return self.ranks[-1]

    @property
    def residual_covariance(self) -> Array:
        """C_r with what white noise adds to it, eq. (37b), (N, N)."""
        strict = self.residual_response @ self.drive - self.drive
        return self.residual_correlation + self.problem.aspect_ratio * strict @ strict.T

    @property
    def new(self) -> list[slice]:
        """The columns of L that are new modes of ζ, by panel."""
        white = WHITE_COLUMNS if self.temperature else 0
        return [slice(first, last - white) for first, last in pairwise(self.ranks)]

    @property
    def integrals(self) -> Array:
        """The collocation integrals B of the panels, eq. (9), (K, m, m)."""
        return integrals(self.problem, np.array(self.edges), self.order)

    @cached_property
    def small_averages(self) -> Averages | Unsettled:
        """f of eq. (20), the averages over the `sample` with these kernels; those of a pass belong to the last iterates of the panels.

        They differ by a tolerance, which stiff networks amplify thousandfold.
        """
        return self.open_loop(self.sample)

    def open_loop(self, sample: Sample, heights: Array | None = None, tangents: bool = True) -> Averages | Unsettled:
        """Eqs. (6), (7) and (10) with these kernels: averages over other paths; `heights` (N, P), where given, is filled with H."""
        panels = range(0, self.nodes, self.order)
        averages = native.propagate(
            sample.paths,
            factor=self.factor,
            memory=self.residual_response,
            integrals=self.integrals,
            quadratures=np.diff(self.edges)[:, None, None] * radau.integration_from_edge(self.order),
            ahead=np.concatenate([ahead(self.time[:n], self.time[n : n + self.order]) for n in panels]),
            decay=self.decay,
            tangents=tangents,
            heights=heights,
            kinds=len(self.observed.rows),
        )
        if averages is None:
            return Unsettled("a path does not settle")
        response, errors, regression, sums = averages
        errors, expected = np.tril(errors) + np.tril(errors, -1).T, response @ self.factor
        if self.temperature:
            regression = stein.evened(regression, expected, sample.uneven[: self.rank, : self.rank])
        return Averages(response, stein.rest(errors, expected, regression), errors, observed(sums, self.time))

    def blocks(self, order: int) -> list[Array]:
        """What each panel's new modes of ζ have of L, (m, new), on panels of `order` nodes."""
        onto = radau.between(self.order, order)
        return [onto @ self.factor[k * self.order : (k + 1) * self.order, new] for k, new in enumerate(self.new)]

    def head(self, panels: int) -> "State":
        """The first `panels` panels."""
        n, rank = self.order * panels, self.ranks[panels]
        square, modes = (slice(n), slice(n)), (slice(n), slice(rank))
        return replace(
            self,
            edges=self.edges[: panels + 1],
            time=self.time[:n],
            correlation=np.ascontiguousarray(self.correlation[square]),
            response=np.ascontiguousarray(self.response[square]),
            residual_correlation=np.ascontiguousarray(self.residual_correlation[square]),
            residual_response=np.ascontiguousarray(self.residual_response[square]),
            factor=np.ascontiguousarray(self.factor[modes]),
            readout=np.ascontiguousarray(self.readout[modes]),
            drive=np.ascontiguousarray(self.drive[modes]),
            loss=self.loss[:n],
            decay=self.decay[:n],
            scattered=self.scattered[:n],
            ranks=self.ranks[: panels + 1],
            errors=np.ascontiguousarray(self.errors[square]),
            observed=Observed(self.observed.rows[:, :, :n]),
            secants=self.secants[:panels],
        )

"""What the effective process is averaged to: R_w, C_e, and at single times what `Observed` names."""

from dataclasses import dataclass

import numpy as np

from dlnflow.dmft import radau
from dlnflow.solution import Array

OBSERVED = (
    "overlap",
    "magnitude",
    "slope",
    "mean",
    "error",
    "squares",
    "difference",
    "log_product",
    "averaged",
    "drift",
    "missed",
    "false",
)
"""In the order of `observe` in native/dmft/averages.hpp."""


@dataclass(frozen=True)
class Observed:
    """Averages at T single times: `rows` (S, OBSERVED, T) by stratum, or (OBSERVED, T) of the whole population, and by name (S, T) or (T,).

    Those of strata are parts of the average, which is their sum. `mean` and `difference` are those of the mirror image where w* < 0 and a
    path stands for both.
    """

    rows: Array

    @property
    def overlap(self) -> Array:
        """E[w w*]."""
        return self._named("overlap")

    @property
    def magnitude(self) -> Array:
        """E|w|."""
        return self._named("magnitude")

    @property
    def slope(self) -> Array:
        """E[c k]."""
        return self._named("slope")

    @property
    def mean(self) -> Array:
        """E[w]."""
        return self._named("mean")

    @property
    def error(self) -> Array:
        """E[(w − w*)²]."""
        return self._named("error")

    @property
    def squares(self) -> Array:
        """E[u² + v²]."""
        return self._named("squares")

    @property
    def difference(self) -> Array:
        """E[u² − v²]."""
        return self._named("difference")

    @property
    def log_product(self) -> Array:
        """E[log |u v|]."""
        return self._named("log_product")

    @property
    def averaged(self) -> Array:
        """E[(w̄ − w*)²], where w̄ is the mean of w since t = 0."""
        return self._named("averaged")

    @property
    def drift(self) -> Array:
        """E[(w̄ − w*) (w − w*)]."""
        return self._named("drift")

    @property
    def missed(self) -> Array:
        """P(|w| ≤ θ, w* ≠ 0)."""
        return self._named("missed")

    @property
    def false(self) -> Array:
        """P(|w| > θ, w* = 0)."""
        return self._named("false")

    def whole(self) -> "Observed":
        """The averages over all strata."""
        return Observed(self.rows.sum(axis=0))

    def _named(self, name: str) -> Array:
        return self.rows[..., OBSERVED.index(name), :]


def observed(sums: Array, time: Array) -> Observed:
    """What the compiled loops observe at `time` (T,), their `sums` (S, OBSERVED, T): these have the integral of w − w* for its mean."""
    for name, power in (("averaged", 2), ("drift", 1)):
        sums[:, OBSERVED.index(name)] /= time**power
    return Observed(sums)


@dataclass(frozen=True)
class AveragedKernels:
    """What paths average to: `response` R_w and `correlation` C_e, a panel's rows (m, N + m) of each, or all rows (N, N)."""

    response: Array
    correlation: Array


@dataclass(frozen=True)
class Averages:
    """Over a sample on N nodes: `response` R_w, the `rest` C_⊥ and the `errors` E[e eᵀ], (N, N) each, and what is `observed`.

    C_⊥ = E[(e − Λ z)(e − Λ z)ᵀ] is what C_e has beside Λ Λᵀ, eq. (7a).
    """

    response: Array
    rest: Array
    errors: Array
    observed: Observed

    def __add__(self, other: "Averages") -> "Averages":
        observed = Observed(self.observed.rows + other.observed.rows)
        return Averages(self.response + other.response, self.rest + other.rest, self.errors + other.errors, observed)

    def __mul__(self, factor: float) -> "Averages":
        return Averages(factor * self.response, factor * self.rest, factor * self.errors, Observed(factor * self.observed.rows))

    def __sub__(self, other: "Averages") -> "Averages":
        return self + other * -1.0

    def kernels(self, factor: Array) -> AveragedKernels:
        """R_w and C_e, eq. (7a), all rows of each, where the noise has the `factor` L (N, D)."""
        expected = self.response @ factor
        return AveragedKernels(self.response, self.rest + expected @ expected.T)

    def interpolated(self, order: int, other: int) -> "Averages":
        """From panels of `order` nodes to the same panels of `other` nodes."""
        if order == other:
            return self
        panels = np.eye(len(self.response) // order)
        onto, back = (np.kron(panels, radau.between(*orders)) for orders in ((order, other), (other, order)))
        observed = Observed(self.observed.rows @ onto.T)
        return Averages(onto @ self.response @ back, onto @ self.rest @ onto.T, onto @ self.errors @ onto.T, observed)

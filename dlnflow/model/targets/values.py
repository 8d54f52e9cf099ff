"""A user's own sample of teacher weights."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from dlnflow.model.base import Array
from dlnflow.model.mixtures import Component
from dlnflow.model.strata import SIGNS, Atom, Continuum, Stratum
from dlnflow.model.targets.fields import Value
from dlnflow.model.targets.law import TargetLaw

MOST_COMPONENTS = 100  # of a mixture that is only near to a law


class ValuesTarget(TargetLaw):
    """Teacher weights that are drawn from a list of `values`, all equally likely: a sample of one's own."""

    kind: Literal["values"] = "values"
    values: Annotated[tuple[Value, ...], Field(min_length=1, max_length=10_000)]

    @property
    def second_moment(self) -> float:
        """The mean square."""
        return sum(value**2 for value in self.values) / len(self.values)

    @property
    def mean(self) -> float:
        """The mean."""
        return sum(self.values) / len(self.values)

    @property
    def magnitude(self) -> float:
        """The mean of their absolute values."""
        return sum(abs(value) for value in self.values) / len(self.values)

    @property
    def is_symmetric(self) -> bool:
        """Not looked at: samples hardly ever are."""
        return False

    @property
    def signs(self) -> tuple[float, float, float]:
        """The shares of values below, at and above 0."""
        negative, zero, positive = (len(side) / len(self.values) for side in self._sides())
        return negative, zero, positive

    def _sides(self) -> list[Array]:
        """The values below, at and above 0."""
        values = np.sort(self.values)
        return [values[values < 0], values[values == 0], values[values > 0]]

    def draw(self, dimension: int, rng: np.random.Generator) -> Array:
        """Values at random."""
        return rng.choice(np.asarray(self.values, dtype=np.float64), size=dimension)

    def strata(self, folded: bool) -> list[Stratum]:
        """One for each sign."""
        sides = zip(self._sides(), self.signs, SIGNS, strict=True)
        return [self._stratum(values, share, given) for values, share, given in sides if share]

    def _stratum(self, values: Array, share: float, given: str) -> Stratum:
        """Some of the values; each of them counts the same, however many points it gets, if any."""
        if values[0] == values[-1]:
            return Atom(share, given, None, float(values[0]))

        def points(x: Array) -> tuple[Array, Array]:
            index = (x * len(values)).astype(np.intp)
            return values[index], 1 / np.bincount(index)[index]

        return Continuum(share, given, None, float(np.sqrt(np.mean(values**2))), points, values.tobytes())

    def nearest(self, s: float, reach: float) -> float:
        """From the value that is nearest to 0."""
        return max(0.0, float(np.abs(self.values).min()) - reach * s)

    def mixture(self) -> list[Component]:
        """Point masses; of many values, the means and the variances of runs of neighbours."""
        values = np.sort(self.values)
        different, counts = np.unique(values, return_counts=True)
        if len(different) <= MOST_COMPONENTS:
            return [Component(count / len(values), value, 0.0) for value, count in zip(different.tolist(), counts.tolist(), strict=True)]
        place = np.linspace(0, 1, len(values)) + (values - values[0]) / (values[-1] - values[0])  # so that runs are neither long nor wide
        ends = np.searchsorted(place, np.linspace(0, 2, MOST_COMPONENTS + 1)[1:-1])
        runs = [run for run in np.split(values, ends) if len(run)]
        return [Component(len(run) / len(values), float(run.mean()), float(run.var())) for run in runs]

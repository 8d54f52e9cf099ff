"""The law of a teacher weight: what solvers ask of it."""

import numpy as np
from numpy.typing import NDArray

from dlnflow.model.base import Array, Model
from dlnflow.model.mixtures import Component, mean_lorentzian, mean_magnitude, share_beyond
from dlnflow.model.strata import SIGNS, Stratum


class TargetLaw(Model):
    """The law of a teacher weight w*, dimensionless."""

    @property
    def second_moment(self) -> float:
        """E[w*²]."""
        raise NotImplementedError

    @property
    def mean(self) -> float:
        """E[w*]."""
        return 0.0

    @property
    def magnitude(self) -> float:
        """E|w*|."""
        return mean_magnitude(self.mixture())

    @property
    def is_symmetric(self) -> bool:
        """Whether −w* has the law of w*, and only signs of w* are told apart."""
        return True

    def draw(self, dimension: int, rng: np.random.Generator) -> Array:
        """Independent draws, shape (d,)."""
        raise NotImplementedError

    def strata(self, folded: bool) -> list[Stratum]:
        """The parts from which quasi-random points are drawn; where `folded`, points stand for their mirror images too."""
        raise NotImplementedError

    def mixture(self) -> list[Component]:
        """The law as a mixture of normal laws, for quadratures; its probabilities sum to 1."""
        raise NotImplementedError

    @property
    def signs(self) -> tuple[float, float, float]:
        """The probabilities that w* < 0, w* = 0 and w* > 0: here of a symmetric law without atoms."""
        return 0.5, 0.0, 0.5

    @property
    def conditions(self) -> list[tuple[str, float]]:
        """The name and the probability of every sign of w*, or atom of a discrete law."""
        return list(zip(SIGNS, self.signs, strict=True))

    def classify(self, teacher: Array) -> NDArray[np.intp]:
        """The index in `conditions` that every entry of `teacher` (d,) meets, shape (d,)."""
        return np.sign(teacher).astype(np.intp) + 1

    def beyond(self, size: float) -> float:
        """The probability that |w*| > `size`."""
        return share_beyond(self.mixture(), size)

    def nearest(self, s: float, reach: float) -> float:
        """The least |w| that w = w* + s z comes to within `reach` standard deviations."""
        return min(max(0.0, abs(kind.mean) - reach * float(np.sqrt(kind.variance + s**2))) for kind in self.mixture())

    def mean_lorentzian(self, s: float, b: float) -> float:
        """E[1/(w² + b²)] for w = w* + s z, z ~ N(0, 1): of a normal law, a Voigt profile."""
        return mean_lorentzian(self.mixture(), s, b)

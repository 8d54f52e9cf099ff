"""The laws of teacher weights, one a class: the wire model of each, and everything that solvers ask of it.

A new law is one class here and its name in `Target`.
"""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from dlnflow.model.base import Array, Model, contradiction
from dlnflow.model.mixtures import Component, gamma_rule, mean_lorentzian, scale_mixture, share_beyond
from dlnflow.model.strata import NEGATIVE, POSITIVE, SIGNS, ZERO, Atom, Continuum, Magnitude, Stratum, both_signs, normal_strata

LEGENDRE = 32  # nodes on either side of 0
MOST_COMPONENTS = 100  # of a mixture that is only near to a law


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


Std = Annotated[float, Field(gt=0, le=100, description="standard deviation of the nonzero weights")]


class GaussianTarget(TargetLaw):
    """Teacher weights w* ~ N(0, std²)."""

    kind: Literal["gaussian"] = "gaussian"
    std: Std = 1.0

    @property
    def second_moment(self) -> float:
        """std²."""
        return self.std**2

    def draw(self, dimension: int, rng: np.random.Generator) -> Array:
        """Normal variates."""
        return self.std * rng.standard_normal(dimension)

    def strata(self, folded: bool) -> list[Stratum]:
        """One, or one for each sign."""
        return normal_strata(1.0, self.std, folded)

    def mixture(self) -> list[Component]:
        """Itself."""
        return [Component(1.0, 0.0, self.std**2)]


class BernoulliGaussTarget(TargetLaw):
    """Teacher weights that are N(0, std²) with probability `density` and 0 otherwise."""

    kind: Literal["bernoulli_gauss"] = "bernoulli_gauss"
    density: Annotated[float, Field(ge=0.001, le=1, description="probability that a weight is not zero")]
    std: Std = 1.0

    @property
    def second_moment(self) -> float:
        """density · std²."""
        return self.density * self.std**2

    @property
    def signs(self) -> tuple[float, float, float]:
        """The probabilities that w* < 0, w* = 0 and w* > 0."""
        return self.density / 2, 1 - self.density, self.density / 2

    def draw(self, dimension: int, rng: np.random.Generator) -> Array:
        """Normal variates, of which some are kept."""
        return self.std * rng.standard_normal(dimension) * (rng.random(dimension) < self.density)

    def strata(self, folded: bool) -> list[Stratum]:
        """The zeros and the others."""
        zero: list[Stratum] = [Atom(1 - self.density, ZERO, ZERO if folded else None, 0.0)] if self.density < 1 else []
        return [*zero, *normal_strata(self.density, self.std, folded)]

    def mixture(self) -> list[Component]:
        """A point mass and a normal law."""
        zero = [Component(1 - self.density, 0.0, 0.0)] if self.density < 1 else []
        return [*zero, Component(self.density, 0.0, self.std**2)]


Value = Annotated[float, Field(ge=-100, le=100)]
Probability = Annotated[float, Field(gt=0, le=1)]


class DiscreteTarget(TargetLaw):
    """Teacher weights on finitely many distinct `atoms` with the given `probabilities`."""

    kind: Literal["discrete"] = "discrete"
    atoms: Annotated[tuple[Value, ...], Field(min_length=1, max_length=16)]
    probabilities: Annotated[tuple[Probability, ...], Field(min_length=1, max_length=16)]

    @model_validator(mode="after")
    def _is_a_distribution(self) -> "DiscreteTarget":
        if len(self.atoms) != len(self.probabilities):
            raise contradiction("probabilities", "atoms and probabilities must have the same length")
        if len(set(self.atoms)) != len(self.atoms):
            raise contradiction("atoms", "atoms must be distinct")
        if abs(sum(self.probabilities) - 1) > 1e-9:
            raise contradiction("probabilities", f"probabilities must sum to 1, not {sum(self.probabilities):.12g}")
        return self

    @property
    def second_moment(self) -> float:
        """Σ p atom²."""
        return sum(p * atom**2 for p, atom in zip(self.probabilities, self.atoms, strict=True))

    @property
    def mean(self) -> float:
        """Σ p atom."""
        return sum(p * atom for p, atom in zip(self.probabilities, self.atoms, strict=True))

    @property
    def is_symmetric(self) -> bool:
        """Atoms are told apart, of whatever sign."""
        return False

    @property
    def signs(self) -> tuple[float, float, float]:
        """Those of the atoms, together."""
        negative, zero, positive = (
            sum(p for p, atom in zip(self.probabilities, self.atoms, strict=True) if np.sign(atom) == sign) for sign in (-1, 0, 1)
        )
        return negative, zero, positive

    @property
    def conditions(self) -> list[tuple[str, float]]:
        """One for each atom."""
        return [(f"w*={atom:g}", p) for atom, p in zip(self.atoms, self.probabilities, strict=True)]

    def classify(self, teacher: Array) -> NDArray[np.intp]:
        """The number of the atom."""
        return np.asarray(np.argmax(teacher[:, None] == np.array(self.atoms), axis=1))

    def draw(self, dimension: int, rng: np.random.Generator) -> Array:
        """Atoms at random."""
        p = np.asarray(self.probabilities)
        return rng.choice(np.asarray(self.atoms, dtype=np.float64), size=dimension, p=p / p.sum())

    def strata(self, folded: bool) -> list[Stratum]:
        """One for each atom."""
        return [Atom(p, given, None, atom) for (given, p), atom in zip(self.conditions, self.atoms, strict=True)]

    def mixture(self) -> list[Component]:
        """Point masses."""
        return [Component(p, atom, 0.0) for p, atom in zip(self.probabilities, self.atoms, strict=True)]


class LaplaceTarget(TargetLaw):
    """Teacher weights with the density exp(−√2 |w*|/std)/(√2 std)."""

    kind: Literal["laplace"] = "laplace"
    std: Annotated[float, Field(gt=0, le=100, description="standard deviation")] = 1.0

    @property
    def second_moment(self) -> float:
        """std²."""
        return self.std**2

    def draw(self, dimension: int, rng: np.random.Generator) -> Array:
        """Differences of exponential variates."""
        return rng.laplace(scale=self.std / 2**0.5, size=dimension)

    def strata(self, folded: bool) -> list[Stratum]:
        """One, or one for each sign: |w*| √2/std is exponential."""
        from scipy.special import gamma, gammaincinv

        law = Magnitude(lambda power, x: np.asarray(gammaincinv(1 + power, x)), lambda power: float(gamma(1 + power)), (2.0, 4.0))
        return both_signs(self.std, law, folded)

    def mixture(self) -> list[Component]:
        """Normal laws whose variance is exponential (Andrews & Mallows 1974)."""
        value, weight = gamma_rule(1.0, below=0.5, above=2.0)
        return scale_mixture(self.second_moment, value, weight)


class StudentTarget(TargetLaw):
    """Teacher weights that are Student's t, scaled to the standard deviation `std`.

    With fewer than 3 degrees of freedom the mean square of a million draws is still off by percents, so that no finite network
    resembles the limit. Up to 4 its variance is infinite: the standard errors of finite networks are then not to be trusted.
    """

    kind: Literal["student_t"] = "student_t"
    degrees_of_freedom: Annotated[float, Field(ge=3, le=1000, description="ν; tails fall as |w*|^(−ν−1)")]
    std: Annotated[float, Field(gt=0, le=100, description="standard deviation")] = 1.0

    @property
    def second_moment(self) -> float:
        """std²."""
        return self.std**2

    def draw(self, dimension: int, rng: np.random.Generator) -> Array:
        """Student's variates."""
        scale = self.std * (1 - 2 / self.degrees_of_freedom) ** 0.5
        return np.asarray(scale * rng.standard_t(self.degrees_of_freedom, dimension))

    def strata(self, folded: bool) -> list[Stratum]:
        """One, or one for each sign: 1/(1 + t²/ν) has a beta law."""
        from scipy.special import beta, betaincinv

        degrees = self.degrees_of_freedom

        def quantile(power: float, x: Array) -> Array:
            z = betaincinv((degrees - power) / 2, (1 + power) / 2, 1 - x)
            return np.asarray(np.sqrt((1 - z) / z))

        def moment(power: float) -> float:
            return float(beta((degrees - power) / 2, (1 + power) / 2) / beta(degrees / 2, 0.5))

        law = Magnitude(quantile, moment, (2.0, min(4.0, degrees - 1)))
        return both_signs(self.std, law, folded)

    def mixture(self) -> list[Component]:
        """Normal laws whose inverse variance has a gamma law."""
        half = self.degrees_of_freedom / 2
        value, weight = gamma_rule(half, below=half - 1, above=half + 0.5)
        return scale_mixture(self.second_moment, 1 / value, weight)


class UniformTarget(TargetLaw):
    """Teacher weights that are uniform between `low` and `high`."""

    kind: Literal["uniform"] = "uniform"
    low: Value
    high: Value

    @model_validator(mode="after")
    def _is_an_interval(self) -> "UniformTarget":
        if self.high <= self.low:
            raise contradiction("high", f"high must be above low = {self.low:g}")
        return self

    @property
    def second_moment(self) -> float:
        """(low² + low high + high²)/3."""
        return (self.low**2 + self.low * self.high + self.high**2) / 3

    @property
    def mean(self) -> float:
        """(low + high)/2."""
        return (self.low + self.high) / 2

    @property
    def is_symmetric(self) -> bool:
        """Where 0 is in the middle."""
        return self.low == -self.high

    @property
    def signs(self) -> tuple[float, float, float]:
        """The probabilities that w* < 0, w* = 0 and w* > 0."""
        negative, positive = (share for share, *_ in self._sides())
        return negative, 0.0, positive

    def _sides(self) -> list[tuple[float, float, float]]:
        """The share of each sign, and the ends of |w*| there."""
        sides = ((max(-self.high, 0.0), max(-self.low, 0.0)), (max(self.low, 0.0), max(self.high, 0.0)))
        return [((end - start) / (self.high - self.low), start, end) for start, end in sides]

    def draw(self, dimension: int, rng: np.random.Generator) -> Array:
        """Uniform variates."""
        return rng.uniform(self.low, self.high, dimension)

    def strata(self, folded: bool) -> list[Stratum]:
        """One, or one for each sign."""
        if folded:
            return [self._stratum(1.0, 0.0, self.high, POSITIVE, NEGATIVE)]
        sides = zip(self._sides(), (NEGATIVE, POSITIVE), strict=True)
        return [self._stratum(*side, given) for side, given in sides if side[0]]

    def _stratum(self, share: float, start: float, end: float, given: str, opposite: str | None = None) -> Continuum:
        """Magnitudes between `start` and `end`."""
        sign, size = -1 if given == NEGATIVE else 1, ((start**2 + start * end + end**2) / 3) ** 0.5
        return Continuum(share, given, opposite, size, lambda x: (sign * (start + (end - start) * x), np.ones_like(x)))

    def mixture(self) -> list[Component]:
        """Point masses at the nodes of Gauss–Legendre rules on both sides of 0."""
        points, shares = np.polynomial.legendre.leggauss(LEGENDRE)
        sides = zip((-1, 1), self._sides(), strict=True)
        return [
            Component(float(share * weight / 2), float(sign * (start + (end - start) * (1 + point) / 2)), 0.0)
            for sign, (share, start, end) in sides
            for point, weight in zip(points, shares, strict=True)
            if share
        ]

    def nearest(self, s: float, reach: float) -> float:
        """From the end that is nearer to 0, or 0 where that is inside."""
        return max(0.0, self.low - reach * s, -self.high - reach * s)

    def mean_lorentzian(self, s: float, b: float) -> float:
        """The average over w* of a Voigt profile, in a variable in which it is wide."""
        from scipy.special import voigt_profile

        width = float(np.hypot(s, b))
        start, end = np.arcsinh(self.low / width), np.arcsinh(self.high / width)
        points, shares = np.polynomial.legendre.leggauss(4 * LEGENDRE)
        t = start + (end - start) * (1 + points) / 2
        values = voigt_profile(width * np.sinh(t), s, b) * width * np.cosh(t)
        return float(np.pi / b * (shares @ values) / 2 * (end - start) / (self.high - self.low))


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

        return Continuum(share, given, None, float(np.sqrt(np.mean(values**2))), points)

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


Target = Annotated[
    GaussianTarget | BernoulliGaussTarget | DiscreteTarget | LaplaceTarget | StudentTarget | UniformTarget | ValuesTarget,
    Field(discriminator="kind"),
]

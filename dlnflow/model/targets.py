"""The laws of teacher weights, one a class: the wire model of each, and everything that solvers ask of it.

A new law is one class here and its name in `Target`.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from dlnflow.model.base import Array, Model, contradiction
from dlnflow.model.strata import NEGATIVE, POSITIVE, SIGNS, ZERO, Atom, Continuum, Normal, Stratum

SPREAD_OF_ATOMS = 1e-9  # of a point mass, relative to its distance from a pole


@dataclass(frozen=True)
class Component:
    """Teacher weights N(`mean`, `variance`), which a coordinate has with `probability`; a point mass where the variance is 0."""

    probability: float
    mean: float
    variance: float


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
        """The probabilities that w* < 0, w* = 0 and w* > 0."""
        return 0.5, 0.0, 0.5

    @property
    def conditions(self) -> list[tuple[str, float]]:
        """The name and the probability of every sign of w*, or atom of a discrete law."""
        return list(zip(SIGNS, self.signs, strict=True))

    def classify(self, teacher: Array) -> NDArray[np.intp]:
        """The index in `conditions` that every entry of `teacher` (d,) meets, shape (d,)."""
        return np.sign(teacher).astype(np.intp) + 1

    def nearest(self, s: float, reach: float) -> float:
        """The least |w| that w = w* + s z comes to within `reach` standard deviations."""
        return min(max(0.0, abs(kind.mean) - reach * float(np.sqrt(kind.variance + s**2))) for kind in self.mixture())

    def mean_lorentzian(self, s: float, b: float) -> float:
        """E[1/(w² + b²)] for w = w* + s z, z ~ N(0, 1): of a normal law, a Voigt profile."""
        from scipy.special import voigt_profile

        kinds = self.mixture()
        center, spread = np.array([kind.mean for kind in kinds]), np.sqrt([kind.variance + s**2 for kind in kinds])
        spread = np.maximum(spread, SPREAD_OF_ATOMS * np.hypot(center, b))
        profile = np.array([voigt_profile(m, sd, b) for m, sd in zip(center, spread, strict=True)])
        return float(np.dot([kind.probability for kind in kinds], profile) * np.pi / b)


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
        return _normal_strata(1.0, self.std, folded)

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
        return [*zero, *_normal_strata(self.density, self.std, folded)]

    def mixture(self) -> list[Component]:
        """A point mass and a normal law."""
        zero = [Component(1 - self.density, 0.0, 0.0)] if self.density < 1 else []
        return [*zero, Component(self.density, 0.0, self.std**2)]


def _normal_strata(probability: float, std: float, folded: bool) -> list[Stratum]:
    if folded:
        return [Normal(probability, POSITIVE, NEGATIVE, std)]
    return [Continuum(probability / 2, given, None, std, partial(_half_normal, side)) for side, given in ((0, NEGATIVE), (1, POSITIVE))]


def _half_normal(side: int, x: Array) -> tuple[Array, Array]:
    from scipy.special import ndtri

    return ndtri((x + side) / 2), np.ones_like(x)


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


Target = Annotated[GaussianTarget | BernoulliGaussTarget | DiscreteTarget, Field(discriminator="kind")]

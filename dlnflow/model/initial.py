"""The laws of the initial values u(0) and v(0), one a class: the wire model of each, and everything that solvers ask of it.

On the wire a bare number a stands for u(0) = v(0) = a.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Discriminator, Field, Tag

from dlnflow.model.base import Array, Model

COARSE, FINE = 0.7, 0.3  # steps of the double-exponential rule: a start within 20 %, and final errors to about 1e-5 of themselves
SMALLEST = 1e-150  # an initial value that is zero would have no logarithm

Scale = Annotated[float, Field(ge=1e-4, le=100)]


@dataclass(frozen=True)
class Starts:
    """I weighted initial values in the two numbers by which they enter w, each of shape (I,); `weight` sums to 1.

    With c = |u(0) v(0)|, `product`, and q₀ = log |u(0)/v(0)|, `offset`, gradient flow of arXiv 2510.01930 without weight decay keeps
    w = c sinh q, q = q₀ − 2 ∫₀ᵗ h, and u² + v² = 2 c cosh q. Where the problem is symmetric under (u, v, w*) → (v, u, −w*), one of two
    mirror images stands for both.
    """

    weight: Array
    product: Array
    offset: Array


class InitialLaw(Model):
    """The law of u(0) and v(0) of one coordinate."""

    is_constant: ClassVar[bool] = True
    """Whether all coordinates start alike."""
    is_symmetric: ClassVar[bool] = True
    """Whether (v(0), u(0)) has the law of (u(0), v(0))."""
    coordinates: ClassVar[int] = 0
    """Uniform coordinates that a quasi-random point takes for them."""

    @abstractmethod
    def slope(self, depth: float) -> float:
        """E[u(0)^(2L−2) + v(0)^(2L−2)], the rate at which w starts to move."""

    @property
    @abstractmethod
    def product(self) -> float:
        """|u(0) v(0)|, or its scale where it is random."""

    @property
    @abstractmethod
    def sizes(self) -> tuple[float, float]:
        """What u(0) and v(0) are proportional to."""

    @property
    def log_product(self) -> float:
        """E[log |u(0) v(0)|]."""
        return float(np.log(self.product))

    def mean_weight(self, depth: float) -> float:
        """E[w(0)], where w = (u^L − v^L)/L."""
        return 0.0

    def mean_square_weight(self, depth: float) -> float:
        """E[w(0)²]."""
        return 0.0

    @abstractmethod
    def draw(self, dimension: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """u(0) and v(0), each of shape (d,), none of them zero."""

    @abstractmethod
    def logarithms(self, uniform: Array, weights: Array) -> tuple[Array, Array]:
        """log |u(0)| and log |v(0)|, (P,) each, of points with `uniform` (coordinates, P) and `weights` (P,) that sum to 1."""

    @abstractmethod
    def quadrature(self, mirrored: bool, step: float = FINE) -> Starts:
        """One point where they are constant, else a rule of the given `step`; half of it where the problem is `mirrored`."""


class BalancedScale(InitialLaw):
    """u(0) = v(0) = `a`, so that w(0) = 0."""

    a: Scale

    def slope(self, depth: float) -> float:
        """2 a^(2L−2)."""
        return float(2 * self.a ** (2 * depth - 2))

    @property
    def product(self) -> float:
        """a²."""
        return self.a**2

    @property
    def sizes(self) -> tuple[float, float]:
        """a."""
        return self.a, self.a

    def draw(self, dimension: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """The constants."""
        return np.full(dimension, self.a), np.full(dimension, self.a)

    def logarithms(self, uniform: Array, weights: Array) -> tuple[Array, Array]:
        """Those of the constants."""
        return np.full(len(weights), np.log(self.a)), np.full(len(weights), np.log(self.a))

    def quadrature(self, mirrored: bool, step: float = FINE) -> Starts:
        """One point."""
        return Starts(np.ones(1), np.array([self.a**2]), np.zeros(1))


class PairScale(InitialLaw):
    """Constant initial values that differ: u(0) = `u`, v(0) = `v`, so that w(0) = (u^L − v^L)/L."""

    is_symmetric = False

    u: Annotated[Scale, Field(description="u(0)")]
    v: Annotated[Scale, Field(description="v(0)")]

    def slope(self, depth: float) -> float:
        """u^(2L−2) + v^(2L−2)."""
        return float(self.u ** (2 * depth - 2) + self.v ** (2 * depth - 2))

    @property
    def product(self) -> float:
        """u v."""
        return self.u * self.v

    @property
    def sizes(self) -> tuple[float, float]:
        """u and v."""
        return self.u, self.v

    def mean_weight(self, depth: float) -> float:
        """w(0)."""
        return float((self.u**depth - self.v**depth) / depth)

    def mean_square_weight(self, depth: float) -> float:
        """w(0)²."""
        return self.mean_weight(depth) ** 2

    def draw(self, dimension: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """The constants."""
        return np.full(dimension, self.u), np.full(dimension, self.v)

    def logarithms(self, uniform: Array, weights: Array) -> tuple[Array, Array]:
        """Those of the constants."""
        return np.full(len(weights), np.log(self.u)), np.full(len(weights), np.log(self.v))

    def quadrature(self, mirrored: bool, step: float = FINE) -> Starts:
        """One point."""
        return Starts(np.ones(1), np.array([self.u * self.v]), np.array([np.log(self.u / self.v)]))


class GaussianScale(InitialLaw):
    """Random initial values: the entries of u(0) and v(0) are independent draws from N(0, std²)."""

    is_constant = False
    coordinates = 2

    kind: Literal["gaussian"]
    std: Scale

    def slope(self, depth: float) -> float:
        """2 std² at depth 2, the only one at which initial values may be random."""
        return 2 * self.std**2

    @property
    def product(self) -> float:
        """std²."""
        return self.std**2

    @property
    def sizes(self) -> tuple[float, float]:
        """std."""
        return self.std, self.std

    @property
    def log_product(self) -> float:
        """log std² − γ − log 2, γ that of Euler."""
        return float(np.log(self.std**2 / 2) - np.euler_gamma)

    def mean_square_weight(self, depth: float) -> float:
        """E[(u² − v²)²]/4, at depth 2."""
        return self.std**4

    def draw(self, dimension: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Normal variates."""
        u0, v0 = self.std * rng.standard_normal((2, dimension))
        return np.where(u0 == 0, SMALLEST, u0), np.where(v0 == 0, SMALLEST, v0)

    def logarithms(self, uniform: Array, weights: Array) -> tuple[Array, Array]:
        """Those of normal quantiles with exact mean squares."""
        from scipy.special import ndtri

        normal = ndtri(uniform)
        log_u, log_v = np.log(self.std * np.abs(normal / np.sqrt(normal**2 @ weights)[:, None]))
        return log_u, log_v

    def quadrature(self, mirrored: bool, step: float = FINE) -> Starts:
        """The product of two rules for half-normal laws."""
        value, weight = _half_normal(step)
        i, j = np.tril_indices(len(value)) if mirrored else np.indices((len(value),) * 2).reshape(2, -1)
        multiplicity = np.where(i == j, 1.0, 2.0) if mirrored else 1.0
        return Starts(
            weight=weight[i] * weight[j] * multiplicity,
            product=self.std**2 * value[i] * value[j],
            offset=np.log(value[i] / value[j]),
        )


def _half_normal(step: float) -> tuple[Array, Array]:
    """|g| for g ~ N(0, 1): nodes and weights that integrate logarithms at 0 too (Takahasi & Mori 1974)."""
    t = np.arange(-2.9, 2.2, step)
    value = np.exp(t - np.exp(-t))
    weight = np.exp(-(value**2) / 2) * value * (1 + np.exp(-t))
    return value, weight / weight.sum()


def _kind(value: Any) -> str:
    if isinstance(value, PairScale) or (isinstance(value, dict) and value.keys() & {"u", "v"}):
        return "pair"
    return "random" if isinstance(value, GaussianScale | dict) else "balanced"


InitialScale = Annotated[
    Annotated[Scale, Tag("balanced")] | Annotated[PairScale, Tag("pair")] | Annotated[GaussianScale, Tag("random")],
    Discriminator(_kind),
]


def law_of(scale: float | PairScale | GaussianScale) -> InitialLaw:
    """The law that a value on the wire stands for."""
    return scale if isinstance(scale, InitialLaw) else BalancedScale.model_construct(a=scale)

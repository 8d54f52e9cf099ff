"""The law of a teacher weight as a mixture of normal laws, for the quadratures of the theory."""

import math
from dataclasses import dataclass

import numpy as np

from dlnflow.model.base import Array

SPREAD_OF_ATOMS = 1e-9  # of a point mass, relative to its distance from a pole
RULE = 96  # nodes of a mixture over scales: ends and rates to 1e-8 of themselves
NEGLIGIBLE = 1e-8  # mass beyond its ends


@dataclass(frozen=True)
class Component:
    """Teacher weights N(`mean`, `variance`), which a coordinate has with `probability`; a point mass where the variance is 0."""

    probability: float
    mean: float
    variance: float


def mean_magnitude(mixture: list[Component], variance: float = 0.0) -> float:
    """E|w| for w = w* + z, where z ~ N(0, `variance`): the mean of folded normals."""
    total = 0.0
    for kind in mixture:
        spread = math.sqrt(kind.variance + variance)
        z = kind.mean / spread if spread else math.inf
        folded = spread * math.sqrt(2 / math.pi) * math.exp(-z * z / 2) + abs(kind.mean) * math.erf(abs(z) / math.sqrt(2))
        total += kind.probability * folded
    return total


def share_beyond(mixture: list[Component], size: float) -> float:
    """The probability that |w*| > `size`."""
    return sum(kind.probability * (_above(size - kind.mean, kind.variance) + _above(size + kind.mean, kind.variance)) for kind in mixture)


def _above(x: float, variance: float) -> float:
    """The probability that a centred normal variate of this variance exceeds x."""
    return math.erfc(x / math.sqrt(2 * variance)) / 2 if variance else float(x < 0)


def mean_lorentzian(mixture: list[Component], s: float, b: float) -> float:
    """E[1/(w² + b²)] for w = w* + s z, z ~ N(0, 1): of every component a Voigt profile."""
    from scipy.special import voigt_profile

    center, spread = np.array([kind.mean for kind in mixture]), np.sqrt([kind.variance + s**2 for kind in mixture])
    spread = np.maximum(spread, SPREAD_OF_ATOMS * np.hypot(center, b))
    profile = np.array([voigt_profile(m, sd, b) for m, sd in zip(center, spread, strict=True)])
    return float(np.dot([kind.probability for kind in mixture], profile) * np.pi / b)


def gamma_rule(shape: float, below: float, above: float) -> tuple[Array, Array]:
    """Nodes and weights, (RULE,) each, of the gamma law of this `shape`, on which powers count as if its shape were `below` or `above`.

    The trapezoidal rule in the logarithm, which converges exponentially.
    """
    from scipy.special import gammainccinv, gammaincinv

    logarithm = np.linspace(np.log(gammaincinv(below, NEGLIGIBLE)), np.log(gammainccinv(above, NEGLIGIBLE)), RULE)
    exponent = shape * logarithm - np.exp(logarithm)
    weight = np.exp(exponent - exponent.max())
    return np.exp(logarithm), weight / weight.sum()


def scale_mixture(second_moment: float, variance: Array, weight: Array) -> list[Component]:
    """Normal laws whose variances are known up to a factor."""
    factor = second_moment / (weight @ variance)
    return [Component(p, 0.0, factor * v) for p, v in zip(weight.tolist(), variance.tolist(), strict=True)]

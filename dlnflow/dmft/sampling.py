"""Quasi-random samples of what is random in the effective process: the teacher weight w* and the modes of ζ.

Scrambled Sobol points through the normal quantile (A. B. Owen, Ann. Statist. 25, 1997), one stratum for each kind of
teacher weight, with second moments matched exactly. A problem is symmetric under (w*, ζ, w) → −(w*, ζ, w), so a stratum with
w* = 0 or Gaussian w* stands for its mirror image too, and only even averages are taken over it.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from dlnflow.problem import BernoulliGaussTarget, DiscreteTarget, GaussianTarget, Problem
from dlnflow.solution import Array

MODES = 48


@dataclass(frozen=True)
class Sample:
    """P weighted draws: `weight` (P,) sums to 1, `target` (P,) is w*, `modes` (MODES, P) are standard normal.

    `stratum` (P,) numbers the stratum of each draw, in the order of `strata(problem)`.
    """

    weight: Array
    target: Array
    modes: Array
    stratum: Array


@dataclass(frozen=True)
class Stratum:
    """Teacher weights `center` + `std` z, of total `probability`."""

    probability: float
    center: float
    std: float


def strata(problem: Problem) -> list[Stratum]:
    """The kinds of teacher weight of a problem."""
    match problem.target:
        case GaussianTarget(std=std):
            return [Stratum(1.0, 0.0, std)]
        case BernoulliGaussTarget(density=density, std=std):
            zero = [Stratum(1 - density, 0.0, 0.0)] if density < 1 else []
            return [*zero, Stratum(density, 0.0, std)]
        case DiscreteTarget(atoms=atoms, probabilities=probabilities):
            return [Stratum(p, atom, 0.0) for p, atom in zip(probabilities, atoms, strict=True)]


def draw(problem: Problem, paths: int, seed: np.random.SeedSequence) -> Sample:
    """About `paths` draws from an independent scramble; every stratum gets a power of two of them."""
    kinds = strata(problem)
    share = 2 ** max(4, int(np.log2(paths / len(kinds))))
    parts = [_draw_stratum(kind, share, child) for kind, child in zip(kinds, seed.spawn(len(kinds)), strict=True)]
    return Sample(
        weight=np.repeat([kind.probability / share for kind in kinds], share),
        target=np.concatenate([target for target, _ in parts]),
        modes=np.concatenate([modes for _, modes in parts], axis=1),
        stratum=np.repeat(np.arange(len(kinds)), share),
    )


def _draw_stratum(kind: Stratum, count: int, seed: np.random.SeedSequence) -> tuple[Array, Array]:
    sobol = qmc.Sobol(MODES + 1, scramble=True, rng=np.random.default_rng(seed))
    normal = _match_moments(ndtri(np.clip(sobol.random(count), 1e-15, 1 - 1e-15)).T)
    return kind.center + kind.std * normal[0], normal[1:]


def _match_moments(normal: Array) -> Array:
    """Rescale draws, shape (D, P), so that as many leading rows as the sample can carry have exact moments."""
    rows = min(len(normal), normal.shape[1] // 4)
    head = normal[:rows] - normal[:rows].mean(axis=1, keepdims=True)
    factor = np.linalg.cholesky(head @ head.T / head.shape[1])
    return np.concatenate([np.linalg.solve(factor, head), normal[rows:]])

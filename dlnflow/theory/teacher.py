"""The teacher weights as a mixture of normal laws, with point masses as their limit of zero variance."""

from dataclasses import dataclass

import numpy as np

from dlnflow.problem import BernoulliGaussTarget, DiscreteTarget, GaussianTarget, Problem


@dataclass(frozen=True)
class Stratum:
    """Teacher weights N(`mean`, `variance`), which a coordinate has with `probability`."""

    probability: float
    mean: float
    variance: float


def strata(problem: Problem) -> list[Stratum]:
    """The mixture that is the law of w*; its probabilities sum to 1."""
    match problem.target:
        case GaussianTarget(std=std):
            return [Stratum(1.0, 0.0, std**2)]
        case BernoulliGaussTarget(density=density, std=std):
            zero = [Stratum(1 - density, 0.0, 0.0)] if density < 1 else []
            return [*zero, Stratum(density, 0.0, std**2)]
        case DiscreteTarget(atoms=atoms, probabilities=probabilities):
            return [Stratum(p, atom, 0.0) for p, atom in zip(probabilities, atoms, strict=True)]


def typical_weight(problem: Problem) -> float:
    """W = sqrt(E[w*² | w* ≠ 0]), the size of a weight that has to be learned; 0 for a teacher that is zero."""
    learned = sum(s.probability for s in strata(problem) if s.mean or s.variance)
    return float(np.sqrt(problem.target_second_moment / learned)) if learned else 0.0

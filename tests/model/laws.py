"""Laws of teacher weights with what SciPy knows of them: what tests of every law are made over."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy import stats
from scipy.integrate import quad

from dlnflow.model import (
    BernoulliGaussTarget,
    DiscreteTarget,
    GaussianTarget,
    LaplaceTarget,
    StudentTarget,
    UniformTarget,
    ValuesTarget,
)
from dlnflow.model.targets import TargetLaw

SAMPLE = tuple(np.random.default_rng(5).exponential(size=400).round(3) - 0.6)  # some of them are repeated


class Law(NamedTuple):
    """A law, and independently of it E[f(w*)]: a continuous part from SciPy and point masses (probability by value)."""

    target: TargetLaw
    continuous: Any
    share: float
    atoms: dict[float, float]

    def expect(self, f, *breaks: float) -> float:
        """By adaptive quadrature between `breaks`, where f is not smooth."""
        total = sum(p * f(value) for value, p in self.atoms.items())
        if self.continuous is not None:
            low, high = self.continuous.support()
            ends = [low, *(x for x in sorted(breaks) if low < x < high), high]

            def density(w):
                return f(w) * self.continuous.pdf(w)

            total += self.share * sum(quad(density, a, b, epsabs=1e-12, limit=500)[0] for a, b in pairwise(ends))
        return float(total)


def _student(degrees: float, std: float) -> Any:
    return stats.t(degrees, scale=std * (1 - 2 / degrees) ** 0.5)


LAWS = {
    "gaussian": Law(GaussianTarget(std=1.5), stats.norm(scale=1.5), 1.0, {}),
    "bernoulli_gauss": Law(BernoulliGaussTarget(density=0.2, std=2.0), stats.norm(scale=2.0), 0.2, {0.0: 0.8}),
    "discrete": Law(DiscreteTarget(atoms=(-1.0, 0.0, 2.0), probabilities=(0.1, 0.8, 0.1)), None, 0.0, {-1.0: 0.1, 0.0: 0.8, 2.0: 0.1}),
    "laplace": Law(LaplaceTarget(std=0.7), stats.laplace(scale=0.7 / 2**0.5), 1.0, {}),
    "student_t": Law(StudentTarget(degrees_of_freedom=5.0, std=1.2), _student(5.0, 1.2), 1.0, {}),
    "student_t, heaviest": Law(StudentTarget(degrees_of_freedom=3.0), _student(3.0, 1.0), 1.0, {}),
    "student_t, nearly normal": Law(StudentTarget(degrees_of_freedom=1000.0), _student(1000.0, 1.0), 1.0, {}),
    "uniform": Law(UniformTarget(low=-0.5, high=1.5), stats.uniform(-0.5, 2.0), 1.0, {}),
    "uniform, symmetric": Law(UniformTarget(low=-2.0, high=2.0), stats.uniform(-2.0, 4.0), 1.0, {}),
    "uniform, positive": Law(UniformTarget(low=1.0, high=2.0), stats.uniform(1.0, 1.0), 1.0, {}),
    "values": Law(ValuesTarget(values=SAMPLE), None, 0.0, {v: SAMPLE.count(v) / len(SAMPLE) for v in SAMPLE}),
    "values, few": Law(ValuesTarget(values=(0.0, 0.0, 1.0, -2.0)), None, 0.0, {0.0: 0.5, 1.0: 0.25, -2.0: 0.25}),
}

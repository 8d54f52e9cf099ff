"""The laws of teacher weights, one a file: the wire model of each, and everything that solvers ask of it.

A new law is one class in a file of its own and its name in `Target`.
"""

from typing import Annotated

from pydantic import Field

from dlnflow.model.targets.bernoulli_gauss import BernoulliGaussTarget
from dlnflow.model.targets.discrete import DiscreteTarget
from dlnflow.model.targets.gaussian import GaussianTarget
from dlnflow.model.targets.laplace import LaplaceTarget
from dlnflow.model.targets.law import TargetLaw
from dlnflow.model.targets.student import StudentTarget
from dlnflow.model.targets.uniform import UniformTarget
from dlnflow.model.targets.values import ValuesTarget

Target = Annotated[
    GaussianTarget | BernoulliGaussTarget | DiscreteTarget | LaplaceTarget | StudentTarget | UniformTarget | ValuesTarget,
    Field(discriminator="kind"),
]

__all__ = [
    "BernoulliGaussTarget",
    "DiscreteTarget",
    "GaussianTarget",
    "LaplaceTarget",
    "StudentTarget",
    "Target",
    "TargetLaw",
    "UniformTarget",
    "ValuesTarget",
]

"""The model: the laws of the data, of the teacher and of the start, the dynamics, and what is observed of them."""

from dlnflow.model.base import Integral, Model, members
from dlnflow.model.designs import DatasetDesign, Design, DesignKind, GaussianDesign, RademacherDesign, StudentDesign
from dlnflow.model.dynamics import Dynamics, GradientDescent, GradientFlow, StochasticGradientFlow
from dlnflow.model.groups import Group
from dlnflow.model.initial import GaussianScale, InitialScale, PairScale
from dlnflow.model.pools import Pool
from dlnflow.model.problem import Problem
from dlnflow.model.schedules import CosineSchedule, LinearSchedule, ListSchedule, Schedule, WarmupDecaySchedule
from dlnflow.model.strata import Stratum
from dlnflow.model.targets import (
    BernoulliGaussTarget,
    DiscreteTarget,
    GaussianTarget,
    LaplaceTarget,
    StudentTarget,
    Target,
    UniformTarget,
    ValuesTarget,
)

__all__ = [
    "BernoulliGaussTarget",
    "CosineSchedule",
    "DatasetDesign",
    "Design",
    "DesignKind",
    "DiscreteTarget",
    "Dynamics",
    "GaussianDesign",
    "GaussianScale",
    "GaussianTarget",
    "GradientDescent",
    "GradientFlow",
    "Group",
    "InitialScale",
    "Integral",
    "LaplaceTarget",
    "LinearSchedule",
    "ListSchedule",
    "Model",
    "PairScale",
    "Pool",
    "Problem",
    "RademacherDesign",
    "Schedule",
    "StochasticGradientFlow",
    "Stratum",
    "StudentDesign",
    "StudentTarget",
    "Target",
    "UniformTarget",
    "ValuesTarget",
    "WarmupDecaySchedule",
    "members",
]

"""The fields of jobs as keywords: what editors complete and type checkers check. Their ranges and meanings are those of the models."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from dlnflow.model import Design, Dynamics, Problem
from dlnflow.solution import Array
from dlnflow.wire.job import Kind
from dlnflow.wire.requests import Request

Numbers = Iterable[float] | Array
ProblemLike = Problem | Mapping[str, Any]
DynamicsLike = Dynamics | Mapping[str, Any]
DesignLike = Design | Mapping[str, Any] | str
Axes = Mapping[str, Sequence[Any] | Array]


class JobFields(TypedDict, total=False):
    """The fields of a job of any kind; which of them a kind has, and what holds where they are left out, is said by its model."""

    kind: Kind
    problem: ProblemLike
    horizon: float
    times: Numbers | None
    seed: int
    dynamics: DynamicsLike
    truncation: float | None
    accuracy: float
    dimension: int
    replicas: int
    design: DesignLike
    standard_error: float | None
    base: Request | Mapping[str, Any]
    axes: Axes

"""The entrance to the mean-field solvers: gradient flow or gradient descent."""

from typing import Any

from dlnflow.dmft import descent, solver
from dlnflow.problem import Dynamics, GradientDescent, Problem
from dlnflow.solution import Solution


def solve(
    problem: Problem, horizon: float, *, dynamics: Dynamics | None = None, truncation: float | None = None, **options: Any
) -> Solution:
    """Solve the dynamical mean-field theory of `problem` under `dynamics`, gradient flow unless given.

    `options` are those of `solver.solve`: times, accuracy, seed, observe, journal. Gradient descent also takes a `truncation`, see
    `descent.solve`.
    """
    if isinstance(dynamics, GradientDescent):
        return descent.solve(problem, horizon, dynamics.step_size, truncation=truncation, **options)
    if truncation is not None:
        raise ValueError("the mean-field theory is truncated for gradient descent only")
    return solver.solve(problem, horizon, **options)

"""The entrance to the mean-field solvers: gradient flow, stochastic or not, or gradient descent."""

from typing import Any

from dlnflow.dmft import descent, solver
from dlnflow.model import Dynamics, GradientFlow, Problem, StochasticGradientFlow
from dlnflow.solution import Solution


def solve(
    problem: Problem, horizon: float, *, dynamics: Dynamics | None = None, truncation: float | None = None, **options: Any
) -> Solution:
    """Solve the dynamical mean-field theory of `problem` under `dynamics`, gradient flow unless given.

    `options` are those of `solver.solve`: times, accuracy, seed, observe, journal. Gradient descent also takes a `truncation`, see
    `descent.solve`.
    """
    dynamics = dynamics or GradientFlow()
    if truncation is not None and not dynamics.is_discrete:
        raise ValueError("the mean-field theory is truncated for gradient descent only")
    if not dynamics.is_discrete and horizon > problem.followed_until:
        raise ValueError(f"at this depth and weight decay gradient flow is followed up to t = {problem.followed_until:.4g}")
    if isinstance(dynamics, StochasticGradientFlow) and (why := problem.why_not_stochastic):
        raise ValueError(f"stochastic gradient flow: {why}")
    return dynamics.choose(
        flow=lambda _: solver.solve(problem, horizon, **options),
        descent=lambda steps: descent.solve(problem, horizon, steps, truncation=truncation, **options),
        stochastic=lambda noise: solver.solve(problem, horizon, temperature=noise.temperature, **options),
    )

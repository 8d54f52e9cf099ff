"""The Solution that a solve ends with: curves with their standard errors, quantiles, kernels, and what there is to say of it."""

import numpy as np

from dlnflow.dmft import sampling
from dlnflow.dmft.constants import COVERAGE, FLOOR, SCRAMBLES
from dlnflow.dmft.errors import Curves, Errors, Scale
from dlnflow.dmft.observables import conditionals
from dlnflow.dmft.outcome import Unsettled
from dlnflow.dmft.stages import Accepted
from dlnflow.dmft.state import State
from dlnflow.dmft.task import Task, quantile_paths
from dlnflow.solution import Array, Conditional, Solution, SolveError


def solution(task: Task, accepted: Accepted, horizon: float) -> Solution:
    """The result of a `task` that was to reach the `horizon`. Raises SolveError where the paths for the quantiles do not settle."""
    solved, errors, scale = accepted.checked.solved, accepted.checked.errors, accepted.mesh.pilot.scale
    state, split = solved.state, errors.largest()
    advice = _advice(split, task, horizon)
    diagnostics = {
        "outcome": "not_converged" if advice else "converged",
        "advice": advice,
        "accuracy": task.accuracy,
        "error": split,
        "absolute_floor": FLOOR,
        "nodes": state.nodes,
        "panels": state.panels,
        "rank": state.rank,
        "paths": solved.paths,
        "scrambles": SCRAMBLES,
    }
    kernel_time, kernels = _kernels(state)
    stderr = standard_errors(solved.curves, errors, scale)
    return Solution(task.times, solved.curves, stderr, _conditionals(task, state), diagnostics, kernel_time, kernels)


def standard_errors(curves: Curves, errors: Errors, scale: Scale) -> Curves:
    """Eq. (27): the standard error of every curve with the other two parts of its error, (T,) each."""
    parts = zip(errors.sampling.items(), errors.time_step.values(), errors.fixed_point.values(), strict=True)
    relative = {name: np.sqrt((sampled / COVERAGE) ** 2 + stepped**2 + fixed**2) for (name, sampled), stepped, fixed in parts}
    return {name: scale.of(name, value) * relative[name] for name, value in curves.items()}


def _conditionals(task: Task, state: State) -> tuple[Conditional, ...]:
    """Statistics of w given each atom or sign of w*, over paths of their own."""
    sample = sampling.draw(state.problem, quantile_paths(task.accuracy), state.rank, task.seed(4), apart=True)
    heights = np.empty((state.nodes, len(sample.target)))
    if isinstance(state.open_loop(sample, heights, tangents=False), Unsettled):
        raise SolveError("not_converged", "Paths for the quantiles do not settle. Try another seed.")
    return conditionals(state, task.times, sample, heights)


def _advice(split: dict[str, float], task: Task, horizon: float) -> str | None:
    """What to try where the solve did not converge."""
    short, rough = task.horizon < horizon, split["total"] > task.accuracy
    if not short and not rough:
        return None
    end = f"The curves end at t = {task.horizon:.3g}, beyond which the panels' iterations do not settle" if short else ""
    error = f"{'their' if short else 'The'} error is {split['total']:.2g}" if rough else ""
    return f"{'; '.join(filter(None, (end, error)))}. Ask for a larger accuracy or a shorter horizon."


def _kernels(state: State) -> tuple[Array, dict[str, Array]]:
    """The two-time functions on the panels' right edges, (K, K); R_r without its identity, R_w(t, t) = −E[k(t)]."""
    ends = np.arange(1, len(state.edges)) * state.order - 1
    problem, observed = state.problem, state.observed.whole()
    weight = np.exp((2 - problem.depth) * problem.weight_decay * state.time[ends])
    column = state.integrals[:, -1, -1] / weight
    slope = observed.slope[ends] * weight
    square = np.ix_(ends, ends)
    response = np.tril(state.response[square] / column, -1) - np.diag(slope)
    residual_response = np.tril(state.residual_response[square] / column, -1) - np.diag(slope) / problem.aspect_ratio
    return np.array(state.edges[1:]), {
        "correlation": state.errors[square],
        "response": response,
        "residual_correlation": (state.residual_covariance if state.temperature else state.residual_correlation)[square],
        "residual_response": residual_response,
    }

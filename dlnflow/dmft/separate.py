"""Separate solves on known panels, where corrections do not settle: their mean, and its errors."""

import numpy as np

from dlnflow.dmft import sampling
from dlnflow.dmft.constants import COVERAGE, FEWER, LEAST_SETTLED, ORDER, SCRAMBLES, SEPARATE_PATHS, TANGENT_MEMORY, THREADS
from dlnflow.dmft.errors import Curves, Errors, grained
from dlnflow.dmft.observables import values
from dlnflow.dmft.outcome import Unsettled, settled
from dlnflow.dmft.passes import causal_pass
from dlnflow.dmft.refine import most_settled
from dlnflow.dmft.state import State
from dlnflow.dmft.task import Pilot, Solved, Task
from dlnflow.dmft.timestep import with_another_node


def separate(task: Task, pilot: Pilot) -> tuple[Solved, Errors] | Unsettled:
    """The mean of the curves, with the mean field of one of the solves, and its errors.

    The fixed point of few paths is biased by about their inverse number, so that a quarter of the paths shows more than the bias.
    """
    nodes, scale = pilot.state.nodes, pilot.scale
    paths = int(2 ** np.floor(np.log2(np.clip(TANGENT_MEMORY / (2 * THREADS * nodes**2), *SEPARATE_PATHS))))
    solves = settled(_solves(task, pilot.state, size) for size in (paths // FEWER, paths))
    if isinstance(solves, Unsettled):
        return solves
    rough, each = solves
    curves, few = _curves(task, each), _curves(task, rough)
    mean, deviation = _mean(curves), {name: np.std(curves[name], axis=0, ddof=1) / len(each) ** 0.5 for name in curves}
    time_step = with_another_node(each[0], task, scale, task.tolerance)
    if isinstance(time_step, Unsettled):
        return time_step
    deviation = grained(deviation, len(each) * paths)
    sampled = {name: COVERAGE * scale.relative(name, deviation[name], mean[name]) for name in mean}
    errors = Errors(sampled, pilot.with_step(time_step), scale.difference(_mean(few), mean))
    return Solved(each[0], mean, paths), errors


def _solves(task: Task, like: State, paths: int) -> list[State] | Unsettled:
    """Solves on the panels of the state `like`, with independent samples of `paths` paths."""

    def solve(scramble: int) -> State | Unsettled:
        sample = sampling.draw(task.problem, paths, like.rank, task.seed(5, paths, scramble))
        state = causal_pass(like, sample, ORDER, task.tolerance, lambda t: None, alone=True)
        task.progress(like.edges[-1])
        return state

    return most_settled(solve, list(range(SCRAMBLES)), LEAST_SETTLED)


def _curves(task: Task, states: list[State]) -> dict[str, list[np.ndarray]]:
    """The curves of each, by name."""
    each = [values(state, task.times) for state in states]
    return {name: [one[name] for one in each] for name in each[0]}


def _mean(curves: dict[str, list[np.ndarray]]) -> Curves:
    return {name: np.mean(each, axis=0) for name, each in curves.items()}

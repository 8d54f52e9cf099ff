"""What the time step changes: two solutions on the same panels, with other numbers of nodes in each."""

import numpy as np

from dlnflow.dmft.constants import ORDER, WHITE_STEP
from dlnflow.dmft.errors import Curves, Scale
from dlnflow.dmft.observables import values
from dlnflow.dmft.outcome import Unsettled
from dlnflow.dmft.passes import causal_pass
from dlnflow.dmft.state import State
from dlnflow.dmft.task import Task
from dlnflow.solution import Array


def with_another_node(state: State, task: Task, scale: Scale, tolerance: float) -> Curves | Unsettled:
    """The relative change of the curves of `state` with one node more in each panel, eq. (25), (T,) each, iterated to this `tolerance`.

    Where that does not settle, with one node less: what this changes is more than the error.
    """
    other = causal_pass(state, state.sample, ORDER + 1, tolerance, task.progress)
    if isinstance(other, Unsettled):
        other = causal_pass(state, state.sample, ORDER - 1, tolerance, task.progress)
    return other if isinstance(other, Unsettled) else change_within_panels(state, other, task.times, scale)


def change_within_panels(one: State, other: State, times: Array, scale: Scale) -> Curves:
    """The largest relative difference of two solutions on the same panels, by curve, in the panel of each of the `times`, (T,) each.

    It is taken over these times and the nodes of `one`: at a single time two solutions may happen to agree.
    """
    times = np.append(times, one.time)
    panel = np.searchsorted(one.edges[1:-1], times)
    largest = {}
    for name, change in scale.difference(values(one, times), values(other, times)).items():
        by_panel = np.zeros(one.panels)
        np.maximum.at(by_panel, panel, change)
        largest[name] = by_panel[panel[: len(times) - one.nodes]] * (WHITE_STEP if one.temperature else 1.0)
    return largest

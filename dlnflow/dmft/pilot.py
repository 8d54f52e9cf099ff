"""A pilot: a pass over few paths that chooses panels, and what their time step changes on a small sample."""

from dataclasses import dataclass, replace

import numpy as np

from dlnflow.dmft.constants import LEFT_OUT_PART, MOST_UNSETTLED
from dlnflow.dmft.errors import Scale
from dlnflow.dmft.front import Front
from dlnflow.dmft.observables import values
from dlnflow.dmft.outcome import Unsettled
from dlnflow.dmft.passes import adaptive_pass
from dlnflow.dmft.refine import Refinement, refinement
from dlnflow.dmft.state import State
from dlnflow.dmft.task import Pilot, Task, small_paths


@dataclass(frozen=True)
class Tried:
    """Panels and the solution on their small sample; None where that does not settle."""

    pilot: Pilot
    refinement: Refinement | None


def tried(task: Task, pair: int, bound: float) -> Tried | Unsettled:
    """Panels whose roughness is below the `bound`, chosen on the sample of a `pair`. Unsettled where no panel length does."""

    def watch(front: Front) -> None:
        task.progress(front.edges[-1])
        known = task.times[task.times <= front.edges[-1]]
        task.progress.show(lambda: (known, values(front.state(), known)))

    sample = task.pilot_sample(pair)
    state = adaptive_pass(task.problem, sample, task.horizon, bound, task.tolerance, MOST_UNSETTLED[pair], watch, task.temperature)
    if isinstance(state, Unsettled):
        return state
    pilot = _until_still(task, state)
    small = refinement(task, pilot, small_paths(task.accuracy, pair))
    stepped = small if isinstance(small, Unsettled) else small.time_step()
    if isinstance(small, Unsettled) or isinstance(stepped, Unsettled):
        return Tried(pilot, None)
    return Tried(replace(pilot, stepped=stepped), small)


def _until_still(task: Task, state: State) -> Pilot:
    """The state without the panels at its end where nothing moves any more; what this changes in its curves is time-step error.

    A large sample would find only noise there, which long panels make much of.
    """
    asked = len(task.times)
    times = np.append(task.times, state.time)  # not those that were asked for alone: the kernels have their own
    everything = values(state, times)
    scale = Scale({name: float(np.abs(value).max()) for name, value in everything.items()})
    nothing = {name: np.zeros(asked) for name in everything}
    kept = Pilot(state, nothing, nothing, scale)
    for panels in range(state.panels - 1, 0, -1):
        head = state.head(panels)
        changes = scale.difference(values(head, times), everything)
        if max(change.max() for change in changes.values()) > LEFT_OUT_PART * task.accuracy:
            break
        kept = Pilot(head, {name: change[:asked] for name, change in changes.items()}, nothing, scale)
    return kept

"""The stages of a solve and what comes of them, as frozen data; `plan` says what follows.

Numbers stand beside what those need who perform a stage: states, samples, curves.
"""

from dataclasses import dataclass

import numpy as np

from dlnflow.checkpoint import Arrays
from dlnflow.dmft.constants import FIRST_ROUND_PATHS, MANY_PANELS, MOST_PATHS, MOST_WORK, ORDER, SCRAMBLES
from dlnflow.dmft.errors import Curves, Errors
from dlnflow.dmft.outcome import Unsettled
from dlnflow.dmft.refine import Corrected, Refinement
from dlnflow.dmft.state import State
from dlnflow.dmft.task import Pilot, Solved


@dataclass(frozen=True)
class Anew:
    """Where panels of a solve that was taken up lead to nothing, it begins anew: it may have had coarser ones."""


@dataclass(frozen=True)
class Mesh:
    """Panels in use: their number, the bound of their roughness, and the pair of samples that chose them.

    `fallback` is what stands where they lead to nothing: a result on coarser panels, a solve anew, or nothing.
    """

    pilot: Pilot
    panels: int
    bound: float
    pair: int
    fallback: "Accepted | Anew | None" = None

    @property
    def is_finest(self) -> bool:
        """Whether finer panels are not to be tried."""
        return self.panels >= MANY_PANELS

    @property
    def most_paths(self) -> int:
        """That a scramble of a round has on these panels: a path takes N³/6 multiplications for its tangents, and 3 N² more."""
        nodes = ORDER * self.panels
        work = SCRAMBLES * (nodes**3 / 6 + 3 * nodes**2)
        return int(2 ** np.floor(np.log2(np.clip(MOST_WORK / work, FIRST_ROUND_PATHS[0], MOST_PATHS))))


@dataclass(frozen=True)
class Checked:
    """A solution, and its errors."""

    solved: Solved
    errors: Errors


@dataclass(frozen=True)
class Accepted:
    """What a solve ends with on some panels, unless finer ones do better."""

    mesh: Mesh
    checked: Checked


# Outcomes


@dataclass(frozen=True)
class Panelled:
    """Panels, the solution on their small sample with its residual, and the largest time-step error there."""

    mesh: Mesh
    refinement: Refinement
    residual: float
    error: float


@dataclass(frozen=True)
class Bare:
    """Panels on whose small sample nothing settles."""

    mesh: Mesh


@dataclass(frozen=True)
class Prepared:
    """A small sample, and, of a solve that was taken up, the solution from which its round starts."""

    refinement: Refinement
    base: State | None = None


# Stages


@dataclass(frozen=True)
class Panels:
    """Try panels whose roughness is below `bound` on a `pair` of samples, after so many tries (`number`) there.

    The try before had the time-step error `before`; of all of them the best panels so far are `kept`, with the error `best`, or those last
    `bare`. On the next pair tries begin with the bound `good`, the last that made panels better. Panels may settle up to the time
    `reached`. `fallback` is that of the mesh to be found; a result on coarser panels calls for better ones.
    """

    bound: float
    good: float
    pair: int = 0
    number: int = 0
    before: float = np.inf
    best: float = np.inf
    kept: Panelled | None = None
    bare: Mesh | None = None
    reached: float = 0.0
    fallback: Accepted | None = None
    is_first: bool = True


@dataclass(frozen=True)
class TakenUp:
    """Where the rounds on a small sample stood when a solve was interrupted, see `Round`; `base` holds the arrays of a solution."""

    number: int
    paths: int
    time_step: Curves
    measured: bool
    base: Arrays | None


@dataclass(frozen=True)
class SmallSample:
    """Prepare a small sample of `size` paths."""

    mesh: Mesh
    size: int
    taken_up: TakenUp | None = None


@dataclass(frozen=True)
class Round:
    """Correct by scrambles of `paths` paths: the round of this `number` on a small sample of `size` paths.

    It starts from the solution `base`, or from that on the small sample alone; `last` is what stands of the rounds before, if this solve
    made any. The time-step error is `time_step`, by curve, of panels, or `measured` by the samples of a round.
    """

    mesh: Mesh
    refinement: Refinement
    size: int
    number: int
    paths: int
    time_step: Curves
    measured: bool = False
    base: State | None = None
    last: Checked | None = None


@dataclass(frozen=True)
class Check:
    """Take the correction of a round once more at the solution `solved`, the check of this `number`."""

    round: Round
    corrected: Corrected
    solved: Solved
    time_step: Curves
    number: int = 0


@dataclass(frozen=True)
class TimeStep:
    """Measure the time-step error by the samples of a round, after a check that left these errors."""

    check: Check
    checked: Checked


@dataclass(frozen=True)
class Separate:
    """Solve on several samples apart."""

    mesh: Mesh


@dataclass(frozen=True)
class Done:
    """The result."""

    accepted: Accepted


@dataclass(frozen=True)
class GiveUp:
    """There is no result up to the horizon, and why; up to which time there may be one."""

    unsettled: Unsettled


Stage = Panels | SmallSample | Round | Check | TimeStep | Separate | Done | GiveUp
Outcome = Panelled | Bare | Prepared | Corrected | Checked | Unsettled

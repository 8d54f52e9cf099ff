"""The panels of a solve: passes over few paths choose them until the time-step error on a small sample is small enough."""

from dataclasses import dataclass, replace

import numpy as np

from dlnflow.dmft import sampling
from dlnflow.dmft.checkpoint import Pilot
from dlnflow.dmft.errors import Scale
from dlnflow.dmft.observables import values
from dlnflow.dmft.panel import PanelFailure
from dlnflow.dmft.passes import MOST_MODES, MOST_PANELS, Unsettled, adaptive_pass
from dlnflow.dmft.progress import Progress
from dlnflow.dmft.refine import Refinement
from dlnflow.dmft.sampling import Sample
from dlnflow.dmft.state import State
from dlnflow.model import Problem
from dlnflow.solution import CURVES, Array

PATHS = (512, 2048)  # of the samples on which panels are tried
MOST_FAILURES = (8, 200)  # of panels' iterations on these; where many fail, panels stay short to the end
BASE_PATHS = (1024, 4096)  # of the small sample that is corrected; on fewer, turning modes by a little looks like noise
MANY_AT_ONE, MANY = 100.0, 8192  # paths of a scramble over accuracy, and at least, that are more than smooth averages need
BASE_AT_ONE = 2.0  # of its paths over accuracy, between these bounds
FIRST_ROUGHNESS = 0.5  # of panels, over the square root of accuracy
FINER = 0.2  # roughness, over that of panels whose time-step error alone is too large
MANY_PANELS = MOST_PANELS // 3  # of which finer ones are not tried
MOST_PILOTS = 5  # on one pair of samples
GAIN = 0.7  # finer panels that do not reduce the error to this share call for a larger sample
FAR = 0.1  # error on a sample above which a larger one is tried at once
ROUGH = 3.0  # times the tolerance, of the small sample's own solution, above which a larger one is tried
SHARE_OF_TIME_ERROR = 0.5
SHARE_OF_REST = 0.1  # of accuracy, that curves may move over panels which are left out
TOLERANCE = 1e-6  # of a panel's iteration, which stiff networks amplify a thousandfold; tangents in single precision leave 1e-7
SHARE = 0.2  # of the work that is left


@dataclass(frozen=True)
class Task:
    """What a solve is to do: the curves of `problem` at `times`, (T,), with the `accuracy`, from the seed `root`."""

    problem: Problem
    horizon: float
    times: Array
    accuracy: float
    root: np.random.SeedSequence
    progress: Progress

    def sample(self, paths: int) -> Sample:
        """That on which panels are tried."""
        return sampling.draw(self.problem, paths, MOST_MODES, np.random.SeedSequence(entropy=self.root.entropy, spawn_key=(0,)))

    def refinement(self, pilot: Pilot, size: int) -> Refinement:
        """The small sample of `size` paths on the panels of the pilot. Raises PanelFailure."""
        many = 0.0 if size > _base_paths(self.accuracy)[0] else max(MANY_AT_ONE / self.accuracy, MANY)
        return Refinement(pilot.state, self.times, pilot.scale, size, many, TOLERANCE, self.root, self.progress)


def choose(task: Task, coarser: Pilot | None = None) -> tuple[Pilot, Refinement | None]:
    """Panels whose time-step error on a small sample is a share of the accuracy, and the solution on that sample where it settles.

    A second, larger pair of samples is tried where panels of the first do not settle or do not get better, and at once for better panels
    than those of the pilot `coarser`: finer ones, but first as rough ones where that is of the first pair. Raises Unsettled where no
    panel length makes the iteration settle, or where better ones do not.
    """
    grid, accuracy, progress = task.times, task.accuracy, task.progress
    samples = list(zip(PATHS, MOST_FAILURES, _base_paths(accuracy), strict=True))
    wanted = FIRST_ROUGHNESS * accuracy**0.5
    if coarser:
        few = len(coarser.state.sample.target) < PATHS[-1]
        samples, wanted = samples[1:], coarser.roughness * (1 if few else FINER)
    progress.stage(progress.reached, progress.reached + SHARE * (1 - progress.reached), MOST_PANELS)

    def watch(state: State) -> None:
        progress(state.edges[-1])
        known = grid[grid <= state.edges[-1]]
        progress.show(lambda: (known, values(state, known)))

    best, found, pilot, reached = np.inf, None, None, 0.0
    for paths, most_failures, size in samples:
        sample = task.sample(paths)
        before, roughness = np.inf, wanted
        for _ in range(MOST_PILOTS):
            try:
                state = adaptive_pass(task.problem, sample, task.horizon, roughness, TOLERANCE, most_failures, watch)
                pilot = replace(_until_still(state, grid, accuracy), roughness=roughness)
                refinement = task.refinement(pilot, size)
                pilot = replace(pilot, stepped=refinement.time_step())
            except PanelFailure:
                break
            except Unsettled as failure:
                reached = max(reached, failure.reached)
                break
            worst = max(float(pilot.time_step[name].max()) for name in CURVES)
            rough = refinement.base.residual > ROUGH * TOLERANCE
            if worst < best or found is None:
                best, found = worst, (pilot, refinement)
            larger = paths < PATHS[-1]
            if rough and larger:
                best = np.inf
                break
            if best < SHARE_OF_TIME_ERROR * accuracy:
                return pilot, refinement
            if (larger and worst > min(FAR, GAIN * before)) or is_finest(pilot):
                break
            before, wanted = worst, roughness
            roughness *= max(0.4, 0.8 * (SHARE_OF_TIME_ERROR * accuracy / worst) ** 0.8)
    if found:
        return found
    if pilot is None or coarser:
        advice = "Try another seed, a larger accuracy or a shorter horizon."
        raise Unsettled(f"The panels' iterations do not settle beyond t = {reached:.3g}. {advice}", reached)
    return pilot, None


def is_finest(pilot: Pilot) -> bool:
    """Whether finer panels than those of the pilot are not to be tried."""
    return len(pilot.state.edges) > MANY_PANELS


def _base_paths(accuracy: float) -> tuple[int, int]:
    """The sizes of the small sample that belong to PATHS."""
    return 2 ** round(np.log2(np.clip(BASE_AT_ONE / accuracy, *BASE_PATHS))), BASE_PATHS[-1]


def _until_still(state: State, grid: Array, accuracy: float) -> Pilot:
    """The state without the panels at its end where nothing moves any more; what this changes in its curves is time-step error.

    A large sample would find only noise there, which long panels make much of.
    """
    times = np.append(grid, state.time)  # not those that were asked for alone: the kernels have their own
    everything = values(state, times)
    scale = Scale({name: float(np.abs(value).max()) for name, value in everything.items()})
    nothing = {name: np.zeros(len(grid)) for name in everything}
    kept = Pilot(state, nothing, nothing, scale)
    for panels in range(len(state.edges) - 2, 0, -1):
        head = state.head(panels)
        change = scale.difference(values(head, times), everything)
        if max(moved.max() for moved in change.values()) > SHARE_OF_REST * accuracy:
            break
        kept = Pilot(head, {name: moved[: len(grid)] for name, moved in change.items()}, nothing, scale)
    return kept

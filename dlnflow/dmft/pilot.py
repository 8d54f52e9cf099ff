"""The panels of a solve: passes over few paths choose them until the time-step error on a small sample is small enough."""

from dataclasses import dataclass, replace

import numpy as np

from dlnflow.dmft import sampling
from dlnflow.dmft.checkpoint import Pilot
from dlnflow.dmft.constants import (
    FAR,
    FINER,
    FINER_POWER,
    FINER_SAFETY,
    FIRST_ROUGHNESS,
    GAIN,
    LEAST_FINER,
    LEFT_OUT_PART,
    MANY,
    MANY_AT_ONE,
    MANY_PANELS,
    MOST_MODES,
    MOST_PANELS,
    MOST_PILOTS,
    MOST_UNSETTLED,
    PILOT_PATHS,
    PILOT_SHARE,
    ROUGH,
    SMALL_AT_ONE,
    SMALL_PATHS,
    TIME_STEP_PART,
    TOLERANCE,
)
from dlnflow.dmft.errors import Scale
from dlnflow.dmft.observables import values
from dlnflow.dmft.panel import PanelFailure
from dlnflow.dmft.passes import Unsettled, adaptive_pass
from dlnflow.dmft.progress import Progress
from dlnflow.dmft.refine import Refinement
from dlnflow.dmft.sampling import Sample
from dlnflow.dmft.state import State
from dlnflow.model import Problem
from dlnflow.solution import CURVES, Array


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
    samples = list(zip(PILOT_PATHS, MOST_UNSETTLED, _base_paths(accuracy), strict=True))
    wanted = FIRST_ROUGHNESS * accuracy**0.5
    if coarser:
        few = len(coarser.state.sample.target) < PILOT_PATHS[-1]
        samples, wanted = samples[1:], coarser.roughness * (1 if few else FINER)
    progress.stage(progress.reached, progress.reached + PILOT_SHARE * (1 - progress.reached), MOST_PANELS)

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
            larger = paths < PILOT_PATHS[-1]
            if rough and larger:
                best = np.inf
                break
            if best < TIME_STEP_PART * accuracy:
                return pilot, refinement
            if (larger and worst > min(FAR, GAIN * before)) or is_finest(pilot):
                break
            before, wanted = worst, roughness
            roughness *= max(LEAST_FINER, FINER_SAFETY * (TIME_STEP_PART * accuracy / worst) ** FINER_POWER)
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
    """The sizes of the small sample that belong to PILOT_PATHS."""
    return 2 ** round(np.log2(np.clip(SMALL_AT_ONE / accuracy, *SMALL_PATHS))), SMALL_PATHS[-1]


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
        if max(moved.max() for moved in change.values()) > LEFT_OUT_PART * accuracy:
            break
        kept = Pilot(head, {name: moved[: len(grid)] for name, moved in change.items()}, nothing, scale)
    return kept

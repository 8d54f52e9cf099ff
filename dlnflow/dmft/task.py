"""What a solve is to do, the panels that it stands on, and what it ends with."""

from dataclasses import dataclass

import numpy as np

from dlnflow.dmft import sampling
from dlnflow.dmft.constants import (
    FIRST_ON_LARGEST,
    FIRST_ROUND_PATHS,
    LARGEST_SMALL,
    MORE_WHERE_ROUGH,
    MOST_MODES,
    MOST_PANELS,
    PATHS_AT_ONE,
    PILOT_PATHS,
    QUANTILE_PATHS,
    QUANTILES_AT_ONE,
    ROUNDED_DOWN,
    SMALL_AT_ONE,
    SMALL_PATHS,
    TOLERANCE_AT_ONE,
    TOLERANCES,
    WHITE_COLUMNS,
)
from dlnflow.dmft.errors import Curves, Scale
from dlnflow.dmft.progress import Progress
from dlnflow.dmft.sampling import Sample
from dlnflow.dmft.state import State
from dlnflow.model import Problem
from dlnflow.solution import Array


@dataclass(frozen=True)
class Task:
    """The curves of `problem` at `times`, (T,), up to `horizon`, with the `accuracy`, from the seed `root`.

    The flow is that of the whole gradient, or at a `temperature` above 0 a stochastic one.
    """

    problem: Problem
    horizon: float
    times: Array
    accuracy: float
    root: np.random.SeedSequence
    progress: Progress
    temperature: float = 0.0

    def seed(self, *key: int) -> np.random.SeedSequence:
        """That of one of its samples."""
        return np.random.SeedSequence(entropy=self.root.entropy, spawn_key=(*self.root.spawn_key, *key))

    @property
    def tolerance(self) -> float:
        """The relative change at which a panel's iteration ends."""
        return tolerance(self.accuracy)

    def pilot_sample(self, pair: int) -> Sample:
        """That on which panels are tried, of a pair of samples."""
        modes = MOST_MODES + (MOST_PANELS * WHITE_COLUMNS if self.temperature else 0)
        return sampling.draw(self.problem, PILOT_PATHS[pair], modes, self.seed(0))


@dataclass(frozen=True)
class Pilot:
    """The pass that chose the panels, and what errors are relative to.

    By curve, (T,) each: `left_out` is what panels at the end change that are left out, `stepped` what another node in each changes.
    """

    state: State
    left_out: Curves
    stepped: Curves
    scale: Scale

    @property
    def time_step(self) -> Curves:
        """The time-step error by curve, eq. (25)."""
        return self.with_step(self.stepped)

    def with_step(self, stepped: Curves) -> Curves:
        """The same where another node changes the curves by `stepped`."""
        return {name: error + stepped[name] for name, error in self.left_out.items()}


@dataclass(frozen=True)
class Solved:
    """A mean field, its curves (T,) by name, and the paths of each of the scrambles that made it."""

    state: State
    curves: Curves
    paths: int


def tolerance(accuracy: float) -> float:
    """The relative change at which a panel's iteration ends."""
    return float(np.clip(TOLERANCE_AT_ONE * accuracy, *TOLERANCES))


def small_paths(accuracy: float, pair: int) -> int:
    """The size of the small sample that belongs to a pair of samples."""
    return (_power_of_two(SMALL_AT_ONE / accuracy, SMALL_PATHS), SMALL_PATHS[-1], LARGEST_SMALL)[pair]


def first_round_paths(accuracy: float, size: int) -> int:
    """The paths of a scramble of the first round on a small sample of this size.

    More where that is large: late panels settle only where the noise of the averages does not upset them.
    """
    if size == LARGEST_SMALL:
        return FIRST_ON_LARGEST
    more = MORE_WHERE_ROUGH if size == SMALL_PATHS[-1] else 1
    return int(2 ** round(np.log2(np.clip(more * PATHS_AT_ONE / accuracy, *FIRST_ROUND_PATHS)) - ROUNDED_DOWN))


def quantile_paths(accuracy: float) -> int:
    """The size of the sample for the quantiles of w."""
    return _power_of_two(QUANTILES_AT_ONE / accuracy, QUANTILE_PATHS)


def _power_of_two(paths: float, bounds: tuple[int, int]) -> int:
    return int(2 ** round(np.log2(np.clip(paths, *bounds))))

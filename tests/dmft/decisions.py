"""Stages of a solve and what comes of them for the tests of what follows. Payloads are stand-ins: numbers decide."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from dlnflow.dmft.constants import (
    FIRST_ON_LARGEST,
    LARGEST_SMALL,
    LAST_PAIR,
    ROUGH,
    SMALL_PATHS,
)
from dlnflow.dmft.errors import Errors
from dlnflow.dmft.outcome import Unsettled
from dlnflow.dmft.plan import first
from dlnflow.dmft.refine import Corrected
from dlnflow.dmft.stages import (
    Accepted,
    Check,
    Checked,
    Done,
    GiveUp,
    Mesh,
    Panelled,
    Panels,
    Round,
    Separate,
    SmallSample,
)
from dlnflow.dmft.task import tolerance
from dlnflow.solution import CURVES

ACCURACY = 0.01
BOUND = first(ACCURACY).bound
(SMALL, LARGE), LARGEST = SMALL_PATHS, LARGEST_SMALL
LAST, FIRST_OF_ALL = LAST_PAIR, FIRST_ON_LARGEST
SO_FAR, OF_PILOT = ({name: np.zeros(1) for name in CURVES} for _ in range(2))
PILOT = SimpleNamespace(time_step=OF_PILOT)
NO = Unsettled("no fixed point")
SETTLED, ROUGH_RESIDUAL = 0.5 * tolerance(ACCURACY), 2 * ROUGH * tolerance(ACCURACY)


def mesh(panels=10, bound=0.1, pair=0, fallback=None):
    return Mesh(PILOT, panels, bound, pair, fallback)


def refinement(size=SMALL):
    return SimpleNamespace(size=size)


def panelled(error, residual=SETTLED, size=SMALL, **changes):
    return Panelled(mesh(**changes), refinement(size), residual, error)


def checked(sampling=0.0, time_step=0.0, fixed_point=0.0):
    """A solution with these largest errors, in hundredths of the accuracy."""
    parts = ({name: np.array([0.01 * ACCURACY * part]) for name in CURVES} for part in (sampling, time_step, fixed_point))
    return Checked(SimpleNamespace(state=object(), paths=1024), Errors(*parts))


def corrected(sampling=0.0, moved=0.0):
    """A round of this sampling error that moved the curves so far, in hundredths of the accuracy; a tenth of that is left."""
    parts = ({name: np.array([0.01 * ACCURACY * part]) for name in CURVES} for part in (sampling, moved, 0.1 * moved))
    return Corrected(SimpleNamespace(state=object(), paths=1024), next(parts), object(), *parts)


GOOD, BETTER, WORSE = panelled(0.001), panelled(0.02, panels=12), panelled(0.03, panels=14)
COARSE = Accepted(mesh(), checked(time_step=120))
REFINEMENT = {size: refinement(size) for size in (SMALL, LARGE, LARGEST)}
FIRST = Panels(0.1, 0.1)
LATER = replace(FIRST, bound=0.02, good=0.05, number=2, before=0.05, best=0.02, kept=BETTER, is_first=False)
MOST = mesh().most_paths


def round_(size=SMALL, number=0, paths=2048, last=None, measured=False, **changes):
    pair = LAST if size == LARGEST else 0
    return Round(mesh(**{"pair": pair} | changes), REFINEMENT[size], size, number, paths, SO_FAR, measured, None, last)


def check(number=0, **changes):
    return Check(round_(**changes), object(), object(), SO_FAR, number)


def said(stage):
    """What is decided, in short."""
    match stage:
        case Panels():
            return "panels", stage.pair, stage.number, stage.good
        case Round():
            return "round", stage.size, stage.number, stage.paths
        case Check():
            return "check", stage.number
        case SmallSample():
            return "small sample", stage.size
        case Separate():
            return ("separate",)
        case Done(accepted):
            return "done", accepted
        case GiveUp(unsettled):
            return "give up", unsettled.reached

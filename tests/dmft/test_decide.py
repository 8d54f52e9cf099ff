"""What follows from panels, small samples and ends of a solve: a table of stages, their outcomes and the next stage."""

from dataclasses import replace

import numpy as np
import pytest

from dlnflow.dmft import plan
from dlnflow.dmft.constants import (
    FAR,
    FIRST_ROUND_PATHS,
    GAIN,
    MANY_PANELS,
    MOST_PILOTS,
    NEARLY,
    SMOOTHER_PAIR,
)
from dlnflow.dmft.plan import decide
from dlnflow.dmft.stages import (
    Anew,
    Bare,
    Done,
    GiveUp,
    Panelled,
    Panels,
    Prepared,
    Round,
    Separate,
    SmallSample,
    TakenUp,
    TimeStep,
)
from tests.dmft.decisions import (
    ACCURACY,
    BETTER,
    COARSE,
    FIRST,
    FIRST_OF_ALL,
    GOOD,
    LARGE,
    LARGEST,
    LAST,
    LATER,
    NO,
    PILOT,
    REFINEMENT,
    ROUGH_RESIDUAL,
    SMALL,
    SO_FAR,
    WORSE,
    checked,
    corrected,
    mesh,
    panelled,
    refinement,
    said,
)

STUCK = replace(LATER, before=1.5 * ACCURACY)
SEARCH = {
    "panels are good enough: correct their small sample": (FIRST, GOOD, ("round", GOOD, SMALL, 2048)),
    "panels are not: finer ones": (FIRST, BETTER, ("panels", 0, 1, FIRST.good)),
    "far from good enough: more paths": (FIRST, panelled(1.1 * FAR), ("panels", LAST, 0, 0.1)),
    "finer ones are not better: more paths, from the last that were": (LATER, panelled(1.1 * GAIN * 0.05), ("panels", LAST, 0, 0.05)),
    "nor these, nearly good enough: the middle pair": (STUCK, panelled(0.9 * NEARLY * ACCURACY), ("panels", SMOOTHER_PAIR, 0, 0.05)),
    "nor these, not nearly: the largest": (STUCK, panelled(1.1 * NEARLY * ACCURACY), ("panels", LAST, 0, 0.05)),
    "nor on the middle pair: the largest": (replace(STUCK, pair=SMOOTHER_PAIR), panelled(0.018), ("panels", LAST, 0, 0.05)),
    "finer ones are better: still finer": (LATER, panelled(0.9 * GAIN * 0.05), ("panels", 0, 3, 0.02)),
    "the last try on a pair: more paths": (replace(LATER, number=MOST_PILOTS - 1), panelled(0.03), ("panels", LAST, 0, 0.02)),
    "on most paths not better: finer ones all the same": (replace(LATER, pair=LAST), WORSE, ("panels", LAST, 3, 0.02)),
    "on most paths the last try: the best of all": (
        replace(LATER, pair=LAST, number=MOST_PILOTS - 1),
        WORSE,
        ("round", BETTER, SMALL, 2048),
    ),
    "so many panels that finer ones would not fit": (
        replace(LATER, pair=LAST),
        panelled(0.03, panels=MANY_PANELS),
        ("round", BETTER, SMALL, 2048),
    ),
    "the small sample is rough: more paths": (FIRST, panelled(0.001, ROUGH_RESIDUAL), ("panels", 1, 0, 0.1)),
    "the largest one may be": (replace(FIRST, pair=LAST), panelled(0.001, ROUGH_RESIDUAL), ("round", None, SMALL, 2048)),
    "the largest small sample: more paths in its first round": (
        FIRST,
        panelled(0.001, size=LARGEST),
        ("round", None, LARGEST, FIRST_OF_ALL),
    ),
    "on most paths the accuracy itself will do": (
        replace(FIRST, pair=LAST),
        panelled(0.009, size=LARGEST),
        ("round", None, LARGEST, FIRST_OF_ALL),
    ),
    "but not on few": (FIRST, panelled(0.009), ("panels", 0, 1, FIRST.good)),
    "panels do not settle: more paths": (FIRST, NO, ("panels", LAST, 0, 0.1)),
    "nor on these: the best of before": (replace(LATER, pair=LAST), NO, ("round", BETTER, SMALL, 2048)),
    "no small sample settles: separate solves": (replace(FIRST, pair=LAST), Bare(mesh()), ("separate",)),
    "nor do panels on most paths: separate solves": (replace(FIRST, pair=LAST, bare=mesh()), NO, ("separate",)),
    "nothing settles": (replace(FIRST, pair=LAST, reached=3.0), replace(NO, reached=2.0), ("give up", 3.0)),
    "no finer panels settle: the coarser ones": (replace(FIRST, pair=LAST, fallback=COARSE), NO, ("done", COARSE)),
    "nor their small sample": (replace(FIRST, pair=LAST, fallback=COARSE), Bare(mesh()), ("done", COARSE)),
}


@pytest.mark.parametrize(("stage", "outcome", "expected"), SEARCH.values(), ids=SEARCH)
def test_search_for_panels(stage, outcome, expected):
    after = decide(stage, outcome, ACCURACY)
    if expected[0] == "round":
        _, on, size, paths = expected
        on = on or outcome
        assert (after.mesh, after.refinement, after.time_step) == (on.mesh, on.refinement, PILOT.time_step)
        expected = "round", size, 0, paths
    assert said(after) == expected


def test_best_panels_are_kept():
    assert decide(LATER, WORSE, ACCURACY).kept is BETTER
    assert decide(LATER, panelled(0.015), ACCURACY).best == 0.015
    unsure = decide(FIRST, panelled(0.001, ROUGH_RESIDUAL), ACCURACY)
    assert unsure.kept and unsure.best == np.inf  # whatever the larger sample finds is better
    assert decide(unsure, WORSE, ACCURACY).kept is WORSE
    assert decide(replace(unsure, pair=LAST), NO, ACCURACY).refinement is unsure.kept.refinement
    assert decide(FIRST, replace(NO, reached=2.0), ACCURACY).reached == 2.0
    assert decide(FIRST, Bare(mesh(panels=5)), ACCURACY).bare.panels == 5


def test_bounds_of_finer_panels():
    assert decide(FIRST, panelled(0.09), ACCURACY).bound == pytest.approx(0.4 * 0.1)
    assert decide(FIRST, panelled(0.006), ACCURACY).bound == pytest.approx(0.8 * (0.005 / 0.006) ** 0.8 * 0.1)


def test_small_samples():
    taken_up = TakenUp(2, 8192, "time step", True, None)
    assert decide(SmallSample(mesh(), SMALL), NO, ACCURACY) == Separate(mesh())
    first = decide(SmallSample(mesh(), LARGEST), Prepared(REFINEMENT[LARGEST]), ACCURACY)
    assert first == Round(mesh(), REFINEMENT[LARGEST], LARGEST, 0, FIRST_OF_ALL, PILOT.time_step)
    again = decide(SmallSample(mesh(), SMALL, taken_up), Prepared(REFINEMENT[SMALL], "base"), ACCURACY)
    assert again == Round(mesh(), REFINEMENT[SMALL], SMALL, 2, 8192, "time step", True, "base")


@pytest.mark.parametrize(("fallback", "expected"), [(None, GiveUp(NO)), (Anew(), plan.first(ACCURACY)), (COARSE, Done(COARSE))])
def test_separate_solves_that_do_not_settle(fallback, expected):
    assert decide(Separate(mesh(fallback=fallback)), NO, ACCURACY) == expected


def test_an_end_has_no_outcome():
    with pytest.raises(AssertionError):
        decide(Done(COARSE), NO, ACCURACY)


def drawn(stage, rng):
    """An outcome of a stage by chance."""
    if rng.random() < 0.3 and not isinstance(stage, TimeStep):
        return replace(NO, reached=rng.random())
    match stage:
        case Panels():
            made = mesh(int(np.clip(4 * stage.bound**-0.5, 5, 100)), stage.bound, stage.pair, stage.fallback)
            if rng.random() < 0.2:
                return Bare(made)
            return Panelled(made, refinement((SMALL, LARGE, LARGEST)[stage.pair]), 10 ** rng.uniform(-7, -5), 10 ** rng.uniform(-4, 0))
        case SmallSample():
            return Prepared(refinement(stage.size))
        case Round():
            return corrected(*10 ** rng.uniform(0, 3, 2))
        case _:
            return checked(*10 ** rng.uniform(0, 3, 3))


@pytest.mark.parametrize("taken_up", [False, True])
def test_whatever_comes_of_stages_there_is_an_end(taken_up):
    """And every kind of end is met."""
    lengths, ends = [], set()
    for seed in range(500):
        rng, stage, count = np.random.default_rng(seed), plan.first(ACCURACY), 0
        if taken_up:
            stage = SmallSample(mesh(fallback=Anew()), SMALL, TakenUp(1, FIRST_ROUND_PATHS[0], SO_FAR, False, None))
        while not isinstance(stage, Done | GiveUp):
            stage, count = decide(stage, drawn(stage, rng), ACCURACY), count + 1
            assert count < 100
        lengths.append(count)
        ends.add(type(stage))
    assert ends == {Done, GiveUp}
    assert max(lengths) > 12

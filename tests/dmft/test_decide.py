"""What follows from what in a solve: a table of stages, their outcomes and the next stage. Payloads are stand-ins: numbers decide."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from dlnflow.dmft import plan
from dlnflow.dmft.constants import (
    FAR,
    FINER,
    FIRST_ON_LARGEST,
    FIRST_ROUND_PATHS,
    GAIN,
    IN_VAIN,
    LARGEST_SMALL,
    LAST_PAIR,
    LAST_TIMES,
    MANY_PANELS,
    MORE_WHERE_ROUGH,
    MOST_CHECKS,
    MOST_PILOTS,
    MOST_ROUNDS,
    ROUGH,
    SMALL_PATHS,
)
from dlnflow.dmft.errors import Errors
from dlnflow.dmft.outcome import Unsettled
from dlnflow.dmft.plan import decide, first
from dlnflow.dmft.refine import Corrected
from dlnflow.dmft.stages import (
    Accepted,
    Anew,
    Bare,
    Check,
    Checked,
    Done,
    GiveUp,
    Mesh,
    Panelled,
    Panels,
    Prepared,
    Round,
    Separate,
    SmallSample,
    TakenUp,
    TimeStep,
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


def round_(size=SMALL, number=0, paths=2048, last=None, **changes):
    pair = LAST if size == LARGEST else 0
    return Round(mesh(**{"pair": pair} | changes), REFINEMENT[size], size, number, paths, SO_FAR, None, last)


def check(number=0, measured=False, **changes):
    return Check(round_(**changes), object(), object(), SO_FAR, number, measured)


SEARCH = {
    "panels are good enough: correct their small sample": (FIRST, GOOD, ("round", GOOD, SMALL, 2048)),
    "panels are not: finer ones": (FIRST, BETTER, ("panels", 0, 1, FIRST.good)),
    "far from good enough: more paths": (FIRST, panelled(1.1 * FAR), ("panels", LAST, 0, 0.1)),
    "finer ones are not better: more paths, from the last that were": (LATER, panelled(1.1 * GAIN * 0.05), ("panels", LAST, 0, 0.05)),
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


UNSETTLED_ROUNDS = {
    "the first on a small sample: panels of the larger pair": (round_(), ("panels", LAST, 0, BOUND)),
    "the first on the largest one: more paths": (round_(LARGEST), ("round", LARGEST, 0, MORE_WHERE_ROUGH * 2048)),
    "but not more than there are": (round_(LARGEST, paths=MOST // 2), ("round", LARGEST, 0, MOST)),
    "and with most of them: separate solves": (round_(LARGEST, paths=MOST), ("separate",)),
    "a later one: more paths": (round_(number=1, last=checked(fixed_point=50)), ("round", SMALL, 1, MORE_WHERE_ROUGH * 2048)),
    "a later one with most paths: the round before": (round_(number=2, paths=MOST, last=checked(150, 0, 50)), ("done",)),
    "but not one whose fixed point is off": (round_(number=1, paths=MOST, last=checked(0, 0, 150)), ("panels", LAST, 0, BOUND)),
    "unless there is no larger sample": (round_(LARGEST, 1, MOST, checked(0, 0, 150)), ("done",)),
    "one that was taken up: from the first on": (round_(number=2, paths=MOST), ("round", SMALL, 0, 2048)),
    "the same on the largest sample": (round_(LARGEST, 2, MOST), ("round", LARGEST, 0, FIRST_OF_ALL)),
}


@pytest.mark.parametrize("of", ["round", "check"])
@pytest.mark.parametrize(("stage", "expected"), UNSETTLED_ROUNDS.values(), ids=UNSETTLED_ROUNDS)
def test_rounds_that_do_not_settle(stage, expected, of):
    after = decide(stage if of == "round" else Check(stage, object(), object(), SO_FAR), NO, ACCURACY)
    if expected == ("done",):
        expected = "done", Accepted(stage.mesh, stage.last)
    assert said(after) == expected
    if isinstance(after, Panels):  # where new panels lead to nothing, these may be solved apart
        assert after.bare == stage.mesh
    if isinstance(after, Round):  # from the solution on the small sample alone, and with what is known so far
        assert after.base is None
        assert (after.last, after.time_step) == ((stage.last, SO_FAR) if after.number == stage.number else (None, PILOT.time_step))


CHECKS = {
    "accurate: done": (check(), checked(40, 30, 20), "accepted"),
    "the time step alone is too large: measured": (check(), checked(40, 90, 20), "time step"),
    "which is done once": (check(measured=True), checked(40, 90, 20), "another round"),
    "the fixed point alone: another check": (check(), checked(50, 10, 55), "check"),
    "up to the last": (check(MOST_CHECKS - 1), checked(50, 10, 55), "another round"),
    "sampling: another round": (check(), checked(150, 30, 20), "another round"),
}


@pytest.mark.parametrize(("stage", "outcome", "expected"), CHECKS.values(), ids=CHECKS)
def test_checks(stage, outcome, expected):
    after = decide(stage, outcome, ACCURACY)
    match expected:
        case "accepted":
            assert after == Done(Accepted(stage.round.mesh, outcome))
        case "time step":
            assert after == TimeStep(stage, outcome)
        case "check":
            assert after == replace(stage, number=1, solved=outcome.solved, time_step=outcome.errors.time_step)
        case "another round":
            assert said(after)[:3] == ("round", SMALL, 1)
            assert (after.base, after.last, after.time_step) == (outcome.solved.state, outcome, outcome.errors.time_step)


def test_a_measured_time_step_is_taken():
    stage, before = check(), checked(40, 90, 20)
    assert decide(TimeStep(stage, before), checked(40, 10, 20), ACCURACY) == Done(Accepted(stage.round.mesh, ANY))
    after = decide(TimeStep(stage, before), checked(40, 30, 50), ACCURACY)
    assert after.measured and after.number == 1


def test_a_round_is_checked_unless_all_that_it_moved_would_do():
    stage = round_(number=1, last=checked(200, 0, 0))
    few, far = corrected(15, 30), corrected(15, 40)
    done = decide(stage, few, ACCURACY)
    assert done == Done(Accepted(stage.mesh, Checked(few.solved, Errors(few.sampling, SO_FAR, few.fixed_point))))
    assert decide(stage, far, ACCURACY) == Check(stage, far, far.solved, SO_FAR)
    late = replace(stage, time_step={name: np.array([0.1 * ACCURACY]) for name in CURVES})
    assert isinstance(decide(late, few, ACCURACY), Check)


class Any:
    def __eq__(self, other):
        return True


ANY = Any()


def after_round(outcome, size=SMALL, number=0, paths=2048, **changes):
    """What follows where checks are over."""
    stage = Check(round_(size, number, paths, **changes), object(), object(), SO_FAR, MOST_CHECKS - 1, True)
    return decide(stage, outcome, ACCURACY)


def test_later_rounds_that_leave_the_fixed_point_alone_call_for_the_larger_pair():
    after = after_round(checked(40, 0, 120), number=1)
    assert said(after) == ("panels", LAST, 0, BOUND)
    assert isinstance(after.fallback, Accepted)  # what the rounds came to stands unless new panels do better
    assert said(after_round(checked(40, 0, 120), number=0))[0] == "round"
    assert said(after_round(checked(40, 0, 120), LARGEST, 1))[0] == "round"


def test_a_round_of_more_paths_that_is_no_better_calls_for_the_larger_pair_or_ends_the_solve():
    before, vain = checked(150, 0, 10), checked(160, 0, 10)
    assert before.solved.paths * IN_VAIN == 4096
    assert said(after_round(vain, number=1, paths=4096, last=before)) == ("panels", LAST, 0, BOUND)
    assert isinstance(after_round(vain, LARGEST, 1, 4096, last=before), Done)
    assert said(after_round(vain, LARGEST, 1, 2048, last=before))[0] == "round"  # too few more to tell
    assert said(after_round(checked(140, 0, 10), LARGEST, 1, 4096, last=before))[0] == "round"


@pytest.mark.parametrize(("sampling", "more"), [(50, 2), (100, 2), (200, 4), (400, 8)])
def test_paths_of_the_next_round(sampling, more):
    """1.2 powers of two for each of the excess over nine tenths of the accuracy, and 0.3 for safety; a power of two."""
    assert more / 2 < max(sampling / 90, 1) ** 1.2 * 2**0.3 <= more
    assert said(after_round(checked(sampling, 0, 60))) == ("round", SMALL, 1, more * 2048)


def test_most_paths():
    """A last round may take more than these, where that may suffice."""
    assert isinstance(after_round(checked(250, 0, 10), paths=MOST), Done)
    assert MOST < said(after_round(checked(150, 0, 10), paths=MOST))[3] <= LAST_TIMES * MOST
    assert isinstance(after_round(checked(150, 0, 10), paths=LAST_TIMES * MOST), Done)
    assert said(after_round(checked(900, 0, 10), paths=MOST // 2))[3] == MOST
    assert isinstance(after_round(checked(150, 0, 10), number=MOST_ROUNDS - 1), Done)


@pytest.mark.parametrize(("pair", "share"), [(0, 1.0), (LAST, FINER)])
def test_finer_panels_where_the_time_step_alone_is_too_large(pair, share):
    """Panels that few paths chose are chosen on more of them first, as rough ones."""
    outcome = checked(40, 120, 20)
    after = after_round(outcome, pair=pair)
    assert said(after) == ("panels", LAST, 0, pytest.approx(0.1 * share))
    assert after.fallback == Accepted(mesh(pair=pair), outcome)
    assert said(decide(Separate(mesh(pair=pair)), outcome, ACCURACY)) == ("panels", LAST, 0, pytest.approx(0.1 * share))
    assert isinstance(after_round(outcome, pair=pair, panels=MANY_PANELS), Done)


def test_more_paths_where_it_is_not_the_time_step_alone():
    assert said(after_round(checked(120, 120, 10)))[0] == "round"
    assert said(after_round(checked(40, 120, 40)))[0] == "round"  # the fixed point is not settled yet
    assert isinstance(after_round(checked(90, 120, 20), LARGEST, panels=MANY_PANELS), Round)
    assert isinstance(after_round(checked(40, 120, 20), LARGEST, panels=MANY_PANELS), Done)


def test_small_samples():
    taken_up = TakenUp(2, 8192, "measured", None)
    assert decide(SmallSample(mesh(), SMALL), NO, ACCURACY) == Separate(mesh())
    first = decide(SmallSample(mesh(), LARGEST), Prepared(REFINEMENT[LARGEST]), ACCURACY)
    assert first == Round(mesh(), REFINEMENT[LARGEST], LARGEST, 0, FIRST_OF_ALL, PILOT.time_step)
    again = decide(SmallSample(mesh(), SMALL, taken_up), Prepared(REFINEMENT[SMALL], "base"), ACCURACY)
    assert again == Round(mesh(), REFINEMENT[SMALL], SMALL, 2, 8192, "measured", "base")


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
            stage = SmallSample(mesh(fallback=Anew()), SMALL, TakenUp(1, FIRST_ROUND_PATHS[0], SO_FAR, None))
        while not isinstance(stage, Done | GiveUp):
            stage, count = decide(stage, drawn(stage, rng), ACCURACY), count + 1
            assert count < 100
        lengths.append(count)
        ends.add(type(stage))
    assert ends == {Done, GiveUp}
    assert max(lengths) > 12

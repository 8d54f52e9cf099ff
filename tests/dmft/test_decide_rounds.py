"""What follows from rounds, checks and measured time steps of a solve."""

from dataclasses import replace

import numpy as np
import pytest

from dlnflow.dmft.constants import (
    FINER,
    IN_VAIN,
    LAST_TIMES,
    MANY_MORE,
    MANY_PANELS,
    MORE_WHERE_ROUGH,
    MOST_CHECKS,
    MOST_ROUNDS,
    SMOOTHER_PAIR,
)
from dlnflow.dmft.errors import Errors
from dlnflow.dmft.plan import decide
from dlnflow.dmft.stages import (
    Accepted,
    Check,
    Checked,
    Done,
    Panels,
    Round,
    Separate,
    TimeStep,
)
from dlnflow.solution import CURVES
from tests.dmft.decisions import (
    ACCURACY,
    BOUND,
    FIRST_OF_ALL,
    LARGEST,
    LAST,
    MOST,
    NO,
    PILOT,
    SMALL,
    SO_FAR,
    check,
    checked,
    corrected,
    mesh,
    round_,
    said,
)

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


def test_another_check_comes_before_a_measure_of_the_time_step_where_either_may_do():
    outcome = checked(40, 40, 30)
    assert decide(check(), outcome, ACCURACY).number == 1
    assert isinstance(decide(check(number=MOST_CHECKS - 1), outcome, ACCURACY), TimeStep)


def test_a_measured_time_step_is_taken():
    stage, before = check(), checked(40, 90, 20)
    assert decide(TimeStep(stage, before), checked(40, 10, 20), ACCURACY) == Done(Accepted(stage.round.mesh, ANY))
    after = decide(TimeStep(stage, before), checked(40, 30, 50), ACCURACY)
    assert after.round.measured and after.number == 1
    assert decide(after, checked(150, 30, 20), ACCURACY).measured  # nor does the next round measure it again


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
    stage = Check(round_(size, number, paths, measured=True, **changes), object(), object(), SO_FAR, MOST_CHECKS - 1)
    return decide(stage, outcome, ACCURACY)


def test_later_rounds_that_leave_the_fixed_point_alone_call_for_the_larger_pair():
    after = after_round(checked(40, 0, 120), number=1)
    assert said(after) == ("panels", SMOOTHER_PAIR, 0, BOUND)
    assert isinstance(after.fallback, Accepted)  # what the rounds came to stands unless new panels do better
    assert said(after_round(checked(40, 0, 120), number=0))[0] == "round"
    assert said(after_round(checked(40, 0, 120), LARGEST, 1))[0] == "round"


def test_a_round_of_more_paths_that_is_no_better_calls_for_the_larger_pair_or_ends_the_solve():
    before, vain = checked(150, 0, 10), checked(160, 0, 10)
    assert before.solved.paths * IN_VAIN == 4096
    assert said(after_round(vain, number=1, paths=4096, last=before)) == ("panels", SMOOTHER_PAIR, 0, BOUND)
    assert isinstance(after_round(vain, LARGEST, 1, 4096, last=before), Done)
    assert said(after_round(vain, LARGEST, 1, 2048, last=before))[0] == "round"  # too few more to tell
    assert isinstance(after_round(checked(310, 0, 10), LARGEST, 1, 2048, last=before), Done)  # twice the excess
    assert said(after_round(checked(140, 0, 10), LARGEST, 1, 4096, last=before))[0] == "round"


@pytest.mark.parametrize(("sampling", "more"), [(50, 2), (100, 2), (200, 4), (400, 8)])
def test_paths_of_the_next_round(sampling, more):
    """1.2 powers of two for each of the excess over nine tenths of the accuracy, and 0.3 for safety; a power of two."""
    assert more / 2 < max(sampling / 90, 1) ** 1.2 * 2**0.3 <= more
    assert said(after_round(checked(sampling, 0, 60))) == ("round", SMALL, 1, more * 2048)


def test_a_round_that_calls_for_many_times_its_paths_calls_for_a_larger_small_sample():
    assert said(after_round(checked(420, 0, 10))) == ("round", SMALL, 1, 8 * 2048)
    assert MANY_MORE == 16 and said(after_round(checked(440, 0, 10))) == ("panels", SMOOTHER_PAIR, 0, BOUND)
    assert said(after_round(checked(440, 0, 10), pair=SMOOTHER_PAIR)) == ("panels", LAST, 0, BOUND)
    assert said(after_round(checked(440, 0, 10), LARGEST)) == ("round", LARGEST, 1, 16 * 2048)


def test_a_larger_sample_whose_round_does_not_settle_keeps_what_came_before():
    earlier = Accepted(mesh(), checked(900, 0, 10))
    after = decide(round_(pair=SMOOTHER_PAIR, fallback=earlier), NO, ACCURACY)
    assert said(after) == ("panels", LAST, 0, BOUND) and after.fallback is earlier


def test_most_paths():
    """A last round may take more than these, where that may suffice."""
    assert isinstance(after_round(checked(250, 0, 10), paths=MOST), Done)
    assert MOST < said(after_round(checked(150, 0, 10), paths=MOST))[3] <= LAST_TIMES * MOST
    assert isinstance(after_round(checked(150, 0, 10), paths=LAST_TIMES * MOST), Done)
    assert said(after_round(checked(900, 0, 10), LARGEST, paths=MOST // 2))[3] == MOST
    assert isinstance(after_round(checked(150, 0, 10), number=MOST_ROUNDS - 1), Done)


@pytest.mark.parametrize(("pair", "share"), [(0, 1.0), (LAST, FINER)])
def test_finer_panels_where_the_time_step_alone_is_too_large(pair, share):
    """Panels that few paths chose are chosen on more of them first, as rough ones."""
    outcome = checked(40, 120, 20)
    after = after_round(outcome, pair=pair)
    after_these = min(pair + 1, LAST)
    assert said(after) == ("panels", after_these, 0, pytest.approx(0.1 * share))
    assert after.fallback == Accepted(mesh(pair=pair), outcome)
    assert said(decide(Separate(mesh(pair=pair)), outcome, ACCURACY)) == ("panels", after_these, 0, pytest.approx(0.1 * share))
    assert isinstance(after_round(outcome, pair=pair, panels=MANY_PANELS), Done)


def test_more_paths_where_it_is_not_the_time_step_alone():
    assert said(after_round(checked(120, 120, 10)))[0] == "round"
    assert said(after_round(checked(40, 120, 40)))[0] == "round"  # the fixed point is not settled yet
    assert isinstance(after_round(checked(90, 120, 20), LARGEST, panels=MANY_PANELS), Round)
    assert isinstance(after_round(checked(40, 120, 20), LARGEST, panels=MANY_PANELS), Done)

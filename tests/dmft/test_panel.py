"""The iteration of a panel: when it ends, that its steps leave what they start from as it was, and where it leads."""

from dataclasses import replace

import numpy as np
import pytest

from dlnflow.dmft import guess, panel, sampling
from dlnflow.dmft.anderson import Anderson
from dlnflow.dmft.averages import AveragedKernels
from dlnflow.dmft.constants import GROWN, MISLEADING, NEWTON_FROM, NEWTON_STALLED, RESTARTED, STALLED, TOLERANCES, TRUSTED_STEPS
from dlnflow.dmft.front import Panel, start
from dlnflow.dmft.outcome import Unsettled
from dlnflow.dmft.panel_map import PanelMap
from dlnflow.dmft.standing import Bounds, Standing, Verdict, terminate
from dlnflow.model import BernoulliGaussTarget, Problem
from dlnflow.native import dmft as native

BOUNDS = Bounds(tolerance=1e-6, acceptable=1e-3, most=100)
LOOSE = replace(BOUNDS, tolerance=1e-5)
PROBLEM = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.2), noise_std=0.1, initial_scale=0.5)

TOLERANCE = TOLERANCES[0]


def standing(number, least, **changes):
    return Standing(number, least, least, **{"halved": least, "halved_at": number} | changes)


ENDS = {
    "before the first step": (Standing(), Verdict.GO_ON),
    "small enough": (standing(3, 0.9e-6), Verdict.SETTLED),
    "small enough at the last": (standing(100, 0.9e-6), Verdict.SETTLED),
    "not yet": (standing(3, 1.1e-6), Verdict.GO_ON),
    "small enough, but for Newton's method": (standing(3, 0.9e-5, by_newton=True), Verdict.GO_ON),
    "small enough for Newton's method": (standing(3, 0.9e-6, by_newton=True), Verdict.SETTLED),
    "acceptable, and does not fall": (standing(30, 0.9e-3, halved_at=30 - STALLED), Verdict.STALLED),
    "acceptable, and fell lately": (standing(30, 0.9e-3, halved_at=31 - STALLED), Verdict.GO_ON),
    "does not fall, but is not acceptable": (standing(90, 1.1e-3, halved_at=1), Verdict.GO_ON),
    "does not fall, but paths did not settle at the last step": (standing(30, 0.9e-3, halved_at=1, lost=True), Verdict.GO_ON),
    "no more steps, acceptable": (standing(100, 0.9e-3), Verdict.STALLED),
    "no more steps, not acceptable": (standing(100, 1.1e-3), Verdict.UNSETTLED),
    "no more steps, where paths did not settle": (standing(100, 1.1e-3, lost=True), Verdict.UNSETTLED),
    "no more steps, although the guess misled": (standing(100, 1.1 * MISLEADING, guided=True), Verdict.UNSETTLED),
    "the guess misleads": (standing(2, 1.1 * MISLEADING, guided=True), Verdict.UNSETTLED),
    "the guess may mislead": (standing(1, 1.1 * MISLEADING, guided=True), Verdict.GO_ON),
    "the guess leads on": (standing(2, 0.9 * MISLEADING, guided=True), Verdict.GO_ON),
    "there was no guess": (standing(2, 1.1 * MISLEADING), Verdict.GO_ON),
}


@pytest.mark.parametrize(("at", "expected"), ENDS.values(), ids=ENDS)
def test_ends(at, expected):
    assert terminate(at, LOOSE if at.by_newton else BOUNDS) is expected


CHANGES = {
    "secants go on": (standing(NEWTON_FROM - 1, 0.1), False),
    "Newton's method follows": (standing(NEWTON_FROM, 0.1), True),
    "not from a bad point": (replace(standing(NEWTON_FROM, 0.1), residual=1.1 * GROWN * 0.1), False),
    "secants had their time after it": (standing(2 * NEWTON_FROM + 20, 0.1, since=NEWTON_FROM + 20), True),
    "or had not": (standing(2 * NEWTON_FROM + 19, 0.1, since=NEWTON_FROM + 20), False),
    "Newton's method gains": (standing(40, 0.1, by_newton=True, since=12, halved_at=41 - NEWTON_STALLED), False),
    "it gains nothing": (standing(40, 0.1, by_newton=True, since=12, halved_at=40 - NEWTON_STALLED), True),
    "it had no time yet": (standing(15, 0.1, by_newton=True, since=14, halved_at=2), False),
    "no share of its step leads on": (standing(15, 0.1, by_newton=True, since=14, stuck=True), True),
}


@pytest.mark.parametrize(("at", "expected"), CHANGES.values(), ids=CHANGES)
def test_which_method_goes_on(at, expected):
    assert at.is_to_change is expected
    after = at.changed()
    assert after.by_newton is not at.by_newton and after.since == at.number and not after.stuck


def test_standing_counts_from_when_the_residual_had_halved():
    at = Standing(guided=True)
    steps = [(1.0, 1, 1.0, 1.0, 1), (0.6, 2, 0.6, 1.0, 1), (0.4, 3, 0.4, 0.4, 3), (0.7, 4, 0.4, 0.4, 3)]
    for residual, number, least, halved, halved_at in steps:
        at = replace(at, lost=True).after(residual)
        assert at == Standing(number, residual, least, halved, halved_at, guided=True)


def front(paths=512):
    return start(PROBLEM, sampling.draw(PROBLEM, paths, 20, np.random.SeedSequence(0)), 4, 3)


def test_a_panel_is_the_fixed_point_of_its_map():
    """Its rows imply themselves, to the tolerance: R_r, and C_r relative to its size; the next panel goes on from there."""
    before = front()
    for right in (0.1, 0.3):
        made = panel.solve(before, right, TOLERANCE)
        assert isinstance(made, Panel) and 0 < made.residual < TOLERANCE
        panel_map = PanelMap(before, right)
        held = made.factor.columns(before.rank)
        implied = panel_map.implied(panel_map.image(made.rows, held).averages)
        assert panel_map.change(made.rows, implied).largest < 3 * TOLERANCE
        before.accept(made)


def test_steps_leave_an_iteration_as_it_was():
    panel_map = PanelMap(front(), 0.2)
    first = panel.init(panel_map, None, ())
    second = panel.step(panel_map, first, BOUNDS)
    rows, residual = second.last.rows.response.copy(), second.last.change.rows.copy()
    third = panel.step(panel_map, second, BOUNDS)
    assert first.last is None and first.standing == Standing()
    assert (second.standing.number, third.standing.number) == (1, 2)
    assert second.anderson.secants == () and third.anderson.last
    np.testing.assert_array_equal(second.last.rows.response, rows)
    np.testing.assert_array_equal(second.last.change.rows, residual)


def test_half_of_a_step_where_paths_do_not_settle(monkeypatch):
    """But nothing before the first one, from which there is no way back."""
    panel_map = PanelMap(front(), 0.2)
    second = panel.step(panel_map, panel.init(panel_map, None, ()), BOUNDS)
    monkeypatch.setattr(native, "advance", lambda *_, **__: None)
    assert isinstance(panel.step(panel_map, panel.init(panel_map, None, ()), BOUNDS), Unsettled)
    third = panel.step(panel_map, second, BOUNDS)
    assert third.standing.lost and third.last is second.last
    monkeypatch.undo()
    whole, _ = panel._next(panel_map, second)
    half = second.last.rows.response / 2 + whole.response / 2
    np.testing.assert_allclose(third.ahead.response, half, rtol=1e-12)
    assert np.abs(half - whole.response).max() > 0
    assert not panel.step(panel_map, third, BOUNDS).standing.lost


def test_where_half_of_a_step_does_not_settle_either_newtons_method_goes_on_from_the_last_point(monkeypatch):
    panel_map = PanelMap(front(), 0.2)
    second = panel.step(panel_map, panel.init(panel_map, None, ()), BOUNDS)
    monkeypatch.setattr(native, "advance", lambda *_, **__: None)
    fourth = panel.step(panel_map, panel.step(panel_map, second, BOUNDS), BOUNDS)
    assert fourth.standing.by_newton and fourth.ahead is second.last.rows
    monkeypatch.undo()
    fifth = panel.step(panel_map, fourth, BOUNDS)
    sixth = panel.step(panel_map, fifth, BOUNDS)
    assert fifth.standing.residual == pytest.approx(second.standing.residual) and sixth.newton
    assert sixth.standing.residual < 0.1 * fifth.standing.residual


def test_a_misleading_guess_is_an_outcome():
    wrong = AveragedKernels(np.full((4, 4), -30.0), 40 * np.eye(4))
    assert "within 2 iterations" in panel.solve(front(), 0.2, TOLERANCE, wrong).why


def test_no_fixed_point_is_an_outcome():
    assert "within 1 iterations" in panel.solve(front(), 0.2, TOLERANCE, most=1).why


def test_a_network_that_stands_still_keeps_the_kernels_of_the_edge():
    before = front()
    before.accept(panel.solve(before, 0.1, TOLERANCE))
    rows = guess.at_rest(before)
    implied = PanelMap(before, 0.2).implied(guess.shifted(before))
    np.testing.assert_array_equal(rows.correlation[:, :4], np.tile(before.residual_correlation[3, :4], (4, 1)))
    assert implied.response.shape == rows.response.shape == (4, 8)


def test_anderson_solves_a_linear_problem_in_as_many_steps_as_it_has_dimensions():
    rng = np.random.default_rng(0)
    matrix, right = 0.9 * np.linalg.qr(rng.normal(size=(5, 5)))[0], rng.normal(size=5)
    x, known = np.zeros(5), Anderson()
    for _ in range(7):
        x, known = known.step(x, matrix @ x + right - x)
    np.testing.assert_allclose(x, np.linalg.solve(np.eye(5) - matrix, right), rtol=1e-8)


def test_anderson_goes_back_to_its_best_point_where_the_residual_grows():
    known, best = Anderson(), (np.ones(2), np.array([0.1, 0.0]))
    _, known = known.step(*best)
    for _ in range(TRUSTED_STEPS):
        before = known
        x, known = known.step(np.zeros(2), np.full(2, 1.1 * RESTARTED * 0.1))
    np.testing.assert_allclose(x, best[0] + 0.5 * best[1])
    assert known.secants == () and known.damping == 0.5 and before.damping == 1.0

"""The derivative of a panel's map against differences of the map, and where Newton's method leads by it."""

from itertools import pairwise

import numpy as np
import pytest

from dlnflow.dmft import constants, derivative, newton, panel, sampling, standing
from dlnflow.dmft.averages import Averages
from dlnflow.dmft.constants import LEAST_SHARE, MOST_UNSETTLED, TOLERANCES
from dlnflow.dmft.front import start
from dlnflow.dmft.outcome import Unsettled
from dlnflow.dmft.panel_map import Evaluation, PanelMap
from dlnflow.dmft.passes import adaptive_pass
from dlnflow.dmft.residuals import ResidualKernels
from dlnflow.dmft.state import State
from dlnflow.model import BernoulliGaussTarget, Problem

TOLERANCE = TOLERANCES[0]
EDGES = (0.0, 0.3, 1.0, 3.0, 9.0, 20.0)
SPARSE = BernoulliGaussTarget(density=0.1)
THRESHOLD = Problem(aspect_ratio=1.0, target=SPARSE, noise_std=0.5, initial_scale=1.0)
DECAYING = Problem(aspect_ratio=0.3, target=SPARSE, noise_std=0.1, initial_scale=0.1, weight_decay=0.09)
PROBLEMS = {
    "a linear network": Problem(aspect_ratio=0.3, target=SPARSE, noise_std=0.1, initial_scale=1.0, depth=1, weight_decay=0.05),
    "the threshold": THRESHOLD,
    "weight decay": DECAYING,
    "depth 3": Problem(aspect_ratio=0.3, target=SPARSE, noise_std=0.1, initial_scale=0.1, depth=3, weight_decay=0.02),
}


def front(problem, paths, correction=None, edges=EDGES):
    made = start(problem, sampling.draw(problem, paths, 40, np.random.SeedSequence(0)), 4, 9, correction=correction)
    for _, right in pairwise(edges):
        made.accept(panel.solve(made, right, TOLERANCE))
    return made


def at_the_fixed_point(before, right):
    """The map of a panel, its evaluation at the fixed point, and the block of L that it is held to."""
    made, panel_map = panel.solve(before, right, TOLERANCE), PanelMap(before, right)
    held = made.factor.columns(before.rank)
    image = panel_map.image(made.rows, held)
    implied = panel_map.implied(image.averages)
    return panel_map, Evaluation(made.rows, image, implied, panel_map.change(made.rows, implied)), held


def difference(panel_map, here, held, move, step):
    """That of what the map makes of rows a `step` along the `move` to either side, over twice the step."""
    ends = []
    for by in (step, -step):
        there = ResidualKernels(here.rows.response + by * move.response, here.rows.correlation + by * move.correlation)
        ends.append(panel_map.implied(panel_map.image(there, held).averages))
    panel_map.image(here.rows, held)
    up, down = ends
    return ResidualKernels((up.response - down.response) / (2 * step), (up.correlation - down.correlation) / (2 * step))


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_it_is_what_differences_of_the_map_tell(problem, monkeypatch):
    """Where all paths are followed in all shapes, to a hundredth and what single precision, 1e-8 on the mean, leaves of differences."""
    monkeypatch.setattr(derivative, "FOLLOWED_TILES", 512)
    monkeypatch.setattr(derivative, "SHAPES", 16)
    panel_map, here, held = at_the_fixed_point(front(problem, 512), 40.0)
    products, unit = panel_map.products(here), here.change.norm
    smooth = np.cos(np.linspace(0, 1, 4)[:, None] + np.linspace(0, 3, unit.shape[1]))
    even = smooth.copy()
    even[:, -4:] = (even[:, -4:] + even[:, -4:].T) / 2
    for move, step in ((ResidualKernels(smooth, np.zeros_like(unit)), 1e-4), (ResidualKernels(np.zeros_like(smooth), unit * even), 1e-5)):
        found, wanted = panel_map.moved(here, products, held, move), difference(panel_map, here, held, move, step)
        for one, other in ((found.response, wanted.response), (found.correlation / unit, wanted.correlation / unit)):
            np.testing.assert_allclose(one, other, atol=0.01 * np.abs(other).max() + 1e-8 / step)


def test_a_correction_is_part_of_it():
    """In a linear network, whose tangents do not move, with a correction of both kernels."""
    problem, rng = PROBLEMS["a linear network"], np.random.default_rng(0)
    below = np.kron(np.tril(np.ones((9, 9))), np.ones((4, 4)))
    rest = rng.standard_normal((36, 36))
    plain = front(problem, 512)
    correction = Averages(
        response=1e-3 * below * rng.standard_normal((36, 36)),
        rest=1e-3 * (rest + rest.T),
        errors=np.zeros((36, 36)),
        observed=type(plain.observed)(np.zeros((*plain.observed.rows.shape[:2], 36))),
    )
    panel_map, here, held = at_the_fixed_point(front(problem, 512, correction), 40.0)
    move = ResidualKernels(np.zeros_like(here.rows.response), 1e-3 * here.change.norm)
    move.correlation[:, -4:] = 1e-3 * here.rows.correlation[-1, -1]
    found, wanted = panel_map.moved(here, panel_map.products(here), held, move), difference(panel_map, here, held, move, 1e-2)
    np.testing.assert_allclose(found.correlation, wanted.correlation, atol=1e-3 * np.abs(wanted.correlation).max())


def test_where_tangents_overflow_there_is_none():
    panel_map, here, _ = at_the_fixed_point(front(THRESHOLD, 512), 40.0)
    assert panel_map.products(here)
    panel_map.room[1][:] = np.inf
    assert panel_map.products(here) is None


def test_where_modes_come_or_go_there_is_none(monkeypatch):
    panel_map, here, held = at_the_fixed_point(front(THRESHOLD, 512), 40.0)
    move = ResidualKernels(np.zeros_like(here.rows.response), here.change.norm)
    factors = iter([panel_map.factor(here.rows, held), panel_map.factor(here.rows, held[:, :0])])
    monkeypatch.setattr(PanelMap, "factor", lambda *_: next(factors))
    assert isinstance(panel_map.moved(here, panel_map.products(here), held, move), Unsettled)


@pytest.mark.parametrize(("problem", "right"), [(THRESHOLD, 60.0), (DECAYING, 60.0)], ids=["the threshold", "weight decay"])
def test_panels_settle_in_fewer_evaluations_on_the_same_fixed_point(problem, right, monkeypatch):
    before = front(problem, 512)
    by_both = panel.solve(before, right, TOLERANCE)
    monkeypatch.setattr(standing, "NEWTON_FROM", 10**6)
    by_secants = panel.solve(before, right, TOLERANCE)
    assert by_both.residual < TOLERANCE and by_secants.residual < TOLERANCE
    assert by_both.evaluations < by_secants.evaluations > constants.NEWTON_FROM
    np.testing.assert_allclose(by_both.rows.response, by_secants.rows.response, atol=5e-5)
    np.testing.assert_allclose(by_both.rows.correlation, by_secants.rows.correlation, rtol=5e-5)


def test_late_panels_of_decaying_weights_settle_by_newtons_method_alone(monkeypatch):
    """At small scales, where secants leave a residual ten times as large."""
    problem = DECAYING.model_copy(update={"aspect_ratio": 0.13, "initial_scale": 5e-3})
    before = front(problem, 2048, edges=(*EDGES, 60.0, 150.0, 300.0))
    assert panel.solve(before, 600.0, TOLERANCE, most=24).residual < TOLERANCE
    monkeypatch.setattr(standing, "NEWTON_FROM", 10**6)
    assert panel.solve(before, 600.0, TOLERANCE, most=24).residual > 10 * TOLERANCE


def test_a_pass_at_the_threshold_needs_few_panels():
    sample = sampling.draw(THRESHOLD, 512, 60, np.random.SeedSequence(0))
    state = adaptive_pass(THRESHOLD, sample, 1000.0, 0.05, TOLERANCE, MOST_UNSETTLED[0], lambda front: None)
    assert isinstance(state, State) and state.panels <= 20 and state.residual < 2e-3


def test_a_step_solves_a_linear_problem_and_may_be_shortened():
    rng = np.random.default_rng(1)
    matrix, offset = 0.2 * rng.standard_normal((12, 12)), rng.standard_normal(12)
    point = np.zeros(12)
    first = newton.step(lambda move: matrix @ move, point, offset, 1.0, None)
    left = offset + matrix @ first.point - first.point
    assert np.linalg.norm(left) < 1.1 * constants.INEXACT * np.linalg.norm(offset)
    assert first.misses(1.6) and not first.misses(1.4)
    half = first.shorter()
    np.testing.assert_allclose(half.point, first.point / 2)
    while not half.is_stuck:
        half = half.shorter()
    assert LEAST_SHARE / 2 < half.share < LEAST_SHARE
    assert newton.step(lambda move: matrix @ move, point, offset, 1.0, half).share == 2 * half.share

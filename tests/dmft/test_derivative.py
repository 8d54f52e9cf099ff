"""Newton's corrections of a panel: what the derivative says against differences of the map, and where they lead."""

from itertools import pairwise

import numpy as np

from dlnflow.dmft import panel, sampling
from dlnflow.dmft.averages import Rows
from dlnflow.dmft.constants import MOST_UNSETTLED, TOLERANCES
from dlnflow.dmft.front import start
from dlnflow.dmft.panel import Evaluation, PanelMap
from dlnflow.dmft.passes import adaptive_pass
from dlnflow.dmft.state import State
from dlnflow.model import BernoulliGaussTarget, Problem

TOLERANCE = TOLERANCES[0]
EDGES = (0.0, 0.3, 1.0, 3.0, 9.0, 20.0)


def threshold(depth):
    """The interpolation threshold."""
    return Problem(aspect_ratio=1.0, target=BernoulliGaussTarget(density=0.1), noise_std=0.5, initial_scale=1.0, depth=depth)


def front(depth, paths):
    problem = threshold(depth)
    made = start(problem, sampling.draw(problem, paths, 24, np.random.SeedSequence(0)), 4, 7)
    for _, right in pairwise(EDGES):
        made.accept(panel.solve(made, right, TOLERANCE))
    return made


def at_the_fixed_point(depth, paths, right):
    """The map of a panel, its evaluation at the fixed point, and the block of L that it is held to."""
    before = front(depth, paths)
    made, panel_map = panel.solve(before, right, TOLERANCE), PanelMap(before, right)
    held = made.factor.columns(before.rank)
    image = panel_map.image(made.rows, held)
    implied = panel_map.implied(image.averages)
    here = Evaluation(made.rows, image, implied, panel_map.change(made.rows, implied))
    return panel_map, here, held


def test_corrections_undo_what_the_map_makes_of_a_change():
    """In a linear network, whose slopes do not move, to single precision.

    On the panel itself modes come and go with C_r, and there is no derivative: changes of it are of the columns before.
    """
    panel_map, here, held = at_the_fixed_point(1, 1024, 40.0)
    rows, derivative = here.rows, panel_map.derivative(here)
    smooth = np.cos(np.linspace(0, 1, 4)[:, None] + np.linspace(0, 3, rows.response.shape[1]))
    step = 0.01 * smooth

    def implied(response, correlation):
        there = Rows(rows.response + response, rows.correlation + correlation)
        return panel_map.implied(panel_map.image(there, held).averages)

    up, down = implied(step, 0.0), implied(-step, 0.0)
    missing = Rows(step - (up.response - down.response) / 2, -(up.correlation - down.correlation) / 2)
    found = derivative.correction(missing)
    assert np.abs(found.response - step).max() < 0.01 * np.abs(step).max() < np.abs(missing.response - step).max()
    assert np.abs(found.correlation).max() < 0.05 * np.abs(missing.correlation).max()
    past = 1e-4 * rows.correlation * smooth
    past[:, -4:] = 0.0
    change = implied(0.0, past).correlation - implied(0.0, 0.0).correlation
    made = derivative.correction(Rows(np.zeros_like(step), past - change))
    assert np.abs(made.correlation - past)[:, :-4].max() < 0.02 * np.abs(change).max()


def test_where_tangents_overflow_there_is_no_derivative():
    panel_map, here, _ = at_the_fixed_point(2, 1024, 40.0)
    assert panel_map.derivative(here)
    panel_map.room[1][:] = np.inf
    assert panel_map.derivative(here) is None


def test_at_the_threshold_panels_settle_in_few_evaluations_on_the_same_fixed_point():
    """Whereas without corrections an iteration of the same panel takes many more."""
    before = front(2, 512)
    plain, newton = (panel.solve(before, 40.0, TOLERANCE, newton=by) for by in (False, True))
    assert newton.residual < TOLERANCE and newton.evaluations <= 0.75 * plain.evaluations
    np.testing.assert_allclose(newton.rows.response, plain.rows.response, atol=2e-5)
    np.testing.assert_allclose(newton.rows.correlation, plain.rows.correlation, rtol=2e-5)


def test_a_pass_at_the_threshold_needs_few_panels():
    problem = threshold(2)
    sample = sampling.draw(problem, 512, 60, np.random.SeedSequence(0))
    state = adaptive_pass(problem, sample, 1000.0, 0.05, TOLERANCE, MOST_UNSETTLED[0], lambda front: None)
    assert isinstance(state, State) and state.panels <= 20 and state.residual < 2e-3 and any(state.newton)

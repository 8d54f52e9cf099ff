"""The time-step error where the usual way to measure it fails: what is reported instead holds the true error as well."""

from itertools import pairwise

import numpy as np
import pytest

from dlnflow.dmft import plan, refine, sampling, solve, solver, timestep
from dlnflow.dmft.constants import FLOOR, MOST_MODES, SEPARATE_PATHS
from dlnflow.dmft.errors import Scale
from dlnflow.dmft.observables import values
from dlnflow.dmft.outcome import Unsettled
from dlnflow.dmft.passes import adaptive_pass, causal_pass
from dlnflow.dmft.stages import Check, Panels, Round, TimeStep
from dlnflow.model import BernoulliGaussTarget, Problem
from dlnflow.solution import CURVES, NAMES
from tests.journal import Kept

PROBLEM = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.1), noise_std=0.1, initial_scale=0.3)
GROWING = Problem(aspect_ratio=26, target=BernoulliGaussTarget(density=0.0028), noise_std=8.3, initial_scale=0.0025)
TIMES = np.geomspace(0.3, 16, 30)


@pytest.fixture(scope="module")
def fine():
    return solve(PROBLEM, 16.0, times=TIMES, accuracy=0.003)


@pytest.fixture(scope="module")
def fine_growth():
    return solve(GROWING, 30.0, accuracy=0.01, seed=9)


@pytest.fixture
def coarse_panels(monkeypatch):
    monkeypatch.setattr(plan, "MOST_PILOTS", 1)
    monkeypatch.setattr(plan, "FIRST_ROUGHNESS", 2.0)


def assert_within(solution, fine):
    for name in CURVES:
        scale = np.maximum(fine.values[name], FLOOR * fine.values[name].max())
        error = np.abs(solution.values[name] - fine.values[name]) / scale
        assert error.max() <= solution.diagnostics["error"]["total"] + fine.diagnostics["error"]["total"]
        bars = np.hypot(solution.stderr[name], fine.stderr[name])
        assert np.all(np.abs(solution.values[name] - fine.values[name]) <= 4 * bars)


def test_a_time_at_which_two_solutions_happen_to_agree_has_the_error_of_its_panel():
    """The change with the nodes crosses zero within a panel: what is asked for at that time alone is no more exact."""
    sample = sampling.draw(PROBLEM, 1024, MOST_MODES, np.random.SeedSequence(0))
    one = adaptive_pass(PROBLEM, sample, 4.0, 0.5, 1e-6, 8, lambda state: None)
    other = causal_pass(one, sample, one.order + 1, 1e-6, lambda t: None)
    scale = Scale(dict.fromkeys(NAMES, 1.0))
    for left, right in pairwise(one.edges):
        within = np.linspace(left, right, 200)[1:]
        pointwise = scale.difference(values(one, within), values(other, within))
        crossing = within[[np.argmin(pointwise["parameter_error"])]]
        found = timestep.change_within_panels(one, other, crossing, scale)["parameter_error"]
        everywhere = timestep.change_within_panels(one, other, within, scale)["parameter_error"]
        assert np.ptp(everywhere) == 0
        assert everywhere[0] >= pointwise["parameter_error"].max()
        assert pointwise["parameter_error"].min() < found[0] / 2 < everywhere[0]


def test_the_round_measures_what_the_small_sample_overstates(monkeypatch, coarse_panels, fine):
    overstated = 0.06
    monkeypatch.setattr(refine.Refinement, "time_step", lambda self: dict.fromkeys(NAMES, np.full(len(self.task.times), overstated)))
    found = solve(PROBLEM, 16.0, times=TIMES, accuracy=0.05)
    assert found.diagnostics["outcome"] == "converged"
    assert 1e-4 < found.diagnostics["error"]["time_step"] < overstated
    assert_within(found, fine)


@pytest.fixture
def more_nodes_do_not_settle(monkeypatch):
    def settled(like, sample, order, *rest, **options):
        if order > like.order:
            return Unsettled("")
        return causal_pass(like, sample, order, *rest, **options)

    for module in (refine, timestep):
        monkeypatch.setattr(module, "causal_pass", settled)


def test_fewer_nodes_measure_it_where_more_do_not_settle(coarse_panels, more_nodes_do_not_settle, fine):
    found = solve(PROBLEM, 16.0, times=TIMES, accuracy=0.05)
    assert found.diagnostics["outcome"] == "converged"
    assert found.diagnostics["error"]["time_step"] > 1e-4
    assert_within(found, fine)


def test_separate_solves_do_so_where_that_does_not_settle_either(monkeypatch, coarse_panels, more_nodes_do_not_settle, fine):
    monkeypatch.setattr(refine.Refinement, "time_step", lambda self: Unsettled(""))
    found = solve(PROBLEM, 16.0, times=TIMES, accuracy=0.05)
    assert found.diagnostics["paths"] == SEPARATE_PATHS[-1]
    assert found.diagnostics["error"]["time_step"] > 1e-4
    assert_within(found, fine)


@pytest.mark.slow
def test_finer_panels_are_tried_where_the_time_step_alone_is_too_large(fine_growth, coarse_panels):
    """And the bits are those of an undisturbed solve from every checkpoint, be it of the first or of the finer panels."""

    def to(accuracy, journal=None):
        return solve(GROWING, 30.0, accuracy=accuracy, journal=journal)

    coarse, undisturbed = to(0.1), Kept()
    found = to(0.02, undisturbed)
    assert found.diagnostics["outcome"] == "converged"
    assert found.diagnostics["nodes"] > 1.2 * coarse.diagnostics["nodes"]
    assert_within(found, fine_growth)
    assert len(undisturbed.checkpoints) >= 2
    for checkpoint in undisturbed.checkpoints:
        resumed = to(0.02, Kept(checkpoint))
        for name in found.values:
            np.testing.assert_array_equal(resumed.values[name], found.values[name])
            np.testing.assert_array_equal(resumed.stderr[name], found.stderr[name])


def test_coarser_panels_stand_where_finer_ones_fail(monkeypatch, coarse_panels):
    """Also where a solve is taken up again at the finer ones: it begins anew."""

    perform = solver.perform

    def only_on_the_first(task, stage):
        is_finer = not isinstance(stage, Panels | Check | TimeStep) and stage.mesh.bound < plan.FIRST_ROUGHNESS * task.accuracy**0.5
        outcome = perform(task, stage) if isinstance(stage, Round) or not is_finer else Unsettled("")
        return Unsettled("") if is_finer else outcome

    monkeypatch.setattr(solver, "perform", only_on_the_first)
    undisturbed = Kept()
    found = solve(GROWING, 30.0, accuracy=0.02, journal=undisturbed)
    assert found.diagnostics["outcome"] == "not_converged"
    assert found.diagnostics["error"]["time_step"] > 0.01
    assert len(undisturbed.checkpoints) >= 2
    resumed = solve(GROWING, 30.0, accuracy=0.02, journal=Kept(undisturbed.checkpoints[-1]))
    for name in found.values:
        np.testing.assert_array_equal(resumed.values[name], found.values[name])


def test_panels_are_short_enough_while_weights_grow_by_powers_of_ten(fine_growth):
    """Noise makes weights grow from 6e-6 to far beyond the sparse teacher's, which dominates w − w* until then."""
    for seed in (4, 5):
        found = solve(GROWING, 30.0, accuracy=0.05, seed=seed)
        assert found.diagnostics["outcome"] == "converged"
        assert_within(found, fine_growth)

"""The time-step error where the usual way to measure it fails: what is reported instead holds the true error as well."""

import numpy as np
import pytest

from dlnflow.dmft import refine, solve, solver
from dlnflow.dmft.errors import FLOOR
from dlnflow.dmft.observables import NAMES
from dlnflow.dmft.panel import PanelFailure
from dlnflow.problem import BernoulliGaussTarget, Problem
from dlnflow.solution import CURVES

PROBLEM = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.1), noise_std=0.1, initial_scale=0.3)
TIMES = np.geomspace(0.3, 16, 30)


@pytest.fixture(scope="module")
def fine():
    return solve(PROBLEM, 16.0, times=TIMES, accuracy=0.003)


@pytest.fixture
def coarse_panels(monkeypatch):
    monkeypatch.setattr(solver, "MOST_PILOTS", 1)
    monkeypatch.setattr(solver, "FIRST_ROUGHNESS", 2.0)


def assert_within(solution, fine):
    for name in CURVES:
        scale = np.maximum(fine.values[name], FLOOR * fine.values[name].max())
        error = np.abs(solution.values[name] - fine.values[name]) / scale
        assert error.max() <= solution.diagnostics["error"]["total"] + fine.diagnostics["error"]["total"]
        bars = np.hypot(solution.stderr[name], fine.stderr[name])
        assert np.all(np.abs(solution.values[name] - fine.values[name]) <= 4 * bars)


def test_the_round_measures_what_the_small_sample_overstates(monkeypatch, coarse_panels, fine):
    overstated = 0.06
    monkeypatch.setattr(refine.Refinement, "time_step", lambda self: dict.fromkeys(NAMES, np.full(len(self.times), overstated)))
    found = solve(PROBLEM, 16.0, times=TIMES, accuracy=0.05)
    assert found.diagnostics["outcome"] == "converged"
    assert 1e-4 < found.diagnostics["error"]["time_step"] < overstated
    assert_within(found, fine)


def test_separate_solves_measure_it_by_fewer_nodes_where_more_do_not_settle(monkeypatch, coarse_panels, fine):
    def unsettled(like, sample, order, *rest, **options):
        if order > like.order:
            raise PanelFailure
        return causal_pass(like, sample, order, *rest, **options)

    causal_pass = refine.causal_pass
    monkeypatch.setattr(refine, "causal_pass", unsettled)
    found = solve(PROBLEM, 16.0, times=TIMES, accuracy=0.05)
    assert found.diagnostics["paths"] == refine.MOST_INDEPENDENT
    assert found.diagnostics["error"]["time_step"] > 1e-4
    assert_within(found, fine)


def test_panels_are_short_enough_while_weights_grow_by_powers_of_ten():
    """Noise makes weights grow from 6e-6 to far beyond the sparse teacher's, which dominates w − w* until then."""
    problem = Problem(aspect_ratio=26, target=BernoulliGaussTarget(density=0.0028), noise_std=8.3, initial_scale=0.0025)
    fine = solve(problem, 30.0, accuracy=0.01, seed=9)
    for seed in (4, 5):
        found = solve(problem, 30.0, accuracy=0.05, seed=seed)
        assert found.diagnostics["outcome"] == "converged"
        assert_within(found, fine)

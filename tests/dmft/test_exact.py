"""The solver against exact results: it must be within three of its own error bars (its errors include the time step's)."""

import numpy as np
import pytest

from dlnflow.dmft import solve
from dlnflow.model import BernoulliGaussTarget, DiscreteTarget, GaussianTarget, PairScale, Problem
from dlnflow.theory import predict
from dlnflow.theory.final import final_state
from tests.dmft import exact
from tests.model.laws import LAWS

SPARSE = BernoulliGaussTarget(density=0.1)
CONTINUA = ("laplace", "student_t", "uniform", "values")  # that are neither normal nor discrete


def within(solution, name, expected, remainder=0.0):
    """|value − expected| ≤ 3 stderr + remainder, the relative size of what the limit itself neglects."""
    value, stderr = solution.values[name], solution.stderr[name]
    allowed = 3 * stderr + (remainder + 1e-9) * np.abs(expected)
    assert np.all(np.abs(value - expected) <= allowed), (name, value, expected, stderr)


@pytest.mark.parametrize(
    ("delta", "target"),
    [(delta, GaussianTarget()) for delta in (0.3, 0.8, 2.0)] + [(0.8, LAWS[name].target) for name in CONTINUA],
    ids=str,
)
def test_lazy_limit_is_linear_regression(delta, target):
    a, noise, second = 30.0, 0.3, target.second_moment
    times = np.array([0.05, 0.2, 0.5, 1.0, 3.0]) / a**2
    problem = Problem(aspect_ratio=delta, target=target, noise_std=noise, initial_scale=a)
    solution = solve(problem, times[-1], times=times, accuracy=0.01, seed=1)
    expected = np.array([exact.linear_regression(t, delta, 2 * a**2, second, noise) for t in times])
    neglected = second / a**4
    within(solution, "parameter_error", expected[:, 0], neglected)
    within(solution, "train_loss", expected[:, 1], neglected)


def test_linear_networks_long_after_they_have_come_to_rest():
    """Half a million of their shortest time scales, with noise far above the signal: tangents are far below the normal range."""
    delta, a, density, noise = 1.27, 93.0, 0.02, 7.3
    times = np.array([1e-5, 1e-4, 1e-3, 1e-2, 17.0])
    problem = Problem(aspect_ratio=delta, target=BernoulliGaussTarget(density=density), noise_std=noise, initial_scale=a)
    solution = solve(problem, times[-1], times=times, accuracy=0.05)
    expected = np.array([exact.linear_regression(t, delta, 2 * a**2, density, noise) for t in times])
    within(solution, "parameter_error", expected[:, 0], expected[-1, 0] / a**4)
    within(solution, "train_loss", expected[:, 1], expected[-1, 0] / a**4)
    assert solution.diagnostics["outcome"] == "converged"


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_population_limit_is_independent_coordinates(decay):
    times = np.array([0.5, 1, 2, 4, 8, 16])
    problem = Problem(aspect_ratio=1, target=GaussianTarget(), noise_std=0.5, initial_scale=0.3, weight_decay=decay)
    problem = problem.model_copy(update={"aspect_ratio": 1e9})
    solution = solve(problem, 16.0, times=times, accuracy=0.01)
    within(solution, "parameter_error", exact.population_error(times, 0.3, decay, 1.0), 1e-6)


@pytest.mark.parametrize("target", [GaussianTarget(std=2), SPARSE, DiscreteTarget(atoms=(-1.0, 0.0, 3.0), probabilities=(0.2, 0.5, 0.3))])
def test_start(target):
    problem = Problem(aspect_ratio=0.7, target=target, noise_std=0.4, initial_scale=0.2)
    solution = solve(problem, 0.05, times=np.array([0.0, 1e-6, 0.05]), accuracy=0.05)
    second = problem.target_second_moment
    for name, expected in (("parameter_error", second), ("train_loss", (second + 0.16) / 2), ("u_norm", 0.04), ("norm", 0.0)):
        assert solution.values[name][0] == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose(solution.values["train_loss"][1], (second + 0.16) / 2, rtol=1e-4)
    np.testing.assert_allclose(solution.values["parameter_error"][1], second, rtol=1e-4)


def test_interpolation_ends_at_the_proximal_fixed_point():
    problem = Problem(aspect_ratio=0.5, target=SPARSE, noise_std=0.1, initial_scale=1.0)
    expected = exact.interpolation_error(0.5, 1.0, 0.1, 0.1)
    solution = solve(problem, 60.0, times=np.array([60.0]), accuracy=0.002)
    within(solution, "parameter_error", np.array([expected]))


@pytest.mark.parametrize("name", CONTINUA)
@pytest.mark.parametrize(("delta", "scale"), [(0.6, 0.5), (1.6, PairScale(u=0.6, v=0.3))], ids=["wide", "tall"])
def test_curves_end_where_theory_says(name, delta, scale):
    """The remainder is e^(−2γt) of the train loss, e^(−γt) of the weights; theory's quadratures are good to 1e-5."""
    problem = Problem(aspect_ratio=delta, target=LAWS[name].target, noise_std=0.2, initial_scale=scale)
    end = predict(problem)
    time = 6 / end.convergence_rate
    solution = solve(problem, time, times=np.array([time]), accuracy=0.01)
    assert solution.diagnostics["outcome"] == "converged"
    for curve in ("parameter_error", "norm", "l1_norm", "overlap", "u_norm", "v_norm", "excess_l1_norm", "missed_support", "false_support"):
        within(solution, curve, np.array([getattr(end, f"final_{curve}")]), np.exp(-6.0) + 1e-5)


def test_weight_decay_ends_at_the_lasso():
    problem = Problem(aspect_ratio=0.8, target=SPARSE, noise_std=0.2, initial_scale=0.3, weight_decay=0.1)
    expected = exact.lasso_error(0.8, 0.1, 0.1, 0.2)
    solution = solve(problem, 400.0, times=np.array([400.0]), accuracy=0.01)
    within(solution, "parameter_error", np.array([expected]))


@pytest.mark.parametrize("seed", [0, 1])
def test_weight_decay_ends_at_the_lasso_where_rates_are_a_hundred_thousand_times_apart(seed):
    """Guesses and corrections have to be those at the solution itself: what a tolerance changes in them is amplified a thousand times.

    With seed 1 the time step shows only once its corrections are taken three times.
    """
    problem = Problem(aspect_ratio=0.65, target=BernoulliGaussTarget(density=0.05), noise_std=0.1, initial_scale=22.0, weight_decay=0.09)
    solution = solve(problem, 500.0, times=np.array([500.0]), accuracy=0.02, seed=seed)
    assert solution.diagnostics["outcome"] == "converged"
    within(solution, "parameter_error", np.array([exact.lasso_error(0.65, 0.09, 0.05, 0.1)]))


def test_weight_decay_ends_at_the_lasso_far_below_interpolation():
    """R_r and C_r fall by powers of ten there; that panels still settle shows in how few of them are needed.

    It is as far from the end as the second half of the time has still moved it, or less.
    """
    problem = Problem(aspect_ratio=0.2, target=SPARSE, noise_std=0.2, initial_scale=0.05, weight_decay=0.1)
    solution = solve(problem, 1000.0, times=np.array([500.0, 1000.0]), accuracy=0.05)
    assert solution.diagnostics["outcome"] == "converged"
    assert solution.diagnostics["nodes"] <= 80
    before, end = solution.values["parameter_error"]
    assert abs(end - exact.lasso_error(0.2, 0.1, 0.1, 0.2)) <= 3 * solution.stderr["parameter_error"][-1] + abs(end - before)
    assert abs(end / before - 1) < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.05, 0.1])
def test_grokking_ends_at_the_lasso(noise):
    """On the first, smallest sample the noise keeps the fixed point from settling, whatever the paths of the rounds.

    What the iterations of panels leave is amplified a thousand times: where that is more than the error of the nodes, finer panels do
    not help. The end is as far from the LASSO as the second half of the time has still moved it, or less. The train loss is then 2e-5 of
    what it was: errors that an accuracy of 0.01 allows are half of it, and two per cent are what it has, 0.7 of which time would take off.
    """
    target = BernoulliGaussTarget(density=0.05)
    problem = Problem(aspect_ratio=0.5, target=target, noise_std=noise, initial_scale=5.0, weight_decay=1e-3)
    solution = solve(problem, 2e4, times=np.array([1e4, 2e4]), accuracy=0.01)
    assert solution.diagnostics["outcome"] == "converged"
    assert solution.diagnostics["nodes"] <= 120
    end = final_state(problem)
    for name, expected, share in (("u_norm", end.u_norm, 0.01), ("train_loss", end.train_loss, 0.02)):
        before, value = solution.values[name]
        assert abs(value - expected) <= 3 * solution.stderr[name][-1] + abs(value - before)
        assert abs(value - expected) < share * expected


def test_reference_problem():
    """Reference values; their own error is the quoted sampling error and a time step of 0.1 % to t = 4, then 1 % and 3 %."""
    problem = Problem(aspect_ratio=0.5, target=SPARSE, noise_std=0.1, initial_scale=0.3)
    times = np.array([0.5, 1, 2, 4, 8, 16, 32])
    error = np.array([0.079221, 0.054071, 0.035802, 0.029626, 0.02874, 0.030048, 0.03143])
    loss = np.array([0.029574, 0.011823, 0.003523, 0.0011539, 0.00032837, 6.1342e-05, 4.9569e-06])
    solution = solve(problem, 32.0, times=times, accuracy=0.01)
    assert solution.diagnostics["outcome"] == "converged"
    within(solution, "parameter_error", error, np.where(times > 4, 0.01, 0.001))
    within(solution, "train_loss", loss, np.where(times > 4, 0.03, 0.001))

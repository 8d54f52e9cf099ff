"""Groups of coordinates in mean-field theory: against finite networks, an independent solution, a change of units, one group."""

import numpy as np
import pytest
from scipy.stats import norm, t

from dlnflow.dmft import sampling, solve
from dlnflow.model import GradientDescent, GradientFlow, Problem
from dlnflow.simulation import simulate
from dlnflow.solution import CURVES, ORDER_PARAMETERS
from dlnflow.theory import predict
from tests.dmft.test_exact import within
from tests.model.groups import MIXED, SPARSE, TWO_VARIANCES, power_law, problem

REPLICAS = 24
GAUSSIAN = {"kind": "gaussian", "std": 1.0}
DESCENT = GradientDescent(kind="gradient_descent", step_size=0.1)
SMALL_STEPS = GradientDescent(kind="gradient_descent", step_size=0.03)  # Laplace's law has weights beyond 2/(c η) for larger ones


@pytest.mark.slow
@pytest.mark.parametrize("dynamics", [GradientFlow(), SMALL_STEPS], ids=["flow", "descent"])
@pytest.mark.parametrize(
    "asked",
    [problem(TWO_VARIANCES), problem(MIXED, 0.8, 0.2), problem(MIXED, 1.5, 0.3, 0.05), problem(power_law(8, GAUSSIAN))],
    ids=["two variances", "mixed", "mixed, tall, with decay", "power law"],
)
def test_groups_agree_with_finite_networks(asked, dynamics):
    """|z| < 4 covers some 200 correlated comparisons and the 1/d bias of networks with d = 2000."""
    times = np.array([0.5, 1.0, 2.0, 4.0])
    theory = solve(asked, 4.0, times=times, accuracy=0.02, dynamics=dynamics)
    network = simulate(asked, 4.0, times=times, dimension=2000, replicas=REPLICAS, seed=1, dynamics=dynamics)
    assert theory.diagnostics["outcome"] == "converged"
    for curve in (*CURVES, *ORDER_PARAMETERS):
        gap, spread = np.abs(theory.values[curve] - network.values[curve]), np.hypot(theory.stderr[curve], network.stderr[curve])
        quotient = np.divide(gap, spread, out=np.zeros_like(gap), where=(spread > 0) | (gap > 0))  # a support may be everything
        z = norm.isf(t.sf(quotient, REPLICAS - 1))
        assert z.max() < 4, (curve, z)
    for one, other in zip(theory.conditional, network.conditional, strict=True):
        assert (one.given, one.probability) == (other.given, pytest.approx(other.probability))
        np.testing.assert_allclose(one.mean, other.mean, atol=0.07)  # five standard errors of 1200 weights in the smallest part


def test_two_variances_give_what_a_dense_solution_gives():
    """E[c (w − w*)²] of the discrete equations with dense matrices, good to about 1 %."""
    solution = solve(problem(TWO_VARIANCES), 4.0, times=np.array([1.0, 4.0]), accuracy=0.01, dynamics=DESCENT)
    np.testing.assert_allclose(2 * solution.values["test_loss"] - 0.01, [0.0348, 0.0258], rtol=0.01)


@pytest.mark.parametrize("dynamics", [GradientFlow(), SMALL_STEPS], ids=["flow", "descent"])
def test_a_variance_is_a_change_of_units(dynamics):
    """(c, w*, u, λ, t) and (1, √c w*, c^(1/4) u, λ/√c, √c t) are the same flow of √c w, and the same steps.

    Steps of the same points differ by rounding, much of it in single precision: 1e-6. A flow chooses its panels and its points anew.
    """
    c, accuracy = 3.0, 0.05 if dynamics.is_discrete else 0.01
    groups = [{"weight": 1, "variance": c, "target": {"kind": "laplace", "std": 1.0}, "initial_scale": {"u": 0.5, "v": 0.3}}]
    times = np.array([0.5, 1.0, 3.0])
    one = solve(problem(groups, 0.7, 0.2, 0.1), 3.0, times=times, accuracy=accuracy, dynamics=dynamics)
    target, scale = {"kind": "laplace", "std": c**0.5}, {"u": 0.5 * c**0.25, "v": 0.3 * c**0.25}
    plain = Problem.model_validate(
        {"aspect_ratio": 0.7, "target": target, "noise_std": 0.2, "initial_scale": scale, "weight_decay": 0.1 / c**0.5}
    )
    if dynamics.is_discrete:
        dynamics = GradientDescent(kind="gradient_descent", step_size=0.03 * c**0.5)
    other = solve(plain, 3.0 * c**0.5, times=times * c**0.5, accuracy=accuracy, dynamics=dynamics)
    powers = {"train_loss": 0, "test_loss": 0, "parameter_error": 1, "overlap": 1, "norm": 1, "l1_norm": 0.5, "u_norm": 0.5, "v_norm": 0.5}
    for name, power in powers.items():
        gap = one.values[name] * c**power - other.values[name]
        random = 3 * np.hypot(one.stderr[name] * c**power, other.stderr[name])
        assert np.all(np.abs(gap) <= (1e-6 * other.values[name] if dynamics.is_discrete else random + 1e-12)), name


@pytest.mark.parametrize("dynamics", [GradientFlow(), DESCENT], ids=["flow", "descent"])
def test_groups_that_are_alike_are_one(dynamics):
    """Standard errors are those of eight scrambles: five of them, by Student's law, are three of a normal one."""
    plain = Problem.model_validate({"aspect_ratio": 0.5, "target": SPARSE, "noise_std": 0.1, "initial_scale": 0.3})
    alike = problem([{"weight": weight, "target": SPARSE, "initial_scale": 0.3} for weight in (0.3, 0.7)])
    times = np.array([0.5, 2.0, 4.0])
    one, other = (solve(asked, 4.0, times=times, accuracy=0.01, dynamics=dynamics) for asked in (plain, alike))
    for name in (*CURVES, *ORDER_PARAMETERS):
        gap = np.abs(one.values[name] - other.values[name])
        assert np.all(gap <= 5 * np.hypot(one.stderr[name], other.stderr[name]) + 1e-12), name
    single = solve(problem([{"weight": 1, "target": SPARSE, "initial_scale": 0.3}]), 4.0, times=times, accuracy=0.01, dynamics=dynamics)
    assert all(np.array_equal(one.values[name], single.values[name]) for name in one.values)


@pytest.mark.parametrize("groups", [TWO_VARIANCES, MIXED], ids=["two variances", "mixed"])
def test_curves_end_where_theory_says(groups):
    asked = problem(groups, 0.7, 0.2)
    end = predict(asked)
    time = 6 / end.convergence_rate
    solution = solve(asked, time, times=np.array([time]), accuracy=0.01)
    for curve in ("parameter_error", "test_loss", "norm", "l1_norm", "overlap", "u_norm", "v_norm"):
        within(solution, curve, np.array([getattr(end, f"final_{curve}")]), np.exp(-6.0) + 1e-5)


def test_normal_groups_make_a_law_that_is_a_mixture_of_them():
    """Laplace's law is one of normal laws with exponential variances: by ten nodes of Gauss and Laguerre, to a few ten thousandths."""
    variances, weights = np.polynomial.laguerre.laggauss(10)
    normal = [
        {"weight": weight, "target": {"kind": "gaussian", "std": variance**0.5}, "initial_scale": 0.3}
        for weight, variance in zip(weights / weights.sum(), variances, strict=True)
    ]
    laplace = [{"weight": 1, "target": {"kind": "laplace", "std": 1.0}, "initial_scale": 0.3}]
    times = np.array([0.5, 1.0, 2.0, 4.0])
    one, other = (solve(problem(groups), 4.0, times=times, accuracy=0.01) for groups in (normal, laplace))
    for name in CURVES:
        gap = np.abs(one.values[name] - other.values[name])
        assert np.all(gap <= 4 * np.hypot(one.stderr[name], other.stderr[name]) + 1e-3 * other.values[name]), name


def test_a_hundred_groups_take_as_many_paths_as_one():
    """And every condition of each has its statistics: a group's mean weight, which grows with its variance, and quantiles in order."""
    times = np.array([0.5, 2.0, 8.0])
    one, many = (solve(problem(power_law(count, SPARSE)), 8.0, times=times, accuracy=0.02) for count in (1, 100))
    assert many.diagnostics["outcome"] == "converged" and many.diagnostics["paths"] <= 2 * one.diagnostics["paths"]
    assert [part.given for part in many.conditional[-3:]] == [f"{given}, group 100" for given in ("w*<0", "w*=0", "w*>0")]
    assert sum(part.probability for part in many.conditional) == pytest.approx(1)
    positive = np.array([part.mean for part in many.conditional if part.given.startswith("w*>0")])
    assert np.all(np.diff(positive, axis=0) < 0) and np.all(positive > 0)
    assert all(np.all(np.diff(part.quantiles, axis=0) >= 0) for part in many.conditional)


@pytest.mark.parametrize("many", [False, True])
def test_points_of_many_groups(many):
    """Each has some; sums over all, plain and with c, and second moments of w* are exact; a group's share is right to some points."""
    asked = problem(power_law(100, SPARSE, 1.4))
    aims = [np.eye(8 + pool.kind.is_normal) for pool in asked.pools]
    sample = sampling.draw(asked, 2**13, 8, np.random.SeedSequence(0), aims, many)
    assert len(aims) == 2 and (sample.weights > 0).all()
    variance = sample.root**2
    for factor, expected in (
        (1.0, 1.0),
        (variance, sum(group.weight * group.variance for group in asked.groups)),
        (sample.target**2, asked.target_second_moment),
        (variance * sample.target**2, sum(group.weight * group.variance * group.target.second_moment for group in asked.groups)),
    ):
        assert np.sum(sample.weights * factor) == pytest.approx(expected, rel=1e-9)
    counts = np.bincount(sample.part)
    assert len(counts) == 200 and counts.min() >= 1
    if many:  # a row belongs to one group
        assert (counts[::2] % sampling.LINE == 0).all()
        return
    shares = np.bincount(sample.part, sample.weights) / np.array([stratum.probability for _, stratum in asked.parts])
    assert np.abs(shares - 1).max() < 0.5

"""Stochastic gradient flow of finite networks: against short steps of batches, and its own extrapolation."""

import numpy as np
import pytest

from dlnflow.model import BernoulliGaussTarget, Group, Problem, StochasticGradientFlow
from dlnflow.simulation import simulate, stochastic
from dlnflow.solution import CURVES
from dlnflow.theory import predict
from tests.theory import finite

PROBLEM = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.2), noise_std=0.1, initial_scale=0.5)
TIMES = np.array([0.5, 1.0, 2.0])
TEMPERATURE = 0.5


def run(problem=PROBLEM, temperature=TEMPERATURE, **options):
    dynamics = StochasticGradientFlow(kind="stochastic_gradient_flow", temperature=temperature)
    return simulate(problem, 2.0, times=TIMES, **({"dimension": 100, "replicas": 120, "seed": 3} | options), dynamics=dynamics)


def short_steps(problem, dimension, step, rng):
    """train_loss and mean log|u v| at the times, of steps that are written out here, of single samples at the same temperature."""
    X, _, y = finite.draw(problem, dimension, rng)
    u, v = (np.full(dimension, problem.initial_scale) for _ in range(2))
    b, found = step / (step + TEMPERATURE * problem.aspect_ratio), []
    for number in range(1, round(TIMES[-1] / step) + 1):
        r = X @ ((u**2 - v**2) / 2) - y
        h = X.T @ (r * (rng.random(len(y)) < b)) / (b * problem.aspect_ratio)
        u, v = u * (1 - step * h), v * (1 + step * h)
        if np.any(np.isclose(number * step, TIMES)):
            r = X @ ((u**2 - v**2) / 2) - y
            found.append([np.mean(r**2) / 2, np.mean(np.log(np.abs(u * v)))])
    return np.array(found).T


def test_it_is_the_limit_of_short_steps():
    """Errors of steps are linear in their length: those of 0.01 and 0.02 are extrapolated."""
    rng, found = np.random.default_rng(0), run()
    draws = np.array([[short_steps(PROBLEM, 100, step, rng) for step in (0.01, 0.02)] for _ in range(200)])
    ones = 2 * draws[:, 0] - draws[:, 1]
    mean, error = ones.mean(axis=0), ones.std(axis=0, ddof=1) / len(ones) ** 0.5
    for name, value, bar in zip(("train_loss", "log_product"), mean, error, strict=True):
        assert np.all(np.abs(found.values[name] - value) < 3.5 * np.hypot(found.stderr[name], bar)), name


def test_shorter_steps_change_less_than_networks_differ(monkeypatch):
    usual = run()
    monkeypatch.setattr(stochastic, "STEP", stochastic.STEP / 2)
    short = run()
    assert short.diagnostics["steps"] > 1.8 * usual.diagnostics["steps"]
    for name in (*CURVES, "log_product", "l1_norm"):
        assert np.all(np.abs(usual.values[name] - short.values[name]) < 3.5 * np.hypot(usual.stderr[name], short.stderr[name])), name


def test_the_same_bits_for_any_number_of_threads():
    one, two = (run(dimension=60, replicas=4, threads=threads) for threads in (1, 2))
    for name in one.values:
        np.testing.assert_array_equal(one.values[name], two.values[name])


@pytest.mark.parametrize("depth", [1, 3])
def test_any_depth_and_variances(depth):
    groups = tuple(Group(weight=0.5, variance=c, target=PROBLEM.target, initial_scale=0.5) for c in (0.5, 1.5))
    problem = Problem(aspect_ratio=0.5, groups=groups, noise_std=0.1, depth=depth)
    found = run(problem, 0.1, dimension=100, replicas=4)
    assert np.all(found.values["train_loss"] > 0) and np.all(np.diff(found.values["train_loss"]) < 0)


def test_sparse_weights_are_recovered_below_a_temperature_only():
    """Without label noise up to τ = 1/E|w*|: below it the error falls, above it u v vanishes first."""
    problem = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.1), noise_std=0.0, initial_scale=0.1)
    critical = predict(problem, StochasticGradientFlow(kind="stochastic_gradient_flow", temperature=1.0)).descent.recovery_temperature
    assert critical == pytest.approx(12.5, rel=0.01)
    ends = []
    for share in (0.5, 1.6):
        dynamics = StochasticGradientFlow(kind="stochastic_gradient_flow", temperature=share * critical)
        found = simulate(problem, 30.0, times=np.array([30.0]), dimension=200, replicas=6, seed=1, dynamics=dynamics)
        ends.append(found.values["parameter_error"][0] / problem.target_second_moment)
    assert ends[0] < 0.1 < 0.3 < ends[1]

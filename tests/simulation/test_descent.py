"""Gradient descent against the recursion as it stands, and against gradient flow."""

import numpy as np
import pytest

from dlnflow.model import BernoulliGaussTarget, GaussianScale, GradientDescent, Problem
from dlnflow.simulation import simulate
from dlnflow.simulation.descent import Descent, descend
from dlnflow.simulation.draw import draw_network
from dlnflow.solution import SolveError

PROBLEM = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.2), noise_std=0.1, initial_scale=0.3, weight_decay=0.02)


def descent(step_size: float) -> GradientDescent:
    return GradientDescent(kind="gradient_descent", step_size=step_size)


@pytest.mark.parametrize("scale", [0.3, GaussianScale(kind="gaussian", std=0.5)])
@pytest.mark.parametrize("aspect_ratio", [0.5, 1.5])
def test_the_steps_are_those_of_the_recursion(scale, aspect_ratio):
    problem = PROBLEM.model_copy(update={"initial_scale": scale, "aspect_ratio": aspect_ratio})
    network = draw_network(problem, 40, np.random.default_rng(0))
    X = network.design.X.astype(np.float64)
    u, v = network.u0.copy(), network.v0.copy()
    for _ in range(50):
        h = X.T @ (X @ (u**2 - v**2) / 2 - network.y) * 40 / network.samples
        u, v = u * (1 - 0.05 * (h + 0.02)), v * (1 - 0.05 * (-h + 0.02))
    (at,) = descend(Descent(network, descent(0.05), 2.5), np.array([2.5]))
    np.testing.assert_allclose(at.u2[0], u**2, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(at.v2[0], v**2, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(at.r[0], X @ (u**2 - v**2) / 2 - network.y, atol=1e-12)


def test_a_time_shows_the_last_step_before_it():
    times = np.array([0.0, 0.05, 0.1, 0.15, 0.3 - 1e-15, 0.35])
    assert descent(0.1).steps_until(times, 1.0).tolist() == [0, 0, 1, 1, 3, 3]
    solution = simulate(PROBLEM, 1.0, times=times, dimension=50, replicas=2, dynamics=descent(0.1))
    error = solution.values["parameter_error"]
    assert error[0] == error[1]
    assert error[2] == error[3] != error[1]
    assert error[4] == error[5]


def test_small_steps_approach_the_flow_in_proportion():
    times = np.array([1.0, 4.0])
    flow = simulate(PROBLEM, 4.0, times=times, dimension=100, replicas=2).values["train_loss"]
    gaps = [
        simulate(PROBLEM, 4.0, times=times, dimension=100, replicas=2, dynamics=descent(eta)).values["train_loss"] / flow - 1
        for eta in (0.02, 0.01)
    ]
    np.testing.assert_allclose(gaps[0], 2 * gaps[1], rtol=0.1, atol=3e-3)
    assert np.abs(gaps[1]).max() < 0.1


def test_long_steps_diverge_and_say_so():
    with pytest.raises(SolveError, match="smaller step_size") as caught:
        simulate(PROBLEM, 100.0, dimension=50, replicas=2, dynamics=descent(5.0))
    assert caught.value.code == "diverged"

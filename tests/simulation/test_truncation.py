"""The truncated network: integrated as it stands by another method, and without effect where nothing reaches the truncation."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dlnflow.model import BernoulliGaussTarget, GradientDescent, PairScale, Problem
from dlnflow.simulation import simulate
from dlnflow.simulation.descent import Descent, descend
from dlnflow.simulation.draw import draw_network
from dlnflow.simulation.flow import Flow, follow
from dlnflow.solution import CURVES, ORDER_PARAMETERS

PROBLEM = Problem(aspect_ratio=0.8, target=BernoulliGaussTarget(density=0.3), noise_std=0.1, initial_scale=0.3, weight_decay=0.05)
DYNAMICS = {"flow": None, "descent": GradientDescent(kind="gradient_descent", step_size=0.1)}
TIMES = np.array([0.5, 2.0, 6.0])


def small_network(scale, truncation):
    problem = PROBLEM.model_copy(update={"initial_scale": scale})
    return draw_network(problem, 60, np.random.default_rng(3), truncation=truncation)


def rate(network, M):
    """The right-hand side in (u, v)."""
    X, d = network.design.X.astype(np.float64), network.teacher.size

    def field(t, uv):
        u, v = np.clip(uv[:d], -M, M), np.clip(uv[d:], -M, M)
        h = X.T @ (X @ (u**2 - v**2) / 2 - network.y) * d / network.samples
        return np.concatenate([-u * (h + network.weight_decay), -v * (network.weight_decay - h)])

    return field


@pytest.mark.parametrize("scale", [0.3, PairScale(u=1.4, v=0.5)])
@pytest.mark.parametrize("M", [0.8, 1.1])
def test_the_flow_is_that_of_clipped_weights(scale, M):
    network = small_network(scale, M)
    d = network.teacher.size
    path = solve_ivp(
        rate(network, M), (0, 6), np.concatenate([network.u0, network.v0]), "DOP853", TIMES, rtol=1e-8, atol=1e-10, max_step=0.02
    )
    inner = np.clip(path.y.T, -M, M)
    assert np.mean(np.abs(path.y.T[-1]) > M) > 0.02  # some weights are beyond it
    w = np.concatenate([at.w for at in follow(Flow(network, 6.0, tolerance=1e-6), TIMES)])
    expected = (inner[:, :d] ** 2 - inner[:, d:] ** 2) / 2
    np.testing.assert_allclose(w, expected, atol=1e-4)  # the flow's own tolerance, which the kinks of the clipping make coarser


@pytest.mark.parametrize("M", [0.6, 1.1])
def test_the_descent_is_that_of_clipped_weights(M):
    network = small_network(0.3, M)
    field, uv, d = rate(network, M), np.concatenate([network.u0, network.v0]), 60
    for _ in range(60):
        uv = uv + 0.1 * field(0, uv)
    inner = np.clip(uv, -M, M)
    assert np.any(np.abs(uv) > M)
    (at,) = descend(Descent(network, DYNAMICS["descent"], 6.0), np.array([6.0]))
    np.testing.assert_allclose(at.w[0], (inner[:d] ** 2 - inner[d:] ** 2) / 2, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dynamics", DYNAMICS.values(), ids=DYNAMICS)
def test_a_far_truncation_changes_no_bit_and_a_near_one_does(dynamics):
    none, far, near = (
        simulate(PROBLEM, 6.0, times=TIMES, dimension=100, replicas=2, dynamics=dynamics, truncation=M).values for M in (None, 1e3, 0.8)
    )
    for name in (*CURVES, *ORDER_PARAMETERS):
        assert np.array_equal(none[name], far[name]), name
        assert not np.array_equal(none[name], near[name]), name
    assert np.all(near["u_norm"] <= 0.64)

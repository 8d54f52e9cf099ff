"""The flow of one network against SciPy on (u, v), and at the ends of the parameter ranges."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dlnflow.problem import BernoulliGaussTarget, Problem
from dlnflow.simulation import gradient_flow
from dlnflow.simulation.chebyshev import Chebyshev, coefficients, stages_for
from dlnflow.simulation.dormand_prince import DormandPrince
from dlnflow.simulation.flow import Flow, trajectory
from dlnflow.simulation.network import draw_network

TIMES = np.array([0.0, 0.1, 0.7, 2.0, 5.0, 12.0])


def data(samples: int, dimension: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((samples, dimension)) / np.sqrt(dimension)
    teacher = rng.standard_normal(dimension) * (rng.random(dimension) < 0.3)
    return X, X @ teacher + 0.1 * rng.standard_normal(samples), teacher


def scipy_flow(X, y, a, decay, times):
    """w(t), shape (T, d), from u' = −u (h + λ), v' = −v (−h + λ) as they stand."""
    n, d = X.shape

    def field(t, uv):
        u, v = uv[:d], uv[d:]
        h = X.T @ (X @ ((u * u - v * v) / 2) - y) * d / n
        return np.concatenate([-u * (h + decay), -v * (decay - h)])

    uv = solve_ivp(field, (0, times[-1]), np.full(2 * d, a), method="DOP853", t_eval=times, rtol=1e-12, atol=1e-13).y.T
    return (uv[:, :d] ** 2 - uv[:, d:] ** 2) / 2


def curves(X, y, teacher, w):
    return np.array([np.mean((w @ X.T - y) ** 2, axis=1), np.mean((w - teacher) ** 2, axis=1)])


@pytest.mark.parametrize("shape", [(20, 40), (40, 40), (100, 40)])
@pytest.mark.parametrize(("a", "decay"), [(1e-3, 0.0), (0.1, 0.02), (0.3, 0.0), (1.0, 0.3), (4.0, 0.0), (4.0, 1.0)])
def test_the_curves_agree_with_scipy_to_1e_5(shape, a, decay):
    X, y, teacher = data(*shape)
    w = gradient_flow(X, y, teacher, TIMES, initial_scale=a, weight_decay=decay)
    reference = curves(X, y, teacher, scipy_flow(X, y, a, decay, TIMES))
    # The reference itself is absolute to about 1e-11 in w, so that a loss below 1e-14 is not its to judge.
    np.testing.assert_allclose(curves(X, y, teacher, w), reference, rtol=1e-5, atol=1e-14)


def test_a_tighter_tolerance_gives_the_same_curves():
    X, y, teacher = data(150, 300)
    loose, tight = (curves(X, y, teacher, gradient_flow(X, y, teacher, TIMES, initial_scale=0.1, tolerance=e)) for e in (1e-5, 1e-8))
    np.testing.assert_allclose(loose, tight, rtol=1e-5)


@pytest.mark.parametrize("a", [30.0, 100.0])
def test_a_large_initial_scale_is_linear_regression(a):
    """ẇ = −2a² Xᵀ(Xw − y)/δ up to terms of relative size (w/2a²)², which are 3e-6 at a = 30."""
    X, y, teacher = data(60, 40)
    times = TIMES / a**2
    values, vectors = np.linalg.eigh(X.T @ X * 40 / 60)
    best = np.linalg.lstsq(X, y, rcond=None)[0]
    decay = np.exp(-2 * a**2 * values * times[:, None])
    exact = best - (decay * (best @ vectors)) @ vectors.T
    w = gradient_flow(X, y, teacher, times, initial_scale=a)
    np.testing.assert_allclose(w, exact, atol=10 * (1 / (2 * a**2)) ** 2 + 1e-5)


@pytest.mark.parametrize("a", [1e-4, 0.3, 100.0])
@pytest.mark.parametrize("decay", [0.0, 0.01, 10.0])
@pytest.mark.parametrize("aspect_ratio", [0.1, 2.0])
def test_the_ends_of_the_ranges_stay_finite(a, decay, aspect_ratio):
    """With warnings as errors this also shows that nothing overflows on the way."""
    target = BernoulliGaussTarget(density=0.5)
    problem = Problem(aspect_ratio=aspect_ratio, target=target, noise_std=0.1, initial_scale=a, weight_decay=decay)
    network = draw_network(problem, 20, np.random.default_rng(0))
    times = np.array([0.0, 1e-3, 1.0, 1e3, 1e5])
    w = np.array([network.weights(t, H) for t, H in zip(times, trajectory(Flow(network, times[-1]), times), strict=True)])
    loss = np.sum((w @ network.X.T - network.y) ** 2, axis=1)
    assert np.isfinite(w).all()
    assert (loss <= loss[0] * (1 + 1e-12)).all()


def test_strong_decay_forgets_everything():
    X, y, teacher = data(30, 40)
    w = gradient_flow(X, y, teacher, np.array([0.0, 1e5]), initial_scale=0.5, weight_decay=10.0)
    assert np.abs(w).max() < 1e-100


def test_large_scale_with_decay_ends_at_the_lasso():
    """MATH §4.5: stationary points of the flow with λ > 0 satisfy the subgradient conditions of the LASSO."""
    X, y, teacher = data(30, 40)
    w = gradient_flow(X, y, teacher, np.array([1e4]), initial_scale=30.0, weight_decay=0.05)[0]
    h = X.T @ (X @ w - y) * 40 / 30
    active = np.abs(w) > 1e-3
    np.testing.assert_allclose(h[active], -0.05 * np.sign(w[active]), rtol=1e-4)
    assert np.abs(h[~active]).max() <= 0.05 * (1 + 1e-4)


def test_nothing_to_learn_stays_at_zero():
    X, _, _ = data(30, 40)
    assert not gradient_flow(X, np.zeros(30), np.zeros(40), TIMES, initial_scale=0.3).any()


@pytest.mark.parametrize("stiffness", [0.1, 3.0, 50.0, 2e3, 1e5])
def test_the_chebyshev_method_is_stable_on_its_whole_interval(stiffness):
    """|R(z)| < 1 for the decay rates up to the one that the stages were chosen for, and R(z) ≈ e^(−z) for slow ones."""
    rates = np.linspace(0, stiffness, 2001)
    y = np.ones_like(rates)
    amplification = Chebyshev().step(lambda t, x: -rates * x, 0.0, y, -rates, 1.0, stiffness).y
    assert np.abs(amplification[rates > 0.01]).max() < 1
    slow = rates < 0.01
    np.testing.assert_allclose(amplification[slow], np.exp(-rates[slow]), rtol=1e-7)


@pytest.mark.parametrize("stiffness", np.geomspace(0.01, 1e7, 40))
def test_enough_stages_are_taken(stiffness):
    assert coefficients(stages_for(stiffness)).interval >= stiffness


@pytest.mark.parametrize(("method", "order"), [(DormandPrince(), 5), (Chebyshev(), 3)])
def test_methods_converge_at_their_order(method, order):
    """ẏ = cos(t) y, y = e^(sin t), over one step."""

    def error(h: float) -> float:
        return abs(
            method.step(lambda t, y: np.cos(t) * y, 0.3, np.ones(1), np.cos([0.3]), h, 1.0).y[0] - np.exp(np.sin(0.3 + h) - np.sin(0.3))
        )

    assert np.log2(error(0.2) / error(0.1)) == pytest.approx(order + 1, abs=0.5)


@pytest.mark.parametrize("method", [DormandPrince(), Chebyshev()])
def test_interpolants_join_the_ends_of_a_step(method):
    y = np.array([1.0, 2.0])
    step = method.step(lambda t, y: -y, 0.0, y, -y, 0.05, 1.0)
    np.testing.assert_allclose(step.interpolate(0.0), y, rtol=1e-15)
    np.testing.assert_allclose(step.interpolate(0.5), y * np.exp(-0.025), rtol=1e-6)
    np.testing.assert_allclose(step.interpolate(1.0), step.y, rtol=1e-15)

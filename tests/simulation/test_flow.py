"""The flow of one network against SciPy on (u, v), and at the ends of the parameter ranges."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dlnflow.model import BernoulliGaussTarget, GaussianScale, GaussianTarget, PairScale, Problem
from dlnflow.simulation import gradient_flow
from dlnflow.simulation.draw import draw_network
from dlnflow.simulation.flow import TOLERANCE, Flow, follow
from dlnflow.simulation.network import Network
from dlnflow.simulation.products import Design

TIMES = np.array([0.0, 0.1, 0.7, 2.0, 5.0, 12.0])
STRICT = 2e-5  # a tolerance whose global error is below 1e-5

SPARSE = BernoulliGaussTarget(density=0.1)
R1 = Problem(aspect_ratio=0.5, target=SPARSE, noise_std=0.1, initial_scale=0.3)
STIFF = Problem(aspect_ratio=1.0, target=SPARSE, noise_std=0.1, initial_scale=50.0)
DECAYING = Problem(aspect_ratio=0.8, target=SPARSE, noise_std=0.2, initial_scale=GaussianScale(kind="gaussian", std=0.5), weight_decay=0.05)


def data(samples: int, dimension: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((samples, dimension)) / np.sqrt(dimension)
    teacher = rng.standard_normal(dimension) * (rng.random(dimension) < 0.3)
    return X, X @ teacher + 0.1 * rng.standard_normal(samples), teacher


def rms(x) -> float:
    return float(np.sqrt(np.mean(x**2)))


def scipy_flow(X, y, u0, v0, decay, times):
    """w(t), shape (T, d), from u' = −u (h + λ), v' = −v (−h + λ) as they stand."""
    n, d = X.shape

    def field(t, uv):
        u, v = uv[:d], uv[d:]
        h = X.T @ (X @ ((u * u - v * v) / 2) - y) * d / n
        return np.concatenate([-u * (h + decay), -v * (decay - h)])

    start = np.concatenate([np.broadcast_to(u0, d), np.broadcast_to(v0, d)])
    uv = solve_ivp(field, (0, times[-1]), start, method="DOP853", t_eval=times, rtol=1e-12, atol=1e-13).y.T
    return (uv[:, :d] ** 2 - uv[:, d:] ** 2) / 2


def curves(X, y, teacher, w):
    return np.array([np.mean((w @ X.T - y) ** 2, axis=1), np.mean((w - teacher) ** 2, axis=1)])


@pytest.mark.parametrize("shape", [(20, 40), (40, 40), (100, 40)])
@pytest.mark.parametrize(("a", "decay"), [(1e-3, 0.0), (0.1, 0.02), (0.3, 0.0), (1.0, 0.3), (4.0, 0.0), (4.0, 1.0)])
def test_the_curves_agree_with_scipy_to_1e_5(shape, a, decay):
    X, y, teacher = data(*shape)
    w = gradient_flow(X, y, teacher, TIMES, initial_scale=a, weight_decay=decay, tolerance=STRICT)
    reference = curves(X, y, teacher, scipy_flow(X, y, a, a, decay, TIMES))
    # The reference itself is absolute to about 1e-11 in w, so that a loss below 1e-14 is not its to judge.
    np.testing.assert_allclose(curves(X, y, teacher, w), reference, rtol=1e-5, atol=1e-14)


@pytest.mark.parametrize("shape", [(20, 40), (100, 40)])
@pytest.mark.parametrize(("a", "decay"), [(1e-3, 0.0), (0.3, 0.0), (1.0, 0.3), (4.0, 0.0)])
def test_the_default_tolerance_keeps_the_curves_to_a_part_in_300(shape, a, decay):
    """Relative to a curve or to 1e-3 of its largest value. d = 40 is the hard case: nothing averages out."""
    X, y, teacher = data(*shape)
    reference = curves(X, y, teacher, scipy_flow(X, y, a, a, decay, TIMES))
    values = curves(X, y, teacher, gradient_flow(X, y, teacher, TIMES, initial_scale=a, weight_decay=decay))
    floor = np.maximum(reference, 1e-3 * reference.max(axis=1, keepdims=True))
    assert np.max(np.abs(values - reference) / floor) < 3e-3


@pytest.mark.parametrize("scale", [PairScale(u=0.5, v=0.2), PairScale(u=1e-4, v=2.0), GaussianScale(kind="gaussian", std=0.7)])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_unequal_and_random_initial_values_agree_with_scipy(scale, decay):
    X, y, teacher = data(30, 40)
    u0, v0 = scale.draw(40, np.random.default_rng(3))
    w = gradient_flow(X, y, teacher, TIMES, initial_scale=scale, weight_decay=decay, tolerance=STRICT, seed=3)
    reference = curves(X, y, teacher, scipy_flow(X, y, u0, v0, decay, TIMES))
    np.testing.assert_allclose(curves(X, y, teacher, w), reference, rtol=1e-5, atol=1e-14)
    np.testing.assert_allclose(w[0], (u0**2 - v0**2) / 2, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("u", "v"), [(1e-4, 100.0), (100.0, 1e-4), (1e-4, 1e-4), (100.0, 100.0)])
def test_the_ends_of_the_initial_values_stay_finite(u, v):
    problem = Problem(aspect_ratio=0.8, target=GaussianTarget(), noise_std=0.1, initial_scale=PairScale(u=u, v=v), weight_decay=0.01)
    network = draw_network(problem, 20, np.random.default_rng(0))
    parts = list(follow(Flow(network, 1e3), np.array([0.0, 1e-3, 1.0, 1e3])))
    assert all(np.isfinite(part.w).all() and np.isfinite(part.u2).all() and np.isfinite(part.v2).all() for part in parts)


def test_a_tighter_tolerance_gives_the_same_curves():
    X, y, teacher = data(150, 300)
    loose, tight = (curves(X, y, teacher, gradient_flow(X, y, teacher, TIMES, initial_scale=0.1, tolerance=e)) for e in (STRICT, 1e-8))
    np.testing.assert_allclose(loose, tight, rtol=1e-5)


@pytest.mark.parametrize(("aspect_ratio", "decay"), [(0.5, 0.0), (0.5, 0.02), (1.5, 0.0)])
def test_rounded_products_cost_less_than_a_tenth_of_the_tolerance(aspect_ratio, decay):
    """The matrix is one of single-precision numbers, so that its products in double precision are exact for the same data."""
    problem = Problem(aspect_ratio=aspect_ratio, target=GaussianTarget(), noise_std=0.2, initial_scale=0.3, weight_decay=decay)
    single = draw_network(problem, 300, np.random.default_rng(0))
    X = single.design.X.astype(np.float64)
    double = Network(Design(X), single.y, single.teacher, single.u0, single.v0, decay, single.samples, single.fixed_residual)
    one, two = (next(follow(Flow(network, 20.0), np.array([20.0]))) for network in (single, double))
    assert rms(one.w[0] - two.w[0]) < 0.1 * TOLERANCE * rms(two.w[0] - single.teacher)
    np.testing.assert_allclose(np.sum(one.r**2), np.sum(two.r**2), rtol=0.1 * TOLERANCE)


@pytest.mark.parametrize(("aspect_ratio", "decay"), [(0.5, 0.0), (0.5, 0.02), (1.5, 0.0)])
def test_residuals_and_forces_that_are_followed_stay_within_the_tolerance(aspect_ratio, decay):
    """Most ends of steps are computed from the last exact one; here each is compared with what its H gives in double precision."""
    problem = Problem(aspect_ratio=aspect_ratio, target=GaussianTarget(), noise_std=0.2, initial_scale=0.3, weight_decay=decay)
    network = draw_network(problem, 300, np.random.default_rng(0))
    flow, followed = Flow(network, 20.0), 0
    while flow.point.t < 20.0:
        flow.advance(np.nextafter(flow.point.t, np.inf))
        exact = network.compiled.at(flow.point.t, flow.point.H)
        scale = min(np.sqrt((exact.r @ exact.r + network.fixed_residual) / network.samples), rms(exact.w - network.teacher))
        assert rms(flow.point.r - exact.r) < 0.3 * TOLERANCE * scale
        assert rms((flow.point.force - exact.force) * exact.k) < TOLERANCE * scale
        followed += not flow.exact
    assert flow.steps / 2 < followed < flow.steps


@pytest.mark.parametrize("a", [30.0, 100.0])
def test_a_large_initial_scale_is_linear_regression(a):
    """ẇ = −2a² Xᵀ(Xw − y)/δ up to terms of relative size (w/2a²)², which are 3e-6 at a = 30."""
    X, y, teacher = data(60, 40)
    times = TIMES / a**2
    values, vectors = np.linalg.eigh(X.T @ X * 40 / 60)
    best = np.linalg.lstsq(X, y, rcond=None)[0]
    decay = np.exp(-2 * a**2 * values * times[:, None])
    exact = best - (decay * (best @ vectors)) @ vectors.T
    w = gradient_flow(X, y, teacher, times, initial_scale=a, tolerance=STRICT)
    np.testing.assert_allclose(w, exact, atol=10 * (1 / (2 * a**2)) ** 2 + 1e-5)


def test_very_stiff_steps_use_the_whole_spectrum():
    """δ = 1, a = 100 up to t = 10⁴ in a dozen steps; linear regression up to (w/2a²)², and single-precision data are exact data."""
    problem = Problem(aspect_ratio=1.0, target=GaussianTarget(), noise_std=0.1, initial_scale=100.0)
    network = draw_network(problem, 300, np.random.default_rng(0))
    X = network.design.X.astype(np.float64)
    times = np.array([1e-2, 1.0, 1e2, 1e4])
    flow = Flow(network, 1e4)
    parts = list(follow(flow, times))
    assert flow.steps < 30
    left, singular, _ = np.linalg.svd(X)
    decay = np.exp(-2e4 * singular**2 * times[:, None])
    residual = -(decay * (network.y @ left)) @ left.T
    exact = np.mean(residual**2, axis=1)
    values = np.concatenate([np.mean(part.r**2, axis=1) for part in parts])
    assert np.max(np.abs(values - exact) / np.maximum(exact, 1e-3 * np.mean(network.y**2))) < 3e-3


@pytest.mark.parametrize("a", [1e-4, 0.3, 100.0])
@pytest.mark.parametrize("decay", [0.0, 0.01, 10.0])
@pytest.mark.parametrize("aspect_ratio", [0.1, 2.0])
def test_the_ends_of_the_ranges_stay_finite(a, decay, aspect_ratio):
    """With warnings as errors this also shows that nothing overflows on the way."""
    target = BernoulliGaussTarget(density=0.5)
    problem = Problem(aspect_ratio=aspect_ratio, target=target, noise_std=0.1, initial_scale=a, weight_decay=decay)
    network = draw_network(problem, 20, np.random.default_rng(0))
    times = np.array([0.0, 1e-3, 1.0, 1e3, 1e5])
    w = np.concatenate([part.w for part in follow(Flow(network, times[-1]), times)])
    loss = np.sum((w @ network.design.X.astype(np.float64).T - network.y) ** 2, axis=1)
    assert np.isfinite(w).all()
    assert (loss <= loss[0] * (1 + 1e-12)).all()


def test_strong_decay_forgets_everything():
    X, y, teacher = data(30, 40)
    w = gradient_flow(X, y, teacher, np.array([0.0, 1e5]), initial_scale=0.5, weight_decay=10.0)
    assert np.abs(w).max() < 1e-100


def test_large_scale_with_decay_ends_at_the_lasso():
    """Stationary points of the flow with λ > 0 satisfy the subgradient conditions of the LASSO."""
    X, y, teacher = data(30, 40)
    w = gradient_flow(X, y, teacher, np.array([1e4]), initial_scale=30.0, weight_decay=0.05, tolerance=STRICT)[0]
    h = X.T @ (X @ w - y) * 40 / 30
    active = np.abs(w) > 1e-3
    np.testing.assert_allclose(h[active], -0.05 * np.sign(w[active]), rtol=1e-4)
    assert np.abs(h[~active]).max() <= 0.05 * (1 + 1e-4)


def test_nothing_to_learn_stays_at_zero():
    X, _, _ = data(30, 40)
    assert not gradient_flow(X, np.zeros(30), np.zeros(40), TIMES, initial_scale=0.3).any()


class OneByOne(Flow):
    """A flow that makes one step in a call."""

    def advance(self, until: float) -> None:
        while self.point.t < until:
            super().advance(np.nextafter(self.point.t, np.inf))


@pytest.mark.parametrize("problem", [R1, STIFF, DECAYING])
@pytest.mark.parametrize("truncation", [None, 0.6])
@pytest.mark.parametrize("many", [5, 400])
@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_steps_do_not_depend_on_where_calls_end(problem, truncation, many, precision):
    """The same bits whether a call makes one step or all, also where it has to stop for a spectrum."""
    times = np.concatenate([[0.0], np.geomspace(1e-3, 20.0, many)])
    drawn = draw_network(problem, 300, np.random.default_rng(0))
    data = drawn.y, drawn.teacher, drawn.u0, drawn.v0, drawn.weight_decay, drawn.samples, drawn.fixed_residual
    network = Network(Design(drawn.design.X.astype(precision)), *data, truncation)
    flows = Flow(network, 20.0), OneByOne(network, 20.0)
    parts, others = (list(follow(flow, times)) for flow in flows)
    assert flows[0].steps == flows[1].steps > 2
    for name in ("t", "w", "u2", "v2", "r"):
        assert np.array_equal(*(np.concatenate([getattr(part, name) for part in each]) for each in (parts, others)))

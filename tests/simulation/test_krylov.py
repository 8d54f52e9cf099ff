"""Functions of the Jacobian against dense matrices, and the order of a step."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from dlnflow.model import GaussianTarget, Problem
from dlnflow.native import simulation as native
from dlnflow.simulation.draw import draw_network
from dlnflow.simulation.network import Network
from dlnflow.simulation.products import Design
from dlnflow.simulation.spectrum import spectrum

PROBLEM = Problem(aspect_ratio=0.7, target=GaussianTarget(), noise_std=0.1, initial_scale=0.5, weight_decay=0.1)


def network(problem: Problem = PROBLEM, dimension: int = 30) -> Network:
    """A network whose matrix is in double precision."""
    drawn = draw_network(problem, dimension, np.random.default_rng(0))
    X = drawn.design.X.astype(np.float64)
    return Network(Design(X), drawn.y, drawn.teacher, drawn.u0, drawn.v0, drawn.weight_decay, drawn.samples, drawn.fixed_residual)


def step(net: Network, h: float, limit: float) -> native.Step:
    """From the start on, with exact products and functions of the Jacobian to `limit`."""
    start = net.compiled.at(0.0, net.compiled.start)
    return native.Step(net.compiled, start, start, h, (0.0, 0.0, 0.0, limit))


def dense_phi(p: int, A):
    """φ_p(A) from the exponential of an augmented matrix (Sidje 1998)."""
    n = len(A)
    block = np.zeros((n + p * n, n + p * n))
    block[:n, :n] = A
    for i in range(p):
        block[i * n : (i + 1) * n, (i + 1) * n : (i + 2) * n] = np.eye(n)
    return expm(block)[:n, p * n :]


@pytest.mark.parametrize("p", [0, 1, 2, 3, 4])
def test_phi_is_the_function_of_a_matrix(p):
    z = np.array([0.0, -1e-9, -0.3, -0.999, -1.001, -7.0, -40.0])
    np.testing.assert_allclose(native.phi(p, z), np.diag(dense_phi(p, np.diag(z))), rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("p", [0, 1, 3])
@pytest.mark.parametrize("h", [0.1, 3.0, 300.0])
def test_functions_of_the_jacobian_are_those_of_the_matrix(p, h):
    net = network()
    rng = np.random.default_rng(1)
    k = net.compiled.at(0.0, rng.standard_normal(30)).k.copy()
    X = net.design.X
    J = -(X.T @ X) * (30 / net.samples) * k
    b = rng.standard_normal(30)
    krylov = native.Krylov(net.design.compiled, per_sample=net.per_sample, k=k, b=b, error=0.0)
    assert krylov.build(p, 1.0, h, 1e-12) == h
    np.testing.assert_allclose(krylov.add(np.zeros(30), 1.0, p, h), dense_phi(p, h * J) @ b, atol=1e-8)


@pytest.mark.parametrize("p", [0, 1, 3])
@pytest.mark.parametrize("h", [0.1, 3.0, 1e4])
@pytest.mark.parametrize("aspect_ratio", [0.5, 2.0])
def test_the_spectrum_gives_the_same_functions(p, h, aspect_ratio):
    net = network(PROBLEM.model_copy(update={"aspect_ratio": aspect_ratio}))
    rng = np.random.default_rng(1)
    k = net.compiled.at(0.0, rng.standard_normal(30)).k.copy()
    k[:5] = 0
    J = -(net.design.X.T @ net.design.X) * (30 / net.samples) * k
    b = rng.standard_normal(30)
    values, left = np.linalg.eig(J)
    exact = (left * native.phi(p, h * np.minimum(values.real, 0))) @ np.linalg.solve(left, b)
    np.testing.assert_allclose(
        native.Spectral(net.design.compiled, per_sample=net.per_sample, spectrum=spectrum(net, k), b=b).add(np.zeros(30), 1.0, p, h),
        exact.real,
        atol=1e-6,
    )


def test_coordinates_that_the_norm_does_not_see_are_exact():
    """Where k = 0 the vector grows with τ alone, whatever the size of the space."""
    net = network(PROBLEM.model_copy(update={"initial_scale": 1e-3, "weight_decay": 0.0}))
    H = np.where(np.arange(30) < 15, 0.0, -3.0)
    k = np.where(np.arange(30) < 15, 0.0, net.compiled.at(0.0, H).k)
    b = np.zeros(30)
    b[:15] = 1.0
    b[15:] = 1e-6
    krylov = native.Krylov(net.design.compiled, per_sample=net.per_sample, k=k, b=b, error=0.0)
    krylov.build(1, 1.0, 0.5, 1e-9)
    J = -(net.design.X.T @ net.design.X) * (30 / net.samples) * k
    np.testing.assert_allclose(krylov.add(np.zeros(30), 1.0, 1, 0.5), dense_phi(1, 0.5 * J) @ b, atol=1e-9)


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize(("theta", "order"), [(1.0, 5), (0.5, 4)])
def test_a_step_has_order_four_and_its_inside_order_three(decay, theta, order):
    """Halving a step divides its error by 2⁵, and 2⁴ on the way, also where the force depends on time."""
    net = network(PROBLEM.model_copy(update={"weight_decay": decay}))

    def error(h: float) -> float:
        at, start = net.compiled.at, net.compiled.start
        flow = solve_ivp(lambda t, H: at(t, H).force, (0, theta * h), start, "DOP853", rtol=1e-13, atol=1e-15)
        return float(np.abs(step(net, h, 1e-14).at(theta * h) - flow.y[:, -1]).max())

    assert np.log2(error(0.04) / error(0.02)) == pytest.approx(order, abs=0.5)


def test_a_step_is_exact_where_the_flow_is_linear():
    """At a = 100 the slope is constant to 1e-8, so that one step may cross all time scales."""
    net = network(PROBLEM.model_copy(update={"initial_scale": 100.0, "weight_decay": 0.0}))
    values, vectors = np.linalg.eigh(net.design.X.T @ net.design.X * 30 / net.samples)
    best = np.linalg.lstsq(net.design.X, net.y, rcond=None)[0]
    h = 1e-2
    w = best - (vectors * np.exp(-2e4 * values * h)) @ (vectors.T @ best)
    np.testing.assert_allclose(step(net, h, 1e-10).end.w, w, atol=1e-6)


def test_a_step_that_is_too_stiff_for_a_krylov_space_is_shortened():
    net = network(PROBLEM.model_copy(update={"aspect_ratio": 1.0, "initial_scale": 100.0, "weight_decay": 0.0}), 400)
    made = step(net, 0.1, 1e-9)
    assert 0.01 < made.length < 0.1
    assert np.isfinite(made.end.w).all()

"""φ, the scalar map, functions of the Jacobian and a step, against plain NumPy and dense matrices."""

from decimal import Decimal, localcontext
from math import factorial

import numpy as np
import pytest

from dlnflow.native import simulation as native
from dlnflow.simulation.spectrum import spectrum
from tests.native.dense import dense_phi, jacobian, step_of_numpy
from tests.native.networks import SCALES, small_network

DECAYS = [0.0, 0.1]


def exact_phi(p: int, x: float) -> float:
    """φ_p(x) = (e^x − Σ_{j<p} x^j/j!)/x^p, with 250 digits."""
    with localcontext(prec=250):
        z = Decimal(x)
        if z == 0:
            return 1 / factorial(p)
        return float((z.exp() - sum(z**j / factorial(j) for j in range(p))) / z**p)


@pytest.mark.parametrize("p", range(6))
def test_phi_is_accurate_to_rounding(p):
    """Dividing by x p times loses digits next to −1, a factor of two in each."""
    x = -np.concatenate([[0.0], np.geomspace(1e-20, 700, 301), [0.9999999, 1.0, 1.0000001, 2**0.5]])
    np.testing.assert_allclose(native.phi(p, x), [exact_phi(p, each) for each in x], rtol=1e-15 * 3**p)


def test_phi_of_what_is_far_below_or_is_no_number():
    x = np.array([-800.0, -1e5, -1e300, -np.inf, np.nan])
    assert np.array_equal(native.phi(0, x), [0, 0, 0, 0, np.nan], equal_nan=True)
    np.testing.assert_allclose(native.phi(1, x), [1 / 800, 1e-5, 1e-300, 0, np.nan], rtol=1e-15)
    assert native.phi(3, np.empty(0)).shape == (0,)


def weights(network, t, H):
    """w, free and k as the docstring of the map defines them, in NumPy."""
    M = network.truncation

    def exponent(x):
        inside = np.minimum(np.abs(x), M)
        return np.log(inside) + (np.abs(x) - inside) / inside

    ceiling = min(60.0, 2 * np.log(M))
    c = exponent(network.u0) + exponent(network.v0) - 2 * network.weight_decay * t
    u2, v2 = np.exp(np.minimum(c - 2 * H, ceiling)), np.exp(np.minimum(c + 2 * H, ceiling))
    smooth = (1 - 1e-12) * M**2
    u, v = np.where(u2 < smooth, u2, 0), np.where(v2 < smooth, v2, 0)
    start = (exponent(network.v0) - exponent(network.u0)) / 2
    return start, {"w": (u2 - v2) / 2, "free": (u - v) / 2, "k": u + v, "scale": u2 + v2}


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("decay", DECAYS)
@pytest.mark.parametrize("truncation", [None, 0.6])
@pytest.mark.parametrize("dimension", [1, 8, 40, 77])
def test_a_point_is_that_of_numpy(scale, decay, truncation, dimension):
    network = small_network(SCALES[scale], decay, truncation, dimension, ratio=1.0)
    for t, size in ((0.0, 0.0), (3.0, 1.0), (50.0, 40.0)):
        H = size * np.random.default_rng(2).standard_normal(dimension)
        start, expected = weights(network, t, H)
        np.testing.assert_allclose(network.compiled.start, start, rtol=1e-15, atol=1e-15)
        point = network.compiled.at(t, H)
        for name in ("w", "free", "k"):
            # An exponent of 60 carries its rounding, 60 · 2⁻⁵³, over to the square.
            assert (np.abs(getattr(point, name) - expected[name]) <= 4e-14 * expected["scale"] + 1e-300).all()
        r = network.design.X @ point.w - network.y
        np.testing.assert_allclose(point.r, r, rtol=1e-13, atol=1e-13 * np.abs(r).max())
        force = network.design.X.T @ r * dimension / network.samples
        np.testing.assert_allclose(point.force, force, rtol=1e-12, atol=1e-12 * np.abs(force).max())
        assert point.t == t
        assert np.array_equal(point.H, H)


def krylov_of(network, k, b):
    return native.Krylov(network.design.compiled, per_sample=network.per_sample, k=k, b=b, error=0.0)


@pytest.mark.parametrize("p", [0, 1, 3])
@pytest.mark.parametrize("h", [0.0, 0.1, 5.0])
@pytest.mark.parametrize("clipped", [0, 7, 40])
@pytest.mark.parametrize("ratio", [0.5, 1.5])
def test_krylov_spaces_and_spectra_give_the_functions_of_the_dense_jacobian(p, h, clipped, ratio):
    network, rng = small_network(ratio=ratio), np.random.default_rng(3)
    k = rng.uniform(0.1, 2.0, 40)
    k[:clipped] = 0
    b, x = rng.standard_normal((2, 40))
    expected = x - 2 * dense_phi(p, h * jacobian(network, k)) @ b
    krylov = krylov_of(network, k, b)
    assert krylov.build(p, 1.0, h, 1e-13) == h
    np.testing.assert_allclose(krylov.add(x, -2.0, p, h), expected, atol=1e-10)
    spectral = native.Spectral(network.design.compiled, per_sample=network.per_sample, spectrum=spectrum(network, k), b=b)
    assert spectral.build(p, 1.0, h, 0.0) == h
    np.testing.assert_allclose(spectral.add(x, -2.0, p, h), expected, atol=1e-10)
    radius = np.abs(np.linalg.eigvals(jacobian(network, k))).max()
    assert spectral.radius == pytest.approx(radius, rel=1e-10)
    assert krylov.radius <= radius * (1 + 1e-12)


def test_a_krylov_space_of_nothing_is_empty():
    krylov = krylov_of(small_network(), np.ones(40), np.zeros(40))
    assert krylov.build(1, 1.0, 10.0, 0.0) == 10.0
    assert krylov.radius == 0
    assert np.array_equal(krylov.add(np.ones(40), 3.0, 1, 10.0), np.ones(40))


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("decay", DECAYS)
@pytest.mark.parametrize("truncation", [None, 0.6])
@pytest.mark.parametrize("with_spectrum", [False, True])
def test_a_step_is_that_of_dense_matrices(scale, decay, truncation, with_spectrum):
    network = small_network(SCALES[scale], decay, truncation, dimension=20)
    start, t, h = network.compiled.start, 0.4, 0.3
    end, error, inside = step_of_numpy(network, t, start, h)
    origin = network.compiled.at(t, start)
    eigen = spectrum(network, origin.k) if with_spectrum else None
    step = native.Step(network.compiled, origin, origin, h, (0.0, 0.0, 0.0, 1e-13), eigen)
    assert step.length == h
    assert step.end.t == pytest.approx(t + h, rel=1e-15)
    np.testing.assert_allclose(step.end.H, end, atol=1e-10)
    np.testing.assert_allclose(step.error, error, atol=1e-11)
    for s in (0.0, 0.1, h):
        np.testing.assert_allclose(step.at(s), inside(s), atol=1e-10)
    expected = network.compiled.at(t + h, step.end.H)
    np.testing.assert_allclose(step.end.r, expected.r, atol=1e-12)
    np.testing.assert_allclose(step.end.force, expected.force, atol=1e-11)
    assert step.exact
    loose = native.Step(network.compiled, origin, origin, h, (0.0, 0.0, np.inf, 1e-13), eigen)
    assert not loose.exact
    np.testing.assert_allclose(loose.end.r, expected.r, atol=1e-11)

"""Curves of the lazy and of the population limit, against closed forms and a finite regression."""

import numpy as np
import pytest

from dlnflow.model import DiscreteTarget, GaussianScale, GaussianTarget, PairScale
from dlnflow.theory import NoTheory, final_state, lazy, population
from tests.model.laws import LAWS
from tests.theory import finite
from tests.theory.test_final import of


@pytest.mark.parametrize("delta", [0.05, 0.5, 0.999, 1.0, 1.001, 3.0, 100.0])
def test_moments_of_the_spectrum(delta):
    """Mass min(1, δ), mean 1, second moment 1 + 1/δ."""
    moments = lazy.spectral_average(lambda x: np.stack([x**0, x, x**2]), delta)
    np.testing.assert_allclose(moments, [min(1, delta), 1, 1 + 1 / delta], rtol=1e-9)


@pytest.mark.parametrize("delta", [0.3, 0.9, 1.2, 10.0])
def test_lazy_curves_join_the_start_to_the_final_state(delta):
    curves = lazy.curves(of(delta, noise=0.4, scale=100.0), np.array([0.0, 1.0]))
    assert curves.parameter_error[0] == pytest.approx(0.1, rel=1e-9)
    assert curves.train_loss[0] == pytest.approx((0.1 + 0.16) / 2, rel=1e-9)
    final = final_state(of(delta, noise=0.4, scale=100.0))
    assert curves.parameter_error[1] == pytest.approx(final.parameter_error, rel=1e-5)
    assert curves.train_loss[1] == pytest.approx(final.train_loss, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("scale", [3.0, PairScale(u=3.0, v=2.5)])
@pytest.mark.parametrize("delta", [0.5, 2.0])
def test_lazy_curves_are_a_finite_regression(delta, scale):
    """ẇ = −κ h by the eigenvectors of XᵀX/δ, twenty draws at d = 300."""
    problem, rng = of(delta, GaussianTarget(), noise=0.5, scale=scale), np.random.default_rng(5)
    time = np.array([0.01, 0.05, 0.2, 1.0])
    curves = lazy.curves(problem, time)
    errors, losses = zip(*[regression(problem, time, rng) for _ in range(20)], strict=True)
    for values, expected in ((np.array(errors), curves.parameter_error), (np.array(losses), curves.train_loss)):
        stderr = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        assert np.all(np.abs(values.mean(axis=0) - expected) <= 3.5 * stderr + 0.005 * expected)


def regression(problem, time, rng):
    X, teacher, y = finite.draw(problem, 300, rng)
    u0, v0 = finite.initial_values(problem.initial_scale, 300, rng)
    start, kappa = (u0**2 - v0**2) / 2, (u0**2 + v0**2)[0]
    x, V = np.linalg.eigh(X.T @ X / problem.aspect_ratio)
    force = V.T @ (X.T @ (X @ start - y)) / problem.aspect_ratio
    x = np.maximum(x, 1e-14)
    ws = [start + V @ (np.expm1(-kappa * x * t) / x * force) for t in time]
    return [np.mean((w - teacher) ** 2) for w in ws], [np.mean((y - X @ w) ** 2) / 2 for w in ws]


@pytest.mark.parametrize("scale", [1e-3, 0.3, PairScale(u=0.5, v=0.1)])
def test_population_curves_solve_the_riccati_equation(scale):
    """Without decay u/v = e^q obeys Ẋ = c + 2 w* X − c X², whose solution is a hyperbolic tangent."""
    u, v = (scale.u, scale.v) if isinstance(scale, PairScale) else (scale, scale)
    c, time, error = u * v, np.array([0.1, 0.5, 1.0, 2.0, 4.0]), 0.0
    for atom in (-1.0, 0.5, 2.0):
        root = np.hypot(atom, c)
        start = (c * u / v - atom) / root
        X = (atom + root * (start + np.tanh(root * time)) / (1 + start * np.tanh(root * time))) / c
        error = error + (c * (X - 1 / X) / 2 - atom) ** 2 / 3
    problem = of(1.0, DiscreteTarget(atoms=(-1.0, 0.5, 2.0), probabilities=(1 / 3,) * 3), scale=scale)
    np.testing.assert_allclose(population.curves(problem, time).parameter_error, error, rtol=1e-5)


@pytest.mark.parametrize("name", ["gaussian", "laplace", "student_t", "uniform", "values"])
def test_population_curves_of_every_law(name):
    """The same solution, averaged over SciPy's law by adaptive quadrature."""
    law, a, time = LAWS[name], 0.3, np.array([0.2, 1.0, 3.0])

    def error(atom, t):
        c, root = a**2, np.hypot(atom, a**2)
        start = (c - atom) / root
        X = (atom + root * (start + np.tanh(root * t)) / (1 + start * np.tanh(root * t))) / c
        return (c * (X - 1 / X) / 2 - atom) ** 2

    expected = [law.expect(lambda w, t=t: error(w, t), -1.0, 0.0, 1.0) for t in time]
    found = population.curves(of(1.0, law.target, scale=a), time).parameter_error
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("scale", [0.1, 30.0, GaussianScale(kind="gaussian", std=0.3)])
def test_population_curves_end_at_soft_thresholding(scale):
    problem = of(100.0, DiscreteTarget(atoms=(0.05, 1.0), probabilities=(0.5, 0.5)), scale=scale, decay=0.1)
    curves = population.curves(problem, np.array([0.0, 1000.0]))
    assert curves.parameter_error[0] == pytest.approx(problem.initial_error, rel=1e-4)
    assert curves.parameter_error[1] == pytest.approx((0.05**2 + 0.1**2) / 2, rel=1e-3)
    assert curves.test_loss[1] == curves.train_loss[1] == pytest.approx((curves.parameter_error[1] + 0.01) / 2, rel=1e-12)


def test_where_the_lazy_limit_does_not_apply():
    with pytest.raises(NoTheory, match="constant"):
        lazy.curves(of(0.5, scale=GaussianScale(kind="gaussian", std=1.0)), np.ones(1))
    with pytest.raises(NoTheory, match="weight_decay"):
        lazy.curves(of(0.5, decay=0.1), np.ones(1))

"""Final states: against closed forms to rounding, and against finite problems within their standard errors."""

import numpy as np
import pytest

from dlnflow.model import (
    BernoulliGaussTarget,
    DiscreteTarget,
    GaussianScale,
    GaussianTarget,
    LaplaceTarget,
    PairScale,
    Problem,
    StudentTarget,
    UniformTarget,
    ValuesTarget,
)
from dlnflow.theory import NoTheory, final_state
from tests.theory import finite

SPARSE = BernoulliGaussTarget(density=0.1)
LAPLACE, STUDENT = LaplaceTarget(std=0.7), StudentTarget(degrees_of_freedom=5.0)
SAMPLE = (0.0,) * 300 + tuple(np.random.default_rng(8).exponential(size=300))
UNIFORM, VALUES = UniformTarget(low=-0.5, high=1.5), ValuesTarget(values=SAMPLE)
ATOMS = DiscreteTarget(atoms=(-1.0, 0.0, 2.0), probabilities=(0.1, 0.8, 0.1))
REMAINDER = 0.01  # of a finite problem of 400 to 600 coordinates, a few times 1/d


def of(delta, target=SPARSE, noise=0.1, scale=0.3, decay=0.0):
    return Problem(aspect_ratio=delta, target=target, noise_std=noise, initial_scale=scale, weight_decay=decay)


def test_reference_problem():
    assert final_state(of(0.5)).parameter_error == pytest.approx(0.03196, abs=1e-5)


@pytest.mark.parametrize("delta", [0.05, 0.3, 0.7, 0.99])
@pytest.mark.parametrize("target", [GaussianTarget(std=2.0), SPARSE, ATOMS, LAPLACE, STUDENT, UNIFORM, VALUES])
def test_large_initialisation_ends_at_the_minimum_l2_norm(delta, target):
    """Marchenko–Pastur: (1 − δ) E[w*²] + σ² δ/(1 − δ), up to terms of (w/a²)²."""
    problem = of(delta, target, noise=0.2, scale=100.0)
    second = problem.target_second_moment
    final = final_state(problem)
    assert final.parameter_error == pytest.approx((1 - delta) * second + 0.04 * delta / (1 - delta), rel=1e-5)
    assert final.norm == pytest.approx(delta * second + 0.04 * delta / (1 - delta), rel=1e-5)
    assert final.overlap == pytest.approx(delta * second, rel=1e-5)
    assert final.train_loss == 0


def test_small_initialisation_ends_at_the_minimum_l1_norm():
    """Linear programs at d = 400; a = 1e-4 differs from its limit, the LASSO's λ → 0, by a few percent (1/log a)."""
    rng = np.random.default_rng(1)
    draws = []
    for _ in range(12):
        X, teacher, y = finite.draw(of(0.5), 400, rng)
        draws.append(finite.summary(finite.basis_pursuit(X, y), teacher))
    finite.assert_agrees(final_state(of(0.5, decay=1e-7)), draws, REMAINDER)
    finite.assert_agrees(final_state(of(0.5, scale=1e-4)), draws, 0.04)
    errors = [final_state(of(0.5, scale=a)).l1_norm for a in (10.0, 1.0, 0.1, 0.01, 1e-3, 1e-4)]
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize(
    "problem",
    [
        of(0.5),
        of(0.5, scale=0.01),
        of(0.3, GaussianTarget(), noise=0.5, scale=0.5),
        of(0.7, ATOMS, scale=0.2),
        of(0.5, ATOMS, scale=PairScale(u=0.5, v=0.1)),
        of(0.5, scale=PairScale(u=0.1, v=1.0)),
        of(0.5, scale=GaussianScale(kind="gaussian", std=0.5)),
        of(0.5, ATOMS, scale=GaussianScale(kind="gaussian", std=2.0)),
        of(0.5, LAPLACE),
        of(0.7, STUDENT, scale=0.05),
        of(0.4, UNIFORM, noise=0.3, scale=PairScale(u=0.5, v=0.2)),
        of(0.5, VALUES, scale=0.2),
        of(0.6, LAPLACE, scale=GaussianScale(kind="gaussian", std=0.4)),
    ],
    ids=str,
)
def test_interpolation(problem):
    """Against the minimiser of the entropy over finite data."""
    rng = np.random.default_rng(2)
    draws = []
    for _ in range(10):
        X, teacher, y = finite.draw(problem, 600, rng)
        u0, v0 = finite.initial_values(problem.initial_scale, 600, rng)
        w = finite.interpolate(X, y, u0, v0)
        tangent = np.mean(np.sqrt(w**2 + (u0 * v0) ** 2))
        draws.append(finite.summary(w, teacher) | {"u_norm": tangent + w.mean(), "v_norm": tangent - w.mean()})
    finite.assert_agrees(final_state(problem), draws, REMAINDER)


@pytest.mark.parametrize(
    "problem",
    [
        of(2, noise=0.5),
        of(1.5, ATOMS, noise=1.0),
        of(5, GaussianTarget(), scale=PairScale(u=2, v=1)),
        of(2, LAPLACE, noise=0.5),
        of(1.5, UNIFORM),
    ],
    ids=str,
)
def test_least_squares(problem):
    rng = np.random.default_rng(3)
    draws = []
    for _ in range(20):
        X, teacher, y = finite.draw(problem, 400, rng)
        w = np.linalg.solve(X.T @ X, X.T @ y)
        draws.append(finite.summary(w, teacher) | {"train_loss": np.mean((y - X @ w) ** 2) / 2})
    final = final_state(problem)
    finite.assert_agrees(final, draws, REMAINDER)
    assert final.parameter_error == pytest.approx(problem.noise_std**2 / (problem.aspect_ratio - 1), rel=1e-12)


@pytest.mark.parametrize(
    "problem",
    [
        of(0.8, noise=0.2, decay=0.1),
        of(0.4, ATOMS, decay=0.03),
        of(2, GaussianTarget(), noise=0.5, decay=0.2),
        of(0.5, noise=0.0, decay=0.02),
        of(0.7, LAPLACE, decay=0.05),
        of(1.5, STUDENT, noise=0.3, decay=0.1),
        of(0.6, UNIFORM, decay=0.1),
        of(0.8, VALUES, decay=0.02),
    ],
    ids=str,
)
def test_lasso(problem):
    rng = np.random.default_rng(4)
    draws = []
    for _ in range(12):
        X, teacher, y = finite.draw(problem, 600, rng)
        w = finite.lasso(X, y, problem.weight_decay * problem.aspect_ratio)
        draws.append(finite.summary(w, teacher) | {"train_loss": np.mean((y - X @ w) ** 2) / 2, "u_norm": np.mean(abs(w) + w)})
    finite.assert_agrees(final_state(problem), draws, REMAINDER)


def test_lasso_forgets_the_initial_values():
    finals = [final_state(of(0.5, decay=0.1, scale=scale)) for scale in (0.01, 10.0, PairScale(u=1, v=3))]
    for final in finals[1:]:
        assert final.parameter_error == pytest.approx(finals[0].parameter_error, rel=1e-9)


def test_strong_decay_leaves_nothing():
    final = final_state(of(3, decay=10.0))
    assert final.norm < 1e-12
    assert final.parameter_error == pytest.approx(0.1, rel=1e-9)
    assert final.train_loss == pytest.approx((0.1 + 0.01) / 2, rel=1e-9)


def test_as_many_samples_as_parameters():
    with pytest.raises(NoTheory, match="infinite"):
        final_state(of(1.0))
    assert final_state(of(1.0, noise=0.0)).parameter_error == 0
    near = [final_state(of(delta)).parameter_error for delta in (0.999, 1.001)]
    np.testing.assert_allclose(near, 0.01 / 0.001, rtol=0.01)

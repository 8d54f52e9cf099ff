"""Other laws of the entries of X: their moments, the reduction of many rows, and that the curves do not depend on them."""

import numpy as np
import pytest

from dlnflow.model import BernoulliGaussTarget, GaussianDesign, Problem, RademacherDesign, StudentDesign
from dlnflow.simulation import simulate
from dlnflow.simulation.draw import _reduced, draw_network

RADEMACHER = RademacherDesign(kind="rademacher")
STUDENT = StudentDesign(kind="student_t", degrees_of_freedom=5.0)
PROBLEM = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.2), noise_std=0.1, initial_scale=0.3)


@pytest.mark.parametrize(("design", "kurtosis"), [(RADEMACHER, 1.0), (STUDENT, None)])
def test_entries_have_mean_zero_and_variance_one_over_d(design, kurtosis):
    """4 standard errors of 10⁶ draws; Student's t with 5 degrees of freedom has kurtosis 9, far from settled in so few."""
    X = design.entries((2000, 500), np.random.default_rng(0))
    assert X.dtype == np.float32
    X = X * np.sqrt(500)
    assert abs(X.mean(dtype=float)) < 4e-3
    assert abs(np.mean(X.astype(float) ** 2) - 1) < 4 * np.sqrt(8 / 1e6)
    if kurtosis is not None:
        assert np.mean(X.astype(float) ** 4) == pytest.approx(kurtosis, abs=4 * np.sqrt(96 / 1e6))


def test_student_tails_are_heavy():
    """Of draws with variance 1, about one in 10⁴ is beyond 8 standard deviations, against 10⁻¹⁵ for a Gaussian."""
    X = STUDENT.entries((1000, 1000), np.random.default_rng(0)) * np.sqrt(1000)
    assert 50 < np.sum(np.abs(X) > 8) < 400


@pytest.mark.parametrize("design", [RADEMACHER, STUDENT])
def test_reduced_rows_keep_the_least_squares_problem(design):
    """RᵀR = XᵀX, and for every w the loss from (R, Qᵀξ) plus what lies outside equals that from all rows."""
    d, n = 20, 70
    R, inside, outside = _reduced(design, n, d, np.random.default_rng(4))
    rng = np.random.default_rng(4)
    X, noise = design.entries((n, d), rng).astype(np.float64), rng.standard_normal(n)
    np.testing.assert_allclose(R.T @ R, X.T @ X, atol=1e-5)
    for w in rng.standard_normal((5, d)):
        assert np.sum((R @ w - inside) ** 2) + outside == pytest.approx(np.sum((X @ w - noise) ** 2), rel=1e-5)


def test_a_singular_design_can_be_reduced():
    """With 10 signs to a row, some of 300 designs of 21 rows have two columns that agree up to sign, or nearly."""
    problem = PROBLEM.model_copy(update={"aspect_ratio": 2.1})
    networks = [draw_network(problem, 10, np.random.default_rng(seed), RADEMACHER) for seed in range(300)]
    assert all(np.isfinite(network.y).all() and network.fixed_residual >= 0 for network in networks)


def test_rows_are_kept_where_that_is_cheaper():
    assert [RADEMACHER.rows_kept(n, 100) for n in (50, 150, 201)] == [50, 150, 100]
    assert [GaussianDesign().rows_kept(n, 100) for n in (50, 150)] == [50, 100]


@pytest.mark.parametrize("aspect_ratio", [0.5, 1.5, 3.0])
@pytest.mark.parametrize("design", [RADEMACHER, STUDENT])
def test_the_curves_do_not_depend_on_the_law_of_the_entries(design, aspect_ratio):
    """Universality: the limits are the same, and corrections of order 1/d are below 4 standard errors here."""
    problem = PROBLEM.model_copy(update={"aspect_ratio": aspect_ratio})
    times = np.array([0.0, 1.0, 4.0])
    one, two = (simulate(problem, 4.0, times=times, dimension=300, replicas=12, seed=2, design=kind) for kind in (None, design))
    for name in ("train_loss", "parameter_error"):
        spread = np.hypot(one.stderr[name], two.stderr[name])
        assert (np.abs(one.values[name] - two.values[name]) < 4 * spread).all()

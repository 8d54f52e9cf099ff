import numpy as np
import pytest

from dlnflow.design import GaussianDesign, RademacherDesign, StudentDesign
from dlnflow.problem import GaussianTarget, Problem
from dlnflow.simulation.draw import draw_network
from dlnflow.simulation.products import ROUNDED, SINGLE, Design


def relative_error(X, error):
    x = np.random.default_rng(1).standard_normal(X.shape[1])
    exact = X.astype(np.float64).T @ (X.astype(np.float64) @ x)
    return np.linalg.norm(Design(X).gram(x, error) - exact) / np.linalg.norm(exact)


def matrix(design, aspect_ratio=0.5):
    problem = Problem(aspect_ratio=aspect_ratio, target=GaussianTarget(), noise_std=0.1, initial_scale=0.1)
    return draw_network(problem, 500, np.random.default_rng(0), design).design.X


def test_products_are_as_accurate_as_asked_and_not_much_more():
    X = matrix(GaussianDesign())
    assert relative_error(X, 0.0) < 1e-15
    assert 1e-15 < relative_error(X, SINGLE) < 1e-6
    assert 1e-6 < relative_error(X, ROUNDED) < ROUNDED
    assert relative_error(matrix(RademacherDesign(kind="rademacher")), ROUNDED) < 1e-6


def test_every_column_has_its_own_unit():
    X = matrix(GaussianDesign()) * np.logspace(-6, 6, 500, dtype=np.float32)
    x = np.zeros(500)
    x[0] = 1
    exact = X.astype(np.float64).T @ (X.astype(np.float64) @ x)
    np.testing.assert_allclose(Design(X).gram(x, ROUNDED)[0], exact[0], rtol=ROUNDED)
    X[:, 3] = 0
    assert Design(X).gram(x, ROUNDED)[3] == 0


@pytest.mark.parametrize("X", [matrix(StudentDesign(kind="student_t", degrees_of_freedom=3.0)), matrix(GaussianDesign(), 2.0)])
def test_columns_with_few_large_entries_stay_in_single_precision(X):
    assert relative_error(X, ROUNDED) < 1e-6


def test_two_halves_give_the_product_of_the_whole(monkeypatch):
    X = matrix(GaussianDesign())
    monkeypatch.setattr("dlnflow.simulation.products.SPLIT", 1000)
    assert relative_error(X, 0.0) < 1e-15
    assert relative_error(X, ROUNDED) < ROUNDED

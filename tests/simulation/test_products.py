import numpy as np
import pytest

from dlnflow.model import GaussianDesign, GaussianTarget, Problem, RademacherDesign, StudentDesign
from dlnflow.native import simulation as native
from dlnflow.simulation.draw import draw_network
from dlnflow.simulation.products import Design

ROUNDED, SINGLE = native.ROUNDED, native.SINGLE
RADEMACHER = RademacherDesign(kind="rademacher")
STUDENT = StudentDesign(kind="student_t", degrees_of_freedom=3.0)


def relative_error(design, error):
    x = np.random.default_rng(1).standard_normal(design.dimension)
    X = design.X.astype(np.float64)
    exact = X.T @ (X @ x)
    return np.linalg.norm(design.products(x, error)[1] - exact) / np.linalg.norm(exact)


def drawn(kind, aspect_ratio=0.5):
    problem = Problem(aspect_ratio=aspect_ratio, target=GaussianTarget(), noise_std=0.1, initial_scale=0.1)
    return draw_network(problem, 500, np.random.default_rng(0), kind).design


def full(rows=250):
    return np.random.default_rng(0).standard_normal((rows, 500), dtype=np.float32)


@pytest.mark.parametrize("design", [Design(full()), Design(full(253)), drawn(GaussianDesign(), 0.5), drawn(GaussianDesign(), 2.0)])
def test_products_are_as_accurate_as_asked_and_not_much_more(design):
    assert relative_error(design, 0.0) < 1e-15
    assert 1e-15 < relative_error(design, SINGLE) < 1e-6
    assert 1e-6 < relative_error(design, ROUNDED) < ROUNDED


def test_signs_are_integers():
    assert relative_error(drawn(RADEMACHER), ROUNDED) < 1e-6


@pytest.mark.parametrize("triangular", [False, True])
def test_every_column_has_its_own_unit(triangular):
    X = full() * np.logspace(-6, 6, 500, dtype=np.float32)
    if triangular:
        X = np.triu(X)
    x = np.zeros(500)
    x[0] = 1
    exact = X.astype(np.float64).T @ (X.astype(np.float64) @ x)
    np.testing.assert_allclose(Design(X, triangular=triangular).products(x, ROUNDED)[1][0], exact[0], rtol=ROUNDED)
    X[:, 3] = 0
    assert Design(X, triangular=triangular).products(x, ROUNDED)[1][3] == 0


def test_columns_with_few_large_entries_stay_in_single_precision():
    assert relative_error(drawn(STUDENT), ROUNDED) < 1e-6


@pytest.mark.parametrize("design", [full(), np.triu(full()), np.triu(full(500))])
def test_two_halves_give_the_product_of_the_whole(design, monkeypatch):
    monkeypatch.setattr("dlnflow.simulation.products.SPLIT", 1000)
    halves = Design(design, triangular=not design[-1, 0])
    assert relative_error(halves, 0.0) < 1e-15
    assert relative_error(halves, ROUNDED) < 10 * ROUNDED


def test_halves_of_a_triangular_matrix_are_as_large(monkeypatch):
    monkeypatch.setattr("dlnflow.simulation.products.SPLIT", 1000)
    for rows in (100, 250, 500):
        cut = Design(np.triu(full(rows)), triangular=True).cut
        entries = [sum(500 - i for i in part) for part in (range(cut), range(cut, rows))]
        assert entries[0] == pytest.approx(entries[1], rel=0.02)


@pytest.mark.parametrize("design", [Design(full()), drawn(GaussianDesign(), 0.3), drawn(GaussianDesign(), 1.0)])
def test_images_are_those_of_the_matrix(design):
    W = np.random.default_rng(2).standard_normal((7, 500))
    np.testing.assert_allclose(design.images(W), W @ design.X.astype(np.float64).T, atol=1e-5 * np.abs(design.X).max())

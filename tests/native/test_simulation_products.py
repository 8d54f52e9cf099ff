"""Products with a design against NumPy's in double precision, of every type of entries and sums."""

from itertools import product

import numpy as np
import pytest

from dlnflow.model import GaussianTarget, Problem, RademacherDesign, StudentDesign
from dlnflow.native import simulation as native
from dlnflow.simulation.draw import draw_network
from tests.native.networks import SHAPES, compiled_design, matrix

DOUBLE_SUMS, SINGLE_SUMS = 1e-14, 2e-6  # relative to the sum of absolute values: some times the rounding of one product
KINDS = {"student": StudentDesign(kind="student_t", degrees_of_freedom=3.0), "signs": RademacherDesign(kind="rademacher"), "gaussian": None}


def allowed(X, x, y, relative):
    """What rounding may make of Xx − y and of Xᵀ times that."""
    r = np.abs(X) @ np.abs(x) + np.abs(y)
    return relative * (r + 1e-300), relative * (np.abs(X).T @ r + 1e-300)


def assert_near(found, X, x, y, relative):
    r = X @ x - y
    for got, exact, error in zip(found, (r, X.T @ r), allowed(X, x, y, relative), strict=True):
        assert got.dtype == np.float64
        assert (np.abs(got - exact) <= error).all()


def vectors(shape, seed=1):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape[1]), rng.standard_normal(shape[0])


@pytest.mark.parametrize(("shape", "triangular"), [*product(SHAPES, [False, True]), ((90, 7), False)])
@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_the_residual_and_the_force_are_those_of_double_precision(shape, precision, triangular):
    X, (w, y) = matrix(shape, precision, triangular), vectors(shape)
    for cut in {0, shape[0] // 3}:
        found = compiled_design(X, triangular, cut).residual_and_force(w, y)
        assert_near(found, X.astype(np.float64), w, y, DOUBLE_SUMS)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("triangular", [False, True])
def test_products_in_single_precision(shape, triangular):
    X, (x, _) = matrix(shape, np.float32, triangular), vectors(shape)
    found = compiled_design(X, triangular).products(x, native.SINGLE)
    assert_near(found, X.astype(np.float64), x, 0 * vectors(shape)[1], SINGLE_SUMS)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("triangular", [False, True])
def test_products_with_integers(shape, triangular):
    """The twin multiplies the same integers, units and diagonal in double precision."""
    rng = np.random.default_rng(0)
    Q = rng.integers(-32767, 32768, shape).astype(np.int16)
    units, diagonal = rng.uniform(0.5, 2.0, shape[1]), rng.standard_normal(shape[0]) * 1e5 if triangular else np.empty(0)
    if triangular:
        Q = np.triu(Q, 1)
    X, (x, _) = Q * units, vectors(shape)
    X[np.arange(len(diagonal)), np.arange(len(diagonal))] = diagonal
    for cut in {0, shape[0] // 2}:
        design = compiled_design(matrix(shape, np.float32), triangular, cut, rounded=Q, units=units, diagonal=diagonal)
        assert_near(design.products(x, native.ROUNDED), X, x, np.zeros(shape[0]), SINGLE_SUMS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ratio", [0.3, 1.0, 2.5])
def test_products_of_drawn_designs(kind, ratio):
    problem = Problem(aspect_ratio=ratio, target=GaussianTarget(), initial_scale=0.1)
    design = draw_network(problem, 403, np.random.default_rng(0), KINDS[kind]).design
    X, (x, y) = design.X.astype(np.float64), vectors(design.X.shape)
    zero = np.zeros_like(y)
    assert_near(design.compiled.residual_and_force(x, y), X, x, y, DOUBLE_SUMS)
    assert_near(design.compiled.products(x, 0.0), X, x, zero, DOUBLE_SUMS)
    assert_near(design.compiled.products(x, native.SINGLE), X, x, zero, SINGLE_SUMS)
    exact = X.T @ (X @ x)
    assert np.linalg.norm(design.compiled.products(x, native.ROUNDED)[1] - exact) < native.ROUNDED * np.linalg.norm(exact)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("error", [0.0, native.SINGLE, native.ROUNDED])
def test_the_bits_do_not_depend_on_the_number_of_threads(precision, error):
    X = matrix((301, 403), precision, triangular=True)
    beside = {}
    if precision == np.float32:
        rounded, units, _ = native.round_columns(X, triangular=True, levels=32767)
        beside = {"rounded": rounded, "units": units.astype(float), "diagonal": np.diagonal(X).astype(float)}
    x, _ = vectors(X.shape)
    one, two, three = (compiled_design(X, True, 100, threads, **beside).products(x, error) for threads in (1, 2, 3))
    for each in (two, three):
        assert all(np.array_equal(a, b) for a, b in zip(one, each, strict=True))
    whole = compiled_design(X, True, 0, **beside).products(x, error)
    assert np.array_equal(whole[0], one[0])
    assert not np.array_equal(whole[1], one[1])  # halves are summed apart


@pytest.mark.parametrize("levels", [1, 100, 32767])
@pytest.mark.parametrize("triangular", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_rounded_columns_are_those_of_numpy(shape, triangular, levels):
    X = matrix(shape, np.float32, triangular) * np.logspace(-3, 3, shape[1], dtype=np.float32)
    X[:, shape[1] // 2] = 0
    Q, units, squares = native.round_columns(X, triangular=triangular, levels=levels)
    inner = np.triu(X, 1) if triangular else X
    expected = np.abs(inner).max(axis=0) / np.float32(levels)
    factors = np.divide(np.float32(1), expected, out=np.zeros_like(expected), where=expected > 0)
    assert Q.dtype == np.int16
    assert np.array_equal(units, expected)
    assert np.array_equal(Q, np.rint(inner * factors))
    np.testing.assert_allclose(squares, (X.astype(float) ** 2).sum(axis=0), rtol=1e-6 * np.sqrt(shape[0]))


def test_subnormal_numbers_count_as_zero_in_products_and_nowhere_else():
    X = np.full((8, 16), 1e-30, np.float32)
    r, image = compiled_design(X).products(np.full(16, 1e-15), native.SINGLE)
    assert not r.any()
    assert not image.any()
    assert np.float32(1e-30) * np.float32(1e-15) > 0
    r, _ = compiled_design(X).products(np.full(16, 1e-15), 0.0)
    np.testing.assert_allclose(r, 16e-45, rtol=1e-6)

"""What the compiled simulation cannot take is refused by name, and never read beyond its end."""

import numpy as np
import pytest

from dlnflow.native import simulation as native
from tests.native.networks import compiled_design, small_network

X = np.ones((6, 10))
SINGLE = X.astype(np.float32)
Q = np.ones((6, 10), np.int16)
NETWORK = small_network(dimension=10, ratio=0.6)
POINT = NETWORK.compiled.at(0.0, NETWORK.compiled.start)
OTHER = small_network(dimension=12, ratio=0.6)
ONES = np.ones(10)
SPECTRUM = native.Spectrum(ONES, -np.ones(6), np.eye(6))
LARGER = native.Spectrum(np.ones(12), ONES, np.eye(10))
BESIDE = {"rounded": Q, "units": ONES, "diagonal": np.empty(0)}


def design(X=SINGLE, **others):
    return compiled_design(X, **others)


def network(**others):
    values = {"y": np.ones(6), "teacher": ONES, "u0": ONES, "v0": ONES, "weight_decay": 0.0, "samples": 6, "fixed_residual": 0.0}
    return native.Network(design(), **(values | {"truncation": np.inf} | others))


def flow(network=NETWORK):
    return native.Flow(network.compiled, tolerance=1e-3, end=1.0)


def step(origin=POINT, base=POINT, spectrum=None):
    return native.Step(NETWORK.compiled, origin, base, 0.1, (0.0, 0.0, 0.0, 1e-6), spectrum)


def krylov(k=ONES, b=ONES):
    return native.Krylov(NETWORK.design.compiled, per_sample=1.0, k=k, b=b, error=0.0)


def spectral(network=NETWORK, b=ONES):
    return native.Spectral(network.design.compiled, per_sample=1.0, spectrum=SPECTRUM, b=b)


def advance(spectrum=None, watch=lambda t: None):
    return flow().advance(1.0, stiffest=0.0, spectrum=spectrum, watch=watch)


def vectors_of(name):
    """Messages, and what cannot be the vector `name` of 10 numbers."""
    yield name, None
    yield f"{name} has the shape", np.ones(9)
    yield f"{name} has the shape", np.ones(0)
    for bad in (np.ones((1, 10)), ONES.astype(np.float32), ONES.astype(int), np.ones(20)[::2], ONES.astype(">f8"), list(ONES), 1.0):
        yield f"{name} has to be a contiguous array of type float64 and 1 axes", bad


NO_MATRICES = [np.ones(10), np.ones((2, 3, 4)), X.T, X[:, ::2], X.astype(int), X.astype(np.float16), X.astype(complex), "X"]

TAKE_A_VECTOR = {
    "w": lambda bad: design().residual_and_force(bad, np.ones(6)),
    "x": lambda bad: design().products(bad, 0.0),
    "units": lambda bad: design(**(BESIDE | {"units": bad})),
    "teacher": lambda bad: network(teacher=bad),
    "u0": lambda bad: network(u0=bad),
    "v0": lambda bad: network(v0=bad),
    "H": lambda bad: NETWORK.compiled.at(0.0, bad),
    "k": lambda bad: krylov(k=bad),
    "b": lambda bad: spectral(b=bad),
}
REFUSED = {
    "y of products": (lambda: design().residual_and_force(ONES, ONES), ValueError, r"y has the shape \(10\) where \(6\) is wanted"),
    "y of a network": (lambda: network(y=ONES), ValueError, "y has the shape"),
    "rounded of another shape": (lambda: design(**(BESIDE | {"rounded": Q[:5]})), ValueError, "rounded has the shape"),
    "rounded of another type": (
        lambda: design(**(BESIDE | {"rounded": SINGLE})),
        TypeError,
        "rounded has to be .* of type int16",
    ),
    "a diagonal of none": (lambda: design(**(BESIDE | {"diagonal": np.ones(6)})), ValueError, "diagonal has the shape"),
    "no diagonal": (lambda: design(triangular=True, **BESIDE), ValueError, "diagonal has the shape"),
    "triangular and high": (lambda: design(np.ones((11, 10)), triangular=True), ValueError, "X is triangular and has more rows"),
    "cut beyond": (lambda: design(cut=6), ValueError, "cut has to be"),
    "cut before": (lambda: design(cut=-1), ValueError, "cut has to be"),
    "threads": (lambda: design(threads="two"), TypeError, "threads"),
    "no columns": (lambda: design(np.ones((3, 0))), ValueError, "X has no columns"),
    "no levels": (lambda: native.round_columns(SINGLE, triangular=False, levels=0), ValueError, "levels has to be"),
    "too many levels": (lambda: native.round_columns(SINGLE, triangular=False, levels=32768), ValueError, "levels has to be"),
    "rounding of doubles": (
        lambda: native.round_columns(X, triangular=False, levels=9),
        TypeError,
        "X has to be a contiguous array of type float32",
    ),
    "no samples": (lambda: network(samples=0), ValueError, "samples has to be at least 1"),
    "no truncation": (lambda: network(truncation=0.0), ValueError, "truncation has to be above 0"),
    "truncation that is no number": (lambda: network(truncation=np.nan), ValueError, "truncation has to be above 0"),
    "a row beyond": (lambda: design().batch(np.array([0, 6]), ONES, np.ones(2)), ValueError, "rows has to be between"),
    "a row before": (lambda: design().batch(np.array([-1]), ONES, np.ones(1)), ValueError, "rows has to be between"),
    "rows of another type": (lambda: design().batch(np.array([0.0]), ONES, np.ones(1)), TypeError, "rows has to be .* of type int64"),
    "y of a batch": (lambda: design().batch(np.array([0]), ONES, np.ones(2)), ValueError, "y has the shape"),
    "a batch of a factor": (lambda: design(triangular=True).batch(np.array([0]), ONES, np.ones(1)), ValueError, "X is triangular"),
    "a negative order": (lambda: native.phi(-1, ONES), ValueError, "p has to be between 0 and 10"),
    "an order beyond": (lambda: krylov().add(ONES, 1.0, 11, 1.0), ValueError, "p has to be"),
    "x of add": (lambda: krylov().add(np.ones(4), 1.0, 1, 1.0), ValueError, "x has the shape"),
    "vectors that are not square": (lambda: native.Spectrum(ONES, ONES, np.ones((10, 9))), ValueError, "vectors has the shape"),
    "decay of another shape": (lambda: native.Spectrum(ONES, ONES, np.eye(6)), ValueError, "decay has the shape"),
    "another's spectrum": (
        lambda: spectral(network=OTHER, b=np.ones(12)),
        ValueError,
        "spectrum is that",
    ),
    "another's spectrum in a flow": (
        lambda: advance(spectrum=native.Spectrum(np.ones(12), ONES, np.eye(10))),
        ValueError,
        "spectrum is that",
    ),
    "another's spectrum in a step": (lambda: step(spectrum=LARGER), ValueError, "spectrum is that"),
    "another's origin": (lambda: step(origin=OTHER.compiled.at(0.0, np.ones(12))), ValueError, "origin or base is that"),
    "another's base": (lambda: step(base=OTHER.compiled.at(0.0, np.ones(12))), ValueError, "origin or base is that"),
    "no origin": (lambda: step(origin=None), (TypeError, ValueError), "origin"),
    "no network": (lambda: native.Flow(None, tolerance=1e-3, end=1.0), TypeError, "network"),
    "a watch that is none": (lambda: advance(watch=3), TypeError, "watch"),
    "a spectrum that is none": (lambda: advance(spectrum=3), TypeError, "spectrum"),
}


@pytest.mark.parametrize("name", TAKE_A_VECTOR)
def test_other_arrays_than_vectors_of_doubles_are_refused(name):
    for message, bad in vectors_of(name):
        with pytest.raises((TypeError, ValueError), match=message):
            TAKE_A_VECTOR[name](bad)


@pytest.mark.parametrize("bad", NO_MATRICES)
def test_other_arrays_than_matrices_are_refused(bad):
    with pytest.raises(TypeError, match="X has to be a contiguous array of type float32 or float64 and 2 axes"):
        design(bad)


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_by_name(name):
    call, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        call()


def test_the_arguments_of_these_tests_are_taken_where_they_fit():
    """So that what is refused is what each test is about."""
    for call in (network, step, lambda: step(spectrum=SPECTRUM), lambda: design(**BESIDE), lambda: design(cut=3), advance):
        call()
    for name, call in TAKE_A_VECTOR.items():
        assert call(ONES) is not None, name
    empty = design(np.ones((0, 10), np.float32))
    r, image = empty.residual_and_force(ONES, np.empty(0))
    assert r.shape == (0,)
    assert np.array_equal(image, np.zeros(10))


def test_products_of_what_is_no_number_are_no_numbers():
    bad = SINGLE.copy()
    bad[2, 3] = np.nan
    for error in (0.0, native.SINGLE):
        r, image = design(bad).products(ONES, error)
        assert np.isnan(r[2])
        assert np.isnan(image).all()
    for value in (np.nan, np.inf, -np.inf):
        bad[2, 3] = value
        rounded, _, _ = native.round_columns(bad, triangular=False, levels=100)
        assert np.abs(rounded).max() <= 100


def test_arrays_outlive_the_names_that_python_has_for_them():
    """The matrix is not copied, and what is computed from it is a view of an object that it keeps."""
    made = compiled_design(np.full((300, 400), 2.0))
    junk = [np.zeros((300, 400)) for _ in range(5)]
    r, _ = made.residual_and_force(np.ones(400), np.zeros(300))
    assert (r == 800).all()
    H = small_network().compiled.at(0.0, np.full(40, 0.25)).H
    junk += [np.zeros(40) for _ in range(100)]
    assert (H == 0.25).all()
    assert not H.flags.writeable

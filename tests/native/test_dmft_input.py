"""Bad input to the compiled loops is an exception that names the argument, never a crash."""

import numpy as np
import pytest

from dlnflow.dmft import paths as workspace
from dlnflow.native import dmft as native
from tests.native.twin import Problem

PATHS = ("modes", "target", "scale", "root", "origin", "weights", "strata")


def lanes(shape, kind=np.float64):
    room = workspace.lanes(shape, kind)
    room[:] = 0
    return room


@pytest.fixture
def problem():
    return Problem(paths=64)


def paths_of(problem, **changed):
    names = (*PATHS, "folded", "depth", "threshold")
    return native.Paths(**{name: getattr(problem, name) for name in names} | changed)


def advance_arguments(problem):
    m, P = problem.order, problem.paths
    pairs = (P // native.SINGLE_LANES, 8, native.SINGLE_LANES)
    return {
        "factor": problem.factor[:m],
        "memory": np.ascontiguousarray(problem.memory[:m, :m]),
        "integral": problem.integrals[0],
        "quadrature": problem.quadratures[0],
        "decay": problem.decay[:m],
        "shift": problem.integrals[0, -1].copy(),
        "height": lanes((P // native.LANES, 8, native.LANES)),
        "error": lanes((P // native.LANES, 8, native.LANES)),
        "running": lanes((P // native.LANES, 8, native.LANES)),
        "slope": lanes((P // native.LANES, m, native.LANES)),
        "tangents": [lanes((P // native.SINGLE_LANES, m, m, native.SINGLE_LANES), np.float32)],
        "edge": lanes(pairs, np.float32),
        "reached": lanes(pairs, np.float32),
        "early": np.zeros(P // native.BLOCK, np.int64),
        "kinds": 1,
        "known": 2,
    }


def refuses(function, problem, arguments, name):
    """An argument of another shape, another type or another layout is an error that names it."""
    given = arguments[name]
    strided = np.stack([given] * 2, axis=-1)[..., 0] if given.size > 1 else np.zeros((1, 1))
    for wrong, error in ((np.concatenate([given] * 3), ValueError), (given.astype(np.complex64), TypeError), (strided, TypeError)):
        with pytest.raises(error, match=name):
            function(problem.native, (0, 1), **arguments | {name: wrong})


@pytest.mark.parametrize("name", PATHS)
def test_paths_of_another_shape(problem, name):
    with pytest.raises(ValueError, match={"target": "modes"}.get(name, name)):  # all else is held against the target
        paths_of(problem, **{name: np.concatenate([getattr(problem, name)] * 2, axis=-1)})


@pytest.mark.parametrize("name", PATHS)
def test_paths_of_another_type(problem, name):
    with pytest.raises(TypeError, match=name):
        paths_of(problem, **{name: getattr(problem, name).astype(np.complex64)})


def test_paths_that_cannot_be(problem):
    with pytest.raises(ValueError, match="depth"):
        paths_of(problem, depth=1.5)
    with pytest.raises(ValueError, match="depth"):
        paths_of(problem, depth=float("nan"))
    with pytest.raises(ValueError, match="strata"):
        paths_of(problem, strata=np.array([-1]))
    few = {name: getattr(problem, name)[..., :10].copy() for name in PATHS[:-1]}
    with pytest.raises(ValueError, match="target"):
        paths_of(problem, **few)


@pytest.mark.parametrize("name", ["factor", "memory", "integrals", "quadratures", "ahead", "decay"])
def test_propagate(problem, name):
    arguments = problem.arguments()
    fewer = arguments[name][:-1].copy()
    with pytest.raises(ValueError, match={"integrals": "memory"}.get(name, name)):  # all else is held against the integrals
        native.propagate(problem.native, **arguments | {name: fewer})
    for wrong, error in (
        (np.stack([arguments[name]] * 2), TypeError),
        (np.repeat(arguments[name], 2, axis=0)[::2], TypeError),
        (arguments[name].astype(np.float32), TypeError),
        (None, TypeError),
    ):
        with pytest.raises(error, match=name):
            native.propagate(problem.native, **arguments | {name: wrong})


def test_propagate_of_what_is_not_finite(problem):
    """No path settles."""
    arguments = problem.arguments()
    for name in ("factor", "memory", "decay"):
        assert native.propagate(problem.native, **arguments | {name: np.full_like(arguments[name], np.nan)}) is None
    assert native.propagate(problem.native, **arguments | {"factor": np.full_like(problem.factor, 1e300)}) is None


def test_propagate_with_heights_of_another_shape_and_too_few_kinds(problem):
    with pytest.raises(ValueError, match="heights"):
        native.propagate(problem.native, **problem.arguments() | {"heights": np.empty((3, 3))})
    with pytest.raises(ValueError, match="kinds"):
        native.propagate(problem.native, **problem.arguments() | {"kinds": 0})
    with pytest.raises(ValueError, match="factor"):
        native.propagate(problem.native, **problem.arguments() | {"factor": np.ones((problem.size, 100))})
    with pytest.raises(ValueError, match="integrals"):
        nothing = {"integrals": (0, 4, 4), "memory": (0, 0), "quadratures": (0, 4, 5), "ahead": (0, 3), "factor": (0, 2), "decay": (0,)}
        native.propagate(problem.native, **problem.arguments() | {name: np.empty(shape) for name, shape in nothing.items()})


@pytest.mark.parametrize(
    "name",
    ["factor", "memory", "integral", "quadrature", "decay", "shift", "height", "error", "running", "slope", "edge", "reached", "early"],
)
def test_advance(problem, name):
    arguments = advance_arguments(problem)
    refuses(native.advance, problem, arguments, name)


def test_advance_with_what_does_not_belong_together(problem):
    arguments = advance_arguments(problem)
    changes = {
        "tangents": ([], [arguments["tangents"][0]] * 2, [np.empty((1, 4, 4, 16), np.float32)]),
        "early": (np.array([4]), np.array([-4]), np.array([1])),
        "memory": (np.ones((4, 6)), np.ones((4, 12)), np.ones((4, 3))),
        "kinds": (0,),
        "known": (-1, 1000),
    }
    for name, values in changes.items():
        for value in values:
            with pytest.raises(ValueError, match=name):
                native.advance(problem.native, (0, 1), **arguments | {name: value})
    for blocks in ((0, 2), (-1, 1)):
        with pytest.raises(ValueError, match="blocks"):
            native.advance(problem.native, blocks, **arguments)
    crooked = arguments["height"].ravel().view(np.uint8)
    crooked = np.concatenate([crooked, crooked])[8 : 8 + crooked.size].view(np.float64).reshape(arguments["height"].shape)
    if crooked.ctypes.data % native.ALIGNMENT:
        with pytest.raises(ValueError, match="height is not aligned"):
            native.advance(problem.native, (0, 1), **arguments | {"height": crooked})


def differentiate_arguments(problem):
    arguments, m = advance_arguments(problem), problem.order
    names = ("factor", "memory", "integral", "decay", "shift", "height", "error", "slope", "early")
    moves = {name: arguments[name] for name in names}
    return moves | {"response": np.eye(m), "tangents": arguments["tangents"][0]}


@pytest.mark.parametrize(
    "name", ["factor", "memory", "response", "integral", "decay", "shift", "height", "error", "slope", "tangents", "early"]
)
def test_differentiate(problem, name):
    arguments = differentiate_arguments(problem)
    refuses(native.differentiate, problem, arguments, name)


def test_differentiate_with_what_does_not_belong_together(problem):
    arguments = differentiate_arguments(problem)
    for name, values in {"early": (np.array([4]), np.array([-4])), "memory": (np.ones((4, 6)), np.ones((4, 12)))}.items():
        for value in values:
            response = {"response": np.ones_like(value)} if name == "memory" else {}
            shift = {"shift": np.ones(value.shape[1])} if name == "memory" else {}
            with pytest.raises(ValueError, match=name):
                native.differentiate(problem.native, (0, 1), **arguments | response | shift | {name: value})
    with pytest.raises(ValueError, match="factor"):
        native.differentiate(problem.native, (0, 1), **arguments | {"factor": np.ones((4, 100))})
    with pytest.raises(ValueError, match="blocks"):
        native.differentiate(problem.native, (0, 2), **arguments)


def test_a_panel_without_nodes(problem):
    """Nothing is counted in panels of none."""
    none = {"integral": (0, 0), "memory": (0, 4), "factor": (0, 2), "decay": (0,)}
    empty = {name: np.zeros(shape) for name, shape in none.items()}
    with pytest.raises(ValueError, match="integral is of panels of 0 nodes"):
        native.advance(problem.native, (0, 1), **advance_arguments(problem) | empty)
    with pytest.raises(ValueError, match="integral is of panels of 0 nodes"):
        native.differentiate(problem.native, (0, 1), **differentiate_arguments(problem) | empty)


def test_other_functions(problem):
    height = lanes((8, 8, native.LANES))
    with pytest.raises(ValueError, match="nodes"):
        native.extrapolate(problem.native, 6, ahead=np.zeros((4, 3)), decay=np.zeros(5), height=height)
    with pytest.raises(ValueError, match="decay"):
        native.extrapolate(problem.native, 4, ahead=np.zeros((4, 3)), decay=np.zeros(4), height=height)
    with pytest.raises(ValueError, match="integral"):
        native.extrapolate(problem.native, 0, ahead=np.zeros((2, 3)), decay=np.zeros(3), height=height)
    for function in (native.weigh, native.layers):
        with pytest.raises(ValueError, match="heights"):
            function(problem.native, decay=np.zeros(2), heights=np.zeros((3, 64)))


def test_algebra():
    square = np.eye(4)
    rows = {"response": square, "correlation": square}
    with pytest.raises(ValueError, match="known"):
        native.implied(**rows, known=np.zeros((1, 2)), aspect_ratio=1.0, noise=0.0)
    with pytest.raises(ValueError, match="correlation"):
        native.implied(response=square, correlation=np.ones((4, 5)), known=np.zeros((0, 0)), aspect_ratio=1.0, noise=0.0)
    with pytest.raises(ValueError, match="wanted"):
        native.factor(correlation=square, readout=np.zeros((0, 0)), start=1.0, roots=np.ones(4), wanted=np.ones((4, 5)))
    with pytest.raises(ValueError, match="roots"):
        native.factor(correlation=square, readout=np.zeros((0, 0)), start=1.0, roots=np.ones(3), wanted=None)
    assert native.factor(correlation=np.nan * square, readout=np.zeros((0, 0)), start=1.0, roots=np.ones(4), wanted=None) is None
    noise = {"regression": np.ones((4, 6)), "earlier": np.ones((2, 0)), "rows": np.ones((4, 6)), "factor": np.ones((0, 4))}
    past = {"past_expected": np.ones((0, 4)), "past_excess": np.ones((0, 4))}
    for name, wrong in (
        ("response", np.ones((4, 3))),
        ("regression", np.ones((4, 5))),
        ("earlier", np.ones((1, 0))),
        ("rows", np.ones((4, 3))),
        ("factor", np.ones((1, 4))),
        ("past_excess", np.ones((0, 3))),
    ):
        with pytest.raises(ValueError, match=name):
            native.stein(**{"response": square} | noise | past | {name: wrong})
    new = {"new_response": square, "new_correlation": square}
    with pytest.raises(ValueError, match="scale"):
        native.change(**rows, **new, scale=np.ones(1), least=0.0)
    with pytest.raises(ValueError, match="moves"):
        native.mixed(np.ones((2, 8)), np.ones((3, 8)), np.ones(8), np.ones(8))
    with pytest.raises(ValueError, match="not finite"):
        native.mixed(np.ones((2, 8)), np.full((2, 8), np.nan), np.ones(8), np.ones(8))


def test_a_step_of_descent(problem):
    du, past, two = np.zeros((1, 4, native.BLOCK)), np.zeros((1, 4, 3, native.BLOCK), np.float32), np.ones((2, 64))
    good = {
        "step_size": 0.1, "weight_decay": 0.0, "momentum": 0.0, "truncation": np.inf, "last": None, "last_change": None,
        "noise": np.zeros(2), "residual": np.zeros(64), "outer": two.copy(),
        "inner": two.copy(), "moving": two.copy(), "memory": np.zeros(2, np.float32), "du": du, "dv": du.copy(), "past": past, "nodes": 1,
        "kept": 1, "node": 0,
    }  # fmt: skip
    native.descend(problem.native, **good)
    wrong = {
        "residual": np.zeros(63), "outer": two[:, :63].copy(), "inner": two[:1].copy(), "moving": np.ones((3, 64)), "noise": np.zeros(99),
        "dv": du[:, :3].copy(), "past": past[:, :3].copy(),
        "last": two[:1].copy(), "last_change": np.zeros((2, 1, 3, native.BLOCK)),
        "momentum": 0.5, "kept": 3, "node": 1, "nodes": -1,
    }  # fmt: skip
    for name, value in wrong.items():
        with pytest.raises(ValueError, match="kept" if name == "nodes" else name):
            native.descend(problem.native, **good | {name: value})
    with pytest.raises(ValueError, match="past"):
        native.descend(problem.native, **good | {"past": past[:, :, :2].copy()})
    with pytest.raises(ValueError, match="du"):
        native.descend(problem.native, **good | {"nodes": 3})
    for name in ("du", "past", "outer"):
        with pytest.raises(TypeError, match=name):
            native.descend(problem.native, **good | {name: good[name].astype(np.float16)})
    with pytest.raises(ValueError, match="weights"):
        native.slopes(np.zeros((2, 1, native.BLOCK)), np.zeros((1, 3)), du, du, 3)
    with pytest.raises(ValueError, match="count"):
        native.slopes(np.zeros((2, 1, native.BLOCK)), np.zeros((1, native.BLOCK)), du, du, 5)

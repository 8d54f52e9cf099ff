"""Networks of all kinds, in what the compiled core takes: random ones and drawn ones."""

import numpy as np

from dlnflow.native import simulation as native
from dlnflow.problem import GaussianScale, GaussianTarget, InitialScale, PairScale, Problem
from dlnflow.simulation.draw import draw_network
from dlnflow.simulation.network import Network
from dlnflow.simulation.products import Design

SCALES = {
    "equal": 0.3,
    "unequal": PairScale(u=0.5, v=0.2),
    "far": PairScale(u=1e-4, v=2.0),
    "random": GaussianScale(kind="gaussian", std=0.7),
}
SHAPES = [(1, 1), (7, 9), (8, 16), (33, 65), (50, 301), (129, 150)]


def matrix(shape, precision, triangular=False, seed=0):
    X = np.random.default_rng(seed).standard_normal(shape).astype(precision)
    return np.triu(X) if triangular else X


def small_network(
    scale: InitialScale = 0.3, decay: float = 0.0, truncation: float | None = None, dimension: int = 40, ratio: float = 0.7
) -> Network:
    """A drawn network whose matrix is in double precision, so that nothing of it is rounded."""
    problem = Problem(aspect_ratio=ratio, target=GaussianTarget(), noise_std=0.1, initial_scale=scale, weight_decay=decay)
    drawn = draw_network(problem, dimension, np.random.default_rng(1))
    X = Design(drawn.design.X.astype(np.float64))
    return Network(X, drawn.y, drawn.teacher, drawn.u0, drawn.v0, decay, drawn.samples, drawn.fixed_residual, truncation)


def compiled_design(X, triangular=False, cut=0, threads=1, **beside) -> native.Design:
    return native.Design(X, triangular=triangular, cut=cut, threads=threads, **beside)

"""Right-Radau collocation on one panel: nodes, integration matrix, interpolation.

Reference: E. Hairer and G. Wanner, Solving Ordinary Differential Equations II, §IV.5 (Radau IIA, order 2m − 1).
"""

from functools import cache

import numpy as np
from numpy.polynomial import legendre
from scipy.special import roots_jacobi

from dlnflow.dmft.constants import GAUSS
from dlnflow.solution import Array


@cache
def nodes(m: int) -> Array:
    """The m right-Radau nodes in (0, 1], shape (m,), the last one equal to 1."""
    edges: Array = np.ones(m)
    edges[:-1] = (roots_jacobi(m - 1, 1, 0)[0] + 1) / 2
    return edges


def legendre_values(points: Array, degree: int) -> Array:
    """Legendre polynomials of 2x − 1 up to this degree at the points x, (…, degree + 1)."""
    return np.asarray(legendre.legvander(2 * points - 1, degree), dtype=np.float64)


@cache
def integration(m: int) -> Array:
    """Matrix A, shape (m, m): A @ f(nodes) is the integral of f's interpolant from 0 to each node."""
    vandermonde = legendre_values(nodes(m), m - 1)
    antiderivatives = np.stack([legendre.legval(2 * nodes(m) - 1, legendre.legint(np.eye(m)[i], lbnd=-1)) / 2 for i in range(m)], axis=1)
    return antiderivatives @ np.linalg.inv(vandermonde)


def weighted_integration(m: int, rates: Array) -> Array:
    """The same with the weight e^(rate x), exact for the interpolant: (K, m, m) for `rates` (K,)."""
    points, basis = _gauss(m)
    return np.einsum("kiq,iqj->kij", np.exp(rates[:, None, None] * points), basis)


@cache
def _gauss(m: int) -> tuple[Array, Array]:
    """Points (m, Q) between 0 and each node, and the functions (m, Q, m) that are 1 on one node, times Gauss's weights there."""
    x, weight = legendre.leggauss(GAUSS)
    points = nodes(m)[:, None] * (x + 1) / 2
    basis = legendre_values(points, m - 1) @ np.linalg.inv(legendre_values(nodes(m), m - 1))
    return points, basis * (nodes(m)[:, None] * weight / 2)[:, :, None]


@cache
def integration_from_edge(m: int) -> Array:
    """Matrix, shape (m, m + 1): the integral from 0 to each node of the interpolant at `interpolation_nodes`."""
    inverse = np.linalg.inv(legendre_values(interpolation_nodes(m), m))
    powers = np.eye(m + 1)
    return np.stack([legendre.legval(2 * nodes(m) - 1, legendre.legint(powers[i], lbnd=-1)) / 2 for i in range(m + 1)], axis=1) @ inverse


@cache
def interpolation_nodes(m: int) -> Array:
    """The left edge 0 and the m Radau nodes, shape (m + 1,): where a path is known after its panel is solved."""
    return np.append(0.0, nodes(m))


def interpolation(m: int, points: Array) -> Array:
    """Matrix, shape (len(points), m + 1), from values at `interpolation_nodes` to values at `points` in [0, 1]."""
    inverse = np.linalg.inv(legendre_values(interpolation_nodes(m), m))
    return legendre_values(points, m) @ inverse


@cache
def top_coefficient(m: int) -> Array:
    """Functional, shape (m + 1,), giving the highest Legendre coefficient of values at `interpolation_nodes`."""
    return np.linalg.inv(legendre_values(interpolation_nodes(m), m))[-1]


@cache
def between(m: int, other: int) -> Array:
    """Matrix, shape (other, m), from values at m Radau nodes to those at `other` Radau nodes."""
    return legendre_values(nodes(other), m - 1) @ np.linalg.inv(legendre_values(nodes(m), m - 1))

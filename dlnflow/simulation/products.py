"""The design matrix and the products with it that a simulation needs."""

from collections.abc import Callable
from concurrent.futures import Executor
from functools import cached_property
from itertools import pairwise
from typing import TypeVar

import numpy as np

from dlnflow.simulation import kernel
from dlnflow.simulation.kernel import FULL, Floats
from dlnflow.solution import Array

Out = TypeVar("Out")

SINGLE = 1e-7  # relative error of products in single precision
ROUNDED = 1e-4  # and of those with its columns rounded to integers of 16 bits; where their entries are Gaussian it is half of that
LARGEST = 2**15 - 1  # of these
SPLIT = 30_000_000  # entries from which a product takes milliseconds, so that a second thread is worth waking
STRIPES = 4  # of a triangular matrix, which leave out most of its zeros


class Design:
    """X, shape (rows, d), full or upper triangular (rows ≤ d), in single or double precision.

    A large X is multiplied in two halves, by two threads of `pool` where there is one, with the same bits where there is none.
    """

    def __init__(self, X: Floats, *, triangular: bool = False, pool: Executor | None = None) -> None:
        self.X = np.ascontiguousarray(X)
        self.rows, self.dimension = X.shape
        self.triangular = triangular
        self._pool = pool
        half = self._half() if triangular else self.rows / 2
        cuts = [0, round(half), self.rows] if X.size >= SPLIT else [0, self.rows]
        self._parts = [(slice(i, j), i if triangular else FULL) for i, j in pairwise(cuts)]

    def _half(self) -> float:
        """The number of rows of a triangular matrix that have half of its entries."""
        entries = self.rows * (self.dimension - self.rows / 2)
        return float(self.dimension - np.sqrt(self.dimension**2 - entries))

    def residual_and_force(self, w: Array, y: Array) -> tuple[Array, Array]:
        """r = Xw − y, shape (rows,), and Xᵀr, shape (d,), summed in the precision of `w` and `y`."""
        r = np.empty(self.rows, dtype=w.dtype)
        forces = np.empty((len(self._parts), self.dimension), dtype=w.dtype)

        def multiply(part: int) -> None:
            rows, first = self._parts[part]
            kernel.residual_and_force(self.X[rows], w, y[rows], first, r[rows], forces[part])

        self._each(multiply)
        return r, forces.sum(axis=0)

    def products(self, x: Array, error: float = 0.0) -> tuple[Array, Array]:
        """Xx, shape (rows,), and XᵀXx, shape (d,), in the fastest of three ways whose relative error is about `error` or less."""
        single = error >= SINGLE and self.X.dtype == np.float32
        X, diagonal, units = (single and error >= ROUNDED and self._rounded) or (self.X, self._none, self._ones)
        r: Floats = np.empty(self.rows, np.float32 if single else np.float64)

        def multiply(part: int) -> Array:
            rows, first = self._parts[part]
            return np.asarray(kernel.products(X[rows], diagonal[rows], units, x, first, r[rows]))

        images = self._each(multiply)
        return r, images[0] if len(images) == 1 else np.sum(images, axis=0)

    @cached_property
    def _none(self) -> Array:
        return np.empty(0)

    @cached_property
    def _ones(self) -> Array:
        return np.ones(self.dimension)

    @cached_property
    def _rounded(self) -> tuple[Floats, Array, Array] | None:
        """Q (rows, d), a diagonal (rows,), empty for a full X, and units (d,) so that X is that and Q times these in each column.

        None where that is too far from a column of X. The diagonal of a triangular matrix is much larger than what else is in a column.
        """
        Q, units, squares = kernel.round_columns(self.X, 0 if self.triangular else FULL, LARGEST)
        if np.any(units**2 * self.rows / 12 > ROUNDED**2 * squares):
            return None
        diagonal = np.diagonal(self.X).astype(np.float64) if self.triangular else self._none
        return Q, diagonal, units.astype(np.float64)

    def images(self, W: Array) -> Array:
        """WXᵀ for the rows of `W`, shape (m, d), in the precision of X, shape (m, rows)."""
        W = W.astype(self.X.dtype)
        cuts = np.linspace(0, self.rows, STRIPES + 1, dtype=int) if self.triangular else (0, self.rows)
        stripes = [(i if self.triangular else 0, self.X[i:j]) for i, j in pairwise(cuts)]
        return np.concatenate([W[:, left:] @ X[:, left:].T for left, X in stripes], axis=1, dtype=np.float64)

    def combine(self, r: Array) -> Array:
        """Xᵀr, shape (d,), for `r` of shape (rows,)."""
        return np.asarray(self.residual_and_force(np.zeros(self.dimension), -r)[1])

    def _each(self, multiply: Callable[[int], Out]) -> list[Out]:
        parts = range(len(self._parts))
        return list(self._pool.map(multiply, parts) if self._pool is not None else map(multiply, parts))

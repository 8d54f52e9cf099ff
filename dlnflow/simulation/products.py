"""The design matrix and the products with it that a simulation needs."""

from collections.abc import Callable
from concurrent.futures import Executor
from functools import cached_property
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dlnflow.simulation import kernel
from dlnflow.simulation.kernel import FULL, Floats
from dlnflow.solution import Array

Out = TypeVar("Out")

SINGLE = 1e-7  # relative error of products in single precision
ROUNDED = 1e-4  # and of those with its columns rounded to integers of 16 bits; where their entries are Gaussian it is half of that
LARGEST = 2**15 - 1  # of these
SPLIT = 30_000_000  # entries from which a product takes milliseconds, so that a second thread is worth waking


class Design:
    """X, shape (rows, d), full or upper triangular, in single or double precision.

    A large X is multiplied in two halves, by two threads of `pool` where there is one, with the same bits where there is none.
    """

    def __init__(self, X: Floats, *, triangular: bool = False, pool: Executor | None = None) -> None:
        self.X = np.ascontiguousarray(X)
        self.rows, self.dimension = X.shape
        self._pool = pool
        share = 1 - np.sqrt(0.5) if triangular else 0.5
        cuts = [0, round(share * self.rows), self.rows] if X.size >= SPLIT else [0, self.rows]
        self._parts = [(slice(i, j), i if triangular else FULL) for i, j in pairwise(cuts)]

    def residual_and_force(self, w: Array, y: Array) -> tuple[Array, Array]:
        """r = Xw − y, shape (rows,), and Xᵀr, shape (d,), summed in the precision of `w` and `y`."""
        r = np.empty(self.rows, dtype=w.dtype)
        forces = np.empty((len(self._parts), self.dimension), dtype=w.dtype)

        def multiply(part: int) -> None:
            rows, first = self._parts[part]
            kernel.residual_and_force(self.X[rows], w, y[rows], first, r[rows], forces[part])

        self._each(multiply)
        return r, forces.sum(axis=0)

    def gram(self, x: Array, error: float = 0.0) -> Array:
        """XᵀXx, shape (d,), in the fastest of three ways whose relative error is about `error` or less."""
        single = error >= SINGLE and self.X.dtype == np.float32
        X, units = (single and error >= ROUNDED and self._rounded) or (self.X, self._ones)

        def multiply(part: int) -> Array:
            rows, first = self._parts[part]
            return np.asarray(kernel.gram(X[rows], units, x, first, np.empty(self.dimension, np.float32 if single else np.float64)))

        images = self._each(multiply)
        return images[0] if len(images) == 1 else np.sum(images, axis=0)

    @cached_property
    def _ones(self) -> Array:
        return np.ones(self.dimension)

    @cached_property
    def _rounded(self) -> tuple[NDArray[np.int16], Array] | None:
        """Q (rows, d) and units (d,) so that X is Q times these in each column; None where that is too far from a column of X."""
        units = np.maximum(self.X.max(axis=0), -self.X.min(axis=0)) / np.float32(LARGEST)
        units[units == 0] = 1
        Q, squares = kernel.round_columns(self.X, units)
        far = units**2 * self.rows / 12 > ROUNDED**2 * squares
        return None if np.any(far & (squares > 0)) else (Q, units.astype(np.float64))

    def images(self, W: Array) -> Array:
        """WXᵀ for the rows of `W`, shape (m, d), in the precision of X, shape (m, rows)."""
        return np.asarray((W.astype(self.X.dtype) @ self.X.T).astype(np.float64))

    def combine(self, r: Array) -> Array:
        """Xᵀr, shape (d,), for `r` of shape (rows,)."""
        return np.asarray(self.residual_and_force(np.zeros(self.dimension), -r)[1])

    def _each(self, multiply: Callable[[int], Out]) -> list[Out]:
        parts = range(len(self._parts))
        return list(self._pool.map(multiply, parts) if self._pool is not None else map(multiply, parts))

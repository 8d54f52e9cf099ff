"""The design matrix and the products with it that a simulation needs."""

from collections.abc import Callable
from concurrent.futures import Executor
from itertools import pairwise

import numpy as np

from dlnflow.simulation.kernel import FULL, Floats, residual_and_force
from dlnflow.solution import Array

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
            residual_and_force(self.X[rows], w, y[rows], first, r[rows], forces[part])

        self._each(multiply)
        return r, forces.sum(axis=0)

    def gram(self, x: Array, *, single: bool = False) -> Array:
        """XᵀXx, shape (d,); `single` sums in single precision, 1e-7 of the result."""
        kind = np.float32 if single and self.X.dtype == np.float32 else np.float64
        _, image = self.residual_and_force(x.astype(kind), np.zeros(self.rows, dtype=kind))
        return image.astype(np.float64)

    def images(self, W: Array) -> Array:
        """WXᵀ for the rows of `W`, shape (m, d), in the precision of X, shape (m, rows)."""
        return np.asarray((W.astype(self.X.dtype) @ self.X.T).astype(np.float64))

    def combine(self, r: Array) -> Array:
        """Xᵀr, shape (d,), for `r` of shape (rows,)."""
        return np.asarray(self.residual_and_force(np.zeros(self.dimension), -r)[1])

    def _each(self, multiply: Callable[[int], None]) -> None:
        parts = range(len(self._parts))
        for _ in self._pool.map(multiply, parts) if self._pool is not None else map(multiply, parts):
            pass

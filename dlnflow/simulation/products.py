"""The design matrix and the products with it that a simulation needs."""

from collections.abc import Callable
from concurrent.futures import Executor
from functools import cached_property
from itertools import pairwise
from typing import TypeVar

import numpy as np

from dlnflow.simulation import kernel
from dlnflow.simulation.kernel import FULL, ROUNDED, Floats, Matrix
from dlnflow.solution import Array

Out = TypeVar("Out")

LARGEST = 2**15 - 1  # of the integers that X is rounded to
SHORT = 6_000_000  # entries up to which a step is one call: its products take half a millisecond
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
        self.short = X.size <= SHORT and len(self._parts) == 1

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
        found = self._each(lambda part: kernel.gram(self.parts[part], error, x))
        if len(found) == 1:
            return found[0]
        return np.concatenate([r for r, _ in found]), np.sum([image for _, image in found], axis=0)

    @cached_property
    def parts(self) -> list[Matrix]:
        """X, or its two halves, with what is next to them.

        The diagonal of a triangular matrix is kept apart: it is much larger than what else is in a column.
        """
        rounded, units, diagonal = np.empty((0, self.dimension), np.int16), np.empty(0), np.empty(0)
        if self.X.dtype == np.float32:
            Q, single, squares = kernel.round_columns(self.X, 0 if self.triangular else FULL, LARGEST)
            if not np.any(single**2 * self.rows / 12 > ROUNDED**2 * squares):
                rounded, units = Q, single.astype(np.float64)
                diagonal = np.diagonal(self.X).astype(np.float64) if self.triangular else diagonal
        return [Matrix(self.X[rows], rounded[rows], units, diagonal[rows], first) for rows, first in self._parts]

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

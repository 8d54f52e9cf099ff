"""The design matrix and the products with it that a simulation needs.

The cost of a large network is reading X. Xw − y and Xᵀ(Xw − y) need the same rows, so that eight rows at a time are read once and used
twice; X is kept in single precision, and once more in integers of 16 bits.
"""

from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlnflow.native import simulation as native
from dlnflow.solution import Array

Floats = NDArray[Any]  # of single or double precision

LARGEST = 2**15 - 1  # of the integers that X is rounded to
SPLIT = 30_000_000  # entries from which a product takes milliseconds, so that a second thread is worth starting
STRIPES = 4  # of a triangular matrix, which leave out most of its zeros


class Design:
    """X, shape (rows, d), full or upper triangular (rows ≤ d), in single or double precision.

    A large X is multiplied in two halves, by as many of two `threads` as there are, with the same bits.
    """

    def __init__(self, X: Floats, *, triangular: bool = False, threads: int = 1) -> None:
        self.X = np.ascontiguousarray(X)
        self.rows, self.dimension = X.shape
        self.triangular = triangular
        self.cut = self._half() if X.size >= SPLIT else 0
        self._exact = native.Design(self.X, triangular=triangular, cut=self.cut, threads=threads)
        self._threads = threads

    def _half(self) -> int:
        """The number of rows that have half of the entries."""
        if not self.triangular:
            return int(self.rows // 2)
        entries = self.rows * (self.dimension - self.rows / 2)
        return int(np.rint(self.dimension - np.sqrt(self.dimension**2 - entries)))

    def residual_and_force(self, w: Array, y: Array) -> tuple[Array, Array]:
        """r = Xw − y, shape (rows,), and Xᵀr, shape (d,), summed in double precision."""
        r, force = self._exact.residual_and_force(w, y)
        return r, force

    def batch(self, rows: NDArray[np.int64], w: Array, y: Array) -> tuple[Array, Array]:
        """The same for some `rows` (m,) of an X that is not triangular; `y`, shape (m,), is theirs."""
        r, force = self._exact.batch(rows, w, y)
        return r, force

    def products(self, x: Array, error: float = 0.0) -> tuple[Array, Array]:
        """Xx, shape (rows,), and XᵀXx, shape (d,), in the fastest of three ways whose relative error is about `error` or less."""
        r, image = self.compiled.products(x, error)
        return r, image

    @cached_property
    def compiled(self) -> native.Design:
        """X with what is next to it in integers, unless that is too far from it.

        The diagonal of a triangular matrix is kept apart: it is much larger than what else is in a column.
        """
        if self.X.dtype != np.float32:
            return self._exact
        rounded, units, squares = native.round_columns(self.X, triangular=self.triangular, levels=LARGEST)
        if np.any(units**2 * self.rows / 12 > native.ROUNDED**2 * squares):
            return self._exact
        diagonal = (np.diagonal(self.X) if self.triangular else np.empty(0)).astype(np.float64)
        beside = {"rounded": rounded, "units": units.astype(np.float64), "diagonal": diagonal}
        return native.Design(self.X, triangular=self.triangular, cut=self.cut, threads=self._threads, **beside)

    def images(self, W: Array) -> Array:
        """WXᵀ for the rows of `W`, shape (m, d), in the precision of X, shape (m, rows)."""
        W = W.astype(self.X.dtype)
        cuts = np.linspace(0, self.rows, STRIPES + 1, dtype=int) if self.triangular else (0, self.rows)
        stripes = [(i if self.triangular else 0, self.X[i:j]) for i, j in pairwise(cuts)]
        return np.concatenate([W[:, left:] @ X[:, left:].T for left, X in stripes], axis=1, dtype=np.float64)

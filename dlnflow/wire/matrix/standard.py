"""The numbers that simulations use: every column centred and of variance 1/d, as the entries of a random design are."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from dlnflow.solution import Array


def matrix_id(matrix: Array) -> str:
    """The content address: the same numbers have the same id, whatever file they came in."""
    digest = hashlib.sha256(repr(matrix.shape).encode())
    digest.update(np.ascontiguousarray(matrix, dtype="<f8").tobytes())
    return digest.hexdigest()[:32]


def standardise(matrix: Array) -> NDArray[np.float32]:
    """Columns of mean 0 and variance 1/d over all rows, d the number of columns.

    Columns are first divided by a power of two, which changes no digit: squares of numbers beyond 1e±154 are no doubles.
    """
    exponents = np.frexp(np.abs(matrix).max(axis=0))[1]
    scaled = np.ldexp(matrix, -exponents)
    centred = scaled - scaled.mean(axis=0)
    return np.asarray(centred / (centred.std(axis=0) * np.sqrt(matrix.shape[1])), dtype=np.float32)

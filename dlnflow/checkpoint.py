"""Arrays as bytes and back, for solves that are taken up again."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


def pack(arrays: Mapping[str, Any]) -> bytes:
    """The arrays, or what NumPy makes arrays of, by name, exactly."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: np.asarray(array) for name, array in arrays.items()})
    return buffer.getvalue()


def unpack(checkpoint: bytes) -> Arrays:
    """What `pack` was given."""
    with np.load(io.BytesIO(checkpoint), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}

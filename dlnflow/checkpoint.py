"""Arrays as bytes and back, for solves that are taken up again."""

import hashlib
import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlnflow.solution import Array, Journal

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


class Own(Journal):
    """A `journal` of one `request` only: what another one left, of another horizon say, is not taken up."""

    def __init__(self, journal: Journal, *request: Any) -> None:
        self._journal, self._mark = journal, hashlib.sha256(repr(request).encode()).digest()
        found = journal.earlier or b""
        self.earlier = found.removeprefix(self._mark) if found.startswith(self._mark) else None

    def preview(self, time: Array, values: dict[str, Array], stderr: dict[str, Array] | None = None) -> None:
        """Hand the curves on."""
        self._journal.preview(time, values, stderr)

    def save(self, checkpoint: Callable[[], bytes]) -> None:
        """Hand the checkpoint on, with the mark of its request."""
        self._journal.save(lambda: self._mark + checkpoint())

    def expect(self, seconds: float) -> None:
        """Hand the expectation on."""
        self._journal.expect(seconds)

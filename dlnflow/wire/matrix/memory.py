"""A matrix in memory: an array, a frame, or lists, of which nothing is dropped or filled in silence."""

from collections.abc import Iterator
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlnflow.solution import Array
from dlnflow.wire.matrix.table import BadMatrix, Table, require_shape
from dlnflow.wire.plain import MISSING


def from_memory(data: Any, index: bool | None) -> Table:
    """The table in an array, a frame or a list of rows; raises BadMatrix where it holds anything but numbers."""
    if hasattr(data, "toarray"):  # sparse, as SciPy has them
        require_shape(data.shape)
        data = data.toarray()
    if hasattr(data, "items") and hasattr(data, "columns"):
        return _from_frame(list(data.items()), index)
    try:
        array = np.ma.array(data) if _rows_are_masked(data) else np.asanyarray(list(data) if isinstance(data, Iterator) else data)
    except Exception as error:  # whatever another library makes of it
        raise BadMatrix(f"the data cannot be read as an array, rows by columns: {error}") from None
    names = getattr(data, "columns", None)
    return from_array(array, "array", index, None if names is None else tuple(map(str, names)))


def from_array(array: Any, format: str, index: bool | None, names: tuple[str, ...] | None = None) -> Table:
    """The table in an array of two dimensions, whose first column is left out where it is an `index`."""
    if not isinstance(array, np.ndarray):
        raise BadMatrix("there is something in it that is no array")
    skipped = int(bool(index))
    if array.ndim != 2 or array.shape[1] < skipped:
        require_shape(array.shape)
    kept = array[:, skipped:]
    require_shape(kept.shape)
    return Table(numbers(kept, "the array"), format, names and names[skipped:], index=index)


def _from_frame(columns: list[tuple[Any, Any]], index: bool | None) -> Table:
    kept = columns[int(bool(index)) :]
    require_shape((len(kept[0][1]) if kept else 0, len(kept)))
    names = tuple(str(name) for name, _ in kept)
    values = [numbers(np.asanyarray(column), f"column {name!r}") for name, (_, column) in zip(names, kept, strict=True)]
    return Table(np.stack(values, axis=1), "frame", names, index=index)


def numbers(array: NDArray[Any], what: str) -> Array:
    """Entries in double precision, NaN where they are masked or missing; raises BadMatrix where one is no real number."""
    if array.dtype.kind == "O":
        plain = np.ma.filled(array, np.nan).ravel().tolist()
        return np.array([_number(entry, what) for entry in plain], dtype=np.float64).reshape(array.shape)
    if array.dtype.kind not in "fiub":
        raise BadMatrix(f"{what} has entries of type {array.dtype}, not real numbers")
    return np.asarray(np.ma.filled(np.ma.asarray(array, dtype=np.float64), np.nan))


def _number(entry: Any, what: str) -> float:
    if entry is None or type(entry).__name__ in MISSING:
        return float("nan")
    if isinstance(entry, Real | Decimal | np.bool_):
        try:
            return float(entry)
        except OverflowError:
            return float("inf")
    raise BadMatrix(f"{what} holds {str(entry)[:40]!r}, of type {type(entry).__name__}, which is no real number")


def _rows_are_masked(data: Any) -> bool:
    return isinstance(data, list | tuple) and any(isinstance(row, np.ma.MaskedArray) for row in data)

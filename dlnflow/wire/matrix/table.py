"""A table of numbers as a source holds it, and what makes it a matrix that can be used."""

from dataclasses import dataclass

import numpy as np

from dlnflow.solution import Array

MIN_ROWS, MIN_COLUMNS, MAX_COLUMNS = 10, 10, 20_000
MAX_ENTRIES = 8_000_000
NAMED = 5  # columns that a message names at most
INDEX_NAMES = frozenset({"", "index", "id", "row", "rows", "rownames", "row_names", "unnamed: 0", "level_0", "__index_level_0__"})
HOW_INDEX = "say index=true to leave that column out, or index=false where it is data"


class BadMatrix(ValueError):
    """Data that are no usable matrix; the text says why."""


@dataclass(frozen=True, eq=False)
class Table:
    """Numbers `values` (rows, columns), NaN where they are missing, and how they were found.

    `header` says whether the first row of a text named the columns, `index` whether a column that names the rows was left out; they are
    None where the format has no such thing. `names` are those of the columns that are used, where these have any.
    """

    values: Array
    format: str
    names: tuple[str, ...] | None = None
    header: bool | None = None
    index: bool | None = None


def check(table: Table) -> Table:
    """The table where it is a matrix that can be used; raises BadMatrix."""
    require_shape(table.values.shape)
    _require_finite(table)
    if table.index is None:
        _require_no_index(table)
    _require_spread(table)
    return table


def require_shape(shape: tuple[int, ...]) -> None:
    """Raise BadMatrix where a matrix of this shape cannot be used."""
    if len(shape) != 2:
        raise BadMatrix(f"the array has {len(shape)} dimensions; a matrix has 2, rows by columns")
    rows, columns = shape
    if rows < MIN_ROWS:
        raise BadMatrix(f"the matrix has {rows} rows; at least {MIN_ROWS} are needed")
    if not MIN_COLUMNS <= columns <= MAX_COLUMNS:
        raise BadMatrix(f"the matrix has {columns} columns; {MIN_COLUMNS} to {MAX_COLUMNS} are possible")
    require_entries(rows * columns)


def require_entries(count: int) -> None:
    """Raise BadMatrix where there are too many entries."""
    if count > MAX_ENTRIES:
        raise BadMatrix(f"the matrix has more than {MAX_ENTRIES} entries")


def _require_no_index(table: Table) -> None:
    """Raise BadMatrix where a column may number or name the rows, and nobody has said whether it does."""
    first = table.values[:, 0]
    if table.names and table.names[0].strip().lower() in INDEX_NAMES:
        raise BadMatrix(f"the first column is called {table.names[0]!r} and may name the rows; {HOW_INDEX}")
    with np.errstate(over="ignore"):
        if _identifies(first):
            raise BadMatrix(f"the first column, from {first[0]:g} to {first[-1]:g}, may number the rows; {HOW_INDEX}")
        for column in _counters(table.values):
            raise BadMatrix(f"{_column(table, column)} counts the rows; leave it out, or say index=false where it is data")


def _identifies(column: Array) -> bool:
    """Whether the numbers (rows,) set the rows apart as an index does: evenly spaced, rising integers, or integers without a gap."""
    steps = np.diff(column)
    if steps[0] != 0 and np.allclose(steps, steps[0], rtol=1e-6, atol=0):
        return True
    if (column != np.floor(column)).any():
        return False
    return bool((steps > 0).all()) or (len(np.unique(column)) == len(column) and np.ptp(column) == len(column) - 1)


def _counters(values: Array) -> list[int]:
    """The columns of `values` (rows, columns) that go up by one from row to row, or down."""
    step, rows = values[1] - values[0], np.arange(len(values))
    likely = np.flatnonzero((np.abs(step) == 1) & (values[2] - values[1] == step))
    return [int(column) for column in likely if np.array_equal(values[:, column] - values[0, column], step[column] * rows)]


def _require_finite(table: Table) -> None:
    wrong = np.argwhere(~np.isfinite(table.values))
    if len(wrong):
        row, column = wrong[0]
        where = f"row {row}, {_column(table, column)}"
        raise BadMatrix(f"{len(wrong)} entries are NaN, infinite or missing, the first in {where} (counted from 0)")


def _require_spread(table: Table) -> None:
    largest, smallest = table.values.max(axis=0), table.values.min(axis=0)
    size = np.maximum(np.abs(largest), np.abs(smallest))
    constant = np.flatnonzero(largest * 0.5 - smallest * 0.5 <= 0.5e-10 * size)  # halved: a difference of doubles may be no double
    if len(constant):
        names = ", ".join(_column(table, column).removeprefix("column ") for column in constant[:NAMED])
        more = ", …" if len(constant) > NAMED else ""
        raise BadMatrix(f"{len(constant)} columns are constant and cannot be scaled: {names}{more} (counted from 0)")


def _column(table: Table, number: int) -> str:
    return f"column {number}" + (f" ({table.names[number]!r})" if table.names else "")

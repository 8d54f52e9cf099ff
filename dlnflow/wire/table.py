"""The table of a sweep, one row per point, as JSON, CSV or Parquet. A cell that has no value (yet) is None."""

import csv
import io
import json
from typing import Any

import numpy as np

from dlnflow.solution import Array
from dlnflow.wire.summary import CURVE_COLUMNS

Document = dict[str, Any]
Row = dict[str, Any]


def table(columns: list[str], rows: list[Row]) -> Document:
    """The document: the names of the columns in order, and the rows, each with all of them."""
    return {"columns": columns, "rows": [{name: row.get(name) for name in columns} for row in rows]}


def at_columns() -> list[str]:
    """The columns that a time adds."""
    return ["at", *(f"{name}_at" for name in CURVE_COLUMNS)]


def values_at(curves: Document, t: float) -> Row:
    """The values of every curve at time `t`, linear in log t between the times of the curve; empty where it does not reach `t`."""
    time: Array = np.asarray(curves["time"])
    if not time[0] <= t <= time[-1]:
        return {}
    return {"at": t} | {f"{name}_at": _interpolate(time, np.asarray(curves[name]), t) for name in CURVE_COLUMNS}


def _interpolate(time: Array, values: Array, t: float) -> float:
    after = int(np.searchsorted(time, t))
    if time[after] == t:
        return float(values[after])
    low, high = time[after - 1], time[after]
    share = np.log(t / low) / np.log(high / low) if low > 0 else (t - low) / (high - low)
    return float(values[after - 1] + share * (values[after] - values[after - 1]))


def to_csv(document: Document) -> bytes:
    """One line per point; numbers as Python prints them, so that they are read back exactly; a missing one is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(document["columns"])
    writer.writerows([_cell(row[name]) for name in document["columns"]] for row in document["rows"])
    return buffer.getvalue().encode()


def to_parquet(document: Document) -> bytes:
    """The same as a Parquet file: numbers as doubles, everything else as text."""
    from arro3.core import Array as Column
    from arro3.core import DataType, Table
    from arro3.io import write_parquet

    def column(name: str) -> Column:
        cells = [row[name] for row in document["rows"]]
        if all(cell is None or _is_number(cell) for cell in cells):
            return Column([None if cell is None else float(cell) for cell in cells], type=DataType.float64())
        return Column([None if cell is None else str(_cell(cell)) for cell in cells], type=DataType.utf8())

    buffer = io.BytesIO()
    write_parquet(Table.from_arrays([column(name) for name in document["columns"]], names=document["columns"]), buffer)
    return buffer.getvalue()


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _cell(value: Any) -> Any:
    """A cell of CSV: an object or a list as JSON."""
    return json.dumps(value) if isinstance(value, dict | list | tuple) else value

"""One matrix in every format in which it may come, with an index, with numbers for names, and with something wrong."""

import io
import json
from decimal import Decimal

import numpy as np
import pandas as pd
import scipy.sparse
import xarray as xr
from arro3.core import Array as Column
from arro3.core import Schema, Table
from arro3.io import write_ipc, write_parquet

MATRIX = np.random.default_rng(2).normal(size=(30, 12)) * np.arange(1, 13) + 5


def as_csv(matrix, header: str = "", delimiter: str = ",") -> bytes:
    rows = "\n".join(delimiter.join(repr(float(x)) for x in row) for row in matrix)
    return (f"{header}\n{rows}\n" if header else f"{rows}\n").encode()


def as_npz(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def as_npy(array) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def as_table(columns, names=None, metadata=None, write=write_parquet) -> bytes:
    buffer, names = io.BytesIO(), names or [f"x{i}" for i in range(len(columns))]
    table = Table.from_arrays(columns, names=names)
    write(table.with_schema(Schema(table.schema, metadata=metadata)) if metadata else table, buffer)
    return buffer.getvalue()


def columns_of(array) -> list[Column]:
    return [Column.from_numpy(np.ascontiguousarray(column)) for column in array.T]


NAMES = [f"x, {i}" for i in range(12)]
HEADER = ",".join(f'"{name}"' for name in NAMES)
FRAME = pd.DataFrame(MATRIX, columns=NAMES)

FILES = {
    "csv": as_csv(MATRIX),
    "header": as_csv(MATRIX, header=HEADER),
    "semicolons": as_csv(MATRIX, delimiter=";"),
    "tabs": as_csv(MATRIX, delimiter="\t"),
    "windows": b"\xef\xbb\xbf" + as_csv(MATRIX).replace(b"\n", b"\r\n"),
    "carriage returns only": as_csv(MATRIX, header=HEADER).replace(b"\n", b"\r"),
    "empty lines": as_csv(MATRIX, header=HEADER).replace(b"\n", b"\n\n"),
    "a name of two lines": as_csv(MATRIX, header=HEADER.replace("x, 3", "x\n3")),
    "a name with a semicolon": as_csv(MATRIX, header=",".join(f"x;{i}" for i in range(12))),
    "npy": as_npy(MATRIX),
    "npy in Fortran's order": as_npy(np.asfortranarray(MATRIX)),
    "npz": as_npz(anything=MATRIX),
    "parquet": as_table(columns_of(MATRIX)),
    "arrow": as_table(columns_of(MATRIX), write=write_ipc),
}
IN_MEMORY = {
    "array": MATRIX,
    "lists": MATRIX.tolist(),
    "a generator of rows": (row for row in MATRIX),
    "frame": FRAME,
    "frame with an index": FRAME.set_index(pd.Index([f"sample {i}" for i in range(30)])),
    "nullable frame": FRAME.astype("Float64"),
    "frame of objects": FRAME.astype(object),
    "frame of decimals": pd.DataFrame({name: [Decimal(repr(float(x))) for x in FRAME[name]] for name in NAMES}),
    "xarray": xr.DataArray(MATRIX, dims=["sample", "x"]),
    "sparse": scipy.sparse.csr_array(MATRIX),
    "masked where nothing is": np.ma.array(MATRIX),
}


INDEX = np.column_stack([np.arange(30.0), MATRIX])
ROW_NAMES = [f"s{i}" for i in range(30)]


def labelled(labels, matrix=MATRIX, header: str = "") -> bytes:
    """CSV with a first cell in every row."""
    rows = "\n".join(f"{label},{line}" for label, line in zip(labels, as_csv(matrix).decode().splitlines(), strict=True))
    return f"{header}\n{rows}\n".encode() if header else f"{rows}\n".encode()


PANDAS = {b"pandas": json.dumps({"index_columns": ["__index_level_0__"], "columns": []}).encode()}
INDEXED = {
    "pandas": labelled(range(30), header=f",{HEADER}"),
    "pandas, some rows left out": labelled(range(0, 90, 3), header=f",{HEADER}"),
    "pandas, shuffled": labelled(np.random.default_rng(1).permutation(30), header=f",{HEADER}"),
    "a named index": labelled(range(30), header=f"sample,{HEADER}"),
    "an id": labelled(np.random.default_rng(1).integers(0, 9, 30), header=f"id,{HEADER}"),
    "from 1": labelled(range(1, 31), header=f"sample,{HEADER}"),
    "backwards": labelled(range(30, 0, -1), header=f"sample,{HEADER}"),
    "no header": labelled(range(30)),
    "shuffled, no header": labelled(np.random.default_rng(1).permutation(30)),
    "floats": labelled(np.arange(30) / 10, header=f"t,{HEADER}"),
    "row names": labelled(ROW_NAMES, header=f"sample,{HEADER}"),
    "row names, no header": labelled(ROW_NAMES),
    "quoted row names": labelled([f'"s {i}, 1"' for i in range(30)], header=f"sample,{HEADER}"),
    "dates": labelled([f"2020-01-{i + 1:02}" for i in range(30)], header=f"day,{HEADER}"),
    "R's write.csv": labelled([f'"{i + 1}"' for i in range(30)], header=f'"",{HEADER}'),
    "R's write.table": labelled([f'"{i + 1}"' for i in range(30)], header=HEADER),
    "npy": as_npy(INDEX),
    "array": INDEX,
    "frame": FRAME.reset_index(),
    "parquet": as_table(columns_of(INDEX), names=["index", *NAMES]),
    "parquet without names": as_table(columns_of(INDEX)),
    "arrow": as_table(columns_of(INDEX), write=write_ipc),
}


NUMBERED = {
    "0 to 11": ",".join(map(str, range(12))),
    "years": ",".join(map(str, range(2001, 2013))),
    "falling": ",".join(map(str, range(12, 0, -1))),
    "wavelengths": ",".join(f"{400.5 + i / 10}" for i in range(12)),
    "with a point": ",".join(f"{i}.0" for i in range(12)),
    "in no order": "17,3,44,2,90,41,8,23,5,77,61,30",
    "quoted": ",".join(f'"{x}"' for x in ["17.5", "3", "44", "2", "90", "41", "8", "23", "5", "77", "61", "30"]),
}


def changed(value) -> np.ndarray:
    matrix = MATRIX.copy()
    matrix[4, 7] = value
    return matrix


MASKED = np.ma.masked_array(MATRIX, mask=MATRIX[4, 7] == MATRIX, fill_value=7)


CONSTANT = np.where(np.arange(12) == 3, 0.1, MATRIX)

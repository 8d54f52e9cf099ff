"""A matrix of real data: read from a CSV, NPZ or Parquet file, checked, and standardised.

Every column is centred and scaled to variance 1/d over all rows, d the number of columns, as the entries of a random design are.
"""

import csv
import hashlib
import io
import zipfile

import numpy as np
from numpy.typing import NDArray

from dlnflow.solution import Array

MIN_ROWS, MIN_COLUMNS, MAX_COLUMNS = 10, 10, 20_000
MAX_ENTRIES = 8_000_000
NAMED = 5  # columns that a message names at most


class BadMatrix(ValueError):
    """A file that holds no usable matrix; the text says why."""


def read(content: bytes) -> Array:
    """The matrix in a file, shape (rows, columns), whose format is told by its first bytes."""
    if content.startswith(b"PK\x03\x04"):
        matrix = _read_npz(content)
    elif content.startswith(b"PAR1"):
        matrix = _read_parquet(content)
    else:
        matrix = _read_csv(content)
    _check(matrix)
    return matrix


def matrix_id(matrix: Array) -> str:
    """The content address: the same numbers have the same id, whatever file they came in."""
    digest = hashlib.sha256(repr(matrix.shape).encode())
    digest.update(np.ascontiguousarray(matrix, dtype="<f8").tobytes())
    return digest.hexdigest()[:32]


def standardise(matrix: Array) -> NDArray[np.float32]:
    """Columns of mean 0 and variance 1/d."""
    centred = matrix - matrix.mean(axis=0)
    return np.asarray(centred / (centred.std(axis=0) * np.sqrt(matrix.shape[1])), dtype=np.float32)


def _read_csv(content: bytes) -> Array:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadMatrix("the file is neither NPZ nor Parquet nor CSV in UTF-8") from None
    first, _, rest = text.partition("\n")
    delimiter = max(",;\t", key=first.count)
    header = any(not _is_number(cell) for cell in next(csv.reader([first], delimiter=delimiter), []))
    if not (rest if header else text).strip():
        return np.empty((0, 0))
    if text.count(delimiter) > MAX_ENTRIES:
        raise BadMatrix(f"the matrix has more than {MAX_ENTRIES} entries")
    try:
        return np.loadtxt(io.StringIO(text), delimiter=delimiter, skiprows=int(header), ndmin=2, comments=None, quotechar='"')
    except ValueError as error:
        reason = str(error).split(";")[0]
        raise BadMatrix(f"the file is not a matrix in CSV: {reason} (rows count from 0, after the header)") from None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return not cell.strip()  # an empty cell is a missing number, no name
    return True


def _read_npz(content: bytes) -> Array:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > 16 * MAX_ENTRIES + 100_000:
                raise BadMatrix(f"the arrays have more than {MAX_ENTRIES} entries")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            if len(arrays.files) != 1:
                raise BadMatrix(f"the NPZ file holds {len(arrays.files)} arrays, not one")
            array = arrays[arrays.files[0]]
            if not isinstance(array, np.ndarray):
                raise BadMatrix("the NPZ file holds something that is no array")
    except BadMatrix:
        raise
    except Exception as error:
        raise BadMatrix(f"the NPZ file cannot be read: {error}") from None
    if array.dtype.kind not in "fiub":
        raise BadMatrix(f"the array has entries of type {array.dtype}, not real numbers")
    return np.asarray(array, dtype=np.float64)


def _read_parquet(content: bytes) -> Array:
    from arro3.core import DataType
    from arro3.io import read_parquet

    try:
        batches, rows = [], 0
        for batch in read_parquet(io.BytesIO(content)):
            rows += batch.num_rows
            if rows * batch.num_columns > MAX_ENTRIES:
                raise BadMatrix(f"the matrix has more than {MAX_ENTRIES} entries")
            batches.append(batch)
        named = [(name, [batch.column(name) for batch in batches]) for name in batches[0].schema.names] if batches else []
    except BadMatrix:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":  # how the reader fails on a broken file
            raise
        raise BadMatrix("the Parquet file is broken") from None
    for name, parts in named:
        if not DataType.is_numeric(parts[0].type):
            raise BadMatrix(f"column {name!r} does not hold real numbers")
    values = [[np.nan if cell is None else cell for part in parts for cell in part.to_pylist()] for _, parts in named]
    return np.array(values, dtype=np.float64).T if values else np.empty((0, 0))


def _check(matrix: Array) -> None:
    if matrix.ndim != 2:
        raise BadMatrix(f"the array has {matrix.ndim} dimensions; a matrix has 2, rows by columns")
    rows, columns = matrix.shape
    if rows < MIN_ROWS:
        raise BadMatrix(f"the matrix has {rows} rows; at least {MIN_ROWS} are needed")
    if not MIN_COLUMNS <= columns <= MAX_COLUMNS:
        raise BadMatrix(f"the matrix has {columns} columns; {MIN_COLUMNS} to {MAX_COLUMNS} are possible")
    if matrix.size > MAX_ENTRIES:
        raise BadMatrix(f"the matrix has {matrix.size} entries, more than {MAX_ENTRIES}")
    wrong = np.argwhere(~np.isfinite(matrix))
    if len(wrong):
        row, column = wrong[0]
        raise BadMatrix(f"{len(wrong)} entries are NaN, infinite or missing, the first in row {row}, column {column} (counted from 0)")
    constant = np.flatnonzero(np.ptp(matrix, axis=0) <= 1e-10 * np.abs(matrix).max(axis=0))
    if len(constant):
        names = ", ".join(map(str, constant[:NAMED])) + (", …" if len(constant) > NAMED else "")
        raise BadMatrix(f"{len(constant)} columns are constant and cannot be scaled: {names} (counted from 0)")

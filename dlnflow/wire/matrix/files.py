"""A matrix in a file, whose format its first bytes tell: NPY, NPZ, Parquet and Arrow, and CSV where they tell no other."""

import io
import json
import zipfile
from typing import Any

import numpy as np

from dlnflow.optional import need
from dlnflow.solution import Array
from dlnflow.wire.matrix.memory import from_array, numbers
from dlnflow.wire.matrix.table import MAX_ENTRIES, BadMatrix, Table, require_entries
from dlnflow.wire.matrix.text import read_csv

FORMATS = "CSV, NPY, NPZ, Parquet or Arrow"
OTHERS = {  # what files of other formats begin with
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"\x89HDF": "an HDF5 file",
    b"CDF": "a netCDF file",
    b"MATLAB": "a MATLAB file",
    b"\x80": "a pickle",
    b"\x1f\x8b": "compressed by gzip",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"ORC": "an ORC file",
    b"SQLite": "a database",
    b"%PDF": "a PDF",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
    b"<": "HTML or XML",
    b"{": "JSON",
    b"[": "JSON",
}


def read(content: bytes, header: bool | None, index: bool | None) -> Table:
    """The table in a file; raises BadMatrix where it is none, or where it may hold names and `header` or `index` has to be given."""
    if content.startswith(b"\x93NUMPY"):
        return from_array(_load(content, "NPY"), "npy", index)
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return from_array(_only_array(content), "npz", index)
    if content.startswith(b"PAR1"):
        return _read_columns(content, "parquet", index)
    if content.startswith(b"ARROW1"):
        return _read_columns(content, "arrow", index)
    start = content[:1000].removeprefix(b"\xef\xbb\xbf").lstrip()
    if other := next((name for magic, name in OTHERS.items() if start.startswith(magic)), None):
        raise BadMatrix(f"the file is {other}; save the numbers as {FORMATS}")
    return read_csv(content, header, index)


def _load(content: bytes, format: str) -> Any:
    file = io.BytesIO(content)
    try:
        loaded = np.load(file, allow_pickle=False)
    except Exception as error:  # whatever a broken file makes of it
        raise BadMatrix(f"the {format} file cannot be read: {error}") from None
    if format == "NPY" and file.tell() < len(content):
        raise BadMatrix("the NPY file goes on after its array; save one array alone")
    return loaded


def _only_array(content: bytes) -> Any:
    """The array of an NPZ file that holds one."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            sizes = {member.filename: member.file_size for member in archive.infolist()}
    except Exception as error:
        raise BadMatrix(f"the NPZ file cannot be read: {error}") from None
    if sizes.keys() & {"[Content_Types].xml", "mimetype"}:
        raise BadMatrix(f"the file is an Excel workbook or another office document; save the sheet as {FORMATS}")
    if other := next((name for name in sizes if not name.endswith(".npy")), None):
        raise BadMatrix(f"the file is a ZIP archive that holds {other!r}, and no NPZ file; unpack it, and give one of its files")
    if sum(sizes.values()) > 16 * MAX_ENTRIES + 100_000:
        require_entries(MAX_ENTRIES + 1)
    if len(sizes) != 1:
        raise BadMatrix(f"the NPZ file holds {len(sizes)} arrays, not one")
    with _load(content, "NPZ") as arrays:
        try:
            return arrays[arrays.files[0]]
        except Exception as error:
            raise BadMatrix(f"the NPZ file cannot be read: {error}") from None


def _read_columns(content: bytes, format: str, index: bool | None) -> Table:
    """The table in a Parquet or Arrow file; what its own notes say is an index, as pandas writes them, is one."""
    batches, schema = _batches(content, format)
    stored = [] if index is False else _index_of(schema)
    if index and not stored:
        stored = schema.names[:1]
    names = tuple(name for name in schema.names if name not in stored)
    columns = [np.concatenate([_column(batch.column(name), name) for batch in batches] or [np.empty(0)]) for name in names]
    values = np.stack(columns, axis=1) if columns else np.empty((0, 0))
    return Table(values, format, names, index=True if stored else index)


def _batches(content: bytes, format: str) -> tuple[list[Any], Any]:
    reader = getattr(need("arro3.io", "frames"), "read_parquet" if format == "parquet" else "read_ipc")
    try:
        batches, rows, source = [], 0, reader(io.BytesIO(content))
        for batch in source:
            rows += batch.num_rows
            require_entries(rows * batch.num_columns)
            batches.append(batch)
        return batches, source.schema
    except BadMatrix:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":  # how the reader fails on a broken file
            raise
        raise BadMatrix(f"the {format.capitalize()} file is broken") from None


def _index_of(schema: Any) -> list[str]:
    """The columns that pandas has noted to be the index of a frame."""
    try:
        noted = json.loads(schema.metadata.get(b"pandas", b"{}"))["index_columns"]
    except (KeyError, TypeError, ValueError):
        return []
    return [name for name in noted if isinstance(name, str) and name in schema.names]


def _column(column: Any, name: str) -> Array:
    from arro3.core import DataType

    if not (DataType.is_numeric(column.type) or DataType.is_boolean(column.type) or DataType.is_null(column.type)):
        raise BadMatrix(f"column {name!r} does not hold real numbers")
    if column.null_count or DataType.is_decimal(column.type) or DataType.is_null(column.type):
        return numbers(np.array(column.to_pylist(), dtype=object), f"column {name!r}")
    return numbers(np.asarray(column.to_numpy()), f"column {name!r}")

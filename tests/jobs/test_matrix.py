"""Files of data: the same numbers from every format, and what is wrong with a file is said."""

import io

import numpy as np
import pytest
from arro3.core import Array as Column
from arro3.core import DataType, Table
from arro3.io import write_parquet

from dlnflow.jobs.matrix import BadMatrix, matrix_id, read, standardise

MATRIX = np.random.default_rng(2).normal(size=(30, 12)) * np.arange(1, 13) + 5


def as_csv(matrix, header: str = "", delimiter: str = ",") -> bytes:
    rows = "\n".join(delimiter.join(repr(float(x)) for x in row) for row in matrix)
    return (f"{header}\n{rows}\n" if header else f"{rows}\n").encode()


def as_npz(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def as_parquet(columns) -> bytes:
    buffer = io.BytesIO()
    write_parquet(Table.from_arrays(columns, names=[f"x{i}" for i in range(len(columns))]), buffer)
    return buffer.getvalue()


FILES = {
    "csv": as_csv(MATRIX),
    "header": as_csv(MATRIX, header=",".join(f'"x, {i}"' for i in range(12))),
    "semicolons": as_csv(MATRIX, delimiter=";"),
    "windows": b"\xef\xbb\xbf" + as_csv(MATRIX).replace(b"\n", b"\r\n"),
    "npz": as_npz(anything=MATRIX),
    "parquet": as_parquet([Column.from_numpy(np.ascontiguousarray(column)) for column in MATRIX.T]),
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_gives_the_same_numbers(name):
    np.testing.assert_array_equal(read(FILES[name]), MATRIX)
    assert matrix_id(read(FILES[name])) == matrix_id(MATRIX)


def test_another_number_or_shape_is_another_data_set():
    other = MATRIX.copy()
    other[3, 4] = np.nextafter(other[3, 4], 9)
    assert len({matrix_id(MATRIX), matrix_id(other), matrix_id(MATRIX.reshape(12, 30))}) == 3


def test_columns_are_centred_with_variance_one_over_d():
    rows = standardise(MATRIX).astype(float)
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-7)  # single precision
    np.testing.assert_allclose(rows.var(axis=0), 1 / 12, rtol=1e-6)


def changed(value) -> np.ndarray:
    matrix = MATRIX.copy()
    matrix[4, 7] = value
    return matrix


CONSTANT = np.where(np.arange(12) == 3, 0.1, MATRIX)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (as_csv(changed(np.nan)), "1 entries are NaN, infinite or missing, the first in row 4, column 7"),
        (as_npz(x=changed(np.inf)), "row 4, column 7"),
        (as_csv(CONSTANT), "1 columns are constant and cannot be scaled: 3"),
        (as_csv(MATRIX[:9]), "9 rows; at least 10"),
        (as_csv(MATRIX[:, :9]), "9 columns"),
        (as_csv(MATRIX).replace(b",", b",word,", 40), "word"),
        (as_csv(MATRIX) + b"1,2\n", "columns changed"),
        (b"", "0 rows"),
        (b"a,b\n\n", "0 rows"),
        (b"\xff\xfe\x00", "neither NPZ nor Parquet nor CSV"),
        (as_npz(x=MATRIX, y=MATRIX), "2 arrays"),
        (as_npz(x=MATRIX[0]), "1 dimensions"),
        (as_npz(x=MATRIX + 1j), "complex128"),
        (as_npz(x=MATRIX.astype(str)), "not real numbers"),
        (as_npz(x=MATRIX.astype(object)), "cannot be read"),
        (as_npz(x=MATRIX)[:200], "cannot be read"),
        (lambda: as_npz(x=np.zeros((3000, 3000))), "more than"),
        (lambda: as_npz(x=np.zeros(20_000_000)), "more than"),
        (FILES["parquet"][:-20], "broken"),
        (as_parquet([Column(["a"] * 30, type=DataType.utf8())]), "'x0' does not hold real numbers"),
        (as_parquet([Column([None, *([2.5] * 29)], type=DataType.float64())] * 12), "missing, the first in row 0, column 0"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(content, words):
    with pytest.raises(BadMatrix, match=words):
        read(content() if callable(content) else content)

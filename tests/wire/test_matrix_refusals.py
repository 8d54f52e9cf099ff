"""What is wrong with an array or a file is said."""

import io
import zipfile

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import xarray as xr
from arro3.core import Array as Column
from arro3.core import DataType

from dlnflow.wire.matrix import BadMatrix, load
from tests.wire.matrices import (
    CONSTANT,
    FILES,
    FRAME,
    HEADER,
    MASKED,
    MATRIX,
    ROW_NAMES,
    as_csv,
    as_npy,
    as_npz,
    as_table,
    changed,
)


def zipped(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (MASKED, "row 4, column 7"),
        (list(MASKED), "row 4, column 7"),
        (xr.DataArray(changed(np.nan)), "row 4, column 7"),
        (FRAME.astype("Float64").mask(MATRIX[4, 7] == FRAME), r"missing, the first in row 4, column 7 \('x, 7'\)"),
        (FRAME.astype(object).mask(MATRIX[4, 7] == FRAME, None), "row 4, column 7"),
        (FRAME.assign(name=ROW_NAMES), "column 'name' (holds 's0'|has entries of type str)"),
        (FRAME.assign(day=pd.date_range("2020", periods=30)), "column 'day' has entries of type datetime64"),
        (MATRIX.astype(str), "not real numbers"),
        (MATRIX + 1j, "complex128, not real numbers"),
        (MATRIX.astype(str).astype(object), "of type str, which is no real number"),
        ([*MATRIX.tolist(), [1, 2]], "cannot be read as an array"),
        (MATRIX[0], "1 dimensions"),
        (3.0, "0 dimensions"),
        (None, "0 dimensions"),
        ({"x": 1}, "0 dimensions"),
        (np.array([(1.0, 2.0)] * 30, dtype=[("a", float), ("b", float)]), "1 dimensions"),
        (np.zeros((30, 12), dtype="M8[s]"), "datetime64"),
        (scipy.sparse.csr_array((3000, 3000)), "more than 8000000 entries"),
        (np.broadcast_to(1.0, (100_000, 10_000)), "more than 8000000 entries"),
        ([*MATRIX.tolist()[:-1], [10**400] * 12], "infinite or missing, the first in row 29"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value,
)
def test_what_is_wrong_with_an_array_is_said(data, words):
    with pytest.raises(BadMatrix, match=words):
        load(data)


MISSING_FIRST = Column([None, *np.linspace(1, 2, 29) ** 2], type=DataType.float64())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (as_csv(changed(np.nan)), "missing.*row 4, column 7"),
        (as_npz(x=changed(np.inf)), "row 4, column 7"),
        (as_csv(changed(1)).replace(b",1.0,", b",1e400,"), "row 4, column 7"),
        (as_csv(CONSTANT), "1 columns are constant and cannot be scaled: 3"),
        (as_csv(CONSTANT, header=HEADER), r"cannot be scaled: 3 \('x, 3'\)"),
        (as_csv(MATRIX[:9]), "9 rows; at least 10"),
        (as_csv(MATRIX[:, :9]), "9 columns"),
        (as_csv(MATRIX).replace(b",", b",word,", 40), "numbers and words, 'word' among them; say header"),
        (as_csv(changed(1)).replace(b",1.0,", b",word,"), "'word' is no number: row 4, column 7"),
        (as_csv(changed(1), header=HEADER).replace(b",1.0,", b",1_0,"), "'1_0' is no number: row 4, column 7"),
        (as_csv(changed(1)).replace(b",1.0,", b",0x1p3,"), "'0x1p3' is no number"),
        (as_csv(MATRIX) + b"1,2\n", "row 30 has 2 cells, not 12"),
        (as_csv(MATRIX).replace(b"\n", b",\n"), "missing"),
        (as_csv(MATRIX, header=HEADER).replace(b"\n", b",\n").replace(b",\n", b"\n", 1), "the rows end in .,., after which a cell is"),
        (as_csv(MATRIX, delimiter=";").replace(b".", b","), "has a decimal comma, where a point is needed"),
        (as_csv(MATRIX, delimiter="\t").replace(b".", b","), "decimal comma"),
        (as_csv(MATRIX, header="a;b;c;d;e;f;g;h;i;j;k;l", delimiter=";").replace(b".", b","), "decimal comma"),
        (b'"1,5","2,5"\n' * 30, "decimal comma"),
        (as_csv(MATRIX, delimiter=" "), "the first row is one cell.*commas, semicolons or tabs"),
        (as_csv(MATRIX, delimiter="|"), "the first row is one cell"),
        (b"Table 1\n" + as_csv(MATRIX), "the first row is one cell, 'Table 1'"),
        (as_csv(MATRIX) + b"1" * 140_000 + b"a,2\n", "."),
        (b"a" * 140_000 + b",b\n1,2\n", "field larger than field limit"),
        (as_csv(changed(1)).replace(b",1.0,", b"," + b"x" * 140_000 + b","), "field larger than field limit"),
        (b"", "0 rows"),
        (b"\n\n", "0 rows"),
        (b"a,b\n\n", "0 rows"),
        (b"\xff\xfe\x00", "UTF-16"),
        ("1,2\n".encode("utf-16"), "UTF-16"),
        (b"1,2\n\xfc,3", "none of CSV in UTF-8"),
        (as_csv(MATRIX) + b"\xfc,3", "none of CSV in UTF-8"),
        (as_npz(x=MATRIX, y=MATRIX), "2 arrays"),
        (as_npz(), "0 arrays|cannot be read"),
        (as_npz(x=MATRIX[0]), "1 dimensions"),
        (as_npz(x=MATRIX + 1j), "complex128"),
        (as_npz(x=MATRIX.astype(str)), "not real numbers"),
        (as_npz(x=MATRIX.astype(object)), "cannot be read"),
        (as_npz(x=MATRIX)[:200], "cannot be read"),
        (as_npy(MATRIX)[:200], "NPY file cannot be read"),
        (as_npy(MATRIX) + as_npy(MATRIX), "goes on after its array"),
        (as_npy(MATRIX.astype(object)), "NPY file cannot be read"),
        (lambda: as_npz(x=np.zeros((3000, 3000))), "more than"),
        (lambda: as_npz(x=np.zeros(20_000_000)), "more than"),
        (zipped(**{"[Content_Types].xml": "", "xl/workbook.xml": ""}), "an Excel workbook"),
        (zipped(**{"mimetype": "", "content.xml": ""}), "another office document"),
        (zipped(**{"data.csv": "1,2"}), "ZIP archive that holds 'data.csv'"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "an Excel workbook"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\x80\x04\x95", "a pickle"),
        (b" <!DOCTYPE html>", "HTML"),
        (b"[[1,2],[3,4]]", "JSON"),
        (FILES["parquet"][:-20], "broken"),
        (FILES["arrow"][:-20], "broken"),
        (as_table([Column(["a"] * 30, type=DataType.utf8())]), "'x0' does not hold real numbers"),
        (as_table([MISSING_FIRST] * 12), "missing, the first in row 0, column 0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_with_a_file_is_said(content, words):
    with pytest.raises(BadMatrix, match=words):
        load(content() if callable(content) else content)

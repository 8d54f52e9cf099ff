"""Files and arrays of data: the same numbers from every format, and what is wrong with one is said."""

import io
import json
import warnings
import zipfile
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import xarray as xr
from arro3.core import Array as Column
from arro3.core import DataType, Schema, Table
from arro3.io import write_ipc, write_parquet

from dlnflow.wire.matrix import MAX_ENTRIES, BadMatrix, load, matrix_id, standardise
from store.settings import Settings

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


@pytest.mark.parametrize("name", FILES)
def test_every_format_gives_the_same_numbers(name):
    found = load(FILES[name])
    np.testing.assert_array_equal(found.values, MATRIX)
    assert matrix_id(found.values) == matrix_id(MATRIX)


@pytest.mark.parametrize("name", IN_MEMORY)
def test_everything_in_memory_gives_the_same_numbers(name):
    np.testing.assert_array_equal(load(IN_MEMORY[name]).values, MATRIX)


def test_a_path_is_read_and_may_begin_at_home(tmp_path, monkeypatch):
    (tmp_path / "data.csv").write_bytes(FILES["header"])
    monkeypatch.setenv("HOME", str(tmp_path))
    for path in (tmp_path / "data.csv", str(tmp_path / "data.csv"), "~/data.csv"):
        np.testing.assert_array_equal(load(path).values, MATRIX)


def test_the_answer_says_how_a_file_was_read():
    found = load(FILES["header"])
    assert (found.format, found.header, found.index, found.names) == ("csv", True, None, tuple(NAMES))
    assert load(FILES["csv"]).header is False
    assert load(FILES["parquet"]).names == tuple(f"x{i}" for i in range(12))
    assert load(FRAME).names == tuple(NAMES)


def test_another_number_or_shape_is_another_data_set():
    other = MATRIX.copy()
    other[3, 4] = np.nextafter(other[3, 4], 9)
    assert len({matrix_id(MATRIX), matrix_id(other), matrix_id(MATRIX.reshape(12, 30))}) == 3


def test_columns_are_centred_with_variance_one_over_d():
    rows = standardise(MATRIX).astype(float)
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-7)  # single precision
    np.testing.assert_allclose(rows.var(axis=0), 1 / 12, rtol=1e-6)


@pytest.mark.parametrize("exponent", [-1060, -700, -520, 520, 700, 1010])  # subnormal, squares that are none, sums that are infinite
def test_numbers_whose_squares_are_no_doubles_are_the_same_data(exponent):
    scaled = np.ldexp(np.float32(MATRIX).astype(float), exponent)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = standardise(load(as_npy(scaled)).values)
    digits = 1e-6 if exponent > -1000 else 1e-2  # subnormal numbers have few
    np.testing.assert_allclose(rows, standardise(MATRIX), rtol=digits, atol=digits)


def test_columns_of_very_different_size_are_standardised_each_by_itself():
    np.testing.assert_array_equal(standardise(np.ldexp(MATRIX, np.arange(-600, 600, 100))), standardise(MATRIX))


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


@pytest.mark.parametrize("name", INDEXED)
def test_a_column_that_names_the_rows_is_no_number_of_theirs(name):
    with pytest.raises(BadMatrix, match="index=true"):
        load(INDEXED[name])
    found = load(INDEXED[name], index=True)
    np.testing.assert_array_equal(found.values, MATRIX)
    assert found.index is True and (found.names is None or len(found.names) == 12)


@pytest.mark.parametrize("name", ["pandas", "no header", "npy", "array", "frame", "parquet"])
def test_a_column_that_numbers_the_rows_may_be_data(name):
    found = load(INDEXED[name], index=False)
    np.testing.assert_array_equal(found.values, INDEX)


def test_a_header_of_too_few_names_is_none_for_data_without_an_index():
    with pytest.raises(BadMatrix, match="the first row has 12 cells and the others have 13"):
        load(INDEXED["R's write.table"], index=False)


def test_the_index_that_pandas_notes_in_a_file_is_left_out():
    columns, names = columns_of(np.column_stack([MATRIX, np.arange(30)])), [*NAMES, "__index_level_0__"]
    for write in (write_parquet, write_ipc):
        found = load(as_table(columns, names, PANDAS, write))
        np.testing.assert_array_equal(found.values, MATRIX)
        assert found.index is True and found.names == tuple(NAMES)
    assert load(as_table(columns, names, PANDAS), index=False).values.shape == (30, 13)


def test_a_column_that_counts_the_rows_is_seen_wherever_it_stands():
    with pytest.raises(BadMatrix, match="column 12 counts the rows"):
        load(np.column_stack([MATRIX, 30.0 - np.arange(30)]))


NUMBERED = {
    "0 to 11": ",".join(map(str, range(12))),
    "years": ",".join(map(str, range(2001, 2013))),
    "falling": ",".join(map(str, range(12, 0, -1))),
    "wavelengths": ",".join(f"{400.5 + i / 10}" for i in range(12)),
    "with a point": ",".join(f"{i}.0" for i in range(12)),
    "in no order": "17,3,44,2,90,41,8,23,5,77,61,30",
    "quoted": ",".join(f'"{x}"' for x in ["17.5", "3", "44", "2", "90", "41", "8", "23", "5", "77", "61", "30"]),
}


@pytest.mark.parametrize("name", NUMBERED)
def test_a_first_row_of_numbers_that_may_be_names_is_asked_about(name):
    content = as_csv(MATRIX, header=NUMBERED[name])
    with pytest.raises(BadMatrix, match="header=true"):
        load(content)
    found = load(content, header=True)
    np.testing.assert_array_equal(found.values, MATRIX)
    assert found.header is True and found.names == tuple(NUMBERED[name].replace('"', "").split(","))
    assert load(content, header=False).values.shape == (31, 12)


def test_names_of_numbers_and_an_index_together():
    content = labelled(range(30), header="," + NUMBERED["0 to 11"])
    with pytest.raises(BadMatrix, match="header=true"):
        load(content)
    with pytest.raises(BadMatrix, match="index=true"):
        load(content, header=True)
    np.testing.assert_array_equal(load(content, header=True, index=True).values, MATRIX)


def test_a_first_row_of_data_is_none_of_names():
    integers = np.random.default_rng(3).integers(0, 255, (30, 12))
    assert load("\n".join(",".join(map(str, row)) for row in integers).encode()).header is False
    assert load(as_csv(MATRIX)).values.shape == (30, 12)


@pytest.mark.parametrize("cell", ["", "NA", "nan", "NaN", "N/A", "null", "?", " "])
@pytest.mark.parametrize("row", [0, 4])
def test_a_missing_value_is_missing_in_the_first_row_too(row, cell):
    lines = as_csv(MATRIX).decode().splitlines()
    cells = lines[row].split(",")
    lines[row] = ",".join([*cells[:7], cell, *cells[8:]])
    for header in ("", HEADER):
        with pytest.raises(BadMatrix, match=f"missing.*row {row}, column 7"):
            load("\n".join([header, *lines] if header else lines).encode())


def changed(value) -> np.ndarray:
    matrix = MATRIX.copy()
    matrix[4, 7] = value
    return matrix


MASKED = np.ma.masked_array(MATRIX, mask=MATRIX[4, 7] == MATRIX, fill_value=7)


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


def zipped(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()


CONSTANT = np.where(np.arange(12) == 3, 0.1, MATRIX)
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


def test_integers_and_booleans_are_numbers():
    bits = np.random.default_rng(5).integers(0, 2, (30, 12))
    for array in (bits, bits.astype(bool), bits.astype(np.uint8), bits.astype(np.float16)):
        np.testing.assert_array_equal(load(array).values, bits)
        np.testing.assert_array_equal(load(as_npy(array)).values, bits)
    np.testing.assert_array_equal(load(as_table(columns_of(bits.astype(bool)))).values, bits)


def test_a_file_may_be_as_large_as_the_entries_that_are_allowed():
    assert Settings().max_dataset_bytes >= 8 * MAX_ENTRIES + 1000

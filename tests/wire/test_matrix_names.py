"""Names of rows and of columns are told from data, or asked about."""

import numpy as np
import pytest
from arro3.io import write_ipc, write_parquet

from dlnflow.wire.matrix import BadMatrix, load
from tests.wire.matrices import HEADER, INDEX, INDEXED, MATRIX, NAMES, NUMBERED, PANDAS, as_csv, as_table, columns_of, labelled


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

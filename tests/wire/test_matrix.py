"""Files and arrays of data: the same numbers from every format."""

import warnings

import numpy as np
import pytest

from dlnflow.wire.matrix import MAX_ENTRIES, load, matrix_id, standardise
from store.settings import Settings
from tests.wire.matrices import FILES, FRAME, IN_MEMORY, MATRIX, NAMES, as_npy, as_table, columns_of


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


def test_integers_and_booleans_are_numbers():
    bits = np.random.default_rng(5).integers(0, 2, (30, 12))
    for array in (bits, bits.astype(bool), bits.astype(np.uint8), bits.astype(np.float16)):
        np.testing.assert_array_equal(load(array).values, bits)
        np.testing.assert_array_equal(load(as_npy(array)).values, bits)
    np.testing.assert_array_equal(load(as_table(columns_of(bits.astype(bool)))).values, bits)


def test_a_file_may_be_as_large_as_the_entries_that_are_allowed():
    assert Settings().max_dataset_bytes >= 8 * MAX_ENTRIES + 1000

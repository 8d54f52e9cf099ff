"""Subnormal numbers are zero while a mean field is solved, and only then."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dlnflow.dmft.subnormal import IS_SLOW, flushed

SMALLEST = np.full(4, np.finfo(np.float32).tiny)


def test_subnormal_results_are_zero_inside_and_in_threads_begun_there():
    if not IS_SLOW:
        pytest.skip("this processor is as fast with subnormal numbers")
    with flushed(), ThreadPoolExecutor(1) as pool:
        assert not (SMALLEST / 2).any()
        assert not pool.submit(lambda: SMALLEST / 2).result().any()


def test_they_are_kept_outside_also_after_an_error():
    with pytest.raises(ValueError, match="inside"), flushed():
        raise ValueError("inside")
    assert (SMALLEST / 2).all()

"""What a job leaves in its process."""

import ctypes

import numpy as np
import pytest

from dlnflow.provenance import forget_peak, peak
from worker import memory

SIZE, NUMBER = 8_000, 4_000  # numbers in an array, too few for it to be mapped alone, and arrays: 256 MB


def resident() -> int:
    forget_peak()
    return peak()


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another C library than that of GNU")
def test_what_is_free_is_given_back():
    arrays = [np.ones(SIZE) for _ in range(NUMBER)]
    full = resident()
    last = arrays[-1]  # above all others, so that they do not go by themselves
    arrays.clear()
    kept = resident()
    memory.give_back()
    assert full - kept < 0.5 * 8 * SIZE * NUMBER < full - resident()
    assert last.sum() == SIZE

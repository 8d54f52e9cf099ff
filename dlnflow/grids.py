"""The times at which curves are returned."""

import numpy as np

from dlnflow.solution import Array


def default_times(horizon: float) -> Array:
    """Times for a curve up to `horizon`, shape (T,): 0, then 12 per decade from min(horizon, 1)/100 on."""
    first = min(horizon, 1.0) / 100
    count = max(2, int(np.ceil(12 * np.log10(horizon / first))) + 1)
    return np.concatenate([[0.0], np.geomspace(first, horizon, count)])

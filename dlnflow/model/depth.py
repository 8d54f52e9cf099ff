"""Powers of u and v in a network of depth L, whose finite steps may make them negative."""

import numpy as np

from dlnflow.model.base import Array


def power(x: Array, p: float) -> Array:
    """x^p; where p is not an integer, that of |x| with the sign of x."""
    if p == 1:
        return x
    return np.asarray(x**p if float(p).is_integer() else np.sign(x) * np.abs(x) ** p)

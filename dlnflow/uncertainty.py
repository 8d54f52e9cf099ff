"""What ± means, everywhere: one standard error; and what of a curve is told apart from zero by it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlnflow.solution import Array

ONE = "± 1 s.e."
"""Of labels and legends: the band, the bars or the number is one standard error to either side."""
CAPTION = "Bands and bars: ± one standard error. Dotted grey: below its own error, drawn at value + error."


def is_resolved(value: Any, stderr: Any) -> NDArray[np.bool_]:
    """Where a value is at least its standard error; below, it is noise."""
    return np.asarray(np.abs(value) >= stderr, dtype=bool)


def bound(value: Any, stderr: Any) -> Array:
    """What an unresolved value lies below: |value| + one standard error."""
    return np.asarray(np.abs(value) + stderr)


def cell(value: float, stderr: float, digits: int = 6) -> tuple[str, str]:
    """A value and its standard error as texts of a table: `< 2.4e-09` and nothing where the value is below its error."""
    if not is_resolved(value, stderr):
        return f"< {bound(value, stderr):.2g}", ""
    return f"{value:.{digits}g}", f"{stderr:.1g}"

"""The Dormand–Prince method of order 5, for the stretches of the flow that are not stiff.

Dormand and Prince, J. Comput. Appl. Math. 6 (1980); the interpolant of order 4 is Shampine's, Math. Comp. 46 (1986).
"""

import numpy as np
from scipy.integrate import RK45 as TABLEAU

from dlnflow.simulation.step import Field, Step
from dlnflow.solution import Array

STABILITY = 3.0  # a little inside the real stability interval, 3.3


class DormandPrince:
    """Six evaluations a step, the last of which is the first of the next."""

    order = 5

    def longest(self, radius: float) -> float:
        """The longest stable step."""
        return STABILITY / radius if radius > 0 else np.inf

    def cost(self, stiffness: float) -> int:
        """Evaluations of the field."""
        return 6

    def step(self, field: Field, t: float, y: Array, f: Array, h: float, radius: float) -> Step:
        """From y(t), shape (d,), with f = field(t, y), to t + h."""
        k = np.empty((7, y.size))
        k[0] = f
        for stage in range(1, 6):
            k[stage] = field(t + TABLEAU.C[stage] * h, y + h * (TABLEAU.A[stage, :stage] @ k[:stage]))
        new = y + h * (TABLEAU.B @ k[:6])
        k[6] = field(t + h, new)

        def interpolate(theta: float) -> Array:
            return np.asarray(y + h * ((TABLEAU.P @ theta ** np.arange(1, 5)) @ k))

        return Step(new, k[6], h * (TABLEAU.E @ k), interpolate)

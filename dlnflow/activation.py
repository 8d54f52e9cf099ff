"""When the weights of one atom, or sign, of w* are learned: incremental learning in one number each."""

import numpy as np

from dlnflow.solution import Array, Conditional


def activation_time(time: Array, conditional: Conditional) -> float:
    """When the conditional mean of w last crosses half its final value, linear between the times (T,).

    NaN where the weights do not leave zero together, the final quartiles having different signs, or where they start beyond half.
    """
    lower, upper = conditional.quantiles[1, -1], conditional.quantiles[3, -1]
    share = conditional.mean / conditional.mean[-1] if lower * upper > 0 else np.ones_like(time)
    below = np.flatnonzero(share < 0.5)
    if not len(below):
        return float("nan")
    last = below[-1]
    step = (0.5 - share[last]) / (share[last + 1] - share[last])
    return float(time[last] + step * (time[last + 1] - time[last]))

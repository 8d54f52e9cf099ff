"""What is observed of a network: every curve and order parameter on a line of its own, the two-time kernels and the quantiles of w."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dlnflow.model.base import Array


class Coordinates(Protocol):
    """w, u², v² and the mean of w since t = 0 of some coordinates at some times, (T, d) each."""

    @property
    def w(self) -> Array: ...  # noqa: D102
    @property
    def u2(self) -> Array: ...  # noqa: D102
    @property
    def v2(self) -> Array: ...  # noqa: D102
    @property
    def averaged(self) -> Array: ...  # noqa: D102


@dataclass(frozen=True)
class OrderParameter:
    """An average over coordinates: its `name`, what it is in symbols of the notation page, and `of` coordinates, w* (d,) and θ: (T,)."""

    name: str
    formula: str
    of: Callable[[Coordinates, Array, float], Array]


ERROR = OrderParameter("parameter_error", "E[(w − w*)²]", lambda at, teacher, _: np.mean((at.w - teacher) ** 2, axis=1))


def excess_risk(at: Coordinates, teacher: Array, variance: Array) -> Array:
    """E[c (w − w*)²], (T,): twice the test loss beyond that of the label noise."""
    return np.asarray(np.mean(variance * (at.w - teacher) ** 2, axis=1))


OBSERVED = (
    OrderParameter("overlap", "E[w w*]", lambda at, teacher, _: at.w @ teacher / teacher.size),
    OrderParameter("norm", "E[w²]", lambda at, *_: np.mean(at.w**2, axis=1)),
    OrderParameter("l1_norm", "E|w|", lambda at, *_: np.mean(np.abs(at.w), axis=1)),
    OrderParameter("u_norm", "E[u²]", lambda at, *_: np.mean(at.u2, axis=1)),
    OrderParameter("v_norm", "E[v²]", lambda at, *_: np.mean(at.v2, axis=1)),
    OrderParameter("log_product", "E[log |u v|]", lambda at, *_: np.mean(np.log(at.u2) + np.log(at.v2), axis=1) / 2),
    OrderParameter(
        "averaged_parameter_error",
        "E[(w̄ − w*)²], w̄ = (1/t) ∫₀ᵗ w",
        lambda at, teacher, _: np.mean((at.averaged - teacher) ** 2, axis=1),
    ),
    OrderParameter("excess_l1_norm", "E|w| − E|w*|", lambda at, teacher, _: np.mean(np.abs(at.w), axis=1) - np.mean(np.abs(teacher))),
    OrderParameter(
        "missed_support", "P(|w| ≤ θ, w* ≠ 0)", lambda at, teacher, theta: np.mean((np.abs(at.w) <= theta) & (teacher != 0), axis=1)
    ),
    OrderParameter(
        "false_support", "P(|w| > θ, w* = 0)", lambda at, teacher, theta: np.mean((np.abs(at.w) > theta) & (teacher == 0), axis=1)
    ),
)

CURVES = ("train_loss", "test_loss", ERROR.name)
SHARES = ("missed_support", "false_support")
"""What counts networks' weights, or paths."""
ORDER_PARAMETERS = tuple(parameter.name for parameter in OBSERVED)
NAMES = (*CURVES, *ORDER_PARAMETERS)
FINAL = (
    "parameter_error",
    "test_loss",
    "train_loss",
    "norm",
    "l1_norm",
    "overlap",
    "u_norm",
    "v_norm",
    "excess_l1_norm",
    "missed_support",
    "false_support",
)
"""What has a limit t → ∞, in the order in which it is shown."""
KERNELS = ("correlation", "response", "residual_correlation", "residual_response")
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

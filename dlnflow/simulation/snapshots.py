"""Networks at the times for which results are wanted, a few at a time."""

from collections.abc import Callable
from dataclasses import dataclass, field

from dlnflow.solution import Array

Watcher = Callable[[float], None]  # is told how far a network is, and stops it by an exception


@dataclass(frozen=True)
class Snapshots:
    """At the times `t`, shape (m,): `w`, `u2` = u² and `v2` = v², each of shape (m, d), and the residual `r`, shape (m, rows).

    `averaged` (m, d) is the mean of w since t = 0, at t = 0 w itself. Where there are `coarse` ones, of steps twice as long, averages are
    extrapolated from both to steps of no length.
    """

    t: Array
    w: Array
    u2: Array
    v2: Array
    r: Array
    averaged: Array
    coarse: "Snapshots | None" = field(default=None, kw_only=True)

"""Anderson acceleration of a fixed point x = g(x) (D. G. Anderson, J. ACM 12, 1965)."""

from collections.abc import Sequence

import numpy as np

from dlnflow.dmft.constants import (
    ASTRAY,
    FORGET,
    SHORTER_STEP,
    TRUSTED_STEPS,
)
from dlnflow.native import dmft as native
from dlnflow.solution import Array

Secant = tuple[Array, Array]


class Anderson:
    """Combines the last `depth` moves of x so that the changes that they make in the residual g(x) − x cancel it by least squares.

    A `secant` is such a move and change, (X,) each. Those of a similar problem give a first idea of the derivative. Where the residual
    grows, as it may where g is rough, the iteration starts again from its best point by a shorter step.
    """

    def __init__(self, depth: int, secants: Sequence[Secant] = ()) -> None:
        self.depth = depth
        self.secants = list(secants)
        self.last: Secant | None = None
        self.least, self.damping, self.steps = np.inf, 1.0, 0

    def step(self, point: Array, residual: Array) -> Array:
        """The next iterate, shape (X,), after x = `point` with g(x) − x = `residual`."""
        size = float(np.abs(residual).max())
        self.steps += 1
        if size < self.least:
            self.least, self.best = size, (point, residual)
        if size > ASTRAY * self.least and self.steps > TRUSTED_STEPS:
            self.secants, self.last, self.steps = [], None, 0
            self.least, self.damping = FORGET * self.least, SHORTER_STEP * self.damping
            return self.best[0] + self.damping * self.best[1]
        if self.last:
            self.secants = [*self.secants, (point - self.last[0], residual - self.last[1])][-self.depth :]
        self.last = (point, residual)
        if not self.secants:
            return point + residual
        moves, changes = (np.stack(each) for each in zip(*self.secants, strict=True))
        return native.mixed(moves, changes, point, residual)

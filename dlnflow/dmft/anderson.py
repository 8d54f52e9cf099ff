"""Anderson acceleration of a fixed point x = g(x) (D. G. Anderson, J. ACM 12, 1965)."""

import numpy as np

from dlnflow.solution import Array

ASTRAY = 5.0  # times the least residual at which the iteration starts again from its best point
FORGET = 1.5  # growth of that least residual at each new start


class Anderson:
    """Combines the last `depth` iterates so that their residuals g(x) − x cancel in the least-squares sense.

    Where the residual grows, as it may where g is rough, it starts again from its best point by a shorter step.
    """

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.points: list[Array] = []
        self.residuals: list[Array] = []
        self.least, self.damping = np.inf, 1.0

    def step(self, point: Array, residual: Array) -> Array:
        """The next iterate, shape (X,), after x = `point` with g(x) − x = `residual`."""
        size = float(np.abs(residual).max())
        if size < self.least:
            self.least, self.best = size, (point, residual)
        if size > ASTRAY * self.least and len(self.points) > 3:
            self.points, self.residuals = [], []
            self.least, self.damping = FORGET * self.least, self.damping / 2
            return self.best[0] + self.damping * self.best[1]
        self.points = [*self.points, point][-self.depth - 1 :]
        self.residuals = [*self.residuals, residual][-self.depth - 1 :]
        if len(self.points) == 1:
            return point + residual
        moves = np.diff(np.stack(self.points), axis=0)
        changes = np.diff(np.stack(self.residuals), axis=0)
        mix, *_ = np.linalg.lstsq(changes.T, residual, rcond=1e-10)
        return point + residual - mix @ (moves + changes)

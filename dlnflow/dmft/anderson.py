"""Anderson acceleration of a fixed point x = g(x) (D. G. Anderson, J. ACM 12, 1965)."""

import numpy as np

from dlnflow.solution import Array


class Anderson:
    """Combines the last `depth` iterates so that their residuals g(x) − x cancel in the least-squares sense."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.points: list[Array] = []
        self.residuals: list[Array] = []

    def step(self, point: Array, residual: Array) -> Array:
        """The next iterate, shape (X,), after x = `point` with g(x) − x = `residual`."""
        self.points = [*self.points, point][-self.depth - 1 :]
        self.residuals = [*self.residuals, residual][-self.depth - 1 :]
        if len(self.points) == 1:
            return point + residual
        moves = np.diff(np.stack(self.points), axis=0)
        changes = np.diff(np.stack(self.residuals), axis=0)
        mix, *_ = np.linalg.lstsq(changes.T, residual, rcond=1e-10)
        return point + residual - mix @ (moves + changes)

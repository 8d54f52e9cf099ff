"""Anderson acceleration of a fixed point x = g(x) (D. G. Anderson, J. ACM 12, 1965), eq. (13)."""

from dataclasses import dataclass, replace

import numpy as np

from dlnflow.dmft.constants import DEPTH, FORGET, RESTARTED, SHORTER_STEP, TRUSTED_STEPS
from dlnflow.native import dmft as native
from dlnflow.solution import Array

Secant = tuple[Array, Array]


@dataclass(frozen=True)
class Anderson:
    """What an iteration has learned: its last moves of x and the changes that they made in the residual g(x) − x, (X,) each.

    Those of a similar problem give a first idea of the derivative. `last` and `best` are points with their residuals, of which `least`
    is the size at the best one; `steps` are counted, and are shorter by `damping`, since the last start.
    """

    secants: tuple[Secant, ...] = ()
    last: Secant | None = None
    best: Secant | None = None
    least: float = np.inf
    damping: float = 1.0
    steps: int = 0

    def anew(self) -> "Anderson":
        """The same secants for another map, whose residuals are not known yet."""
        return Anderson(self.secants)

    def step(self, point: Array, residual: Array) -> tuple[Array, "Anderson"]:
        """The next iterate (X,) after x = `point` with g(x) − x = `residual`, and what is known then.

        It combines the secants so that they cancel the residual by least squares, and adds what is left. Where the residual grows, as it
        may where g is rough, the iteration starts again from its best point by a shorter step.
        """
        size, here = float(np.abs(residual).max()), (point, residual)
        least, best = (size, here) if self.best is None or size < self.least else (self.least, self.best)
        secants = (*self.secants, (point - self.last[0], residual - self.last[1])) if self.last else self.secants
        known = Anderson(secants[-DEPTH:], here, best, least, self.damping, self.steps + 1)
        if size > RESTARTED * least and known.steps > TRUSTED_STEPS:
            return known._started_again()
        return known._combined(), known

    def _started_again(self) -> tuple[Array, "Anderson"]:
        assert self.best is not None
        damping = SHORTER_STEP * self.damping
        known = replace(self, secants=(), last=None, steps=0, least=FORGET * self.least, damping=damping)
        return self.best[0] + damping * self.best[1], known

    def _combined(self) -> Array:
        assert self.last is not None
        point, residual = self.last
        if not self.secants:
            return point + residual
        moves, changes = (np.array(each) for each in zip(*self.secants, strict=True))
        return native.mixed(moves, changes, point, residual)

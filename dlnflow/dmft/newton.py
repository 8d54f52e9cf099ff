"""Newton's method where the combination of secants settles a panel slowly: steps by GMRES, eq. (13c), shortened where the residual grows.

GMRES: Y. Saad and M. Schultz, SIAM J. Sci. Stat. Comput. 7, 1986. Such inexact steps: R. Dembo, S. Eisenstat and T. Steihaug, SIAM J.
Numer. Anal. 19, 1982.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres

from dlnflow.dmft.constants import DIRECTIONS, GROWN, INEXACT, LEAST_SHARE, SHORTER_STEP
from dlnflow.solution import Array

Along = Callable[[Array], Array]
"""What g(x) moves by to first order where x moves by this, (X,) each."""


@dataclass(frozen=True)
class Newton:
    """A `share` of a whole `step` (X,) from the point `base` (X,), whose residual g(x) − x had this `size`."""

    base: Array
    step: Array
    size: float
    share: float = 1.0

    @property
    def point(self) -> Array:
        """Where it leads, (X,)."""
        return self.base + self.share * self.step

    @property
    def is_stuck(self) -> bool:
        """Whether shorter steps are not worth a try."""
        return self.share < LEAST_SHARE

    def misses(self, size: float) -> bool:
        """Whether a residual of this `size` there is a reason for a shorter step."""
        return size > GROWN * self.size

    def shorter(self) -> "Newton":
        """The same step, but less of it."""
        return replace(self, share=SHORTER_STEP * self.share)


def step(along: Along, point: Array, residual: Array, size: float, before: Newton | None) -> Newton:
    """From a point with this residual (X,) of some `size`, at once by twice the share of the step `before`."""
    operator = LinearOperator((point.size, point.size), matvec=lambda move: move - _scaled(along, move))
    move, _ = gmres(operator, residual, rtol=INEXACT, restart=DIRECTIONS, maxiter=1)
    return Newton(point, move, size, min(1.0, 2.0 * before.share) if before else 1.0)


def _scaled(along: Along, move: Array) -> Array:
    """The same for a direction of any size."""
    size = float(np.abs(move).max())
    return size * along(move / size) if size else move

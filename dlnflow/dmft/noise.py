"""The noise ζ = L z: a panel's rows of L from those of C_ζ = C_r/δ."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from dlnflow.dmft import radau
from dlnflow.dmft.constants import WHITE_COLUMNS
from dlnflow.dmft.outcome import Unsettled
from dlnflow.dmft.white import White
from dlnflow.native import dmft as native
from dlnflow.solution import Array


@dataclass(frozen=True)
class Factor:
    """Rows of L on a panel, `rows` (m, D), and the weights `modes` (m, new) that read its new modes off C_ζ; so many are `above` the cut.

    There are as many new modes as that, unless they are held to what they were. Where there is `white` noise, its columns come last.
    """

    rows: Array
    modes: Array
    above: int
    white: White | None = None

    def columns(self, rank: int) -> Array:
        """The block (m, new) of L that belongs to the new modes of ζ, after the first `rank`."""
        return self.rows[:, rank : rank + self.modes.shape[1]]


def factor(correlation: Array, readout: Array, start: float, held: Array | None) -> Factor | Unsettled:
    """Eq. (14), from rows `correlation` (m, N + m) of C_ζ, of which C_ζ(0, 0) is the `start`; `readout` (N, D) reads earlier modes off.

    A block of L that is `held`, (m, new), says how many new modes there are, and what they are turned towards.
    """
    made = native.factor(
        correlation=correlation,
        readout=np.ascontiguousarray(readout),
        start=start,
        roots=_roots(len(correlation)),
        wanted=None if held is None else np.ascontiguousarray(held),
    )
    return Factor(*made) if made else Unsettled("the correlation is not finite")


def with_white(factor: Factor, noise: White) -> Factor:
    """The `factor` of ζ with the columns of white noise, which earlier columns of it go on to move."""
    known = noise.rows.shape[1] - WHITE_COLUMNS
    rows = np.concatenate([factor.rows[:, :known] + noise.rows[:, :known], factor.rows[:, known:], noise.rows[:, known:]], axis=1)
    return Factor(np.ascontiguousarray(rows), factor.modes, factor.above, noise)


@cache
def _roots(m: int) -> Array:
    """The square roots (m,) of the quadrature weights of a panel."""
    return np.sqrt(radau.integration(m)[-1])

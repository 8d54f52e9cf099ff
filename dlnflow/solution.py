"""The shape of every result, whether solved by mean-field theory or simulated: plain NumPy arrays."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from dlnflow.model.base import Array
from dlnflow.model.curves import CURVES, KERNELS, NAMES, ORDER_PARAMETERS, QUANTILES
from dlnflow.portable import Portable

__all__ = ["CURVES", "KERNELS", "NAMES", "ORDER_PARAMETERS", "QUANTILES", "Array"]


class Observer(Protocol):
    """Called by a solver as it goes on. It may raise `Cancelled` to stop the solve."""

    def __call__(self, progress: float, message: str) -> None:
        """`progress` is the fraction of the work that is done, in [0, 1]."""


class Cancelled(Exception):
    """The observer asked the solver to stop."""


class SolveError(Portable):
    """A solve that has no result. `code` is the job's error code; the text says what to try next."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def ignore_progress(progress: float, message: str) -> None:
    """The observer of a solve that nobody watches."""


class Journal:
    """What a solver writes down as it goes on, and where it takes up what an earlier attempt left. This one keeps nothing.

    A solve that is taken up from a checkpoint gives the same bits as one that was not interrupted.
    """

    earlier: bytes | None = None

    def preview(self, time: Array, values: dict[str, Array], stderr: dict[str, Array] | None = None) -> None:
        """The curves as far as they are known: `time` (T,), `values` by the names in CURVES, (T,) each, `stderr` where it is known."""

    def save(self, checkpoint: Callable[[], bytes]) -> None:
        """A point from which to go on; `checkpoint()` makes its bytes."""

    def expect(self, seconds: float) -> None:
        """About how long the rest of the solve takes from now on."""


@dataclass(frozen=True)
class Conditional:
    """Statistics of w(t) given one atom, or the sign, of w*.

    `given` names the condition ("w*=1.5", "w*<0", "w*=0", "w*>0"), `probability` is its weight,
    `mean` has shape (T,) and `quantiles` shape (5, T), one row per entry of `QUANTILES`.
    """

    given: str
    probability: float
    mean: Array
    quantiles: Array


@dataclass(frozen=True)
class Solution:
    """Curves and order parameters on the times `time`, shape (T,), increasing.

    `values` and `stderr` map every name in `CURVES` and `ORDER_PARAMETERS` to an array of shape (T,);
    `kernels` maps the names in `KERNELS` to arrays of shape (K, K), indexed [t, s] on `kernel_time` (empty for a simulation).
    `diagnostics` holds only JSON values: `outcome` ("converged" or "not_converged"), `advice`, error split and so on.
    """

    time: Array
    values: dict[str, Array]
    stderr: dict[str, Array]
    conditional: tuple[Conditional, ...]
    diagnostics: dict[str, Any]
    kernel_time: Array | None = None
    kernels: dict[str, Array] = field(default_factory=dict)

"""Results as frozen dataclasses of NumPy arrays; T is the number of times."""

import io
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from dlnflow.solution import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def _arrays(content: bytes) -> dict[str, Array]:
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


class _FromNpz:
    """A dataclass whose fields are the arrays of an npz document."""

    @classmethod
    def from_npz(cls, content: bytes) -> Self:
        """Read the document; names that the class does not know are left out."""
        arrays = _arrays(content)
        return cls(**{f.name: arrays[f.name] for f in fields(cls)})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Curves(_FromNpz):
    """Curves on the dimensionless times `time`; every array has shape (T,)."""

    time: Array
    train_loss: Array
    train_loss_stderr: Array
    test_loss: Array
    test_loss_stderr: Array
    parameter_error: Array
    parameter_error_stderr: Array

    def plot(self, ax: "Axes | None" = None, name: str = "train_loss", **style: Any) -> "Axes":
        """Draw one curve on log axes with a band of two standard errors; needs matplotlib."""
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.subplots()[1]
        shown = self.time > 0
        time, value, stderr = self.time[shown], getattr(self, name)[shown], getattr(self, f"{name}_stderr")[shown]
        (line,) = ax.loglog(time, value, **style)
        low = np.maximum(value - 2 * stderr, value * 1e-3)
        ax.fill_between(time, low, value + 2 * stderr, color=line.get_color(), alpha=0.25, linewidth=0)
        ax.set_xlabel("time")
        return ax


@dataclass(frozen=True)
class Conditional:
    """w given one atom, or sign, of w*: `mean` (T,) and `quantiles` (5, T) at 5, 25, 50, 75 and 95 %."""

    given: str
    probability: float
    mean: Array
    quantiles: Array


@dataclass(frozen=True)
class OrderParameters:
    """Order parameters, shape (T,) each, and the conditional statistics of w."""

    time: Array
    overlap: Array
    overlap_stderr: Array
    norm: Array
    norm_stderr: Array
    l1_norm: Array
    l1_norm_stderr: Array
    u_norm: Array
    u_norm_stderr: Array
    v_norm: Array
    v_norm_stderr: Array
    conditional: tuple[Conditional, ...]

    @classmethod
    def from_npz(cls, content: bytes) -> "OrderParameters":
        """Read the document."""
        arrays = _arrays(content)
        count = sum(name.endswith(".given") for name in arrays)
        conditional = tuple(_conditional(arrays, f"conditional.{i}.") for i in range(count))
        plain = {f.name: arrays[f.name] for f in fields(cls) if f.name != "conditional"}
        return cls(**plain, conditional=conditional)


def _conditional(arrays: dict[str, Array], prefix: str) -> Conditional:
    return Conditional(
        given=str(arrays[prefix + "given"]),
        probability=float(arrays[prefix + "probability"]),
        mean=arrays[prefix + "mean"],
        quantiles=arrays[prefix + "quantiles"],
    )


@dataclass(frozen=True)
class Kernels(_FromNpz):
    """Two-time functions, shape (K, K), indexed [t, s] on `time` (K,); the responses vanish for s > t.

    `residual_response` is the smooth part of R_r, without its identity.
    """

    time: Array
    correlation: Array
    response: Array
    residual_correlation: Array
    residual_response: Array

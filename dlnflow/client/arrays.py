"""The parts of a result as frozen dataclasses of NumPy arrays; T is the number of times."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from dlnflow.client.svg import small_plot
from dlnflow.files import write
from dlnflow.optional import need
from dlnflow.solution import Array
from dlnflow.uncertainty import ONE, bound, is_resolved
from dlnflow.wire import results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame
    from xarray import Dataset


@contextmanager
def own_axes(ax: "Axes | None") -> "Iterator[Axes]":
    """`ax`, or axes of a new figure, whose text matplotlib sets itself even where the user's settings ask for a LaTeX that is not there."""
    if ax is not None:
        yield ax
        return
    with need("matplotlib", "plot").rc_context({"text.usetex": False}):
        axes = need("matplotlib.pyplot", "plot").subplots()[1]
        yield axes
        axes.figure.draw_without_rendering()  # makes the labels of the ticks, while the settings hold


SIGNED = ("overlap", "log_product", "excess_l1_norm")
"""What may be negative."""


def draw_curve(ax: "Axes", time: Array, value: Array, stderr: Array, *, points: bool = False, **style: Any) -> None:
    """A curve with ± one standard error, all of shape (T,): a line with a band, or points with bars; grey below its own error."""
    seen = is_resolved(value, stderr)
    kept = np.where(seen, value, np.nan)
    if points:
        bars: dict[str, Any] = {"fmt": "o", "markersize": 4} | style
        ax.errorbar(time, kept, stderr, **bars)
    else:
        (line,) = ax.plot(time, kept, **style)
        low = np.where(kept > 0, np.maximum(kept - stderr, kept * 1e-3), kept - stderr)
        ax.fill_between(time, low, kept + stderr, color=line.get_color(), alpha=0.25, linewidth=0)
    if not seen.all():
        ax.plot(time, np.where(seen, np.nan, bound(value, stderr)), ":", color="0.6", linewidth=1.2)


class _Arrays:
    """A dataclass whose fields are the arrays of a part of a result."""

    @classmethod
    def from_document(cls, document: results.Document) -> Self:
        """The part in a document; names that the class does not know are left out."""
        return cls(**{f.name: document[f.name] for f in fields(cls)})  # type: ignore[arg-type]

    @classmethod
    def from_npz(cls, content: bytes) -> Self:
        """The part in an npz file."""
        return cls.from_document(results.from_npz(content))

    def __repr__(self) -> str:
        time: Array = self.time  # type: ignore[attr-defined]
        span = f"t = {time[0]:.4g} to {time[-1]:.4g}" if len(time) else "no times"
        return f"<{type(self).__name__} {len(time)} times, {span}>"


class _Columns(_Arrays):
    """A dataclass with one value per time in (almost) every field."""

    time: Array

    def columns(self) -> dict[str, Array]:
        """The arrays of shape (T,)."""
        return {f.name: getattr(self, f.name) for f in fields(self) if isinstance(getattr(self, f.name), np.ndarray)}  # type: ignore[arg-type]

    def to_dataframe(self) -> "DataFrame":
        """One row per time; needs pandas."""
        frame: DataFrame = need("pandas", "frames").DataFrame(self.columns())
        return frame

    def plot(self, ax: "Axes | None" = None, name: str = "", *, points: bool = False, **style: Any) -> "Axes":
        """Draw one column, the first where none is named: a line with a band of ± one standard error or `points` with bars.

        Axes are logarithmic, but for values that may be negative. What is below its own standard error is a dotted grey line at
        value + error. Needs matplotlib; raises ValueError where nothing is positive.
        """
        columns = self.columns()
        name = name or next(column for column in columns if column != "time")
        value, stderr = columns[name], columns[f"{name}_stderr"]
        linear = name in SIGNED
        shown = (self.time > 0) & (linear | (value > 0))
        if not shown.any():
            raise ValueError(f"{name} has no positive values at positive times, and nothing to draw on log axes")
        with own_axes(ax) as axes:
            label = {"label": f"{name.replace('_', ' ')} {ONE}"}
            draw_curve(axes, self.time[shown], value[shown], stderr[shown], points=points, **label | style)
            axes.set(xscale="log", yscale="linear" if linear else "log", xlabel="time")
        return axes


@dataclass(frozen=True, eq=False, repr=False)
class Curves(_Columns):
    """Curves on the dimensionless times `time`; every array has shape (T,)."""

    time: Array
    train_loss: Array
    train_loss_stderr: Array
    test_loss: Array
    test_loss_stderr: Array
    parameter_error: Array
    parameter_error_stderr: Array

    def save(self, path: str | Path) -> None:
        """Write .csv, .json or .npz, by the name's ending; all digits are kept."""
        writers = {".csv": results.to_csv, ".json": results.to_json, ".npz": results.to_npz}
        suffix = Path(path).suffix.lower()
        if suffix not in writers:
            raise ValueError(f"{path}: curves are saved as .csv, .json or .npz")
        write(path, writers[suffix](self.columns()))

    def _repr_html_(self) -> str:
        return small_plot(self.time, {"train_loss": self.train_loss, "test_loss": self.test_loss})


@dataclass(frozen=True, eq=False, repr=False)
class Conditional:
    """w given one atom, or sign, of w*: `mean` (T,) and `quantiles` (5, T) at 5, 25, 50, 75 and 95 %.

    `activation_time` is when the mean crosses half its final value, NaN where the quartiles end on both sides of zero.
    """

    given: str
    probability: float
    mean: Array
    quantiles: Array
    activation_time: float

    def __repr__(self) -> str:
        return f"<Conditional {self.given}, probability {self.probability:.4g}>"


@dataclass(frozen=True, eq=False, repr=False)
class OrderParameters(_Columns):
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
    log_product: Array
    log_product_stderr: Array
    averaged_parameter_error: Array
    averaged_parameter_error_stderr: Array
    excess_l1_norm: Array
    excess_l1_norm_stderr: Array
    missed_support: Array
    missed_support_stderr: Array
    false_support: Array
    false_support_stderr: Array
    conditional: tuple[Conditional, ...]

    @classmethod
    def from_document(cls, document: results.Document) -> Self:
        """The part in a document."""
        conditional = tuple(_conditional(each) for each in document["conditional"])
        return super().from_document(document | {"conditional": conditional})


def _conditional(document: results.Document) -> Conditional:
    found = {f.name: document[f.name] for f in fields(Conditional)}
    return Conditional(**found | {"activation_time": np.nan if found["activation_time"] is None else found["activation_time"]})


@dataclass(frozen=True, eq=False, repr=False)
class Kernels(_Arrays):
    """Two-time functions, shape (K, K), indexed [t, s] on `time` (K,); the responses vanish for s > t.

    `residual_response` is the smooth part of R_r, without its identity.
    """

    time: Array
    correlation: Array
    response: Array
    residual_correlation: Array
    residual_response: Array

    def to_xarray(self) -> "Dataset":
        """The four kernels with coordinates t and s; needs xarray."""
        kernels = {f.name: (("t", "s"), getattr(self, f.name)) for f in fields(self) if f.name != "time"}
        dataset: Dataset = need("xarray", "frames").Dataset(kernels, coords={"t": self.time, "s": self.time})
        return dataset

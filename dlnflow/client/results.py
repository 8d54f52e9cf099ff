"""Whole results: what a job of each kind found, with tables, files and plots."""

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlnflow.client.arrays import Curves, Kernels, OrderParameters, own_axes, read_npz
from dlnflow.files import write
from dlnflow.optional import need
from dlnflow.solution import CURVES, Array
from dlnflow.uncertainty import ONE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame
    from xarray import Dataset


@dataclass(frozen=True, eq=False)
class Result:
    """Everything that a mean-field solve or a simulation found; `kernels` is None for a simulation."""

    request: dict[str, Any]
    curves: Curves
    order_parameters: OrderParameters
    kernels: Kernels | None
    diagnostics: dict[str, Any]

    @classmethod
    def from_parts(cls, request: dict[str, Any], parts: dict[str, bytes]) -> "Result":
        """Put the parts of an answer together."""
        return cls(
            request=request,
            curves=Curves.from_npz(parts["curves"]),
            order_parameters=OrderParameters.from_npz(parts["order-parameters"]),
            kernels=Kernels.from_npz(parts["kernels"]) if "kernels" in parts else None,
            diagnostics=json.loads(parts["diagnostics"]),
        )

    @property
    def converged(self) -> bool:
        """Whether the accuracy that was asked for was met up to the horizon; `diagnostics["advice"]` says what to try where not."""
        return bool(self.diagnostics.get("outcome") == "converged")

    def to_dataframe(self) -> "DataFrame":
        """Curves and order parameters, one row per time; needs pandas."""
        frame: DataFrame = need("pandas", "frames").DataFrame(self.curves.columns() | self.order_parameters.columns())
        return frame

    def to_xarray(self) -> "Dataset":
        """The kernels; needs xarray."""
        if self.kernels is None:
            raise ValueError("a simulation has no two-time kernels; solve the mean-field theory (kind dmft) of the same problem")
        return self.kernels.to_xarray()

    def plot(self, ax: "Axes | None" = None, names: tuple[str, ...] = ("train_loss", "test_loss"), **style: Any) -> "Axes":
        """Draw curves and order parameters by their `names`: theory as lines with bands, a simulation as points with bars.

        Bands and bars are ± one standard error. Needs matplotlib.
        """
        points = self.request["kind"] == "simulation"
        with own_axes(ax) as axes:
            for number, name in enumerate(names):
                label = f"{name.replace('_', ' ')}, {self.request['kind']} {ONE}"
                part = self.curves if name in CURVES else self.order_parameters
                part.plot(axes, name, points=points, **{"label": label, "color": f"C{number}"} | style)
            axes.legend()
        return axes

    def save(self, path: str | Path) -> None:
        """Write everything to an .npz file, for `Result.load`, or the curves alone to .csv or .json."""
        if Path(path).suffix.lower() != ".npz":
            return self.curves.save(path)
        from dlnflow.jobs.results import to_npz

        parts = {f.name: asdict(value) for f in fields(self) if hasattr(value := getattr(self, f.name), "time")}
        texts = {"request": np.array(json.dumps(self.request)), "diagnostics": np.array(json.dumps(self.diagnostics))}
        write(path, to_npz(parts | texts))

    @classmethod
    def load(cls, path: str | Path) -> "Result":
        """Read what `save` wrote."""
        from dlnflow.jobs.results import to_npz

        arrays = read_npz(Path(os.path.expanduser(path)).read_bytes())
        parts: dict[str, dict[str, Array]] = {}
        for name, array in arrays.items():
            part, _, rest = name.partition(".")
            parts.setdefault(part.replace("_", "-"), {})[rest] = array
        stored = {part: to_npz(document) for part, document in parts.items() if "" not in document}
        diagnostics = str(arrays["diagnostics"]).encode()
        return cls.from_parts(json.loads(str(arrays["request"])), stored | {"diagnostics": diagnostics})

    def _repr_html_(self) -> str:
        problem = self.request["problem"]
        start = f"{len(problem['groups'])} groups" if "groups" in problem else f"a = {problem['initial_scale']}"
        caption = f"{self.request['kind']}, δ = {problem['aspect_ratio']}, σ = {problem['noise_std']}, {start}"
        return f"<figure>{self.curves._repr_html_()}<figcaption>{caption}</figcaption></figure>"


@dataclass(frozen=True)
class Document:
    """The parts of a result that are JSON, as they are printed."""

    request: dict[str, Any]
    document: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        document = self.__dict__.get("document", {})  # it is not there yet while a copy is made
        if name.startswith("_") or name not in document:
            raise AttributeError(name)
        return document[name]


class Theory(Document):
    """What theory says: `final_parameter_error`, `final_test_loss`, `convergence_rate`, `time_scales`, `regime` and more in `document`."""


class Comparison(Document):
    """DMFT against simulation: `time`, `difference` and `z_score` by curve, `verdict`, the two jobs, in `document`."""


@dataclass(frozen=True)
class Sweep:
    """The points of a grid: `children` (axis values, job and status of each) and `rows`, the table of final values."""

    request: dict[str, Any]
    children: list[dict[str, Any]]
    rows: list[dict[str, Any]]

    def to_dataframe(self) -> "DataFrame":
        """One row per point; needs pandas."""
        frame: DataFrame = need("pandas", "frames").DataFrame(self.rows)
        return frame

    def _repr_html_(self) -> str:
        return str(self.to_dataframe()._repr_html_())


AnyResult = Result | Theory | Comparison | Sweep


def read_result(kind: str, job_id: str, request: dict[str, Any], parts: dict[str, bytes]) -> AnyResult:
    """The result of a job of this kind, from its parts."""
    match kind:
        case "theory":
            return Theory(request, json.loads(parts["theory"]))
        case "comparison":
            return Comparison(request, json.loads(parts["comparison"]))
        case "sweep":
            return Sweep(request, json.loads(parts["children"])["children"], json.loads(parts["table"])["rows"])
    return Result.from_parts(request, parts)

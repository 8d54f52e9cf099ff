"""Whole results: what a job of each kind found, with tables, files and plots."""

import json
import os
from dataclasses import asdict, dataclass, fields
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlnflow.client.arrays import Curves, Kernels, OrderParameters, own_axes
from dlnflow.client.html import listing, table
from dlnflow.client.summary import describe
from dlnflow.files import write
from dlnflow.optional import need
from dlnflow.solution import CURVES
from dlnflow.uncertainty import ONE
from dlnflow.wire import results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame
    from xarray import Dataset

TEXTS = ("request", "diagnostics")  # of what is saved, those that are JSON


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """Everything that a mean-field solve or a simulation found; `kernels` is None for a simulation."""

    request: dict[str, Any]
    curves: Curves
    order_parameters: OrderParameters
    kernels: Kernels | None
    diagnostics: dict[str, Any]

    @classmethod
    def from_documents(cls, request: dict[str, Any], parts: dict[str, results.Document]) -> "Result":
        """Put the parts of an answer together."""
        return cls(
            request=request,
            curves=Curves.from_document(parts["curves"]),
            order_parameters=OrderParameters.from_document(parts["order-parameters"]),
            kernels=Kernels.from_document(parts["kernels"]) if "kernels" in parts else None,
            diagnostics=parts["diagnostics"],
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
        parts = {f.name: asdict(value) for f in fields(self) if hasattr(value := getattr(self, f.name), "time")}
        texts = {name: np.array(json.dumps(getattr(self, name))) for name in TEXTS}
        write(path, results.to_npz(parts | texts))

    @classmethod
    def load(cls, path: str | Path) -> "Result":
        """Read what `save` wrote."""
        stored = results.from_npz(Path(os.path.expanduser(path)).read_bytes())
        parts = {name.replace("_", "-"): json.loads(part) if name in TEXTS else part for name, part in stored.items()}
        return cls.from_documents(parts.pop("request"), parts)

    def __repr__(self) -> str:
        outcome = self.diagnostics.get("outcome", "")
        return f"<Result {self.request['kind']} {describe(self.request)}: {outcome}, {len(self.curves.time)} times>"

    def _repr_html_(self) -> str:
        caption = escape(f"{self.request['kind']}, {describe(self.request)}")
        return f"<figure>{self.curves._repr_html_()}<figcaption>{caption}</figcaption></figure>"


@dataclass(frozen=True, repr=False)
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

    @property
    def numbers(self) -> dict[str, Any]:
        """Regime, rate, ends and time scales that there are, by name."""
        plain = {name: value for name, value in self.document.items() if isinstance(value, str | float | int) and name != "regime_why"}
        return plain | {f"time_scale_{name}": scale["value"] for name, scale in self._scales.items() if scale["value"] is not None}

    @property
    def _scales(self) -> dict[str, Any]:
        return dict(self.document.get("time_scales", {}))

    def plot(self, ax: "Axes | None" = None, **style: Any) -> "Axes":
        """Draw the time scales as bars, one below the other in their order, over logarithmic time; needs matplotlib."""
        phases = self.document.get("phases", [])
        with own_axes(ax) as axes:
            first = min((phase["end"] for phase in phases), default=1.0) / 10
            for number, phase in enumerate(phases):
                start = max(phase["start"], first)
                look: dict[str, Any] = {"height": 0.5, "color": "0.5"} | style
                axes.barh(number, phase["end"] - start, left=start, **look)
            axes.set_yticks(range(len(phases)), [phase["name"].replace("_", " ") for phase in phases])
            axes.invert_yaxis()
            axes.set(xscale="log", xlabel="time", title=f"regime: {self.document.get('regime')}")
        return axes

    def __repr__(self) -> str:
        return f"<Theory {describe(self.request)}: {self.document.get('regime', '')}>"

    def _repr_html_(self) -> str:
        return listing(self.numbers)


class Comparison(Document):
    """DMFT against simulation: `time`, `difference` and `z_score` by curve, `verdict`, the two jobs, in `document`."""

    def plot(self, ax: "Axes | None" = None, name: str = "test_loss", **style: Any) -> "Axes":
        """Draw (simulation − theory)/theory of one curve with ± one standard error over time; needs matplotlib."""
        curve, time = self.document[name], np.asarray(self.document["time"], dtype=float)
        theory, shown = np.asarray(curve["dmft"], dtype=float), time > 0
        relative, error = (np.asarray(curve[key])[shown] / theory[shown] for key in ("difference", "stderr"))
        with own_axes(ax) as axes:
            look: dict[str, Any] = {"fmt": "o", "markersize": 4, "label": f"{name.replace('_', ' ')} {ONE}"}
            axes.errorbar(time[shown], relative, error, **look | style)
            axes.axhline(0, color="0.5", linewidth=0.8)
            axes.set(xscale="log", xlabel="time", ylabel="(simulation − theory)/theory", title=self.document["verdict"])
            axes.legend()
        return axes

    def __repr__(self) -> str:
        return f"<Comparison {describe(self.request)}: {self.document.get('verdict', '')}>"

    def _repr_html_(self) -> str:
        return listing({name: self.document[name] for name in ("verdict", "explanation", "resolution") if name in self.document})


@dataclass(frozen=True, repr=False)
class Sweep:
    """The points of a grid: `children` (axis values, job and status of each) and `rows`, the table of final values."""

    request: dict[str, Any]
    children: list[dict[str, Any]]
    rows: list[dict[str, Any]]

    @property
    def axes(self) -> dict[str, list[Any]]:
        """The values on every axis, by its dotted path."""
        return {path: list(values) for path, values in self.request.get("axes", {}).items()}

    def to_dataframe(self) -> "DataFrame":
        """One row per point; needs pandas."""
        frame: DataFrame = need("pandas", "frames").DataFrame(self.rows)
        return frame

    def to_xarray(self) -> "Dataset":
        """Every number of the rows as an array over the axes, NaN where a point has none; needs xarray."""
        xarray, axes = need("xarray", "frames"), self.axes
        shape = tuple(map(len, axes.values()))
        columns = [name for name in self.rows[0] if name not in axes and any(isinstance(row[name], int | float) for row in self.rows)]
        arrays = {name: np.array([_number(row[name]) for row in self.rows]).reshape(shape) for name in columns}
        names = {path: path.split(".")[-1] for path in axes}
        short = names if len(set(names.values())) == len(names) else {path: path for path in axes}
        coords = {short[path]: [_coordinate(value) for value in values] for path, values in axes.items()}
        dataset: Dataset = xarray.Dataset({name: (tuple(short.values()), array) for name, array in arrays.items()}, coords=coords)
        return dataset

    def plot(self, ax: "Axes | None" = None, name: str = "test_loss", **style: Any) -> "Axes":
        """Draw the final values `name`: along one axis with ± one standard error, or as a map over two; needs matplotlib."""
        data = self.to_xarray()
        dims = list(data[name].dims)
        if len(dims) > 2:
            raise ValueError(f"a sweep over {len(dims)} axes has no picture; take a part of to_xarray()")
        with own_axes(ax) as axes:
            x = data[dims[0]].values
            if len(dims) == 1:
                error = data[f"{name}_stderr"].values if f"{name}_stderr" in data else None
                label = name.replace("_", " ") + (f" {ONE}" if error is not None else "")
                look: dict[str, Any] = {"fmt": "o-", "label": label} | style
                axes.errorbar(x, data[name].values, error, **look)
                axes.set(xlabel=dims[0], ylabel=name)
                axes.legend()
            else:
                look = {"shading": "nearest"} | style
                mesh = axes.pcolormesh(x, data[dims[1]].values, data[name].values.T, **look)
                axes.figure.colorbar(mesh, ax=axes, label=name)
                axes.set(xlabel=dims[0], ylabel=dims[1])
        return axes

    def __repr__(self) -> str:
        done = sum(row.get("status", "succeeded") == "succeeded" for row in self.rows)
        return f"<Sweep {describe(self.request)}: {done} of {len(self.rows)} points>"

    def _repr_html_(self) -> str:
        return table(self.rows)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _coordinate(value: Any) -> Any:
    """A value of an axis as a coordinate: a number or a text."""
    return value if isinstance(value, int | float | str) else str(value.get("kind", value) if isinstance(value, dict) else value)


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
    return Result.from_documents(request, {name: results.decode(name, part) for name, part in parts.items()})

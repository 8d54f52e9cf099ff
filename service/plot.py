"""Curves as a figure: log-log, with bands of one standard error, drawn without a display and without state that threads share."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dlnflow.jobs.results import Document
from dlnflow.solution import CURVES

COLOURS = ("#1f5f99", "#b3521a", "#2f7d4f", "#7b4ea3", "#a3324f", "#5c6670")
DASHES = ("-", "--", ":", "-.")
INCHES = (11.0, 3.6)
DOTS_PER_INCH = 130


def draw(curves: Sequence[tuple[str, Document]], format: str, title: str) -> bytes:
    """The labelled `curves` as svg or png; the same curves give the same bytes."""
    figure = Figure(figsize=INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize="medium")
    for axes, name in zip(figure.subplots(1, len(CURVES)), CURVES, strict=True):
        for number, (label, document) in enumerate(curves):
            _curve(axes, document, name, label, COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)])
        axes.set(xlabel="time t", title=name.replace("_", " "), xscale="log", yscale="log")
    if len(curves) > 1:
        figure.axes[0].legend(fontsize="small")
    buffer = io.BytesIO()
    metadata: dict[str, Any] = {"Date": None, "Title": title} if format == "svg" else {"Title": title}
    figure.savefig(buffer, format=format, dpi=DOTS_PER_INCH, metadata=metadata)
    return buffer.getvalue()


def _curve(axes: Axes, document: Document, name: str, label: str, colour: str, dash: str) -> None:
    """One curve with its band; times and values that are not positive have no place on these axes."""
    time, value, error = (np.asarray(document[key], dtype=float) for key in ("time", name, f"{name}_stderr"))
    shown = (time > 0) & (value > 0)
    time, value, error = time[shown], value[shown], error[shown]
    axes.plot(time, value, dash, color=colour, label=label, marker="." if len(time) < 12 else "", linewidth=1.4)
    axes.fill_between(time, np.maximum(value - error, value / 100), value + error, color=colour, alpha=0.25, linewidth=0)

"""Curves as a figure: log-log, with bands of ± one standard error, drawn without a display and without state that threads share."""

import io
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dlnflow.client.arrays import draw_curve
from dlnflow.solution import CURVES
from dlnflow.uncertainty import CAPTION
from dlnflow.wire.results import Document

COLOURS = ("#1f5f99", "#b3521a", "#2f7d4f", "#7b4ea3", "#a3324f", "#5c6670")
DASHES = ("-", "--", ":", "-.")
INCHES = (11.0, 3.6)
DOTS_PER_INCH = 130
STYLE = threading.Lock()  # the style is the process's: one figure at a time is drawn, in Matplotlib's own and nobody else's


class NothingToDraw(ValueError):
    """No curve has a positive value at a positive time."""


def draw(curves: Sequence[tuple[str, Document]], format: str, title: str) -> bytes:
    """The labelled `curves` as svg or png; the same curves give the same bytes. Raises NothingToDraw."""
    buffer = io.BytesIO()
    metadata: dict[str, Any] = {"Date": None, "Title": title} if format == "svg" else {"Title": title}
    with STYLE, style.context("default"):
        _figure(curves, title).savefig(buffer, format=format, dpi=DOTS_PER_INCH, metadata=metadata)
    return buffer.getvalue()


def _figure(curves: Sequence[tuple[str, Document]], title: str) -> Figure:
    figure = Figure(figsize=INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize="medium")
    figure.supxlabel(CAPTION, fontsize="small", color="0.4")
    for axes, name in zip(figure.subplots(1, len(CURVES)), CURVES, strict=True):
        for number, (label, document) in enumerate(curves):
            _curve(axes, document, name, label, COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)])
        axes.set(xlabel="time t", title=name.replace("_", " "))
        if len(axes.lines):
            axes.set(xscale="log", yscale="log")
    if not any(len(axes.lines) for axes in figure.axes):
        raise NothingToDraw("no curve has a positive value at a positive time, and there is nothing to draw on log axes")
    if len(curves) > 1 and len(figure.axes[0].lines):
        figure.axes[0].legend(fontsize="small")
    return figure


def _curve(axes: Axes, document: Document, name: str, label: str, colour: str, dash: str) -> None:
    """One curve with its band; times and values that are not positive have no place on these axes."""
    time, value, error = (np.asarray(document[key], dtype=float) for key in ("time", name, f"{name}_stderr"))
    shown = (time > 0) & (value > 0)
    if not shown.any():
        return
    time, value, error = time[shown], value[shown], error[shown]
    marker = "." if len(time) < 12 else ""
    draw_curve(axes, time, value, error, linestyle=dash, color=colour, label=label, marker=marker, linewidth=1.4)

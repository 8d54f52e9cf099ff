"""Tables and plots for the terminal."""

import io
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dlnflow.cli.braille import Curve, log_plot
from dlnflow.client import Curves, Job
from dlnflow.client.summary import describe
from dlnflow.files import write
from dlnflow.optional import need
from dlnflow.solution import CURVES, ORDER_PARAMETERS
from dlnflow.uncertainty import ONE, cell

MEANING = "±: one standard error; < x: below its own error"
Lines = Sequence[tuple[Job, Curves]]


SHORTEST_ID = 10  # letters of an id that are shown, and that are enough to name a job


def job_line(job: Job) -> str:
    """One job in one line."""
    note = str(job.failure or "" if job.finished else job.note)
    return f"{job.id[:SHORTEST_ID]}  {job.kind:10} {job.status:9} {job.progress:4.0%}  {describe(job.request)}  {note}".rstrip()


def job_table(jobs: Sequence[Job]) -> str:
    """Jobs with a head, in columns that tell them apart."""
    if not jobs:
        return "no jobs"
    head = f"{'id':{SHORTEST_ID}}  {'kind':10} {'status':9} {'done':>4}  problem and request"
    return "\n".join([head, *map(job_line, jobs)])


def curves_table(curves: Curves) -> str:
    """Every curve with its standard error."""
    head = f"{'time':>9}" + "".join(f"{name:>16} {'±':>8}" for name in CURVES)
    columns = [getattr(curves, key) for name in CURVES for key in (name, f"{name}_stderr")]
    rows = [f"{t:9.4g}" + "".join(map(_with_error, row[::2], row[1::2])) for t, *row in zip(curves.time, *columns, strict=True)]
    return "\n".join([head, *rows, MEANING])


def _with_error(value: float, stderr: float) -> str:
    return "{:>16} {:>8}".format(*cell(value, stderr))


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows with the same keys, in columns as wide as they need."""
    if not rows:
        return "no rows"
    cells = [list(rows[0]), *([_cell(row.get(name)) for name in rows[0]] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)


def sweep_table(rows: Sequence[dict[str, Any]]) -> str:
    """The table of a sweep without ids and order parameters, to fit a terminal; --json and the service have all."""
    left_out = {"id", "time", *(f"{name}{end}" for name in ORDER_PARAMETERS for end in ("", "_stderr"))}
    kept = [{name: value for name, value in row.items() if name not in left_out} for row in rows]
    return table([{name.removeprefix("problem."): value for name, value in _resolved(row).items()} for row in kept])


def _resolved(row: dict[str, Any]) -> dict[str, Any]:
    """The row with `< x` for values below their own errors."""
    pairs = [name for name in row if row.get(f"{name}_stderr") is not None]
    return row | {
        key: text for name in pairs for key, text in zip((name, f"{name}_stderr"), cell(row[name], row[f"{name}_stderr"]), strict=True)
    }


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)


def listing(items: dict[str, Any]) -> str:
    """Names and values, one a line."""
    width = max(map(len, items), default=0)
    return "\n".join(f"{name:{width}}  {_cell(value)}" for name, value in items.items())


def terminal_plot(lines: Lines, name: str) -> str:
    """One curve of each job on log axes: lines of theory, points with bars of simulations; in colour where a person wants it."""
    curves = {f"{job.kind} {job.id[:8]}": _curve(job, found, name) for job, found in lines}
    color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    columns = shutil.get_terminal_size((80, 24)).columns
    return log_plot(curves, name, color=color, columns=columns)


def _curve(job: Job, found: Curves, name: str) -> Curve:
    return Curve(found.time, getattr(found, name), getattr(found, f"{name}_stderr"), points=job.kind == "simulation")


def save_plot(lines: Lines, name: str, path: str) -> None:
    """Theory as lines with bands, simulations as points with bars, into a picture."""
    with need("matplotlib.style", "plot").context("default"):  # whatever the user has set up, LaTeX that is not there among it
        figure = need("matplotlib.figure", "plot").Figure(layout="constrained")
        ax = figure.subplots()
        for job, curves in lines:
            curves.plot(ax, name, points=job.kind == "simulation", label=f"{job.kind} {job.id[:8]} {ONE}")
        ax.set_ylabel(name.replace("_", " "))
        ax.legend()
        picture = io.BytesIO()
        figure.savefig(picture, format=Path(path).suffix.lower().removeprefix("."))
    write(path, picture.getvalue())

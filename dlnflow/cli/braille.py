"""Curves in the terminal on log axes, drawn with braille dots, two by four to a character."""

from typing import NamedTuple

import numpy as np

from dlnflow.solution import Array
from dlnflow.uncertainty import is_resolved

COLUMNS, ROWS = 70, 22
MARGIN, FEWEST_COLUMNS = 10, 20  # of the labels of values; of the picture itself
BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))  # of the dots of a character, by column and row
COLORS = (34, 33, 32, 35, 36, 31)


class Curve(NamedTuple):
    """Times, values and standard errors, (T,) each; drawn as a line, or as `points` with bars of one standard error."""

    time: Array
    value: Array
    stderr: Array
    points: bool = False


def log_plot(curves: dict[str, Curve], title: str, *, color: bool, columns: int = COLUMNS + MARGIN) -> str:
    """Curves by name in a picture of so many `columns`; what is not positive, or below its own error, is left out."""
    shown = {name: (part, curve.points) for name, curve in curves.items() if (part := _logarithms(curve)).size}
    if not shown:
        raise ValueError(f"{title} has no positive values at positive times to draw on log axes")
    points = np.concatenate([part[:2] for part, _ in shown.values()], axis=1)
    low, high = points.min(axis=1), points.max(axis=1)
    span = np.where(high > low, high - low, 1.0)
    picture = np.full((ROWS, max(FEWEST_COLUMNS, columns - MARGIN)), " ", dtype=object)
    for number, (part, is_points) in enumerate(shown.values()):
        x, rest = (part[0] - low[0]) / span[0], (part[1:] - low[1]) / span[1]
        _draw(
            picture, _dots(x, rest) if is_points else _line(x, rest[0], picture.shape[1]), COLORS[number % len(COLORS)] if color else None
        )
    names = {name: f"{name} {'(points, bars: ± one standard error)' if is_points else '(line)'}" for name, (_, is_points) in shown.items()}
    return "\n".join([f"{'':9}{title} over time, log axes", *_frame(picture, low, high), *_legend(list(names.values()), color)])


def _logarithms(curve: Curve) -> Array:
    """log10 of time, value, and the ends of the bar, (4, T)."""
    time, value, stderr = curve.time, curve.value, curve.stderr
    kept = (time > 0) & (value > 0) & np.isfinite(value) & is_resolved(value, np.nan_to_num(stderr))
    time, value, stderr = time[kept], value[kept], np.nan_to_num(stderr[kept])
    rows: Array = np.log10(np.stack([time, value, np.maximum(value - stderr, 1e-3 * value), value + stderr]))
    return rows


def _line(x: Array, y: Array, columns: int) -> Array:
    """Points along the curve, (2, P), whose coordinates are in [0, 1]."""
    between = np.linspace(x[0], x[-1], 4 * columns)
    return np.stack([between, np.interp(between, x, y)])


def _dots(x: Array, rest: Array) -> Array:
    """The points and their bars, (2, P)."""
    value, low, high = np.clip(rest, 0, 1)
    bars = np.linspace(low, high, 4 * ROWS)
    return np.stack([np.append(np.tile(x, len(bars)), [x, x]), np.append(bars.ravel(), [value, value])])


def _draw(picture: Array, curve: Array, color: int | None) -> None:
    """Dots at the points `curve`, (2, P), whose coordinates are in [0, 1]."""
    x, y = curve
    columns, rows = np.rint(x * (2 * picture.shape[1] - 1)).astype(int), np.rint((1 - y) * (4 * ROWS - 1)).astype(int)
    cells: dict[tuple[int, int], int] = {}
    for column, row in zip(columns.tolist(), rows.tolist(), strict=True):
        place = row // 4, column // 2
        cells[place] = cells.get(place, 0) | BITS[column % 2][row % 4]
    for place, bits in cells.items():
        dots = chr(0x2800 + bits)
        picture[place] = dots if color is None else f"\x1b[{color}m{dots}\x1b[0m"


def _frame(picture: Array, low: Array, high: Array) -> list[str]:
    labels = {0: f"{10 ** high[1]:8.2g}", ROWS // 2: f"{10 ** ((low[1] + high[1]) / 2):8.2g}", ROWS - 1: f"{10 ** low[1]:8.2g}"}
    lines = [f"{labels.get(number, ''):>8} ┤{''.join(row)}" for number, row in enumerate(picture)]
    columns = picture.shape[1]
    left, middle, right = f"{10 ** low[0]:.2g}", f"{10 ** ((low[0] + high[0]) / 2):.2g}", f"{10 ** high[0]:.2g}"
    return [*lines, f"{'':9}└{'─' * columns}", f"{'':10}{left}{middle:^{columns - len(left) - len(right)}}{right}"]


def _legend(names: list[str], color: bool) -> list[str]:
    return [f"{'':10}\x1b[{COLORS[i % len(COLORS)]}m━━\x1b[0m {name}" if color else f"{'':10}{name}" for i, name in enumerate(names)]

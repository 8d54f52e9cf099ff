"""Curves in the terminal on log axes, drawn with braille dots, two by four to a character."""

import numpy as np

from dlnflow.solution import Array

COLUMNS, ROWS = 72, 22
BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))  # of the dots of a character, by column and row
COLORS = (34, 33, 32, 35, 36, 31)


def log_plot(curves: dict[str, tuple[Array, Array]], title: str, *, color: bool) -> str:
    """Curves by name, each of times and values; what is not positive is left out."""
    shown = {name: points for name, curve in curves.items() if (points := _logarithms(*curve)).size}
    if not shown:
        raise ValueError(f"{title} has no positive values at positive times to draw on log axes")
    points = np.concatenate(list(shown.values()), axis=1)
    low, high = points.min(axis=1), points.max(axis=1)
    span = np.where(high > low, high - low, 1.0)
    picture = np.full((ROWS, COLUMNS), " ", dtype=object)
    for number, curve in enumerate(shown.values()):
        _draw(picture, (curve - low[:, None]) / span[:, None], COLORS[number % len(COLORS)] if color else None)
    return "\n".join([f"{'':9}{title} over time, log axes", *_frame(picture, low, high), *_legend(list(shown), color)])


def _logarithms(time: Array, value: Array) -> Array:
    kept = (time > 0) & (value > 0) & np.isfinite(value)
    return np.log10(np.stack([time[kept], value[kept]]))


def _draw(picture: Array, curve: Array, color: int | None) -> None:
    """Dots along the curve, whose coordinates are in [0, 1]."""
    x = np.linspace(curve[0, 0], curve[0, -1], 4 * COLUMNS)
    y = np.interp(x, *curve)
    columns, rows = np.rint(x * (2 * COLUMNS - 1)).astype(int), np.rint((1 - y) * (4 * ROWS - 1)).astype(int)
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
    left, middle, right = f"{10 ** low[0]:.2g}", f"{10 ** ((low[0] + high[0]) / 2):.2g}", f"{10 ** high[0]:.2g}"
    return [*lines, f"{'':9}└{'─' * COLUMNS}", f"{'':10}{left}{middle:^{COLUMNS - len(left) - len(right)}}{right}"]


def _legend(names: list[str], color: bool) -> list[str]:
    return [f"{'':10}\x1b[{COLORS[i % len(COLORS)]}m━━\x1b[0m {name}" if color else f"{'':10}{name}" for i, name in enumerate(names)]

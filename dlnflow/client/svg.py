"""A small curve for notebooks, drawn as SVG without any plotting library."""

from html import escape

import numpy as np

from dlnflow.solution import Array

WIDTH, HEIGHT, MARGIN = 360, 200, 34
COLORS = ("#4269d0", "#c4501b", "#3a8a4d")
DASHES = ("", "6 3", "2 3")


def small_plot(time: Array, curves: dict[str, Array]) -> str:
    """Curves over time on log axes, with a summary in words for those who do not see it."""
    shown = {name: (value > 0) & (time > 0) & np.isfinite(value) for name, value in curves.items()}
    if not any(mask.any() for mask in shown.values()):
        return "<p>no positive values to draw yet</p>"
    t = np.log10(np.concatenate([time[mask] for mask in shown.values()]))
    y = np.log10(np.concatenate([curves[name][mask] for name, mask in shown.items()]))
    box = (t.min(), max(t.max(), t.min() + 1e-9), y.min(), max(y.max(), y.min() + 1e-9))
    lines = [
        _line(np.log10(time[mask]), np.log10(curves[name][mask]), box, number, name) for number, (name, mask) in enumerate(shown.items())
    ]
    summary = "; ".join(f"{name} from {curves[name][mask][0]:.3g} to {curves[name][mask][-1]:.3g}" for name, mask in shown.items())
    summary += f" at times {10 ** box[0]:.3g} to {10 ** box[1]:.3g}, log axes"
    frame = f'<rect x="{MARGIN}" y="8" width="{WIDTH - 2 * MARGIN}" height="{HEIGHT - 8 - MARGIN}" fill="none" stroke="currentColor"/>'
    labels = "".join(
        f'<text x="{x}" y="{v}" text-anchor="{anchor}" font-size="10" fill="currentColor">{text:.1e}</text>'
        for x, v, anchor, text in (
            (MARGIN, HEIGHT - MARGIN + 14, "start", 10 ** box[0]),
            (WIDTH - MARGIN, HEIGHT - MARGIN + 14, "end", 10 ** box[1]),
            (MARGIN + 3, 18, "start", 10 ** box[3]),
            (MARGIN + 3, HEIGHT - MARGIN - 4, "start", 10 ** box[2]),
        )
    )
    head = f'<svg role="img" aria-label="{escape(summary)}" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
    return f"{head}<title>{escape(summary)}</title>{frame}{''.join(lines)}{labels}</svg>"


def _line(t: Array, y: Array, box: tuple[float, float, float, float], number: int, name: str) -> str:
    left, right, low, high = box
    x = MARGIN + (t - left) / (right - left) * (WIDTH - 2 * MARGIN)
    v = HEIGHT - MARGIN - (y - low) / (high - low) * (HEIGHT - 8 - MARGIN)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, v, strict=True))
    style = f'fill="none" stroke="{COLORS[number]}" stroke-width="1.5" stroke-dasharray="{DASHES[number]}"'
    place = f'x="{WIDTH - MARGIN - 4}" y="{20 + 12 * number}" text-anchor="end" font-size="10"'
    key = f'<text {place} fill="{COLORS[number]}">{escape(name)}</text>'
    return f'<polyline points="{points}" {style}/>{key}'
